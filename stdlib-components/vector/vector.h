/* vector.h - what dgc.VectorIndex and dgc.VectorSearch share. */
#ifndef DGC_COMPONENT_VECTOR_H
#define DGC_COMPONENT_VECTOR_H

#include "runtime/vector/search.h"

typedef enum VectorStoreChoice { STORE_DUCKDB, STORE_CHROMA, STORE_QDRANT, STORE_PINECONE, STORE_PGVECTOR, STORES } VectorStoreChoice;
extern const char *const dg_vector_store_names[];

/* The attributes that say where a collection is, the same for both. */
typedef struct VectorPlace {
    int32_t store, metric;
    DgStr collection, url, api_key, tenant, database, namespace, cloud, region;
} VectorPlace;

/* Puts it into a step's config; reports attributes that the store does not know, and those that it lacks. `fallback`:
 * the collection when none is written. */
void dg_vector_place(DgPlanner *p, const VectorPlace *place, DgStr fallback, VectorTarget *to);
void dg_vector_check_sparse(DgPlanner *p, const VectorPlace *place, const DgStr *sparse); /* reports `sparse` where it means nothing */
DgStr dg_vector_last_part(DgStr key); /* a/b/c: c */

/* By VectorStoreChoice; NULL-terminated. Of indexes that answer: STORES further on. */
extern const DgStepOps *const dg_vector_index_steps[], *const dg_vector_search_steps[];

/* The fields of a VectorPlace that stands at byte `base` of a larger struct. */
#define VECTOR_PLACE_(base, f, k, CT, ...) {.name = #f, .kind = k, .offset = (base) + DG_OFFSET(VectorPlace, f, CT), __VA_ARGS__}
#define VECTOR_PLACE_FIELDS(base)                                                                                       \
    VECTOR_PLACE_(base, store, DG_F_ENUM, int32_t, .choices = dg_vector_store_names, .fallback = "duckdb",              \
                  .flags = DG_BUILD, .doc = "Where the vectors are kept; `duckdb` is the warehouse itself."),           \
    VECTOR_PLACE_(base, url, DG_F_STRING, DgStr,                                                                        \
                  .doc = "Address of the service, `http://localhost:8000`; of pgvector `postgres://me@host/db`. "       \
                         "Pinecone needs none."),                                                                       \
    VECTOR_PLACE_(base, collection, DG_F_STRING, DgStr,                                                                 \
                  .doc = "The collection; Pinecone's index; pgvector's table, perhaps with its schema."),               \
    VECTOR_PLACE_(base, api_key, DG_F_SECRET, DgStr, .example = "\"{{ env('PINECONE_API_KEY') }}\"",                    \
                  .doc = "Key of Pinecone, Qdrant or Chroma's cloud."),                                                 \
    VECTOR_PLACE_(base, metric, DG_F_ENUM, int32_t, .choices = dg_vector_metrics, .fallback = "cosine",                 \
                  .flags = DG_BUILD, .doc = "What near means: the angle, the inner product, or the distance."),         \
    VECTOR_PLACE_(base, tenant, DG_F_STRING, DgStr, .flags = DG_ADVANCED,                                               \
                  .doc = "Chroma: the tenant; `default_tenant` when not given."),                                       \
    VECTOR_PLACE_(base, database, DG_F_STRING, DgStr, .flags = DG_ADVANCED,                                             \
                  .doc = "Chroma: the database; `default_database` when not given."),                                   \
    VECTOR_PLACE_(base, namespace, DG_F_STRING, DgStr, .flags = DG_ADVANCED, .doc = "Pinecone: the namespace."),        \
    VECTOR_PLACE_(base, cloud, DG_F_STRING, DgStr, .flags = DG_ADVANCED,                                                \
                  .doc = "Pinecone: the cloud of an index that is made; `aws` when not given."),                        \
    VECTOR_PLACE_(base, region, DG_F_STRING, DgStr, .flags = DG_ADVANCED,                                               \
                  .doc = "Pinecone: its region; `us-east-1` when not given.")

#endif
