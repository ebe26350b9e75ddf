/* yaml_span.c - where a part of a scalar's text stands in the file; the tree as text.
 *
 * Nothing is remembered while reading. The scalar as written is decoded once more, in pieces that
 * know their bytes; if the pieces do not add up to the text that libyaml gave, the whole scalar is
 * the answer.
 */
#include "compiler/yaml_internal.h"

typedef struct Walk {
    Str file;
    uint32_t at, end;         /* what is left to decode */
    size_t done;              /* bytes of decoded text so far */
    size_t want_start, want_end;
    uint32_t found_start, found_end;
    bool has_start, has_end;
} Walk;

/* Source bytes [start, end) decode to `bytes` bytes. When `even`, byte by byte. */
static void piece(Walk *w, uint32_t start, uint32_t end, size_t bytes, bool even)
{
    size_t from = w->done, to = w->done + bytes;
    w->done = to;
    if (!w->has_start && w->want_start < to) {
        w->found_start = even ? start + (uint32_t)(w->want_start - from) : start;
        w->has_start = true;
    }
    if (!w->has_end && bytes && w->want_end > from && w->want_end <= to) {
        w->found_end = even ? start + (uint32_t)(w->want_end - from) : end;
        w->has_end = true;
    }
}

static char peek(const Walk *w, uint32_t ahead)
{
    return w->at + ahead < w->end ? w->file.ptr[w->at + ahead] : '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

static void skip_break(Walk *w)
{
    w->at += peek(w, 0) == '\r' && peek(w, 1) == '\n' ? 2 : 1;
}

static void skip_blanks(Walk *w)
{
    while (is_blank(peek(w, 0)))
        w->at++;
}

/* ---- Plain and quoted ---- */

/* Blanks, then perhaps line ends: one of them folds into a blank, more keep all but the first. */
static void fold(Walk *w)
{
    uint32_t start = w->at;
    skip_blanks(w);
    if (!is_break(peek(w, 0))) {
        piece(w, start, w->at, w->at - start, true);
        return;
    }
    size_t breaks = 0;
    while (is_break(peek(w, 0))) {
        skip_break(w);
        breaks++;
        skip_blanks(w);
    }
    piece(w, start, w->at, breaks == 1 ? 1 : breaks - 1, false);
}

static size_t utf8_bytes(uint32_t c)
{
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static void escape(Walk *w)
{
    uint32_t start = w->at;
    char c = peek(w, 1);
    w->at += 2;
    if (is_break(c)) { /* the line goes on: nothing, and the next line's indentation with it */
        w->at--;
        skip_break(w);
        skip_blanks(w);
        while (is_break(peek(w, 0))) { /* empty lines behind it do count */
            uint32_t line = w->at;
            skip_break(w);
            skip_blanks(w);
            piece(w, line, w->at, 1, false);
        }
        return;
    }
    uint32_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0, value = 0;
    for (uint32_t i = 0; i < digits; i++, w->at++) {
        char d = peek(w, 0);
        value = value * 16 + (uint32_t)(d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
    }
    size_t bytes = c == 'N' || c == '_' ? 2 : c == 'L' || c == 'P' ? 3 : 1;
    piece(w, start, w->at, digits ? utf8_bytes(value) : bytes, false);
}

static void walk_flow(Walk *w, YamlStyle style)
{
    while (w->at < w->end) {
        char c = peek(w, 0);
        if (is_blank(c) || is_break(c)) {
            fold(w);
        } else if (style == YAML_SINGLE && c == '\'') {
            piece(w, w->at, w->at + 2, 1, false);
            w->at += 2;
        } else if (style == YAML_DOUBLE && c == '\\') {
            escape(w);
        } else {
            piece(w, w->at, w->at + 1, 1, true);
            w->at++;
        }
    }
}

/* ---- Blocks ---- */

static ptrdiff_t leading_spaces(Str s)
{
    ptrdiff_t n = 0;
    while (n < s.len && s.ptr[n] == ' ')
        n++;
    return n;
}

/* Indentation of the content. The first line that is not empty tells: what the decoded text does
 * not have of its blanks is indentation. */
static ptrdiff_t content_indent(const Walk *w, Str text)
{
    Str rest = str_sub(w->file, w->at, w->file.len), line;
    Str decoded = text, first = {0};
    while (decoded.len && str_trim(first).len == 0)
        str_cut(decoded, '\n', &first, &decoded);
    while (rest.len) {
        str_cut(rest, '\n', &line, &rest);
        if (str_trim(line).len)
            return leading_spaces(line) - leading_spaces(first);
    }
    return 0;
}

/* Up to `indent` blanks, and whole lines of nothing else. Each such line is a line end of text. */
static void block_breaks(Walk *w, ptrdiff_t indent, size_t *breaks)
{
    for (;;) {
        ptrdiff_t column = 0;
        uint32_t line = w->at;
        while (column < indent && peek(w, 0) == ' ') {
            w->at++;
            column++;
        }
        if (!is_break(peek(w, 0))) {
            if (column < indent) /* the block is over: the blanks are not its own */
                w->at = line;
            return;
        }
        skip_break(w);
        ++*breaks;
    }
}

/* libyaml's scanner over again, with places: see yaml_parser_scan_block_scalar. */
static void walk_block(Walk *w, YamlStyle style, Str text)
{
    while (w->at < w->end && !is_break(peek(w, 0))) /* `|2-  # comment` */
        w->at++;
    if (w->at < w->end)
        skip_break(w);
    ptrdiff_t indent = content_indent(w, text);
    size_t breaks = 0;
    bool leading_break = false, leading_blank = false;
    uint32_t gap = w->at;
    block_breaks(w, indent, &breaks);
    uint32_t line_start = w->at;
    while (w->at < w->end && w->done < (size_t)text.len) {
        ptrdiff_t column = 0;
        for (uint32_t i = w->at; i > 0 && !is_break(w->file.ptr[i - 1]); i--)
            column++;
        if (column != indent)
            break;
        bool blank = is_blank(peek(w, 0));
        bool folds = style == YAML_FOLDED && leading_break && !leading_blank && !blank;
        size_t bytes = breaks + (folds ? breaks == 0 : leading_break);
        piece(w, gap, line_start, bytes, false);
        leading_blank = blank;
        uint32_t start = w->at;
        while (w->at < w->end && !is_break(peek(w, 0)))
            w->at++;
        piece(w, start, w->at, w->at - start, true);
        gap = w->at;
        leading_break = w->at < w->end;
        if (leading_break)
            skip_break(w);
        breaks = 0;
        block_breaks(w, indent, &breaks);
        line_start = w->at;
    }
    size_t left = (size_t)text.len - w->done; /* what chomping leaves of the last line ends */
    if (w->done < (size_t)text.len && left <= breaks + leading_break)
        piece(w, gap, gap + 1, left, false);
}

Span yaml_text_span(const Sources *s, const YamlNode *node, size_t start, size_t end)
{
    if (node->at.file == 0 || (node->style == YAML_PLAIN && node->text.len == 0))
        return node->at;
    Walk w = {.file = sources_file(s, node->at.file)->text,
              .at = node->at.start,
              .end = node->at.end,
              .want_start = start,
              .want_end = end > start ? end : start};
    if (node->style == YAML_SINGLE || node->style == YAML_DOUBLE) {
        w.at++;
        w.end -= w.end > w.at;
    }
    if (node->style == YAML_LITERAL || node->style == YAML_FOLDED) {
        w.end = (uint32_t)w.file.len;
        walk_block(&w, node->style, node->text);
    } else {
        walk_flow(&w, node->style);
    }
    if (w.done != (size_t)node->text.len || (end > start && !w.has_end))
        return node->at;
    if (!w.has_start) /* just behind the last character */
        w.found_start = w.at < node->at.end ? w.at : node->at.end;
    if (end <= start)
        w.found_end = w.found_start;
    if (w.found_end < w.found_start)
        w.found_end = w.found_start;
    return (Span){node->at.file, w.found_start, w.found_end};
}

/* ---- The tree as text ---- */

static void print_place(const Sources *s, Span at, StrBuf *out)
{
    Place p = sources_place(s, at);
    buf_format(out, " @%u:%u-%u:%u", p.line, p.column, p.end_line, p.end_column);
}

static void print_value(const YamlNode *n, StrBuf *out)
{
    switch (n->kind) {
    case YAML_NULL:
        buf_add(out, S("null"));
        break;
    case YAML_BOOL:
        buf_format(out, "bool %s", n->as.b ? "true" : "false");
        break;
    case YAML_INT:
        buf_format(out, "int %lld", (long long)n->as.i);
        break;
    case YAML_FLOAT:
        buf_format(out, "float %.17g", n->as.f);
        break;
    case YAML_STRING:
        buf_add(out, S("string "));
        buf_json(out, n->text);
        break;
    case YAML_DATE:
    case YAML_TIMESTAMP:
        buf_format(out, "%s %.*s", n->kind == YAML_DATE ? "date" : "timestamp", FMT(n->text));
        break;
    case YAML_LIST:
        buf_format(out, "list of %zu", n->as.list.count);
        break;
    case YAML_MAP:
        buf_format(out, "map of %zu", n->as.map.count);
        break;
    case YAML_ERROR:
        buf_add(out, S("error"));
        break;
    }
}

static void indent(StrBuf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_add(out, S("  "));
}

/* Recursion ends: no tree is deeper than LIMIT_YAML_DEPTH, aliases expanded. */
static void print_node(const Sources *s, const YamlNode *n, int depth, StrBuf *out)
{
    print_value(n, out);
    print_place(s, n->at, out);
    if (n->alias_at.file) {
        buf_add(out, S(" alias"));
        print_place(s, n->alias_at, out);
    }
    buf_char(out, '\n');
    for (size_t i = 0; n->kind == YAML_LIST && i < n->as.list.count; i++) {
        indent(out, depth + 1);
        buf_add(out, S("- "));
        print_node(s, n->as.list.items[i], depth + 1, out);
    }
    for (size_t i = 0; n->kind == YAML_MAP && i < n->as.map.count; i++) {
        const YamlEntry *e = &n->as.map.entries[i];
        indent(out, depth + 1);
        if (e->key->kind == YAML_STRING)
            buf_json(out, e->key->text);
        else
            print_value(e->key, out);
        print_place(s, e->key->at, out);
        buf_add(out, e->merged ? S(" merged: ") : S(": "));
        print_node(s, e->value, depth + 1, out);
    }
}

void yaml_print(const Sources *s, const YamlNode *node, StrBuf *out)
{
    print_node(s, node, 0, out);
}
