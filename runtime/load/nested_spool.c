/* nested_spool.c - rows that wait in a file without a name, and the stream that reads them again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "runtime/load/nested_internal.h"
#include "runtime/os/os.h"

enum { SPOOL_BUFFER = 64 << 10, READER_BUFFER = 256 << 10, BATCH_BYTES = 16 << 20 };

/* ---- Writing ---- */

static DgStatus open_file(NestedSpool *s, Str folder, DgError *err)
{
    char path[4096];
    uint64_t name;
    os_random(&name, sizeof name);
    if (snprintf(path, sizeof path, "%.*s/nested-%016llx", FMT(folder), (unsigned long long)name) >= (int)sizeof path)
        return dg_fail(err, DG_CONFIG, "the path `%.*s` is too long", FMT(folder));
    DG_TRY(os_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &s->fd, err));
    dg_os.unlink(path); /* it goes with the process */
    return DG_OK;
}

DgStatus spool_flush(NestedSpool *s, Str folder, DgError *err)
{
    if (s->buffer.failed)
        return os_no_memory(err, "taking JSON apart");
    if (!s->buffer.len)
        return DG_OK;
    if (s->fd < 0)
        DG_TRY(open_file(s, folder, err));
    DG_TRY(os_write_all(s->fd, s->buffer.ptr, s->buffer.len, "a temporary file", err));
    s->written += (int64_t)s->buffer.len;
    s->buffer.len = 0;
    return DG_OK;
}

DgStatus spool_add(NestedSpool *s, Str folder, const void *bytes, size_t count, DgError *err)
{
    buf_add(&s->buffer, (Str){bytes, (ptrdiff_t)count});
    return s->buffer.len < SPOOL_BUFFER && !s->buffer.failed ? DG_OK : spool_flush(s, folder, err);
}

void spool_close(NestedSpool *s)
{
    os_close(s->fd);
    s->fd = -1;
    buf_free(&s->buffer);
}

/* ---- Reading ---- */

static DgStatus fill(NestedReader *r, size_t count, DgError *err)
{
    size_t have = r->end - r->begin;
    if (have)
        memmove(r->bytes, r->bytes + r->begin, have);
    r->begin = 0;
    r->end = have;
    if (count > r->capacity || !r->bytes) {
        size_t capacity = count > READER_BUFFER ? count : READER_BUFFER;
        char *bytes = os_realloc(r->bytes, capacity);
        if (!bytes)
            return os_no_memory(err, "reading rows again");
        r->bytes = bytes;
        r->capacity = capacity;
    }
    size_t got;
    DG_TRY(os_pread_some(r->spool->fd, r->bytes + have, r->capacity - have, r->at, &got, "a temporary file", err));
    r->at += (int64_t)got;
    r->end += got;
    return r->end >= count ? DG_OK : dg_fail(err, DG_IO, "a temporary file is shorter than what was written to it");
}

DgStatus reader_take(NestedReader *r, size_t count, const char **out, DgError *err)
{
    if (r->end - r->begin < count)
        DG_TRY(fill(r, count, err));
    *out = r->bytes + r->begin;
    r->begin += count;
    return DG_OK;
}

void reader_close(NestedReader *r)
{
    os_free(r->bytes);
    r->bytes = NULL;
}

static DgStatus take_u32(NestedReader *r, uint32_t *out, DgError *err)
{
    const char *p;
    DG_TRY(reader_take(r, 4, &p, err));
    memcpy(out, p, 4);
    return DG_OK;
}

/* ---- A table's rows ---- */

typedef struct Spooled {
    DgRows rows; /* first */
    Nested *nested;
    NestedPart *part;
    NestedReader reader;
    StrBuf scratch;
    int64_t left;
    int32_t plain;       /* columns that came with the rows; the cells' follow */
    bool root;
    bool *set;           /* per column: the row at hand has a value */
    uint32_t *at, *len;  /* of the cell in `cells` */
    char *kinds;
    StrBuf cells;
} Spooled;

static DgStatus read_plain(Spooled *s, DgBatch *out, int32_t row, DgError *err)
{
    const char *p;
    uint32_t len;
    int32_t column = 0;
    for (int32_t i = 0; i < s->nested->from_count; i++) {
        if (s->nested->apart[i])
            continue;
        DgVector *v = &out->vectors[column];
        size_t width = (size_t)dg_type_width((DgTypeKind)s->nested->from[i].type.kind);
        column++;
        DG_TRY(reader_take(&s->reader, 1, &p, err));
        bool valid = *p != 0;
        if (!valid)
            dg_set_null(v, row);
        if (width && valid) {
            DG_TRY(reader_take(&s->reader, width, &p, err));
            memcpy((char *)v->values + (size_t)row * width, p, width);
        } else if (!width) {
            len = 0;
            if (valid)
                DG_TRY(take_u32(&s->reader, &len, err));
            DG_TRY(reader_take(&s->reader, len, &p, err));
            if (!dg_text_set(v, row, p, len))
                return os_no_memory(err, "reading rows again");
        }
    }
    return DG_OK;
}

/* The last one of a name stands, as JSON readers have it. */
static DgStatus read_cells(Spooled *s, DgBatch *out, int32_t row, DgError *err)
{
    uint32_t count, head[2];
    const char *p;
    int32_t fields = (int32_t)s->part->columns.count;
    s->cells.len = 0;
    if (fields)
        memset(s->set, 0, (size_t)fields);
    DG_TRY(take_u32(&s->reader, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        DG_TRY(reader_take(&s->reader, 9, &p, err));
        memcpy(head, p, 8);
        s->kinds[head[0]] = p[8];
        s->set[head[0]] = true;
        s->at[head[0]] = (uint32_t)s->cells.len;
        s->len[head[0]] = head[1];
        DG_TRY(reader_take(&s->reader, head[1], &p, err));
        buf_add(&s->cells, (Str){p, (ptrdiff_t)head[1]});
    }
    for (int32_t i = 0; i < fields; i++) {
        DgVector *v = &out->vectors[s->plain + i];
        DgType type = s->rows.columns[s->plain + i].type;
        bool fine = true;
        if (!s->set[i]) {
            dg_set_null(v, row);
            fine = dg_type_width((DgTypeKind)type.kind) || dg_text_set(v, row, "", 0);
        } else if (!s->cells.failed) {
            fine = nested_store(v, type, row, s->kinds[i], (Str){s->cells.ptr + s->at[i], (ptrdiff_t)s->len[i]}, &s->scratch);
        }
        if (!fine || s->cells.failed)
            return dg_fail(err, DG_BUG, "a value of `%.*s` is no %s", FMT(s->rows.columns[s->plain + i].name), dg_type_name((DgTypeKind)type.kind));
    }
    return DG_OK;
}

static DgStatus read_system(Spooled *s, DgBatch *out, int32_t row, DgError *err)
{
    int32_t column = s->plain + (int32_t)s->part->columns.count;
    const char *p;
    for (int32_t i = 0; i < (s->root ? 1 : 3); i++) {
        DG_TRY(reader_take(&s->reader, NESTED_ID_BYTES, &p, err));
        if (!dg_text_set(&out->vectors[column++], row, p, NESTED_ID_BYTES))
            return os_no_memory(err, "reading rows again");
    }
    for (int32_t i = 0; i < (s->root ? 1 : 2); i++) {
        DG_TRY(reader_take(&s->reader, 8, &p, err));
        memcpy((char *)out->vectors[column++].values + (size_t)row * 8, p, 8);
    }
    return DG_OK;
}

static DgStatus spooled_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Spooled *s = (Spooled *)rows;
    dg_batch_reset(out);
    const NestedSpec *spec = s->nested->spec;
    if (spec->cancelled && spec->cancelled(spec->context))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    int64_t begun = s->reader.at;
    while (s->left && out->rows < out->rows_max && s->reader.at - begun < BATCH_BYTES) {
        if (s->root)
            DG_TRY(read_plain(s, out, out->rows, err));
        DG_TRY(read_cells(s, out, out->rows, err));
        DG_TRY(read_system(s, out, out->rows, err));
        out->rows++;
        s->left--;
    }
    return s->left ? DG_OK : DG_END;
}

static void spooled_close(DgRows *rows)
{
    Spooled *s = (Spooled *)rows;
    reader_close(&s->reader);
    buf_free(&s->scratch);
    buf_free(&s->cells);
    os_free(s->set);
    os_free(s->at);
    os_free(s->len);
    os_free(s->kinds);
    os_free(s);
}

DgStatus nested_rows(Nested *n, NestedPart *part, bool root, DgRows **out, DgError *err)
{
    size_t fields = part->columns.count + 1;
    Spooled *s = os_alloc(sizeof *s);
    if (!s)
        return os_no_memory(err, "reading rows again");
    s->nested = n;
    s->part = part;
    s->reader.spool = &part->spool;
    s->left = part->table.rows;
    s->root = root;
    s->plain = part->table.columns_count - (int32_t)part->columns.count - (root ? 2 : 5);
    s->set = os_alloc(fields);
    s->kinds = os_alloc(fields);
    s->at = os_alloc(fields * sizeof *s->at);
    s->len = os_alloc(fields * sizeof *s->len);
    s->rows = (DgRows){.columns = part->table.columns, .columns_count = part->table.columns_count, .next = spooled_next, .close = spooled_close};
    *out = &s->rows;
    if (s->set && s->kinds && s->at && s->len)
        return DG_OK;
    spooled_close(&s->rows);
    return os_no_memory(err, "reading rows again");
}
