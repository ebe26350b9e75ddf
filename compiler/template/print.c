/* print.c - templates as text, for tests and --emit; and the names that they mention. */
#include "compiler/template/template_impl.h"

static void print_stmts(const TStmts *list, StrBuf *b);

static void print_value(DgValue v, StrBuf *b)
{
    if (v.secret) {
        buf_add(b, S("<secret>"));
        return;
    }
    Arena arena;
    arena_init(&arena, 1 << 26);
    DgEval ev;
    dg_eval_init(&ev, &arena);
    dg_write_repr(&ev, b, v);
    dg_eval_free(&ev);
    arena_free(&arena);
}

static void print_list(const TExprs *list, StrBuf *b)
{
    for (size_t i = 0; i < list->count; i++) {
        buf_char(b, ' ');
        template_print_expr(list->items[i], b);
    }
}

static void print_args(const TArgs *args, StrBuf *b)
{
    if (!args)
        return;
    print_list(&args->positional, b);
    for (size_t i = 0; i < args->named_count; i++) {
        buf_format(b, " %.*s=", FMT(args->named[i].name));
        template_print_expr(args->named[i].value, b);
    }
    if (args->star) {
        buf_add(b, S(" *"));
        template_print_expr(args->star, b);
    }
    if (args->star_star) {
        buf_add(b, S(" **"));
        template_print_expr(args->star_star, b);
    }
}

static void print_optional(const TExpr *e, StrBuf *b)
{
    buf_char(b, ' ');
    if (e)
        template_print_expr(e, b);
    else
        buf_char(b, '_');
}

static void print_part(const TExpr *e, StrBuf *b)
{
    switch (e->kind) {
    case TE_ATTR:
        buf_add(b, S("attr "));
        template_print_expr(e->as.part.object, b);
        buf_format(b, " %.*s", FMT(e->as.part.name));
        break;
    case TE_ITEM:
        buf_add(b, S("item "));
        template_print_expr(e->as.item.object, b);
        print_optional(e->as.item.key, b);
        break;
    case TE_SLICE:
        buf_add(b, S("slice "));
        template_print_expr(e->as.slice.object, b);
        print_optional(e->as.slice.start, b);
        print_optional(e->as.slice.stop, b);
        print_optional(e->as.slice.step, b);
        break;
    case TE_CALL:
        buf_add(b, S("call "));
        template_print_expr(e->as.call.callee, b);
        print_args(e->as.call.args, b);
        break;
    default: /* TE_FILTER, TE_TEST */
        buf_format(b, "%s %.*s ", e->kind == TE_FILTER ? "filter" : "test", FMT(e->as.apply.name));
        template_print_expr(e->as.apply.operand, b);
        print_args(e->as.apply.args, b);
        break;
    }
}

static void print_operation(const TExpr *e, StrBuf *b)
{
    static const char *const unary[] = {"neg", "pos", "not"};
    static const char *const binary[] = {"add", "sub", "mul", "div", "floordiv", "mod", "pow"};
    static const char *const compare[] = {"==", "!=", "<", "<=", ">", ">=", "in", "not-in"};
    switch (e->kind) {
    case TE_UNARY:
        buf_format(b, "%s ", unary[e->as.unary.op]);
        template_print_expr(e->as.unary.operand, b);
        break;
    case TE_BINARY:
    case TE_AND:
    case TE_OR:
        buf_format(b, "%s ", e->kind == TE_AND ? "and" : e->kind == TE_OR ? "or"
                                                       : binary[e->as.binary.op]);
        template_print_expr(e->as.binary.left, b);
        print_optional(e->as.binary.right, b);
        break;
    case TE_COMPARE:
        buf_add(b, S("compare "));
        template_print_expr(e->as.compare.first, b);
        for (size_t i = 0; i < e->as.compare.count; i++) {
            buf_format(b, " %s", compare[e->as.compare.rest[i].op]);
            print_optional(e->as.compare.rest[i].value, b);
        }
        break;
    default: /* TE_COND */
        buf_add(b, S("if "));
        template_print_expr(e->as.cond.test, b);
        print_optional(e->as.cond.then, b);
        print_optional(e->as.cond.otherwise, b);
        break;
    }
}

void template_print_expr(const TExpr *e, StrBuf *b)
{
    if (e->kind == TE_ERROR) {
        buf_add(b, S("<error>"));
        return;
    }
    buf_char(b, '(');
    switch (e->kind) {
    case TE_CONST:
        buf_add(b, S("const "));
        print_value(e->as.value, b);
        break;
    case TE_NAME: buf_format(b, "name %.*s", FMT(e->as.name)); break;
    case TE_LOCAL: buf_format(b, "local %.*s%u", FMT(e->as.local->name), e->as.local->id); break;
    case TE_LIST:
    case TE_TUPLE:
    case TE_CONCAT:
        buf_add(b, e->kind == TE_LIST ? S("list") : e->kind == TE_TUPLE ? S("tuple") : S("concat"));
        print_list(&e->as.seq, b);
        break;
    case TE_DICT:
        buf_add(b, S("dict"));
        for (size_t i = 0; i < e->as.dict.count; i++) {
            print_optional(e->as.dict.keys[i], b);
            print_optional(e->as.dict.values[i], b);
        }
        break;
    case TE_CAPTURE:
        buf_add(b, S("capture"));
        print_stmts(&e->as.body, b);
        break;
    case TE_ATTR:
    case TE_ITEM:
    case TE_SLICE:
    case TE_CALL:
    case TE_FILTER:
    case TE_TEST: print_part(e, b); break;
    default: print_operation(e, b); break;
    }
    buf_char(b, ')');
}

static void print_target(const TTarget *t, StrBuf *b)
{
    for (size_t i = 0; i < t->nested_count; i++)
        print_target(&t->nested[i], b);
    if (t->object) {
        buf_char(b, ' ');
        template_print_expr(t->object, b);
        buf_format(b, ".%.*s", FMT(t->attr));
    } else if (t->local) {
        buf_format(b, " %.*s%u", FMT(t->local->name), t->local->id);
    } else if (t->name.len) {
        buf_format(b, " %.*s", FMT(t->name));
        if (t->attr.len)
            buf_format(b, ".%.*s", FMT(t->attr));
    }
}

static void print_loop(const TLoop *loop, StrBuf *b)
{
    buf_add(b, S("for"));
    print_target(&loop->target, b);
    print_optional(loop->over, b);
    if (loop->filter)
        print_optional(loop->filter, b);
    print_stmts(&loop->body, b);
    if (loop->otherwise.count) {
        buf_add(b, S(" else"));
        print_stmts(&loop->otherwise, b);
    }
}

static void print_block(const TStmt *s, StrBuf *b)
{
    switch (s->kind) {
    case TS_WITH:
        buf_add(b, S("with"));
        for (size_t i = 0; i < s->as.with.count; i++) {
            print_target(&s->as.with.targets[i], b);
            print_optional(s->as.with.values[i], b);
        }
        print_stmts(&s->as.with.body, b);
        break;
    case TS_MACRO:
        buf_format(b, "macro %.*s", FMT(s->as.macro->name));
        print_stmts(&s->as.macro->body, b);
        break;
    case TS_CALL:
        buf_add(b, S("call-block "));
        template_print_expr(s->as.call_block.call, b);
        print_stmts(&s->as.call_block.caller->body, b);
        break;
    default: /* TS_FILTER */
        buf_add(b, S("filter-block "));
        template_print_expr(s->as.filter_block.filter, b);
        print_stmts(&s->as.filter_block.body, b);
        break;
    }
}

static void print_stmt(const TStmt *s, StrBuf *b)
{
    buf_add(b, S(" ["));
    switch (s->kind) {
    case TS_TEXT:
        buf_add(b, S("text "));
        buf_json(b, s->as.text);
        break;
    case TS_PRINT:
    case TS_DO:
        buf_add(b, s->kind == TS_DO ? S("do ") : S("print "));
        template_print_expr(s->as.expr, b);
        break;
    case TS_IF:
        buf_add(b, S("if "));
        template_print_expr(s->as.branch.test, b);
        print_stmts(&s->as.branch.then, b);
        if (s->as.branch.otherwise.count) {
            buf_add(b, S(" else"));
            print_stmts(&s->as.branch.otherwise, b);
        }
        break;
    case TS_FOR: print_loop(s->as.loop, b); break;
    case TS_SET:
    case TS_SET_BLOCK:
        buf_add(b, S("set"));
        print_target(&s->as.set.target, b);
        if (s->kind == TS_SET)
            print_optional(s->as.set.value, b);
        else
            print_stmts(&s->as.set.body, b);
        break;
    default: print_block(s, b); break;
    }
    buf_char(b, ']');
}

static void print_stmts(const TStmts *list, StrBuf *b)
{
    for (size_t i = 0; i < list->count; i++)
        print_stmt(list->items[i], b);
}

void template_print(const Template *t, StrBuf *b)
{
    for (size_t i = 0; i < t->body.count; i++) {
        StrBuf line = {0};
        print_stmt(t->body.items[i], &line);
        buf_add(b, str_sub(buf_str(&line), 1, (ptrdiff_t)line.len));
        buf_char(b, '\n');
        buf_free(&line);
    }
}

/* ---- Names ---- */

static bool is_word(Str name)
{
    static const char *const words[] = {"if", "elif", "else", "endif", "for", "in", "endfor", "set",
                                        "endset", "do", "and", "or", "not", "is", "true", "false",
                                        "none", "True", "False", "None", "macro", "endmacro"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(name, str_from(words[i])))
            return true;
    return false;
}

/* Only expressions name things, so the tokens of a template are enough: a name that does not
 * follow a dot and is not an argument's name. Local variables count too. */
StrArray template_names(Arena *arena, const Template *t)
{
    StrArray names = {0};
    Toks toks = {0};
    Diag quiet = {.arena = arena};
    Sources none = {.arena = arena};
    diag_init(&quiet, arena, &none);
    TemplateCtx ctx = {.arena = arena, .diag = &quiet};
    Template copy = *t;
    if (t->broken || !template_lex(&ctx, &copy, &toks))
        return names;
    for (size_t i = 0; i + 1 < toks.count; i++) {
        const Tok *tok = &toks.items[i];
        bool after_dot = i && toks.items[i - 1].kind == TK_OP &&
                         (str_eq(tok[-1].text, S(".")) || str_eq(tok[-1].text, S("|")));
        bool seen = tok->kind != TK_NAME || after_dot || is_word(tok->text) ||
                    (tok[1].kind == TK_OP && str_eq(tok[1].text, S("=")));
        for (size_t k = 0; k < names.count && !seen; k++)
            seen = str_eq(names.items[k], tok->text);
        if (!seen)
            array_add(arena, &names, tok->text);
    }
    return names;
}
