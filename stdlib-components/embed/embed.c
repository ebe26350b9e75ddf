/* embed.c - dgc.Embed: a vector for each text of a table. */
#include "runtime/base/base.h"
#include "runtime/llm/declare.h"
#include "stdlib-components/embed/embed_step.h"

typedef struct Config {
    DgStr from, asset, column, into, description, group;
    DgList tags, kinds, owners, metadata;
    int64_t dimensions, batch;
    LlmSettings llm;
} Config;

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, from, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset whose texts are embedded.", .example = "rag/chunks"),
    DG_FIELD_STRING(Config, column, .fallback = "text", .flags = DG_BUILD, .doc = "Column with the text. Rows without text get no vector."),
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset it makes: the rows of `from`, and a vector.", .example = "rag/embeddings"),
    LLM_MODEL_FIELD(Config, .fallback = "builtin/lexical", .doc = "provider/name, such as openai/text-embedding-3-small or ollama/nomic-embed-text; `builtin/lexical` needs no service, and finds shared words only.", .example = "openai/text-embedding-3-small"),
    DG_FIELD_STRING(Config, into, .fallback = "embedding", .flags = DG_BUILD, .doc = "Column of the vector: FLOAT[n]."),
    DG_FIELD_INT(Config, dimensions, .max = 65536, .doc = "Length of a vector, for models that let one choose; 0: the model's own."),
    DG_FIELD_INT(Config, batch, .fallback = "128", .min = 1, .max = 2048, .doc = "Texts of one request."),
    LLM_SERVICE_FIELDS(Config),
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
    LlmModel model;
    *kind = str_from("embedding");
    if (str_eq(c->llm.model, S("builtin/lexical")) || !llm_check_model(p, &c->llm.model, &model))
        return;
    *kind = str_from(model.provider->name);
    if (!model.provider->api->embed)
        p->api->report(p, "E0110", &c->llm.model, "openai, ollama, mistral and others have", "`%s` has no embeddings", model.provider->name);
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
    p->api->copy(p, &s->llm, &c->llm, sizeof c->llm);
    p->api->copy(p, &s->dimensions, &c->dimensions, sizeof c->dimensions);
    p->api->copy(p, &s->batch, &c->batch, sizeof c->batch);
    p->api->asset(p, &(DgAssetDecl){.key = c->asset, .description = c->description, .group = c->group,
                                    .kinds = c->kinds.count ? c->kinds : (DgList){kind, 1}, .owners = c->owners, .tags = c->tags,
                                    .metadata = c->metadata, .at = &c->asset});
    /* The columns, and that the text's is there: see DgSqlPlace. */
    DgStr name = llm_sql_name(p, c->column);
    DgStr head = p->api->format(p, "SELECT *, CAST(NULL AS FLOAT[]) AS %.*s FROM {{ ref('%.*s') }} WHERE ", FMT(llm_sql_name(p, c->into)), FMT(c->from));
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
