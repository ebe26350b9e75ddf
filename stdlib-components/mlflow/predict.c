/* predict.c - dgc.Predict: the rows of a table to a model's server, its predictions as typed columns. */
#include "runtime/base/base.h"
#include "runtime/llm/rows.h"
#include "stdlib-components/mlflow/mlflow_parts.h"
#include "stdlib-components/mlflow/predict_step.h"

typedef struct Config {
    DgStr from, asset, url, endpoint, token;
    DgList features, keep, output, params, deps;
    int32_t format;
    int64_t batch, concurrency, retries, timeout, limit;
    AboutAsset about;
} Config;

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(Config, from, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset whose rows are scored.", .example = "marts/customers"),
    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset it makes: the columns of `from`, and those of `output`.", .example = "marts/scores"),
    DG_FIELD_STRING(Config, url, .flags = DG_SUGGESTED, .example = "http://localhost:5001",
                    .doc = "Address of the server that `mlflow models serve` started; with `endpoint` that of the Databricks workspace, default DATABRICKS_HOST."),
    DG_FIELD_STRING(Config, endpoint, .doc = "Name of an endpoint of Databricks model serving."),
    DG_FIELD_SECRET(Config, token, .doc = "Bearer token; default with `endpoint`: DATABRICKS_TOKEN."),
    DG_FIELD_STRUCT_MAP(Config, output, OutputField, output_fields, .flags = DG_REQUIRED | DG_BUILD,
                        .doc = "The columns of a prediction: a type (string, int, float, bool, date, timestamp, json, string[], int[], float[]), or a mapping with `enum`, "
                               "`nullable`, `min`, `max`. A single column takes a prediction that is one value; several go by name, or by place in a list.",
                        .example = "{score: float}"),
    DG_FIELD_STRINGS(Config, features, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "Columns of `from` that are sent, in this order; all when not given."),
    DG_FIELD_STRINGS(Config, keep, .flags = DG_BUILD | DG_ONE_OR_MANY, .doc = "Columns of `from` that the table keeps; all when not given."),
    DG_FIELD_(Config, deps, DG_F_LIST, DgList, .of_kind = DG_F_ASSET_KEY, .of_size = sizeof(DgStr), .flags = DG_BUILD, .doc = "Assets that come first, as the model itself."),
    DG_FIELD_ANY_MAP(Config, params, .doc = "Parameters of the model's signature, sent with each call."),
    DG_FIELD_ENUM(Config, format, .choices = dg_predict_formats, .fallback = "dataframe_split", .flags = DG_BUILD | DG_ADVANCED,
                  .doc = "How rows are sent; `inputs`: a list for each column, for models whose signature is of tensors."),
    DG_FIELD_INT(Config, batch, .fallback = "500", .min = 1, .max = 2000, .doc = "Rows in a call at most; fewer when they have more than 4 MB."),
    DG_FIELD_INT(Config, concurrency, .fallback = "4", .min = 1, .max = 256, .doc = "Calls at once; less when the server says so."),
    DG_FIELD_INT(Config, retries, .fallback = "4", .min = 0, .max = 20, .flags = DG_ADVANCED, .doc = "Of a call that failed and may be tried again."),
    DG_FIELD_DURATION(Config, timeout, .fallback = "2m", .min = 1, .max = 3600, .flags = DG_ADVANCED, .doc = "Of a call, with its retries."),
    DG_FIELD_INT(Config, limit, .max = 1e12, .doc = "Rows at most, for a trial; 0: all."),
    ABOUT_ASSET_FIELDS(offsetof(Config, about), "table"),
    {0},
};

static void check(DgPlanner *p, const Config *c)
{
    bool url = p->api->is_set(p, &c->url), endpoint = p->api->is_set(p, &c->endpoint);
    if (!url && !endpoint)
        p->api->report(p, "E0106", &c->asset, "write `url: http://localhost:5001`, or `endpoint: NAME` of Databricks", "it is not said where the model is served");
    if (url && p->api->is_known(p, &c->url) && !str_starts(c->url, S("http://")) && !str_starts(c->url, S("https://")))
        p->api->report(p, "E0110", &c->url, str_starts(c->url, S("models:/")) ? "serve it: mlflow models serve -m MODEL -p 5001; then `url: http://localhost:5001`" : "write an address such as http://localhost:5001",
                       "`%.*s` is no address of a model's server", FMT(c->url));
    for (size_t i = 0; i < c->output.count; i++) {
        const OutputField *f = &DG_ITEMS(OutputField, c->output)[i];
        if (f->choices.count && f->type != OUTPUT_STRING && f->type != OUTPUT_STRINGS)
            p->api->report(p, "E0110", &f->choices, "leave out `type`", "`enum` is for strings");
        if (f->min > f->max)
            p->api->report(p, "E0110", &f->min, NULL, "`min` is larger than `max`");
    }
}

static void predict_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    PredictStep *s = p->api->alloc(p, sizeof *s);
    DgStr *from = p->api->alloc(p, (c->deps.count + 1) * sizeof *from), *made = p->api->alloc(p, sizeof *made);
    check(p, c);
    *from = s->from = c->from;
    *made = s->asset = c->asset;
    s->features = c->features;
    s->keep = c->keep;
    s->output = c->output;
    s->format = c->format;
    p->api->copy(p, &s->url, &c->url, sizeof(DgStr));
    p->api->copy(p, &s->endpoint, &c->endpoint, sizeof(DgStr));
    p->api->copy(p, &s->token, &c->token, sizeof(DgStr));
    p->api->copy(p, &s->params, &c->params, sizeof(DgList));
    p->api->copy(p, &s->batch, &c->batch, sizeof c->batch);
    p->api->copy(p, &s->concurrency, &c->concurrency, sizeof c->concurrency);
    p->api->copy(p, &s->retries, &c->retries, sizeof c->retries);
    p->api->copy(p, &s->timeout, &c->timeout, sizeof c->timeout);
    p->api->copy(p, &s->limit, &c->limit, sizeof c->limit);
    for (size_t i = 0; i < c->deps.count; i++)
        from[i + 1] = DG_ITEMS(DgStr, c->deps)[i];
    dg_mlflow_asset(p, &c->about, &c->asset, (DgList){from, c->deps.count + 1});
    answer_sql(p, c->asset, &c->from, &c->keep, &c->features, c->output.items, c->output.count);
    p->api->step(p, &(DgStepDecl){.ops = &dg_predict_ops, .config = s, .assets = {made, 1}, .at = &c->asset});
}

static const DgStepOps *const steps[] = {&dg_predict_ops, NULL};

const DgComponent dg_component_predict = {
    .name = "dgc.Predict",
    .summary = "Scores the rows of a table with a model that MLflow or Databricks serves; predictions are typed columns.",
    .doc = "Rows go in batches, several at once, to /invocations. A batch that the model refuses is halved until the rows are found that it "
           "does not take: they go to the table ASSET_rejected with the reason, as do rows whose prediction does not fit `output`. "
           "[MLflow](../../how-to/mlflow.md) tells more.",
    .example = "type: dgc.Predict\nattributes:\n  from: marts/customers\n  asset: marts/scores\n  url: http://localhost:5001\n  features: [age, visits]\n"
               "  output: {score: float}\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = predict_plan,
    .steps = steps,
};
