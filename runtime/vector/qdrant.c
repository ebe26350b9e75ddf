/* qdrant.c - Qdrant's REST interface (api.qdrant.tech).
 *
 * Points have whole numbers or UUIDs as ids: ours are UUIDs made from the id's SHA-256, the id itself is in the
 * payload. A collection is reached by an alias, so that a rebuild can take its place in one step: behind alias NAME
 * stands NAME__a or NAME__b, whichever is not being built. A collection that was made by others, without an alias,
 * is used as it is.
 */
#include <stdio.h>

#include "runtime/base/sha256.h"
#include "runtime/net/rest.h"
#include "runtime/os/os.h"
#include "runtime/vector/store.h"

enum { PAGE = 1000 };

typedef struct Qdrant {
    VectorStore store; /* first */
    VectorTarget target;
    Rest rest;
    Str name;          /* of the collection that calls are about */
    Str old_name;      /* of the one it will replace; empty: none */
    Str next;          /* listing: id of the next page's first point */
    bool listed;       /* all pages */
} Qdrant;

static DgStatus qdrant_open(const VectorTarget *target, VectorStore **out, DgError *err)
{
    Qdrant *d = os_alloc(sizeof *d);
    if (!d)
        return os_no_memory(err, "for a vector store");
    d->store.type = &vector_qdrant;
    d->target = *target;
    *out = &d->store;
    DG_TRY(rest_open(&d->rest, target->run, target->url, "Qdrant", NULL, err));
    rest_header(&d->rest, "api-key", target->api_key);
    return DG_OK;
}

static void qdrant_close(VectorStore *s)
{
    Qdrant *d = (Qdrant *)s;
    if (!d)
        return;
    rest_close(&d->rest);
    os_free(d);
}

static const char *doing(Qdrant *d, const char *verb)
{
    return str_cstr(&d->rest.arena, str_format(&d->rest.arena, "%s collection `%.*s`", verb, FMT(d->target.collection)));
}

/* METHOD /collections/NAME{rest} */
static DgStatus call(Qdrant *d, const char *method, Str name, const char *rest, StrBuf *body, DgValue *answer, const char *verb, DgError *err)
{
    Str path = str_format(&d->rest.arena, "/collections/%.*s%s", FMT(rest_escape(&d->rest.arena, name)), rest);
    return rest_call(&d->rest, method, path, body, answer, doing(d, verb), err);
}

static Str side(Qdrant *d, char letter) { return str_format(&d->rest.keep, "%.*s__%c", FMT(d->target.collection), letter); }

/* The collection behind the alias; the alias's own name when there is none. */
static DgStatus resolve(Qdrant *d, DgError *err)
{
    DgValue answer;
    rest_begin(&d->rest);
    d->name = d->target.collection;
    DG_TRY(rest_call(&d->rest, "GET", S("/aliases"), NULL, &answer, "ask for aliases", err));
    const DgValue *aliases = dgv_at(&answer, "result.aliases");
    for (size_t i = 0; aliases && aliases->kind == DG_V_LIST && i < aliases->as.list->count; i++)
        if (str_eq(dgv_text_at(aliases->as.list->items[i], "alias_name"), d->target.collection))
            d->name = str_copy(&d->rest.keep, dgv_text_at(aliases->as.list->items[i], "collection_name"));
    return DG_OK;
}

static DgStatus drop(Qdrant *d, Str name, DgError *err)
{
    rest_begin(&d->rest);
    DgStatus s = call(d, "DELETE", name, "", NULL, NULL, "delete", err);
    return s == DG_END ? DG_OK : s;
}

static DgStatus qdrant_tidy(VectorStore *s, DgError *err)
{
    Qdrant *d = (Qdrant *)s;
    Str a = side(d, 'a'), b = side(d, 'b');
    DG_TRY(resolve(d, err));
    if (!str_eq(d->name, a))
        DG_TRY(drop(d, a, err));
    return str_eq(d->name, b) ? DG_OK : drop(d, b, err);
}

static int32_t metric_of(Str s)
{
    return str_eq(s, S("Cosine")) ? VECTOR_COSINE : str_eq(s, S("Dot")) ? VECTOR_DOT : str_eq(s, S("Euclid")) ? VECTOR_EUCLIDEAN : -1;
}

static DgStatus qdrant_find(VectorStore *s, VectorInfo *out, DgError *err)
{
    Qdrant *d = (Qdrant *)s;
    DgValue answer;
    DG_TRY(resolve(d, err));
    rest_begin(&d->rest);
    DG_TRY(call(d, "GET", d->name, "", NULL, &answer, "look at", err));
    out->dimension = dgv_int_at(answer, "result.config.params.vectors.size");
    Str distance = dgv_text_at(answer, "result.config.params.vectors.distance");
    out->identity = d->name;
    if (!out->dimension || !distance.len)
        return dg_fail(err, DG_CONFIG, "collection `%.*s` has no vectors without a name: dgc did not make it", FMT(d->target.collection));
    out->metric = metric_of(distance);
    if (out->metric < 0)
        return dg_fail(err, DG_CONFIG, "collection `%.*s` measures by %.*s, which dgc does not know", FMT(d->target.collection), FMT(distance));
    d->store.dimension = out->dimension;
    d->store.metric = out->metric;
    d->next = (Str){0};
    d->listed = false;
    return DG_OK;
}

static DgStatus make(Qdrant *d, Str name, int64_t dimension, int32_t metric, DgError *err)
{
    static const char *const distances[] = {"Cosine", "Dot", "Euclid"};
    StrBuf b = {0};
    rest_begin(&d->rest);
    buf_format(&b, "{\"vectors\":{\"size\":%lld,\"distance\":\"%s\"}}", (long long)dimension, distances[metric]);
    DG_TRY(call(d, "PUT", name, "", &b, NULL, "create", err));
    d->name = name;
    d->store.dimension = dimension;
    d->store.metric = metric;
    d->next = (Str){0};
    d->listed = false;
    return DG_OK;
}

/* The alias leads to `name` from now on. */
static DgStatus point_alias(Qdrant *d, Str name, bool replace, DgError *err)
{
    StrBuf b = {0};
    rest_begin(&d->rest);
    buf_add(&b, S("{\"actions\":["));
    if (replace) {
        buf_add(&b, S("{\"delete_alias\":{\"alias_name\":"));
        buf_json(&b, d->target.collection);
        buf_add(&b, S("}},"));
    }
    buf_add(&b, S("{\"create_alias\":{\"collection_name\":"));
    buf_json(&b, name);
    buf_add(&b, S(",\"alias_name\":"));
    buf_json(&b, d->target.collection);
    buf_add(&b, S("}}]}"));
    return rest_call(&d->rest, "POST", S("/collections/aliases"), &b, NULL, doing(d, "name"), err);
}

static DgStatus qdrant_create(VectorStore *s, int64_t dimension, int32_t metric, VectorInfo *out, DgError *err)
{
    Qdrant *d = (Qdrant *)s;
    Str name = side(d, 'a');
    DG_TRY(drop(d, name, err));
    DG_TRY(make(d, name, dimension, metric, err));
    DG_TRY(point_alias(d, name, false, err));
    *out = (VectorInfo){dimension, metric, name};
    return DG_OK;
}

/* A UUID of version 8, "made as one likes". */
static void uuid_of(Str id, char out[37])
{
    Sha256 h;
    uint8_t b[32];
    sha256_init(&h);
    sha256_add(&h, S("dgc.VectorIndex\n"));
    sha256_add(&h, id);
    sha256_end(&h, b);
    b[6] = (uint8_t)(0x80 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
             b[11], b[12], b[13], b[14], b[15]);
}

static DgStatus qdrant_upsert(VectorStore *s, const VectorRecord *records, int32_t count, DgError *err)
{
    Qdrant *d = (Qdrant *)s;
    StrBuf b = {0};
    char uuid[37];
    rest_begin(&d->rest);
    buf_add(&b, S("{\"points\":["));
    for (int32_t i = 0; i < count; i++) {
        uuid_of(records[i].id, uuid);
        buf_format(&b, "%s{\"id\":\"%s\",\"vector\":", i ? "," : "", uuid);
        vector_write(&b, records[i].values, d->store.dimension);
        buf_add(&b, S(",\"payload\":"));
        vector_write_payload(&b, &records[i], true, true);
        buf_char(&b, '}');
    }
    buf_add(&b, S("]}"));
    return call(d, "PUT", d->name, "/points?wait=true", &b, NULL, "write to", err);
}

static DgStatus qdrant_remove(VectorStore *s, const Str *ids, int32_t count, DgError *err)
{
    Qdrant *d = (Qdrant *)s;
    StrBuf b = {0};
    char uuid[37];
    rest_begin(&d->rest);
    buf_add(&b, S("{\"points\":["));
    for (int32_t i = 0; i < count; i++) {
        uuid_of(ids[i], uuid);
        buf_format(&b, "%s\"%s\"", i ? "," : "", uuid);
    }
    buf_add(&b, S("]}"));
    return call(d, "POST", d->name, "/points/delete?wait=true", &b, NULL, "delete from", err);
}

static DgStatus qdrant_count(VectorStore *s, int64_t *out, DgError *err)
{
    Qdrant *d = (Qdrant *)s;
    StrBuf b = {0};
    DgValue answer;
    rest_begin(&d->rest);
    buf_add(&b, S("{\"exact\":true}"));
    DG_TRY(call(d, "POST", d->name, "/points/count", &b, &answer, "count", err));
    const DgValue *count = dgv_at(&answer, "result.count");
    if (!count || count->kind != DG_V_INT)
        return dg_fail(err, DG_DATA, "Qdrant's count is no number");
    *out = count->as.i;
    return DG_OK;
}

static DgStatus qdrant_list(VectorStore *s, Arena *a, VectorEntries *out, DgError *err)
{
    Qdrant *d = (Qdrant *)s;
    StrBuf b = {0};
    DgValue answer;
    if (d->listed)
        return DG_END;
    rest_begin(&d->rest);
    buf_format(&b, "{\"limit\":%d,\"with_payload\":[\"" VECTOR_ID_KEY "\",\"" VECTOR_HASH_KEY "\"],\"with_vector\":false", PAGE);
    if (d->next.len)
        buf_format(&b, ",\"offset\":%.*s", FMT(d->next));
    buf_char(&b, '}');
    DG_TRY(call(d, "POST", d->name, "/points/scroll", &b, &answer, "list", err));
    const DgValue *points = dgv_at(&answer, "result.points"), *next = dgv_at(&answer, "result.next_page_offset");
    for (size_t i = 0; points && points->kind == DG_V_LIST && i < points->as.list->count; i++) {
        DgValue p = points->as.list->items[i];
        Str id = dgv_text_at(p, "payload." VECTOR_ID_KEY), hash = dgv_text_at(p, "payload." VECTOR_HASH_KEY);
        if (!id.len) /* of another program */
            id = dgv_text_at(p, "id"), hash = (Str){0};
        array_add(a, out, ((VectorEntry){str_copy(a, id), str_copy(a, hash)}));
    }
    d->listed = !next || next->kind == DG_V_NONE;
    if (!d->listed) {
        StrBuf offset = {0};
        dg_write_json(&d->rest.ev, &offset, *next, 0, false);
        d->next = str_copy(&d->rest.keep, buf_str(&offset));
        buf_free(&offset);
    }
    return a->failed ? os_no_memory(err, "for a list of records") : DG_OK;
}

/* ---- Searching ---- */

static void write_scalar(StrBuf *b, DgEval *ev, DgValue v)
{
    if (v.kind == DG_V_STR)
        buf_json(b, v.as.s);
    else
        dg_write_json(ev, b, v, 0, false);
}

/* {"must":[{"key":"k","match":{"value":1}},{"key":"k","range":{"gte":1}}],"must_not":[...]} */
static void write_condition(StrBuf *b, DgEval *ev, const VectorCondition *c)
{
    static const char *const ranges[] = {[VECTOR_GT] = "gt", [VECTOR_GTE] = "gte", [VECTOR_LT] = "lt", [VECTOR_LTE] = "lte"};
    bool list = c->operator == VECTOR_IN || c->operator == VECTOR_NIN, equal = c->operator == VECTOR_EQ || c->operator == VECTOR_NE;
    buf_add(b, S("{\"key\":"));
    buf_json(b, c->field);
    if (list) {
        buf_add(b, S(",\"match\":{\"any\":["));
        for (size_t i = 0; i < c->value.as.list->count; i++) {
            buf_add(b, i ? S(",") : S(""));
            write_scalar(b, ev, c->value.as.list->items[i]);
        }
        buf_char(b, ']');
    } else if (equal && c->value.kind == DG_V_FLOAT) { /* `match` takes no such numbers */
        buf_add(b, S(",\"range\":{\"gte\":"));
        write_scalar(b, ev, c->value);
        buf_add(b, S(",\"lte\":"));
        write_scalar(b, ev, c->value);
    } else {
        buf_format(b, equal ? ",\"match\":{\"value\":" : ",\"range\":{\"%s\":", equal ? "" : ranges[c->operator]);
        write_scalar(b, ev, c->value);
    }
    buf_add(b, S("}}"));
}

static void write_filter(StrBuf *b, DgEval *ev, const VectorFilter *f)
{
    for (int not = 0; not < 2; not++) {
        size_t n = 0;
        buf_add(b, not ? S(",\"must_not\":[") : S("{\"must\":["));
        for (size_t i = 0; i < f->count; i++) {
            bool negated = f->conditions[i].operator == VECTOR_NE || f->conditions[i].operator == VECTOR_NIN;
            if (negated != not)
                continue;
            buf_add(b, n++ ? S(",") : S(""));
            write_condition(b, ev, &f->conditions[i]);
        }
        buf_char(b, ']');
    }
    buf_char(b, '}');
}

static DgStatus search_one(Qdrant *d, const float *query, int32_t top_k, const VectorFilter *filter, Arena *a, VectorMatches *out, DgError *err)
{
    StrBuf b = {0};
    DgValue answer;
    rest_begin(&d->rest);
    buf_add(&b, S("{\"query\":"));
    vector_write(&b, query, d->store.dimension);
    buf_format(&b, ",\"limit\":%d,\"with_payload\":true", top_k);
    if (filter->count) {
        buf_add(&b, S(",\"filter\":"));
        write_filter(&b, &d->rest.ev, filter);
    }
    buf_char(&b, '}');
    DG_TRY(call(d, "POST", d->name, "/points/query", &b, &answer, "search", err));
    const DgValue *points = dgv_at(&answer, "result.points");
    if (!points || points->kind != DG_V_LIST)
        return dg_fail(err, DG_DATA, "Qdrant's answer to a query has no points");
    for (size_t i = 0; i < points->as.list->count; i++) {
        DgValue p = points->as.list->items[i];
        const DgValue *score = dgv_at(&p, "score"), *payload = dgv_at(&p, "payload");
        Str id = dgv_text_at(p, "payload." VECTOR_ID_KEY);
        if (!score || !dgv_is_number(*score))
            return dg_fail(err, DG_DATA, "Qdrant answered a query with a point that has no score");
        VectorMatch m = {.id = str_copy(a, id.len ? id : dgv_text_at(p, "id"))};
        m.metadata = vector_metadata_from(&d->rest.ev, a, payload, &m.text);
        m.score = score->kind == DG_V_INT ? (double)score->as.i : score->as.f;
        if (d->store.metric == VECTOR_EUCLIDEAN)
            m.score = -m.score;
        array_add(a, out, m);
    }
    return a->failed ? os_no_memory(err, "for matches") : DG_OK;
}

static DgStatus qdrant_query(VectorStore *s, const VectorQuery *queries, int32_t count, int32_t top_k, const VectorFilter *filter, Arena *a,
                             VectorMatches *matches, DgError *err)
{
    for (int32_t i = 0; i < count; i++)
        DG_TRY(search_one((Qdrant *)s, queries[i].values, top_k, filter, a, &matches[i], err));
    return DG_OK;
}

static DgStatus qdrant_beside(VectorStore *s, int64_t dimension, int32_t metric, DgError *err)
{
    Qdrant *d = (Qdrant *)s;
    Str a = side(d, 'a'), name = str_eq(d->name, a) ? side(d, 'b') : a;
    if (str_eq(d->name, d->target.collection)) {
        dg_fail(err, DG_CONFIG, "collection `%.*s` is no alias: it cannot be replaced in one step", FMT(d->name));
        dg_hint(err, "delete it in Qdrant, or name another collection");
        return DG_CONFIG;
    }
    d->old_name = d->name;
    DG_TRY(drop(d, name, err));
    return make(d, name, dimension, metric, err);
}

static DgStatus qdrant_switch(VectorStore *s, DgError *err)
{
    Qdrant *d = (Qdrant *)s;
    DG_TRY(point_alias(d, d->name, true, err));
    os_crashpoint("vector.switch");
    return d->old_name.len ? drop(d, d->old_name, err) : DG_OK;
}

const VectorStoreType vector_qdrant = {
    .name = "qdrant",
    .title = "Qdrant",
    .upsert_max = 1000,
    .remove_max = 1000,
    .query_max = 100,
    .bytes_max = 24u << 20, /* the server takes 32 MB */
    .dimension_max = VECTOR_DIMENSION_MAX,
    .exact_integers = true,
    .open = qdrant_open,
    .close = qdrant_close,
    .tidy = qdrant_tidy,
    .find = qdrant_find,
    .create = qdrant_create,
    .upsert = qdrant_upsert,
    .remove = qdrant_remove,
    .count = qdrant_count,
    .list = qdrant_list,
    .query = qdrant_query,
    .beside = qdrant_beside,
    .switch_over = qdrant_switch,
};
