/* Worker threads take units that are ready; the main thread draws progress and hears signals. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/run/run.h"
#include "runtime/run/scheduler.h"
#include "runtime/run/step.h"

enum { THREADS_MAX = 256, DRAIN_MS = 10000, TICK_MS = 100, HEARTBEAT_MS = 30000 };

static bool has_ended(UnitState s)
{
    return s != UNIT_WAITING && s != UNIT_RUNNING;
}

static bool is_good(UnitState s)
{
    return s == UNIT_SUCCEEDED || s == UNIT_DONE_BEFORE;
}

/* The blocking check of something `u` reads that did not pass in `before`; NULL: none. Assets are
 * held back; a step that only checks tells more about what is wrong. */
static const CheckResult *held_by(const Run *run, const Unit *u, const Unit *before)
{
    if (u->def->checks.count && !u->def->assets.count)
        return NULL;
    for (size_t c = 0; c < before->checks.count; c++) {
        const CheckResult *check = &before->checks.items[c];
        if (check->passed || check->warn || !check->blocking)
            continue;
        for (int32_t i = 0; i < u->def->reads.count; i++)
            if (str_eq(run->pipeline->assets[u->def->reads.items[i]].key, check->asset))
                return check;
    }
    return NULL;
}

/* Whether the units before `u` let it go; with a reason when they never will. */
typedef enum Gate { GATE_OPEN, GATE_WAIT, GATE_SHUT } Gate;
static Gate gate_of(Run *run, Unit *u)
{
    bool wait = false;
    for (int32_t i = 0; i < u->deps_count; i++) {
        const Unit *before = &run->units[u->deps[i]];
        if (!has_ended(before->state)) {
            wait = true;
            continue;
        }
        const CheckResult *check = held_by(run, u, before);
        if (check)
            snprintf(u->reason, sizeof u->reason, "blocking check `%.*s` of `%.*s` did not pass",
                     FMT(check->name), FMT(check->asset));
        else if (!is_good(before->state) && !u->def->always)
            snprintf(u->reason, sizeof u->reason, "upstream `%.*s` %s", FMT(before->def->name),
                     before->state == UNIT_SKIPPED     ? "was skipped"
                     : before->state == UNIT_CANCELLED ? "was cancelled"
                                                       : "failed");
        else
            continue;
        return GATE_SHUT;
    }
    return wait ? GATE_WAIT : GATE_OPEN;
}

static int64_t pool_limit(const Run *run, Str pool)
{
    int64_t limit = 1;
    for (size_t i = 0; i < run->options.pools_count; i++)
        if (str_eq(run->options.pools[i].key, pool))
            str_to_int(run->options.pools[i].value, &limit);
    return limit;
}

static bool pool_has_room(const Run *run, const Unit *u)
{
    int64_t running = 0;
    if (u->def->pool.len == 0)
        return true;
    for (int32_t i = 0; i < run->units_count; i++)
        running += run->units[i].state == UNIT_RUNNING && str_eq(run->units[i].def->pool, u->def->pool);
    return running < pool_limit(run, u->def->pool);
}

/* Partitions of one step that write to the warehouse: the first makes the table, the others come
 * after it, side by side. Two that make it at once would be in each other's way. */
static bool waits_for_first(const Run *run, const Unit *u)
{
    bool running = false;
    if (!u->partition.len || !u->def->ops || u->def->ops->no_warehouse)
        return false;
    for (int32_t i = 0; i < run->units_count; i++) {
        const Unit *other = &run->units[i];
        if (other->def == u->def && is_good(other->state))
            return false;
        running |= other->def == u->def && other->state == UNIT_RUNNING;
    }
    return running;
}

static void end_unit(Run *run, Unit *u, UnitState state)
{
    u->state = state;
    u->ended_ms = os_monotonic_ms();
    u->ended_us = os_real_us();
    pthread_cond_broadcast(&run->changed);
}

/* A unit that cannot run any more; told without holding the lock. */
static void settle(Run *run, Unit *u, UnitState state)
{
    u->state = state;
    pthread_mutex_unlock(&run->lock);
    report_unit_ended(run, u, state);
    pthread_mutex_lock(&run->lock);
    end_unit(run, u, state);
}

/* The next unit to run, marked as running. NULL: none just now; *wake_ms says when to look again,
 * *left whether anything is still to come. */
static Unit *take_unit(Run *run, int64_t *wake_ms, bool *left)
{
    int64_t now = os_monotonic_ms();
    *wake_ms = now + HEARTBEAT_MS;
    *left = false;
    const DgStepDef *held = NULL;
    for (int32_t i = 0; i < run->units_count; i++) {
        Unit *u = &run->units[i];
        if (u->state == UNIT_RUNNING)
            *left = true;
        if (u->state != UNIT_WAITING)
            continue;
        *left = true;
        bool stop = atomic_load(&run->cancel) || run->fatal.status != DG_OK;
        Gate gate = stop ? GATE_SHUT : gate_of(run, u);
        if (gate == GATE_SHUT) {
            settle(run, u, stop ? UNIT_CANCELLED : UNIT_SKIPPED);
            *left = false; /* the lock was given away, and others may wait for this one: look again */
            i = -1;
            continue;
        }
        if (gate == GATE_WAIT || u->def == held || !pool_has_room(run, u))
            continue;
        if (waits_for_first(run, u)) {
            held = u->def;
            continue;
        }
        if (u->retry_at_ms > now) {
            if (u->retry_at_ms < *wake_ms)
                *wake_ms = u->retry_at_ms;
            continue;
        }
        u->state = UNIT_RUNNING;
        u->attempt++;
        if (u->attempt == 1) {
            u->started_ms = now;
            u->started_us = os_real_us();
        }
        return u;
    }
    return NULL;
}

static void wait_until(Run *run, int64_t wake_ms)
{
    struct timespec at = {.tv_sec = (time_t)(wake_ms / 1000),
                          .tv_nsec = (long)(wake_ms % 1000 * 1000000)};
    pthread_cond_timedwait(&run->changed, &run->lock, &at);
}

static void *worker(void *context)
{
    Run *run = context;
    pthread_mutex_lock(&run->lock);
    for (;;) {
        int64_t wake_ms;
        bool left;
        Unit *u = take_unit(run, &wake_ms, &left);
        if (!u && !left)
            break;
        if (!u) {
            wait_until(run, wake_ms);
            continue;
        }
        pthread_mutex_unlock(&run->lock);
        report_unit_started(run, u);
        UnitState next = step_attempt(run, u);
        u->ended_ms = os_monotonic_ms();
        u->ended_us = os_real_us();
        report_unit_ended(run, u, next);
        pthread_mutex_lock(&run->lock);
        end_unit(run, u, next);
    }
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    pthread_kill(run->main_thread, SIGUSR1); /* the main thread need not wait for its tick */
    return NULL;
}

/* ---- Signals ---- */

/* What runs is asked to stop: statements in the database, scripts. Steps see dg_cancelled(). */
static void interrupt_all(Run *run, int signal)
{
    pthread_mutex_lock(&run->lock);
    for (int32_t i = 0; i < run->units_count; i++) {
        Unit *u = &run->units[i];
        if (u->state != UNIT_RUNNING || !u->active || u->committing)
            continue;
        if (u->active->session)
            dg_session_interrupt(u->active->session);
        if (u->active->reader)
            dg_session_interrupt(u->active->reader);
    }
    for (size_t i = 0; i < run->children.count; i++)
        if (run->children.items[i] > 0)
            dg_os.kill(-run->children.items[i], signal);
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

static void stop_at_once(Run *run, int signal)
{
    static const char said[] = "stopped at once; `run --resume` goes on from here\n";
    DgError ignored = {0};
    interrupt_all(run, SIGKILL);
    os_write_all(2, said, sizeof said - 1, "standard error", &ignored);
    _exit(128 + signal);
}

static bool all_ended(Run *run)
{
    pthread_mutex_lock(&run->lock);
    bool ended = true;
    for (int32_t i = 0; i < run->units_count; i++)
        ended &= has_ended(run->units[i].state);
    pthread_mutex_unlock(&run->lock);
    return ended;
}

/* Runs until all units have ended. */
static void watch(Run *run, const sigset_t *signals)
{
    int64_t stop_at = 0, beat = os_monotonic_ms() + HEARTBEAT_MS;
    bool tty = console_mode(run->console) == PROGRESS_TTY;
    while (!all_ended(run)) {
        struct timespec tick = {.tv_nsec = TICK_MS * 1000000};
        int signal = sigtimedwait(signals, NULL, &tick);
        int64_t now = os_monotonic_ms();
        if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) {
            if (atomic_load(&run->cancel))
                stop_at_once(run, signal);
            atomic_store(&run->cancel, signal);
            stop_at = now + DRAIN_MS;
            console_line(run->console, 'w', "Stopping", S("waiting up to 10 s for what runs; once "
                                                          "more to stop at once"));
        }
        if (atomic_load(&run->cancel))
            interrupt_all(run, SIGTERM);
        if (stop_at && now >= stop_at)
            stop_at_once(run, atomic_load(&run->cancel));
        if (tty) {
            report_live(run);
        } else if (now >= beat) {
            report_heartbeat(run);
            beat = now + HEARTBEAT_MS;
        }
    }
}

DgStatus scheduler_run(Run *run, DgError *err)
{
    pthread_t threads[THREADS_MAX];
    int32_t wanted = run->options.threads < run->units_count ? run->options.threads
                                                             : run->units_count;
    if (wanted > THREADS_MAX)
        wanted = THREADS_MAX;
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    run->main_thread = pthread_self();
    int32_t started = 0;
    while (started < wanted && pthread_create(&threads[started], NULL, worker, run) == 0)
        started++;
    DgStatus status = DG_OK;
    if (started == 0)
        status = dg_fail(err, DG_TEMPFAIL, "could not start a thread");
    else
        watch(run, &signals);
    for (int32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    struct timespec now = {0};
    while (sigtimedwait(&signals, NULL, &now) == SIGUSR1)
        continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

void run_child_started(Run *run, pid_t group)
{
    pthread_mutex_lock(&run->lock);
    for (size_t i = 0; i < run->children.count; i++)
        if (run->children.items[i] == 0) {
            run->children.items[i] = group;
            group = 0;
        }
    if (group)
        array_add(&run->arena, &run->children, group);
    pthread_mutex_unlock(&run->lock);
}

void run_child_ended(Run *run, pid_t group)
{
    pthread_mutex_lock(&run->lock);
    for (size_t i = 0; i < run->children.count; i++)
        if (run->children.items[i] == group)
            run->children.items[i] = 0;
    pthread_mutex_unlock(&run->lock);
}
