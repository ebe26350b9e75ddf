/* format.c - text % values, text.format(...) and Python's format specifications. */
#include "runtime/eval/internal.h"

enum { WIDTH_MAX = 1 << 20 };

typedef struct Spec { /* [[fill]align][sign][#][0][width][grouping][.precision][type] */
    Str fill;
    char align, sign, grouping, type;
    bool alternate, zero;
    int64_t width, precision; /* precision -1: none */
} Spec;

/* `text` is a number's digits without sign; groups of three before the point. */
static void grouped(StrBuf *b, Str text, char by, int every)
{
    ptrdiff_t whole = 0;
    while (whole < text.len && ((text.ptr[whole] >= '0' && text.ptr[whole] <= '9') ||
                                (every == 4 && text.ptr[whole] >= 'A')))
        whole++;
    for (ptrdiff_t i = 0; i < text.len; i++) {
        if (i && i < whole && (whole - i) % every == 0)
            buf_char(b, by);
        buf_char(b, text.ptr[i]);
    }
}

static void padded(DgEval *ev, StrBuf *b, const Spec *s, Str sign, Str body, char align)
{
    int64_t count = utf8_count(body) + sign.len;
    int64_t pad = s->width > count ? s->width - count : 0;
    if (!dg_charge(ev, (size_t)pad))
        return;
    int64_t left = align == '>' || align == '=' ? pad : align == '^' ? pad / 2 : 0;
    Str fill = s->fill.len ? s->fill : S(" ");
    if (align == '=')
        buf_add(b, sign);
    for (int64_t i = 0; i < left; i++)
        buf_add(b, fill);
    if (align != '=')
        buf_add(b, sign);
    buf_add(b, body);
    for (int64_t i = 0; i < pad - left; i++)
        buf_add(b, fill);
}

static void digits_of(StrBuf *b, uint64_t u, unsigned base, bool upper)
{
    char text[72];
    int at = (int)sizeof text;
    do {
        unsigned d = (unsigned)(u % base);
        text[--at] = (char)(d < 10 ? '0' + d : (upper ? 'A' : 'a') + d - 10);
        u /= base;
    } while (u);
    buf_add(b, (Str){text + at, (ptrdiff_t)sizeof text - at});
}

static void format_int(DgEval *ev, StrBuf *b, const Spec *s, int64_t i)
{
    StrBuf digits = dg_buf(ev), shown = dg_buf(ev);
    char sign[4] = {0};
    ptrdiff_t n = 0;
    if (i < 0)
        sign[n++] = '-';
    else if (s->sign == '+' || s->sign == ' ')
        sign[n++] = s->sign;
    unsigned base = s->type == 'x' || s->type == 'X' ? 16 : s->type == 'o' ? 8
                    : s->type == 'b' ? 2 : 10;
    if (s->alternate && base != 10) {
        sign[n++] = '0';
        sign[n++] = s->type;
    }
    digits_of(&digits, i < 0 ? 0 - (uint64_t)i : (uint64_t)i, base, s->type == 'X');
    if (s->grouping)
        grouped(&shown, buf_str(&digits), s->grouping, base == 10 ? 3 : 4);
    else
        buf_add(&shown, buf_str(&digits));
    padded(ev, b, s, (Str){sign, n}, buf_str(&shown), s->align ? s->align : '>');
    buf_free(&digits);
    buf_free(&shown);
}

static void float_digits(DgEval *ev, StrBuf *b, const Spec *s, double f)
{
    int precision = s->precision < 0 ? 6 : s->precision > 1000 ? 1000 : (int)s->precision;
    bool upper = s->type == 'E' || s->type == 'F' || s->type == 'G';
    char kind = upper ? (char)(s->type + 32) : s->type;
    if (isnan(f) || isinf(f)) {
        buf_add(b, isnan(f) ? (upper ? S("NAN") : S("nan")) : (upper ? S("INF") : S("inf")));
    } else if (kind == '%') {
        buf_format(b, "%.*f%%", precision, f * 100);
    } else if (kind == 'f') {
        buf_format(b, "%.*f", precision, f);
    } else if (kind == 'e') {
        buf_format(b, upper ? "%.*E" : "%.*e", precision, f);
    } else if (kind == 'g' || kind == 'n') {
        buf_format(b, s->alternate ? "%#.*g" : upper ? "%.*G" : "%.*g",
                   precision ? precision : 1, f);
    } else if (s->precision < 0) {
        dg_float_repr(b, f);
    } else { /* no type: like g, but at least one digit after the point */
        size_t before = b->len;
        buf_format(b, "%.*g", precision ? precision : 1, f);
        Str shown = {b->ptr + before, (ptrdiff_t)(b->len - before)};
        if (str_find_char(shown, '.') < 0 && str_find_char(shown, 'e') < 0)
            buf_add(b, S(".0"));
    }
}

static void format_float(DgEval *ev, StrBuf *b, const Spec *s, double f)
{
    StrBuf digits = dg_buf(ev), shown = dg_buf(ev);
    bool negative = signbit(f) && !isnan(f);
    Str sign = negative ? S("-") : s->sign == '+' ? S("+") : s->sign == ' ' ? S(" ") : (Str){0};
    float_digits(ev, &digits, s, negative ? -f : f);
    if (s->grouping)
        grouped(&shown, buf_str(&digits), s->grouping, 3);
    else
        buf_add(&shown, buf_str(&digits));
    padded(ev, b, s, sign, buf_str(&shown), s->align ? s->align : '>');
    buf_free(&digits);
    buf_free(&shown);
}

static void format_text(DgEval *ev, StrBuf *b, const Spec *s, Str text)
{
    if (s->precision >= 0)
        text = str_sub(text, 0, utf8_offset(text, (ptrdiff_t)s->precision));
    padded(ev, b, s, (Str){0}, text, s->align ? s->align : '<');
}

static int64_t spec_number(Str s, ptrdiff_t *at)
{
    int64_t n = 0;
    for (; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; ++*at)
        n = n > WIDTH_MAX ? n : n * 10 + (s.ptr[*at] - '0');
    return n;
}

static bool is_align(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

static bool spec_parse(Str text, Spec *s)
{
    *s = (Spec){.precision = -1};
    ptrdiff_t at = 0, next = 0;
    if (text.len)
        utf8_next(text, &next);
    if (next < text.len && is_align(text.ptr[next])) {
        s->fill = (Str){text.ptr, next};
        s->align = text.ptr[next];
        at = next + 1;
    } else if (text.len && is_align(text.ptr[0])) {
        s->align = text.ptr[at++];
    }
#define AT (at < text.len ? text.ptr[at] : 0)
    if (AT == '+' || AT == '-' || AT == ' ')
        s->sign = text.ptr[at++];
    if (AT == '#') {
        s->alternate = true;
        at++;
    }
    if (AT == '0') {
        at++;
        if (!s->align) {
            s->fill = S("0");
            s->align = '=';
            s->zero = true;
        } else if (!s->fill.len) {
            s->fill = S("0");
        }
    }
    s->width = spec_number(text, &at);
    if (AT == ',' || AT == '_')
        s->grouping = text.ptr[at++];
    if (AT == '.') {
        at++;
        if (AT < '0' || AT > '9')
            return false;
        s->precision = spec_number(text, &at);
    }
    if (at < text.len)
        s->type = text.ptr[at++];
#undef AT
    return at == text.len && s->width <= WIDTH_MAX;
}

static bool type_in(char type, const char *types)
{
    return !type || strchr(types, type);
}

void dg_format_spec(DgEval *ev, StrBuf *b, DgValue v, Str text)
{
    Spec s;
    if (!text.len) {
        dg_write_str(ev, b, v);
        return;
    }
    if (!spec_parse(text, &s)) {
        dg_error(ev, DG_DATA, "`%.*s` is no format specification", FMT(text));
        return;
    }
    if (v.kind == DG_V_STR && type_in(s.type, "s") && !s.sign && !s.grouping && s.align != '=') {
        format_text(ev, b, &s, v.as.s);
    } else if (is_int(v) && type_in(s.type, "dxXobn") && s.precision < 0 &&
               (v.kind == DG_V_INT || s.type || s.grouping || s.width)) {
        format_int(ev, b, &s, int_of(v));
    } else if (is_int(v) && s.type == 'c' && int_of(v) >= 0 && int_of(v) <= 0x10FFFF) {
        StrBuf one = dg_buf(ev);
        utf8_add(&one, (uint32_t)int_of(v));
        padded(ev, b, &s, (Str){0}, buf_str(&one), s.align ? s.align : '<');
        buf_free(&one);
    } else if (dgv_is_number(v) && type_in(s.type, "eEfFgGn%") &&
               (v.kind == DG_V_FLOAT || s.type)) {
        format_float(ev, b, &s, float_of(v));
    } else {
        dg_error(ev, DG_DATA, "the format `%.*s` does not fit a value of type %s", FMT(text),
                 dgv_type_name(v));
    }
}

/* ---- text % values ---- */

typedef struct Percent {
    DgEval *ev;
    DgValue args;
    size_t next;
} Percent;

static DgValue percent_next(Percent *p)
{
    if (p->args.kind != DG_V_TUPLE) {
        if (p->next++)
            return dg_type_error(p->ev, "not enough values for the format");
        return p->args;
    }
    if (p->next >= p->args.as.list->count)
        return dg_type_error(p->ev, "not enough values for the format");
    return p->args.as.list->items[p->next++];
}

static void percent_number(Percent *p, StrBuf *b, Spec *s, DgValue v)
{
    if (!dgv_is_number(v)) {
        dg_type_error(p->ev, "%%%c needs a number, not %s", s->type, dgv_type_name(v));
        return;
    }
    if (s->zero && s->align != '<') {
        s->fill = S("0");
        s->align = '=';
    }
    if (strchr("diuxXo", s->type)) {
        if (v.kind == DG_V_FLOAT && (strchr("xXo", s->type) || !(fabs(v.as.f) < 0x1p63))) {
            dg_type_error(p->ev, "%%%c needs an integer", s->type);
            return;
        }
        int64_t i = v.kind == DG_V_FLOAT ? (int64_t)v.as.f : int_of(v);
        if (strchr("iu", s->type))
            s->type = 'd';
        s->precision = -1;
        format_int(p->ev, b, s, i);
    } else {
        format_float(p->ev, b, s, float_of(v));
    }
}

static void percent_one(Percent *p, StrBuf *b, Spec *s, DgValue v)
{
    if (dg_failed(p->ev))
        return;
    if (strchr("diuxXoeEfFgG", s->type)) {
        percent_number(p, b, s, v);
    } else if (s->type == 'c' && is_int(v)) {
        s->align = s->align ? s->align : '>';
        dg_format_spec(p->ev, b, v, S("c"));
    } else if (strchr("sra", s->type)) {
        Str text = s->type == 's' ? dg_to_str(p->ev, v) : dg_to_repr(p->ev, v);
        s->align = s->align ? s->align : '>';
        format_text(p->ev, b, s, text);
    } else {
        dg_error(p->ev, DG_DATA, "unknown format `%%%c`", s->type);
    }
}

static int64_t percent_star(Percent *p, Str fmt, ptrdiff_t *at)
{
    if (*at < fmt.len && fmt.ptr[*at] == '*') {
        ++*at;
        int64_t n = dg_want_int(p->ev, percent_next(p), "`*`");
        return n > WIDTH_MAX ? WIDTH_MAX : n;
    }
    return spec_number(fmt, at);
}

/* One conversion; *at is past the `%`. */
static void percent_conversion(Percent *p, StrBuf *b, Str fmt, ptrdiff_t *at)
{
    Spec s = {.precision = -1};
    DgValue named = dgv_undefined();
    bool has_name = false;
    if (*at < fmt.len && fmt.ptr[*at] == '(') {
        ptrdiff_t close = str_find_char((Str){fmt.ptr + *at, fmt.len - *at}, ')');
        Str key = close < 0 ? (Str){0} : (Str){fmt.ptr + *at + 1, close - 1};
        const DgValue *found = close < 0 ? NULL : dgv_get_str(p->args, key);
        if (!found) {
            dg_error(p->ev, DG_DATA, "the format needs a dict with the key `%.*s`", FMT(key));
            return;
        }
        named = *found;
        has_name = true;
        *at += close + 1;
    }
    for (; *at < fmt.len && strchr("#0- +", fmt.ptr[*at]); ++*at) {
        char c = fmt.ptr[*at];
        s.alternate = s.alternate || c == '#';
        s.zero = s.zero || c == '0';
        s.align = c == '-' ? '<' : s.align;
        s.sign = c == '+' || (c == ' ' && !s.sign) ? c : s.sign;
    }
    s.width = percent_star(p, fmt, at);
    if (s.width < 0) {
        s.align = '<';
        s.width = -s.width;
    }
    if (*at < fmt.len && fmt.ptr[*at] == '.') {
        ++*at;
        s.precision = percent_star(p, fmt, at);
    }
    if (*at >= fmt.len || s.width > WIDTH_MAX) {
        dg_error(p->ev, DG_DATA, "the format is incomplete");
        return;
    }
    s.type = fmt.ptr[(*at)++];
    if (s.type == '%')
        buf_char(b, '%');
    else
        percent_one(p, b, &s, has_name ? named : percent_next(p));
}

DgValue dg_format_percent(DgEval *ev, Str fmt, DgValue args)
{
    Percent p = {.ev = ev, .args = args};
    StrBuf b = dg_buf(ev);
    for (ptrdiff_t at = 0; at < fmt.len && dg_step(ev, 1);) {
        ptrdiff_t hit = str_find_char((Str){fmt.ptr + at, fmt.len - at}, '%');
        buf_add(&b, (Str){fmt.ptr + at, hit < 0 ? fmt.len - at : hit});
        if (hit < 0)
            break;
        at += hit + 1;
        percent_conversion(&p, &b, fmt, &at);
    }
    size_t given = args.kind == DG_V_TUPLE ? args.as.list->count : 1;
    if (p.next < given && (args.kind != DG_V_DICT && args.kind != DG_V_LIST) && !dg_failed(ev))
        dg_type_error(ev, "not all values are used by the format");
    return dg_take_value(ev, &b, false);
}

/* ---- text.format(...) ---- */

typedef struct Braces {
    const DgArgs *args;
    int64_t next; /* -1 once numbers are given by hand */
} Braces;

static bool is_name_end(char c) { return c == '.' || c == '[' || c == '}' || c == ':' || c == '!'; }

static DgValue field_root(DgEval *ev, Braces *f, Str name)
{
    int64_t at;
    if (!name.len) {
        if (f->next < 0)
            return dg_error(ev, DG_DATA, "numbered and unnumbered fields are mixed");
        at = f->next++;
    } else if (str_to_int(name, &at) && at >= 0 && name.ptr[0] != '+') {
        if (f->next > 0)
            return dg_error(ev, DG_DATA, "numbered and unnumbered fields are mixed");
        f->next = -1;
    } else {
        const DgValue *named = dg_args_named(f->args, name);
        return named ? *named : dg_error(ev, DG_DATA, "format() has no `%.*s`", FMT(name));
    }
    if ((uint64_t)at >= f->args->count)
        return dg_error(ev, DG_DATA, "format() has no value number %lld", (long long)at);
    return f->args->items[at];
}

/* {name.attr[key]!r:spec}; *at is past the brace and ends past the closing one. */
static void field(DgEval *ev, Braces *f, StrBuf *b, Str fmt, ptrdiff_t *at, int depth)
{
#define END (*at >= fmt.len)
    ptrdiff_t start = *at;
    while (!END && !is_name_end(fmt.ptr[*at]))
        ++*at;
    DgValue v = field_root(ev, f, (Str){fmt.ptr + start, *at - start});
    while (!dg_failed(ev) && !END && (fmt.ptr[*at] == '.' || fmt.ptr[*at] == '[')) {
        bool item = fmt.ptr[*at] == '[';
        start = ++*at;
        while (!END && (item ? fmt.ptr[*at] != ']' : !is_name_end(fmt.ptr[*at])))
            ++*at;
        Str name = {fmt.ptr + start, *at - start};
        int64_t index;
        if (item && !END)
            ++*at;
        if (item)
            v = dg_item(ev, v, str_to_int(name, &index) ? dgv_int(index) : dgv_from_str(name));
        else
            v = dg_attr(ev, v, str_cstr(ev->arena, name));
        if (is_undefined(v))
            dg_error(ev, DG_DATA, "format() finds no `%.*s`", FMT(name));
    }
    if (!END && fmt.ptr[*at] == '!' && *at + 1 < fmt.len) {
        char how = fmt.ptr[*at + 1];
        *at += 2;
        v = dgv_from_str(how == 's' ? dg_to_str(ev, v) : dg_to_repr(ev, v));
    }
    StrBuf spec = dg_buf(ev);
    if (!END && fmt.ptr[*at] == ':') {
        for (++*at; !END && fmt.ptr[*at] != '}' && !dg_failed(ev);) {
            char c = fmt.ptr[(*at)++];
            if (c == '{' && depth < 2)
                field(ev, f, &spec, fmt, at, depth + 1);
            else
                buf_char(&spec, c);
        }
    }
    if (!dg_failed(ev) && (END || fmt.ptr[*at] != '}'))
        dg_error(ev, DG_DATA, "a `{` in the format has no `}`");
    ++*at;
    if (!dg_failed(ev))
        dg_format_spec(ev, b, v, buf_str(&spec));
    buf_free(&spec);
#undef END
}

DgValue dg_format_braces(DgEval *ev, Str fmt, const DgArgs *args)
{
    Braces f = {.args = args};
    StrBuf b = dg_buf(ev);
    for (ptrdiff_t at = 0; at < fmt.len && dg_step(ev, 1);) {
        char c = fmt.ptr[at++];
        bool doubled = at < fmt.len && fmt.ptr[at] == c;
        if ((c == '{' || c == '}') && doubled) {
            buf_char(&b, c);
            at++;
        } else if (c == '{') {
            field(ev, &f, &b, fmt, &at, 0);
        } else if (c == '}') {
            dg_error(ev, DG_DATA, "a `}` in the format has no `{`");
        } else {
            buf_char(&b, c);
        }
    }
    return dg_take_value(ev, &b, false);
}
