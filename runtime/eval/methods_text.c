/* methods_text.c - the methods of str. */
#include "runtime/eval/internal.h"

typedef struct Call { /* one call of a method, with its parts at hand */
    DgEval *ev;
    DgValue self;
    const DgArgs *args;
} Call;

typedef DgValue (*MethodFn)(const Call *c, int how);

static DgValue bool_of(bool b) { return dgv_bool(b); }

static DgValue m_case(const Call *c, int how)
{
    if (!dg_args_spread(c->ev, "the method", c->args, "", NULL, 0))
        return dgv_undefined();
    switch (how) {
    case 'u': return dg_upper(c->ev, c->self);
    case 'l': return dg_lower(c->ev, c->self);
    case 'c': return dg_capitalize(c->ev, c->self);
    case 't': return dg_title(c->ev, c->self);
    default: break;
    }
    StrBuf b = dg_buf(c->ev); /* swapcase */
    for (ptrdiff_t at = 0; at < c->self.as.s.len;) {
        uint32_t u = utf8_next(c->self.as.s, &at);
        if (uc_is_upper(u))
            uc_lower(&b, u);
        else
            uc_upper(&b, u);
    }
    return dg_take_value(c->ev, &b, false);
}

static DgValue m_strip(const Call *c, int how)
{
    DgValue chars = dgv_none();
    if (!dg_args_spread(c->ev, "strip()", c->args, "chars", &chars, 0))
        return dgv_undefined();
    Str set = {0};
    if (!is_none(chars))
        set = dg_want_str(c->ev, chars, "the argument of strip()");
    return dgv_from_str(str_strip(c->self.as.s, set, how));
}

static DgValue m_replace(const Call *c, int how)
{
    DgValue v[3] = {[2] = dgv_int(-1)};
    if (!dg_args_spread(c->ev, "replace()", c->args, "old new count", v, 2))
        return dgv_undefined();
    Str s = c->self.as.s, from = dg_want_str(c->ev, v[0], "the first argument of replace()");
    Str to = dg_want_str(c->ev, v[1], "the second argument of replace()");
    int64_t left = dg_want_int(c->ev, v[2], "the count of replace()");
    StrBuf b = dg_buf(c->ev);
    ptrdiff_t at = 0;
    while (left != 0 && !b.failed) {
        if (from.len == 0) { /* between all characters */
            buf_add(&b, to);
            left--;
            if (at >= s.len)
                break;
            ptrdiff_t start = at;
            utf8_next(s, &at);
            buf_add(&b, (Str){s.ptr + start, at - start});
            continue;
        }
        ptrdiff_t hit = str_find((Str){s.ptr + at, s.len - at}, from);
        if (hit < 0)
            break;
        buf_add(&b, (Str){s.ptr + at, hit});
        buf_add(&b, to);
        at += hit + from.len;
        left--;
    }
    buf_add(&b, (Str){s.ptr + at, s.len - at});
    return dg_take_value(c->ev, &b, false);
}

typedef Array(DgValue) Values;

static void add_part(const Call *c, Values *out, ptrdiff_t start, ptrdiff_t end)
{
    if (dg_step(c->ev, 1))
        array_add(c->ev->arena, out, dgv_str(c->self.as.s.ptr + start, end - start));
}

static void split_blank(const Call *c, Values *out, int64_t max)
{
    Str s = c->self.as.s;
    ptrdiff_t at = 0;
    for (;;) {
        ptrdiff_t next = at;
        while (at < s.len && uc_is_space(utf8_next(s, &next)))
            at = next;
        if (at >= s.len)
            return;
        if (max-- == 0) {
            Str rest = str_strip((Str){s.ptr + at, s.len - at}, (Str){0}, 2);
            add_part(c, out, at, at + rest.len);
            return;
        }
        ptrdiff_t start = at;
        for (next = at; at < s.len && !uc_is_space(utf8_next(s, &next)); at = next)
            ;
        add_part(c, out, start, at);
    }
}

static void reverse_values(Values *v)
{
    for (size_t i = 0; i < v->count / 2; i++) {
        DgValue t = v->items[i];
        v->items[i] = v->items[v->count - 1 - i];
        v->items[v->count - 1 - i] = t;
    }
}

static bool space_before(Str s, ptrdiff_t end, ptrdiff_t *start)
{
    *start = end - 1;
    while (*start > 0 && ((unsigned char)s.ptr[*start] & 0xC0) == 0x80)
        --*start;
    ptrdiff_t at = *start;
    return uc_is_space(utf8_next(s, &at));
}

static void rsplit_blank(const Call *c, Values *out, int64_t max)
{
    Str s = c->self.as.s;
    ptrdiff_t end = s.len, start;
    for (;;) {
        while (end > 0 && space_before(s, end, &start))
            end = start;
        if (end == 0)
            break;
        if (max-- == 0) {
            Str rest = str_strip((Str){s.ptr, end}, (Str){0}, 1);
            add_part(c, out, end - rest.len, end);
            break;
        }
        ptrdiff_t stop = end;
        while (end > 0 && !space_before(s, end, &start))
            end = start;
        add_part(c, out, end, stop);
    }
    reverse_values(out);
}

static void split_at(const Call *c, Values *out, Str by, int64_t max)
{
    Str s = c->self.as.s;
    ptrdiff_t at = 0;
    for (; max != 0; max--) {
        ptrdiff_t hit = str_find((Str){s.ptr + at, s.len - at}, by);
        if (hit < 0)
            break;
        add_part(c, out, at, at + hit);
        at += hit + by.len;
    }
    add_part(c, out, at, s.len);
}

static ptrdiff_t find_last(Str s, Str needle)
{
    for (ptrdiff_t at = s.len - needle.len; at >= 0; at--)
        if (needle.len == 0 || memcmp(s.ptr + at, needle.ptr, (size_t)needle.len) == 0)
            return at;
    return -1;
}

static void rsplit_at(const Call *c, Values *out, Str by, int64_t max)
{
    Str s = c->self.as.s;
    ptrdiff_t end = s.len;
    for (; max != 0; max--) {
        ptrdiff_t hit = find_last((Str){s.ptr, end}, by);
        if (hit < 0)
            break;
        add_part(c, out, hit + by.len, end);
        end = hit;
    }
    add_part(c, out, 0, end);
    reverse_values(out);
}

static DgValue m_split(const Call *c, int how)
{
    DgValue v[2] = {dgv_none(), dgv_int(-1)};
    if (!dg_args_spread(c->ev, "split()", c->args, "sep maxsplit", v, 0))
        return dgv_undefined();
    int64_t max = dg_want_int(c->ev, v[1], "the maxsplit of split()");
    Values out = {0};
    if (is_none(v[0])) {
        if (how == 'r')
            rsplit_blank(c, &out, max);
        else
            split_blank(c, &out, max);
    } else {
        Str by = dg_want_str(c->ev, v[0], "the separator of split()");
        if (by.len == 0)
            return dg_error(c->ev, DG_DATA, "the separator of split() is empty");
        if (how == 'r')
            rsplit_at(c, &out, by, max);
        else
            split_at(c, &out, by, max);
    }
    return dg_list(c->ev, out.items, out.count);
}

static DgValue m_splitlines(const Call *c, int how)
{
    DgValue keep = dgv_bool(false);
    if (!dg_args_spread(c->ev, "splitlines()", c->args, "keepends", &keep, 0))
        return dgv_undefined();
    Str s = c->self.as.s;
    Values out = {0};
    ptrdiff_t start = 0;
    for (ptrdiff_t at = 0; at < s.len;) {
        ptrdiff_t before = at;
        uint32_t u = utf8_next(s, &at);
        if (!((u >= 10 && u <= 13) || (u >= 28 && u <= 30) || u == 0x85 || u == 0x2028 ||
              u == 0x2029))
            continue;
        if (u == '\r' && at < s.len && s.ptr[at] == '\n')
            at++;
        add_part(c, &out, start, dg_truthy(c->ev, keep) ? at : before);
        start = at;
    }
    if (start < s.len)
        add_part(c, &out, start, s.len);
    return dg_list(c->ev, out.items, out.count);
}

static DgValue m_expandtabs(const Call *c, int how)
{
    DgValue v = dgv_int(8);
    if (!dg_args_spread(c->ev, "expandtabs()", c->args, "tabsize", &v, 0))
        return dgv_undefined();
    int64_t size = dg_want_int(c->ev, v, "the tab size"), column = 0;
    StrBuf b = dg_buf(c->ev);
    for (ptrdiff_t at = 0; at < c->self.as.s.len && !b.failed;) {
        ptrdiff_t start = at;
        uint32_t u = utf8_next(c->self.as.s, &at);
        if (u == '\t') {
            for (int64_t n = size > 0 ? size - column % size : 0; n > 0 && !b.failed; n--, column++)
                buf_char(&b, ' ');
        } else {
            buf_add(&b, (Str){c->self.as.s.ptr + start, at - start});
            column = u == '\n' || u == '\r' ? 0 : column + 1;
        }
    }
    return dg_take_value(c->ev, &b, false);
}

static DgValue m_join(const Call *c, int how)
{
    DgValue list;
    if (!dg_args_spread(c->ev, "join()", c->args, "iterable", &list, 1))
        return dgv_undefined();
    return dg_join(c->ev, c->self.as.s, list, true);
}

/* The [start, end) that find() and its like take, as byte offsets. False: start is past the end. */
static bool range_of(const Call *c, DgValue from, DgValue to, ptrdiff_t *start, ptrdiff_t *end)
{
    ptrdiff_t count = utf8_count(c->self.as.s);
    int64_t a = is_none(from) ? 0 : dg_want_int(c->ev, from, "the start");
    int64_t b = is_none(to) ? count : dg_want_int(c->ev, to, "the end");
    a = a < 0 ? (a + count < 0 ? 0 : a + count) : a;
    b = b < 0 ? (b + count < 0 ? 0 : b + count) : b > count ? count : b;
    if (dg_failed(c->ev) || a > count || a > b)
        return false;
    *start = utf8_offset(c->self.as.s, (ptrdiff_t)a);
    *end = utf8_offset(c->self.as.s, (ptrdiff_t)b);
    return true;
}

static int64_t count_in(Str s, Str needle)
{
    if (needle.len == 0)
        return utf8_count(s) + 1;
    int64_t n = 0;
    for (ptrdiff_t hit; (hit = str_find(s, needle)) >= 0; n++)
        s = (Str){s.ptr + hit + needle.len, s.len - hit - needle.len};
    return n;
}

/* find, rfind, index, rindex, count */
static DgValue m_find(const Call *c, int how)
{
    DgValue v[3] = {[1] = dgv_none(), dgv_none()};
    if (!dg_args_spread(c->ev, "the method", c->args, "sub start end", v, 1))
        return dgv_undefined();
    Str needle = dg_want_str(c->ev, v[0], "what is looked for");
    ptrdiff_t start, end, hit = -1;
    if (!range_of(c, v[1], v[2], &start, &end)) {
        if (how == 'n')
            return dgv_int(0);
    } else {
        Str part = {c->self.as.s.ptr + start, end - start};
        if (how == 'n')
            return dgv_int(count_in(part, needle));
        hit = how == 'f' || how == 'i' ? str_find(part, needle) : find_last(part, needle);
        if (needle.len == 0)
            hit = how == 'f' || how == 'i' ? 0 : part.len;
        if (hit >= 0)
            return dgv_int(utf8_count((Str){c->self.as.s.ptr, start + hit}));
    }
    if (how == 'i' || how == 'j')
        return dg_error(c->ev, DG_DATA, "`%.*s` is not in the text", FMT(needle));
    return dgv_int(-1);
}

static DgValue m_starts(const Call *c, int how)
{
    DgValue v[3] = {[1] = dgv_none(), dgv_none()};
    if (!dg_args_spread(c->ev, "the method", c->args, "prefix start end", v, 1))
        return dgv_undefined();
    DgValue one = v[0];
    DgValueList alone = {&one, 1};
    const DgValueList *all = v[0].kind == DG_V_TUPLE ? v[0].as.list : &alone;
    ptrdiff_t start, end;
    bool inside = range_of(c, v[1], v[2], &start, &end), found = false;
    for (size_t i = 0; i < all->count; i++) {
        Str part = dg_want_str(c->ev, all->items[i], "the argument of startswith() or endswith()");
        Str s = inside ? (Str){c->self.as.s.ptr + start, end - start} : (Str){0};
        found = found || (inside && (how == 's' ? str_starts(s, part) : str_ends(s, part)));
    }
    return bool_of(found);
}

static DgValue m_remove(const Call *c, int how)
{
    DgValue v;
    if (!dg_args_spread(c->ev, "the method", c->args, "affix", &v, 1))
        return dgv_undefined();
    Str affix = dg_want_str(c->ev, v, "the argument"), s = c->self.as.s;
    if (how == 'p' && str_starts(s, affix))
        return dgv_str(s.ptr + affix.len, s.len - affix.len);
    if (how == 's' && affix.len && str_ends(s, affix))
        return dgv_str(s.ptr, s.len - affix.len);
    return c->self;
}

static void fill(StrBuf *b, Str with, int64_t times)
{
    for (int64_t i = 0; i < times && !b->failed; i++)
        buf_add(b, with);
}

static DgValue m_pad(const Call *c, int how)
{
    DgValue v[2] = {[1] = dgv_str(" ", 1)};
    const char *names = how == 'z' ? "width" : "width fillchar";
    if (!dg_args_spread(c->ev, "the method", c->args, names, v, 1))
        return dgv_undefined();
    Str with = dg_want_str(c->ev, v[1], "the fill character"), s = c->self.as.s;
    int64_t width = dg_want_int(c->ev, v[0], "the width");
    if (utf8_count(with) != 1)
        return dg_type_error(c->ev, "the fill character must be one character");
    int64_t count = utf8_count(s), pad = width > count ? width - count : 0;
    if (!dg_charge(c->ev, (size_t)pad))
        return dgv_undefined();
    int64_t left = how == 'r' ? pad : how == 'l' ? 0 : pad / 2 + (pad & width & 1);
    StrBuf b = dg_buf(c->ev);
    if (how == 'z') {
        bool sign = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
        buf_add(&b, str_sub(s, 0, sign));
        fill(&b, S("0"), pad);
        buf_add(&b, str_sub(s, sign, s.len));
    } else {
        fill(&b, with, left);
        buf_add(&b, s);
        fill(&b, with, pad - left);
    }
    return dg_take_value(c->ev, &b, false);
}

static DgValue m_partition(const Call *c, int how)
{
    DgValue v;
    if (!dg_args_spread(c->ev, "partition()", c->args, "sep", &v, 1))
        return dgv_undefined();
    Str by = dg_want_str(c->ev, v, "the separator"), s = c->self.as.s;
    if (by.len == 0)
        return dg_error(c->ev, DG_DATA, "the separator of partition() is empty");
    ptrdiff_t hit = how == 'r' ? find_last(s, by) : str_find(s, by);
    DgValue none = dgv_str("", 0), whole = dgv_from_str(s);
    DgValue parts[3] = {how == 'r' ? none : whole, none, how == 'r' ? whole : none};
    if (hit >= 0) {
        parts[0] = dgv_str(s.ptr, hit);
        parts[1] = dgv_from_str(by);
        parts[2] = dgv_str(s.ptr + hit + by.len, s.len - hit - by.len);
    }
    return dg_tuple(c->ev, parts, 3);
}

/* isdigit and its like; how: d digit, a alpha, n alnum, s space, u upper, l lower, i ascii,
 * t title, e identifier */
static DgValue m_is(const Call *c, int how)
{
    if (!dg_args_spread(c->ev, "the method", c->args, "", NULL, 0))
        return dgv_undefined();
    Str s = c->self.as.s;
    if (how == 'i')
        return bool_of(str_is_ascii(s));
    bool cased = false, inside = false;
    for (ptrdiff_t at = 0; at < s.len;) {
        uint32_t u = utf8_next(s, &at);
        bool upper = uc_is_upper(u), lower = uc_is_lower(u);
        cased = cased || upper || lower;
        if ((how == 'd' && !uc_is_digit(u)) || (how == 'a' && !uc_is_alpha(u)) ||
            (how == 'n' && !uc_is_alpha(u) && !uc_is_digit(u)) || (how == 's' && !uc_is_space(u)) ||
            (how == 'u' && lower) || (how == 'l' && upper) || (how == 't' && inside && upper) ||
            (how == 't' && !inside && lower) ||
            (how == 'e' && !(uc_is_alpha(u) || u == '_' || (inside && uc_is_digit(u)))))
            return bool_of(false);
        inside = how == 'e' || upper || lower;
    }
    return bool_of(how == 'u' || how == 'l' || how == 't' ? cased : s.len > 0);
}

static DgValue m_format(const Call *c, int how)
{
    return dg_format_braces(c->ev, c->self.as.s, c->args);
}

static DgValue m_encode(const Call *c, int how)
{
    return dgv_bytes(c->self.as.s.ptr, c->self.as.s.len);
}

static const struct {
    const char *name;
    MethodFn fn;
    int how;
} METHODS[] = {
    {"capitalize", m_case, 'c'}, {"casefold", m_case, 'l'}, {"center", m_pad, 'c'},
    {"count", m_find, 'n'}, {"encode", m_encode, 0}, {"endswith", m_starts, 'e'},
    {"expandtabs", m_expandtabs, 0}, {"find", m_find, 'f'}, {"format", m_format, 0},
    {"index", m_find, 'i'},
    {"isalnum", m_is, 'n'}, {"isalpha", m_is, 'a'}, {"isascii", m_is, 'i'},
    {"isdecimal", m_is, 'd'}, {"isdigit", m_is, 'd'}, {"isidentifier", m_is, 'e'},
    {"islower", m_is, 'l'}, {"isnumeric", m_is, 'd'}, {"isspace", m_is, 's'},
    {"istitle", m_is, 't'}, {"isupper", m_is, 'u'}, {"join", m_join, 0}, {"ljust", m_pad, 'l'},
    {"lower", m_case, 'l'}, {"lstrip", m_strip, 1}, {"partition", m_partition, 'l'},
    {"removeprefix", m_remove, 'p'}, {"removesuffix", m_remove, 's'}, {"replace", m_replace, 0},
    {"rfind", m_find, 'r'}, {"rindex", m_find, 'j'}, {"rjust", m_pad, 'r'},
    {"rpartition", m_partition, 'r'}, {"rsplit", m_split, 'r'}, {"rstrip", m_strip, 2},
    {"split", m_split, 'l'}, {"splitlines", m_splitlines, 0}, {"startswith", m_starts, 's'},
    {"strip", m_strip, 3}, {"swapcase", m_case, 's'}, {"title", m_case, 't'},
    {"upper", m_case, 'u'}, {"zfill", m_pad, 'z'},
};

static ptrdiff_t method_at(Str name)
{
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        if (str_eq(name, str_from(METHODS[i].name)))
            return (ptrdiff_t)i;
    return -1;
}

DgValue dg_str_method(DgEval *ev, DgValue self, Str name, const DgArgs *args, bool *found)
{
    ptrdiff_t i = method_at(name);
    *found = i >= 0;
    if (i < 0)
        return dgv_undefined();
    return METHODS[i].fn(&(Call){ev, self, args}, METHODS[i].how);
}

/* ---- Names of all methods: {{ s.upper }} without a call is the method itself ---- */

static bool among(Str name, const char *names)
{
    Str all = str_from(names), word;
    while (all.len) {
        Str rest = {0};
        word = str_cut(all, ' ', &word, &rest) ? word : all;
        if (str_eq(word, name))
            return true;
        all = rest;
    }
    return false;
}

bool dg_is_method(DgValue v, Str name)
{
    switch ((DgValueKind)v.kind) {
    case DG_V_STR: return method_at(name) >= 0;
    case DG_V_LIST:
        return among(name, "append clear copy count extend index insert pop remove reverse sort");
    case DG_V_TUPLE: return among(name, "count index");
    case DG_V_DICT:
        return among(name, "clear copy get items keys pop popitem setdefault update values");
    default: return false;
    }
}
