/* place.c - where a collection is: what each store must be told, may be told, and does not know. */
#include "stdlib-components/vector/vector.h"

const char *const dg_vector_store_names[] = {"duckdb", "chroma", "qdrant", "pinecone", "pgvector", NULL};

DgStr dg_vector_last_part(DgStr key)
{
    ptrdiff_t i = key.len;
    while (i > 0 && key.ptr[i - 1] != '/')
        i--;
    return str_sub(key, i, key.len);
}

/* Attributes by store: wanted '!', known '+', else of no meaning. In the order of VectorStoreChoice. */
static const struct {
    size_t offset;
    const char *name, *stores;
} RULES[] = {
    {offsetof(VectorPlace, url), "url", " !!+!"},
    {offsetof(VectorPlace, api_key), "api_key", " ++! "},
    {offsetof(VectorPlace, tenant), "tenant", " +   "},
    {offsetof(VectorPlace, database), "database", " +   "},
    {offsetof(VectorPlace, namespace), "namespace", "   + "},
    {offsetof(VectorPlace, cloud), "cloud", "   + "},
    {offsetof(VectorPlace, region), "region", "   + "},
};

static const char *const EXAMPLES[] = {"", "\"{{ env('CHROMA_URL') }}\"", "\"{{ env('QDRANT_URL') }}\"", "\"{{ env('PINECONE_API_KEY') }}\"",
                                       "\"{{ env('PGVECTOR_URL') }}\""};

static void check_rules(DgPlanner *p, const VectorPlace *place)
{
    const char *store = dg_vector_store_names[place->store];
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
        const void *field = (const char *)place + RULES[i].offset;
        char rule = RULES[i].stores[place->store];
        bool set = p->api->is_set(p, field);
        if (rule == ' ' && set)
            p->api->report(p, "E0110", field, "take it away, or choose another `store`", "`%s` means nothing to store `%s`", RULES[i].name, store);
        if (rule == '!' && !set) {
            DgStr help = p->api->format(p, "write `%s: %s`", RULES[i].name, EXAMPLES[place->store]);
            p->api->report(p, "E0106", &place->store, help.ptr, "store `%s` needs `%s`", store, RULES[i].name);
        }
    }
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* NULL: the store takes this name. */
static const char *name_rule(int32_t store, DgStr name)
{
    static const char chroma[] = "Chroma's names have 3 to 500 letters, digits, `.`, `_` and `-`, the first and the last a letter or digit";
    static const char pinecone[] = "Pinecone's names have 1 to 45 lower-case letters, digits and `-`, the first and the last a letter or digit";
    static const char qdrant[] = "Qdrant's names have 1 to 240 characters, none of them a slash, a control character or one of `<>:\"\\|?*`";
    const char *words = store == STORE_CHROMA ? chroma : store == STORE_PINECONE ? pinecone : qdrant;
    ptrdiff_t least = store == STORE_CHROMA ? 3 : 1, most = store == STORE_CHROMA ? 500 : store == STORE_PINECONE ? 45 : 240;
    if (store == STORE_PGVECTOR || store == STORE_DUCKDB)
        return NULL;
    if (name.len < least || name.len > most)
        return words;
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool word = is_digit(c) || is_letter(c), edge = i == 0 || i == name.len - 1;
        if (store == STORE_QDRANT ? (unsigned char)c < ' ' || strchr("/<>:\"\\|?*", c) != NULL
            : store == STORE_PINECONE ? !(is_digit(c) || (c >= 'a' && c <= 'z') || (c == '-' && !edge))
                                      : !(word || (strchr("._-", c) && !edge)))
            return words;
    }
    return NULL;
}

static void check_name(DgPlanner *p, const VectorPlace *place, DgStr name)
{
    const void *field = place->collection.len ? (const void *)&place->collection : &place->store;
    const char *words = name_rule(place->store, name);
    if (words)
        p->api->report(p, "E0110", field, words, "`%.*s` is no name for a collection of %s", FMT(name), dg_vector_store_names[place->store]);
}

void dg_vector_place(DgPlanner *p, const VectorPlace *place, DgStr fallback, VectorTarget *to)
{
    const struct {
        DgStr *to;
        const DgStr *from;
        DgStr fallback;
    } texts[] = {
        {&to->url, &place->url, {0}},
        {&to->api_key, &place->api_key, {0}},
        {&to->collection, &place->collection, fallback},
        {&to->tenant, &place->tenant, DG_S("default_tenant")},
        {&to->database, &place->database, DG_S("default_database")},
        {&to->space, &place->namespace, {0}},
        {&to->cloud, &place->cloud, DG_S("aws")},
        {&to->region, &place->region, DG_S("us-east-1")},
    };
    check_rules(p, place);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (p->api->is_set(p, texts[i].from))
            p->api->copy(p, texts[i].to, texts[i].from, sizeof(DgStr));
        else
            *texts[i].to = texts[i].fallback;
    }
    to->metric = place->metric;
    if (!p->api->is_set(p, &place->collection) || p->api->is_known(p, &place->collection))
        check_name(p, place, p->api->is_set(p, &place->collection) ? place->collection : fallback);
}

void dg_vector_check_sparse(DgPlanner *p, const VectorPlace *place, const DgStr *sparse)
{
    if (sparse->len && place->store != STORE_PINECONE)
        p->api->report(p, "E0110", sparse, "take it away", "`sparse` means nothing to store `%s`", dg_vector_store_names[place->store]);
    else if (sparse->len && place->metric != VECTOR_DOT)
        p->api->report(p, "E0110", sparse, "write `metric: dot`", "Pinecone takes sparse values with the metric `dot` only");
}
