/* lexer.c - a template's text as tokens: data, tags, and what stands within tags. */
#include "compiler/template/template_impl.h"

typedef struct Lexer {
    TemplateCtx *ctx;
    Template *t;
    Str s;
    uint32_t at;
    Toks *out;
    char brackets[LIMIT_TEMPLATE_DEPTH]; /* those open within the tag */
    uint32_t bracket_at[LIMIT_TEMPLATE_DEPTH];
    int depth;
    bool strip_next; /* a tag ended in `-`: white space after it goes */
} Lexer;

DiagItem *template_error(TemplateCtx *ctx, Template *t, DiagCode code, uint32_t start, uint32_t end,
                         const char *fmt, ...)
{
    if (t->broken) { /* what follows a first error is not reported: help and labels go nowhere */
        DiagItem *ignored = push(ctx->arena, DiagItem, 1);
        ignored->diag = ctx->diag;
        return ignored;
    }
    t->broken = true;
    va_list args;
    va_start(args, fmt);
    Str message = str_vformat(ctx->arena, fmt, args);
    va_end(args);
    uint32_t len = (uint32_t)t->text.len;
    if (t->text.ptr && end > len)
        end = len;
    if (start > end)
        start = end;
    return diag_report(ctx->diag, code, template_span(&t->place, start, end), "%.*s", FMT(message));
}

static int at(const Lexer *l, uint32_t i)
{
    return i < (uint32_t)l->s.len ? (unsigned char)l->s.ptr[i] : -1;
}

static bool starts(const Lexer *l, uint32_t i, const char *text)
{
    for (uint32_t k = 0; text[k]; k++)
        if (at(l, i + k) != (unsigned char)text[k])
            return false;
    return true;
}

static Tok *add(Lexer *l, TokKind kind, uint32_t start, uint32_t end)
{
    Tok tok = {.kind = kind, .start = start, .end = end,
               .text = {l->s.ptr + start, (ptrdiff_t)(end - start)}};
    array_add(l->ctx->arena, l->out, tok);
    return &l->out->items[l->out->count - 1];
}

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(int c) { return c >= '0' && c <= '9'; }
static bool is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

/* Line ends become \n, as Jinja makes them. */
static Str normalized(Lexer *l, Str s)
{
    if (str_find_char(s, '\r') < 0)
        return s;
    char *to = push(l->ctx->arena, char, s.len);
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n')
            continue;
        to[n++] = s.ptr[i] == '\r' ? '\n' : s.ptr[i];
    }
    return (Str){to, n};
}

static void add_data(Lexer *l, uint32_t start, uint32_t end, bool strip_end)
{
    if (l->strip_next)
        while (start < end && is_space(at(l, start)))
            start++;
    if (strip_end)
        while (end > start && is_space(at(l, end - 1)))
            end--;
    l->strip_next = false;
    if (start < end) {
        Tok *tok = add(l, TK_DATA, start, end);
        tok->text = normalized(l, tok->text);
    }
}

/* ---- Within tags ---- */

static bool digits_in(int c, int base)
{
    return base == 16 ? is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f')
                      : c >= '0' && c < '0' + base;
}

/* Digits with single underscores between them, copied without those. */
static int digits(Lexer *l, uint32_t *i, int base, char *to, int room, bool leading_underscore)
{
    int n = 0;
    for (;;) {
        bool underscore = at(l, *i) == '_' && digits_in(at(l, *i + 1), base) &&
                          (n || leading_underscore);
        if (underscore)
            ++*i;
        if (!digits_in(at(l, *i), base) || n == room)
            return n;
        to[n++] = (char)at(l, (*i)++);
    }
}

static bool radix_number(Lexer *l, int base)
{
    uint32_t start = l->at, i = start + 2;
    char text[80];
    int n = digits(l, &i, base, text, (int)sizeof text, true);
    uint64_t value = 0;
    for (int k = 0; k < n; k++) {
        if (value >> 59)
            n = -1;
        value = value * (uint64_t)base +
                (uint64_t)(is_digit(text[k]) ? text[k] - '0' : (text[k] | 32) - 'a' + 10);
    }
    if (n <= 0 || value > INT64_MAX) {
        template_error(l->ctx, l->t, E0601, start, i, "the number does not fit into 64 bits");
        return false;
    }
    add(l, TK_INT, start, i)->as.i = (int64_t)value;
    l->at = i;
    return true;
}

static bool number(Lexer *l)
{
    uint32_t start = l->at, i = start;
    int second = at(l, i + 1) | 32;
    int base = second == 'x' ? 16 : second == 'o' ? 8 : 2;
    if (at(l, i) == '0' && (second == 'x' || second == 'o' || second == 'b') &&
        (digits_in(at(l, i + 2), base) || (at(l, i + 2) == '_' && digits_in(at(l, i + 3), base))))
        return radix_number(l, base);
    char text[320];
    int n = digits(l, &i, 10, text, 100, false);
    bool is_float = false, after_dot = start > 0 && at(l, start - 1) == '.';
    if (!after_dot && at(l, i) == '.' && is_digit(at(l, i + 1))) {
        is_float = true;
        i++;
        text[n++] = '.';
        n += digits(l, &i, 10, text + n, 100, false);
    }
    int sign = at(l, i + 1) == '+' || at(l, i + 1) == '-';
    if (!after_dot && (at(l, i) | 32) == 'e' && is_digit(at(l, i + 1 + (uint32_t)sign))) {
        is_float = true;
        text[n++] = 'e';
        if (sign)
            text[n++] = (char)at(l, i + 1);
        i += 1 + (uint32_t)sign;
        n += digits(l, &i, 10, text + n, 100, false);
    }
    Str shown = {text, n};
    int64_t whole = 0;
    double f = 0;
    if (is_float ? !str_to_double(shown, &f) : !str_to_int(shown, &whole)) {
        template_error(l->ctx, l->t, E0601, start, i, "the number does not fit into 64 bits");
        return false;
    }
    Tok *tok = add(l, is_float ? TK_FLOAT : TK_INT, start, i);
    if (is_float)
        tok->as.f = f;
    else
        tok->as.i = whole;
    l->at = i;
    return true;
}

static void add_utf8(StrBuf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_char(b, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    buf_char(b, (char)((more == 1 ? 0xC0 : more == 2 ? 0xE0 : 0xF0) | c >> (6 * more)));
    while (more--)
        buf_char(b, (char)(0x80 | (c >> (6 * more) & 0x3F)));
}

/* The escape after a backslash at *i. False: malformed. */
static bool unescape(Lexer *l, StrBuf *b, uint32_t *i)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    int c = at(l, (*i)++);
    for (int k = 0; from[k]; k++)
        if (c == from[k]) {
            buf_char(b, to[k]);
            return true;
        }
    if (c == '\n')
        return true;
    int count = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    uint32_t code = 0;
    if (c >= '0' && c <= '7') {
        code = (uint32_t)(c - '0');
        for (int k = 0; k < 2 && at(l, *i) >= '0' && at(l, *i) <= '7'; k++)
            code = code * 8 + (uint32_t)(at(l, (*i)++) - '0');
        add_utf8(b, code);
        return true;
    }
    if (!count) {
        buf_char(b, '\\');
        --*i;
        return c != 'N';
    }
    for (int k = 0; k < count; k++) {
        int d = at(l, (*i)++);
        if (!digits_in(d, 16))
            return false;
        code = code * 16 + (uint32_t)(is_digit(d) ? d - '0' : (d | 32) - 'a' + 10);
    }
    if (code > 0x10FFFF)
        return false;
    add_utf8(b, code);
    return true;
}

static bool text_literal(Lexer *l)
{
    uint32_t start = l->at, i = start + 1;
    int quote = at(l, start);
    bool escapes = false;
    while (at(l, i) != quote) {
        if (at(l, i) == '\\') {
            escapes = true;
            i++;
        }
        if (at(l, i) < 0) {
            template_error(l->ctx, l->t, E0601, start, start + 1, "the quote `%c` is not closed",
                           (char)quote);
            return false;
        }
        i++;
    }
    Tok *tok = add(l, TK_STRING, start, i + 1);
    tok->text = normalized(l, (Str){l->s.ptr + start + 1, (ptrdiff_t)(i - start - 1)});
    l->at = i + 1;
    if (!escapes)
        return true;
    StrBuf b = {0};
    bool ok = true;
    for (uint32_t k = start + 1; k < i && ok;) {
        if (at(l, k) == '\\') {
            k++;
            ok = unescape(l, &b, &k);
        } else {
            buf_char(&b, l->s.ptr[k++]);
        }
    }
    tok->text = normalized(l, str_copy(l->ctx->arena, buf_str(&b)));
    buf_free(&b);
    if (!ok)
        template_error(l->ctx, l->t, E0601, start, i + 1, "the text has an unknown escape");
    return ok;
}

static bool bracket(Lexer *l, char c)
{
    if (c == '(' || c == '[' || c == '{') {
        if (l->depth == LIMIT_TEMPLATE_DEPTH) {
            template_error(l->ctx, l->t, E0604, l->at, l->at + 1,
                           "the expression nests deeper than %d levels", LIMIT_TEMPLATE_DEPTH);
            return false;
        }
        l->brackets[l->depth] = c == '(' ? ')' : c == '[' ? ']' : '}';
        l->bracket_at[l->depth++] = l->at;
    } else if (c == ')' || c == ']' || c == '}') {
        if (!l->depth || l->brackets[l->depth - 1] != c) {
            DiagItem *it = template_error(l->ctx, l->t, E0601, l->at, l->at + 1,
                                          "unexpected `%c`", c);
            if (l->depth)
                diag_help(it, "close `%c` with `%c` first", l->s.ptr[l->bracket_at[l->depth - 1]],
                          l->brackets[l->depth - 1]);
            return false;
        }
        l->depth--;
    }
    return true;
}

static bool operator_token(Lexer *l)
{
    static const char *const two[] = {"//", "**", "==", "!=", ">=", "<="};
    uint32_t start = l->at, n = 1;
    for (size_t k = 0; k < sizeof two / sizeof *two; k++)
        if (starts(l, start, two[k]))
            n = 2;
    int c = at(l, start);
    if (n == 1 && !strchr("+-/*%~[](){}><=.:|,", c)) {
        DiagItem *it = template_error(l->ctx, l->t, E0601, start, start + 1,
                                      "unexpected character `%.*s` in an expression", 1,
                                      l->s.ptr + start);
        if (c == '&' || c == '!')
            diag_help(it, "write `%s`", c == '&' ? "and" : "not");
        return false;
    }
    if (n == 1 && !bracket(l, (char)c))
        return false;
    add(l, TK_OP, start, start + n);
    l->at = start + n;
    return true;
}

/* One token of an expression. False after an error. */
static bool expression_token(Lexer *l)
{
    int c = at(l, l->at);
    if (is_digit(c))
        return number(l);
    if (c == '"' || c == '\'')
        return text_literal(l);
    if (is_name_start(c)) {
        uint32_t i = l->at;
        while (is_name_start(at(l, i)) || is_digit(at(l, i)))
            i++;
        add(l, TK_NAME, l->at, i);
        l->at = i;
        return true;
    }
    return operator_token(l);
}

/* From after the opening braces to after the closing ones. */
static bool tag(Lexer *l, bool block, uint32_t start)
{
    const char *end = block ? "%}" : "}}";
    l->depth = 0;
    for (;;) {
        while (is_space(at(l, l->at)))
            l->at++;
        int c = at(l, l->at);
        if (c < 0) {
            DiagItem *it = template_error(l->ctx, l->t, E0601, start, start + 2,
                                          "`%s` is not closed", block ? "{%" : "{{");
            diag_help(it, "end it with `%s`", end);
            return false;
        }
        bool sign = (c == '-' || (block && c == '+')) && starts(l, l->at + 1, end);
        if (l->depth == 0 && (sign || starts(l, l->at, end))) {
            add(l, block ? TK_BLOCK_END : TK_VAR_END, l->at, l->at + 2 + sign);
            l->strip_next = c == '-';
            l->at += 2 + (uint32_t)sign;
            return true;
        }
        if (!block && l->depth > 0 && starts(l, l->at, "}}") && l->brackets[l->depth - 1] != '}') {
            uint32_t open = l->bracket_at[l->depth - 1];
            DiagItem *it = template_error(l->ctx, l->t, E0601, open, open + 1,
                                          "`%c` is not closed", l->s.ptr[open]);
            diag_help(it, "put `%c` before `}}`", l->brackets[l->depth - 1]);
            return false;
        }
        if (!expression_token(l))
            return false;
    }
}

/* ---- Between tags ---- */

static bool comment(Lexer *l, uint32_t start)
{
    uint32_t i = start + 2;
    while (at(l, i) >= 0 && !starts(l, i, "#}"))
        i++;
    if (at(l, i) < 0) {
        diag_help(template_error(l->ctx, l->t, E0601, start, start + 2, "`{#` is not closed"),
                  "end the comment with `#}`");
        return false;
    }
    l->strip_next = i > start + 2 && at(l, i - 1) == '-';
    l->at = i + 2;
    return true;
}

/* The end of `{% name %}` at i, or 0. *strip_before and *strip_after get its signs. */
static uint32_t simple_tag(const Lexer *l, uint32_t i, const char *name, bool *strip_before,
                           bool *strip_after)
{
    if (!starts(l, i, "{%"))
        return 0;
    i += 2;
    *strip_before = at(l, i) == '-';
    i += at(l, i) == '-' || at(l, i) == '+';
    while (is_space(at(l, i)))
        i++;
    if (!starts(l, i, name))
        return 0;
    i += (uint32_t)strlen(name);
    while (is_space(at(l, i)))
        i++;
    *strip_after = at(l, i) == '-';
    i += at(l, i) == '-' || at(l, i) == '+';
    return starts(l, i, "%}") ? i + 2 : 0;
}

static bool raw(Lexer *l, uint32_t start, uint32_t body)
{
    bool before, after;
    for (uint32_t i = body; at(l, i) >= 0; i++) {
        uint32_t end = simple_tag(l, i, "endraw", &before, &after);
        if (!end)
            continue;
        add_data(l, body, i, before);
        l->strip_next = after;
        l->at = end;
        return true;
    }
    diag_help(template_error(l->ctx, l->t, E0601, start, body, "`{%% raw %%}` is not closed"),
              "end it with `{%% endraw %%}`");
    return false;
}

/* The next `{{`, `{%` or `{#` from i on, or the end. */
static uint32_t next_tag(const Lexer *l, uint32_t i)
{
    while (i < (uint32_t)l->s.len) {
        const char *brace = memchr(l->s.ptr + i, '{', (size_t)l->s.len - i);
        if (!brace)
            break;
        i = (uint32_t)(brace - l->s.ptr);
        int c = at(l, i + 1);
        if (c == '{' || c == '%' || c == '#')
            return i;
        i++;
    }
    return (uint32_t)l->s.len;
}

static bool lex_text(Lexer *l)
{
    while (l->at < (uint32_t)l->s.len) {
        uint32_t start = next_tag(l, l->at);
        int kind = at(l, start + 1);
        bool minus = kind > 0 && at(l, start + 2) == '-', before, after;
        bool plus = kind > 0 && at(l, start + 2) == '+';
        add_data(l, l->at, start, minus);
        if (start == (uint32_t)l->s.len)
            break;
        uint32_t body = kind == '%' ? simple_tag(l, start, "raw", &before, &after) : 0;
        bool ok;
        if (kind == '#') {
            ok = comment(l, start);
        } else if (body) {
            l->strip_next = after;
            ok = raw(l, start, body);
        } else {
            add(l, kind == '%' ? TK_BLOCK_BEGIN : TK_VAR_BEGIN, start, start + 2 + (minus || plus));
            l->at = start + 2 + (minus || plus);
            ok = tag(l, kind == '%', start);
        }
        if (!ok)
            return false;
    }
    return true;
}

bool template_lex(TemplateCtx *ctx, Template *t, Toks *out)
{
    Lexer l = {.ctx = ctx, .t = t, .s = t->text, .out = out};
    if (t->mode == TEMPLATE_EXPR) {
        for (;;) {
            while (is_space(at(&l, l.at)))
                l.at++;
            if (at(&l, l.at) < 0)
                break;
            if (!expression_token(&l))
                return false;
        }
        if (l.depth) {
            uint32_t open = l.bracket_at[l.depth - 1];
            template_error(ctx, t, E0601, open, open + 1, "`%c` is not closed", l.s.ptr[open]);
            return false;
        }
    } else {
        if (t->mode == TEMPLATE_NATIVE && str_ends(l.s, S("\n")))
            l.s.len -= str_ends(l.s, S("\r\n")) ? 2 : 1;
        else if (t->mode == TEMPLATE_NATIVE && str_ends(l.s, S("\r")))
            l.s.len--;
        if (!lex_text(&l))
            return false;
    }
    add(&l, TK_EOF, (uint32_t)l.s.len, (uint32_t)l.s.len);
    return true;
}
