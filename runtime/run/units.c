/* From what was asked for to the units that do it. */
#include "runtime/run/run.h"

#include "runtime/base/select.h"
#include "runtime/os/os.h"

const char *unit_state_name(UnitState s)
{
    static const char *const names[] = {"waiting",   "running", "succeeded", "failed",
                                        "skipped", "cancelled", "unknown",   "done-before"};
    return names[s];
}

Str unit_name(const Run *run, const Unit *u)
{
    Arena *a = (Arena *)(uintptr_t)&run->arena;
    if (u->partition.len == 0)
        return u->def->name;
    return str_format(a, "%.*s[%.*s]", FMT(u->def->name), FMT(u->partition));
}

const DgSite *run_site(const DgPipeline *p, int32_t index)
{
    return index >= 0 && index < p->sites_count ? &p->sites[index] : NULL;
}

/* ---- What is chosen ---- */

static SelectGraph graph_of(const DgPipeline *p, Arena *a)
{
    SelectNode *nodes = push(a, SelectNode, p->assets_count + 1);
    for (int32_t i = 0; nodes && i < p->assets_count; i++) {
        const DgAssetDef *d = &p->assets[i];
        _Static_assert(sizeof(DgPair) == sizeof(struct SelectTag), "tags are laid out alike");
        nodes[i] = (SelectNode){.key = d->key,
                                .group = d->group,
                                .kinds = d->kinds.items,
                                .kinds_count = d->kinds.count,
                                .owners = d->owners.items,
                                .owners_count = d->owners.count,
                                .tags = (const struct SelectTag *)(const void *)d->tags,
                                .tags_count = d->tags_count,
                                .deps = d->deps.items,
                                .deps_count = d->deps.count};
    }
    return (SelectGraph){nodes, nodes ? p->assets_count : 0, false};
}

static DgStatus choose_by_text(const DgPipeline *p, Arena *a, Str text, bool *assets, DgError *err)
{
    SelectGraph graph = graph_of(p, a);
    SelectError bad;
    if (select_assets(a, &graph, text, assets, &bad))
        return DG_OK;
    dg_fail(err, DG_USAGE, "%.*s (in --select `%.*s`, at character %lld)", FMT(bad.message),
            FMT(text), (long long)bad.offset + 1);
    if (bad.help.len)
        dg_hint(err, "%.*s", FMT(bad.help));
    return DG_USAGE;
}

static const DgJobDef *find_job(const DgPipeline *p, Str name, DgError *err)
{
    Str near = {0};
    int best = 3;
    for (int32_t i = 0; i < p->jobs_count; i++) {
        if (str_eq(p->jobs[i].name, name))
            return &p->jobs[i];
        int distance = str_distance(name, p->jobs[i].name, best);
        if (distance <= best) {
            near = p->jobs[i].name;
            best = distance - 1;
        }
    }
    dg_fail(err, DG_USAGE, "there is no job `%.*s`", FMT(name));
    if (near.len)
        dg_hint(err, "a similar job exists: `%.*s`", FMT(near));
    else
        dg_hint(err, p->jobs_count ? "`list` shows the jobs" : "this pipeline has no jobs");
    return NULL;
}

DgStatus run_choose(const DgPipeline *p, Arena *a, Str select, Str job, bool *assets, bool *checks,
                    DgError *err)
{
    const DgJobDef *def = NULL;
    if (job.len && !(def = find_job(p, job, err)))
        return DG_USAGE;
    for (int32_t i = 0; i < p->assets_count; i++)
        assets[i] = !def;
    for (int32_t i = 0; def && i < def->assets.count; i++)
        assets[def->assets.items[i]] = true;
    if (select.len) {
        bool *by_text = push(a, bool, p->assets_count + 1);
        if (!by_text)
            return os_no_memory(err, "choosing assets");
        DG_TRY(choose_by_text(p, a, select, by_text, err));
        for (int32_t i = 0; i < p->assets_count; i++)
            assets[i] = assets[i] && by_text[i];
    }
    for (int32_t i = 0; i < p->checks_count; i++)
        checks[i] = assets[p->checks[i].asset] && !def;
    for (int32_t i = 0; def && i < def->checks.count; i++)
        checks[def->checks.items[i]] = !select.len || assets[p->checks[def->checks.items[i]].asset];
    /* A job that names no checks still runs those of its assets. */
    if (def && def->checks.count == 0)
        for (int32_t i = 0; i < p->checks_count; i++)
            checks[i] = assets[p->checks[i].asset];
    return DG_OK;
}

static bool step_chosen(const Run *run, int32_t step)
{
    const DgStepDef *def = &run->pipeline->steps[step];
    for (int32_t i = 0; i < def->assets.count; i++)
        if (run->asset_chosen[def->assets.items[i]])
            return true;
    for (int32_t i = 0; i < def->around.count; i++)
        if (run->asset_chosen[def->around.items[i]])
            return true;
    if (def->assets.count || def->around.count)
        return false;
    for (int32_t i = 0; i < def->checks.count; i++)
        if (run->check_chosen[def->checks.items[i]])
            return true;
    return def->checks.count == 0 && !run->options.select.len && !run->options.job.len;
}

/* ---- Partitions ---- */

DgStatus run_partition_set(const DgPipeline *p, Arena *a, int32_t index, PartitionSet *out,
                           DgError *err)
{
    const DgPartitionsDef *d = &p->partitions[index];
    PartitionSpec spec = {.start = d->start, .end = d->end, .timezone = d->timezone,
                          .format = d->format, .cron = d->cron};
    if (d->kind == DG_PARTITIONS_STATIC) {
        spec.keys = d->keys;
        spec.keys_count = d->keys_count;
    }
    return partitions_open(a, &spec, out, err);
}

/* The windows of a partitioned step, as asked for. */
static DgStatus windows_of(Run *run, const DgStepDef *def, PartitionWindows *out, DgError *err)
{
    PartitionSet set;
    int64_t now = run->started_us / 1000000;
    DG_TRY(run_partition_set(run->pipeline, &run->arena, def->partitions, &set, err));
    if (run->options.partition.len == 0) {
        dg_fail(err, DG_USAGE, "step `%.*s` is partitioned: say which partition to run",
                FMT(def->name));
        dg_hint(err, "--partition KEY or --partition-range FIRST...LAST; partitions: %.*s",
                FMT(partitions_summary(&run->arena, &set, now)));
        return DG_USAGE;
    }
    DgStatus s = partitions_parse(&run->arena, &set, run->options.partition, now, out, err);
    if (s != DG_OK) {
        char message[sizeof err->message];
        memcpy(message, err->message, sizeof message);
        char hint[sizeof err->hint];
        memcpy(hint, err->hint, sizeof hint);
        dg_fail(err, s, "step `%.*s`: %s", FMT(def->name), message);
        dg_hint(err, "%s", hint);
    }
    return s;
}

static bool add_unit(Run *run, size_t *capacity, Unit unit)
{
    void *items = run->units;
    array_grow_(&run->arena, &items, capacity, (size_t)run->units_count, sizeof(Unit));
    run->units = items;
    if ((size_t)run->units_count >= *capacity)
        return false;
    run->units[run->units_count++] = unit;
    return true;
}

static DgStatus add_step(Run *run, int32_t step, size_t *capacity, DgError *err)
{
    const DgStepDef *def = &run->pipeline->steps[step];
    Unit unit = {.def = def, .step = step};
    if (def->partitions < 0 || (run->options.planning && !run->options.partition.len))
        return add_unit(run, capacity, unit) ? DG_OK : os_no_memory(err, "planning the run");
    PartitionWindows windows;
    DG_TRY(windows_of(run, def, &windows, err));
    size_t at_once = def->backfill_partitions_max > 0 ? (size_t)def->backfill_partitions_max
                                                      : windows.count;
    for (size_t i = 0; i < windows.count; i += at_once) {
        size_t last = i + at_once < windows.count ? i + at_once - 1 : windows.count - 1;
        unit.first = windows.items[i].key;
        unit.last = windows.items[last].key;
        unit.start = windows.items[i].start;
        unit.end = windows.items[last].end;
        unit.partition = last == i ? unit.first
                                   : str_format(&run->arena, "%.*s...%.*s", FMT(unit.first),
                                                FMT(unit.last));
        if (!add_unit(run, capacity, unit))
            return os_no_memory(err, "planning the run");
    }
    return DG_OK;
}

/* ---- Who waits for whom ---- */

static bool reaches(const DgPipeline *p, int32_t from, int32_t to, bool *seen)
{
    if (from == to)
        return true;
    if (seen[from])
        return false;
    seen[from] = true;
    for (int32_t i = 0; i < p->steps[from].after.count; i++)
        if (reaches(p, p->steps[from].after.items[i], to, seen))
            return true;
    return false;
}

/* Marks the steps that `step` waits for: its `after`, and the blocking checks of what it reads. */
static DgStatus waits_for(Run *run, int32_t step, bool *out, DgError *err)
{
    const DgPipeline *p = run->pipeline;
    const DgStepDef *def = &p->steps[step];
    memset(out, 0, (size_t)p->steps_count);
    for (int32_t i = 0; i < def->after.count; i++)
        out[def->after.items[i]] = true;
    for (int32_t c = 0; c < p->checks_count; c++) {
        const DgCheckDef *check = &p->checks[c];
        bool reads = false;
        for (int32_t i = 0; i < def->reads.count; i++)
            reads |= def->reads.items[i] == check->asset;
        if (!reads || !check->blocking || check->step == step || out[check->step])
            continue;
        bool *seen = push(&run->arena, bool, p->steps_count + 1);
        if (!seen)
            return os_no_memory(err, "planning the run");
        if (!reaches(p, check->step, step, seen)) /* else the check itself needs this step */
            out[check->step] = true;
    }
    return DG_OK;
}

static bool same_partition(const Unit *a, const Unit *b)
{
    return a->def->partitions != b->def->partitions || a->def->partitions < 0 ||
           str_eq(a->partition, b->partition) || !str_eq(a->first, a->last) ||
           !str_eq(b->first, b->last);
}

static DgStatus link_units(Run *run, DgError *err)
{
    bool *waits = push(&run->arena, bool, run->pipeline->steps_count + 1);
    if (!waits)
        return os_no_memory(err, "planning the run");
    for (int32_t i = 0; i < run->units_count; i++) {
        Unit *u = &run->units[i];
        if (i == 0 || u->step != run->units[i - 1].step)
            DG_TRY(waits_for(run, u->step, waits, err));
        int32_t count = 0;
        for (int pass = 0; pass < 2; pass++) {
            if (pass && !(u->deps = push(&run->arena, int32_t, count + 1)))
                return os_no_memory(err, "planning the run");
            count = 0;
            for (int32_t k = 0; k < run->units_count; k++) {
                const Unit *before = &run->units[k];
                if (!waits[before->step] || !same_partition(u, before))
                    continue;
                if (pass)
                    u->deps[count] = k;
                count++;
            }
        }
        u->deps_count = count;
    }
    return DG_OK;
}

DgStatus units_make(Run *run, DgError *err)
{
    const DgPipeline *p = run->pipeline;
    run->asset_chosen = push(&run->arena, bool, p->assets_count + 1);
    run->check_chosen = push(&run->arena, bool, p->checks_count + 1);
    if (!run->asset_chosen || !run->check_chosen)
        return os_no_memory(err, "planning the run");
    DG_TRY(run_choose(p, &run->arena, run->options.select, run->options.job, run->asset_chosen,
                      run->check_chosen, err));
    size_t capacity = 0;
    bool partitioned = false;
    for (int32_t i = 0; i < p->steps_count; i++)
        if (step_chosen(run, i)) {
            DG_TRY(add_step(run, i, &capacity, err));
            partitioned |= p->steps[i].partitions >= 0;
        }
    if (run->units_count == 0) {
        dg_fail(err, DG_USAGE, "nothing to run: the selection holds no asset that has a step");
        dg_hint(err, "`list` shows the assets; those marked external are made elsewhere");
        return DG_USAGE;
    }
    if (run->options.partition.len && !partitioned) {
        dg_fail(err, DG_USAGE, "--partition is given, but nothing selected is partitioned");
        return DG_USAGE;
    }
    return link_units(run, err);
}

/* ---- Resuming ---- */

DgStatus units_resume(Run *run, DgError *err)
{
    StepRows rows;
    DG_TRY(history_steps(run->history, &run->arena, run->options.resume, &rows, err));
    for (int32_t i = 0; i < run->units_count; i++) {
        Unit *u = &run->units[i];
        for (size_t k = 0; k < rows.count; k++) {
            const StepRow *row = &rows.items[k];
            if (u->def->around.count || !str_eq(row->step, u->def->name) || !str_eq(row->partition, u->partition))
                continue;
            bool done = str_eq(row->state, S("succeeded")) || str_eq(row->state, S("done-before"));
            int64_t count = row->rows;
            /* It may have committed without being able to write that down. */
            if (!done && !str_eq(row->state, S("skipped")) && !str_eq(row->state, S("waiting")))
                DG_TRY(commit_probe(run, run->options.resume, u->def->name, u->partition, &done,
                                    &count, err));
            if (done) {
                u->state = UNIT_DONE_BEFORE;
                u->rows = count;
            }
        }
    }
    return DG_OK;
}
