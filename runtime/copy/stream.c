/* stream.c - copy_stream: one entry of a replication, from its connections to its last table. */
#include "runtime/copy/copy.h"
#include "runtime/os/os.h"

bool copy_cancelled(void *copy)
{
    return dg_cancelled(((Copy *)copy)->run);
}

/* ---- Connections ---- */

static Str text_of(Copy *c, DgValue v)
{
    switch (v.kind) {
    case DG_V_STR: return v.as.s;
    case DG_V_INT: return str_format(&c->arena, "%lld", (long long)v.as.i);
    case DG_V_FLOAT: return str_format(&c->arena, "%.17g", v.as.f);
    case DG_V_BOOL: return v.as.b ? S("true") : S("false");
    default: return (Str){0};
    }
}

static DgStatus from_environment(Copy *c, Str name, DgConn *out, DgError *err)
{
    Str value;
    bool secret;
    DgStatus status = secrets_get(c->run->run->secrets, name, &value, &secret, err);
    if (status == DG_OK)
        return conn_from_text(&c->arena, name, value, out, err);
    if (status != DG_END)
        return status;
    dg_fail(err, DG_CONFIG, "there is no connection `%.*s`", FMT(name));
    dg_hint(err, "write it under `connections:`, or set the environment variable %.*s to its URL", FMT(name));
    return DG_CONFIG;
}

static DgStatus resolve(Copy *c, const DgConnConfig *config, DgConn *out, DgError *err)
{
    Str name = config->name;
    if (str_find(name, S("://")) >= 0)
        return conn_from_url(&c->arena, name, name, out, err);
    if (config->type.len || config->props.count) {
        DgPair *props = push(&c->arena, DgPair, config->props.count + 1);
        int32_t n = 0;
        for (size_t i = 0; i < config->props.count; i++) {
            const DgValuePair *pair = &DG_ITEMS(DgValuePair, config->props)[i];
            Str value = text_of(c, pair->value);
            if (value.ptr)
                props[n++] = (DgPair){pair->key, value};
        }
        return conn_from_props(&c->arena, name, config->type, props, n, out, err);
    }
    if (str_eq_nocase(name, S("local")) || str_eq_nocase(name, S("file"))) {
        *out = (DgConn){.name = name, .type = S("file")};
        return DG_OK;
    }
    if (str_eq_nocase(name, S("warehouse"))) {
        DgPair *props = push(&c->arena, DgPair, 1);
        props[0] = (DgPair){S("instance"), run_warehouse_path(c->run->run)};
        *out = (DgConn){name, S("duckdb"), props, 1};
        return DG_OK;
    }
    return from_environment(c, name, out, err);
}

/* A file of a database lies relative to the project. DuckDB has the run's share of memory and threads,
 * as the pipeline's own warehouse has, unless the connection says otherwise. */
static void anchor(Copy *c, DgConn *conn)
{
    bool duckdb = str_eq(conn->type, S("duckdb"));
    const RunOptions *o = &c->run->run->options;
    if (!str_eq(conn->type, S("sqlite")) && !duckdb)
        return;
    DgPair *props = push(&c->arena, DgPair, conn->props_count + 2);
    for (int32_t i = 0; i < conn->props_count; i++) {
        props[i] = conn->props[i];
        bool path = str_eq(props[i].key, S("instance")) || str_eq(props[i].key, S("database")) || str_eq(props[i].key, S("path"));
        if (path && props[i].value.len && props[i].value.ptr[0] != '/' && props[i].value.ptr[0] != ':')
            props[i].value = dg_project_path(c->run, props[i].value);
    }
    int32_t count = conn->props_count;
    if (duckdb && !conn_prop(conn, "memory").len)
        props[count++] = (DgPair){S("memory"), str_format(&c->arena, "%lld", (long long)(o->memory_max / 4 * 3))};
    if (duckdb && !conn_prop(conn, "threads").len)
        props[count++] = (DgPair){S("threads"), str_format(&c->arena, "%d", (int)o->threads)};
    conn->props = props;
    conn->props_count = count;
}

static const DgConnConfig *find_config(const Copy *c, Str name)
{
    const DgStreamStep *s = c->step;
    for (size_t i = 0; i < s->connections.count; i++)
        if (str_eq(DG_ITEMS(DgConnConfig, s->connections)[i].name, name))
            return &DG_ITEMS(DgConnConfig, s->connections)[i];
    return str_eq(s->source.name, name) ? &s->source : str_eq(s->target.name, name) ? &s->target : NULL;
}

DgStatus copy_connection(Copy *c, Str name, DgConn *out, DgError *err)
{
    const DgConnConfig *config = find_config(c, name), bare = {.name = name};
    DG_TRY(resolve(c, config ? config : &bare, out, err));
    anchor(c, out);
    return DG_OK;
}

DgStatus copy_resolve_end(Copy *c, const DgConnConfig *config, CopyEnd *end, DgError *err)
{
    DG_TRY(resolve(c, config, &end->conn, err));
    anchor(c, &end->conn);
    if (!conn_is_database(&end->conn))
        return DG_OK;
    end->engine = engine_find(end->conn.type);
    return end->engine ? DG_OK : dg_fail(err, DG_BUG, "no engine for `%.*s`", FMT(end->conn.type));
}

static void tell_retry(void *context, const DgError *why, int attempt, int attempts, int64_t wait_ms)
{
    Copy *c = context;
    dg_log(c->run, DG_LOG_WARNING, "%s; trying again in %.1f s (%d of %d)", why->message, (double)wait_ms / 1000, attempt + 1, attempts);
}

DgStatus copy_open_store(Copy *c, const DgConn *conn, DgFs **out, DgError *err)
{
    DG_TRY(fs_open(conn, c->run->run->options.project, out, err));
    fs_watch(*out, &(DgFsWatch){.retrying = tell_retry, .cancelled = copy_cancelled, .context = c});
    return DG_OK;
}

DgStatus copy_open_end(Copy *c, CopyEnd *end, DgError *err)
{
    return end->engine ? end->engine->open(&end->conn, &end->db, err) : copy_open_store(c, &end->conn, &end->fs, err);
}

void copy_close_end(CopyEnd *end)
{
    if (end->engine)
        end->engine->close(end->db);
    if (end->fs)
        fs_close(end->fs);
    *end = (CopyEnd){0};
}

/* ---- The target's object ---- */

Str copy_object_of(const Copy *c)
{
    return c->s->object.len   ? c->s->object
           : !c->target.engine ? S("{stream_name}.parquet")
           : c->source.engine  ? S("{target_schema}.{stream_schema}_{stream_table}")
                               : S("{target_schema}.{stream_file_folder}_{stream_file_name}");
}

DgStatus copy_name_object(Copy *c, DgError *err)
{
    DG_TRY(copy_expand(c, copy_object_of(c), &c->object, err));
    if (!c->target.engine)
        return DG_OK;
    if (!table_name_parse(&c->arena, c->object, &c->to))
        return dg_fail(err, DG_CONFIG, "`object: %.*s` is no table name", FMT(c->object));
    if (!c->to.schema.len) {
        Str schema = conn_prop(&c->target.conn, "schema");
        c->to.schema = schema.len ? schema
                       : c->target.engine->dialect->default_schema ? str_from(c->target.engine->dialect->default_schema)
                                                                   : (Str){0};
    }
    return DG_OK;
}

/* ---- One table, query, or set of files ---- */

DgStatus copy_describe_source(Copy *c, DgError *err)
{
    c->info = (DgTableInfo){0};
    if (!c->source.engine || c->s->sql.len)
        return DG_OK;
    DgStatus status = c->source.engine->describe(c->source.db, &c->arena, c->from, &c->info, err);
    if (status != DG_END)
        return status;
    dg_fail(err, DG_CONFIG, "there is no table `%.*s` in %s", FMT(c->name), c->source.engine->title);
    dg_hint(err, "`dgc conns discover %.*s` lists what there is", FMT(c->source.conn.name));
    return DG_CONFIG;
}

/* For `ignore_existing`. */
static DgStatus target_exists(Copy *c, bool *there, DgError *err)
{
    DgTableInfo table;
    DgFsItems items = {0};
    Str connection, path;
    DgStatus status;
    if (c->target.engine) {
        status = c->target.engine->describe(c->target.db, &c->arena, c->to, &table, err);
        *there = status == DG_OK;
        return status == DG_END ? DG_OK : status;
    }
    if (!fs_split_url(&c->arena, c->object, &connection, &path))
        path = c->object;
    DG_TRY(fs_list(c->target.fs, &c->arena, path, &items, err));
    *there = items.count > 0;
    return DG_OK;
}

static DgStatus one(Copy *c, DgError *err)
{
    DG_TRY(copy_describe_source(c, err));
    DG_TRY(copy_name_object(c, err));
    bool skip = false;
    if (c->s->target_options.ignore_existing == 1)
        DG_TRY(target_exists(c, &skip, err));
    if (skip) {
        dg_log(c->run, DG_LOG_INFO, "%.*s is there already", FMT(c->object));
        return DG_OK;
    }
    c->rows_total = 0;
    c->status = S("running");
    DgStatus status = hooks_run(c, &c->s->hooks.pre, err);
    if (status == DG_END) { /* a hook says so */
        dg_log(c->run, DG_LOG_WARNING, "`%.*s` is skipped", FMT(c->name));
        return DG_OK;
    }
    DG_TRY(status);
    DG_TRY(c->target.engine ? copy_to_table(c, err) : copy_to_files(c, err));
    c->status = S("success");
    status = hooks_run(c, &c->s->hooks.post, err);
    if (status == DG_OK || status == DG_END)
        copy_note_table(c);
    return status == DG_END ? DG_OK : status;
}

static bool is_wildcard(Str s)
{
    return str_find_char(s, '*') >= 0 || str_find_char(s, '?') >= 0;
}

DgStatus copy_name_stream(Copy *c, DgError *err)
{
    c->name = c->step->stream;
    if (!c->source.engine || table_name_parse(&c->arena, c->step->stream, &c->from))
        return DG_OK;
    if (!c->s->sql.len)
        return dg_fail(err, DG_CONFIG, "`%.*s` is no table name; a stream with another name needs `sql:`", FMT(c->step->stream));
    c->from = (DgTableName){.table = c->step->stream};
    return DG_OK;
}

static DgStatus all(Copy *c, DgError *err)
{
    DG_TRY(copy_name_stream(c, err));
    if (!c->source.engine)
        return copy_files_apart(c) ? copy_each_file(c, one, err) : one(c, err);
    return is_wildcard(c->from.table) && !c->s->sql.len ? copy_each_table(c, one, err) : one(c, err);
}

DgStatus copy_stream(DgStepRun *run, const DgStreamStep *step, DgError *err)
{
    Copy c = {.run = run, .step = step, .s = &step->settings, .started_us = os_real_us()};
    arena_init(&c.arena, 256 << 20);
    c.incremental = step->settings.mode == DG_COPY_INCREMENTAL || step->settings.mode == DG_COPY_BACKFILL;
    if (run->run->options.full_refresh)
        c.incremental = false;
    DgStatus status = copy_resolve_end(&c, &step->source, &c.source, err);
    if (status == DG_OK)
        status = copy_resolve_end(&c, &step->target, &c.target, err);
    if (status == DG_OK)
        status = conn_must_exist(&c.source.conn, err);
    if (status == DG_OK)
        status = copy_open_end(&c, &c.source, err);
    if (status == DG_OK)
        status = copy_open_end(&c, &c.target, err);
    if (status == DG_OK)
        status = all(&c, err);
    if (status == DG_OK)
        copy_report_noted(&c);
    copy_close_end(&c.source);
    copy_close_end(&c.target);
    arena_free(&c.arena);
    return status;
}

/* Rows and fate of the streams that were to come before: what hooks.end can ask for. */
static void look_back(Copy *c)
{
    Run *run = c->run->run;
    const DgStepDef *def = c->run->def;
    c->status = S("success");
    pthread_mutex_lock(&run->lock);
    for (int32_t i = 0; i < run->units_count; i++) {
        const Unit *u = &run->units[i];
        bool before = false;
        for (int32_t k = 0; k < def->after.count; k++)
            before = before || def->after.items[k] == u->step;
        if (!before || u->def->around.count)
            continue;
        c->rows_total += u->rows;
        if (u->state != UNIT_SUCCEEDED && u->state != UNIT_DONE_BEFORE)
            c->status = S("error");
    }
    pthread_mutex_unlock(&run->lock);
}

DgStatus copy_hooks(DgStepRun *run, const DgStreamStep *step, const DgList *hooks, DgError *err)
{
    Copy c = {.run = run, .step = step, .s = &step->settings, .started_us = os_real_us(), .status = S("running")};
    arena_init(&c.arena, 256 << 20);
    if (run->def->always)
        look_back(&c);
    DgStatus status = copy_resolve_end(&c, &step->source, &c.source, err);
    if (status == DG_OK)
        status = copy_resolve_end(&c, &step->target, &c.target, err);
    if (status == DG_OK)
        status = copy_open_end(&c, &c.source, err);
    if (status == DG_OK)
        status = copy_open_end(&c, &c.target, err);
    if (status == DG_OK)
        status = hooks_run(&c, hooks, err);
    copy_close_end(&c.source);
    copy_close_end(&c.target);
    arena_free(&c.arena);
    return status == DG_END ? DG_OK : status;
}
