/* path.c - paths of a project, without a look at the disk. */
#include <string.h>

#include "runtime/base/path.h"

bool path_resolve(Arena *arena, Str root, Str folder, Str path, Str *out)
{
    bool absolute = path.len && path.ptr[0] == '/';
    if (absolute) {
        Str inside = str_format(arena, "%.*s/", FMT(root));
        if (!str_starts(path, inside)) {
            *out = path;
            return true;
        }
        path = str_sub(path, inside.len, path.len);
        folder = (Str){0};
    }
    Str whole = folder.len ? str_format(arena, "%.*s/%.*s", FMT(folder), FMT(path)) : path;
    char *bytes = push(arena, char, whole.len + 1);
    ptrdiff_t n = 0;
    for (Str part, rest = whole; rest.len;) {
        str_cut(rest, '/', &part, &rest);
        if (!part.len || str_eq(part, S(".")))
            continue;
        if (str_eq(part, S(".."))) {
            if (!n)
                return false;
            while (n && bytes[n - 1] != '/')
                n--;
            n -= n > 0;
            continue;
        }
        if (n)
            bytes[n++] = '/';
        memcpy(bytes + n, part.ptr, (size_t)part.len);
        n += part.len;
    }
    *out = (Str){bytes, n};
    return true;
}
