/* tests.c - what may stand right of `is`. */
#include "runtime/eval/internal.h"

static bool one(DgEval *ev, const DgArgs *args, DgValue *v)
{
    return dg_args_spread(ev, "the test", args, "value", v, 1);
}

static bool two(DgEval *ev, const DgArgs *args, DgValue v[2])
{
    return dg_args_spread(ev, "the test", args, "value other", v, 2);
}

#define ONE(name, condition)                               \
    bool dg_test_##name(DgEval *ev, const DgArgs *args)    \
    {                                                      \
        DgValue v;                                         \
        return one(ev, args, &v) && (condition);           \
    }
#define TWO(name, condition)                               \
    bool dg_test_##name(DgEval *ev, const DgArgs *args)    \
    {                                                      \
        DgValue v[2];                                      \
        return two(ev, args, v) && (condition);            \
    }

static bool iterable(DgValue v)
{
    return is_seq(v) || is_str(v) || is_dict(v) || is_undefined(v) || v.kind == DG_V_BYTES ||
           (v.kind == DG_V_OBJECT && v.as.object->type->iterate);
}

/* upper and lower: text with letters, none of which is of the other case. */
static bool all_case(DgEval *ev, DgValue v, const char *method)
{
    DgValue text = dgv_from_str(dg_to_str(ev, v));
    return dg_truthy(ev, dg_call_method(ev, text, method, DG_NO_ARGS));
}

static int64_t remainder_of(DgEval *ev, DgValue v, DgValue by)
{
    DgValue r = dg_mod(ev, v, by);
    if (r.kind == DG_V_FLOAT)
        return r.as.f == 0 ? 0 : r.as.f == 1 ? 1 : 2;
    return is_int(r) ? int_of(r) : -1;
}

static bool same(DgValue a, DgValue b)
{
    if (a.kind != b.kind)
        return false;
    if (is_seq(a))
        return a.as.list == b.as.list;
    if (is_dict(a))
        return a.as.dict == b.as.dict;
    return is_object(a) ? a.as.object == b.as.object : dgv_equal(a, b);
}

ONE(boolean, v.kind == DG_V_BOOL)
ONE(callable, is_object(v) && v.as.object->type->call)
ONE(defined, v.kind != DG_V_UNDEFINED)
ONE(undefined, v.kind == DG_V_UNDEFINED)
ONE(escaped, false)
ONE(even, remainder_of(ev, v, dgv_int(2)) == 0)
ONE(odd, remainder_of(ev, v, dgv_int(2)) == 1)
ONE(false, v.kind == DG_V_BOOL && !v.as.b)
ONE(true, v.kind == DG_V_BOOL && v.as.b)
ONE(filter, is_str(v) && dg_filter_find(v.as.s, NULL))
ONE(test, is_str(v) && dg_test_find(v.as.s, NULL))
ONE(float, v.kind == DG_V_FLOAT)
ONE(integer, v.kind == DG_V_INT)
ONE(iterable, iterable(v))
ONE(mapping, v.kind == DG_V_DICT)
ONE(none, v.kind == DG_V_NONE)
ONE(number, dgv_is_number(v))
ONE(sequence, is_seq(v) || is_str(v) || is_dict(v) || v.kind == DG_V_BYTES || is_undefined(v))
ONE(string, v.kind == DG_V_STR)
ONE(lower, all_case(ev, v, "islower"))
ONE(upper, all_case(ev, v, "isupper"))
TWO(divisibleby, remainder_of(ev, v[0], v[1]) == 0)
TWO(eq, dg_eq(ev, v[0], v[1]))
TWO(ne, !dg_eq(ev, v[0], v[1]))
TWO(lt, dg_lt(ev, v[0], v[1]))
TWO(le, dg_le(ev, v[0], v[1]))
TWO(gt, dg_gt(ev, v[0], v[1]))
TWO(ge, dg_ge(ev, v[0], v[1]))
TWO(in, dg_in(ev, v[0], v[1]))
TWO(sameas, same(v[0], v[1]))
