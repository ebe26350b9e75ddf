/* to_table.c - one table or query of the source into a table, by the load engine. */
#include <cJSON.h>
#include <stdio.h>

#include "runtime/copy/copy.h"
#include "runtime/data/scalars.h"
#include "runtime/os/os.h"
#include "runtime/run/console.h"

/* ---- Where the last run ended ---- */

/* The target's table is part of it: another table begins anew. */
Str copy_state_key(Copy *c)
{
    return str_format(&c->arena, "%.*s/%.*s to %.*s", FMT(c->step->replication), FMT(c->name), FMT(c->to.table));
}

static Str pipeline_of(const Copy *c)
{
    return c->run->run->pipeline->name;
}

static bool cursor_from_json(Copy *c, Str json)
{
    if (str_eq(json, S(COPY_CURSOR_RESET)))
        return true; /* from the start, whatever the table holds */
    cJSON *root = json.len ? cJSON_ParseWithLength(json.ptr, (size_t)json.len) : NULL;
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(root, "update_key"), *value = cJSON_GetObjectItemCaseSensitive(root, "value");
    bool same = cJSON_IsString(key) && cJSON_IsString(value) && str_eq_nocase(str_from(key->valuestring), c->s->update_key);
    if (same)
        c->cursor = str_copy(&c->arena, str_from(value->valuestring));
    cJSON_Delete(root);
    return same;
}

/* Sling's own state is the target table: the largest value of the update key in it. */
static DgStatus cursor_from_table(Copy *c, const DgTableInfo *table, DgError *err)
{
    DgTableInfo info = *table;
    DgStatus status;
    const DgDialect *d = c->target.engine->dialect;
    Str key = naming_apply(&c->arena, DG_CASING_SOURCE, d, c->s->update_key);
    for (int32_t i = 0; i < info.columns_count; i++) {
        if (!str_eq_nocase(info.columns[i].column.name, key))
            continue;
        StrBuf b = {.max = 4096};
        buf_add(&b, S("SELECT max("));
        sql_name(&b, d, info.columns[i].column.name);
        buf_add(&b, S(") FROM "));
        sql_table(&b, d, c->to);
        c->cursor_type = info.columns[i].column.type;
        status = db_text(c->target.db, &c->arena, buf_str(&b), &c->cursor, err);
        buf_free(&b);
        return status;
    }
    return DG_OK;
}

DgStatus copy_find_cursor(Copy *c, DgError *err)
{
    Str json = {0};
    DgTableInfo table;
    c->cursor = (Str){0};
    if (!c->incremental || !c->s->update_key.len)
        return DG_OK;
    DgStatus status = c->target.engine->describe(c->target.db, &c->arena, c->to, &table, err);
    if (status != DG_OK) /* a table that was dropped is filled from the start */
        return status == DG_END ? DG_OK : status;
    DG_TRY(load_cursor(c->target.db, &c->arena, c->to, pipeline_of(c), copy_state_key(c), &json, err));
    return cursor_from_json(c, json) ? DG_OK : cursor_from_table(c, &table, err);
}

/* A backfill's chunks that are committed, with the last of them. */
static void write_progress(const Copy *c, StrBuf *b)
{
    buf_add(b, S(",\"backfill\":{\"range\":"));
    buf_json(b, c->s->source_options.range);
    buf_format(b, ",\"chunks\":%zu,\"done\":%zu,\"to\":", c->chunks_count, c->chunk_number);
    buf_json(b, c->chunk->last);
    buf_char(b, '}');
}

/* How many of `chunks` an earlier run committed that did not come to their end: 0 when the range was cut otherwise, or
 * all of it is done, so that a backfill that is run again loads its range again. */
static size_t progress_from_json(const Copy *c, Str json, const CopyChunks *chunks)
{
    cJSON *root = json.len ? cJSON_ParseWithLength(json.ptr, (size_t)json.len) : NULL;
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(root, "update_key"), *backfill = cJSON_GetObjectItemCaseSensitive(root, "backfill"),
                *range = cJSON_GetObjectItemCaseSensitive(backfill, "range"), *count = cJSON_GetObjectItemCaseSensitive(backfill, "chunks"),
                *done = cJSON_GetObjectItemCaseSensitive(backfill, "done"), *to = cJSON_GetObjectItemCaseSensitive(backfill, "to");
    size_t n = cJSON_IsNumber(done) && done->valueint > 0 ? (size_t)done->valueint : 0;
    bool same = cJSON_IsString(key) && str_eq_nocase(str_from(key->valuestring), c->s->update_key) && cJSON_IsString(range) &&
                str_eq(str_from(range->valuestring), c->s->source_options.range) && cJSON_IsNumber(count) &&
                (size_t)count->valueint == chunks->count && n < chunks->count && n > 0 && cJSON_IsString(to) &&
                str_eq(str_from(to->valuestring), chunks->items[n - 1].last);
    cJSON_Delete(root);
    return same ? n : 0;
}

static DgStatus next_cursor(void *context, Arena *a, Str *cursor, DgError *err)
{
    CopyWatch *w = ((void **)context)[0];
    Copy *c = ((void **)context)[1];
    DgType type = c->cursor_type;
    Str value = copy_watch_largest(w, &type);
    StrBuf b = {.max = 1 << 20};
    if (!value.len)
        value = c->cursor;
    if (c->s->update_key.len && (value.len || c->chunks_count > 1)) {
        buf_add(&b, S("{\"update_key\":"));
        buf_json(&b, c->s->update_key);
        if (value.len) {
            buf_add(&b, S(",\"value\":"));
            buf_json(&b, value);
        }
        if (c->chunks_count > 1)
            write_progress(c, &b);
        buf_char(&b, '}');
    }
    *cursor = str_copy(a, buf_str(&b));
    buf_free(&b);
    (void)err;
    return DG_OK;
}

/* ---- Settings to a load ---- */

static DgDisposition disposition_of(const Copy *c)
{
    Str strategy = c->s->target_options.merge_strategy;
    bool keys = c->s->primary_key.count > 0;
    if (!c->incremental)
        switch ((DgCopyMode)c->s->mode) {
        case DG_COPY_TRUNCATE: return DG_DISPOSE_TRUNCATE;
        case DG_COPY_SNAPSHOT: return DG_DISPOSE_APPEND;
        case DG_COPY_DEFINITION_ONLY: return DG_DISPOSE_DEFINITION;
        case DG_COPY_BACKFILL: break;
        default: return DG_DISPOSE_REPLACE;
        }
    if (!keys)
        return DG_DISPOSE_APPEND;
    return str_eq(strategy, S("insert"))            ? DG_DISPOSE_INSERT_ONLY
           : str_eq(strategy, S("update"))          ? DG_DISPOSE_UPDATE_ONLY
           : str_eq(strategy, S("delete_insert"))   ? DG_DISPOSE_DELETE_INSERT
           : str_eq(strategy, S("history_insert"))  ? DG_DISPOSE_SCD2
                                                    : DG_DISPOSE_UPSERT;
}

DgCasing copy_casing(const Copy *c)
{
    Str name = c->s->target_options.column_casing;
    static const char *const names[] = {"source", "target", "normalize", "snake", "upper", "lower", "camel"};
    for (int i = 0; i < 7; i++)
        if (str_eq(name, str_from(names[i])))
            return (DgCasing)i;
    return DG_CASING_NORMALIZE; /* Sling's default since 1.4.5 */
}

static DgContract contract_of(Str name)
{
    return str_eq(name, S("freeze"))          ? DG_FREEZE
           : str_eq(name, S("discard_row"))   ? DG_DISCARD_ROW
           : str_eq(name, S("discard_value")) ? DG_DISCARD_VALUE
                                              : DG_EVOLVE;
}

static DgDeletes deletes_of(DgValue v)
{
    const DgValue *type = v.kind == DG_V_DICT ? dgv_get_str(v, S("type")) : &v;
    if (!type || type->kind != DG_V_STR)
        return DG_DELETES_NONE;
    return str_eq(type->as.s, S("soft")) ? DG_DELETES_SOFT : str_eq(type->as.s, S("hard")) ? DG_DELETES_HARD : DG_DELETES_NONE;
}

/* `columns: {payload: json}`: it stays one column. */
static void add_json_columns(Copy *c, DgLoadSpec *spec)
{
    DgValue columns = c->s->columns;
    DgType type;
    for (size_t i = 0; columns.kind == DG_V_DICT && i < columns.as.dict->count; i++) {
        DgValue name = columns.as.dict->keys[i], value = columns.as.dict->values[i];
        Str rule = value.kind == DG_V_STR ? value.as.s : (Str){0}, rest;
        str_cut(rule, '|', &rule, &rest);
        if (name.kind == DG_V_STR && dg_column_type(rule, &type) && type.kind == DG_JSON)
            array_add(&c->arena, &spec->json_columns, name.as.s);
    }
}

DgStatus copy_make_spec(Copy *c, DgLoadSpec *spec, DgError *err)
{
    const DgTargetOptions *o = &c->s->target_options;
    char package[33];
    uint8_t bytes[16];
    os_random(bytes, sizeof bytes);
    for (int i = 0; i < 16; i++)
        snprintf(package + 2 * i, 3, "%02x", bytes[i]);
    *spec = (DgLoadSpec){
        .stream = copy_state_key(c), .pipeline = pipeline_of(c), .run = str_from(c->run->run->id), .package = str_copy(&c->arena, str_from(package)),
        .table = c->to, .disposition = disposition_of(c), .update_key = c->s->update_key,
        .new_columns = o->add_new_columns == 2 ? DG_DISCARD_VALUE : contract_of(c->s->contract),
        .types = contract_of(c->s->contract), .new_tables = contract_of(c->s->contract) == DG_FREEZE ? DG_FREEZE : DG_EVOLVE,
        .deletes = deletes_of(o->delete_missing), .casing = copy_casing(c), .table_ddl = o->table_ddl,
        .pre_sql = o->pre_sql, .post_sql = o->post_sql, .cancelled = copy_cancelled, .context = c,
        .keep_types = o->adjust_column_type == 2, .nesting = (int32_t)c->s->max_table_nesting,
        .folder = str_format(&c->arena, "%.*s/tmp", FMT(c->run->run->options.home)),
    };
    add_json_columns(c, spec);
    DG_TRY(copy_keys(c, spec, err));
    for (size_t i = 0; i < c->s->primary_key.count; i++)
        array_add(&c->arena, &spec->keys, DG_ITEMS(DgStr, c->s->primary_key)[i]);
    if (spec->disposition == DG_DISPOSE_SCD2 && copy_setting_true(c, "SLING_LOADED_AT_COLUMN")) /* else see stamp.c */
        spec->loaded_at = S("_sling_loaded_at");
    if (copy_setting_true(c, "SLING_SYNCED_AT_COLUMN"))
        spec->synced_at = S("_sling_synced_at");
    if (spec->deletes != DG_DELETES_NONE && c->incremental && c->s->update_key.len)
        return dg_fail(err, DG_CONFIG, "`delete_missing` needs all rows of the source: it goes with primary_key alone, not with `update_key`");
    DG_TRY(copy_expand(c, spec->pre_sql, &spec->pre_sql, err));
    DG_TRY(copy_expand(c, spec->post_sql, &spec->post_sql, err));
    return copy_expand(c, spec->table_ddl, &spec->table_ddl, err);
}

/* ---- Loading ---- */

static void tell_waiting(void *context, Str stream, int64_t ms)
{
    Copy *c = context;
    dg_log(c->run, DG_LOG_WARNING, "%.*s: waiting for another run of the same stream (%.*s), for %lld s now", FMT(c->object), FMT(stream),
           (long long)ms / 1000);
}

static DgStatus take_lease(Copy *c, const DgLoadSpec *spec, int64_t *epoch, DgError *err)
{
    DgLeaseWait wait = {.max_ms = spec->lock_wait_ms, .waiting = tell_waiting, .cancelled = copy_cancelled, .context = c};
    return load_lease(c->target.db, c->to, spec->pipeline, spec->stream, &wait, epoch, err);
}

static DgStatus after_unknown(Copy *c, const DgLoadSpec *spec, const DgError *lost, DgError *err)
{
    bool there = false;
    int64_t epoch;
    c->target.engine->close(c->target.db);
    c->target.db = NULL;
    DG_TRY(c->target.engine->open(&c->target.conn, &c->target.db, err));
    /* The commit may still be on its way. Taking the lease waits for its end, or makes it fail. */
    DG_TRY(take_lease(c, spec, &epoch, err));
    DG_TRY(load_probe(c->target.db, spec->table, spec->package, &there, err));
    if (there)
        return DG_OK;
    *err = *lost;
    return err->status;
}

static void log_drift(void *context, Str what)
{
    dg_log(((Copy *)context)->run, DG_LOG_WARNING, "%.*s", FMT(what));
}

/* hooks.pre_merge and hooks.post_merge. There the rows are on their way, so skipping ends the hooks only. */
static DgStatus merge_hooks(void *context, DgDb *db, bool after, DgError *err)
{
    Copy *c = context;
    c->merging = db;
    DgStatus status = hooks_run(c, after ? &c->s->hooks.post_merge : &c->s->hooks.pre_merge, err);
    c->merging = NULL;
    return status == DG_END ? DG_OK : status;
}

static void report(Copy *c, const DgLoadCounts *n)
{
    dg_log(c->run, DG_LOG_INFO, "%.*s: %lld rows read, %lld inserted, %lld updated, %lld deleted", FMT(c->object), (long long)n->rows_read,
           (long long)n->rows_inserted, (long long)n->rows_updated, (long long)n->rows_deleted);
    if (n->nested_tables)
        dg_log(c->run, DG_LOG_INFO, "%.*s: %lld rows in %lld tables of its lists", FMT(c->object), (long long)n->nested_rows, (long long)n->nested_tables);
    if (n->rows_discarded || n->values_discarded)
        dg_log(c->run, DG_LOG_WARNING, "%.*s: %lld rows and %lld values were discarded, as `contract` says", FMT(c->object),
               (long long)n->rows_discarded, (long long)n->values_discarded);
}

/* How far the target is behind: the age of the newest row that is there. */
static void report_lag(Copy *c, Str last, DgType type)
{
    int64_t at;
    bool time = type.kind == DG_TIMESTAMP || type.kind == DG_TIMESTAMPTZ || type.kind == DG_DATE;
    if (!c->incremental || !last.len || !time || !scalar_timestamp(last.ptr, last.ptr + last.len, &at))
        return;
    StrBuf b = {0};
    show_duration(&b, c->started_us > at ? (c->started_us - at) / 1000 : 0);
    dg_log(c->run, DG_LOG_INFO, "%.*s: %.*s is at %.*s, %.*s behind", FMT(c->object), FMT(c->s->update_key), FMT(last), FMT(buf_str(&b)));
    buf_free(&b);
}

static DgStatus load_once(Copy *c, DgError *err)
{
    DgLoadSpec spec;
    DgLoadCounts counts = {0};
    CopyWatch *watch = NULL;
    DgRows *rows = NULL;
    bool unknown = false;
    DG_TRY(copy_make_spec(c, &spec, err));
    if (spec.nesting)
        DG_TRY(os_make_folders(str_cstr(&c->arena, spec.folder), err));
    spec.drift = log_drift;
    if (c->s->hooks.pre_merge.count + c->s->hooks.post_merge.count)
        spec.around = merge_hooks;
    spec.lock_wait_ms = conn_prop_int(&c->target.conn, "lock_timeout", 0);
    DG_TRY(take_lease(c, &spec, &spec.epoch, err));
    DG_TRY(copy_find_cursor(c, err));
    DG_TRY(copy_open_rows(c, &watch, &rows, err));
    if (!rows) {
        dg_log(c->run, DG_LOG_WARNING, "`%.*s` matches no file; nothing was loaded", FMT(c->name));
        return DG_OK;
    }
    void *context[] = {watch, c};
    DgStatus status = load_run(c->target.db, rows, &spec, watch && c->s->update_key.len ? next_cursor : NULL, context, &counts, &unknown, err);
    DgType type = c->cursor_type;
    Str last = watch && c->s->update_key.len ? str_copy(&c->arena, copy_watch_largest(watch, &type)) : (Str){0};
    rows_close(rows);
    if (status != DG_OK && unknown) {
        DgError lost = *err;
        status = after_unknown(c, &spec, &lost, err);
    }
    if (status == DG_OK) {
        report(c, &counts);
        report_lag(c, last.len ? last : c->cursor, type);
    }
    c->rows_total += counts.rows_read;
    return status;
}

/* A table that was dropped has none of its chunks. */
DgStatus copy_chunks_done(Copy *c, const CopyChunks *chunks, size_t *done, DgError *err)
{
    Str json = {0};
    DgTableInfo table;
    *done = 0;
    if (chunks->count < 2 || !c->incremental) /* a full refresh begins anew */
        return DG_OK;
    DgStatus status = c->target.engine->describe(c->target.db, &c->arena, c->to, &table, err);
    if (status != DG_OK)
        return status == DG_END ? DG_OK : status;
    DG_TRY(load_cursor(c->target.db, &c->arena, c->to, pipeline_of(c), copy_state_key(c), &json, err));
    *done = progress_from_json(c, json, chunks);
    return DG_OK;
}

/* Each part is a transaction of its own, which tells how far it came: a run after one that failed goes on with the chunk that did. */
static DgStatus load_chunks(Copy *c, DgError *err)
{
    CopyChunks chunks = {0};
    DG_TRY(chunks_of(&c->arena, &c->s->source_options, &chunks, err));
    size_t done;
    DgStatus status = copy_chunks_done(c, &chunks, &done, err);
    if (status == DG_OK && done)
        dg_log(c->run, DG_LOG_INFO, "%.*s: chunks 1 to %zu of %zu are there, from a run that did not come to its end; `state reset` forgets them",
               FMT(c->object), done, chunks.count);
    c->chunks_count = chunks.count;
    for (size_t i = done; i < chunks.count && status == DG_OK; i++) {
        c->chunk = &chunks.items[i];
        c->chunk_number = i + 1;
        if (chunks.count > 1)
            dg_log(c->run, DG_LOG_INFO, "%.*s: chunk %zu of %zu, %.*s to %.*s", FMT(c->object), i + 1, chunks.count, FMT(c->chunk->first), FMT(c->chunk->last));
        status = load_once(c, err);
    }
    c->chunk = NULL;
    c->chunks_count = 0;
    return status;
}

DgStatus copy_to_table(Copy *c, DgError *err)
{
    return c->s->mode == DG_COPY_BACKFILL && c->source.engine && c->s->source_options.range.len ? load_chunks(c, err) : load_once(c, err);
}
