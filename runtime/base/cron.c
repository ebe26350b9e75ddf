/* Cron schedules: parsing and the next firing. See cron.h. */
#include "runtime/base/cron.h"

typedef struct FieldKind {
    const char *name;
    int min, max;
    const char *const *names; /* names[i] is min_named + i */
    int names_min, names_count;
} FieldKind;

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY };
static const FieldKind fields[5] = {
    {"a minute", 0, 59, NULL, 0, 0},
    {"an hour", 0, 23, NULL, 0, 0},
    {"a day of the month", 1, 31, NULL, 0, 0},
    {"a month", 1, 12, month_names, 1, 12},
    {"a day of the week", 0, 7, weekday_names, 0, 7},
};

static const struct {
    const char *name, *expression;
} shorthands[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

typedef struct Parser {
    Arena *arena;
    Str text;
    Cron *cron;
    CronError *err;
} Parser;

static bool fail(Parser *p, Str at, Str message, Str help)
{
    *p->err = (CronError){at.ptr && p->text.ptr ? at.ptr - p->text.ptr : 0, at.len, message, help};
    return false;
}

static bool out_of_range(Parser *p, const FieldKind *f, Str at)
{
    const char *names = f->names == month_names    ? ", or jan to dec"
                        : f->names == weekday_names ? ", or sun to sat"
                                                    : "";
    return fail(p, at,
                str_format(p->arena, "`%.*s` is not %s", FMT(at), f->name),
                str_format(p->arena, "%s is %d to %d%s; `*` is any", f->name, f->min, f->max,
                           names));
}

static bool parse_value(Parser *p, const FieldKind *f, Str text, int *out)
{
    int64_t number;
    bool digits = text.len > 0;
    for (ptrdiff_t i = 0; i < text.len; i++)
        digits &= text.ptr[i] >= '0' && text.ptr[i] <= '9';
    if (digits && str_to_int(text, &number) && number >= f->min && number <= f->max) {
        *out = (int)number;
        return true;
    }
    for (int i = 0; i < f->names_count; i++)
        if (str_eq_nocase(text, str_from(f->names[i]))) {
            *out = f->names_min + i;
            return true;
        }
    return out_of_range(p, f, text);
}

/* mon#2, L5 */
static bool parse_nth(Parser *p, Str text)
{
    const FieldKind *f = &fields[WEEKDAY];
    Str day, nth;
    int weekday;
    int64_t number = 0;
    if (!str_cut(text, '#', &day, &nth)) {
        if (!parse_value(p, f, str_sub(text, 1, text.len), &weekday))
            return false;
    } else if (!parse_value(p, f, day, &weekday)) {
        return false;
    } else if (!str_eq_nocase(nth, S("l")) &&
               (!str_to_int(nth, &number) || number < 1 || number > 5)) {
        return fail(p, nth, str_format(p->arena, "`%.*s` is not a week of the month", FMT(nth)),
                    S("after `#` comes 1 to 5, or L for the last"));
    }
    p->cron->nth[weekday % 7] |= (uint8_t)(1 << number);
    return true;
}

static bool parse_item(Parser *p, int field, Str item, uint64_t *bits)
{
    const FieldKind *f = &fields[field];
    Str range = item, step_text = {0}, from_text, to_text;
    int64_t step = 1;
    int from = f->min, to = f->max;
    bool has_step = str_cut(item, '/', &range, &step_text);
    if (has_step && (!str_to_int(step_text, &step) || step < 1 || step > f->max))
        return fail(p, step_text.len ? step_text : item,
                    str_format(p->arena, "`%.*s` is not a step for %s", FMT(step_text), f->name),
                    str_format(p->arena, "a step is 1 to %d", f->max));
    if (field == DAY && str_eq_nocase(range, S("l")) && !has_step) {
        p->cron->last_day = true;
        return true;
    }
    if (field == WEEKDAY && !has_step && range.len > 1 &&
        (str_find_char(range, '#') > 0 || (range.ptr[0] | 32) == 'l'))
        return parse_nth(p, range);
    if (str_eq(range, S("*")) || str_eq(range, S("?"))) {
        to = field == WEEKDAY ? 6 : to;
    } else if (str_cut(range, '-', &from_text, &to_text)) {
        if (!parse_value(p, f, from_text, &from) || !parse_value(p, f, to_text, &to))
            return false;
        if (field == WEEKDAY && to == 0 && from > 0)
            to = 7; /* fri-sun */
    } else {
        if (!parse_value(p, f, range, &from))
            return false;
        if (!has_step)
            to = from;
    }
    if (from > to && field != WEEKDAY && field != MONTH && field != HOUR)
        return fail(p, range, str_format(p->arena, "`%.*s` runs backwards", FMT(range)),
                    S("write the smaller one first"));
    /* fri-mon wraps round, as croniter does for ranges that run backwards. */
    int span = from > to ? to - from + f->max - f->min + 1 - (field == WEEKDAY) : to - from;
    for (int i = 0; i <= span; i += (int)step) {
        int value = from + i;
        int wrap = field == WEEKDAY ? 7 : f->max + 1;
        if (field == WEEKDAY)
            value %= 7;
        else if (value >= wrap)
            value -= f->max - f->min + 1;
        *bits |= 1ull << value;
    }
    return true;
}

static bool parse_field(Parser *p, int field, Str text)
{
    uint64_t bits = 0;
    Str item, rest = text;
    bool more = true;
    while (more) {
        more = str_cut(rest, ',', &item, &rest);
        if (item.len == 0)
            return fail(p, text, str_format(p->arena, "`%.*s` has an empty entry", FMT(text)),
                        S("write lists as 1,15,30"));
        if (!parse_item(p, field, item, &bits))
            return false;
    }
    Cron *c = p->cron;
    switch (field) {
    case MINUTE: c->minutes = bits; break;
    case HOUR:
        c->hours = (uint32_t)bits;
        c->any_hour = bits == (1ull << 24) - 1;
        break;
    case DAY:
        c->days = (uint32_t)bits;
        c->any_day = bits == ((1ull << 32) - 2);
        break;
    case MONTH: c->months = (uint32_t)bits; break;
    default:
        c->weekdays = (uint8_t)bits;
        c->any_weekday = bits == 127;
    }
    return true;
}

/* A day that no chosen month has: "0 0 30 2 *". */
static bool never_fires(const Cron *c)
{
    bool by_weekday = !c->any_weekday;
    if (by_weekday || c->last_day)
        return false;
    int longest = 0;
    for (int month = 1; month <= 12; month++)
        if (c->months >> month & 1 && civil_month_days(2000, month) > longest)
            longest = civil_month_days(2000, month);
    return (c->days & ((1ull << (longest + 1)) - 2)) == 0;
}

bool cron_parse(Arena *a, Str text, Cron *out, CronError *err)
{
    Parser p = {a, text, out, err};
    *out = (Cron){0};
    *err = (CronError){0};
    Str rest = str_trim(text);
    for (size_t i = 0; i < sizeof shorthands / sizeof *shorthands; i++)
        if (str_eq_nocase(rest, str_from(shorthands[i].name)))
            return cron_parse(a, str_from(shorthands[i].expression), out, err);
    if (str_starts(rest, S("@")))
        return fail(&p, rest, str_format(a, "there is no schedule `%.*s`", FMT(rest)),
                    S("these exist: @hourly @daily @weekly @monthly @yearly"));
    Str words[6];
    int count = 0;
    for (ptrdiff_t i = 0; i < rest.len && count < 6;) {
        ptrdiff_t start = i;
        while (i < rest.len && !strchr(" \t\n", rest.ptr[i]))
            i++;
        words[count++] = str_sub(rest, start, i);
        while (i < rest.len && strchr(" \t\n", rest.ptr[i]))
            i++;
    }
    if (count != 5)
        return fail(&p, count > 5 ? words[5] : rest,
                    count > 5 ? S("a cron schedule has five fields, this is a sixth")
                              : str_format(a, "a cron schedule has five fields, this has %d", count),
                    S("minute hour day month weekday: `0 6 * * *` is every day at 06:00"));
    for (int i = 0; i < 5; i++)
        if (!parse_field(&p, i, words[i]))
            return false;
    if (never_fires(out))
        return fail(&p, words[DAY], S("no chosen month has this day"), (Str){0});
    return true;
}

static bool day_fits(const Cron *c, const CivilTime *t)
{
    if (!(c->months >> t->month & 1))
        return false;
    int last = civil_month_days(t->year, t->month);
    bool day = (c->days >> t->day & 1) || (c->last_day && t->day == last);
    uint8_t nth = c->nth[t->weekday];
    bool weekday = (c->weekdays >> t->weekday & 1) || (nth >> ((t->day - 1) / 7 + 1) & 1) ||
                   ((nth & 1) && t->day + 7 > last);
    if (c->any_day)
        return weekday;
    return c->any_weekday ? day : day || weekday;
}

enum { DAYS_MAX = 50 * 366 };

/* Every real hour: walks real minutes, so both of two equal wall times count. */
static bool next_every_hour(const Cron *c, const Zone *z, int64_t after, int64_t *out)
{
    int64_t at = after - (after % 60 + 60) % 60 + 60;
    for (int days = 0; days < DAYS_MAX;) {
        CivilTime t = civil_from_seconds(at + zone_offset(z, at));
        if (!day_fits(c, &t)) {
            /* To the next midnight, but never past a clock change's worth of hours before it. */
            int64_t left = 86400 - (t.hour * 3600 + t.minute * 60 + t.second);
            at += left > 14400 ? left - 10800 : 3600 - (t.minute * 60 + t.second);
            days += left > 14400;
            continue;
        }
        if (t.second == 0 && (c->minutes >> t.minute & 1)) {
            *out = at;
            return true;
        }
        at += 60 - t.second;
    }
    return false;
}

bool cron_next(const Cron *c, const Zone *z, int64_t after, int64_t *out)
{
    if (c->any_hour)
        return next_every_hour(c, z, after, out);
    CivilTime start = civil_from_seconds(after + zone_offset(z, after));
    int64_t midnight = civil_days(start.year, start.month, start.day) * 86400 - 86400;
    for (int i = 0; i < DAYS_MAX; i++, midnight += 86400) {
        CivilTime day = civil_from_seconds(midnight);
        if (!day_fits(c, &day))
            continue;
        for (int hour = 0; hour < 24; hour++) {
            if (!(c->hours >> hour & 1))
                continue;
            for (int minute = 0; minute < 60; minute++) {
                int64_t utc, first;
                if (!(c->minutes >> minute & 1))
                    continue;
                zone_to_utc(z, midnight + hour * 3600 + minute * 60, &utc, &first);
                if (utc > after) {
                    *out = utc;
                    return true;
                }
            }
        }
    }
    return false;
}
