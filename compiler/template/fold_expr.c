/* fold_expr.c - expressions: computed when all their parts are known. */
#include "compiler/template/fold.h"

Folded fold_poison(void)
{
    return fold_known(dgv_undefined());
}

void fold_needs(Fold *f, Phase p)
{
    if (p > f->phase)
        f->phase = p;
}

Folded fold_later(Fold *f, TExpr *e)
{
    if (f->trying)
        f->gave_up = true;
    return (Folded){.expr = e};
}

TExpr *fold_expr_of(Fold *f, Folded v, const TExpr *at)
{
    if (!v.known)
        return v.expr;
    TExpr *e = texpr_new(f->ctx->arena, TE_CONST, at->start, at->end);
    e->as.value = v.value;
    return e;
}

TExpr *fold_copy(Fold *f, const TExpr *e)
{
    TExpr *copy = push(f->ctx->arena, TExpr, 1);
    *copy = *e;
    return copy;
}

/* ---- Errors ---- */

bool fold_report(Fold *f, uint32_t start, uint32_t end)
{
    DgError *err = &f->ev.error;
    bool limit = f->ev.steps_left <= 0 || f->ev.bytes_left <= 0 ||
                 str_starts(str_from(err->message), S("the template "));
    DiagCode code = limit ? E0604 : err->status == DG_CONFIG ? E0501 : E0603;
    if (!err->message[0]) { /* a callback that has reported by itself */
        f->t.broken = true;
        return true;
    }
    DiagItem *it = template_error(f->ctx, &f->t, code, start, end, "%s", err->message);
    if (err->hint[0])
        diag_help(it, "%s", err->hint);
    return true;
}

Folded fold_done(Fold *f, const TExpr *at, DgValue v)
{
    if (f->ev.error.status == DG_OK)
        return fold_known(v);
    fold_report(f, at->start, at->end);
    return fold_poison();
}

static StrArray names_in_reach(Fold *f)
{
    StrArray names = scope_names(f->ctx->arena, f->scope);
    for (Frame *frame = f->frame; frame; frame = frame->parent)
        for (size_t i = 0; i < frame->count; i++)
            if (!str_eq(frame->items[i].name, S("loop")))
                array_add(f->ctx->arena, &names, frame->items[i].name);
    return names;
}

void fold_undefined(Fold *f, const TExpr *e)
{
    if (f->t.broken)
        return;
    StrArray names = names_in_reach(f);
    StrBuf list = {0};
    for (size_t i = 0; i < names.count; i++) {
        buf_add(&list, i ? S(", ") : S(""));
        buf_add(&list, names.items[i]);
    }
    DiagItem *it = template_error(f->ctx, &f->t, E0602, e->start, e->end, "`%.*s` is not in scope",
                                  FMT(e->as.name));
    diag_suggest(it, template_span(&f->t.place, e->start, e->end), "name", e->as.name, names.items,
                 names.count);
    if (names.count)
        diag_note(it, "in scope are: %.*s", FMT(buf_str(&list)));
    else
        diag_note(it, "nothing is in scope here");
    buf_free(&list);
}

Str fold_shown(const Fold *f, const TExpr *e)
{
    return f->t.text.ptr ? str_sub(f->t.text, e->start, e->end) : S("this");
}

bool fold_refuses(Fold *f, Folded v, const TExpr *e)
{
    if (!v.known || v.value.kind != DG_V_UNDEFINED || fold_stopped(f) || e->kind != TE_NAME ||
        frame_find(f->frame, e->as.name))
        return fold_stopped(f);
    fold_undefined(f, e);
    return true;
}

/* ---- Names ---- */

static Folded from_binding(Fold *f, Binding *b, const TExpr *e)
{
    if (b->used)
        *b->used = true;
    if (b->known)
        return fold_known(b->value);
    TExpr *local = texpr_new(f->ctx->arena, TE_LOCAL, e->start, e->end);
    local->as.local = b->local;
    return fold_later(f, local);
}

static Folded fold_name(Fold *f, const TExpr *e)
{
    Binding *b = frame_find(f->frame, e->as.name);
    if (b)
        return from_binding(f, b, e);
    const ScopeEntry *entry = scope_find(f->scope, e->as.name);
    if (entry && entry->kind == SCOPE_VALUE)
        return fold_known(entry->value);
    if (entry) {
        fold_needs(f, entry->phase);
        return fold_later(f, fold_copy(f, e));
    }
    if (dg_builtin_has(e->as.name))
        return fold_known(dg_builtin(&f->ev, str_cstr(f->ctx->arena, e->as.name)));
    return fold_known((DgValue){.kind = DG_V_UNDEFINED, .as.s = e->as.name});
}

/* ---- Parts ---- */


static Folded fold_attr(Fold *f, const TExpr *e)
{
    if (fold_is_env(f, e->as.part.object))
        return fold_env_attr(f, e);
    Folded object = fold_expr(f, e->as.part.object);
    if (fold_refuses(f, object, e->as.part.object))
        return fold_poison();
    if (object.known)
        return fold_done(f, e, dg_attr(&f->ev, object.value,
                                       str_cstr(f->ctx->arena, e->as.part.name)));
    TExpr *copy = fold_copy(f, e);
    copy->as.part.object = object.expr;
    return fold_later(f, copy);
}

static Folded fold_item(Fold *f, const TExpr *e)
{
    if (fold_is_env(f, e->as.item.object)) {
        Folded key = fold_expr(f, e->as.item.key);
        Str name = key.known && key.value.kind == DG_V_STR ? key.value.as.s : S("NAME");
        DiagItem *it = template_error(f->ctx, &f->t, E0603, e->start, e->end,
                                      "`env` has no items: to access environment variables, use "
                                      "dot access or the `env` function");
        diag_help(it, "write `env.%.*s` or `env('%.*s')`", FMT(name), FMT(name));
        return fold_poison();
    }
    Folded object = fold_expr(f, e->as.item.object), key = fold_expr(f, e->as.item.key);
    if (fold_refuses(f, object, e->as.item.object) || fold_refuses(f, key, e->as.item.key))
        return fold_poison();
    if (object.known && key.known)
        return fold_done(f, e, dg_item(&f->ev, object.value, key.value));
    TExpr *copy = fold_copy(f, e);
    copy->as.item.object = fold_expr_of(f, object, e->as.item.object);
    copy->as.item.key = fold_expr_of(f, key, e->as.item.key);
    return fold_later(f, copy);
}

static Folded fold_slice(Fold *f, const TExpr *e)
{
    const TExpr *parts[4] = {e->as.slice.object, e->as.slice.start, e->as.slice.stop,
                             e->as.slice.step};
    Folded v[4];
    bool known = true;
    for (int i = 0; i < 4; i++) {
        v[i] = parts[i] ? fold_expr(f, parts[i]) : fold_known(dgv_none());
        known = known && v[i].known;
    }
    if (fold_refuses(f, v[0], parts[0]))
        return fold_poison();
    if (known)
        return fold_done(f, e, dg_slice(&f->ev, v[0].value, v[1].value, v[2].value, v[3].value));
    TExpr *copy = fold_copy(f, e);
    TExpr **to[4] = {&copy->as.slice.object, &copy->as.slice.start, &copy->as.slice.stop,
                     &copy->as.slice.step};
    for (int i = 0; i < 4; i++)
        *to[i] = parts[i] ? fold_expr_of(f, v[i], parts[i]) : NULL;
    return fold_later(f, copy);
}

/* ---- Filters and tests ---- */

/* default() of something known needs no look at the rest. */
static bool fold_default(const TExpr *e, Folded operand, const CallArgs *args, Folded *out)
{
    if (!operand.known || args->named_count || args->has_star || args->has_star_star ||
        args->count > 1 || strcmp(e->as.apply.c_name, "default") != 0)
        return false;
    bool undefined = operand.value.kind == DG_V_UNDEFINED;
    *out = !undefined ? operand : args->count ? args->items[0] : fold_known(dgv_str("", 0));
    return true;
}

static Folded fold_apply(Fold *f, const TExpr *e)
{
    bool filter = e->kind == TE_FILTER;
    Folded operand = fold_expr(f, e->as.apply.operand);
    bool may_lack = filter ? !strcmp(e->as.apply.c_name, "default") : true;
    if (!f->ctx->lenient && !may_lack && fold_refuses(f, operand, e->as.apply.operand))
        return fold_poison();
    CallArgs args = fold_args(f, e->as.apply.args);
    Folded out;
    if (fold_stopped(f))
        return fold_poison();
    if (filter && fold_default(e, operand, &args, &out))
        return out.known ? out : fold_later(f, out.expr);
    if (operand.known && args.known) {
        DgArgs all = fold_dg_args(f, &args, &operand.value);
        if (filter)
            return fold_done(f, e, dg_filter_find(e->as.apply.name, NULL)(&f->ev, &all));
        bool yes = dg_test_find(e->as.apply.name, NULL)(&f->ev, &all);
        return fold_done(f, e, dgv_bool(yes));
    }
    TExpr *copy = fold_copy(f, e);
    copy->as.apply.operand = fold_expr_of(f, operand, e->as.apply.operand);
    copy->as.apply.args = fold_targs(f, &args, e);
    return fold_later(f, copy);
}

/* ---- Operators ---- */

static Folded fold_unary(Fold *f, const TExpr *e)
{
    Folded v = fold_expr(f, e->as.unary.operand);
    if (e->as.unary.op != TU_NOT && fold_refuses(f, v, e->as.unary.operand))
        return fold_poison();
    if (v.known)
        return fold_done(f, e, e->as.unary.op == TU_NOT   ? dg_not(&f->ev, v.value)
                               : e->as.unary.op == TU_NEG ? dg_neg(&f->ev, v.value)
                                                          : dg_pos(&f->ev, v.value));
    TExpr *copy = fold_copy(f, e);
    copy->as.unary.operand = v.expr;
    return fold_later(f, copy);
}

static Folded fold_binary(Fold *f, const TExpr *e)
{
    static DgValue (*const ops[])(DgEval *, DgValue, DgValue) = {
        dg_add, dg_sub, dg_mul, dg_div, dg_floordiv, dg_mod, dg_pow};
    Folded a = fold_expr(f, e->as.binary.left), b = fold_expr(f, e->as.binary.right);
    if (fold_refuses(f, a, e->as.binary.left) || fold_refuses(f, b, e->as.binary.right))
        return fold_poison();
    if (a.known && b.known)
        return fold_done(f, e, ops[e->as.binary.op](&f->ev, a.value, b.value));
    TExpr *copy = fold_copy(f, e);
    copy->as.binary.left = fold_expr_of(f, a, e->as.binary.left);
    copy->as.binary.right = fold_expr_of(f, b, e->as.binary.right);
    return fold_later(f, copy);
}

static Folded fold_logic(Fold *f, const TExpr *e)
{
    Folded a = fold_expr(f, e->as.binary.left);
    if (a.known) {
        bool truthy = dg_truthy(&f->ev, a.value);
        return truthy == (e->kind == TE_AND) ? fold_expr(f, e->as.binary.right) : a;
    }
    Folded b = fold_expr(f, e->as.binary.right);
    TExpr *copy = fold_copy(f, e);
    copy->as.binary.left = a.expr;
    copy->as.binary.right = fold_expr_of(f, b, e->as.binary.right);
    return fold_later(f, copy);
}

static bool compare(DgEval *ev, TCompare op, DgValue a, DgValue b)
{
    switch (op) {
    case TC_EQ: return dg_eq(ev, a, b);
    case TC_NE: return !dg_eq(ev, a, b);
    case TC_LT: return dg_lt(ev, a, b);
    case TC_LE: return dg_le(ev, a, b);
    case TC_GT: return dg_gt(ev, a, b);
    case TC_GE: return dg_ge(ev, a, b);
    case TC_IN: return dg_in(ev, a, b);
    case TC_NOT_IN: return !dg_in(ev, a, b);
    }
    return false;
}

/* a < b < c stops at the first that is false, as in Python. */
static Folded fold_compare(Fold *f, const TExpr *e)
{
    size_t n = e->as.compare.count;
    Folded first = fold_expr(f, e->as.compare.first), left = first;
    Folded *rest = push(f->ctx->arena, Folded, n);
    bool known = first.known, result = true, secret = first.known && first.value.secret;
    for (size_t i = 0; i < n; i++) {
        rest[i] = fold_expr(f, e->as.compare.rest[i].value);
        known = known && rest[i].known;
        if (known && result)
            result = compare(&f->ev, e->as.compare.rest[i].op, left.value, rest[i].value);
        secret = secret || (known && rest[i].value.secret);
        left = rest[i];
        if (known && !result)
            break;
    }
    if (known || dg_failed(&f->ev))
        return fold_done(f, e, dgv_taint(dgv_bool(result), secret));
    TExpr *copy = fold_copy(f, e);
    copy->as.compare.first = fold_expr_of(f, first, e->as.compare.first);
    copy->as.compare.rest = push(f->ctx->arena, TOperand, n);
    for (size_t i = 0; i < n; i++) {
        TOperand from = e->as.compare.rest[i];
        copy->as.compare.rest[i] = (TOperand){from.op, fold_expr_of(f, rest[i], from.value)};
    }
    return fold_later(f, copy);
}

static Folded fold_cond(Fold *f, const TExpr *e)
{
    Folded test = fold_expr(f, e->as.cond.test);
    if (fold_stopped(f))
        return fold_poison();
    if (test.known) {
        if (dg_truthy(&f->ev, test.value))
            return fold_expr(f, e->as.cond.then);
        if (e->as.cond.otherwise)
            return fold_expr(f, e->as.cond.otherwise);
        return fold_known((DgValue){.kind = DG_V_UNDEFINED, .as.s = S("if without else")});
    }
    Folded then = fold_expr(f, e->as.cond.then);
    TExpr *copy = fold_copy(f, e);
    copy->as.cond.test = test.expr;
    copy->as.cond.then = fold_expr_of(f, then, e->as.cond.then);
    if (e->as.cond.otherwise)
        copy->as.cond.otherwise = fold_expr_of(f, fold_expr(f, e->as.cond.otherwise),
                                               e->as.cond.otherwise);
    return fold_later(f, copy);
}

/* ---- Lists, tuples, dicts, a ~ b ---- */

static Folded *fold_all(Fold *f, TExpr *const *items, size_t count, bool *known)
{
    Folded *v = push(f->ctx->arena, Folded, count);
    for (size_t i = 0; i < count; i++) {
        v[i] = fold_expr(f, items[i]);
        *known = *known && v[i].known;
    }
    return v;
}

static DgValue *values_of(Fold *f, const Folded *v, size_t count)
{
    DgValue *out = push(f->ctx->arena, DgValue, count);
    for (size_t i = 0; i < count; i++)
        out[i] = v[i].value;
    return out;
}

static TExpr **exprs_of(Fold *f, const Folded *v, TExpr *const *from, size_t count)
{
    TExpr **out = push(f->ctx->arena, TExpr *, count);
    for (size_t i = 0; i < count; i++)
        out[i] = fold_expr_of(f, v[i], from[i]);
    return out;
}

static Folded fold_seq(Fold *f, const TExpr *e)
{
    size_t n = e->as.seq.count;
    bool known = true;
    Folded *v = fold_all(f, e->as.seq.items, n, &known);
    if (fold_stopped(f))
        return fold_poison();
    for (size_t i = 0; !f->ctx->lenient && e->kind == TE_CONCAT && i < n; i++)
        if (fold_refuses(f, v[i], e->as.seq.items[i]))
            return fold_poison();
    if (known) {
        DgValue *values = values_of(f, v, n);
        DgArgs parts = {.items = values, .count = n};
        return fold_done(f, e, e->kind == TE_LIST    ? dg_list(&f->ev, values, n)
                               : e->kind == TE_TUPLE ? dg_tuple(&f->ev, values, n)
                                                     : dg_concat(&f->ev, &parts));
    }
    TExpr *copy = fold_copy(f, e);
    copy->as.seq.items = exprs_of(f, v, e->as.seq.items, n);
    return fold_later(f, copy);
}

static Folded fold_dict(Fold *f, const TExpr *e)
{
    size_t n = e->as.dict.count;
    bool known = true;
    Folded *keys = fold_all(f, e->as.dict.keys, n, &known);
    Folded *values = fold_all(f, e->as.dict.values, n, &known);
    if (fold_stopped(f))
        return fold_poison();
    if (known)
        return fold_done(f, e, dg_dict(&f->ev, values_of(f, keys, n), values_of(f, values, n), n));
    TExpr *copy = fold_copy(f, e);
    copy->as.dict.keys = exprs_of(f, keys, e->as.dict.keys, n);
    copy->as.dict.values = exprs_of(f, values, e->as.dict.values, n);
    return fold_later(f, copy);
}

static Folded fold_kind(Fold *f, const TExpr *e)
{
    switch (e->kind) {
    case TE_ERROR: f->t.broken = true; return fold_poison();
    case TE_CONST: return fold_known(e->as.value);
    case TE_NAME: return fold_name(f, e);
    case TE_LOCAL: return fold_later(f, fold_copy(f, e));
    case TE_ATTR: return fold_attr(f, e);
    case TE_ITEM: return fold_item(f, e);
    case TE_SLICE: return fold_slice(f, e);
    case TE_CALL: return fold_call(f, e);
    case TE_FILTER:
    case TE_TEST: return fold_apply(f, e);
    case TE_UNARY: return fold_unary(f, e);
    case TE_BINARY: return fold_binary(f, e);
    case TE_COMPARE: return fold_compare(f, e);
    case TE_AND:
    case TE_OR: return fold_logic(f, e);
    case TE_COND: return fold_cond(f, e);
    case TE_LIST:
    case TE_TUPLE:
    case TE_CONCAT: return fold_seq(f, e);
    case TE_DICT: return fold_dict(f, e);
    case TE_CAPTURE: return f->captured ? *f->captured : fold_capture(f, &e->as.body, e);
    }
    return fold_poison();
}

Folded fold_expr(Fold *f, const TExpr *e)
{
    if (fold_stopped(f))
        return fold_poison();
    if (f->depth >= TEMPLATE_FOLD_DEPTH) {
        template_error(f->ctx, &f->t, E0604, e->start, e->end, "the expression nests too deep");
        return fold_poison();
    }
    if (!dg_step(&f->ev, 1))
        return fold_done(f, e, dgv_undefined());
    f->depth++;
    Folded v = fold_kind(f, e);
    f->depth--;
    return fold_stopped(f) ? fold_poison() : v;
}
