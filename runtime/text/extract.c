/* extract.c - which format a document has, what encoding, and what all formats share. */
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/text/extract.h"
#include "runtime/text/unicode.h"

enum { BLOCKS_MAX = 10000000, TITLE_MAX = 500 };

const char *const dg_doc_formats[] = {"auto", "markdown", "html", "text", "pdf", "docx", NULL};

void doc_reset(DgDoc *d)
{
    d->text = d->title = (Str){0};
    d->count = 0;
    d->marked = false;
    d->built.len = d->title_text.len = 0;
    d->built.failed = d->title_text.failed = false;
}

void doc_free(DgDoc *d)
{
    free(d->blocks);
    buf_free(&d->built);
    buf_free(&d->title_text);
    *d = (DgDoc){0};
}

DgBlock *doc_block(DgDoc *d, DgBlockKind kind, int64_t start, int64_t end)
{
    if (d->count == d->capacity) {
        size_t capacity = d->capacity ? d->capacity * 2 : 256;
        DgBlock *grown = capacity <= BLOCKS_MAX * 2 ? realloc(d->blocks, capacity * sizeof *grown) : NULL;
        if (!grown)
            return NULL;
        d->blocks = grown;
        d->capacity = capacity;
    }
    DgBlock *b = &d->blocks[d->count++];
    *b = (DgBlock){.start = start, .end = end, .source = start, .source_end = end, .kind = (uint8_t)kind};
    return b;
}

DgStatus doc_check(DgDoc *d, DgError *err)
{
    if (d->cancelled && d->cancelled(d->context))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    if (d->deadline_ms && os_monotonic_ms() > d->deadline_ms)
        return dg_fail(err, DG_DATA, "reading it takes too long");
    return DG_OK;
}

DgStatus doc_too_large(const DgDoc *d, DgError *err)
{
    return dg_fail(err, DG_DATA, "it has more than %lld MB of text", (long long)(d->text_max >> 20));
}

void doc_title(DgDoc *d, Str title)
{
    bool blank = false;
    title = str_trim(title);
    if (d->title.len || !title.len)
        return;
    if (title.len > TITLE_MAX)
        title = str_sub(title, 0, unicode_start(title, TITLE_MAX));
    for (ptrdiff_t i = 0; i < title.len; i++) {
        unsigned char c = (unsigned char)title.ptr[i];
        if (c > ' ' && blank)
            buf_char(&d->title_text, ' ');
        blank = c <= ' ';
        if (!blank)
            buf_char(&d->title_text, (char)c);
    }
    d->title = buf_str(&d->title_text);
}

/* ---- Format ---- */

static bool has(Str bytes, const char *word)
{
    return str_find(str_sub(bytes, 0, 1024), str_from(word)) >= 0;
}

DgDocFormat doc_format_of(Str name, Str bytes)
{
    static const struct { const char *end; DgDocFormat format; } known[] = {
        {"md", DG_DOC_MARKDOWN}, {"markdown", DG_DOC_MARKDOWN}, {"mdx", DG_DOC_MARKDOWN}, {"html", DG_DOC_HTML}, {"htm", DG_DOC_HTML},
        {"xhtml", DG_DOC_HTML}, {"txt", DG_DOC_TEXT}, {"text", DG_DOC_TEXT}, {"log", DG_DOC_TEXT}, {"rst", DG_DOC_TEXT}, {"pdf", DG_DOC_PDF}, {"docx", DG_DOC_DOCX}};
    ptrdiff_t stop = str_find_char(name, '?');
    name = str_sub(name, 0, stop >= 0 ? stop : name.len);
    ptrdiff_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.' && name.ptr[dot - 1] != '/')
        dot--;
    for (size_t i = 0; dot > 0 && i < sizeof known / sizeof *known; i++)
        if (str_eq_nocase(str_sub(name, dot, name.len), str_from(known[i].end)))
            return known[i].format;
    if (str_starts(bytes, S("%PDF-")))
        return DG_DOC_PDF;
    if (str_starts(bytes, S("PK\3\4")))
        return DG_DOC_DOCX;
    if (has(bytes, "<!DOCTYPE html") || has(bytes, "<!doctype html") || has(bytes, "<html") || has(bytes, "<HTML"))
        return DG_DOC_HTML;
    return DG_DOC_AUTO;
}

/* ---- Encoding: UTF-8; UTF-16 with a mark; what is neither is taken for Windows-1252 ---- */

static void from_utf16(Str bytes, bool big, StrBuf *out)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    for (ptrdiff_t i = 2; i + 1 < bytes.len; i += 2) {
        uint32_t c = big ? (uint32_t)(p[i] << 8 | p[i + 1]) : (uint32_t)(p[i + 1] << 8 | p[i]);
        if (c >= 0xd800 && c < 0xdc00 && i + 3 < bytes.len) {
            uint32_t low = big ? (uint32_t)(p[i + 2] << 8 | p[i + 3]) : (uint32_t)(p[i + 3] << 8 | p[i + 2]);
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        unicode_add(out, c);
    }
}

static void from_windows(Str bytes, StrBuf *out)
{
    static const uint16_t high[32] = {
        0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
        0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};
    for (ptrdiff_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        unicode_add(out, c >= 0x80 && c < 0xa0 ? high[c - 0x80] : c);
    }
}

/* The text as UTF-8: the bytes themselves, or `to` filled. */
static DgStatus decode(Str bytes, StrBuf *to, Str *text, DgError *err)
{
    ptrdiff_t bad;
    *text = str_starts(bytes, S("\xef\xbb\xbf")) ? str_sub(bytes, 3, bytes.len) : bytes;
    bool little = str_starts(bytes, S("\xff\xfe")), big = str_starts(bytes, S("\xfe\xff"));
    if (little || big) {
        from_utf16(bytes, big, to);
        *text = buf_str(to);
    } else if (!str_utf8_valid(*text, &bad) && !memchr(bytes.ptr, 0, (size_t)bytes.len)) {
        from_windows(bytes, to);
        *text = buf_str(to);
    }
    if (to->failed)
        return os_no_memory(err, "for a document's text");
    if (text->len && memchr(text->ptr, 0, (size_t)text->len))
        return dg_fail(err, DG_DATA, "it is no text: it has NUL bytes");
    return DG_OK;
}

/* Archives and PDFs hold what they like: it becomes text only when it is. */
static DgStatus check_text(DgDoc *d, DgStatus status, DgError *err)
{
    if (status == DG_OK && (!str_utf8_valid(d->text, NULL) || !str_utf8_valid(d->title, NULL) || (d->text.len && memchr(d->text.ptr, 0, (size_t)d->text.len))))
        return dg_fail(err, DG_DATA, "its text is not UTF-8");
    return status;
}

DgStatus doc_read(DgDoc *d, DgDocFormat format, Str bytes, DgError *err)
{
    Str text;
    StrBuf decoded = {0};
    doc_reset(d);
    if (!bytes.len)
        return DG_OK;
    if (format == DG_DOC_PDF)
        return check_text(d, doc_read_pdf(d, bytes, err), err);
    if (format == DG_DOC_DOCX)
        return check_text(d, doc_read_docx(d, bytes, err), err);
    DgStatus status = decode(bytes, &decoded, &text, err);
    int64_t shift = text.ptr - bytes.ptr;
    if (status == DG_OK && text.len > d->text_max && format != DG_DOC_HTML)
        status = doc_too_large(d, err);
    if (status == DG_OK && decoded.len && format != DG_DOC_HTML) { /* the doc's text must outlive `decoded` */
        buf_free(&d->built);
        d->built = decoded;
        decoded = (StrBuf){0};
    }
    if (status == DG_OK && format == DG_DOC_HTML)
        status = doc_read_html(d, text, err);
    else if (status == DG_OK)
        status = format == DG_DOC_MARKDOWN ? doc_read_markdown(d, text, err) : doc_read_text(d, text, err);
    for (size_t i = 0; text.ptr == bytes.ptr + 3 && shift == 3 && i < d->count; i++) { /* behind the mark */
        d->blocks[i].source += shift;
        d->blocks[i].source_end += shift;
    }
    buf_free(&decoded);
    return status;
}
