/* tcc_helpers.c - what tcc calls for conversions that it does not do inline.
 *
 * Its own archive of these is under the LGPL, and our executables are to be free of that. gcc and
 * clang convert inline, so nothing here calls itself. An archive member of its own: only programs
 * that tcc compiled pull it in.
 */
#include <stdint.h>
#include <string.h>

double __floatundidf(uint64_t n);
float __floatundisf(uint64_t n);
long double __floatundixf(uint64_t n);
uint64_t __fixunsdfdi(double d);
uint64_t __fixunssfdi(float f);
uint64_t __fixunsxfdi(long double d);
int64_t __fixdfdi(double d);
int64_t __fixsfdi(float f);
int64_t __fixxfdi(long double d);
void *__va_arg(void *list, int kind, int size, int align);
int __popcountdi2(uint64_t n);

double __floatundidf(uint64_t n) { return (double)n; }
float __floatundisf(uint64_t n) { return (float)n; }
long double __floatundixf(uint64_t n) { return (long double)n; }
uint64_t __fixunsdfdi(double d) { return (uint64_t)d; }
uint64_t __fixunssfdi(float f) { return (uint64_t)f; }
uint64_t __fixunsxfdi(long double d) { return (uint64_t)d; }
int64_t __fixdfdi(double d) { return (int64_t)d; }
int64_t __fixsfdi(float f) { return (int64_t)f; }
int64_t __fixxfdi(long double d) { return (int64_t)d; }

/* The runtime's own popcounts, on machines whose compiler has no instruction for them: from libgcc,
 * which tcc does not link. */
int __popcountdi2(uint64_t n)
{
    n -= (n >> 1) & 0x5555555555555555u;
    n = (n & 0x3333333333333333u) + ((n >> 2) & 0x3333333333333333u);
    return (int)((((n + (n >> 4)) & 0x0F0F0F0F0F0F0F0Fu) * 0x0101010101010101u) >> 56);
}

/* va_list of the System V ABI. `kind`: 0 integer register, 1 vector register, 2 the stack. */
typedef struct VaList {
    uint32_t integers_at, vectors_at;
    char *stack, *saved;
} VaList;

static char *from_stack(VaList *list, int size, int align)
{
    uintptr_t at = (uintptr_t)list->stack;
    if (align > 8)
        at = (at + (uintptr_t)align - 1) & ~((uintptr_t)align - 1);
    list->stack = (char *)(at + (((uintptr_t)size + 7) & ~(uintptr_t)7));
    return (char *)at;
}

void *__va_arg(void *opaque, int kind, int size, int align)
{
    enum { INTEGERS_END = 48, VECTORS_END = 176 };
    VaList *list = opaque;
    uint32_t words = ((uint32_t)size + 7) / 8;
    if (kind == 0 && list->integers_at + words * 8 <= INTEGERS_END) {
        list->integers_at += words * 8;
        return list->saved + list->integers_at - words * 8;
    }
    if (kind == 1 && list->vectors_at + words * 16 <= VECTORS_END) {
        char *at = list->saved + list->vectors_at;
        list->vectors_at += words * 16;
        if (words == 2) /* the two halves of a struct become neighbours */
            memcpy(at + 8, at + 16, 8);
        return at;
    }
    return from_stack(list, size, align);
}
