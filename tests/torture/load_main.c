/* load_main URL MODE run|dump|drop: five packages of one stream into `items`, each with its cursor in the
 * data's own transaction; started again it goes on after the last one that was committed. For load.sh. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/data/value_text.h"
#include "runtime/load/load.h"
#include "runtime/os/os.h"

enum { STEPS = 5, PLAIN_COLUMNS = 3 };

static const DgColumn columns[] = {{DG_S("id"), {DG_INT64, 0, 0}, false, {0}},
                                   {DG_S("v"), {DG_INT64, 0, 0}, false, {0}},
                                   {DG_S("name"), {DG_TEXT, 0, 0}, false, {0}},
                                   {DG_S("more"), {DG_TEXT, 0, 0}, false, {0}}}; /* from the third step on */
static const DgTableName items = {{NULL, 0}, DG_S("items")};

static const struct { const char *name; DgDisposition how; } modes[] = {
    {"append", DG_DISPOSE_APPEND}, {"replace", DG_DISPOSE_REPLACE}, {"truncate", DG_DISPOSE_TRUNCATE}, {"upsert", DG_DISPOSE_UPSERT},
    {"delete_insert", DG_DISPOSE_DELETE_INSERT}, {"scd2", DG_DISPOSE_SCD2}};

/* ---- What a step delivers ---- */

typedef struct Step {
    DgRows rows; /* first */
    DgDisposition how;
    int64_t step, at, end;
} Step;

static DgStatus step_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Step *s = (Step *)rows;
    dg_batch_reset(out);
    for (; s->at < s->end && out->rows < out->rows_max; s->at++) {
        int64_t v = s->how == DG_DISPOSE_SCD2 ? s->at % s->step : s->step;
        char text[32];
        if (s->how == DG_DISPOSE_SCD2 && (s->at + s->step) % 10 == 0)
            continue; /* is not there this time */
        ((int64_t *)out->vectors[0].values)[out->rows] = s->at;
        ((int64_t *)out->vectors[1].values)[out->rows] = v;
        for (int32_t i = 2; i < rows->columns_count; i++) {
            int n = snprintf(text, sizeof text, "%d %lld", (int)i, (long long)v);
            if (!dg_text_set(&out->vectors[i], out->rows, text, (size_t)n))
                return os_no_memory(err, "making rows");
        }
        out->rows++;
    }
    return s->at < s->end ? DG_OK : DG_END;
}

static void step_close(DgRows *rows)
{
}

static Step step_rows(DgDisposition how, int64_t step)
{
    Step s = {{columns, step < 3 ? PLAIN_COLUMNS : PLAIN_COLUMNS + 1, step_next, step_close}, how, step, 0, 2500};
    if (how == DG_DISPOSE_APPEND) {
        s.at = step * 3000;
        s.end = s.at + 3000;
    } else if (how == DG_DISPOSE_UPSERT || how == DG_DISPOSE_DELETE_INSERT) {
        s.at = step * 300;
        s.end = s.at + 2500;
    }
    return s;
}

/* ---- Commands ---- */

static DgStatus load_step(DgDb *db, DgLoadSpec *spec, int64_t step, DgError *err)
{
    char package[33], cursor[16];
    uint8_t bytes[16];
    bool unknown;
    DgLoadCounts counts;
    Step rows = step_rows(spec->disposition, step);
    os_random(bytes, sizeof bytes);
    for (int i = 0; i < 16; i++)
        snprintf(package + 2 * i, 3, "%02x", bytes[i]);
    snprintf(cursor, sizeof cursor, "%d", (int)step);
    spec->package = str_from(package);
    spec->cursor = str_from(cursor);
    DG_TRY(load_lease(db, items, spec->pipeline, spec->stream, NULL, &spec->epoch, err));
    return load_run(db, &rows.rows, spec, NULL, NULL, &counts, &unknown, err);
}

static DgStatus run(DgDb *db, Arena *a, DgDisposition how, DgError *err)
{
    Str cursor, key = S("id");
    int64_t done = 0;
    DgLoadSpec spec = {.stream = S("torture/items"), .pipeline = S("torture"), .run = S("1"), .table = items, .disposition = how,
                       .keys = {&key, 1, 1}, .deletes = how == DG_DISPOSE_SCD2 ? DG_DELETES_SOFT : DG_DELETES_NONE};
    DG_TRY(load_cursor(db, a, items, spec.pipeline, spec.stream, &cursor, err));
    str_to_int(cursor, &done);
    for (int64_t step = done + 1; step <= STEPS; step++)
        DG_TRY(load_step(db, &spec, step, err));
    return DG_OK;
}

static DgStatus print(DgDb *db, const char *sql, DgError *err)
{
    DgRows *rows;
    DgBatch b;
    DgStatus status = DG_OK;
    StrBuf out = {0};
    DG_TRY(db->engine->query(db, str_from(sql), &rows, err));
    DG_TRY(dg_batch_init(&b, rows->columns, rows->columns_count, DG_BATCH_ROWS, err));
    while (status == DG_OK) {
        status = rows->next(rows, &b, err);
        for (int32_t row = 0; row < b.rows && (status == DG_OK || status == DG_END); row++)
            for (int32_t i = 0; i < b.columns_count; i++) {
                if (DG_VALID(&b.vectors[i], row))
                    value_write_text(&out, &b.vectors[i], rows->columns[i].type, row);
                buf_char(&out, i + 1 < b.columns_count ? ',' : '\n');
            }
    }
    printf("%.*s", FMT(buf_str(&out)));
    buf_free(&out);
    dg_batch_release(&b);
    rows_close(rows);
    return status == DG_END ? DG_OK : status;
}

static DgStatus dump(DgDb *db, Arena *a, DgDisposition how, DgError *err)
{
    DgTableInfos left = {0};
    DG_TRY(print(db, how == DG_DISPOSE_SCD2 ? "SELECT id, v, name, more, CASE WHEN _dlt_valid_to IS NULL THEN 1 ELSE 0 END AS c FROM items"
                                              " ORDER BY id, v, c, more"
                                            : "SELECT id, v, name, more FROM items ORDER BY id, v", err));
    DG_TRY(print(db, "SELECT status, count(*) FROM _dgc_loads GROUP BY status", err));
    DG_TRY(print(db, "SELECT state_cursor FROM _dgc_state", err));
    DG_TRY(db->engine->tables(db, a, (Str){0}, S("*"), &left, err));
    for (size_t i = 0; i < left.count; i++)
        printf("%.*s\n", FMT(left.items[i].name.table));
    return DG_OK;
}

static DgStatus drop(DgDb *db, DgError *err)
{
    return db->engine->exec(db, S("DROP TABLE IF EXISTS items; DROP TABLE IF EXISTS _dgc_state; DROP TABLE IF EXISTS _dgc_loads;"
                                  " DROP TABLE IF EXISTS _dgc_lease"), NULL, err);
}

int main(int argc, char **argv)
{
    DgError err = {0};
    DgConn conn;
    DgDb *db;
    Arena a;
    int mode = -1;
    arena_init(&a, 64 << 20);
    for (int i = 0; argc == 4 && i < (int)(sizeof modes / sizeof *modes); i++)
        if (!strcmp(argv[2], modes[i].name))
            mode = i;
    if (mode < 0 || !os_faults_init(&err))
        return 2;
    DgStatus status = conn_from_url(&a, S("TARGET"), str_from(argv[1]), &conn, &err);
    if (status == DG_OK)
        status = engine_find(conn.type)->open(&conn, &db, &err);
    if (status == DG_OK) {
        status = !strcmp(argv[3], "dump")   ? dump(db, &a, modes[mode].how, &err)
                 : !strcmp(argv[3], "drop") ? drop(db, &err)
                                            : run(db, &a, modes[mode].how, &err);
        db->engine->close(db);
    }
    if (status != DG_OK)
        fprintf(stderr, "load_main: %s\n", err.message);
    arena_free(&a);
    return dg_status_exit_code(status);
}
