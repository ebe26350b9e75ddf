/* lineage.c - expressions and queries of a syntax tree, and the edges that come of them. */
#include "compiler/sql/lineage.h"

#include "runtime/db/warehouse.h"

enum { DEPTH_MAX = 200 };

/* ---- Small words ---- */

Str lineage_text(Lineage *l, const cJSON *object, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(v) ? str_copy(l->arena, str_from(v->valuestring)) : (Str){0};
}

bool lineage_is(const cJSON *object, const char *name, const char *value)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(v) && str_eq(str_from(v->valuestring), str_from(value));
}

void lineage_add(Lineage *l, OutColumn *to, Source s)
{
    for (size_t i = 0; i < to->from.count; i++)
        if (to->from.items[i].asset == s.asset && to->from.items[i].column == s.column)
            return;
    array_add(l->arena, &to->from, s);
}

void lineage_merge(Lineage *l, OutColumn *to, const OutColumn *from)
{
    for (size_t i = 0; i < from->from.count; i++)
        lineage_add(l, to, from->from.items[i]);
}

void lineage_column(Lineage *l, OutColumns *to, OutColumn column)
{
    array_add(l->arena, &to->items, column);
}

static const OutColumn *column_of(const OutColumns *columns, Str name)
{
    for (size_t i = 0; columns && i < columns->items.count; i++)
        if (str_eq_nocase(columns->items.items[i].name, name))
            return &columns->items.items[i];
    return NULL;
}

/* ---- Names ---- */

/* Every table of the query that has it: one, or both sides of USING. */
static bool find_bare(Lineage *l, const Query *q, Str name, OutColumn *out)
{
    bool found = false;
    for (size_t i = 0; i < q->from.count; i++) {
        const OutColumn *c = column_of(&q->from.items[i].columns, name);
        if (c)
            lineage_merge(l, out, c);
        found |= c != NULL;
    }
    const OutColumn *alias = found ? NULL : column_of(q->aliases, name);
    if (alias)
        lineage_merge(l, out, alias);
    return found || alias;
}

static bool find_qualified(Lineage *l, const Query *q, Str table, Str name, OutColumn *out)
{
    for (size_t i = 0; i < q->from.count; i++) {
        const FromTable *t = &q->from.items[i];
        if (!str_eq_nocase(t->name, table))
            continue;
        const OutColumn *c = column_of(&t->columns, name);
        if (c)
            lineage_merge(l, out, c);
        return true;
    }
    return false;
}

/* a, t.a, s.t.a, and a.field of a struct. Parameters of lambdas are found nowhere. */
static void column_ref(Lineage *l, const Query *q, const cJSON *e, OutColumn *out)
{
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(e, "column_names");
    Str part[3] = {{0}};
    int n = 0;
    for (const cJSON *x = names ? names->child : NULL; x && n < 3; x = x->next)
        if (cJSON_IsString(x))
            part[n++] = str_copy(l->arena, str_from(x->valuestring));
    for (; q && n; q = q->outer) {
        if (n >= 2 && find_qualified(l, q, part[0], part[1], out))
            return;
        if (n >= 3 && find_qualified(l, q, part[1], part[2], out))
            return;
        if (find_bare(l, q, part[0], out))
            return;
    }
}

/* ---- Expressions ---- */

static void subquery(Lineage *l, Query *q, const cJSON *e, OutColumn *out)
{
    const cJSON *query = cJSON_GetObjectItemCaseSensitive(e, "subquery");
    OutColumns columns = lineage_query(l, q, cJSON_GetObjectItemCaseSensitive(query, "node"));
    bool exists = lineage_is(e, "subquery_type", "EXISTS") ||
                  lineage_is(e, "subquery_type", "NOT_EXISTS");
    for (size_t i = 0; i < columns.items.count && !exists; i++)
        lineage_merge(l, out, &columns.items.items[i]);
    lineage_expression(l, q, cJSON_GetObjectItemCaseSensitive(e, "child"), out);
}

void lineage_expression(Lineage *l, Query *q, const cJSON *e, OutColumn *out)
{
    if (!e || l->lost || (!cJSON_IsObject(e) && !cJSON_IsArray(e)))
        return;
    if (++l->depth > DEPTH_MAX)
        l->lost = true;
    if (lineage_is(e, "class", "COLUMN_REF"))
        column_ref(l, q, e, out);
    else if (lineage_is(e, "class", "SUBQUERY"))
        subquery(l, q, e, out);
    else if (!lineage_is(e, "class", "CONSTANT") && !lineage_is(e, "class", "STAR"))
        for (const cJSON *x = e->child; x; x = x->next)
            lineage_expression(l, q, x, out);
    l->depth--;
}

/* ---- SELECT ---- */

static bool listed(const cJSON *list, Str name)
{
    for (const cJSON *x = list ? list->child : NULL; x; x = x->next) {
        const cJSON *key = cJSON_IsString(x) ? x : cJSON_GetObjectItemCaseSensitive(x, "column");
        if (!key)
            key = cJSON_GetObjectItemCaseSensitive(x, "key");
        if (cJSON_IsString(key) && str_eq_nocase(str_from(key->valuestring), name))
            return true;
    }
    return false;
}

static const cJSON *replacement(const cJSON *list, Str name)
{
    for (const cJSON *x = list ? list->child : NULL; x; x = x->next) {
        const cJSON *key = cJSON_GetObjectItemCaseSensitive(x, "key");
        if (cJSON_IsString(key) && str_eq_nocase(str_from(key->valuestring), name))
            return cJSON_GetObjectItemCaseSensitive(x, "value");
    }
    return NULL;
}

/* `* rename (a as b)` */
static Str renamed(Lineage *l, const cJSON *list, Str name)
{
    for (const cJSON *x = list ? list->child : NULL; x; x = x->next) {
        const cJSON *key = cJSON_GetObjectItemCaseSensitive(x, "key");
        const cJSON *column = cJSON_GetObjectItemCaseSensitive(key, "column");
        if (cJSON_IsString(column) && str_eq_nocase(str_from(column->valuestring), name))
            return lineage_text(l, x, "value");
    }
    return name;
}

static bool is_merged(const Query *q, Str name)
{
    for (size_t i = 0; i < q->merged.count; i++)
        if (str_eq_nocase(q->merged.items[i], name))
            return true;
    return false;
}

static void star_column(Lineage *l, Query *q, const cJSON *star, const OutColumn *c,
                        OutColumns *out)
{
    const cJSON *value = replacement(cJSON_GetObjectItemCaseSensitive(star, "replace_list"),
                                     c->name);
    OutColumn column = {.name = renamed(l, cJSON_GetObjectItemCaseSensitive(star, "rename_list"),
                                        c->name)};
    if (listed(cJSON_GetObjectItemCaseSensitive(star, "exclude_list"), c->name))
        return;
    if (value)
        lineage_expression(l, q, value, &column);
    else
        lineage_merge(l, &column, c);
    lineage_column(l, out, column);
}

static void star(Lineage *l, Query *q, const cJSON *e, OutColumns *out)
{
    Str only = lineage_text(l, e, "relation_name");
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(e, "columns");
    if (cJSON_IsTrue(columns))
        l->lost = true; /* COLUMNS(...) */
    for (size_t i = 0; i < q->from.count; i++) {
        const FromTable *t = &q->from.items[i];
        if (only.len && !str_eq_nocase(t->name, only))
            continue;
        l->lost |= t->open;
        for (size_t k = 0; k < t->columns.items.count; k++) {
            const OutColumn *c = &t->columns.items.items[k];
            OutColumn both = {.name = c->name};
            bool merged = !only.len && is_merged(q, c->name);
            if (merged && column_of(out, c->name))
                continue;
            if (merged)
                find_bare(l, q, c->name, &both);
            star_column(l, q, e, merged ? &both : c, out);
        }
    }
}

static Str last_name(Lineage *l, const cJSON *e)
{
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(e, "column_names");
    const cJSON *last = names ? names->child : NULL;
    while (last && last->next)
        last = last->next;
    return cJSON_IsString(last) ? str_copy(l->arena, str_from(last->valuestring)) : (Str){0};
}

static OutColumns select_node(Lineage *l, Query *q, const cJSON *node)
{
    OutColumns out = {0};
    lineage_from(l, q, cJSON_GetObjectItemCaseSensitive(node, "from_table"));
    q->aliases = &out;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(node, "select_list");
    for (const cJSON *e = list ? list->child : NULL; e && !l->lost; e = e->next) {
        if (lineage_is(e, "class", "STAR")) {
            star(l, q, e, &out);
            continue;
        }
        OutColumn column = {.name = lineage_text(l, e, "alias")};
        if (!column.name.len)
            column.name = last_name(l, e);
        lineage_expression(l, q, e, &column);
        lineage_column(l, &out, column);
    }
    return out;
}

/* ---- Queries ---- */

static void unite(Lineage *l, OutColumns *to, const OutColumns *from, bool by_name)
{
    for (size_t i = 0; i < from->items.count; i++) {
        const OutColumn *c = &from->items.items[i];
        OutColumn *same = by_name ? (OutColumn *)(uintptr_t)column_of(to, c->name)
                          : i < to->items.count ? &to->items.items[i] : NULL;
        if (same)
            lineage_merge(l, same, c);
        else
            lineage_column(l, to, *c);
    }
}

static OutColumns set_operation(Lineage *l, Query *q, const cJSON *node)
{
    bool by_name = lineage_is(node, "setop_type", "UNION_BY_NAME");
    bool except = lineage_is(node, "setop_type", "EXCEPT");
    const cJSON *children = cJSON_GetObjectItemCaseSensitive(node, "children");
    if (children) {
        OutColumns out = lineage_query(l, q, children->child);
        for (const cJSON *x = children->child ? children->child->next : NULL; x; x = x->next) {
            OutColumns more = lineage_query(l, q, x);
            if (!except)
                unite(l, &out, &more, by_name);
        }
        return out;
    }
    OutColumns out = lineage_query(l, q, cJSON_GetObjectItemCaseSensitive(node, "left"));
    OutColumns right = lineage_query(l, q, cJSON_GetObjectItemCaseSensitive(node, "right"));
    if (!except)
        unite(l, &out, &right, by_name);
    return out;
}

static void rename_columns(Lineage *l, OutColumns *columns, const cJSON *names)
{
    size_t i = 0;
    for (const cJSON *x = names ? names->child : NULL; x; x = x->next, i++)
        if (cJSON_IsString(x) && i < columns->items.count)
            columns->items.items[i].name = str_copy(l->arena, str_from(x->valuestring));
}

static void add_cte(Lineage *l, Query *q, Str name, const cJSON *info)
{
    const cJSON *query = cJSON_GetObjectItemCaseSensitive(info, "query");
    FromTable t = {.name = name};
    t.columns = lineage_query(l, q, cJSON_GetObjectItemCaseSensitive(query, "node"));
    rename_columns(l, &t.columns, cJSON_GetObjectItemCaseSensitive(info, "aliases"));
    array_add(l->arena, &q->ctes, t);
}

/* A recursive CTE's first part gives the columns; its second sees them under its name. */
static OutColumns recursive(Lineage *l, Query *q, const cJSON *node)
{
    FromTable self = {.name = lineage_text(l, node, "cte_name")};
    if (!self.name.len)
        self.name = lineage_text(l, node, "ctename");
    OutColumns out = lineage_query(l, q, cJSON_GetObjectItemCaseSensitive(node, "left"));
    rename_columns(l, &out, cJSON_GetObjectItemCaseSensitive(node, "aliases"));
    self.columns = out;
    array_add(l->arena, &q->ctes, self);
    OutColumns right = lineage_query(l, q, cJSON_GetObjectItemCaseSensitive(node, "right"));
    unite(l, &out, &right, false);
    return out;
}

OutColumns lineage_query(Lineage *l, Query *outer, const cJSON *node)
{
    Query *q = push(l->arena, Query, 1);
    OutColumns out = {0};
    q->outer = outer;
    if (!node || ++l->depth > DEPTH_MAX)
        l->lost = true;
    if (l->lost)
        return out;
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(node, "cte_map");
    const cJSON *ctes = cJSON_GetObjectItemCaseSensitive(map, "map");
    for (const cJSON *x = ctes ? ctes->child : NULL; x; x = x->next)
        add_cte(l, q, lineage_text(l, x, "key"), cJSON_GetObjectItemCaseSensitive(x, "value"));
    if (lineage_is(node, "type", "SELECT_NODE"))
        out = select_node(l, q, node);
    else if (lineage_is(node, "type", "SET_OPERATION_NODE"))
        out = set_operation(l, q, node);
    else if (lineage_is(node, "type", "RECURSIVE_CTE_NODE"))
        out = recursive(l, q, node);
    else
        l->lost = true;
    l->depth--;
    return out;
}

/* ---- From syntax trees to the plan ---- */

static void take_edges(Plan *plan, Asset *asset, const OutColumns *columns)
{
    if (columns->items.count != asset->columns.count)
        return; /* something escaped us: rather nothing than something wrong */
    asset->lineage.count = 0;
    for (size_t i = 0; i < columns->items.count; i++) {
        const OutColumn *c = &columns->items.items[i];
        for (size_t k = 0; k < c->from.count; k++) {
            LineageEdge edge = {(int32_t)i, c->from.items[k].asset, c->from.items[k].column};
            array_add(plan->arena, &asset->lineage, edge);
        }
    }
}

void sql_lineage_of(Plan *plan, Asset *asset, Str tree)
{
    cJSON *json = cJSON_ParseWithLength(tree.ptr ? tree.ptr : "", (size_t)tree.len);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "statements");
    Lineage l = {.plan = plan, .arena = plan->arena};
    if (list && list->child) {
        OutColumns columns = lineage_query(&l, NULL,
                                           cJSON_GetObjectItemCaseSensitive(list->child, "node"));
        if (!l.lost)
            take_edges(plan, asset, &columns);
    }
    cJSON_Delete(json);
}

static void read_tree(Plan *plan, DgSession *session, const SqlUnit *unit)
{
    DgError err = {0};
    Str tree, quoted = dg_duckdb_text(plan->arena, unit->text);
    Str sql = str_format(plan->arena, "SELECT json_serialize_sql(%.*s, skip_null := true, "
                         "skip_empty := true)", FMT(quoted));
    if (dg_session_text(session, plan->arena, sql, &tree, &err) == DG_OK)
        sql_lineage_of(plan, unit->asset, tree);
}

void sql_units_lineage(Plan *plan)
{
    DgError err = {0};
    DgWarehouse *warehouse = NULL;
    DgSession *session = NULL;
    DgWarehouseOptions options = {.threads = 1};
    for (size_t i = 0; i < plan->sql.count; i++) {
        const SqlUnit *unit = plan->sql.items[i];
        if (!unit->judged || unit->failed || unit->decl.is_check || !unit->asset ||
            !unit->asset->columns_known)
            continue;
        if (!session && (dg_warehouse_open(&options, &warehouse, &err) != DG_OK ||
                         dg_session_open(warehouse, &session, &err) != DG_OK))
            break;
        read_tree(plan, session, unit);
    }
    if (session)
        dg_session_close(session);
    dg_warehouse_close(warehouse);
}
