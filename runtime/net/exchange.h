/* exchange.h - one request and its answer, on a curl handle that somebody drives: http.c by itself,
 * service.c many at once. Internal to runtime/net. */
#ifndef DGC_EXCHANGE_H
#define DGC_EXCHANGE_H

#include <curl/curl.h>
#include <sys/socket.h>

#include "runtime/net/http.h"

typedef enum ExchangePhase { EXCHANGE_SENDING, EXCHANGE_WAITING, EXCHANGE_RECEIVING } ExchangePhase;

typedef struct Exchange {
    CURL *curl;
    const DgHttpRequest *request;
    DgHttpAnswer *answer;
    Arena *a;
    StrBuf body;
    struct curl_slist *list;
    int64_t sent;
    ExchangePhase phase;         /* which deadline counts, since when, and what had moved by then */
    int64_t since_ms, moved;
    bool late, cancelled;
    int64_t retry_after_ms;
    bool file_failed;
    DgError file_error;
    bool public_only;            /* no connection into a private network */
    void (*on_header)(void *context, Str line); /* "HTTP/..." begins an answer anew */
    void *header_context;
} Exchange;

/* Loopback, link-local, private and other networks that are not the internet's, IPv4 in IPv6 too. */
bool address_is_private(const struct sockaddr *address);

void exchange_init(void); /* curl, once per process */
/* Sets up x->curl. False: out of memory. Then the transfer, then exchange_end() in any case. */
bool exchange_begin(Exchange *x, const char *url, const StrArray *headers);
void exchange_end(Exchange *x);
/* What came of it, as http.h says. */
DgStatus exchange_judge(Exchange *x, CURLcode code, const char *what, DgError *err);
bool exchange_was_not_sent(CURLcode code); /* nothing of the request has reached a server */

#endif
