/* mysql_info.c - tables and columns of a MySQL server, and conditions that cut a table into parts. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/db/mysql_internal.h"
#include "runtime/db/value_parse.h"
#include "runtime/os/os.h"

enum { PART_ROWS_MIN = 50000 }; /* a part with fewer is not worth a connection */

static int64_t number_of(Str text)
{
    int64_t n;
    return text.ptr && str_to_int(text, &n) ? n : -1;
}

/* A schema pattern without wildcards is a name as the server compares names; `''` is the default. */
DgStatus my_tables(DgDb *base, Arena *a, Str schema, Str table, DgTableInfos *out, DgError *err)
{
    MysqlDb *db = (MysqlDb *)base;
    MysqlCells found;
    *out = (DgTableInfos){0};
    DG_TRY(my_cells(db, a, schema.len ? S("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS, DATA_LENGTH"
                                             " FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys',"
                                             " 'information_schema', 'performance_schema') ORDER BY 1, 2")
                                         : S("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS, DATA_LENGTH"
                                             " FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1, 2"),
                       &found, err));
    for (int32_t i = 0; i < found.rows; i++) {
        const Str *row = &found.cells[i * found.columns];
        if ((schema.len && !wild_match(schema, row[0])) || !wild_match(table, row[1]))
            continue;
        DgTableInfo info = {.name = {row[0], row[1]}, .is_view = str_find(row[2], S("VIEW")) >= 0,
                            .rows_estimate = number_of(row[3]), .bytes_estimate = number_of(row[4])};
        array_add(a, out, info);
    }
    return a->failed ? os_no_memory(err, "for the tables of a database") : DG_OK;
}

/* The types that a SELECT would find; MariaDB's JSON is told from LONGTEXT only there. */
static DgStatus types_of(MysqlDb *db, DgTableName name, DgDbColumn *columns, int32_t count, DgError *err)
{
    const MysqlApi *api = db->api;
    StrBuf sql = {.max = LIMIT_SQL_BYTES};
    buf_add(&sql, S("SELECT * FROM "));
    sql_table(&sql, &dg_dialect_mysql, name);
    buf_add(&sql, S(" LIMIT 0"));
    int rc = api->real_query(db->handle, sql.ptr, (unsigned long)sql.len);
    buf_free(&sql);
    MysqlResult *result = rc == 0 ? api->store_result(db->handle) : NULL;
    if (!result)
        return my_handle_fail(db, err);
    const MysqlField *fields = api->fetch_fields(result);
    for (unsigned f = 0; f < api->num_fields(result); f++)
        for (int32_t i = 0; i < count; i++)
            if (str_eq(columns[i].column.name, (Str){fields[f].name, (ptrdiff_t)fields[f].name_length}))
                columns[i].column.type = my_field_type(api, &fields[f]);
    api->free_result(result);
    return DG_OK;
}

static DgStatus show(MysqlDb *db, Arena *a, const char *what, DgTableName name, const char *rest, MysqlCells *out, DgError *err)
{
    StrBuf sql = {.max = LIMIT_SQL_BYTES};
    buf_add(&sql, str_from(what));
    sql_table(&sql, &dg_dialect_mysql, name);
    buf_add(&sql, str_from(rest));
    DgStatus status = my_cells(db, a, buf_str(&sql), out, err);
    buf_free(&sql);
    return status;
}

static DgStatus find_statistics(MysqlDb *db, Arena *a, DgTableInfo *out, DgError *err)
{
    MysqlCells found;
    StrBuf sql = {.max = LIMIT_SQL_BYTES};
    buf_add(&sql, S("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS, DATA_LENGTH FROM information_schema.TABLES"
                    " WHERE TABLE_SCHEMA = "));
    if (out->name.schema.len)
        dg_dialect_mysql.text(&sql, out->name.schema);
    else
        buf_add(&sql, S("DATABASE()"));
    buf_add(&sql, S(" AND TABLE_NAME = "));
    dg_dialect_mysql.text(&sql, out->name.table);
    DgStatus status = my_cells(db, a, buf_str(&sql), &found, err);
    buf_free(&sql);
    if (status != DG_OK || found.rows == 0) /* a temporary table is not there */
        return status;
    out->name = (DgTableName){found.cells[0], found.cells[1]};
    out->is_view = str_find(found.cells[2], S("VIEW")) >= 0;
    out->rows_estimate = number_of(found.cells[3]);
    out->bytes_estimate = number_of(found.cells[4]);
    return DG_OK;
}

/* SHOW also knows temporary tables, information_schema does not. */
DgStatus my_describe(DgDb *base, Arena *a, DgTableName name, DgTableInfo *out, DgError *err)
{
    MysqlDb *db = (MysqlDb *)base;
    MysqlCells found, keys;
    *out = (DgTableInfo){.name = {str_copy(a, name.schema), str_copy(a, name.table)}, .rows_estimate = -1, .bytes_estimate = -1};
    DgStatus status = show(db, a, "SHOW FULL COLUMNS FROM ", name, "", &found, err);
    if (status != DG_OK) {
        unsigned number = db->api->error_number(db->handle);
        return number == 1146 || number == 1049 || number == 1051 ? DG_END : status;
    }
    DgDbColumn *columns = push(a, DgDbColumn, found.rows);
    for (int32_t i = 0; columns && i < found.rows; i++) {
        const Str *row = &found.cells[i * found.columns];
        columns[i] = (DgDbColumn){.native = row[1], .column = {.name = row[0], .not_null = str_eq(row[3], S("NO"))}};
        if (!my_type_from(row[1], &columns[i].column.type))
            columns[i].column.type = (DgType){.kind = DG_TEXT};
    }
    out->columns = columns;
    out->columns_count = found.rows;
    if (a->failed)
        return os_no_memory(err, "for the columns of a table");
    DG_TRY(types_of(db, name, columns, found.rows, err));
    DG_TRY(find_statistics(db, a, out, err));
    if (out->is_view)
        return DG_OK;
    DG_TRY(show(db, a, "SHOW KEYS FROM ", name, " WHERE Key_name = 'PRIMARY'", &keys, err));
    Str *names = push(a, Str, keys.rows);
    if (!names)
        return os_no_memory(err, "for the columns of a table");
    for (int32_t i = 0; i < keys.rows; i++) { /* Table Non_unique Key_name Seq_in_index Column_name ... */
        int64_t at = number_of(keys.cells[i * keys.columns + 3]);
        if (at >= 1 && at <= keys.rows)
            names[at - 1] = keys.cells[i * keys.columns + 4];
    }
    out->primary_key = names;
    out->primary_key_count = keys.rows;
    return DG_OK;
}

DgStatus my_split(DgDb *base, Arena *a, DgTableName name, int32_t parts, StrArray *conditions, DgError *err)
{
    MysqlDb *db = (MysqlDb *)base;
    DgTableInfo info;
    MysqlCells range = {0};
    int64_t min = 0, max = -1;
    *conditions = (StrArray){0};
    DgStatus status = my_describe(base, a, name, &info, err);
    if (status == DG_END)
        return dg_fail(err, DG_FAILED, "there is no table `%.*s`", FMT(name.table));
    DG_TRY(status);
    if (parts > info.rows_estimate / PART_ROWS_MIN)
        parts = (int32_t)(info.rows_estimate / PART_ROWS_MIN);
    Str key = info.primary_key_count == 1 ? info.primary_key[0] : (Str){0};
    bool integer = false;
    for (int32_t i = 0; i < info.columns_count; i++)
        integer |= str_eq(info.columns[i].column.name, key) && value_is_integer(info.columns[i].column.type);
    StrBuf quoted = {0}, select = {0};
    if (parts > 1 && integer) {
        sql_name(&quoted, &dg_dialect_mysql, key);
        buf_format(&select, "SELECT MIN(%.*s), MAX(%.*s) FROM %c", FMT(buf_str(&quoted)), FMT(buf_str(&quoted)), 0);
        status = select.failed ? os_no_memory(err, "for the parts of a table")
                               : show(db, a, select.ptr, name, "", &range, err);
    }
    /* Unsigned keys past 63 bits do not parse: such a table stays in one part. */
    if (status == DG_OK && range.rows == 1 && range.cells[0].ptr &&
        (!str_to_int(range.cells[0], &min) || !str_to_int(range.cells[1], &max)))
        max = min - 1;
    if (status == DG_OK && (parts <= 1 || max < min || (uint64_t)max - (uint64_t)min < (uint64_t)parts)) {
        array_add(a, conditions, S("1=1"));
        parts = 0;
    }
    uint64_t step = parts > 0 ? ((uint64_t)max - (uint64_t)min) / (uint64_t)parts + 1 : 0;
    for (int32_t i = 0; status == DG_OK && i < parts; i++) { /* the ends are open */
        Str k = buf_str(&quoted);
        long long from = (long long)((uint64_t)min + step * (uint64_t)i), to = (long long)((uint64_t)min + step * ((uint64_t)i + 1));
        Str condition = i == 0           ? str_format(a, "%.*s < %lld", FMT(k), to)
                        : i == parts - 1 ? str_format(a, "%.*s >= %lld", FMT(k), from)
                                         : str_format(a, "%.*s >= %lld AND %.*s < %lld", FMT(k), from, FMT(k), to);
        array_add(a, conditions, condition);
    }
    buf_free(&quoted);
    buf_free(&select);
    return status == DG_OK && a->failed ? os_no_memory(err, "for the parts of a table") : status;
}
