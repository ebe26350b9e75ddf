/* http.c - requests through libcurl's easy interface. */
#include "runtime/net/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/os/os.h"

enum {
    CONNECT_S = 10, FIRST_BYTE_S = 60, STALL_S = 30, REDIRECTS_MAX = 5, ATTEMPTS = 5,
    WAIT_FIRST_MS = 200, WAIT_MAX_MS = 20000, RETRY_AFTER_MAX_MS = 120000, FAILURE_BYTES_MAX = 64 << 10
};

struct DgHttp {
    CURL *curl;
};

typedef enum Phase { SENDING, WAITING, RECEIVING } Phase;

typedef struct Exchange {
    CURL *curl;
    const DgHttpRequest *request;
    DgHttpAnswer *answer;
    Arena *a;
    StrBuf body;
    int64_t sent;
    Phase phase;                 /* which deadline counts, since when, and what had moved by then */
    int64_t since_ms, moved;
    bool late, cancelled;
    int64_t retry_after_ms;
    bool file_failed;
    DgError file_error;
} Exchange;

/* ---- Once per process ---- */

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Certificates lie in different places; the first that is there is used. */
static const char *certificates(void)
{
    static const char *const places[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    const char *given = getenv("SSL_CERT_FILE");
    if (given && *given)
        return given;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (os_exists(places[i]))
            return places[i];
    return NULL;
}

DgStatus http_open(DgHttp **out, DgError *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, curl_start);
    DgHttp *h = os_alloc(sizeof *h);
    if (h)
        h->curl = curl_easy_init();
    if (!h || !h->curl) {
        os_free(h);
        return os_no_memory(err, "for a connection");
    }
    *out = h;
    return DG_OK;
}

void http_close(DgHttp *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    os_free(h);
}

void http_encode(StrBuf *out, Str text, bool path)
{
    for (ptrdiff_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || c == '-' || c == '.' || c == '_' || c == '~' || (path && c == '/'))
            buf_char(out, (char)c);
        else
            buf_format(out, "%%%02X", c);
    }
}

/* ---- What curl calls ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *opaque)
{
    Exchange *x = opaque;
    const DgHttpRequest *r = x->request;
    size_t n = size * count;
    long status = 0;
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    bool good = status >= 200 && status < 300;
    if (good && r->to_fd > 0) {
        if (r->to_max && x->answer->bytes + (int64_t)n > r->to_max)
            dg_fail(&x->file_error, DG_DATA, "the answer is larger than allowed");
        else if (os_write_all(r->to_fd, bytes, n, "a download", &x->file_error) == DG_OK)
            return x->answer->bytes += (int64_t)n, n;
        x->file_failed = true;
        return 0;
    }
    if (good || x->body.len + n <= FAILURE_BYTES_MAX)
        buf_add(&x->body, (Str){bytes, (ptrdiff_t)n});
    if (good)
        x->answer->bytes += (int64_t)n;
    return x->body.failed ? 0 : n;
}

static size_t give_body(char *to, size_t size, size_t count, void *opaque)
{
    Exchange *x = opaque;
    const DgHttpRequest *r = x->request;
    size_t room = size * count, got = 0;
    int64_t total = r->body_bytes ? r->body_bytes : r->body.len, left = total - x->sent;
    if ((int64_t)room > left)
        room = (size_t)left;
    if (!room)
        return 0;
    if (!r->body_bytes) {
        memcpy(to, r->body.ptr + x->sent, room);
        got = room;
    } else if (os_pread_some(r->body_fd, to, room, r->body_offset + x->sent, &got, "an upload", &x->file_error) != DG_OK || !got) {
        x->file_failed = true;
        return CURL_READFUNC_ABORT;
    }
    x->sent += (int64_t)got;
    return got;
}

static int rewind_body(void *opaque, curl_off_t offset, int origin)
{
    Exchange *x = opaque;
    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    x->sent = offset;
    return CURL_SEEKFUNC_OK;
}

static bool header_is(Str line, const char *name, Str *value)
{
    Str key, rest;
    if (!str_cut(line, ':', &key, &rest) || !str_eq_nocase(str_trim(key), str_from(name)))
        return false;
    *value = str_trim(rest);
    return true;
}

/* Of any of HTTP's three forms; 0: it is none. */
static int64_t date_of(Str value)
{
    char text[64];
    snprintf(text, sizeof text, "%.*s", FMT(value));
    time_t t = curl_getdate(text, NULL);
    return t > 0 ? (int64_t)t * 1000000 : 0;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *opaque)
{
    Exchange *x = opaque;
    DgHttpAnswer *a = x->answer;
    Str line = str_trim((Str){bytes, (ptrdiff_t)(size * count)}), v;
    if (str_starts(line, S("HTTP/"))) { /* after 100 Continue, or a proxy's: the last one counts */
        *a = (DgHttpAnswer){.length = -1};
        x->retry_after_ms = 0;
    } else if (header_is(line, "etag", &v)) {
        a->etag = str_copy(x->a, v);
    } else if (header_is(line, "content-range", &v)) {
        a->content_range = str_copy(x->a, v);
    } else if (header_is(line, "content-type", &v)) {
        a->content_type = str_copy(x->a, v);
    } else if (header_is(line, "x-amz-bucket-region", &v)) {
        a->region = str_copy(x->a, v);
    } else if (header_is(line, "date", &v)) {
        a->date_us = date_of(v);
    } else if (header_is(line, "content-length", &v)) {
        str_to_int(v, &a->length);
    } else if (header_is(line, "last-modified", &v)) {
        a->modified_us = date_of(v);
    } else if (header_is(line, "retry-after", &v)) {
        int64_t seconds;
        if (str_to_int(v, &seconds))
            x->retry_after_ms = seconds > 0 && seconds < INT32_MAX ? seconds * 1000 : 0;
        else {
            int64_t wait = (date_of(v) - os_real_us()) / 1000;
            x->retry_after_ms = wait > 0 ? wait : 0;
        }
    }
    return size * count;
}

/* The deadlines that curl has no option for. Called at least once a second. */
static int watch(void *opaque, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    Exchange *x = opaque;
    const DgHttpRequest *r = x->request;
    (void)down_total;
    if (r->cancelled && r->cancelled(r->context)) {
        x->cancelled = true;
        return 1;
    }
    int64_t now = os_monotonic_ms(), limit_s = STALL_S;
    Phase phase = down ? RECEIVING : up < up_total ? SENDING : WAITING;
    if (phase == WAITING)
        limit_s = r->first_byte_s ? r->first_byte_s : FIRST_BYTE_S;
    if (phase != x->phase || down + up - x->moved >= STALL_S) { /* 1 byte/s, or another phase */
        x->phase = phase;
        x->since_ms = now;
        x->moved = down + up;
    }
    x->late = now - x->since_ms > limit_s * 1000;
    return x->late;
}

/* ---- One attempt ---- */

/* NULL: out of memory; a request that lacks a header would be another request. */
static struct curl_slist *header_list(const StrArray *headers, Arena *a)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; list && i < headers->count; i++) {
        char *line = str_cstr(a, headers->items[i]);
        struct curl_slist *longer = line ? curl_slist_append(list, line) : NULL;
        if (!longer)
            curl_slist_free_all(list);
        list = longer;
    }
    return list;
}

static void set_method(CURL *c, const DgHttpRequest *r, Exchange *x)
{
    int64_t bytes = r->body_bytes ? r->body_bytes : r->body.len;
    bool sends = strcmp(r->method, "PUT") == 0 || strcmp(r->method, "POST") == 0;
    if (strcmp(r->method, "HEAD") == 0) {
        curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    } else if (sends) {
        curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
        curl_easy_setopt(c, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(c, CURLOPT_READDATA, x);
        curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, rewind_body);
        curl_easy_setopt(c, CURLOPT_SEEKDATA, x);
        curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)bytes);
    } else if (strcmp(r->method, "GET") != 0) {
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    }
}

static CURLcode exchange(Exchange *x, const char *url, const StrArray *headers)
{
    CURL *c = x->curl;
    const DgHttpRequest *r = x->request;
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L); /* keys may hold `..` and `//` */
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)(r->connect_s ? r->connect_s : CONNECT_S));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    if (r->direct)
        curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c, CURLOPT_USERAGENT, "dgc");
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    const char *bundle = certificates();
    if (bundle)
        curl_easy_setopt(c, CURLOPT_CAINFO, bundle);
    set_method(c, r, x);
    struct curl_slist *list = header_list(headers, x->a);
    if (!list)
        return CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
    x->phase = SENDING;
    x->since_ms = os_monotonic_ms();
    x->moved = x->sent = 0;
    *x->answer = (DgHttpAnswer){.length = -1};
    CURLcode code = curl_easy_perform(c);
    long status = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    x->answer->status = (int)status;
    curl_slist_free_all(list);
    return code;
}

/* scheme://host:port of a URL. */
static Str origin_of(Str url)
{
    ptrdiff_t end = str_find(url, S("://"));
    for (end = end < 0 ? 0 : end + 3; end < url.len && !strchr("/?#", url.ptr[end]);)
        end++;
    return str_sub(url, 0, end);
}

/* Any header but these may hold a secret, which is not for another host. */
static bool is_plain(Str header)
{
    static const char *const plain[] = {"range:", "if-", "accept"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (str_eq_nocase(str_sub(header, 0, (ptrdiff_t)strlen(plain[i])), str_from(plain[i])))
            return true;
    return false;
}

static CURLcode exchange_following(Exchange *x, StrArray *headers)
{
    const DgHttpRequest *r = x->request;
    bool follow = !r->sign && (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0);
    Str url = r->url;
    for (int i = 0;; i++) {
        CURLcode code = exchange(x, str_cstr(x->a, url), headers);
        int status = x->answer->status;
        char *next = NULL;
        if (code != CURLE_OK || !follow || status < 301 || status > 308 || status == 304)
            return code;
        curl_easy_getinfo(x->curl, CURLINFO_REDIRECT_URL, &next);
        if (!next)
            return code;
        if (i == REDIRECTS_MAX)
            return CURLE_TOO_MANY_REDIRECTS;
        Str to = str_copy(x->a, str_from(next));
        if (!str_eq_nocase(origin_of(to), origin_of(url))) {
            size_t kept = 0;
            for (size_t k = 0; k < headers->count; k++)
                if (is_plain(headers->items[k]))
                    headers->items[kept++] = headers->items[k];
            headers->count = kept;
        }
        url = to;
        buf_free(&x->body);
        x->body = (StrBuf){.max = x->body.max};
    }
}

static bool is_terminal(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_UNSUPPORTED_PROTOCOL ||
           code == CURLE_URL_MALFORMAT || code == CURLE_TOO_MANY_REDIRECTS || code == CURLE_OUT_OF_MEMORY;
}

static bool worth_a_retry(int status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* Nothing of the request has reached a server. */
static bool was_not_sent(CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
}

static const char *broken(const Exchange *x, CURLcode code)
{
    if (!x->late)
        return curl_easy_strerror(code);
    return x->phase == WAITING ? "no answer in time" : "the connection stands still";
}

static DgStatus judge(Exchange *x, CURLcode code, const char *what, DgError *err)
{
    int status = x->answer->status;
    if (x->file_failed)
        return dg_fail(err, x->file_error.status, "could not %s: %s", what, x->file_error.message);
    if (x->cancelled)
        return dg_fail(err, DG_CANCELLED, "cancelled");
    if (x->body.failed)
        return dg_fail(err, DG_DATA, "could not %s: the answer is larger than allowed", what);
    if (code != CURLE_OK)
        return dg_fail(err, is_terminal(code) ? DG_CONFIG : DG_UNAVAILABLE, "could not %s: %s", what, broken(x, code));
    if (status >= 200 && status < 300)
        return DG_OK;
    DgStatus s = status == 401 || status == 403 ? DG_NOPERM
                 : status == 404 || status == 410 ? DG_END
                 : status == 409 || status == 412 ? DG_TEMPFAIL
                 : worth_a_retry(status) ? DG_UNAVAILABLE
                                         : DG_DATA;
    dg_fail(err, s, "could not %s: the server answered %d", what, status);
    err->retry_after_ms = x->retry_after_ms;
    return s;
}

/* False: cancelled meanwhile. */
static bool wait_before(const DgHttpRequest *r, int attempt, int64_t asked_ms)
{
    int64_t limit = attempt < 10 ? (int64_t)WAIT_FIRST_MS << attempt : WAIT_MAX_MS;
    int64_t wait = asked_ms ? asked_ms : (int64_t)os_random_below((uint64_t)(limit < WAIT_MAX_MS ? limit : WAIT_MAX_MS) + 1);
    for (int64_t slept = 0; slept < wait; slept += 50) {
        if (r->cancelled && r->cancelled(r->context))
            return false;
        os_sleep_ms(wait - slept < 50 ? wait - slept : 50);
    }
    return true;
}

DgStatus http_send(DgHttp *http, Arena *a, const DgHttpRequest *request, DgHttpAnswer *answer, const char *what, DgError *err)
{
    int attempts = request->attempts ? request->attempts : ATTEMPTS;
    for (int attempt = 1;; attempt++) {
        DgHttpRequest r = *request;
        StrArray headers = {0};
        Exchange x = {.curl = http->curl, .request = &r, .answer = answer, .a = a, .body = {.max = r.answer_max ? r.answer_max : 64u << 20}};
        *answer = (DgHttpAnswer){.length = -1};
        for (size_t i = 0; i < r.headers_count; i++)
            array_add(a, &headers, r.headers[i]);
        if (r.sign)
            DG_TRY(r.sign(r.sign_context, &r, &headers, a, err));
        if (a->failed)
            return os_no_memory(err, "for a request");
        CURLcode code = exchange_following(&x, &headers);
        DgStatus status = judge(&x, code, what, err);
        answer->body = str_copy(a, buf_str(&x.body));
        buf_free(&x.body);
        if (a->failed)
            return os_no_memory(err, "for an answer");
        /* What has gone to a file cannot be taken back here: the caller asks again for the rest. */
        bool again = status == DG_UNAVAILABLE && (r.idempotent || was_not_sent(code)) && attempt < attempts && !(r.to_fd > 0 && answer->bytes);
        if (!again || x.retry_after_ms > RETRY_AFTER_MAX_MS)
            return status;
        if (!wait_before(&r, attempt, x.retry_after_ms))
            return dg_fail(err, DG_CANCELLED, "cancelled");
    }
}
