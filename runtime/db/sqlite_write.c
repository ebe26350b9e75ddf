/* sqlite_write.c - rows into a table, by prepared inserts of several rows each. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/db/sqlite_internal.h"
#include "runtime/db/value_parse.h"
#include "runtime/os/os.h"

/* More rows in a statement gain little; more parameters than 999 need a SQLite of this decade. */
enum { ROWS_MAX = 32, PARAMETERS_MAX = 999, SLOT = 64 };

typedef enum How {
    AS_INTEGER, /* integers and booleans */
    AS_DOUBLE,
    AS_TEXT,    /* the batch's own bytes */
    AS_BLOB,
    AS_WORDS,   /* dates, decimals, uuids: written into the parameter's slot */
    CONVERTED,  /* by way of text, checked as what the column is declared to be */
} How;

typedef struct Target {
    DgColumn column;    /* its name; the type that its declaration means */
    bool declared;      /* otherwise it takes every value as it comes */
    bool numeric;       /* an affinity that makes numbers of text that looks like one */
    How how;
    DgType from;
    DgBatch scratch;    /* CONVERTED: one row of the column's type */
    How scratch_how;
} Target;

typedef struct Insert {
    SqliteDb *db;
    Arena arena;
    Target *targets;
    int32_t count;
    int32_t rows_at_once;
    char *slots;        /* SLOT bytes for each parameter */
    sqlite3_stmt *many, *one;
    StrBuf text;
} Insert;

/* ---- What goes where ---- */

static How natural(DgType type)
{
    switch ((DgTypeKind)type.kind) {
    case DG_TEXT: case DG_JSON: return AS_TEXT;
    case DG_BINARY: return AS_BLOB;
    case DG_FLOAT32: case DG_FLOAT64: return AS_DOUBLE;
    case DG_DECIMAL: case DG_DATE: case DG_TIME: case DG_TIMESTAMP: case DG_TIMESTAMPTZ: case DG_INTERVAL: case DG_UUID:
        return AS_WORDS;
    default: return AS_INTEGER;
    }
}

static bool text_affinity(Str declared)
{
    char words[64];
    int64_t n[2];
    native_parts(declared, words, sizeof words, n);
    Str s = str_from(words);
    return str_find(s, S("int")) < 0 && (str_find(s, S("text")) >= 0 || str_find(s, S("char")) >= 0 || str_find(s, S("clob")) >= 0);
}

static DgStatus plan_column(Insert *in, Target *t, DgError *err)
{
    DgTypeKind from = (DgTypeKind)t->from.kind, to = (DgTypeKind)t->column.type.kind;
    t->how = natural(t->from);
    bool integers = t->how == AS_INTEGER && (value_is_integer(t->column.type) || to == DG_BOOL);
    bool floats = t->how == AS_DOUBLE && to == DG_FLOAT64;
    bool texts = t->how == AS_TEXT && (to == DG_TEXT || to == DG_BINARY || (to == DG_JSON && !t->numeric));
    bool same = from == to && from != DG_JSON &&
                (from != DG_DECIMAL || (!t->numeric && t->from.scale == t->column.type.scale &&
                                        t->from.precision <= t->column.type.precision));
    bool words = to == DG_TEXT && t->how == AS_WORDS;
    if (texts && to == DG_BINARY)
        t->how = AS_BLOB;
    if (!t->declared || integers || floats || texts || same || words)
        return DG_OK;
    if (from == DG_BINARY || to == DG_BINARY)
        return dg_fail(err, DG_DATA, "column `%.*s` is %s in the table, but the rows have %s", FMT(t->column.name),
                       dg_type_name(to), dg_type_name(from));
    t->how = CONVERTED;
    t->scratch_how = natural(t->column.type);
    return dg_batch_init(&t->scratch, &t->column, 1, 1, err);
}

static DgStatus find_targets(Insert *in, DgTableName to, const DgRows *from, DgError *err)
{
    DgTableInfo info;
    DgStatus status = sqlite_describe(&in->db->base, &in->arena, to, &info, err);
    if (status == DG_END)
        return dg_fail(err, DG_FAILED, "there is no table `%.*s` in `%s`", FMT(to.table), in->db->path);
    DG_TRY(status);
    in->count = from->columns_count;
    in->targets = push(&in->arena, Target, in->count);
    if (!in->targets)
        return os_no_memory(err, "for the columns of a table");
    for (int32_t i = 0; i < in->count; i++) {
        Target *t = &in->targets[i];
        const DgDbColumn *found = NULL;
        for (int32_t k = 0; k < info.columns_count; k++)
            if (str_eq_nocase(info.columns[k].column.name, from->columns[i].name))
                found = &info.columns[k];
        if (!found)
            return dg_fail(err, DG_DATA, "table `%.*s` has no column `%.*s`", FMT(to.table), FMT(from->columns[i].name));
        t->column = found->column;
        t->from = from->columns[i].type;
        t->declared = sqlite_type_from(found->native, &t->column.type);
        t->numeric = !text_affinity(found->native);
        DG_TRY(plan_column(in, t, err));
    }
    return DG_OK;
}

static DgStatus prepare(Insert *in, DgTableName to, int32_t rows, sqlite3_stmt **out, DgError *err)
{
    Str tail;
    StrBuf sql = {.max = LIMIT_SQL_BYTES};
    buf_add(&sql, S("INSERT INTO "));
    sql_table(&sql, &dg_dialect_sqlite, to);
    for (int32_t i = 0; i < in->count; i++) {
        buf_add(&sql, i ? S(",") : S("("));
        sql_name(&sql, &dg_dialect_sqlite, in->targets[i].column.name);
    }
    buf_add(&sql, S(")VALUES"));
    for (int32_t r = 0; r < rows; r++)
        for (int32_t i = 0; i < in->count; i++)
            buf_add(&sql, i ? S(",?") : r ? S("),(?") : S("(?"));
    buf_char(&sql, ')');
    DgStatus status = sql.failed ? dg_fail(err, DG_FAILED, "the table has too many columns")
                                 : sqlite_prepare(in->db, buf_str(&sql), out, &tail, err);
    buf_free(&sql);
    return status;
}

/* ---- Values ---- */

static DgStatus bind_words(Insert *in, sqlite3_stmt *stmt, int at, const DgVector *v, DgType type, int32_t row, DgError *err)
{
    char *slot = in->slots + (size_t)at * SLOT;
    int n = 0;
    if (type.kind == DG_TIMESTAMP || type.kind == DG_TIMESTAMPTZ)
        n = value_quick_timestamp(slot, ((const int64_t *)v->values)[row], type.kind == DG_TIMESTAMPTZ);
    if (!n) {
        in->text.len = 0;
        value_write_text(&in->text, v, type, row);
        if (in->text.failed || in->text.len > SLOT)
            return dg_fail(err, DG_BUG, "a value is longer than its room");
        n = (int)in->text.len;
        memcpy(slot, in->text.ptr, (size_t)n);
    }
    sqlite3_bind_text(stmt, at, slot, n, SQLITE_STATIC);
    return DG_OK;
}

static DgStatus bind(Insert *in, sqlite3_stmt *stmt, int at, const Target *t, How how, DgType type, const DgVector *v,
                     int32_t row, DgError *err);

/* Whether the numbers of this text survive being made one: 64-bit integers, or 15 digits. */
static bool survives(Str text, bool as_double)
{
    int64_t whole, exact = 1ll << 53;
    int digits = 0;
    bool leading = true;
    if (str_to_int(text, &whole))
        return !as_double || (whole >= -exact && whole <= exact);
    for (ptrdiff_t i = 0; i < text.len && text.ptr[i] != 'e' && text.ptr[i] != 'E'; i++) {
        leading = leading && (text.ptr[i] < '1' || text.ptr[i] > '9');
        digits += !leading && text.ptr[i] >= '0' && text.ptr[i] <= '9';
    }
    return digits <= 15;
}

static bool numeric_start(Str text)
{
    char c = text.len ? text.ptr[0] : 'x';
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == ' ';
}

static DgStatus bind_converted(Insert *in, sqlite3_stmt *stmt, int at, const Target *t, const DgVector *v, int32_t row,
                               DgError *err)
{
    DgTypeKind to = (DgTypeKind)t->column.type.kind;
    StrBuf *text = &in->text;
    dg_batch_reset((DgBatch *)&t->scratch);
    text->len = 0;
    value_write_text(text, v, t->from, row);
    if (text->failed)
        return dg_fail(err, DG_NOMEM, "out of memory for a value of column `%.*s`", FMT(t->column.name));
    Str value = buf_str(text);
    Str whole, fraction; /* `42.00` is an integer */
    if (value_is_integer(t->column.type) && str_cut(value, '.', &whole, &fraction)) {
        while (str_ends(fraction, S("0")))
            fraction.len--;
        value = fraction.len ? value : whole;
    }
    DG_TRY(value_parse(&t->scratch.vectors[0], 0, &t->column, value, err));
    bool as_number = to == DG_DECIMAL || to == DG_JSON || to == DG_FLOAT64;
    if (as_number && t->numeric && t->from.kind != DG_FLOAT32 && t->from.kind != DG_FLOAT64 && numeric_start(value) &&
        !survives(value, to == DG_FLOAT64)) {
        value_refused(&t->column, value, err);
        dg_hint(err, "SQLite would make it a number of 15 digits; declare the column %s",
                to == DG_JSON ? "JSON_TEXT" : to == DG_DECIMAL ? "DECIMAL_TEXT(p,s)" : "TEXT");
        return DG_DATA;
    }
    return bind(in, stmt, at, t, t->scratch_how, t->column.type, &t->scratch.vectors[0], 0, err);
}

static DgStatus bind(Insert *in, sqlite3_stmt *stmt, int at, const Target *t, How how, DgType type, const DgVector *v,
                     int32_t row, DgError *err)
{
    int64_t whole;
    double d;
    Str text;
    if (!DG_VALID(v, row)) {
        sqlite3_bind_null(stmt, at);
        return DG_OK;
    }
    switch (how) {
    case AS_INTEGER:
        if (!value_fetch_int(v, type, row, &whole) || (t->column.type.kind == DG_BOOL && t->declared && (whole & 1) != whole)) {
            in->text.len = 0;
            value_write_text(&in->text, v, type, row);
            return value_refused(&t->column, buf_str(&in->text), err);
        }
        sqlite3_bind_int64(stmt, at, whole);
        return DG_OK;
    case AS_DOUBLE:
        d = type.kind == DG_FLOAT32 ? (double)((const float *)v->values)[row] : ((const double *)v->values)[row];
        if (isnan(d)) /* SQLite has none and would store NULL; as text it is read back */
            sqlite3_bind_text(stmt, at, "NaN", 3, SQLITE_STATIC);
        else
            sqlite3_bind_double(stmt, at, d);
        return DG_OK;
    case AS_TEXT:
    case AS_BLOB:
        text = dg_text_get(v, row);
        if (how == AS_TEXT && t->how == CONVERTED) /* the scratch is overwritten before the step */
            sqlite3_bind_text(stmt, at, text.len ? text.ptr : "", (int)text.len, SQLITE_TRANSIENT);
        else if (how == AS_TEXT)
            sqlite3_bind_text(stmt, at, text.len ? text.ptr : "", (int)text.len, SQLITE_STATIC);
        else
            sqlite3_bind_blob(stmt, at, text.len ? text.ptr : "", (int)text.len, SQLITE_STATIC);
        return DG_OK;
    case AS_WORDS: return bind_words(in, stmt, at, v, type, row, err);
    case CONVERTED: return bind_converted(in, stmt, at, t, v, row, err);
    }
    return DG_OK;
}

static DgStatus insert_batch(Insert *in, const DgBatch *batch, DgError *err)
{
    for (int32_t row = 0; row < batch->rows;) {
        int32_t rows = batch->rows - row >= in->rows_at_once ? in->rows_at_once : 1;
        sqlite3_stmt *stmt = rows > 1 ? in->many : in->one;
        int at = 1;
        for (int32_t r = 0; r < rows; r++)
            for (int32_t i = 0; i < in->count; i++)
                DG_TRY(bind(in, stmt, at++, &in->targets[i], in->targets[i].how, in->targets[i].from, &batch->vectors[i],
                            row + r, err));
        int rc = sqlite3_step(stmt);
        if (rc != SQLITE_DONE) {
            DgStatus status = sqlite_fail(in->db, err, "insert into a table of");
            sqlite3_reset(stmt);
            return status;
        }
        sqlite3_reset(stmt);
        row += rows;
    }
    return DG_OK;
}

static DgStatus insert_rows(Insert *in, DgTableName to, DgRows *from, int64_t *rows, DgError *err)
{
    DgBatch batch;
    DG_TRY(find_targets(in, to, from, err));
    in->rows_at_once = PARAMETERS_MAX / in->count;
    in->rows_at_once = in->rows_at_once > ROWS_MAX ? ROWS_MAX : in->rows_at_once < 2 ? 1 : in->rows_at_once;
    in->slots = os_alloc(SLOT * ((size_t)in->rows_at_once * (size_t)in->count + 1));
    if (!in->slots)
        return os_no_memory(err, "for rows to insert");
    DG_TRY(prepare(in, to, 1, &in->one, err));
    if (in->rows_at_once > 1)
        DG_TRY(prepare(in, to, in->rows_at_once, &in->many, err));
    DG_TRY(dg_batch_init(&batch, from->columns, from->columns_count, DG_BATCH_ROWS, err));
    DgStatus status = DG_OK;
    while (status == DG_OK) {
        status = sqlite_cancelled(in->db, err);
        if (status == DG_OK)
            status = from->next(from, &batch, err);
        if (status != DG_OK && status != DG_END)
            break;
        DgStatus written = insert_batch(in, &batch, err);
        if (written != DG_OK)
            status = written;
        else
            *rows += batch.rows;
    }
    dg_batch_release(&batch);
    return status == DG_END ? DG_OK : status;
}

DgStatus sqlite_insert(DgDb *base, DgTableName to, DgRows *from, int64_t *rows, DgError *err)
{
    Insert in = {.db = (SqliteDb *)base, .text = {.max = 1 << 30}};
    *rows = 0;
    if (!from->columns_count)
        return dg_fail(err, DG_FAILED, "there are no columns to insert into `%.*s`", FMT(to.table));
    if (sqlite3_get_autocommit(in.db->handle))
        return dg_fail(err, DG_BUG, "rows are inserted outside of a transaction");
    arena_init(&in.arena, 16 << 20);
    in.arena.can_fail = true;
    DgStatus status = insert_rows(&in, to, from, rows, err);
    sqlite3_finalize(in.many);
    sqlite3_finalize(in.one);
    for (int32_t i = 0; in.targets && i < in.count; i++)
        dg_batch_release(&in.targets[i].scratch);
    os_free(in.slots);
    buf_free(&in.text);
    arena_free(&in.arena);
    return status;
}
