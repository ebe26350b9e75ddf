/* sigv4.c - AWS Signature Version 4. */
#include "runtime/net/sigv4.h"

#include <ctype.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/sha256.h"
#include "runtime/base/zone.h"
#include "runtime/net/http.h"
#include "runtime/os/os.h"

enum { HEADERS_MAX = 64 };

void sigv4_sha256(Str bytes, char hex[65])
{
    Sha256 s;
    sha256_init(&s);
    sha256_add(&s, bytes);
    sha256_hex(&s, hex);
}

/* ---- The canonical request ---- */


static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* What was sent may be encoded more or less than the canonical form: taken apart and encoded anew. */
static Str recoded(Arena *a, Str s, bool path)
{
    StrBuf plain = {0}, out = {0};
    for (ptrdiff_t i = 0; i < s.len; i++) {
        int high = s.ptr[i] == '%' && i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1, low = high >= 0 ? hex_digit(s.ptr[i + 2]) : -1;
        buf_char(&plain, low >= 0 ? (char)(high * 16 + low) : s.ptr[i]);
        i += low >= 0 ? 2 : 0;
    }
    http_encode(&out, buf_str(&plain), path);
    Str copy = str_copy(a, buf_str(&out));
    buf_free(&plain);
    buf_free(&out);
    return copy;
}

/* Sorted by encoded name, then value: `=` sorts after what may follow in a longer name's `-`, so both
 * are compared apart. */
typedef struct Pair {
    Str name, value;
} Pair;

static int compare_pairs(const void *x, const void *y)
{
    const Pair *a = x, *b = y;
    int c = str_cmp(a->name, b->name);
    return c ? c : str_cmp(a->value, b->value);
}

static void add_query(Arena *a, StrBuf *out, Str query)
{
    Array(Pair) pairs = {0};
    while (query.len) {
        Str one, name, value;
        str_cut(query, '&', &one, &query);
        str_cut(one, '=', &name, &value);
        Pair p = {recoded(a, name, false), recoded(a, value, false)};
        if (one.len)
            array_add(a, &pairs, p);
    }
    if (pairs.count)
        qsort(pairs.items, pairs.count, sizeof *pairs.items, compare_pairs);
    for (size_t i = 0; i < pairs.count; i++)
        buf_format(out, "%s%.*s=%.*s", i ? "&" : "", FMT(pairs.items[i].name), FMT(pairs.items[i].value));
}

/* `name:value`, the name in lower case, runs of blanks made one. */
static Str canonical_header(Arena *a, Str name, Str value)
{
    StrBuf b = {0};
    buf_add(&b, str_lower(a, str_trim(name)));
    buf_char(&b, ':');
    value = str_trim(value);
    for (ptrdiff_t i = 0; i < value.len; i++)
        if (value.ptr[i] != ' ' || value.ptr[i - 1] != ' ')
            buf_char(&b, value.ptr[i]);
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static Str amz_date(Arena *a, int64_t now_us)
{
    CivilTime t = civil_from_seconds(now_us / 1000000);
    return str_format(a, "%04lld%02d%02dT%02d%02d%02dZ", (long long)t.year, t.month, t.day, t.hour, t.minute, t.second);
}

static size_t gather(Arena *a, const DgSigV4 *s, Str *lines)
{
    size_t n = 0;
    lines[n++] = canonical_header(a, S("host"), s->host);
    lines[n++] = canonical_header(a, S("x-amz-date"), amz_date(a, s->now_us));
    if (str_eq(s->service, S("s3")))
        lines[n++] = canonical_header(a, S("x-amz-content-sha256"), s->payload_sha256);
    if (s->keys->session_token.len)
        lines[n++] = canonical_header(a, S("x-amz-security-token"), s->keys->session_token);
    for (size_t i = 0; i < s->headers_count && n < HEADERS_MAX; i++) {
        Str name, value;
        if (str_cut(s->headers[i], ':', &name, &value))
            lines[n++] = canonical_header(a, name, value);
    }
    return n;
}

static int compare_names(const void *x, const void *y)
{
    Str a, b, rest;
    str_cut(*(const Str *)x, ':', &a, &rest);
    str_cut(*(const Str *)y, ':', &b, &rest);
    return str_cmp(a, b);
}

Str sigv4_canonical(Arena *a, const DgSigV4 *s, Str *signed_headers)
{
    Str lines[HEADERS_MAX + 4];
    size_t n = gather(a, s, lines);
    StrBuf b = {0}, names = {0};
    /* A header that comes twice is one, its values parted by commas, in their order: no such header is
     * ever sent from here, so a stable sort by name is all that is needed. */
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && compare_names(&lines[k - 1], &lines[k]) > 0; k--) {
            Str t = lines[k];
            lines[k] = lines[k - 1];
            lines[k - 1] = t;
        }
    buf_format(&b, "%s\n%.*s\n", s->method, FMT(s->path.len ? recoded(a, s->path, true) : S("/")));
    add_query(a, &b, s->query);
    buf_char(&b, '\n');
    for (size_t i = 0; i < n; i++) {
        Str name, value;
        str_cut(lines[i], ':', &name, &value);
        buf_format(&b, "%.*s\n", FMT(lines[i]));
        buf_format(&names, "%s%.*s", i ? ";" : "", FMT(name));
    }
    *signed_headers = str_copy(a, buf_str(&names));
    buf_format(&b, "\n%.*s\n%.*s", FMT(*signed_headers), FMT(s->payload_sha256));
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    buf_free(&names);
    return out;
}

/* ---- The signature ---- */

static bool hmac(const uint8_t *key, size_t key_len, Str text, uint8_t out[32])
{
    unsigned int n = 0;
    return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.ptr, (size_t)text.len, out, &n) && n == 32;
}

static bool signing_key(Arena *a, const DgSigV4 *s, Str day, uint8_t key[32])
{
    Str first = str_format(a, "AWS4%.*s", FMT(s->keys->secret_access_key));
    uint8_t next[32];
    return hmac((const uint8_t *)first.ptr, (size_t)first.len, day, key) && hmac(key, 32, s->region, next) && hmac(next, 32, s->service, key) &&
           hmac(key, 32, S("aws4_request"), next) && memcpy(key, next, 32);
}

DgStatus sigv4_sign(Arena *a, const DgSigV4 *s, StrArray *headers, DgError *err)
{
    char hash[65], hex[65];
    uint8_t key[32], signature[32];
    Str names, date = amz_date(a, s->now_us), day = str_sub(date, 0, 8);
    sigv4_sha256(sigv4_canonical(a, s, &names), hash);
    Str scope = str_format(a, "%.*s/%.*s/%.*s/aws4_request", FMT(day), FMT(s->region), FMT(s->service));
    Str text = str_format(a, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n%s", FMT(date), FMT(scope), hash);
    if (!signing_key(a, s, day, key) || !hmac(key, 32, text, signature))
        return dg_fail(err, DG_BUG, "could not sign a request");
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", signature[i]);
    array_add(a, headers, str_format(a, "x-amz-date: %.*s", FMT(date)));
    if (str_eq(s->service, S("s3")))
        array_add(a, headers, str_format(a, "x-amz-content-sha256: %.*s", FMT(s->payload_sha256)));
    if (s->keys->session_token.len)
        array_add(a, headers, str_format(a, "x-amz-security-token: %.*s", FMT(s->keys->session_token)));
    array_add(a, headers, str_format(a, "Authorization: AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%s",
                                     FMT(s->keys->access_key_id), FMT(scope), FMT(names), hex));
    return DG_OK;
}
