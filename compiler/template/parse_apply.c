/* parse_apply.c - what follows an operand: calls, parts, filters, tests. */
#include "compiler/template/template_impl.h"

static void call_argument(Parser *p, TArgs *args, Exprs *positional, TNamed *named)
{
    bool is_named = p->tok->kind == TK_NAME && p->tok[1].kind == TK_OP &&
                    str_eq(p->tok[1].text, S("="));
    if (tok_op(p, "*") && !args->star && !args->star_star) {
        tok_next(p);
        args->star = parse_expression(p, true);
    } else if (tok_op(p, "**") && !args->star_star) {
        tok_next(p);
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
    tok_next(p);
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
    TExpr *e = parse_make(p, TE_CALL, callee->start);
    e->as.call.callee = callee;
    e->as.call.args = call_arguments(p);
    p->mutates |= callee->kind == TE_ATTR && is_mutator(callee->as.part.name);
    return parse_close(p, e);
}

static TExpr *slice_part(Parser *p)
{
    if (tok_op(p, ":") || tok_op(p, "]") || tok_op(p, ","))
        return NULL;
    return parse_expression(p, true);
}

static TExpr *subscript(Parser *p, TExpr *object)
{
    TExpr *e = parse_make(p, TE_ITEM, object->start), *first = NULL;
    tok_next(p);
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
        TExpr *tuple = parse_make(p, TE_TUPLE, first->start);
        Exprs items = {0};
        array_add(p->ctx->arena, &items, first);
        while (tok_skip_op(p, ",") && !tok_op(p, "]") && !parse_failed(p))
            array_add(p->ctx->arena, &items, parse_expression(p, true));
        e->as.item.object = object;
        e->as.item.key = parse_sequence(p, tuple, &items);
    } else {
        e->as.item.object = object;
        e->as.item.key = first;
    }
    tok_expect_op(p, "]", "here");
    return parse_close(p, e);
}

static TExpr *attribute(Parser *p, TExpr *object)
{
    tok_next(p);
    TExpr *e;
    if (p->tok->kind == TK_INT) {
        e = parse_make(p, TE_ITEM, object->start);
        e->as.item.object = object;
        e->as.item.key = parse_constant(p, dgv_int(p->tok->as.i));
        return parse_close(p, e);
    }
    if (p->tok->kind != TK_NAME) {
        parse_error(p, "expected a name after `.`, found %s", tok_describe(p));
        return parse_poison(p);
    }
    e = parse_make(p, TE_ATTR, object->start);
    e->as.part.object = object;
    e->as.part.name = p->tok->text;
    tok_next(p);
    return parse_close(p, e);
}

TExpr *parse_postfix(Parser *p, TExpr *e)
{
    for (int links = 0; !parse_too_long(p, &links);) {
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
    TExpr *e = parse_make(p, TE_FILTER, operand->start);
    if (p->tok->kind != TK_NAME) {
        parse_error(p, "expected the name of a filter, found %s", tok_describe(p));
        return parse_poison(p);
    }
    e->as.apply.operand = operand;
    e->as.apply.name = p->tok->text;
    tok_next(p);
    if (!dg_filter_find(e->as.apply.name, &e->as.apply.c_name))
        unknown_apply(p, "filter", e->as.apply.name, true);
    if (tok_op(p, "("))
        e->as.apply.args = call_arguments(p);
    return parse_close(p, e);
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
    tok_next(p);
    bool negated = tok_skip_name(p, "not");
    TExpr *e = parse_make(p, TE_TEST, operand->start);
    if (p->tok->kind != TK_NAME) {
        parse_error(p, "expected the name of a test, found %s", tok_describe(p));
        return parse_poison(p);
    }
    e->as.apply.operand = operand;
    e->as.apply.name = p->tok->text;
    tok_next(p);
    if (!dg_test_find(e->as.apply.name, &e->as.apply.c_name))
        unknown_apply(p, "test", e->as.apply.name, false);
    if (tok_op(p, "(")) {
        e->as.apply.args = call_arguments(p);
    } else if (test_argument_follows(p)) {
        TExpr **one = push(p->ctx->arena, TExpr *, 1);
        *one = parse_postfix(p, parse_primary(p));
        e->as.apply.args = push(p->ctx->arena, TArgs, 1);
        e->as.apply.args->positional = (TExprs){one, 1};
    } else if (tok_name(p, "is")) {
        parse_error(p, "tests cannot be chained with `is`");
    }
    parse_close(p, e);
    if (!negated)
        return e;
    TExpr *negation = parse_make(p, TE_UNARY, e->start);
    negation->as.unary.op = TU_NOT;
    negation->as.unary.operand = e;
    return parse_close(p, negation);
}

TExpr *parse_filters(Parser *p, TExpr *e)
{
    for (int links = 0; !parse_too_long(p, &links);) {
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
