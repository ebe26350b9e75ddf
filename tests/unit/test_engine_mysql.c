/* The MySQL engine. What needs no server runs always; the rest runs when DGC_TEST_MYSQL is a URL, as
 * tests/components/mysql.sh sets it. */
#include "tests/support/engine_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/data/batch.h"
#include "runtime/db/mysql_internal.h"
#include "runtime/os/os.h"

static Arena arena;

static DgDb *connect_url(const char *url)
{
    DgConn conn;
    DgDb *db = NULL;
    ok(conn_from_url(&arena, S("MY"), str_from(url), &conn, &engine_err));
    ok(engine_find(conn.type)->open(&conn, &db, &engine_err));
    return db;
}

static DgDb *connect_again(void)
{
    return connect_url(getenv("DGC_TEST_MYSQL"));
}

static int fresh(void **state)
{
    *state = connect_again();
    run_sql(*state, "DROP DATABASE IF EXISTS t; CREATE DATABASE t; USE t");
    return 0;
}

/* Not MariaDB: no UUID and INET6, JSON is kept taken apart, TLS works as it is installed. */
static bool mysql8(DgDb *db)
{
    Str version;
    ok(db_text(db, &arena, S("SELECT VERSION()"), &version, &engine_err));
    return str_find(version, S("MariaDB")) < 0;
}

static int done(void **state)
{
    DgDb *db = *state;
    db->engine->close(db);
    return 0;
}

/* ---- Without a server ---- */

static void native_types_have_meanings(void **state)
{
    static const struct { const char *native, *expected; } cases[] = {
        {"tinyint(1)", "boolean"}, {"tinyint(4)", "tinyint"}, {"tinyint(3) unsigned", "utinyint"}, {"int unsigned", "uinteger"},
        {"bigint(20) unsigned zerofill", "ubigint"}, {"decimal(10,2)", "decimal(10,2)"}, {"decimal", "decimal(10,0)"},
        {"datetime(3)", "timestamp"}, {"timestamp", "timestamptz"}, {"year(4)", "smallint"}, {"bit(1)", "boolean"},
        {"bit(8)", "ubigint"}, {"enum('a','b,(c')", "varchar"}, {"varchar(255)", "varchar"}, {"varbinary(16)", "blob"},
        {"double", "double"}, {"json", "json"}, {"decimal(65,30)", NULL}, {"point", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        DgType type, expected;
        bool known = my_type_from(str_from(cases[i].native), &type);
        if (known != (cases[i].expected != NULL))
            fail_msg("%s", cases[i].native);
        if (!known)
            continue;
        assert_true(dg_type_parse(str_from(cases[i].expected), &expected));
        if (type.kind != expected.kind || type.precision != expected.precision || type.scale != expected.scale)
            fail_msg("%s is %s(%d,%d)", cases[i].native, dg_type_name((DgTypeKind)type.kind), type.precision, type.scale);
    }
}

static void a_damaged_geometry_is_refused(void **state)
{
    static const char point[] = "\0\0\0\0\1\1\0\0\0\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\xc0";
    StrBuf out = {0};
    assert_true(my_geometry_text(&out, (Str){point, 25}));
    assert_true(str_eq(buf_str(&out), S("POINT(1.5 -2)")));
    for (ptrdiff_t n = 0; n < 25; n++)
        assert_false(my_geometry_text(&out, (Str){point, n}));
    buf_free(&out);
}

static void no_server_is_unavailable(void **state)
{
    DgConn conn;
    DgDb *db;
    ok(conn_from_url(&arena, S("MY"), S("mysql://me:secret@127.0.0.1:1/x"), &conn, &engine_err));
    DgStatus status = engine_find(S("MariaDB"))->open(&conn, &db, &engine_err);
    assert_true(status == DG_UNAVAILABLE || (status == DG_CONFIG && strstr(engine_err.hint, "libmariadb3")));
    assert_null(strstr(engine_err.message, "secret"));
}

/* ---- With one ---- */

static const struct { const char *type, *as; } types[] = {
    {"boolean", NULL}, {"tinyint", NULL}, {"smallint", NULL}, {"integer", NULL}, {"bigint", NULL}, {"utinyint", NULL},
    {"usmallint", NULL}, {"uinteger", NULL}, {"ubigint", NULL}, {"float", NULL}, {"double", NULL}, {"decimal(10,2)", NULL},
    {"decimal(15,6)", NULL}, {"decimal(18,0)", NULL}, {"decimal(38,10)", NULL}, {"decimal(38,0)", NULL}, {"varchar", NULL},
    {"blob", NULL}, {"json", NULL}, {"date", NULL}, {"time", NULL}, {"timestamp", NULL}, {"timestamptz", NULL},
    {"interval", "varchar"}, {"uuid", "varchar"}};

/* As MySQL 8 writes it: it takes JSON apart, and keeps keys in its own order and numbers as doubles. */
static const char *const own_json[] = {"{\"a\": 1}", "[]", "1.0", "[1, 2]", "\"it's\"", "null", "{\"u\": \"\xe2\x82\xac\\n\"}", NULL};

static void values_come_back(void **state)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        round_trip(*state, types[i].type, types[i].as, mysql8(*state) && !strcmp(types[i].type, "json") ? own_json : difficult(types[i].type));
}

static void values_come_back_without_local_files(void **state)
{
    ((MysqlDb *)*state)->local_infile = false;
    values_come_back(state);
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
    if (status != expected || (expected != DG_END && !strstr(engine_err.message, message)))
        fail_msg("%s: %s %s", sql, dg_status_name(status), engine_err.message);
    dg_batch_release(&batch);
    rows_close(rows);
}

static void every_native_type_is_read(void **state)
{
    static const struct { const char *native, *value, *text, *type; } cases[] = {
        {"BIT(1)", "1", "true", "boolean"}, {"BIT(64)", "18446744073709551615", "18446744073709551615", "ubigint"},
        {"BIT(12)", "2748", "2748", "ubigint"}, {"YEAR", "2024", "2024", "smallint"}, {"MEDIUMINT", "-8388608", "-8388608", "integer"},
        {"MEDIUMINT UNSIGNED", "16777215", "16777215", "uinteger"}, {"ENUM('a','b c')", "'b c'", "b c", "varchar"},
        {"SET('x','y')", "'x,y'", "x,y", "varchar"}, {"DECIMAL(65,30)", "12345678901234567890123456789012345.123456789012345678901234567890",
        "12345678901234567890123456789012345.123456789012345678901234567890", "varchar"},
        {"TINYTEXT", "'t'", "t", "varchar"}, {"VARBINARY(9)", "x'ff00'", "ff00", "blob"}, {"BINARY(3)", "'a'", "610000", "blob"},
        {"CHAR(5) CHARACTER SET latin1", "_latin1 x'e9'", "\xc3\xa9", "varchar"}, {"DATETIME", "'2024-01-02 03:04:05'",
        "2024-01-02 03:04:05", "timestamp"}, {"TIMESTAMP(3) NULL", "'2024-01-02 03:04:05.678'", "2024-01-02 03:04:05.678000+00", "timestamptz"},
        {"TIME", "'23:59:59'", "23:59:59", "time"}, {"POINT", "ST_GeomFromText('POINT(1 2.5)')", "POINT(1 2.5)", "varchar"},
        {"GEOMETRY", "ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))')",
         "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))", "varchar"},
        {"GEOMETRY", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))')",
         "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))", "varchar"},
        {"JSON", "'{\"a\": 1}'", "{\"a\": 1}", "json"}, {"INT(5) ZEROFILL", "42", "42", "uinteger"}, {"BOOLEAN", "TRUE", "true", "boolean"},
        {"UUID", "'12345678-90ab-4def-8123-456789abcdef'", "12345678-90ab-4def-8123-456789abcdef", "uuid"},
        {"INET6", "'2001:db8::1'", "2001:db8::1", "varchar"}, {"FLOAT", "16777216", "16777216.0", "float"},
        {"DOUBLE", "0.1", "0.1", "double"}, {"FLOAT(7,3)", "1234.5", "1234.5", "float"}};
    DgDb *db = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[512];
        DgTableInfo info;
        if (mysql8(db) && (!strcmp(cases[i].native, "UUID") || !strcmp(cases[i].native, "INET6")))
            continue;
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS n; CREATE TABLE n (x %s); INSERT INTO n VALUES (%s)", cases[i].native,
                 cases[i].value);
        run_sql(db, sql);
        assert_text_of(db, "SELECT x FROM n", cases[i].text);
        ok(db->engine->describe(db, &arena, (DgTableName){S("t"), S("n")}, &info, &engine_err));
        if (strcmp(dg_type_name((DgTypeKind)info.columns[0].column.type.kind), cases[i].type) != 0)
            fail_msg("%s is described as %s", cases[i].native, dg_type_name((DgTypeKind)info.columns[0].column.type.kind));
    }
    assert_text_of(db, "SELECT SUM(x) FROM (SELECT 1.25 AS x UNION ALL SELECT 2) q;", "3.25");
    assert_text_of(db, "SELECT CONCAT(1, 'a')", "1a");
    assert_text_of(db, "SELECT NULL", "");
    assert_int_of(db, "SELECT 18446744073709551615 > 1", 1);
}

static void what_is_no_value_is_told(void **state)
{
    DgDb *db = *state;
    run_sql(db, "CREATE TABLE z (d DATE, dt DATETIME, ti TIME, b TINYINT(1)); SET sql_mode = '';"
                "INSERT INTO z VALUES ('0000-00-00', '0000-00-00 00:00:00', '100:00:00', 2), ('2024-00-10', NULL, '-01:00:00', -1)");
    read_all(db, "SELECT d FROM z", DG_DATA, "column `d` has the date 0000-00-00");
    assert_non_null(strstr(engine_err.hint, "NULLIF"));
    read_all(db, "SELECT d FROM z WHERE b < 0", DG_DATA, "column `d` has the date 2024-00-10");
    read_all(db, "SELECT dt FROM z", DG_DATA, "column `dt` has the date 0000-00-00");
    read_all(db, "SELECT ti FROM z", DG_DATA, "column `ti` has the time 100:00:00");
    read_all(db, "SELECT ti FROM z WHERE b < 0", DG_DATA, "column `ti` has the time -01:00:00");
    read_all(db, "SELECT b FROM z", DG_DATA, "column `b` is boolean, which cannot hold 2");
    assert_text_of(db, "SELECT CAST(ti AS CHAR) FROM z WHERE b = 2", "100:00:00");
    assert_text_of(db, "SELECT NULLIF(CAST(d AS CHAR), '0000-00-00') FROM z WHERE b = 2", "");
}

static void long_values_are_whole(void **state)
{
    DgDb *db = *state;
    run_sql(db, "CREATE TABLE l (a LONGTEXT, b LONGBLOB, c INT)");
    run_sql(db, "INSERT INTO l VALUES (REPEAT('\xc3\xa4\xc3\xb6', 1000000), REPEAT(x'ff', 5000), 1), ('x', NULL, 2), (REPEAT('y', 4096), '', 3),"
                " (REPEAT('z', 4097), 'b', 4)");
    DgRows *rows;
    DgBatch batch;
    ok(db->engine->query(db, S("SELECT a, b, c FROM l ORDER BY c"), &rows, &engine_err));
    ok(dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, &engine_err));
    fails(rows->next(rows, &batch, &engine_err), DG_END);
    assert_int_equal(batch.rows, 4);
    assert_int_equal(dg_text_get(&batch.vectors[0], 0).len, 4000000);
    assert_int_equal(dg_text_get(&batch.vectors[1], 0).len, 5000);
    assert_int_equal(dg_text_get(&batch.vectors[0], 2).len, 4096);
    assert_int_equal(dg_text_get(&batch.vectors[0], 3).len, 4097);
    assert_int_equal(((int32_t *)batch.vectors[2].values)[3], 4);
    dg_batch_release(&batch);
    rows_close(rows);
    /* And written: beyond a packet of rows, and a statement of one row. */
    for (int pass = 0; pass < 2; pass++) {
        ((MysqlDb *)db)->local_infile = pass == 0;
        char *value = malloc(3000001);
        memset(value, 'q', 3000000);
        value[3000000] = '\0';
        const char *cells[] = {value, "1", "small", "2"};
        const DgColumn columns[] = {{S("a"), {DG_TEXT, 0, 0}, false, {0}}, {S("c"), {DG_INT64, 0, 0}, false, {0}}};
        run_sql(db, "TRUNCATE l");
        insert_all(db, "l", rows_of_text(columns, 2, cells, 2));
        assert_int_of(db, "SELECT SUM(LENGTH(a)) FROM l", 3000005);
        free(value);
    }
}

static void inserts_check_what_columns_hold(void **state)
{
    static const struct { const char *declared, *type, *value, *shown; } good[] = {
        {"INT", "varchar", "42", "42"}, {"INT", "decimal(5,2)", "42.00", "42"}, {"VARCHAR(10)", "integer", "42", "42"},
        {"VARCHAR(10)", "boolean", "true", "true"}, {"DOUBLE", "integer", "3", "3.0"}, {"DATE", "varchar", "2024-01-02", "2024-01-02"},
        {"DATETIME", "date", "2024-01-02", "2024-01-02 00:00:00"}, {"DECIMAL(10,2)", "double", "1.5", "1.50"},
        {"BIT(1)", "boolean", "true", "true"}, {"BIT(9)", "integer", "257", "257"}, {"DATETIME(3)", "timestamp", "2024-01-02 03:04:05.678",
        "2024-01-02 03:04:05.678000"}, {"GEOMETRY", "varchar", "POINT(1 2)", "POINT(1 2)"}, {"TINYINT(1)", "integer", "1", "true"},
        {"UUID", "uuid", "12345678-90ab-4def-8123-456789abcdef", "12345678-90ab-4def-8123-456789abcdef"}, {"FLOAT", "double", "0.5", "0.5"},
        {"BLOB", "varchar", "bytes", "6279746573"}, {"DECIMAL(10,3)", "decimal(10,2)", "1.25", "1.250"}, {"ENUM('a','b')", "varchar", "b", "b"},
        {"INT AUTO_INCREMENT PRIMARY KEY", "integer", "0", "0"}, {"DATETIME(6)", "timestamptz", "2024-01-02 03:04:05+02:00", "2024-01-02 01:04:05"}};
    static const struct { const char *declared, *type, *value, *column; } bad[] = {
        {"INT", "varchar", "4x", "x"}, {"INT", "double", "1.5", "x"}, {"INT", "bigint", "2147483648", "x"}, {"TINYINT UNSIGNED", "integer", "-1", "x"},
        {"DATE", "varchar", "2024-02-30", "x"}, {"DATETIME", "timestamp", "2024-01-02 03:04:05.5", "x"}, {"TIME", "time", "00:00:00.000001", "x"},
        {"DECIMAL(10,2)", "decimal(10,3)", "1.239", "x"}, {"DECIMAL(4,2)", "decimal(10,2)", "123.45", "x"}, {"VARCHAR(3)", "varchar", "abcd", "x"},
        {"VARCHAR(3)", "varchar", "abc  ", "x"}, {"ENUM('a','b')", "varchar", "c", "x"}, {"INT NOT NULL", "integer", "NULL", "x"},
        {"VARCHAR(9) CHARACTER SET latin1", "varchar", "\xe2\x82\xac\xe4\xb8\xad", "x"}, {"FLOAT", "double", "0.1", "x"}, {"DOUBLE", "double", "nan", "x"},
        {"DOUBLE", "double", "inf", "x"}, {"TIMESTAMP(6) NULL", "timestamptz", "2039-01-01 00:00:00+00", "x"}, {"DATETIME(6)", "timestamp", "infinity", "x"},
        {"JSON", "varchar", "{", ""}, {"INT PRIMARY KEY", "integer", "7", ""}, {"INT CHECK (x < 5)", "integer", "9", ""}, {"BLOB", "integer", "1", "x"},
        {"UUID", "varchar", "zz", "x"}, {"DOUBLE", "bigint", "9007199254740993", "x"}, {"BIT(3)", "integer", "8", "x"}};
    DgDb *db = *state;
    size_t goods = sizeof good / sizeof *good, bads = sizeof bad / sizeof *bad;
    for (size_t i = 0; i < 2 * (goods + bads); i++) {
        size_t k = i % (goods + bads);
        bool fine = k < goods;
        k -= fine ? 0 : goods;
        const char *declared = fine ? good[k].declared : bad[k].declared, *type = fine ? good[k].type : bad[k].type;
        const char *value = fine ? good[k].value : bad[k].value;
        char sql[256];
        DgColumn column = {.name = S("X")};
        if (mysql8(db) && !strcmp(declared, "UUID"))
            continue;
        int64_t rows;
        ((MysqlDb *)db)->local_infile = i < goods + bads;
        assert_true(dg_type_parse(str_from(type), &column.type));
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS c; CREATE TABLE c (x %s); %s", declared,
                 strstr(declared, "PRIMARY") ? "INSERT INTO c VALUES (7)" : "");
        run_sql(db, sql);
        DgRows *from = rows_of_text(&column, 1, &value, 1);
        ok(db->engine->begin(db, DG_TX_WRITE, &engine_err));
        DgStatus status = db->engine->insert(db, (DgTableName){S("t"), S("c")}, from, &rows, &engine_err);
        if (status != (fine ? DG_OK : DG_DATA))
            fail_msg("%s into %s (%s): %s %s", value, declared, i < goods + bads ? "load" : "insert", dg_status_name(status),
                     status ? engine_err.message : "");
        snprintf(sql, sizeof sql, "SELECT x FROM c ORDER BY x LIMIT 1 /* %s into %s */", type, declared);
        if (fine)
            assert_text_of(db, sql, good[k].shown);
        else if (bad[k].column[0] && !strstr(engine_err.message, "`x`") && !strstr(engine_err.message, "'x'"))
            fail_msg("%s into %s: %s", value, declared, engine_err.message);
        ok(db->engine->rollback(db, &engine_err));
        rows_close(from);
    }
}

static void errors_have_classes(void **state)
{
    DgDb *db = *state;
    const DgEngine *e = db->engine;
    DgRows *rows;
    DgDb *other;
    int64_t count;
    bool unknown;
    char url[256];
    run_sql(db, "CREATE TABLE e (id INT PRIMARY KEY, x INT) ENGINE=InnoDB");
    fails(e->exec(db, S("SELEC 1"), NULL, &engine_err), DG_FAILED);
    fails(e->exec(db, S("INSERT INTO e VALUES (1, 1); INSERT INTO e VALUES (1, 1)"), NULL, &engine_err), DG_DATA);
    fails(e->exec(db, S("INSERT INTO e VALUES (2, 99999999999)"), NULL, &engine_err), DG_DATA);
    fails(e->query(db, S("SELECT * FROM nowhere"), &rows, &engine_err), DG_FAILED);
    fails(e->query(db, S("SELECT ?"), &rows, &engine_err), DG_FAILED);
    fails(e->query(db, S("INSERT INTO e VALUES (5, 5)"), &rows, &engine_err), DG_FAILED);
    ok(e->exec(db, S("INSERT INTO e VALUES (2, 1), (3, 1); UPDATE e SET x = x"), &count, &engine_err));
    assert_int_equal(count, 3); /* rows found, changed or not */
    /* One snapshot. */
    other = connect_again();
    run_sql(other, "USE t");
    ok(e->begin(db, DG_TX_READ, &engine_err));
    run_sql(other, "INSERT INTO e VALUES (4, 4)");
    assert_int_of(db, "SELECT COUNT(*) FROM e", 3);
    fails(e->exec(db, S("DELETE FROM e"), NULL, &engine_err), DG_NOPERM);
    ok(e->commit(db, &unknown, &engine_err));
    assert_int_of(db, "SELECT COUNT(*) FROM e", 4);
    /* Locks. */
    run_sql(db, "SET innodb_lock_wait_timeout = 1");
    ok(e->begin(other, DG_TX_WRITE, &engine_err));
    run_sql(other, "UPDATE e SET x = 9 WHERE id = 1");
    fails(e->exec(db, S("UPDATE e SET x = 8 WHERE id = 1"), NULL, &engine_err), DG_TEMPFAIL);
    /* A connection that was killed: its transaction is gone, and the outcome of a commit not known. */
    char sql[64];
    snprintf(sql, sizeof sql, "KILL %lu", ((MysqlDb *)other)->thread);
    run_sql(db, sql);
    fails(e->commit(other, &unknown, &engine_err), DG_UNAVAILABLE);
    assert_true(unknown);
    fails(e->exec(other, S("SELECT 1"), NULL, &engine_err), DG_UNAVAILABLE);
    e->close(other);
    assert_int_of(db, "SELECT x FROM e WHERE id = 1", 1);
    /* Who may not come in. */
    DgConn conn;
    snprintf(url, sizeof url, "%s", getenv("DGC_TEST_MYSQL"));
    ok(conn_from_url(&arena, S("MY"), str_from(url), &conn, &engine_err));
    DgPair *props = (DgPair *)conn.props;
    for (int32_t i = 0; i < conn.props_count; i++)
        if (str_eq(props[i].key, S("password")))
            props[i].value = S("hunter2");
    fails(e->open(&conn, &other, &engine_err), DG_NOPERM);
    assert_null(strstr(engine_err.message, "hunter2"));
    ok(conn_from_url(&arena, S("MY"), str_from(url), &conn, &engine_err));
    props = (DgPair *)conn.props;
    for (int32_t i = 0; i < conn.props_count; i++)
        if (str_eq(props[i].key, S("database")))
            props[i].value = S("nosuch");
    fails(e->open(&conn, &other, &engine_err), DG_CONFIG);
    snprintf(url, sizeof url, "%s?tls=required", getenv("DGC_TEST_MYSQL"));
    ok(conn_from_url(&arena, S("MY"), str_from(url), &conn, &engine_err));
    if (mysql8(db)) {
        ok(e->open(&conn, &other, &engine_err));
        Str cipher;
        ok(db_text(other, &arena, S("SELECT VARIABLE_VALUE FROM performance_schema.session_status WHERE VARIABLE_NAME = 'Ssl_cipher'"), &cipher, &engine_err));
        assert_true(cipher.len > 0);
        e->close(other);
    } else { /* the test's server has none */
        fails(e->open(&conn, &other, &engine_err), DG_CONFIG);
    }
    /* A server may not ask for files of ours. */
    run_sql(db, "CREATE TABLE f (line TEXT)");
    fails(e->exec(db, S("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE f"), NULL, &engine_err), DG_FAILED);
    assert_int_of(db, "SELECT COUNT(*) FROM f", 0);
}

static void *interrupt_soon(void *db)
{
    ((DgDb *)db)->engine->interrupt(db);
    return NULL;
}

static void an_interrupt_ends_what_runs(void **state)
{
    DgDb *db = *state;
    pthread_t thread;
    int64_t started = os_monotonic_ms();
    pthread_create(&thread, NULL, interrupt_soon, db);
    fails(db->engine->exec(db, S("SELECT BENCHMARK(1000000000000, MD5('x'))"), NULL, &engine_err), DG_CANCELLED);
    pthread_join(thread, NULL);
    fails(db->engine->exec(db, S("SELECT 1"), NULL, &engine_err), DG_CANCELLED);
    assert_true(os_monotonic_ms() - started < 10000);
    ok(db->engine->rollback(db, &engine_err));
    run_sql(db, "SELECT 1");
    /* A result that is left in the middle does not have to be read to its end. */
    DgRows *rows;
    DgBatch batch;
    run_sql(db, "CREATE TABLE d (x INT); INSERT INTO d VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)");
    started = os_monotonic_ms();
    ok(db->engine->begin(db, DG_TX_READ, &engine_err));
    ok(db->engine->query(db, S("SELECT /*+ NO_BNL() */ a.x FROM d a, d b, d c, d d, d e, d f, d g, d h, d i, d j"), &rows, &engine_err));
    ok(dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, &engine_err));
    ok(rows->next(rows, &batch, &engine_err));
    assert_int_equal(batch.rows, DG_BATCH_ROWS);
    rows_close(rows);
    dg_batch_release(&batch);
    assert_true(os_monotonic_ms() - started < 10000);
    assert_int_of(db, "SELECT 7", 7);
    ok(db->engine->rollback(db, &engine_err));
}

static void kill_it(void *context, int64_t row)
{
    char sql[64];
    DgDb **dbs = context;
    snprintf(sql, sizeof sql, "KILL %lu", ((MysqlDb *)dbs[0])->thread);
    run_sql(dbs[1], sql);
    usleep(200000);
}

static void interrupt_it(void *context, int64_t row)
{
    DgDb **dbs = context;
    dbs[0]->engine->interrupt(dbs[0]);
}

static const char counted[] = "CREATE TABLE counted (id BIGINT PRIMARY KEY, name VARCHAR(40), amount DOUBLE, `at` DATETIME(6), flag TINYINT(1))";

static void a_killed_load_leaves_nothing(void **state)
{
    DgDb *watcher = *state;
    run_sql(watcher, counted);
    for (int pass = 0; pass < 4; pass++) {
        DgDb *db = connect_again(), *dbs[2] = {db, watcher};
        int64_t count;
        run_sql(db, "USE t");
        ((MysqlDb *)db)->local_infile = pass < 2;
        DgRows *rows = rows_counted(0, 400000, 150000, pass % 2 ? interrupt_it : kill_it, dbs);
        ok(db->engine->begin(db, DG_TX_WRITE, &engine_err));
        fails(db->engine->insert(db, (DgTableName){{0}, S("counted")}, rows, &count, &engine_err),
              pass % 2 ? DG_CANCELLED : DG_UNAVAILABLE);
        rows_close(rows);
        db->engine->close(db);
        assert_int_of(watcher, "SELECT COUNT(*) FROM counted", 0);
    }
}

static DgStatus broken_next(DgRows *rows, DgBatch *out, DgError *err)
{
    return dg_fail(err, DG_IO, "the source broke");
}

static void parts_are_all_rows_once(void **state)
{
    DgDb *db = *state;
    StrArray parts;
    DgTableInfos tables;
    DgTableInfo info;
    int64_t sum = 0, count;
    bool unknown;
    struct timespec from, to;
    run_sql(db, counted);
    int64_t wall = os_monotonic_ms();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    insert_all(db, "counted", rows_counted(0, 250000, 0, NULL, NULL));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    print_message("250000 rows loaded in %.3f s, %.3f s of processor time\n", (double)(os_monotonic_ms() - wall) / 1e3,
                  (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    wall = os_monotonic_ms();
    read_all(db, "SELECT * FROM counted", DG_END, "");
    print_message("250000 rows read in %.3f s\n", (double)(os_monotonic_ms() - wall) / 1e3);
    run_sql(db, "DELETE FROM counted WHERE id % 5 = 0; INSERT INTO counted (id) VALUES (-77); ANALYZE TABLE counted");
    ok(db->engine->split(db, &arena, (DgTableName){{0}, S("counted")}, 4, &parts, &engine_err));
    assert_true(parts.count >= 2);
    for (size_t i = 0; i < parts.count; i++) {
        ok(db_int(db, str_format(&arena, "SELECT COUNT(*) FROM counted WHERE %.*s", FMT(parts.items[i])), &count, &engine_err));
        sum += count;
    }
    assert_int_equal(sum, 200001);
    run_sql(db, "CREATE TABLE two (b VARCHAR(9), a INT, c JSON, PRIMARY KEY (b, a)); CREATE VIEW v AS SELECT a FROM two");
    ok(db->engine->split(db, &arena, (DgTableName){S("t"), S("two")}, 4, &parts, &engine_err));
    assert_int_equal(parts.count, 1);
    ok(db->engine->tables(db, &arena, S(""), S("*"), &tables, &engine_err));
    assert_int_equal(tables.count, 3);
    assert_true(tables.items[2].is_view && tables.items[0].rows_estimate > 100000);
    ok(db->engine->tables(db, &arena, S("t"), S("TW?"), &tables, &engine_err));
    assert_int_equal(tables.count, 1);
    ok(db->engine->describe(db, &arena, (DgTableName){{0}, S("two")}, &info, &engine_err));
    assert_int_equal(info.primary_key_count, 2);
    assert_true(str_eq(info.primary_key[0], S("b")) && str_eq(info.primary_key[1], S("a")));
    assert_int_equal(info.columns[2].column.type.kind, DG_JSON);
    assert_true(str_eq(info.name.schema, S("t")));
    fails(db->engine->describe(db, &arena, (DgTableName){S("t"), S("none")}, &info, &engine_err), DG_END);
    fails(db->engine->describe(db, &arena, (DgTableName){S("none"), S("none")}, &info, &engine_err), DG_END);
    run_sql(db, "CREATE TEMPORARY TABLE staged (x JSON, y TIMESTAMP(6) NULL)");
    ok(db->engine->describe(db, &arena, (DgTableName){{0}, S("staged")}, &info, &engine_err));
    assert_int_equal(info.columns[0].column.type.kind, DG_JSON);
    /* The source's own failure is what is told, and nothing stays. */
    DgRows *rows = rows_counted(1000000, 10, 0, NULL, NULL);
    rows->next = broken_next;
    ok(db->engine->begin(db, DG_TX_WRITE, &engine_err));
    fails(db->engine->insert(db, (DgTableName){{0}, S("counted")}, rows, &count, &engine_err), DG_IO);
    assert_string_equal(engine_err.message, "the source broke");
    ok(db->engine->rollback(db, &engine_err));
    rows_close(rows);
    ok(db->engine->begin(db, DG_TX_WRITE, &engine_err));
    ok(db->engine->commit(db, &unknown, &engine_err));
    assert_int_of(db, "SELECT COUNT(*) FROM counted", 200001);
}

int main(void)
{
    const struct CMUnitTest offline[] = {
        cmocka_unit_test(native_types_have_meanings),
        cmocka_unit_test(a_damaged_geometry_is_refused),
        cmocka_unit_test(no_server_is_unavailable),
    };
    const struct CMUnitTest online[] = {
        cmocka_unit_test_setup_teardown(values_come_back, fresh, done),
        cmocka_unit_test_setup_teardown(values_come_back_without_local_files, fresh, done),
        cmocka_unit_test_setup_teardown(every_native_type_is_read, fresh, done),
        cmocka_unit_test_setup_teardown(what_is_no_value_is_told, fresh, done),
        cmocka_unit_test_setup_teardown(long_values_are_whole, fresh, done),
        cmocka_unit_test_setup_teardown(inserts_check_what_columns_hold, fresh, done),
        cmocka_unit_test_setup_teardown(errors_have_classes, fresh, done),
        cmocka_unit_test_setup_teardown(an_interrupt_ends_what_runs, fresh, done),
        cmocka_unit_test_setup_teardown(a_killed_load_leaves_nothing, fresh, done),
        cmocka_unit_test_setup_teardown(parts_are_all_rows_once, fresh, done),
    };
    arena_init(&arena, 1 << 28);
    int failed = getenv("DGC_TEST_MYSQL") ? cmocka_run_group_tests(online, NULL, NULL) : cmocka_run_group_tests(offline, NULL, NULL);
    arena_free(&arena);
    return failed;
}
