/* assets.c - a stream as Dagster sees it: key, dependencies, group and the rest, as dagster_sling has them. */
#include "stdlib-components/sling/replication.h"

static bool equal(DgStr s, const char *text)
{
    size_t n = strlen(text);
    return s.len == (ptrdiff_t)n && memcmp(s.ptr, text, n) == 0;
}

/* Lower case, double quotes gone, a run of anything but letters, digits, `_` and `.` is one `_`. */
static DgStr sanitized(DgPlanner *p, DgStr name)
{
    char *out = p->api->alloc(p, (size_t)name.len + 1);
    ptrdiff_t n = 0;
    bool gap = false;
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool upper = c >= 'A' && c <= 'Z';
        bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
        if (c == '"')
            continue;
        if (word || !gap)
            out[n++] = upper ? (char)(c + 32) : word ? c : '_';
        gap = !word;
    }
    return (DgStr){out, n};
}

/* `a.b` is the key a/b. */
static DgStr as_key(DgPlanner *p, DgStr name)
{
    char *out = p->api->alloc(p, (size_t)name.len + 1);
    for (ptrdiff_t i = 0; i < name.len; i++)
        out[i] = name.ptr[i] == '.' ? '/' : name.ptr[i];
    return (DgStr){out, name.len};
}

/* Of a stream or object: a path like `../in/a.csv` has points with nothing between, and keys have no empty parts. */
static DgStr name_as_key(DgPlanner *p, DgStr name)
{
    DgStr key = as_key(p, sanitized(p, name));
    char *out = (char *)(uintptr_t)key.ptr; /* made just now */
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < key.len; i++)
        if (key.ptr[i] != '/' || (n && out[n - 1] != '/'))
            out[n++] = key.ptr[i];
    while (n && out[n - 1] == '/')
        n--;
    return (DgStr){out, n};
}

static bool same(DgStr a, DgStr b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, (size_t)a.len) == 0;
}

/* A key that somebody wrote must be a name already. */
static DgStr written_key(DgPlanner *p, const DgStreamSettings *own, const char *what, DgStr key)
{
    DgStr clean = sanitized(p, key);
    if (!same(clean, key))
        p->api->report(p, "E0110", p->api->is_set(p, &own->meta) ? (const void *)&own->meta : own,
                       "lower-case letters, digits, `_`, and `.` between the parts",
                       "`%s: %.*s` of stream `%.*s` is no key", what, (int)key.len, key.ptr, (int)own->key.len, own->key.ptr);
    return as_key(p, clean);
}

static const DgValue *entry(DgValue dict, const char *key)
{
    for (size_t i = 0; dict.kind == DG_V_DICT && i < dict.as.dict->count; i++)
        if (dict.as.dict->keys[i].kind == DG_V_STR && equal(dict.as.dict->keys[i].as.s, key))
            return &dict.as.dict->values[i];
    return NULL;
}

/* `meta: {dagster: ...}` of the stream, else of the defaults. */
typedef struct Meta {
    DgValue own, defaults;
} Meta;

static const DgValue *said(const Meta *m, const char *key)
{
    const DgValue *v = entry(m->own, key);
    return v ? v : entry(m->defaults, key);
}

static DgStr said_text(const Meta *m, const char *key)
{
    const DgValue *v = said(m, key);
    return v && v->kind == DG_V_STR ? v->as.s : (DgStr){0};
}

static DgValue dagster_part(DgValue meta)
{
    const DgValue *v = entry(meta, "dagster");
    return v ? *v : (DgValue){.kind = DG_V_NONE};
}

static DgStr asset_key(DgPlanner *p, const DgStreamSettings *own, const Meta *m)
{
    DgStr key = said_text(m, "asset_key");
    if (key.len)
        return written_key(p, own, "asset_key", key);
    DgStr name = own->object.len && p->api->is_known(p, &own->object) ? own->object : own->key;
    name = name_as_key(p, name);
    return p->api->format(p, "target/%.*s", (int)name.len, name.ptr);
}

static DgList dependencies(DgPlanner *p, const DgStreamSettings *own, const Meta *m)
{
    const DgValue *deps = said(m, "deps");
    bool list = deps && deps->kind == DG_V_LIST && deps->as.list->count, text = deps && deps->kind == DG_V_STR && deps->as.s.len;
    size_t n = 0, most = list ? deps->as.list->count : 1;
    DgStr *items = p->api->alloc(p, most * sizeof *items);
    for (size_t i = 0; list && i < most; i++)
        if (deps->as.list->items[i].kind == DG_V_STR)
            items[n++] = written_key(p, own, "deps", deps->as.list->items[i].as.s);
    if (text)
        items[n++] = written_key(p, own, "deps", deps->as.s);
    if (!list && !text)
        items[n++] = name_as_key(p, own->key);
    return (DgList){items, n};
}

static DgList pair(DgPlanner *p, const char *key, DgValue value)
{
    DgValuePair *one = p->api->alloc(p, sizeof *one);
    *one = (DgValuePair){{key, (ptrdiff_t)strlen(key)}, value};
    return (DgList){one, 1};
}

static DgValue text_value(DgStr s)
{
    return (DgValue){.kind = DG_V_STR, .as.s = s};
}

static DgValue new_dict(DgPlanner *p, size_t most)
{
    DgValueDict *dict = p->api->alloc(p, sizeof *dict);
    DgValue *cells = p->api->alloc(p, 2 * most * sizeof *cells);
    *dict = (DgValueDict){cells, cells + most, 0};
    return (DgValue){.kind = DG_V_DICT, .as.dict = dict};
}

static void put(DgValue dict, DgValue key, DgValue value)
{
    DgValueDict *d = dict.as.dict;
    for (size_t i = 0; i < d->count; i++)
        if (d->keys[i].kind == DG_V_STR && key.kind == DG_V_STR && same(d->keys[i].as.s, key.as.s)) {
            d->values[i] = value;
            return;
        }
    d->keys[d->count] = key;
    d->values[d->count++] = value;
}

static size_t count_of(DgValue v)
{
    return v.kind == DG_V_DICT ? v.as.dict->count : 0;
}

/* Both; what `over` says wins. */
static DgValue joined(DgPlanner *p, DgValue under, DgValue over)
{
    DgValue out = new_dict(p, count_of(under) + count_of(over) + 1);
    for (size_t i = 0; i < count_of(under); i++)
        put(out, under.as.dict->keys[i], under.as.dict->values[i]);
    for (size_t i = 0; i < count_of(over); i++)
        put(out, over.as.dict->keys[i], over.as.dict->values[i]);
    return out;
}

/* The stream as it stands in the file, with Dagster's words of the defaults put in. */
static DgValue stream_config(DgPlanner *p, const DgStreamSettings *own, const Meta *m)
{
    static const DgStr meta_key = DG_S("meta"), dagster_key = DG_S("dagster");
    DgValue tree = p->api->tree(p, own);
    if (!count_of(m->defaults))
        return tree;
    const DgValue *meta = entry(tree, "meta");
    DgValue old = meta ? *meta : (DgValue){.kind = DG_V_NONE};
    DgValue dagster = joined(p, m->defaults, dagster_part(old)), whole = new_dict(p, count_of(old) + 1), out = joined(p, tree, (DgValue){0});
    put(whole, text_value(dagster_key), dagster);
    for (size_t i = 0; i < count_of(old); i++)
        if (old.as.dict->keys[i].kind != DG_V_STR || !same(old.as.dict->keys[i].as.s, dagster_key))
            put(whole, old.as.dict->keys[i], old.as.dict->values[i]);
    put(out, text_value(meta_key), whole);
    return out;
}

static DgValue stream_definition(DgPlanner *p, const DgStreamSettings *own, DgValue config)
{
    static const DgStr name = DG_S("name"), settings = DG_S("config");
    DgValue out = new_dict(p, 2);
    put(out, text_value(name), text_value(own->key));
    put(out, text_value(settings), config);
    return out;
}

DgStr dg_replication_asset(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *own, DgStr *final)
{
    static const DgStr kind = DG_S("sling");
    Meta m = {dagster_part(own->meta), dagster_part(r->defaults.meta)};
    DgValue config = stream_config(p, own, &m);
    const DgValue *sql = entry(config, "sql");
    DgStr description = sql && sql->kind == DG_V_STR ? sql->as.s : sql ? (DgStr){0} : said_text(&m, "description");
    DgAssetDecl decl = {
        .key = asset_key(p, own, &m), .description = description, .group = said_text(&m, "group"),
        .deps = dependencies(p, own, &m), .kinds = {(void *)(uintptr_t)&kind, 1},
        .metadata = pair(p, "stream_config", config), .translation = c->translation, .auto_materialize = said(&m, "auto_materialize_policy") != NULL,
        .translation_vars = pair(p, "stream_definition", stream_definition(p, own, config)), .source = c->file, .at = own,
    };
    p->api->asset(p, &decl);
    *final = p->api->translated(p, &decl);
    return decl.key;
}
