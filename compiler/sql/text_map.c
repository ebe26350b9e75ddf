/* text_map.c - finds where in the source a byte of rendered SQL was written.
 *
 * The plain pieces of a template come out as they stand, in order; a branch not taken leaves its
 * pieces out. So the pieces are looked for one after the other in the rendered text.
 */
#include "compiler/sql/sql_internal.h"

typedef struct Piece {
    size_t rendered, source, len;
} Piece;
typedef Array(Piece) Pieces;

static bool opens(Str s, size_t i)
{
    return i + 1 < (size_t)s.len && s.ptr[i] == '{' &&
           (s.ptr[i + 1] == '{' || s.ptr[i + 1] == '%' || s.ptr[i + 1] == '#');
}

static size_t close_of(Str s, size_t i)
{
    char end = s.ptr[i + 1] == '{' ? '}' : s.ptr[i + 1];
    for (size_t k = i + 2; k + 1 < (size_t)s.len; k++)
        if (s.ptr[k] == end && s.ptr[k + 1] == '}')
            return k + 2;
    return (size_t)s.len;
}

static bool blank(Str s)
{
    return str_trim(s).len == 0;
}

static Pieces pieces_of(Arena *a, Str source, Str rendered)
{
    Pieces out = {0};
    size_t done = 0;
    for (size_t i = 0; i < (size_t)source.len;) {
        if (opens(source, i)) {
            i = close_of(source, i);
            continue;
        }
        size_t end = i;
        while (end < (size_t)source.len && !opens(source, end))
            end++;
        Str piece = str_sub(source, (ptrdiff_t)i, (ptrdiff_t)end);
        /* `-%}` trims: compare without outer blanks. */
        Str core = str_trim(piece);
        ptrdiff_t found = blank(piece) ? -1 : str_find(str_sub(rendered, (ptrdiff_t)done, rendered.len), core);
        if (found >= 0) {
            Piece p = {done + (size_t)found, (size_t)(core.ptr - source.ptr), (size_t)core.len};
            array_add(a, &out, p);
            done = p.rendered + p.len;
        }
        i = end;
    }
    return out;
}

Span sql_span(const Plan *plan, const SqlUnit *unit, Str rendered, size_t start, size_t end)
{
    Str source = unit->parsed->text;
    if (unit->generated)
        return unit->at;
    Pieces pieces = pieces_of(plan->arena, source, rendered);
    size_t before = 0; /* source offset after the last piece that ends before `start` */
    for (size_t i = 0; i < pieces.count; i++) {
        const Piece *p = &pieces.items[i];
        if (start >= p->rendered && start < p->rendered + p->len) {
            size_t from = p->source + (start - p->rendered);
            size_t to = end > p->rendered + p->len ? p->source + p->len : p->source + (end - p->rendered);
            return template_span(&unit->parsed->place, (uint32_t)from, (uint32_t)(to > from ? to : from + 1));
        }
        if (p->rendered + p->len <= start)
            before = p->source + p->len;
    }
    for (size_t i = before; i < (size_t)source.len; i++)
        if (opens(source, i))
            return template_span(&unit->parsed->place, (uint32_t)i, (uint32_t)close_of(source, i));
    return unit->at;
}
