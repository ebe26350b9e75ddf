/* documents.c - dgc.Documents: text of documents, in chunks. */
#include "stdlib-components/documents/documents.h"

static const char *const encodings[] = {"o200k_base", "cl100k_base", "bytes", NULL};
static const char *const on_errors[] = {"skip", "fail", NULL};
enum { ENCODING_O200K, ENCODING_CL100K, ENCODING_BYTES };

typedef struct ChunkConfig {
    int32_t by, encoding;
    int64_t tokens, overlap;
} ChunkConfig;

static const DgField chunk_fields[] = {
    DG_FIELD_ENUM(ChunkConfig, by, .choices = dg_chunk_ways, .fallback = "heading", .flags = DG_BUILD | DG_SHORTHAND,
                  .doc = "Where text is cut: `heading` sections, then blocks, then sentences; `sentence` whatever the headings; `tokens` exact windows."),
    DG_FIELD_INT(ChunkConfig, tokens, .fallback = "400", .min = 8, .max = DG_CHUNK_TOKENS_MAX, .flags = DG_BUILD, .doc = "Tokens in a chunk at most."),
    DG_FIELD_INT(ChunkConfig, overlap, .min = 0, .max = DG_CHUNK_TOKENS_MAX / 2, .flags = DG_BUILD,
                 .doc = "About so many tokens of a chunk are repeated in the next one of the same section; half of `tokens` at most, a tenth when not given."),
    DG_FIELD_ENUM(ChunkConfig, encoding, .choices = encodings, .fallback = "o200k_base", .flags = DG_BUILD,
                  .doc = "How tokens are counted: as OpenAI's models do, or `bytes`: four are one token, an estimate that is faster."),
    {0},
};

typedef struct Config {
    DgList path, tags, kinds, owners, metadata, deps;
    DgStr from, column, key, asset, rejects, description, group;
    int32_t format, on_error;
    ChunkConfig chunk;
    int64_t max_size, max_time;
    bool allow_empty;
    DgAssetSpec spec;
} Config;

static const DgField fields[] = {
    DG_FIELD_(Config, path, DG_F_LIST, DgList, .of_kind = DG_F_PATH, .of_size = sizeof(DgStr), .flags = DG_ONE_OR_MANY | DG_SUGGESTED,
              .example = "\"docs/**/*.md\"", .doc = "Files, globs, and `s3://`, `http://`, `https://` URLs, from the component's folder."),
    DG_FIELD_ASSET_KEY(Config, from, .flags = DG_BUILD, .doc = "Instead of `path`: an asset whose table has a text in each row."),
    DG_FIELD_STRING(Config, column, .flags = DG_BUILD, .doc = "With `from`: the column of the texts."),
    DG_FIELD_STRING(Config, key, .flags = DG_BUILD, .doc = "With `from`: the column that names a row, and becomes `document`."),
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .example = "rag/chunks", .doc = "The asset: a table with a row for each chunk."),
    DG_FIELD_ASSET_KEY(Config, rejects, .flags = DG_BUILD, .doc = "The asset of documents that could not be read; `asset` with `_rejects` when not given."),
    DG_FIELD_ENUM(Config, format, .choices = dg_doc_formats, .fallback = "auto", .flags = DG_BUILD,
                  .doc = "`auto` goes by the name, then by the content; texts of a column are taken for Markdown."),
    DG_FIELD_STRUCT(Config, chunk, ChunkConfig, chunk_fields, .flags = DG_BUILD, .doc = "How text is cut."),
    DG_FIELD_ENUM(Config, on_error, .choices = on_errors, .fallback = "skip", .flags = DG_BUILD,
                  .doc = "A document that cannot be read: `skip` warns and lists it in `rejects`, `fail` ends the step."),
    DG_FIELD_(Config, max_size, DG_F_SIZE, int64_t, .fallback = "64MB", .min = 1024, .max = 1 << 30, .flags = DG_BUILD | DG_ADVANCED,
              .doc = "A larger document, or one with more text, cannot be read."),
    DG_FIELD_DURATION(Config, max_time, .fallback = "30s", .min = 0.1, .max = 3600, .flags = DG_BUILD | DG_ADVANCED, .doc = "Nor can one that takes longer."),
    DG_FIELD_BOOL(Config, allow_empty, .flags = DG_BUILD, .doc = "A path that matches nothing is no error."),
    DG_FIELD_(Config, deps, DG_F_LIST, DgList, .of_kind = DG_F_ASSET_KEY, .of_size = sizeof(DgStr), .flags = DG_BUILD, .doc = "Assets that come first."),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What the asset is."),
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Its group."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Its tags."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD, .doc = "Its kinds."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD, .doc = "Its owners."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Its metadata."),
    DG_FIELD_STRUCT(Config, spec, DgAssetSpec, dg_asset_post_fields, .flags = DG_BUILD | DG_ADVANCED, .doc = "Further parts of the asset spec."),
    {0},
};

static const DgColumn reject_columns[] = {
    {.name = DG_S("document"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("reason"), .type = {DG_TEXT, 0, 0}},
    {.name = DG_S("format"), .type = {DG_TEXT, 0, 0}}, {.name = DG_S("size"), .type = {DG_INT64, 0, 0}},
    {.name = DG_S("rejected_at"), .type = {DG_TIMESTAMP, 0, 0}},
};

/* False: reported. */
static bool check(DgPlanner *p, const Config *c)
{
    if (c->path.count && c->from.len) {
        p->api->report(p, "E0106", &c->from, "keep one of the two", "`from` and `path` are both given");
        return false;
    }
    if (!c->path.count && !c->from.len) {
        p->api->report(p, "E0106", &c->asset, "add `path: \"docs/**/*.md\"`, or `from` with `column` and `key`", "neither `path` nor `from` says where documents are");
        return false;
    }
    if (c->from.len && (!c->column.len || !c->key.len)) {
        p->api->report(p, "E0106", &c->from, "add `column: body` and `key: id`", "`from` needs `column` and `key`");
        return false;
    }
    if (!c->from.len && (c->column.len || c->key.len)) {
        p->api->report(p, "E0106", c->column.len ? (const void *)&c->column : (const void *)&c->key, "add `from: ASSET`, or leave it out",
                       "`%s` belongs to `from`", c->column.len ? "column" : "key");
        return false;
    }
    if (c->from.len && (c->format == DG_DOC_PDF || c->format == DG_DOC_DOCX)) {
        p->api->report(p, "E0110", &c->format, "use markdown, html or text", "a column cannot hold `%s`", dg_doc_formats[c->format]);
        return false;
    }
    if (c->chunk.overlap > c->chunk.tokens / 2) {
        p->api->report(p, "E0110", &c->chunk.overlap, NULL, "`overlap` is more than half of `tokens`: %lld of %lld", (long long)c->chunk.overlap, (long long)c->chunk.tokens);
        return false;
    }
    return true;
}

/* A path is a URL, or one that only the environment will tell. */
static bool is_remote(DgPlanner *p, const Config *c)
{
    for (size_t i = 0; i < c->path.count; i++) {
        const DgStr *path = &DG_ITEMS(DgStr, c->path)[i];
        if (!p->api->is_known(p, path) || str_find(*path, S("://")) >= 0)
            return true;
    }
    return false;
}

static const DgStepOps *ops_of(DgPlanner *p, const Config *c)
{
    bool remote = is_remote(p, c);
    switch (c->chunk.encoding) {
    case ENCODING_CL100K: return remote ? &dg_documents_cl100k_remote_ops : &dg_documents_cl100k_ops;
    case ENCODING_BYTES: return remote ? &dg_documents_bytes_remote_ops : &dg_documents_bytes_ops;
    default: return remote ? &dg_documents_o200k_remote_ops : &dg_documents_o200k_ops;
    }
}

static void plan_step(DgPlanner *p, const Config *c, DocumentsStep *step)
{
    step->asset = c->asset;
    step->rejects = c->rejects.len ? c->rejects : p->api->format(p, "%.*s_rejects", FMT(c->asset));
    p->api->copy(p, &step->paths, &c->path, sizeof step->paths);
    DgStr *paths = step->paths.items;
    for (size_t i = 0; i < step->paths.count; i++)
        if (p->api->is_known(p, &DG_ITEMS(DgStr, c->path)[i]) && str_find(paths[i], S("://")) < 0)
            paths[i] = p->api->resolve(p, &DG_ITEMS(DgStr, c->path)[i], DG_ITEMS(DgStr, c->path)[i]);
    step->from = c->from;
    step->column = c->column;
    step->key = c->key;
    step->format = c->format;
    step->by = c->chunk.by;
    step->tokens = c->chunk.tokens;
    step->overlap = p->api->is_set(p, &c->chunk.overlap) ? c->chunk.overlap : c->chunk.tokens / 10;
    step->max_size = c->max_size;
    step->max_time = c->max_time;
    step->fail = c->on_error == 1;
    step->allow_empty = c->allow_empty;
}

static void documents_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    if (!check(p, c))
        return;
    DocumentsStep *step = p->api->alloc(p, sizeof *step);
    plan_step(p, c, step);
    DgStr *deps = p->api->alloc(p, sizeof *deps * (c->deps.count + 1));
    DgStr *reads = p->api->alloc(p, sizeof *reads);
    size_t count = 0;
    *reads = c->from;
    for (size_t i = 0; i < c->deps.count; i++)
        deps[count++] = DG_ITEMS(DgStr, c->deps)[i];
    if (c->from.len)
        deps[count++] = c->from;
    p->api->asset(p, &(DgAssetDecl){.key = c->asset, .description = c->description, .group = c->group, .kinds = c->kinds, .owners = c->owners,
                                    .tags = c->tags, .metadata = c->metadata, .deps = {deps, count}, .filled = &c->spec, .at = &c->asset,
                                    .columns = documents_columns, .columns_count = DOCUMENTS_COLUMNS});
    p->api->asset(p, &(DgAssetDecl){.key = step->rejects, .description = p->api->format(p, "Documents of %.*s that could not be read.", FMT(c->asset)),
                                    .group = c->group, .deps = {deps, count}, .at = c->rejects.len ? &c->rejects : &c->asset, .columns = reject_columns,
                                    .columns_count = sizeof reject_columns / sizeof *reject_columns});
    DgStr *made = p->api->alloc(p, sizeof *made * 2);
    made[0] = c->asset;
    made[1] = step->rejects;
    p->api->step(p, &(DgStepDecl){.ops = ops_of(p, c), .config = step, .assets = {made, 2}, .reads = {reads, c->from.len ? 1 : 0}, .at = &c->asset});
}

static const DgStepOps *const steps[] = {&dg_documents_o200k_ops, &dg_documents_cl100k_ops, &dg_documents_bytes_ops, &dg_documents_o200k_remote_ops,
                                         &dg_documents_cl100k_remote_ops, &dg_documents_bytes_remote_ops, NULL};

const DgComponent dg_component_documents = {
    .name = "dgc.Documents",
    .summary = "Text of documents, in chunks: Markdown, HTML, text, PDF, DOCX.",
    .doc = "One row for each chunk: `id`, `document`, `ordinal`, `title`, `headings` (`A > B`), `page`, `byte_start`, `byte_end`, `text`, `tokens`, "
           "`hash`, `document_hash`. Only new and changed documents are read again; a chunk whose text did not change keeps its `id`; chunks "
           "of documents that are gone leave the table. All of it is one commit.",
    .example = "type: dgc.Documents\nattributes:\n  path: \"docs/**/*.md\"\n  asset: rag/chunks\n  chunk: {by: heading, tokens: 400, overlap: 40}\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = documents_plan,
    .steps = steps,
};
