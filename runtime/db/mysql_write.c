/* mysql_write.c - rows into a table: what goes into which column, the checks that the server does not
 * make, and multi-row INSERTs for servers that take no LOAD DATA LOCAL. */
#include <math.h>
#include <stdio.h>

#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/db/mysql_write.h"
#include "runtime/db/value_parse.h"
#include "runtime/os/os.h"

enum { STATEMENT_BYTES = 1 << 20 };

/* ---- What goes where ---- */

static MysqlHow natural(DgType type)
{
    switch ((DgTypeKind)type.kind) {
    case DG_TEXT: case DG_JSON: return MYSQL_TEXT;
    case DG_BINARY: return MYSQL_BYTES;
    case DG_DATE: case DG_TIME: case DG_TIMESTAMP: case DG_TIMESTAMPTZ: case DG_INTERVAL: case DG_UUID: return MYSQL_WORDS;
    default: return MYSQL_NUMBER;
    }
}

static bool is_instant(DgTypeKind k)
{
    return k == DG_TIMESTAMP || k == DG_TIMESTAMPTZ;
}

static bool is_float(DgTypeKind k)
{
    return k == DG_FLOAT32 || k == DG_FLOAT64;
}

static DgStatus plan_column(MysqlTarget *t, Str native, DgError *err)
{
    DgTypeKind from = (DgTypeKind)t->from.kind, to = (DgTypeKind)t->column.type.kind;
    char words[64];
    int64_t n[2];
    int count = native_parts(native, words, sizeof words, n);
    Str name = str_from(words);
    t->is_bit = str_eq(name, S("bit"));
    t->is_geometry = str_eq(name, S("geometry")) || str_eq(name, S("point")) || str_eq(name, S("linestring")) ||
                     str_eq(name, S("polygon")) || str_starts(name, S("multi")) || str_starts(name, S("geom"));
    t->unit_us = 1;
    if (str_eq(name, S("datetime")) || str_eq(name, S("timestamp")) || str_eq(name, S("time")))
        for (int64_t digits = count ? n[0] : 0; digits < 6; digits++)
            t->unit_us *= 10;
    t->how = natural(t->from);
    if ((from == DG_BINARY) != (to == DG_BINARY) && !(t->how == MYSQL_TEXT && to == DG_BINARY))
        return dg_fail(err, DG_DATA, "column `%.*s` is %s in the table, but the rows have %s", FMT(t->column.name),
                       dg_type_name(to), dg_type_name(from));
    if (to == DG_BINARY) {
        t->how = MYSQL_BYTES;
        return DG_OK;
    }
    if (to == DG_TEXT && t->how == MYSQL_NUMBER)
        t->how = MYSQL_WORDS; /* else TRUE in a statement would be 1 */
    bool integers = (value_is_integer(t->from) || from == DG_BOOL) && value_is_integer(t->column.type);
    bool texts = to == DG_TEXT || (to == DG_JSON && t->how == MYSQL_TEXT);
    bool same = from == to && from != DG_DECIMAL;
    bool instants = is_instant(from) && is_instant(to);
    bool decimals = from == DG_DECIMAL && to == DG_DECIMAL && t->from.scale <= t->column.type.scale;
    bool widened = from == DG_FLOAT32 && to == DG_FLOAT64;
    if (integers || texts || same || instants || decimals || widened)
        return DG_OK;
    t->converted = true;
    t->how = natural(t->column.type);
    return dg_batch_init(&t->scratch, &t->column, 1, 1, err);
}

static DgStatus find_targets(MysqlInsert *in, DgError *err)
{
    DgTableInfo info;
    DgStatus status = my_describe(&in->db->base, &in->arena, in->to, &info, err);
    if (status == DG_END)
        return dg_fail(err, DG_FAILED, "there is no table `%.*s`", FMT(in->to.table));
    DG_TRY(status);
    in->count = in->from->columns_count;
    in->targets = push(&in->arena, MysqlTarget, in->count);
    if (!in->targets)
        return os_no_memory(err, "for the columns of a table");
    for (int32_t i = 0; i < in->count; i++) {
        MysqlTarget *t = &in->targets[i];
        const DgDbColumn *found = NULL;
        for (int32_t k = 0; k < info.columns_count; k++)
            if (str_eq_nocase(info.columns[k].column.name, in->from->columns[i].name))
                found = &info.columns[k];
        if (!found)
            return dg_fail(err, DG_DATA, "table `%.*s` has no column `%.*s`", FMT(in->to.table), FMT(in->from->columns[i].name));
        t->column = found->column;
        t->from = in->from->columns[i].type;
        DG_TRY(plan_column(t, found->native, err));
    }
    return DG_OK;
}

/* ---- Rows and values ---- */

DgStatus my_next_row(MysqlInsert *in, DgError *err)
{
    while (in->row == in->batch.rows) {
        if (in->ended)
            return DG_END;
        DgStatus status = in->from->next(in->from, &in->batch, err);
        if (status != DG_OK && status != DG_END)
            return status;
        in->ended = status == DG_END;
        in->row = 0;
    }
    return DG_OK;
}

/* Instants and times are written without a zone, and never finer than the column. */
static DgStatus instant_text(MysqlInsert *in, const MysqlTarget *t, DgType type, const DgVector *v, int32_t row, DgError *err)
{
    int64_t us = ((const int64_t *)v->values)[row];
    DgType plain = type.kind == DG_TIME ? type : (DgType){.kind = DG_TIMESTAMP};
    char quick[32];
    int n = plain.kind == DG_TIMESTAMP ? value_quick_timestamp(quick, us, false) : 0;
    if (n)
        buf_add(&in->text, (Str){quick, n});
    else
        value_write_text(&in->text, v, plain, row);
    if (us % t->unit_us && us != INT64_MAX && us != -INT64_MAX && value_is_bytes(t->column.type) == false) {
        dg_fail(err, DG_DATA, "column `%.*s` does not keep fractions as fine as those of `%.*s`", FMT(t->column.name),
                FMT(buf_str(&in->text)));
        dg_hint(err, "declare it with six digits: DATETIME(6), TIMESTAMP(6), TIME(6)");
        return DG_DATA;
    }
    return DG_OK;
}

static DgStatus plain_text(MysqlInsert *in, const MysqlTarget *t, DgType type, const DgVector *v, int32_t row, DgError *err)
{
    if (type.kind == DG_BOOL && t->column.type.kind != DG_TEXT) {
        buf_char(&in->text, ((const uint8_t *)v->values)[row] ? '1' : '0');
        return DG_OK;
    }
    if ((is_instant((DgTypeKind)type.kind) && t->column.type.kind != DG_TEXT) || type.kind == DG_TIME)
        return instant_text(in, t, type, v, row, err);
    if (is_float((DgTypeKind)type.kind)) {
        double d = type.kind == DG_FLOAT32 ? (double)((const float *)v->values)[row] : ((const double *)v->values)[row];
        if (!isfinite(d) && t->column.type.kind != DG_TEXT)
            return dg_fail(err, DG_DATA, "column `%.*s` cannot hold %s: MySQL has none", FMT(t->column.name),
                           isnan(d) ? "NaN" : "an infinity");
    }
    if (type.kind == DG_BINARY || value_is_bytes(type))
        buf_add(&in->text, dg_text_get(v, row));
    else
        value_write_text(&in->text, v, type, row);
    return DG_OK;
}

static DgStatus converted_text(MysqlInsert *in, const MysqlTarget *t, const DgVector *v, int32_t row, DgError *err)
{
    DgBatch *scratch = (DgBatch *)&t->scratch;
    DgTypeKind to = (DgTypeKind)t->column.type.kind;
    dg_batch_reset(scratch);
    value_write_text(&in->text, v, t->from, row);
    Str value = buf_str(&in->text), whole, fraction;
    if (value_is_integer(t->column.type) && str_cut(value, '.', &whole, &fraction)) { /* `42.00` is an integer */
        while (str_ends(fraction, S("0")))
            fraction.len--;
        value = fraction.len ? value : whole;
    }
    DG_TRY(value_parse(&scratch->vectors[0], 0, &t->column, value, err));
    if (is_float(to)) { /* the nearest one only when that is what was written */
        DgType exact = t->from;
        DgColumn back = {.name = t->column.name, .type = exact};
        DgBatch again;
        StrBuf text = {.max = 400};
        bool same = true;
        value_write_text(&text, &scratch->vectors[0], t->column.type, 0);
        if (exact.kind != DG_TEXT && exact.kind != DG_JSON) {
            DG_TRY(dg_batch_init(&again, &back, 1, 1, err));
            Str shown = buf_str(&text);
            if (value_is_integer(exact) && str_ends(shown, S(".0")))
                shown.len -= 2;
            same = value_parse(&again.vectors[0], 0, &back, shown, NULL) == DG_OK &&
                   value_compare(&again.vectors[0], 0, v, row, exact) == 0;
            dg_batch_release(&again);
        }
        buf_free(&text);
        if (!same)
            return value_refused(&t->column, value, err);
    }
    in->text.len = 0;
    return plain_text(in, t, t->column.type, &scratch->vectors[0], 0, err);
}

DgStatus my_value_text(MysqlInsert *in, const MysqlTarget *t, const DgVector *v, int32_t row, bool *null, DgError *err)
{
    in->text.len = 0;
    *null = !DG_VALID(v, row);
    if (*null)
        return DG_OK;
    DG_TRY(t->converted ? converted_text(in, t, v, row, err) : plain_text(in, t, t->from, v, row, err));
    return in->text.failed ? os_no_memory(err, "for a value to insert") : DG_OK;
}

/* ---- Warnings ---- */

DgStatus my_check_warnings(MysqlInsert *in, DgError *err)
{
    MysqlCells found;
    if (!in->db->api->warning_count(in->db->handle))
        return DG_OK;
    DG_TRY(my_cells(in->db, &in->arena, S("SHOW WARNINGS"), &found, err));
    for (int32_t i = 0; i < found.rows && found.columns >= 3; i++) {
        const Str *row = &found.cells[i * found.columns]; /* Level Code Message */
        bool harmless = str_eq(row[1], S("1287")) || str_eq(row[1], S("1681")) || str_eq(row[1], S("1051"));
        if (!harmless)
            return dg_fail(err, DG_DATA, "table `%.*s`: %.*s (error %.*s)", FMT(in->to.table), FMT(row[2]), FMT(row[1]));
    }
    return DG_OK;
}

/* ---- INSERT ---- */

static DgStatus add_value(MysqlInsert *in, StrBuf *sql, const MysqlTarget *t, const DgVector *v, DgError *err)
{
    bool null;
    DG_TRY(my_value_text(in, t, v, in->row, &null, err));
    Str text = buf_str(&in->text);
    if (null) {
        buf_add(sql, S("NULL"));
    } else if (t->how == MYSQL_BYTES) {
        buf_add(sql, S("x'"));
        for (ptrdiff_t i = 0; i < text.len; i++)
            buf_format(sql, "%02x", (unsigned char)text.ptr[i]);
        buf_char(sql, '\'');
    } else if (t->is_geometry) {
        buf_add(sql, S("ST_GeomFromText("));
        dg_dialect_mysql.text(sql, text);
        buf_char(sql, ')');
    } else if (t->how == MYSQL_NUMBER) {
        buf_add(sql, text);
    } else {
        dg_dialect_mysql.text(sql, text);
    }
    return DG_OK;
}

static DgStatus send_rows(MysqlInsert *in, StrBuf *sql, DgError *err)
{
    if (sql->failed)
        return os_no_memory(err, "for rows to insert");
    DG_TRY(my_exec(&in->db->base, buf_str(sql), NULL, err));
    return my_check_warnings(in, err);
}

static DgStatus insert_rows(MysqlInsert *in, DgError *err)
{
    StrBuf sql = {0};
    DgStatus status;
    size_t limit = in->db->packet_max / 2 < STATEMENT_BYTES ? (size_t)in->db->packet_max / 2 : STATEMENT_BYTES, head;
    buf_add(&sql, S("INSERT INTO "));
    sql_table(&sql, &dg_dialect_mysql, in->to);
    for (int32_t i = 0; i < in->count; i++) {
        buf_add(&sql, i ? S(",") : S(" ("));
        sql_name(&sql, &dg_dialect_mysql, in->targets[i].column.name);
    }
    buf_add(&sql, S(") VALUES "));
    head = sql.len;
    while ((status = my_next_row(in, err)) == DG_OK) {
        buf_add(&sql, sql.len == head ? S("(") : S(",("));
        for (int32_t i = 0; i < in->count && status == DG_OK; i++) {
            buf_add(&sql, i ? S(",") : S(""));
            status = add_value(in, &sql, &in->targets[i], &in->batch.vectors[i], err);
        }
        buf_char(&sql, ')');
        in->row++;
        in->rows++;
        if (status == DG_OK && sql.len >= limit) {
            status = send_rows(in, &sql, err);
            sql.len = head;
        }
        if (status != DG_OK)
            break;
    }
    if (status == DG_END)
        status = sql.len > head ? send_rows(in, &sql, err) : DG_OK;
    buf_free(&sql);
    return status;
}

DgStatus my_insert(DgDb *base, DgTableName to, DgRows *from, int64_t *rows, DgError *err)
{
    MysqlInsert in = {.db = (MysqlDb *)base, .to = to, .from = from};
    *rows = 0;
    if (!from->columns_count)
        return dg_fail(err, DG_FAILED, "there are no columns to insert into `%.*s`", FMT(to.table));
    arena_init(&in.arena, 16 << 20);
    in.arena.can_fail = true;
    DgStatus status = dg_batch_init(&in.batch, from->columns, from->columns_count, DG_BATCH_ROWS, err);
    if (status == DG_OK)
        status = find_targets(&in, err);
    if (status == DG_OK) {
        status = in.db->local_infile ? my_load(&in, err) : DG_END;
        if (status == DG_END) {
            in.db->local_infile = false;
            status = insert_rows(&in, err);
        }
    }
    *rows = status == DG_OK ? in.rows : 0;
    for (int32_t i = 0; in.targets && i < in.count; i++)
        dg_batch_release(&in.targets[i].scratch);
    dg_batch_release(&in.batch);
    buf_free(&in.text);
    arena_free(&in.arena);
    return status;
}
