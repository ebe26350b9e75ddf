/* naming.c - a source's names as the target's columns are called. */
#include <ctype.h>

#include "runtime/base/sha256.h"
#include "runtime/load/load.h"

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 128;
}

static char cased(char c, int mode) /* <0 lower, >0 upper, 0 as it is */
{
    return (char)(mode < 0 ? tolower((unsigned char)c) : mode > 0 ? toupper((unsigned char)c) : c);
}

static void add_cased(StrBuf *b, Str name, int mode)
{
    for (ptrdiff_t i = 0; i < name.len; i++)
        buf_char(b, cased(name.ptr[i], mode));
}

/* As Sling cleans a name: a run of other than word characters is one underscore, none stands before a digit.
 * `split`: an underscore also where a small letter or a digit meets a capital, `OrderID Number` to order_id_number.
 * Letters beyond ASCII stay, other than in Sling: names in other scripts would all become `_`. */
static void add_clean(StrBuf *b, Str name, bool split, int mode)
{
    Str text = str_trim(name);
    if (text.len && isdigit((unsigned char)text.ptr[0]))
        buf_char(b, '_');
    for (ptrdiff_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        unsigned char before = i ? (unsigned char)text.ptr[i - 1] : 0;
        if (split && isupper((unsigned char)c) && (islower(before) || isdigit(before)))
            buf_char(b, '_');
        if (is_word(c))
            buf_char(b, cased(c, mode));
        else if (!i || is_word((char)before))
            buf_char(b, '_');
    }
}

/* `order_id number` to orderIdNumber: words as in snake_case. */
static void add_camel(StrBuf *b, Str name)
{
    StrBuf snake = {.max = 4096};
    bool capital = false;
    add_clean(&snake, name, true, -1);
    for (size_t i = 0; i < snake.len; i++) {
        if (snake.ptr[i] != '_')
            buf_char(b, cased(snake.ptr[i], capital ? 1 : -1));
        capital = snake.ptr[i] == '_' && b->len > 0;
    }
    if (!b->len)
        add_cased(b, buf_str(&snake), 0);
    buf_free(&snake);
}

/* Sling's `normalize`: names of one case become lower case; those that must be quoted anyway stay. */
static void add_normalized(StrBuf *b, Str name)
{
    bool upper = false, lower = false, plain = true;
    for (ptrdiff_t i = 0; i < name.len; i++) {
        upper = upper || isupper((unsigned char)name.ptr[i]);
        lower = lower || islower((unsigned char)name.ptr[i]);
        plain = plain && is_word(name.ptr[i]) && (unsigned char)name.ptr[i] < 128;
    }
    add_cased(b, name, (upper && lower) || !plain ? 0 : -1);
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
    case DG_CASING_TARGET: /* all engines that we write to have names in lower case */
    case DG_CASING_LOWER: add_clean(&b, name, false, -1); break;
    case DG_CASING_UPPER: add_clean(&b, name, false, 1); break;
    case DG_CASING_SNAKE: add_clean(&b, name, true, -1); break;
    case DG_CASING_CAMEL: add_camel(&b, name); break;
    case DG_CASING_NORMALIZE: add_normalized(&b, name); break;
    case DG_CASING_SOURCE: add_cased(&b, name, 0); break;
    }
    Str out = shortened(a, d, str_copy(a, buf_str(&b)));
    buf_free(&b);
    return out;
}
