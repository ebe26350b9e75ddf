/* explain.c - what `plan` says about a stream: from where, how many rows, to where and how, from which
 * value on, and what happens to the table first. */
#include "runtime/copy/copy.h"
#include "runtime/os/os.h"

static const char *disposition_text(DgDisposition d)
{
    static const char *const texts[] = {
        [DG_DISPOSE_APPEND] = "appends", [DG_DISPOSE_REPLACE] = "replaces the table", [DG_DISPOSE_TRUNCATE] = "replaces the rows",
        [DG_DISPOSE_UPSERT] = "updates known keys, inserts the rest", [DG_DISPOSE_DELETE_INSERT] = "deletes known keys, inserts all",
        [DG_DISPOSE_INSERT_ONLY] = "inserts unknown keys", [DG_DISPOSE_UPDATE_ONLY] = "updates known keys",
        [DG_DISPOSE_SCD2] = "keeps a history", [DG_DISPOSE_DEFINITION] = "makes the table, moves no rows",
    };
    return texts[d];
}

/* Of all that a load would do what changes the table itself. */
static void add_definitions(StrBuf *b, Str statements)
{
    Str line;
    while (statements.len) {
        str_cut(statements, '\n', &line, &statements);
        bool defines = (str_starts(line, S("CREATE TABLE ")) || str_starts(line, S("ALTER TABLE "))) && str_find(line, S("_dgc_")) < 0;
        if (defines)
            buf_format(b, "%.*s\n", FMT(line));
    }
}

static DgStatus range_line(Copy *c, StrBuf *b, DgError *err)
{
    CopyChunks chunks = {0};
    size_t done;
    DG_TRY(chunks_of(&c->arena, &c->s->source_options, &chunks, err));
    DG_TRY(copy_chunks_done(c, &chunks, &done, err));
    buf_format(b, ", where %.*s is from %.*s to %.*s", FMT(c->s->update_key), FMT(chunks.items[0].first), FMT(chunks.items[chunks.count - 1].last));
    if (chunks.count > 1)
        buf_format(b, done ? ", in %zu chunks, going on with chunk %zu" : ", in %zu chunks", chunks.count, done + 1);
    return DG_OK;
}

/* The columns that would come: the query is opened for no rows. */
static DgStatus target_lines(Copy *c, StrBuf *b, DgError *err)
{
    DgLoadSpec spec;
    DgStreamSettings none = *c->s;
    const DgStreamSettings *own = c->s;
    CopyWatch *watch;
    DgRows *rows;
    DG_TRY(copy_make_spec(c, &spec, err));
    DG_TRY(copy_find_cursor(c, err));
    buf_format(b, "%s %.*s", disposition_text(spec.disposition), FMT(c->object));
    for (size_t i = 0; i < spec.keys.count; i++)
        buf_format(b, "%s%.*s", i ? ", " : " by ", FMT(spec.keys.items[i]));
    if (c->s->mode == DG_COPY_BACKFILL && c->source.engine && c->s->source_options.range.len)
        DG_TRY(range_line(c, b, err));
    else if (c->incremental && c->s->update_key.len)
        buf_format(b, c->cursor.len ? ", where %.*s > %.*s" : ", from the first %.*s on", FMT(c->s->update_key), FMT(c->cursor));
    buf_char(b, '\n');
    if (!c->source.engine)
        return DG_OK; /* the types of files are found when they are read */
    none.mode = DG_COPY_DEFINITION_ONLY;
    c->s = &none;
    DgStatus status = copy_open_rows(c, &watch, &rows, err);
    c->s = own;
    DG_TRY(status);
    StrBuf all = {.max = 1 << 20};
    status = load_explain(c->target.db, rows->columns, rows->columns_count, &spec, &all, err);
    rows_close(rows);
    add_definitions(b, buf_str(&all));
    buf_free(&all);
    return status;
}

/* A file that is not there is not made by looking: an empty database in memory says the same. */
static DgStatus open_target(Copy *c, DgError *err)
{
    static const DgPair nowhere = {DG_S("instance"), DG_S(":memory:")};
    DgConn named = c->target.conn;
    if (conn_must_exist(&named, &(DgError){0}) != DG_OK)
        c->target.conn = (DgConn){named.name, named.type, &nowhere, 1};
    DgStatus status = copy_open_end(c, &c->target, err);
    c->target.conn = named;
    return status;
}

static DgStatus describe(Copy *c, StrBuf *b, DgError *err)
{
    DG_TRY(copy_resolve_end(c, &c->step->source, &c->source, err));
    DG_TRY(copy_resolve_end(c, &c->step->target, &c->target, err));
    DG_TRY(copy_name_stream(c, err));
    buf_format(b, "%.*s", FMT(conn_shown(&c->arena, &c->source.conn)));
    if (str_find_char(c->from.table, '*') >= 0 || str_find_char(c->from.table, '?') >= 0) {
        buf_format(b, " %.*s: tables are found when it runs\n", FMT(c->name));
        return DG_OK;
    }
    if (copy_files_apart(c)) {
        buf_format(b, " %.*s: files are found when it runs, each is a stream of its own\n", FMT(c->name));
        return DG_OK;
    }
    DG_TRY(conn_must_exist(&c->source.conn, err));
    DG_TRY(copy_open_end(c, &c->source, err));
    DG_TRY(open_target(c, err));
    DG_TRY(copy_describe_source(c, err));
    DG_TRY(copy_name_object(c, err));
    buf_format(b, " %.*s", FMT(c->name));
    if (c->info.rows_estimate >= 0)
        buf_format(b, ", about %lld rows", (long long)c->info.rows_estimate);
    buf_format(b, "\nto %.*s: ", FMT(conn_shown(&c->arena, &c->target.conn)));
    if (c->target.engine)
        return target_lines(c, b, err);
    buf_format(b, "%.*s\n", FMT(c->object));
    return DG_OK;
}

DgStatus copy_stream_explain(DgStepRun *run, const DgStreamStep *step, DgStr *text, DgError *err)
{
    Copy c = {.run = run, .step = step, .s = &step->settings, .started_us = os_real_us()};
    StrBuf b = {.max = 1 << 20};
    arena_init(&c.arena, 64 << 20);
    c.incremental = (step->settings.mode == DG_COPY_INCREMENTAL || step->settings.mode == DG_COPY_BACKFILL) && !run->run->options.full_refresh;
    DgStatus status = describe(&c, &b, err);
    *text = step_copy(run, buf_str(&b));
    buf_free(&b);
    copy_close_end(&c.source);
    copy_close_end(&c.target);
    arena_free(&c.arena);
    return status;
}
