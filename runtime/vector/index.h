/* index.h - a table of embeddings kept in a vector store: only what has changed is sent, what vanished goes.
 *
 * source.c   what the table has: columns, dimension, and for each record a hash of all that is sent
 * ledger.c   what the store had when the last run ended well, in the warehouse: good as long as nothing has
 *            been written to the store since. A run marks it as not good before it writes, and as good in the
 *            step's own transaction; when it is not good the store itself is listed
 * index.c    the stores that are services
 * local.c    DuckDB: the index is the asset's table
 */
#ifndef DGC_VECTOR_INDEX_H
#define DGC_VECTOR_INDEX_H

#include "runtime/llm/grounded.h"
#include "runtime/run/run.h"
#include "runtime/vector/store.h"

typedef struct VectorIndexStep {
    DgStr from, asset;
    DgStr id, text, embedding, sparse; /* columns of `from`; text and sparse may be empty */
    DgList metadata;                   /* of DgStr; */
    bool all_metadata;                 /* every column that has no other role */
    bool rebuild;
    int64_t wait;                      /* nanoseconds that an eventual store has to show what was written */
    VectorTarget target;
    GroundedSettings answer;           /* of `ask`; no model: passages alone */
} VectorIndexStep;
extern const DgField dg_vector_index_fields[], dg_vector_target_fields[];

DgStatus vector_index(DgStepRun *run, const VectorIndexStep *step, const VectorStoreType *type, DgError *err);
DgStatus vector_table_there(DgStepRun *run, Str table, bool *there, DgError *err); /* in DuckDB; `table` quoted */
DgStatus vector_index_local(DgStepRun *run, const VectorIndexStep *step, DgError *err);

/* ---- source.c ---- */

typedef struct VectorColumn {
    Str name, type;              /* as DuckDB says it */
} VectorColumn;

typedef struct VectorSource {
    DgStepRun *run;
    const VectorIndexStep *step;
    Str table;                   /* quoted */
    const VectorColumn *metadata;
    size_t metadata_count;
    int64_t dimension;           /* 0: there are no rows to tell it */
    int64_t rows, skipped;       /* that can be sent; without numbers or direction */
} VectorSource;

/* Columns of a table or query. */
DgStatus vector_columns(DgStepRun *run, Str table, const VectorColumn **out, size_t *count, DgError *err);
/* FLOAT[384]: 384; FLOAT[] and other lists of numbers: 0; anything else: -1. */
int64_t vector_type_dimension(Str type);
/* Looks at the table and makes TEMP TABLE _dgc_wanted(id, hash). `type` NULL: DuckDB. DG_DATA with the id of a
 * row that cannot be sent. */
DgStatus vector_source(DgStepRun *run, const VectorIndexStep *step, const VectorStoreType *type, VectorSource *out, DgError *err);
/* SQL of parts of a record, over the source's own columns: */
Str vector_sql_hash(const VectorSource *s, const VectorStoreType *type, Str text, Str embedding);
Str vector_sql_metadata(const VectorSource *s, const VectorStoreType *type); /* members of a JSON object */
/* {"indices":[...],"values":[...]}; null where there are none. `name`: of a column, empty: there is none. */
Str vector_sql_sparse(DgStepRun *run, Str name);
DgStatus vector_check_sparse(Str asset, const VectorColumn *column, DgError *err); /* DG_CONFIG: it cannot be such a column */
Str vector_sql_embedding(const VectorSource *s);                             /* FLOAT[N] */

/* ---- ledger.c: TEMP TABLE _dgc_have(id, hash) ---- */

typedef struct VectorLedger {
    Str target;                  /* which collection, as text */
    Str identity;                /* VectorInfo.identity at the time */
    int64_t rows;
    bool good;
} VectorLedger;

/* Before the step's own transaction begins. Commits that nothing is known from now on. */
DgStatus vector_ledger_open(DgStepRun *run, Str target, VectorLedger *out, DgError *err);
DgStatus vector_ledger_have(DgStepRun *run, DgError *err);
/* In the step's transaction: the store has what _dgc_wanted says. `changed`: _dgc_have, _dgc_send and _dgc_gone say what
 * is different from the ledger; else it is written anew. */
DgStatus vector_ledger_keep(DgStepRun *run, const VectorLedger *l, Str identity, int64_t rows, bool changed, DgError *err);

/* ---- Helpers ---- */

/* Runs SQL made like printf does. */
DgStatus vector_sql(DgStepRun *run, DgError *err, const char *fmt, ...) DG_PRINTF(3, 4);
DgStatus vector_sql_int(DgStepRun *run, int64_t *out, DgError *err, const char *fmt, ...) DG_PRINTF(4, 5);
DgStatus vector_sql_text(DgStepRun *run, Str *out, DgError *err, const char *fmt, ...) DG_PRINTF(4, 5);

#endif
