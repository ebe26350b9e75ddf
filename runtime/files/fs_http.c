/* fs_http.c - files over http and https: they can be read, and not listed. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/files/fs_internal.h"
#include "runtime/net/http.h"
#include "runtime/os/os.h"

enum { RESUMES_MAX = 8 };

typedef struct HttpStore {
    DgFs fs; /* first */
    DgHttp *http;
    Arena arena;
    Str base;    /* https://host:port */
} HttpStore;

static Str url_of(HttpStore *h, Arena *a, Str path)
{
    if (str_find(path, S("://")) >= 0)
        return path;
    return str_format(a, "%.*s%s%.*s", FMT(h->base), str_starts(path, S("/")) ? "" : "/", FMT(path));
}

static DgStatus http_stat(DgFs *fs, Arena *a, Str path, DgFsItem *out, DgError *err)
{
    HttpStore *h = (HttpStore *)fs;
    DgHttpAnswer answer;
    DgHttpRequest r = {.method = "HEAD", .url = url_of(h, a, path), .idempotent = true};
    fs_patience(fs, &r);
    DgStatus status = http_send(h->http, a, &r, &answer, "look at a file", err);
    if (answer.status == 405 || answer.status == 501 || answer.status == 403) { /* no HEAD there: GET will tell */
        *out = (DgFsItem){.path = path, .size = -1};
        return DG_OK;
    }
    DG_TRY(status);
    *out = (DgFsItem){.path = path, .size = answer.length, .modified_us = answer.modified_us, .etag = answer.etag};
    return DG_OK;
}

static DgStatus http_list(DgFs *fs, Arena *a, Str pattern, DgFsItems *out, DgError *err)
{
    DgFsItem item;
    DgStatus status = http_stat(fs, a, pattern, &item, err);
    if (status == DG_OK)
        array_add(a, out, item);
    return status == DG_END ? DG_OK : status;
}

static DgStatus http_fetch(DgFs *fs, Arena *a, const DgFsItem *item, Str temp_folder, Str *local, bool *downloaded, DgError *err)
{
    HttpStore *h = (HttpStore *)fs;
    int fd;
    struct stat st;
    int64_t have = 0, total = item->size;
    DG_TRY(os_make_folders(str_cstr(a, temp_folder), err));
    Str name, query;
    str_cut(item->path, '?', &name, &query);
    *local = fs_temp_name(a, temp_folder, name);
    char *path = str_cstr(a, *local);
    DG_TRY(os_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd, err));
    DgStatus status = DG_OK;
    for (int i = 0; i < RESUMES_MAX; i++) {
        Str headers[2] = {str_format(a, "Range: bytes=%lld-", (long long)have), str_format(a, "If-Range: %.*s", FMT(item->etag))};
        DgHttpAnswer answer;
        bool resume = have > 0 && item->etag.len && !str_starts(item->etag, S("W/"));
        if (have && !resume && (dg_os.ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0))
            break;
        DgHttpRequest r = {.method = "GET", .url = url_of(h, a, item->path), .headers = headers, .headers_count = resume ? 2 : 0, .to_fd = fd, .idempotent = true};
        int64_t before = resume ? have : 0;
        fs_patience(fs, &r);
        status = http_send(h->http, a, &r, &answer, "read a file", err);
        if (status == DG_OK && resume && answer.status == 200) { /* it is another version: all of it came */
            status = dg_fail(err, DG_TEMPFAIL, "`%.*s` was changed while it was being read", FMT(item->path));
            break;
        }
        if (answer.length >= 0 && answer.status / 100 == 2)
            total = before + answer.length;
        have = fstat(fd, &st) == 0 ? st.st_size : 0;
        if (status != DG_UNAVAILABLE || have <= before) /* without a byte more: it was tried often enough */
            break;
        os_sleep_ms((int64_t)os_random_below((uint64_t)200 << i) + 1);
    }
    os_close(fd);
    if (status == DG_OK && total >= 0 && have != total)
        status = dg_fail(err, DG_UNAVAILABLE, "`%.*s` has %lld bytes, but %lld came", FMT(item->path), (long long)total, (long long)have);
    if (status == DG_END)
        status = dg_fail(err, DG_CONFIG, "`%.*s` is not there (404)", FMT(item->path));
    if (status != DG_OK)
        dg_os.unlink(path);
    *downloaded = status == DG_OK;
    return status;
}

static void http_store_close(DgFs *fs)
{
    HttpStore *h = (HttpStore *)fs;
    http_close(h->http);
    arena_free(&h->arena);
    os_free(h);
}

static DgStatus http_store_open(const DgConn *conn, Str root, DgFs **out, DgError *err)
{
    (void)root;
    HttpStore *h = os_alloc(sizeof *h);
    if (!h)
        return os_no_memory(err, "for a store");
    arena_init(&h->arena, 1 << 20);
    h->fs.ops = &dg_fs_http;
    h->base = str_copy(&h->arena, conn_prop(conn, "url"));
    while (str_ends(h->base, S("/")))
        h->base.len--;
    DgStatus status = http_open(&h->http, err);
    if (status != DG_OK)
        http_store_close(&h->fs);
    else
        *out = &h->fs;
    return status;
}

const DgFsOps dg_fs_http = {
    .open = http_store_open, .close = http_store_close, .list = http_list, .stat = http_stat, .fetch = http_fetch,
};
