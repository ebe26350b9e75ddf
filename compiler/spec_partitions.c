/* spec_partitions.c - partitions_def: the five mapping forms, and objects made by `dg.*`. */
#include "compiler/spec.h"

#include "compiler/template.h"
#include "runtime/base/partitions.h"

typedef enum Form { HOURLY, DAILY, WEEKLY, TIME_WINDOW, STATIC, MONTHLY } Form;
/* MONTHLY is not here: Dagster has it as an object only. */
static const char *const forms[] = {"hourly", "daily", "weekly", "time_window", "static", NULL};

typedef struct Written { /* what one definition says; fields that a form lacks stay zero */
    int32_t type;
    Str start_date, end_date, timezone;
    int64_t minute_offset, hour_offset, day_offset;
    Str fmt, cron_schedule;
    DgList partition_keys;
} Written;

#define TYPE_FIELD \
    DG_FIELD_ENUM(Written, type, .flags = DG_REQUIRED | DG_BUILD, .choices = forms, .doc = "Form.")
#define DATE_FIELDS                                                                                \
    TYPE_FIELD,                                                                                    \
    DG_FIELD_STRING(Written, start_date, .flags = DG_REQUIRED | DG_BUILD, .doc = "First window."), \
    DG_FIELD_STRING(Written, end_date, .flags = DG_BUILD, .doc = "No window reaches past it."),    \
    DG_FIELD_STRING(Written, timezone, .flags = DG_BUILD, .doc = "IANA name; UTC when not given.")
#define MINUTE_FIELD                                                                              \
    DG_FIELD_INT(Written, minute_offset, .flags = DG_BUILD, .fallback = "0", .min = 0, .max = 59, \
                 .doc = "Minutes past the hour.")
#define HOUR_FIELD                                                                              \
    DG_FIELD_INT(Written, hour_offset, .flags = DG_BUILD, .fallback = "0", .min = 0, .max = 23, \
                 .doc = "Hours past midnight.")

static const DgField type_fields[] = {TYPE_FIELD, {0}};
static const DgField hourly_fields[] = {DATE_FIELDS, MINUTE_FIELD, {0}};
static const DgField daily_fields[] = {DATE_FIELDS, MINUTE_FIELD, HOUR_FIELD, {0}};
static const DgField weekly_fields[] = {
    DATE_FIELDS, MINUTE_FIELD, HOUR_FIELD,
    DG_FIELD_INT(Written, day_offset, .flags = DG_BUILD, .fallback = "0", .min = 0, .max = 6,
                 .doc = "Day of the week, 0 is Sunday."),
    {0},
};
static const DgField time_window_fields[] = {
    DATE_FIELDS,
    DG_FIELD_STRING(Written, fmt, .flags = DG_REQUIRED | DG_BUILD, .doc = "strftime of the keys."),
    DG_FIELD_STRING(Written, cron_schedule, .flags = DG_REQUIRED | DG_BUILD,
                    .doc = "Windows begin at its ticks."),
    {0},
};
static const DgField static_fields[] = {
    TYPE_FIELD,
    DG_FIELD_STRINGS(Written, partition_keys, .flags = DG_REQUIRED | DG_BUILD, .doc = "The keys."),
    {0},
};
static const DgField *const form_fields[] = {hourly_fields, daily_fields, weekly_fields,
                                             time_window_fields, static_fields};

/* ---- Reading the two ways of writing ---- */

static bool read_mapping(const SpecContext *c, YamlNode *node, Written *w)
{
    ConfigTarget type = {S("partitions_def"), type_fields, sizeof *w, DG_OPEN};
    Config config = config_fill(c->plan->arena, c->plan->diag, c->scope, &type, node, node->at);
    if (!config.ok)
        return false;
    int32_t form = ((const Written *)config.data)->type;
    ConfigTarget target = {str_format(c->plan->arena, "%s partitions", forms[form]),
                           form_fields[form], sizeof *w, 0};
    config = config_fill(c->plan->arena, c->plan->diag, c->scope, &target, node, node->at);
    *w = *(const Written *)config.data;
    return config.ok;
}

static const struct {
    const char *class_name, *names; /* parameters in Dagster's order */
    Form form;
} classes[] = {
    {"HourlyPartitionsDefinition", "start_date end_date minute_offset timezone fmt end_offset",
     HOURLY},
    {"DailyPartitionsDefinition",
     "start_date end_date minute_offset hour_offset timezone fmt end_offset", DAILY},
    {"WeeklyPartitionsDefinition",
     "start_date end_date minute_offset hour_offset day_offset timezone fmt end_offset", WEEKLY},
    {"MonthlyPartitionsDefinition",
     "start_date end_date minute_offset hour_offset day_offset timezone fmt end_offset", MONTHLY},
    {"TimeWindowPartitionsDefinition",
     "start fmt end schedule_type timezone end_offset minute_offset hour_offset day_offset "
     "cron_schedule", TIME_WINDOW},
    {"StaticPartitionsDefinition", "partition_keys", STATIC},
};

/* The argument called `name`, given by name or by its position in `names`. */
static DgValue argument(DgValue record, Str names, const char *name)
{
    const DgValue *kwargs = dgv_record_get(record, S("kwargs"));
    const DgValue *args = dgv_record_get(record, S("args"));
    const DgValue *named = kwargs ? dgv_get_str(*kwargs, str_from(name)) : NULL;
    if (named)
        return *named;
    size_t at = 0;
    for (Str word, rest = names; rest.len; at++) {
        str_cut(rest, ' ', &word, &rest);
        if (str_eq(word, str_from(name)))
            break;
    }
    bool sequence = args && (args->kind == DG_V_TUPLE || args->kind == DG_V_LIST);
    if (sequence && at < args->as.list->count)
        return args->as.list->items[at];
    DgValue none = {.kind = DG_V_NONE};
    return none;
}

static Str text_argument(const SpecContext *c, DgValue record, Str names, const char *name)
{
    DgValue v = argument(record, names, name);
    if (v.kind == DG_V_NONE)
        return (Str){0};
    if (v.kind == DG_V_STR)
        return v.as.s;
    int64_t us;
    if (dgv_datetime_to_us(v, &us)) {
        StrBuf text = {0};
        CivilTime t = civil_from_seconds(us / 1000000);
        civil_format(&text, S("%Y-%m-%dT%H:%M:%S"), &t, 0);
        Str copy = str_copy(c->plan->arena, buf_str(&text));
        buf_free(&text);
        return copy;
    }
    diag_report(c->plan->diag, E0304, c->at, "`%s` must be text or a datetime, found %s", name,
                dgv_type_name(v));
    return (Str){0};
}

static int64_t int_argument(DgValue record, Str names, const char *name)
{
    DgValue v = argument(record, names, name);
    return v.kind == DG_V_INT ? v.as.i : 0;
}

static void static_keys(const SpecContext *c, DgValue keys, Written *w)
{
    if (keys.kind != DG_V_LIST && keys.kind != DG_V_TUPLE)
        return;
    Str *items = push(c->plan->arena, Str, keys.as.list->count + 1);
    for (size_t i = 0; i < keys.as.list->count; i++)
        if (keys.as.list->items[i].kind == DG_V_STR)
            items[w->partition_keys.count++] = keys.as.list->items[i].as.s;
        else
            diag_report(c->plan->diag, E0304, c->at, "partition keys must be text, found %s",
                        dgv_type_name(keys.as.list->items[i]));
    w->partition_keys.items = items;
}

static bool read_record(const SpecContext *c, DgValue record, Written *w)
{
    Str class_name = dgv_record_class(record);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (!str_eq(class_name, str_from(classes[i].class_name)))
            continue;
        Str names = str_from(classes[i].names);
        bool window = classes[i].form == TIME_WINDOW;
        *w = (Written){.type = (int32_t)classes[i].form};
        w->day_offset = classes[i].form == MONTHLY ? 1 : 0;
        if (argument(record, names, "day_offset").kind == DG_V_INT)
            w->day_offset = int_argument(record, names, "day_offset");
        w->start_date = text_argument(c, record, names, window ? "start" : "start_date");
        w->end_date = text_argument(c, record, names, window ? "end" : "end_date");
        w->timezone = text_argument(c, record, names, "timezone");
        w->minute_offset = int_argument(record, names, "minute_offset");
        w->hour_offset = int_argument(record, names, "hour_offset");
        w->fmt = text_argument(c, record, names, "fmt");
        w->cron_schedule = text_argument(c, record, names, "cron_schedule");
        static_keys(c, argument(record, names, "partition_keys"), w);
        return true;
    }
    diag_help(diag_report(c->plan->diag, E0304, c->at,
                          "`partitions_def` must be a mapping with `type`, or a partitions "
                          "definition"),
              "for example `{type: daily, start_date: \"2024-01-01\"}` or "
              "`{{ dg.DailyPartitionsDefinition(start_date='2024-01-01') }}`");
    return false;
}

/* ---- Into the plan ---- */

static void fill_time(const SpecContext *c, const Written *w, Partitions *p)
{
    Arena *arena = c->plan->arena;
    int minute = (int)w->minute_offset, hour = (int)w->hour_offset, day = (int)w->day_offset;
    p->kind = DG_PARTITIONS_TIME;
    p->start = w->start_date;
    p->end = w->end_date;
    p->timezone = w->timezone.len ? w->timezone : S("UTC");
    switch ((Form)w->type) {
    case HOURLY: p->cron = str_format(arena, "%d * * * *", minute); break;
    case DAILY: p->cron = str_format(arena, "%d %d * * *", minute, hour); break;
    case WEEKLY: p->cron = str_format(arena, "%d %d * * %d", minute, hour, day); break;
    case MONTHLY: p->cron = str_format(arena, "%d %d %d * *", minute, hour, day); break;
    case TIME_WINDOW: p->cron = w->cron_schedule; break;
    case STATIC: break;
    }
    p->format = w->fmt.len             ? w->fmt
                : w->type == HOURLY    ? S("%Y-%m-%d-%H:%M")
                                       : S("%Y-%m-%d");
    static const char *const shown[] = {"hourly", "daily", "weekly", "windows", "", "monthly"};
    p->shown = str_format(arena, "%s from %.*s%s%.*s%s%.*s%s", shown[w->type], FMT(p->start),
                          p->end.len ? " to " : "", FMT(p->end),
                          str_eq(p->timezone, S("UTC")) ? "" : " (",
                          FMT(str_eq(p->timezone, S("UTC")) ? S("") : p->timezone),
                          str_eq(p->timezone, S("UTC")) ? "" : ")");
    if (w->type == TIME_WINDOW)
        p->shown = str_format(arena, "%.*s at `%.*s`", FMT(p->shown), FMT(p->cron));
}

static void fill_static(const SpecContext *c, const Written *w, Partitions *p)
{
    p->kind = DG_PARTITIONS_STATIC;
    Map seen = {0};
    for (size_t i = 0; i < w->partition_keys.count; i++) {
        Str key = DG_ITEMS(DgStr, w->partition_keys)[i];
        if (map_has(&seen, key))
            diag_report(c->plan->diag, E0304, c->at, "partition key `%.*s` is listed twice",
                        FMT(key));
        map_put(c->plan->arena, &seen, key, p);
        array_add(c->plan->arena, &p->keys, key);
    }
    p->shown = str_format(c->plan->arena, "%zu static keys", p->keys.count);
}

/* Where in the mapping stands what the message is about: a value that it quotes, or a key that it
 * speaks of. */
static Span culprit(const SpecContext *c, const YamlNode *written, const char *message)
{
    Str said = str_from(message);
    size_t count = written && written->kind == YAML_MAP ? written->as.map.count : 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            const YamlNode *key = written->as.map.entries[i].key, *value = written->as.map.entries[i].value;
            Str word, rest;
            str_cut(key->text, '_', &word, &rest);
            Str wanted = round ? word : str_format(c->plan->arena, "`%.*s`", FMT(value->text));
            if (value->text.len && str_find(said, wanted) >= 0)
                return value->at;
        }
    }
    return c->at;
}

static bool sound(const SpecContext *c, const Partitions *p, const YamlNode *written)
{
    if (p->kind == DG_PARTITIONS_STATIC && !p->keys.count) {
        diag_report(c->plan->diag, E0304, c->at, "static partitions need at least one key");
        return false;
    }
    PartitionSpec spec = {p->keys.items, (int32_t)p->keys.count, p->start, p->end,
                          p->timezone,   p->format, p->cron};
    PartitionSet set;
    DgError err = {0};
    if (partitions_open(c->plan->arena, &spec, &set, &err) == DG_OK)
        return true;
    DiagItem *it = diag_report(c->plan->diag, E0304, culprit(c, written, err.message), "%s",
                               err.message);
    if (err.hint[0])
        diag_help(it, "%s", err.hint);
    return false;
}

/* Definitions that say the same are one: steps and tables compare pointers. */
static Partitions *intern(Plan *plan, Partitions *p)
{
    StrBuf text = {0};
    const Str parts[] = {p->start, p->end, p->timezone, p->format, p->cron};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buf_json(&text, parts[i]);
    for (size_t i = 0; i < p->keys.count; i++)
        buf_json(&text, p->keys.items[i]);
    Str id = str_copy(plan->arena, buf_str(&text));
    buf_free(&text);
    Partitions *old = map_get(&plan->partitions_by_text, id);
    if (old)
        return old;
    map_put(plan->arena, &plan->partitions_by_text, id, p);
    p->index = (int)plan->partitions.count;
    array_add(plan->arena, &plan->partitions, p);
    return p;
}

Partitions *spec_partitions(const SpecContext *c, const DgValue *value)
{
    SpecContext here = *c;
    here.at = spec_at(c, value);
    const ConfigPlace *place = config_place(c->config, value);
    Written w = {0};
    if (value->kind == DG_V_NONE)
        return NULL;
    bool ok = place && place->node && place->node->kind == YAML_MAP
                  ? read_mapping(&here, place->node, &w)
                  : read_record(&here, *value, &w);
    if (!ok)
        return NULL;
    Partitions *p = push(c->plan->arena, Partitions, 1);
    p->at = here.at;
    if (w.type == STATIC)
        fill_static(&here, &w, p);
    else
        fill_time(&here, &w, p);
    return sound(&here, p, place ? place->node : NULL) ? intern(c->plan, p) : NULL;
}
