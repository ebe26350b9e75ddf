/* hooks_sql.c - a statement on a connection; what it returns can be stored for later hooks. */
#include "runtime/copy/hooks.h"
#include "runtime/copy/rules.h"
#include "runtime/os/os.h"

/* What was stored came from outside: it must not end a quoted text or a name, or begin a comment. */
static DgStatus stored_is_harmless(Copy *c, Str sql, DgError *err)
{
    for (;;) {
        ptrdiff_t at = str_find(sql, S("{store."));
        ptrdiff_t end = at < 0 ? -1 : str_find_char(str_sub(sql, at, sql.len), '}');
        if (end < 0)
            return DG_OK;
        DgValue v;
        Str name = str_sub(sql, at + 1, at + end);
        DG_TRY(copy_variable(c, name, &v, err));
        Str text = expr_text(&c->arena, v);
        for (ptrdiff_t i = 0; i < text.len; i++)
            if (strchr("'\"`\\;\n\r", text.ptr[i]) || (text.ptr[i] == '-' && i && text.ptr[i - 1] == '-') || (text.ptr[i] == '*' && i && text.ptr[i - 1] == '/'))
                return dg_fail(err, DG_DATA, "`{%.*s}` holds characters that do not belong into SQL (quotes, `;`, comments)", FMT(name));
        sql = str_sub(sql, at + end, sql.len);
    }
}

/* `key[0].column` for each value, `key.column` for the first row, `key` for its first value. */
static DgStatus keep_row(Copy *c, Str key, const DgBatch *b, int32_t row, int64_t index, int64_t *cells, const ExprScope *s, DgError *err)
{
    for (int32_t i = 0; i < b->columns_count; i++) {
        DgValue v;
        Str name = b->columns[i].name;
        if (++*cells > HOOK_CELLS_MAX)
            return dg_fail(err, DG_DATA, "a hook's query gives more than %d values to store", HOOK_CELLS_MAX);
        DG_TRY(copy_cells_get(b, i, row, 1, s, &v, err));
        DG_TRY(hook_store(c, str_format(&c->arena, "%.*s[%lld].%.*s", FMT(key), (long long)index, FMT(name)), v, err));
        if (!index)
            DG_TRY(hook_store(c, str_format(&c->arena, "%.*s.%.*s", FMT(key), FMT(name)), v, err));
        if (!index && !i)
            DG_TRY(hook_store(c, key, v, err));
    }
    return DG_OK;
}

static DgStatus keep(Copy *c, Str key, DgRows *rows, DgError *err)
{
    DgBatch b = {0};
    StrBuf buffer = {0};
    ExprScope scope = {.scratch = &c->arena, .buffer = &buffer};
    int64_t count = 0, cells = 0;
    DgStatus status = dg_batch_init(&b, rows->columns, rows->columns_count, DG_BATCH_ROWS, err);
    DgStatus more = DG_OK;
    if (status == DG_OK)
        status = hook_store(c, key, (DgValue){.kind = DG_V_NONE}, err); /* no rows: null */
    while (status == DG_OK && more == DG_OK) {
        more = rows->next(rows, &b, err);
        if (more != DG_OK && more != DG_END)
            status = more;
        for (int32_t i = 0; i < b.rows && status == DG_OK; i++, count++)
            status = count < HOOK_ROWS_MAX ? keep_row(c, key, &b, i, count, &cells, &scope, err)
                                           : dg_fail(err, DG_DATA, "a hook's query gives more than %d rows to store", HOOK_ROWS_MAX);
    }
    dg_batch_release(&b);
    buf_free(&buffer);
    return status;
}

static DgStatus perform(Copy *c, const DgEngine *engine, DgDb *db, Str sql, Str into, DgError *err)
{
    DgRows *rows;
    if (!into.len)
        return engine->exec(db, sql, NULL, err);
    DG_TRY(engine->query(db, sql, &rows, err));
    DgStatus status = keep(c, into, rows, err);
    rows_close(rows);
    return status;
}

DgStatus hook_query(Copy *c, DgValue hook, DgError *err)
{
    Str sql, into, name;
    DgConn conn;
    DgDb *db;
    DG_TRY(stored_is_harmless(c, expr_text(&c->arena, *hook_value(hook, "query")), err));
    DG_TRY(hook_text(c, hook, "query", &sql, err));
    DG_TRY(hook_text(c, hook, "into", &into, err));
    DG_TRY(hook_text(c, hook, "connection", &name, err));
    bool target = !name.len || str_eq(name, c->target.conn.name);
    if (c->merging && !target)
        return dg_fail(err, DG_CONFIG, "inside the load's transaction a query runs on the target, not on `%.*s`", FMT(name));
    if (target && c->target.engine)
        return perform(c, c->target.engine, c->merging ? c->merging : c->target.db, sql, into, err);
    if (c->source.engine && str_eq(name, c->source.conn.name))
        return perform(c, c->source.engine, c->source.db, sql, into, err);
    if (!name.len)
        return dg_fail(err, DG_CONFIG, "the target is no database; say the `connection` of the query");
    DG_TRY(copy_connection(c, name, &conn, err));
    const DgEngine *engine = conn_is_database(&conn) ? engine_find(conn.type) : NULL;
    if (!engine)
        return dg_fail(err, DG_CONFIG, "`%.*s` is no database", FMT(name));
    DG_TRY(engine->open(&conn, &db, err));
    DgStatus status = perform(c, engine, db, sql, into, err);
    engine->close(db);
    return status;
}
