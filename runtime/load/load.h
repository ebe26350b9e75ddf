/* load.h - rows into a table of any engine, exactly once.
 *
 * One load is one package, in one transaction of the target: staging table, table made or evolved,
 * rows merged, `_dgc_state` (cursor) and `_dgc_loads` (package id, counts), commit. A commit whose
 * reply is lost is looked up by package id, never repeated blindly. `_dgc_lease` holds the fencing
 * number: a runner whose lease went to another one does not commit.
 *
 * Engines whose DDL commits by itself (MySQL) get their final table by steps that each leave a
 * consistent state: the table is made or altered first, then data and state change in one transaction
 * of DML only. A replace that changes columns fills `T__dgc_PACKAGE`, whose package is listed as
 * `loading`, renames it, and writes the state; the next load drops what a dead one left.
 *
 * Dispositions are dlt's, strategies Sling's:
 *     append       rows are added
 *     replace      the table's content is exchanged (truncate: the table itself and its grants stay)
 *     merge        upsert | delete_insert | insert_only | update_only by `keys`; the newest row of
 *                  a key wins (`update_key`, else the last delivered)
 *     scd2         history: valid_from, valid_to; a changed row closes the old version
 */
#ifndef DGC_LOAD_H
#define DGC_LOAD_H

#include "runtime/db/engine.h"

typedef enum DgDisposition {
    DG_DISPOSE_APPEND,
    DG_DISPOSE_REPLACE,
    DG_DISPOSE_TRUNCATE,
    DG_DISPOSE_UPSERT,        /* merge, update then insert */
    DG_DISPOSE_DELETE_INSERT, /* merge */
    DG_DISPOSE_INSERT_ONLY,   /* merge: known keys stay as they are */
    DG_DISPOSE_UPDATE_ONLY,   /* merge: unknown keys are left out */
    DG_DISPOSE_SCD2,
    DG_DISPOSE_DEFINITION,    /* the table is made, no rows */
} DgDisposition;

typedef enum DgContract { DG_EVOLVE, DG_FREEZE, DG_DISCARD_ROW, DG_DISCARD_VALUE } DgContract;
typedef enum DgDeletes { DG_DELETES_NONE, DG_DELETES_SOFT, DG_DELETES_HARD } DgDeletes;
typedef enum DgCasing {
    DG_CASING_SOURCE, DG_CASING_TARGET, DG_CASING_NORMALIZE, DG_CASING_SNAKE, DG_CASING_UPPER,
    DG_CASING_LOWER, DG_CASING_CAMEL,
} DgCasing;
/* A source's name as the target's column is called. */
Str naming_apply(Arena *a, DgCasing casing, const DgDialect *d, Str name);

typedef struct DgLoadSpec {
    Str stream;                 /* key of state and lease: "replication/public.orders" */
    Str pipeline, run, package; /* who; package is a fresh id of 32 hex digits */
    int64_t epoch;              /* fencing number; 0: none */
    DgTableName table;
    DgDisposition disposition;
    StrArray keys;              /* primary key, names as in the rows */
    Str update_key;             /* orders versions of a row; empty: order of delivery */
    DgContract new_columns, types, new_tables;
    DgDeletes deletes;          /* rows of the target whose key the (complete) source lacks */
    Str deleted_column;         /* soft: timestamp, default `_sling_deleted_at` */
    DgCasing casing;
    bool keep_columns;          /* the target's own columns only (ignore new ones) */
    Str table_ddl;              /* user's own, with {col_types}; empty: made */
    Str pre_sql, post_sql;      /* in the transaction where DDL allows */
    bool keep_types;            /* the table's columns keep their types, and values must fit them */
    Str primary_key;            /* comma list: of the table, when it is made */
    StrArray unique_columns, index_columns; /* each a comma list; made with the table */
    Str loaded_at, synced_at;   /* names of added timestamp columns; empty: none */
    Str valid_from, valid_to;   /* scd2; defaults `_dlt_valid_from`, `_dlt_valid_to` */
    int64_t (*text_size)(void *context, Str column); /* characters of a text column, 0: any number; may be NULL */
    int32_t nesting;            /* levels of JSON that become columns and tables (nested.h); 0: JSON stays JSON */
    StrArray json_columns;      /* those that stay JSON all the same, names as in the rows */
    Str folder;                 /* for temporary files; needed with `nesting` */
    Str cursor;                 /* JSON; written with the data; empty: unchanged */
    bool (*cancelled)(void *context);
    int64_t lock_wait_ms;       /* for the lease, at the end; 0: a minute */
    /* In the transaction, before and after the rows: on `target`, through which alone it may be touched. */
    DgStatus (*around)(void *context, DgDb *target, bool after, DgError *err); /* may be NULL */
    void (*drift)(void *context, Str what); /* told of each column added, widened, refused; may be NULL */
    void *context;
} DgLoadSpec;

typedef struct DgLoadCounts {
    int64_t rows_read, rows_inserted, rows_updated, rows_deleted, rows_discarded;
    int64_t columns_added, columns_changed, values_discarded;
    int64_t nested_rows, nested_tables; /* of lists */
} DgLoadCounts;

/* Takes no ownership. On DG_OK data and cursor are committed. *unknown: nobody knows; the package
 * stays listed as `committing`. `cursor` of the spec may be NULL and computed late: when `last` is
 * not NULL it is called after the last row and before the commit, to say what the cursor is. */
typedef DgStatus (*DgCursorFn)(void *context, Arena *a, Str *cursor, DgError *err);
DgStatus load_run(DgDb *target, DgRows *rows, const DgLoadSpec *spec, DgCursorFn last, void *last_context,
                  DgLoadCounts *counts, bool *unknown, DgError *err);
/* After an unknown outcome, on a new connection: whether the package was committed. */
DgStatus load_probe(DgDb *target, DgTableName table, Str package, bool *there, DgError *err);

/* What would be done: the DDL and DML, one statement a line; nothing is changed. */
DgStatus load_explain(DgDb *target, const DgColumn *columns, int32_t count, const DgLoadSpec *spec,
                      StrBuf *out, DgError *err);

/* ---- State, in the schema of the target's table ---- */

/* The stream's cursor; empty when there is none (also when the tables are not there yet). */
DgStatus load_cursor(DgDb *target, Arena *a, DgTableName table, Str pipeline, Str stream, Str *cursor,
                     DgError *err);
/* Empty cursor: forgets it. */
DgStatus load_cursor_set(DgDb *target, DgTableName table, Str pipeline, Str stream, Str cursor, DgError *err);
/* Takes the stream's lease: *epoch is larger than every earlier one's. Another run has it in hand for moments only,
 * unless it was stopped just then: that is waited for, told, and given up with DG_TEMPFAIL. */
typedef struct DgLeaseWait {
    int64_t max_ms;                                       /* 0: a minute */
    void (*waiting)(void *context, Str stream, int64_t ms); /* still, since ms; may be NULL */
    bool (*cancelled)(void *context);                     /* may be NULL */
    void *context;
} DgLeaseWait;
DgStatus load_lease(DgDb *target, DgTableName table, Str pipeline, Str stream, const DgLeaseWait *wait, int64_t *epoch,
                    DgError *err);

typedef struct DgPackage {
    Str stream, run, package, status; /* loading, committed */
    DgTableName table;
    int64_t rows, committed_us;
    Str cursor;
} DgPackage;
typedef Array(DgPackage) DgPackages;
DgStatus load_packages(DgDb *target, Arena *a, Str schema, Str pipeline, DgPackages *out, DgError *err);
/* Drops what a dead package left (staging tables); DG_END: no such package. */
DgStatus load_abort(DgDb *target, Str schema, Str package, DgError *err);

#endif
