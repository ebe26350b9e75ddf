/* base.h - the words every other file uses. Include it first.
 *
 * Str is a view, Arena is memory freed all at once, DgError says what went wrong
 * in the outside world. Nothing here does input or output.
 */
#ifndef DG_BASE_H
#define DG_BASE_H

#include <assert.h>
#include <stdarg.h>

#include "runtime/dgc.h"

#if defined(__GNUC__) || defined(__clang__)
#define DG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define DG_MUST_USE __attribute__((warn_unused_result))
#else
#define DG_PRINTF(fmt, args)
#define DG_MUST_USE
#endif

/* ---- Str: a view of UTF-8 bytes. Not NUL-terminated, owns nothing, passed by value. ---- */

typedef DgStr Str; /* dgc.h has it; this is its short name inside */

#define S(lit) ((Str){"" lit, (ptrdiff_t)sizeof(lit) - 1})
#define FMT(s) (int)(s).len, (s).ptr ? (s).ptr : "" /* for "%.*s" */

Str str_from(const char *c); /* NULL gives the empty Str */
bool str_eq(Str a, Str b);
bool str_eq_nocase(Str a, Str b); /* ASCII only */
int str_cmp(Str a, Str b);        /* bytewise, like memcmp, then by length */
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
ptrdiff_t str_find(Str s, Str needle); /* index, or -1 */
ptrdiff_t str_find_char(Str s, char c);
Str str_sub(Str s, ptrdiff_t start, ptrdiff_t end); /* clamped to s */
Str str_trim(Str s);                                /* ASCII white space, both ends */
bool str_cut(Str s, char at, Str *before, Str *after); /* splits at the first `at`; false: none, all of s is before it */
uint64_t str_hash(Str s);
/* Parses the whole of s, base 10, optional sign. False on overflow or other text. */
bool str_to_int(Str s, int64_t *out);
bool str_to_double(Str s, double *out);
/* Edit distance with transpositions, capped: returns max + 1 when above max. */
int str_distance(Str a, Str b, int max);
/* True when all bytes form valid UTF-8; *bad gets the offset of the first that does not. */
bool str_utf8_valid(Str s, ptrdiff_t *bad);
int str_utf8_length(Str s, ptrdiff_t i); /* bytes of the character at s[i]; 0: not valid */

/* ---- Arena: zeroed memory, freed all at once. ----
 *
 * An arena reserves one range of addresses, so pointers stay good while it grows.
 * In the compiler running out is fatal (message, exit 70); the runtime sets `can_fail`
 * and then arena_push returns NULL, `failed` is set, and array_add and map_put add nothing.
 * Initialise first, then set can_fail.
 */
typedef struct DgArena {
    char *base, *at, *committed, *end;
    bool can_fail;
    bool failed; /* some push got nothing; stays until arena_reset */
} Arena;

void arena_init(Arena *a, size_t bytes_max); /* 0: the default, 16 GiB of address space */
void arena_free(Arena *a);
void arena_reset(Arena *a);                  /* everything pushed so far is gone */
void *arena_push(Arena *a, size_t size, size_t align, size_t count);
size_t arena_mark(const Arena *a);
void arena_pop(Arena *a, size_t mark); /* forgets what was pushed after the mark */
#define push(a, T, n) ((T *)arena_push((a), sizeof(T), _Alignof(T), (size_t)(n)))

Str str_copy(Arena *a, Str s);   /* also NUL-terminated one past its end */
char *str_cstr(Arena *a, Str s); /* NUL-terminated copy */
Str str_format(Arena *a, const char *fmt, ...) DG_PRINTF(2, 3);
Str str_vformat(Arena *a, const char *fmt, va_list args);
Str str_concat(Arena *a, Str x, Str y);
Str str_replace(Arena *a, Str s, Str from, Str to);
Str str_lower(Arena *a, Str s); /* ASCII */

/* ---- Array(T): items, count, capacity; grows inside an arena ---- */

#define Array(T)        \
    struct {            \
        T *items;       \
        size_t count;   \
        size_t capacity;\
    }
void array_grow_(Arena *a, void **items, size_t *capacity, size_t count, size_t size);
#define array_add(arena, array, item)                                                          \
    do {                                                                                       \
        if ((array)->count == (array)->capacity)                                               \
            array_grow_((arena), (void **)&(array)->items, &(array)->capacity, (array)->count, \
                        sizeof *(array)->items);                                               \
        if ((array)->count < (array)->capacity) /* else the arena is used up: a->failed */     \
            (array)->items[(array)->count++] = (item);                                         \
    } while (0)

typedef Array(Str) StrArray;

/* ---- Map: Str to void*, insertion order kept. Keys are not copied. ---- */

typedef struct MapEntry {
    Str key;
    void *value;
} MapEntry;
typedef struct MapSlot {
    uint32_t hash; /* a part of the key's: most other keys are told apart without a look at them */
    uint32_t index; /* plus 1 into entries, 0 is free */
} MapSlot;
typedef struct Map {
    Array(MapEntry) entries; /* in order of first insertion */
    MapSlot *slots;
    size_t slots_count;
} Map;
void *map_get(const Map *m, Str key);               /* NULL when absent */
bool map_has(const Map *m, Str key);
void map_put(Arena *a, Map *m, Str key, void *value); /* replaces */

/* ---- StrBuf: builds text. Memory from malloc, bounded by `max`. ----
 *
 * In the compiler running out of memory is fatal here too (message, exit 70): dgc sets
 * buf_is_fatal, so no text it emits or shows can lack a piece. Elsewhere `failed` is set.
 */
extern bool buf_is_fatal;

typedef struct StrBuf {
    char *ptr;
    size_t len, capacity;
    size_t max;    /* 0: 1 GiB. Past it nothing is added and `failed` is set. */
    bool failed;   /* too long, or out of memory */
} StrBuf;
void buf_add(StrBuf *b, Str s);
void buf_char(StrBuf *b, char c);
void buf_format(StrBuf *b, const char *fmt, ...) DG_PRINTF(2, 3);
void buf_vformat(StrBuf *b, const char *fmt, va_list args);
void buf_json(StrBuf *b, Str s); /* as a JSON string, in quotes; invalid UTF-8: U+FFFD */
void buf_free(StrBuf *b);
Str buf_str(const StrBuf *b); /* a view, good until the next change */

/* ---- Errors of the world: a status, and one DgError that the caller owns ---- */

const char *dg_status_name(DgStatus s);
int dg_status_exit_code(DgStatus s);

/* DgError, dg_fail, dg_hint and DG_TRY are in dgc.h. dg_fail starts a new error: hint and
 * retry_after_ms are cleared, the site is kept. Arguments may point into *err; err may be NULL. */
DgStatus dg_fail(DgError *err, DgStatus s, const char *fmt, ...) DG_PRINTF(3, 4);
void dg_hint(DgError *err, const char *fmt, ...) DG_PRINTF(2, 3);
bool dg_is_transient(DgStatus s);
/* The compiler's way out: "dgc: out of memory WHAT", exit 70. */
_Noreturn void dg_end_no_memory(const char *what);

/* ---- Limits, in one place. A limit that is hit is an error that names it. ---- */

enum {
    LIMIT_YAML_BYTES = 8 << 20,
    LIMIT_YAML_DEPTH = 64,
    LIMIT_YAML_ALIASES = 1000,      /* alias expansions in one file */
    LIMIT_YAML_NODES = 1000000,     /* nodes in one file after expansion */
    LIMIT_JSON_DEPTH = 512,
    LIMIT_TEMPLATE_DEPTH = 64,
    LIMIT_TEMPLATE_STEPS = 1000000,
    LIMIT_TEMPLATE_BYTES = 16 << 20, /* output of one rendering */
    LIMIT_SQL_BYTES = 4 << 20,
    LIMIT_COLUMNS = 4096,
};

#endif
