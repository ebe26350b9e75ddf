/* setting.c - Sling's settings: variables of the replication's `env`, else of the environment. */
#include "runtime/copy/copy.h"

/* A value of `env`, as text. */
Str copy_env_text(Copy *c, const DgValue *v)
{
    return v->kind == DG_V_STR    ? v->as.s
           : v->kind == DG_V_BOOL ? (v->as.b ? S("true") : S("false"))
           : v->kind == DG_V_INT  ? str_format(&c->arena, "%lld", (long long)v->as.i)
                                  : (Str){0};
}

Str copy_setting(Copy *c, const char *name)
{
    Str value = {0};
    bool secret;
    DgError ignored = {0};
    for (size_t i = 0; i < c->step->env.count; i++) {
        const DgValuePair *pair = &DG_ITEMS(DgValuePair, c->step->env)[i];
        if (str_eq(pair->key, str_from(name)))
            return copy_env_text(c, &pair->value);
    }
    if (secrets_get(c->run->run->secrets, str_from(name), &value, &secret, &ignored) != DG_OK)
        return (Str){0};
    return value;
}

bool copy_setting_true(Copy *c, const char *name)
{
    Str s = copy_setting(c, name);
    return str_eq_nocase(s, S("true")) || str_eq(s, S("1")) || str_eq_nocase(s, S("timestamp")) || str_eq_nocase(s, S("unix"));
}
