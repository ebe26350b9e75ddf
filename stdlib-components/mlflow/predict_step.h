/* predict_step.h - dgc.Predict when it runs: batches of rows to a model's server. */
#ifndef DGC_PREDICT_STEP_H
#define DGC_PREDICT_STEP_H

#include "runtime/llm/output.h"

typedef enum PredictFormat { PREDICT_SPLIT, PREDICT_RECORDS, PREDICT_INPUTS } PredictFormat;
extern const char *const dg_predict_formats[];

typedef struct PredictStep {
    DgStr from, asset;
    DgStr url, endpoint, token; /* endpoint: of Databricks; url empty: DATABRICKS_HOST */
    DgList features, keep;      /* of DgStr; empty: all columns */
    DgList output;              /* of OutputField */
    DgList params;              /* of DgValuePair */
    int32_t format;
    int64_t batch, concurrency, retries, timeout, limit; /* timeout: nanoseconds */
} PredictStep;

extern const DgStepOps dg_predict_ops;

#endif
