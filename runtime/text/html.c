/* html.c - the text of HTML, in one pass and without a tree: no nesting is too deep for it.
 *
 * Blocks end where block elements begin or end. Blanks are put together as a browser does, kept in
 * `pre`. Cells of a row are joined by ` | `, items of a list begin with `- `. Scripts, styles, templates
 * and drawings are not text.
 */
#include <stdlib.h>

#include "runtime/os/os.h"
#include "runtime/text/extract.h"
#include "runtime/text/unicode.h"

typedef struct Html {
    DgDoc *doc;
    Str in;
    StrBuf *out;
    int64_t block;        /* where the open block begins in `out`; -1: none is open */
    int64_t source, source_end;
    int pre, skip;        /* how many such elements are open */
    int level;            /* of the heading that is open; 0: none */
    int32_t ticks;
    bool blank;           /* one is due before the next character */
    bool item, row, cell; /* an item begins; in a row; a cell begins */
    bool last_item, last_row;
    DgBlockKind kind;
} Html;

/* ---- Characters ---- */

typedef struct Named { const char *name; uint32_t c; } Named;
static const Named names[] = {
#include "runtime/text/html_names.inc"
};

static int by_name(const void *key, const void *item)
{
    return str_cmp(*(const Str *)key, str_from(((const Named *)item)->name));
}

static bool is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static uint32_t numbered(Str s, ptrdiff_t *i)
{
    bool hex = *i < s.len && (s.ptr[*i] | 32) == 'x';
    uint32_t c = 0;
    ptrdiff_t digits = *i += hex;
    for (; *i < s.len; ++*i) {
        char d = s.ptr[*i];
        int digit = is_digit(d) ? d - '0' : hex && (d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10 : -1;
        if (digit < 0)
            break;
        c = c > 0x110000 ? c : c * (hex ? 16 : 10) + (uint32_t)digit;
    }
    if (*i == digits)
        return 0;
    *i += *i < s.len && s.ptr[*i] == ';';
    return c == 0 || c > 0x10ffff ? 0xfffd : c == 0x96 ? 0x2013 : c == 0x97 ? 0x2014 : c == 0x92 ? 0x2019 : c;
}

/* The character that `&...` at s[*i] names, and *i behind it; 0: it names none. */
static uint32_t reference(Str s, ptrdiff_t *i)
{
    ptrdiff_t at = *i + 1, end = at;
    uint32_t c = 0;
    if (at < s.len && s.ptr[at] == '#') {
        c = numbered(s, (at++, &at));
        end = at;
    } else {
        while (end < s.len && end - at < 10 && (is_letter(s.ptr[end]) || is_digit(s.ptr[end])))
            end++;
        Str name = str_sub(s, at, end);
        const Named *known = bsearch(&name, names, sizeof names / sizeof *names, sizeof *names, by_name);
        bool closed = end < s.len && s.ptr[end] == ';';
        if (known && (closed || (known->c < 256 && (end >= s.len || s.ptr[end] != '='))))
            c = known->c;
        end += closed;
    }
    if (c)
        *i = end;
    return c == 0xa0 ? ' ' : c;
}

/* ---- Blocks ---- */

static DgStatus flush(Html *h, DgError *err)
{
    int64_t end = (int64_t)h->out->len;
    if (h->block >= 0 && end > h->block) {
        DgBlock *b = doc_block(h->doc, h->kind, h->block, end);
        if (!b || h->out->failed)
            return os_no_memory(err, "for a document's blocks");
        b->source = h->source;
        b->source_end = h->source_end;
        if (h->kind == DG_BLOCK_HEADING) {
            b->level = (uint8_t)h->level;
            b->label_start = b->start;
            b->label_end = b->end;
        }
    }
    h->block = -1;
    h->blank = false;
    if (end > h->doc->text_max)
        return doc_too_large(h->doc, err);
    return (++h->ticks & 0x3ff) == 0 ? doc_check(h->doc, err) : DG_OK;
}

static void begin_block(Html *h, ptrdiff_t source)
{
    if (h->out->len)
        buf_add(h->out, (h->item && h->last_item) || (h->row && h->last_row) ? S("\n") : S("\n\n"));
    h->block = (int64_t)h->out->len;
    h->source = source;
    h->kind = h->level ? DG_BLOCK_HEADING : h->pre ? DG_BLOCK_CODE : h->row ? DG_BLOCK_ROWS : DG_BLOCK_TEXT;
    h->last_item = h->item;
    h->last_row = h->row;
    if (h->item)
        buf_add(h->out, S("- "));
    h->item = h->blank = h->cell = false;
}

static void put(Html *h, uint32_t c, ptrdiff_t from, ptrdiff_t to)
{
    bool is_blank = c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
    if (h->skip)
        return;
    if (is_blank && !h->pre) {
        h->blank = h->block >= 0;
        return;
    }
    if (c < ' ' && !is_blank)
        return;
    if (h->block < 0)
        begin_block(h, from);
    if (h->cell)
        buf_add(h->out, S(" | "));
    else if (h->blank && h->out->ptr[h->out->len - 1] != '\n')
        buf_char(h->out, ' ');
    h->blank = h->cell = false;
    unicode_add(h->out, c);
    h->source_end = to;
}

/* ---- Tags ---- */

typedef enum TagKind { TAG_INLINE, TAG_BLOCK, TAG_HEADING, TAG_PRE, TAG_ITEM, TAG_ROW, TAG_CELL, TAG_BREAK, TAG_RAW, TAG_SKIP, TAG_TITLE } TagKind;

static TagKind tag_kind(Str name)
{
    static const struct { const char *name; TagKind kind; } tags[] = {
        {"p", TAG_BLOCK}, {"div", TAG_BLOCK}, {"li", TAG_ITEM}, {"td", TAG_CELL}, {"th", TAG_CELL}, {"tr", TAG_ROW}, {"br", TAG_BREAK}, {"pre", TAG_PRE},
        {"h1", TAG_HEADING}, {"h2", TAG_HEADING}, {"h3", TAG_HEADING}, {"h4", TAG_HEADING}, {"h5", TAG_HEADING}, {"h6", TAG_HEADING},
        {"script", TAG_RAW}, {"style", TAG_RAW}, {"textarea", TAG_RAW}, {"iframe", TAG_RAW}, {"noscript", TAG_RAW}, {"title", TAG_TITLE},
        {"template", TAG_SKIP}, {"svg", TAG_SKIP}, {"ul", TAG_BLOCK}, {"ol", TAG_BLOCK}, {"dl", TAG_BLOCK}, {"dt", TAG_BLOCK}, {"dd", TAG_BLOCK},
        {"table", TAG_BLOCK}, {"tbody", TAG_BLOCK}, {"thead", TAG_BLOCK}, {"tfoot", TAG_BLOCK}, {"caption", TAG_BLOCK}, {"section", TAG_BLOCK},
        {"article", TAG_BLOCK}, {"header", TAG_BLOCK}, {"footer", TAG_BLOCK}, {"main", TAG_BLOCK}, {"nav", TAG_BLOCK}, {"aside", TAG_BLOCK},
        {"blockquote", TAG_BLOCK}, {"figure", TAG_BLOCK}, {"figcaption", TAG_BLOCK}, {"hr", TAG_BLOCK}, {"form", TAG_BLOCK}, {"fieldset", TAG_BLOCK},
        {"legend", TAG_BLOCK}, {"address", TAG_BLOCK}, {"details", TAG_BLOCK}, {"summary", TAG_BLOCK}, {"dialog", TAG_BLOCK}, {"option", TAG_BLOCK},
        {"head", TAG_BLOCK}, {"body", TAG_BLOCK}, {"html", TAG_BLOCK}, {"center", TAG_BLOCK}, {"menu", TAG_BLOCK}};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (str_eq_nocase(name, str_from(tags[i].name)))
            return tags[i].kind;
    return TAG_INLINE;
}

/* Behind the `>` of the tag whose name ends at `i`; *empty: it ends in `/>`. */
static ptrdiff_t tag_end(Str s, ptrdiff_t i, bool *empty)
{
    *empty = false;
    while (i < s.len && s.ptr[i] != '>') {
        char c = s.ptr[i++];
        *empty = c == '/';
        if (c != '=')
            continue;
        while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\n' || s.ptr[i] == '\t'))
            i++;
        if (i < s.len && (s.ptr[i] == '"' || s.ptr[i] == '\'')) {
            ptrdiff_t close = str_find_char(str_sub(s, i + 1, s.len), s.ptr[i]);
            i = close < 0 ? s.len : i + close + 2;
        }
    }
    return i < s.len ? i + 1 : s.len;
}

/* Where `</name` begins, whatever its case; the end when it does not come. */
static ptrdiff_t raw_end(Str s, ptrdiff_t i, Str name)
{
    for (; i < s.len; i++) {
        const char *next = memchr(s.ptr + i, '<', (size_t)(s.len - i));
        if (!next)
            return s.len;
        i = next - s.ptr;
        if (i + 1 < s.len && s.ptr[i + 1] == '/' && str_eq_nocase(str_sub(s, i + 2, i + 2 + name.len), name))
            return i;
    }
    return s.len;
}

static DgStatus open_tag(Html *h, Str name, TagKind kind, DgError *err)
{
    if (kind == TAG_INLINE)
        return DG_OK;
    if (kind == TAG_SKIP) {
        h->skip++;
        return DG_OK;
    }
    if (kind == TAG_BREAK) {
        if (h->block >= 0 && !h->level && !h->row && h->out->ptr[h->out->len - 1] != '\n')
            buf_char(h->out, '\n');
        h->blank = h->blank || h->level || h->row;
        return DG_OK;
    }
    if (h->row && kind == TAG_CELL) {
        h->cell = h->block >= 0;
        return DG_OK;
    }
    if (h->row && kind != TAG_ROW) { /* a paragraph in a cell: the row goes on */
        h->blank = true;
        return DG_OK;
    }
    DG_TRY(flush(h, err));
    h->level = kind == TAG_HEADING ? name.ptr[1] - '0' : 0;
    h->pre += kind == TAG_PRE;
    h->item = kind == TAG_ITEM || (h->item && kind == TAG_BLOCK);
    h->row = kind == TAG_ROW;
    return DG_OK;
}

static DgStatus close_tag(Html *h, Str name, TagKind kind, DgError *err)
{
    if (kind == TAG_INLINE || kind == TAG_BREAK || kind == TAG_CELL)
        return DG_OK;
    if (kind == TAG_SKIP) {
        h->skip -= h->skip > 0;
        return DG_OK;
    }
    bool ends_row = kind == TAG_ROW || str_eq_nocase(name, S("table"));
    if (h->row && !ends_row) {
        h->blank = true;
        return DG_OK;
    }
    if (h->level == 1 && h->block >= 0)
        doc_title(h->doc, str_sub(buf_str(h->out), (ptrdiff_t)h->block, (ptrdiff_t)h->out->len));
    DG_TRY(flush(h, err));
    h->level = 0;
    h->pre -= kind == TAG_PRE && h->pre > 0;
    h->row = h->row && !ends_row;
    h->item = false;
    return DG_OK;
}

static void take_title(Html *h, Str text)
{
    StrBuf b = {.max = 4096};
    for (ptrdiff_t i = 0; i < text.len && !b.failed;) {
        uint32_t c = text.ptr[i] == '&' ? reference(text, &i) : 0;
        unicode_add(&b, c ? c : unicode_next(text, &i));
    }
    doc_title(h->doc, buf_str(&b));
    buf_free(&b);
}

/* What begins with `<` at `i`: *next is behind it. */
static DgStatus markup(Html *h, ptrdiff_t i, ptrdiff_t *next, DgError *err)
{
    Str s = h->in;
    Str rest = str_sub(s, i, s.len);
    if (str_starts(rest, S("<!--")) || str_starts(rest, S("<![CDATA["))) {
        ptrdiff_t close = str_find(rest, rest.ptr[2] == '-' ? S("-->") : S("]]>"));
        *next = close < 0 ? s.len : i + close + 3;
        return DG_OK;
    }
    char first = i + 1 < s.len ? s.ptr[i + 1] : 0;
    bool closing = first == '/', empty;
    ptrdiff_t from = i + 1 + closing, end = from;
    while (end < s.len && (is_letter(s.ptr[end]) || (end > from && is_digit(s.ptr[end]))))
        end++;
    if (end == from && first != '!' && first != '?' && !closing) { /* a lonely < */
        put(h, '<', i, i + 1);
        *next = i + 1;
        return DG_OK;
    }
    Str name = str_sub(s, from, end);
    *next = tag_end(s, end, &empty);
    TagKind kind = tag_kind(name);
    if (closing)
        return close_tag(h, name, kind, err);
    if (kind == TAG_RAW || kind == TAG_TITLE) {
        ptrdiff_t stop = raw_end(s, *next, name);
        if (kind == TAG_TITLE && !h->skip)
            take_title(h, str_sub(s, *next, stop));
        *next = stop;
        return DG_OK;
    }
    return empty && kind == TAG_SKIP ? DG_OK : open_tag(h, name, kind, err);
}

DgStatus doc_read_html(DgDoc *d, Str text, DgError *err)
{
    Html h = {.doc = d, .in = text, .out = &d->built, .block = -1};
    d->built.len = 0;
    d->built.max = (size_t)d->text_max + (1 << 20);
    for (ptrdiff_t i = 0; i < text.len;) {
        char c = text.ptr[i];
        ptrdiff_t from = i;
        if (c == '<') {
            DG_TRY(markup(&h, i, &i, err));
            continue;
        }
        uint32_t named = c == '&' ? reference(text, &i) : 0;
        if (!named)
            named = unicode_next(text, &i);
        put(&h, named, from, i);
        if ((from & 0xfffff) == 0)
            DG_TRY(doc_check(d, err));
    }
    DG_TRY(flush(&h, err));
    if (d->built.failed)
        return doc_too_large(d, err);
    d->text = buf_str(&d->built);
    return DG_OK;
}
