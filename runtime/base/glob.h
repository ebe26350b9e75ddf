/* glob.h - file patterns: `**` any folders, `*` and `?` within a name, [a-z] [!a-z], {a,b}. */
#ifndef DGC_GLOB_H
#define DGC_GLOB_H

#include "runtime/base/base.h"

bool glob_match(Str pattern, Str path);
/* The same pattern without braces, as several: at most some 1 000. */
void glob_expand(Arena *a, Str pattern, StrArray *out);
bool glob_match_one(Str pattern, Str path); /* of a pattern that was expanded */
/* Where the first special character is; the length when there is none. */
ptrdiff_t glob_special(Str pattern);

#endif
