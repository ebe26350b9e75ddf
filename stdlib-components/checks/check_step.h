/* check_step.h - one check as a step: a query whose rows are failures. */
#ifndef DGC_CHECK_STEP_H
#define DGC_CHECK_STEP_H

#include "runtime/component.h"

typedef struct CheckStep {
    DgStr asset, check;
    DgCode sql;    /* a DgTemplateFn */
    bool explains; /* the query gives one row at most, its column is what to say */
} CheckStep;

extern const DgStepOps dg_sql_check_ops;

#endif
