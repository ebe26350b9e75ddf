/* shape.c - rows in the types that the replication declares under `columns`. */
#include <math.h>

#include "runtime/copy/copy.h"
#include "runtime/data/scalars.h"
#include "runtime/data/value_text.h"
#include "runtime/os/os.h"

typedef struct Shape {
    DgRows rows; /* first */
    DgRows *from;
    Copy *copy;
    DgColumn *columns;
    bool *cast;       /* per column: goes through its text */
    int *decimals;    /* per column: rounded to so many, or -1 */
    DgBatch in;
    StrBuf text;
} Shape;

/* ---- What is declared ---- */

const DgValue *copy_declared(const Copy *c, Str column)
{
    DgValue columns = c->s->columns;
    const DgValue *all = NULL;
    if (columns.kind == DG_V_DICT)
        for (size_t i = 0; i < columns.as.dict->count; i++) {
            DgValue key = columns.as.dict->keys[i];
            if (key.kind == DG_V_STR && str_eq_nocase(key.as.s, column))
                return &columns.as.dict->values[i];
            if (key.kind == DG_V_STR && str_eq(key.as.s, S("*")))
                all = &columns.as.dict->values[i];
        }
    for (size_t i = 0; columns.kind == DG_V_LIST && i < columns.as.list->count; i++) {
        const DgValue *name = dgv_get_str(columns.as.list->items[i], S("name"));
        if (name && name->kind == DG_V_STR && str_eq_nocase(name->as.s, column))
            return dgv_get_str(columns.as.list->items[i], S("type"));
    }
    return all;
}

static DgStatus shaped_type(const Copy *c, const DgColumn *column, DgType *out, DgError *err)
{
    const DgValue *value = copy_declared(c, column->name);
    Str type = value && value->kind == DG_V_STR ? value->as.s : (Str){0}, constraint;
    *out = column->type;
    str_cut(type, '|', &type, &constraint); /* rules.c checks constraints */
    if (!str_trim(type).len)
        copy_type(c, out);
    if (!str_trim(type).len || dg_column_type(type, out))
        return DG_OK;
    dg_fail(err, DG_CONFIG, "`%.*s` is no column type, for column `%.*s`", FMT(type), FMT(column->name));
    dg_hint(err, "types are bigint, integer, smallint, decimal(p,s), float, string, bool, date, datetime, timestampz, time, json, uuid, binary");
    return DG_CONFIG;
}

static bool declared_type(const Copy *c, Str column)
{
    const DgValue *value = copy_declared(c, column);
    Str type = value && value->kind == DG_V_STR ? value->as.s : (Str){0}, constraint;
    str_cut(type, '|', &type, &constraint);
    return str_trim(type).len > 0;
}

/* ---- Casting ---- */

bool copy_store(DgVector *to, DgType type, int32_t row, const char *p, const char *end)
{
    char *at = (char *)to->values + (size_t)row * (size_t)dg_type_width(type.kind);
    switch ((DgTypeKind)type.kind) {
    case DG_BOOL: return scalar_bool(p, end, (uint8_t *)at);
    case DG_FLOAT64: return scalar_double(p, end, (double *)(void *)at);
    case DG_FLOAT32: {
        double d;
        if (!scalar_double(p, end, &d))
            return false;
        *(float *)(void *)at = (float)d;
        return true;
    }
    case DG_DECIMAL: return scalar_decimal(p, end, type, at);
    case DG_DATE: return scalar_date(p, end, (int32_t *)(void *)at);
    case DG_TIMESTAMP:
    case DG_TIMESTAMPTZ: return scalar_timestamp(p, end, (int64_t *)(void *)at);
    case DG_TIME: {
        char whole[64];
        int64_t us;
        if (end - p > 32)
            return false;
        memcpy(whole, "1970-01-01 ", 11);
        memcpy(whole + 11, p, (size_t)(end - p));
        if (!scalar_timestamp(whole, whole + 11 + (end - p), &us) || us < 0 || us >= 86400000000)
            return false;
        *(int64_t *)(void *)at = us;
        return true;
    }
    case DG_UUID: {
        int n = 0;
        for (; p < end; p++) {
            int d = *p >= '0' && *p <= '9' ? *p - '0' : (*p | 32) >= 'a' && (*p | 32) <= 'f' ? (*p | 32) - 'a' + 10 : -1;
            if (*p == '-')
                continue;
            if (d < 0 || n == 32)
                return false;
            at[n / 2] = (char)(n % 2 ? (at[n / 2] & 0xF0) | d : d << 4);
            n++;
        }
        return n == 32;
    }
    default: return scalar_int(p, end, type.kind, at);
    }
}

static Str without_fraction(Str s, DgType from, DgType to)
{
    /* `12.00` is the integer 12; `12.5` is not. */
    if (to.kind > DG_UINT64 || to.kind < DG_INT8 || (from.kind != DG_DECIMAL && from.kind != DG_FLOAT64 && from.kind != DG_FLOAT32))
        return s;
    ptrdiff_t dot = str_find_char(s, '.');
    for (ptrdiff_t i = dot + 1; dot >= 0 && i < s.len; i++)
        if (s.ptr[i] != '0')
            return s;
    return dot >= 0 ? str_sub(s, 0, dot) : s;
}

/* A double goes by its own digits, all of them, not by the few that tell it from its neighbours. */
static void round_value(Shape *w, const DgVector *from, DgType have, int32_t row, int decimals)
{
    double d = have.kind == DG_FLOAT64 ? ((const double *)from->values)[row] : have.kind == DG_FLOAT32 ? (double)((const float *)from->values)[row] : 0;
    if (have.kind != DG_FLOAT64 && have.kind != DG_FLOAT32) {
        copy_round(&w->text, decimals);
    } else if (isfinite(d) && fabs(d) < 1e15) {
        w->text.len = 0;
        buf_format(&w->text, "%.*f", decimals, d);
    }
}

static DgStatus cast_value(Shape *w, int32_t column, int32_t row, DgBatch *out, DgError *err)
{
    const DgVector *from = &w->in.vectors[column];
    DgVector *to = &out->vectors[column];
    DgType have = w->from->columns[column].type, want = w->columns[column].type;
    bool text = dg_type_width(want.kind) == 0;
    if (!DG_VALID(from, row)) {
        dg_set_null(to, row);
        return !text || dg_text_set(to, row, "", 0) ? DG_OK : os_no_memory(err, "casting a column");
    }
    w->text.len = 0;
    value_write_text(&w->text, from, have, row);
    if (w->decimals[column] >= 0)
        round_value(w, from, have, row, w->decimals[column]);
    Str s = buf_str(&w->text);
    if (text)
        return dg_text_set(to, row, s.ptr, (size_t)s.len) ? DG_OK : os_no_memory(err, "casting a column");
    s = without_fraction(str_trim(s), have, want);
    if (copy_store(to, want, row, s.ptr, s.ptr + s.len))
        return DG_OK;
    dg_fail(err, DG_DATA, "column `%.*s`: `%.*s` is no %s", FMT(w->columns[column].name), (int)(s.len > 80 ? 80 : s.len), s.ptr,
            dg_type_name(want.kind));
    dg_hint(err, "declare it otherwise under `columns:`");
    return DG_DATA;
}

static DgStatus shape_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Shape *w = (Shape *)rows;
    dg_batch_reset(out);
    DgStatus status = w->from->next(w->from, &w->in, err);
    if (status != DG_OK && status != DG_END)
        return status;
    for (int32_t i = 0; i < rows->columns_count; i++) {
        if (!w->cast[i]) { /* the vectors change places */
            DgVector v = out->vectors[i];
            out->vectors[i] = w->in.vectors[i];
            w->in.vectors[i] = v;
            continue;
        }
        for (int32_t row = 0; row < w->in.rows; row++)
            DG_TRY(cast_value(w, i, row, out, err));
    }
    out->rows = w->in.rows;
    return status;
}

static void shape_close(DgRows *rows)
{
    Shape *w = (Shape *)rows;
    rows_close(w->from);
    dg_batch_release(&w->in);
    buf_free(&w->text);
    os_free(w->columns);
    os_free(w->cast);
    os_free(w->decimals);
    os_free(w);
}

DgStatus copy_shape(Copy *c, DgRows *from, DgRows **out, DgError *err)
{
    bool any = false;
    int32_t n = from->columns_count;
    DgStatus status = DG_OK;
    Shape *w = os_alloc(sizeof *w);
    if (!w) {
        rows_close(from);
        return os_no_memory(err, "reading rows");
    }
    w->from = from;
    w->copy = c;
    w->columns = os_alloc((size_t)n * sizeof *w->columns);
    w->cast = os_alloc((size_t)n * sizeof *w->cast);
    w->decimals = os_alloc((size_t)n * sizeof *w->decimals);
    if (!w->columns || !w->cast || !w->decimals)
        status = os_no_memory(err, "reading rows");
    for (int32_t i = 0; i < n && status == DG_OK; i++) {
        w->columns[i] = from->columns[i];
        status = shaped_type(c, &from->columns[i], &w->columns[i].type, err);
        DgType a = w->columns[i].type, b = from->columns[i].type;
        w->decimals[i] = declared_type(c, from->columns[i].name) ? -1 : copy_decimals(c, b, a);
        w->cast[i] = w->decimals[i] >= 0 || a.kind != b.kind || (a.kind == DG_DECIMAL && (a.scale != b.scale || a.precision != b.precision));
        any = any || w->cast[i];
    }
    w->rows = (DgRows){w->columns, n, shape_next, shape_close, from->any_order};
    if (status == DG_OK && any)
        status = dg_batch_init(&w->in, from->columns, n, DG_BATCH_ROWS, err);
    if (status != DG_OK || any) {
        if (status != DG_OK)
            shape_close(&w->rows);
        else
            *out = &w->rows;
        return status;
    }
    w->from = NULL; /* nothing to do: the stream as it is */
    shape_close(&w->rows);
    *out = from;
    return DG_OK;
}
