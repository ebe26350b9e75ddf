/* fs_internal.h - what a kind of store is made of. Private to runtime/files: the dispatcher (fs.c)
 * and the stores (fs_local.c, fs_http.c, fs_s3.c) share it.
 *
 * A store's own struct begins with a DgFs whose `ops` its open() has set. The dispatcher checks paths
 * (no NUL, not empty) before it calls; put_bytes may be NULL when the store is read only, as put and
 * delete may: the dispatcher says so to the user.
 */
#ifndef DGC_FS_INTERNAL_H
#define DGC_FS_INTERNAL_H

#include "runtime/files/fs.h"

typedef struct DgFsOps {
    const char *type; /* DgConn.type */
    DgStatus (*open)(const DgConn *conn, Str root, DgFs **out, DgError *err);
    void (*close)(DgFs *fs);
    /* Appends to `out`, in any order: the dispatcher sorts. */
    DgStatus (*list)(DgFs *fs, Arena *a, Str pattern, DgFsItems *out, DgError *err);
    DgStatus (*stat)(DgFs *fs, Arena *a, Str path, DgFsItem *out, DgError *err);
    DgStatus (*fetch)(DgFs *fs, Arena *a, const DgFsItem *item, Str temp_folder, Str *local,
                      bool *downloaded, DgError *err);
    DgStatus (*put)(DgFs *fs, Arena *a, Str local, Str path, const DgFsPut *how, Str *etag,
                    DgError *err);
    DgStatus (*put_bytes)(DgFs *fs, Str bytes, Str path, const DgFsPut *how, Arena *a, Str *etag,
                          DgError *err);
    DgStatus (*read_bytes)(DgFs *fs, Arena *a, Str path, size_t bytes_max, Str *out, DgError *err);
    DgStatus (*remove)(DgFs *fs, const Str *paths, size_t count, DgError *err);
} DgFsOps;

struct DgFs {
    const DgFsOps *ops;
};

extern const DgFsOps dg_fs_local, dg_fs_http, dg_fs_s3;

enum { FS_ITEMS_MAX = 1000000 };

#endif
