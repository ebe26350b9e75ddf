/* Files: whole reads and writes, atomic replacement, folders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "runtime/os/os.h"

/* The class of an errno: what a caller or an operator can do about it. */
static DgStatus status_of(int error_number)
{
    switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
        return DG_NOPERM;
    case ENOMEM:
        return DG_NOMEM;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
        return DG_CONFIG;
    case EEXIST:
        return DG_CANTCREATE;
    case EMFILE:
    case ENFILE:
    case EAGAIN:
        return DG_TEMPFAIL;
    default:
        return DG_IO;
    }
}

DgStatus os_fail(DgError *err, int error_number, const char *verb, const char *path)
{
    char text[128];
    const char *reason = strerror_r(error_number, text, sizeof text);
    return dg_fail(err, status_of(error_number), "could not %s `%s`: %s", verb, path, reason);
}

DgStatus os_open(const char *path, int flags, mode_t mode, int *fd, DgError *err)
{
    do
        *fd = dg_os.open(path, flags, mode);
    while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? os_fail(err, errno, flags & O_CREAT ? "create" : "open", path) : DG_OK;
}

void os_close(int fd)
{
    int kept = errno;
    if (fd >= 0)
        dg_os.close(fd); /* EINTR: Linux has closed it all the same */
    errno = kept;
}

DgStatus os_write_all(int fd, const void *from, size_t n, const char *path, DgError *err)
{
    const char *at = from;
    while (n > 0) {
        ssize_t put = dg_os.write(fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return os_fail(err, errno, "write", path);
        at += put;
        n -= (size_t)put;
    }
    return DG_OK;
}

DgStatus os_read_some(int fd, void *to, size_t n, size_t *got, const char *path, DgError *err)
{
    *got = 0;
    while (*got < n) {
        ssize_t part = dg_os.read(fd, (char *)to + *got, n - *got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return os_fail(err, errno, "read", path);
        if (part == 0)
            break;
        *got += (size_t)part;
    }
    return DG_OK;
}

DgStatus os_pread_some(int fd, void *to, size_t n, int64_t at, size_t *got, const char *path,
                       DgError *err)
{
    *got = 0;
    while (*got < n) {
        ssize_t part = dg_os.pread(fd, (char *)to + *got, n - *got, at + (off_t)*got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return os_fail(err, errno, "read", path);
        if (part == 0)
            break;
        *got += (size_t)part;
    }
    return DG_OK;
}

void os_sync(int fd, const char *path)
{
    int rc;
    do
        rc = dg_os.fsync(fd);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        return;
    char text[128];
    fprintf(stderr, "error: could not save `%s` to disk: %s\n", path,
            strerror_r(errno, text, sizeof text));
    exit(74);
}

DgStatus os_lock(int fd, const char *path, int64_t wait_ms, DgError *err)
{
    int64_t until = os_monotonic_ms() + wait_ms;
    while (dg_os.flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == ENOLCK || errno == EOPNOTSUPP || errno == EBADF) /* NFS, for folders */
            return DG_OK;
        if (errno != EINTR && errno != EWOULDBLOCK)
            return os_fail(err, errno, "lock", path);
        if (os_monotonic_ms() >= until)
            return dg_fail(err, DG_TEMPFAIL, "`%s` is locked by another process", path);
        os_sleep_ms(5);
    }
    return DG_OK;
}

DgStatus os_read_file(Arena *a, const char *path, size_t bytes_max, Str *out, DgError *err)
{
    struct stat info;
    int fd;
    *out = (Str){0};
    DG_TRY(os_open(path, O_RDONLY, 0, &fd, err));
    /* The size is only a first guess: /proc and pipes say 0, a growing file says too little. */
    size_t room = dg_os.stat(path, &info) == 0 && info.st_size > 0 ? (size_t)info.st_size : 4096;
    if (room > bytes_max)
        room = bytes_max;
    DgStatus status = DG_OK;
    size_t count = 0, got = 0, mark = arena_mark(a);
    for (;;) {
        char *bytes = push(a, char, room + 2);
        if (!bytes) {
            status = os_no_memory(err, "reading a file");
            break;
        }
        if (count)
            memcpy(bytes, out->ptr, count);
        out->ptr = bytes;
        status = os_read_some(fd, bytes + count, room + 1 - count, &got, path, err);
        count += got;
        out->len = (ptrdiff_t)count;
        if (status != DG_OK || count <= room)
            break;
        if (room == bytes_max) {
            status = dg_fail(err, DG_DATA, "`%s` is larger than %zu bytes", path, bytes_max);
            break;
        }
        room = room * 2 < bytes_max ? room * 2 : bytes_max;
    }
    os_close(fd);
    if (status != DG_OK) {
        arena_pop(a, mark);
        *out = (Str){0};
        return status;
    }
    ((char *)(uintptr_t)out->ptr)[count] = 0;
    return DG_OK;
}

/* The folder of a path, for its fsync: "a/b" -> "a", "b" -> "." */
static void folder_of(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(folder, size, ".");
    else
        snprintf(folder, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static DgStatus write_and_sync(const char *path, Str bytes, mode_t mode, DgError *err)
{
    int fd;
    DG_TRY(os_open(path, O_WRONLY | O_CREAT | O_EXCL, mode, &fd, err));
    DgStatus status = os_write_all(fd, bytes.ptr, (size_t)bytes.len, path, err);
    if (status == DG_OK)
        os_sync(fd, path);
    if (dg_os.close(fd) != 0 && status == DG_OK && errno != EINTR)
        status = os_fail(err, errno, "write", path);
    return status;
}

DgStatus os_atomic_write(const char *path, Str bytes, mode_t mode, DgError *err)
{
    char temporary[4096], folder[4096];
    uint32_t unique;
    os_random(&unique, sizeof unique);
    int n = snprintf(temporary, sizeof temporary, "%s.%08x.tmp", path, unique);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return os_fail(err, ENAMETOOLONG, "create", path);
    DgStatus status = write_and_sync(temporary, bytes, mode, err);
    if (status == DG_OK && dg_os.rename(temporary, path) != 0)
        status = os_fail(err, errno, "replace", path);
    if (status != DG_OK) {
        dg_os.unlink(temporary);
        return status;
    }
    folder_of(path, folder, sizeof folder);
    int fd;
    DG_TRY(os_open(folder, O_RDONLY | O_DIRECTORY, 0, &fd, err));
    os_sync(fd, folder);
    os_close(fd);
    return DG_OK;
}

DgStatus os_make_folders(const char *path, DgError *err)
{
    char part[4096];
    size_t n = strlen(path);
    if (n >= sizeof part)
        return os_fail(err, ENAMETOOLONG, "create", path);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != 0)
            continue;
        char kept = part[i];
        part[i] = 0;
        if (dg_os.mkdir(part, 0777) != 0 && errno != EEXIST)
            return os_fail(err, errno, "create folder", part);
        part[i] = kept;
    }
    struct stat info;
    if (dg_os.stat(path, &info) != 0)
        return os_fail(err, errno, "look at", path);
    return S_ISDIR(info.st_mode) ? DG_OK : os_fail(err, ENOTDIR, "create folder", path);
}

bool os_exists(const char *path)
{
    struct stat info;
    return dg_os.stat(path, &info) == 0;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

DgStatus os_list(Arena *a, const char *path, StrArray *names, DgError *err)
{
    *names = (StrArray){0};
    DIR *dir = dg_os.opendir(path);
    if (!dir)
        return os_fail(err, errno, "read folder", path);
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        array_add(a, names, str_copy(a, str_from(entry->d_name)));
    }
    int number = errno;
    closedir(dir);
    if (number)
        return os_fail(err, number, "read folder", path);
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, by_name);
    return DG_OK;
}

static DgStatus remove_tree(const char *path, int depth, DgError *err)
{
    struct stat info;
    if (lstat(path, &info) != 0)
        return errno == ENOENT ? DG_OK : os_fail(err, errno, "look at", path);
    if (!S_ISDIR(info.st_mode)) {
        if (dg_os.unlink(path) != 0 && errno != ENOENT)
            return os_fail(err, errno, "delete", path);
        return DG_OK;
    }
    if (depth > 64)
        return dg_fail(err, DG_IO, "could not delete `%s`: folders nest too deep", path);
    Arena names_arena;
    StrArray names;
    arena_init(&names_arena, 64 << 20);
    DgStatus status = os_list(&names_arena, path, &names, err);
    for (size_t i = 0; status == DG_OK && i < names.count; i++) {
        Str child = str_format(&names_arena, "%s/%.*s", path, FMT(names.items[i]));
        status = remove_tree(child.ptr, depth + 1, err);
    }
    arena_free(&names_arena);
    if (status == DG_OK && dg_os.rmdir(path) != 0 && errno != ENOENT)
        status = os_fail(err, errno, "delete", path);
    return status;
}

DgStatus os_remove_tree(const char *path, DgError *err)
{
    return remove_tree(path, 0, err);
}
