/* elf_load.h - loads relocatable x86-64 objects into memory; and how the prebuilt runner holds them.
 *
 * A packed executable is the runner's file, then objects, each padded to PACK_ALIGN, then one
 * PackEntry for each, then a PackTrailer as the file's last bytes.
 *
 * What an object may be: code and data as gcc, clang or tcc make them from C, without thread-local
 * variables. Sections are copied into the lower 2 GiB, so that 32-bit relocations reach them and the
 * runner, which is linked there (-no-pie); calls into shared libraries go through stubs.
 */
#ifndef DG_ELF_LOAD_H
#define DG_ELF_LOAD_H

#include "runtime/base/base.h"

#define PACK_MAGIC "dgc pack 1\n"
enum { PACK_ALIGN = 16, PACK_OBJECTS_MAX = 64 };

typedef struct PackEntry {
    uint64_t offset, bytes; /* within the file */
} PackEntry;
typedef struct PackTrailer {
    uint64_t count;
    char magic[16];
} PackTrailer;

typedef struct ElfImage ElfImage;

/* Loads all of them as one program. `find` gives the address of a name that none of them defines,
 * NULL when there is none. Lives until the process ends. */
DgStatus elf_load(Arena *a, const Str *objects, size_t count, const void *(*find)(const char *name),
                  ElfImage **out, DgError *err);
const void *elf_symbol(const ElfImage *image, const char *name); /* NULL: not there */

#endif
