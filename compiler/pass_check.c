/* pass_check.c - jobs and schedules: names, cron expressions, time zones, what they select. */
#include "compiler/pass.h"
#include "compiler/spec.h"
#include "runtime/base/cron.h"
#include "runtime/base/select.h"

/* ---- Selections ---- */

static const SelectNode *select_nodes(const Plan *plan, Arena *arena)
{
    SelectNode *nodes = push(arena, SelectNode, plan->assets.count + 1);
    for (size_t i = 0; i < plan->assets.count; i++) {
        const Asset *a = plan->assets.items[i];
        int32_t *deps = push(arena, int32_t, a->deps.count + 1);
        for (size_t j = 0; j < a->deps.count; j++)
            deps[j] = a->deps.items[j]->index;
        nodes[i] = (SelectNode){
            .key = a->key, .group = a->group,
            .kinds = a->kinds.items, .kinds_count = (int32_t)a->kinds.count,
            .owners = a->owners.items, .owners_count = (int32_t)a->owners.count,
            .tags = (const struct SelectTag *)(const void *)a->tags.items,
            .tags_count = (int32_t)a->tags.count,
            .deps = deps, .deps_count = (int32_t)a->deps.count,
        };
    }
    return nodes;
}

void plan_report_selection(Plan *plan, Span at, const YamlNode *node, const SelectError *err)
{
    Span wrong = at;
    if (node && err->offset >= 0)
        wrong = yaml_text_span(plan->sources, node, (size_t)err->offset,
                               (size_t)(err->offset + err->length));
    bool missing = str_find(err->message, S("no asset")) >= 0;
    DiagItem *it = diag_report(plan->diag, missing ? E0202 : E0301, wrong, "%.*s",
                               FMT(err->message));
    if (err->help.len)
        diag_help(it, "%.*s", FMT(err->help));
}

static bool select_among(Plan *plan, Str text, Span at, const YamlNode *node, bool missing_ok,
                         bool *chosen)
{
    if (!plan->select_nodes)
        plan->select_nodes = select_nodes(plan, plan->arena);
    SelectGraph graph = {plan->select_nodes, (int32_t)plan->assets.count, missing_ok};
    SelectError err = {.offset = -1};
    if (select_assets(plan->arena, &graph, text, chosen, &err))
        return true;
    plan_report_selection(plan, at, node, &err);
    return false;
}

bool plan_select(Plan *plan, Str text, Span at, const YamlNode *node, bool *chosen)
{
    return select_among(plan, text, at, node, false, chosen);
}

/* The assets that are made here, and their checks. Stubs cannot be run. */
static size_t gather(Plan *plan, const bool *chosen, Asset ***assets, Check ***checks,
                     size_t *checks_count)
{
    size_t count = 0, judged = 0;
    for (size_t i = 0; i < plan->assets.count; i++) {
        count += chosen[i] && plan->assets.items[i]->step;
        judged += chosen[i] ? plan->assets.items[i]->checks.count : 0;
    }
    *assets = push(plan->arena, Asset *, count + 1);
    *checks = push(plan->arena, Check *, judged + 1);
    *checks_count = judged;
    for (size_t i = 0, a = 0, c = 0; i < plan->assets.count; i++) {
        Asset *asset = plan->assets.items[i];
        if (!chosen[i])
            continue;
        if (asset->step)
            (*assets)[a++] = asset;
        for (size_t j = 0; j < asset->checks.count; j++)
            (*checks)[c++] = asset->checks.items[j];
    }
    return count;
}

typedef struct Chosen { /* where the result of a selection goes */
    Asset ***assets;
    size_t *assets_count, *assets_capacity;
    Check ***checks;
    size_t *checks_count, *checks_capacity;
    bool incomplete; /* components have errors: assets may be missing for that reason alone */
} Chosen;

static void resolve_selection(Plan *plan, Str text, Span at, const Instance *instance,
                              const char *attribute, Chosen to)
{
    const YamlNode *node = instance ? yaml_get(instance->attributes, str_from(attribute)) : NULL;
    if (node)
        at = node->at;
    /* Only text without a template stands in the file as it is selected. */
    if (node && !str_eq(node->text, text))
        node = NULL;
    bool *chosen = push(plan->arena, bool, plan->assets.count + 1);
    if (!select_among(plan, text, at, node, to.incomplete, chosen))
        return;
    *to.assets_count = gather(plan, chosen, to.assets, to.checks, to.checks_count);
    *to.assets_capacity = *to.assets_count;
    *to.checks_capacity = *to.checks_count;
    if (!*to.assets_count && !*to.checks_count && !to.incomplete)
        diag_report(plan->diag, W0305, at, "`%.*s` selects nothing that this project makes",
                    FMT(text));
}

/* ---- Jobs and schedules ---- */

static bool name_valid(Str name)
{
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return name.len > 0;
}

static void check_name(Plan *plan, const char *noun, Str name, Span at)
{
    if (!name_valid(name))
        diag_help(diag_report(plan->diag, E0110, at, "`%.*s` is not a name for a %s", FMT(name),
                              noun),
                  "letters, digits and `_`");
}

static void check_job(Plan *plan, Job *job, bool incomplete)
{
    check_name(plan, "job", job->name, job->at);
    Chosen to = {&job->assets.items, &job->assets.count, &job->assets.capacity,
                 &job->checks.items, &job->checks.count, &job->checks.capacity, incomplete};
    resolve_selection(plan, job->selection.len ? job->selection : S("*"), job->at, job->instance,
                      "selection", to);
}

static Span attribute_at(const Instance *instance, const char *name, Span otherwise)
{
    const YamlNode *node = instance ? yaml_get(instance->attributes, str_from(name)) : NULL;
    return node ? node->at : otherwise;
}

static void check_cron(Plan *plan, const Schedule *s)
{
    Cron cron;
    CronError err = {0};
    if (cron_parse(plan->arena, s->cron, &cron, &err))
        return;
    const YamlNode *node = s->instance ? yaml_get(s->instance->attributes, S("cron")) : NULL;
    Span at = attribute_at(s->instance, "cron", s->at);
    if (node && str_eq(node->text, s->cron) && err.length > 0)
        at = yaml_text_span(plan->sources, node, (size_t)err.offset,
                            (size_t)(err.offset + err.length));
    DiagItem *it = diag_report(plan->diag, E0302, at, "%.*s", FMT(err.message));
    if (err.help.len)
        diag_help(it, "%.*s", FMT(err.help));
}

static void check_schedule(Plan *plan, const Map *jobs, Schedule *s, bool incomplete)
{
    check_name(plan, "schedule", s->name, s->at);
    check_cron(plan, s);
    const Zone *zone;
    DgError err = {0};
    if (zone_open(plan->arena, s->timezone, &zone, &err) != DG_OK) {
        DiagItem *it = diag_report(plan->diag, E0303, attribute_at(s->instance, "timezone", s->at),
                                   "%s", err.message);
        if (err.hint[0])
            diag_help(it, "%s", err.hint);
    }
    s->job = map_get(jobs, s->target);
    if (s->job)
        return;
    Chosen to = {&s->assets.items, &s->assets.count, &s->assets.capacity,
                 &s->checks.items, &s->checks.count, &s->checks.capacity, incomplete};
    resolve_selection(plan, s->target.len ? s->target : S("*"), s->at, s->instance, "target", to);
}

/* The warehouse's file is called as the project, and DuckDB's catalog as the file: `a.b` could then be table b of
 * schema a, or of the catalog. */
static void check_schemas(Plan *plan)
{
    for (size_t i = 0; i < plan->assets.count; i++) {
        const Asset *asset = plan->assets.items[i];
        if (!asset->step || asset->step->ops->no_warehouse || !str_eq_nocase(asset->schema, plan->name))
            continue;
        DiagItem *it = diag_report(plan->diag, E0204, asset->at, "schema `%.*s` of asset `%.*s` has the project's name, and DuckDB cannot tell them apart",
                                   FMT(asset->schema), FMT(asset->key));
        diag_help(it, "give the project another `name` in dgc.yaml, or the asset another first part");
        return; /* once */
    }
}

void pass_check(Plan *plan)
{
    check_schemas(plan);
    bool incomplete = diag_failed(plan->diag);
    plan->select_nodes = NULL;
    Map jobs = {0};
    for (size_t i = 0; i < plan->jobs.count; i++) {
        Job *job = plan->jobs.items[i];
        job->index = (int)i;
        check_job(plan, job, incomplete);
        map_put(plan->arena, &jobs, job->name, job);
    }
    for (size_t i = 0; i < plan->schedules.count; i++) {
        plan->schedules.items[i]->index = (int)i;
        check_schedule(plan, &jobs, plan->schedules.items[i], incomplete);
    }
}
