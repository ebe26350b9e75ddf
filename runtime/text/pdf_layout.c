/* pdf_layout.c - pieces of text at places become lines, paragraphs, headings.
 *
 * Text is taken in the order of the file, which is the order of reading in nearly all of them. A new
 * line begins where the place across the line changes or goes back; a blank where there is a gap; a
 * paragraph where lines are further apart than lines are, or the size of type changes. What is set in
 * type clearly larger than most of the document is a heading.
 */
#include <math.h>
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/text/pdf.h"
#include "runtime/text/unicode.h"

enum { HEADING_BYTES = 300, LEVELS = 6 };

static DgStatus flush(PdfLayout *l, DgError *err)
{
    StrBuf *out = &l->doc->built;
    int64_t end = (int64_t)out->len;
    while (l->block >= 0 && end > l->block && (unsigned char)out->ptr[end - 1] <= ' ')
        end--;
    if (l->block >= 0 && end > l->block) {
        DgBlock *b = doc_block(l->doc, DG_BLOCK_TEXT, l->block, end);
        float size = (float)l->block_size;
        if (b)
            array_add(l->arena, &l->sizes, size);
        if (!b || l->arena->failed)
            return os_no_memory(err, "for a document's blocks");
        b->page = l->page;
        out->len = (size_t)end;
    }
    l->block = -1;
    return out->failed ? os_no_memory(err, "for a document's text") : DG_OK;
}

void layout_page(PdfLayout *l, int32_t page)
{
    l->page = page;
    l->any = false;
    l->block = -1;
}

DgStatus layout_end_page(PdfLayout *l, DgError *err)
{
    return flush(l, err);
}

static void add_character(StrBuf *out, uint32_t c)
{
    static const char *const ligatures[] = {"ff", "fi", "fl", "ffi", "ffl"};
    if (c >= 0xfb00 && c <= 0xfb04)
        buf_add(out, str_from(ligatures[c - 0xfb00]));
    else if (c == 0xa0 || c == '\n' || c == '\r' || c == '\t')
        buf_char(out, ' ');
    else if (c >= ' ' && c != 0xad && c != 0x7f)
        unicode_add(out, c);
}

DgStatus layout_put(PdfLayout *l, const uint32_t *characters, int count, double x, double y, double dx, double dy, double size, double advance, DgError *err)
{
    StrBuf *out = &l->doc->built;
    double along = x * dx + y * dy, across = -x * dy + y * dx;
    bool blank = count == 1 && (characters[0] == ' ' || characters[0] == 0xa0 || characters[0] == 0x3000);
    if (size <= 0)
        return DG_OK;
    if (l->any && l->block >= 0) {
        double step = l->y - across, gap = along - l->x;
        bool turned = dx * l->dx + dy * l->dy < 0.99;
        bool other_line = turned || fabs(step) > 0.5 * fmax(size, l->size) || gap < -2 * size;
        bool other_size = size > 1.15 * l->size || size < l->size / 1.15;
        if (other_line && blank)
            return DG_OK; /* nothing hangs on it: the next character says where the line is */
        if (other_line && (turned || other_size || step < -0.5 * size || step > 1.7 * size))
            DG_TRY(flush(l, err));
        else if (other_line)
            buf_char(out, '\n');
        else if (gap > 0.18 * size && !blank && out->len && out->ptr[out->len - 1] != ' ')
            buf_char(out, ' ');
    }
    if (l->block < 0) {
        if (blank)
            return DG_OK;
        if (out->len)
            buf_add(out, S("\n\n"));
        l->block = (int64_t)out->len;
        l->block_size = size;
    }
    if (!blank || (out->len && (unsigned char)out->ptr[out->len - 1] > ' '))
        for (int i = 0; i < count; i++)
            add_character(out, characters[i]);
    if (!blank || l->y != across)
        l->size = size;
    l->any = true;
    l->x = along + advance;
    l->y = across;
    l->dx = dx;
    l->dy = dy;
    return DG_OK;
}

/* ---- Headings ---- */

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* The size that most of the text has: sizes are put together by quarters of a point. */
static float body_size(const PdfLayout *l)
{
    enum { SLOTS = 1024 };
    int64_t bytes[SLOTS] = {0};
    int best = 0;
    for (size_t i = 0; i < l->sizes.count; i++) {
        int slot = (int)fminf(l->sizes.items[i] * 4 + 0.5f, SLOTS - 1);
        bytes[slot] += l->doc->blocks[i].end - l->doc->blocks[i].start;
        if (bytes[slot] > bytes[best])
            best = slot;
    }
    return (float)best / 4;
}

void layout_headings(PdfLayout *l)
{
    DgDoc *d = l->doc;
    float body = body_size(l), levels[LEVELS];
    int count = 0;
    float *large = push(l->arena, float, d->count + 1);
    size_t larges = 0;
    if (!large || body <= 0)
        return;
    for (size_t i = 0; i < d->count && i < l->sizes.count; i++)
        if (l->sizes.items[i] > body * 1.15f && d->blocks[i].end - d->blocks[i].start <= HEADING_BYTES)
            large[larges++] = l->sizes.items[i];
    if (larges)
        qsort(large, larges, sizeof *large, by_size);
    for (size_t i = 0; i < larges && count < LEVELS; i++)
        if (!count || large[i] < levels[count - 1] / 1.05f)
            levels[count++] = large[i];
    for (size_t i = 0; count && i < d->count && i < l->sizes.count; i++) {
        DgBlock *b = &d->blocks[i];
        if (l->sizes.items[i] <= body * 1.15f || b->end - b->start > HEADING_BYTES)
            continue;
        int level = 0;
        while (level + 1 < count && l->sizes.items[i] <= levels[level + 1] * 1.02f)
            level++;
        b->kind = DG_BLOCK_HEADING;
        b->level = (uint8_t)(level + 1);
        b->label_start = b->start;
        b->label_end = b->end;
        if (level == 0)
            doc_title(d, str_sub(buf_str(&d->built), (ptrdiff_t)b->start, (ptrdiff_t)b->end));
    }
}
