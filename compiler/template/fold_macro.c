/* fold_macro.c - macros: their calls are expanded, so residuals have none. */
#include "compiler/template/fold.h"

typedef struct MacroObject {
    DgObject head;
    const TMacro *macro;
    Frame *closure;
} MacroObject;

static DgStatus macro_attr(DgEval *ev, const DgObject *self, Str name, DgValue *out, DgError *err)
{
    const TMacro *m = ((const MacroObject *)self)->macro;
    if (!str_eq(name, S("name")))
        return DG_END;
    *out = dgv_from_str(m->name);
    return DG_OK;
}

static DgStatus macro_call(DgEval *ev, const DgObject *self, const DgArgs *args, DgValue *out,
                           DgError *err)
{
    return dg_fail(err, DG_DATA, "a macro can only be called by its name");
}

const DgObjectType template_macro_type = {.name = "Macro", .attr = macro_attr, .call = macro_call};

bool fold_is_macro(DgValue v)
{
    return v.kind == DG_V_FUNC && v.as.object->type == &template_macro_type;
}

DgValue fold_macro_new(Fold *f, const TMacro *m)
{
    MacroObject *o = push(f->ctx->arena, MacroObject, 1);
    *o = (MacroObject){.head = {.type = &template_macro_type}, .macro = m, .closure = f->frame};
    return (DgValue){.kind = DG_V_FUNC, .as.object = &o->head};
}

static bool bad_call(Fold *f, const TExpr *at, const TMacro *m, const char *what, Str name)
{
    template_error(f->ctx, &f->t, E0603, at->start, at->end, "the macro `%.*s` %s `%.*s`",
                   FMT(m->name), what, FMT(name));
    return false;
}

/* A parameter: known, or a local that is set once before the body. */
static void bind_param(Fold *f, Frame *frame, Str name, Folded v, const TExpr *at)
{
    if (v.known) {
        frame_bind(f, frame, name, v.value);
        return;
    }
    TLocal *local = local_new(f, name);
    fold_set_local(f, local, v.expr, at->start, at->end);
    frame_bind_local(f, frame, name, local);
}

static const Folded *named_argument(const CallArgs *args, Str name)
{
    for (size_t i = 0; i < args->named_count; i++)
        if (str_eq(args->names[i].name, name))
            return &args->named[i];
    return NULL;
}

static bool is_param(const TMacro *m, Str name)
{
    for (size_t i = 0; i < m->params_count; i++)
        if (str_eq(m->params[i], name))
            return true;
    return false;
}

/* varargs and kwargs: what no parameter takes. */
static bool bind_rest(Fold *f, Frame *frame, const TMacro *m, const CallArgs *args, const TExpr *at)
{
    DgValue varargs = dg_tuple(&f->ev, NULL, 0), kwargs = dg_new_dict(&f->ev);
    for (size_t i = m->params_count; i < args->count; i++) {
        if (!m->uses_varargs)
            return bad_call(f, at, m, "takes no more arguments than", m->params_count
                            ? m->params[m->params_count - 1] : S("none"));
        if (!args->items[i].known)
            return bad_call(f, at, m, "needs at build time what goes into", S("varargs"));
        dg_append(&f->ev, varargs, args->items[i].value);
    }
    for (size_t i = 0; i < args->named_count; i++) {
        if (is_param(m, args->names[i].name))
            continue;
        if (!m->uses_kwargs)
            return bad_call(f, at, m, "has no parameter", args->names[i].name);
        if (!args->named[i].known)
            return bad_call(f, at, m, "needs at build time what goes into", S("kwargs"));
        dg_put(&f->ev, kwargs, dgv_from_str(args->names[i].name), args->named[i].value);
    }
    if (m->uses_varargs)
        frame_bind(f, frame, S("varargs"), varargs);
    if (m->uses_kwargs)
        frame_bind(f, frame, S("kwargs"), kwargs);
    return true;
}

static bool bind_params(Fold *f, Frame *frame, const TMacro *m, const CallArgs *args,
                        const TExpr *at)
{
    for (size_t i = 0; i < m->params_count; i++) {
        Str name = m->params[i];
        const Folded *named = named_argument(args, name);
        if (named && i < args->count)
            return bad_call(f, at, m, "gets twice the argument", name);
        if (i < args->count || named)
            bind_param(f, frame, name, named ? *named : args->items[i], at);
        else if (m->defaults[i])
            bind_param(f, frame, name, fold_expr(f, m->defaults[i]), m->defaults[i]);
        else
            frame_bind(f, frame, name, (DgValue){.kind = DG_V_UNDEFINED, .as.s = name});
    }
    return true;
}

/* Errors are reported in the file of the macro; what is left for later stands at the call. */
static void fold_macro_body(Fold *f, const TMacro *m, const TExpr *at)
{
    TemplatePlace place = f->t.place;
    Str text = f->t.text;
    if (!m->home) {
        fold_stmts(f, &m->body);
        return;
    }
    f->t.place = m->home->place;
    f->t.text = m->home->text;
    fold_stmts(f, &m->body);
    f->t.place = place;
    f->t.text = text;
    for (size_t i = 0; i < f->out->count; i++) {
        TStmt *copy = push(f->ctx->arena, TStmt, 1);
        *copy = *f->out->items[i];
        copy->start = at->start;
        copy->end = at->end;
        f->out->items[i] = copy;
    }
}

Folded fold_macro(Fold *f, DgValue macro, const CallArgs *args, const DgValue *caller,
                  const TExpr *at)
{
    const MacroObject *o = (const MacroObject *)macro.as.object;
    const TMacro *m = o->macro;
    if (args->has_star || args->has_star_star) {
        template_error(f->ctx, &f->t, E0605, at->start, at->end,
                       "what is spread over a macro's parameters must be known at build time");
        return fold_poison();
    }
    if (caller && !m->uses_caller) {
        bad_call(f, at, m, "does not use", S("caller"));
        return fold_poison();
    }
    if (!dg_enter(&f->ev))
        return fold_done(f, at, dgv_undefined());
    Frame *outer = f->frame, *frame = frame_new(f, o->closure);
    Out body = {0}, *out = f->out;
    f->frame = frame;
    f->out = &body;
    if (caller)
        frame_bind(f, frame, S("caller"), *caller);
    if (bind_params(f, frame, m, args, at) && bind_rest(f, frame, m, args, at))
        fold_macro_body(f, m, at);
    f->frame = outer;
    f->out = out;
    f->ev.depth_left++;
    if (fold_stopped(f))
        return fold_poison();
    if (out_is_constant(&body))
        return fold_done(f, at, out_value(f, &body, fold_mode(f)));
    TExpr *e = texpr_new(f->ctx->arena, TE_CAPTURE, at->start, at->end);
    e->as.body = out_finish(f, &body);
    return fold_later(f, e);
}
