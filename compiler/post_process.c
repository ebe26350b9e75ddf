/* post_process.c - `post_processing` of component files, applied to the assets they cover.
 *
 * A document covers the assets of its own component; one of a DefsFolderComponent covers every
 * component in and below its folder. Own documents go first, then enclosing folders outwards; in
 * one file, in list order. Targets are selections among the covered assets alone. Attributes are
 * evaluated once for each asset, with `asset` in scope. */
#include <stdlib.h>

#include "compiler/pass.h"
#include "compiler/spec.h"
#include "compiler/template.h"
#include "compiler/translation.h"
#include "runtime/base/select.h"

typedef struct Rule { /* one entry of post_processing.assets, as written */
    Str target;
    int32_t operation; /* index into operations */
    DgValue attributes;
} Rule;
static const char *const operations[] = {"merge", "replace", NULL};

static const DgField rule_fields[] = {
    DG_FIELD_SELECTION(Rule, target, .flags = DG_BUILD, .fallback = "\"*\"",
                       .doc = "Which assets, of those this file covers."),
    DG_FIELD_ENUM(Rule, operation, .flags = DG_BUILD, .fallback = "merge", .choices = operations,
                  .doc = "`merge` keeps tags and metadata that are there."),
    DG_FIELD_ANY(Rule, attributes, .flags = DG_NO_TEMPLATE,
                 .doc = "What the assets get."),
    {0},
};
typedef struct Rules {
    DgList assets;
} Rules;
static const DgField rules_fields[] = {
    DG_FIELD_STRUCTS(Rules, assets, Rule, rule_fields, .flags = DG_BUILD,
                     .doc = "Rules, applied in order."),
    {0},
};

typedef struct Covered {
    Asset **items;
    size_t count;
} Covered;

/* ---- Which assets ---- */

static const SelectGraph *covered_graph(Arena *arena, const Plan *plan, const Covered *covered)
{
    Map slots = {0};
    int32_t *index = push(arena, int32_t, covered->count + 1);
    for (size_t i = 0; i < covered->count; i++) {
        index[i] = (int32_t)i;
        map_put(arena, &slots, covered->items[i]->key, &index[i]);
    }
    SelectNode *nodes = push(arena, SelectNode, covered->count + 1);
    for (size_t i = 0; i < covered->count; i++) {
        const Asset *a = covered->items[i];
        int32_t *deps = push(arena, int32_t, a->dep_keys.count + 1), count = 0;
        for (size_t j = 0; j < a->dep_keys.count; j++) {
            const int32_t *dep = map_get(&slots, a->dep_keys.items[j]);
            if (dep)
                deps[count++] = *dep;
        }
        nodes[i] = (SelectNode){
            .key = a->key, .group = a->group, .kinds = a->kinds.items,
            .kinds_count = (int32_t)a->kinds.count, .owners = a->owners.items,
            .owners_count = (int32_t)a->owners.count,
            .tags = (const struct SelectTag *)(const void *)a->tags.items,
            .tags_count = (int32_t)a->tags.count, .deps = deps, .deps_count = count,
        };
    }
    SelectGraph *graph = push(arena, SelectGraph, 1);
    *graph = (SelectGraph){nodes, (int32_t)covered->count, true};
    return graph;
}

static bool choose(Plan *plan, const Covered *covered, const Config *config, const Rule *rule,
                   Span at, bool *chosen)
{
    Str target = rule->target.len ? rule->target : S("*");
    if (str_eq(target, S("*"))) {
        memset(chosen, 1, covered->count);
        return true;
    }
    const ConfigPlace *place = config_place(config, &rule->target);
    SelectError err = {.offset = -1};
    const YamlNode *node = place ? place->node : NULL;
    if (select_assets(plan->arena, covered_graph(plan->arena, plan, covered), target, chosen,
                      &err)) {
        bool any = false;
        for (size_t i = 0; i < covered->count; i++)
            any |= chosen[i];
        if (!any)
            diag_report(plan->diag, W0305, node ? node->at : at,
                        "`%.*s` matches no asset that this file covers", FMT(target));
        return any;
    }
    plan_report_selection(plan, node ? node->at : at,
                          node && str_eq(node->text, target) ? node : NULL, &err);
    return false;
}

/* ---- What they get ---- */

static void apply_to(Plan *plan, Asset *asset, const Rule *rule, YamlNode *attributes,
                     const Scope *names, Span at)
{
    DgEval ev;
    dg_eval_init(&ev, plan->arena);
    Scope *scope = scope_new(plan->arena, names);
    scope_value(scope, S("asset"), asset_record(&ev, asset));
    dg_eval_free(&ev);
    ConfigTarget target = {S("post_processing attributes"), dg_asset_post_fields,
                           sizeof(DgAssetSpec), 0};
    Config config = config_fill(plan->arena, plan->diag, scope, &target, attributes, at);
    if (!config.ok)
        return;
    SpecContext c = {plan, &config, scope, at};
    spec_apply(&c, asset, config.data, rule->operation == 1 ? SPEC_REPLACE : SPEC_MERGE);
}

static void apply_rules(Plan *plan, const Instance *instance, const Covered *covered)
{
    YamlNode *node = yaml_get(instance->document, S("post_processing"));
    if (!node || node->kind == YAML_NULL || node->kind == YAML_ERROR)
        return;
    ConfigTarget target = {S("post_processing"), rules_fields, sizeof(Rules), 0};
    Config config = config_fill(plan->arena, plan->diag, instance->names, &target, node, node->at);
    const Rules *rules = config.data;
    YamlNode *list = yaml_get(node, S("assets"));
    if (!config.ok || !list || list->kind != YAML_LIST)
        return;
    bool *chosen = push(plan->arena, bool, covered->count + 1);
    for (size_t i = 0; i < rules->assets.count && i < list->as.list.count; i++) {
        const Rule *rule = &DG_ITEMS(Rule, rules->assets)[i];
        YamlNode *entry = list->as.list.items[i];
        YamlNode *attributes = yaml_get(entry, S("attributes"));
        if (!attributes) {
            diag_help(diag_report(plan->diag, E0106, entry->at, "`attributes` is missing"),
                      "say what the assets get, for example `attributes: {group_name: raw}`");
            continue;
        }
        memset(chosen, 0, covered->count);
        if (!choose(plan, covered, &config, rule, entry->at, chosen))
            continue;
        for (size_t k = 0; k < covered->count; k++)
            if (chosen[k])
                apply_to(plan, covered->items[k], rule, attributes, instance->names,
                         attributes->at);
    }
}

/* ---- Who covers what ---- */

static bool is_folder(const Instance *instance)
{
    return str_eq(str_from(instance->component->name), S("dagster.DefsFolderComponent"));
}

static bool in_folder(Str folder, Str of_asset)
{
    return !folder.len || (str_starts(of_asset, folder) &&
                           (of_asset.len == folder.len || of_asset.ptr[folder.len] == '/'));
}

static int folder_depth(Str folder)
{
    int depth = folder.len > 0;
    for (ptrdiff_t i = 0; i < folder.len; i++)
        depth += folder.ptr[i] == '/';
    return depth;
}

static int deepest_first(const void *a, const void *b)
{
    const Instance *x = *(const Instance *const *)a, *y = *(const Instance *const *)b;
    int dx = folder_depth(x->folder), dy = folder_depth(y->folder);
    return dx != dy ? dy - dx : str_cmp(x->id, y->id);
}

void pass_post_process(Plan *plan, Instance *const *instances, size_t count)
{
    Array(const Instance *) folders = {0};
    Map own = {0}; /* instance id -> its assets, in order of declaration */
    typedef Array(Asset *) Assets;
    for (size_t i = 0; i < plan->assets.count; i++) {
        Asset *asset = plan->assets.items[i];
        if (!asset->instance)
            continue;
        Assets *assets = map_get(&own, asset->instance->id);
        if (!assets)
            map_put(plan->arena, &own, asset->instance->id, assets = push(plan->arena, Assets, 1));
        array_add(plan->arena, assets, asset);
    }
    for (size_t i = 0; i < count; i++) {
        const Instance *instance = instances[i];
        if (!yaml_get(instance->document, S("post_processing")))
            continue;
        if (is_folder(instance)) {
            array_add(plan->arena, &folders, instance);
            continue;
        }
        const Assets *assets = map_get(&own, instance->id);
        Covered covered = {assets ? assets->items : NULL, assets ? assets->count : 0};
        apply_rules(plan, instance, &covered);
    }
    if (folders.count > 1)
        qsort(folders.items, folders.count, sizeof(Instance *), deepest_first);
    for (size_t i = 0; i < folders.count; i++) {
        Assets assets = {0};
        for (size_t k = 0; k < plan->assets.count; k++) {
            Asset *asset = plan->assets.items[k];
            if (asset->instance && in_folder(folders.items[i]->folder, asset->instance->folder))
                array_add(plan->arena, &assets, asset);
        }
        Covered covered = {assets.items, assets.count};
        apply_rules(plan, folders.items[i], &covered);
    }
}
