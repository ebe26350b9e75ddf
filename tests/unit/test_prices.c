/* test_prices.c - which model a name is, what it costs, and when its vendor takes it away. Days are given: no test looks at a clock. */
#include "runtime/llm/declare.h"
#include "tests/test.h"

static void a_date_does_not_make_another_model(void **state)
{
    LlmPrice p, q;
    assert_true(llm_price(S("openai"), S("gpt-5.4-mini"), &p) && llm_price(S("openai"), S("gpt-5.4-mini-2026-03-17"), &q));
    assert_memory_equal(&p, &q, sizeof p);
    assert_true(llm_price(S("openai"), S("gpt-5.4"), &q));
    assert_true(q.in > p.in && q.out > p.out);
    assert_false(llm_price(S("openai"), S("gpt-5.4-minimal"), &p));
    assert_false(llm_price(S("anthropic"), S("gpt-5.4"), &p));
}

static void a_model_of_ones_own_is_free(void **state)
{
    LlmPrice p = {1, 1, 1, 1};
    assert_true(llm_price(S("ollama"), S("anything"), &p));
    assert_true(p.in <= 0 && p.out <= 0);
}

static void the_last_day_of_a_model(void **state)
{
    assert_true(str_eq(llm_model_ends(S("anthropic"), S("claude-sonnet-4-5-20250929")), S("2026-11-30")));
    assert_true(str_eq(llm_model_ends(S("openai"), S("gpt-4o-2024-08-06")), S("2027-01-14"))); /* one of a model's versions */
    assert_int_equal(llm_model_ends(S("openai"), S("gpt-4o")).len, 0);
    assert_int_equal(llm_model_ends(S("anthropic"), S("claude-sonnet-5")).len, 0);
    assert_int_equal(llm_model_ends(S("ollama"), S("qwen3")).len, 0);
}

static void it_is_told_thirty_days_before(void **state)
{
    int64_t noon = 1793448000 /* 2026-10-31 12:00 UTC, thirty days before */;
    assert_true(llm_ends_soon(S("2026-11-30"), noon));
    assert_false(llm_ends_soon(S("2026-11-30"), noon - 86400));
    assert_true(llm_ends_soon(S("2026-11-30"), noon + (int64_t)365 * 86400));
    assert_true(llm_ends_soon(S("2025-12-31"), noon));
    assert_false(llm_ends_soon(S("2027-01-01"), noon));
    assert_false(llm_ends_soon((Str){0}, noon));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_does_not_make_another_model),
        cmocka_unit_test(a_model_of_ones_own_is_free),
        cmocka_unit_test(the_last_day_of_a_model),
        cmocka_unit_test(it_is_told_thirty_days_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
