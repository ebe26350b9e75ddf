/* load.c - one load: prepare, stage, merge, state, commit. */
#include "runtime/load/load_internal.h"
#include "runtime/os/os.h"

/* ---- SQL ---- */

void load_add(Load *l, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    for (const char *p = fmt; *p; p++) {
        if (*p != '%') {
            buf_char(&l->sql, *p);
            continue;
        }
        switch (*++p) {
        case 'T': sql_table(&l->sql, l->d, l->spec->table); break;
        case 'S': sql_table(&l->sql, l->d, l->staging); break;
        case 'A': sql_name(&l->sql, l->d, l->spec->table.table); break;
        case 'B': sql_name(&l->sql, l->d, l->staging.table); break;
        case 'n': sql_name(&l->sql, l->d, va_arg(args, Str)); break;
        case 't': l->d->text(&l->sql, va_arg(args, Str)); break;
        default: buf_add(&l->sql, va_arg(args, Str)); break;
        }
    }
    va_end(args);
}

DgStatus load_exec(Load *l, int64_t *changed, DgError *err)
{
    DgStatus status = l->sql.failed ? os_no_memory(err, "making SQL") : l->engine->exec(l->db, buf_str(&l->sql), changed, err);
    l->sql.len = 0;
    return status;
}

DgStatus load_count(Load *l, int64_t *count, DgError *err)
{
    DgStatus status = l->sql.failed ? os_no_memory(err, "making SQL") : db_int(l->db, buf_str(&l->sql), count, err);
    l->sql.len = 0;
    return status;
}

void load_columns(Load *l, const char *prefix, bool values_only)
{
    bool first = true;
    for (int32_t i = 0; i < l->columns_count; i++) {
        const LoadColumn *c = &l->columns[i];
        if (c->action != LOAD_KEEP || (values_only && c->is_key))
            continue;
        buf_add(&l->sql, first ? S("") : S(", "));
        if (prefix) {
            load_add(l, prefix);
            buf_char(&l->sql, '.');
        }
        load_add(l, "%n", c->name);
        first = false;
    }
}

void load_keys_equal(Load *l, const char *a, const char *b)
{
    bool first = true;
    for (int32_t i = 0; i < l->columns_count; i++) {
        if (!l->columns[i].is_key)
            continue;
        buf_add(&l->sql, first ? S("") : S(" AND "));
        load_add(l, a);
        load_add(l, ".%n = ", l->columns[i].name);
        load_add(l, b);
        load_add(l, ".%n", l->columns[i].name);
        first = false;
    }
}

Str load_row_number(const Load *l)
{
    return l->d->row_number ? S("_dgc_n") : S("rowid");
}

/* ---- Preparing ---- */

static bool needs_keys(const DgLoadSpec *s)
{
    return (s->disposition >= DG_DISPOSE_UPSERT && s->disposition <= DG_DISPOSE_SCD2) || s->deletes != DG_DELETES_NONE;
}

/* Rows that only have to be appended go straight into the table. */
static bool goes_straight(const Load *l)
{
    bool plain = !needs_keys(l->spec) && !l->spec->loaded_at.len && !l->spec->synced_at.len;
    for (int32_t i = 0; i < l->columns_count && plain; i++)
        plain = l->columns[i].action != LOAD_DISCARD_ROW;
    return plain;
}

static DgStatus prepare(Load *l, const DgColumn *columns, int32_t count, DgError *err)
{
    const DgLoadSpec *s = l->spec;
    if (needs_keys(s) && !s->keys.count)
        return dg_fail(err, DG_CONFIG, "merging into `%.*s` needs a `primary_key`", FMT(s->table.table));
    l->now_us = os_real_us();
    if (s->disposition == DG_DISPOSE_SCD2) {
        l->valid_from = s->valid_from.len ? s->valid_from : S("_dlt_valid_from");
        l->valid_to = s->valid_to.len ? s->valid_to : S("_dlt_valid_to");
    } else if (s->deletes == DG_DELETES_SOFT) {
        l->deleted_at = s->deleted_column.len ? s->deleted_column : S("_sling_deleted_at");
    }
    DG_TRY(load_plan(l, columns, count, err));
    if (!goes_straight(l))
        l->staging.table = str_format(&l->arena, "_dgc_s_%.*s", 16, s->package.ptr);
    return DG_OK;
}

/* ---- The transaction ---- */

static DgStatus user_sql(Load *l, Str sql, DgError *err)
{
    return sql.len ? l->engine->exec(l->db, sql, NULL, err) : DG_OK;
}

static DgStatus clear_table(Load *l, DgError *err)
{
    load_add(l, l->d->truncate ? "TRUNCATE TABLE %T" : "DELETE FROM %T");
    return load_exec(l, NULL, err);
}

/* replace: where DDL rolls back, a new table; else the old one emptied. */
static DgStatus drop_old(Load *l, DgError *err)
{
    if (!l->table.columns_count)
        return DG_OK;
    load_add(l, "DROP TABLE %T");
    return load_exec(l, NULL, err);
}

static DgStatus make_table(Load *l, DgError *err)
{
    if (l->spec->disposition == DG_DISPOSE_REPLACE)
        DG_TRY(drop_old(l, err));
    return load_evolve(l, err);
}

static DgStatus stage(Load *l, DgRows *rows, DgError *err)
{
    if (!l->staging.table.len)
        return load_insert(l, l->spec->table, rows, err);
    load_add_create(l, l->staging, l->d->staging, true);
    DG_TRY(load_exec(l, NULL, err));
    DG_TRY(load_insert(l, l->staging, rows, err));
    os_crashpoint("load-staged");
    return load_merge(l, err);
}

static DgStatus fill(Load *l, DgRows *rows, DgError *err)
{
    if (l->d->transactional_ddl)
        DG_TRY(make_table(l, err));
    if (l->exists && l->spec->disposition == DG_DISPOSE_TRUNCATE)
        DG_TRY(clear_table(l, err));
    if (l->spec->disposition == DG_DISPOSE_DEFINITION)
        return DG_OK;
    return stage(l, rows, err);
}

/* In PostgreSQL readers would wait for the whole load if the old table were dropped first: there the
 * new one is filled under another name and takes its place at the end. */
static DgStatus swap(Load *l, DgRows *rows, DgLoadSpec *other, DgError *err)
{
    const DgLoadSpec *spec = l->spec;
    DgTableInfo old = l->table;
    int64_t ignored_rows = 0;
    DgError failed = {0};
    *other = *spec;
    other->table.table = str_format(&l->arena, "_dgc_n_%.*s", 16, spec->package.ptr);
    l->spec = other;
    l->table = (DgTableInfo){0};
    DgStatus status = fill(l, rows, err);
    l->table = old;
    if (status != DG_OK) {
        l->spec = spec;
        return status;
    }
    buf_add(&l->sql, S("SAVEPOINT dgc_swap"));
    DG_TRY(load_exec(l, NULL, err));
    l->spec = spec;
    load_add(l, "DROP TABLE %T");
    status = load_exec(l, NULL, &failed);
    if (status == DG_OK) {
        l->spec = other;
        load_add(l, "ALTER TABLE %T RENAME TO %n", spec->table.table);
        l->spec = spec;
        return load_exec(l, NULL, err);
    }
    /* Views stand on it: it stays, and gets the new rows. */
    buf_add(&l->sql, S("ROLLBACK TO SAVEPOINT dgc_swap"));
    DG_TRY(load_exec(l, NULL, err));
    DG_TRY(clear_table(l, err));
    load_add(l, "INSERT INTO %T (");
    load_columns(l, NULL, false);
    buf_add(&l->sql, S(") SELECT "));
    load_columns(l, NULL, false);
    buf_add(&l->sql, S(" FROM "));
    sql_table(&l->sql, l->d, other->table);
    if (load_exec(l, &ignored_rows, err) != DG_OK) {
        dg_hint(err, "the table could not be replaced either: %s", failed.message);
        return err->status;
    }
    buf_add(&l->sql, S("DROP TABLE "));
    sql_table(&l->sql, l->d, other->table);
    return load_exec(l, NULL, err);
}

static DgStatus in_transaction(Load *l, DgRows *rows, DgCursorFn last, void *context, DgError *err)
{
    DgLoadSpec other;
    Str cursor = l->spec->cursor;
    DG_TRY(user_sql(l, l->spec->pre_sql, err));
    if (l->spec->around)
        DG_TRY(l->spec->around(l->spec->context, l->db, false, err));
    bool swaps = l->d->swaps && l->spec->disposition == DG_DISPOSE_REPLACE && l->table.columns_count;
    DG_TRY(swaps ? swap(l, rows, &other, err) : fill(l, rows, err));
    os_crashpoint("load-merged");
    DG_TRY(user_sql(l, l->spec->post_sql, err));
    if (l->spec->around)
        DG_TRY(l->spec->around(l->spec->context, l->db, true, err));
    if (last)
        DG_TRY(last(context, &l->arena, &cursor, err));
    DG_TRY(state_write(l, cursor, err));
    return state_fence(l, err);
}

/* Engines whose DDL commits by itself make or widen the table before the transaction, which then only
 * moves rows; a replaced table is emptied in it, not dropped. */
DgStatus load_run(DgDb *target, DgRows *rows, const DgLoadSpec *spec, DgCursorFn last, void *last_context, DgLoadCounts *counts,
                  bool *unknown, DgError *err)
{
    Load l = {.db = target, .engine = target->engine, .d = target->engine->dialect, .spec = spec, .counts = counts,
              .sql = {.max = LIMIT_SQL_BYTES}};
    DgLoadSpec emptied;
    DgError ignored = {0};
    *unknown = false;
    *counts = (DgLoadCounts){0};
    arena_init(&l.arena, 256 << 20);
    DgStatus status = state_prepare(target, spec->table, err);
    if (status == DG_OK && !l.d->transactional_ddl && spec->disposition == DG_DISPOSE_REPLACE) {
        emptied = *spec;
        emptied.disposition = DG_DISPOSE_TRUNCATE;
        l.spec = &emptied;
    }
    if (status == DG_OK)
        status = prepare(&l, rows->columns, rows->columns_count, err);
    if (status == DG_OK && !l.d->transactional_ddl)
        status = load_evolve(&l, err);
    bool begun = false;
    if (status == DG_OK) {
        status = target->engine->begin(target, DG_TX_WRITE, err);
        begun = status == DG_OK;
    }
    if (status == DG_OK)
        status = in_transaction(&l, rows, last, last_context, err);
    if (status == DG_OK) {
        os_crashpoint("load-commit");
        status = target->engine->commit(target, unknown, err);
        os_crashpoint("load-committed");
    } else if (begun) {
        target->engine->rollback(target, &ignored);
    }
    buf_free(&l.sql);
    arena_free(&l.arena);
    return status;
}
