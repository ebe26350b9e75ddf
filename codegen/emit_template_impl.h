/* emit_template_impl.h - what emit_template.c and emit_template_expr.c share. */
#ifndef DGC_EMIT_TEMPLATE_IMPL_H
#define DGC_EMIT_TEMPLATE_IMPL_H

#include "codegen/emit_template.h"

typedef struct TEmit {
    Emit *e;
    Arena *arena;
    const Template *t;
    const EmitTemplate *how;
    Str *locals; /* C names by TLocal.id; empty until used */
    StrArray declared;
    uint32_t temps;
    int32_t site;
    bool failed;
} TEmit;

Str temit_expr(TEmit *x, const TExpr *e);      /* a C expression of type DgValue */
Str temit_condition(TEmit *x, const TExpr *e); /* of type bool */
void temit_effect(TEmit *x, const TExpr *e);   /* computed and thrown away */
Str temit_local(TEmit *x, const TLocal *local);
Str temit_temp(TEmit *x, const char *prefix);
void temit_stmts(TEmit *x, const TStmts *list);
void temit_line(TEmit *x, Str line);

#endif
