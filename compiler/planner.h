/* planner.h - DgPlanApi: what components call while they plan, and what it writes into the Plan.
 *
 * One Builder for a project, one DgPlanner for each instance. The Builder remembers every address
 * that any config has filled, so that values which wait for the environment follow their member
 * into step configs, also when they come from another component (a connection).
 */
#ifndef DGC_PLANNER_H
#define DGC_PLANNER_H

#include "compiler/compile.h"
#include "compiler/config.h"
#include "runtime/base/path.h"

typedef struct Builder {
    Plan *plan;
    Str root;        /* project folder on disk */
    Str defs;        /* its defs folder, project-relative: what load_component() counts from */
    const Instance *current; /* whose templates are being evaluated */
    Map places;      /* bytes of an address -> ConfigPlace */
    Map slots;       /* bytes of the address of a DgCode -> CodeUnit */
    Map steps, jobs, schedules, resources, checks; /* by name: the first that has it */
    Map translated;  /* "instance key" -> Asset, where `translation` gave another key */
    Map asked;       /* SQL units that sql_config() has made and sql() has not taken yet */
    Map written;     /* bytes of a YamlNode's address -> Str*: its text before ${NAME} was read */
    Map instances;   /* by id -> Instance: what load_component() refers to */
} Builder;

void builder_init(Builder *b, Plan *plan, Str root);
/* Called for every Config as soon as it is filled. */
void builder_add_config(Builder *b, const Config *config);
/* Calls the component's plan() for a resolved instance. */
void builder_plan(Builder *b, const Instance *instance);

/* glob.c: files under `root` that match, project-relative, sorted bytewise. When a folder of the
 * project cannot be read, *err says so; folders elsewhere that are closed to us count as empty. */
StrArray glob_files(Arena *arena, Str root, Str pattern, DgError *err);

#endif
