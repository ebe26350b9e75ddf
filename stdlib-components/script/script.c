/* script.c - dgc.Script: a program of any language makes assets. */
#include "stdlib-components/script/specs.h"

typedef struct Config {
    DgList command;      /* of DgStr; or one text, split at blanks */
    DgAssetSpec asset;
    DgList assets, checks;
    DgList deps;
    DgList env;
    DgStr folder, name;
    int64_t timeout;
    bool pipes;
    DgList extras;
} Config;

static const DgField fields[] = {
    DG_FIELD_STRINGS(Config, command, .flags = DG_REQUIRED | DG_ONE_OR_MANY,
                     .doc = "Program and arguments: a list, or text split at blanks. Never a shell.",
                     .example = "[python3, load.py]"),
    DG_FIELD_STRUCT(Config, asset, DgAssetSpec, dg_asset_spec_fields, .flags = DG_BUILD,
                    .doc = "The one asset it makes; or `assets`.", .example = "{key: raw/orders}"),
    DG_FIELD_STRUCTS(Config, assets, DgAssetSpec, dg_asset_spec_fields,
                     .doc = "The assets it makes, all of them in one run."),
    DG_FIELD_STRUCTS(Config, checks, DgCheckSpec, dg_check_spec_fields,
                     .doc = "The checks whose results it reports through Pipes."),
    DG_FIELD_(Config, deps, DG_F_LIST, DgList, .of_kind = DG_F_ASSET_KEY, .of_size = sizeof(DgStr),
              .flags = DG_BUILD, .doc = "Assets it reads, beyond those of its assets' `deps`."),
    DG_FIELD_STRING_MAP(Config, env, .doc = "Environment variables, added to dgc's own."),
    DG_FIELD_PATH(Config, folder, .flags = DG_BUILD,
                  .doc = "Working directory; the component's folder when not given."),
    DG_FIELD_STRING(Config, name, .flags = DG_BUILD | DG_ADVANCED, .doc = "Name of the step."),
    DG_FIELD_DURATION(Config, timeout, .flags = DG_BUILD, .doc = "The program is stopped after."),
    DG_FIELD_BOOL(Config, pipes, .flags = DG_BUILD, .fallback = "true",
                  .doc = "Speak Dagster Pipes; false: the exit code alone decides."),
    DG_FIELD_STRING_MAP(Config, extras, .flags = DG_ADVANCED,
                        .doc = "`PipesContext.extras` that the program sees."),
    {0},
};

/* `asset: {...}` is a list of one. */
static DgList all_assets(DgPlanner *p, const Config *config)
{
    if (!config->asset.key.len)
        return config->assets;
    if (config->assets.count)
        p->api->report(p, "E0110", &config->assets, "put all of them under `assets`",
                       "`asset` and `assets` are both given");
    return (DgList){(void *)(uintptr_t)&config->asset, 1};
}

static void script_plan(DgPlanner *p, const void *data)
{
    const Config *config = data;
    DgList assets = all_assets(p, config);
    if (!assets.count && !config->checks.count) {
        p->api->report(p, "E0106", &config->command, "add `asset: {key: ...}`",
                       "the program makes no asset and judges none");
        return;
    }
    ScriptStep *step = p->api->alloc(p, sizeof *step);
    step->argv = dg_script_argv(p, &config->command, NULL, 0);
    if (!step->argv.count)
        p->api->report(p, "E0110", &config->command, "for example `[python3, load.py]`",
                       "`command` names no program");
    step->folder = config->folder.len ? p->api->resolve(p, &config->folder, config->folder)
                                      : p->api->folder(p);
    step->pipes = config->pipes;
    step->timeout = config->timeout;
    p->api->copy(p, &step->env, &config->env, sizeof step->env);
    p->api->copy(p, &step->extras, &config->extras, sizeof step->extras);
    DgStepDecl decl = {.name = config->name, .ops = &dg_script_ops, .config = step,
                       .reads = config->deps, .at = &config->command};
    dg_script_outputs(p, &assets, &config->checks, &decl);
    p->api->step(p, &decl);
}

static const DgStepOps *const steps[] = {&dg_script_ops, NULL};

const DgComponent dg_component_script = {
    .name = "dgc.Script",
    .summary = "Assets made by a program of any language.",
    .doc = "Runs the program by its argument list, never through a shell, in a process group of its "
           "own. With `pipes` it may report materializations, checks, metadata and logs through "
           "Dagster Pipes; the exit code decides whether it succeeded.",
    .example = "type: dgc.Script\n"
               "attributes:\n"
               "  command: [python3, load.py, --full]\n"
               "  asset: {key: raw/orders, kinds: [python]}\n"
               "  timeout: 10m\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = script_plan,
    .steps = steps,
};
