/* since.c - of files, the rows beyond where the last run ended: what a WHERE does for databases. */
#include "runtime/copy/copy.h"
#include "runtime/copy/rules.h"
#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/os/os.h"

typedef struct Since {
    DgRows rows; /* first */
    DgRows *from;
    int32_t key;
    DgBatch in, last; /* last: one row, the key alone */
} Since;

static bool is_new(const Since *w, int32_t row)
{
    const DgVector *v = &w->in.vectors[w->key];
    return DG_VALID(v, row) && value_compare(v, row, &w->last.vectors[0], 0, w->rows.columns[w->key].type) > 0;
}

static DgStatus since_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Since *w = (Since *)rows;
    DgStatus status = DG_OK;
    int32_t kept = 0;
    dg_batch_reset(out);
    while (status == DG_OK && !kept) {
        status = w->from->next(w->from, &w->in, err);
        if (status != DG_OK && status != DG_END)
            return status;
        for (int32_t row = 0; row < w->in.rows; row++) {
            if (!is_new(w, row))
                continue;
            for (int32_t i = 0; i < rows->columns_count; i++)
                if (!copy_cell_move(&w->in, row, out, kept, i))
                    return os_no_memory(err, "reading rows");
            kept++;
        }
        out->rows = kept;
    }
    return status;
}

static void since_close(DgRows *rows)
{
    Since *w = (Since *)rows;
    rows_close(w->from);
    dg_batch_release(&w->in);
    dg_batch_release(&w->last);
    os_free(w);
}

static DgStatus remember(Since *w, Copy *c, DgError *err)
{
    const DgColumn *column = &w->rows.columns[w->key];
    Str s = c->cursor;
    DG_TRY(dg_batch_init(&w->in, w->rows.columns, w->rows.columns_count, DG_BATCH_ROWS, err));
    DG_TRY(dg_batch_init(&w->last, column, 1, 1, err));
    bool text = dg_type_width((DgTypeKind)column->type.kind) == 0;
    if (text ? dg_text_set(&w->last.vectors[0], 0, s.ptr, (size_t)s.len) : copy_store(&w->last.vectors[0], column->type, 0, s.ptr, s.ptr + s.len))
        return DG_OK;
    dg_fail(err, DG_DATA, "stream `%.*s` ended at `%.*s`, which `%.*s`, now %s, cannot be compared with", FMT(c->name), FMT(s), FMT(column->name),
            dg_type_name((DgTypeKind)column->type.kind));
    dg_hint(err, "declare the type under `columns:`, or begin anew with --full-refresh");
    return DG_DATA;
}

DgStatus copy_since(Copy *c, DgRows *from, DgRows **out, DgError *err)
{
    int32_t key = -1;
    *out = from;
    for (int32_t i = 0; i < from->columns_count && key < 0; i++)
        key = c->s->update_key.len && str_eq_nocase(from->columns[i].name, c->s->update_key) ? i : -1;
    if (c->source.engine || !c->target.engine || !c->incremental || !c->cursor.len || key < 0) /* no such key: watch.c says it */
        return DG_OK;
    Since *w = os_alloc(sizeof *w);
    if (!w) {
        rows_close(from);
        return os_no_memory(err, "reading rows");
    }
    *w = (Since){.from = from, .key = key};
    w->rows = (DgRows){from->columns, from->columns_count, since_next, since_close, from->any_order};
    DgStatus status = remember(w, c, err);
    if (status == DG_OK)
        *out = &w->rows;
    else
        since_close(&w->rows);
    return status;
}
