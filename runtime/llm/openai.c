/* openai.c - OpenAI's responses, chat completions and embeddings, and servers that speak the latter two. */
#include <openssl/evp.h>

#include "runtime/llm/stream.h"

static bool is_openai(const LlmModel *m)
{
    return strcmp(m->provider->name, "openai") == 0 || strcmp(m->provider->name, "azure") == 0;
}

static void add_headers(const LlmModel *m, Str type, Arena *a, StrArray *headers)
{
    if (type.len)
        array_add(a, headers, str_format(a, "Content-Type: %.*s", FMT(type)));
    array_add(a, headers, S("Accept: application/json"));
    if (m->key.len && strcmp(m->provider->name, "azure") == 0)
        array_add(a, headers, str_format(a, "api-key: %.*s", FMT(m->key)));
    else if (m->key.len)
        array_add(a, headers, str_format(a, "Authorization: Bearer %.*s", FMT(m->key)));
}

static DgStatus finish(const LlmModel *m, const char *path, StrBuf *b, Arena *a, LlmRequest *out, DgError *err)
{
    out->url = str_format(a, "%.*s%s", FMT(m->base_url), path);
    out->body = str_copy(a, buf_str(b));
    bool failed = b->failed;
    buf_free(b);
    out->headers = (StrArray){0};
    add_headers(m, S("application/json"), a, &out->headers);
    return failed || a->failed ? dg_fail(err, DG_NOMEM, "out of memory for a request") : DG_OK;
}

static void add_key(StrBuf *b, const char *name)
{
    buf_format(b, ",\"%s\":", name);
}


/* ---- /responses ---- */

static void add_input(StrBuf *b, const LlmTurn *t)
{
    bool user = t->role == LLM_USER;
    buf_format(b, "{\"role\":\"%s\",\"content\":[{\"type\":\"%s\",\"text\":", user ? "user" : "assistant", user ? "input_text" : "output_text");
    buf_json(b, t->text);
    buf_char(b, '}');
    if (t->image.len) {
        buf_add(b, S(",{\"type\":\"input_image\",\"image_url\":"));
        buf_json(b, t->image);
        buf_char(b, '}');
    }
    buf_add(b, S("]}"));
}

static DgStatus ask_responses(const LlmModel *m, const LlmQuestion *q, Arena *a, LlmRequest *out, DgError *err)
{
    StrBuf b = {0};
    buf_add(&b, S("{\"model\":"));
    buf_json(&b, m->name);
    if (q->system.len) {
        add_key(&b, "instructions");
        buf_json(&b, q->system);
    }
    add_key(&b, "input");
    for (size_t i = 0; i < q->turns.count; i++) {
        buf_char(&b, i ? ',' : '[');
        add_input(&b, &q->turns.items[i]);
    }
    buf_char(&b, ']');
    if (q->schema.len) {
        buf_add(&b, S(",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"answer\",\"schema\":"));
        buf_add(&b, q->schema);
        buf_add(&b, S(",\"strict\":true}}"));
    }
    if (q->tokens_max)
        buf_format(&b, ",\"max_output_tokens\":%lld", (long long)q->tokens_max);
    if (q->temperature >= 0)
        buf_format(&b, ",\"temperature\":%g", q->temperature);
    if (q->effort.len) {
        buf_add(&b, S(",\"reasoning\":{\"effort\":"));
        buf_json(&b, q->effort);
        buf_char(&b, '}');
    }
    buf_add(&b, S(",\"store\":false}"));
    return finish(m, "/responses", &b, a, out, err);
}

static DgStatus read_responses(DgEval *ev, DgValue v, LlmReply *out, DgError *err)
{
    const DgValue *output = dgv_at(&v, "output");
    StrBuf b = {0};
    if (!output || output->kind != DG_V_LIST)
        return dg_fail(err, DG_DATA, "the answer is none of /responses");
    for (size_t i = 0; i < output->as.list->count; i++) {
        DgValue item = output->as.list->items[i];
        const DgValue *content = dgv_at(&item, "content");
        if (!str_eq(dgv_text_at(item, "type"), S("message")) || !content || content->kind != DG_V_LIST)
            continue;
        for (size_t k = 0; k < content->as.list->count; k++) {
            DgValue part = content->as.list->items[k];
            if (str_eq(dgv_text_at(part, "type"), S("refusal")))
                out->end = LLM_REFUSED;
            buf_add(&b, out->end == LLM_REFUSED ? dgv_text_at(part, "refusal") : dgv_text_at(part, "text"));
        }
    }
    Str why = dgv_text_at(v, "incomplete_details.reason");
    if (str_eq(dgv_text_at(v, "status"), S("incomplete")))
        out->end = str_eq(why, S("content_filter")) ? LLM_REFUSED : LLM_CUT;
    out->text = str_copy(ev->arena, buf_str(&b));
    buf_free(&b);
    out->usage = (LlmUsage){dgv_int_at(v, "usage.input_tokens"), dgv_int_at(v, "usage.input_tokens_details.cached_tokens"),
                            dgv_int_at(v, "usage.input_tokens_details.cache_write_tokens"), dgv_int_at(v, "usage.output_tokens")};
    if (str_eq(dgv_text_at(v, "status"), S("failed")))
        return dg_fail(err, DG_DATA, "the service failed: %.*s", FMT(dgv_text_at(v, "error.message")));
    return DG_OK;
}

/* ---- /chat/completions ---- */

static void add_message(StrBuf *b, const char *role, Str text, Str image)
{
    buf_format(b, "{\"role\":\"%s\",\"content\":", role);
    if (image.len) {
        buf_add(b, S("[{\"type\":\"text\",\"text\":"));
        buf_json(b, text);
        buf_add(b, S("},{\"type\":\"image_url\",\"image_url\":{\"url\":"));
        buf_json(b, image);
        buf_add(b, S("}}]"));
    } else {
        buf_json(b, text);
    }
    buf_char(b, '}');
}

static DgStatus ask_chat(const LlmModel *m, const LlmQuestion *q, Arena *a, LlmRequest *out, DgError *err)
{
    StrBuf b = {0};
    buf_add(&b, S("{\"model\":"));
    buf_json(&b, m->name);
    add_key(&b, "messages");
    buf_char(&b, '[');
    if (q->system.len) {
        add_message(&b, is_openai(m) ? "developer" : "system", q->system, (Str){0});
        buf_char(&b, ',');
    }
    for (size_t i = 0; i < q->turns.count; i++) {
        const LlmTurn *t = &q->turns.items[i];
        buf_add(&b, i ? S(",") : S(""));
        add_message(&b, t->role == LLM_USER ? "user" : "assistant", t->text, t->image);
    }
    buf_char(&b, ']');
    if (q->schema.len) {
        buf_add(&b, S(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"answer\",\"schema\":"));
        buf_add(&b, q->schema);
        buf_add(&b, S(",\"strict\":true}}"));
    }
    if (q->tokens_max)
        buf_format(&b, ",\"%s\":%lld", is_openai(m) ? "max_completion_tokens" : "max_tokens", (long long)q->tokens_max);
    if (q->temperature >= 0)
        buf_format(&b, ",\"temperature\":%g", q->temperature);
    if (q->seed >= 0)
        buf_format(&b, ",\"seed\":%lld", (long long)q->seed);
    if (q->effort.len) {
        add_key(&b, "reasoning_effort");
        buf_json(&b, q->effort);
    }
    buf_char(&b, '}');
    return finish(m, "/chat/completions", &b, a, out, err);
}

static DgStatus read_chat(DgValue v, LlmReply *out, DgError *err)
{
    const DgValue *message = dgv_at(&v, "choices.0.message");
    Str why = dgv_text_at(v, "choices.0.finish_reason"), refusal = message ? dgv_text_at(*message, "refusal") : (Str){0};
    if (!message)
        return dg_fail(err, DG_DATA, "the answer is none of /chat/completions");
    out->text = refusal.len ? refusal : dgv_text_at(*message, "content");
    out->end = refusal.len || str_eq(why, S("content_filter")) ? LLM_REFUSED : str_eq(why, S("length")) ? LLM_CUT : LLM_DONE;
    out->usage = (LlmUsage){dgv_int_at(v, "usage.prompt_tokens"), dgv_int_at(v, "usage.prompt_tokens_details.cached_tokens"), 0,
                            dgv_int_at(v, "usage.completion_tokens")};
    return DG_OK;
}

static DgStatus openai_ask(const LlmModel *m, const LlmQuestion *q, Arena *a, LlmRequest *out, DgError *err)
{
    return m->chat ? ask_chat(m, q, a, out, err) : ask_responses(m, q, a, out, err);
}

static DgStatus openai_read(const LlmModel *m, DgEval *ev, Str body, LlmReply *out, DgError *err)
{
    DgValue v;
    *out = (LlmReply){0};
    DG_TRY(dg_read_json(ev, body, &v, err));
    const DgValue *streamed = dgv_at(&v, "response"); /* the last event of a stream has it */
    if (streamed && !m->chat)
        v = *streamed;
    return m->chat ? read_chat(v, out, err) : read_responses(ev, v, out, err);
}

/* ---- Streams ---- */

static void read_chat_event(LlmStream *s, DgValue v)
{
    const DgValue *usage = dgv_at(&v, "usage");
    llm_stream_text(s, dgv_text_at(v, "choices.0.delta.content"));
    buf_add(&s->refusal, dgv_text_at(v, "choices.0.delta.refusal"));
    llm_stream_stop(s, dgv_text_at(v, "choices.0.finish_reason"));
    if (usage && usage->kind == DG_V_DICT)
        s->usage = (LlmUsage){dgv_int_at(v, "usage.prompt_tokens"), dgv_int_at(v, "usage.prompt_tokens_details.cached_tokens"), 0,
                              dgv_int_at(v, "usage.completion_tokens")};
}

static void openai_read_event(LlmStream *s, DgEval *ev, Str data)
{
    DgValue v;
    DgError err = {0};
    if (dg_read_json(ev, data, &v, &err) != DG_OK) {
        llm_stream_failed(s, S("server_error"), S("an event is no JSON"));
        return;
    }
    const DgValue *error = dgv_at(&v, "error");
    Str type = dgv_text_at(v, "type");
    if (str_eq(type, S("error")))
        llm_stream_failed(s, dgv_text_at(v, "code"), dgv_text_at(v, "message"));
    else if (s->chat && error && error->kind != DG_V_NONE)
        llm_stream_failed(s, dgv_text_at(v, "error.type"), error->kind == DG_V_STR ? error->as.s : dgv_text_at(v, "error.message"));
    else if (s->chat)
        read_chat_event(s, v);
    else if (str_eq(type, S("response.output_text.delta")))
        llm_stream_text(s, dgv_text_at(v, "delta"));
    else if (str_eq(type, S("response.completed")) || str_eq(type, S("response.incomplete")) || str_eq(type, S("response.failed"))) {
        buf_add(&s->whole, data);
        s->ended = true;
    }
}

static void openai_stream_body(const LlmStream *s, StrBuf *b)
{
    if (!s->chat) {
        buf_add(b, buf_str(&s->whole));
        return;
    }
    buf_add(b, S("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":"));
    buf_json(b, buf_str(&s->text));
    if (s->refusal.len) {
        add_key(b, "refusal");
        buf_json(b, buf_str(&s->refusal));
    }
    buf_add(b, S("},\"finish_reason\":"));
    buf_json(b, str_from(s->stop));
    int64_t out = s->usage.in || s->usage.out ? s->usage.out : (int64_t)s->text.len / 3; /* not told: rather too many */
    buf_format(b, "}],\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"prompt_tokens_details\":{\"cached_tokens\":%lld}}}", (long long)s->usage.in,
               (long long)out, (long long)s->usage.cached);
}

/* ---- /embeddings ---- */

static DgStatus openai_embed(const LlmModel *m, const Str *inputs, size_t count, Arena *a, LlmRequest *out, DgError *err)
{
    StrBuf b = {0};
    buf_add(&b, S("{\"input\":"));
    for (size_t i = 0; i < count; i++) {
        buf_char(&b, i ? ',' : '[');
        buf_json(&b, inputs[i]);
    }
    buf_add(&b, S("],\"model\":"));
    buf_json(&b, m->name);
    if (m->embed_dimensions)
        buf_format(&b, ",\"dimensions\":%lld", (long long)m->embed_dimensions);
    buf_add(&b, S(",\"encoding_format\":\"base64\"}"));
    return finish(m, "/embeddings", &b, a, out, err);
}

/* Base64 of little-endian float32, or a list of numbers: servers do either. */
static const float *read_vector(DgEval *ev, const DgValue *v, int32_t *dimensions)
{
    if (v && v->kind == DG_V_STR) {
        Str text = v->as.s;
        unsigned char *bytes = push(ev->arena, unsigned char, text.len + 16);
        int n = bytes && text.len % 4 == 0 ? EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, (int)text.len) : -1;
        for (ptrdiff_t i = text.len; n > 0 && i > 0 && text.ptr[i - 1] == '='; i--)
            n--;
        if (n <= 0 || n % 4)
            return NULL;
        float *out = push(ev->arena, float, n / 4);
        if (out)
            memcpy(out, bytes, (size_t)n);
        *dimensions = n / 4;
        return out;
    }
    if (!v || v->kind != DG_V_LIST || !v->as.list->count)
        return NULL;
    float *out = push(ev->arena, float, v->as.list->count);
    for (size_t i = 0; out && i < v->as.list->count; i++) {
        DgValue x = v->as.list->items[i];
        if (x.kind != DG_V_FLOAT && x.kind != DG_V_INT)
            return NULL;
        out[i] = (float)(x.kind == DG_V_INT ? (double)x.as.i : x.as.f);
    }
    *dimensions = (int32_t)v->as.list->count;
    return out;
}

static DgStatus openai_read_embeddings(const LlmModel *m, DgEval *ev, Str body, size_t count, const float **vectors, int32_t *dimensions,
                                       LlmUsage *usage, DgError *err)
{
    DgValue v;
    (void)m;
    DG_TRY(dg_read_json(ev, body, &v, err));
    const DgValue *data = dgv_at(&v, "data");
    if (!data || data->kind != DG_V_LIST || data->as.list->count != count)
        return dg_fail(err, DG_DATA, "the answer does not have one embedding for each of %zu texts", count);
    memset(vectors, 0, count * sizeof *vectors);
    *dimensions = 0;
    for (size_t i = 0; i < count; i++) {
        DgValue item = data->as.list->items[i];
        const DgValue *at = dgv_at(&item, "index");
        size_t index = at && at->kind == DG_V_INT && at->as.i >= 0 ? (size_t)at->as.i : i;
        int32_t n = 0;
        const float *x = index < count ? read_vector(ev, dgv_at(&item, "embedding"), &n) : NULL;
        if (!x || vectors[index] || (*dimensions && n != *dimensions))
            return dg_fail(err, DG_DATA, "embedding %zu of the answer is not usable", i + 1);
        vectors[index] = x;
        *dimensions = n;
    }
    *usage = (LlmUsage){.in = dgv_int_at(v, "usage.prompt_tokens")};
    return DG_OK;
}

/* ---- Failures ---- */

static Str openai_problem(DgEval *ev, Str body)
{
    DgValue v;
    DgError ignored;
    if (dg_read_json(ev, body, &v, &ignored) != DG_OK)
        return (Str){0};
    Str message = dgv_text_at(v, "error.message");
    return message.len ? message : dgv_text_at(v, "error").len ? dgv_text_at(v, "error") : dgv_text_at(v, "message");
}

static bool openai_is_final(int status, Str body)
{
    static const char *const codes[] = {"\"insufficient_quota\"", "\"billing_hard_limit_reached\"", "\"billing_not_active\"", "spend_limit"};
    for (size_t i = 0; status == 429 && i < sizeof codes / sizeof *codes; i++)
        if (str_find(body, str_from(codes[i])) >= 0)
            return true;
    return false;
}

const LlmApi llm_openai = {
    .ask = openai_ask, .read = openai_read, .read_event = openai_read_event, .stream_body = openai_stream_body, .embed = openai_embed, .read_embeddings = openai_read_embeddings,
    .add_headers = add_headers, .batches = &llm_openai_batches, .problem = openai_problem, .is_final = openai_is_final, .embed_inputs_max = 2048,
};
