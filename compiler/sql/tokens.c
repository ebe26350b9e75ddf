/* tokens.c - finds table names in SQL text without judging it: DuckDB does that. */
#include "compiler/sql/sql_internal.h"

typedef struct Token {
    Str text;       /* without quotes */
    bool word;      /* a name or keyword; false: one character of punctuation */
    bool quoted;
    size_t start, end;
} Token;

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 128;
}

/* Past blanks, comments and text literals. */
static size_t skip(Str s, size_t i)
{
    size_t n = (size_t)s.len;
    while (i < n) {
        char c = s.ptr[i];
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            i++;
        } else if (c == '-' && i + 1 < n && s.ptr[i + 1] == '-') {
            while (i < n && s.ptr[i] != '\n')
                i++;
        } else if (c == '/' && i + 1 < n && s.ptr[i + 1] == '*') {
            i += 2;
            while (i + 1 < n && !(s.ptr[i] == '*' && s.ptr[i + 1] == '/'))
                i++;
            i = i + 2 < n ? i + 2 : n;
        } else {
            break;
        }
    }
    return i;
}

static bool next(Str s, size_t *at, Token *t)
{
    size_t n = (size_t)s.len, i = skip(s, *at);
    if (i >= n)
        return false;
    *t = (Token){.start = i};
    char c = s.ptr[i];
    if (c == '"' || c == '\'') {
        size_t end = i + 1;
        while (end < n && (s.ptr[end] != c || (end + 1 < n && s.ptr[end + 1] == c)))
            end += s.ptr[end] == c ? 2 : 1;
        t->word = t->quoted = c == '"';
        t->text = str_sub(s, (ptrdiff_t)i + 1, (ptrdiff_t)end);
        i = end < n ? end + 1 : n;
    } else if (name_char(c)) {
        while (i < n && name_char(s.ptr[i]))
            i++;
        t->word = true;
        t->text = str_sub(s, (ptrdiff_t)t->start, (ptrdiff_t)i);
    } else {
        t->text = str_sub(s, (ptrdiff_t)i, (ptrdiff_t)i + 1);
        i++;
    }
    t->end = i;
    *at = i;
    return true;
}

static bool is(const Token *t, const char *word)
{
    return t->word && !t->quoted && str_eq_nocase(t->text, str_from(word));
}

static bool is_mark(const Token *t, char c)
{
    return !t->word && t->text.len == 1 && t->text.ptr[0] == c;
}

/* name [. name [. name]]; *at stands after the first. */
static SqlName read_name(Str sql, size_t *at, Token first)
{
    SqlName name = {.parts = {first.text}, .count = 1, .start = first.start, .end = first.end};
    size_t ahead = *at;
    Token dot, part;
    while (name.count < 3 && next(sql, &ahead, &dot) && is_mark(&dot, '.') && next(sql, &ahead, &part) &&
           part.word) {
        name.parts[name.count++] = part.text;
        name.end = part.end;
        *at = ahead;
    }
    return name;
}

SqlNames sql_tables(Arena *arena, Str sql)
{
    SqlNames out = {0};
    StrArray ctes = {0};
    Token t, before = {0};
    bool want = false, after_with = false;
    for (size_t at = 0; next(sql, &at, &t);) {
        if (after_with && t.word && !is(&t, "recursive")) {
            size_t ahead = at;
            Token as;
            if (next(sql, &ahead, &as) && (is(&as, "as") || is_mark(&as, '(')))
                array_add(arena, &ctes, t.text);
            after_with = false;
        }
        if (is(&t, "with"))
            after_with = true;
        else if (is_mark(&t, ',') && is_mark(&before, ')'))
            after_with = true; /* the next CTE, or a column: only `name as (` counts */
        else if (is(&t, "from") || is(&t, "join"))
            want = true;
        else if (want && t.word && !is(&t, "lateral") && !is(&t, "select")) {
            SqlName name = read_name(sql, &at, t);
            size_t ahead = at;
            Token call;
            if (!(next(sql, &ahead, &call) && is_mark(&call, '(')))
                array_add(arena, &out, name);
            want = false;
        } else if (want && !is(&t, "lateral")) {
            want = false;
        }
        before = t;
    }
    size_t kept = 0;
    for (size_t i = 0; i < out.count; i++) {
        bool cte = false;
        for (size_t k = 0; out.items[i].count == 1 && k < ctes.count; k++)
            cte |= str_eq_nocase(ctes.items[k], out.items[i].parts[0]);
        if (!cte)
            out.items[kept++] = out.items[i];
    }
    out.count = kept;
    return out;
}
