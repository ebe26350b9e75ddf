/* DuckDB as a target: rows of one stream keep their order, those of parallel parts are inserted side by side. */
#include "tests/support/engine_test.h"

#include <pthread.h>

#include "runtime/os/os.h"

enum { LANES = 4, LANE_ROWS = 200000 };

static DgDb *database(void)
{
    static const DgPair props[] = {{DG_S("instance"), DG_S(":memory:")}, {DG_S("threads"), DG_S("4")}, {DG_S("memory"), DG_S("500000000")}};
    DgConn conn = {S("LAKE"), S("duckdb"), props, 3};
    DgDb *db;
    ok(dg_engine_duckdb.open(&conn, &db, &engine_err));
    run_sql(db, "CREATE TABLE items (id BIGINT, name VARCHAR, amount DOUBLE, \"at\" TIMESTAMP, flag BOOLEAN)");
    return db;
}

static DgRows *parts(void)
{
    DgRows *lanes[LANES], *out;
    for (int i = 0; i < LANES; i++)
        lanes[i] = rows_counted((int64_t)i * LANE_ROWS, LANE_ROWS, -1, NULL, NULL);
    ok(rows_queue(lanes, LANES, 2, NULL, NULL, &out, &engine_err));
    assert_true(out->any_order);
    return out;
}

static void rows_of_parallel_parts_come_once(void **state)
{
    DgDb *db = database();
    insert_all(db, "items", parts());
    assert_int_of(db, "SELECT count(*) FROM items", LANES * LANE_ROWS);
    assert_int_of(db, "SELECT count(DISTINCT id) FROM items", LANES * LANE_ROWS);
    assert_int_of(db, "SELECT max(id) FROM items", LANES * LANE_ROWS - 1);
    assert_int_of(db, "SELECT count(*) FROM items WHERE amount IS DISTINCT FROM id * 0.25", 0);
    assert_text_of(db, "SELECT current_setting('preserve_insertion_order')", "true");
    dg_engine_duckdb.close(db);
}

static void one_stream_keeps_its_order(void **state)
{
    DgDb *db = database();
    insert_all(db, "items", rows_counted(0, LANE_ROWS, -1, NULL, NULL));
    assert_int_of(db, "SELECT count(*) FROM items WHERE id <> rowid", 0);
    dg_engine_duckdb.close(db);
}

/* Every thread asks the one stream: after an error, and after the end, nobody may any more. */
typedef struct Brittle {
    DgRows rows; /* first */
    DgRows *from;
    int64_t batches;
    pthread_t first;
    bool over, asked_again, others; /* others: also a thread that is not the first asked */
} Brittle;

static DgStatus brittle_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Brittle *b = (Brittle *)rows;
    b->asked_again = b->asked_again || b->over;
    b->others = b->others || (b->first && !pthread_equal(b->first, pthread_self()));
    b->first = b->first ? b->first : pthread_self();
    DgStatus status = b->batches-- ? b->from->next(b->from, out, err) : dg_fail(err, DG_UNAVAILABLE, "the line is cut");
    b->over = status != DG_OK;
    return status;
}

static void an_error_comes_back_unchanged(void **state)
{
    for (int64_t batches = 0; batches < 200; batches += 25) {
        DgDb *db = database();
        int64_t count = 0;
        Brittle b = {.from = parts(), .batches = batches};
        b.rows = (DgRows){.columns = b.from->columns, .columns_count = b.from->columns_count, .next = brittle_next, .any_order = true};
        ok(db->engine->begin(db, DG_TX_WRITE, &engine_err));
        fails(db->engine->insert(db, (DgTableName){{0}, S("items")}, &b.rows, &count, &engine_err), DG_UNAVAILABLE);
        assert_string_equal(engine_err.message, "the line is cut");
        assert_false(b.asked_again);
        assert_true(b.others || batches < 100);
        ok(db->engine->rollback(db, &engine_err));
        assert_int_of(db, "SELECT count(*) FROM items", 0);
        rows_close(b.from);
        dg_engine_duckdb.close(db);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_parallel_parts_come_once),
        cmocka_unit_test(one_stream_keeps_its_order),
        cmocka_unit_test(an_error_comes_back_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
