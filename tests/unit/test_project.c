/* Where a project is, what its files say: TOML, .env, layouts, Dagster's autoload rules. */
#include "compiler/project.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/fixture.h"
#include "tests/test.h"

static void toml_tables_arrays_and_strings_are_read(void **state)
{
    Arena a;
    TomlFile t;
    arena_init(&a, 0);
    assert_true(toml_read(&a,
                          S("# comment\ntitle = \"x\" # after\n[tool.dg]\ndirectory_type = 'project'\n"
                                "[tool.dg.project]\nroot_module = \"shop\"\nlist = [\n  \"a\", # one\n"
                                "  \"b\",\n]\n[[workspace.projects]]\npath = \"one\"\n"
                                "[[workspace.projects]]\npath = \"two\"\n"), &t));
    assert_text(toml_get(&t, S("title")), "x");
    assert_text(toml_get(&t, S("tool.dg.directory_type")), "project");
    assert_text(toml_get(&t, S("tool.dg.project.root_module")), "shop");
    assert_int_equal(toml_list(&t, S("tool.dg.project.list"))->count, 2);
    assert_int_equal(toml_list(&t, S("workspace.projects.path"))->count, 2);
    assert_text(toml_list(&t, S("workspace.projects.path"))->items[1], "two");
    assert_text(toml_get(&t, S("nothing")), "");
    assert_false(toml_read(&a, S("no equals sign\n"), &t));
    arena_free(&a);
}

static Str env_of(const Map *m, const char *name)
{
    const Str *v = map_get(m, str_from(name));
    return v ? *v : S("(not there)");
}

static void dotenv_is_read_as_python_dotenv_does(void **state)
{
    Arena a;
    Map m = {0};
    arena_init(&a, 0);
    unsetenv("DGC_TEST_HOST");
    dotenv_read(&a,
                S("# comment\n\nPLAIN=a b  # after\nexport EXPORTED = x\nSINGLE='a $x ${PLAIN}'\n"
                      "DOUBLE=\"line\\nnext\"\nMANY=\"one\ntwo\"\nDGC_TEST_HOST=h\n"
                      "URL=http://${DGC_TEST_HOST}:${PORT:-80}/#x\nEMPTY=\nnot a line\nLAST=1"), &m);
    assert_text(env_of(&m, "PLAIN"), "a b");
    assert_text(env_of(&m, "EXPORTED"), "x");
    assert_text(env_of(&m, "SINGLE"), "a $x ${PLAIN}");
    assert_text(env_of(&m, "DOUBLE"), "line\nnext");
    assert_text(env_of(&m, "MANY"), "one\ntwo");
    assert_text(env_of(&m, "URL"), "http://h:80/#x");
    assert_text(env_of(&m, "EMPTY"), "");
    assert_text(env_of(&m, "LAST"), "1");
    arena_free(&a);
}

#define SCRIPT(key) "type: dgc.Script\nattributes: {command: [make], asset: " key "}\n"

/* The ids of the instances in load order, then what is said. */
static void expect_loaded(const char *files, const char *expected)
{
    Fixture f = {0};
    StrBuf out = {0};
    fixture_open(&f, files);
    for (size_t i = 0; f.c.project && i < f.c.project->instances.count; i++)
        buf_format(&out, "%.*s\n", FMT(f.c.project->instances.items[i]->id));
    buf_add(&out, fixture_errors(&f));
    assert_text(buf_str(&out), expected);
    buf_free(&out);
    fixture_close(&f);
}

static void children_are_searched_in_order_and_dots_are_not(void **state)
{
    expect_loaded("-- defs/b/defs.yaml --\n" SCRIPT("b") "---\n" SCRIPT("b2")
                  "-- defs/a/x/defs.yaml --\n" SCRIPT("a")
                  "-- defs/.hidden/defs.yaml --\n" SCRIPT("h")
                  "-- defs/__pycache__/defs.yaml --\n" SCRIPT("p"),
                  "defs/a/x/defs.yaml[0]\ndefs/b/defs.yaml[0]\ndefs/b/defs.yaml[1]\n");
}

static void a_component_ends_the_search_and_a_folder_does_not(void **state)
{
    expect_loaded("-- defs/a/defs.yaml --\n" SCRIPT("a") "-- defs/a/below/defs.yaml --\n" SCRIPT("below")
                  "-- defs/f/defs.yaml --\ntype: dagster.DefsFolderComponent\n"
                  "-- defs/f/below/defs.yaml --\n" SCRIPT("f"),
                  "defs/a/defs.yaml[0]\ndefs/f/defs.yaml[0]\ndefs/f/below/defs.yaml[0]\n");
}

static void defs_yaml_comes_before_component_yaml(void **state)
{
    expect_loaded("-- defs/a/defs.yaml --\n" SCRIPT("a") "-- defs/a/component.yaml --\n" SCRIPT("other")
                  "-- defs/b/component.yaml --\n" SCRIPT("b"),
                  "defs/a/defs.yaml[0]\ndefs/b/component.yaml[0]\n");
}

static void python_files_are_named_once(void **state)
{
    expect_loaded("-- defs/assets.py --\nx = 1\n-- defs/a/__init__.py --\n\n-- defs/a/more.py --\n\n"
                  "-- defs/b/defs.yaml --\n" SCRIPT("b") "-- defs/b/script.py --\n\n",
                  "defs/b/defs.yaml[0]\n"
                  "W0117 Python definitions are not loaded: defs/assets.py, defs/a/more.py\n");
}

static void template_vars_reach_what_lies_below(void **state)
{
    Fixture f = {0};
    fixture_open(&f, "-- dgc.yaml --\nname: t\ntemplate_vars: {a: one}\n"
                     "-- defs/f/defs.yaml --\ntype: dagster.DefsFolderComponent\n"
                     "template_vars: {b: \"{{ a }}_two\"}\n"
                     "-- defs/f/x/defs.yaml --\n" SCRIPT("\"{{ b }}\"")
                     "-- defs/g/defs.yaml --\n" SCRIPT("\"{{ a }}\""));
    assert_text(fixture_errors(&f), "");
    assert_non_null(plan_asset(&f.c.plan, S("one_two")));
    assert_non_null(plan_asset(&f.c.plan, S("one")));
    fixture_close(&f);
}

static void dagster_projects_are_found_by_their_settings(void **state)
{
    Fixture f = {0};
    fixture_write(&f,
                  "-- dg.toml --\ndirectory_type = \"project\"\n[project]\nroot_module = \"shop\"\n"
                      "-- src/shop/defs/a/defs.yaml --\n" SCRIPT("a"));
    char path[128];
    snprintf(path, sizeof path, "%s/dgc.yaml", f.folder);
    remove(path);
    fixture_compile(&f, NULL);
    assert_text(fixture_errors(&f), "");
    assert_text(f.c.project->defs, "src/shop/defs");
    assert_true(f.c.project->is_dg);
    fixture_close(&f);
}

static void a_workspace_of_several_asks_for_one(void **state)
{
    Fixture f = {0};
    fixture_write(&f, "-- dg.toml --\ndirectory_type = \"workspace\"\n[workspace]\n"
                      "[[workspace.projects]]\npath = \"one\"\n[[workspace.projects]]\npath = \"two\"\n"
                      "-- one/defs/a/defs.yaml --\n" SCRIPT("a") "-- two/defs/a/defs.yaml --\n" SCRIPT("a"));
    char path[128];
    snprintf(path, sizeof path, "%s/dgc.yaml", f.folder);
    remove(path);
    fixture_compile(&f, NULL);
    assert_false(f.ok);
    assert_int_equal(f.c.diag.items.count, 1);
    assert_text(f.c.diag.items.items[0]->helps.items[0], "name one of them: `one`, `two`");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toml_tables_arrays_and_strings_are_read),
        cmocka_unit_test(dotenv_is_read_as_python_dotenv_does),
        cmocka_unit_test(children_are_searched_in_order_and_dots_are_not),
        cmocka_unit_test(a_component_ends_the_search_and_a_folder_does_not),
        cmocka_unit_test(defs_yaml_comes_before_component_yaml),
        cmocka_unit_test(python_files_are_named_once),
        cmocka_unit_test(template_vars_reach_what_lies_below),
        cmocka_unit_test(dagster_projects_are_found_by_their_settings),
        cmocka_unit_test(a_workspace_of_several_asks_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
