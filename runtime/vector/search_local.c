/* search_local.c - exact search in DuckDB: the index is read once for as many queries as fit into memory. */
#include <stdatomic.h>

#include "runtime/data/batch.h"
#include "runtime/os/os.h"
#include "runtime/vector/nearest.h"
#include "runtime/vector/search.h"

enum { LANES_MAX = 64 };
static const size_t PASS_BYTES = 48u << 20; /* queries and what they have found so far */

typedef struct Local {
    DgStepRun *run;
    const VectorSearchStep *step;
    Str table;
    const VectorColumn *columns; /* of the index */
    size_t columns_count;
    VectorFilter filter;
    Str where;
    int64_t dimension, queries;
    int32_t lanes;
    DgScan *scan;
    Nearest *nearest;
    int64_t first;               /* query of this pass */
    int32_t count;
    NearestHit *hits;
    int32_t query, hit, hits_count; /* the next that goes out */
    atomic_bool failed;
    pthread_mutex_t lock;        /* the first error */
    DgError error;
} Local;

/* ---- The filter as SQL ---- */

static Str literal(Local *l, DgValue v)
{
    if (v.kind == DG_V_STR)
        return dg_quote_text(l->run, v.as.s);
    if (v.kind == DG_V_BOOL)
        return v.as.b ? S("true") : S("false");
    if (v.kind == DG_V_INT)
        return dg_format(l->run, "%lld", (long long)v.as.i);
    return dg_format(l->run, "%.17g::DOUBLE", v.as.f);
}

static DgStatus add_condition(Local *l, StrBuf *b, const VectorCondition *c, DgError *err)
{
    static const char *const signs[] = {"=", "IS DISTINCT FROM", ">", ">=", "<", "<="};
    bool there = false;
    for (size_t i = 0; i < l->columns_count; i++)
        there |= str_eq_nocase(l->columns[i].name, c->field) && !str_eq_nocase(c->field, S("embedding"));
    if (!there)
        return dg_fail(err, DG_CONFIG, "the `filter` names `%.*s`, which is no column of `%.*s`", FMT(c->field), FMT(l->step->index));
    Str name = dg_quote_name(l->run, c->field);
    if (c->operator != VECTOR_IN && c->operator != VECTOR_NIN) {
        buf_format(b, "%.*s %s %.*s", FMT(name), signs[c->operator], FMT(literal(l, c->value)));
        return DG_OK;
    }
    buf_format(b, "coalesce(%.*s IN (", FMT(name));
    for (size_t i = 0; i < c->value.as.list->count; i++)
        buf_format(b, "%s%.*s", i ? ", " : "", FMT(literal(l, c->value.as.list->items[i])));
    buf_add(b, c->operator == VECTOR_IN ? S("), false)") : S("), false) = false"));
    return DG_OK;
}

static DgStatus make_where(Local *l, DgError *err)
{
    StrBuf b = {0};
    DgStatus s = DG_OK;
    DG_TRY(vector_step_filter(l->run, l->step, &l->filter, err));
    for (size_t i = 0; i < l->filter.count && s == DG_OK; i++) {
        buf_add(&b, i ? S(" AND ") : S(" WHERE "));
        s = add_condition(l, &b, &l->filter.conditions[i], err);
    }
    l->where = dg_format(l->run, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return s;
}

/* ---- Measuring ---- */

typedef struct Lane {
    Local *local;
    int32_t index;
    pthread_t thread;
} Lane;

static void keep_error(Local *l, const DgError *err)
{
    pthread_mutex_lock(&l->lock);
    if (!atomic_load(&l->failed))
        l->error = *err;
    atomic_store(&l->failed, true);
    pthread_mutex_unlock(&l->lock);
}

static DgStatus measure(Local *l, int32_t lane, DgBatch *b, DgError *err)
{
    DgStatus s = DG_OK;
    while (s == DG_OK && !atomic_load(&l->failed)) {
        if (dg_cancelled(l->run))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        s = dg_scan_next(l->scan, b, err);
        if (s == DG_OK && b->vectors[1].bytes_count != (size_t)b->rows * (size_t)l->dimension * sizeof(float))
            return dg_fail(err, DG_DATA, "the index `%.*s` has rows without an embedding", FMT(l->step->index));
        if (s == DG_OK)
            nearest_add(l->nearest, lane, (const float *)(const void *)b->vectors[1].bytes, b->vectors[0].values, b->rows);
    }
    return s == DG_END ? DG_OK : s;
}

static void *lane_main(void *context)
{
    Lane *lane = context;
    Local *l = lane->local;
    DgError err = {0};
    DgBatch b = {0};
    int32_t n;
    const DgColumn *columns = dg_scan_columns(l->scan, &n);
    DgStatus s = dg_batch_init(&b, columns, n, DG_BATCH_ROWS, &err);
    if (s == DG_OK)
        s = measure(l, lane->index, &b, &err);
    dg_batch_release(&b);
    if (s != DG_OK)
        keep_error(l, &err);
    return NULL;
}

static DgStatus scan_index(Local *l, DgError *err)
{
    Lane lanes[LANES_MAX];
    int32_t started = 1;
    DG_TRY(dg_scan_open_arrays(l->run->session, dg_format(l->run, "SELECT rowid, embedding FROM %.*s%.*s", FMT(l->table), FMT(l->where)), &l->scan, err));
    for (int32_t i = 0; i < l->lanes; i++)
        lanes[i] = (Lane){.local = l, .index = i};
    while (started < l->lanes && pthread_create(&lanes[started].thread, NULL, lane_main, &lanes[started]) == 0)
        started++;
    lane_main(&lanes[0]);
    for (int32_t i = 1; i < started; i++)
        pthread_join(lanes[i].thread, NULL);
    dg_scan_close(l->scan);
    if (atomic_load(&l->failed)) {
        *err = l->error;
        return err->status;
    }
    return DG_OK;
}

/* ---- One pass ---- */

static DgStatus read_queries(Local *l, float *to, DgError *err)
{
    DgScan *scan;
    DgBatch b = {0};
    int32_t n;
    size_t at = 0, most = (size_t)l->count * (size_t)l->dimension * sizeof *to;
    DG_TRY(dg_scan_open_arrays(l->run->session, dg_format(l->run, "SELECT e FROM _dgc_queries WHERE n >= %lld AND n < %lld ORDER BY n", (long long)l->first,
                                                          (long long)l->first + l->count), &scan, err));
    const DgColumn *columns = dg_scan_columns(scan, &n);
    DgStatus s = dg_batch_init(&b, columns, n, DG_BATCH_ROWS, err);
    while (s == DG_OK && (s = dg_scan_next(scan, &b, err)) == DG_OK) {
        size_t bytes = b.vectors[0].bytes_count;
        assert(at + bytes <= most);
        memcpy((char *)to + at, b.vectors[0].bytes, bytes);
        at += bytes;
    }
    dg_batch_release(&b);
    dg_scan_close(scan);
    if (s == DG_END && at != most)
        return dg_fail(err, DG_BUG, "a search read %zu bytes of queries, not %zu", at, most);
    return s == DG_END ? DG_OK : s;
}

/* n, rank, row, score */
static DgStatus hits_next(void *context, void *lane, DgBatch *out, DgError *err)
{
    Local *l = context;
    (void)lane, (void)err;
    while (out->rows < out->rows_max) {
        while (l->hit == l->hits_count && l->query < l->count) {
            l->hits_count = nearest_take(l->nearest, l->query++, l->hits);
            l->hit = 0;
        }
        if (l->hit == l->hits_count)
            return DG_END;
        NearestHit h = l->hits[l->hit++];
        int32_t row = out->rows++;
        ((int64_t *)out->vectors[0].values)[row] = l->first + l->query - 1;
        ((int32_t *)out->vectors[1].values)[row] = l->hit;
        ((int64_t *)out->vectors[2].values)[row] = h.label;
        ((double *)out->vectors[3].values)[row] = (double)h.score;
    }
    return DG_OK;
}

static DgStatus keep_hits(Local *l, DgError *err)
{
    static const DgColumn columns[] = {{.name = DG_S("n"), .type = {DG_INT64, 0, 0}}, {.name = DG_S("r"), .type = {DG_INT32, 0, 0}},
                                       {.name = DG_S("l"), .type = {DG_INT64, 0, 0}}, {.name = DG_S("s"), .type = {DG_FLOAT64, 0, 0}}};
    DgPull pull = {.context = l, .next = hits_next, .lanes_max = 1};
    int64_t rows;
    l->query = l->hit = l->hits_count = 0;
    DG_TRY(dg_session_stream(l->run->session, columns, 4, &pull, S("INSERT INTO _dgc_found SELECT * FROM "), S(""), &rows, err));
    dg_progress(l->run, rows, 0);
    return DG_OK;
}

static DgStatus pass(Local *l, DgError *err)
{
    float *queries = os_alloc((size_t)l->count * (size_t)l->dimension * sizeof *queries);
    if (!queries)
        return os_no_memory(err, "for queries");
    DgStatus s = read_queries(l, queries, err);
    if (s == DG_OK)
        s = nearest_open(queries, l->count, (int32_t)l->dimension, l->step->target.metric, (int32_t)l->step->top_k, l->lanes, &l->nearest, err);
    os_free(queries);
    if (s == DG_OK)
        s = scan_index(l, err);
    if (s == DG_OK)
        s = keep_hits(l, err);
    nearest_close(l->nearest);
    l->nearest = NULL;
    return s;
}

/* ---- The whole ---- */

static DgStatus look_at_index(Local *l, DgError *err)
{
    int64_t dimension = -1;
    bool id = false, text = false;
    DG_TRY(vector_columns(l->run, l->table, &l->columns, &l->columns_count, err));
    for (size_t i = 0; i < l->columns_count; i++) {
        if (str_eq(l->columns[i].name, S("embedding")))
            dimension = vector_type_dimension(l->columns[i].type);
        id |= str_eq(l->columns[i].name, S("id"));
        text |= str_eq(l->columns[i].name, S("text"));
    }
    if (dimension <= 0 || !id || !text) {
        dg_fail(err, DG_CONFIG, "`%.*s` is no index in DuckDB: its table lacks `id`, `text` or `embedding`", FMT(l->step->index));
        dg_hint(err, "`index` names the asset of a dgc.VectorIndex with the same `store`");
        return DG_CONFIG;
    }
    if (l->queries && dimension != l->dimension)
        return dg_fail(err, DG_DATA, "the queries of `%.*s` have %lld numbers, the index `%.*s` has %lld: were they made by the same model?", FMT(l->step->queries),
                       (long long)l->dimension, FMT(l->step->index), (long long)dimension);
    return DG_OK;
}

static DgStatus make_table(Local *l, DgError *err)
{
    VectorColumn *metadata = dg_alloc(l->run, (l->columns_count + 1) * sizeof *metadata);
    VectorSource s = {.run = l->run, .metadata = metadata};
    if (!metadata)
        return os_no_memory(err, "for the columns of an index");
    for (size_t i = 0; i < l->columns_count; i++) {
        Str name = l->columns[i].name;
        if (!str_eq(name, S("id")) && !str_eq(name, S("text")) && !str_eq(name, S("embedding")))
            metadata[s.metadata_count++] = l->columns[i];
    }
    return vector_sql(l->run, err,
                      "CREATE OR REPLACE TABLE %.*s AS SELECT q.id AS query_id, f.r AS rank, t.i AS id, f.s AS score, t.t AS \"text\", t.m AS metadata "
                      "FROM _dgc_found f JOIN _dgc_queries q ON q.n = f.n JOIN (SELECT rowid AS l, id AS i, \"text\" AS t, ('{' || %.*s || '}')::JSON AS m FROM %.*s "
                      "WHERE rowid IN (SELECT l FROM _dgc_found)) t ON t.l = f.l ORDER BY f.n, f.r",
                      FMT(dg_table(l->run, l->step->asset)), FMT(vector_sql_metadata(&s, NULL)), FMT(l->table));
}

static DgStatus search(Local *l, DgError *err)
{
    const VectorSearchStep *step = l->step;
    DG_TRY(vector_queries(l->run, step, &l->dimension, &l->queries, err));
    DG_TRY(look_at_index(l, err));
    DG_TRY(make_where(l, err));
    DG_TRY(vector_sql(l->run, err, "CREATE OR REPLACE TEMP TABLE _dgc_found(n BIGINT, r INTEGER, l BIGINT, s DOUBLE)"));
    l->lanes = l->run->run->options.threads < 1 ? 1 : l->run->run->options.threads > LANES_MAX ? LANES_MAX : l->run->run->options.threads;
    l->hits = dg_alloc(l->run, (size_t)step->top_k * sizeof *l->hits);
    if (!l->hits)
        return os_no_memory(err, "for matches");
    int64_t at_once = (int64_t)(PASS_BYTES / nearest_bytes((int32_t)(l->dimension ? l->dimension : 1), (int32_t)step->top_k, l->lanes));
    if (at_once < 16)
        at_once = 16;
    for (; l->first < l->queries; l->first += at_once) {
        l->count = (int32_t)(l->queries - l->first < at_once ? l->queries - l->first : at_once);
        DG_TRY(pass(l, err));
    }
    DG_TRY(make_table(l, err));
    return vector_expect(l->run, step, err);
}

DgStatus vector_search_local(DgStepRun *run, const VectorSearchStep *step, DgError *err)
{
    Local l = {.run = run, .step = step, .table = dg_table(run, step->index)};
    pthread_mutex_init(&l.lock, NULL);
    DgStatus s = search(&l, err);
    pthread_mutex_destroy(&l.lock);
    return s;
}
