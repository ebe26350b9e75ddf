/* emit_decoder.h - a DgDecodeFn (runtime/data/decode.h) specialised to its columns. */
#ifndef DGC_EMIT_DECODER_H
#define DGC_EMIT_DECODER_H

#include "codegen/emit.h"
#include "runtime/component.h"

/* Prints `static DgStatus NAME(DgBlock *block, DgBatch *out, DgError *err)` into EMIT_FUNCS: one
 * call a field, in the order of the columns. A file whose columns lie otherwise (block->map) goes
 * through the general way. */
void emit_decoder(Emit *e, Str name, const DgDecoderDecl *decl, Span at);

#endif
