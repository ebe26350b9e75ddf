/* A run from its options to its exit code. */
#include "runtime/run/run.h"

#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/run/pipes.h"
#include "runtime/run/scheduler.h"

enum { MEMORY_DEFAULT = 1 << 30 };

/* A UUID of version 4, as Dagster's: its first digits are enough to tell runs apart. */
static void new_run_id(char id[37])
{
    unsigned char b[16];
    os_random(b, sizeof b);
    b[6] = (unsigned char)(0x40 | (b[6] & 0x0f));
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    snprintf(id, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

static void init_locks(Run *run)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&run->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&run->lock, NULL);
    pthread_mutex_init(&run->warehouse_lock, NULL);
    pthread_mutex_init(&run->services_lock, NULL);
    spending_open(&run->spending, run->options.spending);
}

DgStatus run_open(const DgPipeline *p, const RunOptions *o, Console *console, Redactor *redactor,
                  Run **out, DgError *err)
{
    *out = NULL;
    Run *run = os_alloc(sizeof *run);
    if (!run)
        return os_no_memory(err, "starting the run");
    run->pipeline = p;
    run->options = *o;
    run->console = console;
    run->redactor = redactor;
    run->lease_fd = -1;
    run->started_us = os_real_us();
    run->started_ms = os_monotonic_ms();
    new_run_id(run->id);
    init_locks(run);
    arena_init(&run->arena, 1ull << 34);
    run->arena.can_fail = true;
    if (run->options.threads <= 0) {
        long cpus = sysconf(_SC_NPROCESSORS_ONLN);
        run->options.threads = cpus < 1 ? 1 : cpus > 64 ? 64 : (int32_t)cpus;
    }
    if (run->options.memory_max <= 0)
        run->options.memory_max = p->memory_max > 0 ? p->memory_max : MEMORY_DEFAULT;
    Str dotenv = o->development ? str_format(&run->arena, "%.*s/.env", FMT(o->project)) : (Str){0};
    DgStatus status = secrets_open(p, redactor, dotenv, &run->secrets, err);
    if (status != DG_OK) {
        run_close(run);
        return status;
    }
    *out = run;
    return DG_OK;
}

void run_close(Run *run)
{
    if (!run)
        return;
    if (run->services_close)
        run->services_close(run->services);
    dg_warehouse_close(run->warehouse);
    history_close(run->history);
    lease_release(run);
    secrets_close(run->secrets);
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->lock);
    pthread_mutex_destroy(&run->warehouse_lock);
    pthread_mutex_destroy(&run->services_lock);
    spending_close(&run->spending);
    arena_free(&run->arena);
    os_free(run);
}

DgStatus run_plan(Run *run, DgError *err)
{
    return units_make(run, err);
}

/* ---- Before the first step ---- */

DgStatus run_take_home(Run *run, DgError *err)
{
    char *home = str_cstr(&run->arena, run->options.home);
    Str path = str_format(&run->arena, "%.*s/runs.db", FMT(run->options.home));
    if (!home || !path.ptr)
        return os_no_memory(err, "starting the run");
    DG_TRY(os_make_folders(home, err));
    DG_TRY(lease_lock(run, err));
    DG_TRY(history_open(path.ptr, false, run->redactor, &run->history, err));
    return history_take_lease(run->history, getpid(), run->started_us, &run->epoch, err);
}

/* The run to go on with: its selection, partition and options are this run's too. */
static DgStatus find_resumed(Run *run, DgError *err)
{
    RunRow row;
    Str wanted = run->options.resume;
    DgStatus s = history_find_run(run->history, &run->arena, wanted, &row, err);
    if (s == DG_END) {
        s = wanted.len ? dg_fail(err, DG_USAGE, "there is no run `%.*s`", FMT(wanted))
                       : dg_fail(err, DG_USAGE, "there is no run to resume");
        dg_hint(err, "`status` lists the runs");
        return s;
    }
    DG_TRY(s);
    if (str_eq(row.state, S("succeeded"))) {
        dg_fail(err, DG_USAGE, "run %.8s has succeeded; there is nothing left to do", row.id.ptr);
        dg_hint(err, "`run` starts a new one");
        return DG_USAGE;
    }
    if (!str_eq(row.fingerprint, run->pipeline->fingerprint))
        console_line(run->console, 'w', "Warning",
                     S("the pipeline has changed since that run; steps it finished stay as they are"));
    run->options.resume = row.id;
    run->options.select = row.selection;
    run->options.job = row.job;
    run->options.partition = row.partition;
    run->options.full_refresh = row.full_refresh;
    return DG_OK;
}

static DgStatus start(Run *run, DgError *err)
{
    DG_TRY(run_take_home(run, err));
    DG_TRY(history_mark_interrupted(run->history, run->started_us, err));
    if (run->options.resuming)
        DG_TRY(find_resumed(run, err));
    /* The whole pipeline needs all of its settings; a part of it may do with fewer. */
    bool whole = !run->options.select.len && !run->options.job.len;
    DG_TRY(secrets_load_all(run->secrets, whole, err));
    DG_TRY(units_make(run, err));
    if (run->options.resuming)
        DG_TRY(units_resume(run, err));
    RunRow row = {.id = str_from(run->id),
                  .pipeline = run->pipeline->name,
                  .fingerprint = run->pipeline->fingerprint,
                  .selection = run->options.select,
                  .job = run->options.job,
                  .partition = run->options.partition,
                  .resumed_from = run->options.resume,
                  .full_refresh = run->options.full_refresh,
                  .started_us = run->started_us,
                  .epoch = run->epoch};
    DG_TRY(history_run_start(run->history, &row, err));
    for (int32_t i = 0; i < run->units_count; i++) {
        const Unit *u = &run->units[i];
        StepRow step = {.step = u->def->name, .partition = u->partition, .rows = u->rows,
                        .state = str_from(u->state == UNIT_DONE_BEFORE ? "done-before" : "waiting")};
        DG_TRY(history_step(run->history, row.id, &step, err));
    }
    return DG_OK;
}

/* ---- After the last ---- */

/* The class of the failures when they agree, else 1: "an asset or a check failed". */
int run_exit_code(const Run *run)
{
    int code = 0, cancel = atomic_load(&run->cancel);
    if (run->fatal.status != DG_OK)
        return dg_status_exit_code(run->fatal.status);
    if (cancel)
        return 128 + cancel;
    for (int32_t i = 0; i < run->units_count; i++) {
        const Unit *u = &run->units[i];
        if (u->state != UNIT_FAILED && u->state != UNIT_UNKNOWN)
            continue;
        int own = dg_status_exit_code(u->error.status);
        code = code == 0 || code == own ? own : 1;
    }
    if (code == 0)
        for (int32_t i = 0; i < run->units_count; i++)
            code |= run->units[i].state == UNIT_SKIPPED;
    return run->failed_checks && code == 0 ? 1 : code;
}

static Str final_state(const Run *run, int code)
{
    return atomic_load(&run->cancel) ? S("cancelled") : code == 0 ? S("succeeded") : S("failed");
}

static const DgError *first_error(const Run *run)
{
    if (run->fatal.status != DG_OK)
        return &run->fatal;
    for (int32_t i = 0; i < run->units_count; i++)
        if (run->units[i].state == UNIT_FAILED || run->units[i].state == UNIT_UNKNOWN)
            return &run->units[i].error;
    return NULL;
}

int run_execute(Run *run, DgError *err)
{
    DgStatus status = start(run, err);
    if (status == DG_OK) {
        report_started(run);
        status = scheduler_run(run, err);
        if (status != DG_OK)
            run->fatal = *err;
    }
    if (status != DG_OK && run->units_count == 0)
        return dg_status_exit_code(status);
    if (status != DG_OK && run->fatal.status == DG_OK)
        run->fatal = *err;
    int code = run_exit_code(run);
    const DgError *first = first_error(run);
    if (run->fatal.status != DG_OK)
        *err = run->fatal;
    if (run->history) {
        DgError ended = {0};
        os_crashpoint("run-end");
        DgStatus s = history_run_end(run->history, str_from(run->id), final_state(run, code), code,
                                     str_from(first ? first->message : ""), os_real_us(), &ended);
        if (s != DG_OK && code == 0) {
            *err = ended;
            run->fatal = ended;
            code = dg_status_exit_code(s);
        }
    }
    if (run->started_ms && status == DG_OK)
        report_finished(run, code);
    return code;
}

/* ---- The result as a document ---- */

static void json_error(const Run *run, const DgError *e, StrBuf *b)
{
    const DgSite *site = run_site(run->pipeline, e->site - 1);
    buf_format(b, "{\"class\": \"%s\", \"message\": ", dg_status_name(e->status));
    buf_json(b, str_from(e->message));
    buf_add(b, S(", \"hint\": "));
    e->hint[0] ? buf_json(b, str_from(e->hint)) : buf_add(b, S("null"));
    buf_add(b, S(", \"file\": "));
    site ? buf_json(b, site->file) : buf_add(b, S("null"));
    site ? buf_format(b, ", \"line\": %d}", site->line) : buf_add(b, S(", \"line\": null}"));
}

static void json_unit(const Run *run, const Unit *u, StrBuf *b)
{
    buf_add(b, S("    {\"step\": "));
    buf_json(b, u->def->name);
    buf_add(b, S(", \"partition\": "));
    u->partition.len ? buf_json(b, u->partition) : buf_add(b, S("null"));
    buf_format(b, ", \"state\": \"%s\", \"attempts\": %d, \"rows\": %lld, \"bytes\": %lld,"
                  " \"elapsed_ms\": %lld, \"package\": ",
               unit_state_name(u->state), u->attempt, (long long)u->rows, (long long)u->bytes,
               (long long)(u->attempt ? u->ended_ms - u->started_ms : 0));
    u->package[0] ? buf_json(b, str_from(u->package)) : buf_add(b, S("null"));
    buf_add(b, S(", \"assets\": ["));
    for (int32_t i = 0; i < u->def->assets.count; i++) {
        buf_add(b, i ? S(", ") : S(""));
        buf_json(b, run->pipeline->assets[u->def->assets.items[i]].key);
    }
    buf_add(b, S("], \"checks\": ["));
    for (size_t i = 0; i < u->checks.count; i++) {
        const CheckResult *c = &u->checks.items[i];
        buf_add(b, i ? S(", {\"asset\": ") : S("{\"asset\": "));
        buf_json(b, c->asset);
        buf_add(b, S(", \"name\": "));
        buf_json(b, c->name);
        buf_format(b, ", \"passed\": %s, \"severity\": \"%s\", \"blocking\": %s, \"detail\": ",
                   c->passed ? "true" : "false", c->warn ? "warn" : "error",
                   c->blocking ? "true" : "false");
        buf_json(b, c->detail);
        buf_char(b, '}');
    }
    buf_add(b, S("], \"metadata\": ["));
    for (size_t i = 0; i < u->metadata.count; i++) {
        const MetadataItem *m = &u->metadata.items[i];
        buf_add(b, i ? S(", {\"asset\": ") : S("{\"asset\": "));
        buf_json(b, m->asset);
        buf_add(b, S(", \"name\": "));
        buf_json(b, m->name);
        buf_format(b, ", \"value\": %.*s}", FMT(m->json));
    }
    buf_add(b, S("], \"reason\": "));
    u->state == UNIT_SKIPPED ? buf_json(b, str_from(u->reason)) : buf_add(b, S("null"));
    buf_add(b, S(", \"error\": "));
    bool bad = u->state == UNIT_FAILED || u->state == UNIT_UNKNOWN || u->state == UNIT_CANCELLED;
    bad && u->error.status != DG_OK ? json_error(run, &u->error, b) : buf_add(b, S("null"));
    buf_char(b, '}');
}

void run_result_json(const Run *run, int exit_code, const DgError *err, StrBuf *out)
{
    StrBuf b = {0};
    int64_t elapsed = os_monotonic_ms() - run->started_ms;
    buf_format(&b, "{\n  \"schema\": \"dgc-run/1\",\n  \"run_id\": \"%s\",\n  \"pipeline\": ",
               run->id);
    buf_json(&b, run->pipeline->name);
    buf_format(&b, ",\n  \"state\": \"%.*s\",\n  \"exit_code\": %d,\n  \"resumed_from\": ",
               FMT(final_state(run, exit_code)), exit_code);
    run->options.resume.len ? buf_json(&b, run->options.resume) : buf_add(&b, S("null"));
    buf_format(&b, ",\n  \"started_us\": %lld,\n  \"elapsed_ms\": %lld,\n  \"error\": ",
               (long long)run->started_us, (long long)elapsed);
    err && err->status != DG_OK ? json_error(run, err, &b) : buf_add(&b, S("null"));
    buf_add(&b, S(",\n  \"steps\": ["));
    for (int32_t i = 0; i < run->units_count; i++) {
        buf_add(&b, i ? S(",\n") : S("\n"));
        json_unit(run, &run->units[i], &b);
    }
    buf_add(&b, run->units_count ? S("\n  ]\n}\n") : S("]\n}\n"));
    redact_text(run->redactor, buf_str(&b), out);
    out->failed |= b.failed;
    buf_free(&b);
}
