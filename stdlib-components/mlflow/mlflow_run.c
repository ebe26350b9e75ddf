/* mlflow_run.c - dgc.MlflowRun: one run in MLflow for each run of the pipeline. */
#include "stdlib-components/mlflow/mlflow_parts.h"

typedef struct Config {
    DgStr asset, experiment, run_name;
    DgList deps, params, metrics, run_tags, metrics_from, datasets, artifacts;
    MlflowPlace place;
    AboutAsset about;
} Config;

static const DgField metrics_fields[] = {
    DG_FIELD_ASSET_KEY(RunMetrics, asset, .flags = DG_BUILD | DG_SHORTHAND, .doc = "The asset whose table has them."),
    DG_FIELD_SQL(RunMetrics, sql, .doc = "Or a query; `{{ ref('marts/eval') }}` is a table."),
    DG_FIELD_STRING(RunMetrics, prefix, .flags = DG_BUILD, .doc = "Put before the columns' names."),
    DG_FIELD_STRING(RunMetrics, step, .flags = DG_BUILD, .doc = "Column with the step (the epoch): then every row counts; else there is one row."),
    {0},
};
static const DgField dataset_fields[] = {
    DG_FIELD_ASSET_KEY(RunDataset, asset, .flags = DG_REQUIRED | DG_BUILD | DG_SHORTHAND, .doc = "The asset."),
    DG_FIELD_STRING(RunDataset, name, .flags = DG_BUILD, .doc = "Its name in MLflow; the key when not given."),
    DG_FIELD_STRING(RunDataset, context, .flags = DG_BUILD, .doc = "What it was for: `training`, `validation`..."),
    {0},
};
static const DgField artifact_fields[] = {
    DG_FIELD_PATH(RunArtifact, path, .flags = DG_REQUIRED | DG_BUILD | DG_SHORTHAND, .doc = "A file or a folder, from the component's folder."),
    DG_FIELD_STRING(RunArtifact, to, .flags = DG_BUILD, .doc = "Folder among the artifacts; of a folder what it is called there. Default: a folder's own name."),
    {0},
};

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .doc = "Key of the run as an asset.", .example = "mlflow/churn"),
    DG_FIELD_STRING(Config, experiment, .flags = DG_REQUIRED, .doc = "The experiment; it is made when it is not there.", .example = "churn"),
    DG_FIELD_(Config, deps, DG_F_LIST, DgList, .of_kind = DG_F_ASSET_KEY, .of_size = sizeof(DgStr), .flags = DG_BUILD | DG_SUGGESTED,
              .doc = "The assets that it is about: it waits for them; when one of them fails, it is FAILED.", .example = "[ml/model]"),
    DG_FIELD_STRING(Config, run_name, .doc = "Name of the run; the pipeline's when not given."),
    DG_FIELD_ANY_MAP(Config, params, .doc = "Parameters.", .example = "{learning_rate: 0.1}"),
    DG_FIELD_ANY_MAP(Config, metrics, .doc = "Metrics that are known: numbers."),
    DG_FIELD_STRUCTS(Config, metrics_from, RunMetrics, metrics_fields, .flags = DG_ONE_OR_MANY, .doc = "Tables and queries whose columns of numbers become metrics.",
                     .example = "[ml/evaluation]"),
    DG_FIELD_STRUCTS(Config, datasets, RunDataset, dataset_fields, .flags = DG_ONE_OR_MANY | DG_BUILD, .doc = "Assets that the run used: name, columns, rows and a digest are logged."),
    DG_FIELD_STRUCTS(Config, artifacts, RunArtifact, artifact_fields, .flags = DG_ONE_OR_MANY | DG_BUILD, .doc = "Files and folders that go along."),
    DG_FIELD_STRING_MAP(Config, run_tags, .doc = "Tags of the run in MLflow."),
    MLFLOW_PLACE_FIELDS(offsetof(Config, place)),
    ABOUT_ASSET_FIELDS(offsetof(Config, about), "run"),
    {0},
};

static void check_number(DgPlanner *p, const Config *c)
{
    for (size_t i = 0; i < c->metrics.count; i++) {
        const DgValuePair *m = &DG_ITEMS(DgValuePair, c->metrics)[i];
        double ignored;
        bool number = m->value.kind == DG_V_INT || m->value.kind == DG_V_FLOAT || (m->value.kind == DG_V_STR && str_to_double(m->value.as.s, &ignored));
        if (p->api->is_known(p, &m->value) && !number)
            p->api->report(p, "E0110", &m->value, "put it under `params` or `run_tags`", "metric `%.*s` is no number", FMT(m->key));
    }
}

/* Something in it that is in the YAML. */
static const void *written(DgPlanner *p, const Config *c, const RunMetrics *m)
{
    return p->api->is_set(p, &m->prefix) ? (const void *)&m->prefix : p->api->is_set(p, &m->step) ? (const void *)&m->step : (const void *)&c->metrics_from;
}

/* All of a table, for a code slot or only so that dgc sees whether it is there. */
static void plan_table(DgPlanner *p, const Config *c, DgCode *slot, const DgStr *asset)
{
    static const char before[] = "SELECT * FROM {{ ref('";
    DgSqlPlace *place = p->api->alloc(p, sizeof *place);
    *place = (DgSqlPlace){.start = sizeof before - 1, .len = (size_t)asset->len, .field = asset};
    p->api->sql(p, slot, &(DgSqlDecl){.asset = c->asset, .is_check = true, .text = p->api->format(p, "%s%.*s') }}", before, FMT(*asset)), .places = {place, 1}});
}

/* Step configs hold what the query became; the list of the component stays as it is. */
static DgList plan_sources(DgPlanner *p, const Config *c)
{
    RunMetrics *to = p->api->alloc(p, (c->metrics_from.count + 1) * sizeof *to);
    for (size_t i = 0; i < c->metrics_from.count; i++) {
        const RunMetrics *from = &DG_ITEMS(RunMetrics, c->metrics_from)[i];
        bool sql = p->api->is_set(p, &from->sql), asset = p->api->is_set(p, &from->asset);
        to[i] = (RunMetrics){.asset = from->asset, .prefix = from->prefix, .step = from->step};
        if (sql == asset)
            p->api->report(p, sql ? "E0110" : "E0106", sql ? (const void *)&from->sql : written(p, c, from), "write `asset: ml/evaluation` or `sql: SELECT ...`",
                           sql ? "`asset` and `sql` are two places for the same metrics" : "these metrics come from nowhere");
        else if (sql)
            p->api->sql(p, &to[i].code, &(DgSqlDecl){.asset = c->asset, .field = &from->sql, .is_check = true});
        else
            plan_table(p, c, &to[i].code, &from->asset);
    }
    return (DgList){to, c->metrics_from.count};
}

static DgList plan_artifacts(DgPlanner *p, const Config *c)
{
    RunArtifact *to = p->api->alloc(p, (c->artifacts.count + 1) * sizeof *to);
    for (size_t i = 0; i < c->artifacts.count; i++) {
        const RunArtifact *from = &DG_ITEMS(RunArtifact, c->artifacts)[i];
        to[i] = (RunArtifact){.path = p->api->resolve(p, &from->path, from->path), .to = from->to};
        for (ptrdiff_t k = 0; k < from->to.len; k++)
            if (from->to.ptr[k] == '\\' || (from->to.ptr[k] == '.' && (k == 0 || from->to.ptr[k - 1] == '/') && k + 1 < from->to.len && from->to.ptr[k + 1] == '.')) {
                p->api->report(p, "E0110", &from->to, "write a folder such as `reports`", "`%.*s` is no folder among artifacts", FMT(from->to));
                break;
            }
    }
    return (DgList){to, c->artifacts.count};
}

static RunStep *plan_step(DgPlanner *p, const Config *c)
{
    RunStep *s = p->api->alloc(p, sizeof *s);
    s->asset = c->asset;
    s->of = c->deps;
    p->api->copy(p, &s->experiment, &c->experiment, sizeof(DgStr));
    p->api->copy(p, &s->name, &c->run_name, sizeof(DgStr));
    return s;
}

/* a/b: a__b__end */
static DgStr end_name(DgPlanner *p, DgStr key)
{
    StrBuf b = {0};
    for (ptrdiff_t i = 0; i < key.len; i++)
        buf_add(&b, key.ptr[i] == '/' ? S("__") : str_sub(key, i, i + 1));
    DgStr out = p->api->format(p, "%.*s__end", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}

static void mlflow_run_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    RunStep *s = plan_step(p, c), *last = plan_step(p, c);
    size_t count = c->deps.count + c->metrics_from.count + c->datasets.count, n = 0;
    DgStr *deps = p->api->alloc(p, (count + 1) * sizeof *deps), *made = p->api->alloc(p, sizeof *made);
    *made = c->asset;
    check_number(p, c);
    dg_mlflow_check_place(p, &c->place);
    dg_mlflow_copy_place(p, &c->place, &s->place);
    for (size_t i = 0; i < c->deps.count; i++)
        deps[n++] = DG_ITEMS(DgStr, c->deps)[i];
    for (size_t i = 0; i < c->metrics_from.count; i++)
        if (p->api->is_set(p, &DG_ITEMS(RunMetrics, c->metrics_from)[i].asset))
            deps[n++] = DG_ITEMS(RunMetrics, c->metrics_from)[i].asset;
    for (size_t i = 0; i < c->datasets.count; i++) {
        deps[n++] = DG_ITEMS(RunDataset, c->datasets)[i].asset;
        plan_table(p, c, NULL, &DG_ITEMS(RunDataset, c->datasets)[i].asset);
    }
    dg_mlflow_asset(p, &c->about, &c->asset, (DgList){deps, n});
    p->api->copy(p, &s->params, &c->params, sizeof(DgList));
    p->api->copy(p, &s->metrics, &c->metrics, sizeof(DgList));
    p->api->copy(p, &s->tags, &c->run_tags, sizeof(DgList));
    s->sources = plan_sources(p, c);
    s->datasets = c->datasets;
    s->artifacts = plan_artifacts(p, c);
    bool plain = !c->metrics_from.count && !c->datasets.count;
    p->api->step(p, &(DgStepDecl){.ops = plain ? &dg_mlflow_run_plain_ops : &dg_mlflow_run_ops, .config = s, .assets = {made, 1}, .at = &c->asset});
    last->of = (DgList){deps, n};
    dg_mlflow_copy_place(p, &c->place, &last->place);
    p->api->step(p, &(DgStepDecl){.name = end_name(p, c->asset), .ops = &dg_mlflow_end_ops, .config = last,
                                  .after = {made, 1}, .name_stays = true, .at = &c->asset});
}

static const DgStepOps *const steps[] = {&dg_mlflow_run_ops, &dg_mlflow_run_plain_ops, &dg_mlflow_end_ops, NULL};

const DgComponent dg_component_mlflow_run = {
    .name = "dgc.MlflowRun",
    .summary = "A run in MLflow for each run of the pipeline: parameters, metrics, datasets, artifacts, and how it ended.",
    .doc = "The run in MLflow carries the tags dgc.run_id and dgc.step, and is found again by them: a run of the pipeline that was "
           "killed and is resumed goes on with it. It ends as FINISHED, or as FAILED when an asset that it is about failed. "
           "[MLflow](../../how-to/mlflow.md) tells more.",
    .example = "type: dgc.MlflowRun\nattributes:\n  asset: mlflow/churn\n  experiment: churn\n  url: http://localhost:5000\n  params: {learning_rate: 0.1}\n"
               "  metrics: {rows_min: 1000}\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = mlflow_run_plan,
    .steps = steps,
};
