/* Data files into batches: what a record must look like, and what happens when it does not. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "runtime/base/base.h"
#include "runtime/data/batch.h"
#include "runtime/data/decode_api.h"
#include "runtime/data/reader.h"

static const DgColumn columns[] = {
    {.name = DG_S("id"), .type = {.kind = DG_INT64}},
    {.name = DG_S("name"), .type = {.kind = DG_TEXT}},
    {.name = DG_S("amount"), .type = {.kind = DG_FLOAT64}},
    {.name = DG_S("day"), .type = {.kind = DG_DATE}},
};
enum { COLUMNS = 4 };

static void show_cell(StrBuf *out, const DgBatch *b, int32_t column, int32_t row)
{
    const DgVector *v = &b->vectors[column];
    if (!DG_VALID(v, row)) {
        buf_add(out, S("null"));
        return;
    }
    switch ((DgTypeKind)columns[column].type.kind) {
    case DG_INT64: buf_format(out, "%lld", (long long)((int64_t *)v->values)[row]); break;
    case DG_FLOAT64: buf_format(out, "%.17g", ((double *)v->values)[row]); break;
    case DG_DATE: buf_format(out, "%d", ((int32_t *)v->values)[row]); break;
    default: buf_format(out, "<%.*s>", FMT(dg_text_get(v, row)));
    }
}

/* Decodes a text; the rows as text, or the error. */
static const char *decoded(DgFormat format, const char *text, size_t len)
{
    static char shown[4096];
    StrBuf out = {0};
    DgBatch b;
    DgError err = {0};
    assert_int_equal(dg_batch_init(&b, columns, COLUMNS, DG_BATCH_ROWS, &err), DG_OK);
    char *copy = malloc(len + DG_BLOCK_PADDING); /* its own memory, so that ASan sees the end */
    memset(copy, 0, len + DG_BLOCK_PADDING);
    memcpy(copy, text, len);
    DgBlock block = {.at = copy, .end = copy + len, .begin = copy, .first_line = 1, .file = S("f")};
    DgStatus status = dg_decode_generic(&block, &b, format, ',', '"', '"', &err);
    for (int32_t row = 0; row < b.rows; row++)
        for (int32_t c = 0; c < COLUMNS; c++) {
            show_cell(&out, &b, c, row);
            buf_char(&out, c + 1 < COLUMNS ? ' ' : '\n');
        }
    if (status != DG_OK)
        buf_format(&out, "%s\n", err.message);
    snprintf(shown, sizeof shown, "%.*s", FMT(buf_str(&out)));
    buf_free(&out);
    free(copy);
    dg_batch_release(&b);
    return shown;
}

static void csv_is(const char *text, const char *expected)
{
    assert_string_equal(decoded(DG_CSV, text, strlen(text)), expected);
}

static void json_is(const char *text, const char *expected)
{
    assert_string_equal(decoded(DG_NDJSON, text, strlen(text)), expected);
}

static void csv_fields_become_values(void **state)
{
    (void)state;
    csv_is("1,Ada,2.5,2024-02-29\n", "1 <Ada> 2.5 19782\n");
    csv_is("1,Ada,2.5,2024-02-29", "1 <Ada> 2.5 19782\n");
    csv_is("1,Ada,2.5,2024-02-29\r\n2,B,1e3,1969-12-31\r\n", "1 <Ada> 2.5 19782\n2 <B> 1000 -1\n");
    csv_is("-7,\"a,\"\"b\"\"\nc\",.5,1970-01-01\n", "-7 <a,\"b\"\nc> 0.5 0\n");
    csv_is(",,,\n", "null null null null\n");
    csv_is("1,\"\",,\n", "1 <> null null\n");
    csv_is("9007199254740993,x,0.1,\n", "9007199254740993 <x> 0.10000000000000001 null\n");
    csv_is("9223372036854775807,x,1.7976931348623157e308,\n", "9223372036854775807 <x> 1.7976931348623157e+308 null\n");
}

static void csv_records_that_do_not_fit_are_named(void **state)
{
    (void)state;
    csv_is("1,a,1,2024-01-01\nx,b,2,\n", "1 <a> 1 19723\nf:2: column `id`: `x` is not an integer of its type\n");
    csv_is("9223372036854775808,a,1,\n", "f:1: column `id`: `9223372036854775808` is not an integer of its type\n");
    csv_is("1,a,1,2023-02-29\n", "f:1: column `day`: `2023-02-29` is not a date (YYYY-MM-DD)\n");
    csv_is("1,a,1\n", "f:1: the record has fewer fields than the header has columns\n");
    csv_is("1,a,1,2024-01-01,5\n", "f:1: the record has more fields than the header has columns\n");
    csv_is("1,\"a,1,2024-01-01\n", "f:1: a quoted field does not end\n");
    csv_is("1,\"a\"b,1,\n", "f:1: text follows a closing quote\n");
    csv_is("1,a,1.2.3,\n", "f:1: column `amount`: `1.2.3` is not a number\n");
}

static void json_records_become_values(void **state)
{
    (void)state;
    json_is("{\"id\": 1, \"name\": \"Ada\", \"amount\": 2.5, \"day\": \"2024-02-29\"}\n", "1 <Ada> 2.5 19782\n");
    json_is("{\"day\":null,\"name\":\"a\\n\\u00e9\\ud83d\\ude00\",\"x\":{\"y\":[1,\"}\"]},\"id\":9007199254740993}\n",
            "9007199254740993 <a\n\xC3\xA9\xF0\x9F\x98\x80> null null\n");
    json_is("{}\n{\"name\":{\"a\":1}}\n{\"id\":1,\"id\":2,\"name\":\"x\",\"name\":\"y\"}\n",
            "null null null null\nnull <{\"a\":1}> null null\n2 <y> null null\n");
    json_is("{\"name\":\"\\ud800\"}\n", "null <\xEF\xBF\xBD> null null\n");
}

static void json_records_that_do_not_fit_are_named(void **state)
{
    (void)state;
    json_is("[1]\n", "f:1: a record must be an object\n");
    json_is("{\"id\":1}\n{\"id\":\n", "1 null null null\nf:2: the record is not well-formed JSON\n");
    json_is("{\"id\":1.5}\n", "f:1: column `id`: `1.5` is not an integer of its type\n");
    json_is("{\"name\":\"\\q\"}\n", "f:1: column `name`: `\"\\q\"` holds an escape that JSON does not have\n");
    json_is("{\"id\":1\n", "f:1: the record does not end\n");
}

static void a_file_cut_anywhere_is_no_crash(void **state)
{
    static const char csv[] = "1,\"a,\"\"b\"\"\nc\",1.5,2024-01-01\n2,x,,\n";
    static const char json[] = "{\"id\":1,\"name\":\"a\\u00e9\\\"\",\"z\":[{\"q\":[]}],\"day\":\"2024-01-01\"}\n";
    (void)state;
    for (size_t n = 0; n < sizeof csv; n++)
        assert_non_null(decoded(DG_CSV, csv, n));
    for (size_t n = 0; n < sizeof json; n++)
        assert_non_null(decoded(DG_NDJSON, json, n));
}

static void write_file(const char *path, const char *text, bool packed)
{
    if (packed) {
        gzFile f = gzopen(path, "wb");
        assert_true(gzwrite(f, text, (unsigned)strlen(text)) > 0);
        gzclose(f);
        return;
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* All records of a file, through blocks of a few bytes. */
static int64_t rows_of(const char *text, bool packed, size_t block_bytes, int32_t *header_count)
{
    char path[] = "/tmp/dgc-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, text, packed);
    DgReader *r;
    DgError err = {0};
    DgBatch b;
    DgBlockBuffer buffer = {0};
    int64_t rows = 0;
    DgReaderOptions o = {.format = DG_CSV, .delimiter = ',', .quote = '"', .escape = '"', .header = true, .block_bytes = block_bytes};
    assert_int_equal(dg_reader_open(path, S("f"), &o, &r, &err), DG_OK);
    dg_reader_header(r, header_count);
    assert_int_equal(dg_batch_init(&b, columns, COLUMNS, DG_BATCH_ROWS, &err), DG_OK);
    DgStatus status;
    while ((status = dg_reader_next(r, &buffer, &err)) == DG_OK) {
        while (buffer.block.at < buffer.block.end) {
            dg_batch_reset(&b);
            if (dg_decode_generic(&buffer.block, &b, DG_CSV, ',', '"', '"', &err) != DG_OK)
                fail_msg("%s", err.message);
            rows += b.rows;
        }
    }
    assert_int_equal(status, DG_END);
    dg_block_release(&buffer);
    dg_reader_close(r);
    dg_batch_release(&b);
    unlink(path);
    return rows;
}

static void blocks_end_at_records(void **state)
{
    static const char text[] = "\xEF\xBB\xBFid,name,amount,day\n1,\"two\nlines\",1,2024-01-01\n2,x,,\n3,\"\"\"\",4,\n";
    int32_t names;
    (void)state;
    for (size_t block = 1; block < 80; block += 3) {
        assert_int_equal(rows_of(text, false, block, &names), 3);
        assert_int_equal(names, 4);
        assert_int_equal(rows_of(text, true, block, &names), 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_fields_become_values),
        cmocka_unit_test(csv_records_that_do_not_fit_are_named),
        cmocka_unit_test(json_records_become_values),
        cmocka_unit_test(json_records_that_do_not_fit_are_named),
        cmocka_unit_test(a_file_cut_anywhere_is_no_crash),
        cmocka_unit_test(blocks_end_at_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
