/* rest.h - JSON over HTTP, as the stores that are services speak it. Internal to runtime/vector. */
#ifndef DGC_VECTOR_REST_H
#define DGC_VECTOR_REST_H

#include "runtime/net/service.h"
#include "runtime/vector/store.h"

enum { REST_HEADERS_MAX = 6 };

typedef struct Rest {
    const VectorTarget *target;
    const char *title;
    DgServices *services;        /* the run's: its budgets, its tape */
    Arena arena;                 /* of the call at hand: reset by the next */
    Arena keep;                  /* as long as the store */
    DgEval ev;
    Str base;                    /* URL without a slash at the end */
    Str headers[REST_HEADERS_MAX];
    int headers_count;
} Rest;

/* `url` empty: `fallback`; both empty: DG_CONFIG. Strings of the target must outlive it. */
DgStatus rest_open(Rest *r, const VectorTarget *target, const char *title, const char *fallback, DgError *err);
void rest_close(Rest *r);
void rest_header(Rest *r, const char *name, Str value); /* nothing when the value is empty */
/* Begins a call: what the one before answered is gone. Paths and bodies may then be made in r->arena. */
void rest_begin(Rest *r);
/* *answer (may be NULL) lives until the next rest_begin. `what`: "write to collection `docs`". DG_END: 404. The
 * request is repeated when it fails in passing. `body` is taken over and freed; NULL: none. */
DgStatus rest_call(Rest *r, const char *method, Str path, StrBuf *body, DgValue *answer, const char *what, DgError *err);
Str rest_escape(Arena *a, Str text); /* for a part of a path */

#endif
