/* embed_step.h - dgc.Embed when it runs: a vector for each row's text. */
#ifndef DGC_EMBED_STEP_H
#define DGC_EMBED_STEP_H

#include "runtime/llm/session.h"

typedef struct EmbedStep {
    DgStr from, asset, column, into; /* into: column of the vector */
    LlmSettings llm;
    int64_t dimensions;       /* 0: the model's */
    int64_t batch;            /* texts of a request */
} EmbedStep;

extern const DgStepOps dg_embed_ops;

#endif
