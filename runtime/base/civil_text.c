/* Dates and times as text: strftime, strptime and ISO 8601 on CivilTime. */
#include "runtime/base/zone.h"

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

static void format_offset(StrBuf *out, int32_t offset, bool colon)
{
    int32_t minutes = (offset < 0 ? -offset : offset) / 60;
    buf_format(out, "%c%02d%s%02d", offset < 0 ? '-' : '+', (int)(minutes / 60), colon ? ":" : "",
               (int)(minutes % 60));
}

static bool format_one(StrBuf *out, char c, bool bare, const CivilTime *t, int32_t offset)
{
    int hour = t->hour % 12 ? t->hour % 12 : 12, width = bare ? 1 : 2;
    switch (c) {
    case 'Y': buf_format(out, "%04lld", (long long)t->year); return true;
    case 'y': buf_format(out, "%0*d", width, (int)(t->year % 100)); return true;
    case 'm': buf_format(out, "%0*d", width, t->month); return true;
    case 'd': buf_format(out, "%0*d", width, t->day); return true;
    case 'e': buf_format(out, "%2d", t->day); return true;
    case 'H': buf_format(out, "%0*d", width, t->hour); return true;
    case 'I': buf_format(out, "%0*d", width, hour); return true;
    case 'M': buf_format(out, "%0*d", width, t->minute); return true;
    case 'S': buf_format(out, "%0*d", width, t->second); return true;
    case 'j': buf_format(out, "%0*d", bare ? 1 : 3, t->year_day); return true;
    case 'f': buf_add(out, S("000000")); return true;
    case 'p': buf_add(out, t->hour < 12 ? S("AM") : S("PM")); return true;
    case 'B': buf_add(out, str_from(months[t->month - 1])); return true;
    case 'b': buf_add(out, str_sub(str_from(months[t->month - 1]), 0, 3)); return true;
    case 'A': buf_add(out, str_from(weekdays[t->weekday])); return true;
    case 'a': buf_add(out, str_sub(str_from(weekdays[t->weekday]), 0, 3)); return true;
    case 'w': buf_format(out, "%d", t->weekday); return true;
    case 'u': buf_format(out, "%d", t->weekday ? t->weekday : 7); return true;
    case 'z': format_offset(out, offset, false); return true;
    case 'Z': offset ? format_offset(out, offset, true) : buf_add(out, S("UTC")); return true;
    case '%': buf_char(out, '%'); return true;
    default: return false;
    }
}

static bool format_text(StrBuf *out, Str format, const CivilTime *t, int32_t offset, int depth)
{
    for (ptrdiff_t i = 0; i < format.len; i++) {
        char c = format.ptr[i];
        if (c != '%') {
            buf_char(out, c);
            continue;
        }
        bool bare = i + 1 < format.len && format.ptr[i + 1] == '-';
        i += 1 + bare;
        c = i < format.len ? format.ptr[i] : 0;
        bool ok = c == 'F'   ? depth < 2 && format_text(out, S("%Y-%m-%d"), t, offset, depth + 1)
                  : c == 'T' ? depth < 2 && format_text(out, S("%H:%M:%S"), t, offset, depth + 1)
                             : format_one(out, c, bare, t, offset);
        if (!ok)
            return false;
    }
    return true;
}

bool civil_format(StrBuf *out, Str format, const CivilTime *t, int32_t offset)
{
    return format_text(out, format, t, offset, 0);
}

/* ---- Parsing ---- */

static bool take_number(Str *s, int digits_max, int64_t min, int64_t max, int64_t *out)
{
    ptrdiff_t n = 0;
    while (n < s->len && n < digits_max && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        n++;
    if (n == 0 || !str_to_int(str_sub(*s, 0, n), out) || *out < min || *out > max)
        return false;
    *s = str_sub(*s, n, s->len);
    return true;
}

static bool take_int(Str *s, int digits_max, int min, int max, int *out)
{
    int64_t wide;
    if (!take_number(s, digits_max, min, max, &wide))
        return false;
    *out = (int)wide;
    return true;
}

/* A month or weekday, whole or its first three letters. */
static bool take_name(Str *s, const char *const *names, int count, int *out)
{
    for (int whole = 1; whole >= 0; whole--)
        for (int i = 0; i < count; i++) {
            Str name = str_from(names[i]);
            if (!whole)
                name = str_sub(name, 0, 3);
            if (s->len >= name.len && str_eq_nocase(str_sub(*s, 0, name.len), name)) {
                *s = str_sub(*s, name.len, s->len);
                *out = i;
                return true;
            }
        }
    return false;
}

/* Z, +hh, +hhmm, +hh:mm */
static bool take_offset(Str *s, int32_t *offset)
{
    if (s->len && (s->ptr[0] == 'Z' || s->ptr[0] == 'z')) {
        *s = str_sub(*s, 1, s->len);
        *offset = 0;
        return true;
    }
    if (s->len < 3 || (s->ptr[0] != '+' && s->ptr[0] != '-'))
        return false;
    int sign = s->ptr[0] == '-' ? -1 : 1, hours, minutes = 0;
    *s = str_sub(*s, 1, s->len);
    if (!take_int(s, 2, 0, 23, &hours))
        return false;
    if (s->len && s->ptr[0] == ':')
        *s = str_sub(*s, 1, s->len);
    if (s->len && s->ptr[0] >= '0' && s->ptr[0] <= '9' && !take_int(s, 2, 0, 59, &minutes))
        return false;
    *offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

typedef struct Parse {
    Str rest;
    CivilTime *t;
    int32_t *offset;
    bool *has_offset;
    bool pm, has_pm;
} Parse;

static bool parse_one(Parse *p, char c)
{
    int n;
    int64_t wide;
    switch (c) {
    case 'Y': return take_number(&p->rest, 4, 1, 9999, &p->t->year);
    case 'y':
        if (!take_number(&p->rest, 2, 0, 99, &wide))
            return false;
        p->t->year = wide + (wide < 69 ? 2000 : 1900);
        return true;
    case 'm': return take_int(&p->rest, 2, 1, 12, &p->t->month);
    case 'd':
    case 'e': return take_int(&p->rest, 2, 1, 31, &p->t->day);
    case 'H': return take_int(&p->rest, 2, 0, 23, &p->t->hour);
    case 'I': return take_int(&p->rest, 2, 1, 12, &p->t->hour);
    case 'M': return take_int(&p->rest, 2, 0, 59, &p->t->minute);
    case 'S': return take_int(&p->rest, 2, 0, 59, &p->t->second);
    case 'f': return take_int(&p->rest, 6, 0, 999999, &n);
    case 'b':
    case 'B':
        if (!take_name(&p->rest, months, 12, &p->t->month))
            return false;
        p->t->month++;
        return true;
    case 'a':
    case 'A': return take_name(&p->rest, weekdays, 7, &n);
    case 'p':
        p->has_pm = true;
        p->pm = p->rest.len >= 2 && (p->rest.ptr[0] | 32) == 'p';
        p->rest = str_sub(p->rest, 2, p->rest.len);
        return true;
    case 'z':
    case 'Z': return *p->has_offset = take_offset(&p->rest, p->offset);
    default:
        if (p->rest.len == 0 || p->rest.ptr[0] != c)
            return false;
        p->rest = str_sub(p->rest, 1, p->rest.len);
        return true;
    }
}

static bool parse_text(Parse *p, Str format, int depth)
{
    for (ptrdiff_t i = 0; i < format.len; i++) {
        char c = format.ptr[i];
        if (c != '%') {
            if (p->rest.len == 0 || p->rest.ptr[0] != c)
                return false;
            p->rest = str_sub(p->rest, 1, p->rest.len);
            continue;
        }
        if (i + 1 < format.len && format.ptr[i + 1] == '-')
            i++;
        c = ++i < format.len ? format.ptr[i] : 0;
        bool ok = c == 'F'   ? depth < 2 && parse_text(p, S("%Y-%m-%d"), depth + 1)
                  : c == 'T' ? depth < 2 && parse_text(p, S("%H:%M:%S"), depth + 1)
                             : parse_one(p, c);
        if (!ok)
            return false;
    }
    return true;
}

bool civil_parse(Str text, Str format, CivilTime *out, int32_t *offset, bool *has_offset)
{
    CivilTime t = *out;
    Parse p = {.rest = text, .t = &t, .offset = offset, .has_offset = has_offset};
    *has_offset = false;
    if (!parse_text(&p, format, 0) || p.rest.len)
        return false;
    if (p.has_pm)
        t.hour = t.hour % 12 + (p.pm ? 12 : 0);
    if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > civil_month_days(t.year, t.month))
        return false;
    *out = civil_from_seconds(civil_to_seconds(&t)); /* fills in the weekday */
    return true;
}

bool civil_parse_iso(Str text, CivilTime *out, int32_t *offset, bool *has_offset)
{
    CivilTime t = {.year = 1970, .month = 1, .day = 1};
    Parse p = {.rest = str_trim(text), .t = &t, .offset = offset, .has_offset = has_offset};
    *has_offset = false;
    if (!parse_text(&p, S("%Y-%m-%d"), 0))
        return false;
    if (p.rest.len && (p.rest.ptr[0] == 'T' || p.rest.ptr[0] == ' ')) {
        p.rest = str_sub(p.rest, 1, p.rest.len);
        if (!parse_text(&p, S("%H:%M"), 0))
            return false;
        if (p.rest.len && p.rest.ptr[0] == ':' && !parse_text(&p, S(":%S"), 0))
            return false;
        if (p.rest.len && p.rest.ptr[0] == '.') {
            p.rest = str_sub(p.rest, 1, p.rest.len);
            while (p.rest.len && p.rest.ptr[0] >= '0' && p.rest.ptr[0] <= '9')
                p.rest = str_sub(p.rest, 1, p.rest.len);
        }
        if (p.rest.len && take_offset(&p.rest, offset))
            *has_offset = true;
    }
    if (p.rest.len || t.day > civil_month_days(t.year, t.month))
        return false;
    *out = civil_from_seconds(civil_to_seconds(&t));
    return true;
}
