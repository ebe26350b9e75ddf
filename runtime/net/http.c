/* http.c - requests one at a time: redirects and retries. */
#include "runtime/net/exchange.h"

#include <arpa/inet.h>

#include "runtime/os/os.h"

enum { REDIRECTS_MAX = 5, ATTEMPTS = 5, WAIT_FIRST_MS = 200, WAIT_MAX_MS = 20000, RETRY_AFTER_MAX_MS = 120000 };

struct DgHttp {
    CURL *curl;
};

DgStatus http_open(DgHttp **out, DgError *err)
{
    exchange_init();
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

static CURLcode perform(Exchange *x, Str url, const StrArray *headers)
{
    if (!exchange_begin(x, str_cstr(x->a, url), headers))
        return CURLE_OUT_OF_MEMORY;
    CURLcode code = curl_easy_perform(x->curl);
    exchange_end(x);
    return code;
}

/* What the project itself named lies in a private network: redirects may stay there. */
static bool reached_private(CURL *curl)
{
    char *ip = NULL;
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &ip);
    if (ip && inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
        return address_is_private((struct sockaddr *)&v4);
    return ip && inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1 && address_is_private((struct sockaddr *)&v6);
}

static CURLcode exchange_following(Exchange *x, StrArray *headers)
{
    const DgHttpRequest *r = x->request;
    bool follow = !r->sign && (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0);
    Str url = r->url;
    for (int i = 0;; i++) {
        CURLcode code = perform(x, url, headers);
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
            x->public_only = x->public_only || !reached_private(x->curl);
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

static int64_t wait_of(int attempt, int64_t asked_ms)
{
    int64_t limit = attempt < 10 ? (int64_t)WAIT_FIRST_MS << attempt : WAIT_MAX_MS;
    return asked_ms ? asked_ms : (int64_t)os_random_below((uint64_t)(limit < WAIT_MAX_MS ? limit : WAIT_MAX_MS) + 1);
}

/* False: cancelled meanwhile. */
static bool sleep_for(const DgHttpRequest *r, int64_t wait)
{
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
        DgStatus status = exchange_judge(&x, code, what, err);
        answer->body = str_copy(a, buf_str(&x.body));
        buf_free(&x.body);
        if (a->failed)
            return os_no_memory(err, "for an answer");
        /* What has gone to a file cannot be taken back here: the caller asks again for the rest. */
        bool again = status == DG_UNAVAILABLE && (r.idempotent || exchange_was_not_sent(code)) && attempt < attempts && !(r.to_fd > 0 && answer->bytes);
        if (!again || x.retry_after_ms > RETRY_AFTER_MAX_MS)
            return status;
        int64_t wait = wait_of(attempt, x.retry_after_ms);
        if (r.retrying)
            r.retrying(r.context, err, attempt, attempts, wait);
        if (!sleep_for(&r, wait))
            return dg_fail(err, DG_CANCELLED, "cancelled");
    }
}
