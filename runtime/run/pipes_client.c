/* The client's side of Dagster Pipes. */
#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/run/pipes.h"

struct PipesClient {
    pthread_mutex_t lock;
    Redactor *redactor;
    int fd;             /* where messages go */
    bool own_fd, buffered;
    StrBuf buffer;
    const PipesContext *context;
    const char *path;
};

bool pipes_is_client(void)
{
    const char *value = getenv("DAGSTER_PIPES_CONTEXT");
    return value && *value;
}

static Str json_text(Arena *a, const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? str_copy(a, str_from(item->valuestring)) : (Str){0};
}

static DgStatus decode_variable(Arena *a, const char *name, cJSON **out, DgError *err)
{
    const char *value = getenv(name);
    Str json;
    *out = NULL;
    if (!value || !*value)
        return dg_fail(err, DG_CONFIG, "Dagster Pipes: %s is not set", name);
    DG_TRY(pipes_decode(a, str_from(value), &json, err));
    errno = 0;
    *out = cJSON_ParseWithLength(json.ptr, (size_t)json.len);
    if (!*out && errno == ENOMEM)
        return os_no_memory(err, "reading the context of Dagster Pipes");
    return *out ? DG_OK : dg_fail(err, DG_CONFIG, "Dagster Pipes: %s holds no JSON", name);
}

static void read_context(Arena *a, const cJSON *json, PipesContext *out)
{
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(json, "asset_keys"), *key;
    *out = (PipesContext){.has_asset_keys = cJSON_IsArray(keys)};
    cJSON_ArrayForEach(key, keys)
        if (cJSON_IsString(key))
            array_add(a, &out->asset_keys, str_copy(a, str_from(key->valuestring)));
    const cJSON *range = cJSON_GetObjectItemCaseSensitive(json, "partition_key_range");
    out->partition_key = json_text(a, json, "partition_key");
    out->range_start = json_text(a, range, "start");
    out->range_end = json_text(a, range, "end");
    out->run_id = json_text(a, json, "run_id");
    out->job_name = json_text(a, json, "job_name");
}

/* The context itself: in a file, or in the parameter. */
static DgStatus load_context(Arena *a, PipesContext *out, DgError *err)
{
    cJSON *params, *json = NULL;
    DG_TRY(decode_variable(a, "DAGSTER_PIPES_CONTEXT", &params, err));
    Str path = json_text(a, params, "path"), text;
    DgStatus status = DG_OK;
    if (path.len) {
        status = os_read_file(a, path.ptr, PIPES_BYTES_MAX, &text, err);
        if (status == DG_OK && !(json = cJSON_ParseWithLength(text.ptr, (size_t)text.len)))
            status = dg_fail(err, DG_CONFIG, "Dagster Pipes: `%s` holds no JSON", path.ptr);
    } else if (!(json = cJSON_DetachItemFromObjectCaseSensitive(params, "data"))) {
        status = dg_fail(err, DG_CONFIG, "Dagster Pipes: the context has neither `path` nor `data`");
        dg_hint(err, "contexts kept in S3, GCS or DBFS are not read; use PipesSubprocessClient");
    }
    if (status == DG_OK)
        read_context(a, json, out);
    cJSON_Delete(json);
    cJSON_Delete(params);
    return status;
}

static DgStatus open_messages(Arena *a, PipesClient *c, DgError *err)
{
    cJSON *params;
    DG_TRY(decode_variable(a, "DAGSTER_PIPES_MESSAGES", &params, err));
    Str path = json_text(a, params, "path"), stdio = json_text(a, params, "stdio");
    Str buffered = json_text(a, params, "buffered_stdio");
    cJSON_Delete(params);
    if (path.len) {
        c->path = path.ptr;
        c->own_fd = true;
        return os_open(path.ptr, O_WRONLY | O_CREAT | O_APPEND, 0666, &c->fd, err);
    }
    Str stream = stdio.len ? stdio : buffered;
    c->buffered = !stdio.len;
    c->path = "the standard streams";
    c->fd = str_eq(stream, S("stderr")) ? 2 : str_eq(stream, S("stdout")) ? 1 : -1;
    if (c->fd < 0) {
        dg_fail(err, DG_CONFIG, "Dagster Pipes: messages go to no place known here");
        dg_hint(err, "known: path, stdio, buffered_stdio");
        return DG_CONFIG;
    }
    return DG_OK;
}

/* One message; `params` is a JSON value. */
static void send(PipesClient *c, const char *method, Str params)
{
    StrBuf line = {.max = PIPES_BYTES_MAX};
    DgError ignored = {0};
    buf_format(&line, "{\"__dagster_pipes_version\": \"0.1\", \"method\": \"%s\", \"params\": ",
               method);
    redact_text(c->redactor, params, &line);
    buf_add(&line, S("}\n"));
    pthread_mutex_lock(&c->lock);
    if (c->buffered)
        buf_add(&c->buffer, buf_str(&line));
    else if (!line.failed)
        os_write_all(c->fd, line.ptr, line.len, c->path, &ignored);
    pthread_mutex_unlock(&c->lock);
    buf_free(&line);
}

DgStatus pipes_client_open(Arena *a, Redactor *redactor, PipesClient **out, PipesContext *context,
                           DgError *err)
{
    *out = NULL;
    DG_TRY(load_context(a, context, err));
    PipesClient *c = os_alloc(sizeof *c);
    if (!c)
        return os_no_memory(err, "starting Dagster Pipes");
    pthread_mutex_init(&c->lock, NULL);
    c->redactor = redactor;
    c->context = context;
    c->buffer.max = PIPES_BYTES_MAX;
    DgStatus status = open_messages(a, c, err);
    if (status != DG_OK) {
        os_free(c);
        return status;
    }
    send(c, "opened", S("{\"extras\": {}}"));
    *out = c;
    return DG_OK;
}

void pipes_client_log(PipesClient *c, DgLogLevel level, Str message)
{
    static const char *const levels[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
    StrBuf b = {0};
    buf_add(&b, S("{\"message\": "));
    buf_json(&b, message);
    buf_format(&b, ", \"level\": \"%s\"}", levels[level]);
    send(c, "log", buf_str(&b));
    buf_free(&b);
}

/* Dagster refuses keys that it did not ask for. */
static bool wanted(const PipesClient *c, Str asset)
{
    if (!c->context->has_asset_keys)
        return true;
    for (size_t i = 0; i < c->context->asset_keys.count; i++)
        if (str_eq(c->context->asset_keys.items[i], asset))
            return true;
    return false;
}

static bool has_item(Str asset, const char *name, const MetadataItem *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(items[i].asset, asset) && str_eq(items[i].name, str_from(name)))
            return true;
    return false;
}

void pipes_client_materialized(PipesClient *c, Str asset, int64_t rows, const MetadataItem *items,
                               size_t count)
{
    if (!wanted(c, asset))
        return;
    StrBuf b = {.max = PIPES_BYTES_MAX};
    bool any = false;
    buf_add(&b, S("{\"asset_key\": "));
    buf_json(&b, asset);
    buf_add(&b, S(", \"data_version\": null, \"metadata\": {"));
    if (rows >= 0 && !has_item(asset, "dagster/row_count", items, count)) {
        buf_format(&b, "\"dagster/row_count\": {\"raw_value\": %lld, \"type\": \"int\"}",
                   (long long)rows);
        any = true;
    }
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(items[i].asset, asset))
            continue;
        buf_add(&b, any ? S(", ") : S(""));
        buf_json(&b, items[i].name);
        buf_add(&b, S(": {\"raw_value\": "));
        buf_add(&b, items[i].json);
        bool schema = str_eq(items[i].name, S("dagster/column_schema"));
        buf_format(&b, ", \"type\": \"%s\"}", schema ? "table_schema" : "__infer__");
        any = true;
    }
    buf_add(&b, S("}}"));
    send(c, "report_asset_materialization", buf_str(&b));
    buf_free(&b);
}

void pipes_client_check(PipesClient *c, const CheckResult *check)
{
    if (!wanted(c, check->asset))
        return;
    StrBuf b = {0};
    buf_add(&b, S("{\"asset_key\": "));
    buf_json(&b, check->asset);
    buf_add(&b, S(", \"check_name\": "));
    buf_json(&b, check->name);
    buf_format(&b, ", \"passed\": %s, \"metadata\": {", check->passed ? "true" : "false");
    if (check->detail.len) {
        buf_add(&b, S("\"detail\": {\"raw_value\": "));
        buf_json(&b, check->detail);
        buf_add(&b, S(", \"type\": \"text\"}"));
    }
    buf_format(&b, "}, \"severity\": \"%s\"}", check->warn ? "WARN" : "ERROR");
    send(c, "report_asset_check", buf_str(&b));
    buf_free(&b);
}

void pipes_client_close(PipesClient *c, const DgError *err)
{
    if (!c)
        return;
    StrBuf b = {0};
    DgError ignored = {0};
    if (err && err->status != DG_OK) {
        buf_add(&b, S("{\"exception\": {\"message\": "));
        buf_json(&b, str_from(err->message));
        buf_format(&b, ", \"stack\": [], \"name\": \"%s\", \"cause\": null, \"context\": null}}",
                   dg_status_name(err->status));
    } else {
        buf_add(&b, S("{}"));
    }
    send(c, "closed", buf_str(&b));
    buf_free(&b);
    if (c->buffered && c->buffer.len)
        os_write_all(c->fd, c->buffer.ptr, c->buffer.len, c->path, &ignored);
    buf_free(&c->buffer);
    if (c->own_fd)
        os_close(c->fd);
    pthread_mutex_destroy(&c->lock);
    os_free(c);
}
