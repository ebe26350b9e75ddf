/* The passes: connect, order, prune, post_process, check; and how they do at size. */
#include <stdio.h>
#include <time.h>

#include "compiler/pass.h"
#include "compiler/template.h"
#include "tests/support/fixture.h"
#include "tests/test.h"

#define SCRIPT(attributes) "type: dgc.Script\nattributes:\n  command: [make]\n" attributes

static void expect_errors(const char *files, const char *errors)
{
    Fixture f = {0};
    fixture_open(&f, files);
    assert_text(fixture_errors(&f), errors);
    fixture_close(&f);
}

static void names_that_nothing_declares_become_external_assets(void **state)
{
    Fixture f = {0};
    fixture_open(&f, "-- defs/a/defs.yaml --\n" SCRIPT("  asset: {key: b, deps: [z/out, a, a]}\n"));
    assert_text(fixture_errors(&f), "");
    assert_int_equal(f.c.plan.assets.count, 3);
    const Asset *a = f.c.plan.assets.items[0], *b = f.c.plan.assets.items[1],
                *z = f.c.plan.assets.items[2];
    assert_text(z->key, "z/out");
    assert_true(a->stub && z->stub && !b->stub);
    assert_null(z->step);
    assert_int_equal(b->deps.count, 2);
    assert_ptr_equal(b->deps.items[0], a);
    assert_ptr_equal(b->deps.items[1], z);
    assert_text(b->schema, "main");
    assert_text(z->schema, "z");
    fixture_close(&f);
}

static void an_asset_defined_twice_names_both_places(void **state)
{
    expect_errors("-- defs/a/defs.yaml --\n" SCRIPT("  asset: {key: x/y}\n")
                  "-- defs/b/defs.yaml --\n" SCRIPT("  name: other\n  asset: {key: x/y}\n"),
                  "E0201 defs/b/defs.yaml:5:16 asset `x/y` is defined twice\n"
                  "  at defs/a/defs.yaml:4:16 first defined here, by `dgc.Script`\n");
}

static void two_steps_of_one_name_are_reported(void **state)
{
    expect_errors("-- defs/a/defs.yaml --\n" SCRIPT("  name: n\n  asset: {key: x}\n")
                  "-- defs/b/defs.yaml --\n" SCRIPT("  name: n\n  asset: {key: y}\n"),
                  "E0204 defs/b/defs.yaml:3:12 two steps are named `n`\n"
                  "  at defs/a/defs.yaml:3:12 the first `n` is here\n");
}

static void a_circle_is_shown_with_every_place(void **state)
{
    expect_errors("-- defs/a/defs.yaml --\n" SCRIPT("  asset: {key: a, deps: [c]}\n")
                  "-- defs/b/defs.yaml --\n" SCRIPT("  asset: {key: b, deps: [a]}\n")
                  "-- defs/c/defs.yaml --\n" SCRIPT("  asset: {key: c, deps: [b, out]}\n"),
                  "E0203 defs/a/defs.yaml:4:16 assets depend on each other: a <- c <- b <- a\n"
                  "  at defs/c/defs.yaml:4:16 `c` needs `b`\n"
                  "  at defs/b/defs.yaml:4:16 `b` needs `a`\n");
}

static void steps_may_wait_for_each_other_although_assets_do_not(void **state)
{
    expect_errors("-- defs/a/defs.yaml --\n" SCRIPT("  name: s1\n  assets: [{key: a, deps: [d]}, {key: b}]\n")
                  "-- defs/b/defs.yaml --\n" SCRIPT("  name: s2\n  assets: [{key: c, deps: [b]}, {key: d}]\n"),
                  "E0203 defs/a/defs.yaml:3:12 steps wait for each other: `s1` and `s2`\n"
                  "  at defs/a/defs.yaml:3:12 step `s1` runs after `s2`\n"
                  "  at defs/b/defs.yaml:3:12 step `s2` runs after `s1`\n");
}

static void only_time_partitions_may_depend_on_themselves(void **state)
{
    Fixture f = {0};
    fixture_open(&f, "-- defs/a/defs.yaml --\n" SCRIPT(
                         "  asset: {key: a, deps: [a], partitions_def: {type: daily, "
                         "start_date: '2024-01-01'}}\n"));
    assert_text(fixture_errors(&f), "");
    fixture_close(&f);
    fixture_open(&f, "-- defs/a/defs.yaml --\n" SCRIPT("  asset: {key: a, deps: [a]}\n"));
    assert_true(str_starts(fixture_errors(&f), S("E0203 ")));
    fixture_close(&f);
}

static void order_of(Fixture *f, const char *names)
{
    StrBuf text = {0};
    for (size_t i = 0; i < f->c.plan.steps.count; i++)
        buf_format(&text, "%s%.*s", i ? " " : "", FMT(f->c.plan.steps.items[i]->name));
    assert_text(buf_str(&text), names);
    buf_free(&text);
}

static void steps_run_after_what_they_read_ties_by_name(void **state)
{
    Fixture f = {0};
    fixture_open(&f, "-- defs/a/defs.yaml --\n" SCRIPT("  asset: {key: z}\n")
                     "---\n" SCRIPT("  asset: {key: b, deps: [z]}\n")
                     "---\n" SCRIPT("  asset: {key: m}\n")
                     "---\n" SCRIPT("  asset: {key: a, deps: [b, m]}\n")
                     "---\n" SCRIPT("  asset: {key: c}\n"));
    assert_text(fixture_errors(&f), "");
    order_of(&f, "c m z b a");
    fixture_close(&f);
}

static void blocking_checks_come_before_what_reads_the_asset(void **state)
{
    Fixture f = {0};
    fixture_open(&f, "-- defs/a/defs.yaml --\n" SCRIPT("  asset: {key: x}\n")
                     "---\n" SCRIPT("  asset: {key: a_reader, deps: [x]}\n")
                     "---\n" SCRIPT("  name: z_judge\n  checks: [{name: good, asset: x, blocking: true}]\n")
                     "---\n" SCRIPT("  name: z_other\n  checks: [{name: fine, asset: x}]\n"));
    assert_text(fixture_errors(&f), "");
    order_of(&f, "x z_judge a_reader z_other");
    fixture_close(&f);
}

static const char project[] =
    "-- defs/a/defs.yaml --\n" SCRIPT("  env: {TOKEN: \"{{ env('RAW_TOKEN') }}\"}\n"
                                      "  asset: {key: raw, group_name: in, deps: [out]}\n")
    "---\n" SCRIPT("  env: {T: \"{{ env.SOFT }}\"}\n  asset: {key: mid, deps: [raw]}\n")
    "---\n" SCRIPT("  asset: {key: end, deps: [mid]}\n")
    "---\n" SCRIPT("  name: judge\n  checks: [{name: c, asset: mid}]\n")
    "---\ntype: dgc.Job\nattributes: {name: whole, selection: '*'}\n"
    "---\ntype: dgc.Job\nattributes: {name: middle, selection: mid}\n"
    "---\ntype: dgc.Schedule\nattributes: {name: nightly, cron: '@daily', target: middle}\n"
    "---\ntype: dgc.Schedule\nattributes: {name: weekly, cron: '@weekly', target: 'group:in'}\n";

static void prune(Fixture *f, const char *select, const char *job)
{
    fixture_write(f, project);
    fixture_compile(f, &(CompileOptions){.select = str_from(select), .job = str_from(job)});
}

static void everything_stays_without_a_selection(void **state)
{
    Fixture f = {0};
    prune(&f, "", "");
    assert_text(fixture_errors(&f), "");
    assert_int_equal(f.c.plan.assets.count, 4);
    assert_int_equal(f.c.plan.jobs.count, 2);
    assert_int_equal(f.c.plan.env.count, 2);
    assert_text(f.c.plan.env.items[0].name, "RAW_TOKEN");
    assert_true(f.c.plan.env.items[0].required);
    assert_false(f.c.plan.env.items[1].required);
    assert_ptr_equal(f.c.plan.schedules.items[0]->job, f.c.plan.jobs.items[1]);
    assert_int_equal(f.c.plan.schedules.items[1]->assets.count, 1);
    fixture_close(&f);
}

static void a_selection_leaves_out_what_it_does_not_need(void **state)
{
    Fixture f = {0};
    prune(&f, "mid", "");
    assert_text(fixture_errors(&f), "");
    order_of(&f, "mid judge");
    assert_int_equal(f.c.plan.assets.count, 2); /* raw is read, out and end are gone */
    assert_text(f.c.plan.assets.items[1]->key, "raw");
    assert_null(f.c.plan.assets.items[1]->step);
    assert_int_equal(f.c.plan.assets.items[1]->deps.count, 0);
    assert_int_equal(f.c.plan.assets.items[1]->index, 1);
    assert_int_equal(f.c.plan.env.count, 1);
    assert_text(f.c.plan.env.items[0].name, "SOFT");
    assert_int_equal(f.c.plan.jobs.count, 1);
    assert_text(f.c.plan.jobs.items[0]->name, "middle");
    assert_int_equal(f.c.plan.jobs.items[0]->index, 0);
    assert_int_equal(f.c.plan.schedules.count, 1);
    fixture_close(&f);
}

static void a_job_leaves_out_the_other_jobs(void **state)
{
    Fixture f = {0};
    prune(&f, "", "middle");
    assert_text(fixture_errors(&f), "");
    assert_int_equal(f.c.plan.jobs.count, 1);
    assert_int_equal(f.c.plan.schedules.count, 1);
    order_of(&f, "mid judge");
    fixture_close(&f);
    prune(&f, "", "midle");
    assert_false(f.ok);
    assert_text(fixture_errors(&f), "E0301 no job is named `midle`\n");
    fixture_close(&f);
    prune(&f, "group:", "");
    assert_false(f.ok);
    fixture_close(&f);
}

static void jobs_and_schedules_are_checked(void **state)
{
    Fixture f = {0};
    fixture_open(&f, "-- defs/a/defs.yaml --\n" SCRIPT("  asset: {key: orders}\n")
                     "---\ntype: dgc.Job\nattributes: {name: a b, selection: '*'}\n"
                     "---\ntype: dgc.Job\nattributes: {name: j, selection: orders and}\n"
                     "---\ntype: dgc.Job\nattributes: {name: k, selection: 'group:none'}\n"
                     "---\ntype: dgc.Schedule\nattributes: {name: s, cron: '0 25 * * *', target: j}\n"
                     "---\ntype: dgc.Schedule\nattributes: {name: t, cron: '@daily', timezone: Mars/X}\n"
                     "---\ntype: dgc.Schedule\nattributes: {name: u, cron: '@daily', target: order}\n");
    Str errors = fixture_errors(&f);
    static const char *const starts[] = {
        "E0110 defs/a/defs.yaml:7:20 `a b` is not a name for a job\n",
        "\nE0301 defs/a/defs.yaml:10:", "\nW0305 defs/a/defs.yaml:13:", "\nE0302 defs/a/defs.yaml:16:32 `25` is not an hour\n",
        "\nE0303 defs/a/defs.yaml:19:49 ", "\nE0202 defs/a/defs.yaml:22:47 "};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (str_find(errors, str_from(starts[i])) < 0)
            fail_msg("%s is not in\n%.*s", starts[i], FMT(errors));
    fixture_close(&f);
    expect_errors("-- defs/a/defs.yaml --\n" SCRIPT("  asset: {key: orders}\n")
                  "---\ntype: dgc.Schedule\nattributes: {name: t, cron: '@daily'}\n"
                  "---\ntype: dgc.Schedule\nattributes: {name: t, cron: '@daily'}\n",
                  "E0204 defs/a/defs.yaml:10:20 two schedules are named `t`\n"
                  "  at defs/a/defs.yaml:7:20 the first `t` is here\n");
}

static void own_rules_go_before_those_of_folders(void **state)
{
    Fixture f = {0};
    fixture_open(&f,
                 "-- defs/defs.yaml --\ntype: dagster.DefsFolderComponent\npost_processing:\n  assets:\n"
                 "    - attributes: {tags: {who: top}, group_name: top}\n"
                 "-- defs/in/defs.yaml --\ntype: dagster.DefsFolderComponent\npost_processing:\n  assets:\n"
                 "    - {target: x, operation: replace, attributes: {tags: {who: in}, description: in}}\n"
                 "-- defs/in/a/defs.yaml --\n"
                 SCRIPT("  assets: [{key: x, tags: {own: '1'}}, {key: y, tags: {own: '1'}}]\n")
                 "post_processing:\n  assets:\n"
                 "    - {target: 'tag:own', attributes: {tags: {who: doc, doc: '1'}, description: "
                 "\"{{ asset.key.to_user_string() }}\"}}\n");
    assert_text(fixture_errors(&f), "");
    const Asset *x = f.c.plan.assets.items[0], *y = f.c.plan.assets.items[1];
    assert_int_equal(x->tags.count, 1);
    assert_text(x->tags.items[0].value, "top");
    assert_text(x->description, "in");
    assert_int_equal(y->tags.count, 3);
    assert_text(y->description, "y");
    assert_text(y->group, "top");
    fixture_close(&f);
}

static void rules_that_are_not_sound_are_reported(void **state)
{
    expect_errors("-- defs/a/defs.yaml --\n" SCRIPT("  asset: {key: x}\n")
                  "post_processing:\n  assets:\n"
                  "    - {target: 'x', attributes: {key: y}}\n"
                  "    - {target: 'kind:none', attributes: {group_name: g}}\n"
                  "    - {target: 'x and', attributes: {group_name: g}}\n"
                  "    - {target: x}\n"
                  "    - {attributes: {description: '{{ nonsense }}'}}\n",
                  "E0107 defs/a/defs.yaml:7:34 `post_processing attributes` has no attribute `key`\n"
                  "W0305 defs/a/defs.yaml:8:16 `kind:none` matches no asset that this file covers\n"
                  "E0301 defs/a/defs.yaml:9:22 the selection ends where an asset is expected\n"
                  "E0106 defs/a/defs.yaml:10:7 `attributes` is missing\n"
                  "E0602 defs/a/defs.yaml:11:38 `nonsense` is not in scope\n");
}

static void a_step_takes_over_what_waits_for_the_environment(void **state)
{
    Fixture f = {0};
    fixture_open(&f, "-- defs/conn/defs.yaml --\ntype: dagster_duckdb.DuckDBConnectionComponent\n"
                     "attributes: {database: \"{{ env('DB') }}\"}\n"
                     "-- defs/s/defs.yaml --\ntype: dagster.TemplatedSqlComponent\nattributes:\n"
                     "  sql_template: create table t as select 1\n"
                     "  connection: \"{{ context.load_component('conn') }}\"\n"
                     "  assets: [{key: t}]\n");
    assert_text(fixture_errors(&f), "");
    const Step *step = f.c.plan.steps.items[0];
    assert_int_equal(step->bindings.count, 1);
    assert_text(step->bindings.items[0].value->text, "{{ env('DB') }}");
    assert_string_equal(step->bindings.items[0].field->name, "database");
    assert_int_equal(step->code.count, 1);
    assert_text(f.c.plan.env.items[0].name, "DB");
    fixture_close(&f);
    expect_errors("-- defs/s/defs.yaml --\ntype: dagster.TemplatedSqlComponent\nattributes:\n"
                  "  sql_template: select 1\n"
                  "  connection: \"{{ context.load_component('s') }}\"\n  assets: [{key: t}]\n",
                  "E0110 defs/s/defs.yaml:4:15 `dagster.TemplatedSqlComponent` is no connection "
                  "that SQL runs on\n");
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 10 000 assets, a chain and a fan; the limit is far above what a linear compiler needs and far
 * below what a quadratic one does (sanitizers make it ten times slower). */
static void ten_thousand_assets_take_no_time(void **state)
{
    enum { FILES = 1000, EACH = 10 };
    StrBuf files = {0};
    for (int i = 0; i < FILES; i++) {
        buf_format(&files, "-- defs/d%02d/f%04d/defs.yaml --\n%s  assets:\n", i / 50, i,
                   "type: dgc.Script\nattributes:\n  command: [make]\n");
        for (int k = 0; k < EACH; k++)
            buf_format(&files, "    - {key: g%d/a%d, deps: [hub/x%d, g%d/a%d], tags: {n: '%d'}}\n", i, k,
                       k, i ? i - 1 : FILES, k, i);
        buf_add(&files, S("post_processing: {assets: [{attributes: {group_name: g}}]}\n"));
    }
    buf_char(&files, 0);
    Fixture f = {0};
    fixture_write(&f, files.ptr);
    double start = seconds();
    fixture_compile(&f, NULL);
    double took = seconds() - start;
    assert_text(fixture_errors(&f), "");
    assert_int_equal(f.c.plan.assets.count, FILES * EACH + 2 * EACH);
    assert_int_equal(f.c.plan.steps.count, FILES);
    print_message("%d assets in %.2f s\n", FILES * EACH, took);
    assert_true(took < 20);
    fixture_close(&f);
    buf_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_nothing_declares_become_external_assets),
        cmocka_unit_test(an_asset_defined_twice_names_both_places),
        cmocka_unit_test(two_steps_of_one_name_are_reported),
        cmocka_unit_test(a_circle_is_shown_with_every_place),
        cmocka_unit_test(steps_may_wait_for_each_other_although_assets_do_not),
        cmocka_unit_test(only_time_partitions_may_depend_on_themselves),
        cmocka_unit_test(steps_run_after_what_they_read_ties_by_name),
        cmocka_unit_test(blocking_checks_come_before_what_reads_the_asset),
        cmocka_unit_test(everything_stays_without_a_selection),
        cmocka_unit_test(a_selection_leaves_out_what_it_does_not_need),
        cmocka_unit_test(a_job_leaves_out_the_other_jobs),
        cmocka_unit_test(jobs_and_schedules_are_checked),
        cmocka_unit_test(own_rules_go_before_those_of_folders),
        cmocka_unit_test(rules_that_are_not_sound_are_reported),
        cmocka_unit_test(a_step_takes_over_what_waits_for_the_environment),
        cmocka_unit_test(ten_thousand_assets_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
