/* http.c - requests through libcurl's easy interface. */
#include "runtime/net/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <pthread.h>
#include <unistd.h>

#include "runtime/os/os.h"

enum { CONNECT_S = 10, FIRST_BYTE_S = 60, STALL_S = 30, REDIRECTS_MAX = 5, ATTEMPTS = 5, WAIT_FIRST_MS = 200, WAIT_MAX_MS = 20000, FAILURE_BYTES_MAX = 64 << 10 };

struct DgHttp {
    CURL *curl;
};

typedef struct Exchange {
    CURL *curl;
    const DgHttpRequest *request;
    DgHttpAnswer *answer;
    Arena *a;
    StrBuf body;
    int64_t sent;
    int64_t started_ms, retry_after_ms;
    bool file_failed;
    DgError file_error;
} Exchange;

/* ---- Once per process ---- */

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static const char *certificates(void)
{
    static const char *const places[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
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
        if (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || (path && c == '/'))
            buf_char(out, (char)c);
        else
            buf_format(out, "%%%02X", c);
    }
}

/* ---- What curl calls ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *opaque)
{
    Exchange *x = opaque;
    size_t n = size * count;
    long status = 0;
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    bool good = status >= 200 && status < 300;
    if (good && x->request->to_fd > 0) {
        if (os_write_all(x->request->to_fd, bytes, n, "a download", &x->file_error) != DG_OK) {
            x->file_failed = true;
            return 0;
        }
    } else if (good || x->body.len + n <= FAILURE_BYTES_MAX) {
        buf_add(&x->body, (Str){bytes, (ptrdiff_t)n});
        if (x->body.failed)
            return 0;
    }
    x->answer->bytes += (int64_t)n;
    return n;
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

static size_t take_header(char *bytes, size_t size, size_t count, void *opaque)
{
    Exchange *x = opaque;
    DgHttpAnswer *a = x->answer;
    Str line = str_trim((Str){bytes, (ptrdiff_t)(size * count)}), v;
    if (str_starts(line, S("HTTP/"))) { /* of a redirect's target: the last one counts */
        int64_t bytes_so_far = a->bytes;
        *a = (DgHttpAnswer){.length = -1, .bytes = bytes_so_far};
        x->retry_after_ms = 0;
    } else if (header_is(line, "etag", &v)) {
        a->etag = str_copy(x->a, v);
    } else if (header_is(line, "content-range", &v)) {
        a->content_range = str_copy(x->a, v);
    } else if (header_is(line, "location", &v)) {
        a->location = str_copy(x->a, v);
    } else if (header_is(line, "content-type", &v)) {
        a->content_type = str_copy(x->a, v);
    } else if (header_is(line, "x-amz-bucket-region", &v)) {
        a->region = str_copy(x->a, v);
    } else if (header_is(line, "date", &v)) {
        a->date = str_copy(x->a, v);
    } else if (header_is(line, "content-length", &v)) {
        str_to_int(v, &a->length);
    } else if (header_is(line, "last-modified", &v)) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", FMT(v));
        time_t t = curl_getdate(text, NULL);
        a->modified_us = t > 0 ? (int64_t)t * 1000000 : 0;
    } else if (header_is(line, "retry-after", &v)) {
        int64_t seconds;
        char text[64];
        snprintf(text, sizeof text, "%.*s", FMT(v));
        if (str_to_int(v, &seconds))
            x->retry_after_ms = seconds * 1000;
        else {
            time_t t = curl_getdate(text, NULL);
            int64_t wait = (int64_t)t * 1000 - os_real_us() / 1000;
            x->retry_after_ms = t > 0 && wait > 0 ? wait : 0;
        }
    }
    return size * count;
}

/* Also the deadline of the first byte, which curl has no option for. */
static int watch(void *opaque, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    Exchange *x = opaque;
    const DgHttpRequest *r = x->request;
    if (r->cancelled && r->cancelled(r->context))
        return 1;
    bool sent_all = !up_total || up >= up_total;
    if (down || !sent_all)
        x->started_ms = os_monotonic_ms();
    (void)down_total;
    return os_monotonic_ms() - x->started_ms > FIRST_BYTE_S * 1000 && !down;
}

/* ---- One attempt ---- */

static struct curl_slist *header_list(const StrArray *headers, Arena *a)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < headers->count; i++)
        list = curl_slist_append(list, str_cstr(a, headers->items[i]));
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
    bool reads = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, reads ? 1L : 0L);
}

static CURLcode exchange(Exchange *x, const StrArray *headers)
{
    CURL *c = x->curl;
    const DgHttpRequest *r = x->request;
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_URL, str_cstr(x->a, r->url));
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L); /* keys may hold `..` and `//` */
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)(r->connect_s ? r->connect_s : CONNECT_S));
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)(FIRST_BYTE_S + STALL_S));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "dgc");
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    if (certificates())
        curl_easy_setopt(c, CURLOPT_CAINFO, certificates());
    set_method(c, r, x);
    struct curl_slist *list = header_list(headers, x->a);
    list = curl_slist_append(list, "Expect:");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
    x->started_ms = os_monotonic_ms();
    CURLcode code = curl_easy_perform(c);
    long status = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    x->answer->status = (int)status;
    curl_slist_free_all(list);
    return code;
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

static DgStatus judge(Exchange *x, CURLcode code, const char *what, DgError *err)
{
    const DgHttpRequest *r = x->request;
    int status = x->answer->status;
    if (x->file_failed) {
        *err = x->file_error;
        return err->status;
    }
    if (r->cancelled && r->cancelled(r->context))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    if (x->body.failed)
        return dg_fail(err, DG_DATA, "could not %s: the answer is larger than allowed", what);
    if (code != CURLE_OK)
        return dg_fail(err, is_terminal(code) ? DG_CONFIG : DG_UNAVAILABLE, "could not %s: %s", what,
                       code == CURLE_ABORTED_BY_CALLBACK ? "no answer within 60 s" : curl_easy_strerror(code));
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

static void wait_before(const DgHttpRequest *r, int attempt, int64_t asked_ms)
{
    int64_t limit = (int64_t)WAIT_FIRST_MS << attempt;
    int64_t wait = asked_ms ? asked_ms : (int64_t)os_random_below((uint64_t)(limit < WAIT_MAX_MS ? limit : WAIT_MAX_MS) + 1);
    for (int64_t slept = 0; slept < wait && !(r->cancelled && r->cancelled(r->context)); slept += 50)
        os_sleep_ms(wait - slept < 50 ? wait - slept : 50);
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
        CURLcode code = exchange(&x, &headers);
        DgStatus status = judge(&x, code, what, err);
        answer->body = str_copy(a, buf_str(&x.body));
        buf_free(&x.body);
        /* What has gone to a file cannot be taken back here: the caller asks again for the rest. */
        bool again = status == DG_UNAVAILABLE && r.idempotent && attempt < attempts && !(r.to_fd > 0 && answer->bytes);
        if (!again || x.retry_after_ms > 120000)
            return status;
        wait_before(&r, attempt, x.retry_after_ms);
    }
}
