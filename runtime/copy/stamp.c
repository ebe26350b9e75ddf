/* stamp.c - a column that says when rows were loaded: `_sling_loaded_at`, where Sling adds it. */
#include "runtime/copy/copy.h"
#include "runtime/os/os.h"

typedef struct Stamp {
    DgRows rows; /* first */
    DgRows *from;
    DgBatch in;        /* without the moment */
    DgColumn *columns; /* those of `from`, then the moment */
    char *name;
    int64_t value;
} Stamp;

static DgStatus stamp_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Stamp *w = (Stamp *)rows;
    int32_t count = w->from->columns_count;
    dg_batch_reset(out);
    DgStatus status = w->from->next(w->from, &w->in, err);
    for (int32_t i = 0; i < count; i++) { /* the vectors change places */
        DgVector v = out->vectors[i];
        out->vectors[i] = w->in.vectors[i];
        w->in.vectors[i] = v;
    }
    int64_t *moments = out->vectors[count].values;
    out->rows = w->in.rows;
    for (int32_t i = 0; i < out->rows; i++)
        moments[i] = w->value;
    return status;
}

static void stamp_close(DgRows *rows)
{
    Stamp *w = (Stamp *)rows;
    rows_close(w->from);
    dg_batch_release(&w->in);
    os_free(w->columns);
    os_free(w->name);
    os_free(w);
}

/* Always in snapshots, which cannot be told apart without it; where the setting asks; and from files into tables,
 * unless the setting or a contract says no, or each run would be a change of every row's history. */
static bool wanted(Copy *c, Str setting)
{
    bool history = str_eq(c->s->target_options.merge_strategy, S("history_insert"));
    if (history)
        return false; /* the load adds it, if it is asked for: it is no value of the row */
    if (c->s->mode == DG_COPY_SNAPSHOT)
        return true;
    if (setting.len)
        return copy_setting_true(c, "SLING_LOADED_AT_COLUMN");
    return !c->source.engine && c->target.engine && c->step->replication.len && (!c->s->contract.len || str_eq(c->s->contract, S("evolve")));
}

static bool has_column(const DgRows *rows, Str name)
{
    for (int32_t i = 0; i < rows->columns_count; i++)
        if (str_eq_nocase(rows->columns[i].name, name))
            return true;
    return false;
}

DgStatus copy_stamp(Copy *c, DgRows *from, DgRows **out, DgError *err)
{
    static const char name[] = "_sling_loaded_at";
    Str setting = copy_setting(c, "SLING_LOADED_AT_COLUMN");
    bool timestamp = str_eq_nocase(setting, S("timestamp"));
    *out = from;
    if (!wanted(c, setting))
        return DG_OK;
    int32_t count = from->columns_count;
    Stamp *w = os_alloc(sizeof *w);
    DgColumn *columns = os_alloc(((size_t)count + 1) * sizeof *columns);
    size_t length = sizeof name - 1, room = length + (size_t)count + 1;
    char *text = os_alloc(room);
    if (!w || !columns || !text) {
        os_free(w);
        os_free(columns);
        os_free(text);
        rows_close(from);
        return os_no_memory(err, "reading rows");
    }
    memcpy(text, name, length);
    while (has_column(from, (Str){text, (ptrdiff_t)length})) /* rows that Sling has loaded before */
        text[length++] = '_';
    if (count)
        memcpy(columns, from->columns, (size_t)count * sizeof *columns);
    columns[count] = (DgColumn){.name = {text, (ptrdiff_t)length}, .type = {timestamp ? DG_TIMESTAMPTZ : DG_INT64, 0, 0}};
    *w = (Stamp){.from = from, .columns = columns, .name = text, .value = timestamp ? c->started_us : c->started_us / 1000000};
    w->rows = (DgRows){columns, count + 1, stamp_next, stamp_close, from->any_order};
    *out = &w->rows;
    DgStatus status = dg_batch_init(&w->in, from->columns, count, DG_BATCH_ROWS, err);
    if (status != DG_OK)
        stamp_close(&w->rows);
    return status;
}
