/* build_env.c - `build_env` of dgc.yaml: environment variables that are read with the project.
 *
 * Definitions are fixed when an executable is built, so what decides them cannot wait for the
 * machine that it runs on. The names listed there are read by dgc itself, from its environment, else
 * from .env, and are constants ever after: the plan prints them, the SBOM names them, the
 * fingerprint covers them. Whatever is listed ends up in the executable: secrets are refused. */
#include <stdlib.h>

#include "compiler/config.h"
#include "compiler/pass.h"
#include "compiler/project.h"

enum { BUILD_ENV_MAX = 256 };

static const BuildEnv *find(const Plan *plan, Str name)
{
    for (size_t i = 0; i < plan->build_env.count; i++)
        if (str_eq(plan->build_env.items[i].name, name))
            return &plan->build_env.items[i];
    return NULL;
}

DgStatus build_env_get(void *ctx, Str name, Str *out, bool *secret, DgError *err)
{
    const Plan *plan = ctx;
    const BuildEnv *var = find(plan, name);
    if (!var)
        return DG_TEMPFAIL; /* known when the executable starts */
    *out = var->value;
    *secret = false;
    return DG_OK;
}

void build_env_scope(const Plan *plan, Scope *scope)
{
    if (!plan->build_env.count)
        return;
    scope->get_env = build_env_get;
    scope->get_env_ctx = (void *)(uintptr_t)plan;
}

static void refuse_secret(Compile *c, const YamlNode *at, Str name, const char *why)
{
    diag_help(diag_report(&c->diag, E0504, at->at, "`%.*s` cannot be read when building: %s",
                          FMT(name), why),
              "take it out of `build_env`: it is then read when the executable starts");
}

/* A URL with a password in it. */
static bool has_password(Str s)
{
    ptrdiff_t scheme = str_find(s, S("://"));
    if (scheme < 0)
        return false;
    Str rest = str_sub(s, scheme + 3, s.len);
    ptrdiff_t slash = str_find_char(rest, '/');
    Str host = slash >= 0 ? str_sub(rest, 0, slash) : rest;
    ptrdiff_t at = str_find_char(host, '@');
    return at > 0 && str_find_char(str_sub(host, 0, at), ':') >= 0;
}

/* `fallback`: what it is when it is not set; NULL: it must be. */
static void add(Compile *c, const Project *p, const YamlNode *name, const YamlNode *fallback)
{
    Plan *plan = &c->plan;
    size_t errors = c->diag.errors_count;
    BuildEnv var = {.name = name->text, .at = name->at};
    if (name->kind != YAML_STRING || !dotenv_name(name->text)) {
        diag_report(&c->diag, E0102, name->at, "this is not the name of an environment variable");
        return;
    }
    if (find(plan, var.name))
        return;
    const char *set = getenv(str_cstr(plan->arena, var.name));
    const Str *in_file = map_get(&p->dotenv, var.name);
    if (set)
        var.value = str_copy(plan->arena, str_from(set));
    else if (in_file)
        var.value = *in_file;
    else if (fallback && fallback->kind != YAML_NULL)
        var.value = fallback->text;
    else
        diag_help(diag_report(&c->diag, E0501, var.at,
                              "environment variable `%.*s` is not set, and is needed to build",
                              FMT(var.name)),
                  "set it, put it into .env, or give what it is otherwise: `build_env: {%.*s: ...}`",
                  FMT(var.name));
    if (env_name_is_secret(var.name))
        refuse_secret(c, name, var.name, "by its name it is a secret, and would stand in the executable");
    else if (text_looks_secret(var.value) || has_password(var.value))
        refuse_secret(c, name, var.name, "its value looks like a secret, and would stand in the executable");
    if (c->diag.errors_count > errors)
        var.value = (Str){0}; /* not to be shown anywhere */
    array_add(plan->arena, &plan->build_env, var); /* in any case: one message is enough */
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const BuildEnv *)a)->name, ((const BuildEnv *)b)->name);
}

bool build_env_read(Compile *c)
{
    const Project *p = c->project;
    const YamlNode *node = yaml_get(p->settings, S("build_env"));
    if (!node || node->kind == YAML_NULL || node->kind == YAML_ERROR)
        return true;
    size_t count = node->kind == YAML_LIST ? node->as.list.count
                   : node->kind == YAML_MAP ? node->as.map.count : 0;
    if (node->kind != YAML_LIST && node->kind != YAML_MAP) {
        diag_help(diag_report(&c->diag, E0102, node->at, "`build_env` must be a list, found %s",
                              yaml_kind_name(node->kind)),
                  "name the environment variables: `build_env: [REGION]`, or `{REGION: eu}` with "
                  "what it is when it is not set");
        return false;
    }
    if (count > BUILD_ENV_MAX) {
        diag_report(&c->diag, E0102, node->at, "`build_env` names more than %d variables",
                    BUILD_ENV_MAX);
        return false;
    }
    size_t errors = c->diag.errors_count;
    for (size_t i = 0; i < count; i++) {
        if (node->kind == YAML_LIST)
            add(c, p, node->as.list.items[i], NULL);
        else
            add(c, p, node->as.map.entries[i].key, node->as.map.entries[i].value);
    }
    if (c->plan.build_env.count)
        qsort(c->plan.build_env.items, c->plan.build_env.count, sizeof(BuildEnv), by_name);
    return c->diag.errors_count == errors;
}

