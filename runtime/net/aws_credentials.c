/* aws_credentials.c - the chain of places where keys for AWS come from. */
#include "runtime/net/aws_credentials.h"

#include <cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "runtime/base/zone.h"
#include "runtime/os/os.h"

enum { FILE_BYTES_MAX = 1 << 20, PROFILES_DEPTH_MAX = 5, EARLY_US = 300 * 1000000, METADATA_ATTEMPTS = 2, PROCESS_MS = 60000 };

static Str variable(const char *name)
{
    return str_from(getenv(name));
}

static Str keep(DgAws *aws, Str s)
{
    return str_copy(&aws->arena, str_trim(s));
}

/* ---- JSON answers ---- */

static Str field(DgAws *aws, const cJSON *root, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(root, name);
    return cJSON_IsString(item) ? keep(aws, str_from(item->valuestring)) : (Str){0};
}

static int64_t moment(Str iso)
{
    CivilTime t = {0};
    int32_t offset = 0;
    bool has = false;
    return civil_parse_iso(iso, &t, &offset, &has) ? (civil_to_seconds(&t) - offset) * 1000000 : 0;
}

/* Of metadata endpoints, containers and credential_process: the names differ in case only. */
static bool keys_from_json(DgAws *aws, Str text)
{
    cJSON *root = cJSON_ParseWithLength(text.ptr, (size_t)text.len);
    DgAwsKeys k = {field(aws, root, "AccessKeyId"), field(aws, root, "SecretAccessKey"), field(aws, root, "SessionToken"), 0};
    if (!k.session_token.len)
        k.session_token = field(aws, root, "Token");
    k.expires_us = moment(field(aws, root, "Expiration"));
    cJSON_Delete(root);
    if (!k.access_key_id.len || !k.secret_access_key.len)
        return false;
    aws->keys = k;
    return true;
}

/* <Name>text</Name>, first one; STS answers XML. */
static Str element(DgAws *aws, Str xml, const char *name)
{
    Str open = str_format(&aws->arena, "<%s>", name), close = str_format(&aws->arena, "</%s>", name);
    ptrdiff_t at = str_find(xml, open);
    Str rest = at < 0 ? (Str){0} : str_sub(xml, at + open.len, xml.len);
    ptrdiff_t end = str_find(rest, close);
    return end < 0 ? (Str){0} : keep(aws, str_sub(rest, 0, end));
}

static bool keys_from_sts(DgAws *aws, Str xml)
{
    DgAwsKeys k = {element(aws, xml, "AccessKeyId"), element(aws, xml, "SecretAccessKey"), element(aws, xml, "SessionToken"),
                   moment(element(aws, xml, "Expiration"))};
    if (!k.access_key_id.len || !k.secret_access_key.len)
        return false;
    aws->keys = k;
    return true;
}

/* ---- STS ---- */

static Str sts_endpoint(DgAws *aws)
{
    Str given = variable("AWS_ENDPOINT_URL_STS");
    if (!given.len)
        given = variable("AWS_ENDPOINT_URL");
    return given.len ? given : str_format(&aws->arena, "https://sts.%.*s.amazonaws.com", FMT(aws->region));
}

static Str form(DgAws *aws, const char *const *names, const Str *values, size_t count)
{
    StrBuf b = {.max = 1 << 20};
    for (size_t i = 0; i < count; i++) {
        buf_format(&b, "%s%s=", i ? "&" : "", names[i]);
        http_encode(&b, values[i], false);
    }
    Str out = str_copy(&aws->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static Str host_of(Str url)
{
    ptrdiff_t start = str_find(url, S("://"));
    Str rest = str_sub(url, start < 0 ? 0 : start + 3, url.len), host, path;
    str_cut(rest, '/', &host, &path);
    return host;
}

static DgStatus ask_sts(DgAws *aws, Str body, const DgAwsKeys *sign_with, DgError *err)
{
    Str endpoint = sts_endpoint(aws), url = str_format(&aws->arena, "%.*s/", FMT(endpoint));
    StrArray headers = {0};
    DgHttpAnswer answer;
    array_add(&aws->arena, &headers, S("Content-Type: application/x-www-form-urlencoded"));
    if (sign_with) {
        char hash[65];
        sigv4_sha256(body, hash);
        DG_TRY(sigv4_sign(&aws->arena, &(DgSigV4){.method = "POST", .host = host_of(endpoint), .path = S("/"), .headers = headers.items,
                                                  .headers_count = headers.count, .payload_sha256 = str_from(hash), .region = aws->region,
                                                  .service = S("sts"), .now_us = os_real_us(), .keys = sign_with},
                          &headers, err));
    }
    DgHttpRequest r = {.method = "POST", .url = url, .headers = headers.items, .headers_count = headers.count, .body = body, .idempotent = true};
    DG_TRY(http_send(aws->http, &aws->arena, &r, &answer, "get credentials from STS", err));
    return keys_from_sts(aws, answer.body) ? DG_OK : dg_fail(err, DG_DATA, "STS answered without credentials");
}

static DgStatus web_identity(DgAws *aws, bool *found, DgError *err)
{
    Str file = variable("AWS_WEB_IDENTITY_TOKEN_FILE"), role = variable("AWS_ROLE_ARN"), session = variable("AWS_ROLE_SESSION_NAME"), token;
    if (!file.len || !role.len)
        return DG_OK;
    DG_TRY(os_read_file(&aws->arena, str_cstr(&aws->arena, file), FILE_BYTES_MAX, &token, err));
    static const char *const names[] = {"Action", "Version", "RoleArn", "RoleSessionName", "WebIdentityToken"};
    Str values[] = {S("AssumeRoleWithWebIdentity"), S("2011-06-15"), role, session.len ? session : S("dgc"), str_trim(token)};
    DG_TRY(ask_sts(aws, form(aws, names, values, 5), NULL, err));
    aws->source = S("the web identity token");
    *found = true;
    return DG_OK;
}

/* ---- Profiles ---- */

static Str config_path(DgAws *aws, const char *name, const char *fallback)
{
    Str given = variable(name), home = variable("HOME");
    return given.len ? given : str_format(&aws->arena, "%.*s/.aws/%s", FMT(home), fallback);
}

/* The value of a key in [section] of an INI file; the file may not be there. */
static Str ini_value(DgAws *aws, Str path, Str section, const char *key)
{
    Str text, line, found = {0};
    DgError ignored = {0};
    bool inside = false;
    if (os_read_file(&aws->arena, str_cstr(&aws->arena, path), FILE_BYTES_MAX, &text, &ignored) != DG_OK)
        return (Str){0};
    while (text.len) {
        Str name, value;
        str_cut(text, '\n', &line, &text);
        bool indented = line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        line = str_trim(line);
        if (!line.len || line.ptr[0] == '#' || line.ptr[0] == ';')
            continue;
        if (line.ptr[0] == '[')
            inside = str_eq(str_trim(str_sub(line, 1, str_find_char(line, ']'))), section);
        else if (inside && !indented && str_cut(line, '=', &name, &value) && str_eq(str_trim(name), str_from(key)) && !found.len)
            found = str_trim(value);
    }
    return found;
}

static Str profile_value(DgAws *aws, Str profile, const char *key)
{
    Str value = ini_value(aws, config_path(aws, "AWS_SHARED_CREDENTIALS_FILE", "credentials"), profile, key);
    if (value.len)
        return value;
    Str section = str_eq(profile, S("default")) ? profile : str_format(&aws->arena, "profile %.*s", FMT(profile));
    return ini_value(aws, config_path(aws, "AWS_CONFIG_FILE", "config"), section, key);
}

static Str profile_name(const DgAws *aws)
{
    Str name = conn_prop(aws->conn, "profile");
    if (!name.len)
        name = variable("AWS_PROFILE");
    return name.len ? name : S("default");
}

/* Words parted by blanks; quotes keep blanks. No shell. */
static size_t words_of(DgAws *aws, Str text, const char **words, size_t max)
{
    size_t n = 0;
    while (n + 1 < max) {
        StrBuf b = {.max = 64 << 10};
        char quote = 0;
        ptrdiff_t i = 0;
        text = str_trim(text);
        if (!text.len)
            break;
        for (; i < text.len && (quote || (text.ptr[i] != ' ' && text.ptr[i] != '\t')); i++) {
            char c = text.ptr[i];
            if (quote ? c == quote : c == '"' || c == '\'')
                quote = quote ? 0 : c;
            else
                buf_char(&b, c);
        }
        words[n++] = str_cstr(&aws->arena, buf_str(&b));
        buf_free(&b);
        text = str_sub(text, i, text.len);
    }
    words[n] = NULL;
    return n;
}

static DgStatus run_process(DgAws *aws, Str command, DgError *err)
{
    const char *words[64];
    OsChild child;
    StrBuf out = {.max = FILE_BYTES_MAX};
    char bytes[4096];
    size_t got = 1;
    int status = 0;
    if (!words_of(aws, command, words, 64))
        return dg_fail(err, DG_CONFIG, "credential_process is empty");
    DG_TRY(os_spawn(&(OsSpawn){.argv = words}, &child, err));
    DgStatus read = DG_OK;
    while (got && read == DG_OK) {
        read = os_read_some(child.out_fd, bytes, sizeof bytes, &got, "credential_process", err);
        buf_add(&out, (Str){bytes, (ptrdiff_t)got});
    }
    for (int waited = 0; !os_child_done(&child, &status) && waited < PROCESS_MS; waited += 10)
        os_sleep_ms(10);
    os_child_stop(&child, 1000, &status);
    bool good = read == DG_OK && WIFEXITED(status) && WEXITSTATUS(status) == 0 && keys_from_json(aws, buf_str(&out));
    buf_free(&out);
    return good ? DG_OK : dg_fail(err, DG_CONFIG, "credential_process `%s` gave no credentials", words[0]);
}

static DgStatus from_profile(DgAws *aws, Str profile, bool *found, int depth, DgError *err)
{
    if (depth > PROFILES_DEPTH_MAX)
        return dg_fail(err, DG_CONFIG, "the profiles of AWS name each other in a circle");
    Str role = profile_value(aws, profile, "role_arn"), from = profile_value(aws, profile, "source_profile");
    if (role.len && from.len) {
        bool inner = false;
        Str session = profile_value(aws, profile, "role_session_name"), external = profile_value(aws, profile, "external_id");
        if (str_eq(from, profile))
            inner = true, aws->keys = (DgAwsKeys){profile_value(aws, profile, "aws_access_key_id"), profile_value(aws, profile, "aws_secret_access_key"), {0}, 0};
        else
            DG_TRY(from_profile(aws, from, &inner, depth + 1, err));
        if (!inner)
            return dg_fail(err, DG_CONFIG, "profile `%.*s` has no credentials for role `%.*s`", FMT(from), FMT(role));
        static const char *const names[] = {"Action", "Version", "RoleArn", "RoleSessionName", "ExternalId"};
        Str values[] = {S("AssumeRole"), S("2011-06-15"), role, session.len ? session : S("dgc"), external};
        DgAwsKeys own = aws->keys;
        DG_TRY(ask_sts(aws, form(aws, names, values, external.len ? 5 : 4), &own, err));
        *found = true;
    } else {
        DgAwsKeys k = {profile_value(aws, profile, "aws_access_key_id"), profile_value(aws, profile, "aws_secret_access_key"),
                       profile_value(aws, profile, "aws_session_token"), 0};
        Str process = profile_value(aws, profile, "credential_process");
        if (k.access_key_id.len && k.secret_access_key.len) {
            aws->keys = k;
            *found = true;
        } else if (process.len) {
            DG_TRY(run_process(aws, process, err));
            *found = true;
        }
    }
    aws->source = str_format(&aws->arena, "profile `%.*s`", FMT(profile));
    return DG_OK;
}

/* ---- Containers and instances ---- */

static DgStatus container(DgAws *aws, bool *found, DgError *err)
{
    Str path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    Str token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"), token_file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    StrArray headers = {0};
    DgHttpAnswer answer;
    if (!path.len && !full.len)
        return DG_OK;
    if (token_file.len) {
        DG_TRY(os_read_file(&aws->arena, str_cstr(&aws->arena, token_file), FILE_BYTES_MAX, &token, err));
        token = str_trim(token);
    }
    if (token.len)
        array_add(&aws->arena, &headers, str_format(&aws->arena, "Authorization: %.*s", FMT(token)));
    Str url = full.len ? full : str_format(&aws->arena, "http://169.254.170.2%.*s", FMT(path));
    DgHttpRequest r = {.method = "GET", .url = url, .headers = headers.items, .headers_count = headers.count, .idempotent = true};
    DG_TRY(http_send(aws->http, &aws->arena, &r, &answer, "get the container's credentials", err));
    if (!keys_from_json(aws, answer.body))
        return dg_fail(err, DG_DATA, "the container's endpoint answered without credentials");
    aws->source = S("the container");
    *found = true;
    return DG_OK;
}

static DgStatus instance(DgAws *aws, bool *found, DgError *err)
{
    Str base = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    Str ttl = S("X-aws-ec2-metadata-token-ttl-seconds: 21600");
    DgHttpAnswer answer;
    DgError quiet = {0};
    if (str_eq_nocase(variable("AWS_EC2_METADATA_DISABLED"), S("true")))
        return DG_OK;
    if (!base.len)
        base = S("http://169.254.169.254");
    while (str_ends(base, S("/")))
        base.len--;
    DgHttpRequest r = {.method = "PUT", .url = str_format(&aws->arena, "%.*s/latest/api/token", FMT(base)), .headers = &ttl, .headers_count = 1,
                       .idempotent = true, .attempts = METADATA_ATTEMPTS, .connect_s = 1};
    if (http_send(aws->http, &aws->arena, &r, &answer, "reach the instance's metadata", &quiet) != DG_OK)
        return DG_OK; /* no instance of theirs */
    Str token = str_format(&aws->arena, "X-aws-ec2-metadata-token: %.*s", FMT(str_trim(answer.body)));
    r = (DgHttpRequest){.method = "GET", .url = str_format(&aws->arena, "%.*s/latest/meta-data/iam/security-credentials/", FMT(base)), .headers = &token,
                        .headers_count = 1, .idempotent = true, .attempts = METADATA_ATTEMPTS, .connect_s = 1};
    if (http_send(aws->http, &aws->arena, &r, &answer, "find the instance's role", &quiet) != DG_OK)
        return DG_OK;
    Str role, rest;
    str_cut(str_trim(answer.body), '\n', &role, &rest);
    r.url = str_format(&aws->arena, "%.*s/latest/meta-data/iam/security-credentials/%.*s", FMT(base), FMT(str_trim(role)));
    DG_TRY(http_send(aws->http, &aws->arena, &r, &answer, "get the instance's credentials", err));
    *found = keys_from_json(aws, answer.body);
    aws->source = S("the instance's role");
    return DG_OK;
}

/* ---- The chain ---- */

static bool from_environment(DgAws *aws)
{
    DgAwsKeys k = {variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN"), 0};
    if (!k.access_key_id.len || !k.secret_access_key.len)
        return false;
    aws->keys = k;
    aws->source = S("the environment");
    return true;
}

static bool from_connection(DgAws *aws)
{
    DgAwsKeys k = {conn_prop(aws->conn, "access_key_id"), conn_prop(aws->conn, "secret_access_key"), conn_prop(aws->conn, "session_token"), 0};
    if (!k.access_key_id.len || !k.secret_access_key.len)
        return false;
    aws->keys = k;
    aws->source = S("the connection");
    return true;
}

static DgStatus find_keys(DgAws *aws, DgError *err)
{
    bool found = false;
    if (from_connection(aws) || (!conn_prop(aws->conn, "profile").len && from_environment(aws)))
        return DG_OK;
    DG_TRY(web_identity(aws, &found, err));
    if (!found)
        DG_TRY(from_profile(aws, profile_name(aws), &found, 0, err));
    if (!found)
        DG_TRY(container(aws, &found, err));
    if (!found)
        DG_TRY(instance(aws, &found, err));
    if (found)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "connection `%.*s` has no credentials", FMT(aws->conn->name));
    dg_hint(err, "set access_key_id and secret_access_key, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile");
    return DG_CONFIG;
}

DgStatus aws_keys(DgAws *aws, const DgAwsKeys **out, DgError *err)
{
    bool stale = aws->keys.expires_us && aws->keys.expires_us - os_real_us() < EARLY_US;
    if (!aws->keys.access_key_id.len || stale)
        DG_TRY(find_keys(aws, err));
    *out = &aws->keys;
    return DG_OK;
}

DgStatus aws_open(DgAws *aws, const DgConn *conn, DgError *err)
{
    *aws = (DgAws){.conn = conn};
    arena_init(&aws->arena, 64 << 20);
    aws->region = conn_prop(conn, "region");
    if (!aws->region.len)
        aws->region = variable("AWS_REGION");
    if (!aws->region.len)
        aws->region = variable("AWS_DEFAULT_REGION");
    if (!aws->region.len)
        aws->region = keep(aws, profile_value(aws, profile_name(aws), "region"));
    if (!aws->region.len)
        aws->region = S("us-east-1");
    return http_open(&aws->http, err);
}

void aws_close(DgAws *aws)
{
    http_close(aws->http);
    arena_free(&aws->arena);
}
