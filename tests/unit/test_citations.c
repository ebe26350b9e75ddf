/* Citations: what an answer rests on, and what it made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/llm/citations.h"

static void show(StrBuf *b, const int32_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_format(b, "%s%d", i ? " " : "", items[i]);
}

/* "TEXT | CITED | INVENTED" of an answer over five passages. */
static void reads(const char *answer, const char *expected)
{
    Arena a;
    Citations c;
    StrBuf b = {0};
    arena_init(&a, 1 << 20);
    assert_true(citations_read(&a, str_from(answer), 5, &c));
    buf_format(&b, "%.*s | ", FMT(c.text));
    show(&b, c.cited.items, c.cited.count);
    buf_add(&b, S(" | "));
    show(&b, c.invented.items, c.invented.count);
    buf_char(&b, '\0');
    assert_string_equal(b.ptr, expected);
    buf_free(&b);
    arena_free(&a);
}

static void citations_are_taken(void **state)
{
    (void)state;
    reads("", " |  | ");
    reads("No source.", "No source. |  | ");
    reads("So [2]. And so [1][2].", "So [2]. And so [1][2]. | 2 1 | ");
    reads("Lists [3, 1;5] and [ 2 ].", "Lists [3, 1, 5] and [2]. | 3 1 5 2 | ");
    reads("A range [2-4].", "A range [2, 3, 4]. | 2 3 4 | ");
}

static void inventions_are_left_out(void **state)
{
    (void)state;
    reads("Never [9].", "Never. |  | 9");
    reads("Some [1, 0, 6] [7].", "Some [1]. | 1 | 0 6 7");
    reads("Far [4-900000].", "Far [4, 5]. | 4 5 | 900000 6 7 8 9");
    reads("[99]", " |  | 99");
}

static void other_brackets_stay(void **state)
{
    (void)state;
    reads("[a] [] [1 [1,] [-1] [1.5] [1-] [5-2] [9999999999999999999999] [x1]", "[a] [] [1 [1,] [-1] [1.5] [1-] [5-2] [9999999999999999999999] [x1] |  | ");
    reads("In `rows[1]` not, after it [1].", "In `rows[1]` not, after it [1]. | 1 | ");
    reads("A stray ` here [1]\nnext line [2].", "A stray ` here [1]\nnext line [2]. | 2 | ");
    reads("```\nrows[1]\n```\nthen [3]", "```\nrows[1]\n```\nthen [3] | 3 | ");
    reads("unicode \xc3\xa4 [1]\xe2\x80\x94", "unicode \xc3\xa4 [1]\xe2\x80\x94 | 1 | ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(citations_are_taken),
        cmocka_unit_test(inventions_are_left_out),
        cmocka_unit_test(other_brackets_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
