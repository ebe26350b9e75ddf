/* client.c - see mlflow.h: the connection, and calls. */
#include <openssl/evp.h>
#include <stdio.h>

#include "runtime/mlflow/mlflow.h"
#include "runtime/os/os.h"

enum { RESUMES_MAX = 1000 };

/* ---- Who asks, and where ---- */

static DgStatus from_environment(Mlflow *m, const char *name, Str *out, DgError *err)
{
    bool marked;
    DgStatus status = secrets_get(m->run->run->secrets, str_from(name), out, &marked, err);
    return status == DG_END ? DG_OK : status;
}

static DgStatus secret_from_environment(Mlflow *m, const char *name, Str *out, DgError *err)
{
    DgStatus status = step_secret(m->run, name, out, err);
    return status == DG_END ? DG_OK : status;
}

static DgStatus hide(Mlflow *m, Str secret, DgError *err)
{
    return !secret.len || redactor_add(m->run->run->redactor, secret) ? DG_OK : os_no_memory(err, "for a secret");
}

static DgStatus sign(Mlflow *m, Str token, Str username, Str password, DgError *err)
{
    Rest *r = &m->rest;
    DG_TRY(hide(m, token, err));
    DG_TRY(hide(m, password, err));
    if (token.len) {
        rest_header(r, "Authorization", str_format(&r->keep, "Bearer %.*s", FMT(token)));
    } else if (username.len) {
        Str both = str_format(&r->keep, "%.*s:%.*s", FMT(username), FMT(password));
        char *text = push(&r->keep, char, (size_t)(both.len + 2) / 3 * 4 + 1);
        int n = text ? EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)both.ptr, (int)both.len) : 0;
        DG_TRY(hide(m, (Str){text, n}, err));
        rest_header(r, "Authorization", str_format(&r->keep, "Basic %.*s", n, text));
    }
    return r->keep.failed ? os_no_memory(err, "for a request") : DG_OK;
}

/* The run that was resumed first: its things are this one's. */
static DgStatus first_run(Mlflow *m, DgError *err)
{
    Run *run = m->run->run;
    Arena *a = &m->rest.keep;
    Str id = run->options.resume.len ? run->options.resume : str_from(run->id);
    RunRow row;
    for (int i = 0; i < RESUMES_MAX && run->history; i++) {
        DgStatus status = history_find_run(run->history, a, id, &row, err);
        if (status != DG_OK && status != DG_END)
            return status;
        if (status == DG_END || !row.resumed_from.len)
            break;
        id = row.resumed_from;
    }
    m->run_id = str_copy(a, id);
    return DG_OK;
}

DgStatus mlflow_open(Mlflow *m, DgStepRun *run, const MlflowPlace *place, Str step, DgError *err)
{
    Str url = place->url, token = place->token, username = place->username, password = place->password;
    *m = (Mlflow){.run = run};
    if (!url.len)
        DG_TRY(from_environment(m, "MLFLOW_TRACKING_URI", &url, err));
    if (!url.len) {
        dg_fail(err, DG_CONFIG, "it is not said where MLflow is");
        dg_hint(err, "write `url: http://localhost:5000`, or set MLFLOW_TRACKING_URI");
        return DG_CONFIG;
    }
    bool databricks = str_eq(url, S("databricks"));
    if (databricks) {
        DG_TRY(from_environment(m, "DATABRICKS_HOST", &url, err));
        if (!token.len)
            DG_TRY(secret_from_environment(m, "DATABRICKS_TOKEN", &token, err));
        if (!url.len)
            return dg_fail(err, DG_CONFIG, "MLflow is said to be `databricks`, but DATABRICKS_HOST is not set");
    } else if (!token.len && !username.len) {
        DG_TRY(secret_from_environment(m, "MLFLOW_TRACKING_TOKEN", &token, err));
        DG_TRY(from_environment(m, "MLFLOW_TRACKING_USERNAME", &username, err));
        DG_TRY(secret_from_environment(m, "MLFLOW_TRACKING_PASSWORD", &password, err));
    }
    DG_TRY(rest_open(&m->rest, run, url, "MLflow", NULL, err));
    m->rest.denied = databricks ? "is DATABRICKS_TOKEN right?" : "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD";
    DG_TRY(sign(m, token, username, password, err));
    DG_TRY(first_run(m, err));
    m->step = str_copy(&m->rest.keep, step);
    m->now = str_format(&m->rest.keep, "%lld", (long long)(os_real_us() / 1000));
    m->version = run->run->pipeline->version;
    m->source = run->run->pipeline->name;
    return m->rest.keep.failed ? os_no_memory(err, "for a request") : DG_OK;
}

void mlflow_close(Mlflow *m)
{
    if (m->rest.title)
        rest_close(&m->rest);
}

/* ---- Calls ---- */

void mlflow_begin(Mlflow *m) { rest_begin(&m->rest); }

/* Of a body: what is another in each run stands as a word, so that a tape knows it again. A time that MLflow told
 * stands on the tape itself. */
static Str for_tapes(Mlflow *m, Str body)
{
    Arena *a = &m->rest.arena;
    Str now = str_format(a, "_time\":%.*s", FMT(m->now));
    return str_replace(a, str_replace(a, body, m->run_id, S("{run}")), now, S("_time\":{now}"));
}

static DgStatus send(Mlflow *m, RestCall *c, StrBuf *body, DgValue *answer, const char *what, DgError *err)
{
    if (body) {
        c->body = buf_str(body);
        c->type = "application/json";
        c->tape_body = for_tapes(m, c->body);
    }
    c->path = str_concat(&m->rest.arena, S("/api/2.0/mlflow/"), c->path);
    DgStatus status = (body && body->failed) || m->rest.arena.failed ? os_no_memory(err, "for a request") : rest_send(&m->rest, c, answer, what, err);
    if (body)
        buf_free(body);
    /* MLflow says so with 404, older versions and Databricks with 400. */
    return status == DG_DATA && str_eq(m->rest.code, S("RESOURCE_DOES_NOT_EXIST")) ? DG_END : status;
}

DgStatus mlflow_call(Mlflow *m, const char *method, Str path, StrBuf *body, DgValue *answer, const char *what, DgError *err)
{
    return send(m, &(RestCall){.method = method, .path = path}, body, answer, what, err);
}

DgStatus mlflow_create(Mlflow *m, Str path, StrBuf *body, DgValue *answer, const char *what, DgError *err)
{
    return send(m, &(RestCall){.method = "POST", .path = path, .once = true}, body, answer, what, err);
}

bool mlflow_exists(const Mlflow *m)
{
    return str_eq(m->rest.code, S("RESOURCE_ALREADY_EXISTS"));
}

DgStatus mlflow_put(Mlflow *m, Str path, Str content, const char *what, DgError *err)
{
    StrBuf b = {0};
    buf_add(&b, S("/api/2.0/mlflow-artifacts/artifacts/"));
    http_encode(&b, path, true);
    RestCall c = {.method = "PUT", .path = str_copy(&m->rest.arena, buf_str(&b)), .body = content, .type = "application/octet-stream"};
    buf_free(&b);
    DgStatus status = rest_send(&m->rest, &c, NULL, what, err);
    if (status == DG_END)
        dg_hint(err, "the server must be started with --serve-artifacts");
    return status == DG_END ? DG_CONFIG : status;
}

void mlflow_member(StrBuf *b, const char *name, Str value)
{
    buf_format(b, "\"%s\":", name);
    buf_json(b, value);
}

void mlflow_pair(StrBuf *b, Str key, Str value)
{
    buf_char(b, '{');
    mlflow_member(b, "key", key);
    buf_char(b, ',');
    mlflow_member(b, "value", value);
    buf_char(b, '}');
}
