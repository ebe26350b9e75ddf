/* calendar.c - the calendar: days, strftime and strptime, ISO 8601. */
#include "runtime/eval/datetime.h"

static const char *const MONTHS[] = {"January", "February", "March", "April", "May", "June",
                                     "July", "August", "September", "October", "November",
                                     "December"};
static const char *const DAYS[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
                                   "Saturday", "Sunday"};

int64_t cal_days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

CalTime cal_from_us(int64_t us)
{
    int64_t days = us / US_PER_DAY, rest = us % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        days--;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    CalTime c = {.day = doy - (153 * mp + 2) / 5 + 1, .month = mp < 10 ? mp + 3 : mp - 9};
    c.year = yoe + era * 400 + (c.month <= 2);
    c.us = rest % US_PER_S;
    rest /= US_PER_S;
    c.hour = rest / 3600;
    c.minute = rest / 60 % 60;
    c.second = rest % 60;
    return c;
}

int64_t cal_us(const CalTime *c)
{
    return cal_days(c->year, c->month, c->day) * US_PER_DAY +
           ((c->hour * 60 + c->minute) * 60 + c->second) * US_PER_S + c->us;
}

static int64_t month_days(int64_t year, int64_t month)
{
    static const int DAYS_IN[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS_IN[month - 1] + (month == 2 && leap);
}

bool cal_valid(const CalTime *c)
{
    return c->year >= 1 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= month_days(c->year, c->month) && c->hour >= 0 && c->hour < 24 &&
           c->minute >= 0 && c->minute < 60 && c->second >= 0 && c->second < 60 && c->us >= 0 &&
           c->us < US_PER_S;
}

int cal_weekday(const CalTime *c)
{
    int64_t d = (cal_days(c->year, c->month, c->day) + 3) % 7;
    return (int)(d < 0 ? d + 7 : d);
}

int cal_year_day(const CalTime *c)
{
    return (int)(cal_days(c->year, c->month, c->day) - cal_days(c->year, 1, 1)) + 1;
}

static void zone_text(StrBuf *b, const CalTime *c, bool colon)
{
    int64_t o = c->offset_s < 0 ? -c->offset_s : c->offset_s;
    if (c->has_zone)
        buf_format(b, "%c%02lld%s%02lld", c->offset_s < 0 ? '-' : '+', (long long)(o / 3600),
                   colon ? ":" : "", (long long)(o / 60 % 60));
}

/* ISO 8601 week number and its year. */
static int iso_week(const CalTime *c, int64_t *year)
{
    int64_t days = cal_days(c->year, c->month, c->day) - cal_weekday(c) + 3; /* the Thursday */
    CalTime thursday = cal_from_us(days * US_PER_DAY);
    *year = thursday.year;
    return (cal_year_day(&thursday) - 1) / 7 + 1;
}

static void format_one(StrBuf *b, const CalTime *c, char what)
{
    int64_t year;
    switch (what) {
    case 'Y': buf_format(b, "%lld", (long long)c->year); break;
    case 'y': buf_format(b, "%02lld", (long long)(c->year % 100)); break;
    case 'm': buf_format(b, "%02lld", (long long)c->month); break;
    case 'd': buf_format(b, "%02lld", (long long)c->day); break;
    case 'e': buf_format(b, "%2lld", (long long)c->day); break;
    case 'H': buf_format(b, "%02lld", (long long)c->hour); break;
    case 'I': buf_format(b, "%02lld", (long long)((c->hour + 11) % 12 + 1)); break;
    case 'M': buf_format(b, "%02lld", (long long)c->minute); break;
    case 'S': buf_format(b, "%02lld", (long long)c->second); break;
    case 'f': buf_format(b, "%06lld", (long long)c->us); break;
    case 'j': buf_format(b, "%03d", cal_year_day(c)); break;
    case 'p': buf_add(b, c->hour < 12 ? S("AM") : S("PM")); break;
    case 'a': buf_format(b, "%.3s", DAYS[cal_weekday(c)]); break;
    case 'A': buf_add(b, str_from(DAYS[cal_weekday(c)])); break;
    case 'b':
    case 'h': buf_format(b, "%.3s", MONTHS[c->month - 1]); break;
    case 'B': buf_add(b, str_from(MONTHS[c->month - 1])); break;
    case 'u': buf_format(b, "%d", cal_weekday(c) + 1); break;
    case 'w': buf_format(b, "%d", (cal_weekday(c) + 1) % 7); break;
    case 'U': buf_format(b, "%02d", (cal_year_day(c) + 6 - (cal_weekday(c) + 1) % 7) / 7); break;
    case 'W': buf_format(b, "%02d", (cal_year_day(c) + 6 - cal_weekday(c)) / 7); break;
    case 'V': buf_format(b, "%02d", iso_week(c, &year)); break;
    case 'G':
        iso_week(c, &year);
        buf_format(b, "%lld", (long long)year);
        break;
    case 'z': zone_text(b, c, false); break;
    case 'Z': buf_add(b, c->has_zone ? S("UTC") : S("")); break;
    case 'F': cal_format(b, c, S("%Y-%m-%d")); break;
    case 'T':
    case 'X': cal_format(b, c, S("%H:%M:%S")); break;
    case 'D':
    case 'x': cal_format(b, c, S("%m/%d/%y")); break;
    case 'R': cal_format(b, c, S("%H:%M")); break;
    case 'c': cal_format(b, c, S("%a %b %e %H:%M:%S %Y")); break;
    case 's': buf_format(b, "%lld", (long long)(cal_us(c) / US_PER_S - c->offset_s)); break;
    case 'n': buf_char(b, '\n'); break;
    case 't': buf_char(b, '\t'); break;
    case '%': buf_char(b, '%'); break;
    default: buf_format(b, "%%%c", what); break;
    }
}

void cal_format(StrBuf *b, const CalTime *c, Str format)
{
    for (ptrdiff_t i = 0; i < format.len; i++) {
        if (format.ptr[i] != '%' || i + 1 == format.len) {
            buf_char(b, format.ptr[i]);
            continue;
        }
        char what = format.ptr[++i];
        if (what == '-' && i + 1 < format.len) { /* without leading zeros */
            StrBuf one = {.max = 64};
            format_one(&one, c, format.ptr[++i]);
            Str s = buf_str(&one);
            while (s.len > 1 && (s.ptr[0] == '0' || s.ptr[0] == ' '))
                s = str_sub(s, 1, s.len);
            buf_add(b, s);
            buf_free(&one);
        } else {
            format_one(b, c, what);
        }
    }
}

/* ---- Reading ---- */

static bool number(Str s, ptrdiff_t *at, int digits_max, int64_t *out)
{
    int n = 0;
    *out = 0;
    for (; n < digits_max && *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; n++)
        *out = *out * 10 + (s.ptr[(*at)++] - '0');
    return n > 0;
}

static bool name(Str s, ptrdiff_t *at, const char *const *names, int count, bool shortened,
                 int64_t *out)
{
    for (int i = 0; i < count; i++) {
        Str one = str_from(names[i]);
        one = shortened ? str_sub(one, 0, 3) : one;
        if (str_eq_nocase(str_sub(s, *at, *at + one.len), one)) {
            *at += one.len;
            *out = i;
            return true;
        }
    }
    return false;
}

static bool fraction(Str s, ptrdiff_t *at, int64_t *us)
{
    ptrdiff_t start = *at;
    if (!number(s, at, 6, us))
        return false;
    for (ptrdiff_t n = *at - start; n < 6; n++)
        *us *= 10;
    return true;
}

static bool zone(Str s, ptrdiff_t *at, CalTime *c)
{
    c->has_zone = true;
    if (*at < s.len && (s.ptr[*at] == 'Z' || s.ptr[*at] == 'z')) {
        ++*at;
        return true;
    }
    if (*at >= s.len || (s.ptr[*at] != '+' && s.ptr[*at] != '-'))
        return false;
    bool west = s.ptr[(*at)++] == '-';
    int64_t hours, minutes;
    if (!number(s, at, 2, &hours))
        return false;
    if (*at < s.len && s.ptr[*at] == ':')
        ++*at;
    if (!number(s, at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    c->offset_s = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

typedef struct Parsing {
    CalTime *c;
    int64_t half; /* %p: 0 morning, 1 afternoon, -1 not given */
    int64_t year_day;
} Parsing;

static bool parse_one(Str s, ptrdiff_t *at, char what, Parsing *p)
{
    static const char *const HALVES[] = {"AM", "PM"};
    CalTime *c = p->c;
    int64_t n;
    switch (what) {
    case 'Y': return number(s, at, 4, &c->year);
    case 'y':
        if (!number(s, at, 2, &n))
            return false;
        c->year = n + (n < 69 ? 2000 : 1900);
        return true;
    case 'm': return number(s, at, 2, &c->month);
    case 'd':
    case 'e': return number(s, at, 2, &c->day);
    case 'H':
    case 'I': return number(s, at, 2, &c->hour);
    case 'M': return number(s, at, 2, &c->minute);
    case 'S': return number(s, at, 2, &c->second);
    case 'f': return fraction(s, at, &c->us);
    case 'j': return number(s, at, 3, &p->year_day);
    case 'z': return zone(s, at, c);
    case 'p': return name(s, at, HALVES, 2, false, &p->half);
    case 'a': return name(s, at, DAYS, 7, true, &n);
    case 'A': return name(s, at, DAYS, 7, false, &n);
    case 'b':
    case 'B':
        if (!name(s, at, MONTHS, 12, what == 'b', &n))
            return false;
        c->month = n + 1;
        return true;
    case '%': return *at < s.len && s.ptr[(*at)++] == '%';
    default: return false;
    }
}

bool cal_parse(Str s, Str format, CalTime *out)
{
    *out = (CalTime){.year = 1900, .month = 1, .day = 1};
    Parsing p = {.c = out, .half = -1};
    ptrdiff_t at = 0;
    for (ptrdiff_t i = 0; i < format.len; i++) {
        char c = format.ptr[i];
        if (c == '%' && i + 1 < format.len) {
            if (!parse_one(s, &at, format.ptr[++i], &p))
                return false;
        } else if (uc_is_space((unsigned char)c)) {
            while (at < s.len && uc_is_space((unsigned char)s.ptr[at]))
                at++;
        } else if (at >= s.len || s.ptr[at++] != c) {
            return false;
        }
    }
    if (p.half >= 0)
        out->hour = out->hour % 12 + p.half * 12;
    if (p.year_day) {
        CalTime day = cal_from_us((cal_days(out->year, 1, 1) + p.year_day - 1) * US_PER_DAY);
        out->month = day.month;
        out->day = day.day;
    }
    return at == s.len && cal_valid(out);
}

void cal_iso(StrBuf *b, const CalTime *c, Str separator, Str timespec, bool date_only)
{
    buf_format(b, "%04lld-%02lld-%02lld", (long long)c->year, (long long)c->month,
               (long long)c->day);
    if (date_only)
        return;
    bool automatic = !timespec.len || str_eq(timespec, S("auto"));
    buf_add(b, separator);
    buf_format(b, "%02lld", (long long)c->hour);
    if (!str_eq(timespec, S("hours")))
        buf_format(b, ":%02lld", (long long)c->minute);
    if (!str_eq(timespec, S("hours")) && !str_eq(timespec, S("minutes")))
        buf_format(b, ":%02lld", (long long)c->second);
    if (str_eq(timespec, S("milliseconds")))
        buf_format(b, ".%03lld", (long long)(c->us / 1000));
    if (str_eq(timespec, S("microseconds")) || (automatic && c->us))
        buf_format(b, ".%06lld", (long long)c->us);
    zone_text(b, c, true);
}

bool cal_parse_iso(Str s, CalTime *out)
{
    *out = (CalTime){0};
    ptrdiff_t at = 0;
    if (!number(s, &at, 4, &out->year) || at != 4 || at >= s.len || s.ptr[at++] != '-' ||
        !number(s, &at, 2, &out->month) || at != 7 || at >= s.len || s.ptr[at++] != '-' ||
        !number(s, &at, 2, &out->day) || at != 10)
        return false;
    if (at == s.len)
        return cal_valid(out);
    at++; /* any one separator */
    if (!number(s, &at, 2, &out->hour))
        return false;
    if (at < s.len && s.ptr[at] == ':' && (at++, !number(s, &at, 2, &out->minute)))
        return false;
    if (at < s.len && s.ptr[at] == ':' && (at++, !number(s, &at, 2, &out->second)))
        return false;
    if (at < s.len && s.ptr[at] == '.' && (at++, !fraction(s, &at, &out->us)))
        return false;
    if (at < s.len && !zone(s, &at, out))
        return false;
    return at == s.len && cal_valid(out);
}
