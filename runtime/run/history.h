/* history.h - what ran, when and how it ended: SQLite in <home>/runs.db (WAL).
 *
 * The warehouse is the truth about data; this file is the truth about runs. When both disagree
 * after a crash (a step committed, but its row here still says "running"), the package row in the
 * warehouse decides, see commit.h.
 *
 * The file carries a schema version. One that is damaged, or of a later version, is never
 * overwritten: opening fails with a message, and a copy `runs.db.damaged-TIME` is kept; the command
 * `state rebuild` starts over from what the warehouse knows.
 *
 * Thread-safe: calls are serialised. Texts are redacted before they are stored.
 */
#ifndef DG_HISTORY_H
#define DG_HISTORY_H

#include "runtime/run/redact.h"

typedef struct History History;
struct sqlite3;

/* Creates the file unless read_only; read_only and not there: DG_END. */
DgStatus history_open(const char *path, bool read_only, Redactor *redactor, History **out,
                      DgError *err);
void history_close(History *h);
struct sqlite3 *history_db(History *h); /* for read-only queries by the commands */

/* ---- Lease: one runner at a time. A number that only grows fences off an earlier one. ---- */

typedef struct LeaseHolder {
    int64_t epoch, pid, since_us;
} LeaseHolder;
DgStatus history_take_lease(History *h, int64_t pid, int64_t now_us, int64_t *epoch, DgError *err);
DgStatus history_read_lease(History *h, LeaseHolder *out, DgError *err);

/* ---- Runs ---- */

typedef struct RunRow {
    Str id, pipeline, fingerprint, state; /* running, succeeded, failed, cancelled, interrupted */
    Str selection, job, partition, resumed_from, error;
    int64_t started_us, ended_us, epoch;
    int exit_code;
    bool full_refresh;
} RunRow;
DgStatus history_run_start(History *h, const RunRow *run, DgError *err);
DgStatus history_run_end(History *h, Str id, Str state, int exit_code, Str error, int64_t now_us,
                         DgError *err);
/* Runs that say "running" although nobody holds the lease: now "interrupted", steps too. */
DgStatus history_mark_interrupted(History *h, int64_t now_us, DgError *err);
/* The run with this id, or the newest one when id is empty. DG_END: there is none. */
DgStatus history_find_run(History *h, Arena *a, Str id, RunRow *out, DgError *err);

/* ---- Steps of a run ---- */

typedef struct StepRow {
    Str step, partition, state; /* waiting, running, succeeded, failed, skipped, cancelled,
                                   interrupted, unknown */
    Str package, error, error_class;
    int attempt;
    int64_t started_us, ended_us, rows, bytes;
} StepRow;
typedef Array(StepRow) StepRows;
DgStatus history_step(History *h, Str run, const StepRow *step, DgError *err); /* replaces */
DgStatus history_steps(History *h, Arena *a, Str run, StepRows *out, DgError *err);

/* ---- What was made and judged; events. `json` is an object or empty. ---- */

DgStatus history_materialization(History *h, Str run, Str step, Str asset, Str partition,
                                 int64_t at_us, int64_t rows, Str json, Str package, DgError *err);
DgStatus history_check(History *h, Str run, Str asset, Str name, Str partition, int64_t at_us,
                       bool passed, bool warn, bool blocking, Str detail, DgError *err);
/* Bounded: after 10 000 events of one run the rest is dropped and counted in a last event. */
DgStatus history_event(History *h, Str run, int64_t at_us, const char *kind, Str step,
                       Str partition, const char *level, Str message, DgError *err);

#endif
