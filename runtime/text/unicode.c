/* unicode.c - UTF-8, and the table of character classes. */
#include <pthread.h>
#include <stdlib.h>

#include "runtime/text/unicode.h"

static const uint32_t ranges[] = {
#include "runtime/text/unicode_ranges.inc"
};

static uint8_t *table;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void expand(void)
{
    size_t count = sizeof ranges / sizeof *ranges;
    table = malloc(0x110000);
    for (size_t i = 0; table && i < count; i++) {
        size_t from = ranges[i] >> 3, to = i + 1 < count ? ranges[i + 1] >> 3 : 0x110000;
        memset(table + from, (int)(ranges[i] & 7), to - from);
    }
}

const uint8_t *unicode_classes(void)
{
    pthread_once(&once, expand);
    return table;
}

uint32_t unicode_next(Str s, ptrdiff_t *i)
{
    const unsigned char *p = (const unsigned char *)s.ptr + *i;
    ptrdiff_t left = s.len - *i;
    if (p[0] < 0x80) {
        ++*i;
        return p[0];
    }
    int n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    uint32_t c = p[0] & (0xffu >> (n + 1));
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool good = p[0] >= 0xc2 && p[0] < 0xf5 && n <= left;
    for (int k = 1; good && k < n; k++) {
        good = (p[k] & 0xc0) == 0x80;
        c = c << 6 | (p[k] & 0x3fu);
    }
    if (!good || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        ++*i;
        return 0xfffd;
    }
    *i += n;
    return c;
}

ptrdiff_t unicode_start(Str s, ptrdiff_t i)
{
    ptrdiff_t at = i;
    for (int back = 0; back < 3 && at > 0 && at < s.len && ((unsigned char)s.ptr[at] & 0xc0) == 0x80; back++)
        at--;
    return at;
}

void unicode_add(StrBuf *b, uint32_t c)
{
    char out[4];
    if (c < 0x80) {
        buf_char(b, (char)c);
        return;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    int n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00 >> n) | c);
    buf_add(b, (Str){out, n});
}

bool is_ideographic(uint32_t c)
{
    return (c >= 0x2e80 && c <= 0x312f) || (c >= 0x3190 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0xa4cf) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff00 && c <= 0xffef) || (c >= 0x20000 && c <= 0x3ffff);
}

bool is_unspaced(uint32_t c)
{
    return (c >= 0x0e00 && c <= 0x0eff) || (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff);
}
