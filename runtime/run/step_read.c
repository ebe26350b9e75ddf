/* step_read.c - what a step may look up: first values of queries, earlier materializations. */
#include <sqlite3.h>

#include "runtime/os/os.h"
#include "runtime/run/run.h"

DgStatus dg_sql_text(DgStepRun *sr, DgStr sql, DgStr *first_value, DgError *err)
{
    DgSession *s;
    Arena arena;
    DG_TRY(step_session(sr, &s, err));
    arena_init(&arena, 64u << 20);
    DgStatus status = dg_session_text(s, &arena, sql, first_value, err);
    if (status == DG_OK)
        *first_value = step_copy(sr, *first_value);
    arena_free(&arena);
    return status;
}

static const char newest[] =
    "SELECT CASE j.type WHEN 'text' THEN json_quote(j.value)"
    " WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(j.value AS TEXT) END"
    " FROM (SELECT metadata FROM materializations WHERE asset = ?1"
    "       ORDER BY at_us DESC, id DESC LIMIT 1) m"
    " JOIN json_each(m.metadata) j ON j.key = ?2";

DgStatus dg_last_metadata(DgStepRun *sr, DgStr asset_key, DgStr name, DgStr *json, DgError *err)
{
    sqlite3 *db = sr->run->history ? history_db(sr->run->history) : NULL;
    sqlite3_stmt *stmt = NULL;
    *json = (DgStr){0};
    if (!db)
        return DG_END;
    DgStatus status = DG_END;
    if (sqlite3_prepare_v2(db, newest, -1, &stmt, NULL) != SQLITE_OK)
        return dg_fail(err, DG_IO, "could not read the run history: %s", sqlite3_errmsg(db));
    sqlite3_bind_text(stmt, 1, asset_key.ptr, (int)asset_key.len, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, name.ptr, (int)name.len, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        const char *value = (const char *)sqlite3_column_text(stmt, 0);
        if (value) {
            *json = step_copy(sr, str_from(value));
            status = DG_OK;
        }
    } else if (rc != SQLITE_DONE) {
        status = dg_fail(err, DG_IO, "could not read the run history: %s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(stmt);
    return status;
}

static bool said_in_this_run(Run *run, Str asset, Str check, bool *passed)
{
    bool found = false;
    pthread_mutex_lock(&run->lock);
    for (int32_t i = 0; i < run->units_count; i++)
        for (size_t k = 0; k < run->units[i].checks.count; k++) {
            const CheckResult *c = &run->units[i].checks.items[k];
            if (!str_eq(c->asset, asset) || !str_eq(c->name, check))
                continue;
            *passed = c->passed && (!found || *passed); /* of all partitions */
            found = true;
        }
    pthread_mutex_unlock(&run->lock);
    return found;
}

DgStatus step_verdict(DgStepRun *sr, Str asset, Str check, bool *passed, DgError *err)
{
    static const char last[] = "SELECT passed FROM checks WHERE asset = ?1 AND name = ?2 ORDER BY at_us DESC, id DESC LIMIT 1";
    sqlite3 *db = sr->run->history ? history_db(sr->run->history) : NULL;
    sqlite3_stmt *stmt = NULL;
    if (said_in_this_run(sr->run, asset, check, passed))
        return DG_OK;
    if (!db)
        return DG_END;
    if (sqlite3_prepare_v2(db, last, -1, &stmt, NULL) != SQLITE_OK)
        return dg_fail(err, DG_IO, "could not read the run history: %s", sqlite3_errmsg(db));
    sqlite3_bind_text(stmt, 1, asset.ptr, (int)asset.len, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, check.ptr, (int)check.len, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    DgStatus status = rc == SQLITE_ROW ? DG_OK : rc == SQLITE_DONE ? DG_END : dg_fail(err, DG_IO, "could not read the run history: %s", sqlite3_errmsg(db));
    *passed = rc == SQLITE_ROW && sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return status;
}
