/* Dagster Pipes: the wire format of bootstrap parameters. */
#include "runtime/run/pipes.h"

#include <zlib.h>

#include "runtime/os/os.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Into the arena; false when it is not base64. */
static bool base64_decode(Arena *a, Str text, unsigned char **out, size_t *len)
{
    unsigned char *to = push(a, unsigned char, (size_t)text.len / 4 * 3 + 4);
    uint32_t bits = 0;
    int have = 0;
    *out = to;
    *len = 0;
    for (ptrdiff_t i = 0; to && i < text.len; i++) {
        if (text.ptr[i] == '=' && i + 2 >= text.len)
            continue;
        int digit = digit_of(text.ptr[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            to[(*len)++] = (unsigned char)(bits >> have);
        }
    }
    return to != NULL;
}

DgStatus pipes_decode(Arena *a, Str value, Str *json, DgError *err)
{
    unsigned char *packed;
    size_t packed_len;
    if (!base64_decode(a, str_trim(value), &packed, &packed_len))
        return dg_fail(err, DG_CONFIG, "Dagster Pipes: the parameter is not base64");
    StrBuf text = {.max = PIPES_BYTES_MAX};
    unsigned char chunk[8192];
    z_stream z = {.next_in = packed, .avail_in = (uInt)packed_len};
    int rc = inflateInit(&z);
    while (rc == Z_OK) {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        rc = inflate(&z, Z_NO_FLUSH);
        if (rc == Z_OK || rc == Z_STREAM_END)
            buf_add(&text, (Str){(char *)chunk, (ptrdiff_t)(sizeof chunk - z.avail_out)});
        if (text.failed)
            rc = Z_MEM_ERROR;
    }
    inflateEnd(&z);
    *json = rc == Z_STREAM_END ? str_copy(a, buf_str(&text)) : (Str){0};
    buf_free(&text);
    if (rc != Z_STREAM_END)
        return dg_fail(err, DG_CONFIG, "Dagster Pipes: the parameter is not zlib data");
    return json->ptr ? DG_OK : os_no_memory(err, "reading the Pipes context");
}

bool pipes_encode(Str json, StrBuf *out)
{
    uLongf packed_len = compressBound((uLong)json.len);
    unsigned char *packed = os_alloc(packed_len);
    if (!packed || compress(packed, &packed_len, (const Bytef *)json.ptr, (uLong)json.len) != Z_OK) {
        os_free(packed);
        return false;
    }
    for (size_t i = 0; i < packed_len; i += 3) {
        uint32_t v = (uint32_t)packed[i] << 16;
        v |= i + 1 < packed_len ? (uint32_t)packed[i + 1] << 8 : 0;
        v |= i + 2 < packed_len ? packed[i + 2] : 0;
        buf_char(out, digits[v >> 18 & 63]);
        buf_char(out, digits[v >> 12 & 63]);
        buf_char(out, i + 1 < packed_len ? digits[v >> 6 & 63] : '=');
        buf_char(out, i + 2 < packed_len ? digits[v & 63] : '=');
    }
    os_free(packed);
    return !out->failed;
}
