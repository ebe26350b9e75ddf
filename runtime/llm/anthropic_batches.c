/* anthropic_batches.c - Anthropic's message batches: requests and results in one call each. */
#include "runtime/llm/provider.h"

static void add(const LlmModel *m, Str id, const LlmRequest *r, StrBuf *document)
{
    (void)m;
    buf_add(document, document->len ? S(",{\"custom_id\":") : S("{\"requests\":[{\"custom_id\":"));
    buf_json(document, id);
    buf_add(document, S(",\"params\":"));
    buf_add(document, r->body);
    buf_char(document, '}');
}

static DgStatus create(const LlmModel *m, Str document, Arena *a, LlmRequest *out, DgError *err)
{
    *out = (LlmRequest){.url = str_format(a, "%.*s/v1/messages/batches", FMT(m->base_url)), .body = str_format(a, "%.*s]}", FMT(document))};
    llm_anthropic.add_headers(m, S("application/json"), a, &out->headers);
    return a->failed ? dg_fail(err, DG_NOMEM, "out of memory for a batch") : DG_OK;
}

static Str path(const LlmModel *m, Arena *a, Str id)
{
    (void)m;
    return str_format(a, "/v1/messages/batches/%.*s", FMT(id));
}

static DgStatus read_state(const LlmModel *m, DgEval *ev, Str body, LlmBatchState *out, DgError *err)
{
    DgValue v;
    *out = (LlmBatchState){0};
    DG_TRY(dg_read_json(ev, body, &v, err));
    out->id = dgv_text_at(v, "id");
    if (!llm_is_id(out->id))
        return dg_fail(err, DG_DATA, "the answer is none of /v1/messages/batches");
    out->ended = str_eq(dgv_text_at(v, "processing_status"), S("ended"));
    int64_t done = dgv_int_at(v, "request_counts.succeeded") + dgv_int_at(v, "request_counts.errored") +
                   dgv_int_at(v, "request_counts.canceled") + dgv_int_at(v, "request_counts.expired");
    out->done = done;
    out->total = done + dgv_int_at(v, "request_counts.processing");
    if (out->ended) /* not what `results_url` says: an answer names no addresses */
        array_add(ev->arena, &out->results, str_format(ev->arena, "%.*s/results", FMT(path(m, ev->arena, out->id))));
    return DG_OK;
}

static DgStatus read_result(DgEval *ev, Str line, LlmBatchResult *out, DgError *err)
{
    DgValue v;
    StrBuf b = {0};
    *out = (LlmBatchResult){0};
    DG_TRY(dg_read_json(ev, line, &v, err));
    out->id = dgv_text_at(v, "custom_id");
    Str type = dgv_text_at(v, "result.type"), why = dgv_text_at(v, "result.error.error.message");
    const DgValue *message = dgv_at(&v, "result.message");
    if (str_eq(type, S("succeeded")) && message && message->kind == DG_V_DICT) {
        dg_write_json(ev, &b, *message, 0, false);
        out->body = str_copy(ev->arena, buf_str(&b));
    }
    bool failed = b.failed;
    buf_free(&b);
    out->problem = why.len ? why : type;
    return failed ? dg_fail(err, DG_NOMEM, "out of memory for an answer") : DG_OK;
}

const LlmBatchApi llm_anthropic_batches = {.add = add, .create = create, .path = path, .read_state = read_state, .read_result = read_result};
