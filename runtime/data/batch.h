/* batch.h - making, filling and freeing batches (DgBatch in dgc.h). */
#ifndef DGC_BATCH_H
#define DGC_BATCH_H

#include "runtime/base/base.h"

/* One allocation per vector, `rows_max` rows, masks for every column. Text vectors begin with
 * bytes_capacity of 16 per row and grow by dg_text_reserve, up to 1 GiB a vector. */
DgStatus dg_batch_init(DgBatch *b, const DgColumn *columns, int32_t columns_count,
                       int32_t rows_max, DgError *err);
void dg_batch_reset(DgBatch *b);   /* no rows, all valid; memory stays */
/* What was written of the row behind the last one is forgotten: its record turned out to be none. */
void dg_batch_drop_row(DgBatch *b);
void dg_batch_release(DgBatch *b);

/* Room for `more` further bytes of text; NULL when out of memory or past the limit. Returns where
 * the next byte goes. */
char *dg_text_reserve(DgVector *v, size_t more);
/* The text of `row` is the `len` bytes that were written to where dg_text_reserve pointed. */
bool dg_text_commit(DgVector *v, int32_t row, size_t len);
/* dg_text_set, dg_text_get: dgc.h */

int32_t dg_type_width(DgTypeKind k);             /* bytes per value; 0 for text */
const char *dg_type_name(DgTypeKind k);
/* DuckDB's names and the usual aliases: `int`, `text`, `numeric(10,2)`, `timestamp with time zone`.
 * False when there is no such type. */
bool dg_type_parse(DgStr text, DgType *out);

#endif
