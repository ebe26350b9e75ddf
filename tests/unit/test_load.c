/* Loads by disposition: the first one, the same again, changed rows, rows twice, no rows, new and missing
 * columns. On SQLite and DuckDB; on a server when DGC_TEST_LOAD names one. */
#include "tests/support/load_test.h"

#include <stdlib.h>

static const char *const COLUMNS = "id:bigint name:varchar n:bigint";
static const char *const ITEMS = "SELECT id, name, n FROM items ORDER BY id, n, name";

static void counts_are(Bed *b, int64_t read, int64_t inserted, int64_t updated, int64_t deleted)
{
    if (b->n.rows_read != read || b->n.rows_inserted != inserted || b->n.rows_updated != updated || b->n.rows_deleted != deleted)
        fail_msg("%lld read, %lld inserted, %lld updated, %lld deleted", (long long)b->n.rows_read, (long long)b->n.rows_inserted,
                 (long long)b->n.rows_updated, (long long)b->n.rows_deleted);
}

static void append_adds(void **state)
{
    Bed *b = *state;
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "1,a,1|2,~,~");
    counts_are(b, 2, 2, 0, 0);
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "1,a,1|3,c,3");
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "");
    counts_are(b, 0, 0, 0, 0);
    bed_is(b, ITEMS, "1,a,1|1,a,1|2,~,~|3,c,3");
    bed_loads(b, DG_DISPOSE_APPEND, "n:bigint id:bigint extra:varchar", "4,4,x"); /* another order, one more, one less */
    bed_is(b, "SELECT id, name, n, extra FROM items WHERE id > 2 ORDER BY id", "3,c,3,~|4,~,4,x");
    assert_int_equal(b->n.columns_added, 1);
}

static void replace_is_the_new_rows(void **state)
{
    Bed *b = *state;
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "1,a,1|2,~,~");
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "1,a,1|2,~,~");
    counts_are(b, 2, 2, 0, 0);
    bed_is(b, ITEMS, "1,a,1|2,~,~");
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "3,c,3");
    bed_is(b, ITEMS, "3,c,3");
    bed_loads(b, DG_DISPOSE_REPLACE, "id:bigint n:varchar", "4,word"); /* one column gone, one of another type */
    bed_columns(b, "id:bigint n:varchar");
    bed_is(b, "SELECT * FROM items", "4,word");
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "");
    bed_is(b, ITEMS, "");
}

static void replace_keeps_the_old_rows_when_it_fails(void **state)
{
    Bed *b = *state;
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "1,a,1");
    b->fail_after = 1;
    fails(bed_load(b, DG_DISPOSE_REPLACE, COLUMNS, "2,b,2"), DG_UNAVAILABLE);
    fails(bed_load(b, DG_DISPOSE_REPLACE, "id:varchar", "2"), DG_UNAVAILABLE);
    fails(bed_load(b, DG_DISPOSE_TRUNCATE, COLUMNS, "2,b,2"), DG_UNAVAILABLE);
    b->fail_after = 0;
    bed_is(b, ITEMS, "1,a,1");
    bed_is(b, "SELECT count(*) FROM _dgc_loads", "1");
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "2,b,2");
    bed_is(b, ITEMS, "2,b,2");
}

static void replace_under_a_view(void **state)
{
    Bed *b = *state;
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "1,a,1");
    run_sql(b->db, "CREATE VIEW over_items AS SELECT id FROM items");
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "2,b,2|3,c,3");
    bed_is(b, "SELECT id FROM over_items ORDER BY id", "2|3");
    fails(bed_load(b, DG_DISPOSE_APPEND, COLUMNS, ""), DG_OK);
    b->spec.table.table = S("over_items");
    fails(bed_load(b, DG_DISPOSE_REPLACE, COLUMNS, "1,a,1"), DG_CONFIG);
}

static void truncate_keeps_the_table(void **state)
{
    Bed *b = *state;
    bed_loads(b, DG_DISPOSE_TRUNCATE, COLUMNS, "1,a,1|2,~,~");
    bed_loads(b, DG_DISPOSE_TRUNCATE, COLUMNS, "1,a,1|2,~,~");
    bed_is(b, ITEMS, "1,a,1|2,~,~");
    bed_loads(b, DG_DISPOSE_TRUNCATE, "id:bigint extra:varchar", "3,x");
    bed_is(b, "SELECT id, name, n, extra FROM items", "3,~,~,x");
    bed_loads(b, DG_DISPOSE_TRUNCATE, COLUMNS, "");
    bed_is(b, ITEMS, "");
}

static void definition_makes_the_table_only(void **state)
{
    Bed *b = *state;
    bed_loads(b, DG_DISPOSE_DEFINITION, COLUMNS, "1,a,1");
    bed_columns(b, "id:bigint name:varchar n:bigint");
    bed_is(b, ITEMS, "");
}

static void upsert_updates_and_inserts(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1|2,~,~");
    counts_are(b, 2, 2, 0, 0);
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1|2,~,~");
    bed_is(b, ITEMS, "1,a,1|2,~,~");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "2,b,2|1,~,7|3,c,3");
    assert_int_equal(b->n.rows_inserted, 1);
    assert_int_equal(b->n.rows_updated, 2);
    bed_is(b, ITEMS, "1,~,7|2,b,2|3,c,3");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "");
    bed_is(b, ITEMS, "1,~,7|2,b,2|3,c,3");
    bed_loads(b, DG_DISPOSE_UPSERT, "id:bigint n:bigint extra:varchar", "3,9,x|4,4,y"); /* `name` stays as it is */
    bed_is(b, "SELECT id, name, n, extra FROM items WHERE id > 2 ORDER BY id", "3,c,9,x|4,~,4,y");
    bed_loads(b, DG_DISPOSE_UPSERT, "id:bigint", "4|5"); /* keys alone */
    bed_is(b, "SELECT id, extra FROM items WHERE id > 3 ORDER BY id", "4,y|5,~");
}

static void the_newest_of_a_key_stays(void **state)
{
    static const DgDisposition all[] = {DG_DISPOSE_UPSERT, DG_DISPOSE_DELETE_INSERT, DG_DISPOSE_INSERT_ONLY, DG_DISPOSE_SCD2};
    Bed *b = *state;
    bed_keys(b, "id");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        run_sql(b->db, "DROP TABLE IF EXISTS items");
        b->spec.update_key = (Str){0};
        bed_loads(b, all[i], COLUMNS, "1,first,9|2,x,1|1,last,1|2,y,2|2,z,0");
        bed_is(b, ITEMS, "1,last,1|2,z,0");
        run_sql(b->db, "DROP TABLE items");
        b->spec.update_key = S("n");
        bed_loads(b, all[i], COLUMNS, "1,first,9|2,x,1|1,null,~|1,last,1|2,y,2|2,same,2|2,z,0|3,~,~|3,later,~");
        bed_is(b, ITEMS, "1,first,9|2,same,2|3,later,~");
    }
}

static void keys_of_several_columns(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id,name");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1|1,b,2|2,a,3");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,b,5|2,b,6|2,b,7");
    bed_is(b, ITEMS, "1,a,1|1,b,5|2,a,3|2,b,7");
    bed_loads(b, DG_DISPOSE_DELETE_INSERT, COLUMNS, "1,b,8");
    bed_is(b, ITEMS, "1,a,1|1,b,8|2,a,3|2,b,7");
    b->spec.deletes = DG_DELETES_HARD;
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,b,8|2,a,4");
    bed_is(b, ITEMS, "1,b,8|2,a,4");
}

static void delete_insert_exchanges_rows(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_DELETE_INSERT, COLUMNS, "1,a,1|2,~,~");
    bed_loads(b, DG_DISPOSE_DELETE_INSERT, COLUMNS, "1,a,1|2,~,~");
    counts_are(b, 2, 2, 0, 2);
    bed_loads(b, DG_DISPOSE_DELETE_INSERT, "id:bigint extra:varchar", "2,x|3,y"); /* the whole row is new */
    bed_is(b, "SELECT id, name, n, extra FROM items ORDER BY id", "1,a,1,~|2,~,~,x|3,~,~,y");
    bed_loads(b, DG_DISPOSE_DELETE_INSERT, COLUMNS, "");
    bed_is(b, "SELECT count(*) FROM items", "3");
}

static void insert_only_and_update_only(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_INSERT_ONLY, COLUMNS, "1,a,1");
    bed_loads(b, DG_DISPOSE_INSERT_ONLY, COLUMNS, "1,x,9|2,b,2");
    counts_are(b, 2, 1, 0, 0);
    bed_is(b, ITEMS, "1,a,1|2,b,2");
    bed_loads(b, DG_DISPOSE_UPDATE_ONLY, COLUMNS, "2,y,~|3,c,3");
    counts_are(b, 2, 0, 1, 0);
    bed_is(b, ITEMS, "1,a,1|2,y,~");
}

/* ---- History ---- */

static const char *const VERSIONS = "SELECT id, name, n, CASE WHEN _dlt_valid_to IS NULL THEN 1 ELSE 0 END FROM items"
                                    " ORDER BY id, _dlt_valid_from, 4";

static void scd2_keeps_versions(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_SCD2, COLUMNS, "1,a,1|2,~,~|3,c,3");
    bed_is(b, VERSIONS, "1,a,1,1|2,~,~,1|3,c,3,1");
    bed_loads(b, DG_DISPOSE_SCD2, COLUMNS, "1,a,1|2,~,~|3,c,3"); /* nothing differs, nulls neither */
    counts_are(b, 3, 0, 0, 0);
    bed_loads(b, DG_DISPOSE_SCD2, COLUMNS, "2,~,5|3,~,3");
    counts_are(b, 2, 2, 2, 0);
    bed_is(b, VERSIONS, "1,a,1,1|2,~,~,0|2,~,5,1|3,c,3,0|3,~,3,1");
    bed_is(b, "SELECT count(*) FROM items AS a JOIN items AS o ON a.id = o.id AND a._dlt_valid_to = o._dlt_valid_from", "2");
    b->spec.deletes = DG_DELETES_SOFT;
    bed_loads(b, DG_DISPOSE_SCD2, COLUMNS, "1,a,1|2,~,5");
    counts_are(b, 2, 0, 0, 1);
    bed_is(b, VERSIONS, "1,a,1,1|2,~,~,0|2,~,5,1|3,c,3,0|3,~,3,0");
    bed_loads(b, DG_DISPOSE_SCD2, COLUMNS, "1,a,1|2,~,5|3,~,3"); /* 3 is back */
    bed_is(b, VERSIONS, "1,a,1,1|2,~,~,0|2,~,5,1|3,c,3,0|3,~,3,0|3,~,3,1");
    bed_loads(b, DG_DISPOSE_SCD2, "id:bigint name:varchar n:bigint extra:varchar", "1,a,1,~|2,~,5,new|3,~,3,~");
    bed_is(b, "SELECT id, extra FROM items WHERE _dlt_valid_to IS NULL ORDER BY id", "1,~|2,new|3,~");
    bed_loads(b, DG_DISPOSE_SCD2, COLUMNS, "");
    bed_is(b, "SELECT count(*) FROM items WHERE _dlt_valid_to IS NULL", "0");
}

static void scd2_names_its_columns(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    b->spec.valid_from = S("since");
    b->spec.valid_to = S("until");
    bed_loads(b, DG_DISPOSE_SCD2, COLUMNS, "1,a,1");
    bed_columns(b, "id:bigint name:varchar n:bigint since:timestamp until:timestamp");
    fails(bed_load(b, DG_DISPOSE_SCD2, "id:bigint since:timestamp", "1,2024-01-01"), DG_DATA); /* the rows have it too */
}

/* ---- Deletes ---- */

static void soft_deletes_are_marked_and_taken_back(void **state)
{
    static const char *const gone = "SELECT id, CASE WHEN _sling_deleted_at IS NULL THEN 0 ELSE 1 END FROM items ORDER BY id";
    Bed *b = *state;
    bed_keys(b, "id");
    b->spec.deletes = DG_DELETES_SOFT;
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1|2,b,2|3,c,3");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1|4,d,4");
    assert_int_equal(b->n.rows_deleted, 2);
    bed_is(b, gone, "1,0|2,1|3,1|4,0");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1|4,d,4"); /* counted once */
    assert_int_equal(b->n.rows_deleted, 0);
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1|2,b,2|4,d,4");
    bed_is(b, gone, "1,0|2,0|3,1|4,0");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "");
    bed_is(b, gone, "1,1|2,1|3,1|4,1");
}

static void hard_deletes_are_gone(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    b->spec.deletes = DG_DELETES_HARD;
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1|2,b,2|3,c,3");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,9|4,d,4");
    counts_are(b, 2, 1, 1, 2);
    bed_is(b, ITEMS, "1,a,9|4,d,4");
    b->spec.keys = (StrArray){0};
    fails(bed_load(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,9"), DG_CONFIG);
}

/* ---- Keys ---- */

static void rows_without_a_key_are_refused(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1");
    fails(bed_load(b, DG_DISPOSE_UPSERT, COLUMNS, "2,b,2|~,c,3"), DG_DATA);
    bed_is(b, ITEMS, "1,a,1");
    bed_keys(b, "nosuch");
    fails(bed_load(b, DG_DISPOSE_UPSERT, COLUMNS, "2,b,2"), DG_CONFIG);
    bed_keys(b, "ID"); /* as written elsewhere */
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,b,2");
    bed_is(b, ITEMS, "1,b,2");
}

static void indexes_are_made_once(void **state)
{
    Bed *b = *state;
    array_add(&b->arena, &b->spec.index_columns, S("n, id"));
    array_add(&b->arena, &b->spec.index_columns, S("n"));
    bed_keys(b, "id");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,b,1|2,c,2");
    bed_is(b, ITEMS, "1,b,1|2,c,2");
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "1,b,1|2,c,2");
    if (bed_is_on(b, "sqlite"))
        bed_is(b, "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'items'", "2");
    b->spec.index_columns.items[0] = S("n, nosuch");
    fails(bed_load(b, DG_DISPOSE_REPLACE, COLUMNS, "1,b,1"), DG_CONFIG);
    bed_is(b, ITEMS, "1,b,1|2,c,2");
}

static void added_columns_have_the_time(void **state)
{
    Bed *b = *state;
    bed_keys(b, "id");
    b->spec.loaded_at = S("loaded");
    b->spec.synced_at = S("synced");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,a,1");
    bed_columns(b, "id:bigint name:varchar n:bigint loaded:timestamp synced:timestamp");
    bed_is(b, "SELECT count(*) FROM items WHERE loaded = synced", "1");
    bed_loads(b, DG_DISPOSE_UPSERT, COLUMNS, "1,b,1");
    bed_is(b, "SELECT name FROM items WHERE loaded < synced", "b");
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "7,z,1");
    bed_is(b, "SELECT count(*) FROM items WHERE loaded IS NOT NULL", "2");
}

static void sql_of_the_user_is_in_the_transaction(void **state)
{
    Bed *b = *state;
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "1,a,1");
    b->spec.pre_sql = S("DELETE FROM items WHERE id = 1");
    b->spec.post_sql = S("UPDATE items SET name = 'post' WHERE id = 2");
    bed_loads(b, DG_DISPOSE_APPEND, COLUMNS, "2,b,2");
    bed_is(b, ITEMS, "2,post,2");
    b->spec.pre_sql = S("DELETE FROM items");
    b->spec.post_sql = S("UPDATE nosuch SET x = 1");
    assert_int_not_equal(bed_load(b, DG_DISPOSE_APPEND, COLUMNS, "3,c,3"), DG_OK);
    bed_is(b, ITEMS, "2,post,2");
    b->spec.pre_sql = b->spec.post_sql = (Str){0};
    b->spec.table_ddl = S("CREATE TABLE items ({col_types}, more bigint DEFAULT 5)");
    run_sql(b->db, "DROP TABLE items");
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "1,a,1");
    bed_loads(b, DG_DISPOSE_REPLACE, COLUMNS, "2,b,2");
    bed_is(b, "SELECT id, more FROM items", "2,5");
}

#define CASE(f) {#f, f, bed_fresh, bed_done, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(append_adds), CASE(replace_is_the_new_rows), CASE(replace_keeps_the_old_rows_when_it_fails), CASE(replace_under_a_view),
        CASE(truncate_keeps_the_table), CASE(definition_makes_the_table_only), CASE(upsert_updates_and_inserts),
        CASE(the_newest_of_a_key_stays), CASE(keys_of_several_columns), CASE(delete_insert_exchanges_rows),
        CASE(insert_only_and_update_only), CASE(scd2_keeps_versions), CASE(scd2_names_its_columns),
        CASE(soft_deletes_are_marked_and_taken_back), CASE(hard_deletes_are_gone), CASE(rows_without_a_key_are_refused),
        CASE(indexes_are_made_once), CASE(added_columns_have_the_time), CASE(sql_of_the_user_is_in_the_transaction),
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
