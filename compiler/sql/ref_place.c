/* ref_place.c - where a unit's SQL names one of the assets that it reads. */
#include "compiler/sql/sql_internal.h"

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The asset's name as a whole word, first inside `{{ }}`, then anywhere. */
Span sql_ref_span(const Plan *plan, const Asset *asset, const Asset *read)
{
    Str name = read->key;
    for (ptrdiff_t i = name.len; i > 0; i--) {
        if (name.ptr[i - 1] == '/') {
            name = str_sub(name, i, name.len);
            break;
        }
    }
    for (size_t u = 0; u < plan->sql.count; u++) {
        const SqlUnit *unit = plan->sql.items[u];
        if (unit->asset != asset || unit->decl.is_check || !unit->parsed)
            continue;
        Str text = unit->parsed->text;
        for (ptrdiff_t from = 0, at; (at = str_find(str_sub(text, from, text.len), name)) >= 0;) {
            at += from;
            ptrdiff_t end = at + name.len;
            bool word = (at == 0 || !name_char(text.ptr[at - 1])) && (end >= text.len || !name_char(text.ptr[end]));
            bool quoted = at > 0 && (text.ptr[at - 1] == '\'' || text.ptr[at - 1] == '"' || text.ptr[at - 1] == '/');
            if (word && quoted)
                return template_span(&unit->parsed->place, (uint32_t)at, (uint32_t)end);
            from = end;
        }
    }
    return (Span){0};
}
