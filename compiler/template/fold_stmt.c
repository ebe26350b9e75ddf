/* fold_stmt.c - statements: run now where their control is known, kept for later elsewhere. */
#include "compiler/template/fold.h"

static TStmt *add_stmt(Fold *f, const TStmt *from, TStmtKind kind)
{
    TStmt *s = push(f->ctx->arena, TStmt, 1);
    s->kind = kind;
    s->start = from->start;
    s->end = from->end;
    array_add(f->ctx->arena, f->out, s);
    return s;
}

/* ---- Printing ---- */

/* A value that is not there and is printed: an error, unless the caller wants Jinja's silence. */
static bool refuses_print(Fold *f, Folded v, const TExpr *e)
{
    if (!v.known || v.value.kind != DG_V_UNDEFINED || f->ctx->lenient || fold_stopped(f))
        return fold_stopped(f);
    if (e->kind == TE_NAME && !frame_find(f->frame, e->as.name)) {
        fold_undefined(f, e);
    } else if (e->kind == TE_ATTR) {
        template_error(f->ctx, &f->t, E0602, e->start, e->end, "`%.*s` has no attribute `%.*s`",
                       FMT(fold_shown(f, e->as.part.object)), FMT(e->as.part.name));
    } else {
        template_error(f->ctx, &f->t, E0602, e->start, e->end, "`%.*s` is undefined",
                       FMT(fold_shown(f, e)));
    }
    return true;
}

/* What is printed stays as it is now, even if the list changes later. */
static void freeze_piece(Fold *f, TStmt *s)
{
    if (!f->t.mutates || s->kind != TS_PRINT || s->as.expr->kind != TE_CONST)
        return;
    DgValue *v = &s->as.expr->as.value;
    if (v->kind == DG_V_LIST)
        *v = dgv_taint(dg_list(&f->ev, v->as.list->items, v->as.list->count), v->secret);
    else if (v->kind == DG_V_DICT)
        *v = dgv_taint(dg_dict(&f->ev, v->as.dict->keys, v->as.dict->values, v->as.dict->count),
                       v->secret);
}

static void print_value(Fold *f, const TStmt *from, Folded v, const TExpr *at)
{
    if (refuses_print(f, v, at))
        return;
    bool text_mode = f->t.mode == TEMPLATE_TEXT;
    if (v.known && !dgv_has_secret(v.value) && f->t.mode != TEMPLATE_EXPR &&
        (text_mode || v.value.kind == DG_V_STR)) {
        Str text = dg_to_str(&f->ev, v.value);
        if (dg_failed(&f->ev))
            fold_report(f, at->start, at->end);
        else
            add_stmt(f, from, TS_TEXT)->as.text = text;
        return;
    }
    if (f->out->count == 1) /* Jinja turns the first piece into text when the second comes */
        freeze_piece(f, f->out->items[0]);
    TStmt *s = add_stmt(f, from, TS_PRINT);
    s->as.expr = fold_expr_of(f, v, at);
    if (f->out->count > 1)
        freeze_piece(f, s);
}

Folded fold_capture(Fold *f, const TStmts *body, const TExpr *at)
{
    Out inner = {0}, *outer = f->out;
    Frame *frame = f->frame;
    f->out = &inner;
    f->frame = frame_new(f, frame);
    fold_stmts(f, body);
    f->out = outer;
    f->frame = frame;
    if (fold_stopped(f))
        return fold_poison();
    if (out_is_constant(&inner))
        return fold_done(f, at, out_value(f, &inner, fold_mode(f)));
    TExpr *e = texpr_new(f->ctx->arena, TE_CAPTURE, at->start, at->end);
    e->as.body = out_finish(f, &inner);
    return fold_later(f, e);
}

/* A body through the filters of its block; filters may be NULL. */
static Folded filtered_body(Fold *f, const TStmt *s, const TStmts *body, const TExpr *filters)
{
    TExpr at = {.kind = TE_CAPTURE, .start = s->start, .end = s->end};
    const Folded *outer = f->captured;
    f->captured = NULL;
    Folded v = fold_capture(f, body, &at);
    if (filters && !fold_stopped(f)) {
        f->captured = &v;
        v = fold_expr(f, filters);
    }
    f->captured = outer;
    return v;
}

/* ---- Assignments ---- */

static bool changes(DgValue v)
{
    return v.kind == DG_V_LIST || v.kind == DG_V_DICT ||
           (v.kind == DG_V_OBJECT && v.as.object->type->changes);
}

static void assign(Fold *f, const TTarget *t, Folded v, const TExpr *at);

static void assign_attr(Fold *f, const TTarget *t, Folded v, const TExpr *at)
{
    TExpr name = {.kind = TE_NAME, .start = t->start, .end = t->end, .as.name = t->name};
    Folded object = fold_expr(f, &name);
    if (fold_refuses(f, object, &name))
        return;
    if (object.known && v.known) {
        dg_set_attr(&f->ev, object.value, str_cstr(f->ctx->arena, t->attr), v.value);
        fold_done(f, &name, v.value);
        return;
    }
    if (object.known) {
        template_error(f->ctx, &f->t, E0605, t->start, t->end,
                       "`%.*s` cannot take a value that is known only later", FMT(t->name));
        return;
    }
    TStmt *s = push(f->ctx->arena, TStmt, 1);
    s->kind = TS_SET;
    s->start = t->start;
    s->end = t->end;
    s->as.set.target = *t;
    s->as.set.target.object = object.expr;
    s->as.set.value = fold_expr_of(f, v, at);
    array_add(f->ctx->arena, f->out, s);
}

static TExpr *item_of(Fold *f, TExpr *list, size_t i)
{
    TExpr *key = texpr_new(f->ctx->arena, TE_CONST, list->start, list->end);
    key->as.value = dgv_int((int64_t)i);
    TExpr *e = texpr_new(f->ctx->arena, TE_ITEM, list->start, list->end);
    e->as.item.object = list;
    e->as.item.key = key;
    return e;
}

/* a, b = value: known values are unpacked now; of others the emitted code takes the items. */
static void assign_parts(Fold *f, const TTarget *t, Folded v, const TExpr *at)
{
    if (v.known) {
        DgValue *parts = push(f->ctx->arena, DgValue, t->nested_count);
        dg_unpack(&f->ev, v.value, parts, t->nested_count);
        fold_done(f, at, v.value);
        for (size_t i = 0; i < t->nested_count && !fold_stopped(f); i++)
            assign(f, &t->nested[i], fold_known(parts[i]), at);
        return;
    }
    if (v.expr->kind == TE_TUPLE && v.expr->as.seq.count == t->nested_count) {
        TLocal **locals = push(f->ctx->arena, TLocal *, t->nested_count);
        for (size_t i = 0; i < t->nested_count; i++) { /* all are computed before any is set */
            locals[i] = local_new(f, t->nested[i].name.len ? t->nested[i].name : S("part"));
            fold_set_local(f, locals[i], v.expr->as.seq.items[i], t->start, t->end);
        }
        for (size_t i = 0; i < t->nested_count; i++) {
            TExpr *e = texpr_new(f->ctx->arena, TE_LOCAL, at->start, at->end);
            e->as.local = locals[i];
            assign(f, &t->nested[i], (Folded){.expr = e}, at);
        }
        return;
    }
    TLocal *whole = local_new(f, S("parts"));
    TStmt *s = push(f->ctx->arena, TStmt, 1);
    *s = (TStmt){.kind = TS_SET, .start = t->start, .end = t->end};
    s->as.set.target = (TTarget){.name = whole->name, .local = whole, .start = t->start,
                                 .end = t->end};
    TExpr *list = texpr_new(f->ctx->arena, TE_FILTER, at->start, at->end);
    list->as.apply.operand = v.expr;
    list->as.apply.name = S("list");
    list->as.apply.c_name = "list";
    s->as.set.value = list;
    array_add(f->ctx->arena, f->out, s);
    for (size_t i = 0; i < t->nested_count; i++) {
        TExpr *e = texpr_new(f->ctx->arena, TE_LOCAL, at->start, at->end);
        e->as.local = whole;
        assign(f, &t->nested[i], (Folded){.expr = item_of(f, e, i)}, at);
    }
}

static void assign(Fold *f, const TTarget *t, Folded v, const TExpr *at)
{
    if (fold_stopped(f))
        return;
    if (t->nested_count) {
        assign_parts(f, t, v, at);
        return;
    }
    if (t->attr.len) {
        assign_attr(f, t, v, at);
        return;
    }
    Binding *b = NULL;
    for (size_t i = 0; i < f->frame->count; i++)
        if (str_eq(f->frame->items[i].name, t->name))
            b = &f->frame->items[i];
    if (b && b->pinned) {
        fold_set_local(f, b->local, fold_expr_of(f, v, at), t->start, t->end);
    } else if (v.known && !(f->freeze && changes(v.value))) {
        frame_bind(f, f->frame, t->name, v.value);
    } else {
        TLocal *local = local_new(f, t->name);
        fold_set_local(f, local, fold_expr_of(f, v, at), t->start, t->end);
        frame_bind_local(f, f->frame, t->name, local);
    }
}

/* ---- Control that depends on later: variables it may set become locals first ---- */

static void pin(Fold *f, const TTarget *t, bool fresh)
{
    for (size_t i = 0; i < t->nested_count; i++)
        pin(f, &t->nested[i], fresh);
    if (t->nested_count || t->attr.len || !t->name.len)
        return;
    Binding *b = NULL;
    for (size_t i = 0; i < f->frame->count; i++)
        if (str_eq(f->frame->items[i].name, t->name))
            b = &f->frame->items[i];
    if (b && b->local && !b->known) {
        b->pinned = true;
        return;
    }
    TLocal *local = local_new(f, t->name);
    if (!fresh) {
        TExpr name = {.kind = TE_NAME, .start = t->start, .end = t->end, .as.name = t->name};
        Folded before = fold_expr(f, &name);
        if (before.known && fold_is_macro(before.value))
            return;
        fold_set_local(f, local, fold_expr_of(f, before, &name), t->start, t->end);
    }
    frame_bind_local(f, f->frame, t->name, local)->pinned = true;
}

/* Loops and `with` have variables of their own; only branches set those of the frame. */
static void pin_assigned(Fold *f, const TStmts *list)
{
    for (size_t i = 0; i < list->count && !fold_stopped(f); i++) {
        const TStmt *s = list->items[i];
        if (s->kind == TS_SET || s->kind == TS_SET_BLOCK) {
            pin(f, &s->as.set.target, false);
        } else if (s->kind == TS_IF) {
            pin_assigned(f, &s->as.branch.then);
            pin_assigned(f, &s->as.branch.otherwise);
        }
    }
}

static TStmts fold_into(Fold *f, const TStmts *list)
{
    Out inner = {0}, *outer = f->out;
    f->out = &inner;
    fold_stmts(f, list);
    f->out = outer;
    return out_finish(f, &inner);
}

static void fold_if(Fold *f, const TStmt *s)
{
    Folded test = fold_expr(f, s->as.branch.test);
    if (fold_stopped(f))
        return;
    if (test.known) {
        bool yes = dg_truthy(&f->ev, test.value);
        fold_stmts(f, yes ? &s->as.branch.then : &s->as.branch.otherwise);
        return;
    }
    pin_assigned(f, &s->as.branch.then);
    pin_assigned(f, &s->as.branch.otherwise);
    TStmts then = fold_into(f, &s->as.branch.then);
    TStmts otherwise = fold_into(f, &s->as.branch.otherwise);
    if (fold_stopped(f))
        return;
    TStmt *copy = add_stmt(f, s, TS_IF);
    copy->as.branch.test = test.expr;
    copy->as.branch.then = then;
    copy->as.branch.otherwise = otherwise;
}

/* ---- Loops ---- */

static void bind_targets(Fold *f, TTarget *to)
{
    for (size_t i = 0; i < to->nested_count; i++)
        bind_targets(f, &to->nested[i]);
    if (to->nested_count)
        return;
    Binding *b = frame_find(f->frame, to->name);
    to->local = b->local;
}

static TTarget copy_target(Fold *f, const TTarget *t)
{
    TTarget copy = *t;
    if (t->nested_count) {
        copy.nested = push(f->ctx->arena, TTarget, t->nested_count);
        for (size_t i = 0; i < t->nested_count; i++)
            copy.nested[i] = copy_target(f, &t->nested[i]);
    }
    return copy;
}

static void loop_later(Fold *f, const TStmt *s, Folded over)
{
    const TLoop *from = s->as.loop;
    TLoop *loop = push(f->ctx->arena, TLoop, 1);
    Frame *outer = f->frame;
    f->frame = frame_new(f, outer);
    pin(f, &from->target, true);
    loop->target = copy_target(f, &from->target);
    bind_targets(f, &loop->target);
    loop->over = fold_expr_of(f, over, from->over);
    if (from->filter)
        loop->filter = fold_expr_of(f, fold_expr(f, from->filter), from->filter);
    bool used = false;
    TLocal *self = local_new(f, S("loop"));
    frame_bind_local(f, f->frame, S("loop"), self)->used = &used;
    Out body = {0}, *out = f->out;
    f->out = &body;
    pin_assigned(f, &from->body);
    fold_stmts(f, &from->body);
    f->out = out;
    loop->body = out_finish(f, &body);
    Binding *b = frame_find(f->frame, S("loop"));
    b->used = NULL;
    loop->loop = used ? self : NULL;
    f->frame = frame_new(f, outer);
    loop->otherwise = fold_into(f, &from->otherwise);
    f->frame = outer;
    if (!fold_stopped(f))
        add_stmt(f, s, TS_FOR)->as.loop = loop;
}

/* The items that the loop's filter lets through. False: that is known only later. */
static bool filter_items(Fold *f, const TLoop *loop, DgValue *items)
{
    Frame *outer = f->frame;
    DgValue kept = dg_new_list(&f->ev, 0);
    for (size_t i = 0; !dg_failed(&f->ev) && i < items->as.list->count; i++) {
        f->frame = frame_new(f, outer);
        bool freeze = f->freeze;
        f->freeze = false;
        assign(f, &loop->target, fold_known(items->as.list->items[i]), loop->over);
        f->freeze = freeze;
        Folded v = fold_expr(f, loop->filter);
        f->frame = outer;
        if (!v.known || fold_stopped(f))
            return false;
        if (dg_truthy(&f->ev, v.value))
            dg_append(&f->ev, kept, items->as.list->items[i]);
    }
    *items = kept;
    return true;
}

static size_t residual_count(const Out *out, size_t from)
{
    size_t n = 0;
    for (size_t i = from; i < out->count; i++)
        n += out->items[i]->kind != TS_TEXT;
    return n;
}

/* False: the residual grows too much; what was added is taken back. */
static bool unroll(Fold *f, const TStmt *s, DgValue items)
{
    const TLoop *loop = s->as.loop;
    Frame *outer = f->frame;
    DgLoop state;
    DgValue item;
    size_t before = f->out->count;
    size_t max = f->ctx->unroll_max ? f->ctx->unroll_max : TEMPLATE_UNROLL_DEFAULT;
    dg_loop(&f->ev, &state, items);
    while (!fold_stopped(f) && dg_next(&f->ev, &state, &item)) {
        f->frame = frame_new(f, outer);
        frame_bind(f, f->frame, S("loop"), state.loop);
        assign(f, &loop->target, fold_known(item), loop->over);
        fold_stmts(f, &loop->body);
        f->frame = outer;
        if (!f->trying && residual_count(f->out, before) > max) {
            f->out->count = before;
            return false;
        }
    }
    if (dg_failed(&f->ev) && !fold_stopped(f))
        fold_report(f, s->start, s->end);
    return true;
}

static void fold_for(Fold *f, const TStmt *s)
{
    const TLoop *loop = s->as.loop;
    Folded over = fold_expr(f, loop->over);
    if (fold_stopped(f) || (!f->ctx->lenient && fold_refuses(f, over, loop->over)))
        return;
    if (!over.known) {
        loop_later(f, s, over);
        return;
    }
    DgValue items = dg_iterate(&f->ev, over.value);
    if (fold_done(f, loop->over, items).value.kind == DG_V_UNDEFINED)
        return;
    if (loop->filter && !filter_items(f, loop, &items)) {
        if (!fold_stopped(f))
            loop_later(f, s, over);
        return;
    }
    if (dg_failed(&f->ev)) {
        fold_report(f, s->start, s->end);
    } else if (!items.as.list->count) {
        Frame *outer = f->frame;
        f->frame = frame_new(f, outer);
        fold_stmts(f, &loop->otherwise);
        f->frame = outer;
    } else if (!unroll(f, s, items)) {
        loop_later(f, s, over);
    }
}

/* ---- The rest ---- */

static void fold_with(Fold *f, const TStmt *s)
{
    Frame *outer = f->frame, *inner = frame_new(f, outer);
    for (size_t i = 0; i < s->as.with.count && !fold_stopped(f); i++) {
        Folded v = fold_expr(f, s->as.with.values[i]);
        f->frame = inner;
        assign(f, &s->as.with.targets[i], v, s->as.with.values[i]);
        f->frame = outer;
    }
    f->frame = inner;
    fold_stmts(f, &s->as.with.body);
    f->frame = outer;
}

static void fold_effect(Fold *f, const TStmt *s)
{
    Folded v = fold_expr(f, s->as.expr);
    if (!v.known && !fold_stopped(f))
        add_stmt(f, s, TS_DO)->as.expr = v.expr;
}

static void fold_stmt(Fold *f, TStmt *s)
{
    TExpr at = {.kind = TE_CAPTURE, .start = s->start, .end = s->end};
    Folded v;
    switch (s->kind) {
    case TS_TEXT: array_add(f->ctx->arena, f->out, s); break;
    case TS_PRINT:
        v = fold_expr(f, s->as.expr);
        if (!fold_stopped(f))
            print_value(f, s, v, s->as.expr);
        break;
    case TS_IF: fold_if(f, s); break;
    case TS_FOR: fold_for(f, s); break;
    case TS_SET:
        v = fold_expr(f, s->as.set.value);
        assign(f, &s->as.set.target, v, s->as.set.value);
        break;
    case TS_SET_BLOCK:
        v = filtered_body(f, s, &s->as.set.body, s->as.set.filter);
        assign(f, &s->as.set.target, v, &at);
        break;
    case TS_WITH: fold_with(f, s); break;
    case TS_MACRO:
        frame_bind(f, f->frame, s->as.macro->name, fold_macro_new(f, s->as.macro));
        break;
    case TS_CALL:
        v = fold_call_block(f, s);
        if (!fold_stopped(f))
            print_value(f, s, v, &at);
        break;
    case TS_FILTER:
        v = filtered_body(f, s, &s->as.filter_block.body, s->as.filter_block.filter);
        if (!fold_stopped(f))
            print_value(f, s, v, &at);
        break;
    case TS_DO: fold_effect(f, s); break;
    }
}

void fold_stmts(Fold *f, const TStmts *list)
{
    if (f->depth >= TEMPLATE_FOLD_DEPTH && list->count) {
        template_error(f->ctx, &f->t, E0604, list->items[0]->start, list->items[0]->end,
                       "the template nests too deep");
        return;
    }
    f->depth++;
    for (size_t i = 0; i < list->count && !fold_stopped(f); i++) {
        TStmt *s = list->items[i];
        if (!dg_step(&f->ev, 1))
            fold_report(f, s->start, s->end);
        else
            fold_stmt(f, s);
    }
    f->depth--;
}
