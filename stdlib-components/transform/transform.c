/* transform.c - dgc.Transform: row expressions over a table, compiled to C. */
#include "runtime/base/base.h"
#include "runtime/component.h"
#include "runtime/data/rows_api.h"

/* ---- The step ---- */

typedef struct TransformStep {
    DgStr from, asset;
    DgCode rows; /* a DgRowPlanFn */
} TransformStep;

static const DgField step_fields[] = {
    DG_FIELD_ASSET_KEY(TransformStep, from, .doc = "The asset it reads."),
    DG_FIELD_ASSET_KEY(TransformStep, asset, .doc = "The asset it makes."),
    DG_FIELD_CODE(TransformStep, rows, .doc = "The compiled row program."),
    {0},
};

static const DgRowPlan *plan_of(const void *config)
{
    const TransformStep *t = config;
    return ((DgRowPlanFn)t->rows.call)();
}

static DgStatus transform_open(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const DgRowPlan *plan = plan_of(config);
    (void)state;
    return dg_load(run, &(DgLoad){.mode = DG_REPLACE, .columns = plan->out, .columns_count = plan->out_count}, err);
}

/* The table may have been made by another version of the pipeline. */
static DgStatus check_input(const DgRowPlan *plan, const DgBatch *in, DgError *err)
{
    bool same = in->columns_count == plan->in_count;
    for (int32_t i = 0; same && i < plan->in_count; i++)
        same = str_eq(in->columns[i].name, plan->in[i].name) && in->columns[i].type.kind == plan->in[i].type.kind;
    if (same)
        return DG_OK;
    dg_fail(err, DG_DATA, "the input table does not have the columns that this pipeline was built for");
    dg_hint(err, "make the input asset again, or build the pipeline again");
    return DG_DATA;
}

static DgStatus transform_map(DgStepRun *run, const void *config, void *state, void *lane,
                              const DgBatch *in, DgBatch *out, DgError *err)
{
    const DgRowPlan *plan = plan_of(config);
    bool *checked = lane;
    (void)run, (void)state;
    if (!*checked)
        DG_TRY(check_input(plan, in, err));
    *checked = true;
    return plan->run(in, out, err);
}

const DgStepOps dg_transform_ops = {
    .name = "dgc.Transform",
    .symbol = "dg_transform_ops",
    .role = DG_MAP,
    .fields = step_fields,
    .config_size = sizeof(TransformStep),
    .lane_size = sizeof(bool),
    .open = transform_open,
    .map = transform_map,
};

/* ---- The component ---- */

typedef struct Derived { /* element of a map of expressions */
    DgStr key, expression;
} Derived;
typedef struct Config {
    DgStr from, asset, filter, description, group;
    DgList derive, rename, drop, tags, kinds, owners, metadata;
} Config;

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, from, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset whose table is read.", .example = "raw/orders"),
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset it makes.", .example = "clean/orders"),
    DG_FIELD_EXPRESSION(Config, filter, .doc = "Only rows for which this is true are kept."),
    DG_FIELD_(Config, derive, DG_F_MAP, DgList, .of_kind = DG_F_EXPRESSION, .of_size = sizeof(Derived),
              .doc = "New columns, or new values of old ones: name and expression."),
    DG_FIELD_STRING_MAP(Config, rename, .flags = DG_BUILD, .doc = "Old and new names of columns."),
    DG_FIELD_STRINGS(Config, drop, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "Columns that are left out."),
    DG_FIELD_STRING(Config, description, .flags = DG_BUILD, .doc = "What the asset is."),
    DG_FIELD_STRING(Config, group, .flags = DG_BUILD, .doc = "Its group."),
    DG_FIELD_STRING_MAP(Config, tags, .flags = DG_BUILD, .doc = "Its tags."),
    DG_FIELD_STRINGS(Config, kinds, .flags = DG_BUILD, .doc = "Its kinds."),
    DG_FIELD_STRINGS(Config, owners, .flags = DG_BUILD, .doc = "Its owners."),
    DG_FIELD_ANY_MAP(Config, metadata, .flags = DG_BUILD, .doc = "Its metadata."),
    {0},
};

static void transform_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    TransformStep *step = p->api->alloc(p, sizeof *step);
    DgStr *from = p->api->alloc(p, sizeof *from), *made = p->api->alloc(p, sizeof *made);
    *from = c->from;
    *made = c->asset;
    step->from = c->from;
    step->asset = c->asset;
    p->api->asset(p, &(DgAssetDecl){.key = c->asset, .description = c->description, .group = c->group,
                                    .deps = {from, 1}, .kinds = c->kinds, .owners = c->owners, .tags = c->tags,
                                    .metadata = c->metadata, .at = &c->asset});
    DgRowColumn *columns = p->api->alloc(p, sizeof *columns * (c->derive.count + 1));
    for (size_t i = 0; i < c->derive.count; i++) {
        const Derived *d = &DG_ITEMS(Derived, c->derive)[i];
        columns[i] = (DgRowColumn){.name = d->key, .field = &d->expression};
    }
    p->api->row_program(p, &step->rows, &(DgRowProgramDecl){
        .from = c->from, .asset = c->asset, .columns = columns, .columns_count = (int32_t)c->derive.count,
        .keep_others = true, .drop = c->drop, .rename = c->rename, .filter = c->filter.len ? &c->filter : NULL});
    p->api->step(p, &(DgStepDecl){.ops = &dg_transform_ops, .config = step, .assets = {made, 1}, .reads = {from, 1},
                                  .at = &c->from});
}

static const DgStepOps *const steps[] = {&dg_transform_ops, NULL};

const DgComponent dg_component_transform = {
    .name = "dgc.Transform",
    .summary = "Row expressions over a table, compiled to C loops on batches.",
    .doc = "Expressions use the columns of `from`: arithmetic, comparisons, `and`, `or`, `not`, `in`, `a if c else b`, "
           "`~` joins texts. Functions: upper lower trim length substr replace concat starts_with ends_with contains "
           "hash round floor ceil abs year month day hour minute second weekday epoch date_trunc regex_match "
           "regex_extract regex_replace json_get cast coalesce nullif least greatest is_null. Nulls go through as in SQL.",
    .example = "type: dgc.Transform\nattributes:\n  from: raw/orders\n  asset: clean/orders\n"
               "  filter: \"amount > 0\"\n  derive: {cents: \"cast(amount * 100, 'bigint')\"}\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = transform_plan,
    .steps = steps,
};
