/* fs.h - a store of files: the local disk, http(s) (read only), S3 and what speaks its protocol.
 *
 * Paths in a store are UTF-8 keys with `/`; a local store's are file paths. Nothing is ever half
 * visible: put() makes the object whole or not at all (local: temporary file, fsync, rename, fsync
 * of the folder; S3: one PUT or a completed multipart upload).
 */
#ifndef DGC_FS_H
#define DGC_FS_H

#include "runtime/db/conn.h"

typedef struct DgFs DgFs;

typedef struct DgFsItem {
    Str path;
    int64_t size;        /* bytes; -1: not known (http) */
    int64_t modified_us; /* since 1970; 0: not known */
    Str etag;            /* S3, http; empty: none */
} DgFsItem;
typedef Array(DgFsItem) DgFsItems;

typedef struct DgFsPut {
    bool if_absent;      /* only when there is nothing yet: DG_TEMPFAIL when there is */
    Str if_etag;         /* only over this version: DG_TEMPFAIL when it is another */
} DgFsPut;

/* type file, http or s3. `root` is what relative paths in `project` stand on (local only). */
DgStatus fs_open(const DgConn *conn, Str root, DgFs **out, DgError *err);
void fs_close(DgFs *fs);
/* Who is told of requests that are sent again (S3, http), and may end the waiting. All may be NULL. */
typedef struct DgFsWatch {
    void (*retrying)(void *context, const DgError *why, int attempt, int attempts, int64_t wait_ms);
    bool (*cancelled)(void *context);
    void *context;
} DgFsWatch;
void fs_watch(DgFs *fs, const DgFsWatch *watch); /* NULL fs is fine */
/* Objects whose path matches: a path, a folder or prefix ending in `/` (all below it), or a glob
 * (** * ? [..] {a,b}). Added to `out`, sorted by path, written as the pattern is (relative stays
 * relative). No match is DG_OK. Names that begin with a dot are found only when the pattern says
 * that dot. Bounded: 1 000 000 items. */
DgStatus fs_list(DgFs *fs, Arena *a, Str pattern, DgFsItems *out, DgError *err);
DgStatus fs_stat(DgFs *fs, Arena *a, Str path, DgFsItem *out, DgError *err); /* DG_END: not there */
/* A local file with the object's content: the file itself in a local store, else a download into
 * `temp_folder` whose name keeps the path's endings (.csv.gz). *downloaded: remove it after use.
 * With an etag the content is that version's or DG_TEMPFAIL. Verified against the announced size. */
DgStatus fs_fetch(DgFs *fs, Arena *a, const DgFsItem *item, Str temp_folder, Str *local,
                  bool *downloaded, DgError *err);
/* The local file becomes the object. etag (may be NULL) is the new version's. */
DgStatus fs_put(DgFs *fs, Arena *a, Str local, Str path, const DgFsPut *how, Str *etag, DgError *err);
DgStatus fs_put_bytes(DgFs *fs, Str bytes, Str path, const DgFsPut *how, Arena *a, Str *etag,
                      DgError *err);
/* DG_END: not there. */
DgStatus fs_read_bytes(DgFs *fs, Arena *a, Str path, size_t bytes_max, Str *out, DgError *err);
DgStatus fs_delete(DgFs *fs, const Str *paths, size_t count, DgError *err); /* absent ones are fine */

/* Uploads below a prefix that were begun and not finished: path, when, and their id as etag. They are no objects, but
 * cost money until somebody gives them up. Stores that have no such thing: none. */
DgStatus fs_uploads(DgFs *fs, Arena *a, Str prefix, DgFsItems *out, DgError *err);
DgStatus fs_give_up(DgFs *fs, const DgFsItem *uploads, size_t count, DgError *err);

/* Splits `s3://bucket/a/b.csv` into `s3://bucket` and `a/b.csv`, `https://h:1/p?q` into `https://h:1`
 * and `p?q`, `file:///x/y` or a plain path into `file://` and the path; false when it is no such
 * thing. */
bool fs_split_url(Arena *a, Str url, Str *connection, Str *path);

#endif
