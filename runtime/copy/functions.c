/* functions.c - what transforms, constraints and checks can call: texts, and the table of names.
 * Positions count characters from 0, as Sling counts them; negative ones from the end. */
#include "runtime/copy/functions.h"
#include "runtime/eval/internal.h"
#include "runtime/os/os.h"

#define FUNCTION(name) DgStatus dg_fn_##name(const ExprScope *s, const DgValue *args, int count, DgValue *out, DgError *err)

StrBuf *expr_buffer(const ExprScope *s)
{
    s->buffer->len = 0;
    s->buffer->failed = false;
    s->buffer->max = EXPR_TEXT_MAX;
    return s->buffer;
}

DgStatus function_text(const ExprScope *s, const StrBuf *b, DgValue *out, DgError *err)
{
    *out = expr_str(str_copy(s->scratch, buf_str(b)));
    return b->failed ? dg_fail(err, DG_DATA, "a text of an expression passes %d bytes", EXPR_TEXT_MAX) : DG_OK;
}

static Str text(const ExprScope *s, DgValue v)
{
    return expr_text(s->scratch, v);
}

static DgStatus whole(DgValue v, const char *what, int64_t *out, DgError *err)
{
    if (v.kind != DG_V_INT)
        return dg_fail(err, DG_DATA, "%s takes a whole number for its position", what);
    *out = v.as.i;
    return DG_OK;
}

/* ---- One text to another ---- */

FUNCTION(upper)
{
    StrBuf *b = expr_buffer(s);
    Str t = text(s, args[0]);
    for (ptrdiff_t i = 0; i < t.len;)
        uc_upper(b, utf8_next(t, &i));
    return function_text(s, b, out, err);
}

FUNCTION(lower)
{
    StrBuf *b = expr_buffer(s);
    Str t = text(s, args[0]);
    for (ptrdiff_t i = 0; i < t.len;)
        uc_lower(b, utf8_next(t, &i));
    return function_text(s, b, out, err);
}

FUNCTION(trim)
{
    *out = expr_str(str_trim(text(s, args[0])));
    return DG_OK;
}

FUNCTION(empty_as_null)
{
    if (text(s, args[0]).len)
        *out = args[0];
    return DG_OK;
}

FUNCTION(accents)
{
    StrBuf *b = expr_buffer(s);
    accents_remove(b, text(s, args[0]));
    return function_text(s, b, out, err);
}

/* Control characters and what is not shown go; tabs and line ends are blanks of a kind and go, too. */
FUNCTION(printable)
{
    StrBuf *b = expr_buffer(s);
    Str t = text(s, args[0]);
    for (ptrdiff_t i = 0; i < t.len;) {
        uint32_t c = utf8_next(t, &i);
        bool hidden = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
                      (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB);
        if (!hidden)
            utf8_add(b, c == 0xA0 ? ' ' : c);
    }
    return function_text(s, b, out, err);
}

FUNCTION(replace)
{
    StrBuf *b = expr_buffer(s);
    Str t = text(s, args[0]), from = text(s, args[1]), to = text(s, args[2]);
    for (;;) {
        ptrdiff_t at = from.len ? str_find(t, from) : -1;
        if (at < 0)
            break;
        buf_add(b, str_sub(t, 0, at));
        buf_add(b, to);
        t = str_sub(t, at + from.len, t.len);
    }
    buf_add(b, t);
    return function_text(s, b, out, err);
}

/* ---- Parts ---- */

static int64_t position(int64_t at, int64_t length)
{
    at = at < 0 ? at + length : at;
    return at < 0 ? 0 : at > length ? length : at;
}

FUNCTION(substring)
{
    Str t = text(s, args[0]);
    int64_t from = 0, to, length = utf8_count(t);
    DG_TRY(whole(args[1], "substring", &from, err));
    to = length;
    if (count == 3)
        DG_TRY(whole(args[2], "substring", &to, err));
    from = position(from, length);
    to = position(to, length);
    *out = expr_str(from < to ? str_sub(t, utf8_offset(t, from), utf8_offset(t, to)) : S(""));
    return DG_OK;
}

FUNCTION(split_part)
{
    Str t = text(s, args[0]), at = text(s, args[1]);
    int64_t wanted = 0;
    DG_TRY(whole(args[2], "split_part", &wanted, err));
    *out = expr_str(S(""));
    for (int64_t i = 0; wanted >= 0; i++) {
        ptrdiff_t end = at.len ? str_find(t, at) : -1;
        if (i == wanted) {
            *out = expr_str(end < 0 ? t : str_sub(t, 0, end));
            break;
        }
        if (end < 0)
            break;
        t = str_sub(t, end + at.len, t.len);
    }
    return DG_OK;
}

FUNCTION(concat)
{
    StrBuf *b = expr_buffer(s);
    for (int i = 0; i < count; i++)
        buf_add(b, text(s, args[i]));
    return function_text(s, b, out, err);
}

/* ---- Questions about texts ---- */

static DgStatus answer(bool yes, DgValue *out)
{
    *out = (DgValue){.kind = DG_V_BOOL, .as.b = yes};
    return DG_OK;
}

FUNCTION(contains) { return answer(str_find(text(s, args[0]), text(s, args[1])) >= 0, out); }
FUNCTION(starts_with) { return answer(str_starts(text(s, args[0]), text(s, args[1])), out); }
FUNCTION(ends_with) { return answer(str_ends(text(s, args[0]), text(s, args[1])), out); }
FUNCTION(is_null) { return answer(args[0].kind == DG_V_NONE, out); }
FUNCTION(is_empty) { return answer(args[0].kind == DG_V_NONE || !text(s, args[0]).len, out); }

FUNCTION(length)
{
    *out = (DgValue){.kind = DG_V_INT, .as.i = utf8_count(text(s, args[0]))};
    return DG_OK;
}

/* ---- Choosing ---- */

FUNCTION(coalesce)
{
    for (int i = 0; i < count && out->kind == DG_V_NONE; i++)
        *out = args[i];
    return DG_OK;
}

FUNCTION(if)
{
    if (args[0].kind != DG_V_BOOL && args[0].kind != DG_V_NONE)
        return dg_fail(err, DG_DATA, "the first argument of if() is neither true nor false");
    *out = args[args[0].kind == DG_V_BOOL && args[0].as.b ? 1 : 2];
    return DG_OK;
}

/* Nulls are left out, as in SQL. */
static DgStatus extreme(const DgValue *args, int count, int sign, DgValue *out, DgError *err)
{
    for (int i = 0; i < count; i++) {
        int order;
        bool null;
        DG_TRY(expr_compare(args[i], *out, &order, &null, err));
        if (args[i].kind != DG_V_NONE && (null || order * sign > 0))
            *out = args[i];
    }
    return DG_OK;
}

FUNCTION(greatest) { return extreme(args, count, 1, out, err); }
FUNCTION(least) { return extreme(args, count, -1, out, err); }

/* ---- Names ---- */

static const ExprFunction text_functions[] = {
    {"upper", 1, 1, DG_TEXT, false, dg_fn_upper, "dg_fn_upper"}, {"lower", 1, 1, DG_TEXT, false, dg_fn_lower, "dg_fn_lower"},
    {"trim_space", 1, 1, DG_TEXT, false, dg_fn_trim, "dg_fn_trim"}, {"trim", 1, 1, DG_TEXT, false, dg_fn_trim, "dg_fn_trim"},
    {"replace_accents", 1, 1, DG_TEXT, false, dg_fn_accents, "dg_fn_accents"}, {"remove_diacritics", 1, 1, DG_TEXT, false, dg_fn_accents, "dg_fn_accents"},
    {"replace_non_printable", 1, 1, DG_TEXT, false, dg_fn_printable, "dg_fn_printable"}, {"replace", 3, 3, DG_TEXT, false, dg_fn_replace, "dg_fn_replace"},
    {"substring", 2, 3, DG_TEXT, false, dg_fn_substring, "dg_fn_substring"}, {"split_part", 3, 3, DG_TEXT, false, dg_fn_split_part, "dg_fn_split_part"},
    {"empty_as_null", 1, 1, 255, false, dg_fn_empty_as_null, "dg_fn_empty_as_null"}, {"concat", 1, 16, DG_TEXT, true, dg_fn_concat, "dg_fn_concat"}, {"contains", 2, 2, DG_BOOL, false, dg_fn_contains, "dg_fn_contains"},
    {"starts_with", 2, 2, DG_BOOL, false, dg_fn_starts_with, "dg_fn_starts_with"}, {"ends_with", 2, 2, DG_BOOL, false, dg_fn_ends_with, "dg_fn_ends_with"},
    {"is_null", 1, 1, DG_BOOL, true, dg_fn_is_null, "dg_fn_is_null"}, {"is_empty", 1, 1, DG_BOOL, true, dg_fn_is_empty, "dg_fn_is_empty"},
    {"length", 1, 1, DG_INT64, false, dg_fn_length, "dg_fn_length"}, {"coalesce", 1, 16, 255, true, dg_fn_coalesce, "dg_fn_coalesce"}, {"if", 3, 3, 255, true, dg_fn_if, "dg_fn_if"},
    {"greatest", 1, 16, 255, true, dg_fn_greatest, "dg_fn_greatest"}, {"least", 1, 16, 255, true, dg_fn_least, "dg_fn_least"}, {0},
};
static const ExprFunction *const tables[] = {text_functions, dg_time_functions, dg_other_functions};

const ExprFunction *expr_function(Str name)
{
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const ExprFunction *f = tables[t]; f->name; f++)
            if (str_eq(name, str_from(f->name)))
                return f;
    return NULL;
}

const char *expr_function_near(Str name)
{
    const char *best = NULL;
    int least = 4;
    for (size_t t = 0; t < sizeof tables / sizeof *tables && name.len < 64; t++)
        for (const ExprFunction *f = tables[t]; f->name; f++) {
            int d = str_distance(name, str_from(f->name), 3);
            if (d < least) {
                least = d;
                best = f->name;
            }
        }
    return best;
}

DgStatus expr_no_function(Str name, DgError *err)
{
    const char *near = expr_function_near(name);
    dg_fail(err, DG_CONFIG, "there is no function `%.*s`", (int)(name.len > 64 ? 64 : name.len), name.ptr ? name.ptr : "");
    if (near)
        dg_hint(err, "a similar name exists: `%s`", near);
    else
        dg_hint(err, "there are trim_space, upper, lower, replace, replace_accents, replace_non_printable, substring, split_part, concat, length, hash, cast, "
                     "coalesce, if, greatest, least, date_parse, date_format, uuid");
    return DG_CONFIG;
}
