/* eval.c - the public ways to evaluate: constant, or a residual. */
#include "compiler/template/fold.h"

static void fold_init(Fold *f, TemplateCtx *ctx, const Template *t, const Scope *scope)
{
    *f = (Fold){.ctx = ctx, .t = *t, .scope = scope};
    dg_eval_init(&f->ev, ctx->arena);
    f->ev.folding = true;
    f->frame = frame_new(f, NULL);
}

static void evaluate(Fold *f, TemplateCtx *ctx, const Template *t, const Scope *scope, Out *out,
                     bool trying, bool freeze)
{
    fold_init(f, ctx, t, scope);
    f->out = out;
    f->trying = trying;
    f->freeze = freeze;
    fold_stmts(f, &t->body);
}

static DgRenderMode render_mode(TemplateMode mode)
{
    return mode == TEMPLATE_NATIVE ? DG_RENDER_NATIVE
           : mode == TEMPLATE_TEXT ? DG_RENDER_TEXT : DG_RENDER_VALUE;
}

TemplateResult template_eval(TemplateCtx *ctx, const Template *t, const Scope *scope)
{
    TemplateResult r = {0};
    Fold f;
    Out out = {0};
    if (t->broken)
        return (TemplateResult){.failed = true};
    evaluate(&f, ctx, t, scope, &out, t->mutates, false);
    if (f.gave_up && !f.t.broken) {
        dg_eval_free(&f.ev);
        out = (Out){0};
        evaluate(&f, ctx, t, scope, &out, false, true);
    }
    if (!f.t.broken && out_is_constant(&out)) {
        r.constant = true;
        r.value = out_value(&f, &out, render_mode(t->mode));
        if (dg_failed(&f.ev))
            fold_report(&f, 0, (uint32_t)t->text.len);
    } else if (!f.t.broken) {
        r.phase = f.phase > PHASE_BUILD ? f.phase : PHASE_START;
        r.residual = *t;
        r.residual.body = out_finish(&f, &out);
        r.residual.is_plain = false;
        r.residual.phase = r.phase;
        r.residual.locals_count = f.locals_count;
    }
    dg_eval_free(&f.ev);
    return f.t.broken ? (TemplateResult){.failed = true} : r;
}

/* The text that offsets count in: messages quote from it. */
static Str text_at(const TemplatePlace *place)
{
    if (place->node)
        return place->node->text;
    if (!place->base.file)
        return (Str){0};
    Str text = sources_file(place->sources, place->base.file)->text;
    return str_sub(text, place->base.start, text.len);
}

TExpr *template_fold(TemplateCtx *ctx, TExpr *e, TemplatePlace place, const Scope *scope,
                     Phase *phase)
{
    Template t = {.mode = TEMPLATE_EXPR, .place = place, .text = text_at(&place)};
    Out out = {0};
    Fold f;
    fold_init(&f, ctx, &t, scope);
    f.out = &out;
    Folded v = fold_expr(&f, e);
    TExpr *result = f.t.broken ? texpr_new(ctx->arena, TE_ERROR, e->start, e->end)
                               : fold_expr_of(&f, v, e);
    if (phase)
        *phase = v.known ? PHASE_BUILD : f.phase;
    dg_eval_free(&f.ev);
    return result;
}
