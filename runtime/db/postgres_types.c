/* postgres_types.c - PostgreSQL's types both ways, and its dialect. */
#include <stdio.h>

#include "runtime/data/batch.h"
#include "runtime/db/postgres_internal.h"
#include "runtime/db/value_parse.h"

enum { LOOSE_PRECISION = 38, LOOSE_SCALE = 9 }; /* of a numeric without limits */

bool pg_native_type(Oid oid, int modifier, DgType *out)
{
    static const struct { Oid oid; DgTypeKind kind; } types[] = {
        {PG_BOOL, DG_BOOL}, {PG_BYTEA, DG_BINARY}, {PG_INT8, DG_INT64}, {PG_INT2, DG_INT16}, {PG_INT4, DG_INT32}, {PG_TEXT, DG_TEXT},
        {PG_OID, DG_UINT32}, {PG_JSON, DG_JSON}, {PG_FLOAT4, DG_FLOAT32}, {PG_FLOAT8, DG_FLOAT64}, {PG_BPCHAR, DG_TEXT}, {PG_VARCHAR, DG_TEXT},
        {PG_NAME, DG_TEXT}, {PG_DATE, DG_DATE}, {PG_TIME, DG_TIME}, {PG_TIMESTAMP, DG_TIMESTAMP}, {PG_TIMESTAMPTZ, DG_TIMESTAMPTZ},
        {PG_INTERVAL, DG_INTERVAL}, {PG_UUID, DG_UUID}, {PG_JSONB, DG_JSON},
    };
    if (oid == PG_NUMERIC) {
        int precision = (modifier - 4) >> 16 & 0xFFFF, scale = (modifier - 4) & 0x7FF;
        if (modifier < 4)
            *out = (DgType){DG_DECIMAL, LOOSE_PRECISION, LOOSE_SCALE};
        else if (precision <= 38 && scale <= precision)
            *out = (DgType){DG_DECIMAL, (uint8_t)precision, (uint8_t)scale};
        else
            return false;
        return true;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].oid == oid) {
            *out = (DgType){(uint8_t)types[i].kind, 0, 0};
            return true;
        }
    return false;
}

static void dialect_type(StrBuf *out, DgType type, int64_t size)
{
    static const char *const names[] = {
        [DG_BOOL] = "boolean", [DG_INT8] = "smallint", [DG_INT16] = "smallint", [DG_INT32] = "integer", [DG_INT64] = "bigint",
        [DG_UINT8] = "smallint", [DG_UINT16] = "integer", [DG_UINT32] = "bigint", [DG_UINT64] = "numeric(20,0)", [DG_FLOAT32] = "real",
        [DG_FLOAT64] = "double precision", [DG_BINARY] = "bytea", [DG_DATE] = "date", [DG_TIME] = "time", [DG_TIMESTAMP] = "timestamp",
        [DG_TIMESTAMPTZ] = "timestamptz", [DG_INTERVAL] = "interval", [DG_UUID] = "uuid", [DG_JSON] = "jsonb",
    };
    if (type.kind == DG_DECIMAL)
        buf_format(out, "numeric(%d,%d)", type.precision, type.scale);
    else if (type.kind == DG_TEXT && size > 0)
        buf_format(out, "varchar(%lld)", (long long)size);
    else
        buf_add(out, str_from(type.kind == DG_TEXT ? "text" : names[type.kind]));
}

static bool type_from(Str native, DgType *out)
{
    static const struct { const char *name; DgTypeKind kind; } names[] = {
        {"boolean", DG_BOOL}, {"bool", DG_BOOL}, {"smallint", DG_INT16}, {"int2", DG_INT16}, {"integer", DG_INT32}, {"int4", DG_INT32},
        {"int", DG_INT32}, {"bigint", DG_INT64}, {"int8", DG_INT64}, {"real", DG_FLOAT32}, {"float4", DG_FLOAT32},
        {"double precision", DG_FLOAT64}, {"float8", DG_FLOAT64}, {"text", DG_TEXT}, {"character varying", DG_TEXT}, {"varchar", DG_TEXT},
        {"character", DG_TEXT}, {"name", DG_TEXT}, {"bytea", DG_BINARY}, {"date", DG_DATE}, {"time", DG_TIME}, {"time without time zone", DG_TIME},
        {"timestamp", DG_TIMESTAMP}, {"timestamp without time zone", DG_TIMESTAMP}, {"timestamptz", DG_TIMESTAMPTZ},
        {"timestamp with time zone", DG_TIMESTAMPTZ}, {"interval", DG_INTERVAL}, {"uuid", DG_UUID}, {"json", DG_JSON}, {"jsonb", DG_JSON},
        {"oid", DG_UINT32},
    };
    char words[64];
    int64_t numbers[2] = {0, 0};
    int given = native_parts(native, words, sizeof words, numbers);
    if (strcmp(words, "numeric") == 0 || strcmp(words, "decimal") == 0) {
        if (given && (numbers[0] > 38 || numbers[1] < 0 || numbers[1] > numbers[0]))
            return false;
        *out = given ? (DgType){DG_DECIMAL, (uint8_t)numbers[0], (uint8_t)numbers[1]} : (DgType){DG_DECIMAL, LOOSE_PRECISION, LOOSE_SCALE};
        return true;
    }
    if (str_ends(native, S("[]"))) {
        *out = (DgType){DG_JSON, 0, 0};
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(words, names[i].name) == 0) {
            *out = (DgType){(uint8_t)names[i].kind, 0, 0};
            return true;
        }
    return false;
}

/* Backslashes need no care: standard_conforming_strings is on everywhere that matters; E'' makes sure. */
static void dialect_text(StrBuf *out, Str text)
{
    bool escape = str_find_char(text, '\\') >= 0;
    buf_add(out, escape ? S("E'") : S("'"));
    for (ptrdiff_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'' || text.ptr[i] == '\\')
            buf_char(out, text.ptr[i]);
        buf_char(out, text.ptr[i]);
    }
    buf_char(out, '\'');
}

static void dialect_now(StrBuf *out, int64_t us)
{
    buf_format(out, "(timestamp 'epoch' + %lld * interval '1 microsecond')", (long long)us);
}

static void dialect_lock_wait(StrBuf *out, int64_t ms)
{
    if (ms > 0)
        buf_format(out, "SET lock_timeout = %lld", (long long)ms);
    else
        buf_add(out, S("RESET lock_timeout"));
}

const DgDialect dg_dialect_postgres = {
    .quote = '"',
    .name_max = 63,
    .has_schemas = true,
    .transactional_ddl = true,
    .default_schema = "public",
    .type = dialect_type,
    .type_from = type_from,
    .text = dialect_text,
    .timestamp_now = dialect_now,
    .lock_wait = dialect_lock_wait,
    .staging = "CREATE TEMPORARY TABLE ",
    .row_number = "_dgc_n bigint GENERATED ALWAYS AS IDENTITY",
    .alter_type = "ALTER COLUMN %c TYPE %t USING %c::%t",
    .truncate = true,
    .index_keys = true,
    .analyze = "ANALYZE ",
    .update_in_with = true,
    .before_merge = "SET LOCAL random_page_cost = 1.1", /* 4, the default, means disks that spin: keys would be hashed, not looked up */
    .swaps = true,
};
