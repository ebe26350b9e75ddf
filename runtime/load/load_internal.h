/* load_internal.h - what the files of the load engine share.
 *
 *   load.c         the order of things: prepare, stage, merge, state, commit
 *   load_plan.c    columns of the rows against columns of the table: names, contracts, widening
 *   load_evolve.c  the table made or altered, indexes
 *   load_merge.c   from the staging table into the table
 *   load_state.c   _dgc_state, _dgc_loads, _dgc_lease
 *   load_packages.c  packages listed, and what dead ones left dropped
 *   load_swap.c    replace: a new table takes the old one's place
 *   load_rows.c    the rows under the table's names
 *   load_nested.c  tables of the lists in JSON; nested.h takes it apart
 *   naming.c       names
 */
#ifndef DGC_LOAD_INTERNAL_H
#define DGC_LOAD_INTERNAL_H

#include "runtime/load/load.h"

typedef enum LoadAction {
    LOAD_KEEP,
    LOAD_DISCARD_VALUE,
    LOAD_DISCARD_ROW,
    LOAD_STAGE,          /* in the staging table only */
} LoadAction;

typedef struct LoadColumn {
    Str from;            /* as the rows have it */
    Str name;            /* in staging and table */
    DgType type;         /* of the rows */
    DgType stored;       /* what the table's column is, or will be, read as */
    Str native;          /* the type of the table's column; empty: it is not there yet, or widened */
    LoadAction action;
    bool added;          /* the table does not have it yet */
    bool widened;        /* its column gets another type first */
    bool is_key;
    bool is_id;          /* made by nested.h: no contract speaks of it */
} LoadColumn;

typedef struct Load {
    DgDb *db;
    const DgEngine *engine;
    const DgDialect *d;
    const DgLoadSpec *spec;
    DgLoadCounts *counts;
    Arena arena;
    StrBuf sql;          /* of the statement being made */
    DgTableInfo table;   /* as it was found; columns_count 0: it is not there */
    bool exists;
    LoadColumn *columns;
    int32_t columns_count;
    Str update_key;      /* in the table's name */
    DgTableName staging; /* table empty: rows go straight into the table */
    bool has_scd_columns, has_deleted_column;
    Str valid_from, valid_to, deleted_at;
    int64_t now_us;      /* one moment for the whole load */
    bool renames;        /* see load_rename */
    StrBuf *explain;     /* statements go here and nowhere else */
    struct LoadNested *nested; /* NULL: JSON stays JSON */
} Load;

/* Appends to l->sql: `%T` the table, `%S` staging, `%n` a Str as a name, `%t` one as a literal, `%s` text. */
void load_add(Load *l, const char *fmt, ...);
/* Runs l->sql and empties it; changed may be NULL. */
DgStatus load_exec(Load *l, int64_t *changed, DgError *err);
DgStatus load_count(Load *l, int64_t *count, DgError *err); /* first value of l->sql */
void load_columns(Load *l, const char *prefix, bool values_only); /* a.x, a.y: kept ones; without keys if asked */
void load_keys_equal(Load *l, const char *a, const char *b);      /* a.k = b.k AND ... */
Str load_row_number(const Load *l);                               /* rowid or _dgc_n */
bool load_needs_keys(const DgLoadSpec *s);
void load_drop_staging(Load *l, DgTableName name);
DgStatus load_clear_table(Load *l, DgError *err);                 /* all rows go */
DgStatus load_fill(Load *l, DgRows *rows, DgError *err);          /* table made, rows in */
DgStatus load_around(Load *l, bool after, DgError *err);         /* the hooks of the transaction */

/* ---- load_plan.c ---- */
DgStatus load_plan(Load *l, const DgColumn *columns, int32_t count, DgError *err);
const DgDbColumn *load_table_column(const Load *l, Str name); /* NULL: the table has none */
const LoadColumn *load_column(const Load *l, Str name);       /* by either name; NULL: no such column */
bool load_same_shape(const Load *l);                          /* the table has the rows' columns, no others */

/* ---- load_evolve.c ---- */
void load_add_create(Load *l, DgTableName name, const char *verb, bool for_staging); /* CREATE ... (columns) */
DgStatus load_evolve(Load *l, DgError *err); /* CREATE or ALTER the table */
DgStatus load_make_indexes(Load *l, DgError *err);
void load_add_key_list(Load *l);             /* keys, with lengths where an index wants them */

/* ---- load_swap.c ---- */
bool load_swaps(const Load *l);
DgStatus load_swap(Load *l, DgRows *rows, DgError *err);
/* Where DDL commits by itself and the table changes its shape: the new one is filled and committed,
 * then renamed. On DG_OK only the state remains to be written. */
DgStatus load_rename(Load *l, DgRows *rows, DgError *err);

/* ---- load_merge.c ---- */
DgStatus load_merge(Load *l, DgError *err);

/* ---- load_state.c ---- */
DgStatus state_prepare(DgDb *db, DgTableName table, DgError *err); /* makes schema and tables */
void state_table(StrBuf *out, const DgDialect *d, DgTableName table, const char *which);
DgStatus state_write(Load *l, Str cursor, DgError *err);           /* in the load's transaction */
DgStatus state_fence(Load *l, DgError *err);

/* ---- load_packages.c ---- */
DgStatus packages_announce(Load *l, DgError *err);  /* status `loading`, committed at once */
DgStatus packages_clean(Load *l, DgError *err);     /* what dead packages of this stream left */
/* The table that a package fills before it is renamed. */
DgTableName packages_table(Arena *a, DgTableName table, Str package);

/* ---- load_nested.c: only where l->nested is, the first two excepted ---- */
DgStatus load_nested_read(Load *l, DgRows *from, DgRows **root, DgError *err); /* all of `from`; *root goes with l->nested */
DgStatus load_nested_forgotten(Load *l, DgError *err);
DgStatus load_nested_plan(Load *l, DgError *err);    /* once the root's table is planned */
DgStatus load_nested_evolve(Load *l, DgError *err);  /* where DDL does not roll back */
DgStatus load_nested_fill(Load *l, DgError *err);    /* after the root, when that is not merged */
DgStatus load_nested_merge(Load *l, DgError *err);   /* before the root is merged from its staging table */
DgStatus load_nested_orphans(Load *l, DgError *err); /* after rows of the root were deleted */
DgStatus load_nested_remember(Load *l, DgError *err);
void load_nested_close(Load *l);

/* ---- load_rows.c ---- */
/* Takes nothing over; `from` is read until its end. Counts rows into counts->rows_read. */
DgStatus load_insert(Load *l, DgTableName to, DgRows *from, DgError *err);

#endif
