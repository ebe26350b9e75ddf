/* dg_session_load: a table made, replaced, extended or merged from batches. */
#include <stdio.h>

#include "runtime/db/duckdb_pull.h"
#include "runtime/os/os.h"

typedef struct LoadRun {
    DgSession *session;
    Arena *arena;
    Str schema, table;
    Str target; /* quoted */
    const DgLoad *load;
    const DgPull *pull;
    DgLoadResult *result;
} LoadRun;

static DgStatus run_sql(LoadRun *r, StrBuf *sql, int64_t *changed, DgError *err)
{
    DgStatus status = sql->failed ? os_no_memory(err, "for an SQL statement")
                                  : duck_run(r->session, buf_str(sql), changed, err);
    buf_free(sql);
    return status;
}

/* "id", "name" with each column behind a prefix. */
static void add_columns(LoadRun *r, StrBuf *sql, const char *prefix)
{
    for (int32_t i = 0; i < r->load->columns_count; i++) {
        Str name = dg_duckdb_name(r->arena, r->load->columns[i].name);
        buf_format(sql, "%s%s%.*s", i ? ", " : "", prefix, FMT(name));
    }
}

static void add_definitions(LoadRun *r, StrBuf *sql)
{
    buf_add(sql, S(" ("));
    for (int32_t i = 0; i < r->load->columns_count; i++) {
        const DgColumn *c = &r->load->columns[i];
        Str name = dg_duckdb_name(r->arena, c->name), type = dg_duckdb_type(r->arena, c->type);
        buf_format(sql, "%s%.*s %.*s%s", i ? ", " : "", FMT(name), FMT(type),
                   c->not_null ? " NOT NULL" : "");
    }
    buf_char(sql, ')');
}

static DgStatus count_in_catalog(LoadRun *r, const char *view, const char *name, int64_t *count,
                                 DgError *err)
{
    Str schema = dg_duckdb_text(r->arena, r->schema), table = dg_duckdb_text(r->arena, r->table);
    Str sql = str_format(r->arena,
                         "SELECT count(*) FROM %s() WHERE database_name = current_database() AND "
                         "schema_name = %.*s AND %s = %.*s",
                         view, FMT(schema), name, FMT(table));
    return dg_session_int(r->session, sql, count, err);
}

/* A view of the same name gives way: the asset is a table from now on. */
static DgStatus drop_view(LoadRun *r, DgError *err)
{
    int64_t views = 0;
    DG_TRY(count_in_catalog(r, "duckdb_views", "view_name", &views, err));
    if (views == 0)
        return DG_OK;
    StrBuf sql = {0};
    buf_format(&sql, "DROP VIEW %.*s", FMT(r->target));
    return run_sql(r, &sql, NULL, err);
}

static DgStatus make_schema(LoadRun *r, DgError *err)
{
    int64_t there = 0;
    Str schema = dg_duckdb_text(r->arena, r->schema);
    Str sql = str_format(r->arena,
                         "SELECT count(*) FROM duckdb_schemas() WHERE database_name = "
                         "current_database() AND schema_name = %.*s", FMT(schema));
    DG_TRY(dg_session_int(r->session, sql, &there, err));
    if (there)
        return DG_OK;
    Str name = dg_duckdb_name(r->arena, r->schema);
    sql = str_format(r->arena, "CREATE SCHEMA IF NOT EXISTS %.*s", FMT(name));
    return duck_run(r->session, sql, NULL, err);
}

static DgStatus make_table(LoadRun *r, DgError *err)
{
    StrBuf sql = {0};
    bool whole = r->load->mode == DG_REPLACE && !r->load->replaces.len;
    buf_format(&sql, whole ? "CREATE OR REPLACE TABLE %.*s"
                                                 : "CREATE TABLE IF NOT EXISTS %.*s",
               FMT(r->target));
    add_definitions(r, &sql);
    return run_sql(r, &sql, NULL, err);
}

/* APPEND and MERGE into a table that was there: each of our columns must be in it. */
static DgStatus check_columns(LoadRun *r, DgError *err)
{
    Str schema = dg_duckdb_text(r->arena, r->schema), table = dg_duckdb_text(r->arena, r->table);
    for (int32_t i = 0; i < r->load->columns_count; i++) {
        const DgColumn *c = &r->load->columns[i];
        size_t mark = arena_mark(r->arena);
        Str name = dg_duckdb_text(r->arena, c->name), type = dg_duckdb_type(r->arena, c->type);
        Str sql = str_format(r->arena,
                             "SELECT max(data_type) FROM duckdb_columns() WHERE database_name = "
                             "current_database() AND schema_name = %.*s AND table_name = %.*s AND "
                             "lower(column_name) = lower(%.*s)",
                             FMT(schema), FMT(table), FMT(name));
        Str found;
        DG_TRY(dg_session_text(r->session, r->arena, sql, &found, err));
        if (found.len == 0) {
            dg_fail(err, DG_DATA, "table %.*s has no column `%.*s`, which is to be added to it",
                    FMT(r->target), FMT(c->name));
            dg_hint(err, "add it: ALTER TABLE %.*s ADD COLUMN \"%.*s\" %.*s; or load with "
                    "mode: replace", FMT(r->target), FMT(c->name), FMT(type));
            return DG_DATA;
        }
        arena_pop(r->arena, mark);
    }
    return DG_OK;
}

/* INSERT INTO into SELECT what the lanes deliver. Errors of the lanes come back unchanged. */
static DgStatus insert_pulled(LoadRun *r, Str into, int32_t lanes_max, int64_t *inserted,
                              DgError *err)
{
    DgWarehouse *w = r->session->warehouse;
    int32_t lanes = lanes_max > 0 && lanes_max < w->threads ? lanes_max : w->threads;
    PullJob job = {.warehouse = w, .pull = r->pull, .columns = r->load->columns,
                   .columns_count = r->load->columns_count, .lanes_max = lanes};
    duck_pull_begin(&job);
    StrBuf sql = {0};
    buf_format(&sql, "INSERT INTO %.*s (", FMT(into));
    add_columns(r, &sql, "");
    buf_format(&sql, ") SELECT * FROM dgc_pull(%lld)", (long long)job.id);
    DgStatus status = sql.failed ? os_no_memory(err, "for an SQL statement") : DG_OK;
    if (status == DG_OK)
        status = duck_pull_insert(r->session, &job, buf_str(&sql), inserted, err);
    else
        duck_pull_end(&job);
    buf_free(&sql);
    r->result->rows_read = job.rows;
    return status;
}

/* ---- MERGE ---- */

static void add_key(LoadRun *r, StrBuf *sql, const char *form, const char *between)
{
    for (int32_t i = 0; i < r->load->unique_key_count; i++) {
        Str name = dg_duckdb_name(r->arena, r->load->unique_key[i]);
        Str part = str_replace(r->arena, str_from(form), S("KEY"), name);
        buf_format(sql, "%s%.*s", i ? between : "", FMT(part));
    }
}

static DgStatus check_keys(LoadRun *r, Str stage, DgError *err)
{
    StrBuf sql = {0};
    buf_format(&sql, "SELECT count(*) FROM %.*s WHERE ", FMT(stage));
    add_key(r, &sql, "KEY IS NULL", " OR ");
    int64_t nulls = 0;
    DgStatus status = sql.failed ? os_no_memory(err, "for an SQL statement")
                                 : dg_session_int(r->session, buf_str(&sql), &nulls, err);
    buf_free(&sql);
    if (status != DG_OK || nulls == 0)
        return status;
    StrBuf names = {0};
    add_key(r, &names, "KEY", ", ");
    dg_fail(err, DG_DATA, "%lld of the rows for %.*s have no value in the unique key (%.*s)",
            (long long)nulls, FMT(r->target), FMT(buf_str(&names)));
    dg_hint(err, "a merge needs a key in each row: choose other columns, or filter such rows out");
    buf_free(&names);
    return DG_DATA;
}

static DgStatus apply_stage(LoadRun *r, Str stage, DgError *err)
{
    StrBuf sql = {0};
    buf_format(&sql, "DELETE FROM %.*s AS t USING (SELECT DISTINCT ", FMT(r->target));
    add_key(r, &sql, "KEY", ", ");
    buf_format(&sql, " FROM %.*s) AS s WHERE ", FMT(stage));
    add_key(r, &sql, "t.KEY = s.KEY", " AND ");
    DG_TRY(run_sql(r, &sql, &r->result->rows_deleted, err));
    sql = (StrBuf){0};
    buf_format(&sql, "INSERT INTO %.*s (", FMT(r->target));
    add_columns(r, &sql, "");
    buf_add(&sql, S(") SELECT "));
    add_columns(r, &sql, "");
    /* Row ids count up in the order of arrival: the last row of a key wins. */
    buf_format(&sql, " FROM %.*s WHERE rowid IN (SELECT max(rowid) FROM %.*s GROUP BY ",
               FMT(stage), FMT(stage));
    add_key(r, &sql, "KEY", ", ");
    buf_add(&sql, S(") ORDER BY rowid"));
    return run_sql(r, &sql, &r->result->rows_inserted, err);
}

static DgStatus merge(LoadRun *r, DgError *err)
{
    static const char PREFIX[] = "temp.main.dgc_stage_";
    DgWarehouse *w = r->session->warehouse;
    pthread_mutex_lock(&w->lock);
    int64_t id = ++w->next_id;
    pthread_mutex_unlock(&w->lock);
    Str stage = str_format(r->arena, "%s%lld", PREFIX, (long long)id);
    StrBuf sql = {0};
    buf_format(&sql, "CREATE TEMP TABLE %.*s", FMT(str_sub(stage, 10, stage.len)));
    add_definitions(r, &sql);
    DG_TRY(run_sql(r, &sql, NULL, err));
    int64_t staged;
    DG_TRY(insert_pulled(r, stage, 1, &staged, err));
    DG_TRY(check_keys(r, stage, err));
    DG_TRY(apply_stage(r, stage, err));
    sql = (StrBuf){0};
    buf_format(&sql, "DROP TABLE %.*s", FMT(stage));
    return run_sql(r, &sql, NULL, err);
}

static DgStatus load_checked(const DgLoad *load, DgError *err)
{
    if (load->columns_count <= 0)
        return dg_fail(err, DG_BUG, "a load has no columns");
    if (load->mode != DG_MERGE)
        return DG_OK;
    if (load->unique_key_count <= 0)
        return dg_fail(err, DG_CONFIG, "a merge needs a unique_key");
    for (int32_t k = 0; k < load->unique_key_count; k++) {
        bool found = false;
        for (int32_t i = 0; i < load->columns_count; i++)
            found |= str_eq_nocase(load->columns[i].name, load->unique_key[k]);
        if (!found)
            return dg_fail(err, DG_CONFIG, "unique_key `%.*s` is not among the columns",
                           FMT(load->unique_key[k]));
    }
    return DG_OK;
}

/* A part of the table: its old rows go, and what comes must belong to it. */
static DgStatus replace_part(LoadRun *r, DgError *err)
{
    StrBuf sql = {0};
    int64_t inside = 0;
    buf_format(&sql, "DELETE FROM %.*s WHERE %.*s", FMT(r->target), FMT(r->load->replaces));
    DG_TRY(run_sql(r, &sql, &r->result->rows_deleted, err));
    DG_TRY(insert_pulled(r, r->target, r->pull->lanes_max, &r->result->rows_inserted, err));
    Str count = str_format(r->arena, "SELECT count(*) FROM %.*s WHERE %.*s", FMT(r->target),
                           FMT(r->load->replaces));
    DG_TRY(dg_session_int(r->session, count, &inside, err));
    if (inside == r->result->rows_inserted)
        return DG_OK;
    dg_fail(err, DG_DATA, "%lld of %lld rows for %.*s are not of this partition",
            (long long)(r->result->rows_inserted - inside), (long long)r->result->rows_inserted,
            FMT(r->target));
    dg_hint(err, "rows of this partition are those with %.*s", FMT(r->load->replaces));
    return DG_DATA;
}

static DgStatus load_in_transaction(LoadRun *r, DgError *err)
{
    DG_TRY(make_schema(r, err));
    DG_TRY(drop_view(r, err));
    DG_TRY(make_table(r, err));
    if (r->load->mode != DG_REPLACE || r->load->replaces.len)
        DG_TRY(check_columns(r, err));
    if (r->load->mode == DG_MERGE)
        return merge(r, err);
    if (r->load->replaces.len)
        return replace_part(r, err);
    return insert_pulled(r, r->target, r->pull->lanes_max, &r->result->rows_inserted, err);
}

DgStatus dg_session_load(DgSession *s, Str schema, Str table, const DgLoad *load,
                         const DgPull *pull, DgLoadResult *result, DgError *err)
{
    *result = (DgLoadResult){0};
    DG_TRY(load_checked(load, err));
    bool own = !s->in_transaction;
    if (own)
        DG_TRY(dg_session_begin(s, err));
    Arena a;
    arena_init(&a, (size_t)64 << 20);
    a.can_fail = true;
    LoadRun r = {.session = s, .arena = &a, .load = load, .pull = pull, .result = result,
                 .schema = schema.len ? schema : S("main"), .table = table};
    r.target = dg_duckdb_table(&a, r.schema, table);
    DgStatus status = load_in_transaction(&r, err);
    arena_free(&a);
    if (own && status == DG_OK)
        status = dg_session_commit(s, err);
    else if (own)
        dg_session_rollback(s, NULL);
    return status;
}
