/* yaml.c - from events to the tree: types, tags, anchors, merge keys, duplicate keys.
 *
 * Aliases share the children of what they name, so memory stays small; what counts against the
 * limits is the size and depth after expansion, because that is what later phases walk.
 */
#include "compiler/yaml_internal.h"

#include <stdlib.h>

typedef struct Anchor {
    YamlNode *node; /* NULL while the node is being built: an alias to it contains itself */
    size_t nodes;   /* after expansion */
    int height;
    Span at;
} Anchor;

typedef struct Loader {
    Arena *arena;
    Diag *diag;
    uint32_t file;
    const Event *events;
    size_t at, count;
    Map anchors;
    size_t nodes, aliases;
    bool over_limit; /* said once */
} Loader;

const char *yaml_kind_name(YamlKind k)
{
    static const char *const NAMES[] = {
        [YAML_NULL] = "nothing",      [YAML_BOOL] = "a boolean",     [YAML_INT] = "an integer",
        [YAML_FLOAT] = "a number",    [YAML_STRING] = "text",        [YAML_DATE] = "a date",
        [YAML_TIMESTAMP] = "a time",  [YAML_LIST] = "a list",        [YAML_MAP] = "a mapping",
        [YAML_ERROR] = "faulty text",
    };
    return NAMES[k];
}

static Span span_of(const Loader *l, const Event *e)
{
    return (Span){l->file, e->start, e->end};
}

static YamlNode *new_node(Loader *l, YamlKind kind, Span at)
{
    YamlNode *n = push(l->arena, YamlNode, 1);
    n->kind = kind;
    n->at = at;
    return n;
}

/* ---- Scalars ---- */

static void quote_fix(Loader *l, DiagItem *it, const Event *e)
{
    Str text = str_format(l->arena, "\"%.*s\"", FMT(e->text));
    diag_fix(it, FIX_MAYBE, span_of(l, e), text, "quote it, if text is meant");
}

static void report_differs(Loader *l, const Event *e, const ScalarValue *v)
{
    const char *here = v->kind == YAML_BOOL ? (v->b ? "the boolean true" : "the boolean false")
                                            : yaml_kind_name(v->kind);
    DiagItem *it;
    if (v->kind == YAML_INT)
        it = diag_report(l->diag, W0113, span_of(l, e),
                         "`%.*s` is the number %lld here, but %s in YAML 1.2", FMT(e->text),
                         (long long)v->i, v->other);
    else
        it = diag_report(l->diag, W0113, span_of(l, e), "`%.*s` is %s here, but %s in YAML 1.2",
                         FMT(e->text), here, v->other);
    if (v->kind == YAML_BOOL)
        diag_help(it, "write `%s`, if a boolean is meant", v->b ? "true" : "false");
    else if (v->kind == YAML_STRING && str_find(e->text, S("0o")) != 0)
        diag_help(it, "write it like `1.0e+3` or `0.5`, if a number is meant: with a digit before "
                      "the point, and a sign in the exponent");
    quote_fix(l, it, e);
}

static void set_value(YamlNode *n, const ScalarValue *v)
{
    n->kind = v->kind;
    if (v->kind == YAML_BOOL)
        n->as.b = v->b;
    else if (v->kind == YAML_INT)
        n->as.i = v->i;
    else if (v->kind == YAML_FLOAT)
        n->as.f = v->f;
}

static void type_plain(Loader *l, const Event *e, YamlNode *n)
{
    ScalarValue v = yaml_resolve(e->text);
    set_value(n, &v);
    if (v.impossible) {
        DiagItem *it = diag_report(l->diag, E0102, span_of(l, e),
                                   "`%.*s` is read as a date, but there is no such day or time",
                                   FMT(e->text));
        quote_fix(l, it, e);
        n->kind = YAML_ERROR;
    } else if (v.too_large) {
        DiagItem *it = diag_report(l->diag, W0113, span_of(l, e),
                                   "`%.*s` does not fit into 64 bits and loses digits",
                                   FMT(e->text));
        quote_fix(l, it, e);
    } else if (v.other) {
        report_differs(l, e, &v);
    }
}

static const Str TAG_PREFIX = DG_S("tag:yaml.org,2002:");

static YamlKind tag_kind(Str tag)
{
    static const struct {
        const char *name;
        YamlKind kind;
    } TAGS[] = {{"str", YAML_STRING}, {"int", YAML_INT},   {"float", YAML_FLOAT},
                {"bool", YAML_BOOL},  {"null", YAML_NULL}, {"timestamp", YAML_TIMESTAMP},
                {"seq", YAML_LIST},   {"map", YAML_MAP}};
    if (str_eq(tag, S("!")))
        return YAML_STRING; /* "not what it looks like": text */
    if (str_starts(tag, TAG_PREFIX))
        for (size_t i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
            if (str_eq(str_sub(tag, TAG_PREFIX.len, tag.len), str_from(TAGS[i].name)))
                return TAGS[i].kind;
    return YAML_ERROR;
}

/* As the user wrote it: `!!int`, `!env`. */
static Str tag_shown(Loader *l, Str tag)
{
    if (!str_starts(tag, TAG_PREFIX))
        return tag;
    return str_concat(l->arena, S("!!"), str_sub(tag, TAG_PREFIX.len, tag.len));
}

static void report_tag(Loader *l, const Event *e)
{
    Str shown = tag_shown(l, e->tag);
    Str text = sources_file(l->diag->sources, l->file)->text;
    Span at = {l->file, e->start, e->end};
    while (at.start > 0 && text.ptr[at.start - 1] != '\n') { /* the tag stands before the value */
        at.start--;
        if (str_starts(str_sub(text, at.start, text.len), shown)) {
            at.end = at.start + (uint32_t)shown.len;
            break;
        }
    }
    if (at.end != at.start + (uint32_t)shown.len)
        at = span_of(l, e);
    DiagItem *it = diag_report(l->diag, E0112, at, "the tag `%.*s` is not one that dgc reads",
                               FMT(shown));
    if (str_eq_nocase(shown, S("!env")) || str_eq_nocase(shown, S("!env_var")) ||
        str_eq_nocase(shown, S("!secret")))
        diag_help(it, "write `\"{{ env.NAME }}\"` to read an environment variable");
    else
        diag_note(it, "tags read: !!str, !!int, !!float, !!bool, !!null, !!timestamp, !!seq, "
                      "!!map");
}

static void apply_tag(Loader *l, const Event *e, YamlNode *n)
{
    YamlKind kind = tag_kind(e->tag);
    ScalarValue v;
    if (kind == YAML_ERROR) {
        n->kind = YAML_ERROR;
        report_tag(l, e);
    } else if (kind == YAML_STRING) {
        n->kind = YAML_STRING;
    } else if (kind != YAML_LIST && kind != YAML_MAP && yaml_construct(e->text, kind, &v)) {
        set_value(n, &v);
    } else {
        n->kind = YAML_ERROR;
        Str shown = tag_shown(l, e->tag);
        diag_report(l->diag, E0102, span_of(l, e), "`%.*s` is not what its tag `%.*s` says",
                    FMT(e->text), FMT(shown));
    }
}

static YamlNode *build_scalar(Loader *l, const Event *e)
{
    YamlNode *n = new_node(l, YAML_STRING, span_of(l, e));
    n->style = (YamlStyle)e->style;
    n->text = e->text;
    if (e->broken)
        n->kind = YAML_ERROR;
    else if (e->tag.ptr)
        apply_tag(l, e, n);
    else if (e->style == YAML_PLAIN)
        type_plain(l, e, n);
    return n;
}

/* ---- Limits and aliases ---- */

static bool charge(Loader *l, size_t nodes, Span at)
{
    l->nodes += nodes;
    if (l->nodes > LIMIT_YAML_NODES && !l->over_limit) {
        l->over_limit = true;
        diag_report(l->diag, E0104, at, "the file has more nodes than %d once aliases are expanded",
                    LIMIT_YAML_NODES);
    }
    return !l->over_limit;
}

static void report_no_anchor(Loader *l, const Event *e)
{
    DiagItem *it = diag_report(l->diag, E0105, span_of(l, e),
                               "no anchor `&%.*s` stands before this alias", FMT(e->text));
    StrArray names = {0};
    for (size_t i = 0; i < l->anchors.entries.count; i++)
        array_add(l->arena, &names, l->anchors.entries.items[i].key);
    Span name = span_of(l, e);
    name.start++;
    if (!diag_suggest(it, name, "anchor", e->text, names.items, names.count)) {
        Str text = str_format(l->arena, "\"*%.*s\"", FMT(e->text));
        diag_fix(it, FIX_MAYBE, span_of(l, e), text, "quote it, if text is meant");
    }
}

static YamlNode *build_alias(Loader *l, const Event *e, int depth, int *height)
{
    Span at = span_of(l, e);
    const Anchor *a = map_get(&l->anchors, e->text);
    if (!a) {
        report_no_anchor(l, e);
        return new_node(l, YAML_ERROR, at);
    }
    if (!a->node) {
        DiagItem *it = diag_report(l->diag, E0105, at,
                                   "the alias `*%.*s` stands inside what it names", FMT(e->text));
        diag_label(it, a->at, "`&%.*s` starts here", FMT(e->text));
        return new_node(l, YAML_ERROR, at);
    }
    if (++l->aliases > LIMIT_YAML_ALIASES && !l->over_limit) {
        l->over_limit = true;
        diag_report(l->diag, E0104, at, "the file uses more aliases than %d", LIMIT_YAML_ALIASES);
    }
    if (depth + a->height > LIMIT_YAML_DEPTH && !l->over_limit) {
        l->over_limit = true;
        diag_report(l->diag, E0104, at, "the file nests lists and mappings deeper than %d once "
                    "aliases are expanded", LIMIT_YAML_DEPTH);
    }
    if (!charge(l, a->nodes, at))
        return new_node(l, YAML_ERROR, at);
    YamlNode *n = push(l->arena, YamlNode, 1);
    *n = *a->node;
    n->alias_at = at;
    *height = a->height;
    return n;
}

/* ---- Lists and mappings ---- */

static YamlNode *build(Loader *l, int depth, int *height);

static const Event *next(Loader *l)
{
    assert(l->at < l->count);
    return &l->events[l->at++];
}

static bool at_end(const Loader *l)
{
    return l->events[l->at].kind == EVENT_END;
}

/* A block list or mapping ends where its last child does, not where libyaml noticed. Children that
 * came by an alias end where the alias does. */
static void extend(YamlNode *n, const Event *e, const YamlNode *child)
{
    Span at = child->alias_at.file ? child->alias_at : child->at;
    if (!e->flow && at.end > n->at.end)
        n->at.end = at.end;
}

static YamlNode *close_node(Loader *l, YamlNode *n, const Event *e, YamlKind kind)
{
    const Event *end = next(l);
    if (e->flow)
        n->at.end = end->end;
    YamlKind tagged = e->tag.ptr && !str_eq(e->tag, S("!")) ? tag_kind(e->tag) : kind;
    if (tagged == kind)
        return n;
    Event shown = *e;
    shown.end = e->start + 1;
    if (tagged == YAML_ERROR)
        report_tag(l, &shown);
    else
        diag_report(l->diag, E0102, n->at, "%s is not what its tag says", yaml_kind_name(kind));
    n->kind = YAML_ERROR;
    return n;
}

static YamlNode *build_list(Loader *l, const Event *e, int depth, int *height)
{
    YamlNode *n = new_node(l, YAML_LIST, (Span){l->file, e->start, e->start + 1});
    *height = 1;
    Array(YamlNode *) items = {0};
    while (!at_end(l)) {
        int below = 0;
        YamlNode *item = build(l, depth + 1, &below);
        array_add(l->arena, &items, item);
        extend(n, e, item);
        *height = below + 1 > *height ? below + 1 : *height;
    }
    n->as.list.items = items.items;
    n->as.list.count = items.count;
    return close_node(l, n, e, YAML_LIST);
}

typedef struct MapBuild {
    Array(YamlEntry) entries;
    Map index; /* key with its kind -> position + 1 */
} MapBuild;

/* Keys are one when Python's dict takes them for one: numbers and booleans compare by value. */
static Str key_name(Loader *l, const YamlNode *key)
{
    switch (key->kind) {
    case YAML_INT:
        return str_format(l->arena, "n%lld", (long long)key->as.i);
    case YAML_BOOL:
        return key->as.b ? S("n1") : S("n0");
    case YAML_FLOAT:
        return str_format(l->arena, "n%.17g", key->as.f);
    case YAML_NULL:
        return S("0");
    case YAML_STRING:
        return str_concat(l->arena, S("s"), key->text);
    default:
        return str_concat(l->arena, S("d"), key->text);
    }
}

static YamlEntry *find_entry(const MapBuild *m, Str name)
{
    size_t position = (size_t)(uintptr_t)map_get(&m->index, name);
    return position ? &m->entries.items[position - 1] : NULL;
}

static void append_entry(Loader *l, MapBuild *m, Str name, YamlEntry entry)
{
    array_add(l->arena, &m->entries, entry);
    map_put(l->arena, &m->index, name, (void *)(uintptr_t)m->entries.count);
}

static void add_own(Loader *l, MapBuild *m, YamlEntry entry)
{
    if (entry.key->kind == YAML_ERROR)
        return;
    Str name = key_name(l, entry.key);
    YamlEntry *old = find_entry(m, name);
    if (!old) {
        append_entry(l, m, name, entry);
    } else if (old->merged) {
        *old = entry;
    } else {
        DiagItem *it = diag_report(l->diag, E0103, entry.key->at,
                                   "the key `%.*s` stands twice in one mapping",
                                   FMT(entry.key->text));
        diag_set_label(it, "again here");
        diag_label(it, old->key->at, "first here");
        diag_help(it, "keep one of them");
    }
}

/* Later merges win over earlier ones, and the mapping's own keys over all of them. */
static void add_merged(Loader *l, MapBuild *m, const YamlNode *from)
{
    if (!charge(l, from->as.map.count, from->at))
        return;
    for (size_t i = 0; i < from->as.map.count; i++) {
        YamlEntry entry = from->as.map.entries[i];
        entry.merged = true;
        Str name = key_name(l, entry.key);
        YamlEntry *old = find_entry(m, name);
        if (old)
            *old = entry;
        else
            append_entry(l, m, name, entry);
    }
}

static void merge(Loader *l, MapBuild *m, const YamlNode *value)
{
    Span at = value->alias_at.file ? value->alias_at : value->at;
    if (value->kind == YAML_MAP) {
        add_merged(l, m, value);
    } else if (value->kind == YAML_LIST) {
        for (size_t i = value->as.list.count; i-- > 0;) { /* the first in the list wins */
            const YamlNode *item = value->as.list.items[i];
            if (item->kind == YAML_MAP)
                add_merged(l, m, item);
            else if (item->kind != YAML_ERROR)
                diag_report(l->diag, E0102, item->at, "`<<` merges mappings, not %s",
                            yaml_kind_name(item->kind));
        }
    } else if (value->kind != YAML_ERROR) {
        diag_report(l->diag, E0102, at, "`<<` merges mappings, not %s",
                    yaml_kind_name(value->kind));
    }
}

static YamlNode *build_key(Loader *l, int depth, int *height)
{
    YamlNode *key = build(l, depth, height);
    if (key->kind == YAML_LIST || key->kind == YAML_MAP) {
        diag_report(l->diag, E0102, key->at, "a key cannot be %s", yaml_kind_name(key->kind));
        key = new_node(l, YAML_ERROR, key->at);
    }
    return key;
}

static YamlNode *build_map(Loader *l, const Event *e, int depth, int *height)
{
    YamlNode *n = new_node(l, YAML_MAP, (Span){l->file, e->start, e->start + 1});
    *height = 1;
    Array(YamlEntry) own = {0};
    MapBuild m = {0};
    while (!at_end(l)) {
        const Event *k = &l->events[l->at];
        bool merges = k->kind == EVENT_SCALAR && k->style == YAML_PLAIN && !k->tag.ptr &&
                      str_eq(k->text, S("<<"));
        int below = 0;
        YamlEntry entry = {.key = build_key(l, depth + 1, &below)};
        *height = below + 1 > *height ? below + 1 : *height;
        below = 0;
        entry.value = build(l, depth + 1, &below);
        *height = below + 1 > *height ? below + 1 : *height;
        extend(n, e, entry.key);
        extend(n, e, entry.value);
        if (merges)
            merge(l, &m, entry.value);
        else
            array_add(l->arena, &own, entry);
    }
    for (size_t i = 0; i < own.count; i++)
        add_own(l, &m, own.items[i]);
    n->as.map.entries = m.entries.items;
    n->as.map.count = m.entries.count;
    return close_node(l, n, e, YAML_MAP);
}

/* Recursion ends: the events nest no deeper than LIMIT_YAML_DEPTH. `height` counts the levels of
 * lists and mappings from this node down. */
static YamlNode *build(Loader *l, int depth, int *height)
{
    const Event *e = next(l);
    size_t nodes = l->nodes;
    charge(l, 1, span_of(l, e));
    if (e->kind == EVENT_ALIAS)
        return build_alias(l, e, depth, height);
    Anchor *anchor = NULL;
    if (e->anchor.ptr) { /* a later anchor of the same name takes over from here on */
        anchor = push(l->arena, Anchor, 1);
        anchor->at = (Span){l->file, e->start, e->start + 1};
        map_put(l->arena, &l->anchors, e->anchor, anchor);
    }
    YamlNode *n = e->kind == EVENT_LIST  ? build_list(l, e, depth, height)
                  : e->kind == EVENT_MAP ? build_map(l, e, depth, height)
                                         : build_scalar(l, e);
    if (anchor) {
        anchor->node = n;
        anchor->nodes = l->nodes - nodes;
        anchor->height = *height;
    }
    return n;
}

YamlFile yaml_parse(Arena *arena, Diag *diag, uint32_t file)
{
    Events events = yaml_read_events(arena, diag, file);
    YamlFile out = {.file = file, .broken = events.broken};
    Loader l = {.arena = arena,
                .diag = diag,
                .file = file,
                .events = events.list.items,
                .count = events.list.count};
    while (l.at < l.count) {
        next(&l);             /* the document's start */
        l.anchors = (Map){0}; /* anchors end with their document; the limits are the file's */
        int height = 0;
        YamlNode *root = build(&l, 0, &height);
        next(&l); /* and its end */
        array_add(arena, &out.documents, root);
    }
    return out;
}

YamlEntry *yaml_entry(const YamlNode *map, Str key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->as.map.count; i++) {
        YamlEntry *e = &map->as.map.entries[i];
        if (e->key->kind == YAML_STRING && str_eq(e->key->text, key))
            return e;
    }
    return NULL;
}

YamlNode *yaml_get(const YamlNode *map, Str key)
{
    YamlEntry *e = yaml_entry(map, key);
    return e ? e->value : NULL;
}
