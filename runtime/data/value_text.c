/* value_text.c - values of batches as text. */
#include "runtime/data/value_text.h"

#include "runtime/base/zone.h"
#include "runtime/data/batch.h"
#include "runtime/eval/value.h"

static int64_t int_of(const DgVector *v, DgType type, int32_t row)
{
    switch (type.kind) {
    case DG_BOOL:
    case DG_UINT8: return ((const uint8_t *)v->values)[row];
    case DG_INT8: return ((const int8_t *)v->values)[row];
    case DG_INT16: return ((const int16_t *)v->values)[row];
    case DG_UINT16: return ((const uint16_t *)v->values)[row];
    case DG_INT32:
    case DG_DATE: return ((const int32_t *)v->values)[row];
    case DG_UINT32: return ((const uint32_t *)v->values)[row];
    default: return ((const int64_t *)v->values)[row];
    }
}

static double double_of(const DgVector *v, DgType type, int32_t row)
{
    return type.kind == DG_FLOAT32 ? (double)((const float *)v->values)[row] : ((const double *)v->values)[row];
}

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UWide;

static Wide wide_of(const DgVector *v, int32_t row)
{
    Wide w;
    memcpy(&w, (const char *)v->values + (size_t)row * 16, 16);
    return w;
}

static void write_decimal(StrBuf *out, Wide value, int scale)
{
    char digits[64];
    int n = 0;
    bool negative = value < 0;
    UWide rest = negative ? -(UWide)value : (UWide)value;
    do {
        if (n == scale && scale)
            digits[n++] = '.', scale = -1;
        digits[n++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest || n < scale);
    if (n == scale)
        digits[n++] = '.', digits[n++] = '0';
    else if (digits[n - 1] == '.')
        digits[n++] = '0';
    if (negative)
        buf_char(out, '-');
    while (n)
        buf_char(out, digits[--n]);
}

static void write_time_of_day(StrBuf *out, int64_t us)
{
    int64_t s = us / 1000000;
    buf_format(out, "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    if (us % 1000000)
        buf_format(out, ".%06d", (int)(us % 1000000));
}

static void write_date(StrBuf *out, int64_t days)
{
    CivilTime t = civil_from_seconds(days * 86400);
    buf_format(out, "%04lld-%02d-%02d", (long long)t.year, t.month, t.day);
}

static void write_timestamp(StrBuf *out, int64_t us, bool utc)
{
    int64_t days = us >= 0 ? us / 86400000000 : -((86399999999 - us) / 86400000000);
    write_date(out, days);
    buf_char(out, ' ');
    write_time_of_day(out, us - days * 86400000000);
    if (utc)
        buf_add(out, S("+00"));
}

static void write_uuid(StrBuf *out, const uint8_t *bytes)
{
    for (int i = 0; i < 16; i++)
        buf_format(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
}

static void write_interval(StrBuf *out, const char *at)
{
    int32_t months, days;
    int64_t us;
    memcpy(&months, at, 4);
    memcpy(&days, at + 4, 4);
    memcpy(&us, at + 8, 8);
    buf_format(out, "%d months %d days %s", months, days, us < 0 ? "-" : "");
    write_time_of_day(out, us < 0 ? -us : us);
}

void value_write_text(StrBuf *out, const DgVector *v, DgType type, int32_t row)
{
    if (!DG_VALID(v, row))
        return;
    int64_t n = 0;
    switch ((DgTypeKind)type.kind) {
    case DG_BOOL: buf_add(out, int_of(v, type, row) ? S("true") : S("false")); break;
    case DG_INT8: case DG_INT16: case DG_INT32: case DG_INT64: case DG_UINT8: case DG_UINT16: case DG_UINT32:
        buf_format(out, "%lld", (long long)int_of(v, type, row));
        break;
    case DG_UINT64: buf_format(out, "%llu", (unsigned long long)((const uint64_t *)v->values)[row]); break;
    case DG_FLOAT32: case DG_FLOAT64: dg_float_repr(out, double_of(v, type, row)); break;
    case DG_DECIMAL: write_decimal(out, wide_of(v, row), type.scale); break;
    case DG_TEXT: case DG_JSON: buf_add(out, dg_text_get(v, row)); break;
    case DG_BINARY: {
        Str bytes = dg_text_get(v, row);
        for (ptrdiff_t i = 0; i < bytes.len; i++)
            buf_format(out, "%02x", (unsigned char)bytes.ptr[i]);
        break;
    }
    case DG_DATE:
        n = int_of(v, type, row);
        if (n == INT32_MAX || n == -INT32_MAX)
            buf_add(out, n > 0 ? S("infinity") : S("-infinity"));
        else
            write_date(out, n);
        break;
    case DG_TIME: write_time_of_day(out, int_of(v, type, row)); break;
    case DG_TIMESTAMP: case DG_TIMESTAMPTZ:
        n = int_of(v, type, row);
        if (n == INT64_MAX || n == -INT64_MAX)
            buf_add(out, n > 0 ? S("infinity") : S("-infinity"));
        else
            write_timestamp(out, n, type.kind == DG_TIMESTAMPTZ);
        break;
    case DG_INTERVAL: write_interval(out, (const char *)v->values + (size_t)row * 16); break;
    case DG_UUID: write_uuid(out, (const uint8_t *)v->values + (size_t)row * 16); break;
    }
}

int value_compare(const DgVector *a, int32_t row_a, const DgVector *b, int32_t row_b, DgType type)
{
    if (type.kind == DG_TEXT || type.kind == DG_JSON || type.kind == DG_BINARY)
        return str_cmp(dg_text_get(a, row_a), dg_text_get(b, row_b));
    if (type.kind == DG_UUID)
        return memcmp((const char *)a->values + (size_t)row_a * 16, (const char *)b->values + (size_t)row_b * 16, 16);
    if (type.kind == DG_FLOAT32 || type.kind == DG_FLOAT64) {
        double x = double_of(a, type, row_a), y = double_of(b, type, row_b);
        return x < y ? -1 : x > y ? 1 : (x != x) - (y != y);
    }
    if (type.kind == DG_DECIMAL) {
        Wide x = wide_of(a, row_a), y = wide_of(b, row_b);
        return (x > y) - (x < y);
    }
    if (type.kind == DG_UINT64) {
        uint64_t x = ((const uint64_t *)a->values)[row_a], y = ((const uint64_t *)b->values)[row_b];
        return (x > y) - (x < y);
    }
    int64_t x = int_of(a, type, row_a), y = int_of(b, type, row_b);
    return (x > y) - (x < y);
}

bool value_has_order(DgType type)
{
    return type.kind != DG_JSON && type.kind != DG_BINARY && type.kind != DG_INTERVAL && type.kind != DG_BOOL;
}

bool value_is_number(DgType type)
{
    return type.kind >= DG_INT8 && type.kind <= DG_DECIMAL;
}
