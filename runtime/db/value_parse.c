/* value_parse.c - values of batches from text. */
#include "runtime/db/value_parse.h"

#include <math.h>

#include "runtime/base/zone.h"
#include "runtime/data/scalars.h"

bool value_is_integer(DgType type)
{
    return type.kind >= DG_INT8 && type.kind <= DG_UINT64;
}

bool value_is_bytes(DgType type)
{
    return type.kind == DG_TEXT || type.kind == DG_JSON || type.kind == DG_BINARY;
}

DgStatus value_refused(const DgColumn *column, Str text, DgError *err)
{
    bool cut = text.len > 60;
    ptrdiff_t bad;
    if (!str_utf8_valid(text, &bad))
        text.len = bad, cut = true;
    if (text.len > 60)
        for (text.len = 60; text.len > 0 && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80;)
            text.len--;
    DgType t = column->type;
    if (t.kind == DG_DECIMAL)
        return dg_fail(err, DG_DATA, "column `%.*s` is decimal(%d,%d), which cannot hold `%.*s`%s", FMT(column->name),
                       t.precision, t.scale, FMT(text), cut ? "..." : "");
    return dg_fail(err, DG_DATA, "column `%.*s` is %s, which cannot hold `%.*s`%s", FMT(column->name),
                   dg_type_name((DgTypeKind)t.kind), FMT(text), cut ? "..." : "");
}

bool value_fetch_int(const DgVector *v, DgType type, int32_t row, int64_t *out)
{
    switch (type.kind) {
    case DG_BOOL:
    case DG_UINT8: *out = ((const uint8_t *)v->values)[row]; return true;
    case DG_INT8: *out = ((const int8_t *)v->values)[row]; return true;
    case DG_INT16: *out = ((const int16_t *)v->values)[row]; return true;
    case DG_UINT16: *out = ((const uint16_t *)v->values)[row]; return true;
    case DG_INT32: *out = ((const int32_t *)v->values)[row]; return true;
    case DG_UINT32: *out = ((const uint32_t *)v->values)[row]; return true;
    case DG_INT64: *out = ((const int64_t *)v->values)[row]; return true;
    case DG_UINT64: *out = ((const int64_t *)v->values)[row]; return *out >= 0;
    default: return false;
    }
}

DgStatus value_store_int(DgVector *v, int32_t row, const DgColumn *column, int64_t value, DgError *err)
{
    static const struct { int64_t min, max; } bounds[] = {
        [DG_BOOL] = {0, 1},           [DG_INT8] = {INT8_MIN, INT8_MAX},    [DG_INT16] = {INT16_MIN, INT16_MAX},
        [DG_INT32] = {INT32_MIN, INT32_MAX}, [DG_INT64] = {INT64_MIN, INT64_MAX}, [DG_UINT8] = {0, UINT8_MAX},
        [DG_UINT16] = {0, UINT16_MAX}, [DG_UINT32] = {0, UINT32_MAX},     [DG_UINT64] = {0, INT64_MAX}};
    DgTypeKind kind = (DgTypeKind)column->type.kind;
    assert(kind <= DG_UINT64);
    if (value < bounds[kind].min || value > bounds[kind].max)
        return dg_fail(err, DG_DATA, "column `%.*s` is %s, which cannot hold %lld", FMT(column->name),
                       dg_type_name(kind), (long long)value);
    if (kind == DG_BOOL)
        ((uint8_t *)v->values)[row] = (uint8_t)value;
    else
        scalar_store_int(kind, v->values, row, value);
    return DG_OK;
}

DgStatus value_parse_text(DgVector *v, int32_t row, const DgColumn *column, Str text, DgError *err)
{
    ptrdiff_t bad;
    if (column->type.kind != DG_BINARY) {
        if (!str_utf8_valid(text, &bad))
            return dg_fail(err, DG_DATA, "column `%.*s` has text that is not UTF-8 (byte 0x%02x at %lld)",
                           FMT(column->name), (unsigned char)text.ptr[bad], (long long)bad);
        if (text.len && memchr(text.ptr, '\0', (size_t)text.len))
            return dg_fail(err, DG_DATA, "column `%.*s` has text with a NUL byte", FMT(column->name));
    }
    if (!dg_text_set(v, row, text.ptr, (size_t)text.len))
        return dg_fail(err, DG_NOMEM, "out of memory for the values of column `%.*s`", FMT(column->name));
    return DG_OK;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool infinite(Str s, int *sign)
{
    *sign = str_starts(s, S("-")) ? -1 : 1;
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = str_sub(s, 1, s.len);
    return str_eq_nocase(s, S("infinity")) || str_eq_nocase(s, S("inf"));
}

/* `2024-02-29`, also with a sign or more than four digits of the year. Takes it from the front. */
static bool take_days(Str *s, int64_t *days)
{
    const char *p = s->ptr, *end = s->ptr + s->len, *start;
    bool minus = p < end && *p == '-';
    int64_t year = 0;
    p += minus || (p < end && *p == '+');
    for (start = p; p < end && digit(*p) && p - start < 7; p++)
        year = year * 10 + (*p - '0');
    if (p - start < 4 - minus || end - p < 6 || p[0] != '-' || !digit(p[1]) || !digit(p[2]) || p[3] != '-' || !digit(p[4]) ||
        !digit(p[5]))
        return false;
    int month = (p[1] - '0') * 10 + p[2] - '0', day = (p[4] - '0') * 10 + p[5] - '0';
    year = minus ? -year : year;
    if (month < 1 || month > 12 || day < 1 || day > civil_month_days(year, month))
        return false;
    *days = civil_days(year, month, day);
    *s = str_sub(*s, p + 6 - s->ptr, s->len);
    return true;
}

/* `23:59`, `23:59:59.123456`; more digits only when they are zeros. Takes it from the front. */
static bool take_clock(Str *s, int64_t *us)
{
    const char *p = s->ptr, *end = s->ptr + s->len;
    int part[3] = {0}, n = 0;
    int64_t fraction = 0, unit = 100000;
    for (; n < 3; n++) {
        if (n && (p == end || *p != ':'))
            break;
        p += n > 0;
        if (end - p < 2 || !digit(p[0]) || !digit(p[1]))
            return false;
        part[n] = (p[0] - '0') * 10 + p[1] - '0';
        p += 2;
    }
    if (n < 2 || part[0] > 23 || part[1] > 59 || part[2] > 59)
        return false;
    if (n == 3 && p < end && *p == '.') {
        for (p++; p < end && digit(*p); p++, unit /= 10) {
            if (!unit && *p != '0')
                return false; /* finer than microseconds: would be cut */
            fraction += (*p - '0') * unit;
        }
    }
    *us = ((int64_t)part[0] * 3600 + part[1] * 60 + part[2]) * 1000000 + fraction;
    *s = str_sub(*s, p - s->ptr, s->len);
    return true;
}

static bool take_zone(Str s, int64_t *us)
{
    s = str_trim(s);
    if (!s.len || str_eq_nocase(s, S("z")) || str_eq_nocase(s, S("utc")))
        return true;
    if ((s.ptr[0] != '+' && s.ptr[0] != '-') || s.len < 3 || !digit(s.ptr[1]) || !digit(s.ptr[2]))
        return false;
    int64_t minutes = ((s.ptr[1] - '0') * 10 + s.ptr[2] - '0') * 60;
    Str rest = str_sub(s, 3, s.len);
    if (str_starts(rest, S(":")))
        rest = str_sub(rest, 1, rest.len);
    if (rest.len && (rest.len != 2 || !digit(rest.ptr[0]) || !digit(rest.ptr[1])))
        return false;
    if (rest.len)
        minutes += (rest.ptr[0] - '0') * 10 + rest.ptr[1] - '0';
    *us += (s.ptr[0] == '+' ? -minutes : minutes) * 60000000;
    return true;
}

static bool parse_date(Str s, int32_t *out)
{
    int sign;
    int64_t days, us;
    if (infinite(s, &sign)) {
        *out = sign * INT32_MAX;
        return true;
    }
    if (!take_days(&s, &days))
        return false;
    /* `2024-01-02 00:00:00` is that date; any other time of day is not. */
    if (s.len && (s.ptr[0] == ' ' || s.ptr[0] == 'T')) {
        s = str_sub(s, 1, s.len);
        if (!take_clock(&s, &us) || us)
            return false;
    }
    *out = (int32_t)days;
    return s.len == 0;
}

static bool parse_timestamp(Str s, int64_t *out)
{
    int sign;
    int64_t days, us = 0;
    if (infinite(s, &sign)) {
        *out = sign * INT64_MAX;
        return true;
    }
    if (!take_days(&s, &days) || days > 106751990 || days < -106751990)
        return false;
    if (s.len) {
        bool apart = s.ptr[0] == ' ' || s.ptr[0] == 'T' || s.ptr[0] == 't';
        s = str_sub(s, 1, s.len);
        if (!apart || !take_clock(&s, &us))
            return false;
    }
    *out = days * 86400000000 + us;
    return take_zone(s, out);
}

static int hex(char c)
{
    return digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool parse_uuid(Str s, uint8_t *out)
{
    int n = 0;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '-' && n % 2 == 0 && n > 0 && n < 32)
            continue;
        int h = hex(s.ptr[i]);
        if (h < 0 || n == 32)
            return false;
        out[n / 2] = (uint8_t)(n % 2 ? out[n / 2] | h : h << 4);
        n++;
    }
    return n == 32;
}

static bool parse_bool(Str s, uint8_t *out)
{
    const char *end = s.ptr + s.len;
    return scalar_bool(s.ptr, end, out);
}

static bool parse_uint64(Str s, uint64_t *out)
{
    uint64_t n = 0;
    if (!s.len)
        return false;
    for (ptrdiff_t i = 0; i < s.len; i++)
        if (!digit(s.ptr[i]) || __builtin_mul_overflow(n, 10u, &n) ||
            __builtin_add_overflow(n, (uint64_t)(s.ptr[i] - '0'), &n))
            return false;
    *out = n;
    return true;
}

static bool parse_float(Str s, double *out)
{
    int sign;
    if (str_eq_nocase(s, S("nan"))) {
        *out = (double)NAN;
        return true;
    }
    if (infinite(s, &sign)) {
        *out = sign > 0 ? (double)INFINITY : -(double)INFINITY;
        return true;
    }
    return scalar_double(s.ptr, s.ptr + s.len, out);
}

/* `3 months 2 days -01:02:03.5`, as value_write_text has it. */
static bool parse_interval(Str s, char *out)
{
    Str number, word;
    int64_t months, days, us;
    if (!str_cut(s, ' ', &number, &s) || !str_to_int(number, &months) || !str_cut(s, ' ', &word, &s) ||
        !str_eq(word, S("months")) || !str_cut(s, ' ', &number, &s) || !str_to_int(number, &days) ||
        !str_cut(s, ' ', &word, &s) || !str_eq(word, S("days")) || months != (int32_t)months || days != (int32_t)days)
        return false;
    bool minus = str_starts(s, S("-"));
    if (minus)
        s = str_sub(s, 1, s.len);
    int64_t hours = 0;
    ptrdiff_t colon = str_find_char(s, ':');
    if (colon < 2 || !str_to_int(str_sub(s, 0, colon), &hours) || hours < 0 || hours > 2500000000)
        return false;
    /* The hours may be many; the rest is a clock. */
    char rest[32] = "00";
    if (s.len - colon >= (ptrdiff_t)sizeof rest - 2)
        return false;
    memcpy(rest + 2, s.ptr + colon, (size_t)(s.len - colon));
    Str clock = str_from(rest);
    if (!take_clock(&clock, &us) || clock.len)
        return false;
    us += hours * 3600000000;
    us = minus ? -us : us;
    int32_t m = (int32_t)months, d = (int32_t)days;
    memcpy(out, &m, 4);
    memcpy(out + 4, &d, 4);
    memcpy(out + 8, &us, 8);
    return true;
}

DgStatus value_parse(DgVector *v, int32_t row, const DgColumn *column, Str text, DgError *err)
{
    DgType type = column->type;
    if (value_is_bytes(type))
        return value_parse_text(v, row, column, text, err);
    const char *p = text.ptr, *end = text.ptr + text.len;
    int32_t width = dg_type_width((DgTypeKind)type.kind);
    char *at = (char *)v->values + (size_t)row * (size_t)width;
    int64_t us;
    double d;
    bool fine = text.len > 0;
    switch (fine ? (DgTypeKind)type.kind : DG_TEXT) {
    case DG_BOOL: fine = parse_bool(text, (uint8_t *)at); break;
    case DG_INT8: case DG_INT16: case DG_INT32: case DG_INT64: case DG_UINT8: case DG_UINT16: case DG_UINT32:
        fine = scalar_int(p, end, (DgTypeKind)type.kind, at);
        break;
    case DG_UINT64: fine = parse_uint64(text, &((uint64_t *)v->values)[row]); break;
    case DG_FLOAT64: fine = parse_float(text, &((double *)v->values)[row]); break;
    case DG_FLOAT32:
        fine = parse_float(text, &d) && (!isfinite(d) || fabs(d) <= (double)__FLT_MAX__);
        ((float *)v->values)[row] = fine ? (float)d : 0;
        break;
    case DG_DECIMAL: fine = scalar_decimal(p, end, type, at); break;
    case DG_DATE: fine = parse_date(text, &((int32_t *)v->values)[row]); break;
    case DG_TIME:
        fine = take_clock(&text, &us) && text.len == 0;
        text = (Str){p, end - p};
        if (fine)
            ((int64_t *)v->values)[row] = us;
        break;
    case DG_TIMESTAMP: case DG_TIMESTAMPTZ: fine = parse_timestamp(text, &((int64_t *)v->values)[row]); break;
    case DG_INTERVAL: fine = parse_interval(text, at); break;
    case DG_UUID: fine = parse_uuid(text, (uint8_t *)at); break;
    default: break;
    }
    return fine && text.len ? DG_OK : value_refused(column, text, err);
}

static char *put2(char *p, int64_t n)
{
    p[0] = (char)('0' + n / 10);
    p[1] = (char)('0' + n % 10);
    return p + 2;
}

/* The common timestamps, without a detour through printf. Returns the length; 0: another way. */
int value_quick_timestamp(char *to, int64_t us, bool utc)
{
    if (us < -62135596800000000 || us >= 253402300800000000) /* years 1 to 9999 */
        return 0;
    int64_t seconds = us / 1000000, rest = us % 1000000;
    if (rest < 0)
        seconds--, rest += 1000000;
    int64_t days = seconds / 86400, clock = seconds % 86400;
    if (clock < 0)
        days--, clock += 86400;
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
    char *p = put2(put2(to, year / 100), year % 100);
    *p++ = '-';
    p = put2(p, month);
    *p++ = '-';
    p = put2(p, doy - (153 * mp + 2) / 5 + 1);
    *p++ = ' ';
    p = put2(p, clock / 3600);
    *p++ = ':';
    p = put2(p, clock / 60 % 60);
    *p++ = ':';
    p = put2(p, clock % 60);
    if (rest) {
        *p++ = '.';
        p = put2(put2(put2(p, rest / 10000), rest / 100 % 100), rest % 100);
    }
    if (utc)
        memcpy(p, "+00", 3), p += 3;
    return (int)(p - to);
}

int native_parts(Str native, char *words, size_t room, int64_t numbers[2])
{
    size_t n = 0;
    int count = 0;
    ptrdiff_t i = 0;
    numbers[0] = numbers[1] = 0;
    for (; i < native.len; i++) {
        char c = native.ptr[i];
        if (c == '(') { /* numbers, then more words: `timestamp(6) with time zone` */
            ptrdiff_t close = str_find_char(str_sub(native, i, native.len), ')');
            Str inside = str_sub(native, i + 1, close < 0 ? native.len : i + close), first, rest;
            if (!str_cut(inside, ',', &first, &rest))
                first = inside, rest = (Str){0};
            if (count == 0 && str_to_int(str_trim(first), &numbers[0]))
                count = rest.len && str_to_int(str_trim(rest), &numbers[1]) ? 2 : 1;
            i = close < 0 ? native.len : i + close;
            continue;
        }
        bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (blank && (n == 0 || words[n - 1] == ' '))
            continue;
        if (n + 1 < room)
            words[n++] = blank ? ' ' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    while (n && words[n - 1] == ' ')
        n--;
    words[n] = '\0';
    return count;
}
