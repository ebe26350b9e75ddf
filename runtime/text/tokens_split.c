/* tokens_split.c - cutting text into the pieces that byte pair encoding never joins.
 *
 * What tiktoken does by these expressions, in one pass and without going back over the text:
 *
 * cl100k_base  '(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+$|\s*[\r\n]+
 *              |\s+(?!\S)|\s+
 * o200k_base   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+('s|'t|'re|'ve|'m|'ll|'d)?
 *              |[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*('s|...)?
 *              |\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 */
#include "runtime/text/tokens.h"
#include "runtime/text/unicode.h"

typedef struct Cursor { /* one character, looked at */
    CharClass kind;
    uint32_t c;
    ptrdiff_t next;
} Cursor;

static Cursor look(Str s, ptrdiff_t at, const uint8_t *classes)
{
    Cursor k = {CHAR_OTHER, 0, at};
    if (at >= s.len)
        return k;
    unsigned char byte = (unsigned char)s.ptr[at];
    if (byte < 0x80)
        return (Cursor){(CharClass)classes[byte], byte, at + 1};
    k.c = unicode_next(s, &k.next);
    k.kind = (CharClass)classes[k.c];
    return k;
}

static bool is_letter(CharClass k)
{
    return k >= CHAR_UPPER && k <= CHAR_LETTER;
}

static bool is_line_end(const Cursor *k)
{
    return k->c == '\n' || k->c == '\r';
}

/* Bytes of 's, 'll and so on at `at`, whatever their case; 0: none. U+017F is a small s. */
static ptrdiff_t contraction(Str s, ptrdiff_t at)
{
    if (at + 1 >= s.len || s.ptr[at] != '\'')
        return 0;
    unsigned char a = (unsigned char)s.ptr[at + 1];
    unsigned char b = at + 2 < s.len ? (unsigned char)s.ptr[at + 2] : 0;
    if (a == 0xc5 && b == 0xbf)
        return 3;
    a |= 0x20, b |= 0x20;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return (a == 'l' && b == 'l') || (a == 'v' && b == 'e') || (a == 'r' && b == 'e') ? 3 : 0;
}

/* Letters from `at` on, capitals first; -1: there are none. */
static ptrdiff_t cased_word(Str s, ptrdiff_t at, const uint8_t *classes)
{
    ptrdiff_t either_end = -1; /* behind the last character that may stand in both parts */
    ptrdiff_t i = at;
    Cursor k = look(s, i, classes);
    while (i < s.len && (k.kind == CHAR_UPPER || k.kind == CHAR_LETTER || k.kind == CHAR_MARK)) {
        i = k.next;
        if (k.kind != CHAR_UPPER)
            either_end = i;
        k = look(s, i, classes);
    }
    if (i < s.len && k.kind == CHAR_LOWER) {
        while (i < s.len && k.kind >= CHAR_LOWER && k.kind <= CHAR_MARK) {
            i = k.next;
            k = look(s, i, classes);
        }
        return i;
    }
    return either_end >= 0 ? either_end : i > at ? i : -1;
}

static ptrdiff_t plain_word(Str s, ptrdiff_t at, const uint8_t *classes)
{
    Cursor k = look(s, at, classes);
    while (at < s.len && is_letter(k.kind)) {
        at = k.next;
        k = look(s, at, classes);
    }
    return at;
}

static ptrdiff_t word_end(Str s, ptrdiff_t at, const Cursor *first, bool splits_case, const uint8_t *classes)
{
    bool prefix = !is_letter(first->kind) && first->kind != CHAR_NUMBER && !is_line_end(first);
    ptrdiff_t from = prefix ? first->next : at;
    if (!splits_case) {
        ptrdiff_t end = plain_word(s, from, classes);
        return end > from ? end : -1;
    }
    ptrdiff_t end = cased_word(s, from, classes);
    if (end < 0 && prefix)
        end = cased_word(s, at, classes); /* a combining mark alone */
    return end < 0 ? -1 : end + contraction(s, end);
}

static ptrdiff_t space_end(Str s, ptrdiff_t at, bool splits_case, const uint8_t *classes)
{
    ptrdiff_t after_line = -1, last = at, i = at;
    Cursor k = look(s, i, classes);
    while (i < s.len && k.kind == CHAR_SPACE) {
        last = i;
        i = k.next;
        if (is_line_end(&k))
            after_line = i;
        k = look(s, i, classes);
    }
    if (i == s.len && !splits_case)
        return i;
    if (after_line >= 0)
        return after_line;
    return i == s.len || last == at ? i : last; /* the last space goes with the word after it */
}

/* The commonest case by itself: an English word, maybe with a capital and a blank before it. -1: it is another. */
static ptrdiff_t english_word(Str s, ptrdiff_t at, bool splits_case)
{
    ptrdiff_t i = at + (s.ptr[at] == ' ');
    i += i < s.len && s.ptr[i] >= 'A' && s.ptr[i] <= 'Z';
    ptrdiff_t from = i;
    while (i < s.len && s.ptr[i] >= 'a' && s.ptr[i] <= 'z')
        i++;
    if (i == from || i >= s.len || (unsigned char)s.ptr[i] >= 0x80 || s.ptr[i] == '\'')
        return -1;
    return splits_case || s.ptr[i] < 'A' || s.ptr[i] > 'Z' ? i : -1;
}

ptrdiff_t tokens_piece_end(Str s, ptrdiff_t at, bool splits_case)
{
    ptrdiff_t word = english_word(s, at, splits_case);
    if (word >= 0)
        return word;
    const uint8_t *classes = unicode_classes();
    Cursor first = look(s, at, classes), k;
    if (!splits_case && first.c == '\'' && contraction(s, at))
        return at + contraction(s, at);
    ptrdiff_t end = word_end(s, at, &first, splits_case, classes);
    if (end >= 0)
        return end;
    if (first.kind == CHAR_NUMBER) {
        end = first.next;
        for (int n = 1; n < 3 && end < s.len; n++) {
            k = look(s, end, classes);
            if (k.kind != CHAR_NUMBER)
                break;
            end = k.next;
        }
        return end;
    }
    end = first.c == ' ' ? first.next : at;
    ptrdiff_t marks = end;
    for (k = look(s, end, classes); end < s.len && (k.kind == CHAR_OTHER || k.kind == CHAR_MARK); k = look(s, end, classes))
        end = k.next;
    if (end > marks) {
        while (end < s.len && (s.ptr[end] == '\r' || s.ptr[end] == '\n' || (splits_case && s.ptr[end] == '/')))
            end++;
        return end;
    }
    return space_end(s, at, splits_case, classes);
}
