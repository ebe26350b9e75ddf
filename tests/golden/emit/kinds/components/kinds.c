/* kinds.c - a component with a field of every kind, whose step says what it got. */
#include "runtime/component.h"

typedef struct Inner {
    bool flag;
    DgStr word;
    DgList numbers; /* of int64_t */
} Inner;
static const DgField inner_fields[] = {
    DG_FIELD_STRING(Inner, word, .doc = "A word."),
    DG_FIELD_BOOL(Inner, flag, .doc = "A flag."),
    DG_FIELD_(Inner, numbers, DG_F_LIST, DgList, .of_kind = DG_F_INT, .of_size = sizeof(int64_t),
              .doc = "Numbers."),
    {0},
};

typedef struct Named { /* an element of a map */
    DgStr key;
    DgStr word;
    bool flag;
} Named;
static const DgField named_fields[] = {
    DG_FIELD_STRING(Named, word, .doc = "A word."),
    DG_FIELD_BOOL(Named, flag, .doc = "A flag."),
    {0},
};

typedef struct Csv {
    DgStr delimiter;
} Csv;
typedef struct Json {
    bool lines;
    DgList paths; /* of DgStr */
} Json;
static const DgField csv_fields[] = {DG_FIELD_STRING(Csv, delimiter, .doc = "Between fields."), {0}};
static const DgField json_fields[] = {
    DG_FIELD_BOOL(Json, lines, .doc = "One a line."),
    DG_FIELD_STRINGS(Json, paths, .doc = "Where."),
    {0},
};
static const DgVariant formats[] = {{"csv", "Text.", csv_fields, sizeof(Csv)},
                                    {"json", "JSON.", json_fields, sizeof(Json)},
                                    {0}};
static const char *const colors[] = {"red", "green", "blue", 0};

typedef struct Config {
    bool first;
    bool second;
    DgStr asset;
    bool third;
    int32_t color;
    int64_t least;
    double ratio;
    bool fourth;
    int64_t pause, room, moment;
    DgStr cron;
    DgValue anything;
    DgList words;   /* of DgStr */
    DgList inners;  /* of Inner */
    DgList pairs;   /* of DgPair */
    DgList named;   /* of Named */
    DgList values;  /* of DgValuePair */
    Inner inner;
    DgOneOf format;
    int32_t late_color;
    bool last;
} Config;

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED, .doc = "The asset."),
    DG_FIELD_BOOL(Config, last, .doc = "Out of order on purpose."),
    DG_FIELD_BOOL(Config, first, .doc = "A flag."),
    DG_FIELD_BOOL(Config, second, .doc = "A flag."),
    DG_FIELD_BOOL(Config, third, .doc = "A flag."),
    DG_FIELD_BOOL(Config, fourth, .doc = "A flag."),
    DG_FIELD_ENUM(Config, color, .choices = colors, .fallback = "red", .doc = "A color."),
    DG_FIELD_ENUM(Config, late_color, .choices = colors, .fallback = "red", .doc = "A color."),
    DG_FIELD_INT(Config, least, .doc = "A number."),
    DG_FIELD_FLOAT(Config, ratio, .doc = "A number."),
    DG_FIELD_DURATION(Config, pause, .doc = "A time."),
    DG_FIELD_SIZE(Config, room, .doc = "Bytes."),
    DG_FIELD_TIMESTAMP(Config, moment, .doc = "When."),
    DG_FIELD_CRON(Config, cron, .doc = "How often."),
    DG_FIELD_ANY(Config, anything, .doc = "Anything."),
    DG_FIELD_STRINGS(Config, words, .doc = "Words."),
    DG_FIELD_STRUCTS(Config, inners, Inner, inner_fields, .doc = "Structs."),
    DG_FIELD_STRING_MAP(Config, pairs, .doc = "Texts by name."),
    DG_FIELD_STRUCT_MAP(Config, named, Named, named_fields, .doc = "Structs by name."),
    DG_FIELD_ANY_MAP(Config, values, .doc = "Anything by name."),
    DG_FIELD_STRUCT(Config, inner, Inner, inner_fields, .doc = "A struct."),
    DG_FIELD_ONE_OF(Config, format, formats, .doc = "One of two."),
    {0},
};

static int text_len(DgStr s)
{
    return (int)s.len;
}

static const char *word(bool b)
{
    return b ? "yes" : "no";
}

static void say_value(DgStepRun *run, const char *name, DgValue v)
{
    if (v.kind == DG_V_LIST)
        for (size_t i = 0; i < v.as.list->count; i++)
            say_value(run, name, v.as.list->items[i]);
    else if (v.kind == DG_V_DICT)
        for (size_t i = 0; i < v.as.dict->count; i++) {
            say_value(run, "key", v.as.dict->keys[i]);
            say_value(run, name, v.as.dict->values[i]);
        }
    else if (v.kind == DG_V_STR)
        dg_log(run, DG_LOG_INFO, "%s: text %.*s", name, text_len(v.as.s), v.as.s.ptr);
    else if (v.kind == DG_V_INT)
        dg_log(run, DG_LOG_INFO, "%s: int %ld", name, v.as.i);
    else if (v.kind == DG_V_FLOAT)
        dg_log(run, DG_LOG_INFO, "%s: float %g", name, v.as.f);
    else
        dg_log(run, DG_LOG_INFO, "%s: kind %d %d", name, v.kind, v.kind == DG_V_BOOL && v.as.b);
}

static void say_inner(DgStepRun *run, const Inner *in)
{
    dg_log(run, DG_LOG_INFO, "inner %.*s %s", text_len(in->word), in->word.ptr, word(in->flag));
    for (size_t i = 0; i < in->numbers.count; i++)
        dg_log(run, DG_LOG_INFO, "  %ld", DG_ITEMS(int64_t, in->numbers)[i]);
}

static void say_lists(DgStepRun *run, const Config *c)
{
    for (size_t i = 0; i < c->words.count; i++)
        dg_log(run, DG_LOG_INFO, "word %.*s", text_len(DG_ITEMS(DgStr, c->words)[i]), DG_ITEMS(DgStr, c->words)[i].ptr);
    for (size_t i = 0; i < c->inners.count; i++)
        say_inner(run, &DG_ITEMS(Inner, c->inners)[i]);
    for (size_t i = 0; i < c->pairs.count; i++)
        dg_log(run, DG_LOG_INFO, "pair %.*s=%.*s", text_len(DG_ITEMS(DgPair, c->pairs)[i].key),
               DG_ITEMS(DgPair, c->pairs)[i].key.ptr, text_len(DG_ITEMS(DgPair, c->pairs)[i].value),
               DG_ITEMS(DgPair, c->pairs)[i].value.ptr);
    for (size_t i = 0; i < c->named.count; i++)
        dg_log(run, DG_LOG_INFO, "named %.*s=%.*s %s", text_len(DG_ITEMS(Named, c->named)[i].key),
               DG_ITEMS(Named, c->named)[i].key.ptr, text_len(DG_ITEMS(Named, c->named)[i].word),
               DG_ITEMS(Named, c->named)[i].word.ptr, word(DG_ITEMS(Named, c->named)[i].flag));
    for (size_t i = 0; i < c->values.count; i++)
        say_value(run, "value", DG_ITEMS(DgValuePair, c->values)[i].value);
}

static DgStatus kinds_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const Config *c = config;
    dg_log(run, DG_LOG_INFO, "flags %s %s %s %s %s", word(c->first), word(c->second), word(c->third),
           word(c->fourth), word(c->last));
    dg_log(run, DG_LOG_INFO, "colors %s %s", colors[c->color], colors[c->late_color]);
    dg_log(run, DG_LOG_INFO, "numbers %ld %.17g %ld %ld %ld", c->least, c->ratio, c->pause, c->room, c->moment);
    dg_log(run, DG_LOG_INFO, "cron %.*s", text_len(c->cron), c->cron.ptr);
    say_value(run, "anything", c->anything);
    say_lists(run, c);
    say_inner(run, &c->inner);
    if (c->format.variant == 1) {
        const Json *json = c->format.config;
        dg_log(run, DG_LOG_INFO, "json %s", word(json->lines));
        for (size_t i = 0; i < json->paths.count; i++)
            dg_log(run, DG_LOG_INFO, "path %.*s", text_len(DG_ITEMS(DgStr, json->paths)[i]),
                   DG_ITEMS(DgStr, json->paths)[i].ptr);
    }
    return DG_OK;
}

const DgStepOps dg_kinds_ops = {
    .name = "test.Kinds",
    .symbol = "dg_kinds_ops",
    .role = DG_ACTION,
    .fields = fields,
    .config_size = sizeof(Config),
    .execute = kinds_execute,
    .no_warehouse = true,
};

static void kinds_plan(DgPlanner *p, const void *config)
{
    const Config *c = config;
    DgAssetDecl asset = {.key = c->asset, .at = &c->asset};
    p->api->asset(p, &asset);
    DgStepDecl step = {.ops = &dg_kinds_ops, .config = c, .assets = {(void *)&c->asset, 1}};
    p->api->step(p, &step);
}

static const DgStepOps *const steps[] = {&dg_kinds_ops, NULL};

const DgComponent dg_component_kinds = {
    .name = "test.Kinds",
    .summary = "A field of every kind.",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = kinds_plan,
    .steps = steps,
};
