/* File patterns and paths of a project. */
#include "compiler/planner.h"
#include "runtime/base/glob.h"
#include "tests/test.h"

static void patterns_match_as_in_a_shell(void **state)
{
    static const struct { const char *pattern, *path; bool fits; } cases[] = {
        {"a.csv", "a.csv", true},         {"a.csv", "b.csv", false},
        {"*.csv", "a.csv", true},         {"*.csv", "x/a.csv", false},
        {"x/*.csv", "x/a.csv", true},     {"**/*.csv", "a.csv", true},
        {"**/*.csv", "x/y/a.csv", true},  {"x/**", "x/y/z", true},
        {"x/**/z", "x/z", true},          {"x/**/z", "xz", false},
        {"?.csv", "a.csv", true},         {"?.csv", "/.csv", false},
        {"[ab].csv", "b.csv", true},      {"[!ab].csv", "b.csv", false},
        {"[a-c]x", "bx", true},           {"[a-c]x", "dx", false},
        {"*.{csv,json}", "a.json", true}, {"*.{csv,json}", "a.xml", false},
        {"{a,b{c,d}}", "bd", true},       {"{a,b{c,d}}", "b", false},
        {"a{", "a{", true},               {"*", "", true},
        {"*a*b*c*", "xxaxxbxxcxx", true}, {"*a*b*c*", "xxaxxcxxbxx", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(str_from(cases[i].pattern), str_from(cases[i].path)) != cases[i].fits)
            fail_msg("%s and %s", cases[i].pattern, cases[i].path);
}

static void paths_stay_inside_the_project(void **state)
{
    static const struct { const char *folder, *path, *result; } cases[] = {
        {"defs/a", "x.py", "defs/a/x.py"}, {"defs/a", "../x.py", "defs/x.py"},
        {"defs/a", "./b/../x", "defs/a/x"}, {"", "x", "x"},
        {"defs", "../..", NULL},           {"", "../x", NULL},
        {"defs", "/p/data/x", "data/x"},   {"defs", "/other/x", "/other/x"},
        {"defs", "/p/../x", NULL},         {"a", "..", ""},
    };
    Arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str out;
        bool ok = path_resolve(&a, S("/p"), str_from(cases[i].folder), str_from(cases[i].path), &out);
        assert_int_equal(ok, cases[i].result != NULL);
        if (ok)
            assert_text(out, cases[i].result);
    }
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_in_a_shell),
        cmocka_unit_test(paths_stay_inside_the_project),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
