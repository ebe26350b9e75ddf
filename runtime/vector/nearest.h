/* nearest.h - the k nearest rows of each query, exactly: every row is measured.
 *
 * The queries are held in memory, packed for the processor's vector units; rows come in blocks, from any number of
 * threads, each with a lane of its own. AVX2 and FMA are used where the machine has them.
 */
#ifndef DGC_VECTOR_NEAREST_H
#define DGC_VECTOR_NEAREST_H

#include "runtime/vector/store.h"

typedef struct Nearest Nearest;
typedef struct NearestHit {
    int64_t label;
    float score; /* greater is nearer */
} NearestHit;

/* `queries`: count * dimension numbers, which may go away afterwards. With VECTOR_COSINE rows of zeros are nobody's
 * neighbour. */
DgStatus nearest_open(const float *queries, int32_t count, int32_t dimension, int32_t metric, int32_t top_k, int32_t lanes, Nearest **out, DgError *err);
void nearest_close(Nearest *n); /* NULL is fine */
/* Bytes that nearest_open takes for each query. */
size_t nearest_bytes(int32_t dimension, int32_t top_k, int32_t lanes);
/* `rows`: count * dimension numbers; labels[i] of the ith. */
void nearest_add(Nearest *n, int32_t lane, const float *rows, const int64_t *labels, int32_t count);
/* Once all lanes are done: the hits of a query, nearest first, equally near ones by label. Returns how many. */
int32_t nearest_take(Nearest *n, int32_t query, NearestHit *hits);

#endif
