/* cells.c - values of batches as values of expressions, and back. Whole numbers stay exact; other
 * numbers are doubles; what is neither is its text. */
#include <math.h>

#include "runtime/copy/copy.h"
#include "runtime/copy/functions.h"
#include "runtime/copy/rules.h"
#include "runtime/data/value_text.h"
#include "runtime/os/os.h"

/* What has no kind of its own: whole numbers where they fit, else doubles, else texts. */
static DgStatus written(const DgVector *v, DgType type, int32_t row, const ExprScope *s, DgValue *out, DgError *err)
{
    StrBuf *b = expr_buffer(s);
    value_write_text(b, v, type, row);
    Str text = buf_str(b);
    if (b->failed)
        return dg_fail(err, DG_DATA, "a value passes %d bytes, too much for an expression", EXPR_TEXT_MAX);
    if (value_is_number(type)) {
        out->kind = str_to_int(text, &out->as.i) ? DG_V_INT : str_to_double(text, &out->as.f) ? DG_V_FLOAT : DG_V_NONE;
        if (out->kind != DG_V_NONE)
            return DG_OK;
    }
    *out = expr_str(str_copy(s->scratch, text));
    return s->scratch->failed ? os_no_memory(err, "reading a column") : DG_OK;
}

#define NUMBERS(ctype, kind_, member)                                  \
    for (int32_t i = 0; i < rows; i++) {                                \
        out[i].kind = DG_VALID(v, from + i) ? kind_ : DG_V_NONE;        \
        out[i].as.member = ((const ctype *)v->values)[from + i];        \
    }                                                                   \
    return DG_OK

DgStatus copy_cells_get(const DgBatch *b, int32_t column, int32_t from, int32_t rows, const ExprScope *s, DgValue *out, DgError *err)
{
    const DgVector *v = &b->vectors[column];
    DgType type = b->columns[column].type;
    switch ((DgTypeKind)type.kind) {
    case DG_INT8: NUMBERS(int8_t, DG_V_INT, i);
    case DG_INT16: NUMBERS(int16_t, DG_V_INT, i);
    case DG_INT32: NUMBERS(int32_t, DG_V_INT, i);
    case DG_INT64: NUMBERS(int64_t, DG_V_INT, i);
    case DG_UINT8: NUMBERS(uint8_t, DG_V_INT, i);
    case DG_UINT16: NUMBERS(uint16_t, DG_V_INT, i);
    case DG_UINT32: NUMBERS(uint32_t, DG_V_INT, i);
    case DG_FLOAT32: NUMBERS(float, DG_V_FLOAT, f);
    case DG_FLOAT64: NUMBERS(double, DG_V_FLOAT, f);
    case DG_BOOL: NUMBERS(uint8_t, DG_V_BOOL, b);
    case DG_TEXT:
    case DG_JSON:
        for (int32_t i = 0; i < rows; i++)
            out[i] = DG_VALID(v, from + i) ? expr_str(dg_text_get(v, from + i)) : (DgValue){.kind = DG_V_NONE};
        return DG_OK;
    default: break;
    }
    for (int32_t i = 0; i < rows; i++) {
        out[i] = (DgValue){.kind = DG_V_NONE};
        if (DG_VALID(v, from + i))
            DG_TRY(written(v, type, from + i, s, &out[i], err));
    }
    return DG_OK;
}

/* Without a way through text: a value of the column's own kind that fits it. */
static bool store_plain(DgVector *to, DgTypeKind kind, int32_t row, const DgValue *v)
{
#define WHOLE(ctype, least, most)                                      \
    if (v->kind != DG_V_INT || v->as.i < (least) || v->as.i > (most))   \
        return false;                                                   \
    ((ctype *)to->values)[row] = (ctype)v->as.i;                        \
    return true
    switch (kind) {
    case DG_INT16: WHOLE(int16_t, INT16_MIN, INT16_MAX);
    case DG_INT32: WHOLE(int32_t, INT32_MIN, INT32_MAX);
    case DG_INT64: WHOLE(int64_t, INT64_MIN, INT64_MAX);
    case DG_FLOAT64:
        if (v->kind != DG_V_FLOAT || !isfinite(v->as.f))
            return false;
        ((double *)to->values)[row] = v->as.f;
        return true;
    case DG_BOOL:
        if (v->kind != DG_V_BOOL)
            return false;
        ((uint8_t *)to->values)[row] = v->as.b;
        return true;
    default: return false;
    }
#undef WHOLE
}

static DgStatus store(DgVector *to, const DgColumn *column, int32_t row, const DgValue *v, Str text, DgError *err)
{
    if (dg_type_width(column->type.kind) == 0)
        return dg_text_set(to, row, text.ptr ? text.ptr : "", (size_t)text.len) ? DG_OK : os_no_memory(err, "transforming a column");
    text = str_trim(text);
    if (v->kind == DG_V_NONE || (text.len && copy_store(to, column->type, row, text.ptr, text.ptr + text.len)))
        return DG_OK;
    dg_fail(err, DG_DATA, "transformed column `%.*s`: `%.*s` is no %s", FMT(column->name), (int)(text.len > 80 ? 80 : text.len),
            text.ptr ? text.ptr : "", dg_type_name(column->type.kind));
    dg_hint(err, "end the transform with cast(value, \"...\") to say its type");
    return DG_DATA;
}

DgStatus copy_cells_set(DgBatch *b, int32_t column, int32_t from, int32_t rows, const DgValue *values, DgError *err)
{
    DgVector *to = &b->vectors[column];
    const DgColumn *c = &b->columns[column];
    char room[64];
    for (int32_t i = 0; i < rows; i++) {
        const DgValue *v = &values[i];
        if (store_plain(to, c->type.kind, from + i, v))
            continue;
        if (v->kind == DG_V_NONE)
            dg_set_null(to, from + i);
        Str text = v->kind == DG_V_STR ? v->as.s : expr_number_text(room, sizeof room, *v);
        DG_TRY(store(to, c, from + i, v, text, err));
    }
    return DG_OK;
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
