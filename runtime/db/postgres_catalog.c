/* postgres_catalog.c - what is in a database: tables, columns, keys, sizes, physical parts. */
#include <stdio.h>

#include "runtime/db/postgres_internal.h"
#include "runtime/db/value_parse.h"
#include "runtime/os/os.h"

void pg_add_regclass(StrBuf *b, DgTableName name)
{
    StrBuf quoted = {.max = 4096};
    sql_table(&quoted, &dg_dialect_postgres, name);
    buf_add(b, S("pg_catalog.to_regclass("));
    dg_dialect_postgres.text(b, buf_str(&quoted));
    buf_char(b, ')');
    buf_free(&quoted);
}

static DgStatus select_buf(Pg *pg, StrBuf *b, PGresult **out, DgError *err)
{
    buf_char(b, '\0');
    return b->failed ? os_no_memory(err, "making SQL") : pg_select(pg, b->ptr, out, err);
}

static Str cell(Arena *a, const PGresult *r, int row, int column)
{
    return str_copy(a, (Str){PQgetvalue(r, row, column), PQgetlength(r, row, column)});
}

static int64_t number(const PGresult *r, int row, int column)
{
    double d = 0;
    return str_to_double(str_from(PQgetvalue(r, row, column)), &d) ? (int64_t)d : -1;
}

DgStatus pg_tables(DgDb *db, Arena *a, Str schema, Str table, DgTableInfos *out, DgError *err)
{
    PGresult *r;
    Pg *pg = (Pg *)db;
    Str current = {0};
    if (!schema.len) {
        DG_TRY(db_text(db, a, S("SELECT pg_catalog.current_schema()"), &current, err));
        schema = current;
    }
    DG_TRY(pg_select(pg,
                     "SELECT n.nspname, c.relname, c.relkind, c.reltuples, pg_catalog.pg_table_size(c.oid) FROM pg_catalog.pg_class c"
                     " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f')"
                     " AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'"
                     " AND c.relname !~ '^_dgc_' ORDER BY 1, 2",
                     &r, err));
    for (int i = 0; i < PQntuples(r); i++) {
        DgTableInfo t = {.name = {cell(a, r, i, 0), cell(a, r, i, 1)}};
        char kind = *PQgetvalue(r, i, 2);
        if (!wild_match(schema, t.name.schema) || !wild_match(table, t.name.table))
            continue;
        t.is_view = kind == 'v' || kind == 'm';
        t.rows_estimate = kind == 'v' ? -1 : number(r, i, 3);
        t.bytes_estimate = number(r, i, 4);
        array_add(a, out, t);
    }
    PQclear(r);
    return DG_OK;
}

static DgStatus read_columns(Pg *pg, Arena *a, DgTableName name, DgTableInfo *out, DgError *err)
{
    PGresult *r;
    StrBuf b = {.max = 64 << 10};
    buf_add(&b, S("SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE"
                  " a.atttypid END, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, t.typcategory FROM pg_catalog.pg_attribute a"
                  " JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE a.attrelid = "));
    pg_add_regclass(&b, name);
    buf_add(&b, S(" AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"));
    DgStatus status = select_buf(pg, &b, &r, err);
    buf_free(&b);
    DG_TRY(status);
    int n = PQntuples(r);
    DgDbColumn *columns = push(a, DgDbColumn, n + 1);
    for (int i = 0; i < n; i++) {
        int64_t oid = 0, modifier = -1;
        char category = *PQgetvalue(r, i, 5);
        columns[i].column.name = cell(a, r, i, 0);
        columns[i].native = cell(a, r, i, 1);
        columns[i].column.not_null = *PQgetvalue(r, i, 2) == 't';
        str_to_int(str_from(PQgetvalue(r, i, 3)), &oid);
        str_to_int(str_from(PQgetvalue(r, i, 4)), &modifier);
        if (!pg_native_type((Oid)oid, (int)modifier, &columns[i].column.type))
            columns[i].column.type = (DgType){category == 'A' || category == 'C' ? DG_JSON : DG_TEXT, 0, 0};
    }
    PQclear(r);
    out->columns = columns;
    out->columns_count = n;
    return DG_OK;
}

static DgStatus read_key(Pg *pg, Arena *a, DgTableName name, DgTableInfo *out, DgError *err)
{
    PGresult *r;
    StrBuf b = {.max = 64 << 10};
    buf_add(&b, S("SELECT a.attname FROM pg_catalog.pg_index i, pg_catalog.unnest(i.indkey) WITH ORDINALITY k(attnum, place), pg_catalog.pg_attribute a"
                  " WHERE i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = k.attnum AND i.indrelid = "));
    pg_add_regclass(&b, name);
    buf_add(&b, S(" ORDER BY k.place"));
    DgStatus status = select_buf(pg, &b, &r, err);
    buf_free(&b);
    DG_TRY(status);
    Str *keys = push(a, Str, PQntuples(r) + 1);
    for (int i = 0; i < PQntuples(r); i++)
        keys[i] = cell(a, r, i, 0);
    out->primary_key = keys;
    out->primary_key_count = PQntuples(r);
    PQclear(r);
    return DG_OK;
}

DgStatus pg_describe(DgDb *db, Arena *a, DgTableName name, DgTableInfo *out, DgError *err)
{
    PGresult *r;
    Pg *pg = (Pg *)db;
    StrBuf b = {.max = 64 << 10};
    buf_add(&b, S("SELECT n.nspname, c.relname, c.relkind, c.reltuples, pg_catalog.pg_table_size(c.oid) FROM pg_catalog.pg_class c"
                  " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND c.oid = "));
    pg_add_regclass(&b, name);
    DgStatus status = select_buf(pg, &b, &r, err);
    buf_free(&b);
    DG_TRY(status);
    bool there = PQntuples(r) == 1;
    if (there) {
        char kind = *PQgetvalue(r, 0, 2);
        *out = (DgTableInfo){.name = {cell(a, r, 0, 0), cell(a, r, 0, 1)}, .is_view = kind == 'v' || kind == 'm',
                             .rows_estimate = kind == 'v' ? -1 : number(r, 0, 3), .bytes_estimate = number(r, 0, 4)};
    }
    PQclear(r);
    if (!there)
        return DG_END;
    DG_TRY(read_columns(pg, a, name, out, err));
    return read_key(pg, a, name, out, err);
}

/* Ranges of physical pages: each part is read once by a TID range scan (PostgreSQL 14 and later). */
DgStatus pg_split(DgDb *db, Arena *a, DgTableName name, int32_t parts, StrArray *conditions, DgError *err)
{
    PGresult *r;
    Pg *pg = (Pg *)db;
    StrBuf b = {.max = 64 << 10};
    buf_add(&b, S("SELECT pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint FROM pg_catalog.pg_class c WHERE c.relkind = 'r'"
                  " AND c.oid = "));
    pg_add_regclass(&b, name);
    DgStatus status = select_buf(pg, &b, &r, err);
    buf_free(&b);
    DG_TRY(status);
    int64_t pages = PQntuples(r) ? number(r, 0, 0) : 0;
    PQclear(r);
    if (pages < parts * 64 || db->version < 140000 || parts < 2) {
        array_add(a, conditions, S("1=1"));
        return DG_OK;
    }
    for (int32_t i = 0; i < parts; i++) {
        long long first = pages * i / parts, last = pages * (i + 1) / parts;
        Str condition = i == 0           ? str_format(a, "ctid < '(%lld,0)'::tid", last)
                        : i == parts - 1 ? str_format(a, "ctid >= '(%lld,0)'::tid", first)
                                         : str_format(a, "ctid >= '(%lld,0)'::tid AND ctid < '(%lld,0)'::tid", first, last);
        array_add(a, conditions, condition);
    }
    return DG_OK;
}
