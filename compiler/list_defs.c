/* list_defs.c - what `dgc list defs` shows, from a plan. */
#include "compiler/list_defs.h"

#include "compiler/compile.h"
#include "compiler/spec.h"

/* Dagster's place of a definition: the first line of its document. */
static Str source(const Plan *plan, const Instance *instance)
{
    if (!instance || !instance->document)
        return (Str){0};
    Span at = instance->document->at;
    const SourceFile *file = sources_file(plan->sources, at.file);
    return file ? str_format(plan->arena, "%.*s:%u", FMT(file->path),
                             sources_line_of(plan->sources, at))
                : (Str){0};
}

static StrArray copy(Arena *arena, const StrArray *list)
{
    StrArray out = {0};
    for (size_t i = 0; i < list->count; i++)
        array_add(arena, &out, list->items[i]);
    return out;
}

static void add_asset(const Plan *plan, DefsDoc *doc, const Asset *a)
{
    Arena *arena = plan->arena;
    DefsAsset out = {.key = a->key, .group = a->group, .description = a->description,
                     .source = a->source.len ? a->source : source(plan, a->instance), .kinds = copy(arena, &a->kinds),
                     .owners = copy(arena, &a->owners), .is_executable = a->step != NULL};
    for (size_t i = 0; i < a->deps.count; i++)
        array_add(arena, &out.deps, a->deps.items[i]->key);
    for (size_t i = 0; i < a->tags.count; i++) {
        DefsTag tag = {a->tags.items[i].key, a->tags.items[i].value};
        if (!str_starts(tag.key, S("dagster/kind")))
            array_add(arena, &out.tags, tag);
    }
    AutomationLabel label = automation_label(arena, a->automation);
    out.has_automation = label.expanded.count > 0;
    out.automation_label = label.label;
    out.automation_expanded = label.expanded;
    array_add(arena, &doc->assets, out);
}

static void add_check(const Plan *plan, DefsDoc *doc, const Check *c)
{
    DefsCheck out = {.asset = c->asset_key, .name = c->name, .description = c->description,
                     .source = source(plan, c->instance)};
    array_add(plan->arena, &out.deps, c->asset_key);
    for (size_t i = 0; i < c->deps.count; i++)
        if (c->deps.items[i] != c->asset)
            array_add(plan->arena, &out.deps, c->deps.items[i]->key);
    array_add(plan->arena, &doc->checks, out);
}

DefsDoc defs_doc(const Plan *plan, const bool *chosen)
{
    DefsDoc doc = {0};
    Arena *arena = plan->arena;
    bool automated = false;
    for (size_t i = 0; i < plan->assets.count; i++) {
        automated |= plan->assets.items[i]->automation.kind == DG_V_OBJECT;
        if (!plan->assets.items[i]->unlisted && (!chosen || chosen[i]))
            add_asset(plan, &doc, plan->assets.items[i]);
    }
    for (size_t i = 0; i < plan->checks.count; i++) {
        const Check *check = plan->checks.items[i];
        automated |= check->automation.kind == DG_V_OBJECT;
        if (!chosen || chosen[check->asset->index])
            add_check(plan, &doc, check);
    }
    if (chosen)
        return doc;
    for (size_t i = 0; i < plan->jobs.count; i++) {
        const Job *job = plan->jobs.items[i];
        DefsItem item = {job->name, job->description, source(plan, job->instance)};
        array_add(arena, &doc.jobs, item);
    }
    for (size_t i = 0; i < plan->resources.count; i++) {
        DefsItem item = {plan->resources.items[i]->name, plan->resources.items[i]->type, {0}};
        array_add(arena, &doc.resources, item);
    }
    for (size_t i = 0; i < plan->schedules.count; i++) {
        const Schedule *s = plan->schedules.items[i];
        DefsItem item = {s->name, s->cron, source(plan, s->instance)};
        array_add(arena, &doc.schedules, item);
    }
    if (automated) { /* Dagster adds it wherever an automation condition is */
        DefsItem item = {.name = S("default_automation_condition_sensor")};
        array_add(arena, &doc.sensors, item);
    }
    return doc;
}

/* ---- Tables ---- */

static size_t width_of(Str s)
{
    size_t n = 0;
    for (ptrdiff_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

/* At most `width` characters; what is cut ends in an ellipsis. Line breaks become blanks. */
static void cell(StrBuf *out, Str s, size_t width, bool pad)
{
    size_t whole = width_of(s), shown = 0, room = whole > width ? width - 1 : width;
    for (ptrdiff_t i = 0; i < s.len && shown < room;) {
        int n = str_utf8_length(s, i);
        n = n ? n : 1;
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == 0x7f)
            buf_char(out, ' ');
        else
            buf_add(out, str_sub(s, i, i + n));
        i += n;
        shown++;
    }
    if (whole > width) {
        buf_add(out, S("\u2026"));
        shown++;
    }
    for (; pad && shown < width; shown++)
        buf_char(out, ' ');
}

void table_print(const Table *t, size_t width, bool color, StrBuf *out)
{
    size_t columns = t->heads.count, rows = columns ? t->cells.count / columns : 0;
    if (!rows)
        return;
    size_t *widths = push(t->arena, size_t, columns), total = 2 * (columns - 1);
    bool *used = push(t->arena, bool, columns);
    for (size_t c = 0; c < columns; c++) {
        for (size_t r = 0; r < rows; r++) {
            size_t w = width_of(t->cells.items[r * columns + c]);
            used[c] |= w > 0;
            widths[c] = w > widths[c] ? w : widths[c];
        }
        size_t head = width_of(t->heads.items[c]);
        widths[c] = widths[c] < head ? head : widths[c];
        total += used[c] ? widths[c] : 0;
    }
    for (size_t c = columns; total > width && c-- > 1;) { /* keys stay whole */
        size_t least = used[c] ? (widths[c] < 12 ? widths[c] : 12) : 0;
        size_t over = total - width, spare = used[c] ? widths[c] - least : 0;
        size_t cut = over < spare ? over : spare;
        widths[c] -= cut;
        total -= cut;
    }
    const char *bold = color ? "\033[1m" : "", *dim = color ? "\033[2m" : "",
               *off = color ? "\033[0m" : "";
    buf_format(out, "%s%s%s (%zu)\n", bold, t->title, off, rows);
    for (size_t r = 0; r <= rows; r++) {
        size_t last = columns;
        const Str *cells = r ? &t->cells.items[(r - 1) * columns] : t->heads.items;
        while (last > 1 && (!used[last - 1] || !cells[last - 1].len))
            last--;
        buf_format(out, "%s", r ? "" : dim);
        for (size_t c = 0; c < last; c++) {
            if (!used[c])
                continue;
            buf_add(out, S("  "));
            cell(out, cells[c], widths[c], c + 1 < last);
        }
        buf_format(out, "%s\n", r ? "" : off);
    }
    buf_char(out, '\n');
}
