/* settings.c - field tables of a replication's streams: Sling's keys, one by one. */
#include "runtime/copy/settings.h"

const char *const dg_three_way[] = {"auto", "true", "false", NULL};

static const char *const modes[] = {"", "full-refresh", "incremental", "truncate", "snapshot", "backfill", "definition-only", "change-capture", NULL};

#define THREE_WAY(T, f, text) DG_FIELD_ENUM(T, f, .choices = dg_three_way, .fallback = "auto", .flags = DG_ADVANCED, .doc = text)
#define TEXT(T, f, text) DG_FIELD_STRING(T, f, .flags = DG_ADVANCED, .doc = text)
#define NUMBER(T, f, text) DG_FIELD_INT(T, f, .min = 0, .max = 9e18, .flags = DG_ADVANCED, .doc = text)
#define ANYTHING(T, f, text) DG_FIELD_ANY(T, f, .flags = DG_ADVANCED, .doc = text)

static const DgField source_fields[] = {
    ANYTHING(DgSourceOptions, flatten, "Nested objects become columns `a__b`: `true`, or how deep."),
    THREE_WAY(DgSourceOptions, header, "Whether the first line of a CSV names the columns."),
    THREE_WAY(DgSourceOptions, empty_as_null, "Empty text is null."),
    THREE_WAY(DgSourceOptions, skip_blank_lines, "Lines of a CSV whose fields are all empty are no rows."),
    DG_FIELD_INT(DgSourceOptions, fields_per_rec, .min = -1, .max = 1e6, .flags = DG_ADVANCED, .doc = "Fields of each line; -1: any number."),
    NUMBER(DgSourceOptions, skip_lines, "Lines before the header."),
    ANYTHING(DgSourceOptions, max_decimals, "Digits after the point at most; numbers are rounded."),
    NUMBER(DgSourceOptions, limit, "Rows at most."),
    NUMBER(DgSourceOptions, offset, "Rows left out first."),
    NUMBER(DgSourceOptions, chunk_count, "Backfill: how many parts the range is loaded in."),
    TEXT(DgSourceOptions, compression, "`auto`, `none`, `gzip`, `zstd`."),
    TEXT(DgSourceOptions, format, "`csv`, `json`, `jsonlines`, `parquet`, `xlsx`; by the name when not given."),
    TEXT(DgSourceOptions, null_if, "Text that means null."),
    TEXT(DgSourceOptions, datetime_format, "How dates and times are written."),
    TEXT(DgSourceOptions, delimiter, "Between fields."),
    TEXT(DgSourceOptions, escape, "Before a quote inside quotes."),
    TEXT(DgSourceOptions, quote, "Around fields."),
    TEXT(DgSourceOptions, jmespath, "Where the records of a JSON document are: `a.b[]`."),
    TEXT(DgSourceOptions, jq, "Not supported; see `jmespath`."),
    TEXT(DgSourceOptions, sheet, "Sheet of a workbook."),
    TEXT(DgSourceOptions, range, "Backfill: `first,last` values of the update key; workbook: `Sheet1!A1:D9`."),
    TEXT(DgSourceOptions, chunk_expr, "Accepted: large tables are read in parallel parts as they are."),
    TEXT(DgSourceOptions, encoding, "`utf8`, `latin1`, `utf16`."),
    ANYTHING(DgSourceOptions, chunk_size, "Backfill: the range is loaded in parts of `6h`, `7d`, `1w`, `1m` (a month), `1y`, or of a number of the update key."),
    DG_FIELD_ANY(DgSourceOptions, columns, .flags = DG_ADVANCED | DG_DEPRECATED | DG_BUILD, .doc = "write it as the stream's own `columns`"),
    DG_FIELD_ANY(DgSourceOptions, transforms, .flags = DG_ADVANCED | DG_DEPRECATED | DG_BUILD, .doc = "write it as the stream's own `transforms`"),
    {0},
};

static const DgField target_fields[] = {
    THREE_WAY(DgTargetOptions, header, "Whether a CSV begins with the columns' names."),
    THREE_WAY(DgTargetOptions, use_bulk, "Accepted: the fastest way is always taken."),
    THREE_WAY(DgTargetOptions, ignore_existing, "Does nothing when the target is there."),
    THREE_WAY(DgTargetOptions, add_new_columns, "New columns are added to the table; `false` leaves them out."),
    THREE_WAY(DgTargetOptions, adjust_column_type, "Columns get a wider type where needed; `false`: they stay as they are, and values must fit."),
    THREE_WAY(DgTargetOptions, direct_insert, "Accepted: rows go straight into the table wherever that is safe."),
    NUMBER(DgTargetOptions, concurrency, "Accepted: parallelism is the run's `--threads`."),
    NUMBER(DgTargetOptions, batch_limit, "Accepted: batches are bounded by memory."),
    NUMBER(DgTargetOptions, file_max_rows, "Rows of one file; more go to further files."),
    NUMBER(DgTargetOptions, file_max_bytes, "Bytes of one file; more go to further files."),
    ANYTHING(DgTargetOptions, max_decimals, "Digits after the point at most; numbers are rounded."),
    TEXT(DgTargetOptions, compression, "`none`, `gzip`, `zstd`, `snappy`."),
    TEXT(DgTargetOptions, datetime_format, "How dates and times are written."),
    TEXT(DgTargetOptions, delimiter, "Between fields."),
    TEXT(DgTargetOptions, format, "`csv`, `json`, `jsonlines`, `parquet`."),
    TEXT(DgTargetOptions, column_casing, "`source`, `target`, `normalize`, `snake`, `upper`, `lower`, `camel`."),
    TEXT(DgTargetOptions, encoding, "`utf8`."),
    TEXT(DgTargetOptions, table_tmp, "Accepted: staging tables have names of their own."),
    TEXT(DgTargetOptions, table_ddl, "CREATE TABLE of the target; `{col_types}` stands for the columns."),
    TEXT(DgTargetOptions, pre_sql, "SQL before the rows, in their transaction."),
    TEXT(DgTargetOptions, post_sql, "SQL after the rows, in their transaction."),
    TEXT(DgTargetOptions, isolation_level, "Accepted: loads are one transaction."),
    TEXT(DgTargetOptions, merge_strategy, "`update_insert`, `delete_insert`, `insert`, `update`, `history_insert`."),
    TEXT(DgTargetOptions, batch_max_duration, "Accepted: batches are bounded by memory."),
    ANYTHING(DgTargetOptions, delete_missing, "`soft` or `hard`: what happens to rows that the source no longer has."),
    ANYTHING(DgTargetOptions, column_typing, "Sizes of text and decimals: `{string: {length_factor, min_length, max_length}, decimal: {max_scale}, json: {as_text: true}}`."),
    ANYTHING(DgTargetOptions, table_keys, "Keys of a new table: `{primary: [id], unique: [code], index: [a, b]}`."),
    {0},
};

#define HOOKS(f, text)                                                                                               \
    {.name = #f, .kind = DG_F_LIST, .offset = DG_OFFSET(DgHooks, f, DgList), .of_kind = DG_F_ANY, .of_size = sizeof(DgValue), \
     .flags = DG_ADVANCED, .doc = text}
const DgField dg_hook_fields[] = {
    HOOKS(start, "Before the first stream."), HOOKS(end, "After the last stream."),
    HOOKS(pre, "Before the stream."), HOOKS(post, "After the stream."),
    HOOKS(pre_merge, "In the load's transaction, before rows are merged."), HOOKS(post_merge, "In it, after."),
    {0},
};

const DgField dg_stream_fields[] = {
    DG_FIELD_STRING(DgStreamSettings, id, .flags = DG_ADVANCED, .doc = "Another name for the stream."),
    DG_FIELD_STRING(DgStreamSettings, description, .doc = "What it is."),
    DG_FIELD_STRING(DgStreamSettings, object, .doc = "Table or file it goes to; `{stream_table}` and the like are filled in."),
    DG_FIELD_STRING(DgStreamSettings, where, .doc = "SQL condition: only these rows."),
    DG_FIELD_STRING(DgStreamSettings, update_key, .doc = "Column that grows with each change: an incremental run reads rows beyond the last value."),
    DG_FIELD_STRING(DgStreamSettings, sql, .doc = "Query to read instead of a table; `{incremental_where_cond}` stands for the condition."),
    DG_FIELD_STRING(DgStreamSettings, schedule, .flags = DG_ADVANCED, .doc = "Accepted; schedules are `dgc.Schedule`."),
    DG_FIELD_ENUM(DgStreamSettings, mode, .choices = modes, .fallback = "", .doc = "`full-refresh`, `incremental`, `truncate`, `snapshot`, `backfill`, `definition-only`."),
    DG_FIELD_STRINGS(DgStreamSettings, select, .flags = DG_ONE_OR_MANY, .doc = "Columns: `a`, `a as b`, `addr_*`, `-secret`."),
    DG_FIELD_STRINGS(DgStreamSettings, files, .flags = DG_ONE_OR_MANY | DG_ADVANCED, .doc = "Files to read, instead of the stream's name."),
    DG_FIELD_STRINGS(DgStreamSettings, primary_key, .flags = DG_ONE_OR_MANY, .doc = "Columns that tell rows apart: rows are merged by them."),
    DG_FIELD_STRINGS(DgStreamSettings, tags, .flags = DG_ONE_OR_MANY | DG_ADVANCED, .doc = "Tags."),
    DG_FIELD_ANY(DgStreamSettings, columns, .flags = DG_BUILD, .doc = "Types of columns: `{amount: 'decimal(12,2)', '*': string}`."),
    DG_FIELD_ANY(DgStreamSettings, transforms, .flags = DG_ADVANCED, .doc = "Changes to values on their way."),
    DG_FIELD_STRUCT(DgStreamSettings, source_options, DgSourceOptions, source_fields, .doc = "How the source is read."),
    DG_FIELD_STRUCT(DgStreamSettings, target_options, DgTargetOptions, target_fields, .doc = "How the target is written."),
    DG_FIELD_STRUCT(DgStreamSettings, hooks, DgHooks, dg_hook_fields, .flags = DG_ADVANCED, .doc = "What runs before and after."),
    DG_FIELD_ENUM(DgStreamSettings, disabled, .choices = dg_three_way, .fallback = "auto", .flags = DG_ADVANCED, .doc = "Left out; also of a wildcard."),
    DG_FIELD_ENUM(DgStreamSettings, single, .choices = dg_three_way, .fallback = "auto", .flags = DG_ADVANCED, .doc = "Files of a wildcard are one stream; when not given: unless `object` has `{stream_file_name}` or the like."),
    DG_FIELD_ANY(DgStreamSettings, meta, .flags = DG_ADVANCED, .doc = "`dagster: {asset_key, deps, group, description}`."),
    DG_FIELD_ANY(DgStreamSettings, change_capture_options, .flags = DG_ADVANCED, .doc = "Belongs to the mode change-capture, which is not supported."),
    DG_FIELD_STRING(DgStreamSettings, contract, .doc = "What happens to new columns and other types: `evolve`, `freeze`, `discard_row`, `discard_value`."),
    DG_FIELD_INT(DgStreamSettings, max_table_nesting, .min = 0, .max = 1000,
                 .doc = "How many levels of JSON become columns `a__b` and tables `orders__items`; 0: JSON stays JSON."),
    {0},
};

#define CONN_FIELDS \
    DG_FIELD_ANY(DgConnEntry, type, .flags = 0, .doc = "`postgres`, `mysql`, `mariadb`, `sqlite`, `duckdb`, `file`, `http`, `s3`.", .example = "postgres"), \
    DG_FIELD_ANY(DgConnEntry, url, .flags = DG_ADVANCED, .doc = "All in one: `postgres://user:password@host:5432/database`."), \
    DG_FIELD_ANY(DgConnEntry, connection_string, .flags = DG_ADVANCED, .doc = "The same as `url`."), \
    DG_FIELD_ANY(DgConnEntry, host, .flags = 0, .doc = "Server."), \
    DG_FIELD_ANY(DgConnEntry, port, .flags = DG_ADVANCED, .doc = "Port."), \
    DG_FIELD_ANY(DgConnEntry, user, .flags = 0, .doc = "User."), \
    DG_FIELD_ANY(DgConnEntry, username, .flags = DG_ADVANCED, .doc = "The same as `user`."), \
    DG_FIELD_ANY(DgConnEntry, password, .flags = 0, .doc = "Password: `\"{{ env.PGPASSWORD }}\"`."), \
    DG_FIELD_ANY(DgConnEntry, database, .flags = 0, .doc = "Database."), \
    DG_FIELD_ANY(DgConnEntry, dbname, .flags = DG_ADVANCED, .doc = "The same as `database`."), \
    DG_FIELD_ANY(DgConnEntry, schema, .flags = DG_ADVANCED, .doc = "Schema of names that have none."), \
    DG_FIELD_ANY(DgConnEntry, sslmode, .flags = DG_ADVANCED, .doc = "`disable`, `prefer`, `require`, `verify-ca`, `verify-full`."), \
    DG_FIELD_ANY(DgConnEntry, sslrootcert, .flags = DG_ADVANCED, .doc = "File of the certificate authority."), \
    DG_FIELD_ANY(DgConnEntry, sslcert, .flags = DG_ADVANCED, .doc = "File of the client's certificate."), \
    DG_FIELD_ANY(DgConnEntry, sslkey, .flags = DG_ADVANCED, .doc = "File of the client's key."), \
    DG_FIELD_ANY(DgConnEntry, role, .flags = DG_ADVANCED, .doc = "Role to take after connecting."), \
    DG_FIELD_ANY(DgConnEntry, instance, .flags = DG_ADVANCED, .doc = "File of a SQLite or DuckDB database."), \
    DG_FIELD_ANY(DgConnEntry, path, .flags = DG_ADVANCED, .doc = "The same as `instance`; or a folder of files."), \
    DG_FIELD_ANY(DgConnEntry, socket, .flags = DG_ADVANCED, .doc = "Unix socket."), \
    DG_FIELD_ANY(DgConnEntry, charset, .flags = DG_ADVANCED, .doc = "Accepted: always utf8mb4."), \
    DG_FIELD_ANY(DgConnEntry, ssl_ca, .flags = DG_ADVANCED, .doc = "File of the certificate authority."), \
    DG_FIELD_ANY(DgConnEntry, ssl_cert, .flags = DG_ADVANCED, .doc = "File of the client's certificate."), \
    DG_FIELD_ANY(DgConnEntry, ssl_key, .flags = DG_ADVANCED, .doc = "File of the client's key."), \
    DG_FIELD_ANY(DgConnEntry, tls, .flags = DG_ADVANCED, .doc = "Whether TLS is required."), \
    DG_FIELD_ANY(DgConnEntry, bucket, .flags = DG_ADVANCED, .doc = "Bucket."), \
    DG_FIELD_ANY(DgConnEntry, access_key_id, .flags = DG_ADVANCED, .doc = "Access key."), \
    DG_FIELD_ANY(DgConnEntry, secret_access_key, .flags = DG_ADVANCED, .doc = "Its secret."), \
    DG_FIELD_ANY(DgConnEntry, session_token, .flags = DG_ADVANCED, .doc = "Token of temporary credentials."), \
    DG_FIELD_ANY(DgConnEntry, region, .flags = DG_ADVANCED, .doc = "Region."), \
    DG_FIELD_ANY(DgConnEntry, endpoint, .flags = DG_ADVANCED, .doc = "Address of a server that speaks S3."), \
    DG_FIELD_ANY(DgConnEntry, profile, .flags = DG_ADVANCED, .doc = "Profile of ~/.aws."), \
    DG_FIELD_ANY(DgConnEntry, use_environment, .flags = DG_ADVANCED, .doc = "Credentials from the environment."), \
    DG_FIELD_ANY(DgConnEntry, memory, .flags = DG_ADVANCED, .doc = "Bytes that DuckDB may use."), \
    DG_FIELD_ANY(DgConnEntry, threads, .flags = DG_ADVANCED, .doc = "Threads that DuckDB may use."), \
    DG_FIELD_ANY(DgConnEntry, connect_timeout, .flags = DG_ADVANCED, .doc = "Seconds to wait for a connection."), \
    DG_FIELD_ANY(DgConnEntry, statement_timeout, .flags = DG_ADVANCED, .doc = "Milliseconds a statement may take."), \
    DG_FIELD_ANY(DgConnEntry, lock_timeout, .flags = DG_ADVANCED, .doc = "Milliseconds to wait for another run that has the same stream in hand; default 60000."), \
    DG_FIELD_ANY(DgConnEntry, retries, .flags = DG_ADVANCED, .doc = "How often a request to S3 or http that failed for the moment is sent again; default 4."), \
    DG_FIELD_ANY(DgConnEntry, application_name, .flags = DG_ADVANCED, .doc = "What the server shows."), \
    DG_FIELD_ANY(DgConnEntry, options, .flags = DG_ADVANCED, .doc = "Command-line options of the server session.")

const DgField dg_conn_entry_fields[] = {CONN_FIELDS, {0}};

/* A connection of a list, which says its name. */
const DgField dg_conn_item_fields[] = {
    {.name = "name", .kind = DG_F_STRING, .offset = DG_OFFSET(DgConnEntry, key, DgStr), .flags = DG_REQUIRED | DG_BUILD, .doc = "Its name."},
    CONN_FIELDS,
    {0},
};

const DgField dg_conn_config_fields[] = {
    DG_FIELD_STRING(DgConnConfig, name, .doc = "Name of the connection."),
    DG_FIELD_STRING(DgConnConfig, type, .doc = "`postgres`, `mysql`, `sqlite`, `duckdb`, `file`, `http`, `s3`."),
    DG_FIELD_ANY_MAP(DgConnConfig, props, .doc = "Its properties."),
    {0},
};

const DgField dg_stream_step_fields[] = {
    DG_FIELD_STRING(DgStreamStep, stream, .doc = "The stream, as written."),
    DG_FIELD_STRING(DgStreamStep, asset, .doc = "Its asset key."),
    DG_FIELD_STRUCT(DgStreamStep, source, DgConnConfig, dg_conn_config_fields, .doc = "Where rows come from."),
    DG_FIELD_STRUCT(DgStreamStep, target, DgConnConfig, dg_conn_config_fields, .doc = "Where rows go."),
    DG_FIELD_STRUCT(DgStreamStep, settings, DgStreamSettings, dg_stream_fields, .doc = "Merged settings."),
    DG_FIELD_STRUCTS(DgStreamStep, connections, DgConnConfig, dg_conn_config_fields, .doc = "Others that hooks name."),
    DG_FIELD_STRINGS(DgStreamStep, excluded, .doc = "What a wildcard leaves out."),
    DG_FIELD_ANY_MAP(DgStreamStep, env, .doc = "The replication's variables."),
    DG_FIELD_STRINGS(DgStreamStep, include_metadata, .doc = "Metadata to report."),
    DG_FIELD_STRING(DgStreamStep, replication, .doc = "Name of the replication: part of the state's key."),
    DG_FIELD_CODE(DgStreamStep, transform_loops, .doc = "The compiled transforms."),
    DG_FIELD_CODE(DgStreamStep, constraint_loops, .doc = "The compiled constraints."),
    {0},
};
