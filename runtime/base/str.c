/* str.c - views of text: comparing, cutting, parsing. No allocation, except for absurdly long
 * numbers. */
#include "runtime/base/base.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

Str str_from(const char *c)
{
    return c ? (Str){c, (ptrdiff_t)strlen(c)} : (Str){0};
}

bool str_eq(Str a, Str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, (size_t)a.len) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(Str a, Str b)
{
    if (a.len != b.len)
        return false;
    for (ptrdiff_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

int str_cmp(Str a, Str b)
{
    ptrdiff_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, (size_t)n) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(Str s, Str prefix)
{
    return s.len >= prefix.len && str_eq(str_sub(s, 0, prefix.len), prefix);
}

bool str_ends(Str s, Str suffix)
{
    return s.len >= suffix.len && str_eq(str_sub(s, s.len - suffix.len, s.len), suffix);
}

ptrdiff_t str_find(Str s, Str needle)
{
    if (needle.len == 0)
        return 0;
    for (ptrdiff_t i = 0; i + needle.len <= s.len; i++) {
        const char *hit = memchr(s.ptr + i, needle.ptr[0], (size_t)(s.len - needle.len - i + 1));
        if (!hit)
            return -1;
        i = hit - s.ptr;
        if (memcmp(hit, needle.ptr, (size_t)needle.len) == 0)
            return i;
    }
    return -1;
}

ptrdiff_t str_find_char(Str s, char c)
{
    const char *hit = s.len ? memchr(s.ptr, c, (size_t)s.len) : NULL;
    return hit ? hit - s.ptr : -1;
}

Str str_sub(Str s, ptrdiff_t start, ptrdiff_t end)
{
    if (end > s.len)
        end = s.len;
    if (start < 0)
        start = 0;
    if (start >= end)
        return (Str){s.ptr ? s.ptr + (start > s.len ? s.len : start) : NULL, 0};
    return (Str){s.ptr + start, end - start};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Str str_trim(Str s)
{
    while (s.len && is_space(s.ptr[0]))
        s = str_sub(s, 1, s.len);
    while (s.len && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool str_cut(Str s, char at, Str *before, Str *after)
{
    ptrdiff_t i = str_find_char(s, at);
    *before = i < 0 ? s : str_sub(s, 0, i);
    *after = i < 0 ? (Str){0} : str_sub(s, i + 1, s.len);
    return i >= 0;
}

uint64_t str_hash(Str s)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a, then mixed so that the low bits are good */
    for (ptrdiff_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

bool str_to_int(Str s, int64_t *out)
{
    bool negative = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = str_sub(s, 1, s.len);
    if (s.len == 0)
        return false;
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t n = 0;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.ptr[i] - '0';
        if (digit > 9 || n > (limit - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

static ptrdiff_t skip_digits(Str s, ptrdiff_t i)
{
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
        i++;
    return i;
}

/* Decimal notation only: strtod alone would also take " 1", "0x1p3", "nan" and "infinity". */
static bool looks_like_double(Str s)
{
    ptrdiff_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
    ptrdiff_t whole = i;
    i = skip_digits(s, i);
    ptrdiff_t digits = i - whole;
    if (i < s.len && s.ptr[i] == '.') {
        ptrdiff_t fraction = i + 1;
        i = skip_digits(s, fraction);
        digits += i - fraction;
    }
    if (digits == 0)
        return false;
    if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        i++;
        if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+'))
            i++;
        ptrdiff_t exponent = i;
        i = skip_digits(s, i);
        if (i == exponent)
            return false;
    }
    return i == s.len;
}

bool str_to_double(Str s, double *out)
{
    if (!looks_like_double(s))
        return false;
    char small[128];
    char *text = (size_t)s.len < sizeof small ? small : malloc((size_t)s.len + 1);
    if (!text)
        return false;
    memcpy(text, s.ptr, (size_t)s.len);
    text[s.len] = '\0';
    double value = strtod(text, NULL);
    if (text != small)
        free(text);
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}

enum { DISTANCE_LENGTH_MAX = 255 };

static int min2(int a, int b)
{
    return a < b ? a : b;
}

int str_distance(Str a, Str b, int max)
{
    if (a.len > DISTANCE_LENGTH_MAX || b.len > DISTANCE_LENGTH_MAX ||
        a.len - b.len > max || b.len - a.len > max)
        return max + 1;
    int rows[3][DISTANCE_LENGTH_MAX + 1];
    int *before = rows[0], *last = rows[1], *now = rows[2];
    for (int j = 0; j <= (int)b.len; j++)
        last[j] = j;
    for (int i = 1; i <= (int)a.len; i++) {
        int best = now[0] = i;
        for (int j = 1; j <= (int)b.len; j++) {
            int cost = a.ptr[i - 1] != b.ptr[j - 1];
            now[j] = min2(min2(last[j], now[j - 1]) + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
                now[j] = min2(now[j], before[j - 2] + 1);
            best = min2(best, now[j]);
        }
        if (best > max)
            return max + 1;
        int *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return min2(last[b.len], max + 1);
}

/* How many bytes the character at s[i] takes; 0 when it is not valid UTF-8. Overlong forms,
 * surrogates and values past U+10FFFF are not valid. */
int str_utf8_length(Str s, ptrdiff_t i)
{
    const unsigned char *p = (const unsigned char *)s.ptr + i;
    ptrdiff_t left = s.len - i;
    if (p[0] < 0x80)
        return 1;
    int n = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 :
            p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (n == 0 || n > left)
        return 0;
    for (int k = 1; k < n; k++)
        if ((p[k] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool outside = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || outside ? 0 : n;
}

bool str_utf8_valid(Str s, ptrdiff_t *bad)
{
    for (ptrdiff_t i = 0; i < s.len;) {
        int n = str_utf8_length(s, i);
        if (n == 0) {
            if (bad)
                *bad = i;
            return false;
        }
        i += n;
    }
    return true;
}
