/* tcc.h - libtcc as the drivers use it. */
#ifndef DGC_TCC_H
#define DGC_TCC_H

#include <libtcc.h>

#include "codegen/driver_impl.h"

/* A state that reads none of tcc's own files; what it complains about goes to `said`. */
TCCState *tcc_start(Arena *a, StrBuf *said, int output, Str lib);
/* Compiles one component of the project. */
bool tcc_compile_component(Arena *a, TCCState *s, const UserSource *source);

#endif
