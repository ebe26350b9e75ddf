/* vector_index.c - dgc.VectorIndex: a table of embeddings in a vector store. */
#include "stdlib-components/vector/vector.h"
#include "runtime/llm/declare.h"

typedef struct Answer { /* of `ask` */
    DgStr model, instructions, base_url, api_key;
    int64_t max_tokens, retries;
    int32_t api;
    double temperature;
    bool cache;
    LlmBudget budget;
    LlmPrices prices;
} Answer;

static const char *const apis[] = {"auto", "responses", "chat", NULL};
static const DgField answer_fields[] = {
    DG_FIELD_STRING(Answer, model, .flags = DG_REQUIRED | DG_SHORTHAND, .example = "openai/gpt-5.4-mini", .doc = "provider/name, as for `dgc.Llm`."),
    DG_FIELD_STRING(Answer, instructions, .doc = "What else holds for an answer: its tone, its language, what to say when nothing is found."),
    DG_FIELD_STRUCT(Answer, budget, LlmBudget, llm_budget_fields, .doc = "What one answer may cost: usd, tokens, calls, time. Default: 1 US dollar."),
    DG_FIELD_INT(Answer, max_tokens, .max = 1000000, .doc = "Of an answer; 0: the service's default, and 4096 for Anthropic, which has none."),
    DG_FIELD_FLOAT(Answer, temperature, .fallback = "-1", .min = -1, .max = 2, .doc = "0 to 2; default: the service's. Not all models take one."),
    DG_FIELD_BOOL(Answer, cache, .fallback = "true", .doc = "Keep answers in `answers.db`: the same question over the same passages is not paid twice."),
    DG_FIELD_STRING(Answer, base_url, .doc = "Address of the service, where it is not the vendor's or in its usual variable."),
    DG_FIELD_SECRET(Answer, api_key, .doc = "Key; default: the vendor's usual variable."),
    DG_FIELD_ENUM(Answer, api, .choices = apis, .flags = DG_BUILD | DG_ADVANCED, .doc = "Which of OpenAI's interfaces: `auto` is `responses` for openai and `chat` for the others."),
    DG_FIELD_INT(Answer, retries, .fallback = "5", .max = 20, .flags = DG_ADVANCED, .doc = "Of a call that failed and may be tried again."),
    DG_FIELD_STRUCT(Answer, prices, LlmPrices, llm_price_fields, .flags = DG_ADVANCED, .doc = "US dollars for a million tokens, for models whose price is not known."),
    {0},
};

typedef struct Config {
    DgStr from, asset, id, text, embedding, sparse, description, group;
    DgList columns, tags, kinds, owners, metadata;
    bool rebuild;
    int64_t wait;
    Answer answer;
    VectorPlace place;
} Config;

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, from, .flags = DG_REQUIRED | DG_BUILD, .example = "rag/embeddings",
                       .doc = "The asset whose table has the embeddings: FLOAT[N], as `dgc.Embed` makes it."),
    VECTOR_PLACE_FIELDS(offsetof(Config, place)),
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_BUILD, .doc = "Key of the index as an asset, in DuckDB its table; `index/COLLECTION` when not given."),
    DG_FIELD_STRING(Config, id, .flags = DG_BUILD, .fallback = "id", .doc = "Column that tells the rows apart."),
    DG_FIELD_STRING(Config, text, .flags = DG_BUILD, .fallback = "text", .doc = "Column of the texts; `\"\"`: there is none."),
    DG_FIELD_STRING(Config, embedding, .flags = DG_BUILD, .fallback = "embedding", .doc = "Column of the embeddings."),
    DG_FIELD_STRINGS(Config, columns, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "Columns that go along as metadata; all others when not given."),
    DG_FIELD_STRING(Config, sparse, .flags = DG_BUILD | DG_ADVANCED, .doc = "Pinecone: column of sparse values, a struct of `indices` and `values`."),
    DG_FIELD_BOOL(Config, rebuild, .flags = DG_BUILD,
                  .doc = "Each run builds a new collection beside the old one and switches. `--full-refresh` does it once."),
    DG_FIELD_STRUCT(Config, answer, Answer, answer_fields, .doc = "The model that answers the questions of `ask` out of the passages found; without it `ask` shows the passages."),
    DG_FIELD_DURATION(Config, wait, .fallback = "60s", .flags = DG_ADVANCED, .max = 3600,
                      .doc = "How long Pinecone has to count what was written."),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What the index is."),
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Group of the asset."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Its tags."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD, .doc = "Its kinds."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD, .doc = "Its owners."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Metadata of the asset."),
    {0},
};

static void check_roles(DgPlanner *p, const Config *c)
{
    const DgStr *roles[] = {&c->id, &c->text, &c->embedding, &c->sparse};
    if (!c->id.len || !c->embedding.len)
        p->api->report(p, "E0110", c->id.len ? &c->embedding : &c->id, "name a column", "an index needs ids and embeddings");
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++)
            if (roles[i]->len && str_eq_nocase(*roles[i], *roles[k])) {
                p->api->report(p, "E0110", roles[i], NULL, "column `%.*s` cannot have two roles", FMT(*roles[i]));
                return;
            }
}

static void check_answer(DgPlanner *p, const Answer *a)
{
    LlmModel model = {0};
    DgError err = {0};
    Str provider, name;
    if (!p->api->is_known(p, &a->model))
        return;
    if (llm_model(a->model, &model, &err) == DG_OK) {
        llm_check_end(p, &a->model, &a->base_url, &model);
        if (a->api == 1 && strcmp(model.provider->name, "openai") != 0 && strcmp(model.provider->name, "azure") != 0)
            p->api->report(p, "E0110", &a->api, "write `api: chat`", "`%s` has no /responses", model.provider->name);
    } else if (str_cut(a->model, '/', &provider, &name) && name.len)
        p->api->report_name(p, &a->model, "provider", provider, llm_provider_names, "%s", err.message);
    else
        p->api->report(p, "E0110", &a->model, err.hint, "%s", err.message);
}

static void plan_answer(DgPlanner *p, const Answer *a, GroundedSettings *to)
{
    check_answer(p, a);
    p->api->copy(p, &to->llm.model, &a->model, sizeof a->model);
    p->api->copy(p, &to->llm.base_url, &a->base_url, sizeof a->base_url);
    p->api->copy(p, &to->llm.api_key, &a->api_key, sizeof a->api_key);
    p->api->copy(p, &to->llm.retries, &a->retries, sizeof a->retries);
    p->api->copy(p, &to->llm.cache, &a->cache, sizeof a->cache);
    p->api->copy(p, &to->llm.budget, &a->budget, sizeof a->budget);
    p->api->copy(p, &to->llm.prices, &a->prices, sizeof a->prices);
    p->api->copy(p, &to->instructions, &a->instructions, sizeof a->instructions);
    p->api->copy(p, &to->tokens_max, &a->max_tokens, sizeof a->max_tokens);
    p->api->copy(p, &to->temperature, &a->temperature, sizeof a->temperature);
    to->llm.chat = a->api;
    to->llm.concurrency = 1;
}

static void index_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    VectorIndexStep *step = p->api->alloc(p, sizeof *step);
    DgStr name = dg_vector_last_part(c->asset.len ? c->asset : c->from);
    bool named = p->api->is_set(p, &c->place.collection), local = c->place.store == STORE_DUCKDB;
    if (named && p->api->is_known(p, &c->place.collection))
        name = c->place.collection;
    if (local && named && c->asset.len)
        p->api->report(p, "E0110", &c->place.collection, "take one of them away", "in DuckDB the asset's table is the collection: `asset` and `collection` say the same");
    dg_vector_check_sparse(p, &c->place, &c->sparse);
    check_roles(p, c);
    dg_vector_place(p, &c->place, name, &step->target);
    step->from = c->from;
    step->asset = c->asset.len ? c->asset : p->api->format(p, "index/%.*s", FMT(name));
    step->id = c->id;
    step->text = c->text;
    step->embedding = c->embedding;
    step->sparse = c->sparse;
    step->metadata = c->columns;
    step->all_metadata = !p->api->is_set(p, &c->columns);
    step->rebuild = c->rebuild;
    p->api->copy(p, &step->wait, &c->wait, sizeof step->wait);
    bool answers = p->api->is_set(p, &c->answer);
    if (answers)
        plan_answer(p, &c->answer, &step->answer);
    DgStr *from = p->api->alloc(p, sizeof *from), *asset = p->api->alloc(p, sizeof *asset);
    *from = c->from;
    *asset = step->asset;
    p->api->asset(p, &(DgAssetDecl){.key = step->asset, .description = c->description, .group = c->group, .deps = {from, 1}, .kinds = c->kinds,
                                    .owners = c->owners, .tags = c->tags, .metadata = c->metadata, .at = &c->from});
    p->api->step(p, &(DgStepDecl){.ops = dg_vector_index_steps[c->place.store + (answers ? STORES : 0)], .config = step, .assets = {asset, 1}, .reads = {from, 1},
                                  .at = &c->from});
}

const DgComponent dg_component_vector_index = {
    .name = "dgc.VectorIndex",
    .summary = "Embeddings in a vector store: DuckDB, Chroma, Qdrant, Pinecone, pgvector.",
    .doc = "Only rows that are new or have changed are sent, rows that vanished are removed, and the count is compared "
           "afterwards. A run that is broken off anywhere is made good by the next. [Vector stores](../../how-to/vector-stores.md) "
           "tells what each store does. The command `ask` looks up the passages nearest to a question, and lets a model answer out of them.",
    .example = "type: dgc.VectorIndex\nattributes:\n  from: rag/embeddings\n  store: duckdb\n  collection: docs\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = index_plan,
    .steps = dg_vector_index_steps,
};
