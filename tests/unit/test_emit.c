/* test_emit.c - the writer of C text: names, literals, places, quotes. */
#include "tests/test.h"

#include "codegen/emit.h"

typedef struct Fixture {
    Arena arena;
    Sources sources;
    uint32_t yaml;
} Fixture;

static int setup(void **state)
{
    static Fixture f;
    f = (Fixture){0};
    arena_init(&f.arena, 0);
    sources_init(&f.sources, &f.arena);
    f.yaml = sources_add(&f.sources, S("defs/a.yaml"), S("type: x\nattributes:\n  a: 1\n  b: \"*/\"\n"));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    arena_free(&((Fixture *)*state)->arena);
    return 0;
}

static void names_are_identifiers_and_never_collide(void **state)
{
    Fixture *f = *state;
    Emit *e = emit_new(&f->arena, &f->sources, false);
    assert_text(emit_name(e, S("raw/flights")), "raw_flights");
    assert_text(emit_name(e, S("raw/flights")), "raw_flights");
    assert_text(emit_name(e, S("raw.flights")), "raw_flights_2");
    assert_text(emit_name(e, S("2024 sales")), "_2024_sales");
    assert_text(emit_name(e, S("int")), "my_int");
    assert_text(emit_name(e, S("dg_main")), "my_dg_main");
    assert_text(emit_name(e, S("steps")), "my_steps");
    assert_text(emit_name(e, S("")), "unnamed");
    assert_text(emit_fresh(e, S("raw/flights")), "raw_flights_3");
}

static void strings_survive_every_byte(void **state)
{
    Fixture *f = *state;
    assert_text(c_string(&f->arena, S("a\"b\\c\n\t?\?/\x01\x7f")), "\"a\\\"b\\\\c\\n\\011\\077\\077/\\001\\177\"");
    assert_text(c_string(&f->arena, (Str){"x\0" "1", 3}), "\"x\\0001\"");
    assert_text(c_string(&f->arena, S("\xc3\xa9")), "\"\xc3\xa9\"");
}

static void numbers_round_trip(void **state)
{
    Fixture *f = *state;
    assert_text(c_double(&f->arena, 0.1), "0.1");
    assert_text(c_double(&f->arena, 1), "1.0");
    assert_text(c_double(&f->arena, 1e300), "1e+300");
    assert_text(c_double(&f->arena, 0.1 + 0.2), "0.30000000000000004");
    assert_text(c_double(&f->arena, -1.0 / 0.0), "(-1.0 / 0.0)");
}

static Span line_of(const Fixture *f, const char *what)
{
    Str text = sources_file(&f->sources, f->yaml)->text;
    ptrdiff_t at = str_find(text, str_from(what));
    return (Span){f->yaml, (uint32_t)at, (uint32_t)at + 1};
}

static Str sample(Fixture *f, bool directives)
{
    Emit *e = emit_new(&f->arena, &f->sources, directives);
    emit_section(e, EMIT_FUNCS);
    emit_at(e, line_of(f, "attributes"));
    emit_open(e, "static void f(void)");
    emit_at(e, line_of(f, "a: 1"));
    emit_line(e, "one();");
    emit_at(e, line_of(f, "b:"));
    emit_line(e, "two();");
    emit_line(e, "three();");
    emit_close(e, "");
    emit_section(e, EMIT_HEAD);
    emit_line(e, "/* head */");
    return emit_finish(e);
}

static void people_see_places_behind_the_lines(void **state)
{
    assert_text(sample(*state, false),
                "/* head */\n\n/* ---- functions ---- */\n\n"
                "static void f(void)                                              /* defs/a.yaml:2 */\n"
                "{\n"
                "    one();                                                       /* defs/a.yaml:3 */\n"
                "    two();                                                       /* defs/a.yaml:4 */\n"
                "    three();\n"
                "}\n");
}

/* Consecutive YAML lines need one directive; what has no place is sent back to pipeline.c. */
static void compilers_are_told_only_where_they_would_be_wrong(void **state)
{
    assert_text(sample(*state, true),
                "/* head */\n\n/* ---- functions ---- */\n\n"
                "#line 2 \"defs/a.yaml\"\n"
                "static void f(void)\n"
                "#line 8 \"pipeline.c\"\n"
                "{\n"
                "#line 3 \"defs/a.yaml\"\n"
                "    one();\n"
                "    two();\n"
                "#line 13 \"pipeline.c\"\n"
                "    three();\n"
                "}\n");
}

static void quoted_yaml_cannot_end_the_comment(void **state)
{
    Fixture *f = *state;
    Emit *e = emit_new(&f->arena, &f->sources, false);
    emit_quote(e, (Span){f->yaml, 0, (uint32_t)sources_file(&f->sources, f->yaml)->text.len});
    assert_text(emit_finish(e), "/* defs/a.yaml:1\n *   type: x\n *   attributes:\n *     a: 1\n"
                                " *     b: \"* /\"\n */\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_identifiers_and_never_collide, setup, teardown),
        cmocka_unit_test_setup_teardown(strings_survive_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(people_see_places_behind_the_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(compilers_are_told_only_where_they_would_be_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(quoted_yaml_cannot_end_the_comment, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
