/* hooks_check.c - what can be wrong with a hook before it runs. */
#include "runtime/copy/hooks.h"

static bool listed(const char *list, Str key)
{
    char word[40];
    if (key.len < 1 || key.len > 36 || memchr(key.ptr, ' ', (size_t)key.len))
        return false;
    word[0] = ' ';
    memcpy(word + 1, key.ptr, (size_t)key.len);
    word[key.len + 1] = ' ';
    return str_find(str_from(list), (Str){word, key.len + 2}) >= 0;
}

static DgStatus check_type(DgValue hook, bool merging, const HookKind **out, DgError *err)
{
    const DgValue *type = hook_value(hook, "type");
    Str name = type && type->kind == DG_V_STR ? type->as.s : (Str){0};
    for (const HookKind *k = dg_hook_kinds; k->type; k++)
        if (str_eq(name, str_from(k->type)) && (k->merging || !merging)) {
            *out = k;
            return DG_OK;
        }
    if (!name.len)
        dg_fail(err, DG_CONFIG, "a hook has no `type`");
    else
        dg_fail(err, DG_CONFIG, "hooks of type `%.*s` are not supported%s", (int)(name.len > 60 ? 60 : name.len), name.ptr,
                merging ? " inside the load's transaction" : "");
    dg_hint(err, merging ? "pre_merge and post_merge take check, group, log, query, store" : "types are check, command, copy, delete, group, http, log, query, store, write");
    return DG_CONFIG;
}

static DgStatus check_keys(DgValue hook, const HookKind *k, DgError *err)
{
    const DgValueDict *d = hook.as.dict;
    for (size_t i = 0; i < d->count; i++) {
        Str key = d->keys[i].kind == DG_V_STR ? d->keys[i].as.s : S("?");
        if (listed(k->keys, key) || listed(" type id if on_failure ", key))
            continue;
        dg_fail(err, DG_CONFIG, "a hook of type `%s` has no `%.*s`", k->type, (int)(key.len > 60 ? 60 : key.len), key.ptr);
        dg_hint(err, "it takes type, id, if, on_failure and:%s", k->keys);
        return DG_CONFIG;
    }
    for (Str rest = str_trim(str_from(k->needs)), word; rest.len;) {
        Str after = {0};
        str_cut(rest, ' ', &word, &after);
        char name[40] = {0};
        memcpy(name, word.ptr, (size_t)word.len);
        const DgValue *v = hook_value(hook, name);
        if (!v || (v->kind == DG_V_STR && !v->as.s.len))
            return dg_fail(err, DG_CONFIG, "a hook of type `%s` needs `%s`", k->type, name);
        rest = after;
    }
    return DG_OK;
}

static DgStatus check_expression(Arena *a, DgValue hook, const char *key, DgError *err)
{
    Expr *e;
    const DgValue *v = hook_value(hook, key);
    return v ? expr_compile(a, expr_text(a, *v), &e, err) : DG_OK;
}

static DgStatus check_on_failure(DgValue hook, DgError *err)
{
    static const char *const ways[] = {"abort", "error", "warn", "skip", "quiet"};
    const DgValue *v = hook_value(hook, "on_failure");
    for (size_t i = 0; v && i < 5; i++)
        if (v->kind == DG_V_STR && str_eq(v->as.s, str_from(ways[i])))
            return DG_OK;
    if (!v)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "`on_failure` of a hook cannot be `%.*s`", FMT(v->kind == DG_V_STR ? v->as.s : S("that")));
    dg_hint(err, "write abort, error, warn, skip or quiet");
    return DG_CONFIG;
}

DgStatus hook_check(Arena *a, DgValue hook, bool merging, int depth, DgError *err)
{
    const HookKind *k = NULL;
    const DgValue *steps = hook_value(hook, "steps"), *into = hook_value(hook, "into");
    if (hook.kind != DG_V_DICT)
        return dg_fail(err, DG_CONFIG, "a hook is a mapping with `type`");
    DG_TRY(check_type(hook, merging, &k, err));
    DG_TRY(check_keys(hook, k, err));
    DG_TRY(check_on_failure(hook, err));
    DG_TRY(check_expression(a, hook, "if", err));
    if (into && into->kind != DG_V_STR)
        return dg_fail(err, DG_CONFIG, "`into` of a hook is no name");
    if (str_eq(str_from(k->type), S("check")))
        return check_expression(a, hook, "check", err);
    if (!str_eq(str_from(k->type), S("group")))
        return DG_OK;
    if (steps->kind != DG_V_LIST || steps->as.list->count > HOOKS_MAX)
        return dg_fail(err, DG_CONFIG, "`steps` of a group is a list of at most %d hooks", HOOKS_MAX);
    if (depth >= HOOK_DEPTH_MAX)
        return dg_fail(err, DG_CONFIG, "groups of hooks are more than %d deep", HOOK_DEPTH_MAX);
    for (size_t i = 0; i < steps->as.list->count; i++)
        DG_TRY(hook_check(a, steps->as.list->items[i], merging, depth + 1, err));
    return DG_OK;
}
