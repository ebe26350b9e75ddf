/* glob.c - files that patterns find, and paths inside a project. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "compiler/planner.h"
#include "runtime/base/glob.h"

/* ---- Walking ---- */

typedef struct Walk {
    Arena *arena;
    Str root;
    StrArray patterns;
    StrArray *found;
    size_t visited;
    DgError *err;
} Walk;

/* What is not there is no trouble: it may have gone since its name was read. */
static void trouble(Walk *w, Str path)
{
    bool elsewhere = path.len && path.ptr[0] == '/' && errno == EACCES;
    if (errno && errno != ENOENT && errno != ENOTDIR && !elsewhere && w->err->status == DG_OK)
        dg_fail(w->err, DG_IO, "could not read the folder `%.*s`: %s", FMT(path), strerror(errno));
}

static void visit(Walk *w, Str folder, bool deep, int depth)
{
    bool absolute = folder.len && folder.ptr[0] == '/';
    Str whole = absolute ? folder : str_format(w->arena, "%.*s/%.*s", FMT(w->root), FMT(folder));
    char *disk = str_cstr(w->arena, whole);
    errno = 0;
    DIR *dir = depth < 64 ? opendir(disk) : NULL;
    if (!dir) {
        trouble(w, folder);
        return;
    }
    struct dirent *entry;
    for (errno = 0; (entry = readdir(dir)) != NULL && w->visited++ < 1000000; errno = 0) {
        if (entry->d_name[0] == '.')
            continue;
        Str name = str_from(entry->d_name);
        bool bare = !folder.len || str_eq(folder, S("/"));
        Str path = str_format(w->arena, "%.*s%s%.*s", FMT(folder), bare ? "" : "/", FMT(name));
        bool is_folder = entry->d_type == DT_DIR;
        if (entry->d_type != DT_REG && !is_folder) { /* a link, or a file system that does not tell */
            struct stat info;
            const char *there = str_format(w->arena, "%s/%s", disk, entry->d_name).ptr;
            if (stat(there, &info)) {
                trouble(w, path);
                continue;
            }
            is_folder = S_ISDIR(info.st_mode);
        }
        if (is_folder) {
            if (deep)
                visit(w, path, deep, depth + 1);
            continue;
        }
        for (size_t i = 0; i < w->patterns.count; i++) {
            if (glob_match_one(w->patterns.items[i], path)) {
                array_add(w->arena, w->found, path);
                break;
            }
        }
    }
    if (!entry)
        trouble(w, folder);
    closedir(dir);
}

static int compare_strs(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

StrArray glob_files(Arena *arena, Str root, Str pattern, DgError *err)
{
    StrArray found = {0};
    Walk w = {.arena = arena, .root = root, .found = &found, .err = err};
    glob_expand(arena, pattern, &w.patterns);
    /* Begin in the deepest folder that holds no pattern, so that a huge tree is not walked. */
    ptrdiff_t special = 0, slash = -1;
    while (special < pattern.len && !strchr("*?[{", pattern.ptr[special])) {
        if (pattern.ptr[special] == '/')
            slash = special;
        special++;
    }
    Str folder = slash > 0 ? str_sub(pattern, 0, slash) : slash == 0 ? S("/") : S("");
    Str rest = str_sub(pattern, slash + 1, pattern.len);
    visit(&w, folder, str_find_char(rest, '/') >= 0 || str_find(rest, S("**")) >= 0, 0);
    if (found.count)
        qsort(found.items, found.count, sizeof(Str), compare_strs);
    return found;
}
