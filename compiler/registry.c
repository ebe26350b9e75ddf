/* registry.c - the list of components, generated from the directory, and look-ups in it. */
#include "compiler/registry.h"

#include <stdlib.h>

#include "component_list.h"

enum { USER_MAX = 256 };

static const DgComponent *all[
#define X(name) +1
    DG_COMPONENT_LIST(X)
#undef X
    + USER_MAX + 1];
static size_t all_count;
static const DgComponent *added[USER_MAX]; /* the project's own */
static size_t added_count;

static int by_name(const void *a, const void *b)
{
    const DgComponent *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void fill(void)
{
    if (all_count)
        return;
#define X(name) all[all_count++] = &dg_component_##name;
    DG_COMPONENT_LIST(X)
#undef X
    qsort(all, all_count, sizeof *all, by_name);
}

size_t registry_count(void)
{
    fill();
    return all_count;
}

const DgComponent *registry_at(size_t i)
{
    fill();
    assert(i < all_count);
    return all[i];
}

const DgComponent *registry_find(Str name, bool *alias)
{
    fill();
    for (size_t i = 0; i < all_count; i++) {
        if (str_eq(str_from(all[i]->name), name)) {
            if (alias)
                *alias = false;
            return all[i];
        }
    }
    for (size_t i = 0; i < all_count; i++) {
        for (const char *const *a = all[i]->aliases; a && *a; a++) {
            if (str_eq(str_from(*a), name)) {
                if (alias)
                    *alias = true;
                return all[i];
            }
        }
    }
    return NULL;
}

void registry_forget_added(void)
{
    size_t kept = 0;
    for (size_t i = 0; i < all_count; i++) {
        bool own = true;
        for (size_t k = 0; k < added_count; k++)
            own = own && all[i] != added[k];
        if (own)
            all[kept++] = all[i];
    }
    all_count = kept;
    added_count = 0;
}

bool registry_add(const DgComponent *c)
{
    fill();
    if (registry_find(str_from(c->name), NULL) ||
        added_count == USER_MAX)
        return false;
    all[all_count++] = c;
    added[added_count++] = c;
    qsort(all, all_count, sizeof *all, by_name);
    return true;
}

/* Types of Dagster's libraries that people bring along, and where their work goes. */
static const struct { const char *prefix, *advice; } elsewhere[] = {
    {"dagster_dbt.", "a dbt project's models run as `dgc.SqlModels`: point `path` at its models folder"},
    {"dagster_dlt.", "dlt runs in Python; run it as a step with `dgc.Script`"},
    {"dagster_sling.", "Sling's replications are `dagster_sling.SlingReplicationCollectionComponent`, or written in place "
                       "`dgc.Replication`"},
    {"dagster_snowflake.", "this dgc speaks DuckDB; run the work on Snowflake as a step with `dgc.Script`"},
    {"dagster_databricks.", "this dgc speaks DuckDB; start the job as a step with `dgc.Script`"},
    {"dagster_k8s.", "start the pod as a step with `dgc.Script`"},
    {"dagster_components.", "`dagster_components` became `dagster`: see `dgc list components`"},
    {"dagster_", "this dgc does not have the type; run its work as a step with `dgc.Script`"},
    {".", "a class of the project's own Python runs only in Dagster; write it as a component in C "
          "(`dgc scaffold component`) or run it with `dgc.Script`"},
};

void registry_report_unknown(Diag *d, Span at, Str name)
{
    fill();
    DiagItem *it = diag_report(d, E0109, at, "there is no component type `%.*s`", FMT(name));
    Str names[sizeof all / sizeof *all];
    for (size_t i = 0; i < all_count; i++)
        names[i] = str_from(all[i]->name);
    if (diag_suggest(it, at, "type", name, names, all_count))
        return;
    for (size_t i = 0; i < all_count; i++) { /* `Files` for `dgc.Files` */
        Str full = names[i], last = str_sub(full, full.len - name.len, full.len);
        if (name.len && full.len > name.len && str_eq_nocase(last, name) &&
            full.ptr[full.len - name.len - 1] == '.') {
            diag_fix(it, FIX_MACHINE, at, full, "a type ends in it: `%.*s`", FMT(full));
            return;
        }
    }
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        if (str_starts(name, str_from(elsewhere[i].prefix))) {
            diag_help(it, "%s", elsewhere[i].advice);
            return;
        }
    }
    diag_help(it, "`dgc list components` shows the types there are");
}
