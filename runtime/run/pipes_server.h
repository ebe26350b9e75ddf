/* pipes_server.h - the orchestrator's side of Dagster Pipes, for one attempt of one step.
 *
 * The script's context goes to it in an environment variable; its messages come back through a
 * temporary file. Materializations become metadata of the step's assets, checks its checks, logs
 * its log; `closed` with an exception is the step's failure.
 */
#ifndef DG_PIPES_SERVER_H
#define DG_PIPES_SERVER_H

#include "runtime/run/run.h"

typedef struct PipesServer PipesServer;

DgStatus pipes_server_open(DgStepRun *sr, const DgPair *extras, size_t extras_count,
                           PipesServer **out, DgError *err);
Str pipes_server_context(const PipesServer *s);  /* values of the two variables */
Str pipes_server_messages(const PipesServer *s);
void pipes_server_poll(PipesServer *s);          /* takes the messages that have come */
void pipes_server_finish(PipesServer *s);        /* the last ones, an unfinished line too */
/* What the script said was wrong, or we with what it said; NULL: nothing. */
const DgError *pipes_server_error(const PipesServer *s);
void pipes_server_close(PipesServer *s);         /* NULL is fine */
/* One message line; for tests and fuzzing. */
void pipes_server_line(PipesServer *s, Str line);

#endif
