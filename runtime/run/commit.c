/* The commit protocol.
 *
 * A step's rows, its cursor and its package rows are one warehouse transaction. The package rows
 * (run, step, partition, package id) are how anyone can tell later whether it happened:
 *
 *     begin; load...; _dgc.state; _dgc.loads; compare epochs; commit; then the run history
 *
 * A crash before the commit leaves nothing; one after it leaves the package rows, which the next
 * start finds. A commit that fails in a way that does not tell is looked up by package id.
 *
 * Fencing: who takes the lease counts `epoch` up, in the run history and in _dgc.lease. A runner
 * that was paused, and whose lease went to another one, finds a larger number and does not commit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/run/run.h"

static const char bookkeeping[] =
    "CREATE SCHEMA IF NOT EXISTS _dgc;"
    "CREATE TABLE IF NOT EXISTS _dgc.state(step VARCHAR NOT NULL, \"partition\" VARCHAR NOT NULL,"
    " \"cursor\" VARCHAR NOT NULL, package VARCHAR NOT NULL, epoch BIGINT NOT NULL,"
    " updated_at TIMESTAMP NOT NULL);"
    "CREATE TABLE IF NOT EXISTS _dgc.loads(package VARCHAR NOT NULL, run VARCHAR NOT NULL,"
    " step VARCHAR NOT NULL, asset VARCHAR NOT NULL, \"partition\" VARCHAR NOT NULL,"
    " \"rows\" BIGINT, committed_at TIMESTAMP NOT NULL);"
    "CREATE TABLE IF NOT EXISTS _dgc.lease(epoch BIGINT NOT NULL);"
    "INSERT INTO _dgc.lease SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM _dgc.lease);";

Str run_warehouse_path(Run *run)
{
    return str_format(&run->arena, "%.*s/%.*s.duckdb", FMT(run->options.home),
                      FMT(run->pipeline->name));
}

static DgStatus fenced_off(Run *run, DgError *err)
{
    dg_fail(err, DG_TEMPFAIL, "another run has taken over this pipeline; nothing was committed");
    dg_hint(err, "this process was held up for so long that its lease was given away");
    pthread_mutex_lock(&run->lock);
    run->fatal = *err; /* not a step's failure: nothing more may be done */
    pthread_mutex_unlock(&run->lock);
    return DG_TEMPFAIL;
}

/* ---- Opening the warehouse ---- */

static DgStatus prepare(Run *run, DgWarehouse *w, DgError *err)
{
    DgSession *s;
    DG_TRY(dg_session_open(w, &s, err));
    int64_t epoch = 0;
    DgStatus status = dg_session_exec(s, str_from(bookkeeping), err);
    if (status == DG_OK)
        status = dg_session_int(s, S("SELECT max(epoch) FROM _dgc.lease"), &epoch, err);
    /* Behind the warehouse's count: the history was rebuilt, or is another one's. Catch up. */
    if (status == DG_OK && run->epoch && epoch > run->epoch) {
        while (status == DG_OK && run->epoch <= epoch)
            status = history_take_lease(run->history, getpid(), os_real_us(), &run->epoch, err);
    }
    if (status == DG_OK && run->epoch) {
        char sql[96];
        snprintf(sql, sizeof sql, "UPDATE _dgc.lease SET epoch = %lld", (long long)run->epoch);
        status = dg_session_exec(s, str_from(sql), err);
    }
    dg_session_close(s);
    for (int32_t i = 0; i < run->pipeline->assets_count && status == DG_OK; i++) {
        const DgAssetDef *asset = &run->pipeline->assets[i];
        bool seen = asset->schema.len == 0 || asset->step < 0 || !run->asset_chosen ||
                    !run->asset_chosen[i];
        for (int32_t k = 0; k < i && !seen; k++)
            seen = run->asset_chosen[k] && run->pipeline->assets[k].step >= 0 &&
                   str_eq(run->pipeline->assets[k].schema, asset->schema);
        if (!seen)
            status = dg_warehouse_schema(w, asset->schema, err);
    }
    return status;
}

static DgStatus open_warehouse(Run *run, DgError *err)
{
    int64_t memory = run->options.memory_max;
    DgWarehouseOptions o = {.path = run_warehouse_path(run),
                            .memory_max = memory / 4 * 3, /* the rest is for batches */
                            .threads = run->options.threads, .read_only = run->options.reading};
    DG_TRY(dg_warehouse_open(&o, &run->warehouse, err));
    DgStatus status = run->options.reading ? DG_OK : prepare(run, run->warehouse, err);
    if (status != DG_OK) {
        dg_warehouse_close(run->warehouse);
        run->warehouse = NULL;
    }
    return status;
}

DgStatus warehouse_get(Run *run, DgWarehouse **out, DgError *err)
{
    pthread_mutex_lock(&run->warehouse_lock);
    DgStatus status = DG_OK;
    if (run->warehouse_failed) {
        *err = run->warehouse_error;
        status = err->status;
    } else if (!run->warehouse) {
        status = open_warehouse(run, err);
        if (status != DG_OK) { /* once is enough: every other step would wait for the same */
            run->warehouse_failed = true;
            run->warehouse_error = *err;
        }
    }
    *out = run->warehouse;
    pthread_mutex_unlock(&run->warehouse_lock);
    return status;
}

/* ---- Lease ---- */

/* Who has it stands in the file: "PID SINCE", in microseconds. */
static DgStatus held_by_another(const Run *run, const char *path, DgError *err)
{
    char text[64] = {0};
    size_t got;
    int64_t since_us = 0;
    Str pid, since;
    int fd;
    StrBuf when = {.max = 64};
    if (os_open(path, O_RDONLY, 0, &fd, err) == DG_OK) {
        os_read_some(fd, text, sizeof text - 1, &got, path, err);
        os_close(fd);
    }
    str_cut(str_trim(str_from(text)), ' ', &pid, &since);
    str_to_int(since, &since_us);
    CivilTime t = civil_from_seconds(since_us / 1000000);
    civil_format(&when, S("%Y-%m-%d %H:%M:%S UTC"), &t, 0);
    if (pid.len && since_us)
        dg_fail(err, DG_TEMPFAIL, "another run is going on: process %.*s, since %.*s", FMT(pid),
                FMT(buf_str(&when)));
    else
        dg_fail(err, DG_TEMPFAIL, "another run is going on");
    dg_hint(err, "wait for it to end, or use another --home");
    buf_free(&when);
    return DG_TEMPFAIL;
}

DgStatus lease_lock(Run *run, DgError *err)
{
    char path[4096], text[64];
    if (run->lease_fd >= 0)
        return DG_OK;
    snprintf(path, sizeof path, "%.*s/lease", FMT(run->options.home));
    DG_TRY(os_open(path, O_RDWR | O_CREAT, 0666, &run->lease_fd, err));
    int rc;
    do
        rc = dg_os.flock(run->lease_fd, LOCK_EX | LOCK_NB);
    while (rc != 0 && errno == EINTR);
    if (rc == 0) {
        /* Only for the message that another one gives: no need for it to be safe. */
        int n = snprintf(text, sizeof text, "%lld %lld\n", (long long)getpid(),
                         (long long)os_real_us());
        DgError ignored = {0};
        if (dg_os.ftruncate(run->lease_fd, 0) == 0)
            os_write_all(run->lease_fd, text, (size_t)n, path, &ignored);
        /* Nobody else runs here: what a killed run has left on its way is of no use. */
        snprintf(path, sizeof path, "%.*s/tmp", FMT(run->options.home));
        os_remove_tree(path, &ignored);
        return DG_OK;
    }
    int number = errno;
    lease_release(run);
    return number == EWOULDBLOCK ? held_by_another(run, path, err)
                                 : os_fail(err, number, "lock", path);
}

void lease_release(Run *run)
{
    os_close(run->lease_fd); /* closing gives the lock back */
    run->lease_fd = -1;
}

/* ---- Committing a step ---- */

static void add_text(StrBuf *sql, Arena *a, Str text)
{
    buf_add(sql, dg_duckdb_text(a, text));
}

static void add_state(DgStepRun *sr, StrBuf *sql, Arena *a)
{
    buf_add(sql, S("DELETE FROM _dgc.state WHERE step = "));
    add_text(sql, a, sr->def->name);
    buf_add(sql, S(" AND \"partition\" = "));
    add_text(sql, a, sr->unit->partition);
    buf_add(sql, S("; INSERT INTO _dgc.state VALUES("));
    add_text(sql, a, sr->def->name);
    buf_add(sql, S(", "));
    add_text(sql, a, sr->unit->partition);
    buf_add(sql, S(", "));
    add_text(sql, a, sr->new_cursor);
    buf_format(sql, ", '%s', %lld, make_timestamp(%lld)); ", sr->unit->package,
               (long long)sr->run->epoch, (long long)os_real_us());
}

static void add_load(DgStepRun *sr, StrBuf *sql, Arena *a, Str asset)
{
    buf_format(sql, "INSERT INTO _dgc.loads VALUES('%s', '%s', ", sr->unit->package, sr->run->id);
    add_text(sql, a, sr->def->name);
    buf_add(sql, S(", "));
    add_text(sql, a, asset);
    buf_add(sql, S(", "));
    add_text(sql, a, sr->unit->partition);
    if (sr->unit->rows > 0 || sr->def->ops->role != DG_ACTION)
        buf_format(sql, ", %lld", (long long)sr->unit->rows);
    else
        buf_add(sql, S(", NULL")); /* an action that did not say */
    buf_format(sql, ", make_timestamp(%lld)); ", (long long)os_real_us());
}

static DgStatus write_bookkeeping(DgStepRun *sr, DgError *err)
{
    StrBuf sql = {0};
    Arena *a = &sr->arena;
    pthread_mutex_lock(&sr->lock);
    if (sr->cursor_set)
        add_state(sr, &sql, a);
    for (int32_t i = 0; i < sr->def->assets.count; i++)
        add_load(sr, &sql, a, sr->run->pipeline->assets[sr->def->assets.items[i]].key);
    pthread_mutex_unlock(&sr->lock);
    DgStatus status = DG_OK;
    if (sql.failed)
        status = os_no_memory(err, "committing");
    else if (sql.len)
        status = dg_session_exec(sr->session, buf_str(&sql), err);
    buf_free(&sql);
    return status;
}

static DgStatus check_fence(DgStepRun *sr, DgError *err)
{
    LeaseHolder holder;
    int64_t epoch = 0;
    DG_TRY(history_read_lease(sr->run->history, &holder, err));
    DG_TRY(dg_session_int(sr->session, S("SELECT max(epoch) FROM _dgc.lease"), &epoch, err));
    return holder.epoch == sr->run->epoch && epoch <= sr->run->epoch ? DG_OK
                                                                        : fenced_off(sr->run, err);
}

/* After a commit that failed: is the package there? */
static DgStatus look_up_package(DgStepRun *sr, bool *there, DgError *err)
{
    DgSession *s;
    DgWarehouse *w;
    int64_t count = 0;
    DG_TRY(warehouse_get(sr->run, &w, err));
    DG_TRY(dg_session_open(w, &s, err));
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM _dgc.loads WHERE package = '%s'",
             sr->unit->package);
    DgStatus status = dg_session_int(s, str_from(sql), &count, err);
    dg_session_close(s);
    *there = count > 0;
    return status;
}

DgStatus commit_step(DgStepRun *sr, bool *unknown, DgError *err)
{
    *unknown = false;
    if (!sr->session)
        return DG_OK;
    DG_TRY(write_bookkeeping(sr, err));
    pthread_mutex_lock(&sr->run->lock);
    sr->unit->committing = true;
    pthread_mutex_unlock(&sr->run->lock);
    DG_TRY(check_fence(sr, err));
    os_crashpoint("commit");
    DgStatus status = dg_session_commit(sr->session, err);
    os_crashpoint("committed");
    if (status == DG_OK || sr->def->assets.count == 0)
        return status;
    bool there = false;
    DgError probe = {0};
    if (look_up_package(sr, &there, &probe) != DG_OK) {
        *unknown = true;
        dg_hint(err, "whether it was committed could not be found out either: %s", probe.message);
        return status;
    }
    return there ? DG_OK : status;
}

DgStatus commit_probe(Run *run, Str run_id, Str step, Str partition, bool *done, int64_t *rows,
                      DgError *err)
{
    *done = false;
    if (!os_exists(str_cstr(&run->arena, run_warehouse_path(run))))
        return DG_OK;
    DgWarehouse *w;
    DgSession *s;
    int64_t count = 0;
    DG_TRY(warehouse_get(run, &w, err));
    DG_TRY(dg_session_open(w, &s, err));
    Arena *a = &run->arena;
    Str where = str_format(a, "FROM _dgc.loads WHERE run = %.*s AND step = %.*s AND"
                              " \"partition\" = %.*s",
                           FMT(dg_duckdb_text(a, run_id)), FMT(dg_duckdb_text(a, step)),
                           FMT(dg_duckdb_text(a, partition)));
    DgStatus status = dg_session_int(s, str_format(a, "SELECT count(*) %.*s", FMT(where)), &count,
                                     err);
    if (status == DG_OK && count)
        status = dg_session_int(s, str_format(a, "SELECT max(\"rows\") %.*s", FMT(where)), rows, err);
    dg_session_close(s);
    *done = count > 0;
    return status;
}
