/* step.h - one attempt at a unit, and what its failure leads to. */
#ifndef DG_STEP_H
#define DG_STEP_H

#include "runtime/run/run.h"

/* Returns the unit's next state; WAITING means: again at u->retry_at_ms. Sets u->error. */
UnitState step_attempt(Run *run, Unit *u);
int64_t step_retry_delay_ms(const DgRetry *r, int attempt, const DgError *err);
bool step_may_retry(const DgRetry *r, int attempt, DgStatus status);

/* A step that is asked something without being run: its config bound as for a run, memory until it is closed. */
DgStatus step_question_open(Run *run, int32_t step, DgStepRun **out, DgError *err);
void step_question_close(DgStepRun *sr); /* NULL is fine */

/* What DgStepOps.explain says, in the run's arena. */
DgStatus step_explain(Run *run, int32_t step, Str *text, DgError *err);
/* A step's own cursors (DgStepOps.cursor), its config bound as for a run; text in the run's arena. */
DgStatus step_cursors(Run *run, int32_t step, const Str *value, DgList *cursors, DgError *err);
/* A step's own loads (DgStepOps.packages), likewise. */
DgStatus step_packages(Run *run, int32_t step, const Str *abort, DgList *packages, DgError *err);

#endif
