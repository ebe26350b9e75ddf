/* model_step.h - one SQL model as a step: what it is told at compile time. */
#ifndef DGC_MODEL_STEP_H
#define DGC_MODEL_STEP_H

#include "runtime/component.h"

typedef enum Materialized { MODEL_VIEW, MODEL_TABLE, MODEL_INCREMENTAL } Materialized;
typedef enum Strategy { STRATEGY_DELETE_INSERT, STRATEGY_APPEND, STRATEGY_MERGE } Strategy;
typedef enum SchemaChange { SCHEMA_IGNORE, SCHEMA_FAIL, SCHEMA_APPEND } SchemaChange;
extern const char *const dg_materialized_names[];
extern const char *const dg_strategy_names[];
extern const char *const dg_schema_change_names[];

typedef struct ModelHook {
    DgCode sql; /* a DgTemplateFn: any statements */
} ModelHook;

typedef struct ModelStep {
    DgStr asset, schema, table;
    int32_t materialized, strategy, on_schema_change;
    DgList unique_key; /* of DgStr */
    DgCode sql;        /* a DgTemplateFn: one SELECT */
    DgList pre_hook, post_hook; /* of ModelHook: run before and after, in the same transaction */
} ModelStep;

extern const DgStepOps dg_sql_model_ops;

#endif
