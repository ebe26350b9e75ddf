/* text.c - UTF-8 and letters: counting, slicing, upper and lower case. */
#include "runtime/eval/internal.h"

uint32_t utf8_next(Str s, ptrdiff_t *at)
{
    const unsigned char *p = (const unsigned char *)s.ptr + *at;
    ptrdiff_t left = s.len - *at;
    uint32_t c = p[0];
    int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
    if (more == 0 || more >= left) {
        *at += 1;
        return c;
    }
    uint32_t out = c & (0x3Fu >> more);
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            *at += 1;
            return c;
        }
        out = out << 6 | (p[i] & 0x3F);
    }
    *at += more + 1;
    return out;
}

void utf8_add(StrBuf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_char(b, (char)c);
    } else if (c < 0x800) {
        buf_char(b, (char)(0xC0 | c >> 6));
        buf_char(b, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_char(b, (char)(0xE0 | c >> 12));
        buf_char(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(b, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_char(b, (char)(0xF0 | c >> 18));
        buf_char(b, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_char(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(b, (char)(0x80 | (c & 0x3F)));
    }
}

bool str_is_ascii(Str s)
{
    for (ptrdiff_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

ptrdiff_t utf8_count(Str s)
{
    ptrdiff_t n = 0;
    for (ptrdiff_t at = 0; at < s.len; n++)
        utf8_next(s, &at);
    return n;
}

ptrdiff_t utf8_offset(Str s, ptrdiff_t index)
{
    if (str_is_ascii(s))
        return index < s.len ? index : s.len;
    ptrdiff_t at = 0;
    for (; index > 0 && at < s.len; index--)
        utf8_next(s, &at);
    return at;
}

/* ---- Letters: the scripts whose cases lie at fixed distances ---- */

/* Blocks in which capital and small letters alternate; the capitals are the even ones. */
static bool alternates_even(uint32_t c)
{
    return (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14A && c <= 0x177) ||
           (c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) ||
           (c >= 0x4D0 && c <= 0x52F) || (c >= 0x1E00 && c <= 0x1E95) ||
           (c >= 0x1EA0 && c <= 0x1EFF);
}

static bool alternates_odd(uint32_t c)
{
    return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
}

static uint32_t to_upper(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    if (c == 0xB5)
        return 0x39C;
    if (c == 0xFF)
        return 0x178;
    if ((c >= 0xE0 && c <= 0xFE && c != 0xF7) || (c >= 0x3B1 && c <= 0x3CB && c != 0x3C2) ||
        (c >= 0x430 && c <= 0x44F) || (c >= 0xFF41 && c <= 0xFF5A))
        return c - 32;
    if (c >= 0x450 && c <= 0x45F)
        return c - 80;
    if (c >= 0x561 && c <= 0x586)
        return c - 48;
    switch (c) {
    case 0x131: return 'I';
    case 0x17F: return 'S';
    case 0x3AC: return 0x386;
    case 0x3AD: case 0x3AE: case 0x3AF: return c - 37;
    case 0x3C2: return 0x3A3;
    case 0x3CC: return 0x38C;
    case 0x3CD: case 0x3CE: return c - 63;
    default: break;
    }
    if (alternates_even(c) && (c & 1))
        return c - 1;
    if (alternates_odd(c) && !(c & 1))
        return c - 1;
    return c;
}

static uint32_t to_lower(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c == 0x178)
        return 0xFF;
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3AB && c != 0x3A2) ||
        (c >= 0x410 && c <= 0x42F) || (c >= 0xFF21 && c <= 0xFF3A))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    if (c >= 0x531 && c <= 0x556)
        return c + 48;
    switch (c) {
    case 0x386: return 0x3AC;
    case 0x388: case 0x389: case 0x38A: return c + 37;
    case 0x38C: return 0x3CC;
    case 0x38E: case 0x38F: return c + 63;
    case 0x1E9E: return 0xDF;
    default: break;
    }
    if (alternates_even(c) && !(c & 1))
        return c + 1;
    if (alternates_odd(c) && (c & 1))
        return c + 1;
    return c;
}

void uc_upper(StrBuf *b, uint32_t c)
{
    if (c == 0xDF)
        buf_add(b, S("SS"));
    else
        utf8_add(b, to_upper(c));
}

void uc_lower(StrBuf *b, uint32_t c)
{
    if (c == 0x130) { /* I with a dot becomes i and a combining dot */
        utf8_add(b, 'i');
        utf8_add(b, 0x307);
    } else {
        utf8_add(b, to_lower(c));
    }
}

bool uc_is_upper(uint32_t c)
{
    return to_lower(c) != c || c == 0x130;
}

bool uc_is_lower(uint32_t c)
{
    return to_upper(c) != c || c == 0xDF;
}

bool uc_is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

bool uc_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x1680 || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

bool uc_is_alpha(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c < 0xC0)
        return c == 0xAA || c == 0xB5 || c == 0xBA;
    return c != 0xD7 && c != 0xF7 && !(c >= 0x300 && c <= 0x36F) && !(c >= 0x2000 && c <= 0x2BFF) &&
           !(c >= 0x3000 && c <= 0x3004) && !(c >= 0x3007 && c <= 0x3030) &&
           !(c >= 0xFE00 && c <= 0xFE6F) && !(c >= 0xFF00 && c <= 0xFF20) && c < 0x1F000;
}

DgValue dg_upper(DgEval *ev, DgValue s)
{
    StrBuf b = dg_buf(ev);
    for (ptrdiff_t at = 0; at < s.as.s.len;)
        uc_upper(&b, utf8_next(s.as.s, &at));
    return dg_take_value(ev, &b, s.secret);
}

DgValue dg_lower(DgEval *ev, DgValue s)
{
    StrBuf b = dg_buf(ev);
    for (ptrdiff_t at = 0; at < s.as.s.len;)
        uc_lower(&b, utf8_next(s.as.s, &at));
    return dg_take_value(ev, &b, s.secret);
}

DgValue dg_capitalize(DgEval *ev, DgValue s)
{
    StrBuf b = dg_buf(ev);
    for (ptrdiff_t at = 0; at < s.as.s.len;) {
        bool first = at == 0;
        uint32_t c = utf8_next(s.as.s, &at);
        if (first && c == 0xDF)
            buf_add(&b, S("Ss"));
        else if (first)
            uc_upper(&b, c);
        else
            uc_lower(&b, c);
    }
    return dg_take_value(ev, &b, s.secret);
}

/* str.title(): a letter after anything that is no letter is a capital. */
DgValue dg_title(DgEval *ev, DgValue s)
{
    StrBuf b = dg_buf(ev);
    bool inside = false;
    for (ptrdiff_t at = 0; at < s.as.s.len;) {
        uint32_t c = utf8_next(s.as.s, &at);
        if (inside)
            uc_lower(&b, c);
        else if (c == 0xDF)
            buf_add(&b, S("Ss"));
        else
            uc_upper(&b, c);
        inside = uc_is_upper(c) || uc_is_lower(c);
    }
    return dg_take_value(ev, &b, s.secret);
}

static bool strips(Str chars, uint32_t c)
{
    if (!chars.ptr)
        return uc_is_space(c);
    for (ptrdiff_t at = 0; at < chars.len;)
        if (utf8_next(chars, &at) == c)
            return true;
    return false;
}

Str str_strip(Str s, Str chars, int ends)
{
    ptrdiff_t start = 0, end = s.len;
    while (ends & 1 && start < end) {
        ptrdiff_t next = start;
        if (!strips(chars, utf8_next(s, &next)))
            break;
        start = next;
    }
    while (ends & 2 && end > start) {
        ptrdiff_t last = end - 1;
        while (last > start && ((unsigned char)s.ptr[last] & 0xC0) == 0x80)
            last--;
        ptrdiff_t at = last;
        if (!strips(chars, utf8_next(s, &at)))
            break;
        end = last;
    }
    return (Str){s.ptr + start, end - start};
}
