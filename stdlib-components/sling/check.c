/* check.c - expressions of a replication are compiled when building, so that a mistake in one is told
 * before the first row moves. */
#include "runtime/copy/rules.h"
#include "stdlib-components/sling/replication.h"

static void told(DgPlanner *p, const void *field, const void *stream, const DgError *e)
{
    p->api->report(p, "E0110", p->api->is_set(p, field) ? field : stream, e->hint[0] ? e->hint : NULL, "%s", e->message);
}

void dg_replication_check_rules(DgPlanner *p, const DgStreamSettings *own, const DgStreamSettings *merged)
{
    Arena a;
    DgError err = {0};
    CopyRules rules = {0};
    arena_init(&a, 64 << 20);
    if (rules_transforms(&a, merged->transforms, &rules, &err) != DG_OK)
        told(p, &own->transforms, own, &err);
    else if (rules_constraints(&a, merged->columns, &rules, &err) != DG_OK)
        told(p, &own->columns, own, &err);
    arena_free(&a);
}
