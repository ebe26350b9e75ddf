/* run.h - one run of a pipeline, from the selected assets to the exit code.
 *
 * units.c      what there is to do: a Unit is one step for one partition (or range), with the units
 *              that must end before it
 * scheduler.c  worker threads take units that are ready; retries, pools, cancelling
 * step.c       one attempt at one unit: open, load or execute, close, commit
 * step_api.c   the calls that component.h promises to a step
 * scope.c      the names that templates see at run time
 * commit.c     warehouse, fencing, package rows: the commit protocol
 * report.c     who hears of it: console, history, Dagster
 *
 * Everything that outlives an attempt is in Run.arena; `lock` guards the arena and all unit states.
 */
#ifndef DG_RUN_H
#define DG_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/base/partitions.h"
#include "runtime/db/warehouse.h"
#include "runtime/eval/value.h"
#include "runtime/pipeline.h"
#include "runtime/run/console.h"
#include "runtime/run/history.h"
#include "runtime/run/secrets.h"
#include "runtime/run/spending.h"

typedef struct Run Run;
typedef struct Unit Unit;
typedef struct PipesClient PipesClient;

typedef struct RunOptions {
    Str select, job;        /* empty: everything that has a step */
    Str partition;          /* a key or `A...B`; empty: none */
    Str resume;             /* id of a run */
    bool resuming;          /* resume empty: the newest run */
    bool full_refresh;
    bool planning;          /* only shown: partitioned steps need no partition */
    bool count;             /* planning: services may be asked how many tokens a question has */
    bool reading;           /* the warehouse is opened for reading alone */
    bool development;       /* reads .env */
    int32_t threads;        /* 0: one per processor */
    int64_t memory_max;     /* bytes; 0: the pipeline's, or 1 GiB */
    Str home, project;      /* folders, absolute */
    SpendingMax spending;   /* on services, by all steps together */
    Str record, replay;     /* folder of a tape of calls to services; empty: none */
    const DgPair *pools;    /* name and number */
    size_t pools_count;
} RunOptions;

typedef struct CheckResult {
    Str asset, name, detail;
    bool passed, warn, blocking;
} CheckResult;
typedef struct MetadataItem { /* json: one JSON value */
    Str asset, name, json;
} MetadataItem;

typedef enum UnitState {
    UNIT_WAITING,
    UNIT_RUNNING,
    UNIT_SUCCEEDED,
    UNIT_FAILED,
    UNIT_SKIPPED,
    UNIT_CANCELLED,
    UNIT_UNKNOWN,     /* the commit's outcome could not be found out */
    UNIT_DONE_BEFORE, /* resumed: the earlier run did it */
} UnitState;
const char *unit_state_name(UnitState s);

struct Unit {
    const DgStepDef *def;
    int32_t step;             /* index of def */
    Str partition;            /* key, `A...B`, or empty */
    Str first, last;          /* partition keys */
    int64_t start, end;       /* window, UTC seconds; both 0: none */
    int32_t *deps;            /* units that must end before this one */
    int32_t deps_count;
    UnitState state;
    int attempt;              /* from 1 */
    int64_t retry_at_ms, started_ms, ended_ms, started_us, ended_us;
    _Atomic int64_t rows, bytes;
    DgError error;            /* redacted; why it failed */
    char reason[256];         /* why it was skipped */
    char waiting[160];        /* what it waits for just now; empty: nothing */
    int64_t waiting_until_ms; /* real time; 0: not known */
    char package[33];         /* id of the load package of the last attempt */
    bool committing;          /* not to be interrupted */
    DgStepRun *active;        /* the attempt that runs */
    Array(CheckResult) checks;
    Array(MetadataItem) metadata;
    bool shows_done;          /* console: the end was told */
};

struct Run {
    const DgPipeline *pipeline;
    RunOptions options;
    Arena arena;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char id[37];
    int64_t started_us, started_ms;
    int64_t epoch;
    Unit *units;
    int32_t units_count;
    bool *asset_chosen, *check_chosen;
    bool failed_checks;       /* a check of severity error did not pass */

    Redactor *redactor;
    Secrets *secrets;
    Console *console;
    History *history;
    PipesClient *pipes;       /* NULL: not started by Dagster */
    int lease_fd;
    Array(pid_t) children;    /* process groups of running scripts */

    pthread_mutex_t warehouse_lock;
    DgWarehouse *warehouse;   /* opened when the first step asks for it */
    bool warehouse_failed;
    DgError warehouse_error;

    pthread_mutex_t services_lock;
    struct DgServices *services; /* opened when the first step calls one; closed by: */
    void (*services_close)(struct DgServices *s);

    Spending spending;

    Map store;                /* DgValue by name: what hooks of replications keep; guarded by lock */

    atomic_int cancel;        /* the signal's number; 0: go on */
    DgError fatal;            /* fenced off, history not writable: stops the run */
    pthread_t main_thread;
};

/* ---- The whole ---- */

/* Paths, secrets, console, ids. Nothing is written yet. */
DgStatus run_open(const DgPipeline *p, const RunOptions *o, Console *console, Redactor *redactor,
                  Run **out, DgError *err);
/* Chooses assets and makes the units; run_plan is enough for `plan` and `--dry-run`. */
DgStatus run_plan(Run *run, DgError *err);
/* Lease, history, then all units. Returns the exit code; reports everything itself. */
int run_execute(Run *run, DgError *err);
void run_close(Run *run);
/* Home folder, lease and history: what run_execute does first. For commands that change state. */
DgStatus run_take_home(Run *run, DgError *err);
/* The result of a finished (or planned) run as one JSON document. */
void run_result_json(const Run *run, int exit_code, const DgError *err, StrBuf *out);
int run_exit_code(const Run *run);

/* ---- units.c ---- */
DgStatus units_make(Run *run, DgError *err);
DgStatus units_resume(Run *run, DgError *err); /* marks what the earlier run did */
DgStatus run_choose(const DgPipeline *p, Arena *a, Str select, Str job, bool *assets, bool *checks,
                    DgError *err);
DgStatus run_partition_set(const DgPipeline *p, Arena *a, int32_t index, PartitionSet *out,
                           DgError *err);
Str unit_name(const Run *run, const Unit *u); /* "orders" or "orders[2024-01-01]"; kept in arena */
const DgSite *run_site(const DgPipeline *p, int32_t index); /* NULL: none */

/* ---- One attempt ---- */

struct DgStepRun {
    Run *run;
    Unit *unit;
    const DgStepDef *def;
    Arena arena;              /* dg_alloc; guarded by lock, lanes share it */
    pthread_mutex_t lock;
    void *config, *state;
    DgSession *session;       /* opened on demand */
    DgSession *reader;        /* MAP: reads the input */
    DgLoad load;
    bool has_load;
    DgEval eval;
    Arena eval_arena;
    bool has_eval;
    const DgValue *extra;     /* a dict of further names for templates; NULL: none */
    Str cursor, new_cursor;
    bool cursor_read, cursor_set;
    Array(CheckResult) checks;
    Array(MetadataItem) metadata;
    int64_t rows_loaded;      /* -1: unknown */
};

DgStatus step_session(DgStepRun *sr, DgSession **out, DgError *err); /* begun */
DgStatus step_read_cursor(DgStepRun *sr, DgError *err);
void step_scope(DgStepRun *sr); /* makes sr->eval */
/* An evaluation of its own with the same names, for one thread; reset its arena between rows. */
void step_eval(DgStepRun *sr, Arena *a, DgEval *ev);
Str step_copy(DgStepRun *sr, Str text); /* into the attempt's arena; thread-safe */
Str run_copy(Run *run, Str text);
void value_json(DgStepRun *sr, DgValue v, StrBuf *out);
/* What a check said: in this run, else the last time. DG_END: it has never been made. */
DgStatus step_verdict(DgStepRun *sr, Str asset, Str check, bool *passed, DgError *err);

/* ---- commit.c ---- */
DgStatus warehouse_get(Run *run, DgWarehouse **out, DgError *err);
/* State row, package rows, fence check, commit, and finding out when the outcome is in doubt:
 * DG_OK done; another status: not done; *unknown: nobody knows. */
DgStatus commit_step(DgStepRun *sr, bool *unknown, DgError *err);
/* Whether a run's step committed; *rows gets its count. */
DgStatus commit_probe(Run *run, Str run_id, Str step, Str partition, bool *done, int64_t *rows,
                      DgError *err);
DgStatus lease_lock(Run *run, DgError *err); /* DG_TEMPFAIL: another run has it */
void lease_release(Run *run);
Str run_warehouse_path(Run *run);

/* ---- report.c: told to the console, the history and Dagster ---- */
void report_started(Run *run);
void report_unit_started(Run *run, Unit *u);
void report_unit_ended(Run *run, Unit *u, UnitState next); /* any end; WAITING: a retry */
void report_log(Run *run, Unit *u, DgLogLevel level, Str text);
void report_output(Run *run, Unit *u, const char *stream, Str line); /* a script's own words */
void report_finished(Run *run, int exit_code);

#endif
