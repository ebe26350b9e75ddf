/* json_read.c - JSON (RFC 8259) as values. Integers stay integers; those beyond 64 bits stay what they
 * are written as, as text. A key that comes twice: the last one counts. Depth is bounded. */
#include <stdlib.h>

#include "runtime/eval/value.h"

enum { DEPTH_MAX = 128 };

typedef struct Reader {
    DgEval *ev;
    Str text;
    ptrdiff_t at;
    int depth;
    const char *problem; /* the first; NULL: none */
    ptrdiff_t problem_at;
} Reader;

static DgValue read_value(Reader *r);

static DgValue wrong(Reader *r, const char *problem)
{
    if (!r->problem) {
        r->problem = problem;
        r->problem_at = r->at;
    }
    return dgv_none();
}

static char peek(Reader *r)
{
    while (r->at < r->text.len && strchr(" \t\r\n", r->text.ptr[r->at]) && r->text.ptr[r->at])
        r->at++;
    return r->at < r->text.len ? r->text.ptr[r->at] : 0;
}

static int hex4(Reader *r)
{
    int n = 0;
    for (int i = 0; i < 4; i++) {
        char c = r->at < r->text.len ? r->text.ptr[r->at++] : 0;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        n = n * 16 + digit;
    }
    return n;
}

static char *put_utf8(char *to, int c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* After `\u`. A surrogate that is alone becomes U+FFFD. */
static int read_escaped(Reader *r)
{
    int c = hex4(r);
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c < 0xdc00 && r->at + 6 <= r->text.len && r->text.ptr[r->at] == '\\' && r->text.ptr[r->at + 1] == 'u') {
        ptrdiff_t before = r->at;
        r->at += 2;
        int low = hex4(r);
        if (low >= 0xdc00 && low <= 0xdfff)
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        r->at = before;
    }
    return 0xfffd;
}

static DgValue read_string(Reader *r)
{
    ptrdiff_t start = ++r->at, end = start;
    while (end < r->text.len && r->text.ptr[end] != '"')
        end += r->text.ptr[end] == '\\' ? 2 : 1;
    if (end >= r->text.len)
        return wrong(r, "a string has no end");
    char *out = push(r->ev->arena, char, end - start + 1), *to = out;
    if (!out)
        return wrong(r, "out of memory");
    for (r->at = start; r->at < end;) {
        char c = r->text.ptr[r->at++];
        if ((unsigned char)c < 0x20)
            return wrong(r, "a control character in a string");
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        char e = r->text.ptr[r->at++];
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        const char *known = e ? strchr(names, e) : NULL;
        if (known) {
            *to++ = values[known - names];
            continue;
        }
        int code = e == 'u' ? read_escaped(r) : -1;
        if (code < 0)
            return wrong(r, "an escape that JSON does not have");
        to = put_utf8(to, code);
    }
    r->at = end + 1;
    return dgv_from_str((Str){out, to - out});
}

static DgValue read_number(Reader *r)
{
    ptrdiff_t start = r->at, i = start;
    const char *p = r->text.ptr;
    ptrdiff_t n = r->text.len;
    bool whole = true;
    i += i < n && p[i] == '-';
    ptrdiff_t digits = i;
    while (i < n && p[i] >= '0' && p[i] <= '9')
        i++;
    if (i == digits || (p[digits] == '0' && i > digits + 1))
        return wrong(r, "not a number");
    if (i < n && p[i] == '.') {
        ptrdiff_t from = ++i;
        whole = false;
        while (i < n && p[i] >= '0' && p[i] <= '9')
            i++;
        if (i == from)
            return wrong(r, "not a number");
    }
    if (i < n && (p[i] == 'e' || p[i] == 'E')) {
        whole = false;
        i++;
        i += i < n && (p[i] == '+' || p[i] == '-');
        ptrdiff_t from = i;
        while (i < n && p[i] >= '0' && p[i] <= '9')
            i++;
        if (i == from)
            return wrong(r, "not a number");
    }
    Str text = str_sub(r->text, start, i);
    int64_t value;
    r->at = i;
    if (whole)
        return str_to_int(text, &value) ? dgv_int(value) : dgv_from_str(str_copy(r->ev->arena, text));
    char *z = str_cstr(r->ev->arena, text);
    return z ? dgv_float(strtod(z, NULL)) : wrong(r, "out of memory");
}

static DgValue read_list(Reader *r)
{
    Array(DgValue) items = {0};
    r->at++;
    if (peek(r) != ']') {
        do {
            DgValue v = read_value(r);
            array_add(r->ev->arena, &items, v);
        } while (!r->problem && peek(r) == ',' && ++r->at);
        if (peek(r) != ']')
            return wrong(r, "`,` or `]` is missing");
    }
    r->at++;
    DgValue out = dg_new_list(r->ev, items.count);
    if (out.kind != DG_V_LIST)
        return wrong(r, "out of memory");
    for (size_t i = 0; i < items.count; i++)
        out.as.list->items[i] = items.items[i];
    return out;
}

static DgValue read_dict(Reader *r)
{
    DgValue out = dg_new_dict(r->ev);
    r->at++;
    if (peek(r) != '}') {
        do {
            if (peek(r) != '"')
                return wrong(r, "a name in quotes is missing");
            DgValue key = read_string(r);
            if (peek(r) != ':')
                return wrong(r, "`:` is missing");
            r->at++;
            DgValue v = read_value(r);
            if (!r->problem)
                dg_put(r->ev, out, key, v);
        } while (!r->problem && peek(r) == ',' && ++r->at);
        if (peek(r) != '}')
            return wrong(r, "`,` or `}` is missing");
    }
    r->at++;
    return out;
}

static bool take(Reader *r, Str word)
{
    if (!str_starts(str_sub(r->text, r->at, r->text.len), word))
        return false;
    r->at += word.len;
    return true;
}

static DgValue read_value(Reader *r)
{
    char c = peek(r);
    if (r->problem)
        return dgv_none();
    if (c == '{' || c == '[') {
        if (r->depth == DEPTH_MAX)
            return wrong(r, "nested too deeply");
        r->depth++;
        DgValue v = c == '{' ? read_dict(r) : read_list(r);
        r->depth--;
        return v;
    }
    if (c == '"')
        return read_string(r);
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(r);
    return take(r, S("true"))    ? dgv_bool(true)
           : take(r, S("false")) ? dgv_bool(false)
           : take(r, S("null"))  ? dgv_none()
                                 : wrong(r, c ? "not a JSON value" : "it ends too early");
}

DgStatus dg_read_json(DgEval *ev, Str text, DgValue *out, DgError *err)
{
    Reader r = {.ev = ev, .text = text};
    *out = read_value(&r);
    if (!r.problem && peek(&r))
        wrong(&r, "something follows the value");
    if (ev->arena->failed)
        return dg_fail(err, DG_NOMEM, "out of memory reading JSON");
    return r.problem ? dg_fail(err, DG_DATA, "not JSON: %s at byte %lld", r.problem, (long long)r.problem_at + 1) : DG_OK;
}

const DgValue *dgv_at(const DgValue *v, const char *path)
{
    while (v && *path) {
        const char *end = strchr(path, '.');
        Str part = {path, end ? end - path : (ptrdiff_t)strlen(path)};
        int64_t i;
        if (v->kind == DG_V_DICT)
            v = dgv_get_str(*v, part);
        else if (v->kind == DG_V_LIST && str_to_int(part, &i) && i >= 0 && (size_t)i < v->as.list->count)
            v = &v->as.list->items[i];
        else
            v = NULL;
        path += part.len + (end != NULL);
    }
    return v;
}

Str dgv_text_at(DgValue v, const char *path)
{
    const DgValue *found = dgv_at(&v, path);
    return found && found->kind == DG_V_STR ? found->as.s : (Str){0};
}

int64_t dgv_int_at(DgValue v, const char *path)
{
    const DgValue *found = dgv_at(&v, path);
    return found && found->kind == DG_V_INT ? found->as.i : 0;
}
