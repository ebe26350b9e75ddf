/* units.c - durations, sizes and timestamps as people write them. */
#include "runtime/base/units.h"

bool duration_parse(Str text, int64_t *ns)
{
    static const struct { const char *unit; double ns; } units[] = {
        {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9},
        {"d", 86400e9}, {"w", 7 * 86400e9}};
    double total = 0;
    ptrdiff_t i = 0;
    if (!text.len)
        return false;
    while (i < text.len) {
        ptrdiff_t start = i;
        while (i < text.len && ((text.ptr[i] >= '0' && text.ptr[i] <= '9') || text.ptr[i] == '.'))
            i++;
        ptrdiff_t unit = i;
        while (i < text.len && text.ptr[i] >= 'a' && text.ptr[i] <= 'z')
            i++;
        double n, factor = 0;
        if (!str_to_double(str_sub(text, start, unit), &n))
            return false;
        for (size_t u = 0; u < sizeof units / sizeof *units; u++)
            if (str_eq(str_sub(text, unit, i), str_from(units[u].unit)))
                factor = units[u].ns;
        if (factor == 0)
            return false;
        total += n * factor;
        while (i < text.len && text.ptr[i] == ' ')
            i++;
    }
    if (!(total < 9.2e18))
        return false;
    *ns = (int64_t)total;
    return true;
}

bool size_parse(Str text, int64_t *bytes)
{
    static const struct { const char *unit; double factor; } units[] = {
        {"", 1}, {"B", 1}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
        {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"TiB", 1099511627776}};
    ptrdiff_t i = 0;
    while (i < text.len && ((text.ptr[i] >= '0' && text.ptr[i] <= '9') || text.ptr[i] == '.'))
        i++;
    double n;
    if (!i || !str_to_double(str_sub(text, 0, i), &n))
        return false;
    Str unit = str_trim(str_sub(text, i, text.len));
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        if (str_eq_nocase(unit, str_from(units[u].unit)) && n * units[u].factor < 9e18) {
            *bytes = (int64_t)(n * units[u].factor);
            return true;
        }
    }
    return false;
}

static bool digits(Str s, ptrdiff_t at, ptrdiff_t count, int64_t *out)
{
    if (at + count > s.len)
        return false;
    *out = 0;
    for (ptrdiff_t i = at; i < at + count; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        *out = *out * 10 + (s.ptr[i] - '0');
    }
    return true;
}

/* Days since 1970 of a civil date (proleptic Gregorian). Howard Hinnant's days_from_civil. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

bool timestamp_parse(Str s, int64_t *us)
{
    int64_t y, mo, d, h = 0, mi = 0, sec = 0, oh = 0, om = 0, sign = 0;
    if (!digits(s, 0, 4, &y) || s.len < 10 || s.ptr[4] != '-' || !digits(s, 5, 2, &mo) ||
        s.ptr[7] != '-' || !digits(s, 8, 2, &d) || mo < 1 || mo > 12 || d < 1 || d > 31)
        return false;
    ptrdiff_t i = 10;
    if (i < s.len) {
        if ((s.ptr[i] != 'T' && s.ptr[i] != ' ') || !digits(s, i + 1, 2, &h) || i + 6 > s.len ||
            s.ptr[i + 3] != ':' || !digits(s, i + 4, 2, &mi))
            return false;
        i += 6;
        if (i < s.len && s.ptr[i] == ':') {
            if (!digits(s, i + 1, 2, &sec))
                return false;
            i += 3;
        }
        Str zone = str_trim(str_sub(s, i, s.len));
        if (zone.len && !str_eq(zone, S("Z"))) {
            sign = zone.ptr[0] == '+' ? 1 : zone.ptr[0] == '-' ? -1 : 0;
            if (!sign || !digits(zone, 1, 2, &oh) || (zone.len > 3 && !digits(zone, zone.len - 2, 2, &om)))
                return false;
        }
    }
    int64_t seconds = days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec;
    *us = (seconds - sign * (oh * 3600 + om * 60)) * 1000000;
    return h < 24 && mi < 60 && sec < 60;
}
