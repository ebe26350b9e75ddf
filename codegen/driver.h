/* driver.h - from C text to something that runs.
 *
 *   gcc, clang   -O2, linked with the archives beside dgc (lib/LINK) by the fastest linker there is
 *   tcc          libtcc compiles and links: no other compiler is needed, about 0.2 s
 *   jit          libtcc in memory, `dgc run`: what emitted code calls is looked up in dgc itself
 *
 * Same text, same archives, same bytes: no time, no path and no user name enters the output.
 */
#ifndef DGC_DRIVER_H
#define DGC_DRIVER_H

#include "runtime/base/base.h"
#include "runtime/pipeline.h"

typedef struct BuildJob {
    Str text;              /* the emitted program */
    StrArray user_sources; /* the project's components/X.c: paths on disk */
    Str output;            /* path on disk */
    Str driver;            /* "auto", "gcc", "clang", "tcc" */
    bool needs_duckdb;     /* the executable carries DuckDB, compressed */
    bool debug;            /* -g, not stripped */
} BuildJob;

typedef struct BuildResult {
    Str driver, linker;    /* what was used */
    int64_t bytes;
} BuildResult;

/* Writes the executable atomically. On failure nothing is left behind. A compiler's complaint about
 * emitted code is our mistake: DG_BUG, with its first lines in the message. */
DgStatus driver_build(Arena *a, const BuildJob *job, BuildResult *out, DgError *err);

/* The folder `lib` beside the dgc that runs. */
Str driver_lib(Arena *a);
/* First of the names found on PATH; NULL when none is. */
const char *driver_find(Arena *a, const char *const *names);

/* driver_tcc.c */
DgStatus driver_tcc_build(Arena *a, const BuildJob *job, Str output, DgError *err);
/* Compiles in memory. The pipeline's tables live until the process ends. */
DgStatus driver_jit(Arena *a, Str text, const StrArray *user_sources, const DgPipeline **out,
                    DgError *err);
/* One component of the project: its descriptor. Complaints come as "file:line: message" lines. */
DgStatus driver_component(Arena *a, Str path, const DgComponent **out, StrBuf *complaints,
                          DgError *err);

#endif
