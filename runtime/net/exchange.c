/* exchange.c - what curl is told, and what it tells, of one request. */
#include "runtime/net/exchange.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "runtime/os/os.h"

enum { CONNECT_S = 10, FIRST_BYTE_S = 60, STALL_S = 30, FAILURE_BYTES_MAX = 64 << 10 };

/* ---- Once per process ---- */

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void exchange_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, curl_start);
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
    if (x->on_header)
        x->on_header(x->header_context, line);
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
    ExchangePhase phase = down ? EXCHANGE_RECEIVING : up < up_total ? EXCHANGE_SENDING : EXCHANGE_WAITING;
    if (phase == EXCHANGE_WAITING)
        limit_s = r->first_byte_s ? r->first_byte_s : FIRST_BYTE_S;
    if (phase != x->phase || down + up - x->moved >= STALL_S) { /* 1 byte/s, or another phase */
        x->phase = phase;
        x->since_ms = now;
        x->moved = down + up;
    }
    x->late = now - x->since_ms > limit_s * 1000;
    return x->late;
}

/* Where the connection really goes: names that resolve into a private network, and odd spellings, too. */
static curl_socket_t open_public(void *opaque, curlsocktype purpose, struct curl_sockaddr *to)
{
    (void)opaque, (void)purpose;
    return address_is_private(&to->addr) ? CURL_SOCKET_BAD : socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* A proxy decides itself where it goes, and may stand in a private network. */
static bool through_proxy(void)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return true;
    }
    return false;
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

bool exchange_begin(Exchange *x, const char *url, const StrArray *headers)
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
    if (x->public_only && !through_proxy())
        curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_public);
    const char *bundle = certificates();
    if (bundle)
        curl_easy_setopt(c, CURLOPT_CAINFO, bundle);
    set_method(c, r, x);
    x->list = header_list(headers, x->a);
    if (!x->list)
        return false;
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->list);
    x->phase = EXCHANGE_SENDING;
    x->since_ms = os_monotonic_ms();
    x->moved = x->sent = 0;
    *x->answer = (DgHttpAnswer){.length = -1};
    return true;
}

void exchange_end(Exchange *x)
{
    long status = 0;
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    x->answer->status = (int)status;
    curl_slist_free_all(x->list);
    x->list = NULL;
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
bool exchange_was_not_sent(CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
}

static const char *broken(const Exchange *x, CURLcode code)
{
    if (!x->late)
        return curl_easy_strerror(code);
    return x->phase == EXCHANGE_WAITING ? "no answer in time" : "the connection stands still";
}

DgStatus exchange_judge(Exchange *x, CURLcode code, const char *what, DgError *err)
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
