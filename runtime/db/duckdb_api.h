/* duckdb_api.h - DuckDB's C functions as a table, filled by dlopen.
 *
 * Private to runtime/db. The library is loaded once per process and never unloaded. Where it comes
 * from, in this order: the file DGC_DUCKDB_LIB names; the payload that `dgc build` puts into a
 * pipeline; libduckdb.so beside the executable, or in lib/ beside it.
 */
#ifndef DGC_DUCKDB_API_H
#define DGC_DUCKDB_API_H

#include <duckdb.h>

#include "runtime/base/base.h"

#define DUCK_FUNCTIONS(X)                                                                       \
    X(open_ext) X(close) X(connect) X(disconnect) X(interrupt)                                  \
    X(create_config) X(set_config) X(destroy_config) X(library_version) X(free)                 \
    X(query) X(destroy_result) X(result_error) X(rows_changed) X(fetch_chunk)                   \
    X(extract_statements) X(extract_statements_error) X(destroy_extracted)                      \
    X(prepare_extracted_statement) X(prepare) X(prepare_error) X(destroy_prepare)               \
    X(prepared_statement_column_count) X(prepared_statement_column_name)                        \
    X(prepared_statement_column_logical_type) X(execute_prepared)                               \
    X(pending_prepared_streaming) X(pending_error) X(execute_pending) X(destroy_pending)        \
    X(pending_prepared) X(pending_execute_task)                                                 \
    X(data_chunk_get_vector) X(data_chunk_get_size) X(data_chunk_set_size)                      \
    X(destroy_data_chunk) X(vector_get_data) X(vector_get_validity)                             \
    X(vector_ensure_validity_writable)                                                          \
    X(create_logical_type) X(create_decimal_type) X(logical_type_set_alias)                     \
    X(logical_type_get_alias) X(get_type_id) X(decimal_width) X(decimal_scale)                  \
    X(destroy_logical_type)                                                                     \
    X(create_table_function) X(destroy_table_function) X(table_function_set_name)               \
    X(table_function_add_parameter) X(table_function_set_extra_info) X(table_function_set_bind) \
    X(table_function_set_init) X(table_function_set_local_init) X(table_function_set_function)  \
    X(register_table_function) X(bind_get_extra_info) X(bind_add_result_column)                 \
    X(bind_get_parameter) X(bind_set_bind_data) X(bind_set_error) X(init_get_bind_data)         \
    X(init_set_init_data) X(init_set_error) X(init_set_max_threads) X(function_get_bind_data)   \
    X(function_get_local_init_data) X(function_set_error) X(get_int64) X(destroy_value)         \
    X(create_int64) X(add_replacement_scan) X(replacement_scan_set_function_name)               \
    X(replacement_scan_add_parameter) X(prepared_statement_type)                                \
    X(list_type_child_type) X(array_type_child_type) X(array_type_array_size)                   \
    X(array_vector_get_child) X(create_list_type) X(list_vector_get_child)                      \
    X(list_vector_reserve) X(list_vector_set_size)                                              \
    X(map_type_key_type) X(map_type_value_type) X(struct_type_child_count)                      \
    X(struct_type_child_name) X(struct_type_child_type) X(union_type_member_count)              \
    X(union_type_member_name) X(union_type_member_type) X(enum_dictionary_size)                 \
    X(enum_dictionary_value)

typedef struct DuckApi {
#define X(name) __typeof__(duckdb_##name) *name;
    DUCK_FUNCTIONS(X)
#undef X
} DuckApi;

/* The table, loading the library at the first call. NULL and err when there is none. */
const DuckApi *duck_api(DgError *err);

#endif
