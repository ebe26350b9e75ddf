/* Diagnostics: what people and programs are shown, and what --fix writes. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/diag.h"

typedef struct Fixture {
    Arena arena;
    Sources sources;
    Diag diag;
    StrBuf out;
    uint32_t file;
} Fixture;

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0);
    sources_init(&f->sources, &f->arena);
    diag_init(&f->diag, &f->arena, &f->sources);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    Fixture *f = *state;
    buf_free(&f->out);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static void add_file(Fixture *f, const char *text)
{
    f->file = sources_add(&f->sources, S("defs.yaml"), str_from(text));
}

/* The span of `what`, which stands once in the last file. */
static Span at(Fixture *f, const char *what)
{
    Str text = sources_file(&f->sources, f->file)->text;
    ptrdiff_t start = str_find(text, str_from(what));
    assert_true(start >= 0);
    return (Span){f->file, (uint32_t)start, (uint32_t)start + (uint32_t)strlen(what)};
}

static Str shown(Fixture *f, DiagFormat format)
{
    diag_finish(&f->diag);
    diag_render(&f->diag, (DiagRender){.format = format}, &f->out);
    return buf_str(&f->out);
}

static void a_near_name_is_suggested(void **state)
{
    Fixture *f = *state;
    add_file(f, "type: dgc.RestIngest\nattributes:\n  scedule: \"0 6 * * *\"\n");
    Str names[] = {DG_S("auth"), DG_S("schedule"), DG_S("streams")};
    DiagItem *it = diag_report(&f->diag, E0107, at(f, "scedule"), "unknown key `scedule`");
    diag_set_label(it, "not a key of `dgc.RestIngest`");
    assert_true(diag_suggest(it, it->at, "key", S("scedule"), names, 3));
    diag_note(it, "keys here: auth, schedule, streams");
    assert_text(shown(f, DIAG_TEXT),
                "error[E0107]: unknown key `scedule`\n"
                " --> defs.yaml:3:3\n"
                "  |\n"
                "3 |   scedule: \"0 6 * * *\"\n"
                "  |   ^^^^^^^ not a key of `dgc.RestIngest`\n"
                "  |\n"
                "help: a similar key exists: `schedule`  (dgc check --fix applies this)\n"
                "3 |   schedule: \"0 6 * * *\"\n"
                "  |   ~~~~~~~~\n"
                "  = note: keys here: auth, schedule, streams\n"
                "\n"
                "1 error; `dgc check --fix` can fix it; `dgc explain E0107` says more\n");
}

static void names_that_are_not_near_are_not_suggested(void **state)
{
    Fixture *f = *state;
    add_file(f, "a: 1\n");
    DiagItem *it = diag_report(&f->diag, E0107, at(f, "a"), "unknown key");
    Str names[] = {DG_S("b"), DG_S("Api-Key"), DG_S("mode"), DG_S("node")};
    assert_false(diag_suggest(it, it->at, "key", S("a"), names, 3));
    assert_false(diag_suggest(it, it->at, "key", S("schedule"), names, 3));
    assert_true(diag_suggest(it, it->at, "key", S("api_key"), names, 3));
    assert_text(it->fixes.items[0].edits.items[0].text, "Api-Key");
    assert_true(diag_suggest(it, it->at, "key", S("xode"), names, 4)); /* two are as near */
    assert_int_equal(it->fixes.count, 1);
    assert_text(it->helps.items[0], "similar names exist: `mode`, `node`");
}

static void places_in_other_files_follow(void **state)
{
    Fixture *f = *state;
    add_file(f, "-- @asset mart/revenue\nselect 1\n");
    Span first = at(f, "mart/revenue");
    f->sources.files.items[f->file].path = S("models/revenue.sql");
    add_file(f, "assets:\n  - key: mart/revenue\n");
    DiagItem *it = diag_report(&f->diag, E0201, at(f, "mart/revenue"),
                               "asset `mart/revenue` is defined twice");
    diag_set_label(it, "second definition");
    diag_label(it, first, "first defined here");
    diag_help(it, "rename one");
    assert_text(shown(f, DIAG_TEXT),
                "error[E0201]: asset `mart/revenue` is defined twice\n"
                " --> defs.yaml:2:10\n"
                "  |\n"
                "2 |   - key: mart/revenue\n"
                "  |          ^^^^^^^^^^^^ second definition\n"
                "  |\n"
                " ::: models/revenue.sql:1:11\n"
                "  |\n"
                "1 | -- @asset mart/revenue\n"
                "  |           ------------ first defined here\n"
                "  |\n"
                "  = help: rename one\n"
                "\n"
                "1 error; `dgc explain E0201` says more\n");
}

static void marks_on_one_line_share_it(void **state)
{
    Fixture *f = *state;
    add_file(f, "x: [alpha, beta, gamma]\n");
    DiagItem *it = diag_report(&f->diag, E0110, at(f, "beta"), "wrong");
    diag_set_label(it, "this one");
    diag_label(it, at(f, "alpha"), "first");
    diag_label(it, at(f, "gamma"), "third");
    diag_label(it, at(f, "[alpha, beta"), "both");
    assert_text(shown(f, DIAG_TEXT),
                "error[E0110]: wrong\n"
                " --> defs.yaml:1:12\n"
                "  |\n"
                "1 | x: [alpha, beta, gamma]\n"
                "  |     -----  ^^^^  ----- third\n"
                "  |     |      |\n"
                "  |     |      this one\n"
                "  |     first\n"
                "  |    ------------ both\n"
                "\n"
                "1 error; `dgc explain E0110` says more\n");
}

static void a_span_over_lines_gets_a_bracket(void **state)
{
    Fixture *f = *state;
    add_file(f, "a:\n  b: 1\n  c:\n    - 1\n    - 2\n    - 3\n    - 4\n    - 5\n    - 6\nd: [\n  1,\n  2]\n");
    Span long_span = span_to(at(f, "b: 1"), at(f, "- 6"));
    diag_set_label(diag_report(&f->diag, E0102, long_span, "not a list"), "a mapping");
    diag_report(&f->diag, E0102, span_to(at(f, "[\n"), at(f, "2]")), "short");
    assert_text(shown(f, DIAG_TEXT),
                "error[E0102]: not a list\n"
                " --> defs.yaml:2:3\n"
                "  |\n"
                "2 | /   b: 1\n"
                "3 | |   c:\n"
                "4 | |     - 1\n"
                "... |\n"
                "8 | |     - 5\n"
                "9 | |     - 6\n"
                "  | |_______^ a mapping\n"
                "\n"
                "error[E0102]: short\n"
                "  --> defs.yaml:10:4\n"
                "   |\n"
                "10 |   d: [\n"
                "   |  ____^\n"
                "11 | |   1,\n"
                "12 | |   2]\n"
                "   | |____^\n"
                "\n"
                "2 errors; `dgc explain E0102` says more\n");
}

static void columns_are_those_of_the_screen(void **state)
{
    Fixture *f = *state;
    add_file(f, "\xef\xbb\xbfk: \xe4\xb8\xad\xe6\x96\x87 e\xcc\x81 \tbad\x1b[31m \xe2\x80\xae.\n");
    diag_report(&f->diag, E0110, at(f, "bad"), "a \x1b[31mred\x1b[0m message");
    diag_report(&f->diag, E0110, at(f, "."), "dot");
    assert_text(shown(f, DIAG_TEXT),
                "error[E0110]: a \xe2\x90\x9b[31mred\xe2\x90\x9b[0m message\n"
                " --> defs.yaml:1:11\n"
                "  |\n"
                "1 | k: \xe4\xb8\xad\xe6\x96\x87 e\xcc\x81     bad\xe2\x90\x9b[31m \xef\xbf\xbd.\n"
                "  |               ^^^\n"
                "\n"
                "error[E0110]: dot\n"
                " --> defs.yaml:1:21\n"
                "  |\n"
                "1 | k: \xe4\xb8\xad\xe6\x96\x87 e\xcc\x81     bad\xe2\x90\x9b[31m \xef\xbf\xbd.\n"
                "  |                         ^\n"
                "\n"
                "2 errors; `dgc explain E0110` says more\n");
}

static void long_lines_are_cut_around_the_mark(void **state)
{
    Fixture *f = *state;
    char text[1000];
    memset(text, 'a', sizeof text);
    memcpy(text + 500, "HERE", 4);
    text[999] = '\0';
    add_file(f, text);
    diag_report(&f->diag, E0110, at(f, "HERE"), "wrong");
    char as[97];
    memset(as, 'a', 96);
    as[96] = '\0';
    char expected[1000];
    snprintf(expected, sizeof expected,
             "error[E0110]: wrong\n"
             " --> defs.yaml:1:501\n"
             "  |\n"
             "1 | ...%.40sHERE%.96s...\n"
             "  | %43s^^^^\n"
             "\n"
             "1 error; `dgc explain E0110` says more\n",
             as, as, "");
    assert_text(shown(f, DIAG_TEXT), expected);
}

static void the_end_of_a_file_can_be_shown(void **state)
{
    Fixture *f = *state;
    add_file(f, "a: [\n");
    diag_report(&f->diag, E0101, (Span){f->file, 5, 5}, "the file ends here");
    assert_text(shown(f, DIAG_TEXT),
                "error[E0101]: the file ends here\n"
                " --> defs.yaml:2:1\n"
                "  |\n"
                "2 |\n"
                "  | ^\n"
                "\n"
                "1 error; `dgc explain E0101` says more\n");
}

static void fixes_show_what_they_make(void **state)
{
    Fixture *f = *state;
    add_file(f, "a: 1\nb:2\ngone: x\nc: 3\n");
    DiagItem *it = diag_report(&f->diag, E0101, at(f, "b:2"), "several");
    Span insert = at(f, "2");
    insert.end = insert.start;
    diag_fix(it, FIX_MAYBE, insert, S(" "), "insert");
    diag_fix(it, FIX_MAYBE, at(f, "gone: x\n"), S(""), "delete");
    diag_fix(it, FIX_PLACEHOLDER, at(f, "c: 3"), S("c:\n  - 3"), "split");
    assert_text(shown(f, DIAG_TEXT),
                "error[E0101]: several\n"
                " --> defs.yaml:2:1\n"
                "  |\n"
                "2 | b:2\n"
                "  | ^^^\n"
                "  |\n"
                "help: insert\n"
                "2 | b: 2\n"
                "  |   +\n"
                "help: delete\n"
                "3 - gone: x\n"
                "help: split\n"
                "4 - c: 3\n"
                "4 + c:\n"
                "5 +   - 3\n"
                "\n"
                "1 error; `dgc explain E0101` says more\n");
}

static void duplicates_go_and_places_order(void **state)
{
    Fixture *f = *state;
    add_file(f, "a: 1\nb: 2\n");
    diag_report(&f->diag, E0107, at(f, "b"), "second");
    diag_report(&f->diag, W0113, at(f, "1"), "a warning");
    diag_report(&f->diag, E0107, at(f, "a"), "first");
    diag_report(&f->diag, E0107, at(f, "b"), "second");
    diag_report(&f->diag, E0107, at(f, "b"), "of its own");
    diag_report(&f->diag, E0701, (Span){0}, "no place");
    assert_int_equal(f->diag.errors_count, 5);
    diag_finish(&f->diag);
    assert_int_equal(f->diag.errors_count, 4);
    assert_int_equal(f->diag.warnings_count, 1);
    const char *order[] = {"no place", "first", "a warning", "second", "of its own"};
    for (size_t i = 0; i < 5; i++)
        assert_text(f->diag.items.items[i]->message, order[i]);
    diag_render(&f->diag, (DiagRender){.items_max = 1}, &f->out);
    assert_text(buf_str(&f->out), "error[E0701]: no place\n"
                                  "\n"
                                  "... and 3 errors, 1 warning more\n"
                                  "\n"
                                  "4 errors, 1 warning; `dgc explain E0701` says more\n");
}

static void colour_is_asked_for(void **state)
{
    Fixture *f = *state;
    add_file(f, "a: 1\n");
    diag_report(&f->diag, W0113, at(f, "1"), "odd");
    diag_finish(&f->diag);
    diag_render(&f->diag, (DiagRender){.color = true}, &f->out);
    assert_true(str_starts(buf_str(&f->out), S("\x1b[1;33mwarning[W0113]\x1b[0m\x1b[1m: odd\x1b[0m\n")));
}

static void json_has_places_and_edits(void **state)
{
    Fixture *f = *state;
    add_file(f, "k\xc3\xa9y: \"v\"\n");
    DiagItem *it = diag_report(&f->diag, E0107, at(f, "\"v\""), "no `x`");
    diag_label(it, at(f, "k"), "here");
    diag_help(it, "help");
    diag_note(it, "note");
    diag_fix(it, FIX_MACHINE, at(f, "\"v\""), S("w"), "fix");
    assert_text(shown(f, DIAG_JSON),
                "[\n {\"code\":\"E0107\",\"slug\":\"unknown-attribute\",\"level\":\"error\","
                "\"message\":\"no `x`\",\"label\":\"\",\"file\":\"defs.yaml\",\"line\":1,\"column\":6,"
                "\"end_line\":1,\"end_column\":9,\"labels\":[{\"file\":\"defs.yaml\",\"line\":1,"
                "\"column\":1,\"end_line\":1,\"end_column\":2,\"text\":\"here\"}],\"help\":[\"help\"],"
                "\"notes\":[\"note\"],\"fixes\":[{\"applicability\":\"machine\",\"text\":\"fix\","
                "\"edits\":[{\"file\":\"defs.yaml\",\"line\":1,\"column\":6,\"end_line\":1,"
                "\"end_column\":9,\"start\":6,\"end\":9,\"text\":\"w\"}]}]}\n]\n");
}

static void sarif_names_rules_and_places(void **state)
{
    Fixture *f = *state;
    add_file(f, "a: 1\n");
    f->sources.files.items[f->file].path = S("my defs/a.yaml");
    diag_help(diag_report(&f->diag, W0113, at(f, "1"), "odd"), "quote it");
    assert_text(shown(f, DIAG_SARIF),
                "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","
                "\"runs\":[{\"tool\":{\"driver\":{\"name\":\"dgc\",\"rules\":[\n"
                "  {\"id\":\"W0113\",\"name\":\"yaml-1-2-differs\",\"shortDescription\":{\"text\":"
                "\"YAML 1.2 reads this scalar differently\"}}]}},"
                "\"columnKind\":\"unicodeCodePoints\",\"results\":[\n"
                "  {\"ruleId\":\"W0113\",\"level\":\"warning\",\"message\":{\"text\":"
                "\"odd\\nhelp: quote it\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":"
                "{\"uri\":\"my%20defs/a.yaml\"},\"region\":{\"startLine\":1,\"startColumn\":4,"
                "\"endLine\":1,\"endColumn\":5}}}],\"relatedLocations\":[],\"fixes\":[]}]}]}\n");
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void fixes_are_written_once_each(void **state)
{
    Fixture *f = *state;
    char path[] = "/tmp/test_diag_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "aa: 1\nbb: 2\ncc: 3\n");
    chmod(path, 0640);
    DgError err = {0};
    f->file = sources_load(&f->sources, S("defs.yaml"), str_from(path), &err);
    assert_true(f->file > 0);
    DiagItem *it = diag_report(&f->diag, E0107, at(f, "cc"), "third");
    diag_fix(it, FIX_MAYBE, at(f, "cc"), S("no"), "not safe");
    diag_fix(it, FIX_MACHINE, at(f, "cc"), S("see"), "safe");
    diag_fix(it, FIX_MACHINE, at(f, "3"), S("no"), "a further one");
    it = diag_report(&f->diag, E0107, at(f, "aa"), "first");
    diag_fix(it, FIX_MACHINE, at(f, "aa"), S("ah"), "safe");
    it = diag_report(&f->diag, E0108, at(f, "aa: 1"), "overlaps");
    diag_fix(it, FIX_MACHINE, at(f, "aa: 1"), S("no"), "too late");
    diag_finish(&f->diag);
    assert_int_equal(diag_apply_fixes(&f->diag, &err), 2);
    uint32_t again = sources_load(&f->sources, S("again"), str_from(path), &err);
    assert_text(sources_file(&f->sources, again)->text, "ah: 1\nbb: 2\nsee: 3\n");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(diag_apply_fixes(&f->diag, &err), -1); /* the file is another by now */
    assert_int_equal(err.status, DG_TEMPFAIL);
    unlink(path);
    assert_int_equal(sources_load(&f->sources, S("gone.yaml"), str_from(path), &err), 0);
    assert_string_equal(err.message, "could not open `gone.yaml`: No such file or directory");
}

static void codes_are_found_by_name_and_slug(void **state)
{
    DiagCode code;
    assert_true(diag_code_parse(S("e0107"), &code) && code == E0107);
    assert_true(diag_code_parse(S("unknown-attribute"), &code) && code == E0107);
    assert_false(diag_code_parse(S("E9999"), &code));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_near_name_is_suggested),
        TEST(names_that_are_not_near_are_not_suggested),
        TEST(places_in_other_files_follow),
        TEST(marks_on_one_line_share_it),
        TEST(a_span_over_lines_gets_a_bracket),
        TEST(columns_are_those_of_the_screen),
        TEST(long_lines_are_cut_around_the_mark),
        TEST(the_end_of_a_file_can_be_shown),
        TEST(fixes_show_what_they_make),
        TEST(duplicates_go_and_places_order),
        TEST(colour_is_asked_for),
        TEST(json_has_places_and_edits),
        TEST(sarif_names_rules_and_places),
        TEST(fixes_are_written_once_each),
        TEST(codes_are_found_by_name_and_slug),
    };
    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
