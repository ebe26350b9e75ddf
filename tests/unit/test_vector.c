/* Vector stores: numbers as text, filters, exact search, arrays read from DuckDB. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runtime/data/batch.h"
#include "runtime/db/warehouse.h"
#include "runtime/vector/index.h"
#include "runtime/vector/nearest.h"

static uint64_t seed = 88172645463325252u;

static uint64_t any(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

static float any_float(void) { return (float)((double)(any() >> 11) * 0x1p-53 - 0.5); }

/* ---- Numbers as text ---- */

static void reads_back(float f)
{
    StrBuf b = {0};
    vector_write(&b, &f, 1);
    buf_char(&b, '\0');
    assert_true(b.ptr[0] == '[' && b.ptr[b.len - 2] == ']');
    float back = strtof(b.ptr + 1, NULL);
    if (memcmp(&back, &f, sizeof f) != 0)
        fail_msg("%.9g became %s", (double)f, b.ptr);
    buf_free(&b);
}

static void numbers_read_back(void **state)
{
    static const float some[] = {0, 1, -1, 0.1f, 0.5f, 0.99999994f, 0.100000001f, 1e-5f, 1e-7f, 9.9999994e-8f, 1.17549435e-38f, 1e-45f, 3.4028235e38f,
                                 123456.789f, 0.01f, 0.001f, 0.00010001f, 0.33333334f, -0.0000123456789f};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        reads_back(some[i]), reads_back(-some[i]);
    for (int i = 0; i < 200000; i++) {
        union { uint32_t u; float f; } x = {.u = (uint32_t)any()};
        reads_back(any_float());
        if (x.f == x.f && x.f - x.f == 0)
            reads_back(x.f);
    }
}

static void numbers_are_short(void **state)
{
    static const float some[] = {0.5f, -0.25f, 1, 0, 0.0078125f};
    StrBuf b = {0};
    vector_write(&b, some, 5);
    assert_int_equal(b.len, strlen("[0.5,-0.25,1,0,0.0078125]"));
    assert_memory_equal(b.ptr, "[0.5,-0.25,1,0,0.0078125]", b.len);
    buf_free(&b);
}

/* ---- Types and filters ---- */

static void types_have_dimensions(void **state)
{
    assert_int_equal(vector_type_dimension(S("FLOAT[384]")), 384);
    assert_int_equal(vector_type_dimension(S("DOUBLE[3]")), 3);
    assert_int_equal(vector_type_dimension(S("FLOAT[]")), 0);
    assert_int_equal(vector_type_dimension(S("DECIMAL(2,1)[]")), 0);
    assert_int_equal(vector_type_dimension(S("VARCHAR[]")), -1);
    assert_int_equal(vector_type_dimension(S("FLOAT")), -1);
    assert_int_equal(vector_type_dimension(S("FLOAT[2][2]")), -1);
    assert_int_equal(vector_type_dimension(S("]")), -1);
    assert_int_equal(vector_type_dimension(S("")), -1);
}

static void *take_memory(void *context, size_t bytes) { return push((Arena *)context, char, bytes); }

static void filter_becomes(const char *json, const char *expected)
{
    Arena a;
    DgEval ev;
    DgValue v;
    DgError err = {0};
    VectorFilter f;
    const char *problem;
    StrBuf b = {0};
    arena_init(&a, 1 << 20);
    dg_eval_init(&ev, &a);
    assert_int_equal(dg_read_json(&ev, str_from(json), &v, &err), DG_OK);
    if (!vector_filter(v, take_memory, &a, &f, &problem)) {
        assert_non_null(problem);
        assert_null(expected);
    } else {
        vector_filter_mongo(&b, &ev, &f);
        buf_char(&b, '\0');
        assert_non_null(expected);
        assert_string_equal(b.ptr, expected);
    }
    buf_free(&b);
    dg_eval_free(&ev);
    arena_free(&a);
}

static void filters_are_taken_apart(void **state)
{
    filter_becomes("{\"a\": 1}", "{\"a\":{\"$eq\":1}}");
    filter_becomes("{\"a\": [\"x\", \"\\u00e4\"]}", "{\"a\":{\"$in\":[\"x\",\"ä\"]}}");
    filter_becomes("{\"a\": {\"gte\": 1, \"$lt\": 2.5}}", "{\"$and\":[{\"a\":{\"$gte\":1}},{\"a\":{\"$lt\":2.5}}]}");
    filter_becomes("{\"a\": {\"nin\": [true]}, \"b\": \"}\"}", "{\"$and\":[{\"a\":{\"$nin\":[true]}},{\"b\":{\"$eq\":\"}\"}}]}");
    filter_becomes("{\"a\": {}}", NULL);
    filter_becomes("{\"a\": []}", NULL);
    filter_becomes("{\"a\": null}", NULL);
    filter_becomes("{\"a\": {\"gt\": \"x\"}}", NULL);
    filter_becomes("{\"a\": {\"in\": 1}}", NULL);
    filter_becomes("{\"a\": {\"like\": \"x\"}}", NULL);
    filter_becomes("[1]", NULL);
    filter_becomes("\"a = 1\"", NULL);
}

/* ---- Exact search ---- */

enum { ROWS = 1003, K = 7 };

static double near(const float *a, const float *b, int n, int metric)
{
    double dot = 0, aa = 0, bb = 0, d = 0;
    for (int i = 0; i < n; i++) {
        dot += (double)a[i] * (double)b[i], aa += (double)a[i] * (double)a[i], bb += (double)b[i] * (double)b[i];
        d += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    }
    return metric == VECTOR_DOT ? dot : metric == VECTOR_EUCLIDEAN ? -__builtin_sqrt(d) : dot / __builtin_sqrt(aa * bb);
}

/* Each hit has the score of its rank among all rows measured one by one, and is that row or one as near. */
static void check_search(int queries, int n, int metric, int lanes)
{
    float *rows = malloc(sizeof(float) * (size_t)(ROWS * n)), *q = malloc(sizeof(float) * (size_t)(queries * n));
    int64_t labels[ROWS];
    DgError err = {0};
    Nearest *s;
    for (int i = 0; i < ROWS * n; i++)
        rows[i] = any_float();
    for (int i = 0; i < queries * n; i++)
        q[i] = any_float();
    memset(rows + 5 * n, 0, sizeof(float) * (size_t)n); /* nobody's neighbour by angle */
    for (int i = 0; i < ROWS; i++)
        labels[i] = 3 * i;
    assert_int_equal(nearest_open(q, queries, n, metric, K, lanes, &s, &err), DG_OK);
    for (int i = 0, lane = 0; i < ROWS; i += 101, lane++)
        nearest_add(s, lane % lanes, rows + i * n, labels + i, i + 101 < ROWS ? 101 : ROWS - i);
    for (int i = 0; i < queries; i++) {
        NearestHit hits[K];
        assert_int_equal(nearest_take(s, i, hits), K);
        for (int k = 0; k < K; k++) {
            double score = near(q + i * n, rows + hits[k].label / 3 * n, n, metric);
            int better = 0;
            assert_true(hits[k].label >= 0 && hits[k].label % 3 == 0 && hits[k].label < 3 * ROWS);
            assert_true(__builtin_fabs(score - (double)hits[k].score) < 1e-5);
            assert_true(k == 0 || hits[k].score <= hits[k - 1].score);
            for (int r = 0; r < ROWS; r++)
                better += near(q + i * n, rows + r * n, n, metric) > score + 1e-6;
            assert_true(better <= k);
        }
    }
    nearest_close(s);
    free(rows), free(q);
}

static void search_is_exact(void **state)
{
    for (int metric = 0; metric < 3; metric++) {
        check_search(1, 3, metric, 1);
        check_search(17, 8, metric, 3);
        check_search(33, 37, metric, 2);
        check_search(16, 1, metric, 1);
    }
}

static void fewer_rows_than_wanted(void **state)
{
    static const float q[] = {1, 0, 0, 1}, rows[] = {1, 0, 0, 2, 0, 0};
    static const int64_t labels[] = {10, 20, 30};
    DgError err = {0};
    Nearest *s;
    NearestHit hits[K];
    assert_int_equal(nearest_open(q, 2, 2, VECTOR_COSINE, K, 2, &s, &err), DG_OK);
    nearest_add(s, 1, rows, labels, 3);
    assert_int_equal(nearest_take(s, 0, hits), 2); /* not the row of zeros */
    assert_int_equal(hits[0].label, 10);
    assert_int_equal(nearest_take(s, 1, hits), 2);
    assert_int_equal(hits[0].label, 20);
    nearest_close(s);
}

/* Equally near: the smaller label, whichever lane had it. */
static void ties_are_settled(void **state)
{
    static const float q[] = {1, 0}, row[] = {1, 0};
    DgError err = {0};
    Nearest *s;
    NearestHit hits[K];
    assert_int_equal(nearest_open(q, 1, 2, VECTOR_DOT, 3, 2, &s, &err), DG_OK);
    for (int64_t i = 20; i > 0; i--)
        nearest_add(s, (int32_t)(i % 2), row, &i, 1);
    assert_int_equal(nearest_take(s, 0, hits), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(hits[i].label, i + 1);
    nearest_close(s);
}

/* ---- Arrays from DuckDB ---- */

static void arrays_are_read_as_bytes(void **state)
{
    DgWarehouse *w;
    DgSession *s;
    DgScan *scan;
    DgBatch b;
    DgError err = {0};
    int32_t n;
    assert_int_equal(dg_warehouse_open(&(DgWarehouseOptions){0}, &w, &err), DG_OK);
    assert_int_equal(dg_session_open(w, &s, &err), DG_OK);
    Str sql = S("SELECT i, (CASE WHEN i <> 1 THEN [i, i + 0.5, -i] END)::FLOAT[3] AS e, [i::VARCHAR, 'x'] AS l FROM range(3000) t(i) ORDER BY i");
    if (dg_scan_open_arrays(s, sql, &scan, &err) != DG_OK)
        fail_msg("%s", err.message);
    const DgColumn *columns = dg_scan_columns(scan, &n);
    assert_int_equal(columns[1].type.kind, DG_BINARY);
    assert_int_equal(columns[2].type.kind, DG_JSON);
    assert_int_equal(dg_batch_init(&b, columns, n, DG_BATCH_ROWS, &err), DG_OK);
    int64_t row = 0;
    while (dg_scan_next(scan, &b, &err) == DG_OK)
        for (int32_t i = 0; i < b.rows; i++, row++) {
            Str bytes = dg_text_get(&b.vectors[1], i);
            float expected[] = {(float)row, (float)row + 0.5f, row ? -(float)row : 0};
            assert_int_equal(DG_VALID(&b.vectors[1], i), row != 1);
            assert_int_equal(bytes.len, row == 1 ? 0 : sizeof expected);
            if (row != 1)
                assert_memory_equal(bytes.ptr, expected, sizeof expected);
        }
    assert_int_equal(row, 3000);
    dg_batch_release(&b);
    dg_scan_close(scan);
    assert_int_equal(dg_scan_open_arrays(s, S("SELECT [1, NULL]::FLOAT[2] AS e"), &scan, &err), DG_OK);
    columns = dg_scan_columns(scan, &n);
    assert_int_equal(dg_batch_init(&b, columns, n, DG_BATCH_ROWS, &err), DG_OK);
    assert_int_equal(dg_scan_next(scan, &b, &err), DG_DATA);
    dg_batch_release(&b);
    dg_scan_close(scan);
    dg_session_close(s);
    dg_warehouse_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_read_back),     cmocka_unit_test(numbers_are_short),    cmocka_unit_test(types_have_dimensions),
        cmocka_unit_test(filters_are_taken_apart), cmocka_unit_test(search_is_exact),    cmocka_unit_test(fewer_rows_than_wanted),
        cmocka_unit_test(ties_are_settled),      cmocka_unit_test(arrays_are_read_as_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
