/* toml.c - as much TOML as project files need; anything else in the file is passed over. */
#include "compiler/project.h"

static Str cut_line(Str *rest)
{
    Str line, after;
    if (!str_cut(*rest, '\n', &line, &after)) {
        line = *rest;
        after = (Str){0};
    }
    *rest = after;
    return str_trim(line);
}

static Str unquote(Str s)
{
    s = str_trim(s);
    if (s.len >= 2 && (s.ptr[0] == '"' || s.ptr[0] == '\'')) {
        ptrdiff_t end = str_find_char(str_sub(s, 1, s.len), s.ptr[0]);
        if (end >= 0)
            return str_sub(s, 1, end + 1);
    }
    ptrdiff_t comment = str_find_char(s, '#');
    return str_trim(comment >= 0 ? str_sub(s, 0, comment) : s);
}

/* The items of `["a", "b"]`; brackets may be far apart, `text` goes up to the closing one. */
static void add_items(Arena *arena, Str text, StrArray *out)
{
    while (text.len) {
        ptrdiff_t at = 0;
        while (at < text.len && text.ptr[at] != '"' && text.ptr[at] != '\'')
            at++;
        if (at == text.len)
            return;
        Str from = str_sub(text, at + 1, text.len);
        ptrdiff_t end = str_find_char(from, text.ptr[at]);
        if (end < 0)
            return;
        array_add(arena, out, str_sub(from, 0, end));
        text = str_sub(from, end + 1, from.len);
    }
}

static void put(Arena *arena, TomlFile *f, Str table, Str key, StrArray value)
{
    Str name = table.len ? str_format(arena, "%.*s.%.*s", FMT(table), FMT(key)) : key;
    StrArray *kept = map_get(&f->values, name);
    if (!kept) {
        kept = push(arena, StrArray, 1);
        map_put(arena, &f->values, name, kept);
    }
    for (size_t i = 0; i < value.count; i++)
        array_add(arena, kept, value.items[i]); /* [[table]]s gather */
}

/* `{ a = "x" }` and `[ { path = "x" } ]` are read as their keys below the name. */
bool toml_read(Arena *arena, Str text, TomlFile *out)
{
    Str table = {0}, rest = text;
    *out = (TomlFile){0};
    while (rest.len) {
        Str line = cut_line(&rest);
        if (!line.len || line.ptr[0] == '#')
            continue;
        if (line.ptr[0] == '[') {
            Str name = line;
            while (name.len && name.ptr[0] == '[')
                name = str_sub(name, 1, name.len);
            ptrdiff_t end = str_find_char(name, ']');
            if (end < 0)
                return false;
            table = str_trim(str_sub(name, 0, end));
            StrArray none = {0};
            put(arena, out, table, S(""), none);
            continue;
        }
        Str key, value;
        if (!str_cut(line, '=', &key, &value))
            return false;
        key = unquote(key);
        value = str_trim(value);
        StrArray items = {0};
        if (value.len && value.ptr[0] == '[') {
            Str all = str_sub(value, 1, value.len);
            add_items(arena, all, &items);
            while (str_find_char(all, ']') < 0 && rest.len) {
                all = cut_line(&rest);
                if (all.len && all.ptr[0] != '#')
                    add_items(arena, all, &items);
            }
        } else {
            array_add(arena, &items, unquote(value));
        }
        put(arena, out, table, key, items);
    }
    return true;
}

const StrArray *toml_list(const TomlFile *t, Str key)
{
    return map_get(&t->values, key);
}

Str toml_get(const TomlFile *t, Str key)
{
    const StrArray *v = toml_list(t, key);
    return v && v->count ? v->items[0] : (Str){0};
}
