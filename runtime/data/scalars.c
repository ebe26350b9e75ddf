/* scalars.c - numbers, dates and timestamps from text. */
#include "runtime/data/scalars.h"

#include <math.h>
#include <stdlib.h>

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with a sign into 64 bits. */
static bool parse_int(const char *p, const char *end, int64_t *out)
{
    bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    uint64_t v = 0;
    if (end - p <= 18) {
        for (; p < end; p++) {
            if (!is_digit(*p))
                return false;
            v = v * 10 + (uint64_t)(*p - '0');
        }
    } else {
        for (; p < end; p++) {
            if (!is_digit(*p) || __builtin_mul_overflow(v, 10u, &v) ||
                __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
                return false;
        }
        if (v > (uint64_t)INT64_MAX + minus)
            return false;
    }
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

void scalar_store_int(DgTypeKind kind, void *values, int32_t row, int64_t v)
{
    switch (kind) {
    case DG_INT8: ((int8_t *)values)[row] = (int8_t)v; break;
    case DG_UINT8: ((uint8_t *)values)[row] = (uint8_t)v; break;
    case DG_INT16: ((int16_t *)values)[row] = (int16_t)v; break;
    case DG_UINT16: ((uint16_t *)values)[row] = (uint16_t)v; break;
    case DG_INT32: ((int32_t *)values)[row] = (int32_t)v; break;
    case DG_UINT32: ((uint32_t *)values)[row] = (uint32_t)v; break;
    default: ((int64_t *)values)[row] = v; break;
    }
}

bool scalar_int(const char *p, const char *end, DgTypeKind kind, void *to)
{
    static const struct { int64_t min, max; } bounds[] = {
        [DG_INT8] = {INT8_MIN, INT8_MAX}, [DG_INT16] = {INT16_MIN, INT16_MAX},
        [DG_INT32] = {INT32_MIN, INT32_MAX}, [DG_INT64] = {INT64_MIN, INT64_MAX},
        [DG_UINT8] = {0, UINT8_MAX}, [DG_UINT16] = {0, UINT16_MAX}, [DG_UINT32] = {0, UINT32_MAX}};
    int64_t v;
    if (!parse_int(p, end, &v) || v < bounds[kind].min || v > bounds[kind].max)
        return false;
    scalar_store_int(kind, to, 0, v);
    return true;
}

/* What the C library would read, for the few numbers that the short way cannot round. */
static bool slow_double(const char *p, const char *end, double *to)
{
    char text[400], *stop;
    size_t n = (size_t)(end - p);
    if (n >= sizeof text)
        return false;
    memcpy(text, p, n);
    text[n] = '\0';
    *to = strtod(text, &stop);
    return stop == text + n && stop > text && text[n - 1] > ' ';
}

/* Up to 19 digits and a power of ten that a double holds exactly give an exact result (Clinger). */
bool scalar_double(const char *p, const char *end, double *to)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *start = p;
    bool minus = p < end && *p == '-';
    uint64_t digits = 0;
    int count = 0, scale = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end && is_digit(*p); p++, count++)
        digits = digits * 10 + (uint64_t)(*p - '0');
    if (p < end && *p == '.')
        for (p++; p < end && is_digit(*p); p++, count++, scale--)
            digits = digits * 10 + (uint64_t)(*p - '0');
    if (!count)
        return end > start && (is_digit(*start) || end - start >= 3) && slow_double(start, end, to);
    if (p != end || count > 19 || digits > (1ull << 53) || scale < -22)
        return slow_double(start, end, to);
    double v = (double)digits / powers[-scale];
    *to = minus ? -v : v;
    return true;
}

bool scalar_decimal(const char *p, const char *end, DgType type, void *to)
{
    bool minus = p < end && *p == '-', any = false;
    UInt128 v = 0, limit = 1;
    int left = type.scale;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (int i = 0; i < type.precision; i++)
        limit *= 10;
    for (; p < end && is_digit(*p); p++, any = true)
        if ((v = v * 10 + (unsigned)(*p - '0')) >= limit)
            return false;
    if (p < end && *p == '.') {
        for (p++; p < end && is_digit(*p); p++, any = true) {
            if (left == 0 && *p != '0')
                return false; /* would have to be rounded */
            if (left > 0) {
                v = v * 10 + (unsigned)(*p - '0');
                left--;
            }
        }
    }
    while (left-- > 0)
        v *= 10;
    if (!any || p != end || v >= limit)
        return false;
    Int128 out = minus ? -(Int128)v : (Int128)v;
    memcpy(to, &out, sizeof out);
    return true;
}

static bool is_word(const char *p, const char *end, const char *lower)
{
    for (; p < end && *lower; p++, lower++)
        if ((*p | 32) != *lower)
            return false;
    return p == end && !*lower;
}

bool scalar_bool(const char *p, const char *end, uint8_t *to)
{
    if (is_word(p, end, "true") || is_word(p, end, "t") || (end - p == 1 && *p == '1'))
        *to = 1;
    else if (is_word(p, end, "false") || is_word(p, end, "f") || (end - p == 1 && *p == '0'))
        *to = 0;
    else
        return false;
    return true;
}

static bool two(const char *p, int *out)
{
    if (!is_digit(p[0]) || !is_digit(p[1]))
        return false;
    *out = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

/* Days since 1970 (Howard Hinnant's days_from_civil). */
static int32_t days_of(int y, int m, int d)
{
    y -= m <= 2;
    int era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool take_date(const char *p, const char *end, int32_t *days)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century, rest, month, day;
    if (end - p < 10 || !two(p, &century) || !two(p + 2, &rest) || p[4] != '-' || !two(p + 5, &month) ||
        p[7] != '-' || !two(p + 8, &day) || month < 1 || month > 12 || day < 1)
        return false;
    int year = century * 100 + rest;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] + (leap && month == 2))
        return false;
    *days = days_of(year, month, day);
    return true;
}

bool scalar_date(const char *p, const char *end, int32_t *days)
{
    return end - p == 10 && take_date(p, end, days);
}

static bool take_zone(const char *p, const char *end, int64_t *us)
{
    int hours, minutes = 0;
    if (p == end || (end - p == 1 && (*p == 'Z' || *p == 'z')))
        return true;
    if ((*p != '+' && *p != '-') || end - p < 3 || !two(p + 1, &hours))
        return false;
    const char *rest = p + 3;
    if (rest < end && *rest == ':')
        rest++;
    if (rest < end && (end - rest != 2 || !two(rest, &minutes)))
        return false;
    int64_t offset = (int64_t)(hours * 60 + minutes) * 60000000;
    *us += *p == '+' ? -offset : offset;
    return hours < 24 && minutes < 60;
}

bool scalar_timestamp(const char *p, const char *end, int64_t *us)
{
    int32_t days;
    int hour, minute, second = 0;
    int64_t fraction = 0;
    if (!take_date(p, end, &days))
        return false;
    *us = (int64_t)days * 86400000000;
    p += 10;
    if (p == end)
        return true;
    if ((*p != ' ' && *p != 'T' && *p != 't') || end - p < 6 || !two(p + 1, &hour) || p[3] != ':' || !two(p + 4, &minute))
        return false;
    p += 6;
    if (p < end && *p == ':') {
        if (end - p < 3 || !two(p + 1, &second))
            return false;
        p += 3;
        if (p < end && *p == '.') {
            int64_t unit = 100000;
            for (p++; p < end && is_digit(*p); p++, unit /= 10)
                fraction += (*p - '0') * unit;
        }
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *us += (int64_t)(hour * 3600 + minute * 60 + second) * 1000000 + fraction;
    while (p < end && *p == ' ')
        p++;
    return take_zone(p, end, us);
}
