/* formats_text.c - what a text file is like before it is taken apart: delimiter and encoding. */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "runtime/files/formats_internal.h"
#include "runtime/os/os.h"

enum { HEAD_BYTES = 64 << 10, DECODE_BYTES = 256 << 10 };

/* ---- The first bytes, also of a compressed file ---- */

static size_t inflate_head(const char *from, size_t n, char *to, size_t room)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)from, .avail_in = (uInt)n, .next_out = (Bytef *)to, .avail_out = (uInt)room};
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return 0;
    inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    return room - z.avail_out;
}

static size_t unzstd_head(const char *from, size_t n, char *to, size_t room)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = {from, n, 0};
    ZSTD_outBuffer out = {to, room, 0};
    size_t left = 1, before = SIZE_MAX;
    while (stream && left && !ZSTD_isError(left) && out.pos < room && (out.pos != before || in.pos < in.size)) {
        before = out.pos;
        left = ZSTD_decompressStream(stream, &out, &in);
    }
    ZSTD_freeDStream(stream);
    return out.pos;
}

DgStatus text_delimiter(Arena *a, Str path, int64_t skip_lines, char *out, DgError *err)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    size_t counts[4] = {0}, n = 0, mark = arena_mark(a);
    char *raw = push(a, char, HEAD_BYTES), *text = push(a, char, HEAD_BYTES), *file = str_cstr(a, path);
    int fd;
    *out = ',';
    if (!raw || !text || !file)
        return os_no_memory(err, "for the beginning of a file");
    DG_TRY(os_open(file, O_RDONLY, 0, &fd, err));
    DgStatus status = os_read_some(fd, raw, HEAD_BYTES, &n, file, err);
    os_close(fd);
    DG_TRY(status);
    if (n > 2 && (unsigned char)raw[0] == 0x1f && (unsigned char)raw[1] == 0x8b)
        n = inflate_head(raw, n, text, HEAD_BYTES);
    else if (n > 4 && memcmp(raw, "\x28\xb5\x2f\xfd", 4) == 0)
        n = unzstd_head(raw, n, text, HEAD_BYTES);
    else
        memcpy(text, raw, n);
    bool quoted = false, any = false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n' && !quoted) {
            if (skip_lines > 0)
                skip_lines--;
            else if (any)
                break;
            continue;
        }
        if (skip_lines > 0)
            continue;
        any |= (unsigned char)text[i] > ' ';
        quoted ^= text[i] == '"';
        for (int k = 0; k < 4 && !quoted; k++)
            counts[k] += text[i] == candidates[k];
    }
    size_t best = 0;
    for (size_t k = 1; k < 4; k++)
        best = counts[k] > counts[best] ? k : best;
    *out = candidates[best];
    arena_pop(a, mark);
    return DG_OK;
}

/* ---- Encodings ---- */

static DgStatus convert(iconv_t how, const char *path, int from, int to, const char *to_path, char *in, char *out, DgError *err)
{
    size_t kept = 0, got;
    do {
        DG_TRY(os_read_some(from, in + kept, DECODE_BYTES - kept, &got, path, err));
        char *at = in, *end = out;
        size_t left = kept + got, room = (size_t)DECODE_BYTES * 4;
        bool last = got == 0 || kept + got < DECODE_BYTES;
        size_t rc = iconv(how, &at, &left, &end, &room);
        if (rc == (size_t)-1 && (errno == EILSEQ || (errno == EINVAL && last)))
            return dg_fail(err, DG_DATA, "`%s` has bytes that its encoding does not know", path);
        DG_TRY(os_write_all(to, out, (size_t)(end - out), to_path, err));
        memmove(in, at, left);
        kept = left;
        if (last && !left)
            return DG_OK;
        if (last && got == 0)
            return dg_fail(err, DG_DATA, "`%s` ends in the middle of a character", path);
    } while (true);
}

static DgStatus decode_file(FileRows *f, iconv_t how, Str *path, DgError *err)
{
    int from, to;
    Str made;
    char *source = str_cstr(&f->arena, *path), *in = os_alloc(DECODE_BYTES), *out = os_alloc((size_t)DECODE_BYTES * 4);
    DgStatus status = source && in && out ? os_open(source, O_RDONLY, 0, &from, err) : os_no_memory(err, "for decoding a file");
    if (status == DG_OK) {
        status = format_temporary(f, *path, ".csv", &made, &to, err);
        if (status == DG_OK) {
            iconv(how, NULL, NULL, NULL, NULL);
            status = convert(how, source, from, to, made.ptr, in, out, err);
            os_close(to);
            *path = made;
        }
        os_close(from);
    }
    os_free(in);
    os_free(out);
    return status;
}

DgStatus text_decode(FileRows *f, Str encoding, Str *name, DgError *err)
{
    static const char *const own[][2] = {{"utf8", "utf-8"}, {"utf-8", "utf-8"}, {"utf_8", "utf-8"}, {"utf-8-bom", "utf-8"}, {"utf8_bom", "utf-8"},
                                         {"latin1", "latin-1"}, {"latin-1", "latin-1"}, {"iso-8859-1", "latin-1"}, {"iso8859-1", "latin-1"}};
    *name = S("utf-8");
    if (!encoding.len)
        return DG_OK;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_eq_nocase(encoding, str_from(own[i][0]))) {
            *name = str_from(own[i][1]);
            return DG_OK;
        }
    Str word = encoding;
    if (str_eq_nocase(word, S("windows1252")) || str_eq_nocase(word, S("windows-1252")))
        word = S("CP1252");
    char *from = str_cstr(&f->arena, word);
    iconv_t how = from && str_find_char(word, '/') < 0 ? iconv_open("UTF-8", from) : (iconv_t)-1;
    if (how == (iconv_t)-1) {
        dg_fail(err, DG_CONFIG, "there is no encoding `%.*s`", FMT(encoding));
        dg_hint(err, "such as utf-8, latin-1, utf-16, windows-1252, shift_jis: what `iconv -l` lists on this machine");
        return DG_CONFIG;
    }
    DgStatus status = DG_OK;
    for (size_t i = 0; i < f->paths.count && status == DG_OK; i++) {
        if (!str_eq(format_compression_of(f->paths.items[i]), S("none")))
            status = dg_fail(err, DG_CONFIG, "`%.*s` is compressed and encoded as %.*s; only utf-8 and latin-1 can be both",
                             FMT(f->paths.items[i]), FMT(encoding));
        else
            status = decode_file(f, how, &f->paths.items[i], err);
    }
    iconv_close(how);
    return status;
}
