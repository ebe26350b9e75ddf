/* status: the last runs, and when each asset was made. */
#include <sqlite3.h>

#include "runtime/cli/cli.h"

#include "runtime/os/os.h"

enum { RUNS_SHOWN = 10 };

static Str text_of(sqlite3_stmt *stmt, int i)
{
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    return text ? (Str){text, sqlite3_column_bytes(stmt, i)} : (Str){0};
}

static DgStatus query_failed(sqlite3 *db, DgError *err)
{
    return dg_fail(err, DG_IO, "could not read the run history: %s", sqlite3_errmsg(db));
}

static void time_or_dash(StrBuf *b, int64_t us)
{
    us > 0 ? cli_time(b, us) : buf_add(b, S("-"));
}

/* ---- Runs ---- */

static void run_line(sqlite3_stmt *s, bool json, int n, StrBuf *b)
{
    int64_t started = sqlite3_column_int64(s, 2), ended = sqlite3_column_int64(s, 3);
    if (json) {
        buf_add(b, n ? S(",\n    {\"run_id\": ") : S("\n    {\"run_id\": "));
        buf_json(b, text_of(s, 0));
        buf_add(b, S(", \"state\": "));
        buf_json(b, text_of(s, 1));
        buf_format(b, ", \"started_us\": %lld, \"ended_us\": %lld, \"exit_code\": %d, \"selection\": ",
                   (long long)started, (long long)ended, sqlite3_column_int(s, 4));
        buf_json(b, text_of(s, 5));
        buf_add(b, S(", \"partition\": "));
        buf_json(b, text_of(s, 6));
        buf_add(b, S(", \"error\": "));
        buf_json(b, text_of(s, 7));
        buf_char(b, '}');
        return;
    }
    buf_format(b, "  %.8s  %-11.*s ", text_of(s, 0).ptr, FMT(text_of(s, 1)));
    cli_time(b, started);
    buf_add(b, S("  "));
    ended ? show_duration(b, (ended - started) / 1000) : buf_add(b, S("-"));
    if (text_of(s, 5).len)
        buf_format(b, "  --select '%.*s'", FMT(text_of(s, 5)));
    if (text_of(s, 6).len)
        buf_format(b, "  --partition %.*s", FMT(text_of(s, 6)));
    if (text_of(s, 7).len)
        buf_format(b, "  %.*s", FMT(text_of(s, 7)));
    buf_char(b, '\n');
}

static DgStatus list_runs(sqlite3 *db, bool json, StrBuf *b, DgError *err)
{
    sqlite3_stmt *s = NULL;
    int n = 0, rc;
    if (sqlite3_prepare_v2(db,
                           "SELECT id, state, started_us, ended_us, exit_code, selection, partition,"
                           " error FROM runs ORDER BY started_us DESC, rowid DESC LIMIT ?1",
                           -1, &s, NULL) != SQLITE_OK)
        return query_failed(db, err);
    sqlite3_bind_int(s, 1, RUNS_SHOWN);
    buf_add(b, json ? S("  \"runs\": [") : S("runs\n"));
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        run_line(s, json, n++, b);
    buf_add(b, !json ? (n ? S("") : S("  none yet\n")) : n ? S("\n  ],\n") : S("],\n"));
    sqlite3_finalize(s);
    return rc == SQLITE_DONE ? DG_OK : query_failed(db, err);
}

/* ---- Assets ---- */

static DgStatus asset_line(sqlite3_stmt *s, const DgAssetDef *d, bool json, bool first, StrBuf *b)
{
    sqlite3_reset(s);
    sqlite3_bind_text(s, 1, d->key.ptr, (int)d->key.len, SQLITE_STATIC);
    int rc = sqlite3_step(s);
    bool made = rc == SQLITE_ROW;
    int64_t at = made ? sqlite3_column_int64(s, 0) : 0, rows = made ? sqlite3_column_int64(s, 1) : -1;
    if (json) {
        buf_add(b, first ? S("\n    {\"key\": ") : S(",\n    {\"key\": "));
        buf_json(b, d->key);
        if (made) {
            buf_format(b, ", \"materialized_us\": %lld, \"rows\": %lld, \"run_id\": ", (long long)at,
                       (long long)rows);
            buf_json(b, text_of(s, 2));
            buf_add(b, S(", \"partition\": "));
            buf_json(b, text_of(s, 3));
            buf_char(b, '}');
        } else {
            buf_add(b, S(", \"materialized_us\": null}"));
        }
        return rc == SQLITE_ROW || rc == SQLITE_DONE ? DG_OK : DG_IO;
    }
    buf_format(b, "  %-32.*s ", FMT(d->key));
    made ? time_or_dash(b, at) : buf_add(b, S("never"));
    if (rows >= 0) {
        buf_add(b, S("  "));
        show_count(b, rows);
        buf_add(b, S(" rows"));
    }
    if (made && text_of(s, 3).len)
        buf_format(b, "  [%.*s]", FMT(text_of(s, 3)));
    buf_char(b, '\n');
    return made || rc == SQLITE_DONE ? DG_OK : DG_IO;
}

static DgStatus list_made(const DgPipeline *p, sqlite3 *db, bool json, StrBuf *b, DgError *err)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db,
                           "SELECT at_us, rows, run_id, partition FROM materializations"
                           " WHERE asset = ?1 ORDER BY at_us DESC, id DESC LIMIT 1",
                           -1, &s, NULL) != SQLITE_OK)
        return query_failed(db, err);
    buf_add(b, json ? S("  \"assets\": [") : S("\nassets\n"));
    bool first = true;
    DgStatus status = DG_OK;
    for (int32_t i = 0; i < p->assets_count && status == DG_OK; i++) {
        if (p->assets[i].step < 0)
            continue;
        status = asset_line(s, &p->assets[i], json, first, b);
        first = false;
    }
    buf_add(b, json ? S("\n  ]\n") : S(""));
    sqlite3_finalize(s);
    return status == DG_OK ? DG_OK : query_failed(db, err);
}

/* ---- One run ---- */

static DgStatus show_run(sqlite3 *db, Str id, bool json, StrBuf *b, DgError *err)
{
    sqlite3_stmt *s = NULL;
    int n = 0, rc;
    if (sqlite3_prepare_v2(db,
                           "SELECT run_id, step, partition, state, attempt, rows, started_us,"
                           " ended_us, error FROM steps WHERE substr(run_id, 1, length(?1)) = ?1"
                           " ORDER BY started_us = 0, started_us, step",
                           -1, &s, NULL) != SQLITE_OK)
        return query_failed(db, err);
    sqlite3_bind_text(s, 1, id.ptr, (int)id.len, SQLITE_STATIC);
    buf_add(b, json ? S("  \"steps\": [") : S(""));
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t started = sqlite3_column_int64(s, 6), ended = sqlite3_column_int64(s, 7);
        if (json) {
            buf_add(b, n ? S(",\n    {\"step\": ") : S("\n    {\"step\": "));
            buf_json(b, text_of(s, 1));
            buf_add(b, S(", \"partition\": "));
            buf_json(b, text_of(s, 2));
            buf_add(b, S(", \"state\": "));
            buf_json(b, text_of(s, 3));
            buf_format(b, ", \"attempts\": %d, \"rows\": %lld, \"started_us\": %lld, \"ended_us\": %lld,"
                          " \"error\": ",
                       sqlite3_column_int(s, 4), (long long)sqlite3_column_int64(s, 5),
                       (long long)started, (long long)ended);
            buf_json(b, text_of(s, 8));
            buf_char(b, '}');
        } else {
            buf_format(b, "  %-32.*s %-12.*s ", FMT(text_of(s, 1)), FMT(text_of(s, 3)));
            ended ? show_duration(b, (ended - started) / 1000) : buf_add(b, S("-"));
            if (text_of(s, 2).len)
                buf_format(b, "  [%.*s]", FMT(text_of(s, 2)));
            if (text_of(s, 8).len)
                buf_format(b, "  %.*s", FMT(text_of(s, 8)));
            buf_char(b, '\n');
        }
        n++;
    }
    buf_add(b, json ? S("\n  ]\n") : S(""));
    sqlite3_finalize(s);
    if (rc != SQLITE_DONE)
        return query_failed(db, err);
    if (n == 0) {
        dg_fail(err, DG_USAGE, "there is no run `%.*s`", FMT(id));
        dg_hint(err, "`status` lists the runs");
        return DG_USAGE;
    }
    return DG_OK;
}

int cli_status(Cli *cli)
{
    DgError err = {0};
    History *h = NULL;
    StrBuf b = {0};
    DgStatus s = cli_history(cli, &h, &err);
    if (cli->json)
        buf_add(&b, S("{\n  \"schema\": \"dgc-status/1\",\n"));
    if (s == DG_OK && h && cli->words.count) {
        s = show_run(history_db(h), cli->words.items[0], cli->json, &b, &err);
    } else if (s == DG_OK && h) {
        s = list_runs(history_db(h), cli->json, &b, &err);
        if (s == DG_OK)
            s = list_made(cli->pipeline, history_db(h), cli->json, &b, &err);
    } else if (s == DG_OK) {
        buf_add(&b, cli->json ? S("  \"runs\": [],\n  \"assets\": []\n")
                              : S("nothing has run yet in this --home\n"));
    }
    if (cli->json)
        buf_add(&b, S("}\n"));
    int code = s == DG_OK ? cli_write(&b, 0) : cli_error(cli, &err);
    buf_free(&b);
    history_close(h);
    return code;
}
