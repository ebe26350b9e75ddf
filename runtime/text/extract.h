/* extract.h - the text of a document: its blocks in order, with headings, pages and places.
 *
 * One function for each format; all give the same DgDoc. Input may be hostile: every size, depth and
 * count is bounded, and a deadline is kept. What cannot be read is DG_DATA with the reason; nothing else
 * of the run is touched by it.
 */
#ifndef DGC_EXTRACT_H
#define DGC_EXTRACT_H

#include "runtime/base/base.h"

typedef enum DgDocFormat { DG_DOC_AUTO, DG_DOC_MARKDOWN, DG_DOC_HTML, DG_DOC_TEXT, DG_DOC_PDF, DG_DOC_DOCX } DgDocFormat;
extern const char *const dg_doc_formats[]; /* "auto", "markdown" ...; ended by NULL */

typedef enum DgBlockKind {
    DG_BLOCK_TEXT,    /* a paragraph, a list, a quotation */
    DG_BLOCK_HEADING,
    DG_BLOCK_CODE,    /* kept whole when text is cut */
    DG_BLOCK_ROWS,    /* a table: lines are its rows */
} DgBlockKind;

typedef struct DgBlock {
    int64_t start, end;             /* bytes of DgDoc.text */
    int64_t source;                 /* where `start` is in the document; the text itself is it: `start` */
    int64_t source_end;
    int64_t label_start, label_end; /* HEADING: its words alone */
    int32_t page;                   /* from 1; 0: the format has none */
    uint8_t kind, level;            /* DgBlockKind; HEADING: 1 to 9 */
} DgBlock;

/* Reused from document to document: memory stays until doc_free(). Zeroed at first. */
typedef struct DgDoc {
    Str text;        /* UTF-8 without NUL; a view of the input, or of `built` */
    Str title;       /* empty: it says none */
    DgBlock *blocks;
    size_t count, capacity;
    StrBuf built, title_text;
    bool marked;     /* it is Markdown: headings may have marks in them */
    /* Set by the caller. */
    int64_t text_max;    /* bytes of text that are taken from one document */
    int64_t deadline_ms; /* of os_monotonic_ms(); 0: none */
    bool (*cancelled)(void *context);
    void *context;
} DgDoc;

void doc_reset(DgDoc *d);
void doc_free(DgDoc *d);

/* By name (`a/b.md`, `x.html?raw=1`), else by the first bytes. AUTO: it is none of these. */
DgDocFormat doc_format_of(Str name, Str bytes);
/* `bytes` must stay as long as the doc is used. PDF and DOCX are read from there too. */
DgStatus doc_read(DgDoc *d, DgDocFormat format, Str bytes, DgError *err);

/* ---- The formats; text ones are given valid UTF-8 ---- */

DgStatus doc_read_markdown(DgDoc *d, Str text, DgError *err);
DgStatus doc_read_text(DgDoc *d, Str text, DgError *err);
DgStatus doc_read_html(DgDoc *d, Str text, DgError *err);
DgStatus doc_read_docx(DgDoc *d, Str bytes, DgError *err);
DgStatus doc_read_pdf(DgDoc *d, Str bytes, DgError *err);

/* ---- For the formats ---- */

/* A block more; NULL: out of memory, or more than 10 million. */
DgBlock *doc_block(DgDoc *d, DgBlockKind kind, int64_t start, int64_t end);
/* Now and then: DG_DATA when it takes too long, DG_CANCELLED when nobody waits. */
DgStatus doc_check(DgDoc *d, DgError *err);
DgStatus doc_too_large(const DgDoc *d, DgError *err); /* DG_DATA: more text than text_max */
void doc_title(DgDoc *d, Str title);                  /* the first one counts; blanks are put together */

#endif
