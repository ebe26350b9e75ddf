/* rules.h - `transforms` and the constraints of `columns`, compiled: the same when building, to say
 * what is wrong with them, and when running. */
#ifndef DGC_COPY_RULES_H
#define DGC_COPY_RULES_H

#include "runtime/copy/expression.h"

typedef struct CopyRule {
    Str column;              /* empty: every text column; `*`: every column */
    Str text;                /* as written */
    Expr *expr;
} CopyRule;
typedef Array(CopyRule) CopyRules;

enum { COPY_RULES_MAX = 4096 };

/* In the order of writing: each sees what those before it made. A list of functions, a map of column to functions, or a list of maps. DG_CONFIG: what is wrong. */
DgStatus rules_transforms(Arena *a, DgValue transforms, CopyRules *out, DgError *err);
/* What stands after `|` in the types of `columns`. */
DgStatus rules_constraints(Arena *a, DgValue columns, CopyRules *out, DgError *err);

/* ---- cells.c: a row as the names of an expression ---- */

typedef struct CopyRow {
    const DgBatch *batch;
    int32_t row, value;      /* value: column that `value` is; -1: none */
    const DgValue *changed;  /* NULL, or per column: what takes the batch's place; kind UNDEFINED: nothing */
    const DgColumn *columns; /* more of them than the batch has, when columns are added */
    int32_t columns_count;
    Arena *scratch;
} CopyRow;
DgStatus copy_row_name(void *row, Str name, DgValue *out, DgError *err); /* ExprScope.name */

DgStatus copy_cell_get(const DgBatch *b, int32_t column, int32_t row, Arena *scratch, DgValue *out, DgError *err);
DgStatus copy_cell_set(DgBatch *b, int32_t column, int32_t row, DgValue v, Arena *scratch, DgError *err);
/* The cell as it is, to the same column of a batch with the same columns. */
bool copy_cell_move(const DgBatch *from, int32_t from_row, DgBatch *to, int32_t to_row, int32_t column);

#endif
