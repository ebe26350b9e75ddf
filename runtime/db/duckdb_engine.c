/* duckdb_engine.c - DuckDB as an engine that rows are moved from and to, on the warehouse's sessions. */
#include <stdio.h>

#include "runtime/data/value_text.h"
#include "runtime/db/duckdb_pull.h"
#include "runtime/db/engine.h"
#include "runtime/os/os.h"

typedef struct DuckDb {
    DgDb db; /* first */
    DgWarehouse *warehouse;
    DgSession *session;
} DuckDb;

static DgSession *session_of(DgDb *db)
{
    return ((DuckDb *)db)->session;
}

/* ---- Opening ---- */

static void duck_close(DgDb *db)
{
    DuckDb *d = (DuckDb *)db;
    if (!d)
        return;
    dg_session_close(d->session);
    dg_warehouse_close(d->warehouse);
    os_free(d);
}

static DgStatus duck_open(const DgConn *conn, DgDb **out, DgError *err)
{
    Str path = conn_file(conn);
    if (!path.len) {
        dg_fail(err, DG_CONFIG, "connection `%.*s` names no file", FMT(conn->name));
        dg_hint(err, "write `instance: data/warehouse.duckdb`");
        return DG_CONFIG;
    }
    if (str_starts(path, S("md:")))
        return dg_fail(err, DG_CONFIG, "connection `%.*s`: MotherDuck databases cannot be reached from here", FMT(conn->name));
    DuckDb *d = os_alloc(sizeof *d);
    if (!d)
        return os_no_memory(err, "opening a database");
    d->db = (DgDb){&dg_engine_duckdb, 10404};
    DgWarehouseOptions o = {.path = str_eq(path, S(":memory:")) ? (Str){0} : path, .memory_max = conn_prop_int(conn, "memory", 0),
                            .threads = (int32_t)conn_prop_int(conn, "threads", 0)};
    DgStatus status = dg_warehouse_open(&o, &d->warehouse, err);
    if (status == DG_OK)
        status = dg_session_open(d->warehouse, &d->session, err);
    if (status != DG_OK) {
        duck_close(&d->db);
        return status;
    }
    *out = &d->db;
    return DG_OK;
}

static void duck_stop(DgDb *db)
{
    dg_session_interrupt(session_of(db));
}

/* ---- Transactions and statements ---- */

static DgStatus duck_begin(DgDb *db, DgTxKind kind, DgError *err)
{
    (void)kind; /* every transaction is one snapshot */
    return dg_session_begin(session_of(db), err);
}

static DgStatus duck_commit(DgDb *db, bool *unknown, DgError *err)
{
    *unknown = false;
    return dg_session_commit(session_of(db), err);
}

static DgStatus duck_rollback(DgDb *db, DgError *err)
{
    return dg_session_rollback(session_of(db), err);
}

static DgStatus duck_exec(DgDb *db, Str sql, int64_t *changed, DgError *err)
{
    return duck_run(session_of(db), sql, changed, err);
}

typedef struct ScanRows {
    DgRows rows; /* first */
    DgScan *scan;
} ScanRows;

static DgStatus scan_next(DgRows *rows, DgBatch *out, DgError *err)
{
    dg_batch_reset(out);
    return dg_scan_next(((ScanRows *)rows)->scan, out, err);
}

static void scan_close(DgRows *rows)
{
    dg_scan_close(((ScanRows *)rows)->scan);
    os_free(rows);
}

static DgStatus duck_query(DgDb *db, Str sql, DgRows **out, DgError *err)
{
    ScanRows *s = os_alloc(sizeof *s);
    if (!s)
        return os_no_memory(err, "reading rows");
    DgStatus status = dg_scan_open(session_of(db), sql, &s->scan, err);
    if (status != DG_OK) {
        os_free(s);
        return status;
    }
    s->rows.columns = dg_scan_columns(s->scan, &s->rows.columns_count);
    s->rows.next = scan_next;
    s->rows.close = scan_close;
    *out = &s->rows;
    return DG_OK;
}

/* ---- Insert ---- */

/* One stream that several of DuckDB's threads take batches from, in turns. */
typedef struct Shared {
    DgRows *from;
    pthread_mutex_t lock;
    DgStatus status; /* of the last batch: after the end, and after an error, no other is asked for */
} Shared;

static DgStatus shared_next(void *context, void *lane, DgBatch *out, DgError *err)
{
    Shared *s = context;
    (void)lane;
    pthread_mutex_lock(&s->lock);
    DgStatus status = s->status == DG_OK ? s->status = s->from->next(s->from, out, err) : DG_END;
    pthread_mutex_unlock(&s->lock);
    return status;
}

static DgStatus duck_insert(DgDb *db, DgTableName to, DgRows *from, int64_t *rows, DgError *err)
{
    DgSession *s = session_of(db);
    Shared shared = {.from = from};
    DgPull pull = {.context = &shared, .next = shared_next};
    PullJob job = {.warehouse = s->warehouse, .pull = &pull, .columns = from->columns, .columns_count = from->columns_count,
                   .lanes_max = from->any_order ? s->warehouse->threads : 1};
    StrBuf sql = {.max = LIMIT_SQL_BYTES};
    pthread_mutex_init(&shared.lock, NULL);
    duck_pull_begin(&job);
    buf_add(&sql, S("INSERT INTO "));
    sql_table(&sql, dg_engine_duckdb.dialect, to);
    for (int32_t i = 0; i < from->columns_count; i++) {
        buf_add(&sql, i ? S(", ") : S(" ("));
        sql_name(&sql, dg_engine_duckdb.dialect, from->columns[i].name);
    }
    buf_format(&sql, ") SELECT * FROM dgc_pull(%lld)", (long long)job.id);
    DgStatus status = sql.failed ? os_no_memory(err, "making SQL") : DG_OK;
    if (status == DG_OK)
        status = duck_pull_insert(s, &job, buf_str(&sql), rows, err);
    else
        duck_pull_end(&job);
    buf_free(&sql);
    pthread_mutex_destroy(&shared.lock);
    return status;
}

/* ---- Catalog ---- */

/* The cells of a small result, row by row. */
static DgStatus read_cells(DgDb *db, Arena *a, Str sql, StrArray *cells, DgError *err)
{
    DgRows *rows;
    DgBatch batch;
    StrBuf b = {.max = 1 << 20};
    DG_TRY(duck_query(db, sql, &rows, err));
    DgStatus status = dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, err);
    while (status == DG_OK) {
        status = rows->next(rows, &batch, err);
        for (int32_t i = 0; i < batch.rows && (status == DG_OK || status == DG_END); i++)
            for (int32_t k = 0; k < batch.columns_count; k++) {
                b.len = 0;
                value_write_text(&b, &batch.vectors[k], rows->columns[k].type, i);
                array_add(a, cells, str_copy(a, buf_str(&b)));
            }
    }
    dg_batch_release(&batch);
    rows_close(rows);
    buf_free(&b);
    return status == DG_END ? DG_OK : status;
}

static bool duck_type_named(Str native, DgType *out)
{
    static const struct { const char *name; DgType type; } names[] = {
        {"HUGEINT", {DG_DECIMAL, 38, 0}}, {"UHUGEINT", {DG_TEXT, 0, 0}}, {"TIMESTAMP_S", {DG_TIMESTAMP, 0, 0}},
        {"TIMESTAMP_MS", {DG_TIMESTAMP, 0, 0}}, {"TIMESTAMP_NS", {DG_TIMESTAMP, 0, 0}}, {"TIME_NS", {DG_TIME, 0, 0}},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(native, str_from(names[i].name))) {
            *out = names[i].type;
            return true;
        }
    bool nested = str_ends(native, S("]")) || str_starts(native, S("STRUCT(")) || str_starts(native, S("MAP(")) || str_starts(native, S("UNION("));
    *out = (DgType){nested ? DG_JSON : DG_TEXT, 0, 0};
    return nested || dg_type_parse(native, out);
}

static void add_pattern(StrBuf *b, const char *column, Str pattern)
{
    if (!pattern.len)
        pattern = S("main");
    buf_format(b, " AND lower(%s) GLOB lower(", column);
    dg_engine_duckdb.dialect->text(b, pattern);
    buf_char(b, ')');
}

static DgStatus duck_tables(DgDb *db, Arena *a, Str schema, Str table, DgTableInfos *out, DgError *err)
{
    StrBuf b = {.max = 64 << 10};
    StrArray cells = {0};
    buf_add(&b, S("SELECT schema_name, name, view, size FROM (SELECT schema_name, table_name AS name, 0 AS view, estimated_size AS size FROM duckdb_tables()"
                  " WHERE database_name = current_database() AND NOT internal UNION ALL SELECT schema_name, view_name, 1, -1 FROM duckdb_views()"
                  " WHERE database_name = current_database() AND NOT internal) WHERE schema_name <> '_dgc'"));
    add_pattern(&b, "schema_name", schema);
    add_pattern(&b, "name", table);
    buf_add(&b, S(" AND name NOT LIKE '\\_dgc\\_%' ESCAPE '\\' ORDER BY 1, 2"));
    DgStatus status = read_cells(db, a, buf_str(&b), &cells, err);
    buf_free(&b);
    for (size_t i = 0; i + 3 < cells.count && status == DG_OK; i += 4) {
        DgTableInfo t = {.name = {cells.items[i], cells.items[i + 1]}, .is_view = str_eq(cells.items[i + 2], S("1")), .bytes_estimate = -1};
        str_to_int(cells.items[i + 3], &t.rows_estimate);
        array_add(a, out, t);
    }
    return status;
}

static void where_table(StrBuf *b, DgTableName name)
{
    buf_add(b, S(" WHERE database_name = current_database() AND lower(schema_name) = lower("));
    dg_engine_duckdb.dialect->text(b, name.schema.len ? name.schema : S("main"));
    buf_add(b, S(") AND lower(table_name) = lower("));
    dg_engine_duckdb.dialect->text(b, name.table);
    buf_char(b, ')');
}

static DgStatus duck_describe(DgDb *db, Arena *a, DgTableName name, DgTableInfo *out, DgError *err)
{
    StrBuf b = {.max = 64 << 10};
    StrArray cells = {0}, keys = {0}, facts = {0};
    buf_add(&b, S("SELECT schema_name, table_name, column_name, data_type, is_nullable FROM duckdb_columns()"));
    where_table(&b, name);
    buf_add(&b, S(" ORDER BY column_index"));
    DgStatus status = read_cells(db, a, buf_str(&b), &cells, err);
    b.len = 0;
    buf_add(&b, S("SELECT estimated_size, has_primary_key FROM duckdb_tables()"));
    where_table(&b, name);
    if (status == DG_OK && cells.count)
        status = read_cells(db, a, buf_str(&b), &facts, err);
    b.len = 0;
    buf_add(&b, S("SELECT unnest(constraint_column_names) FROM duckdb_constraints()"));
    where_table(&b, name);
    buf_add(&b, S(" AND constraint_type = 'PRIMARY KEY'"));
    if (status == DG_OK && facts.count && str_eq(facts.items[1], S("true"))) /* each of these questions takes a millisecond */
        status = read_cells(db, a, buf_str(&b), &keys, err);
    buf_free(&b);
    if (status != DG_OK || !cells.count)
        return status == DG_OK ? DG_END : status;
    int32_t n = (int32_t)(cells.count / 5);
    DgDbColumn *columns = push(a, DgDbColumn, n);
    for (int32_t i = 0; i < n; i++) {
        Str *cell = &cells.items[i * 5];
        columns[i] = (DgDbColumn){.column = {.name = cell[2], .not_null = str_eq(cell[4], S("false"))}, .native = cell[3]};
        if (!duck_type_named(cell[3], &columns[i].column.type))
            columns[i].column.type = (DgType){DG_TEXT, 0, 0};
    }
    *out = (DgTableInfo){.name = {cells.items[0], cells.items[1]}, .is_view = !facts.count, .rows_estimate = -1, .bytes_estimate = -1,
                         .columns = columns, .columns_count = n, .primary_key = keys.items, .primary_key_count = (int32_t)keys.count};
    if (facts.count)
        str_to_int(facts.items[0], &out->rows_estimate);
    return DG_OK;
}

/* ---- Dialect ---- */

static void dialect_type(StrBuf *out, DgType type, int64_t size)
{
    Arena a;
    (void)size; /* text has no size worth stating */
    arena_init(&a, 1 << 16);
    buf_add(out, dg_duckdb_type(&a, type));
    arena_free(&a);
}

static void dialect_text(StrBuf *out, Str text)
{
    buf_char(out, '\'');
    for (ptrdiff_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_char(out, '\'');
        buf_char(out, text.ptr[i]);
    }
    buf_char(out, '\'');
}

static void dialect_now(StrBuf *out, int64_t us)
{
    buf_format(out, "make_timestamp(%lld)", (long long)us);
}

static const DgDialect dialect = {
    .quote = '"',
    .has_schemas = true,
    .transactional_ddl = true,
    .default_schema = "main",
    .type = dialect_type,
    .type_from = duck_type_named,
    .text = dialect_text,
    .timestamp_now = dialect_now,
    .staging = "CREATE TEMPORARY TABLE ",
    .alter_type = "ALTER %c TYPE %t",
    .merge_into = true,
};

static const char *const aliases[] = {"duckdb", "duck", NULL};

const DgEngine dg_engine_duckdb = {
    .type = "duckdb",
    .title = "DuckDB",
    .aliases = aliases,
    .dialect = &dialect,
    .open = duck_open,
    .close = duck_close,
    .interrupt = duck_stop,
    .begin = duck_begin,
    .commit = duck_commit,
    .rollback = duck_rollback,
    .exec = duck_exec,
    .query = duck_query,
    .insert = duck_insert,
    .tables = duck_tables,
    .describe = duck_describe,
};
