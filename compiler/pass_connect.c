/* pass_connect.c - names become assets.
 *
 * Afterwards every asset and check knows its neighbours, lists are sorted and indices stand. May be
 * called again: after pruning, indices are given anew. */
#include <stdlib.h>

#include "compiler/pass.h"
#include "compiler/sql/sql.h"

static int by_key(const void *a, const void *b)
{
    return str_cmp((*(Asset *const *)a)->key, (*(Asset *const *)b)->key);
}

static int by_index(const void *a, const void *b)
{
    int x = (*(Asset *const *)a)->index, y = (*(Asset *const *)b)->index;
    return x < y ? -1 : x > y;
}

static int by_asset_and_name(const void *a, const void *b)
{
    const Check *x = *(Check *const *)a, *y = *(Check *const *)b;
    int order = str_cmp(x->asset_key, y->asset_key);
    return order ? order : str_cmp(x->name, y->name);
}

/* Sorted by index, each once. */
static size_t settle(Asset **items, size_t count)
{
    if (count > 1)
        qsort(items, count, sizeof *items, by_index);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!kept || items[kept - 1] != items[i])
            items[kept++] = items[i];
    return kept;
}

/* Dagster knows assets that other assets are made from; what only a check reads is our own. */
static void name_unlisted(Plan *plan, Str key, Span at)
{
    if (!plan_asset(plan, key))
        plan_asset_or_stub(plan, key, at)->unlisted = true;
}

/* Every name that is used exists from here on. */
static void name_stubs(Plan *plan)
{
    size_t declared = plan->assets.count;
    for (size_t i = 0; i < declared; i++) {
        const Asset *asset = plan->assets.items[i];
        for (size_t j = 0; j < asset->dep_keys.count; j++)
            plan_asset_or_stub(plan, asset->dep_keys.items[j], asset->at);
    }
    for (size_t i = 0; i < plan->checks.count; i++)
        plan_asset_or_stub(plan, plan->checks.items[i]->asset_key, plan->checks.items[i]->at);
    for (size_t i = 0; i < plan->checks.count; i++) {
        const Check *check = plan->checks.items[i];
        for (size_t j = 0; j < check->dep_keys.count; j++)
            name_unlisted(plan, check->dep_keys.items[j], check->at);
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.items[i];
        for (size_t j = 0; j < step->read_keys.count; j++)
            name_unlisted(plan, step->read_keys.items[j], step->at);
    }
}

/* A check's SQL may name other assets than the one it judges: it waits for them. */
static void read_what_checks_name(Plan *plan, Step *step)
{
    for (size_t i = 0; i < step->code.count; i++) {
        const CodeUnit *code = step->code.items[i].unit;
        const SqlUnit *unit = code->kind == CODE_TEMPLATE && code->as.sql->decl.is_check ? code->as.sql : NULL;
        for (size_t k = 0; unit && k < unit->refs.count; k++)
            if (unit->refs.items[k]->step != step)
                array_add(plan->arena, &step->reads, unit->refs.items[k]);
    }
}

static void connect_steps(Plan *plan)
{
    Arena *arena = plan->arena;
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.items[i];
        step->reads.count = 0;
        for (size_t j = 0; j < step->assets.count; j++) {
            const Asset *made = step->assets.items[j];
            for (size_t k = 0; k < made->deps.count; k++)
                if (made->deps.items[k]->step != step)
                    array_add(arena, &step->reads, made->deps.items[k]);
        }
        for (size_t j = 0; j < step->checks.count; j++) {
            const Check *check = step->checks.items[j];
            if (check->asset->step != step)
                array_add(arena, &step->reads, check->asset);
            for (size_t k = 0; k < check->deps.count; k++)
                if (check->deps.items[k]->step != step)
                    array_add(arena, &step->reads, check->deps.items[k]);
        }
        for (size_t j = 0; j < step->read_keys.count; j++) {
            Asset *read = plan_asset(plan, step->read_keys.items[j]);
            if (read && read->step != step)
                array_add(arena, &step->reads, read);
        }
        read_what_checks_name(plan, step);
        step->around.count = 0;
        for (size_t j = 0; j < step->before_keys.count + step->after_keys.count; j++) {
            size_t n = step->before_keys.count;
            const Str key = j < n ? step->before_keys.items[j] : step->after_keys.items[j - n];
            Asset *asset = plan_asset(plan, key);
            if (asset && asset->step)
                array_add(arena, &step->around, asset);
        }
        step->around.count = settle(step->around.items, step->around.count);
        step->reads.count = settle(step->reads.items, step->reads.count);
        step->assets.count = settle(step->assets.items, step->assets.count);
    }
}

void pass_connect(Plan *plan)
{
    Arena *arena = plan->arena;
    name_stubs(plan);
    if (plan->assets.count)
        qsort(plan->assets.items, plan->assets.count, sizeof(Asset *), by_key);
    for (size_t i = 0; i < plan->assets.count; i++) {
        plan->assets.items[i]->index = (int)i;
        plan->assets.items[i]->checks.count = 0;
    }
    for (size_t i = 0; i < plan->assets.count; i++) {
        Asset *asset = plan->assets.items[i];
        asset->deps.count = 0;
        for (size_t j = 0; j < asset->dep_keys.count; j++) {
            Asset *dep = plan_asset(plan, asset->dep_keys.items[j]);
            if (dep)
                array_add(arena, &asset->deps, dep);
        }
        asset->deps.count = settle(asset->deps.items, asset->deps.count);
    }
    if (plan->checks.count)
        qsort(plan->checks.items, plan->checks.count, sizeof(Check *), by_asset_and_name);
    for (size_t i = 0; i < plan->checks.count; i++) {
        Check *check = plan->checks.items[i];
        check->index = (int)i;
        check->asset = plan_asset(plan, check->asset_key);
        array_add(arena, &check->asset->checks, check);
        check->deps.count = 0;
        for (size_t j = 0; j < check->dep_keys.count; j++)
            array_add(arena, &check->deps, plan_asset(plan, check->dep_keys.items[j]));
        check->deps.count = settle(check->deps.items, check->deps.count);
    }
    connect_steps(plan);
}
