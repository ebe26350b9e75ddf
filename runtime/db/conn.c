/* conn.c - URLs and properties to connections, and connections to what may be shown. */
#include "runtime/db/conn.h"

#include <cJSON.h>
#include <limits.h>
#include <stdio.h>

#include "runtime/os/os.h"

enum { PROPS_MAX = 64, VALUE_MAX = 64 << 10 };

/* Canonical type, then its aliases; the first of a row is what DgConn.type says. */
static const char *const types[][8] = {
    {"postgres", "postgresql", "pg", "psql"},
    {"mysql"},
    {"mariadb"},
    {"sqlite", "sqlite3"},
    {"duckdb"},
    {"file", "local", "filesystem"},
    {"http", "https"},
    {"s3", "r2", "minio", "aws"},
};
enum { TYPES_COUNT = sizeof types / sizeof *types };

static Str type_find(Str name)
{
    for (size_t i = 0; i < TYPES_COUNT; i++)
        for (size_t k = 0; k < 8 && types[i][k]; k++)
            if (str_eq_nocase(name, str_from(types[i][k])))
                return str_from(types[i][0]);
    return (Str){0};
}

static DgStatus unknown_type(Str name, Str type, DgError *err)
{
    dg_fail(err, DG_CONFIG, "connection `%.*s` has type `%.*s`, which dgc does not move data to or from", FMT(name), FMT(type));
    dg_hint(err, "types are: postgres, mysql, mariadb, sqlite, duckdb, file, http, s3");
    return DG_CONFIG;
}

/* ---- Looking at one ---- */

Str conn_prop(const DgConn *c, const char *key)
{
    for (int32_t i = 0; i < c->props_count; i++)
        if (str_eq(c->props[i].key, str_from(key)))
            return c->props[i].value;
    return (Str){0};
}

int64_t conn_prop_int(const DgConn *c, const char *key, int64_t fallback)
{
    int64_t n;
    return str_to_int(conn_prop(c, key), &n) ? n : fallback;
}

bool conn_is_database(const DgConn *c)
{
    return !str_eq(c->type, S("file")) && !str_eq(c->type, S("http")) && !str_eq(c->type, S("s3"));
}

Str conn_file(const DgConn *c)
{
    static const char *const keys[] = {"instance", "database", "path"};
    Str path = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !path.len; i++)
        path = conn_prop(c, keys[i]);
    return path;
}

DgStatus conn_must_exist(const DgConn *c, DgError *err)
{
    char path[4096];
    Str file = conn_file(c);
    bool in_file = (str_eq(c->type, S("sqlite")) || str_eq(c->type, S("duckdb"))) && !str_eq(file, S(":memory:")) && !str_starts(file, S("md:"));
    if (!in_file || !file.len || (size_t)file.len >= sizeof path)
        return DG_OK;
    snprintf(path, sizeof path, "%.*s", FMT(file));
    if (os_exists(path))
        return DG_OK;
    dg_fail(err, DG_CONFIG, "there is no file `%s`, which connection `%.*s` reads", path, FMT(c->name.len ? c->name : c->type));
    dg_hint(err, "check its path; a relative one starts at the current folder, or at --project");
    return DG_CONFIG;
}

Str conn_shown(Arena *a, const DgConn *c)
{
    Str user = conn_prop(c, "user"), host = conn_prop(c, "host"), port = conn_prop(c, "port");
    Str path = conn_prop(c, "database");
    if (!path.len)
        path = conn_prop(c, "bucket");
    if (!path.len)
        path = conn_prop(c, "instance");
    return str_format(a, "%.*s://%.*s%s%.*s%s%.*s%s%.*s", FMT(c->type), FMT(user), user.len ? "@" : "", FMT(host),
                      port.len ? ":" : "", FMT(port), host.len && path.len ? "/" : "", FMT(path));
}

/* ---- Making one ---- */

typedef struct Props {
    DgPair items[PROPS_MAX];
    int32_t count;
} Props;

static bool props_put(Props *p, Str key, Str value, bool replace)
{
    for (int32_t i = 0; i < p->count; i++) {
        if (!str_eq(p->items[i].key, key))
            continue;
        if (replace)
            p->items[i].value = value;
        return true;
    }
    if (p->count == PROPS_MAX)
        return false;
    p->items[p->count++] = (DgPair){key, value};
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static Str percent_decode(Arena *a, Str s, bool plus)
{
    char *out = push(a, char, s.len + 1);
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        int high = s.ptr[i] == '%' && i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.ptr[i + 2]) : -1;
        out[n++] = low >= 0 ? (char)(high * 16 + low) : plus && s.ptr[i] == '+' ? ' ' : s.ptr[i];
        i += low >= 0 ? 2 : 0;
    }
    return (Str){out, n};
}

static DgStatus finish(Arena *a, Str name, Str type, const Props *p, DgConn *out)
{
    DgPair *items = push(a, DgPair, p->count + 1);
    for (int32_t i = 0; i < p->count; i++)
        items[i] = (DgPair){str_copy(a, p->items[i].key), str_copy(a, p->items[i].value)};
    *out = (DgConn){str_copy(a, name), type, items, p->count};
    return DG_OK;
}

/* `me:pw@host:5432`: an IPv6 address stands in brackets. */
static bool take_authority(Arena *a, Str text, Props *p)
{
    ptrdiff_t at = text.len - 1;
    while (at >= 0 && text.ptr[at] != '@')
        at--;
    if (at >= 0) {
        Str user, password;
        if (str_cut(str_sub(text, 0, at), ':', &user, &password))
            props_put(p, S("password"), percent_decode(a, password, false), true);
        props_put(p, S("user"), percent_decode(a, user, false), true);
        text = str_sub(text, at + 1, text.len);
    }
    Str host = text, port = {0};
    if (str_starts(text, S("["))) {
        ptrdiff_t close = str_find_char(text, ']');
        if (close < 0)
            return false;
        host = str_sub(text, 1, close);
        port = str_sub(text, close + 1, text.len);
        if (port.len && port.ptr[0] != ':')
            return false;
        port = str_sub(port, 1, port.len);
    } else {
        str_cut(text, ':', &host, &port);
    }
    int64_t number;
    if (port.len && (!str_to_int(port, &number) || number < 1 || number > 65535))
        return false;
    if (host.len)
        props_put(p, S("host"), percent_decode(a, host, false), true);
    if (port.len)
        props_put(p, S("port"), port, true);
    return true;
}

static void take_query(Arena *a, Str query, Props *p)
{
    while (query.len) {
        Str one, key, value;
        str_cut(query, '&', &one, &query);
        str_cut(one, '=', &key, &value);
        if (key.len)
            props_put(p, str_lower(a, percent_decode(a, key, true)), percent_decode(a, value, true), true);
    }
}

static DgStatus bad_url(Str name, DgError *err)
{
    dg_fail(err, DG_CONFIG, "connection `%.*s` is not a URL that dgc understands", FMT(name));
    dg_hint(err, "write it like postgres://user:password@host:5432/database?sslmode=require; a special character "
                 "in the password is written %%40 for @, %%2F for /");
    return DG_CONFIG;
}

static DgStatus from_url(Arena *a, Str name, Str url, Props *p, Str *type, DgError *err)
{
    ptrdiff_t mark = str_find(url, S("://"));
    if (url.len > VALUE_MAX)
        return bad_url(name, err);
    if (mark < 0) { /* a path; `sqlite:x.db` as SQLAlchemy has it not: two slashes are needed */
        *type = S("file");
        return url.len ? DG_OK : bad_url(name, err);
    }
    Str scheme = str_sub(url, 0, mark), rest = str_sub(url, mark + 3, url.len);
    Str driver; /* `postgresql+psycopg2` */
    str_cut(scheme, '+', &scheme, &driver);
    *type = type_find(scheme);
    if (!type->len)
        return unknown_type(name, scheme, err);
    if (str_eq(*type, S("file"))) {
        if (rest.len)
            props_put(p, S("path"), percent_decode(a, rest, false), true);
        return DG_OK;
    }
    if (str_eq(*type, S("http"))) {
        props_put(p, S("url"), url, true);
        return DG_OK;
    }
    Str body, query;
    str_cut(rest, '?', &body, &query);
    take_query(a, query, p);
    if (str_eq(*type, S("sqlite")) || str_eq(*type, S("duckdb"))) {
        if (str_starts(body, S("/")) && body.len > 2 && body.ptr[1] == '/') /* sqlite:////abs */
            body = str_sub(body, 1, body.len);
        props_put(p, S("instance"), percent_decode(a, body, false), true);
        return DG_OK;
    }
    Str authority, path;
    str_cut(body, '/', &authority, &path);
    if (str_eq(*type, S("s3"))) {
        props_put(p, S("bucket"), percent_decode(a, authority, false), true);
        if (path.len)
            props_put(p, S("path"), percent_decode(a, path, false), true);
        return DG_OK;
    }
    if (!take_authority(a, authority, p))
        return bad_url(name, err);
    if (path.len)
        props_put(p, S("database"), percent_decode(a, path, false), true);
    return DG_OK;
}

DgStatus conn_from_url(Arena *a, Str name, Str url, DgConn *out, DgError *err)
{
    Props props = {.count = 0};
    Str type = {0};
    DG_TRY(from_url(a, name, str_trim(url), &props, &type, err));
    return finish(a, name, type, &props, out);
}

/* Other tools' names of the same things. */
static Str canonical_key(Arena *a, Str key)
{
    static const char *const names[][2] = {
        {"username", "user"}, {"pass", "password"}, {"dbname", "database"}, {"hostname", "host"}, {"server", "host"},
        {"aws_access_key_id", "access_key_id"}, {"aws_secret_access_key", "secret_access_key"},
        {"aws_session_token", "session_token"}, {"endpoint_url", "endpoint"},
        {"connection_string", "url"}, {"uri", "url"}, {"keyfile", "sslkey"},
    };
    Str lower = str_lower(a, str_trim(key));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(lower, str_from(names[i][0])))
            return str_from(names[i][1]);
    return lower;
}

DgStatus conn_from_props(Arena *a, Str name, Str type, const DgPair *given, int32_t count, DgConn *out, DgError *err)
{
    Props props = {.count = 0};
    Str url = {0}, found = {0};
    for (int32_t i = 0; i < count; i++) {
        Str key = canonical_key(a, given[i].key);
        if (str_eq(key, S("url")))
            url = given[i].value;
        else if (str_eq(key, S("type")))
            type = type.len ? type : given[i].value;
    }
    if (type.len && !(found = type_find(type)).len)
        return unknown_type(name, type, err);
    if (url.len && !str_eq(found, S("http"))) {
        Str url_type = {0};
        DG_TRY(from_url(a, name, str_trim(url), &props, &url_type, err));
        found = found.len ? found : url_type;
    }
    if (!found.len) {
        dg_fail(err, DG_CONFIG, "connection `%.*s` has no `type`", FMT(name));
        dg_hint(err, "types are: postgres, mysql, mariadb, sqlite, duckdb, file, http, s3");
        return DG_CONFIG;
    }
    for (int32_t i = 0; i < count; i++) {
        Str key = canonical_key(a, given[i].key);
        if (str_eq(key, S("type")) || (str_eq(key, S("url")) && !str_eq(found, S("http"))))
            continue;
        if (given[i].value.len > VALUE_MAX || !props_put(&props, key, given[i].value, true))
            return dg_fail(err, DG_CONFIG, "connection `%.*s` has too many or too long properties", FMT(name));
    }
    return finish(a, name, found, &props, out);
}

/* ---- From one text: a URL, or a JSON mapping ---- */

DgStatus conn_from_text(Arena *a, Str name, Str text, DgConn *out, DgError *err)
{
    text = str_trim(text);
    if (!str_starts(text, S("{")))
        return conn_from_url(a, name, text, out, err);
    if (text.len > VALUE_MAX)
        return bad_url(name, err);
    cJSON *json = cJSON_ParseWithLength(text.ptr, (size_t)text.len), *item;
    DgPair pairs[PROPS_MAX];
    int32_t count = 0;
    if (!json)
        return dg_fail(err, DG_CONFIG, "connection `%.*s` is not valid JSON", FMT(name));
    cJSON_ArrayForEach(item, json) {
        if (count == PROPS_MAX || !item->string || cJSON_IsNull(item) || cJSON_IsObject(item) || cJSON_IsArray(item))
            continue;
        char *printed = cJSON_IsString(item) ? NULL : cJSON_PrintUnformatted(item);
        pairs[count++] = (DgPair){str_copy(a, str_from(item->string)), str_copy(a, str_from(printed ? printed : item->valuestring))};
        cJSON_free(printed);
    }
    cJSON_Delete(json);
    return conn_from_props(a, name, (Str){0}, pairs, count, out, err);
}
