/* write.c - values as text: Python's str() and repr(), and JSON. */
#include "runtime/eval/internal.h"

/* The digits and the exponent of the shortest decimal that reads back as f. */
static int shortest(double f, char digits[32], int *exponent)
{
    char text[40];
    int precision = fabs(f) < 0x1p-1022 ? 1 : 15;
    for (; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, f);
        if (strtod(text, NULL) == f)
            break;
    }
    snprintf(text, sizeof text, "%.*e", precision - 1, f);
    int n = 0;
    const char *p = text;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    *exponent = (int)strtol(p + 1, NULL, 10);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

void dg_float_repr(StrBuf *b, double f)
{
    if (isnan(f) || isinf(f)) {
        buf_add(b, isnan(f) ? S("nan") : f > 0 ? S("inf") : S("-inf"));
        return;
    }
    if (signbit(f))
        buf_char(b, '-');
    char digits[32];
    int e;
    int n = shortest(fabs(f), digits, &e);
    if (f == 0) {
        buf_add(b, S("0.0"));
    } else if (e < -4 || e >= 16) {
        buf_char(b, digits[0]);
        if (n > 1)
            buf_char(b, '.');
        buf_add(b, (Str){digits + 1, n - 1});
        buf_format(b, "e%c%02d", e < 0 ? '-' : '+', abs(e));
    } else {
        if (e < 0)
            buf_add(b, S("0."));
        for (int i = e < 0 ? e + 1 : 0; i < 0; i++)
            buf_char(b, '0');
        for (int i = 0; i < n; i++) {
            buf_char(b, digits[i]);
            if (i == e && i + 1 < n)
                buf_char(b, '.');
        }
        for (int i = n; i <= e; i++)
            buf_char(b, '0');
        if (e >= 0 && n <= e + 1)
            buf_add(b, S(".0"));
    }
}

static bool printable(uint32_t c)
{
    return c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA1) && c != 0xAD &&
           !(c >= 0x2000 && c <= 0x200F) && !(c >= 0x2028 && c <= 0x202F) && c != 0x3000 &&
           c != 0xFEFF;
}

static void repr_char(StrBuf *b, uint32_t c, char quote, bool bytes)
{
    if (c == (unsigned char)quote || c == '\\')
        buf_format(b, "\\%c", (char)c);
    else if (c == '\n' || c == '\r' || c == '\t')
        buf_add(b, c == '\n' ? S("\\n") : c == '\r' ? S("\\r") : S("\\t"));
    else if (c < 0x20 || c == 0x7F || (bytes && c >= 0x80) || (c < 0x100 && !printable(c)))
        buf_format(b, "\\x%02x", c);
    else if (!printable(c))
        buf_format(b, "\\u%04x", c);
    else
        utf8_add(b, c);
}

static void repr_text(StrBuf *b, Str s, bool bytes)
{
    char quote = str_find_char(s, '\'') >= 0 && str_find_char(s, '"') < 0 ? '"' : '\'';
    buf_char(b, quote);
    for (ptrdiff_t at = 0; at < s.len;) {
        uint32_t c = bytes ? (unsigned char)s.ptr[at++] : utf8_next(s, &at);
        repr_char(b, c, quote, bytes);
    }
    buf_char(b, quote);
}

static void repr_seq(DgEval *ev, StrBuf *b, DgValue v)
{
    bool tuple = v.kind == DG_V_TUPLE;
    buf_char(b, tuple ? '(' : '[');
    for (size_t i = 0; i < v.as.list->count && dg_step(ev, 1); i++) {
        if (i)
            buf_add(b, S(", "));
        dg_write_repr(ev, b, v.as.list->items[i]);
    }
    if (tuple && v.as.list->count == 1)
        buf_char(b, ',');
    buf_char(b, tuple ? ')' : ']');
}

static void repr_dict(DgEval *ev, StrBuf *b, DgValue v)
{
    buf_char(b, '{');
    for (size_t i = 0; i < v.as.dict->count && dg_step(ev, 1); i++) {
        if (i)
            buf_add(b, S(", "));
        dg_write_repr(ev, b, v.as.dict->keys[i]);
        buf_add(b, S(": "));
        dg_write_repr(ev, b, v.as.dict->values[i]);
    }
    buf_char(b, '}');
}

static void write_object(DgEval *ev, StrBuf *b, DgValue v, bool repr)
{
    const DgObjectType *type = v.as.object->type;
    if (type->write)
        type->write(ev, v.as.object, b, repr);
    else
        buf_format(b, "<%s>", type->name);
}

void dg_write_repr(DgEval *ev, StrBuf *b, DgValue v)
{
    if (b->failed || !dg_enter(ev))
        return;
    switch ((DgValueKind)v.kind) {
    case DG_V_UNDEFINED: buf_add(b, S("Undefined")); break;
    case DG_V_NONE: buf_add(b, S("None")); break;
    case DG_V_BOOL: buf_add(b, v.as.b ? S("True") : S("False")); break;
    case DG_V_INT: buf_format(b, "%lld", (long long)v.as.i); break;
    case DG_V_FLOAT: dg_float_repr(b, v.as.f); break;
    case DG_V_STR: repr_text(b, v.as.s, false); break;
    case DG_V_BYTES:
        buf_char(b, 'b');
        repr_text(b, v.as.s, true);
        break;
    case DG_V_LIST:
    case DG_V_TUPLE: repr_seq(ev, b, v); break;
    case DG_V_DICT: repr_dict(ev, b, v); break;
    case DG_V_OBJECT:
    case DG_V_FUNC: write_object(ev, b, v, true); break;
    }
    ev->depth_left++;
}

void dg_write_str(DgEval *ev, StrBuf *b, DgValue v)
{
    if (v.kind == DG_V_STR)
        buf_add(b, v.as.s);
    else if (is_object(v))
        write_object(ev, b, v, false);
    else if (v.kind != DG_V_UNDEFINED)
        dg_write_repr(ev, b, v);
}

Str dg_to_str(DgEval *ev, DgValue v)
{
    if (v.kind == DG_V_STR)
        return v.as.s;
    StrBuf b = dg_buf(ev);
    dg_write_str(ev, &b, v);
    return dg_take(ev, &b);
}

Str dg_to_repr(DgEval *ev, DgValue v)
{
    StrBuf b = dg_buf(ev);
    dg_write_repr(ev, &b, v);
    return dg_take(ev, &b);
}

/* ---- JSON ---- */

static void json_text(StrBuf *b, Str s)
{
    buf_char(b, '"');
    for (ptrdiff_t at = 0; at < s.len;) {
        uint32_t c = utf8_next(s, &at);
        if (c == '"' || c == '\\')
            buf_format(b, "\\%c", (char)c);
        else if (c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f')
            buf_format(b, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't'
                                  : c == '\b' ? 'b' : 'f');
        else if (c >= 0x10000)
            buf_format(b, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
                       0xDC00 + ((c - 0x10000) & 0x3FF));
        else if (c < 0x20 || c >= 0x7F)
            buf_format(b, c == 0x7F ? "%c" : "\\u%04x", c);
        else
            buf_char(b, (char)c);
    }
    buf_char(b, '"');
}

static void json_newline(StrBuf *b, int indent, int level)
{
    if (indent <= 0)
        return;
    buf_char(b, '\n');
    for (int i = 0; i < indent * level; i++)
        buf_char(b, ' ');
}

static void json_value(DgEval *ev, StrBuf *b, DgValue v, int indent, bool sort_keys, int level);

static void json_key(DgEval *ev, StrBuf *b, DgValue key)
{
    if (is_str(key))
        json_text(b, key.as.s);
    else if (key.kind == DG_V_NONE || dgv_is_number(key)) {
        buf_char(b, '"');
        json_value(ev, b, key, 0, false, 0);
        buf_char(b, '"');
    } else {
        dg_type_error(ev, "a %s cannot be a key in JSON", dgv_type_name(key));
    }
}

static void json_dict(DgEval *ev, StrBuf *b, DgValue v, int indent, bool sort_keys, int level)
{
    DgValueDict d = *v.as.dict;
    if (sort_keys && d.count) {
        DgValue keys = dg_list(ev, d.keys, d.count), values = dg_list(ev, d.values, d.count);
        if (dg_failed(ev))
            return;
        d.keys = keys.as.list->items;
        d.values = values.as.list->items;
        dg_sort_values(ev, d.keys, d.values, d.count, false);
    }
    buf_char(b, '{');
    for (size_t i = 0; i < d.count && dg_step(ev, 1); i++) {
        if (i)
            buf_add(b, indent > 0 ? S(",") : S(", "));
        json_newline(b, indent, level + 1);
        json_key(ev, b, d.keys[i]);
        buf_add(b, S(": "));
        json_value(ev, b, d.values[i], indent, sort_keys, level + 1);
    }
    if (d.count)
        json_newline(b, indent, level);
    buf_char(b, '}');
}

static void json_list(DgEval *ev, StrBuf *b, DgValue v, int indent, bool sort_keys, int level)
{
    buf_char(b, '[');
    for (size_t i = 0; i < v.as.list->count && dg_step(ev, 1); i++) {
        if (i)
            buf_add(b, indent > 0 ? S(",") : S(", "));
        json_newline(b, indent, level + 1);
        json_value(ev, b, v.as.list->items[i], indent, sort_keys, level + 1);
    }
    if (v.as.list->count)
        json_newline(b, indent, level);
    buf_char(b, ']');
}

static void json_float(StrBuf *b, double f)
{
    if (isnan(f) || isinf(f))
        buf_add(b, isnan(f) ? S("NaN") : f > 0 ? S("Infinity") : S("-Infinity"));
    else
        dg_float_repr(b, f);
}

static void json_value(DgEval *ev, StrBuf *b, DgValue v, int indent, bool sort_keys, int level)
{
    if (b->failed || !dg_enter(ev))
        return;
    switch ((DgValueKind)v.kind) {
    case DG_V_NONE: buf_add(b, S("null")); break;
    case DG_V_BOOL: buf_add(b, v.as.b ? S("true") : S("false")); break;
    case DG_V_INT: buf_format(b, "%lld", (long long)v.as.i); break;
    case DG_V_FLOAT: json_float(b, v.as.f); break;
    case DG_V_STR: json_text(b, v.as.s); break;
    case DG_V_LIST:
    case DG_V_TUPLE: json_list(ev, b, v, indent, sort_keys, level); break;
    case DG_V_DICT: json_dict(ev, b, v, indent, sort_keys, level); break;
    default:
        if (v.kind == DG_V_OBJECT && v.as.object->type->write_json)
            v.as.object->type->write_json(ev, v.as.object, b);
        else
            dg_type_error(ev, "a value of type %s cannot be written as JSON", dgv_type_name(v));
        break;
    }
    ev->depth_left++;
}

void dg_write_json(DgEval *ev, StrBuf *b, DgValue v, int indent, bool sort_keys)
{
    json_value(ev, b, v, indent, sort_keys, 0);
}
