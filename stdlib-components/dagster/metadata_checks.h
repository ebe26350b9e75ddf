/* metadata_checks.h - checks that look at what materializations said about themselves. */
#ifndef DGC_METADATA_CHECKS_H
#define DGC_METADATA_CHECKS_H

#include "runtime/component.h"

typedef struct MetadataCheckStep {
    DgStr asset, check;
    DgStr metadata_key;             /* empty: the asset's columns, against those seen before */
    DgValue min_value, max_value;   /* none: not bounded */
    bool exclusive_min, exclusive_max;
} MetadataCheckStep;

extern const DgStepOps dg_metadata_check_ops;

#endif
