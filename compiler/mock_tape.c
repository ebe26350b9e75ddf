/* mock_tape.c - reads a tape and looks requests up in it. */
#include "compiler/mock_tape.h"

#include <cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/sha256.h"

enum { FILE_BYTES_MAX = 256 << 20, FILES_MAX = 1000000, DEPTH_MAX = 200, EXCERPT = 40 };

/* ---- Keys ---- */

static int by_name(const void *a, const void *b)
{
    const cJSON *x = *(cJSON *const *)a, *y = *(cJSON *const *)b;
    return strcmp(x->string, y->string);
}

/* JSON in one form: keys in order, no white space. False: nested too deep. */
static bool add_value(Arena *a, StrBuf *b, const cJSON *v, int depth)
{
    if (depth > DEPTH_MAX)
        return false;
    if (cJSON_IsString(v)) {
        buf_json(b, str_from(v->valuestring));
    } else if (cJSON_IsNumber(v)) {
        buf_format(b, "%.17g", v->valuedouble);
    } else if (!cJSON_IsArray(v) && !cJSON_IsObject(v)) {
        buf_add(b, cJSON_IsTrue(v) ? S("true") : cJSON_IsFalse(v) ? S("false") : S("null"));
    } else {
        size_t count = (size_t)cJSON_GetArraySize(v), n = 0;
        const cJSON **items = push(a, const cJSON *, count + 1), *item;
        cJSON_ArrayForEach(item, v) items[n++] = item;
        if (cJSON_IsObject(v) && count)
            qsort(items, count, sizeof *items, by_name);
        buf_char(b, cJSON_IsObject(v) ? '{' : '[');
        for (size_t i = 0; i < count; i++) {
            buf_add(b, i ? S(",") : S(""));
            if (cJSON_IsObject(v)) {
                buf_json(b, str_from(items[i]->string));
                buf_char(b, ':');
            }
            if (!add_value(a, b, items[i], depth + 1))
                return false;
        }
        buf_char(b, cJSON_IsObject(v) ? '}' : ']');
    }
    return true;
}

static Str key_of(Arena *a, Str method, Str path, Str body)
{
    Sha256 sum;
    char hex[65];
    sha256_init(&sum);
    sha256_add(&sum, str_format(a, "%.*s\n%.*s\n", FMT(method), FMT(path)));
    sha256_add(&sum, body);
    sha256_hex(&sum, hex);
    return str_copy(a, str_from(hex));
}

/* Empty: the body is no JSON. */
static Str value_key(Arena *a, Str method, Str path, Str body)
{
    StrBuf b = {0};
    cJSON *json = body.len ? cJSON_ParseWithLength(body.ptr, (size_t)body.len) : NULL;
    Str key = json && add_value(a, &b, json, 0) ? key_of(a, method, path, buf_str(&b)) : (Str){0};
    cJSON_Delete(json);
    buf_free(&b);
    return key;
}

/* ---- Reading ---- */

static Str text_of(Arena *a, const cJSON *v)
{
    return cJSON_IsString(v) ? str_copy(a, str_from(v->valuestring)) : (Str){0};
}

/* Of four characters three bytes; what is no base64 ends it. */
static Str from_base64(Arena *a, Str text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = push(a, char, (size_t)text.len + 1);
    ptrdiff_t n = 0;
    uint32_t bits = 0;
    int have = 0;
    for (ptrdiff_t i = 0; i < text.len; i++) {
        const char *at = text.ptr[i] ? strchr(letters, text.ptr[i]) : NULL;
        if (!at)
            break;
        bits = bits << 6 | (uint32_t)(at - letters);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (char)(unsigned char)(bits >> have);
        }
    }
    return (Str){out, n};
}

static Str body_of(Arena *a, const cJSON *v)
{
    const cJSON *base64 = cJSON_GetObjectItemCaseSensitive(v, "base64");
    return cJSON_IsString(base64) ? from_base64(a, str_from(base64->valuestring)) : text_of(a, v);
}

static Str path_of_url(Str url)
{
    ptrdiff_t host = str_find(url, S("://"));
    Str rest = host >= 0 ? str_sub(url, host + 3, url.len) : url;
    ptrdiff_t slash = str_find_char(rest, '/');
    return slash >= 0 ? str_sub(rest, slash, rest.len) : S("/");
}

/* What the server says itself, and what was true of the body on its way. */
static bool is_of_transport(Str header)
{
    static const char *const names[] = {"content-length", "content-encoding", "transfer-encoding", "connection",
                                        "keep-alive", "upgrade", "trailer", "te"};
    Str name, value;
    for (ptrdiff_t i = 0; i < header.len; i++)
        if ((unsigned char)header.ptr[i] < ' ' && header.ptr[i] != '\t')
            return true; /* would begin another line */
    if (!str_cut(header, ':', &name, &value))
        return true; /* the status line */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq_nocase(name, str_from(names[i])))
            return true;
    return false;
}

static bool read_answer(Arena *a, const cJSON *json, MockAnswer *out)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(json, "status"), *h;
    if (!cJSON_IsNumber(status) || status->valueint < 200 || status->valueint > 599)
        return false;
    *out = (MockAnswer){.status = status->valueint, .body = body_of(a, cJSON_GetObjectItemCaseSensitive(json, "body"))};
    cJSON_ArrayForEach(h, cJSON_GetObjectItemCaseSensitive(json, "headers"))
    {
        Str line = text_of(a, h);
        if (line.len && !is_of_transport(line))
            array_add(a, &out->headers, line);
    }
    return true;
}

static MockEntry *read_entry(Arena *a, const cJSON *json)
{
    const cJSON *request = cJSON_GetObjectItemCaseSensitive(json, "request"), *answer;
    MockEntry *e = push(a, MockEntry, 1);
    e->method = text_of(a, cJSON_GetObjectItemCaseSensitive(request, "method"));
    e->path = path_of_url(text_of(a, cJSON_GetObjectItemCaseSensitive(request, "url")));
    e->body = body_of(a, cJSON_GetObjectItemCaseSensitive(request, "body"));
    cJSON_ArrayForEach(answer, cJSON_GetObjectItemCaseSensitive(json, "answers"))
    {
        MockAnswer one;
        if (!read_answer(a, answer, &one))
            return NULL;
        array_add(a, &e->answers, one);
    }
    return e->method.len && e->answers.count ? e : NULL;
}

static DgStatus read_file(const char *path, StrBuf *out, DgError *err)
{
    char buffer[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f)
        return dg_fail(err, DG_CONFIG, "could not open `%s`: %s", path, strerror(errno));
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0 && out->len <= FILE_BYTES_MAX)
        buf_add(out, (Str){buffer, (ptrdiff_t)n});
    bool failed = ferror(f);
    fclose(f);
    if (failed)
        return dg_fail(err, DG_CONFIG, "could not read `%s`", path);
    return out->len <= FILE_BYTES_MAX ? DG_OK : dg_fail(err, DG_CONFIG, "`%s` is larger than 256 MiB", path);
}

static DgStatus add_file(Arena *a, MockTape *t, Str folder, Str name, DgError *err)
{
    StrBuf text = {0};
    const char *path = str_cstr(a, str_format(a, "%.*s/%.*s", FMT(folder), FMT(name)));
    DgStatus status = read_file(path, &text, err);
    cJSON *json = status == DG_OK ? cJSON_ParseWithLength(text.ptr ? text.ptr : "", text.len) : NULL;
    MockEntry *e = json ? read_entry(a, json) : NULL;
    cJSON_Delete(json);
    buf_free(&text);
    if (status != DG_OK)
        return status;
    if (!e) {
        dg_fail(err, DG_CONFIG, "`%s` is no recorded request", path);
        dg_hint(err, "a tape is a folder that `dgc run --record DIR` wrote, and nothing else with the ending .json is in it");
        return DG_CONFIG;
    }
    e->file = name;
    array_add(a, &t->entries, e);
    Str exact = key_of(a, e->method, e->path, e->body), value = value_key(a, e->method, e->path, e->body);
    if (!map_has(&t->exact, exact))
        map_put(a, &t->exact, exact, e);
    if (value.len && !map_has(&t->by_value, value))
        map_put(a, &t->by_value, value, e);
    return DG_OK;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

DgStatus mock_tape_read(Arena *a, Str folder, MockTape *out, DgError *err)
{
    StrArray names = {0};
    DIR *d = opendir(str_cstr(a, folder));
    if (!d) {
        dg_fail(err, DG_CONFIG, "there is no tape at `%.*s`: %s", FMT(folder), strerror(errno));
        dg_hint(err, "record one with `dgc run --record %.*s`", FMT(folder));
        return DG_CONFIG;
    }
    for (struct dirent *e; (e = readdir(d)) && names.count < FILES_MAX;)
        if (e->d_name[0] != '.' && str_ends(str_from(e->d_name), S(".json")))
            array_add(a, &names, str_copy(a, str_from(e->d_name)));
    closedir(d);
    if (!names.count) {
        dg_fail(err, DG_CONFIG, "the tape at `%.*s` is empty", FMT(folder));
        dg_hint(err, "record one with `dgc run --record %.*s`", FMT(folder));
        return DG_CONFIG;
    }
    qsort(names.items, names.count, sizeof *names.items, by_text);
    for (size_t i = 0; i < names.count; i++)
        DG_TRY(add_file(a, out, folder, names.items[i], err));
    return DG_OK;
}

/* ---- Looking up ---- */

const MockAnswer *mock_tape_find(MockTape *t, Arena *a, Str method, Str path, Str body, const MockEntry **from)
{
    MockEntry *e = map_get(&t->exact, key_of(a, method, path, body));
    Str value = e ? (Str){0} : value_key(a, method, path, body);
    if (!e && value.len)
        e = map_get(&t->by_value, value);
    *from = e;
    if (!e)
        return NULL;
    size_t last = e->answers.count - 1, at = e->asked < last ? e->asked++ : last;
    return &e->answers.items[at];
}

static ptrdiff_t same_start(Str a, Str b)
{
    ptrdiff_t n = 0;
    while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
        n++;
    return n;
}

/* A piece of a text around `at`, whole characters. */
static Str around(Str s, ptrdiff_t at)
{
    ptrdiff_t start = at > EXCERPT / 2 ? at - EXCERPT / 2 : 0, end = at + EXCERPT / 2 < s.len ? at + EXCERPT / 2 : s.len;
    while (start > 0 && start < s.len && ((unsigned char)s.ptr[start] & 0xC0) == 0x80)
        start--;
    while (end > start && end < s.len && ((unsigned char)s.ptr[end] & 0xC0) == 0x80)
        end--;
    return str_sub(s, start, end);
}

const MockEntry *mock_tape_nearest(const MockTape *t, Arena *a, Str method, Str path, Str body, Str *why)
{
    const MockEntry *best = NULL;
    int best_rank = -1;
    ptrdiff_t best_same = -1;
    for (size_t i = 0; i < t->entries.count; i++) {
        const MockEntry *e = t->entries.items[i];
        bool same_path = str_eq(e->path, path), same_method = str_eq(e->method, method);
        int rank = same_path * 2 + same_method;
        ptrdiff_t same = same_path ? same_start(e->body, body) : same_start(e->path, path);
        if (rank > best_rank || (rank == best_rank && same > best_same)) {
            best = e;
            best_rank = rank;
            best_same = same;
        }
    }
    if (!best)
        return NULL;
    if (best_rank == 3)
        *why = str_format(a, "the bodies differ at byte %td: recorded `%.*s`, asked `%.*s`", best_same, FMT(around(best->body, best_same)),
                          FMT(around(body, best_same)));
    else
        *why = str_format(a, "it is a %.*s of `%.*s`", FMT(best->method), FMT(best->path));
    return best;
}
