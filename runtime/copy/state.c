/* state.c - the cursors of a stream, shown and changed where they are: in the target. */
#include "runtime/copy/copy.h"
#include "runtime/data/value_text.h"
#include "runtime/os/os.h"

/* The states of the replication's stream in the schema of its object; a wildcard has many. */
static void add_condition(Copy *c, StrBuf *b)
{
    const DgDialect *d = c->target.engine->dialect;
    StrBuf like = {.max = 4096};
    buf_format(&like, "%.*s/", FMT(c->step->replication));
    for (ptrdiff_t i = 0; i < c->name.len; i++) {
        char ch = c->name.ptr[i];
        if (ch == '%' || ch == '_' || ch == '!')
            buf_char(&like, '!');
        buf_char(&like, ch == '*' || ch == '[' || ch == '{' ? '%' : ch == '?' ? '_' : ch);
        while ((ch == '[' || ch == '{') && i + 1 < c->name.len && c->name.ptr[i] != (ch == '[' ? ']' : '}'))
            i++;
    }
    buf_add(&like, S(" to %"));
    buf_add(b, S(" WHERE pipeline = "));
    d->text(b, c->run->run->pipeline->name);
    buf_add(b, S(" AND stream LIKE "));
    d->text(b, buf_str(&like));
    buf_add(b, S(" ESCAPE '!'"));
    buf_free(&like);
}

static DgStatus show(Copy *c, DgList *cursors, DgError *err)
{
    const DgDialect *d = c->target.engine->dialect;
    StrBuf b = {.max = 64 << 10};
    DgRows *rows;
    DgBatch batch;
    Array(DgPair) found = {0};
    buf_add(&b, S("SELECT stream, state_cursor FROM "));
    sql_table(&b, d, (DgTableName){c->to.schema, S("_dgc_state")});
    add_condition(c, &b);
    buf_add(&b, S(" ORDER BY stream"));
    DgStatus status = c->target.engine->query(c->target.db, buf_str(&b), &rows, err);
    buf_free(&b);
    DG_TRY(status);
    status = dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, err);
    while (status == DG_OK) {
        status = rows->next(rows, &batch, err);
        for (int32_t i = 0; i < batch.rows && (status == DG_OK || status == DG_END); i++) {
            DgPair pair = {step_copy(c->run, dg_text_get(&batch.vectors[0], i)), step_copy(c->run, dg_text_get(&batch.vectors[1], i))};
            array_add(&c->run->arena, &found, pair);
        }
    }
    dg_batch_release(&batch);
    rows_close(rows);
    *cursors = (DgList){found.items, found.count};
    return status == DG_END ? DG_OK : status;
}

static DgStatus change(Copy *c, Str value, DgError *err)
{
    const DgDialect *d = c->target.engine->dialect;
    bool wild = str_find_char(c->name, '*') >= 0 || str_find_char(c->name, '?') >= 0;
    Str cursor = value.len ? value : S(COPY_CURSOR_RESET);
    if (!wild)
        return load_cursor_set(c->target.db, c->to, c->run->run->pipeline->name, copy_state_key(c), cursor, err);
    StrBuf b = {.max = 1 << 20};
    buf_add(&b, S("UPDATE "));
    sql_table(&b, d, (DgTableName){c->to.schema, S("_dgc_state")});
    buf_add(&b, S(" SET state_cursor = "));
    d->text(&b, cursor);
    add_condition(c, &b);
    DgStatus status = c->target.engine->exec(c->target.db, buf_str(&b), NULL, err);
    buf_free(&b);
    return status;
}

/* The manifest has it, together with the files it stands for. */
static DgStatus in_files(Copy *c, const DgStr *value, DgList *cursors, DgError *err)
{
    DgPair *pair = push(&c->run->arena, DgPair, 1);
    bool there = false;
    if (value) {
        dg_fail(err, DG_USAGE, "the cursor of stream `%.*s` lies with its files", FMT(c->step->stream));
        dg_hint(err, "`run --full-refresh --select ...` writes them anew");
        return DG_USAGE;
    }
    if (conn_must_exist(&c->target.conn, err) != DG_OK) /* nothing was written yet */
        return DG_OK;
    DG_TRY(copy_name_stream(c, err));
    DG_TRY(copy_name_object(c, err));
    DG_TRY(copy_open_end(c, &c->target, err));
    DG_TRY(copy_files_cursor(c, pair, &there, err));
    *cursors = (DgList){pair, there ? 1 : 0};
    return DG_OK;
}

static DgStatus act(Copy *c, const DgStr *value, DgList *cursors, DgError *err)
{
    DgTableInfo info;
    DG_TRY(copy_resolve_end(c, &c->step->source, &c->source, err));
    DG_TRY(copy_resolve_end(c, &c->step->target, &c->target, err));
    if (!c->target.engine)
        return in_files(c, value, cursors, err);
    DG_TRY(copy_name_stream(c, err));
    DG_TRY(copy_name_object(c, err));
    DG_TRY(copy_open_end(c, &c->target, err));
    DgStatus status = c->target.engine->describe(c->target.db, &c->arena, (DgTableName){c->to.schema, S("_dgc_state")}, &info, err);
    if (status != DG_OK)
        return status == DG_END ? DG_OK : status;
    return value ? change(c, *value, err) : show(c, cursors, err);
}

DgStatus copy_stream_cursor(DgStepRun *run, const DgStreamStep *step, const DgStr *value, DgList *cursors, DgError *err)
{
    Copy c = {.run = run, .step = step, .s = &step->settings, .started_us = os_real_us()};
    arena_init(&c.arena, 64 << 20);
    DgStatus status = act(&c, value, cursors, err);
    copy_close_end(&c.source);
    copy_close_end(&c.target);
    arena_free(&c.arena);
    return status;
}
