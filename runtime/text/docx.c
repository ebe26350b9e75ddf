/* docx.c - the text of Word's documents (Office Open XML).
 *
 * word/document.xml, then the notes; styles.xml says which styles are headings, docProps/core.xml what
 * the title is. Rows of tables are lines with ` | ` between cells, items of lists begin with `- `.
 * Deleted text of tracked changes is not text, inserted text is. A document has no pages before it is
 * laid out, so none are told; places are those in the text.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "runtime/files/xml.h"
#include "runtime/files/zip.h"
#include "runtime/os/os.h"
#include "runtime/text/extract.h"

enum { STYLES_MAX = 4096, ARENA_BYTES = 64 << 20 };

typedef struct Style {
    Str id;
    int level; /* of a heading */
    bool title;
} Style;

typedef struct Docx {
    DgDoc *doc;
    Arena arena;
    ZipFile zip;
    Array(Style) styles;
    XmlReader *xml;
    int64_t block;       /* where the open paragraph begins in doc->built; -1: nothing of it is there */
    int level;           /* of the heading it is */
    bool title, item, in_row, cell;
    bool in_text, last_item, last_row;
    int skip;            /* depth of the element that is passed over; 0: none is */
    int32_t ticks;
} Docx;

typedef DgStatus (*Part)(Docx *d, XmlKind kind, DgError *err);

/* Every piece of one member of the archive; none is there: nothing happens. */
static DgStatus read_part(Docx *d, const char *name, Part part, bool *there, DgError *err)
{
    const ZipMember *member = zip_find(&d->zip, str_from(name));
    ZipStream *stream = member ? malloc(sizeof *stream) : NULL;
    *there = member != NULL;
    if (!member)
        return DG_OK;
    if (!stream)
        return os_no_memory(err, "for a part of a document");
    DgStatus status = zip_stream_open(stream, &d->zip, member, err);
    if (status == DG_OK) {
        memset(d->xml, 0, offsetof(XmlReader, buffer));
        d->xml->read = zip_stream_read;
        d->xml->context = stream;
        d->xml->what = name;
        XmlKind kind = XML_OPEN;
        while (status == DG_OK && (status = xml_next(d->xml, &kind, err)) == DG_OK && kind != XML_DONE) {
            if ((++d->ticks & 0xfff) == 0)
                status = doc_check(d->doc, err);
            if (status == DG_OK)
                status = part(d, kind, err);
        }
        zip_stream_close(stream);
    }
    free(stream);
    return status;
}

/* ---- Styles, title ---- */

static int heading_number(Str name)
{
    if (name.len == 9 && str_eq_nocase(str_sub(name, 0, 8), S("heading ")) && name.ptr[8] >= '1' && name.ptr[8] <= '9')
        return name.ptr[8] - '0';
    if (name.len == 8 && str_eq_nocase(str_sub(name, 0, 7), S("heading")) && name.ptr[7] >= '1' && name.ptr[7] <= '9')
        return name.ptr[7] - '0';
    return 0;
}

static DgStatus styles_part(Docx *d, XmlKind kind, DgError *err)
{
    const XmlReader *x = d->xml;
    if (kind != XML_OPEN)
        return DG_OK;
    if (str_eq(x->name, S("style")) && d->styles.count < STYLES_MAX) {
        Style style = {str_copy(&d->arena, xml_attribute(x, "styleId")), 0, false};
        array_add(&d->arena, &d->styles, style);
    } else if (d->styles.count && str_eq(x->name, S("name"))) {
        Style *style = &d->styles.items[d->styles.count - 1];
        style->level = heading_number(xml_attribute(x, "val"));
        style->title = str_eq_nocase(xml_attribute(x, "val"), S("title"));
    } else if (d->styles.count && str_eq(x->name, S("outlineLvl"))) {
        int64_t level;
        Style *style = &d->styles.items[d->styles.count - 1];
        if (!style->level && str_to_int(xml_attribute(x, "val"), &level) && level >= 0 && level < 9)
            style->level = (int)level + 1;
    }
    return d->arena.failed ? dg_fail(err, DG_DATA, "its styles are too large") : DG_OK;
}

static void use_style(Docx *d, Str id)
{
    for (size_t i = 0; i < d->styles.count; i++)
        if (str_eq(d->styles.items[i].id, id)) {
            d->level = d->styles.items[i].level;
            d->title = d->styles.items[i].title;
            return;
        }
    d->level = heading_number(id); /* styles that are named and not described */
    d->title = str_eq_nocase(id, S("title"));
}

static DgStatus core_part(Docx *d, XmlKind kind, DgError *err)
{
    (void)err;
    if (kind == XML_OPEN)
        d->in_text = str_eq(d->xml->name, S("title"));
    else if (kind == XML_CLOSE)
        d->in_text = false;
    else if (d->in_text)
        doc_title(d->doc, d->xml->text);
    return DG_OK;
}

/* ---- Text ---- */

static void add(Docx *d, Str text)
{
    StrBuf *out = &d->doc->built;
    if (d->block < 0) {
        if (out->len)
            buf_add(out, (d->in_row && d->last_row) || (d->item && d->last_item) ? S("\n") : S("\n\n"));
        d->block = (int64_t)out->len;
        if (d->item)
            buf_add(out, S("- "));
        d->last_item = d->item;
        d->last_row = d->in_row;
        d->cell = false;
    }
    if (d->cell)
        buf_add(out, S(" | "));
    d->cell = false;
    buf_add(out, text);
}

static DgStatus flush(Docx *d, DgError *err)
{
    DgDoc *doc = d->doc;
    int64_t end = (int64_t)doc->built.len;
    while (d->block >= 0 && end > d->block && (unsigned char)doc->built.ptr[end - 1] <= ' ')
        end--;
    if (d->block >= 0 && end > d->block) {
        int level = d->title ? 1 : d->level;
        DgBlock *b = doc_block(doc, d->in_row ? DG_BLOCK_ROWS : level ? DG_BLOCK_HEADING : DG_BLOCK_TEXT, d->block, end);
        if (!b)
            return os_no_memory(err, "for a document's blocks");
        b->level = (uint8_t)(d->in_row ? 0 : level);
        b->label_start = b->start;
        b->label_end = b->end;
        if (level == 1 && !d->in_row)
            doc_title(doc, str_sub(buf_str(&doc->built), (ptrdiff_t)d->block, (ptrdiff_t)end));
    }
    d->block = -1;
    if (doc->built.failed || end > doc->text_max)
        return doc_too_large(doc, err);
    return DG_OK;
}

static DgStatus open_element(Docx *d, DgError *err)
{
    Str name = d->xml->name;
    if (str_eq(name, S("p"))) {
        if (!d->in_row)
            DG_TRY(flush(d, err));
        else if (d->block >= 0 && !d->cell)
            add(d, S(" "));
        d->level = 0;
        d->title = d->item = false;
    } else if (str_eq(name, S("pStyle"))) {
        use_style(d, xml_attribute(d->xml, "val"));
    } else if (str_eq(name, S("outlineLvl"))) {
        int64_t level;
        if (str_to_int(xml_attribute(d->xml, "val"), &level) && level >= 0 && level < 9)
            d->level = (int)level + 1;
    } else if (str_eq(name, S("numPr"))) {
        d->item = !d->in_row && !d->level;
    } else if (str_eq(name, S("t"))) {
        d->in_text = true;
    } else if (str_eq(name, S("tab"))) {
        if (d->block >= 0)
            add(d, S("\t"));
    } else if (str_eq(name, S("br")) || str_eq(name, S("cr"))) {
        if (d->block >= 0)
            add(d, d->in_row || d->level ? S(" ") : S("\n"));
    } else if (str_eq(name, S("noBreakHyphen"))) {
        add(d, S("-"));
    } else if (str_eq(name, S("tr"))) {
        DG_TRY(flush(d, err));
        d->in_row = true;
    } else if (str_eq(name, S("tc"))) {
        d->cell = d->block >= 0;
    } else if (str_eq(name, S("Fallback")) || str_eq(name, S("del")) || str_eq(name, S("moveFrom")) || str_eq(name, S("tblPr")) || str_eq(name, S("tabs"))) {
        d->skip = d->xml->depth;
    }
    return DG_OK;
}

static DgStatus text_part(Docx *d, XmlKind kind, DgError *err)
{
    if (d->skip) {
        if (kind == XML_CLOSE && d->xml->depth < d->skip)
            d->skip = 0;
        return DG_OK;
    }
    if (kind == XML_OPEN)
        return open_element(d, err);
    if (kind == XML_TEXT) {
        if (d->in_text)
            add(d, d->xml->text);
        return d->doc->built.failed ? doc_too_large(d->doc, err) : DG_OK;
    }
    Str name = d->xml->name;
    if (str_eq(name, S("t")))
        d->in_text = false;
    if (str_eq(name, S("tr"))) {
        DG_TRY(flush(d, err));
        d->in_row = false;
    }
    return str_eq(name, S("p")) && !d->in_row ? flush(d, err) : DG_OK;
}

static DgStatus read_all(Docx *d, DgError *err)
{
    bool there;
    DG_TRY(read_part(d, "docProps/core.xml", core_part, &there, err));
    d->in_text = false;
    DG_TRY(read_part(d, "word/styles.xml", styles_part, &there, err));
    DG_TRY(read_part(d, "word/document.xml", text_part, &there, err));
    if (!there)
        return dg_fail(err, DG_DATA, "it is no document of Word: it has no word/document.xml");
    static const char *const notes[] = {"word/footnotes.xml", "word/endnotes.xml"};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        d->skip = 0;
        d->in_text = d->in_row = d->cell = false;
        DG_TRY(flush(d, err));
        DG_TRY(read_part(d, notes[i], text_part, &there, err));
    }
    DG_TRY(flush(d, err));
    d->doc->text = buf_str(&d->doc->built);
    return DG_OK;
}

/* The reader of archives wants a file: the bytes become one without a name. */
static DgStatus open_archive(Docx *d, Str bytes, DgError *err)
{
    int fd = memfd_create("docx", MFD_CLOEXEC);
    if (fd < 0)
        return os_no_memory(err, "for a document");
    DgStatus status = os_write_all(fd, bytes.ptr, (size_t)bytes.len, "the document", err);
    if (status == DG_OK)
        return zip_open_fd(&d->zip, &d->arena, fd, bytes.len, "the document", err);
    os_close(fd);
    return status;
}

DgStatus doc_read_docx(DgDoc *doc, Str bytes, DgError *err)
{
    Docx *d = calloc(1, sizeof *d);
    XmlReader *xml = malloc(sizeof *xml);
    if (!d || !xml) {
        free(d);
        free(xml);
        return os_no_memory(err, "for a document");
    }
    doc->built.len = 0;
    doc->built.max = (size_t)doc->text_max + (1 << 20);
    d->doc = doc;
    d->xml = xml;
    d->block = -1;
    d->zip.fd = -1;
    arena_init(&d->arena, ARENA_BYTES);
    d->arena.can_fail = true;
    DgStatus status = open_archive(d, bytes, err);
    if (status == DG_OK)
        status = read_all(d, err);
    zip_close(&d->zip);
    arena_free(&d->arena);
    free(xml);
    free(d);
    return status;
}
