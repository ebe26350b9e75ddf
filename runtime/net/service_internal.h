/* service_internal.h - hosts and tapes of service.c. */
#ifndef DGC_SERVICE_INTERNAL_H
#define DGC_SERVICE_INTERNAL_H

#include "runtime/net/service.h"

/* ---- hosts.c: who may be called when. All of it belongs to the engine's thread. ---- */

typedef struct HostBudget { /* requests, tokens...: what the host says is left, until it is full again */
    int64_t left, reset_ms;
    bool known;
} HostBudget;
enum { BUDGET_REQUESTS, BUDGET_TOKENS, BUDGET_INPUT, BUDGET_OUTPUT, BUDGETS };

typedef struct Host {
    Str origin;
    int in_flight, limit, limit_max; /* limit: what it bears */
    bool steady;                     /* it has said no once: grow by one, not by doubling */
    int successes;                   /* since limit grew */
    int64_t shrunk_ms;
    int64_t pause_until_ms;          /* monotonic */
    const char *pause_why;
    HostBudget budgets[BUDGETS];
    int failures;                    /* in a row */
    int64_t probe_ms;                /* breaker open: not before */
    double retries_left;
} Host;

void host_init(Host *h, Str origin, int concurrency);
/* 0: now; else when to ask again (monotonic ms), with *why. */
int64_t host_gate(Host *h, int64_t tokens, int64_t now_ms, const char **why);
void host_started(Host *h, int64_t tokens);
/* One line of an answer's header. */
void host_header(Host *h, Str line, int64_t now_ms);
/* status 0: the connection broke; -1: we ended it, nothing was learnt. wait_ms: what the host asked for. */
void host_ended(Host *h, int status, int64_t wait_ms, int64_t now_ms);
bool host_may_retry(Host *h, bool told_to_wait);

/* Of a Go-like duration ("1s", "6m0s", "12ms"), seconds, or RFC 3339; -1: none of these. */
int64_t rate_reset_ms(Str value);

/* ---- tape.c ---- */

typedef struct Tape Tape;
DgStatus tape_open(const DgServicesOptions *o, Tape **out, DgError *err);
void tape_close(Tape *t);
DgStatus tape_record(Tape *t, const DgCallSpec *spec, const DgCallAnswer *answer, DgError *err);
/* DG_CONFIG: the request is not on the tape. */
DgStatus tape_replay(Tape *t, Arena *a, const DgCallSpec *spec, DgCallAnswer *answer, DgError *err);

#endif
