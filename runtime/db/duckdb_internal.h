/* duckdb_internal.h - what the files of the DuckDB engine share. Private to runtime/db. */
#ifndef DGC_DUCKDB_INTERNAL_H
#define DGC_DUCKDB_INTERNAL_H

#include <pthread.h>

#include "runtime/db/duckdb_api.h"
#include "runtime/db/warehouse.h"

typedef struct PullJob PullJob; /* duckdb_pull.c: one dg_session_load under way */

struct DgWarehouse {
    const DuckApi *api;
    duckdb_database database;
    int32_t threads;
    pthread_mutex_t lock;       /* the two below */
    PullJob *pulls;             /* those that dgc_pull(id) may name */
    int64_t next_id;
    char *path;                 /* absolute; NULL: in memory. With it the instance is shared */
    int32_t users;              /* of a shared one; the registry's lock guards it and `next` */
    DgWarehouse *next;
    DgSession *utility;         /* for what must not be part of a user's transaction */
    pthread_mutex_t utility_lock;
};

struct DgSession {
    DgWarehouse *warehouse;
    const DuckApi *api;
    duckdb_connection connection;
    bool in_transaction;
    bool interrupted; /* set by any thread, see dg_session_interrupt; accessed atomically */
};

/* Makes the database file, if it is not there: whole or not at all, and never over another process's. */
DgStatus duck_create(const DuckApi *api, const char *path, DgError *err);

/* The status a DuckDB message stands for; fills err. Sessions that were interrupted: CANCELLED. */
DgStatus duck_fail(const DgSession *s, DgError *err, const char *message);
/* A message about a line of a CSV file, made into one line; others stay. */
void duck_csv_error(Str message, DgError *err);
/* One or more statements, no result kept. changed (may be NULL): rows of the last. */
DgStatus duck_run(DgSession *s, Str sql, int64_t *changed, DgError *err);

/* Types, both ways. A type that DgType lacks gives false. */
duckdb_logical_type duck_type(const DuckApi *api, DgType type);
bool duck_type_from(const DuckApi *api, duckdb_logical_type from, DgType *out);

/* Between DuckDB's vectors and ours; `rows` values. */
bool duck_vector_write(const DuckApi *api, duckdb_vector to, const DgVector *from, DgType type,
                       int32_t rows);
bool duck_vector_read(const DuckApi *api, duckdb_vector from, DgVector *to, DgType type,
                      int32_t rows);

/* Values of FLOAT[size] as bytes, one behind the other. DG_DATA: a null among the numbers. */
DgStatus duck_floats_read(const DuckApi *api, duckdb_vector from, DgVector *to, int32_t size, int32_t rows,
                          DgError *err);

/* FLOAT[], and a column of it out of the bytes of such numbers; false when out of memory. */
duckdb_logical_type duck_floats_type(const DuckApi *api);
bool duck_floats_write(const DuckApi *api, duckdb_vector to, const DgVector *from, int32_t rows);

/* Registers dgc_pull(id BIGINT), the table function that loads read from. */
DgStatus duck_pull_register(DgSession *s, DgError *err);

#endif
