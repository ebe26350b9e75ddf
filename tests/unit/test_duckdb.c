/* The embedded warehouse: sessions, loads by lanes, scans, errors. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/data/batch.h"
#include "runtime/db/warehouse.h"
#include "runtime/os/os.h"

static DgWarehouse *warehouse;
static DgError err;

#define ok(expr)                                                       \
    do {                                                               \
        DgStatus status_ = (expr);                                     \
        if (status_ != DG_OK)                                          \
            fail_msg("%s: %s", dg_status_name(status_), err.message);  \
    } while (0)

static int open_warehouse(void **state)
{
    DgWarehouseOptions o = {.threads = 4, .memory_max = (int64_t)1 << 30};
    if (dg_warehouse_open(&o, &warehouse, &err) != DG_OK)
        fprintf(stderr, "%s\n", err.message);
    return warehouse ? 0 : 1;
}

static int close_warehouse(void **state)
{
    dg_warehouse_close(warehouse);
    return 0;
}

static DgSession *session(void)
{
    DgSession *s = NULL;
    ok(dg_session_open(warehouse, &s, &err));
    return s;
}

static void assert_text(DgSession *s, const char *sql, const char *expected)
{
    Arena a;
    Str found;
    arena_init(&a, 0);
    ok(dg_session_text(s, &a, str_from(sql), &found, &err));
    assert_string_equal(str_cstr(&a, found), expected);
    arena_free(&a);
}

/* ---- A source of numbered rows, in lanes ---- */

typedef struct Numbers {
    int64_t upto, fail_at, at;
    int32_t key_modulo; /* 0: unique ids */
} Numbers;

static DgStatus numbers_lane(void *context, void **lane, DgError *e)
{
    *lane = calloc(1, 1);
    return DG_OK;
}

static void numbers_close(void *context, void *lane)
{
    free(lane);
}

static bool fill(const Numbers *n, DgBatch *out, int32_t row, int64_t i)
{
    char text[64];
    ((int64_t *)out->vectors[0].values)[row] = n->key_modulo ? i % n->key_modulo : i;
    if (i % 7 == 0)
        dg_set_null(&out->vectors[1], row);
    int len = i % 7 == 0 ? 0
              : i % 3    ? snprintf(text, sizeof text, "n%lld", (long long)i)
                         : snprintf(text, sizeof text, "a text longer than twelve: %lld", (long long)i);
    int64_t decimal[2] = {i * -100, i ? -1 : 0};
    memcpy((char *)out->vectors[2].values + (size_t)row * 16, decimal, 16);
    return dg_text_set(&out->vectors[1], row, text, (size_t)len);
}

static DgStatus numbers_next(void *context, void *lane, DgBatch *out, DgError *e)
{
    Numbers *n = context;
    int64_t from = __atomic_fetch_add(&n->at, 1500, __ATOMIC_RELAXED);
    /* What DuckDB still points to would show: the batch's old bytes are overwritten at once. */
    for (int32_t c = 0; c < out->columns_count; c++)
        if (out->vectors[c].bytes)
            memset(out->vectors[c].bytes, '#', out->vectors[c].bytes_capacity);
    for (int64_t i = from; i < from + 1500 && i < n->upto; i++) {
        if (n->fail_at && i == n->fail_at) {
            dg_fail(e, DG_DATA, "row %lld is not to be had", (long long)i);
            dg_hint(e, "leave it out");
            return DG_DATA;
        }
        if (!fill(n, out, out->rows, i))
            return dg_fail(e, DG_NOMEM, "no room");
        out->rows++;
    }
    return from + 1500 >= n->upto ? DG_END : DG_OK;
}

static const DgColumn columns[] = {
    {.name = DG_S("id"), .type = {DG_INT64, 0, 0}},
    {.name = DG_S("na\"me"), .type = {DG_TEXT, 0, 0}},
    {.name = DG_S("amount"), .type = {DG_DECIMAL, 12, 2}},
};

static DgStatus load_numbers(DgSession *s, const char *table, DgLoadMode mode, Numbers *n,
                             int32_t lanes, DgLoadResult *result)
{
    DgLoad load = {.mode = mode, .columns = columns, .columns_count = 3};
    load.unique_key[0] = (Str)DG_S("id");
    load.unique_key_count = 1;
    DgPull pull = {.context = n, .lane_open = numbers_lane, .next = numbers_next, .lane_close = numbers_close, .lanes_max = lanes};
    return dg_session_load(s, S("raw data"), str_from(table), &load, &pull, result, &err);
}

static void rows_of_many_lanes_arrive_whole(void **state)
{
    DgSession *s = session();
    DgLoadResult result;
    Numbers n = {.upto = 600000};
    ok(load_numbers(s, "many", DG_REPLACE, &n, 0, &result));
    assert_int_equal(result.rows_read, 600000);
    assert_int_equal(result.rows_inserted, 600000);
    assert_text(s, "SELECT concat_ws(' ', count(*), count(DISTINCT id), sum(id), sum(amount), "
                   "count(\"na\"\"me\")) FROM \"raw data\".many",
                "600000 600000 179999700000 -179999700000.00 514285");
    assert_text(s, "SELECT count(*) FROM \"raw data\".many WHERE \"na\"\"me\" IS DISTINCT FROM "
                   "CASE WHEN id % 7 = 0 THEN NULL WHEN id % 3 <> 0 THEN 'n' || id "
                   "ELSE 'a text longer than twelve: ' || id END",
                "0");
    dg_session_close(s);
}

static void one_lane_keeps_the_order(void **state)
{
    DgSession *s = session();
    DgLoadResult result;
    Numbers n = {.upto = 300000};
    ok(load_numbers(s, "ordered", DG_REPLACE, &n, 1, &result));
    assert_text(s, "SELECT count(*) FROM \"raw data\".ordered WHERE rowid <> id", "0");
    assert_text(s, "SELECT current_setting('preserve_insertion_order')", "true");
    dg_session_close(s);
}

static DgStatus late_next(void *context, void *lane, DgBatch *out, DgError *error)
{
    int64_t *left = context;
    dg_os.sleep_ns(60000000);
    ((int64_t *)out->vectors[0].values)[0] = *left;
    out->rows = 1;
    return --*left ? DG_OK : DG_END;
}

/* The rows are slow to come: nobody may take a processor for the waiting. */
static void waiting_for_rows_takes_no_processor(void **state)
{
    DgSession *s = session();
    DgColumn column = {.name = DG_S("id"), .type = {DG_INT64, 0, 0}};
    DgLoad load = {.mode = DG_REPLACE, .columns = &column, .columns_count = 1};
    DgLoadResult result;
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (int i = 0; i < 6; i++) { /* whichever thread it is that pulls */
        int64_t left = 5;
        DgPull pull = {.context = &left, .next = late_next, .lanes_max = 1};
        ok(dg_session_load(s, S(""), S("late"), &load, &pull, &result, &err));
        assert_int_equal(result.rows_inserted, 5);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    int64_t used_ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    assert_true(used_ms < 600); /* of 1 800 ms */
    dg_session_close(s);
}

static void an_error_of_a_lane_comes_back_unchanged(void **state)
{
    DgSession *s = session();
    DgLoadResult result;
    Numbers n = {.upto = 500000, .fail_at = 333333};
    ok(dg_session_begin(s, &err));
    assert_int_equal(load_numbers(s, "failing", DG_REPLACE, &n, 0, &result), DG_DATA);
    assert_string_equal(err.message, "row 333333 is not to be had");
    assert_string_equal(err.hint, "leave it out");
    ok(dg_session_rollback(s, &err));
    assert_text(s, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'failing'", "0");
    dg_session_close(s);
}

static void a_merge_replaces_rows_of_the_same_key_and_the_last_wins(void **state)
{
    DgSession *s = session();
    DgLoadResult result;
    Numbers first = {.upto = 1000}, second = {.upto = 10000, .key_modulo = 3000};
    ok(load_numbers(s, "merged", DG_MERGE, &first, 0, &result));
    assert_int_equal(result.rows_inserted, 1000);
    ok(load_numbers(s, "merged", DG_MERGE, &second, 0, &result));
    assert_int_equal(result.rows_read, 10000);
    assert_int_equal(result.rows_deleted, 1000);
    assert_int_equal(result.rows_inserted, 3000);
    assert_text(s, "SELECT concat_ws(' ', count(*), min(amount), max(amount)) "
                   "FROM \"raw data\".merged", "3000 -9999.00 -7000.00");
    dg_session_close(s);
}

static DgStatus null_key_next(void *context, void *lane, DgBatch *out, DgError *e)
{
    Numbers n = {0};
    fill(&n, out, 0, 5);
    dg_set_null(&out->vectors[0], 0);
    out->rows = 1;
    return DG_END;
}

static void a_merge_without_a_key_value_is_an_error(void **state)
{
    DgSession *s = session();
    DgLoad load = {.mode = DG_MERGE, .columns = columns, .columns_count = 3,
                   .unique_key = {DG_S("id")}, .unique_key_count = 1};
    DgPull pull = {.next = null_key_next, .lanes_max = 1};
    DgLoadResult result;
    assert_int_equal(dg_session_load(s, S(""), S("nokey"), &load, &pull, &result, &err), DG_DATA);
    assert_non_null(strstr(err.message, "no value in the unique key"));
    dg_session_close(s);
}

static void appending_to_a_table_that_lacks_a_column_says_so(void **state)
{
    DgSession *s = session();
    DgLoadResult result;
    Numbers n = {.upto = 10};
    ok(dg_warehouse_schema(warehouse, S("raw data"), &err));
    ok(dg_session_exec(s, S("CREATE TABLE \"raw data\".narrow (id BIGINT, amount DECIMAL(12,2))"),
                       &err));
    assert_int_equal(load_numbers(s, "narrow", DG_APPEND, &n, 0, &result), DG_DATA);
    assert_non_null(strstr(err.message, "has no column `na\"me`"));
    assert_non_null(strstr(err.hint, "ALTER TABLE"));
    ok(dg_session_exec(s, S("CREATE TABLE \"raw data\".wide (x INT, id BIGINT, \"na\"\"me\" TEXT, "
                            "amount DECIMAL(12,2))"), &err));
    ok(load_numbers(s, "wide", DG_APPEND, &n, 0, &result));
    Numbers again = {.upto = 10};
    ok(load_numbers(s, "wide", DG_APPEND, &again, 0, &result));
    assert_text(s, "SELECT concat_ws(' ', count(*), sum(id), count(x)) FROM \"raw data\".wide",
                "20 90 0");
    dg_session_close(s);
}

static void a_view_gives_way_to_a_table(void **state)
{
    DgSession *s = session();
    DgLoadResult result;
    Numbers n = {.upto = 10};
    ok(dg_warehouse_schema(warehouse, S("raw data"), &err));
    ok(dg_session_exec(s, S("CREATE VIEW \"raw data\".was_view AS SELECT 1 AS x"), &err));
    ok(load_numbers(s, "was_view", DG_REPLACE, &n, 0, &result));
    assert_text(s, "SELECT count(*) FROM \"raw data\".was_view", "10");
    dg_session_close(s);
}

/* ---- Scans ---- */

typedef struct Relay {
    DgScan *scan;
} Relay;

static DgStatus relay_next(void *context, void *lane, DgBatch *out, DgError *e)
{
    return dg_scan_next(((Relay *)context)->scan, out, e);
}

static void what_a_type_of_ours_cannot_hold_is_an_error(void **state)
{
    static const char *const queries[] = {"SELECT TIMESTAMP_NS '2024-01-01 00:00:00.123456789'",
                                          "SELECT 170141183460469231731687303715884105727::HUGEINT"};
    DgSession *s = session();
    for (size_t i = 0; i < 2; i++) {
        DgScan *scan;
        DgBatch batch;
        int32_t count;
        DgStatus status = dg_scan_open(s, str_from(queries[i]), &scan, &err);
        if (status == DG_OK) { /* constants are computed at once; rows of a table are not */
            const DgColumn *found = dg_scan_columns(scan, &count);
            ok(dg_batch_init(&batch, found, count, DG_BATCH_ROWS, &err));
            status = dg_scan_next(scan, &batch, &err);
            dg_batch_release(&batch);
            dg_scan_close(scan);
        }
        assert_int_equal(status, DG_DATA);
    }
    assert_text(s, "SELECT 340282366920938463463374607431768211455::UHUGEINT", "340282366920938463463374607431768211455");
    dg_session_close(s);
}

static void every_type_can_be_scanned_and_loaded_back(void **state)
{
    DgSession *from = session(), *to = session();
    ok(dg_session_exec(from, S(
        "CREATE TABLE types AS SELECT i % 2 = 0 AS b, i::TINYINT AS i1, (-i)::SMALLINT AS i2, "
        "i::INTEGER AS i4, (i * 1000000007)::BIGINT AS i8, i::UTINYINT AS u1, i::USMALLINT AS u2, "
        "i::UINTEGER AS u4, i::UBIGINT AS u8, (i / 3)::FLOAT AS f4, i / 7 AS f8, "
        "(-i / 8)::DECIMAL(4,1) AS d4, (i / 8)::DECIMAL(9,2) AS d9, (-i / 8)::DECIMAL(18,3) AS d18, "
        "(i / 8)::DECIMAL(38,6) AS d38, 'text number ' || i AS t, ('b' || i)::BLOB AS bin, "
        "DATE '1969-12-25' + i::INTEGER AS d, TIME '10:00:00' + INTERVAL (i) SECOND AS tm, "
        "TIMESTAMP '1969-12-31 23:59:00.000001' + INTERVAL (i) SECOND AS ts, "
        "TIMESTAMPTZ '2024-01-01 00:00:00+02' AS tz, INTERVAL (i) MONTH AS iv, "
        "md5(i::VARCHAR)::UUID AS id, ('{\"a\":' || i || '}')::JSON AS j, "
        "[i, i + 1] AS list, {'x': i, 'y': 'z'} AS struct, i::HUGEINT AS huge, "
        "CASE WHEN i % 5 = 0 THEN NULL ELSE 'e' || (i % 3) END::ENUM('e0', 'e1', 'e2') AS e, "
        "NULL AS nothing, i AS \"a\"\"b\", TIMESTAMP_NS '2024-01-01 00:00:00.123456' AS ns "
        "FROM range(100) AS r(i)"), &err));
    ok(dg_session_exec(from, S("INSERT INTO types SELECT * REPLACE (NULL AS j, NULL AS t, NULL AS d9, "
                               "NULL AS list) FROM types"), &err));
    Relay relay;
    int32_t count;
    ok(dg_scan_open(from, S("SELECT * FROM types; -- all\n"), &relay.scan, &err));
    const DgColumn *scanned = dg_scan_columns(relay.scan, &count);
    assert_int_equal(count, 31);
    assert_int_equal(scanned[23].type.kind, DG_JSON);
    assert_int_equal(scanned[24].type.kind, DG_JSON);
    assert_int_equal(scanned[26].type.kind, DG_DECIMAL);
    assert_int_equal(scanned[27].type.kind, DG_TEXT);
    DgLoad load = {.mode = DG_REPLACE, .columns = scanned, .columns_count = count};
    DgPull pull = {.context = &relay, .next = relay_next};
    DgLoadResult result;
    ok(dg_session_load(to, S(""), S("types_back"), &load, &pull, &result, &err));
    assert_int_equal(result.rows_inserted, 200);
    dg_scan_close(relay.scan);
    assert_text(to, "SELECT count(*) FROM (FROM types_back EXCEPT ALL SELECT * REPLACE "
                    "(to_json(list) AS list, to_json(struct) AS struct, huge::DECIMAL(38,0) AS huge, "
                    "e::VARCHAR AS e, ns::TIMESTAMP AS ns) FROM types)", "0");
    assert_text(to, "SELECT typeof(list) || typeof(j) || typeof(d18) FROM types_back",
                "JSONJSONDECIMAL(18,3)");
    dg_session_close(from);
    dg_session_close(to);
}

static void single_values(void **state)
{
    DgSession *s = session();
    int64_t n;
    ok(dg_session_int(s, S("SELECT sum(i) FROM range(10) r(i);"), &n, &err));
    assert_int_equal(n, 45);
    ok(dg_session_int(s, S("SELECT NULL"), &n, &err));
    assert_int_equal(n, 0);
    ok(dg_session_int(s, S("SELECT 9007199254740993"), &n, &err));
    assert_int_equal(n, 9007199254740993);
    ok(dg_session_int(s, S("SELECT 1 WHERE false"), &n, &err));
    assert_int_equal(n, 0);
    assert_text(s, "SELECT 'it''s'", "it's");
    dg_session_close(s);
}

/* ---- Errors and transactions ---- */

static void errors_have_a_class(void **state)
{
    static const struct {
        const char *sql;
        DgStatus status;
    } cases[] = {
        {"SELECT 'x'::INTEGER", DG_DATA},
        {"CREATE TABLE c (x INT NOT NULL); INSERT INTO c VALUES (NULL)", DG_DATA},
        {"SELECT * FROM nowhere", DG_FAILED},
        {"SELEC 1", DG_FAILED},
        {"SELECT * FROM read_csv('/nowhere/x.csv')", DG_CONFIG},
        {"COPY (SELECT 1) TO '/nowhere/x.csv'", DG_CONFIG},
    };
    DgSession *s = session();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        DgStatus status = dg_session_exec(s, str_from(cases[i].sql), &err);
        if (status != cases[i].status || err.status != status)
            fail_msg("%s: %s: %s", cases[i].sql, dg_status_name(status), err.message);
        assert_null(strchr(err.message, '\n'));
    }
    dg_session_close(s);
}

static void an_interrupted_session_is_cancelled_until_it_rolls_back(void **state)
{
    DgSession *s = session();
    ok(dg_session_begin(s, &err));
    dg_session_interrupt(s);
    assert_int_equal(dg_session_exec(s, S("SELECT 1"), &err), DG_CANCELLED);
    ok(dg_session_rollback(s, &err));
    ok(dg_session_exec(s, S("SELECT 1"), &err));
    dg_session_close(s);
}

static void what_is_not_committed_is_gone(void **state)
{
    DgSession *s = session();
    ok(dg_session_begin(s, &err));
    ok(dg_session_exec(s, S("CREATE TABLE gone (x INT)"), &err));
    dg_session_close(s);
    s = session();
    assert_int_equal(dg_session_exec(s, S("SELECT * FROM gone"), &err), DG_FAILED);
    dg_session_close(s);
}

static void names_and_texts_are_quoted(void **state)
{
    Arena a;
    arena_init(&a, 0);
    Str schema, table;
    assert_string_equal(str_cstr(&a, dg_duckdb_name(&a, S("a\"b"))), "\"a\"\"b\"");
    assert_string_equal(str_cstr(&a, dg_duckdb_text(&a, S("it's"))), "'it''s'");
    dg_asset_table(&a, S("a/b/c"), &schema, &table);
    assert_string_equal(str_cstr(&a, dg_duckdb_table(&a, schema, table)), "\"a__b\".\"c\"");
    dg_asset_table(&a, S("c"), &schema, &table);
    assert_string_equal(str_cstr(&a, dg_duckdb_table(&a, schema, table)), "\"main\".\"c\"");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_many_lanes_arrive_whole),
        cmocka_unit_test(one_lane_keeps_the_order),
        cmocka_unit_test(waiting_for_rows_takes_no_processor),
        cmocka_unit_test(an_error_of_a_lane_comes_back_unchanged),
        cmocka_unit_test(a_merge_replaces_rows_of_the_same_key_and_the_last_wins),
        cmocka_unit_test(a_merge_without_a_key_value_is_an_error),
        cmocka_unit_test(appending_to_a_table_that_lacks_a_column_says_so),
        cmocka_unit_test(a_view_gives_way_to_a_table),
        cmocka_unit_test(what_a_type_of_ours_cannot_hold_is_an_error),
        cmocka_unit_test(every_type_can_be_scanned_and_loaded_back),
        cmocka_unit_test(single_values),
        cmocka_unit_test(errors_have_a_class),
        cmocka_unit_test(an_interrupted_session_is_cancelled_until_it_rolls_back),
        cmocka_unit_test(what_is_not_committed_is_gone),
        cmocka_unit_test(names_and_texts_are_quoted),
    };
    return cmocka_run_group_tests(tests, open_warehouse, close_warehouse);
}
