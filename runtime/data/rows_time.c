/* rows_time.c - dates, timestamps and casts of row programs. */
#include <math.h>
#include <stdio.h>

#include "runtime/base/base.h"
#include "runtime/base/units.h"
#include "runtime/data/rows_api.h"

enum { PART_YEAR, PART_MONTH, PART_DAY, PART_HOUR, PART_MINUTE, PART_SECOND, PART_WEEKDAY };
static const int64_t us_per_day = 86400000000;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Civil date of days since 1970: Howard Hinnant's civil_from_days. */
static void civil(int64_t days, int64_t *y, int64_t *m, int64_t *d)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = yoe + era * 400 + (*m <= 2);
}

static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = floor_div(y, 400), yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int64_t dg_row_part(int64_t us, int part)
{
    int64_t days = floor_div(us, us_per_day), rest = us - days * us_per_day, y, m, d;
    if (part == PART_HOUR)
        return rest / 3600000000;
    if (part == PART_MINUTE)
        return rest / 60000000 % 60;
    if (part == PART_SECOND)
        return rest / 1000000 % 60;
    if (part == PART_WEEKDAY)
        return ((days + 4) % 7 + 7) % 7; /* Sunday is 0 */
    civil(days, &y, &m, &d);
    return part == PART_YEAR ? y : part == PART_MONTH ? m : d;
}

int64_t dg_row_trunc(DgRows *r, int32_t i, DgStr unit, int64_t us)
{
    int64_t days = floor_div(us, us_per_day), y, m, d;
    if (str_eq(unit, S("second")))
        return floor_div(us, 1000000) * 1000000;
    if (str_eq(unit, S("minute")))
        return floor_div(us, 60000000) * 60000000;
    if (str_eq(unit, S("hour")))
        return floor_div(us, 3600000000) * 3600000000;
    if (str_eq(unit, S("day")))
        return days * us_per_day;
    if (str_eq(unit, S("week")))
        return (days - ((days + 3) % 7 + 7) % 7) * us_per_day; /* Monday */
    civil(days, &y, &m, &d);
    if (str_eq(unit, S("month")))
        return days_of(y, m, 1) * us_per_day;
    if (str_eq(unit, S("quarter")))
        return days_of(y, (m - 1) / 3 * 3 + 1, 1) * us_per_day;
    if (str_eq(unit, S("year")))
        return days_of(y, 1, 1) * us_per_day;
    dg_rows_note(r, i, "date_trunc takes second, minute, hour, day, week, month, quarter or year");
    return us;
}

static DgStr kept(const char *text, int n)
{
    return dg_row_concat((DgStr){text, n}, (DgStr){"", 0});
}

DgStr dg_row_int_text(int64_t v)
{
    char text[24];
    return kept(text, snprintf(text, sizeof text, "%lld", (long long)v));
}

DgStr dg_row_double_text(double v)
{
    char text[40];
    double back;
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof text, "%.*g", digits, v);
        if (str_to_double((Str){text, n}, &back) && back == v)
            break;
    }
    return kept(text, n);
}

DgStr dg_row_date_text(int64_t days)
{
    char text[40];
    int64_t y, m, d;
    civil(days, &y, &m, &d);
    return kept(text, snprintf(text, sizeof text, "%04lld-%02lld-%02lld", (long long)y, (long long)m, (long long)d));
}

DgStr dg_row_time_text(int64_t us)
{
    char text[64];
    int64_t days = floor_div(us, us_per_day), rest = us - days * us_per_day, y, m, d;
    civil(days, &y, &m, &d);
    int n = snprintf(text, sizeof text, "%04lld-%02lld-%02lld %02d:%02d:%02d", (long long)y, (long long)m,
                     (long long)d, (int)(rest / 3600000000), (int)(rest / 60000000 % 60), (int)(rest / 1000000 % 60));
    if (rest % 1000000)
        n += snprintf(text + n, sizeof text - (size_t)n, ".%06d", (int)(rest % 1000000));
    return kept(text, n);
}

int64_t dg_row_text_int(DgRows *r, int32_t i, DgStr s)
{
    int64_t v = 0;
    if (!str_to_int(str_trim(s), &v))
        dg_rows_note(r, i, "a text is not an integer");
    return v;
}

double dg_row_text_double(DgRows *r, int32_t i, DgStr s)
{
    double v = 0;
    if (!str_to_double(str_trim(s), &v))
        dg_rows_note(r, i, "a text is not a number");
    return v;
}

bool dg_row_text_bool(DgRows *r, int32_t i, DgStr s)
{
    s = str_trim(s);
    if (str_eq_nocase(s, S("true")) || str_eq(s, S("1")) || str_eq_nocase(s, S("t")))
        return true;
    if (!str_eq_nocase(s, S("false")) && !str_eq(s, S("0")) && !str_eq_nocase(s, S("f")))
        dg_rows_note(r, i, "a text is not true or false");
    return false;
}

int64_t dg_row_text_time(DgRows *r, int32_t i, DgStr s)
{
    int64_t us = 0;
    if (!timestamp_parse(str_trim(s), &us))
        dg_rows_note(r, i, "a text is not a date or timestamp (ISO 8601)");
    return us;
}

int64_t dg_row_double_int(DgRows *r, int32_t i, double d)
{
    if (!(d > -9.3e18 && d < 9.2233720368547748e18)) {
        dg_rows_note(r, i, "a number is larger than 64 bits hold");
        return 0;
    }
    return (int64_t)nearbyint(d);
}
