/* sqlite_types.c - SQLite's dialect, and what its columns hold.
 *
 * SQLite converts what is written by the "affinity" of the declared type's name, so names are chosen
 * by what they do to values:
 *   DECIMAL(p,s)       up to 15 digits: a double gives them back exactly; 18 without a fraction: integers
 *   DECIMAL_TEXT(p,s)  more digits: TEXT affinity keeps the text. `CAST(x AS NUMERIC)` compares them
 *   JSON_TEXT          a JSON number would otherwise be made a number, and `1.0` become 1
 *   DATE, TIME, TIMESTAMP, TIMESTAMPTZ, UUID   ISO text, which no affinity touches
 *   BOOLEAN            0 and 1
 * All integers are INTEGER but UBIGINT, which has values past 64 signed bits: DECIMAL_TEXT(20,0).
 */
#include <math.h>
#include <stdio.h>

#include "runtime/data/value_text.h"
#include "runtime/db/sqlite_internal.h"
#include "runtime/db/value_parse.h"

static void sqlite_type(StrBuf *out, DgType type, int64_t size)
{
    switch ((DgTypeKind)type.kind) {
    case DG_BOOL: buf_add(out, S("BOOLEAN")); break;
    case DG_INT8: case DG_INT16: case DG_INT32: case DG_INT64: case DG_UINT8: case DG_UINT16: case DG_UINT32:
        buf_add(out, S("INTEGER"));
        break;
    case DG_UINT64: buf_add(out, S("DECIMAL_TEXT(20,0)")); break;
    case DG_FLOAT32: case DG_FLOAT64: buf_add(out, S("DOUBLE")); break;
    case DG_DECIMAL:
        buf_format(out, type.precision <= 15 || (type.scale == 0 && type.precision <= 18) ? "DECIMAL(%d,%d)" : "DECIMAL_TEXT(%d,%d)",
                   type.precision, type.scale);
        break;
    case DG_BINARY: buf_add(out, S("BLOB")); break;
    case DG_DATE: buf_add(out, S("DATE")); break;
    case DG_TIME: buf_add(out, S("TIME")); break;
    case DG_TIMESTAMP: buf_add(out, S("TIMESTAMP")); break;
    case DG_TIMESTAMPTZ: buf_add(out, S("TIMESTAMPTZ")); break;
    case DG_UUID: buf_add(out, S("UUID")); break;
    case DG_JSON: buf_add(out, S("JSON_TEXT")); break;
    case DG_TEXT: case DG_INTERVAL:
        if (size > 0)
            buf_format(out, "VARCHAR(%lld)", (long long)size);
        else
            buf_add(out, S("TEXT"));
        break;
    }
}

bool sqlite_type_from(Str declared, DgType *out)
{
    static const struct { const char *name; DgTypeKind kind; } exact[] = {
        {"boolean", DG_BOOL}, {"bool", DG_BOOL}, {"date", DG_DATE}, {"time", DG_TIME},
        {"datetime", DG_TIMESTAMP}, {"timestamp", DG_TIMESTAMP}, {"timestamp without time zone", DG_TIMESTAMP},
        {"timestamptz", DG_TIMESTAMPTZ}, {"timestamp with time zone", DG_TIMESTAMPTZ}, {"json", DG_JSON},
        {"json_text", DG_JSON}, {"jsonb", DG_JSON}, {"uuid", DG_UUID}, {"interval", DG_TEXT}, {"string", DG_TEXT}};
    char words[64];
    int64_t n[2];
    int count = native_parts(declared, words, sizeof words, n);
    Str name = str_from(words);
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (str_eq(name, str_from(exact[i].name))) {
            *out = (DgType){.kind = (uint8_t)exact[i].kind};
            return true;
        }
    if ((str_eq(name, S("decimal")) || str_eq(name, S("numeric")) || str_eq(name, S("decimal_text"))) && count) {
        if (n[0] < 1 || n[1] < 0 || n[1] > n[0])
            return false;
        *out = n[0] > 38 ? (DgType){.kind = DG_TEXT} : (DgType){DG_DECIMAL, (uint8_t)n[0], (uint8_t)n[1]};
        return true;
    }
    /* SQLite's own rules, in its order. */
    static const struct { const char *part; DgTypeKind kind; } parts[] = {
        {"int", DG_INT64}, {"char", DG_TEXT}, {"clob", DG_TEXT}, {"text", DG_TEXT}, {"blob", DG_BINARY},
        {"real", DG_FLOAT64}, {"floa", DG_FLOAT64}, {"doub", DG_FLOAT64}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (str_find(name, str_from(parts[i].part)) >= 0) {
            *out = (DgType){.kind = (uint8_t)parts[i].kind};
            return true;
        }
    return false;
}

DgType sqlite_type_of_classes(int64_t integers, int64_t reals, int64_t texts, int64_t blobs, bool exact)
{
    DgTypeKind kind = DG_TEXT;
    if (integers && !reals && !texts && !blobs)
        kind = DG_INT64;
    else if (reals && !texts && !blobs && exact)
        kind = DG_FLOAT64;
    else if (blobs && !integers && !reals && !texts)
        kind = DG_BINARY;
    return (DgType){.kind = (uint8_t)kind};
}

static void sqlite_text(StrBuf *out, Str text)
{
    buf_char(out, '\'');
    for (ptrdiff_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_char(out, '\'');
        buf_char(out, text.ptr[i]);
    }
    buf_char(out, '\'');
}

static void sqlite_timestamp_now(StrBuf *out, int64_t us)
{
    uint64_t valid = 1;
    DgVector v = {.valid = &valid, .values = &us};
    buf_char(out, '\'');
    value_write_text(out, &v, (DgType){.kind = DG_TIMESTAMPTZ}, 0);
    buf_char(out, '\'');
}

const DgDialect dg_dialect_sqlite = {
    .quote = '"',
    .transactional_ddl = true,
    .default_schema = "main",
    .type = sqlite_type,
    .type_from = sqlite_type_from,
    .text = sqlite_text,
    .timestamp_now = sqlite_timestamp_now,
    .staging = "CREATE TEMPORARY TABLE ",
    .index_keys = true,
    .index_staging = true,
    .analyze = "ANALYZE ",
};

/* ---- One value into a batch ---- */

static DgStatus wrong_class(sqlite3_value *value, const DgColumn *column, DgError *err)
{
    static const char *const classes[] = {"a value", "an integer", "a real number", "text", "a blob", "null"};
    int class = sqlite3_value_type(value);
    Str text = {0};
    if (class != SQLITE_BLOB) {
        text.ptr = (const char *)sqlite3_value_text(value);
        text.len = text.ptr ? sqlite3_value_bytes(value) : 0;
    }
    ptrdiff_t bad;
    if (text.len > 60)
        for (text.len = 60; text.len > 0 && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80;)
            text.len--;
    if (!str_utf8_valid(text, &bad))
        text.len = bad;
    dg_fail(err, DG_DATA, "column `%.*s` is %s, but has %s%s%.*s%s", FMT(column->name),
            dg_type_name((DgTypeKind)column->type.kind), classes[class <= SQLITE_NULL ? class : 0],
            class == SQLITE_BLOB ? "" : " `", FMT(text), class == SQLITE_BLOB ? "" : "`");
    dg_hint(err, "read it as it is meant with a query: CAST(column AS TEXT), or datetime(column, 'unixepoch')");
    return DG_DATA;
}

/* A double as a decimal: its 15 digits that are sure, which must fit the scale. */
static DgStatus real_to_decimal(sqlite3_value *value, DgVector *v, int32_t row, const DgColumn *column, DgError *err)
{
    char text[400], sure[40];
    double d = sqlite3_value_double(value), back;
    if (!isfinite(d))
        return wrong_class(value, column, err);
    int n = snprintf(text, sizeof text, "%.*f", column->type.scale, d);
    snprintf(sure, sizeof sure, "%.15g", d);
    double rounded = 0;
    if (sscanf(text, "%lf", &back) != 1 || sscanf(sure, "%lf", &rounded) != 1 || (back != d && back != rounded))
        return value_refused(column, str_from(sure), err);
    return value_parse(v, row, column, (Str){text, n}, err);
}

DgStatus sqlite_value_read(sqlite3_value *value, DgVector *v, int32_t row, const DgColumn *column, DgError *err)
{
    int class = sqlite3_value_type(value);
    bool bytes = value_is_bytes(column->type);
    if (class == SQLITE_NULL) {
        dg_set_null(v, row);
        return !bytes || dg_text_set(v, row, NULL, 0) ? DG_OK : dg_fail(err, DG_NOMEM, "out of memory for a batch");
    }
    DgTypeKind kind = (DgTypeKind)column->type.kind;
    if (kind == DG_BINARY) {
        if (class != SQLITE_BLOB)
            return wrong_class(value, column, err);
        const void *at = sqlite3_value_blob(value);
        return value_parse_text(v, row, column, (Str){at, sqlite3_value_bytes(value)}, err);
    }
    if (class == SQLITE_BLOB)
        return wrong_class(value, column, err);
    if (class == SQLITE_INTEGER && (kind == DG_BOOL || value_is_integer(column->type)))
        return value_store_int(v, row, column, sqlite3_value_int64(value), err);
    if (kind == DG_FLOAT64 && class != SQLITE_TEXT) {
        double d = sqlite3_value_double(value);
        int64_t whole = class == SQLITE_INTEGER ? sqlite3_value_int64(value) : 0;
        if (class == SQLITE_INTEGER && (whole > 1ll << 53 || whole < -(1ll << 53)))
            return wrong_class(value, column, err);
        ((double *)v->values)[row] = d;
        return DG_OK;
    }
    if (kind == DG_DECIMAL && class == SQLITE_FLOAT)
        return real_to_decimal(value, v, row, column, err);
    /* Numbers are text only in columns of text; dates, uuids and so on must be text. */
    bool fits = class == SQLITE_TEXT ? !value_is_integer(column->type)
                                     : bytes || (kind == DG_DECIMAL && class == SQLITE_INTEGER);
    if (!fits)
        return wrong_class(value, column, err);
    if (class == SQLITE_FLOAT) {
        StrBuf text = {.max = 64};
        double d = sqlite3_value_double(value);
        uint64_t valid = 1;
        DgVector one = {.valid = &valid, .values = &d};
        value_write_text(&text, &one, (DgType){.kind = DG_FLOAT64}, 0);
        DgStatus status = value_parse(v, row, column, buf_str(&text), err);
        buf_free(&text);
        return status;
    }
    const char *text = (const char *)sqlite3_value_text(value);
    if (!text)
        return dg_fail(err, DG_NOMEM, "out of memory for the values of column `%.*s`", FMT(column->name));
    Str whole = {text, sqlite3_value_bytes(value)};
    if (bytes)
        return value_parse_text(v, row, column, whole, err);
    if (value_parse(v, row, column, whole, NULL) == DG_OK)
        return DG_OK;
    return wrong_class(value, column, err);
}
