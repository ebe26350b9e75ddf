/* AssetSpec, OpSpec, partitions, translation: what is accepted, what it becomes, what is said. */
#include <stdio.h>

#include "compiler/spec.h"
#include "compiler/template.h"
#include "compiler/translation.h"
#include "tests/support/fixture.h"
#include "tests/test.h"

#define SCRIPT(attributes) \
    "-- defs/a/defs.yaml --\ntype: dgc.Script\nattributes:\n  command: [make]\n" attributes

/* What is said about a project with one dgc.Script. */
static void expect_errors(const char *files, const char *errors)
{
    Fixture f = {0};
    fixture_open(&f, files);
    Str shown = fixture_errors(&f);
    assert_text(shown, errors);
    fixture_close(&f);
}

static const Asset *only_asset(Fixture *f, const char *files)
{
    fixture_open(f, files);
    assert_text(fixture_errors(f), "");
    assert_true(f->ok);
    return f->c.plan.assets.items[0];
}

static void keys_are_parts_joined_by_slashes(void **state)
{
    Arena a;
    StrArray parts;
    arena_init(&a, 0);
    assert_true(asset_key_parts(&a, S("a/b\\/c/d\\\\e"), &parts));
    assert_int_equal(parts.count, 3);
    assert_text(parts.items[1], "b/c");
    assert_text(parts.items[2], "d\\e");
    assert_text(asset_key_join(&a, parts.items, 3), "a/b\\/c/d\\\\e");
    assert_false(asset_key_parts(&a, S("a//b"), &parts));
    assert_false(asset_key_parts(&a, S("/a"), &parts));
    assert_false(asset_key_parts(&a, S("a/"), &parts));
    assert_false(asset_key_parts(&a, S(""), &parts));
    arena_free(&a);
}

static void a_key_with_an_empty_part_is_reported(void **state)
{
    expect_errors(SCRIPT("  asset: {key: a//b}\n"),
                  "E0205 defs/a/defs.yaml:4:16 asset key `a//b` has an empty part\n");
}

static void owners_tags_groups_and_kinds_follow_dagster(void **state)
{
    expect_errors(SCRIPT("  asset: {key: a, owners: [x@y.z, team:t, joe, 'team:']}\n"),
                  "E0110 defs/a/defs.yaml:4:43 owner `joe` is neither an e-mail address nor a team\n"
                  "E0110 defs/a/defs.yaml:4:48 owner `team:` is neither an e-mail address nor a "
                  "team\n");
    expect_errors(SCRIPT("  asset: {key: a, tags: {ok/k: v, 'a b': v, k: 'x y'}}\n"),
                  "E0110 defs/a/defs.yaml:4:42 `a b` is not a tag key\n"
                  "E0110 defs/a/defs.yaml:4:48 `x y` is not a tag value\n");
    expect_errors(SCRIPT("  asset: {key: a, group_name: a-b}\n"),
                  "E0110 defs/a/defs.yaml:4:31 `a-b` is not a group name\n");
    expect_errors(SCRIPT("  asset: {key: a, kinds: ['a b']}\n"),
                  "E0110 defs/a/defs.yaml:4:27 `a b` is not a kind\n");
}

static void all_five_forms_of_partitions_are_read(void **state)
{
    static const struct { const char *form, *cron, *format, *shown; } cases[] = {
        {"{type: hourly, start_date: 2024-01-01-00:00, minute_offset: 5}", "5 * * * *",
         "%Y-%m-%d-%H:%M", "hourly from 2024-01-01-00:00"},
        {"{type: daily, start_date: '2024-01-01', hour_offset: 3, timezone: Europe/Berlin}",
         "0 3 * * *", "%Y-%m-%d", "daily from 2024-01-01 (Europe/Berlin)"},
        {"{type: weekly, start_date: '2024-01-07', end_date: '2025-01-01', day_offset: 2}",
         "0 0 * * 2", "%Y-%m-%d", "weekly from 2024-01-07 to 2025-01-01"},
        {"{type: time_window, start_date: '2024-01', fmt: '%Y-%m', cron_schedule: '0 0 1 * *'}",
         "0 0 1 * *", "%Y-%m", "windows from 2024-01 at `0 0 1 * *`"},
        {"\"{{ dg.MonthlyPartitionsDefinition(start_date='2024-01-01', day_offset=3) }}\"",
         "0 0 3 * *", "%Y-%m-%d", "monthly from 2024-01-01"},
        {"\"{{ dg.DailyPartitionsDefinition('2024-01-01', '2024-02-01') }}\"", "0 0 * * *",
         "%Y-%m-%d", "daily from 2024-01-01 to 2024-02-01"},
        {"\"{{ dg.DailyPartitionsDefinition(datetime.datetime(2024, 1, 1)) }}\"", "0 0 * * *",
         "%Y-%m-%d", "daily from 2024-01-01T00:00:00"},
        {"{type: static, partition_keys: [x, y]}", "", "", "2 static keys"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Fixture f = {0};
        char files[512];
        snprintf(files, sizeof files, SCRIPT("  asset:\n    key: a\n    partitions_def: %s\n"),
                 cases[i].form);
        const Asset *asset = only_asset(&f, files);
        assert_non_null(asset->partitions);
        assert_text(asset->partitions->cron, cases[i].cron);
        assert_text(asset->partitions->format, cases[i].format);
        assert_text(asset->partitions->shown, cases[i].shown);
        assert_ptr_equal(asset->step->partitions, asset->partitions);
        fixture_close(&f);
    }
}

static void partitions_that_are_not_sound_are_reported(void **state)
{
    expect_errors(SCRIPT("  asset: {key: a, partitions_def: {type: static, partition_keys: []}}\n"),
                  "E0304 defs/a/defs.yaml:4:35 static partitions need at least one key\n");
    expect_errors(SCRIPT("  asset: {key: a, partitions_def: {type: static, partition_keys: [x, x]}}\n"),
                  "E0304 defs/a/defs.yaml:4:35 partition key `x` is listed twice\n");
    Fixture f = {0};
    fixture_open(&f, SCRIPT("  asset: {key: a, partitions_def: {type: daily, start_date: soon}}\n"));
    assert_true(str_starts(fixture_errors(&f), S("E0304 ")));
    fixture_close(&f);
}

static void equal_partitions_are_one(void **state)
{
    Fixture f = {0};
    fixture_open(&f, SCRIPT("  assets:\n"
                            "    - {key: a, partitions_def: {type: daily, start_date: '2024-01-01'}}\n"
                            "    - {key: b, partitions_def: {type: daily, start_date: '2024-01-01'}}\n"
                            "    - {key: c}\n"));
    assert_text(fixture_errors(&f), "");
    assert_int_equal(f.c.plan.partitions.count, 1);
    assert_ptr_equal(f.c.plan.assets.items[0]->partitions, f.c.plan.assets.items[1]->partitions);
    assert_null(f.c.plan.assets.items[2]->partitions);
    fixture_close(&f);
}

static void one_step_has_one_partitioning(void **state)
{
    expect_errors(SCRIPT("  assets:\n"
                         "    - {key: a, partitions_def: {type: daily, start_date: '2024-01-01'}}\n"
                         "    - {key: b, partitions_def: {type: static, partition_keys: [x]}}\n"),
                  "E0304 defs/a/defs.yaml:6:13 one step makes assets with different partitions: "
                  "`b` is 1 static keys\n"
                  "  at defs/a/defs.yaml:5:13 `a` is daily from 2024-01-01\n");
}

static void an_op_spec_says_how_the_step_runs(void **state)
{
    Fixture f = {0};
    fixture_open(&f, "-- defs/a/s.py --\n-- defs/a/defs.yaml --\n"
                     "type: dagster.PythonScriptComponent\n"
                     "attributes:\n"
                     "  execution:\n"
                     "    path: s.py\n"
                     "    name: load\n"
                     "    tags: {t: 1}\n"
                     "    pool: db\n"
                     "    description: loads\n"
                     "    args: a 'b c' \"d\\\"e\" f\\ g\n"
                     "    backfill_policy: {type: multi_run, max_partitions_per_run: 7}\n"
                     "    retry_policy: {max_retries: 3, delay: 1.5, backoff: EXPONENTIAL, jitter: FULL}\n"
                     "  assets: [{key: a}]\n");
    assert_text(fixture_errors(&f), "");
    const Step *step = f.c.plan.steps.items[0];
    assert_text(step->name, "load");
    assert_text(step->pool, "db");
    assert_text(step->tags.items[0].value, "1");
    assert_text(f.c.plan.assets.items[0]->description, "loads");
    assert_int_equal(step->backfill_partitions_max, 7);
    assert_int_equal(step->retry.retries_max, 3);
    assert_int_equal(step->retry.delay_ms, 1500);
    assert_true(step->retry.exponential);
    assert_int_equal(step->retry.jitter, 1);
    Str plan = fixture_plan(&f);
    assert_true(str_find(plan, S("      - \"python\"\n      - \"defs/a/s.py\"\n      - \"a\"\n"
                                 "      - \"b c\"\n      - \"d\\\"e\"\n      - \"f g\"\n")) > 0);
    fixture_close(&f);
}

static void conditions_are_shown_as_dagster_shows_them(void **state)
{
    Fixture f = {0};
    const Asset *asset = only_asset(
        &f, SCRIPT("  asset:\n    key: a\n    automation_condition: \"{{ "
                   "dg.AutomationCondition.on_cron('@daily').since_last_handled() }}\"\n"));
    AutomationLabel label = automation_label(&f.c.arena, asset->automation);
    assert_text(label.label, "");
    assert_int_equal(label.expanded.count, 3);
    assert_text(label.expanded.items[0], "(on_cron(@daily, UTC))");
    assert_text(label.expanded.items[1], "SINCE");
    fixture_close(&f);
    expect_errors(SCRIPT("  asset: {key: a, automation_condition: eager}\n"),
                  "E0110 defs/a/defs.yaml:4:41 `automation_condition` must be an "
                  "AutomationCondition, found str\n");
}

/* Translates `a/b` with the given YAML and shows what came of it. */
static void translate(const char *yaml, const char *key, const char *rest)
{
    Compile c = {0};
    arena_init(&c.arena, 0);
    sources_init(&c.sources, &c.arena);
    diag_init(&c.diag, &c.arena, &c.sources);
    Plan plan = {.arena = &c.arena, .diag = &c.diag, .sources = &c.sources};
    YamlFile file = yaml_parse(&c.arena, &c.diag, sources_add(&c.sources, S("t.yaml"), str_from(yaml)));
    Asset asset = {.key = S("a/b"), .group = S("default"), .description = S("was")};
    asset.automation.kind = DG_V_NONE;
    DgPair tag = {S("own"), S("1")};
    array_add(&c.arena, &asset.tags, tag);
    DagsterScope dagster = {.project_root = S("/p")};
    Scope *names = scope_dagster(&c.arena, NULL, &dagster);
    DgValuePair var = {S("stream"), dgv_from_str(S("Orders"))};
    DgList vars = {&var, 1};
    translation_apply(&plan, &asset, file.documents.items[0], names, &vars);
    StrBuf got = {0};
    buf_format(&got, "%.*s %.*s", FMT(asset.group), FMT(asset.description));
    for (size_t i = 0; i < asset.tags.count; i++)
        buf_format(&got, " %.*s=%.*s", FMT(asset.tags.items[i].key), FMT(asset.tags.items[i].value));
    for (size_t i = 0; i < c.diag.items.count; i++)
        buf_format(&got, " %s", diag_code_name(c.diag.items.items[i]->code));
    assert_text(asset.key, key);
    assert_text(buf_str(&got), rest);
    buf_free(&got);
    arena_free(&c.arena);
}

static void translation_merges_tags_and_replaces_the_rest(void **state)
{
    translate("group_name: g\ntags: {t: \"{{ stream | lower }}\"}\n", "a/b", "g was own=1 t=orders");
    translate("key: \"{{ spec.key.to_user_string() + '_suffix' }}\"\n", "a/b_suffix",
              "default was own=1");
    translate("key_prefix: p\n", "p/a/b", "default was own=1");
    translate("key_prefix: [p, q]\nkey: x/y\n", "p/q/x/y", "default was own=1");
    translate("\"{{ {'description': stream, 'tags': {'own': '2'}} }}\"\n", "a/b",
              "default Orders own=2");
    translate("\"{{ spec }}\"\n", "a/b", "default was own=1");
    translate("colour: red\n", "a/b", "default was own=1 E0107");
    translate("[1]\n", "a/b", "default was own=1 E0102");
    translate("key_prefix: 3\n", "a/b", "default was own=1 E0102");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_parts_joined_by_slashes),
        cmocka_unit_test(a_key_with_an_empty_part_is_reported),
        cmocka_unit_test(owners_tags_groups_and_kinds_follow_dagster),
        cmocka_unit_test(all_five_forms_of_partitions_are_read),
        cmocka_unit_test(partitions_that_are_not_sound_are_reported),
        cmocka_unit_test(equal_partitions_are_one),
        cmocka_unit_test(one_step_has_one_partitioning),
        cmocka_unit_test(an_op_spec_says_how_the_step_runs),
        cmocka_unit_test(conditions_are_shown_as_dagster_shows_them),
        cmocka_unit_test(translation_merges_tags_and_replaces_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
