/* uv_run.c - dagster.UvRunComponent: a Python script with its own dependencies, run by uv. */
#include "stdlib-components/script/specs.h"

static void uv_plan(DgPlanner *p, const void *config)
{
    static const char *const program[] = {"uv", "run", NULL};
    dg_script_plan(p, config, program);
}

static const char *const aliases[] = {
    "dagster.components.UvRunComponent",
    "dagster.components.lib.executable_component.uv_run_component.UvRunComponent",
    NULL,
};
static const DgStepOps *const steps[] = {&dg_script_ops, NULL};

const DgComponent dg_component_uv_run = {
    .name = "dagster.UvRunComponent",
    .aliases = aliases,
    .summary = "Assets and checks made by one Python script that `uv run` gives its dependencies.",
    .doc = "As dagster.PythonScriptComponent, with `uv run SCRIPT ARGS...`: dependencies stand in "
           "the script itself (PEP 723).",
    .example = "type: dagster.UvRunComponent\n"
               "attributes:\n"
               "  execution:\n"
               "    path: orders.py\n"
               "  assets:\n"
               "    - key: raw/orders\n",
    .fields = dg_script_config_fields,
    .config_size = sizeof(ScriptConfig),
    .plan = uv_plan,
    .steps = steps,
};
