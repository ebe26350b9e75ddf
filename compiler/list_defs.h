/* list_defs.h - what `dgc list defs` shows, from a plan. */
#ifndef DGC_LIST_DEFS_H
#define DGC_LIST_DEFS_H

#include "compiler/plan.h"
#include "runtime/base/defs_json.h"

/* `chosen` (by asset index) may be NULL: everything; otherwise assets and their checks alone, as
 * `dg list defs --assets` has it. */
DefsDoc defs_doc(const Plan *plan, const bool *chosen);

/* Rows of text in columns: cells are cut to fit `width` characters in all, the last column first. */
typedef struct Table {
    Arena *arena;
    const char *title;
    StrArray heads;
    StrArray cells; /* row by row */
} Table;
void table_print(const Table *t, size_t width, bool color, StrBuf *out);

#endif
