/* Dagster Pipes: wire format, scripts that report to us, and us reporting to Dagster. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/run/pipes.h"
#include "tests/support/toy.h"

static char home[64];
static Arena arena;

static int clean(void **state)
{
    DgError err = {0};
    unsetenv("TOY_SCRIPT");
    unsetenv("DAGSTER_PIPES_CONTEXT");
    unsetenv("DAGSTER_PIPES_MESSAGES");
    snprintf(home, sizeof home, "/tmp/dgc-test-pipes-%d", (int)getpid());
    return os_remove_tree(home, &err) == DG_OK && os_make_folders(home, &err) == DG_OK ? 0 : 1;
}

static void parameters_are_base64_of_zlib(void **state)
{
    Str json;
    DgError err = {0};
    /* As CPython's zlib packs it. */
    Str given = S("eJyrVipILMlQslJQ0i/JLdBPLqlQqgUAQwcGhg==");
    assert_int_equal(pipes_decode(&arena, given, &json, &err), DG_OK);
    assert_string_equal(json.ptr, "{\"path\": \"/tmp/ctx\"}");
    StrBuf packed = {0};
    assert_true(pipes_encode(S("{\"a\": [1, 2, \"\xc3\xa9\"]}"), &packed));
    assert_int_equal(pipes_decode(&arena, buf_str(&packed), &json, &err), DG_OK);
    assert_string_equal(json.ptr, "{\"a\": [1, 2, \"\xc3\xa9\"]}");
    buf_free(&packed);
    assert_int_equal(pipes_decode(&arena, S("not base64!"), &json, &err), DG_CONFIG);
    assert_int_equal(pipes_decode(&arena, S("aGVsbG8="), &json, &err), DG_CONFIG);
}

/* ---- Scripts ---- */

static int code;
static DgError error;
static char result[16 << 10];

static void run_toy(const char *select)
{
    Run *run;
    Redactor *redactor = redactor_open();
    Console *console = console_open(PROGRESS_NONE, redactor);
    StrBuf json = {0};
    RunOptions o = {.home = str_from(home), .project = str_from(home), .select = str_from(select)};
    error = (DgError){0};
    fflush(stderr);
    int kept = dup(2);
    FILE *quiet = freopen("/dev/null", "w", stderr);
    assert_non_null(quiet);
    assert_int_equal(run_open(toy_pipeline(), &o, console, redactor, &run, &error), DG_OK);
    code = run_execute(run, &error);
    dup2(kept, 2);
    close(kept);
    run_result_json(run, code, &error, &json);
    snprintf(result, sizeof result, "%.*s", FMT(buf_str(&json)));
    buf_free(&json);
    run_close(run);
    console_close(console);
    redactor_close(redactor);
}

/* Unpacks a parameter in the shell, with the tools that are at hand. */
#define UNPACK(variable) \
    "python3 -c 'import os,base64,zlib,json;print(json.loads(zlib.decompress(base64.b64decode(" \
    "os.environ[\"" variable "\"])))[\"path\"])'"
#define MESSAGE(method, params) \
    "echo '{\"__dagster_pipes_version\": \"0.1\", \"method\": \"" method "\", \"params\": " params \
    "}' >> $m; "

static void a_script_reports_what_it_made(void **state)
{
    setenv("TOY_SCRIPT",
           "m=$(" UNPACK("DAGSTER_PIPES_MESSAGES") "); " MESSAGE("opened", "{\"extras\": {}}")
           MESSAGE("report_asset_materialization",
                   "{\"asset_key\": null, \"data_version\": \"v1\", \"metadata\": {\"rows\": "
                   "{\"raw_value\": 42, \"type\": \"__infer__\"}}}")
           MESSAGE("report_asset_check",
                   "{\"asset_key\": \"report\", \"check_name\": \"fine\", \"passed\": false, "
                   "\"metadata\": {\"why\": {\"raw_value\": \"so\", \"type\": \"text\"}}, "
                   "\"severity\": \"WARN\"}")
           MESSAGE("log", "{\"message\": \"hello\", \"level\": \"INFO\"}")
           "printf '%s' '{\"__dagster_pipes_version\": \"0.1\", \"method\": \"closed\", \"params\": {}}'"
           " >> $m",
           1);
    run_toy("report");
    assert_int_equal(code, 0); /* a warning is no failure */
    assert_non_null(strstr(result, "\"rows\": 42"));
    assert_non_null(strstr(result, "\"name\": \"fine\", \"passed\": false, \"severity\": \"warn\", "
                                   "\"blocking\": false, \"detail\": \"why \\\"so\\\"\""));
}

static void an_exception_is_the_failure(void **state)
{
    setenv("TOY_SCRIPT",
           "m=$(" UNPACK("DAGSTER_PIPES_MESSAGES") "); " MESSAGE("opened", "{\"extras\": {}}")
           MESSAGE("closed", "{\"exception\": {\"message\": \"no such file\", \"stack\": [\"a\", "
                             "\"b\"], \"name\": \"ValueError\", \"cause\": null, \"context\": null}}")
           "exit 1",
           1);
    run_toy("report");
    assert_int_equal(code, 1);
    assert_non_null(strstr(result, "the script failed: ValueError: no such file"));
}

static void an_exit_code_is_told_with_the_last_line(void **state)
{
    setenv("TOY_SCRIPT", "echo first >&2; echo it broke >&2; exit 3", 1);
    run_toy("report");
    assert_int_equal(code, 1);
    assert_non_null(strstr(result, "`/bin/sh` ended with exit code 3: it broke"));
}

static void messages_about_other_assets_are_refused(void **state)
{
    setenv("TOY_SCRIPT",
           "m=$(" UNPACK("DAGSTER_PIPES_MESSAGES") "); "
           MESSAGE("report_asset_materialization", "{\"asset_key\": \"other\"}"),
           1);
    run_toy("report");
    assert_int_equal(code, 65);
    assert_non_null(strstr(result, "reports on an asset that this step does not make: other"));
}

static void a_broken_message_names_itself(void **state)
{
    setenv("TOY_SCRIPT", "m=$(" UNPACK("DAGSTER_PIPES_MESSAGES") "); echo '{\"half' >> $m", 1);
    run_toy("report");
    assert_int_equal(code, 65);
    assert_non_null(strstr(result, "no message: {\\\"half"));
}

/* ---- Client ---- */

static void as_dagster_starts_us(const char *context, const char *messages)
{
    StrBuf packed = {0};
    assert_true(pipes_encode(str_from(context), &packed));
    setenv("DAGSTER_PIPES_CONTEXT", str_cstr(&arena, buf_str(&packed)), 1);
    packed.len = 0;
    assert_true(pipes_encode(str_from(messages), &packed));
    setenv("DAGSTER_PIPES_MESSAGES", str_cstr(&arena, buf_str(&packed)), 1);
    buf_free(&packed);
}

static void dagster_hears_what_was_made(void **state)
{
    char path[96], messages[160];
    Str text;
    DgError err = {0};
    snprintf(path, sizeof path, "%s/messages", home);
    snprintf(messages, sizeof messages, "{\"path\": \"%s\"}", path);
    as_dagster_starts_us("{\"data\": {\"asset_keys\": [\"marts/sums\", \"stg/doubled\","
                         " \"raw/numbers\"], \"run_id\": \"r\", \"partition_key\": null}}",
                         messages);
    char *argv[] = {"toy", "run", "--home", home, "--progress", "none", NULL};
    assert_int_equal(dg_main(toy_pipeline(), 6, argv), 0);
    assert_int_equal(os_read_file(&arena, path, 1 << 20, &text, &err), DG_OK);
    assert_true(str_starts(text, S("{\"__dagster_pipes_version\": \"0.1\", \"method\": \"opened\", "
                                   "\"params\": {\"extras\": {}}}\n")));
    assert_true(str_find(text, S("\"report_asset_materialization\", \"params\": {\"asset_key\": "
                                 "\"raw/numbers\", \"data_version\": null, \"metadata\": "
                                 "{\"dagster/row_count\": {\"raw_value\": 5000, \"type\": "
                                 "\"int\"}}}")) > 0);
    assert_true(str_find(text, S("\"report_asset_check\", \"params\": {\"asset_key\": "
                                 "\"marts/sums\", \"check_name\": \"positive\", \"passed\": true"))
                > 0);
    assert_true(str_ends(text, S("\"method\": \"closed\", \"params\": {}}\n")));
    assert_true(str_find(text, S("report\"")) < 0); /* was not asked for */
}

static void dagster_hears_why_it_failed(void **state)
{
    char path[96], messages[160];
    Str text;
    DgError err = {0};
    snprintf(path, sizeof path, "%s/messages", home);
    snprintf(messages, sizeof messages, "{\"path\": \"%s\"}", path);
    as_dagster_starts_us("{\"data\": {\"asset_keys\": [\"alone\"], \"run_id\": \"r\"}}", messages);
    setenv("TOY_FAIL", "alone", 1);
    char *argv[] = {"toy", "run", "--home", home, "--progress=none", NULL};
    fflush(stderr);
    int kept = dup(2);
    FILE *quiet = freopen("/dev/null", "w", stderr);
    assert_non_null(quiet);
    int got = dg_main(toy_pipeline(), 5, argv);
    dup2(kept, 2);
    close(kept);
    unsetenv("TOY_FAIL");
    assert_int_equal(got, 1);
    assert_int_equal(os_read_file(&arena, path, 1 << 20, &text, &err), DG_OK);
    assert_true(str_find(text, S("\"closed\", \"params\": {\"exception\": {\"message\": \"told to "
                                 "fail")) > 0);
}

int main(void)
{
    arena_init(&arena, 64 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(parameters_are_base64_of_zlib, clean),
        cmocka_unit_test_setup(a_script_reports_what_it_made, clean),
        cmocka_unit_test_setup(an_exception_is_the_failure, clean),
        cmocka_unit_test_setup(an_exit_code_is_told_with_the_last_line, clean),
        cmocka_unit_test_setup(messages_about_other_assets_are_refused, clean),
        cmocka_unit_test_setup(a_broken_message_names_itself, clean),
        cmocka_unit_test_setup(dagster_hears_what_was_made, clean),
        cmocka_unit_test_setup(dagster_hears_why_it_failed, clean),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clean(NULL);
    DgError err = {0};
    os_remove_tree(home, &err);
    return failed;
}
