/* text_map.c - finds where in the source a byte of rendered SQL was written.
 *
 * Only done when there is something to report. The template is rendered once more with a mark
 * before each of its texts and round each expression that prints; what stands between the marks
 * tells where it comes from, also in loops and branches. Should the marks have changed the outcome
 * (a template that looks at its own text), the place is the whole template.
 */
#include "compiler/sql/sql_internal.h"

enum { MARK_TEXT = 1, MARK_PRINT = 2, MARK_END = 3, DIGITS = 8 };

typedef struct Mark {
    uint32_t start, end; /* in the template's text */
    bool exact;          /* text as it stands, byte for byte */
} Mark;

typedef struct Marks {
    Arena *arena;
    Array(Mark) items;
} Marks;

/* ---- A copy of the template with marks ---- */

static TStmts mark_stmts(Marks *m, const TStmts *from);

static TStmt *text_stmt(Marks *m, const TStmt *at, Str text)
{
    TStmt *s = push(m->arena, TStmt, 1);
    *s = (TStmt){.kind = TS_TEXT, .start = at->start, .end = at->end};
    s->as.text = text;
    return s;
}

static Str mark_text(Marks *m, int kind, uint32_t start, uint32_t end, bool exact)
{
    Mark mark = {start, end, exact};
    array_add(m->arena, &m->items, mark);
    return str_format(m->arena, "%c%0*zx", kind, DIGITS, m->items.count - 1);
}

static TStmt *mark_stmt(Marks *m, const TStmt *from)
{
    TStmt *s = push(m->arena, TStmt, 1);
    *s = *from;
    switch (s->kind) {
    case TS_IF:
        s->as.branch.then = mark_stmts(m, &from->as.branch.then);
        s->as.branch.otherwise = mark_stmts(m, &from->as.branch.otherwise);
        break;
    case TS_FOR:
        s->as.loop = push(m->arena, TLoop, 1);
        *s->as.loop = *from->as.loop;
        s->as.loop->body = mark_stmts(m, &from->as.loop->body);
        s->as.loop->otherwise = mark_stmts(m, &from->as.loop->otherwise);
        break;
    case TS_WITH: s->as.with.body = mark_stmts(m, &from->as.with.body); break;
    default: break; /* values and macros: what they print stands in an expression */
    }
    return s;
}

static TStmts mark_stmts(Marks *m, const TStmts *from)
{
    Array(TStmt *) out = {0};
    for (size_t i = 0; i < from->count; i++) {
        const TStmt *s = from->items[i];
        bool prints = s->kind == TS_PRINT || s->kind == TS_CALL || s->kind == TS_FILTER;
        if (s->kind == TS_TEXT) {
            bool exact = s->as.text.len == (ptrdiff_t)(s->end - s->start) || s->end <= s->start;
            uint32_t end = s->start + (uint32_t)s->as.text.len;
            Str mark = mark_text(m, MARK_TEXT, s->start, end, exact);
            array_add(m->arena, &out, text_stmt(m, s, str_concat(m->arena, mark, s->as.text)));
            continue;
        }
        if (prints)
            array_add(m->arena, &out,
                      text_stmt(m, s, mark_text(m, MARK_PRINT, s->start, s->end, false)));
        array_add(m->arena, &out, mark_stmt(m, s));
        if (prints)
            array_add(m->arena, &out, text_stmt(m, s, str_format(m->arena, "%c", MARK_END)));
    }
    return (TStmts){out.items, out.count};
}

/* ---- Reading the marks ---- */

typedef struct Piece {
    size_t rendered; /* where it begins in the text without marks */
    Mark mark;
} Piece;
typedef struct Pieces {
    Array(Piece) items;
    Str text; /* the rendering without marks */
} Pieces;

static size_t mark_number(Str s, size_t at)
{
    size_t n = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        char c = s.ptr[at + i];
        n = n * 16 + (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return n;
}

static Pieces read_marks(Marks *m, Str marked)
{
    Pieces p = {0};
    char *plain = push(m->arena, char, marked.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < (size_t)marked.len; i++) {
        char c = marked.ptr[i];
        if ((c == MARK_TEXT || c == MARK_PRINT) && i + DIGITS < (size_t)marked.len) {
            size_t number = mark_number(marked, i + 1);
            if (number < m->items.count) {
                Piece piece = {n, m->items.items[number]};
                array_add(m->arena, &p.items, piece);
                i += DIGITS;
                continue;
            }
        }
        if (c != MARK_END)
            plain[n++] = c;
    }
    p.text = (Str){plain, (ptrdiff_t)n};
    return p;
}

/* False: the marks have changed what comes out. */
static bool map_unit(Plan *plan, SqlUnit *unit, Str rendered, bool again, Pieces *out)
{
    Marks marks = {.arena = plan->arena};
    Template copy = *unit->parsed;
    TemplateResult r;
    copy.body = mark_stmts(&marks, &unit->parsed->body);
    if (!sql_render_template(plan, unit, &copy, again ? RENDER_AGAIN : RENDER_BIND, &r) ||
        !r.constant || r.value.kind != DG_V_STR)
        return false;
    *out = read_marks(&marks, r.value.as.s);
    return str_eq(out->text, rendered);
}

/* ---- From bytes of the template to the file ---- */

/* Generated SQL: the pieces of it that a field of the component holds. */
static bool place_of(const Plan *plan, const SqlUnit *unit, size_t start, size_t end, Span *out)
{
    for (size_t i = 0; i < unit->places.count; i++) {
        const SqlPlace *p = &unit->places.items[i];
        if (start < p->start || start >= p->start + p->len)
            continue;
        size_t last = end < p->start + p->len ? end : p->start + p->len;
        *out = p->verbatim && p->node ? yaml_text_span(plan->sources, p->node, start - p->start,
                                                       last - p->start)
                                      : p->at;
        return true;
    }
    return false;
}

static Span source_span(const Plan *plan, const SqlUnit *unit, size_t start, size_t end,
                        bool *exact)
{
    Span at;
    if (place_of(plan, unit, start, end, &at))
        return at;
    if (unit->is_generated) {
        *exact = false;
        return unit->at;
    }
    return template_span(&unit->parsed->place, (uint32_t)start, (uint32_t)end);
}

Span sql_span(Plan *plan, SqlUnit *unit, Str rendered, bool again, size_t start, size_t end,
              bool *exact)
{
    Pieces pieces = {0};
    *exact = true;
    if (unit->parsed->is_plain)
        return source_span(plan, unit, start, end, exact);
    if (map_unit(plan, unit, rendered, again, &pieces)) {
        for (size_t i = pieces.items.count; i-- > 0;) {
            const Piece *p = &pieces.items.items[i];
            if (p->rendered > start)
                continue;
            size_t from = p->mark.start + (start - p->rendered);
            *exact = p->mark.exact;
            if (!p->mark.exact)
                return source_span(plan, unit, p->mark.start, p->mark.end, exact);
            if (from > p->mark.end)
                break; /* the end of the text */
            size_t to = p->mark.start + (end - p->rendered);
            return source_span(plan, unit, from, to < p->mark.end ? to : p->mark.end, exact);
        }
    }
    *exact = false;
    return unit->at;
}
