/* Runs of the toy pipeline: order, retries, skipping, commits, resuming, secrets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/run/run.h"
#include "runtime/run/step.h"
#include "tests/support/toy.h"

static char home[64];

static int clean(void **state)
{
    static const char *const names[] = {"TOY_ROWS", "TOY_FAIL", "TOY_FLAKY", "TOY_CHECK",
                                        "TOY_SLEEP_MS", "TOY_SCRIPT", "TOY_PASSWORD"};
    DgError err = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    snprintf(home, sizeof home, "/tmp/dgc-test-run-%d", (int)getpid());
    return os_remove_tree(home, &err) == DG_OK ? 0 : 1;
}

typedef struct Ran {
    int code;
    DgError err;
    char json[64 << 10];
    int64_t rows;
} Ran;

/* One run of what `select` chooses; the result is kept after the run is closed. */
static Ran ran;
static int64_t (*probe)(Run *run);
static void (*before)(Run *run);

static void go(RunOptions o)
{
    Run *run;
    Redactor *redactor = redactor_open();
    Console *console = console_open(PROGRESS_JSON, redactor);
    StrBuf json = {0};
    memset(&ran, 0, sizeof ran);
    o.home = str_from(home);
    o.project = S("/");
    o.threads = o.threads ? o.threads : 2;
    fflush(stderr);
    int kept = dup(2);
    FILE *quiet = freopen("/dev/null", "w", stderr);
    assert_non_null(quiet);
    DgStatus s = run_open(toy_pipeline(), &o, console, redactor, &run, &ran.err);
    if (s == DG_OK) {
        if (before)
            before(run);
        ran.code = run_execute(run, &ran.err);
        run_result_json(run, ran.code, &ran.err, &json);
        if (probe)
            ran.rows = probe(run);
        run_close(run);
    } else {
        ran.code = dg_status_exit_code(s);
    }
    dup2(kept, 2);
    close(kept);
    snprintf(ran.json, sizeof ran.json, "%.*s", FMT(buf_str(&json)));
    buf_free(&json);
    console_close(console);
    redactor_close(redactor);
}

static void go_select(const char *select)
{
    go((RunOptions){.select = str_from(select)});
}

static bool says(const char *text)
{
    return strstr(ran.json, text) != NULL;
}

static int64_t count(Run *run, const char *sql)
{
    DgWarehouse *w;
    DgSession *s;
    DgError err = {0};
    int64_t n = -1;
    if (warehouse_get(run, &w, &err) != DG_OK || dg_session_open(w, &s, &err) != DG_OK)
        return -2;
    dg_session_int(s, str_from(sql), &n, &err);
    dg_session_close(s);
    return n;
}

static int64_t count_numbers(Run *run)
{
    return count(run, "SELECT count(*) FROM raw.numbers");
}

static int64_t sum_total(Run *run)
{
    return count(run, "SELECT sum(total)::BIGINT FROM marts.sums");
}

static void steps_run_in_order_and_their_rows_arrive(void **state)
{
    probe = sum_total;
    go((RunOptions){.job = S("numbers")});
    assert_int_equal(ran.code, 0);
    assert_int_equal(ran.rows, 2LL * 4999 * 5000 / 2);
    assert_true(says("\"step\": \"raw_numbers\", \"partition\": null, \"state\": \"succeeded\""));
    assert_true(says("\"rows\": 5000"));
    assert_true(says("\"name\": \"positive\", \"passed\": true"));
    probe = NULL;
}

static void cursors_commit_with_the_rows(void **state)
{
    probe = count_numbers;
    setenv("TOY_ROWS", "3000", 1);
    go_select("raw/numbers");
    assert_int_equal(ran.rows, 3000);
    setenv("TOY_ROWS", "5000", 1);
    go_select("raw/numbers");
    assert_int_equal(ran.rows, 5000); /* only the new ones were read */
    go((RunOptions){.select = S("raw/numbers"), .full_refresh = true});
    assert_int_equal(ran.rows, 5000);
    probe = NULL;
}

static void a_failure_skips_what_comes_after(void **state)
{
    setenv("TOY_FAIL", "marts_sums", 1);
    go((RunOptions){.job = S("numbers")});
    assert_int_equal(ran.code, 1);
    assert_true(says("\"step\": \"stg_doubled\", \"partition\": null, \"state\": \"succeeded\""));
    assert_true(says("\"step\": \"report\", \"partition\": null, \"state\": \"skipped\""));
    assert_true(says("\"reason\": \"upstream `marts_sums` failed\""));
    assert_true(says("\"file\": \"defs/marts.yaml\", \"line\": 7"));
}

static void blocking_checks_hold_back_what_reads_the_asset(void **state)
{
    setenv("TOY_CHECK", "fail", 1);
    go((RunOptions){.job = S("numbers")});
    assert_int_equal(ran.code, 1);
    assert_true(says("\"step\": \"marts_sums\", \"partition\": null, \"state\": \"succeeded\""));
    assert_true(says("\"reason\": \"blocking check `positive` of `marts/sums` did not pass\""));
}

static void transient_failures_are_tried_again(void **state)
{
    setenv("TOY_FLAKY", "stg_doubled:2", 1); /* has a policy of two retries */
    go((RunOptions){.job = S("numbers")});
    assert_int_equal(ran.code, 0);
    assert_true(says("\"step\": \"stg_doubled\", \"partition\": null, \"state\": \"succeeded\","
                     " \"attempts\": 3"));
    setenv("TOY_FLAKY", "stg_doubled:3", 1);
    go((RunOptions){.job = S("numbers")});
    assert_int_equal(ran.code, 69);
}

static void retries_back_off_and_keep_to_what_a_service_asks(void **state)
{
    DgError err = {.retry_after_ms = 0};
    DgRetry fixed = {.retries_max = 3, .delay_ms = 100};
    DgRetry doubling = {.retries_max = 3, .delay_ms = 100, .exponential = true};
    assert_int_equal(step_retry_delay_ms(&fixed, 2, &err), 100);
    assert_int_equal(step_retry_delay_ms(&doubling, 1, &err), 100);
    assert_int_equal(step_retry_delay_ms(&doubling, 3, &err), 700);
    err.retry_after_ms = 5000;
    assert_int_equal(step_retry_delay_ms(&doubling, 1, &err), 5000);
    assert_true(step_may_retry(&fixed, 3, DG_FAILED));
    assert_false(step_may_retry(&fixed, 4, DG_FAILED));
    assert_false(step_may_retry(&fixed, 1, DG_CANCELLED));
    assert_false(step_may_retry(&(DgRetry){0}, 1, DG_FAILED));
    assert_true(step_may_retry(&(DgRetry){0}, 1, DG_UNAVAILABLE));
}

static void resuming_does_only_what_is_left(void **state)
{
    setenv("TOY_FAIL", "marts_sums", 1);
    go((RunOptions){.job = S("numbers")});
    assert_int_equal(ran.code, 1);
    unsetenv("TOY_FAIL");
    go((RunOptions){.resuming = true});
    assert_int_equal(ran.code, 0);
    assert_true(says("\"step\": \"raw_numbers\", \"partition\": null, \"state\": \"done-before\""));
    assert_true(says("\"step\": \"report\", \"partition\": null, \"state\": \"succeeded\""));
    go((RunOptions){.resuming = true});
    assert_int_equal(ran.code, 2);
    assert_non_null(strstr(ran.err.message, "there is nothing left to do"));
}

static void partitions_are_asked_for_and_run_one_by_one(void **state)
{
    go_select("parts");
    assert_int_equal(ran.code, 2);
    assert_string_equal(ran.err.message,
                        "step `parts` is partitioned: say which partition to run");
    assert_non_null(strstr(ran.err.hint, "partitions: eu, us"));
    go((RunOptions){.select = S("parts"), .partition = S("eu...us")});
    assert_int_equal(ran.code, 0);
    assert_true(says("\"partition\": \"eu\", \"state\": \"succeeded\""));
    assert_true(says("\"partition\": \"us\", \"state\": \"succeeded\""));
    go((RunOptions){.select = S("parts"), .partition = S("uk")});
    assert_string_equal(ran.err.message, "step `parts`: there is no partition `uk`");
}

static void secrets_do_not_show(void **state)
{
    setenv("TOY_PASSWORD", "hunter2secret", 1);
    setenv("TOY_FAIL", "alone", 1);
    go_select("alone");
    assert_int_equal(ran.code, 1);
    assert_true(says("told to fail, with the secret [secret]"));
    assert_false(says("hunter2secret"));
    Arena a;
    Str bytes;
    char path[96];
    DgError err = {0};
    arena_init(&a, 64 << 20);
    snprintf(path, sizeof path, "%s/runs.db", home);
    assert_int_equal(os_read_file(&a, path, 32 << 20, &bytes, &err), DG_OK);
    assert_true(bytes.len > 0 && str_find(bytes, S("hunter2secret")) < 0);
    assert_true(str_find(bytes, S("the password is [secret]")) >= 0);
    arena_free(&a);
}

static void a_second_run_is_told_who_has_the_lease(void **state)
{
    Run *first;
    DgError err = {0};
    RunOptions o = {.home = str_from(home), .project = S("/"), .select = S("alone")};
    assert_int_equal(run_open(toy_pipeline(), &o, NULL, NULL, &first, &err), DG_OK);
    assert_int_equal(run_take_home(first, &err), DG_OK);
    go_select("alone");
    assert_int_equal(ran.code, 75);
    char expected[64];
    snprintf(expected, sizeof expected, "another run is going on: process %d, since ", (int)getpid());
    assert_non_null(strstr(ran.err.message, expected));
    run_close(first);
}

/* The lease goes to another while this run holds its breath. */
static void take_over(Run *run)
{
    run->started_ms = os_monotonic_ms();
}

static int64_t epoch_of(Run *run)
{
    return run->epoch;
}

typedef struct Thief {
    char path[96];
} Thief;

static void *steal(void *context)
{
    Thief *t = context;
    History *h;
    DgError err = {0};
    int64_t epoch;
    os_sleep_ms(150);
    if (history_open(t->path, false, NULL, &h, &err) == DG_OK) {
        history_take_lease(h, 4711, os_real_us(), &epoch, &err);
        history_close(h);
    }
    return NULL;
}

static void a_runner_that_lost_its_lease_does_not_commit(void **state)
{
    Thief thief;
    pthread_t thread;
    before = take_over;
    probe = epoch_of;
    go_select("raw/numbers"); /* makes the files */
    int64_t epoch = ran.rows;
    snprintf(thief.path, sizeof thief.path, "%s/runs.db", home);
    setenv("TOY_ROWS", "6000", 1);
    setenv("TOY_SLEEP_MS", "600", 1);
    pthread_create(&thread, NULL, steal, &thief);
    probe = count_numbers;
    go((RunOptions){.select = S("alone or parts"), .partition = S("eu"), .threads = 1});
    pthread_join(thread, NULL);
    assert_true(epoch > 0);
    assert_int_equal(ran.code, 75);
    assert_non_null(strstr(ran.err.message, "another run has taken over this pipeline"));
    before = NULL;
    probe = NULL;
}

static void *interrupt(void *context)
{
    os_sleep_ms(150);
    kill(getpid(), SIGTERM);
    return NULL;
}

static void a_signal_stops_the_run_in_good_order(void **state)
{
    pthread_t thread;
    setenv("TOY_SLEEP_MS", "20000", 1);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* or the helper thread would die of it */
    pthread_create(&thread, NULL, interrupt, NULL);
    int64_t start = os_monotonic_ms();
    go_select("alone");
    pthread_join(thread, NULL);
    assert_int_equal(ran.code, 143);
    assert_true(os_monotonic_ms() - start < 5000);
    assert_true(says("\"state\": \"cancelled\""));
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    unsetenv("TOY_SLEEP_MS");
    go((RunOptions){.resuming = true});
    assert_int_equal(ran.code, 0);
}

static void a_damaged_history_is_kept_and_reported(void **state)
{
    char path[96];
    DgError err = {0};
    StrArray names;
    Arena a;
    go_select("alone");
    assert_int_equal(ran.code, 0);
    snprintf(path, sizeof path, "%s/runs.db", home);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    fwrite("not a database at all, really", 1, 29, f);
    fclose(f);
    go_select("alone");
    assert_int_equal(ran.code, 74);
    assert_non_null(strstr(ran.err.message, "is damaged"));
    arena_init(&a, 1 << 20);
    bool kept = false;
    assert_int_equal(os_list(&a, home, &names, &err), DG_OK);
    for (size_t i = 0; i < names.count; i++)
        kept |= str_starts(names.items[i], S("runs.db.damaged-"));
    assert_true(kept);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(steps_run_in_order_and_their_rows_arrive, clean),
        cmocka_unit_test_setup(cursors_commit_with_the_rows, clean),
        cmocka_unit_test_setup(a_failure_skips_what_comes_after, clean),
        cmocka_unit_test_setup(blocking_checks_hold_back_what_reads_the_asset, clean),
        cmocka_unit_test_setup(transient_failures_are_tried_again, clean),
        cmocka_unit_test_setup(retries_back_off_and_keep_to_what_a_service_asks, clean),
        cmocka_unit_test_setup(resuming_does_only_what_is_left, clean),
        cmocka_unit_test_setup(partitions_are_asked_for_and_run_one_by_one, clean),
        cmocka_unit_test_setup(secrets_do_not_show, clean),
        cmocka_unit_test_setup(a_second_run_is_told_who_has_the_lease, clean),
        cmocka_unit_test_setup(a_runner_that_lost_its_lease_does_not_commit, clean),
        cmocka_unit_test_setup(a_signal_stops_the_run_in_good_order, clean),
        cmocka_unit_test_setup(a_damaged_history_is_kept_and_reported, clean),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clean(NULL);
    return failed;
}
