/* fs_local.c - the local disk as a store of files.
 *
 * Relative paths stand on the connection's `path`, that on the project. A version (etag) is size and
 * time of the last change. put() never shows a part of a file: it copies to a hidden name beside the
 * target, syncs, and renames (or links, when nothing may be there); the folder is synced last.
 * Writers that say which version they replace take turns through a lock on the folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/base/glob.h"
#include "runtime/files/fs_internal.h"
#include "runtime/os/os.h"

enum { DEPTH_MAX = 64, COPY_BYTES = 1 << 20, LOCK_MS = 5000 };

typedef struct LocalFs {
    DgFs base;
    Str root; /* absolute, without `/` at its end; "" is the disk's root */
} LocalFs;

static DgStatus local_open(const DgConn *conn, Str root, DgFs **out, DgError *err)
{
    Str path = conn_prop(conn, "path");
    bool absolute = str_starts(path, S("/"));
    size_t room = (size_t)(root.len + path.len) + 2;
    LocalFs *fs = os_alloc(sizeof *fs);
    char *text = os_alloc(room);
    if (!fs || !text) {
        os_free(fs);
        os_free(text);
        return os_no_memory(err, "for a store of files");
    }
    if (absolute)
        root.len = 0;
    int n = snprintf(text, room, "%.*s%s%.*s", FMT(root), !absolute && path.len ? "/" : "", FMT(path));
    while (n > 0 && text[n - 1] == '/')
        n--;
    fs->base.ops = &dg_fs_local;
    fs->root = (Str){text, n};
    *out = &fs->base;
    return DG_OK;
}

static void local_close(DgFs *base)
{
    LocalFs *fs = (LocalFs *)base;
    os_free((void *)(uintptr_t)fs->root.ptr);
    os_free(fs);
}

static char *on_disk(DgFs *base, Arena *a, Str path, DgError *err)
{
    LocalFs *fs = (LocalFs *)base;
    bool absolute = str_starts(path, S("/"));
    char *disk = str_cstr(a, absolute ? path : str_format(a, "%.*s/%.*s", FMT(fs->root), FMT(path)));
    if (!disk)
        os_no_memory(err, "for a path");
    return disk;
}

static DgFsItem item_of(Arena *a, Str path, const struct stat *info)
{
    int64_t s = info->st_mtim.tv_sec, ns = info->st_mtim.tv_nsec;
    return (DgFsItem){path, info->st_size, s * 1000000 + ns / 1000,
                      str_format(a, "%lld-%lld-%llx", (long long)info->st_size, (long long)(s * 1000000000 + ns), (unsigned long long)info->st_ino)};
}

static DgStatus look(Arena *a, const char *disk, Str path, DgFsItem *out, DgError *err)
{
    struct stat info;
    if (dg_os.stat(disk, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? DG_END : os_fail(err, errno, "look at", disk);
    if (S_ISDIR(info.st_mode))
        return DG_END;
    if (!S_ISREG(info.st_mode))
        return dg_fail(err, DG_CONFIG, "`%s` is no ordinary file", disk);
    *out = item_of(a, path, &info);
    return a->failed ? os_no_memory(err, "for a file's name") : DG_OK;
}

static DgStatus local_stat(DgFs *fs, Arena *a, Str path, DgFsItem *out, DgError *err)
{
    char *disk = on_disk(fs, a, path, err);
    return disk ? look(a, disk, path, out, err) : DG_NOMEM;
}

/* ---- Listing ---- */

typedef struct Folder {
    const struct Folder *above;
    dev_t device;
    ino_t number;
    int depth;
} Folder;

typedef struct Walk {
    Arena *arena;
    StrArray patterns; /* none: everything */
    DgFsItems *found;
    size_t visited;
    int depth_max;
    bool hidden;       /* the pattern speaks of names with a dot */
} Walk;

static bool wanted(const Walk *w, Str path)
{
    for (size_t i = 0; i < w->patterns.count; i++)
        if (glob_match_one(w->patterns.items[i], path))
            return true;
    return w->patterns.count == 0;
}

/* A link to a folder above would be walked for ever. */
static bool is_above(const Folder *f, const struct stat *info)
{
    for (; f; f = f->above)
        if (f->device == info->st_dev && f->number == info->st_ino)
            return true;
    return false;
}

static DgStatus walk(Walk *w, const char *disk, Str shown, const Folder *above, DgError *err);

static DgStatus visit(Walk *w, const char *disk, Str path, const Folder *here, DgError *err)
{
    struct stat info;
    if (++w->visited > FS_ITEMS_MAX)
        return dg_fail(err, DG_DATA, "there are more than %d files to list", FS_ITEMS_MAX);
    if (dg_os.stat(disk, &info) != 0) /* gone meanwhile, or a link to nothing */
        return errno == ENOENT || errno == ELOOP ? DG_OK : os_fail(err, errno, "look at", disk);
    if (S_ISDIR(info.st_mode)) {
        Folder below = {here, info.st_dev, info.st_ino, here->depth + 1};
        if (below.depth > w->depth_max || is_above(here, &info))
            return DG_OK;
        if (below.depth > DEPTH_MAX)
            return dg_fail(err, DG_DATA, "folders nest deeper than %d at `%s`", DEPTH_MAX, disk);
        return walk(w, disk, path, &below, err);
    }
    if (S_ISREG(info.st_mode) && wanted(w, path))
        array_add(w->arena, w->found, item_of(w->arena, path, &info));
    return w->arena->failed ? os_no_memory(err, "for a list of files") : DG_OK;
}

/* The arena keeps what is found; names and paths of a folder that gave nothing are forgotten. */
static DgStatus walk(Walk *w, const char *disk, Str shown, const Folder *here, DgError *err)
{
    StrArray names;
    Arena mine;
    arena_init(&mine, 256 << 20);
    mine.can_fail = true;
    DgStatus status = os_list(&mine, disk, &names, err);
    if (status == DG_OK && mine.failed)
        status = os_no_memory(err, "for the names in a folder");
    bool slash = shown.len && shown.ptr[shown.len - 1] != '/';
    for (size_t i = 0; i < names.count && status == DG_OK; i++) {
        Str name = names.items[i];
        size_t found = w->found->count, mark = arena_mark(w->arena);
        if (name.ptr[0] == '.' && !w->hidden)
            continue;
        Str path = str_format(w->arena, "%.*s%s%.*s", FMT(shown), slash ? "/" : "", FMT(name));
        Str whole = str_format(&mine, "%s/%.*s", disk, FMT(name));
        status = path.ptr && whole.ptr ? visit(w, whole.ptr, path, here, err) : os_no_memory(err, "for a path");
        if (w->found->count == found)
            arena_pop(w->arena, mark);
    }
    arena_free(&mine);
    return status;
}

static int slashes(Str s)
{
    int n = 0;
    for (ptrdiff_t i = 0; i < s.len; i++)
        n += s.ptr[i] == '/';
    return n;
}

/* `shown` is the deepest folder without a special character, so that a huge tree is not walked. */
static DgStatus list_from(DgFs *fs, Walk *w, Str shown, DgError *err)
{
    struct stat info;
    char *disk = on_disk(fs, w->arena, shown.len ? shown : S("."), err);
    if (!disk)
        return DG_NOMEM;
    if (dg_os.stat(disk, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? DG_OK : os_fail(err, errno, "look at", disk);
    if (!S_ISDIR(info.st_mode))
        return DG_OK;
    Folder top = {NULL, info.st_dev, info.st_ino, 0};
    return walk(w, disk, shown, &top, err);
}

static DgStatus local_list(DgFs *fs, Arena *a, Str pattern, DgFsItems *out, DgError *err)
{
    ptrdiff_t special = glob_special(pattern), slash = special - 1;
    Walk w = {.arena = a, .found = out, .depth_max = INT32_MAX};
    if (special == pattern.len) {
        DgFsItem one;
        DgStatus status = str_ends(pattern, S("/")) ? DG_END : local_stat(fs, a, pattern, &one, err);
        if (status != DG_END) {
            if (status == DG_OK)
                array_add(a, out, one);
            return status;
        }
        return list_from(fs, &w, pattern, err);
    }
    if (str_ends(pattern, S("/")))
        pattern = str_format(a, "%.*s**", FMT(pattern));
    while (slash >= 0 && pattern.ptr[slash] != '/')
        slash--;
    Str rest = str_sub(pattern, slash + 1, pattern.len);
    glob_expand(a, pattern, &w.patterns);
    w.hidden = str_starts(rest, S(".")) || str_find(rest, S("/.")) >= 0;
    if (str_find(rest, S("**")) < 0) { /* braces may hold slashes: the deepest of the patterns counts */
        w.depth_max = 0;
        for (size_t i = 0; i < w.patterns.count; i++) {
            int depth = slashes(w.patterns.items[i]) - slashes(str_sub(pattern, 0, slash + 1));
            w.depth_max = depth > w.depth_max ? depth : w.depth_max;
        }
    }
    return list_from(fs, &w, str_sub(pattern, 0, slash + 1), err);
}

/* ---- Reading ---- */

static DgStatus local_fetch(DgFs *fs, Arena *a, const DgFsItem *item, Str temp_folder, Str *local,
                            bool *downloaded, DgError *err)
{
    DgFsItem now;
    char *disk = on_disk(fs, a, item->path, err);
    if (!disk)
        return DG_NOMEM;
    DgStatus status = look(a, disk, item->path, &now, err);
    if (status == DG_END)
        return dg_fail(err, DG_CONFIG, "there is no file `%s`", disk);
    DG_TRY(status);
    if (item->etag.len && !str_eq(item->etag, now.etag))
        return dg_fail(err, DG_TEMPFAIL, "`%s` was changed meanwhile", disk);
    *local = str_from(disk);
    return DG_OK;
}

/* ---- Writing ---- */

static Str parent_of(Arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? S("/") : slash ? str_copy(a, (Str){path, slash - path}) : S(".");
}

static DgStatus sync_folder(const char *folder, DgError *err)
{
    int fd;
    DG_TRY(os_open(folder, O_RDONLY | O_DIRECTORY, 0, &fd, err));
    os_sync(fd, folder);
    os_close(fd);
    return DG_OK;
}

/* Folders that are made are on disk too, not only what is in them. */
static DgStatus make_folder(Arena *a, const char *folder, int depth, DgError *err)
{
    if (os_exists(folder))
        return DG_OK;
    Str above = parent_of(a, folder);
    if (depth > 256 || !above.ptr)
        return dg_fail(err, DG_CONFIG, "could not create folder `%s`", folder);
    DG_TRY(make_folder(a, above.ptr, depth + 1, err));
    DG_TRY(os_make_folders(folder, err));
    return sync_folder(above.ptr, err);
}

static DgStatus copy_content(const char *from, int to, const char *to_path, DgError *err)
{
    int fd;
    size_t got = 0;
    char *buffer = os_alloc(COPY_BYTES);
    if (!buffer)
        return os_no_memory(err, "for copying a file");
    DgStatus status = os_open(from, O_RDONLY, 0, &fd, err);
    if (status == DG_OK) {
        do {
            status = os_read_some(fd, buffer, COPY_BYTES, &got, from, err);
            if (status == DG_OK)
                status = os_write_all(to, buffer, got, to_path, err);
        } while (status == DG_OK && got == COPY_BYTES);
        os_close(fd);
    }
    os_free(buffer);
    return status;
}

/* What the object will be: a file's content, or bytes. */
typedef struct Content {
    const char *file; /* NULL: the bytes */
    Str bytes;
} Content;

static DgStatus write_temporary(const Content *c, const char *path, DgError *err)
{
    int fd;
    DG_TRY(os_open(path, O_WRONLY | O_CREAT | O_EXCL, 0666, &fd, err));
    DgStatus status = c->file ? copy_content(c->file, fd, path, err)
                              : os_write_all(fd, c->bytes.ptr, (size_t)c->bytes.len, path, err);
    if (status == DG_OK)
        os_sync(fd, path);
    if (dg_os.close(fd) != 0 && status == DG_OK && errno != EINTR)
        status = os_fail(err, errno, "write", path);
    return status;
}

static DgStatus place(Arena *a, const char *temporary, const char *disk, const DgFsPut *how, DgError *err)
{
    DgFsItem now;
    if (how->if_absent) {
        if (dg_os.link(temporary, disk) == 0)
            return DG_OK; /* the caller removes the other name */
        return errno == EEXIST ? dg_fail(err, DG_TEMPFAIL, "`%s` is there already", disk)
                               : os_fail(err, errno, "create", disk);
    }
    if (how->if_etag.len) {
        DgStatus status = look(a, disk, (Str){0}, &now, err);
        if (status != DG_OK && status != DG_END)
            return status;
        if (status == DG_END || !str_eq(now.etag, how->if_etag))
            return dg_fail(err, DG_TEMPFAIL, "`%s` was changed by someone else", disk);
    }
    return dg_os.rename(temporary, disk) == 0 ? DG_OK : os_fail(err, errno, "replace", disk);
}

static DgStatus place_locked(Arena *a, const char *folder, const char *temporary, const char *disk,
                             const DgFsPut *how, DgError *err)
{
    int fd;
    DG_TRY(os_open(folder, O_RDONLY | O_DIRECTORY, 0, &fd, err));
    DgStatus status = how->if_etag.len ? os_lock(fd, folder, LOCK_MS, err) : DG_OK;
    if (status == DG_OK)
        status = place(a, temporary, disk, how, err);
    if (status == DG_OK)
        os_sync(fd, folder);
    os_close(fd); /* unlocks */
    return status;
}

static DgStatus put(DgFs *fs, Arena *a, const Content *c, Str path, const DgFsPut *how, Str *etag, DgError *err)
{
    DgFsItem now;
    uint32_t salt;
    char *disk = on_disk(fs, a, path, err);
    if (!disk)
        return DG_NOMEM;
    if (str_ends(path, S("/")))
        return dg_fail(err, DG_CONFIG, "`%s` is a folder, not a file", disk);
    Str folder = parent_of(a, disk);
    os_random(&salt, sizeof salt);
    const char *name = strrchr(disk, '/') + 1;
    Str temporary = str_format(a, "%.*s/.%.80s.%08x.tmp", FMT(folder), name, salt);
    if (!folder.ptr || !temporary.ptr)
        return os_no_memory(err, "for a path");
    DG_TRY(make_folder(a, folder.ptr, 0, err));
    DgStatus status = write_temporary(c, temporary.ptr, err);
    if (status == DG_OK)
        status = look(a, temporary.ptr, path, &now, err); /* rename keeps the time of the last change */
    if (status == DG_OK)
        status = place_locked(a, folder.ptr, temporary.ptr, disk, how, err);
    if (status != DG_OK || how->if_absent)
        dg_os.unlink(temporary.ptr);
    if (status == DG_OK)
        *etag = now.etag;
    return status;
}

static DgStatus local_put(DgFs *fs, Arena *a, Str local, Str bytes, Str path, const DgFsPut *how, Str *etag,
                          DgError *err)
{
    Content c = {.file = local.len ? str_cstr(a, local) : NULL, .bytes = bytes};
    return c.file || !local.len ? put(fs, a, &c, path, how, etag, err) : os_no_memory(err, "for a path");
}

static DgStatus local_remove(DgFs *fs, const Str *paths, size_t count, DgError *err)
{
    Arena a;
    arena_init(&a, 64 << 20);
    a.can_fail = true;
    Str dirty = {0}; /* the folder of the last one: synced when the next lies elsewhere */
    DgStatus status = DG_OK;
    for (size_t i = 0; i < count && status == DG_OK; i++) {
        char *disk = on_disk(fs, &a, paths[i], err);
        if (!disk) {
            status = DG_NOMEM;
            break;
        }
        Str folder = parent_of(&a, disk);
        if (dg_os.unlink(disk) != 0) {
            if (errno != ENOENT && errno != ENOTDIR)
                status = os_fail(err, errno, "delete", disk);
            continue;
        }
        if (dirty.len && !str_eq(dirty, folder))
            status = sync_folder(dirty.ptr, err);
        dirty = folder;
        if (arena_mark(&a) > 32 << 20) { /* a million long paths */
            status = status == DG_OK ? sync_folder(dirty.ptr, err) : status;
            dirty = (Str){0};
            arena_reset(&a);
        }
    }
    if (status == DG_OK && dirty.len)
        status = sync_folder(dirty.ptr, err);
    arena_free(&a);
    return status;
}

const DgFsOps dg_fs_local = {
    .open = local_open,
    .close = local_close,
    .list = local_list,
    .stat = local_stat,
    .fetch = local_fetch,
    .put = local_put,
    .remove = local_remove,
};
