/* dotenv.c - .env files while developing, as python-dotenv reads them. */
#include "compiler/project.h"

#include <stdlib.h>

static bool name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool dotenv_name(Str s)
{
    for (ptrdiff_t i = 0; i < s.len; i++)
        if (!name_char(s.ptr[i]))
            return false;
    return s.len > 0 && s.len <= 255 && (s.ptr[0] < '0' || s.ptr[0] > '9');
}

/* ${NAME} and ${NAME:-default}, from this file so far or the environment. */
static void add_expanded(Arena *arena, Str s, const Map *known, StrBuf *out)
{
    for (ptrdiff_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '$' || i + 1 >= s.len || s.ptr[i + 1] != '{') {
            buf_char(out, s.ptr[i]);
            continue;
        }
        Str inner = str_sub(s, i + 2, s.len);
        ptrdiff_t end = str_find_char(inner, '}');
        if (end < 0) {
            buf_char(out, '$');
            continue;
        }
        inner = str_sub(inner, 0, end);
        ptrdiff_t minus = str_find(inner, S(":-"));
        Str name = minus >= 0 ? str_sub(inner, 0, minus) : inner;
        const char *set = getenv(str_cstr(arena, name));
        const Str *here = map_get(known, name);
        if (set)
            buf_add(out, str_from(set));
        else if (here)
            buf_add(out, *here);
        else if (minus >= 0)
            buf_add(out, str_sub(inner, minus + 2, inner.len));
        i += end + 2;
    }
}

static void add_escaped(Str s, StrBuf *out)
{
    for (ptrdiff_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '\\' || i + 1 >= s.len) {
            buf_char(out, s.ptr[i]);
            continue;
        }
        char c = s.ptr[++i];
        buf_char(out, c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c);
    }
}

/* The value that begins at s; *used counts what it takes, a quoted one may span lines. */
static Str read_value(Arena *arena, Str s, const Map *known, ptrdiff_t *used)
{
    StrBuf raw = {0}, out = {0};
    bool expand = true;
    if (s.len && (s.ptr[0] == '"' || s.ptr[0] == '\'')) {
        char q = s.ptr[0];
        ptrdiff_t i = 1;
        while (i < s.len && s.ptr[i] != q)
            i += s.ptr[i] == '\\' && q == '"' && i + 1 < s.len ? 2 : 1;
        Str inner = str_sub(s, 1, i);
        *used = i < s.len ? i + 1 : s.len;
        if (q == '"')
            add_escaped(inner, &raw);
        else
            buf_add(&raw, inner);
        expand = q == '"';
    } else {
        ptrdiff_t end = str_find_char(s, '\n');
        Str line = end >= 0 ? str_sub(s, 0, end) : s;
        *used = line.len;
        ptrdiff_t comment = str_find(line, S(" #"));
        buf_add(&raw, str_trim(comment >= 0 ? str_sub(line, 0, comment) : line));
    }
    if (expand)
        add_expanded(arena, buf_str(&raw), known, &out);
    else
        buf_add(&out, buf_str(&raw));
    Str value = str_copy(arena, buf_str(&out));
    buf_free(&raw);
    buf_free(&out);
    return value;
}

void dotenv_read(Arena *arena, Str text, Map *into)
{
    ptrdiff_t at = 0;
    while (at < text.len) {
        Str rest = str_sub(text, at, text.len);
        ptrdiff_t skip = 0;
        while (skip < rest.len && (rest.ptr[skip] == ' ' || rest.ptr[skip] == '\t'))
            skip++;
        Str line = str_sub(rest, skip, rest.len);
        if (str_starts(line, S("export "))) {
            skip += 7;
            line = str_sub(rest, skip, rest.len);
        }
        ptrdiff_t n = 0;
        while (n < line.len && name_char(line.ptr[n]))
            n++;
        ptrdiff_t eq = n;
        while (eq < line.len && line.ptr[eq] == ' ')
            eq++;
        ptrdiff_t used = 0;
        if (n && eq < line.len && line.ptr[eq] == '=') {
            eq++;
            while (eq < line.len && line.ptr[eq] == ' ')
                eq++;
            Str *value = push(arena, Str, 1);
            *value = read_value(arena, str_sub(line, eq, line.len), into, &used);
            map_put(arena, into, str_copy(arena, str_sub(line, 0, n)), value);
            used += eq;
        }
        ptrdiff_t newline = str_find_char(str_sub(line, used, line.len), '\n');
        at += newline < 0 ? text.len : skip + used + newline + 1;
    }
}

void project_export_dotenv(const Project *p)
{
    Arena scratch;
    arena_init(&scratch, 1 << 24);
    for (size_t i = 0; i < p->dotenv.entries.count; i++) {
        const MapEntry *e = &p->dotenv.entries.items[i];
        setenv(str_cstr(&scratch, e->key), str_cstr(&scratch, *(const Str *)e->value), 0);
    }
    arena_free(&scratch);
}
