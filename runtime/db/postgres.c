/* postgres.c - connections to PostgreSQL, statements, transactions. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/db/postgres_internal.h"
#include "runtime/os/os.h"

/* ---- Errors ---- */

static bool class_is(const char *state, const char *two)
{
    return state && strncmp(state, two, 2) == 0;
}

static DgStatus status_of(const char *state)
{
    static const struct { const char *state; DgStatus status; } exact[] = {
        {"40001", DG_TEMPFAIL}, {"40P01", DG_TEMPFAIL}, {"55P03", DG_TEMPFAIL}, {"57014", DG_TEMPFAIL}, {"53100", DG_IO},
        {"42501", DG_NOPERM}, {"28P01", DG_CONFIG}, {"28000", DG_CONFIG}, {"3D000", DG_CONFIG}, {"57P01", DG_UNAVAILABLE},
        {"57P02", DG_UNAVAILABLE}, {"57P03", DG_UNAVAILABLE}, {"25006", DG_NOPERM},
    };
    for (size_t i = 0; state && i < sizeof exact / sizeof *exact; i++)
        if (strcmp(state, exact[i].state) == 0)
            return exact[i].status;
    return class_is(state, "08")   ? DG_UNAVAILABLE
           : class_is(state, "53") ? DG_TEMPFAIL
           : class_is(state, "22") || class_is(state, "23") ? DG_DATA
           : class_is(state, "58") || class_is(state, "XX") ? DG_IO
                                                           : DG_FAILED;
}

static Str first_line(const char *text)
{
    Str s = str_from(text), line, rest;
    str_cut(s, '\n', &line, &rest);
    return str_trim(line);
}

/* Two who make the same object at the same moment, which IF NOT EXISTS does not keep apart, or who write the state of one
 * stream: the lease tells, after another attempt, which of them may go on. */
static bool met_a_rival(const PGresult *result, const char *state, const char *text)
{
    const char *schema = PQresultErrorField(result, PG_DIAG_SCHEMA_NAME), *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
    bool not_theirs = (schema && strcmp(schema, "pg_catalog") == 0) || (table && str_starts(str_from(table), S("_dgc_")));
    return (class_is(state, "23") && not_theirs) || (text && str_starts(str_from(text), S("tuple concurrently ")));
}

DgStatus pg_fail(Pg *pg, PGresult *result, DgError *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE), *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL), *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    bool gone = PQstatus(pg->conn) != CONNECTION_OK || !state; /* without a code it is libpq that speaks: of the connection */
    DgStatus status = gone ? DG_UNAVAILABLE : met_a_rival(result, state, text) ? DG_TEMPFAIL : status_of(state);
    Str message = first_line(text ? text : PQerrorMessage(pg->conn)), where = first_line(context);
    if (__atomic_load_n(&pg->interrupted, __ATOMIC_RELAXED))
        status = dg_fail(err, DG_CANCELLED, "cancelled");
    else if (str_starts(where, S("COPY ")))
        dg_fail(err, status, "PostgreSQL: %.*s (%.*s)", FMT(message), FMT(where));
    else
        dg_fail(err, status, "PostgreSQL: %.*s", FMT(message.len ? message : S("the connection broke")));
    if (detail && status != DG_CANCELLED)
        dg_hint(err, "%.*s", FMT(first_line(detail)));
    PQclear(result);
    return status;
}

/* Before there is a connection there are no codes, only words. */
static DgStatus open_failed(PGconn *conn, const DgConn *spec, DgError *err)
{
    static const char *const settings[] = {"password", "does not exist", "no pg_hba.conf entry", "invalid", "certificate", "SSL", "authentication"};
    Str message = first_line(PQerrorMessage(conn));
    DgStatus status = DG_UNAVAILABLE;
    Str rest = message;
    ptrdiff_t fatal = str_find(message, S("FATAL:"));
    if (fatal >= 0)
        rest = str_trim(str_sub(message, fatal + 6, message.len));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (str_find(rest, str_from(settings[i])) >= 0)
            status = DG_CONFIG;
    return dg_fail(err, status, "could not connect to `%.*s`: %.*s", FMT(spec->name), FMT(rest));
}

/* ---- Opening ---- */

typedef struct Words {
    const char *keys[32], *values[32];
    int count;
    Arena a;
} Words;

static void put(Words *w, const char *key, Str value)
{
    if (!value.len || w->count >= 30)
        return;
    w->keys[w->count] = key;
    w->values[w->count++] = str_cstr(&w->a, value);
}

static void gather(Words *w, const DgConn *c)
{
    static const char *const same[] = {"host", "port", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey", "options", "hostaddr",
                                       "service", "passfile", "target_session_attrs", "channel_binding"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        put(w, same[i], conn_prop(c, same[i]));
    Str database = conn_prop(c, "database"), timeout = conn_prop(c, "connect_timeout"), name = conn_prop(c, "application_name");
    put(w, "dbname", database);
    put(w, "connect_timeout", timeout.len ? timeout : S("10"));
    put(w, "application_name", name.len ? name : S("dgc"));
    put(w, "client_encoding", S("UTF8"));
    put(w, "keepalives_idle", S("30"));
    put(w, "keepalives_interval", S("10"));
    put(w, "keepalives_count", S("6"));
    w->keys[w->count] = NULL;
    w->values[w->count] = NULL;
}

static void no_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static DgStatus settle(Pg *pg, const DgConn *c, DgError *err)
{
    StrBuf b = {.max = 4096};
    Str role = conn_prop(c, "role");
    int64_t timeout = conn_prop_int(c, "statement_timeout", 0);
    buf_add(&b, S("SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET TimeZone = 'UTC'; SET bytea_output = 'hex'"));
    if (timeout > 0)
        buf_format(&b, "; SET statement_timeout = %lld", (long long)timeout);
    if (role.len) {
        buf_add(&b, S("; SET ROLE "));
        sql_name(&b, &dg_dialect_postgres, role);
    }
    DgStatus status = pg->db.engine->exec(&pg->db, buf_str(&b), NULL, err);
    buf_free(&b);
    return status;
}

static void pg_close(DgDb *db)
{
    Pg *pg = (Pg *)db;
    if (!pg)
        return;
    if (pg->cancel)
        PQfreeCancel(pg->cancel);
    if (pg->conn)
        PQfinish(pg->conn);
    os_free(pg);
}

static DgStatus pg_open(const DgConn *c, DgDb **out, DgError *err)
{
    Words w = {.count = 0};
    Pg *pg = os_alloc(sizeof *pg);
    if (!pg)
        return os_no_memory(err, "connecting");
    arena_init(&w.a, 1 << 20);
    gather(&w, c);
    pg->db.engine = &dg_engine_postgres;
    pg->conn = PQconnectdbParams(w.keys, w.values, 0);
    arena_free(&w.a);
    DgStatus status = DG_OK;
    if (!pg->conn)
        status = os_no_memory(err, "connecting");
    else if (PQstatus(pg->conn) != CONNECTION_OK)
        status = open_failed(pg->conn, c, err);
    if (status == DG_OK) {
        const char *encoding = PQparameterStatus(pg->conn, "server_encoding");
        PQsetNoticeReceiver(pg->conn, no_notice, NULL);
        pg->cancel = PQgetCancel(pg->conn);
        pg->db.version = PQserverVersion(pg->conn);
        pg->check_utf8 = encoding && strcmp(encoding, "SQL_ASCII") == 0;
        status = settle(pg, c, err);
    }
    if (status != DG_OK)
        pg_close(&pg->db);
    else
        *out = &pg->db;
    return status;
}

static void pg_interrupt(DgDb *db)
{
    Pg *pg = (Pg *)db;
    char ignored[256];
    __atomic_store_n(&pg->interrupted, true, __ATOMIC_RELAXED);
    if (pg->cancel)
        PQcancel(pg->cancel, ignored, sizeof ignored);
}

/* ---- Statements ---- */

static bool succeeded(const PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);
    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK || s == PGRES_EMPTY_QUERY;
}

static DgStatus pg_exec(DgDb *db, Str sql, int64_t *changed, DgError *err)
{
    Pg *pg = (Pg *)db;
    char *text = os_alloc((size_t)sql.len + 1);
    if (!text)
        return os_no_memory(err, "for an SQL statement");
    memcpy(text, sql.ptr, (size_t)sql.len);
    PGresult *r = PQexec(pg->conn, text);
    os_free(text);
    if (!r || !succeeded(r))
        return pg_fail(pg, r, err);
    if (changed) {
        *changed = 0;
        str_to_int(str_from(PQcmdTuples(r)), changed);
    }
    PQclear(r);
    return DG_OK;
}

DgStatus pg_select(Pg *pg, const char *sql, PGresult **out, DgError *err)
{
    *out = PQexec(pg->conn, sql);
    return *out && PQresultStatus(*out) == PGRES_TUPLES_OK ? DG_OK : pg_fail(pg, *out, err);
}

static DgStatus pg_begin(DgDb *db, DgTxKind kind, DgError *err)
{
    Pg *pg = (Pg *)db;
    __atomic_store_n(&pg->interrupted, false, __ATOMIC_RELAXED);
    DG_TRY(pg_exec(db, kind == DG_TX_READ ? S("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") : S("BEGIN"), NULL, err));
    pg->in_transaction = true;
    return DG_OK;
}

static DgStatus pg_commit(DgDb *db, bool *unknown, DgError *err)
{
    Pg *pg = (Pg *)db;
    *unknown = false;
    pg->in_transaction = false;
    PGresult *r = PQexec(pg->conn, "COMMIT");
    if (!r || !succeeded(r)) {
        *unknown = PQstatus(pg->conn) != CONNECTION_OK;
        return pg_fail(pg, r, err);
    }
    bool undone = strcmp(PQcmdStatus(r), "ROLLBACK") == 0;
    PQclear(r);
    return undone ? dg_fail(err, DG_FAILED, "PostgreSQL: the transaction had failed and was rolled back") : DG_OK;
}

static DgStatus pg_rollback(DgDb *db, DgError *err)
{
    Pg *pg = (Pg *)db;
    __atomic_store_n(&pg->interrupted, false, __ATOMIC_RELAXED);
    if (!pg->in_transaction)
        return DG_OK;
    pg->in_transaction = false;
    return pg_exec(db, S("ROLLBACK"), NULL, err);
}

/* ---- Snapshots ---- */

static DgStatus snapshot_export(DgDb *db, Arena *a, Str *token, DgError *err)
{
    return db_text(db, a, S("SELECT pg_export_snapshot()"), token, err);
}

static DgStatus snapshot_join(DgDb *db, Str token, DgError *err)
{
    StrBuf b = {.max = 4096};
    DG_TRY(pg_begin(db, DG_TX_READ, err));
    buf_add(&b, S("SET TRANSACTION SNAPSHOT "));
    dg_dialect_postgres.text(&b, token);
    DgStatus status = pg_exec(db, buf_str(&b), NULL, err);
    buf_free(&b);
    return status;
}

static const char *const aliases[] = {"postgres", "postgresql", "pg", "psql", NULL};

const DgEngine dg_engine_postgres = {
    .type = "postgres",
    .title = "PostgreSQL",
    .aliases = aliases,
    .dialect = &dg_dialect_postgres,
    .open = pg_open,
    .close = pg_close,
    .interrupt = pg_interrupt,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .exec = pg_exec,
    .query = pg_query,
    .insert = pg_insert,
    .tables = pg_tables,
    .describe = pg_describe,
    .snapshot_export = snapshot_export,
    .snapshot_join = snapshot_join,
    .split = pg_split,
};
