/* emit_config.h - a step's config struct as C: its type, its literal, its bind function.
 *
 * All three come from the field table of the step's ops, so that the emitted struct lies in memory
 * exactly as the component's own; a static assertion in the output says so again.
 */
#ifndef DGC_EMIT_CONFIG_H
#define DGC_EMIT_CONFIG_H

#include "codegen/emit.h"
#include "compiler/plan.h"

typedef struct EmitConfig {
    Emit *e;
    Arena *arena;
    /* The name of the emitted function that a code slot points to, or that computes a binding. */
    Str (*code_name)(void *ctx, const CodeUnit *unit);
    Str (*template_name)(void *ctx, const Binding *binding);
    void *ctx;
    Diag *diag;
    Map types; /* of a field table (by address) -> Str*: the struct's name */
} EmitConfig;

/* Prints type (once per ops), nested arrays and the literal into EMIT_TYPES and EMIT_TABLES.
 * Returns the literal's name; empty when the ops have no config. */
Str emit_config(EmitConfig *c, const Step *step);
/* Prints the bind function when the step has bindings; its name, or empty. Call emit_config first. */
Str emit_bind(EmitConfig *c, const Step *step);

Str emit_int(Arena *a, int64_t n); /* a constant of type int64_t */
/* `{"raw/flights", 11}` */
Str emit_str(Arena *a, Str s);
/* A DgValue initialiser; nested lists and dicts become arrays of their own in the section now. */
Str emit_value_literal(Emit *e, Arena *a, DgValue v);

#endif
