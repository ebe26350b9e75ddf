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

/* ---- Settings: a stream's own, else the defaults' ---- */

static size_t size_of(const DgField *f)
{
    switch (f->kind) {
    case DG_F_INT: return sizeof(int64_t);
    case DG_F_ENUM: return sizeof(int32_t);
    case DG_F_BOOL: return sizeof(bool);
    case DG_F_LIST:
    case DG_F_MAP: return sizeof(DgList);
    case DG_F_ANY: return sizeof(DgValue);
    default: return sizeof(DgStr);
    }
}

static void merge(DgPlanner *p, const DgField *fields, void *to, const void *own, const void *defaults)
{
    for (const DgField *f = fields; f->name; f++) {
        char *at = (char *)to + f->offset;
        const char *mine = (const char *)own + f->offset, *theirs = (const char *)defaults + f->offset;
        if (f->kind == DG_F_STRUCT)
            merge(p, f->of, at, mine, theirs);
        else
            p->api->copy(p, at, p->api->is_set(p, mine) ? mine : theirs, size_of(f));
    }
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

static void check_types(DgPlanner *p, const ReplicationContext *c)
{
    static const char *const types[] = {"postgres", "postgresql", "pg", "mysql", "mariadb", "sqlite", "sqlite3", "duckdb", "file", "local", "http", "https", "s3", "r2", "minio", NULL};
    for (size_t i = 0; i < c->connections.count; i++) {
        const DgConnEntry *e = &DG_ITEMS(DgConnEntry, c->connections)[i];
        bool known = e->type.kind != DG_V_STR;
        if (e->type.kind == DG_V_NONE && !p->api->is_set(p, &e->url) && !p->api->is_set(p, &e->connection_string) && p->api->is_known(p, &e->type))
            p->api->report(p, "E0106", e, "for example `type: postgres`", "connection `%.*s` needs `type`", (int)e->key.len, e->key.ptr);
        for (size_t k = 0; types[k] && !known; k++)
            known = equal(e->type.as.s, types[k]);
        if (!known)
            p->api->report(p, "E0110", &e->type, "types are postgres, mysql, mariadb, sqlite, duckdb, file, http and s3",
                           "dgc does not move data to or from `%.*s`", (int)e->type.as.s.len, e->type.as.s.ptr);
    }
}

/* ---- Checks that Sling makes when it runs, made when building ---- */

static void check_choice(DgPlanner *p, const DgStr *field, const char *what, const char *const *choices, const char *help)
{
    if (!field->len || !p->api->is_known(p, field) || has(*field, '{'))
        return;
    for (size_t i = 0; choices[i]; i++)
        if (equal(*field, choices[i]))
            return;
    p->api->report(p, "E0110", field, help, "`%s` cannot be `%.*s`", what, (int)field->len, field->ptr);
}

static const void *place_of(DgPlanner *p, const void *field, const void *stream)
{
    return p->api->is_set(p, field) ? field : stream;
}

static void check_stream(DgPlanner *p, const DgStreamSettings *own, const DgStreamSettings *s)
{
    static const char *const casings[] = {"source", "target", "normalize", "snake", "upper", "lower", "camel", NULL};
    static const char *const strategies[] = {"update_insert", "delete_insert", "insert", "update", "history_insert", NULL};
    static const char *const contracts[] = {"evolve", "freeze", "discard_row", "discard_value", NULL};
    check_choice(p, &s->target_options.column_casing, "column_casing", casings, "write source, target, normalize, snake, upper, lower or camel");
    check_choice(p, &s->target_options.merge_strategy, "merge_strategy", strategies,
                 "write update_insert, delete_insert, insert, update or history_insert");
    check_choice(p, &s->contract, "contract", contracts, "write evolve, freeze, discard_row or discard_value");
    if (s->mode == DG_COPY_CHANGE_CAPTURE)
        p->api->report(p, "E0110", place_of(p, &own->mode, own), "use `mode: incremental` with an `update_key`, and `delete_missing` for rows that go away",
                       "the mode change-capture is not supported");
    if (s->mode == DG_COPY_INCREMENTAL && !s->primary_key.count && !s->update_key.len && p->api->is_known(p, &s->update_key))
        p->api->report(p, "E0106", place_of(p, &own->mode, own), "add `update_key: updated_at`, `primary_key: id`, or both",
                       "stream `%.*s` is incremental and has neither `primary_key` nor `update_key`", (int)own->key.len, own->key.ptr);
    if (s->mode == DG_COPY_BACKFILL && !s->source_options.range.len && p->api->is_known(p, &s->source_options.range))
        p->api->report(p, "E0106", place_of(p, &own->mode, own), "add `source_options: {range: '2024-01-01,2024-02-01'}`",
                       "stream `%.*s` is a backfill and says no `range`", (int)own->key.len, own->key.ptr);
    if (s->source_options.jq.len)
        p->api->report(p, "E0110", place_of(p, &own->source_options.jq, own), "`jmespath: a.b[]` says where the records are", "`jq` is not supported");
    dg_replication_check_rules(p, own, s);
}

/* ---- Dagster's names ---- */

/* Lower case, without quotes, other characters `_`; the dots part the key. */
static DgStr sanitized(DgPlanner *p, DgStr name)
{
    char *out = p->api->alloc(p, (size_t)name.len + 1);
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '"')
            continue;
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : word ? c : c == '.' ? '/' : '_';
    }
    return (DgStr){out, n};
}

static const DgValue *entry(DgValue dict, const char *key)
{
    for (size_t i = 0; dict.kind == DG_V_DICT && i < dict.as.dict->count; i++)
        if (dict.as.dict->keys[i].kind == DG_V_STR && equal(dict.as.dict->keys[i].as.s, key))
            return &dict.as.dict->values[i];
    return NULL;
}

static DgStr text_entry(DgValue dict, const char *key)
{
    const DgValue *v = entry(dict, key);
    return v && v->kind == DG_V_STR ? v->as.s : (DgStr){0};
}

static DgStr asset_key(DgPlanner *p, const DgStreamSettings *own, DgValue dagster)
{
    DgStr key = text_entry(dagster, "asset_key");
    if (key.len)
        return sanitized(p, key);
    DgStr name = sanitized(p, own->object.len && p->api->is_known(p, &own->object) ? own->object : own->key);
    return p->api->format(p, "target/%.*s", (int)name.len, name.ptr);
}

static DgList dependencies(DgPlanner *p, const DgStreamSettings *own, DgValue dagster)
{
    const DgValue *deps = entry(dagster, "deps");
    size_t n = deps && deps->kind == DG_V_LIST ? deps->as.list->count : 1;
    DgStr *items = p->api->alloc(p, n * sizeof *items);
    for (size_t i = 0; i < n; i++)
        items[i] = deps && deps->kind == DG_V_LIST ? sanitized(p, deps->as.list->items[i].as.s)
                   : deps && deps->kind == DG_V_STR ? sanitized(p, deps->as.s)
                                                    : sanitized(p, own->key);
    return (DgList){items, n};
}

static DgList pair(DgPlanner *p, const char *key, DgValue value)
{
    DgValuePair *one = p->api->alloc(p, sizeof *one);
    *one = (DgValuePair){{key, (ptrdiff_t)strlen(key)}, value};
    return (DgList){one, 1};
}

static DgValue stream_definition(DgPlanner *p, const DgStreamSettings *own)
{
    DgValueDict *dict = p->api->alloc(p, sizeof *dict);
    DgValue *cells = p->api->alloc(p, 4 * sizeof *cells);
    cells[0] = (DgValue){.kind = DG_V_STR, .as.s = DG_S("name")};
    cells[1] = (DgValue){.kind = DG_V_STR, .as.s = DG_S("config")};
    cells[2] = (DgValue){.kind = DG_V_STR, .as.s = own->key};
    cells[3] = p->api->tree(p, own);
    *dict = (DgValueDict){cells, cells + 2, 2};
    return (DgValue){.kind = DG_V_DICT, .as.dict = dict};
}

/* Its key, and the one that `translation` makes of it. */
static DgStr declare_asset(DgPlanner *p, const DgStreamSettings *own, const ReplicationContext *c, DgStr *final)
{
    static const DgStr kind = DG_S("sling");
    const DgValue *meta = entry(own->meta, "dagster");
    DgValue dagster = meta ? *meta : (DgValue){.kind = DG_V_NONE};
    DgStr description = own->sql.len ? own->sql : text_entry(dagster, "description");
    DgAssetDecl decl = {
        .key = asset_key(p, own, dagster), .description = description, .group = text_entry(dagster, "group"),
        .deps = dependencies(p, own, dagster), .kinds = {(void *)(uintptr_t)&kind, 1},
        .metadata = pair(p, "stream_config", p->api->tree(p, own)), .translation = c->translation,
        .translation_vars = pair(p, "stream_definition", stream_definition(p, own)), .at = own,
    };
    p->api->asset(p, &decl);
    *final = p->api->translated(p, &decl);
    return decl.key;
}

/* ---- Streams ---- */

static bool is_wildcard(DgStr name)
{
    return has(name, '*') || has(name, '?');
}

static DgList others(DgPlanner *p, const Replication *r, const DgStreamSettings *own)
{
    DgStr *items = p->api->alloc(p, r->streams.count * sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < r->streams.count && is_wildcard(own->key); i++) {
        const DgStreamSettings *other = &DG_ITEMS(DgStreamSettings, r->streams)[i];
        if (other != own && !is_wildcard(other->key))
            items[n++] = other->key;
    }
    return (DgList){items, n};
}

static DgStr step_name(DgPlanner *p, const ReplicationContext *c, DgStr key)
{
    char *out = p->api->alloc(p, (size_t)(c->name.len + key.len + 3));
    ptrdiff_t n = c->name.len;
    memcpy(out, c->name.ptr, (size_t)n);
    out[n++] = '_';
    out[n++] = '_';
    for (ptrdiff_t i = 0; i < key.len; i++) {
        char ch = key.ptr[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_';
        out[n++] = word ? ch : ch == '*' ? 'x' : '_';
    }
    return (DgStr){out, n};
}

/* `made`: assets of the streams, with room for this one's. */
static void plan_stream(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *own, DgList *made)
{
    DgStreamStep *step = p->api->alloc(p, sizeof *step);
    DgStr *asset = p->api->alloc(p, sizeof *asset);
    merge(p, dg_stream_fields, &step->settings, own, &r->defaults);
    if (step->settings.disabled == 1)
        return;
    check_stream(p, own, &step->settings);
    step->stream = own->key;
    step->replication = c->name;
    step->include_metadata = c->include_metadata;
    step->env = r->env;
    step->excluded = others(p, r, own);
    dg_replication_connection(p, c, &r->source, r->source, &step->source);
    dg_replication_connection(p, c, &r->target, r->target, &step->target);
    dg_replication_check_hooks(p, &own->hooks, own);
    step->connections = dg_replication_hook_connections(p, c, &step->settings.hooks);
    *asset = step->asset = declare_asset(p, own, c, &DG_ITEMS(DgStr, *made)[made->count]);
    made->count++;
    bool plain = other_database(p, c, r->source) && other_database(p, c, r->target);
    DgOpSpec *op = NULL;
    if (c->op) {
        op = p->api->alloc(p, sizeof *op);
        *op = *c->op;
        op->name = (DgStr){0};
    }
    p->api->step(p, &(DgStepDecl){.name = step_name(p, c, own->key), .ops = plain ? &dg_stream_database_ops : &dg_stream_ops, .config = step,
                                  .assets = {asset, 1}, .op_filled = op, .at = own});
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
    p->api->step(p, &(DgStepDecl){.name = step_name(p, c, step->stream), .ops = plain ? &dg_hooks_database_ops : &dg_hooks_ops, .config = step,
                                  .before = first ? made : (DgList){0}, .after = first ? (DgList){0} : made,
                                  .at = first ? &r->hooks.start : &r->hooks.end});
}

void dg_replication_plan(DgPlanner *p, const Replication *r, const ReplicationContext *c)
{
    check_types(p, c);
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
