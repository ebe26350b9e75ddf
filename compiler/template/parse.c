/* parse.c - statements: tags of the form {% name ... %}, and the public ways to parse. */
#include "compiler/template/template_impl.h"

static const char *const TAGS[] = {"if", "for", "set", "with", "macro", "call", "filter", "do",
                                   "raw", "elif", "else", "endif", "endfor", "endset", "endwith",
                                   "endmacro", "endcall", "endfilter", "endraw"};

typedef Array(TStmt *) Stmts;

static TStmt *stmt_new(Parser *p, TStmtKind kind, uint32_t start)
{
    TStmt *s = push(p->ctx->arena, TStmt, 1);
    s->kind = kind;
    s->start = start;
    s->end = p->tok->end;
    return s;
}

/* The `%}` that ends a tag; the statement's place is the whole opening tag. */
static void end_tag(Parser *p, TStmt *s)
{
    if (p->tok->kind != TK_BLOCK_END) {
        DiagItem *it = parse_error(p, "expected `%%}`, found %s", tok_describe(p));
        if (tok_op(p, "="))
            diag_help(it, "write `==` to compare");
        return;
    }
    if (s)
        s->end = p->tok->end;
    p->tok++;
}

static bool expect_name(Parser *p, const char *what, Str *out)
{
    if (p->tok->kind != TK_NAME) {
        parse_error(p, "expected %s, found %s", what, tok_describe(p));
        return false;
    }
    *out = p->tok->text;
    p->tok++;
    return true;
}

/* ---- What is assigned to ---- */

static bool is_reserved(Str name)
{
    static const char *const words[] = {"true", "false", "none", "True", "False", "None", "loop",
                                        "and", "or", "not", "in", "is", "if", "else"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(name, str_from(words[i])))
            return true;
    return false;
}

static void parse_targets(Parser *p, TTarget *t, bool attributes);

static void parse_target(Parser *p, TTarget *t, bool attributes)
{
    t->start = p->tok->start;
    if (tok_skip_op(p, "(")) {
        if (p->depth++ < LIMIT_TEMPLATE_DEPTH)
            parse_targets(p, t, attributes);
        p->depth--;
        tok_expect_op(p, ")", "here");
    } else {
        if (p->tok->kind == TK_NAME && is_reserved(p->tok->text))
            parse_error(p, "`%.*s` cannot be assigned to", FMT(p->tok->text));
        if (!parse_failed(p))
            expect_name(p, "a name", &t->name);
        if (attributes && !parse_failed(p) && tok_skip_op(p, ".")) {
            expect_name(p, "a name after `.`", &t->attr);
            p->mutates = true;
        }
    }
    t->end = p->tok[-1].end;
}

/* a   a, b   a, (b, c) */
static void parse_targets(Parser *p, TTarget *t, bool attributes)
{
    Array(TTarget) parts = {0};
    uint32_t start = p->tok->start;
    bool commas = false;
    while (!parse_failed(p)) {
        TTarget one = {0};
        parse_target(p, &one, attributes);
        array_add(p->ctx->arena, &parts, one);
        if (!tok_skip_op(p, ","))
            break;
        commas = true;
        if (tok_name(p, "in") || tok_op(p, "=") || tok_op(p, ")"))
            break;
    }
    if (!commas && parts.count) {
        *t = parts.items[0];
        return;
    }
    *t = (TTarget){.nested = parts.items, .nested_count = parts.count, .start = start,
                   .end = p->tok[-1].end};
}

/* ---- Bodies ---- */

static TStmt *statement(Parser *p);

static bool at_end_tag(const Parser *p, const char *const *ends)
{
    for (; ends && *ends; ends++)
        if (str_eq(p->tok[1].text, str_from(*ends)) && p->tok[1].kind == TK_NAME)
            return true;
    return false;
}

static void not_closed(Parser *p, const Tok *opening, const char *what)
{
    uint32_t start = opening->start, end = opening->end;
    for (const Tok *t = opening; t->kind != TK_EOF; t++)
        if (t->kind == TK_BLOCK_END) {
            end = t->end;
            break;
        }
    DiagItem *it = template_error(p->ctx, p->t, E0601, start, end, "`{%% %s %%}` is not closed",
                                  what);
    diag_help(it, "add `{%% end%s %%}`", what);
    if (p->tok->kind == TK_BLOCK_BEGIN && it->diag)
        diag_label(it, template_span(&p->t->place, p->tok->start, p->tok[1].end),
                   "this stands before its end");
}

/* Statements up to `{% name` with a name of `ends` (current token: that name), or the end. */
TStmts parse_body(Parser *p, const char *const *ends, const Tok *opening, const char *what)
{
    Stmts list = {0};
    while (!parse_failed(p) && p->tok->kind != TK_EOF) {
        if (p->tok->kind == TK_BLOCK_BEGIN && at_end_tag(p, ends)) {
            p->tok++;
            return (TStmts){list.items, list.count};
        }
        if (opening && p->tok->kind == TK_BLOCK_BEGIN && p->tok[1].kind == TK_NAME &&
            (str_starts(p->tok[1].text, S("end")) || str_eq(p->tok[1].text, S("else")) ||
             str_eq(p->tok[1].text, S("elif"))))
            break;
        TStmt *s = statement(p);
        if (s)
            array_add(p->ctx->arena, &list, s);
    }
    if (ends && !parse_failed(p))
        not_closed(p, opening, what);
    return (TStmts){list.items, list.count};
}

static TStmts nested(Parser *p, const char *const *ends, const Tok *opening, const char *what)
{
    if (p->depth >= LIMIT_TEMPLATE_DEPTH) {
        template_error(p->ctx, p->t, E0604, opening->start, opening->end,
                       "the template nests deeper than %d levels", LIMIT_TEMPLATE_DEPTH);
        return (TStmts){0};
    }
    p->depth++;
    TStmts body = parse_body(p, ends, opening, what);
    p->depth--;
    return body;
}

/* Skips the name of an end tag and its `%}`. */
static void close_block(Parser *p)
{
    if (parse_failed(p))
        return;
    p->tok++;
    end_tag(p, NULL);
}

/* ---- Statements; the current token is the one after the name ---- */

static TStmt *parse_if(Parser *p, const Tok *opening)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    static const char *const last[] = {"endif", NULL};
    TStmt *first = stmt_new(p, TS_IF, opening->start), *s = first;
    for (int links = 0; !parse_failed(p); links++) {
        s->as.branch.test = parse_tuple(p, false);
        if (!parse_failed(p))
            end_tag(p, s);
        s->as.branch.then = nested(p, ends, opening, "if");
        if (parse_failed(p))
            break;
        if (links > TEMPLATE_CHAIN_MAX) {
            template_error(p->ctx, p->t, E0604, p->tok->start, p->tok->end,
                           "`if` has more than %d branches", TEMPLATE_CHAIN_MAX);
            break;
        }
        if (tok_name(p, "elif")) {
            TStmt **one = push(p->ctx->arena, TStmt *, 1);
            s->as.branch.otherwise = (TStmts){one, 1};
            p->tok++;
            s = *one = stmt_new(p, TS_IF, p->tok[-2].start);
            continue;
        }
        if (tok_name(p, "else")) {
            close_block(p);
            s->as.branch.otherwise = nested(p, last, opening, "if");
        }
        close_block(p);
        break;
    }
    return first;
}

static TStmt *parse_for(Parser *p, const Tok *opening)
{
    static const char *const ends[] = {"else", "endfor", NULL};
    static const char *const last[] = {"endfor", NULL};
    TStmt *s = stmt_new(p, TS_FOR, opening->start);
    TLoop *loop = s->as.loop = push(p->ctx->arena, TLoop, 1);
    parse_targets(p, &loop->target, false);
    if (!parse_failed(p) && !tok_skip_name(p, "in"))
        parse_error(p, "expected `in`, found %s", tok_describe(p));
    if (!parse_failed(p))
        loop->over = parse_tuple(p, false);
    if (!parse_failed(p) && tok_skip_name(p, "if"))
        loop->filter = parse_expression(p, true);
    if (!parse_failed(p) && tok_name(p, "recursive"))
        parse_error(p, "recursive loops are not supported");
    if (!parse_failed(p))
        end_tag(p, s);
    loop->body = nested(p, ends, opening, "for");
    if (!parse_failed(p) && tok_name(p, "else")) {
        close_block(p);
        loop->otherwise = nested(p, last, opening, "for");
    }
    close_block(p);
    return s;
}

/* The filters of `{% set x | upper %}` and `{% filter upper %}`; the operand is filled in later. */
static TExpr *block_filters(Parser *p, bool required)
{
    TExpr *operand = texpr_new(p->ctx->arena, TE_CAPTURE, p->tok->start, p->tok->start);
    TExpr *e = operand;
    if (required)
        e = parse_filter_name(p, e);
    int links = 0;
    while (!parse_failed(p) && tok_skip_op(p, "|")) {
        e = parse_filter_name(p, e);
        if (++links > TEMPLATE_CHAIN_MAX)
            parse_error(p, "too many filters");
    }
    return e == operand ? NULL : e;
}

static TStmt *parse_set(Parser *p, const Tok *opening)
{
    static const char *const ends[] = {"endset", NULL};
    TStmt *s = stmt_new(p, TS_SET, opening->start);
    parse_targets(p, &s->as.set.target, true);
    if (parse_failed(p))
        return s;
    if (tok_skip_op(p, "=")) {
        s->as.set.value = parse_tuple(p, true);
        if (!parse_failed(p))
            end_tag(p, s);
        return s;
    }
    s->kind = TS_SET_BLOCK;
    s->as.set.filter = block_filters(p, false);
    if (!parse_failed(p))
        end_tag(p, s);
    s->as.set.body = nested(p, ends, opening, "set");
    close_block(p);
    return s;
}

static TStmt *parse_with(Parser *p, const Tok *opening)
{
    static const char *const ends[] = {"endwith", NULL};
    TStmt *s = stmt_new(p, TS_WITH, opening->start);
    Array(TTarget) targets = {0};
    Array(TExpr *) values = {0};
    while (!parse_failed(p) && p->tok->kind != TK_BLOCK_END) {
        if (targets.count && !tok_expect_op(p, ",", "between the variables of `with`"))
            break;
        TTarget t = {0};
        parse_target(p, &t, false);
        if (parse_failed(p) || !tok_expect_op(p, "=", "after the name"))
            break;
        array_add(p->ctx->arena, &targets, t);
        array_add(p->ctx->arena, &values, parse_expression(p, true));
    }
    if (!parse_failed(p))
        end_tag(p, s);
    s->as.with.targets = targets.items;
    s->as.with.values = values.items;
    s->as.with.count = targets.count;
    s->as.with.body = nested(p, ends, opening, "with");
    close_block(p);
    return s;
}

/* (a, b=1) */
static void parse_signature(Parser *p, TMacro *m)
{
    StrArray params = {0};
    Array(TExpr *) defaults = {0};
    tok_expect_op(p, "(", "after the name");
    while (!parse_failed(p) && !tok_op(p, ")")) {
        Str name = {0};
        TExpr *fallback = NULL;
        if (!expect_name(p, "the name of a parameter", &name))
            return;
        if (tok_skip_op(p, "="))
            fallback = parse_expression(p, true);
        else if (defaults.count && defaults.items[defaults.count - 1])
            parse_error(p, "`%.*s` needs a default, since the parameter before it has one",
                        FMT(name));
        array_add(p->ctx->arena, &params, name);
        array_add(p->ctx->arena, &defaults, fallback);
        if (!tok_skip_op(p, ","))
            break;
    }
    if (!parse_failed(p))
        tok_expect_op(p, ")", "or `,` after a parameter");
    m->params = params.items;
    m->defaults = defaults.items;
    m->params_count = params.count;
}

static void macro_body(Parser *p, TMacro *m, TStmt *s, const Tok *opening, const char *what)
{
    const char *ends[] = {what[0] == 'm' ? "endmacro" : "endcall", NULL};
    MacroUse use = {.outer = p->macro};
    p->macro = &use;
    if (!parse_failed(p))
        end_tag(p, s);
    m->body = nested(p, ends, opening, what);
    close_block(p);
    p->macro = use.outer;
    m->uses_varargs = use.varargs;
    m->uses_kwargs = use.kwargs;
    m->uses_caller = use.caller;
    if (p->macro) {
        p->macro->varargs |= use.varargs;
        p->macro->kwargs |= use.kwargs;
        p->macro->caller |= use.caller;
    }
}

static TStmt *parse_macro(Parser *p, const Tok *opening)
{
    TStmt *s = stmt_new(p, TS_MACRO, opening->start);
    TMacro *m = s->as.macro = push(p->ctx->arena, TMacro, 1);
    if (expect_name(p, "the name of the macro", &m->name))
        parse_signature(p, m);
    macro_body(p, m, s, opening, "macro");
    return s;
}

static TStmt *parse_call(Parser *p, const Tok *opening)
{
    TStmt *s = stmt_new(p, TS_CALL, opening->start);
    TMacro *m = s->as.call_block.caller = push(p->ctx->arena, TMacro, 1);
    m->name = S("caller");
    if (tok_op(p, "("))
        parse_signature(p, m);
    if (!parse_failed(p)) {
        s->as.call_block.call = parse_expression(p, true);
        if (s->as.call_block.call->kind != TE_CALL)
            parse_error(p, "`{%% call %%}` needs the call of a macro");
    }
    macro_body(p, m, s, opening, "call");
    return s;
}

static TStmt *parse_filter_block(Parser *p, const Tok *opening)
{
    static const char *const ends[] = {"endfilter", NULL};
    TStmt *s = stmt_new(p, TS_FILTER, opening->start);
    s->as.filter_block.filter = block_filters(p, true);
    if (!parse_failed(p))
        end_tag(p, s);
    s->as.filter_block.body = nested(p, ends, opening, "filter");
    close_block(p);
    return s;
}

static TStmt *parse_do(Parser *p, const Tok *opening)
{
    TStmt *s = stmt_new(p, TS_DO, opening->start);
    s->as.expr = parse_tuple(p, true);
    if (!parse_failed(p))
        end_tag(p, s);
    return s;
}

static void unknown_tag(Parser *p, const Tok *name)
{
    static const char *const foreign[] = {"include", "import", "from", "extends", "block"};
    Str tag = name->text;
    uint32_t start = name->start, end = name->end;
    if (name->kind != TK_NAME) {
        template_error(p->ctx, p->t, E0601, start, end, "expected the name of a tag after `{%%`");
        return;
    }
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (str_eq(tag, str_from(foreign[i]))) {
            diag_help(template_error(p->ctx, p->t, E0601, start, end,
                                     "`{%% %.*s %%}` is not supported", FMT(tag)),
                      "a template stands alone here: define macros in the same text");
            return;
        }
    if (str_starts(tag, S("end")) || str_eq(tag, S("else")) || str_eq(tag, S("elif"))) {
        template_error(p->ctx, p->t, E0601, start, end, "`{%% %.*s %%}` closes nothing", FMT(tag));
        return;
    }
    Str names[sizeof TAGS / sizeof *TAGS];
    for (size_t i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
        names[i] = str_from(TAGS[i]);
    DiagItem *it = template_error(p->ctx, p->t, E0601, start, end, "unknown tag `%.*s`", FMT(tag));
    diag_suggest(it, template_span(&p->t->place, start, end), "tag", tag, names,
                 sizeof TAGS / sizeof *TAGS);
}

static TStmt *block(Parser *p)
{
    static const struct {
        const char *name;
        TStmt *(*parse)(Parser *, const Tok *opening);
    } parsers[] = {{"if", parse_if}, {"for", parse_for}, {"set", parse_set}, {"with", parse_with},
                   {"macro", parse_macro}, {"call", parse_call}, {"filter", parse_filter_block},
                   {"do", parse_do}};
    const Tok *opening = p->tok, *name = p->tok + 1;
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++)
        if (name->kind == TK_NAME && str_eq(name->text, str_from(parsers[i].name))) {
            p->tok += 2;
            return parsers[i].parse(p, opening);
        }
    unknown_tag(p, name);
    return NULL;
}

static TStmt *statement(Parser *p)
{
    const Tok *start = p->tok;
    if (p->tok->kind == TK_BLOCK_BEGIN)
        return block(p);
    if (p->tok->kind == TK_DATA) {
        TStmt *s = stmt_new(p, TS_TEXT, start->start);
        s->as.text = start->text;
        p->tok++;
        return s;
    }
    p->tok++; /* {{ */
    TStmt *s = stmt_new(p, TS_PRINT, start->start);
    s->as.expr = parse_tuple(p, true);
    if (!parse_failed(p) && p->tok->kind != TK_VAR_END)
        parse_error(p, "expected `}}`, found %s", tok_describe(p));
    if (parse_failed(p))
        return s;
    s->end = p->tok->end;
    p->tok++;
    return s;
}

/* ---- The public ways in ---- */

bool template_is_plain(Str text)
{
    while (text.len > 1) {
        const char *brace = memchr(text.ptr, '{', (size_t)text.len - 1);
        if (!brace)
            return true;
        if (brace[1] == '{' || brace[1] == '%' || brace[1] == '#')
            return false;
        text = (Str){brace + 1, text.len - (brace + 1 - text.ptr)};
    }
    return true;
}

static Template *template_new(TemplateCtx *ctx, Str text, TemplatePlace place, TemplateMode mode)
{
    Template *t = push(ctx->arena, Template, 1);
    t->mode = mode;
    t->text = text;
    t->place = place;
    if (text.len > LIMIT_YAML_BYTES)
        template_error(ctx, t, E0604, 0, 1, "the template is larger than %d bytes",
                       LIMIT_YAML_BYTES);
    return t;
}

Template *template_parse(TemplateCtx *ctx, Str text, TemplatePlace place, TemplateMode mode)
{
    Template *t = template_new(ctx, text, place, mode);
    t->is_plain = mode != TEMPLATE_EXPR && template_is_plain(text);
    Toks toks = {0};
    if (t->broken || !template_lex(ctx, t, &toks))
        return t;
    Parser p = {.ctx = ctx, .t = t, .tok = toks.items};
    if (mode == TEMPLATE_EXPR) {
        TStmt *s = stmt_new(&p, TS_PRINT, 0);
        s->as.expr = parse_expression(&p, true);
        if (!t->broken && p.tok->kind != TK_EOF)
            parse_error(&p, "expected the end of the expression, found %s", tok_describe(&p));
        s->end = (uint32_t)text.len;
        TStmt **one = push(ctx->arena, TStmt *, 1);
        *one = s;
        t->body = (TStmts){one, 1};
    } else {
        t->body = parse_body(&p, NULL, NULL, NULL);
    }
    t->mutates = p.mutates;
    return t;
}

TExpr *template_parse_expression(TemplateCtx *ctx, Str text, TemplatePlace place)
{
    Template *t = template_parse(ctx, text, place, TEMPLATE_EXPR);
    if (t->broken)
        return texpr_new(ctx->arena, TE_ERROR, 0, (uint32_t)text.len);
    return t->body.items[0]->as.expr;
}
