/* mlflow_model.c - dgc.MlflowModel: a version of a registered model, and which version is the one in use. */
#include "stdlib-components/mlflow/mlflow_parts.h"

typedef struct Promote {
    DgStr alias, asset, check, when;
} Promote;

typedef struct Config {
    DgStr asset, name, run, artifact, source;
    DgList aliases, version_tags;
    int64_t wait;
    Promote promote;
    MlflowPlace place;
    AboutAsset about;
} Config;

static const DgField promote_fields[] = {
    DG_FIELD_STRING(Promote, alias, .flags = DG_REQUIRED, .doc = "The alias that moves to the new version.", .example = "champion"),
    DG_FIELD_STRING(Promote, check, .flags = DG_BUILD, .doc = "Name of the check that must pass."),
    DG_FIELD_ASSET_KEY(Promote, asset, .flags = DG_BUILD, .doc = "The asset that this check judges."),
    DG_FIELD_SQL(Promote, when, .doc = "A query whose first value must be true: `SELECT auc > 0.8 FROM {{ ref('ml/evaluation') }}`."),
    {0},
};

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .doc = "Key of the model as an asset.", .example = "mlflow/churn_model"),
    DG_FIELD_STRING(Config, name, .flags = DG_REQUIRED, .doc = "The registered model; it is made when it is not there.", .example = "churn"),
    DG_FIELD_ASSET_KEY(Config, run, .flags = DG_BUILD | DG_SUGGESTED, .example = "mlflow/churn",
                       .doc = "The `dgc.MlflowRun` that has the model; or any asset that reports its run as metadata `mlflow/run_id`."),
    DG_FIELD_STRING(Config, artifact, .flags = DG_BUILD, .fallback = "model", .doc = "What of the run is the model: a folder of its artifacts, or the name of a logged model."),
    DG_FIELD_STRING(Config, source, .doc = "Or where the model is: `models:/m-...`, `s3://...`."),
    DG_FIELD_STRINGS(Config, aliases, .flags = DG_ONE_OR_MANY | DG_BUILD, .doc = "Aliases that the new version gets in any case.", .example = "[candidate]"),
    DG_FIELD_STRING_MAP(Config, version_tags, .doc = "Tags of the version."),
    DG_FIELD_STRUCT(Config, promote, Promote, promote_fields, .doc = "An alias that moves to the new version only when a check passes, or a query says so."),
    DG_FIELD_DURATION(Config, wait, .fallback = "5m", .min = 1, .max = 3600, .doc = "How long MLflow has to make the version READY."),
    MLFLOW_PLACE_FIELDS(offsetof(Config, place)),
    ABOUT_ASSET_FIELDS(offsetof(Config, about), "model"),
    {0},
};

static void check_source(DgPlanner *p, const Config *c)
{
    bool run = p->api->is_set(p, &c->run), source = p->api->is_set(p, &c->source);
    if (run && source)
        p->api->report(p, "E0110", &c->source, "keep one of them", "`run` and `source` are two places for one model");
    else if (!run && !source)
        p->api->report(p, "E0106", &c->name, "write `run: mlflow/churn`, the key of a `dgc.MlflowRun`, or `source: models:/m-...`", "it is not said where the model is");
    if (source && p->api->is_set(p, &c->artifact))
        p->api->report(p, "E0110", &c->artifact, "make it a part of `source`", "`artifact` belongs to `run`");
    if (source && p->api->is_known(p, &c->source) && str_starts(c->source, S("runs:/")))
        p->api->report(p, "E0110", &c->source, "name the asset that tells its run: `run: KEY`, and `artifact`", "a run's id is another one each time");
}

static void check_promote(DgPlanner *p, const Promote *x)
{
    bool check = p->api->is_set(p, &x->check), asset = p->api->is_set(p, &x->asset), when = p->api->is_set(p, &x->when);
    if (!p->api->is_set(p, x))
        return;
    if (!check && !when)
        p->api->report(p, "E0106", &x->alias, "add `check` and `asset`, or `when`; an alias without a condition stands under `aliases`", "`promote` has no condition");
    else if (check != asset)
        p->api->report(p, "E0106", check ? &x->check : &x->asset, check ? "add `asset: KEY`, which the check judges" : "add `check: NAME`",
                       "`check` and `asset` belong together");
}

static void check_aliases(DgPlanner *p, const Config *c)
{
    for (size_t i = 0; i <= c->aliases.count; i++) {
        const DgStr *alias = i < c->aliases.count ? &DG_ITEMS(DgStr, c->aliases)[i] : &c->promote.alias;
        if (!p->api->is_known(p, alias) || !alias->len)
            continue;
        bool version = alias->len > 1 && (alias->ptr[0] == 'v' || alias->ptr[0] == 'V');
        for (ptrdiff_t k = 1; k < alias->len && version; k++)
            version = alias->ptr[k] >= '0' && alias->ptr[k] <= '9';
        if (version || str_eq_nocase(*alias, S("latest")))
            p->api->report(p, "E0110", alias, "choose another name, such as `champion`", "MLflow takes no alias `%.*s`: it would look like a version", FMT(*alias));
        if (i < c->aliases.count && str_eq(*alias, c->promote.alias))
            p->api->report(p, "E0110", alias, "take it away here", "`%.*s` moves under a condition, and in any case", FMT(*alias));
    }
}

static void model_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    ModelStep *s = p->api->alloc(p, sizeof *s);
    DgStr *made = p->api->alloc(p, sizeof *made), *run = p->api->alloc(p, sizeof *run);
    DgPair *verdict = p->api->alloc(p, sizeof *verdict);
    check_source(p, c);
    check_promote(p, &c->promote);
    check_aliases(p, c);
    dg_mlflow_check_place(p, &c->place);
    dg_mlflow_copy_place(p, &c->place, &s->place);
    *made = s->asset = c->asset;
    *run = s->run = c->run;
    s->artifact = c->artifact;
    s->aliases = c->aliases;
    s->judged = c->promote.asset;
    s->check = c->promote.check;
    *verdict = (DgPair){c->promote.asset, c->promote.check};
    p->api->copy(p, &s->name, &c->name, sizeof(DgStr));
    p->api->copy(p, &s->source, &c->source, sizeof(DgStr));
    p->api->copy(p, &s->tags, &c->version_tags, sizeof(DgList));
    p->api->copy(p, &s->wait, &c->wait, sizeof c->wait);
    p->api->copy(p, &s->promote, &c->promote.alias, sizeof(DgStr));
    dg_mlflow_asset(p, &c->about, &c->asset, (DgList){run, c->run.len != 0});
    bool when = p->api->is_set(p, &c->promote.when);
    if (when)
        p->api->sql(p, &s->when, &(DgSqlDecl){.asset = c->asset, .field = &c->promote.when, .is_check = true});
    p->api->step(p, &(DgStepDecl){.ops = when ? &dg_mlflow_model_ops : &dg_mlflow_model_plain_ops, .config = s, .assets = {made, 1},
                                  .awaits = {verdict, s->check.len && s->judged.len}, .awaits_at = &c->promote.check, .at = &c->asset});
}

static const DgStepOps *const steps[] = {&dg_mlflow_model_ops, &dg_mlflow_model_plain_ops, NULL};

const DgComponent dg_component_mlflow_model = {
    .name = "dgc.MlflowModel",
    .summary = "Registers a version of a model in MLflow, waits for it, gives it aliases, promotes it when a check passes.",
    .doc = "A run of the pipeline makes one version at most: one that is there already, of the same run in MLflow, is taken. "
           "[MLflow](../../how-to/mlflow.md) tells more.",
    .example = "type: dgc.MlflowModel\nattributes:\n  asset: mlflow/churn_model\n  name: churn\n  source: s3://models/churn\n  url: http://localhost:5000\n"
               "  aliases: [candidate]\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = model_plan,
    .steps = steps,
};
