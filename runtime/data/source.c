/* Bytes of a file: plain, gzip or zstd, told apart by their first bytes. */
#include "runtime/data/source.h"

#include <fcntl.h>
#include <zlib.h>
#include <zstd.h>

#include "runtime/os/os.h"

enum { INPUT_BYTES = 256 << 10 };
enum { GZIP_WINDOW = 15 + 16 }; /* largest window, gzip's header */

typedef enum Packing { PLAIN, GZIP, ZSTD } Packing;

struct DataSource {
    int fd;
    Str shown;
    char *path;
    Packing packing;
    char *input;              /* compressed bytes */
    size_t input_at, input_count;
    bool input_ended;
    bool between;             /* no member or frame is open */
    int64_t bytes;
    z_stream gzip;
    bool gzip_open;
    ZSTD_DStream *zstd;
};

static DgStatus refill(DataSource *s, DgError *err)
{
    if (s->input_at < s->input_count || s->input_ended)
        return DG_OK;
    s->input_at = 0;
    DG_TRY(os_read_some(s->fd, s->input, INPUT_BYTES, &s->input_count, s->path, err));
    s->bytes += (int64_t)s->input_count;
    s->input_ended = s->input_count < INPUT_BYTES;
    return DG_OK;
}

static DgStatus start(DataSource *s, DgError *err)
{
    DG_TRY(refill(s, err));
    const unsigned char *b = (const unsigned char *)s->input;
    size_t n = s->input_count;
    s->between = true;
    if (n >= 2 && b[0] == 0x1f && b[1] == 0x8b) {
        s->packing = GZIP;
        s->gzip_open = inflateInit2(&s->gzip, GZIP_WINDOW) == Z_OK;
        return s->gzip_open ? DG_OK : os_no_memory(err, "for reading gzip");
    }
    if (n >= 4 && b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd) {
        s->packing = ZSTD;
        s->zstd = ZSTD_createDStream();
        return s->zstd ? DG_OK : os_no_memory(err, "for reading zstd");
    }
    return DG_OK;
}

DgStatus data_source_open(const char *path, Str shown, DataSource **out, DgError *err)
{
    *out = NULL;
    DataSource *s = os_alloc(sizeof *s);
    if (!s)
        return os_no_memory(err, "for reading a file");
    size_t length = strlen(path);
    s->fd = -1;
    s->shown = shown;
    s->input = os_alloc(INPUT_BYTES);
    s->path = os_alloc(length + 1);
    DgStatus status = s->input && s->path ? DG_OK : os_no_memory(err, "for reading a file");
    if (status == DG_OK) {
        memcpy(s->path, path, length);
        status = os_open(path, O_RDONLY, 0, &s->fd, err);
    }
    if (status == DG_OK)
        status = start(s, err);
    if (status != DG_OK)
        data_source_close(s);
    else
        *out = s;
    return status;
}

void data_source_close(DataSource *s)
{
    if (!s)
        return;
    if (s->gzip_open)
        inflateEnd(&s->gzip);
    ZSTD_freeDStream(s->zstd);
    os_close(s->fd);
    os_free(s->input);
    os_free(s->path);
    os_free(s);
}

int64_t data_source_bytes(const DataSource *s)
{
    return s->bytes;
}

static DgStatus read_plain(DataSource *s, char *to, size_t n, size_t *got, DgError *err)
{
    size_t have = s->input_count - s->input_at;
    size_t taken = have < n ? have : n;
    memcpy(to, s->input + s->input_at, taken);
    s->input_at += taken;
    *got = taken;
    if (taken == n || s->input_ended)
        return DG_OK;
    size_t more = 0;
    DgStatus status = os_read_some(s->fd, to + taken, n - taken, &more, s->path, err);
    s->bytes += (int64_t)more;
    s->input_ended = more < n - taken;
    *got += more;
    return status;
}

static DgStatus cut_short(const DataSource *s, const char *what, DgError *err)
{
    dg_fail(err, DG_DATA, "%.*s is cut short: its %s data ends in the middle", FMT(s->shown), what);
    dg_hint(err, "the file was not copied or downloaded to its end");
    return DG_DATA;
}

/* A gzip file may be several members, one after the other; zeros after the last are padding. */
static bool next_member(DataSource *s)
{
    while (s->input_at < s->input_count && s->input[s->input_at] == 0)
        s->input_at++;
    return s->input_at < s->input_count;
}

static DgStatus read_gzip(DataSource *s, char *to, size_t n, size_t *got, DgError *err)
{
    while (*got < n) {
        DG_TRY(refill(s, err));
        if (s->input_at == s->input_count && s->input_ended)
            return s->between ? DG_OK : cut_short(s, "gzip", err);
        if (s->between && s->bytes > (int64_t)s->input_count && !next_member(s))
            continue;
        s->gzip.next_in = (unsigned char *)s->input + s->input_at;
        s->gzip.avail_in = (unsigned)(s->input_count - s->input_at);
        s->gzip.next_out = (unsigned char *)to + *got;
        s->gzip.avail_out = n - *got > UINT32_MAX ? UINT32_MAX : (unsigned)(n - *got);
        unsigned room = s->gzip.avail_out;
        int code = inflate(&s->gzip, Z_NO_FLUSH);
        s->between = false;
        s->input_at = s->input_count - s->gzip.avail_in;
        *got += room - s->gzip.avail_out;
        if (code == Z_STREAM_END) {
            inflateReset(&s->gzip);
            s->between = true;
            if (!next_member(s) && s->input_ended)
                return DG_OK;
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return dg_fail(err, DG_DATA, "%.*s is damaged: its gzip data does not decompress: %s",
                           FMT(s->shown), s->gzip.msg ? s->gzip.msg : "unexpected bytes");
        }
    }
    return DG_OK;
}

static DgStatus read_zstd(DataSource *s, char *to, size_t n, size_t *got, DgError *err)
{
    while (*got < n) {
        DG_TRY(refill(s, err));
        bool dry = s->input_at == s->input_count && s->input_ended;
        if (dry && s->between)
            return DG_OK;
        ZSTD_inBuffer in = {s->input, s->input_count, s->input_at};
        ZSTD_outBuffer out = {to, n, *got};
        size_t left = ZSTD_decompressStream(s->zstd, &out, &in);
        if (ZSTD_isError(left))
            return dg_fail(err, DG_DATA, "%.*s is damaged: its zstd data does not decompress: %s",
                           FMT(s->shown), ZSTD_getErrorName(left));
        if (dry && out.pos == *got && left != 0)
            return cut_short(s, "zstd", err);
        s->between = left == 0;
        s->input_at = in.pos;
        *got = out.pos;
    }
    return DG_OK;
}

DgStatus data_source_read(DataSource *s, char *to, size_t n, size_t *got, DgError *err)
{
    *got = 0;
    switch (s->packing) {
    case GZIP:
        return read_gzip(s, to, n, got, err);
    case ZSTD:
        return read_zstd(s, to, n, got, err);
    default:
        return read_plain(s, to, n, got, err);
    }
}
