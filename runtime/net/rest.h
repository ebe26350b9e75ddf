/* rest.h - JSON over HTTP, one call after another, by the services of the run: how vector stores and MLflow are spoken to. */
#ifndef DGC_REST_H
#define DGC_REST_H

#include "runtime/net/step_services.h"

enum { REST_HEADERS_MAX = 6 };

typedef struct Rest {
    const char *title;           /* of the service, for messages */
    const char *denied;          /* hint when it says 401 or 403 */
    DgServices *services;        /* the run's: its budgets, its tape */
    Arena arena;                 /* of the call at hand: reset by the next */
    Arena keep;                  /* as long as the store */
    DgEval ev;
    Str base;                    /* URL without a slash at the end */
    Str headers[REST_HEADERS_MAX];
    int headers_count;
    int status;                  /* HTTP, of the last call; 0: no answer */
    Str code;                    /* `error_code` of the last call that failed; empty: none */
} Rest;

/* `url` empty: `fallback`; both empty: DG_CONFIG. */
DgStatus rest_open(Rest *r, DgStepRun *run, Str url, const char *title, const char *fallback, DgError *err);
void rest_close(Rest *r);
void rest_header(Rest *r, const char *name, Str value); /* nothing when the value is empty */
/* Begins a call: what the one before answered is gone. Paths and bodies may then be made in r->arena. */
void rest_begin(Rest *r);
/* *answer (may be NULL) lives until the next rest_begin. `what`: "write to collection `docs`". DG_END: 404. The
 * request is repeated when it fails in passing. `body` is taken over and freed; NULL: none. */
DgStatus rest_call(Rest *r, const char *method, Str path, StrBuf *body, DgValue *answer, const char *what, DgError *err);

typedef struct RestCall {
    const char *method;
    Str path;                    /* begins with a slash; or a whole URL */
    Str body;
    const char *type;            /* of the body; NULL: there is none */
    Str tape_body;               /* see DgCallSpec */
    bool once;                   /* not repeated when it may have arrived */
} RestCall;
DgStatus rest_send(Rest *r, const RestCall *c, DgValue *answer, const char *what, DgError *err);
Str rest_escape(Arena *a, Str text); /* for a part of a path */

#endif
