/* script.h - the step behind dgc.Script, PythonScriptComponent and UvRunComponent.
 *
 * Runs one program by argument list (never a shell), in a process group of its own, and reads what
 * it reports through Dagster Pipes. The component types fill in a ScriptStep; the program itself,
 * its arguments and its environment may hold templates that are bound when the run starts.
 */
#ifndef DGC_SCRIPT_H
#define DGC_SCRIPT_H

#include "runtime/component.h"

typedef struct ScriptStep {
    DgList argv;       /* of DgStr; argv[0] is looked up in PATH, paths within it are relative to
                          `folder` */
    DgStr folder;      /* working directory, project-relative; empty: the project's folder */
    bool pipes;        /* speak Dagster Pipes; false: the exit code alone decides */
    DgList env;        /* of DgPair; added to the inherited environment */
    int64_t timeout;   /* nanoseconds; 0: none */
    DgList extras;     /* of DgPair; PipesContext.extras, as text */
} ScriptStep;

extern const DgField dg_script_step_fields[];
extern const DgStepOps dg_script_ops;

#endif
