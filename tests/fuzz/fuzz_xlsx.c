/* Spreadsheets: any bytes as a sheet's cells (first byte even), or as the whole archive. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/files/xlsx_internal.h"
#include "tests/fuzz/replay.h"

static void cells(const uint8_t *data, size_t size)
{
    DgError err = {0};
    XlsxBook book = {.zip.fd = -1};
    XlsxSheet sheet;
    XlsxRow row = {0};
    XlsxRange range;
    XmlMemory memory = {{(const char *)data, (ptrdiff_t)size}};
    uint8_t styles[] = {XLSX_NUMBER, XLSX_DATE, XLSX_TIME};
    uint32_t ends[] = {1, 3};
    arena_init(&book.arena, 1 << 20);
    buf_add(&book.strings.bytes, S("abc"));
    book.strings.ends.items = ends, book.strings.ends.count = 2;
    book.styles.items = styles, book.styles.count = 3;
    xlsx_range_parse((Str){0}, &range);
    if (xlsx_sheet_open_memory(&sheet, &book, &range, &memory, &err) == DG_OK) {
        while (xlsx_sheet_next(&sheet, &row, &err) == DG_OK)
            for (int32_t i = 0; i < row.count; i++)
                if (row.cells[i].kind == XLSX_TEXT && xlsx_cell_text(&row, &row.cells[i]).len < 0)
                    abort();
        xlsx_sheet_close(&sheet);
    }
    xlsx_row_free(&row);
    xlsx_book_close(&book);
}

static void archive(const uint8_t *data, size_t size)
{
    char path[64];
    DgError err = {0};
    XlsxBook book;
    XlsxRange range;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    xlsx_range_parse((Str){(const char *)data, size < 6 ? (ptrdiff_t)size : 6}, &range);
    if (xlsx_book_open(&book, path, (Str){0}, 1 << 20, &err) == DG_OK)
        xlsx_book_close(&book);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1 << 16)
        return 0;
    if (data[0] & 1)
        archive(data + 1, size - 1);
    else
        cells(data + 1, size - 1);
    return 0;
}
