/* emit_rows.h - a DgRowFn (runtime/data/decode.h): one batch through typed row expressions.
 *
 * Column by column, so that a C compiler can use vector instructions: each expression becomes one
 * loop over the batch, its nulls one pass over mask words.
 */
#ifndef DGC_EMIT_ROWS_H
#define DGC_EMIT_ROWS_H

#include "codegen/emit.h"
#include "compiler/rows.h"

/* Prints `static DgStatus NAME(const DgBatch *in, DgBatch *out, DgError *err)` into EMIT_FUNCS. */
void emit_rows(Emit *e, Str name, const RowProgram *rows);

#endif
