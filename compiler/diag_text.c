/* diag_text.c - diagnostics as text for people, in the anatomy that rustc made familiar. */
#include "compiler/diag_text.h"

void text_ink(Text *t, Ink ink)
{
    static const char *const CODES[] = {"\x1b[0m",    "\x1b[1m",    "\x1b[1;31m",
                                        "\x1b[1;33m", "\x1b[1;34m", "\x1b[1;36m"};
    if (t->color)
        buf_add(t->out, str_from(CODES[ink]));
}

void text_blanks(Text *t, int count)
{
    for (int i = 0; i < count; i++)
        buf_char(t->out, ' ');
}

void text_gutter(Text *t, uint32_t line, const char *bar)
{
    text_ink(t, *bar == '|' ? INK_FRAME : INK_HELP);
    if (line)
        buf_format(t->out, "%*u", t->gutter, line);
    else
        text_blanks(t, t->gutter);
    buf_format(t->out, " %s", bar);
    text_ink(t, INK_NONE);
    buf_char(t->out, ' ');
}

static void bar_line(Text *t)
{
    text_gutter(t, 0, "|");
    t->out->len -= !t->out->failed; /* the blank after it */
    buf_char(t->out, '\n');
}

static void put_header(Text *t, const DiagItem *it)
{
    text_ink(t, t->primary);
    buf_format(t->out, "%s[%s]", it->level == DIAG_ERROR ? "error" : "warning",
               diag_code_name(it->code));
    text_ink(t, INK_NONE);
    text_ink(t, INK_BOLD);
    buf_add(t->out, S(": "));
    text_put(t, it->message, 4);
    text_ink(t, INK_NONE);
    buf_char(t->out, '\n');
}

static void put_arrow(Text *t, const char *arrow, Span at)
{
    Place p = sources_place(t->sources, at);
    text_blanks(t, t->gutter);
    text_ink(t, INK_FRAME);
    buf_add(t->out, str_from(arrow));
    text_ink(t, INK_NONE);
    text_put(t, sources_file(t->sources, at.file)->path, 0);
    buf_format(t->out, ":%u:%u\n", p.line, p.column);
}

static int digits(uint32_t n)
{
    int count = 1;
    for (; n >= 10; n /= 10)
        count++;
    return count;
}

static int gutter_of(const Diag *d, const DiagItem *it)
{
    uint32_t last = snippet_last_line(d->sources, it->at);
    for (size_t i = 0; i < it->labels.count; i++) {
        uint32_t line = snippet_last_line(d->sources, it->labels.items[i].at);
        last = line > last ? line : last;
    }
    for (size_t i = 0; i < it->fixes.count; i++)
        for (size_t k = 0; k < it->fixes.items[i].edits.count; k++) {
            uint32_t line = snippet_last_line(d->sources, it->fixes.items[i].edits.items[k].at);
            last = line > last ? line : last;
        }
    return digits(last);
}

/* First the file of the item itself, then each further file that a label points into. */
static void put_snippets(Text *t, Arena *arena, const DiagItem *it)
{
    size_t count = it->labels.count + 1;
    Mark *all = push(arena, Mark, count);
    Mark *group = push(arena, Mark, count);
    all[0] = (Mark){it->at, it->label, true};
    for (size_t i = 1; i < count; i++)
        all[i] = (Mark){it->labels.items[i - 1].at, it->labels.items[i - 1].text, false};
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (all[i].at.file == 0)
            continue;
        size_t n = 0;
        uint32_t file = all[i].at.file;
        for (size_t k = i; k < count; k++)
            if (all[k].at.file == file) {
                group[n++] = all[k];
                all[k].at.file = 0;
            }
        if (!first)
            bar_line(t);
        put_arrow(t, first ? "--> " : "::: ", group[0].at);
        bar_line(t);
        snippet_show(t, group, n);
        first = false;
    }
}

static void put_remark(Text *t, const char *kind, Str words)
{
    text_blanks(t, t->gutter + 1);
    text_ink(t, INK_FRAME);
    buf_char(t->out, '=');
    text_ink(t, INK_NONE);
    text_ink(t, INK_BOLD);
    buf_format(t->out, " %s", kind);
    text_ink(t, INK_NONE);
    buf_add(t->out, S(": "));
    text_put(t, words, t->gutter + 5 + (int)strlen(kind));
    buf_char(t->out, '\n');
}

static void put_fix(Text *t, Arena *arena, const DiagFix *fix, bool applied)
{
    text_ink(t, INK_HELP);
    buf_add(t->out, S("help"));
    text_ink(t, INK_NONE);
    buf_add(t->out, S(": "));
    text_put(t, fix->text, 6);
    if (applied)
        buf_add(t->out, S("  (dgc check --fix applies this)"));
    buf_char(t->out, '\n');
    snippet_fix(t, arena, fix);
}

/* The fix that diag_apply_fixes takes: the first safe one. */
static const DiagFix *machine_fix(const DiagItem *it)
{
    for (size_t i = 0; i < it->fixes.count; i++)
        if (it->fixes.items[i].applicability == FIX_MACHINE)
            return &it->fixes.items[i];
    return NULL;
}

static void put_item(Text *t, const Diag *d, const DiagItem *it)
{
    size_t mark = arena_mark(d->arena);
    t->primary = it->level == DIAG_ERROR ? INK_ERROR : INK_WARNING;
    t->gutter = gutter_of(d, it);
    put_header(t, it);
    put_snippets(t, d->arena, it);
    bool placed = it->at.file || it->labels.count;
    if (placed && (it->helps.count || it->fixes.count || it->notes.count))
        bar_line(t);
    for (size_t i = 0; i < it->helps.count; i++)
        put_remark(t, "help", it->helps.items[i]);
    for (size_t i = 0; i < it->fixes.count; i++)
        put_fix(t, d->arena, &it->fixes.items[i], &it->fixes.items[i] == machine_fix(it));
    for (size_t i = 0; i < it->notes.count; i++)
        put_remark(t, "note", it->notes.items[i]);
    buf_char(t->out, '\n');
    arena_pop(d->arena, mark);
}

static void put_counts(Text *t, size_t errors, size_t warnings)
{
    if (errors)
        buf_format(t->out, "%zu error%s", errors, errors == 1 ? "" : "s");
    if (errors && warnings)
        buf_add(t->out, S(", "));
    if (warnings)
        buf_format(t->out, "%zu warning%s", warnings, warnings == 1 ? "" : "s");
}

static void put_summary(Text *t, const Diag *d, size_t errors_hidden, size_t warnings_hidden)
{
    if (errors_hidden || warnings_hidden) {
        buf_add(t->out, S("... and "));
        put_counts(t, errors_hidden, warnings_hidden);
        buf_add(t->out, S(" more\n\n"));
    }
    size_t fixable = 0;
    const DiagItem *example = NULL;
    for (size_t i = 0; i < d->items.count; i++) {
        fixable += machine_fix(d->items.items[i]) != NULL;
        if (!example || d->items.items[i]->level < example->level)
            example = d->items.items[i];
    }
    text_ink(t, INK_BOLD);
    put_counts(t, d->errors_count, d->warnings_count);
    text_ink(t, INK_NONE);
    if (fixable && fixable == d->items.count)
        buf_format(t->out, "; `dgc check --fix` can fix %s", fixable == 1 ? "it" : "all of them");
    else if (fixable)
        buf_format(t->out, "; `dgc check --fix` can fix %zu of them", fixable);
    buf_format(t->out, "; `dgc explain %s` says more\n", diag_code_name(example->code));
}

/* Where not all can be shown, errors come before warnings. */
void diag_render_text(const Diag *d, DiagRender how, StrBuf *out)
{
    if (d->items.count == 0)
        return;
    Text t = {.sources = d->sources, .out = out, .color = how.color};
    size_t room = how.items_max ? how.items_max : d->items.count;
    size_t errors_left = d->errors_count < room ? d->errors_count : room;
    size_t warnings_left = room - errors_left < d->warnings_count ? room - errors_left
                                                                  : d->warnings_count;
    size_t errors_hidden = d->errors_count - errors_left;
    size_t warnings_hidden = d->warnings_count - warnings_left;
    for (size_t i = 0; i < d->items.count; i++) {
        const DiagItem *it = d->items.items[i];
        size_t *left = it->level == DIAG_ERROR ? &errors_left : &warnings_left;
        if (*left == 0)
            continue;
        --*left;
        put_item(&t, d, it);
    }
    put_summary(&t, d, errors_hidden, warnings_hidden);
}
