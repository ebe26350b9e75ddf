/* postgres_internal.h - what the files of the PostgreSQL engine share. Private to runtime/db.
 *
 *   postgres.c          connections, statements, transactions, classes of errors
 *   postgres_types.c    types both ways, the dialect
 *   postgres_rows.c     rows out: COPY ... TO STDOUT in the binary format
 *   postgres_insert.c   rows in: COPY ... FROM STDIN, binary where the column's type allows, else text
 *   postgres_catalog.c  tables, columns, keys, physical parts
 */
#ifndef DGC_POSTGRES_INTERNAL_H
#define DGC_POSTGRES_INTERNAL_H

#include <libpq-fe.h>
#include <pthread.h>

#include "runtime/db/engine.h"

typedef struct Pg {
    DgDb db; /* first */
    PGconn *conn;
    PGcancel *cancel;
    bool in_transaction;
    bool interrupted; /* any thread; accessed atomically */
    bool check_utf8;  /* the server does not: SQL_ASCII */
} Pg;

/* Object ids of pg_type that never change. */
enum {
    PG_BOOL = 16, PG_BYTEA = 17, PG_NAME = 19, PG_INT8 = 20, PG_INT2 = 21, PG_INT4 = 23, PG_TEXT = 25, PG_OID = 26, PG_JSON = 114,
    PG_FLOAT4 = 700, PG_FLOAT8 = 701, PG_BPCHAR = 1042, PG_VARCHAR = 1043, PG_DATE = 1082, PG_TIME = 1083, PG_TIMESTAMP = 1114,
    PG_TIMESTAMPTZ = 1184, PG_INTERVAL = 1186, PG_NUMERIC = 1700, PG_UUID = 2950, PG_JSONB = 3802,
};
enum { PG_EPOCH_DAYS = 10957 }; /* 2000-01-01 */
static const int64_t PG_EPOCH_US = 946684800000000;

extern const DgDialect dg_dialect_postgres;

/* The type that a column of this oid is read as natively; false: it has to be cast to text or JSON. */
bool pg_native_type(Oid oid, int modifier, DgType *out);

/* The status that a failed result stands for; fills err and clears the result (which may be NULL). */
DgStatus pg_fail(Pg *pg, PGresult *result, DgError *err);
/* A statement with rows, all in memory: for the catalog. *out is the caller's to PQclear. */
DgStatus pg_select(Pg *pg, const char *sql, PGresult **out, DgError *err);

DgStatus pg_query(DgDb *db, Str sql, DgRows **out, DgError *err);
DgStatus pg_insert(DgDb *db, DgTableName to, DgRows *from, int64_t *rows, DgError *err);
DgStatus pg_tables(DgDb *db, Arena *a, Str schema, Str table, DgTableInfos *out, DgError *err);
DgStatus pg_describe(DgDb *db, Arena *a, DgTableName name, DgTableInfo *out, DgError *err);
DgStatus pg_split(DgDb *db, Arena *a, DgTableName name, int32_t parts, StrArray *conditions, DgError *err);

/* 'schema.table' as a literal for to_regclass(). */
void pg_add_regclass(StrBuf *b, DgTableName name);

static inline uint16_t pg_get16(const char *p) { const unsigned char *u = (const unsigned char *)p; return (uint16_t)(u[0] << 8 | u[1]); }
static inline uint32_t pg_get32(const char *p) { uint32_t x; memcpy(&x, p, 4); return __builtin_bswap32(x); }
static inline uint64_t pg_get64(const char *p) { uint64_t x; memcpy(&x, p, 8); return __builtin_bswap64(x); }

#endif
