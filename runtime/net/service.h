/* service.h - calls to services over HTTP: many at once, by one thread, under one budget a host.
 *
 * A step starts calls and takes what is done; the engine decides when each goes out. What decides:
 *
 *   concurrency  a host begins with half of what is allowed, doubles while all goes well, and halves when it
 *                says 429 or 529
 *   rates        headers of what is left (x-ratelimit-remaining-tokens, anthropic-ratelimit-requests-reset,
 *                ...) and Retry-After hold back every call to the host, not only the one that was told
 *   retries      the rule of the vendors' SDKs: `x-should-retry` if it is there, else 408, 409, 429, 5xx and
 *                broken connections; after `retry-after-ms`, `retry-after` (seconds or a date), or
 *                min(0.5 * 2^n, 8) s less up to a quarter. At most one retry in ten calls (and a few to
 *                begin with) counts as such; being told to wait does not
 *   breaker      after 5 failures in a row one call at a time tries whether the host is back
 *
 * Classes of failure are those of http.h. Addresses: what the project names may be called, private networks
 * too; a call that is `foreign` (its URL came from an answer) reaches public addresses only.
 *
 * Tapes: a folder with one JSON file per request (method, URL and body; headers only for the reader, those
 * that hold secrets left out). Recording adds what was answered; replaying answers from it and calls nobody.
 */
#ifndef DGC_SERVICE_H
#define DGC_SERVICE_H

#include "runtime/net/http.h"

typedef struct DgServices DgServices; /* one I/O thread; any thread may call the functions below */
typedef struct DgCall DgCall;

typedef enum DgTapeMode { DG_TAPE_NONE, DG_TAPE_RECORD, DG_TAPE_REPLAY } DgTapeMode;

typedef struct DgServicesOptions {
    DgTapeMode tape;
    Str tape_folder;
    bool (*cancelled)(void *context);
    /* Texts that must not be written to a tape are replaced in place of `text`; may be NULL. */
    Str (*redact)(void *context, Arena *a, Str text);
    void *context;
} DgServicesOptions;

/* Takes an answer while it comes, in the engine's thread, and says what of it counts. */
typedef struct DgCallReader {
    void (*begin)(void *state);           /* an attempt: what came before is void */
    bool (*take)(void *state, Str bytes); /* of a good answer; false: nothing more is wanted */
    /* No more comes; `whole`: the server ended it as it should. Adds the answer's body. DG_UNAVAILABLE: it broke off, or the
     * service failed in the middle: it is tried again. */
    DgStatus (*end)(void *state, bool whole, StrBuf *body, DgError *err);
    void (*close)(void *state);
} DgCallReader;

typedef struct DgCallSpec {
    const char *method;
    Str url;
    const Str *headers;          /* "Name: value" */
    size_t headers_count;
    Str body;
    Str tape_body;               /* by this tapes know it, where the body tells times or ids of this run; empty: the body */
    const char *what;            /* names the call in messages: "ask openai/gpt-5.4-mini" */
    int retries;                 /* after the first attempt; 0: 4; -1: none */
    int64_t deadline_ms;         /* for all of it, waits included; 0: 600 s */
    int connect_s, first_byte_s; /* 0: 10, 600 */
    size_t answer_max;           /* bytes, decompressed; 0: 64 MiB */
    int concurrency;             /* calls under way to this host at most; 0: 16 */
    int64_t tokens;              /* what it is expected to take of a budget of tokens; 0: none */
    const char *idempotency;     /* header for a key that stays the same over retries; NULL: none */
    bool unrepeatable;           /* only retried when nothing of it reached the server */
    bool foreign;
    /* True: no retry will help, whatever the status (a spend limit). May be NULL. */
    bool (*is_final)(int status, Str body);
    const DgCallReader *reader;  /* NULL: the body is kept as it comes */
    void *reader_state;          /* the call's, once it has started: it closes it */
} DgCallSpec;

typedef struct DgCallAnswer {
    int status;                  /* 0: none came */
    Str body;
    StrArray headers;            /* lines of the last answer */
    int attempts;
    int torn;                    /* attempts whose good answer broke off; bytes of them */
    int64_t torn_bytes;
    int64_t waited_ms, took_ms;  /* for its turn and between attempts; the last attempt */
} DgCallAnswer;

DgStatus services_open(const DgServicesOptions *options, DgServices **out, DgError *err);
void services_close(DgServices *s); /* ends what is under way */

/* `owner` is any address: calls_next() gives its calls. The spec is copied. */
DgStatus call_start(DgServices *s, const DgCallSpec *spec, void *owner, void *user, DgCall **out, DgError *err);
/* A call of this owner that is done, in the order of ending; NULL: none was within `wait_ms`. */
DgCall *calls_next(DgServices *s, const void *owner, int64_t wait_ms);
/* Until this call is done; its owner must not use calls_next(). */
DgStatus call_wait(DgServices *s, DgCall *call, DgError *err);
/* Of a call that is done. The answer lives as long as the call; it is filled in for failures, too. */
DgStatus call_result(DgCall *call, const DgCallAnswer **answer, DgError *err);
/* All calls of this owner that were not taken are given up: nothing of them comes back to it, or to a later owner at
 * the same address. */
void calls_drop(DgServices *s, const void *owner);
void *call_user(const DgCall *call);
void call_free(DgServices *s, DgCall *call); /* cancels it when it is not done */
Str call_header(const DgCallAnswer *answer, const char *name); /* value; empty: not there */

/* Why calls of this owner wait, as one line, and until when (real time; 0: not known). False: none waits. */
bool services_waiting(DgServices *s, const void *owner, char why[160], int64_t *until_ms);

typedef struct DgServicesCount {
    int64_t calls, retries, bytes_out, bytes_in;
} DgServicesCount;
DgServicesCount services_count(DgServices *s);

#endif
