/* transform.c - a stream whose values pass through the expressions of `transforms`. Columns that no
 * expression is about pass untouched; one that the source lacks is added at the end. */
#include "runtime/copy/copy.h"
#include "runtime/copy/rules.h"
#include "runtime/os/os.h"

typedef struct Transform {
    DgRows rows; /* first */
    DgRows *from;
    Arena arena;
    CopyRules rules;
    CopyLoops loops;
    Array(DgColumn) columns;
    bool *touched;    /* per column */
    DgBatch in;
} Transform;

static DgStatus failed_rule(const Transform *w, const CopyBound *b, DgError *err)
{
    DgError why = *err;
    Str text = b->rule->text;
    dg_fail(err, why.status, "transform `%.*s` of column `%.*s`: %s", (int)(text.len > 200 ? 200 : text.len), text.ptr,
            FMT(w->columns.items[b->column].name), why.message);
    if (why.hint[0])
        dg_hint(err, "%s", why.hint);
    return why.status;
}

/* The rules in their order: each sees what those before it made. */
static DgStatus block(Transform *w, int32_t from, int32_t rows, DgError *err)
{
    DG_TRY(loops_load(&w->loops, &w->in, from, rows, err));
    for (size_t i = 0; i < w->loops.bound.count; i++)
        if (loops_run(&w->loops, &w->loops.bound.items[i], rows, err) != DG_OK)
            return failed_rule(w, &w->loops.bound.items[i], err);
    return DG_OK;
}

static DgStatus transform_rows(Transform *w, DgBatch *out, DgError *err)
{
    for (int32_t from = 0, rows; from < w->in.rows; from += rows) {
        rows = loops_rows(&w->loops, &w->in, from);
        DgStatus status = block(w, from, rows, err);
        if (status == DG_NOMEM && rows > 1) /* texts that grow: row by row they may pass */
            status = block(w, from, rows = 1, err);
        for (int32_t i = 0; status == DG_OK && i < w->rows.columns_count; i++)
            if (w->touched[i])
                status = copy_cells_set(out, i, from, rows, w->loops.cells[i], err);
        DG_TRY(status);
    }
    return DG_OK;
}

static DgStatus transform_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Transform *w = (Transform *)rows;
    dg_batch_reset(out);
    DgStatus status = w->from->next(w->from, &w->in, err);
    if (status != DG_OK && status != DG_END)
        return status;
    DG_TRY(transform_rows(w, out, err));
    for (int32_t i = 0; i < w->in.columns_count; i++)
        if (!w->touched[i]) { /* the vectors change places */
            DgVector v = out->vectors[i];
            out->vectors[i] = w->in.vectors[i];
            w->in.vectors[i] = v;
        }
    out->rows = w->in.rows;
    return status;
}

static void transform_close(DgRows *rows)
{
    Transform *w = (Transform *)rows;
    rows_close(w->from);
    dg_batch_release(&w->in);
    arena_free(&w->arena);
    loops_free(&w->loops);
    os_free(w);
}

/* ---- Which rule is about which column, and what type comes of it ---- */

static void add_step(Transform *w, size_t rule, DgCode code, int32_t column)
{
    DgType type;
    DgColumn *c = &w->columns.items[column];
    loops_add(&w->loops, &w->rules, rule, code, column);
    if (expr_type(w->rules.items[rule].expr, &type))
        c->type = type;
    c->not_null = false;
}

static void bind_rule(Transform *w, size_t index, DgCode code)
{
    const CopyRule *rule = &w->rules.items[index];
    bool text_only = !rule->column.len, all = str_eq(rule->column, S("*"));
    size_t count = w->columns.count;
    for (size_t i = 0; i < count; i++) {
        const DgColumn *c = &w->columns.items[i];
        if (all || (text_only && c->type.kind == DG_TEXT) || str_eq_nocase(c->name, rule->column)) {
            add_step(w, index, code, (int32_t)i);
            if (!all && !text_only)
                return;
        }
    }
    if (all || text_only)
        return;
    DgColumn added = {.name = str_copy(&w->arena, rule->column), .type = {DG_TEXT, 0, 0}};
    array_add(&w->arena, &w->columns, added);
    if (w->columns.count > count)
        add_step(w, index, code, (int32_t)count);
}

static DgStatus bind(Transform *w, DgCode code, DgError *err)
{
    for (int32_t i = 0; i < w->from->columns_count; i++)
        array_add(&w->arena, &w->columns, w->from->columns[i]);
    for (size_t i = 0; i < w->rules.count; i++)
        bind_rule(w, i, code);
    if (w->columns.count > LIMIT_COLUMNS)
        return dg_fail(err, DG_CONFIG, "transforms make more than %d columns", LIMIT_COLUMNS);
    w->touched = push(&w->arena, bool, w->columns.count + 1);
    if (w->arena.failed)
        return os_no_memory(err, "transforming rows");
    for (size_t i = 0; i < w->loops.bound.count; i++)
        w->touched[w->loops.bound.items[i].column] = true;
    DG_TRY(loops_bind(&w->loops, w->columns.items, (int32_t)w->columns.count, true, err));
    w->rows = (DgRows){w->columns.items, (int32_t)w->columns.count, transform_next, transform_close, w->from->any_order};
    return dg_batch_init(&w->in, w->from->columns, w->from->columns_count, DG_BATCH_ROWS, err);
}

DgStatus copy_transform(Copy *c, DgRows *from, DgRows **out, DgError *err)
{
    Transform *w = os_alloc(sizeof *w);
    if (!w) {
        rows_close(from);
        return os_no_memory(err, "transforming rows");
    }
    arena_init(&w->arena, 64 << 20);
    loops_init(&w->loops, c->started_us);
    w->arena.can_fail = true;
    w->from = from;
    DgStatus status = rules_transforms(&w->arena, c->s->transforms, &w->rules, err);
    if (status == DG_OK && !w->rules.count) { /* none: the stream as it is */
        w->from = NULL;
        transform_close(&w->rows);
        *out = from;
        return DG_OK;
    }
    if (status == DG_OK)
        status = bind(w, c->step->transform_loops, err);
    if (status == DG_OK)
        *out = &w->rows;
    else
        transform_close(&w->rows);
    return status;
}
