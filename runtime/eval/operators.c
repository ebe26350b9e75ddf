/* operators.c - arithmetic, logic and membership, as Python has them. */
#include "runtime/eval/internal.h"

static DgValue bad_operands(DgEval *ev, const char *op, DgValue a, DgValue b)
{
    if (is_undefined(a) || is_undefined(b)) {
        Str name = is_undefined(a) ? a.as.s : b.as.s;
        return dg_error(ev, DG_DATA, "`%.*s` is undefined", FMT(name));
    }
    return dg_type_error(ev, "`%s` does not work between %s and %s", op, dgv_type_name(a),
                         dgv_type_name(b));
}

static DgValue overflow(DgEval *ev, const char *op)
{
    return dg_error(ev, DG_DATA, "the result of `%s` does not fit into 64 bits", op);
}

static bool both_int(DgValue a, DgValue b) { return is_int(a) && is_int(b); }
static bool both_numbers(DgValue a, DgValue b) { return dgv_is_number(a) && dgv_is_number(b); }

/* An object on either side may know what to do. */
static DgValue object_arith(DgEval *ev, char op, const char *shown, DgValue a, DgValue b)
{
    DgValue sides[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        if (sides[i].kind != DG_V_OBJECT || !sides[i].as.object->type->arith)
            continue;
        DgError err = {0};
        DgValue out = dgv_undefined();
        DgStatus s = sides[i].as.object->type->arith(ev, op, a, b, &out, &err);
        if (s != DG_END)
            return dg_settle(ev, s, &err, out);
    }
    return bad_operands(ev, shown, a, b);
}

static DgValue join_lists(DgEval *ev, DgValue a, DgValue b)
{
    size_t n = a.as.list->count, m = b.as.list->count;
    DgValue v = dg_new_list(ev, n + m);
    if (dg_failed(ev))
        return v;
    if (n)
        memcpy(v.as.list->items, a.as.list->items, n * sizeof(DgValue));
    if (m)
        memcpy(v.as.list->items + n, b.as.list->items, m * sizeof(DgValue));
    v.kind = a.kind;
    return v;
}

DgValue dg_add(DgEval *ev, DgValue a, DgValue b)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    bool secret = a.secret || b.secret;
    if (both_int(a, b)) {
        int64_t sum;
        if (__builtin_add_overflow(int_of(a), int_of(b), &sum))
            return overflow(ev, "+");
        return dgv_taint(dgv_int(sum), secret);
    }
    if (both_numbers(a, b))
        return dgv_taint(dgv_float(float_of(a) + float_of(b)), secret);
    if (a.kind == b.kind && (is_str(a) || a.kind == DG_V_BYTES)) {
        if (!dg_charge(ev, (size_t)(a.as.s.len + b.as.s.len)))
            return dgv_undefined();
        DgValue v = dgv_from_str(str_concat(ev->arena, a.as.s, b.as.s));
        v.kind = a.kind;
        return dgv_taint(v, secret);
    }
    if (a.kind == b.kind && is_seq(a))
        return dgv_taint(join_lists(ev, a, b), secret);
    return object_arith(ev, '+', "+", a, b);
}

DgValue dg_sub(DgEval *ev, DgValue a, DgValue b)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    bool secret = a.secret || b.secret;
    if (both_int(a, b)) {
        int64_t difference;
        if (__builtin_sub_overflow(int_of(a), int_of(b), &difference))
            return overflow(ev, "-");
        return dgv_taint(dgv_int(difference), secret);
    }
    if (both_numbers(a, b))
        return dgv_taint(dgv_float(float_of(a) - float_of(b)), secret);
    return object_arith(ev, '-', "-", a, b);
}

static DgValue repeat(DgEval *ev, DgValue what, int64_t times)
{
    size_t n = times > 0 ? (size_t)times : 0;
    if (is_seq(what)) {
        size_t count = what.as.list->count;
        if (count && n > (size_t)LIMIT_TEMPLATE_STEPS / count)
            return dg_error(ev, DG_DATA, "the list is repeated too often");
        DgValue v = dg_new_list(ev, count * n);
        for (size_t i = 0; i < count * n && !dg_failed(ev); i++)
            v.as.list->items[i] = what.as.list->items[i % count];
        v.kind = what.kind;
        return v;
    }
    size_t len = (size_t)what.as.s.len;
    if (len && n > (size_t)LIMIT_TEMPLATE_BYTES / len)
        n = (size_t)LIMIT_TEMPLATE_BYTES / len + 1;
    if (!dg_charge(ev, len * n))
        return dgv_undefined();
    char *to = dg_make(ev, char, len * n + 1);
    if (!to)
        return dgv_undefined();
    for (size_t i = 0; len && i < n; i++)
        memcpy(to + i * len, what.as.s.ptr, len);
    DgValue v = dgv_str(to, (ptrdiff_t)(len * n));
    v.kind = what.kind;
    return v;
}

static bool repeats(DgValue v)
{
    return is_str(v) || v.kind == DG_V_BYTES || is_seq(v);
}

DgValue dg_mul(DgEval *ev, DgValue a, DgValue b)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    bool secret = a.secret || b.secret;
    if (both_int(a, b)) {
        int64_t product;
        if (__builtin_mul_overflow(int_of(a), int_of(b), &product))
            return overflow(ev, "*");
        return dgv_taint(dgv_int(product), secret);
    }
    if (both_numbers(a, b))
        return dgv_taint(dgv_float(float_of(a) * float_of(b)), secret);
    if (repeats(a) && is_int(b))
        return dgv_taint(repeat(ev, a, int_of(b)), secret);
    if (is_int(a) && repeats(b))
        return dgv_taint(repeat(ev, b, int_of(a)), secret);
    return object_arith(ev, '*', "*", a, b);
}

static bool zero_divisor(DgEval *ev, DgValue b)
{
    if (float_of(b) != 0)
        return false;
    dg_error(ev, DG_DATA, "division by zero");
    return true;
}

DgValue dg_div(DgEval *ev, DgValue a, DgValue b)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    if (!both_numbers(a, b))
        return object_arith(ev, '/', "/", a, b);
    if (zero_divisor(ev, b))
        return dgv_undefined();
    return dgv_taint(dgv_float(float_of(a) / float_of(b)), a.secret || b.secret);
}

/* Python's float modulo: the sign is that of the divisor. */
static double float_mod(double a, double b, double *quotient)
{
    double mod = fmod(a, b);
    double div = (a - mod) / b;
    if (mod != 0) {
        if ((b < 0) != (mod < 0)) {
            mod += b;
            div -= 1;
        }
    } else {
        mod = copysign(0.0, b);
    }
    *quotient = div != 0 ? (div - floor(div) > 0.5 ? floor(div) + 1 : floor(div))
                         : copysign(0.0, a / b);
    return mod;
}

DgValue dg_floordiv(DgEval *ev, DgValue a, DgValue b)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    if (!both_numbers(a, b))
        return object_arith(ev, 'f', "//", a, b);
    if (zero_divisor(ev, b))
        return dgv_undefined();
    bool secret = a.secret || b.secret;
    if (!both_int(a, b)) {
        double quotient;
        float_mod(float_of(a), float_of(b), &quotient);
        return dgv_taint(dgv_float(quotient), secret);
    }
    int64_t x = int_of(a), y = int_of(b);
    if (x == INT64_MIN && y == -1)
        return overflow(ev, "//");
    int64_t q = x / y;
    if (x % y != 0 && (x < 0) != (y < 0))
        q--;
    return dgv_taint(dgv_int(q), secret);
}

DgValue dg_mod(DgEval *ev, DgValue a, DgValue b)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    bool secret = a.secret || b.secret;
    if (is_str(a))
        return dgv_taint(dg_format_percent(ev, a.as.s, b), secret || dgv_has_secret(b));
    if (!both_numbers(a, b))
        return bad_operands(ev, "%", a, b);
    if (zero_divisor(ev, b))
        return dgv_undefined();
    if (!both_int(a, b)) {
        double quotient;
        return dgv_taint(dgv_float(float_mod(float_of(a), float_of(b), &quotient)), secret);
    }
    int64_t x = int_of(a), y = int_of(b);
    int64_t r = y == -1 ? 0 : x % y;
    if (r != 0 && (r < 0) != (y < 0))
        r += y;
    return dgv_taint(dgv_int(r), secret);
}

static DgValue int_pow(DgEval *ev, int64_t base, int64_t exponent)
{
    int64_t result = 1;
    while (exponent > 0) {
        if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
            return overflow(ev, "**");
        exponent >>= 1;
        if (exponent && __builtin_mul_overflow(base, base, &base))
            return overflow(ev, "**");
    }
    return dgv_int(result);
}

DgValue dg_pow(DgEval *ev, DgValue a, DgValue b)
{
    if (!dg_step(ev, 1))
        return dgv_undefined();
    if (!both_numbers(a, b))
        return bad_operands(ev, "**", a, b);
    bool secret = a.secret || b.secret;
    if (both_int(a, b) && int_of(b) >= 0)
        return dgv_taint(int_pow(ev, int_of(a), int_of(b)), secret);
    double x = float_of(a), y = float_of(b);
    if (x == 0 && y < 0)
        return dg_error(ev, DG_DATA, "zero cannot be raised to a negative power");
    if (x < 0 && y != floor(y))
        return dg_error(ev, DG_DATA, "a negative number to a fractional power is complex");
    double r = pow(x, y);
    if (isinf(r) && !isinf(x) && !isinf(y))
        return dg_error(ev, DG_DATA, "the result of `**` is too large");
    return dgv_taint(dgv_float(r), secret);
}

DgValue dg_neg(DgEval *ev, DgValue a)
{
    if (is_int(a)) {
        if (int_of(a) == INT64_MIN)
            return overflow(ev, "-");
        return dgv_taint(dgv_int(-int_of(a)), a.secret);
    }
    if (a.kind == DG_V_FLOAT)
        return dgv_taint(dgv_float(-a.as.f), a.secret);
    if (a.kind == DG_V_OBJECT)
        return object_arith(ev, '*', "-", a, dgv_int(-1));
    if (is_undefined(a))
        return dg_error(ev, DG_DATA, "`%.*s` is undefined", FMT(a.as.s));
    return dg_type_error(ev, "`-` does not work on %s", dgv_type_name(a));
}

DgValue dg_pos(DgEval *ev, DgValue a)
{
    if (is_int(a))
        return dgv_taint(dgv_int(int_of(a)), a.secret);
    if (a.kind == DG_V_FLOAT)
        return a;
    if (is_undefined(a))
        return dg_error(ev, DG_DATA, "`%.*s` is undefined", FMT(a.as.s));
    return dg_type_error(ev, "`+` does not work on %s", dgv_type_name(a));
}

DgValue dg_concat(DgEval *ev, const DgArgs *parts)
{
    StrBuf b = dg_buf(ev);
    bool secret = false;
    for (size_t i = 0; i < parts->count && dg_step(ev, 1); i++) {
        dg_write_str(ev, &b, parts->items[i]);
        secret = secret || dgv_has_secret(parts->items[i]);
    }
    return dg_take_value(ev, &b, secret);
}

bool dg_truthy(DgEval *ev, DgValue v)
{
    if (dg_failed(ev))
        return false;
    switch ((DgValueKind)v.kind) {
    case DG_V_UNDEFINED:
    case DG_V_NONE: return false;
    case DG_V_BOOL: return v.as.b;
    case DG_V_INT: return v.as.i != 0;
    case DG_V_FLOAT: return v.as.f != 0;
    case DG_V_STR:
    case DG_V_BYTES: return v.as.s.len > 0;
    case DG_V_LIST:
    case DG_V_TUPLE: return v.as.list->count > 0;
    case DG_V_DICT: return v.as.dict->count > 0;
    case DG_V_OBJECT:
        return v.as.object->type->truthy ? v.as.object->type->truthy(v.as.object) : true;
    case DG_V_FUNC: return true;
    }
    return true;
}

DgValue dg_not(DgEval *ev, DgValue v)
{
    return dgv_taint(dgv_bool(!dg_truthy(ev, v)), v.secret);
}

bool dg_eq(DgEval *ev, DgValue a, DgValue b)
{
    return dg_step(ev, 1) && dgv_equal(a, b);
}

/* NaN has no order: both directions are false. */
static bool unordered(DgValue a, DgValue b)
{
    return both_numbers(a, b) && (isnan(float_of(a)) || isnan(float_of(b)));
}

bool dg_lt(DgEval *ev, DgValue a, DgValue b)
{
    return dg_step(ev, 1) && !unordered(a, b) && dg_compare(ev, a, b) < 0 && !dg_failed(ev);
}

bool dg_le(DgEval *ev, DgValue a, DgValue b)
{
    return dg_step(ev, 1) && !unordered(a, b) && dg_compare(ev, a, b) <= 0 && !dg_failed(ev);
}

bool dg_gt(DgEval *ev, DgValue a, DgValue b)
{
    return dg_lt(ev, b, a);
}

bool dg_ge(DgEval *ev, DgValue a, DgValue b)
{
    return dg_le(ev, b, a);
}

bool dg_in(DgEval *ev, DgValue needle, DgValue hay)
{
    if (!dg_step(ev, 1))
        return false;
    if (is_str(hay)) {
        if (is_str(needle))
            return str_find(hay.as.s, needle.as.s) >= 0;
        dg_type_error(ev, "`in` a text needs a text on its left, not %s", dgv_type_name(needle));
        return false;
    }
    if (is_dict(hay)) {
        if (dgv_hashable(needle, 32))
            return dgv_get(hay, needle) != NULL;
        dg_type_error(ev, "a %s cannot be a key of a dict", dgv_type_name(needle));
        return false;
    }
    DgValue list = is_seq(hay) ? hay : dg_iterate(ev, hay);
    if (dg_failed(ev) || !dg_step(ev, 1 + list.as.list->count / 8))
        return false;
    for (size_t i = 0; i < list.as.list->count; i++)
        if (dgv_equal(list.as.list->items[i], needle))
            return true;
    return false;
}
