/* The expressions of checks, constraints and transforms: meaning, bounds, hostile input. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "runtime/copy/expression.h"
#include "runtime/copy/rules.h"

static Arena arena;
static StrBuf buffer;

static DgStatus name(void *context, Str s, DgValue *out, DgError *err)
{
    (void)err;
    if (str_eq(s, S("value")))
        *out = *(DgValue *)context;
    else if (str_eq(s, S("store.a[0].b")))
        *out = expr_str(S("x"));
    else if (str_eq(s, S("nothing")))
        *out = (DgValue){.kind = DG_V_NONE};
    else
        return DG_END;
    return DG_OK;
}

static const char *with(const char *text, DgValue value)
{
    Expr *e;
    DgValue v;
    DgError err = {0};
    ExprScope scope = {.name = name, .context = &value, .scratch = &arena, .buffer = &buffer, .braces = true};
    if (expr_compile(&arena, str_from(text), &e, &err) != DG_OK || expr_eval(e, &scope, &v, &err) != DG_OK)
        return str_cstr(&arena, str_from(err.message));
    return v.kind == DG_V_NONE ? "null" : str_cstr(&arena, expr_text(&arena, v));
}

static const char *of(const char *text)
{
    return with(text, (DgValue){.kind = DG_V_INT, .as.i = 7});
}

#define IS(text, expected) assert_string_equal(of(text), expected)
#define SAYS(text, part) assert_non_null(strstr(of(text), part))

static void test_operators(void **state)
{
    IS("1 + 2 * 3", "7");
    IS("(1 + 2) * 3 - -1", "10");
    IS("7 / 2", "3.5");
    IS("6 / 2", "3");
    IS("7 % 4", "3");
    IS("10 - 3 - 2", "5");
    IS("'a' + 1 + true", "a1true");
    IS("value >= 7 && value < 8 || false", "true");
    IS("!(value == 7)", "false");
    IS("!value == 7", "a number is neither true nor false");
    IS("1 < 2 == true", "true");
    IS("value > 5 ? 'big' : value > 2 ? 'mid' : 'small'", "big");
    IS("9007199254740993 > 9007199254740992.0", "true");
    IS("9223372036854775807 == 9223372036854775807.0", "false");
    IS("'a' < 'b'", "true");
    IS("store.a[0].b == 'x'", "true");
    IS("{ store.a[0].b } + '{value}'", "x7");
    (void)state;
}

static void test_null(void **state)
{
    IS("nothing > 1", "null");
    IS("nothing + 'a'", "null");
    IS("nothing == null", "true");
    IS("1 != null", "true");
    IS("nothing > 1 && false", "false");
    IS("nothing > 1 || true", "true");
    IS("nothing > 1 && true", "null");
    IS("!(nothing > 1)", "null");
    IS("upper(nothing)", "null");
    IS("coalesce(nothing, 'b')", "b");
    IS("greatest(1, nothing, 3)", "3");
    IS("least('b', 'a')", "a");
    (void)state;
}

static void test_functions(void **state)
{
    IS("upper(trim_space('  zoë '))", "ZOË");
    IS("remove_diacritics('Ærø Çà e\xCC\x81')", "AEro Ca e");
    IS("replace('aXbX', 'X', '--')", "a--b--");
    IS("replace('ab', '', 'x')", "ab");
    IS("replace_non_printable('a\\nb\xE2\x80\x8B')", "ab");
    IS("substring('äbcd', 1, 3)", "bc");
    IS("substring('abc', -2)", "bc");
    IS("substring('abc', 2, 1)", "");
    IS("split_part('a,b,c', ',', 1)", "b");
    IS("split_part('a,b', ',', 9)", "");
    IS("split_part('ab', '', 0)", "ab");
    IS("length('äb')", "2");
    IS("concat('a', null, 1)", "a1");
    IS("hash('a')", "0cc175b9c0f1b6a831c399e269772661");
    IS("hash('a', 'sha256')", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    SAYS("hash('a', 'crc')", "md5, sha1");
    IS("length(uuid())", "36");
    IS("cast('12', 'bigint') + 1", "13");
    IS("cast(12.0, 'integer')", "12");
    SAYS("cast('12x', 'integer')", "`12x` is no integer");
    SAYS("cast('300', 'tinyint')", "is no tinyint");
    IS("cast('2024-02-29 10:00:00', 'date')", "2024-02-29");
    IS("date_format('2024-02-29', '%d.%m.%Y')", "29.02.2024");
    IS("date_parse('29/02/2024', '%d/%m/%Y')", "2024-02-29 00:00:00");
    SAYS("date_parse('29/02/2023', '%d/%m/%Y')", "is no time");
    IS("if(value > 1, 'y', 'n')", "y");
    SAYS("uper('a')", "there is no function `uper`");
    assert_string_equal(expr_function_near(S("trim_spaces")), "trim_space");
    (void)state;
}

static void test_errors(void **state)
{
    SAYS("", "something is missing at character 1");
    SAYS("1 +", "something is missing");
    SAYS("(1", "`)` is missing");
    SAYS("'a", "closing quote");
    SAYS("1 2", "does not belong there");
    SAYS("1 ? 2", "`:` is missing");
    SAYS("upper()", "too few arguments");
    SAYS("upper(1, 2)", "too many arguments");
    SAYS("{a", "`}` is missing");
    SAYS("1..2", "no number");
    SAYS("#", "no meaning");
    SAYS("\xff", "UTF-8");
    SAYS("other", "there is no `other`");
    SAYS("'a' < 1", "cannot be compared");
    SAYS("1 / 0", "division by zero");
    SAYS("1 % 0", "division by zero");
    SAYS("9223372036854775807 + 1", "does not fit 64 bits");
    SAYS("(-9223372036854775807 - 1) * -1", "does not fit 64 bits");
    SAYS("-'a'", "has no negative");
    IS("(-9223372036854775807 - 1) % -1", "0");
    (void)state;
}

/* Depth, length and the number of parts end in an error, not in the stack or the memory. */
static void test_bounds(void **state)
{
    static char text[EXPR_BYTES_MAX + 2];
    const struct { const char *unit; const char *says; } cases[] = {
        {"(", "too deep"}, {"!", "too deep"}, {"-", "too deep"}, {"1?", "too deep"}, {"upper(", "too deep"}, {"1+", "too many parts"},
        {"1==", "too many parts"}, {"{", "a name is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].unit), at = 0;
        for (; at + n < EXPR_BYTES_MAX; at += n)
            memcpy(text + at, cases[i].unit, n);
        text[at] = 0;
        SAYS(text, cases[i].says);
    }
    memset(text, '1', sizeof text - 1);
    text[sizeof text - 1] = 0;
    SAYS(text, "an expression has");
    /* Doubling a text runs into the limit of texts. */
    SAYS("replace(replace(replace(replace(replace(replace(replace(replace('aaaaaaaa','a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa'),"
         "'a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa'),'a','aaaaaaaa')", "passes 16777216 bytes");
    (void)state;
}

static DgStatus rules_of(DgValue v, CopyRules *out, DgError *err)
{
    *out = (CopyRules){0};
    return rules_transforms(&arena, v, out, err);
}

static void test_rules(void **state)
{
    CopyRules rules;
    DgError err = {0};
    DgType type;
    DgValue items[2] = {expr_str(S("upper")), expr_str(S("value + record.b"))}, key = expr_str(S("a"));
    DgValueList list = {items, 2};
    DgValue as_list = {.kind = DG_V_LIST, .as.list = &list};
    DgValueDict dict = {&key, &as_list, 1};
    assert_int_equal(rules_of(as_list, &rules, &err), DG_OK);
    assert_int_equal(rules.count, 2);
    assert_int_equal(rules.items[0].column.len, 0);
    assert_true(expr_type(rules.items[0].expr, &type) && type.kind == DG_TEXT);
    assert_false(expr_type(rules.items[1].expr, &type));
    assert_int_equal(rules_of((DgValue){.kind = DG_V_DICT, .as.dict = &dict}, &rules, &err), DG_OK);
    assert_true(str_eq(rules.items[1].column, S("a")));
    items[1] = expr_str(S("other + 1"));
    assert_int_equal(rules_of(as_list, &rules, &err), DG_CONFIG);
    assert_non_null(strstr(err.message, "there is no `other` here"));
    items[1] = (DgValue){.kind = DG_V_INT};
    assert_int_equal(rules_of(as_list, &rules, &err), DG_CONFIG);
    assert_int_equal(rules_of((DgValue){.kind = DG_V_BOOL}, &rules, &err), DG_CONFIG);
    assert_int_equal(rules_of((DgValue){.kind = DG_V_NONE}, &rules, &err), DG_OK);
    DgValue column = expr_str(S("integer | value >= 0"));
    dict.values = &column;
    rules = (CopyRules){0};
    assert_int_equal(rules_constraints(&arena, (DgValue){.kind = DG_V_DICT, .as.dict = &dict}, &rules, &err), DG_OK);
    assert_true(rules.count == 1 && str_eq(rules.items[0].text, S("value >= 0")));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators), cmocka_unit_test(test_null), cmocka_unit_test(test_functions),
        cmocka_unit_test(test_errors), cmocka_unit_test(test_bounds), cmocka_unit_test(test_rules),
    };
    arena_init(&arena, 1 << 30);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
