/* conns_run.h - `dgc conns test` and `discover`: a connection tried, and what is behind it. */
#ifndef DGC_CONNS_RUN_H
#define DGC_CONNS_RUN_H

#include "runtime/base/base.h"

typedef struct ConnsRequest {
    Str name, value;   /* value: URL or JSON */
    Str schema, table; /* discover: patterns with * and ? */
    bool columns, json;
} ConnsRequest;

/* `postgres://me@host/shop`, without secrets; says what is wrong instead when it is no connection. */
Str conns_shown(Arena *a, Str name, Str value);
/* Opens it and asks something trivial. *detail: what was found. */
DgStatus conns_test(Arena *a, const ConnsRequest *r, Str *detail, DgError *err);
/* Tables, or files of a store, as text or JSON. */
DgStatus conns_discover(Arena *a, const ConnsRequest *r, StrBuf *out, DgError *err);

#endif
