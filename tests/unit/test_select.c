/* Asset selections: what is chosen, and what is said about text that chooses nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "runtime/base/select.h"

/*  raw/orders -> stg/orders -> marts/revenue -> report
 *  raw/customers -> stg/customers -> marts/revenue          lonely                     */
static const int32_t deps_stg_customers[] = {0};
static const int32_t deps_stg_orders[] = {1};
static const int32_t deps_revenue[] = {2, 3};
static const int32_t deps_report[] = {4};
static const Str kinds_duckdb[] = {DG_S("duckdb"), DG_S("sql")};
static const Str owners_data[] = {DG_S("team:data"), DG_S("a@b.co")};
static const struct SelectTag nightly[] = {{DG_S("nightly"), DG_S("")},
                                           {DG_S("tier"), DG_S("gold")}};
static const SelectNode nodes[] = {
    {.key = DG_S("raw/customers"), .group = DG_S("raw")},
    {.key = DG_S("raw/orders"), .group = DG_S("raw"), .tags = nightly, .tags_count = 2},
    {.key = DG_S("stg/customers"), .group = DG_S("stg"), .deps = deps_stg_customers, .deps_count = 1},
    {.key = DG_S("stg/orders"), .group = DG_S("stg"), .deps = deps_stg_orders, .deps_count = 1},
    {.key = DG_S("marts/revenue"), .group = DG_S("marts"), .deps = deps_revenue, .deps_count = 2,
     .kinds = kinds_duckdb, .kinds_count = 2},
    {.key = DG_S("report"), .group = DG_S("default"), .deps = deps_report, .deps_count = 1,
     .owners = owners_data, .owners_count = 2},
    {.key = DG_S("2020_lonely"), .group = DG_S("default")},
};
static const SelectGraph graph = {nodes, 7, false};
static const char letters[] = "cosSrtl"; /* one per node, in order */

static void chooses(const char *text, const char *expected)
{
    Arena a;
    bool chosen[7] = {0};
    char got[8] = {0};
    SelectError err;
    arena_init(&a, 1 << 20);
    if (!select_assets(&a, &graph, str_from(text), chosen, &err))
        fail_msg("`%s`: %.*s", text, FMT(err.message));
    size_t n = 0;
    for (int i = 0; i < 7; i++)
        if (chosen[i])
            got[n++] = letters[i];
    if (strcmp(got, expected))
        fail_msg("`%s` chooses %s, not %s", text, got, expected);
    arena_free(&a);
}

static void fails(const char *text, ptrdiff_t offset, ptrdiff_t length, const char *message,
                  const char *help)
{
    Arena a;
    bool chosen[7] = {0};
    SelectError err;
    arena_init(&a, 1 << 20);
    assert_false(select_assets(&a, &graph, str_from(text), chosen, &err));
    assert_string_equal(str_cstr(&a, err.message), message);
    assert_string_equal(str_cstr(&a, err.help), help);
    assert_int_equal(err.offset, offset);
    assert_int_equal(err.length, length);
    arena_free(&a);
}

static void names_and_attributes_choose_assets(void **state)
{
    chooses("*", "cosSrtl");
    chooses("report", "t");
    chooses("key:report", "t");
    chooses("raw/*", "co");
    chooses("key:\"stg/orders\"", "S");
    chooses("\"stg/orders\"", "S");
    chooses("*customers*", "cs");
    chooses("key_substring:ord", "oS");
    chooses("group:stg", "sS");
    chooses("kind:duckdb", "r");
    chooses("kind:<null>", "cosStl");
    chooses("owner:team:data", "t");
    chooses("owner:\"a@b.co\"", "t");
    chooses("tag:nightly", "o");
    chooses("tag:tier=gold", "o");
    chooses("tag:\"tier\"=\"g*\"", "o");
    chooses("tag:tier=silver", "");
    chooses("2020_lonely", "l");
}

static void traversals_add_what_is_upstream_and_downstream(void **state)
{
    chooses("+report", "cosSrt");
    chooses("1+report", "rt");
    chooses("2+report", "sSrt");
    chooses("raw/orders+", "oSrt");
    chooses("raw/orders+1", "oS");
    chooses("1+stg/orders+1", "oSr");
    chooses("+stg/orders+", "oSrt");
    chooses("+group:stg", "cosS");
    chooses("+(stg/orders or stg/customers)", "cosS");
    chooses("0+report", "t");
    chooses("2020_lonely+", "l");
}

static void operators_bind_not_and_or(void **state)
{
    chooses("not group:raw", "sSrtl");
    chooses("group:raw and tag:nightly", "o");
    chooses("group:raw or report and group:stg", "co");
    chooses("(group:raw or report) and not tag:nightly", "ct");
    chooses("NOT group:raw AND NOT group:stg", "rtl");
    chooses("not not report", "t");
    chooses("sinks(+report)", "t");
    chooses("sinks(*)", "tl");
    chooses("roots(*)", "col");
    chooses("roots(group:stg or marts/revenue)", "sS");
    chooses("sinks(group:stg or group:raw)+1", "sSr");
    chooses("report, raw/orders+1", "oSt");
    chooses("+marts/revenue and group:raw", "co");
}

static void mistakes_are_placed_and_explained(void **state)
{
    const char *want = "write an asset key, `group:NAME`, `tag:KEY=VALUE`, `kind:NAME` or "
                       "`owner:NAME`";
    fails("", 0, 0, "the selection ends where an asset is expected", want);
    fails("report and", 10, 0, "the selection ends where an asset is expected", want);
    fails("and report", 0, 3, "expected an asset here, found `and`",
          "quote it if it is an asset's key");
    fails("report raw/orders", 7, 10, "expected `and` or `or` before `raw/orders`",
          "write `a or b` for both, `a and b` for what is in both");
    fails("raw/order", 0, 9, "there is no asset `raw/order`",
          "a similar asset exists: `raw/orders`");
    fails("group:raw or revenue", 13, 7, "there is no asset `revenue`",
          "a similar asset exists: `marts/revenue`");
    fails("status:failed", 0, 6, "assets cannot be selected by `status:` here",
          "these work: key:, tag:, group:, kind:, owner:, sinks(), roots()");
    fails("(report", 0, 1, "this `(` is not closed", "");
    fails("report)", 6, 1, "this `)` closes nothing", "");
    fails("\"report", 0, 7, "the quote is not closed", "add a closing `\"`");
    fails("++report", 0, 2, "`++` is not a number of levels",
          "write `2+name` for two levels, `+name` for all of them");
    fails("report+raw/orders", 7, 1, "after `+` comes a number of levels, or nothing",
          "write `a+ or b` for two assets, `a+2` for two levels");
    fails("group:", 6, 0, "`group:` needs a value", "");
}

static void depth_is_limited(void **state)
{
    char text[400];
    memset(text, '(', sizeof text);
    Arena a;
    SelectError err;
    arena_init(&a, 1 << 20);
    assert_false(select_check(&a, (Str){text, sizeof text}, &err));
    assert_string_equal(str_cstr(&a, err.message), "parentheses nest too deep");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_attributes_choose_assets),
        cmocka_unit_test(traversals_add_what_is_upstream_and_downstream),
        cmocka_unit_test(operators_bind_not_and_or),
        cmocka_unit_test(mistakes_are_placed_and_explained),
        cmocka_unit_test(depth_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
