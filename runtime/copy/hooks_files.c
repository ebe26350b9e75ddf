/* hooks_files.c - files copied, deleted, written. A place is `CONNECTION/path`, a URL, or a path of the
 * project. */
#include "runtime/copy/hooks.h"
#include "runtime/os/os.h"

enum { FILES_MAX = 1000 };

typedef struct Place {
    DgFs *fs;
    Str path;
} Place;

static DgStatus find_store(Copy *c, Str connection, Str text, DgConn *conn, Str *path, DgError *err)
{
    Str url, rest, head, tail;
    DgError ignored = {0};
    *path = text;
    if (connection.len)
        return copy_connection(c, connection, conn, err);
    if (str_find(text, S("://")) >= 0 && fs_split_url(&c->arena, text, &url, &rest)) {
        *path = rest;
        return conn_from_url(&c->arena, (Str){0}, url, conn, err);
    }
    if (text.ptr[0] != '/' && text.ptr[0] != '.' && str_cut(text, '/', &head, &tail) &&
        copy_connection(c, head, conn, &ignored) == DG_OK && !conn_is_database(conn)) {
        *path = tail;
        return DG_OK;
    }
    *conn = (DgConn){.type = S("file")};
    return DG_OK;
}

static DgStatus open_place(Copy *c, Str connection, Str text, Place *out, DgError *err)
{
    DgConn conn;
    if (!str_trim(text).len)
        return dg_fail(err, DG_CONFIG, "the place of a file is empty");
    DG_TRY(find_store(c, connection, text, &conn, &out->path, err));
    if (conn_is_database(&conn))
        return dg_fail(err, DG_CONFIG, "`%.*s` is a database and holds no files", FMT(conn.name));
    if (!out->path.len)
        return dg_fail(err, DG_CONFIG, "`%.*s` names no file", FMT(text));
    return copy_open_store(c, &conn, &out->fs, err);
}

static DgStatus list(Copy *c, const Place *p, DgFsItems *items, DgError *err)
{
    DG_TRY(fs_list(p->fs, &c->arena, p->path, items, err));
    if (items->count > FILES_MAX)
        return dg_fail(err, DG_DATA, "`%.*s` matches %zu files; a hook takes at most %d", FMT(p->path), items->count, FILES_MAX);
    return DG_OK;
}

static Str base_name(Str path)
{
    ptrdiff_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/')
        i--;
    return str_sub(path, i, path.len);
}

static DgStatus move_one(Copy *c, const Place *from, const DgFsItem *item, const Place *to, bool into_folder, DgError *err)
{
    Str local, temp = str_format(&c->arena, "%.*s/tmp", FMT(c->run->run->options.home));
    bool downloaded = false;
    DG_TRY(os_make_folders(temp.ptr, err));
    DG_TRY(fs_fetch(from->fs, &c->arena, item, temp, &local, &downloaded, err));
    Str path = into_folder ? str_format(&c->arena, "%.*s%.*s", FMT(to->path), FMT(base_name(item->path))) : to->path;
    DgStatus status = fs_put(to->fs, &c->arena, local, path, &(DgFsPut){0}, NULL, err);
    if (downloaded)
        dg_os.unlink(str_cstr(&c->arena, local));
    return status;
}

DgStatus hook_copy(Copy *c, DgValue hook, DgError *err)
{
    Str from, to;
    Place a = {0}, b = {0};
    DgFsItems items = {0};
    DG_TRY(hook_text(c, hook, "from", &from, err));
    DG_TRY(hook_text(c, hook, "to", &to, err));
    DgStatus status = open_place(c, (Str){0}, from, &a, err);
    if (status == DG_OK)
        status = open_place(c, (Str){0}, to, &b, err);
    if (status == DG_OK)
        status = list(c, &a, &items, err);
    bool into_folder = str_ends(to, S("/"));
    if (status == DG_OK && !items.count)
        status = dg_fail(err, DG_CONFIG, "`%.*s` matches no file", FMT(from));
    if (status == DG_OK && items.count > 1 && !into_folder)
        status = dg_fail(err, DG_CONFIG, "`%.*s` matches %zu files: `to` must be a folder, ending in `/`", FMT(from), items.count);
    for (size_t i = 0; i < items.count && status == DG_OK; i++)
        status = dg_cancelled(c->run) ? dg_fail(err, DG_CANCELLED, "cancelled") : move_one(c, &a, &items.items[i], &b, into_folder, err);
    if (a.fs)
        fs_close(a.fs);
    if (b.fs)
        fs_close(b.fs);
    return status;
}

DgStatus hook_delete(Copy *c, DgValue hook, DgError *err)
{
    Str connection, location;
    Place p = {0};
    DgFsItems items = {0};
    DG_TRY(hook_text(c, hook, "connection", &connection, err));
    DG_TRY(hook_text(c, hook, "location", &location, err));
    DG_TRY(open_place(c, connection, location, &p, err));
    DgStatus status = list(c, &p, &items, err);
    Str *paths = push(&c->arena, Str, items.count + 1);
    for (size_t i = 0; i < items.count; i++)
        paths[i] = items.items[i].path;
    if (status == DG_OK && items.count)
        status = fs_delete(p.fs, paths, items.count, err);
    fs_close(p.fs);
    return status;
}

DgStatus hook_write(Copy *c, DgValue hook, DgError *err)
{
    Str to, content;
    Place p = {0};
    DG_TRY(hook_text(c, hook, "to", &to, err));
    DG_TRY(hook_text(c, hook, "content", &content, err));
    DG_TRY(open_place(c, (Str){0}, to, &p, err));
    DgStatus status = fs_put_bytes(p.fs, content, p.path, &(DgFsPut){0}, &c->arena, NULL, err);
    fs_close(p.fs);
    return status;
}
