/* postgres_insert.c - rows into a table: COPY FROM STDIN, in the binary format where every column's
 * type has one that we make, else in the text format, which PostgreSQL reads into any type.
 */
#include <stdio.h>

#include "runtime/data/value_text.h"
#include "runtime/db/postgres_internal.h"
#include "runtime/os/os.h"

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UWide;

enum { SEND_BYTES = 256 << 10, VALUE_BYTES_MAX = 1 << 30 };

typedef struct Insert {
    Pg *pg;
    DgRows *from;
    Arena arena;
    Oid *targets;  /* type of each column in the table */
    bool binary;
    StrBuf out;
    int64_t rows;
    bool source_failed;
} Insert;

/* ---- Which way ---- */

static bool takes_int(Oid oid)
{
    return oid == PG_INT2 || oid == PG_INT4 || oid == PG_INT8;
}

static bool has_binary(DgType type, Oid to)
{
    switch ((DgTypeKind)type.kind) {
    case DG_BOOL: return to == PG_BOOL;
    case DG_INT8: case DG_INT16: case DG_INT32: case DG_INT64: case DG_UINT8: case DG_UINT16: case DG_UINT32: return takes_int(to) || to == PG_NUMERIC;
    case DG_FLOAT32: return to == PG_FLOAT4 || to == PG_FLOAT8;
    case DG_FLOAT64: return to == PG_FLOAT8;
    case DG_DECIMAL: return to == PG_NUMERIC;
    case DG_TEXT: return to == PG_TEXT || to == PG_VARCHAR || to == PG_BPCHAR;
    case DG_JSON: return to == PG_JSON || to == PG_JSONB || to == PG_TEXT || to == PG_VARCHAR;
    case DG_BINARY: return to == PG_BYTEA;
    case DG_DATE: return to == PG_DATE;
    case DG_TIME: return to == PG_TIME;
    case DG_TIMESTAMP: return to == PG_TIMESTAMP;
    case DG_TIMESTAMPTZ: return to == PG_TIMESTAMPTZ;
    case DG_INTERVAL: return to == PG_INTERVAL;
    case DG_UUID: return to == PG_UUID;
    case DG_UINT64: return false;
    }
    return false;
}

static DgStatus find_targets(Insert *in, DgTableName to, DgError *err)
{
    PGresult *r;
    StrBuf b = {.max = 64 << 10};
    buf_add(&b, S("SELECT attname, atttypid FROM pg_catalog.pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid = "));
    pg_add_regclass(&b, to);
    buf_char(&b, '\0');
    DgStatus status = pg_select(in->pg, b.ptr, &r, err);
    buf_free(&b);
    DG_TRY(status);
    in->targets = push(&in->arena, Oid, in->from->columns_count + 1);
    in->binary = true;
    for (int32_t i = 0; i < in->from->columns_count; i++) {
        for (int k = 0; k < PQntuples(r); k++) {
            int64_t oid = 0;
            if (str_eq(str_from(PQgetvalue(r, k, 0)), in->from->columns[i].name) && str_to_int(str_from(PQgetvalue(r, k, 1)), &oid))
                in->targets[i] = (Oid)oid;
        }
        in->binary = in->binary && has_binary(in->from->columns[i].type, in->targets[i]);
    }
    PQclear(r);
    return DG_OK;
}

/* ---- Binary ---- */

static void put16(StrBuf *b, uint16_t x)
{
    x = __builtin_bswap16(x);
    buf_add(b, (Str){(const char *)&x, 2});
}

static void put32(StrBuf *b, uint32_t x)
{
    x = __builtin_bswap32(x);
    buf_add(b, (Str){(const char *)&x, 4});
}

static void put64(StrBuf *b, uint64_t x)
{
    x = __builtin_bswap64(x);
    buf_add(b, (Str){(const char *)&x, 8});
}

static void put_numeric(StrBuf *b, Wide value, int scale)
{
    uint16_t digits[16];
    int count = 0, pad = (4 - scale % 4) % 4;
    bool negative = value < 0;
    UWide rest = negative ? -(UWide)value : (UWide)value;
    /* The lowest group of four may need zeros behind it; 38 digits and 3 more still fit in ten groups. */
    static const uint64_t tens[] = {1, 10, 100, 1000};
    if (pad) {
        uint64_t unit = tens[4 - pad];
        digits[count++] = (uint16_t)((uint64_t)(rest % unit) * tens[pad]);
        rest /= unit;
    }
    while (rest) {
        digits[count++] = (uint16_t)(rest % 10000);
        rest /= 10000;
    }
    int groups = (scale + 3) / 4; /* behind the point */
    int first = count - 1, last = 0;
    while (first >= 0 && digits[first] == 0)
        first--;
    while (last <= first && digits[last] == 0)
        last++;
    int sent = first >= last ? first - last + 1 : 0;
    put32(b, (uint32_t)(8 + sent * 2));
    put16(b, (uint16_t)sent);
    put16(b, (uint16_t)(sent ? first - groups : 0));
    put16(b, negative && sent ? 0x4000 : 0);
    put16(b, (uint16_t)scale);
    for (int i = first; i >= last; i--)
        put16(b, digits[i]);
}

static DgStatus out_of_range(const Insert *in, int32_t column, DgError *err)
{
    return dg_fail(err, DG_DATA, "column `%.*s` has a value that its table's type cannot hold", FMT(in->from->columns[column].name));
}

static int64_t int_value(const DgVector *v, DgTypeKind kind, int32_t row)
{
    switch (kind) {
    case DG_INT8: return ((const int8_t *)v->values)[row];
    case DG_INT16: return ((const int16_t *)v->values)[row];
    case DG_INT32: return ((const int32_t *)v->values)[row];
    case DG_UINT8: return ((const uint8_t *)v->values)[row];
    case DG_UINT16: return ((const uint16_t *)v->values)[row];
    case DG_UINT32: return ((const uint32_t *)v->values)[row];
    default: return ((const int64_t *)v->values)[row];
    }
}

static DgStatus put_int(Insert *in, int32_t column, int64_t value, DgError *err)
{
    Oid to = in->targets[column];
    if ((to == PG_INT2 && value != (int16_t)value) || (to == PG_INT4 && value != (int32_t)value))
        return out_of_range(in, column, err);
    if (to == PG_NUMERIC) {
        put_numeric(&in->out, value, 0);
        return DG_OK;
    }
    put32(&in->out, to == PG_INT2 ? 2 : to == PG_INT4 ? 4 : 8);
    if (to == PG_INT2)
        put16(&in->out, (uint16_t)value);
    else if (to == PG_INT4)
        put32(&in->out, (uint32_t)value);
    else
        put64(&in->out, (uint64_t)value);
    return DG_OK;
}

static DgStatus put_timestamp(Insert *in, int32_t column, int64_t us, DgError *err)
{
    if (us == INT64_MAX || us == -INT64_MAX)
        us = us > 0 ? INT64_MAX : INT64_MIN;
    else if (__builtin_sub_overflow(us, PG_EPOCH_US, &us))
        return out_of_range(in, column, err);
    put32(&in->out, 8);
    put64(&in->out, (uint64_t)us);
    return DG_OK;
}

static void put_interval(StrBuf *b, const char *at)
{
    int32_t months, days;
    int64_t us;
    memcpy(&months, at, 4);
    memcpy(&days, at + 4, 4);
    memcpy(&us, at + 8, 8);
    put32(b, 16);
    put64(b, (uint64_t)us);
    put32(b, (uint32_t)days);
    put32(b, (uint32_t)months);
}

static DgStatus put_field(Insert *in, int32_t column, const DgVector *v, DgType type, int32_t row, DgError *err)
{
    StrBuf *b = &in->out;
    if (!DG_VALID(v, row)) {
        put32(b, UINT32_MAX);
        return DG_OK;
    }
    switch ((DgTypeKind)type.kind) {
    case DG_BOOL:
        put32(b, 1);
        buf_char(b, ((const char *)v->values)[row]);
        return DG_OK;
    case DG_FLOAT32: {
        float f = ((const float *)v->values)[row];
        double d = (double)f;
        uint64_t wide;
        uint32_t narrow;
        memcpy(&narrow, &f, 4);
        memcpy(&wide, &d, 8);
        put32(b, in->targets[column] == PG_FLOAT4 ? 4 : 8);
        if (in->targets[column] == PG_FLOAT4)
            put32(b, narrow);
        else
            put64(b, wide);
        return DG_OK;
    }
    case DG_FLOAT64:
    case DG_TIME:
        put32(b, 8);
        put64(b, ((const uint64_t *)v->values)[row]);
        return DG_OK;
    case DG_DECIMAL: {
        Wide value;
        memcpy(&value, (const char *)v->values + (size_t)row * 16, 16);
        put_numeric(b, value, type.scale);
        return DG_OK;
    }
    case DG_TEXT: case DG_JSON: case DG_BINARY: {
        Str s = dg_text_get(v, row);
        bool version = in->targets[column] == PG_JSONB;
        if (type.kind != DG_BINARY && memchr(s.ptr, 0, (size_t)s.len))
            return dg_fail(err, DG_DATA, "column `%.*s` has text with a NUL, which PostgreSQL cannot hold", FMT(in->from->columns[column].name));
        put32(b, (uint32_t)s.len + version);
        if (version)
            buf_char(b, 1);
        buf_add(b, s);
        return DG_OK;
    }
    case DG_DATE: {
        int32_t days = ((const int32_t *)v->values)[row];
        put32(b, 4);
        put32(b, days == INT32_MAX ? INT32_MAX : days == -INT32_MAX ? (uint32_t)INT32_MIN : (uint32_t)(days - PG_EPOCH_DAYS));
        return DG_OK;
    }
    case DG_TIMESTAMP: case DG_TIMESTAMPTZ: return put_timestamp(in, column, ((const int64_t *)v->values)[row], err);
    case DG_INTERVAL: put_interval(b, (const char *)v->values + (size_t)row * 16); return DG_OK;
    case DG_UUID:
        put32(b, 16);
        buf_add(b, (Str){(const char *)v->values + (size_t)row * 16, 16});
        return DG_OK;
    default: return put_int(in, column, int_value(v, type.kind, row), err);
    }
}

/* ---- Text ---- */

static void put_text(Insert *in, const DgVector *v, DgType type, int32_t row, StrBuf *scratch)
{
    StrBuf *b = &in->out;
    if (!DG_VALID(v, row)) {
        buf_add(b, S("\\N"));
        return;
    }
    if (type.kind == DG_BINARY)
        buf_add(b, S("\\\\x"));
    scratch->len = 0;
    value_write_text(scratch, v, type, row);
    for (size_t i = 0; i < scratch->len; i++) {
        char c = scratch->ptr[i];
        if (c == '\\' || c == '\t' || c == '\n' || c == '\r') {
            buf_char(b, '\\');
            c = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
        }
        buf_char(b, c);
    }
}

/* ---- The whole ---- */

static DgStatus flush(Insert *in, DgError *err)
{
    if (in->out.failed)
        return os_no_memory(err, "sending rows");
    if (in->out.len && PQputCopyData(in->pg->conn, in->out.ptr, (int)in->out.len) != 1)
        return pg_fail(in->pg, NULL, err);
    in->out.len = 0;
    return DG_OK;
}

static DgStatus send_batch(Insert *in, const DgBatch *batch, StrBuf *scratch, DgError *err)
{
    for (int32_t row = 0; row < batch->rows; row++) {
        if (in->binary)
            put16(&in->out, (uint16_t)batch->columns_count);
        for (int32_t i = 0; i < batch->columns_count; i++) {
            DgType type = in->from->columns[i].type;
            if (in->binary) {
                DG_TRY(put_field(in, i, &batch->vectors[i], type, row, err));
                continue;
            }
            if (i)
                buf_char(&in->out, '\t');
            put_text(in, &batch->vectors[i], type, row, scratch);
        }
        if (!in->binary)
            buf_char(&in->out, '\n');
        if (in->out.len >= SEND_BYTES)
            DG_TRY(flush(in, err));
    }
    in->rows += batch->rows;
    return DG_OK;
}

static DgStatus send_all(Insert *in, DgError *err)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
    DgBatch batch;
    StrBuf scratch = {.max = VALUE_BYTES_MAX};
    DG_TRY(dg_batch_init(&batch, in->from->columns, in->from->columns_count, DG_BATCH_ROWS, err));
    if (in->binary)
        buf_add(&in->out, (Str){header, 19});
    DgStatus status;
    do {
        status = in->from->next(in->from, &batch, err);
        in->source_failed = status != DG_OK && status != DG_END;
        if ((status == DG_OK || status == DG_END) && batch.rows) {
            DgStatus sent = send_batch(in, &batch, &scratch, err);
            status = sent == DG_OK ? status : sent;
        }
    } while (status == DG_OK);
    if (status == DG_END && in->binary)
        put16(&in->out, UINT16_MAX);
    if (status == DG_END)
        status = flush(in, err);
    dg_batch_release(&batch);
    buf_free(&scratch);
    return status;
}

/* The server's own words about a row come only at the end; they are the reason then. */
static DgStatus end_copy(Insert *in, DgStatus status, DgError *err)
{
    PGconn *conn = in->pg->conn;
    PGresult *r;
    bool lost = status == DG_UNAVAILABLE && !in->source_failed;
    PQputCopyEnd(conn, status == DG_OK ? NULL : "given up");
    while ((r = PQgetResult(conn))) {
        ExecStatusType s = PQresultStatus(r);
        if (s != PGRES_COMMAND_OK && (status == DG_OK || lost)) {
            status = pg_fail(in->pg, r, err);
            lost = false;
            continue;
        }
        PQclear(r);
        if (s == PGRES_COPY_IN)
            break; /* the connection is gone */
    }
    return status;
}

DgStatus pg_insert(DgDb *db, DgTableName to, DgRows *from, int64_t *rows, DgError *err)
{
    Insert in = {.pg = (Pg *)db, .from = from, .out = {.max = VALUE_BYTES_MAX}};
    StrBuf sql = {.max = LIMIT_SQL_BYTES};
    arena_init(&in.arena, 1 << 22);
    DgStatus status = find_targets(&in, to, err);
    buf_add(&sql, S("COPY "));
    sql_table(&sql, &dg_dialect_postgres, to);
    for (int32_t i = 0; i < from->columns_count; i++) {
        buf_add(&sql, i ? S(", ") : S(" ("));
        sql_name(&sql, &dg_dialect_postgres, from->columns[i].name);
    }
    buf_add(&sql, in.binary ? S(") FROM STDIN (FORMAT binary)") : S(") FROM STDIN"));
    buf_char(&sql, '\0');
    if (status == DG_OK && sql.failed)
        status = os_no_memory(err, "making SQL");
    if (status == DG_OK) {
        PGresult *r = PQexec(in.pg->conn, sql.ptr);
        if (!r || PQresultStatus(r) != PGRES_COPY_IN) {
            status = pg_fail(in.pg, r, err);
        } else {
            PQclear(r);
            status = send_all(&in, err);
            status = end_copy(&in, status, err);
        }
    }
    *rows = in.rows;
    buf_free(&sql);
    buf_free(&in.out);
    arena_free(&in.arena);
    return status;
}
