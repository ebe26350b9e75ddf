/* merge.c - the settings of one stream: its own keys, else those of `defaults`, by Sling's rules.
 *
 * Lists and mappings are replaced whole; source_options and target_options are merged key by key;
 * `columns` whose names begin with `+` add to the defaults'; hooks are the stream's when it has any. */
#include "stdlib-components/sling/replication.h"

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

/* ---- Columns: `+name` adds to the defaults', an empty type takes away ---- */

typedef struct ColumnList {
    DgValue *names, *types;
    size_t count;
} ColumnList;

static DgValue member(DgValue dict, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; dict.kind == DG_V_DICT && i < dict.as.dict->count; i++) {
        DgValue k = dict.as.dict->keys[i];
        if (k.kind == DG_V_STR && k.as.s.len == (ptrdiff_t)n && memcmp(k.as.s.ptr, key, n) == 0)
            return dict.as.dict->values[i];
    }
    return (DgValue){.kind = DG_V_NONE};
}

static size_t entries_of(DgValue v)
{
    return v.kind == DG_V_DICT ? v.as.dict->count : v.kind == DG_V_LIST ? v.as.list->count : 0;
}

/* `{a: text}` and `[{name: a, type: text}]` are the same. */
static DgValue name_at(DgValue v, size_t i)
{
    return v.kind == DG_V_DICT ? v.as.dict->keys[i] : member(v.as.list->items[i], "name");
}

static DgValue type_at(DgValue v, size_t i)
{
    return v.kind == DG_V_DICT ? v.as.dict->values[i] : member(v.as.list->items[i], "type");
}

static DgStr plain_name(DgValue name)
{
    DgStr s = name.kind == DG_V_STR ? name.as.s : (DgStr){0};
    return s.len && s.ptr[0] == '+' ? (DgStr){s.ptr + 1, s.len - 1} : s;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool same_name(DgStr a, DgStr b)
{
    if (a.len != b.len)
        return false;
    for (ptrdiff_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

static bool adds(DgValue columns)
{
    for (size_t i = 0; i < entries_of(columns); i++) {
        DgValue name = name_at(columns, i);
        if (name.kind == DG_V_STR && name.as.s.len && name.as.s.ptr[0] == '+')
            return true;
    }
    return false;
}

static bool names(DgValue columns, DgStr name)
{
    for (size_t i = 0; i < entries_of(columns); i++)
        if (same_name(plain_name(name_at(columns, i)), name))
            return true;
    return false;
}

static void add_column(ColumnList *to, DgStr name, DgValue type)
{
    if (type.kind == DG_V_NONE || (type.kind == DG_V_STR && !type.as.s.len))
        return;
    to->names[to->count] = (DgValue){.kind = DG_V_STR, .as.s = name};
    to->types[to->count++] = type;
}

static DgValue joined_columns(DgPlanner *p, DgValue own, DgValue defaults)
{
    size_t most = entries_of(own) + entries_of(defaults);
    ColumnList all = {p->api->alloc(p, most * sizeof(DgValue)), p->api->alloc(p, most * sizeof(DgValue)), 0};
    for (size_t i = 0; i < entries_of(defaults); i++)
        if (!names(own, plain_name(name_at(defaults, i))))
            add_column(&all, plain_name(name_at(defaults, i)), type_at(defaults, i));
    for (size_t i = 0; i < entries_of(own); i++)
        add_column(&all, plain_name(name_at(own, i)), type_at(own, i));
    DgValueDict *dict = p->api->alloc(p, sizeof *dict);
    *dict = (DgValueDict){all.names, all.types, all.count};
    return (DgValue){.kind = DG_V_DICT, .as.dict = dict};
}

/* Once they stood under `source_options`. */
static void take_old_places(DgPlanner *p, DgStreamSettings *s)
{
    if (!p->api->is_set(p, &s->columns) && p->api->is_set(p, &s->source_options.columns))
        p->api->copy(p, &s->columns, &s->source_options.columns, sizeof(DgValue));
    if (!p->api->is_set(p, &s->transforms) && p->api->is_set(p, &s->source_options.transforms))
        p->api->copy(p, &s->transforms, &s->source_options.transforms, sizeof(DgValue));
    s->source_options.columns = s->source_options.transforms = (DgValue){.kind = DG_V_NONE};
}

static void merge_columns(DgPlanner *p, DgStreamSettings *s, const DgStreamSettings *own, const DgStreamSettings *defaults)
{
    DgValue mine = own->columns.kind != DG_V_NONE ? own->columns : own->source_options.columns;
    DgValue theirs = defaults->columns.kind != DG_V_NONE ? defaults->columns : defaults->source_options.columns;
    if (adds(mine))
        s->columns = joined_columns(p, mine, theirs);
    else if (adds(s->columns))
        s->columns = joined_columns(p, s->columns, (DgValue){.kind = DG_V_NONE});
}

/* ---- select: `@columns` stands for the names under `columns` ---- */

static bool has_item(const DgStr *items, size_t n, DgStr name)
{
    for (size_t i = 0; i < n; i++)
        if (same_name(items[i], name))
            return true;
    return false;
}

static void expand_select(DgPlanner *p, DgStreamSettings *s)
{
    static const DgStr token = DG_S("@columns");
    const DgStr *old = s->select.items;
    if (!s->select.count || !has_item(old, s->select.count, token))
        return;
    if (!same_name(old[0], token) || !entries_of(s->columns)) {
        p->api->report(p, "E0110", &s->select, "write `select: ['@columns', other]`, and the columns under `columns`",
                       "`@columns` is the first of `select`, and needs `columns`");
        return;
    }
    DgStr *items = p->api->alloc(p, (s->select.count + entries_of(s->columns)) * sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < entries_of(s->columns); i++) {
        DgStr name = plain_name(name_at(s->columns, i));
        if (name.len && !same_name(name, (DgStr)DG_S("*")) && !has_item(items, n, name))
            items[n++] = name;
    }
    for (size_t i = 1; i < s->select.count; i++)
        if (!has_item(items, n, old[i]))
            items[n++] = old[i];
    s->select = (DgList){items, n};
}

static bool any_hooks(const DgHooks *h)
{
    return h->start.count + h->end.count + h->pre.count + h->post.count + h->pre_merge.count + h->post_merge.count > 0;
}

void dg_replication_merge(DgPlanner *p, DgStreamSettings *to, const DgStreamSettings *own, const DgStreamSettings *defaults)
{
    static const DgStreamSettings nothing;
    merge(p, dg_stream_fields, to, own, defaults);
    to->key = own->key;
    p->api->copy(p, &to->id, p->api->is_set(p, &own->id) ? &own->id : &nothing.id, sizeof to->id);
    p->api->copy(p, &to->description, p->api->is_set(p, &own->description) ? &own->description : &nothing.description, sizeof to->description);
    p->api->copy(p, &to->hooks, any_hooks(&own->hooks) ? &own->hooks : &defaults->hooks, sizeof to->hooks);
    take_old_places(p, to);
    merge_columns(p, to, own, defaults);
    expand_select(p, to);
    if (to->mode == DG_COPY_MODE_UNSET)
        to->mode = p->api->is_set(p, &to->primary_key) || p->api->is_set(p, &to->update_key) ? DG_COPY_INCREMENTAL : DG_COPY_FULL_REFRESH;
}
