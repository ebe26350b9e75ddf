/* fs.c - which store a connection means, and what all stores have in common. */
#include <stdlib.h>

#include "runtime/base/glob.h"
#include "runtime/files/formats_internal.h"
#include "runtime/files/fs_internal.h"
#include "runtime/net/http.h"
#include "runtime/os/os.h"

static const struct {
    const char *type;
    const DgFsOps *ops;
} stores[] = {{"file", &dg_fs_local}, {"http", &dg_fs_http}, {"s3", &dg_fs_s3}};

enum { RETRIES = 4, RETRIES_MAX = 100 };

static DgStatus open_store(const DgFsOps *ops, const DgConn *conn, Str root, DgFs **out, DgError *err)
{
    int64_t retries = conn_prop_int(conn, "retries", RETRIES);
    if (retries < 0 || retries > RETRIES_MAX || (conn_prop(conn, "retries").len && conn_prop_int(conn, "retries", -1) < 0)) {
        dg_fail(err, DG_CONFIG, "`retries` of connection `%.*s` is `%.*s`", FMT(conn->name), FMT(conn_prop(conn, "retries")));
        dg_hint(err, "write a number from 0 to %d", RETRIES_MAX);
        return DG_CONFIG;
    }
    DG_TRY(ops->open(conn, root, out, err));
    (*out)->attempts = (int)retries + 1;
    return DG_OK;
}

DgStatus fs_open(const DgConn *conn, Str root, DgFs **out, DgError *err)
{
    *out = NULL;
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++)
        if (str_eq(conn->type, str_from(stores[i].type)))
            return open_store(stores[i].ops, conn, root, out, err);
    return dg_fail(err, DG_CONFIG, "connection `%.*s` of type %.*s is not a store of files", FMT(conn->name),
                   FMT(conn->type));
}

void fs_watch(DgFs *fs, const DgFsWatch *watch)
{
    if (fs)
        fs->watch = *watch;
}

void fs_patience(const DgFs *fs, DgHttpRequest *r)
{
    r->attempts = fs->attempts;
    r->retrying = fs->watch.retrying;
    r->cancelled = fs->watch.cancelled;
    r->context = fs->watch.context;
}

void fs_close(DgFs *fs)
{
    if (fs)
        fs->ops->close(fs);
}

static DgStatus check_path(Str path, DgError *err)
{
    if (!path.len)
        return dg_fail(err, DG_CONFIG, "the path of a file is empty");
    if (memchr(path.ptr, 0, (size_t)path.len))
        return dg_fail(err, DG_CONFIG, "the path of a file has a NUL byte");
    if (path.len > 4000)
        return dg_fail(err, DG_CONFIG, "path `%.*s...` is too long", 80, path.ptr);
    return DG_OK;
}

static DgStatus check_writable(const DgFs *fs, DgError *err)
{
    return fs->ops->put ? DG_OK
                        : dg_fail(err, DG_CONFIG, "this store of files can only be read");
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const DgFsItem *)a)->path, ((const DgFsItem *)b)->path);
}

DgStatus fs_list(DgFs *fs, Arena *a, Str pattern, DgFsItems *out, DgError *err)
{
    DG_TRY(check_path(pattern, err));
    size_t before = out->count;
    DG_TRY(fs->ops->list(fs, a, pattern, out, err));
    if (out->count - before > 1)
        qsort(out->items + before, out->count - before, sizeof *out->items, by_path);
    return DG_OK;
}

DgStatus fs_stat(DgFs *fs, Arena *a, Str path, DgFsItem *out, DgError *err)
{
    DG_TRY(check_path(path, err));
    return fs->ops->stat(fs, a, path, out, err);
}

DgStatus fs_fetch(DgFs *fs, Arena *a, const DgFsItem *item, Str temp_folder, Str *local,
                  bool *downloaded, DgError *err)
{
    *local = (Str){0};
    *downloaded = false;
    DG_TRY(check_path(item->path, err));
    return fs->ops->fetch(fs, a, item, temp_folder, local, downloaded, err);
}

DgStatus fs_put(DgFs *fs, Arena *a, Str local, Str path, const DgFsPut *how, Str *etag, DgError *err)
{
    static const DgFsPut anyhow = {0};
    Str ignored;
    DG_TRY(check_path(path, err));
    DG_TRY(check_path(local, err));
    DG_TRY(check_writable(fs, err));
    return fs->ops->put(fs, a, local, (Str){0}, path, how ? how : &anyhow, etag ? etag : &ignored, err);
}

DgStatus fs_put_bytes(DgFs *fs, Str bytes, Str path, const DgFsPut *how, Arena *a, Str *etag,
                      DgError *err)
{
    static const DgFsPut anyhow = {0};
    Str ignored;
    DG_TRY(check_path(path, err));
    DG_TRY(check_writable(fs, err));
    return fs->ops->put(fs, a, (Str){0}, bytes, path, how ? how : &anyhow, etag ? etag : &ignored, err);
}

DgStatus fs_read_bytes(DgFs *fs, Arena *a, Str path, size_t bytes_max, Str *out, DgError *err)
{
    DgFsItem item;
    Str local;
    bool downloaded;
    *out = (Str){0};
    DG_TRY(fs_stat(fs, a, path, &item, err));
    if (item.size > 0 && (uint64_t)item.size > bytes_max)
        return dg_fail(err, DG_DATA, "`%.*s` is larger than %zu bytes", FMT(path), bytes_max);
    DG_TRY(fs_fetch(fs, a, &item, format_folder_temporary(a), &local, &downloaded, err));
    char *disk = str_cstr(a, local);
    DgStatus status = disk ? os_read_file(a, disk, bytes_max, out, err) : os_no_memory(err, "for a path");
    if (downloaded && disk)
        dg_os.unlink(disk);
    return status;
}

DgStatus fs_uploads(DgFs *fs, Arena *a, Str prefix, DgFsItems *out, DgError *err)
{
    return fs->ops->uploads ? fs->ops->uploads(fs, a, prefix, out, err) : DG_OK;
}

DgStatus fs_give_up(DgFs *fs, const DgFsItem *uploads, size_t count, DgError *err)
{
    DgStatus status = DG_OK;
    for (size_t i = 0; i < count && status == DG_OK; i++) {
        Arena a;
        arena_init(&a, 64 << 20);
        a.can_fail = true;
        status = fs->ops->give_up(fs, &a, &uploads[i], err);
        arena_free(&a);
    }
    return status;
}

DgStatus fs_delete(DgFs *fs, const Str *paths, size_t count, DgError *err)
{
    DG_TRY(check_writable(fs, err));
    for (size_t i = 0; i < count; i++)
        DG_TRY(check_path(paths[i], err));
    return count ? fs->ops->remove(fs, paths, count, err) : DG_OK;
}

/* ---- For the stores ---- */

bool fs_match(Str pattern, Str path)
{
    return glob_match(pattern, path);
}

Str fs_fixed_part(Str pattern)
{
    ptrdiff_t end = glob_special(pattern);
    while (end > 0 && pattern.ptr[end - 1] != '/')
        end--;
    return str_sub(pattern, 0, end);
}

Str fs_temp_name(Arena *a, Str temp_folder, Str path)
{
    uint64_t salt;
    ptrdiff_t start = path.len, query = str_find_char(path, '?');
    if (query >= 0)
        path = str_sub(path, 0, query);
    for (start = path.len; start > 0 && path.ptr[start - 1] != '/';)
        start--;
    if (path.len - start > 100)
        start = path.len - 100; /* the end counts */
    os_random(&salt, sizeof salt);
    return str_format(a, "%.*s/%016llx-%.*s", FMT(temp_folder), (unsigned long long)salt, FMT(str_sub(path, start, path.len)));
}

bool fs_split_url(Arena *a, Str url, Str *connection, Str *path)
{
    url = str_trim(url);
    *connection = *path = (Str){0};
    ptrdiff_t mark = str_find(url, S("://"));
    if (mark < 0) {
        *connection = S("file://");
        *path = str_copy(a, url);
        return url.len > 0;
    }
    Str scheme = str_lower(a, str_sub(url, 0, mark)), rest = str_sub(url, mark + 3, url.len);
    if (!rest.len)
        return false;
    if (str_eq(scheme, S("file"))) {
        *connection = S("file://");
        *path = str_copy(a, rest);
        return true;
    }
    static const char *const remote[] = {"http", "https", "s3", "r2", "minio"};
    for (size_t i = 0; i < sizeof remote / sizeof *remote; i++) {
        if (!str_eq(scheme, str_from(remote[i])))
            continue;
        Str host, rest_of_it = {0};
        str_cut(rest, '/', &host, &rest_of_it);
        *connection = str_format(a, "%.*s://%.*s", FMT(scheme), FMT(host));
        *path = str_copy(a, rest_of_it);
        return host.len > 0;
    }
    return false;
}
