/* value.c - making, telling apart, comparing and hashing values. */
#include "runtime/eval/internal.h"

enum { COMPARE_DEPTH = 100 }; /* deeper values (or cycles) count as different */

DgValue dgv_undefined(void) { return (DgValue){.kind = DG_V_UNDEFINED}; }
DgValue dgv_none(void) { return (DgValue){.kind = DG_V_NONE}; }
DgValue dgv_bool(bool b) { return (DgValue){.kind = DG_V_BOOL, .as.b = b}; }
DgValue dgv_int(int64_t i) { return (DgValue){.kind = DG_V_INT, .as.i = i}; }
DgValue dgv_float(double f) { return (DgValue){.kind = DG_V_FLOAT, .as.f = f}; }

DgValue dgv_str(const char *ptr, ptrdiff_t len)
{
    return (DgValue){.kind = DG_V_STR, .as.s = {ptr, len}};
}

DgValue dgv_bytes(const char *ptr, ptrdiff_t len)
{
    return (DgValue){.kind = DG_V_BYTES, .as.s = {ptr, len}};
}

DgValue dgv_from_str(Str s)
{
    return (DgValue){.kind = DG_V_STR, .as.s = {s.ptr ? s.ptr : "", s.len}};
}

DgValue dgv_object(const DgObject *o)
{
    return (DgValue){.kind = DG_V_OBJECT, .as.object = o};
}

DgValue dg_undefined_named(Str name)
{
    return (DgValue){.kind = DG_V_UNDEFINED, .as.s = name};
}

DgValue dgv_taint(DgValue v, bool secret)
{
    v.secret = v.secret || secret;
    return v;
}

bool dgv_is_number(DgValue v)
{
    return v.kind == DG_V_BOOL || v.kind == DG_V_INT || v.kind == DG_V_FLOAT;
}

const char *dgv_type_name(DgValue v)
{
    switch ((DgValueKind)v.kind) {
    case DG_V_UNDEFINED: return "Undefined";
    case DG_V_NONE: return "NoneType";
    case DG_V_BOOL: return "bool";
    case DG_V_INT: return "int";
    case DG_V_FLOAT: return "float";
    case DG_V_STR: return "str";
    case DG_V_BYTES: return "bytes";
    case DG_V_LIST: return "list";
    case DG_V_TUPLE: return "tuple";
    case DG_V_DICT: return "dict";
    case DG_V_OBJECT:
        return dgv_is_record(v) ? dgv_record_class(v).ptr : v.as.object->type->name;
    case DG_V_FUNC: return "function";
    }
    return "value";
}

static bool has_secret(DgValue v, int depth)
{
    if (v.secret)
        return true;
    if (depth <= 0)
        return false;
    if (is_seq(v)) {
        for (size_t i = 0; i < v.as.list->count; i++)
            if (has_secret(v.as.list->items[i], depth - 1))
                return true;
    } else if (is_dict(v)) {
        for (size_t i = 0; i < v.as.dict->count; i++)
            if (has_secret(v.as.dict->keys[i], depth - 1) ||
                has_secret(v.as.dict->values[i], depth - 1))
                return true;
    } else if (dgv_is_record(v)) {
        return has_secret(dgv_record_fields(v), depth - 1);
    }
    return false;
}

bool dgv_has_secret(DgValue v)
{
    return has_secret(v, 16);
}

/* ---- Equality ---- */

static bool equal_at(DgValue a, DgValue b, int depth);

static bool lists_equal(DgValue a, DgValue b, int depth)
{
    if (a.as.list->count != b.as.list->count)
        return false;
    for (size_t i = 0; i < a.as.list->count; i++)
        if (!equal_at(a.as.list->items[i], b.as.list->items[i], depth - 1))
            return false;
    return true;
}

static bool dicts_equal(DgValue a, DgValue b, int depth)
{
    if (a.as.dict->count != b.as.dict->count)
        return false;
    for (size_t i = 0; i < a.as.dict->count; i++) {
        const DgValue *other = dgv_get(b, a.as.dict->keys[i]);
        if (!other || !equal_at(a.as.dict->values[i], *other, depth - 1))
            return false;
    }
    return true;
}

static bool objects_equal(const DgObject *a, const DgObject *b)
{
    if (a == b)
        return true;
    return a->type == b->type && a->type->equal && a->type->equal(a, b);
}

/* An int against a float without losing the int's low bits. */
static bool int_float_equal(int64_t i, double f)
{
    return f >= -0x1p63 && f < 0x1p63 && (double)(int64_t)f == f && (int64_t)f == i;
}

static bool equal_at(DgValue a, DgValue b, int depth)
{
    if (depth <= 0)
        return false;
    if (is_int(a) && is_int(b))
        return int_of(a) == int_of(b);
    if (a.kind == DG_V_FLOAT && b.kind == DG_V_FLOAT)
        return a.as.f == b.as.f;
    if (is_int(a) && b.kind == DG_V_FLOAT)
        return int_float_equal(int_of(a), b.as.f);
    if (a.kind == DG_V_FLOAT && is_int(b))
        return int_float_equal(int_of(b), a.as.f);
    if (a.kind != b.kind)
        return false;
    switch ((DgValueKind)a.kind) {
    case DG_V_STR:
    case DG_V_BYTES: return str_eq(a.as.s, b.as.s);
    case DG_V_LIST:
    case DG_V_TUPLE: return a.as.list == b.as.list || lists_equal(a, b, depth);
    case DG_V_DICT: return a.as.dict == b.as.dict || dicts_equal(a, b, depth);
    case DG_V_OBJECT:
    case DG_V_FUNC: return objects_equal(a.as.object, b.as.object);
    default: return true; /* None, Undefined */
    }
}

bool dgv_equal(DgValue a, DgValue b)
{
    return equal_at(a, b, COMPARE_DEPTH);
}

/* ---- Order ---- */

static int compare_numbers(DgValue a, DgValue b)
{
    if (is_int(a) && is_int(b))
        return (int_of(a) > int_of(b)) - (int_of(a) < int_of(b));
    double x = float_of(a), y = float_of(b);
    return x < y ? -1 : x > y ? 1 : 0;
}

static int compare_lists(DgEval *ev, DgValue a, DgValue b)
{
    if (!dg_enter(ev))
        return 0;
    int order = 0;
    size_t n = a.as.list->count < b.as.list->count ? a.as.list->count : b.as.list->count;
    for (size_t i = 0; i < n && !order && dg_step(ev, 1); i++)
        if (!dgv_equal(a.as.list->items[i], b.as.list->items[i]))
            order = dg_compare(ev, a.as.list->items[i], b.as.list->items[i]);
    if (!order)
        order = (a.as.list->count > n) - (b.as.list->count > n);
    ev->depth_left++;
    return order;
}

int dg_compare(DgEval *ev, DgValue a, DgValue b)
{
    if (dgv_is_number(a) && dgv_is_number(b))
        return compare_numbers(a, b);
    if (a.kind == b.kind) {
        if (a.kind == DG_V_STR || a.kind == DG_V_BYTES) {
            int c = str_cmp(a.as.s, b.as.s);
            return (c > 0) - (c < 0);
        }
        if (is_seq(a))
            return compare_lists(ev, a, b);
        if (a.kind == DG_V_OBJECT && a.as.object->type == b.as.object->type &&
            a.as.object->type->compare)
            return a.as.object->type->compare(a.as.object, b.as.object);
    }
    if (is_undefined(a) || is_undefined(b)) {
        Str name = is_undefined(a) ? a.as.s : b.as.s;
        dg_error(ev, DG_DATA, "`%.*s` is undefined", FMT(name));
        return 0;
    }
    dg_type_error(ev, "%s and %s have no order", dgv_type_name(a), dgv_type_name(b));
    return 0;
}

/* ---- Hashing ---- */

bool dgv_hashable(DgValue v, int depth)
{
    if (depth <= 0)
        return false;
    if (v.kind == DG_V_LIST || v.kind == DG_V_DICT)
        return false;
    if (v.kind == DG_V_TUPLE)
        for (size_t i = 0; i < v.as.list->count; i++)
            if (!dgv_hashable(v.as.list->items[i], depth - 1))
                return false;
    return true;
}

uint64_t dgv_hash(DgValue v, int depth)
{
    if (is_int(v))
        return (uint64_t)int_of(v) * 0x9E3779B97F4A7C15u;
    if (v.kind == DG_V_FLOAT) {
        if (v.as.f >= -0x1p62 && v.as.f < 0x1p62 && v.as.f == floor(v.as.f))
            return (uint64_t)(int64_t)v.as.f * 0x9E3779B97F4A7C15u;
        uint64_t bits;
        memcpy(&bits, &v.as.f, sizeof bits);
        return bits * 0x9E3779B97F4A7C15u;
    }
    if (v.kind == DG_V_STR || v.kind == DG_V_BYTES)
        return str_hash(v.as.s);
    uint64_t h = v.kind;
    if (v.kind == DG_V_TUPLE && depth > 0)
        for (size_t i = 0; i < v.as.list->count; i++)
            h = h * 31 + dgv_hash(v.as.list->items[i], depth - 1);
    return h;
}
