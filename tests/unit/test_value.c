/* Values: Python's text forms, arithmetic at its borders, collections, budgets. */
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>

#include "runtime/eval/value.h"

typedef struct Fixture {
    Arena arena;
    DgEval ev;
} Fixture;

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0);
    dg_eval_init(&f->ev, &f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    Fixture *f = *state;
    dg_eval_free(&f->ev);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static void repr_is(Fixture *f, DgValue v, const char *expected)
{
    assert_string_equal(str_cstr(&f->arena, dg_to_repr(&f->ev, v)), expected);
}

static void fails_with(Fixture *f, const char *expected)
{
    assert_string_equal(f->ev.error.message, expected);
    f->ev.error = (DgError){0};
}

static void floats_print_the_shortest_text_that_reads_back(void **state)
{
    Fixture *f = *state;
    repr_is(f, dgv_float(0.1), "0.1");
    repr_is(f, dgv_float(0.1 + 0.2), "0.30000000000000004");
    repr_is(f, dgv_float(100), "100.0");
    repr_is(f, dgv_float(1e16), "1e+16");
    repr_is(f, dgv_float(1e15), "1000000000000000.0");
    repr_is(f, dgv_float(1e-5), "1e-05");
    repr_is(f, dgv_float(0.0001), "0.0001");
    repr_is(f, dgv_float(5e-324), "5e-324");
    repr_is(f, dgv_float(-0.0), "-0.0");
    repr_is(f, dgv_float(1.7976931348623157e308), "1.7976931348623157e+308");
    repr_is(f, dgv_float(INFINITY), "inf");
}

static void integers_never_wrap(void **state)
{
    Fixture *f = *state;
    dg_mul(&f->ev, dgv_int(INT64_MAX), dgv_int(2));
    fails_with(f, "the result of `*` does not fit into 64 bits");
    dg_neg(&f->ev, dgv_int(INT64_MIN));
    fails_with(f, "the result of `-` does not fit into 64 bits");
    dg_floordiv(&f->ev, dgv_int(INT64_MIN), dgv_int(-1));
    fails_with(f, "the result of `//` does not fit into 64 bits");
    repr_is(f, dg_mod(&f->ev, dgv_int(INT64_MIN), dgv_int(-1)), "0");
    repr_is(f, dg_floordiv(&f->ev, dgv_int(-7), dgv_int(2)), "-4");
    repr_is(f, dg_mod(&f->ev, dgv_int(-7), dgv_int(2)), "1");
}

static void numbers_are_equal_across_kinds(void **state)
{
    Fixture *f = *state;
    assert_true(dgv_equal(dgv_int(1), dgv_float(1)));
    assert_true(dgv_equal(dgv_bool(true), dgv_int(1)));
    assert_false(dgv_equal(dgv_int(9007199254740993), dgv_float(9007199254740992.0)));
    assert_false(dgv_equal(dgv_str("1", 1), dgv_int(1)));
    DgValue d = dg_new_dict(&f->ev);
    dg_put(&f->ev, d, dgv_int(1), dgv_str("a", 1));
    dg_put(&f->ev, d, dgv_float(1), dgv_str("b", 1));
    repr_is(f, d, "{1: 'b'}");
    dg_put(&f->ev, d, dg_new_list(&f->ev, 0), dgv_none());
    fails_with(f, "a list cannot be a key of a dict");
}

static void the_first_error_stays(void **state)
{
    Fixture *f = *state;
    dg_add(&f->ev, dgv_int(1), dgv_none());
    dg_div(&f->ev, dgv_int(1), dgv_int(0));
    fails_with(f, "`+` does not work between int and NoneType");
    assert_false(dg_lt(&f->ev, dgv_str("a", 1), dgv_int(1)));
    fails_with(f, "str and int have no order");
}

static void a_list_within_itself_ends(void **state)
{
    Fixture *f = *state;
    DgValue l = dg_new_list(&f->ev, 0);
    dg_append(&f->ev, l, l);
    assert_true(dgv_equal(l, l));
    dg_to_repr(&f->ev, l);
    fails_with(f, "the template nests deeper than 64 levels");
    assert_false(dgv_has_secret(l));
}

static void pieces_become_text_or_stay_values(void **state)
{
    Fixture *f = *state;
    DgValue v;
    DgError err = {0};
    dg_begin(&f->ev, DG_RENDER_NATIVE);
    dg_print(&f->ev, dg_list(&f->ev, (DgValue[]){dgv_int(1)}, 1));
    assert_int_equal(dg_end(&f->ev, &v, &err), DG_OK);
    repr_is(f, v, "[1]");
    dg_begin(&f->ev, DG_RENDER_NATIVE);
    dg_print(&f->ev, dgv_int(1));
    dg_text(&f->ev, ".5", 2);
    assert_int_equal(dg_end(&f->ev, &v, &err), DG_OK);
    repr_is(f, v, "1.5");
    dg_begin(&f->ev, DG_RENDER_TEXT);
    dg_text(&f->ev, "a", 1);
    dg_capture(&f->ev);
    dg_print(&f->ev, dgv_taint(dgv_str("s", 1), true));
    DgValue inner = dg_captured(&f->ev);
    assert_true(inner.secret);
    dg_print(&f->ev, inner);
    assert_int_equal(dg_end(&f->ev, &v, &err), DG_OK);
    repr_is(f, v, "'as'");
    assert_true(v.secret);
}

static void arguments_are_spread_over_parameters(void **state)
{
    Fixture *f = *state;
    DgValue v[3] = {[2] = dgv_int(9)};
    DgArgs args = {(DgValue[]){dgv_int(1)}, 1, (DgStr[]){S("b")}, (DgValue[]){dgv_int(2)}, 1};
    assert_true(dg_args_spread(&f->ev, "f()", &args, "a b c", v, 2));
    assert_int_equal(v[0].as.i * 100 + v[1].as.i * 10 + v[2].as.i, 129);
    assert_false(dg_args_spread(&f->ev, "f()", &args, "b", v, 1));
    fails_with(f, "f() gets the argument `b` twice");
    assert_false(dg_args_spread(&f->ev, "f()", &args, "a c", v, 1));
    fails_with(f, "f() has no argument `b`");
}

static void dates_move_and_print(void **state)
{
    Fixture *f = *state;
    DgValue d = dg_datetime_from_us(&f->ev, 1706659200000000); /* 2024-01-31 */
    DgValue day = dg_call(&f->ev, dg_timedelta_class(), DG_ARGS(1, dgv_int(30)));
    DgValue later = dg_add(&f->ev, d, day);
    repr_is(f, later, "datetime.datetime(2024, 3, 1, 0, 0)");
    DgValue form = dgv_str("%a %d.%m.%y %j %V", 17);
    repr_is(f, dg_call_method(&f->ev, later, "strftime", DG_ARGS(1, form)), "'Fri 01.03.24 061 09'");
    repr_is(f, dg_sub(&f->ev, later, d), "datetime.timedelta(days=30)");
    repr_is(f, dgv_bool(dg_lt(&f->ev, d, later)), "True");
    DgValue cls = dg_datetime_class();
    DgValue text = dgv_str("31/12/1999 23:59", 16), how = dgv_str("%d/%m/%Y %H:%M", 14);
    repr_is(f, dg_call_method(&f->ev, cls, "strptime", DG_ARGS(2, text, how)),
            "datetime.datetime(1999, 12, 31, 23, 59)");
    f->ev.folding = true;
    dg_call_method(&f->ev, cls, "now", DG_NO_ARGS);
    assert_int_equal(f->ev.error.status, DG_TEMPFAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(floats_print_the_shortest_text_that_reads_back),
        T(integers_never_wrap),
        T(numbers_are_equal_across_kinds),
        T(the_first_error_stays),
        T(a_list_within_itself_ends),
        T(pieces_become_text_or_stay_values),
        T(arguments_are_spread_over_parameters),
        T(dates_move_and_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
