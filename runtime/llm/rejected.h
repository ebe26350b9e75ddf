/* rejected.h - rows that a service could not answer: kept with the reason, then loaded into ASSET_rejected. */
#ifndef DGC_LLM_REJECTED_H
#define DGC_LLM_REJECTED_H

#include "runtime/run/run.h"

typedef struct RejectedRow {
    Str row, reason, reply;
    const char *kind;
} RejectedRow;

typedef struct Rejected {
    Arena arena;
    Array(RejectedRow) rows;
    size_t bytes;
    size_t next;             /* read by the load */
} Rejected;

void rejected_open(Rejected *r);
void rejected_close(Rejected *r);
/* `kind`: a constant, "invalid"; `reply`: what the service said, cut and cleaned. DG_DATA: there are too many. */
DgStatus rejected_add(Rejected *r, DgEval *ev, const DgBatch *in, int32_t row, const char *kind, Str reason, Str reply, DgError *err);
/* Replaces the table, and tells: metadata NAME with the count, and a warning when there are any. */
DgStatus rejected_load(Rejected *r, DgStepRun *sr, DgStr asset, const char *name, DgError *err);

#endif
