/* emit_template.h - a residual template as a readable C function of runtime/eval/eval_api.h.
 *
 *     static DgStatus NAME(DgEval *ev, DgValue *out, DgError *err)
 *
 * Prints into EMIT_FUNCS. The emitted file must include "runtime/eval/eval_api.h". Every statement
 * carries the place of its piece of the template (emit_at).
 */
#ifndef DGC_EMIT_TEMPLATE_H
#define DGC_EMIT_TEMPLATE_H

#include "codegen/emit.h"
#include "compiler/template.h"

typedef struct EmitTemplate {
    Diag *diag; /* a value that cannot stand in an executable is E0605 */
    /* Index into the pipeline's sites, plus 1, for run-time errors; NULL: no sites. */
    int32_t (*site)(void *ctx, Span at);
    void *ctx;
} EmitTemplate;

/* Prints the function. `name` is a C identifier already (emit_name). False after a report. */
bool emit_template(Emit *e, Str name, const Template *residual, const EmitTemplate *how);

/* A value as a C expression that makes it (needs `ev` for lists and dicts). False: it cannot stand
 * in an executable (an object of the compiler, or a secret). */
bool emit_value(Arena *arena, DgValue v, StrBuf *out);

#endif
