/* Scripts that report through Dagster Pipes. See pipes_server.h. */
#include "runtime/run/pipes_server.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/run/pipes.h"

enum { MESSAGE_BYTES_MAX = 16 << 20 };

struct PipesServer {
    DgStepRun *sr;
    Str context, messages;
    char *path;
    int fd;
    StrBuf line;   /* read, not yet ended by a newline */
    bool too_long;
    bool opened, closed, failed;
    DgError error;
};

/* ---- The context ---- */

static void add_asset_keys(const DgStepRun *sr, StrBuf *b)
{
    const DgPipeline *p = sr->run->pipeline;
    buf_add(b, S("{\"asset_keys\": "));
    for (int32_t i = 0; i < sr->def->assets.count; i++) {
        buf_add(b, i ? S(", ") : S("["));
        buf_json(b, p->assets[sr->def->assets.items[i]].key);
    }
    buf_add(b, sr->def->assets.count ? S("]") : S("null"));
    buf_add(b, S(", \"code_version_by_asset_key\": {"));
    for (int32_t i = 0; i < sr->def->assets.count; i++) {
        const DgAssetDef *a = &p->assets[sr->def->assets.items[i]];
        buf_add(b, i ? S(", ") : S(""));
        buf_json(b, a->key);
        buf_add(b, S(": "));
        a->code_version.len ? buf_json(b, a->code_version) : buf_add(b, S("null"));
    }
    buf_add(b, S("}, \"provenance_by_asset_key\": {"));
    for (int32_t i = 0; i < sr->def->assets.count; i++) {
        buf_add(b, i ? S(", ") : S(""));
        buf_json(b, p->assets[sr->def->assets.items[i]].key);
        buf_add(b, S(": null"));
    }
    buf_add(b, S("}"));
}

static void add_time(StrBuf *b, int64_t seconds)
{
    CivilTime t = civil_from_seconds(seconds);
    buf_char(b, '"');
    civil_format(b, S("%Y-%m-%dT%H:%M:%S+00:00"), &t, 0);
    buf_char(b, '"');
}

static void add_partition(const Unit *u, StrBuf *b)
{
    bool one = u->partition.len && str_eq(u->first, u->last);
    buf_add(b, S(", \"partition_key\": "));
    one ? buf_json(b, u->first) : buf_add(b, S("null"));
    buf_add(b, S(", \"partition_key_range\": "));
    if (u->partition.len) {
        buf_add(b, S("{\"start\": "));
        buf_json(b, u->first);
        buf_add(b, S(", \"end\": "));
        buf_json(b, u->last);
        buf_char(b, '}');
    } else {
        buf_add(b, S("null"));
    }
    buf_add(b, S(", \"partition_time_window\": "));
    if (u->end) {
        buf_add(b, S("{\"start\": "));
        add_time(b, u->start);
        buf_add(b, S(", \"end\": "));
        add_time(b, u->end);
        buf_char(b, '}');
    } else {
        buf_add(b, S("null"));
    }
}

static DgStatus make_context(PipesServer *s, const DgPair *extras, size_t count, DgError *err)
{
    DgStepRun *sr = s->sr;
    StrBuf json = {.max = PIPES_BYTES_MAX}, packed = {0};
    buf_add(&json, S("{\"data\": "));
    add_asset_keys(sr, &json);
    add_partition(sr->unit, &json);
    buf_format(&json, ", \"run_id\": \"%s\", \"job_name\": ", sr->run->id);
    sr->run->options.job.len ? buf_json(&json, sr->run->options.job) : buf_add(&json, S("null"));
    buf_format(&json, ", \"retry_number\": %d, \"extras\": {", sr->unit->attempt - 1);
    for (size_t i = 0; i < count; i++) {
        buf_add(&json, i ? S(", ") : S(""));
        buf_json(&json, extras[i].key);
        buf_add(&json, S(": "));
        buf_json(&json, extras[i].value);
    }
    buf_add(&json, S("}}}"));
    bool ok = !json.failed && pipes_encode(buf_str(&json), &packed);
    s->context = ok ? step_copy(sr, buf_str(&packed)) : (Str){0};
    packed.len = json.len = 0;
    buf_add(&json, S("{\"path\": "));
    buf_json(&json, str_from(s->path));
    buf_add(&json, S("}"));
    ok = ok && pipes_encode(buf_str(&json), &packed);
    s->messages = ok ? step_copy(sr, buf_str(&packed)) : (Str){0};
    buf_free(&json);
    buf_free(&packed);
    return s->context.ptr && s->messages.ptr ? DG_OK : os_no_memory(err, "starting Dagster Pipes");
}

DgStatus pipes_server_open(DgStepRun *sr, const DgPair *extras, size_t extras_count,
                           PipesServer **out, DgError *err)
{
    PipesServer *s = os_alloc(sizeof *s);
    const char *folder = getenv("TMPDIR");
    *out = NULL;
    if (!s)
        return os_no_memory(err, "starting Dagster Pipes");
    s->sr = sr;
    s->fd = -1;
    s->line.max = MESSAGE_BYTES_MAX;
    Str path = dg_format(sr, "%s/dgc-pipes-%s", folder && *folder ? folder : "/tmp",
                         sr->unit->package);
    *out = s;
    if (!path.ptr)
        return os_no_memory(err, "starting Dagster Pipes");
    DG_TRY(os_open(path.ptr, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, &s->fd, err));
    s->path = (char *)(uintptr_t)path.ptr;
    return make_context(s, extras, extras_count, err);
}

void pipes_server_close(PipesServer *s)
{
    if (!s)
        return;
    os_close(s->fd);
    if (s->path)
        dg_os.unlink(s->path);
    buf_free(&s->line);
    os_free(s);
}

Str pipes_server_context(const PipesServer *s)
{
    return s->context;
}

Str pipes_server_messages(const PipesServer *s)
{
    return s->messages;
}

const DgError *pipes_server_error(const PipesServer *s)
{
    return s->failed ? &s->error : NULL;
}

/* ---- Messages ---- */

static void protocol_error(PipesServer *s, const char *what, Str detail)
{
    if (s->failed)
        return;
    s->failed = true;
    dg_fail(&s->error, DG_DATA, "Dagster Pipes: %s%s%.*s", what, detail.len ? ": " : "",
            (int)(detail.len > 200 ? 200 : detail.len), detail.len ? detail.ptr : "");
}

static Str member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? str_from(item->valuestring) : (Str){0};
}

/* The asset a message is about: named, or the only one there is. */
static bool asset_of(PipesServer *s, const cJSON *params, Str *key)
{
    const DgPipeline *p = s->sr->run->pipeline;
    const DgIndices *assets = &s->sr->def->assets;
    *key = member(params, "asset_key");
    if (key->len == 0 && assets->count == 1) {
        *key = p->assets[assets->items[0]].key;
        return true;
    }
    for (int32_t i = 0; i < assets->count; i++)
        if (str_eq(p->assets[assets->items[i]].key, *key))
            return true;
    const DgIndices *checks = &s->sr->def->checks;
    for (int32_t i = 0; i < checks->count; i++)
        if (str_eq(p->assets[p->checks[checks->items[i]].asset].key, *key))
            return true;
    protocol_error(s, "the script reports on an asset that this step does not make", *key);
    return false;
}

static DgLogLevel level_of(Str name)
{
    return str_eq(name, S("DEBUG"))                                     ? DG_LOG_DEBUG
           : str_eq(name, S("WARNING"))                                 ? DG_LOG_WARNING
           : str_eq(name, S("ERROR")) || str_eq(name, S("CRITICAL"))    ? DG_LOG_ERROR
                                                                        : DG_LOG_INFO;
}

static void keep_metadata(PipesServer *s, Str asset, Str name, Str json)
{
    DgStepRun *sr = s->sr;
    MetadataItem item = {step_copy(sr, asset), step_copy(sr, name), step_copy(sr, json)};
    if (!item.json.ptr || !item.name.ptr)
        return;
    pthread_mutex_lock(&sr->lock);
    array_add(&sr->arena, &sr->metadata, item);
    pthread_mutex_unlock(&sr->lock);
}

static void take_materialization(PipesServer *s, const cJSON *params)
{
    Str key;
    if (!asset_of(s, params, &key))
        return;
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(params, "metadata"), *item;
    Str version = member(params, "data_version");
    if (version.len) {
        StrBuf b = {0};
        buf_json(&b, version);
        keep_metadata(s, key, S("dagster/data_version"), buf_str(&b));
        buf_free(&b);
    }
    cJSON_ArrayForEach(item, metadata) {
        const cJSON *raw = cJSON_GetObjectItemCaseSensitive(item, "raw_value");
        char *text = raw ? cJSON_PrintUnformatted(raw) : NULL;
        if (text)
            keep_metadata(s, key, str_from(item->string), str_from(text));
        bool is_rows = !strcmp(item->string, "dagster/row_count") || !strcmp(item->string, "rows");
        if (is_rows && cJSON_IsNumber(raw) && raw->valuedouble >= 0 && raw->valuedouble < 9e15)
            dg_progress(s->sr, (int64_t)raw->valuedouble, 0);
        cJSON_free(text);
    }
}

static void take_check(PipesServer *s, const cJSON *params)
{
    Str key, name = member(params, "check_name");
    const cJSON *passed = cJSON_GetObjectItemCaseSensitive(params, "passed");
    if (!asset_of(s, params, &key))
        return;
    if (name.len == 0 || !cJSON_IsBool(passed)) {
        protocol_error(s, "a check has no `check_name` or no `passed`", (Str){0});
        return;
    }
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(params, "metadata"), *item;
    StrBuf detail = {.max = 4096};
    cJSON_ArrayForEach(item, metadata) {
        char *text = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(item, "raw_value"));
        buf_format(&detail, "%s%s %s", detail.len ? ", " : "", item->string, text ? text : "null");
        cJSON_free(text);
    }
    dg_report_check(s->sr, key, name, cJSON_IsTrue(passed), buf_str(&detail));
    buf_free(&detail);
    /* The script decides how bad it is when it says so. */
    DgStepRun *sr = s->sr;
    pthread_mutex_lock(&sr->lock);
    if (sr->checks.count && str_eq(member(params, "severity"), S("WARN")))
        sr->checks.items[sr->checks.count - 1].warn = true;
    pthread_mutex_unlock(&sr->lock);
}

static void take_closed(PipesServer *s, const cJSON *params)
{
    const cJSON *exception = cJSON_GetObjectItemCaseSensitive(params, "exception");
    s->closed = true;
    if (!cJSON_IsObject(exception) || s->failed)
        return;
    Str message = str_trim(member(exception, "message")), name = member(exception, "name");
    s->failed = true;
    dg_fail(&s->error, DG_FAILED, "the script failed: %.*s%s%.*s", FMT(name),
            name.len && message.len && !str_starts(message, name) ? ": " : "",
            FMT(str_starts(message, name) ? str_sub(message, name.len, message.len) : message));
    const cJSON *stack = cJSON_GetObjectItemCaseSensitive(exception, "stack"), *frame;
    cJSON_ArrayForEach(frame, stack) {
        Str line, rest = cJSON_IsString(frame) ? str_from(frame->valuestring) : (Str){0};
        for (bool more = rest.len > 0; more;) {
            more = str_cut(rest, '\n', &line, &rest);
            if (str_trim(line).len)
                dg_log(s->sr, DG_LOG_ERROR, "%.*s", FMT(line));
        }
    }
}

static void take_message(PipesServer *s, Str method, const cJSON *params)
{
    if (str_eq(method, S("opened"))) {
        s->opened = true;
    } else if (str_eq(method, S("closed"))) {
        take_closed(s, params);
    } else if (str_eq(method, S("log"))) {
        dg_log(s->sr, level_of(member(params, "level")), "%.*s", FMT(member(params, "message")));
    } else if (str_eq(method, S("log_external_stream"))) {
        report_output(s->sr->run, s->sr->unit, "stdout", member(params, "text"));
    } else if (str_eq(method, S("report_asset_materialization"))) {
        take_materialization(s, params);
    } else if (str_eq(method, S("report_asset_check"))) {
        take_check(s, params);
    } else if (str_eq(method, S("report_custom_message"))) {
        char *text = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(params, "payload"));
        dg_log(s->sr, DG_LOG_INFO, "custom message: %s", text ? text : "null");
        cJSON_free(text);
    } else {
        dg_log(s->sr, DG_LOG_WARNING, "Dagster Pipes: unknown message `%.*s`", FMT(method));
    }
}

void pipes_server_line(PipesServer *s, Str line)
{
    line = str_trim(line);
    if (line.len == 0)
        return;
    errno = 0;
    cJSON *json = cJSON_ParseWithLength(line.ptr, (size_t)line.len);
    Str method = member(json, "method");
    if (!json && errno == ENOMEM) {
        if (!s->failed)
            os_no_memory(&s->error, "reading a message of the script");
        s->failed = true;
    } else if (!json || !method.len || !member(json, "__dagster_pipes_version").len)
        protocol_error(s, "a line of the messages file is no message", line);
    else
        take_message(s, method, cJSON_GetObjectItemCaseSensitive(json, "params"));
    cJSON_Delete(json);
}

void pipes_server_poll(PipesServer *s)
{
    char bytes[16384];
    for (;;) {
        ssize_t got = dg_os.read(s->fd, bytes, sizeof bytes);
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            if (!s->failed)
                dg_fail(&s->error, DG_IO, "Dagster Pipes: could not read the messages: %s",
                        strerror(errno));
            s->failed = true;
        }
        if (got <= 0)
            return;
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] != '\n') {
                buf_char(&s->line, bytes[i]);
                continue;
            }
            if (s->line.failed)
                protocol_error(s, "a message is longer than 16 MiB", (Str){0});
            else
                pipes_server_line(s, buf_str(&s->line));
            s->line.len = 0;
            s->line.failed = false;
        }
    }
}

void pipes_server_finish(PipesServer *s)
{
    pipes_server_poll(s);
    if (s->line.len)
        pipes_server_line(s, buf_str(&s->line));
    s->line.len = 0;
    if (s->opened && !s->closed && !s->failed)
        dg_log(s->sr, DG_LOG_WARNING, "the script opened Dagster Pipes and did not close it");
}
