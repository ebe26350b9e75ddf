/* pass_env.c - environment variables that the components use: declared, or at least set?
 *
 * In Dagster's layout `requirements: {env: [...]}` must name each (E0503), as `dg check yaml` has
 * it. Elsewhere a name that is needed must be declared, set or in .env (E0501). */
#include <stdlib.h>

#include "compiler/pass.h"
#include "compiler/project.h"

static bool declared(const YamlNode *list, Str name)
{
    for (size_t i = 0; list && list->kind == YAML_LIST && i < list->as.list.count; i++)
        if (str_eq(list->as.list.items[i]->text, name))
            return true;
    return false;
}

static bool is_set(Plan *plan, const struct Project *project, Str name)
{
    return map_has(&project->dotenv, name) || getenv(str_cstr(plan->arena, name)) ||
           getenv(str_cstr(plan->arena, str_format(plan->arena, "%.*s_FILE", FMT(name))));
}

static void check_instance(Plan *plan, const struct Project *project, const Instance *in)
{
    const YamlNode *list = yaml_get(yaml_get(in->document, S("requirements")), S("env"));
    Plan uses = {.arena = plan->arena};
    for (size_t i = 0; i < in->filled->places.count; i++) {
        const ConfigPlace *place = &in->filled->places.items[i];
        if (place->pending)
            env_gather(&uses, place->pending, place->kind == DG_F_SECRET);
    }
    for (size_t i = 0; i < uses.env_by_name.entries.count; i++) {
        const EnvVar *var = uses.env_by_name.entries.items[i].value;
        if (declared(list, var->name))
            continue;
        if (project->is_dg || list) {
            diag_help(diag_report(plan->diag, E0503, var->at,
                                  "environment variable `%.*s` is used but not declared",
                                  FMT(var->name)),
                      "add it to this component: `requirements: {env: [%.*s]}`", FMT(var->name));
        } else if (var->required && !is_set(plan, project, var->name)) {
            diag_help(diag_report(plan->diag, E0501, var->at,
                                  "environment variable `%.*s` is not set", FMT(var->name)),
                      "set it, put it into .env, or declare it: `requirements: {env: [%.*s]}`",
                      FMT(var->name));
        }
    }
}

void pass_env(Plan *plan, const struct Project *project)
{
    for (size_t i = 0; i < project->instances.count; i++)
        if (project->instances.items[i]->filled)
            check_instance(plan, project, project->instances.items[i]);
}
