/* translation.c - `translation:`, and the AssetSpec that templates see. */
#include "compiler/translation.h"

#include "compiler/template.h"

/* ---- The asset as a record ---- */

static DgValue strs_value(DgEval *ev, const StrArray *strs)
{
    DgValue list = dg_new_list(ev, strs->count);
    for (size_t i = 0; i < strs->count; i++)
        list.as.list->items[i] = dgv_from_str(strs->items[i]);
    return list;
}

static DgValue key_record(DgEval *ev, Str key)
{
    StrArray parts = {0};
    asset_key_parts(ev->arena, key, &parts);
    return dg_asset_key(ev, parts.items, parts.count);
}

static DgValue text_or_none(Str s)
{
    return s.len ? dgv_from_str(s) : (DgValue){.kind = DG_V_NONE};
}

DgValue asset_record(DgEval *ev, const Asset *a)
{
    DgValue fields = dg_new_dict(ev), deps = dg_new_list(ev, 0);
    DgValue tags = dg_new_dict(ev), metadata = dg_new_dict(ev);
    for (size_t i = 0; i < a->dep_keys.count; i++) {
        DgValue dep = dg_new_dict(ev);
        dg_put_str(ev, dep, "asset_key", key_record(ev, a->dep_keys.items[i]));
        dg_append(ev, deps, dg_record(ev->arena, "AssetDep", dep, NULL));
    }
    for (size_t i = 0; i < a->tags.count; i++)
        dg_put(ev, tags, dgv_from_str(a->tags.items[i].key), dgv_from_str(a->tags.items[i].value));
    for (size_t i = 0; i < a->metadata.count; i++)
        dg_put(ev, metadata, dgv_from_str(a->metadata.items[i].key), a->metadata.items[i].value);
    dg_put_str(ev, fields, "key", key_record(ev, a->key));
    dg_put_str(ev, fields, "deps", deps);
    dg_put_str(ev, fields, "description", text_or_none(a->description));
    dg_put_str(ev, fields, "group_name", dgv_from_str(a->group));
    dg_put_str(ev, fields, "code_version", text_or_none(a->code_version));
    dg_put_str(ev, fields, "kinds", strs_value(ev, &a->kinds));
    dg_put_str(ev, fields, "owners", strs_value(ev, &a->owners));
    dg_put_str(ev, fields, "tags", tags);
    dg_put_str(ev, fields, "metadata", metadata);
    dg_put_str(ev, fields, "skippable", dgv_bool(a->skippable));
    dg_put_str(ev, fields, "automation_condition", a->automation);
    return dg_record(ev->arena, "AssetSpec", fields, NULL);
}

/* ---- Values back into YAML, so that one table checks both ways of writing ---- */

static YamlNode *node_of(Arena *arena, DgEval *ev, DgValue v, Span at)
{
    YamlNode *node = push(arena, YamlNode, 1);
    *node = (YamlNode){.kind = YAML_STRING, .style = YAML_DOUBLE, .at = at};
    switch (v.kind) {
    case DG_V_NONE:
        node->kind = YAML_NULL;
        break;
    case DG_V_BOOL:
        node->kind = YAML_BOOL;
        node->as.b = v.as.b;
        break;
    case DG_V_INT:
        node->kind = YAML_INT;
        node->as.i = v.as.i;
        break;
    case DG_V_LIST: case DG_V_TUPLE:
        node->kind = YAML_LIST;
        node->as.list.count = v.as.list->count;
        node->as.list.items = push(arena, YamlNode *, v.as.list->count + 1);
        for (size_t i = 0; i < v.as.list->count; i++)
            node->as.list.items[i] = node_of(arena, ev, v.as.list->items[i], at);
        return node;
    case DG_V_DICT:
        node->kind = YAML_MAP;
        node->as.map.count = v.as.dict->count;
        node->as.map.entries = push(arena, YamlEntry, v.as.dict->count + 1);
        for (size_t i = 0; i < v.as.dict->count; i++)
            node->as.map.entries[i] = (YamlEntry){node_of(arena, ev, v.as.dict->keys[i], at),
                                                  node_of(arena, ev, v.as.dict->values[i], at),
                                                  false};
        return node;
    default:
        break;
    }
    node->text = str_copy(arena, dg_to_str(ev, v));
    return node;
}

/* A mapping; NULL: nothing to change, or reported. */
static YamlNode *mapping(Plan *plan, YamlNode *translation, const Scope *scope, DgEval *ev,
                         bool *ok)
{
    *ok = true;
    if (translation->kind == YAML_MAP)
        return translation;
    if (translation->kind == YAML_NULL)
        return NULL;
    if (translation->kind == YAML_STRING) {
        DgValue v = config_value(plan->arena, plan->diag, scope, translation);
        if (str_eq(dgv_record_class(v), S("AssetSpec")))
            return NULL; /* `{{ spec }}`: as it is */
        if (v.kind == DG_V_DICT)
            return node_of(plan->arena, ev, v, translation->at);
        if (v.kind == DG_V_NONE)
            return NULL;
        *ok = v.kind != DG_V_UNDEFINED;
        if (!*ok)
            return NULL;
    }
    *ok = false;
    if (translation->kind != YAML_ERROR)
        diag_help(diag_report(plan->diag, E0102, translation->at,
                              "`translation` must be a mapping, or a template that gives one"),
                  "for example `translation: {group_name: raw, key_prefix: shop}`");
    return NULL;
}

/* ---- Keys ---- */

static bool prefix_parts(const SpecContext *c, DgValue prefix, StrArray *parts)
{
    if (prefix.kind == DG_V_STR) {
        array_add(c->plan->arena, parts, prefix.as.s);
        return prefix.as.s.len > 0;
    }
    bool sequence = prefix.kind == DG_V_LIST || prefix.kind == DG_V_TUPLE;
    for (size_t i = 0; sequence && i < prefix.as.list->count; i++) {
        sequence = prefix.as.list->items[i].kind == DG_V_STR;
        array_add(c->plan->arena, parts, prefix.as.list->items[i].as.s);
    }
    return sequence;
}

static Str translated_key(const SpecContext *c, Str key, const DgAssetSpec *spec)
{
    if (spec_sets(c, &spec->key) && spec->key.len)
        key = asset_key_check(c->plan, spec->key, spec_at(c, &spec->key));
    if (!key.len || !spec_sets(c, &spec->key_prefix) || spec->key_prefix.kind == DG_V_NONE)
        return key;
    StrArray parts = {0}, rest = {0};
    if (!prefix_parts(c, spec->key_prefix, &parts)) {
        diag_help(diag_report(c->plan->diag, E0102, spec_at(c, &spec->key_prefix),
                              "`key_prefix` must be text, or a list of texts"),
                  "for example `key_prefix: [warehouse, raw]`");
        return (Str){0};
    }
    asset_key_parts(c->plan->arena, key, &rest);
    for (size_t i = 0; i < rest.count; i++)
        array_add(c->plan->arena, &parts, rest.items[i]);
    return asset_key_join(c->plan->arena, parts.items, parts.count);
}

bool translation_apply(Plan *plan, Asset *asset, YamlNode *translation, const Scope *names,
                       const DgList *vars)
{
    DgEval ev;
    dg_eval_init(&ev, plan->arena);
    Scope *scope = scope_new(plan->arena, names);
    for (size_t i = 0; i < vars->count; i++)
        scope_value(scope, DG_ITEMS(DgValuePair, *vars)[i].key,
                    DG_ITEMS(DgValuePair, *vars)[i].value);
    scope_value(scope, S("spec"), asset_record(&ev, asset));
    bool ok;
    YamlNode *node = mapping(plan, translation, scope, &ev, &ok);
    dg_eval_free(&ev);
    if (!node)
        return ok;
    ConfigTarget target = {S("translation"), dg_asset_update_fields, sizeof(DgAssetSpec), 0};
    Config config = config_fill(plan->arena, plan->diag, scope, &target, node, node->at);
    if (!config.ok)
        return false;
    SpecContext c = {plan, &config, scope, node->at};
    const DgAssetSpec *spec = config.data;
    spec_apply(&c, asset, spec, SPEC_MERGE);
    Str key = translated_key(&c, asset->key, spec);
    if (!key.len)
        return false;
    asset->key = key;
    return true;
}
