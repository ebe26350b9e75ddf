/* decode.c - decoding by a column table, for files that are first seen at run time. */
#include "runtime/base/base.h"
#include "runtime/data/batch.h"
#include "runtime/data/decode_impl.h"

static void csv_value(DgCsv *c, int32_t column)
{
    switch ((DgTypeKind)c->out->columns[column].type.kind) {
    case DG_BOOL: dg_csv_bool(c, column); break;
    case DG_FLOAT32: case DG_FLOAT64: dg_csv_double(c, column); break;
    case DG_DECIMAL: dg_csv_decimal(c, column); break;
    case DG_TEXT: case DG_JSON: dg_csv_text(c, column); break;
    case DG_DATE: dg_csv_date(c, column); break;
    case DG_TIMESTAMP: case DG_TIMESTAMPTZ: dg_csv_timestamp(c, column); break;
    default: dg_csv_int(c, column); break;
    }
}

/* A column that the file does not have is null in every row. */
static void null_row(DgBatch *out, int32_t column, int32_t row)
{
    dg_set_null(&out->vectors[column], row);
    if (!dg_type_width((DgTypeKind)out->columns[column].type.kind))
        dg_text_set(&out->vectors[column], row, "", 0);
}

static DgStatus decode_csv(DgBlock *block, DgBatch *out, char delimiter, char quote, char escape, DgError *err)
{
    DgCsv c;
    bool *present = NULL;
    int32_t n = block->map ? block->map_count : out->columns_count;
    bool some_absent = false;
    bool flags[LIMIT_COLUMNS];
    if (block->map) {
        present = flags;
        memset(present, 0, sizeof flags);
        for (int32_t i = 0; i < n; i++)
            if (block->map[i] >= 0)
                present[block->map[i]] = true;
        for (int32_t i = 0; i < out->columns_count; i++)
            some_absent |= !present[i];
    }
    dg_csv_begin(&c, block, out, delimiter, quote, escape);
    while (dg_csv_next(&c)) {
        for (int32_t i = 0; i < n && !c.wrong; i++) {
            int32_t column = block->map ? block->map[i] : i;
            if (column < 0)
                dg_csv_skip(&c);
            else
                csv_value(&c, column);
        }
        for (int32_t i = 0; some_absent && i < out->columns_count; i++)
            if (!present[i])
                null_row(out, i, c.row);
        dg_csv_end(&c);
    }
    return dg_csv_done(&c, err);
}

DgStatus dg_decode_generic(DgBlock *block, DgBatch *out, DgFormat format, char delimiter, char quote,
                           char escape, DgError *err)
{
    int32_t seen[LIMIT_COLUMNS];
    DgJson j;
    assert(out->columns_count <= LIMIT_COLUMNS);
    if (format == DG_CSV)
        return decode_csv(block, out, delimiter, quote, escape, err);
    dg_json_begin(&j, block, out, seen);
    while (dg_json_next(&j)) {
        dg_json_rest(&j);
        dg_json_end(&j);
    }
    return dg_json_done(&j, err);
}
