/* parse_expr.c - expressions, with Jinja's precedence: or, and, not, comparisons, + -, ~,
 * * / // %, **, unary + -, then calls, parts, filters and tests. */
#include "compiler/template/template_impl.h"

TExpr *texpr_new(Arena *arena, TExprKind kind, uint32_t start, uint32_t end)
{
    TExpr *e = push(arena, TExpr, 1);
    e->kind = kind;
    e->start = start;
    e->end = end;
    return e;
}

TExpr *parse_make(Parser *p, TExprKind kind, uint32_t start)
{
    return texpr_new(p->ctx->arena, kind, start, start);
}

/* The node ends where the token before the current one ends. */
TExpr *parse_close(Parser *p, TExpr *e)
{
    e->end = p->tok[-1].end;
    return e;
}

TExpr *parse_poison(Parser *p)
{
    return texpr_new(p->ctx->arena, TE_ERROR, p->tok->start, p->tok->end);
}

bool parse_failed(const Parser *p)
{
    return p->t->broken;
}

DiagItem *parse_error(Parser *p, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str message = str_vformat(p->ctx->arena, fmt, args);
    va_end(args);
    return template_error(p->ctx, p->t, E0601, p->tok->start, p->tok->end, "%.*s", FMT(message));
}

bool tok_is(const Parser *p, TokKind kind, Str text)
{
    return p->tok->kind == kind && str_eq(p->tok->text, text);
}

bool tok_op(const Parser *p, const char *op)
{
    return tok_is(p, TK_OP, str_from(op));
}

bool tok_name(const Parser *p, const char *name)
{
    return tok_is(p, TK_NAME, str_from(name));
}

void tok_next(Parser *p)
{
    if (p->tok->kind != TK_EOF)
        p->tok++;
}

bool tok_skip_op(Parser *p, const char *op)
{
    if (!tok_op(p, op))
        return false;
    tok_next(p);
    return true;
}

bool tok_skip_name(Parser *p, const char *name)
{
    if (!tok_name(p, name))
        return false;
    tok_next(p);
    return true;
}

const char *tok_describe(Parser *p)
{
    switch (p->tok->kind) {
    case TK_EOF: return "the end";
    case TK_VAR_END: return "`}}`";
    case TK_BLOCK_END: return "`%}`";
    default:
        return str_format(p->ctx->arena, "`%.*s`", (int)(p->tok->end - p->tok->start),
                          p->t->text.ptr + p->tok->start).ptr;
    }
}

bool tok_expect_op(Parser *p, const char *op, const char *why)
{
    if (tok_skip_op(p, op))
        return true;
    parse_error(p, "expected `%s` %s, found %s", op, why, tok_describe(p));
    return false;
}

/* ---- Names, literals, brackets ---- */

static bool ends_tuple(const Parser *p)
{
    TokKind k = p->tok->kind;
    return k == TK_EOF || k == TK_VAR_END || k == TK_BLOCK_END || tok_op(p, ")") ||
           tok_name(p, "recursive");
}

TExpr *parse_sequence(Parser *p, TExpr *e, const Exprs *items)
{
    e->as.seq = (TExprs){items->items, items->count};
    return parse_close(p, e);
}

TExpr *parse_tuple(Parser *p, bool with_cond)
{
    uint32_t start = p->tok->start;
    Exprs items = {0};
    bool commas = false;
    while (!ends_tuple(p) && !parse_failed(p)) {
        array_add(p->ctx->arena, &items, parse_expression(p, with_cond));
        if (!tok_skip_op(p, ","))
            break;
        commas = true;
    }
    if (!items.count && !parse_failed(p))
        parse_error(p, "expected an expression, found %s", tok_describe(p));
    if (parse_failed(p))
        return parse_poison(p);
    return commas ? parse_sequence(p, parse_make(p, TE_TUPLE, start), &items) : items.items[0];
}

static TExpr *parentheses(Parser *p)
{
    uint32_t start = p->tok->start;
    tok_next(p);
    TExpr *e;
    if (tok_op(p, ")"))
        e = parse_make(p, TE_TUPLE, start);
    else
        e = parse_tuple(p, true);
    tok_expect_op(p, ")", "here");
    e->start = start;
    return parse_close(p, e);
}

static TExpr *list(Parser *p)
{
    TExpr *e = parse_make(p, TE_LIST, p->tok->start);
    Exprs items = {0};
    tok_next(p);
    while (!tok_op(p, "]") && !parse_failed(p)) {
        array_add(p->ctx->arena, &items, parse_expression(p, true));
        if (!tok_skip_op(p, ","))
            break;
    }
    tok_expect_op(p, "]", "or `,` in the list");
    return parse_sequence(p, e, &items);
}

static TExpr *dict(Parser *p)
{
    TExpr *e = parse_make(p, TE_DICT, p->tok->start);
    Exprs keys = {0}, values = {0};
    tok_next(p);
    while (!tok_op(p, "}") && !parse_failed(p)) {
        array_add(p->ctx->arena, &keys, parse_expression(p, true));
        tok_expect_op(p, ":", "after a key");
        array_add(p->ctx->arena, &values, parse_expression(p, true));
        if (!tok_skip_op(p, ","))
            break;
    }
    tok_expect_op(p, "}", "or `,` in the dict");
    e->as.dict.keys = keys.items;
    e->as.dict.values = values.items;
    e->as.dict.count = keys.count;
    return parse_close(p, e);
}

TExpr *parse_constant(Parser *p, DgValue v)
{
    TExpr *e = parse_make(p, TE_CONST, p->tok->start);
    e->as.value = v;
    tok_next(p);
    return parse_close(p, e);
}

static TExpr *name(Parser *p)
{
    Str s = p->tok->text;
    if (str_eq(s, S("true")) || str_eq(s, S("True")))
        return parse_constant(p, dgv_bool(true));
    if (str_eq(s, S("false")) || str_eq(s, S("False")))
        return parse_constant(p, dgv_bool(false));
    if (str_eq(s, S("none")) || str_eq(s, S("None")))
        return parse_constant(p, dgv_none());
    TExpr *e = parse_make(p, TE_NAME, p->tok->start);
    e->as.name = s;
    if (p->macro) {
        p->macro->varargs |= str_eq(s, S("varargs"));
        p->macro->kwargs |= str_eq(s, S("kwargs"));
        p->macro->caller |= str_eq(s, S("caller"));
    }
    p->mutates |= str_eq(s, S("cycler")) || str_eq(s, S("joiner"));
    tok_next(p);
    return parse_close(p, e);
}

bool parse_too_long(Parser *p, int *links)
{
    if (++*links <= TEMPLATE_CHAIN_MAX)
        return parse_failed(p);
    template_error(p->ctx, p->t, E0604, p->tok->start, p->tok->end,
                   "the expression chains more than %d operations", TEMPLATE_CHAIN_MAX);
    return true;
}

static TExpr *text(Parser *p)
{
    TExpr *e = parse_make(p, TE_CONST, p->tok->start);
    Str s = p->tok->text;
    tok_next(p);
    for (int links = 0; p->tok->kind == TK_STRING && !parse_too_long(p, &links); tok_next(p))
        s = str_concat(p->ctx->arena, s, p->tok->text);
    e->as.value = dgv_str(s.ptr ? s.ptr : "", s.len);
    return parse_close(p, e);
}

TExpr *parse_primary(Parser *p)
{
    switch (p->tok->kind) {
    case TK_NAME: return name(p);
    case TK_STRING: return text(p);
    case TK_INT: return parse_constant(p, dgv_int(p->tok->as.i));
    case TK_FLOAT: return parse_constant(p, dgv_float(p->tok->as.f));
    default: break;
    }
    if (tok_op(p, "("))
        return parentheses(p);
    if (tok_op(p, "["))
        return list(p);
    if (tok_op(p, "{"))
        return dict(p);
    DiagItem *it = parse_error(p, "expected an expression, found %s", tok_describe(p));
    if (tok_op(p, "="))
        diag_help(it, "write `==` to compare");
    return parse_poison(p);
}

/* ---- Operators ---- */

static bool enter(Parser *p)
{
    if (p->depth < LIMIT_TEMPLATE_DEPTH) {
        p->depth++;
        return true;
    }
    template_error(p->ctx, p->t, E0604, p->tok->start, p->tok->end,
                   "the expression nests deeper than %d levels", LIMIT_TEMPLATE_DEPTH);
    return false;
}

static TExpr *unary(Parser *p, bool with_filters)
{
    TExpr *e;
    if (tok_op(p, "-") || tok_op(p, "+")) {
        e = parse_make(p, TE_UNARY, p->tok->start);
        e->as.unary.op = tok_op(p, "-") ? TU_NEG : TU_POS;
        tok_next(p);
        if (!enter(p))
            return parse_poison(p);
        e->as.unary.operand = unary(p, false);
        p->depth--;
        parse_close(p, e);
    } else {
        e = parse_primary(p);
    }
    e = parse_postfix(p, e);
    return with_filters ? parse_filters(p, e) : e;
}

static TExpr *binary(Parser *p, TBinary op, TExpr *left, TExpr *right)
{
    TExpr *e = parse_make(p, TE_BINARY, left->start);
    e->as.binary.op = op;
    e->as.binary.left = left;
    e->as.binary.right = right;
    return parse_close(p, e);
}

static TExpr *power(Parser *p)
{
    TExpr *left = unary(p, true);
    for (int links = 0; tok_op(p, "**") && !parse_too_long(p, &links);) {
        tok_next(p);
        left = binary(p, TB_POW, left, unary(p, true));
    }
    return left;
}

static bool product_op(const Parser *p, TBinary *op)
{
    static const struct {
        const char *text;
        TBinary op;
    } ops[] = {{"*", TB_MUL}, {"/", TB_DIV}, {"//", TB_FLOORDIV}, {"%", TB_MOD}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (tok_op(p, ops[i].text)) {
            *op = ops[i].op;
            return true;
        }
    return false;
}

static TExpr *product(Parser *p)
{
    TExpr *left = power(p);
    TBinary op;
    for (int links = 0; product_op(p, &op) && !parse_too_long(p, &links);) {
        tok_next(p);
        left = binary(p, op, left, power(p));
    }
    return left;
}

static TExpr *concatenation(Parser *p)
{
    TExpr *first = product(p);
    if (!tok_op(p, "~"))
        return first;
    TExpr *e = parse_make(p, TE_CONCAT, first->start);
    Exprs items = {0};
    array_add(p->ctx->arena, &items, first);
    while (tok_skip_op(p, "~") && !parse_failed(p))
        array_add(p->ctx->arena, &items, product(p));
    return parse_sequence(p, e, &items);
}

static TExpr *sum(Parser *p)
{
    TExpr *left = concatenation(p);
    for (int links = 0; (tok_op(p, "+") || tok_op(p, "-")) && !parse_too_long(p, &links);) {
        TBinary op = tok_op(p, "+") ? TB_ADD : TB_SUB;
        tok_next(p);
        left = binary(p, op, left, concatenation(p));
    }
    return left;
}

static bool compare_op(Parser *p, TCompare *op)
{
    static const struct {
        const char *text;
        TCompare op;
    } ops[] = {{"==", TC_EQ}, {"!=", TC_NE}, {"<", TC_LT},
               {"<=", TC_LE}, {">", TC_GT}, {">=", TC_GE}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (tok_skip_op(p, ops[i].text)) {
            *op = ops[i].op;
            return true;
        }
    *op = TC_IN;
    if (tok_skip_name(p, "in"))
        return true;
    *op = TC_NOT_IN;
    if (tok_name(p, "not") && p->tok[1].kind == TK_NAME && str_eq(p->tok[1].text, S("in"))) {
        p->tok += 2;
        return true;
    }
    return false;
}

static TExpr *comparison(Parser *p)
{
    TExpr *first = sum(p);
    TCompare op;
    Array(TOperand) rest = {0};
    while (!parse_failed(p) && compare_op(p, &op)) {
        TOperand operand = {op, sum(p)};
        array_add(p->ctx->arena, &rest, operand);
    }
    if (!rest.count)
        return first;
    TExpr *e = parse_make(p, TE_COMPARE, first->start);
    e->as.compare.first = first;
    e->as.compare.rest = rest.items;
    e->as.compare.count = rest.count;
    return parse_close(p, e);
}

static TExpr *negation(Parser *p)
{
    if (!tok_name(p, "not"))
        return comparison(p);
    TExpr *e = parse_make(p, TE_UNARY, p->tok->start);
    e->as.unary.op = TU_NOT;
    tok_next(p);
    if (!enter(p))
        return parse_poison(p);
    e->as.unary.operand = negation(p);
    p->depth--;
    return parse_close(p, e);
}

static TExpr *logic(Parser *p, TExprKind kind, Str word, TExpr *(*operand)(Parser *))
{
    TExpr *left = operand(p);
    for (int links = 0; tok_is(p, TK_NAME, word) && !parse_too_long(p, &links);) {
        tok_next(p);
        TExpr *e = parse_make(p, kind, left->start);
        e->as.binary.left = left;
        e->as.binary.right = operand(p);
        left = parse_close(p, e);
    }
    return left;
}

static TExpr *conjunction(Parser *p) { return logic(p, TE_AND, S("and"), negation); }
static TExpr *disjunction(Parser *p) { return logic(p, TE_OR, S("or"), conjunction); }

TExpr *parse_expression(Parser *p, bool with_cond)
{
    if (!enter(p))
        return parse_poison(p);
    TExpr *e = disjunction(p);
    for (int links = 0; with_cond && tok_name(p, "if") && !parse_too_long(p, &links);) {
        tok_next(p);
        TExpr *cond = parse_make(p, TE_COND, e->start);
        cond->as.cond.then = e;
        cond->as.cond.test = disjunction(p);
        if (tok_skip_name(p, "else"))
            cond->as.cond.otherwise = parse_expression(p, true);
        e = parse_close(p, cond);
    }
    p->depth--;
    return parse_failed(p) ? parse_poison(p) : e;
}
