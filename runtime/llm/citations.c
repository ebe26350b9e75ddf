/* citations.c - see citations.h. */
#include "runtime/llm/citations.h"

enum { CITED_MAX = 999999 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool read_number(Str s, ptrdiff_t *i, int32_t *out)
{
    int64_t n = 0;
    ptrdiff_t at = *i;
    for (; at < s.len && is_digit(s.ptr[at]); at++)
        n = n > CITED_MAX ? n : n * 10 + (s.ptr[at] - '0');
    if (at == *i || n > CITED_MAX)
        return false;
    *out = (int32_t)n;
    *i = at;
    return true;
}

static void skip_space(Str s, ptrdiff_t *i)
{
    while (*i < s.len && s.ptr[*i] == ' ')
        ++*i;
}

static void add_once(Arena *a, Citations *out, int32_t n, bool invented)
{
    for (size_t i = 0; i < (invented ? out->invented.count : out->cited.count); i++)
        if ((invented ? out->invented.items[i] : out->cited.items[i]) == n)
            return;
    if (invented)
        array_add(a, &out->invented, n);
    else
        array_add(a, &out->cited, n);
}

/* Goes through the numbers between brackets; with `out`, takes them. *end: behind the bracket. False: no citation. */
static bool group_at(Arena *a, Str s, ptrdiff_t at, int32_t passages, StrBuf *kept, Citations *out, ptrdiff_t *end)
{
    ptrdiff_t i = at + 1;
    for (;;) {
        int32_t first, last;
        skip_space(s, &i);
        if (!read_number(s, &i, &first))
            return false;
        last = first;
        if (i + 1 < s.len && s.ptr[i] == '-' && is_digit(s.ptr[i + 1])) {
            i++;
            if (!read_number(s, &i, &last) || last < first)
                return false;
        }
        if (out && last - first > passages) { /* no more than one beyond the end is told */
            add_once(a, out, last, true);
            last = first + passages;
        }
        for (int32_t n = first; out && n <= last; n++) {
            bool there = n >= 1 && n <= passages;
            add_once(a, out, n, !there);
            if (there)
                buf_format(kept, "%s%d", kept->len ? ", " : "", n);
        }
        skip_space(s, &i);
        if (i < s.len && (s.ptr[i] == ',' || s.ptr[i] == ';')) {
            i++;
            continue;
        }
        *end = i + 1;
        return i < s.len && s.ptr[i] == ']';
    }
}

bool citations_read(Arena *a, DgStr text, int32_t passages, Citations *out)
{
    StrBuf b = {0};
    bool inside = false, fenced = false;
    *out = (Citations){0};
    for (ptrdiff_t i = 0; i < text.len;) {
        ptrdiff_t end;
        StrBuf kept = {0};
        if (str_starts(str_sub(text, i, i + 3), S("```"))) {
            fenced = !fenced;
            inside = false;
            buf_add(&b, S("```"));
            i += 3;
            continue;
        }
        inside = text.ptr[i] == '`' ? !inside : inside && text.ptr[i] != '\n'; /* code in a line ends with it */
        if (inside || fenced || text.ptr[i] != '[' || !group_at(a, text, i, passages, NULL, NULL, &end)) {
            buf_char(&b, text.ptr[i++]);
            continue;
        }
        group_at(a, text, i, passages, &kept, out, &end);
        if (kept.len)
            buf_format(&b, "[%.*s]", FMT(buf_str(&kept)));
        else if (b.len && b.ptr[b.len - 1] == ' ') /* "so it is [9]." */
            b.len--;
        b.failed |= kept.failed;
        buf_free(&kept);
        i = end;
    }
    bool good = !b.failed;
    out->text = str_copy(a, buf_str(&b));
    buf_free(&b);
    return good && !a->failed;
}
