/* names.c - names that replications use: types of columns, variables in braces. */
#include "runtime/base/base.h"
#include "runtime/copy/settings.h"
#include "runtime/data/batch.h"

const char *const dg_column_type_names[] = {
    "bigint", "integer", "smallint", "decimal", "float", "string", "text", "bool", "date", "datetime",
    "timestamp", "timestampz", "time", "timez", "json", "uuid", "binary", NULL,
};

/* Sling's names, then DuckDB's. */
bool dg_column_type(DgStr text, DgType *out)
{
    static const struct { const char *name; DgTypeKind kind; } names[] = {
        {"string", DG_TEXT}, {"text", DG_TEXT}, {"bigint", DG_INT64}, {"integer", DG_INT32}, {"smallint", DG_INT16}, {"bool", DG_BOOL},
        {"boolean", DG_BOOL}, {"datetime", DG_TIMESTAMP}, {"timestamp", DG_TIMESTAMP}, {"timestampz", DG_TIMESTAMPTZ},
        {"date", DG_DATE}, {"time", DG_TIME}, {"timez", DG_TEXT}, {"json", DG_JSON}, {"float", DG_FLOAT64}, {"binary", DG_BINARY},
        {"uuid", DG_UUID},
    };
    Str type = str_trim(text), bare = type, rest;
    str_cut(type, '(', &bare, &rest);
    bare = str_trim(bare);
    if (str_eq_nocase(bare, S("decimal")) && bare.len == type.len) {
        *out = (DgType){DG_DECIMAL, 38, 9};
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq_nocase(bare, str_from(names[i].name))) {
            *out = (DgType){(uint8_t)names[i].kind, 0, 0};
            return true;
        }
    return dg_type_parse(type, out);
}

const char *const dg_variable_names[] = {
    "stream_table", "stream_schema", "stream_name", "stream_full_name", "stream_file_name", "stream_file_folder", "stream_file_path",
    "stream_file_ext", "target_schema", "run_timestamp", "YYYY", "MM", "DD", "HH", "update_key",
    "incremental_where_cond", "incremental_value", "start_value", "end_value", "fields", "col_types",
    "stream_name_lower", "stream_name_upper", "stream_schema_lower", "stream_schema_upper", "stream_table_lower", "stream_table_upper",
    "stream_description", "stream_run_id", "source_name", "source_type", "source_kind", "source_schema", "source_database", "source_bucket", "source_container", "source_account",
    "target_name", "target_type", "target_kind", "target_database", "target_bucket", "target_container", "target_account",
    "object_name", "object_full_name", "object_schema", "object_table", "run_id", "ISO8601",
    "YY", "MMM", "DDD", "hh", "mm", "ss",
    "part_year", "part_month", "part_year_month", "part_day", "part_hour", NULL,
};

/* Filled in when the query is built, not before. */
bool dg_placeholder_known(DgStr name)
{
    static const char *const names[] = {"incremental_where_cond", "incremental_value", "start_value", "end_value", "fields", "col_types"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, str_from(names[i])))
            return true;
    return false;
}

/* `stream.table` is `stream_table`. */
bool dg_variable_known(DgStr name)
{
    ptrdiff_t dot = str_find_char(name, '.');
    if (str_eq(name, S("run.id")) || str_eq(name, S("run.status")) || str_eq(name, S("run.total_rows")) || str_starts(name, S("store.")) ||
        str_starts(name, S("env.")))
        return true;
    for (size_t i = 0; dg_variable_names[i]; i++) {
        Str known = str_from(dg_variable_names[i]);
        if (dg_placeholder_known(known))
            continue;
        bool dotted = dot > 0 && known.len == name.len && known.ptr[dot] == '_' && str_eq(str_sub(known, 0, dot), str_sub(name, 0, dot)) &&
                      str_eq(str_sub(known, dot + 1, known.len), str_sub(name, dot + 1, name.len));
        if (dotted || str_eq(known, name))
            return true;
    }
    return false;
}
