/* transform.c - a stream whose values pass through the expressions of `transforms`. Columns that no
 * expression is about pass untouched; one that the source lacks is added at the end. */
#include "runtime/copy/copy.h"
#include "runtime/copy/rules.h"
#include "runtime/os/os.h"

typedef struct Step { /* one rule for one column */
    const CopyRule *rule;
    int32_t column;
} Step;

typedef struct Transform {
    DgRows rows; /* first */
    DgRows *from;
    Copy *copy;
    Arena arena, scratch;
    CopyRules rules;
    Array(Step) steps;
    Array(DgColumn) columns;
    DgValue *changed; /* per column, of the row at hand */
    bool *touched;    /* per column */
    DgBatch in;
} Transform;

static DgStatus transform_row(Transform *w, int32_t row, DgBatch *out, DgError *err)
{
    CopyRow names = {.batch = &w->in, .row = row, .changed = w->changed, .columns = w->columns.items,
                     .columns_count = w->rows.columns_count, .scratch = &w->scratch};
    ExprScope scope = {.name = copy_row_name, .context = &names, .scratch = &w->scratch, .now_us = w->copy->started_us};
    arena_reset(&w->scratch);
    for (int32_t i = 0; i < w->rows.columns_count; i++)
        w->changed[i].kind = DG_V_UNDEFINED;
    for (size_t i = 0; i < w->steps.count; i++) {
        DgValue v;
        names.value = w->steps.items[i].column;
        if (expr_eval(w->steps.items[i].rule->expr, &scope, &v, err) != DG_OK) {
            DgError why = *err;
            Str text = w->steps.items[i].rule->text;
            return dg_fail(err, why.status, "transform `%.*s` of column `%.*s`: %s", (int)(text.len > 200 ? 200 : text.len), text.ptr,
                           FMT(w->columns.items[names.value].name), why.message);
        }
        w->changed[names.value] = v;
    }
    for (int32_t i = 0; i < w->rows.columns_count; i++)
        if (w->touched[i])
            DG_TRY(copy_cell_set(out, i, row, w->changed[i], &w->scratch, err));
    return DG_OK;
}

static DgStatus transform_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Transform *w = (Transform *)rows;
    dg_batch_reset(out);
    DgStatus status = w->from->next(w->from, &w->in, err);
    if (status != DG_OK && status != DG_END)
        return status;
    for (int32_t row = 0; row < w->in.rows; row++)
        DG_TRY(transform_row(w, row, out, err));
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
    arena_free(&w->scratch);
    os_free(w);
}

/* ---- Which rule is about which column, and what type comes of it ---- */

static void add_step(Transform *w, const CopyRule *rule, int32_t column)
{
    DgType type;
    Step step = {rule, column};
    DgColumn *c = &w->columns.items[column];
    array_add(&w->arena, &w->steps, step);
    if (expr_type(rule->expr, &type))
        c->type = type;
    c->not_null = false;
}

static void bind_rule(Transform *w, const CopyRule *rule)
{
    bool text_only = !rule->column.len, all = str_eq(rule->column, S("*"));
    size_t count = w->columns.count;
    for (size_t i = 0; i < count; i++) {
        const DgColumn *c = &w->columns.items[i];
        if (all || (text_only && c->type.kind == DG_TEXT) || str_eq_nocase(c->name, rule->column)) {
            add_step(w, rule, (int32_t)i);
            if (!all && !text_only)
                return;
        }
    }
    if (all || text_only)
        return;
    DgColumn added = {.name = str_copy(&w->arena, rule->column), .type = {DG_TEXT, 0, 0}};
    array_add(&w->arena, &w->columns, added);
    if (w->columns.count > count)
        add_step(w, rule, (int32_t)count);
}

static DgStatus bind(Transform *w, DgError *err)
{
    for (int32_t i = 0; i < w->from->columns_count; i++)
        array_add(&w->arena, &w->columns, w->from->columns[i]);
    for (size_t i = 0; i < w->rules.count; i++)
        bind_rule(w, &w->rules.items[i]);
    if (w->columns.count > LIMIT_COLUMNS)
        return dg_fail(err, DG_CONFIG, "transforms make more than %d columns", LIMIT_COLUMNS);
    w->changed = push(&w->arena, DgValue, w->columns.count + 1);
    w->touched = push(&w->arena, bool, w->columns.count + 1);
    if (w->arena.failed)
        return os_no_memory(err, "transforming rows");
    for (size_t i = 0; i < w->steps.count; i++)
        w->touched[w->steps.items[i].column] = true;
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
    arena_init(&w->scratch, 256 << 20);
    w->arena.can_fail = w->scratch.can_fail = true;
    w->copy = c;
    w->from = from;
    DgStatus status = rules_transforms(&w->arena, c->s->transforms, &w->rules, err);
    if (status == DG_OK && !w->rules.count) { /* none: the stream as it is */
        w->from = NULL;
        transform_close(&w->rows);
        *out = from;
        return DG_OK;
    }
    if (status == DG_OK)
        status = bind(w, err);
    if (status == DG_OK)
        *out = &w->rows;
    else
        transform_close(&w->rows);
    return status;
}
