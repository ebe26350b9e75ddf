/* zip.c - the directory at the end of the archive, and members inflated piece by piece. */
#include "runtime/files/zip.h"

#include <fcntl.h>

#include "runtime/os/os.h"

enum {
    DIRECTORY_MAX = 16 << 20, MEMBERS_MAX = 65535, END_BYTES = 22, COMMENT_MAX = 65535,
    ENTRY_BYTES = 46, LOCAL_BYTES = 30,
    RATIO_MAX = 400,            /* text of spreadsheets: 5 to 50 */
    RATIO_FREE = 32 << 20,      /* so much may have any ratio */
};
static const int64_t SIZE_MAX_BYTES = (int64_t)16 << 30;

static uint32_t number(const unsigned char *p, int bytes)
{
    uint32_t n = 0;
    for (int i = 0; i < bytes; i++)
        n |= (uint32_t)p[i] << (8 * i);
    return n;
}

static DgStatus damaged(const char *path, const char *why, DgError *err)
{
    return dg_fail(err, DG_DATA, "`%s` is no good ZIP archive: %s", path, why);
}

static DgStatus read_at(const ZipFile *z, int64_t at, void *to, size_t n, DgError *err)
{
    size_t got;
    DG_TRY(os_pread_some(z->fd, to, n, at, &got, z->path, err));
    return got == n ? DG_OK : damaged(z->path, "it ends too early", err);
}

static DgStatus read_members(ZipFile *z, Arena *a, const unsigned char *p, size_t bytes, int32_t count, DgError *err)
{
    ZipMember *members = push(a, ZipMember, count + 1);
    if (!members)
        return os_no_memory(err, "for the directory of an archive");
    for (int32_t i = 0; i < count; i++) {
        if (bytes < ENTRY_BYTES || number(p, 4) != 0x02014b50)
            return damaged(z->path, "its directory is damaged", err);
        size_t name = number(p + 28, 2), rest = name + number(p + 30, 2) + number(p + 32, 2);
        if (bytes - ENTRY_BYTES < rest)
            return damaged(z->path, "its directory is damaged", err);
        ZipMember *m = &members[i];
        *m = (ZipMember){.name = {(const char *)p + ENTRY_BYTES, (ptrdiff_t)name}, .flags = (uint16_t)number(p + 8, 2),
                         .method = (uint16_t)number(p + 10, 2), .checksum = number(p + 16, 4), .packed = number(p + 20, 4),
                         .size = number(p + 24, 4), .offset = number(p + 42, 4)};
        if (m->packed == UINT32_MAX || m->size == UINT32_MAX || m->offset == UINT32_MAX)
            return damaged(z->path, "it is larger than 4 GiB", err);
        if (m->offset + m->packed > z->size)
            return damaged(z->path, "a member reaches behind its end", err);
        p += ENTRY_BYTES + rest;
        bytes -= ENTRY_BYTES + rest;
    }
    z->members = members;
    z->members_count = count;
    return DG_OK;
}

static DgStatus read_directory(ZipFile *z, Arena *a, DgError *err)
{
    size_t n = z->size < END_BYTES + COMMENT_MAX ? (size_t)z->size : END_BYTES + COMMENT_MAX;
    unsigned char *tail = push(a, unsigned char, n + 1), *directory;
    if (!tail)
        return os_no_memory(err, "for the end of an archive");
    DG_TRY(read_at(z, z->size - (int64_t)n, tail, n, err));
    for (size_t i = n >= END_BYTES ? n - END_BYTES + 1 : 0; i-- > 0;) {
        const unsigned char *p = tail + i;
        if (number(p, 4) != 0x06054b50 || i + END_BYTES + number(p + 20, 2) > n)
            continue;
        int32_t count = (int32_t)number(p + 10, 2);
        int64_t bytes = number(p + 12, 4), offset = number(p + 16, 4);
        if (count == MEMBERS_MAX || bytes > DIRECTORY_MAX || offset + bytes > z->size)
            return damaged(z->path, "its directory is too large", err);
        directory = push(a, unsigned char, bytes + 1);
        if (!directory)
            return os_no_memory(err, "for the directory of an archive");
        DG_TRY(read_at(z, offset, directory, (size_t)bytes, err));
        return read_members(z, a, directory, (size_t)bytes, count, err);
    }
    return damaged(z->path, "there is no directory in it", err);
}

DgStatus zip_open(ZipFile *z, Arena *a, const char *path, DgError *err)
{
    struct stat info;
    *z = (ZipFile){.fd = -1, .path = path};
    if (dg_os.stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return dg_fail(err, DG_CONFIG, "there is no file `%s`", path);
    int fd;
    DG_TRY(os_open(path, O_RDONLY, 0, &fd, err));
    return zip_open_fd(z, a, fd, info.st_size, path, err);
}

DgStatus zip_open_fd(ZipFile *z, Arena *a, int fd, int64_t size, const char *shown, DgError *err)
{
    *z = (ZipFile){.fd = fd, .path = shown, .size = size};
    DgStatus status = read_directory(z, a, err);
    if (status != DG_OK)
        zip_close(z);
    return status;
}

void zip_close(ZipFile *z)
{
    os_close(z->fd);
    z->fd = -1;
}

const ZipMember *zip_find(const ZipFile *z, Str name)
{
    for (int32_t i = 0; i < z->members_count; i++)
        if (str_eq_nocase(z->members[i].name, name))
            return &z->members[i];
    return NULL;
}

DgStatus zip_stream_open(ZipStream *s, const ZipFile *z, const ZipMember *m, DgError *err)
{
    unsigned char local[LOCAL_BYTES];
    memset(s, 0, offsetof(ZipStream, input));
    s->zip = z;
    s->member = m;
    if (m->flags & 1)
        return dg_fail(err, DG_DATA, "`%s` is encrypted", z->path);
    if (m->method != 0 && m->method != 8)
        return damaged(z->path, "a member is packed in an unknown way", err);
    DG_TRY(read_at(z, m->offset, local, sizeof local, err));
    if (number(local, 4) != 0x04034b50)
        return damaged(z->path, "a member is not where it should be", err);
    s->at = m->offset + LOCAL_BYTES + number(local + 26, 2) + number(local + 28, 2);
    s->left = m->packed;
    if (s->at + s->left > z->size)
        return damaged(z->path, "a member reaches behind its end", err);
    s->checksum = (uint32_t)crc32(0, NULL, 0);
    if (m->method == 8 && inflateInit2(&s->inflate, -15) != Z_OK)
        return os_no_memory(err, "for unpacking");
    s->inflating = m->method == 8;
    return DG_OK;
}

void zip_stream_close(ZipStream *s)
{
    if (s->inflating)
        inflateEnd(&s->inflate);
    s->inflating = false;
}

static DgStatus more_input(ZipStream *s, unsigned char *to, size_t room, size_t *got, DgError *err)
{
    size_t n = s->left < (int64_t)room ? (size_t)s->left : room;
    *got = n;
    if (n)
        DG_TRY(read_at(s->zip, s->at, to, n, err));
    s->at += (int64_t)n;
    s->left -= (int64_t)n;
    return DG_OK;
}

static DgStatus unpack(ZipStream *s, char *to, size_t n, size_t *got, DgError *err)
{
    z_stream *z = &s->inflate;
    z->next_out = (Bytef *)to;
    z->avail_out = (uInt)n;
    while (z->avail_out == n && !s->done) {
        if (z->avail_in == 0 && s->left) {
            size_t in;
            DG_TRY(more_input(s, s->input, sizeof s->input, &in, err));
            z->next_in = s->input;
            z->avail_in = (uInt)in;
        }
        int rc = inflate(z, Z_NO_FLUSH);
        s->done = rc == Z_STREAM_END;
        if (rc != Z_OK && rc != Z_STREAM_END)
            return damaged(s->zip->path, rc == Z_BUF_ERROR ? "a member ends too early" : "a member is damaged", err);
    }
    *got = n - z->avail_out;
    return DG_OK;
}

DgStatus zip_stream_read(void *stream, char *to, size_t n, size_t *got, DgError *err)
{
    ZipStream *s = stream;
    const ZipMember *m = s->member;
    *got = 0;
    if (n > 1 << 20)
        n = 1 << 20;
    if (s->inflating)
        DG_TRY(unpack(s, to, n, got, err));
    else
        DG_TRY(more_input(s, (unsigned char *)to, n, got, err));
    s->given += (int64_t)*got;
    s->checksum = (uint32_t)crc32(s->checksum, (const Bytef *)to, (uInt)*got);
    if (s->given > m->size || s->given > SIZE_MAX_BYTES)
        return damaged(s->zip->path, "a member is larger than it says", err);
    if (s->given > RATIO_FREE && s->given / RATIO_MAX > m->packed)
        return damaged(s->zip->path, "a member grows more than any honest one does", err);
    if (*got == 0 && (s->given != m->size || s->checksum != m->checksum))
        return damaged(s->zip->path, "a member is not what its checksum says", err);
    return DG_OK;
}
