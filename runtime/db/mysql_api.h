/* mysql_api.h - the functions of a MySQL client library that are used, loaded at run time. The library
 * is not linked: its licence is not ours, and most pipelines need none. The structures are those that
 * libmariadb (3.1 and later) and libmysqlclient (8.0 and later) have in common. Private to runtime/db. */
#ifndef DGC_MYSQL_API_H
#define DGC_MYSQL_API_H

#include "runtime/base/base.h"

typedef struct MysqlHandle MysqlHandle;
typedef struct MysqlResult MysqlResult;
typedef struct MysqlStatement MysqlStatement;

enum { /* types of fields and of bound buffers */
    MY_DECIMAL = 0, MY_TINY = 1, MY_SHORT = 2, MY_LONG = 3, MY_FLOAT = 4, MY_DOUBLE = 5, MY_NULL = 6,
    MY_TIMESTAMP = 7, MY_LONGLONG = 8, MY_INT24 = 9, MY_DATE = 10, MY_TIME = 11, MY_DATETIME = 12, MY_YEAR = 13,
    MY_VARCHAR = 15, MY_BIT = 16, MY_JSON = 245, MY_NEWDECIMAL = 246, MY_ENUM = 247, MY_SET = 248,
    MY_TINY_BLOB = 249, MY_MEDIUM_BLOB = 250, MY_LONG_BLOB = 251, MY_BLOB = 252, MY_VAR_STRING = 253,
    MY_STRING = 254, MY_GEOMETRY = 255,
};
enum { MY_FLAG_NOT_NULL = 1, MY_FLAG_UNSIGNED = 32, MY_CHARSET_BINARY = 63 };
enum { MY_FOUND_ROWS = 2, MY_LOCAL_FILES = 128, MY_MULTI_STATEMENTS = 65536 }; /* flags of a connection */
enum { /* options with the same number in all libraries */
    MY_OPT_CONNECT_TIMEOUT = 0, MY_OPT_CHARSET = 7, MY_OPT_LOCAL_INFILE = 8,
};
enum { MY_FETCH_END = 100, MY_FETCH_CUT = 101 };

typedef struct MysqlField {
    char *name, *original_name, *table, *original_table, *database, *catalog, *preset;
    unsigned long length, max_length;
    unsigned name_length, original_name_length, table_length, original_table_length, database_length,
        catalog_length, preset_length;
    unsigned flags, decimals, charset, type;
    void *extension;
} MysqlField;

typedef struct MysqlBind {
    unsigned long *length;
    char *is_null;
    void *buffer;
    char *error;
    unsigned char *row;
    void *functions[3];
    unsigned long buffer_length, offset, length_value;
    unsigned number, pack_length, buffer_type;
    char error_value, is_unsigned, long_data_used, is_null_value;
    void *extension;
} MysqlBind;

typedef struct MysqlTime {
    unsigned year, month, day, hour, minute, second;
    unsigned long microsecond;
    char negative;
    int kind, zone;
} MysqlTime;

typedef struct MysqlText { /* as mariadb_field_attr gives it */
    const char *ptr;
    size_t len;
} MysqlText;

#define MYSQL_FUNCTIONS(X)                                                                                   \
    X(MysqlHandle *, init, (MysqlHandle *))                                                                  \
    X(int, options, (MysqlHandle *, int option, const void *value))                                          \
    X(MysqlHandle *, real_connect, (MysqlHandle *, const char *host, const char *user, const char *password, \
                                    const char *database, unsigned port, const char *socket, unsigned long)) \
    X(void, close, (MysqlHandle *))                                                                          \
    X(const char *, error, (MysqlHandle *))                                                                  \
    X(const char *, get_server_info, (MysqlHandle *))                                                        \
    X(const char *, get_ssl_cipher, (MysqlHandle *))                                                         \
    X(unsigned long, thread_id, (MysqlHandle *))                                                             \
    X(int, real_query, (MysqlHandle *, const char *sql, unsigned long bytes))                                \
    X(MysqlResult *, use_result, (MysqlHandle *))                                                            \
    X(MysqlResult *, store_result, (MysqlHandle *))                                                          \
    X(void, free_result, (MysqlResult *))                                                                    \
    X(int, next_result, (MysqlHandle *))                                                                     \
    X(unsigned, num_fields, (MysqlResult *))                                                                 \
    X(MysqlField *, fetch_fields, (MysqlResult *))                                                           \
    X(char **, fetch_row, (MysqlResult *))                                                                   \
    X(unsigned long *, fetch_lengths, (MysqlResult *))                                                       \
    X(unsigned, field_count, (MysqlHandle *))                                                                \
    X(unsigned long long, affected_rows, (MysqlHandle *))                                                    \
    X(unsigned, warning_count, (MysqlHandle *))                                                              \
    X(void, set_local_infile_handler,                                                                        \
      (MysqlHandle *, int (*open)(void **, const char *, void *), int (*read)(void *, char *, unsigned),     \
       void (*end)(void *), int (*error)(void *, char *, unsigned), void *context))                          \
    X(MysqlStatement *, stmt_init, (MysqlHandle *))                                                          \
    X(int, stmt_prepare, (MysqlStatement *, const char *sql, unsigned long bytes))                           \
    X(unsigned long, stmt_param_count, (MysqlStatement *))                                                   \
    X(int, stmt_execute, (MysqlStatement *))                                                                 \
    X(MysqlResult *, stmt_result_metadata, (MysqlStatement *))                                               \
    X(char, stmt_bind_result, (MysqlStatement *, MysqlBind *))                                               \
    X(int, stmt_fetch, (MysqlStatement *))                                                                   \
    X(int, stmt_fetch_column, (MysqlStatement *, MysqlBind *, unsigned column, unsigned long offset))        \
    X(unsigned, stmt_errno, (MysqlStatement *))                                                              \
    X(const char *, stmt_error, (MysqlStatement *))                                                          \
    X(char, stmt_close, (MysqlStatement *))                                                                  \
    X(int, server_init, (int, char **, char **))                                                             \
    X(char, thread_init, (void))

typedef struct MysqlApi {
#define X(result, name, parameters) result (*name) parameters;
    MYSQL_FUNCTIONS(X)
#undef X
    unsigned (*error_number)(MysqlHandle *); /* mysql_errno; `errno` is a macro */
    char (*ssl_set)(MysqlHandle *, const char *key, const char *cert, const char *ca, const char *folder, const char *cipher);
    /* MariaDB's only; NULL elsewhere. */
    int (*field_attribute)(MysqlText *out, const MysqlField *, int which); /* 0: type's name, 1: format */
    bool mariadb;
} MysqlApi;

/* Loads the library once. DG_CONFIG names the package to install. */
DgStatus my_api(const MysqlApi **out, DgError *err);

#endif
