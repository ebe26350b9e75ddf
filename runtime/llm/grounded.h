/* grounded.h - an answer out of numbered passages, and what it says to rest on.
 *
 * The model sees nothing but the question and the passages; these are data to it, and its answer is data to us: it
 * is shown without control characters, and what it cites is looked up, never believed.
 */
#ifndef DGC_LLM_GROUNDED_H
#define DGC_LLM_GROUNDED_H

#include "runtime/component.h"
#include "runtime/llm/session.h"

typedef struct GroundedSettings {
    LlmSettings llm;
    DgStr instructions;       /* what else holds for an answer; may be empty */
    int64_t tokens_max;
    double temperature;       /* negative: the service's default */
} GroundedSettings;
extern const DgField grounded_settings_fields[]; /* of a step: embed with DG_FIELD_STRUCT */

/* DgStepOps.answer. Comes out of the cache where the same was asked before. DG_TEMPFAIL: the budget does not allow it. */
DgStatus grounded_answer(DgStepRun *sr, const GroundedSettings *g, DgStr question, const DgList *passages, DgAnswer *out, DgError *err);

#endif
