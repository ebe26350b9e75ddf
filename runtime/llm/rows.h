/* rows.h - for steps that ask a service about the rows of a table: the rows, a row as values, and the table that the answers
 * make: columns of the input that are kept, then those of `output`, which replace those of the same name. */
#ifndef DGC_LLM_ROWS_H
#define DGC_LLM_ROWS_H

#include "runtime/llm/output.h"
#include "runtime/run/run.h"

DgValue row_cell(DgEval *ev, const DgColumn *column, const DgVector *v, int32_t row);
DgValue row_value(DgEval *ev, const DgBatch *in, int32_t row); /* a dict by column */
int32_t row_find_column(const DgColumn *columns, int32_t count, Str name); /* -1: none; in any case of letters */

/* The rows of a table in batches, at most `limit` of them. */
typedef struct InputRows {
    DgScan *scan;
    const DgColumn *columns; /* the scan's */
    int32_t count;           /* of them */
    DgBatch in;              /* the batch at hand */
    int64_t left;
    bool has_in, done;       /* done: no other batch comes */
} InputRows;

/* `limit` 0: all. The step's reader is opened if it has none. Closed by rows_end, also after an error. */
DgStatus rows_begin(DgStepRun *sr, DgStr from, int64_t limit, InputRows *out, DgError *err);
DgStatus rows_more(InputRows *r, DgError *err); /* DG_OK: a row in r->in at least; DG_END: there are no more */
/* For a plan: whether the table is made, and how many rows it has. */
DgStatus rows_there(DgStepRun *sr, DgStr from, bool *there, int64_t *count, DgError *err);
void rows_end(InputRows *r);                    /* may be called twice */

typedef struct AnswerTable {
    const OutputField *fields;
    size_t fields_count;
    int32_t *kept;           /* columns of the input, in order */
    int32_t kept_count;
    DgColumn *columns;       /* of the table */
    int32_t columns_count;
} AnswerTable;

/* `keep`, of DgStr, empty: all. DG_DATA: it names what `from` does not have. Memory is the step's. */
DgStatus answer_table(DgStepRun *sr, DgStr from, const DgColumn *in, int32_t in_count, const DgList *keep, const OutputField *fields, size_t fields_count,
                      AnswerTable *out, DgError *err);
/* Appends a row of the input and its answer: values[i] of fields[i], which have been checked. */
DgStatus answer_row(const AnswerTable *t, DgEval *ev, const DgBatch *in, int32_t row, const DgValue *values, DgBatch *out, DgError *err);

/* ---- When it is planned ---- */

/* A query with the table's columns, for DgPlanApi.sql: so dgc knows their types, and what of `from` is not there.
 * `also`, of DgStr: columns that must be there, too. `at`: the field that names `from`. */
void answer_sql(DgPlanner *p, DgStr asset, const DgStr *from, const DgList *keep, const DgList *also, const OutputField *fields, size_t fields_count);

#endif
