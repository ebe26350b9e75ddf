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

static TExpr *make(Parser *p, TExprKind kind, uint32_t start)
{
    return texpr_new(p->ctx->arena, kind, start, start);
}

/* The node ends where the token before the current one ends. */
static TExpr *close(Parser *p, TExpr *e)
{
    e->end = p->tok[-1].end;
    return e;
}

static TExpr *poison(Parser *p)
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

static void next(Parser *p)
{
    if (p->tok->kind != TK_EOF)
        p->tok++;
}

bool tok_skip_op(Parser *p, const char *op)
{
    if (!tok_op(p, op))
        return false;
    next(p);
    return true;
}

bool tok_skip_name(Parser *p, const char *name)
{
    if (!tok_name(p, name))
        return false;
    next(p);
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

typedef Array(TExpr *) Exprs;

static TExpr *sequence(Parser *p, TExpr *e, const Exprs *items)
{
    e->as.seq = (TExprs){items->items, items->count};
    return close(p, e);
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
        return poison(p);
    return commas ? sequence(p, make(p, TE_TUPLE, start), &items) : items.items[0];
}

static TExpr *parentheses(Parser *p)
{
    uint32_t start = p->tok->start;
    next(p);
    TExpr *e;
    if (tok_op(p, ")"))
        e = make(p, TE_TUPLE, start);
    else
        e = parse_tuple(p, true);
    tok_expect_op(p, ")", "here");
    e->start = start;
    return close(p, e);
}

static TExpr *list(Parser *p)
{
    TExpr *e = make(p, TE_LIST, p->tok->start);
    Exprs items = {0};
    next(p);
    while (!tok_op(p, "]") && !parse_failed(p)) {
        array_add(p->ctx->arena, &items, parse_expression(p, true));
        if (!tok_skip_op(p, ","))
            break;
    }
    tok_expect_op(p, "]", "or `,` in the list");
    return sequence(p, e, &items);
}

static TExpr *dict(Parser *p)
{
    TExpr *e = make(p, TE_DICT, p->tok->start);
    Exprs keys = {0}, values = {0};
    next(p);
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
    return close(p, e);
}

static TExpr *constant(Parser *p, DgValue v)
{
    TExpr *e = make(p, TE_CONST, p->tok->start);
    e->as.value = v;
    next(p);
    return close(p, e);
}

static TExpr *name(Parser *p)
{
    Str s = p->tok->text;
    if (str_eq(s, S("true")) || str_eq(s, S("True")))
        return constant(p, dgv_bool(true));
    if (str_eq(s, S("false")) || str_eq(s, S("False")))
        return constant(p, dgv_bool(false));
    if (str_eq(s, S("none")) || str_eq(s, S("None")))
        return constant(p, dgv_none());
    TExpr *e = make(p, TE_NAME, p->tok->start);
    e->as.name = s;
    if (p->macro) {
        p->macro->varargs |= str_eq(s, S("varargs"));
        p->macro->kwargs |= str_eq(s, S("kwargs"));
        p->macro->caller |= str_eq(s, S("caller"));
    }
    p->mutates |= str_eq(s, S("cycler")) || str_eq(s, S("joiner"));
    next(p);
    return close(p, e);
}

static bool too_long(Parser *p, int *links)
{
    if (++*links <= TEMPLATE_CHAIN_MAX)
        return parse_failed(p);
    template_error(p->ctx, p->t, E0604, p->tok->start, p->tok->end,
                   "the expression chains more than %d operations", TEMPLATE_CHAIN_MAX);
    return true;
}

static TExpr *text(Parser *p)
{
    TExpr *e = make(p, TE_CONST, p->tok->start);
    Str s = p->tok->text;
    next(p);
    for (int links = 0; p->tok->kind == TK_STRING && !too_long(p, &links); next(p))
        s = str_concat(p->ctx->arena, s, p->tok->text);
    e->as.value = dgv_str(s.ptr ? s.ptr : "", s.len);
    return close(p, e);
}

static TExpr *primary(Parser *p)
{
    switch (p->tok->kind) {
    case TK_NAME: return name(p);
    case TK_STRING: return text(p);
    case TK_INT: return constant(p, dgv_int(p->tok->as.i));
    case TK_FLOAT: return constant(p, dgv_float(p->tok->as.f));
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
    return poison(p);
}

/* ---- Calls, parts, filters, tests ---- */

static void call_argument(Parser *p, TArgs *args, Exprs *positional, TNamed *named)
{
    bool is_named = p->tok->kind == TK_NAME && p->tok[1].kind == TK_OP &&
                    str_eq(p->tok[1].text, S("="));
    if (tok_op(p, "*") && !args->star && !args->star_star) {
        next(p);
        args->star = parse_expression(p, true);
    } else if (tok_op(p, "**") && !args->star_star) {
        next(p);
        args->star_star = parse_expression(p, true);
    } else if (is_named && !args->star_star) {
        named[args->named_count].name = p->tok->text;
        p->tok += 2;
        named[args->named_count++].value = parse_expression(p, true);
    } else if (args->star || args->star_star || args->named_count) {
        parse_error(p, "an argument by position stands after one by name");
    } else {
        array_add(p->ctx->arena, positional, parse_expression(p, true));
    }
}

static TArgs *call_arguments(Parser *p)
{
    enum { NAMED_MAX = 32 };
    TArgs *args = push(p->ctx->arena, TArgs, 1);
    TNamed named[NAMED_MAX + 1];
    Exprs positional = {0};
    next(p);
    while (!tok_op(p, ")") && !parse_failed(p)) {
        call_argument(p, args, &positional, named);
        if (args->named_count > NAMED_MAX)
            parse_error(p, "a call has more than %d arguments by name", NAMED_MAX);
        if (!tok_skip_op(p, ","))
            break;
    }
    tok_expect_op(p, ")", "or `,` after an argument");
    args->positional = (TExprs){positional.items, positional.count};
    if (args->named_count) {
        args->named = push(p->ctx->arena, TNamed, args->named_count);
        memcpy(args->named, named, args->named_count * sizeof *named);
    }
    return args;
}

static bool is_mutator(Str name)
{
    static const char *const names[] = {"append", "extend", "insert", "pop", "remove", "clear",
                                        "sort", "reverse", "update", "setdefault", "popitem",
                                        "next", "reset", "changed"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, str_from(names[i])))
            return true;
    return false;
}

static TExpr *call(Parser *p, TExpr *callee)
{
    TExpr *e = make(p, TE_CALL, callee->start);
    e->as.call.callee = callee;
    e->as.call.args = call_arguments(p);
    p->mutates |= callee->kind == TE_ATTR && is_mutator(callee->as.part.name);
    return close(p, e);
}

static TExpr *slice_part(Parser *p)
{
    if (tok_op(p, ":") || tok_op(p, "]") || tok_op(p, ","))
        return NULL;
    return parse_expression(p, true);
}

static TExpr *subscript(Parser *p, TExpr *object)
{
    TExpr *e = make(p, TE_ITEM, object->start), *first = NULL;
    next(p);
    if (!tok_op(p, ":"))
        first = parse_expression(p, true);
    if (tok_skip_op(p, ":")) {
        e->kind = TE_SLICE;
        e->as.slice.object = object;
        e->as.slice.start = first;
        e->as.slice.stop = slice_part(p);
        if (tok_skip_op(p, ":"))
            e->as.slice.step = slice_part(p);
    } else if (tok_op(p, ",")) {
        TExpr *tuple = make(p, TE_TUPLE, first->start);
        Exprs items = {0};
        array_add(p->ctx->arena, &items, first);
        while (tok_skip_op(p, ",") && !tok_op(p, "]") && !parse_failed(p))
            array_add(p->ctx->arena, &items, parse_expression(p, true));
        e->as.item.object = object;
        e->as.item.key = sequence(p, tuple, &items);
    } else {
        e->as.item.object = object;
        e->as.item.key = first;
    }
    tok_expect_op(p, "]", "here");
    return close(p, e);
}

static TExpr *attribute(Parser *p, TExpr *object)
{
    next(p);
    TExpr *e;
    if (p->tok->kind == TK_INT) {
        e = make(p, TE_ITEM, object->start);
        e->as.item.object = object;
        e->as.item.key = constant(p, dgv_int(p->tok->as.i));
        return close(p, e);
    }
    if (p->tok->kind != TK_NAME) {
        parse_error(p, "expected a name after `.`, found %s", tok_describe(p));
        return poison(p);
    }
    e = make(p, TE_ATTR, object->start);
    e->as.part.object = object;
    e->as.part.name = p->tok->text;
    next(p);
    return close(p, e);
}

TExpr *parse_postfix(Parser *p, TExpr *e)
{
    for (int links = 0; !too_long(p, &links);) {
        if (tok_op(p, "."))
            e = attribute(p, e);
        else if (tok_op(p, "["))
            e = subscript(p, e);
        else if (tok_op(p, "("))
            e = call(p, e);
        else
            break;
    }
    return e;
}

static void unknown_apply(Parser *p, const char *what, Str wrong, bool filter)
{
    const Str *names;
    size_t count = filter ? dg_filter_names(&names) : dg_test_names(&names);
    uint32_t start = p->tok[-1].start, end = p->tok[-1].end;
    bool first = !p->t->broken;
    DiagItem *it = template_error(p->ctx, p->t, E0601, start, end, "there is no %s `%.*s`", what,
                                  FMT(wrong));
    if (first)
        diag_suggest(it, template_span(&p->t->place, start, end), what, wrong, names, count);
}

TExpr *parse_filter_name(Parser *p, TExpr *operand)
{
    TExpr *e = make(p, TE_FILTER, operand->start);
    if (p->tok->kind != TK_NAME) {
        parse_error(p, "expected the name of a filter, found %s", tok_describe(p));
        return poison(p);
    }
    e->as.apply.operand = operand;
    e->as.apply.name = p->tok->text;
    next(p);
    if (!dg_filter_find(e->as.apply.name, &e->as.apply.c_name))
        unknown_apply(p, "filter", e->as.apply.name, true);
    if (tok_op(p, "("))
        e->as.apply.args = call_arguments(p);
    return close(p, e);
}

static bool test_argument_follows(const Parser *p)
{
    TokKind k = p->tok->kind;
    if (k == TK_NAME)
        return !tok_name(p, "else") && !tok_name(p, "or") && !tok_name(p, "and") &&
               !tok_name(p, "if") && !tok_name(p, "is");
    return k == TK_STRING || k == TK_INT || k == TK_FLOAT || tok_op(p, "[") || tok_op(p, "{");
}

static TExpr *test(Parser *p, TExpr *operand)
{
    next(p);
    bool negated = tok_skip_name(p, "not");
    TExpr *e = make(p, TE_TEST, operand->start);
    if (p->tok->kind != TK_NAME) {
        parse_error(p, "expected the name of a test, found %s", tok_describe(p));
        return poison(p);
    }
    e->as.apply.operand = operand;
    e->as.apply.name = p->tok->text;
    next(p);
    if (!dg_test_find(e->as.apply.name, &e->as.apply.c_name))
        unknown_apply(p, "test", e->as.apply.name, false);
    if (tok_op(p, "(")) {
        e->as.apply.args = call_arguments(p);
    } else if (test_argument_follows(p)) {
        TExpr **one = push(p->ctx->arena, TExpr *, 1);
        *one = parse_postfix(p, primary(p));
        e->as.apply.args = push(p->ctx->arena, TArgs, 1);
        e->as.apply.args->positional = (TExprs){one, 1};
    } else if (tok_name(p, "is")) {
        parse_error(p, "tests cannot be chained with `is`");
    }
    close(p, e);
    if (!negated)
        return e;
    TExpr *negation = make(p, TE_UNARY, e->start);
    negation->as.unary.op = TU_NOT;
    negation->as.unary.operand = e;
    return close(p, negation);
}

TExpr *parse_filters(Parser *p, TExpr *e)
{
    for (int links = 0; !too_long(p, &links);) {
        if (tok_skip_op(p, "|"))
            e = parse_filter_name(p, e);
        else if (tok_name(p, "is"))
            e = test(p, e);
        else if (tok_op(p, "("))
            e = call(p, e);
        else
            break;
    }
    return e;
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
        e = make(p, TE_UNARY, p->tok->start);
        e->as.unary.op = tok_op(p, "-") ? TU_NEG : TU_POS;
        next(p);
        if (!enter(p))
            return poison(p);
        e->as.unary.operand = unary(p, false);
        p->depth--;
        close(p, e);
    } else {
        e = primary(p);
    }
    e = parse_postfix(p, e);
    return with_filters ? parse_filters(p, e) : e;
}

static TExpr *binary(Parser *p, TBinary op, TExpr *left, TExpr *right)
{
    TExpr *e = make(p, TE_BINARY, left->start);
    e->as.binary.op = op;
    e->as.binary.left = left;
    e->as.binary.right = right;
    return close(p, e);
}

static TExpr *power(Parser *p)
{
    TExpr *left = unary(p, true);
    for (int links = 0; tok_op(p, "**") && !too_long(p, &links);) {
        next(p);
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
    for (int links = 0; product_op(p, &op) && !too_long(p, &links);) {
        next(p);
        left = binary(p, op, left, power(p));
    }
    return left;
}

static TExpr *concatenation(Parser *p)
{
    TExpr *first = product(p);
    if (!tok_op(p, "~"))
        return first;
    TExpr *e = make(p, TE_CONCAT, first->start);
    Exprs items = {0};
    array_add(p->ctx->arena, &items, first);
    while (tok_skip_op(p, "~") && !parse_failed(p))
        array_add(p->ctx->arena, &items, product(p));
    return sequence(p, e, &items);
}

static TExpr *sum(Parser *p)
{
    TExpr *left = concatenation(p);
    for (int links = 0; (tok_op(p, "+") || tok_op(p, "-")) && !too_long(p, &links);) {
        TBinary op = tok_op(p, "+") ? TB_ADD : TB_SUB;
        next(p);
        left = binary(p, op, left, concatenation(p));
    }
    return left;
}

static bool compare_op(Parser *p, TCompare *op)
{
    static const struct {
        const char *text;
        TCompare op;
    } ops[] = {{"==", TC_EQ}, {"!=", TC_NE}, {"<", TC_LT}, {"<=", TC_LE}, {">", TC_GT}, {">=", TC_GE}};
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
    TExpr *e = make(p, TE_COMPARE, first->start);
    e->as.compare.first = first;
    e->as.compare.rest = rest.items;
    e->as.compare.count = rest.count;
    return close(p, e);
}

static TExpr *negation(Parser *p)
{
    if (!tok_name(p, "not"))
        return comparison(p);
    TExpr *e = make(p, TE_UNARY, p->tok->start);
    e->as.unary.op = TU_NOT;
    next(p);
    if (!enter(p))
        return poison(p);
    e->as.unary.operand = negation(p);
    p->depth--;
    return close(p, e);
}

static TExpr *logic(Parser *p, TExprKind kind, Str word, TExpr *(*operand)(Parser *))
{
    TExpr *left = operand(p);
    for (int links = 0; tok_is(p, TK_NAME, word) && !too_long(p, &links);) {
        next(p);
        TExpr *e = make(p, kind, left->start);
        e->as.binary.left = left;
        e->as.binary.right = operand(p);
        left = close(p, e);
    }
    return left;
}

static TExpr *conjunction(Parser *p) { return logic(p, TE_AND, S("and"), negation); }
static TExpr *disjunction(Parser *p) { return logic(p, TE_OR, S("or"), conjunction); }

TExpr *parse_expression(Parser *p, bool with_cond)
{
    if (!enter(p))
        return poison(p);
    TExpr *e = disjunction(p);
    for (int links = 0; with_cond && tok_name(p, "if") && !too_long(p, &links);) {
        next(p);
        TExpr *cond = make(p, TE_COND, e->start);
        cond->as.cond.then = e;
        cond->as.cond.test = disjunction(p);
        if (tok_skip_name(p, "else"))
            cond->as.cond.otherwise = parse_expression(p, true);
        e = close(p, cond);
    }
    p->depth--;
    return parse_failed(p) ? poison(p) : e;
}
