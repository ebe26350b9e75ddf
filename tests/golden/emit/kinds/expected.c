/* kinds: a data pipeline, written by dgc 0.1.0. Do not edit; edit what it is made from:
 *
 *     dgc.yaml
 *     components/kinds.c
 *     defs/all/defs.yaml
 */
#define DGC_NO_LIBC
#include "runtime/pipeline.h"
#include "runtime/eval/eval_api.h"
#include "runtime/run/bind.h"

/* ---- types ---- */

typedef struct inner_config {
    bool flag;
    char gap_0[7];
    DgStr word;
    DgList numbers;
} inner_config;
_Static_assert(sizeof(inner_config) == 40, "layout of inner_config");

typedef struct Kinds_config {
    bool first;
    bool second;
    char gap_0[6];
    DgStr asset;
    bool third;
    char gap_1[3];
    int32_t color;
    int64_t least;
    double ratio;
    bool fourth;
    char gap_2[7];
    int64_t pause;
    int64_t room;
    int64_t moment;
    DgStr cron;
    DgValue anything;
    DgList words;
    DgList inners;
    DgList pairs;
    DgList named;
    DgList values;
    inner_config inner;
    DgOneOf format;
    int32_t late_color;
    bool last;
    char gap_3[3];
} Kinds_config;
_Static_assert(sizeof(Kinds_config) == 264, "layout of Kinds_config");

typedef struct named_config {
    DgStr map_key;
    DgStr word;
    bool flag;
    char gap_0[7];
} named_config;
_Static_assert(sizeof(named_config) == 40, "layout of named_config");

typedef struct json_config {
    bool lines;
    char gap_0[7];
    DgList paths;
} json_config;
_Static_assert(sizeof(json_config) == 24, "layout of json_config");

extern const DgStepOps dg_kinds_ops;

/* ---- data ---- */

static const char *const late_color_choices[] = {
    "red",
    "green",
    "blue",
    0,
};

/* ---- functions ---- */

static DgStatus late__one_first(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:28 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 3);                                              /* defs/all/defs.yaml:28 */
    dg_print(ev, dg_env_or(ev, "K_FLAG", dgv_str("true", 4)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_late_color(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:29 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 4);                                              /* defs/all/defs.yaml:29 */
    dg_print(ev, dg_env_or(ev, "K_COLOR", dgv_str("green", 5)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_least(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:30 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 5);                                              /* defs/all/defs.yaml:30 */
    dg_print(ev, dg_env_or(ev, "K_INT", dgv_str("42", 2)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_ratio(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:31 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 6);                                              /* defs/all/defs.yaml:31 */
    dg_print(ev, dg_env_or(ev, "K_FLOAT", dgv_str("2.5", 3)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_pause(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:32 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 7);                                              /* defs/all/defs.yaml:32 */
    dg_print(ev, dg_env_or(ev, "K_PAUSE", dgv_str("2s", 2)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_room(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:33 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 8);                                              /* defs/all/defs.yaml:33 */
    dg_print(ev, dg_env_or(ev, "K_ROOM", dgv_str("1KiB", 4)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_moment(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:34 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 9);                                              /* defs/all/defs.yaml:34 */
    dg_print(ev, dg_env_or(ev, "K_MOMENT", dgv_str("2024-01-01", 10)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_anything(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:35 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 10);                                             /* defs/all/defs.yaml:35 */
    dg_print(ev, dg_list(ev, (DgValue[2]){dg_env_or(ev, "K_ANY", dgv_str("x", 1)), dgv_int(1)}, 2));
    return dg_end(ev, out, err);
}

static DgStatus late__one_words(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:36 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 11);                                             /* defs/all/defs.yaml:36 */
    dg_print(ev, dg_env_or(ev, "K_WORD", dgv_str("late", 4)));
    dg_text(ev, "-word", 5);                                     /* defs/all/defs.yaml:36 */
    return dg_end(ev, out, err);
}

static DgStatus late__one_word(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:37 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 12);                                             /* defs/all/defs.yaml:37 */
    dg_print(ev, dg_env_or(ev, "K_INNER", dgv_str("b", 1)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_numbers(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:37 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 12);                                             /* defs/all/defs.yaml:37 */
    dg_print(ev, dg_env_or(ev, "K_NUMBER", dgv_str("3", 1)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_pairs(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:38 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 13);                                             /* defs/all/defs.yaml:38 */
    dg_print(ev, dg_env_or(ev, "K_PAIR", dgv_str("late pair", 9)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_word_2(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:39 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 14);                                             /* defs/all/defs.yaml:39 */
    dg_print(ev, dg_env_or(ev, "K_NAMED", dgv_str("late name", 9)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_values(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:40 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 15);                                             /* defs/all/defs.yaml:40 */
    dg_print(ev, dg_env_or(ev, "K_VALUE", dgv_str("late value", 10)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_word_3(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:41 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 16);                                             /* defs/all/defs.yaml:41 */
    dg_print(ev, dg_env_or(ev, "K_DEEP", dgv_str("deep", 4)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_numbers_2(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:41 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 16);                                             /* defs/all/defs.yaml:41 */
    dg_print(ev, dg_env_or(ev, "K_NUMBER", dgv_str("9", 1)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_paths(DgEval *ev, DgValue *out, DgError *err) /* defs/all/defs.yaml:42 */
{
    dg_begin(ev, DG_RENDER_NATIVE);
    dg_site(ev, 17);                                             /* defs/all/defs.yaml:42 */
    dg_print(ev, dg_env_or(ev, "K_PATH", dgv_str("late/path", 9)));
    return dg_end(ev, out, err);
}

static DgStatus late__one_bind(DgEval *ev, void *config, DgError *err)
{
    Kinds_config *c = config;
    DgValue v;
    DG_TRY(late__one_first(ev, &v, err));                        /* defs/all/defs.yaml:28 */
    DG_TRY(dg_bind_bool(ev, v, &c->first, "first", err));
    DG_TRY(late__one_least(ev, &v, err));                        /* defs/all/defs.yaml:30 */
    DG_TRY(dg_bind_int(ev, v, &c->least, "least", err));
    DG_TRY(late__one_ratio(ev, &v, err));                        /* defs/all/defs.yaml:31 */
    DG_TRY(dg_bind_float(ev, v, &c->ratio, "ratio", err));
    DG_TRY(late__one_pause(ev, &v, err));                        /* defs/all/defs.yaml:32 */
    DG_TRY(dg_bind_duration(ev, v, &c->pause, "pause", err));
    DG_TRY(late__one_room(ev, &v, err));                         /* defs/all/defs.yaml:33 */
    DG_TRY(dg_bind_size(ev, v, &c->room, "room", err));
    DG_TRY(late__one_moment(ev, &v, err));                       /* defs/all/defs.yaml:34 */
    DG_TRY(dg_bind_timestamp(ev, v, &c->moment, "moment", err));
    DG_TRY(late__one_anything(ev, &v, err));                     /* defs/all/defs.yaml:35 */
    DG_TRY(dg_bind_value(ev, v, &c->anything, "anything", err));
    DG_TRY(dg_bind_own(ev, &c->words, sizeof(DgStr), err));
    DG_TRY(late__one_words(ev, &v, err));                        /* defs/all/defs.yaml:36 */
    DG_TRY(dg_bind_text(ev, v, &((DgStr *)c->words.items)[1], "words", err));
    DG_TRY(dg_bind_own(ev, &c->inners, sizeof(inner_config), err));
    DG_TRY(late__one_word(ev, &v, err));                         /* defs/all/defs.yaml:37 */
    DG_TRY(dg_bind_text(ev, v, &((inner_config *)c->inners.items)[1].word, "word", err));
    DG_TRY(dg_bind_own(ev, &((inner_config *)c->inners.items)[1].numbers, sizeof(int64_t), err));
    DG_TRY(late__one_numbers(ev, &v, err));                      /* defs/all/defs.yaml:37 */
    DG_TRY(dg_bind_int(ev, v, &((int64_t *)((inner_config *)c->inners.items)[1].numbers.items)[1], "numbers", err));
    DG_TRY(dg_bind_own(ev, &c->pairs, sizeof(DgPair), err));
    DG_TRY(late__one_pairs(ev, &v, err));                        /* defs/all/defs.yaml:38 */
    DG_TRY(dg_bind_text(ev, v, &((DgPair *)c->pairs.items)[0].value, "pairs", err));
    DG_TRY(dg_bind_own(ev, &c->named, sizeof(named_config), err));
    DG_TRY(late__one_word_2(ev, &v, err));                       /* defs/all/defs.yaml:39 */
    DG_TRY(dg_bind_text(ev, v, &((named_config *)c->named.items)[0].word, "word", err));
    DG_TRY(dg_bind_own(ev, &c->values, sizeof(DgValuePair), err));
    DG_TRY(late__one_values(ev, &v, err));                       /* defs/all/defs.yaml:40 */
    DG_TRY(dg_bind_value(ev, v, &((DgValuePair *)c->values.items)[0].value, "values", err));
    DG_TRY(late__one_word_3(ev, &v, err));                       /* defs/all/defs.yaml:41 */
    DG_TRY(dg_bind_text(ev, v, &c->inner.word, "word", err));
    DG_TRY(dg_bind_own(ev, &c->inner.numbers, sizeof(int64_t), err));
    DG_TRY(late__one_numbers_2(ev, &v, err));                    /* defs/all/defs.yaml:41 */
    DG_TRY(dg_bind_int(ev, v, &((int64_t *)c->inner.numbers.items)[0], "numbers", err));
    DG_TRY(dg_bind_own_one(ev, &c->format.config, sizeof(json_config), err));
    DG_TRY(dg_bind_own(ev, &((json_config *)c->format.config)->paths, sizeof(DgStr), err));
    DG_TRY(late__one_paths(ev, &v, err));                        /* defs/all/defs.yaml:42 */
    DG_TRY(dg_bind_text(ev, v, &((DgStr *)((json_config *)c->format.config)->paths.items)[0], "paths", err));
    DG_TRY(late__one_late_color(ev, &v, err));                   /* defs/all/defs.yaml:29 */
    DG_TRY(dg_bind_choice(ev, v, &c->late_color, late_color_choices, "late_color", err));
    return DG_OK;
}


/* ---- tables ---- */

static const DgAssetDef assets[] = {
    {
        .key = {"int", 3},
        .schema = {"main", 4},
        .table = {"int", 3},
        .group = {"default", 7},
        .partitions = -1},
    {
        .key = {"late/one", 8},
        .schema = {"late", 4},
        .table = {"one", 3},
        .group = {"default", 7},
        .step = 1,
        .partitions = -1,
        .site = 1},
};

/* defs/all/defs.yaml:2
 *   type: test.Kinds
 *   attributes:
 *     asset: int          # a word of C
 *     first: true
 *     third: true
 *     last: true
 *     color: blue
 *     least: -9223372036854775808
 *     ratio: 0.1
 *     pause: 1h30m
 *     room: 64MB
 *     moment: 2024-02-29T12:00:00Z
 *     cron: "0 * /6 * * *"    # would end a comment in C
 *     anything: {text: "a \"b\" \\ ??/ é\n", list: [1, 2.5, null, true, [x]], empty: {}, none: []}
 *     words: [one, "two\ttabs", "", "100%"]
 *     inners: [{word: a, numbers: [1, -2]}, {flag: true}]
 *     pairs: {k1: v1, k2: "v 2"}
 *     named: {x: {word: wx}, y: {word: wy, flag: true}}
 *     values: {i: 1, s: text}
 *     inner: {word: inside, flag: true, numbers: [7]}
 *     format: {type: json, lines: true, paths: [p, q]}
 */
static const DgValue entries_keys[] = {
    {DG_V_STR, 0, {.s = {"text", 4}}},
    {DG_V_STR, 0, {.s = {"list", 4}}},
    {DG_V_STR, 0, {.s = {"empty", 5}}},
    {DG_V_STR, 0, {.s = {"none", 4}}},
};
static const DgValue items_2_of[] = {
    {DG_V_STR, 0, {.s = {"x", 1}}},
};
static const DgValueList items_2 = {(DgValue *)items_2_of, 1};
static const DgValue items_of[] = {
    {DG_V_INT, 0, {.i = 1L}},
    {DG_V_FLOAT, 0, {.f = 2.5}},
    {DG_V_NONE, 0, {0}},
    {DG_V_BOOL, 0, {.b = 1}},
    {DG_V_LIST, 0, {.list = (DgValueList *)&items_2}},
};
static const DgValueList items = {(DgValue *)items_of, 5};
static const DgValue entries_2_keys[] = {
    {0, 0, {0}},
};
static const DgValue entries_2_values[] = {
    {0, 0, {0}},
};
static const DgValueDict entries_2 = {(DgValue *)entries_2_keys, (DgValue *)entries_2_values, 0};
static const DgValue items_3_of[] = {
    {0, 0, {0}},
};
static const DgValueList items_3 = {(DgValue *)items_3_of, 0};
static const DgValue entries_values[] = {
    {DG_V_STR, 0, {.s = {"a \"b\" \\ \077\077/ é", 14}}},
    {DG_V_LIST, 0, {.list = (DgValueList *)&items}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_2}},
    {DG_V_LIST, 0, {.list = (DgValueList *)&items_3}},
};
static const DgValueDict entries = {(DgValue *)entries_keys, (DgValue *)entries_values, 4};
static const DgStr int_words[] = {
    {"one", 3},
    {"two\011tabs", 8},
    {0, 0},
    {"100%", 4},
};
static const int64_t int_numbers[] = {
    1L,
    -2L,
};
static const int64_t int_numbers_2[] = {
    1L,
    -2L,
};
static const int64_t int_numbers_3[] = {
    1L,
    -2L,
};
static const inner_config int_inners[] = {
    {.flag = false, .word = {"a", 1}, .numbers = {(void *)int_numbers_2, 2}},
    {.flag = true, .word = {0, 0}, .numbers = {0, 0}},
};
static const DgPair int_pairs[] = {
    {{"k1", 2}, {"v1", 2}},
    {{"k2", 2}, {"v 2", 3}},
};
static const named_config int_named[] = {
    {.map_key = {"x", 1}, .word = {"wx", 2}, .flag = false},
    {.map_key = {"y", 1}, .word = {"wy", 2}, .flag = true},
};
static const DgValuePair int_values[] = {
    {{"i", 1}, {DG_V_INT, 0, {.i = 1L}}},
    {{"s", 1}, {DG_V_STR, 0, {.s = {"text", 4}}}},
};
static const int64_t int_numbers_4[] = {
    7L,
};
static const int64_t int_numbers_5[] = {
    7L,
};
static const int64_t int_numbers_6[] = {
    7L,
};
static const DgStr int_paths[] = {
    {"p", 1},
    {"q", 1},
};
static const DgStr int_paths_2[] = {
    {"p", 1},
    {"q", 1},
};
static const DgStr int_paths_3[] = {
    {"p", 1},
    {"q", 1},
};
static const json_config int_format = {.lines = true, .paths = {(void *)int_paths_2, 2}};
static const Kinds_config int_settings = {
    .first = true,
    .second = false,
    .asset = {"int", 3},
    .third = true,
    .color = 2,
    .least = (-9223372036854775807L - 1),
    .ratio = 0.1,
    .fourth = false,
    .pause = 5400000000000L,
    .room = 64000000L,
    .moment = 1709208000000000L,
    .cron = {"0 */6 * * *", 11},
    .anything = {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries}},
    .words = {(void *)int_words, 4},
    .inners = {(void *)int_inners, 2},
    .pairs = {(void *)int_pairs, 2},
    .named = {(void *)int_named, 2},
    .values = {(void *)int_values, 2},
    .inner = {.flag = true, .word = {"inside", 6}, .numbers = {(void *)int_numbers_5, 1}},
    .format = {1, (void *)&int_format},
    .late_color = 0,
    .last = true,
};
static const int32_t int_assets[] = {0};
/* defs/all/defs.yaml:25
 *   type: test.Kinds
 *   attributes:
 *     asset: late/one
 *     first: "{{ env('K_FLAG', 'true') }}"
 *     late_color: "{{ env('K_COLOR', 'green') }}"
 *     least: "{{ env('K_INT', '42') }}"
 *     ratio: "{{ env('K_FLOAT', '2.5') }}"
 *     pause: "{{ env('K_PAUSE', '2s') }}"
 *     room: "{{ env('K_ROOM', '1KiB') }}"
 *     moment: "{{ env('K_MOMENT', '2024-01-01') }}"
 *     anything: "{{ [env('K_ANY', 'x'), 1] }}"
 *     words: [known, "{{ env('K_WORD', 'late') }}-word"]
 *     inners: [{word: a}, {word: "{{ env('K_INNER', 'b') }}", numbers: [1, "{{ env('K_NUMBER', '3') }}"]}]
 *     pairs: {k1: "{{ env('K_PAIR', 'late pair') }}", k2: known}
 *     named: {x: {word: "{{ env('K_NAMED', 'late name') }}"}}
 *     values: {i: "{{ env('K_VALUE', 'late value') }}"}
 *     inner: {word: "{{ env('K_DEEP', 'deep') }}", numbers: ["{{ env('K_NUMBER', '9') }}"]}
 *     format: {type: json, paths: ["{{ env('K_PATH', 'late/path') }}"]}
 */
static const DgStr late__one_words_2[] = {
    {"known", 5},
    {0, 0},
};
static const int64_t late__one_numbers_3[] = {
    1L,
    0L,
};
static const int64_t late__one_numbers_4[] = {
    1L,
    0L,
};
static const int64_t late__one_numbers_5[] = {
    1L,
    0L,
};
static const inner_config late__one_inners[] = {
    {.flag = false, .word = {"a", 1}, .numbers = {0, 0}},
    {.flag = false, .word = {0, 0}, .numbers = {(void *)late__one_numbers_4, 2}},
};
static const DgPair late__one_pairs_2[] = {
    {{"k1", 2}, {0, 0}},
    {{"k2", 2}, {"known", 5}},
};
static const named_config late__one_named[] = {
    {.map_key = {"x", 1}, .word = {0, 0}, .flag = false},
};
static const DgValuePair late__one_values_2[] = {
    {{"i", 1}, {0, 0, {0}}},
};
static const int64_t late__one_numbers_6[] = {
    0L,
};
static const int64_t late__one_numbers_7[] = {
    0L,
};
static const int64_t late__one_numbers_8[] = {
    0L,
};
static const DgStr late__one_paths_2[] = {
    {0, 0},
};
static const DgStr late__one_paths_3[] = {
    {0, 0},
};
static const DgStr late__one_paths_4[] = {
    {0, 0},
};
static const json_config late__one_format = {.lines = false, .paths = {(void *)late__one_paths_3, 1}};
static const Kinds_config late__one_settings = {
    .first = false,
    .second = false,
    .asset = {"late/one", 8},
    .third = false,
    .color = 0,
    .least = 0L,
    .ratio = 0.0,
    .fourth = false,
    .pause = 0L,
    .room = 0L,
    .moment = 0L,
    .cron = {0, 0},
    .anything = {0, 0, {0}},
    .words = {(void *)late__one_words_2, 2},
    .inners = {(void *)late__one_inners, 2},
    .pairs = {(void *)late__one_pairs_2, 2},
    .named = {(void *)late__one_named, 1},
    .values = {(void *)late__one_values_2, 1},
    .inner = {.flag = false, .word = {0, 0}, .numbers = {(void *)late__one_numbers_7, 1}},
    .format = {1, (void *)&late__one_format},
    .late_color = 0,
    .last = false,
};
static const int32_t late__one_assets[] = {1};
static const DgStepDef steps[] = {
    {
        .name = {"int", 3},
        .ops = &dg_kinds_ops,
        .config = &int_settings,
        .assets = {int_assets, 1},
        .partitions = -1,
        .backfill_partitions_max = 1},
    {
        .name = {"late__one", 9},
        .ops = &dg_kinds_ops,
        .config = &late__one_settings,
        .bind = late__one_bind,
        .assets = {late__one_assets, 1},
        .partitions = -1,
        .backfill_partitions_max = 1,
        .site = 1},
};

static const DgSecretDef secrets[] = {
    {.name = {"K_ANY", 5}, .required = 0, .secret = 0, .site = 9},
    {.name = {"K_COLOR", 7}, .required = 0, .secret = 0, .site = 3},
    {.name = {"K_DEEP", 6}, .required = 0, .secret = 0, .site = 15},
    {.name = {"K_FLAG", 6}, .required = 0, .secret = 0, .site = 2},
    {.name = {"K_FLOAT", 7}, .required = 0, .secret = 0, .site = 5},
    {.name = {"K_INNER", 7}, .required = 0, .secret = 0, .site = 11},
    {.name = {"K_INT", 5}, .required = 0, .secret = 0, .site = 4},
    {.name = {"K_MOMENT", 8}, .required = 0, .secret = 0, .site = 8},
    {.name = {"K_NAMED", 7}, .required = 0, .secret = 0, .site = 13},
    {.name = {"K_NUMBER", 8}, .required = 0, .secret = 0, .site = 11},
    {.name = {"K_PAIR", 6}, .required = 0, .secret = 0, .site = 12},
    {.name = {"K_PATH", 6}, .required = 0, .secret = 0, .site = 16},
    {.name = {"K_PAUSE", 7}, .required = 0, .secret = 0, .site = 6},
    {.name = {"K_ROOM", 6}, .required = 0, .secret = 0, .site = 7},
    {.name = {"K_VALUE", 7}, .required = 0, .secret = 0, .site = 14},
    {.name = {"K_WORD", 6}, .required = 0, .secret = 0, .site = 10},
};

static const DgSite sites[] = {
    {{"defs/all/defs.yaml", 18}, 2},
    {{"defs/all/defs.yaml", 18}, 25},
    {{"defs/all/defs.yaml", 18}, 28},
    {{"defs/all/defs.yaml", 18}, 29},
    {{"defs/all/defs.yaml", 18}, 30},
    {{"defs/all/defs.yaml", 18}, 31},
    {{"defs/all/defs.yaml", 18}, 32},
    {{"defs/all/defs.yaml", 18}, 33},
    {{"defs/all/defs.yaml", 18}, 34},
    {{"defs/all/defs.yaml", 18}, 35},
    {{"defs/all/defs.yaml", 18}, 36},
    {{"defs/all/defs.yaml", 18}, 37},
    {{"defs/all/defs.yaml", 18}, 38},
    {{"defs/all/defs.yaml", 18}, 39},
    {{"defs/all/defs.yaml", 18}, 40},
    {{"defs/all/defs.yaml", 18}, 41},
    {{"defs/all/defs.yaml", 18}, 42},
};


/* ---- main ---- */

const DgPipeline dg_pipeline = {
    .name = {"kinds", 5},
    .version = {"0.1.0", 5},
    .fingerprint = {"5210e3c92439c276a32d1e6ff69925acb4359c5699bf76ecac82f26731dde78b", 64},
    .sbom_json = {0, 0},
    .source_root = {".", 1},
    .sites = sites, .sites_count = 17,
    .assets = assets, .assets_count = 2,
    .checks = 0, .checks_count = 0,
    .steps = steps, .steps_count = 2,
    .partitions = 0, .partitions_count = 0,
    .jobs = 0, .jobs_count = 0,
    .schedules = 0, .schedules_count = 0,
    .resources = 0, .resources_count = 0,
    .secrets = secrets, .secrets_count = 16,
    .lineage = 0, .lineage_count = 0,
    .needs_duckdb = 0,
};

int main(int argc, char **argv)
{
    return dg_main(&dg_pipeline, argc, argv);
}
