/* ref_place.c - where a unit's SQL names one of the assets that it reads. */
#include "compiler/sql/sql_internal.h"

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
            char before = at > 0 ? text.ptr[at - 1] : '\0';
            bool word = end >= text.len || !sql_name_char(text.ptr[end]);
            bool quoted = before == '\'' || before == '"' || before == '/';
            if (word && quoted)
                return template_span(&unit->parsed->place, (uint32_t)at, (uint32_t)end);
            from = end;
        }
    }
    return (Span){0};
}
