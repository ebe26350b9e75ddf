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
    if (l->explain) {
        buf_add(l->explain, buf_str(&l->sql));
        buf_add(l->explain, S(";\n"));
        if (changed)
            *changed = 0;
        l->sql.len = 0;
        return l->sql.failed ? os_no_memory(err, "making SQL") : DG_OK;
    }
    DgStatus status = l->sql.failed ? os_no_memory(err, "making SQL") : l->engine->exec(l->db, buf_str(&l->sql), changed, err);
    l->sql.len = 0;
    return status;
}

DgStatus load_count(Load *l, int64_t *count, DgError *err)
{
    if (l->explain) /* only rows can tell */
        l->sql.len = 0;
    if (l->explain)
        return DG_OK;
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

void load_drop_staging(Load *l, DgTableName name)
{
    buf_add(&l->sql, str_from(l->d->drop_staging ? l->d->drop_staging : "DROP TABLE "));
    sql_table(&l->sql, l->d, name);
}

DgStatus load_clear_table(Load *l, DgError *err)
{
    load_add(l, l->d->truncate ? "TRUNCATE TABLE %T" : "DELETE FROM %T");
    return load_exec(l, NULL, err);
}

/* ---- Preparing ---- */

bool load_needs_keys(const DgLoadSpec *s)
{
    return (s->disposition >= DG_DISPOSE_UPSERT && s->disposition <= DG_DISPOSE_SCD2) || s->deletes != DG_DELETES_NONE;
}

/* Rows that only have to be appended go straight into the table. */
static bool goes_straight(const Load *l)
{
    bool plain = !load_needs_keys(l->spec) && !l->spec->loaded_at.len && !l->spec->synced_at.len;
    for (int32_t i = 0; i < l->columns_count && plain; i++)
        plain = l->columns[i].action != LOAD_DISCARD_ROW;
    return plain;
}

static DgStatus check_spec(const DgLoadSpec *s, DgError *err)
{
    if (s->package.len < 16)
        return dg_fail(err, DG_BUG, "a load without a package id");
    if (load_needs_keys(s) && !s->keys.count)
        return dg_fail(err, DG_CONFIG, "merging into `%.*s` needs a `primary_key`", FMT(s->table.table));
    return DG_OK;
}

/* A replace that cannot make the table anew inside the transaction empties it instead, when the rows fit it
 * as it is; otherwise another table is filled and renamed. */
static DgStatus prepare_replace(Load *l, const DgColumn *columns, int32_t count, DgLoadSpec *other, DgError *err)
{
    *other = *l->spec;
    other->disposition = DG_DISPOSE_TRUNCATE;
    other->drift = NULL;
    const DgLoadSpec *spec = l->spec;
    l->spec = other;
    DgStatus status = load_plan(l, columns, count, err);
    other->drift = spec->drift;
    bool fits = status == DG_OK && (!l->table.columns_count || other->table_ddl.len || load_same_shape(l));
    if (fits)
        return DG_OK;
    *l->counts = (DgLoadCounts){0};
    l->spec = spec;
    l->renames = status == DG_OK || status == DG_DATA; /* what the old table cannot take does not matter */
    if (!l->renames)
        return status;
    return load_plan(l, columns, count, err);
}

static DgStatus prepare(Load *l, const DgColumn *columns, int32_t count, DgLoadSpec *other, DgError *err)
{
    const DgLoadSpec *s = l->spec;
    DG_TRY(check_spec(s, err));
    l->now_us = os_real_us();
    if (s->disposition == DG_DISPOSE_SCD2) {
        l->valid_from = s->valid_from.len ? s->valid_from : S("_dlt_valid_from");
        l->valid_to = s->valid_to.len ? s->valid_to : S("_dlt_valid_to");
    } else if (s->deletes == DG_DELETES_SOFT) {
        l->deleted_at = s->deleted_column.len ? s->deleted_column : S("_sling_deleted_at");
    }
    if (s->disposition == DG_DISPOSE_REPLACE && !l->d->transactional_ddl && l->nested) {
        *other = *s; /* the lists' tables must change with it, in one transaction */
        other->disposition = DG_DISPOSE_TRUNCATE;
        l->spec = s = other;
        DG_TRY(load_plan(l, columns, count, err));
    } else if (s->disposition == DG_DISPOSE_REPLACE && !l->d->transactional_ddl)
        DG_TRY(prepare_replace(l, columns, count, other, err));
    else
        DG_TRY(load_plan(l, columns, count, err));
    if (!goes_straight(l))
        l->staging = (DgTableName){l->d->update_join ? s->table.schema : (Str){0}, str_format(&l->arena, "_dgc_s_%.*s", 16, s->package.ptr)};
    return l->nested ? load_nested_plan(l, err) : load_nested_forgotten(l, err);
}

/* ---- The transaction ---- */

static DgStatus user_sql(Load *l, Str sql, DgError *err)
{
    buf_add(&l->sql, sql);
    return sql.len ? load_exec(l, NULL, err) : DG_OK;
}

static DgStatus make_table(Load *l, DgError *err)
{
    if (l->spec->disposition == DG_DISPOSE_REPLACE && l->table.columns_count) {
        load_add(l, "DROP TABLE %T");
        DG_TRY(load_exec(l, NULL, err));
    }
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

DgStatus load_fill(Load *l, DgRows *rows, DgError *err)
{
    if (l->d->transactional_ddl)
        DG_TRY(make_table(l, err));
    if (l->exists && l->spec->disposition == DG_DISPOSE_TRUNCATE)
        DG_TRY(load_clear_table(l, err));
    if (l->spec->disposition != DG_DISPOSE_DEFINITION)
        DG_TRY(stage(l, rows, err));
    return l->d->transactional_ddl && !l->exists ? load_make_indexes(l, err) : DG_OK;
}

DgStatus load_around(Load *l, bool after, DgError *err)
{
    return l->spec->around && !l->explain ? l->spec->around(l->spec->context, l->db, after, err) : DG_OK;
}

static DgStatus move_rows(Load *l, DgRows *rows, DgError *err)
{
    DG_TRY(user_sql(l, l->spec->pre_sql, err));
    DG_TRY(load_around(l, false, err));
    DG_TRY(load_swaps(l) ? load_swap(l, rows, err) : load_fill(l, rows, err));
    if (l->nested)
        DG_TRY(load_nested_fill(l, err));
    os_crashpoint("load-merged");
    DG_TRY(user_sql(l, l->spec->post_sql, err));
    return load_around(l, true, err);
}

static DgStatus in_transaction(Load *l, DgRows *rows, DgCursorFn last, void *context, DgError *err)
{
    Str cursor = l->spec->cursor;
    DG_TRY(l->renames ? user_sql(l, l->spec->post_sql, err) : move_rows(l, rows, err));
    if (l->renames)
        DG_TRY(load_around(l, true, err));
    if (last)
        DG_TRY(last(context, &l->arena, &cursor, err));
    DG_TRY(state_write(l, cursor, err));
    return state_fence(l, err);
}

/* What cannot roll back, before the transaction. */
static DgStatus before(Load *l, DgRows *rows, DgError *err)
{
    if (l->d->transactional_ddl)
        return DG_OK;
    if (l->spec->epoch) /* else nobody knows that they are dead */
        DG_TRY(packages_clean(l, err));
    DG_TRY(l->renames ? load_rename(l, rows, err) : load_evolve(l, err));
    return l->nested ? load_nested_evolve(l, err) : DG_OK;
}

/* Where tables do not roll back, the session still has its staging. */
static void drop_left_over(Load *l)
{
    DgError ignored = {0};
    if (l->d->transactional_ddl || !l->staging.table.len)
        return;
    l->sql.len = 0;
    load_add(l, "%sIF EXISTS %S", str_from(l->d->drop_staging));
    load_exec(l, NULL, &ignored);
}

static DgStatus run(Load *l, DgRows *rows, DgCursorFn last, void *last_context, bool *unknown, DgError *err)
{
    DgLoadSpec other;
    DgError ignored = {0};
    if (!l->spec->epoch) /* else the lease was taken from them */
        DG_TRY(state_prepare(l->db, l->spec->table, err));
    if (l->spec->nesting > 0)
        DG_TRY(load_nested_read(l, rows, &rows, err));
    DG_TRY(prepare(l, rows->columns, rows->columns_count, &other, err));
    DG_TRY(before(l, rows, err));
    DG_TRY(l->engine->begin(l->db, DG_TX_WRITE, err));
    DgStatus status = in_transaction(l, rows, last, last_context, err);
    if (status == DG_OK) {
        os_crashpoint("load-commit");
        status = l->engine->commit(l->db, unknown, err);
        if (status == DG_OK)
            os_crashpoint("load-committed");
    }
    if (status != DG_OK && !*unknown) {
        l->engine->rollback(l->db, &ignored);
        drop_left_over(l);
    }
    return status;
}

static void begin(Load *l, DgDb *target, const DgLoadSpec *spec, DgLoadCounts *counts)
{
    *l = (Load){.db = target, .engine = target->engine, .d = target->engine->dialect, .spec = spec, .counts = counts,
                .sql = {.max = LIMIT_SQL_BYTES}};
    *counts = (DgLoadCounts){0};
    arena_init(&l->arena, 256 << 20);
}

DgStatus load_run(DgDb *target, DgRows *rows, const DgLoadSpec *spec, DgCursorFn last, void *last_context, DgLoadCounts *counts,
                  bool *unknown, DgError *err)
{
    Load l;
    *unknown = false;
    begin(&l, target, spec, counts);
    DgStatus status = run(&l, rows, last, last_context, unknown, err);
    load_nested_close(&l);
    buf_free(&l.sql);
    arena_free(&l.arena);
    return status;
}

DgStatus load_explain(DgDb *target, const DgColumn *columns, int32_t count, const DgLoadSpec *spec, StrBuf *out, DgError *err)
{
    Load l;
    DgLoadCounts counts;
    DgLoadSpec other;
    begin(&l, target, spec, &counts);
    l.explain = out;
    if (spec->nesting)
        buf_add(out, S("-- JSON is taken apart into columns and tables once the rows are read\n"));
    DgStatus status = prepare(&l, columns, count, &other, err);
    if (status == DG_OK && !l.d->transactional_ddl)
        status = l.renames ? load_rename(&l, NULL, err) : load_evolve(&l, err);
    if (status == DG_OK)
        status = l.renames ? user_sql(&l, spec->post_sql, err) : move_rows(&l, NULL, err);
    if (status == DG_OK && out->failed)
        status = os_no_memory(err, "explaining a load");
    buf_free(&l.sql);
    arena_free(&l.arena);
    return status;
}
