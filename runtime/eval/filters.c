/* filters.c - finding filters and tests by name, and the filters of single values. */
#include "runtime/eval/internal.h"

/* ---- By name ---- */

static const struct {
    const char *name, *c_name;
    DgFilterFn fn;
} FILTERS[] = {
#define X(name, c) {#name, #c, dg_filter_##c},
    DG_FILTERS(X)
#undef X
};

static const struct {
    const char *name, *c_name;
    DgTestFn fn;
} TESTS[] = {
#define X(name, c) {#name, #c, dg_test_##c},
    DG_TESTS(X)
#undef X
    {"==", "eq", dg_test_eq}, {"!=", "ne", dg_test_ne}, {"<", "lt", dg_test_lt},
    {"<=", "le", dg_test_le}, {">", "gt", dg_test_gt}, {">=", "ge", dg_test_ge},
};

DgFilterFn dg_filter_find(Str name, const char **c_name)
{
    for (size_t i = 0; i < sizeof FILTERS / sizeof *FILTERS; i++)
        if (str_eq(name, str_from(FILTERS[i].name))) {
            if (c_name)
                *c_name = FILTERS[i].c_name;
            return FILTERS[i].fn;
        }
    return NULL;
}

DgTestFn dg_test_find(Str name, const char **c_name)
{
    for (size_t i = 0; i < sizeof TESTS / sizeof *TESTS; i++)
        if (str_eq(name, str_from(TESTS[i].name))) {
            if (c_name)
                *c_name = TESTS[i].c_name;
            return TESTS[i].fn;
        }
    return NULL;
}

size_t dg_filter_names(const Str **names)
{
    static const Str all[] = {
#define X(name, c) {#name, sizeof #name - 1},
        DG_FILTERS(X)
#undef X
    };
    *names = all;
    return sizeof all / sizeof *all;
}

size_t dg_test_names(const Str **names)
{
    static const Str all[] = {
#define X(name, c) {#name, sizeof #name - 1},
        DG_TESTS(X)
#undef X
    };
    *names = all;
    return sizeof all / sizeof *all;
}

/* ---- Helpers: every filter spreads its arguments, `value` first ---- */

#define SPREAD(name, names, required)                                        \
    if (!dg_args_spread(ev, "the filter `" name "`", args, names, v, required)) \
    return dgv_undefined()

static bool any_secret(const DgArgs *args)
{
    for (size_t i = 0; i < args->count; i++)
        if (dgv_has_secret(args->items[i]))
            return true;
    for (size_t i = 0; i < args->named_count; i++)
        if (dgv_has_secret(args->named[i]))
            return true;
    return false;
}

static DgValue as_text(DgEval *ev, DgValue v)
{
    return dgv_taint(dgv_from_str(dg_to_str(ev, v)), dgv_has_secret(v));
}

/* Parameters are from the point of view of a template, the value comes before them. */
static DgValue call_text(DgEval *ev, DgValue text, const char *name, const DgValue *items, size_t n)
{
    return dg_call_method(ev, text, name, &(DgArgs){items, n, NULL, NULL, 0});
}

/* ---- Filters ---- */

DgValue dg_filter_abs(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("abs", "value", 1);
    if (!dgv_is_number(v[0]))
        return dg_type_error(ev, "abs needs a number, not %s", dgv_type_name(v[0]));
    if (v[0].kind == DG_V_FLOAT)
        return dgv_taint(dgv_float(fabs(v[0].as.f)), v[0].secret);
    return int_of(v[0]) < 0 ? dg_neg(ev, v[0]) : dg_pos(ev, v[0]);
}

DgValue dg_filter_default(DgEval *ev, const DgArgs *args)
{
    DgValue v[3] = {[1] = dgv_str("", 0), dgv_bool(false)};
    SPREAD("default", "value default_value boolean", 1);
    if (is_undefined(v[0]) || (dg_truthy(ev, v[2]) && !dg_truthy(ev, v[0])))
        return v[1];
    return v[0];
}

/* What Python's int() takes: blanks round it, a sign, single underscores between digits. */
bool dg_parse_int(Str s, int base, int64_t *out, bool *too_large)
{
    s = str_trim(s);
    *too_large = false;
    bool negative = s.len && s.ptr[0] == '-';
    ptrdiff_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (s.len - at > 2 && s.ptr[at] == '0') {
        int x = s.ptr[at + 1] | 32;
        if ((base == 16 && x == 'x') || (base == 8 && x == 'o') || (base == 2 && x == 'b')) {
            at += 2;
            at += s.ptr[at] == '_';
        }
    }
    uint64_t n = 0, limit = (uint64_t)INT64_MAX + negative;
    bool digit = false;
    for (; at < s.len; at++) {
        int c = s.ptr[at], d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'z'
                               ? (c | 32) - 'a' + 10 : 99;
        if (c == '_' && digit && at + 1 < s.len && s.ptr[at + 1] != '_')
            continue;
        if (d >= base)
            return false;
        digit = true;
        if (n > (limit - (uint64_t)d) / (uint64_t)base) {
            *too_large = true;
            n = 0;
        }
        n = n * (uint64_t)base + (uint64_t)d;
    }
    if (!digit || *too_large)
        return false;
    *out = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

/* What Python's float() takes. */
static bool parse_float(DgEval *ev, Str s, double *out)
{
    s = str_trim(s);
    StrBuf b = dg_buf(ev);
    bool ok = s.len > 0;
    for (ptrdiff_t i = 0; i < s.len && ok; i++) {
        char c = s.ptr[i];
        bool digit_before = i && s.ptr[i - 1] >= '0' && s.ptr[i - 1] <= '9';
        if (c == 'x' || c == 'X' || c == '(' || !c)
            ok = false;
        else if (c == '_')
            ok = digit_before && i + 1 < s.len && s.ptr[i + 1] >= '0' && s.ptr[i + 1] <= '9';
        else
            buf_char(&b, c);
    }
    buf_char(&b, 0);
    char *end = NULL;
    ok = ok && !b.failed;
    if (ok)
        *out = strtod(b.ptr, &end);
    ok = ok && end == b.ptr + b.len - 1 && end != b.ptr && b.ptr[0] != ' ';
    buf_free(&b);
    return ok;
}

static bool float_to_int(double f, DgValue *out)
{
    if (!(fabs(f) < 0x1p63))
        return false;
    *out = dgv_int((int64_t)f);
    return true;
}

DgValue dg_filter_int(DgEval *ev, const DgArgs *args)
{
    DgValue v[3] = {[1] = dgv_int(0), dgv_int(10)}, out = dgv_undefined();
    SPREAD("int", "value default base", 1);
    int64_t base = dg_want_int(ev, v[2], "the base"), i;
    bool too_large = false;
    double f;
    if (base < 2 || base > 36)
        return dg_error(ev, DG_DATA, "the base must lie between 2 and 36");
    if (is_int(v[0]))
        return dgv_taint(dgv_int(int_of(v[0])), v[0].secret);
    if (v[0].kind == DG_V_FLOAT && float_to_int(v[0].as.f, &out))
        return dgv_taint(out, v[0].secret);
    if (is_str(v[0])) {
        if (dg_parse_int(v[0].as.s, (int)base, &i, &too_large))
            return dgv_taint(dgv_int(i), v[0].secret);
        if (too_large)
            return dg_error(ev, DG_DATA, "the integer does not fit into 64 bits");
        if (parse_float(ev, v[0].as.s, &f) && float_to_int(f, &out))
            return dgv_taint(out, v[0].secret);
    }
    if (is_undefined(v[0]))
        return dg_error(ev, DG_DATA, "`%.*s` is undefined", FMT(v[0].as.s));
    return v[1];
}

DgValue dg_filter_float(DgEval *ev, const DgArgs *args)
{
    DgValue v[2] = {[1] = dgv_float(0)};
    SPREAD("float", "value default", 1);
    double f;
    if (dgv_is_number(v[0]))
        return dgv_taint(dgv_float(float_of(v[0])), v[0].secret);
    if (is_str(v[0]) && parse_float(ev, v[0].as.s, &f))
        return dgv_taint(dgv_float(f), v[0].secret);
    if (is_undefined(v[0]))
        return dg_error(ev, DG_DATA, "`%.*s` is undefined", FMT(v[0].as.s));
    return v[1];
}

/* round() of Python rounds the exact decimal value half to even, as printf does. */
DgValue dg_round_float(double f, int64_t digits)
{
    if (!isfinite(f) || digits > 320)
        return dgv_float(f);
    if (digits < 0) {
        double unit = pow(10, (double)-digits);
        return dgv_float(digits < -308 ? 0 : nearbyint(f / unit) * unit);
    }
    char text[700];
    snprintf(text, sizeof text, "%.*f", (int)digits, f);
    return dgv_float(strtod(text, NULL));
}

static DgValue round_int(DgEval *ev, DgValue v, int64_t digits)
{
    if (digits >= 0)
        return dgv_int(int_of(v));
    if (digits < -18)
        return dgv_int(0);
    int64_t unit = 1, i = int_of(v);
    for (; digits < 0; digits++)
        unit *= 10;
    int64_t rest = ((i % unit) + unit) % unit, down = i - rest;
    bool up = rest > unit - rest || (rest == unit - rest && (down / unit) % 2 != 0);
    return up ? dg_add(ev, dgv_int(down), dgv_int(unit)) : dgv_int(down);
}

DgValue dg_filter_round(DgEval *ev, const DgArgs *args)
{
    DgValue v[3] = {[1] = dgv_int(0), dgv_str("common", 6)};
    SPREAD("round", "value precision method", 1);
    int64_t digits = dg_want_int(ev, v[1], "the precision of round");
    Str how = dg_want_str(ev, v[2], "the method of round");
    if (!dgv_is_number(v[0]))
        return dg_type_error(ev, "round needs a number, not %s", dgv_type_name(v[0]));
    if (str_eq(how, S("common")))
        return dgv_taint(is_int(v[0]) ? round_int(ev, v[0], digits)
                                      : dg_round_float(v[0].as.f, digits), v[0].secret);
    if (!str_eq(how, S("ceil")) && !str_eq(how, S("floor")))
        return dg_error(ev, DG_DATA, "the method of round is common, ceil or floor");
    double unit = pow(10, (double)digits), f = float_of(v[0]) * unit;
    return dgv_taint(dgv_float((how.ptr[0] == 'c' ? ceil(f) : floor(f)) / unit), v[0].secret);
}

DgValue dg_filter_string(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("string", "value", 1);
    return as_text(ev, v[0]);
}

DgValue dg_filter_upper(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("upper", "s", 1);
    return dg_upper(ev, as_text(ev, v[0]));
}

DgValue dg_filter_lower(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("lower", "s", 1);
    return dg_lower(ev, as_text(ev, v[0]));
}

DgValue dg_filter_capitalize(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("capitalize", "s", 1);
    return dg_capitalize(ev, as_text(ev, v[0]));
}

DgValue dg_filter_trim(DgEval *ev, const DgArgs *args)
{
    DgValue v[2] = {[1] = dgv_none()};
    SPREAD("trim", "value chars", 1);
    return call_text(ev, as_text(ev, v[0]), "strip", v + 1, 1);
}

DgValue dg_filter_replace(DgEval *ev, const DgArgs *args)
{
    DgValue v[4] = {[3] = dgv_none()};
    SPREAD("replace", "s old new count", 3);
    DgValue items[3] = {as_text(ev, v[1]), as_text(ev, v[2]), is_none(v[3]) ? dgv_int(-1) : v[3]};
    return call_text(ev, as_text(ev, v[0]), "replace", items, 3);
}

DgValue dg_filter_center(DgEval *ev, const DgArgs *args)
{
    DgValue v[2] = {[1] = dgv_int(80)};
    SPREAD("center", "value width", 1);
    return call_text(ev, as_text(ev, v[0]), "center", v + 1, 1);
}

/* Words start after white space or one of -({[< */
DgValue dg_filter_title(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("title", "s", 1);
    DgValue s = as_text(ev, v[0]);
    StrBuf b = dg_buf(ev);
    bool start = true;
    for (ptrdiff_t at = 0; at < s.as.s.len;) {
        uint32_t c = utf8_next(s.as.s, &at);
        bool breaks = uc_is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
        if (start && !breaks)
            uc_upper(&b, c);
        else
            uc_lower(&b, c);
        start = breaks;
    }
    return dg_take_value(ev, &b, s.secret);
}

/* format | format(a, b) is format % (a, b); named values are a dict */
DgValue dg_filter_format(DgEval *ev, const DgArgs *args)
{
    if (!args->count)
        return dg_type_error(ev, "the filter `format` needs a format");
    if (args->count > 1 && args->named_count)
        return dg_type_error(ev, "the filter `format` takes values by position or by name, "
                                 "not both");
    Str fmt = dg_to_str(ev, args->items[0]);
    DgValue values = dg_new_dict(ev);
    for (size_t i = 0; i < args->named_count; i++)
        dg_put(ev, values, dgv_from_str(args->names[i]), args->named[i]);
    if (!args->named_count)
        values = dg_tuple(ev, args->items + 1, args->count - 1);
    return dgv_taint(dg_format_percent(ev, fmt, values), any_secret(args));
}

DgValue dg_filter_escape(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("escape", "s", 1);
    DgValue s = as_text(ev, v[0]);
    StrBuf b = dg_buf(ev);
    for (ptrdiff_t i = 0; i < s.as.s.len; i++) {
        char c = s.as.s.ptr[i];
        Str entity = c == '&' ? S("&amp;") : c == '<' ? S("&lt;") : c == '>' ? S("&gt;")
                     : c == '"' ? S("&#34;") : c == '\'' ? S("&#39;") : (Str){&c, 1};
        buf_add(&b, entity);
    }
    return dg_take_value(ev, &b, s.secret);
}

DgValue dg_filter_xmlattr(DgEval *ev, const DgArgs *args)
{
    return dg_error(ev, DG_DATA, "the filter `xmlattr` makes HTML, which is not supported");
}

DgValue dg_filter_pprint(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("pprint", "value", 1);
    return dgv_taint(dgv_from_str(dg_to_repr(ev, v[0])), dgv_has_secret(v[0]));
}

/* For HTML: <, >, & and ' come as escapes, as in Jinja. */
DgValue dg_filter_tojson(DgEval *ev, const DgArgs *args)
{
    DgValue v[2] = {[1] = dgv_none()};
    SPREAD("tojson", "value indent", 1);
    int64_t indent = is_none(v[1]) ? 0 : dg_want_int(ev, v[1], "the indent of tojson");
    StrBuf json = dg_buf(ev), b = dg_buf(ev);
    dg_write_json(ev, &json, v[0], (int)(indent < 0 ? 0 : indent > 64 ? 64 : indent), true);
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (c == '<' || c == '>' || c == '&' || c == '\'')
            buf_format(&b, "\\u%04x", (unsigned)c);
        else
            buf_char(&b, c);
    }
    buf_free(&json);
    return dg_take_value(ev, &b, dgv_has_secret(v[0]));
}

DgValue dg_filter_attr(DgEval *ev, const DgArgs *args)
{
    DgValue v[2];
    SPREAD("attr", "obj name", 2);
    Str name = dg_want_str(ev, v[1], "the name of an attribute");
    if (is_dict(v[0]) && !dg_is_method(v[0], name)) /* attributes only, not items */
        return dg_undefined_named(name);
    return is_undefined(v[0]) ? v[0] : dg_attr(ev, v[0], str_cstr(ev->arena, name));
}

DgValue dg_filter_filesizeformat(DgEval *ev, const DgArgs *args)
{
    static const char *const units[2][8] = {
        {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"},
        {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}};
    DgValue v[2] = {[1] = dgv_bool(false)}, number;
    SPREAD("filesizeformat", "value binary", 1);
    number = dg_filter_float(ev, &(DgArgs){v, 1, NULL, NULL, 0});
    bool binary = dg_truthy(ev, v[1]);
    double bytes = number.kind == DG_V_FLOAT ? number.as.f : 0, base = binary ? 1024 : 1000;
    StrBuf b = dg_buf(ev);
    if (bytes == 1) {
        buf_add(&b, S("1 Byte"));
    } else if (bytes < base) {
        buf_format(&b, "%lld Bytes", (long long)(bytes < -9e18 ? 0 : bytes));
    } else {
        double unit = base * base;
        int i = 0;
        for (; i < 7 && bytes >= unit; i++)
            unit *= base;
        buf_format(&b, "%.1f %s", base * bytes / unit, units[binary][i]);
    }
    return dg_take_value(ev, &b, v[0].secret);
}
