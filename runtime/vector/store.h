/* store.h - one contract for every service that keeps vectors and finds the nearest. One file per store.
 *
 * A VectorStore is one collection, used by one thread at a time. A record is an id, the numbers, a text,
 * metadata, and a hash of all of these, which the store keeps beside the record (as metadata `_dgc_hash`), so
 * that what a collection holds can always be found out from itself.
 *
 * Every call may be made twice: it leaves what one call leaves. Errors have the classes of net/http.h and
 * db/engine.h; the message has the service's own words, never a key.
 *
 * The embedded store, DuckDB, is no VectorStore: there an index is a table (local.h).
 */
#ifndef DGC_VECTOR_STORE_H
#define DGC_VECTOR_STORE_H

#include "runtime/component.h"
#include "runtime/eval/value.h"

typedef enum VectorMetric { VECTOR_COSINE, VECTOR_DOT, VECTOR_EUCLIDEAN } VectorMetric;
extern const char *const dg_vector_metrics[]; /* "cosine", "dot", "euclidean", NULL */

enum {
    VECTOR_DIMENSION_MAX = 65536,
    VECTOR_TOP_K_MAX = 10000,
};
#define VECTOR_HASH_KEY "_dgc_hash" /* metadata of a record */
#define VECTOR_ID_KEY "_dgc_id"     /* its id, where the store's own ids cannot hold it */
#define VECTOR_TEXT_KEY "text"      /* its text, in stores that keep texts among the metadata */

/* Where a collection is, as attributes say it. What a store does not know stays empty. */
typedef struct VectorTarget {
    DgStr url, api_key, collection;
    DgStr tenant, database;          /* Chroma */
    DgStr space, cloud, region;      /* Pinecone: namespace; where a new index is made */
    int32_t metric;                  /* VectorMetric: of a collection that is made */
    DgStepRun *run;                  /* whose services are called */
} VectorTarget;

typedef struct VectorRecord {
    Str id, hash, text;              /* text.ptr NULL: none */
    Str metadata;                    /* members of a JSON object without its braces: `"a":1,"b":"x"` */
    Str sparse;                      /* {"indices":[...],"values":[...]}; empty: none */
    const float *values;
} VectorRecord;

typedef struct VectorInfo {
    int64_t dimension;               /* 0: not known yet, the store learns it from the first record */
    int32_t metric;                  /* VectorMetric; -1: not known */
    Str identity;                    /* another one means another collection of the same name */
} VectorInfo;

typedef struct VectorQuery {
    const float *values;
    Str sparse;                      /* as in a record; only for stores that know it */
} VectorQuery;

typedef struct VectorMatch {
    Str id, text, metadata;          /* metadata: a JSON object, dgc's own keys left out */
    double score;                    /* greater is nearer: cosine, inner product, or minus the distance */
} VectorMatch;
typedef Array(VectorMatch) VectorMatches;

typedef struct VectorEntry {         /* of a listing */
    Str id, hash;                    /* hash empty: some other program's record */
} VectorEntry;
typedef Array(VectorEntry) VectorEntries;

/* One comparison of a filter; all of them must hold. */
typedef enum VectorOperator { VECTOR_EQ, VECTOR_NE, VECTOR_GT, VECTOR_GTE, VECTOR_LT, VECTOR_LTE, VECTOR_IN, VECTOR_NIN } VectorOperator;
typedef struct VectorCondition {
    Str field;
    VectorOperator operator;
    DgValue value;                   /* text, number or boolean; IN and NIN: a list of them */
} VectorCondition;
typedef struct VectorFilter {
    const VectorCondition *conditions;
    size_t count;
} VectorFilter;
/* {tenant: a, year: {gte: 2020}, lang: [de, en]} taken apart; a list means `in`. False: *problem says why. */
bool vector_filter(DgValue written, void *(*alloc)(void *context, size_t bytes), void *context, VectorFilter *out, const char **problem);

typedef struct VectorStore VectorStore;
typedef struct VectorStoreType VectorStoreType;
struct VectorStoreType {
    const char *name;                /* "chroma" */
    const char *title;               /* "Chroma" */
    int32_t upsert_max, remove_max, query_max; /* of one call */
    size_t bytes_max;                /* of the records of one upsert, as JSON */
    int64_t dimension_max;
    bool exact_integers;             /* metadata keeps integers beyond 2^53 */
    bool eventual;                   /* what was written is seen a little later */

    DgStatus (*open)(const VectorTarget *target, VectorStore **out, DgError *err);
    void (*close)(VectorStore *s);   /* NULL is fine */
    /* Undoes a rebuild that was broken off, so that find() finds the old collection or the new one, whole, and
     * nothing else of this index is left. May be NULL. Only for who writes: readers just find(). */
    DgStatus (*tidy)(VectorStore *s, DgError *err);
    /* Strings live as long as the store. DG_END: there is no such collection. */
    DgStatus (*find)(VectorStore *s, VectorInfo *out, DgError *err);
    DgStatus (*create)(VectorStore *s, int64_t dimension, int32_t metric, VectorInfo *out, DgError *err);
    DgStatus (*upsert)(VectorStore *s, const VectorRecord *records, int32_t count, DgError *err);
    DgStatus (*remove)(VectorStore *s, const Str *ids, int32_t count, DgError *err);
    DgStatus (*count)(VectorStore *s, int64_t *out, DgError *err);
    /* The next page of all records, from the beginning after find() or create(); DG_END: that was all. */
    DgStatus (*list)(VectorStore *s, Arena *a, VectorEntries *out, DgError *err);
    /* The `top_k` nearest of each query, nearest first: matches[i] of queries[i]. */
    DgStatus (*query)(VectorStore *s, const VectorQuery *queries, int32_t count, int32_t top_k, const VectorFilter *filter, Arena *a,
                      VectorMatches *matches, DgError *err);
    /* A new, empty collection beside the one there is: all later calls are about it. NULL: the store cannot
     * rename; it is filled in place. */
    DgStatus (*beside)(VectorStore *s, int64_t dimension, int32_t metric, DgError *err);
    DgStatus (*switch_over)(VectorStore *s, DgError *err); /* the new one takes the old one's place */
};
struct VectorStore {
    const VectorStoreType *type;
    int64_t dimension;               /* once found or created */
    int32_t metric;
};

extern const VectorStoreType vector_chroma, vector_qdrant, vector_pinecone, vector_pgvector;

/* ---- What stores share ---- */

/* "[0.1,-2e-05]": nine digits at most, which read back as the same float32. */
void vector_write(StrBuf *out, const float *values, int64_t count);
/* {"_dgc_hash":..., "text":..., metadata}: what most stores keep beside the numbers. */
void vector_write_payload(StrBuf *out, const VectorRecord *r, bool with_text, bool with_id);
/* The members of a JSON object that are not dgc's own, as JSON. `text` (may be NULL) gets VECTOR_TEXT_KEY. */
Str vector_metadata_from(DgEval *ev, Arena *a, const DgValue *object, Str *text);
/* MongoDB's way of writing a filter, which Chroma and Pinecone share; `$and` joins more than one. */
void vector_filter_mongo(StrBuf *out, DgEval *ev, const VectorFilter *f);

#endif
