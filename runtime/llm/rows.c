/* rows.c - see rows.h. */
#include "runtime/llm/rows.h"

#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/os/os.h"

DgValue row_cell(DgEval *ev, const DgColumn *column, const DgVector *v, int32_t row)
{
    if (!DG_VALID(v, row))
        return dgv_none();
    switch (column->type.kind) {
    case DG_BOOL: return dgv_bool(((const uint8_t *)v->values)[row] != 0);
    case DG_INT8: return dgv_int(((const int8_t *)v->values)[row]);
    case DG_INT16: return dgv_int(((const int16_t *)v->values)[row]);
    case DG_INT32: return dgv_int(((const int32_t *)v->values)[row]);
    case DG_INT64: return dgv_int(((const int64_t *)v->values)[row]);
    case DG_UINT8: return dgv_int(((const uint8_t *)v->values)[row]);
    case DG_UINT16: return dgv_int(((const uint16_t *)v->values)[row]);
    case DG_UINT32: return dgv_int(((const uint32_t *)v->values)[row]);
    case DG_FLOAT32: return dgv_float((double)((const float *)v->values)[row]);
    case DG_FLOAT64: return dgv_float(((const double *)v->values)[row]);
    case DG_TEXT: return dgv_from_str(dg_text_get(v, row));
    case DG_JSON: {
        DgValue parsed;
        DgError ignored;
        return dg_read_json(ev, dg_text_get(v, row), &parsed, &ignored) == DG_OK ? parsed : dgv_from_str(dg_text_get(v, row));
    }
    default: {
        StrBuf b = {0};
        value_write_text(&b, v, column->type, row);
        DgValue out = dgv_from_str(str_copy(ev->arena, buf_str(&b)));
        buf_free(&b);
        return out;
    }
    }
}

DgValue row_value(DgEval *ev, const DgBatch *in, int32_t row)
{
    DgValue d = dg_new_dict(ev);
    for (int32_t i = 0; i < in->columns_count; i++)
        dg_put(ev, d, dgv_from_str(in->columns[i].name), row_cell(ev, &in->columns[i], &in->vectors[i], row));
    return d;
}

int32_t row_find_column(const DgColumn *columns, int32_t count, Str name)
{
    for (int32_t i = 0; i < count; i++)
        if (str_eq_nocase(columns[i].name, name))
            return i;
    return -1;
}

/* ---- The table ---- */

static bool is_field(const AnswerTable *t, Str name)
{
    for (size_t i = 0; i < t->fields_count; i++)
        if (str_eq_nocase(t->fields[i].key, name))
            return true;
    return false;
}

DgStatus answer_table(DgStepRun *sr, DgStr from, const DgColumn *in, int32_t in_count, const DgList *keep, const OutputField *fields, size_t fields_count,
                      AnswerTable *out, DgError *err)
{
    *out = (AnswerTable){.fields = fields, .fields_count = fields_count};
    out->kept = dg_alloc(sr, ((size_t)in_count + 1) * sizeof *out->kept);
    out->columns = dg_alloc(sr, ((size_t)in_count + fields_count) * sizeof *out->columns);
    if (!out->kept || !out->columns)
        return os_no_memory(err, "for columns");
    for (size_t i = 0; i < keep->count; i++)
        if (row_find_column(in, in_count, DG_ITEMS(DgStr, *keep)[i]) < 0)
            return dg_fail(err, DG_DATA, "`keep` names `%.*s`, which `%.*s` does not have", FMT(DG_ITEMS(DgStr, *keep)[i]), FMT(from));
    for (int32_t i = 0; i < in_count; i++) {
        bool kept = !keep->count;
        for (size_t n = 0; n < keep->count; n++)
            kept |= str_eq_nocase(DG_ITEMS(DgStr, *keep)[n], in[i].name);
        if (!kept || is_field(out, in[i].name))
            continue;
        out->columns[out->kept_count] = in[i];
        out->kept[out->kept_count++] = i;
    }
    out->columns_count = out->kept_count;
    for (size_t i = 0; i < fields_count; i++)
        out->columns[out->columns_count++] = (DgColumn){.name = fields[i].key, .type = output_column_type(&fields[i])};
    return DG_OK;
}

static bool copy_cell(const DgBatch *in, int32_t column, int32_t row, DgVector *to, int32_t to_row)
{
    const DgVector *from = &in->vectors[column];
    size_t width = (size_t)dg_type_width(in->columns[column].type.kind);
    bool valid = DG_VALID(from, row);
    if (!valid)
        dg_set_null(to, to_row);
    if (width) {
        memcpy((char *)to->values + (size_t)to_row * width, (const char *)from->values + (size_t)row * width, width);
        return true;
    }
    Str text = valid ? dg_text_get(from, row) : (Str){0};
    return dg_text_set(to, to_row, text.ptr ? text.ptr : "", (size_t)text.len);
}

DgStatus answer_row(const AnswerTable *t, DgEval *ev, const DgBatch *in, int32_t row, const DgValue *values, DgBatch *out, DgError *err)
{
    int32_t to = out->rows;
    for (int32_t n = 0; n < t->kept_count; n++)
        if (!copy_cell(in, t->kept[n], row, &out->vectors[n], to))
            return os_no_memory(err, "for a row");
    for (size_t n = 0; n < t->fields_count; n++)
        DG_TRY(output_set(ev, &t->fields[n], values[n], &out->vectors[t->kept_count + (int32_t)n], to, err));
    out->rows++;
    return DG_OK;
}

/* ---- The rows themselves ---- */

DgStatus rows_begin(DgStepRun *sr, DgStr from, int64_t limit, InputRows *out, DgError *err)
{
    DgWarehouse *w;
    *out = (InputRows){.left = limit ? limit : INT64_MAX};
    if (!sr->reader) {
        DG_TRY(warehouse_get(sr->run, &w, err));
        DG_TRY(dg_session_open(w, &sr->reader, err));
    }
    DG_TRY(dg_scan_open(sr->reader, dg_format(sr, "SELECT * FROM %.*s", FMT(dg_table(sr, from))), &out->scan, err));
    out->columns = dg_scan_columns(out->scan, &out->count);
    DG_TRY(dg_batch_init(&out->in, out->columns, out->count, DG_BATCH_ROWS, err));
    out->has_in = true;
    return DG_OK;
}

DgStatus rows_more(InputRows *r, DgError *err)
{
    while (!r->done) {
        dg_batch_reset(&r->in);
        DgStatus status = dg_scan_next(r->scan, &r->in, err);
        if (status != DG_OK && status != DG_END)
            return status;
        if (r->in.rows > r->left)
            r->in.rows = (int32_t)r->left;
        r->left -= r->in.rows;
        r->done = status == DG_END || !r->left;
        if (r->in.rows)
            return DG_OK;
    }
    return DG_END;
}

void rows_end(InputRows *r)
{
    if (r->has_in)
        dg_batch_release(&r->in);
    if (r->scan)
        dg_scan_close(r->scan);
    *r = (InputRows){0};
}

DgStatus rows_there(DgStepRun *sr, DgStr from, bool *there, int64_t *count, DgError *err)
{
    int64_t tables;
    Str schema, table;
    pthread_mutex_lock(&sr->lock);
    dg_asset_table(&sr->arena, from, &schema, &table);
    pthread_mutex_unlock(&sr->lock);
    DG_TRY(dg_sql_int(sr, dg_format(sr, "SELECT count(*) FROM information_schema.tables WHERE table_schema = %.*s AND table_name = %.*s",
                                    FMT(dg_quote_text(sr, schema)), FMT(dg_quote_text(sr, table))), &tables, err));
    *there = tables > 0;
    return *there ? dg_sql_int(sr, dg_format(sr, "SELECT count(*) FROM %.*s", FMT(dg_table(sr, from))), count, err) : DG_OK;
}
