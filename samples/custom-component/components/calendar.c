/* calendar.c - acme.Calendar: a date dimension, one row for each day.
 *
 * A component type of this project, in one file. dgc compiles it whenever the project is read, so
 * `dgc check` knows its attributes as it knows those of its own types. It includes no header of
 * libc, so it compiles wherever dgc runs.
 */
#include "runtime/component.h"

typedef struct Config { /* what stands under `attributes` */
    DgStr asset;
    int64_t from, to;          /* microseconds since 1970 */
    int64_t fiscal_year_starts; /* month */
    DgList holidays;           /* of Holiday */
} Config;

typedef struct Holiday {
    DgStr name;
    int64_t month, day;
} Holiday;

static const DgField holiday_fields[] = {
    DG_FIELD_STRING(Holiday, name, .flags = DG_REQUIRED, .doc = "What it is called."),
    DG_FIELD_INT(Holiday, month, .flags = DG_REQUIRED, .min = 1, .max = 12, .doc = "Month."),
    DG_FIELD_INT(Holiday, day, .flags = DG_REQUIRED, .min = 1, .max = 31, .doc = "Day of the month."),
    {0},
};

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED, .doc = "The asset it makes."),
    DG_FIELD_TIMESTAMP(Config, from, .flags = DG_REQUIRED, .doc = "First day.", .example = "2024-01-01"),
    DG_FIELD_TIMESTAMP(Config, to, .flags = DG_REQUIRED, .doc = "Last day.", .example = "2024-12-31"),
    DG_FIELD_INT(Config, fiscal_year_starts, .min = 1, .max = 12, .fallback = "1",
                 .doc = "Month in which the fiscal year begins."),
    DG_FIELD_STRUCTS(Config, holidays, Holiday, holiday_fields, .doc = "Days of the year that are off."),
    {0},
};

/* ---- Run time: the step ---- */

static const int64_t day_us = 86400000000L;
static const DgColumn columns[] = {
    {DG_S("date"), {DG_DATE, 0, 0}, true, {0, 0}},
    {DG_S("year"), {DG_INT32, 0, 0}, true, {0, 0}},
    {DG_S("month"), {DG_INT32, 0, 0}, true, {0, 0}},
    {DG_S("day"), {DG_INT32, 0, 0}, true, {0, 0}},
    {DG_S("weekday"), {DG_TEXT, 0, 0}, true, {0, 0}},
    {DG_S("is_weekend"), {DG_BOOL, 0, 0}, true, {0, 0}},
    {DG_S("fiscal_year"), {DG_INT32, 0, 0}, true, {0, 0}},
    {DG_S("holiday"), {DG_TEXT, 0, 0}, false, {0, 0}},
};
enum { DATE, YEAR, MONTH, DAY, WEEKDAY, IS_WEEKEND, FISCAL_YEAR, HOLIDAY, COLUMNS_COUNT };

static const DgStr weekdays[] = {DG_S("Monday"), DG_S("Tuesday"), DG_S("Wednesday"),
                                 DG_S("Thursday"), DG_S("Friday"), DG_S("Saturday"), DG_S("Sunday")};

typedef struct State {
    int64_t next, end; /* days since 1970-01-01; `end` is the first that is not wanted */
} State;

typedef struct Civil {
    int32_t year, month, day;
} Civil;

/* Days since 1970-01-01 to the proleptic Gregorian calendar. */
static Civil civil_of(int64_t days)
{
    int64_t z = days + 719468; /* days since 0000-03-01 */
    int64_t era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    Civil c;
    c.day = (int32_t)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int32_t)(mp < 10 ? mp + 3 : mp - 9);
    c.year = (int32_t)(yoe + era * 400 + (c.month <= 2));
    return c;
}

static int64_t floor_days(int64_t us)
{
    return us >= 0 ? us / day_us : -((-us + day_us - 1) / day_us);
}

static DgStatus calendar_open(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const Config *c = config;
    State *s = state;
    s->next = floor_days(c->from);
    s->end = floor_days(c->to) + 1;
    if (s->end <= s->next)
        return dg_fail(err, DG_CONFIG, "`to` lies before `from`");
    DgLoad load = {DG_REPLACE, columns, COLUMNS_COUNT};
    load.lanes_max = 1; /* in order, and `next` needs no lock */
    return dg_load(run, &load, err);
}

static DgStr holiday_on(const Config *c, Civil day)
{
    DgStr none = {0, 0};
    for (size_t i = 0; i < c->holidays.count; i++) {
        const Holiday *h = &DG_ITEMS(Holiday, c->holidays)[i];
        if (h->month == day.month && h->day == day.day)
            return h->name;
    }
    return none;
}

static bool put_day(const Config *c, int64_t days, DgBatch *out)
{
    int32_t row = out->rows;
    Civil day = civil_of(days);
    int64_t weekday = ((days + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    DgStr holiday = holiday_on(c, day);
    ((int32_t *)out->vectors[DATE].values)[row] = (int32_t)days;
    ((int32_t *)out->vectors[YEAR].values)[row] = day.year;
    ((int32_t *)out->vectors[MONTH].values)[row] = day.month;
    ((int32_t *)out->vectors[DAY].values)[row] = day.day;
    ((uint8_t *)out->vectors[IS_WEEKEND].values)[row] = weekday >= 5;
    ((int32_t *)out->vectors[FISCAL_YEAR].values)[row] =
        day.year + (c->fiscal_year_starts > 1 && day.month >= c->fiscal_year_starts);
    if (!holiday.len)
        dg_set_null(&out->vectors[HOLIDAY], row);
    out->rows++;
    return dg_text_set(&out->vectors[WEEKDAY], row, weekdays[weekday].ptr, (size_t)weekdays[weekday].len) &&
           dg_text_set(&out->vectors[HOLIDAY], row, holiday.ptr, (size_t)holiday.len);
}

static DgStatus calendar_read(DgStepRun *run, const void *config, void *state, void *lane, DgBatch *out,
                              DgError *err)
{
    State *s = state;
    while (s->next < s->end && out->rows < out->rows_max)
        if (!put_day(config, s->next++, out))
            return dg_fail(err, DG_NOMEM, "out of memory");
    return s->next < s->end ? DG_OK : DG_END;
}

/* Not static: the emitted program refers to it by `symbol`. */
const DgStepOps dg_acme_calendar_ops = {
    .name = "acme.Calendar",
    .symbol = "dg_acme_calendar_ops",
    .role = DG_SOURCE,
    .fields = fields,
    .config_size = sizeof(Config),
    .state_size = sizeof(State),
    .open = calendar_open,
    .read = calendar_read,
};

/* ---- Compile time: what it declares ---- */

static void calendar_plan(DgPlanner *p, const void *config)
{
    const Config *c = config;
    if (p->api->is_known(p, &c->from) && p->api->is_known(p, &c->to) && c->to < c->from) {
        p->api->report(p, "E0110", &c->to, "exchange the two", "`to` lies before `from`");
        return;
    }
    DgStr kind = DG_S("calendar");
    DgAssetDecl asset = {.key = c->asset, .kinds = {&kind, 1}, .columns = columns,
                         .columns_count = COLUMNS_COUNT, .at = &c->asset};
    p->api->asset(p, &asset);
    DgStepDecl step = {.ops = &dg_acme_calendar_ops, .config = c, .assets = {(void *)&c->asset, 1}};
    p->api->step(p, &step);
}

static const DgStepOps *const steps[] = {&dg_acme_calendar_ops, NULL};

const DgComponent dg_component_acme_calendar = {
    .name = "acme.Calendar",
    .summary = "A date dimension: one row for each day, with weekends, holidays and fiscal years.",
    .example = "type: acme.Calendar\n"
               "attributes: {asset: dim/calendar, from: 2024-01-01, to: 2024-12-31}\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = calendar_plan,
    .steps = steps,
};
