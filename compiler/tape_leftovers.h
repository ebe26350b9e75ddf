/* tape_leftovers.h - answers on a tape that nobody asks for any more: what a new recording did not write again. */
#ifndef DGC_TAPE_LEFTOVERS_H
#define DGC_TAPE_LEFTOVERS_H

#include "runtime/base/base.h"

typedef struct TapeFile {
    const char *path;
    uint64_t inode;
    int64_t changed_ns;
} TapeFile;
typedef Array(TapeFile) TapeFiles;

/* Adds the answers in `folder` as they are before a recording. A folder that is not there has none; files that no recording names so are no
 * answers. */
void tape_files_add(Arena *a, Str folder, TapeFiles *out);
/* After it: removes those that are as they were. Returns how many. */
size_t tape_files_remove(const TapeFiles *before);

#endif
