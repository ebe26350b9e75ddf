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
    Arena arena, scratch;
    CopyRules rules;
    int32_t *columns; /* of each rule; -1: this stream has no such column */
    OnFailure on_failure;
    DgBatch in;
    int64_t broken;
} Constrain;

static DgStatus violated(Constrain *w, const CopyRule *rule, CopyRow *row, DgError *err)
{
    DgValue v;
    DG_TRY(copy_cell_get(row->batch, row->value, row->row, &w->scratch, &v, err));
    Str name = w->rows.columns[row->value].name, text = v.kind == DG_V_NONE ? S("null") : expr_text(&w->scratch, v);
    w->broken++;
    if (w->on_failure != FAIL_ABORT) {
        if (w->broken <= WARNINGS_MAX)
            dg_log(w->copy->run, DG_LOG_WARNING, "column `%.*s`: `%.*s` breaks `%.*s`%s", FMT(name), (int)(text.len > 80 ? 80 : text.len), text.ptr,
                   FMT(rule->text), w->on_failure == FAIL_SKIP ? "; the row is left out" : "");
        return DG_OK;
    }
    dg_fail(err, DG_DATA, "column `%.*s`: `%.*s` breaks the constraint `%.*s`", FMT(name), (int)(text.len > 80 ? 80 : text.len), text.ptr,
            (int)(rule->text.len > 300 ? 300 : rule->text.len), rule->text.ptr);
    dg_hint(err, "SLING_ON_CONSTRAINT_FAILURE can be warn (the row is kept) or skip (it is left out)");
    return DG_DATA;
}

static DgStatus check_row(Constrain *w, const DgBatch *b, int32_t row, bool *keep, DgError *err)
{
    CopyRow names = {.batch = b, .row = row, .columns = b->columns, .columns_count = b->columns_count, .scratch = &w->scratch};
    ExprScope scope = {.name = copy_row_name, .context = &names, .scratch = &w->scratch, .now_us = w->copy->started_us};
    *keep = true;
    for (size_t i = 0; i < w->rules.count && *keep; i++) {
        int holds;
        arena_reset(&w->scratch);
        names.value = w->columns[i];
        if (names.value < 0)
            continue;
        DG_TRY(expr_truth(w->rules.items[i].expr, &scope, &holds, err));
        if (holds == 0)
            DG_TRY(violated(w, &w->rules.items[i], &names, err));
        *keep = holds != 0 || w->on_failure != FAIL_SKIP;
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
        for (int32_t row = 0; row < in->rows; row++) {
            bool keep;
            DG_TRY(check_row(w, in, row, &keep, err));
            for (int32_t i = 0; skipping && keep && i < rows->columns_count; i++)
                if (!copy_cell_move(in, row, out, kept, i))
                    return os_no_memory(err, "checking rows");
            kept += keep;
        }
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
    os_free(w->columns);
    arena_free(&w->arena);
    arena_free(&w->scratch);
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

/* One rule for each column that it is about; `*` is about all. */
static DgStatus bind(Constrain *w, DgError *err)
{
    w->columns = os_alloc((w->rules.count + 1) * sizeof *w->columns);
    if (!w->columns)
        return os_no_memory(err, "checking rows");
    for (size_t i = 0; i < w->rules.count; i++) {
        w->columns[i] = -1;
        for (int32_t k = 0; k < w->rows.columns_count; k++)
            if (str_eq_nocase(w->rules.items[i].column, w->rows.columns[k].name))
                w->columns[i] = k;
        if (w->columns[i] < 0)
            dg_log(w->copy->run, DG_LOG_WARNING, "`columns` has a constraint for `%.*s`, which is no column of %.*s", FMT(w->rules.items[i].column),
                   FMT(w->copy->name));
    }
    return DG_OK;
}

/* `*: 'string | value != ""'` stands for every column. */
static void expand_stars(Constrain *w)
{
    CopyRules all = {0};
    for (size_t i = 0; i < w->rules.count; i++) {
        CopyRule rule = w->rules.items[i];
        bool star = str_eq(rule.column, S("*"));
        for (int32_t k = 0; k < (star ? w->rows.columns_count : 1); k++) {
            if (star)
                rule.column = w->rows.columns[k].name;
            array_add(&w->arena, &all, rule);
        }
    }
    w->rules = all;
}

DgStatus copy_constrain(Copy *c, DgRows *from, DgRows **out, DgError *err)
{
    Constrain *w = os_alloc(sizeof *w);
    if (!w) {
        rows_close(from);
        return os_no_memory(err, "checking rows");
    }
    arena_init(&w->arena, 64 << 20);
    arena_init(&w->scratch, 128 << 20);
    w->arena.can_fail = w->scratch.can_fail = true;
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
    expand_stars(w);
    if (status == DG_OK)
        status = on_failure_of(c, &w->on_failure, err);
    if (status == DG_OK)
        status = bind(w, err);
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
