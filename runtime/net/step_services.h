/* step_services.h - the services of a run, for its steps: opened by the first that asks, shared by all. */
#ifndef DGC_STEP_SERVICES_H
#define DGC_STEP_SERVICES_H

#include "runtime/net/service.h"
#include "runtime/run/run.h"

DgStatus step_services(DgStepRun *sr, DgServices **out, DgError *err);
/* A key or token that a step found by itself: never shown. DG_END: the name is set nowhere. */
DgStatus step_secret(DgStepRun *sr, const char *name, Str *out, DgError *err);

#endif
