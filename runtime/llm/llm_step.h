/* llm_step.h - one question per row, when it runs: the step of dgc.Llm, and of dgc.Predict with a language model. */
#ifndef DGC_LLM_STEP_H
#define DGC_LLM_STEP_H

#include "runtime/llm/output.h"
#include "runtime/llm/session.h"

typedef struct LlmExample { /* of the prompt: a question and its answer */
    DgStr input, output;
} LlmExample;
extern const DgField llm_example_fields[];

typedef struct LlmStep {
    DgStr from, asset;
    LlmSettings llm;
    DgCode prompt;            /* a DgTemplateFn over `row` */
    DgStr rule;               /* of the task; stands before: */
    DgStr system;
    DgStr image, effort, column;
    DgList output;            /* of OutputField; empty: the answer's text goes to `column` */
    DgList examples;          /* of LlmExample */
    DgList keep;              /* of DgStr: columns of `from` in the table; empty: all */
    int64_t tokens_max, repairs, limit, seed;
    int64_t pack;             /* rows of a call */
    double temperature;
    bool batch;               /* rather than calls, as far as it gets */
} LlmStep;

extern const DgField llm_step_fields[];
extern const DgStepOps dg_llm_ops;
/* The JSON Schema of `fields`, as `write` puts it; lives as long as the step runs. */
DgStatus llm_schema(DgStepRun *sr, void (*write)(const DgList *fields, StrBuf *out), const DgList *fields, DgStr *out, DgError *err);

#endif
