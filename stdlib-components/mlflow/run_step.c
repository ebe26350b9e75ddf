/* run_step.c - dgc.MlflowRun when it runs. Two steps: one makes the run in MLflow and logs what there is to log, when
 * what it is about is made; the other comes last, however that went, and says how it ended. */
#include "runtime/os/os.h"
#include "stdlib-components/mlflow/mlflow_parts.h"

enum { PARAM_MAX = 6000, TAG_MAX = 5000 };

static const DgField metrics_fields[] = {
    DG_FIELD_ASSET_KEY(RunMetrics, asset, .doc = "The asset with the rows."),
    DG_FIELD_STRING(RunMetrics, prefix, .doc = "Before the names."),
    DG_FIELD_STRING(RunMetrics, step, .doc = "Column of the step."),
    DG_FIELD_CODE(RunMetrics, code, .doc = "Renders the query."),
    {0},
};
static const DgField dataset_fields[] = {
    DG_FIELD_ASSET_KEY(RunDataset, asset, .doc = "The asset."),
    DG_FIELD_STRING(RunDataset, name, .doc = "Its name."),
    DG_FIELD_STRING(RunDataset, context, .doc = "What it was for."),
    {0},
};
static const DgField artifact_fields[] = {
    DG_FIELD_STRING(RunArtifact, path, .doc = "File or folder."),
    DG_FIELD_STRING(RunArtifact, to, .doc = "Where it goes."),
    {0},
};
static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(RunStep, asset, .doc = "The run."),
    DG_FIELD_STRING(RunStep, experiment, .doc = "The experiment."),
    DG_FIELD_STRING(RunStep, name, .doc = "Name of the run."),
    DG_FIELD_STRUCT(RunStep, place, MlflowPlace, dg_mlflow_place_fields, .doc = "Where MLflow is."),
    DG_FIELD_STRINGS(RunStep, of, .doc = "What it is about."),
    DG_FIELD_ANY_MAP(RunStep, params, .doc = "Parameters."),
    DG_FIELD_ANY_MAP(RunStep, metrics, .doc = "Numbers."),
    DG_FIELD_STRING_MAP(RunStep, tags, .doc = "Tags."),
    DG_FIELD_STRUCTS(RunStep, sources, RunMetrics, metrics_fields, .doc = "Metrics of tables."),
    DG_FIELD_STRUCTS(RunStep, datasets, RunDataset, dataset_fields, .doc = "Datasets."),
    DG_FIELD_STRUCTS(RunStep, artifacts, RunArtifact, artifact_fields, .doc = "Artifacts."),
    {0},
};

static Str tag_of(DgStepRun *sr, DgStr asset, Str partition)
{
    return partition.len ? dg_format(sr, "%.*s[%.*s]", FMT(asset), FMT(partition)) : asset;
}

/* ---- What is known ---- */

static DgStatus flush(Mlflow *m, StrBuf *b, const char *kind, DgError *err)
{
    static const char *const kinds[] = {"metrics", "params", "tags"};
    for (int i = 0; i < 3; i++)
        if (strcmp(kinds[i], kind) != 0)
            buf_format(b, ",\"%s\":[]", kinds[i]);
    buf_char(b, '}');
    return mlflow_call(m, "POST", S("runs/log-batch"), b, NULL, strcmp(kind, "params") == 0 ? "log parameters" : strcmp(kind, "tags") == 0 ? "log tags" : "log metrics", err);
}

static void open_batch(Mlflow *m, StrBuf *b, const MlflowRun *run, const char *kind)
{
    mlflow_begin(m);
    *b = (StrBuf){0};
    buf_char(b, '{');
    mlflow_member(b, "run_id", run->id);
    buf_format(b, ",\"%s\":[", kind);
}

/* As many as MLflow takes at once. */
static DgStatus log_pairs(Mlflow *m, const MlflowRun *run, const char *kind, const DgPair *pairs, size_t count, DgError *err)
{
    enum { PAIRS_MAX = 100 };
    for (size_t i = 0; i < count; i += PAIRS_MAX) {
        StrBuf b;
        open_batch(m, &b, run, kind);
        for (size_t k = i; k < count && k < i + PAIRS_MAX; k++) {
            buf_add(&b, k > i ? S(",") : S(""));
            mlflow_pair(&b, pairs[k].key, pairs[k].value);
        }
        buf_char(&b, ']');
        DG_TRY(flush(m, &b, kind, err));
    }
    return DG_OK;
}

static DgStatus log_params(Mlflow *m, const MlflowRun *run, const RunStep *c, DgError *err)
{
    DgPair *pairs = dg_alloc(m->run, (c->params.count + 1) * sizeof *pairs);
    if (!pairs)
        return os_no_memory(err, "for parameters");
    for (size_t i = 0; i < c->params.count; i++) {
        const DgValuePair *p = &DG_ITEMS(DgValuePair, c->params)[i];
        pairs[i] = (DgPair){p->key, step_copy(m->run, dg_to_str(dg_eval(m->run), p->value))};
        if (pairs[i].value.len > PARAM_MAX)
            return dg_fail(err, DG_DATA, "parameter `%.*s` has %lld bytes; MLflow takes %d", FMT(p->key), (long long)pairs[i].value.len, PARAM_MAX);
    }
    return log_pairs(m, run, "params", pairs, c->params.count, err);
}

/* ---- The run ---- */

static DgStatus log_all(Mlflow *m, const MlflowRun *run, const RunStep *c, DgError *err)
{
    int64_t metrics = 0, files = 0;
    DG_TRY(log_pairs(m, run, "tags", c->tags.items, c->tags.count, err));
    DG_TRY(log_params(m, run, c, err));
    DG_TRY(dg_mlflow_log_datasets(m, run, c, err));
    DG_TRY(dg_mlflow_log_metrics(m, run, c, &metrics, err));
    DG_TRY(dg_mlflow_log_artifacts(m, run, c, &files, err));
    dg_report_metadata(m->run, c->asset, "mlflow/run_id", dgv_from_str(step_copy(m->run, run->id)));
    dg_report_metadata(m->run, c->asset, "mlflow/experiment_id", dgv_from_str(step_copy(m->run, run->experiment_id)));
    dg_report_metadata(m->run, c->asset, "mlflow/artifact_uri", dgv_from_str(step_copy(m->run, run->artifact_uri)));
    dg_report_metadata(m->run, c->asset, "mlflow/url", dgv_from_str(step_copy(m->run, run->url)));
    dg_report_metadata(m->run, c->asset, "mlflow/params", dgv_int((int64_t)c->params.count));
    dg_report_metadata(m->run, c->asset, "mlflow/metrics", dgv_int(metrics));
    dg_report_metadata(m->run, c->asset, "mlflow/datasets", dgv_int((int64_t)c->datasets.count));
    dg_report_metadata(m->run, c->asset, "mlflow/artifacts", dgv_int(files));
    dg_log(m->run, DG_LOG_INFO, "run %.*s: %.*s", FMT(run->id), FMT(run->url));
    return DG_OK;
}

static Str name_of(DgStepRun *sr, const RunStep *c)
{
    return c->name.len ? c->name : sr->run->pipeline->name;
}

static DgStatus log_run(Mlflow *m, const RunStep *c, DgError *err)
{
    Str experiment;
    MlflowRun run;
    DG_TRY(mlflow_find_experiment(m, c->experiment, true, &experiment, err));
    DG_TRY(mlflow_make_run(m, experiment, name_of(m->run, c), &run, err));
    os_crashpoint("mlflow-run-made");
    if (!str_eq(run.status, S("RUNNING"))) /* resumed after it had failed */
        DG_TRY(mlflow_end_run(m, run.id, "RUNNING", err));
    return log_all(m, &run, c, err);
}

static DgStatus run_execute_step(DgStepRun *sr, const void *config, void *state, DgError *err)
{
    const RunStep *c = config;
    Mlflow *m = state;
    DgStatus status = mlflow_open(m, sr, &c->place, tag_of(sr, c->asset, dg_partition_key(sr)), err);
    if (status == DG_OK)
        status = log_run(m, c, err);
    mlflow_close(m);
    return status;
}

/* ---- Its end ---- */

static bool makes(const Run *run, const Unit *u, Str asset)
{
    for (int32_t i = 0; i < u->def->assets.count; i++)
        if (str_eq(run->pipeline->assets[u->def->assets.items[i]].key, asset))
            return true;
    return false;
}

/* What it is about and did not come to be. */
static Str failure_of(DgStepRun *sr, const RunStep *c, Str partition)
{
    Run *run = sr->run;
    Str out = {0};
    pthread_mutex_lock(&run->lock);
    for (int32_t i = 0; i < run->units_count && !out.len; i++) {
        const Unit *u = &run->units[i];
        bool about = makes(run, u, c->asset) && str_eq(u->partition, partition);
        for (size_t k = 0; k < c->of.count && !about; k++)
            about = makes(run, u, DG_ITEMS(DgStr, c->of)[k]) && (!partition.len || !u->partition.len || str_eq(u->partition, partition));
        if (about && u->state == UNIT_FAILED)
            out = dg_format(sr, "%.*s: %s", FMT(u->def->name), u->error.message);
    }
    pthread_mutex_unlock(&run->lock);
    return out.len > TAG_MAX ? str_sub(out, 0, TAG_MAX) : out;
}

/* A run that never came to be is made, so that MLflow tells of the failure, too. */
static DgStatus end_run(Mlflow *m, const RunStep *c, const char *status, Str failure, DgError *err)
{
    Str experiment;
    MlflowRun run;
    DG_TRY(mlflow_find_experiment(m, c->experiment, true, &experiment, err));
    DG_TRY(mlflow_make_run(m, experiment, name_of(m->run, c), &run, err));
    if (failure.len)
        DG_TRY(log_pairs(m, &run, "tags", &(DgPair){S("dgc.error"), failure}, 1, err));
    return mlflow_end_run(m, run.id, status, err);
}

static const char *status_of(UnitState s)
{
    return s == UNIT_SUCCEEDED || s == UNIT_DONE_BEFORE ? "FINISHED" : s == UNIT_CANCELLED ? "KILLED" : "FAILED";
}

static DgStatus end_execute(DgStepRun *sr, const void *config, void *state, DgError *err)
{
    const RunStep *c = config;
    Run *run = sr->run;
    Mlflow *m = state;
    for (int32_t i = 0; i < run->units_count; i++) {
        const Unit *u = &run->units[i];
        if (!makes(run, u, c->asset)) /* those of partitions are several */
            continue;
        pthread_mutex_lock(&run->lock);
        UnitState ended = u->state;
        pthread_mutex_unlock(&run->lock);
        DgStatus status = mlflow_open(m, sr, &c->place, tag_of(sr, c->asset, u->partition), err);
        if (status == DG_OK)
            status = end_run(m, c, status_of(ended), failure_of(sr, c, u->partition), err);
        mlflow_close(m);
        DG_TRY(status);
    }
    return DG_OK;
}

#define RUN_OPS(name_, symbol_, execute_, plain_)                                                                          \
    {                                                                                                                      \
        .name = name_, .symbol = symbol_, .role = DG_ACTION, .fields = fields, .config_size = sizeof(RunStep),             \
        .state_size = sizeof(Mlflow), .execute = execute_, .no_warehouse = plain_,                                         \
    }
const DgStepOps dg_mlflow_run_ops = RUN_OPS("dgc.MlflowRun", "dg_mlflow_run_ops", run_execute_step, false);
const DgStepOps dg_mlflow_run_plain_ops = RUN_OPS("dgc.MlflowRun", "dg_mlflow_run_plain_ops", run_execute_step, true);
const DgStepOps dg_mlflow_end_ops = RUN_OPS("dgc.MlflowRun", "dg_mlflow_end_ops", end_execute, true);
