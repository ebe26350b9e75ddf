/* to_files.c - the rows of a stream into files of a store.
 *
 * One file (`out/orders.parquet`) is exchanged whole: put() is atomic. A folder (`out/orders/`) holds
 * numbered files whose names carry the package's id, and `_dgc_manifest.json`, which says which of
 * them count and where the next run continues. The order is: claim, files, manifest, then removal of
 * what the manifest does not name. A crash before the manifest leaves files that do not count, which
 * the next run removes; so the manifest is the commit.
 *
 * Two runs of one stream: each begins by writing the manifest anew (the same files, its own package
 * as `claim`) and commits only over the version it wrote. Whoever claims last can commit; and nobody
 * removes files unless the manifest is still his, so nobody removes those of a run that can. The same holds for
 * uploads that were begun and never finished, in stores that have such.
 *
 * A folder is one stream's: the manifest says whose. Another one's files would be taken for leftovers, its cursor for ours.
 */
#include <cJSON.h>
#include <stdio.h>

#include "runtime/copy/copy.h"
#include "runtime/os/os.h"

enum { MANIFEST_MAX = 64 << 20, UPLOAD_OLD_S = 86400 };

typedef struct Manifest {
    StrArray files; /* names in the folder */
    Str stream;     /* whose it is; empty: older manifests do not say */
    Str package;    /* that committed it; empty: it is a claim */
    Str run;        /* that wrote it */
    Str key, value; /* the update key, and where the next run continues */
    int64_t rows;
} Manifest;

typedef struct Writing {
    Copy *c;
    Str folder;      /* in the store, ends in `/`; or the file's folder */
    Str file;        /* empty: a folder */
    char package[33];
    Str local;       /* folder on this machine */
    StrArray files;  /* below `local` */
    int64_t rows;
    Manifest before;
    Str version;     /* of the manifest that we read or wrote; empty: there is none */
} Writing;

/* ---- Format and place ---- */

static Str without_scheme(Copy *c, Str object)
{
    Str connection, path;
    return fs_split_url(&c->arena, object, &connection, &path) ? path : object;
}

static ptrdiff_t last_slash(Str path)
{
    ptrdiff_t i = path.len - 1;
    while (i >= 0 && path.ptr[i] != '/')
        i--;
    return i;
}

static DgWriteFormat write_format(const Copy *c, Str path)
{
    const DgTargetOptions *o = &c->s->target_options;
    DgWriteFormat f = {
        .format = o->format.len ? file_format_find(o->format) : file_format_of(path),
        .delimiter = o->delimiter, .compression = str_eq_nocase(o->compression, S("auto")) ? (Str){0} : o->compression,
        .datetime_format = str_eq_nocase(o->datetime_format, S("auto")) ? (Str){0} : o->datetime_format, .header = o->header != 2,
        .file_max_rows = o->file_max_rows, .file_max_bytes = o->file_max_bytes,
    };
    if (f.format == DG_FILE_AUTO)
        f.format = DG_FILE_PARQUET;
    return f;
}

static void find_place(Writing *w)
{
    Copy *c = w->c;
    Str path = without_scheme(c, c->object);
    bool folder = str_ends(path, S("/")) || str_ends(path, S("/*")) || c->s->target_options.file_max_rows || c->s->target_options.file_max_bytes;
    if (str_ends(path, S("*")))
        path.len--;
    ptrdiff_t slash = last_slash(path);
    if (folder) {
        w->folder = str_ends(path, S("/")) ? path : str_format(&c->arena, "%.*s/", FMT(path));
    } else {
        w->folder = str_sub(path, 0, slash + 1);
        w->file = str_sub(path, slash + 1, path.len);
    }
}

/* ---- The manifest ---- */

static Str manifest_path(Writing *w)
{
    return str_format(&w->c->arena, "%.*s_dgc_manifest.json", FMT(w->folder));
}

static Str text_of(Copy *c, const cJSON *root, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(root, key);
    return cJSON_IsString(v) ? str_copy(&c->arena, str_from(v->valuestring)) : (Str){0};
}

static DgStatus read_manifest(Writing *w, DgError *err)
{
    Str text;
    DgFsItem item;
    Copy *c = w->c;
    DgStatus status = fs_stat(c->target.fs, &c->arena, manifest_path(w), &item, err);
    if (status == DG_OK) /* a newer one than this version is found out when it is written over */
        status = fs_read_bytes(c->target.fs, &c->arena, manifest_path(w), MANIFEST_MAX, &text, err);
    if (status != DG_OK)
        return status == DG_END ? DG_OK : status;
    w->version = item.etag;
    cJSON *root = cJSON_ParseWithLength(text.ptr, (size_t)text.len), *name;
    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return dg_fail(err, DG_DATA, "`%.*s` is damaged: remove the folder's files and run with --full-refresh", FMT(manifest_path(w)));
    }
    cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(root, "files"))
        if (cJSON_IsString(name))
            array_add(&c->arena, &w->before.files, str_copy(&c->arena, str_from(name->valuestring)));
    cJSON *rows = cJSON_GetObjectItemCaseSensitive(root, "rows");
    w->before.rows = cJSON_IsNumber(rows) ? (int64_t)rows->valuedouble : 0;
    w->before.stream = text_of(c, root, "stream");
    w->before.package = text_of(c, root, "package");
    w->before.run = text_of(c, root, "run");
    w->before.key = text_of(c, root, "update_key");
    w->before.value = text_of(c, root, "value");
    cJSON_Delete(root);
    return DG_OK;
}

/* A snapshot adds files and asks for none of what is there. */
static DgStatus check_owner(const Writing *w, DgError *err)
{
    const Copy *c = w->c;
    if (!w->before.stream.len || str_eq(w->before.stream, c->name) || c->s->mode == DG_COPY_SNAPSHOT)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "folder `%.*s` holds the files of stream `%.*s`, and `%.*s` would take their place", FMT(w->folder),
            FMT(w->before.stream), FMT(c->name));
    dg_hint(err, "give each stream a folder of its own, such as `object: %.*s{stream_table}/`; or remove that folder's files", FMT(w->folder));
    return DG_CONFIG;
}

/* Where the last run ended, if it went by the same update key. */
static Str value_before(const Writing *w)
{
    return str_eq(w->before.key, w->c->s->update_key) ? w->before.value : (Str){0};
}

static bool kept(const Writing *w)
{
    return w->c->incremental || w->c->s->mode == DG_COPY_SNAPSHOT;
}

static void add_names(StrBuf *b, const StrArray *names, bool *first)
{
    for (size_t i = 0; i < names->count; i++, *first = false) {
        buf_add(b, *first ? S("") : S(","));
        buf_json(b, names->items[i]);
    }
}

/* Text of the step's arena. */
DgStatus copy_files_package(Copy *c, DgStepPackage *out, bool *there, DgError *err)
{
    Writing w = {.c = c};
    find_place(&w);
    if (w.file.len)
        return DG_OK;
    DG_TRY(read_manifest(&w, err));
    *there = w.version.len > 0 && (!w.before.stream.len || str_eq(w.before.stream, c->name));
    bool committed = w.before.package.len > 0;
    *out = (DgStepPackage){.stream = step_copy(c->run, w.before.stream), .table = step_copy(c->run, w.folder), .package = step_copy(c->run, w.before.package),
                           .run = step_copy(c->run, w.before.run), .status = committed ? S("committed") : S("loading"), .rows = w.before.rows};
    return DG_OK;
}

/* Where the next run continues, as a cursor in a table would say it. Text of the step's arena. */
DgStatus copy_files_cursor(Copy *c, DgPair *out, bool *there, DgError *err)
{
    Writing w = {.c = c};
    StrBuf b = {.max = 1 << 20};
    find_place(&w);
    if (w.file.len)
        return DG_OK;
    DG_TRY(read_manifest(&w, err));
    *there = w.before.value.len > 0 && (!w.before.stream.len || str_eq(w.before.stream, c->name));
    buf_add(&b, S("{\"update_key\":"));
    buf_json(&b, w.before.key);
    buf_add(&b, S(",\"value\":"));
    buf_json(&b, w.before.value);
    buf_char(&b, '}');
    *out = (DgPair){step_copy(c->run, w.folder), step_copy(c->run, buf_str(&b))};
    buf_free(&b);
    return DG_OK;
}

DgStatus copy_files_committed_by(Copy *c, const StrArray *runs, bool *there, DgError *err)
{
    Writing w = {.c = c};
    find_place(&w);
    if (w.file.len) /* has no manifest: is written again */
        return DG_OK;
    DG_TRY(read_manifest(&w, err));
    for (size_t i = 0; i < runs->count && w.before.package.len; i++)
        *there = *there || (str_eq(runs->items[i], w.before.run) && str_eq(c->name, w.before.stream));
    return DG_OK;
}

/* Over the version that we know, and no other. */
static DgStatus put_manifest(Writing *w, const StrArray *files, bool with_before, int64_t rows, Str key, Str value, DgError *err)
{
    Copy *c = w->c;
    StrBuf b = {.max = MANIFEST_MAX};
    DgFsPut how = {.if_absent = !w->version.len, .if_etag = w->version};
    bool first = true;
    buf_format(&b, "{\"%s\":\"%s\",\"run\":\"%s\",\"stream\":", files ? "package" : "claim", w->package, c->run->run->id);
    buf_json(&b, files || !w->before.stream.len ? c->name : w->before.stream);
    buf_format(&b, ",\"rows\":%lld,\"files\":[", (long long)rows);
    if (with_before)
        add_names(&b, &w->before.files, &first);
    if (files)
        add_names(&b, files, &first);
    buf_add(&b, S("],\"update_key\":"));
    buf_json(&b, key);
    buf_add(&b, S(",\"value\":"));
    buf_json(&b, value);
    buf_add(&b, S("}\n"));
    DgStatus status = b.failed ? dg_fail(err, DG_DATA, "`%.*s` would name too many files", FMT(manifest_path(w)))
                               : fs_put_bytes(c->target.fs, buf_str(&b), manifest_path(w), &how, &c->arena, &w->version, err);
    buf_free(&b);
    if (status == DG_TEMPFAIL)
        dg_hint(err, "when another run writes stream `%.*s` at the same time, the one that began last commits", FMT(c->name));
    return status;
}

static DgStatus claim(Writing *w, DgError *err)
{
    return put_manifest(w, NULL, true, w->before.rows, w->before.key, w->before.value, err);
}

/* The answer was lost: whether it happened stands in the manifest. */
static DgStatus look_up(Writing *w, DgError *err)
{
    Writing now = {.c = w->c, .folder = w->folder};
    DgError lost = *err, ignored = {0};
    if (read_manifest(&now, &ignored) != DG_OK || !str_eq(now.before.package, str_from(w->package))) {
        *err = lost;
        return err->status;
    }
    w->version = now.version;
    return DG_OK;
}

static DgStatus commit(Writing *w, Str value, DgError *err)
{
    os_crashpoint("files-commit");
    DgStatus status = put_manifest(w, &w->files, kept(w), w->rows + (kept(w) ? w->before.rows : 0), w->c->s->update_key,
                                   value.len ? value : value_before(w), err);
    if (status == DG_UNAVAILABLE)
        status = look_up(w, err);
    os_crashpoint("files-committed");
    return status;
}

static bool named(const StrArray *list, Str name)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_eq(list->items[i], name))
            return true;
    return false;
}

/* Files of ours carry a package's id: `orders-<32 hex digits>-0001.parquet`. */
static bool is_ours(Str name)
{
    int run = 0;
    for (ptrdiff_t i = 0; i < name.len; i++) {
        char ch = name.ptr[i];
        run = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') ? run + 1 : 0;
        if (run == 32)
            return true;
    }
    return false;
}

/* A manifest on its way may be that of a run which began after this one. */
static bool is_old_manifest(Str name, int64_t modified_us)
{
    return str_starts(name, S("._dgc_manifest.json.")) && modified_us && modified_us < os_real_us() - 3600LL * 1000000;
}

/* Temporary files of put(), too, which begin with a dot. */
static DgStatus list_ours(Writing *w, const StrArray *counts, const StrArray *count_too, StrArray *gone, DgError *err)
{
    Copy *c = w->c;
    DgFsItems items = {0};
    DG_TRY(fs_list(c->target.fs, &c->arena, w->folder, &items, err));
    DG_TRY(fs_list(c->target.fs, &c->arena, str_format(&c->arena, "%.*s.*.tmp", FMT(w->folder)), &items, err));
    for (size_t i = 0; i < items.count; i++) {
        Str path = items.items[i].path, name = str_sub(path, w->folder.len, path.len);
        bool here = str_starts(path, w->folder) && str_find(name, S("/")) < 0; /* folders in it are other streams' */
        bool dead = is_ours(name) && !named(counts, name) && !(count_too && named(count_too, name));
        if (here && (dead || is_old_manifest(name, items.items[i].modified_us)))
            array_add(&c->arena, gone, path);
    }
    return DG_OK;
}

static DgStatus list_uploads(Writing *w, DgFsItems *dead, DgError *err)
{
    Copy *c = w->c;
    DgFsItems items = {0};
    DgStatus status = fs_uploads(c->target.fs, &c->arena, str_format(&c->arena, "%.*s%.*s", FMT(w->folder), FMT(w->file)), &items, err);
    if (status == DG_NOPERM || status == DG_DATA || status == DG_END) { /* who may write need not be allowed to look; some servers have no such list */
        dg_log(c->run, DG_LOG_DEBUG, "%s", err->message);
        return DG_OK;
    }
    DG_TRY(status);
    for (size_t i = 0; i < items.count; i++) {
        Str name = str_sub(items.items[i].path, w->folder.len, items.items[i].path.len);
        bool here = str_starts(items.items[i].path, w->folder) && str_find(name, S("/")) < 0;
        int64_t begun = items.items[i].modified_us;
        bool old = begun && begun < os_real_us() - UPLOAD_OLD_S * 1000000LL;
        /* One file has no manifest that says who may finish it. */
        if (here && (w->file.len ? str_eq(name, w->file) && old : is_ours(name)))
            array_add(&c->arena, dead, items.items[i]);
    }
    return c->arena.failed ? os_no_memory(err, "listing uploads") : DG_OK;
}

/* *lost: another run has claimed the stream since, and what was found may be its own. */
static DgStatus remove_others(Writing *w, const StrArray *counts, const StrArray *count_too, bool *lost, DgError *err)
{
    Copy *c = w->c;
    StrArray gone = {0};
    DgFsItems uploads = {0};
    DgFsItem now;
    *lost = false;
    DG_TRY(list_ours(w, counts, count_too, &gone, err));
    DG_TRY(list_uploads(w, &uploads, err));
    if (!gone.count && !uploads.count)
        return DG_OK;
    DgStatus status = fs_stat(c->target.fs, &c->arena, manifest_path(w), &now, err);
    *lost = status == DG_END || (status == DG_OK && !str_eq(now.etag, w->version));
    if (status != DG_OK || *lost)
        return status == DG_END ? DG_OK : status;
    if (gone.count)
        DG_TRY(fs_delete(c->target.fs, gone.items, gone.count, err));
    return fs_give_up(c->target.fs, uploads.items, uploads.count, err);
}

/* ---- Writing ---- */

static DgStatus write_local(Writing *w, DgRows *rows, DgError *err)
{
    Copy *c = w->c;
    DgWriteFormat how = write_format(c, w->file.len ? w->file : (Str){0});
    w->local = str_format(&c->arena, "%.*s/tmp/%s", FMT(c->run->run->options.home), w->package);
    DG_TRY(os_make_folders(str_cstr(&c->arena, w->local), err));
    Str name = w->file.len ? w->file : str_format(&c->arena, "%.*s-%s-", FMT(c->from.table.len ? c->from.table : S("part")), w->package);
    return files_write(rows, &how, w->local, name, c->run->run->options.memory_max / 4, &c->arena, &w->files, &w->rows, err);
}

static DgStatus put_files(Writing *w, DgError *err)
{
    Copy *c = w->c;
    for (size_t i = 0; i < w->files.count; i++) {
        Str local = str_format(&c->arena, "%.*s/%.*s", FMT(w->local), FMT(w->files.items[i]));
        Str to = w->file.len ? str_format(&c->arena, "%.*s%.*s", FMT(w->folder), FMT(w->file))
                             : str_format(&c->arena, "%.*s%.*s", FMT(w->folder), FMT(w->files.items[i]));
        os_crashpoint("files-put");
        DG_TRY(fs_put(c->target.fs, &c->arena, local, to, NULL, NULL, err));
    }
    return DG_OK;
}

static DgStatus begin_folder(Writing *w, DgError *err)
{
    bool lost;
    DG_TRY(read_manifest(w, err));
    DG_TRY(check_owner(w, err));
    DG_TRY(claim(w, err));
    DG_TRY(remove_others(w, &w->before.files, NULL, &lost, err));
    return lost ? dg_fail(err, DG_TEMPFAIL, "another run has taken over stream `%.*s`; nothing was committed", FMT(w->c->name)) : DG_OK;
}

static DgStatus begin_file(Writing *w, DgError *err)
{
    DgFsItems uploads = {0};
    DG_TRY(list_uploads(w, &uploads, err));
    return fs_give_up(w->c->target.fs, uploads.items, uploads.count, err);
}

static DgStatus write_all(Writing *w, DgError *err)
{
    Copy *c = w->c;
    CopyWatch *watch;
    DgRows *rows;
    bool lost;
    uint8_t bytes[16];
    os_random(bytes, sizeof bytes);
    for (int i = 0; i < 16; i++)
        snprintf(w->package + 2 * i, 3, "%02x", bytes[i]);
    DG_TRY(w->file.len ? begin_file(w, err) : begin_folder(w, err));
    c->cursor = c->incremental ? value_before(w) : (Str){0};
    DG_TRY(copy_open_rows(c, &watch, &rows, err));
    if (!rows)
        return DG_OK;
    DgStatus status = write_local(w, rows, err);
    DgType type;
    Str value = status == DG_OK ? str_copy(&c->arena, copy_watch_largest(watch, &type)) : (Str){0};
    rows_close(rows);
    DG_TRY(status);
    if (w->rows || !kept(w))
        DG_TRY(put_files(w, err));
    else
        w->files.count = 0;
    if (w->file.len)
        return DG_OK;
    DG_TRY(commit(w, value, err));
    return remove_others(w, &w->files, kept(w) ? &w->before.files : NULL, &lost, err);
}

DgStatus copy_to_files(Copy *c, DgError *err)
{
    Writing w = {.c = c};
    DgError ignored = {0};
    if (c->s->hooks.pre_merge.count + c->s->hooks.post_merge.count)
        return dg_fail(err, DG_CONFIG, "hooks pre_merge and post_merge belong to the transaction of a database; `%.*s` goes to files", FMT(c->name));
    find_place(&w);
    if (w.file.len && c->incremental) {
        dg_fail(err, DG_CONFIG, "stream `%.*s` is incremental, and one file cannot be continued", FMT(c->name));
        dg_hint(err, "let `object` be a folder, such as %.*s%.*s/", FMT(w.folder), FMT(c->from.table.len ? c->from.table : S("orders")));
        return DG_CONFIG;
    }
    DgStatus status = write_all(&w, err);
    if (w.local.len)
        os_remove_tree(str_cstr(&c->arena, w.local), &ignored);
    c->rows_total = w.rows;
    if (status == DG_OK)
        dg_log(c->run, DG_LOG_INFO, "%.*s: %lld rows in %zu file%s", FMT(c->object), (long long)w.rows, w.files.count, w.files.count == 1 ? "" : "s");
    return status;
}
