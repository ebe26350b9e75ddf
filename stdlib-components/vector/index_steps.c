/* index_steps.c - dgc.VectorIndex at run time: one step for each store, with and without a model that answers, so that a
 * pipeline carries those that it uses. */
#include "stdlib-components/vector/vector.h"

#define STEP(store, call, ask)                                                                                                   \
    static DgStatus store##_index(DgStepRun *run, const void *config, void *state, DgError *err)                                 \
    {                                                                                                                            \
        (void)state;                                                                                                             \
        return call;                                                                                                             \
    }                                                                                                                            \
    static DgStatus store##_ask(DgStepRun *run, const void *config, const float *vector, int32_t dimensions, int32_t top,         \
                                DgList *found, DgError *err)                                                                     \
    {                                                                                                                            \
        return ask;                                                                                                              \
    }
#define SERVICE(store)                                                          \
    STEP(store, vector_index(run, config, &vector_##store, err),                \
         vector_ask(run, config, &vector_##store, vector, dimensions, top, found, err))
STEP(duckdb, vector_index_local(run, config, err), vector_ask_local(run, config, vector, dimensions, top, found, err))
SERVICE(chroma)
SERVICE(qdrant)
SERVICE(pinecone)
SERVICE(pgvector)

static DgStatus answer(DgStepRun *run, const void *config, DgStr question, const DgList *passages, DgAnswer *out, DgError *err)
{
    const VectorIndexStep *step = config;
    return grounded_answer(run, &step->answer, question, passages, out, err);
}

#define OPS(store, variant, answering)                                                                     \
    {                                                                                                      \
        .name = "dgc.VectorIndex", .symbol = "dg_vector_index_" #store variant "_ops", .role = DG_ACTION,  \
        .fields = dg_vector_index_fields, .config_size = sizeof(VectorIndexStep), .execute = store##_index, \
        .search = store##_ask, .answer = answering,                                                        \
    }
const DgStepOps dg_vector_index_duckdb_ops = OPS(duckdb, "", NULL);
const DgStepOps dg_vector_index_chroma_ops = OPS(chroma, "", NULL);
const DgStepOps dg_vector_index_qdrant_ops = OPS(qdrant, "", NULL);
const DgStepOps dg_vector_index_pinecone_ops = OPS(pinecone, "", NULL);
const DgStepOps dg_vector_index_pgvector_ops = OPS(pgvector, "", NULL);
const DgStepOps dg_vector_index_duckdb_answer_ops = OPS(duckdb, "_answer", answer);
const DgStepOps dg_vector_index_chroma_answer_ops = OPS(chroma, "_answer", answer);
const DgStepOps dg_vector_index_qdrant_answer_ops = OPS(qdrant, "_answer", answer);
const DgStepOps dg_vector_index_pinecone_answer_ops = OPS(pinecone, "_answer", answer);
const DgStepOps dg_vector_index_pgvector_answer_ops = OPS(pgvector, "_answer", answer);

/* In the order of VectorStoreChoice; then those that answer. */
const DgStepOps *const dg_vector_index_steps[] = {
    &dg_vector_index_duckdb_ops,        &dg_vector_index_chroma_ops,        &dg_vector_index_qdrant_ops,
    &dg_vector_index_pinecone_ops,      &dg_vector_index_pgvector_ops,      &dg_vector_index_duckdb_answer_ops,
    &dg_vector_index_chroma_answer_ops, &dg_vector_index_qdrant_answer_ops, &dg_vector_index_pinecone_answer_ops,
    &dg_vector_index_pgvector_answer_ops, NULL,
};
