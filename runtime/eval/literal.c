/* literal.c - Python literals in text: ast.literal_eval, as Jinja's native types apply it.
 *
 * Whatever Python would not take as a literal is "no literal" and stays text. So do integers past
 * 64 bits, which values cannot hold.
 */
#include "runtime/eval/internal.h"

enum { LITERAL_DEPTH = 64 };

typedef struct Literal {
    DgEval *ev;
    Str s;
    ptrdiff_t at;
    int brackets; /* within brackets a line end is white space */
    int depth;
} Literal;

/* complex, Ellipsis and sets: nothing computes with them, but they keep their kind. */
typedef struct Odd {
    DgObject head;
    double re, im;
    DgValue items;
} Odd;

static void odd_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr);
static const DgObjectType ellipsis_type = {.name = "ellipsis", .write = odd_write};
static const DgObjectType complex_type = {.name = "complex", .write = odd_write};
static const DgObjectType set_type = {.name = "set", .write = odd_write};

/* A part of a complex number prints without ".0". */
static void write_part(StrBuf *b, double f)
{
    size_t before = b->len;
    dg_float_repr(b, f);
    if (b->len - before > 2 && b->ptr[b->len - 1] == '0' && b->ptr[b->len - 2] == '.')
        b->len -= 2;
}

static void odd_write(DgEval *ev, const DgObject *self, StrBuf *b, bool repr)
{
    const Odd *o = (const Odd *)self;
    if (self->type == &ellipsis_type) {
        buf_add(b, S("Ellipsis"));
    } else if (self->type == &complex_type) {
        bool both = o->re != 0 || signbit(o->re);
        if (both) {
            buf_char(b, '(');
            write_part(b, o->re);
            if (o->im >= 0)
                buf_char(b, '+');
        }
        write_part(b, o->im);
        buf_add(b, both ? S("j)") : S("j"));
    } else if (o->items.as.list->count == 0) {
        buf_add(b, S("set()"));
    } else {
        buf_char(b, '{');
        for (size_t i = 0; i < o->items.as.list->count; i++) {
            if (i)
                buf_add(b, S(", "));
            dg_write_repr(ev, b, o->items.as.list->items[i]);
        }
        buf_char(b, '}');
    }
}

static bool make_odd(Literal *l, const DgObjectType *type, double re, double im, DgValue items,
                     DgValue *out)
{
    Odd *o = dg_make(l->ev, Odd, 1);
    if (!o)
        return false;
    *o = (Odd){.head = {.type = type}, .re = re, .im = im, .items = items};
    *out = dgv_object(&o->head);
    return true;
}

static int peek(const Literal *l)
{
    return l->at < l->s.len ? (unsigned char)l->s.ptr[l->at] : -1;
}

static int peek_at(const Literal *l, ptrdiff_t ahead)
{
    return l->at + ahead < l->s.len ? (unsigned char)l->s.ptr[l->at + ahead] : -1;
}

static void skip_space(Literal *l)
{
    for (;;) {
        int c = peek(l);
        if (c == '#') {
            while (peek(l) != '\n' && peek(l) >= 0)
                l->at++;
        } else if (c == '\\' && peek_at(l, 1) == '\n' && peek_at(l, 2) >= 0) {
            l->at += 2;
        } else if (c == ' ' || c == '\t' || c == '\f' ||
                   (l->brackets && (c == '\n' || c == '\r'))) {
            l->at++;
        } else {
            return;
        }
    }
}

static bool is_word(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c >= 0x80;
}

/* ---- Numbers ---- */

static bool is_digit_in(int c, int base)
{
    int v = c >= '0' && c <= '9' ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
    return v < base;
}

/* Digits with single underscores between them, copied to `to` without. -1: malformed. */
static int digits(Literal *l, int base, char *to, int room, bool underscore_first)
{
    int n = 0;
    bool after_digit = underscore_first;
    for (;;) {
        int c = peek(l);
        if (c == '_') {
            if (!after_digit || !is_digit_in(peek_at(l, 1), base))
                return -1;
            after_digit = false;
        } else if (is_digit_in(c, base)) {
            if (n == room)
                return -1;
            to[n++] = (char)c;
            after_digit = true;
        } else {
            return n;
        }
        l->at++;
    }
}

static bool radix_number(Literal *l, DgValue *out)
{
    int x = peek_at(l, 1) | 32;
    int base = x == 'x' ? 16 : x == 'o' ? 8 : 2;
    l->at += 2;
    char text[80];
    int n = digits(l, base, text, (int)sizeof text - 1, true);
    if (n <= 0 || is_word(peek(l)))
        return false;
    bool too_large;
    text[n] = 0;
    int64_t i;
    if (!dg_parse_int((Str){text, n}, base, &i, &too_large))
        return false;
    *out = dgv_int(i);
    return true;
}

static bool finish_number(Literal *l, char *text, int n, int whole, bool is_float, DgValue *out)
{
    text[n] = 0;
    int next = peek(l);
    if (next == 'j' || next == 'J') {
        l->at++;
        return !is_word(peek(l)) && make_odd(l, &complex_type, 0, strtod(text, NULL),
                                             dgv_none(), out);
    }
    if (is_word(next) || next == '.')
        return false;
    if (is_float) {
        *out = dgv_float(strtod(text, NULL));
        return true;
    }
    if (text[0] == '0')
        for (int i = 1; i < whole; i++)
            if (text[i] != '0')
                return false; /* 01 is no number in Python */
    bool too_large;
    int64_t i;
    if (!dg_parse_int((Str){text, n}, 10, &i, &too_large))
        return false;
    *out = dgv_int(i);
    return true;
}

static bool number(Literal *l, DgValue *out)
{
    int second = peek_at(l, 1) | 32;
    if (peek(l) == '0' && (second == 'x' || second == 'o' || second == 'b'))
        return radix_number(l, out);
    char text[400];
    int room = 120, n = 0;
    bool is_float = false;
    int whole = digits(l, 10, text, room, false);
    if (whole < 0)
        return false;
    n = whole;
    if (peek(l) == '.') {
        l->at++;
        is_float = true;
        text[n++] = '.';
        int fraction = digits(l, 10, text + n, room, false);
        if (fraction < 0 || (fraction == 0 && whole == 0))
            return false;
        n += fraction;
    }
    if ((peek(l) | 32) == 'e') {
        int sign = peek_at(l, 1) == '+' || peek_at(l, 1) == '-';
        if (!is_digit_in(peek_at(l, 1 + sign), 10))
            return false;
        is_float = true;
        text[n++] = 'e';
        if (sign)
            text[n++] = (char)peek_at(l, 1);
        l->at += 1 + sign;
        int exponent = digits(l, 10, text + n, room, false);
        if (exponent <= 0)
            return false;
        n += exponent;
    }
    return finish_number(l, text, n, whole, is_float, out);
}

/* ---- Text ---- */

static int hex_digits(Literal *l, int count, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        int c = peek(l);
        if (!is_digit_in(c, 16))
            return 0;
        *out = *out * 16 + (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        l->at++;
    }
    return 1;
}

static void add_char(StrBuf *b, uint32_t c, bool bytes)
{
    if (bytes)
        buf_char(b, (char)c);
    else
        utf8_add(b, c);
}

/* After a backslash. False: Python rejects it. */
static bool escape(Literal *l, StrBuf *b, bool bytes)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    int c = peek(l);
    l->at++;
    uint32_t code = 0;
    if (c == '\n')
        return true;
    for (int i = 0; from[i]; i++)
        if (c == from[i]) {
            buf_char(b, to[i]);
            return true;
        }
    if (c == 'x' || (!bytes && (c == 'u' || c == 'U'))) {
        if (!hex_digits(l, c == 'x' ? 2 : c == 'u' ? 4 : 8, &code) || code > 0x10FFFF)
            return false;
        add_char(b, code, bytes);
        return true;
    }
    if (c >= '0' && c <= '7') {
        code = (uint32_t)(c - '0');
        for (int i = 0; i < 2 && peek(l) >= '0' && peek(l) <= '7'; i++, l->at++)
            code = code * 8 + (uint32_t)(peek(l) - '0');
        add_char(b, bytes ? code & 0xFF : code, bytes);
        return true;
    }
    if (c < 0 || (c == 'N' && !bytes))
        return false; /* names of characters are not known here */
    buf_char(b, '\\');
    l->at--;
    return true;
}

static bool text_body(Literal *l, StrBuf *b, bool raw, bool bytes)
{
    int quote = peek(l);
    bool triple = peek_at(l, 1) == quote && peek_at(l, 2) == quote;
    l->at += triple ? 3 : 1;
    for (;;) {
        int c = peek(l);
        if (c < 0 || (c == '\n' && !triple) || (bytes && c >= 0x80))
            return false;
        if (c == quote && (!triple || (peek_at(l, 1) == quote && peek_at(l, 2) == quote))) {
            l->at += triple ? 3 : 1;
            return true;
        }
        l->at++;
        if (c != '\\') {
            buf_char(b, (char)c);
        } else if (raw) {
            if (peek(l) < 0)
                return false;
            buf_char(b, '\\');
            buf_char(b, (char)peek(l));
            l->at++;
        } else if (!escape(l, b, bytes)) {
            return false;
        }
    }
}

/* The length of a prefix such as rb before a quote; -1 when there is no text here. */
static int text_prefix(const Literal *l, bool *raw, bool *bytes)
{
    *raw = *bytes = false;
    bool unicode = false;
    for (int n = 0; n < 3; n++) {
        int c = peek_at(l, n);
        if (c == '\'' || c == '"')
            return n;
        c |= 32;
        if (c == 'r' && !*raw && !unicode)
            *raw = true;
        else if (c == 'b' && !*bytes && !unicode)
            *bytes = true;
        else if (c == 'u' && n == 0)
            unicode = true;
        else
            return -1;
    }
    return -1;
}

/* One text or several side by side, which Python joins. */
static bool texts(Literal *l, DgValue *out)
{
    StrBuf b = dg_buf(l->ev);
    bool raw, bytes, first_bytes = false, ok = true;
    for (int i = 0;; i++) {
        int prefix = text_prefix(l, &raw, &bytes);
        if (prefix < 0)
            break;
        if (i == 0)
            first_bytes = bytes;
        l->at += prefix;
        ok = bytes == first_bytes && text_body(l, &b, raw, bytes);
        if (!ok)
            break;
        skip_space(l);
    }
    if (!ok) {
        buf_free(&b);
        return false;
    }
    *out = dg_take_value(l->ev, &b, false);
    if (first_bytes)
        out->kind = DG_V_BYTES;
    return !dg_failed(l->ev);
}

/* ---- Containers ---- */

typedef Array(DgValue) Values;

static bool value(Literal *l, DgValue *out);

/* Items up to `close`; *commas counts the commas, *keys gets values for `k: v`. */
static bool items(Literal *l, int close, Values *list, Values *keys, int *commas)
{
    *commas = 0;
    for (;;) {
        skip_space(l);
        if (peek(l) == close) {
            l->at++;
            return true;
        }
        if (list->count && *commas < (int)list->count)
            return false;
        DgValue v;
        if (!value(l, &v))
            return false;
        skip_space(l);
        if (keys && peek(l) == ':' && keys->count == list->count) {
            l->at++;
            skip_space(l);
            array_add(l->ev->arena, keys, v);
            if (!value(l, &v))
                return false;
            skip_space(l);
        } else if (keys && keys->count) {
            return false; /* a set among pairs */
        }
        array_add(l->ev->arena, list, v);
        if (peek(l) == ',') {
            l->at++;
            ++*commas;
        }
    }
}

static bool make_set(Literal *l, const Values *list, DgValue *out)
{
    DgValue set = dg_new_dict(l->ev);
    for (size_t i = 0; i < list->count; i++)
        dg_put(l->ev, set, list->items[i], dgv_none());
    if (dg_failed(l->ev))
        return false;
    DgValue kept = dg_list(l->ev, set.as.dict->keys, set.as.dict->count);
    return !dg_failed(l->ev) && make_odd(l, &set_type, 0, 0, kept, out);
}

static bool container(Literal *l, DgValue *out)
{
    int open = peek(l), commas;
    Values list = {0}, keys = {0};
    l->at++;
    l->brackets++;
    bool ok = items(l, open == '(' ? ')' : open == '[' ? ']' : '}', &list,
                    open == '{' ? &keys : NULL, &commas);
    l->brackets--;
    if (!ok || (commas && !list.count))
        return false;
    if (open == '[')
        *out = dg_list(l->ev, list.items, list.count);
    else if (open == '(' && list.count == 1 && !commas)
        *out = list.items[0];
    else if (open == '(')
        *out = dg_tuple(l->ev, list.items, list.count);
    else if (keys.count || !list.count)
        *out = dg_dict(l->ev, keys.items, list.items, list.count);
    else
        return make_set(l, &list, out);
    return !dg_failed(l->ev);
}

static bool keyword(Literal *l, Str word)
{
    if (!str_starts((Str){l->s.ptr + l->at, l->s.len - l->at}, word) ||
        is_word(peek_at(l, word.len)))
        return false;
    l->at += word.len;
    return true;
}

static bool atom(Literal *l, DgValue *out)
{
    int c = peek(l);
    bool raw, bytes;
    if (c == '(' || c == '[' || c == '{') {
        if (l->depth >= LITERAL_DEPTH)
            return false;
        l->depth++;
        bool ok = container(l, out);
        l->depth--;
        return ok;
    }
    if (text_prefix(l, &raw, &bytes) >= 0)
        return texts(l, out);
    if (c == '.' && peek_at(l, 1) == '.' && peek_at(l, 2) == '.') {
        l->at += 3;
        return make_odd(l, &ellipsis_type, 0, 0, dgv_none(), out);
    }
    if ((c >= '0' && c <= '9') || c == '.')
        return number(l, out);
    if (keyword(l, S("None")))
        *out = dgv_none();
    else if (keyword(l, S("True")))
        *out = dgv_bool(true);
    else if (keyword(l, S("False")))
        *out = dgv_bool(false);
    else if (keyword(l, S("set()")))
        return make_set(l, &(Values){0}, out);
    else
        return false;
    return true;
}

static bool is_complex(DgValue v)
{
    return v.kind == DG_V_OBJECT && v.as.object->type == &complex_type;
}

static bool is_plain_number(DgValue v)
{
    return v.kind == DG_V_INT || v.kind == DG_V_FLOAT;
}

static bool negate(Literal *l, DgValue *v)
{
    if (is_complex(*v)) {
        const Odd *o = (const Odd *)v->as.object;
        return make_odd(l, &complex_type, -o->re, -o->im, dgv_none(), v);
    }
    *v = v->kind == DG_V_INT ? dgv_int(-v->as.i) : dgv_float(-v->as.f);
    return true;
}

/* A sign before a number, and real + imaginary: all the arithmetic a literal may have. */
static bool value(Literal *l, DgValue *out)
{
    int sign = peek(l);
    if (sign == '-' || sign == '+') {
        l->at++;
        skip_space(l);
    }
    if (!atom(l, out))
        return false;
    if (sign == '-' || sign == '+') {
        if (!is_plain_number(*out) && !is_complex(*out))
            return false;
        if (sign == '-' && !negate(l, out))
            return false;
    }
    skip_space(l);
    int op = peek(l);
    if (op != '+' && op != '-')
        return true;
    l->at++;
    skip_space(l);
    DgValue right;
    if (!is_plain_number(*out) || !atom(l, &right) || !is_complex(right))
        return false;
    double im = ((const Odd *)right.as.object)->im;
    skip_space(l);
    return make_odd(l, &complex_type, float_of(*out), op == '-' ? -im : im, dgv_none(), out);
}

/* A first character that no literal starts with spares the rest. */
static bool may_be_literal(Str s)
{
    if (!s.len)
        return false;
    switch (s.ptr[0]) {
    case ' ': case '\t': return false;
    case '\n': case '\r': case '\f': case '#': case '\\': return true;
    case 'N': case 'T': case 'F': case 's':
    case 'r': case 'R': case 'b': case 'B': case 'u': case 'U': return true;
    default: return strchr("0123456789.+-'\"([{", s.ptr[0]) != NULL;
    }
}

static void skip_lines(Literal *l)
{
    for (;;) {
        ptrdiff_t start = l->at;
        skip_space(l);
        if (peek(l) != '\n' && peek(l) != '\r') {
            if (peek(l) >= 0)
                l->at = start; /* so that a leading blank is seen */
            return;
        }
        l->at++;
    }
}

bool dg_literal_eval(DgEval *ev, Str text, DgValue *out)
{
    if (!may_be_literal(text) || memchr(text.ptr, 0, (size_t)text.len))
        return false;
    Literal l = {.ev = ev, .s = text};
    skip_lines(&l);
    if (peek(&l) == ' ' || peek(&l) == '\t')
        return false;
    DgValue first;
    if (!value(&l, &first))
        return false;
    skip_space(&l);
    if (peek(&l) == ',') {
        Values list = {0};
        array_add(ev->arena, &list, first);
        while (peek(&l) == ',') {
            l.at++;
            skip_space(&l);
            if (peek(&l) < 0 || peek(&l) == '\n')
                break;
            DgValue v;
            if (!value(&l, &v))
                return false;
            array_add(ev->arena, &list, v);
        }
        first = dg_tuple(ev, list.items, list.count);
    }
    skip_lines(&l);
    if (l.at < l.s.len || dg_failed(ev))
        return false;
    *out = first;
    return true;
}
