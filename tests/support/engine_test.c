/* engine_test.c - see engine_test.h. */
#include "tests/support/engine_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/data/value_text.h"
#include "runtime/db/value_parse.h"

DgError engine_err;

/* ---- Streams ---- */

typedef struct TextRows {
    DgRows base;
    const char *const *cells;
    int32_t rows, at;
} TextRows;

static DgStatus text_next(DgRows *base, DgBatch *out, DgError *err)
{
    TextRows *t = (TextRows *)base;
    dg_batch_reset(out);
    for (; t->at < t->rows && out->rows < out->rows_max; t->at++, out->rows++)
        for (int32_t i = 0; i < base->columns_count; i++) {
            const char *cell = t->cells[t->at * base->columns_count + i];
            DgVector *v = &out->vectors[i];
            if (strcmp(cell, "NULL") != 0) {
                DgStatus status = value_parse(v, out->rows, &base->columns[i], str_from(cell), err);
                if (status != DG_OK)
                    return status;
                continue;
            }
            dg_set_null(v, out->rows);
            if (value_is_bytes(base->columns[i].type))
                dg_text_set(v, out->rows, "", 0);
        }
    return t->at < t->rows ? DG_OK : DG_END;
}

static void free_rows(DgRows *base)
{
    free(base);
}

DgRows *rows_of_text(const DgColumn *columns, int32_t columns_count, const char *const *cells, int32_t rows)
{
    TextRows *t = calloc(1, sizeof *t);
    *t = (TextRows){{columns, columns_count, text_next, free_rows, false}, cells, rows, 0};
    return &t->base;
}

typedef struct CountedRows {
    DgRows base;
    int64_t at, end, hook_at;
    RowsHook hook;
    void *context;
} CountedRows;

static DgStatus counted_next(DgRows *base, DgBatch *out, DgError *err)
{
    CountedRows *c = (CountedRows *)base;
    dg_batch_reset(out);
    for (; c->at < c->end && out->rows < out->rows_max; c->at++, out->rows++) {
        int32_t row = out->rows;
        char name[32];
        int n = snprintf(name, sizeof name, "name %d", (int)(c->at % 1000));
        if (c->hook && c->at == c->hook_at)
            c->hook(c->context, c->at);
        ((int64_t *)out->vectors[0].values)[row] = c->at;
        if (c->at % 11 == 3)
            dg_set_null(&out->vectors[1], row), n = 0;
        dg_text_set(&out->vectors[1], row, name, (size_t)n);
        ((double *)out->vectors[2].values)[row] = (double)c->at * 0.25;
        ((int64_t *)out->vectors[3].values)[row] = 1700000000000000 + c->at * 1000001;
        ((uint8_t *)out->vectors[4].values)[row] = c->at % 3 == 0;
    }
    return c->at < c->end ? DG_OK : DG_END;
}

DgRows *rows_counted(int64_t first, int64_t rows, int64_t hook_at, RowsHook hook, void *context)
{
    static const DgColumn columns[] = {{DG_S("id"), {DG_INT64, 0, 0}, true, {0}},
                                       {DG_S("name"), {DG_TEXT, 0, 0}, false, {0}},
                                       {DG_S("amount"), {DG_FLOAT64, 0, 0}, false, {0}},
                                       {DG_S("at"), {DG_TIMESTAMP, 0, 0}, false, {0}},
                                       {DG_S("flag"), {DG_BOOL, 0, 0}, false, {0}}};
    CountedRows *c = calloc(1, sizeof *c);
    *c = (CountedRows){{columns, 5, counted_next, free_rows, false}, first, first + rows, hook_at, hook, context};
    return &c->base;
}

/* ---- Statements ---- */

void run_sql(DgDb *db, const char *sql)
{
    if (db->engine->exec(db, str_from(sql), NULL, &engine_err) != DG_OK)
        fail_msg("%s: %s", sql, engine_err.message);
}

void insert_all(DgDb *db, const char *table, DgRows *rows)
{
    int64_t count = 0;
    bool unknown;
    ok(db->engine->begin(db, DG_TX_WRITE, &engine_err));
    ok(db->engine->insert(db, (DgTableName){{0}, str_from(table)}, rows, &count, &engine_err));
    ok(db->engine->commit(db, &unknown, &engine_err));
    rows_close(rows);
}

void assert_text_of(DgDb *db, const char *sql, const char *expected)
{
    Arena a;
    Str found;
    arena_init(&a, 1 << 24);
    ok(db_text(db, &a, str_from(sql), &found, &engine_err));
    char *text = str_cstr(&a, found);
    if (strcmp(text, expected) != 0)
        fail_msg("%s: `%s` instead of `%s`", sql, text, expected);
    arena_free(&a);
}

void assert_int_of(DgDb *db, const char *sql, int64_t expected)
{
    int64_t found;
    ok(db_int(db, str_from(sql), &found, &engine_err));
    if (found != expected)
        fail_msg("%s: %lld instead of %lld", sql, (long long)found, (long long)expected);
}

/* ---- Round trips ---- */

static const struct { const char *type; const char *const values[24]; } lists[] = {
    {"boolean", {"true", "false"}},
    {"tinyint", {"-128", "127", "0", "-1"}},
    {"smallint", {"-32768", "32767"}},
    {"integer", {"-2147483648", "2147483647", "0"}},
    {"bigint", {"-9223372036854775808", "9223372036854775807", "9007199254740993", "-9007199254740993", "0"}},
    {"utinyint", {"255", "0"}},
    {"usmallint", {"65535", "0"}},
    {"uinteger", {"4294967295", "0"}},
    {"ubigint", {"18446744073709551615", "9223372036854775808", "0", "1"}},
    {"float", {"0.1", "3.4028234663852886e+38", "1.401298464324817e-45", "16777217"}},
    {"double", {"0.1", "1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "9007199254740993",
                "123456789.12345679", "0.30000000000000004", "-1e-7"}},
    {"decimal(10,2)", {"0.00", "0.01", "-0.01", "99999999.99", "-99999999.99", "0.10", "1234567.80"}},
    {"decimal(15,6)", {"123456789.123456", "-999999999.999999", "0.000001"}},
    {"decimal(18,0)", {"999999999999999999", "-999999999999999999", "0"}},
    {"decimal(38,10)", {"1234567890123456789012345678.0123456789", "-9999999999999999999999999999.9999999999",
                        "0.0000000001", "-0.0000000001", "0.1"}},
    {"decimal(38,0)", {"99999999999999999999999999999999999999", "-99999999999999999999999999999999999999",
                       "9007199254740993"}},
    {"varchar", {"", " ", "  both  ", "it's", "\"q\"", "back\\slash", "\\N", "\\", "tab\there", "line\nfeed", "cr\r\n",
                 "0", "007", "1e5", "1.0", "null", "\xc3\xa9\xe2\x82\xac", "\xf0\x9f\x98\x80", "e\xcc\x81",
                 "`tick`", "%s", "\x1a" "ctl\x01"}},
    {"blob", {"", "\xff\xfe", "'", "\\N", "\\", "\n", "\t", "plain", "\x80", "\x1a"}},
    {"json", {"{\"a\":1}", "[]", "1.0", "12345678901234567890123", "\"it's\"", "null", "{\"u\":\"\xe2\x82\xac\\n\"}"}},
    {"date", {"1970-01-01", "1969-12-31", "2024-02-29", "1582-10-15", "9999-12-31", "1900-01-01"}},
    {"time", {"00:00:00", "23:59:59.999999", "12:34:56.000001", "00:00:00.1"}},
    {"timestamp", {"1970-01-01 00:00:00", "1969-12-31 23:59:59.999999", "2024-02-29 12:34:56.789012",
                   "9999-12-31 23:59:59.999999", "1582-10-15 00:00:00.5", "2038-01-19 03:14:08"}},
    {"timestamptz", {"2024-03-31 01:30:00+00", "2024-10-27 01:30:00.000001+00", "1970-01-01 00:00:01+00",
                     "2038-01-19 03:14:07.999999+00"}},
    {"interval", {"0 months 0 days 00:00:00", "14 months -3 days -26:00:00.5", "-1 months 31 days 00:00:01"}},
    {"uuid", {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
              "12345678-90ab-cdef-0123-456789abcdef"}},
};

const char *const *difficult(const char *type)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(lists[i].type, type) == 0)
            return lists[i].values;
    fail_msg("no values for %s", type);
    return NULL;
}

/* What the value is after it went through text into another type and back. */
static void as_type(StrBuf *out, Str text, DgType type)
{
    DgColumn column = {.name = S("x"), .type = type};
    DgBatch one;
    ok(dg_batch_init(&one, &column, 1, 1, &engine_err));
    ok(value_parse(&one.vectors[0], 0, &column, text, &engine_err));
    value_write_text(out, &one.vectors[0], type, 0);
    dg_batch_release(&one);
}

static void compare(DgRows *rows, DgType type, const char *type_name, const char *const *values, int32_t count)
{
    DgBatch batch;
    int32_t seen = 0;
    DgStatus status = DG_OK;
    ok(dg_batch_init(&batch, rows->columns, rows->columns_count, 7, &engine_err));
    while (status == DG_OK) {
        status = rows->next(rows, &batch, &engine_err);
        if (status != DG_OK && status != DG_END)
            fail_msg("%s: %s", type_name, engine_err.message);
        for (int32_t row = 0; row < batch.rows; row++, seen++) {
            StrBuf found = {0}, back = {0}, expected = {0};
            DgType read = rows->columns[1].type;
            const DgVector *v = &batch.vectors[1];
            assert_true(seen <= count);
            if (seen == count) { /* the last one is null */
                assert_false(DG_VALID(v, row));
                continue;
            }
            if (!DG_VALID(v, row))
                fail_msg("%s: null instead of `%s`", type_name, values[seen]);
            as_type(&expected, str_from(values[seen]), type);
            value_write_text(&found, v, read, row);
            if (type.kind != DG_BINARY && read.kind != type.kind)
                as_type(&back, buf_str(&found), type);
            else
                buf_add(&back, buf_str(&found));
            if (!str_eq(buf_str(&back), buf_str(&expected)))
                fail_msg("%s: `%.*s` (%.*s) instead of `%.*s`", type_name, FMT(buf_str(&back)), FMT(buf_str(&found)),
                         FMT(buf_str(&expected)));
            buf_free(&found);
            buf_free(&back);
            buf_free(&expected);
        }
    }
    if (seen != count + 1)
        fail_msg("%s: %d rows instead of %d", type_name, seen, count + 1);
    dg_batch_release(&batch);
}

void round_trip(DgDb *db, const char *type_name, const char *as, const char *const *values)
{
    DgType type, expected;
    assert_true(dg_type_parse(str_from(type_name), &type));
    assert_true(dg_type_parse(str_from(as ? as : type_name), &expected));
    const DgColumn columns[] = {{S("n"), {DG_INT32, 0, 0}, false, {0}}, {S("the value"), type, false, {0}}};
    const char *cells[64];
    char numbers[32][8];
    int32_t count = 0;
    for (; values[count]; count++) {
        snprintf(numbers[count], sizeof numbers[count], "%d", count);
        cells[count * 2] = numbers[count];
        cells[count * 2 + 1] = values[count];
    }
    snprintf(numbers[count], sizeof numbers[count], "%d", count);
    cells[count * 2] = numbers[count];
    cells[count * 2 + 1] = "NULL";
    StrBuf sql = {0};
    run_sql(db, "DROP TABLE IF EXISTS trip");
    buf_add(&sql, S("CREATE TABLE trip (n integer, "));
    sql_name(&sql, db->engine->dialect, columns[1].name);
    buf_char(&sql, ' ');
    db->engine->dialect->type(&sql, type, 0);
    buf_add(&sql, S(" NULL)"));
    buf_char(&sql, '\0');
    run_sql(db, sql.ptr);
    insert_all(db, "trip", rows_of_text(columns, 2, cells, count + 1));
    DgRows *rows;
    ok(db->engine->query(db, S("SELECT * FROM trip ORDER BY n"), &rows, &engine_err));
    DgType found = rows->columns[1].type;
    if (found.kind != expected.kind || found.precision != expected.precision || found.scale != expected.scale)
        fail_msg("%s is read as %s(%d,%d)", type_name, dg_type_name((DgTypeKind)found.kind), found.precision, found.scale);
    compare(rows, type, type_name, values, count);
    rows_close(rows);
    Arena a;
    DgTableInfo info;
    arena_init(&a, 1 << 24);
    ok(db->engine->describe(db, &a, (DgTableName){{0}, S("trip")}, &info, &engine_err));
    assert_int_equal(info.columns_count, 2);
    if (info.columns[1].column.type.kind != expected.kind)
        fail_msg("%s (%.*s) is described as %s", type_name, FMT(info.columns[1].native),
                 dg_type_name((DgTypeKind)info.columns[1].column.type.kind));
    arena_free(&a);
    buf_free(&sql);
}
