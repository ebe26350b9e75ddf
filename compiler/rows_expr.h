/* rows_expr.h - typed row expressions: what rows.c makes and emit_rows.c prints. */
#ifndef DGC_ROWS_EXPR_H
#define DGC_ROWS_EXPR_H

#include "compiler/rows.h"

/* How a value is computed with; the column type says how it is stored. */
typedef enum RowClass { ROW_BOOL, ROW_INT, ROW_DOUBLE, ROW_TEXT, ROW_DATE, ROW_TIME, ROW_NONE } RowClass;

typedef enum RowKind {
    ROW_COLUMN,  /* as.column */
    ROW_CONST,   /* as.value */
    ROW_CALL,    /* as.call: operands through a pattern of C */
    ROW_AND,     /* three-valued */
    ROW_OR,
    ROW_NOT,
    ROW_IF,      /* parts: then, test, otherwise */
    ROW_COALESCE,
    ROW_NULLIF,
    ROW_IS_NULL,
} RowKind;

struct RowExpr {
    RowKind kind;
    RowClass class;
    union {
        int32_t column;
        DgValue value;
        /* C text in which $1, $2... are the operands, $i the row, $n the null flag (may be set). */
        const char *c;
    } as;
    RowExpr *parts[4];
    int parts_count;
};

#endif
