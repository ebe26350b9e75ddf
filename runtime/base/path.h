/* path.h - paths of a project: as components write them, and as everything else knows them. */
#ifndef DG_PATH_H
#define DG_PATH_H

#include "runtime/base/base.h"

/* A path written in a file of `folder`, relative to the project. False: it leads out. Absolute
 * paths inside the project become relative, others stay. */
bool path_resolve(Arena *arena, Str root, Str folder, Str path, Str *out);

#endif
