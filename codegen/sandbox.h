/* sandbox.h - a copy of a project that a test may do anything with. */
#ifndef DGC_SANDBOX_H
#define DGC_SANDBOX_H

#include "runtime/base/base.h"

/* A new folder below $TMPDIR with the project's files, without what begins with a dot. */
DgStatus sandbox_make(Arena *a, Str project, Str *folder, DgError *err);
/* Writes a file and the folders on its way. */
DgStatus sandbox_write(Arena *a, Str folder, Str path, Str text, DgError *err);
void sandbox_remove(Str folder);

#endif
