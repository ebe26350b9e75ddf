/* frames.c - variables of templates, and what has been printed so far. */
#include "compiler/template/fold.h"

Frame *frame_new(Fold *f, Frame *parent)
{
    Frame *frame = push(f->ctx->arena, Frame, 1);
    frame->parent = parent;
    return frame;
}

static Binding *own(Frame *frame, Str name)
{
    for (size_t i = 0; i < frame->count; i++)
        if (str_eq(frame->items[i].name, name))
            return &frame->items[i];
    return NULL;
}

Binding *frame_find(Frame *frame, Str name)
{
    for (; frame; frame = frame->parent) {
        Binding *b = own(frame, name);
        if (b)
            return b;
    }
    return NULL;
}

static Binding *binding(Fold *f, Frame *frame, Str name)
{
    Binding *b = own(frame, name);
    if (!b) {
        Binding fresh = {.name = name};
        array_add(f->ctx->arena, frame, fresh);
        b = &frame->items[frame->count - 1];
    }
    return b;
}

Binding *frame_bind(Fold *f, Frame *frame, Str name, DgValue value)
{
    Binding *b = binding(f, frame, name);
    *b = (Binding){.name = name, .known = true, .value = value};
    return b;
}

Binding *frame_bind_local(Fold *f, Frame *frame, Str name, TLocal *local)
{
    Binding *b = binding(f, frame, name);
    *b = (Binding){.name = name, .local = local};
    return b;
}

TLocal *local_new(Fold *f, Str name)
{
    TLocal *local = push(f->ctx->arena, TLocal, 1);
    *local = (TLocal){.name = name, .id = f->locals_count++};
    return local;
}

/* ---- Output ---- */

DgRenderMode fold_mode(const Fold *f)
{
    return f->t.mode == TEMPLATE_NATIVE ? DG_RENDER_NATIVE : DG_RENDER_TEXT;
}

void fold_set_local(Fold *f, TLocal *local, TExpr *value, uint32_t start, uint32_t end)
{
    TStmt *s = push(f->ctx->arena, TStmt, 1);
    s->kind = TS_SET;
    s->start = start;
    s->end = end;
    s->as.set.target = (TTarget){.name = local->name, .local = local, .start = start, .end = end};
    s->as.set.value = value;
    array_add(f->ctx->arena, f->out, s);
}

bool out_is_constant(const Out *out)
{
    for (size_t i = 0; i < out->count; i++) {
        const TStmt *s = out->items[i];
        if (s->kind != TS_TEXT && !(s->kind == TS_PRINT && s->as.expr->kind == TE_CONST))
            return false;
    }
    return true;
}

DgValue out_value(Fold *f, const Out *out, DgRenderMode mode)
{
    DgValue v;
    dg_begin(&f->ev, mode);
    for (size_t i = 0; i < out->count; i++) {
        const TStmt *s = out->items[i];
        if (s->kind == TS_TEXT)
            dg_text(&f->ev, s->as.text.ptr, s->as.text.len);
        else
            dg_print(&f->ev, s->as.expr->as.value);
    }
    dg_end(&f->ev, &v, NULL);
    return v;
}

static bool is_constant_piece(const Out *out, size_t i)
{
    if (i >= out->count)
        return false;
    const TStmt *s = out->items[i];
    return s->kind == TS_TEXT || (s->kind == TS_PRINT && s->as.expr->kind == TE_CONST);
}

/* A value that is printed beside other constants only counts as text. */
static void constants_to_text(Fold *f, const Out *out)
{
    for (size_t i = 0; i < out->count && f->t.mode != TEMPLATE_EXPR; i++) {
        TStmt *s = out->items[i];
        bool beside = (i && is_constant_piece(out, i - 1)) || is_constant_piece(out, i + 1);
        if (s->kind != TS_PRINT || !is_constant_piece(out, i) || !beside ||
            dgv_has_secret(s->as.expr->as.value))
            continue;
        TStmt *text = push(f->ctx->arena, TStmt, 1);
        *text = (TStmt){.kind = TS_TEXT, .start = s->start, .end = s->end};
        text->as.text = dg_to_str(&f->ev, s->as.expr->as.value);
        out->items[i] = text;
    }
}

/* Texts side by side become one. */
TStmts out_finish(Fold *f, const Out *out)
{
    Out merged = {0};
    constants_to_text(f, out);
    for (size_t i = 0; i < out->count;) {
        TStmt *s = out->items[i++];
        size_t total = s->kind == TS_TEXT ? (size_t)s->as.text.len : 0, j = i;
        while (s->kind == TS_TEXT && j < out->count && out->items[j]->kind == TS_TEXT)
            total += (size_t)out->items[j++]->as.text.len;
        if (j > i && s->kind == TS_TEXT) {
            TStmt *joined = push(f->ctx->arena, TStmt, 1);
            *joined = *s;
            char *to = push(f->ctx->arena, char, total + 1);
            joined->as.text = (Str){to, (ptrdiff_t)total};
            for (size_t k = i - 1; k < j; k++) {
                Str part = out->items[k]->as.text;
                if (part.len)
                    memcpy(to, part.ptr, (size_t)part.len);
                to += part.len;
                joined->end = out->items[k]->end;
            }
            s = joined;
            i = j;
        }
        array_add(f->ctx->arena, &merged, s);
    }
    return (TStmts){merged.items, merged.count};
}
