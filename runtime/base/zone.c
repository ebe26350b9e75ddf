/* Time zones: TZif files (RFC 8536) and the POSIX rule at their end. */
#include "runtime/base/zone.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct Rule { /* when a clock changes: Mm.w.d/time, Jn or n */
    char kind;        /* 'M', 'J', '0' */
    int month, week, day;
    int32_t time;     /* seconds after midnight, may be negative */
} Rule;

struct Zone {
    Str name;
    const int64_t *at;       /* transitions, ascending */
    const int32_t *offsets;  /* offset from at[i] on */
    int32_t count;
    int32_t before;          /* offset before at[0] */
    int32_t standard, summer;/* after the last transition: the rule */
    bool has_rule, has_summer;
    Rule start, end;         /* of summer */
};

/* ---- Calendar ---- */

int64_t civil_days(int64_t year, int month, int day)
{
    /* Counts from 1 March, so that the leap day is the last of its year. */
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

CivilTime civil_from_seconds(int64_t local)
{
    CivilTime t = {0};
    int64_t days = floor_div(local, 86400), of_day = local - days * 86400;
    t.hour = (int)(of_day / 3600);
    t.minute = (int)(of_day / 60 % 60);
    t.second = (int)(of_day % 60);
    int64_t weekday = (days + 4) % 7;
    t.weekday = (int)(weekday < 0 ? weekday + 7 : weekday);
    int64_t z = days + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t mp = (5 * of_year + 2) / 153;
    t.day = (int)(of_year - (153 * mp + 2) / 5 + 1);
    t.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    t.year = year + era * 400 + (t.month <= 2);
    t.year_day = (int)(days - civil_days(t.year, 1, 1)) + 1;
    return t;
}

int64_t civil_to_seconds(const CivilTime *t)
{
    return civil_days(t->year, t->month, t->day) * 86400 + t->hour * 3600 + t->minute * 60 +
           t->second;
}

int civil_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* ---- TZif ---- */

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

typedef struct Header {
    size_t isut, isstd, leap, times, types, chars, bytes; /* counts; bytes of the data block */
} Header;

static bool read_header(const unsigned char *p, size_t left, size_t time_size, Header *h)
{
    if (left < 44 || memcmp(p, "TZif", 4) != 0)
        return false;
    h->isut = be32(p + 20), h->isstd = be32(p + 24), h->leap = be32(p + 28);
    h->times = be32(p + 32), h->types = be32(p + 36), h->chars = be32(p + 40);
    if (h->times > 100000 || h->types == 0 || h->types > 256 || h->leap > 1000 ||
        h->chars > 10000 || h->isut > 256 || h->isstd > 256)
        return false;
    h->bytes = h->times * (time_size + 1) + h->types * 6 + h->chars +
               h->leap * (time_size + 4) + h->isstd + h->isut;
    return left - 44 >= h->bytes;
}

/* ---- The POSIX rule: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

static bool rule_number(Str *s, int max, int *out)
{
    ptrdiff_t n = 0;
    *out = 0;
    while (n < s->len && n < 4 && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        *out = *out * 10 + (s->ptr[n++] - '0');
    *s = str_sub(*s, n, s->len);
    return n > 0 && *out <= max;
}

static bool rule_char(Str *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = str_sub(*s, 1, s->len);
    return true;
}

/* "CET" or "<+0330>" */
static bool rule_name(Str *s)
{
    ptrdiff_t n = 0;
    if (rule_char(s, '<')) {
        n = str_find_char(*s, '>');
        *s = str_sub(*s, n + 1, s->len);
        return n > 0;
    }
    while (n < s->len && ((s->ptr[n] | 32) >= 'a' && (s->ptr[n] | 32) <= 'z'))
        n++;
    *s = str_sub(*s, n, s->len);
    return n >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool rule_time(Str *s, int32_t *out)
{
    bool minus = rule_char(s, '-');
    int hours, minutes = 0, seconds = 0;
    if (!minus)
        rule_char(s, '+');
    if (!rule_number(s, 167, &hours))
        return false;
    if (rule_char(s, ':') && !rule_number(s, 59, &minutes))
        return false;
    if (rule_char(s, ':') && !rule_number(s, 59, &seconds))
        return false;
    *out = hours * 3600 + minutes * 60 + seconds;
    if (minus)
        *out = -*out;
    return true;
}

static bool rule_date(Str *s, Rule *r)
{
    r->time = 7200;
    if (!rule_char(s, ','))
        return false;
    if (rule_char(s, 'M')) {
        r->kind = 'M';
        if (!rule_number(s, 12, &r->month) || !rule_char(s, '.') || !rule_number(s, 5, &r->week) ||
            !rule_char(s, '.') || !rule_number(s, 6, &r->day) || r->month < 1 || r->week < 1)
            return false;
    } else {
        r->kind = rule_char(s, 'J') ? 'J' : '0';
        if (!rule_number(s, 365, &r->day))
            return false;
    }
    return !rule_char(s, '/') || rule_time(s, &r->time);
}

static bool parse_rule(Str s, Zone *z)
{
    int32_t offset;
    if (!rule_name(&s) || !rule_time(&s, &offset))
        return false;
    z->standard = -offset;
    z->has_rule = true;
    if (s.len == 0)
        return true;
    if (!rule_name(&s))
        return false;
    z->summer = z->standard + 3600;
    if (s.len && s.ptr[0] != ',') {
        if (!rule_time(&s, &offset))
            return false;
        z->summer = -offset;
    }
    z->has_summer = rule_date(&s, &z->start) && rule_date(&s, &z->end);
    return z->has_summer && s.len == 0;
}

/* Local seconds (of the offset in force before it) at which the rule strikes in a year. */
static int64_t rule_local(const Rule *r, int64_t year)
{
    int64_t day;
    if (r->kind == 'M') {
        int64_t first = civil_days(year, r->month, 1);
        int weekday = (int)(((first + 4) % 7 + 7) % 7);
        int of_month = 1 + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
        while (of_month > civil_month_days(year, r->month))
            of_month -= 7;
        day = first + of_month - 1;
    } else {
        day = civil_days(year, 1, 1) + r->day - (r->kind == 'J');
        if (r->kind == 'J' && r->day >= 60 && civil_month_days(year, 2) == 29)
            day++;
    }
    return day * 86400 + r->time;
}

static int32_t rule_offset(const Zone *z, int64_t utc)
{
    if (!z->has_summer)
        return z->standard;
    int64_t year = civil_from_seconds(utc + z->standard).year;
    int64_t start = rule_local(&z->start, year) - z->standard;
    int64_t end = rule_local(&z->end, year) - z->summer;
    bool summer = start < end ? utc >= start && utc < end : utc >= start || utc < end;
    return summer ? z->summer : z->standard;
}

const Zone *zone_parse(Arena *a, Str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    size_t left = (size_t)bytes.len, time_size = 4;
    Header h;
    if (!read_header(p, left, 4, &h))
        return NULL;
    if (p[4] >= '2') { /* the second block has 64-bit times */
        size_t skip = 44 + h.bytes;
        p += skip;
        left -= skip;
        time_size = 8;
        if (!read_header(p, left, 8, &h))
            return NULL;
    }
    Zone *z = push(a, Zone, 1);
    int64_t *at = push(a, int64_t, h.times + 1);
    int32_t *offsets = push(a, int32_t, h.times + 1);
    if (!z || !at || !offsets)
        return NULL;
    const unsigned char *times = p + 44, *index = times + h.times * time_size;
    const unsigned char *types = index + h.times;
    for (size_t i = 0; i < h.times; i++) {
        if (index[i] >= h.types)
            return NULL;
        at[i] = time_size == 8 ? be64(times + i * 8) : (int32_t)be32(times + i * 4);
        offsets[i] = (int32_t)be32(types + index[i] * 6);
        if ((i && at[i] <= at[i - 1]) || offsets[i] > 90000 || offsets[i] < -90000)
            return NULL;
    }
    *z = (Zone){.at = at, .offsets = offsets, .count = (int32_t)h.times};
    z->before = (int32_t)be32(types);
    if (z->before > 90000 || z->before < -90000)
        return NULL;
    if (time_size == 8) {
        Str footer = {(const char *)p + 44 + h.bytes, (ptrdiff_t)(left - 44 - h.bytes)};
        footer = str_trim(footer);
        if (footer.len && !parse_rule(footer, z))
            return NULL;
    }
    return z;
}

static const Zone utc_zone = {.name = DG_S("UTC"), .has_rule = true};

const Zone *zone_utc(void)
{
    return &utc_zone;
}

Str zone_name(const Zone *z)
{
    return z->name;
}

int32_t zone_offset(const Zone *z, int64_t utc)
{
    if (z->count == 0 || utc < z->at[0])
        return z->count == 0 && z->has_rule ? rule_offset(z, utc) : z->before;
    if (utc >= z->at[z->count - 1] && z->has_rule)
        return rule_offset(z, utc);
    int32_t low = 0, high = z->count; /* at[low] <= utc < at[high] */
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        if (z->at[middle] <= utc)
            low = middle;
        else
            high = middle;
    }
    return z->offsets[low];
}

ZoneFit zone_to_utc(const Zone *z, int64_t local, int64_t *utc, int64_t *first)
{
    /* The offsets of a day before and after cover any single change around this time. */
    int32_t early = zone_offset(z, local - 86400), late = zone_offset(z, local + 86400);
    int64_t a = local - early, b = local - late;
    bool fits_a = zone_offset(z, a) == early, fits_b = zone_offset(z, b) == late;
    *utc = *first = fits_a ? a : b;
    if (fits_a && fits_b && a != b) {
        *utc = a > b ? a : b;
        *first = a > b ? b : a;
        return ZONE_TWICE;
    }
    if (fits_a || fits_b)
        return ZONE_ONCE;
    /* In a gap: the change itself, found between the two readings. */
    int64_t low = a < b ? a : b, high = a < b ? b : a;
    int32_t low_offset = zone_offset(z, low);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (zone_offset(z, middle) == low_offset)
            low = middle;
        else
            high = middle;
    }
    *utc = *first = high;
    return ZONE_GAP;
}

/* ---- The tz database on this machine ---- */

static bool name_is_safe(Str name)
{
    if (name.len == 0 || name.len > 64 || name.ptr[0] == '/')
        return false;
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '+' || c == '/';
        if (!ok)
            return false;
    }
    return true;
}

static const char *tz_folder(void)
{
    const char *folder = getenv("TZDIR");
    return folder && *folder ? folder : "/usr/share/zoneinfo";
}

static void suggest(Arena *a, Str name, DgError *err)
{
    Str path = str_format(a, "%s/tzdata.zi", tz_folder()), best = {0};
    FILE *f = fopen(path.ptr, "re");
    char line[256];
    int distance_max = 3;
    while (f && fgets(line, sizeof line, f)) {
        Str text = str_trim(str_from(line)), first, rest, zone;
        if (!str_cut(text, ' ', &first, &rest))
            continue;
        if (str_eq(first, S("Z"))) { /* "Z Europe/Berlin 0:53 ..." */
            if (!str_cut(rest, ' ', &zone, &rest))
                continue;
        } else if (!str_eq(first, S("L")) || !str_cut(rest, ' ', &rest, &zone)) {
            continue;
        }
        ptrdiff_t from = zone.len - name.len;
        bool is_city = from > 0 && zone.ptr[from - 1] == '/' &&
                       str_eq_nocase(str_sub(zone, from, zone.len), name);
        int distance = is_city || str_eq_nocase(zone, name) ? 0
                                                            : str_distance(name, zone, distance_max);
        if (distance <= distance_max) {
            best = str_copy(a, zone);
            distance_max = distance - 1;
        }
        if (distance == 0)
            break;
    }
    if (f)
        fclose(f);
    if (best.len)
        dg_hint(err, "a similar time zone exists: `%.*s`", FMT(best));
    else
        dg_hint(err, "zones are named as in the IANA database: Europe/Berlin, America/New_York, UTC");
}

DgStatus zone_open(Arena *a, Str name, const Zone **out, DgError *err)
{
    static const char *const utc_names[] = {"", "UTC", "Etc/UTC", "Z", "GMT", "Etc/GMT"};
    *out = NULL;
    for (size_t i = 0; i < sizeof utc_names / sizeof *utc_names; i++)
        if (str_eq(name, str_from(utc_names[i]))) {
            *out = &utc_zone;
            return DG_OK;
        }
    char bytes[64 << 10];
    size_t count = 0;
    if (name_is_safe(name)) {
        Str path = str_format(a, "%s/%.*s", tz_folder(), FMT(name));
        FILE *f = path.ptr ? fopen(path.ptr, "re") : NULL;
        if (f) {
            count = fread(bytes, 1, sizeof bytes, f);
            fclose(f);
        }
    }
    Zone *z = count ? (Zone *)(uintptr_t)zone_parse(a, (Str){bytes, (ptrdiff_t)count}) : NULL;
    if (z) {
        z->name = str_copy(a, name);
        *out = z;
        return DG_OK;
    }
    FILE *any = fopen(str_format(a, "%s/Europe/London", tz_folder()).ptr, "re");
    if (any) {
        fclose(any);
        dg_fail(err, DG_CONFIG, "there is no time zone `%.*s`", FMT(name));
        suggest(a, name, err);
        return DG_CONFIG;
    }
    dg_fail(err, DG_CONFIG, "time zone `%.*s`: this machine has no time zone database in %s",
            FMT(name), tz_folder());
    dg_hint(err, "install the package tzdata, or set TZDIR; UTC works without");
    return DG_CONFIG;
}
