/* expression_internal.h - the tree, between its parser (expression.c) and expression_eval.c. */
#ifndef DGC_COPY_EXPRESSION_INTERNAL_H
#define DGC_COPY_EXPRESSION_INTERNAL_H

#include "runtime/copy/expression.h"

typedef enum ExprOp {
    EXPR_CONSTANT, EXPR_NAME, EXPR_CALL, EXPR_CHOOSE, /* a ? b : c */
    EXPR_OR, EXPR_AND, EXPR_NOT, EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE,
    EXPR_ADD, EXPR_SUB, EXPR_MUL, EXPR_DIV, EXPR_REM, EXPR_NEG,
} ExprOp;

enum { EXPR_ARGS_MAX = 16 };

struct Expr {
    ExprOp op;
    DgValue value;           /* CONSTANT */
    Str name;                /* NAME */
    const ExprFunction *function;
    Expr **args;
    int count;
};

#endif
