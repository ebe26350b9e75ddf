/* embed_table.h - the table of dgc.Embed: what of it still holds, and how it is brought up to date.
 *
 * A comment on the table says whose vectors it has. While that and the columns are the same, a text that stands in it
 * is not embedded again and rows that have not changed are not touched: what differs is found as a difference of
 * multisets (rows may be equal), and written in the step's transaction.
 */
#ifndef DGC_EMBED_TABLE_H
#define DGC_EMBED_TABLE_H

#include "stdlib-components/embed/embed_step.h"

typedef struct EmbedTable {
    DgStepRun *run;
    const EmbedStep *step;
    DgStr maker;             /* whose vectors: a line of text */
    bool holds;              /* its vectors may be used */
    int64_t dimensions;      /* while it holds */
} EmbedTable;

/* `whom`: what answers, beside the model's name. */
DgStatus embed_table_open(DgStepRun *run, const EmbedStep *step, DgStr whom, EmbedTable *out, DgError *err);
DgStr embed_table_texts(const EmbedTable *t); /* a query: the texts that need a vector, each once */
/* From a temporary table dgc_vectors(text, vector FLOAT[]), which it drops. *rows: of the table then. */
DgStatus embed_table_write(const EmbedTable *t, int64_t dimensions, int64_t *rows, DgError *err);

#endif
