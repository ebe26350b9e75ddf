/* tokens.c - byte pair encoding.
 *
 * The vocabulary is a hash table from bytes to rank. A piece that is a token is one; another one is
 * merged: of all neighbours whose union is a token, the pair of lowest rank first, until there is none.
 * Short pieces are searched for it from end to end each time; long ones (a kilobyte of `=`, a line of
 * Thai) keep their pairs in a heap, so that no text takes quadratic time.
 */
#include <stdlib.h>
#include <zstd.h>

#include "runtime/os/os.h"
#include "runtime/text/tokens.h"
#include "runtime/text/unicode.h"

enum { SHORT_PIECE = 96, NO_RANK = INT32_MAX, CACHE_ENTRIES = 4096, CACHE_BYTES = 28 };

typedef struct CacheEntry { /* a word, and how many tokens it is */
    char bytes[CACHE_BYTES];
    uint16_t length, count;
} CacheEntry;

typedef struct Slot {
    uint32_t hash, offset; /* of the bytes */
    int32_t rank;
    uint32_t length;       /* 0: free */
} Slot;

struct DgTokenizer {
    const DgTokenRanks *ranks;
    char *memory;          /* as unpacked: count, lengths, bytes */
    const char *bytes;
    Slot *slots;
    uint32_t mask;
    int32_t of_byte[256];  /* ranks of single bytes */
    bool is_clone;         /* memory and slots are another one's */
    CacheEntry *cache;     /* clones */
};

/* ---- The vocabulary ---- */

static uint32_t hash_of(const char *p, ptrdiff_t n)
{
    uint64_t h = (uint64_t)n * 0x9e3779b97f4a7c15u, word = 0;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&word, p, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, p, (size_t)n);
    h = (h ^ word) * 0xff51afd7ed558ccdu;
    h ^= h >> 29;
    return (uint32_t)(h ^ h >> 32);
}

static int32_t rank_of(const DgTokenizer *t, const char *p, ptrdiff_t n)
{
    uint32_t hash = hash_of(p, n);
    for (uint32_t i = hash & t->mask; t->slots[i].length; i = (i + 1) & t->mask) {
        const Slot *s = &t->slots[i];
        if (s->hash == hash && s->length == (uint32_t)n && memcmp(t->bytes + s->offset, p, (size_t)n) == 0)
            return s->rank;
    }
    return NO_RANK;
}

static DgStatus unpack(DgTokenizer *t, size_t *size, DgError *err)
{
    size_t packed = (size_t)(t->ranks->packed_end - t->ranks->packed);
    unsigned long long whole = ZSTD_getFrameContentSize(t->ranks->packed, packed);
    if (whole == ZSTD_CONTENTSIZE_ERROR || whole == ZSTD_CONTENTSIZE_UNKNOWN || whole > 64 << 20 || whole < 4)
        return dg_fail(err, DG_BUG, "the vocabulary %s is damaged", t->ranks->name);
    if (!(t->memory = malloc((size_t)whole)))
        return os_no_memory(err, "for a tokenizer");
    *size = ZSTD_decompress(t->memory, (size_t)whole, t->ranks->packed, packed);
    return *size == whole ? DG_OK : dg_fail(err, DG_BUG, "the vocabulary %s is damaged", t->ranks->name);
}

static DgStatus build(DgTokenizer *t, size_t size, DgError *err)
{
    uint32_t count, offset = 0, capacity = 1;
    memcpy(&count, t->memory, 4);
    const unsigned char *lengths = (const unsigned char *)t->memory + 4;
    if (count > size - 4)
        return dg_fail(err, DG_BUG, "the vocabulary %s is damaged", t->ranks->name);
    t->bytes = t->memory + 4 + count;
    while (capacity < count * 2)
        capacity *= 2;
    t->mask = capacity - 1;
    if (!(t->slots = calloc(capacity, sizeof *t->slots)))
        return os_no_memory(err, "for a tokenizer");
    for (uint32_t rank = 0; rank < count; offset += lengths[rank++]) {
        if (offset + lengths[rank] > size - 4 - count)
            return dg_fail(err, DG_BUG, "the vocabulary %s is damaged", t->ranks->name);
        uint32_t hash = hash_of(t->bytes + offset, lengths[rank]), i = hash & t->mask;
        while (t->slots[i].length)
            i = (i + 1) & t->mask;
        t->slots[i] = (Slot){hash, offset, (int32_t)rank, lengths[rank]};
        if (lengths[rank] == 1)
            t->of_byte[(unsigned char)t->bytes[offset]] = (int32_t)rank;
    }
    return DG_OK;
}

DgStatus tokens_open(const DgTokenRanks *ranks, DgTokenizer **out, DgError *err)
{
    size_t size = 0;
    DgTokenizer *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t || !unicode_classes()) {
        free(t);
        return os_no_memory(err, "for a tokenizer");
    }
    t->ranks = ranks;
    DgStatus status = unpack(t, &size, err);
    if (status == DG_OK)
        status = build(t, size, err);
    if (status != DG_OK) {
        tokens_close(t);
        return status;
    }
    *out = t;
    return DG_OK;
}

void tokens_close(DgTokenizer *t)
{
    if (!t)
        return;
    if (!t->is_clone) {
        free(t->memory);
        free(t->slots);
    }
    free(t->cache);
    free(t);
}

DgTokenizer *tokens_clone(const DgTokenizer *t)
{
    DgTokenizer *clone = malloc(sizeof *clone);
    if (!clone)
        return NULL;
    *clone = *t;
    clone->is_clone = true;
    clone->cache = calloc(CACHE_ENTRIES, sizeof *clone->cache);
    if (!clone->cache) {
        free(clone);
        return NULL;
    }
    return clone;
}

/* ---- What becomes of the tokens found ---- */

typedef struct Sink {
    int64_t count, max; /* max: of `ranks`, or of `ends` */
    int32_t *ranks;     /* NULL: not wanted */
    ptrdiff_t *ends;    /* NULL: not wanted */
} Sink;

static void found(Sink *sink, int32_t rank, ptrdiff_t end)
{
    if (sink->count < sink->max) {
        if (sink->ranks)
            sink->ranks[sink->count] = rank;
        if (sink->ends)
            sink->ends[sink->count] = end;
    }
    sink->count++;
}

/* ---- Merging ---- */

typedef struct Part {
    int32_t start, rank; /* rank of this part and the next one together */
} Part;

static void merge_short(const DgTokenizer *t, Str piece, ptrdiff_t base, Sink *sink)
{
    Part parts[SHORT_PIECE + 2];
    int32_t n = (int32_t)piece.len;
    for (int32_t i = 0; i <= n; i++)
        parts[i] = (Part){i, i + 2 <= n ? rank_of(t, piece.ptr + i, 2) : NO_RANK};
    parts[n + 1] = (Part){n, NO_RANK}; /* so that two parts on there is always one */
    for (int32_t count = n;;) {
        int32_t best = 0;
        for (int32_t i = 1; i < count - 1; i++)
            if (parts[i].rank < parts[best].rank)
                best = i;
        if (count < 2 || parts[best].rank == NO_RANK) {
            for (int32_t i = 0; i < count; i++) {
                int32_t from = parts[i].start, to = parts[i + 1].start;
                found(sink, sink->ranks ? rank_of(t, piece.ptr + from, to - from) : 0, base + to);
            }
            return;
        }
        memmove(&parts[best + 1], &parts[best + 2], sizeof *parts * (size_t)(count - best));
        count--;
        parts[count + 1] = (Part){n, NO_RANK};
        for (int32_t i = best - (best > 0); i <= best; i++)
            parts[i].rank = i + 2 <= count
                                ? rank_of(t, piece.ptr + parts[i].start, parts[i + 2].start - parts[i].start)
                                : NO_RANK;
    }
}

/* Long pieces: parts are a list by their first byte; the heap holds pairs, some of them out of date. */
typedef struct Pair {
    int32_t rank, left, length; /* bytes of both together */
} Pair;
typedef struct Long {
    const DgTokenizer *t;
    Str piece;
    int32_t *next, *previous; /* by first byte; next of the last is the length, previous of the first -1 */
    Pair *heap;
    size_t heap_count;
} Long;

static bool before(const Pair *a, const Pair *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->left < b->left;
}

static void heap_add(Long *l, Pair pair)
{
    size_t i = l->heap_count++;
    for (; i > 0 && before(&pair, &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        l->heap[i] = l->heap[(i - 1) / 2];
    l->heap[i] = pair;
}

static Pair heap_take(Long *l)
{
    Pair top = l->heap[0], last = l->heap[--l->heap_count];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < l->heap_count) {
        if (child + 1 < l->heap_count && before(&l->heap[child + 1], &l->heap[child]))
            child++;
        if (!before(&l->heap[child], &last))
            break;
        l->heap[i] = l->heap[child];
        i = child;
    }
    l->heap[i] = last;
    return top;
}

static void add_pair(Long *l, int32_t left)
{
    int32_t middle = l->next[left];
    if (middle >= l->piece.len)
        return;
    int32_t length = l->next[middle] - left;
    int32_t rank = length > 255 ? NO_RANK : rank_of(l->t, l->piece.ptr + left, length);
    if (rank != NO_RANK)
        heap_add(l, (Pair){rank, left, length});
}

/* False: out of memory. */
static bool merge_long(const DgTokenizer *t, Str piece, ptrdiff_t base, Sink *sink)
{
    int32_t n = (int32_t)piece.len;
    Long l = {.t = t, .piece = piece};
    l.next = malloc(sizeof(int32_t) * (size_t)(n + 1) * 2);
    l.heap = malloc(sizeof(Pair) * (size_t)n * 3); /* each merge takes one out and puts at most two in */
    if (!l.next || !l.heap) {
        free(l.next);
        free(l.heap);
        return false;
    }
    l.previous = l.next + n + 1;
    for (int32_t i = 0; i <= n; i++) {
        l.next[i] = i + 1;
        l.previous[i] = i - 1;
    }
    for (int32_t i = 0; i < n - 1; i++)
        add_pair(&l, i);
    while (l.heap_count) {
        Pair p = heap_take(&l);
        int32_t middle = l.next[p.left];
        if (middle < 0 || middle >= n || l.next[middle] - p.left != p.length)
            continue; /* one of the two has been merged since */
        int32_t after = l.next[middle];
        l.next[p.left] = after;
        l.next[middle] = -1;
        if (after < n)
            l.previous[after] = p.left;
        if (l.previous[p.left] >= 0)
            add_pair(&l, l.previous[p.left]);
        add_pair(&l, p.left);
    }
    for (int32_t i = 0; i < n; i = l.next[i])
        found(sink, sink->ranks ? rank_of(t, piece.ptr + i, l.next[i] - i) : 0, base + l.next[i]);
    free(l.next);
    free(l.heap);
    return true;
}

enum { PIECE_MAX = 1 << 20 }; /* what is longer is cut: no text has such words */

static void encode_piece(const DgTokenizer *t, Str piece, ptrdiff_t base, Sink *sink)
{
    int32_t rank = piece.len == 1 ? t->of_byte[(unsigned char)piece.ptr[0]]
                   : piece.len < 256 ? rank_of(t, piece.ptr, piece.len) : NO_RANK;
    if (rank != NO_RANK) {
        found(sink, rank, base + piece.len);
    } else if (piece.len <= SHORT_PIECE) {
        merge_short(t, piece, base, sink);
    } else if (piece.len > PIECE_MAX || !merge_long(t, piece, base, sink)) {
        ptrdiff_t half = piece.len > 2 * SHORT_PIECE ? piece.len / 2 : SHORT_PIECE;
        encode_piece(t, str_sub(piece, 0, half), base, sink);
        encode_piece(t, str_sub(piece, half, piece.len), base + half, sink);
    }
}

/* Tokens of one piece, looked up among those counted before. */
static void count_piece(const DgTokenizer *t, Str piece, Sink *sink)
{
    if (!t->cache || piece.len > CACHE_BYTES) {
        encode_piece(t, piece, 0, sink);
        return;
    }
    uint32_t hash = hash_of(piece.ptr, piece.len);
    CacheEntry *e = &t->cache[(hash ^ hash >> 16) % CACHE_ENTRIES];
    if (e->length != piece.len || memcmp(e->bytes, piece.ptr, (size_t)piece.len) != 0) {
        Sink one = {0};
        encode_piece(t, piece, 0, &one);
        memcpy(e->bytes, piece.ptr, (size_t)piece.len);
        e->length = (uint16_t)piece.len;
        e->count = (uint16_t)one.count;
    }
    sink->count += e->count;
}

static void encode(const DgTokenizer *t, Str text, Sink *sink)
{
    for (ptrdiff_t at = 0, end; at < text.len; at = end) {
        end = tokens_piece_end(text, at, t->ranks->splits_case);
        encode_piece(t, str_sub(text, at, end), at, sink);
    }
}

/* ---- The calls ---- */

int64_t tokens_count(const DgTokenizer *t, Str text)
{
    return tokens_count_to(t, text, INT64_MAX);
}

int64_t tokens_count_to(const DgTokenizer *t, Str text, int64_t max)
{
    Sink sink = {0};
    if (!t)
        return (text.len + 3) / 4;
    for (ptrdiff_t at = 0, end; at < text.len && sink.count <= max; at = end) {
        end = tokens_piece_end(text, at, t->ranks->splits_case);
        count_piece(t, str_sub(text, at, end), &sink);
    }
    return sink.count;
}

int64_t tokens_encode(const DgTokenizer *t, Str text, int32_t *out, int64_t max)
{
    Sink sink = {.max = max, .ranks = out};
    encode(t, text, &sink);
    return sink.count;
}

/* Where the last of at most `tokens` tokens of one piece ends. */
static ptrdiff_t cut_piece(const DgTokenizer *t, Str piece, int64_t tokens)
{
    ptrdiff_t *ends = tokens > 0 ? malloc(sizeof *ends * (size_t)tokens) : NULL;
    Sink sink = {.max = tokens, .ends = ends};
    if (!ends)
        return 0;
    encode_piece(t, piece, 0, &sink);
    ptrdiff_t end = 0;
    for (int64_t n = tokens < sink.count ? tokens : sink.count; n > 0; n--) {
        end = unicode_start(piece, ends[n - 1]); /* a beginning of a piece may be other tokens than it had */
        if (tokens_count(t, str_sub(piece, 0, end)) <= tokens)
            break;
        end = 0;
    }
    free(ends);
    return end;
}

ptrdiff_t tokens_cut(const DgTokenizer *t, Str text, int64_t tokens)
{
    ptrdiff_t cut = 0;
    if (!t) {
        cut = tokens < (text.len + 3) / 4 ? unicode_start(text, (ptrdiff_t)tokens * 4) : text.len;
    } else {
        int64_t count = 0;
        for (ptrdiff_t at = 0, end; at < text.len; at = end) {
            Sink sink = {0};
            end = tokens_piece_end(text, at, t->ranks->splits_case);
            Str piece = str_sub(text, at, end);
            count_piece(t, piece, &sink);
            if (count + sink.count > tokens) {
                cut = at + cut_piece(t, piece, tokens - count);
                break;
            }
            count += sink.count;
            cut = end;
        }
    }
    if (cut <= 0 && text.len) {
        cut = 0;
        unicode_next(text, &cut);
    }
    return cut;
}
