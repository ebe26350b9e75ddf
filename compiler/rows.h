/* rows.h - row programs: the typed expressions of dgc.Transform, checked and ready to print.
 *
 * Expressions are written in the template engine's expression syntax over column names. They are
 * typed against the input asset's columns with SQL's null rules: null in, null out, `and`/`or` in
 * three values, a filter keeps rows that are true.
 */
#ifndef DGC_ROWS_H
#define DGC_ROWS_H

#include "compiler/config.h"
#include "compiler/plan.h"

typedef struct RowExpr RowExpr; /* compiler/rows.c and codegen/emit_rows.c share rows_expr.h */

typedef struct RowOutput {
    DgColumn column;
    RowExpr *value;        /* NULL: input column `input` as it is */
    int32_t input;
    Span at;
} RowOutput;

struct RowProgram {
    Str from_key, asset_key;
    Asset *from, *asset;
    DgRowProgramDecl decl;
    const Config *config;  /* that filled the expressions */
    Array(RowOutput) outputs;
    RowExpr *filter;       /* NULL: every row */
    Span at;
    bool failed;
};

RowProgram *row_program_add(Plan *plan, const DgRowProgramDecl *decl, const Config *config,
                            Span at);
/* In topological order, once the input's columns are known: types every expression, settles the
 * output columns into the asset, reports what does not fit at its place in the YAML. */
void row_program_type(Plan *plan, RowProgram *rows);

#endif
