/* Asset selections: a recursive-descent parser and an evaluator over flags. See select.h. */
#include "runtime/base/select.h"

enum { DEPTH_MAX = 64, TEXT_MAX = 64 << 10 };

typedef enum NodeKind { NODE_ALL, NODE_ATTR, NODE_NOT, NODE_AND, NODE_OR, NODE_WALK, NODE_SINKS,
                        NODE_ROOTS } NodeKind;
typedef enum Attr { ATTR_KEY, ATTR_KEY_PART, ATTR_TAG, ATTR_GROUP, ATTR_KIND, ATTR_OWNER } Attr;

typedef struct Node Node;
struct Node {
    NodeKind kind;
    Node *a, *b;
    int64_t up, down;     /* WALK: levels; -1: all */
    Attr attr;
    Str name, value;      /* ATTR: value only of tag:name=value */
    bool has_value, null, quoted;
    ptrdiff_t offset, length; /* ATTR: of the name */
};

typedef struct Parser {
    Arena *arena;
    Str text;
    ptrdiff_t at;
    int depth;
    SelectError *err;
    bool failed;
} Parser;

static Node *fail(Parser *p, ptrdiff_t offset, ptrdiff_t length, Str message, Str help)
{
    if (!p->failed)
        *p->err = (SelectError){offset, length, message, help};
    p->failed = true;
    return NULL;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/' || c == '@' || c == '*' || c == '\\' ||
           (unsigned char)c >= 0x80;
}

static char peek(const Parser *p)
{
    return p->at < p->text.len ? p->text.ptr[p->at] : 0;
}

static void skip_space(Parser *p)
{
    while (p->at < p->text.len && strchr(" \t\r\n", p->text.ptr[p->at]))
        p->at++;
}

/* The word at the cursor, not taken. */
static Str word_here(const Parser *p)
{
    ptrdiff_t end = p->at;
    while (end < p->text.len && is_name_char(p->text.ptr[end]))
        end++;
    return str_sub(p->text, p->at, end);
}

static bool take_keyword(Parser *p, Str lower, Str upper)
{
    skip_space(p);
    Str word = word_here(p);
    if (!str_eq(word, lower) && !str_eq(word, upper))
        return false;
    p->at += word.len;
    return true;
}

/* "quoted" or bare; colons belong to bare values (team:data) but not to names. */
static bool take_text(Parser *p, Node *n, bool is_value, Str *out)
{
    ptrdiff_t start = p->at;
    if (peek(p) == '"') {
        p->at++;
        while (p->at < p->text.len && p->text.ptr[p->at] != '"')
            p->at++;
        if (p->at == p->text.len) {
            fail(p, start, p->at - start, S("the quote is not closed"), S("add a closing `\"`"));
            return false;
        }
        *out = str_sub(p->text, start + 1, p->at++);
        n->quoted = true;
        return true;
    }
    if (is_value && str_starts(str_sub(p->text, p->at, p->text.len), S("<null>"))) {
        p->at += 6;
        n->null = true;
        *out = (Str){0};
        return true;
    }
    while (p->at < p->text.len &&
           (is_name_char(p->text.ptr[p->at]) || (is_value && p->text.ptr[p->at] == ':')))
        p->at++;
    *out = str_sub(p->text, start, p->at);
    return out->len > 0;
}

static Node *expected_asset(Parser *p)
{
    ptrdiff_t length = p->at < p->text.len ? 1 : 0;
    return fail(p, p->at, length,
                length ? str_format(p->arena, "expected an asset here, found `%c`", peek(p))
                       : S("the selection ends where an asset is expected"),
                S("write an asset key, `group:NAME`, `tag:KEY=VALUE`, `kind:NAME` or "
                  "`owner:NAME`"));
}

static bool attr_of(Str name, Attr *out)
{
    static const struct {
        const char *name;
        Attr attr;
    } attrs[] = {{"key", ATTR_KEY},     {"key_substring", ATTR_KEY_PART}, {"tag", ATTR_TAG},
                 {"group", ATTR_GROUP}, {"kind", ATTR_KIND},              {"owner", ATTR_OWNER}};
    for (size_t i = 0; i < sizeof attrs / sizeof *attrs; i++)
        if (str_eq(name, str_from(attrs[i].name))) {
            *out = attrs[i].attr;
            return true;
        }
    return false;
}

static Node *parse_attr(Parser *p)
{
    Node *n = push(p->arena, Node, 1);
    n->kind = NODE_ATTR;
    n->attr = ATTR_KEY;
    n->offset = p->at;
    Str name;
    if (!take_text(p, n, false, &name))
        return p->failed ? NULL : expected_asset(p);
    n->name = name;
    n->length = p->at - n->offset;
    if (peek(p) != ':' || n->quoted)
        return n;
    if (!attr_of(name, &n->attr))
        return fail(p, n->offset, n->length,
                    str_format(p->arena, "assets cannot be selected by `%.*s:` here", FMT(name)),
                    S("these work: key:, tag:, group:, kind:, owner:, sinks(), roots()"));
    p->at++;
    n->offset = p->at;
    if (!take_text(p, n, true, &n->name))
        return p->failed ? NULL
                         : fail(p, p->at, 0, str_format(p->arena, "`%.*s:` needs a value", FMT(name)),
                                (Str){0});
    n->length = p->at - n->offset;
    if (n->attr == ATTR_TAG && peek(p) == '=') {
        p->at++;
        n->has_value = true;
        if (!take_text(p, n, true, &n->value) && !p->failed)
            fail(p, p->at, 0, S("`=` needs a value"), S("`tag:KEY` alone takes any value"));
    }
    return p->failed ? NULL : n;
}

static Node *parse_union(Parser *p);

static Node *parse_group(Parser *p)
{
    ptrdiff_t open = p->at++;
    if (++p->depth > DEPTH_MAX)
        return fail(p, open, 1, S("parentheses nest too deep"), (Str){0});
    Node *n = parse_union(p);
    p->depth--;
    if (!n)
        return NULL;
    skip_space(p);
    if (peek(p) != ')')
        return fail(p, open, 1, S("this `(` is not closed"), (Str){0});
    p->at++;
    return n;
}

static Node *parse_primary(Parser *p)
{
    skip_space(p);
    if (peek(p) == '(')
        return parse_group(p);
    Str word = word_here(p);
    bool sinks = str_eq(word, S("sinks")), roots = str_eq(word, S("roots"));
    ptrdiff_t after = p->at + word.len;
    if ((sinks || roots) && after < p->text.len && p->text.ptr[after] == '(') {
        p->at = after;
        Node *n = push(p->arena, Node, 1);
        n->kind = sinks ? NODE_SINKS : NODE_ROOTS;
        n->a = parse_group(p);
        return n->a ? n : NULL;
    }
    if (str_eq(word, S("*"))) {
        p->at++;
        Node *n = push(p->arena, Node, 1);
        n->kind = NODE_ALL;
        return n;
    }
    if (str_eq_nocase(word, S("and")) || str_eq_nocase(word, S("or")) ||
        str_eq_nocase(word, S("not")))
        return fail(p, p->at, word.len,
                    str_format(p->arena, "expected an asset here, found `%.*s`", FMT(word)),
                    S("quote it if it is an asset's key"));
    return parse_attr(p);
}

/* Digits at the cursor; false when there are none, or too many to be levels. */
static bool take_digits(Parser *p, int64_t *out)
{
    ptrdiff_t end = p->at;
    while (end < p->text.len && p->text.ptr[end] >= '0' && p->text.ptr[end] <= '9')
        end++;
    if (!str_to_int(str_sub(p->text, p->at, end), out))
        return false;
    p->at = end;
    return true;
}

/* `+` or `2+`; up to the node. A number not followed by `+` is the start of a name. */
static int64_t take_up(Parser *p)
{
    skip_space(p);
    ptrdiff_t start = p->at;
    int64_t levels = -1;
    take_digits(p, &levels);
    if (peek(p) == '+') {
        p->at++;
        return levels;
    }
    p->at = start;
    return 0;
}

static Node *parse_walk(Parser *p)
{
    int64_t up = take_up(p), down = 0;
    if (peek(p) == '+')
        return fail(p, p->at - 1, 2, S("`++` is not a number of levels"),
                    S("write `2+name` for two levels, `+name` for all of them"));
    Node *a = parse_primary(p);
    if (!a)
        return NULL;
    if (peek(p) == '+') {
        p->at++;
        down = -1;
        if (peek(p) >= '0' && peek(p) <= '9')
            take_digits(p, &down);
        if (is_name_char(peek(p)) || peek(p) == '+')
            return fail(p, p->at, 1, S("after `+` comes a number of levels, or nothing"),
                        S("write `a+ or b` for two assets, `a+2` for two levels"));
    }
    if (up == 0 && down == 0)
        return a;
    Node *n = push(p->arena, Node, 1);
    n->kind = NODE_WALK;
    n->a = a;
    n->up = up;
    n->down = down;
    return n;
}

static Node *parse_not(Parser *p)
{
    if (!take_keyword(p, S("not"), S("NOT")))
        return parse_walk(p);
    if (++p->depth > DEPTH_MAX)
        return fail(p, p->at, 0, S("`not` nests too deep"), (Str){0});
    Node *n = push(p->arena, Node, 1);
    n->kind = NODE_NOT;
    n->a = parse_not(p);
    p->depth--;
    return n->a ? n : NULL;
}

static Node *binary(Parser *p, NodeKind kind, Node *a, Node *b)
{
    if (!a || !b)
        return NULL;
    Node *n = push(p->arena, Node, 1);
    *n = (Node){.kind = kind, .a = a, .b = b};
    return n;
}

static Node *parse_and(Parser *p)
{
    Node *n = parse_not(p);
    while (n && take_keyword(p, S("and"), S("AND")))
        n = binary(p, NODE_AND, n, parse_not(p));
    return n;
}

static Node *parse_or(Parser *p)
{
    Node *n = parse_and(p);
    while (n && take_keyword(p, S("or"), S("OR")))
        n = binary(p, NODE_OR, n, parse_and(p));
    return n;
}

static Node *parse_union(Parser *p)
{
    Node *n = parse_or(p);
    for (;;) {
        skip_space(p);
        if (!n || peek(p) != ',')
            return n;
        p->at++;
        n = binary(p, NODE_OR, n, parse_or(p));
    }
}

static Node *parse(Arena *a, Str text, SelectError *err)
{
    Parser p = {.arena = a, .text = text, .err = err};
    *err = (SelectError){0};
    if (text.len > TEXT_MAX)
        return fail(&p, 0, 0, S("the selection is longer than 64 KiB"), (Str){0});
    Node *n = parse_union(&p);
    skip_space(&p);
    if (!n || p.at == text.len)
        return n;
    Str rest = word_here(&p);
    if (peek(&p) == ')')
        return fail(&p, p.at, 1, S("this `)` closes nothing"), (Str){0});
    return fail(&p, p.at, rest.len ? rest.len : 1,
                str_format(a, "expected `and` or `or` before `%.*s`",
                           FMT(rest.len ? rest : str_sub(text, p.at, p.at + 1))),
                rest.len ? S("write `a or b` for both, `a and b` for what is in both")
                         : S("quote names with characters other than letters, digits and _-./@"));
}

/* ---- Evaluation ---- */

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

bool select_check(Arena *a, Str text, SelectError *err)
{
    return parse(a, text, err) != NULL;
}

bool select_assets(Arena *a, const SelectGraph *graph, Str text, bool *chosen, SelectError *err)
{
    Node *n = parse(a, text, err);
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
