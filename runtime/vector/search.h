/* search.h - a table of queries against an index: a table (query_id, rank, id, score, text, metadata).
 *
 * search.c        the stores that are services
 * search_local.c  DuckDB: every row is measured, see nearest.h
 * ask.c           one question, asked by the command `ask`
 * expect.c        how good the matches are: recall and mean reciprocal rank against what should have been found
 */
#ifndef DGC_VECTOR_SEARCH_H
#define DGC_VECTOR_SEARCH_H

#include "runtime/vector/index.h"

typedef struct VectorExpect {
    DgStr relevant;              /* column of the queries: an id, or a list of them; empty: nothing is expected */
    DgStr by;                    /* what it names: `id`, or a metadata column */
    int64_t k;
    double recall, mrr;          /* at least */
    DgStr recall_check, mrr_check; /* empty: not judged */
} VectorExpect;

typedef struct VectorSearchStep {
    DgStr index, queries, asset;
    DgStr id, embedding, sparse; /* columns of the queries; sparse may be empty */
    int64_t top_k;
    DgValue filter;
    VectorTarget target;
    VectorExpect expect;
} VectorSearchStep;
extern const DgField dg_vector_search_fields[];

DgStatus vector_search(DgStepRun *run, const VectorSearchStep *step, const VectorStoreType *type, DgError *err);
DgStatus vector_search_local(DgStepRun *run, const VectorSearchStep *step, DgError *err);

/* DgStepOps.search. `vector` NULL: only whether the index is there; DG_FAILED when not. */
DgStatus vector_ask(DgStepRun *run, const VectorIndexStep *step, const VectorStoreType *type, const float *vector, int32_t dimensions, int32_t top, DgList *found,
                    DgError *err);
DgStatus vector_ask_local(DgStepRun *run, const VectorIndexStep *step, const float *vector, int32_t dimensions, int32_t top, DgList *found, DgError *err);

/* Makes TEMP TABLE _dgc_queries(n, id, e FLOAT[N], s), numbered from 0; s: sparse values as JSON, or null. */
DgStatus vector_queries(DgStepRun *run, const VectorSearchStep *step, int64_t *dimension, int64_t *count, DgError *err);
/* The step's filter, taken apart. */
DgStatus vector_step_filter(DgStepRun *run, const VectorSearchStep *step, VectorFilter *out, DgError *err);
DgStatus vector_expect(DgStepRun *run, const VectorSearchStep *step, DgError *err);

#endif
