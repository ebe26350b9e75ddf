/* cells.c - values of batches as values of expressions, and back. Whole numbers stay exact; other
 * numbers are doubles; what is neither is its text. */
#include "runtime/copy/copy.h"
#include "runtime/copy/rules.h"
#include "runtime/data/value_text.h"
#include "runtime/os/os.h"

static bool whole_at(const void *values, uint8_t kind, int32_t row, int64_t *out)
{
    switch ((DgTypeKind)kind) {
    case DG_INT8: *out = ((const int8_t *)values)[row]; return true;
    case DG_INT16: *out = ((const int16_t *)values)[row]; return true;
    case DG_INT32: *out = ((const int32_t *)values)[row]; return true;
    case DG_INT64: *out = ((const int64_t *)values)[row]; return true;
    case DG_UINT8: *out = ((const uint8_t *)values)[row]; return true;
    case DG_UINT16: *out = ((const uint16_t *)values)[row]; return true;
    case DG_UINT32: *out = ((const uint32_t *)values)[row]; return true;
    default: return false;
    }
}

static DgStatus written(const DgVector *v, DgType type, int32_t row, Arena *scratch, DgValue *out, DgError *err)
{
    StrBuf b = {.max = EXPR_TEXT_MAX};
    value_write_text(&b, v, type, row);
    bool failed = b.failed;
    Str s = str_copy(scratch, buf_str(&b));
    buf_free(&b);
    if (failed || scratch->failed)
        return dg_fail(err, DG_DATA, "a value passes %d bytes, too much for an expression", EXPR_TEXT_MAX);
    *out = expr_str(s);
    if (!value_is_number(type) || str_to_int(s, &out->as.i)) {
        out->kind = value_is_number(type) ? DG_V_INT : DG_V_STR;
        return DG_OK;
    }
    double d;
    if (str_to_double(s, &d))
        *out = (DgValue){.kind = DG_V_FLOAT, .as.f = d};
    return DG_OK;
}

DgStatus copy_cell_get(const DgBatch *b, int32_t column, int32_t row, Arena *scratch, DgValue *out, DgError *err)
{
    const DgVector *v = &b->vectors[column];
    DgType type = b->columns[column].type;
    *out = (DgValue){.kind = DG_V_NONE};
    if (!DG_VALID(v, row))
        return DG_OK;
    if (type.kind == DG_TEXT || type.kind == DG_JSON)
        *out = expr_str(dg_text_get(v, row));
    else if (type.kind == DG_BOOL)
        *out = (DgValue){.kind = DG_V_BOOL, .as.b = ((const uint8_t *)v->values)[row] != 0};
    else if (type.kind == DG_FLOAT32 || type.kind == DG_FLOAT64)
        *out = (DgValue){.kind = DG_V_FLOAT, .as.f = type.kind == DG_FLOAT32 ? (double)((const float *)v->values)[row] : ((const double *)v->values)[row]};
    else if (whole_at(v->values, type.kind, row, &out->as.i))
        out->kind = DG_V_INT;
    else
        return written(v, type, row, scratch, out, err);
    return DG_OK;
}

DgStatus copy_cell_set(DgBatch *b, int32_t column, int32_t row, DgValue v, Arena *scratch, DgError *err)
{
    DgVector *to = &b->vectors[column];
    DgType type = b->columns[column].type;
    bool is_text = dg_type_width(type.kind) == 0, null = v.kind == DG_V_NONE;
    Str s = null ? (Str){0} : expr_text(scratch, v);
    if (scratch->failed)
        return os_no_memory(err, "transforming a column");
    if (null)
        dg_set_null(to, row);
    if (is_text)
        return dg_text_set(to, row, s.ptr ? s.ptr : "", (size_t)s.len) ? DG_OK : os_no_memory(err, "transforming a column");
    s = str_trim(s);
    if (null || (s.len && copy_store(to, type, row, s.ptr, s.ptr + s.len)))
        return DG_OK;
    dg_fail(err, DG_DATA, "transformed column `%.*s`: `%.*s` is no %s", FMT(b->columns[column].name), (int)(s.len > 80 ? 80 : s.len),
            s.ptr ? s.ptr : "", dg_type_name(type.kind));
    dg_hint(err, "end the transform with cast(value, \"...\") to say its type");
    return DG_DATA;
}

bool copy_cell_move(const DgBatch *from, int32_t from_row, DgBatch *to, int32_t to_row, int32_t column)
{
    const DgVector *a = &from->vectors[column];
    DgVector *b = &to->vectors[column];
    size_t width = (size_t)dg_type_width(from->columns[column].type.kind);
    bool null = !DG_VALID(a, from_row);
    if (null)
        dg_set_null(b, to_row);
    if (!width) {
        Str s = null ? S("") : dg_text_get(a, from_row);
        return dg_text_set(b, to_row, s.ptr, (size_t)s.len);
    }
    memcpy((char *)b->values + (size_t)to_row * width, (const char *)a->values + (size_t)from_row * width, width);
    return true;
}

DgStatus copy_row_name(void *row, Str name, DgValue *out, DgError *err)
{
    const CopyRow *r = row;
    int32_t column = str_eq(name, S("value")) ? r->value : -1;
    if (str_starts(name, S("record.")))
        for (int32_t i = 0; i < r->columns_count && column < 0; i++)
            if (str_eq_nocase(r->columns[i].name, str_sub(name, 7, name.len)))
                column = i;
    if (column < 0)
        return DG_END;
    if (r->changed && r->changed[column].kind != DG_V_UNDEFINED) {
        *out = r->changed[column];
        return DG_OK;
    }
    if (column >= r->batch->columns_count) { /* added, and nothing made it yet */
        *out = (DgValue){.kind = DG_V_NONE};
        return DG_OK;
    }
    return copy_cell_get(r->batch, column, r->row, r->scratch, out, err);
}
