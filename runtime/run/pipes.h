/* pipes.h - Dagster Pipes 0.1, both sides.
 *
 * Client: a built pipeline that Dagster started (DAGSTER_PIPES_CONTEXT is set) tells it what was
 * made, which checks passed, and what was logged. Orchestrator: scripts that a step runs tell us
 * the same in the same words (stdlib-components/script). This file has the wire format; the
 * orchestrator's side of a process is pipes_server.h.
 */
#ifndef DG_PIPES_H
#define DG_PIPES_H

#include "runtime/run/redact.h"
#include "runtime/run/run.h"

enum { PIPES_BYTES_MAX = 64 << 20 };

/* A bootstrap parameter: base64 of zlib of JSON. */
DgStatus pipes_decode(Arena *a, Str value, Str *json, DgError *err);
bool pipes_encode(Str json, StrBuf *out); /* false: out of memory */

/* ---- Client ---- */

typedef struct PipesContext {
    StrArray asset_keys;
    bool has_asset_keys;
    Str partition_key, range_start, range_end, run_id, job_name;
} PipesContext;

bool pipes_is_client(void);
/* Reads the context and sends `opened`. */
DgStatus pipes_client_open(Arena *a, Redactor *redactor, PipesClient **out, PipesContext *context,
                           DgError *err);
/* From any thread. Assets that the context does not name are not reported. */
void pipes_client_log(PipesClient *c, DgLogLevel level, Str message);
void pipes_client_materialized(PipesClient *c, Str asset, int64_t rows, const MetadataItem *items,
                               size_t count);
void pipes_client_check(PipesClient *c, const CheckResult *check);
/* `closed`, with the exception when err is given. Frees it; NULL is fine. */
void pipes_client_close(PipesClient *c, const DgError *err);

#endif
