/* runs.c - see mlflow.h: experiments and runs. */
#include "runtime/mlflow/mlflow.h"
#include "runtime/os/os.h"

enum { ATTEMPTS = 3 };

DgStatus mlflow_find_experiment(Mlflow *m, Str name, bool make, Str *id, DgError *err)
{
    DgValue answer;
    DgStatus status = DG_END;
    for (int i = 0; i < ATTEMPTS && status == DG_END; i++) {
        mlflow_begin(m);
        Arena *a = &m->rest.arena;
        const char *what = str_format(a, "find experiment `%.*s`", FMT(name)).ptr;
        status = mlflow_call(m, "GET", str_format(a, "experiments/get-by-name?experiment_name=%.*s", FMT(rest_escape(a, name))), NULL, &answer, what, err);
        if (status == DG_OK && str_eq(dgv_text_at(answer, "experiment.lifecycle_stage"), S("deleted"))) {
            dg_fail(err, DG_CONFIG, "experiment `%.*s` has been deleted", FMT(name));
            dg_hint(err, "restore it in MLflow, or give `experiment` another name");
            return DG_CONFIG;
        }
        if (status == DG_OK)
            *id = str_copy(&m->rest.keep, dgv_text_at(answer, "experiment.experiment_id"));
        if (status != DG_END || !make)
            return status;
        StrBuf b = {0};
        buf_char(&b, '{');
        mlflow_member(&b, "name", name);
        buf_char(&b, '}');
        status = mlflow_call(m, "POST", S("experiments/create"), &b, &answer, str_format(a, "create experiment `%.*s`", FMT(name)).ptr, err);
        if (status == DG_OK)
            *id = str_copy(&m->rest.keep, dgv_text_at(answer, "experiment_id"));
        else if (mlflow_exists(m)) /* somebody else made it meanwhile */
            status = DG_END;
    }
    return status == DG_END ? dg_fail(err, DG_TEMPFAIL, "experiment `%.*s` is there, and is not", FMT(name)) : status;
}

static void keep_run(Mlflow *m, DgValue info, MlflowRun *out)
{
    Arena *a = &m->rest.keep;
    const DgValue *start = dgv_at(&info, "start_time");
    bool text = start && start->kind == DG_V_STR; /* 64-bit numbers are text in some servers' JSON */
    *out = (MlflowRun){.id = str_copy(a, dgv_text_at(info, "run_id")),
                       .experiment_id = str_copy(a, dgv_text_at(info, "experiment_id")),
                       .artifact_uri = str_copy(a, dgv_text_at(info, "artifact_uri")),
                       .status = str_copy(a, dgv_text_at(info, "status")),
                       .start = text ? str_copy(a, start->as.s) : str_format(a, "%lld", (long long)dgv_int_at(info, "start_time"))};
    out->url = str_format(a, "%.*s/#/experiments/%.*s/runs/%.*s", FMT(m->rest.base), FMT(out->experiment_id), FMT(out->id));
}

/* In a filter's quotes. */
static Str quoted(Arena *a, Str text)
{
    return str_format(a, "'%.*s'", FMT(str_replace(a, text, S("'"), S("''"))));
}

DgStatus mlflow_find_run(Mlflow *m, Str experiment_id, MlflowRun *out, DgError *err)
{
    DgValue answer;
    StrBuf b = {0};
    mlflow_begin(m);
    Arena *a = &m->rest.arena;
    buf_add(&b, S("{\"experiment_ids\":["));
    buf_json(&b, experiment_id);
    buf_add(&b, S("],"));
    mlflow_member(&b, "filter", str_format(a, "tags.`dgc.run_id` = %.*s and tags.`dgc.step` = %.*s", FMT(quoted(a, m->run_id)), FMT(quoted(a, m->step))));
    buf_add(&b, S(",\"run_view_type\":\"ACTIVE_ONLY\",\"max_results\":1,\"order_by\":[\"attributes.start_time ASC\"]}"));
    DG_TRY(mlflow_call(m, "POST", S("runs/search"), &b, &answer, "look for the run", err));
    const DgValue *info = dgv_at(&answer, "runs.0.info");
    if (!info)
        return DG_END;
    keep_run(m, *info, out);
    return out->id.len ? DG_OK : dg_fail(err, DG_DATA, "could not look for the run: MLflow's answer has no run_id");
}

static void add_tag(StrBuf *b, const char *key, Str value)
{
    mlflow_pair(b, str_from(key), value);
    buf_char(b, ',');
}

DgStatus mlflow_make_run(Mlflow *m, Str experiment_id, Str name, MlflowRun *out, DgError *err)
{
    DgStatus status = DG_UNAVAILABLE;
    DgValue answer;
    /* An answer that was lost may stand for a run that was made: it is looked for before another is made. */
    for (int i = 0; i < ATTEMPTS && status == DG_UNAVAILABLE; i++) {
        DgStatus found = mlflow_find_run(m, experiment_id, out, err);
        if (found != DG_END)
            return found;
        StrBuf b = {0};
        mlflow_begin(m);
        buf_char(&b, '{');
        mlflow_member(&b, "experiment_id", experiment_id);
        buf_format(&b, ",\"start_time\":%.*s,\"tags\":[", FMT(m->now));
        add_tag(&b, "dgc.run_id", m->run_id);
        add_tag(&b, "dgc.step", m->step);
        add_tag(&b, "dgc.version", m->version);
        add_tag(&b, "mlflow.source.name", m->source);
        mlflow_pair(&b, S("mlflow.source.type"), S("JOB"));
        buf_add(&b, S("],"));
        mlflow_member(&b, "run_name", name);
        buf_char(&b, '}');
        status = mlflow_create(m, S("runs/create"), &b, &answer, "create a run", err);
    }
    DG_TRY(status);
    const DgValue *info = dgv_at(&answer, "run.info");
    if (info)
        keep_run(m, *info, out);
    return info && out->id.len ? DG_OK : dg_fail(err, DG_DATA, "could not create a run: MLflow's answer has no run_id");
}

DgStatus mlflow_get_run(Mlflow *m, Str id, DgValue *answer, DgError *err)
{
    mlflow_begin(m);
    Arena *a = &m->rest.arena;
    return mlflow_call(m, "GET", str_format(a, "runs/get?run_id=%.*s", FMT(rest_escape(a, id))), NULL, answer,
                       str_format(a, "look at run %.*s", FMT(id)).ptr, err);
}

DgStatus mlflow_end_run(Mlflow *m, Str id, const char *status, DgError *err)
{
    StrBuf b = {0};
    bool ended = strcmp(status, "RUNNING") != 0;
    mlflow_begin(m);
    buf_char(&b, '{');
    mlflow_member(&b, "run_id", id);
    buf_char(&b, ',');
    mlflow_member(&b, "status", str_from(status));
    if (ended)
        buf_format(&b, ",\"end_time\":%.*s", FMT(m->now));
    buf_char(&b, '}');
    return mlflow_call(m, "POST", S("runs/update"), &b, NULL, "set the status of the run", err);
}
