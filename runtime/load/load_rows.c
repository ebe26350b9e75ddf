/* load_rows.c - the rows under the names of the table's columns, without those that are left out. */
#include "runtime/load/load_internal.h"
#include "runtime/os/os.h"

typedef struct Renamed {
    DgRows rows; /* first; lives on the stack of load_insert */
    DgRows *from;
    Load *load;
    DgColumn *columns;
    int32_t *source;  /* column of `from` that each comes from */
    DgBatch in;
    bool whole;       /* nothing is left out: batches pass as they are */
} Renamed;

/* Values of columns that the contract leaves out; `in` still has them. */
static void count_left_out(Renamed *r)
{
    for (int32_t i = 0; i < r->load->columns_count; i++) {
        if (r->load->columns[i].action != LOAD_DISCARD_VALUE)
            continue;
        for (int32_t row = 0; row < r->in.rows; row++)
            r->load->counts->values_discarded += DG_VALID(&r->in.vectors[i], row);
    }
}

static DgStatus renamed_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Renamed *r = (Renamed *)rows;
    if (r->load->spec->cancelled && r->load->spec->cancelled(r->load->spec->context))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    if (r->whole) {
        DgStatus status = r->from->next(r->from, out, err);
        r->load->counts->rows_read += status == DG_OK || status == DG_END ? out->rows : 0;
        return status;
    }
    dg_batch_reset(out);
    DgStatus status = r->from->next(r->from, &r->in, err);
    if (status != DG_OK && status != DG_END)
        return status;
    for (int32_t i = 0; i < rows->columns_count; i++) { /* the vectors change places */
        DgVector v = out->vectors[i];
        out->vectors[i] = r->in.vectors[r->source[i]];
        r->in.vectors[r->source[i]] = v;
    }
    count_left_out(r);
    out->rows = r->in.rows;
    r->load->counts->rows_read += out->rows;
    return status;
}

static void renamed_close(DgRows *rows)
{
    dg_batch_release(&((Renamed *)rows)->in);
}

DgStatus load_insert(Load *l, DgTableName to, DgRows *from, DgError *err)
{
    Renamed r = {.from = from, .load = l, .whole = true};
    int32_t n = 0;
    int64_t inserted = 0;
    r.columns = push(&l->arena, DgColumn, l->columns_count + 1);
    r.source = push(&l->arena, int32_t, l->columns_count + 1);
    for (int32_t i = 0; i < l->columns_count; i++) {
        bool staged = l->staging.table.len > 0;
        if (l->columns[i].action == LOAD_DISCARD_VALUE || (l->columns[i].action == LOAD_STAGE && !staged)) {
            r.whole = false;
            continue;
        }
        r.source[n] = i;
        r.columns[n++] = (DgColumn){.name = l->columns[i].name, .type = l->columns[i].type, .not_null = from && from->columns[i].not_null};
    }
    r.rows = (DgRows){r.columns, n, renamed_next, renamed_close, from && from->any_order};
    if (!r.whole && !l->explain)
        DG_TRY(dg_batch_init(&r.in, from->columns, from->columns_count, DG_BATCH_ROWS, err));
    if (l->explain) {
        buf_add(l->explain, S("-- rows into "));
        sql_table(l->explain, l->d, to);
        buf_char(l->explain, '\n');
        return DG_OK;
    }
    DgStatus status = l->engine->insert(l->db, to, &r.rows, &inserted, err);
    dg_batch_release(&r.in);
    if (status == DG_OK && !l->staging.table.len)
        l->counts->rows_inserted += inserted;
    return status;
}
