/* A backfill's range in chunks: where it is cut, and that each value falls into one part. */
#include "runtime/copy/chunks.h"
#include "tests/test.h"

static Arena arena;

static Str cuts(const char *range, DgValue size, int64_t count)
{
    CopyChunks chunks = {0};
    DgError err = {0};
    StrBuf b = {0};
    DgSourceOptions o = {.range = str_from(range), .chunk_size = size, .chunk_count = count};
    if (chunks_of(&arena, &o, &chunks, &err) != DG_OK)
        return str_copy(&arena, str_from(err.message));
    for (size_t i = 0; i < chunks.count; i++) {
        const CopyChunk *c = &chunks.items[i];
        assert_true(c->open == (i + 1 < chunks.count));
        assert_true(i == 0 || str_eq(c->first, chunks.items[i - 1].last)); /* no gap, no value twice */
        buf_format(&b, "%s%.*s", i ? " | " : "", FMT(c->first));
    }
    if (chunks.count)
        buf_format(&b, " to %.*s", FMT(chunks.items[chunks.count - 1].last));
    Str out = str_copy(&arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static DgValue text(const char *s)
{
    return (DgValue){.kind = DG_V_STR, .as.s = str_from(s)};
}

static DgValue number(int64_t n)
{
    return (DgValue){.kind = DG_V_INT, .as.i = n};
}

static const DgValue none = {.kind = DG_V_NONE};

static void numbers_and_times_are_cut(void **state)
{
    arena_init(&arena, 64 << 20);
    assert_text(cuts("1,9", none, 0), "1 to 9");
    assert_text(cuts(" 1 , 9 ", number(3), 0), "1 | 4 | 7 to 9");
    assert_text(cuts("1,10", number(3), 0), "1 | 4 | 7 | 10 to 10");
    assert_text(cuts("-5,5", text("5"), 0), "-5 | 0 | 5 to 5");
    assert_text(cuts("10,19", none, 3), "10 | 14 | 18 to 19");
    assert_text(cuts("7,7", none, 4), "7 to 7");
    assert_text(cuts("9223372036854775806,9223372036854775807", number(5), 0), "9223372036854775806 to 9223372036854775807");
    assert_text(cuts("-9223372036854775808,9223372036854775807", none, 2), "-9223372036854775808 | -1 to 9223372036854775807");
    assert_text(cuts("0,1152921504606846975", none, 2), "0 | 576460752303423488 to 1152921504606846975");
    assert_text(cuts("2024-01-01,2024-01-15", text("7d"), 0), "2024-01-01 | 2024-01-08 | 2024-01-15 to 2024-01-15");
    assert_text(cuts("2024-01-01,2024-01-10", text("1w"), 0), "2024-01-01 | 2024-01-08 to 2024-01-10");
    assert_text(cuts("2024-02-28,2024-02-29", text("12h"), 0), "2024-02-28 | 2024-02-28 12:00:00 | 2024-02-29 to 2024-02-29");
    assert_text(cuts("2024-01-31,2024-05-01", text("1m"), 0), "2024-01-31 | 2024-02-29 | 2024-03-31 | 2024-04-30 to 2024-05-01");
    assert_text(cuts("2023-02-28,2025-01-01", text("1y"), 0), "2023-02-28 | 2024-02-28 to 2025-01-01");
    assert_text(cuts("2024-01-01T00:00:00Z,2024-01-01T10:30:00Z", text("6h"), 0), "2024-01-01T00:00:00Z | 2024-01-01T06:00:00Z to 2024-01-01T10:30:00Z");
    assert_text(cuts("2024-01-01 00:00:00.5+02:00,2024-01-01 09:00:00+02:00", text("6h"), 0),
                "2024-01-01 00:00:00.5+02:00 | 2024-01-01 06:00:00+02:00 to 2024-01-01 09:00:00+02:00");
    assert_text(cuts("2024-01-01,2024-01-10", none, 2), "2024-01-01 | 2024-01-06 to 2024-01-10");
    assert_text(cuts("1969-12-31,1970-01-02", text("1d"), 0), "1969-12-31 | 1970-01-01 | 1970-01-02 to 1970-01-02");
    arena_free(&arena);
}

static void what_cannot_be_cut_is_told(void **state)
{
    arena_init(&arena, 64 << 20);
    assert_text(cuts("1", number(1), 0), "`source_options.range` is two values with a comma between");
    assert_text(cuts("a,b", number(1), 0), "a range in chunks has whole numbers or times at its ends, not `a`");
    assert_text(cuts("1.5,3", number(1), 0), "a range in chunks has whole numbers or times at its ends, not `1.5`");
    assert_text(cuts("1,2024-01-01", number(1), 0), "the ends `1` and `2024-01-01` of the range are not of one kind");
    assert_text(cuts("2024-01-01 00:00:00Z,2024-01-02 00:00:00", text("6h"), 0), "the ends `2024-01-01 00:00:00Z` and `2024-01-02 00:00:00` of the range are not of one kind");
    assert_text(cuts("9,1", number(1), 0), "the range begins at `9`, after its end `1`");
    assert_text(cuts("1,9", text("7d"), 0), "`chunk_size` is a time, and the range has numbers");
    assert_text(cuts("2024-01-01,2024-02-01", number(7), 0), "`chunk_size` is a number, and the range has times");
    assert_text(cuts("1,9", number(0), 0), "`chunk_size` is no size");
    assert_text(cuts("1,9", text("9223372036854775807y"), 0), "`chunk_size` is no size");
    assert_text(cuts("2024-01-01,2024-01-02", text("-1d"), 0), "`chunk_size` is no size");
    assert_text(cuts("1,1000000", number(10), 0), "the range has more than 10000 chunks");
    assert_text(cuts("1,1000000", none, 20000), "the range has more than 10000 chunks");
    assert_true(chunks_size_known(text("15m")));
    assert_false(chunks_size_known(text("7 days")));
    assert_false(chunks_size_known(text("d")));
    assert_false(chunks_size_known((DgValue){.kind = DG_V_BOOL}));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_times_are_cut),
        cmocka_unit_test(what_cannot_be_cut_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
