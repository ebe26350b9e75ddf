/* diag_snippet.c - lines of source with marks under them. */
#include "compiler/diag_text.h"

enum {
    LINE_COLUMNS_MAX = 140, /* wider lines are cut around their mark */
    LINE_COLUMNS_BEFORE = 40,
    SPAN_LINES_MAX = 6,     /* longer spans show their first and last lines */
    LINE_MARKS_MAX = 16,
    LINES_MAX = 256,
    TAB_COLUMNS = 4,
};

/* ---- One line: characters to columns ---- */

/* The part of a line that fits: columns [from, to). */
typedef struct Window {
    int from, to;
    bool cut;
} Window;

static uint32_t decode(Str s, ptrdiff_t i, int *bytes)
{
    const unsigned char *p = (const unsigned char *)s.ptr + i;
    int n = str_utf8_length(s, i);
    *bytes = n ? n : 1;
    switch (n) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3:
        return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    case 4:
        return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    default:
        return 0xfffd;
    }
}

typedef struct Range {
    uint32_t first, last;
} Range;

static bool in_ranges(uint32_t c, const Range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}
#define IN(c, ranges) in_ranges((c), (ranges), sizeof(ranges) / sizeof *(ranges))

/* A character to print in place of one that a terminal would obey; 0: print it as it is. */
static uint32_t stand_in(uint32_t c)
{
    static const Range HIDDEN[] = {{0x80, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
                                   {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}};
    if (c < 0x20)
        return 0x2400 + c;
    if (c == 0x7f)
        return 0x2421;
    return IN(c, HIDDEN) ? 0xfffd : 0;
}

static int width(uint32_t c)
{
    static const Range NONE[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
                                 {0x610, 0x61a},   {0x64b, 0x65f},   {0x1ab0, 0x1aff},
                                 {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x20d0, 0x20ff},
                                 {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef}};
    static const Range WIDE[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},
                                 {0x4e00, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
                                 {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                                 {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
                                 {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    if (c < 0x300)
        return c == '\t' ? TAB_COLUMNS : 1;
    return IN(c, NONE) ? 0 : IN(c, WIDE) ? 2 : 1;
}

/* The column at which byte `offset` of the line is printed. */
static int column_at(Str line, ptrdiff_t offset)
{
    int column = 0, bytes;
    for (ptrdiff_t i = 0; i < line.len && i < offset; i += bytes)
        column += width(decode(line, i, &bytes));
    return column;
}

static void put_char(Text *t, Str s, ptrdiff_t i, int bytes, uint32_t c)
{
    uint32_t other = c == 0xfffd ? c : stand_in(c);
    if (c == '\t') {
        text_blanks(t, TAB_COLUMNS);
    } else if (other) { /* all stand-ins take three bytes */
        buf_char(t->out, (char)(0xe0 | other >> 12));
        buf_char(t->out, (char)(0x80 | (other >> 6 & 0x3f)));
        buf_char(t->out, (char)(0x80 | (other & 0x3f)));
    } else {
        buf_add(t->out, str_sub(s, i, i + bytes));
    }
}

void text_put(Text *t, Str s, int indent)
{
    int bytes;
    for (ptrdiff_t i = 0; i < s.len; i += bytes) {
        uint32_t c = decode(s, i, &bytes);
        if (c == '\n') {
            buf_char(t->out, '\n');
            text_blanks(t, indent);
        } else {
            put_char(t, s, i, bytes, c);
        }
    }
}

static Window window_around(Str line, int column)
{
    int columns = column_at(line, line.len);
    if (columns <= LINE_COLUMNS_MAX)
        return (Window){0, columns + 1, false};
    Window w = {column - LINE_COLUMNS_BEFORE, 0, true};
    if (w.from > columns - LINE_COLUMNS_MAX)
        w.from = columns - LINE_COLUMNS_MAX;
    if (w.from < 0)
        w.from = 0;
    w.to = w.from + LINE_COLUMNS_MAX;
    return w;
}

/* Where a column of the line stands on the screen, behind the gutter. */
static int screen_column(Window w, int column)
{
    if (column > w.to)
        column = w.to;
    if (column < w.from)
        column = w.from;
    return column - w.from + (w.from > 0 ? 3 : 0);
}

static void put_line(Text *t, Str line, Window w)
{
    if (w.from > 0)
        buf_add(t->out, S("..."));
    int column = 0, bytes;
    for (ptrdiff_t i = 0; i < line.len && column < w.to; i += bytes) {
        uint32_t c = decode(line, i, &bytes);
        int end = column + width(c);
        if (column >= w.from && end <= w.to)
            put_char(t, line, i, bytes, c);
        else if (end > w.from) /* a wide character on the edge */
            text_blanks(t, (end < w.to ? end : w.to) - (column > w.from ? column : w.from));
        column = end;
    }
    if (w.cut && w.to < column_at(line, line.len))
        buf_add(t->out, S("..."));
}

/* Blank lines should not end in blanks, so a line is trimmed once it is written. */
static void end_line(Text *t)
{
    while (t->out->len && t->out->ptr[t->out->len - 1] == ' ')
        t->out->len--;
    buf_char(t->out, '\n');
}

/* ---- A snippet: which lines, and what stands under each ---- */

typedef struct LineMark { /* a mark on one line, in columns of the screen */
    int start, end;
    const Mark *mark;
    bool drawn;
} LineMark;

typedef struct Snippet {
    Text *text;
    uint32_t file;
    const Mark *marks;
    size_t marks_count;
    const Mark *bracket; /* the one span over several lines that is drawn as a bracket */
    uint32_t bracket_first, bracket_last;
    uint32_t lines[LINES_MAX]; /* those shown, ascending */
    size_t lines_count;
} Snippet;

/* Blanks and line ends after a long span say nothing: block scalars and mappings end in them. */
static Span trimmed(const Sources *s, Span at)
{
    Str text = sources_file(s, at.file)->text;
    if (at.end > (uint32_t)text.len)
        at.end = (uint32_t)text.len;
    if (at.start > at.end)
        at.start = at.end;
    if (str_find_char(str_sub(text, at.start, at.end), '\n') < 0)
        return at;
    while (at.end > at.start && strchr(" \t\r\n", text.ptr[at.end - 1]))
        at.end--;
    return at;
}

static uint32_t last_line(const Sources *s, Span at)
{
    at = trimmed(s, at);
    return sources_place(s, at).end_line;
}

uint32_t snippet_last_line(const Sources *s, Span at)
{
    return at.file ? last_line(s, at) : 0;
}

static void want_line(Snippet *sn, uint32_t line)
{
    size_t i = sn->lines_count;
    for (size_t k = 0; k < sn->lines_count; k++)
        if (sn->lines[k] == line)
            return;
    if (sn->lines_count == LINES_MAX)
        return;
    for (; i > 0 && sn->lines[i - 1] > line; i--)
        sn->lines[i] = sn->lines[i - 1];
    sn->lines[i] = line;
    sn->lines_count++;
}

static void choose_lines(Snippet *sn)
{
    const Sources *s = sn->text->sources;
    for (size_t i = 0; i < sn->marks_count; i++) {
        uint32_t first = sources_line_of(s, sn->marks[i].at), last = last_line(s, sn->marks[i].at);
        want_line(sn, first);
        if (last == first || (sn->bracket && !sn->marks[i].primary))
            continue; /* a further long span: its first line has to do */
        sn->bracket = &sn->marks[i];
        sn->bracket_first = first;
        sn->bracket_last = last;
    }
    bool all = sn->bracket_last - sn->bracket_first < SPAN_LINES_MAX;
    for (uint32_t line = sn->bracket_first; sn->bracket && line <= sn->bracket_last; line++)
        if (all || line < sn->bracket_first + 3 || line + 2 > sn->bracket_last)
            want_line(sn, line);
        else if (line + 2 < sn->bracket_last)
            line = sn->bracket_last - 2;
    for (size_t i = sn->lines_count; i-- > 1;) /* one line left out is better shown */
        if (sn->lines[i] == sn->lines[i - 1] + 2)
            want_line(sn, sn->lines[i] - 1);
}

static bool in_bracket(const Snippet *sn, uint32_t line)
{
    return sn->bracket && line > sn->bracket_first && line <= sn->bracket_last;
}

/* The bracket's own two columns, in front of lines and of what stands under them. */
static void put_bracket(Snippet *sn, const char *shape)
{
    if (!sn->bracket)
        return;
    text_ink(sn->text, sn->bracket->primary ? sn->text->primary : INK_FRAME);
    buf_add(sn->text->out, str_from(shape));
    text_ink(sn->text, INK_NONE);
}

static void start_row(Snippet *sn, bool inside)
{
    text_gutter(sn->text, 0, "|");
    put_bracket(sn, inside ? "| " : "  ");
}

static void put_label(Text *t, const LineMark *m)
{
    text_ink(t, m->mark->primary ? t->primary : INK_FRAME);
    text_put(t, m->mark->text, 0);
    text_ink(t, INK_NONE);
}

/* `|` under each of the first `count` marks that still wait for their words. Returns the column. */
static int put_connectors(Text *t, LineMark **layer, size_t count)
{
    int column = 0;
    for (size_t i = 0; i < count; i++) {
        if (layer[i]->mark->text.len == 0 || layer[i]->start < column)
            continue;
        text_blanks(t, layer[i]->start - column);
        text_ink(t, layer[i]->mark->primary ? t->primary : INK_FRAME);
        buf_char(t->out, '|');
        text_ink(t, INK_NONE);
        column = layer[i]->start + 1;
    }
    return column;
}

/* Marks that do not overlap, by column: one row of marks, the words of the last beside it, the
 * words of the others in rows below. */
static void draw_layer(Snippet *sn, LineMark **layer, size_t count, bool inside)
{
    Text *t = sn->text;
    int column = 0;
    start_row(sn, inside);
    for (size_t i = 0; i < count; i++) {
        text_blanks(t, layer[i]->start - column);
        text_ink(t, layer[i]->mark->primary ? t->primary : INK_FRAME);
        for (int k = layer[i]->start; k < layer[i]->end; k++)
            buf_char(t->out, layer[i]->mark->primary ? '^' : '-');
        text_ink(t, INK_NONE);
        column = layer[i]->end;
    }
    if (layer[count - 1]->mark->text.len) {
        buf_char(t->out, ' ');
        put_label(t, layer[count - 1]);
    }
    end_line(t);
    bool connected = false;
    for (size_t i = count - 1; i-- > 0;) {
        if (layer[i]->mark->text.len == 0)
            continue;
        if (!connected) {
            start_row(sn, inside);
            put_connectors(t, layer, i + 1);
            end_line(t);
            connected = true;
        }
        start_row(sn, inside);
        column = put_connectors(t, layer, i);
        text_blanks(t, layer[i]->start - column);
        put_label(t, layer[i]);
        end_line(t);
    }
}

static bool fits(LineMark **layer, size_t count, const LineMark *m)
{
    for (size_t i = 0; i < count; i++)
        if (m->start < layer[i]->end && layer[i]->start < m->end)
            return false;
    return true;
}

static void draw_marks(Snippet *sn, LineMark *marks, size_t count, bool inside)
{
    for (size_t left = count; left > 0;) {
        LineMark *layer[LINE_MARKS_MAX];
        size_t n = 0;
        for (int primary = 1; primary >= 0; primary--)
            for (size_t i = 0; i < count; i++) {
                LineMark *m = &marks[i];
                if (m->drawn || m->mark->primary != (primary == 1) || !fits(layer, n, m))
                    continue;
                size_t at = n++;
                for (; at > 0 && layer[at - 1]->start > m->start; at--)
                    layer[at] = layer[at - 1];
                layer[at] = m;
                m->drawn = true;
                left--;
            }
        draw_layer(sn, layer, n, inside);
    }
}

static void draw_bracket_row(Snippet *sn, int column, bool closing)
{
    Text *t = sn->text;
    text_gutter(t, 0, "|");
    text_ink(t, sn->bracket->primary ? t->primary : INK_FRAME);
    buf_char(t->out, closing ? '|' : ' ');
    for (int i = 0; i <= column; i++)
        buf_char(t->out, '_');
    buf_char(t->out, sn->bracket->primary ? '^' : '-');
    if (closing && sn->bracket->text.len) {
        buf_char(t->out, ' ');
        text_put(t, sn->bracket->text, 0);
    }
    text_ink(t, INK_NONE);
    end_line(t);
}

static bool starts_line(Str line, ptrdiff_t offset)
{
    return str_trim(str_sub(line, 0, offset)).len == 0;
}

typedef struct OnLine {
    LineMark marks[LINE_MARKS_MAX];
    size_t count;
} OnLine;

static void marks_on_line(const Snippet *sn, uint32_t number, Str line, Window w, OnLine *on)
{
    const Sources *s = sn->text->sources;
    uint32_t base = (uint32_t)(line.ptr - sources_file(s, sn->file)->text.ptr);
    on->count = 0;
    for (size_t i = 0; i < sn->marks_count && on->count < LINE_MARKS_MAX; i++) {
        const Mark *m = &sn->marks[i];
        if (m == sn->bracket || sources_line_of(s, m->at) != number)
            continue;
        Span at = trimmed(s, m->at);
        uint32_t start = at.start > base ? at.start - base : 0;
        uint32_t end = at.end > base ? at.end - base : 0;
        LineMark lm = {.mark = m,
                       .start = screen_column(w, column_at(line, (ptrdiff_t)start)),
                       .end = screen_column(w, column_at(line, (ptrdiff_t)end))};
        if (start > (uint32_t)line.len) /* past the end of the line: the newline itself */
            lm.start = screen_column(w, column_at(line, line.len));
        if (lm.end <= lm.start)
            lm.end = lm.start + 1;
        on->marks[on->count++] = lm;
    }
}

/* The column round which a long line is cut: the primary mark's, else the first's. */
static int anchor_of(const Snippet *sn, uint32_t number, Str line)
{
    const Sources *s = sn->text->sources;
    uint32_t base = (uint32_t)(line.ptr - sources_file(s, sn->file)->text.ptr);
    const Mark *best = NULL;
    for (size_t i = 0; i < sn->marks_count; i++)
        if (&sn->marks[i] != sn->bracket && sources_line_of(s, sn->marks[i].at) == number &&
            (!best || sn->marks[i].primary))
            best = &sn->marks[i];
    return best && best->at.start > base ? column_at(line, (ptrdiff_t)(best->at.start - base)) : 0;
}

static void show_line(Snippet *sn, uint32_t number)
{
    Text *t = sn->text;
    Str line = sources_line(t->sources, sn->file, number);
    Window w = window_around(line, anchor_of(sn, number, line));
    uint32_t base = (uint32_t)(line.ptr - sources_file(t->sources, sn->file)->text.ptr);
    bool opens = sn->bracket && number == sn->bracket_first;
    Span bracket = sn->bracket ? trimmed(t->sources, sn->bracket->at) : (Span){0};
    bool slash = opens && starts_line(line, (ptrdiff_t)bracket.start - base);
    text_gutter(t, number, "|");
    put_bracket(sn, slash ? "/ " : in_bracket(sn, number) ? "| " : "  ");
    put_line(t, line, w);
    end_line(t);
    OnLine on;
    marks_on_line(sn, number, line, w, &on);
    draw_marks(sn, on.marks, on.count, in_bracket(sn, number) || slash);
    if (opens && !slash) {
        int start = screen_column(w, column_at(line, (ptrdiff_t)bracket.start - base));
        draw_bracket_row(sn, start, false);
    }
    if (sn->bracket && number == sn->bracket_last) {
        int end = screen_column(w, column_at(line, (ptrdiff_t)bracket.end - base));
        draw_bracket_row(sn, end > 0 ? end - 1 : 0, true);
    }
}

void snippet_show(Text *t, const Mark *marks, size_t count)
{
    Snippet sn = {.text = t, .file = marks[0].at.file, .marks = marks, .marks_count = count};
    choose_lines(&sn);
    for (size_t i = 0; i < sn.lines_count; i++) {
        if (i > 0 && sn.lines[i] > sn.lines[i - 1] + 1) {
            text_ink(t, INK_FRAME);
            buf_add(t->out, S("..."));
            text_ink(t, INK_NONE);
            if (in_bracket(&sn, sn.lines[i])) {
                text_blanks(t, t->gutter);
                put_bracket(&sn, "|");
            }
            buf_char(t->out, '\n');
        }
        show_line(&sn, sn.lines[i]);
    }
}

/* ---- Fixes ---- */

static const Str NO_TEXT = {"", 0};

static Str apply(Arena *arena, Str text, uint32_t base, const DiagFix *fix)
{
    Str out = NO_TEXT;
    ptrdiff_t at = 0;
    for (size_t i = 0; i < fix->edits.count; i++) {
        const DiagEdit *e = &fix->edits.items[i];
        out = str_concat(arena, out, str_sub(text, at, (ptrdiff_t)(e->at.start - base)));
        out = str_concat(arena, out, e->text);
        at = (ptrdiff_t)(e->at.end - base);
    }
    return str_concat(arena, out, str_sub(text, at, text.len));
}

static void show_diff(Text *t, Str old, Str new_text, uint32_t line)
{
    Str a, b, rest_old, rest_new;
    while (old.len && new_text.len) { /* equal lines at the head say nothing */
        str_cut(old, '\n', &a, &rest_old);
        str_cut(new_text, '\n', &b, &rest_new);
        if (!str_eq(a, b))
            break;
        old = rest_old;
        new_text = rest_new;
        line++;
    }
    for (;;) { /* nor at the tail */
        ptrdiff_t i = old.len, k = new_text.len;
        while (i > 0 && old.ptr[i - 1] != '\n')
            i--;
        while (k > 0 && new_text.ptr[k - 1] != '\n')
            k--;
        if (i == 0 || !str_eq(str_sub(old, i, old.len), str_sub(new_text, k, new_text.len)))
            break;
        old.len = i - 1;
        new_text.len = k > 0 ? k - 1 : 0;
        if (k == 0) {
            new_text = (Str){0};
            break;
        }
    }
    for (int side = 0; side < 2; side++) {
        Str left = side ? new_text : old;
        uint32_t number = line;
        int shown = 0;
        for (; left.ptr && (left.len || shown == 0) && shown < SPAN_LINES_MAX; shown++) {
            bool more = str_cut(left, '\n', &a, &rest_old);
            text_gutter(t, number++, side ? "+" : "-");
            put_line(t, a, window_around(a, 0));
            end_line(t);
            left = more ? rest_old : (Str){0};
        }
        if (left.len) {
            buf_add(t->out, S("..."));
            end_line(t);
        }
    }
}

/* The line as it will be, with `~` under what is replaced and `+` under what is new. */
static void show_changed_line(Text *t, Arena *arena, Str line, uint32_t number, uint32_t base,
                              const DiagFix *fix)
{
    Str changed = apply(arena, line, base, fix);
    ptrdiff_t first = (ptrdiff_t)(fix->edits.items[0].at.start - base);
    Window w = window_around(changed, column_at(changed, first));
    text_gutter(t, number, "|");
    put_line(t, changed, w);
    end_line(t);
    text_gutter(t, 0, "|");
    ptrdiff_t shift = 0;
    int column = 0;
    text_ink(t, INK_HELP);
    for (size_t i = 0; i < fix->edits.count; i++) {
        const DiagEdit *e = &fix->edits.items[i];
        ptrdiff_t start = (ptrdiff_t)(e->at.start - base) + shift;
        int from = screen_column(w, column_at(changed, start));
        int to = screen_column(w, column_at(changed, start + e->text.len));
        text_blanks(t, from - column);
        for (column = from; column < to; column++)
            buf_char(t->out, e->at.start == e->at.end ? '+' : '~');
        shift += e->text.len - (ptrdiff_t)(e->at.end - e->at.start);
    }
    text_ink(t, INK_NONE);
    end_line(t);
}

void snippet_fix(Text *t, Arena *arena, const DiagFix *fix)
{
    if (fix->edits.count == 0)
        return;
    Span all = fix->edits.items[0].at;
    bool in_line = true;
    for (size_t i = 0; i < fix->edits.count; i++) {
        const DiagEdit *e = &fix->edits.items[i];
        if (e->at.file != all.file || e->at.start < all.start || (i && e->at.start < all.end))
            return; /* in several files, or not in order: the words have to do */
        all = span_to(all, e->at);
        in_line = in_line && e->text.len && str_find_char(e->text, '\n') < 0;
    }
    const SourceFile *f = sources_file(t->sources, all.file);
    Place p = sources_place(t->sources, all);
    Str first = sources_line(t->sources, all.file, p.line);
    Str last = sources_line(t->sources, all.file, p.end_line);
    uint32_t base = (uint32_t)(first.ptr - f->text.ptr);
    uint32_t end = (uint32_t)(last.ptr - f->text.ptr) + (uint32_t)last.len;
    if (all.start < base || all.end > end) /* edits a byte order mark or half a line end */
        return;
    if (in_line && p.line == p.end_line) {
        show_changed_line(t, arena, first, p.line, base, fix);
    } else {
        Str old = str_sub(f->text, base, end);
        show_diff(t, old, apply(arena, old, base, fix), p.line);
    }
}
