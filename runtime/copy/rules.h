/* rules.h - `transforms` and the constraints of `columns`, compiled: the same when building, to say
 * what is wrong with them, and when running. */
#ifndef DGC_COPY_RULES_H
#define DGC_COPY_RULES_H

#include "runtime/copy/expression.h"
#include "runtime/component.h"

typedef struct CopyRule {
    Str column;              /* empty: every text column; `*`: every column */
    Str text;                /* as written */
    Str source;              /* what was compiled: `upper` is `upper(value)` */
    Expr *expr;
} CopyRule;
typedef Array(CopyRule) CopyRules;

enum { COPY_RULES_MAX = 4096 };

/* In the order of writing: each sees what those before it made. A list of functions, a map of column to functions, or a list of maps. DG_CONFIG: what is wrong. */
DgStatus rules_transforms(Arena *a, DgValue transforms, CopyRules *out, DgError *err);
/* What stands after `|` in the types of `columns`. */
DgStatus rules_constraints(Arena *a, DgValue columns, CopyRules *out, DgError *err);

/* ---- cells.c: values of a block of rows, as expressions see them, and back ---- */

/* Texts point into the batch or into `scratch`. */
DgStatus copy_cells_get(const DgBatch *b, int32_t column, int32_t from, int32_t rows, const ExprScope *s, DgValue *out, DgError *err);
/* Rows `from` and on; of texts, those before them are written already. */
DgStatus copy_cells_set(DgBatch *b, int32_t column, int32_t from, int32_t rows, const DgValue *values, DgError *err);
/* The cell as it is, to the same column of a batch with the same columns. */
bool copy_cell_move(const DgBatch *from, int32_t from_row, DgBatch *to, int32_t to_row, int32_t column);

/* ---- loops.c: rules bound to the columns of a stream, run over blocks of rows ---- */

typedef struct CopyBound { /* one rule for one column */
    const CopyRule *rule;
    DgRuleFn call;           /* emitted; NULL: the tree is walked */
    int32_t column;
    DgValue **in, *out;
} CopyBound;
typedef struct CopyLoops {
    Arena arena, scratch;
    StrBuf buffer;
    const DgColumn *columns; /* more of them than the batches have, when columns are added */
    int32_t columns_count;
    DgValue **cells;         /* per column: DG_LOOP_ROWS values; NULL: no rule looks at it */
    Array(CopyBound) bound;
    ExprScope scope;
} CopyLoops;

void loops_init(CopyLoops *l, int64_t now_us);
void loops_free(CopyLoops *l);
/* Rule number `index` of its list, whose emitted loops are `code` (call NULL: there are none). `columns` follow later. */
void loops_add(CopyLoops *l, const CopyRules *rules, size_t index, DgCode code, int32_t column);
/* Looks the names up. `in_place`: what a rule makes is the column's value from there on. */
DgStatus loops_bind(CopyLoops *l, const DgColumn *columns, int32_t count, bool in_place, DgError *err);
/* Rows from `from` to take at once: few where texts are long. */
int32_t loops_rows(const CopyLoops *l, const DgBatch *b, int32_t from);
/* Gives the memory of the last block back, then reads the cells that rules look at. */
DgStatus loops_load(CopyLoops *l, const DgBatch *b, int32_t from, int32_t rows, DgError *err);
DgStatus loops_run(CopyLoops *l, const CopyBound *bound, int32_t rows, DgError *err);

#endif
