/* copy_run.h - `dgc copy`: one stream as a pipeline of one step, made in memory and run at once. */
#ifndef DGC_COPY_RUN_H
#define DGC_COPY_RUN_H

#include "runtime/base/base.h"

typedef struct CopyRequest {
    Str source, target;          /* URLs, paths, or names of connections in the environment */
    Str stream, object;          /* empty: from the URLs */
    Str sql, where, select;      /* select: comma list */
    Str mode;                    /* Sling's names; empty: full-refresh, or incremental with an update key */
    Str primary_key, update_key; /* primary_key: comma list */
    Str columns;                 /* `name:type,...` */
    int64_t limit, nesting;      /* nesting: levels of JSON that become columns and tables */
    Str home;                    /* folder for what one run needs; removed by the caller */
    Str progress;                /* as `run --progress` takes it; empty: auto */
    bool json, dry_run;
} CopyRequest;

/* Runs it; everything is said by the run itself. Returns the exit code. */
int copy_run(Arena *a, const CopyRequest *request);
void copy_remove_home(const char *folder);

#endif
