/* pdf_page.c - the operators of a page, as far as they place text. */
#include <math.h>

#include "runtime/os/os.h"
#include "runtime/text/pdf.h"

enum { STACK_MAX = 64, OPERANDS_MAX = 64, OPERATORS_MAX = 50000000 };

typedef struct Matrix {
    double a, b, c, d, e, f;
} Matrix;

typedef struct State { /* what q saves */
    Matrix space;
    const PdfFont *font;
    double size, character, word, stretch, leading, rise;
} State;

typedef struct Show {
    PdfFile *file;
    PdfLayout *layout;
    State state, stack[STACK_MAX];
    int depth;
    Matrix line, text;
    const PdfObject *resources;
    PdfObject operands[OPERANDS_MAX];
    int count;
    int forms; /* how deep in them */
} Show;

static const Matrix identity = {1, 0, 0, 1, 0, 0};

/* First m, then n. */
static Matrix times(Matrix m, Matrix n)
{
    return (Matrix){m.a * n.a + m.b * n.c, m.a * n.b + m.b * n.d, m.c * n.a + m.d * n.c, m.c * n.b + m.d * n.d,
                    m.e * n.a + m.f * n.c + n.e, m.e * n.b + m.f * n.d + n.f};
}

static double operand(const Show *s, int i)
{
    return i < s->count ? pdf_number(s->operands[i], 0) : 0;
}

static Matrix operand_matrix(const Show *s)
{
    return (Matrix){operand(s, 0), operand(s, 1), operand(s, 2), operand(s, 3), operand(s, 4), operand(s, 5)};
}

/* ---- Text ---- */

static void next_line(Show *s, double x, double y)
{
    s->line = times((Matrix){1, 0, 0, 1, x, y}, s->line);
    s->text = s->line;
}

static DgStatus show_text(Show *s, Str bytes, DgError *err)
{
    State *g = &s->state;
    PdfGlyph glyph;
    for (ptrdiff_t at = 0; g->font && pdf_glyph(g->font, bytes, &at, &glyph);) {
        Matrix m = times(times((Matrix){g->size * g->stretch, 0, 0, g->size, 0, g->rise}, s->text), s->state.space);
        double across = hypot(m.c, m.d), along = hypot(m.a, m.b);
        double advance = (glyph.width / 1000 * g->size + g->character + (glyph.blank ? g->word : 0)) * g->stretch;
        s->file->glyphs++;
        s->file->unknown += glyph.count == 0;
        if (along > 0 && isfinite(along) && isfinite(across) && isfinite(m.e) && isfinite(m.f)) {
            static const uint32_t replacement = 0xfffd;
            bool known = glyph.count > 0;
            DG_TRY(layout_put(s->layout, known ? glyph.characters : &replacement, known ? glyph.count : 1, m.e, m.f, m.a / along, m.b / along, across,
                              glyph.width / 1000 * along, err));
        }
        s->text = times((Matrix){1, 0, 0, 1, advance, 0}, s->text);
        if (s->layout->doc->built.len > (size_t)s->layout->doc->text_max)
            return doc_too_large(s->layout->doc, err);
    }
    return DG_OK;
}

static DgStatus show_array(Show *s, const PdfObject *items, DgError *err)
{
    for (int32_t i = 0; items->kind == PDF_ARRAY && i < items->count; i++) {
        const PdfObject *o = &items->items[i];
        if (o->kind == PDF_STRING)
            DG_TRY(show_text(s, o->text, err));
        else if (o->kind == PDF_NUMBER)
            s->text = times((Matrix){1, 0, 0, 1, -o->number / 1000 * s->state.size * s->state.stretch, 0}, s->text);
    }
    return DG_OK;
}

static DgStatus choose_font(Show *s, DgError *err)
{
    PdfObject fonts = pdf_get(s->file, s->resources, "Font");
    char name[128];
    s->state.size = operand(s, 1);
    s->state.font = NULL;
    if (s->operands[0].kind != PDF_NAME || s->operands[0].text.len >= (ptrdiff_t)sizeof name)
        return DG_OK;
    memcpy(name, s->operands[0].text.ptr, (size_t)s->operands[0].text.len);
    name[s->operands[0].text.len] = 0;
    PdfObject font = pdf_raw(&fonts, name);
    if (font.kind == PDF_NULL)
        return DG_OK;
    s->state.font = pdf_font(s->file, font);
    return s->state.font ? DG_OK : dg_fail(err, DG_DATA, "its fonts are too large");
}

/* ---- Operators ---- */

static DgStatus show_stream(Show *s, Str content, DgError *err);

static DgStatus show_form(Show *s, DgError *err)
{
    char name[128];
    PdfObject objects = pdf_get(s->file, s->resources, "XObject");
    Str wanted = s->count && s->operands[0].kind == PDF_NAME ? s->operands[0].text : (Str){0};
    if (!wanted.len || wanted.len >= (ptrdiff_t)sizeof name || s->forms >= PDF_FORMS_DEPTH)
        return DG_OK;
    memcpy(name, wanted.ptr, (size_t)wanted.len);
    name[wanted.len] = 0;
    PdfObject form = pdf_get(s->file, &objects, name);
    if (form.kind != PDF_STREAM || !pdf_is_name(pdf_get(s->file, &form, "Subtype"), "Form"))
        return DG_OK;
    StrBuf content = {0};
    DgStatus status = pdf_unpack(s->file, &form, &content, err);
    if (status == DG_OK) {
        State saved = s->state;
        Matrix line = s->line, text = s->text;
        const PdfObject *resources = s->resources;
        PdfObject own = pdf_get(s->file, &form, "Resources"), matrix = pdf_get(s->file, &form, "Matrix");
        int depth = s->depth;
        if (own.kind == PDF_DICT)
            s->resources = &own;
        if (matrix.kind == PDF_ARRAY && matrix.count == 6) {
            double m[6];
            for (int i = 0; i < 6; i++)
                m[i] = pdf_number(pdf_resolve(s->file, matrix.items[i]), i == 0 || i == 3);
            s->state.space = times((Matrix){m[0], m[1], m[2], m[3], m[4], m[5]}, s->state.space);
        }
        s->forms++;
        status = show_stream(s, buf_str(&content), err);
        s->forms--;
        s->state = saved;
        s->line = line;
        s->text = text;
        s->resources = resources;
        s->depth = depth;
    }
    buf_free(&content);
    return status == DG_END ? DG_OK : status;
}

static DgStatus text_operator(Show *s, Str op, DgError *err)
{
    State *g = &s->state;
    char first = op.ptr[0], second = op.len > 1 ? op.ptr[1] : 0;
    if (op.len == 1) { /* ' and " */
        if (first == '"') {
            g->word = operand(s, 0);
            g->character = operand(s, 1);
        }
        next_line(s, 0, -g->leading);
        return s->count && s->operands[s->count - 1].kind == PDF_STRING ? show_text(s, s->operands[s->count - 1].text, err) : DG_OK;
    }
    (void)first;
    switch (second) {
    case 'f': return choose_font(s, err);
    case 'c': g->character = operand(s, 0); break;
    case 'w': g->word = operand(s, 0); break;
    case 'z': g->stretch = operand(s, 0) / 100; break;
    case 'L': g->leading = operand(s, 0); break;
    case 's': g->rise = operand(s, 0); break;
    case 'D': g->leading = -operand(s, 1); /* and then as Td */ /* fall through */
    case 'd': next_line(s, operand(s, 0), operand(s, 1)); break;
    case 'm': s->line = s->text = operand_matrix(s); break;
    case '*': next_line(s, 0, -g->leading); break;
    case 'j': return s->count && s->operands[0].kind == PDF_STRING ? show_text(s, s->operands[0].text, err) : DG_OK;
    case 'J': return s->count ? show_array(s, &s->operands[0], err) : DG_OK;
    default: break;
    }
    return DG_OK;
}

/* Behind the data of a picture in the text: `EI` between blanks. */
static void skip_picture(PdfLexer *l)
{
    for (ptrdiff_t i = l->at; i + 2 < l->s.len; i++) {
        const char *e = memchr(l->s.ptr + i, 'E', (size_t)(l->s.len - i));
        if (!e)
            break;
        i = e - l->s.ptr;
        bool before = i > 0 && (unsigned char)l->s.ptr[i - 1] <= ' ', after = i + 2 >= l->s.len || (unsigned char)l->s.ptr[i + 2] <= ' ';
        if (i + 1 < l->s.len && l->s.ptr[i + 1] == 'I' && before && after) {
            l->at = i + 2;
            return;
        }
    }
    l->at = l->s.len;
}

static DgStatus carry_out(Show *s, PdfLexer *l, Str op, DgError *err)
{
    if (str_eq(op, S("q"))) {
        if (s->depth < STACK_MAX)
            s->stack[s->depth] = s->state;
        s->depth++;
    } else if (str_eq(op, S("Q"))) {
        if (s->depth > 0 && --s->depth < STACK_MAX)
            s->state = s->stack[s->depth];
    } else if (str_eq(op, S("cm"))) {
        s->state.space = times(operand_matrix(s), s->state.space);
    } else if (str_eq(op, S("BT"))) {
        s->line = s->text = identity;
    } else if (str_eq(op, S("Do"))) {
        return show_form(s, err);
    } else if (str_eq(op, S("ID"))) {
        skip_picture(l);
    } else if ((op.len == 2 && op.ptr[0] == 'T') || str_eq(op, S("'")) || str_eq(op, S("\""))) {
        return text_operator(s, op, err);
    }
    return DG_OK;
}

static DgStatus show_stream(Show *s, Str content, DgError *err)
{
    PdfLexer l = {content, 0, s->file};
    PdfObject o;
    Arena *a = &s->file->arena;
    size_t mark = arena_mark(a);
    s->count = 0;
    while (pdf_next(&l, &o, false)) {
        if (o.kind != PDF_WORD) {
            if (s->count < OPERANDS_MAX)
                s->operands[s->count++] = o;
            continue;
        }
        size_t fonts = s->file->fonts.count;
        if (++s->file->operators > OPERATORS_MAX)
            return dg_fail(err, DG_DATA, "its pages have too many operators");
        if ((s->file->operators & 0xfff) == 0)
            DG_TRY(doc_check(s->file->doc, err));
        DG_TRY(carry_out(s, &l, o.text, err));
        s->count = 0;
        /* What operands took is given back, unless something that stays was made since. */
        if (s->file->fonts.count == fonts && o.text.len && o.text.ptr[0] == 'T' && o.text.ptr[o.text.len - 1] != 'f')
            arena_pop(a, mark);
        else
            mark = arena_mark(a);
    }
    return a->failed ? dg_fail(err, DG_DATA, "its pages are too large") : DG_OK;
}

/* A page's contents: one stream, or several that are read as one. */
static DgStatus gather(PdfFile *f, PdfObject contents, StrBuf *all, DgError *err)
{
    int32_t count = contents.kind == PDF_ARRAY ? contents.count : 1;
    for (int32_t i = 0; i < count; i++) {
        PdfObject one = contents.kind == PDF_ARRAY ? pdf_resolve(f, contents.items[i]) : contents;
        StrBuf part = {0};
        DgStatus status = pdf_unpack(f, &one, &part, err);
        if (status == DG_OK) {
            buf_add(all, buf_str(&part));
            buf_char(all, '\n');
        }
        buf_free(&part);
        if (status != DG_OK && status != DG_END)
            return status;
    }
    return all->failed ? os_no_memory(err, "for a page") : DG_OK;
}

DgStatus pdf_show_page(PdfFile *f, const PdfObject *page, const PdfObject *resources, PdfLayout *layout, DgError *err)
{
    StrBuf content = {0};
    Show *s = os_alloc(sizeof *s);
    if (!s)
        return os_no_memory(err, "for a page");
    s->file = f;
    s->layout = layout;
    s->resources = resources;
    s->state = (State){.space = identity, .stretch = 1};
    s->line = s->text = identity;
    DgStatus status = gather(f, pdf_get(f, page, "Contents"), &content, err);
    if (status == DG_OK)
        status = show_stream(s, buf_str(&content), err);
    buf_free(&content);
    os_free(s);
    return status;
}
