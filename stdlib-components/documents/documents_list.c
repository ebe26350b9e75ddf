/* documents_list.c - which documents there are, and which of them must be looked into. */
#include "runtime/os/os.h"
#include "stdlib-components/documents/documents.h"

static Str version_of(Arena *a, const DgFsItem *item)
{
    if (item->etag.len)
        return item->etag;
    if (item->size < 0 || !item->modified_us)
        return (Str){0}; /* nothing tells versions apart: it is read each time */
    return str_format(a, "%lld-%lld", (long long)item->size, (long long)item->modified_us);
}

static DgStatus add_found(Documents *d, int32_t source, DgFsItem item, DgError *err)
{
    Arena *a = &d->arena;
    Str document = str_concat(a, d->sources.items[source].prefix, item.path);
    Known *known = map_get(&d->known, document);
    item.etag = version_of(a, &item);
    if (map_has(&d->looked_at, document)) /* two patterns match it */
        return DG_OK;
    map_put(a, &d->looked_at, document, d);
    if (known)
        known->seen = true;
    if (known && item.etag.len && str_eq(known->version, item.etag) && str_eq(known->settings, d->settings)) {
        d->unchanged++;
    } else {
        Found found = {item, source, document};
        array_add(a, &d->found, found);
    }
    return a->failed ? os_no_memory(err, "for a list of documents") : DG_OK;
}

static DgStatus list_path(Documents *d, Str written, DgError *err)
{
    Arena *a = &d->arena;
    Source source = {0};
    Str connection, path;
    DgFs *fs;
    DgFsItems items = {0};
    if (!fs_split_url(a, written, &connection, &path) || !path.len)
        return dg_fail(err, DG_CONFIG, "`%.*s` names no document", FMT(written));
    DG_TRY(conn_from_url(a, (Str){0}, connection, &source.conn, err));
    if (!str_eq(source.conn.type, S("file")))
        source.prefix = str_concat(a, connection, S("/"));
    array_add(a, &d->sources, source);
    if (a->failed)
        return os_no_memory(err, "for a list of documents");
    DG_TRY(d->open_store(&source.conn, d->root, &fs, err));
    DgStatus status = fs_list(fs, a, path, &items, err);
    fs_close(fs);
    for (size_t i = 0; status == DG_OK && i < items.count; i++)
        status = add_found(d, (int32_t)d->sources.count - 1, items.items[i], err);
    if (status == DG_OK && !items.count && !d->step->allow_empty) {
        status = dg_fail(err, DG_CONFIG, "no document matches %.*s", FMT(written));
        dg_hint(err, "`allow_empty: true` makes that no error");
    }
    return status;
}

DgStatus documents_list(Documents *d, DgError *err)
{
    for (size_t i = 0; i < d->step->paths.count; i++)
        DG_TRY(list_path(d, DG_ITEMS(DgStr, d->step->paths)[i], err));
    d->looked_at = (Map){0};
    return DG_OK;
}
