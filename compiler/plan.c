/* plan.c - lookups and small constructors of the plan. */
#include "compiler/plan.h"

#include "compiler/compile.h"

Asset *plan_asset(const Plan *p, Str key)
{
    return map_get(&p->asset_by_key, key);
}

Check *plan_check(const Plan *p, const DgPair *name)
{
    for (size_t i = 0; i < p->checks.count; i++)
        if (str_eq(p->checks.items[i]->name, name->value) && str_eq(p->checks.items[i]->asset_key, name->key))
            return p->checks.items[i];
    return NULL;
}

/* One rule, the runtime's: declared in runtime/db/warehouse.h, which the compiler stays off. */
void dg_asset_table(Arena *a, Str asset_key, Str *schema, Str *table);

void plan_set_table(Plan *p, Asset *asset)
{
    dg_asset_table(p->arena, asset->key, &asset->schema, &asset->table);
}

Asset *plan_asset_or_stub(Plan *p, Str key, Span at)
{
    Asset *asset = plan_asset(p, key);
    if (asset)
        return asset;
    asset = push(p->arena, Asset, 1);
    asset->key = str_copy(p->arena, key);
    asset->group = S("default");
    asset->stub = true;
    asset->automation.kind = asset->freshness.kind = DG_V_NONE;
    plan_set_table(p, asset);
    asset->at = at;
    array_add(p->arena, &p->assets, asset);
    map_put(p->arena, &p->asset_by_key, asset->key, asset);
    return asset;
}

void plan_add_dep(Plan *p, Asset *asset, Str key)
{
    for (size_t i = 0; i < asset->dep_keys.count; i++)
        if (str_eq(asset->dep_keys.items[i], key))
            return;
    array_add(p->arena, &asset->dep_keys, key);
}

Span plan_source(const Instance *instance)
{
    return instance && instance->document ? instance->document->at : (Span){0};
}
