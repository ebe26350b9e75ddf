/* sqlite_info.c - tables and columns of a SQLite file, and conditions that cut a table into parts. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/db/sqlite_internal.h"
#include "runtime/db/value_parse.h"
#include "runtime/os/os.h"

enum { PART_ROWS_MIN = 50000 }; /* a part with fewer is not worth a connection */

static bool is_ours(Str schema)
{
    return !schema.len || str_eq_nocase(schema, S("main")) || str_eq_nocase(schema, S("temp"));
}

static Str column_str(Arena *a, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text ? str_copy(a, (Str){text, sqlite3_column_bytes(stmt, column)}) : (Str){0};
}

/* One statement with one text parameter. */
static DgStatus start(SqliteDb *db, const char *sql, Str parameter, sqlite3_stmt **out, DgError *err)
{
    Str tail;
    DG_TRY(sqlite_cancelled(db, err));
    DG_TRY(sqlite_prepare(db, str_from(sql), out, &tail, err));
    sqlite3_bind_text(*out, 1, parameter.len ? parameter.ptr : "", (int)parameter.len, SQLITE_STATIC);
    return DG_OK;
}

static DgStatus finish(SqliteDb *db, sqlite3_stmt *stmt, int rc, const Arena *a, DgError *err)
{
    DgStatus status = rc == SQLITE_DONE ? DG_OK : sqlite_fail(db, err, "read the tables of");
    sqlite3_finalize(stmt);
    return status == DG_OK && a->failed ? os_no_memory(err, "for the tables of a database") : status;
}

DgStatus sqlite_tables(DgDb *base, Arena *a, Str schema, Str table, DgTableInfos *out, DgError *err)
{
    SqliteDb *db = (SqliteDb *)base;
    sqlite3_stmt *stmt;
    int rc;
    *out = (DgTableInfos){0};
    if (schema.len && !wild_match(schema, S("main")))
        return DG_OK;
    DG_TRY(start(db, "SELECT name, type FROM main.sqlite_schema WHERE type IN ('table', 'view')"
                     " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND ?1 IS NOT NULL ORDER BY name", S(""), &stmt, err));
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        Str name = {(const char *)sqlite3_column_text(stmt, 0), sqlite3_column_bytes(stmt, 0)};
        if (!wild_match(table, name))
            continue;
        DgTableInfo info = {.rows_estimate = -1, .bytes_estimate = -1, .name = {S("main"), column_str(a, stmt, 0)}};
        info.is_view = str_eq(str_from((const char *)sqlite3_column_text(stmt, 1)), S("view"));
        array_add(a, out, info);
    }
    return finish(db, stmt, rc, a, err);
}

/* ---- The range of row ids ---- */

typedef struct Range {
    bool has_rowid;      /* a table with row ids that SQL can name */
    const char *rowid;   /* a name of them that no column has taken */
    bool empty;
    int64_t min, max;
} Range;

static DgStatus find_range(SqliteDb *db, const DgTableInfo *t, Range *out, DgError *err)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    sqlite3_stmt *stmt;
    Str tail;
    *out = (Range){0};
    DG_TRY(start(db, "SELECT 1 FROM pragma_table_list(?1) WHERE type = 'table' AND wr = 0", t->name.table, &stmt, err));
    out->has_rowid = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    for (size_t n = 0; n < 3 && !out->rowid; n++) {
        bool taken = false;
        for (int32_t i = 0; i < t->columns_count; i++)
            taken |= str_eq_nocase(t->columns[i].column.name, str_from(names[n]));
        if (!taken)
            out->rowid = names[n];
    }
    if (!out->has_rowid || !out->rowid) {
        out->has_rowid = false;
        return DG_OK;
    }
    StrBuf sql = {.max = LIMIT_SQL_BYTES}; /* two lookups; min and max in one would read all rows */
    buf_format(&sql, "SELECT (SELECT min(%s) FROM ", out->rowid);
    sql_table(&sql, &dg_dialect_sqlite, t->name);
    buf_format(&sql, "), (SELECT max(%s) FROM ", out->rowid);
    sql_table(&sql, &dg_dialect_sqlite, t->name);
    buf_char(&sql, ')');
    DgStatus status = sqlite_prepare(db, buf_str(&sql), &stmt, &tail, err);
    buf_free(&sql);
    DG_TRY(status);
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        status = sqlite_fail(db, err, "read from");
    } else {
        out->empty = sqlite3_column_type(stmt, 0) == SQLITE_NULL;
        out->min = sqlite3_column_int64(stmt, 0);
        out->max = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return status;
}

/* An upper bound: deleted rows leave gaps. */
static int64_t range_rows(const Range *r)
{
    uint64_t span = (uint64_t)r->max - (uint64_t)r->min;
    return r->empty ? 0 : span >= INT64_MAX ? INT64_MAX : (int64_t)span + 1;
}

/* ---- Columns ---- */

typedef struct KeyPart {
    int position;
    Str name;
} KeyPart;

static int by_position(const void *a, const void *b)
{
    return ((const KeyPart *)a)->position - ((const KeyPart *)b)->position;
}

static DgStatus read_columns(SqliteDb *db, Arena *a, DgTableInfo *out, bool *unknown, DgError *err)
{
    Array(DgDbColumn) columns = {0};
    Array(KeyPart) keys = {0};
    sqlite3_stmt *stmt;
    int rc;
    /* hidden: 1 is a virtual table's own, 2 and 3 are generated columns, which SELECT * has too. */
    DG_TRY(start(db, "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid",
                 out->name.table, &stmt, err));
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        DgDbColumn c = {.native = column_str(a, stmt, 1)};
        c.column.name = column_str(a, stmt, 0);
        c.column.not_null = sqlite3_column_int(stmt, 2) != 0;
        c.column.type.kind = DG_TEXT;
        *unknown |= !sqlite_type_from(c.native, &c.column.type);
        if (sqlite3_column_int(stmt, 3) > 0)
            array_add(a, &keys, ((KeyPart){sqlite3_column_int(stmt, 3), c.column.name}));
        array_add(a, &columns, c);
    }
    DG_TRY(finish(db, stmt, rc, a, err));
    if (keys.count)
        qsort(keys.items, keys.count, sizeof *keys.items, by_position);
    Str *names = push(a, Str, keys.count);
    if (!names)
        return os_no_memory(err, "for the columns of a table");
    for (size_t i = 0; i < keys.count; i++)
        names[i] = keys.items[i].name;
    /* The one column that is the row id itself; other keys may be NULL in SQLite. */
    if (keys.count == 1)
        for (size_t i = 0; i < columns.count; i++)
            columns.items[i].column.not_null |= str_eq(columns.items[i].column.name, names[0]) &&
                                                str_eq_nocase(columns.items[i].native, S("integer"));
    out->columns = columns.items;
    out->columns_count = (int32_t)columns.count;
    out->primary_key = names;
    out->primary_key_count = (int32_t)keys.count;
    return DG_OK;
}

/* Types of columns that declare none: as a SELECT of the table finds them. */
static DgStatus sample_types(SqliteDb *db, DgTableInfo *t, DgError *err)
{
    DgRows *rows;
    StrBuf sql = {.max = LIMIT_SQL_BYTES};
    buf_add(&sql, S("SELECT * FROM "));
    sql_table(&sql, &dg_dialect_sqlite, t->name);
    DgStatus status = sqlite_query(&db->base, buf_str(&sql), &rows, err);
    buf_free(&sql);
    DG_TRY(status);
    DgDbColumn *columns = (DgDbColumn *)t->columns;
    for (int32_t i = 0; i < t->columns_count && i < rows->columns_count; i++)
        columns[i].column.type = rows->columns[i].type;
    rows_close(rows);
    return DG_OK;
}

DgStatus sqlite_describe(DgDb *base, Arena *a, DgTableName name, DgTableInfo *out, DgError *err)
{
    SqliteDb *db = (SqliteDb *)base;
    sqlite3_stmt *stmt;
    bool unknown = false;
    *out = (DgTableInfo){.rows_estimate = -1, .bytes_estimate = -1};
    if (!is_ours(name.schema))
        return DG_END;
    DG_TRY(start(db, "SELECT name, type, schema FROM pragma_table_list(?1) ORDER BY schema <> 'temp'", name.table, &stmt, err));
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        out->name = (DgTableName){column_str(a, stmt, 2), column_str(a, stmt, 0)};
        out->is_view = str_eq(str_from((const char *)sqlite3_column_text(stmt, 1)), S("view"));
    }
    DG_TRY(finish(db, stmt, rc == SQLITE_ROW ? SQLITE_DONE : rc, a, err));
    if (rc != SQLITE_ROW)
        return DG_END;
    DG_TRY(read_columns(db, a, out, &unknown, err));
    if (unknown)
        DG_TRY(sample_types(db, out, err));
    if (out->is_view)
        return DG_OK;
    Range range;
    DG_TRY(find_range(db, out, &range, err));
    if (range.has_rowid)
        out->rows_estimate = range_rows(&range);
    return DG_OK;
}

DgStatus sqlite_split(DgDb *base, Arena *a, DgTableName name, int32_t parts, StrArray *conditions, DgError *err)
{
    SqliteDb *db = (SqliteDb *)base;
    DgTableInfo info;
    Range range = {0};
    *conditions = (StrArray){0};
    DgStatus status = sqlite_describe(base, a, name, &info, err);
    if (status == DG_END)
        return dg_fail(err, DG_FAILED, "there is no table `%.*s` in `%s`", FMT(name.table), db->path);
    DG_TRY(status);
    if (!info.is_view)
        DG_TRY(find_range(db, &info, &range, err));
    int64_t rows = range.has_rowid ? range_rows(&range) : 0;
    if (parts > rows / PART_ROWS_MIN)
        parts = (int32_t)(rows / PART_ROWS_MIN);
    if (parts <= 1) {
        array_add(a, conditions, S("1=1"));
        return a->failed ? os_no_memory(err, "for the parts of a table") : DG_OK;
    }
    uint64_t step = ((uint64_t)range.max - (uint64_t)range.min) / (uint64_t)parts + 1;
    for (int32_t i = 0; i < parts; i++) { /* the ends are open: rows that came meanwhile are in one too */
        long long from = (long long)((uint64_t)range.min + step * (uint64_t)i);
        long long to = (long long)((uint64_t)range.min + step * ((uint64_t)i + 1));
        Str condition = i == 0           ? str_format(a, "%s < %lld", range.rowid, to)
                        : i == parts - 1 ? str_format(a, "%s >= %lld", range.rowid, from)
                                         : str_format(a, "%s >= %lld AND %s < %lld", range.rowid, from, range.rowid, to);
        array_add(a, conditions, condition);
    }
    return a->failed ? os_no_memory(err, "for the parts of a table") : DG_OK;
}
