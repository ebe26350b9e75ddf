/* conns_run.c - connections tried and looked into. */
#include "codegen/conns_run.h"

#include <stdio.h>
#include <unistd.h>

#include "runtime/db/engine.h"
#include "runtime/files/fs.h"
#include "runtime/os/os.h"

enum { FILES_SHOWN_MAX = 1000 };

Str conns_shown(Arena *a, Str name, Str value)
{
    DgConn conn;
    DgError err = {0};
    if (conn_from_text(a, name, value, &conn, &err) != DG_OK)
        return str_format(a, "(%s)", err.message);
    return conn_shown(a, &conn);
}

/* ---- Databases ---- */

static DgStatus open_database(Arena *a, const DgConn *conn, DgDb **out, DgError *err)
{
    const DgEngine *e = engine_find(conn->type);
    (void)a;
    if (!e)
        return dg_fail(err, DG_CONFIG, "`%.*s` is no database", FMT(conn->type));
    DG_TRY(conn_must_exist(conn, err));
    return e->open(conn, out, err);
}

static void print_rows(StrBuf *out, const DgTableInfo *t)
{
    if (t->rows_estimate >= 0)
        buf_format(out, "  ~%lld rows", (long long)t->rows_estimate);
}

static bool is_key(const DgTableInfo *t, Str column)
{
    for (int32_t i = 0; i < t->primary_key_count; i++)
        if (str_eq(t->primary_key[i], column))
            return true;
    return false;
}

static void print_columns(StrBuf *out, const DgTableInfo *t)
{
    for (int32_t i = 0; i < t->columns_count; i++) {
        const DgDbColumn *c = &t->columns[i];
        buf_format(out, "    %-30.*s %.*s%s%s\n", FMT(c->column.name), FMT(c->native), c->column.not_null ? " not null" : "",
                   is_key(t, c->column.name) ? " primary key" : "");
    }
}

static void json_table(StrBuf *out, const DgTableInfo *t, bool columns)
{
    buf_add(out, S("{\"schema\": "));
    buf_json(out, t->name.schema);
    buf_add(out, S(", \"table\": "));
    buf_json(out, t->name.table);
    buf_format(out, ", \"view\": %s, \"rows_estimate\": ", t->is_view ? "true" : "false");
    if (t->rows_estimate >= 0)
        buf_format(out, "%lld", (long long)t->rows_estimate);
    else
        buf_add(out, S("null"));
    if (columns) {
        buf_add(out, S(", \"columns\": ["));
        for (int32_t i = 0; i < t->columns_count; i++) {
            const DgDbColumn *c = &t->columns[i];
            buf_add(out, i ? S(", {\"name\": ") : S("{\"name\": "));
            buf_json(out, c->column.name);
            buf_add(out, S(", \"type\": "));
            buf_json(out, c->native);
            buf_format(out, ", \"not_null\": %s, \"key\": %s}", c->column.not_null ? "true" : "false", is_key(t, c->column.name) ? "true" : "false");
        }
        buf_char(out, ']');
    }
    buf_char(out, '}');
}

static DgStatus discover_tables(Arena *a, const DgConn *conn, const ConnsRequest *r, StrBuf *out, DgError *err)
{
    DgDb *db;
    DgTableInfos tables = {0};
    DG_TRY(open_database(a, conn, &db, err));
    DgStatus status = db->engine->tables(db, a, r->schema.len ? r->schema : S("*"), r->table.len ? r->table : S("*"), &tables, err);
    if (r->json)
        buf_char(out, '[');
    for (size_t i = 0; i < tables.count && status == DG_OK; i++) {
        DgTableInfo t = tables.items[i];
        if (r->columns)
            status = db->engine->describe(db, a, t.name, &t, err);
        if (status == DG_END) { /* gone since */
            status = DG_OK;
            continue;
        }
        if (r->json) {
            buf_add(out, i ? S(",\n ") : S(""));
            json_table(out, &t, r->columns);
        } else {
            buf_format(out, "%.*s%s%.*s%s", FMT(t.name.schema), t.name.schema.len ? "." : "", FMT(t.name.table), t.is_view ? "  view" : "");
            print_rows(out, &t);
            buf_char(out, '\n');
            print_columns(out, &t);
        }
    }
    if (r->json)
        buf_add(out, S("]\n"));
    db->engine->close(db);
    return status;
}

/* ---- Stores of files ---- */

static void tell_retry(void *context, const DgError *why, int attempt, int attempts, int64_t wait_ms)
{
    (void)context;
    fprintf(stderr, "%s; trying again in %.1f s (%d of %d)\n", why->message, (double)wait_ms / 1000, attempt + 1, attempts);
}

static DgStatus open_store(Arena *a, const DgConn *conn, DgFs **out, DgError *err)
{
    char folder[4096];
    (void)a;
    DG_TRY(fs_open(conn, str_from(getcwd(folder, sizeof folder) ? folder : "/"), out, err));
    fs_watch(*out, &(DgFsWatch){.retrying = tell_retry});
    return DG_OK;
}

static DgStatus discover_files(Arena *a, const DgConn *conn, const ConnsRequest *r, StrBuf *out, DgError *err)
{
    DgFs *fs;
    DgFsItems items = {0};
    DG_TRY(open_store(a, conn, &fs, err));
    DgStatus status = fs_list(fs, a, r->table.len ? r->table : S("**"), &items, err);
    fs_close(fs);
    DG_TRY(status);
    if (r->json)
        buf_char(out, '[');
    for (size_t i = 0; i < items.count && (r->json || i < FILES_SHOWN_MAX); i++) {
        if (r->json) {
            buf_add(out, i ? S(",\n {\"path\": ") : S("{\"path\": "));
            buf_json(out, items.items[i].path);
            buf_format(out, ", \"bytes\": %lld}", (long long)items.items[i].size);
        } else {
            buf_format(out, "%12lld  %.*s\n", (long long)items.items[i].size, FMT(items.items[i].path));
        }
    }
    if (r->json)
        buf_add(out, S("]\n"));
    else if (items.count > FILES_SHOWN_MAX)
        buf_format(out, "and %zu more; --json lists all\n", items.count - FILES_SHOWN_MAX);
    return DG_OK;
}

DgStatus conns_discover(Arena *a, const ConnsRequest *r, StrBuf *out, DgError *err)
{
    DgConn conn;
    DG_TRY(conn_from_text(a, r->name, r->value, &conn, err));
    return conn_is_database(&conn) ? discover_tables(a, &conn, r, out, err) : discover_files(a, &conn, r, out, err);
}

DgStatus conns_test(Arena *a, const ConnsRequest *r, Str *detail, DgError *err)
{
    DgConn conn;
    DG_TRY(conn_from_text(a, r->name, r->value, &conn, err));
    if (!conn_is_database(&conn)) {
        DgFs *fs;
        DgFsItems items = {0};
        DG_TRY(open_store(a, &conn, &fs, err));
        DgStatus status = fs_list(fs, a, S("*"), &items, err);
        fs_close(fs);
        *detail = str_format(a, "%zu objects at the top", items.count);
        return status;
    }
    DgDb *db;
    int64_t one = 0;
    DG_TRY(open_database(a, &conn, &db, err));
    DgStatus status = db_int(db, S("SELECT 1"), &one, err);
    *detail = str_format(a, "%s %d.%d", db->engine->title, db->version / 10000, db->version % 10000 / 100);
    if (str_eq(conn.type, S("postgres")))
        *detail = str_format(a, "%s %d.%d", db->engine->title, db->version / 10000, db->version % 10000);
    db->engine->close(db);
    return status;
}
