/* The calls that component.h promises to a running step. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/base/path.h"
#include "runtime/os/os.h"
#include "runtime/run/run.h"

Str run_copy(Run *run, Str text)
{
    pthread_mutex_lock(&run->lock);
    Str copy = str_copy(&run->arena, text);
    pthread_mutex_unlock(&run->lock);
    return copy;
}

Str step_copy(DgStepRun *sr, Str text)
{
    pthread_mutex_lock(&sr->lock);
    Str copy = str_copy(&sr->arena, text);
    pthread_mutex_unlock(&sr->lock);
    return copy;
}

void *dg_alloc(DgStepRun *sr, size_t bytes)
{
    pthread_mutex_lock(&sr->lock);
    void *p = arena_push(&sr->arena, 1, _Alignof(max_align_t), bytes);
    pthread_mutex_unlock(&sr->lock);
    return p;
}

DgStr dg_format(DgStepRun *sr, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    pthread_mutex_lock(&sr->lock);
    Str text = str_vformat(&sr->arena, fmt, args);
    pthread_mutex_unlock(&sr->lock);
    va_end(args);
    return text;
}

bool dg_cancelled(DgStepRun *sr)
{
    return atomic_load_explicit(&sr->run->cancel, memory_order_relaxed) != 0;
}

void dg_progress(DgStepRun *sr, int64_t rows, int64_t bytes)
{
    atomic_fetch_add_explicit(&sr->unit->rows, rows, memory_order_relaxed);
    atomic_fetch_add_explicit(&sr->unit->bytes, bytes, memory_order_relaxed);
}

void dg_waiting(DgStepRun *sr, const char *why, int64_t until_ms)
{
    pthread_mutex_lock(&sr->run->lock);
    snprintf(sr->unit->waiting, sizeof sr->unit->waiting, "%s", why ? why : "");
    sr->unit->waiting_until_ms = why ? until_ms : 0;
    pthread_mutex_unlock(&sr->run->lock);
}

void dg_log(DgStepRun *sr, DgLogLevel level, const char *fmt, ...)
{
    StrBuf b = {.max = 64 << 10};
    va_list args;
    va_start(args, fmt);
    buf_vformat(&b, fmt, args);
    va_end(args);
    report_log(sr->run, sr->unit, level, buf_str(&b));
    buf_free(&b);
}

/* ---- Loading ---- */

DgStatus dg_load(DgStepRun *sr, const DgLoad *load, DgError *err)
{
    if (load->columns_count <= 0 || load->columns_count > LIMIT_COLUMNS)
        return dg_fail(err, DG_BUG, "step `%.*s` declares %d columns", FMT(sr->def->name),
                       load->columns_count);
    DgColumn *columns = dg_alloc(sr, (size_t)load->columns_count * sizeof *columns);
    if (!columns)
        return os_no_memory(err, "declaring columns");
    memcpy(columns, load->columns, (size_t)load->columns_count * sizeof *columns);
    for (int32_t i = 0; i < load->columns_count; i++) {
        columns[i].name = step_copy(sr, columns[i].name);
        columns[i].path = step_copy(sr, columns[i].path);
    }
    sr->load = *load;
    sr->load.columns = columns;
    for (int32_t i = 0; i < load->unique_key_count && i < 8; i++)
        sr->load.unique_key[i] = step_copy(sr, load->unique_key[i]);
    sr->load.replaces = step_copy(sr, load->replaces);
    if (dg_full_refresh(sr)) {
        sr->load.mode = DG_REPLACE;
        sr->load.replaces = (Str){0};
    } else if (load->mode == DG_REPLACE && !load->replaces.len && sr->unit->partition.len) {
        dg_fail(err, DG_CONFIG, "a partition of `%.*s` would take the place of the whole table",
                FMT(sr->def->name));
        dg_hint(err, "dgc.Files: name the `partition_column`, or load with `mode: merge`");
        return DG_CONFIG;
    }
    sr->has_load = true;
    return DG_OK;
}

/* ---- SQL ---- */

DgStatus step_session(DgStepRun *sr, DgSession **out, DgError *err)
{
    *out = sr->session;
    if (sr->session)
        return DG_OK;
    DgWarehouse *w;
    DgSession *s;
    DG_TRY(warehouse_get(sr->run, &w, err));
    DG_TRY(dg_session_open(w, &s, err));
    DgStatus status = dg_session_begin(s, err);
    if (status != DG_OK) {
        dg_session_close(s);
        return status;
    }
    pthread_mutex_lock(&sr->run->lock); /* seen by the thread that cancels */
    sr->session = s;
    pthread_mutex_unlock(&sr->run->lock);
    *out = s;
    return DG_OK;
}

DgStatus dg_sql(DgStepRun *sr, DgStr sql, DgError *err)
{
    DgSession *s;
    DG_TRY(step_session(sr, &s, err));
    return dg_session_exec(s, sql, err);
}

DgStatus dg_sql_int(DgStepRun *sr, DgStr sql, int64_t *first_value, DgError *err)
{
    DgSession *s;
    DG_TRY(step_session(sr, &s, err));
    return dg_session_int(s, sql, first_value, err);
}

DgStr dg_table(DgStepRun *sr, DgStr asset_key)
{
    const DgPipeline *p = sr->run->pipeline;
    Str schema = {0}, table = {0};
    for (int32_t i = 0; i < p->assets_count; i++)
        if (str_eq(p->assets[i].key, asset_key)) {
            schema = p->assets[i].schema;
            table = p->assets[i].table;
        }
    pthread_mutex_lock(&sr->lock);
    if (table.len == 0)
        dg_asset_table(&sr->arena, asset_key, &schema, &table);
    Str quoted = dg_duckdb_table(&sr->arena, schema, table);
    pthread_mutex_unlock(&sr->lock);
    return quoted;
}

DgStr dg_quote_name(DgStepRun *sr, DgStr name)
{
    pthread_mutex_lock(&sr->lock);
    Str quoted = dg_duckdb_name(&sr->arena, name);
    pthread_mutex_unlock(&sr->lock);
    return quoted;
}

DgStr dg_quote_text(DgStepRun *sr, DgStr text)
{
    pthread_mutex_lock(&sr->lock);
    Str quoted = dg_duckdb_text(&sr->arena, text);
    pthread_mutex_unlock(&sr->lock);
    return quoted;
}

DgEval *dg_eval(DgStepRun *sr)
{
    step_scope(sr);
    return &sr->eval;
}

/* ---- Results ---- */

void dg_report_metadata(DgStepRun *sr, DgStr asset_key, const char *name, DgValue value)
{
    StrBuf json = {.max = 1 << 20};
    value_json(sr, value, &json);
    MetadataItem item = {step_copy(sr, asset_key), step_copy(sr, str_from(name)),
                         step_copy(sr, buf_str(&json))};
    buf_free(&json);
    pthread_mutex_lock(&sr->lock);
    array_add(&sr->arena, &sr->metadata, item);
    pthread_mutex_unlock(&sr->lock);
}

void dg_report_check(DgStepRun *sr, DgStr asset_key, DgStr check, bool passed, DgStr detail)
{
    const DgPipeline *p = sr->run->pipeline;
    CheckResult result = {.asset = step_copy(sr, asset_key), .name = step_copy(sr, check),
                          .detail = step_copy(sr, detail), .passed = passed};
    for (int32_t i = 0; i < p->checks_count; i++)
        if (str_eq(p->checks[i].name, check) && str_eq(p->assets[p->checks[i].asset].key, asset_key)) {
            result.warn = p->checks[i].warn;
            result.blocking = p->checks[i].blocking;
        }
    pthread_mutex_lock(&sr->lock);
    array_add(&sr->arena, &sr->checks, result);
    pthread_mutex_unlock(&sr->lock);
}

/* ---- Cursor, partition, paths ---- */

DgStatus step_read_cursor(DgStepRun *sr, DgError *err)
{
    if (sr->cursor_read)
        return DG_OK;
    sr->cursor_read = true;
    if (sr->run->options.full_refresh)
        return DG_OK;
    DgSession *s;
    DG_TRY(step_session(sr, &s, err));
    pthread_mutex_lock(&sr->lock);
    Str sql = str_format(&sr->arena,
                         "SELECT max(\"cursor\") FROM _dgc.state WHERE step = %.*s AND"
                         " \"partition\" = %.*s",
                         FMT(dg_duckdb_text(&sr->arena, sr->def->name)),
                         FMT(dg_duckdb_text(&sr->arena, sr->unit->partition)));
    pthread_mutex_unlock(&sr->lock);
    return dg_session_text(s, &sr->arena, sql, &sr->cursor, err);
}

DgStr dg_cursor(DgStepRun *sr)
{
    if (sr->cursor_set)
        return sr->new_cursor;
    DgError err = {0};
    if (step_read_cursor(sr, &err) != DG_OK) {
        /* No way to return it from here: the attempt fails at its end. */
        sr->unit->error = err;
        return (DgStr){0};
    }
    return sr->cursor;
}

DgStatus dg_set_cursor(DgStepRun *sr, DgStr json, DgError *err)
{
    DgSession *s;
    DG_TRY(step_session(sr, &s, err));
    sr->new_cursor = step_copy(sr, json);
    if (json.len && !sr->new_cursor.ptr)
        return os_no_memory(err, "keeping a cursor");
    sr->cursor_set = true;
    return DG_OK;
}

DgStr dg_partition_key(DgStepRun *sr)
{
    return sr->unit->partition;
}

bool dg_full_refresh(DgStepRun *sr)
{
    Run *run = sr->run;
    bool first = true;
    if (!run->options.full_refresh || !sr->unit->partition.len)
        return run->options.full_refresh;
    pthread_mutex_lock(&run->lock);
    for (int32_t i = 0; i < run->units_count; i++) {
        const Unit *u = &run->units[i];
        first &= u->def != sr->def || (u->state != UNIT_SUCCEEDED && u->state != UNIT_DONE_BEFORE);
    }
    pthread_mutex_unlock(&run->lock);
    return first;
}

static void add_moment(StrBuf *b, const Zone *zone, int64_t utc)
{
    CivilTime t = civil_from_seconds(zone ? utc + zone_offset(zone, utc) : utc);
    buf_format(b, "%s '%04lld-%02d-%02d %02d:%02d:%02d%s'", zone ? "TIMESTAMP" : "TIMESTAMPTZ",
               (long long)t.year, t.month, t.day, t.hour, t.minute, t.second, zone ? "" : "+00");
}

/* Keys that are no windows of time: each one of the unit's. */
static DgStatus add_keys(DgStepRun *sr, Arena *a, const PartitionSet *set, StrBuf *b, DgError *err)
{
    PartitionWindows keys;
    DG_TRY(partitions_range(a, set, sr->unit->first, sr->unit->last, 0, &keys, err));
    for (size_t i = 0; i < keys.count; i++)
        buf_format(b, "%s%.*s", i ? ", " : "", FMT(dg_duckdb_text(a, keys.items[i].key)));
    return DG_OK;
}

DgStatus dg_partition_condition(DgStepRun *sr, DgStr column, bool instants, DgStr *out, DgError *err)
{
    const Unit *u = sr->unit;
    PartitionSet set;
    Arena a;
    *out = (DgStr){0};
    if (!u->partition.len)
        return DG_OK;
    arena_init(&a, 64u << 20);
    StrBuf b = {0};
    Str name = dg_duckdb_name(&a, column);
    DgStatus status = run_partition_set(sr->run->pipeline, &a, sr->def->partitions, &set, err);
    if (status == DG_OK && set.is_time) {
        const char *cast = instants ? "%s%.*s%s" : "%sCAST(%.*s AS TIMESTAMP)%s";
        buf_format(&b, cast, "", FMT(name), " >= ");
        add_moment(&b, instants ? NULL : set.zone, u->start);
        buf_format(&b, cast, " AND ", FMT(name), " < ");
        add_moment(&b, instants ? NULL : set.zone, u->end);
    } else if (status == DG_OK) {
        buf_format(&b, "CAST(%.*s AS VARCHAR) IN (", FMT(name));
        status = add_keys(sr, &a, &set, &b, err);
        buf_char(&b, ')');
    }
    if (status == DG_OK && b.failed)
        status = os_no_memory(err, "for an SQL statement");
    if (status == DG_OK)
        *out = step_copy(sr, buf_str(&b));
    buf_free(&b);
    arena_free(&a);
    return status;
}

DgStatus dg_component_path(DgStepRun *sr, DgStr folder, DgStr path, DgStr *out, DgError *err)
{
    Arena scratch;
    arena_init(&scratch, 1 << 20);
    bool inside = path_resolve(&scratch, sr->run->options.project, folder, path, out);
    *out = inside ? step_copy(sr, *out) : (DgStr){0};
    arena_free(&scratch);
    if (inside)
        return DG_OK;
    dg_fail(err, DG_CONFIG, "the path %.*s leads out of the project", FMT(path));
    dg_hint(err, "it is relative to %.*s; an absolute path may lead anywhere", FMT(folder));
    return DG_CONFIG;
}

DgStr dg_project_path(DgStepRun *sr, DgStr path)
{
    if (path.len && path.ptr[0] == '/')
        return step_copy(sr, path);
    Str project = sr->run->options.project;
    if (path.len == 0 || str_eq(path, S(".")))
        return step_copy(sr, project);
    return dg_format(sr, "%.*s/%.*s", FMT(project), FMT(path));
}
