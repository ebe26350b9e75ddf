/* openai_batches.c - OpenAI's batches: a file of requests is uploaded, run, and read back. */
#include "runtime/base/sha256.h"
#include "runtime/llm/provider.h"

static void add(const LlmModel *m, Str id, const LlmRequest *r, StrBuf *document)
{
    buf_add(document, S("{\"custom_id\":"));
    buf_json(document, id);
    buf_format(document, ",\"method\":\"POST\",\"url\":\"%s\",\"body\":", m->chat ? "/v1/chat/completions" : "/v1/responses");
    buf_add(document, r->body);
    buf_add(document, S("}\n"));
}

static DgStatus finish(const LlmModel *m, const char *path, Str type, StrBuf *b, Arena *a, LlmRequest *out, DgError *err)
{
    *out = (LlmRequest){.url = str_format(a, "%.*s%s", FMT(m->base_url), path), .body = str_copy(a, buf_str(b))};
    bool failed = b->failed;
    buf_free(b);
    llm_openai.add_headers(m, type, a, &out->headers);
    return failed || a->failed ? dg_fail(err, DG_NOMEM, "out of memory for a batch") : DG_OK;
}

static DgStatus upload(const LlmModel *m, Str document, Arena *a, LlmRequest *out, DgError *err)
{
    StrBuf b = {0};
    Sha256 sum;
    char mark[65];
    sha256_init(&sum);
    sha256_add(&sum, document);
    sha256_hex(&sum, mark);
    buf_format(&b, "--%s\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n", mark);
    buf_format(&b, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"batch.jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n", mark);
    buf_add(&b, document);
    buf_format(&b, "\r\n--%s--\r\n", mark);
    return finish(m, "/files", str_format(a, "multipart/form-data; boundary=%s", mark), &b, a, out, err);
}

static DgStatus create(const LlmModel *m, Str document, Arena *a, LlmRequest *out, DgError *err)
{
    StrBuf b = {0};
    buf_add(&b, S("{\"completion_window\":\"24h\",\"endpoint\":"));
    buf_json(&b, m->chat ? S("/v1/chat/completions") : S("/v1/responses"));
    buf_add(&b, S(",\"input_file_id\":"));
    buf_json(&b, document);
    buf_char(&b, '}');
    return finish(m, "/batches", S("application/json"), &b, a, out, err);
}

static Str path(const LlmModel *m, Arena *a, Str id)
{
    (void)m;
    return str_format(a, "/batches/%.*s", FMT(id));
}

static void add_file(DgEval *ev, DgValue v, const char *name, LlmBatchState *out)
{
    Str file = dgv_text_at(v, name);
    if (llm_is_id(file))
        array_add(ev->arena, &out->results, str_format(ev->arena, "/files/%.*s/content", FMT(file)));
}

/* Also of an uploaded file: then the id alone is of interest. */
static DgStatus read_state(const LlmModel *m, DgEval *ev, Str body, LlmBatchState *out, DgError *err)
{
    static const char *const ends[] = {"completed", "failed", "expired", "cancelled"};
    DgValue v;
    (void)m;
    *out = (LlmBatchState){0};
    DG_TRY(dg_read_json(ev, body, &v, err));
    out->id = dgv_text_at(v, "id");
    if (!llm_is_id(out->id))
        return dg_fail(err, DG_DATA, "the answer is none of /batches");
    Str status = dgv_text_at(v, "status");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        out->ended |= str_eq(status, str_from(ends[i]));
    if (str_eq(status, S("failed"))) {
        Str why = dgv_text_at(v, "errors.data.0.message");
        out->failed = why.len ? why : S("it says no reason");
    }
    out->done = dgv_int_at(v, "request_counts.completed") + dgv_int_at(v, "request_counts.failed");
    out->total = dgv_int_at(v, "request_counts.total");
    add_file(ev, v, "output_file_id", out);
    add_file(ev, v, "error_file_id", out);
    return DG_OK;
}

static DgStatus read_result(DgEval *ev, Str line, LlmBatchResult *out, DgError *err)
{
    DgValue v;
    StrBuf b = {0};
    *out = (LlmBatchResult){0};
    DG_TRY(dg_read_json(ev, line, &v, err));
    out->id = dgv_text_at(v, "custom_id");
    const DgValue *body = dgv_at(&v, "response.body");
    int64_t status = dgv_int_at(v, "response.status_code");
    if (body && body->kind == DG_V_DICT && status >= 200 && status < 300) {
        dg_write_json(ev, &b, *body, 0, false);
        out->body = str_copy(ev->arena, buf_str(&b));
    }
    bool failed = b.failed;
    buf_free(&b);
    Str why = dgv_text_at(v, "error.message");
    out->problem = why.len ? why : dgv_text_at(v, "response.body.error.message");
    return failed ? dg_fail(err, DG_NOMEM, "out of memory for an answer") : DG_OK;
}

const LlmBatchApi llm_openai_batches = {
    .add = add, .upload = upload, .create = create, .path = path, .read_state = read_state, .read_result = read_result,
};
