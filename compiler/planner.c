/* planner.c - DgPlanApi: assets, checks, steps, jobs and schedules enter the Plan here.
 *
 * The questions a component may ask (places, paths, files) are in planner_query.c, the code it asks
 * to be emitted in planner_code.c. */
#include "compiler/planner_impl.h"

#include "compiler/translation.h"

/* ---- Addresses ---- */

static Str address_key(const void *const *address)
{
    return (Str){(const char *)address, sizeof *address};
}

void put_address(Arena *arena, Map *map, const void *address, void *value)
{
    const void **copy = push(arena, const void *, 1);
    *copy = address;
    map_put(arena, map, address_key(copy), value);
}

const ConfigPlace *builder_place(const Builder *b, const void *address)
{
    return address ? map_get(&b->places, address_key(&address)) : NULL;
}

static void add_place(Builder *b, const ConfigPlace *place)
{
    const ConfigPlace *old = builder_place(b, place->address);
    /* A struct and its first member have one address; the member says more. */
    if (old && old->kind != DG_F_STRUCT)
        return;
    put_address(b->plan->arena, &b->places, place->address, (void *)(uintptr_t)place);
}

void builder_add_config(Builder *b, const Config *config)
{
    for (size_t i = 0; i < config->places.count; i++)
        add_place(b, &config->places.items[i]);
}

Span planner_at(const DgPlanner *p, const void *field)
{
    const PlannerImpl *m = p->impl;
    const ConfigPlace *place = builder_place(m->b, field);
    return place && place->node ? place->node->at : m->at;
}

/* A copy of what pends inside [field, field + bytes), under the addresses of the copy. */
static void planner_copy(DgPlanner *p, void *to, const void *field, size_t bytes)
{
    PlannerImpl *m = p->impl;
    memcpy(to, field, bytes);
    for (size_t offset = 0; offset < bytes; offset++) {
        const ConfigPlace *place = builder_place(m->b, (const char *)field + offset);
        if (!place)
            continue;
        ConfigPlace *copy = push(m->b->plan->arena, ConfigPlace, 1);
        *copy = *place;
        copy->address = (char *)to + offset;
        put_address(m->b->plan->arena, &m->b->places, copy->address, copy);
    }
}

/* ---- Declarations ---- */

/* True when `name` is new; otherwise E0204 with both places. */
static bool claim_name(Builder *b, Map *names, const char *noun, Str name, Span at, void *value)
{
    Named *first = map_get(names, name);
    if (!first) {
        first = push(b->plan->arena, Named, 1);
        *first = (Named){at, value};
        map_put(b->plan->arena, names, name, first);
        return true;
    }
    DiagItem *it = diag_report(b->plan->diag, E0204, at, "two %ss are named `%.*s`", noun,
                               FMT(name));
    diag_label(it, first->at, "the first `%.*s` is here", FMT(name));
    diag_help(it, "give one of them another name");
    return false;
}

static void copy_strs(Arena *arena, StrArray *to, const DgList *from)
{
    for (size_t i = 0; i < from->count; i++)
        array_add(arena, to, DG_ITEMS(DgStr, *from)[i]);
}

static void copy_deps(const DgPlanner *p, StrArray *to, const DgList *from)
{
    const PlannerImpl *m = p->impl;
    for (size_t i = 0; i < from->count; i++) {
        const Str *dep = &DG_ITEMS(DgStr, *from)[i];
        Str key = asset_key_check(m->b->plan, *dep, planner_at(p, dep));
        if (key.len)
            array_add(m->b->plan->arena, to, key);
    }
}

static void copy_columns(Plan *plan, Asset *asset, const DgAssetDecl *decl, Span at)
{
    for (int32_t i = 0; i < decl->columns_count; i++) {
        ColumnInfo column = {decl->columns[i], at};
        array_add(plan->arena, &asset->columns, column);
    }
    asset->columns_known = decl->columns != NULL;
    asset->sample = decl->sample;
    asset->sample_format = decl->sample_format;
}

/* The user's AssetSpec, filled by dg_asset_spec_fields or still a tree under a DG_F_ANY field. */
static const DgAssetSpec *read_spec(DgPlanner *p, const DgAssetDecl *decl, SpecContext *c)
{
    PlannerImpl *m = p->impl;
    *c = (SpecContext){m->b->plan, m->instance->filled, m->instance->names, m->at};
    if (decl->filled)
        return decl->filled;
    const ConfigPlace *place = builder_place(m->b, decl->spec);
    if (!place || !place->node)
        return NULL;
    ConfigTarget target = {S("AssetSpec"), decl->key.len ? dg_asset_update_fields
                                                         : dg_asset_spec_fields,
                           sizeof(DgAssetSpec), 0};
    Config *config = push(m->b->plan->arena, Config, 1);
    *config = config_fill(m->b->plan->arena, m->b->plan->diag, m->instance->names, &target,
                          place->node, place->node->at);
    builder_add_config(m->b, config);
    c->config = config;
    c->at = place->node->at;
    return config->data;
}

/* The asset that a declaration describes, translated; NULL when its key is not sound. */
static Asset *make_asset(DgPlanner *p, const DgAssetDecl *decl, Str *own_key)
{
    PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    SpecContext c;
    const DgAssetSpec *spec = read_spec(p, decl, &c);
    if (spec && !decl->key.len && !spec_sets(&c, &spec->key))
        return NULL; /* a missing key was reported when the spec was filled */
    Str written = decl->key.len ? decl->key : spec ? spec->key : (Str){0};
    Span at = decl->at                  ? planner_at(p, decl->at)
              : spec && !decl->key.len ? spec_at(&c, &spec->key) : m->at;
    Str key = asset_key_check(plan, written, at);
    *own_key = key;
    if (!key.len)
        return NULL;
    Asset *asset = push(plan->arena, Asset, 1);
    *asset = (Asset){.key = key, .description = decl->description,
                     .group = decl->group.len ? decl->group : S("default"),
                     .code_version = decl->code_version, .is_view = decl->is_view,
                     .external = decl->external, .source = decl->source, .at = at, .instance = m->instance,
                     .component = str_from(m->instance->component->name)};
    asset->automation.kind = asset->freshness.kind = DG_V_NONE;
    if (decl->auto_materialize)
        asset->automation = automation_policy(plan->arena);
    copy_deps(p, &asset->dep_keys, &decl->deps);
    copy_strs(plan->arena, &asset->kinds, &decl->kinds);
    copy_strs(plan->arena, &asset->owners, &decl->owners);
    for (size_t i = 0; i < decl->tags.count; i++)
        array_add(plan->arena, &asset->tags, DG_ITEMS(DgPair, decl->tags)[i]);
    for (size_t i = 0; i < decl->metadata.count; i++)
        array_add(plan->arena, &asset->metadata, DG_ITEMS(DgValuePair, decl->metadata)[i]);
    copy_columns(plan, asset, decl, at);
    if (spec)
        spec_apply(&c, asset, spec, SPEC_ADD);
    const ConfigPlace *translation = builder_place(m->b, decl->translation);
    if (translation && translation->node)
        translation_apply(plan, asset, translation->node, m->instance->names,
                          &decl->translation_vars);
    return asset;
}

static DgStr planner_translated(DgPlanner *p, const DgAssetDecl *decl)
{
    Str own_key;
    Asset *asset = make_asset(p, decl, &own_key);
    return asset ? asset->key : decl->key;
}

static void planner_asset(DgPlanner *p, const DgAssetDecl *decl)
{
    PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    Str own_key;
    Asset *asset = make_asset(p, decl, &own_key);
    if (!asset)
        return;
    Asset *first = plan_asset(plan, asset->key);
    if (first) {
        DiagItem *it = diag_report(plan->diag, E0201, asset->at, "asset `%.*s` is defined twice",
                                   FMT(asset->key));
        diag_label(it, first->at, "first defined here, by `%.*s`", FMT(first->component));
        return;
    }
    plan_set_table(plan, asset);
    array_add(plan->arena, &plan->assets, asset);
    map_put(plan->arena, &plan->asset_by_key, asset->key, asset);
    if (!str_eq(own_key, asset->key))
        map_put(plan->arena, &m->b->translated,
                str_format(plan->arena, "%.*s %.*s", FMT(m->instance->id), FMT(own_key)), asset);
}

static void planner_check(DgPlanner *p, const DgCheckDecl *decl)
{
    PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    Check *check = push(plan->arena, Check, 1);
    check->instance = m->instance;
    check->automation.kind = DG_V_NONE;
    check->at = planner_at(p, decl->at);
    if (decl->filled) {
        SpecContext c = {plan, m->instance->filled, m->instance->names, m->at};
        if (!decl->at)
            check->at = spec_at(&c, &decl->filled->name);
        spec_apply_check(&c, check, decl->filled);
    } else {
        check->name = decl->name;
        check->asset_key = asset_key_check(plan, decl->asset, check->at);
        check->description = decl->description;
        check->blocking = decl->blocking;
        copy_deps(p, &check->dep_keys, &decl->additional_deps);
    }
    check->warn = decl->warn;
    if (!check->asset_key.len || !check->name.len)
        return;
    Str id = str_format(plan->arena, "%.*s:%.*s", FMT(check->asset_key), FMT(check->name));
    if (claim_name(m->b, &m->b->checks, "check", id, check->at, check))
        array_add(plan->arena, &plan->checks, check);
}

static Check *find_check(const Builder *b, const DgPair *name)
{
    Str id = str_format(b->plan->arena, "%.*s:%.*s", FMT(name->key), FMT(name->value));
    Named *named = map_get(&b->checks, id);
    return named ? named->value : NULL;
}

/* By the key as the component wrote it, or as its translation made it. */
static Asset *find_asset(const PlannerImpl *m, Str key)
{
    Plan *plan = m->b->plan;
    StrArray parts;
    if (asset_key_parts(plan->arena, key, &parts))
        key = asset_key_join(plan->arena, parts.items, parts.count);
    Asset *asset = map_get(&m->b->translated,
                           str_format(plan->arena, "%.*s %.*s", FMT(m->instance->id), FMT(key)));
    return asset ? asset : plan_asset(plan, key);
}

/* Assets and checks of a step. Those that an error kept out of the plan are left out silently. */
static void own_outputs(const DgPlanner *p, Step *step, const DgStepDecl *decl)
{
    const PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    for (size_t i = 0; i < decl->assets.count; i++) {
        Asset *asset = find_asset(m, DG_ITEMS(DgStr, decl->assets)[i]);
        if (!asset || asset->instance != m->instance || asset->step)
            continue;
        asset->step = step;
        array_add(plan->arena, &step->assets, asset);
    }
    for (size_t i = 0; i < decl->checks.count; i++) {
        Check *check = find_check(m->b, &DG_ITEMS(DgPair, decl->checks)[i]);
        if (!check || check->instance != m->instance || check->step)
            continue;
        check->step = step;
        array_add(plan->arena, &step->checks, check);
    }
}

/* Not told apart from an op of Dagster's: a key's parts joined by `__`. */
static Str default_name(Plan *plan, const Step *step)
{
    if (step->assets.count)
        return str_replace(plan->arena, step->assets.items[0]->key, S("/"), S("__"));
    if (step->checks.count) {
        const Check *check = step->checks.items[0];
        Str key = str_replace(plan->arena, check->asset_key, S("/"), S("__"));
        return str_format(plan->arena, "%.*s_%.*s", FMT(key), FMT(check->name));
    }
    return S("step");
}

/* Members of the step's config that wait for env or the run, and those that emitted code fills. */
static void bind_fields(Builder *b, Step *step, const DgField *fields, const char *base);

static void bind_member(Builder *b, Step *step, const DgField *field, DgFieldKind kind,
                        const char *at)
{
    Plan *plan = b->plan;
    const ConfigPlace *place = builder_place(b, at);
    if (place && place->pending && kind != DG_F_STRUCT) { /* a struct begins where its first member does */
        Binding binding = {at, field, kind, place->pending,
                           place->node ? place->node->at : step->at};
        array_add(plan->arena, &step->bindings, binding);
        return;
    }
    if (kind == DG_F_CODE) {
        CodeUnit *unit = map_get(&b->slots, address_key((const void *const *)&at));
        CodeSlot slot = {(const DgCode *)(const void *)at, unit};
        if (unit)
            array_add(plan->arena, &step->code, slot);
    } else if (kind == DG_F_STRUCT) {
        bind_fields(b, step, field->of, at);
    } else if (kind == DG_F_ONE_OF) {
        const DgOneOf *one = (const DgOneOf *)(const void *)at;
        if (one->variant >= 0 && one->config)
            bind_fields(b, step, field->variants[one->variant].fields, one->config);
    } else if (kind == DG_F_LIST || kind == DG_F_MAP) {
        const DgList *list = (const DgList *)(const void *)at;
        bool map = kind == DG_F_MAP && field->of_kind != DG_F_STRUCT;
        for (size_t i = 0; i < list->count; i++)
            bind_member(b, step, field, field->of_kind,
                        (const char *)list->items + i * field->of_size +
                            (map ? sizeof(DgStr) : 0));
    }
}

static void bind_fields(Builder *b, Step *step, const DgField *fields, const char *base)
{
    for (const DgField *f = fields; f && f->name; f++)
        bind_member(b, step, f, f->kind, base + f->offset);
}

static void apply_op(DgPlanner *p, Step *step, const DgStepDecl *decl)
{
    PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    SpecContext c = {plan, m->instance->filled, m->instance->names, m->at};
    if (decl->op_filled) {
        spec_apply_op(&c, step, decl->op_filled);
        return;
    }
    const ConfigPlace *place = builder_place(m->b, decl->op);
    if (!place || !place->node)
        return;
    ConfigTarget target = {S("OpSpec"), dg_op_spec_fields, sizeof(DgOpSpec), 0};
    Config *config = push(plan->arena, Config, 1);
    *config = config_fill(plan->arena, plan->diag, c.scope, &target, place->node, place->node->at);
    c.config = config;
    spec_apply_op(&c, step, config->data);
}

static void planner_step(DgPlanner *p, const DgStepDecl *decl)
{
    PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    Step *step = push(plan->arena, Step, 1);
    *step = (Step){.name = decl->name, .ops = decl->ops, .config = decl->config,
                   .retry = decl->retry, .pool = decl->pool, .backfill_partitions_max = 1,
                   .instance = m->instance, .at = planner_at(p, decl->at)};
    Span document = m->instance->document ? m->instance->document->at : (Span){0};
    const SourceFile *file = sources_file(plan->sources, document.file);
    if (file && document.end <= (size_t)file->text.len)
        step->source = str_sub(file->text, document.start, document.end);
    apply_op(p, step, decl);
    if (decl->name_stays)
        step->name = decl->name;
    own_outputs(p, step, decl);
    if (decl->assets.count + decl->checks.count && !step->assets.count && !step->checks.count)
        return; /* all that it makes was refused, and that was reported */
    for (size_t i = 0; i < step->assets.count; i++)
        if (!step->assets.items[i]->description.len) /* as Dagster hands an op's description on */
            step->assets.items[i]->description = step->description;
    copy_deps(p, &step->read_keys, &decl->reads);
    copy_deps(p, &step->before_keys, &decl->before);
    copy_deps(p, &step->after_keys, &decl->after);
    for (size_t i = 0; i < decl->awaits.count; i++)
        array_add(plan->arena, &step->awaits, DG_ITEMS(DgPair, decl->awaits)[i]);
    step->awaits_at = decl->awaits.count ? planner_at(p, decl->awaits_at) : step->at;
    if (!step->name.len)
        step->name = default_name(plan, step);
    if (step->ops && step->config)
        bind_fields(m->b, step, step->ops->fields, step->config);
    if (claim_name(m->b, &m->b->steps, "step", step->name, step->at, step))
        array_add(plan->arena, &plan->steps, step);
}

static void planner_job(DgPlanner *p, const DgJobDecl *decl)
{
    PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    Job *job = push(plan->arena, Job, 1);
    *job = (Job){.name = decl->name, .description = decl->description,
                 .selection = decl->selection, .instance = m->instance,
                 .at = planner_at(p, decl->at)};
    for (size_t i = 0; i < decl->tags.count; i++)
        array_add(plan->arena, &job->tags, DG_ITEMS(DgPair, decl->tags)[i]);
    if (claim_name(m->b, &m->b->jobs, "job", job->name, job->at, job))
        array_add(plan->arena, &plan->jobs, job);
}

static void planner_schedule(DgPlanner *p, const DgScheduleDecl *decl)
{
    PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    Schedule *s = push(plan->arena, Schedule, 1);
    *s = (Schedule){.name = decl->name, .description = decl->description, .cron = decl->cron,
                    .timezone = decl->timezone.len ? decl->timezone : S("UTC"),
                    .target = decl->target, .stopped = decl->stopped, .instance = m->instance,
                    .at = planner_at(p, decl->at)};
    for (size_t i = 0; i < decl->tags.count; i++)
        array_add(plan->arena, &s->tags, DG_ITEMS(DgPair, decl->tags)[i]);
    if (claim_name(m->b, &m->b->schedules, "schedule", s->name, s->at, s))
        array_add(plan->arena, &plan->schedules, s);
}

static void planner_resource(DgPlanner *p, const DgResourceDecl *decl)
{
    PlannerImpl *m = p->impl;
    Resource *r = push(m->b->plan->arena, Resource, 1);
    *r = (Resource){decl->name, decl->type, planner_at(p, decl->at)};
    if (claim_name(m->b, &m->b->resources, "resource", r->name, r->at, r))
        array_add(m->b->plan->arena, &m->b->plan->resources, r);
}

/* ---- The table ---- */

static const DgPlanApi plan_api = {
    .asset = planner_asset, .translated = planner_translated, .check = planner_check,
    .step = planner_step, .job = planner_job, .schedule = planner_schedule,
    .resource = planner_resource,
    .sql = code_sql, .row_program = code_rows, .rules = code_rules, .decoder = code_decoder, .text = code_text,
    .sql_config = code_sql_config,
    .copy = planner_copy, .refers_to = query_refers_to, .attribute = query_attribute,
    .is_set = query_is_set, .is_known = query_is_known, .is_scalar = query_is_scalar,
    .report = query_report, .report_name = query_report_name, .alloc = query_alloc, .format = query_format,
    .resolve = query_resolve, .glob = query_glob, .file_read = query_file_read,
    .infer = query_infer, .sniff = query_sniff, .folder = query_folder, .instance = query_instance,
    .document = query_document, .tree = query_tree,
};

void builder_init(Builder *b, Plan *plan, Str root)
{
    *b = (Builder){.plan = plan, .root = root};
}

void builder_plan(Builder *b, const Instance *instance)
{
    const YamlNode *type = yaml_get(instance->document, S("type"));
    PlannerImpl impl = {b, instance, type ? type->at : (Span){0}};
    DgPlanner planner = {&plan_api, &impl};
    b->current = instance;
    if (instance->component->plan)
        instance->component->plan(&planner, instance->config);
    b->current = NULL;
}
