/* mysql_read.c - rows of a SELECT, by the binary protocol, as the server sends them: nothing is stored
 * but one row. (The text protocol would cut FLOAT to six digits.) */
#include <stdio.h>

#include "runtime/base/zone.h"
#include "runtime/data/batch.h"
#include "runtime/db/mysql_internal.h"
#include "runtime/db/value_parse.h"
#include "runtime/os/os.h"

enum { BATCH_BYTES = 8 << 20, FIXED = 128, LONG = 4096, LONG_MANY = 512, VALUE_MAX = 1 << 30 };

typedef enum As { AS_INT, AS_FLOAT, AS_DOUBLE, AS_TIME, AS_BITS, AS_TEXT, AS_GEOMETRY } As;

typedef struct Field {
    As as;
    unsigned native;
    unsigned long length;
    char is_null, cut;
    char *room;              /* the buffer it is fetched into */
} Field;

typedef struct MysqlRows {
    DgRows base;
    MysqlDb *db;
    MysqlStatement *stmt;
    Arena arena;
    DgColumn *columns;
    Field *fields;
    MysqlBind *binds;
    StrBuf text;
    bool done;
} MysqlRows;

static DgStatus stmt_fail(MysqlRows *r, DgError *err)
{
    return my_fail(r->db, err, r->db->api->stmt_errno(r->stmt), r->db->api->stmt_error(r->stmt));
}

static void my_rows_close(DgRows *base)
{
    MysqlRows *r = (MysqlRows *)base;
    if (r->stmt) {
        /* Closing reads what the server still sends, which may be much: it is told to stop first. */
        if (!r->done && r->columns)
            my_kill_query(r->db);
        r->db->api->stmt_close(r->stmt);
    }
    buf_free(&r->text);
    arena_free(&r->arena);
    os_free(r);
}

/* ---- Values ---- */

static DgStatus zero_date(const DgColumn *column, const MysqlTime *t, DgError *err)
{
    dg_fail(err, DG_DATA, "column `%.*s` has the date %04u-%02u-%02u, which is none", FMT(column->name), t->year, t->month, t->day);
    dg_hint(err, "read it as NULL with a query: NULLIF(CAST(column AS CHAR), '0000-00-00')");
    return DG_DATA;
}

static DgStatus read_time(const MysqlTime *t, DgVector *v, int32_t row, const DgColumn *column, DgError *err)
{
    int64_t us = ((int64_t)t->hour * 3600 + t->minute * 60 + t->second) * 1000000 + (int64_t)t->microsecond;
    if (column->type.kind == DG_TIME) {
        us += (int64_t)t->day * 86400000000;
        if ((t->negative && us) || us >= 86400000000) {
            dg_fail(err, DG_DATA, "column `%.*s` has the time %s%02lld:%02d:%02d, which is not one of a day", FMT(column->name),
                    t->negative ? "-" : "", (long long)(us / 3600000000), (int)(us / 60000000 % 60), (int)(us / 1000000 % 60));
            dg_hint(err, "read it as text with a query: CAST(column AS CHAR)");
            return DG_DATA;
        }
        ((int64_t *)v->values)[row] = us;
        return DG_OK;
    }
    if (t->month < 1 || t->month > 12 || t->day < 1 || (int)t->day > civil_month_days(t->year, (int)t->month))
        return zero_date(column, t, err);
    int64_t days = civil_days(t->year, (int)t->month, (int)t->day);
    if (column->type.kind == DG_DATE)
        ((int32_t *)v->values)[row] = (int32_t)days;
    else
        ((int64_t *)v->values)[row] = days * 86400000000 + us;
    return DG_OK;
}

/* A value longer than its buffer: fetched again, whole. */
static DgStatus fetch_long(MysqlRows *r, int32_t i, Str *out, DgError *err)
{
    Field *f = &r->fields[i];
    MysqlBind bind = r->binds[i];
    unsigned long length = f->length;
    char is_null, cut;
    if (length >= VALUE_MAX)
        return dg_fail(err, DG_DATA, "column `%.*s` has a value of %lu bytes, the limit is %d", FMT(r->columns[i].name), length,
                       VALUE_MAX);
    while (r->text.capacity < length + 1 && !r->text.failed) {
        r->text.len = r->text.capacity;
        buf_char(&r->text, ' ');
    }
    r->text.len = 0;
    if (r->text.failed)
        return os_no_memory(err, "for a long value");
    bind.buffer = r->text.ptr;
    bind.buffer_length = length;
    bind.length = &length;
    bind.is_null = &is_null;
    bind.error = &cut;
    if (r->db->api->stmt_fetch_column(r->stmt, &bind, (unsigned)i, 0) != 0)
        return stmt_fail(r, err);
    *out = (Str){r->text.ptr, (ptrdiff_t)f->length};
    return DG_OK;
}

static DgStatus read_value(MysqlRows *r, int32_t i, DgVector *v, int32_t row, DgError *err)
{
    Field *f = &r->fields[i];
    const DgColumn *column = &r->columns[i];
    if (f->is_null) {
        dg_set_null(v, row);
        if (value_is_bytes(column->type) && !dg_text_set(v, row, NULL, 0))
            return os_no_memory(err, "for a batch");
        return DG_OK;
    }
    int64_t whole = 0;
    switch (f->as) {
    case AS_INT:
        memcpy(&whole, f->room, 8);
        if (column->type.kind == DG_UINT64) {
            ((int64_t *)v->values)[row] = whole;
            return DG_OK;
        }
        return value_store_int(v, row, column, whole, err);
    case AS_FLOAT: memcpy((float *)v->values + row, f->room, 4); return DG_OK;
    case AS_DOUBLE: memcpy((double *)v->values + row, f->room, 8); return DG_OK;
    case AS_TIME: return read_time((const MysqlTime *)(const void *)f->room, v, row, column, err);
    case AS_BITS:
        for (unsigned long k = 0; k < f->length && k < 8; k++)
            whole = (int64_t)((uint64_t)whole << 8 | (unsigned char)f->room[k]);
        if (column->type.kind == DG_UINT64) {
            ((int64_t *)v->values)[row] = whole;
            return DG_OK;
        }
        return value_store_int(v, row, column, whole, err);
    case AS_TEXT:
    case AS_GEOMETRY: break;
    }
    Str bytes = {f->room, (ptrdiff_t)f->length};
    if (f->length > r->binds[i].buffer_length)
        DG_TRY(fetch_long(r, i, &bytes, err));
    if (f->as == AS_TEXT)
        return value_is_bytes(column->type) ? value_parse_text(v, row, column, bytes, err) : value_parse(v, row, column, bytes, err);
    StrBuf shape = {0};
    DgStatus status = my_geometry_text(&shape, bytes)
                          ? value_parse_text(v, row, column, buf_str(&shape), err)
                          : dg_fail(err, DG_DATA, "column `%.*s` has a geometry that cannot be read", FMT(column->name));
    buf_free(&shape);
    return status;
}

static DgStatus my_rows_next(DgRows *base, DgBatch *out, DgError *err)
{
    MysqlRows *r = (MysqlRows *)base;
    size_t bytes = 0;
    dg_batch_reset(out);
    DG_TRY(my_cancelled(r->db, err));
    while (!r->done && out->rows < out->rows_max && bytes < BATCH_BYTES) {
        int rc = r->db->api->stmt_fetch(r->stmt);
        if (rc == MY_FETCH_END) {
            r->done = true;
            break;
        }
        if (rc != 0 && rc != MY_FETCH_CUT) {
            DgStatus status = stmt_fail(r, err);
            r->done = true; /* the server sends no more */
            return status;
        }
        bytes = 0;
        for (int32_t i = 0; i < base->columns_count; i++) {
            DG_TRY(read_value(r, i, &out->vectors[i], out->rows, err));
            bytes += out->vectors[i].bytes_count;
        }
        out->rows++;
    }
    return r->done ? DG_END : DG_OK;
}

/* ---- Opening ---- */

static As how_read(const MysqlField *f, DgType type)
{
    switch (f->type) {
    case MY_TINY: case MY_SHORT: case MY_LONG: case MY_INT24: case MY_LONGLONG: case MY_YEAR: return AS_INT;
    case MY_FLOAT: return AS_FLOAT;
    case MY_DOUBLE: return AS_DOUBLE;
    case MY_DATE: case MY_TIME: case MY_DATETIME: case MY_TIMESTAMP: return AS_TIME;
    case MY_BIT: return AS_BITS;
    case MY_GEOMETRY: return AS_GEOMETRY;
    default: return AS_TEXT;
    }
}

static unsigned buffer_type(const MysqlField *f, As as, DgType type)
{
    switch (as) {
    case AS_INT: return MY_LONGLONG;
    case AS_FLOAT: return MY_FLOAT;
    case AS_DOUBLE: return MY_DOUBLE;
    case AS_TIME: return f->type;
    case AS_BITS: case AS_GEOMETRY: return MY_BLOB;
    case AS_TEXT: break;
    }
    return type.kind == DG_BINARY ? MY_BLOB : MY_STRING;
}

static DgStatus bind_columns(MysqlRows *r, MysqlResult *meta, DgError *err)
{
    const MysqlApi *api = r->db->api;
    int32_t n = (int32_t)api->num_fields(meta);
    const MysqlField *fields = api->fetch_fields(meta);
    r->base.columns_count = n;
    r->columns = push(&r->arena, DgColumn, n);
    r->fields = push(&r->arena, Field, n);
    r->binds = push(&r->arena, MysqlBind, n);
    for (int32_t i = 0; i < n && !r->arena.failed; i++) {
        Field *f = &r->fields[i];
        MysqlBind *b = &r->binds[i];
        r->columns[i] = (DgColumn){.name = str_copy(&r->arena, (Str){fields[i].name, (ptrdiff_t)fields[i].name_length}),
                                   .type = my_field_type(api, &fields[i]),
                                   .not_null = fields[i].flags & MY_FLAG_NOT_NULL};
        f->as = how_read(&fields[i], r->columns[i].type);
        f->native = fields[i].type;
        size_t room = f->as == AS_TEXT || f->as == AS_GEOMETRY ? (n > 256 ? LONG_MANY : LONG) : FIXED;
        f->room = arena_push(&r->arena, 1, 16, room);
        b->buffer_type = buffer_type(&fields[i], f->as, r->columns[i].type);
        b->is_unsigned = f->as == AS_INT && r->columns[i].type.kind == DG_UINT64;
        b->buffer = f->room;
        b->buffer_length = room;
        b->length = &f->length;
        b->is_null = &f->is_null;
        b->error = &f->cut;
    }
    if (r->arena.failed)
        return os_no_memory(err, "for the columns of a query");
    r->base.columns = r->columns;
    return api->stmt_bind_result(r->stmt, r->binds) ? stmt_fail(r, err) : DG_OK;
}

static DgStatus start(MysqlRows *r, Str sql, DgError *err)
{
    const MysqlApi *api = r->db->api;
    sql = str_trim(sql);
    while (str_ends(sql, S(";")))
        sql = str_trim(str_sub(sql, 0, sql.len - 1));
    r->stmt = api->stmt_init(r->db->handle);
    if (!r->stmt)
        return os_no_memory(err, "for a query");
    if (api->stmt_prepare(r->stmt, sql.ptr, (unsigned long)sql.len) != 0)
        return stmt_fail(r, err);
    if (api->stmt_param_count(r->stmt))
        return dg_fail(err, DG_FAILED, "the query has a `?` that stands for a value");
    MysqlResult *meta = api->stmt_result_metadata(r->stmt);
    if (!meta)
        return dg_fail(err, DG_FAILED, "the statement returns no rows");
    DgStatus status = api->stmt_execute(r->stmt) ? stmt_fail(r, err) : bind_columns(r, meta, err);
    api->free_result(meta);
    return status;
}

DgStatus my_query(DgDb *base, Str sql, DgRows **out, DgError *err)
{
    MysqlDb *db = (MysqlDb *)base;
    *out = NULL;
    DG_TRY(my_cancelled(db, err));
    MysqlRows *r = os_alloc(sizeof *r);
    if (!r)
        return os_no_memory(err, "for a query");
    arena_init(&r->arena, 64 << 20);
    r->arena.can_fail = true;
    r->db = db;
    r->base.next = my_rows_next;
    r->base.close = my_rows_close;
    DgStatus status = start(r, sql, err);
    if (status != DG_OK)
        my_rows_close(&r->base);
    else
        *out = &r->base;
    return status;
}
