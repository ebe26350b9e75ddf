/* http_get.c - one GET through libcurl, with a time limit on every phase. */
#include "runtime/net/http_get.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "runtime/os/os.h"

enum { CONNECT_S = 10, STALL_S = 30, REDIRECTS_MAX = 5 };


typedef struct Sink {
    int fd;
    const char *path;
    int64_t left;
    DgStatus status;
    DgError *err;
} Sink;

static size_t take(char *bytes, size_t size, size_t count, void *opaque)
{
    Sink *s = opaque;
    size_t n = size * count;
    if ((int64_t)n > s->left) {
        s->status = dg_fail(s->err, DG_DATA, "the answer is larger than allowed");
        return 0;
    }
    s->left -= (int64_t)n;
    s->status = os_write_all(s->fd, bytes, n, s->path, s->err);
    return s->status == DG_OK ? n : 0;
}

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Certificates lie in different places; the first that is there is used. */
static const char *certificates(void)
{
    static const char *const places[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                         "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (os_exists(places[i]))
            return places[i];
    return NULL;
}

static DgStatus judge(CURL *c, CURLcode code, Str url, Sink *s, DgError *err)
{
    long answer = 0;
    curl_off_t retry = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &answer);
    if (s->status != DG_OK)
        return s->status;
    if (code != CURLE_OK) {
        bool certificate = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
        bool terminal = certificate || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
                        code == CURLE_TOO_MANY_REDIRECTS;
        return dg_fail(err, terminal ? DG_DATA : DG_UNAVAILABLE, "could not get %.*s: %s", FMT(url),
                       curl_easy_strerror(code));
    }
    if (answer == 200)
        return DG_OK;
    bool later = answer == 429 || answer == 408 || answer >= 500;
    dg_fail(err, later ? DG_UNAVAILABLE : DG_DATA, "could not get %.*s: the server answered %ld", FMT(url), answer);
    if (curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &retry) == CURLE_OK && retry > 0)
        err->retry_after_ms = (int64_t)retry * 1000;
    return err->status;
}

DgStatus http_download(Str url, const char *to, int64_t bytes_max, DgError *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, curl_start);
    Arena a;
    Sink s = {.path = to, .left = bytes_max, .err = err};
    DG_TRY(os_open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600, &s.fd, err));
    CURL *c = curl_easy_init();
    if (!c) {
        os_close(s.fd);
        return os_no_memory(err, "downloading");
    }
    arena_init(&a, 1 << 20);
    curl_easy_setopt(c, CURLOPT_URL, str_cstr(&a, url));
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &s);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "dgc");
    if (certificates())
        curl_easy_setopt(c, CURLOPT_CAINFO, certificates());
    DgStatus status = judge(c, curl_easy_perform(c), url, &s, err);
    curl_easy_cleanup(c);
    arena_free(&a);
    os_close(s.fd);
    return status;
}
