/* toy.h - a small pipeline written by hand, for tests of the runtime.
 *
 *   raw/numbers (source, appends 0..rows-1 once, with a cursor) -> stg/doubled (map)
 *   -> marts/sums (SQL) with blocking check `positive` -> report (a script that speaks Pipes)
 *   parts (SQL, partitions eu and us), alone (does nothing)
 *
 * Its behaviour is set from outside: TOY_ROWS (5000), TOY_FAIL=STEP (every attempt),
 * TOY_FLAKY=STEP:N (the first N attempts cannot reach a service), TOY_CHECK=fail, TOY_SLEEP_MS=N
 * (in `alone`), TOY_SCRIPT=SHELL TEXT (of `report`).
 */
#ifndef TOY_H
#define TOY_H

#include "runtime/pipeline.h"

const DgPipeline *toy_pipeline(void);

#endif
