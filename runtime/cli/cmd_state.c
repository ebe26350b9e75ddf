/* state: the cursors of incremental steps, and a history made anew. */
#include <cJSON.h>
#include <errno.h>
#include <stdio.h>

#include "runtime/cli/cli.h"

#include "runtime/data/batch.h"
#include "runtime/run/step.h"
#include "runtime/os/os.h"

/* "orders" or "orders[2024-05-01]" */
static void split_target(Str target, Str *step, Str *partition)
{
    *step = target;
    *partition = (Str){0};
    if (str_ends(target, S("]")) && str_cut(target, '[', step, partition))
        partition->len--;
}

static DgStatus known_step(const DgPipeline *p, Str name, DgError *err)
{
    Str near = {0};
    int best = 3;
    for (int32_t i = 0; i < p->steps_count; i++) {
        if (str_eq(p->steps[i].name, name))
            return DG_OK;
        int distance = str_distance(name, p->steps[i].name, best);
        if (distance <= best) {
            best = distance - 1;
            near = p->steps[i].name;
        }
    }
    dg_fail(err, DG_USAGE, "there is no step `%.*s`", FMT(name));
    if (near.len)
        dg_hint(err, "a similar step exists: `%.*s`", FMT(near));
    return DG_USAGE;
}

/* Calls `row` for each row of a query; all columns are text. */
typedef DgStatus (*RowFn)(void *context, const Str *cells, DgError *err);
static DgStatus for_rows(DgSession *s, Str sql, RowFn row, void *context, DgError *err)
{
    DgScan *scan;
    DgBatch batch;
    int32_t count;
    DG_TRY(dg_scan_open(s, sql, &scan, err));
    const DgColumn *columns = dg_scan_columns(scan, &count);
    DgStatus status = dg_batch_init(&batch, columns, count, DG_BATCH_ROWS, err);
    bool open = status == DG_OK;
    while (status == DG_OK) {
        dg_batch_reset(&batch);
        DgStatus next = dg_scan_next(scan, &batch, err);
        if (next != DG_OK && next != DG_END)
            status = next;
        for (int32_t r = 0; r < batch.rows && status == DG_OK; r++) {
            Str cells[8];
            for (int32_t c = 0; c < count && c < 8; c++)
                cells[c] = DG_VALID(&batch.vectors[c], r) ? dg_text_get(&batch.vectors[c], r)
                                                          : (Str){0};
            status = row(context, cells, err);
        }
        if (next == DG_END)
            break;
    }
    if (open)
        dg_batch_release(&batch);
    dg_scan_close(scan);
    return status;
}

/* ---- show ---- */

typedef struct Show {
    StrBuf *out;
    bool json;
    int count;
} Show;

static DgStatus show_row(void *context, const Str *cells, DgError *err)
{
    Show *show = context;
    StrBuf *b = show->out;
    if (show->json) {
        buf_add(b, show->count ? S(",\n    {\"step\": ") : S("\n    {\"step\": "));
        buf_json(b, cells[0]);
        buf_add(b, S(", \"partition\": "));
        buf_json(b, cells[1]);
        buf_add(b, S(", \"cursor\": "));
        buf_json(b, cells[2]);
        buf_add(b, S(", \"updated_at\": "));
        buf_json(b, cells[3]);
        buf_char(b, '}');
    } else {
        buf_format(b, "  %.*s%s%.*s%s  %.*s  (%.*s)\n", FMT(cells[0]), cells[1].len ? "[" : "",
                   FMT(cells[1]), cells[1].len ? "]" : "", FMT(cells[2]), FMT(cells[3]));
    }
    show->count++;
    return DG_OK;
}

/* Steps that keep their cursors in their targets. */
static DgStatus show_own(Run *run, int32_t step, Show *show, DgError *err)
{
    DgList cursors = {0};
    const DgStepDef *def = &run->pipeline->steps[step];
    if (!def->ops->cursor)
        return DG_OK;
    DG_TRY(step_cursors(run, step, NULL, &cursors, err));
    for (size_t i = 0; i < cursors.count; i++) {
        const DgPair *pair = &DG_ITEMS(DgPair, cursors)[i];
        Str cells[] = {def->name, {0}, pair->value, pair->key};
        DG_TRY(show_row(show, cells, err));
    }
    return DG_OK;
}

static DgStatus show_state(Cli *cli, Run *run, StrBuf *b, DgError *err)
{
    Show show = {b, cli->json, 0};
    Str path = run_warehouse_path(run);
    DgWarehouse *w = NULL;
    DgSession *s = NULL;
    DgStatus status = DG_OK;
    buf_add(b, cli->json ? S("{\n  \"schema\": \"dgc-state/1\",\n  \"steps\": [") : S(""));
    if (os_exists(path.ptr)) {
        DgWarehouseOptions o = {.path = path, .read_only = true};
        status = dg_warehouse_open(&o, &w, err);
        if (status == DG_OK)
            status = dg_session_open(w, &s, err);
        int64_t kept = 0; /* a pipeline of replications alone has no table of cursors here */
        if (status == DG_OK)
            status = dg_session_int(s, S("SELECT count(*) FROM duckdb_tables() WHERE schema_name = '_dgc' AND table_name = 'state'"), &kept, err);
        if (status == DG_OK && kept)
            status = for_rows(s,
                              S("SELECT step, \"partition\", \"cursor\", CAST(updated_at AS VARCHAR)"
                                " FROM _dgc.state ORDER BY 1, 2"),
                              show_row, &show, err);
        if (s)
            dg_session_close(s);
        dg_warehouse_close(w);
    }
    for (int32_t i = 0; i < cli->pipeline->steps_count && status == DG_OK; i++)
        status = show_own(run, i, &show, err);
    buf_add(b, cli->json ? S("\n  ]\n}\n") : show.count ? S("") : S("no step has a cursor yet\n"));
    return status;
}

/* ---- set, reset ---- */

static DgStatus change(Cli *cli, Run *run, Str target, Str cursor, bool set, StrBuf *b, DgError *err)
{
    Str step, partition;
    DgWarehouse *w;
    DgSession *s;
    Arena *a = &run->arena;
    split_target(target, &step, &partition);
    DG_TRY(known_step(cli->pipeline, step, err));
    if (set) {
        cJSON *json = cJSON_ParseWithLength(cursor.ptr, (size_t)cursor.len);
        cJSON_Delete(json);
        if (!json)
            return dg_fail(err, DG_USAGE, "the cursor `%.*s` is not JSON", FMT(cursor));
    }
    DG_TRY(run_take_home(run, err));
    for (int32_t i = 0; i < cli->pipeline->steps_count; i++) {
        if (!str_eq(cli->pipeline->steps[i].name, step) || !cli->pipeline->steps[i].ops->cursor)
            continue;
        DG_TRY(step_cursors(run, i, &cursor, NULL, err));
        buf_format(b, set ? "cursor of %.*s set\n" : "cursor of %.*s deleted; the next run starts from the beginning\n", FMT(target));
        return DG_OK;
    }
    DG_TRY(warehouse_get(run, &w, err));
    DG_TRY(dg_session_open(w, &s, err));
    Str where = str_format(a, "step = %.*s%s%.*s", FMT(dg_duckdb_text(a, step)),
                           partition.len || set ? " AND \"partition\" = " : "",
                           FMT(partition.len || set ? dg_duckdb_text(a, partition) : S("")));
    int64_t before = 0;
    DgStatus status = dg_session_int(
        s, str_format(a, "SELECT count(*) FROM _dgc.state WHERE %.*s", FMT(where)), &before, err);
    if (status == DG_OK)
        status = dg_session_begin(s, err);
    if (status == DG_OK)
        status = dg_session_exec(s, str_format(a, "DELETE FROM _dgc.state WHERE %.*s", FMT(where)),
                                 err);
    if (status == DG_OK && set)
        status = dg_session_exec(
            s,
            str_format(a, "INSERT INTO _dgc.state VALUES(%.*s, %.*s, %.*s, 'set', %lld,"
                          " make_timestamp(%lld))",
                       FMT(dg_duckdb_text(a, step)), FMT(dg_duckdb_text(a, partition)),
                       FMT(dg_duckdb_text(a, cursor)), (long long)run->epoch,
                       (long long)os_real_us()),
            err);
    if (status == DG_OK)
        status = dg_session_commit(s, err);
    dg_session_close(s);
    if (set)
        buf_format(b, "cursor of %.*s set\n", FMT(target));
    else
        buf_format(b, "%lld cursor%s of %.*s deleted; the next run starts from the beginning\n",
                   (long long)before, before == 1 ? "" : "s", FMT(target));
    return status;
}

/* ---- rebuild ---- */

typedef struct Rebuild {
    Run *run;
    int64_t count;
} Rebuild;

static DgStatus rebuild_row(void *context, const Str *cells, DgError *err)
{
    Rebuild *r = context;
    int64_t rows = -1, at = 0;
    str_to_int(cells[4], &rows);
    str_to_int(cells[5], &at);
    r->count++;
    return history_materialization(r->run->history, cells[0], cells[1], cells[2], cells[3], at, rows,
                                   S("{}"), cells[6], err);
}

static DgStatus set_aside(Run *run, const char *suffix, DgError *err)
{
    Str from = str_format(&run->arena, "%.*s/runs.db%s", FMT(run->options.home), suffix);
    Str to = str_format(&run->arena, "%.*s/runs.db.old-%lld%s", FMT(run->options.home),
                        (long long)(run->started_us / 1000000), suffix);
    if (!os_exists(from.ptr))
        return DG_OK;
    return dg_os.rename(from.ptr, to.ptr) == 0 ? DG_OK : os_fail(err, errno, "rename", from.ptr);
}

static DgStatus rebuild(Run *run, StrBuf *b, DgError *err)
{
    Rebuild r = {run, 0};
    DgWarehouse *w;
    DgSession *s;
    DG_TRY(os_make_folders(str_cstr(&run->arena, run->options.home), err));
    DG_TRY(lease_lock(run, err)); /* nobody may be writing what is set aside */
    DG_TRY(set_aside(run, "", err));
    DG_TRY(set_aside(run, "-wal", err));
    DG_TRY(set_aside(run, "-shm", err));
    DG_TRY(run_take_home(run, err));
    if (os_exists(run_warehouse_path(run).ptr)) {
        DG_TRY(warehouse_get(run, &w, err));
        DG_TRY(dg_session_open(w, &s, err));
        DgStatus status = for_rows(s,
                                   S("SELECT run, step, asset, \"partition\", CAST(\"rows\" AS VARCHAR),"
                                     " CAST(epoch_us(committed_at) AS VARCHAR), package"
                                     " FROM _dgc.loads ORDER BY committed_at"),
                                   rebuild_row, &r, err);
        dg_session_close(s);
        DG_TRY(status);
    }
    buf_format(b, "new history with %lld loads from the warehouse; the old file was kept beside it\n",
               (long long)r.count);
    return DG_OK;
}

int cli_state(Cli *cli)
{
    DgError err = {0};
    Run *run;
    StrBuf b = {0};
    Str verb = cli->words.count ? cli->words.items[0] : S("show");
    size_t words = cli->words.count;
    if (run_open(cli->pipeline, &cli->run, NULL, cli->redactor, &run, &err) != DG_OK)
        return cli_error(cli, &err);
    DgStatus s;
    if (str_eq(verb, S("show")) && words <= 1)
        s = show_state(cli, run, &b, &err);
    else if (str_eq(verb, S("set")) && words == 3)
        s = change(cli, run, cli->words.items[1], cli->words.items[2], true, &b, &err);
    else if (str_eq(verb, S("reset")) && words == 2)
        s = change(cli, run, cli->words.items[1], (Str){0}, false, &b, &err);
    else if (str_eq(verb, S("rebuild")) && words == 1)
        s = rebuild(run, &b, &err);
    else if (str_eq(verb, S("packages")) && words <= 2)
        s = cli_packages(cli, run, words == 2 ? cli->words.items[1] : (Str){0}, &b, &err);
    else if (str_eq(verb, S("abort")) && words == 2)
        s = cli_abort(cli, run, cli->words.items[1], &b, &err);
    else {
        s = dg_fail(&err, DG_USAGE, "`state` is followed by show, set STEP JSON, reset STEP, packages [STEP], abort PACKAGE or rebuild");
        dg_hint(&err, "`state --help` has examples");
    }
    int code = s == DG_OK ? cli_write(&b, 0) : cli_error(cli, &err);
    buf_free(&b);
    run_close(run);
    return code;
}
