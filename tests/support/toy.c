#include "tests/support/toy.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/base.h"
#include "runtime/data/batch.h"
#include "runtime/os/os.h"
#include "runtime/run/run.h"
#include "stdlib-components/script/script.h"

static int64_t setting(const char *name, int64_t fallback)
{
    int64_t n;
    const char *text = getenv(name);
    return text && str_to_int(str_from(text), &n) ? n : fallback;
}

/* What the environment has in store for this step. */
static DgStatus fate(DgStepRun *run, DgError *err)
{
    const char *fail = getenv("TOY_FAIL"), *flaky = getenv("TOY_FLAKY");
    Str name, times;
    int64_t n = 0;
    if (fail && str_eq(run->def->name, str_from(fail)))
        return dg_fail(err, DG_FAILED, "told to fail, with the secret hunter2secret");
    if (flaky && str_cut(str_from(flaky), ':', &name, &times) && str_to_int(times, &n) &&
        str_eq(run->def->name, name) && run->unit->attempt <= n)
        return dg_fail(err, DG_UNAVAILABLE, "told to be away");
    return DG_OK;
}

/* ---- raw/numbers ---- */

typedef struct Numbers {
    _Atomic int64_t next;
    int64_t count;
} Numbers;

static const DgColumn number_columns[] = {
    {.name = DG_S("n"), .type = {.kind = DG_INT64}},
    {.name = DG_S("label"), .type = {.kind = DG_TEXT}},
};

static DgStatus numbers_open(DgStepRun *run, const void *config, void *state, DgError *err)
{
    Numbers *s = state;
    int64_t from = 0;
    str_to_int(dg_cursor(run), &from);
    s->next = from;
    s->count = setting("TOY_ROWS", 5000);
    char cursor[32];
    snprintf(cursor, sizeof cursor, "%lld", (long long)s->count);
    DG_TRY(fate(run, err));
    DG_TRY(dg_set_cursor(run, str_from(cursor), err));
    return dg_load(run, &(DgLoad){.mode = DG_APPEND, .columns = number_columns, .columns_count = 2},
                   err);
}

static DgStatus numbers_read(DgStepRun *run, const void *config, void *state, void *lane,
                             DgBatch *out, DgError *err)
{
    Numbers *s = state;
    int64_t first = atomic_fetch_add(&s->next, DG_BATCH_ROWS);
    for (int64_t n = first; n < s->count && n < first + DG_BATCH_ROWS; n++) {
        char label[32];
        int len = snprintf(label, sizeof label, "number %lld", (long long)n);
        ((int64_t *)out->vectors[0].values)[out->rows] = n;
        if (!dg_text_set(&out->vectors[1], out->rows, label, (size_t)len))
            return os_no_memory(err, "writing a label");
        out->rows++;
    }
    dg_progress(run, out->rows, out->rows * 8);
    return first + DG_BATCH_ROWS >= s->count ? DG_END : DG_OK;
}

static const DgStepOps numbers_ops = {.name = "toy.Numbers", .role = DG_SOURCE,
                                      .state_size = sizeof(Numbers), .open = numbers_open,
                                      .read = numbers_read};

/* ---- stg/doubled ---- */

static const DgColumn doubled_columns[] = {{.name = DG_S("twice"), .type = {.kind = DG_INT64}}};

static DgStatus doubled_open(DgStepRun *run, const void *config, void *state, DgError *err)
{
    DG_TRY(fate(run, err));
    return dg_load(run, &(DgLoad){.mode = DG_REPLACE, .columns = doubled_columns,
                                  .columns_count = 1}, err);
}

static DgStatus doubled_map(DgStepRun *run, const void *config, void *state, void *lane,
                            const DgBatch *in, DgBatch *out, DgError *err)
{
    for (int32_t i = 0; i < in->rows; i++)
        ((int64_t *)out->vectors[0].values)[out->rows++] = 2 * ((int64_t *)in->vectors[0].values)[i];
    return DG_OK;
}

static const DgStepOps doubled_ops = {.name = "toy.Doubled", .role = DG_MAP, .open = doubled_open,
                                      .map = doubled_map};

/* ---- SQL steps ---- */

static DgStatus sums_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    int64_t sum = 0;
    DG_TRY(fate(run, err));
    DG_TRY(dg_sql(run, S("CREATE OR REPLACE TABLE \"marts\".\"sums\" AS"
                         " SELECT sum(twice)::BIGINT AS total FROM \"stg\".\"doubled\""), err));
    DG_TRY(dg_sql_int(run, S("SELECT total FROM \"marts\".\"sums\""), &sum, err));
    dg_report_metadata(run, S("marts/sums"), "total",
                       (DgValue){.kind = DG_V_INT, .as.i = sum});
    const char *check = getenv("TOY_CHECK");
    dg_report_check(run, S("marts/sums"), S("positive"), !check || strcmp(check, "fail") != 0,
                    S("sum of all"));
    return DG_OK;
}

static DgStatus parts_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    DG_TRY(fate(run, err));
    Str key = dg_quote_text(run, dg_partition_key(run));
    DG_TRY(dg_sql(run, S("CREATE TABLE IF NOT EXISTS \"main\".\"parts\"(key VARCHAR)"), err));
    DG_TRY(dg_sql(run, dg_format(run, "DELETE FROM \"main\".\"parts\" WHERE key = %.*s", FMT(key)),
                  err));
    return dg_sql(run, dg_format(run, "INSERT INTO \"main\".\"parts\" VALUES(%.*s)", FMT(key)), err);
}

static DgStatus alone_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    int64_t until = os_monotonic_ms() + setting("TOY_SLEEP_MS", 0);
    dg_log(run, DG_LOG_INFO, "the password is %s", "hunter2secret");
    while (os_monotonic_ms() < until) {
        if (dg_cancelled(run))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        dg_waiting(run, "told to sleep", 0);
        os_sleep_ms(5);
    }
    return fate(run, err);
}

static const DgStepOps sums_ops = {.name = "toy.Sums", .role = DG_ACTION, .execute = sums_execute};
static const DgStepOps parts_ops = {.name = "toy.Parts", .role = DG_ACTION,
                                    .execute = parts_execute};
static const DgStepOps alone_ops = {.name = "toy.Alone", .role = DG_ACTION,
                                    .execute = alone_execute};

/* ---- report ---- */

static DgStr script_argv[] = {DG_S("/bin/sh"), DG_S("-c"), DG_S("echo to stdout; echo to stderr >&2")};
static const ScriptStep script_config = {.argv = {script_argv, 3}, .pipes = true};

static DgStatus script_bind(DgEval *ev, void *config, DgError *err)
{
    ScriptStep *c = config;
    const char *text = getenv("TOY_SCRIPT");
    DgStr *argv = arena_push(ev->arena, sizeof *argv, _Alignof(DgStr), 3);
    if (!argv)
        return os_no_memory(err, "binding");
    memcpy(argv, script_argv, sizeof script_argv);
    if (text)
        argv[2] = str_from(text);
    c->argv.items = argv;
    return DG_OK;
}

/* ---- The tables ---- */

static const DgSite sites[] = {{DG_S("defs/numbers.yaml"), 1}, {DG_S("defs/marts.yaml"), 7}};
static const int32_t zero[] = {0}, one[] = {1}, two[] = {2}, three[] = {3}, four[] = {4},
                     five[] = {5};
static const DgStr kinds[] = {DG_S("duckdb")};
static const DgPair tags[] = {{DG_S("tier"), DG_S("gold")}, {DG_S("dagster/kind/duckdb"), DG_S("")}};
#define LIST(array) {array, sizeof array / sizeof *array}

enum { ALONE, MARTS_SUMS, PARTS, RAW_NUMBERS, REPORT, STG_DOUBLED };
static const DgAssetDef assets[] = {
    [ALONE] = {.key = DG_S("alone"), .group = DG_S("default"), .step = 0, .partitions = -1,
               .site = -1},
    [MARTS_SUMS] = {.key = DG_S("marts/sums"), .schema = DG_S("marts"), .table = DG_S("sums"),
                    .group = DG_S("marts"), .description = DG_S("All of it,\n\"summed\" \xc3\xa9"),
                    .deps = LIST(five), .kinds = LIST(kinds), .tags = tags, .tags_count = 2,
                    .step = 4, .partitions = -1, .site = 1},
    [PARTS] = {.key = DG_S("parts"), .schema = DG_S("main"), .table = DG_S("parts"),
               .group = DG_S("default"), .step = 1, .partitions = 0, .site = -1},
    [RAW_NUMBERS] = {.key = DG_S("raw/numbers"), .schema = DG_S("raw"), .table = DG_S("numbers"),
                     .group = DG_S("raw"), .columns = number_columns, .columns_count = 2,
                     .step = 2, .partitions = -1, .site = 0},
    [REPORT] = {.key = DG_S("report"), .group = DG_S("default"), .deps = LIST(one), .step = 5,
                .partitions = -1, .site = -1},
    [STG_DOUBLED] = {.key = DG_S("stg/doubled"), .schema = DG_S("stg"), .table = DG_S("doubled"),
                     .group = DG_S("stg"), .deps = LIST(three), .columns = doubled_columns,
                     .columns_count = 1, .step = 3, .partitions = -1, .site = -1},
};
static const DgCheckDef checks[] = {{.asset = MARTS_SUMS, .name = DG_S("positive"),
                                     .blocking = true, .step = 4, .site = 1}};
static const DgStepDef steps[] = {
    {.name = DG_S("alone"), .ops = &alone_ops, .assets = LIST(zero), .partitions = -1, .site = -1},
    {.name = DG_S("parts"), .ops = &parts_ops, .assets = LIST(two), .partitions = 0, .site = -1,
     .backfill_partitions_max = 1},
    {.name = DG_S("raw_numbers"), .ops = &numbers_ops, .assets = LIST(three), .partitions = -1,
     .site = 0},
    {.name = DG_S("stg_doubled"), .ops = &doubled_ops, .assets = LIST(five), .reads = LIST(three),
     .after = LIST(two), .partitions = -1, .site = -1,
     .retry = {.retries_max = 2, .delay_ms = 5}},
    {.name = DG_S("marts_sums"), .ops = &sums_ops, .assets = LIST(one), .checks = LIST(zero),
     .reads = LIST(five), .after = LIST(three), .partitions = -1, .site = 1},
    {.name = DG_S("report"), .ops = &dg_script_ops, .config = &script_config, .bind = script_bind,
     .assets = LIST(four), .reads = LIST(one), .after = LIST(four), .partitions = -1, .site = -1},
};
static const DgStr part_keys[] = {DG_S("eu"), DG_S("us")};
static const DgPartitionsDef partitions[] = {{.kind = DG_PARTITIONS_STATIC, .keys = part_keys,
                                              .keys_count = 2}};
static const int32_t job_assets[] = {RAW_NUMBERS, STG_DOUBLED, MARTS_SUMS, REPORT};
static const DgJobDef jobs[] = {{.name = DG_S("numbers"), .assets = LIST(job_assets), .site = -1}};
static const DgScheduleDef schedules[] = {{.name = DG_S("nightly"), .cron = DG_S("0 6 * * *"),
                                           .timezone = DG_S("Europe/Berlin"), .job = 0,
                                           .site = -1}};
static const DgResourceDef resources[] = {{DG_S("warehouse"), DG_S("dgc.DuckDB")}};
static const DgSecretDef secrets[] = {{.name = DG_S("TOY_PASSWORD"), .secret = true, .site = -1}};

static const DgPipeline toy = {
    .name = DG_S("toy"), .version = DG_S("0"), .fingerprint = DG_S("f00d"),
    .source_root = DG_S("."),
    .sites = sites, .sites_count = 2, .assets = assets, .assets_count = 6,
    .checks = checks, .checks_count = 1, .steps = steps, .steps_count = 6,
    .partitions = partitions, .partitions_count = 1, .jobs = jobs, .jobs_count = 1,
    .schedules = schedules, .schedules_count = 1, .resources = resources, .resources_count = 1,
    .secrets = secrets, .secrets_count = 1, .needs_duckdb = true,
};

const DgPipeline *toy_pipeline(void)
{
    return &toy;
}
