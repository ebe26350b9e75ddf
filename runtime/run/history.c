/* The run history in SQLite. See history.h. */
#include "runtime/run/history.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/run/sqlite_os.h"

enum { SCHEMA_VERSION = 1, APPLICATION_ID = 0x64676331, EVENTS_MAX = 10000 };

struct History {
    sqlite3 *db;
    pthread_mutex_t lock;
    Redactor *redactor;
    char *path;
    int64_t events;
};

static const char schema[] =
    "CREATE TABLE runs(id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, fingerprint TEXT NOT NULL,"
    " state TEXT NOT NULL, selection TEXT, job TEXT, partition TEXT, resumed_from TEXT,"
    " full_refresh INTEGER NOT NULL, started_us INTEGER NOT NULL, ended_us INTEGER,"
    " epoch INTEGER NOT NULL, exit_code INTEGER, error TEXT);"
    "CREATE INDEX runs_by_start ON runs(started_us);"
    "CREATE TABLE steps(run_id TEXT NOT NULL, step TEXT NOT NULL, partition TEXT NOT NULL,"
    " state TEXT NOT NULL, attempt INTEGER NOT NULL, package TEXT, started_us INTEGER,"
    " ended_us INTEGER, rows INTEGER, bytes INTEGER, error TEXT, error_class TEXT,"
    " PRIMARY KEY(run_id, step, partition)) WITHOUT ROWID;"
    "CREATE TABLE events(id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, at_us INTEGER NOT NULL,"
    " kind TEXT NOT NULL, step TEXT, partition TEXT, level TEXT, message TEXT);"
    "CREATE INDEX events_by_run ON events(run_id);"
    "CREATE TABLE materializations(id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, step TEXT,"
    " asset TEXT NOT NULL, partition TEXT NOT NULL, at_us INTEGER NOT NULL, rows INTEGER,"
    " metadata TEXT, package TEXT);"
    "CREATE INDEX materializations_by_asset ON materializations(asset, partition, at_us);"
    "CREATE TABLE checks(id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, asset TEXT NOT NULL,"
    " name TEXT NOT NULL, partition TEXT NOT NULL, at_us INTEGER NOT NULL,"
    " passed INTEGER NOT NULL, warn INTEGER NOT NULL, blocking INTEGER NOT NULL, detail TEXT);"
    "CREATE INDEX checks_by_asset ON checks(asset, name, at_us);"
    "CREATE TABLE lease(id INTEGER PRIMARY KEY CHECK(id = 1), epoch INTEGER NOT NULL,"
    " pid INTEGER NOT NULL, since_us INTEGER NOT NULL);"
    "INSERT INTO lease VALUES(1, 0, 0, 0);";

static DgStatus sqlite_fail(History *h, DgError *err, const char *verb)
{
    int rc = sqlite3_extended_errcode(h->db);
    DgStatus status;
    switch (rc & 0xff) {
    case SQLITE_NOMEM: status = DG_NOMEM; break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: status = DG_TEMPFAIL; break;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH: status = DG_NOPERM; break;
    case SQLITE_CANTOPEN: status = DG_CANTCREATE; break;
    default: status = DG_IO;
    }
    return dg_fail(err, status, "could not %s the run history `%s`: %s", verb, h->path,
                   sqlite3_errmsg(h->db));
}

/* Keeps a copy of a damaged file and says what can be done. */
static DgStatus damaged(History *h, DgError *err, const char *what)
{
    char copy[4096], buffer[16384];
    int n = snprintf(copy, sizeof copy, "%s.damaged-%lld", h->path,
                     (long long)(os_real_us() / 1000000));
    int from = dg_os.open(h->path, O_RDONLY, 0);
    int to = n > 0 && (size_t)n < sizeof copy ? dg_os.open(copy, O_WRONLY | O_CREAT | O_EXCL, 0666)
                                              : -1;
    bool copied = from >= 0 && to >= 0;
    while (copied) {
        DgError ignored = {0};
        ssize_t got = dg_os.read(from, buffer, sizeof buffer);
        if (got <= 0)
            break;
        copied = os_write_all(to, buffer, (size_t)got, copy, &ignored) == DG_OK;
    }
    os_close(from);
    os_close(to);
    dg_fail(err, DG_IO, "the run history `%s` is damaged: %s", h->path, what);
    dg_hint(err, "%s%s%s`state rebuild` starts a new history from what the warehouse holds; the "
                 "data itself is not affected",
            copied ? "a copy was kept as `" : "", copied ? copy : "", copied ? "`; " : "");
    return DG_IO;
}

static bool is_damage(sqlite3 *db)
{
    int rc = sqlite3_errcode(db) & 0xff;
    return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
}

static bool query_int(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
              sqlite3_step(stmt) == SQLITE_ROW;
    *out = ok ? sqlite3_column_int64(stmt, 0) : 0;
    return sqlite3_finalize(stmt) == SQLITE_OK && ok;
}

static DgStatus verify(History *h, DgError *err)
{
    int64_t version, application;
    if (!query_int(h->db, "PRAGMA user_version", &version) ||
        !query_int(h->db, "PRAGMA application_id", &application))
        return is_damage(h->db) ? damaged(h, err, sqlite3_errmsg(h->db))
                                : sqlite_fail(h, err, "read");
    if (version == 0 && application == 0)
        return DG_END;
    if (application != APPLICATION_ID)
        return damaged(h, err, "it belongs to another program");
    if (version > SCHEMA_VERSION)
        return dg_fail(err, DG_CONFIG,
                       "the run history `%s` has version %lld, this program knows %d", h->path,
                       (long long)version, SCHEMA_VERSION);
    sqlite3_stmt *stmt = NULL;
    bool fine = sqlite3_prepare_v2(h->db, "PRAGMA quick_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
                sqlite3_step(stmt) == SQLITE_ROW;
    const char *text = fine ? (const char *)sqlite3_column_text(stmt, 0) : sqlite3_errmsg(h->db);
    DgStatus status = DG_OK;
    if (!fine && !is_damage(h->db))
        status = sqlite_fail(h, err, "check");
    else if (!text || strcmp(text, "ok") != 0)
        status = damaged(h, err, text ? text : "it cannot be read");
    sqlite3_finalize(stmt);
    return status;
}

static DgStatus create(History *h, DgError *err)
{
    StrBuf sql = {0};
    buf_format(&sql, "BEGIN IMMEDIATE;%sPRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT;%c",
               schema, APPLICATION_ID, SCHEMA_VERSION, 0);
    int rc = sql.failed ? SQLITE_NOMEM : sqlite3_exec(h->db, sql.ptr, NULL, NULL, NULL);
    buf_free(&sql);
    return rc == SQLITE_OK ? DG_OK : sqlite_fail(h, err, "create");
}

DgStatus history_open(const char *path, bool read_only, Redactor *redactor, History **out,
                      DgError *err)
{
    *out = NULL;
    if (read_only && !os_exists(path))
        return DG_END;
    sqlite_use_os();
    History *h = os_alloc(sizeof *h);
    if (!h)
        return os_no_memory(err, "opening the run history");
    pthread_mutex_init(&h->lock, NULL);
    h->redactor = redactor;
    h->path = os_alloc(strlen(path) + 1);
    DgStatus status = h->path ? DG_OK : os_no_memory(err, "opening the run history");
    if (h->path)
        memcpy(h->path, path, strlen(path) + 1);
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (status == DG_OK &&
        sqlite3_open_v2(path, &h->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        status = h->db ? sqlite_fail(h, err, "open") : os_no_memory(err, "opening the run history");
    if (status == DG_OK) {
        sqlite3_busy_timeout(h->db, 5000);
        status = verify(h, err);
        /* WAL only once the file is known to be ours: switching writes to it. */
        if ((status == DG_OK || status == DG_END) && !read_only &&
            sqlite3_exec(h->db, "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL", NULL, NULL,
                         NULL) != SQLITE_OK)
            status = sqlite_fail(h, err, "open");
        if (status == DG_END && !read_only)
            status = create(h, err);
    }
    if (status != DG_OK) {
        history_close(h);
        return status;
    }
    *out = h;
    return DG_OK;
}

void history_close(History *h)
{
    if (!h)
        return;
    if (h->db)
        sqlite3_close_v2(h->db);
    pthread_mutex_destroy(&h->lock);
    os_free(h->path);
    os_free(h);
}

sqlite3 *history_db(History *h)
{
    return h->db;
}

/* ---- Statements with arguments: `types` has one letter per argument, t text, i integer ---- */

/* False: no memory; the argument would be NULL. */
static bool bind_text(History *h, sqlite3_stmt *stmt, int i, Str text)
{
    if (text.len == 0)
        return sqlite3_bind_text(stmt, i, "", 0, SQLITE_STATIC) == SQLITE_OK;
    StrBuf clean = {.max = 1 << 20};
    redact_text(h->redactor, text, &clean);
    bool ok = !clean.failed && sqlite3_bind_text64(stmt, i, clean.ptr, clean.len, SQLITE_TRANSIENT,
                                                   SQLITE_UTF8) == SQLITE_OK;
    buf_free(&clean);
    return ok;
}

static DgStatus execute(History *h, DgError *err, const char *sql, const char *types, ...)
{
    sqlite3_stmt *stmt = NULL;
    va_list args;
    pthread_mutex_lock(&h->lock);
    DgStatus status = DG_OK;
    if (sqlite3_prepare_v2(h->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        status = sqlite_fail(h, err, "write");
    va_start(args, types);
    for (int i = 0; types[i] && status == DG_OK; i++) {
        if (types[i] == 't' && !bind_text(h, stmt, i + 1, va_arg(args, Str)))
            status = os_no_memory(err, "writing the run history");
        else if (types[i] != 't')
            sqlite3_bind_int64(stmt, i + 1, va_arg(args, int64_t));
    }
    va_end(args);
    if (status == DG_OK && sqlite3_step(stmt) != SQLITE_DONE)
        status = sqlite_fail(h, err, "write");
    sqlite3_finalize(stmt);
    pthread_mutex_unlock(&h->lock);
    return status;
}

static Str column_text(Arena *a, sqlite3_stmt *stmt, int i)
{
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    return text ? str_copy(a, (Str){text, sqlite3_column_bytes(stmt, i)}) : (Str){0};
}

/* ---- Lease ---- */

DgStatus history_take_lease(History *h, int64_t pid, int64_t now_us, int64_t *epoch, DgError *err)
{
    DG_TRY(execute(h, err, "UPDATE lease SET epoch = epoch + 1, pid = ?, since_us = ?", "ii", pid,
                   now_us));
    LeaseHolder holder;
    DG_TRY(history_read_lease(h, &holder, err));
    *epoch = holder.epoch;
    return DG_OK;
}

DgStatus history_read_lease(History *h, LeaseHolder *out, DgError *err)
{
    sqlite3_stmt *stmt = NULL;
    *out = (LeaseHolder){0};
    pthread_mutex_lock(&h->lock);
    DgStatus status = DG_OK;
    if (sqlite3_prepare_v2(h->db, "SELECT epoch, pid, since_us FROM lease", -1, &stmt, NULL) !=
            SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        status = sqlite_fail(h, err, "read");
    else
        *out = (LeaseHolder){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                             sqlite3_column_int64(stmt, 2)};
    sqlite3_finalize(stmt);
    pthread_mutex_unlock(&h->lock);
    return status;
}

/* ---- Runs and steps ---- */

DgStatus history_run_start(History *h, const RunRow *r, DgError *err)
{
    h->events = 0;
    return execute(h, err,
                   "INSERT INTO runs(id, pipeline, fingerprint, state, selection, job, partition,"
                   " resumed_from, full_refresh, started_us, epoch)"
                   " VALUES(?,?,?,'running',?,?,?,?,?,?,?)",
                   "tttttttiii", r->id, r->pipeline, r->fingerprint, r->selection, r->job,
                   r->partition, r->resumed_from, (int64_t)r->full_refresh, r->started_us, r->epoch);
}

DgStatus history_run_end(History *h, Str id, Str state, int exit_code, Str error, int64_t now_us,
                         DgError *err)
{
    return execute(h, err, "UPDATE runs SET state=?, exit_code=?, error=?, ended_us=? WHERE id=?",
                   "titit", state, (int64_t)exit_code, error, now_us, id);
}

DgStatus history_mark_interrupted(History *h, int64_t now_us, DgError *err)
{
    DG_TRY(execute(h, err,
                   "UPDATE steps SET state='interrupted', ended_us=? WHERE state='running' AND"
                   " run_id IN (SELECT id FROM runs WHERE state='running')",
                   "i", now_us));
    return execute(h, err, "UPDATE runs SET state='interrupted', ended_us=? WHERE state='running'",
                   "i", now_us);
}

DgStatus history_find_run(History *h, Arena *a, Str id, RunRow *out, DgError *err)
{
    static const char by_id[] =
        "SELECT id, pipeline, fingerprint, state, selection, job, partition, resumed_from,"
        " full_refresh, started_us, ended_us, epoch, exit_code, error FROM runs WHERE id = ?1";
    static const char newest[] =
        "SELECT id, pipeline, fingerprint, state, selection, job, partition, resumed_from,"
        " full_refresh, started_us, ended_us, epoch, exit_code, error FROM runs"
        " ORDER BY started_us DESC, rowid DESC LIMIT 1";
    sqlite3_stmt *stmt = NULL;
    pthread_mutex_lock(&h->lock);
    DgStatus status = DG_OK;
    if (sqlite3_prepare_v2(h->db, id.len ? by_id : newest, -1, &stmt, NULL) != SQLITE_OK) {
        status = sqlite_fail(h, err, "read");
    } else {
        if (id.len)
            sqlite3_bind_text(stmt, 1, id.ptr, (int)id.len, SQLITE_STATIC);
        int rc = sqlite3_step(stmt);
        status = rc == SQLITE_ROW ? DG_OK : rc == SQLITE_DONE ? DG_END : sqlite_fail(h, err, "read");
    }
    if (status == DG_OK)
        *out = (RunRow){.id = column_text(a, stmt, 0),
                        .pipeline = column_text(a, stmt, 1),
                        .fingerprint = column_text(a, stmt, 2),
                        .state = column_text(a, stmt, 3),
                        .selection = column_text(a, stmt, 4),
                        .job = column_text(a, stmt, 5),
                        .partition = column_text(a, stmt, 6),
                        .resumed_from = column_text(a, stmt, 7),
                        .full_refresh = sqlite3_column_int(stmt, 8) != 0,
                        .started_us = sqlite3_column_int64(stmt, 9),
                        .ended_us = sqlite3_column_int64(stmt, 10),
                        .epoch = sqlite3_column_int64(stmt, 11),
                        .exit_code = sqlite3_column_int(stmt, 12),
                        .error = column_text(a, stmt, 13)};
    sqlite3_finalize(stmt);
    pthread_mutex_unlock(&h->lock);
    return status;
}

DgStatus history_step(History *h, Str run, const StepRow *s, DgError *err)
{
    return execute(h, err,
                   "INSERT OR REPLACE INTO steps(run_id, step, partition, state, attempt, package,"
                   " started_us, ended_us, rows, bytes, error, error_class)"
                   " VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
                   "ttttitiiiitt", run, s->step, s->partition, s->state, (int64_t)s->attempt,
                   s->package, s->started_us, s->ended_us, s->rows, s->bytes, s->error,
                   s->error_class);
}

DgStatus history_steps(History *h, Arena *a, Str run, StepRows *out, DgError *err)
{
    sqlite3_stmt *stmt = NULL;
    *out = (StepRows){0};
    pthread_mutex_lock(&h->lock);
    DgStatus status = DG_OK;
    int rc = sqlite3_prepare_v2(h->db,
                                "SELECT step, partition, state, package, attempt, started_us,"
                                " ended_us, rows, bytes, error, error_class FROM steps"
                                " WHERE run_id = ?1",
                                -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(stmt, 1, run.ptr, (int)run.len, SQLITE_STATIC);
        while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
            StepRow row = {.step = column_text(a, stmt, 0),
                           .partition = column_text(a, stmt, 1),
                           .state = column_text(a, stmt, 2),
                           .package = column_text(a, stmt, 3),
                           .attempt = sqlite3_column_int(stmt, 4),
                           .started_us = sqlite3_column_int64(stmt, 5),
                           .ended_us = sqlite3_column_int64(stmt, 6),
                           .rows = sqlite3_column_int64(stmt, 7),
                           .bytes = sqlite3_column_int64(stmt, 8),
                           .error = column_text(a, stmt, 9),
                           .error_class = column_text(a, stmt, 10)};
            array_add(a, out, row);
        }
    }
    if (rc != SQLITE_DONE)
        status = sqlite_fail(h, err, "read");
    sqlite3_finalize(stmt);
    pthread_mutex_unlock(&h->lock);
    return status;
}

DgStatus history_materialization(History *h, Str run, Str step, Str asset, Str partition,
                                 int64_t at_us, int64_t rows, Str json, Str package, DgError *err)
{
    return execute(h, err,
                   "INSERT INTO materializations(run_id, step, asset, partition, at_us, rows,"
                   " metadata, package) VALUES(?,?,?,?,?,?,?,?)",
                   "ttttiitt", run, step, asset, partition, at_us, rows, json, package);
}

DgStatus history_check(History *h, Str run, Str asset, Str name, Str partition, int64_t at_us,
                       bool passed, bool warn, bool blocking, Str detail, DgError *err)
{
    return execute(h, err,
                   "INSERT INTO checks(run_id, asset, name, partition, at_us, passed, warn,"
                   " blocking, detail) VALUES(?,?,?,?,?,?,?,?,?)",
                   "ttttiiiit", run, asset, name, partition, at_us, (int64_t)passed, (int64_t)warn,
                   (int64_t)blocking, detail);
}

DgStatus history_event(History *h, Str run, int64_t at_us, const char *kind, Str step,
                       Str partition, const char *level, Str message, DgError *err)
{
    int64_t count = __atomic_add_fetch(&h->events, 1, __ATOMIC_RELAXED);
    if (count > EVENTS_MAX + 1)
        return DG_OK;
    if (count == EVENTS_MAX + 1)
        message = S("more events than are kept for one run; the rest is only in the log");
    return execute(h, err,
                   "INSERT INTO events(run_id, at_us, kind, step, partition, level, message)"
                   " VALUES(?,?,?,?,?,?,?)",
                   "tittttt", run, at_us, str_from(kind), step, partition, str_from(level), message);
}
