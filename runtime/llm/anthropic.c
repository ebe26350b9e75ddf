/* anthropic.c - Anthropic's messages. */

#include "runtime/llm/stream.h"

enum { TOKENS_MAX = 4096 };

static void add_text(StrBuf *b, Str text)
{
    buf_add(b, S("{\"type\":\"text\",\"text\":"));
    buf_json(b, text);
    buf_char(b, '}');
}

/* data:image/png;base64,... or a URL. */
static void add_image(StrBuf *b, Str image)
{
    Str head, data;
    buf_add(b, S("{\"type\":\"image\",\"source\":"));
    if (str_starts(image, S("data:")) && str_cut(image, ',', &head, &data) && str_ends(head, S(";base64"))) {
        buf_add(b, S("{\"type\":\"base64\",\"media_type\":"));
        buf_json(b, str_sub(head, 5, head.len - 7));
        buf_add(b, S(",\"data\":"));
        buf_json(b, data);
    } else {
        buf_add(b, S("{\"type\":\"url\",\"url\":"));
        buf_json(b, image);
    }
    buf_add(b, S("}}"));
}

static void add_turn(StrBuf *b, const LlmTurn *t)
{
    buf_format(b, "{\"role\":\"%s\",\"content\":", t->role == LLM_USER ? "user" : "assistant");
    if (t->image.len) {
        buf_char(b, '[');
        add_image(b, t->image);
        buf_char(b, ',');
        add_text(b, t->text);
        buf_char(b, ']');
    } else {
        buf_json(b, t->text);
    }
    buf_char(b, '}');
}

static void add_headers(const LlmModel *m, Str type, Arena *a, StrArray *headers)
{
    if (type.len)
        array_add(a, headers, str_format(a, "Content-Type: %.*s", FMT(type)));
    array_add(a, headers, S("Accept: application/json"));
    array_add(a, headers, S("anthropic-version: 2026-10-21"));
    if (m->key.len)
        array_add(a, headers, str_format(a, "Authorization: Bearer %.*s", FMT(m->key)));
}

static DgStatus anthropic_ask(const LlmModel *m, const LlmQuestion *q, Arena *a, LlmRequest *out, DgError *err)
{
    StrBuf b = {0};
    buf_format(&b, "{\"max_tokens\":%lld,\"messages\":[", (long long)(q->tokens_max ? q->tokens_max : TOKENS_MAX));
    for (size_t i = 0; i < q->turns.count; i++) {
        buf_add(&b, i ? S(",") : S(""));
        add_turn(&b, &q->turns.items[i]);
    }
    buf_add(&b, S("],\"model\":"));
    buf_json(&b, m->name);
    if (q->system.len) { /* the same for every row: worth the service's prompt cache */
        buf_add(&b, S(",\"system\":[{\"type\":\"text\",\"text\":"));
        buf_json(&b, q->system);
        buf_add(&b, S(",\"cache_control\":{\"type\":\"ephemeral\"}}]"));
    }
    if (q->schema.len || q->effort.len) {
        buf_add(&b, S(",\"output_config\":{"));
        if (q->schema.len) {
            buf_add(&b, S("\"format\":{\"type\":\"json_schema\",\"schema\":"));
            buf_add(&b, q->schema);
            buf_char(&b, '}');
        }
        if (q->effort.len) {
            buf_add(&b, q->schema.len ? S(",\"effort\":") : S("\"effort\":"));
            buf_json(&b, q->effort);
        }
        buf_char(&b, '}');
    }
    if (q->temperature >= 0)
        buf_format(&b, ",\"temperature\":%g", q->temperature);
    buf_char(&b, '}');
    out->url = str_format(a, "%.*s/v1/messages", FMT(m->base_url));
    out->body = str_copy(a, buf_str(&b));
    bool failed = b.failed;
    buf_free(&b);
    out->headers = (StrArray){0};
    add_headers(m, S("application/json"), a, &out->headers);
    return failed || a->failed ? dg_fail(err, DG_NOMEM, "out of memory for a request") : DG_OK;
}

static DgStatus anthropic_read(const LlmModel *m, DgEval *ev, Str body, LlmReply *out, DgError *err)
{
    DgValue v;
    StrBuf b = {0};
    (void)m;
    *out = (LlmReply){0};
    DG_TRY(dg_read_json(ev, body, &v, err));
    const DgValue *content = dgv_at(&v, "content");
    if (!content || content->kind != DG_V_LIST)
        return dg_fail(err, DG_DATA, "the answer is none of /v1/messages");
    for (size_t i = 0; i < content->as.list->count; i++)
        if (str_eq(dgv_text_at(content->as.list->items[i], "type"), S("text")))
            buf_add(&b, dgv_text_at(content->as.list->items[i], "text"));
    out->text = str_copy(ev->arena, buf_str(&b));
    buf_free(&b);
    Str why = dgv_text_at(v, "stop_reason");
    out->end = str_eq(why, S("refusal")) ? LLM_REFUSED : str_eq(why, S("max_tokens")) || str_eq(why, S("model_context_window_exceeded")) ? LLM_CUT : LLM_DONE;
    int64_t fresh = dgv_int_at(v, "usage.input_tokens"), cached = dgv_int_at(v, "usage.cache_read_input_tokens");
    int64_t written = dgv_int_at(v, "usage.cache_creation_input_tokens");
    out->usage = (LlmUsage){fresh + cached + written, cached, written, dgv_int_at(v, "usage.output_tokens")};
    return DG_OK;
}

/* ---- Streams ---- */

/* Counts come twice: what was read at the beginning, all of it at the end. */
static void read_usage(LlmStream *s, DgValue v, const char *at)
{
    const DgValue *u = dgv_at(&v, at);
    if (!u || u->kind != DG_V_DICT)
        return;
    int64_t fresh = s->usage.in - s->usage.cached - s->usage.written;
    const DgValue *in = dgv_at(u, "input_tokens"), *cached = dgv_at(u, "cache_read_input_tokens"), *written = dgv_at(u, "cache_creation_input_tokens");
    fresh = in && in->kind == DG_V_INT ? in->as.i : fresh;
    s->usage.cached = cached && cached->kind == DG_V_INT ? cached->as.i : s->usage.cached;
    s->usage.written = written && written->kind == DG_V_INT ? written->as.i : s->usage.written;
    s->usage.in = fresh + s->usage.cached + s->usage.written;
    s->usage.out = dgv_int_at(*u, "output_tokens");
}

static void anthropic_read_event(LlmStream *s, DgEval *ev, Str data)
{
    DgValue v;
    DgError err = {0};
    if (dg_read_json(ev, data, &v, &err) != DG_OK) {
        llm_stream_failed(s, S("api_error"), S("an event is no JSON"));
        return;
    }
    Str type = dgv_text_at(v, "type");
    if (str_eq(type, S("error"))) {
        llm_stream_failed(s, dgv_text_at(v, "error.type"), dgv_text_at(v, "error.message"));
    } else if (str_eq(type, S("message_start"))) {
        read_usage(s, v, "message.usage");
    } else if (str_eq(type, S("content_block_delta"))) {
        if (str_eq(dgv_text_at(v, "delta.type"), S("text_delta")))
            llm_stream_text(s, dgv_text_at(v, "delta.text"));
    } else if (str_eq(type, S("message_delta"))) {
        llm_stream_stop(s, dgv_text_at(v, "delta.stop_reason"));
        read_usage(s, v, "usage");
    } else if (str_eq(type, S("message_stop"))) {
        s->ended = true;
    }
}

static void anthropic_stream_body(const LlmStream *s, StrBuf *b)
{
    buf_add(b, S("{\"content\":["));
    add_text(b, buf_str(&s->text));
    buf_add(b, S("],\"stop_reason\":"));
    buf_json(b, str_from(s->stop));
    buf_format(b, ",\"usage\":{\"input_tokens\":%lld,\"cache_read_input_tokens\":%lld,\"cache_creation_input_tokens\":%lld,\"output_tokens\":%lld}}",
               (long long)(s->usage.in - s->usage.cached - s->usage.written), (long long)s->usage.cached, (long long)s->usage.written, (long long)s->usage.out);
}

static Str anthropic_problem(DgEval *ev, Str body)
{
    DgValue v;
    DgError ignored;
    return dg_read_json(ev, body, &v, &ignored) == DG_OK ? dgv_text_at(v, "error.message") : (Str){0};
}

static bool anthropic_is_final(int status, Str body)
{
    return status == 429 && str_find(body, S("spend_limit")) >= 0;
}

const LlmApi llm_anthropic = {.ask = anthropic_ask, .read = anthropic_read, .read_event = anthropic_read_event, .stream_body = anthropic_stream_body, .problem = anthropic_problem,
                              .is_final = anthropic_is_final, .add_headers = add_headers, .batches = &llm_anthropic_batches};
