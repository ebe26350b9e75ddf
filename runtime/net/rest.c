/* rest.c - one call: JSON out, JSON back, the service's own words when it fails. */
#include "runtime/net/rest.h"

#include "runtime/os/os.h"

enum { WORDS_MAX = 400 };

DgStatus rest_open(Rest *r, DgStepRun *run, Str url, const char *title, const char *fallback, DgError *err)
{
    *r = (Rest){.title = title, .denied = "see that `api_key` is set, and may write to this collection"};
    arena_init(&r->arena, (size_t)1 << 30);
    r->arena.can_fail = true;
    arena_init(&r->keep, (size_t)16 << 20);
    r->keep.can_fail = true;
    dg_eval_init(&r->ev, &r->arena);
    if (!url.len)
        url = str_from(fallback);
    while (url.len && url.ptr[url.len - 1] == '/')
        url.len--;
    if (!url.len) {
        dg_fail(err, DG_CONFIG, "%s has no `url`", title);
        dg_hint(err, "write `url: \"{{ env.NAME }}\"`, and set NAME to something like http://localhost:8000");
        return DG_CONFIG;
    }
    if (!str_starts(url, S("http://")) && !str_starts(url, S("https://"))) {
        dg_fail(err, DG_CONFIG, "the URL of %s does not begin with http:// or https://", title);
        return DG_CONFIG;
    }
    r->base = str_copy(&r->keep, url);
    return step_services(run, &r->services, err);
}

void rest_close(Rest *r)
{
    dg_eval_free(&r->ev);
    arena_free(&r->arena);
    arena_free(&r->keep);
}

void rest_header(Rest *r, const char *name, Str value)
{
    assert(r->headers_count < REST_HEADERS_MAX);
    if (value.len)
        r->headers[r->headers_count++] = str_format(&r->keep, "%s: %.*s", name, FMT(value));
}

void rest_begin(Rest *r)
{
    dg_eval_free(&r->ev);
    arena_reset(&r->arena);
    dg_eval_init(&r->ev, &r->arena);
}

Str rest_escape(Arena *a, Str text)
{
    StrBuf b = {0};
    http_encode(&b, text, false);
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

/* Where services put their words: {"message"}, {"error": ...}, {"error": {"message"}}, {"status": {"error"}}. */
static Str words_in(const DgValue *answer)
{
    static const char *const places[] = {"message", "error.message", "status.error", "error", "detail"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        Str s = dgv_text_at(*answer, places[i]);
        if (s.len)
            return str_sub(s, 0, WORDS_MAX);
    }
    return (Str){0};
}

/* Not a byte of it may steer a terminal. */
static Str plain(Arena *a, Str s)
{
    char *out = str_cstr(a, s);
    for (ptrdiff_t i = 0; out && i < s.len; i++)
        if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
            out[i] = ' ';
    return out ? (Str){out, s.len} : (Str){0};
}

static DgStatus failed(Rest *r, const DgCallAnswer *answer, DgStatus status, const char *what, DgError *err)
{
    DgValue v = {0};
    DgError ignored = {0};
    Str words = {0};
    if (answer->status == 0)
        return status;
    if (answer->body.len && dg_read_json(&r->ev, str_copy(&r->arena, answer->body), &v, &ignored) == DG_OK) {
        words = plain(&r->arena, words_in(&v));
        r->code = dgv_text_at(v, "error_code");
    }
    int64_t retry_after_ms = err ? err->retry_after_ms : 0;
    dg_fail(err, status, "could not %s: %s answered %d%s%.*s", what, r->title, answer->status, words.len ? ": " : "", FMT(words));
    if (err)
        err->retry_after_ms = retry_after_ms;
    if (status == DG_NOPERM)
        dg_hint(err, "%s", r->denied);
    return status;
}

/* It is there already, or not in the state for it: asking again changes nothing. */
static bool is_conflict(int status, Str body)
{
    (void)body;
    return status == 409;
}

DgStatus rest_send(Rest *r, const RestCall *c, DgValue *answer, const char *what, DgError *err)
{
    Str headers[REST_HEADERS_MAX + 2];
    size_t n = 0;
    for (int i = 0; i < r->headers_count; i++)
        headers[n++] = r->headers[i];
    headers[n++] = S("Accept: application/json");
    if (c->type)
        headers[n++] = str_format(&r->arena, "Content-Type: %s", c->type);
    bool whole = str_starts(c->path, S("http://")) || str_starts(c->path, S("https://"));
    DgCallSpec spec = {.method = c->method, .url = whole ? c->path : str_concat(&r->arena, r->base, c->path), .headers = headers, .headers_count = n,
                       .body = c->body, .tape_body = c->tape_body, .what = what, .first_byte_s = 60, .answer_max = 512u << 20,
                       .is_final = is_conflict, .unrepeatable = c->once};
    DgCall *call = NULL;
    const DgCallAnswer *got = NULL;
    r->status = 0;
    r->code = (Str){0};
    DgStatus status = call_start(r->services, &spec, r, NULL, &call, err);
    if (call) {
        status = call_wait(r->services, call, err);
        call_result(call, &got, NULL);
        r->status = got->status;
    }
    if (status != DG_OK && got)
        status = failed(r, got, status, what, err);
    else if (status == DG_OK && answer) /* into the arena, which outlives the call */
        status = dg_read_json(&r->ev, str_copy(&r->arena, got->body), answer, err) == DG_OK
                     ? DG_OK : dg_fail(err, DG_DATA, "could not %s: the answer of %s is not JSON", what, r->title);
    call_free(r->services, call);
    return status;
}

DgStatus rest_call(Rest *r, const char *method, Str path, StrBuf *body, DgValue *answer, const char *what, DgError *err)
{
    RestCall c = {.method = method, .path = path, .body = body ? buf_str(body) : (Str){0}, .type = body ? "application/json" : NULL};
    DgStatus status = body && body->failed ? os_no_memory(err, "for a request") : rest_send(r, &c, answer, what, err);
    if (body)
        buf_free(body);
    return status;
}
