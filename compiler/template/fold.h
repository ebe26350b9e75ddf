/* fold.h - the partial evaluator: what is known is computed, the rest stays a tree.
 *
 * A value is `Folded`: known now, or an expression for later. Variables live in frames; a frame's
 * binding is known, or a TLocal of the residual. Where control depends on a value of later (an
 * `if`, a loop), the variables that it may set are pinned first: they become locals that are
 * assigned in the residual, and stay so.
 *
 * Templates that change lists or namespaces are tried with everything known first; when something
 * is known only later, the second try (`freeze`) keeps all such values in locals of the residual.
 */
#ifndef DGC_TEMPLATE_FOLD_H
#define DGC_TEMPLATE_FOLD_H

#include "compiler/template/template_impl.h"

typedef struct Folded {
    bool known;
    DgValue value;
    TExpr *expr; /* when not known */
} Folded;

typedef struct Binding {
    Str name;
    bool known;
    bool pinned; /* assigned in the residual from now on */
    DgValue value;
    TLocal *local;
    bool *used; /* set when the name is looked up; may be NULL */
} Binding;

typedef struct Frame {
    struct Frame *parent;
    Binding *items;
    size_t count, capacity;
} Frame;

typedef struct Out { /* statements printed so far */
    TStmt **items;
    size_t count, capacity;
} Out;

typedef struct Fold {
    TemplateCtx *ctx;
    Template t; /* a copy; `broken` after a report */
    const Scope *scope;
    DgEval ev;
    Frame *frame;
    Out *out;
    Phase phase;
    uint32_t locals_count;
    int depth;
    bool trying;  /* everything must be known; gives up otherwise, silently */
    bool gave_up;
    bool freeze;
    const Folded *captured; /* what the operand of a block's filter stands for */
} Fold;

typedef struct CallArgs {
    Folded *items;
    size_t count;
    const TNamed *names;
    Folded *named;
    size_t named_count;
    Folded star, star_star;
    bool has_star, has_star_star; /* known ones are spread already */
    bool known;                   /* all of them */
    const TArgs *from;
} CallArgs;

static inline bool fold_stopped(const Fold *f) { return f->t.broken || f->gave_up; }
static inline Folded fold_known(DgValue v) { return (Folded){.known = true, .value = v}; }
Folded fold_poison(void);
Folded fold_later(Fold *f, TExpr *e); /* not known: gives up when trying */
Folded fold_done(Fold *f, const TExpr *at, DgValue v); /* reports the error of f->ev, if any */
bool fold_report(Fold *f, uint32_t start, uint32_t end); /* the error of f->ev; always true */
void fold_undefined(Fold *f, const TExpr *name);
Str fold_shown(const Fold *f, const TExpr *e); /* the expression as written */
bool fold_refuses(Fold *f, Folded v, const TExpr *e); /* reports: e is a name that is unknown */
TExpr *fold_expr_of(Fold *f, Folded v, const TExpr *at);
TExpr *fold_copy(Fold *f, const TExpr *e);
void fold_needs(Fold *f, Phase p);

Folded fold_expr(Fold *f, const TExpr *e);
Folded fold_call(Fold *f, const TExpr *e);
Folded fold_call_block(Fold *f, const TStmt *s);
Folded fold_env_attr(Fold *f, const TExpr *e);
bool fold_is_env(Fold *f, const TExpr *e);
CallArgs fold_args(Fold *f, const TArgs *args);
DgArgs fold_dg_args(Fold *f, const CallArgs *args, const DgValue *first);
TArgs *fold_targs(Fold *f, const CallArgs *args, const TExpr *at);
Folded fold_macro(Fold *f, DgValue macro, const CallArgs *args, const DgValue *caller,
                  const TExpr *at);
DgValue fold_macro_new(Fold *f, const TMacro *m);
bool fold_is_macro(DgValue v);

Binding *frame_find(Frame *frame, Str name); /* in it and those around it */
Binding *frame_bind(Fold *f, Frame *frame, Str name, DgValue value);
Binding *frame_bind_local(Fold *f, Frame *frame, Str name, TLocal *local);
Frame *frame_new(Fold *f, Frame *parent);
TLocal *local_new(Fold *f, Str name);
void fold_set_local(Fold *f, TLocal *local, TExpr *value, uint32_t start, uint32_t end);

void fold_stmts(Fold *f, const TStmts *list);
Folded fold_capture(Fold *f, const TStmts *body, const TExpr *at);
bool out_is_constant(const Out *out);
DgValue out_value(Fold *f, const Out *out, DgRenderMode mode);
TStmts out_finish(Fold *f, const Out *out);
DgRenderMode fold_mode(const Fold *f);

#endif
