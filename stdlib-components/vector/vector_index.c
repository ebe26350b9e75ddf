/* vector_index.c - dgc.VectorIndex: a table of embeddings in a vector store. */
#include "stdlib-components/vector/vector.h"

typedef struct Config {
    DgStr from, asset, id, text, embedding, sparse, description, group;
    DgList columns, tags, kinds, owners, metadata;
    bool rebuild;
    int64_t wait;
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
    DG_FIELD_DURATION(Config, wait, .fallback = "60s", .flags = DG_ADVANCED, .max = 3600e9,
                      .doc = "How long Pinecone has to count what was written."),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What the index is."),
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Group of the asset."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Its tags."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD, .doc = "Its kinds."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD, .doc = "Its owners."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Metadata of the asset."),
    {0},
};

static void check_sparse(DgPlanner *p, const Config *c)
{
    if (c->sparse.len && c->place.store != STORE_PINECONE)
        p->api->report(p, "E0110", &c->sparse, "take it away", "`sparse` means nothing to store `%s`", dg_vector_store_names[c->place.store]);
    else if (c->sparse.len && c->place.metric != VECTOR_DOT)
        p->api->report(p, "E0110", &c->sparse, "write `metric: dot`", "Pinecone takes sparse values with the metric `dot` only");
}

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
    check_sparse(p, c);
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
    DgStr *from = p->api->alloc(p, sizeof *from), *asset = p->api->alloc(p, sizeof *asset);
    *from = c->from;
    *asset = step->asset;
    p->api->asset(p, &(DgAssetDecl){.key = step->asset, .description = c->description, .group = c->group, .deps = {from, 1}, .kinds = c->kinds,
                                    .owners = c->owners, .tags = c->tags, .metadata = c->metadata, .at = &c->from});
    p->api->step(p, &(DgStepDecl){.ops = dg_vector_index_steps[c->place.store], .config = step, .assets = {asset, 1}, .reads = {from, 1}, .at = &c->from});
}

const DgComponent dg_component_vector_index = {
    .name = "dgc.VectorIndex",
    .summary = "Embeddings in a vector store: DuckDB, Chroma, Qdrant, Pinecone, pgvector.",
    .doc = "Only rows that are new or have changed are sent, rows that vanished are removed, and the count is compared "
           "afterwards. A run that is broken off anywhere is made good by the next. [Vector stores](../../how-to/vector-stores.md) "
           "tells what each store does.",
    .example = "type: dgc.VectorIndex\nattributes:\n  from: rag/embeddings\n  store: duckdb\n  collection: docs\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = index_plan,
    .steps = dg_vector_index_steps,
};
