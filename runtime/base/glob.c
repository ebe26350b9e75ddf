/* glob.c - matching paths against patterns. Paths may be a stranger's: the time is bounded by the
 * product of the lengths, because only the last star of each kind is ever gone back to. */
#include "runtime/base/glob.h"

static bool in_class(const char *p, const char *end, char c, const char **after)
{
    bool negate = p < end && (*p == '!' || *p == '^'), found = false;
    if (negate)
        p++;
    for (const char *first = p; p < end && (*p != ']' || p == first); p++) {
        if (p + 2 < end && p[1] == '-' && p[2] != ']') {
            found |= p[0] <= c && c <= p[2];
            p += 2;
        } else {
            found |= *p == c;
        }
    }
    *after = p < end ? p + 1 : end;
    return found != negate;
}

/* One character of the pattern that is no star, and one of the path. */
static bool match_char(const char **p, const char *p_end, char c)
{
    const char *after = *p + 1;
    bool fits = **p == '[' ? c != '/' && in_class(*p + 1, p_end, c, &after) : **p == '?' ? c != '/' : **p == c;
    *p = after;
    return fits;
}

typedef struct Star {
    const char *p; /* the pattern after it; NULL: none yet */
    const char *s; /* what it stands for ends here */
    bool folders;  /* `**` and a slash: ends where a name begins */
} Star;

static bool longer(Star *star, bool deep, const char *s_end)
{
    if (!star->p)
        return false;
    do {
        if (star->s == s_end || (!deep && *star->s == '/'))
            return false;
        star->s++;
    } while (star->folders && star->s[-1] != '/');
    return true;
}

bool glob_match_one(Str pattern, Str path)
{
    const char *p = pattern.ptr, *p_end = p + pattern.len, *s = path.ptr, *s_end = s + path.len;
    Star name = {0}, deep = {0};
    for (;;) {
        if (p < p_end && *p == '*') {
            bool two = p + 1 < p_end && p[1] == '*';
            p += two ? 2 : 1;
            Star *star = two ? &deep : &name;
            star->folders = two && p < p_end && *p == '/';
            p += star->folders;
            star->p = p;
            star->s = s;
            if (two)
                name.p = NULL;
            continue;
        }
        if (p == p_end && s == s_end)
            return true;
        if (p < p_end && s < s_end) {
            const char *next = p;
            if (match_char(&next, p_end, *s)) {
                p = next;
                s++;
                continue;
            }
        }
        Star *star = longer(&name, false, s_end) ? &name : longer(&deep, true, s_end) ? &deep : NULL;
        if (!star)
            return false;
        if (star == &deep)
            name.p = NULL;
        p = star->p;
        s = star->s;
    }
}

static ptrdiff_t brace_end(Str pattern, ptrdiff_t open)
{
    ptrdiff_t depth = 0;
    for (ptrdiff_t i = open; open >= 0 && i < pattern.len; i++) {
        depth += pattern.ptr[i] == '{' ? 1 : pattern.ptr[i] == '}' ? -1 : 0;
        if (!depth)
            return i;
    }
    return -1;
}

/* {a,b} becomes two patterns; nested braces work. */
void glob_expand(Arena *a, Str pattern, StrArray *out)
{
    ptrdiff_t open = str_find_char(pattern, '{'), close = brace_end(pattern, open), depth = 0;
    if (close < 0 || out->count > 1000) {
        array_add(a, out, pattern);
        return;
    }
    Str head = str_sub(pattern, 0, open), tail = str_sub(pattern, close + 1, pattern.len);
    for (ptrdiff_t i = open + 1, start = i; i <= close; i++) {
        depth += pattern.ptr[i] == '{' ? 1 : pattern.ptr[i] == '}' && i < close ? -1 : 0;
        if (i < close && (depth || pattern.ptr[i] != ','))
            continue;
        Str middle = str_sub(pattern, start, i);
        glob_expand(a, str_format(a, "%.*s%.*s%.*s", FMT(head), FMT(middle), FMT(tail)), out);
        start = i + 1;
    }
}

bool glob_match(Str pattern, Str path)
{
    Arena arena;
    arena_init(&arena, 1 << 20);
    StrArray patterns = {0};
    glob_expand(&arena, pattern, &patterns);
    bool found = false;
    for (size_t i = 0; i < patterns.count && !found; i++)
        found = glob_match_one(patterns.items[i], path);
    arena_free(&arena);
    return found;
}

ptrdiff_t glob_special(Str pattern)
{
    ptrdiff_t i = 0;
    while (i < pattern.len && !strchr("*?[{", pattern.ptr[i]))
        i++;
    return i;
}
