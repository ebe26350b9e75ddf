/* expression_internal.h - the tree, between its parser (expression.c) and expression_eval.c. */
#ifndef DGC_COPY_EXPRESSION_INTERNAL_H
#define DGC_COPY_EXPRESSION_INTERNAL_H

#include "runtime/copy/expression.h"

enum { EXPR_ARGS_MAX = 16 };

struct Expr {
    ExprOp op;
    DgValue value;           /* CONSTANT */
    Str name;                /* NAME */
    int slot;                /* NAME: its place in expr_names() */
    const ExprFunction *function;
    Expr **args;
    int count;
};

#endif
