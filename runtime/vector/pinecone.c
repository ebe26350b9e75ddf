/* pinecone.c - Pinecone's control and data planes, version 2025-10 (docs.pinecone.io/reference/api).
 *
 * The collection is a serverless index, `namespace` a part of it. The control plane tells at which host the index's
 * data plane is. Texts are metadata. What was written shows after a while only, so counts are asked for again. There
 * is no renaming: a rebuild sends every record again and removes the others, and is never empty in between.
 */
#include "runtime/base/sha256.h"
#include "runtime/net/rest.h"
#include "runtime/os/os.h"
#include "runtime/run/run.h"
#include "runtime/run/secrets.h"
#include "runtime/vector/store.h"

enum { PAGE = 100, ID_MAX = 512, METADATA_MAX = 40960, READY_MS = 300000 };
static const char MADE_ID[] = "~dgc-"; /* begins ids that stand for those Pinecone cannot hold */

typedef struct Pinecone {
    VectorStore store; /* first */
    VectorTarget target;
    Rest rest;
    Str host;          /* URL of the data plane */
    Str next;          /* listing: token of the next page */
    bool listed;       /* all pages */
} Pinecone;

static DgStatus pinecone_open(const VectorTarget *target, VectorStore **out, DgError *err)
{
    Pinecone *p = os_alloc(sizeof *p);
    if (!p)
        return os_no_memory(err, "for a vector store");
    p->store.type = &vector_pinecone;
    p->target = *target;
    *out = &p->store;
    if (!target->url.len) { /* as Pinecone's SDK does */
        bool is_secret;
        DgStatus status = secrets_get(target->run->run->secrets, S("PINECONE_CONTROLLER_HOST"), &p->target.url, &is_secret, err);
        if (status != DG_OK && status != DG_END)
            return status;
    }
    DG_TRY(rest_open(&p->rest, target->run, p->target.url, "Pinecone", "https://api.pinecone.io", err));
    rest_header(&p->rest, "Api-Key", target->api_key);
    rest_header(&p->rest, "X-Pinecone-Api-Version", S("2025-10"));
    return DG_OK;
}

static void pinecone_close(VectorStore *s)
{
    Pinecone *p = (Pinecone *)s;
    if (!p)
        return;
    rest_close(&p->rest);
    os_free(p);
}

static const char *doing(Pinecone *p, const char *verb)
{
    return str_cstr(&p->rest.arena, str_format(&p->rest.arena, "%s index `%.*s`", verb, FMT(p->target.collection)));
}

/* ---- The control plane ---- */

/* The key goes to this host: to Pinecone's own, or, with a control plane of one's own, to what that names. */
static DgStatus take_host(Pinecone *p, Str host, DgError *err)
{
    bool own = p->target.url.len > 0, scheme = str_starts(host, S("http://")) || str_starts(host, S("https://"));
    if (!host.len || (!own && (scheme || str_find_char(host, '/') >= 0 || str_find_char(host, '@') >= 0 || !str_ends(host, S(".pinecone.io")))))
        return dg_fail(err, DG_DATA, "Pinecone said that index `%.*s` is at `%.*s`, which is no host of Pinecone", FMT(p->target.collection), FMT(str_sub(host, 0, 200)));
    p->host = str_format(&p->rest.keep, "%s%.*s", scheme ? "" : str_starts(p->rest.base, S("http://")) ? "http://" : "https://", FMT(host));
    return DG_OK;
}

static int32_t metric_of(Str s)
{
    return str_eq(s, S("cosine")) ? VECTOR_COSINE : str_eq(s, S("dotproduct")) ? VECTOR_DOT : str_eq(s, S("euclidean")) ? VECTOR_EUCLIDEAN : -1;
}

/* Waits until the index is ready. */
static DgStatus pinecone_find(VectorStore *s, VectorInfo *out, DgError *err)
{
    Pinecone *p = (Pinecone *)s;
    DgValue answer;
    int64_t until = os_monotonic_ms() + READY_MS;
    for (int64_t wait_ms = 250;; wait_ms = wait_ms < 4000 ? wait_ms * 2 : 5000) {
        rest_begin(&p->rest);
        Str path = str_format(&p->rest.arena, "/indexes/%.*s", FMT(p->target.collection));
        DG_TRY(rest_call(&p->rest, "GET", path, NULL, &answer, doing(p, "look at"), err));
        const DgValue *ready = dgv_at(&answer, "status.ready");
        if (ready && ready->kind == DG_V_BOOL && ready->as.b)
            break;
        if (os_monotonic_ms() > until)
            return dg_fail(err, DG_TEMPFAIL, "index `%.*s` is not ready after %d s: %.*s", FMT(p->target.collection), READY_MS / 1000, FMT(dgv_text_at(answer, "status.state")));
        if (dg_cancelled(p->target.run))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        os_sleep_ms(wait_ms);
    }
    DG_TRY(take_host(p, dgv_text_at(answer, "host"), err));
    *out = (VectorInfo){dgv_int_at(answer, "dimension"), metric_of(dgv_text_at(answer, "metric")), p->host};
    p->store.dimension = out->dimension;
    p->store.metric = out->metric;
    p->next = (Str){0};
    p->listed = false;
    return DG_OK;
}

static DgStatus pinecone_create(VectorStore *s, int64_t dimension, int32_t metric, VectorInfo *out, DgError *err)
{
    static const char *const metrics[] = {"cosine", "dotproduct", "euclidean"};
    Pinecone *p = (Pinecone *)s;
    StrBuf b = {0};
    rest_begin(&p->rest);
    buf_add(&b, S("{\"name\":"));
    buf_json(&b, p->target.collection);
    buf_format(&b, ",\"dimension\":%lld,\"metric\":\"%s\",\"vector_type\":\"dense\",\"deletion_protection\":\"disabled\",\"spec\":{\"serverless\":{\"cloud\":",
               (long long)dimension, metrics[metric]);
    buf_json(&b, p->target.cloud);
    buf_add(&b, S(",\"region\":"));
    buf_json(&b, p->target.region);
    buf_add(&b, S("}}}"));
    DgStatus status = rest_call(&p->rest, "POST", S("/indexes"), &b, NULL, doing(p, "create"), err);
    if (status != DG_OK && status != DG_TEMPFAIL) /* 409: an attempt whose answer was lost */
        return status;
    return pinecone_find(s, out, err);
}

/* ---- The data plane ---- */

static DgStatus call(Pinecone *p, const char *method, const char *path, StrBuf *body, DgValue *answer, const char *verb, DgError *err)
{
    return rest_call(&p->rest, method, str_format(&p->rest.arena, "%.*s%s", FMT(p->host), path), body, answer, doing(p, verb), err);
}

/* The id as Pinecone can hold it: ASCII, not too long. */
static bool made_id(Str id, char out[ID_MAX + 1], Str *sent)
{
    bool fits = id.len <= ID_MAX && !str_starts(id, str_from(MADE_ID));
    for (ptrdiff_t i = 0; i < id.len && fits; i++)
        fits = id.ptr[i] >= ' ' && id.ptr[i] < 0x7f;
    *sent = id;
    if (fits)
        return false;
    Sha256 h;
    size_t n = sizeof MADE_ID - 1;
    memcpy(out, MADE_ID, n);
    sha256_init(&h);
    sha256_add(&h, id);
    sha256_hex(&h, out + n);
    *sent = str_from(out);
    return true;
}

static DgStatus add_vector(Pinecone *p, StrBuf *b, const VectorRecord *r, DgError *err)
{
    char made[ID_MAX + 1];
    Str id;
    bool with_id = made_id(r->id, made, &id);
    buf_add(b, S("{\"id\":"));
    buf_json(b, id);
    buf_add(b, S(",\"values\":"));
    vector_write(b, r->values, p->store.dimension);
    if (r->sparse.len) {
        buf_add(b, S(",\"sparseValues\":"));
        buf_add(b, r->sparse);
    }
    buf_add(b, S(",\"metadata\":"));
    size_t start = b->len;
    vector_write_payload(b, r, true, with_id);
    if (b->len - start > METADATA_MAX)
        return dg_fail(err, DG_DATA, "row `%.*s` has %zu bytes of text and metadata; Pinecone takes %d", FMT(str_sub(r->id, 0, 200)), b->len - start, METADATA_MAX);
    buf_char(b, '}');
    return DG_OK;
}

/* Ends a body. Without a namespace of its own an index has one that is not named. */
static void add_namespace(Pinecone *p, StrBuf *b)
{
    if (p->target.space.len) {
        buf_add(b, S(",\"namespace\":"));
        buf_json(b, p->target.space);
    }
    buf_char(b, '}');
}

static DgStatus pinecone_upsert(VectorStore *s, const VectorRecord *records, int32_t count, DgError *err)
{
    Pinecone *p = (Pinecone *)s;
    StrBuf b = {0};
    DgValue answer;
    DgStatus status = DG_OK;
    rest_begin(&p->rest);
    buf_add(&b, S("{\"vectors\":["));
    for (int32_t i = 0; i < count && status == DG_OK; i++) {
        buf_add(&b, i ? S(",") : S(""));
        status = add_vector(p, &b, &records[i], err);
    }
    if (status != DG_OK) {
        buf_free(&b);
        return status;
    }
    buf_char(&b, ']');
    add_namespace(p, &b);
    DG_TRY(call(p, "POST", "/vectors/upsert", &b, &answer, "write to", err));
    int64_t written = dgv_int_at(answer, "upsertedCount");
    if (written != count)
        return dg_fail(err, DG_DATA, "Pinecone wrote %lld of %d records", (long long)written, (int)count);
    return DG_OK;
}

static DgStatus pinecone_remove(VectorStore *s, const Str *ids, int32_t count, DgError *err)
{
    Pinecone *p = (Pinecone *)s;
    StrBuf b = {0};
    rest_begin(&p->rest);
    buf_add(&b, S("{\"ids\":["));
    for (int32_t i = 0; i < count; i++) {
        char made[ID_MAX + 1];
        Str id;
        made_id(ids[i], made, &id);
        buf_add(&b, i ? S(",") : S(""));
        buf_json(&b, id);
    }
    buf_char(&b, ']');
    add_namespace(p, &b);
    DgStatus status = call(p, "POST", "/vectors/delete", &b, NULL, "delete from", err);
    return status == DG_END ? DG_OK : status; /* the namespace is gone, and they with it */
}

static DgStatus pinecone_count(VectorStore *s, int64_t *out, DgError *err)
{
    Pinecone *p = (Pinecone *)s;
    StrBuf b = {0};
    DgValue answer;
    rest_begin(&p->rest);
    buf_add(&b, S("{}"));
    DG_TRY(call(p, "POST", "/describe_index_stats", &b, &answer, "count", err));
    const DgValue *spaces = dgv_at(&answer, "namespaces"), *space = spaces ? dgv_get_str(*spaces, p->target.space) : NULL;
    if (!space && !p->target.space.len && spaces)
        space = dgv_get_str(*spaces, S("__default__"));
    *out = space ? dgv_int_at(*space, "vectorCount") : 0;
    return DG_OK;
}

/* A page of ids, then what is known of each. */
static DgStatus pinecone_list(VectorStore *s, Arena *a, VectorEntries *out, DgError *err)
{
    Pinecone *p = (Pinecone *)s;
    StrBuf path = {0};
    DgValue answer;
    if (p->listed)
        return DG_END;
    rest_begin(&p->rest);
    Str space = p->target.space.len ? str_format(&p->rest.arena, "namespace=%.*s&", FMT(rest_escape(&p->rest.arena, p->target.space))) : (Str){0};
    buf_format(&path, "/vectors/list?%.*slimit=%d", FMT(space), PAGE);
    if (p->next.len)
        buf_format(&path, "&paginationToken=%.*s", FMT(rest_escape(&p->rest.arena, p->next)));
    DgStatus status = call(p, "GET", str_cstr(&p->rest.arena, buf_str(&path)), NULL, &answer, "list", err);
    buf_free(&path);
    if (status == DG_END) { /* no such namespace */
        p->listed = true;
        return DG_OK;
    }
    DG_TRY(status);
    p->next = str_copy(&p->rest.keep, dgv_text_at(answer, "pagination.next"));
    p->listed = !p->next.len;
    const DgValue *ids = dgv_at(&answer, "vectors");
    size_t n = ids && ids->kind == DG_V_LIST ? ids->as.list->count : 0;
    if (n == 0)
        return DG_OK;
    buf_format(&path, "/vectors/fetch?%.*s", FMT(space));
    for (size_t i = 0; i < n; i++)
        buf_format(&path, "%sids=%.*s", i ? "&" : "", FMT(rest_escape(&p->rest.arena, dgv_text_at(ids->as.list->items[i], "id"))));
    status = call(p, "GET", str_cstr(&p->rest.arena, buf_str(&path)), NULL, &answer, "list", err);
    buf_free(&path);
    DG_TRY(status);
    const DgValue *vectors = dgv_at(&answer, "vectors");
    for (size_t i = 0; vectors && vectors->kind == DG_V_DICT && i < vectors->as.dict->count; i++) {
        DgValue v = vectors->as.dict->values[i];
        Str id = dgv_text_at(v, "metadata." VECTOR_ID_KEY), hash = dgv_text_at(v, "metadata." VECTOR_HASH_KEY);
        array_add(a, out, ((VectorEntry){str_copy(a, id.len ? id : vectors->as.dict->keys[i].as.s), str_copy(a, hash)}));
    }
    return a->failed ? os_no_memory(err, "for a list of records") : DG_OK;
}

static double score_of(const Pinecone *p, double score)
{
    return p->store.metric == VECTOR_EUCLIDEAN ? -__builtin_sqrt(score > 0 ? score : 0) : score; /* the distance's square */
}

static DgStatus search_one(Pinecone *p, const VectorQuery *query, int32_t top_k, const VectorFilter *filter, Arena *a, VectorMatches *out, DgError *err)
{
    StrBuf b = {0};
    DgValue answer;
    rest_begin(&p->rest);
    buf_add(&b, S("{\"vector\":"));
    vector_write(&b, query->values, p->store.dimension);
    if (query->sparse.len) {
        buf_add(&b, S(",\"sparseVector\":"));
        buf_add(&b, query->sparse);
    }
    buf_format(&b, ",\"topK\":%d,\"includeValues\":false,\"includeMetadata\":true", top_k);
    if (filter->count) {
        buf_add(&b, S(",\"filter\":"));
        vector_filter_mongo(&b, &p->rest.ev, filter);
    }
    add_namespace(p, &b);
    DG_TRY(call(p, "POST", "/query", &b, &answer, "search", err));
    const DgValue *found = dgv_at(&answer, "matches");
    if (!found || found->kind != DG_V_LIST)
        return dg_fail(err, DG_DATA, "Pinecone's answer to a query has no matches");
    for (size_t i = 0; i < found->as.list->count; i++) {
        DgValue f = found->as.list->items[i];
        const DgValue *score = dgv_at(&f, "score");
        Str id = dgv_text_at(f, "metadata." VECTOR_ID_KEY);
        if (!score || !dgv_is_number(*score))
            return dg_fail(err, DG_DATA, "Pinecone answered a query with a match that has no score");
        VectorMatch m = {.id = str_copy(a, id.len ? id : dgv_text_at(f, "id"))};
        m.metadata = vector_metadata_from(&p->rest.ev, a, dgv_at(&f, "metadata"), &m.text);
        m.score = score_of(p, score->kind == DG_V_INT ? (double)score->as.i : score->as.f);
        array_add(a, out, m);
    }
    return a->failed ? os_no_memory(err, "for matches") : DG_OK;
}

static DgStatus pinecone_query(VectorStore *s, const VectorQuery *queries, int32_t count, int32_t top_k, const VectorFilter *filter, Arena *a,
                               VectorMatches *matches, DgError *err)
{
    for (int32_t i = 0; i < count; i++)
        DG_TRY(search_one((Pinecone *)s, &queries[i], top_k, filter, a, &matches[i], err));
    return DG_OK;
}

const VectorStoreType vector_pinecone = {
    .name = "pinecone",
    .title = "Pinecone",
    .upsert_max = 1000,
    .remove_max = 1000,
    .query_max = 100,
    .bytes_max = 1800000, /* the service takes 2 MB */
    .dimension_max = 20000,
    .eventual = true,
    .open = pinecone_open,
    .close = pinecone_close,
    .find = pinecone_find,
    .create = pinecone_create,
    .upsert = pinecone_upsert,
    .remove = pinecone_remove,
    .count = pinecone_count,
    .list = pinecone_list,
    .query = pinecone_query,
};
