/* sigv4.c - AWS Signature Version 4. */
#include "runtime/net/sigv4.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/zone.h"
#include "runtime/net/http.h"

static void to_hex(const uint8_t bytes[32], char hex[65])
{
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

/* OpenSSL's, since it uses the processor's own instructions for it. */
void sigv4_sha256(Str bytes, char hex[65])
{
    uint8_t digest[32] = {0};
    EVP_Digest(bytes.ptr ? bytes.ptr : "", (size_t)bytes.len, digest, NULL, EVP_sha256(), NULL);
    to_hex(digest, hex);
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

/* Services but S3 take `.`, `..` and `//` out of a path, and encode what is encoded once more. */
static Str normalised(Arena *a, Str path)
{
    StrArray kept = {0};
    StrBuf b = {0};
    bool folder = str_ends(path, S("/"));
    while (path.len) {
        Str one;
        str_cut(path, '/', &one, &path);
        if (str_eq(one, S("..")))
            kept.count -= kept.count > 0;
        else if (one.len && !str_eq(one, S(".")))
            array_add(a, &kept, one);
    }
    for (size_t i = 0; i < kept.count; i++) {
        buf_char(&b, '/');
        http_encode(&b, kept.items[i], false);
    }
    if (!kept.count || folder)
        buf_char(&b, '/');
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
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

static bool is_s3(const DgSigV4 *s)
{
    return str_eq(s->service, S("s3"));
}

static Str amz_date(Arena *a, int64_t now_us)
{
    CivilTime t = civil_from_seconds(now_us / 1000000);
    return str_format(a, "%04lld%02d%02dT%02d%02d%02dZ", (long long)t.year, t.month, t.day, t.hour, t.minute, t.second);
}

typedef struct Line {
    Str name, value; /* canonical */
} Line;

static void add_line(Arena *a, Line *lines, size_t *n, Str name, Str value)
{
    Str text = canonical_header(a, name, value);
    Line line = {0};
    str_cut(text, ':', &line.name, &line.value);
    /* Sorted by name; of the same name in their order. */
    size_t at = *n;
    for (; at > 0 && str_cmp(lines[at - 1].name, line.name) > 0; at--)
        lines[at] = lines[at - 1];
    lines[at] = line;
    ++*n;
}

/* The headers that are signed. A URL that is signed says most of it in its query instead. */
static size_t gather(Arena *a, const DgSigV4 *s, bool presigned, Line *lines)
{
    size_t n = 0;
    add_line(a, lines, &n, S("host"), s->host);
    if (!presigned) {
        add_line(a, lines, &n, S("x-amz-date"), amz_date(a, s->now_us));
        if (is_s3(s))
            add_line(a, lines, &n, S("x-amz-content-sha256"), s->payload_sha256);
        if (s->keys->session_token.len)
            add_line(a, lines, &n, S("x-amz-security-token"), s->keys->session_token);
    }
    for (size_t i = 0; i < s->headers_count && i < SIGV4_HEADERS_MAX; i++) {
        Str name, value;
        if (str_cut(s->headers[i], ':', &name, &value))
            add_line(a, lines, &n, name, value);
    }
    return n;
}

static Str names_of(Arena *a, const Line *lines, size_t n)
{
    StrBuf b = {0};
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !str_eq(lines[i - 1].name, lines[i].name))
            buf_format(&b, "%s%.*s", i ? ";" : "", FMT(lines[i].name));
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

static Str canonical(Arena *a, const DgSigV4 *s, Str query, const Line *lines, size_t n)
{
    StrBuf b = {0};
    Str path = is_s3(s) ? recoded(a, s->path, true) : normalised(a, s->path);
    buf_format(&b, "%s\n%.*s\n", s->method, FMT(path.len ? path : S("/")));
    add_query(a, &b, query);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && str_eq(lines[i - 1].name, lines[i].name)) /* one that comes again */
            buf_format(&b, ",%.*s", FMT(lines[i].value));
        else
            buf_format(&b, "\n%.*s:%.*s", FMT(lines[i].name), FMT(lines[i].value));
    }
    buf_format(&b, "\n\n%.*s\n%.*s", FMT(names_of(a, lines, n)), FMT(s->payload_sha256));
    Str out = b.failed ? (Str){0} : str_copy(a, buf_str(&b));
    buf_free(&b);
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

static Str scope_of(Arena *a, const DgSigV4 *s)
{
    return str_format(a, "%.*s/%.*s/%.*s/aws4_request", FMT(str_sub(amz_date(a, s->now_us), 0, 8)), FMT(s->region), FMT(s->service));
}

static DgStatus signature_of(Arena *a, const DgSigV4 *s, Str request, char hex[65], DgError *err)
{
    char hash[65];
    uint8_t key[32], signature[32];
    Str date = amz_date(a, s->now_us);
    sigv4_sha256(request, hash);
    Str text = str_format(a, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n%s", FMT(date), FMT(scope_of(a, s)), hash);
    if (s->headers_count > SIGV4_HEADERS_MAX)
        return dg_fail(err, DG_BUG, "a request has more than %d headers to sign", SIGV4_HEADERS_MAX);
    if (!request.len || a->failed)
        return dg_fail(err, DG_NOMEM, "out of memory signing a request");
    if (!signing_key(a, s, str_sub(date, 0, 8), key) || !hmac(key, 32, text, signature))
        return dg_fail(err, DG_BUG, "could not sign a request");
    to_hex(signature, hex);
    return DG_OK;
}

DgStatus sigv4_sign(Arena *a, const DgSigV4 *s, StrArray *headers, DgError *err)
{
    char hex[65];
    Line lines[SIGV4_HEADERS_MAX + 4];
    size_t n = gather(a, s, false, lines);
    DG_TRY(signature_of(a, s, canonical(a, s, s->query, lines, n), hex, err));
    array_add(a, headers, str_format(a, "x-amz-date: %.*s", FMT(amz_date(a, s->now_us))));
    if (is_s3(s))
        array_add(a, headers, str_format(a, "x-amz-content-sha256: %.*s", FMT(s->payload_sha256)));
    if (s->keys->session_token.len)
        array_add(a, headers, str_format(a, "x-amz-security-token: %.*s", FMT(s->keys->session_token)));
    array_add(a, headers, str_format(a, "Authorization: AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%s",
                                     FMT(s->keys->access_key_id), FMT(scope_of(a, s)), FMT(names_of(a, lines, n)), hex));
    return DG_OK;
}

static void add_parameter(StrBuf *b, const char *name, Str value)
{
    buf_format(b, "%s%s=", b->len ? "&" : "", name);
    http_encode(b, value, false);
}

DgStatus sigv4_presign(Arena *a, const DgSigV4 *s, int64_t expires_s, Str *query, DgError *err)
{
    char hex[65];
    StrBuf b = {.max = 1 << 20};
    Line lines[SIGV4_HEADERS_MAX + 4];
    size_t n = gather(a, s, true, lines);
    assert(expires_s > 0 && expires_s <= 7 * 86400);
    buf_add(&b, s->query);
    add_parameter(&b, "X-Amz-Algorithm", S("AWS4-HMAC-SHA256"));
    add_parameter(&b, "X-Amz-Credential", str_format(a, "%.*s/%.*s", FMT(s->keys->access_key_id), FMT(scope_of(a, s))));
    add_parameter(&b, "X-Amz-Date", amz_date(a, s->now_us));
    add_parameter(&b, "X-Amz-Expires", str_format(a, "%lld", (long long)expires_s));
    if (s->keys->session_token.len)
        add_parameter(&b, "X-Amz-Security-Token", s->keys->session_token);
    add_parameter(&b, "X-Amz-SignedHeaders", names_of(a, lines, n));
    DgStatus status = signature_of(a, s, canonical(a, s, buf_str(&b), lines, n), hex, err);
    buf_format(&b, "&X-Amz-Signature=%s", hex);
    *query = str_copy(a, buf_str(&b));
    buf_free(&b);
    return status;
}
