/* constrain.c - rows whose values keep what `columns` demands of them. A null passes, as it does
 * SQL's CHECK, unless the constraint asks for it (`value != null`). */
#include "runtime/copy/copy.h"
#include "runtime/copy/rules.h"
#include "runtime/os/os.h"

typedef enum OnFailure { FAIL_ABORT, FAIL_WARN, FAIL_SKIP } OnFailure;
enum { WARNINGS_MAX = 10 };

typedef struct Constrain {
    DgRows rows; /* first */
    DgRows *from;
    Copy *copy;
    Arena arena;
    CopyRules rules;
    CopyLoops loops;
    OnFailure on_failure;
    DgBatch in;
    int64_t broken;
} Constrain;

static DgStatus violated(Constrain *w, const CopyBound *b, const DgBatch *batch, int32_t row, DgError *err)
{
    DgValue v;
    DG_TRY(copy_cells_get(batch, b->column, row, 1, &w->loops.scope, &v, err));
    Str name = w->rows.columns[b->column].name, text = v.kind == DG_V_NONE ? S("null") : expr_text(&w->loops.scratch, v), rule = b->rule->text;
    w->broken++;
    if (w->on_failure != FAIL_ABORT) {
        if (w->broken <= WARNINGS_MAX)
            dg_log(w->copy->run, DG_LOG_WARNING, "column `%.*s`: `%.*s` breaks `%.*s`%s", FMT(name), (int)(text.len > 80 ? 80 : text.len), text.ptr,
                   FMT(rule), w->on_failure == FAIL_SKIP ? "; the row is left out" : "");
        return DG_OK;
    }
    dg_fail(err, DG_DATA, "column `%.*s`: `%.*s` breaks the constraint `%.*s`", FMT(name), (int)(text.len > 80 ? 80 : text.len), text.ptr,
            (int)(rule.len > 300 ? 300 : rule.len), rule.ptr);
    dg_hint(err, "SLING_ON_CONSTRAINT_FAILURE can be warn (the row is kept) or skip (it is left out)");
    return DG_DATA;
}

/* What holds of row `at` of the block, which is row `row` of the batch. */
static DgStatus judge(Constrain *w, const CopyBound *b, const DgBatch *batch, int32_t row, int32_t at, bool *keep, DgError *err)
{
    int holds;
    DG_TRY(dg_expr_truth(&b->out[at], &holds, err));
    if (holds == 0)
        DG_TRY(violated(w, b, batch, row, err));
    *keep = holds != 0 || w->on_failure != FAIL_SKIP;
    return DG_OK;
}

/* Row by row, rule by rule: a row that is left out is asked nothing more. */
static DgStatus one_row(Constrain *w, const DgBatch *b, int32_t row, bool *keep, DgError *err)
{
    *keep = true;
    DG_TRY(loops_load(&w->loops, b, row, 1, err));
    for (size_t i = 0; i < w->loops.bound.count && *keep; i++) {
        DG_TRY(loops_run(&w->loops, &w->loops.bound.items[i], 1, err));
        DG_TRY(judge(w, &w->loops.bound.items[i], b, row, 0, keep, err));
    }
    return DG_OK;
}

static DgStatus all_rules(Constrain *w, const DgBatch *b, int32_t from, int32_t rows, DgError *err)
{
    DG_TRY(loops_load(&w->loops, b, from, rows, err));
    for (size_t i = 0; i < w->loops.bound.count; i++)
        DG_TRY(loops_run(&w->loops, &w->loops.bound.items[i], rows, err));
    return DG_OK;
}

/* Up to DG_LOOP_ROWS rows from `from`; returns how many in *rows, and which stay. */
static DgStatus check_block(Constrain *w, const DgBatch *b, int32_t from, int32_t *rows, bool *keep, DgError *err)
{
    DgError ignored = {0};
    *rows = loops_rows(&w->loops, b, from);
    bool together = all_rules(w, b, from, *rows, &ignored) == DG_OK;
    for (int32_t k = 0; k < *rows; k++) {
        keep[k] = true;
        if (!together) /* some rule does not take some row: perhaps one that is left out before */
            DG_TRY(one_row(w, b, from + k, &keep[k], err));
        for (size_t i = 0; together && i < w->loops.bound.count && keep[k]; i++)
            DG_TRY(judge(w, &w->loops.bound.items[i], b, from + k, k, &keep[k], err));
    }
    return DG_OK;
}

static DgStatus check_rows(Constrain *w, const DgBatch *in, DgBatch *out, int32_t *kept, DgError *err)
{
    bool keep[DG_LOOP_ROWS];
    for (int32_t from = 0, rows; from < in->rows; from += rows) {
        DG_TRY(check_block(w, in, from, &rows, keep, err));
        for (int32_t k = 0; k < rows; k++) {
            for (int32_t i = 0; in != out && keep[k] && i < w->rows.columns_count; i++)
                if (!copy_cell_move(in, from + k, out, *kept, i))
                    return os_no_memory(err, "checking rows");
            *kept += keep[k];
        }
    }
    return DG_OK;
}

static DgStatus constrain_next(DgRows *rows, DgBatch *out, DgError *err)
{
    Constrain *w = (Constrain *)rows;
    bool skipping = w->on_failure == FAIL_SKIP;
    DgBatch *in = skipping ? &w->in : out;
    dg_batch_reset(out);
    DgStatus status = DG_OK;
    int32_t kept = 0;
    while (status == DG_OK && !kept) {
        status = w->from->next(w->from, in, err);
        if (status != DG_OK && status != DG_END)
            return status;
        DG_TRY(check_rows(w, in, out, &kept, err));
        out->rows = kept;
    }
    if (status == DG_END && w->broken)
        dg_log(w->copy->run, DG_LOG_WARNING, "%lld values break the constraints of `columns`%s", (long long)w->broken,
               skipping ? "; their rows are left out" : "");
    return status;
}

static void constrain_close(DgRows *rows)
{
    Constrain *w = (Constrain *)rows;
    rows_close(w->from);
    dg_batch_release(&w->in);
    arena_free(&w->arena);
    loops_free(&w->loops);
    os_free(w);
}

static DgStatus on_failure_of(Copy *c, OnFailure *out, DgError *err)
{
    Str how = copy_setting(c, "SLING_ON_CONSTRAINT_FAILURE");
    *out = str_eq(how, S("warn")) ? FAIL_WARN : str_eq(how, S("skip")) ? FAIL_SKIP : FAIL_ABORT;
    if (*out != FAIL_ABORT || !how.len || str_eq(how, S("abort")))
        return DG_OK;
    return dg_fail(err, DG_CONFIG, "SLING_ON_CONSTRAINT_FAILURE is abort, warn or skip, not `%.*s`", FMT(how));
}

static void bind_rule(Constrain *w, size_t index)
{
    Str name = w->rules.items[index].column;
    bool star = str_eq(name, S("*")), found = star; /* `*: 'string | value != ""'` is about every column */
    for (int32_t k = 0; k < w->rows.columns_count; k++)
        if (star || str_eq_nocase(name, w->rows.columns[k].name)) {
            loops_add(&w->loops, &w->rules, index, w->copy->step->constraint_loops, k);
            found = true;
        }
    if (!found)
        dg_log(w->copy->run, DG_LOG_WARNING, "`columns` has a constraint for `%.*s`, which is no column of %.*s", FMT(name), FMT(w->copy->name));
}

DgStatus copy_constrain(Copy *c, DgRows *from, DgRows **out, DgError *err)
{
    Constrain *w = os_alloc(sizeof *w);
    if (!w) {
        rows_close(from);
        return os_no_memory(err, "checking rows");
    }
    arena_init(&w->arena, 64 << 20);
    loops_init(&w->loops, c->started_us);
    w->arena.can_fail = true;
    w->copy = c;
    w->from = from;
    w->rows = (DgRows){from->columns, from->columns_count, constrain_next, constrain_close, from->any_order};
    DgStatus status = rules_constraints(&w->arena, c->s->columns, &w->rules, err);
    if (status == DG_OK && !w->rules.count) { /* none: the stream as it is */
        w->from = NULL;
        constrain_close(&w->rows);
        *out = from;
        return DG_OK;
    }
    if (status == DG_OK)
        status = on_failure_of(c, &w->on_failure, err);
    for (size_t i = 0; status == DG_OK && i < w->rules.count; i++)
        bind_rule(w, i);
    if (status == DG_OK)
        status = loops_bind(&w->loops, from->columns, from->columns_count, false, err);
    if (status == DG_OK && w->on_failure == FAIL_SKIP)
        status = dg_batch_init(&w->in, from->columns, from->columns_count, DG_BATCH_ROWS, err);
    if (status == DG_OK && w->arena.failed)
        status = os_no_memory(err, "checking rows");
    if (status == DG_OK)
        *out = &w->rows;
    else
        constrain_close(&w->rows);
    return status;
}
