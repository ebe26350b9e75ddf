/* diag.c - collecting what is to be told; diag_render.c shows it. */
#include "compiler/diag.h"

#include <stdlib.h>

static const struct {
    const char *name, *slug, *title;
} CODES[] = {
#define X(code, slug, title) {#code, slug, title},
    DIAG_CODES(X)
#undef X
};

const char *diag_code_name(DiagCode c)
{
    return CODES[c].name;
}

const char *diag_code_slug(DiagCode c)
{
    return CODES[c].slug;
}

const char *diag_code_title(DiagCode c)
{
    return CODES[c].title;
}

bool diag_code_parse(Str name, DiagCode *out)
{
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (str_eq_nocase(name, str_from(CODES[i].name)) || str_eq(name, str_from(CODES[i].slug))) {
            *out = (DiagCode)i;
            return true;
        }
    return false;
}

void diag_init(Diag *d, Arena *arena, Sources *sources)
{
    *d = (Diag){.arena = arena, .sources = sources};
}

DiagItem *diag_report(Diag *d, DiagCode code, Span at, const char *fmt, ...)
{
    DiagItem *it = push(d->arena, DiagItem, 1);
    it->diag = d;
    it->code = code;
    it->level = diag_code_name(code)[0] == 'W' ? DIAG_WARNING : DIAG_ERROR;
    it->at = at;
    va_list args;
    va_start(args, fmt);
    it->message = str_vformat(d->arena, fmt, args);
    va_end(args);
    if (it->level == DIAG_ERROR)
        d->errors_count++;
    else
        d->warnings_count++;
    array_add(d->arena, &d->items, it);
    return it;
}

/* Formats the rest of the arguments into *out. */
#define FORMAT_REST(it, fmt, out)                              \
    do {                                                       \
        va_list args_;                                         \
        va_start(args_, fmt);                                  \
        (out) = str_vformat((it)->diag->arena, (fmt), args_);  \
        va_end(args_);                                         \
    } while (0)

DiagItem *diag_set_label(DiagItem *it, const char *fmt, ...)
{
    FORMAT_REST(it, fmt, it->label);
    return it;
}

DiagItem *diag_label(DiagItem *it, Span at, const char *fmt, ...)
{
    DiagLabel label = {.at = at};
    FORMAT_REST(it, fmt, label.text);
    array_add(it->diag->arena, &it->labels, label);
    return it;
}

DiagItem *diag_help(DiagItem *it, const char *fmt, ...)
{
    Str text;
    FORMAT_REST(it, fmt, text);
    array_add(it->diag->arena, &it->helps, text);
    return it;
}

DiagItem *diag_note(DiagItem *it, const char *fmt, ...)
{
    Str text;
    FORMAT_REST(it, fmt, text);
    array_add(it->diag->arena, &it->notes, text);
    return it;
}

DiagItem *diag_fix(DiagItem *it, Applicability how, Span at, Str text, const char *fmt, ...)
{
    DiagFix fix = {.applicability = how};
    FORMAT_REST(it, fmt, fix.text);
    DiagEdit edit = {at, str_copy(it->diag->arena, text)};
    array_add(it->diag->arena, &fix.edits, edit);
    array_add(it->diag->arena, &it->fixes, fix);
    return it;
}

/* 0 when the names differ only in case, or in `-` against `_`; else the edit distance. */
static int name_distance(Arena *scratch, Str a, Str b, int max)
{
    Str x = str_replace(scratch, str_lower(scratch, a), S("-"), S("_"));
    Str y = str_replace(scratch, str_lower(scratch, b), S("-"), S("_"));
    return str_distance(x, y, max);
}

/* *second: another that is just as near; else empty. */
static Str nearest(Arena *arena, Str wrong, const Str *names, size_t count, Str *second)
{
    int max = wrong.len < 3 ? 1 : wrong.len > 9 ? 3 : (int)wrong.len / 3;
    Str best = {0};
    int best_distance = max + 1;
    *second = (Str){0};
    for (size_t i = 0; i < count; i++) {
        if (str_eq(names[i], wrong) || str_eq(names[i], best))
            continue;
        size_t mark = arena_mark(arena);
        int distance = name_distance(arena, wrong, names[i], max);
        arena_pop(arena, mark);
        if (distance > max || distance > best_distance || distance >= wrong.len)
            continue;
        *second = distance == best_distance ? best : (Str){0};
        best = names[i];
        best_distance = distance;
    }
    return best;
}

Str diag_nearest(Arena *arena, Str wrong, const Str *names, size_t count)
{
    Str second, best = nearest(arena, wrong, names, count, &second);
    return second.len ? (Str){0} : best;
}

bool diag_suggest(DiagItem *it, Span at, const char *noun, Str wrong, const Str *names,
                  size_t count)
{
    Str second, best = nearest(it->diag->arena, wrong, names, count, &second);
    if (best.len == 0)
        return false;
    if (second.len)
        diag_help(it, "similar names exist: `%.*s`, `%.*s`", FMT(second), FMT(best));
    else
        diag_fix(it, FIX_MACHINE, at, best, "a similar %s exists: `%.*s`", noun, FMT(best));
    return true;
}

bool diag_failed(const Diag *d)
{
    return d->errors_count > 0;
}

typedef struct Ranked {
    DiagItem *item;
    size_t order; /* of reporting: qsort is not stable by itself */
} Ranked;

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_places(const DiagItem *a, const DiagItem *b)
{
    if (a->at.file != b->at.file) {
        const Sources *s = a->diag->sources;
        int order = str_cmp(sources_file(s, a->at.file)->path, sources_file(s, b->at.file)->path);
        return order ? order : compare(a->at.file, b->at.file);
    }
    int order = compare(a->at.start, b->at.start);
    return order ? order : compare(a->at.end, b->at.end);
}

static int compare_ranked(const void *left, const void *right)
{
    const Ranked *a = left, *b = right;
    int order = compare_places(a->item, b->item);
    return order ? order : compare(a->order, b->order);
}

static bool is_duplicate(const DiagItem *a, const DiagItem *b)
{
    return a->code == b->code && compare_places(a, b) == 0 && str_eq(a->message, b->message);
}

void diag_finish(Diag *d)
{
    size_t count = d->items.count;
    Ranked *ranked = push(d->arena, Ranked, count);
    for (size_t i = 0; i < count; i++)
        ranked[i] = (Ranked){d->items.items[i], i};
    if (count)
        qsort(ranked, count, sizeof *ranked, compare_ranked);
    d->items.count = d->errors_count = d->warnings_count = 0;
    for (size_t i = 0; i < count; i++) {
        DiagItem *it = ranked[i].item;
        bool seen = false; /* items of one place stand together */
        for (size_t k = d->items.count; k > 0 && !seen; k--) {
            if (compare_places(d->items.items[k - 1], it) != 0)
                break;
            seen = is_duplicate(d->items.items[k - 1], it);
        }
        if (seen)
            continue;
        d->items.items[d->items.count++] = it;
        if (it->level == DIAG_ERROR)
            d->errors_count++;
        else
            d->warnings_count++;
    }
}
