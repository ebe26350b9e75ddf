/* fs_internal.h - what the stores share: a DgFs begins with its operations. */
#ifndef DGC_FS_INTERNAL_H
#define DGC_FS_INTERNAL_H

#include "runtime/files/fs.h"

typedef struct DgFsOps {
    DgStatus (*open)(const DgConn *conn, Str root, DgFs **out, DgError *err);
    void (*close)(DgFs *fs);
    DgStatus (*list)(DgFs *fs, Arena *a, Str pattern, DgFsItems *out, DgError *err);
    DgStatus (*stat)(DgFs *fs, Arena *a, Str path, DgFsItem *out, DgError *err);
    DgStatus (*fetch)(DgFs *fs, Arena *a, const DgFsItem *item, Str temp_folder, Str *local, bool *downloaded, DgError *err);
    /* local empty: `bytes` are the content. NULL: the store is read only. */
    DgStatus (*put)(DgFs *fs, Arena *a, Str local, Str bytes, Str path, const DgFsPut *how, Str *etag, DgError *err);
    DgStatus (*remove)(DgFs *fs, const Str *paths, size_t count, DgError *err);
    DgStatus (*uploads)(DgFs *fs, Arena *a, Str prefix, DgFsItems *out, DgError *err); /* NULL: it has none */
    DgStatus (*give_up)(DgFs *fs, Arena *a, const DgFsItem *upload, DgError *err);
} DgFsOps;

struct DgFs {
    const DgFsOps *ops;
    DgFsWatch watch;
    int attempts; /* of a request: the connection's `retries`, and one */
};

extern const DgFsOps dg_fs_local, dg_fs_http, dg_fs_s3;

enum { FS_ITEMS_MAX = 1000000 };

/* `**` any folders, `*` and `?` within one, `[a-z]`, `{a,b}`. */
bool fs_match(Str pattern, Str path);
/* What stands before the first wildcard, up to and with its last slash. */
Str fs_fixed_part(Str pattern);
struct DgHttpRequest;
/* How often the request is sent, and who is told. */
void fs_patience(const DgFs *fs, struct DgHttpRequest *r);
/* A fresh path in temp_folder with the endings of `path`'s name: `/tmp/x/3f..-orders.csv.gz`. */
Str fs_temp_name(Arena *a, Str temp_folder, Str path);

#endif
