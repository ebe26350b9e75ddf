/* filters_text.c - filters that work on longer text: wrapping, indenting, cutting, quoting. */
#include "runtime/eval/internal.h"

#define SPREAD(name, names, required)                                        \
    if (!dg_args_spread(ev, "the filter `" name "`", args, names, v, required)) \
    return dgv_undefined()

static DgValue text_of(DgEval *ev, DgValue v)
{
    return dgv_taint(dgv_from_str(dg_to_str(ev, v)), dgv_has_secret(v));
}

static bool is_word_char(uint32_t c)
{
    return uc_is_alpha(c) || uc_is_digit(c) || c == '_';
}

DgValue dg_filter_wordcount(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("wordcount", "s", 1);
    Str s = dg_to_str(ev, v[0]);
    int64_t n = 0;
    bool inside = false;
    for (ptrdiff_t at = 0; at < s.len;) {
        bool word = is_word_char(utf8_next(s, &at));
        n += word && !inside;
        inside = word;
    }
    return dgv_int(n);
}

DgValue dg_filter_truncate(DgEval *ev, const DgArgs *args)
{
    DgValue v[5] = {[1] = dgv_int(255), dgv_bool(false), dgv_str("...", 3), dgv_int(5)};
    SPREAD("truncate", "s length killwords end leeway", 1);
    if (is_none(v[4]))
        v[4] = dgv_int(5);
    DgValue s = text_of(ev, v[0]);
    int64_t length = dg_want_int(ev, v[1], "the length");
    int64_t leeway = dg_want_int(ev, v[4], "the leeway");
    Str end = dg_want_str(ev, v[3], "the end");
    int64_t room = length - utf8_count(end);
    if (dg_failed(ev) || leeway < 0 || room < 0)
        return dg_error(ev, DG_DATA, "truncate: the length must be at least that of the end");
    if (utf8_count(s.as.s) <= length + leeway)
        return s;
    Str cut = str_sub(s.as.s, 0, utf8_offset(s.as.s, (ptrdiff_t)room));
    if (!dg_truthy(ev, v[2])) {
        ptrdiff_t blank = cut.len;
        while (blank > 0 && cut.ptr[blank - 1] != ' ')
            blank--;
        if (blank > 0)
            cut.len = blank - 1;
    }
    return dgv_taint(dgv_from_str(str_concat(ev->arena, cut, end)), s.secret);
}

DgValue dg_filter_indent(DgEval *ev, const DgArgs *args)
{
    DgValue v[4] = {[1] = dgv_int(4), dgv_bool(false), dgv_bool(false)};
    SPREAD("indent", "s width first blank", 1);
    DgValue s = text_of(ev, v[0]);
    Str by = is_str(v[1]) ? v[1].as.s : (Str){0};
    if (!is_str(v[1])) {
        DgValue blanks = dg_mul(ev, dgv_str(" ", 1), v[1]);
        by = is_str(blanks) ? blanks.as.s : (Str){0};
    }
    bool first = dg_truthy(ev, v[2]), blank = dg_truthy(ev, v[3]);
    StrBuf b = dg_buf(ev);
    Str rest = s.as.s, line;
    for (bool start = true, more = true; more && dg_step(ev, 1); start = false) {
        more = str_cut(rest, '\n', &line, &rest);
        if (start ? first : (blank || line.len))
            buf_add(&b, by);
        buf_add(&b, line);
        if (more)
            buf_char(&b, '\n');
    }
    return dg_take_value(ev, &b, s.secret);
}

DgValue dg_filter_striptags(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("striptags", "value", 1);
    DgValue s = text_of(ev, v[0]);
    StrBuf b = dg_buf(ev);
    bool space = false;
    for (ptrdiff_t at = 0; at < s.as.s.len;) {
        Str rest = {s.as.s.ptr + at, s.as.s.len - at};
        if (str_starts(rest, S("<!--")) && str_find(rest, S("-->")) >= 0) {
            at += str_find(rest, S("-->")) + 3;
            continue;
        }
        if (rest.ptr[0] == '<' && str_find_char(rest, '>') >= 0) {
            at += str_find_char(rest, '>') + 1;
            continue;
        }
        ptrdiff_t start = at;
        if (uc_is_space(utf8_next(s.as.s, &at))) {
            space = b.len > 0;
            continue;
        }
        if (space)
            buf_char(&b, ' ');
        space = false;
        buf_add(&b, (Str){s.as.s.ptr + start, at - start});
    }
    return dg_take_value(ev, &b, s.secret);
}

static void quote_url(StrBuf *b, Str s, bool form)
{
    for (ptrdiff_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            strchr("_.-~", c) || (!form && c == '/'))
            buf_char(b, (char)c);
        else if (form && c == ' ')
            buf_char(b, '+');
        else
            buf_format(b, "%%%02X", c);
    }
}

DgValue dg_filter_urlencode(DgEval *ev, const DgArgs *args)
{
    DgValue v[1];
    SPREAD("urlencode", "value", 1);
    StrBuf b = dg_buf(ev);
    if (is_str(v[0]) || !(is_dict(v[0]) || is_seq(v[0]))) {
        quote_url(&b, dg_to_str(ev, v[0]), false);
        return dg_take_value(ev, &b, v[0].secret);
    }
    DgValue pairs = is_dict(v[0]) ? dg_call_method(ev, v[0], "items", DG_NO_ARGS) : v[0];
    for (size_t i = 0; !dg_failed(ev) && i < pairs.as.list->count; i++) {
        DgValue kv[2];
        dg_unpack(ev, pairs.as.list->items[i], kv, 2);
        if (i)
            buf_char(&b, '&');
        quote_url(&b, dg_to_str(ev, kv[0]), true);
        buf_char(&b, '=');
        quote_url(&b, dg_to_str(ev, kv[1]), true);
    }
    return dg_take_value(ev, &b, dgv_has_secret(v[0]));
}

/* ---- wordwrap: Python's textwrap, without expanding tabs or replacing white space ---- */

typedef struct Wrap {
    StrBuf *b;
    Str by;
    int64_t width;
    bool break_long, on_hyphens;
    bool lines; /* a line was written before */
} Wrap;

static void wrap_line(Wrap *w, Str line)
{
    if (w->lines)
        buf_add(w->b, w->by);
    buf_add(w->b, line);
    w->lines = true;
}

static bool letter_at(Str s, ptrdiff_t i)
{
    return i >= 0 && i < s.len && (uc_is_alpha((unsigned char)s.ptr[i]) || (s.ptr[i] & 0x80));
}

/* The next chunk: white space, or a word up to a hyphen between letters. */
static Str next_chunk(const Wrap *w, Str s)
{
    ptrdiff_t i = 0;
    bool space = s.ptr[0] == ' ' || s.ptr[0] == '\t';
    for (; i < s.len; i++) {
        if ((s.ptr[i] == ' ' || s.ptr[i] == '\t') != space)
            break;
        if (!space && w->on_hyphens && i && s.ptr[i] == '-' && letter_at(s, i - 1) &&
            letter_at(s, i - 2) && letter_at(s, i + 1) && letter_at(s, i + 2)) {
            i++;
            break;
        }
    }
    return (Str){s.ptr, i};
}

static void wrap_paragraph(DgEval *ev, Wrap *w, Str s)
{
    ptrdiff_t start = 0, end = 0; /* of the line being filled */
    int64_t used = 0;
    bool any = false;
    for (ptrdiff_t at = 0; at < s.len && dg_step(ev, 1);) {
        Str chunk = next_chunk(w, (Str){s.ptr + at, s.len - at});
        int64_t count = utf8_count(chunk);
        bool space = chunk.ptr[0] == ' ' || chunk.ptr[0] == '\t';
        if (used == 0 && space && any) { /* blanks at the start of a line go, except the first */
            at += chunk.len;
            start = end = at;
            continue;
        }
        if (used + count <= w->width) {
            used += count;
            at += chunk.len;
            end = at;
            continue;
        }
        if (count > w->width && w->break_long) {
            ptrdiff_t part = utf8_offset(chunk, (ptrdiff_t)(w->width - used));
            if (w->width - used > 0) {
                at += part;
                end = at;
            }
        } else if (used == 0) {
            at += chunk.len;
            end = at;
        }
        Str line = {s.ptr + start, end - start};
        line = str_strip(line, (Str){0}, 2);
        if (line.len || !any) {
            if (line.len)
                wrap_line(w, line);
            any = any || line.len > 0;
        }
        start = end = at;
        used = 0;
    }
    Str line = str_strip((Str){s.ptr + start, end - start}, (Str){0}, 2);
    if (line.len)
        wrap_line(w, line);
    else if (!any)
        wrap_line(w, (Str){0});
}

DgValue dg_filter_wordwrap(DgEval *ev, const DgArgs *args)
{
    DgValue v[5] = {[1] = dgv_int(79), dgv_bool(true), dgv_none(), dgv_bool(true)};
    SPREAD("wordwrap", "s width break_long_words wrapstring break_on_hyphens", 1);
    DgValue s = text_of(ev, v[0]);
    StrBuf b = dg_buf(ev);
    Wrap w = {.b = &b,
              .by = is_str(v[3]) ? v[3].as.s : S("\n"),
              .width = dg_want_int(ev, v[1], "the width"),
              .break_long = dg_truthy(ev, v[2]),
              .on_hyphens = dg_truthy(ev, v[4])};
    if (w.width <= 0)
        return dg_error(ev, DG_DATA, "the width of wordwrap must be more than 0");
    DgValue lines = dg_call_method(ev, s, "splitlines", DG_NO_ARGS);
    for (size_t i = 0; !dg_failed(ev) && i < lines.as.list->count; i++)
        wrap_paragraph(ev, &w, lines.as.list->items[i].as.s);
    return dg_take_value(ev, &b, s.secret);
}
