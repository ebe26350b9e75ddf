/* user_component.h - components/NAME.c of a project: compiled when the project is read, then like
 * any other component type.
 *
 * The compiler itself knows no libtcc: main() says how such a file is compiled. What the compiler
 * complains about becomes E0801 at the file and line; a plan() that crashes does so too, and dgc
 * goes on.
 */
#ifndef DGC_USER_COMPONENT_H
#define DGC_USER_COMPONENT_H

#include "compiler/compile.h"
#include "compiler/planner.h"

typedef struct UserSource { /* one components/X.c of the project */
    Str path;              /* on disk */
    Str shown;             /* project-relative: what enters messages and debug information */
} UserSource;
typedef Array(UserSource) UserSources;

typedef struct UserModule { /* what the compiler made of it; lives until the process ends */
    Array(const DgComponent *) components; /* every `dg_component_NAME` in it */
    StrArray complaints;                   /* "file:line: error: message"; then there are none */
} UserModule;

/* False: see complaints. */
typedef bool UserComponentCompile(Arena *a, const UserSource *source, UserModule *out);
void user_component_compiler(UserComponentCompile *compile); /* none: components/ is not read */

/* Before the project's YAML is read: compiles and registers. */
void user_components_load(Compile *c);
/* After it: that a type is unknown only because its component does not compile is not said again. */
void user_components_settle(Compile *c);
bool user_component_is(const Plan *plan, const DgComponent *component);
/* builder_plan() for an instance of a user's component: a crash in it is E0801. */
void user_component_plan(Builder *b, const Instance *instance);
/* Fills plan->user_sources: the files whose steps are still in the plan. */
void user_components_needed(Plan *plan);

#endif
