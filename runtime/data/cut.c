/* Ends of records: lines, CSV with quotes, JSON values. One pass, no tables. */
#include "runtime/data/cut.h"

int64_t count_lines(const char *from, const char *to)
{
    int64_t lines = 0;
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    for (; to - from >= 8; from += 8) {
        uint64_t x;
        memcpy(&x, from, 8);
        x ^= ones * '\n';
        /* A byte that was a line feed is zero now; adding 0x7f to the low bits carries for others. */
        uint64_t others = ((x & ~highs) + ~highs) | x;
        lines += __builtin_popcountll(~others & highs);
    }
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

size_t cut_lines(const char *bytes, size_t n)
{
    const char *end = n ? memrchr(bytes, '\n', n) : NULL;
    return end ? (size_t)(end - bytes) + 1 : 0;
}

/* ---- CSV ---- */

/* The quote that closes a field; `from` is after the opening one. NULL: not in these bytes, or not
 * certain: a quote at the very end may be the first of two. */
static const char *closing_quote(const char *from, const char *end, char quote, char escape,
                                 bool last)
{
    for (const char *p = from; p < end; p++) {
        if (escape == quote) {
            p = memchr(p, quote, (size_t)(end - p));
            if (!p)
                return NULL;
        } else {
            while (p < end && *p != quote && *p != escape)
                p++;
            if (p == end)
                return NULL;
            if (*p == escape) {
                p++;
                continue;
            }
        }
        if (p + 1 == end)
            return last ? p : NULL;
        if (escape == quote && p[1] == quote) {
            p++;
            continue;
        }
        return p;
    }
    return NULL;
}

size_t cut_csv(const char *bytes, size_t n, char delimiter, char quote, char escape, bool last)
{
    const char *end = bytes + n, *p = bytes;
    size_t whole = 0;
    if (!escape)
        escape = quote;
    while (p < end) {
        const char *q = quote ? memchr(p, quote, (size_t)(end - p)) : NULL;
        const char *plain_end = q ? q : end;
        size_t line = cut_lines(p, (size_t)(plain_end - p));
        if (line)
            whole = (size_t)(p - bytes) + line;
        if (!q)
            break;
        bool opens = q == bytes || q[-1] == delimiter || q[-1] == '\n' || q[-1] == '\r';
        p = q + 1;
        if (!opens)
            continue; /* a quote inside a plain field stands for itself */
        p = closing_quote(p, end, quote, escape, last);
        if (!p)
            break;
        p++;
    }
    return whole;
}

/* ---- JSON ---- */

/* After the closing quote of a string whose opening quote is at p. NULL: it does not end here. */
static const char *string_end(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (!quote)
            return NULL;
        const char *back = quote;
        while (back > p && back[-1] == '\\')
            back--;
        p = quote;
        if ((quote - back) % 2 == 0)
            return quote + 1;
    }
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && is_space(*p))
        p++;
    return p;
}

/* After the value that begins at p; NULL when it does not end in these bytes. A plain word ends
 * where another character stands, or at the end when `last`. */
static const char *value_end(const char *p, const char *end, bool last)
{
    int64_t depth = 0;
    if (p < end && *p != '{' && *p != '[' && *p != '"') {
        while (p < end && !is_space(*p) && *p != ',' && *p != ']' && *p != '}')
            p++;
        return p < end || last ? p : NULL;
    }
    while (p < end) {
        if (*p == '"') {
            p = string_end(p, end);
            if (!p)
                return NULL;
        } else {
            depth += *p == '{' || *p == '[';
            depth -= *p == '}' || *p == ']';
            p++;
        }
        if (depth == 0)
            return p;
        while (p < end && *p != '"' && *p != '{' && *p != '}' && *p != '[' && *p != ']')
            p++;
    }
    return NULL;
}

size_t cut_json(const char *bytes, size_t n, bool top, bool last, CutJson *how)
{
    const char *end = bytes + n, *p = bytes;
    size_t whole = 0;
    *how = CUT_MORE;
    for (;;) {
        while (p < end && (is_space(*p) || (!top && *p == ',')))
            p++;
        if (p == end)
            return whole;
        if (*p == ']' || *p == '}') {
            *how = !top && *p == ']' ? CUT_CLOSED : CUT_BAD;
            return whole;
        }
        const char *after = value_end(p, end, last);
        if (!after)
            return whole;
        if (after == p) {
            *how = CUT_BAD;
            return whole;
        }
        p = after;
        whole = (size_t)(p - bytes);
    }
}

/* The next part of a JSON pointer, `~1` and `~0` undone into `to`. */
static bool pointer_part(DgStr *pointer, char *to, size_t size, DgStr *part)
{
    size_t n = 0;
    DgStr p = *pointer;
    if (p.len == 0 || p.ptr[0] != '/')
        return false;
    ptrdiff_t i = 1;
    for (; i < p.len && p.ptr[i] != '/' && n < size; i++) {
        char c = p.ptr[i];
        if (c == '~' && i + 1 < p.len && (p.ptr[i + 1] == '0' || p.ptr[i + 1] == '1'))
            c = p.ptr[++i] == '0' ? '~' : '/';
        to[n++] = c;
    }
    *pointer = str_sub(p, i, p.len);
    *part = (DgStr){to, (ptrdiff_t)n};
    return true;
}

/* From inside an object (after its brace) to the value of a key. */
static const char *find_key(const char *p, const char *end, DgStr key, bool *more)
{
    for (;;) {
        p = skip_space(p, end);
        if (p < end && *p == ',')
            p = skip_space(p + 1, end);
        if (p < end && *p != '"') {
            *more = false;
            return NULL;
        }
        const char *name_end = p < end ? string_end(p, end) : NULL;
        const char *colon = name_end ? skip_space(name_end, end) : NULL;
        if (!colon || colon == end)
            return NULL;
        const char *value = skip_space(colon + 1, end);
        if (name_end - p - 2 == key.len && memcmp(p + 1, key.ptr, (size_t)key.len) == 0)
            return value;
        p = value_end(value, end, false);
        if (!p)
            return NULL;
    }
}

static const char *kind_of(char c)
{
    return c == '{'                ? "an object"
           : c == '"'              ? "a text"
           : c == 'n'              ? "null"
           : c == 't' || c == 'f'  ? "true or false"
                                   : "a number";
}

bool cut_json_find(const char *bytes, size_t n, DgStr pointer, size_t *start, bool *more,
                   const char **found)
{
    const char *end = bytes + n, *p = skip_space(bytes, end);
    char name[256];
    DgStr part;
    *more = true;
    *found = NULL;
    while (pointer_part(&pointer, name, sizeof name, &part)) {
        if (p < end && *p != '{') {
            *more = false;
            *found = *p == '[' ? "an array" : kind_of(*p);
            return false;
        }
        p = p < end ? find_key(p + 1, end, part, more) : NULL;
        if (!p)
            return false;
    }
    if (p >= end)
        return false;
    *more = false;
    if (*p != '[') {
        *found = kind_of(*p);
        return false;
    }
    *start = (size_t)(p + 1 - bytes);
    return true;
}
