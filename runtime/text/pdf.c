/* pdf.c - the text of a PDF's pages, in order. */
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/text/pdf.h"
#include "runtime/text/unicode.h"

static const size_t arena_bytes = (size_t)1 << 30;

typedef struct Pages {
    PdfFile *file;
    PdfLayout layout;
    int32_t count;
    uint8_t *seen; /* by number: nodes of the tree, each once */
} Pages;

/* A node of the tree of pages; resources are those of the node above. */
static DgStatus walk(Pages *p, PdfObject node, const PdfObject *resources, int depth, DgError *err)
{
    PdfFile *f = p->file;
    if (node.kind == PDF_REF) {
        int32_t number = (int32_t)node.number;
        if (number >= f->entries_count || p->seen[number])
            return DG_OK;
        p->seen[number] = 1;
        node = pdf_resolve(f, node);
    }
    if (node.kind != PDF_DICT)
        return DG_OK;
    PdfObject own = pdf_get(f, &node, "Resources"), kids = pdf_get(f, &node, "Kids");
    if (own.kind == PDF_DICT)
        resources = &own;
    if (kids.kind == PDF_ARRAY) {
        if (depth > PDF_DEPTH)
            return dg_fail(err, DG_DATA, "its pages nest too deep");
        for (int32_t i = 0; i < kids.count; i++)
            DG_TRY(walk(p, kids.items[i], resources, depth + 1, err));
        return DG_OK;
    }
    if (++p->count > PDF_PAGES_MAX)
        return dg_fail(err, DG_DATA, "it has more than %d pages", PDF_PAGES_MAX);
    DG_TRY(doc_check(f->doc, err));
    layout_page(&p->layout, p->count);
    DG_TRY(pdf_show_page(f, &node, resources, &p->layout, err));
    return layout_end_page(&p->layout, err);
}

/* UTF-16 with a mark, else one byte a character. */
static void take_title(PdfFile *f)
{
    PdfObject info = pdf_resolve(f, f->info), title = pdf_get(f, &info, "Title");
    const unsigned char *p = (const unsigned char *)title.text.ptr;
    StrBuf b = {.max = 4096};
    if (title.kind != PDF_STRING)
        return;
    if (title.text.len >= 3 && p[0] == 0xef && p[1] == 0xbb) {
        doc_title(f->doc, str_utf8_valid(title.text, NULL) ? str_sub(title.text, 3, title.text.len) : (Str){0});
        return;
    }
    bool wide = title.text.len >= 2 && p[0] == 0xfe && p[1] == 0xff;
    for (ptrdiff_t i = wide ? 2 : 0; i + wide < title.text.len; i += 1 + wide) {
        uint32_t c = wide ? (uint32_t)(p[i] << 8 | p[i + 1]) : p[i];
        if (wide && c >= 0xd800 && c < 0xdc00 && i + 3 < title.text.len) {
            c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)(p[i + 2] << 8 | p[i + 3]) - 0xdc00);
            i += 2;
        }
        if (c >= ' ')
            unicode_add(&b, c);
    }
    doc_title(f->doc, buf_str(&b));
    buf_free(&b);
}

static DgStatus read_pages(PdfFile *f, Arena *layout_arena, DgError *err)
{
    static const PdfObject nothing = {0};
    Pages pages = {.file = f, .layout = {.doc = f->doc, .arena = layout_arena, .block = -1}};
    DG_TRY(pdf_open(f, err));
    take_title(f);
    pages.seen = calloc((size_t)f->entries_count + 1, 1);
    if (!pages.seen)
        return os_no_memory(err, "for a document's pages");
    DgStatus status = walk(&pages, pdf_raw(&f->root, "Pages"), &nothing, 0, err);
    free(pages.seen);
    if (status != DG_OK)
        return status;
    if (!pages.count)
        return dg_fail(err, DG_DATA, "it is a PDF without pages");
    if (f->glyphs && f->unknown * 2 > f->glyphs)
        return dg_fail(err, DG_DATA, "its fonts do not say which characters they show");
    if (!f->doc->count)
        return dg_fail(err, DG_DATA, "it has no text on its %d pages: they may be pictures of text", pages.count);
    layout_headings(&pages.layout);
    f->doc->text = buf_str(&f->doc->built);
    return DG_OK;
}

DgStatus doc_read_pdf(DgDoc *d, Str bytes, DgError *err)
{
    PdfFile f = {.doc = d, .bytes = bytes, .unpack_left = d->text_max * 4 + (64 << 20)};
    d->built.len = 0;
    d->built.max = (size_t)d->text_max + (1 << 20);
    Arena layout_arena;
    arena_init(&f.arena, arena_bytes);
    arena_init(&layout_arena, 256 << 20);
    f.arena.can_fail = layout_arena.can_fail = true;
    DgStatus status = read_pages(&f, &layout_arena, err);
    free(f.entries);
    arena_free(&layout_arena);
    arena_free(&f.arena);
    return status;
}
