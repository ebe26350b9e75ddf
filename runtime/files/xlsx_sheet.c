/* xlsx_sheet.c - the cells of a sheet, row by row, with the memory of one row. */
#include <math.h>
#include <stdlib.h>

#include "runtime/files/xlsx_internal.h"
#include "runtime/os/os.h"

enum { ROW_MAX = 1 << 20, COLUMN_MAX = 1 << 14, ROW_TEXT_MAX = 64 << 20 };

/* ---- Places ---- */

/* `B12` or a part of it from the front: what is missing stays. */
static bool take_place(Str *text, int32_t *row, int32_t *column)
{
    int32_t c = 0, r = 0;
    ptrdiff_t i = 0;
    for (; i < text->len && text->ptr[i] == '$'; i++)
        continue;
    for (; i < text->len && ((text->ptr[i] | 32) >= 'a' && (text->ptr[i] | 32) <= 'z') && c <= COLUMN_MAX; i++)
        c = c * 26 + (text->ptr[i] | 32) - 'a' + 1;
    for (; i < text->len && text->ptr[i] == '$'; i++)
        continue;
    for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9' && r <= ROW_MAX; i++)
        r = r * 10 + text->ptr[i] - '0';
    *text = str_sub(*text, i, text->len);
    if (c > COLUMN_MAX || r > ROW_MAX || (!c && !r))
        return false;
    if (c)
        *column = c - 1;
    if (r)
        *row = r - 1;
    return true;
}

bool xlsx_range_parse(Str range, XlsxRange *out)
{
    *out = (XlsxRange){0, 0, ROW_MAX - 1, COLUMN_MAX - 1};
    range = str_trim(range);
    if (!range.len)
        return true;
    int32_t row = -1, column = -1;
    if (!take_place(&range, &row, &column))
        return false;
    out->row = row < 0 ? 0 : row;
    out->column = column < 0 ? 0 : column;
    if (!range.len)
        return row >= 0 && column >= 0; /* from there on */
    if (range.ptr[0] != ':')
        return false;
    range = str_sub(range, 1, range.len);
    return take_place(&range, &out->row_end, &out->column_end) && !range.len && out->row_end >= out->row &&
           out->column_end >= out->column;
}

/* ---- Opening ---- */

static DgStatus open_with(XlsxSheet *s, const XlsxBook *b, const XlsxRange *range, XmlRead read, void *context, DgError *err)
{
    s->book = b;
    s->range = *range;
    s->row = s->column = 0;
    s->ended = false;
    s->xml = os_alloc(sizeof *s->xml);
    if (!s->xml)
        return os_no_memory(err, "for a sheet");
    s->xml->read = read;
    s->xml->context = context;
    s->xml->what = "the sheet";
    return DG_OK;
}

DgStatus xlsx_sheet_open_memory(XlsxSheet *s, const XlsxBook *b, const XlsxRange *range, XmlMemory *bytes, DgError *err)
{
    *s = (XlsxSheet){0};
    return open_with(s, b, range, xml_read_memory, bytes, err);
}

DgStatus xlsx_sheet_open(XlsxSheet *s, const XlsxBook *b, const XlsxRange *range, DgError *err)
{
    *s = (XlsxSheet){.stream = os_alloc(sizeof *s->stream)};
    if (!s->stream)
        return os_no_memory(err, "for a sheet");
    DgStatus status = zip_stream_open(s->stream, &b->zip, zip_find(&b->zip, b->sheet_path), err);
    if (status == DG_OK)
        status = open_with(s, b, range, zip_stream_read, s->stream, err);
    if (status != DG_OK)
        xlsx_sheet_close(s);
    return status;
}

void xlsx_sheet_close(XlsxSheet *s)
{
    if (s->stream)
        zip_stream_close(s->stream);
    os_free(s->stream);
    os_free(s->xml);
    *s = (XlsxSheet){0};
}

void xlsx_row_free(XlsxRow *row)
{
    buf_free(&row->text);
    os_free(row->cells);
    *row = (XlsxRow){0};
}

Str xlsx_cell_text(const XlsxRow *row, const XlsxCell *cell)
{
    return (Str){row->text.ptr + cell->text, (ptrdiff_t)cell->text_length};
}

/* ---- Cells ---- */

static XlsxCell *cell_at(XlsxRow *row, int32_t column)
{
    if (column >= row->capacity) {
        int32_t room = column + 64;
        XlsxCell *cells = os_realloc(row->cells, sizeof *cells * (size_t)room);
        if (!cells)
            return NULL;
        row->cells = cells;
        row->capacity = room;
    }
    while (row->count <= column)
        row->cells[row->count++] = (XlsxCell){0};
    return &row->cells[column];
}

static DgStatus bad_cell(const XlsxSheet *s, int32_t row, int32_t column, const char *what, DgError *err)
{
    char letters[8];
    int n = (int)sizeof letters;
    letters[--n] = 0;
    for (int32_t c = column + 1; c > 0 && n > 0; c = (c - 1) / 26)
        letters[--n] = (char)('A' + (c - 1) % 26);
    return dg_fail(err, DG_DATA, "cell %s%d of sheet `%.*s` %s", letters + n, (int)row + 1, FMT(s->book->sheet_name), what);
}

/* Excel counts days from 1900 and believes in a 29th of February 1900: before March it is one off. */
static double days_since_1970(const XlsxBook *b, double serial)
{
    if (b->from_1904)
        return serial - 24107;
    return serial < 60 ? serial - 25568 : serial - 25569;
}

static DgStatus set_number(const XlsxSheet *s, XlsxRow *row, XlsxCell *cell, Str value, Str style, int32_t column, DgError *err)
{
    int64_t index = 0;
    if (!str_to_double(str_trim(value), &cell->number) || !isfinite(cell->number))
        return bad_cell(s, row->number, column, "has a number that is none", err);
    if (style.len && (!str_to_int(style, &index) || index < 0))
        index = 0;
    XlsxKind kind = (size_t)index < s->book->styles.count ? (XlsxKind)s->book->styles.items[index] : XLSX_NUMBER;
    cell->kind = XLSX_NUMBER;
    if (kind == XLSX_TIME && cell->number >= 0 && cell->number < 1)
        cell->kind = XLSX_TIME;
    else if (kind != XLSX_NUMBER && cell->number >= (s->book->from_1904 ? 0 : 1) && cell->number < 2958466) { /* year 10 000 */
        cell->kind = XLSX_DATE;
        cell->number = days_since_1970(s->book, cell->number);
    }
    return DG_OK;
}

static DgStatus set_shared(const XlsxSheet *s, XlsxRow *row, XlsxCell *cell, Str value, int32_t column, DgError *err)
{
    const XlsxStrings *strings = &s->book->strings;
    int64_t index;
    if (!str_to_int(value, &index) || index < 0 || (size_t)index >= strings->ends.count)
        return bad_cell(s, row->number, column, "refers to a text that is not there", err);
    uint32_t begin = index ? strings->ends.items[index - 1] : 0;
    cell->text = (uint32_t)row->text.len;
    cell->text_length = strings->ends.items[index] - begin;
    if (cell->text_length)
        buf_add(&row->text, (Str){strings->bytes.ptr + begin, (ptrdiff_t)cell->text_length});
    cell->kind = XLSX_TEXT;
    return DG_OK;
}

/* `type` is what t= says; the value stands at the end of row->text from `start` on. */
static DgStatus finish_cell(const XlsxSheet *s, XlsxRow *row, XlsxCell *cell, Str type, Str style, size_t start, int32_t column, DgError *err)
{
    ptrdiff_t bad;
    Str value = {row->text.ptr + start, (ptrdiff_t)(row->text.len - start)};
    cell->text = (uint32_t)start;
    cell->text_length = (uint32_t)value.len;
    if (row->text.failed)
        return bad_cell(s, row->number, column, "makes its row too long", err);
    if (str_eq(type, S("inlineStr")) || str_eq(type, S("str")) || str_eq(type, S("d"))) {
        cell->kind = XLSX_TEXT;
        if (!str_utf8_valid(value, &bad) || (value.len && memchr(value.ptr, 0, (size_t)value.len)))
            return bad_cell(s, row->number, column, "is no UTF-8 text", err);
    } else if (!value.len || str_eq(type, S("e"))) {
        cell->kind = XLSX_NONE;
    } else if (str_eq(type, S("s"))) {
        DG_TRY(set_shared(s, row, cell, value, column, err));
        Str text = xlsx_cell_text(row, cell);
        if (row->text.failed || !str_utf8_valid(text, &bad))
            return bad_cell(s, row->number, column, "is no UTF-8 text", err);
    } else if (str_eq(type, S("b"))) {
        cell->kind = XLSX_BOOL;
        cell->number = str_eq(value, S("1")) || str_eq(value, S("true"));
    } else {
        DG_TRY(set_number(s, row, cell, value, style, column, err));
    }
    row->any |= cell->kind != XLSX_NONE && (cell->kind != XLSX_TEXT || cell->text_length);
    return DG_OK;
}

/* From <c> to </c>. */
static DgStatus read_cell(XlsxSheet *s, XlsxRow *row, DgError *err)
{
    XmlReader *x = s->xml;
    char type_bytes[16], style_bytes[16];
    Str type = xml_attribute(x, "t"), style = xml_attribute(x, "s"), place = xml_attribute(x, "r");
    int32_t depth = x->depth, at_row = s->row, column = s->column;
    if (type.len > 16 || style.len > 16 || (place.len && (!take_place(&place, &at_row, &column) || place.len)))
        return dg_fail(err, DG_DATA, "a cell of sheet `%.*s` says its place in an unknown way", FMT(s->book->sheet_name));
    if (type.len)
        memcpy(type_bytes, type.ptr, (size_t)type.len);
    if (style.len)
        memcpy(style_bytes, style.ptr, (size_t)style.len);
    type.ptr = type_bytes, style.ptr = style_bytes;
    if (column >= COLUMN_MAX)
        return dg_fail(err, DG_DATA, "sheet `%.*s` has more than %d columns", FMT(s->book->sheet_name), COLUMN_MAX);
    s->column = column + 1;
    bool wanted = column >= s->range.column && column <= s->range.column_end && row->number >= s->range.row;
    bool inside = false, phonetic = false;
    size_t start = row->text.len;
    for (XmlKind kind = XML_OPEN; !(kind == XML_CLOSE && x->depth < depth);) {
        DG_TRY(xml_next(x, &kind, err));
        if (kind == XML_DONE)
            break;
        if (kind == XML_OPEN) {
            phonetic |= str_eq(x->name, S("rPh"));
            inside = str_eq(x->name, S("v")) || (str_eq(x->name, S("t")) && !phonetic);
        } else if (kind == XML_CLOSE) {
            phonetic &= !str_eq(x->name, S("rPh"));
            inside = false;
        } else if (inside && wanted) {
            if (str_eq(type, S("inlineStr")) || str_eq(type, S("str")))
                xlsx_add_text(&row->text, x->text);
            else
                buf_add(&row->text, x->text);
        }
    }
    XlsxCell *cell = wanted ? cell_at(row, column - s->range.column) : NULL;
    if (wanted && !cell)
        return os_no_memory(err, "for a row of a sheet");
    return wanted ? finish_cell(s, row, cell, type, style, start, column, err) : DG_OK;
}

static DgStatus begin_row(XlsxSheet *s, XlsxRow *row, DgError *err)
{
    Str text = xml_attribute(s->xml, "r");
    int64_t number = s->row + 1;
    if (text.len && (!str_to_int(text, &number) || number < 1 || number > ROW_MAX))
        return dg_fail(err, DG_DATA, "sheet `%.*s` has a row with the number `%.*s`", FMT(s->book->sheet_name), FMT(text));
    s->row = (int32_t)number - 1;
    s->column = 0;
    row->number = s->row;
    row->count = 0;
    row->any = false;
    row->text.len = 0;
    row->text.failed = false;
    row->text.max = ROW_TEXT_MAX;
    return DG_OK;
}

DgStatus xlsx_sheet_next(XlsxSheet *s, XlsxRow *row, DgError *err)
{
    XmlReader *x = s->xml;
    while (!s->ended) {
        XmlKind kind;
        DG_TRY(xml_next(x, &kind, err));
        if (kind == XML_DONE) {
            s->ended = true;
        } else if (kind == XML_OPEN && str_eq(x->name, S("row"))) {
            DG_TRY(begin_row(s, row, err));
        } else if (kind == XML_OPEN && str_eq(x->name, S("c"))) {
            DG_TRY(read_cell(s, row, err));
        } else if (kind == XML_CLOSE && str_eq(x->name, S("row"))) {
            s->row++;
            if (row->number > s->range.row_end)
                break; /* the rest, and its checksum, do not matter */
            if (row->any && row->number >= s->range.row)
                return DG_OK;
        }
    }
    s->ended = true;
    return DG_END;
}
