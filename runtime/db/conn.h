/* conn.h - a connection as people write it: a name, a type, and properties.
 *
 * From YAML (`connections:`), from a URL (`postgres://me:pw@host:5432/shop?sslmode=require`), from
 * the environment (`MY_PG=postgres://...`, or a YAML/JSON mapping), `~/.sling/env.yaml`, or dbt's
 * profiles.yml. Property names are Sling's: host port user password database schema sslmode
 * instance ... ; for object stores bucket access_key_id secret_access_key session_token region
 * endpoint profile ... . Values may be secrets: never print a spec, only name and type.
 */
#ifndef DGC_CONN_H
#define DGC_CONN_H

#include "runtime/base/base.h"
#include "runtime/component.h"

typedef struct DgConn {
    Str name;            /* MY_PG; empty for a bare URL */
    Str type;            /* canonical: postgres mysql mariadb sqlite duckdb file http s3 */
    const DgPair *props; /* keys lower case; no duplicates */
    int32_t props_count;
} DgConn;

Str conn_prop(const DgConn *c, const char *key);        /* empty when not given */
int64_t conn_prop_int(const DgConn *c, const char *key, int64_t fallback);
bool conn_is_database(const DgConn *c);                 /* otherwise a file store */

/* The file of an SQLite or DuckDB connection, or `:memory:`: `instance`, `database` or `path`. Empty: none is named. */
Str conn_file(const DgConn *c);
/* DG_CONFIG: a database in a file whose file is not there. Opening it would make an empty one. */
DgStatus conn_must_exist(const DgConn *c, DgError *err);

/* `url` with percent-encoding undone; a plain path is type file, `x.duckdb` and `x.db`/`x.sqlite`
 * after `duckdb://`/`sqlite://`. DG_CONFIG with what is wrong and what to write; the message never
 * has the password. */
DgStatus conn_from_url(Arena *a, Str name, Str url, DgConn *out, DgError *err);
/* `type` or an alias of it (postgresql, pg, ...). Props may hold `url`/`connection_string`, which
 * is taken apart first and the other props win. */
DgStatus conn_from_props(Arena *a, Str name, Str type, const DgPair *props, int32_t count,
                         DgConn *out, DgError *err);
/* What a variable of the environment holds: a URL or a JSON mapping of properties with `type`. */
DgStatus conn_from_text(Arena *a, Str name, Str text, DgConn *out, DgError *err);
/* What may be shown: `postgres://me@host:5432/shop`. */
Str conn_shown(Arena *a, const DgConn *c);

#endif
