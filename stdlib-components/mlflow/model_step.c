/* model_step.c - dgc.MlflowModel when it runs: finds the model, registers it once, waits, sets aliases. */
#include "runtime/os/os.h"
#include "stdlib-components/mlflow/mlflow_parts.h"

enum { ATTEMPTS = 3, WAIT_FIRST_MS = 200, WAIT_MAX_MS = 5000, LOGGED_MAX = 100 };

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(ModelStep, asset, .doc = "The model as an asset."),
    DG_FIELD_STRING(ModelStep, name, .doc = "The registered model."),
    DG_FIELD_STRUCT(ModelStep, place, MlflowPlace, dg_mlflow_place_fields, .doc = "Where MLflow is."),
    DG_FIELD_STRING(ModelStep, run, .doc = "Asset that tells its run."),
    DG_FIELD_STRING(ModelStep, artifact, .doc = "What of the run is the model."),
    DG_FIELD_STRING(ModelStep, source, .doc = "Or where it is."),
    DG_FIELD_STRINGS(ModelStep, aliases, .doc = "Aliases in any case."),
    DG_FIELD_STRING_MAP(ModelStep, tags, .doc = "Tags of the version."),
    DG_FIELD_DURATION(ModelStep, wait, .doc = "For READY."),
    DG_FIELD_STRING(ModelStep, promote, .doc = "Alias that moves under a condition."),
    DG_FIELD_STRING(ModelStep, judged, .doc = "Asset of the check."),
    DG_FIELD_STRING(ModelStep, check, .doc = "The check."),
    DG_FIELD_CODE(ModelStep, when, .doc = "Renders the query."),
    {0},
};

typedef struct Model {
    Mlflow m;                /* first */
    const ModelStep *c;
    Str run_id;              /* empty: no run */
    Str source, model_id;    /* model_id: of a logged model; empty: none */
    Str version;
    bool made, ready;
} Model;

static Str keep(Model *x, Str s) { return str_copy(&x->m.rest.keep, s); }

/* ---- Where the model is ---- */

static DgStatus run_of(Model *x, DgError *err)
{
    DgStr json;
    DgValue v;
    DgStatus status = dg_last_metadata(x->m.run, x->c->run, (DgStr)DG_S("mlflow/run_id"), &json, err);
    if (status == DG_OK)
        status = dg_read_json(dg_eval(x->m.run), json, &v, err);
    if (status == DG_OK && v.kind == DG_V_STR && v.as.s.len) {
        x->run_id = keep(x, v.as.s);
        return DG_OK;
    }
    if (status != DG_OK && status != DG_END)
        return status;
    dg_fail(err, DG_CONFIG, "asset `%.*s` has not told its run in MLflow", FMT(x->c->run));
    dg_hint(err, "make it first; an asset other than a `dgc.MlflowRun` reports metadata `mlflow/run_id`");
    return DG_CONFIG;
}

/* Whether the folder is there among the run's artifacts, with a file MLmodel in it. */
static DgStatus is_artifact(Model *x, bool *found, DgError *err)
{
    DgValue answer;
    Mlflow *m = &x->m;
    mlflow_begin(m);
    Arena *a = &m->rest.arena;
    Str path = str_format(a, "artifacts/list?run_id=%.*s&path=%.*s", FMT(rest_escape(a, x->run_id)), FMT(rest_escape(a, x->c->artifact)));
    DgStatus status = mlflow_call(m, "GET", path, NULL, &answer, str_format(a, "look for artifact `%.*s`", FMT(x->c->artifact)).ptr, err);
    *found = false;
    DG_TRY(status);
    const DgValue *files = dgv_at(&answer, "files");
    for (size_t i = 0; files && files->kind == DG_V_LIST && i < files->as.list->count; i++)
        *found |= str_ends(dgv_text_at(files->as.list->items[i], "path"), S("/MLmodel"));
    return DG_OK;
}

/* A logged model of the run (MLflow 3), by its name; of several the one of the last step. */
static DgStatus find_logged(Model *x, const StrArray *ids, DgError *err)
{
    Mlflow *m = &x->m;
    for (size_t i = 0; i < ids->count && i < LOGGED_MAX; i++) {
        DgValue answer;
        mlflow_begin(m);
        Arena *a = &m->rest.arena;
        DG_TRY(mlflow_call(m, "GET", str_format(a, "logged-models/%.*s", FMT(rest_escape(a, ids->items[i]))), NULL, &answer, "look at a logged model", err));
        if (!str_eq(dgv_text_at(answer, "model.info.name"), x->c->artifact))
            continue;
        x->model_id = ids->items[i];
        x->source = str_format(&m->rest.keep, "models:/%.*s", FMT(x->model_id));
        return DG_OK;
    }
    dg_fail(err, DG_DATA, "run %.*s has no model `%.*s`: neither a folder of artifacts with a file MLmodel, nor a logged model of this name", FMT(x->run_id),
            FMT(x->c->artifact));
    dg_hint(err, "`artifact` names it");
    return DG_DATA;
}

static DgStatus of_run(Model *x, DgError *err)
{
    DgValue answer;
    StrArray ids = {0};
    bool folder;
    Mlflow *m = &x->m;
    DG_TRY(run_of(x, err));
    DgStatus status = mlflow_get_run(m, x->run_id, &answer, err);
    if (status == DG_END)
        return dg_fail(err, DG_DATA, "MLflow knows no run %.*s, which asset `%.*s` told", FMT(x->run_id), FMT(x->c->run));
    DG_TRY(status);
    x->source = str_format(&m->rest.keep, "%.*s/%.*s", FMT(dgv_text_at(answer, "run.info.artifact_uri")), FMT(x->c->artifact));
    const DgValue *outputs = dgv_at(&answer, "run.outputs.model_outputs");
    int64_t last = INT64_MIN;
    for (size_t i = 0; outputs && outputs->kind == DG_V_LIST && i < outputs->as.list->count; i++) {
        DgValue o = outputs->as.list->items[i];
        Str id = keep(x, dgv_text_at(o, "model_id"));
        array_add(&m->rest.keep, &ids, id);
        if (dgv_int_at(o, "step") > last) { /* looked at first */
            last = dgv_int_at(o, "step");
            Str first = ids.items[0];
            ids.items[0] = id;
            ids.items[ids.count - 1] = first;
        }
    }
    DG_TRY(is_artifact(x, &folder, err));
    return folder ? DG_OK : find_logged(x, &ids, err);
}

/* ---- The version ---- */

static DgStatus make_model(Model *x, DgError *err)
{
    StrBuf b = {0};
    mlflow_begin(&x->m);
    buf_char(&b, '{');
    mlflow_member(&b, "name", x->c->name);
    buf_char(&b, '}');
    DgStatus status = mlflow_call(&x->m, "POST", S("registered-models/create"), &b, NULL,
                                  str_format(&x->m.rest.arena, "register model `%.*s`", FMT(x->c->name)).ptr, err);
    return status != DG_OK && mlflow_exists(&x->m) ? DG_OK : status;
}

static Str tag_in(DgValue version, Str key)
{
    const DgValue *tags = dgv_at(&version, "tags");
    for (size_t i = 0; tags && tags->kind == DG_V_LIST && i < tags->as.list->count; i++)
        if (str_eq(dgv_text_at(tags->as.list->items[i], "key"), key))
            return dgv_text_at(tags->as.list->items[i], "value");
    return (Str){0};
}

/* The one that this run of the pipeline made before, or that is the same model of the same run in MLflow. DG_END: none. */
static DgStatus find_version(Model *x, DgError *err)
{
    DgValue answer;
    Mlflow *m = &x->m;
    mlflow_begin(m);
    Arena *a = &m->rest.arena;
    Str filter = str_format(a, "name='%.*s'", FMT(str_replace(a, x->c->name, S("'"), S("''"))));
    Str path = str_format(a, "model-versions/search?filter=%.*s&max_results=200&order_by=%.*s", FMT(rest_escape(a, filter)), FMT(rest_escape(a, S("version_number DESC"))));
    DG_TRY(mlflow_call(m, "GET", path, NULL, &answer, "look for versions of the model", err));
    const DgValue *all = dgv_at(&answer, "model_versions");
    for (size_t i = 0; all && all->kind == DG_V_LIST && i < all->as.list->count; i++) {
        DgValue v = all->as.list->items[i];
        bool mine = str_eq(tag_in(v, S("dgc.run_id")), m->run_id) && str_eq(tag_in(v, S("dgc.step")), m->step);
        bool same = x->run_id.len && str_eq(dgv_text_at(v, "source"), x->source) && (x->model_id.len || str_eq(dgv_text_at(v, "run_id"), x->run_id));
        if (mine || same) {
            x->version = keep(x, dgv_text_at(v, "version"));
            x->ready = str_eq(dgv_text_at(v, "status"), S("READY"));
            return x->version.len ? DG_OK : dg_fail(err, DG_DATA, "MLflow's answer has a version without a number");
        }
    }
    return DG_END;
}

static DgStatus make_version(Model *x, DgError *err)
{
    Mlflow *m = &x->m;
    DgValue answer;
    DgStatus status = DG_UNAVAILABLE;
    for (int i = 0; i < ATTEMPTS && status == DG_UNAVAILABLE; i++) { /* see mlflow_make_run */
        DgStatus found = find_version(x, err);
        if (found != DG_END)
            return found;
        StrBuf b = {0};
        mlflow_begin(m);
        buf_char(&b, '{');
        mlflow_member(&b, "name", x->c->name);
        buf_char(&b, ',');
        mlflow_member(&b, "source", x->source);
        if (x->run_id.len) {
            buf_char(&b, ',');
            mlflow_member(&b, "run_id", x->run_id);
        }
        if (x->model_id.len) {
            buf_char(&b, ',');
            mlflow_member(&b, "model_id", x->model_id);
        }
        buf_add(&b, S(",\"tags\":["));
        mlflow_pair(&b, S("dgc.run_id"), m->run_id);
        buf_char(&b, ',');
        mlflow_pair(&b, S("dgc.step"), m->step);
        buf_add(&b, S("]}"));
        status = mlflow_create(m, S("model-versions/create"), &b, &answer, str_format(&m->rest.arena, "make a version of model `%.*s`", FMT(x->c->name)).ptr, err);
    }
    DG_TRY(status);
    x->made = true;
    x->version = keep(x, dgv_text_at(answer, "model_version.version"));
    x->ready = str_eq(dgv_text_at(answer, "model_version.status"), S("READY"));
    os_crashpoint("mlflow-version-made");
    return x->version.len ? DG_OK : dg_fail(err, DG_DATA, "could not make a version of model `%.*s`: MLflow's answer has no number", FMT(x->c->name));
}

static DgStatus wait_for(Model *x, DgError *err)
{
    Mlflow *m = &x->m;
    int64_t until = os_monotonic_ms() + x->c->wait / 1000000, pause = WAIT_FIRST_MS;
    while (!x->ready) {
        DgValue answer;
        mlflow_begin(m);
        Arena *a = &m->rest.arena;
        Str path = str_format(a, "model-versions/get?name=%.*s&version=%.*s", FMT(rest_escape(a, x->c->name)), FMT(rest_escape(a, x->version)));
        DG_TRY(mlflow_call(m, "GET", path, NULL, &answer, "look at the version", err));
        Str status = dgv_text_at(answer, "model_version.status"), words = dgv_text_at(answer, "model_version.status_message");
        if (str_eq(status, S("READY")))
            return DG_OK;
        if (str_eq(status, S("FAILED_REGISTRATION")))
            return dg_fail(err, DG_DATA, "MLflow could not register version %.*s of model `%.*s`%s%.*s", FMT(x->version), FMT(x->c->name), words.len ? ": " : "",
                           FMT(words));
        if (dg_cancelled(m->run))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        if (os_monotonic_ms() >= until) {
            dg_fail(err, DG_TEMPFAIL, "version %.*s of model `%.*s` is still %.*s after %lld s", FMT(x->version), FMT(x->c->name), FMT(status), (long long)x->c->wait / 1000000000);
            dg_hint(err, "raise `wait`; the next run goes on with this version");
            return DG_TEMPFAIL;
        }
        os_sleep_ms(pause);
        pause = pause * 2 < WAIT_MAX_MS ? pause * 2 : WAIT_MAX_MS;
    }
    return DG_OK;
}

/* ---- What it is called ---- */

static DgStatus set_tags(Model *x, DgError *err)
{
    for (size_t i = 0; i < x->c->tags.count; i++) {
        const DgPair *tag = &DG_ITEMS(DgPair, x->c->tags)[i];
        StrBuf b = {0};
        mlflow_begin(&x->m);
        buf_char(&b, '{');
        mlflow_member(&b, "name", x->c->name);
        buf_char(&b, ',');
        mlflow_member(&b, "version", x->version);
        buf_char(&b, ',');
        mlflow_member(&b, "key", tag->key);
        buf_char(&b, ',');
        mlflow_member(&b, "value", tag->value);
        buf_char(&b, '}');
        DG_TRY(mlflow_call(&x->m, "POST", S("model-versions/set-tag"), &b, NULL, "set a tag of the version", err));
    }
    return DG_OK;
}

static DgStatus set_alias(Model *x, Str alias, DgError *err)
{
    StrBuf b = {0};
    mlflow_begin(&x->m);
    buf_char(&b, '{');
    mlflow_member(&b, "name", x->c->name);
    buf_char(&b, ',');
    mlflow_member(&b, "alias", alias);
    buf_char(&b, ',');
    mlflow_member(&b, "version", x->version);
    buf_char(&b, '}');
    return mlflow_call(&x->m, "POST", S("registered-models/alias"), &b, NULL, str_format(&x->m.rest.arena, "set alias `%.*s`", FMT(alias)).ptr, err);
}

static DgStatus ask_query(Model *x, bool *passed, DgError *err)
{
    DgStepRun *sr = x->m.run;
    DgValue v;
    Str answer;
    DG_TRY(((DgTemplateFn)x->c->when.call)(dg_eval(sr), &v, err));
    Str sql = v.kind == DG_V_STR ? str_trim(v.as.s) : (Str){0};
    while (sql.len && sql.ptr[sql.len - 1] == ';')
        sql = str_trim(str_sub(sql, 0, sql.len - 1));
    DG_TRY(dg_sql_text(sr, dg_format(sr, "SELECT CASE WHEN (\n%.*s\n)::BOOLEAN THEN 'yes' ELSE 'no' END", FMT(sql)), &answer, err));
    *passed = str_eq(answer, S("yes"));
    return DG_OK;
}

/* *why: empty when all that is asked for holds. */
static DgStatus may_promote(Model *x, Str *why, DgError *err)
{
    const ModelStep *c = x->c;
    bool passed = true;
    if (c->check.len) {
        DgStatus status = step_verdict(x->m.run, c->judged, c->check, &passed, err);
        if (status == DG_END)
            *why = dg_format(x->m.run, "check `%.*s` of `%.*s` has not been made", FMT(c->check), FMT(c->judged));
        else if (status == DG_OK && !passed)
            *why = dg_format(x->m.run, "check `%.*s` of `%.*s` did not pass", FMT(c->check), FMT(c->judged));
        if (status != DG_END)
            DG_TRY(status);
    }
    if (!why->len && c->when.call) {
        DG_TRY(ask_query(x, &passed, err));
        if (!passed)
            *why = str_from("`when` is not true");
    }
    return DG_OK;
}

static DgStatus promote(Model *x, DgError *err)
{
    Str why = {0};
    DgStepRun *sr = x->m.run;
    DG_TRY(may_promote(x, &why, err));
    if (!why.len)
        DG_TRY(set_alias(x, x->c->promote, err));
    dg_report_metadata(sr, x->c->asset, "mlflow/promoted", dgv_bool(!why.len));
    if (why.len)
        dg_log(sr, DG_LOG_INFO, "version %.*s is not promoted to `%.*s`: %.*s", FMT(x->version), FMT(x->c->promote), FMT(why));
    else
        dg_log(sr, DG_LOG_INFO, "version %.*s is `%.*s` now", FMT(x->version), FMT(x->c->promote));
    return DG_OK;
}

static DgStatus register_model(Model *x, DgError *err)
{
    const ModelStep *c = x->c;
    DgStepRun *sr = x->m.run;
    if (c->run.len)
        DG_TRY(of_run(x, err));
    else
        x->source = c->source;
    if (!x->source.len)
        return dg_fail(err, DG_CONFIG, "`source` is empty");
    DG_TRY(make_model(x, err));
    DG_TRY(make_version(x, err));
    DG_TRY(wait_for(x, err));
    DG_TRY(set_tags(x, err));
    for (size_t i = 0; i < c->aliases.count; i++)
        DG_TRY(set_alias(x, DG_ITEMS(DgStr, c->aliases)[i], err));
    dg_report_metadata(sr, c->asset, "mlflow/model", dgv_from_str(step_copy(sr, c->name)));
    dg_report_metadata(sr, c->asset, "mlflow/version", dgv_from_str(step_copy(sr, x->version)));
    dg_report_metadata(sr, c->asset, "mlflow/model_uri", dgv_from_str(dg_format(sr, "models:/%.*s/%.*s", FMT(c->name), FMT(x->version))));
    dg_report_metadata(sr, c->asset, "mlflow/source", dgv_from_str(step_copy(sr, x->source)));
    dg_log(sr, DG_LOG_INFO, "version %.*s of model %.*s %s", FMT(x->version), FMT(c->name), x->made ? "is registered" : "was registered before");
    return c->promote.len ? promote(x, err) : DG_OK;
}

static DgStatus model_execute(DgStepRun *sr, const void *config, void *state, DgError *err)
{
    Model *x = state;
    x->c = config;
    Str partition = dg_partition_key(sr), step = x->c->asset;
    if (partition.len)
        step = dg_format(sr, "%.*s[%.*s]", FMT(step), FMT(partition));
    DgStatus status = mlflow_open(&x->m, sr, &x->c->place, step, err);
    if (status == DG_OK)
        status = register_model(x, err);
    mlflow_close(&x->m);
    if (status == DG_END) /* what was there a moment ago */
        status = dg_fail(err, DG_DATA, "MLflow has lost the run or the model while it was registered");
    return status;
}

#define MODEL_OPS(symbol_, plain_)                                                                                         \
    {                                                                                                                      \
        .name = "dgc.MlflowModel", .symbol = symbol_, .role = DG_ACTION, .fields = fields, .config_size = sizeof(ModelStep), \
        .state_size = sizeof(Model), .execute = model_execute, .no_warehouse = plain_,                                     \
    }
const DgStepOps dg_mlflow_model_ops = MODEL_OPS("dg_mlflow_model_ops", false);
const DgStepOps dg_mlflow_model_plain_ops = MODEL_OPS("dg_mlflow_model_plain_ops", true);
