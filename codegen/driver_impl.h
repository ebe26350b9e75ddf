/* driver_impl.h - what the drivers share; nobody else includes it. */
#ifndef DGC_DRIVER_IMPL_H
#define DGC_DRIVER_IMPL_H

#include "codegen/driver.h"

typedef struct Build { /* one driver_build() */
    Arena *a;
    const BuildJob *job;
    Str lib;
    char *folder;          /* scratch, beside the output: a rename puts the result in place */
    char *made;            /* where a driver leaves the executable: FOLDER/pipeline */
    BuildResult *out;
    DgError *err;
} Build;

DgStatus driver_cc(Build *b, const char *compiler);
DgStatus driver_tcc(Build *b);
DgStatus driver_pack(Build *b);

/* Objects alone, for `pack`: FOLDER/pipeline.o, FOLDER/user0.o... */
DgStatus driver_cc_object(Build *b, const char *compiler);
DgStatus driver_tcc_object(Build *b);

/* The text with the headers of dgc in place of its #include lines, so that a compiler reads no
 * file for it. */
Str driver_expand(Arena *a, Str text);
/* A component's text, ready to compile. Components that include no header of libc get dgc's own
 * declarations instead (DGC_NO_LIBC), and compile on machines that have no such headers. */
Str driver_component_text(Arena *a, const UserSource *source, Str text);
bool driver_is_libc_free(Str component_text);

/* DG_BUG: what a compiler said about emitted code, and where the text was kept to look at. */
DgStatus driver_internal_error(Arena *a, Str said, Str text, DgError *err);
/* DG_FAILED: what a compiler said about a component of the project. */
DgStatus driver_user_error(const char *compiler, Str said, DgError *err);

/* Names of the archives and options to link with, in order: lib/LINK. */
bool driver_link_list(Build *b, StrArray *out);

bool write_file(const char *path, Str text, unsigned mode);
/* Empty with false when the file cannot be read, or is longer. */
bool read_file(Arena *a, const char *path, size_t bytes_max, Str *out);

#endif
