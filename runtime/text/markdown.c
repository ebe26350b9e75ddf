/* markdown.c - the blocks of Markdown and of plain text. The text stays as it is written.
 *
 * What matters for cutting: headings (# and underlined), fences, tables, paragraphs. Lists and
 * quotations are paragraphs. A fence may be indented, as in lists. Front matter is not text; its title
 * is the document's.
 */
#include "runtime/os/os.h"
#include "runtime/text/extract.h"

typedef struct Scan {
    DgDoc *doc;
    Str text;
    ptrdiff_t paragraph; /* where the open one begins; -1: none is */
    ptrdiff_t last_end;  /* of its last line */
    bool rows;           /* it is a table */
    bool no_comment_ends; /* from here on: found out once */
} Scan;

static ptrdiff_t line_end(Str s, ptrdiff_t at)
{
    const char *found = memchr(s.ptr + at, '\n', (size_t)(s.len - at));
    return found ? found - s.ptr : s.len;
}

static ptrdiff_t trimmed_end(Str s, ptrdiff_t start, ptrdiff_t end)
{
    while (end > start && (s.ptr[end - 1] == ' ' || s.ptr[end - 1] == '\t' || s.ptr[end - 1] == '\r'))
        end--;
    return end;
}

static bool end_paragraph(Scan *s)
{
    bool good = s->paragraph < 0 || doc_block(s->doc, s->rows ? DG_BLOCK_ROWS : DG_BLOCK_TEXT, s->paragraph, s->last_end);
    s->paragraph = -1;
    return good;
}

static bool add_heading(Scan *s, ptrdiff_t start, ptrdiff_t end, ptrdiff_t label, ptrdiff_t label_end, int level)
{
    DgBlock *b = doc_block(s->doc, DG_BLOCK_HEADING, start, end);
    if (!b)
        return false;
    b->level = (uint8_t)level;
    b->label_start = label;
    b->label_end = label_end;
    if (level == 1)
        doc_title(s->doc, str_sub(s->text, label, label_end));
    return true;
}

/* `## Words ##`: its level; 0: it is none. */
static int heading_level(Str line)
{
    ptrdiff_t n = 0;
    while (n < line.len && n < 7 && line.ptr[n] == '#')
        n++;
    return n >= 1 && n <= 6 && (n == line.len || line.ptr[n] == ' ' || line.ptr[n] == '\t') ? (int)n : 0;
}

static bool hash_heading(Scan *s, ptrdiff_t start, ptrdiff_t from, ptrdiff_t end, int level)
{
    ptrdiff_t label = from + level, stop = trimmed_end(s->text, label, end), hashes = stop;
    while (hashes > label && s->text.ptr[hashes - 1] == '#')
        hashes--;
    if (hashes < stop && (hashes == label || s->text.ptr[hashes - 1] == ' ' || s->text.ptr[hashes - 1] == '\t'))
        stop = trimmed_end(s->text, label, hashes);
    while (label < stop && (s->text.ptr[label] == ' ' || s->text.ptr[label] == '\t'))
        label++;
    return end_paragraph(s) && add_heading(s, start, trimmed_end(s->text, from, end), label, stop, level);
}

/* `===` or `---` alone in a line: the level that the paragraph above gets. */
static int underline_level(Str line)
{
    char c = line.len ? line.ptr[0] : 0;
    ptrdiff_t n = 0;
    if (c != '=' && c != '-')
        return 0;
    while (n < line.len && line.ptr[n] == c)
        n++;
    return n == line.len ? (c == '=' ? 1 : 2) : 0;
}

/* How many characters a line opens a fence with; 0: it does not. */
static ptrdiff_t fence_length(Str line)
{
    char c = line.len ? line.ptr[0] : 0;
    ptrdiff_t n = 0;
    if (c != '`' && c != '~')
        return 0;
    while (n < line.len && line.ptr[n] == c)
        n++;
    if (n < 3 || (c == '`' && memchr(line.ptr + n, '`', (size_t)(line.len - n))))
        return 0;
    return n;
}

/* Where the line that closes the fence ends; the end of the text when none does. */
static ptrdiff_t fence_end(Str text, ptrdiff_t at, char mark, ptrdiff_t length)
{
    while (at < text.len) {
        ptrdiff_t end = line_end(text, at);
        Str line = str_trim(str_sub(text, at, end));
        if (line.len >= length && line.ptr[0] == mark) {
            ptrdiff_t n = 0;
            while (n < line.len && line.ptr[n] == mark)
                n++;
            if (n == line.len)
                return end;
        }
        at = end + 1;
    }
    return text.len;
}

/* Front matter between two lines of ---: where the text begins. */
static ptrdiff_t front_matter(DgDoc *d, Str text)
{
    ptrdiff_t at = line_end(text, 0) + 1;
    if (!str_eq(str_trim(str_sub(text, 0, at)), S("---")) || !str_starts(text, S("---")))
        return 0;
    for (int lines = 0; at < text.len && lines < 1000; lines++) {
        ptrdiff_t end = line_end(text, at);
        Str line = str_trim(str_sub(text, at, end));
        if (str_eq(line, S("---")) || str_eq(line, S("...")))
            return end < text.len ? end + 1 : end;
        if (str_starts(str_sub(text, at, end), S("title:"))) {
            Str title = str_trim(str_sub(line, 6, line.len));
            if (title.len > 1 && (title.ptr[0] == '"' || title.ptr[0] == '\'') && title.ptr[title.len - 1] == title.ptr[0])
                title = str_sub(title, 1, title.len - 1);
            doc_title(d, title);
        }
        at = end + 1;
    }
    return 0; /* it was a line, not front matter */
}

static bool text_line(Scan *s, ptrdiff_t at, ptrdiff_t from, ptrdiff_t end)
{
    bool row = s->text.ptr[from] == '|';
    if (s->paragraph >= 0 && s->rows != row && !end_paragraph(s))
        return false;
    if (s->paragraph < 0) {
        s->paragraph = at;
        s->rows = row;
    }
    s->last_end = trimmed_end(s->text, from, end);
    return true;
}

DgStatus doc_read_markdown(DgDoc *d, Str text, DgError *err)
{
    Scan s = {.doc = d, .text = text, .paragraph = -1};
    bool good = true;
    d->text = text;
    d->marked = true;
    int64_t lines = 0;
    for (ptrdiff_t at = front_matter(d, text), end; good && at < text.len; at = end + 1) {
        end = line_end(text, at);
        if ((++lines & 0xffff) == 0)
            DG_TRY(doc_check(d, err));
        ptrdiff_t from = at, length;
        while (from < end && (text.ptr[from] == ' ' || text.ptr[from] == '\t' || text.ptr[from] == '\r'))
            from++;
        if (from == end) {
            good = end_paragraph(&s);
            continue;
        }
        Str line = str_sub(text, from, trimmed_end(text, from, end));
        int level;
        switch (line.ptr[0]) {
        case '#':
            level = from - at < 4 ? heading_level(line) : 0;
            good = level ? hash_heading(&s, at, from, end, level) : text_line(&s, at, from, end);
            break;
        case '=': case '-':
            level = from - at < 4 && s.paragraph >= 0 && !s.rows ? underline_level(line) : 0;
            if (level && (line.len > 1 || line.ptr[0] == '=')) {
                good = add_heading(&s, s.paragraph, from + line.len, s.paragraph, s.last_end, level);
                s.paragraph = -1;
            } else {
                good = text_line(&s, at, from, end);
            }
            break;
        case '`': case '~':
            if ((length = fence_length(line)) > 0) {
                end = fence_end(text, end + 1 < text.len ? end + 1 : text.len, line.ptr[0], length);
                good = end_paragraph(&s) && doc_block(d, DG_BLOCK_CODE, at, trimmed_end(text, from, end));
            } else {
                good = text_line(&s, at, from, end);
            }
            break;
        case '<':
            if (!s.no_comment_ends && str_starts(line, S("<!--"))) { /* what it hides is no heading */
                ptrdiff_t close = str_find(str_sub(text, from, text.len), S("-->"));
                s.no_comment_ends = close < 0;
                end = close < 0 ? end : line_end(text, from + close);
            }
            good = text_line(&s, at, from, end);
            break;
        default:
            good = text_line(&s, at, from, end);
        }
    }
    return good && end_paragraph(&s) ? DG_OK : os_no_memory(err, "for a document's blocks");
}

DgStatus doc_read_text(DgDoc *d, Str text, DgError *err)
{
    Scan s = {.doc = d, .text = text, .paragraph = -1};
    bool good = true;
    d->text = text;
    int64_t lines = 0;
    for (ptrdiff_t at = 0, end; good && at < text.len; at = end + 1) {
        end = line_end(text, at);
        if ((++lines & 0xffff) == 0)
            DG_TRY(doc_check(d, err));
        ptrdiff_t stop = trimmed_end(text, at, end);
        if (stop == at) {
            good = end_paragraph(&s);
            continue;
        }
        if (s.paragraph < 0)
            s.paragraph = at;
        s.last_end = stop;
    }
    return good && end_paragraph(&s) ? DG_OK : os_no_memory(err, "for a document's blocks");
}
