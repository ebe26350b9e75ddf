/* script_collection.c - PipesSubprocessScriptCollectionComponent of older projects. */
#include "stdlib-components/script/specs.h"

typedef struct Entry {
    DgStr path;
    DgList assets;
} Entry;
static const DgField entry_fields[] = {
    DG_FIELD_PATH(Entry, path, .flags = DG_REQUIRED | DG_BUILD,
                  .doc = "The script, from the component's folder.", .example = "script.py"),
    DG_FIELD_STRUCTS(Entry, assets, DgAssetSpec, dg_asset_spec_fields,
                     .doc = "The assets that it makes.", .example = "[{key: my_asset}]"),
    {0},
};
typedef struct Config {
    DgList scripts;
} Config;
static const DgField fields[] = {
    DG_FIELD_STRUCTS(Config, scripts, Entry, entry_fields, .flags = DG_REQUIRED,
                     .doc = "Python scripts, each a step.",
                     .example = "[{path: script.py, assets: [{key: my_asset}]}]"),
    {0},
};

static void collection_plan(DgPlanner *p, const void *data)
{
    static const char *const program[] = {"python", NULL};
    const Config *config = data;
    for (size_t i = 0; i < config->scripts.count; i++) {
        const Entry *entry = &DG_ITEMS(Entry, config->scripts)[i];
        ScriptConfig *one = p->api->alloc(p, sizeof *one);
        p->api->copy(p, &one->execution.path, &entry->path, sizeof entry->path);
        one->assets = entry->assets;
        dg_script_plan(p, one, program);
    }
}

static const char *const aliases[] = {
    "dagster_components.dagster.PipesSubprocessScriptCollectionComponent",
    "dagster_components.PipesSubprocessScriptCollectionComponent",
    "dagster_components.lib.PipesSubprocessScriptCollectionComponent",
    "dagster.components.PipesSubprocessScriptCollectionComponent",
    NULL,
};
static const DgStepOps *const steps[] = {&dg_script_ops, NULL};

const DgComponent dg_component_script_collection = {
    .name = "dagster.PipesSubprocessScriptCollectionComponent",
    .aliases = aliases,
    .summary = "Python scripts, each with its assets; older than dagster.PythonScriptComponent.",
    .example = "type: dagster.PipesSubprocessScriptCollectionComponent\n"
               "attributes:\n"
               "  scripts:\n"
               "    - path: orders.py\n"
               "      assets:\n"
               "        - key: raw/orders\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = collection_plan,
    .steps = steps,
};
