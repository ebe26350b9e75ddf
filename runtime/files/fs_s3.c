/* fs_s3.c - S3, and servers that speak its protocol. Requests are S3's REST interface of 2006-03-01. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/base/glob.h"
#include "runtime/base/zone.h"
#include "runtime/files/fs_internal.h"
#include "runtime/net/aws_credentials.h"
#include "runtime/os/os.h"

enum { WHOLE_BYTES_MAX = 16 << 20, PART_BYTES = 16 << 20, PARTS_MAX = 10000, DELETE_MAX = 1000, RESUMES_MAX = 8, XML_BYTES_MAX = 16 << 20 };

typedef struct S3 {
    DgFs fs; /* first */
    DgConn conn;
    Arena arena;
    DgAws aws;
    DgHttp *http;
    Str bucket, scheme, host; /* host: of the requests */
    Str base_path;            /* "/bucket" in path style, else empty */
    int64_t skew_us;          /* what the server's clock is ahead */
} S3;

/* ---- One request ---- */

typedef struct Ask {
    const char *method;
    Str key, query;          /* key: plain; query: encoded */
    const Str *headers;
    size_t headers_count;
    Str body;
    int fd;                  /* or a range of a file */
    int64_t offset, bytes;
    int to_fd;
    bool twice;              /* may be sent again */
} Ask;

typedef struct Signing {
    S3 *s3;
    const Ask *ask;
    Str path;
} Signing;

static DgStatus sign(void *context, DgHttpRequest *r, StrArray *headers, Arena *a, DgError *err)
{
    const Signing *s = context;
    const DgAwsKeys *keys;
    char hash[65] = "UNSIGNED-PAYLOAD";
    DG_TRY(aws_keys(&s->s3->aws, &keys, err));
    if (!s->ask->bytes)
        sigv4_sha256(s->ask->body, hash);
    return sigv4_sign(a, &(DgSigV4){.method = r->method, .host = s->s3->host, .path = s->path, .query = s->ask->query, .headers = s->ask->headers,
                                    .headers_count = s->ask->headers_count, .payload_sha256 = str_from(hash), .region = s->s3->aws.region,
                                    .service = S("s3"), .now_us = os_real_us() + s->s3->skew_us, .keys = keys},
                      headers, err);
}

/* The text of the first <name> in an XML document; entities are undone. */
static Str element(Arena *a, Str xml, const char *name, Str *rest)
{
    Str open = str_format(a, "<%s>", name), close = str_format(a, "</%s>", name);
    ptrdiff_t at = str_find(xml, open);
    Str inside = at < 0 ? (Str){0} : str_sub(xml, at + open.len, xml.len);
    ptrdiff_t end = str_find(inside, close);
    if (rest)
        *rest = end < 0 ? (Str){0} : str_sub(inside, end + close.len, inside.len);
    return end < 0 ? (Str){0} : str_sub(inside, 0, end);
}

static Str unescaped(Arena *a, Str s)
{
    static const char *const entities[][2] = {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&#39;", "'"}, {"&#34;", "\""}, {"&amp;", "&"}};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (str_find_char(s, '&') >= 0)
            s = str_replace(a, s, str_from(entities[i][0]), str_from(entities[i][1]));
    return s;
}

/* S3 says in its body what is wrong: <Code> and <Message>. */
static DgStatus explain(const S3 *s3, Arena *a, DgStatus status, const DgHttpAnswer *answer, const char *what, DgError *err)
{
    Str code = element(a, answer->body, "Code", NULL), message = unescaped(a, element(a, answer->body, "Message", NULL));
    if (status == DG_OK || status == DG_CANCELLED || !answer->status)
        return status;
    int64_t retry = err->retry_after_ms;
    if (status == DG_END && str_eq(code, S("NoSuchBucket"))) {
        dg_fail(err, DG_CONFIG, "bucket `%.*s` does not exist", FMT(s3->bucket));
        return DG_CONFIG;
    }
    if (status == DG_END && code.len && !str_eq(code, S("NoSuchKey"))) /* 404, but of something else */
        status = DG_CONFIG;
    if (code.len)
        dg_fail(err, status, "could not %s: %.*s (%.*s)", what, FMT(code), FMT(message));
    if (status == DG_NOPERM || status == DG_CONFIG)
        dg_hint(err, "the keys come from %.*s", FMT(s3->aws.source));
    err->retry_after_ms = retry;
    return status;
}

/* True when something was learnt and the request is worth another try: region or clock. */
static bool learn(S3 *s3, Arena *a, const DgHttpAnswer *answer)
{
    Str code = element(a, answer->body, "Code", NULL), region = answer->region.len ? answer->region : element(a, answer->body, "Region", NULL);
    if (region.len && !str_eq(region, s3->aws.region) && (answer->status == 301 || answer->status == 400 || answer->status == 307)) {
        if (str_find(s3->host, S(".amazonaws.com")) >= 0)
            s3->host = str_replace(&s3->arena, s3->host, s3->aws.region, region);
        s3->aws.region = str_copy(&s3->arena, region);
        return true;
    }
    if (str_eq(code, S("RequestTimeTooSkewed")) && answer->date_us && !s3->skew_us) {
        s3->skew_us = answer->date_us - os_real_us();
        return true;
    }
    return false;
}

static DgStatus ask(S3 *s3, Arena *a, const Ask *q, DgHttpAnswer *answer, const char *what, DgError *err)
{
    DgStatus status = DG_OK;
    for (int round = 0; round < 3; round++) {
        StrBuf path = {.max = 16 << 10};
        buf_add(&path, s3->base_path);
        buf_char(&path, '/');
        http_encode(&path, q->key, true);
        Signing signing = {s3, q, str_copy(a, buf_str(&path))};
        buf_free(&path);
        Str url = str_format(a, "%.*s://%.*s%.*s%s%.*s", FMT(s3->scheme), FMT(s3->host), FMT(signing.path), q->query.len ? "?" : "", FMT(q->query));
        DgHttpRequest r = {.method = q->method, .url = url, .headers = q->headers, .headers_count = q->headers_count, .body = q->body, .body_fd = q->fd,
                           .body_offset = q->offset, .body_bytes = q->bytes, .to_fd = q->to_fd, .answer_max = XML_BYTES_MAX, .idempotent = q->twice,
                           .sign = sign, .sign_context = &signing};
        fs_patience(&s3->fs, &r);
        status = http_send(s3->http, a, &r, answer, what, err);
        if (status == DG_OK || !learn(s3, a, answer))
            break;
    }
    return explain(s3, a, status, answer, what, err);
}

/* ---- Listing ---- */

static void add_parameter(StrBuf *b, const char *name, Str value)
{
    buf_format(b, "%s%s=", b->len ? "&" : "", name);
    http_encode(b, value, false);
}

static DgStatus list_page(S3 *s3, Arena *a, Str prefix, Str *token, Str *xml, DgError *err)
{
    StrBuf q = {.max = 64 << 10};
    DgHttpAnswer answer;
    if (token->len)
        add_parameter(&q, "continuation-token", *token);
    add_parameter(&q, "encoding-type", S("url"));
    add_parameter(&q, "list-type", S("2"));
    add_parameter(&q, "max-keys", S("1000"));
    add_parameter(&q, "prefix", prefix);
    Ask request = {.method = "GET", .query = str_copy(a, buf_str(&q)), .twice = true};
    buf_free(&q);
    DG_TRY(ask(s3, a, &request, &answer, "list the bucket", err));
    *xml = answer.body;
    bool more = str_eq(element(a, *xml, "IsTruncated", NULL), S("true"));
    *token = more ? unescaped(a, element(a, *xml, "NextContinuationToken", NULL)) : (Str){0};
    return DG_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static Str url_decoded(Arena *a, Str s)
{
    char *out = push(a, char, s.len + 1);
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        int high = s.ptr[i] == '%' && i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1, low = high >= 0 ? hex_digit(s.ptr[i + 2]) : -1;
        out[n++] = low >= 0 ? (char)(high * 16 + low) : s.ptr[i] == '+' ? ' ' : s.ptr[i];
        i += low >= 0 ? 2 : 0;
    }
    return (Str){out, n};
}

static int64_t moment(Str iso)
{
    CivilTime t = {0};
    int32_t offset = 0;
    bool has = false;
    return civil_parse_iso(iso, &t, &offset, &has) ? (civil_to_seconds(&t) - offset) * 1000000 : 0;
}

static DgStatus s3_list(DgFs *fs, Arena *a, Str pattern, DgFsItems *out, DgError *err)
{
    S3 *s3 = (S3 *)fs;
    Str token = {0}, xml, prefix = str_ends(pattern, S("/")) ? pattern : str_sub(pattern, 0, glob_special(pattern));
    bool below = str_ends(pattern, S("/")), exact = glob_special(pattern) == pattern.len && !below;
    if (str_starts(prefix, S("/")))
        prefix = str_sub(prefix, 1, prefix.len);
    if (str_starts(pattern, S("/")))
        pattern = str_sub(pattern, 1, pattern.len);
    do {
        DG_TRY(list_page(s3, a, prefix, &token, &xml, err));
        bool encoded = str_eq(element(a, xml, "EncodingType", NULL), S("url")); /* not every server does it */
        while (xml.len) {
            Str rest, one = element(a, xml, "Contents", &rest);
            xml = rest;
            if (!one.len)
                break;
            Str key = unescaped(a, element(a, one, "Key", NULL));
            DgFsItem item = {.path = encoded ? url_decoded(a, key) : key, .size = -1,
                             .modified_us = moment(element(a, one, "LastModified", NULL)), .etag = unescaped(a, element(a, one, "ETag", NULL))};
            str_to_int(element(a, one, "Size", NULL), &item.size);
            bool folder = str_ends(item.path, S("/")) && item.size <= 0;
            if (folder || !(below ? str_starts(item.path, pattern) : exact ? str_eq(item.path, pattern) : fs_match(pattern, item.path)))
                continue;
            if (out->count >= FS_ITEMS_MAX)
                return dg_fail(err, DG_CONFIG, "`%.*s` matches more than %d objects", FMT(pattern), FS_ITEMS_MAX);
            array_add(a, out, item);
        }
    } while (token.len);
    return a->failed ? os_no_memory(err, "listing a bucket") : DG_OK;
}

static DgStatus s3_stat(DgFs *fs, Arena *a, Str path, DgFsItem *out, DgError *err)
{
    DgHttpAnswer answer;
    Ask request = {.method = "HEAD", .key = path, .twice = true};
    DG_TRY(ask((S3 *)fs, a, &request, &answer, "look at an object", err));
    *out = (DgFsItem){.path = path, .size = answer.length, .modified_us = answer.modified_us, .etag = answer.etag};
    return DG_OK;
}

/* ---- Reading ---- */

static DgStatus get_part(S3 *s3, Arena *a, const DgFsItem *item, int fd, int64_t have, int64_t *total, DgError *err)
{
    StrArray headers = {0};
    DgHttpAnswer answer;
    if (item->etag.len)
        array_add(a, &headers, str_format(a, "If-Match: %.*s", FMT(item->etag)));
    if (have)
        array_add(a, &headers, str_format(a, "Range: bytes=%lld-", (long long)have));
    Ask request = {.method = "GET", .key = item->path, .headers = headers.items, .headers_count = headers.count, .to_fd = fd, .twice = true};
    DgStatus status = ask(s3, a, &request, &answer, "read an object", err);
    if (answer.length >= 0 && answer.status / 100 == 2)
        *total = have + answer.length;
    return status;
}

static DgStatus s3_fetch(DgFs *fs, Arena *a, const DgFsItem *item, Str temp_folder, Str *local, bool *downloaded, DgError *err)
{
    S3 *s3 = (S3 *)fs;
    int fd;
    int64_t total = item->size, have = 0;
    struct stat st;
    DG_TRY(os_make_folders(str_cstr(a, temp_folder), err));
    *local = fs_temp_name(a, temp_folder, item->path);
    char *path = str_cstr(a, *local);
    DG_TRY(os_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd, err));
    DgStatus status = DG_OK;
    for (int i = 0; i < RESUMES_MAX; i++) { /* a connection that breaks goes on where it was */
        int64_t before = have;
        status = get_part(s3, a, item, fd, have, &total, err);
        have = fstat(fd, &st) == 0 ? st.st_size : 0;
        if (status != DG_UNAVAILABLE || (total >= 0 && have >= total) || have == before) /* without a byte: it was tried often enough */
            break;
        os_sleep_ms((int64_t)os_random_below((uint64_t)200 << i) + 1);
    }
    os_close(fd);
    if (status == DG_UNAVAILABLE && total >= 0 && have == total)
        status = DG_OK;
    if (status == DG_OK && total >= 0 && have != total)
        status = dg_fail(err, DG_UNAVAILABLE, "`%.*s` has %lld bytes, but %lld came", FMT(item->path), (long long)total, (long long)have);
    if (status == DG_TEMPFAIL)
        dg_fail(err, DG_TEMPFAIL, "`%.*s` was changed while it was being read", FMT(item->path));
    if (status != DG_OK)
        dg_os.unlink(path);
    *downloaded = status == DG_OK;
    return status;
}

/* ---- Writing ---- */

static void add_conditions(Arena *a, StrArray *headers, const DgFsPut *how)
{
    if (how->if_absent)
        array_add(a, headers, S("If-None-Match: *"));
    if (how->if_etag.len)
        array_add(a, headers, str_format(a, "If-Match: %.*s", FMT(how->if_etag)));
}

static DgStatus put_failed(DgStatus status, const DgFsPut *how, Str path, DgError *err)
{
    if (status == DG_TEMPFAIL && how->if_absent)
        return dg_fail(err, DG_TEMPFAIL, "`%.*s` is there already", FMT(path));
    if (status == DG_TEMPFAIL && how->if_etag.len)
        return dg_fail(err, DG_TEMPFAIL, "`%.*s` has been changed by somebody else", FMT(path));
    return status;
}

static DgStatus put_whole(S3 *s3, Arena *a, int fd, int64_t bytes, Str text, Str path, const DgFsPut *how, Str *etag, DgError *err)
{
    StrArray headers = {0};
    DgHttpAnswer answer;
    add_conditions(a, &headers, how);
    Ask request = {.method = "PUT", .key = path, .headers = headers.items, .headers_count = headers.count, .body = text, .fd = fd, .bytes = bytes,
                   .twice = !how->if_absent && !how->if_etag.len};
    DgStatus status = ask(s3, a, &request, &answer, "write an object", err);
    *etag = answer.etag;
    return put_failed(status, how, path, err);
}

static DgStatus put_part(S3 *s3, Arena *a, int fd, int64_t offset, int64_t bytes, Str path, Str upload, int number, Str *etag, DgError *err)
{
    StrBuf q = {.max = 64 << 10};
    DgHttpAnswer answer;
    buf_format(&q, "partNumber=%d", number);
    add_parameter(&q, "uploadId", upload);
    Ask request = {.method = "PUT", .key = path, .query = str_copy(a, buf_str(&q)), .fd = fd, .offset = offset, .bytes = bytes, .twice = true};
    buf_free(&q);
    DgStatus status = ask(s3, a, &request, &answer, "write a part of an object", err);
    *etag = answer.etag;
    return status == DG_OK && !etag->len ? dg_fail(err, DG_DATA, "the server gave a part no ETag") : status;
}

static DgStatus complete(S3 *s3, Arena *a, Str path, Str upload, const StrArray *parts, const DgFsPut *how, Str *etag, DgError *err)
{
    StrBuf body = {.max = 16 << 20}, q = {.max = 64 << 10};
    StrArray headers = {0};
    DgHttpAnswer answer;
    buf_add(&body, S("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
    for (size_t i = 0; i < parts->count; i++)
        buf_format(&body, "<Part><PartNumber>%zu</PartNumber><ETag>%.*s</ETag></Part>", i + 1, FMT(parts->items[i]));
    buf_add(&body, S("</CompleteMultipartUpload>"));
    add_parameter(&q, "uploadId", upload);
    array_add(a, &headers, S("Content-Type: application/xml"));
    add_conditions(a, &headers, how);
    Ask request = {.method = "POST", .key = path, .query = str_copy(a, buf_str(&q)), .headers = headers.items, .headers_count = headers.count,
                   .body = str_copy(a, buf_str(&body)), .twice = true};
    buf_free(&body);
    buf_free(&q);
    DgStatus status = ask(s3, a, &request, &answer, "complete an object", err);
    *etag = unescaped(a, element(a, answer.body, "ETag", NULL));
    if (status == DG_OK && str_find(answer.body, S("<Error>")) >= 0) { /* 200, and yet not done */
        Str code = element(a, answer.body, "Code", NULL);
        status = dg_fail(err, DG_UNAVAILABLE, "could not complete an object: %.*s", FMT(code));
    }
    return put_failed(status, how, path, err);
}

/* Parts cost money until somebody says that they are not wanted. */
static DgStatus give_up(S3 *s3, Arena *a, Str path, Str upload, DgError *err)
{
    StrBuf q = {.max = 64 << 10};
    DgHttpAnswer answer;
    add_parameter(&q, "uploadId", upload);
    Ask abort = {.method = "DELETE", .key = path, .query = str_copy(a, buf_str(&q)), .twice = true};
    buf_free(&q);
    DgStatus status = ask(s3, a, &abort, &answer, "give up an upload", err);
    return answer.status == 404 ? DG_OK : status; /* somebody else did */
}

static DgStatus s3_give_up(DgFs *fs, Arena *a, const DgFsItem *upload, DgError *err)
{
    return give_up((S3 *)fs, a, upload->path, upload->etag, err);
}

static DgStatus uploads_page(S3 *s3, Arena *a, Str prefix, Str *key, Str *id, Str *xml, DgError *err)
{
    StrBuf q = {.max = 64 << 10};
    DgHttpAnswer answer;
    add_parameter(&q, "encoding-type", S("url"));
    if (key->len)
        add_parameter(&q, "key-marker", *key);
    add_parameter(&q, "max-uploads", S("1000"));
    add_parameter(&q, "prefix", prefix);
    if (id->len)
        add_parameter(&q, "upload-id-marker", *id);
    buf_add(&q, S("&uploads="));
    Ask request = {.method = "GET", .query = str_copy(a, buf_str(&q)), .twice = true};
    buf_free(&q);
    DG_TRY(ask(s3, a, &request, &answer, "list unfinished uploads", err));
    *xml = answer.body;
    bool more = str_eq(element(a, *xml, "IsTruncated", NULL), S("true"));
    *key = more ? unescaped(a, element(a, *xml, "NextKeyMarker", NULL)) : (Str){0};
    *id = more ? unescaped(a, element(a, *xml, "NextUploadIdMarker", NULL)) : (Str){0};
    if (str_eq(element(a, *xml, "EncodingType", NULL), S("url")))
        *key = url_decoded(a, *key);
    return DG_OK;
}

static DgStatus s3_uploads(DgFs *fs, Arena *a, Str prefix, DgFsItems *out, DgError *err)
{
    Str key = {0}, id = {0}, xml;
    if (str_starts(prefix, S("/")))
        prefix = str_sub(prefix, 1, prefix.len);
    do {
        DG_TRY(uploads_page((S3 *)fs, a, prefix, &key, &id, &xml, err));
        bool encoded = str_eq(element(a, xml, "EncodingType", NULL), S("url"));
        for (Str rest, one = element(a, xml, "Upload", &rest); one.len; one = element(a, rest, "Upload", &rest)) {
            Str path = unescaped(a, element(a, one, "Key", NULL));
            DgFsItem item = {.path = encoded ? url_decoded(a, path) : path, .size = -1, .etag = unescaped(a, element(a, one, "UploadId", NULL)),
                             .modified_us = moment(element(a, one, "Initiated", NULL))};
            if (out->count >= FS_ITEMS_MAX)
                return dg_fail(err, DG_CONFIG, "there are more than %d unfinished uploads", FS_ITEMS_MAX);
            if (str_starts(item.path, prefix))
                array_add(a, out, item);
        }
    } while (key.len);
    return a->failed ? os_no_memory(err, "listing uploads") : DG_OK;
}

static DgStatus put_parts(S3 *s3, Arena *a, int fd, int64_t bytes, Str path, const DgFsPut *how, Str *etag, DgError *err)
{
    DgHttpAnswer answer;
    StrArray parts = {0};
    int64_t size = PART_BYTES;
    while (bytes / size >= PARTS_MAX)
        size *= 2;
    Ask begin = {.method = "POST", .key = path, .query = S("uploads=")};
    DG_TRY(ask(s3, a, &begin, &answer, "begin an object", err));
    Str upload = str_copy(a, unescaped(a, element(a, answer.body, "UploadId", NULL)));
    if (!upload.len)
        return dg_fail(err, DG_DATA, "the server gave the upload no id");
    DgStatus status = DG_OK;
    for (int64_t at = 0; at < bytes && status == DG_OK; at += size) {
        Str one;
        status = put_part(s3, a, fd, at, bytes - at < size ? bytes - at : size, path, upload, (int)parts.count + 1, &one, err);
        array_add(a, &parts, one);
    }
    if (status == DG_OK)
        status = complete(s3, a, path, upload, &parts, how, etag, err);
    DgError ignored = {0};
    if (status != DG_OK)
        give_up(s3, a, path, upload, &ignored);
    return status;
}

static DgStatus s3_put(DgFs *fs, Arena *a, Str local, Str bytes, Str path, const DgFsPut *how, Str *etag, DgError *err)
{
    S3 *s3 = (S3 *)fs;
    struct stat st;
    int fd;
    if (!local.len)
        return put_whole(s3, a, 0, 0, bytes, path, how, etag, err);
    char *disk = str_cstr(a, local);
    DG_TRY(os_open(disk, O_RDONLY, 0, &fd, err));
    DgStatus status = fstat(fd, &st) == 0 ? DG_OK : os_fail(err, errno, "look at", disk);
    if (status == DG_OK)
        status = st.st_size <= WHOLE_BYTES_MAX ? put_whole(s3, a, fd, st.st_size, (Str){0}, path, how, etag, err)
                                               : put_parts(s3, a, fd, st.st_size, path, how, etag, err);
    os_close(fd);
    return status;
}

/* ---- Deleting ---- */

static void add_xml(StrBuf *b, Str s)
{
    for (ptrdiff_t i = 0; i < s.len; i++)
        switch (s.ptr[i]) {
        case '&': buf_add(b, S("&amp;")); break;
        case '<': buf_add(b, S("&lt;")); break;
        case '>': buf_add(b, S("&gt;")); break;
        default: buf_char(b, s.ptr[i]);
        }
}

static DgStatus delete_some(S3 *s3, Arena *a, const Str *paths, size_t count, DgError *err)
{
    StrBuf b = {.max = 16 << 20};
    unsigned char md5[16], text[32];
    unsigned int n = 0;
    DgHttpAnswer answer;
    buf_add(&b, S("<Delete><Quiet>true</Quiet>"));
    for (size_t i = 0; i < count; i++) {
        buf_add(&b, S("<Object><Key>"));
        add_xml(&b, paths[i]);
        buf_add(&b, S("</Key></Object>"));
    }
    buf_add(&b, S("</Delete>"));
    Str body = str_copy(a, buf_str(&b));
    buf_free(&b);
    if (!EVP_Digest(body.ptr, (size_t)body.len, md5, &n, EVP_md5(), NULL))
        return dg_fail(err, DG_BUG, "could not make a checksum");
    EVP_EncodeBlock(text, md5, 16);
    Str headers[] = {str_format(a, "Content-MD5: %s", text), S("Content-Type: application/xml")};
    Ask request = {.method = "POST", .query = S("delete="), .headers = headers, .headers_count = 2, .body = body, .twice = true};
    DG_TRY(ask(s3, a, &request, &answer, "delete objects", err));
    Str first = element(a, answer.body, "Error", NULL);
    if (first.len)
        return dg_fail(err, DG_NOPERM, "could not delete `%.*s`: %.*s", FMT(unescaped(a, element(a, first, "Key", NULL))),
                       FMT(element(a, first, "Code", NULL)));
    return DG_OK;
}

static DgStatus s3_remove(DgFs *fs, const Str *paths, size_t count, DgError *err)
{
    Arena a;
    DgStatus status = DG_OK;
    arena_init(&a, 256 << 20);
    for (size_t i = 0; i < count && status == DG_OK; i += DELETE_MAX)
        status = delete_some((S3 *)fs, &a, paths + i, count - i < DELETE_MAX ? count - i : DELETE_MAX, err);
    arena_free(&a);
    return status;
}

/* ---- Opening ---- */

static void s3_close(DgFs *fs)
{
    S3 *s3 = (S3 *)fs;
    http_close(s3->http);
    aws_close(&s3->aws);
    arena_free(&s3->arena);
    os_free(s3);
}

/* `bucket.s3.region.amazonaws.com`; with an endpoint of one's own, or dots in the name (certificates do
 * not match those), the bucket is part of the path. */
static void find_host(S3 *s3)
{
    Str endpoint = conn_prop(&s3->conn, "endpoint"), host, path;
    if (!endpoint.len)
        endpoint = str_from(getenv("AWS_ENDPOINT_URL_S3"));
    if (!endpoint.len)
        endpoint = str_from(getenv("AWS_ENDPOINT_URL"));
    ptrdiff_t scheme = str_find(endpoint, S("://"));
    s3->scheme = scheme >= 0 ? str_sub(endpoint, 0, scheme) : S("https");
    str_cut(str_sub(endpoint, scheme < 0 ? 0 : scheme + 3, endpoint.len), '/', &host, &path);
    bool dots = str_find_char(s3->bucket, '.') >= 0;
    if (host.len)
        s3->host = str_copy(&s3->arena, host);
    else if (dots)
        s3->host = str_format(&s3->arena, "s3.%.*s.amazonaws.com", FMT(s3->aws.region));
    else
        s3->host = str_format(&s3->arena, "%.*s.s3.%.*s.amazonaws.com", FMT(s3->bucket), FMT(s3->aws.region));
    if (host.len || dots)
        s3->base_path = str_format(&s3->arena, "/%.*s", FMT(s3->bucket));
}

static DgStatus s3_open(const DgConn *conn, Str root, DgFs **out, DgError *err)
{
    (void)root;
    S3 *s3 = os_alloc(sizeof *s3);
    if (!s3)
        return os_no_memory(err, "for a store");
    arena_init(&s3->arena, 1 << 22);
    s3->fs.ops = &dg_fs_s3;
    s3->conn = *conn;
    s3->bucket = conn_prop(conn, "bucket");
    DgStatus status = aws_open(&s3->aws, &s3->conn, err);
    if (status == DG_OK)
        status = http_open(&s3->http, err);
    if (status == DG_OK && !s3->bucket.len) {
        status = dg_fail(err, DG_CONFIG, "connection `%.*s` names no bucket", FMT(conn->name));
        dg_hint(err, "write `bucket: name`, or the URL s3://name");
    }
    if (status != DG_OK) {
        s3_close(&s3->fs);
        return status;
    }
    find_host(s3);
    *out = &s3->fs;
    return DG_OK;
}

const DgFsOps dg_fs_s3 = {
    .open = s3_open, .close = s3_close, .list = s3_list, .stat = s3_stat, .fetch = s3_fetch, .put = s3_put, .remove = s3_remove,
    .uploads = s3_uploads, .give_up = s3_give_up,
};
