/* Columns across the border: DgVector to and from DuckDB's vectors. */
#include "runtime/data/batch.h"
#include "runtime/db/duckdb_internal.h"
#include "runtime/os/os.h"

_Static_assert(sizeof(duckdb_string_t) == 16, "DuckDB's string layout");
_Static_assert(sizeof(bool) == 1, "booleans are bytes");

enum { INLINE_MAX = 12 };

static const struct {
    duckdb_type duck;
    DgTypeKind ours;
} PAIRS[] = {
    {DUCKDB_TYPE_BOOLEAN, DG_BOOL},       {DUCKDB_TYPE_TINYINT, DG_INT8},
    {DUCKDB_TYPE_SMALLINT, DG_INT16},     {DUCKDB_TYPE_INTEGER, DG_INT32},
    {DUCKDB_TYPE_BIGINT, DG_INT64},       {DUCKDB_TYPE_UTINYINT, DG_UINT8},
    {DUCKDB_TYPE_USMALLINT, DG_UINT16},   {DUCKDB_TYPE_UINTEGER, DG_UINT32},
    {DUCKDB_TYPE_UBIGINT, DG_UINT64},     {DUCKDB_TYPE_FLOAT, DG_FLOAT32},
    {DUCKDB_TYPE_DOUBLE, DG_FLOAT64},     {DUCKDB_TYPE_DECIMAL, DG_DECIMAL},
    {DUCKDB_TYPE_VARCHAR, DG_TEXT},       {DUCKDB_TYPE_BLOB, DG_BINARY},
    {DUCKDB_TYPE_DATE, DG_DATE},          {DUCKDB_TYPE_TIME, DG_TIME},
    {DUCKDB_TYPE_TIMESTAMP, DG_TIMESTAMP},{DUCKDB_TYPE_TIMESTAMP_TZ, DG_TIMESTAMPTZ},
    {DUCKDB_TYPE_INTERVAL, DG_INTERVAL},  {DUCKDB_TYPE_UUID, DG_UUID},
};

duckdb_logical_type duck_type(const DuckApi *api, DgType type)
{
    if (type.kind == DG_DECIMAL)
        return api->create_decimal_type(type.precision, type.scale);
    if (type.kind == DG_JSON) {
        duckdb_logical_type json = api->create_logical_type(DUCKDB_TYPE_VARCHAR);
        api->logical_type_set_alias(json, "JSON");
        return json;
    }
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++)
        if (PAIRS[i].ours == type.kind)
            return api->create_logical_type(PAIRS[i].duck);
    return NULL;
}

bool duck_type_from(const DuckApi *api, duckdb_logical_type from, DgType *out)
{
    duckdb_type id = api->get_type_id(from);
    *out = (DgType){0};
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++)
        if (PAIRS[i].duck == id) {
            out->kind = (uint8_t)PAIRS[i].ours;
            if (out->kind == DG_DECIMAL) {
                out->precision = api->decimal_width(from);
                out->scale = api->decimal_scale(from);
            }
            if (out->kind == DG_TEXT) {
                char *alias = api->logical_type_get_alias(from);
                if (alias && str_eq(str_from(alias), S("JSON")))
                    out->kind = DG_JSON;
                api->free(alias);
            }
            return true;
        }
    return false;
}

static int32_t decimal_width_bytes(uint8_t precision)
{
    return precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16;
}

/* Our decimals have 16 bytes, DuckDB's as few as the precision needs: little-endian both. */
static void decimals_narrow(char *to, const char *from, int32_t width, int32_t rows)
{
    for (int32_t i = 0; i < rows; i++)
        memcpy(to + (size_t)i * (size_t)width, from + (size_t)i * 16, (size_t)width);
}

static void decimals_widen(char *to, const char *from, int32_t width, int32_t rows)
{
    for (int32_t i = 0; i < rows; i++) {
        const char *value = from + (size_t)i * (size_t)width;
        memset(to + (size_t)i * 16, value[width - 1] < 0 ? 0xff : 0, 16);
        memcpy(to + (size_t)i * 16, value, (size_t)width);
    }
}

static uint64_t swap_bytes(uint64_t x)
{
    return __builtin_bswap64(x);
}

/* Our UUIDs are the 16 bytes as written; DuckDB's are a signed 128-bit number that sorts alike. */
static void uuids_write(uint64_t *to, const uint64_t *from, int32_t rows)
{
    for (int32_t i = 0; i < rows; i++) {
        to[2 * i] = swap_bytes(from[2 * i + 1]);
        to[2 * i + 1] = swap_bytes(from[2 * i]) ^ (uint64_t)1 << 63;
    }
}

static void uuids_read(uint64_t *to, const uint64_t *from, int32_t rows)
{
    for (int32_t i = 0; i < rows; i++) {
        to[2 * i] = swap_bytes(from[2 * i + 1] ^ (uint64_t)1 << 63);
        to[2 * i + 1] = swap_bytes(from[2 * i]);
    }
}

/* Long strings are not copied: they point into the batch, which stays as it is until this lane
 * asks for its next one. By then DuckDB has copied them into the table's segments. */
static void strings_write(duckdb_string_t *to, const DgVector *from, int32_t rows)
{
    const int32_t *offsets = from->values;
    for (int32_t i = 0; i < rows; i++) {
        char *text = from->bytes + offsets[i];
        uint32_t len = (uint32_t)(offsets[i + 1] - offsets[i]);
        if (len <= INLINE_MAX) {
            to[i].value.inlined.length = len;
            memset(to[i].value.inlined.inlined, 0, INLINE_MAX); /* comparisons read all of it */
            memcpy(to[i].value.inlined.inlined, text, len);
        } else {
            to[i].value.pointer.length = len;
            memcpy(to[i].value.pointer.prefix, text, sizeof to[i].value.pointer.prefix);
            to[i].value.pointer.ptr = text;
        }
    }
}

static bool any_null(const uint64_t *valid, int32_t rows)
{
    int32_t words = rows / 64, rest = rows % 64;
    uint64_t all = ~(uint64_t)0;
    for (int32_t i = 0; i < words; i++)
        all &= valid[i];
    if (rest)
        all &= valid[words] | ~(uint64_t)0 << rest;
    return all != ~(uint64_t)0;
}

bool duck_vector_write(const DuckApi *api, duckdb_vector to, const DgVector *from, DgType type,
                       int32_t rows)
{
    void *data = api->vector_get_data(to);
    if (from->valid && any_null(from->valid, rows)) {
        api->vector_ensure_validity_writable(to);
        memcpy(api->vector_get_validity(to), from->valid, ((size_t)rows + 63) / 64 * 8);
    }
    int32_t width = dg_type_width((DgTypeKind)type.kind);
    if (width == 0)
        strings_write(data, from, rows);
    else if (type.kind == DG_DECIMAL && decimal_width_bytes(type.precision) < 16)
        decimals_narrow(data, from->values, decimal_width_bytes(type.precision), rows);
    else if (type.kind == DG_UUID)
        uuids_write(data, from->values, rows);
    else
        memcpy(data, from->values, (size_t)width * (size_t)rows);
    return true;
}

static bool strings_read(DgVector *to, const duckdb_string_t *from, const uint64_t *valid,
                         int32_t rows)
{
    for (int32_t i = 0; i < rows; i++) {
        bool here = !valid || (valid[i >> 6] >> (i & 63) & 1);
        uint32_t len = here ? from[i].value.inlined.length : 0;
        const char *text =
            len <= INLINE_MAX ? from[i].value.inlined.inlined : from[i].value.pointer.ptr;
        if (!dg_text_set(to, i, text, len))
            return false;
    }
    return true;
}

bool duck_vector_read(const DuckApi *api, duckdb_vector from, DgVector *to, DgType type,
                      int32_t rows)
{
    const void *data = api->vector_get_data(from);
    const uint64_t *valid = api->vector_get_validity(from);
    if (valid)
        memcpy(to->valid, valid, ((size_t)rows + 63) / 64 * 8);
    int32_t width = dg_type_width((DgTypeKind)type.kind);
    if (width == 0)
        return strings_read(to, data, valid, rows);
    if (type.kind == DG_DECIMAL && decimal_width_bytes(type.precision) < 16)
        decimals_widen(to->values, data, decimal_width_bytes(type.precision), rows);
    else if (type.kind == DG_UUID)
        uuids_read(to->values, data, rows);
    else
        memcpy(to->values, data, (size_t)width * (size_t)rows);
    return true;
}

duckdb_logical_type duck_floats_type(const DuckApi *api)
{
    duckdb_logical_type number = api->create_logical_type(DUCKDB_TYPE_FLOAT), list = api->create_list_type(number);
    api->destroy_logical_type(&number);
    return list;
}

/* The values' bytes are one run, which the lists share. */
bool duck_floats_write(const DuckApi *api, duckdb_vector to, const DgVector *from, int32_t rows)
{
    const int32_t *offsets = from->values;
    duckdb_list_entry *lists = api->vector_get_data(to);
    idx_t count = (idx_t)offsets[rows] / sizeof(float);
    if (api->list_vector_reserve(to, count) != DuckDBSuccess || api->list_vector_set_size(to, count) != DuckDBSuccess)
        return false;
    if (count)
        memcpy(api->vector_get_data(api->list_vector_get_child(to)), from->bytes, count * sizeof(float));
    for (int32_t i = 0; i < rows; i++) {
        lists[i].offset = (idx_t)offsets[i] / sizeof(float);
        lists[i].length = (idx_t)(offsets[i + 1] - offsets[i]) / sizeof(float);
    }
    if (from->valid && any_null(from->valid, rows)) {
        api->vector_ensure_validity_writable(to);
        memcpy(api->vector_get_validity(to), from->valid, ((size_t)rows + 63) / 64 * 8);
    }
    return true;
}

DgStatus duck_floats_read(const DuckApi *api, duckdb_vector from, DgVector *to, int32_t size, int32_t rows,
                          DgError *err)
{
    duckdb_vector child = api->array_vector_get_child(from);
    const uint64_t *valid = api->vector_get_validity(from), *valid_each = api->vector_get_validity(child);
    const float *data = api->vector_get_data(child);
    if (valid)
        memcpy(to->valid, valid, ((size_t)rows + 63) / 64 * 8);
    for (int32_t i = 0; i < rows; i++) {
        bool here = !valid || (valid[i >> 6] >> (i & 63) & 1);
        int64_t start = (int64_t)i * size;
        for (int64_t k = start; here && valid_each && k < start + size; k++)
            if (!(valid_each[k >> 6] >> (k & 63) & 1))
                return dg_fail(err, DG_DATA, "an array has a null among its numbers");
        if (!dg_text_set(to, i, (const char *)(data + start), here ? (size_t)size * sizeof *data : 0))
            return os_no_memory(err, "for a batch of arrays");
    }
    return DG_OK;
}
