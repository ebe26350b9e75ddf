/* replication.h - a replication as its YAML says, and what becomes of it in the plan. */
#ifndef DGC_SLING_REPLICATION_H
#define DGC_SLING_REPLICATION_H

#include "runtime/copy/settings.h"

typedef struct Replication {
    DgStr source, target;
    DgStreamSettings defaults;
    DgList streams;            /* of DgStreamSettings */
    DgHooks hooks;
    DgList env;                /* of DgValuePair */
} Replication;
extern const DgField dg_replication_fields[];

/* What goes with it: from the component around it. */
typedef struct ReplicationContext {
    DgStr name;                /* of the steps and of the state: the file's stem, or op.name */
    DgList connections;        /* of DgConnEntry */
    const DgOpSpec *op;        /* or NULL */
    DgStr file;                /* the replication's, where it has one of its own */
    const void *translation;   /* field, or NULL */
    DgList include_metadata;   /* of DgStr */
    const void *at;            /* field for what belongs to no stream */
} ReplicationContext;

void dg_replication_plan(DgPlanner *p, const Replication *r, const ReplicationContext *c);

/* check.c: expressions and hooks that will not do; of a stream's own settings, or of `defaults`. */
void dg_replication_check_rules(DgPlanner *p, DgStreamStep *step); /* and makes their loops */
void dg_replication_check_hooks(DgPlanner *p, const DgHooks *hooks, const void *at);
/* Those of the component's connections that hooks name. Of DgConnConfig. */
DgList dg_replication_hook_connections(DgPlanner *p, const ReplicationContext *c, const DgHooks *hooks);
/* `name` as the component or the environment knows it; `field` is where it is written. */
void dg_replication_connection(DgPlanner *p, const ReplicationContext *c, const void *field, DgStr name, DgConnConfig *to);

extern const DgStepOps dg_hooks_ops, dg_hooks_database_ops;
/* merge.c, checks.c, assets.c: a stream's settings, what is wrong with them, its asset (the key comes back). */
void dg_replication_merge(DgPlanner *p, DgStreamSettings *to, const DgStreamSettings *own, const DgStreamSettings *defaults);
void dg_replication_check_connections(DgPlanner *p, const ReplicationContext *c);
void dg_replication_check_whole(DgPlanner *p, const Replication *r, const ReplicationContext *c);
void dg_replication_check(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *own,
                          const DgStreamSettings *merged);
/* *final: the key that `translation` makes of it. */
DgStr dg_replication_asset(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *own, DgStr *final);

extern const DgStepOps dg_stream_ops;          /* needs DuckDB: files, DuckDB, or an end that only the run knows */
extern const DgStepOps dg_stream_database_ops; /* both ends are other databases */
extern const DgStepOps *const dg_replication_steps[];

#endif
