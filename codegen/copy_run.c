/* copy_run.c - one stream as a pipeline of one step. */
#include "codegen/copy_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/copy/settings.h"
#include "runtime/db/engine.h"
#include "runtime/eval/value.h"
#include "runtime/files/fs.h"
#include "runtime/os/os.h"
#include "runtime/pipeline.h"

#ifndef DGC_VERSION
#define DGC_VERSION "0.1.0"
#endif

static DgStatus execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    (void)state;
    return copy_stream(run, config, err);
}

static const DgStepOps copy_ops = {
    .name = "dgc copy", .symbol = "copy_ops", .role = DG_ACTION, .fields = dg_stream_step_fields,
    .config_size = sizeof(DgStreamStep), .execute = execute, .no_warehouse = true,
};

/* ---- What was written, taken apart ---- */

static Str absolute(Arena *a, Str path)
{
    char folder[4096];
    if (str_starts(path, S("/")) || !getcwd(folder, sizeof folder))
        return path;
    return str_format(a, "%s/%.*s", folder, FMT(path));
}

/* A database's URL may name the table: ?table=orders. It becomes properties without that one. */
static DgStatus database_end(Arena *a, Str url, DgConnConfig *out, Str *table, DgError *err)
{
    DgConn conn;
    DG_TRY(conn_from_url(a, url, url, &conn, err));
    DgValuePair *props = push(a, DgValuePair, conn.props_count + 1);
    size_t n = 0;
    for (int32_t i = 0; i < conn.props_count; i++) {
        if (str_eq(conn.props[i].key, S("table"))) {
            *table = conn.props[i].value;
            continue;
        }
        Str value = conn.props[i].value;
        if (str_eq(conn.props[i].key, S("instance")) && value.len)
            value = absolute(a, value);
        props[n++] = (DgValuePair){conn.props[i].key, dgv_from_str(value)};
    }
    *out = (DgConnConfig){.name = conn.type, .type = conn.type, .props = {props, n}};
    return DG_OK;
}

/* `stream` gets the table or path that the text itself names. */
static DgStatus end_of(Arena *a, Str text, DgConnConfig *out, Str *stream, DgError *err)
{
    Str connection, path;
    ptrdiff_t scheme = str_find(text, S("://"));
    if (scheme >= 0 && engine_find(str_sub(text, 0, scheme)))
        return database_end(a, text, out, stream, err);
    if (scheme < 0 && str_find_char(text, '/') < 0 && str_find_char(text, '.') < 0) { /* a name */
        *out = (DgConnConfig){.name = text};
        return DG_OK;
    }
    if (!fs_split_url(a, text, &connection, &path)) {
        dg_fail(err, DG_USAGE, "`%.*s` is neither a URL, a path, nor the name of a connection", FMT(text));
        dg_hint(err, "such as postgres://localhost/shop?table=orders, ./orders.parquet, s3://bucket/orders/");
        return DG_USAGE;
    }
    bool local = scheme < 0 || str_starts(text, S("file://"));
    *out = (DgConnConfig){.name = local ? S("local") : connection};
    *stream = local ? absolute(a, path) : text;
    return DG_OK;
}

static DgList list_of(Arena *a, Str comma)
{
    StrArray items = {0};
    while (comma.len) {
        Str one;
        str_cut(comma, ',', &one, &comma);
        if (str_trim(one).len)
            array_add(a, &items, str_trim(one));
    }
    return (DgList){items.items, items.count};
}

/* Up to the next comma that is in no parentheses: `amount:decimal(12,2),note:string`. */
static Str next_column(Str *text)
{
    ptrdiff_t i = 0;
    for (int depth = 0; i < text->len && (depth > 0 || text->ptr[i] != ','); i++)
        depth += (text->ptr[i] == '(') - (text->ptr[i] == ')');
    Str one = str_sub(*text, 0, i);
    *text = str_sub(*text, i < text->len ? i + 1 : i, text->len);
    return one;
}

static DgValue columns_of(Arena *a, Str text)
{
    DgEval ev;
    dg_eval_init(&ev, a);
    DgValue dict = dg_new_dict(&ev);
    while (text.len) {
        Str one = next_column(&text), name, type;
        if (str_cut(one, ':', &name, &type))
            dg_put(&ev, dict, dgv_from_str(str_trim(name)), dgv_from_str(str_trim(type)));
    }
    return dict;
}

static DgStatus mode_of(const CopyRequest *r, int32_t *mode, DgError *err)
{
    static const char *const names[] = {"", "full-refresh", "incremental", "truncate", "snapshot", "backfill", "definition-only"};
    *mode = r->update_key.len || r->primary_key.len ? DG_COPY_INCREMENTAL : DG_COPY_FULL_REFRESH;
    if (!r->mode.len)
        return DG_OK;
    for (int32_t i = 1; i < 7; i++)
        if (str_eq(r->mode, str_from(names[i]))) {
            *mode = i;
            return DG_OK;
        }
    dg_fail(err, DG_USAGE, "there is no mode `%.*s`", FMT(r->mode));
    dg_hint(err, "modes are full-refresh, incremental, truncate, snapshot, backfill, definition-only");
    return DG_USAGE;
}

/* Who copies a file by hand asked for its columns; Sling's replications add one (stamp.c). */
static void no_stamp(Arena *a, DgStreamStep *step)
{
    if (getenv("SLING_LOADED_AT_COLUMN"))
        return;
    DgValuePair *pair = push(a, DgValuePair, 1);
    *pair = (DgValuePair){.key = S("SLING_LOADED_AT_COLUMN"), .value = {.kind = DG_V_BOOL}};
    step->env = (DgList){pair, 1};
}

static DgStatus make_step(Arena *a, const CopyRequest *r, DgStreamStep *step, DgError *err)
{
    Str stream = {0}, object = {0};
    DG_TRY(end_of(a, r->source, &step->source, &stream, err));
    DG_TRY(end_of(a, r->target, &step->target, &object, err));
    step->stream = r->stream.len ? r->stream : stream.len ? stream : r->sql.len ? S("query") : (Str){0};
    if (!step->stream.len) {
        dg_fail(err, DG_USAGE, "what to copy from `%.*s` is not said", FMT(step->source.name));
        dg_hint(err, "add ?table=schema.table to the URL, or give --table or --sql");
        return DG_USAGE;
    }
    step->asset = S("copy");
    step->replication = S("copy");
    no_stamp(a, step);
    DgStreamSettings *s = &step->settings;
    s->object = r->object.len ? r->object : object;
    s->sql = r->sql;
    s->where = r->where;
    s->update_key = r->update_key;
    s->select = list_of(a, r->select);
    s->primary_key = list_of(a, r->primary_key);
    s->columns = columns_of(a, r->columns);
    s->source_options.limit = r->limit;
    s->max_table_nesting = r->nesting;
    return mode_of(r, &s->mode, err);
}

int copy_run(Arena *a, const CopyRequest *r)
{
    DgError err = {0};
    DgStreamStep *config = push(a, DgStreamStep, 1);
    DgStatus status = make_step(a, r, config, &err);
    if (status != DG_OK) {
        fprintf(stderr, "error: %s\n", err.message);
        if (err.hint[0])
            fprintf(stderr, "  help: %s\n", err.hint);
        return dg_status_exit_code(status);
    }
    static const int32_t first = 0;
    DgAssetDef asset = {.key = S("copy"), .step = 0, .partitions = -1, .site = -1};
    DgStepDef step = {.name = S("copy"), .ops = &copy_ops, .config = config, .assets = {&first, 1},
                      .partitions = -1, .site = -1};
    DgPipeline pipeline = {.name = S("copy"), .version = S(DGC_VERSION), .fingerprint = S("copy"), .source_root = S("."),
                           .assets = &asset, .assets_count = 1, .steps = &step, .steps_count = 1};
    char *argv[12];
    int argc = 0;
    argv[argc++] = str_cstr(a, S("dgc"));
    argv[argc++] = str_cstr(a, S("run"));
    argv[argc++] = str_cstr(a, S("--home"));
    argv[argc++] = str_cstr(a, r->home);
    if (r->progress.len) {
        argv[argc++] = str_cstr(a, S("--progress"));
        argv[argc++] = str_cstr(a, r->progress);
    }
    if (r->json)
        argv[argc++] = str_cstr(a, S("--json"));
    argv[argc] = NULL;
    return dg_main(&pipeline, argc, argv);
}

void copy_remove_home(const char *folder)
{
    DgError ignored = {0};
    os_remove_tree(folder, &ignored);
}
