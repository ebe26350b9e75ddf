/* expression_eval.c - the value of a tree. Integers never wrap, texts are bounded. */
#include <math.h>
#include <stdio.h>

#include "runtime/copy/expression_internal.h"
#include "runtime/os/os.h"

DgValue expr_str(Str s)
{
    return (DgValue){.kind = DG_V_STR, .as.s = s};
}

static DgValue truth(bool b)
{
    return (DgValue){.kind = DG_V_BOOL, .as.b = b};
}

Str expr_number_text(char *room, size_t size, DgValue v)
{
    int n = 0;
    if (v.kind == DG_V_BOOL)
        return v.as.b ? S("true") : S("false");
    if (v.kind == DG_V_INT)
        n = snprintf(room, size, "%lld", (long long)v.as.i);
    else if (v.kind == DG_V_FLOAT)
        n = snprintf(room, size, v.as.f == floor(v.as.f) && fabs(v.as.f) < 1e15 ? "%.0f" : "%.17g", v.as.f);
    return n ? (Str){room, n} : (Str){0};
}

Str expr_text(Arena *a, DgValue v)
{
    char room[64];
    Str s = v.kind == DG_V_STR ? v.as.s : expr_number_text(room, sizeof room, v);
    return s.ptr == room ? str_copy(a, s) : s;
}

static const char *kind_name(DgValue v)
{
    return v.kind == DG_V_STR ? "a text" : v.kind == DG_V_BOOL ? "a truth value" : v.kind == DG_V_NONE ? "null" : "a number";
}

static bool is_number(DgValue v)
{
    return v.kind == DG_V_INT || v.kind == DG_V_FLOAT;
}

static double as_double(DgValue v)
{
    return v.kind == DG_V_INT ? (double)v.as.i : v.as.f;
}

/* ---- Comparing ---- */

static int compare_numbers(DgValue a, DgValue b)
{
    if (a.kind == DG_V_INT && b.kind == DG_V_INT)
        return a.as.i < b.as.i ? -1 : a.as.i > b.as.i;
    double x = as_double(a), y = as_double(b);
    if (x != y) /* NaN is larger than all, as in the databases */
        return isnan(x) ? 1 : isnan(y) ? -1 : x < y ? -1 : 1;
    /* Equal when rounded: an integer past 2^53 is looked at exactly. */
    const DgValue *whole = a.kind == DG_V_INT ? &a : b.kind == DG_V_INT ? &b : NULL;
    if (!whole || fabs(x) < 9007199254740992.0)
        return 0;
    if (x >= 9223372036854775808.0)
        return whole == &a ? -1 : 1;
    int64_t other = (int64_t)(whole == &a ? y : x);
    int sign = whole->as.i < other ? -1 : whole->as.i > other;
    return whole == &a ? sign : -sign;
}

DgStatus expr_compare(DgValue a, DgValue b, int *out, bool *null, DgError *err)
{
    *null = a.kind == DG_V_NONE || b.kind == DG_V_NONE;
    *out = 0;
    if (*null)
        return DG_OK;
    if (is_number(a) && is_number(b))
        *out = compare_numbers(a, b);
    else if (a.kind == DG_V_STR && b.kind == DG_V_STR)
        *out = str_cmp(a.as.s, b.as.s);
    else if (a.kind == DG_V_BOOL && b.kind == DG_V_BOOL)
        *out = (int)a.as.b - (int)b.as.b;
    else
        return dg_fail(err, DG_DATA, "%s and %s cannot be compared", kind_name(a), kind_name(b));
    return DG_OK;
}

DgStatus dg_expr_compare(ExprOp op, const DgValue *x, const DgValue *y, DgValue *out, DgError *err)
{
    DgValue a = *x, b = *y;
    int order;
    bool null, equality = op == EXPR_EQ || op == EXPR_NE;
    if (equality && (a.kind == DG_V_NONE || b.kind == DG_V_NONE)) {
        *out = truth((a.kind == b.kind) == (op == EXPR_EQ));
        return DG_OK;
    }
    DG_TRY(expr_compare(a, b, &order, &null, err));
    *out = null           ? (DgValue){.kind = DG_V_NONE}
           : op == EXPR_EQ ? truth(order == 0)
           : op == EXPR_NE ? truth(order != 0)
           : op == EXPR_LT ? truth(order < 0)
           : op == EXPR_LE ? truth(order <= 0)
           : op == EXPR_GT ? truth(order > 0)
                           : truth(order >= 0);
    return DG_OK;
}

/* ---- Arithmetic ---- */

static bool whole_numbers(ExprOp op, int64_t a, int64_t b, int64_t *out)
{
    switch (op) {
    case EXPR_ADD: return !__builtin_add_overflow(a, b, out);
    case EXPR_SUB: return !__builtin_sub_overflow(a, b, out);
    case EXPR_MUL: return !__builtin_mul_overflow(a, b, out);
    default: /* REM */
        *out = b == -1 ? 0 : a % b;
        return true;
    }
}

DgStatus dg_expr_arithmetic(ExprOp op, const ExprScope *s, const DgValue *left, const DgValue *right, DgValue *out, DgError *err)
{
    DgValue a = *left, b = *right;
    *out = (DgValue){.kind = DG_V_NONE};
    if (a.kind == DG_V_NONE || b.kind == DG_V_NONE)
        return DG_OK;
    if (op == EXPR_ADD && (a.kind == DG_V_STR || b.kind == DG_V_STR)) {
        Str x = expr_text(s->scratch, a), y = expr_text(s->scratch, b);
        if (x.len + y.len > EXPR_TEXT_MAX)
            return dg_fail(err, DG_DATA, "a text of an expression passes %d bytes", EXPR_TEXT_MAX);
        *out = expr_str(str_concat(s->scratch, x, y));
        return s->scratch->failed ? os_no_memory(err, "evaluating an expression") : DG_OK;
    }
    if (!is_number(a) || !is_number(b))
        return dg_fail(err, DG_DATA, "%s and %s are nothing to calculate with", kind_name(a), kind_name(b));
    if ((op == EXPR_DIV || op == EXPR_REM) && as_double(b) == 0)
        return dg_fail(err, DG_DATA, "division by zero");
    bool whole = a.kind == DG_V_INT && b.kind == DG_V_INT;
    if (whole && op == EXPR_DIV && b.as.i != -1 && a.as.i % b.as.i == 0) {
        *out = (DgValue){.kind = DG_V_INT, .as.i = a.as.i / b.as.i};
    } else if (whole && op != EXPR_DIV) {
        out->kind = DG_V_INT;
        if (!whole_numbers(op, a.as.i, b.as.i, &out->as.i))
            return dg_fail(err, DG_DATA, "a number of an expression does not fit 64 bits");
    } else {
        double x = as_double(a), y = as_double(b);
        out->kind = DG_V_FLOAT;
        out->as.f = op == EXPR_ADD ? x + y : op == EXPR_SUB ? x - y : op == EXPR_MUL ? x * y : op == EXPR_DIV ? x / y : fmod(x, y);
    }
    return DG_OK;
}

DgStatus dg_expr_negative(const DgValue *of, DgValue *out, DgError *err)
{
    DgValue v = *of;
    *out = v;
    if (v.kind == DG_V_FLOAT)
        out->as.f = -v.as.f;
    else if (v.kind == DG_V_INT && v.as.i != INT64_MIN)
        out->as.i = -v.as.i;
    else if (v.kind != DG_V_NONE)
        return dg_fail(err, DG_DATA, v.kind == DG_V_INT ? "a number of an expression does not fit 64 bits" : "%s has no negative", kind_name(v));
    return DG_OK;
}

/* ---- Names ---- */

static DgStatus look_up(const ExprScope *s, Str name, DgValue *out, DgError *err)
{
    DgStatus status = s->name ? s->name(s->context, name, out, err) : DG_END;
    return status == DG_END ? dg_fail(err, DG_CONFIG, "there is no `%.*s` in an expression", FMT(name)) : status;
}

/* `"{stream_table} has {run.total_rows}"`. What is no name in braces stays. */
static DgStatus fill_in(const ExprScope *s, Str text, DgValue *out, DgError *err)
{
    StrBuf b = {.max = EXPR_TEXT_MAX};
    DgStatus status = DG_OK;
    while (text.len && status == DG_OK) {
        ptrdiff_t open = str_find_char(text, '{');
        ptrdiff_t close = open < 0 ? -1 : str_find_char(str_sub(text, open, text.len), '}');
        if (close < 0)
            break;
        Str name = str_trim(str_sub(text, open + 1, open + close));
        DgValue v = {.kind = DG_V_NONE};
        buf_add(&b, str_sub(text, 0, open));
        status = look_up(s, name, &v, err);
        buf_add(&b, expr_text(s->scratch, v));
        text = str_sub(text, open + close + 1, text.len);
    }
    buf_add(&b, text);
    *out = expr_str(str_copy(s->scratch, buf_str(&b)));
    if (status == DG_OK && (b.failed || s->scratch->failed))
        status = dg_fail(err, DG_DATA, "a text of an expression passes %d bytes", EXPR_TEXT_MAX);
    buf_free(&b);
    return status;
}

/* ---- Trees ---- */

DgStatus dg_expr_truth(const DgValue *v, int *out, DgError *err)
{
    *out = v->kind == DG_V_NONE ? -1 : v->kind == DG_V_BOOL && v->as.b;
    return v->kind == DG_V_NONE || v->kind == DG_V_BOOL ? DG_OK : dg_fail(err, DG_DATA, "%s is neither true nor false", kind_name(*v));
}

DgStatus expr_truth(const Expr *e, const ExprScope *scope, int *out, DgError *err)
{
    DgValue v;
    DG_TRY(expr_eval(e, scope, &v, err));
    return dg_expr_truth(&v, out, err);
}

/* Three values, and the right side only when it matters. */
static DgStatus logic(const Expr *e, const ExprScope *s, DgValue *out, DgError *err)
{
    int a, b, decides = e->op == EXPR_OR;
    DG_TRY(expr_truth(e->args[0], s, &a, err));
    if (a != decides) {
        DG_TRY(expr_truth(e->args[1], s, &b, err));
        a = b == decides ? b : a < 0 || b < 0 ? -1 : !decides;
    }
    *out = a < 0 ? (DgValue){.kind = DG_V_NONE} : truth(a);
    return DG_OK;
}

static DgStatus call(const Expr *e, const ExprScope *s, DgValue *out, DgError *err)
{
    DgValue args[EXPR_ARGS_MAX];
    bool null = false;
    for (int i = 0; i < e->count; i++) {
        DG_TRY(expr_eval(e->args[i], s, &args[i], err));
        null = null || args[i].kind == DG_V_NONE;
    }
    *out = (DgValue){.kind = DG_V_NONE};
    if (null && !e->function->nulls)
        return DG_OK;
    DG_TRY(e->function->call(s, args, e->count, out, err));
    return s->scratch->failed ? os_no_memory(err, "evaluating an expression") : DG_OK;
}

DgStatus expr_eval(const Expr *e, const ExprScope *s, DgValue *out, DgError *err)
{
    DgValue a, b;
    int is;
    switch (e->op) {
    case EXPR_CONSTANT:
        *out = e->value;
        return s->braces && out->kind == DG_V_STR && str_find_char(out->as.s, '{') >= 0 ? fill_in(s, out->as.s, out, err) : DG_OK;
    case EXPR_NAME:
        if (!s->in)
            return look_up(s, e->name, out, err);
        *out = s->in[e->slot][s->row];
        return DG_OK;
    case EXPR_CALL: return call(e, s, out, err);
    case EXPR_CHOOSE:
        DG_TRY(expr_truth(e->args[0], s, &is, err));
        return expr_eval(e->args[is == 1 ? 1 : 2], s, out, err);
    case EXPR_OR:
    case EXPR_AND: return logic(e, s, out, err);
    case EXPR_NOT:
        DG_TRY(expr_truth(e->args[0], s, &is, err));
        *out = is < 0 ? (DgValue){.kind = DG_V_NONE} : truth(!is);
        return DG_OK;
    case EXPR_NEG:
        DG_TRY(expr_eval(e->args[0], s, &a, err));
        return dg_expr_negative(&a, out, err);
    default: break;
    }
    DG_TRY(expr_eval(e->args[0], s, &a, err));
    DG_TRY(expr_eval(e->args[1], s, &b, err));
    return e->op <= EXPR_GE ? dg_expr_compare(e->op, &a, &b, out, err) : dg_expr_arithmetic(e->op, s, &a, &b, out, err);
}
