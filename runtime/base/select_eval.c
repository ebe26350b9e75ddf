/* Asset selections: evaluation over one flag per asset. See select.h. */
#include "runtime/base/select_node.h"

typedef struct Eval {
    Arena *arena;
    const SelectGraph *graph;
    int32_t *down;       /* downstream nodes, grouped by node */
    int32_t *down_start; /* count + 1 entries */
    SelectError *err;
} Eval;

bool select_wildcard(Str pattern, Str text)
{
    ptrdiff_t p = 0, t = 0, star = -1, resume = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++, t++;
        } else if (star >= 0) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static bool any_matches(const Node *n, const Str *items, int32_t count)
{
    if (n->null)
        return count == 0;
    for (int32_t i = 0; i < count; i++)
        if (select_wildcard(n->name, items[i]))
            return true;
    return false;
}

static bool tag_matches(const Node *n, const SelectNode *node)
{
    for (int32_t i = 0; i < node->tags_count; i++) {
        if (!select_wildcard(n->name, node->tags[i].key))
            continue;
        if (!n->has_value || select_wildcard(n->value, node->tags[i].value))
            return true;
    }
    return n->null && node->tags_count == 0;
}

static bool attr_matches(const Node *n, const SelectNode *node)
{
    switch (n->attr) {
    case ATTR_KEY:
        return select_wildcard(n->name, node->key);
    case ATTR_KEY_PART:
        return str_find(node->key, n->name) >= 0;
    case ATTR_TAG:
        return tag_matches(n, node);
    case ATTR_GROUP:
        return n->null ? node->group.len == 0 : select_wildcard(n->name, node->group);
    case ATTR_KIND:
        return any_matches(n, node->kinds, node->kinds_count);
    case ATTR_OWNER:
        return any_matches(n, node->owners, node->owners_count);
    }
    return false;
}

/* A key that ends in /NAME, else the nearest by spelling; empty when nothing is near. */
static Str nearest_key(const SelectGraph *g, Str name)
{
    Str best = {0};
    int best_distance = name.len > 6 ? 3 : 2;
    for (int32_t i = 0; i < g->count; i++) {
        Str key = g->nodes[i].key;
        ptrdiff_t from = key.len - name.len;
        if (from > 0 && key.ptr[from - 1] == '/' && str_ends(key, name))
            return key;
        int distance = str_distance(name, key, best_distance);
        if (distance <= best_distance) {
            best = key;
            best_distance = distance - 1;
        }
    }
    return best;
}

static bool eval_attr(Eval *e, const Node *n, bool *out)
{
    bool any = false;
    for (int32_t i = 0; i < e->graph->count; i++)
        any |= out[i] = attr_matches(n, &e->graph->nodes[i]);
    if (any || n->attr != ATTR_KEY || e->graph->missing_ok || str_find_char(n->name, '*') >= 0)
        return true;
    Str near = nearest_key(e->graph, n->name);
    *e->err = (SelectError){
        n->offset, n->length, str_format(e->arena, "there is no asset `%.*s`", FMT(n->name)),
        near.len ? str_format(e->arena, "a similar asset exists: `%.*s`", FMT(near)) : (Str){0}};
    return false;
}

/* Breadth first from all that is in `out`, adding what is at most `levels` away. */
static void walk(Eval *e, bool *out, int64_t levels, bool up)
{
    int32_t count = e->graph->count, head = 0, tail = 0, level_end;
    int32_t *queue = push(e->arena, int32_t, count);
    for (int32_t i = 0; i < count; i++)
        if (out[i])
            queue[tail++] = i;
    level_end = tail;
    while (head < tail && levels != 0) {
        int32_t at = queue[head++];
        const int32_t *next = up ? e->graph->nodes[at].deps : e->down + e->down_start[at];
        int32_t next_count =
            up ? e->graph->nodes[at].deps_count : e->down_start[at + 1] - e->down_start[at];
        for (int32_t i = 0; i < next_count; i++)
            if (!out[next[i]]) {
                out[next[i]] = true;
                queue[tail++] = next[i];
            }
        if (head == level_end) {
            level_end = tail;
            levels -= levels > 0;
        }
    }
}

static void keep_ends(Eval *e, const bool *in, bool *out, bool sinks)
{
    for (int32_t i = 0; i < e->graph->count; i++) {
        const int32_t *next = sinks ? e->down + e->down_start[i] : e->graph->nodes[i].deps;
        int32_t count =
            sinks ? e->down_start[i + 1] - e->down_start[i] : e->graph->nodes[i].deps_count;
        out[i] = in[i];
        for (int32_t k = 0; k < count; k++)
            if (in[next[k]] && next[k] != i)
                out[i] = false;
    }
}

static bool eval(Eval *e, const Node *n, bool *out)
{
    int32_t count = e->graph->count;
    if (n->kind == NODE_ATTR)
        return eval_attr(e, n, out);
    if (n->kind == NODE_ALL) {
        memset(out, true, (size_t)count);
        return true;
    }
    size_t mark = arena_mark(e->arena);
    bool *other = push(e->arena, bool, count + 1);
    bool ok = eval(e, n->a, n->kind == NODE_AND || n->kind == NODE_OR ? out : other) &&
              (!n->b || eval(e, n->b, other));
    if (!ok)
        return false; /* the message is in the arena: nothing is given back */
    if (n->kind == NODE_WALK) {
        /* Up and down each start from the node itself, as in Dagster. */
        bool *down = push(e->arena, bool, count + 1);
        memcpy(down, other, (size_t)count);
        walk(e, other, n->up, true);
        walk(e, down, n->down, false);
        for (int32_t i = 0; i < count; i++)
            out[i] = other[i] || down[i];
    } else if (n->kind == NODE_SINKS || n->kind == NODE_ROOTS) {
        keep_ends(e, other, out, n->kind == NODE_SINKS);
    } else {
        for (int32_t i = 0; i < count; i++)
            out[i] = n->kind == NODE_NOT   ? !other[i]
                     : n->kind == NODE_AND ? out[i] && other[i]
                                           : out[i] || other[i];
    }
    arena_pop(e->arena, mark);
    return true;
}

static void index_downstream(Eval *e)
{
    const SelectGraph *g = e->graph;
    e->down_start = push(e->arena, int32_t, g->count + 2);
    for (int32_t i = 0; i < g->count; i++)
        for (int32_t k = 0; k < g->nodes[i].deps_count; k++)
            e->down_start[g->nodes[i].deps[k] + 2]++;
    for (int32_t i = 2; i <= g->count + 1; i++)
        e->down_start[i] += e->down_start[i - 1];
    /* Now [i + 1] is where i's entries begin; filling them moves it to where they end. */
    e->down = push(e->arena, int32_t, e->down_start[g->count + 1] + 1);
    for (int32_t i = 0; i < g->count; i++)
        for (int32_t k = 0; k < g->nodes[i].deps_count; k++)
            e->down[e->down_start[g->nodes[i].deps[k] + 1]++] = i;
}

bool select_assets(Arena *a, const SelectGraph *graph, Str text, bool *chosen, SelectError *err)
{
    Node *n = select_parse(a, text, err);
    if (!n)
        return false;
    Eval e = {.arena = a, .graph = graph, .err = err};
    index_downstream(&e);
    bool *out = push(a, bool, graph->count + 1);
    if (!eval(&e, n, out))
        return false;
    memcpy(chosen, out, (size_t)graph->count);
    return true;
}
