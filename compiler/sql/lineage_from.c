/* lineage_from.c - the tables of a FROM clause, with the columns that they bring. */
#include "compiler/sql/lineage.h"

static const FromTable *find_cte(const Query *q, Str name)
{
    for (; q; q = q->outer)
        for (size_t i = q->ctes.count; i-- > 0;)
            if (str_eq_nocase(q->ctes.items[i].name, name))
                return &q->ctes.items[i];
    return NULL;
}

static OutColumns asset_columns(Lineage *l, const Asset *asset)
{
    OutColumns out = {0};
    for (size_t i = 0; i < asset->columns.count; i++) {
        OutColumn c = {.name = asset->columns.items[i].column.name};
        lineage_add(l, &c, (Source){asset, (int32_t)i});
        lineage_column(l, &out, c);
    }
    return out;
}

static OutColumns copy_columns(Lineage *l, const OutColumns *from)
{
    OutColumns out = {0};
    for (size_t i = 0; i < from->items.count; i++) {
        OutColumn c = {.name = from->items.items[i].name};
        lineage_merge(l, &c, &from->items.items[i]);
        lineage_column(l, &out, c);
    }
    return out;
}

/* `as t(a, b)` */
static void rename_columns(Lineage *l, FromTable *t, const cJSON *table)
{
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(table, "column_name_alias");
    size_t i = 0;
    for (const cJSON *x = names ? names->child : NULL; x; x = x->next, i++)
        if (cJSON_IsString(x) && i < t->columns.items.count)
            t->columns.items.items[i].name = str_copy(l->arena, str_from(x->valuestring));
}

static void add_table(Lineage *l, Query *q, FromTable t, const cJSON *table)
{
    Str alias = lineage_text(l, table, "alias");
    if (alias.len)
        t.name = alias;
    rename_columns(l, &t, table);
    array_add(l->arena, &q->from, t);
}

static void base_table(Lineage *l, Query *q, const cJSON *table)
{
    FromTable t = {.schema = lineage_text(l, table, "schema_name"),
                   .name = lineage_text(l, table, "table_name")};
    const FromTable *cte = t.schema.len ? NULL : find_cte(q, t.name);
    const Asset *asset = cte ? NULL : sql_find_table(l->plan, t.schema, t.name);
    if (cte) {
        t.columns = copy_columns(l, &cte->columns);
        t.open = cte->open;
    } else if (asset && asset->columns_known) {
        t.columns = asset_columns(l, asset);
    } else {
        t.open = true;
    }
    add_table(l, q, t, table);
}

static bool has_column(const FromTable *t, Str name)
{
    for (size_t i = 0; i < t->columns.items.count; i++)
        if (str_eq_nocase(t->columns.items.items[i].name, name))
            return true;
    return false;
}

/* Columns that the tables before `right` and those from it on have in common. */
static void natural(Lineage *l, Query *q, size_t left, size_t right)
{
    for (size_t i = left; i < right; i++)
        for (size_t k = 0; k < q->from.items[i].columns.items.count; k++) {
            Str name = q->from.items[i].columns.items.items[k].name;
            for (size_t j = right; j < q->from.count; j++)
                if (has_column(&q->from.items[j], name))
                    array_add(l->arena, &q->merged, name);
        }
}

static void join(Lineage *l, Query *q, const cJSON *table)
{
    size_t left = q->from.count;
    lineage_from(l, q, cJSON_GetObjectItemCaseSensitive(table, "left"));
    size_t right = q->from.count;
    lineage_from(l, q, cJSON_GetObjectItemCaseSensitive(table, "right"));
    bool half = lineage_is(table, "join_type", "SEMI") || lineage_is(table, "join_type", "ANTI");
    if (half && q->from.count > right) { /* the right side only decides */
        q->from.count = right;
        return;
    }
    if (lineage_is(table, "ref_type", "NATURAL"))
        natural(l, q, left, right);
    const cJSON *using = cJSON_GetObjectItemCaseSensitive(table, "using_columns");
    for (const cJSON *x = using ? using->child : NULL; x; x = x->next)
        if (cJSON_IsString(x))
            array_add(l->arena, &q->merged, str_copy(l->arena, str_from(x->valuestring)));
}

static void subquery(Lineage *l, Query *q, const cJSON *table)
{
    const cJSON *query = cJSON_GetObjectItemCaseSensitive(table, "subquery");
    FromTable t = {.name = S("unnamed_subquery")};
    t.columns = lineage_query(l, q, cJSON_GetObjectItemCaseSensitive(query, "node"));
    add_table(l, q, t, table);
}

/* VALUES: no column of an asset feeds them; their names are col0, col1... */
static void values(Lineage *l, Query *q, const cJSON *table)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(table, "values");
    const cJSON *row = rows ? rows->child : NULL;
    FromTable t = {.name = S("valueslist")};
    size_t n = 0;
    for (const cJSON *x = row ? row->child : NULL; x; x = x->next, n++)
        lineage_column(l, &t.columns, (OutColumn){.name = str_format(l->arena, "col%zu", n)});
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(table, "expected_names");
    n = 0;
    for (const cJSON *x = names ? names->child : NULL; x; x = x->next, n++)
        if (cJSON_IsString(x) && n < t.columns.items.count)
            t.columns.items.items[n].name = str_copy(l->arena, str_from(x->valuestring));
    add_table(l, q, t, table);
}

/* unnest(x) as u(a), range(3): each named column is fed by the arguments. */
static void table_function(Lineage *l, Query *q, const cJSON *table)
{
    const cJSON *function = cJSON_GetObjectItemCaseSensitive(table, "function");
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(table, "column_name_alias");
    FromTable t = {.name = lineage_text(l, function, "function_name")};
    OutColumn fed = {0};
    lineage_expression(l, q, cJSON_GetObjectItemCaseSensitive(function, "children"), &fed);
    for (const cJSON *x = names ? names->child : NULL; x; x = x->next) {
        OutColumn c = {.name = cJSON_IsString(x) ? str_copy(l->arena, str_from(x->valuestring))
                                                 : (Str){0}};
        lineage_merge(l, &c, &fed);
        lineage_column(l, &t.columns, c);
    }
    t.open = !t.columns.items.count;
    if (t.open) { /* a single column is called like the function, or its alias */
        fed.name = lineage_text(l, table, "alias");
        if (!fed.name.len)
            fed.name = t.name;
        lineage_column(l, &t.columns, fed);
    }
    add_table(l, q, t, table);
}

void lineage_from(Lineage *l, Query *q, const cJSON *table)
{
    if (!table || l->lost || lineage_is(table, "type", "EMPTY"))
        return;
    if (lineage_is(table, "type", "BASE_TABLE"))
        base_table(l, q, table);
    else if (lineage_is(table, "type", "JOIN"))
        join(l, q, table);
    else if (lineage_is(table, "type", "SUBQUERY"))
        subquery(l, q, table);
    else if (lineage_is(table, "type", "EXPRESSION_LIST"))
        values(l, q, table);
    else if (lineage_is(table, "type", "TABLE_FUNCTION"))
        table_function(l, q, table);
    else
        l->lost = true; /* PIVOT and others */
}
