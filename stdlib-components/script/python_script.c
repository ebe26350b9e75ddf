/* python_script.c - dagster.PythonScriptComponent: assets made by one Python script. */
#include "stdlib-components/script/specs.h"

static void python_plan(DgPlanner *p, const void *config)
{
    static const char *const program[] = {"python", NULL};
    dg_script_plan(p, config, program);
}

static const char *const aliases[] = {
    "dagster.components.PythonScriptComponent",
    "dagster.components.lib.executable_component.python_script_component.PythonScriptComponent",
    NULL,
};
static const DgStepOps *const steps[] = {&dg_script_ops, NULL};

const DgComponent dg_component_python_script = {
    .name = "dagster.PythonScriptComponent",
    .aliases = aliases,
    .summary = "Assets and checks made by one Python script, run as a subprocess.",
    .doc = "Runs `python SCRIPT ARGS...` and reads what it reports through Dagster Pipes "
           "(`dagster_pipes`); a script that reports nothing succeeds by its exit code. `python` is "
           "looked up in `PATH` when the pipeline runs.",
    .example = "type: dagster.PythonScriptComponent\n"
               "attributes:\n"
               "  execution:\n"
               "    path: orders.py\n"
               "    args: [--full]\n"
               "  assets:\n"
               "    - key: raw/orders\n"
               "      kinds: [python]\n",
    .fields = dg_script_config_fields,
    .config_size = sizeof(ScriptConfig),
    .plan = python_plan,
    .steps = steps,
};
