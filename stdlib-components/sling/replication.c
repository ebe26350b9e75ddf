/* replication.c - streams of a replication become assets and steps. */
#include "stdlib-components/sling/replication.h"

const DgField dg_replication_fields[] = {
    DG_FIELD_STRING(Replication, source, .flags = DG_REQUIRED, .example = "MY_PG", .doc = "Connection that rows come from."),
    DG_FIELD_STRING(Replication, target, .flags = DG_REQUIRED, .example = "warehouse", .doc = "Connection that rows go to; `warehouse` is the pipeline's own DuckDB file."),
    DG_FIELD_STRUCT(Replication, defaults, DgStreamSettings, dg_stream_fields, .doc = "Settings of all streams that do not say otherwise."),
    DG_FIELD_STRUCT_MAP(Replication, streams, DgStreamSettings, dg_stream_fields, .flags = DG_REQUIRED, .example = "{public.orders: {object: main.orders}}",
                        .doc = "Tables, `schema.*`, files or queries, each with its settings."),
    DG_FIELD_STRUCT(Replication, hooks, DgHooks, dg_hook_fields, .flags = DG_ADVANCED, .doc = "What runs before the first and after the last stream."),
    DG_FIELD_ANY_MAP(Replication, env, .doc = "Variables, and Sling's settings (`SLING_LOADED_AT_COLUMN` ...)."),
    {0},
};

static bool equal(DgStr s, const char *text)
{
    size_t n = strlen(text);
    return s.len == (ptrdiff_t)n && memcmp(s.ptr, text, n) == 0;
}

static bool has(DgStr s, char c)
{
    return s.len > 0 && memchr(s.ptr, c, (size_t)s.len) != NULL;
}

/* ---- Connections ---- */

static const DgConnEntry *find_connection(const ReplicationContext *c, DgStr name)
{
    for (size_t i = 0; i < c->connections.count; i++) {
        const DgConnEntry *e = &DG_ITEMS(DgConnEntry, c->connections)[i];
        if (e->key.len == name.len && memcmp(e->key.ptr, name.ptr, (size_t)name.len) == 0)
            return e;
    }
    return NULL;
}

void dg_replication_connection(DgPlanner *p, const ReplicationContext *c, const void *field, DgStr name, DgConnConfig *to)
{
    const DgConnEntry *e = find_connection(c, name);
    p->api->copy(p, &to->name, field, sizeof to->name);
    if (!e)
        return;
    DgValuePair *props = p->api->alloc(p, 64 * sizeof *props);
    size_t n = 0;
    for (const DgField *f = dg_conn_entry_fields; f->name && n < 64; f++) {
        const void *value = (const char *)e + f->offset;
        if (!p->api->is_set(p, value))
            continue;
        props[n].key = (DgStr){f->name, (ptrdiff_t)strlen(f->name)};
        p->api->copy(p, &props[n].value, value, sizeof(DgValue));
        n++;
    }
    to->props = (DgList){props, n};
}

/* Known to be a database that needs no DuckDB. */
static bool other_database(DgPlanner *p, const ReplicationContext *c, DgStr name)
{
    static const char *const types[] = {"postgres", "postgresql", "mysql", "mariadb", "sqlite", NULL};
    const DgConnEntry *e = find_connection(c, name);
    if (!e || !p->api->is_known(p, &e->type) || e->type.kind != DG_V_STR)
        return false;
    for (size_t i = 0; types[i]; i++)
        if (equal(e->type.as.s, types[i]))
            return true;
    return false;
}

/* ---- Streams ---- */

static bool is_wildcard(DgStr name)
{
    return has(name, '*') || has(name, '?');
}

/* What a wildcard leaves to others: entries that name one table or file, and earlier wildcards. */
static DgList others(DgPlanner *p, const Replication *r, const DgStreamSettings *own)
{
    DgStr *items = p->api->alloc(p, r->streams.count * sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < r->streams.count && is_wildcard(own->key); i++) {
        const DgStreamSettings *other = &DG_ITEMS(DgStreamSettings, r->streams)[i];
        if (other != own && (other < own || !is_wildcard(other->key)))
            items[n++] = other->key;
    }
    return (DgList){items, n};
}

static char name_char(char c)
{
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    return word ? c : c == '*' ? 'x' : '_';
}

static bool look_alike(DgStr a, DgStr b)
{
    for (ptrdiff_t i = 0; i < a.len && a.len == b.len; i++)
        if (name_char(a.ptr[i]) != name_char(b.ptr[i]))
            return false;
    return a.len == b.len;
}

/* REPLICATION__STREAM; streams whose names come out alike are numbered. */
static DgStr step_name(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *own)
{
    char *stream = p->api->alloc(p, (size_t)own->key.len + 1);
    int alike = 1;
    for (ptrdiff_t i = 0; i < own->key.len; i++)
        stream[i] = name_char(own->key.ptr[i]);
    for (const DgStreamSettings *other = r->streams.items; other < own; other++)
        alike += look_alike(other->key, own->key);
    return alike == 1 ? p->api->format(p, "%.*s__%.*s", (int)c->name.len, c->name.ptr, (int)own->key.len, stream)
                      : p->api->format(p, "%.*s__%.*s_%d", (int)c->name.len, c->name.ptr, (int)own->key.len, stream, alike);
}

/* `made`: assets of the streams, with room for this one's. */
static void plan_stream(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *own, DgList *made)
{
    DgStreamStep *step = p->api->alloc(p, sizeof *step);
    DgStr *asset = p->api->alloc(p, sizeof *asset);
    dg_replication_merge(p, &step->settings, own, &r->defaults);
    if (step->settings.disabled == 1)
        return;
    dg_replication_check(p, r, c, own, &step->settings);
    step->stream = own->key;
    step->replication = c->name;
    step->include_metadata = c->include_metadata;
    step->env = r->env;
    step->excluded = others(p, r, own);
    dg_replication_connection(p, c, &r->source, r->source, &step->source);
    dg_replication_connection(p, c, &r->target, r->target, &step->target);
    dg_replication_check_hooks(p, &own->hooks, own);
    step->connections = dg_replication_hook_connections(p, c, &step->settings.hooks);
    *asset = step->asset = dg_replication_asset(p, r, c, own, &DG_ITEMS(DgStr, *made)[made->count]);
    made->count++;
    dg_replication_check_rules(p, step);
    bool plain = other_database(p, c, r->source) && other_database(p, c, r->target);
    p->api->step(p, &(DgStepDecl){.name = step_name(p, r, c, own), .ops = plain ? &dg_stream_database_ops : &dg_stream_ops, .config = step,
                                  .assets = {asset, 1}, .op_filled = c->op, .name_stays = true, .at = own});
}

/* ---- hooks.start and hooks.end: steps before and after those of the streams ---- */

static void plan_hooks(DgPlanner *p, const Replication *r, const ReplicationContext *c, DgList made, bool first)
{
    static const DgStr start = DG_S("hooks.start"), end = DG_S("hooks.end");
    DgStreamStep *step = p->api->alloc(p, sizeof *step);
    DgHooks *hooks = &step->settings.hooks;
    bool plain = other_database(p, c, r->source) && other_database(p, c, r->target);
    step->stream = first ? start : end;
    step->replication = c->name;
    step->env = r->env;
    p->api->copy(p, first ? &hooks->start : &hooks->end, first ? &r->hooks.start : &r->hooks.end, sizeof(DgList));
    dg_replication_connection(p, c, &r->source, r->source, &step->source);
    dg_replication_connection(p, c, &r->target, r->target, &step->target);
    step->connections = dg_replication_hook_connections(p, c, hooks);
    p->api->step(p, &(DgStepDecl){.name = p->api->format(p, "%.*s__%s", (int)c->name.len, c->name.ptr, first ? "hooks_start" : "hooks_end"), .ops = plain ? &dg_hooks_database_ops : &dg_hooks_ops, .config = step,
                                  .before = first ? made : (DgList){0}, .after = first ? (DgList){0} : made,
                                  .at = first ? &r->hooks.start : &r->hooks.end});
}

void dg_replication_plan(DgPlanner *p, const Replication *r, const ReplicationContext *c)
{
    dg_replication_check_whole(p, r, c);
    DgList made = {p->api->alloc(p, (r->streams.count + 1) * sizeof(DgStr)), 0};
    for (size_t i = 0; i < r->streams.count; i++)
        plan_stream(p, r, c, &DG_ITEMS(DgStreamSettings, r->streams)[i], &made);
    dg_replication_check_hooks(p, &r->defaults.hooks, &r->defaults);
    dg_replication_check_hooks(p, &r->hooks, &r->hooks);
    if (r->hooks.start.count && made.count)
        plan_hooks(p, r, c, made, true);
    if (r->hooks.end.count && made.count)
        plan_hooks(p, r, c, made, false);
}
