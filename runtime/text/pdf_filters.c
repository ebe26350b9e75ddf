/* pdf_filters.c - streams unpacked: Flate, LZW, the ASCII ones, run lengths; predictors. */
#include <stdlib.h>
#include <zlib.h>

#include "runtime/os/os.h"
#include "runtime/text/pdf.h"

static DgStatus too_much(DgError *err)
{
    return dg_fail(err, DG_DATA, "its streams unpack to too much");
}

static DgStatus add(PdfFile *f, StrBuf *out, const void *bytes, size_t n, DgError *err)
{
    if ((int64_t)n > f->unpack_left)
        return too_much(err);
    f->unpack_left -= (int64_t)n;
    buf_add(out, (Str){bytes, (ptrdiff_t)n});
    return out->failed ? os_no_memory(err, "for unpacking") : DG_OK;
}

static DgStatus flate(PdfFile *f, Str in, StrBuf *out, DgError *err)
{
    unsigned char chunk[16 << 10];
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in.ptr, .avail_in = (uInt)in.len};
    if (in.len > INT32_MAX)
        return too_much(err);
    if (inflateInit(&z) != Z_OK)
        return os_no_memory(err, "for unpacking");
    DgStatus status = DG_OK;
    int rc = Z_OK;
    while (status == DG_OK && rc == Z_OK) {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        rc = inflate(&z, Z_NO_FLUSH);
        status = add(f, out, chunk, sizeof chunk - z.avail_out, err);
        if (status == DG_OK)
            status = doc_check(f->doc, err);
    }
    /* Some programs write a wrong checksum behind data that is whole. */
    bool whole = rc == Z_STREAM_END || (rc == Z_DATA_ERROR && z.msg && strcmp(z.msg, "incorrect data check") == 0);
    inflateEnd(&z);
    return status == DG_OK && !whole ? dg_fail(err, DG_DATA, "a stream in it is damaged") : status;
}

static DgStatus lzw(PdfFile *f, Str in, bool early, StrBuf *out, DgError *err)
{
    enum { CODES = 4096, CLEAR = 256, END = 257 };
    struct Lzw { uint16_t prefix[CODES]; uint8_t last[CODES]; uint8_t text[CODES]; } *t = malloc(sizeof *t);
    uint32_t bits = 0;
    int have = 0, width = 9, next = 258, previous = -1;
    DgStatus status = t ? DG_OK : os_no_memory(err, "for unpacking");
    for (ptrdiff_t i = 0; status == DG_OK && i < in.len;) {
        while (have < width && i < in.len) {
            bits = bits << 8 | (unsigned char)in.ptr[i++];
            have += 8;
        }
        if (have < width)
            break;
        int code = (int)(bits >> (have - width) & ((1u << width) - 1));
        have -= width;
        if (code == END)
            break;
        if (code == CLEAR) {
            width = 9, next = 258, previous = -1;
            continue;
        }
        if (code > next || (code == next && previous < 0)) {
            status = dg_fail(err, DG_DATA, "a stream in it is damaged");
            break;
        }
        size_t n = CODES;
        int from = code == next ? previous : code;
        if (code == next)
            n--; /* its first character again, below */
        while (from >= 258) {
            t->text[--n] = t->last[from];
            from = t->prefix[from];
        }
        t->text[--n] = (uint8_t)from;
        if (code == next)
            t->text[CODES - 1] = (uint8_t)from;
        status = add(f, out, t->text + n, CODES - n, err);
        if (previous >= 0 && next < CODES) {
            t->prefix[next] = (uint16_t)previous;
            t->last[next++] = (uint8_t)from;
        }
        previous = code;
        int limit = next + early;
        width = limit >= 2048 ? 12 : limit >= 1024 ? 11 : limit >= 512 ? 10 : 9;
    }
    free(t);
    return status;
}

static DgStatus ascii_hex(PdfFile *f, Str in, StrBuf *out, DgError *err)
{
    int high = -1;
    for (ptrdiff_t i = 0; i < in.len && in.ptr[i] != '>'; i++) {
        char c = in.ptr[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0)
            continue;
        char byte = (char)(high << 4 | digit);
        if (high >= 0)
            DG_TRY(add(f, out, &byte, 1, err));
        high = high >= 0 ? -1 : digit;
    }
    char byte = (char)(high << 4);
    return high >= 0 ? add(f, out, &byte, 1, err) : DG_OK;
}

static DgStatus ascii_85(PdfFile *f, Str in, StrBuf *out, DgError *err)
{
    uint32_t word = 0;
    int n = 0;
    for (ptrdiff_t i = 0; i < in.len && in.ptr[i] != '~'; i++) {
        char c = in.ptr[i];
        if (c == 'z' && n == 0) {
            DG_TRY(add(f, out, "\0\0\0\0", 4, err));
            continue;
        }
        if (c < '!' || c > 'u')
            continue;
        word = word * 85 + (uint32_t)(c - '!');
        if (++n == 5) {
            char bytes[4] = {(char)(word >> 24), (char)(word >> 16), (char)(word >> 8), (char)word};
            DG_TRY(add(f, out, bytes, 4, err));
            word = 0, n = 0;
        }
    }
    if (n > 1) {
        for (int i = n; i < 5; i++)
            word = word * 85 + 84;
        char bytes[4] = {(char)(word >> 24), (char)(word >> 16), (char)(word >> 8), (char)word};
        DG_TRY(add(f, out, bytes, (size_t)n - 1, err));
    }
    return DG_OK;
}

static DgStatus run_length(PdfFile *f, Str in, StrBuf *out, DgError *err)
{
    for (ptrdiff_t i = 0; i < in.len;) {
        unsigned char n = (unsigned char)in.ptr[i++];
        if (n == 128)
            break;
        if (n < 128) {
            Str part = str_sub(in, i, i + n + 1);
            DG_TRY(add(f, out, part.ptr, (size_t)part.len, err));
            i += n + 1;
        } else if (i < in.len) {
            char many[128];
            memset(many, in.ptr[i++], sizeof many);
            DG_TRY(add(f, out, many, 257 - (size_t)n, err));
        }
    }
    return DG_OK;
}

/* Rows of samples, each told as a difference; in place. */
static void predict(StrBuf *b, int predictor, int64_t colors, int64_t bits, int64_t columns)
{
    if (colors < 1 || colors > 32 || bits < 1 || bits > 16 || columns < 1 || columns > 1 << 20)
        return;
    size_t pixel = (size_t)((colors * bits + 7) / 8), row = (size_t)((colors * bits * columns + 7) / 8), to = 0;
    unsigned char *p = (unsigned char *)b->ptr;
    if (predictor == 2) {
        for (size_t start = 0; bits == 8 && start + row <= b->len; start += row)
            for (size_t i = pixel; i < row; i++)
                p[start + i] = (unsigned char)(p[start + i] + p[start + i - pixel]);
        return;
    }
    for (size_t from = 0; from < b->len; from += row + 1) {
        unsigned char kind = p[from];
        size_t n = b->len - from - 1 < row ? b->len - from - 1 : row;
        for (size_t i = 0; i < n; i++) {
            int left = i >= pixel ? p[to + i - pixel] : 0, up = to >= row ? p[to - row + i] : 0;
            int corner = i >= pixel && to >= row ? p[to - row + i - pixel] : 0, guess = 0;
            int a = abs(up - corner), c = abs(left - corner), d = abs(left + up - 2 * corner);
            switch (kind) {
            case 1: guess = left; break;
            case 2: guess = up; break;
            case 3: guess = (left + up) / 2; break;
            case 4: guess = a <= c && a <= d ? left : c <= d ? up : corner; break;
            default: break;
            }
            p[to + i] = (unsigned char)(p[from + 1 + i] + guess);
        }
        to += n;
    }
    b->len = to;
}

static DgStatus one_filter(PdfFile *f, PdfObject filter, PdfObject parameters, Str in, StrBuf *out, DgError *err)
{
    DgStatus status;
    bool is_lzw = pdf_is_name(filter, "LZWDecode") || pdf_is_name(filter, "LZW");
    if (is_lzw)
        status = lzw(f, in, pdf_number(pdf_get(f, &parameters, "EarlyChange"), 1) != 0, out, err);
    else if (pdf_is_name(filter, "FlateDecode") || pdf_is_name(filter, "Fl"))
        status = flate(f, in, out, err);
    else if (pdf_is_name(filter, "ASCIIHexDecode") || pdf_is_name(filter, "AHx"))
        return ascii_hex(f, in, out, err);
    else if (pdf_is_name(filter, "ASCII85Decode") || pdf_is_name(filter, "A85"))
        return ascii_85(f, in, out, err);
    else if (pdf_is_name(filter, "RunLengthDecode") || pdf_is_name(filter, "RL"))
        return run_length(f, in, out, err);
    else
        return DG_END;
    int predictor = (int)pdf_number(pdf_get(f, &parameters, "Predictor"), 1);
    if (status == DG_OK && predictor > 1)
        predict(out, predictor, (int64_t)pdf_number(pdf_get(f, &parameters, "Colors"), 1), (int64_t)pdf_number(pdf_get(f, &parameters, "BitsPerComponent"), 8),
                (int64_t)pdf_number(pdf_get(f, &parameters, "Columns"), 1));
    return status;
}

DgStatus pdf_unpack(PdfFile *f, const PdfObject *stream, StrBuf *out, DgError *err)
{
    PdfObject filter = pdf_get(f, stream, "Filter"), parameters = pdf_get(f, stream, "DecodeParms");
    if (stream->kind != PDF_STREAM)
        return DG_END;
    int32_t count = filter.kind == PDF_ARRAY ? filter.count : filter.kind == PDF_NAME ? 1 : 0;
    if (count > 8)
        return dg_fail(err, DG_DATA, "a stream in it is packed too often");
    if (!count)
        return add(f, out, stream->data.ptr, (size_t)stream->data.len, err);
    StrBuf from = {0};
    DgStatus status = DG_OK;
    for (int32_t i = 0; status == DG_OK && i < count; i++) {
        PdfObject one = filter.kind == PDF_ARRAY ? pdf_resolve(f, filter.items[i]) : filter;
        PdfObject with = parameters.kind != PDF_ARRAY ? parameters : i < parameters.count ? pdf_resolve(f, parameters.items[i]) : (PdfObject){0};
        buf_free(&from);
        from = *out;
        *out = (StrBuf){0};
        status = one_filter(f, one, with, i ? buf_str(&from) : stream->data, out, err);
    }
    buf_free(&from);
    return status;
}
