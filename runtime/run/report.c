/* Who hears of what happens: the console, the history, Dagster. */
#include <stdio.h>

#include "runtime/os/os.h"
#include "runtime/run/pipes.h"
#include "runtime/run/run.h"
#include "runtime/run/scheduler.h"

static const char *const levels[] = {"debug", "info", "warning", "error"};

/* A history that cannot be written stops the run: what it does could not be resumed. */
static void history_failed(Run *run, const DgError *err)
{
    pthread_mutex_lock(&run->lock);
    if (run->fatal.status == DG_OK)
        run->fatal = *err;
    pthread_mutex_unlock(&run->lock);
}

#define KEEP(run, call)                            \
    do {                                           \
        DgError err_ = {0};                        \
        DgError *err = &err_;                      \
        if ((run)->history && (call) != DG_OK)     \
            history_failed((run), err);            \
    } while (0)

static Str short_name(const Unit *u, StrBuf *b)
{
    b->len = 0;
    buf_add(b, u->def->name);
    if (u->partition.len)
        buf_format(b, "[%.*s]", FMT(u->partition));
    return buf_str(b);
}

/* {"at": microseconds, "event": ..., "step": ..., more} */
static void json_event(Run *run, const char *event, const Unit *u, Str more)
{
    if (console_mode(run->console) != PROGRESS_JSON)
        return;
    StrBuf b = {.max = 1 << 20};
    buf_format(&b, "{\"at\": %lld, \"event\": \"%s\", \"run_id\": \"%s\"", (long long)os_real_us(),
               event, run->id);
    if (u) {
        buf_add(&b, S(", \"step\": "));
        buf_json(&b, u->def->name);
        buf_add(&b, S(", \"partition\": "));
        buf_json(&b, u->partition);
    }
    buf_add(&b, more);
    buf_char(&b, '}');
    console_json(run->console, buf_str(&b));
    buf_free(&b);
}

void report_started(Run *run)
{
    StrBuf b = {0};
    buf_format(&b, "%d step%s of %.*s, run %.8s", run->units_count,
               run->units_count == 1 ? "" : "s", FMT(run->pipeline->name), run->id);
    if (run->options.resume.len)
        buf_format(&b, ", resuming %.8s", run->options.resume.ptr);
    console_line(run->console, 'i', "Running", buf_str(&b));
    b.len = 0;
    buf_format(&b, ", \"steps\": %d", run->units_count);
    json_event(run, "run_started", NULL, buf_str(&b));
    buf_free(&b);
}

static void keep_step(Run *run, const Unit *u, const char *state)
{
    StepRow row = {.step = u->def->name,
                   .partition = u->partition,
                   .state = str_from(state),
                   .package = str_from(u->package),
                   .attempt = u->attempt,
                   .started_us = u->started_us,
                   .ended_us = u->ended_us,
                   .rows = u->rows,
                   .bytes = u->bytes};
    if (u->error.status != DG_OK) {
        row.error = str_from(u->error.message);
        row.error_class = str_from(dg_status_name(u->error.status));
    }
    KEEP(run, history_step(run->history, str_from(run->id), &row, err));
}

void report_unit_started(Run *run, Unit *u)
{
    StrBuf b = {0};
    if (console_mode(run->console) == PROGRESS_PLAIN)
        console_line(run->console, 'i', "Running", short_name(u, &b));
    buf_free(&b);
    StrBuf more = {0};
    buf_format(&more, ", \"attempt\": %d", u->attempt);
    json_event(run, "step_started", u, buf_str(&more));
    buf_free(&more);
    keep_step(run, u, "running");
}

/* ---- The end of a unit ---- */

static void say_place(Run *run, const DgError *e)
{
    const DgSite *site = run_site(run->pipeline, e->site - 1);
    StrBuf b = {0};
    if (site) {
        buf_format(&b, "%.*s:%d", FMT(site->file), site->line);
        console_line(run->console, 'b', "at", buf_str(&b));
    }
    if (e->hint[0])
        console_line(run->console, 'b', "help", str_from(e->hint));
    buf_free(&b);
}

enum { RATE_AFTER_MS = 500 }; /* before that a rate says little */

static void say_good(Run *run, const Unit *u)
{
    StrBuf b = {0}, name = {0};
    buf_format(&b, "%.*s ", FMT(short_name(u, &name)));
    if (u->rows > 0) {
        show_count(&b, u->rows);
        buf_add(&b, u->rows == 1 ? S(" row") : S(" rows"));
        if (u->bytes > 0) {
            buf_add(&b, S(", "));
            show_bytes(&b, u->bytes);
        }
        buf_add(&b, S(" "));
    }
    buf_add(&b, S("in "));
    int64_t elapsed = u->ended_ms - u->started_ms;
    show_duration(&b, elapsed);
    if (u->rows > 0 && elapsed > RATE_AFTER_MS) {
        buf_add(&b, S(", "));
        show_count(&b, u->rows * 1000 / elapsed);
        buf_add(&b, S(" rows/s"));
    }
    console_line(run->console, 'g', "Finished", buf_str(&b));
    buf_free(&b);
    buf_free(&name);
}

static void say_bad(Run *run, const Unit *u, UnitState next)
{
    StrBuf b = {0}, name = {0};
    Str called = short_name(u, &name);
    if (next == UNIT_SKIPPED) {
        buf_format(&b, "%.*s: %s", FMT(called), u->reason);
        console_line(run->console, 'w', "Skipped", buf_str(&b));
    } else if (next == UNIT_WAITING) {
        buf_format(&b, "%.*s in ", FMT(called));
        int64_t wait = u->retry_at_ms - os_monotonic_ms();
        show_duration(&b, wait < 0 ? 0 : wait);
        buf_format(&b, " (attempt %d): %s", u->attempt + 1, u->error.message);
        console_line(run->console, 'w', "Retrying", buf_str(&b));
    } else {
        const char *verb = next == UNIT_CANCELLED ? "Cancelled"
                           : next == UNIT_UNKNOWN ? "In doubt"
                                                  : "Failed";
        buf_format(&b, "%.*s%s%s", FMT(called), u->error.message[0] ? ": " : "", u->error.message);
        console_line(run->console, next == UNIT_CANCELLED ? 'w' : 'b', verb, buf_str(&b));
        if (next != UNIT_CANCELLED)
            say_place(run, &u->error);
    }
    buf_free(&b);
    buf_free(&name);
}

static void report_checks(Run *run, Unit *u)
{
    for (size_t i = 0; i < u->checks.count; i++) {
        const CheckResult *c = &u->checks.items[i];
        StrBuf b = {.max = 64 << 10};
        buf_format(&b, "check %.*s of %.*s%s%.*s", FMT(c->name), FMT(c->asset),
                   c->detail.len ? ": " : "", FMT(c->detail));
        if (!c->passed)
            console_line(run->console, c->warn ? 'w' : 'b', c->warn ? "Warning" : "Failed",
                         buf_str(&b));
        b.len = 0;
        buf_add(&b, S(", \"asset\": "));
        buf_json(&b, c->asset);
        buf_add(&b, S(", \"check\": "));
        buf_json(&b, c->name);
        buf_format(&b, ", \"passed\": %s, \"severity\": \"%s\", \"detail\": ",
                   c->passed ? "true" : "false", c->warn ? "warn" : "error");
        buf_json(&b, c->detail);
        json_event(run, "check", u, buf_str(&b));
        buf_free(&b);
        KEEP(run, history_check(run->history, str_from(run->id), c->asset, c->name, u->partition,
                                u->ended_us, c->passed, c->warn, c->blocking, c->detail, err));
        if (run->pipes)
            pipes_client_check(run->pipes, c);
    }
}

static void report_materializations(Run *run, Unit *u)
{
    bool has_rows = u->rows > 0 || u->def->ops->role != DG_ACTION;
    for (int32_t i = 0; i < u->def->assets.count; i++) {
        Str key = run->pipeline->assets[u->def->assets.items[i]].key;
        StrBuf b = {.max = 1 << 20};
        buf_char(&b, '{');
        bool any = false;
        for (size_t k = 0; k < u->metadata.count; k++)
            if (str_eq(u->metadata.items[k].asset, key)) {
                buf_add(&b, any ? S(", ") : S(""));
                buf_json(&b, u->metadata.items[k].name);
                buf_add(&b, S(": "));
                buf_add(&b, u->metadata.items[k].json);
                any = true;
            }
        buf_char(&b, '}');
        KEEP(run, history_materialization(run->history, str_from(run->id), u->def->name, key,
                                          u->partition, u->ended_us, has_rows ? u->rows : -1,
                                          buf_str(&b), str_from(u->package), err));
        buf_free(&b);
        if (run->pipes)
            pipes_client_materialized(run->pipes, key, has_rows ? u->rows : -1, u->metadata.items,
                                      u->metadata.count);
    }
}

void report_unit_ended(Run *run, Unit *u, UnitState next)
{
    StrBuf b = {.max = 64 << 10};
    if (next == UNIT_SUCCEEDED)
        say_good(run, u);
    else
        say_bad(run, u, next);
    buf_format(&b, ", \"state\": \"%s\", \"attempt\": %d, \"rows\": %lld, \"bytes\": %lld",
               next == UNIT_WAITING ? "retrying" : unit_state_name(next), u->attempt,
               (long long)u->rows, (long long)u->bytes);
    if (u->error.status != DG_OK) {
        buf_format(&b, ", \"error\": {\"class\": \"%s\", \"message\": ",
                   dg_status_name(u->error.status));
        buf_json(&b, str_from(u->error.message));
        buf_char(&b, '}');
    }
    if (next == UNIT_SKIPPED) {
        buf_add(&b, S(", \"reason\": "));
        buf_json(&b, str_from(u->reason));
    }
    json_event(run, "step_ended", u, buf_str(&b));
    keep_step(run, u, unit_state_name(next));
    if (next == UNIT_SUCCEEDED)
        report_materializations(run, u);
    if (next != UNIT_WAITING)
        report_checks(run, u);
    if (run->pipes && next != UNIT_SUCCEEDED && next != UNIT_CANCELLED) {
        b.len = 0;
        buf_format(&b, "step %.*s: %s", FMT(u->def->name),
                   next == UNIT_SKIPPED ? u->reason : u->error.message);
        pipes_client_log(run->pipes, next == UNIT_FAILED ? DG_LOG_ERROR : DG_LOG_WARNING,
                         buf_str(&b));
    }
    buf_free(&b);
}

/* ---- Logs ---- */

void report_log(Run *run, Unit *u, DgLogLevel level, Str text)
{
    StrBuf name = {0}, b = {.max = 1 << 20};
    if (!run->console) /* a command that only looks */
        return;
    if (level > DG_LOG_DEBUG)
        console_prefixed(run->console, level, short_name(u, &name), text);
    buf_format(&b, ", \"level\": \"%s\", \"message\": ", levels[level]);
    buf_json(&b, text);
    json_event(run, "log", u, buf_str(&b));
    KEEP(run, history_event(run->history, str_from(run->id), os_real_us(), "log", u->def->name,
                            u->partition, levels[level], text, err));
    if (run->pipes)
        pipes_client_log(run->pipes, level, text);
    buf_free(&name);
    buf_free(&b);
}

void report_output(Run *run, Unit *u, const char *stream, Str line)
{
    StrBuf name = {0}, b = {.max = 1 << 20};
    console_prefixed(run->console, DG_LOG_INFO, short_name(u, &name), line);
    buf_format(&b, ", \"stream\": \"%s\", \"text\": ", stream);
    buf_json(&b, line);
    json_event(run, "output", u, buf_str(&b));
    KEEP(run, history_event(run->history, str_from(run->id), os_real_us(), "output", u->def->name,
                            u->partition, stream, line, err));
    buf_free(&name);
    buf_free(&b);
}

/* ---- The picture of now ---- */

static void describe_running(Run *run, Unit *u, int64_t now, StrBuf *b)
{
    StrBuf name = {0};
    buf_format(b, "%.*s", FMT(short_name(u, &name)));
    if (u->rows > 0) {
        int64_t elapsed = now - u->started_ms;
        buf_add(b, S("  "));
        show_count(b, u->rows);
        buf_add(b, S(" rows"));
        if (elapsed > RATE_AFTER_MS) {
            buf_add(b, S("  "));
            show_count(b, u->rows * 1000 / elapsed);
            buf_add(b, S(" rows/s"));
        }
    }
    if (u->bytes > 0) {
        buf_add(b, S("  "));
        show_bytes(b, u->bytes);
    }
    if (u->waiting[0]) {
        buf_format(b, "  waits: %s", u->waiting);
        int64_t left = u->waiting_until_ms - os_real_us() / 1000;
        if (u->waiting_until_ms && left > 0) {
            buf_add(b, S(", "));
            show_duration(b, left);
        }
    }
    buf_add(b, S("  "));
    show_duration(b, now - u->started_ms);
    buf_free(&name);
}

static void describe_all(Run *run, StrBuf *b, int lines_max)
{
    int64_t now = os_monotonic_ms();
    int ended = 0, running = 0, lines = 0;
    pthread_mutex_lock(&run->lock);
    for (int32_t i = 0; i < run->units_count; i++) {
        ended += run->units[i].state != UNIT_WAITING && run->units[i].state != UNIT_RUNNING;
        running += run->units[i].state == UNIT_RUNNING;
    }
    for (int32_t i = 0; i < run->units_count && lines < lines_max; i++) {
        Unit *u = &run->units[i];
        if (u->state != UNIT_RUNNING)
            continue;
        size_t start = b->len;
        buf_format(b, "%11s ", "");
        if (lines++ == 0) {
            b->len = start;
            buf_format(b, "%6s %d/%-2d ", "Running", ended, run->units_count);
        }
        describe_running(run, u, now, b);
        /* One terminal line each, or the redraw would be off. */
        size_t width = (size_t)console_width(run->console) - 1;
        if (b->len - start > width)
            b->len = start + width;
        buf_char(b, '\n');
    }
    if (running > lines)
        buf_format(b, "%11s and %d more\n", "", running - lines);
    pthread_mutex_unlock(&run->lock);
}

void report_live(Run *run)
{
    StrBuf b = {0};
    describe_all(run, &b, 8);
    console_live(run->console, buf_str(&b));
    buf_free(&b);
}

void report_heartbeat(Run *run)
{
    StrBuf b = {0};
    describe_all(run, &b, 4);
    Str line, rest = str_trim(buf_str(&b));
    for (bool more = rest.len > 0; more;) {
        more = str_cut(rest, '\n', &line, &rest);
        console_line(run->console, 'd', "Still", str_trim(line));
    }
    json_event(run, "heartbeat", NULL, (Str){0});
    buf_free(&b);
}

/* ---- The end ---- */

static void say_slowest(Run *run)
{
    bool used[3] = {false};
    const Unit *slowest[3] = {NULL};
    for (int k = 0; k < 3; k++) {
        for (int32_t i = 0; i < run->units_count; i++) {
            const Unit *u = &run->units[i];
            bool taken = u->attempt == 0;
            for (int j = 0; j < k; j++)
                taken |= slowest[j] == u;
            if (!taken && (!slowest[k] || u->ended_ms - u->started_ms >
                                              slowest[k]->ended_ms - slowest[k]->started_ms))
                slowest[k] = u;
        }
        used[k] = slowest[k] != NULL;
    }
    StrBuf b = {0}, name = {0};
    for (int k = 0; k < 3 && used[k]; k++) {
        buf_format(&b, "%s%.*s ", k ? ", " : "", FMT(short_name(slowest[k], &name)));
        show_duration(&b, slowest[k]->ended_ms - slowest[k]->started_ms);
    }
    if (run->units_count > 3 && used[0])
        console_line(run->console, 'd', "Slowest", buf_str(&b));
    buf_free(&b);
    buf_free(&name);
}

void report_finished(Run *run, int exit_code)
{
    int counts[UNIT_DONE_BEFORE + 1] = {0};
    int checks_failed = 0, warnings = 0;
    int64_t rows = 0;
    console_live(run->console, (Str){0});
    for (int32_t i = 0; i < run->units_count; i++) {
        const Unit *u = &run->units[i];
        counts[u->state]++;
        rows += u->state == UNIT_SUCCEEDED ? u->rows : 0;
        for (size_t c = 0; c < u->checks.count; c++) {
            checks_failed += !u->checks.items[c].passed && !u->checks.items[c].warn;
            warnings += !u->checks.items[c].passed && u->checks.items[c].warn;
        }
    }
    say_slowest(run);
    StrBuf b = {0};
    buf_format(&b, "%d done", counts[UNIT_SUCCEEDED]);
    for (int s = UNIT_FAILED; s <= UNIT_DONE_BEFORE; s++)
        if (counts[s])
            buf_format(&b, ", %d %s", counts[s],
                       s == UNIT_DONE_BEFORE ? "done before" : unit_state_name((UnitState)s));
    if (checks_failed)
        buf_format(&b, ", %d check%s failed", checks_failed, checks_failed == 1 ? "" : "s");
    if (warnings)
        buf_format(&b, ", %d warning%s", warnings, warnings == 1 ? "" : "s");
    if (rows) {
        buf_add(&b, S(", "));
        show_count(&b, rows);
        buf_add(&b, S(" rows"));
    }
    buf_add(&b, S(" in "));
    show_duration(&b, os_monotonic_ms() - run->started_ms);
    bool cancelled = atomic_load(&run->cancel) != 0;
    console_line(run->console, exit_code == 0 ? 'g' : cancelled ? 'w' : 'b',
                 exit_code == 0 ? "Succeeded" : cancelled ? "Cancelled" : "Failed", buf_str(&b));
    if (counts[UNIT_FAILED] + counts[UNIT_CANCELLED] + counts[UNIT_UNKNOWN] + counts[UNIT_SKIPPED])
        console_line(run->console, 'd', "Next", S("`run --resume` runs only what is not done yet"));
    b.len = 0;
    buf_format(&b, ", \"exit_code\": %d", exit_code);
    json_event(run, "run_ended", NULL, buf_str(&b));
    buf_free(&b);
}
