/* rules: a data pipeline, written by dgc 0.1.0. Do not edit; edit what it is made from:
 *
 *     dgc.yaml
 *     defs/copy/defs.yaml
 */
#define DGC_NO_LIBC
#include "runtime/pipeline.h"
#include "runtime/copy/loop_api.h"

/* ---- types ---- */

typedef struct source_config {
    DgStr name;
    DgStr type;
    DgList props;
} source_config;
_Static_assert(sizeof(source_config) == 48, "layout of source_config");

typedef struct source_options_config {
    DgValue flatten;
    int32_t header;
    int32_t empty_as_null;
    int32_t skip_blank_lines;
    char gap_0[4];
    int64_t fields_per_rec;
    int64_t skip_lines;
    int64_t limit;
    int64_t offset;
    int64_t chunk_count;
    DgStr compression;
    DgStr format;
    DgStr null_if;
    DgStr datetime_format;
    DgStr delimiter;
    DgStr escape;
    DgStr quote;
    DgStr jmespath;
    DgStr jq;
    DgStr sheet;
    DgStr range;
    DgStr chunk_expr;
    DgStr encoding;
    DgValue max_decimals;
    DgValue chunk_size;
    DgValue columns;
    DgValue transforms;
} source_options_config;
_Static_assert(sizeof(source_options_config) == 384, "layout of source_options_config");

typedef struct target_options_config {
    int32_t header;
    int32_t use_bulk;
    int32_t ignore_existing;
    int32_t add_new_columns;
    int32_t adjust_column_type;
    int32_t direct_insert;
    int64_t concurrency;
    int64_t batch_limit;
    int64_t file_max_rows;
    int64_t file_max_bytes;
    DgStr compression;
    DgStr datetime_format;
    DgStr delimiter;
    DgStr format;
    DgStr column_casing;
    DgStr encoding;
    DgStr table_tmp;
    DgStr table_ddl;
    DgStr pre_sql;
    DgStr post_sql;
    DgStr isolation_level;
    DgStr merge_strategy;
    DgStr batch_max_duration;
    DgValue delete_missing;
    DgValue column_typing;
    DgValue table_keys;
    DgValue max_decimals;
} target_options_config;
_Static_assert(sizeof(target_options_config) == 360, "layout of target_options_config");

typedef struct hooks_config {
    DgList start;
    DgList end;
    DgList pre;
    DgList post;
    DgList pre_merge;
    DgList post_merge;
} hooks_config;
_Static_assert(sizeof(hooks_config) == 96, "layout of hooks_config");

typedef struct settings_config {
    char gap_0[16];
    DgStr id;
    DgStr description;
    DgStr object;
    DgStr where;
    DgStr update_key;
    DgStr sql;
    DgStr schedule;
    int32_t mode;
    char gap_1[4];
    DgList select;
    DgList files;
    DgList primary_key;
    DgList tags;
    DgValue columns;
    DgValue transforms;
    source_options_config source_options;
    target_options_config target_options;
    hooks_config hooks;
    int32_t disabled;
    int32_t single;
    DgValue meta;
    DgValue change_capture_options;
    DgStr contract;
    int64_t max_table_nesting;
} settings_config;
_Static_assert(sizeof(settings_config) == 1168, "layout of settings_config");

typedef struct Replication_config {
    DgStr stream;
    DgStr asset;
    source_config source;
    source_config target;
    settings_config settings;
    DgList connections;
    DgList excluded;
    DgList env;
    DgList include_metadata;
    DgStr replication;
    DgCode transform_loops;
    DgCode constraint_loops;
} Replication_config;
_Static_assert(sizeof(Replication_config) == 1392, "layout of Replication_config");

extern const DgStepOps dg_stream_ops;

/* ---- data ---- */

static const DgValue constant = {DG_V_INT, 0, {.i = 0L}};
static const DgValue constant_2 = {DG_V_FLOAT, 0, {.f = 1.5}};
static const DgValue constant_3 = {DG_V_INT, 0, {.i = -2L}};
static const DgValue constant_4 = {DG_V_STR, 0, {.s = {"\"", 1}}};
static const DgValue constant_5 = {DG_V_STR, 0, {.s = {"-", 1}}};
static const DgValue constant_6 = {DG_V_INT, 0, {.i = 100L}};
static const DgValue constant_7 = {DG_V_STR, 0, {.s = {"big", 3}}};
static const DgValue constant_8 = {DG_V_INT, 0, {.i = 0L}};
static const DgValue constant_9 = {DG_V_NONE, 0, {.b = 0}};
static const DgValue constant_10 = {DG_V_STR, 0, {.s = {"mid */ ", 7}}};
static const DgValue constant_11 = {DG_V_STR, 0, {.s = {"\\", 1}}};
static const DgValue constant_12 = {DG_V_INT, 0, {.i = -1L}};
static const DgValue constant_13 = {DG_V_INT, 0, {.i = 0L}};
static const DgValue constant_14 = {DG_V_INT, 0, {.i = 1000L}};
static const DgValue constant_15 = {DG_V_INT, 0, {.i = 7L}};

/* ---- functions ---- */

/* trim_space(value) */                                          /* defs/copy/defs.yaml:11 */
static DgStatus target_main_cleaned_rules_rule(const DgRuleRows *x, DgError *err)
{
    struct ExprScope *s = x->scope;
    const DgValue *in0 = x->in[0]; /* value */
    for (int32_t i = 0; i < x->rows; i++) {
        DgValue v0 = {DG_V_NONE, 0, {0}};
        if (in0[i].kind != DG_V_NONE)
            DG_TRY(dg_fn_trim(s, &in0[i], 1, &v0, err));
        x->out[i] = v0;
    }
    (void)s, (void)err;
    return DG_OK;
}

/* upper(value) */
static DgStatus target_main_cleaned_rules_rule_2(const DgRuleRows *x, DgError *err)
{
    struct ExprScope *s = x->scope;
    const DgValue *in0 = x->in[0]; /* value */
    for (int32_t i = 0; i < x->rows; i++) {
        DgValue v0 = {DG_V_NONE, 0, {0}};
        if (in0[i].kind != DG_V_NONE)
            DG_TRY(dg_fn_upper(s, &in0[i], 1, &v0, err));
        x->out[i] = v0;
    }
    (void)s, (void)err;
    return DG_OK;
}

/* coalesce(value, 0) * 1.5 - -2 */
static DgStatus target_main_cleaned_rules_rule_3(const DgRuleRows *x, DgError *err)
{
    struct ExprScope *s = x->scope;
    const DgValue *in0 = x->in[0]; /* value */
    for (int32_t i = 0; i < x->rows; i++) {
        DgValue a0[2];
        a0[0] = in0[i];
        a0[1] = constant;
        DgValue v1 = {DG_V_NONE, 0, {0}};
        DG_TRY(dg_fn_coalesce(s, a0, 2, &v1, err));
        DgValue v2;
        DG_EXPR_ARITHMETIC(EXPR_MUL, *, v1, constant_2, v2);
        DgValue v3;
        DG_EXPR_ARITHMETIC(EXPR_SUB, -, v2, constant_3, v3);
        x->out[i] = v3;
    }
    (void)s, (void)err;
    return DG_OK;
}

/* replace(value, "\"", "-") */
static DgStatus target_main_cleaned_rules_rule_4(const DgRuleRows *x, DgError *err)
{
    struct ExprScope *s = x->scope;
    const DgValue *in0 = x->in[0]; /* value */
    for (int32_t i = 0; i < x->rows; i++) {
        DgValue a0[3];
        a0[0] = in0[i];
        a0[1] = constant_4;
        a0[2] = constant_5;
        DgValue v1 = {DG_V_NONE, 0, {0}};
        if (in0[i].kind != DG_V_NONE)
            DG_TRY(dg_fn_replace(s, a0, 3, &v1, err));
        x->out[i] = v1;
    }
    (void)s, (void)err;
    return DG_OK;
}

/* record.amount >= 100 ? "big" : !(record.amount < 0 || record.note == null) ? concat("mid * / ", record.id, "\\") : -1 */
static DgStatus target_main_cleaned_rules_rule_5(const DgRuleRows *x, DgError *err)
{
    struct ExprScope *s = x->scope;
    const DgValue *in0 = x->in[0]; /* record.amount */
    const DgValue *in1 = x->in[1]; /* record.note */
    const DgValue *in2 = x->in[2]; /* record.id */
    for (int32_t i = 0; i < x->rows; i++) {
        DgValue v0;
        DG_EXPR_COMPARE(EXPR_GE, >=, in0[i], constant_6, v0);
        int t1;
        DG_EXPR_TRUTH(v0, t1);
        DgValue v2;
        if (t1 == 1) {
            v2 = constant_7;
        }
        else {
            DgValue v3;
            DG_EXPR_COMPARE(EXPR_LT, <, in0[i], constant_8, v3);
            int t4;
            DG_EXPR_TRUTH(v3, t4);
            if (t4 != 1) {
                DgValue v5;
                DG_EXPR_COMPARE(EXPR_EQ, ==, in1[i], constant_9, v5);
                int t6;
                DG_EXPR_TRUTH(v5, t6);
                t4 = t6 == 1 ? 1 : t4 < 0 || t6 < 0 ? -1 : 0;
            }
            DgValue v7 = {t4 < 0 ? DG_V_NONE : DG_V_BOOL, 0, {.b = t4 == 1}};
            int t8;
            DG_EXPR_TRUTH(v7, t8);
            DgValue v9 = {t8 < 0 ? DG_V_NONE : DG_V_BOOL, 0, {.b = t8 == 1}};
            v9.as.b = !v9.as.b;
            int t10;
            DG_EXPR_TRUTH(v9, t10);
            DgValue v11;
            if (t10 == 1) {
                DgValue a12[3];
                a12[0] = constant_10;
                a12[1] = in2[i];
                a12[2] = constant_11;
                DgValue v13 = {DG_V_NONE, 0, {0}};
                DG_TRY(dg_fn_concat(s, a12, 3, &v13, err));
                v11 = v13;
            }
            else {
                v11 = constant_12;
            }
            v2 = v11;
        }
        x->out[i] = v2;
    }
    (void)s, (void)err;
    return DG_OK;
}

static const DgRuleFn target_main_cleaned_rules_loops[] = {
    target_main_cleaned_rules_rule,
    target_main_cleaned_rules_rule_2,
    target_main_cleaned_rules_rule_3,
    target_main_cleaned_rules_rule_4,
    target_main_cleaned_rules_rule_5,
};
static const DgRuleSet *target_main_cleaned_rules(void)
{
    static const DgRuleSet set = {target_main_cleaned_rules_loops, 5};
    return &set;
}


/* value > 0 && value % 1000 != 7 */                             /* defs/copy/defs.yaml:9 */
static DgStatus target_main_cleaned_rules_2_rule(const DgRuleRows *x, DgError *err)
{
    struct ExprScope *s = x->scope;
    const DgValue *in0 = x->in[0]; /* value */
    for (int32_t i = 0; i < x->rows; i++) {
        DgValue v0;
        DG_EXPR_COMPARE(EXPR_GT, >, in0[i], constant_13, v0);
        int t1;
        DG_EXPR_TRUTH(v0, t1);
        if (t1 != 0) {
            DgValue v2;
            DG_TRY(dg_expr_arithmetic(EXPR_REM, s, &in0[i], &constant_14, &v2, err));
            DgValue v3;
            DG_EXPR_COMPARE(EXPR_NE, !=, v2, constant_15, v3);
            int t4;
            DG_EXPR_TRUTH(v3, t4);
            t1 = t4 == 0 ? 0 : t1 < 0 || t4 < 0 ? -1 : 1;
        }
        DgValue v5 = {t1 < 0 ? DG_V_NONE : DG_V_BOOL, 0, {.b = t1 == 1}};
        x->out[i] = v5;
    }
    (void)s, (void)err;
    return DG_OK;
}

static const DgRuleFn target_main_cleaned_rules_2_loops[] = {
    target_main_cleaned_rules_2_rule,
};
static const DgRuleSet *target_main_cleaned_rules_2(void)
{
    static const DgRuleSet set = {target_main_cleaned_rules_2_loops, 1};
    return &set;
}



/* ---- tables ---- */

static const int32_t target_main_cleaned_deps[] = {0};
static const DgStr target_main_cleaned_kinds[] = {
    {"sling", 5},
};
static const DgAssetDef assets[] = {
    {
        .key = {"in/csv", 6},
        .schema = {"in", 2},
        .table = {"csv", 3},
        .group = {"default", 7},
        .step = -1,
        .partitions = -1,
        .site = -1},
    {
        .key = {"target/main/cleaned", 19},
        .schema = {"target__main", 12},
        .table = {"cleaned", 7},
        .group = {"default", 7},
        .deps = {target_main_cleaned_deps, 1},
        .kinds = {target_main_cleaned_kinds, 1},
        .metadata_json = {"{\"stream_config\": {\"object\": \"main.cleaned\", \"columns\": {\"id\": \"bigint | value > 0 && value % 1000 != 7\"}, \"transforms\": [{\"name\": [\"trim_space\", \"upper\"]}, {\"amount\": \"coalesce(value, 0) * 1.5 - -2\"}, {\"note\": \"replace(value, \\\"\\\\\\\"\\\", \\\"-\\\")\"}, {\"size\": \"record.amount >= 100 \077 \\\"big\\\" : !(record.amount < 0 || record.note == null) \077 concat(\\\"mid */ \\\", record.id, \\\"\\\\\\\\\\\") : -1\"}]}}", 386},
        .partitions = -1},
};

/* defs/copy/defs.yaml:1
 *   type: dgc.Replication
 *   attributes:
 *     name: copy
 *     source: local
 *     target: warehouse
 *     streams:
 *       in.csv:
 *         object: main.cleaned
 *         columns: {id: 'bigint | value > 0 && value % 1000 != 7'}
 *         transforms:
 *           - {name: [trim_space, upper]}
 *           - {amount: 'coalesce(value, 0) * 1.5 - -2'}
 *           - {note: 'replace(value, "\"", "-")'}
 *           - {size: 'record.amount >= 100 ? "big" : !(record.amount < 0 || record.note == null) ? concat("mid * / ", record.id, "\\") : -1'}
 */
static const DgValue entries_keys[] = {
    {DG_V_STR, 0, {.s = {"id", 2}}},
};
static const DgValue entries_values[] = {
    {DG_V_STR, 0, {.s = {"bigint | value > 0 && value % 1000 != 7", 39}}},
};
static const DgValueDict entries = {(DgValue *)entries_keys, (DgValue *)entries_values, 1};
static const DgValue entries_2_keys[] = {
    {DG_V_STR, 0, {.s = {"id", 2}}},
};
static const DgValue entries_2_values[] = {
    {DG_V_STR, 0, {.s = {"bigint | value > 0 && value % 1000 != 7", 39}}},
};
static const DgValueDict entries_2 = {(DgValue *)entries_2_keys, (DgValue *)entries_2_values, 1};
static const DgValue entries_3_keys[] = {
    {DG_V_STR, 0, {.s = {"id", 2}}},
};
static const DgValue entries_3_values[] = {
    {DG_V_STR, 0, {.s = {"bigint | value > 0 && value % 1000 != 7", 39}}},
};
static const DgValueDict entries_3 = {(DgValue *)entries_3_keys, (DgValue *)entries_3_values, 1};
static const DgValue entries_4_keys[] = {
    {DG_V_STR, 0, {.s = {"name", 4}}},
};
static const DgValue items_2_of[] = {
    {DG_V_STR, 0, {.s = {"trim_space", 10}}},
    {DG_V_STR, 0, {.s = {"upper", 5}}},
};
static const DgValueList items_2 = {(DgValue *)items_2_of, 2};
static const DgValue entries_4_values[] = {
    {DG_V_LIST, 0, {.list = (DgValueList *)&items_2}},
};
static const DgValueDict entries_4 = {(DgValue *)entries_4_keys, (DgValue *)entries_4_values, 1};
static const DgValue entries_5_keys[] = {
    {DG_V_STR, 0, {.s = {"amount", 6}}},
};
static const DgValue entries_5_values[] = {
    {DG_V_STR, 0, {.s = {"coalesce(value, 0) * 1.5 - -2", 29}}},
};
static const DgValueDict entries_5 = {(DgValue *)entries_5_keys, (DgValue *)entries_5_values, 1};
static const DgValue entries_6_keys[] = {
    {DG_V_STR, 0, {.s = {"note", 4}}},
};
static const DgValue entries_6_values[] = {
    {DG_V_STR, 0, {.s = {"replace(value, \"\\\"\", \"-\")", 25}}},
};
static const DgValueDict entries_6 = {(DgValue *)entries_6_keys, (DgValue *)entries_6_values, 1};
static const DgValue entries_7_keys[] = {
    {DG_V_STR, 0, {.s = {"size", 4}}},
};
static const DgValue entries_7_values[] = {
    {DG_V_STR, 0, {.s = {"record.amount >= 100 \077 \"big\" : !(record.amount < 0 || record.note == null) \077 concat(\"mid */ \", record.id, \"\\\\\") : -1", 116}}},
};
static const DgValueDict entries_7 = {(DgValue *)entries_7_keys, (DgValue *)entries_7_values, 1};
static const DgValue items_of[] = {
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_4}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_5}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_6}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_7}},
};
static const DgValueList items = {(DgValue *)items_of, 4};
static const DgValue entries_8_keys[] = {
    {DG_V_STR, 0, {.s = {"name", 4}}},
};
static const DgValue items_4_of[] = {
    {DG_V_STR, 0, {.s = {"trim_space", 10}}},
    {DG_V_STR, 0, {.s = {"upper", 5}}},
};
static const DgValueList items_4 = {(DgValue *)items_4_of, 2};
static const DgValue entries_8_values[] = {
    {DG_V_LIST, 0, {.list = (DgValueList *)&items_4}},
};
static const DgValueDict entries_8 = {(DgValue *)entries_8_keys, (DgValue *)entries_8_values, 1};
static const DgValue entries_9_keys[] = {
    {DG_V_STR, 0, {.s = {"amount", 6}}},
};
static const DgValue entries_9_values[] = {
    {DG_V_STR, 0, {.s = {"coalesce(value, 0) * 1.5 - -2", 29}}},
};
static const DgValueDict entries_9 = {(DgValue *)entries_9_keys, (DgValue *)entries_9_values, 1};
static const DgValue entries_10_keys[] = {
    {DG_V_STR, 0, {.s = {"note", 4}}},
};
static const DgValue entries_10_values[] = {
    {DG_V_STR, 0, {.s = {"replace(value, \"\\\"\", \"-\")", 25}}},
};
static const DgValueDict entries_10 = {(DgValue *)entries_10_keys, (DgValue *)entries_10_values, 1};
static const DgValue entries_11_keys[] = {
    {DG_V_STR, 0, {.s = {"size", 4}}},
};
static const DgValue entries_11_values[] = {
    {DG_V_STR, 0, {.s = {"record.amount >= 100 \077 \"big\" : !(record.amount < 0 || record.note == null) \077 concat(\"mid */ \", record.id, \"\\\\\") : -1", 116}}},
};
static const DgValueDict entries_11 = {(DgValue *)entries_11_keys, (DgValue *)entries_11_values, 1};
static const DgValue items_3_of[] = {
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_8}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_9}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_10}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_11}},
};
static const DgValueList items_3 = {(DgValue *)items_3_of, 4};
static const DgValue entries_12_keys[] = {
    {DG_V_STR, 0, {.s = {"name", 4}}},
};
static const DgValue items_6_of[] = {
    {DG_V_STR, 0, {.s = {"trim_space", 10}}},
    {DG_V_STR, 0, {.s = {"upper", 5}}},
};
static const DgValueList items_6 = {(DgValue *)items_6_of, 2};
static const DgValue entries_12_values[] = {
    {DG_V_LIST, 0, {.list = (DgValueList *)&items_6}},
};
static const DgValueDict entries_12 = {(DgValue *)entries_12_keys, (DgValue *)entries_12_values, 1};
static const DgValue entries_13_keys[] = {
    {DG_V_STR, 0, {.s = {"amount", 6}}},
};
static const DgValue entries_13_values[] = {
    {DG_V_STR, 0, {.s = {"coalesce(value, 0) * 1.5 - -2", 29}}},
};
static const DgValueDict entries_13 = {(DgValue *)entries_13_keys, (DgValue *)entries_13_values, 1};
static const DgValue entries_14_keys[] = {
    {DG_V_STR, 0, {.s = {"note", 4}}},
};
static const DgValue entries_14_values[] = {
    {DG_V_STR, 0, {.s = {"replace(value, \"\\\"\", \"-\")", 25}}},
};
static const DgValueDict entries_14 = {(DgValue *)entries_14_keys, (DgValue *)entries_14_values, 1};
static const DgValue entries_15_keys[] = {
    {DG_V_STR, 0, {.s = {"size", 4}}},
};
static const DgValue entries_15_values[] = {
    {DG_V_STR, 0, {.s = {"record.amount >= 100 \077 \"big\" : !(record.amount < 0 || record.note == null) \077 concat(\"mid */ \", record.id, \"\\\\\") : -1", 116}}},
};
static const DgValueDict entries_15 = {(DgValue *)entries_15_keys, (DgValue *)entries_15_values, 1};
static const DgValue items_5_of[] = {
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_12}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_13}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_14}},
    {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_15}},
};
static const DgValueList items_5 = {(DgValue *)items_5_of, 4};
static const Replication_config copy__in_csv_settings = {
    .stream = {"in.csv", 6},
    .asset = {"target/main/cleaned", 19},
    .source = {.name = {"local", 5}, .type = {0, 0}, .props = {0, 0}},
    .target = {.name = {"warehouse", 9}, .type = {0, 0}, .props = {0, 0}},
    .settings = {.id = {0, 0}, .description = {0, 0}, .object = {"main.cleaned", 12}, .where = {0, 0}, .update_key = {0, 0}, .sql = {0, 0}, .schedule = {0, 0}, .mode = 1, .select = {0, 0}, .files = {0, 0}, .primary_key = {0, 0}, .tags = {0, 0}, .columns = {DG_V_DICT, 0, {.dict = (DgValueDict *)&entries_2}}, .transforms = {DG_V_LIST, 0, {.list = (DgValueList *)&items_3}}, .source_options = {.flatten = {DG_V_NONE, 0, {0}}, .header = 0, .empty_as_null = 0, .skip_blank_lines = 0, .fields_per_rec = 0L, .skip_lines = 0L, .limit = 0L, .offset = 0L, .chunk_count = 0L, .compression = {0, 0}, .format = {0, 0}, .null_if = {0, 0}, .datetime_format = {0, 0}, .delimiter = {0, 0}, .escape = {0, 0}, .quote = {0, 0}, .jmespath = {0, 0}, .jq = {0, 0}, .sheet = {0, 0}, .range = {0, 0}, .chunk_expr = {0, 0}, .encoding = {0, 0}, .max_decimals = {DG_V_NONE, 0, {0}}, .chunk_size = {DG_V_NONE, 0, {0}}, .columns = {DG_V_NONE, 0, {0}}, .transforms = {DG_V_NONE, 0, {0}}}, .target_options = {.header = 0, .use_bulk = 0, .ignore_existing = 0, .add_new_columns = 0, .adjust_column_type = 0, .direct_insert = 0, .concurrency = 0L, .batch_limit = 0L, .file_max_rows = 0L, .file_max_bytes = 0L, .compression = {0, 0}, .datetime_format = {0, 0}, .delimiter = {0, 0}, .format = {0, 0}, .column_casing = {0, 0}, .encoding = {0, 0}, .table_tmp = {0, 0}, .table_ddl = {0, 0}, .pre_sql = {0, 0}, .post_sql = {0, 0}, .isolation_level = {0, 0}, .merge_strategy = {0, 0}, .batch_max_duration = {0, 0}, .delete_missing = {DG_V_NONE, 0, {0}}, .column_typing = {DG_V_NONE, 0, {0}}, .table_keys = {DG_V_NONE, 0, {0}}, .max_decimals = {DG_V_NONE, 0, {0}}}, .hooks = {.start = {0, 0}, .end = {0, 0}, .pre = {0, 0}, .post = {0, 0}, .pre_merge = {0, 0}, .post_merge = {0, 0}}, .disabled = 0, .single = 0, .meta = {DG_V_NONE, 0, {0}}, .change_capture_options = {DG_V_NONE, 0, {0}}, .contract = {0, 0}, .max_table_nesting = 0L},
    .connections = {0, 0},
    .excluded = {0, 0},
    .env = {0, 0},
    .include_metadata = {0, 0},
    .replication = {"copy", 4},
    .transform_loops = {(void (*)(void))target_main_cleaned_rules},
    .constraint_loops = {(void (*)(void))target_main_cleaned_rules_2},
};
static const int32_t copy__in_csv_assets[] = {1};
static const int32_t copy__in_csv_reads[] = {0};
static const DgStepDef steps[] = {
    {
        .name = {"copy__in_csv", 12},
        .ops = &dg_stream_ops,
        .config = &copy__in_csv_settings,
        .assets = {copy__in_csv_assets, 1},
        .reads = {copy__in_csv_reads, 1},
        .partitions = -1,
        .backfill_partitions_max = 1,
        .site = 1},
};

static const DgSite sites[] = {
    {{"defs/copy/defs.yaml", 19}, 1},
    {{"defs/copy/defs.yaml", 19}, 8},
};


/* ---- main ---- */

const DgPipeline dg_pipeline = {
    .name = {"rules", 5},
    .version = {"0.1.0", 5},
    .fingerprint = {"9be04e61bf0ca69b3eaba27e89b74e6e103b608202411a1d6737e7b5e3083f33", 64},
    .sbom_json = {0, 0},
    .source_root = {".", 1},
    .sites = sites, .sites_count = 2,
    .assets = assets, .assets_count = 2,
    .checks = 0, .checks_count = 0,
    .steps = steps, .steps_count = 1,
    .partitions = 0, .partitions_count = 0,
    .jobs = 0, .jobs_count = 0,
    .schedules = 0, .schedules_count = 0,
    .resources = 0, .resources_count = 0,
    .secrets = 0, .secrets_count = 0,
    .lineage = 0, .lineage_count = 0,
    .needs_duckdb = 1,
};

int main(int argc, char **argv)
{
    return dg_main(&dg_pipeline, argc, argv);
}
