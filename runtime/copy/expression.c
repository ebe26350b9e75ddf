/* expression.c - from text to tree: a parser by precedence, bounded in length, depth and nodes. */
#include <ctype.h>

#include "runtime/copy/expression_internal.h"
#include "runtime/data/batch.h"

typedef struct Parser {
    Arena *arena;
    Str text;
    ptrdiff_t at;
    int depth, nodes;
    StrArray names;          /* so far, each once */
    DgError *err;
    bool failed;
} Parser;

static Expr *wrong(Parser *p, const char *what)
{
    if (!p->failed)
        dg_fail(p->err, DG_CONFIG, "`%.*s`: %s at character %lld", (int)(p->text.len > 200 ? 200 : p->text.len), p->text.ptr ? p->text.ptr : "",
                what, (long long)p->at + 1);
    p->failed = true;
    return NULL;
}

static Expr *node(Parser *p, ExprOp op, Expr *const *args, int count)
{
    for (int i = 0; i < count; i++)
        if (!args[i])
            return NULL;
    if (p->nodes++ >= EXPR_NODES_MAX)
        return wrong(p, "too many parts");
    Expr *e = push(p->arena, Expr, 1);
    Expr **kept = push(p->arena, Expr *, count + 1);
    if (!e || !kept)
        return wrong(p, "out of memory");
    for (int i = 0; i < count; i++)
        kept[i] = args[i];
    *e = (Expr){.op = op, .args = kept, .count = count};
    return e;
}

static Expr *constant(Parser *p, DgValue v)
{
    Expr *e = node(p, EXPR_CONSTANT, NULL, 0);
    if (e)
        e->value = v;
    return e;
}

/* ---- Pieces of text ---- */

static int peek(Parser *p)
{
    while (p->at < p->text.len && isspace((unsigned char)p->text.ptr[p->at]))
        p->at++;
    return p->at < p->text.len ? (unsigned char)p->text.ptr[p->at] : -1;
}

static bool take(Parser *p, const char *op)
{
    Str s = str_from(op);
    peek(p);
    if (!str_starts(str_sub(p->text, p->at, p->text.len), s))
        return false;
    p->at += s.len;
    return true;
}

static bool is_name_char(int c)
{
    return c == '_' || c == '.' || isalnum(c) || c >= 0x80;
}

/* `store.orders[0].n` is one name. */
static Str take_name(Parser *p)
{
    ptrdiff_t start = p->at;
    while (p->at < p->text.len) {
        int c = (unsigned char)p->text.ptr[p->at];
        if (c == '[') {
            ptrdiff_t k = p->at + 1;
            while (k < p->text.len && isdigit((unsigned char)p->text.ptr[k]))
                k++;
            if (k == p->at + 1 || k >= p->text.len || p->text.ptr[k] != ']')
                break;
            p->at = k + 1;
        } else if (is_name_char(c)) {
            p->at++;
        } else {
            break;
        }
    }
    return str_sub(p->text, start, p->at);
}

static Expr *name_node(Parser *p, Str name)
{
    Expr *e = node(p, EXPR_NAME, NULL, 0);
    if (!e)
        return NULL;
    while ((size_t)e->slot < p->names.count && !str_eq(p->names.items[e->slot], name))
        e->slot++;
    e->name = (size_t)e->slot < p->names.count ? p->names.items[e->slot] : str_copy(p->arena, name);
    if ((size_t)e->slot == p->names.count)
        array_add(p->arena, &p->names, e->name);
    return e;
}

static Expr *quoted(Parser *p)
{
    char quote = p->text.ptr[p->at++];
    char *out = push(p->arena, char, p->text.len - p->at + 1);
    ptrdiff_t n = 0;
    if (!out)
        return wrong(p, "out of memory");
    for (; p->at < p->text.len; p->at++) {
        char c = p->text.ptr[p->at];
        if (c == quote) {
            p->at++;
            return constant(p, expr_str((Str){out, n}));
        }
        if (c == '\\' && p->at + 1 < p->text.len) {
            c = p->text.ptr[++p->at];
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        }
        out[n++] = c;
    }
    return wrong(p, "a text without its closing quote");
}

static Expr *number(Parser *p)
{
    ptrdiff_t start = p->at;
    bool real = false;
    DgValue v = {.kind = DG_V_INT};
    while (p->at < p->text.len) {
        char c = p->text.ptr[p->at];
        bool exponent = (c == 'e' || c == 'E') && p->at > start;
        bool sign = (c == '+' || c == '-') && p->at > start && (p->text.ptr[p->at - 1] | 32) == 'e';
        if (!isdigit((unsigned char)c) && c != '.' && !exponent && !sign)
            break;
        real = real || c == '.' || exponent;
        p->at++;
    }
    Str digits = str_sub(p->text, start, p->at);
    if (!real && str_to_int(digits, &v.as.i))
        return constant(p, v);
    v.kind = DG_V_FLOAT;
    return str_to_double(digits, &v.as.f) ? constant(p, v) : wrong(p, "no number");
}

/* ---- Grammar ---- */

static Expr *choice(Parser *p);

static Expr *call(Parser *p, Str name)
{
    Expr *args[EXPR_ARGS_MAX];
    int count = 0;
    const ExprFunction *f = expr_function(name);
    if (!f) {
        if (!p->failed)
            expr_no_function(name, p->err);
        p->failed = true;
        return NULL;
    }
    if (!take(p, ")"))
        for (;;) {
            if (count == EXPR_ARGS_MAX)
                return wrong(p, "too many arguments");
            if (!(args[count] = choice(p)))
                return NULL;
            count++;
            if (take(p, ")"))
                break;
            if (!take(p, ","))
                return wrong(p, "`,` or `)` is missing");
        }
    if (count < f->min || count > f->max)
        return wrong(p, count < f->min ? "too few arguments" : "too many arguments");
    Expr *e = node(p, EXPR_CALL, args, count);
    if (e)
        e->function = f;
    return e;
}

static Expr *word(Parser *p)
{
    Str name = take_name(p);
    if (str_eq(name, S("true")) || str_eq(name, S("false")))
        return constant(p, (DgValue){.kind = DG_V_BOOL, .as.b = str_eq(name, S("true"))});
    if (str_eq(name, S("null")) || str_eq(name, S("nil")))
        return constant(p, (DgValue){.kind = DG_V_NONE});
    return take(p, "(") ? call(p, name) : name_node(p, name);
}

static Expr *primary(Parser *p)
{
    int c = peek(p);
    if (c == '(') {
        p->at++;
        Expr *e = choice(p);
        return !e ? NULL : take(p, ")") ? e : wrong(p, "`)` is missing");
    }
    if (c == '{') {
        p->at++;
        peek(p);
        Str name = take_name(p);
        return !name.len ? wrong(p, "a name is missing") : take(p, "}") ? name_node(p, name) : wrong(p, "`}` is missing");
    }
    if (c == '"' || c == '\'')
        return quoted(p);
    if (isdigit(c))
        return number(p);
    if (c == '_' || isalpha(c) || c >= 0x80)
        return word(p);
    return wrong(p, c < 0 ? "something is missing" : "this has no meaning");
}

static Expr *unary(Parser *p)
{
    int c = peek(p);
    bool not = c == '!' && !str_starts(str_sub(p->text, p->at, p->text.len), S("!="));
    if (!not && c != '-')
        return primary(p);
    if (++p->depth > EXPR_DEPTH_MAX)
        return wrong(p, "too deep");
    p->at++;
    Expr *of = unary(p);
    p->depth--;
    return node(p, not ? EXPR_NOT : EXPR_NEG, &of, 1);
}

/* Longer operators come first where one begins another. */
static const struct { const char *text; ExprOp op; int level; } operators[] = {
    {"||", EXPR_OR, 1}, {"&&", EXPR_AND, 2}, {"==", EXPR_EQ, 3}, {"!=", EXPR_NE, 3}, {"<=", EXPR_LE, 4}, {">=", EXPR_GE, 4},
    {"<", EXPR_LT, 4}, {">", EXPR_GT, 4}, {"+", EXPR_ADD, 5}, {"-", EXPR_SUB, 5}, {"*", EXPR_MUL, 6}, {"/", EXPR_DIV, 6}, {"%", EXPR_REM, 6},
};

static Expr *binary(Parser *p, int level)
{
    if (level > 6)
        return unary(p);
    Expr *pair[2] = {binary(p, level + 1), NULL};
    while (pair[0]) {
        size_t i = 0, n = sizeof operators / sizeof *operators;
        while (i < n && !(operators[i].level == level && take(p, operators[i].text)))
            i++;
        if (i == n)
            break;
        pair[1] = binary(p, level + 1);
        pair[0] = node(p, operators[i].op, pair, 2);
    }
    return pair[0];
}

static Expr *choice(Parser *p)
{
    if (++p->depth > EXPR_DEPTH_MAX)
        return wrong(p, "too deep");
    Expr *three[3] = {binary(p, 1), NULL, NULL};
    if (three[0] && take(p, "?")) {
        three[1] = choice(p);
        if (three[1] && !take(p, ":"))
            return wrong(p, "`:` is missing");
        three[2] = three[1] ? choice(p) : NULL;
        three[0] = node(p, EXPR_CHOOSE, three, 3);
    }
    p->depth--;
    return three[0];
}

DgStatus expr_compile(Arena *a, Str text, Expr **out, DgError *err)
{
    Parser p = {.arena = a, .text = text, .err = err};
    if (text.len > EXPR_BYTES_MAX)
        return dg_fail(err, DG_CONFIG, "an expression has %lld bytes; %d are possible", (long long)text.len, EXPR_BYTES_MAX);
    if (!str_utf8_valid(text, NULL))
        return dg_fail(err, DG_CONFIG, "an expression is no UTF-8 text");
    *out = choice(&p);
    if (*out && peek(&p) >= 0)
        *out = wrong(&p, "this does not belong there");
    return *out ? DG_OK : DG_CONFIG;
}

/* ---- What can be told without values ---- */

void expr_names(const Expr *e, Arena *a, StrArray *out)
{
    if (e->op == EXPR_NAME && (size_t)e->slot == out->count)
        array_add(a, out, e->name);
    for (int i = 0; i < e->count; i++)
        expr_names(e->args[i], a, out);
}

static bool type_of_value(DgValue v, DgType *out)
{
    *out = (DgType){v.kind == DG_V_BOOL ? DG_BOOL : v.kind == DG_V_INT ? DG_INT64 : v.kind == DG_V_FLOAT ? DG_FLOAT64 : DG_TEXT, 0, 0};
    return v.kind != DG_V_NONE;
}

/* A cast says its type in a constant: `cast(value, "bigint")`. */
static bool type_of_call(const Expr *e, DgType *out)
{
    if (str_eq(str_from(e->function->name), S("cast")))
        return e->args[1]->op == EXPR_CONSTANT && e->args[1]->value.kind == DG_V_STR && dg_type_parse(e->args[1]->value.as.s, out);
    *out = (DgType){e->function->gives, 0, 0};
    return e->function->gives != 255;
}

bool expr_type(const Expr *e, DgType *out)
{
    switch (e->op) {
    case EXPR_CONSTANT: return type_of_value(e->value, out);
    case EXPR_CALL: return type_of_call(e, out);
    case EXPR_CHOOSE: {
        DgType other;
        return expr_type(e->args[1], out) && expr_type(e->args[2], &other) && out->kind == other.kind;
    }
    case EXPR_OR: case EXPR_AND: case EXPR_NOT: case EXPR_EQ: case EXPR_NE: case EXPR_LT: case EXPR_LE: case EXPR_GT: case EXPR_GE:
        *out = (DgType){DG_BOOL, 0, 0};
        return true;
    default: return false;
    }
}
