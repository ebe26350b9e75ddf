/* Asset selections: a recursive-descent parser. See select.h. */
#include "runtime/base/select_node.h"

enum { DEPTH_MAX = 64, TEXT_MAX = 64 << 10 };

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

Node *select_parse(Arena *a, Str text, SelectError *err)
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

bool select_check(Arena *a, Str text, SelectError *err)
{
    return select_parse(a, text, err) != NULL;
}
