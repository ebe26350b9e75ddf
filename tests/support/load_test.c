/* load_test.c - see load_test.h. */
#include "tests/support/load_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/data/value_text.h"

const char *bed_engine = "sqlite";

DgDb *bed_connect(Bed *b)
{
    const char *url = getenv("DGC_TEST_LOAD");
    DgConn conn;
    DgDb *db = NULL;
    Str text = url ? str_from(url) : str_format(&b->arena, "%s://%s/x.%s", bed_engine, b->folder, strcmp(bed_engine, "duckdb") ? "db" : "duckdb");
    ok(conn_from_url(&b->arena, S("BED"), text, &conn, &engine_err));
    ok(engine_find(conn.type)->open(&conn, &db, &engine_err));
    return db;
}

bool bed_is_on(const Bed *b, const char *engine)
{
    return strcmp(b->db->engine->type, engine) == 0;
}

int bed_fresh(void **state)
{
    Bed *b = calloc(1, sizeof *b);
    arena_init(&b->arena, 256 << 20);
    snprintf(b->folder, sizeof b->folder, "/tmp/dgc-load-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    b->db = bed_connect(b);
    if (bed_is_on(b, "postgres"))
        run_sql(b->db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    if (bed_is_on(b, "mysql")) {
        run_sql(b->db, "DROP DATABASE IF EXISTS shop");
        run_sql(b->db, "CREATE DATABASE shop");
        run_sql(b->db, "USE shop");
    }
    b->spec = (DgLoadSpec){.stream = S("shop/items"), .pipeline = S("shop"), .run = S("run-1"), .table = {.table = S("items")}, .context = b};
    *state = b;
    return 0;
}

int bed_done(void **state)
{
    Bed *b = *state;
    b->db->engine->close(b->db);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", b->folder);
    assert_int_equal(system(command), 0);
    buf_free(&b->drift);
    arena_free(&b->arena);
    free(b);
    return 0;
}

/* ---- Rows from a line ---- */

static int32_t split(Bed *b, Str text, char at, Str *out, int32_t room)
{
    int32_t n = 0;
    while (text.len && n < room) {
        ptrdiff_t end = str_find_char(text, at);
        out[n++] = str_copy(&b->arena, str_sub(text, 0, end < 0 ? text.len : end));
        text = end < 0 ? (Str){0} : str_sub(text, end + 1, text.len);
    }
    return n;
}

typedef struct Breaking {
    DgRows base;
    DgRows *from;
} Breaking;

static DgStatus breaks(DgRows *base, DgBatch *out, DgError *err)
{
    DgRows *from = ((Breaking *)base)->from;
    DgStatus status = from->next(from, out, err);
    return status == DG_END ? dg_fail(err, DG_UNAVAILABLE, "the source went away") : status;
}

static void close_breaking(DgRows *base)
{
    rows_close(((Breaking *)base)->from);
    free(base);
}

DgRows *bed_rows(Bed *b, const char *columns_text, const char *rows_text)
{
    enum { MOST = 64 };
    Str columns[MOST], rows[MOST];
    int32_t width = split(b, str_from(columns_text), ' ', columns, MOST), height = split(b, str_from(rows_text), '|', rows, MOST);
    DgColumn *made = push(&b->arena, DgColumn, width + 1);
    const char **cells = push(&b->arena, const char *, width * height + 1);
    for (int32_t i = 0; i < width; i++) {
        ptrdiff_t colon = str_find_char(columns[i], ':');
        assert_true(colon > 0);
        Str name = str_sub(columns[i], 0, colon), type = str_sub(columns[i], colon + 1, columns[i].len);
        made[i].name = str_replace(&b->arena, name, S("+"), S(" "));
        if (!dg_type_parse(type, &made[i].type))
            fail_msg("there is no type %.*s", FMT(type));
    }
    for (int32_t row = 0; row < height; row++) {
        Str values[MOST];
        assert_int_equal(split(b, rows[row], ',', values, MOST), width);
        for (int32_t i = 0; i < width; i++)
            cells[row * width + i] = str_eq(values[i], S("~")) ? "NULL"
                                     : made[i].type.kind == DG_JSON ? str_cstr(&b->arena, str_replace(&b->arena, values[i], S(";"), S(",")))
                                                                    : str_cstr(&b->arena, values[i]);
    }
    DgRows *text = rows_of_text(made, width, cells, height);
    if (!b->fail_after)
        return text;
    Breaking *x = calloc(1, sizeof *x);
    *x = (Breaking){{made, width, breaks, close_breaking, false}, text};
    return &x->base;
}

/* ---- Loads ---- */

static void drift(void *context, Str what)
{
    Bed *b = context;
    buf_add(&b->drift, what);
    buf_char(&b->drift, '\n');
}

DgStatus bed_load(Bed *b, DgDisposition how, const char *columns, const char *rows)
{
    bool unknown;
    b->spec.disposition = how;
    b->spec.drift = drift;
    b->spec.package = str_format(&b->arena, "%016d%016d", b->packages + 1, b->packages + 1);
    b->packages++;
    b->drift.len = 0;
    DgRows *from = bed_rows(b, columns, rows);
    engine_err = (DgError){0};
    DgStatus status = load_run(b->db, from, &b->spec, NULL, NULL, &b->n, &unknown, &engine_err);
    rows_close(from);
    assert_false(unknown);
    return status;
}

void bed_loads(Bed *b, DgDisposition how, const char *columns, const char *rows)
{
    DgStatus status = bed_load(b, how, columns, rows);
    if (status != DG_OK)
        fail_msg("%s: %s: %s %s", rows, dg_status_name(status), engine_err.message, engine_err.hint);
}

void bed_keys(Bed *b, const char *keys)
{
    Str names[16];
    int32_t n = split(b, str_from(keys), ',', names, 16);
    b->spec.keys = (StrArray){0};
    for (int32_t i = 0; i < n; i++)
        array_add(&b->arena, &b->spec.keys, names[i]);
}

/* ---- Expectations ---- */

static Str shown(Bed *b, const char *query)
{
    DgRows *rows;
    DgBatch batch;
    StrBuf out = {0};
    DgStatus status = DG_OK;
    if (b->db->engine->query(b->db, str_from(query), &rows, &engine_err) != DG_OK)
        fail_msg("%s: %s", query, engine_err.message);
    ok(dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, &engine_err));
    while (status == DG_OK) {
        status = rows->next(rows, &batch, &engine_err);
        if (status != DG_OK && status != DG_END)
            fail_msg("%s: %s", query, engine_err.message);
        for (int32_t row = 0; row < batch.rows; row++) {
            if (out.len)
                buf_char(&out, '|');
            for (int32_t i = 0; i < rows->columns_count; i++) {
                if (i)
                    buf_char(&out, ',');
                if (DG_VALID(&batch.vectors[i], row))
                    value_write_text(&out, &batch.vectors[i], rows->columns[i].type, row);
                else
                    buf_char(&out, '~');
            }
        }
    }
    dg_batch_release(&batch);
    rows_close(rows);
    Str text = str_copy(&b->arena, buf_str(&out));
    buf_free(&out);
    return text;
}

void bed_is(Bed *b, const char *query, const char *expected)
{
    Str found = shown(b, query);
    if (!str_eq(found, str_from(expected)))
        fail_msg("%s: `%.*s` instead of `%s`", query, FMT(found), expected);
}

void bed_columns(Bed *b, const char *expected)
{
    DgTableInfo info;
    StrBuf out = {0};
    ok(b->db->engine->describe(b->db, &b->arena, b->spec.table, &info, &engine_err));
    for (int32_t i = 0; i < info.columns_count; i++) {
        DgType t = info.columns[i].column.type;
        buf_format(&out, "%s%.*s:%s", i ? " " : "", FMT(info.columns[i].column.name), dg_type_name((DgTypeKind)t.kind));
        if (t.kind == DG_DECIMAL)
            buf_format(&out, "(%d,%d)", t.precision, t.scale);
    }
    if (!str_eq(buf_str(&out), str_from(expected)))
        fail_msg("`%.*s` instead of `%s`", FMT(buf_str(&out)), expected);
    buf_free(&out);
}
