/* load_nested.c - tables of the lists in the rows' JSON, loaded in the transaction of their parent.
 *
 * `T__items` goes where T goes: replaced with it, emptied with it, appended with it. Where rows are merged,
 * a row that is written anew loses its old list elements and gets the new ones; `_dgc_row` tells which of
 * several rows with one key has won. `_dgc_nested` remembers which tables and columns came of a table's
 * JSON, so that those of which today's rows have nothing are emptied too.
 */
#include "runtime/base/sha256.h"
#include "runtime/load/load_internal.h"
#include "runtime/load/nested.h"
#include "runtime/os/os.h"

typedef struct LoadChild {
    Load load;
    DgLoadSpec spec;
    DgLoadCounts counts;
    DgRows *rows;
    int32_t table;       /* of the Nested; -1: today's rows have nothing of it */
    bool left_out;       /* the contract has no room for it */
} LoadChild;

struct LoadNested {
    NestedSpec spec;
    Nested *rows;
    DgRows *root;
    LoadChild *children;
    int32_t count;
    StrArray tables, columns; /* known from earlier loads */
};

static bool listed(const StrArray *names, Str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq_nocase(names->items[i], name))
            return true;
    return false;
}

/* ---- _dgc_nested ---- */

static DgStatus make_known(Load *l, DgError *err)
{
    static const struct { const char *name; int64_t size; } columns[] = {{"table_name", 200}, {"kind", 10}, {"name", 200}};
    buf_add(&l->sql, S("CREATE TABLE IF NOT EXISTS "));
    state_table(&l->sql, l->d, l->spec->table, "_dgc_nested");
    for (size_t i = 0; i < 3; i++) {
        buf_add(&l->sql, i ? S(", ") : S(" ("));
        sql_name(&l->sql, l->d, str_from(columns[i].name));
        buf_char(&l->sql, ' ');
        l->d->type(&l->sql, (DgType){DG_TEXT, 0, 0}, columns[i].size);
        buf_add(&l->sql, S(" NOT NULL"));
    }
    buf_char(&l->sql, ')');
    return load_exec(l, NULL, err);
}

static DgStatus read_names(DgRows *rows, Arena *a, StrArray *tables, StrArray *columns, DgError *err)
{
    DgBatch b;
    DgStatus status = DG_OK;
    if (rows->columns_count != 2 || rows->columns[0].type.kind != DG_TEXT || rows->columns[1].type.kind != DG_TEXT)
        return dg_fail(err, DG_DATA, "table `_dgc_nested` is not as this program makes it");
    DG_TRY(dg_batch_init(&b, rows->columns, rows->columns_count, DG_BATCH_ROWS, err));
    while (status == DG_OK) {
        status = rows->next(rows, &b, err);
        for (int32_t i = 0; i < b.rows && (status == DG_OK || status == DG_END); i++) {
            Str name = str_copy(a, dg_text_get(&b.vectors[1], i));
            if (str_eq(dg_text_get(&b.vectors[0], i), S("table")))
                array_add(a, tables, name);
            else
                array_add(a, columns, name);
        }
    }
    dg_batch_release(&b);
    return status == DG_END ? DG_OK : status;
}

/* DG_END: there is no such table. */
static DgStatus find_known(Load *l, StrArray *tables, StrArray *columns, DgError *err)
{
    DgTableInfo info;
    DgRows *rows;
    StrBuf b = {.max = 64 << 10};
    DG_TRY(l->engine->describe(l->db, &l->arena, (DgTableName){l->spec->table.schema, S("_dgc_nested")}, &info, err));
    buf_add(&b, S("SELECT kind, name FROM "));
    state_table(&b, l->d, l->spec->table, "_dgc_nested");
    buf_add(&b, S(" WHERE table_name = "));
    l->d->text(&b, l->spec->table.table);
    DgStatus status = l->engine->query(l->db, buf_str(&b), &rows, err);
    buf_free(&b);
    if (status != DG_OK)
        return status;
    status = read_names(rows, &l->arena, tables, columns, err);
    rows_close(rows);
    return status;
}

static DgStatus prepare_known(Load *l, DgError *err)
{
    DgStatus status = find_known(l, &l->nested->tables, &l->nested->columns, err);
    if (status != DG_END)
        return status;
    if (make_known(l, err) == DG_OK || find_known(l, &l->nested->tables, &l->nested->columns, &(DgError){0}) == DG_OK)
        return DG_OK; /* or another stream has made it at the same time */
    return err->status;
}

static DgStatus remember(Load *l, const char *kind, Str name, StrArray *known, DgError *err)
{
    if (listed(known, name))
        return DG_OK;
    array_add(&l->arena, known, name);
    buf_add(&l->sql, S("INSERT INTO "));
    state_table(&l->sql, l->d, l->spec->table, "_dgc_nested");
    load_add(l, " (table_name, kind, name) VALUES (%t, %t, %t)", l->spec->table.table, str_from(kind), name);
    return load_exec(l, NULL, err);
}

DgStatus load_nested_remember(Load *l, DgError *err)
{
    struct LoadNested *n = l->nested;
    const NestedTable *root = nested_table(n->rows, 0);
    for (int32_t i = 0; i < n->count; i++)
        if (!n->children[i].left_out)
            DG_TRY(remember(l, "table", n->children[i].spec.table.table, &n->tables, err));
    for (int32_t i = 0; i < root->made_count; i++) {
        const LoadColumn *c = &l->columns[root->columns_count - 2 - root->made_count + i];
        if (c->action == LOAD_KEEP)
            DG_TRY(remember(l, "column", c->name, &n->columns, err));
    }
    return DG_OK;
}

/* Lists are JSON again, and the tables they once went to stay as they are: that must not go unsaid. */
DgStatus load_nested_forgotten(Load *l, DgError *err)
{
    StrArray tables = {0}, columns = {0};
    if (l->explain || !l->spec->drift || !load_table_column(l, S("_dlt_id")))
        return DG_OK;
    DgStatus status = find_known(l, &tables, &columns, err);
    if (status != DG_OK)
        return status == DG_END ? DG_OK : status;
    if (tables.count)
        l->spec->drift(l->spec->context, str_format(&l->arena, "lists of `%.*s` went to tables such as `%.*s`; without `max_table_nesting` those stay as they are",
                                                    FMT(l->spec->table.table), FMT(tables.items[0])));
    return DG_OK;
}

/* ---- Reading ---- */

static int32_t key_of(void *context, Str column)
{
    Load *l = context;
    const StrArray *keys = &l->spec->keys;
    Str name = naming_apply(&l->arena, l->spec->casing, l->d, column);
    for (size_t i = 0; i < keys->count; i++)
        if (str_eq_nocase(keys->items[i], column) || str_eq_nocase(keys->items[i], name))
            return (int32_t)i;
    return -1;
}

static bool stays(void *context, Str column)
{
    return listed(&((Load *)context)->spec->json_columns, column);
}

static bool cancelled(void *context)
{
    const DgLoadSpec *s = ((Load *)context)->spec;
    return s->cancelled && s->cancelled(s->context);
}

/* Columns of earlier loads of which today's rows have nothing: an update must not leave the old values. */
static DgStatus add_absent_columns(Load *l, DgError *err)
{
    struct LoadNested *n = l->nested;
    const NestedTable *root = nested_table(n->rows, 0);
    DgTableInfo info;
    if (l->spec->disposition != DG_DISPOSE_UPSERT && l->spec->disposition != DG_DISPOSE_UPDATE_ONLY)
        return DG_OK;
    DgStatus status = l->engine->describe(l->db, &l->arena, l->spec->table, &info, err);
    if (status != DG_OK)
        return status == DG_END ? DG_OK : status;
    StrArray today = {0};
    for (int32_t i = 0; i < root->columns_count; i++)
        array_add(&l->arena, &today, naming_apply(&l->arena, l->spec->casing, l->d, root->columns[i].name));
    for (int32_t i = 0; i < info.columns_count; i++) {
        const DgColumn *c = &info.columns[i].column;
        if (listed(&n->columns, c->name) && !listed(&today, c->name) && !nested_add_column(n->rows, c->name, c->type))
            return os_no_memory(err, "taking JSON apart");
    }
    return DG_OK;
}

static DgStatus check_nesting(const DgLoadSpec *s, DgError *err)
{
    if (s->disposition == DG_DISPOSE_SCD2) {
        dg_fail(err, DG_CONFIG, "`max_table_nesting` does not go with `merge_strategy: history_insert`: lists have no history");
        dg_hint(err, "leave `max_table_nesting` out: lists are part of the row's history as JSON");
        return DG_CONFIG;
    }
    if (s->new_columns != DG_DISCARD_ROW && s->types != DG_DISCARD_ROW)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "`max_table_nesting` does not go with `contract: discard_row`: a row would lose a part of its lists");
    dg_hint(err, "set `contract: discard_value`, or `freeze`");
    return DG_CONFIG;
}

DgStatus load_nested_read(Load *l, DgRows *from, DgRows **root, DgError *err)
{
    struct LoadNested *n = push(&l->arena, struct LoadNested, 1);
    const DgLoadSpec *s = l->spec;
    DG_TRY(check_nesting(s, err));
    bool whole = s->disposition == DG_DISPOSE_REPLACE || s->disposition == DG_DISPOSE_TRUNCATE;
    n->spec = (NestedSpec){.depth = s->nesting < NESTED_DEPTH_MAX ? s->nesting : NESTED_DEPTH_MAX, .folder = s->folder, .salt = whole ? s->table.table : s->package,
                           .keys_count = load_needs_keys(s) || whole ? (int32_t)s->keys.count : 0, .key_of = key_of, .stays = stays,
                           .cancelled = cancelled, .context = l};
    l->nested = n;
    DG_TRY(prepare_known(l, err));
    DG_TRY(nested_read(from, &n->spec, &n->rows, err));
    DG_TRY(add_absent_columns(l, err));
    DG_TRY(nested_open(n->rows, 0, &n->root, err));
    *root = n->root;
    return DG_OK;
}

void load_nested_close(Load *l)
{
    struct LoadNested *n = l->nested;
    if (!n)
        return;
    rows_close(n->root);
    for (int32_t i = 0; i < n->count; i++) {
        rows_close(n->children[i].rows);
        buf_free(&n->children[i].load.sql);
        arena_free(&n->children[i].load.arena);
    }
    nested_close(n->rows);
    l->nested = NULL;
}

/* ---- Planning ---- */

/* Rows of the root come by its staging table, and only some of them may be written. */
static bool merges(const Load *l)
{
    return load_needs_keys(l->spec);
}

/* Names of staging tables and indexes are made of it. */
static Str child_package(Load *l, Str table)
{
    char hex[65];
    Sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, l->spec->package);
    sha256_add(&hash, table);
    sha256_hex(&hash, hex);
    return str_copy(&l->arena, str_sub(str_from(hex), 0, 32));
}

static Str child_name(Load *l, Str list)
{
    Str name = naming_apply(&l->arena, l->spec->casing, l->d, list);
    return naming_apply(&l->arena, DG_CASING_SOURCE, l->d, str_format(&l->arena, "%.*s__%.*s", FMT(l->spec->table.table), FMT(name)));
}

static void begin_child(Load *l, LoadChild *c, Str table, int32_t index)
{
    const DgLoadSpec *s = l->spec;
    *c = (LoadChild){.table = index};
    c->spec = (DgLoadSpec){.stream = s->stream, .pipeline = s->pipeline, .run = s->run, .package = child_package(l, table), .table = {s->table.schema, table},
                           .disposition = merges(l) ? DG_DISPOSE_APPEND : s->disposition, .new_columns = s->new_columns, .types = s->types,
                           .new_tables = s->new_tables, .casing = s->casing, .keep_columns = s->keep_columns, .text_size = s->text_size,
                           .cancelled = s->cancelled, .drift = s->drift, .context = s->context};
    if (merges(l) && l->d->index_keys)
        array_add(&l->arena, &c->spec.index_columns, S("_dlt_root_id"));
    c->load = (Load){.db = l->db, .engine = l->engine, .d = l->d, .spec = &c->spec, .counts = &c->counts, .sql = {.max = LIMIT_SQL_BYTES},
                     .nested = l->nested, .now_us = l->now_us};
    arena_init(&c->load.arena, 64 << 20);
}

/* A list that nobody has seen before, for a table that was there. */
static DgStatus new_table(Load *l, LoadChild *c, DgError *err)
{
    Str name = c->spec.table.table;
    bool root_was_there = l->table.columns_count > 0;
    if (c->load.table.columns_count || !root_was_there)
        return DG_OK;
    if (l->spec->new_columns == DG_FREEZE)
        return dg_fail(err, DG_DATA, "table `%.*s` is not there, and its contract is frozen", FMT(name));
    c->left_out = l->spec->new_columns == DG_DISCARD_VALUE || l->spec->keep_columns;
    if (c->left_out)
        l->counts->values_discarded += nested_table(l->nested->rows, c->table)->rows;
    if (l->spec->drift)
        l->spec->drift(l->spec->context, str_format(&l->arena, "list `%.*s` is new%s", FMT(name), c->left_out ? " and is left out" : ": it becomes a table"));
    return DG_OK;
}

/* A table that happens to have the name of a list is somebody else's: it is neither replaced nor added to. */
static DgStatus check_owner(LoadChild *c, DgError *err)
{
    if (!c->load.table.columns_count || load_table_column(&c->load, S("_dlt_parent_id")))
        return DG_OK;
    dg_fail(err, DG_DATA, "table `%.*s` is there, and is not one of list elements: it has no column `_dlt_parent_id`", FMT(c->spec.table.table));
    dg_hint(err, "rename that table, or leave the list whole with `columns: {name: json}`");
    return DG_DATA;
}

static DgStatus plan_child(Load *l, LoadChild *c, DgError *err)
{
    const NestedTable *t = nested_table(l->nested->rows, c->table);
    DG_TRY(load_plan(&c->load, t->columns, t->columns_count, err));
    DG_TRY(check_owner(c, err));
    if (merges(l))
        c->load.staging = (DgTableName){l->staging.schema, str_format(&l->arena, "_dgc_s_%.*s", 16, c->spec.package.ptr)};
    DG_TRY(new_table(l, c, err));
    return nested_open(l->nested->rows, c->table, &c->rows, err);
}

/* DG_END: the table is gone. */
static DgStatus plan_absent(LoadChild *c, DgError *err)
{
    Load *l = &c->load;
    return l->engine->describe(l->db, &l->arena, c->spec.table, &l->table, err);
}

static DgStatus both_called(const struct LoadNested *n, const LoadChild *c, DgError *err)
{
    for (const LoadChild *other = n->children; other < c; other++)
        if (str_eq_nocase(other->spec.table.table, c->spec.table.table)) {
            dg_fail(err, DG_DATA, "two lists are both called `%.*s`", FMT(c->spec.table.table));
            dg_hint(err, "leave a column whole with `columns: {name: json}`");
            return DG_DATA;
        }
    return DG_OK;
}

DgStatus load_nested_plan(Load *l, DgError *err)
{
    struct LoadNested *n = l->nested;
    int32_t tables = nested_tables(n->rows);
    n->children = push(&l->arena, LoadChild, (size_t)tables + n->tables.count);
    for (int32_t i = 1; i < tables; i++) {
        LoadChild *c = &n->children[n->count];
        begin_child(l, c, child_name(l, nested_table(n->rows, i)->name), i);
        n->count++;
        DG_TRY(both_called(n, c, err));
        DG_TRY(plan_child(l, c, err));
    }
    int32_t found = n->count;
    for (size_t i = 0; i < n->tables.count; i++) {
        bool today = false;
        for (int32_t k = 0; k < found; k++)
            today = today || str_eq_nocase(n->children[k].spec.table.table, n->tables.items[i]);
        if (today)
            continue;
        LoadChild *c = &n->children[n->count];
        begin_child(l, c, n->tables.items[i], -1);
        n->count++;
        DgStatus status = plan_absent(c, err);
        c->left_out = status == DG_END; /* somebody dropped it */
        if (status != DG_OK && status != DG_END)
            return status;
    }
    return DG_OK;
}

DgStatus load_nested_evolve(Load *l, DgError *err)
{
    for (int32_t i = 0; i < l->nested->count; i++) {
        LoadChild *c = &l->nested->children[i];
        if (c->table >= 0 && !c->left_out)
            DG_TRY(load_evolve(&c->load, err));
    }
    return DG_OK;
}

/* ---- Rows ---- */

static void tally(Load *l, const LoadChild *c)
{
    l->counts->nested_tables += c->counts.rows_read > 0;
    l->counts->nested_rows += c->counts.rows_read;
    l->counts->columns_added += c->counts.columns_added;
    l->counts->columns_changed += c->counts.columns_changed;
    l->counts->values_discarded += c->counts.values_discarded;
}

DgStatus load_nested_fill(Load *l, DgError *err)
{
    DgDisposition how = l->spec->disposition;
    if (merges(l))
        return DG_OK; /* load_nested_merge has done it */
    for (int32_t i = 0; i < l->nested->count; i++) {
        LoadChild *c = &l->nested->children[i];
        if (c->left_out)
            continue;
        if (c->table >= 0)
            DG_TRY(load_swaps(&c->load) ? load_swap(&c->load, c->rows, err) : load_fill(&c->load, c->rows, err));
        else if (how == DG_DISPOSE_REPLACE || how == DG_DISPOSE_TRUNCATE)
            DG_TRY(load_clear_table(&c->load, err));
        tally(l, c);
    }
    return load_nested_remember(l, err);
}

/* The statement's text, and the buffer is free again. */
static Str taken(Load *l)
{
    Str out = str_copy(&l->arena, buf_str(&l->sql));
    l->sql.len = 0;
    return out;
}

static Str table_text(Load *l, DgTableName name)
{
    sql_table(&l->sql, l->d, name);
    return taken(l);
}

/* Elements of rows that are about to be written anew. */
static DgStatus delete_old(Load *l, LoadChild *c, DgError *err)
{
    const LoadColumn *id = load_column(l, S("_dlt_id"));
    const DgDbColumn *root = load_table_column(&c->load, S("_dlt_root_id"));
    if (l->spec->disposition == DG_DISPOSE_INSERT_ONLY || !root || !id)
        return DG_OK;
    if (l->d->update_join)
        load_add(&c->load, "DELETE %T FROM %T JOIN %s ON %T.%n = %s.%n", table_text(l, l->staging), root->column.name, table_text(l, l->staging), id->name);
    else
        load_add(&c->load, "DELETE FROM %T WHERE %n IN (SELECT %n FROM %s)", root->column.name, id->name, table_text(l, l->staging));
    return load_exec(&c->load, NULL, err);
}

/* Which rows of the root will be written, by their numbers. */
static Str written_rows(Load *l)
{
    DgDisposition how = l->spec->disposition;
    load_add(l, "SELECT _dgc_row FROM %S");
    if (how == DG_DISPOSE_INSERT_ONLY || how == DG_DISPOSE_UPDATE_ONLY) {
        load_add(l, how == DG_DISPOSE_INSERT_ONLY ? " WHERE NOT EXISTS (SELECT 1 FROM %T WHERE " : " WHERE EXISTS (SELECT 1 FROM %T WHERE ");
        load_keys_equal(l, "%A", "%B");
        buf_char(&l->sql, ')');
    }
    return taken(l);
}

static DgStatus insert_new(Load *l, LoadChild *c, DgError *err)
{
    Load *child = &c->load;
    load_add_create(child, child->staging, l->d->staging, true);
    DG_TRY(load_exec(child, NULL, err));
    DG_TRY(load_insert(child, child->staging, c->rows, err));
    load_add(child, "INSERT INTO %T (");
    load_columns(child, NULL, false);
    buf_add(&child->sql, S(") SELECT "));
    load_columns(child, NULL, false);
    load_add(child, " FROM %S WHERE _dgc_row IN (%s)", written_rows(l));
    DG_TRY(load_exec(child, &c->counts.rows_inserted, err));
    load_drop_staging(child, child->staging);
    return load_exec(child, NULL, err);
}

DgStatus load_nested_merge(Load *l, DgError *err)
{
    for (int32_t i = 0; i < l->nested->count; i++) {
        LoadChild *c = &l->nested->children[i];
        bool today = c->table >= 0;
        if (c->left_out)
            continue;
        if (today && l->d->transactional_ddl) {
            DG_TRY(load_evolve(&c->load, err));
            if (!c->load.exists)
                DG_TRY(load_make_indexes(&c->load, err));
        }
        if (c->load.table.columns_count)
            DG_TRY(delete_old(l, c, err));
        if (today)
            DG_TRY(insert_new(l, c, err));
        tally(l, c);
    }
    return load_nested_remember(l, err);
}

DgStatus load_nested_orphans(Load *l, DgError *err)
{
    const LoadColumn *id = load_column(l, S("_dlt_id"));
    for (int32_t i = 0; i < l->nested->count; i++) {
        LoadChild *c = &l->nested->children[i];
        const DgDbColumn *root = load_table_column(&c->load, S("_dlt_root_id"));
        if (c->left_out || !root || !id)
            continue; /* just made: it has today's rows only */
        Str table = table_text(l, l->spec->table);
        if (l->d->update_join)
            load_add(&c->load, "DELETE %T FROM %T LEFT JOIN %s ON %s.%n = %T.%n WHERE %s.%n IS NULL", table, table, id->name, root->column.name, table, id->name);
        else
            load_add(&c->load, "DELETE FROM %T WHERE %n NOT IN (SELECT %n FROM %s WHERE %n IS NOT NULL)", root->column.name, id->name, table, id->name);
        DG_TRY(load_exec(&c->load, NULL, err));
    }
    return DG_OK;
}
