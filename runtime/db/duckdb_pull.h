/* duckdb_pull.h - dgc_pull(id): the table function through which batches enter DuckDB.
 *
 * A PullJob lives on the stack of dg_session_load while its statement runs. DuckDB's threads find
 * it by its id, each opens a lane and pulls batches until the lane ends.
 */
#ifndef DGC_DUCKDB_PULL_H
#define DGC_DUCKDB_PULL_H

#include "runtime/db/duckdb_internal.h"

struct PullJob {
    int64_t id;
    DgWarehouse *warehouse;
    const DgPull *pull;
    const DgColumn *columns;
    int32_t columns_count;
    int32_t lanes_max;
    PullJob *next;

    pthread_mutex_t lock; /* the rest */
    DgError error;        /* the first that a lane met */
    bool failed;
    int64_t rows;
    int32_t lanes_open;
};

void duck_pull_begin(PullJob *job);
void duck_pull_end(PullJob *job);
/* Runs the INSERT that names the job, which has begun, and ends it. An error of a lane comes back unchanged. */
DgStatus duck_pull_insert(DgSession *s, PullJob *job, Str sql, int64_t *inserted, DgError *err);

#endif
