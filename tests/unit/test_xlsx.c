/* Spreadsheets as rows: archives are made here, honest and hostile ones. */
#include <zlib.h>

#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/files/formats.h"
#include "runtime/files/xlsx_internal.h"
#include "tests/unit/temp_folder.h"

/* ---- Archives ---- */

typedef struct Member {
    const char *name;
    Str content;
} Member;

static void little(StrBuf *b, uint32_t n, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_char(b, (char)(n >> (8 * i) & 255));
}

static Str deflated(Str content)
{
    z_stream z = {0};
    size_t room = (size_t)content.len + 1000;
    char *out = push(&a, char, room);
    deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t)content.ptr, z.avail_in = (uInt)content.len;
    z.next_out = (Bytef *)out, z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return (Str){out, (ptrdiff_t)(room - z.avail_out)};
}

static Str archive(const Member *members, int count, bool pack)
{
    StrBuf b = {0}, directory = {0};
    for (int i = 0; i < count; i++) {
        Str name = str_from(members[i].name), content = members[i].content, packed = pack ? deflated(content) : content;
        uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)content.ptr, (uInt)content.len), at = (uint32_t)b.len;
        uint32_t head[] = {20, 0, pack ? 8 : 0, 0, 0};
        little(&b, 0x04034b50, 4), little(&directory, 0x02014b50, 4), little(&directory, 20, 2);
        for (int k = 0; k < 5; k++)
            little(&b, head[k], 2), little(&directory, head[k], 2);
        uint32_t sizes[] = {crc, (uint32_t)packed.len, (uint32_t)content.len};
        for (int k = 0; k < 3; k++)
            little(&b, sizes[k], 4), little(&directory, sizes[k], 4);
        little(&b, (uint32_t)name.len, 2), little(&b, 0, 2);
        little(&directory, (uint32_t)name.len, 2), little(&directory, 0, 4), little(&directory, 0, 4), little(&directory, 0, 4), little(&directory, at, 4);
        buf_add(&b, name), buf_add(&directory, name);
        buf_add(&b, packed);
    }
    uint32_t start = (uint32_t)b.len;
    buf_add(&b, buf_str(&directory));
    little(&b, 0x06054b50, 4), little(&b, 0, 4), little(&b, (uint32_t)count, 2), little(&b, (uint32_t)count, 2);
    little(&b, (uint32_t)directory.len, 4), little(&b, start, 4), little(&b, 0, 2);
    Str out = str_copy(&a, buf_str(&b));
    buf_free(&b);
    buf_free(&directory);
    return out;
}

#define RELATIONS "<Relationships xmlns=\"r\"><Relationship Id=\"rId1\" Type=\"x/worksheet\" Target=\"worksheets/sheet1.xml\"/>" \
                  "<Relationship Id=\"rId2\" Type=\"x/worksheet\" Target=\"/xl/worksheets/sheet2.xml\"/></Relationships>"
#define WORKBOOK(properties) "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<workbook xmlns=\"m\" xmlns:r=\"r\">" properties "<sheets>" \
                 "<sheet name=\"Orders &amp; more\" sheetId=\"1\" r:id=\"rId1\"/><sheet name=\"Two\" sheetId=\"7\" r:id=\"rId2\"/></sheets></workbook>"
/* 0 plain, 1 date, 2 date and time, 3 time, 4 percent, 5 own date, 6 hours past a day */
#define STYLES "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"[$-409]d\\-mmm\\-yyyy;@\"/><numFmt numFmtId=\"165\" formatCode=\"[h]:mm:ss\"/></numFmts>" \
               "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/><xf numFmtId=\"21\"/>" \
               "<xf numFmtId=\"9\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/></cellXfs></styleSheet>"
#define STRINGS "<sst><si><t>id</t></si><si><t xml:space=\"preserve\"> na</t></si><si><r><t>na</t></r><r><rPr/><t>me</t></r><rPh><t>no</t></rPh></si>" \
                "<si><t>&lt;b&gt; \xc3\xa9 _x000D_&#10;&#x20AC;</t></si><si><t/></si></sst>"

static Str book_of(const char *name, Str properties, Str first, Str second, bool pack)
{
    Member members[] = {{"xl/workbook.xml", properties}, {"xl/_rels/workbook.xml.rels", S(RELATIONS)}, {"xl/styles.xml", S(STYLES)},
                        {"xl/sharedStrings.xml", S(STRINGS)}, {"xl/worksheets/sheet1.xml", first}, {"xl/worksheets/sheet2.xml", second}};
    Str path = str_format(&a, "%s/%s", root, name);
    ok(os_atomic_write(path.ptr, archive(members, 6, pack), 0600, &err));
    return path;
}

static Str sheet(const char *rows)
{
    return str_format(&a, "<worksheet xmlns=\"m\"><dimension ref=\"A1:ZZ9999\"/><sheetData>%s</sheetData></worksheet>", rows);
}

static Str read_files(const Str *paths, size_t count, DgReadFormat how)
{
    StrArray all = {(Str *)(uintptr_t)paths, count, count};
    DgRows *rows;
    StrBuf b = {0};
    DgBatch batch;
    DgStatus status = files_read(&all, &how, 0, &rows, &err);
    if (status != DG_OK)
        return str_replace(&a, str_format(&a, "%s: %s", dg_status_name(status), err.message), str_from(root), S("ROOT"));
    for (int32_t i = 0; i < rows->columns_count; i++)
        buf_format(&b, "%s%.*s:%s", i ? " " : "", FMT(rows->columns[i].name), dg_type_name((DgTypeKind)rows->columns[i].type.kind));
    ok(dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, &err));
    while (status == DG_OK) {
        status = rows->next(rows, &batch, &err);
        for (int32_t row = 0; row < batch.rows; row++)
            for (int32_t i = 0; i < rows->columns_count; i++) {
                buf_add(&b, i ? S("|") : S("\n"));
                if (DG_VALID(&batch.vectors[i], row))
                    value_write_text(&b, &batch.vectors[i], rows->columns[i].type, row);
                else
                    buf_char(&b, '~');
            }
    }
    dg_batch_release(&batch);
    rows_close(rows);
    Str out = status == DG_END ? str_copy(&a, buf_str(&b)) : str_format(&a, "%s: %s", dg_status_name(status), err.message);
    buf_free(&b);
    return str_replace(&a, out, str_from(root), S("ROOT"));
}

#define READ(path, ...) read_files(&(Str){(path).ptr, (path).len}, 1, with((DgReadFormat){__VA_ARGS__}))
static DgReadFormat with(DgReadFormat how)
{
    how.header = how.header == 0 ? -1 : how.header == 9 ? 0 : how.header;
    how.empty_as_null = !how.empty_as_null;
    return how;
}

static const char orders[] =
    "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>2</v></c><c r=\"C1\" t=\"inlineStr\"><is><t>at</t></is></c>"
    "<c r=\"D1\" t=\"str\"><f>1+1</f><v>when</v></c><c r=\"E1\" t=\"str\"><v>share</v></c><c r=\"F1\" t=\"str\"><v>ok</v></c>"
    "<c r=\"G1\" t=\"str\"><v>t</v></c><c r=\"H1\" t=\"str\"><v>mixed</v></c></row>\n"
    "<row r=\"2\"><c r=\"A2\"><v>1</v></c><c r=\"B2\" t=\"s\"><v>3</v></c><c r=\"C2\" s=\"1\"><v>45292</v></c><c r=\"D2\" s=\"2\"><v>45292.520833333336</v></c>"
    "<c r=\"E2\" s=\"4\"><v>0.25</v></c><c r=\"F2\" t=\"b\"><v>1</v></c><c r=\"G2\" s=\"3\"><v>0.75</v></c><c r=\"H2\"><v>1.50</v></c></row>"
    "<row r=\"3\"/>"
    "<row r=\"5\"><c r=\"A5\"><v>9007199254740992</v></c><c r=\"C5\" s=\"5\"><v>59</v></c><c r=\"D5\" s=\"1\"><v>61</v></c>"
    "<c r=\"E5\" t=\"e\"><v>#N/A</v></c><c r=\"F5\" t=\"b\"><v>0</v></c><c r=\"H5\" s=\"1\"><v>45292</v></c></row>";

static void cells_have_the_type_that_is_shown(void **state)
{
    for (int packed = 0; packed < 2; packed++) {
        Str path = book_of("orders.xlsx", S(WORKBOOK("<workbookPr/>")), sheet(orders), sheet(""), packed);
        assert_text(READ(path, .skip_lines = 0),
                    "id:bigint name:varchar at:date when:timestamp share:double ok:boolean t:time mixed:varchar\n"
                    "1|<b> \u00e9 \r\n\u20ac|2024-01-01|2024-01-01 12:30:00|0.25|true|18:00:00|1.50\n"
                    "9007199254740992|~|1900-02-28|1900-03-01 00:00:00|~|false|~|2024-01-01");
    }
    Str old = book_of("mac.xlsx", S(WORKBOOK("<workbookPr date1904=\"1\"/>")), sheet("<row><c s=\"1\"><v>0</v></c><c s=\"6\"><v>1.5</v></c></row>"), sheet(""), true);
    assert_text(READ(old, .skip_lines = 0), "column0:date column1:double\n1904-01-01|1.5");
}

static void sheets_and_ranges_are_found(void **state)
{
    const char *rows = "<row><c><v>1</v></c><c t=\"str\"><v>x</v></c><c><v>2</v></c></row><row><c><v>3</v></c><c t=\"str\"><v>y</v></c><c><v>4</v></c></row>"
                       "<row r=\"9\"><c r=\"C9\"><v>5</v></c></row>";
    Str path = book_of("two.xlsx", S(WORKBOOK("")), sheet(""), sheet(rows), true);
    assert_text(READ(path, .sheet = S("two")), "column0:bigint column1:varchar column2:bigint\n1|x|2\n3|y|4\n~|~|5");
    assert_text(READ(path, .sheet = S("2"), .range = S("B1:C2")), "column0:varchar column1:bigint\nx|2\ny|4");
    assert_text(READ(path, .sheet = S("'Two'!$C$2:$C$20")), "column0:bigint\n4\n5");
    assert_text(READ(path, .range = S("Two!A2"), .header = 1), "3:varchar y:varchar 4:bigint\n~|~|5");
    assert_text(READ(path, .sheet = S("Two!B:B"), .skip_lines = 1), "y:varchar");
    assert_text(READ(path, .sheet = S("Orders & more")), "data: `ROOT/two.xlsx` has no cells to read");
    assert_text(READ(path, .sheet = S("Three")), "config: `ROOT/two.xlsx` has no sheet `Three`");
    assert_text(READ(path, .range = S("2A")), "config: `2A` is no range of cells");
    Str wrong[] = {S("B2:A1"), S("A0"), S("A1:"), S(":"), S("AAAAAAAA1"), S("A99999999999")};
    XlsxRange range;
    for (size_t i = 0; i < 6; i++)
        assert_false(xlsx_range_parse(wrong[i], &range));
}

static void several_books_are_one_table(void **state)
{
    Str paths[] = {book_of("p1.xlsx", S(WORKBOOK("")), sheet("<row><c t=\"str\"><v>A</v></c><c t=\"str\"><v>a</v></c><c/><c t=\"str\"><v>d</v></c></row><row><c><v>1</v></c><c><v>2</v></c><c><v>3</v></c></row>"), sheet(""), true),
                   book_of("p2.xlsx", S(WORKBOOK("")), sheet("<row><c t=\"str\"><v>d</v></c><c t=\"str\"><v>a</v></c></row><row><c s=\"1\"><v>45292</v></c><c><v>1.5</v></c></row>"), sheet(""), true)};
    DgReadFormat how = {.header = 1, .empty_as_null = true};
    assert_text(read_files(paths, 2, how), "A:double a_2:bigint column2:bigint d:date\n1.0|2|3|~\n1.5|~|~|2024-01-01");
    DgColumn types[] = {{.name = DG_S("a"), .type = {DG_DECIMAL, 5, 2}}, {.name = DG_S("D"), .type = {.kind = DG_TEXT}}};
    how.columns = types, how.columns_count = 2;
    assert_text(read_files(paths, 2, how), "A:decimal a_2:bigint column2:bigint d:varchar\n1.00|2|3|~\n1.50|~|~|2024-01-01");
    types[0].type.kind = DG_DATE;
    Str refused = read_files(paths, 2, how);
    assert_true(str_starts(refused, S("data: row 2 of sheet `Orders & more`: ")));
}

static void hostile_books_are_refused(void **state)
{
    static const struct { const char *cells, *says; } cases[] = {
        {"<row><c t=\"s\"><v>99</v></c></row>", "data: cell A1 of sheet `Orders & more` refers to a text that is not there"},
        {"<row><c t=\"s\"><v>-1</v></c></row>", "data: cell A1 of sheet `Orders & more` refers to a text that is not there"},
        {"<row><c r=\"AB3\"><v>x1</v></c></row>", "data: cell AB1 of sheet `Orders & more` has a number that is none"},
        {"<row><c><v>1e999</v></c></row>", "data: cell A1 of sheet `Orders & more` has a number that is none"},
        {"<row r=\"0\"><c/></row>", "data: sheet `Orders & more` has a row with the number `0`"},
        {"<row><c r=\"ZZZZ1\"/></row>", "data: a cell of sheet `Orders & more` says its place in an unknown way"},
        {"<row><c t=\"str\"><v>\xff</v></c></row>", "data: cell A1 of sheet `Orders & more` is no UTF-8 text"},
        {"<row><c><v>1</v></c>", "data: the sheet is not XML that dgc reads: an element is closed that was not open"},
        {"<row><c t=\"str\"><v>&evil;</v></c></row>", "data: the sheet is not XML that dgc reads: an unknown entity"},
        {"<!DOCTYPE x>", "data: the sheet is not XML that dgc reads: it declares a document type"},
        {"<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
         "data: the sheet is not XML that dgc reads: elements nest too deep"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str text = i == 7 ? S("<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet></x>") : sheet(cases[i].cells);
        assert_text(READ(book_of("bad.xlsx", S(WORKBOOK("")), text, sheet(""), true), .header = 9), cases[i].says);
    }
    Str path = str_format(&a, "%s/cut.xlsx", root), good;
    ok(os_read_file(&a, book_of("good.xlsx", S(WORKBOOK("")), sheet(orders), sheet(""), false).ptr, 1 << 20, &good, &err));
    static const char *const says[] = {"data: `ROOT/cut.xlsx` is no good ZIP archive: there is no directory in it",
                                       "data: `ROOT/cut.xlsx` is no good ZIP archive: a member is not what its checksum says"};
    ok(os_atomic_write(path.ptr, str_sub(good, 0, good.len - 30), 0600, &err));
    assert_text(READ(path, .header = 1), says[0]);
    char *changed = str_cstr(&a, good);
    ptrdiff_t at = str_find(good, S("0.25"));
    changed[at] = '1';
    ok(os_atomic_write(path.ptr, (Str){changed, good.len}, 0600, &err));
    assert_text(READ(path, .header = 1), says[1]);
}

static void bombs_do_not_go_off(void **state)
{
    ptrdiff_t n = 64 << 20;
    char *zeros = push(&a, char, n + 100);
    memset(zeros, ' ', (size_t)n);
    memcpy(zeros, "<a>", 3);
    Str path = book_of("bomb.xlsx", S(WORKBOOK("")), (Str){zeros, n}, sheet(""), true);
    assert_text(READ(path, .header = 1), "data: `ROOT/bomb.xlsx` is no good ZIP archive: a member grows more than any honest one does");
}

static void long_texts_cross_the_buffer(void **state)
{
    StrBuf b = {0};
    buf_add(&b, S("<row><c t=\"inlineStr\"><is><t>"));
    for (int i = 0; i < 40000; i++)
        buf_add(&b, i % 3 ? S("\u20ac&amp;") : S("&#x20AC;x"));
    buf_add(&b, S("</t></is></c><!-- "));
    for (int i = 0; i < 100000; i++)
        buf_char(&b, '-' + (char)(i & 1));
    buf_add(&b, S(" --><c><v><![CDATA[7]]></v></c></row>"));
    Str text = READ(book_of("long.xlsx", S(WORKBOOK("")), sheet(str_cstr(&a, buf_str(&b))), sheet(""), true), .header = 9);
    buf_free(&b);
    assert_true(str_starts(text, S("column0:varchar column1:bigint\n\u20acx\u20ac&\u20ac&\u20acx")));
    assert_true(str_ends(text, S("\u20acx|7")));
    assert_int_equal(text.len, 31 + 40000 * 4 + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_have_the_type_that_is_shown),
        cmocka_unit_test(sheets_and_ranges_are_found),
        cmocka_unit_test(several_books_are_one_table),
        cmocka_unit_test(hostile_books_are_refused),
        cmocka_unit_test(bombs_do_not_go_off),
        cmocka_unit_test(long_texts_cross_the_buffer),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
