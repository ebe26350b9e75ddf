/* fold_call.c - calls: of functions, of methods, of env, of macros. */
#include "compiler/template/fold.h"

/* ---- Arguments ---- */

static void add_item(Fold *f, CallArgs *args, Folded v)
{
    Folded *items = push(f->ctx->arena, Folded, args->count + 1);
    if (args->count)
        memcpy(items, args->items, args->count * sizeof *items);
    items[args->count++] = v;
    args->items = items;
}

static void add_named(Fold *f, CallArgs *args, Str name, Folded v)
{
    TNamed *names = push(f->ctx->arena, TNamed, args->named_count + 1);
    Folded *named = push(f->ctx->arena, Folded, args->named_count + 1);
    for (size_t i = 0; i < args->named_count; i++) {
        names[i] = args->names[i];
        named[i] = args->named[i];
    }
    names[args->named_count] = (TNamed){.name = name};
    named[args->named_count++] = v;
    args->names = names;
    args->named = named;
}

static void spread_star(Fold *f, CallArgs *args, const TExpr *e)
{
    Folded v = fold_expr(f, e);
    if (!v.known || fold_stopped(f)) {
        args->star = v;
        args->has_star = true;
        args->known = false;
        return;
    }
    DgArgs spread = {0};
    dg_arg_star(&f->ev, &spread, v.value);
    if (fold_done(f, e, v.value).value.kind == DG_V_UNDEFINED)
        return;
    for (size_t i = 0; i < spread.count; i++)
        add_item(f, args, fold_known(spread.items[i]));
}

static void spread_star_star(Fold *f, CallArgs *args, const TExpr *e)
{
    Folded v = fold_expr(f, e);
    if (!v.known || fold_stopped(f)) {
        args->star_star = v;
        args->has_star_star = true;
        args->known = false;
        return;
    }
    DgArgs spread = {0};
    dg_arg_star_star(&f->ev, &spread, v.value);
    fold_done(f, e, v.value);
    for (size_t i = 0; i < spread.named_count; i++)
        add_named(f, args, spread.names[i], fold_known(spread.named[i]));
}

CallArgs fold_args(Fold *f, const TArgs *from)
{
    CallArgs args = {.known = true, .from = from};
    if (!from)
        return args;
    args.count = from->positional.count;
    args.items = push(f->ctx->arena, Folded, args.count);
    for (size_t i = 0; i < args.count; i++) {
        args.items[i] = fold_expr(f, from->positional.items[i]);
        args.known = args.known && args.items[i].known;
    }
    args.names = from->named;
    args.named_count = from->named_count;
    args.named = push(f->ctx->arena, Folded, args.named_count);
    for (size_t i = 0; i < args.named_count; i++) {
        args.named[i] = fold_expr(f, from->named[i].value);
        args.known = args.known && args.named[i].known;
    }
    if (from->star)
        spread_star(f, &args, from->star);
    if (from->star_star)
        spread_star_star(f, &args, from->star_star);
    return args;
}

DgArgs fold_dg_args(Fold *f, const CallArgs *args, const DgValue *first)
{
    size_t extra = first != NULL;
    DgValue *items = push(f->ctx->arena, DgValue, args->count + extra);
    if (first)
        items[0] = *first;
    for (size_t i = 0; i < args->count; i++)
        items[i + extra] = args->items[i].value;
    DgStr *names = push(f->ctx->arena, DgStr, args->named_count);
    DgValue *named = push(f->ctx->arena, DgValue, args->named_count);
    for (size_t i = 0; i < args->named_count; i++) {
        names[i] = args->names[i].name;
        named[i] = args->named[i].value;
    }
    return (DgArgs){items, args->count + extra, names, named, args->named_count};
}

TArgs *fold_targs(Fold *f, const CallArgs *args, const TExpr *at)
{
    if (!args->from && !args->count && !args->named_count)
        return NULL;
    TArgs *out = push(f->ctx->arena, TArgs, 1);
    size_t from_count = args->from ? args->from->positional.count : 0;
    out->positional.count = args->count;
    out->positional.items = push(f->ctx->arena, TExpr *, args->count);
    for (size_t i = 0; i < args->count; i++)
        out->positional.items[i] = fold_expr_of(
            f, args->items[i], i < from_count ? args->from->positional.items[i] : at);
    out->named_count = args->named_count;
    out->named = push(f->ctx->arena, TNamed, args->named_count);
    for (size_t i = 0; i < args->named_count; i++)
        out->named[i] = (TNamed){args->names[i].name,
                                 fold_expr_of(f, args->named[i],
                                              args->names[i].value ? args->names[i].value : at)};
    out->star = args->has_star ? fold_expr_of(f, args->star, at) : NULL;
    out->star_star = args->has_star_star ? fold_expr_of(f, args->star_star, at) : NULL;
    return out;
}

/* ---- env ---- */

bool fold_is_env(Fold *f, const TExpr *e)
{
    if (e->kind != TE_NAME || frame_find(f->frame, e->as.name))
        return false;
    const ScopeEntry *entry = scope_find(f->scope, e->as.name);
    return entry && entry->kind == SCOPE_ENV;
}

static const Scope *env_scope(const Fold *f)
{
    for (const Scope *s = f->scope; s; s = s->parent)
        for (size_t i = 0; i < s->entries.count; i++)
            if (s->entries.items[i].kind == SCOPE_ENV)
                return s;
    return NULL;
}

static void note_use(Fold *f, const TExpr *e, Str name, bool required)
{
    Span at = template_span(&f->t.place, e->start, e->end);
    for (size_t i = f->ctx->env_uses.count; i-- > 0;) {
        const EnvUse *use = &f->ctx->env_uses.items[i];
        if (str_eq(use->name, name) && use->at.file == at.file && use->at.start == at.start)
            return;
    }
    EnvUse use = {.name = name, .at = at, .required = required};
    array_add(f->ctx->arena, &f->ctx->env_uses, use);
}

/* DG_END: not set. DG_TEMPFAIL: one that is known when the executable starts. */
static DgStatus env_now(Fold *f, const TExpr *e, Str name, const Folded *fallback, DgValue *out)
{
    const Scope *s = env_scope(f);
    DgError err = {0};
    Str text = {0};
    bool secret = false;
    DgStatus status = s && s->get_env ? s->get_env(s->get_env_ctx, name, &text, &secret, &err)
                                      : DG_TEMPFAIL;
    if (status == DG_TEMPFAIL && s && s->env_stand_in.len) {
        if (fallback && fallback->known) {
            *out = fallback->value;
            return DG_OK;
        }
        text = s->env_stand_in;
        status = DG_OK;
    }
    if (status == DG_OK) {
        *out = dgv_taint(dgv_from_str(str_copy(f->ctx->arena, text)), secret);
    } else if (status != DG_END && status != DG_TEMPFAIL) {
        f->ev.error = err;
        f->ev.error.status = status;
        fold_report(f, e->start, e->end);
    }
    return status;
}

Folded fold_env_attr(Fold *f, const TExpr *e)
{
    DgValue v = dgv_none();
    note_use(f, e, e->as.part.name, false);
    if (env_now(f, e, e->as.part.name, NULL, &v) != DG_TEMPFAIL)
        return fold_known(v);
    fold_needs(f, PHASE_START);
    return fold_later(f, fold_copy(f, e));
}

static Folded unset(Fold *f, const TExpr *e, Str name)
{
    DiagItem *it = template_error(
        f->ctx, &f->t, E0501, e->start, e->end,
        "Environment variable %.*s is not set and no default value was provided. To provide a "
        "default value, use e.g. `env('%.*s', 'default_value')`.", FMT(name), FMT(name));
    diag_help(it, "set %.*s in the environment, or put it into a .env file", FMT(name));
    return fold_poison();
}

static Folded env_call(Fold *f, const TExpr *e)
{
    CallArgs args = fold_args(f, e->as.call.args);
    bool has_default = args.count + args.named_count == 2;
    bool default_named = args.named_count == 1 && str_eq(args.names[0].name, S("default"));
    if (fold_stopped(f))
        return fold_poison();
    if (args.has_star || args.has_star_star || !args.count || args.count + args.named_count > 2 ||
        (args.named_count && !default_named)) {
        template_error(f->ctx, &f->t, E0603, e->start, e->end,
                       "env() takes a name and, if need be, a default");
        return fold_poison();
    }
    if (!args.items[0].known || args.items[0].value.kind != DG_V_STR) {
        template_error(f->ctx, &f->t, args.items[0].known ? E0603 : E0605, e->start, e->end,
                       "the name of an environment variable must be a text that is known at build "
                       "time");
        return fold_poison();
    }
    Str name = args.items[0].value.as.s;
    Folded fallback = args.count == 2 ? args.items[1] : has_default ? args.named[0] : fold_poison();
    if (fallback.known && fallback.value.kind == DG_V_NONE)
        has_default = false; /* Dagster takes None for "no default" */
    note_use(f, e, name, !has_default);
    DgValue v = dgv_none();
    DgStatus s = env_now(f, e, name, has_default ? &fallback : NULL, &v);
    if (s == DG_OK)
        return fold_known(v);
    if (s == DG_END)
        return has_default ? fallback : unset(f, e, name);
    if (s != DG_TEMPFAIL)
        return fold_poison();
    fold_needs(f, PHASE_START);
    TExpr *copy = fold_copy(f, e), *env = texpr_new(f->ctx->arena, TE_NAME, e->start, e->end);
    env->as.name = S("env"); /* dbt calls it env_var */
    copy->as.call.callee = env;
    CallArgs plain = {.items = args.items, .count = 1, .from = e->as.call.args};
    if (has_default)
        add_item(f, &plain, fallback);
    copy->as.call.args = fold_targs(f, &plain, e);
    return fold_later(f, copy);
}

/* ---- Functions and methods ---- */

/* A function or object of the compiler cannot wait for a value of later. */
static bool needs_now(Fold *f, DgValue v, const TExpr *callee, const TExpr *e)
{
    if ((v.kind != DG_V_OBJECT && v.kind != DG_V_FUNC) || v.as.object->builtin || f->trying)
        return false;
    DiagItem *it = template_error(
        f->ctx, &f->t, E0605, e->start, e->end,
        "`%.*s` is needed at build time, but depends on a value that is known %s",
        FMT(fold_shown(f, callee)),
        f->phase == PHASE_START ? "when the executable starts" : "only when it runs");
    diag_help(it, "use only values that are known at build time here");
    return true;
}

/* Made anew on every evaluation, and changed later: stays in the residual. */
static bool is_frozen(const Fold *f, DgValue v)
{
    if (!f->freeze || v.kind != DG_V_FUNC || !v.as.object->builtin)
        return false;
    Str name = str_from(v.as.object->builtin);
    return str_eq(name, S("namespace")) || str_eq(name, S("cycler")) || str_eq(name, S("joiner"));
}

/* The clock and its like answer "not yet". */
static bool not_yet(Fold *f)
{
    if (f->ev.error.status != DG_TEMPFAIL)
        return false;
    f->ev.error = (DgError){0};
    fold_needs(f, PHASE_RUN);
    return true;
}

static Folded call_later(Fold *f, const TExpr *e, TExpr *callee, const CallArgs *args)
{
    TExpr *copy = fold_copy(f, e);
    copy->as.call.callee = callee;
    copy->as.call.args = fold_targs(f, args, e);
    return fold_later(f, copy);
}

static Folded method_call(Fold *f, const TExpr *e, const DgValue *caller)
{
    const TExpr *method = e->as.call.callee;
    Folded object = fold_expr(f, method->as.part.object);
    if (fold_refuses(f, object, method->as.part.object))
        return fold_poison();
    CallArgs args = fold_args(f, e->as.call.args);
    if (fold_stopped(f))
        return fold_poison();
    if (object.known && args.known) {
        const DgValue *member = object.value.kind == DG_V_DICT
                                    ? dgv_get_str(object.value, method->as.part.name) : NULL;
        if (member && fold_is_macro(*member))
            return fold_macro(f, *member, &args, caller, e);
        DgArgs all = fold_dg_args(f, &args, NULL);
        DgValue v = dg_call_method(&f->ev, object.value,
                                   str_cstr(f->ctx->arena, method->as.part.name), &all);
        if (!not_yet(f))
            return fold_done(f, e, v);
    } else if (object.known && needs_now(f, object.value, method, e)) {
        return fold_poison();
    }
    TExpr *callee = fold_copy(f, method);
    callee->as.part.object = fold_expr_of(f, object, method->as.part.object);
    return call_later(f, e, callee, &args);
}

static Folded call_with(Fold *f, const TExpr *e, const DgValue *caller)
{
    const TExpr *callee = e->as.call.callee;
    if (fold_is_env(f, callee))
        return env_call(f, e);
    if (callee->kind == TE_ATTR && !fold_is_env(f, callee->as.part.object))
        return method_call(f, e, caller);
    Folded function = fold_expr(f, callee);
    if (fold_refuses(f, function, callee))
        return fold_poison();
    CallArgs args = fold_args(f, e->as.call.args);
    if (fold_stopped(f))
        return fold_poison();
    if (function.known && fold_is_macro(function.value))
        return fold_macro(f, function.value, &args, caller, e);
    if (caller) {
        template_error(f->ctx, &f->t, E0603, callee->start, callee->end,
                       "`{%% call %%}` needs a macro");
        return fold_poison();
    }
    if (function.known && args.known && !is_frozen(f, function.value)) {
        DgArgs all = fold_dg_args(f, &args, NULL);
        DgValue v = dg_call(&f->ev, function.value, &all);
        if (!not_yet(f))
            return fold_done(f, e, v);
    } else if (function.known && needs_now(f, function.value, callee, e)) {
        return fold_poison();
    }
    return call_later(f, e, fold_expr_of(f, function, callee), &args);
}

Folded fold_call(Fold *f, const TExpr *e)
{
    return call_with(f, e, NULL);
}

/* {% call m(x) %}...{% endcall %} */

Folded fold_call_block(Fold *f, const TStmt *s)
{
    DgValue caller = fold_macro_new(f, s->as.call_block.caller);
    return call_with(f, s->as.call_block.call, &caller);
}
