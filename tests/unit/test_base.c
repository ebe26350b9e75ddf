/* Text, arenas, maps, buffers, errors. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static void text_is_compared_and_cut(void **state)
{
    assert_true(str_eq(S("abc"), str_from("abc")));
    assert_true(str_eq(str_from(NULL), S("")));
    assert_true(str_eq_nocase(S("aBc"), S("AbC")));
    assert_true(str_cmp(S("ab"), S("abc")) < 0 && str_cmp(S("b"), S("abc")) > 0);
    assert_int_equal(str_find(S("hello"), S("lo")), 3);
    assert_int_equal(str_find(S("hello"), S("lox")), -1);
    assert_int_equal(str_find(S("aab"), S("ab")), 1);
    assert_int_equal(str_find(S(""), S("")), 0);
    assert_text(str_sub(S("hello"), 1, 99), "ello");
    assert_text(str_sub(S("hello"), 9, 99), "");
    assert_text(str_trim(S(" \t a b\r\n")), "a b");
    Str before, after;
    assert_true(str_cut(S("a=b=c"), '=', &before, &after));
    assert_text(before, "a");
    assert_text(after, "b=c");
    assert_false(str_cut(S("abc"), '=', &before, &after));
    assert_text(before, "abc");
    assert_int_equal(after.len, 0);
}

static void numbers_are_whole_texts(void **state)
{
    int64_t i;
    double f;
    assert_true(str_to_int(S("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(str_to_int(S("+9223372036854775807"), &i) && i == INT64_MAX);
    assert_false(str_to_int(S("9223372036854775808"), &i));
    assert_false(str_to_int(S("18446744073709551617"), &i));
    assert_false(str_to_int(S(""), &i) || str_to_int(S("-"), &i) || str_to_int(S("1x"), &i));
    assert_true(str_to_double(S("-1.5e3"), &f) && f == -1500);
    assert_true(str_to_double(S(".5"), &f) && f == 0.5);
    assert_false(str_to_double(S(" 1"), &f) || str_to_double(S("nan"), &f));
    assert_false(str_to_double(S("0x10"), &f) || str_to_double(S("1e"), &f));
    assert_false(str_to_double(S("1e999"), &f) || str_to_double(S("."), &f));
}

static void distance_counts_swaps_as_one(void **state)
{
    assert_int_equal(str_distance(S("scedule"), S("schedule"), 3), 1);
    assert_int_equal(str_distance(S("tpye"), S("type"), 3), 1);
    assert_int_equal(str_distance(S("kitten"), S("sitting"), 3), 3);
    assert_int_equal(str_distance(S("abc"), S("xyz"), 2), 3);
    assert_int_equal(str_distance(S(""), S("ab"), 3), 2);
}

static void utf8_is_checked_strictly(void **state)
{
    static const char *const GOOD[] = {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const BAD[] = {"a\x80", "a\xc0\x80", "a\xe0\x80\x80", "a\xed\xa0\x80",
                                      "a\xf4\x90\x80\x80", "a\xff", "a\xe2\x82", "a\xf0\x9f\x98"};
    ptrdiff_t at;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        assert_true(str_utf8_valid(str_from(GOOD[i]), &at));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_false(str_utf8_valid(str_from(BAD[i]), &at));
        assert_int_equal(at, 1);
    }
}

static void an_arena_is_zero_and_keeps_its_pointers(void **state)
{
    Arena a;
    arena_init(&a, 0);
    char *first = push(&a, char, 10);
    memset(first, 'x', 10);
    size_t mark = arena_mark(&a);
    char *large = push(&a, char, 10 << 20);
    memset(large, 'y', 10 << 20);
    arena_pop(&a, mark);
    char *again = push(&a, char, 10 << 20);
    assert_ptr_equal(large, again);
    for (size_t i = 0; i < 10 << 20; i++)
        assert_int_equal(again[i], 0);
    assert_int_equal(first[9], 'x');
    assert_int_equal((uintptr_t)push(&a, double, 1) % _Alignof(double), 0);
    arena_reset(&a);
    assert_int_equal(*push(&a, char, 1), 0);
    arena_free(&a);
}

static void an_arena_that_may_fail_says_so(void **state)
{
    Arena a;
    arena_init(&a, 1 << 20);
    a.can_fail = true;
    Array(int) numbers = {0};
    for (int i = 0; i < 1000000; i++)
        array_add(&a, &numbers, i);
    assert_true(a.failed);
    assert_true(numbers.count > 1000 && numbers.count < 1000000);
    assert_int_equal(numbers.items[numbers.count - 1], (int)numbers.count - 1);
    assert_null(arena_push(&a, SIZE_MAX / 2, 1, 3));
    Map m = {0};
    Str keys[2] = {DG_S("a"), DG_S("b")};
    push(&a, char, (size_t)(a.end - a.at) / 2);
    while (push(&a, char, 1))
        ;
    map_put(&a, &m, keys[0], keys);
    assert_false(map_has(&m, keys[0]));
    assert_int_equal(str_copy(&a, S("text")).len, 0);
    arena_free(&a);
}

static void text_is_built_in_arenas(void **state)
{
    Arena a;
    arena_init(&a, 1 << 20);
    assert_text(str_format(&a, "%d-%s", 5, "x"), "5-x");
    assert_text(str_concat(&a, S("ab"), S("cd")), "abcd");
    assert_text(str_replace(&a, S("a.b.c"), S("."), S("::")), "a::b::c");
    assert_text(str_replace(&a, S("aaa"), S("a"), S("")), "");
    assert_text(str_lower(&a, S("\xc3\x84" "BC")), "\xc3\x84" "bc");
    assert_string_equal(str_cstr(&a, str_sub(S("hello"), 0, 4)), "hell");
    arena_free(&a);
}

static void a_map_keeps_order_and_replaces(void **state)
{
    Arena a;
    arena_init(&a, 0);
    Map m = {0};
    static int values[1000];
    for (int i = 0; i < 1000; i++)
        map_put(&a, &m, str_format(&a, "key%d", i), &values[i]);
    map_put(&a, &m, S("key5"), &values[7]);
    map_put(&a, &m, S("nothing"), NULL);
    assert_int_equal(m.entries.count, 1001);
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(map_get(&m, str_format(&a, "key%d", i)), &values[i == 5 ? 7 : i]);
    assert_true(map_has(&m, S("nothing")) && !map_get(&m, S("nothing")));
    assert_false(map_has(&m, S("other")));
    assert_text(m.entries.items[999].key, "key999");
    arena_free(&a);
}

static void a_buffer_has_a_bound(void **state)
{
    StrBuf b = {.max = 5};
    buf_add(&b, S("abc"));
    buf_format(&b, "%d", 12);
    assert_text(buf_str(&b), "abc12");
    assert_false(b.failed);
    buf_char(&b, 'x');
    assert_true(b.failed);
    assert_text(buf_str(&b), "abc12");
    buf_free(&b);
    assert_int_equal(b.max, 5);
    assert_text(buf_str(&b), "");
}

static void json_strings_are_escaped(void **state)
{
    StrBuf b = {0};
    buf_json(&b, S("a\"\\\n\t\x01\x7f\xc3\xa9\xff\xe2\x82z"));
    assert_text(buf_str(&b), "\"a\\\"\\\\\\n\\t\\u0001\\u007f\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd"
                             "\xef\xbf\xbdz\"");
    buf_free(&b);
}

static void an_error_may_quote_itself(void **state)
{
    DgError err = {.site = 3};
    assert_int_equal(dg_fail(&err, DG_IO, "disk is full"), DG_IO);
    dg_hint(&err, "delete %d files", 3);
    assert_string_equal(err.hint, "delete 3 files");
    dg_fail(&err, DG_IO, "could not write: %s", err.message);
    assert_string_equal(err.message, "could not write: disk is full");
    assert_string_equal(err.hint, "");
    assert_int_equal(err.site, 3);
    assert_int_equal(dg_status_exit_code(DG_CONFIG), 78);
    assert_string_equal(dg_status_name(DG_UNAVAILABLE), "unavailable");
    assert_true(dg_is_transient(DG_UNAVAILABLE) && !dg_is_transient(DG_DATA));
}

static void long_messages_end_in_a_whole_character(void **state)
{
    DgError err;
    for (int pad = 0; pad < 4; pad++) {
        char text[3000] = {0};
        memset(text, 'x', (size_t)pad);
        for (size_t i = (size_t)pad; i + 4 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3);
        dg_fail(&err, DG_IO, "%s", text);
        assert_true(strlen(err.message) > sizeof err.message - 4);
        assert_true(str_utf8_valid(str_from(err.message), NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_compared_and_cut),
        cmocka_unit_test(numbers_are_whole_texts),
        cmocka_unit_test(distance_counts_swaps_as_one),
        cmocka_unit_test(utf8_is_checked_strictly),
        cmocka_unit_test(an_arena_is_zero_and_keeps_its_pointers),
        cmocka_unit_test(an_arena_that_may_fail_says_so),
        cmocka_unit_test(text_is_built_in_arenas),
        cmocka_unit_test(a_map_keeps_order_and_replaces),
        cmocka_unit_test(a_buffer_has_a_bound),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(an_error_may_quote_itself),
        cmocka_unit_test(long_messages_end_in_a_whole_character),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
