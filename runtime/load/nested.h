/* nested.h - rows whose JSON is taken apart: objects become columns `a__b`, lists become rows of tables
 * of their own, `items` or `items__taxes`.
 *
 * What there is in JSON is known once all of it was read, so the rows are read to their end into files
 * without a name in `folder`; then each table is a stream of its own. An object or list inside another
 * one is one level; what lies deeper than `depth` stays JSON. Types are the narrowest that hold every
 * value of a column as it is (nested_types.c).
 *
 * Rows have ids: `_dlt_id` of a row of the root is made of its keys, else of `salt` and its number; that
 * of a row of a list of its parent's, the list's name, and its place. `_dlt_parent_id`, `_dlt_root_id` and
 * `_dlt_list_idx` (from 0) of lists say where it belongs; `_dgc_row`, the last column of every table, is
 * the root row's number in this load.
 */
#ifndef DGC_NESTED_H
#define DGC_NESTED_H

#include "runtime/data/rows_stream.h"

enum {
    NESTED_DEPTH_MAX = 32,
    NESTED_TABLES_MAX = 256,
    NESTED_ID_BYTES = 24,
};

typedef struct NestedSpec {
    int32_t depth;    /* > 0 */
    Str folder;       /* exists */
    Str salt;
    int32_t keys_count;
    int32_t (*key_of)(void *context, Str column); /* which key a column of the root is; -1: none */
    bool (*stays)(void *context, Str column);     /* this column of JSON is left whole */
    bool (*cancelled)(void *context);             /* may be NULL */
    void *context;
} NestedSpec;

typedef struct Nested Nested;

typedef struct NestedTable {
    Str name;                /* `items`, `items__taxes`; the root: empty */
    const DgColumn *columns; /* what the rows have, then _dlt_id ..., then _dgc_row */
    int32_t columns_count;
    int32_t made_count;      /* columns of the root that were found in JSON lie at the end, before _dlt_id */
    int64_t rows;
} NestedTable;

/* Reads `from` to its end; does not close it. DG_DATA: JSON that is none, more than the limits. */
DgStatus nested_read(DgRows *from, const NestedSpec *spec, Nested **out, DgError *err);
void nested_close(Nested *n); /* NULL is fine; its streams are closed first */
int32_t nested_tables(const Nested *n);
const NestedTable *nested_table(const Nested *n, int32_t table); /* 0: the root */
/* A column of the root that no value of this load belongs to; before any stream is opened. */
bool nested_add_column(Nested *n, Str name, DgType type);
DgStatus nested_open(Nested *n, int32_t table, DgRows **out, DgError *err);

#endif
