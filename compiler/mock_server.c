/* mock_server.c - HTTP/1.1, as much of it as clients of services speak. */
#include "compiler/mock_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct Peer {
    int socket;
    StrBuf in, out;
    size_t sent;
    bool continued;              /* was told to send the body */
    bool closing;                /* when `out` is written */
    bool draining;               /* it is; what still comes is thrown away, or the answer might be lost */
    size_t drained;
    time_t seen;
} Peer;

typedef struct Server {
    MockTape *tape;
    FILE *log;
    Peer peers[MOCK_CONNECTIONS_MAX];
    size_t count;
} Server;

typedef struct Request {
    Str method, path;
    size_t head_len, body_len;
    bool keep, expects, is_old;  /* is_old: HTTP/1.0 */
} Request;

DgStatus mock_listen(int *port, int *out, DgError *err)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int on = 1, s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(s, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(s, 128) != 0 || getsockname(s, (struct sockaddr *)&at, &len) != 0) {
        dg_fail(err, DG_CONFIG, "could not listen on 127.0.0.1 port %d: %s", *port, strerror(errno));
        dg_hint(err, "leave --port out, and a free one is taken");
        if (s >= 0)
            close(s);
        return DG_CONFIG;
    }
    *port = ntohs(at.sin_port);
    *out = s;
    return DG_OK;
}

/* ---- What is answered ---- */

static const char *reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Recorded";
    }
}

static void put(Peer *p, const Request *r, int status, const StrArray *headers, Str body)
{
    bool empty = status == 204 || status == 304;
    p->closing = p->closing || !r->keep;
    buf_format(&p->out, "HTTP/1.1 %d %s\r\n", status, reason(status));
    for (size_t i = 0; headers && i < headers->count; i++)
        buf_format(&p->out, "%.*s\r\n", FMT(headers->items[i]));
    if (!empty)
        buf_format(&p->out, "Content-Length: %td\r\n", body.len);
    buf_add(&p->out, p->closing ? S("Connection: close\r\n\r\n") : r->is_old ? S("Connection: keep-alive\r\n\r\n") : S("\r\n"));
    if (!empty && !str_eq(r->method, S("HEAD")))
        buf_add(&p->out, body);
}

/* Nothing that follows on the connection can be understood. */
static void refuse(Peer *p, int status, const char *why)
{
    Request r = {0};
    StrBuf b = {0};
    StrArray headers = {.items = (Str[]){S("Content-Type: application/json")}, .count = 1};
    buf_add(&b, S("{\"error\": {\"message\": "));
    buf_json(&b, str_from(why));
    buf_add(&b, S("}}\n"));
    put(p, &r, status, &headers, buf_str(&b));
    buf_free(&b);
    p->in.len = 0;
}

static void put_missing(Server *s, Arena *a, Peer *p, const Request *r, Str body)
{
    Str why = {0};
    const MockEntry *near = mock_tape_nearest(s->tape, a, r->method, r->path, body, &why);
    StrArray headers = {.items = (Str[]){S("Content-Type: application/json"), S("X-Should-Retry: false")}, .count = 2};
    StrBuf b = {0};
    buf_add(&b, S("{\"error\": {\"type\": \"not_on_tape\", \"message\": "));
    buf_json(&b, str_format(a, "the tape has no answer to this %.*s %.*s; the nearest is %.*s: %.*s", FMT(r->method), FMT(r->path),
                            FMT(near->file), FMT(why)));
    buf_add(&b, S(", \"nearest\": "));
    buf_json(&b, near->file);
    buf_add(&b, S("}}\n"));
    put(p, r, 404, &headers, buf_str(&b));
    buf_free(&b);
}

/* The path goes into the log without its query, which may hold a key, and without what would move a cursor. */
static void log_line(Server *s, Arena *a, const Request *r, int status, Str file)
{
    Str path = r->path, rest;
    str_cut(r->path, '?', &path, &rest);
    path = str_copy(a, str_sub(path, 0, 200));
    for (ptrdiff_t i = 0; i < path.len; i++)
        if ((unsigned char)path.ptr[i] < ' ' || path.ptr[i] == 127)
            ((char *)(uintptr_t)path.ptr)[i] = '?';
    fprintf(s->log, "%.*s %.*s %d %.*s\n", FMT(str_sub(r->method, 0, 20)), FMT(path), status, FMT(file));
    fflush(s->log);
}

static void answer(Server *s, Peer *p, const Request *r, Str body)
{
    Arena a;
    const MockEntry *from = NULL;
    arena_init(&a, 0);
    const MockAnswer *found = mock_tape_find(s->tape, &a, r->method, r->path, body, &from);
    if (found)
        put(p, r, found->status, &found->headers, found->body);
    else
        put_missing(s, &a, p, r, body);
    log_line(s, &a, r, found ? found->status : 404, found ? from->file : S("is not on the tape"));
    arena_free(&a);
}

/* ---- What is asked ---- */

static bool is_token(Str s)
{
    for (ptrdiff_t i = 0; i < s.len; i++)
        if (s.ptr[i] < 'A' || s.ptr[i] > 'Z')
            return false;
    return s.len > 0;
}

/* A status to refuse it with; 0: it is good. */
static int read_header(Request *r, Str line, const char **why)
{
    Str name, value;
    int64_t n;
    if (!str_cut(line, ':', &name, &value) || !name.len || name.ptr[name.len - 1] == ' ')
        return *why = "a header is malformed", 400;
    value = str_trim(value);
    if (str_eq_nocase(name, S("content-length"))) {
        if (!value.len || value.ptr[0] < '0' || value.ptr[0] > '9' || !str_to_int(value, &n) || n < 0 || (r->body_len && r->body_len != (size_t)n))
            return *why = "Content-Length is malformed", 400;
        if (n > MOCK_BODY_MAX)
            return *why = "the body is larger than 64 MiB", 413;
        r->body_len = (size_t)n;
    } else if (str_eq_nocase(name, S("transfer-encoding"))) {
        return *why = "a body needs a Content-Length", 411;
    } else if (str_eq_nocase(name, S("connection"))) {
        r->keep = str_eq_nocase(value, S("close")) ? false : str_eq_nocase(value, S("keep-alive")) ? true : r->keep;
    } else if (str_eq_nocase(name, S("expect"))) {
        r->expects = str_eq_nocase(value, S("100-continue"));
    }
    return 0;
}

static int read_head(Str head, Request *r, const char **why)
{
    Str line, rest = head, version = {0};
    str_cut(rest, '\n', &line, &rest);
    line = str_trim(line);
    if (!str_cut(line, ' ', &r->method, &line) || !str_cut(line, ' ', &r->path, &version) || !is_token(r->method) ||
        !str_starts(version, S("HTTP/1.")))
        return *why = "this is no HTTP/1.1 request", 400;
    r->is_old = str_eq(version, S("HTTP/1.0"));
    r->keep = !r->is_old;
    ptrdiff_t scheme = str_starts(r->path, S("http://")) ? 7 : 0; /* as one asks a proxy */
    if (scheme) {
        ptrdiff_t slash = str_find_char(str_sub(r->path, scheme, r->path.len), '/');
        r->path = slash >= 0 ? str_sub(r->path, scheme + slash, r->path.len) : S("/");
    }
    if (!str_starts(r->path, S("/")))
        return *why = "the request's path does not begin with a slash", 400;
    while (rest.len) {
        str_cut(rest, '\n', &line, &rest);
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        int bad = line.len ? read_header(r, line, why) : 0;
        if (bad)
            return bad;
    }
    return 0;
}

/* The next request that is there as a whole. False: more must come, or the connection ends. */
static bool take_request(Server *s, Peer *p)
{
    Request r = {0};
    const char *why = "";
    Str in = buf_str(&p->in);
    ptrdiff_t end = str_find(str_sub(in, 0, MOCK_HEAD_MAX), S("\r\n\r\n"));
    if (end < 0) {
        if (in.len >= MOCK_HEAD_MAX)
            refuse(p, 431, "the headers are larger than 64 KiB");
        return false;
    }
    r.head_len = (size_t)end + 4;
    int bad = read_head(str_sub(in, 0, end + 2), &r, &why);
    if (bad) {
        refuse(p, bad, why);
        return false;
    }
    if (p->in.len < r.head_len + r.body_len) {
        if (r.expects && !p->continued)
            buf_add(&p->out, S("HTTP/1.1 100 Continue\r\n\r\n"));
        p->continued = true;
        return false;
    }
    answer(s, p, &r, str_sub(in, (ptrdiff_t)r.head_len, (ptrdiff_t)(r.head_len + r.body_len)));
    size_t used = r.head_len + r.body_len;
    memmove(p->in.ptr, p->in.ptr + used, p->in.len - used);
    p->in.len -= used;
    p->continued = false;
    return !p->closing;
}

/* ---- Connections ---- */

static void drop(Server *s, size_t i)
{
    close(s->peers[i].socket);
    buf_free(&s->peers[i].in);
    buf_free(&s->peers[i].out);
    s->peers[i] = s->peers[--s->count];
}

static bool is_later(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* False: the connection is over. */
static bool write_out(Peer *p)
{
    while (p->sent < p->out.len) {
        ssize_t n = send(p->socket, p->out.ptr + p->sent, p->out.len - p->sent, MSG_NOSIGNAL);
        if (is_later(n))
            return true;
        if (n <= 0)
            return false;
        p->sent += (size_t)n;
    }
    p->out.len = p->sent = 0;
    if (p->closing && !p->draining) {
        p->draining = true;
        return shutdown(p->socket, SHUT_WR) == 0;
    }
    return true;
}

/* An answer is written before the next request is looked at: what waits stays within one answer. */
static bool go_on(Server *s, Peer *p)
{
    if (!write_out(p))
        return false;
    while (!p->out.len && !p->closing && p->in.len && take_request(s, p))
        if (!write_out(p))
            return false;
    return write_out(p);
}

static bool read_in(Server *s, Peer *p)
{
    char buffer[65536];
    ssize_t n = recv(p->socket, buffer, sizeof buffer, 0);
    if (is_later(n))
        return true;
    if (n <= 0)
        return false;
    if (p->draining)
        return (p->drained += (size_t)n) <= MOCK_BODY_MAX;
    buf_add(&p->in, (Str){buffer, n});
    return go_on(s, p);
}

static void accept_one(Server *s, int listener)
{
    int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0)
        s->peers[s->count++] = (Peer){.socket = socket, .seen = time(NULL), .in = {.max = MOCK_HEAD_MAX + MOCK_BODY_MAX + (1 << 20)}};
}

void mock_serve(MockTape *t, int listener, FILE *log, const volatile sig_atomic_t *ended, const sigset_t *waiting)
{
    Server server = {.tape = t, .log = log}, *s = &server;
    struct pollfd polls[MOCK_CONNECTIONS_MAX + 1];
    while (!*ended) {
        struct timespec wait = {.tv_sec = 1};
        polls[0] = (struct pollfd){.fd = s->count < MOCK_CONNECTIONS_MAX ? listener : -1, .events = POLLIN};
        for (size_t i = 0; i < s->count; i++)
            polls[i + 1] = (struct pollfd){.fd = s->peers[i].socket, .events = s->peers[i].out.len ? POLLOUT : POLLIN};
        if (ppoll(polls, s->count + 1, &wait, waiting) < 0)
            continue;
        time_t now = time(NULL);
        for (size_t i = s->count; i-- > 0;) { /* backwards: the last takes the place of one that goes */
            Peer *p = &s->peers[i];
            short events = polls[i + 1].revents;
            bool lives = events & POLLOUT ? go_on(s, p) : events ? read_in(s, p) : now - p->seen < (p->draining ? MOCK_DRAIN_S : MOCK_IDLE_S);
            p->seen = events ? now : p->seen;
            if (!lives)
                drop(s, i);
        }
        if (polls[0].revents)
            accept_one(s, listener);
    }
    while (s->count)
        drop(s, s->count - 1);
}
