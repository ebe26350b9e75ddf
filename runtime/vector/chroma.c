/* chroma.c - Chroma's REST interface, version 2 (docs.trychroma.com).
 *
 * Collections are named, but addressed by their uuid. The server keeps texts as documents; it never embeds.
 * A rebuild fills `NAME__dgc_new`; two renames put it in place, so for a moment there is no NAME:
 * tidy() undoes the first of them where `NAME__dgc_old` is there without NAME.
 */
#include <math.h>

#include "runtime/net/rest.h"
#include "runtime/os/os.h"
#include "runtime/vector/store.h"

enum { PAGE = 1000, BATCH_MAX = 1000 };

typedef struct Chroma {
    VectorStore store; /* first */
    VectorTarget target;
    Rest rest;
    Str collections;   /* path: /api/v2/tenants/T/databases/D/collections */
    Str id, old_id;    /* uuid of the collection that calls are about; of the one it will replace */
    int64_t batch_max; /* what the server takes at once */
    int64_t offset;    /* of the next page */
    bool fresh;        /* the collection was just made: it has no records but ours */
} Chroma;

static const VectorTarget *target_of(const Chroma *c) { return &c->target; }

static DgStatus chroma_open(const VectorTarget *target, VectorStore **out, DgError *err)
{
    Chroma *c = os_alloc(sizeof *c);
    if (!c)
        return os_no_memory(err, "for a vector store");
    c->store.type = &vector_chroma;
    c->target = *target;
    *out = &c->store;
    DG_TRY(rest_open(&c->rest, target->run, target->url, "Chroma", NULL, err));
    rest_header(&c->rest, "x-chroma-token", target->api_key);
    Arena *a = &c->rest.keep;
    c->collections = str_format(a, "/api/v2/tenants/%.*s/databases/%.*s/collections", FMT(rest_escape(a, target->tenant)), FMT(rest_escape(a, target->database)));
    return DG_OK;
}

static void chroma_close(VectorStore *s)
{
    Chroma *c = (Chroma *)s;
    if (!c)
        return;
    rest_close(&c->rest);
    os_free(c);
}

static const char *doing(Chroma *c, const char *verb)
{
    return str_cstr(&c->rest.arena, str_format(&c->rest.arena, "%s collection `%.*s`", verb, FMT(target_of(c)->collection)));
}

static const char *space_of(int32_t metric)
{
    return metric == VECTOR_DOT ? "ip" : metric == VECTOR_EUCLIDEAN ? "l2" : "cosine";
}

static int32_t metric_of(Str space)
{
    return str_eq(space, S("cosine")) ? VECTOR_COSINE : str_eq(space, S("ip")) ? VECTOR_DOT : str_eq(space, S("l2")) ? VECTOR_EUCLIDEAN : -1;
}

static void take(Chroma *c, const DgValue *answer, VectorInfo *out)
{
    Str space = dgv_text_at(*answer, "configuration_json.hnsw.space");
    if (!space.len)
        space = dgv_text_at(*answer, "configuration_json.spann.space");
    if (!space.len)
        space = dgv_text_at(*answer, "metadata.hnsw:space");
    out->dimension = dgv_int_at(*answer, "dimension");
    out->metric = space.len ? metric_of(space) : -1;
    out->identity = c->id = str_copy(&c->rest.keep, dgv_text_at(*answer, "id"));
    c->store.dimension = out->dimension;
    c->store.metric = out->metric;
    c->offset = 0;
    c->fresh = false;
}

static DgStatus look(Chroma *c, Str name, DgValue *answer, DgError *err)
{
    rest_begin(&c->rest);
    Str path = str_format(&c->rest.arena, "%.*s/%.*s", FMT(c->collections), FMT(rest_escape(&c->rest.arena, name)));
    return rest_call(&c->rest, "GET", path, NULL, answer, doing(c, "look at"), err);
}

static DgStatus rename_to(Chroma *c, Str id, Str name, DgError *err)
{
    StrBuf b = {0};
    rest_begin(&c->rest);
    buf_add(&b, S("{\"new_name\":"));
    buf_json(&b, name);
    buf_char(&b, '}');
    Str path = str_format(&c->rest.arena, "%.*s/%.*s", FMT(c->collections), FMT(id));
    return rest_call(&c->rest, "PUT", path, &b, NULL, doing(c, "rename"), err);
}

/* What is not there is fine. */
static DgStatus drop(Chroma *c, Str name, DgError *err)
{
    rest_begin(&c->rest);
    Str path = str_format(&c->rest.arena, "%.*s/%.*s", FMT(c->collections), FMT(rest_escape(&c->rest.arena, name)));
    DgStatus s = rest_call(&c->rest, "DELETE", path, NULL, NULL, doing(c, "delete"), err);
    return s == DG_END ? DG_OK : s;
}

static Str beside_name(Chroma *c, const char *what)
{
    return str_format(&c->rest.keep, "%.*s__dgc_%s", FMT(target_of(c)->collection), what);
}

static DgStatus ask_limits(Chroma *c, DgError *err)
{
    DgValue answer;
    if (c->batch_max)
        return DG_OK;
    rest_begin(&c->rest);
    DG_TRY(rest_call(&c->rest, "GET", S("/api/v2/pre-flight-checks"), NULL, &answer, "ask what it takes at once", err));
    int64_t most = dgv_int_at(answer, "max_batch_size");
    c->batch_max = most > 0 && most < BATCH_MAX ? most : BATCH_MAX;
    return DG_OK;
}

static DgStatus chroma_tidy(VectorStore *s, DgError *err)
{
    Chroma *c = (Chroma *)s;
    DgValue answer;
    Str name = target_of(c)->collection, old = beside_name(c, "old");
    DgStatus status = look(c, name, &answer, err);
    if (status == DG_END && (status = look(c, old, &answer, err)) == DG_OK)
        DG_TRY(rename_to(c, str_copy(&c->rest.keep, dgv_text_at(answer, "id")), name, err));
    if (status != DG_OK && status != DG_END)
        return status;
    DG_TRY(drop(c, old, err));
    return drop(c, beside_name(c, "new"), err);
}

static DgStatus chroma_find(VectorStore *s, VectorInfo *out, DgError *err)
{
    Chroma *c = (Chroma *)s;
    DgValue answer;
    DgStatus status = ask_limits(c, err);
    if (status == DG_END)
        return dg_fail(err, DG_CONFIG, "there is no Chroma with /api/v2 at this URL");
    if (status == DG_OK)
        status = look(c, target_of(c)->collection, &answer, err);
    if (status == DG_OK)
        take(c, &answer, out);
    return status;
}

static DgStatus make(Chroma *c, Str name, int32_t metric, VectorInfo *out, DgError *err)
{
    DgValue answer;
    StrBuf b = {0};
    DG_TRY(ask_limits(c, err));
    rest_begin(&c->rest);
    buf_add(&b, S("{\"name\":"));
    buf_json(&b, name);
    buf_format(&b, ",\"configuration\":{\"hnsw\":{\"space\":\"%s\"}},\"get_or_create\":true}", space_of(metric));
    DG_TRY(rest_call(&c->rest, "POST", c->collections, &b, &answer, doing(c, "create"), err));
    take(c, &answer, out);
    return c->id.len ? DG_OK : dg_fail(err, DG_DATA, "Chroma made a collection but told no id");
}

static DgStatus chroma_create(VectorStore *s, int64_t dimension, int32_t metric, VectorInfo *out, DgError *err)
{
    Chroma *c = (Chroma *)s;
    DG_TRY(make(c, target_of(c)->collection, metric, out, err));
    c->store.dimension = dimension;
    c->fresh = true;
    return DG_OK;
}

/* POST collections/ID/WHAT */
static DgStatus post(Chroma *c, const char *what, StrBuf *body, DgValue *answer, const char *verb, DgError *err)
{
    Str path = str_format(&c->rest.arena, "%.*s/%.*s/%s", FMT(c->collections), FMT(c->id), what);
    DgStatus s = rest_call(&c->rest, "POST", path, body, answer, doing(c, verb), err);
    return s == DG_END ? dg_fail(err, DG_FAILED, "collection `%.*s` is gone", FMT(target_of(c)->collection)) : s;
}

static const DgValue *list_at(const DgValue *v, const char *path)
{
    const DgValue *list = dgv_at(v, path);
    return list && list->kind == DG_V_LIST ? list : NULL;
}

static void write_ids(StrBuf *b, const VectorRecord *records, int32_t count)
{
    buf_add(b, S("{\"ids\":["));
    for (int32_t i = 0; i < count; i++) {
        buf_add(b, i ? S(",") : S(""));
        buf_json(b, records[i].id);
    }
    buf_char(b, ']');
}

/* Metadata by id of those records that are there already. An upsert leaves keys alone that it does not name: those
 * that vanished must be set to null. */
static DgStatus find_old(Chroma *c, const VectorRecord *records, int32_t count, Map *old, DgError *err)
{
    StrBuf b = {0};
    DgValue answer;
    if (c->fresh)
        return DG_OK;
    write_ids(&b, records, count);
    buf_add(&b, S(",\"include\":[\"metadatas\"]}"));
    DG_TRY(post(c, "get", &b, &answer, "look into", err));
    const DgValue *ids = list_at(&answer, "ids"), *metadatas = list_at(&answer, "metadatas");
    for (size_t i = 0; ids && metadatas && i < ids->as.list->count && i < metadatas->as.list->count; i++)
        if (ids->as.list->items[i].kind == DG_V_STR)
            map_put(&c->rest.arena, old, ids->as.list->items[i].as.s, &metadatas->as.list->items[i]);
    return c->rest.arena.failed ? os_no_memory(err, "for metadata") : DG_OK;
}

static void write_metadata(Chroma *c, StrBuf *b, const VectorRecord *r, const DgValue *old)
{
    DgValue now = {0};
    DgError ignored = {0};
    vector_write_payload(b, r, false, false);
    if (!old || old->kind != DG_V_DICT || dg_read_json(&c->rest.ev, str_format(&c->rest.arena, "{%.*s}", FMT(r->metadata)), &now, &ignored) != DG_OK)
        return;
    for (size_t i = 0; i < old->as.dict->count; i++) {
        Str key = old->as.dict->keys[i].as.s;
        if (b->failed || str_eq(key, S(VECTOR_HASH_KEY)) || dgv_get_str(now, key))
            continue;
        b->len--; /* the closing brace */
        buf_char(b, ',');
        buf_json(b, key);
        buf_add(b, S(":null}"));
    }
}

static DgStatus upsert_some(Chroma *c, const VectorRecord *records, int32_t count, DgError *err)
{
    StrBuf b = {0};
    Map old = {0};
    rest_begin(&c->rest);
    DG_TRY(find_old(c, records, count, &old, err));
    write_ids(&b, records, count);
    buf_add(&b, S(",\"embeddings\":["));
    for (int32_t i = 0; i < count; i++) {
        buf_add(&b, i ? S(",") : S(""));
        vector_write(&b, records[i].values, c->store.dimension);
    }
    buf_add(&b, S("],\"metadatas\":["));
    for (int32_t i = 0; i < count; i++) {
        buf_add(&b, i ? S(",") : S(""));
        write_metadata(c, &b, &records[i], map_get(&old, records[i].id));
    }
    buf_add(&b, S("],\"documents\":["));
    for (int32_t i = 0; i < count; i++) {
        buf_add(&b, i ? S(",") : S(""));
        if (records[i].text.ptr)
            buf_json(&b, records[i].text);
        else /* null would leave the old text */
            buf_add(&b, map_has(&old, records[i].id) ? S("\"\"") : S("null"));
    }
    buf_add(&b, S("],\"uris\":null}"));
    return post(c, "upsert", &b, NULL, "write to", err);
}

static DgStatus chroma_upsert(VectorStore *s, const VectorRecord *records, int32_t count, DgError *err)
{
    Chroma *c = (Chroma *)s;
    for (int32_t i = 0; i < count; i += (int32_t)c->batch_max)
        DG_TRY(upsert_some(c, records + i, count - i < c->batch_max ? count - i : (int32_t)c->batch_max, err));
    return DG_OK;
}

static DgStatus chroma_remove(VectorStore *s, const Str *ids, int32_t count, DgError *err)
{
    Chroma *c = (Chroma *)s;
    StrBuf b = {0};
    rest_begin(&c->rest);
    buf_add(&b, S("{\"ids\":["));
    for (int32_t i = 0; i < count; i++) {
        buf_add(&b, i ? S(",") : S(""));
        buf_json(&b, ids[i]);
    }
    buf_add(&b, S("]}"));
    return post(c, "delete", &b, NULL, "delete from", err);
}

static DgStatus chroma_count(VectorStore *s, int64_t *out, DgError *err)
{
    Chroma *c = (Chroma *)s;
    DgValue answer;
    rest_begin(&c->rest);
    Str path = str_format(&c->rest.arena, "%.*s/%.*s/count?read_level=index_and_wal", FMT(c->collections), FMT(c->id));
    DG_TRY(rest_call(&c->rest, "GET", path, NULL, &answer, doing(c, "count"), err));
    if (answer.kind != DG_V_INT)
        return dg_fail(err, DG_DATA, "Chroma's count is no number");
    *out = answer.as.i;
    return DG_OK;
}

static DgStatus chroma_list(VectorStore *s, Arena *a, VectorEntries *out, DgError *err)
{
    Chroma *c = (Chroma *)s;
    StrBuf b = {0};
    DgValue answer;
    rest_begin(&c->rest);
    buf_format(&b, "{\"limit\":%d,\"offset\":%lld,\"include\":[\"metadatas\"]}", PAGE, (long long)c->offset);
    DG_TRY(post(c, "get", &b, &answer, "list", err));
    const DgValue *ids = list_at(&answer, "ids"), *metadatas = list_at(&answer, "metadatas");
    size_t n = ids ? ids->as.list->count : 0;
    for (size_t i = 0; i < n; i++) {
        DgValue id = ids->as.list->items[i];
        Str hash = metadatas && i < metadatas->as.list->count ? dgv_text_at(metadatas->as.list->items[i], VECTOR_HASH_KEY) : (Str){0};
        if (id.kind != DG_V_STR)
            return dg_fail(err, DG_DATA, "Chroma listed an id that is no text");
        array_add(a, out, ((VectorEntry){str_copy(a, id.as.s), str_copy(a, hash)}));
    }
    c->offset += (int64_t)n;
    if (a->failed)
        return os_no_memory(err, "for a list of records");
    return n ? DG_OK : DG_END;
}

static double score_of(const Chroma *c, double distance)
{
    return c->store.metric == VECTOR_EUCLIDEAN ? -sqrt(distance > 0 ? distance : 0) : 1 - distance;
}

static const DgValue *item(const DgValue *list, size_t i)
{
    return list && list->kind == DG_V_LIST && i < list->as.list->count ? &list->as.list->items[i] : NULL;
}

static DgStatus chroma_query(VectorStore *s, const VectorQuery *queries, int32_t count, int32_t top_k, const VectorFilter *filter, Arena *a,
                             VectorMatches *matches, DgError *err)
{
    Chroma *c = (Chroma *)s;
    StrBuf b = {0};
    DgValue answer;
    rest_begin(&c->rest);
    buf_add(&b, S("{\"query_embeddings\":["));
    for (int32_t i = 0; i < count; i++) {
        buf_add(&b, i ? S(",") : S(""));
        vector_write(&b, queries[i].values, c->store.dimension);
    }
    buf_format(&b, "],\"n_results\":%d,\"where\":", top_k);
    if (filter->count)
        vector_filter_mongo(&b, &c->rest.ev, filter);
    else
        buf_add(&b, S("null"));
    buf_add(&b, S(",\"include\":[\"metadatas\",\"documents\",\"distances\"]}"));
    DG_TRY(post(c, "query", &b, &answer, "search", err));
    const DgValue *ids = list_at(&answer, "ids"), *distances = list_at(&answer, "distances");
    const DgValue *documents = list_at(&answer, "documents"), *metadatas = list_at(&answer, "metadatas");
    for (int32_t q = 0; q < count; q++) {
        const DgValue *found = item(ids, (size_t)q), *far = item(distances, (size_t)q);
        const DgValue *texts = item(documents, (size_t)q), *more = item(metadatas, (size_t)q);
        if (!found || found->kind != DG_V_LIST || !far)
            return dg_fail(err, DG_DATA, "Chroma did not answer every query");
        for (size_t i = 0; i < found->as.list->count; i++) {
            const DgValue *id = item(found, i), *distance = item(far, i), *text = item(texts, i);
            if (id->kind != DG_V_STR || !distance || !dgv_is_number(*distance))
                return dg_fail(err, DG_DATA, "Chroma answered a query with something else than ids and distances");
            VectorMatch m = {.id = str_copy(a, id->as.s), .metadata = vector_metadata_from(&c->rest.ev, a, item(more, i), NULL)};
            m.score = score_of(c, distance->kind == DG_V_INT ? (double)distance->as.i : distance->as.f);
            if (text && text->kind == DG_V_STR)
                m.text = str_copy(a, text->as.s);
            array_add(a, &matches[q], m);
        }
    }
    return a->failed ? os_no_memory(err, "for matches") : DG_OK;
}

static DgStatus chroma_beside(VectorStore *s, int64_t dimension, int32_t metric, DgError *err)
{
    Chroma *c = (Chroma *)s;
    VectorInfo made;
    Str name = beside_name(c, "new");
    c->old_id = c->id;
    DG_TRY(drop(c, name, err));
    DG_TRY(make(c, name, metric, &made, err));
    c->store.dimension = dimension;
    c->fresh = true;
    return DG_OK;
}

static DgStatus chroma_switch(VectorStore *s, DgError *err)
{
    Chroma *c = (Chroma *)s;
    Str old = beside_name(c, "old");
    DG_TRY(drop(c, old, err));
    if (c->old_id.len)
        DG_TRY(rename_to(c, c->old_id, old, err));
    os_crashpoint("vector.switch");
    DG_TRY(rename_to(c, c->id, target_of(c)->collection, err));
    return c->old_id.len ? drop(c, old, err) : DG_OK;
}

const VectorStoreType vector_chroma = {
    .name = "chroma",
    .title = "Chroma",
    .upsert_max = BATCH_MAX,
    .remove_max = BATCH_MAX,
    .query_max = 100,
    .bytes_max = 32u << 20,
    .dimension_max = VECTOR_DIMENSION_MAX,
    .exact_integers = true,
    .open = chroma_open,
    .close = chroma_close,
    .tidy = chroma_tidy,
    .find = chroma_find,
    .create = chroma_create,
    .upsert = chroma_upsert,
    .remove = chroma_remove,
    .count = chroma_count,
    .list = chroma_list,
    .query = chroma_query,
    .beside = chroma_beside,
    .switch_over = chroma_switch,
};
