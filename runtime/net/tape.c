/* tape.c - answers of services in a folder: KEY.json, where KEY is a hash of method, URL and body.
 *
 *     {"request": {"method": ..., "url": ..., "headers": [...], "body": ...},
 *      "answers": [{"status": 200, "headers": [...], "body": ...}, ...]}
 *
 * The same request asked again gets the next answer, at the end the last one. A body that is no text is
 * {"base64": ...}. Texts pass the redactor before they are hashed, so a replay without the secret finds them.
 */
#include "runtime/net/service_internal.h"

#include <cJSON.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "runtime/base/sha256.h"
#include "runtime/os/os.h"

enum { TAPE_BYTES_MAX = 256 << 20 };

typedef struct Played { /* how often a request was asked */
    int times;
} Played;

struct Tape {
    DgServicesOptions options;
    Arena arena;
    Map played;
};

DgStatus tape_open(const DgServicesOptions *o, Tape **out, DgError *err)
{
    Tape *t = os_alloc(sizeof *t);
    if (!t)
        return os_no_memory(err, "for a tape");
    arena_init(&t->arena, 256 << 20);
    t->arena.can_fail = true;
    t->options = *o;
    t->options.tape_folder = str_copy(&t->arena, o->tape_folder);
    *out = t;
    const char *folder = str_cstr(&t->arena, o->tape_folder);
    if (o->tape == DG_TAPE_RECORD)
        return os_make_folders(folder, err);
    if (!os_exists(folder)) {
        dg_fail(err, DG_CONFIG, "there is no tape at `%s`", folder);
        dg_hint(err, "record one with --record %s", folder);
        return DG_CONFIG;
    }
    return DG_OK;
}

void tape_close(Tape *t)
{
    if (!t)
        return;
    arena_free(&t->arena);
    os_free(t);
}

static Str plain(Tape *t, Arena *a, Str text)
{
    return t->options.redact ? t->options.redact(t->options.context, a, text) : text;
}

static Str key_of(Tape *t, Arena *a, const DgCallSpec *spec)
{
    Str url = plain(t, a, spec->url), body = plain(t, a, spec->tape_body.len ? spec->tape_body : spec->body);
    Sha256 sum;
    char hex[65];
    sha256_init(&sum);
    sha256_add(&sum, str_format(a, "%s\n%.*s\n", spec->method, FMT(url)));
    sha256_add(&sum, body);
    sha256_hex(&sum, hex);
    return str_copy(a, (Str){hex, 24});
}

static Str path_of(Tape *t, Arena *a, Str key)
{
    return str_format(a, "%.*s/%.*s.json", FMT(t->options.tape_folder), FMT(key));
}

/* A key beginning with these may tell who asks. */
static bool may_be_kept(Arena *a, Str header)
{
    static const char *const secret[] = {"authorization", "proxy-authorization", "cookie", "set-cookie"};
    Str name, value;
    if (!str_cut(header, ':', &name, &value))
        return true;
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        if (str_eq_nocase(name, str_from(secret[i])))
            return false;
    name = str_lower(a, name);
    bool counts = str_find(name, S("ratelimit")) >= 0; /* tokens of another kind */
    return counts || (str_find(name, S("key")) < 0 && str_find(name, S("token")) < 0 && str_find(name, S("secret")) < 0);
}

static void add_headers(Tape *t, Arena *a, StrBuf *b, const Str *headers, size_t count)
{
    bool first = true;
    buf_char(b, '[');
    for (size_t i = 0; i < count; i++) {
        if (!may_be_kept(a, headers[i]))
            continue;
        buf_add(b, first ? S("") : S(", "));
        buf_json(b, plain(t, a, headers[i]));
        first = false;
    }
    buf_char(b, ']');
}

static bool is_text(Str s)
{
    return memchr(s.ptr ? s.ptr : "", 0, (size_t)s.len) == NULL && str_utf8_valid(s, NULL);
}

static void add_body(Tape *t, Arena *a, StrBuf *b, Str body)
{
    if (is_text(body)) {
        buf_json(b, plain(t, a, body));
        return;
    }
    size_t room = (size_t)(body.len + 2) / 3 * 4 + 1;
    char *text = push(a, char, room);
    int n = text ? EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)body.ptr, (int)body.len) : 0;
    buf_add(b, S("{\"base64\": \""));
    buf_add(b, (Str){text, n});
    buf_add(b, S("\"}"));
    b->failed = b->failed || !text;
}

/* The answers recorded so far, as they stand in the file: between `"answers": [` and the closing `]`. */
static Str answers_before(Tape *t, Arena *a, const char *path)
{
    Str text;
    DgError ignored;
    if (os_read_file(a, path, TAPE_BYTES_MAX, &text, &ignored) != DG_OK)
        return (Str){0};
    cJSON *json = cJSON_ParseWithLength(text.ptr, (size_t)text.len);
    cJSON *answers = cJSON_GetObjectItemCaseSensitive(json, "answers");
    char *printed = answers ? cJSON_PrintUnformatted(answers) : NULL;
    Str all = printed ? str_copy(a, str_from(printed)) : (Str){0};
    cJSON_free(printed);
    cJSON_Delete(json);
    return all.len > 2 ? str_sub(all, 1, all.len - 1) : (Str){0};
}

DgStatus tape_record(Tape *t, const DgCallSpec *spec, const DgCallAnswer *answer, DgError *err)
{
    Arena a;
    StrBuf b = {.max = TAPE_BYTES_MAX};
    arena_init(&a, TAPE_BYTES_MAX);
    a.can_fail = true;
    Str key = key_of(t, &a, spec);
    char *path = str_cstr(&a, path_of(t, &a, key));
    /* What an earlier recording left is replaced; what this one asked more than once is kept. */
    Str before = key.len && map_has(&t->played, key) ? answers_before(t, &a, path) : (Str){0};
    if (key.len)
        map_put(&t->arena, &t->played, str_copy(&t->arena, key), t);
    buf_format(&b, "{\"request\": {\"method\": \"%s\", \"url\": ", spec->method);
    buf_json(&b, plain(t, &a, spec->url));
    buf_add(&b, S(", \"headers\": "));
    add_headers(t, &a, &b, spec->headers, spec->headers_count);
    buf_add(&b, S(", \"body\": "));
    add_body(t, &a, &b, spec->body);
    buf_add(&b, S("},\n \"answers\": [\n"));
    buf_add(&b, before);
    buf_add(&b, before.len ? S(",\n") : S(""));
    buf_format(&b, "{\"status\": %d, \"headers\": ", answer->status);
    add_headers(t, &a, &b, answer->headers.items, answer->headers.count);
    buf_add(&b, S(", \"body\": "));
    add_body(t, &a, &b, answer->body);
    buf_add(&b, S("}\n]}\n"));
    DgStatus status = b.failed || a.failed || t->arena.failed || !key.len ? os_no_memory(err, "for a tape")
                                                                          : os_atomic_write(path, buf_str(&b), 0644, err);
    buf_free(&b);
    arena_free(&a);
    return status;
}

static Str body_of(Arena *a, const cJSON *body)
{
    const cJSON *base64 = cJSON_GetObjectItemCaseSensitive(body, "base64");
    if (cJSON_IsString(body))
        return str_copy(a, str_from(body->valuestring));
    if (!cJSON_IsString(base64))
        return (Str){0};
    Str text = str_from(base64->valuestring);
    unsigned char *bytes = push(a, unsigned char, text.len + 4);
    int n = bytes ? EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, (int)text.len) : 0;
    for (ptrdiff_t i = text.len; i > 0 && text.ptr[i - 1] == '=' && n > 0; i--)
        n--;
    return (Str){(char *)bytes, n > 0 ? n : 0};
}

DgStatus tape_replay(Tape *t, Arena *a, const DgCallSpec *spec, DgCallAnswer *answer, DgError *err)
{
    Str key = key_of(t, a, spec), text;
    char *path = str_cstr(a, path_of(t, a, key));
    if (!key.len || !path)
        return os_no_memory(err, "for a tape");
    if (!os_exists(path)) {
        dg_fail(err, DG_CONFIG, "could not %s: the tape has no answer to this %s %.*s", spec->what, spec->method, FMT(spec->url));
        dg_hint(err, "the request has changed since it was recorded, or it is new; record again");
        return DG_CONFIG;
    }
    DG_TRY(os_read_file(a, path, TAPE_BYTES_MAX, &text, err));
    cJSON *json = cJSON_ParseWithLength(text.ptr, (size_t)text.len);
    const cJSON *answers = cJSON_GetObjectItemCaseSensitive(json, "answers");
    int count = cJSON_GetArraySize(answers);
    Played *p = map_get(&t->played, key);
    if (!p && (p = push(&t->arena, Played, 1)))
        map_put(&t->arena, &t->played, str_copy(&t->arena, key), p);
    const cJSON *item = cJSON_GetArrayItem(answers, p && p->times < count ? p->times++ : count - 1);
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(item, "status"), *headers = cJSON_GetObjectItemCaseSensitive(item, "headers"), *h;
    DgStatus done = cJSON_IsNumber(status) ? DG_OK : dg_fail(err, DG_CONFIG, "`%s` is no tape", path);
    if (done == DG_OK) {
        answer->status = status->valueint;
        answer->body = body_of(a, cJSON_GetObjectItemCaseSensitive(item, "body"));
        cJSON_ArrayForEach(h, headers) if (cJSON_IsString(h)) array_add(a, &answer->headers, str_copy(a, str_from(h->valuestring)));
        answer->attempts = 1;
    }
    cJSON_Delete(json);
    return a->failed || !p ? os_no_memory(err, "for a tape") : done;
}
