/* scheduler.h - runs the units of a planned run. */
#ifndef DG_SCHEDULER_H
#define DG_SCHEDULER_H

#include "runtime/run/run.h"

/* Returns when every unit has ended. An error means that not even a thread could be had. */
DgStatus scheduler_run(Run *run, DgError *err);

/* Process groups that are to be killed when the run is stopped. */
void run_child_started(Run *run, pid_t group);
void run_child_ended(Run *run, pid_t group);

/* report.c: the picture of what runs right now. */
void report_live(Run *run);
void report_heartbeat(Run *run);

#endif
