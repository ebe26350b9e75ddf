/* load_packages.c - packages listed, and what dead ones left dropped.
 *
 * A load is one transaction and leaves nothing but its row in _dgc_loads, with one exception: load_rename,
 * whose package is listed as `loading` while it fills `T__dgc_PACKAGE`.
 */
#include "runtime/load/load_internal.h"
#include "runtime/os/os.h"

DgTableName packages_table(Arena *a, DgTableName table, Str package)
{
    Str begin = str_sub(table.table, 0, 32), id = str_sub(package, 0, 16);
    while (begin.len && begin.len < table.table.len && ((unsigned char)table.table.ptr[begin.len] & 0xC0) == 0x80)
        begin.len--; /* not in the middle of a character */
    return (DgTableName){table.schema, str_format(a, "%.*s__dgc_%.*s", FMT(begin), FMT(id))};
}

/* ---- Listing ---- */

static Str text_at(Arena *a, const DgBatch *b, int32_t column, int32_t row)
{
    return DG_VALID(&b->vectors[column], row) ? str_copy(a, dg_text_get(&b->vectors[column], row)) : (Str){0};
}

static int64_t int_at(const DgBatch *b, int32_t column, int32_t row)
{
    return DG_VALID(&b->vectors[column], row) ? ((const int64_t *)b->vectors[column].values)[row] : 0;
}

static DgStatus read_packages(DgRows *rows, Arena *a, Str schema, DgPackages *out, DgError *err)
{
    DgBatch b;
    DgStatus status = DG_OK;
    for (int32_t i = 0; i < 8; i++) {
        DgTypeKind kind = (DgTypeKind)rows->columns[i].type.kind;
        if (kind != (i < 6 ? DG_TEXT : i == 6 ? DG_INT64 : DG_TIMESTAMP))
            return dg_fail(err, DG_DATA, "table `_dgc_loads` is not as this program makes it: column `%.*s` is %s", FMT(rows->columns[i].name),
                           dg_type_name(kind));
    }
    DG_TRY(dg_batch_init(&b, rows->columns, rows->columns_count, DG_BATCH_ROWS, err));
    while (status == DG_OK) {
        status = rows->next(rows, &b, err);
        for (int32_t row = 0; row < b.rows && (status == DG_OK || status == DG_END); row++) {
            DgPackage p = {.package = text_at(a, &b, 0, row), .stream = text_at(a, &b, 1, row), .run = text_at(a, &b, 2, row),
                           .table = {schema, text_at(a, &b, 3, row)}, .status = text_at(a, &b, 4, row), .cursor = text_at(a, &b, 5, row),
                           .rows = int_at(&b, 6, row), .committed_us = int_at(&b, 7, row)};
            array_add(a, out, p);
        }
    }
    dg_batch_release(&b);
    return status == DG_END ? a->failed ? os_no_memory(err, "reading packages") : DG_OK : status;
}

/* Package, pipeline, status: empty ones are not asked for. */
static DgStatus find_packages(DgDb *db, Arena *a, Str schema, Str package, Str pipeline, Str loading, DgPackages *out, DgError *err)
{
    const DgDialect *d = db->engine->dialect;
    const struct { const char *name; Str is; } conditions[] = {{"package", package}, {"pipeline", pipeline}, {"status", loading}};
    StrBuf sql = {.max = 64 << 10};
    DgRows *rows;
    DgTableInfo info;
    *out = (DgPackages){0};
    DgStatus status = db->engine->describe(db, a, (DgTableName){schema, S("_dgc_loads")}, &info, err);
    if (status != DG_OK)
        return status == DG_END ? DG_OK : status; /* no load yet */
    buf_add(&sql, S("SELECT package, stream, run, table_name, status, state_cursor, rows_read, committed_at FROM "));
    state_table(&sql, d, (DgTableName){schema, {0}}, "_dgc_loads");
    buf_add(&sql, S(" WHERE 1 = 1"));
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (conditions[i].is.len) {
            buf_format(&sql, " AND %s = ", conditions[i].name);
            d->text(&sql, conditions[i].is);
        }
    buf_add(&sql, S(" ORDER BY committed_at, package"));
    status = sql.failed ? os_no_memory(err, "making SQL") : db->engine->query(db, buf_str(&sql), &rows, err);
    buf_free(&sql);
    if (status != DG_OK)
        return status;
    status = read_packages(rows, a, schema, out, err);
    rows_close(rows);
    return status;
}

DgStatus load_packages(DgDb *target, Arena *a, Str schema, Str pipeline, DgPackages *out, DgError *err)
{
    return find_packages(target, a, schema, (Str){0}, pipeline, (Str){0}, out, err);
}

/* ---- Packages that were never finished ---- */

DgStatus packages_announce(Load *l, DgError *err)
{
    const DgLoadSpec *s = l->spec;
    if (l->explain)
        return DG_OK;
    load_add(l, "INSERT INTO ");
    state_table(&l->sql, l->d, s->table, "_dgc_loads");
    load_add(l, " (package, pipeline, run, stream, table_name, status, committed_at) VALUES (%t, %t, %t, %t, %t, 'loading', ", s->package,
             s->pipeline, s->run, s->stream, s->table.table);
    l->d->timestamp_now(&l->sql, os_real_us());
    buf_char(&l->sql, ')');
    return load_exec(l, NULL, err); /* no transaction is open: it commits */
}

/* Tables first, the row last: what is interrupted is still listed. */
static DgStatus drop_package(DgDb *db, Arena *a, const DgPackage *p, DgError *err)
{
    DgTableName new = packages_table(a, p->table, p->package), old = {new.schema, str_format(a, "%.*s_old", FMT(new.table))};
    StrBuf sql = {.max = 64 << 10};
    buf_add(&sql, S("DROP TABLE IF EXISTS "));
    sql_table(&sql, db->engine->dialect, new);
    DgStatus status = db->engine->exec(db, buf_str(&sql), NULL, err);
    sql.len = 0;
    buf_add(&sql, S("DROP TABLE IF EXISTS "));
    sql_table(&sql, db->engine->dialect, old);
    if (status == DG_OK)
        status = db->engine->exec(db, buf_str(&sql), NULL, err);
    sql.len = 0;
    buf_add(&sql, S("DELETE FROM "));
    state_table(&sql, db->engine->dialect, p->table, "_dgc_loads");
    buf_add(&sql, S(" WHERE status = 'loading' AND package = "));
    db->engine->dialect->text(&sql, p->package);
    if (status == DG_OK)
        status = db->engine->exec(db, buf_str(&sql), NULL, err);
    buf_free(&sql);
    return status;
}

DgStatus packages_clean(Load *l, DgError *err)
{
    DgPackages dead;
    if (l->explain)
        return DG_OK;
    DG_TRY(find_packages(l->db, &l->arena, l->spec->table.schema, (Str){0}, l->spec->pipeline, S("loading"), &dead, err));
    for (size_t i = 0; i < dead.count; i++)
        if (str_eq(dead.items[i].stream, l->spec->stream))
            DG_TRY(drop_package(l->db, &l->arena, &dead.items[i], err));
    return DG_OK;
}

DgStatus load_abort(DgDb *target, Str schema, Str package, DgError *err)
{
    Arena a;
    DgPackages found;
    arena_init(&a, 16 << 20);
    DgStatus status = find_packages(target, &a, schema, package, (Str){0}, S("loading"), &found, err);
    if (status == DG_OK)
        status = found.count ? drop_package(target, &a, &found.items[0], err) : DG_END;
    arena_free(&a);
    return status;
}
