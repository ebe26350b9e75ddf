/* sandbox.c - copies a project, and removes the copy. */
#include "codegen/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64, FILE_BYTES_MAX = 256 << 20 };

static DgStatus failed(DgError *err, const char *what, Str path)
{
    return dg_fail(err, DG_CANTCREATE, "could not %s %.*s: %s", what, FMT(path), strerror(errno));
}

/* The kernel copies; where it cannot between these two file systems, we do. */
static bool copy_bytes(int from, int to)
{
    static const size_t chunk = 1 << 20;
    char buffer[16 << 10];
    ssize_t n;
    while ((n = copy_file_range(from, NULL, to, NULL, chunk, 0)) > 0)
        ;
    if (n == 0)
        return true;
    while ((n = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, (size_t)n) != n)
            return false;
    return n == 0;
}

static DgStatus copy_file(Arena *a, Str from, Str to, mode_t mode, DgError *err)
{
    int in = open(str_cstr(a, from), O_RDONLY | O_CLOEXEC);
    int out = open(str_cstr(a, to), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode & 0777) | 0200);
    bool ok = in >= 0 && out >= 0 && copy_bytes(in, out);
    int number = errno;
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) != 0)
        ok = false;
    errno = number;
    return ok ? DG_OK : failed(err, "copy", from);
}

static DgStatus copy_folder(Arena *a, Str from, Str to, int depth, DgError *err)
{
    DIR *d = opendir(str_cstr(a, from));
    DgStatus status = DG_OK;
    if (!d)
        return failed(err, "read", from);
    for (struct dirent *e; status == DG_OK && depth < DEPTH_MAX && (e = readdir(d));) {
        struct stat st;
        if (e->d_name[0] == '.')
            continue;
        Str source = str_format(a, "%.*s/%s", FMT(from), e->d_name);
        Str target = str_format(a, "%.*s/%s", FMT(to), e->d_name);
        if (stat(str_cstr(a, source), &st) != 0)
            continue; /* a link that leads nowhere */
        if (S_ISDIR(st.st_mode))
            status = mkdir(str_cstr(a, target), 0755) != 0 ? failed(err, "make", target)
                                                           : copy_folder(a, source, target, depth + 1, err);
        else if (S_ISREG(st.st_mode) && st.st_size <= FILE_BYTES_MAX)
            status = copy_file(a, source, target, st.st_mode, err);
    }
    closedir(d);
    return status;
}

DgStatus sandbox_make(Arena *a, Str project, Str *folder, DgError *err)
{
    const char *temp = getenv("TMPDIR");
    char *path = str_cstr(a, str_format(a, "%s/dgc-test-XXXXXX", temp && *temp ? temp : "/tmp"));
    if (!mkdtemp(path))
        return failed(err, "make", str_from(path));
    *folder = str_from(path);
    return copy_folder(a, project, *folder, 0, err);
}

DgStatus sandbox_write(Arena *a, Str folder, Str path, Str text, DgError *err)
{
    Str whole = str_format(a, "%.*s/%.*s", FMT(folder), FMT(path));
    char *name = str_cstr(a, whole);
    for (char *slash = name + folder.len + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (mkdir(name, 0755) != 0 && errno != EEXIST)
            return failed(err, "make", str_from(name));
        *slash = '/';
    }
    FILE *f = fopen(name, "wb");
    bool ok = f && fwrite(text.ptr, 1, (size_t)text.len, f) == (size_t)text.len;
    return (!f || fclose(f) == 0) && ok ? DG_OK : failed(err, "write", whole);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st, (void)kind, (void)walk;
    return remove(path);
}

void sandbox_remove(Str folder)
{
    char name[4096];
    if (folder.len && folder.len < (ptrdiff_t)sizeof name && str_find(folder, S("/dgc-test-")) >= 0) {
        snprintf(name, sizeof name, "%.*s", FMT(folder));
        nftw(name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}
