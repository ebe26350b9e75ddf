/* sqlite_read.c - rows of a SELECT. Columns that nothing declares (expressions, columns without a type)
 * get their type from a sample of rows, which is kept and delivered first. */
#include "runtime/data/batch.h"
#include "runtime/db/sqlite_internal.h"
#include "runtime/db/value_parse.h"
#include "runtime/os/os.h"

enum { BATCH_BYTES = 8 << 20 }; /* a batch with more text than this is full */

typedef struct SqliteRows {
    DgRows base;
    SqliteDb *db;
    sqlite3_stmt *stmt;
    Arena arena;
    DgColumn *columns;
    sqlite3_value **sample; /* sampled rows, one after another; NULL: none taken */
    int32_t sample_rows, sample_at;
    bool done;              /* the statement has no more rows */
} SqliteRows;

static void sqlite_rows_close(DgRows *base)
{
    SqliteRows *r = (SqliteRows *)base;
    for (int64_t i = 0; r->sample && i < (int64_t)r->sample_rows * base->columns_count; i++)
        sqlite3_value_free(r->sample[i]);
    os_free(r->sample);
    sqlite3_finalize(r->stmt);
    arena_free(&r->arena);
    os_free(r);
}

static bool batch_full(const SqliteRows *r, const DgBatch *out)
{
    size_t bytes = 0;
    if (out->rows >= out->rows_max)
        return true;
    for (int32_t i = 0; i < out->columns_count; i++)
        bytes += out->vectors[i].bytes_count;
    return bytes >= BATCH_BYTES;
}

static DgStatus sqlite_rows_next(DgRows *base, DgBatch *out, DgError *err)
{
    SqliteRows *r = (SqliteRows *)base;
    dg_batch_reset(out);
    DG_TRY(sqlite_cancelled(r->db, err));
    for (; r->sample_at < r->sample_rows && !batch_full(r, out); r->sample_at++, out->rows++)
        for (int32_t i = 0; i < base->columns_count; i++) {
            sqlite3_value *value = r->sample[(int64_t)r->sample_at * base->columns_count + i];
            DG_TRY(sqlite_value_read(value, &out->vectors[i], out->rows, &r->columns[i], err));
        }
    while (!r->done && !batch_full(r, out)) {
        int rc = sqlite3_step(r->stmt);
        if (rc == SQLITE_DONE) {
            r->done = true;
            break;
        }
        if (rc != SQLITE_ROW)
            return sqlite_fail(r->db, err, "read from");
        /* The connection is this thread's alone, so the values can be used in place. */
        for (int32_t i = 0; i < base->columns_count; i++)
            DG_TRY(sqlite_value_read(sqlite3_column_value(r->stmt, i), &out->vectors[i], out->rows, &r->columns[i], err));
        out->rows++;
    }
    return r->done && r->sample_at == r->sample_rows ? DG_END : DG_OK;
}

/* ---- Types from a sample ---- */

typedef struct Seen {
    int64_t count[6]; /* by storage class: SQLITE_INTEGER is 1, SQLITE_NULL 5 */
    bool inexact;     /* an integer that a double cannot hold */
} Seen;

static DgStatus take_sample(SqliteRows *r, Seen *seen, DgError *err)
{
    int32_t n = r->base.columns_count;
    int64_t bytes = 0;
    r->sample = os_alloc(sizeof *r->sample * (size_t)n * SQLITE_SAMPLE_ROWS);
    if (!r->sample)
        return os_no_memory(err, "for a sample of rows");
    while (r->sample_rows < SQLITE_SAMPLE_ROWS && bytes < SQLITE_SAMPLE_BYTES) {
        int rc = sqlite3_step(r->stmt);
        if (rc == SQLITE_DONE) {
            r->done = true;
            break;
        }
        if (rc != SQLITE_ROW)
            return sqlite_fail(r->db, err, "read from");
        r->sample_rows++;
        for (int32_t i = 0; i < n; i++) {
            sqlite3_value *copy = sqlite3_value_dup(sqlite3_column_value(r->stmt, i));
            r->sample[(int64_t)(r->sample_rows - 1) * n + i] = copy;
            if (!copy)
                return os_no_memory(err, "for a sample of rows");
            int class = sqlite3_value_type(copy);
            int64_t whole = class == SQLITE_INTEGER ? sqlite3_value_int64(copy) : 0;
            seen[i].count[class]++;
            seen[i].inexact |= whole > 1ll << 53 || whole < -(1ll << 53);
            if (class == SQLITE_TEXT || class == SQLITE_BLOB)
                bytes += sqlite3_value_bytes(copy);
        }
    }
    return DG_OK;
}

static DgStatus find_columns(SqliteRows *r, DgError *err)
{
    int32_t n = r->base.columns_count, unknown = 0;
    r->columns = push(&r->arena, DgColumn, n);
    bool *open = push(&r->arena, bool, n);
    Seen *seen = push(&r->arena, Seen, n);
    for (int32_t i = 0; i < n && !r->arena.failed; i++) {
        r->columns[i].name = str_copy(&r->arena, str_from(sqlite3_column_name(r->stmt, i)));
        if (!sqlite_type_from(str_from(sqlite3_column_decltype(r->stmt, i)), &r->columns[i].type))
            open[i] = true, unknown++;
    }
    if (r->arena.failed)
        return os_no_memory(err, "for the columns of a query");
    if (unknown)
        DG_TRY(take_sample(r, seen, err));
    for (int32_t i = 0; i < n; i++)
        if (open[i])
            r->columns[i].type = sqlite_type_of_classes(seen[i].count[SQLITE_INTEGER], seen[i].count[SQLITE_FLOAT],
                                                        seen[i].count[SQLITE_TEXT], seen[i].count[SQLITE_BLOB],
                                                        !seen[i].inexact);
    return DG_OK;
}

DgStatus sqlite_query(DgDb *base, Str sql, DgRows **out, DgError *err)
{
    SqliteDb *db = (SqliteDb *)base;
    Str tail;
    *out = NULL;
    DG_TRY(sqlite_cancelled(db, err));
    SqliteRows *r = os_alloc(sizeof *r);
    if (!r)
        return os_no_memory(err, "for a query");
    arena_init(&r->arena, 16 << 20);
    r->arena.can_fail = true;
    r->db = db;
    r->base.next = sqlite_rows_next;
    r->base.close = sqlite_rows_close;
    DgStatus status = sqlite_prepare(db, sql, &r->stmt, &tail, err);
    if (status == DG_OK && (!r->stmt || !sqlite3_column_count(r->stmt)))
        status = dg_fail(err, DG_FAILED, "the statement returns no rows");
    if (status == DG_OK) {
        sqlite3_stmt *further = NULL;
        if (sqlite_prepare(db, tail, &further, &tail, NULL) != DG_OK || further)
            status = dg_fail(err, DG_FAILED, "a query must be one statement");
        sqlite3_finalize(further);
    }
    if (status == DG_OK) {
        r->base.columns_count = sqlite3_column_count(r->stmt);
        status = find_columns(r, err);
        r->base.columns = r->columns;
    }
    if (status != DG_OK)
        sqlite_rows_close(&r->base);
    else
        *out = &r->base;
    return status;
}
