/* predict_step.c - scores rows: a batch of the input becomes some calls, which go out at the same time.
 *
 * A call that the server refuses as such (4xx) is halved, and halved again, until it is one row: that one is at
 * fault, and is set aside. Of what is left the order stays as it was.
 */
#include "stdlib-components/mlflow/predict_step.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/llm/rejected.h"
#include "runtime/llm/rows.h"
#include "runtime/net/step_services.h"
#include "runtime/os/os.h"

enum { BODY_MAX = 4 << 20, WAIT_MS = 1000, WORDS_MAX = 400, REFUSED_FIRST = 3, BYTES_OF_A_BATCH = 1 << 30 };

const char *const dg_predict_formats[] = {"dataframe_split", "dataframe_records", "inputs", NULL};

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(PredictStep, from, .doc = "The asset it reads."),
    DG_FIELD_ASSET_KEY(PredictStep, asset, .doc = "The asset it makes."),
    DG_FIELD_STRING(PredictStep, url, .doc = "The server."),
    DG_FIELD_STRING(PredictStep, endpoint, .doc = "Endpoint of Databricks."),
    DG_FIELD_STRING(PredictStep, token, .doc = "Bearer token."),
    DG_FIELD_STRINGS(PredictStep, features, .doc = "Columns that are sent."),
    DG_FIELD_STRINGS(PredictStep, keep, .doc = "Columns that are kept."),
    DG_FIELD_STRUCT_MAP(PredictStep, output, OutputField, output_fields, .doc = "Columns of a prediction."),
    DG_FIELD_ANY_MAP(PredictStep, params, .doc = "Parameters."),
    DG_FIELD_ENUM(PredictStep, format, .choices = dg_predict_formats, .doc = "How rows are sent."),
    DG_FIELD_INT(PredictStep, batch, .doc = "Rows in a call."),
    DG_FIELD_INT(PredictStep, concurrency, .doc = "Calls at once."),
    DG_FIELD_INT(PredictStep, retries, .doc = "Of a call."),
    DG_FIELD_DURATION(PredictStep, timeout, .doc = "Of a call."),
    DG_FIELD_INT(PredictStep, limit, .doc = "Rows at most; 0: all."),
    {0},
};

typedef struct Group { /* rows of the input batch that go in one call */
    int32_t first, count;
} Group;

typedef struct Predicting {
    DgStepRun *sr;
    const PredictStep *c;
    DgServices *services;
    Str url, auth;           /* auth: a header; empty: none */
    char what[200];
    InputRows from;
    int32_t *features;       /* columns of `from` */
    int32_t features_count;
    AnswerTable table;
    Arena arena;             /* of the batch at hand: calls, answers */
    DgEval ev;
    bool has_ev;
    DgValue *values;         /* of its rows: fields_count each */
    bool *answered;          /* by row */
    Array(Group) waiting;
    int64_t in_flight;
    Rejected rejected;
    int64_t rows, calls, good, refused;
} Predicting;

/* ---- What is sent ---- */

static void add_base64(Predicting *k, StrBuf *b, Str bytes)
{
    char *text = push(&k->arena, char, (size_t)(bytes.len + 2) / 3 * 4 + 1);
    int n = text ? EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.ptr, (int)bytes.len) : 0;
    buf_json(b, (Str){text, n});
}

/* As MLflow reads it: Python's JSON, in which NaN and Infinity are numbers. */
static void add_cell(Predicting *k, StrBuf *b, int32_t column, int32_t row)
{
    const DgVector *v = &k->from.in.vectors[column];
    DgType type = k->from.in.columns[column].type;
    StrBuf text = {0};
    if (!DG_VALID(v, row)) {
        buf_add(b, S("null"));
        return;
    }
    if (type.kind == DG_FLOAT32 || type.kind == DG_FLOAT64) {
        double x = type.kind == DG_FLOAT64 ? ((const double *)v->values)[row] : (double)((const float *)v->values)[row];
        if (isfinite(x))
            dg_float_repr(b, x);
        else
            buf_add(b, isnan(x) ? S("NaN") : x > 0 ? S("Infinity") : S("-Infinity"));
        return;
    }
    if (type.kind == DG_BINARY) {
        add_base64(k, b, dg_text_get(v, row));
        return;
    }
    value_write_text(&text, v, type, row);
    if (type.kind == DG_BOOL || type.kind == DG_JSON || value_is_number(type))
        buf_add(b, buf_str(&text));
    else
        buf_json(b, buf_str(&text));
    b->failed |= text.failed;
    buf_free(&text);
}

static void add_names(Predicting *k, StrBuf *b)
{
    for (int32_t i = 0; i < k->features_count; i++) {
        buf_add(b, i ? S(",") : S(""));
        buf_json(b, k->from.columns[k->features[i]].name);
    }
}

static void add_split(Predicting *k, StrBuf *b, Group g)
{
    buf_add(b, S("{\"dataframe_split\":{\"columns\":["));
    add_names(k, b);
    buf_add(b, S("],\"data\":["));
    for (int32_t r = 0; r < g.count; r++) {
        buf_add(b, r ? S(",[") : S("["));
        for (int32_t i = 0; i < k->features_count; i++) {
            buf_add(b, i ? S(",") : S(""));
            add_cell(k, b, k->features[i], g.first + r);
        }
        buf_char(b, ']');
    }
    buf_add(b, S("]}"));
}

static void add_records(Predicting *k, StrBuf *b, Group g)
{
    buf_add(b, S("{\"dataframe_records\":["));
    for (int32_t r = 0; r < g.count; r++) {
        buf_add(b, r ? S(",{") : S("{"));
        for (int32_t i = 0; i < k->features_count; i++) {
            buf_add(b, i ? S(",") : S(""));
            buf_json(b, k->from.columns[k->features[i]].name);
            buf_char(b, ':');
            add_cell(k, b, k->features[i], g.first + r);
        }
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static void add_inputs(Predicting *k, StrBuf *b, Group g)
{
    buf_add(b, S("{\"inputs\":{"));
    for (int32_t i = 0; i < k->features_count; i++) {
        buf_add(b, i ? S(",") : S(""));
        buf_json(b, k->from.columns[k->features[i]].name);
        buf_add(b, S(":["));
        for (int32_t r = 0; r < g.count; r++) {
            buf_add(b, r ? S(",") : S(""));
            add_cell(k, b, k->features[i], g.first + r);
        }
        buf_char(b, ']');
    }
    buf_char(b, '}');
}

static void add_params(Predicting *k, StrBuf *b)
{
    for (size_t i = 0; i < k->c->params.count; i++) {
        const DgValuePair *p = &DG_ITEMS(DgValuePair, k->c->params)[i];
        buf_add(b, i ? S(",") : S(",\"params\":{"));
        buf_json(b, p->key);
        buf_char(b, ':');
        dg_write_json(&k->ev, b, p->value, 0, false);
    }
    buf_add(b, k->c->params.count ? S("}}") : S("}"));
}

static DgStatus halve(Predicting *k, Group g, DgError *err)
{
    Group first = {g.first, g.count / 2}, second = {g.first + g.count / 2, g.count - g.count / 2};
    array_add(&k->arena, &k->waiting, second);
    array_add(&k->arena, &k->waiting, first);
    return k->arena.failed ? os_no_memory(err, "for calls") : DG_OK;
}

static DgStatus start(Predicting *k, Group g, DgError *err)
{
    Str headers[3] = {S("Content-Type: application/json"), S("Accept: application/json"), k->auth};
    StrBuf b = {0};
    if (k->c->format == PREDICT_RECORDS)
        add_records(k, &b, g);
    else if (k->c->format == PREDICT_INPUTS)
        add_inputs(k, &b, g);
    else
        add_split(k, &b, g);
    add_params(k, &b);
    if (!b.failed && b.len > BODY_MAX && g.count > 1) {
        buf_free(&b);
        return halve(k, g, err);
    }
    Group *user = push(&k->arena, Group, 1);
    DgCallSpec spec = {.method = "POST", .url = k->url, .headers = headers, .headers_count = k->auth.len ? 3 : 2, .body = buf_str(&b), .what = k->what,
                       .retries = k->c->retries ? (int)k->c->retries : -1, .concurrency = (int)k->c->concurrency, .deadline_ms = k->c->timeout / 1000000};
    DgStatus status = b.failed || !user ? os_no_memory(err, "for a call") : DG_OK;
    if (status == DG_OK) {
        *user = g;
        status = call_start(k->services, &spec, k, user, NULL, err);
    }
    buf_free(&b);
    if (status == DG_OK) {
        k->in_flight++;
        k->calls++;
    }
    return status;
}

/* ---- What comes back ---- */

/* Python's NaN and Infinity, which are no JSON, become null. */
static Str as_json(Arena *a, Str body)
{
    static const char *const words[] = {"-Infinity", "Infinity", "NaN"};
    StrBuf b = {0};
    bool text = false;
    for (ptrdiff_t i = 0; i < body.len; i++) {
        char c = body.ptr[i];
        if (c == '"')
            text = !text;
        if (text && c == '\\' && i + 1 < body.len)
            buf_char(&b, body.ptr[i++]);
        size_t w = 0;
        while (!text && w < 3 && !str_starts(str_sub(body, i, body.len), str_from(words[w])))
            w++;
        if (!text && w < 3) {
            buf_add(&b, S("null"));
            i += (ptrdiff_t)strlen(words[w]) - 1;
        } else {
            buf_char(&b, body.ptr[i]);
        }
    }
    Str out = b.failed ? (Str){0} : str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static DgStatus reject(Predicting *k, int32_t row, const char *kind, Str reason, Str reply, DgError *err)
{
    return rejected_add(&k->rejected, &k->ev, &k->from.in, row, kind, reason, reply, err);
}

static Str as_text(Predicting *k, DgValue v)
{
    StrBuf b = {.max = 64 << 10};
    dg_write_json(&k->ev, &b, v, 0, false);
    Str out = b.failed ? (Str){0} : str_copy(&k->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static bool is_list_type(const OutputField *f)
{
    return f->type == OUTPUT_STRINGS || f->type == OUTPUT_INTS || f->type == OUTPUT_FLOATS;
}

/* A prediction taken apart by the fields of `output`. Empty: it could be. */
static Str take_apart(Predicting *k, DgValue v, DgValue *values)
{
    const OutputField *f = k->table.fields;
    size_t n = k->table.fields_count;
    bool named = v.kind == DG_V_DICT && dgv_get_str(v, f->key);
    bool whole = n == 1 && !named && (f->type == OUTPUT_JSON || (v.kind != DG_V_DICT && (is_list_type(f) || v.kind != DG_V_LIST)));
    if (whole) {
        values[0] = v;
    } else if (n == 1 && v.kind == DG_V_DICT && v.as.dict->count == 1) {
        values[0] = v.as.dict->values[0]; /* a series of pandas has a column called 0 */
    } else if (v.kind == DG_V_DICT) {
        for (size_t i = 0; i < n; i++) {
            const DgValue *found = dgv_get_str(v, f[i].key);
            values[i] = found ? *found : (DgValue){.kind = DG_V_UNDEFINED};
        }
    } else if (v.kind == DG_V_LIST && v.as.list->count == n) {
        for (size_t i = 0; i < n; i++)
            values[i] = v.as.list->items[i];
    } else if (v.kind == DG_V_LIST) {
        return str_format(&k->arena, "the prediction is a list of %zu, but `output` has %zu column%s", v.as.list->count, n, n == 1 ? "" : "s");
    } else {
        return str_format(&k->arena, "the prediction is one value, but `output` has %zu columns", n);
    }
    return (Str){0};
}

static DgStatus take_row(Predicting *k, int32_t row, DgValue v, DgError *err)
{
    DgValue *values = k->values + (size_t)row * k->table.fields_count;
    Str wrong = take_apart(k, v, values);
    if (!wrong.len)
        wrong = output_check_values(&k->ev, &k->c->output, values);
    if (wrong.len)
        return reject(k, row, "invalid", wrong, as_text(k, v), err);
    k->answered[row] = true;
    k->good++;
    return DG_OK;
}

/* {"a": [...], "b": [...]}: the row's own. */
static DgValue row_of(Predicting *k, DgValue columns, int32_t row)
{
    DgValue d = dg_new_dict(&k->ev);
    for (size_t i = 0; i < columns.as.dict->count; i++) {
        DgValue list = columns.as.dict->values[i];
        dg_put(&k->ev, d, columns.as.dict->keys[i], list.as.list->items[row]);
    }
    return d;
}

static DgStatus not_rows(Predicting *k, Group g, const char *is, size_t count, DgError *err)
{
    dg_fail(err, DG_DATA, "could not %s: the answer has %zu %s for %d rows", k->what, count, is, g.count);
    dg_hint(err, "the model must give one prediction for each row");
    return DG_DATA;
}

static DgStatus take_answer(Predicting *k, Group g, Str body, DgError *err)
{
    DgValue answer;
    DgError bad;
    body = str_copy(&k->arena, body); /* values point into it */
    if (dg_read_json(&k->ev, body, &answer, &bad) != DG_OK && dg_read_json(&k->ev, as_json(&k->arena, body), &answer, &bad) != DG_OK)
        return dg_fail(err, DG_DATA, "could not %s: the answer is no JSON: %s", k->what, bad.message);
    const DgValue *p = answer.kind == DG_V_DICT ? dgv_get_str(answer, (Str)DG_S("predictions")) : &answer;
    if (!p || (p->kind != DG_V_LIST && p->kind != DG_V_DICT)) {
        dg_fail(err, DG_DATA, "could not %s: the answer has no list of predictions", k->what);
        dg_hint(err, "is it a model server? `mlflow models serve` starts one; language models are called by dgc.Llm");
        return DG_DATA;
    }
    if (p->kind == DG_V_LIST && p->as.list->count != (size_t)g.count)
        return not_rows(k, g, "predictions", p->as.list->count, err);
    for (size_t i = 0; p->kind == DG_V_DICT && i < p->as.dict->count; i++) {
        DgValue list = p->as.dict->values[i];
        if (list.kind != DG_V_LIST || list.as.list->count != (size_t)g.count)
            return not_rows(k, g, "values in a column", list.kind == DG_V_LIST ? list.as.list->count : 1, err);
    }
    for (int32_t r = 0; r < g.count; r++)
        DG_TRY(take_row(k, g.first + r, p->kind == DG_V_LIST ? p->as.list->items[r] : row_of(k, *p, r), err));
    if (!k->good && k->rejected.rows.count >= REFUSED_FIRST) { /* the fault is not the rows' */
        dg_fail(err, DG_DATA, "could not use what the model answers: %.*s", FMT(k->rejected.rows.items[0].reason));
        dg_hint(err, "`output` says what a prediction is; it is %.*s", FMT(str_sub(k->rejected.rows.items[0].reply, 0, 100)));
        return DG_DATA;
    }
    return k->arena.failed ? os_no_memory(err, "for predictions") : dg_eval_status(&k->ev, err);
}

/* The server's own words, into *err. */
static Str tell(Predicting *k, DgStatus status, const DgCallAnswer *a, DgError *err)
{
    DgValue v;
    DgError bad, first = *err;
    Str words = {0};
    if (a->body.len && dg_read_json(&k->ev, str_copy(&k->arena, a->body), &v, &bad) == DG_OK)
        words = output_clean(&k->arena, dgv_text_at(v, "message"));
    if (!words.len)
        return str_copy(&k->arena, str_from(err->message));
    dg_fail(err, status, "could not %s: %.*s (HTTP %d)", k->what, FMT(str_sub(words, 0, WORDS_MAX)), a->status);
    err->retry_after_ms = first.retry_after_ms;
    return words;
}

static DgStatus take_call(Predicting *k, DgCall *call, DgError *err)
{
    const DgCallAnswer *a;
    Group g = *(const Group *)call_user(call);
    DgStatus status = call_result(call, &a, err);
    k->in_flight--;
    if (status == DG_OK)
        return take_answer(k, g, a->body, err);
    if (!a->status)
        return status;
    Str words = tell(k, status, a, err);
    if (status == DG_NOPERM)
        dg_hint(err, "%s", k->c->endpoint.len ? "is DATABRICKS_TOKEN right, and may it query this endpoint?" : "give `token`");
    if (status == DG_END) {
        dg_hint(err, "is a model served at %.*s?", FMT(k->url));
        return err->status = DG_CONFIG;
    }
    if (status != DG_DATA)
        return status;
    if (g.count > 1)
        return halve(k, g, err);
    /* When not one row went well the fault is not the row's. */
    if (++k->refused >= REFUSED_FIRST && !k->good)
        return status;
    return reject(k, g.first, "failed", words, a->body, err);
}

/* ---- A batch ---- */

static DgStatus begin_batch(Predicting *k, DgError *err)
{
    if (k->has_ev)
        dg_eval_free(&k->ev);
    arena_reset(&k->arena);
    step_eval(k->sr, &k->arena, &k->ev);
    k->has_ev = true;
    memset(&k->waiting, 0, sizeof k->waiting);
    k->values = push(&k->arena, DgValue, (size_t)k->from.in.rows * k->table.fields_count);
    k->answered = push(&k->arena, bool, (size_t)k->from.in.rows);
    if (!k->values || !k->answered)
        return os_no_memory(err, "for predictions");
    memset(k->answered, 0, (size_t)k->from.in.rows * sizeof *k->answered);
    int32_t batch = (int32_t)k->c->batch, groups = (k->from.in.rows + batch - 1) / batch;
    for (int32_t i = groups; i-- > 0;) { /* the last one added goes first */
        Group g = {i * batch, i + 1 < groups ? batch : k->from.in.rows - i * batch};
        array_add(&k->arena, &k->waiting, g);
    }
    return k->arena.failed ? os_no_memory(err, "for calls") : DG_OK;
}

static DgCall *next_call(Predicting *k)
{
    char why[160];
    int64_t until_ms;
    DgCall *call = calls_next(k->services, k, WAIT_MS);
    if (call)
        dg_waiting(k->sr, NULL, 0);
    else if (services_waiting(k->services, k, why, &until_ms))
        dg_waiting(k->sr, why, until_ms);
    return call;
}

static DgStatus score_batch(Predicting *k, DgError *err)
{
    DG_TRY(begin_batch(k, err));
    while (k->waiting.count || k->in_flight) {
        if (dg_cancelled(k->sr))
            return dg_fail(err, DG_CANCELLED, "cancelled");
        while (k->waiting.count && k->in_flight < k->c->concurrency + 1) /* one waits, so that none is late */
            DG_TRY(start(k, k->waiting.items[--k->waiting.count], err));
        DgCall *call = k->in_flight ? next_call(k) : NULL;
        if (!call)
            continue;
        DgStatus status = take_call(k, call, err);
        call_free(k->services, call);
        DG_TRY(status);
    }
    return DG_OK;
}

static DgStatus next_batch(void *context, void *lane, DgBatch *out, DgError *err)
{
    Predicting *k = context;
    (void)lane;
    for (;;) {
        DG_TRY(rows_more(&k->from, err)); /* or that there are no more */
        DG_TRY(score_batch(k, err));
        for (int32_t i = 0; i < k->from.in.rows; i++)
            if (k->answered[i])
                DG_TRY(answer_row(&k->table, &k->ev, &k->from.in, i, k->values + (size_t)i * k->table.fields_count, out, err));
        k->rows += k->from.in.rows;
        dg_progress(k->sr, k->from.in.rows, 0);
        if (out->rows)
            return k->from.done ? DG_END : DG_OK;
    }
}

/* ---- The whole ---- */

static DgStatus from_environment(Predicting *k, const char *name, Str *out, DgError *err)
{
    bool marked;
    DgStatus status = secrets_get(k->sr->run->secrets, str_from(name), out, &marked, err);
    return status == DG_END ? DG_OK : status;
}

static DgStatus find_server(Predicting *k, DgError *err)
{
    const PredictStep *c = k->c;
    Str url = c->url, token = c->token;
    if (c->endpoint.len && !url.len)
        DG_TRY(from_environment(k, "DATABRICKS_HOST", &url, err));
    if (c->endpoint.len && !token.len) {
        DgStatus status = step_secret(k->sr, "DATABRICKS_TOKEN", &token, err);
        if (status != DG_END)
            DG_TRY(status);
    }
    if (!url.len) {
        dg_fail(err, DG_CONFIG, c->endpoint.len ? "DATABRICKS_HOST is not set, and there is no `url`" : "`url` is empty");
        return DG_CONFIG;
    }
    if (!str_starts(url, S("http://")) && !str_starts(url, S("https://")))
        return dg_fail(err, DG_CONFIG, "url `%.*s` is no http(s) address", FMT(url));
    if (token.len && !redactor_add(k->sr->run->redactor, token))
        return os_no_memory(err, "for a secret");
    while (url.len && url.ptr[url.len - 1] == '/')
        url.len--;
    if (c->endpoint.len) {
        StrBuf name = {0};
        http_encode(&name, c->endpoint, false);
        k->url = dg_format(k->sr, "%.*s/serving-endpoints/%.*s/invocations", FMT(url), FMT(buf_str(&name)));
        buf_free(&name);
        snprintf(k->what, sizeof k->what, "ask endpoint %.*s", FMT(c->endpoint));
    } else {
        k->url = str_ends(url, S("/invocations")) ? step_copy(k->sr, url) : dg_format(k->sr, "%.*s/invocations", FMT(url));
        snprintf(k->what, sizeof k->what, "ask the model at %.*s", FMT(url));
    }
    if (token.len)
        k->auth = dg_format(k->sr, "Authorization: Bearer %.*s", FMT(token));
    return DG_OK;
}

static DgStatus find_features(Predicting *k, DgError *err)
{
    const DgList *wanted = &k->c->features;
    k->features_count = wanted->count ? (int32_t)wanted->count : k->from.count;
    k->features = dg_alloc(k->sr, ((size_t)k->features_count + 1) * sizeof *k->features);
    if (!k->features)
        return os_no_memory(err, "for columns");
    for (int32_t i = 0; i < k->features_count; i++) {
        k->features[i] = wanted->count ? row_find_column(k->from.columns, k->from.count, DG_ITEMS(DgStr, *wanted)[i]) : i;
        if (k->features[i] < 0)
            return dg_fail(err, DG_DATA, "`features` names `%.*s`, which `%.*s` does not have", FMT(DG_ITEMS(DgStr, *wanted)[i]), FMT(k->c->from));
    }
    return DG_OK;
}

static DgStatus begin(Predicting *k, DgError *err)
{
    const PredictStep *c = k->c;
    arena_init(&k->arena, BYTES_OF_A_BATCH);
    k->arena.can_fail = true;
    rejected_open(&k->rejected);
    DG_TRY(find_server(k, err));
    DG_TRY(step_services(k->sr, &k->services, err));
    DG_TRY(rows_begin(k->sr, c->from, c->limit, &k->from, err));
    DG_TRY(find_features(k, err));
    return answer_table(k->sr, c->from, k->from.columns, k->from.count, &c->keep, c->output.items, c->output.count, &k->table, err);
}

static DgStatus load(Predicting *k, DgError *err)
{
    DgSession *session;
    Str schema, table;
    DgLoadResult result;
    DgLoad own = {.mode = DG_REPLACE, .columns = k->table.columns, .columns_count = k->table.columns_count, .lanes_max = 1};
    DgPull pull = {.context = k, .next = next_batch, .lanes_max = 1};
    DG_TRY(step_session(k->sr, &session, err));
    pthread_mutex_lock(&k->sr->lock);
    dg_asset_table(&k->sr->arena, k->c->asset, &schema, &table);
    pthread_mutex_unlock(&k->sr->lock);
    DG_TRY(dg_session_load(session, schema, table, &own, &pull, &result, err));
    dg_report_metadata(k->sr, k->c->asset, "predict/url", dgv_from_str(k->url));
    dg_report_metadata(k->sr, k->c->asset, "predict/rows", dgv_int(k->rows));
    dg_report_metadata(k->sr, k->c->asset, "predict/calls", dgv_int(k->calls));
    return rejected_load(&k->rejected, k->sr, k->c->asset, "predict/rejected", err);
}

static void end(Predicting *k)
{
    if (k->services)
        calls_drop(k->services, k);
    rows_end(&k->from);
    if (k->has_ev)
        dg_eval_free(&k->ev);
    arena_free(&k->arena);
    rejected_close(&k->rejected);
}

static DgStatus predict_execute(DgStepRun *sr, const void *config, void *state, DgError *err)
{
    Predicting *k = state;
    k->sr = sr;
    k->c = config;
    DgStatus status = begin(k, err);
    if (status == DG_OK)
        status = load(k, err);
    end(k);
    return status;
}

/* ---- What it would do ---- */

static DgStatus predict_explain(DgStepRun *sr, const void *config, DgStr *text, DgError *err)
{
    const PredictStep *c = config;
    int64_t rows = 0;
    bool there;
    DG_TRY(rows_there(sr, c->from, &there, &rows, err));
    const char *what = c->endpoint.len ? c->endpoint.ptr : c->url.ptr;
    int what_len = (int)(c->endpoint.len ? c->endpoint.len : c->url.len);
    if (c->limit && rows > c->limit)
        rows = c->limit;
    *text = there ? dg_format(sr, "%lld rows to %.*s in about %lld calls\n", (long long)rows, what_len, what, (long long)((rows + c->batch - 1) / c->batch))
                  : dg_format(sr, "each row of %.*s, which is not made yet, to %.*s, %lld in a call\n", FMT(c->from), what_len, what, (long long)c->batch);
    return DG_OK;
}

const DgStepOps dg_predict_ops = {
    .name = "dgc.Predict",
    .symbol = "dg_predict_ops",
    .role = DG_ACTION,
    .fields = fields,
    .config_size = sizeof(PredictStep),
    .state_size = sizeof(Predicting),
    .execute = predict_execute,
    .explain = predict_explain,
};
