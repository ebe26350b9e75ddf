/* eval.c - one evaluation: budgets, the sticky error, and what has been printed. */
#include "runtime/eval/internal.h"

void dg_eval_init(DgEval *ev, Arena *arena)
{
    *ev = (DgEval){
        .arena = arena,
        .steps_left = LIMIT_TEMPLATE_STEPS,
        .bytes_left = LIMIT_TEMPLATE_BYTES,
        .depth_left = LIMIT_TEMPLATE_DEPTH,
        .text = {.max = LIMIT_TEMPLATE_BYTES + 1},
    };
}

void dg_eval_free(DgEval *ev)
{
    buf_free(&ev->text);
    ev->pieces = NULL;
}

DgStatus dg_eval_status(const DgEval *ev, DgError *err)
{
    if (err && dg_failed(ev))
        *err = ev->error;
    return ev->error.status;
}

DgValue dg_error(DgEval *ev, DgStatus s, const char *fmt, ...)
{
    if (!dg_failed(ev)) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(ev->error.message, sizeof ev->error.message, fmt, args);
        va_end(args);
        ev->error.status = s;
        ev->error.site = ev->site;
    }
    return dgv_undefined();
}

DgValue dg_type_error(DgEval *ev, const char *fmt, ...)
{
    if (!dg_failed(ev)) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(ev->error.message, sizeof ev->error.message, fmt, args);
        va_end(args);
        ev->error.status = DG_DATA;
        ev->error.site = ev->site;
    }
    return dgv_undefined();
}

DgValue dg_settle(DgEval *ev, DgStatus s, const DgError *err, DgValue v)
{
    if (s == DG_OK)
        return v;
    if (!dg_failed(ev)) {
        ev->error = *err;
        ev->error.status = s;
        if (!ev->error.site)
            ev->error.site = ev->site;
    }
    return dgv_undefined();
}

bool dg_step(DgEval *ev, size_t cost)
{
    if (dg_failed(ev))
        return false;
    if ((uint64_t)ev->steps_left < cost) {
        ev->steps_left = 0;
        dg_error(ev, DG_DATA, "the template takes more than %d steps", LIMIT_TEMPLATE_STEPS);
        return false;
    }
    ev->steps_left -= (int64_t)cost;
    return true;
}

bool dg_charge(DgEval *ev, size_t bytes)
{
    if (dg_failed(ev))
        return false;
    if ((uint64_t)ev->bytes_left < bytes) {
        ev->bytes_left = 0;
        dg_error(ev, DG_DATA, "the template makes more than %d bytes of text",
                 LIMIT_TEMPLATE_BYTES);
        return false;
    }
    ev->bytes_left -= (int64_t)bytes;
    return true;
}

bool dg_enter(DgEval *ev)
{
    if (dg_failed(ev))
        return false;
    if (ev->depth_left <= 0) {
        dg_error(ev, DG_DATA, "the template nests deeper than %d levels", LIMIT_TEMPLATE_DEPTH);
        return false;
    }
    ev->depth_left--;
    return true;
}

void *dg_eval_alloc(DgEval *ev, size_t size, size_t align, size_t count)
{
    if (count && size > ((size_t)LIMIT_TEMPLATE_BYTES * 4) / count) {
        dg_error(ev, DG_DATA, "the template makes a value that is too large");
        return NULL;
    }
    void *p = arena_push(ev->arena, size, align, count ? count : 1);
    if (!p)
        dg_error(ev, DG_NOMEM, "out of memory in a template");
    return p;
}

StrBuf dg_buf(DgEval *ev)
{
    return (StrBuf){.max = (size_t)ev->bytes_left + 1};
}

Str dg_take(DgEval *ev, StrBuf *b)
{
    Str s = {0};
    if (b->failed) {
        dg_charge(ev, (size_t)LIMIT_TEMPLATE_BYTES + 1);
    } else if (b->len && dg_charge(ev, b->len)) {
        s = str_copy(ev->arena, buf_str(b));
        if (!s.ptr)
            dg_error(ev, DG_NOMEM, "out of memory in a template");
    }
    buf_free(b);
    return s;
}

DgValue dg_take_value(DgEval *ev, StrBuf *b, bool secret)
{
    DgValue v = dgv_from_str(dg_take(ev, b));
    v.secret = secret;
    return dg_failed(ev) ? dgv_undefined() : v;
}

void dg_site(DgEval *ev, int32_t site)
{
    ev->site = site;
}

/* ---- Printing ---- */

static void pieces_open(DgEval *ev, DgRenderMode mode)
{
    DgPieces *p = dg_make(ev, DgPieces, 1);
    if (!p)
        return;
    *p = (DgPieces){.outer = ev->pieces, .mode = mode, .text_start = ev->text.len};
    ev->pieces = p;
}

void dg_begin(DgEval *ev, DgRenderMode mode)
{
    pieces_open(ev, mode);
}

static void add_text(DgEval *ev, Str s)
{
    if (s.len && dg_charge(ev, (size_t)s.len)) {
        buf_add(&ev->text, s);
        if (ev->text.failed)
            dg_error(ev, DG_NOMEM, "out of memory in a template");
    }
}

static void add_value(DgEval *ev, DgValue v)
{
    if (is_str(v)) {
        add_text(ev, v.as.s);
        return;
    }
    size_t before = ev->text.len;
    dg_write_str(ev, &ev->text, v);
    dg_charge(ev, ev->text.len - before);
}

/* Native mode keeps a lone piece as it is and writes text only when a second one comes. */
static void add_piece(DgEval *ev, DgPieces *p, DgValue v)
{
    if (p->mode == DG_RENDER_TEXT) {
        add_value(ev, v);
    } else if (p->count == 0 || p->mode == DG_RENDER_VALUE) {
        p->first = v;
    } else {
        if (p->count == 1)
            add_value(ev, p->first);
        add_value(ev, v);
    }
    p->count++;
    if (v.secret || (v.kind >= DG_V_LIST && dgv_has_secret(v)))
        p->secret = true;
}

void dg_text(DgEval *ev, const char *text, ptrdiff_t len)
{
    if (ev->pieces && !dg_failed(ev))
        add_piece(ev, ev->pieces, dgv_str(text, len));
}

void dg_print(DgEval *ev, DgValue v)
{
    if (ev->pieces && dg_step(ev, 1))
        add_piece(ev, ev->pieces, v);
}

static DgValue pieces_value(DgEval *ev, DgPieces *p)
{
    Str text = {"", 0};
    if (ev->text.len > p->text_start)
        text = (Str){ev->text.ptr + p->text_start, (ptrdiff_t)(ev->text.len - p->text_start)};
    if (p->mode == DG_RENDER_VALUE)
        return p->count ? p->first : dgv_none();
    if (p->mode == DG_RENDER_NATIVE) {
        if (p->count == 0)
            return dgv_none();
        if (p->count == 1 && !is_str(p->first))
            return p->first;
        if (p->count == 1)
            text = p->first.as.s;
    }
    Str kept = p->mode == DG_RENDER_NATIVE && p->count == 1 ? text : str_copy(ev->arena, text);
    DgValue v = dgv_from_str(kept);
    if (p->mode == DG_RENDER_NATIVE) {
        DgValue literal;
        if (dg_literal_eval(ev, kept, &literal))
            v = literal;
    }
    return v;
}

static DgValue pieces_close(DgEval *ev)
{
    DgPieces *p = ev->pieces;
    if (!p)
        return dgv_undefined();
    DgValue v = dg_failed(ev) ? dgv_undefined() : pieces_value(ev, p);
    ev->text.len = p->text_start;
    ev->pieces = p->outer;
    return dgv_taint(v, p->secret);
}

DgStatus dg_end(DgEval *ev, DgValue *out, DgError *err)
{
    *out = pieces_close(ev);
    return dg_eval_status(ev, err);
}

void dg_capture(DgEval *ev)
{
    DgRenderMode mode = ev->pieces ? ev->pieces->mode : DG_RENDER_TEXT;
    pieces_open(ev, mode == DG_RENDER_VALUE ? DG_RENDER_TEXT : mode);
}

DgValue dg_captured(DgEval *ev)
{
    return pieces_close(ev);
}
