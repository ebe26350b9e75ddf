/* settings.h - what a replication says about one stream, after defaults were merged in: Sling's keys,
 * its meanings. settings.c has the field tables, so the same structs are filled from YAML when
 * building and are step configuration when running.
 *
 * Three-way booleans (not given, true, false) are int32_t choices of dg_three_way: 0, 1, 2.
 */
#ifndef DGC_COPY_SETTINGS_H
#define DGC_COPY_SETTINGS_H

#include "runtime/component.h"

extern const char *const dg_three_way[]; /* "auto", "true", "false" */

typedef enum DgCopyMode {
    DG_COPY_MODE_UNSET, DG_COPY_FULL_REFRESH, DG_COPY_INCREMENTAL, DG_COPY_TRUNCATE, DG_COPY_SNAPSHOT,
    DG_COPY_BACKFILL, DG_COPY_DEFINITION_ONLY, DG_COPY_CHANGE_CAPTURE,
} DgCopyMode;

typedef struct DgSourceOptions {
    DgValue flatten;            /* bool or depth */
    int32_t header, empty_as_null, skip_blank_lines; /* three-way */
    int64_t fields_per_rec, skip_lines, limit, offset, chunk_count;
    DgStr compression, format, null_if, datetime_format, delimiter, escape, quote, jmespath, jq, sheet,
        range, chunk_expr, encoding;
    DgValue max_decimals;       /* a number */
    DgValue chunk_size;         /* `7d`, `6h`, `1m`, or a number of rows */
    DgValue columns, transforms;/* old places of the stream's keys; empty once merged */
} DgSourceOptions;

typedef struct DgTargetOptions {
    int32_t header, use_bulk, ignore_existing, add_new_columns, adjust_column_type, direct_insert;
    int64_t concurrency, batch_limit, file_max_rows, file_max_bytes;
    DgStr compression, datetime_format, delimiter, format, column_casing, encoding, table_tmp, table_ddl,
        pre_sql, post_sql, isolation_level, merge_strategy, batch_max_duration;
    DgValue delete_missing;     /* soft, hard, or {type, where, source_where, target_where} */
    DgValue column_typing, table_keys, max_decimals;
} DgTargetOptions;

/* `hooks`: lists of mappings with `type`; order matters. */
typedef struct DgHooks {
    DgList start, end;                    /* of DgValue; replication only */
    DgList pre, post, pre_merge, post_merge; /* of DgValue; streams */
} DgHooks;
extern const DgField dg_hook_fields[];

typedef struct DgStreamSettings {
    DgStr key;                            /* the stream as written; empty: `defaults` */
    DgStr id, description, object, where, update_key, sql, schedule;
    int32_t mode;                         /* DgCopyMode */
    DgList select, files, primary_key, tags; /* of DgStr */
    DgValue columns;                      /* {name: type} or a list */
    DgValue transforms;                   /* list, map, or list of maps (stages) */
    DgSourceOptions source_options;
    DgTargetOptions target_options;
    DgHooks hooks;
    int32_t disabled, single;             /* three-way */
    DgValue meta;                         /* Dagster's: meta.dagster.asset_key ... */
    DgValue change_capture_options;       /* accepted; the mode that uses them is not */
    /* dgc's own */
    DgStr contract;                       /* evolve freeze discard_row discard_value */
    int64_t max_table_nesting;            /* levels of JSON that become columns and tables; 0: none */
} DgStreamSettings;
extern const DgField dg_stream_fields[];

/* A connection as the project names it; values may be secrets, resolved when the step begins. */
typedef struct DgConnEntry DgConnEntry;
extern const DgField dg_conn_entry_fields[], dg_conn_item_fields[];
struct DgConnEntry {
    DgStr key;                            /* its name */
    DgValue type, url, connection_string, host, port, user, username, password, database, dbname, schema,
        sslmode, sslrootcert, sslcert, sslkey, role, instance, path, socket, charset, ssl_ca, ssl_cert, ssl_key,
        tls, bucket, access_key_id, secret_access_key, session_token, region, endpoint, profile, use_environment,
        memory, threads, connect_timeout, statement_timeout, lock_timeout, retries, application_name, options;
};
typedef struct DgConnConfig {
    DgStr name, type;                     /* type empty: found by name in the environment */
    DgList props;                         /* of DgValuePair */
} DgConnConfig;
extern const DgField dg_conn_config_fields[];

/* The config of one stream's step. */
typedef struct DgStreamStep {
    DgStr stream;                         /* as written: `public.orders`, `public.*`, `file://...` */
    DgStr asset;                          /* its asset key */
    DgConnConfig source, target;
    DgStreamSettings settings;            /* merged */
    DgList connections;                   /* of DgConnConfig: others that hooks name */
    DgList excluded;                      /* of DgStr: other entries that a wildcard leaves out */
    DgList env;                           /* of DgValuePair: the replication's `env` */
    DgList include_metadata;              /* of DgStr: column_metadata, row_count */
    DgStr replication;                    /* file's stem: part of the state key */
    DgCode transform_loops, constraint_loops; /* DgRuleSetFn of loop_api.h; NULL: there are none */
} DgStreamStep;
extern const DgField dg_stream_step_fields[];

/* Names that both the compiler and the run go by; lists end in NULL. */
extern const char *const dg_column_type_names[];
bool dg_column_type(DgStr text, DgType *out);  /* `decimal(10,2)`; Sling's names and DuckDB's */
extern const char *const dg_variable_names[];
bool dg_variable_known(DgStr name);            /* `stream_table`, `stream.table` */
bool copy_object_tells_files(DgStr object);    /* has `{stream_file_name}` or the like: files of a wildcard are streams of their own */
bool dg_placeholder_known(DgStr name);         /* `incremental_where_cond`: left for the query */

/* Runs one stream (all its tables, for a wildcard) inside a step: what the component's execute() and
 * `dgc copy` call. Reports progress, metadata and logs through `run`. */
DgStatus copy_stream(DgStepRun *run, const DgStreamStep *step, DgError *err);
/* DgStepOps.cursor of a stream. */
DgStatus copy_stream_cursor(DgStepRun *run, const DgStreamStep *step, const DgStr *value, DgList *cursors, DgError *err);
/* DgStepOps.packages of a stream. */
DgStatus copy_stream_packages(DgStepRun *run, const DgStreamStep *step, const DgStr *abort, DgList *packages, DgError *err);
/* DgStepOps.explain of a stream. */
DgStatus copy_stream_explain(DgStepRun *run, const DgStreamStep *step, DgStr *text, DgError *err);

/* The replication's hooks.start and hooks.end. */
DgStatus copy_hooks(DgStepRun *run, const DgStreamStep *step, const DgList *hooks, DgError *err);

#endif
