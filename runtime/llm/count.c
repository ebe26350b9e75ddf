/* count.c - llm_count(), see session.h: one call, waited for. */
#include "runtime/llm/output.h"
#include "runtime/llm/session.h"
#include "runtime/os/os.h"

enum { WAIT_MS = 200, DEADLINE_MS = 60000, TOKENS_MOST = 1 << 30 };

static DgStatus wait_for(LlmSession *l, DgCall **out, DgError *err)
{
    while (!(*out = llm_next(l, WAIT_MS)))
        if (dg_cancelled(l->sr))
            return dg_fail(err, DG_CANCELLED, "cancelled");
    return DG_OK;
}

DgStatus llm_count(LlmSession *l, const LlmQuestion *q, DgEval *ev, int64_t *tokens, DgError *err)
{
    const LlmApi *api = l->model.provider->api;
    LlmRequest r;
    DgCall *call;
    const DgCallAnswer *a;
    DgValue v;
    if (!l->sr->run->options.count || !api->count)
        return DG_END;
    DG_TRY(api->count(&l->model, q, ev->arena, &r, err));
    DgCallSpec spec = {.method = "POST", .url = r.url, .headers = r.headers.items, .headers_count = r.headers.count, .body = r.body, .what = "count tokens",
                       .retries = l->s->retries ? (int)l->s->retries : -1, .concurrency = 1, .deadline_ms = DEADLINE_MS, .is_final = api->is_final};
    DG_TRY(call_start(l->services, &spec, l, NULL, NULL, err));
    DG_TRY(wait_for(l, &call, err));
    DgStatus status = call_result(call, &a, err);
    if (status != DG_OK) {
        status = llm_failure(l, ev, call, err);
    } else if ((status = dg_read_json(ev, str_copy(ev->arena, a->body), &v, err)) == DG_OK) {
        *tokens = dgv_int_at(v, "input_tokens");
        if (*tokens <= 0 || *tokens > TOKENS_MOST)
            status = dg_fail(err, DG_DATA, "could not count tokens: the answer has no `input_tokens`");
    }
    call_free(l->services, call);
    return status;
}
