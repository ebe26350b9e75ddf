/* loops.c - rules over blocks of rows: cells of the columns that they name become arrays of values,
 * each rule is one loop over them, emitted C or a walk of its tree. */
#include <stdlib.h>

#include "runtime/copy/rules.h"
#include "runtime/data/batch.h"
#include "runtime/os/os.h"

enum { BLOCK_BYTES = 1 << 20 }; /* of text read at once; one row may have more */

void loops_init(CopyLoops *l, int64_t now_us)
{
    *l = (CopyLoops){0};
    arena_init(&l->arena, 256 << 20);
    arena_init(&l->scratch, 256 << 20);
    l->arena.can_fail = l->scratch.can_fail = true;
    l->scope = (ExprScope){.scratch = &l->scratch, .buffer = &l->buffer, .now_us = now_us};
}

void loops_free(CopyLoops *l)
{
    arena_free(&l->arena);
    arena_free(&l->scratch);
    buf_free(&l->buffer);
}

void loops_add(CopyLoops *l, const CopyRules *rules, size_t index, DgCode code, int32_t column)
{
    const DgRuleSet *emitted = code.call ? ((DgRuleSetFn)code.call)() : NULL;
    CopyBound bound = {.rule = &rules->items[index], .column = column};
    if (emitted && emitted->count == rules->count && !getenv("DGC_WALK_RULES")) /* which is for tests: both ways are the same */
        bound.call = emitted->items[index];
    array_add(&l->arena, &l->bound, bound);
}

static DgValue *cells_of(CopyLoops *l, int32_t column)
{
    if (!l->cells[column])
        l->cells[column] = push(&l->arena, DgValue, DG_LOOP_ROWS);
    return l->cells[column];
}

static int32_t find(const CopyLoops *l, Str name, int32_t own)
{
    Str wanted = str_sub(name, 7, name.len); /* past `record.` */
    if (str_eq(name, S("value")))
        return own;
    for (int32_t i = 0; i < l->columns_count && str_starts(name, S("record.")); i++)
        if (str_eq_nocase(l->columns[i].name, wanted))
            return i;
    return -1;
}

static DgStatus bind(CopyLoops *l, CopyBound *b, bool in_place, DgError *err)
{
    StrArray names = {0};
    expr_names(b->rule->expr, &l->arena, &names);
    b->in = push(&l->arena, DgValue *, names.count + 1);
    b->out = in_place ? cells_of(l, b->column) : push(&l->arena, DgValue, DG_LOOP_ROWS);
    for (size_t i = 0; i < names.count && !l->arena.failed; i++) {
        int32_t column = find(l, names.items[i], b->column);
        if (column < 0)
            return dg_fail(err, DG_CONFIG, "`%.*s`: there is no `%.*s`", (int)(b->rule->text.len > 200 ? 200 : b->rule->text.len), b->rule->text.ptr,
                           FMT(names.items[i]));
        b->in[i] = cells_of(l, column);
    }
    return l->arena.failed ? os_no_memory(err, "reading rows") : DG_OK;
}

DgStatus loops_bind(CopyLoops *l, const DgColumn *columns, int32_t count, bool in_place, DgError *err)
{
    l->columns = columns;
    l->columns_count = count;
    l->cells = push(&l->arena, DgValue *, count + 1);
    if (l->arena.failed)
        return os_no_memory(err, "reading rows");
    for (size_t i = 0; i < l->bound.count; i++)
        DG_TRY(bind(l, &l->bound.items[i], in_place, err));
    return DG_OK;
}

int32_t loops_rows(const CopyLoops *l, const DgBatch *b, int32_t from)
{
    int32_t rows = b->rows - from < DG_LOOP_ROWS ? b->rows - from : DG_LOOP_ROWS;
    for (; rows > 1; rows /= 2) {
        int64_t bytes = 0;
        for (int32_t i = 0; i < b->columns_count; i++)
            if (l->cells[i] && dg_type_width(b->columns[i].type.kind) == 0) {
                const int32_t *offsets = b->vectors[i].values;
                bytes += offsets[from + rows] - offsets[from];
            }
        if (bytes <= BLOCK_BYTES)
            break;
    }
    return rows;
}

DgStatus loops_load(CopyLoops *l, const DgBatch *b, int32_t from, int32_t rows, DgError *err)
{
    arena_reset(&l->scratch);
    for (int32_t i = 0; i < l->columns_count; i++) {
        if (l->cells[i] && i < b->columns_count)
            DG_TRY(copy_cells_get(b, i, from, rows, &l->scope, l->cells[i], err));
        for (int32_t k = 0; l->cells[i] && i >= b->columns_count && k < rows; k++)
            l->cells[i][k] = (DgValue){.kind = DG_V_NONE}; /* added, and nothing made it yet */
    }
    return DG_OK;
}

static DgStatus walk(CopyLoops *l, const CopyBound *b, int32_t rows, DgError *err)
{
    l->scope.in = b->in;
    for (l->scope.row = 0; l->scope.row < rows; l->scope.row++) {
        DgValue v;
        DG_TRY(expr_eval(b->rule->expr, &l->scope, &v, err));
        b->out[l->scope.row] = v;
    }
    return DG_OK;
}

DgStatus loops_run(CopyLoops *l, const CopyBound *b, int32_t rows, DgError *err)
{
    DgRuleRows x = {.rows = rows, .in = b->in, .out = b->out, .scope = &l->scope};
    DgStatus status = b->call ? b->call(&x, err) : walk(l, b, rows, err);
    return l->scratch.failed ? os_no_memory(err, "evaluating an expression") : status;
}
