/* emit_program.h - a whole plan as one C file. */
#ifndef DGC_EMIT_PROGRAM_H
#define DGC_EMIT_PROGRAM_H

#include "codegen/emit.h"
#include "compiler/plan.h"

typedef struct EmitOptions {
    bool for_people;     /* trailing places instead of #line */
    Str version;         /* of dgc */
    Str sbom_json;
} EmitOptions;

/* The C text; empty after errors (reported to the plan's Diag). The file includes only dgc's own
 * libc-free headers, defines `const DgPipeline dg_pipeline` and main(). */
Str emit_program(Plan *plan, const EmitOptions *o);

#endif
