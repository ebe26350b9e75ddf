/* engine.h - one contract for every database that rows are moved from or to. One file per engine;
 * engines.c lists them. A DgDb is one connection, used by one thread at a time (interrupt excepted)
 * and has at most one transaction.
 *
 * Errors have a class: DG_UNAVAILABLE could not connect or the connection broke (worth a retry),
 * DG_TEMPFAIL deadlock, lock or serialization failure (worth a retry), DG_NOPERM, DG_CONFIG (no such
 * database, wrong password), DG_DATA (constraint, value out of range), DG_IO (disk full), DG_FAILED
 * the rest (SQL that is wrong). The message is the server's own first line, never with a password.
 */
#ifndef DGC_ENGINE_H
#define DGC_ENGINE_H

#include "runtime/data/rows_stream.h"
#include "runtime/db/conn.h"

typedef struct DgEngine DgEngine;
typedef struct DgDialect DgDialect;

typedef struct DgDb {
    const DgEngine *engine;
    int32_t version;         /* server's: 15 * 10000 + minor, 10.11.4 is 101104 ... */
} DgDb;

typedef struct DgTableName {
    Str schema, table;       /* schema empty: the connection's default */
} DgTableName;

typedef struct DgDbColumn {
    DgColumn column;         /* name, type the rows are read as, not_null */
    Str native;              /* the engine's own words: `numeric(10,2)`, `int unsigned` */
} DgDbColumn;

typedef struct DgTableInfo {
    DgTableName name;
    bool is_view;
    int64_t rows_estimate;   /* from statistics; -1: not known */
    int64_t bytes_estimate;  /* -1: not known */
    const DgDbColumn *columns;
    int32_t columns_count;
    const Str *primary_key;
    int32_t primary_key_count;
} DgTableInfo;
typedef Array(DgTableInfo) DgTableInfos;

typedef enum DgTxKind {
    DG_TX_WRITE,
    DG_TX_READ,              /* read only; one snapshot for all statements where the engine can */
} DgTxKind;

struct DgEngine {
    const char *type;                 /* "postgres": DgConn.type */
    const char *title;                /* "PostgreSQL" */
    const char *const *aliases;       /* of the type, and URL schemes; NULL-terminated */
    const DgDialect *dialect;

    DgStatus (*open)(const DgConn *conn, DgDb **out, DgError *err);
    void (*close)(DgDb *db);          /* rolls back what is open; NULL is fine */
    void (*interrupt)(DgDb *db);      /* from any thread: what runs fails with DG_CANCELLED */

    DgStatus (*begin)(DgDb *db, DgTxKind kind, DgError *err);
    /* *unknown: the reply was lost; whether it happened must be looked up. */
    DgStatus (*commit)(DgDb *db, bool *unknown, DgError *err);
    DgStatus (*rollback)(DgDb *db, DgError *err);

    /* One or more statements; changed (may be NULL): rows of the last. */
    DgStatus (*exec)(DgDb *db, Str sql, int64_t *changed, DgError *err);
    /* Rows of one SELECT, streamed: memory bounded by a few batches, the first one before the last is
     * computed where the engine can. While it is open the connection does nothing else. */
    DgStatus (*query)(DgDb *db, Str sql, DgRows **out, DgError *err);
    /* All rows of `from` appended to the table, columns matched by name, by the fastest way the
     * engine has (binary COPY, LOAD DATA LOCAL INFILE, prepared inserts, DuckDB's pull), inside the
     * open transaction. Does not close `from`. *rows counts. Values that the column cannot hold are
     * DG_DATA with the column's name; nothing is cut or rounded silently. */
    DgStatus (*insert)(DgDb *db, DgTableName to, DgRows *from, int64_t *rows, DgError *err);

    /* Tables and views whose schema and name match; `*` and `?` are wildcards, case-insensitive
     * where the engine is. Empty schema: the default one. Without columns. Sorted. */
    DgStatus (*tables)(DgDb *db, Arena *a, Str schema, Str table, DgTableInfos *out, DgError *err);
    /* One table with columns and key; DG_END when it does not exist. Sees the open transaction. */
    DgStatus (*describe)(DgDb *db, Arena *a, DgTableName name, DgTableInfo *out, DgError *err);

    /* ---- Optional (NULL: not there) ---- */

    /* A snapshot that other connections may join: exported while a DG_TX_READ is open. */
    DgStatus (*snapshot_export)(DgDb *db, Arena *a, Str *token, DgError *err);
    DgStatus (*snapshot_join)(DgDb *db, Str token, DgError *err); /* begins a DG_TX_READ on it */
    /* Conditions that cut a table into about `parts` disjoint parts which together are all of it:
     * physical ranges (ctid) or ranges of the primary key. Fewer (also 1: "1=1") when small. */
    DgStatus (*split)(DgDb *db, Arena *a, DgTableName name, int32_t parts, StrArray *conditions,
                      DgError *err);
};

/* ---- What differs in SQL ---- */

struct DgDialect {
    char quote;                       /* of names: " or ` */
    int32_t name_max;                 /* bytes of a name; 0: no limit */
    bool has_schemas;                 /* schema.table; otherwise the schema is not written */
    bool transactional_ddl;           /* CREATE, ALTER, DROP, RENAME roll back with the rest */
    bool update_join;                 /* UPDATE t JOIN s ON ... SET (MySQL); else UPDATE t SET ... FROM s */
    const char *default_schema;       /* "public", "main"; NULL: the database */
    /* DDL text of a type as a column is made; `size` > 0: at most so many characters of text. */
    void (*type)(StrBuf *out, DgType type, int64_t size);
    /* What a native type is read as. False: it is read as text (`native::text`). */
    bool (*type_from)(Str native, DgType *out);
    /* A literal with the type's own syntax; NULL value pointer: NULL. Text given is UTF-8. */
    void (*text)(StrBuf *out, Str text);             /* 'it''s' */
    void (*timestamp_now)(StrBuf *out, int64_t us);  /* literal of microseconds since 1970, UTC */
    /* The statement by which a session waits so long for a lock, and then fails with DG_TEMPFAIL; 0: as long as it did at
     * its start. NULL: the engine's own bound stays. */
    void (*lock_wait)(StrBuf *out, int64_t ms);
    const char *staging;              /* "CREATE TEMPORARY TABLE " */
    /* A further column of staging tables that numbers the rows as they come, called _dgc_n: its DDL.
     * NULL: the engine's own `rowid` does. */
    const char *row_number;
    /* ALTER TABLE t ... for another type: `%t` is the type, `%c` the column. NULL: cannot, the table
     * is made anew. */
    const char *alter_type;
    bool truncate;                    /* TRUNCATE TABLE rolls back with the rest */
    const char *drop_staging;         /* MySQL's DROP TABLE commits, unless it is told what kind; NULL: DROP TABLE */
    bool index_keys;                  /* tables that are merged into get an index of their keys */
    bool index_staging;               /* and so does staging */
    bool update_in_with;              /* WITH x AS (UPDATE ... RETURNING ...) INSERT ... */
    bool merge_into;                  /* MERGE INTO t USING s ON ... */
    const char *before_merge;         /* a setting for the rest of the transaction; NULL: none */
    const char *analyze;              /* "ANALYZE ": staging's statistics, inside a transaction; NULL: not needed or not possible */
    bool swaps;                       /* a new table takes the old one's place by RENAME at the end */
};

extern const DgEngine dg_engine_postgres, dg_engine_mysql, dg_engine_sqlite, dg_engine_duckdb;

/* By canonical type or alias; NULL: no such engine. */
const DgEngine *engine_find(Str type);
/* All, NULL-terminated. */
const DgEngine *const *engine_all(void);

/* Helpers that stand on the contract. */
void sql_name(StrBuf *out, const DgDialect *d, Str name);                 /* "na""me" */
void sql_table(StrBuf *out, const DgDialect *d, DgTableName name);        /* "s"."t" */
DgStatus db_int(DgDb *db, Str sql, int64_t *out, DgError *err);           /* first value; NULL is 0 */
DgStatus db_text(DgDb *db, Arena *a, Str sql, Str *out, DgError *err);    /* as text; NULL is "" */
/* `schema.table`, "quo.ted"."na""me", or `table`; false when it is neither. */
bool table_name_parse(Arena *a, Str text, DgTableName *out);

#endif
