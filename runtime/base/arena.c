/* arena.c - memory that is freed all at once.
 *
 * Addresses are reserved first (no memory, no swap) and made usable in steps, so an arena grows
 * without moving. Everything above `at` is zero at all times: popping wipes, pushing does not.
 * Under AddressSanitizer, memory that is not handed out is poisoned and pushes stand apart.
 */
#include "runtime/base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
enum { ARENA_GAP = 16 };
#define POISON(at, bytes) ASAN_POISON_MEMORY_REGION((at), (bytes))
#define UNPOISON(at, bytes) ASAN_UNPOISON_MEMORY_REGION((at), (bytes))
#else
enum { ARENA_GAP = 0 };
#define POISON(at, bytes) ((void)(at), (void)(bytes))
#define UNPOISON(at, bytes) ((void)(at), (void)(bytes))
#endif

enum {
    ARENA_STEP = 1 << 20,      /* made usable at once, at least; a multiple of the page size */
    ARENA_WIPE_MAX = 4 << 20,  /* longer than this, pages go back to the system instead */
};
static const size_t ARENA_DEFAULT = (size_t)16 << 30;

void arena_init(Arena *a, size_t bytes_max)
{
    *a = (Arena){0};
    size_t size = bytes_max ? bytes_max : ARENA_DEFAULT;
    if (size > SIZE_MAX / 2)
        size = SIZE_MAX / 2;
    size = (size + ARENA_STEP - 1) / ARENA_STEP * ARENA_STEP;
    /* Where addresses are scarce (ulimit -v, valgrind, containers), less will do. */
    for (; size >= ARENA_STEP; size = size / 2 / ARENA_STEP * ARENA_STEP) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        void *base = mmap(NULL, size, PROT_NONE, flags, -1, 0);
        if (base != MAP_FAILED) {
            a->base = a->at = a->committed = base;
            a->end = a->base + size;
            return;
        }
    }
    /* No addresses at all: the first push says so. */
}

void arena_free(Arena *a)
{
    if (a->base) {
        UNPOISON(a->base, (size_t)(a->committed - a->base));
        munmap(a->base, (size_t)(a->end - a->base));
    }
    bool can_fail = a->can_fail;
    *a = (Arena){.can_fail = can_fail};
}

static void *arena_fail(Arena *a, size_t size, size_t count)
{
    a->failed = true;
    if (a->can_fail)
        return NULL;
    fprintf(stderr, "dgc: out of memory: could not get %zu times %zu bytes (%zu in use)\n", count,
            size, (size_t)(a->at - a->base));
    exit(dg_status_exit_code(DG_NOMEM));
}

static bool arena_commit(Arena *a, char *upto)
{
    if (upto <= a->committed)
        return true;
    size_t want = (size_t)(upto - a->committed);
    want = (want + ARENA_STEP - 1) / ARENA_STEP * ARENA_STEP;
    size_t left = (size_t)(a->end - a->committed);
    if (want > left)
        want = left;
    if (mprotect(a->committed, want, PROT_READ | PROT_WRITE) != 0)
        return false;
    POISON(a->committed, want);
    a->committed += want;
    return true;
}

void *arena_push(Arena *a, size_t size, size_t align, size_t count)
{
    assert(align && (align & (align - 1)) == 0);
    size_t left = (size_t)(a->end - a->at);
    size_t pad = (0 - (uintptr_t)a->at) & (align - 1);
    if (!a->base || (size && count > SIZE_MAX / 2 / size) || pad + ARENA_GAP > left ||
        size * count > left - pad - ARENA_GAP)
        return arena_fail(a, size, count);
    size_t bytes = size * count;
    char *start = a->at + pad;
    if (!arena_commit(a, start + bytes + ARENA_GAP))
        return arena_fail(a, size, count);
    UNPOISON(start, bytes);
    a->at = start + bytes + ARENA_GAP;
    return start;
}

size_t arena_mark(const Arena *a)
{
    return (size_t)(a->at - a->base);
}

void arena_pop(Arena *a, size_t mark)
{
    assert(mark <= arena_mark(a));
    if (!a->base || a->base + mark == a->at)
        return;
    char *start = a->base + mark;
    UNPOISON(start, (size_t)(a->at - start));
    size_t bytes = (size_t)(a->at - start);
    if (bytes > ARENA_WIPE_MAX) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *first = start + ((0 - (uintptr_t)start) & (page - 1));
        memset(start, 0, (size_t)(first - start));
        /* Private anonymous pages come back as zeros; if not given back, they are wiped. */
        if (madvise(first, (size_t)(a->committed - first), MADV_DONTNEED) != 0)
            memset(first, 0, (size_t)(a->at - first));
    } else {
        memset(start, 0, bytes);
    }
    POISON(start, (size_t)(a->committed - start));
    a->at = start;
}

void arena_reset(Arena *a)
{
    arena_pop(a, 0);
    a->failed = false;
}

void array_grow_(Arena *a, void **items, size_t *capacity, size_t count, size_t size)
{
    size_t wanted = *capacity ? *capacity * 2 : 8;
    if (*items && (char *)*items + *capacity * size == a->at) { /* last in the arena: extend */
        if (arena_push(a, size, 1, wanted - *capacity))
            *capacity = wanted;
        return;
    }
    void *larger = arena_push(a, size, _Alignof(max_align_t), wanted);
    if (!larger)
        return;
    if (count)
        memcpy(larger, *items, count * size);
    *items = larger;
    *capacity = wanted;
}

Str str_copy(Arena *a, Str s)
{
    char *to = arena_push(a, 1, 1, (size_t)s.len + 1);
    if (!to)
        return (Str){0};
    if (s.len)
        memcpy(to, s.ptr, (size_t)s.len);
    return (Str){to, s.len};
}

char *str_cstr(Arena *a, Str s)
{
    return (char *)str_copy(a, s).ptr;
}

Str str_vformat(Arena *a, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    char *to = len < 0 ? NULL : arena_push(a, 1, 1, (size_t)len + 1);
    if (to)
        vsnprintf(to, (size_t)len + 1, fmt, again);
    va_end(again);
    return to ? (Str){to, len} : (Str){0};
}

Str str_format(Arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str s = str_vformat(a, fmt, args);
    va_end(args);
    return s;
}

Str str_concat(Arena *a, Str x, Str y)
{
    char *to = arena_push(a, 1, 1, (size_t)(x.len + y.len) + 1);
    if (!to)
        return (Str){0};
    if (x.len)
        memcpy(to, x.ptr, (size_t)x.len);
    if (y.len)
        memcpy(to + x.len, y.ptr, (size_t)y.len);
    return (Str){to, x.len + y.len};
}

Str str_replace(Arena *a, Str s, Str from, Str to)
{
    if (from.len == 0)
        return str_copy(a, s);
    size_t hits = 0;
    Str rest = s;
    for (ptrdiff_t i; (i = str_find(rest, from)) >= 0; hits++)
        rest = str_sub(rest, i + from.len, rest.len);
    size_t len = (size_t)s.len - hits * (size_t)from.len + hits * (size_t)to.len;
    char *out = arena_push(a, 1, 1, len + 1);
    if (!out)
        return (Str){0};
    char *at = out;
    rest = s;
    for (ptrdiff_t i; (i = str_find(rest, from)) >= 0;) {
        memcpy(at, rest.ptr, (size_t)i);
        at += i;
        if (to.len)
            memcpy(at, to.ptr, (size_t)to.len);
        at += to.len;
        rest = str_sub(rest, i + from.len, rest.len);
    }
    if (rest.len)
        memcpy(at, rest.ptr, (size_t)rest.len);
    return (Str){out, (ptrdiff_t)len};
}

Str str_lower(Arena *a, Str s)
{
    Str copy = str_copy(a, s);
    for (char *p = (char *)copy.ptr; p && p < copy.ptr + copy.len; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy;
}
