/* sqlite.c - the SQLite engine: connections and transactions.
 *
 * Reading does not change the file's journal mode; before its first write a connection asks for
 * write-ahead logging, so that readers go on. Writers wait for each other up to ten seconds.
 */
#include "runtime/db/sqlite_internal.h"

#include <errno.h>
#include <pthread.h>

#include "runtime/os/os.h"
#include "runtime/run/sqlite_os.h"

enum { BUSY_MS = 10000, BUSY_STEP_MS = 10 };

DgStatus sqlite_fail(SqliteDb *db, DgError *err, const char *verb)
{
    int rc = sqlite3_extended_errcode(db->handle);
    const char *message = sqlite3_errmsg(db->handle);
    DgStatus status = DG_FAILED;
    switch (rc & 0xff) {
    case SQLITE_INTERRUPT: return dg_fail(err, DG_CANCELLED, "cancelled");
    case SQLITE_NOMEM: return dg_fail(err, DG_NOMEM, "out of memory in SQLite");
    case SQLITE_BUSY:
    case SQLITE_LOCKED: status = DG_TEMPFAIL; break;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH: status = DG_NOPERM; break;
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB: status = DG_CONFIG; break;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT: status = DG_IO; break;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE: status = DG_DATA; break;
    default: break;
    }
    dg_fail(err, status, "could not %s `%s`: %s", verb, db->path, message);
    if (status == DG_TEMPFAIL)
        dg_hint(err, "another program holds the database for longer than %d s", BUSY_MS / 1000);
    return status;
}

DgStatus sqlite_cancelled(SqliteDb *db, DgError *err)
{
    return __atomic_load_n(&db->interrupted, __ATOMIC_RELAXED) ? dg_fail(err, DG_CANCELLED, "cancelled") : DG_OK;
}

/* SQLite's own waiting cannot be interrupted. */
static int busy(void *context, int calls)
{
    SqliteDb *db = context;
    int64_t now = os_monotonic_ms();
    if (calls == 0)
        db->busy_since_ms = now;
    if (now - db->busy_since_ms >= BUSY_MS || sqlite_cancelled(db, NULL) != DG_OK)
        return 0;
    os_sleep_ms(calls < BUSY_STEP_MS ? calls + 1 : BUSY_STEP_MS);
    return 1;
}

static void sqlite_close(DgDb *base)
{
    SqliteDb *db = (SqliteDb *)base;
    if (!db)
        return;
    sqlite3_close_v2(db->handle); /* rolls back */
    os_free(db->path);
    os_free(db);
}

static DgStatus sqlite_open(const DgConn *conn, DgDb **out, DgError *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    Str path = conn_file(conn);
    *out = NULL;
    if (!path.len || str_find_char(path, '\0') >= 0) {
        dg_fail(err, DG_CONFIG, "connection `%.*s` names no SQLite file", FMT(conn->name));
        dg_hint(err, "set `instance` to the path of the file");
        return DG_CONFIG;
    }
    pthread_once(&once, sqlite_use_os);
    SqliteDb *db = os_alloc(sizeof *db);
    if (!db || !(db->path = os_alloc((size_t)path.len + 1))) {
        os_free(db);
        return os_no_memory(err, "for a connection to SQLite");
    }
    memcpy(db->path, path.ptr, (size_t)path.len);
    db->base = (DgDb){&dg_engine_sqlite, sqlite3_libversion_number()};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(db->path, &db->handle, flags, NULL);
    DgStatus status = DG_OK;
    if (rc != SQLITE_OK)
        status = db->handle ? sqlite_fail(db, err, "open") : os_no_memory(err, "for a connection to SQLite");
    if (status == DG_OK) {
        sqlite3_extended_result_codes(db->handle, 1);
        sqlite3_busy_handler(db->handle, busy, db);
        /* Also tells a file that is no database. */
        if (sqlite3_exec(db->handle, "PRAGMA synchronous=FULL;SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL) != SQLITE_OK)
            status = sqlite_fail(db, err, "open");
    }
    if (status != DG_OK) {
        sqlite_close(&db->base);
        return status;
    }
    *out = &db->base;
    return DG_OK;
}

static void sqlite_interrupt(DgDb *base)
{
    SqliteDb *db = (SqliteDb *)base;
    __atomic_store_n(&db->interrupted, true, __ATOMIC_RELAXED);
    sqlite3_interrupt(db->handle);
}

DgStatus sqlite_prepare(SqliteDb *db, Str sql, sqlite3_stmt **out, Str *tail, DgError *err)
{
    const char *rest = NULL;
    *out = NULL;
    if (sql.len > LIMIT_SQL_BYTES)
        return dg_fail(err, DG_FAILED, "a statement is longer than %d bytes", LIMIT_SQL_BYTES);
    if (sqlite3_prepare_v2(db->handle, sql.ptr, (int)sql.len, out, &rest) != SQLITE_OK)
        return sqlite_fail(db, err, "run a statement in");
    *tail = rest ? str_sub(sql, rest - sql.ptr, sql.len) : (Str){0};
    return DG_OK;
}

static DgStatus sqlite_exec(DgDb *base, Str sql, int64_t *changed, DgError *err)
{
    SqliteDb *db = (SqliteDb *)base;
    int64_t last = 0;
    DG_TRY(sqlite_cancelled(db, err));
    while (sql.len) {
        sqlite3_stmt *stmt;
        DG_TRY(sqlite_prepare(db, sql, &stmt, &sql, err));
        if (!stmt) /* blanks, a comment */
            continue;
        int rc;
        int64_t before = sqlite3_total_changes64(db->handle);
        while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        }
        /* Rows that foreign keys and triggers changed are not counted; a CREATE changes none. */
        last = sqlite3_total_changes64(db->handle) == before ? 0 : sqlite3_changes64(db->handle);
        DgStatus status = rc == SQLITE_DONE ? DG_OK : sqlite_fail(db, err, "run a statement in");
        sqlite3_finalize(stmt);
        DG_TRY(status);
    }
    if (changed)
        *changed = last;
    return DG_OK;
}

static DgStatus sqlite_begin(DgDb *base, DgTxKind kind, DgError *err)
{
    SqliteDb *db = (SqliteDb *)base;
    __atomic_store_n(&db->interrupted, false, __ATOMIC_RELAXED);
    if (kind == DG_TX_WRITE && !db->wal_asked) {
        /* Where the file system or another connection does not allow it, the old journal does. */
        sqlite3_exec(db->handle, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        db->wal_asked = true;
    }
    if (kind == DG_TX_WRITE)
        return sqlite_exec(base, S("BEGIN IMMEDIATE"), NULL, err);
    /* A deferred transaction takes its snapshot with the first read: take it now. */
    DG_TRY(sqlite_exec(base, S("BEGIN DEFERRED"), NULL, err));
    DgStatus status = sqlite_exec(base, S("PRAGMA query_only=1;SELECT 1 FROM sqlite_schema LIMIT 1"), NULL, err);
    if (status != DG_OK)
        sqlite3_exec(db->handle, "ROLLBACK;PRAGMA query_only=0", NULL, NULL, NULL);
    return status;
}

static DgStatus sqlite_commit(DgDb *base, bool *unknown, DgError *err)
{
    SqliteDb *db = (SqliteDb *)base;
    *unknown = false;
    DgStatus status = sqlite_exec(base, S("COMMIT"), NULL, err);
    /* An I/O error in the midst of it: the log may or may not hold the transaction. */
    if (status == DG_IO && sqlite3_get_autocommit(db->handle) && (sqlite3_extended_errcode(db->handle) & 0xff) == SQLITE_IOERR)
        *unknown = true;
    if (status == DG_OK)
        sqlite3_exec(db->handle, "PRAGMA query_only=0", NULL, NULL, NULL);
    return status;
}

static DgStatus sqlite_rollback(DgDb *base, DgError *err)
{
    SqliteDb *db = (SqliteDb *)base;
    __atomic_store_n(&db->interrupted, false, __ATOMIC_RELAXED);
    DgStatus status = DG_OK;
    if (!sqlite3_get_autocommit(db->handle)) /* some errors have rolled back already */
        status = sqlite_exec(base, S("ROLLBACK"), NULL, err);
    sqlite3_exec(db->handle, "PRAGMA query_only=0", NULL, NULL, NULL);
    return status;
}

static const char *const aliases[] = {"sqlite3", NULL};

const DgEngine dg_engine_sqlite = {
    .type = "sqlite",
    .title = "SQLite",
    .aliases = aliases,
    .dialect = &dg_dialect_sqlite,
    .open = sqlite_open,
    .close = sqlite_close,
    .interrupt = sqlite_interrupt,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .exec = sqlite_exec,
    .query = sqlite_query,
    .insert = sqlite_insert,
    .tables = sqlite_tables,
    .describe = sqlite_describe,
    .split = sqlite_split,
};
