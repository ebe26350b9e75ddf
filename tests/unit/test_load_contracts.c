/* Columns of the rows against columns of the table: contracts, wider types, variant columns, names. On
 * SQLite and DuckDB; on a server when DGC_TEST_LOAD names one. */
#include "tests/support/load_test.h"

#include <stdlib.h>

static void new_columns_by_contract(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_UPSERT, "id:bigint name:varchar", "1,a");
    b->spec.new_columns = DG_FREEZE;
    fails(bed_load(b, DG_DISPOSE_UPSERT, "id:bigint more:varchar", "2,x"), DG_DATA);
    assert_non_null(strstr(engine_err.message, "`more`"));
    fails(bed_load(b, DG_DISPOSE_APPEND, "id:bigint more:varchar", "2,x"), DG_DATA);
    bed_is(b, "SELECT id FROM items", "1");
    b->spec.new_columns = DG_DISCARD_VALUE;
    bed_loads(b, DG_DISPOSE_UPSERT, "more:varchar id:bigint name:varchar", "x,2,b|~,3,c");
    assert_int_equal(b->n.values_discarded, 1);
    bed_loads(b, DG_DISPOSE_APPEND, "more:varchar id:bigint", "x,4");
    bed_is(b, "SELECT * FROM items ORDER BY id", "1,a|2,b|3,c|4,~");
    b->spec.new_columns = DG_DISCARD_ROW;
    bed_loads(b, DG_DISPOSE_UPSERT, "id:bigint more:varchar name:varchar", "5,x,e|6,~,f");
    assert_int_equal(b->n.rows_discarded, 1);
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint more:varchar", "7,x|8,~");
    bed_is(b, "SELECT * FROM items WHERE id > 4 ORDER BY id", "6,f|8,~");
    b->spec.new_columns = DG_EVOLVE;
    b->spec.keep_columns = true;
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint more:varchar", "9,x");
    assert_int_equal(b->n.columns_added, 0);
    b->spec.keep_columns = false;
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint more:varchar", "10,x");
    assert_int_equal(b->n.columns_added, 1);
    assert_non_null(strstr(str_cstr(&b->arena, buf_str(&b->drift)), "`more` is new"));
    bed_is(b, "SELECT * FROM items WHERE id > 8 ORDER BY id", "9,~,~|10,~,x");
}

static void new_tables_by_contract(void **state)
{
    static const DgDisposition all[] = {DG_DISPOSE_APPEND, DG_DISPOSE_REPLACE, DG_DISPOSE_TRUNCATE, DG_DISPOSE_UPSERT, DG_DISPOSE_SCD2};
    DgTableInfo info;
    Bed *b = *state;
    bed_keys(b, "id");
    b->spec.new_tables = DG_FREEZE;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        fails(bed_load(b, all[i], "id:bigint", "1"), DG_DATA);
    fails(b->db->engine->describe(b->db, &b->arena, b->spec.table, &info, &engine_err), DG_END);
}

static void types_by_contract(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_UPSERT, "id:bigint n:bigint", "1,1");
    b->spec.types = DG_FREEZE;
    fails(bed_load(b, DG_DISPOSE_UPSERT, "id:bigint n:varchar", "2,word"), DG_DATA);
    assert_non_null(strstr(engine_err.message, "column `n` of table `items` is "));
    assert_non_null(strstr(engine_err.message, "the rows have varchar"));
    bed_loads(b, DG_DISPOSE_UPSERT, "id:bigint n:integer", "2,2"); /* that one fits */
    b->spec.types = DG_DISCARD_VALUE;
    bed_loads(b, DG_DISPOSE_UPSERT, "id:bigint n:varchar", "3,word|4,~");
    assert_int_equal(b->n.values_discarded, 1);
    b->spec.types = DG_DISCARD_ROW;
    bed_loads(b, DG_DISPOSE_UPSERT, "id:bigint n:varchar", "5,word|6,~");
    assert_int_equal(b->n.rows_discarded, 1);
    bed_is(b, "SELECT id, n FROM items ORDER BY id", "1,1|2,2|3,~|4,~|6,~");
    fails(bed_load(b, DG_DISPOSE_UPSERT, "id:varchar", "x"), DG_DATA); /* keys must be kept */
    b->spec.types = DG_EVOLVE;
    fails(bed_load(b, DG_DISPOSE_UPSERT, "id:varchar", "x"), DG_DATA);
    assert_non_null(strstr(engine_err.message, "a key cannot be matched"));
}

static void values_of_another_type_get_a_variant(void **state)
{
    Bed *b = *state;
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint n:bigint", "1,1");
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint n:varchar", "2,word");
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint n:varchar", "3,again");
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint n:bigint", "4,4");
    bed_columns(b, "id:bigint n:bigint n__v_varchar:varchar");
    bed_is(b, "SELECT * FROM items ORDER BY id", "1,1,~|2,~,word|3,~,again|4,4,~");
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint n:date", "5,2024-01-02");
    bed_is(b, "SELECT n, n__v_varchar, n__v_date FROM items WHERE id = 5", "~,~,2024-01-02");
    assert_non_null(strstr(str_cstr(&b->arena, buf_str(&b->drift)), "go to column `n__v_date`"));
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint d:date", "6,2024-01-02");
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint d:decimal(5,2)", "7,1.25");
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint d:decimal(7,3)", "8,1.125"); /* the variant gets wider */
    bed_is(b, "SELECT id, d, d__v_decimal FROM items WHERE id > 5 ORDER BY id", "6,2024-01-02,~|7,~,1.250|8,~,1.125");
}

/* What a column is read as after rows of another type came. SQLite and MySQL have other types than were
 * asked for: there the values count. */
static void types_become_wider_never_narrower(void **state)
{
    static const struct { const char *have, *value, *come, *next, *type, *values; } cases[] = {
        {"integer", "1", "bigint", "5000000000", "bigint", "1|5000000000"},
        {"bigint", "5000000000", "integer", "1", "bigint", "1|5000000000"},
        {"smallint", "1", "integer", "70000", "integer", "1|70000"},
        {"integer", "1", "decimal(10,2)", "2.50", "decimal(12,2)", "1.00|2.50"},
        {"decimal(10,2)", "1.50", "decimal(12,4)", "2.5001", "decimal(12,4)", "1.5000|2.5001"},
        {"decimal(12,4)", "1.5000", "decimal(10,2)", "2.50", "decimal(12,4)", "1.5000|2.5000"},
        {"decimal(10,2)", "1.50", "bigint", "2", "decimal(21,2)", "1.50|2.00"},
        {"float", "1.5", "double", "2.25", "double", "1.5|2.25"},
        {"integer", "1", "double", "2.5", "double", "1.0|2.5"},
        {"double", "1.5", "integer", "2", "double", "1.5|2.0"},
        {"date", "2024-01-01", "timestamp", "2024-01-01 10:00:00", "timestamp", "2024-01-01 00:00:00|2024-01-01 10:00:00"},
        {"timestamp", "2024-01-01 10:00:00", "date", "2024-01-01", "timestamp", "2024-01-01 00:00:00|2024-01-01 10:00:00"},
        {"varchar", "a", "integer", "7", "varchar", "7|a"},
        {"varchar", "a", "decimal(10,2)", "7.50", "varchar", "7.50|a"},
        {"varchar", "a", "boolean", "true", "varchar", "a|true"},
        {"varchar", "a", "date", "2024-01-01", "varchar", "2024-01-01|a"},
        {"varchar", "a", "uuid", "12345678-90ab-cdef-0123-456789abcdef", "varchar", "12345678-90ab-cdef-0123-456789abcdef|a"},
        {"utinyint", "200", "bigint", "-5000000000", "bigint", "-5000000000|200"},
    };
    Bed *b = *state;
    bool exact = bed_is_on(b, "duckdb") || bed_is_on(b, "postgres");
    for (int merged = 0; merged < 2; merged++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            if (bed_is_on(b, "sqlite") && !strcmp(cases[i].have, "integer") && !strcmp(cases[i].come, "double"))
                continue; /* its integers may have 19 digits, which no double holds */
            DgDisposition how = merged ? DG_DISPOSE_UPSERT : DG_DISPOSE_APPEND;
            Str first = str_format(&b->arena, "k:integer v:%s", cases[i].have), second = str_format(&b->arena, "k:integer v:%s", cases[i].come);
            bed_keys(b, merged ? "k" : "");
            run_sql(b->db, "DROP TABLE IF EXISTS items");
            bed_loads(b, how, first.ptr, str_format(&b->arena, "1,%s", cases[i].value).ptr);
            bed_loads(b, how, second.ptr, str_format(&b->arena, "2,%s", cases[i].next).ptr);
            if (exact)
                bed_columns(b, str_format(&b->arena, "k:integer v:%s", cases[i].type).ptr);
            bed_is(b, "SELECT v FROM items ORDER BY v", cases[i].values);
        }
}

static void what_a_double_cannot_hold_is_kept_elsewhere(void **state)
{
    Bed *b = *state;
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint n:bigint", "1,9007199254740993");
    bed_loads(b, DG_DISPOSE_APPEND, "id:bigint n:double", "2,0.5");
    bed_is(b, "SELECT n, n__v_double FROM items ORDER BY id", "9007199254740993,~|~,0.5");
}

static void a_widened_table_keeps_the_rest(void **state)
{
    Bed *b = *state;
    run_sql(b->db, "CREATE TABLE items (id integer NOT NULL PRIMARY KEY, d date, name varchar(20) NOT NULL)");
    run_sql(b->db, "CREATE INDEX by_name ON items (name)");
    run_sql(b->db, "INSERT INTO items VALUES (1, '2024-01-01', 'a')");
    if (!bed_is_on(b, "postgres") && !bed_is_on(b, "duckdb")) /* there a view or an index keeps columns as they are */
        run_sql(b->db, "CREATE VIEW over_items AS SELECT d FROM items");
    if (bed_is_on(b, "duckdb"))
        run_sql(b->db, "DROP INDEX by_name");
    bed_keys(b, "id");
    DgStatus status = bed_load(b, DG_DISPOSE_UPSERT, "id:integer d:timestamp name:varchar", "1,2024-01-01 10:00:00,b|2,2024-01-02,c");
    if (bed_is_on(b, "duckdb") && status != DG_OK) { /* it alters no table that has a key: an error, and all as it was */
        bed_is(b, "SELECT count(*) FROM items", "1");
        return;
    }
    fails(status, DG_OK);
    bed_is(b, "SELECT d, name FROM items ORDER BY id", "2024-01-01 10:00:00,b|2024-01-02 00:00:00,c");
    if (bed_is_on(b, "sqlite")) {
        bed_is(b, "SELECT count(*) FROM sqlite_schema WHERE name = 'by_name'", "1");
        bed_is(b, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%old%'", "0");
        bed_is(b, "SELECT d FROM over_items ORDER BY d", "2024-01-01 10:00:00|2024-01-02 00:00:00");
    }
    fails(b->db->engine->exec(b->db, S("INSERT INTO items (id, name) VALUES (1, 'x')"), NULL, &engine_err), DG_DATA);
    fails(b->db->engine->exec(b->db, S("INSERT INTO items (id) VALUES (3)"), NULL, &engine_err), DG_DATA);
}

/* ---- Names ---- */

static void assert_named(Bed *b, DgCasing casing, const DgDialect *d, const char *from, const char *expected)
{
    Str name = naming_apply(&b->arena, casing, d, str_from(from));
    if (!str_eq(name, str_from(expected)))
        fail_msg("%s: `%.*s` instead of `%s`", from, FMT(name), expected);
}

static void names_by_casing(void **state)
{
    static const struct { DgCasing casing; const char *from, *to; } cases[] = {
        {DG_CASING_SOURCE, "Order ID", "Order ID"}, {DG_CASING_SNAKE, "OrderID", "order_id"}, {DG_CASING_SNAKE, "HTTPServer2Go", "httpserver2_go"},
        {DG_CASING_SNAKE, "Order-Number #", "order_number_"}, {DG_CASING_SNAKE, "2nd", "_2nd"}, {DG_CASING_SNAKE, "a_b", "a_b"},
        {DG_CASING_UPPER, " Order - Id", "ORDER_ID"}, {DG_CASING_LOWER, "2 Ids", "_2_ids"}, {DG_CASING_CAMEL, "order_id number", "orderIdNumber"},
        {DG_CASING_CAMEL, "OrderId", "orderId"}, {DG_CASING_TARGET, "ORDERS", "orders"}, {DG_CASING_NORMALIZE, "ORDERS", "orders"},
        {DG_CASING_NORMALIZE, "OrderId", "OrderId"}, {DG_CASING_NORMALIZE, "order id", "order id"}, {DG_CASING_LOWER, "\xc3\x89", "\xc3\x89"},
        {DG_CASING_CAMEL, "HTTPCode", "httpcode"}, {DG_CASING_CAMEL, "__", "__"}, {DG_CASING_TARGET, "Full Name", "full_name"},
        {DG_CASING_NORMALIZE, "\xc3\x89" "A", "\xc3\x89" "A"},
    };
    Bed *b = *state;
    const DgDialect *d = dg_engine_postgres.dialect;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_named(b, cases[i].casing, d, cases[i].from, cases[i].to);
    Str one = naming_apply(&b->arena, DG_CASING_SOURCE, d, str_format(&b->arena, "%0100d", 1));
    Str two = naming_apply(&b->arena, DG_CASING_SOURCE, d, str_format(&b->arena, "%0100d", 2));
    assert_int_equal(one.len, 63);
    assert_false(str_eq(one, two));
    assert_true(str_eq(one, naming_apply(&b->arena, DG_CASING_SOURCE, d, str_format(&b->arena, "%0100d", 1))));
    Str wide = naming_apply(&b->arena, DG_CASING_SOURCE, d, str_replace(&b->arena, str_format(&b->arena, "a%050d", 0), S("0"), S("\xc3\xa9")));
    assert_true(wide.len <= 63 && str_utf8_valid(wide, &(ptrdiff_t){0}));
}

static void names_that_meet_are_told(void **state)
{
    Bed *b = *state;
    b->spec.casing = DG_CASING_SNAKE;
    fails(bed_load(b, DG_DISPOSE_APPEND, "OrderID:bigint order_id:bigint", "1,2"), DG_DATA);
    assert_non_null(strstr(engine_err.message, "`OrderID` and `order_id` are both called `order_id`"));
    bed_keys(b, "OrderID");
    b->spec.update_key = S("ChangedAt");
    bed_loads(b, DG_DISPOSE_UPSERT, "OrderID:bigint ChangedAt:bigint", "1,2|1,1");
    bed_columns(b, "order_id:bigint changed_at:bigint");
    bed_is(b, "SELECT * FROM items", "1,2");
    b->spec.casing = DG_CASING_SOURCE;
    b->spec.update_key = (Str){0};
    bed_keys(b, "order_id");
    bed_loads(b, DG_DISPOSE_UPSERT, "order_id:bigint it's+\"a\"+`name`:varchar", "1,x");
    bed_is(b, "SELECT * FROM items", "1,2,x");
}

#define CASE(f) {#f, f, bed_fresh, bed_done, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(new_columns_by_contract), CASE(new_tables_by_contract), CASE(types_by_contract), CASE(values_of_another_type_get_a_variant),
        CASE(types_become_wider_never_narrower), CASE(what_a_double_cannot_hold_is_kept_elsewhere), CASE(a_widened_table_keeps_the_rest),
        CASE(names_by_casing), CASE(names_that_meet_are_told),
    };
    if (getenv("DGC_TEST_LOAD"))
        return cmocka_run_group_tests_name("a server", tests, NULL, NULL);
    int failed = cmocka_run_group_tests_name("SQLite", tests, NULL, NULL);
    const char *engines = getenv("DGC_TEST_ENGINES"); /* valgrind takes DuckDB for minutes */
    if (engines && strcmp(engines, "sqlite") == 0)
        return failed;
    bed_engine = "duckdb";
    return failed + cmocka_run_group_tests_name("DuckDB", tests, NULL, NULL);
}
