/* functions.h - between functions.c and what it stands on. */
#ifndef DGC_COPY_FUNCTIONS_H
#define DGC_COPY_FUNCTIONS_H

#include "runtime/copy/expression.h"

void accents_remove(StrBuf *out, Str text);

/* The scope's buffer, emptied: what a function builds its text in. */
StrBuf *expr_buffer(const ExprScope *s);
/* A text as a function gives it: copied into the scratch arena. */
DgStatus function_text(const ExprScope *s, const StrBuf *b, DgValue *out, DgError *err);

/* functions_more.c */
extern const ExprFunction dg_time_functions[], dg_other_functions[]; /* ended by a NULL name */

#endif
