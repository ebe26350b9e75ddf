/* template_impl.h - what the files of compiler/template share; nobody else includes it. */
#ifndef DGC_TEMPLATE_IMPL_H
#define DGC_TEMPLATE_IMPL_H

#include "compiler/template.h"

/* Longest chain of operators or postfixes in one expression: keeps trees shallow enough to walk. */
enum { TEMPLATE_CHAIN_MAX = 128, TEMPLATE_FOLD_DEPTH = 400, TEMPLATE_UNROLL_DEFAULT = 256 };

/* ---- Tokens ---- */

typedef enum TokKind {
    TK_EOF,
    TK_DATA,        /* text between tags */
    TK_VAR_BEGIN,   /* {{ */
    TK_VAR_END,
    TK_BLOCK_BEGIN, /* {% */
    TK_BLOCK_END,
    TK_NAME,
    TK_INT,
    TK_FLOAT,
    TK_STRING,      /* text is decoded */
    TK_OP,          /* text is the operator */
} TokKind;

typedef struct Tok {
    TokKind kind;
    uint32_t start, end;
    Str text;
    union {
        int64_t i;
        double f;
    } as;
} Tok;

typedef struct Toks {
    Tok *items;
    size_t count, capacity;
} Toks;

/* Reports a problem at bytes [start, end) of the template, unless one was reported already. */
DiagItem *template_error(TemplateCtx *ctx, Template *t, DiagCode code, uint32_t start, uint32_t end,
                         const char *fmt, ...) DG_PRINTF(6, 7);
/* False after an error, which was reported. The list ends in TK_EOF. */
bool template_lex(TemplateCtx *ctx, Template *t, Toks *out);

/* ---- Parsing ---- */

typedef struct MacroUse { /* names that the body of the macro being parsed mentions */
    struct MacroUse *outer;
    bool varargs, kwargs, caller;
} MacroUse;

typedef struct Parser {
    TemplateCtx *ctx;
    Template *t;
    Tok *tok; /* the current token */
    int depth;
    MacroUse *macro;
    bool mutates;
} Parser;

TExpr *texpr_new(Arena *arena, TExprKind kind, uint32_t start, uint32_t end);
bool parse_failed(const Parser *p);
DiagItem *parse_error(Parser *p, const char *fmt, ...) DG_PRINTF(2, 3); /* at the current token */
bool tok_is(const Parser *p, TokKind kind, Str text);
bool tok_op(const Parser *p, const char *op);
bool tok_name(const Parser *p, const char *name);
bool tok_skip_op(Parser *p, const char *op);
bool tok_skip_name(Parser *p, const char *name);
bool tok_expect_op(Parser *p, const char *op, const char *why);
const char *tok_describe(Parser *p);

void tok_next(Parser *p);

typedef Array(TExpr *) Exprs;
TExpr *parse_make(Parser *p, TExprKind kind, uint32_t start);
TExpr *parse_close(Parser *p, TExpr *e); /* it ends where the token before the current one ends */
TExpr *parse_poison(Parser *p);
TExpr *parse_sequence(Parser *p, TExpr *e, const Exprs *items);
TExpr *parse_constant(Parser *p, DgValue v); /* the current token */
TExpr *parse_primary(Parser *p);
/* Counts one more link of a chain; true, and an error, when there are too many. */
bool parse_too_long(Parser *p, int *links);

TExpr *parse_expression(Parser *p, bool with_cond);
TExpr *parse_tuple(Parser *p, bool with_cond); /* a, b, c without parentheses, or one expression */
TExpr *parse_postfix(Parser *p, TExpr *e);
TExpr *parse_filters(Parser *p, TExpr *e);     /* `| name(args)`, `is name` and calls */
TExpr *parse_filter_name(Parser *p, TExpr *operand); /* after `|`, or `{% filter` */
TStmts parse_body(Parser *p, const char *const *ends, const Tok *opening, const char *what);
void parse_template(Parser *p);

/* ---- Scope ---- */
extern const DgObjectType template_macro_type;

#endif
