/* search_steps.c - dgc.VectorSearch at run time: one step for each store, so that a pipeline carries those that it uses. */
#include "stdlib-components/vector/vector.h"

#define STEP(store, call)                                                                             \
    static DgStatus store##_search(DgStepRun *run, const void *config, void *state, DgError *err)     \
    {                                                                                                 \
        (void)state;                                                                                  \
        return call;                                                                                  \
    }
STEP(duckdb, vector_search_local(run, config, err))
STEP(chroma, vector_search(run, config, &vector_chroma, err))
STEP(qdrant, vector_search(run, config, &vector_qdrant, err))
STEP(pinecone, vector_search(run, config, &vector_pinecone, err))
STEP(pgvector, vector_search(run, config, &vector_pgvector, err))

#define OPS(store)                                                                                    \
    {                                                                                                 \
        .name = "dgc.VectorSearch", .symbol = "dg_vector_search_" #store "_ops", .role = DG_ACTION,   \
        .fields = dg_vector_search_fields, .config_size = sizeof(VectorSearchStep), .execute = store##_search, \
    }
const DgStepOps dg_vector_search_duckdb_ops = OPS(duckdb);
const DgStepOps dg_vector_search_chroma_ops = OPS(chroma);
const DgStepOps dg_vector_search_qdrant_ops = OPS(qdrant);
const DgStepOps dg_vector_search_pinecone_ops = OPS(pinecone);
const DgStepOps dg_vector_search_pgvector_ops = OPS(pgvector);

/* In the order of VectorStoreChoice. */
const DgStepOps *const dg_vector_search_steps[] = {&dg_vector_search_duckdb_ops, &dg_vector_search_chroma_ops, &dg_vector_search_qdrant_ops,
                                                   &dg_vector_search_pinecone_ops, &dg_vector_search_pgvector_ops, NULL};
