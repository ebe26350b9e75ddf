/* fixture_run.h - one test of a project, in a folder of its own.
 *
 * The project is copied, the fixture's files and tables are put in, the pipeline is compiled in
 * memory and run there, and what the fixture expects is compared with what came out.
 */
#ifndef DGC_FIXTURE_RUN_H
#define DGC_FIXTURE_RUN_H

#include "compiler/fixture.h"

/* `recording`: the fixture's tape is written into the project instead of being read. In a process of its own: it changes the environment and the working folder. Adds a line to
 * `report` for each thing that is not as expected; true when there is none. `diag` is the fixtures':
 * tables and columns that do not exist are E0901 there. */
bool fixture_run(Arena *a, Diag *diag, const Fixture *f, Str project, bool recording, StrBuf *report);

#endif
