/* Batches: memory of columns, text that grows. */
#include "runtime/data/batch.h"

#include "runtime/os/os.h"

enum { TEXT_PER_ROW = 16 };
static const size_t TEXT_MAX = (size_t)1 << 30;

#define MASK_WORDS(rows) (((size_t)(rows) + 63) / 64)

static DgStatus vector_init(DgVector *v, DgType type, int32_t rows_max, DgError *err)
{
    int32_t width = dg_type_width((DgTypeKind)type.kind);
    size_t mask = MASK_WORDS(rows_max) * sizeof(uint64_t);
    /* One allocation: the mask first, for its alignment; 16 bytes keep 128-bit values aligned. */
    mask = (mask + 15) & ~(size_t)15;
    size_t values = width ? (size_t)width * (size_t)rows_max
                          : sizeof(int32_t) * ((size_t)rows_max + 1);
    char *memory = os_alloc(mask + values);
    if (!memory)
        return os_no_memory(err, "for a batch");
    v->valid = (uint64_t *)(void *)memory;
    v->values = memory + mask;
    if (!width) {
        v->bytes_capacity = (size_t)rows_max * TEXT_PER_ROW;
        v->bytes = os_alloc(v->bytes_capacity);
        if (!v->bytes)
            return os_no_memory(err, "for a batch");
    }
    return DG_OK;
}

DgStatus dg_batch_init(DgBatch *b, const DgColumn *columns, int32_t columns_count,
                       int32_t rows_max, DgError *err)
{
    assert(columns_count >= 0 && rows_max > 0);
    *b = (DgBatch){.columns = columns, .columns_count = columns_count, .rows_max = rows_max};
    b->vectors = os_alloc(sizeof *b->vectors * ((size_t)columns_count + 1));
    DgStatus status = b->vectors ? DG_OK : os_no_memory(err, "for a batch");
    for (int32_t i = 0; i < columns_count && status == DG_OK; i++)
        status = vector_init(&b->vectors[i], columns[i].type, rows_max, err);
    if (status != DG_OK)
        dg_batch_release(b);
    else
        dg_batch_reset(b);
    return status;
}

void dg_batch_reset(DgBatch *b)
{
    size_t mask = MASK_WORDS(b->rows_max) * sizeof(uint64_t);
    for (int32_t i = 0; i < b->columns_count; i++) {
        DgVector *v = &b->vectors[i];
        memset(v->valid, 0xff, mask);
        v->bytes_count = 0;
        if (!dg_type_width((DgTypeKind)b->columns[i].type.kind))
            *(int32_t *)v->values = 0;
    }
    b->rows = 0;
}

void dg_batch_drop_row(DgBatch *b)
{
    int32_t row = b->rows;
    for (int32_t i = 0; i < b->columns_count; i++) {
        DgVector *v = &b->vectors[i];
        v->valid[row >> 6] |= (uint64_t)1 << (row & 63);
        if (!dg_type_width((DgTypeKind)b->columns[i].type.kind))
            v->bytes_count = (size_t)((int32_t *)v->values)[row];
    }
}

void dg_batch_release(DgBatch *b)
{
    for (int32_t i = 0; b->vectors && i < b->columns_count; i++) {
        os_free(b->vectors[i].valid);
        os_free(b->vectors[i].bytes);
    }
    os_free(b->vectors);
    *b = (DgBatch){0};
}

char *dg_text_reserve(DgVector *v, size_t more)
{
    if (more <= v->bytes_capacity - v->bytes_count)
        return v->bytes + v->bytes_count;
    if (more > TEXT_MAX - v->bytes_count)
        return NULL;
    size_t need = v->bytes_count + more;
    size_t capacity = v->bytes_capacity * 2 > need ? v->bytes_capacity * 2 : need;
    if (capacity > TEXT_MAX)
        capacity = TEXT_MAX;
    char *bytes = os_realloc(v->bytes, capacity);
    if (!bytes)
        return NULL;
    v->bytes = bytes;
    v->bytes_capacity = capacity;
    return bytes + v->bytes_count;
}

bool dg_text_set(DgVector *v, int32_t row, const char *ptr, size_t len)
{
    int32_t *offsets = v->values;
    assert((size_t)offsets[row] == v->bytes_count);
    char *to = dg_text_reserve(v, len);
    if (!to)
        return false;
    if (len)
        memcpy(to, ptr, len);
    v->bytes_count += len;
    offsets[row + 1] = (int32_t)v->bytes_count;
    return true;
}

bool dg_text_commit(DgVector *v, int32_t row, size_t len)
{
    int32_t *offsets = v->values;
    assert((size_t)offsets[row] == v->bytes_count && v->bytes_count + len <= v->bytes_capacity);
    v->bytes_count += len;
    offsets[row + 1] = (int32_t)v->bytes_count;
    return true;
}

DgStr dg_text_get(const DgVector *v, int32_t row)
{
    const int32_t *offsets = v->values;
    return (DgStr){v->bytes + offsets[row], offsets[row + 1] - offsets[row]};
}

void dg_set_null(DgVector *v, int32_t row)
{
    v->valid[row >> 6] &= ~((uint64_t)1 << (row & 63));
}
