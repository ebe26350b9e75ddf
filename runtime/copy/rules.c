/* rules.c - from YAML values to rules. */
#include <ctype.h>

#include "runtime/copy/rules.h"
#include "runtime/eval/value.h"

static bool is_word(Str s)
{
    for (ptrdiff_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.ptr[i]) && s.ptr[i] != '_')
            return false;
    return s.len && !str_eq(s, S("value")) && !str_eq(s, S("null")) && !str_eq(s, S("true")) && !str_eq(s, S("false"));
}

static DgStatus names_are_known(Arena *a, const CopyRule *r, DgError *err)
{
    StrArray names = {0};
    expr_names(r->expr, a, &names);
    for (size_t i = 0; i < names.count; i++)
        if (!str_eq(names.items[i], S("value")) && !str_starts(names.items[i], S("record."))) {
            dg_fail(err, DG_CONFIG, "`%.*s`: there is no `%.*s` here", (int)(r->text.len > 200 ? 200 : r->text.len), r->text.ptr, FMT(names.items[i]));
            dg_hint(err, "`value` is the column's own value, `record.NAME` that of another; texts stand in quotes");
            return DG_CONFIG;
        }
    return DG_OK;
}

static DgStatus add(Arena *a, CopyRules *out, CopyRule rule, DgError *err)
{
    Str text = str_trim(rule.text);
    rule.text = str_copy(a, text);
    if (is_word(text)) /* `upper` is `upper(value)` */
        text = str_format(a, "%.*s(value)", FMT(text));
    if (out->count >= COPY_RULES_MAX)
        return dg_fail(err, DG_CONFIG, "more than %d expressions for one stream", COPY_RULES_MAX);
    rule.source = str_copy(a, text);
    DG_TRY(expr_compile(a, text, &rule.expr, err));
    DG_TRY(names_are_known(a, &rule, err));
    array_add(a, out, rule);
    return DG_OK;
}

static DgStatus not_text(Str column, DgError *err)
{
    dg_fail(err, DG_CONFIG, "the transforms of `%.*s` are no texts", FMT(column));
    dg_hint(err, "for example `transforms: {name: [trim_space, upper]}`");
    return DG_CONFIG;
}

/* One expression, or several one after the other. */
static DgStatus add_value(Arena *a, CopyRules *out, Str column, DgValue v, DgError *err)
{
    if (v.kind == DG_V_STR)
        return add(a, out, (CopyRule){.column = column, .text = v.as.s}, err);
    if (v.kind != DG_V_LIST)
        return not_text(column, err);
    for (size_t i = 0; i < v.as.list->count; i++) {
        if (v.as.list->items[i].kind != DG_V_STR)
            return not_text(column, err);
        DG_TRY(add(a, out, (CopyRule){.column = column, .text = v.as.list->items[i].as.s}, err));
    }
    return DG_OK;
}

static DgStatus add_map(Arena *a, CopyRules *out, DgValue map, DgError *err)
{
    for (size_t i = 0; i < map.as.dict->count; i++) {
        DgValue key = map.as.dict->keys[i];
        if (key.kind != DG_V_STR || !key.as.s.len)
            return dg_fail(err, DG_CONFIG, "a column of `transforms` is no name");
        DG_TRY(add_value(a, out, key.as.s, map.as.dict->values[i], err));
    }
    return DG_OK;
}

DgStatus rules_transforms(Arena *a, DgValue transforms, CopyRules *out, DgError *err)
{
    if (transforms.kind == DG_V_NONE || transforms.kind == DG_V_UNDEFINED)
        return DG_OK;
    if (transforms.kind == DG_V_DICT)
        return add_map(a, out, transforms, err);
    if (transforms.kind == DG_V_STR)
        return add(a, out, (CopyRule){.text = transforms.as.s}, err);
    if (transforms.kind != DG_V_LIST)
        return dg_fail(err, DG_CONFIG, "`transforms` is a list or a mapping");
    for (size_t i = 0; i < transforms.as.list->count; i++) {
        DgValue item = transforms.as.list->items[i];
        if (i >= COPY_RULES_MAX)
            return dg_fail(err, DG_CONFIG, "more than %d expressions for one stream", COPY_RULES_MAX);
        if (item.kind == DG_V_DICT)
            DG_TRY(add_map(a, out, item, err));
        else if (item.kind == DG_V_STR)
            DG_TRY(add(a, out, (CopyRule){.text = item.as.s}, err));
        else
            return dg_fail(err, DG_CONFIG, "item %d of `transforms` is neither a function nor a mapping", (int)i + 1);
    }
    return DG_OK;
}

static DgStatus constraint(Arena *a, CopyRules *out, Str column, const DgValue *type, DgError *err)
{
    Str before, after;
    if (!type || type->kind != DG_V_STR || !str_cut(type->as.s, '|', &before, &after) || !str_trim(after).len)
        return DG_OK;
    return add(a, out, (CopyRule){.column = column, .text = after}, err);
}

DgStatus rules_constraints(Arena *a, DgValue columns, CopyRules *out, DgError *err)
{
    for (size_t i = 0; columns.kind == DG_V_DICT && i < columns.as.dict->count; i++)
        if (columns.as.dict->keys[i].kind == DG_V_STR)
            DG_TRY(constraint(a, out, columns.as.dict->keys[i].as.s, &columns.as.dict->values[i], err));
    for (size_t i = 0; columns.kind == DG_V_LIST && i < columns.as.list->count; i++) {
        const DgValue *name = dgv_get_str(columns.as.list->items[i], S("name"));
        if (name && name->kind == DG_V_STR)
            DG_TRY(constraint(a, out, name->as.s, dgv_get_str(columns.as.list->items[i], S("type")), err));
    }
    return DG_OK;
}
