/* xlsx_internal.h - a workbook, the rows of one of its sheets. Private to runtime/files.
 *
 *   xlsx_book.c    which sheets there are, shared strings, which styles are dates
 *   xlsx_sheet.c   the cells of a sheet, row by row
 *   xlsx.c         columns and types over all sheets that are read; rows as batches
 */
#ifndef DGC_XLSX_INTERNAL_H
#define DGC_XLSX_INTERNAL_H

#include "runtime/files/xml.h"
#include "runtime/files/zip.h"

typedef enum XlsxKind {
    XLSX_NONE,   /* empty, an error such as #N/A */
    XLSX_NUMBER,
    XLSX_TEXT,
    XLSX_BOOL,
    XLSX_DATE,   /* a number whose style shows a date; of a day, or of a day and a time */
    XLSX_TIME,   /* a part of a day, shown as a time */
} XlsxKind;

typedef struct XlsxStrings { /* shared ones: one after the other */
    StrBuf bytes;
    Array(uint32_t) ends;
} XlsxStrings;

typedef struct XlsxBook {
    Arena arena;
    ZipFile zip;
    XlsxStrings strings;
    Array(uint8_t) styles;   /* XlsxKind of each cell format: NUMBER, DATE or TIME */
    bool from_1904;
    Str sheet_name, sheet_path; /* the one that is read */
} XlsxBook;

/* `sheet`: name, or its number from 1; empty: the first that is not hidden. */
DgStatus xlsx_book_open(XlsxBook *b, const char *path, Str sheet, int64_t memory_max, DgError *err);
void xlsx_book_close(XlsxBook *b);

typedef struct XlsxRange { /* from 0; the last ones are in it */
    int32_t row, column, row_end, column_end;
} XlsxRange;

typedef struct XlsxCell {
    XlsxKind kind;
    double number;   /* NUMBER, BOOL (0, 1), TIME; DATE: days since 1970 */
    uint32_t text, text_length; /* in XlsxRow.text: TEXT, and a NUMBER as it is written */
} XlsxCell;

typedef struct XlsxRow {
    int32_t number;  /* of the row in the sheet, from 0 */
    XlsxCell *cells; /* from the range's first column on */
    int32_t count, capacity;
    StrBuf text;
    bool any;        /* some cell has a value */
} XlsxRow;

typedef struct XlsxSheet {
    const XlsxBook *book;
    XlsxRange range;
    int32_t row, column; /* where the next one is when it does not say */
    bool ended;
    XmlReader *xml;
    ZipStream *stream; /* NULL: from memory */
} XlsxSheet;

/* `range`: empty, `A2:D`, `B:B`, `A1:C10`. */
bool xlsx_range_parse(Str range, XlsxRange *out);
DgStatus xlsx_sheet_open(XlsxSheet *s, const XlsxBook *b, const XlsxRange *range, DgError *err);
/* For tests: the sheet's XML is `bytes`, which must stay. */
DgStatus xlsx_sheet_open_memory(XlsxSheet *s, const XlsxBook *b, const XlsxRange *range, XmlMemory *bytes, DgError *err);
/* The next row with a value in it; DG_END. */
DgStatus xlsx_sheet_next(XlsxSheet *s, XlsxRow *row, DgError *err);
void xlsx_sheet_close(XlsxSheet *s);
void xlsx_row_free(XlsxRow *row);
Str xlsx_cell_text(const XlsxRow *row, const XlsxCell *cell);
/* Text of Excel's own: `_x000D_` is a carriage return. */
void xlsx_add_text(StrBuf *to, Str text);

#endif
