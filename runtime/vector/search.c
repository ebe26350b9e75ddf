/* search.c - queries to a store that is a service, a hundred at a time, and what all searches share. */
#include "runtime/vector/search.h"

#include "runtime/data/batch.h"
#include "runtime/os/os.h"

static const DgField expect_fields[] = {
    DG_FIELD_STRING(VectorExpect, relevant, .doc = "Column of the ids that should be found."),
    DG_FIELD_STRING(VectorExpect, by, .doc = "What it names."),
    DG_FIELD_INT(VectorExpect, k, .doc = "How many matches are looked at."),
    DG_FIELD_FLOAT(VectorExpect, recall, .doc = "Recall at least."),
    DG_FIELD_FLOAT(VectorExpect, mrr, .doc = "Mean reciprocal rank at least."),
    DG_FIELD_STRING(VectorExpect, recall_check, .doc = "Name of a check."),
    DG_FIELD_STRING(VectorExpect, mrr_check, .doc = "Name of a check."),
    {0},
};
const DgField dg_vector_search_fields[] = {
    DG_FIELD_ASSET_KEY(VectorSearchStep, index, .doc = "The index."),
    DG_FIELD_ASSET_KEY(VectorSearchStep, queries, .doc = "The queries."),
    DG_FIELD_ASSET_KEY(VectorSearchStep, asset, .doc = "The matches."),
    DG_FIELD_STRING(VectorSearchStep, id, .doc = "Column of the queries' ids."),
    DG_FIELD_STRING(VectorSearchStep, embedding, .doc = "Column of their embeddings."),
    DG_FIELD_STRING(VectorSearchStep, sparse, .doc = "Column of their sparse values; empty: none."),
    DG_FIELD_INT(VectorSearchStep, top_k, .doc = "Matches of each."),
    DG_FIELD_ANY(VectorSearchStep, filter, .doc = "Only records with this metadata."),
    DG_FIELD_STRUCT(VectorSearchStep, target, VectorTarget, dg_vector_target_fields, .doc = "Where."),
    DG_FIELD_STRUCT(VectorSearchStep, expect, VectorExpect, expect_fields, .doc = "What is expected."),
    {0},
};

/* ---- What searches share ---- */

static void *alloc_of_run(void *context, size_t bytes) { return dg_alloc(context, bytes); }

DgStatus vector_step_filter(DgStepRun *run, const VectorSearchStep *step, VectorFilter *out, DgError *err)
{
    const char *problem;
    if (vector_filter(step->filter, alloc_of_run, run, out, &problem))
        return DG_OK;
    return dg_fail(err, DG_CONFIG, "the `filter` cannot be used: %s", problem);
}

static DgStatus find_dimension(DgStepRun *run, const VectorSearchStep *step, Str table, Str e, int64_t *dimension, DgError *err)
{
    const VectorColumn *columns;
    size_t count;
    Str type = {0};
    bool id = false;
    const VectorColumn *sparse = NULL;
    DG_TRY(vector_columns(run, table, &columns, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (str_eq_nocase(columns[i].name, step->embedding))
            type = columns[i].type;
        id |= str_eq_nocase(columns[i].name, step->id);
        if (step->sparse.len && str_eq_nocase(columns[i].name, step->sparse))
            sparse = &columns[i];
    }
    if (!type.len || !id) {
        dg_fail(err, DG_CONFIG, "the table of `%.*s` has no column `%.*s`", FMT(step->queries), FMT(type.len ? step->id : step->embedding));
        dg_hint(err, "name it with `%s:`", type.len ? "id" : "embedding");
        return DG_CONFIG;
    }
    if (sparse)
        DG_TRY(vector_check_sparse(step->queries, sparse, err));
    else if (step->sparse.len)
        return dg_fail(err, DG_CONFIG, "the table of `%.*s` has no column `%.*s`", FMT(step->queries), FMT(step->sparse));
    *dimension = vector_type_dimension(type);
    if (*dimension < 0)
        return dg_fail(err, DG_CONFIG, "column `%.*s` of `%.*s` is %.*s, not an array of numbers", FMT(step->embedding), FMT(step->queries), FMT(type));
    return *dimension ? DG_OK : vector_sql_int(run, dimension, err, "SELECT max(len(%.*s)) FROM %.*s", FMT(e), FMT(table));
}

DgStatus vector_queries(DgStepRun *run, const VectorSearchStep *step, int64_t *dimension, int64_t *count, DgError *err)
{
    Str table = dg_table(run, step->queries), id = dg_quote_name(run, step->id), e = dg_quote_name(run, step->embedding), bad;
    Str sparse = vector_sql_sparse(run, step->sparse);
    int64_t all;
    *count = 0;
    DG_TRY(find_dimension(run, step, table, e, dimension, err));
    if (*dimension == 0)
        return vector_sql(run, err, "CREATE OR REPLACE TEMP TABLE _dgc_queries(n BIGINT, id VARCHAR, e FLOAT[1], s VARCHAR)");
    DgStatus status = vector_sql(run, err, "CREATE OR REPLACE TEMP TABLE _dgc_queries AS SELECT row_number() OVER () - 1 AS n, i AS id, e, s FROM "
                                 "(SELECT %.*s::VARCHAR AS i, %.*s::FLOAT[%lld] AS e, %.*s AS s FROM %.*s) WHERE e IS NOT NULL", FMT(id), FMT(e), (long long)*dimension, FMT(sparse), FMT(table));
    if (status == DG_FAILED || status == DG_DATA) {
        DgError why = *err;
        return dg_fail(err, DG_DATA, "the embeddings of `%.*s` cannot be used: %s", FMT(step->queries), why.message);
    }
    DG_TRY(status);
    DG_TRY(vector_sql_text(run, &bad, err, "SELECT CASE WHEN count(*) FILTER (id IS NULL) > 0 THEN 'null' WHEN count(*) > count(DISTINCT id) THEN 'twice' ELSE '' END FROM _dgc_queries"));
    if (str_eq(bad, S("null")))
        return dg_fail(err, DG_DATA, "`%.*s` has a query without an id in column `%.*s`", FMT(step->queries), FMT(step->id));
    if (bad.len) {
        DG_TRY(vector_sql_text(run, &bad, err, "SELECT id FROM _dgc_queries GROUP BY id HAVING count(*) > 1 LIMIT 1"));
        return dg_fail(err, DG_DATA, "the id `%.*s` is in more than one row of `%.*s`", FMT(str_sub(bad, 0, 200)), FMT(step->queries));
    }
    DG_TRY(vector_sql_text(run, &bad, err, "SELECT id FROM _dgc_queries WHERE NOT isfinite(array_inner_product(e, e)) LIMIT 1"));
    if (bad.len)
        return dg_fail(err, DG_DATA, "query `%.*s` of `%.*s` has an embedding with infinite or huge numbers", FMT(str_sub(bad, 0, 200)), FMT(step->queries));
    DG_TRY(vector_sql_int(run, count, err, "SELECT count(*) FROM _dgc_queries"));
    DG_TRY(vector_sql_int(run, &all, err, "SELECT count(*) FROM %.*s", FMT(table)));
    if (all > *count)
        dg_log(run, DG_LOG_WARNING, "%lld queries of `%.*s` have no embedding: they find nothing", (long long)(all - *count), FMT(step->queries));
    return DG_OK;
}

/* ---- A service ---- */

typedef struct Search {
    DgStepRun *run;
    const VectorSearchStep *step;
    const VectorStoreType *type;
    VectorTarget target;
    VectorStore *store;
    VectorFilter filter;
    Arena arena;             /* of the page at hand */
    Str *ids;
    VectorQuery *queries;
    VectorMatches *matches;
    int32_t count;
    int32_t query, rank;     /* the next match to go out */
} Search;

enum { QUERY_ID, RANK, ID, SCORE, TEXT, METADATA };
static const DgColumn match_columns[] = {
    {.name = DG_S("query_id"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("rank"), .type = {DG_INT32, 0, 0}},    {.name = DG_S("id"), .type = {DG_TEXT, 0, 0}},
    {.name = DG_S("score"), .type = {DG_FLOAT64, 0, 0}}, {.name = DG_S("text"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("metadata"), .type = {DG_JSON, 0, 0}},
};
enum { MATCH_COLUMNS = sizeof match_columns / sizeof *match_columns };

static bool put(DgBatch *b, int column, int32_t row, Str s) { return dg_text_set(&b->vectors[column], row, s.ptr, (size_t)s.len); }

static DgStatus matches_next(void *context, void *lane, DgBatch *out, DgError *err)
{
    Search *s = context;
    (void)lane;
    while (out->rows < out->rows_max) {
        while (s->query < s->count && s->rank == (int32_t)s->matches[s->query].count)
            s->query++, s->rank = 0;
        if (s->query == s->count)
            return DG_END;
        VectorMatch m = s->matches[s->query].items[s->rank++];
        int32_t row = out->rows;
        ((int32_t *)out->vectors[RANK].values)[row] = s->rank;
        ((double *)out->vectors[SCORE].values)[row] = m.score;
        if (!put(out, QUERY_ID, row, s->ids[s->query]) || !put(out, ID, row, m.id) || !put(out, TEXT, row, m.text) || !put(out, METADATA, row, m.metadata))
            return os_no_memory(err, "for matches");
        if (!m.text.ptr)
            dg_set_null(&out->vectors[TEXT], row);
        out->rows++;
    }
    return DG_OK;
}

static DgStatus read_page(Search *s, int64_t first, DgError *err)
{
    DgScan *scan;
    DgBatch b = {0};
    int32_t n;
    s->count = 0;
    DG_TRY(dg_scan_open_arrays(s->run->session, dg_format(s->run, "SELECT id, e, s FROM _dgc_queries WHERE n >= %lld AND n < %lld ORDER BY n", (long long)first,
                                                          (long long)first + s->type->query_max), &scan, err));
    const DgColumn *columns = dg_scan_columns(scan, &n);
    DgStatus status = dg_batch_init(&b, columns, n, DG_BATCH_ROWS, err);
    while (status == DG_OK && (status = dg_scan_next(scan, &b, err)) == DG_OK)
        for (int32_t i = 0; i < b.rows; i++) {
            Str e = dg_text_get(&b.vectors[1], i);
            float *values = push(&s->arena, float, (size_t)e.len / sizeof(float) + 1);
            if (values)
                memcpy(values, e.ptr, (size_t)e.len);
            s->ids[s->count] = str_copy(&s->arena, dg_text_get(&b.vectors[0], i));
            s->matches[s->count] = (VectorMatches){0};
            s->queries[s->count++] = (VectorQuery){values, DG_VALID(&b.vectors[2], i) ? str_copy(&s->arena, dg_text_get(&b.vectors[2], i)) : (Str){0}};
        }
    dg_batch_release(&b);
    dg_scan_close(scan);
    if (s->arena.failed)
        return os_no_memory(err, "for queries");
    return status == DG_END ? DG_OK : status;
}

static DgStatus search_page(Search *s, int64_t first, DgError *err)
{
    DgPull pull = {.context = s, .next = matches_next, .lanes_max = 1};
    int64_t rows;
    arena_reset(&s->arena);
    if (dg_cancelled(s->run))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    DG_TRY(read_page(s, first, err));
    DG_TRY(s->type->query(s->store, s->queries, s->count, (int32_t)s->step->top_k, &s->filter, &s->arena, s->matches, err));
    s->query = s->rank = 0;
    Str into = dg_format(s->run, "INSERT INTO %.*s SELECT * FROM ", FMT(dg_table(s->run, s->step->asset)));
    DG_TRY(dg_session_stream(s->run->session, match_columns, MATCH_COLUMNS, &pull, into, S(""), &rows, err));
    dg_progress(s->run, rows, 0);
    return DG_OK;
}

static DgStatus search_all(Search *s, DgError *err)
{
    VectorInfo info;
    int64_t dimension, count;
    size_t page = (size_t)s->type->query_max;
    DG_TRY(vector_step_filter(s->run, s->step, &s->filter, err));
    DG_TRY(vector_queries(s->run, s->step, &dimension, &count, err));
    DG_TRY(vector_sql(s->run, err, "CREATE OR REPLACE TABLE %.*s(query_id VARCHAR, rank INTEGER, id VARCHAR, score DOUBLE, \"text\" VARCHAR, metadata JSON)",
                      FMT(dg_table(s->run, s->step->asset))));
    DG_TRY(s->type->open(&s->target, &s->store, err));
    DgStatus status = s->type->find(s->store, &info, err);
    if (status == DG_END)
        return dg_fail(err, DG_FAILED, "there is no collection `%.*s` in %s", FMT(s->target.collection), s->type->title);
    DG_TRY(status);
    if (info.dimension && dimension && info.dimension != dimension)
        return dg_fail(err, DG_DATA, "the queries of `%.*s` have %lld numbers, collection `%.*s` has %lld: were they made by the same model?", FMT(s->step->queries),
                       (long long)dimension, FMT(s->target.collection), (long long)info.dimension);
    s->store->dimension = dimension;
    if (s->store->metric < 0)
        s->store->metric = s->target.metric;
    s->ids = dg_alloc(s->run, page * sizeof *s->ids);
    s->queries = dg_alloc(s->run, page * sizeof *s->queries);
    s->matches = dg_alloc(s->run, page * sizeof *s->matches);
    if (!s->ids || !s->queries || !s->matches)
        return os_no_memory(err, "for queries");
    for (int64_t first = 0; first < count; first += (int64_t)page)
        DG_TRY(search_page(s, first, err));
    return vector_expect(s->run, s->step, err);
}

DgStatus vector_search(DgStepRun *run, const VectorSearchStep *step, const VectorStoreType *type, DgError *err)
{
    Search s = {.run = run, .step = step, .type = type, .target = step->target};
    s.target.run = run;
    arena_init(&s.arena, (size_t)1 << 30);
    s.arena.can_fail = true;
    DgStatus status = search_all(&s, err);
    if (s.store)
        type->close(s.store);
    arena_free(&s.arena);
    return status;
}
