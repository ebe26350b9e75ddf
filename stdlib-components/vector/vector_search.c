/* vector_search.c - dgc.VectorSearch: a table of queries against a vector index, and how good the matches are. */
#include "stdlib-components/vector/vector.h"

static const char *const severities[] = {"error", "warn", NULL};
enum { SEVERITY_WARN = 1 };

typedef struct Expect {
    DgStr relevant, by;
    double recall, mrr;
    int64_t k;
    int32_t severity;
    bool blocking;
} Expect;

static const DgField expect_fields[] = {
    DG_FIELD_STRING(Expect, relevant, .flags = DG_REQUIRED | DG_BUILD, .example = "expected_ids",
                    .doc = "Column of `queries`: the id that should be found, or a list of them."),
    DG_FIELD_STRING(Expect, by, .flags = DG_BUILD, .fallback = "id", .doc = "What these ids name: `id`, or a metadata column, as the document of a passage."),
    DG_FIELD_FLOAT(Expect, recall, .flags = DG_BUILD, .max = 1, .doc = "recall@k is at least this: the mean share of what should be found that is among the first k."),
    DG_FIELD_FLOAT(Expect, mrr, .flags = DG_BUILD, .max = 1, .doc = "The mean of 1/rank of the first right match is at least this."),
    DG_FIELD_INT(Expect, k, .flags = DG_BUILD, .min = 1, .max = VECTOR_TOP_K_MAX, .doc = "How many matches count; `top_k` when not given."),
    DG_FIELD_ENUM(Expect, severity, .choices = severities, .fallback = "error", .flags = DG_BUILD, .doc = "`warn`: a failure is shown and the run goes on."),
    DG_FIELD_BOOL(Expect, blocking, .flags = DG_BUILD, .doc = "Assets downstream wait for it, and are not made when it fails."),
    {0},
};

typedef struct Config {
    DgStr index, queries, asset, id, embedding, sparse, description, group;
    int64_t top_k;
    DgValue filter;
    Expect expect;
    DgList tags, kinds, owners, metadata;
    VectorPlace place;
} Config;

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, index, .flags = DG_REQUIRED | DG_BUILD, .example = "index/docs", .doc = "The asset of the `dgc.VectorIndex`; in DuckDB its table is searched."),
    DG_FIELD_ASSET_KEY(Config, queries, .flags = DG_REQUIRED | DG_BUILD, .example = "rag/questions", .doc = "The asset whose table has the queries, each with its embedding."),
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .example = "rag/matches", .doc = "The table of matches: query_id, rank, id, score, text, metadata."),
    DG_FIELD_INT(Config, top_k, .flags = DG_BUILD, .fallback = "5", .min = 1, .max = VECTOR_TOP_K_MAX, .doc = "How many matches of each query."),
    DG_FIELD_ANY(Config, filter, .example = "{lang: de, year: {gte: 2020}}",
                 .doc = "Only records whose metadata are so: a value, a list of values, or `eq` `ne` `gt` `gte` `lt` `lte` `in` `nin`."),
    DG_FIELD_STRUCT(Config, expect, Expect, expect_fields, .flags = DG_BUILD, .doc = "Checks of how good the search is."),
    DG_FIELD_STRING(Config, id, .flags = DG_BUILD, .fallback = "id", .doc = "Column of the queries' ids."),
    DG_FIELD_STRING(Config, embedding, .flags = DG_BUILD, .fallback = "embedding", .doc = "Column of their embeddings."),
    DG_FIELD_STRING(Config, sparse, .flags = DG_BUILD | DG_ADVANCED, .doc = "Pinecone: column of their sparse values, a struct of `indices` and `values`."),
    VECTOR_PLACE_FIELDS(offsetof(Config, place)),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What the matches are."),
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Group of the asset."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Its tags."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD, .doc = "Its kinds."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD, .doc = "Its owners."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Its metadata."),
    {0},
};

static const DgColumn columns[] = {
    {.name = DG_S("query_id"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("rank"), .type = {DG_INT32, 0, 0}}, {.name = DG_S("id"), .type = {DG_TEXT, 0, 0}},
    {.name = DG_S("score"), .type = {DG_FLOAT64, 0, 0}}, {.name = DG_S("text"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("metadata"), .type = {DG_JSON, 0, 0}},
};

static void *alloc_of_planner(void *context, size_t bytes)
{
    DgPlanner *p = context;
    return p->api->alloc(p, bytes);
}

static void check_filter(DgPlanner *p, const Config *c)
{
    VectorFilter ignored;
    const char *problem;
    if (p->api->is_set(p, &c->filter) && p->api->is_known(p, &c->filter) && !vector_filter(c->filter, alloc_of_planner, p, &ignored, &problem))
        p->api->report(p, "E0110", &c->filter, problem, "the `filter` cannot be used");
}

static DgStr check_name(DgPlanner *p, const Config *c, const char *what, double least, DgStr name, const char *description)
{
    const Expect *e = &c->expect;
    p->api->check(p, &(DgCheckDecl){.asset = c->asset, .name = name, .description = p->api->format(p, "%s is at least %.4g: %s", what, least, description),
                                    .blocking = e->blocking, .warn = e->severity == SEVERITY_WARN, .at = &e->relevant});
    return name;
}

/* The checks that `expect` asks for; *judged gets their names. */
static void plan_expect(DgPlanner *p, const Config *c, VectorExpect *to, DgList *judged)
{
    const Expect *e = &c->expect;
    DgPair *pairs = p->api->alloc(p, 2 * sizeof *pairs);
    *to = (VectorExpect){.relevant = e->relevant, .by = e->by, .k = p->api->is_set(p, &e->k) ? e->k : c->top_k, .recall = e->recall, .mrr = e->mrr};
    if (to->k > c->top_k)
        p->api->report(p, "E0111", &e->k, "make `top_k` larger", "`k` is %lld, but only %lld matches are made", (long long)to->k, (long long)c->top_k);
    bool recall = p->api->is_set(p, &e->recall), mrr = p->api->is_set(p, &e->mrr);
    if (!recall && !mrr)
        p->api->report(p, "E0106", &e->relevant, "add `recall: 0.9`, `mrr: 0.8` or both", "`expect` expects nothing");
    if (recall)
        to->recall_check = check_name(p, c, "recall", e->recall, p->api->format(p, "recall_at_%lld", (long long)to->k), "the mean share of what should be found that is found");
    if (mrr)
        to->mrr_check = check_name(p, c, "MRR", e->mrr, (DgStr)DG_S("mrr"), "the mean of 1/rank of the first right match");
    judged->items = pairs;
    if (recall)
        pairs[judged->count++] = (DgPair){c->asset, to->recall_check};
    if (mrr)
        pairs[judged->count++] = (DgPair){c->asset, to->mrr_check};
}

static void search_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    VectorSearchStep *step = p->api->alloc(p, sizeof *step);
    DgList judged = {0};
    bool local = c->place.store == STORE_DUCKDB;
    if (local && p->api->is_set(p, &c->place.collection))
        p->api->report(p, "E0110", &c->place.collection, "take it away", "in DuckDB the table of `index` is the collection");
    check_filter(p, c);
    dg_vector_check_sparse(p, &c->place, &c->sparse);
    dg_vector_place(p, &c->place, dg_vector_last_part(c->index), &step->target);
    step->index = c->index;
    step->queries = c->queries;
    step->asset = c->asset;
    step->id = c->id;
    step->embedding = c->embedding;
    step->sparse = c->sparse;
    step->top_k = c->top_k;
    p->api->copy(p, &step->filter, &c->filter, sizeof step->filter);
    if (p->api->is_set(p, &c->expect))
        plan_expect(p, c, &step->expect, &judged);
    DgStr *reads = p->api->alloc(p, 2 * sizeof *reads), *asset = p->api->alloc(p, sizeof *asset);
    reads[0] = c->queries;
    reads[1] = c->index;
    *asset = c->asset;
    p->api->asset(p, &(DgAssetDecl){.key = c->asset, .description = c->description, .group = c->group, .deps = {reads, 2}, .kinds = c->kinds, .owners = c->owners,
                                    .tags = c->tags, .metadata = c->metadata, .columns = columns, .columns_count = sizeof columns / sizeof *columns, .at = &c->asset});
    p->api->step(p, &(DgStepDecl){.ops = dg_vector_search_steps[c->place.store], .config = step, .assets = {asset, 1}, .checks = judged,
                                  .reads = {reads, local ? 2 : 1}, .at = &c->asset});
}

const DgComponent dg_component_vector_search = {
    .name = "dgc.VectorSearch",
    .summary = "The nearest records of a vector index for each row of a table, with checks of recall and MRR.",
    .doc = "Attributes that say where the index is are those of the `dgc.VectorIndex`. A greater `score` is nearer: the cosine, the "
           "inner product, or minus the distance. In DuckDB the search is exact. "
           "[Vector stores](../../how-to/vector-stores.md) tells what each store does.",
    .example = "type: dgc.VectorSearch\nattributes:\n  index: index/docs\n  queries: rag/questions\n  asset: rag/matches\n  top_k: 5\n"
               "  expect: {relevant: expected_id, recall: 0.9}\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = search_plan,
    .steps = dg_vector_search_steps,
};
