/* pdf.h - what is inside a PDF, for reading its text. Private to runtime/text/pdf*.c.
 *
 * pdf_objects.c  objects: found by looking through the whole file, not by its cross-reference tables, so
 *                that a damaged or hostile table cannot send the reader in circles
 * pdf_filters.c  streams unpacked
 * pdf_fonts.c    from codes to characters and widths
 * pdf_page.c     a page's operators, carried out as far as text needs it
 * pdf_layout.c   from pieces of text at places to lines, paragraphs and headings
 * pdf.c          pages in order
 */
#ifndef DGC_PDF_H
#define DGC_PDF_H

#include "runtime/text/extract.h"

enum { PDF_DEPTH = 64, PDF_OBJECT_MAX = 8388607, PDF_ITEMS_MAX = 1000000, PDF_PAGES_MAX = 100000, PDF_FORMS_DEPTH = 12 };

typedef enum PdfKind { PDF_NULL, PDF_BOOL, PDF_NUMBER, PDF_STRING, PDF_NAME, PDF_ARRAY, PDF_DICT, PDF_STREAM, PDF_REF, PDF_WORD } PdfKind;

typedef struct PdfObject PdfObject;
struct PdfObject {
    PdfKind kind;
    int32_t count;      /* ARRAY: items; DICT, STREAM: names and values in turn */
    double number;      /* NUMBER, BOOL; REF: of the object */
    Str text;           /* STRING: decoded; NAME: without its slash; WORD: an operator */
    PdfObject *items;
    Str data;           /* STREAM: packed */
};

typedef struct PdfEntry { /* an object of the file: where its text is */
    Str text;           /* begins with it; empty: there is none */
    PdfObject *object;  /* once it was read */
    bool reading;
} PdfEntry;

typedef struct PdfFont PdfFont;
typedef struct PdfFile {
    DgDoc *doc;
    Str bytes;
    Arena arena;
    PdfEntry *entries;
    int32_t entries_count;
    Array(int32_t) packed;   /* objects that hold objects, as they stand in the file */
    PdfObject root, info;
    bool encrypted;
    int64_t unpack_left;     /* bytes that may still be unpacked */
    Array(PdfFont *) fonts;
    Array(int32_t) font_numbers;
    int64_t glyphs, unknown; /* shown; whose character is not known */
    int64_t operators;
} PdfFile;

/* ---- pdf_objects.c ---- */
DgStatus pdf_open(PdfFile *f, DgError *err);
typedef struct PdfLexer {
    Str s;
    ptrdiff_t at;
    PdfFile *file;
} PdfLexer;
/* The next object or operator; false: the end, or what is no object. Refs are made where `refs`. */
bool pdf_next(PdfLexer *l, PdfObject *out, bool refs);
PdfObject pdf_resolve(PdfFile *f, PdfObject o);
PdfObject pdf_get(PdfFile *f, const PdfObject *dict, const char *key);  /* resolved; NULL kind: not there */
PdfObject pdf_raw(const PdfObject *dict, const char *key);              /* as it stands: maybe a REF */
double pdf_number(PdfObject o, double fallback);
bool pdf_is_name(PdfObject o, const char *name);

/* ---- pdf_filters.c ---- */
/* To malloc'd memory of `out`. DG_END: it is no data that text could be in (a picture). */
DgStatus pdf_unpack(PdfFile *f, const PdfObject *stream, StrBuf *out, DgError *err);

/* ---- pdf_fonts.c ---- */
PdfFont *pdf_font(PdfFile *f, PdfObject font); /* NULL: out of memory */
/* The next code of `s`: its characters (at most 8, *count of them), width in thousandths. False: the end. */
typedef struct PdfGlyph {
    uint32_t characters[8];
    int count;
    double width;
    bool blank;     /* the code 32 in one byte: word spacing is added */
} PdfGlyph;
bool pdf_glyph(const PdfFont *font, Str s, ptrdiff_t *at, PdfGlyph *out);

/* ---- pdf_layout.c ---- */
typedef struct PdfLayout {
    DgDoc *doc;
    int32_t page;
    double x, y;            /* where the last piece ended, along and across its line */
    double dx, dy, size;    /* direction and size of it */
    double line_y, block_size;
    int64_t block;          /* where the open block begins; -1: none is */
    bool any;               /* on this page */
    Array(float) sizes;     /* of each block */
    Arena *arena;           /* its own: the file's is given back piece by piece */
} PdfLayout;
void layout_page(PdfLayout *l, int32_t page);
/* Characters at x, y on a line that runs in direction dx, dy (of length 1); advance: how far it goes. */
DgStatus layout_put(PdfLayout *l, const uint32_t *characters, int count, double x, double y, double dx, double dy, double size, double advance, DgError *err);
DgStatus layout_end_page(PdfLayout *l, DgError *err);
void layout_headings(PdfLayout *l);

/* ---- pdf_page.c ---- */
DgStatus pdf_show_page(PdfFile *f, const PdfObject *page, const PdfObject *resources, PdfLayout *layout, DgError *err);

#endif
