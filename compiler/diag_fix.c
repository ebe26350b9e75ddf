/* diag_fix.c - writes the edits that need no person to look at them into the files. */
#include "compiler/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef Array(DiagEdit) Edits;

static bool overlaps(Span a, Span b)
{
    if (a.file != b.file)
        return false;
    if (a.start == b.start) /* two insertions at one place have no order either */
        return true;
    return a.start < b.end && b.start < a.end;
}

/* All edits of a fix are taken, or none. */
static bool take_fix(Arena *arena, Edits *edits, const DiagFix *fix)
{
    for (size_t i = 0; i < fix->edits.count; i++)
        for (size_t k = 0; k < edits->count; k++)
            if (overlaps(fix->edits.items[i].at, edits->items[k].at))
                return false;
    for (size_t i = 0; i < fix->edits.count; i++)
        array_add(arena, edits, fix->edits.items[i]);
    return true;
}

static int compare_edits(const void *left, const void *right)
{
    const DiagEdit *a = left, *b = right;
    if (a->at.file != b->at.file)
        return a->at.file < b->at.file ? -1 : 1;
    return (a->at.start > b->at.start) - (a->at.start < b->at.start);
}

static bool write_all(int fd, Str text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.ptr, (size_t)text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = str_sub(text, n, text.len);
    }
    return true;
}

/* The rename is durable only when the directory is. Some file systems refuse; nothing is lost. */
static void sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *(slash == folder ? slash + 1 : slash) = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static DgStatus unchanged(const char *path, Str expected, DgError *err)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return dg_fail(err, DG_IO, "could not open `%s`: %s", path, strerror(errno));
    bool same = true;
    char chunk[16384];
    size_t n;
    while (same && (n = fread(chunk, 1, sizeof chunk, in)) > 0) {
        Str head = str_sub(expected, 0, (ptrdiff_t)n);
        same = str_eq(head, (Str){chunk, (ptrdiff_t)n});
        expected = str_sub(expected, head.len, expected.len);
    }
    same = same && !ferror(in) && expected.len == 0;
    fclose(in);
    if (!same) {
        dg_fail(err, DG_TEMPFAIL, "could not fix `%s`: it changed while it was checked", path);
        dg_hint(err, "run the command again");
        return DG_TEMPFAIL;
    }
    return DG_OK;
}

/* A reader sees the old content or the new, never a part: write beside it, sync, rename. */
static DgStatus replace_file(Str disk_path, Str before, Str after, DgError *err)
{
    char named[PATH_MAX], path[PATH_MAX], temp[PATH_MAX + 8];
    if ((size_t)disk_path.len >= sizeof named)
        return dg_fail(err, DG_CANTCREATE, "could not write a file: its path is too long");
    memcpy(named, disk_path.ptr, (size_t)disk_path.len);
    named[disk_path.len] = '\0';
    if (!realpath(named, path)) /* a link stays a link */
        return dg_fail(err, DG_IO, "could not find `%s`: %s", named, strerror(errno));
    DG_TRY(unchanged(path, before, err));
    snprintf(temp, sizeof temp, "%s.XXXXXX", path);
    int fd = mkstemp(temp);
    if (fd < 0)
        return dg_fail(err, DG_CANTCREATE, "could not write beside `%s`: %s", path,
                       strerror(errno));
    struct stat st;
    bool ok = stat(path, &st) == 0 && fchmod(fd, st.st_mode & 07777) == 0 &&
              write_all(fd, after) && fsync(fd) == 0;
    int why = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && rename(temp, path) != 0) {
        ok = false;
        why = errno;
    }
    if (!ok) {
        unlink(temp);
        return dg_fail(err, DG_IO, "could not write `%s`: %s", path, strerror(why));
    }
    sync_folder_of(path);
    return DG_OK;
}

static DgStatus fix_file(const SourceFile *f, const DiagEdit *edits, size_t count, DgError *err)
{
    StrBuf b = {0};
    ptrdiff_t at = 0;
    for (size_t i = 0; i < count; i++) {
        buf_add(&b, str_sub(f->text, at, edits[i].at.start));
        buf_add(&b, edits[i].text);
        at = edits[i].at.end;
    }
    buf_add(&b, str_sub(f->text, at, f->text.len));
    DgStatus status = b.failed ? dg_fail(err, DG_NOMEM, "could not fix `%.*s`: out of memory",
                                         FMT(f->path))
                               : replace_file(f->disk_path, f->text, buf_str(&b), err);
    buf_free(&b);
    return status;
}

int diag_apply_fixes(const Diag *d, DgError *err)
{
    Edits edits = {0};
    for (size_t i = 0; i < d->items.count; i++) {
        const DiagItem *it = d->items.items[i];
        for (size_t k = 0; k < it->fixes.count; k++) /* the first that is safe: the rest compete */
            if (it->fixes.items[k].applicability == FIX_MACHINE) {
                take_fix(d->arena, &edits, &it->fixes.items[k]);
                break;
            }
    }
    if (edits.count)
        qsort(edits.items, edits.count, sizeof *edits.items, compare_edits);
    int made = 0;
    for (size_t i = 0, next; i < edits.count; i = next) {
        uint32_t file = edits.items[i].at.file;
        for (next = i; next < edits.count && edits.items[next].at.file == file; next++)
            ;
        const SourceFile *f = sources_file(d->sources, file);
        if (f->disk_path.len == 0)
            continue;
        if (fix_file(f, edits.items + i, next - i, err) != DG_OK)
            return -1;
        made += (int)(next - i);
    }
    return made;
}
