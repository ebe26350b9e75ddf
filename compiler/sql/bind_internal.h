/* bind_internal.h - a judge from inside; see bind.h. */
#ifndef DGC_SQL_BIND_INTERNAL_H
#define DGC_SQL_BIND_INTERNAL_H

#include "compiler/sql/bind.h"
#include "runtime/db/duckdb_api.h"

struct Judge {
    const DuckApi *api;
    duckdb_database database;
    duckdb_connection connection;
    duckdb_connection reader; /* reads types while the other binds */
    Arena arena;
    Map types;              /* text -> duckdb_logical_type */
    Map made;               /* schemas and tables that were really made */
    const BindQuery *query; /* being judged: where the replacement scan looks */
};

/* False: a type that cannot be written. */
bool bind_type_text(Judge *j, duckdb_logical_type type, Str *out);
duckdb_logical_type bind_type_of(Judge *j, Str text); /* NULL: DuckDB does not read it either */

#endif
