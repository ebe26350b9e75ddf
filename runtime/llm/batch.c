/* batch.c - see batch.h. */
#include "runtime/llm/batch.h"

#include <stdio.h>

#include "runtime/llm/output.h"
#include "runtime/os/os.h"

enum { REQUESTS_MAX = 5000, DOCUMENT_BYTES_MAX = 32 << 20, RESULTS_BYTES_MAX = 256 << 20, LINE_BYTES_MAX = 64 << 20, POLL_FIRST_MS = 250,
       POLL_MAX_MS = 60000, SLICE_MS = 200 };

typedef struct Submitted { /* by this run */
    Str id;
    int64_t count;
    LlmEstimate all;
} Submitted;

struct LlmBatch {
    LlmSession *l;
    const LlmBatchApi *api;
    Str whose;
    LlmPrice full_price;
    Arena arena;             /* of all of it */
    Arena document_arena;    /* of what gathers: */
    StrBuf document;
    Array(AnswerKey) keys;
    Map gathered;            /* the keys as text */
    LlmEstimate all;
    Array(Submitted) submitted;
};

DgStatus llm_batch_open(LlmSession *l, Str whose, LlmBatch **out, DgError *err)
{
    *out = NULL;
    if (!l->answers) { /* a template said so: what is known when building is a mistake there */
        dg_fail(err, DG_CONFIG, "with `mode: batch` answers come by way of the cache, and `cache` is false");
        dg_hint(err, "leave `cache` out, or write `mode: calls`");
        return DG_CONFIG;
    }
    LlmBatch *b = os_alloc(sizeof *b);
    *out = b;
    if (!b)
        return os_no_memory(err, "for a batch");
    *b = (LlmBatch){.l = l, .api = l->model.provider->api->batches, .full_price = l->price};
    arena_init(&b->arena, 1 << 30);
    arena_init(&b->document_arena, 256 << 20);
    b->arena.can_fail = b->document_arena.can_fail = true;
    b->whose = str_copy(&b->arena, whose);
    l->price = (LlmPrice){l->price.in / 2, l->price.cached / 2, l->price.written / 2, l->price.out / 2};
    return b->arena.failed ? os_no_memory(err, "for a batch") : DG_OK;
}

/* Of `count` requests whose estimates are `all` together. */
static void settle(LlmBatch *b, int64_t count, LlmEstimate all, const LlmUsage *usage)
{
    for (; count > 0; count--, all = (LlmEstimate){0}, usage = NULL)
        llm_ended(b->l, all, usage);
}

void llm_batch_close(LlmBatch *b)
{
    if (!b)
        return;
    calls_drop(b->l->services, b);
    settle(b, (int64_t)b->keys.count, b->all, NULL);
    for (size_t i = 0; i < b->submitted.count; i++) /* they count in the run that takes their answers */
        settle(b, b->submitted.items[i].count, b->submitted.items[i].all, NULL);
    b->l->price = b->full_price;
    buf_free(&b->document);
    arena_free(&b->document_arena);
    arena_free(&b->arena);
    os_free(b);
}

/* ---- Calls ---- */

static void tell_pending(LlmBatch *b)
{
    AnswersBatch *all;
    size_t count;
    DgError ignored;
    Arena a;
    arena_init(&a, 16 << 20);
    a.can_fail = true;
    if (answers_batches(b->l->answers, b->whose, &a, &all, &count, &ignored) == DG_OK)
        for (size_t i = 0; i < count; i++)
            dg_log(b->l->sr, DG_LOG_WARNING, "batch %.*s of %lld questions goes on at %s, and will be paid for: the next run takes its answers",
                   FMT(all[i].id), (long long)all[i].requests, b->l->model.provider->name);
    arena_free(&a);
}

static DgStatus cancelled(DgError *err)
{
    return dg_fail(err, DG_CANCELLED, "cancelled");
}

/* *body is in the arena. DG_END: there is no such thing (404). */
static DgStatus exchange(LlmBatch *b, const char *method, const LlmRequest *r, bool unrepeatable, Arena *a, Str *body, DgError *err)
{
    LlmSession *l = b->l;
    char what[160];
    DgCall *call;
    const DgCallAnswer *answer;
    snprintf(what, sizeof what, "use batches of %.*s", FMT(l->s->model));
    DgCallSpec spec = {.method = method, .url = r->url, .headers = r->headers.items, .headers_count = r->headers.count, .body = r->body, .what = what,
                       .retries = l->s->retries ? (int)l->s->retries : -1, .concurrency = (int)l->s->concurrency, .answer_max = RESULTS_BYTES_MAX,
                       .unrepeatable = unrepeatable, .is_final = l->model.provider->api->is_final};
    DG_TRY(call_start(l->services, &spec, b, NULL, NULL, err));
    while (!(call = calls_next(l->services, b, SLICE_MS)))
        if (dg_cancelled(l->sr))
            return cancelled(err);
    DgStatus status = call_result(call, &answer, err);
    if (status == DG_OK) {
        *body = str_copy(a, answer->body);
        status = a->failed ? os_no_memory(err, "for a batch") : DG_OK;
    } else if (answer->status != 404) {
        DgEval ev;
        Arena words;
        arena_init(&words, 16 << 20);
        words.can_fail = true;
        step_eval(l->sr, &words, &ev);
        status = llm_failure(l, &ev, call, err);
        dg_eval_free(&ev);
        arena_free(&words);
    } else {
        status = DG_END;
    }
    call_free(l->services, call);
    return status;
}

/* Sends, and reads the state that comes back. */
static DgStatus send(LlmBatch *b, const char *method, const LlmRequest *r, bool unrepeatable, DgEval *ev, LlmBatchState *out, DgError *err)
{
    Str body;
    DG_TRY(exchange(b, method, r, unrepeatable, ev->arena, &body, err));
    return b->api->read_state(&b->l->model, ev, body, out, err);
}

/* ---- Submitting ---- */

static DgStatus create(LlmBatch *b, DgEval *ev, LlmBatchState *out, DgError *err)
{
    const LlmModel *m = &b->l->model;
    Arena *a = &b->document_arena;
    Str document = buf_str(&b->document);
    LlmRequest r;
    if (b->api->upload) {
        DG_TRY(b->api->upload(m, document, a, &r, err));
        DG_TRY(send(b, "POST", &r, false, ev, out, err));
        document = out->id;
    }
    DG_TRY(b->api->create(m, document, a, &r, err));
    return send(b, "POST", &r, true, ev, out, err);
}

static DgStatus submit(LlmBatch *b, DgError *err)
{
    LlmSession *l = b->l;
    DgEval ev;
    LlmBatchState state;
    if (!b->keys.count)
        return DG_OK;
    if (b->document.failed || b->document_arena.failed)
        return os_no_memory(err, "for a batch");
    step_eval(l->sr, &b->document_arena, &ev);
    DgStatus status = create(b, &ev, &state, err);
    if (status == DG_END) {
        status = dg_fail(err, DG_CONFIG, "there are no batches at %.*s", FMT(l->model.base_url));
        dg_hint(err, "leave out `mode: batch`");
    }
    if (status == DG_OK) {
        os_crashpoint("batch-submitted");
        status = answers_put_batch(l->answers, b->whose, state.id, b->keys.items, b->keys.count, err);
        os_crashpoint("batch-kept");
    }
    if (status == DG_OK) {
        Submitted s = {str_copy(&b->arena, state.id), (int64_t)b->keys.count, b->all};
        array_add(&b->arena, &b->submitted, s);
        dg_log(l->sr, DG_LOG_INFO, "batch %.*s: %zu questions are submitted to %s", FMT(state.id), b->keys.count, l->model.provider->name);
        b->keys.count = 0;
        b->all = (LlmEstimate){0};
    }
    dg_eval_free(&ev);
    DG_TRY(status);
    buf_free(&b->document);
    b->document = (StrBuf){0};
    arena_reset(&b->document_arena);
    memset(&b->keys, 0, sizeof b->keys);
    b->gathered = (Map){0};
    return b->arena.failed ? os_no_memory(err, "for a batch") : DG_OK;
}

static void hex_of(const AnswerKey *key, char out[65])
{
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", key->bytes[i]);
}

static bool key_of(Str hex, AnswerKey *out)
{
    for (int i = 0; i < 64; i++) {
        char c = hex.len == 64 ? hex.ptr[i] : 0;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        out->bytes[i / 2] = (uint8_t)(i % 2 ? out->bytes[i / 2] | digit : digit << 4);
    }
    return true;
}

DgStatus llm_batch_add(LlmBatch *b, const AnswerKey *key, const LlmRequest *r, LlmEstimate e, bool *held, char why[120], DgError *err)
{
    LlmSession *l = b->l;
    char hex[65];
    hex_of(key, hex);
    Str id = {hex, 64};
    *held = false;
    if (answers_has(l->answers, key) || map_get(&b->gathered, id) || answers_is_in_batch(l->answers, key))
        return DG_OK;
    if (b->keys.count == REQUESTS_MAX || b->document.len + (size_t)r->body.len > DOCUMENT_BYTES_MAX)
        DG_TRY(submit(b, err));
    *held = !llm_may_start(l, e, why);
    if (*held)
        return DG_OK;
    llm_started(l, e);
    b->all.in += e.in;
    b->all.out += e.out;
    array_add(&b->document_arena, &b->keys, *key);
    map_put(&b->document_arena, &b->gathered, str_copy(&b->document_arena, id), b);
    b->api->add(&l->model, id, r, &b->document);
    return b->document_arena.failed || b->document.failed ? os_no_memory(err, "for a batch") : DG_OK;
}

/* ---- Taking answers ---- */

typedef struct Taking {
    LlmBatch *b;
    Arena arena;             /* of a line */
    DgEval eval;
    LlmUsage usage;
    int64_t answered, failed;
    char first_problem[160];
} Taking;

static DgStatus take_line(Taking *t, Str line, DgError *err)
{
    LlmSession *l = t->b->l;
    LlmBatchResult r;
    LlmReply reply;
    AnswerKey key;
    DgError bad = {0};
    if (t->b->api->read_result(&t->eval, line, &r, &bad) != DG_OK)
        return dg_fail(err, DG_DATA, "the results of a batch are not what they should be: %s", bad.message);
    if (!key_of(r.id, &key) || !answers_is_in_batch(l->answers, &key))
        return DG_OK; /* nobody asked that */
    if (r.body.len && l->model.provider->api->read(&l->model, &t->eval, r.body, &reply, &bad) == DG_OK) {
        t->answered++;
        t->usage.in += reply.usage.in;
        t->usage.cached += reply.usage.cached;
        t->usage.written += reply.usage.written;
        t->usage.out += reply.usage.out;
        return answers_put(l->answers, &key, l->s->model, &reply, err);
    }
    if (!t->failed++) {
        Str said = output_clean(&t->arena, r.problem);
        snprintf(t->first_problem, sizeof t->first_problem, "%.*s", FMT(said));
    }
    return DG_OK;
}

static DgStatus take_lines(Taking *t, Str body, DgError *err)
{
    while (body.len) {
        Str line = body, rest = {0};
        str_cut(body, '\n', &line, &rest);
        body = rest;
        if (str_trim(line).len) {
            DG_TRY(take_line(t, line, err));
            dg_eval_free(&t->eval);
            arena_reset(&t->arena);
            step_eval(t->b->l->sr, &t->arena, &t->eval);
        }
    }
    return DG_OK;
}

static DgStatus take_results(Taking *t, const LlmBatchState *state, DgError *err)
{
    LlmBatch *b = t->b;
    for (size_t i = 0; i < state->results.count; i++) {
        Arena a;
        Str body = {0};
        LlmRequest r = {0};
        arena_init(&a, (size_t)RESULTS_BYTES_MAX + (1 << 20));
        a.can_fail = true;
        r.url = str_format(&a, "%.*s%.*s", FMT(b->l->model.base_url), FMT(state->results.items[i]));
        b->l->model.provider->api->add_headers(&b->l->model, (Str){0}, &a, &r.headers);
        DgStatus status = exchange(b, "GET", &r, false, &a, &body, err);
        if (status == DG_END)
            status = dg_fail(err, DG_DATA, "the results of batch %.*s are not there any more", FMT(state->id));
        if (status == DG_OK)
            status = take_lines(t, body, err);
        arena_free(&a);
        DG_TRY(status);
    }
    return DG_OK;
}

static void count_in(LlmBatch *b, const AnswersBatch *one, const LlmUsage *usage)
{
    for (size_t i = 0; i < b->submitted.count; i++) {
        Submitted *s = &b->submitted.items[i];
        if (str_eq(s->id, one->id)) {
            settle(b, s->count, s->all, usage);
            s->count = 0;
            return;
        }
    }
    for (int64_t i = 0; i < one->requests; i++) { /* an earlier run's */
        spending_adopt(&b->l->sr->run->spending);
        llm_started(b->l, (LlmEstimate){0});
    }
    settle(b, one->requests, (LlmEstimate){0}, usage);
}

static DgStatus end_batch(LlmBatch *b, const AnswersBatch *one, const LlmBatchState *state, DgError *err)
{
    LlmSession *l = b->l;
    Taking t = {.b = b};
    arena_init(&t.arena, 2 * (size_t)LINE_BYTES_MAX);
    t.arena.can_fail = true;
    step_eval(l->sr, &t.arena, &t.eval);
    DgStatus status = state ? take_results(&t, state, err) : DG_OK;
    if (status == DG_OK)
        status = answers_end_batch(l->answers, one->id, err);
    if (status == DG_OK)
        status = answers_keep(l->answers, err);
    dg_eval_free(&t.eval);
    arena_free(&t.arena);
    DG_TRY(status);
    count_in(b, one, &t.usage);
    l->cached -= t.answered; /* the rows will find them there */
    int64_t missing = one->requests - t.answered;
    if (missing > 0 && !(state && state->failed.len))
        dg_log(l->sr, DG_LOG_WARNING, "batch %.*s: %lld of %lld questions were not answered%s%s; they are asked one by one, at the full price", FMT(one->id),
               (long long)missing, (long long)one->requests, t.first_problem[0] ? ", the first: " : "", t.first_problem);
    else if (missing <= 0)
        dg_log(l->sr, DG_LOG_INFO, "batch %.*s: %lld answers", FMT(one->id), (long long)t.answered);
    if (state && state->failed.len)
        return dg_fail(err, DG_DATA, "batch %.*s could not be run: %.*s", FMT(one->id), FMT(output_clean(&b->arena, state->failed)));
    return DG_OK;
}

static DgStatus look_at(LlmBatch *b, const AnswersBatch *one, bool *ended, DgError *err)
{
    Arena a;
    DgEval ev;
    LlmRequest r = {0};
    LlmBatchState state;
    char why[160];
    arena_init(&a, 16 << 20);
    a.can_fail = true;
    step_eval(b->l->sr, &a, &ev);
    r.url = str_format(&a, "%.*s%.*s", FMT(b->l->model.base_url), FMT(b->api->path(&b->l->model, &a, one->id)));
    b->l->model.provider->api->add_headers(&b->l->model, (Str){0}, &a, &r.headers);
    DgStatus status = send(b, "GET", &r, false, &ev, &state, err);
    *ended = status == DG_END || (status == DG_OK && state.ended);
    if (status == DG_END) {
        dg_log(b->l->sr, DG_LOG_WARNING, "%s does not know batch %.*s any more", b->l->model.provider->name, FMT(one->id));
        status = end_batch(b, one, NULL, err);
    } else if (status == DG_OK && state.ended) {
        status = end_batch(b, one, &state, err);
    } else if (status == DG_OK) {
        snprintf(why, sizeof why, "batch %.*s: %lld of %lld are done", FMT(one->id), (long long)state.done, (long long)one->requests);
        dg_waiting(b->l->sr, why, 0);
    }
    dg_eval_free(&ev);
    arena_free(&a);
    return status;
}

static DgStatus sleep_for(LlmBatch *b, int64_t ms, DgError *err)
{
    for (int64_t until = os_monotonic_ms() + ms; os_monotonic_ms() < until;) {
        if (dg_cancelled(b->l->sr))
            return cancelled(err);
        os_sleep_ms(SLICE_MS);
    }
    return DG_OK;
}

static DgStatus wait_for_all(LlmBatch *b, DgError *err)
{
    AnswersBatch *all;
    size_t count;
    DG_TRY(answers_batches(b->l->answers, b->whose, &b->arena, &all, &count, err));
    for (size_t i = 0; i < count; i++) {
        bool ended = false;
        for (int64_t wait_ms = POLL_FIRST_MS;; wait_ms = wait_ms * 3 / 2 < POLL_MAX_MS ? wait_ms * 3 / 2 : POLL_MAX_MS) {
            DG_TRY(look_at(b, &all[i], &ended, err));
            if (ended)
                break;
            DG_TRY(sleep_for(b, wait_ms, err));
        }
    }
    dg_waiting(b->l->sr, NULL, 0);
    return DG_OK;
}

DgStatus llm_batch_finish(LlmBatch *b, DgError *err)
{
    DgStatus status = submit(b, err);
    if (status == DG_OK)
        status = wait_for_all(b, err);
    if (status == DG_CANCELLED)
        tell_pending(b);
    return status;
}
