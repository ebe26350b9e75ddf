/* index_steps.c - dgc.VectorIndex at run time: one step for each store, so that a pipeline carries those that it uses. */
#include "stdlib-components/vector/vector.h"

#define STEP(store, call)                                                                             \
    static DgStatus store##_index(DgStepRun *run, const void *config, void *state, DgError *err)      \
    {                                                                                                 \
        (void)state;                                                                                  \
        return call;                                                                                  \
    }
STEP(duckdb, vector_index_local(run, config, err))
STEP(chroma, vector_index(run, config, &vector_chroma, err))
STEP(qdrant, vector_index(run, config, &vector_qdrant, err))
STEP(pinecone, vector_index(run, config, &vector_pinecone, err))
STEP(pgvector, vector_index(run, config, &vector_pgvector, err))

#define OPS(store)                                                                                    \
    {                                                                                                 \
        .name = "dgc.VectorIndex", .symbol = "dg_vector_index_" #store "_ops", .role = DG_ACTION,     \
        .fields = dg_vector_index_fields, .config_size = sizeof(VectorIndexStep), .execute = store##_index, \
    }
const DgStepOps dg_vector_index_duckdb_ops = OPS(duckdb);
const DgStepOps dg_vector_index_chroma_ops = OPS(chroma);
const DgStepOps dg_vector_index_qdrant_ops = OPS(qdrant);
const DgStepOps dg_vector_index_pinecone_ops = OPS(pinecone);
const DgStepOps dg_vector_index_pgvector_ops = OPS(pgvector);

/* In the order of VectorStoreChoice. */
const DgStepOps *const dg_vector_index_steps[] = {&dg_vector_index_duckdb_ops, &dg_vector_index_chroma_ops, &dg_vector_index_qdrant_ops,
                                                  &dg_vector_index_pinecone_ops, &dg_vector_index_pgvector_ops, NULL};
