/* driver.h - from C text to something that runs.
 *
 *   gcc, clang   -O2, linked with the archives beside dgc (lib/LINK) by the fastest linker there is
 *   tcc          libtcc compiles and links: no other compiler is needed, about 0.3 s
 *   pack         a prebuilt runner with the program's object appended: nothing at all is needed
 *   jit          libtcc in memory, `dgc run`
 *
 * Same text, same archives, same bytes: no time, no path and no user name enters the output.
 */
#ifndef DGC_DRIVER_H
#define DGC_DRIVER_H

#include "compiler/plan.h"
#include "compiler/user_component.h"
#include "runtime/pipeline.h"

typedef struct BuildJob {
    Str text;              /* the emitted program */
    UserSources user_sources;
    Str output;            /* path on disk */
    Str driver;            /* "auto", "gcc", "clang", "tcc", "pack" */
    bool needs_duckdb;     /* the executable carries DuckDB, compressed */
    bool debug;            /* -g, not stripped */
} BuildJob;

typedef struct BuildResult {
    Str driver, linker;    /* what was used */
    int64_t bytes;
} BuildResult;

/* Writes the executable atomically. On failure nothing is left behind. A compiler's complaint about
 * emitted code is our mistake: DG_BUG, with its first lines in the message and the C text kept. A
 * complaint about a component of the project is DG_FAILED. */
DgStatus driver_build(Arena *a, const BuildJob *job, BuildResult *out, DgError *err);

/* Compiles in memory. The pipeline's tables live until the process ends. driver_jit.c */
DgStatus driver_jit(Arena *a, Str text, const UserSources *user_sources, const DgPipeline **out,
                    DgError *err);

/* One component of the project, in memory until the process ends. Also checks that emitted code will
 * find its ops under their `symbol`. A UserComponentCompile. driver_jit.c */
bool driver_component(Arena *a, const UserSource *source, UserModule *out);

/* The project's components that a plan needs. */
void user_sources_of(Arena *a, const Plan *plan, UserSources *out);

/* The folder `lib` beside the dgc that runs. */
Str driver_lib(Arena *a);
/* First of the names found on PATH; NULL when none is. */
const char *driver_find(Arena *a, const char *const *names);

#endif
