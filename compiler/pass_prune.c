/* pass_prune.c - an executable carries only what its plan uses.
 *
 * With a selection or a job: its assets, the steps that make them, and whatever those steps read
 * (without a step of their own they are external: their tables must be there). In any case code
 * units, SQL and environment variables are gathered from the steps that stay. */
#include <stdlib.h>

#include "compiler/pass.h"
#include "compiler/rows.h"
#include "compiler/sql/sql.h"

/* ---- Choosing ---- */

static const Job *find_job(Plan *plan, Str name)
{
    StrArray names = {0};
    for (size_t i = 0; i < plan->jobs.count; i++) {
        if (str_eq(plan->jobs.items[i]->name, name))
            return plan->jobs.items[i];
        array_add(plan->arena, &names, plan->jobs.items[i]->name);
    }
    DiagItem *it = diag_report(plan->diag, E0301, (Span){0}, "no job is named `%.*s`", FMT(name));
    if (!diag_suggest(it, (Span){0}, "job", name, names.items, names.count) && !names.count)
        diag_help(it, "this project has no jobs; add a component of type `dgc.Job`");
    return NULL;
}

/* Marks wanted steps in keep[step->index]. False: the choice is wrong, and reported. */
static bool choose_steps(Plan *plan, Str select, Str job, bool *keep)
{
    bool *chosen = push(plan->arena, bool, plan->assets.count + 1);
    for (size_t i = 0; i < plan->assets.count; i++)
        chosen[i] = true;
    if (select.len && !plan_select(plan, select, (Span){0}, NULL, chosen))
        return false;
    bool *of_job = chosen;
    if (job.len) {
        const Job *j = find_job(plan, job);
        if (!j)
            return false;
        of_job = push(plan->arena, bool, plan->assets.count + 1);
        for (size_t i = 0; i < j->assets.count; i++)
            of_job[j->assets.items[i]->index] = true;
        for (size_t i = 0; i < j->checks.count; i++)
            of_job[j->checks.items[i]->asset->index] = true;
    }
    for (size_t i = 0; i < plan->assets.count; i++) {
        const Asset *asset = plan->assets.items[i];
        if (!chosen[i] || !of_job[i])
            continue;
        if (asset->step)
            keep[asset->step->index] = true;
        for (size_t k = 0; k < asset->checks.count; k++)
            if (asset->checks.items[k]->step)
                keep[asset->checks.items[k]->step->index] = true;
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.items[i];
        for (size_t j = 0; j < step->around.count && !keep[i]; j++)
            keep[i] = keep[step->around.items[j]->step->index];
    }
    return true;
}

/* ---- Leaving out ---- */

static void prune_steps(Plan *plan, const bool *keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.items[i];
        if (keep[i]) {
            plan->steps.items[kept++] = step;
            continue;
        }
        for (size_t j = 0; j < step->assets.count; j++)
            step->assets.items[j]->step = NULL;
        for (size_t j = 0; j < step->checks.count; j++)
            step->checks.items[j]->step = NULL;
    }
    plan->steps.count = kept;
}

/* Kept: what a step makes, judges or reads. Keys of the others leave the lists of dependencies. */
static void prune_assets(Plan *plan)
{
    bool *needed = push(plan->arena, bool, plan->assets.count + 1);
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.items[i];
        for (size_t j = 0; j < step->assets.count; j++)
            needed[step->assets.items[j]->index] = true;
        for (size_t j = 0; j < step->reads.count; j++)
            needed[step->reads.items[j]->index] = true;
        for (size_t j = 0; j < step->checks.count; j++)
            needed[step->checks.items[j]->asset->index] = true;
    }
    size_t checks = 0;
    for (size_t i = 0; i < plan->checks.count; i++)
        if (plan->checks.items[i]->step)
            plan->checks.items[checks++] = plan->checks.items[i];
    plan->checks.count = checks;
    size_t kept = 0;
    Map by_key = {0};
    for (size_t i = 0; i < plan->assets.count; i++) {
        Asset *asset = plan->assets.items[i];
        if (!needed[i])
            continue;
        if (!asset->step) { /* its own making is no concern of this executable */
            asset->dep_keys.count = 0;
            asset->lineage.count = 0;
        }
        plan->assets.items[kept++] = asset;
        map_put(plan->arena, &by_key, asset->key, asset);
    }
    plan->assets.count = kept;
    plan->asset_by_key = by_key;
    plan->select_nodes = NULL;
}

static bool still_there(const Plan *plan, Asset *const *assets, size_t count,
                        Check *const *checks, size_t checks_count)
{
    for (size_t i = 0; i < count; i++)
        if (!assets[i]->step || plan_asset(plan, assets[i]->key) != assets[i])
            return false;
    for (size_t i = 0; i < checks_count; i++)
        if (!checks[i]->step)
            return false;
    return count + checks_count > 0;
}

/* A job of which a part is gone could not do what its name says. */
static void prune_jobs(Plan *plan, Str wanted)
{
    size_t jobs = 0, schedules = 0;
    for (size_t i = 0; i < plan->jobs.count; i++) {
        Job *job = plan->jobs.items[i];
        bool keep = (!wanted.len || str_eq(job->name, wanted)) &&
                    still_there(plan, job->assets.items, job->assets.count, job->checks.items,
                                job->checks.count);
        job->index = keep ? (int)jobs : -1;
        if (keep)
            plan->jobs.items[jobs++] = job;
    }
    plan->jobs.count = jobs;
    for (size_t i = 0; i < plan->schedules.count; i++) {
        Schedule *s = plan->schedules.items[i];
        bool keep = s->job ? s->job->index >= 0
                           : !wanted.len && still_there(plan, s->assets.items, s->assets.count,
                                                        s->checks.items, s->checks.count);
        if (!keep)
            continue;
        s->index = (int)schedules;
        plan->schedules.items[schedules++] = s;
    }
    plan->schedules.count = schedules;
}

/* ---- Gathering what stays ---- */

static void gather_partitions(Plan *plan)
{
    plan->partitions.count = 0;
    for (size_t i = 0; i < plan->assets.count; i++)
        if (plan->assets.items[i]->partitions)
            plan->assets.items[i]->partitions->index = -1;
    for (size_t i = 0; i < plan->assets.count; i++) {
        Partitions *p = plan->assets.items[i]->partitions;
        if (!p || p->index >= 0)
            continue;
        p->index = (int)plan->partitions.count;
        array_add(plan->arena, &plan->partitions, p);
    }
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const EnvVar *)a)->name, ((const EnvVar *)b)->name);
}

static void gather_code(Plan *plan)
{
    plan->code.count = plan->env.count = 0;
    plan->env_by_name = (Map){0};
    Map seen = {0};
    for (size_t i = 0; i < plan->steps.count; i++) {
        const Step *step = plan->steps.items[i];
        for (size_t j = 0; j < step->bindings.count; j++) {
            const Binding *b = &step->bindings.items[j];
            env_gather(plan, b->value, b->kind == DG_F_SECRET);
        }
        for (size_t j = 0; j < step->code.count; j++) {
            CodeUnit *unit = step->code.items[j].unit;
            Str id = {(const char *)&step->code.items[j].unit, sizeof unit};
            if (map_has(&seen, id))
                continue;
            map_put(plan->arena, &seen, id, unit);
            array_add(plan->arena, &plan->code, unit);
            if (unit->kind == CODE_TEMPLATE && unit->as.sql->rendered)
                env_gather(plan, unit->as.sql->rendered, false);
            if (unit->kind == CODE_TEXT)
                env_gather(plan, unit->as.text, false);
        }
    }
    for (size_t i = 0; i < plan->env_by_name.entries.count; i++)
        array_add(plan->arena, &plan->env,
                  *(EnvVar *)plan->env_by_name.entries.items[i].value);
    if (plan->env.count > 1)
        qsort(plan->env.items, plan->env.count, sizeof(EnvVar), by_name);
}

void pass_prune(Plan *plan, Str select, Str job)
{
    if (select.len || job.len) {
        bool *keep = push(plan->arena, bool, plan->steps.count + 1);
        if (!choose_steps(plan, select, job, keep))
            return;
        prune_steps(plan, keep);
        prune_assets(plan);
        pass_connect(plan);
        pass_order(plan);
        prune_jobs(plan, job);
        plan->resources.count = 0; /* shown by `list`, read by no step */
    }
    gather_partitions(plan);
    gather_code(plan);
}
