/* sqlite_internal.h - what the files of the SQLite engine share. Private to runtime/db. */
#ifndef DGC_SQLITE_INTERNAL_H
#define DGC_SQLITE_INTERNAL_H

#include <sqlite3.h>

#include "runtime/db/engine.h"

typedef struct SqliteDb {
    DgDb base;
    sqlite3 *handle;
    char *path;
    bool wal_asked;        /* write-ahead logging is turned on before the first write only */
    bool interrupted;      /* set by any thread; accessed atomically */
    int64_t busy_since_ms; /* 0: not waiting */
} SqliteDb;

extern const DgDialect dg_dialect_sqlite;

/* The status that the handle's last error stands for; fills err with SQLite's message. */
DgStatus sqlite_fail(SqliteDb *db, DgError *err, const char *verb);
DgStatus sqlite_cancelled(SqliteDb *db, DgError *err); /* DG_CANCELLED after interrupt, else DG_OK */
DgStatus sqlite_prepare(SqliteDb *db, Str sql, sqlite3_stmt **out, Str *tail, DgError *err);

/* What a declared type means. False: nothing is declared, or it is one like NUMERIC whose values may
 * be anything; then the values decide. */
bool sqlite_type_from(Str declared, DgType *out);
/* The types of a SELECT's columns that nothing declares, from up to SQLITE_SAMPLE_ROWS of its rows. */
enum { SQLITE_SAMPLE_ROWS = 1000, SQLITE_SAMPLE_BYTES = 16 << 20 };
DgType sqlite_type_of_classes(int64_t integers, int64_t reals, int64_t texts, int64_t blobs, bool exact);
/* One value into a batch; DG_DATA names the column and the value's kind. */
DgStatus sqlite_value_read(sqlite3_value *value, DgVector *v, int32_t row, const DgColumn *column, DgError *err);

DgStatus sqlite_query(DgDb *base, Str sql, DgRows **out, DgError *err);
DgStatus sqlite_insert(DgDb *base, DgTableName to, DgRows *from, int64_t *rows, DgError *err);
DgStatus sqlite_tables(DgDb *base, Arena *a, Str schema, Str table, DgTableInfos *out, DgError *err);
DgStatus sqlite_describe(DgDb *base, Arena *a, DgTableName name, DgTableInfo *out, DgError *err);
DgStatus sqlite_split(DgDb *base, Arena *a, DgTableName name, int32_t parts, StrArray *conditions, DgError *err);

#endif
