/* watch.c - a stream that counts what passes and remembers the largest update key. */
#include "runtime/copy/copy.h"
#include "runtime/data/value_text.h"
#include "runtime/os/os.h"

struct CopyWatch {
    DgRows rows; /* first: a DgRows is a CopyWatch */
    DgRows *from;
    Copy *copy;
    int32_t key; /* column; -1: none */
    DgBatch best;
    bool has_best;
    int64_t count;
    StrBuf text;
};

static DgStatus keep_largest(CopyWatch *w, const DgBatch *batch, DgError *err)
{
    const DgVector *v = &batch->vectors[w->key];
    DgType type = w->rows.columns[w->key].type;
    int32_t best = -1;
    for (int32_t i = 0; i < batch->rows; i++)
        if (DG_VALID(v, i) && (best < 0 || value_compare(v, i, v, best, type) > 0))
            best = i;
    if (best < 0 || (w->has_best && value_compare(v, best, &w->best.vectors[0], 0, type) <= 0))
        return DG_OK;
    dg_batch_reset(&w->best);
    int width = dg_type_width(type.kind);
    if (width) {
        memcpy(w->best.vectors[0].values, (const char *)v->values + (size_t)best * (size_t)width, (size_t)width);
    } else {
        Str s = dg_text_get(v, best);
        if (!dg_text_set(&w->best.vectors[0], 0, s.ptr, (size_t)s.len))
            return os_no_memory(err, "remembering the update key");
    }
    w->has_best = true;
    return DG_OK;
}

static DgStatus watch_next(DgRows *rows, DgBatch *out, DgError *err)
{
    CopyWatch *w = (CopyWatch *)rows;
    DgStatus status = w->from->next(w->from, out, err);
    if (status != DG_OK && status != DG_END)
        return status;
    if (out->rows) {
        int64_t bytes = 0;
        w->count += out->rows;
        for (int32_t i = 0; i < out->columns_count; i++) {
            int width = dg_type_width(out->columns[i].type.kind);
            bytes += width ? (int64_t)width * out->rows : (int64_t)out->vectors[i].bytes_count;
        }
        dg_progress(w->copy->run, out->rows, bytes);
        if (w->key >= 0)
            DG_TRY(keep_largest(w, out, err));
    }
    if (dg_cancelled(w->copy->run))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    return status;
}

static void watch_close(DgRows *rows)
{
    CopyWatch *w = (CopyWatch *)rows;
    rows_close(w->from);
    dg_batch_release(&w->best);
    buf_free(&w->text);
    os_free(w);
}

/* A backfill of what was loaded before does not move the stream's place back. */
static void begin_at_cursor(CopyWatch *w, DgType type)
{
    Str s = w->copy->cursor;
    if (!s.len || w->copy->s->mode != DG_COPY_BACKFILL)
        return;
    w->has_best = dg_type_width((DgTypeKind)type.kind) == 0 ? dg_text_set(&w->best.vectors[0], 0, s.ptr, (size_t)s.len)
                                                            : copy_store(&w->best.vectors[0], type, 0, s.ptr, s.ptr + s.len);
}

DgStatus copy_watch(Copy *c, DgRows *from, Str key, CopyWatch **watch, DgRows **out, DgError *err)
{
    CopyWatch *w = os_alloc(sizeof *w);
    if (!w) {
        rows_close(from);
        return os_no_memory(err, "reading rows");
    }
    w->rows = (DgRows){from->columns, from->columns_count, watch_next, watch_close, from->any_order};
    w->from = from;
    w->copy = c;
    w->key = -1;
    for (int32_t i = 0; i < from->columns_count && key.len && w->key < 0; i++)
        if (str_eq_nocase(from->columns[i].name, key))
            w->key = i;
    if (key.len && (w->key < 0 || !value_has_order(from->columns[w->key].type))) {
        DgStatus status = w->key < 0 ? dg_fail(err, DG_CONFIG, "`%.*s` has no column `%.*s`, its `update_key`", FMT(c->name), FMT(key))
                                     : dg_fail(err, DG_CONFIG, "`%.*s` is %s: an `update_key` needs an order", FMT(key),
                                               dg_type_name(from->columns[w->key].type.kind));
        watch_close(&w->rows);
        return status;
    }
    if (w->key >= 0 && dg_batch_init(&w->best, &from->columns[w->key], 1, 1, err) != DG_OK) {
        watch_close(&w->rows);
        return err->status;
    }
    if (w->key >= 0)
        begin_at_cursor(w, from->columns[w->key].type);
    *watch = w;
    *out = &w->rows;
    return DG_OK;
}

Str copy_watch_largest(const CopyWatch *w, DgType *type)
{
    CopyWatch *own = (CopyWatch *)w; /* only its text buffer changes */
    if (w->key < 0 || !w->has_best)
        return (Str){0};
    *type = w->rows.columns[w->key].type;
    own->text.len = 0;
    value_write_text(&own->text, &w->best.vectors[0], *type, 0);
    return buf_str(&own->text);
}

int64_t copy_watch_rows(const CopyWatch *w)
{
    return w->count;
}
