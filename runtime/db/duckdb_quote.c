/* Names and texts as DuckDB's SQL writes them; where an asset's table is. */
#include "runtime/data/batch.h"
#include "runtime/db/warehouse.h"

static Str quoted(Arena *a, Str text, char quote)
{
    size_t doubled = 0;
    for (ptrdiff_t i = 0; i < text.len; i++)
        doubled += text.ptr[i] == quote;
    char *to = push(a, char, (size_t)text.len + doubled + 3);
    if (!to)
        return (Str){0};
    size_t n = 0;
    to[n++] = quote;
    for (ptrdiff_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == quote)
            to[n++] = quote;
        to[n++] = text.ptr[i];
    }
    to[n++] = quote;
    return (Str){to, (ptrdiff_t)n};
}

Str dg_duckdb_name(Arena *a, Str name)
{
    return quoted(a, name, '"');
}

Str dg_duckdb_text(Arena *a, Str text)
{
    return quoted(a, text, '\'');
}

Str dg_duckdb_table(Arena *a, Str schema, Str table)
{
    if (schema.len == 0)
        return dg_duckdb_name(a, table);
    Str first = dg_duckdb_name(a, schema), second = dg_duckdb_name(a, table);
    return str_format(a, "%.*s.%.*s", FMT(first), FMT(second));
}

Str dg_duckdb_type(Arena *a, DgType t)
{
    if (t.kind == DG_DECIMAL)
        return str_format(a, "DECIMAL(%d,%d)", t.precision, t.scale);
    char *name = str_cstr(a, str_from(dg_type_name((DgTypeKind)t.kind)));
    for (char *c = name; c && *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return str_from(name);
}

void dg_asset_table(Arena *a, Str asset_key, Str *schema, Str *table)
{
    ptrdiff_t cut = -1;
    for (ptrdiff_t i = 0; i < asset_key.len; i++)
        if (asset_key.ptr[i] == '/')
            cut = i;
    *table = str_sub(asset_key, cut + 1, asset_key.len);
    *schema = cut < 0 ? S("main") : str_replace(a, str_sub(asset_key, 0, cut), S("/"), S("__"));
}
