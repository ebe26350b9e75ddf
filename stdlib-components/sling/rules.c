/* rules.c - expressions of a replication are compiled when building, so that a mistake in one is told
 * before the first row moves. */
#include "runtime/copy/hooks.h"
#include "runtime/copy/rules.h"
#include "stdlib-components/sling/replication.h"

static void told(DgPlanner *p, const void *field, const DgError *e)
{
    p->api->report(p, "E0110", field, e->hint[0] ? e->hint : NULL, "%s", e->message);
}

/* What waits for the start or the run is compiled then, and walked. */
static void make_loops(DgPlanner *p, const DgStreamStep *step, DgCode *slot, const void *field, const CopyRules *rules)
{
    DgStr *sources = p->api->alloc(p, (rules->count + 1) * sizeof *sources);
    for (size_t i = 0; i < rules->count; i++)
        sources[i] = rules->items[i].source;
    if (rules->count && p->api->is_known(p, field))
        p->api->rules(p, slot, &(DgRulesDecl){.field = field, .asset = step->asset, .sources = {sources, rules->count}});
}

void dg_replication_check_rules(DgPlanner *p, DgStreamStep *step)
{
    const DgStreamSettings *s = &step->settings;
    Arena a;
    DgError err = {0};
    CopyRules transforms = {0}, constraints = {0};
    arena_init(&a, 64 << 20);
    if (rules_transforms(&a, s->transforms, &transforms, &err) != DG_OK)
        told(p, &s->transforms, &err);
    else
        make_loops(p, step, &step->transform_loops, &s->transforms, &transforms);
    if (rules_constraints(&a, s->columns, &constraints, &err) != DG_OK)
        told(p, &s->columns, &err);
    else
        make_loops(p, step, &step->constraint_loops, &s->columns, &constraints);
    arena_free(&a);
}

/* ---- Hooks ---- */

static void check_list(DgPlanner *p, const DgList *list, bool merging, const void *at)
{
    Arena a;
    arena_init(&a, 64 << 20);
    for (size_t i = 0; i < list->count; i++) {
        const DgValue *hook = &DG_ITEMS(DgValue, *list)[i];
        DgError err = {0};
        arena_reset(&a);
        if (!p->api->is_known(p, hook) || hook_check(&a, *hook, merging, 0, &err) == DG_OK)
            continue;
        p->api->report(p, "E0110", p->api->is_set(p, hook) ? (const void *)hook : at, err.hint[0] ? err.hint : NULL, "%s", err.message);
    }
    arena_free(&a);
}

void dg_replication_check_hooks(DgPlanner *p, const DgHooks *h, const void *at)
{
    check_list(p, &h->start, false, at);
    check_list(p, &h->end, false, at);
    check_list(p, &h->pre, false, at);
    check_list(p, &h->post, false, at);
    check_list(p, &h->pre_merge, true, at);
    check_list(p, &h->post_merge, true, at);
}

/* Whether a hook, or one within it, says this connection: by name, or as the head of a path. */
static bool names_connection(DgValue hook, Str name, int depth)
{
    static const char *const keys[] = {"connection", "from", "to", "location"};
    const DgValue *steps = hook_value(hook, "steps");
    for (size_t i = 0; i < 4; i++) {
        const DgValue *v = hook_value(hook, keys[i]);
        if (v && v->kind == DG_V_STR && str_starts(v->as.s, name) && (v->as.s.len == name.len || v->as.s.ptr[name.len] == '/'))
            return true;
    }
    for (size_t i = 0; depth < HOOK_DEPTH_MAX && steps && steps->kind == DG_V_LIST && i < steps->as.list->count; i++)
        if (names_connection(steps->as.list->items[i], name, depth + 1))
            return true;
    return false;
}

DgList dg_replication_hook_connections(DgPlanner *p, const ReplicationContext *c, const DgHooks *h)
{
    const DgList *lists[] = {&h->start, &h->end, &h->pre, &h->post, &h->pre_merge, &h->post_merge};
    DgConnConfig *out = p->api->alloc(p, (c->connections.count + 1) * sizeof *out);
    size_t n = 0;
    for (size_t k = 0; k < c->connections.count; k++) {
        const DgConnEntry *e = &DG_ITEMS(DgConnEntry, c->connections)[k];
        bool named = false;
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            for (size_t j = 0; j < lists[i]->count && !named; j++)
                named = names_connection(DG_ITEMS(DgValue, *lists[i])[j], e->key, 0);
        if (named)
            dg_replication_connection(p, c, &e->key, e->key, &out[n++]);
    }
    return (DgList){out, n};
}
