/* Loads whose rows hold JSON: columns and tables that come of it, by disposition. On SQLite and DuckDB; on a
 * server when DGC_TEST_LOAD names one. */
#include "tests/support/load_test.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const ROWS = "id:bigint doc:json";
static const char *const LINES = "SELECT p.id, l._dlt_list_idx, l.sku, l.n FROM items p JOIN items__doc__lines l ON l._dlt_parent_id = p._dlt_id "
                                 "AND l._dlt_root_id = p._dlt_id ORDER BY 1, 2";

static void nest(Bed *b, int32_t levels)
{
    b->spec.nesting = levels;
    b->spec.folder = str_from(b->folder);
}

/* No row of a list is without its parent. */
static void no_orphans(Bed *b, const char *table, const char *parent)
{
    char sql[512];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE _dlt_parent_id NOT IN (SELECT _dlt_id FROM %s)", table, parent);
    bed_is(b, sql, "0");
    snprintf(sql, sizeof sql, "SELECT count(*) - count(DISTINCT _dlt_id) FROM %s", table);
    bed_is(b, sql, "0");
}

static void objects_are_columns_and_lists_are_tables(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_loads(b, DG_DISPOSE_REPLACE, ROWS,
              "1,{\"who\":{\"name\":\"Ann\";\"age\":7};\"lines\":[{\"sku\":\"a\";\"n\":1};{\"sku\":\"b\"}];\"tags\":[\"x\";null;\"y\"]}|2,{\"who\":{\"name\":\"Bo\"}}|3,~");
    bed_is(b, "SELECT id, doc__who__name, doc__who__age FROM items ORDER BY id", "1,Ann,7|2,Bo,~|3,~,~");
    bed_is(b, LINES, "1,0,a,1|1,1,b,~");
    bed_is(b, "SELECT _dlt_list_idx, value FROM items__doc__tags ORDER BY 1", "0,x|1,~|2,y");
    no_orphans(b, "items__doc__lines", "items");
    assert_int_equal(b->n.rows_read, 3);
    assert_int_equal(b->n.nested_rows, 5);
    assert_int_equal(b->n.nested_tables, 2);
}

static void lists_in_lists(void **state)
{
    Bed *b = *state;
    nest(b, 9);
    bed_loads(b, DG_DISPOSE_APPEND, ROWS, "1,[{\"k\":[{\"v\":1};{\"v\":2}]};{\"k\":[]};{\"k\":[{\"v\":3}]}]|2,[[10;20];[];[30]]");
    bed_is(b, "SELECT i._dlt_list_idx, k._dlt_list_idx, k.v FROM items__doc i JOIN items__doc__k k ON k._dlt_parent_id = i._dlt_id ORDER BY 1, 2",
           "0,0,1|0,1,2|2,0,3");
    bed_is(b, "SELECT p.id, i._dlt_list_idx, l._dlt_list_idx, l.value FROM items__doc__list l JOIN items__doc i ON l._dlt_parent_id = i._dlt_id "
              "JOIN items p ON l._dlt_root_id = p._dlt_id ORDER BY 1, 2, 3", "2,0,0,10|2,0,1,20|2,2,0,30");
    bed_is(b, "SELECT count(*) FROM items__doc", "6"); /* the empty ones keep their place */
    no_orphans(b, "items__doc__k", "items__doc");
}

static void what_lies_deeper_stays_json(void **state)
{
    Bed *b = *state;
    nest(b, 1);
    bed_loads(b, DG_DISPOSE_REPLACE, ROWS, "1,{\"a\":{\"b\":1};\"c\":2}");
    bed_is(b, "SELECT doc__c FROM items", "2");
    bed_is(b, "SELECT count(*) FROM items WHERE doc__a IS NOT NULL", "1");
    bed_loads(b, DG_DISPOSE_REPLACE, ROWS, "1,[{\"x\":{\"y\":1}};[1;2];3]");
    bed_is(b, "SELECT _dlt_list_idx, count(x), count(value) FROM items__doc GROUP BY 1 ORDER BY 1", "0,1,0|1,0,1|2,0,1");
    nest(b, 0);
    run_sql(b->db, "DROP TABLE items");
    bed_loads(b, DG_DISPOSE_REPLACE, ROWS, "1,[1]");
    bed_is(b, "SELECT id, doc FROM items", "1,[1]");
}

static void a_column_may_stay_whole(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    array_add(&b->arena, &b->spec.json_columns, S("DOC"));
    bed_loads(b, DG_DISPOSE_REPLACE, "id:bigint doc:json more:json", "1,[1],{\"z\":1}");
    bed_is(b, "SELECT id, doc, more__z FROM items", "1,[1],1");
}

static void merged_rows_replace_their_lists(void **state)
{
    Bed *b = *state;
    DgDisposition merges[] = {DG_DISPOSE_UPSERT, DG_DISPOSE_DELETE_INSERT};
    nest(b, 5);
    bed_keys(b, "id");
    for (int i = 0; i < 2; i++) {
        bed_loads(b, merges[i], ROWS, "1,{\"note\":\"old\";\"lines\":[{\"sku\":\"a\";\"n\":1};{\"sku\":\"b\";\"n\":2}]}|2,{\"lines\":[{\"sku\":\"c\";\"n\":3}]}");
        bed_is(b, LINES, "1,0,a,1|1,1,b,2|2,0,c,3");
        bed_loads(b, merges[i], ROWS, "1,{\"lines\":[{\"sku\":\"b\";\"n\":5}]}|3,{\"lines\":[{\"sku\":\"d\";\"n\":4}]}");
        bed_is(b, LINES, "1,0,b,5|2,0,c,3|3,0,d,4");
        bed_is(b, "SELECT id, doc__note FROM items ORDER BY id", "1,~|2,~|3,~"); /* nothing old is left */
        bed_loads(b, merges[i], ROWS, "1,{\"lines\":[{\"sku\":\"b\";\"n\":5}]}|3,{\"lines\":[{\"sku\":\"d\";\"n\":4}]}"); /* the same again */
        bed_is(b, LINES, "1,0,b,5|2,0,c,3|3,0,d,4");
        bed_loads(b, merges[i], ROWS, "1,{}|2,~"); /* no list at all */
        bed_is(b, LINES, "3,0,d,4");
        no_orphans(b, "items__doc__lines", "items");
        bed_loads(b, DG_DISPOSE_REPLACE, ROWS, "");
        bed_is(b, "SELECT count(*) FROM items__doc__lines", "0");
    }
}

static void the_newest_of_a_key_brings_its_lists(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_keys(b, "id");
    b->spec.update_key = S("at");
    bed_loads(b, DG_DISPOSE_UPSERT, "id:bigint at:bigint doc:json", "1,5,{\"lines\":[{\"sku\":\"new\";\"n\":1}]}|1,4,{\"lines\":[{\"sku\":\"old\";\"n\":1};{\"sku\":\"old\";\"n\":2}]}");
    bed_is(b, LINES, "1,0,new,1");
}

static void insert_and_update_only(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_INSERT_ONLY, ROWS, "1,{\"lines\":[{\"sku\":\"a\";\"n\":1}]}");
    bed_loads(b, DG_DISPOSE_INSERT_ONLY, ROWS, "1,{\"lines\":[{\"sku\":\"z\";\"n\":9}]}|2,{\"lines\":[{\"sku\":\"b\";\"n\":2}]}");
    bed_is(b, LINES, "1,0,a,1|2,0,b,2");
    bed_loads(b, DG_DISPOSE_UPDATE_ONLY, ROWS, "2,{\"lines\":[{\"sku\":\"c\";\"n\":3}]}|3,{\"lines\":[{\"sku\":\"z\";\"n\":9}]}");
    bed_is(b, LINES, "1,0,a,1|2,0,c,3");
    no_orphans(b, "items__doc__lines", "items");
}

static void deleted_rows_take_their_lists_with_them(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_keys(b, "id");
    b->spec.deletes = DG_DELETES_HARD;
    bed_loads(b, DG_DISPOSE_UPSERT, ROWS, "1,{\"lines\":[{\"sku\":\"a\";\"n\":1}];\"tags\":[1]}|2,{\"lines\":[{\"sku\":\"b\";\"n\":2}];\"tags\":[2]}");
    bed_loads(b, DG_DISPOSE_UPSERT, ROWS, "2,{\"lines\":[{\"sku\":\"b\";\"n\":2}]}");
    bed_is(b, LINES, "2,0,b,2");
    bed_is(b, "SELECT count(*) FROM items__doc__tags", "0");
}

static void append_adds_and_replace_replaces(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_loads(b, DG_DISPOSE_APPEND, ROWS, "1,{\"lines\":[{\"sku\":\"a\";\"n\":1}]}");
    bed_loads(b, DG_DISPOSE_APPEND, ROWS, "1,{\"lines\":[{\"sku\":\"a\";\"n\":1}]}");
    bed_is(b, LINES, "1,0,a,1|1,0,a,1");
    no_orphans(b, "items__doc__lines", "items");
    bed_loads(b, DG_DISPOSE_REPLACE, ROWS, "2,{\"lines\":[{\"sku\":\"b\";\"n\":1}]}");
    bed_is(b, LINES, "2,0,b,1");
    bed_loads(b, DG_DISPOSE_REPLACE, ROWS, "2,{\"other\":[1]}");
    bed_is(b, "SELECT count(*) FROM items__doc__lines", "0");
    bed_is(b, "SELECT value FROM items__doc__other", "1");
    bed_loads(b, DG_DISPOSE_TRUNCATE, ROWS, "3,{\"lines\":[{\"sku\":\"c\";\"n\":1}]}");
    bed_is(b, LINES, "3,0,c,1");
    bed_is(b, "SELECT count(*) FROM items__doc__other", "0");
}

static void a_load_that_fails_leaves_the_lists(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_UPSERT, ROWS, "1,{\"lines\":[{\"sku\":\"a\";\"n\":1}]}");
    b->spec.post_sql = S("UPDATE nosuch SET x = 1");
    assert_int_not_equal(bed_load(b, DG_DISPOSE_UPSERT, ROWS, "1,{\"lines\":[{\"sku\":\"b\";\"n\":2}]}"), DG_OK);
    bed_is(b, LINES, "1,0,a,1");
    assert_int_not_equal(bed_load(b, DG_DISPOSE_REPLACE, ROWS, "1,{\"lines\":[{\"sku\":\"b\";\"n\":2}]}"), DG_OK);
    bed_is(b, LINES, "1,0,a,1");
    b->spec.post_sql = (Str){0};
    b->fail_after = 1;
    fails(bed_load(b, DG_DISPOSE_UPSERT, ROWS, "1,{\"lines\":[]}"), DG_UNAVAILABLE);
    bed_is(b, LINES, "1,0,a,1");
}

static void lists_evolve(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_UPSERT, ROWS, "1,{\"lines\":[{\"sku\":\"a\";\"n\":1}]}");
    bed_loads(b, DG_DISPOSE_UPSERT, ROWS, "2,{\"lines\":[{\"sku\":\"b\";\"n\":2;\"more\":true}];\"fresh\":[1]}");
    bed_is(b, "SELECT sku, n, more FROM items__doc__lines ORDER BY sku", "a,1,~|b,2,true");
    assert_int_equal(b->n.columns_added, 1);
    bed_loads(b, DG_DISPOSE_UPSERT, ROWS, "3,{\"lines\":[{\"sku\":\"c\";\"n\":\"many\"}]}");
    bed_is(b, "SELECT sku, n, n__v_varchar FROM items__doc__lines ORDER BY sku", "a,1,~|b,2,~|c,~,many");
}

static void contracts_hold_for_lists(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_loads(b, DG_DISPOSE_APPEND, ROWS, "1,{\"lines\":[{\"sku\":\"a\";\"n\":1}]}");
    b->spec.new_columns = DG_DISCARD_VALUE;
    bed_loads(b, DG_DISPOSE_APPEND, ROWS, "2,{\"lines\":[{\"sku\":\"b\";\"n\":1;\"more\":1}];\"fresh\":[1;2];\"x\":1}");
    assert_int_equal(b->n.values_discarded, 4);
    assert_true(str_find(buf_str(&b->drift), S("list `items__doc__fresh` is new and is left out")) >= 0);
    bed_is(b, LINES, "1,0,a,1|2,0,b,1");
    b->spec.new_columns = DG_FREEZE;
    fails(bed_load(b, DG_DISPOSE_APPEND, ROWS, "2,{\"fresh\":[1]}"), DG_DATA);
    fails(bed_load(b, DG_DISPOSE_APPEND, ROWS, "2,{\"lines\":[{\"more\":1}]}"), DG_DATA);
    b->spec.new_columns = DG_DISCARD_ROW;
    fails(bed_load(b, DG_DISPOSE_APPEND, ROWS, "2,{}"), DG_CONFIG);
    b->spec.new_columns = DG_EVOLVE;
    bed_keys(b, "id");
    fails(bed_load(b, DG_DISPOSE_SCD2, ROWS, "2,{}"), DG_CONFIG);
}

static void lists_that_are_json_again_are_told(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_loads(b, DG_DISPOSE_APPEND, ROWS, "1,{\"lines\":[{\"sku\":\"a\";\"n\":1}]}");
    nest(b, 0);
    bed_loads(b, DG_DISPOSE_APPEND, ROWS, "2,{}");
    assert_true(str_find(buf_str(&b->drift), S("items__doc__lines")) >= 0);
}

static void types_hold_every_value(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_loads(b, DG_DISPOSE_REPLACE, ROWS,
              "1,{\"i\":9007199254740993;\"d\":0.1;\"big\":18446744073709551616;\"exact\":0.1234567890123456789;\"mixed\":1;\"huge\":1;\"t\":\"2024-05-06T07:08:09Z\"}|"
              "2,{\"i\":-5;\"d\":1e3;\"big\":1;\"exact\":12.5;\"mixed\":\"a\\u00e4\\ud83d\\ude00\";\"huge\":1e400;\"t\":null}");
    bed_is(b, "SELECT doc__i FROM items ORDER BY id", "9007199254740993|-5");
    bed_is(b, "SELECT doc__d FROM items ORDER BY id", "0.1|1000.0");
    bed_is(b, "SELECT doc__mixed FROM items ORDER BY id", "1|a\xc3\xa4\xf0\x9f\x98\x80");
    bed_is(b, "SELECT doc__huge FROM items ORDER BY id", "1|1e400");
    if (!bed_is_on(b, "sqlite")) { /* which has no decimals */
        bed_is(b, "SELECT doc__big FROM items ORDER BY id", "18446744073709551616|1");
        bed_is(b, "SELECT doc__exact FROM items ORDER BY id", "0.1234567890123456789|12.5000000000000000000");
    }
    bed_is(b, "SELECT count(*) FROM items WHERE doc__t IS NULL", "1");
}

static void json_that_is_none_is_refused(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    static const char *const wrong[] = {"{", "[1", "{\"a\":}", "{\"a\" 1}", "{\"a\":1]", "[1;;2]", "{\"a\":\"\\x\"}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}",
                                        "{\"a\":-}", "{\"a\":1.}", "nul", "1 2", "{\"a\":tru}", "[1;]", "{\"a\":1;}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char row[64];
        snprintf(row, sizeof row, "1,%s", wrong[i]);
        DgStatus status = bed_load(b, DG_DISPOSE_APPEND, ROWS, row);
        if (status != DG_DATA)
            fail_msg("%s: %s", wrong[i], dg_status_name(status));
        if (!strstr(engine_err.message, "row 1 has JSON with"))
            fail_msg("%s: %s", wrong[i], engine_err.message);
    }
}

/* An object whose names are ids makes a column of each: bounded. */
static void columns_and_tables_are_bounded(void **state)
{
    Bed *b = *state;
    StrBuf rows = {0};
    nest(b, 5);
    buf_add(&rows, S("1,{\"a\":0"));
    for (int i = 0; i < 5000; i++)
        buf_format(&rows, ";\"k%d\":1", i);
    buf_add(&rows, S("}"));
    buf_char(&rows, 0);
    fails(bed_load(b, DG_DISPOSE_APPEND, ROWS, rows.ptr), DG_DATA);
    assert_non_null(strstr(engine_err.message, "more than 4080 columns"));
    rows.len = 0;
    buf_add(&rows, S("1,{\"a\":0"));
    for (int i = 0; i < 300; i++)
        buf_format(&rows, ";\"k%d\":[1]", i);
    buf_add(&rows, S("}"));
    buf_char(&rows, 0);
    fails(bed_load(b, DG_DISPOSE_APPEND, ROWS, rows.ptr), DG_DATA);
    assert_non_null(strstr(engine_err.message, "more than 256 tables"));
    buf_free(&rows);
}

static void ids_are_the_same_every_time(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_UPSERT, ROWS, "1,{\"lines\":[{\"sku\":\"a\";\"n\":1}]}");
    run_sql(b->db, "CREATE TABLE kept AS SELECT _dlt_id FROM items__doc__lines");
    run_sql(b->db, "DELETE FROM items__doc__lines");
    bed_loads(b, DG_DISPOSE_UPSERT, ROWS, "7,{}|1,{\"lines\":[{\"sku\":\"b\";\"n\":1}]}");
    bed_is(b, "SELECT count(*) FROM items__doc__lines WHERE _dlt_id IN (SELECT _dlt_id FROM kept)", "1");
}

/* A table of the user's that happens to be called like a list: no disposition touches it. */
static void a_table_of_somebody_else_is_left_alone(void **state)
{
    Bed *b = *state;
    static const DgDisposition all[] = {DG_DISPOSE_APPEND, DG_DISPOSE_REPLACE, DG_DISPOSE_TRUNCATE, DG_DISPOSE_UPSERT};
    nest(b, 5);
    bed_keys(b, "id");
    run_sql(b->db, "CREATE TABLE items__doc__lines (sku VARCHAR(20))");
    run_sql(b->db, "INSERT INTO items__doc__lines VALUES ('mine')");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        fails(bed_load(b, all[i], ROWS, "1,{\"lines\":[{\"sku\":\"a\"}]}"), DG_DATA);
        assert_non_null(strstr(engine_err.message, "is not one of list elements"));
        bed_is(b, "SELECT * FROM items__doc__lines", "mine");
    }
}

static void camel_case_keeps_the_links(void **state)
{
    Bed *b = *state;
    nest(b, 5);
    bed_keys(b, "id");
    b->spec.casing = DG_CASING_CAMEL;
    for (int i = 0; i < 2; i++)
        bed_loads(b, DG_DISPOSE_UPSERT, ROWS, "1,{\"lines\":[{\"sku\":\"a\"}]}");
    bed_is(b, bed_is_on(b, "mysql") ? "SELECT count(*) FROM items__docLines l JOIN items p ON l._dlt_root_id = p._dlt_id"
                                    : "SELECT count(*) FROM \"items__docLines\" l JOIN items p ON l._dlt_root_id = p._dlt_id", "1");
}

#define CASE(f) {#f, f, bed_fresh, bed_done, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(objects_are_columns_and_lists_are_tables), CASE(lists_in_lists), CASE(what_lies_deeper_stays_json), CASE(a_column_may_stay_whole),
        CASE(merged_rows_replace_their_lists), CASE(the_newest_of_a_key_brings_its_lists), CASE(insert_and_update_only),
        CASE(deleted_rows_take_their_lists_with_them), CASE(append_adds_and_replace_replaces), CASE(a_load_that_fails_leaves_the_lists),
        CASE(lists_evolve), CASE(contracts_hold_for_lists), CASE(lists_that_are_json_again_are_told), CASE(types_hold_every_value),
        CASE(json_that_is_none_is_refused), CASE(columns_and_tables_are_bounded), CASE(ids_are_the_same_every_time),
        CASE(a_table_of_somebody_else_is_left_alone), CASE(camel_case_keeps_the_links),
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
