/* Files as rows, rows as files. */
#include <math.h>

#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/files/formats.h"
#include "tests/unit/temp_folder.h"

static Str file(const char *name, Str bytes)
{
    Str path = str_format(&a, "%s/%s", root, name), folder = str_copy(&a, path);
    while (folder.ptr[folder.len - 1] != '/')
        folder.len--;
    ok(os_make_folders(str_cstr(&a, folder), &err));
    ok(os_atomic_write(path.ptr, bytes, 0600, &err));
    return path;
}
#define text_file(name, text) file(name, S(text))

/* "a:integer b:varchar" and the rows, values with | between, NULL as ~. */
static Str drain(DgRows *rows)
{
    StrBuf b = {0};
    DgBatch batch;
    for (int32_t i = 0; i < rows->columns_count; i++) {
        const DgColumn *c = &rows->columns[i];
        buf_format(&b, "%s%.*s:%s", i ? " " : "", FMT(c->name), dg_type_name((DgTypeKind)c->type.kind));
        if (c->type.kind == DG_DECIMAL)
            buf_format(&b, "(%d,%d)", c->type.precision, c->type.scale);
    }
    ok(dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, &err));
    DgStatus status = DG_OK;
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

static Str read_paths(StrArray paths, DgReadFormat how)
{
    DgRows *rows;
    DgStatus status = files_read(&paths, &how, 0, &rows, &err);
    if (status == DG_OK)
        return drain(rows);
    return str_replace(&a, str_format(&a, "%s: %s", dg_status_name(status), err.message), str_from(root), S("ROOT"));
}

static Str read_one(Str path, DgReadFormat how)
{
    StrArray paths = {&path, 1, 1};
    return read_paths(paths, how);
}

#define READ(path, ...) read_one(path, with((DgReadFormat){__VA_ARGS__}))
static DgReadFormat with(DgReadFormat how)
{
    how.header = how.header == 0 ? -1 : how.header == 9 ? 0 : how.header;
    how.empty_as_null = !how.empty_as_null;
    return how;
}

static void csv_is_read_as_it_is(void **state)
{
    Str plain = text_file("plain.csv", "id,name,at,ok\n1,ann,2024-01-02,true\n2,,2024-02-03,false\n");
    assert_text(READ(plain, .format = DG_FILE_AUTO), "id:bigint name:varchar at:date ok:boolean\n1|ann|2024-01-02|true\n2|~|2024-02-03|false");
    assert_text(READ(plain, .all_text = true), "id:varchar name:varchar at:varchar ok:varchar\n1|ann|2024-01-02|true\n2|~|2024-02-03|false");
    Str semicolon = text_file("semi.csv", "a;b\n1,5;x\n");
    assert_text(READ(semicolon, .all_text = true), "a:varchar b:varchar\n1,5|x");
    Str quoted = text_file("quoted.csv", "a,b\n\"x\n\"\"y\"\"\",\",\"\n");
    assert_text(READ(quoted, .all_text = true), "a:varchar b:varchar\nx\n\"y\"|,");
    Str odd = text_file("odd.txt", "# note\n\na^b\n'x^1'^\\'2\n");
    assert_text(READ(odd, .skip_lines = 2, .delimiter = S("^"), .quote = S("'"), .header = 1), "a:varchar b:varchar\nx^1|\\'2");
    Str bare = text_file("bare.tsv", "1\tx\n2\ty\n");
    assert_text(READ(bare, .header = 9), "column0:bigint column1:varchar\n1|x\n2|y");
    Str nulls = text_file("nulls.csv", "a,b\n,1\nNA,NA\n\"\",3\n");
    assert_text(READ(nulls, .null_if = S("NA")), "a:varchar b:bigint\n~|1\n~|~\n~|3");
    assert_text(READ(nulls, .null_if = S("NA"), .empty_as_null = true /* turned round */), "a:varchar b:bigint\n|1\n~|~\n|3");
    Str two[] = {nulls, text_file("nulls2.csv", "b,c\n7,\n")};
    DgReadFormat keep = {.header = 1, .null_if = S("NA")};
    assert_text(read_paths((StrArray){two, 2, 2}, keep), "a:varchar b:bigint c:varchar\n|1|~\n~|~|~\n|3|~\n~|7|");
    Str dates = text_file("dates.csv", "d,t\n31/12/2023,5\n01/02/2024,6\n");
    assert_text(READ(dates, .datetime_format = S("DD/MM/YYYY")), "d:date t:bigint\n2023-12-31|5\n2024-02-01|6");
    Str times = text_file("times.csv", "d\n20231231 235958\n");
    assert_text(READ(times, .datetime_format = S("20060102 150405")), "d:timestamp\n2023-12-31 23:59:58");
    Str header = text_file("header.csv", "name,city\nann,rome\nbob,oslo\n");
    assert_text(READ(header, .header = 1), "name:varchar city:varchar\nann|rome\nbob|oslo");
    DgColumn types[] = {{.name = DG_S("ID"), .type = {DG_DECIMAL, 10, 2}}, {.name = DG_S("none"), .type = {.kind = DG_DATE}}};
    assert_text(READ(plain, .columns = types, .columns_count = 2), "id:decimal(10,2) name:varchar at:date ok:boolean\n1.00|ann|2024-01-02|true\n2.00|~|2024-02-03|false");
}

static void csv_that_is_wrong_says_where(void **state)
{
    Str words = text_file("words.csv", "id,v\n1,10\n2,zz\n");
    DgColumn types[] = {{.name = DG_S("v"), .type = {.kind = DG_INT64}}};
    assert_text(READ(words, .columns = types, .columns_count = 1),
                "data: `ROOT/words.csv`, line 3, column `v`: could not convert string \"zz\" to 'BIGINT'");
    Str ragged = text_file("ragged.csv", "a,b\n1,2\n3\n4,5,6\n");
    assert_text(READ(ragged, .header = 1),
                "data: could not read `ROOT/ragged.csv` as CSV: its lines have different numbers of fields, or a quote is not closed");
    assert_text(READ(ragged, .header = 1, .fields_per_record = -1), "a:bigint b:bigint column2:bigint\n1|2|~\n3|~|~\n4|5|6");
    assert_text(READ(words, .fields_per_record = 3), "data: the lines have 2 fields, not 3 (fields_per_rec)");
    Str latin = text_file("latin.csv", "a\n\xe9t\xe9\n");
    Str shown = READ(latin, .header = 1);
    assert_true(str_starts(shown, S("data: `ROOT/latin.csv`, line ")));
    assert_true(str_find(str_from(err.hint), S("latin-1")) > 0);
    assert_text(READ(text_file("none.csv", ""), .hive = false), "data: `ROOT/none.csv` is empty: there are no columns");
    assert_text(READ(text_file("a.bin", "x"), .hive = false), "config: the ending of `ROOT/a.bin` does not say its format");
    assert_text(READ(S("/no/such.csv"), .hive = false), "config: there is no file `/no/such.csv`");
}

static void encodings_are_read(void **state)
{
    assert_text(READ(text_file("l.csv", "a,b\n\xe9t\xe9,1\n"), .encoding = S("latin1")), "a:varchar b:bigint\n\u00e9t\u00e9|1");
    assert_text(READ(text_file("w.csv", "a,b\n\x80,1\n"), .encoding = S("windows-1252")), "a:varchar b:bigint\n\u20ac|1");
    assert_text(READ(text_file("u.csv", "\xff\xfe" "a\0,\0b\0\n\0\xac\x20,\0" "1\0\n\0"), .encoding = S("utf-16")), "a:varchar b:bigint\n\u20ac|1");
    assert_text(READ(text_file("b.csv", "\xef\xbb\xbf" "a,b\nx,1\n"), .hive = false), "a:varchar b:bigint\nx|1");
    assert_text(READ(text_file("w.csv", "a\nx\n"), .encoding = S("klingon")), "config: there is no encoding `klingon`");
    assert_text(READ(text_file("s.csv", "a\n\x81\n"), .encoding = S("shift_jis")), "data: `ROOT/s.csv` has bytes that its encoding does not know");
}

static void json_keeps_what_is_nested(void **state)
{
    Str lines = text_file("n.ndjson", "{\"a\":1,\"o\":{\"x\":1,\"y\":{\"z\":[1,{\"k\":2}]}}}\n{\"a\":2,\"o\":{\"x\":5},\"l\":[1,2],\"t\":\"2024-01-01T00:00:00Z\"}\n");
    assert_text(READ(lines, .hive = false), "a:bigint o:json l:json t:timestamp\n1|{\"x\":1,\"y\":{\"z\":[1,{\"k\":2}]}}|~|~\n2|{\"x\":5}|[1,2]|2024-01-01 00:00:00");
    assert_text(READ(lines, .flatten = true), "a:bigint o__x:bigint o__y__z:json l:json t:timestamp\n1|1|[1,{\"k\":2}]|~|~\n2|5|~|[1,2]|2024-01-01 00:00:00");
    assert_text(READ(lines, .flatten = true, .flatten_depth = 1),
                "a:bigint o__x:bigint o__y:json l:json t:timestamp\n1|1|{\"z\":[1,{\"k\":2}]}|~|~\n2|5|~|[1,2]|2024-01-01 00:00:00");
    DgColumn types[] = {{.name = DG_S("o__x"), .type = {.kind = DG_TEXT}}, {.name = DG_S("a"), .type = {DG_DECIMAL, 5, 1}}};
    assert_text(READ(lines, .flatten = true, .columns = types, .columns_count = 2),
                "a:decimal(5,1) o__x:varchar o__y__z:json l:json t:timestamp\n1.0|1|[1,{\"k\":2}]|~|~\n2.0|5|~|[1,2]|2024-01-01 00:00:00");
    Str array = text_file("a.json", "[{\"x\": 1.10, \"s\": \"b\"},\n {\"s\": null}]");
    assert_text(READ(array, .hive = false), "x:double s:varchar\n1.1|b\n~|~");
    assert_text(READ(array, .all_text = true), "x:varchar s:varchar\n1.1|b\n~|~");
    assert_text(READ(text_file("bad.json", "{\"a\":"), .hive = false), "data: Invalid Input Error: Malformed JSON in file \"ROOT/bad.json\", at byte 6 in record/value 2: unexpected end of data. ");
    Str nul = text_file("nul.json", "{\"a\":\"x\\u0000y\"}");
    assert_text(READ(nul, .hive = false), "data: column `a` has text with a NUL character");
}

static void records_are_found_by_path(void **state)
{
    Str doc = text_file("doc.json", "{\"data\":{\"items\":[{\"id\":1,\"l\":[{\"k\":1},{\"k\":2}]},{\"id\":2,\"l\":[{\"k\":3}]}],\"one\":{\"v\":7}}}");
    assert_text(READ(doc, .jmespath = S("data.items")), "id:bigint l:json\n1|[{\"k\":1},{\"k\":2}]\n2|[{\"k\":3}]");
    assert_text(READ(doc, .jmespath = S("data.items[*]")), "id:bigint l:json\n1|[{\"k\":1},{\"k\":2}]\n2|[{\"k\":3}]");
    assert_text(READ(doc, .jmespath = S("data.items[].l[]")), "k:bigint\n1\n2\n3");
    assert_text(READ(doc, .jmespath = S("data.\"one\"")), "v:bigint\n7");
    assert_text(READ(doc, .jmespath = S("data.none")), "data: there are no records at `data.none`");
    assert_text(READ(doc, .jmespath = S("items[?a=='b']")), "config: jmespath `items[?a=='b']` is more than dgc reads");
    assert_text(READ(doc, .jmespath = S("a[*].b[*]")), "config: jmespath `a[*].b[*]` is more than dgc reads");
}

/* `records` of `bytes` each in one file, read with the least memory: how many there are, or the error. */
static Str read_large(int records, size_t bytes)
{
    StrBuf b = {.max = 1 << 28};
    DgRows *rows;
    DgBatch batch;
    int64_t count = 0;
    char *text = calloc(bytes + 1, 1);
    memset(text, 'x', bytes);
    for (int i = 0; i < records; i++)
        buf_format(&b, "{\"id\": %d, \"text\": \"%s\"}\n", i, text);
    free(text);
    Str path = file("large.ndjson", buf_str(&b));
    buf_free(&b);
    StrArray paths = {&path, 1, 1};
    DgReadFormat how = {.header = -1};
    DgStatus status = files_read(&paths, &how, 1, &rows, &err);
    if (status != DG_OK)
        return str_replace(&a, str_format(&a, "%s: %s", dg_status_name(status), err.message), str_from(root), S("ROOT"));
    ok(dg_batch_init(&batch, rows->columns, rows->columns_count, DG_BATCH_ROWS, &err));
    while (status == DG_OK) {
        status = rows->next(rows, &batch, &err);
        count += batch.rows;
    }
    dg_batch_release(&batch);
    rows_close(rows);
    return str_format(&a, "%lld rows%s", (long long)count, status == DG_END ? "" : err.message);
}

static void json_may_be_larger_than_memory(void **state)
{
    assert_text(read_large(80, 1 << 20), "80 rows"); /* a large file needs no more than a small one */
    assert_text(read_large(2, 20 << 20), "2 rows");
    assert_text(read_large(1, 100 << 20), "data: `ROOT/large.ndjson` has a record of more than 48 MB");
}

static void several_files_are_one_table(void **state)
{
    Str paths[] = {text_file("p/day=2024-01-02/a[1].csv", "id,x\n1,a\n"), text_file("p/day=2024-01-03/b.csv", "x,y,id\nb,2.5,7000000000\n"),
                   text_file("p/day=2024-01-03/empty.csv", "")};
    StrArray all = {paths, 3, 3};
    DgReadFormat how = {.header = 1, .empty_as_null = true, .hive = true};
    assert_text(read_paths(all, how), "id:bigint x:varchar y:double day:date\n1|a|~|2024-01-02\n7000000000|b|2.5|2024-01-03");
    how = (DgReadFormat){.header = 1, .empty_as_null = true, .file_column = S("from")};
    assert_text(read_paths(all, how), "id:bigint x:varchar y:double from:varchar\n1|a|~|ROOT/p/day=2024-01-02/a[1].csv\n7000000000|b|2.5|ROOT/p/day=2024-01-03/b.csv");
    assert_text(READ(paths[0], .format = DG_FILE_RAW, .file_column = (Str){0}), "name:varchar content:blob\nROOT/p/day=2024-01-02/a[1].csv|69642c780a312c610a");
}

/* ---- Writing ---- */

typedef struct Made {
    DgRows rows;
    int64_t at, count;
    bool fail;
} Made;

static const DgColumn made_columns[] = {
    {.name = DG_S("id"), .type = {.kind = DG_INT64}},          {.name = DG_S("text"), .type = {.kind = DG_TEXT}},
    {.name = DG_S("price"), .type = {DG_DECIMAL, 38, 9}},      {.name = DG_S("x"), .type = {.kind = DG_FLOAT64}},
    {.name = DG_S("at"), .type = {.kind = DG_TIMESTAMP}},      {.name = DG_S("atz"), .type = {.kind = DG_TIMESTAMPTZ}},
    {.name = DG_S("day"), .type = {.kind = DG_DATE}},          {.name = DG_S("iv"), .type = {.kind = DG_INTERVAL}},
    {.name = DG_S("u"), .type = {.kind = DG_UUID}},            {.name = DG_S("j"), .type = {.kind = DG_JSON}},
    {.name = DG_S("ok"), .type = {.kind = DG_BOOL}},           {.name = DG_S("b"), .type = {.kind = DG_BINARY}},
    {.name = DG_S("big"), .type = {.kind = DG_UINT64}},        {.name = DG_S("t"), .type = {.kind = DG_TIME}},
};
enum { MADE_COLUMNS = sizeof made_columns / sizeof *made_columns };

static void make_row(DgBatch *b, int32_t row, int64_t n)
{
    static const double floats[] = {0.1, -0.0, 9007199254740993.0, 1e300, (double)NAN, (double)INFINITY, -(double)INFINITY};
    static const int64_t times[] = {0, 1700000000123456, -1, INT64_MAX, -INT64_MAX};
    static const int32_t days[] = {0, 20000, INT32_MAX, -INT32_MAX, -1};
    char text[64];
    bool null = n % 11 == 10;
    int length = snprintf(text, sizeof text, n % 5 == 3 ? "a,\"b\"\nline %lld" : "row number %lld", (long long)n);
    length = n % 5 == 4 ? 0 : length;
    ((int64_t *)b->vectors[0].values)[row] = n % 3 ? n : INT64_MAX - n;
    dg_text_set(&b->vectors[1], row, text, null ? 0 : (size_t)length);
    int64_t *price = (int64_t *)b->vectors[2].values + 2 * row; /* (n << 90) - 12345 */
    price[0] = -12345;
    price[1] = (n << 26) - 1;
    ((double *)b->vectors[3].values)[row] = floats[n % 7];
    ((int64_t *)b->vectors[4].values)[row] = times[n % 5];
    ((int64_t *)b->vectors[5].values)[row] = times[(n + 1) % 3];
    ((int32_t *)b->vectors[6].values)[row] = days[n % 5];
    int32_t *months = (int32_t *)b->vectors[7].values + 4 * row;
    months[0] = 14, months[1] = 3, months[2] = 1234567, months[3] = 0;
    memset((char *)b->vectors[8].values + 16 * row, (int)(n % 256), 16);
    dg_text_set(&b->vectors[9], row, "{\"k\":[1,2]}", null ? 0 : 11);
    ((char *)b->vectors[10].values)[row] = (char)(n % 2);
    dg_text_set(&b->vectors[11], row, "\0\xff'", null ? 0 : 3);
    ((uint64_t *)b->vectors[12].values)[row] = UINT64_MAX - (uint64_t)n;
    ((int64_t *)b->vectors[13].values)[row] = 86399999999 - n;
    for (int32_t i = 1; null && i < MADE_COLUMNS; i++)
        dg_set_null(&b->vectors[i], row);
}

static DgStatus made_next(DgRows *rows, DgBatch *out, DgError *e)
{
    Made *m = (Made *)rows;
    dg_batch_reset(out);
    for (; out->rows < 1000 && m->at < m->count; out->rows++)
        make_row(out, out->rows, m->at++);
    if (m->fail && m->at == m->count)
        return dg_fail(e, DG_UNAVAILABLE, "the line is dead");
    return m->at == m->count ? DG_END : DG_OK;
}

static void made_close(DgRows *rows)
{
}

static Str made_text(int64_t count)
{
    Made m = {{made_columns, MADE_COLUMNS, made_next, made_close, false}, 0, count, false};
    return drain(&m.rows);
}

static DgStatus try_write(int64_t count, bool failing, DgWriteFormat how, const char *folder, Str name, StrArray *files, int64_t *rows)
{
    Made m = {{made_columns, MADE_COLUMNS, made_next, made_close, false}, 0, count, failing};
    Str path = str_format(&a, "%s/%s", root, folder);
    ok(os_make_folders(path.ptr, &err));
    return files_write(&m.rows, &how, path, name, 0, &a, files, rows, &err);
}

static StrArray write_some(int64_t count, DgWriteFormat how, const char *folder, Str name)
{
    StrArray files;
    int64_t rows = 0;
    ok(try_write(count, false, how, folder, name, &files, &rows));
    assert_int_equal(rows, count);
    for (size_t i = 0; i < files.count; i++)
        files.items[i] = str_format(&a, "%s/%s/%.*s", root, folder, FMT(files.items[i]));
    return files;
}

static Str sorted_names(StrArray files)
{
    StrBuf b = {0};
    for (size_t i = 0; i < files.count; i++)
        buf_format(&b, "%s%.*s", i ? " " : "", FMT(str_sub(files.items[i], (ptrdiff_t)strlen(root) + 1, files.items[i].len)));
    Str out = str_copy(&a, buf_str(&b));
    buf_free(&b);
    return out;
}

static void every_value_comes_back(void **state)
{
    static const struct { DgWriteFormat how; const char *folder, *files; } cases[] = {
        {{.format = DG_FILE_PARQUET, .header = 1}, "w1", "w1/out.parquet"},
        {{.format = DG_FILE_PARQUET, .header = 1, .compression = DG_S("zstd")}, "w2", "w2/out.parquet"},
        {{.format = DG_FILE_CSV, .header = 1, .null_text = DG_S("(none)")}, "w3", "w3/out.csv"},
        {{.format = DG_FILE_TSV, .header = 1, .compression = DG_S("gzip"), .null_text = DG_S("(none)")}, "w4", "w4/out.tsv.gz"},
        {{.format = DG_FILE_JSON, .header = 1, .compression = DG_S("zstd")}, "w5", "w5/out.json.zst"},
        {{.format = DG_FILE_NDJSON, .header = 1}, "w6", "w6/out.ndjson"},
    };
    Str expected = made_text(5000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        StrArray files = write_some(5000, cases[i].how, cases[i].folder, S("out"));
        assert_text(sorted_names(files), cases[i].files);
        DgReadFormat how = {.header = 1, .null_if = S("(none)"), .columns = made_columns, .columns_count = MADE_COLUMNS};
        Str found = read_paths(files, how);
        if (str_eq(found, expected))
            continue;
        ptrdiff_t k = 0;
        while (k < found.len && k < expected.len && found.ptr[k] == expected.ptr[k])
            k++;
        k = k > 100 ? k - 100 : 0;
        fail_msg("%s: expected ...%.300s...\n got ...%.300s", cases[i].files, expected.ptr + k, found.ptr + k);
    }
}

static void files_end_where_they_should(void **state)
{
    StrArray files = write_some(5000, (DgWriteFormat){.format = DG_FILE_CSV, .header = 1, .file_max_rows = 2500}, "r1", S("part"));
    assert_text(sorted_names(files), "r1/part-0001.csv r1/part-0002.csv");
    assert_text(sorted_names(write_some(0, (DgWriteFormat){.format = DG_FILE_PARQUET, .header = 1, .file_max_rows = 10}, "r2", S("x-"))), "r2/x-0001.parquet");
    files = write_some(5000, (DgWriteFormat){.format = DG_FILE_PARQUET, .header = 1, .file_max_rows = 1999}, "r3", S("x"));
    assert_int_equal(files.count, 3);
    DgReadFormat how = {.header = 1, .columns = made_columns, .columns_count = MADE_COLUMNS};
    assert_text(read_paths(files, how), made_text(5000).ptr);
    files = write_some(60000, (DgWriteFormat){.format = DG_FILE_NDJSON, .header = 1, .file_max_bytes = 1 << 20}, "r4", S("x"));
    assert_true(files.count > 5);
    for (size_t i = 0; i < files.count; i++) {
        struct stat info;
        assert_int_equal(dg_os.stat(files.items[i].ptr, &info), 0);
        assert_true(info.st_size < 3 << 20);
    }
    assert_text(sorted_names(write_some(3, (DgWriteFormat){.format = DG_FILE_CSV, .header = 1}, "r5", S("kept.csv"))), "r5/kept.csv");
    Str columns[] = {S("ok"), S("id")};
    DgWriteFormat hive = {.format = DG_FILE_PARQUET, .header = 1, .partition_by = {columns, 1, 1}};
    files = write_some(100, hive, "r6", S("p"));
    assert_text(sorted_names(files), "r6/ok=NULL/p-0001-0.parquet r6/ok=false/p-0001-0.parquet r6/ok=true/p-0001-0.parquet");
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const Str *)x, *(const Str *)y);
}

static Str sorted_lines(Str text)
{
    StrArray lines = {0};
    Str line, rest = text;
    StrBuf b = {0};
    while (str_cut(text, '\n', &line, &rest)) {
        array_add(&a, &lines, line);
        text = rest;
    }
    array_add(&a, &lines, text);
    qsort(lines.items, lines.count, sizeof *lines.items, by_text);
    for (size_t i = 0; i < lines.count; i++)
        buf_format(&b, "%.*s\n", FMT(lines.items[i]));
    Str out = str_copy(&a, buf_str(&b));
    buf_free(&b);
    return out;
}

/* Rows of parallel parts are written by several threads: each once, files as large as asked. */
static void rows_in_any_order_come_once(void **state)
{
    enum { COUNT = 20000 };
    static const DgWriteFormat how[] = {{.format = DG_FILE_PARQUET, .header = 1}, {.format = DG_FILE_CSV, .header = 1, .null_text = DG_S("(none)")},
                                        {.format = DG_FILE_NDJSON, .header = 1}, {.format = DG_FILE_PARQUET, .header = 1, .file_max_rows = 1999}};
    Str expected = sorted_lines(made_text(COUNT));
    for (int i = 0; i < 4; i++) {
        Made m = {{made_columns, MADE_COLUMNS, made_next, made_close, true}, 0, COUNT, false};
        StrArray files;
        int64_t rows = 0;
        Str folder = str_format(&a, "%s/o%d", root, i);
        ok(os_make_folders(folder.ptr, &err));
        ok(files_write(&m.rows, &how[i], folder, S("x"), 1 << 28, &a, &files, &rows, &err));
        assert_int_equal(rows, COUNT);
        assert_int_equal(files.count, i < 3 ? 1 : (COUNT + 1998) / 1999);
        for (size_t k = 0; k < files.count; k++)
            files.items[k] = str_format(&a, "%.*s/%.*s", FMT(folder), FMT(files.items[k]));
        DgReadFormat back = {.header = 1, .null_if = S("(none)"), .columns = made_columns, .columns_count = MADE_COLUMNS};
        Str found = sorted_lines(read_paths(files, back));
        if (!str_eq(found, expected))
            fail_msg("case %d: %td bytes instead of %td", i, found.len, expected.len);
    }
    Made broken = {{made_columns, MADE_COLUMNS, made_next, made_close, true}, 0, COUNT, true};
    StrArray files;
    int64_t rows = 0;
    assert_int_equal(files_write(&broken.rows, &how[0], str_from(root), S("broken"), 1 << 28, &a, &files, &rows, &err), DG_UNAVAILABLE);
    assert_text(str_from(err.message), "the line is dead");
}

static void what_cannot_be_written_says_so(void **state)
{
    StrArray files;
    int64_t rows;
    Str columns[] = {S("nope")};
    assert_int_equal(try_write(1, false, (DgWriteFormat){.format = DG_FILE_XLSX}, "e1", S("x"), &files, &rows), DG_CONFIG);
    assert_int_equal(try_write(1, false, (DgWriteFormat){.format = DG_FILE_CSV, .compression = S("snappy")}, "e1", S("x"), &files, &rows), DG_CONFIG);
    assert_int_equal(try_write(1, false, (DgWriteFormat){.format = DG_FILE_CSV, .partition_by = {columns, 1, 1}}, "e1", S("x"), &files, &rows), DG_CONFIG);
    assert_int_equal(try_write(3000, true, (DgWriteFormat){.format = DG_FILE_CSV}, "e1", S("x"), &files, &rows), DG_UNAVAILABLE);
    assert_text(str_from(err.message), "the line is dead");
}

static void text_is_written_as_asked(void **state)
{
    StrArray files = write_some(1, (DgWriteFormat){.format = DG_FILE_CSV, .header = 0, .delimiter = S("|"), .datetime_format = S("DD.MM.YYYY HH:mm"), .null_text = S("NULL")}, "t1", S("x"));
    Str text;
    ok(os_read_file(&a, files.items[0].ptr, 10000, &text, &err));
    assert_true(str_find(text, S("|01.01.1970 00:00|")) > 0);
    assert_true(str_starts(text, S("9223372036854775807|row number 0|-0.000012345|0.1|")));
}

static void formats_have_names(void **state)
{
    assert_int_equal(file_format_of(S("a/b.csv.gz")), DG_FILE_CSV);
    assert_int_equal(file_format_of(S("a.b/c")), DG_FILE_AUTO);
    assert_int_equal(file_format_of(S("x.JSONL.zst")), DG_FILE_NDJSON);
    assert_int_equal(file_format_of(S("p/x.parquet?v=1.2")), DG_FILE_PARQUET);
    assert_int_equal(file_format_of(S("x.xlsx")), DG_FILE_XLSX);
    assert_int_equal(file_format_find(S("jsonlines")), DG_FILE_NDJSON);
    assert_int_equal(file_format_find(S("avro")), DG_FILE_AUTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_is_read_as_it_is),
        cmocka_unit_test(csv_that_is_wrong_says_where),
        cmocka_unit_test(encodings_are_read),
        cmocka_unit_test(json_keeps_what_is_nested),
        cmocka_unit_test(records_are_found_by_path),
        cmocka_unit_test(json_may_be_larger_than_memory),
        cmocka_unit_test(several_files_are_one_table),
        cmocka_unit_test(every_value_comes_back),
        cmocka_unit_test(files_end_where_they_should),
        cmocka_unit_test(rows_in_any_order_come_once),
        cmocka_unit_test(what_cannot_be_written_says_so),
        cmocka_unit_test(text_is_written_as_asked),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
