/* service.c - the engine's thread: takes calls, asks their host, drives curl's multi interface. */
#include "runtime/net/service.h"

#include <pthread.h>
#include <stdio.h>

#include "runtime/net/exchange.h"
#include "runtime/net/service_internal.h"
#include "runtime/os/os.h"

enum {
    RETRIES = 4, DEADLINE_MS = 600000, FIRST_BYTE_S = 600, CONCURRENCY = 16, HOSTS_MAX = 64, HANDLES_KEPT = 64,
    BACKOFF_FIRST_MS = 500, BACKOFF_MAX_MS = 8000, HEADERS_BYTES_MAX = 64 << 10, TICK_MS = 500
};

struct DgCall {
    DgServices *services;
    DgCall *next;                /* in the list it is in */
    void *owner, *user;
    Arena arena;
    DgCallSpec spec;
    DgHttpRequest request;
    DgHttpAnswer http;
    DgCallAnswer answer;
    Exchange x;
    Host *host;
    DgError error;
    DgStatus status;
    int64_t started_ms, sent_ms, at_ms; /* at_ms: not before */
    int64_t told_ms;             /* what this answer asks to wait */
    int64_t gate_ms;             /* when the host may be asked again; with why. Guarded by the lock */
    const char *gate_why;
    size_t header_bytes;
    int should_retry;            /* of x-should-retry: -1 not said */
    bool under_way, done, dropped, stopped; /* dropped: freed by its owner; stopped: its reader wants no more */
};

typedef struct CallList {
    DgCall *first, **last;
    size_t count;
} CallList;

struct DgServices {
    DgServicesOptions options;
    Tape *tape;
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closing, thread_runs;
    CallList incoming, finished; /* guarded by the lock; the rest is the thread's */
    CallList waiting, under_way; /* links change under the lock, since services_waiting() looks at them */
    Host *hosts[HOSTS_MAX];
    size_t hosts_count;
    CURL *handles[HANDLES_KEPT];
    size_t handles_count;
    Arena arena;                 /* hosts */
    DgServicesCount count;
};

/* ---- Lists ---- */

static void list_add(CallList *l, DgCall *c)
{
    if (!l->first)
        l->last = &l->first;
    c->next = NULL;
    *l->last = c;
    l->last = &c->next;
    l->count++;
}

static void list_remove(CallList *l, DgCall *c)
{
    for (DgCall **at = &l->first; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            l->count--;
            break;
        }
    l->last = &l->first;
    for (; *l->last; l->last = &(*l->last)->next)
        ;
}

/* ---- What curl calls ---- */

static bool header_named(Str line, const char *name, Str *value)
{
    Str key, rest;
    if (!str_cut(line, ':', &key, &rest) || !str_eq_nocase(str_trim(key), str_from(name)))
        return false;
    *value = str_trim(rest);
    return true;
}

static void on_header(void *opaque, Str line)
{
    DgCall *c = opaque;
    Str v;
    if (str_starts(line, S("HTTP/"))) {
        c->answer.headers = (StrArray){0};
        c->told_ms = 0;
        c->should_retry = -1;
        c->header_bytes = 0;
        return;
    }
    c->header_bytes += (size_t)line.len;
    if (!line.len || c->header_bytes > HEADERS_BYTES_MAX)
        return;
    array_add(&c->arena, &c->answer.headers, str_copy(&c->arena, line));
    if (header_named(line, "retry-after-ms", &v)) {
        int64_t ms;
        c->told_ms = str_to_int(v, &ms) && ms > 0 ? ms : 0;
    } else if (header_named(line, "x-should-retry", &v)) {
        c->should_retry = str_eq(v, S("true")) ? 1 : str_eq(v, S("false")) ? 0 : -1;
    } else {
        host_header(c->host, line, os_monotonic_ms());
    }
}

static size_t on_body(char *bytes, size_t size, size_t count, void *opaque)
{
    DgCall *c = opaque;
    size_t n = size * count;
    long status = 0;
    curl_easy_getinfo(c->x.curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status >= 300 || !c->spec.reader) {
        buf_add(&c->x.body, (Str){bytes, (ptrdiff_t)n});
        return c->x.body.failed ? 0 : n;
    }
    c->http.bytes += (int64_t)n;
    if (c->http.bytes > (int64_t)c->x.body.max)
        c->x.body.failed = true;
    else if (!c->spec.reader->take(c->spec.reader_state, (Str){bytes, (ptrdiff_t)n}))
        c->stopped = true;
    return c->stopped || c->x.body.failed ? 0 : n;
}

/* ---- One call ---- */

static bool cancelled(const DgServices *s)
{
    return s->options.cancelled && s->options.cancelled(s->options.context);
}

static bool call_cancelled(void *opaque)
{
    const DgCall *c = opaque;
    return c->dropped || cancelled(c->services) || os_monotonic_ms() - c->started_ms > c->spec.deadline_ms;
}

static void finish(DgServices *s, DgCall *c)
{
    c->answer.body = buf_str(&c->x.body);
    c->done = true;
    list_add(&s->finished, c);
    pthread_cond_broadcast(&s->changed);
}

static Host *host_of(DgServices *s, Str url, int concurrency)
{
    ptrdiff_t end = str_find(url, S("://"));
    for (end = end < 0 ? 0 : end + 3; end < url.len && !strchr("/?#", url.ptr[end]);)
        end++;
    Str origin = str_sub(url, 0, end);
    for (size_t i = 0; i < s->hosts_count; i++)
        if (str_eq_nocase(s->hosts[i]->origin, origin)) {
            if (concurrency > s->hosts[i]->limit_max)
                s->hosts[i]->limit_max = concurrency;
            return s->hosts[i];
        }
    if (s->hosts_count == HOSTS_MAX) /* the last ones share a budget */
        return s->hosts[HOSTS_MAX - 1];
    Host *h = push(&s->arena, Host, 1);
    if (!h)
        return NULL;
    host_init(h, str_copy(&s->arena, origin), concurrency);
    s->hosts[s->hosts_count++] = h;
    return h;
}

static CURL *take_handle(DgServices *s)
{
    return s->handles_count ? s->handles[--s->handles_count] : curl_easy_init();
}

static void give_handle(DgServices *s, CURL *curl)
{
    if (s->handles_count < HANDLES_KEPT)
        s->handles[s->handles_count++] = curl;
    else
        curl_easy_cleanup(curl);
}

/* Outside of the lock: the call is in no list that others change. */
static DgStatus send_now(DgServices *s, DgCall *c, int64_t now_ms)
{
    Exchange *x = &c->x;
    StrArray headers = {(Str *)c->spec.headers, c->spec.headers_count, c->spec.headers_count};
    buf_free(&x->body);
    *x = (Exchange){.curl = take_handle(s), .request = &c->request, .answer = &c->http, .a = &c->arena,
                    .body = {.max = c->spec.answer_max}, .on_header = on_header, .header_context = c, .public_only = c->spec.foreign};
    c->answer.attempts++;
    c->sent_ms = now_ms;
    c->should_retry = -1;
    c->told_ms = 0;
    c->http.bytes = 0;
    c->stopped = false;
    if (c->spec.reader)
        c->spec.reader->begin(c->spec.reader_state);
    if (!x->curl || !exchange_begin(x, str_cstr(&c->arena, c->spec.url), &headers))
        return os_no_memory(&c->error, "for a request");
    curl_easy_setopt(x->curl, CURLOPT_PRIVATE, c);
    curl_easy_setopt(x->curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(x->curl, CURLOPT_WRITEDATA, c);
    if (c->spec.unrepeatable) /* on a connection that was used before curl itself repeats what got no answer */
        curl_easy_setopt(x->curl, CURLOPT_FRESH_CONNECT, 1L);
    if (curl_multi_add_handle(s->multi, x->curl) != CURLM_OK)
        return os_no_memory(&c->error, "for a request");
    c->under_way = true;
    host_started(c->host, c->spec.tokens);
    s->count.calls++;
    s->count.bytes_out += c->spec.body.len;
    return DG_OK;
}

static int64_t backoff_ms(int attempt)
{
    int64_t limit = attempt < 6 ? (int64_t)BACKOFF_FIRST_MS << (attempt - 1) : BACKOFF_MAX_MS;
    if (limit > BACKOFF_MAX_MS)
        limit = BACKOFF_MAX_MS;
    return limit - (int64_t)os_random_below((uint64_t)(limit / 4 + 1));
}

static bool repeatable_status(int status)
{
    return status == 408 || status == 409 || status == 429 || status >= 500;
}

/* True: it goes back to the waiting ones, at c->at_ms. */
static bool wants_retry(DgServices *s, DgCall *c, CURLcode code, bool torn, int64_t now_ms)
{
    int status = c->answer.status;
    bool broke = (code != CURLE_OK || torn) && c->status == DG_UNAVAILABLE;
    bool refused = status == 429 || status == 529 || status == 503; /* nothing was done there */
    if (c->status == DG_OK || c->dropped || c->x.cancelled || c->answer.attempts > c->spec.retries)
        return false;
    if (c->spec.unrepeatable && !(broke && exchange_was_not_sent(code)) && !(status && refused))
        return false;
    if (c->should_retry == 0 || (c->spec.is_final && status && c->spec.is_final(status, buf_str(&c->x.body))))
        return false;
    if (!broke && c->should_retry != 1 && !repeatable_status(status))
        return false;
    int64_t told = c->told_ms ? c->told_ms : c->x.retry_after_ms, wait = told ? told : backoff_ms(c->answer.attempts);
    if (now_ms + wait - c->started_ms > c->spec.deadline_ms || !host_may_retry(c->host, told > 0))
        return false;
    c->at_ms = now_ms + wait;
    s->count.retries++;
    return true;
}

static void tell_deadline(DgCall *c)
{
    c->status = dg_fail(&c->error, DG_UNAVAILABLE, "could not %s: no success within %lld s, and %d attempt%s", c->spec.what,
                        (long long)c->spec.deadline_ms / 1000, c->answer.attempts, c->answer.attempts == 1 ? "" : "s");
}

/* Of an answer that was read as it came. True: it broke off. */
static bool end_reading(DgCall *c, CURLcode code)
{
    bool whole = code == CURLE_OK || c->stopped;
    DgError err = {0};
    DgStatus status = c->spec.reader->end(c->spec.reader_state, whole, &c->x.body, &err);
    if (status == DG_OK) /* whatever became of the connection afterwards */
        c->answer.status = c->http.status;
    if (status == DG_OK || c->status == DG_OK || err.message[0])
        c->error = err;
    c->status = status;
    if (status != DG_UNAVAILABLE)
        return false;
    c->answer.torn++;
    c->answer.torn_bytes += c->http.bytes;
    return true;
}

static void exchanged(DgServices *s, DgCall *c, CURLcode code)
{
    int64_t now_ms = os_monotonic_ms();
    exchange_end(&c->x);
    c->answer.status = code == CURLE_OK || c->http.status >= 300 ? c->http.status : 0;
    c->answer.took_ms = now_ms - c->sent_ms;
    c->status = exchange_judge(&c->x, c->stopped ? CURLE_OK : code, c->spec.what, &c->error);
    bool torn = c->spec.reader && c->http.bytes && !c->x.cancelled && !c->x.body.failed && end_reading(c, code);
    if (c->x.cancelled && !c->dropped && !cancelled(s))
        tell_deadline(c);
    else if (code == CURLE_COULDNT_CONNECT && c->spec.foreign)
        dg_hint(&c->error, "an address that came from an answer must not lead into a private network");
    host_ended(c->host, c->x.cancelled ? -1 : torn ? 0 : c->answer.status, c->told_ms ? c->told_ms : c->x.retry_after_ms, now_ms);
    s->count.bytes_in += c->spec.reader && c->http.bytes ? c->http.bytes : (int64_t)c->x.body.len;
    curl_multi_remove_handle(s->multi, c->x.curl);
    give_handle(s, c->x.curl);
    c->x.curl = NULL;
    c->under_way = false;
    bool again = wants_retry(s, c, code, torn, now_ms);
    if (!again && s->tape && s->options.tape == DG_TAPE_RECORD && c->answer.status) {
        DgError bad = {0};
        c->answer.body = buf_str(&c->x.body);
        if (tape_record(s->tape, &c->spec, &c->answer, &bad) != DG_OK && c->status == DG_OK)
            c->status = bad.status, c->error = bad;
    }
    pthread_mutex_lock(&s->lock);
    list_remove(&s->under_way, c);
    if (again)
        list_add(&s->waiting, c);
    else
        finish(s, c);
    pthread_mutex_unlock(&s->lock);
}

static void replay(DgServices *s, DgCall *c)
{
    c->status = tape_replay(s->tape, &c->arena, &c->spec, &c->answer, &c->error);
    if (c->status == DG_OK) {
        c->http = (DgHttpAnswer){.status = c->answer.status};
        buf_add(&c->x.body, c->answer.body);
        c->x.answer = &c->http;
        c->status = exchange_judge(&c->x, CURLE_OK, c->spec.what, &c->error);
        if (c->status == DG_OK && c->spec.reader) {
            c->spec.reader->begin(c->spec.reader_state);
            c->spec.reader->take(c->spec.reader_state, c->answer.body);
            buf_free(&c->x.body);
            c->status = c->spec.reader->end(c->spec.reader_state, true, &c->x.body, &c->error);
        }
    }
}

/* ---- The thread ---- */

/* Sends what may be sent. Returns when to look again. */
static int64_t send_waiting(DgServices *s)
{
    int64_t now_ms = os_monotonic_ms(), next = now_ms + TICK_MS;
    pthread_mutex_lock(&s->lock);
    while (s->incoming.first) {
        DgCall *c = s->incoming.first;
        list_remove(&s->incoming, c);
        list_add(&s->waiting, c);
    }
    for (DgCall *c = s->waiting.first, *after; c; c = after) {
        after = c->next;
        const char *why = NULL;
        c->host = c->host ? c->host : host_of(s, c->spec.url, c->spec.concurrency);
        bool late = now_ms - c->started_ms > c->spec.deadline_ms;
        if (!c->host)
            c->status = os_no_memory(&c->error, "for a host");
        if (!c->host || late || c->dropped || s->closing || cancelled(s)) {
            list_remove(&s->waiting, c);
            if (c->host && late && !c->dropped)
                tell_deadline(c);
            else if (c->host)
                c->status = dg_fail(&c->error, DG_CANCELLED, "cancelled");
            finish(s, c);
            continue;
        }
        if (s->options.tape == DG_TAPE_REPLAY) {
            list_remove(&s->waiting, c);
            replay(s, c);
            finish(s, c);
            continue;
        }
        int64_t at = c->at_ms > now_ms ? c->at_ms : host_gate(c->host, c->spec.tokens, now_ms, &why);
        if (c->at_ms > now_ms)
            why = "to try again";
        if (at) {
            next = at < next ? at : next;
            c->gate_ms = at;
            c->gate_why = why;
            continue;
        }
        c->gate_why = NULL;
        list_remove(&s->waiting, c);
        c->answer.waited_ms = now_ms - c->started_ms;
        c->status = send_now(s, c, now_ms);
        if (c->status == DG_OK)
            list_add(&s->under_way, c);
        else
            finish(s, c);
    }
    pthread_mutex_unlock(&s->lock);
    return next;
}

static void drop_dropped(DgServices *s);

static void *engine(void *opaque)
{
    DgServices *s = opaque;
    for (;;) {
        int running, messages;
        int64_t next = send_waiting(s), now_ms = os_monotonic_ms();
        curl_multi_perform(s->multi, &running);
        CURLMsg *m;
        bool any = false;
        while ((m = curl_multi_info_read(s->multi, &messages))) {
            DgCall *c;
            if (m->msg != CURLMSG_DONE)
                continue;
            CURLcode code = m->data.result;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
            exchanged(s, c, code);
            any = true;
        }
        drop_dropped(s);
        pthread_mutex_lock(&s->lock);
        bool end = s->closing && !s->under_way.first && !s->waiting.first && !s->incoming.first;
        pthread_mutex_unlock(&s->lock);
        if (end)
            return NULL;
        if (!any)
            curl_multi_poll(s->multi, NULL, 0, next > now_ms ? (int)(next - now_ms) : 0, NULL);
    }
}

/* ---- Outside ---- */

DgStatus services_open(const DgServicesOptions *options, DgServices **out, DgError *err)
{
    exchange_init();
    DgServices *s = os_alloc(sizeof *s);
    if (!s)
        return os_no_memory(err, "for services");
    s->options = *options;
    arena_init(&s->arena, 1 << 20);
    s->arena.can_fail = true;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->incoming.last = &s->incoming.first;
    s->multi = curl_multi_init();
    DgStatus status = s->multi ? DG_OK : os_no_memory(err, "for services");
    if (status == DG_OK && options->tape != DG_TAPE_NONE)
        status = tape_open(options, &s->tape, err);
    if (status == DG_OK && pthread_create(&s->thread, NULL, engine, s) != 0)
        status = dg_fail(err, DG_TEMPFAIL, "could not start the thread that calls services");
    s->thread_runs = status == DG_OK;
    if (status != DG_OK)
        services_close(s);
    *out = status == DG_OK ? s : NULL;
    return status;
}

static void release(DgCall *c)
{
    if (c->spec.reader)
        c->spec.reader->close(c->spec.reader_state);
    buf_free(&c->x.body);
    arena_free(&c->arena);
    os_free(c);
}

/* Calls freed while they were under way. */
static void drop_dropped(DgServices *s)
{
    pthread_mutex_lock(&s->lock);
    for (DgCall *c = s->finished.first, *after; c; c = after) {
        after = c->next;
        if (c->dropped) {
            list_remove(&s->finished, c);
            release(c);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

void services_close(DgServices *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    for (DgCall *c = s->under_way.first; c; c = c->next)
        c->dropped = true;
    pthread_mutex_unlock(&s->lock);
    if (s->thread_runs) {
        curl_multi_wakeup(s->multi);
        pthread_join(s->thread, NULL);
    }
    while (s->finished.first) {
        DgCall *c = s->finished.first;
        list_remove(&s->finished, c);
        release(c);
    }
    while (s->handles_count)
        curl_easy_cleanup(s->handles[--s->handles_count]);
    if (s->multi)
        curl_multi_cleanup(s->multi);
    tape_close(s->tape);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    arena_free(&s->arena);
    os_free(s);
}

static void take_spec(DgCall *c, const DgCallSpec *spec)
{
    Arena *a = &c->arena;
    c->spec = *spec;
    c->spec.url = str_copy(a, spec->url);
    c->spec.body = str_copy(a, spec->body);
    c->spec.tape_body = str_copy(a, spec->tape_body);
    c->spec.what = str_cstr(a, str_from(spec->what));
    Str *headers = push(a, Str, spec->headers_count + 1);
    size_t n = 0;
    for (; headers && n < spec->headers_count; n++)
        headers[n] = str_copy(a, spec->headers[n]);
    if (headers && spec->idempotency) {
        uint32_t r[4];
        os_random(r, sizeof r);
        headers[n++] = str_format(a, "%s: dgc-retry-%08x-%04x-4%03x-%04x-%08x%04x", spec->idempotency, r[0], r[1] & 0xffff, r[1] >> 20,
                                  0x8000 | (r[2] & 0x3fff), r[3], r[2] >> 16);
    }
    c->spec.headers = headers;
    c->spec.headers_count = n;
    c->spec.retries = spec->retries ? spec->retries < 0 ? 0 : spec->retries : RETRIES;
    c->spec.deadline_ms = spec->deadline_ms ? spec->deadline_ms : DEADLINE_MS;
    c->spec.answer_max = spec->answer_max ? spec->answer_max : 64u << 20;
    c->spec.concurrency = spec->concurrency > 0 ? spec->concurrency : CONCURRENCY;
    c->request = (DgHttpRequest){.method = spec->method, .url = c->spec.url, .body = c->spec.body, .connect_s = spec->connect_s,
                                 .first_byte_s = spec->first_byte_s ? spec->first_byte_s : FIRST_BYTE_S, .cancelled = call_cancelled, .context = c};
}

DgStatus call_start(DgServices *s, const DgCallSpec *spec, void *owner, void *user, DgCall **out, DgError *err)
{
    DgCall *c = os_alloc(sizeof *c);
    if (out)
        *out = NULL;
    if (!c)
        return os_no_memory(err, "for a call");
    arena_init(&c->arena, 256 << 20);
    c->arena.can_fail = true;
    c->services = s;
    c->owner = owner;
    c->user = user;
    c->started_ms = os_monotonic_ms();
    take_spec(c, spec);
    if (c->arena.failed) {
        c->spec.reader = NULL;
        release(c);
        return os_no_memory(err, "for a call");
    }
    pthread_mutex_lock(&s->lock);
    list_add(&s->incoming, c);
    pthread_mutex_unlock(&s->lock);
    curl_multi_wakeup(s->multi);
    if (out)
        *out = c;
    return DG_OK;
}

static void until(struct timespec *at, int64_t ms)
{
    int64_t us = os_real_us() + ms * 1000;
    at->tv_sec = us / 1000000;
    at->tv_nsec = (us % 1000000) * 1000;
}

DgCall *calls_next(DgServices *s, const void *owner, int64_t wait_ms)
{
    struct timespec at;
    DgCall *found = NULL;
    until(&at, wait_ms);
    pthread_mutex_lock(&s->lock);
    for (;;) {
        for (DgCall *c = s->finished.first; c && !found; c = c->next)
            found = c->owner == owner && !c->dropped ? c : NULL;
        if (found || pthread_cond_timedwait(&s->changed, &s->lock, &at) != 0)
            break;
    }
    if (found)
        list_remove(&s->finished, found);
    pthread_mutex_unlock(&s->lock);
    return found;
}

DgStatus call_wait(DgServices *s, DgCall *call, DgError *err)
{
    pthread_mutex_lock(&s->lock);
    while (!call->done)
        pthread_cond_wait(&s->changed, &s->lock);
    list_remove(&s->finished, call);
    pthread_mutex_unlock(&s->lock);
    const DgCallAnswer *ignored;
    return call_result(call, &ignored, err);
}

DgStatus call_result(DgCall *call, const DgCallAnswer **answer, DgError *err)
{
    *answer = &call->answer;
    if (call->status != DG_OK && err)
        *err = call->error;
    return call->status;
}

void *call_user(const DgCall *call)
{
    return call->user;
}

void call_free(DgServices *s, DgCall *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&s->lock);
    bool done = c->done;
    if (done)
        list_remove(&s->finished, c); /* when it was not taken */
    else
        c->dropped = true;
    pthread_mutex_unlock(&s->lock);
    if (done)
        release(c);
    else
        curl_multi_wakeup(s->multi);
}

void calls_drop(DgServices *s, const void *owner)
{
    CallList *lists[] = {&s->incoming, &s->waiting, &s->under_way, &s->finished};
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (DgCall *c = lists[i]->first; c; c = c->next)
            if (c->owner == owner)
                c->dropped = true;
    pthread_mutex_unlock(&s->lock);
    curl_multi_wakeup(s->multi);
}

Str call_header(const DgCallAnswer *answer, const char *name)
{
    Str v;
    for (size_t i = 0; i < answer->headers.count; i++)
        if (header_named(answer->headers.items[i], name, &v))
            return v;
    return (Str){0};
}

bool services_waiting(DgServices *s, const void *owner, char why[160], int64_t *until_ms)
{
    const DgCall *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (const DgCall *c = s->waiting.first; c; c = c->next)
        if (c->owner == owner && c->gate_why && (!found || c->gate_ms < found->gate_ms))
            found = c;
    if (found) {
        Str origin = found->host->origin;
        int64_t left = found->gate_ms - os_monotonic_ms();
        snprintf(why, 160, "%.*s: %s", FMT(origin), found->gate_why);
        *until_ms = left > 0 ? os_real_us() / 1000 + left : 0;
    }
    pthread_mutex_unlock(&s->lock);
    return found != NULL;
}

DgServicesCount services_count(DgServices *s)
{
    pthread_mutex_lock(&s->lock);
    DgServicesCount n = s->count;
    pthread_mutex_unlock(&s->lock);
    return n;
}
