/* xlsx.c - sheets as rows: once through all of them for names and types, then again for the values.
 *
 * A column is bigint when all its numbers are whole, else double; date when no date has a time of
 * day; text when it holds different kinds. Types that are given are kept to, or the cell is named.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/db/value_parse.h"
#include "runtime/files/formats_internal.h"
#include "runtime/files/xlsx_internal.h"
#include "runtime/os/os.h"

typedef struct Seen { /* of a column, over all files */
    Str name;
    int64_t whole, broken, text, boolean, date, datetime, time;
} Seen;

typedef struct SheetFile {
    char *path;
    int32_t *columns;      /* which of all columns a cell of this file is */
    int32_t columns_count;
} SheetFile;

typedef struct XlsxRows {
    DgRows rows; /* first */
    Arena arena;
    SheetFile *files;
    int32_t files_count, at;   /* at: the one that is open, or next */
    Array(Seen) seen;
    Map names;             /* lower case -> index + 1 */
    DgColumn *columns;
    bool *given;
    XlsxRange range;
    Str sheet, null_if;
    bool empty_as_null;
    int32_t header;
    int64_t skip, memory_max;
    bool open;
    XlsxBook book;
    XlsxSheet reader;
    XlsxRow row;
    XlsxCell **placed;     /* of a row: the cell for each column */
    StrBuf scratch;
} XlsxRows;

/* ---- Files ---- */

static DgStatus next_row(XlsxRows *x, DgError *err)
{
    return xlsx_sheet_next(&x->reader, &x->row, err);
}

static void close_file(XlsxRows *x)
{
    if (!x->open)
        return;
    xlsx_sheet_close(&x->reader);
    xlsx_book_close(&x->book);
    x->open = false;
}

/* Opens the file and goes past what is skipped. DG_END: there is nothing behind that. */
static DgStatus open_file(XlsxRows *x, const SheetFile *f, DgError *err)
{
    DG_TRY(xlsx_book_open(&x->book, f->path, x->sheet, x->memory_max, err));
    x->open = true;
    DG_TRY(xlsx_sheet_open(&x->reader, &x->book, &x->range, err));
    for (int64_t i = 0; i < x->skip; i++)
        DG_TRY(next_row(x, err));
    return DG_OK;
}

/* ---- Names ---- */

static int32_t column_named(XlsxRows *x, Str name)
{
    Str key = str_lower(&x->arena, name);
    void *found = map_get(&x->names, key);
    if (found)
        return (int32_t)(intptr_t)found - 1;
    if (x->seen.count >= LIMIT_COLUMNS)
        return -1;
    array_add(&x->arena, &x->seen, ((Seen){.name = str_copy(&x->arena, name)}));
    map_put(&x->arena, &x->names, key, (void *)(intptr_t)x->seen.count);
    return (int32_t)x->seen.count - 1;
}

static DgStatus add_name(XlsxRows *x, SheetFile *f, Str name, DgError *err)
{
    Str tried = name;
    for (int32_t k = 2;; k++) { /* twice in one file: a_2 */
        int32_t index = column_named(x, tried);
        bool taken = false;
        if (index < 0)
            return dg_fail(err, DG_DATA, "`%s` has more than %d columns", f->path, LIMIT_COLUMNS);
        for (int32_t i = 0; i < f->columns_count && !taken; i++)
            taken = f->columns[i] == index;
        if (!taken) {
            f->columns[f->columns_count++] = index;
            return x->arena.failed ? os_no_memory(err, "for the columns of a sheet") : DG_OK;
        }
        tried = str_format(&x->arena, "%.*s_%d", FMT(name), (int)k);
    }
}

static DgStatus names_up_to(XlsxRows *x, SheetFile *f, int32_t count, DgError *err)
{
    while (f->columns_count < count) {
        char name[32];
        int n = snprintf(name, sizeof name, "column%d", (int)f->columns_count);
        DG_TRY(add_name(x, f, (Str){name, n}, err));
    }
    return DG_OK;
}

static void cell_text(const XlsxRow *row, const XlsxCell *cell, StrBuf *out);

static bool looks_like_header(const XlsxRow *row)
{
    for (int32_t i = 0; i < row->count; i++)
        if (row->cells[i].kind != XLSX_TEXT && row->cells[i].kind != XLSX_NONE)
            return false;
    return true;
}

static DgStatus take_header(XlsxRows *x, SheetFile *f, DgError *err)
{
    for (int32_t i = 0; i < x->row.count; i++) {
        x->scratch.len = 0;
        cell_text(&x->row, &x->row.cells[i], &x->scratch);
        Str name = str_trim(buf_str(&x->scratch));
        DG_TRY(name.len ? add_name(x, f, name, err) : names_up_to(x, f, i + 1, err));
    }
    return DG_OK;
}

/* ---- Types ---- */

static void see(Seen *s, const XlsxCell *cell)
{
    const double exact = 9007199254740992.0;
    switch (cell->kind) {
    case XLSX_NUMBER: *(cell->number == floor(cell->number) && fabs(cell->number) <= exact ? &s->whole : &s->broken) += 1; break;
    case XLSX_TEXT: s->text += cell->text_length > 0; break;
    case XLSX_BOOL: s->boolean++; break;
    case XLSX_DATE: *(cell->number == floor(cell->number) ? &s->date : &s->datetime) += 1; break;
    case XLSX_TIME: s->time++; break;
    case XLSX_NONE: break;
    }
}

static DgTypeKind type_of(const Seen *s)
{
    int64_t numbers = s->whole + s->broken, dates = s->date + s->datetime, all = numbers + dates + s->text + s->boolean + s->time;
    if (numbers && numbers == all)
        return s->broken ? DG_FLOAT64 : DG_INT64;
    if (dates && dates == all)
        return s->datetime ? DG_TIMESTAMP : DG_DATE;
    if (s->boolean && s->boolean == all)
        return DG_BOOL;
    return s->time && s->time == all ? DG_TIME : DG_TEXT;
}

static DgStatus look_at(XlsxRows *x, SheetFile *f, DgError *err)
{
    f->columns = push(&x->arena, int32_t, LIMIT_COLUMNS + 1);
    if (!f->columns)
        return os_no_memory(err, "for the columns of a sheet");
    DgStatus status = open_file(x, f, err);
    if (status == DG_OK)
        status = next_row(x, err);
    bool header = x->header == 1 || (x->header < 0 && status == DG_OK && looks_like_header(&x->row));
    if (x->header < 0)
        x->header = header; /* the first file says it for all */
    if (status == DG_OK && header) {
        status = take_header(x, f, err);
        if (status == DG_OK)
            status = next_row(x, err);
    }
    while (status == DG_OK) {
        status = names_up_to(x, f, x->row.count, err);
        for (int32_t i = 0; i < x->row.count && status == DG_OK; i++)
            see(&x->seen.items[f->columns[i]], &x->row.cells[i]);
        if (status == DG_OK)
            status = next_row(x, err);
    }
    close_file(x);
    return status == DG_END ? DG_OK : status;
}

static DgStatus settle(XlsxRows *x, const DgReadFormat *how, DgError *err)
{
    int32_t count = (int32_t)x->seen.count;
    if (!count)
        return dg_fail(err, DG_DATA, "`%s` has no cells to read", x->files[0].path);
    x->columns = push(&x->arena, DgColumn, count);
    x->given = push(&x->arena, bool, count);
    x->placed = push(&x->arena, XlsxCell *, count);
    if (!x->columns || !x->given || !x->placed)
        return os_no_memory(err, "for the columns of a sheet");
    for (int32_t i = 0; i < count; i++) {
        const DgColumn *given = format_given(how, x->seen.items[i].name);
        x->given[i] = given != NULL;
        x->columns[i] = (DgColumn){.name = x->seen.items[i].name,
                                   .type = given ? given->type : (DgType){.kind = how->all_text ? DG_TEXT : (uint8_t)type_of(&x->seen.items[i])}};
    }
    x->rows.columns = x->columns;
    x->rows.columns_count = count;
    return DG_OK;
}

/* ---- Values ---- */

static int64_t microseconds(double days)
{
    /* Excel keeps dates as doubles: milliseconds are what is sure, and all that it shows. */
    return (int64_t)(llround(days * 86400000.0) * 1000);
}

static void cell_text(const XlsxRow *row, const XlsxCell *cell, StrBuf *out)
{
    uint64_t valid = 1;
    int64_t wide;
    int32_t day;
    DgVector v = {.valid = &valid, .values = &wide};
    switch (cell->kind) {
    case XLSX_NONE: return;
    case XLSX_TEXT: case XLSX_NUMBER: buf_add(out, xlsx_cell_text(row, cell)); return;
    case XLSX_BOOL: buf_add(out, cell->number != 0 ? S("true") : S("false")); return;
    case XLSX_TIME:
        wide = microseconds(cell->number);
        wide = wide < 86400000000 ? wide : 86399999000;
        value_write_text(out, &v, (DgType){.kind = DG_TIME}, 0);
        return;
    case XLSX_DATE:
        if (cell->number == floor(cell->number)) {
            day = (int32_t)cell->number;
            v.values = &day;
            value_write_text(out, &v, (DgType){.kind = DG_DATE}, 0);
            return;
        }
        wide = microseconds(cell->number);
        value_write_text(out, &v, (DgType){.kind = DG_TIMESTAMP}, 0);
        return;
    }
}

static bool is_null(const XlsxRows *x, const XlsxRow *row, const XlsxCell *cell, DgType type)
{
    if (!cell || cell->kind == XLSX_NONE)
        return true;
    if (cell->kind != XLSX_TEXT)
        return false;
    if (!cell->text_length)
        return x->empty_as_null || type.kind != DG_TEXT;
    return x->null_if.len && str_eq(xlsx_cell_text(row, cell), x->null_if);
}

static DgStatus put_value(XlsxRows *x, DgBatch *out, int32_t column, const XlsxCell *cell, DgError *err)
{
    DgVector *v = &out->vectors[column];
    const DgColumn *c = &x->columns[column];
    int32_t row = out->rows;
    DgTypeKind kind = (DgTypeKind)c->type.kind;
    if (is_null(x, &x->row, cell, c->type)) {
        dg_set_null(v, row);
        return !value_is_bytes(c->type) || dg_text_set(v, row, NULL, 0) ? DG_OK : os_no_memory(err, "for a batch of text");
    }
    bool own = !x->given[column] && kind != DG_TEXT; /* then all cells are of that kind */
    if (own && kind == DG_INT64)
        ((int64_t *)v->values)[row] = (int64_t)cell->number;
    else if (own && kind == DG_FLOAT64)
        ((double *)v->values)[row] = cell->number;
    else if (own && kind == DG_BOOL)
        ((char *)v->values)[row] = cell->number != 0;
    else if (own && kind == DG_DATE)
        ((int32_t *)v->values)[row] = (int32_t)cell->number;
    else if (own && kind == DG_TIMESTAMP)
        ((int64_t *)v->values)[row] = microseconds(cell->number);
    else {
        x->scratch.len = 0;
        cell_text(&x->row, cell, &x->scratch);
        Str text = buf_str(&x->scratch);
        if (value_parse(v, row, c, text, err) != DG_OK)
            return dg_fail(err, DG_DATA, "row %d of sheet `%.*s`: %s", (int)x->row.number + 1, FMT(x->book.sheet_name), err ? err->message : "");
    }
    return DG_OK;
}

/* The row at hand; DG_END: this file has no more. */
static DgStatus next_of_file(XlsxRows *x, DgError *err)
{
    if (!x->open) {
        DG_TRY(open_file(x, &x->files[x->at], err));
        if (x->header)
            DG_TRY(next_row(x, err));
    }
    return next_row(x, err);
}

static DgStatus xlsx_next(DgRows *rows, DgBatch *out, DgError *err)
{
    XlsxRows *x = (XlsxRows *)rows;
    dg_batch_reset(out);
    while (out->rows < out->rows_max) {
        if (x->at == x->files_count)
            return DG_END;
        const SheetFile *f = &x->files[x->at];
        DgStatus status = next_of_file(x, err);
        if (status == DG_END) {
            close_file(x);
            x->at++;
            continue;
        }
        DG_TRY(status);
        for (int32_t i = 0; i < rows->columns_count; i++)
            x->placed[i] = NULL;
        for (int32_t i = 0; i < x->row.count && i < f->columns_count; i++)
            x->placed[f->columns[i]] = &x->row.cells[i];
        for (int32_t i = 0; i < rows->columns_count; i++)
            DG_TRY(put_value(x, out, i, x->placed[i], err));
        out->rows++;
    }
    return DG_OK;
}

static void xlsx_close(DgRows *rows)
{
    XlsxRows *x = (XlsxRows *)rows;
    close_file(x);
    xlsx_row_free(&x->row);
    buf_free(&x->scratch);
    arena_free(&x->arena);
    os_free(x);
}

/* ---- Opening ---- */

/* `Sheet1`, `Sheet1!A2:D`, `'My sheet'!A:B`; in `range` also without a sheet. */
static DgStatus find_range(XlsxRows *x, const DgReadFormat *how, DgError *err)
{
    Str sheet = how->sheet, range = {0};
    Str given[] = {how->sheet, how->range};
    for (int i = 0; i < 2; i++) {
        ptrdiff_t mark = given[i].len;
        while (mark > 0 && given[i].ptr[mark - 1] != '!')
            mark--;
        if (mark > 0) {
            sheet = str_sub(given[i], 0, mark - 1);
            range = str_sub(given[i], mark, given[i].len);
        } else if (i == 1 && given[i].len) {
            range = given[i];
        }
    }
    sheet = str_trim(sheet);
    if (sheet.len > 1 && sheet.ptr[0] == '\'' && str_ends(sheet, S("'")))
        sheet = str_replace(&x->arena, str_sub(sheet, 1, sheet.len - 1), S("''"), S("'"));
    x->sheet = str_copy(&x->arena, sheet);
    if (xlsx_range_parse(range, &x->range))
        return DG_OK;
    dg_fail(err, DG_CONFIG, "`%.*s` is no range of cells", FMT(range));
    dg_hint(err, "such as A2:D, A:C, B2:F100, Sheet1!A2:D");
    return DG_CONFIG;
}

static DgStatus open_all(XlsxRows *x, const StrArray *paths, const DgReadFormat *how, DgError *err)
{
    if (how->file_column.len)
        return dg_fail(err, DG_CONFIG, "rows of XLSX files cannot have a column with the file's path");
    DG_TRY(find_range(x, how, err));
    x->null_if = str_copy(&x->arena, how->null_if);
    x->empty_as_null = how->empty_as_null;
    x->header = how->header;
    x->skip = how->skip_lines;
    x->files = push(&x->arena, SheetFile, paths->count);
    if (!x->files)
        return os_no_memory(err, "for a list of files");
    for (size_t i = 0; i < paths->count; i++) {
        SheetFile *f = &x->files[x->files_count++];
        f->path = str_cstr(&x->arena, paths->items[i]);
        if (!f->path)
            return os_no_memory(err, "for a path");
        DG_TRY(look_at(x, f, err));
    }
    return settle(x, how, err);
}

DgStatus xlsx_read(const StrArray *paths, const DgReadFormat *how, int64_t memory_max, DgRows **out, DgError *err)
{
    XlsxRows *x = os_alloc(sizeof *x);
    *out = NULL;
    if (!x)
        return os_no_memory(err, "for reading spreadsheets");
    arena_init(&x->arena, (size_t)1 << 30);
    x->arena.can_fail = true;
    x->memory_max = memory_max;
    x->rows.next = xlsx_next;
    x->rows.close = xlsx_close;
    DgStatus status = open_all(x, paths, how, err);
    if (status != DG_OK) {
        xlsx_close(&x->rows);
        return status;
    }
    *out = &x->rows;
    return DG_OK;
}
