/* ops.c - the steps of a replication: one for each stream, and one for each end with hooks. */
#include "stdlib-components/sling/replication.h"

static DgStatus stream_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    (void)state;
    return copy_stream(run, config, err);
}

static DgStatus stream_cursor(DgStepRun *run, const void *config, const DgStr *value, DgList *cursors, DgError *err)
{
    return copy_stream_cursor(run, config, value, cursors, err);
}

static DgStatus stream_packages(DgStepRun *run, const void *config, const DgStr *abort, DgList *packages, DgError *err)
{
    return copy_stream_packages(run, config, abort, packages, err);
}

static DgStatus stream_explain(DgStepRun *run, const void *config, DgStr *text, DgError *err)
{
    return copy_stream_explain(run, config, text, err);
}

const DgStepOps dg_stream_ops = {
    .name = "dgc.Replication",
    .symbol = "dg_stream_ops",
    .role = DG_ACTION,
    .fields = dg_stream_step_fields,
    .config_size = sizeof(DgStreamStep),
    .execute = stream_execute,
    .cursor = stream_cursor,
    .packages = stream_packages,
    .explain = stream_explain,
};

const DgStepOps dg_stream_database_ops = {
    .name = "dgc.Replication",
    .symbol = "dg_stream_database_ops",
    .role = DG_ACTION,
    .fields = dg_stream_step_fields,
    .config_size = sizeof(DgStreamStep),
    .execute = stream_execute,
    .cursor = stream_cursor,
    .packages = stream_packages,
    .explain = stream_explain,
    .no_warehouse = true,
};

/* A step has the hooks of one end only; the other list is empty. */
static DgStatus hooks_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const DgStreamStep *step = config;
    const DgHooks *hooks = &step->settings.hooks;
    (void)state;
    return copy_hooks(run, step, hooks->start.count ? &hooks->start : &hooks->end, err);
}

const DgStepOps dg_hooks_ops = {
    .name = "dgc.Replication",
    .symbol = "dg_hooks_ops",
    .role = DG_ACTION,
    .fields = dg_stream_step_fields,
    .config_size = sizeof(DgStreamStep),
    .execute = hooks_execute,
};

const DgStepOps dg_hooks_database_ops = {
    .name = "dgc.Replication",
    .symbol = "dg_hooks_database_ops",
    .role = DG_ACTION,
    .fields = dg_stream_step_fields,
    .config_size = sizeof(DgStreamStep),
    .execute = hooks_execute,
    .no_warehouse = true,
};

const DgStepOps *const dg_replication_steps[] = {&dg_stream_ops, &dg_stream_database_ops, &dg_hooks_ops, &dg_hooks_database_ops, NULL};
