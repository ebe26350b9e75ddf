/* embed.c - dgc.Embed: a vector for each text of a table. */
#include "runtime/base/base.h"
#include "stdlib-components/embed/embed_step.h"

typedef struct Config {
    DgStr from, asset, column, model, into, base_url, api_key, description, group;
    DgList tags, kinds, owners, metadata;
    int64_t dimensions, batch, concurrency, retries;
    bool cache;
    LlmBudget budget;
    LlmPrices prices;
} Config;

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, from, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset whose texts are embedded.", .example = "rag/chunks"),
    DG_FIELD_STRING(Config, column, .fallback = "text", .flags = DG_BUILD, .doc = "Column with the text. Rows without text get no vector."),
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset it makes: the rows of `from`, and a vector.", .example = "rag/embeddings"),
    DG_FIELD_STRING(Config, model, .fallback = "builtin/lexical", .doc = "provider/name, such as openai/text-embedding-3-small or ollama/nomic-embed-text; `builtin/lexical` needs no service, and finds shared words only.", .example = "openai/text-embedding-3-small"),
    DG_FIELD_STRING(Config, into, .fallback = "embedding", .flags = DG_BUILD, .doc = "Column of the vector: FLOAT[n]."),
    DG_FIELD_INT(Config, dimensions, .max = 65536, .doc = "Length of a vector, for models that let one choose; 0: the model's own."),
    DG_FIELD_INT(Config, batch, .fallback = "128", .min = 1, .max = 2048, .doc = "Texts of one request."),
    DG_FIELD_INT(Config, concurrency, .fallback = "16", .min = 1, .max = 512, .doc = "Requests at once; less when the service says so."),
    DG_FIELD_INT(Config, retries, .fallback = "5", .max = 20, .flags = DG_ADVANCED, .doc = "Of a request that failed and may be tried again."),
    DG_FIELD_STRUCT(Config, budget, LlmBudget, llm_budget_fields, .doc = "What the step may spend in one run: usd, tokens, calls, time. Default: 1 US dollar."),
    DG_FIELD_STRUCT(Config, prices, LlmPrices, llm_price_fields, .flags = DG_ADVANCED, .doc = "US dollars for a million tokens, for models whose price is not known."),
    DG_FIELD_BOOL(Config, cache, .fallback = "true", .doc = "Keep vectors in `answers.db` beside the run history: the same text is not paid twice."),
    DG_FIELD_STRING(Config, base_url, .doc = "Address of the service, where it is not the vendor's or in its usual variable."),
    DG_FIELD_SECRET(Config, api_key, .doc = "Key; default: the vendor's usual variable."),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What the asset is."),
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Its group."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Its tags."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD, .doc = "Its kinds; default: the provider."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD, .doc = "Its owners."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Its metadata."),
    {0},
};

static void check_model(DgPlanner *p, const Config *c, DgStr *kind)
{
    LlmModel model = {0};
    DgError err = {0};
    Str provider, name;
    *kind = str_from("embedding");
    if (!p->api->is_known(p, &c->model) || str_eq(c->model, S("builtin/lexical")))
        return;
    if (llm_model(c->model, &model, &err) != DG_OK) {
        if (str_cut(c->model, '/', &provider, &name) && name.len)
            p->api->report_name(p, &c->model, "provider", provider, llm_provider_names, "%s", err.message);
        else
            p->api->report(p, "E0110", &c->model, err.hint, "%s", err.message);
        return;
    }
    *kind = str_from(model.provider->name);
    if (!model.provider->api->embed)
        p->api->report(p, "E0110", &c->model, "openai, ollama, mistral and others have", "`%s` has no embeddings", model.provider->name);
}

static DgStr quoted(DgPlanner *p, DgStr name)
{
    StrBuf b = {0};
    buf_char(&b, '"');
    for (ptrdiff_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            buf_char(&b, '"');
        buf_char(&b, name.ptr[i]);
    }
    buf_char(&b, '"');
    DgStr out = p->api->format(p, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}

static void embed_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    EmbedStep *s = p->api->alloc(p, sizeof *s);
    DgStr *from = p->api->alloc(p, sizeof *from), *made = p->api->alloc(p, sizeof *made), *kind = p->api->alloc(p, sizeof *kind);
    check_model(p, c, kind);
    *from = c->from;
    *made = c->asset;
    *s = (EmbedStep){.from = c->from, .asset = c->asset, .column = c->column, .into = c->into};
    p->api->copy(p, &s->llm.model, &c->model, sizeof c->model);
    p->api->copy(p, &s->llm.base_url, &c->base_url, sizeof c->base_url);
    p->api->copy(p, &s->llm.api_key, &c->api_key, sizeof c->api_key);
    p->api->copy(p, &s->llm.concurrency, &c->concurrency, sizeof c->concurrency);
    p->api->copy(p, &s->llm.retries, &c->retries, sizeof c->retries);
    p->api->copy(p, &s->llm.cache, &c->cache, sizeof c->cache);
    p->api->copy(p, &s->llm.budget, &c->budget, sizeof c->budget);
    p->api->copy(p, &s->llm.prices, &c->prices, sizeof c->prices);
    p->api->copy(p, &s->dimensions, &c->dimensions, sizeof c->dimensions);
    p->api->copy(p, &s->batch, &c->batch, sizeof c->batch);
    p->api->asset(p, &(DgAssetDecl){.key = c->asset, .description = c->description, .group = c->group,
                                    .kinds = c->kinds.count ? c->kinds : (DgList){kind, 1}, .owners = c->owners, .tags = c->tags,
                                    .metadata = c->metadata, .at = &c->asset});
    /* The columns, and that the text's is there: see DgSqlPlace. */
    DgStr name = quoted(p, c->column);
    DgStr head = p->api->format(p, "SELECT *, CAST(NULL AS FLOAT[]) AS %.*s FROM {{ ref('%.*s') }} WHERE ", FMT(quoted(p, c->into)), FMT(c->from));
    DgSqlPlace *places = p->api->alloc(p, 2 * sizeof *places);
    places[0] = (DgSqlPlace){(size_t)(head.len - c->from.len) - strlen("') }} WHERE "), (size_t)c->from.len, &c->from, false};
    places[1] = (DgSqlPlace){(size_t)head.len, (size_t)name.len, &c->column, false};
    p->api->sql(p, NULL, &(DgSqlDecl){.asset = c->asset, .text = p->api->format(p, "%.*s%.*s IS NOT NULL", FMT(head), FMT(name)), .places = {places, 2}});
    p->api->step(p, &(DgStepDecl){.ops = &dg_embed_ops, .config = s, .assets = {made, 1}, .at = &c->asset});
}

static const DgStepOps *const steps[] = {&dg_embed_ops, NULL};

const DgComponent dg_component_embed = {
    .name = "dgc.Embed",
    .summary = "A vector for each text of a table, from a model or by words alone.",
    .doc = "Each text is embedded once, however often it stands in the table, and kept in the cache beside the run history: a second run, or "
           "one after a crash, pays only for texts that are new. `builtin/lexical` needs no account and no network: hashed words, in 384 "
           "numbers. It finds texts that share words with a question; meaning it knows nothing of.",
    .example = "type: dgc.Embed\nattributes:\n  from: rag/chunks\n  asset: rag/embeddings\n  column: text\n  model: openai/text-embedding-3-small\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = embed_plan,
    .steps = steps,
};
