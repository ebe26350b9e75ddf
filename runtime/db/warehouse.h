/* warehouse.h - the embedded warehouse: DuckDB, loaded at run time, one file, many sessions.
 *
 * A session is one connection and at most one transaction. Sessions may run at the same time in
 * different threads; one session is used by one thread at a time (interrupt excepted).
 */
#ifndef DGC_WAREHOUSE_H
#define DGC_WAREHOUSE_H

#include "runtime/base/base.h"
#include "runtime/component.h"

typedef struct DgWarehouse DgWarehouse;
typedef struct DgSession DgSession;

typedef struct DgWarehouseOptions {
    Str path;             /* empty: in memory */
    int64_t memory_max;   /* bytes; 0: DuckDB's share of the default budget */
    int32_t threads;      /* 0: as many as the machine has */
    Str temp_folder;      /* where DuckDB spills; empty: beside the file */
    bool read_only;
} DgWarehouseOptions;
DgStatus dg_warehouse_open(const DgWarehouseOptions *o, DgWarehouse **out, DgError *err);
void dg_warehouse_close(DgWarehouse *w); /* after its sessions; NULL is fine */
int32_t dg_warehouse_threads(const DgWarehouse *w);
/* Makes a schema at once, outside of any session's transaction. Do it before the steps begin: two
 * transactions that both make the same schema are a conflict. */
DgStatus dg_warehouse_schema(DgWarehouse *w, Str schema, DgError *err);

DgStatus dg_session_open(DgWarehouse *w, DgSession **out, DgError *err);
void dg_session_close(DgSession *s); /* rolls back what is open */
/* From any thread: what runs, and what comes after it until the session begins anew or rolls back,
 * fails with DG_CANCELLED. */
void dg_session_interrupt(DgSession *s);
DgStatus dg_session_begin(DgSession *s, DgError *err);
DgStatus dg_session_commit(DgSession *s, DgError *err);
DgStatus dg_session_rollback(DgSession *s, DgError *err);

/* Runs one or more statements. Messages are DuckDB's own, first line, with the class worked out:
 * constraint and conversion failures are DG_DATA, disk full DG_IO, and so on. */
DgStatus dg_session_exec(DgSession *s, Str sql, DgError *err);
DgStatus dg_session_int(DgSession *s, Str sql, int64_t *out, DgError *err);  /* NULL is 0 */
DgStatus dg_session_text(DgSession *s, Arena *a, Str sql, Str *out, DgError *err); /* NULL: "" */

/* A result, streamed in batches of DG_BATCH_ROWS at most. */
typedef struct DgScan DgScan;
DgStatus dg_scan_open(DgSession *s, Str sql, DgScan **out, DgError *err);
/* The same, but columns of type FLOAT[N] come as DG_BINARY: N little-endian float32, rows one behind
 * the other (a null takes no bytes). */
DgStatus dg_scan_open_arrays(DgSession *s, Str sql, DgScan **out, DgError *err);
const DgColumn *dg_scan_columns(const DgScan *scan, int32_t *count);
/* Thread-safe: one caller at a time gets the next rows. DG_END when there are none. `out` must
 * have been initialised with the scan's columns. */
DgStatus dg_scan_next(DgScan *scan, DgBatch *out, DgError *err);
void dg_scan_close(DgScan *scan);

/* Rows into a table, in the session's transaction: the table is made (replaced, extended) as
 * `load` says and filled by pulling batches from `pull` in as many lanes as DuckDB has threads.
 * Without an open transaction the load is one by itself. With lanes_max 1 rows stay in the order of
 * delivery, with more they do not. A merge always has one lane: the last row of a key wins. */
typedef struct DgPull {
    void *context;
    DgStatus (*lane_open)(void *context, void **lane, DgError *err);
    /* As DgStepOps.read: fills out (initialised with load->columns). */
    DgStatus (*next)(void *context, void *lane, DgBatch *out, DgError *err);
    void (*lane_close)(void *context, void *lane);
    int32_t lanes_max; /* 0: as many as DuckDB has threads */
    bool floats;       /* what is declared DG_BINARY is the bytes of float32 numbers: a FLOAT[] for DuckDB */
} DgPull;
typedef struct DgLoadResult {
    int64_t rows_read, rows_inserted, rows_deleted;
} DgLoadResult;
DgStatus dg_session_load(DgSession *s, Str schema, Str table, const DgLoad *load,
                         const DgPull *pull, DgLoadResult *result, DgError *err);

/* Runs `before` dgc_pull(N) `after`: a statement that reads the batches as a table. *rows: how many. */
DgStatus dg_session_stream(DgSession *s, const DgColumn *columns, int32_t columns_count, const DgPull *pull,
                           Str before, Str after, int64_t *rows, DgError *err);

/* The columns of a query as DuckDB types them, nested ones taken apart. */
typedef struct DgTypeTree DgTypeTree;
struct DgTypeTree {
    Str name;
    Str type;            /* in DuckDB's words; empty: nested */
    bool nested;         /* struct, list, map, array, union */
    DgTypeTree *members; /* of a struct; the root's are the columns */
    int32_t members_count;
};
DgStatus dg_session_types(DgSession *s, Arena *a, Str sql, DgTypeTree *out, DgError *err);

/* Quoting, here and nowhere else. Into the arena. */
Str dg_duckdb_name(Arena *a, Str name);  /* "name" with quotes doubled */
Str dg_duckdb_text(Arena *a, Str text);  /* 'text' */
Str dg_duckdb_table(Arena *a, Str schema, Str table);
Str dg_duckdb_type(Arena *a, DgType t);  /* DECIMAL(18,3) */
/* An asset key's table: the last part, in the schema of the part before it ("main" if none);
 * more parts than two: all but the last joined by `__`. */
void dg_asset_table(Arena *a, Str asset_key, Str *schema, Str *table);

#endif
