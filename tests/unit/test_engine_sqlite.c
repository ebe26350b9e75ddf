/* The SQLite engine: round trips, types of values, errors and their classes, splits, and the helpers
 * that stand on the contract. */
#include "tests/support/engine_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/data/batch.h"
#include "runtime/db/value_parse.h"

static char path[64];

static DgDb *connect_to(const char *file)
{
    DgPair pair = {S("instance"), str_from(file)};
    DgConn conn = {.name = S("LITE"), .type = S("sqlite"), .props = &pair, .props_count = 1};
    DgDb *db = NULL;
    ok(engine_find(S("sqlite"))->open(&conn, &db, &engine_err));
    return db;
}

static int fresh(void **state)
{
    snprintf(path, sizeof path, "/tmp/dgc-sqlite-XXXXXX");
    int fd = mkstemp(path);
    close(fd);
    *state = connect_to(path);
    return 0;
}

static int done(void **state)
{
    DgDb *db = *state;
    char name[80];
    db->engine->close(db);
    unlink(path);
    snprintf(name, sizeof name, "%s-wal", path);
    unlink(name);
    snprintf(name, sizeof name, "%s-shm", path);
    unlink(name);
    return 0;
}

static void names_are_taken_apart(void **state)
{
    static const struct { const char *text, *schema, *table; } cases[] = {
        {"orders", "", "orders"}, {"public.orders", "public", "orders"}, {" a . b ", "a", "b"},
        {"\"quo.ted\".\"na\"\"me\"", "quo.ted", "na\"me"}, {"`a``b`.c", "a`b", "c"}, {"\"a b\"", "", "a b"},
        {"a.b.c", NULL, NULL}, {"", NULL, NULL}, {".b", NULL, NULL}, {"a.", NULL, NULL}, {"\"a", NULL, NULL},
        {"a\"b\"", NULL, NULL}, {"\"\"", NULL, NULL}, {"\"a\"b", NULL, NULL}};
    Arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        DgTableName name = {0};
        bool fine = table_name_parse(&a, str_from(cases[i].text), &name);
        if (fine != (cases[i].table != NULL))
            fail_msg("`%s` is %staken", cases[i].text, fine ? "" : "not ");
        if (fine && (!str_eq(name.schema, str_from(cases[i].schema)) || !str_eq(name.table, str_from(cases[i].table))))
            fail_msg("`%s` is `%.*s`.`%.*s`", cases[i].text, FMT(name.schema), FMT(name.table));
    }
    arena_free(&a);
    assert_true(wild_match(S("*"), S("")) && wild_match(S("ord*"), S("ORDERS")) && wild_match(S("*a?c*"), S("xxabc")));
    assert_false(wild_match(S("ord?"), S("ord")) || wild_match(S(""), S("a")) || wild_match(S("*x"), S("abc")));
    assert_ptr_equal(engine_find(S("SQLite3")), &dg_engine_sqlite);
    assert_null(engine_find(S("oracle")));
}

static void values_come_back(void **state)
{
    static const struct { const char *type, *as; } types[] = {
        {"boolean", NULL}, {"tinyint", "bigint"}, {"smallint", "bigint"}, {"integer", "bigint"}, {"bigint", NULL},
        {"utinyint", "bigint"}, {"usmallint", "bigint"}, {"uinteger", "bigint"}, {"ubigint", "decimal(20,0)"},
        {"float", "double"}, {"double", NULL}, {"decimal(10,2)", NULL}, {"decimal(15,6)", NULL}, {"decimal(18,0)", NULL},
        {"decimal(38,10)", NULL}, {"decimal(38,0)", NULL}, {"varchar", NULL}, {"blob", NULL}, {"json", NULL},
        {"date", NULL}, {"time", NULL}, {"timestamp", NULL}, {"timestamptz", NULL}, {"interval", "varchar"}, {"uuid", NULL}};
    static const char *const odd_dates[] = {"infinity", "-infinity", "10000-01-01", "0001-01-01", NULL};
    static const char *const odd_times[] = {"infinity", "-infinity", "0001-01-01 00:00:00", "294000-01-01 00:00:00.000001", NULL};
    static const char *const odd_floats[] = {"nan", "inf", "-inf", NULL};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        round_trip(*state, types[i].type, types[i].as, difficult(types[i].type));
    round_trip(*state, "date", NULL, odd_dates);
    round_trip(*state, "timestamp", NULL, odd_times);
    round_trip(*state, "timestamptz", NULL, odd_times);
    round_trip(*state, "double", NULL, odd_floats);
    round_trip(*state, "float", "double", odd_floats);
}

static void read_all(DgDb *db, const char *sql, DgStatus expected, const char *message)
{
    DgRows *rows;
    DgBatch batch;
    ok(db->engine->query(db, str_from(sql), &rows, &engine_err));
    ok(dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, &engine_err));
    DgStatus status;
    while ((status = rows->next(rows, &batch, &engine_err)) == DG_OK) {
    }
    if (status != expected)
        fail_msg("%s: %s", sql, dg_status_name(status));
    if (expected != DG_END && !strstr(engine_err.message, message))
        fail_msg("%s: %s", sql, engine_err.message);
    dg_batch_release(&batch);
    rows_close(rows);
}

static void a_value_that_is_not_its_type_is_told(void **state)
{
    static const struct { const char *type, *value, *message; } cases[] = {
        {"INTEGER", "'abc'", "column `x` is bigint, but has text `abc`"},
        {"INTEGER", "1.5", "column `x` is bigint, but has a real number `1.5`"},
        {"INTEGER", "x'00'", "column `x` is bigint, but has a blob"},
        {"BOOLEAN", "2", "column `x` is boolean, which cannot hold 2"},
        {"DATE", "2460000.5", "column `x` is date, but has a real number `2460000.5`"},
        {"DATE", "'2024-02-30'", "column `x` is date, but has text `2024-02-30`"},
        {"DATE", "'2024-01-01 10:00:00'", "column `x` is date"},
        {"DATETIME", "1700000000", "column `x` is timestamp, but has an integer `1700000000`"},
        {"TIMESTAMP", "'2024-01-01 00:00:00.1234567'", "column `x` is timestamp"},
        {"TIME", "'24:00:00'", "column `x` is time"},
        {"DECIMAL(5,2)", "1.234", "cannot hold `1.234`"},
        {"DECIMAL(5,2)", "12345", "column `x` is decimal, but has an integer `12345`"},
        {"TEXT", "x'c328'", "column `x` is varchar, but has a blob"},
        {"TEXT", "CAST(x'c328' AS TEXT)", "not UTF-8 (byte 0xc3 at 0)"},
        {"TEXT", "CAST(x'610062' AS TEXT)", "NUL byte"},
        {"BLOB", "'text'", "column `x` is blob, but has text"},
        {"UUID", "'1234'", "column `x` is uuid, but has"},
        {"REAL", "'1.5x'", "column `x` is double, but has text `1.5x`"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS t; CREATE TABLE t(x %s); INSERT INTO t VALUES(%s)", cases[i].type,
                 cases[i].value);
        run_sql(*state, sql);
        read_all(*state, "SELECT x FROM t", DG_DATA, cases[i].message);
    }
}

static void assert_types(DgDb *db, const char *sql, const char *expected)
{
    DgRows *rows;
    StrBuf b = {0};
    ok(db->engine->query(db, str_from(sql), &rows, &engine_err));
    for (int32_t i = 0; i < rows->columns_count; i++)
        buf_format(&b, "%s%s", i ? " " : "", dg_type_name((DgTypeKind)rows->columns[i].type.kind));
    buf_char(&b, '\0');
    assert_string_equal(b.ptr, expected);
    buf_free(&b);
    rows_close(rows);
}

static void types_without_a_declaration_come_from_values(void **state)
{
    DgDb *db = *state;
    run_sql(db, "CREATE TABLE s(a, b NUMERIC, c, d, e MONEY, f)");
    run_sql(db, "INSERT INTO s VALUES(NULL, 1, 'x', x'00', 1.5, NULL), (1, 2.5, 2, x'01', NULL, NULL)");
    assert_types(db, "SELECT * FROM s", "bigint double varchar blob double varchar");
    assert_types(db, "SELECT count(*), sum(b), max(c), 9007199254740993 + 0 FROM s", "bigint double varchar bigint");
    assert_types(db, "SELECT 9007199254740993 AS x UNION ALL SELECT 1.5", "varchar");
    assert_text_of(db, "SELECT max(x) FROM (SELECT 9007199254740993 AS x UNION ALL SELECT 1.5)", "9007199254740993");
    /* The sample is delivered too, and a late value that does not fit is told. */
    run_sql(db, "CREATE TABLE many(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
                " INSERT INTO many SELECT i FROM n");
    assert_int_of(db, "SELECT count(*) FROM many", 5000);
    read_all(db, "SELECT x FROM many", DG_END, "");
    run_sql(db, "INSERT INTO many VALUES('late')");
    read_all(db, "SELECT x FROM many", DG_DATA, "column `x` is bigint, but has text `late`");
}

static void errors_have_classes(void **state)
{
    DgDb *db = *state;
    const DgEngine *e = db->engine;
    DgRows *rows;
    int64_t count;
    bool unknown;
    run_sql(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, x INTEGER NOT NULL)");
    fails(e->exec(db, S("SELEC 1"), NULL, &engine_err), DG_FAILED);
    fails(e->exec(db, S("INSERT INTO t VALUES(1, NULL)"), NULL, &engine_err), DG_DATA);
    fails(e->query(db, S("SELECT 1; SELECT 2"), &rows, &engine_err), DG_FAILED);
    fails(e->query(db, S("CREATE TABLE q(x)"), &rows, &engine_err), DG_FAILED);
    fails(e->query(db, S("SELECT * FROM nowhere"), &rows, &engine_err), DG_FAILED);
    ok(e->exec(db, S("INSERT INTO t VALUES(1, 2), (2, 3); -- end"), &count, &engine_err));
    assert_int_equal(count, 2);
    /* Read-only transactions write nothing; writers wait for each other, and an interrupt ends that. */
    ok(e->begin(db, DG_TX_WRITE, &engine_err));
    ok(e->commit(db, &unknown, &engine_err));
    ok(e->begin(db, DG_TX_READ, &engine_err));
    fails(e->exec(db, S("DELETE FROM t"), NULL, &engine_err), DG_NOPERM);
    DgDb *other = connect_to(path);
    run_sql(other, "INSERT INTO t VALUES(3, 4)");
    assert_int_of(db, "SELECT count(*) FROM t", 2); /* its snapshot */
    ok(e->commit(db, &unknown, &engine_err));
    assert_int_of(db, "SELECT count(*) FROM t", 3);
    e->interrupt(db);
    fails(e->exec(db, S("SELECT 1"), NULL, &engine_err), DG_CANCELLED);
    ok(e->rollback(db, &engine_err));
    run_sql(db, "SELECT 1");
    /* DDL rolls back. */
    ok(e->begin(db, DG_TX_WRITE, &engine_err));
    run_sql(db, "CREATE TABLE gone(x); DROP TABLE t");
    ok(e->rollback(db, &engine_err));
    assert_int_of(db, "SELECT count(*) FROM sqlite_schema WHERE name IN ('gone', 't')", 1);
    e->close(other);
    /* A file that is none, a folder that is not there. */
    DgPair pair = {S("path"), S("/nonexistent/x.db")};
    DgConn conn = {.name = S("LITE"), .type = S("sqlite"), .props = &pair, .props_count = 1};
    fails(e->open(&conn, &other, &engine_err), DG_CONFIG);
    pair.value = S("/etc/passwd");
    fails(e->open(&conn, &other, &engine_err), DG_CONFIG);
    conn.props_count = 0;
    fails(e->open(&conn, &other, &engine_err), DG_CONFIG);
}

static void *interrupt_soon(void *db)
{
    usleep(100000);
    ((DgDb *)db)->engine->interrupt(db);
    return NULL;
}

static void an_interrupt_ends_what_runs(void **state)
{
    DgDb *db = *state;
    pthread_t thread;
    pthread_create(&thread, NULL, interrupt_soon, db);
    fails(db->engine->exec(db, S("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"),
                           NULL, &engine_err), DG_CANCELLED);
    pthread_join(thread, NULL);
    ok(db->engine->rollback(db, &engine_err));
    /* The same while it waits for another writer. */
    DgDb *other = connect_to(path);
    ok(other->engine->begin(other, DG_TX_WRITE, &engine_err));
    pthread_create(&thread, NULL, interrupt_soon, db);
    DgStatus status = db->engine->exec(db, S("CREATE TABLE x(y)"), NULL, &engine_err);
    assert_true(status == DG_CANCELLED || status == DG_TEMPFAIL);
    pthread_join(thread, NULL);
    other->engine->close(other);
}

static void inserts_check_what_columns_hold(void **state)
{
    static const struct { const char *declared, *type, *value, *shown; } good[] = {
        {"INTEGER", "varchar", "42", "42"}, {"INTEGER", "decimal(5,2)", "42.00", "42"}, {"TEXT", "integer", "42", "42"},
        {"TEXT", "date", "2024-01-02", "2024-01-02"}, {"DOUBLE", "integer", "3", "3.0"}, {"DATE", "varchar", "2024-01-02", "2024-01-02"},
        {"TIMESTAMP", "date", "2024-01-02", "2024-01-02 00:00:00"}, {"DECIMAL(10,2)", "double", "1.5", "1.50"},
        {"", "integer", "5", "5"}, {"", "timestamp", "2024-01-02 03:04:05", "2024-01-02 03:04:05"}, {"JSON", "json", "{}", "{}"},
        {"BOOLEAN", "integer", "1", "true"}, {"DECIMAL(20,4)", "decimal(20,4)", "12345678901.2500", "12345678901.2500"},
        {"DECIMAL(38,10)", "integer", "7", "7.0000000000"}, {"INTEGER", "boolean", "true", "1"}};
    static const struct { const char *declared, *type, *value; } bad[] = {
        {"INTEGER", "varchar", "4x"}, {"INTEGER", "double", "1.5"}, {"INTEGER", "ubigint", "9223372036854775808"},
        {"BOOLEAN", "integer", "2"}, {"DATE", "varchar", "yesterday"}, {"DATE", "timestamp", "2024-01-01 01:00:00"},
        {"DECIMAL(10,2)", "decimal(10,3)", "1.234"}, {"DECIMAL(20,4)", "decimal(20,4)", "1234567890123456.7891"},
        {"DOUBLE", "decimal(38,0)", "9007199254740993123"}, {"UUID", "varchar", "x"}, {"JSON", "json", "1.00000000000000000001"},
        {"DOUBLE", "bigint", "9007199254740993"},
        {"TEXT", "blob", "x"}, {"INTEGER", "blob", "1"}, {"DECIMAL(5,2)", "integer", "1000"}};
    DgDb *db = *state;
    for (size_t i = 0; i < sizeof good / sizeof *good + sizeof bad / sizeof *bad; i++) {
        size_t k = i - sizeof good / sizeof *good;
        bool fine = i < sizeof good / sizeof *good;
        const char *declared = fine ? good[i].declared : bad[k].declared, *type = fine ? good[i].type : bad[k].type;
        const char *value = fine ? good[i].value : bad[k].value;
        char sql[256];
        DgColumn column = {.name = S("X")};
        int64_t rows;
        assert_true(dg_type_parse(str_from(type), &column.type));
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS t; CREATE TABLE t(x %s)", declared);
        run_sql(db, sql);
        DgRows *from = rows_of_text(&column, 1, &value, 1);
        ok(db->engine->begin(db, DG_TX_WRITE, &engine_err));
        DgStatus status = db->engine->insert(db, (DgTableName){S("main"), S("t")}, from, &rows, &engine_err);
        if (status != (fine ? DG_OK : DG_DATA))
            fail_msg("%s into %s: %s %s", value, declared, dg_status_name(status), status ? engine_err.message : "");
        if (!fine)
            assert_non_null(strstr(engine_err.message, "column `x`"));
        else
            assert_text_of(db, "SELECT x FROM t", good[i].shown);
        ok(db->engine->rollback(db, &engine_err));
        rows_close(from);
    }
    DgColumn other = {.name = S("other"), .type = {.kind = DG_INT32}};
    const char *cell = "1";
    int64_t rows;
    DgRows *from = rows_of_text(&other, 1, &cell, 1);
    ok(db->engine->begin(db, DG_TX_WRITE, &engine_err));
    fails(db->engine->insert(db, (DgTableName){{0}, S("t")}, from, &rows, &engine_err), DG_DATA);
    fails(db->engine->insert(db, (DgTableName){{0}, S("none")}, from, &rows, &engine_err), DG_FAILED);
    rows_close(from);
    ok(db->engine->rollback(db, &engine_err));
}

static void tables_are_described(void **state)
{
    DgDb *db = *state;
    Arena a;
    DgTableInfos tables;
    DgTableInfo info;
    arena_init(&a, 1 << 24);
    run_sql(db, "CREATE TABLE orders(b TEXT NOT NULL, a INT, c DECIMAL(9,3), d INTEGER GENERATED ALWAYS AS (a + 1) VIRTUAL,"
                " PRIMARY KEY(b, a)) WITHOUT ROWID; CREATE TABLE Orders_old(id INTEGER PRIMARY KEY);"
                "CREATE VIEW v AS SELECT b, 1 AS one FROM orders; INSERT INTO orders(b, a, c) VALUES('x', 1, 2.5)");
    ok(db->engine->tables(db, &a, S(""), S("ord*"), &tables, &engine_err));
    assert_int_equal(tables.count, 2);
    ok(db->engine->tables(db, &a, S("main"), S("*"), &tables, &engine_err));
    assert_int_equal(tables.count, 3);
    assert_true(tables.items[2].is_view);
    ok(db->engine->tables(db, &a, S("other"), S("*"), &tables, &engine_err));
    assert_int_equal(tables.count, 0);
    ok(db->engine->describe(db, &a, (DgTableName){S("main"), S("orders")}, &info, &engine_err));
    assert_int_equal(info.columns_count, 4);
    assert_int_equal(info.primary_key_count, 2);
    assert_true(str_eq(info.primary_key[0], S("b")) && str_eq(info.primary_key[1], S("a")));
    assert_true(info.columns[0].column.not_null && str_eq(info.columns[2].native, S("DECIMAL(9,3)")));
    assert_int_equal(info.rows_estimate, -1);
    ok(db->engine->describe(db, &a, (DgTableName){{0}, S("ORDERS_OLD")}, &info, &engine_err));
    assert_true(str_eq(info.name.table, S("Orders_old")) && info.columns[0].column.not_null && info.rows_estimate == 0);
    ok(db->engine->describe(db, &a, (DgTableName){{0}, S("v")}, &info, &engine_err));
    assert_true(info.is_view && info.columns[1].column.type.kind == DG_INT64);
    fails(db->engine->describe(db, &a, (DgTableName){{0}, S("none")}, &info, &engine_err), DG_END);
    fails(db->engine->describe(db, &a, (DgTableName){S("other"), S("orders")}, &info, &engine_err), DG_END);
    run_sql(db, "CREATE TEMPORARY TABLE staged(x DATE)");
    ok(db->engine->describe(db, &a, (DgTableName){{0}, S("staged")}, &info, &engine_err));
    assert_int_equal(info.columns[0].column.type.kind, DG_DATE);
    arena_free(&a);
}

static void parts_are_all_rows_once(void **state)
{
    DgDb *db = *state;
    Arena a;
    StrArray parts;
    int64_t sum = 0;
    arena_init(&a, 1 << 24);
    run_sql(db, "CREATE TABLE counted(id INTEGER, name TEXT, amount DOUBLE, at TIMESTAMP, flag BOOLEAN)");
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    insert_all(db, "counted", rows_counted(0, 300000, 0, NULL, NULL));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    print_message("300000 rows inserted in %.3f s of processor time\n",
                  (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    run_sql(db, "DELETE FROM counted WHERE rowid % 5 = 0; INSERT INTO counted(rowid, id) VALUES(-77, 1)");
    ok(db->engine->split(db, &a, (DgTableName){{0}, S("counted")}, 4, &parts, &engine_err));
    assert_int_equal(parts.count, 4);
    for (size_t i = 0; i < parts.count; i++) {
        int64_t n;
        ok(db_int(db, str_format(&a, "SELECT count(*) FROM counted WHERE %.*s", FMT(parts.items[i])), &n, &engine_err));
        assert_true(n > 10000);
        sum += n;
    }
    assert_int_equal(sum, 240001);
    run_sql(db, "CREATE TABLE shadow(rowid, oid, _rowid_); CREATE VIEW few AS SELECT * FROM counted");
    ok(db->engine->split(db, &a, (DgTableName){{0}, S("shadow")}, 4, &parts, &engine_err));
    assert_int_equal(parts.count, 1);
    ok(db->engine->split(db, &a, (DgTableName){{0}, S("few")}, 4, &parts, &engine_err));
    assert_true(str_eq(parts.items[0], S("1=1")));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test_setup_teardown(values_come_back, fresh, done),
        cmocka_unit_test_setup_teardown(a_value_that_is_not_its_type_is_told, fresh, done),
        cmocka_unit_test_setup_teardown(types_without_a_declaration_come_from_values, fresh, done),
        cmocka_unit_test_setup_teardown(errors_have_classes, fresh, done),
        cmocka_unit_test_setup_teardown(an_interrupt_ends_what_runs, fresh, done),
        cmocka_unit_test_setup_teardown(inserts_check_what_columns_hold, fresh, done),
        cmocka_unit_test_setup_teardown(tables_are_described, fresh, done),
        cmocka_unit_test_setup_teardown(parts_are_all_rows_once, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
