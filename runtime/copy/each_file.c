/* each_file.c - a wildcard of files as one stream for each file, where the object's name tells them apart. */
#include "runtime/base/glob.h"
#include "runtime/copy/copy.h"

static bool is_wildcard(Str s)
{
    return str_find_char(s, '*') >= 0 || str_find_char(s, '?') >= 0;
}

bool copy_object_tells_files(Str object)
{
    static const char *const names[] = {"table", "name", "full_name", "file_name", "file_path"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (ptrdiff_t at = 0; at < object.len; at++) {
            Str rest = str_sub(object, at, object.len), name = str_from(names[i]);
            if (!str_starts(rest, S("{stream_")) && !str_starts(rest, S("{stream.")))
                continue;
            rest = str_sub(rest, 8, rest.len);
            if (!str_starts(rest, name))
                continue;
            rest = str_sub(rest, name.len, rest.len);
            if (str_starts(rest, S("}")) || str_starts(rest, S("_lower}")) || str_starts(rest, S("_upper}")))
                return true;
        }
    return false;
}

bool copy_files_apart(const Copy *c)
{
    const DgStreamSettings *s = c->s;
    bool http = str_eq(c->source.conn.type, S("http")); /* a `?` begins the query there, and nothing is listed */
    return !c->source.engine && !http && !s->files.count && s->single != 1 && is_wildcard(c->step->stream) && copy_object_tells_files(copy_object_of(c));
}

/* Entries of their own, and earlier wildcards. */
static bool left_out(Copy *c, Str path)
{
    for (size_t i = 0; i < c->step->excluded.count; i++) {
        Str other = copy_path_in_store(c, DG_ITEMS(DgStr, c->step->excluded)[i]);
        if (is_wildcard(other) ? glob_match(other, path) : str_eq(other, path))
            return true;
    }
    return false;
}

static void take_file(Copy *c, Str before, const DgFsItem *file)
{
    c->file = file;
    c->name = str_format(&c->arena, "%.*s%.*s", FMT(before), FMT(file->path));
}

/* Two files in one table or file would be the last one's rows only. */
static DgStatus check_objects(Copy *c, Str before, const DgFsItems *files, DgError *err)
{
    Map seen = {0};
    for (size_t i = 0; i < files->count; i++) {
        take_file(c, before, &files->items[i]);
        DG_TRY(copy_name_object(c, err));
        Str key = str_lower(&c->arena, c->object);
        const DgFsItem *other = map_get(&seen, key);
        if (other) {
            dg_fail(err, DG_CONFIG, "`%.*s` and `%.*s` both go to `%.*s`", FMT(other->path), FMT(files->items[i].path), FMT(c->object));
            dg_hint(err, "write {stream_file_path} into `object`, or `single: true` for all files in one");
            return DG_CONFIG;
        }
        map_put(&c->arena, &seen, key, &files->items[i]);
    }
    return DG_OK;
}

DgStatus copy_each_file(Copy *c, DgStatus (*one)(Copy *c, DgError *err), DgError *err)
{
    DgFsItems all = {0}, files = {0};
    Str path = copy_path_in_store(c, c->name);
    Str before = str_ends(c->name, path) ? str_sub(c->name, 0, c->name.len - path.len) : (Str){0};
    DG_TRY(copy_list_files(c, &all, err));
    for (size_t i = 0; i < all.count; i++)
        if (!left_out(c, all.items[i].path))
            array_add(&c->arena, &files, all.items[i]);
    DG_TRY(check_objects(c, before, &files, err));
    DgStatus status = DG_OK;
    CopyMany many = {0};
    for (size_t i = 0; i < files.count && status == DG_OK; i++) {
        take_file(c, before, &files.items[i]);
        status = copy_one_of_many(c, &many, one, err);
    }
    if (status == DG_OK)
        status = copy_many_end(&many, "files", err);
    if (!files.count)
        dg_log(c->run, DG_LOG_WARNING, "`%.*s` matches no file that no other stream has", FMT(c->step->stream));
    c->file = NULL;
    return status;
}
