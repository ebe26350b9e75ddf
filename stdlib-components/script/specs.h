/* specs.h - what Dagster's script components share: an OpSpec with a program, assets and checks. */
#ifndef DGC_SCRIPT_SPECS_H
#define DGC_SCRIPT_SPECS_H

#include "stdlib-components/script/script.h"

typedef struct ScriptExecution { /* `execution:` */
    DgOpSpec op;
    DgStr type, path;
    DgList args;         /* of DgStr */
} ScriptExecution;
extern const DgField dg_script_execution_fields[];

typedef struct ScriptConfig {
    ScriptExecution execution;
    DgList assets, checks; /* of DgAssetSpec, DgCheckSpec */
    DgStr asset_execution_type;
} ScriptConfig;
extern const DgField dg_script_config_fields[];

/* Declares the assets, checks and the step that runs `program` (ended by NULL), the script's path,
 * its arguments. */
void dg_script_plan(DgPlanner *p, const ScriptConfig *config, const char *const *program);
/* Arguments behind `head`: a list, or text split as a POSIX shell splits words (Python's shlex).
 * `args` is a DG_ONE_OR_MANY field; what waits in it for env or the run goes along. */
DgList dg_script_argv(DgPlanner *p, const DgList *args, const DgStr *head, size_t head_count);
/* Fills a step's `assets` and `checks` from specs, declaring each. */
void dg_script_outputs(DgPlanner *p, const DgList *assets, const DgList *checks, DgStepDecl *step);

#endif
