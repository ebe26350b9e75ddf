/* nearest.c - a matrix product that keeps only the best of each column.
 *
 * Sixteen queries at a time against six rows at a time: twelve registers of eight sums each, so that every number
 * that is loaded is used several times. Queries are packed as [group][dimension][16] for it.
 */
#include "runtime/vector/nearest.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <math.h>
#include <stdlib.h>

#include "runtime/os/os.h"

enum { GROUP = 16, TILE = 6, BLOCK = 96 /* rows that stay in the cache while all queries pass */ };

typedef float V __attribute__((vector_size(32), aligned(4), may_alias));

typedef struct Lane {
    NearestHit *heaps;    /* top_k for each query; the worst is first */
    int32_t *counts;
    float *worst;         /* what a score must reach; +inf for queries that only fill a group */
} Lane;

typedef void TileFn(const float *const rows[TILE], const float *packed, int32_t dimension, float *out);
typedef float SquareFn(const float *row, int32_t dimension);

struct Nearest {
    int32_t count, dimension, metric, top_k, lanes_count, groups;
    float *packed;
    Lane *lanes;
    TileFn *tile;
    SquareFn *square;
};

/* ---- The arithmetic, compiled for what the machine has ---- */

/* One row of a tile; twelve sums in all, each in a register of its own. */
#define ROW(r, step)                   \
    {                                  \
        float x = rows[r][k];          \
        step(a##r, q0, x)              \
        step(b##r, q1, x)              \
    }
#define STORE(r)                                       \
    memcpy(out + (r) * GROUP, &a##r, sizeof a##r);     \
    memcpy(out + (r) * GROUP + 8, &b##r, sizeof b##r);
#define TILE_BODY(step)                                                                    \
    V a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0}, a4 = {0}, a5 = {0};                          \
    V b0 = {0}, b1 = {0}, b2 = {0}, b3 = {0}, b4 = {0}, b5 = {0};                          \
    for (int32_t k = 0; k < dimension; k++, packed += GROUP) {                             \
        V q0 = *(const V *)(const void *)packed, q1 = *(const V *)(const void *)(packed + 8); \
        ROW(0, step) ROW(1, step) ROW(2, step) ROW(3, step) ROW(4, step) ROW(5, step)      \
    }                                                                                      \
    STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5)

#define PRODUCT(sum, q, x) sum += (q) * (x);
static inline __attribute__((always_inline)) void tile_dot(const float *const rows[TILE], const float *packed, int32_t dimension, float *out)
{
    TILE_BODY(PRODUCT)
}

/* The square of the distance, negative: differences are squared as they are, so that near ones stay exact. */
#define DISTANCE(sum, q, x) { V d = (q) - (x); sum -= d * d; }
static inline __attribute__((always_inline)) void tile_distance(const float *const rows[TILE], const float *packed, int32_t dimension, float *out)
{
    TILE_BODY(DISTANCE)
}

static inline __attribute__((always_inline)) float square_of(const float *row, int32_t dimension)
{
    V sum = {0};
    float s = 0;
    int32_t k = 0;
    for (; k + 8 <= dimension; k += 8) {
        V x = *(const V *)(const void *)(row + k);
        sum += x * x;
    }
    for (; k < dimension; k++)
        s += row[k] * row[k];
    for (int i = 0; i < 8; i++)
        s += sum[i];
    return s;
}

#define COMPILED(suffix, attribute)                                                                                                                     \
    static attribute void dot_##suffix(const float *const rows[TILE], const float *packed, int32_t n, float *out) { tile_dot(rows, packed, n, out); }   \
    static attribute void distance_##suffix(const float *const rows[TILE], const float *packed, int32_t n, float *out) { tile_distance(rows, packed, n, out); } \
    static attribute float square_##suffix(const float *row, int32_t n) { return square_of(row, n); }

COMPILED(plain, )
#ifdef __x86_64__
COMPILED(avx2, __attribute__((target("avx2,fma"))))
#endif

#ifdef __x86_64__
/* By hand: what compilers have for it needs a library that tcc does not link. Processor and system must both do. */
static bool has_avx2(void)
{
    enum { FMA = 1 << 12, OSXSAVE = 1 << 27, AVX2 = 1 << 5, YMM = 6 };
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (FMA | OSXSAVE)) != (FMA | OSXSAVE))
        return false;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & YMM) == YMM && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & AVX2);
}
#endif

static void choose(Nearest *n)
{
    n->tile = n->metric == VECTOR_EUCLIDEAN ? distance_plain : dot_plain;
    n->square = square_plain;
#ifdef __x86_64__
    if (has_avx2()) {
        n->tile = n->metric == VECTOR_EUCLIDEAN ? distance_avx2 : dot_avx2;
        n->square = square_avx2;
    }
#endif
}

/* ---- Opening ---- */

size_t nearest_bytes(int32_t dimension, int32_t top_k, int32_t lanes)
{
    return (size_t)dimension * sizeof(float) + (size_t)lanes * ((size_t)top_k * sizeof(NearestHit) + sizeof(float) + sizeof(int32_t));
}

static void pack(Nearest *n, const float *queries)
{
    for (int32_t q = 0; q < n->count; q++) {
        const float *from = queries + (size_t)q * (size_t)n->dimension;
        float *to = n->packed + (size_t)(q / GROUP) * (size_t)n->dimension * GROUP + q % GROUP, length = 1;
        double square = 0;
        for (int32_t k = 0; n->metric == VECTOR_COSINE && k < n->dimension; k++)
            square += (double)from[k] * (double)from[k];
        if (square > 0)
            length = (float)sqrt(square);
        for (int32_t k = 0; k < n->dimension; k++)
            to[(size_t)k * GROUP] = from[k] / length;
    }
}

DgStatus nearest_open(const float *queries, int32_t count, int32_t dimension, int32_t metric, int32_t top_k, int32_t lanes, Nearest **out, DgError *err)
{
    assert(count > 0 && dimension > 0 && top_k > 0 && lanes > 0);
    Nearest *n = os_alloc(sizeof *n);
    *out = n;
    if (!n)
        return os_no_memory(err, "for a search");
    *n = (Nearest){.count = count, .dimension = dimension, .metric = metric, .top_k = top_k, .groups = (count + GROUP - 1) / GROUP};
    size_t padded = (size_t)n->groups * GROUP;
    n->packed = os_alloc(padded * (size_t)dimension * sizeof *n->packed);
    n->lanes = os_alloc((size_t)lanes * sizeof *n->lanes);
    if (!n->packed || !n->lanes)
        return os_no_memory(err, "for a search");
    n->lanes_count = lanes;
    for (int32_t i = 0; i < lanes; i++) {
        Lane *l = &n->lanes[i];
        l->heaps = os_alloc((size_t)count * (size_t)top_k * sizeof *l->heaps);
        l->counts = os_alloc(padded * sizeof *l->counts);
        l->worst = os_alloc(padded * sizeof *l->worst);
        if (!l->heaps || !l->counts || !l->worst)
            return os_no_memory(err, "for a search");
        for (size_t q = 0; q < padded; q++)
            l->worst[q] = q < (size_t)count ? -INFINITY : INFINITY;
    }
    pack(n, queries);
    choose(n);
    return DG_OK;
}

void nearest_close(Nearest *n)
{
    if (!n)
        return;
    for (int32_t i = 0; i < n->lanes_count; i++) {
        os_free(n->lanes[i].heaps);
        os_free(n->lanes[i].counts);
        os_free(n->lanes[i].worst);
    }
    os_free(n->packed);
    os_free(n->lanes);
    os_free(n);
}

/* ---- The best of each query ---- */

static bool is_worse(NearestHit a, NearestHit b) { return a.score < b.score || (a.score == b.score && a.label > b.label); }

static void sift_down(NearestHit *heap, int32_t count, NearestHit hit)
{
    int32_t at = 0;
    for (int32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_worse(heap[child + 1], heap[child]))
            child++;
        if (!is_worse(heap[child], hit))
            break;
        heap[at] = heap[child];
    }
    heap[at] = hit;
}

static void offer(Nearest *n, Lane *l, int32_t query, NearestHit hit)
{
    NearestHit *heap = l->heaps + (size_t)query * (size_t)n->top_k;
    int32_t count = l->counts[query];
    if (count == n->top_k) {
        if (is_worse(hit, heap[0]))
            return;
        sift_down(heap, count, hit);
    } else {
        int32_t at = l->counts[query]++;
        for (; at > 0 && is_worse(hit, heap[(at - 1) / 2]); at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = hit;
    }
    if (l->counts[query] == n->top_k)
        l->worst[query] = heap[0].score;
}

static void keep_best(Nearest *n, Lane *l, int32_t group, const float *scores, int64_t label)
{
    const float *worst = l->worst + group * GROUP;
    int any = 0;
    for (int j = 0; j < GROUP; j++)
        any |= scores[j] >= worst[j];
    for (int32_t j = 0; any && j < GROUP; j++)
        if (scores[j] >= worst[j] && scores[j] <= 3.4e38f) /* no infinite ones, no NaN */
            offer(n, l, group * GROUP + j, (NearestHit){label, scores[j]});
}

void nearest_add(Nearest *n, int32_t lane, const float *rows, const int64_t *labels, int32_t count)
{
    Lane *l = &n->lanes[lane];
    size_t width = (size_t)n->dimension;
    float scores[TILE * GROUP], scale[BLOCK];
    for (int32_t start = 0; start < count; start += BLOCK) {
        int32_t end = start + BLOCK < count ? start + BLOCK : count;
        for (int32_t i = start; n->metric == VECTOR_COSINE && i < end; i++)
            scale[i - start] = 1 / sqrtf(n->square(rows + (size_t)i * width, n->dimension)); /* of zeros: no number comes of it */
        for (int32_t g = 0; g < n->groups; g++) {
            const float *packed = n->packed + (size_t)g * width * GROUP;
            for (int32_t i = start; i < end; i += TILE) {
                const float *tile[TILE];
                for (int32_t r = 0; r < TILE; r++)
                    tile[r] = rows + (size_t)(i + r < end ? i + r : end - 1) * width;
                n->tile(tile, packed, n->dimension, scores);
                for (int32_t r = 0; r < TILE && i + r < end; r++) {
                    float *s = scores + r * GROUP;
                    for (int j = 0; n->metric == VECTOR_COSINE && j < GROUP; j++)
                        s[j] *= scale[i + r - start];
                    keep_best(n, l, g, s, labels[i + r]);
                }
            }
        }
    }
}

static int by_nearness(const void *a, const void *b)
{
    const NearestHit *x = a, *y = b;
    return is_worse(*x, *y) ? 1 : is_worse(*y, *x) ? -1 : 0;
}

int32_t nearest_take(Nearest *n, int32_t query, NearestHit *hits)
{
    /* All lanes' hits through one heap: that of the first. */
    Lane *first = &n->lanes[0];
    for (int32_t i = 1; i < n->lanes_count; i++) {
        const NearestHit *heap = n->lanes[i].heaps + (size_t)query * (size_t)n->top_k;
        for (int32_t k = 0; k < n->lanes[i].counts[query]; k++)
            offer(n, first, query, heap[k]);
        n->lanes[i].counts[query] = 0;
    }
    int32_t count = first->counts[query];
    memcpy(hits, first->heaps + (size_t)query * (size_t)n->top_k, (size_t)count * sizeof *hits);
    qsort(hits, (size_t)count, sizeof *hits, by_nearness);
    for (int32_t k = 0; n->metric == VECTOR_EUCLIDEAN && k < count; k++)
        hits[k].score = hits[k].score < 0 ? -sqrtf(-hits[k].score) : 0;
    return count;
}
