/* tcc_wide.c - division of 128-bit integers, which the runtime's decimals use: from libgcc, which tcc
 * does not link. An archive member of its own, as tcc_helpers.c is.
 */
#include <stdint.h>

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UWide;

UWide __udivmodti4(UWide n, UWide d, UWide *remainder);
UWide __udivti3(UWide n, UWide d);
UWide __umodti3(UWide n, UWide d);
Wide __divti3(Wide n, Wide d);
Wide __modti3(Wide n, Wide d);

/* high < d: the quotient has 64 bits. */
static uint64_t divide(uint64_t high, uint64_t low, uint64_t d, uint64_t *remainder)
{
    uint64_t q;
    __asm__("divq %4" : "=a"(q), "=d"(*remainder) : "a"(low), "d"(high), "r"(d) : "cc");
    return q;
}

UWide __udivmodti4(UWide n, UWide d, UWide *remainder)
{
    uint64_t high = (uint64_t)(n >> 64), low = (uint64_t)n, r = 0;
    if (d >> 64 == 0) {
        uint64_t q1 = 0;
        if (high >= (uint64_t)d)
            q1 = divide(0, high, (uint64_t)d, &high);
        uint64_t q0 = divide(high, low, (uint64_t)d, &r);
        if (remainder)
            *remainder = r;
        return (UWide)q1 << 64 | q0;
    }
    UWide q = 0; /* below 2^64: bit by bit from where the leading bits meet */
    int shift = 0;
    while (d >> 127 == 0 && d << 1 <= n)
        d <<= 1, shift++;
    for (; shift >= 0; shift--, d >>= 1) {
        q <<= 1;
        if (n >= d)
            n -= d, q |= 1;
    }
    if (remainder)
        *remainder = n;
    return q;
}

UWide __udivti3(UWide n, UWide d)
{
    return __udivmodti4(n, d, 0);
}

UWide __umodti3(UWide n, UWide d)
{
    UWide r;
    __udivmodti4(n, d, &r);
    return r;
}

Wide __divti3(Wide n, Wide d)
{
    UWide q = __udivmodti4(n < 0 ? -(UWide)n : (UWide)n, d < 0 ? -(UWide)d : (UWide)d, 0);
    return (n < 0) != (d < 0) ? -(Wide)q : (Wide)q;
}

Wide __modti3(Wide n, Wide d)
{
    UWide r;
    __udivmodti4(n < 0 ? -(UWide)n : (UWide)n, d < 0 ? -(UWide)d : (UWide)d, &r);
    return n < 0 ? -(Wide)r : (Wide)r;
}
