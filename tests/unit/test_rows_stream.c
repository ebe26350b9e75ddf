/* Streams over streams: the queue between threads (order, all rows once, errors, early ends, cancelling)
 * and the limit. */
#include "tests/support/engine_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/data/rows_stream.h"

static const DgColumn columns[] = {{DG_S("n"), {DG_INT64, 0, 0}, false, {0}}, {DG_S("text"), {DG_TEXT, 0, 0}, false, {0}}};

/* Rows first .. end-1 in batches of `batch`; fails at `fail_at`; counts what is open. */
typedef struct Source {
    DgRows rows; /* first */
    int64_t at, end, fail_at, slow_us;
    int32_t batch;
    bool empty_last; /* DG_END comes with no rows */
    int *open;
} Source;

static DgStatus source_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Source *s = (Source *)rows;
    dg_batch_reset(out);
    if (s->slow_us)
        usleep((useconds_t)s->slow_us);
    for (; s->at < s->end && out->rows < s->batch; s->at++, out->rows++) {
        char text[32];
        int n = snprintf(text, sizeof text, "row %lld", (long long)s->at);
        if (s->at == s->fail_at)
            return dg_fail(err, DG_IO, "row %lld cannot be read", (long long)s->at);
        ((int64_t *)out->vectors[0].values)[out->rows] = s->at;
        if (s->at % 7 == 3)
            dg_set_null(&out->vectors[1], out->rows), n = 0;
        assert_true(dg_text_set(&out->vectors[1], out->rows, text, (size_t)n));
    }
    return s->at < s->end || (s->empty_last && out->rows) ? DG_OK : DG_END;
}

static void source_close(DgRows *rows)
{
    --*((Source *)rows)->open;
    free(rows);
}

static Source *source(int *open, int64_t first, int64_t rows, int32_t batch)
{
    Source *s = calloc(1, sizeof *s);
    *s = (Source){{columns, 2, source_next, source_close, false}, first, first + rows, -1, 0, batch, false, open};
    ++*open;
    return s;
}

/* Reads on until another status; seen counts each number, and order says whether they came in order. */
static DgStatus drain(DgRows *rows, int *seen, int64_t room, bool *ordered, int64_t most)
{
    DgBatch b;
    DgStatus status = DG_OK;
    int64_t last = -1, count = 0;
    *ordered = true;
    ok(dg_batch_init(&b, rows->columns, rows->columns_count, DG_BATCH_ROWS, &engine_err));
    while (status == DG_OK && count < most) {
        status = rows->next(rows, &b, &engine_err);
        for (int32_t i = 0; i < b.rows && (status == DG_OK || status == DG_END); i++, count++) {
            int64_t n = ((int64_t *)b.vectors[0].values)[i];
            char text[32];
            snprintf(text, sizeof text, "row %lld", (long long)n);
            assert_true(n >= 0 && n < room);
            seen[n]++;
            *ordered = *ordered && n > last;
            last = n;
            if (n % 7 == 3)
                assert_false(DG_VALID(&b.vectors[1], i));
            else
                assert_true(DG_VALID(&b.vectors[1], i) && str_eq(dg_text_get(&b.vectors[1], i), str_from(text)));
        }
    }
    dg_batch_release(&b);
    return status;
}

static void each_once(const int *seen, int64_t from, int64_t to, int64_t room)
{
    for (int64_t i = 0; i < room; i++)
        if (seen[i] != (i >= from && i < to))
            fail_msg("row %lld came %d times", (long long)i, seen[i]);
}

static void one_lane_keeps_the_order(void **state)
{
    for (int32_t ahead = 0; ahead < 4; ahead++)
        for (int empty = 0; empty < 2; empty++) {
            static int seen[20000];
            int open = 0;
            bool ordered;
            DgRows *lane, *out;
            memset(seen, 0, sizeof seen);
            Source *s = source(&open, 0, 20000, 1000);
            s->empty_last = empty;
            lane = &s->rows;
            ok(rows_queue(&lane, 1, ahead, NULL, NULL, &out, &engine_err));
            fails(drain(out, seen, 20000, &ordered, INT64_MAX), DG_END);
            rows_close(out);
            assert_true(ordered);
            each_once(seen, 0, 20000, 20000);
            assert_int_equal(open, 0);
        }
}

static void all_rows_of_all_lanes_come_once(void **state)
{
    static int seen[40000];
    int open = 0;
    bool ordered;
    DgRows *lanes[8], *out;
    DgBatch b;
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 8; i++) /* one of them has no rows */
        lanes[i] = &source(&open, i * 5000, i == 3 ? 0 : 5000, 100 + i * 271)->rows;
    ok(rows_queue(lanes, 8, 2, NULL, NULL, &out, &engine_err));
    fails(drain(out, seen, 40000, &ordered, INT64_MAX), DG_END);
    ok(dg_batch_init(&b, columns, 2, DG_BATCH_ROWS, &engine_err));
    fails(out->next(out, &b, &engine_err), DG_END); /* and stays at the end */
    assert_int_equal(b.rows, 0);
    dg_batch_release(&b);
    rows_close(out);
    for (int64_t i = 0; i < 40000; i++)
        assert_int_equal(seen[i], i / 5000 != 3);
    assert_int_equal(open, 0);
}

static void an_error_of_one_lane_is_the_stream_s(void **state)
{
    for (int64_t at = 0; at <= 4999; at += 2499) {
        static int seen[30000];
        int open = 0;
        bool ordered;
        DgRows *lanes[3], *out;
        memset(seen, 0, sizeof seen);
        for (int i = 0; i < 3; i++) {
            Source *s = source(&open, i * 10000, 10000, 500);
            s->fail_at = i == 1 ? 10000 + at : -1;
            lanes[i] = &s->rows;
        }
        ok(rows_queue(lanes, 3, 1, NULL, NULL, &out, &engine_err));
        fails(drain(out, seen, 30000, &ordered, INT64_MAX), DG_IO);
        assert_non_null(strstr(engine_err.message, "cannot be read"));
        rows_close(out);
        assert_int_equal(open, 0);
    }
}

static void it_may_be_closed_at_any_time(void **state)
{
    for (int64_t most = 0; most < 9000; most += 1500) {
        static int seen[40000];
        int open = 0;
        bool ordered;
        DgRows *lanes[4], *out;
        memset(seen, 0, sizeof seen);
        for (int i = 0; i < 4; i++)
            lanes[i] = &source(&open, i * 10000, 10000, 333)->rows;
        ok(rows_queue(lanes, 4, 2, NULL, NULL, &out, &engine_err));
        if (most)
            fails(drain(out, seen, 40000, &ordered, most), DG_OK);
        rows_close(out);
        assert_int_equal(open, 0);
    }
}

static bool after_three(void *context)
{
    return ++*(int *)context > 3;
}

static void waiting_can_be_cancelled(void **state)
{
    static int seen[100];
    int open = 0, asked = 0;
    bool ordered;
    DgRows *lane, *out;
    Source *s = source(&open, 0, 100, 10);
    s->slow_us = 700000;
    lane = &s->rows;
    ok(rows_queue(&lane, 1, 1, after_three, &asked, &out, &engine_err));
    fails(drain(out, seen, 100, &ordered, INT64_MAX), DG_CANCELLED);
    rows_close(out);
    assert_int_equal(open, 0);
}

static void impossible_queues_close_their_lanes(void **state)
{
    int open = 0;
    DgRows *lanes[65], *out;
    for (int i = 0; i < 65; i++)
        lanes[i] = &source(&open, 0, 1, 1)->rows;
    DgStatus status = rows_queue(lanes, 65, 1, NULL, NULL, &out, &engine_err);
    assert_int_not_equal(status, DG_OK);
    assert_int_equal(open, 0);
}

static void limits_and_offsets(void **state)
{
    static const struct { int64_t limit, offset; } cases[] = {
        {0, 0}, {1, 0}, {999, 0}, {1000, 0}, {1001, 0}, {1, 999}, {1, 1000}, {2500, 777}, {100000, 0}, {100000, 4999}, {10, 5000}, {10, 70000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static int seen[5000];
        int open = 0;
        bool ordered;
        DgRows *out;
        memset(seen, 0, sizeof seen);
        ok(rows_limit(&source(&open, 0, 5000, 1000)->rows, cases[i].limit, cases[i].offset, &out, &engine_err));
        fails(drain(out, seen, 5000, &ordered, INT64_MAX), DG_END);
        rows_close(out);
        assert_true(ordered);
        int64_t end = cases[i].offset + cases[i].limit;
        each_once(seen, cases[i].offset, end > 5000 ? 5000 : end, 5000);
        assert_int_equal(open, 0);
    }
}

static void a_limit_over_a_queue_stops_it(void **state)
{
    static int seen[40000];
    int open = 0;
    bool ordered;
    DgRows *lanes[2], *queue, *out;
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 2; i++)
        lanes[i] = &source(&open, i * 20000, 20000, 2048)->rows;
    ok(rows_queue(lanes, 2, 1, NULL, NULL, &queue, &engine_err));
    ok(rows_limit(queue, 3000, 0, &out, &engine_err));
    fails(drain(out, seen, 40000, &ordered, INT64_MAX), DG_END);
    rows_close(out);
    int64_t count = 0;
    for (int i = 0; i < 40000; i++)
        count += seen[i];
    assert_int_equal(count, 3000);
    assert_int_equal(open, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_lane_keeps_the_order), cmocka_unit_test(all_rows_of_all_lanes_come_once),
        cmocka_unit_test(an_error_of_one_lane_is_the_stream_s), cmocka_unit_test(it_may_be_closed_at_any_time),
        cmocka_unit_test(waiting_can_be_cancelled), cmocka_unit_test(impossible_queues_close_their_lanes),
        cmocka_unit_test(limits_and_offsets), cmocka_unit_test(a_limit_over_a_queue_stops_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
