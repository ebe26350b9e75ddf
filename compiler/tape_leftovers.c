/* tape_leftovers.c - see tape_leftovers.h. A recording replaces each file that it writes (runtime/net/tape.c): one with the inode and the time
 * of before was not written. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/tape_leftovers.h"

enum { KEY_LENGTH = 24 };

static bool is_answer(Str name)
{
    if (name.len != KEY_LENGTH + 5 || !str_ends(name, S(".json")))
        return false;
    for (int i = 0; i < KEY_LENGTH; i++)
        if (!strchr("0123456789abcdef", name.ptr[i]))
            return false;
    return true;
}

static bool look(TapeFile *f)
{
    struct stat st;
    if (lstat(f->path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    f->inode = (uint64_t)st.st_ino;
    f->changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return true;
}

void tape_files_add(Arena *a, Str folder, TapeFiles *out)
{
    DIR *d = opendir(str_cstr(a, folder));
    for (struct dirent *e; d && (e = readdir(d));) {
        TapeFile f = {.path = is_answer(str_from(e->d_name)) ? str_format(a, "%.*s/%s", FMT(folder), e->d_name).ptr : NULL};
        if (f.path && look(&f))
            array_add(a, out, f);
    }
    if (d)
        closedir(d);
}

size_t tape_files_remove(const TapeFiles *before)
{
    size_t removed = 0;
    for (size_t i = 0; i < before->count; i++) {
        TapeFile now = {.path = before->items[i].path};
        if (look(&now) && now.inode == before->items[i].inode && now.changed_ns == before->items[i].changed_ns && unlink(now.path) == 0)
            removed++;
    }
    return removed;
}
