/* mysql_types.c - the dialect of MySQL and MariaDB, and what their types are read as.
 *
 * Text is made `COLLATE utf8mb4_bin`: with the usual collations 'a' and 'A' are the same key, and a
 * merge would lose one of them. TIMESTAMP is an instant (TIMESTAMPTZ here) and ends in 2038; DATETIME
 * has no zone. TIMESTAMP is NULL explicitly, else old servers make it NOT NULL with a default.
 */
#include <stdio.h>

#include "runtime/data/value_text.h"
#include "runtime/db/mysql_internal.h"
#include "runtime/db/value_parse.h"

enum { VARCHAR_MAX = 4096 }; /* a row has 64 KB for all of its VARCHARs, each up to four bytes a character */

static void my_type(StrBuf *out, DgType type, int64_t size)
{
    static const char *const names[] = {
        [DG_BOOL] = "TINYINT(1)", [DG_INT8] = "TINYINT", [DG_INT16] = "SMALLINT", [DG_INT32] = "INT", [DG_INT64] = "BIGINT",
        [DG_UINT8] = "TINYINT UNSIGNED", [DG_UINT16] = "SMALLINT UNSIGNED", [DG_UINT32] = "INT UNSIGNED",
        [DG_UINT64] = "BIGINT UNSIGNED", [DG_FLOAT32] = "FLOAT", [DG_FLOAT64] = "DOUBLE", [DG_BINARY] = "LONGBLOB",
        [DG_DATE] = "DATE", [DG_TIME] = "TIME(6)", [DG_TIMESTAMP] = "DATETIME(6)", [DG_TIMESTAMPTZ] = "TIMESTAMP(6) NULL",
        [DG_INTERVAL] = "VARCHAR(64)", [DG_UUID] = "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin", [DG_JSON] = "JSON"};
    if (type.kind == DG_TEXT && size > 0 && size <= VARCHAR_MAX)
        buf_format(out, "VARCHAR(%lld) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", (long long)size);
    else if (type.kind == DG_TEXT)
        buf_add(out, S("LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"));
    else if (type.kind == DG_DECIMAL && type.scale > 30) /* the most that MySQL has */
        buf_add(out, S("VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin"));
    else if (type.kind == DG_DECIMAL)
        buf_format(out, "DECIMAL(%d,%d)", type.precision, type.scale);
    else
        buf_add(out, str_from(names[type.kind]));
}

bool my_type_from(Str native, DgType *out)
{
    static const struct { const char *name; DgTypeKind kind, if_unsigned; } types[] = {
        {"tinyint", DG_INT8, DG_UINT8}, {"smallint", DG_INT16, DG_UINT16}, {"mediumint", DG_INT32, DG_UINT32},
        {"int", DG_INT32, DG_UINT32}, {"integer", DG_INT32, DG_UINT32}, {"bigint", DG_INT64, DG_UINT64},
        {"float", DG_FLOAT32, DG_FLOAT32}, {"double", DG_FLOAT64, DG_FLOAT64}, {"real", DG_FLOAT64, DG_FLOAT64},
        {"bool", DG_BOOL, DG_BOOL}, {"boolean", DG_BOOL, DG_BOOL}, {"date", DG_DATE, DG_DATE}, {"time", DG_TIME, DG_TIME},
        {"datetime", DG_TIMESTAMP, DG_TIMESTAMP}, {"timestamp", DG_TIMESTAMPTZ, DG_TIMESTAMPTZ}, {"year", DG_INT16, DG_INT16},
        {"json", DG_JSON, DG_JSON}, {"uuid", DG_UUID, DG_UUID}, {"char", DG_TEXT, DG_TEXT}, {"varchar", DG_TEXT, DG_TEXT},
        {"tinytext", DG_TEXT, DG_TEXT}, {"text", DG_TEXT, DG_TEXT}, {"mediumtext", DG_TEXT, DG_TEXT}, {"longtext", DG_TEXT, DG_TEXT},
        {"enum", DG_TEXT, DG_TEXT}, {"set", DG_TEXT, DG_TEXT}, {"binary", DG_BINARY, DG_BINARY}, {"varbinary", DG_BINARY, DG_BINARY},
        {"tinyblob", DG_BINARY, DG_BINARY}, {"blob", DG_BINARY, DG_BINARY}, {"mediumblob", DG_BINARY, DG_BINARY},
        {"longblob", DG_BINARY, DG_BINARY}};
    char words[64];
    int64_t n[2];
    Str first, rest;
    int count = native_parts(native, words, sizeof words, n);
    if (!str_cut(str_from(words), ' ', &first, &rest))
        first = str_from(words), rest = (Str){0};
    bool is_unsigned = str_starts(rest, S("unsigned"));
    if (str_eq(first, S("decimal")) || str_eq(first, S("numeric"))) {
        n[0] = count ? n[0] : 10;
        if (n[0] < 1 || n[0] > 38 || n[1] < 0 || n[1] > n[0])
            return false;
        *out = (DgType){DG_DECIMAL, (uint8_t)n[0], (uint8_t)n[1]};
        return true;
    }
    if (str_eq(first, S("bit")) || (str_eq(first, S("tinyint")) && count && n[0] == 1 && !is_unsigned)) {
        *out = (DgType){.kind = !count || n[0] == 1 ? DG_BOOL : DG_UINT64};
        return true;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(first, str_from(types[i].name))) {
            *out = (DgType){.kind = (uint8_t)(is_unsigned ? types[i].if_unsigned : types[i].kind)};
            return true;
        }
    return false;
}

static DgTypeKind integer_kind(unsigned type, bool is_unsigned)
{
    switch (type) {
    case MY_TINY: return is_unsigned ? DG_UINT8 : DG_INT8;
    case MY_SHORT: return is_unsigned ? DG_UINT16 : DG_INT16;
    case MY_LONGLONG: return is_unsigned ? DG_UINT64 : DG_INT64;
    default: return is_unsigned ? DG_UINT32 : DG_INT32;
    }
}

static DgType decimal_type(const MysqlField *f)
{
    bool is_unsigned = f->flags & MY_FLAG_UNSIGNED;
    long precision = (long)f->length - (f->decimals > 0) - !is_unsigned, scale = (long)f->decimals;
    if (precision < 1 || precision > 38 || scale > precision)
        return (DgType){.kind = DG_TEXT};
    return (DgType){DG_DECIMAL, (uint8_t)precision, (uint8_t)scale};
}

DgType my_field_type(const MysqlApi *api, const MysqlField *f)
{
    DgType t = {.kind = DG_TEXT};
    MysqlText attribute = {0};
    switch (f->type) {
    case MY_TINY:
        if (f->length == 1 && !(f->flags & MY_FLAG_UNSIGNED)) {
            t.kind = DG_BOOL;
            break;
        }
        t.kind = (uint8_t)integer_kind(f->type, f->flags & MY_FLAG_UNSIGNED);
        break;
    case MY_SHORT: case MY_LONG: case MY_INT24: case MY_LONGLONG:
        t.kind = (uint8_t)integer_kind(f->type, f->flags & MY_FLAG_UNSIGNED);
        break;
    case MY_YEAR: t.kind = DG_INT16; break;
    case MY_FLOAT: t.kind = DG_FLOAT32; break;
    case MY_DOUBLE: t.kind = DG_FLOAT64; break;
    case MY_DECIMAL: case MY_NEWDECIMAL: return decimal_type(f);
    case MY_DATE: t.kind = DG_DATE; break;
    case MY_TIME: t.kind = DG_TIME; break;
    case MY_DATETIME: t.kind = DG_TIMESTAMP; break;
    case MY_TIMESTAMP: t.kind = DG_TIMESTAMPTZ; break;
    case MY_BIT: t.kind = f->length <= 1 ? DG_BOOL : DG_UINT64; break;
    case MY_JSON: t.kind = DG_JSON; break;
    case MY_GEOMETRY: break;
    default: /* characters or bytes */
        if (f->charset == MY_CHARSET_BINARY && f->type != MY_NULL && f->type != MY_ENUM && f->type != MY_SET)
            t.kind = DG_BINARY;
        if (api->field_attribute && api->field_attribute(&attribute, f, 1) == 0 &&
            str_eq((Str){attribute.ptr, (ptrdiff_t)attribute.len}, S("json")))
            t.kind = DG_JSON;
        attribute = (MysqlText){0};
        if (api->field_attribute && api->field_attribute(&attribute, f, 0) == 0) {
            Str name = {attribute.ptr, (ptrdiff_t)attribute.len};
            if (str_eq(name, S("uuid")))
                t.kind = DG_UUID;
            else if (str_starts(name, S("inet")))
                t.kind = DG_TEXT;
        }
        break;
    }
    return t;
}

/* sql_mode has backslashes as escapes: prepare_session sees to that. */
static void my_text(StrBuf *out, Str text)
{
    buf_char(out, '\'');
    for (ptrdiff_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\'' || c == '\\')
            buf_char(out, '\\');
        if (c == '\0')
            buf_add(out, S("\\0"));
        else
            buf_char(out, c);
    }
    buf_char(out, '\'');
}

static void my_timestamp_now(StrBuf *out, int64_t us)
{
    uint64_t valid = 1;
    DgVector v = {.valid = &valid, .values = &us};
    buf_char(out, '\'');
    value_write_text(out, &v, (DgType){.kind = DG_TIMESTAMP}, 0);
    buf_char(out, '\'');
}

/* It counts in seconds. */
static void my_lock_wait(StrBuf *out, int64_t ms)
{
    if (ms > 0)
        buf_format(out, "SET SESSION innodb_lock_wait_timeout = %lld", (long long)(ms + 999) / 1000);
    else
        buf_add(out, S("SET SESSION innodb_lock_wait_timeout = DEFAULT"));
}

const DgDialect dg_dialect_mysql = {
    .quote = '`',
    .name_max = 64,
    .has_schemas = true,
    .update_join = true,
    .type = my_type,
    .type_from = my_type_from,
    .text = my_text,
    .timestamp_now = my_timestamp_now,
    .lock_wait = my_lock_wait,
    .staging = "CREATE TEMPORARY TABLE ",
    .drop_staging = "DROP TEMPORARY TABLE ",
    .row_number = "_dgc_n bigint AUTO_INCREMENT PRIMARY KEY",
    .alter_type = "MODIFY COLUMN %c %t NULL",
    .index_keys = true,
    .index_staging = true,
};

/* ---- Geometry: a reference system, then well-known binary ---- */

typedef struct Wkb {
    const unsigned char *at, *end;
    bool failed;
} Wkb;

static uint32_t wkb_uint(Wkb *w)
{
    uint32_t n = 0;
    if (w->end - w->at < 4)
        w->failed = true;
    else
        memcpy(&n, w->at, 4), w->at += 4;
    return n;
}

static void wkb_point(Wkb *w, StrBuf *out)
{
    double xy[2];
    uint64_t valid = 1;
    if (w->failed || w->end - w->at < 16) {
        w->failed = true;
        return;
    }
    memcpy(xy, w->at, 16);
    w->at += 16;
    for (int i = 0; i < 2; i++) {
        DgVector v = {.valid = &valid, .values = &xy[i]};
        size_t from = out->len;
        if (i)
            buf_char(out, ' '), from++;
        value_write_text(out, &v, (DgType){.kind = DG_FLOAT64}, 0);
        if (!out->failed && out->len > from + 2 && memcmp(out->ptr + out->len - 2, ".0", 2) == 0)
            out->len -= 2;
    }
}

static void wkb_points(Wkb *w, StrBuf *out)
{
    uint32_t n = wkb_uint(w);
    buf_char(out, '(');
    for (uint32_t i = 0; i < n && !w->failed; i++) {
        buf_add(out, i ? S(",") : S(""));
        wkb_point(w, out);
    }
    buf_char(out, ')');
}

/* `tagged`: with its name; parts of MULTI... have none. */
static void wkb_shape(Wkb *w, StrBuf *out, bool tagged, int depth)
{
    static const char *const names[] = {"", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON",
                                        "GEOMETRYCOLLECTION"};
    if (w->end - w->at < 5 || *w->at != 1 || depth > 32) {
        w->failed = true;
        return;
    }
    w->at++;
    uint32_t kind = wkb_uint(w), n;
    if (kind < 1 || kind > 7) {
        w->failed = true;
        return;
    }
    if (tagged)
        buf_add(out, str_from(names[kind]));
    if (kind == 1) {
        buf_add(out, tagged ? S("(") : S(""));
        wkb_point(w, out);
        buf_add(out, tagged ? S(")") : S(""));
        return;
    }
    if (kind == 2) {
        wkb_points(w, out);
        return;
    }
    n = wkb_uint(w);
    if (kind == 7 && n == 0) {
        buf_add(out, S(" EMPTY"));
        return;
    }
    buf_char(out, '(');
    for (uint32_t i = 0; i < n && !w->failed; i++) {
        buf_add(out, i ? S(",") : S(""));
        if (kind == 3)
            wkb_points(w, out);
        else
            wkb_shape(w, out, kind == 7, depth + 1);
    }
    buf_char(out, ')');
}

bool my_geometry_text(StrBuf *out, Str bytes)
{
    if (bytes.len < 9)
        return false;
    Wkb w = {(const unsigned char *)bytes.ptr + 4, (const unsigned char *)bytes.ptr + bytes.len, false};
    wkb_shape(&w, out, true, 0);
    return !w.failed && w.at == w.end && !out->failed;
}
