/* naming.c - a source's names as the target's columns are called. */
#include <ctype.h>

#include "runtime/base/sha256.h"
#include "runtime/load/load.h"

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 128;
}

/* `OrderID Number` to order_id_number: an underscore where a small letter meets a capital, or a run of
 * capitals ends. */
static void add_snake(StrBuf *b, Str name)
{
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char c = name.ptr[i], before = i ? name.ptr[i - 1] : 0, after = i + 1 < name.len ? name.ptr[i + 1] : 0;
        bool starts = isupper((unsigned char)c) && i && is_word(before) && before != '_' &&
                      (!isupper((unsigned char)before) || (islower((unsigned char)after) && after));
        if (starts)
            buf_char(b, '_');
        buf_char(b, is_word(c) ? (char)tolower((unsigned char)c) : '_');
    }
}

static void add_camel(StrBuf *b, Str name)
{
    bool capital = false;
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!is_word(c) || c == '_') {
            capital = b->len > 0;
            continue;
        }
        buf_char(b, capital ? (char)toupper((unsigned char)c) : b->len ? c : (char)tolower((unsigned char)c));
        capital = false;
    }
}

static void add_cased(StrBuf *b, Str name, int mode) /* <0 lower, >0 upper, 0 as it is */
{
    for (ptrdiff_t i = 0; i < name.len; i++)
        buf_char(b, mode < 0 ? (char)tolower((unsigned char)name.ptr[i]) : mode > 0 ? (char)toupper((unsigned char)name.ptr[i]) : name.ptr[i]);
}

/* Sling's `normalize`: names of one case, or with other than word characters, follow the target. */
static void add_normalized(StrBuf *b, const DgDialect *d, Str name)
{
    bool upper = false, lower = false, plain = true;
    for (ptrdiff_t i = 0; i < name.len; i++) {
        upper = upper || isupper((unsigned char)name.ptr[i]);
        lower = lower || islower((unsigned char)name.ptr[i]);
        plain = plain && is_word(name.ptr[i]);
    }
    bool mixed = upper && lower;
    add_cased(b, name, mixed || !plain ? 0 : d->folds_lower ? -1 : 0);
}

/* Too long for the engine: cut, with eight digits of the whole name's hash so that two stay two. */
static Str shortened(Arena *a, const DgDialect *d, Str name)
{
    char hex[65];
    Sha256 hash;
    if (!d->name_max || name.len <= d->name_max)
        return name;
    sha256_init(&hash);
    sha256_add(&hash, name);
    sha256_hex(&hash, hex);
    ptrdiff_t keep = d->name_max - 9;
    while (keep > 0 && ((unsigned char)name.ptr[keep] & 0xC0) == 0x80)
        keep--; /* not in the middle of a character */
    return str_format(a, "%.*s_%.8s", (int)keep, name.ptr, hex);
}

Str naming_apply(Arena *a, DgCasing casing, const DgDialect *d, Str name)
{
    StrBuf b = {.max = 4096};
    switch (casing) {
    case DG_CASING_SNAKE: add_snake(&b, name); break;
    case DG_CASING_CAMEL: add_camel(&b, name); break;
    case DG_CASING_UPPER: add_cased(&b, name, 1); break;
    case DG_CASING_LOWER: add_cased(&b, name, -1); break;
    case DG_CASING_TARGET: add_cased(&b, name, d->folds_lower ? -1 : 0); break;
    case DG_CASING_NORMALIZE: add_normalized(&b, d, name); break;
    case DG_CASING_SOURCE: add_cased(&b, name, 0); break;
    }
    if (casing == DG_CASING_SNAKE && b.len && isdigit((unsigned char)b.ptr[0])) {
        Str digits = str_format(a, "_%.*s", (int)b.len, b.ptr);
        buf_free(&b);
        return shortened(a, d, digits);
    }
    Str out = shortened(a, d, str_copy(a, buf_str(&b)));
    buf_free(&b);
    return out;
}
