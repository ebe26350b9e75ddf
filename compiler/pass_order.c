/* pass_order.c - cycles, and the order in which steps run.
 *
 * Assets are looked at first, since a circle among them is what a user can read; steps may still
 * wait for each other when one makes several assets. Both searches are linear, no recursion. */
#include <stdlib.h>

#include "compiler/pass.h"
#include "compiler/sql/sql.h"

/* ---- Cycles among assets ---- */

enum { WHITE, ON_PATH, DONE };

typedef struct Walk {
    uint8_t *color;   /* by asset index */
    int *path;        /* indices on the current path */
    size_t *next;     /* for each of them, the dep to look at next */
    size_t depth;
} Walk;

/* An asset may depend on itself when it is partitioned: on its own earlier partitions. */
static bool is_own_past(const Asset *asset, const Asset *dep)
{
    return asset == dep && asset->partitions && asset->partitions->kind == DG_PARTITIONS_TIME;
}

/* Where one asset names the other: in its SQL, else where it is declared. */
static Span edge_at(const Plan *plan, const Asset *asset, const Asset *dep)
{
    Span at = sql_ref_span(plan, asset, dep);
    return at.file ? at : asset->at;
}

static void report_cycle(const Plan *plan, const int *path, size_t count)
{
    StrBuf text = {0};
    for (size_t i = 0; i <= count; i++) {
        const Asset *asset = plan->assets.items[path[i % count]];
        buf_format(&text, "%s%.*s", i ? " <- " : "", FMT(asset->key));
    }
    const Asset *first = plan->assets.items[path[0]];
    Span at = edge_at(plan, first, plan->assets.items[path[1 % count]]);
    DiagItem *it = diag_report(plan->diag, E0203, at, "assets depend on each other: %.*s",
                               FMT(buf_str(&text)));
    buf_free(&text);
    for (size_t i = 0; i < count; i++) {
        const Asset *asset = plan->assets.items[path[i]];
        const Asset *dep = plan->assets.items[path[(i + 1) % count]];
        if (i == 0)
            diag_set_label(it, "`%.*s` needs `%.*s`", FMT(asset->key), FMT(dep->key));
        else
            diag_label(it, edge_at(plan, asset, dep), "`%.*s` needs `%.*s`", FMT(asset->key),
                       FMT(dep->key));
    }
    diag_help(it, "take one of these dependencies away");
}

/* Walks what is upstream of `root`; reports each circle met, once. */
static bool walk_from(const Plan *plan, Walk *w, int root)
{
    bool sound = true;
    w->path[0] = root;
    w->next[0] = 0;
    w->depth = 1;
    w->color[root] = ON_PATH;
    while (w->depth) {
        size_t top = w->depth - 1;
        const Asset *asset = plan->assets.items[w->path[top]];
        if (w->next[top] == asset->deps.count) {
            w->color[asset->index] = DONE;
            w->depth--;
            continue;
        }
        const Asset *dep = asset->deps.items[w->next[top]++];
        if (w->color[dep->index] == WHITE) {
            w->color[dep->index] = ON_PATH;
            w->path[w->depth] = dep->index;
            w->next[w->depth++] = 0;
        } else if (w->color[dep->index] == ON_PATH && !is_own_past(asset, dep)) {
            size_t start = top;
            while (w->path[start] != dep->index)
                start--;
            report_cycle(plan, w->path + start, w->depth - start);
            sound = false;
        }
    }
    return sound;
}

static bool check_cycles(const Plan *plan)
{
    size_t count = plan->assets.count;
    Walk w = {push(plan->arena, uint8_t, count + 1), push(plan->arena, int, count + 1),
              push(plan->arena, size_t, count + 1), 0};
    bool sound = true;
    for (size_t i = 0; i < count; i++)
        if (w.color[i] == WHITE)
            sound &= walk_from(plan, &w, (int)i);
    return sound;
}

/* ---- Order of steps ---- */

static int by_name(const void *a, const void *b)
{
    return str_cmp((*(Step *const *)a)->name, (*(Step *const *)b)->name);
}

static int by_run_order(const void *a, const void *b)
{
    int x = (*(Step *const *)a)->index, y = (*(Step *const *)b)->index;
    return x < y ? -1 : x > y;
}

/* A heap of indices into the steps sorted by name: the smallest first. */
typedef struct Heap {
    int *items;
    size_t count;
} Heap;

static void heap_add(Heap *h, int item)
{
    size_t at = h->count++;
    while (at && h->items[(at - 1) / 2] > item) {
        h->items[at] = h->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    h->items[at] = item;
}

static int heap_take(Heap *h)
{
    int least = h->items[0], last = h->items[--h->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && h->items[child + 1] < h->items[child])
            child++;
        if (h->items[child] >= last)
            break;
        h->items[at] = h->items[child];
    }
    h->items[at] = last;
    return least;
}

typedef Array(int) Ints;

/* A blocking check made by a step of its own comes before what reads the asset it judges, except
 * before another judge of the same asset. */
static bool must_wait_for(const Step *step, const Check *check)
{
    if (!check->blocking || !check->step || check->step == step)
        return false;
    for (size_t i = 0; i < step->checks.count; i++)
        if (step->checks.items[i]->asset == check->asset)
            return false;
    return true;
}

static void add_after(const Plan *plan, Step *step, Step *before, Step **seen)
{
    if (!before || before == step || seen[before->index] == step)
        return;
    seen[before->index] = step;
    array_add(plan->arena, &step->after, before);
}

static bool comes_after(const Step *step, const Step *before)
{
    for (size_t i = 0; i < step->after.count; i++)
        if (step->after.items[i] == before)
            return true;
    return step == before;
}

/* Steps around others: hooks that run before the first and after the last of them. */
static void fill_around(Plan *plan, Step *step, const StrArray *keys, bool before)
{
    for (size_t i = 0; i < keys->count; i++) {
        const Asset *asset = plan_asset(plan, keys->items[i]);
        Step *other = asset ? asset->step : NULL;
        Step *first = before ? step : other, *second = before ? other : step;
        if (other && !comes_after(second, first))
            array_add(plan->arena, &second->after, first);
    }
}

static void fill_after(Plan *plan)
{
    Step **seen = push(plan->arena, Step *, plan->steps.count + 1);
    for (size_t i = 0; i < plan->steps.count; i++) {
        plan->steps.items[i]->index = (int)i;
        plan->steps.items[i]->after.count = 0;
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.items[i];
        for (size_t j = 0; j < step->reads.count; j++) {
            const Asset *read = step->reads.items[j];
            add_after(plan, step, read->step, seen);
            for (size_t k = 0; k < read->checks.count; k++)
                if (must_wait_for(step, read->checks.items[k]))
                    add_after(plan, step, read->checks.items[k]->step, seen);
        }
        for (size_t j = 0; j < step->awaits.count; j++) {
            const Check *check = plan_check(plan, &step->awaits.items[j]);
            add_after(plan, step, check ? check->step : NULL, seen);
        }
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        Step *step = plan->steps.items[i];
        fill_around(plan, step, &step->before_keys, true);
        fill_around(plan, step, &step->after_keys, false);
    }
}

/* Only steps with several assets can still wait for each other here. */
static void report_stuck(const Plan *plan, const int *waiting)
{
    const Step *step = NULL;
    for (size_t i = 0; i < plan->steps.count && !step; i++)
        if (waiting[i] > 0)
            step = plan->steps.items[i];
    uint8_t *seen = push(plan->arena, uint8_t, plan->steps.count + 1);
    while (step && !seen[step->index]) { /* into the circle */
        seen[step->index] = 1;
        for (size_t j = 0; j < step->after.count; j++)
            if (waiting[step->after.items[j]->index] > 0) {
                step = step->after.items[j];
                break;
            }
    }
    const Step *start = step;
    DiagItem *it = NULL;
    do {
        const Step *next = NULL;
        for (size_t j = 0; j < step->after.count && !next; j++)
            if (waiting[step->after.items[j]->index] > 0)
                next = step->after.items[j];
        if (!it)
            it = diag_report(plan->diag, E0203, step->at,
                             "steps wait for each other: `%.*s` and `%.*s`", FMT(step->name),
                             FMT(next->name));
        diag_label(it, step->at, "step `%.*s` runs after `%.*s`", FMT(step->name),
                   FMT(next->name));
        step = next;
    } while (step != start);
    diag_help(it, "one step makes all of its assets at once; give these assets steps of their own");
}

static bool sort_steps(Plan *plan)
{
    size_t count = plan->steps.count;
    int *waiting = push(plan->arena, int, count + 1);
    Ints *readers = push(plan->arena, Ints, count + 1);
    for (size_t i = 0; i < count; i++) {
        const Step *step = plan->steps.items[i];
        waiting[i] = (int)step->after.count;
        for (size_t j = 0; j < step->after.count; j++)
            array_add(plan->arena, &readers[step->after.items[j]->index], (int)i);
    }
    Heap ready = {push(plan->arena, int, count + 1), 0};
    for (size_t i = 0; i < count; i++)
        if (!waiting[i])
            heap_add(&ready, (int)i);
    Step **ordered = push(plan->arena, Step *, count + 1);
    size_t done = 0;
    while (ready.count) {
        int next = heap_take(&ready);
        ordered[done++] = plan->steps.items[next];
        for (size_t j = 0; j < readers[next].count; j++)
            if (--waiting[readers[next].items[j]] == 0)
                heap_add(&ready, readers[next].items[j]);
    }
    if (done < count) {
        report_stuck(plan, waiting);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        plan->steps.items[i] = ordered[i];
        ordered[i]->index = (int)i;
    }
    for (size_t i = 0; i < count; i++)
        if (ordered[i]->after.count > 1)
            qsort(ordered[i]->after.items, ordered[i]->after.count, sizeof(Step *), by_run_order);
    return true;
}

bool pass_order(Plan *plan)
{
    if (!check_cycles(plan))
        return false;
    if (plan->steps.count > 1)
        qsort(plan->steps.items, plan->steps.count, sizeof(Step *), by_name);
    fill_after(plan);
    return sort_steps(plan);
}
