/* Numbers of JSON that a double cannot hold: which paths have them, and what is put in quotes. */
#include "runtime/files/json_numbers.h"
#include "tests/test.h"

static void quotes(const char *records, const char *expected)
{
    Arena a;
    StrBuf out = {0};
    Str line, rest = str_from(records);
    arena_init(&a, 0);
    JsonNumbers *n = json_numbers_new(&a);
    while (rest.len) {
        str_cut(rest, '|', &line, &rest);
        assert_true(json_numbers_look(n, line));
    }
    json_numbers_settle(n);
    rest = str_from(records);
    while (rest.len) {
        str_cut(rest, '|', &line, &rest);
        assert_true(json_numbers_quote(n, line, &out));
        if (rest.len)
            buf_char(&out, '|');
    }
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.ptr, expected, out.len);
    buf_free(&out);
    json_numbers_done(n);
    arena_free(&a);
}

static void what_is_lost_is_quoted(void **state)
{
    (void)state;
    quotes("{\"a\": 1, \"b\": 1.5}", "{\"a\": 1, \"b\": 1.5}");
    quotes("{\"a\": 0.1234567890123456789}", "{\"a\": \"0.1234567890123456789\"}");
    /* An integer of 64 bits is exact, unless another row makes its column a double. */
    quotes("{\"a\": 9007199254740993}", "{\"a\": 9007199254740993}");
    quotes("{\"a\": 9007199254740993}|{\"a\": 0.5}|{\"b\": 0.5}", "{\"a\": \"9007199254740993\"}|{\"a\": \"0.5\"}|{\"b\": 0.5}");
    quotes("{\"a\": 18446744073709551615}|{\"a\": -1}", "{\"a\": \"18446744073709551615\"}|{\"a\": \"-1\"}");
    /* Zeros at the end are no digits that a double loses. */
    quotes("{\"a\": 1.50000000000000000000}", "{\"a\": 1.50000000000000000000}");
    quotes("{\"a\": 1e400}", "{\"a\": \"1e400\"}");
    quotes("{\"a\": 1e-400}", "{\"a\": \"1e-400\"}");
    quotes("{\"a\": 1e30}", "{\"a\": 1e30}");
}

static void paths_are_told_apart(void **state)
{
    (void)state;
    quotes("{\"a\": {\"x\": 0.12345678901234567, \"y\": 0.5}, \"x\": 0.5}", "{\"a\": {\"x\": \"0.12345678901234567\", \"y\": 0.5}, \"x\": 0.5}");
    quotes("{\"l\": [1, 0.12345678901234567, {\"x\": 2}], \"m\": [1.5]}", "{\"l\": [\"1\", \"0.12345678901234567\", {\"x\": 2}], \"m\": [1.5]}");
    quotes("[[0.12345678901234567], 1.5]", "[[\"0.12345678901234567\"], 1.5]");
}

static void texts_are_no_numbers(void **state)
{
    (void)state;
    quotes("{\"a\": \"0.12345678901234567\", \"b\\\"\": \"x\\\\\", \"c\": 0.12345678901234567}",
           "{\"a\": \"0.12345678901234567\", \"b\\\"\": \"x\\\\\", \"c\": \"0.12345678901234567\"}");
    quotes("{\"c\": 0.12345678901234567,\n \"d\": null,\r\n\"e\": true}", "{\"c\": \"0.12345678901234567\",  \"d\": null,  \"e\": true}");
}

/* Whatever stands in a file: no access outside, no end without one. */
static void anything_goes(void **state)
{
    static const char text[] = "{\"a\":[1,{\"b\":-0.12345678901234567e+9,\"c\\\"\":\"\\u12\"}],\"d\":tru,[}]]]\"x";
    (void)state;
    for (size_t n = 0; n <= sizeof text - 1; n++)
        for (size_t from = 0; from < n; from++) {
            Arena a;
            StrBuf out = {0};
            arena_init(&a, 0);
            JsonNumbers *numbers = json_numbers_new(&a);
            char *copy = test_malloc(n - from + 1);
            memcpy(copy, text + from, n - from);
            Str part = {copy, (ptrdiff_t)(n - from)};
            json_numbers_look(numbers, part);
            json_numbers_settle(numbers);
            json_numbers_quote(numbers, part, &out);
            test_free(copy);
            buf_free(&out);
            json_numbers_done(numbers);
            arena_free(&a);
        }
}

static void depth_is_bounded(void **state)
{
    Arena a;
    char text[4000];
    (void)state;
    memset(text, '[', sizeof text);
    arena_init(&a, 0);
    JsonNumbers *n = json_numbers_new(&a);
    assert_false(json_numbers_look(n, (Str){text, sizeof text}));
    json_numbers_done(n);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_lost_is_quoted), cmocka_unit_test(paths_are_told_apart), cmocka_unit_test(texts_are_no_numbers),
        cmocka_unit_test(anything_goes), cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests_name("json numbers", tests, NULL, NULL);
}
