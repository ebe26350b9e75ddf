/* emit_config_impl.h - what emit_config.c and emit_bind.c share; nobody else includes it. */
#ifndef DGC_EMIT_CONFIG_IMPL_H
#define DGC_EMIT_CONFIG_IMPL_H

#include "codegen/emit_config.h"

typedef struct Walk {
    EmitConfig *c;
    const Step *step;
} Walk;

/* What a field's member is called: its name, escaped where that is a word of C. */
const char *config_member(Arena *a, const DgField *f);
typedef Array(const DgField *) FieldArray;
/* One field for each member, in the order of the struct. */
FieldArray config_members(Arena *a, const DgField *fields);
/* Names of the emitted types: of a struct with these fields (`keyed`: an element of a map), of the
 * elements of a list or map, of a step's config. Printed when first asked for. */
Str config_struct(EmitConfig *c, const DgField *fields, size_t size, Str hint, bool keyed);
Str config_element(EmitConfig *c, const DgField *f);
Str config_type(EmitConfig *c, const Step *step);

#endif
