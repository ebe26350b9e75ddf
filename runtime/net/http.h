/* http.h - one HTTP request at a time, with deadlines on every phase and retries as they should be.
 *
 * Deadlines: 10 s to connect (TLS included), 60 s to the first byte, then at least 1 byte/s over 30 s.
 * Retried: connections that break, and 408, 429, 500, 502, 503, 504, when the request may be sent twice
 * (`idempotent`, or it never reached a server), at most `attempts` times, after what Retry-After says or
 * a random time below a limit that doubles. Redirects are followed for GET and HEAD that are not signed,
 * within http and https; headers that may hold secrets stay behind when the host is another one.
 * Proxies are the environment's, as curl reads them; certificates those of SSL_CERT_FILE or the system.
 *
 * Classes: DG_UNAVAILABLE when retries are used up, DG_NOPERM for 401 and 403, DG_END for 404 and 410,
 * DG_TEMPFAIL for 409 and 412, DG_DATA otherwise. The answer is filled in all the same.
 */
#ifndef DGC_HTTP_H
#define DGC_HTTP_H

#include "runtime/base/base.h"

typedef struct DgHttp DgHttp; /* a connection that is kept; one thread at a time */

typedef struct DgHttpRequest {
    const char *method;        /* "GET", "HEAD", "PUT", "POST", "DELETE" */
    Str url;                   /* percent-encoded already */
    const Str *headers;        /* "Name: value" */
    size_t headers_count;
    Str body;                  /* sent, or: */
    int body_fd;               /* a range of a file, when body_bytes > 0 */
    int64_t body_offset, body_bytes;
    int to_fd;                 /* the answer's content goes there when it is a success; 0: into memory */
    int64_t to_max;            /* bytes that may go there; 0: any number */
    size_t answer_max;         /* bytes in memory; 0: 64 MiB */
    bool idempotent;
    int attempts;              /* 0: 5 */
    int connect_s;             /* 0: 10 */
    int first_byte_s;          /* 0: 60 */
    bool direct;               /* past any proxy: what only this machine's network may see */
    bool (*cancelled)(void *context);
    /* Before each wait: what failed, and that it is asked again in wait_ms. May be NULL. */
    void (*retrying)(void *context, const DgError *why, int attempt, int attempts, int64_t wait_ms);
    void *context;
    /* Called before each attempt: signs anew, since signatures have a time. May be NULL. */
    DgStatus (*sign)(void *context, struct DgHttpRequest *request, StrArray *headers, Arena *a, DgError *err);
    void *sign_context;
} DgHttpRequest;

typedef struct DgHttpAnswer {
    int status;                /* 200...; 0: none came */
    Str body;                  /* in the arena; of a failure also when to_fd is given */
    int64_t bytes;             /* of content: in memory, or in to_fd */
    int64_t length;            /* announced; -1: not said */
    Str etag, content_range, region, content_type;
    int64_t modified_us, date_us; /* Last-Modified, and the server's clock; 0: not said */
} DgHttpAnswer;

DgStatus http_open(DgHttp **out, DgError *err);
void http_close(DgHttp *http);
/* `a` owns the answer. `what` names the request in messages: "read s3://b/k". */
DgStatus http_send(DgHttp *http, Arena *a, const DgHttpRequest *request, DgHttpAnswer *answer, const char *what, DgError *err);

/* RFC 3986 encoding of all but A-Z a-z 0-9 - . _ ~ (and / when `path`), upper-case hex. */
void http_encode(StrBuf *out, Str text, bool path);

#endif
