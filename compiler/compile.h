/* compile.h - from a project folder to a checked plan: the list of passes.
 *
 * Every pass reports to the Diag and goes on with what is sound; compile_project() stops between
 * phases when going on could only report the same fault twice.
 */
#ifndef DGC_COMPILE_H
#define DGC_COMPILE_H

#include "compiler/plan.h"

typedef struct CompileOptions {
    Str project;        /* folder; empty: the current one, or the nearest above that is a project */
    Str select, job;    /* prune to a part; empty: all */
    bool check_sql;     /* bind the models with DuckDB */
    bool lineage;       /* of columns, through SQL models: some 0.3 ms a model */
    bool check_env;     /* E0501/E0503: are the named environment variables set or declared */
    StrArray paths;     /* check only these files (all are loaded) */
} CompileOptions;

typedef struct Compile {
    Arena arena;
    Sources sources;
    Diag diag;
    Plan plan;
    struct Project *project; /* compiler/project.h */
} Compile;

/* False when there are errors; the plan then holds what was sound. */
bool compile_project(Compile *c, const CompileOptions *o);
void compile_release(Compile *c);

/* ---- The component instances between load and plan; compiler/project.h fills them ---- */

typedef struct Instance {
    const DgComponent *component;
    YamlNode *document;    /* the whole YAML document */
    YamlNode *attributes;  /* NULL when not given */
    Str folder;            /* project-relative, of the component file */
    Str file;              /* project-relative */
    Str id;                /* "ingest/defs.yaml[0]" */
    struct Folder *scope;  /* nearest enclosing folder: post_processing, template vars */
    void *config;          /* filled by the pass `resolve` */
    const struct Config *filled; /* the same with its places (config.h) */
    const struct Scope *names;   /* what its templates may use (template.h) */
} Instance;

#endif
