/* pass.h - the passes between the components' plan() and codegen, one verb each.
 *
 * Every pass takes the Plan, reports to its Diag and goes on with what is sound. compile.c has the
 * list and the order; each has a file pass_VERB.c.
 */
#ifndef DGC_PASS_H
#define DGC_PASS_H

#include "compiler/compile.h"
#include "compiler/planner.h"

/* Fills each instance's config. False for one means: it has errors and is not planned. */
void pass_resolve(Builder *b, Instance *const *instances, size_t count);

/* Dependency keys become assets; keys that nothing declares become stubs. Sorts assets and checks
 * and gives them their indices; reads of steps become assets. */
void pass_connect(Plan *plan);

/* E0202 for tables that a step reads and nothing makes. */
void pass_reads(Plan *plan);

/* Assets of one step share their partitions; the step has them too. */
void pass_partition(Plan *plan);

/* Cycles (E0203), then steps in run order: after all that they read, ties by name. Also fills
 * Step.after. False: there is a cycle. */
bool pass_order(Plan *plan);

/* Jobs and schedules: names, cron, zones, selections (E0301, E0302, E0303, W0305). */
void pass_check(Plan *plan);

/* What the selection or job does not need vanishes: steps, code units, jobs, schedules, assets.
 * Empty texts keep every asset; code, env and SQL are gathered in any case. */
void pass_prune(Plan *plan, Str select, Str job);

/* The assets that a selection names; reports E0301/E0202 with the exact place inside the YAML
 * scalar. `node` may be NULL. chosen[asset->index]. */
bool plan_select(Plan *plan, Str text, Span at, const YamlNode *node, bool *chosen);

struct SelectError; /* runtime/base/select.h */
void plan_report_selection(Plan *plan, Span at, const YamlNode *node,
                           const struct SelectError *err);

/* post_processing of component files: own document first, then enclosing folders outwards.
 * post_process.c */
void pass_post_process(Plan *plan, Instance *const *instances, size_t count);

/* E0501, E0503: the environment variables that components use. */
struct Project;
void pass_env(Plan *plan, const struct Project *project);

/* Every environment variable that a residual reads, into plan->env. env_use.c */
void env_gather(Plan *plan, const Residual *residual, bool secret);

/* `build_env` of dgc.yaml, into plan->build_env; needs .env. False: reported. build_env.c */
bool build_env_read(Compile *c);
void build_env_scope(const Plan *plan, Scope *scope); /* `env` of this scope knows them */
/* Answers for build_env, DG_TEMPFAIL for every other name; ctx is the Plan. */
DgStatus build_env_get(void *ctx, Str name, Str *out, bool *secret, DgError *err);

#endif
