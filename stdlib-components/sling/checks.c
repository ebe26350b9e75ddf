/* checks.c - what Sling finds out when it runs, or never: told when building, at its place. */
#include "runtime/copy/chunks.h"
#include "stdlib-components/sling/replication.h"

static bool equal(DgStr s, const char *text)
{
    size_t n = strlen(text);
    return s.len == (ptrdiff_t)n && memcmp(s.ptr, text, n) == 0;
}

static bool has(DgStr s, char c)
{
    return s.len > 0 && memchr(s.ptr, c, (size_t)s.len) != NULL;
}

static bool one_of(DgStr s, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (equal(s, names[i]))
            return true;
    return false;
}

/* ---- Connections ---- */

/* The type of a connection that the component names; empty: only the run knows. */
static DgStr type_of(DgPlanner *p, const ReplicationContext *c, DgStr name)
{
    for (size_t i = 0; i < c->connections.count; i++) {
        const DgConnEntry *e = &DG_ITEMS(DgConnEntry, c->connections)[i];
        bool same = e->key.len == name.len && memcmp(e->key.ptr, name.ptr, (size_t)name.len) == 0;
        if (same && p->api->is_known(p, &e->type) && e->type.kind == DG_V_STR)
            return e->type.as.s;
    }
    return (DgStr){0};
}

static bool is_store(DgPlanner *p, const ReplicationContext *c, DgStr name)
{
    static const char *const stores[] = {"file", "local", "http", "https", "s3", "r2", "minio", NULL};
    DgStr type = type_of(p, c, name);
    return (type.len && one_of(type, stores)) || (name.len == 5 && memcmp(name.ptr, "local", 5) == 0) || equal(name, "LOCAL") || equal(name, "file");
}

void dg_replication_check_connections(DgPlanner *p, const ReplicationContext *c)
{
    static const char *const types[] = {"postgres", "mysql", "mariadb", "sqlite", "duckdb", "file", "http", "s3",
                                        "postgresql", "pg", "sqlite3", "local", "https", "r2", "minio", NULL};
    for (size_t i = 0; i < c->connections.count; i++) {
        const DgConnEntry *e = &DG_ITEMS(DgConnEntry, c->connections)[i];
        if (!p->api->is_set(p, &e->type) && !p->api->is_set(p, &e->url) && !p->api->is_set(p, &e->connection_string))
            p->api->report(p, "E0106", e, "for example `type: postgres`", "connection `%.*s` needs `type`", (int)e->key.len, e->key.ptr);
        if (e->type.kind == DG_V_STR && !one_of(e->type.as.s, types))
            p->api->report_name(p, &e->type, "type", e->type.as.s, types, "dgc does not move data to or from `%.*s`",
                                (int)e->type.as.s.len, e->type.as.s.ptr);
    }
}

/* ---- Values out of a list ---- */

static void check_name(DgPlanner *p, const DgStr *field, const char *key, const char *const *names)
{
    if (field->len && p->api->is_known(p, field) && !has(*field, '{') && !one_of(*field, names))
        p->api->report_name(p, field, "name", *field, names, "`%s` cannot be `%.*s`", key, (int)field->len, field->ptr);
}

static void check_names(DgPlanner *p, const DgStreamSettings *s)
{
    static const char *const casings[] = {"source", "target", "normalize", "snake", "upper", "lower", "camel", NULL};
    static const char *const strategies[] = {"update_insert", "delete_insert", "insert", "update", "history_insert", NULL};
    static const char *const contracts[] = {"evolve", "freeze", "discard_row", "discard_value", NULL};
    static const char *const formats[] = {"csv", "tsv", "json", "jsonlines", "ndjson", "parquet", "xlsx", "raw", NULL};
    static const char *const written[] = {"csv", "tsv", "json", "jsonlines", "ndjson", "parquet", NULL};
    static const char *const packed[] = {"auto", "none", "gzip", "zstd", NULL};
    static const char *const packs[] = {"auto", "none", "gzip", "zstd", "snappy", NULL};
    static const char *const encodings[] = {"utf8", "utf8_bom", NULL};
    check_name(p, &s->contract, "contract", contracts);
    check_name(p, &s->source_options.format, "format", formats);
    check_name(p, &s->source_options.compression, "compression", packed);
    check_name(p, &s->target_options.format, "format", written);
    check_name(p, &s->target_options.compression, "compression", packs);
    check_name(p, &s->target_options.encoding, "encoding", encodings);
    check_name(p, &s->target_options.column_casing, "column_casing", casings);
    if (equal(s->target_options.merge_strategy, "upsert") || equal(s->target_options.merge_strategy, "merge"))
        p->api->report(p, "E0110", &s->target_options.merge_strategy, "write `update_insert`: rows that are there are updated, others inserted",
                       "`merge_strategy` cannot be `%.*s`", (int)s->target_options.merge_strategy.len, s->target_options.merge_strategy.ptr);
    else
        check_name(p, &s->target_options.merge_strategy, "merge_strategy", strategies);
}

/* ---- {variables} ---- */

static bool in_env(const Replication *r, DgStr name)
{
    for (size_t i = 0; i < r->env.count; i++) {
        DgStr key = DG_ITEMS(DgValuePair, r->env)[i].key;
        if (key.len == name.len && memcmp(key.ptr, name.ptr, (size_t)name.len) == 0)
            return true;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* `{name}`: what SQL and JSON have in braces is mostly not a name. */
static DgStr braced_name(DgStr text, ptrdiff_t open)
{
    ptrdiff_t i = open + 1;
    while (i < text.len && (is_letter(text.ptr[i]) || text.ptr[i] == '.' || (i > open + 1 && text.ptr[i] >= '0' && text.ptr[i] <= '9')))
        i++;
    bool closed = i < text.len && text.ptr[i] == '}' && i > open + 1 && i - open < 64;
    return closed ? (DgStr){text.ptr + open + 1, i - open - 1} : (DgStr){0};
}

static void check_text(DgPlanner *p, const Replication *r, const DgStr *field, const void *at, bool query)
{
    for (ptrdiff_t i = 0; i < field->len; i++) {
        if (field->ptr[i] != '{')
            continue;
        DgStr name = braced_name(*field, i);
        if (!name.len || dg_variable_known(name) || in_env(r, name) || (query && dg_placeholder_known(name)))
            continue;
        p->api->report_name(p, at, "variable", name, dg_variable_names, "`{%.*s}` is no variable of a replication", (int)name.len, name.ptr);
    }
}

static void check_variables(DgPlanner *p, const Replication *r, const DgStreamSettings *s)
{
    const DgTargetOptions *o = &s->target_options;
    check_text(p, r, &s->object, &s->object, false);
    check_text(p, r, &s->where, &s->where, true);
    check_text(p, r, &s->sql, &s->sql, true);
    check_text(p, r, &o->pre_sql, &o->pre_sql, false);
    check_text(p, r, &o->post_sql, &o->post_sql, false);
    check_text(p, r, &o->table_ddl, &o->table_ddl, true);
    for (size_t i = 0; i < s->files.count; i++)
        check_text(p, r, &DG_ITEMS(DgStr, s->files)[i], &s->files, false);
}

/* ---- Types of columns ---- */

static void check_type(DgPlanner *p, const void *at, DgValue name, DgValue type)
{
    ptrdiff_t end = 0;
    DgType known;
    DgStr text = type.as.s;
    if (name.kind != DG_V_STR || type.kind != DG_V_STR) {
        p->api->report(p, "E0110", at, "write `columns: {amount: 'decimal(12,2)'}`, or a list of `{name: amount, type: ...}`",
                       "`columns` are names with types");
        return;
    }
    while (end < text.len && text.ptr[end] != '|') /* what follows is a constraint */
        end++;
    text.len = end;
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    if (text.len && !dg_column_type(text, &known))
        p->api->report_name(p, at, "type", text, dg_column_type_names, "`%.*s` is no column type, for column `%.*s`", (int)text.len,
                            text.ptr, (int)name.as.s.len, name.as.s.ptr);
}

static DgValue part(DgValue dict, const char *key)
{
    for (size_t i = 0; dict.kind == DG_V_DICT && i < dict.as.dict->count; i++)
        if (dict.as.dict->keys[i].kind == DG_V_STR && equal(dict.as.dict->keys[i].as.s, key))
            return dict.as.dict->values[i];
    return (DgValue){.kind = DG_V_NONE};
}

static void check_columns(DgPlanner *p, const DgStreamSettings *s)
{
    DgValue v = s->columns;
    for (size_t i = 0; v.kind == DG_V_DICT && i < v.as.dict->count; i++)
        check_type(p, &s->columns, v.as.dict->keys[i], v.as.dict->values[i]);
    for (size_t i = 0; v.kind == DG_V_LIST && i < v.as.list->count; i++)
        check_type(p, &s->columns, part(v.as.list->items[i], "name"), part(v.as.list->items[i], "type"));
    if (v.kind != DG_V_NONE && v.kind != DG_V_DICT && v.kind != DG_V_LIST)
        check_type(p, &s->columns, v, v);
}

/* ---- Values of a form ---- */

static void check_forms(DgPlanner *p, const DgStreamSettings *s)
{
    const DgSourceOptions *o = &s->source_options;
    DgValue missing = s->target_options.delete_missing, type = missing.kind == DG_V_DICT ? part(missing, "type") : missing;
    if (o->chunk_size.kind != DG_V_NONE && p->api->is_known(p, &o->chunk_size) && !chunks_size_known(o->chunk_size))
        p->api->report(p, "E0110", &o->chunk_size, "write a number, or a time like 6h, 7d, 1w, 1m for a month, 1y", "`chunk_size` is no size");
    if (o->flatten.kind != DG_V_NONE && o->flatten.kind != DG_V_BOOL && o->flatten.kind != DG_V_INT)
        p->api->report(p, "E0108", &o->flatten, "write true, false, or how many levels", "`flatten` is true, false or a number");
    if (missing.kind == DG_V_NONE)
        return;
    if (type.kind != DG_V_STR || (!equal(type.as.s, "soft") && !equal(type.as.s, "hard")))
        p->api->report(p, "E0110", &s->target_options.delete_missing, "write soft or hard", "`delete_missing` is `soft` or `hard`");
    else if (missing.kind == DG_V_DICT && missing.as.dict->count > 1)
        p->api->report(p, "E0110", &s->target_options.delete_missing, "write `delete_missing: soft` and let the stream's `where` choose the rows",
                       "`delete_missing` with conditions of its own is not supported");
    else if (s->mode == DG_COPY_INCREMENTAL && p->api->is_set(p, &s->update_key))
        p->api->report(p, "E0110", &s->target_options.delete_missing, "leave `update_key` out: with `primary_key` alone all rows are read",
                       "`delete_missing` needs all rows of the source, and `update_key` reads only new ones");
}

/* ---- Keys that go together ---- */

/* A backfill's range in chunks, when all of it is known. */
static void check_chunks(DgPlanner *p, const DgStreamSettings *s)
{
    const DgSourceOptions *o = &s->source_options;
    const void *at = o->chunk_size.kind != DG_V_NONE ? (const void *)&o->chunk_size : (const void *)&o->chunk_count;
    Arena scratch;
    CopyChunks chunks = {0};
    DgError why = {0};
    if (p->api->is_set(p, &o->chunk_expr))
        p->api->report(p, "E0110", &o->chunk_expr, "write `chunk_size: 7d`, or `chunk_count: 10`", "a backfill is cut by its range, not by `chunk_expr`");
    if ((o->chunk_size.kind == DG_V_NONE && !o->chunk_count) || !p->api->is_known(p, &o->range) || has(o->range, '{') ||
        !p->api->is_known(p, at) || (o->chunk_size.kind != DG_V_NONE && !chunks_size_known(o->chunk_size)))
        return;
    arena_init(&scratch, 4 << 20);
    if (chunks_of(&scratch, o, &chunks, &why) != DG_OK)
        p->api->report(p, "E0110", at, why.hint[0] ? why.hint : NULL, "%s", why.message);
    arena_free(&scratch);
}

static void check_mode(DgPlanner *p, const DgStreamSettings *own, const DgStreamSettings *s)
{
    const void *at = p->api->is_set(p, &s->mode) ? (const void *)&s->mode : own;
    int length = (int)own->key.len;
    const char *name = own->key.ptr;
    bool primary = p->api->is_set(p, &s->primary_key), update = p->api->is_set(p, &s->update_key), range = p->api->is_set(p, &s->source_options.range);
    if (s->mode == DG_COPY_CHANGE_CAPTURE)
        p->api->report(p, "E0110", at, "use `mode: incremental` with an `update_key`, and `delete_missing` for rows that go away",
                       "the mode change-capture is not supported");
    if (s->mode == DG_COPY_INCREMENTAL && !primary && !update)
        p->api->report(p, "E0106", at, "add `update_key: updated_at`, `primary_key: id`, or both",
                       "stream `%.*s` is incremental and has neither `primary_key` nor `update_key`", length, name);
    if (s->mode != DG_COPY_BACKFILL)
        return;
    if (!primary || !update)
        p->api->report(p, "E0106", at, "a part that is loaded again replaces its rows by `primary_key`; `update_key` says which rows are in the range",
                       "stream `%.*s` is a backfill and needs `primary_key` and `update_key`", length, name);
    DgStr text = s->source_options.range;
    const char *comma = text.len ? memchr(text.ptr, ',', (size_t)text.len) : NULL;
    if (!range)
        p->api->report(p, "E0106", at, "add `source_options: {range: '2024-01-01,2024-02-01'}`",
                       "stream `%.*s` is a backfill and says no `range`", length, name);
    else if (p->api->is_known(p, &s->source_options.range) && !has(text, '{') &&
             (!comma || memchr(comma + 1, ',', (size_t)(text.ptr + text.len - comma - 1))))
        p->api->report(p, "E0110", &s->source_options.range, "write `range: '2024-01-01,2024-02-01'`", "a `range` is two values with a comma between");
    else if (range)
        check_chunks(p, s);
}

static bool same_nocase(DgStr a, DgStr b)
{
    for (ptrdiff_t i = 0; i < a.len && a.len == b.len; i++)
        if ((a.ptr[i] | 32) != (b.ptr[i] | 32))
            return false;
    return a.len == b.len;
}

static bool object_varies(DgStr object)
{
    for (ptrdiff_t i = 0; i < object.len; i++) {
        DgStr name = object.ptr[i] == '{' ? braced_name(object, i) : (DgStr){0};
        if (name.len > 7 && memcmp(name.ptr, "stream", 6) == 0)
            return true;
    }
    return object.len == 0;
}

static void check_object(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *own, const DgStreamSettings *s)
{
    bool known = p->api->is_known(p, &s->object);
    if (known && !s->sql.len && (has(own->key, '*') || has(own->key, '?')) && !is_store(p, c, r->source) && !has(own->key, '/') && !object_varies(s->object))
        p->api->report(p, "E0110", p->api->is_set(p, &s->object) ? (const void *)&s->object : own, "write `{stream_table}` into it",
                       "stream `%.*s` is many tables, and its `object` names one", (int)own->key.len, own->key.ptr);
    if (known && s->single == 2 && has(own->key, '*') && is_store(p, c, r->source) && s->object.len && !copy_object_tells_files(s->object))
        p->api->report(p, "E0110", p->api->is_set(p, &s->single) ? (const void *)&s->single : own,
                       "write `{stream_file_name}` into `object`, or leave `single` out: all files go to the one",
                       "stream `%.*s` is many files, each for itself, and its `object` names one", (int)own->key.len, own->key.ptr);
    if (known && r->source.len && same_nocase(r->source, r->target) && s->object.len && same_nocase(s->object, own->key))
        p->api->report(p, "E0110", &s->object, "name another table or file", "stream `%.*s` would be written over itself", (int)own->key.len, own->key.ptr);
}

static DgStr own_object(const Replication *r, const DgStreamSettings *s)
{
    return s->object.len ? s->object : r->defaults.object;
}

/* With a slash or a star at its end, or neither: the same folder. */
static DgStr folder_of(DgStr object)
{
    while (object.len && (object.ptr[object.len - 1] == '*' || object.ptr[object.len - 1] == '/'))
        object.len--;
    return object;
}

/* Streams that write files to one place: each would take the other's for its own leftovers. Snapshots only add. */
static void check_place(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *own, const DgStreamSettings *s)
{
    DgStr object = own_object(r, own);
    if (!is_store(p, c, r->target) || s->mode == DG_COPY_SNAPSHOT || object_varies(object))
        return;
    for (const DgStreamSettings *other = r->streams.items; other < own; other++) {
        DgStr theirs = own_object(r, other), mine = folder_of(object);
        if (other->disabled == 1 || folder_of(theirs).len != mine.len || memcmp(theirs.ptr, mine.ptr, (size_t)mine.len) != 0)
            continue;
        p->api->report(p, "E0110", own->object.len ? (const void *)&own->object : own, "write `{stream_table}` into it, or name another place",
                       "streams `%.*s` and `%.*s` write the same files, and each would replace the other's", (int)other->key.len,
                       other->key.ptr, (int)own->key.len, own->key.ptr);
        return;
    }
}

/* ---- Types and keys ---- */

static void check_number(DgPlanner *p, const DgValue *at, const char *key, DgValue v, int64_t most)
{
    if (v.kind != DG_V_NONE && (v.kind != DG_V_INT || v.as.i < -1 || v.as.i > most))
        p->api->report(p, "E0110", at, "write a whole number", "`%s` is a number up to %lld", key, (long long)most);
}

static void check_decimals(DgPlanner *p, const DgStreamSettings *s)
{
    check_number(p, &s->source_options.max_decimals, "max_decimals", s->source_options.max_decimals, 38);
    check_number(p, &s->target_options.max_decimals, "max_decimals", s->target_options.max_decimals, 38);
}

/* `cast_as` is one of two words; NULL: there is no such key. */
static void check_rule(DgPlanner *p, const DgValue *at, DgStr type, DgValue rule)
{
    static const struct { const char *type, *key, *words[3]; int64_t most; } keys[] = {
        {"string", "length_factor", {NULL}, 1000}, {"string", "min_length", {NULL}, 1 << 30}, {"string", "max_length", {NULL}, 1 << 30},
        {"string", "use_max", {NULL}, 0}, {"string", "note", {NULL}, -2}, {"decimal", "min_precision", {NULL}, 38}, {"decimal", "max_precision", {NULL}, 38},
        {"decimal", "min_scale", {NULL}, 38}, {"decimal", "max_scale", {NULL}, 38}, {"decimal", "cast_as", {"float", "string", NULL}, 0},
        {"json", "as_text", {NULL}, 0}, {"boolean", "cast_as", {"integer", "string", NULL}, 0}};
    enum { KEYS = sizeof keys / sizeof *keys };
    const char *names[KEYS + 1] = {NULL};
    size_t n = 0;
    for (size_t k = 0; k < KEYS; k++)
        if (equal(type, keys[k].type))
            names[n++] = keys[k].key;
    for (size_t i = 0; rule.kind == DG_V_DICT && i < rule.as.dict->count; i++) {
        DgValue key = rule.as.dict->keys[i], v = rule.as.dict->values[i];
        size_t k = 0;
        while (k < KEYS && !(key.kind == DG_V_STR && equal(type, keys[k].type) && equal(key.as.s, keys[k].key)))
            k++;
        if (k == KEYS)
            p->api->report_name(p, at, "key", key.kind == DG_V_STR ? key.as.s : (DgStr){0}, names, "`column_typing.%.*s` has no key `%.*s`", (int)type.len,
                                type.ptr, key.kind == DG_V_STR ? (int)key.as.s.len : 0, key.kind == DG_V_STR ? key.as.s.ptr : "");
        else if (keys[k].words[0] && (v.kind != DG_V_STR || !one_of(v.as.s, keys[k].words)))
            p->api->report(p, "E0110", at, "write one of the two", "`column_typing.%.*s.cast_as` is `%s` or `%s`", (int)type.len, type.ptr, keys[k].words[0],
                           keys[k].words[1]);
        else if (!keys[k].words[0] && keys[k].most == 0 && v.kind != DG_V_BOOL)
            p->api->report(p, "E0108", at, "write true or false", "`%s` is true or false", keys[k].key);
        else if (keys[k].most > 0)
            check_number(p, at, keys[k].key, v, keys[k].most);
    }
}

static void check_typing(DgPlanner *p, const DgStreamSettings *s)
{
    static const char *const types[] = {"string", "decimal", "json", "boolean", NULL};
    const DgValue *at = &s->target_options.column_typing;
    if (at->kind != DG_V_NONE && at->kind != DG_V_DICT)
        p->api->report(p, "E0110", at, "write `column_typing: {string: {length_factor: 2}, decimal: {max_scale: 4}}`", "`column_typing` is rules by type");
    for (size_t i = 0; at->kind == DG_V_DICT && i < at->as.dict->count; i++) {
        DgStr type = at->as.dict->keys[i].kind == DG_V_STR ? at->as.dict->keys[i].as.s : (DgStr){0};
        if (one_of(type, types))
            check_rule(p, at, type, at->as.dict->values[i]);
        else
            p->api->report_name(p, at, "type", type, types, "`column_typing` has no rules for `%.*s`", (int)type.len, type.ptr);
    }
}

static void check_key(DgPlanner *p, const ReplicationContext *c, DgStr target, const DgStreamSettings *s, DgStr kind)
{
    static const char *const known[] = {"primary", "unique", "index", NULL};
    static const char *const others[] = {"aggregate", "cluster", "duplicate", "distribution", "hash", "partition", "sort", "update", NULL};
    const DgValue *at = &s->target_options.table_keys;
    DgStr type = type_of(p, c, target);
    bool duckdb = equal(type, "duckdb") || equal(target, "warehouse");
    if (one_of(kind, others))
        p->api->report(p, "E0110", at, "leave it out, or make the table with `table_ddl`", "PostgreSQL, MySQL, SQLite and DuckDB have no `table_keys.%.*s`",
                       (int)kind.len, kind.ptr);
    else if (!one_of(kind, known))
        p->api->report_name(p, at, "key", kind, known, "`table_keys` has no kind `%.*s`", (int)kind.len, kind.ptr);
    else if (duckdb && !equal(kind, "index"))
        p->api->report(p, "E0110", at, "leave it out: `primary_key` of the stream tells rows apart, and a `unique` check of `dgc.Checks` watches over them",
                       "DuckDB checks `table_keys.%.*s` before old rows are gone, so rows could not be replaced", (int)kind.len, kind.ptr);
    else if (equal(kind, "primary") && equal(s->target_options.merge_strategy, "history_insert"))
        p->api->report(p, "E0110", at, "write `index` instead of `primary`", "a history has several rows of one key: `table_keys.primary` cannot be kept");
}

static void check_keys(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *s)
{
    const DgValue *at = &s->target_options.table_keys;
    if (at->kind != DG_V_NONE && at->kind != DG_V_DICT)
        p->api->report(p, "E0110", at, "write `table_keys: {primary: [id], index: [a, b]}`", "`table_keys` is columns by kind of key");
    for (size_t i = 0; at->kind == DG_V_DICT && i < at->as.dict->count; i++)
        check_key(p, c, r->target, s, at->as.dict->keys[i].kind == DG_V_STR ? at->as.dict->keys[i].as.s : (DgStr){0});
}

static void check_nesting(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *s)
{
    const void *at = &s->max_table_nesting;
    if (!p->api->is_known(p, at) || s->max_table_nesting <= 0)
        return;
    if (equal(s->target_options.merge_strategy, "history_insert"))
        p->api->report(p, "E0110", at, "leave it out: lists are part of the row's history as JSON", "`max_table_nesting` does not go with `merge_strategy: history_insert`");
    if (equal(s->contract, "discard_row"))
        p->api->report(p, "E0110", at, "set `contract: discard_value`, or `freeze`",
                       "`max_table_nesting` does not go with `contract: discard_row`: a row would lose a part of its lists");
    if (s->mode == DG_COPY_DEFINITION_ONLY)
        p->api->report(p, "E0110", at, "leave it out, or load rows", "`definition-only` reads no rows, and what there is in JSON only rows tell");
    if (is_store(p, c, r->target))
        p->api->report(p, "E0110", at, "leave it out, or load into a database", "files have no tables for `max_table_nesting`");
}

/* ---- What is not there: told, never left out ---- */

static void refuse(DgPlanner *p, const void *field, const char *key, const char *help)
{
    if (p->api->is_set(p, field))
        p->api->report(p, "E0110", field, help, "`%s` is not supported", key);
}

static void check_absent(DgPlanner *p, const DgStreamSettings *s)
{
    const DgSourceOptions *o = &s->source_options;
    refuse(p, &o->jq, "jq", "`jmespath: a.b[]` says where the records are; what jq computes is done by `transforms` or by a model on the table");
}

/* A condition or a query is for a database; files are read as they are. */
static void check_files(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *s)
{
    static const char help[] = "load the files into a table, and let a model or a second stream choose the rows";
    if (!is_store(p, c, r->source))
        return;
    if (p->api->is_set(p, &s->where))
        p->api->report(p, "E0110", &s->where, help, "`where` needs a database to read from, and `%.*s` has files", (int)r->source.len, r->source.ptr);
    if (p->api->is_set(p, &s->sql))
        p->api->report(p, "E0110", &s->sql, help, "`sql` needs a database to read from, and `%.*s` has files", (int)r->source.len, r->source.ptr);
    if (s->mode == DG_COPY_BACKFILL)
        p->api->report(p, "E0110", &s->mode, "`mode: incremental` with `primary_key` loads files again and replaces their rows",
                       "a backfill needs a database to read from, and `%.*s` has files", (int)r->source.len, r->source.ptr);
    if (equal(s->update_key, "_sling_loaded_at") || equal(s->update_key, "."))
        p->api->report(p, "E0110", &s->update_key, "name a column of the rows, or `primary_key` alone",
                       "when a file was changed does not tell whether its rows were loaded");
}

void dg_replication_check(DgPlanner *p, const Replication *r, const ReplicationContext *c, const DgStreamSettings *own, const DgStreamSettings *s)
{
    check_names(p, s);
    check_variables(p, r, s);
    check_columns(p, s);
    check_forms(p, s);
    check_decimals(p, s);
    check_typing(p, s);
    check_keys(p, r, c, s);
    check_nesting(p, r, c, s);
    check_mode(p, own, s);
    check_object(p, r, c, own, s);
    check_files(p, r, c, s);
    check_place(p, r, c, own, s);
    check_absent(p, s);
}

/* ---- Once for the whole ---- */

static void check_hook_places(DgPlanner *p, const DgHooks *h, bool whole)
{
    const DgList *wrong[] = {whole ? &h->pre : &h->start, whole ? &h->post : &h->end, whole ? &h->pre_merge : NULL, whole ? &h->post_merge : NULL};
    for (size_t i = 0; i < 4; i++)
        if (wrong[i] && wrong[i]->count)
            p->api->report(p, "E0110", wrong[i], whole ? "put it under `defaults: {hooks: ...}`, or under the stream" : "put it under `hooks` of the replication",
                           whole ? "hooks of the replication are `start` and `end`" : "hooks of a stream are `pre`, `post`, `pre_merge` and `post_merge`");
}

/* Sling's settings. The first ones are done; the next bear on speed, logs and retries, which are the run's. */
static void check_env(DgPlanner *p, const Replication *r)
{
    static const char *const known[] = {
        "SLING_LOADED_AT_COLUMN", "SLING_SYNCED_AT_COLUMN", "SLING_ALLOW_EMPTY", "SLING_ON_CONSTRAINT_FAILURE", "SLING_THREADS", "SLING_RETRIES",
        "SLING_RETRY_DELAY", "SLING_TIMEOUT", "SLING_SAMPLE_SIZE", "SLING_KEEP_TEMP", "SLING_TEMP_DIR", "SLING_POOL", "SLING_MERGE_READERS",
        "SLING_MAX_BUFFER_SIZE", "SLING_LOGGING", "SLING_LOG_DIR", "SLING_HOME_DIR", "SLING_CLI_TOKEN", "SLING_STATE", NULL};
    static const char *const absent[] = {"SLING_STREAM_URL_COLUMN", "SLING_ROW_NUM_COLUMN", "SLING_ROW_ID_COLUMN", "SLING_SCHEMA_MIGRATION",
                                         "SLING_DRY_RUN", "SLING_PROXY", "SLING_CHECKSUM_ROWS", "SLING_RECURSIVE_LIMIT", NULL};
    for (size_t i = 0; i < r->env.count; i++) {
        const DgValuePair *pair = &DG_ITEMS(DgValuePair, r->env)[i];
        if (pair->key.len < 6 || memcmp(pair->key.ptr, "SLING_", 6) != 0 || one_of(pair->key, known))
            continue;
        if (one_of(pair->key, absent))
            p->api->report(p, "E0110", &pair->value, "take it out; columns are added by `sql`, or by a model on the loaded table",
                           "`%.*s` is not supported", (int)pair->key.len, pair->key.ptr);
        else
            p->api->report_name(p, &pair->value, "setting", pair->key, known, "Sling has no setting `%.*s`", (int)pair->key.len, pair->key.ptr);
    }
}

void dg_replication_check_whole(DgPlanner *p, const Replication *r, const ReplicationContext *c)
{
    static const char *const metadata[] = {"column_metadata", "row_count", NULL};
    dg_replication_check_connections(p, c);
    check_env(p, r);
    check_hook_places(p, &r->hooks, true);
    check_hook_places(p, &r->defaults.hooks, false);
    for (size_t i = 0; i < r->streams.count; i++)
        check_hook_places(p, &DG_ITEMS(DgStreamSettings, r->streams)[i].hooks, false);
    for (size_t i = 0; i < c->include_metadata.count; i++) {
        const DgStr *name = &DG_ITEMS(DgStr, c->include_metadata)[i];
        if (!one_of(*name, metadata))
            p->api->report_name(p, name, "name", *name, metadata, "`include_metadata` knows no `%.*s`", (int)name->len, name->ptr);
    }
}
