/* stream.c - see stream.h; what events mean is in openai.c and anthropic.c. */
#include "runtime/llm/stream.h"

#include <stdio.h>

#include "runtime/os/os.h"

Str llm_stream_ask(const LlmModel *m, Str body, Arena *a)
{
    const char *usage = m->chat && m->provider->api == &llm_openai ? ",\"stream_options\":{\"include_usage\":true}" : "";
    return str_format(a, "%.*s,\"stream\":true%s}", FMT(str_sub(body, 0, body.len - 1)), usage);
}

LlmStream *llm_stream_new(const LlmModel *m, void (*on_text)(Str))
{
    LlmStream *s = os_alloc(sizeof *s);
    if (!s)
        return NULL;
    s->api = m->provider->api;
    s->chat = m->chat;
    s->on_text = on_text;
    arena_init(&s->arena, 256 << 20);
    s->arena.can_fail = true;
    return s;
}

/* ---- Events ---- */

void llm_stream_text(LlmStream *s, Str words)
{
    buf_add(&s->text, words);
    if (s->on_text && words.len)
        s->on_text(words);
}

void llm_stream_stop(LlmStream *s, Str why)
{
    if (why.len)
        snprintf(s->stop, sizeof s->stop, "%.*s", FMT(str_sub(why, 0, (ptrdiff_t)sizeof s->stop - 1)));
}

void llm_stream_failed(LlmStream *s, Str kind, Str message)
{
    static const char *const passing[] = {"overloaded", "api_error", "server_error", "rate_limit", "timeout", "unavailable", "internal"};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        s->again |= str_find(kind, str_from(passing[i])) >= 0;
    if (!message.len)
        message = kind.len ? kind : S("it gave no reason");
    snprintf(s->problem, sizeof s->problem, "%.*s", FMT(str_sub(message, 0, 280)));
}

static bool on_event(void *context, Str name, Str data)
{
    LlmStream *s = context;
    DgEval ev;
    (void)name; /* the data say it, too */
    if (str_eq(data, S("[DONE]"))) {
        s->ended = true;
        return true;
    }
    arena_reset(&s->arena);
    dg_eval_init(&ev, &s->arena);
    s->api->read_event(s, &ev, data);
    dg_eval_free(&ev);
    return !s->problem[0];
}

/* ---- The reader ---- */

static void begin(void *state)
{
    LlmStream *s = state;
    sse_begin(&s->sse);
    buf_free(&s->plain);
    buf_free(&s->text);
    buf_free(&s->refusal);
    buf_free(&s->whole);
    s->stop[0] = s->problem[0] = 0;
    s->usage = (LlmUsage){0};
    s->begun = s->is_plain = s->ended = s->again = false;
}

static bool take(void *state, Str bytes)
{
    LlmStream *s = state;
    for (; !s->begun && bytes.len; bytes = str_sub(bytes, 1, bytes.len)) {
        char c = bytes.ptr[0];
        s->begun = c != ' ' && c != '\t' && c != '\r' && c != '\n';
        s->is_plain = c == '{';
        if (s->begun)
            break;
    }
    if (!s->is_plain)
        return sse_take(&s->sse, bytes, on_event, s);
    buf_add(&s->plain, bytes);
    return !s->plain.failed;
}

static DgStatus end(void *state, bool whole, StrBuf *body, DgError *err)
{
    LlmStream *s = state;
    bool full = s->sse.line.failed || s->sse.data.failed || s->plain.failed || s->text.failed || s->whole.failed || s->arena.failed;
    if (full)
        return dg_fail(err, DG_DATA, "an event of the answer is larger than %d MB, or memory is short", SSE_EVENT_MAX >> 20);
    if (s->problem[0])
        return dg_fail(err, s->again ? DG_UNAVAILABLE : DG_DATA, "the service failed while it answered: %s", s->problem);
    if (s->is_plain && whole)
        buf_add(body, buf_str(&s->plain));
    else if (s->ended || (whole && s->chat && s->stop[0])) /* some servers forget [DONE] */
        s->api->stream_body(s, body);
    else
        return dg_fail(err, DG_UNAVAILABLE, "the answer broke off after %zu bytes of text", s->text.len);
    return body->failed ? os_no_memory(err, "for an answer") : DG_OK;
}

void llm_stream_free(LlmStream *s)
{
    begin(s);
    arena_free(&s->arena);
    os_free(s);
}

static void close_stream(void *state)
{
    llm_stream_free(state);
}

const DgCallReader llm_stream_reader = {.begin = begin, .take = take, .end = end, .close = close_stream};
