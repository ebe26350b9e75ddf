/* yaml_events.c - libyaml's events with places in bytes, and reading on behind small faults.
 *
 * libyaml stops at its first error. Where the fault sits in one scalar (an unquoted template, a
 * value that begins with `@`), its text is overwritten by letters in a private copy and the file is
 * read again: the scalar becomes a broken event and the rest of the file is still checked.
 */
#include "compiler/yaml_internal.h"

#include <stdlib.h>
#include <yaml.h>

enum {
    REPAIRS_MAX = 32, /* each costs one more reading */
    INDEX_STEP = 64,
};

typedef struct Reader {
    Arena *arena;
    Diag *diag;
    uint32_t file;
    Str text;      /* as the user wrote it */
    char *work;    /* as libyaml reads it: repaired; same length */
    uint32_t skip; /* bytes of the byte order mark, which libyaml does not see */
    uint32_t *index; /* offset of every INDEX_STEP-th character; NULL: one byte each */
    size_t characters;
    Span repairs[REPAIRS_MAX];
    size_t repairs_count;
} Reader;

/* ---- Characters to bytes ---- */

static void make_index(Reader *r)
{
    size_t len = (size_t)r->text.len, count = 0;
    for (size_t i = r->skip; i < len; i++)
        count += ((unsigned char)r->work[i] & 0xc0) != 0x80;
    r->characters = count;
    if (count == len - r->skip)
        return;
    r->index = push(r->arena, uint32_t, count / INDEX_STEP + 1);
    count = 0;
    for (size_t i = r->skip; i < len; i++) {
        if (((unsigned char)r->work[i] & 0xc0) == 0x80)
            continue;
        if (count % INDEX_STEP == 0)
            r->index[count / INDEX_STEP] = (uint32_t)i;
        count++;
    }
}

static uint32_t byte_at(const Reader *r, size_t character)
{
    uint32_t len = (uint32_t)r->text.len;
    if (character >= r->characters)
        return len;
    if (!r->index)
        return (uint32_t)character + r->skip;
    uint32_t at = r->index[character / INDEX_STEP];
    for (size_t left = character % INDEX_STEP; left > 0; left--)
        do
            at++;
        while (((unsigned char)r->work[at] & 0xc0) == 0x80);
    return at;
}

/* ---- Text that no YAML file may hold ---- */

static void report_encoding(Reader *r, ptrdiff_t bad)
{
    Span at = {r->file, (uint32_t)bad, (uint32_t)bad + 1};
    unsigned char byte = (unsigned char)r->text.ptr[bad];
    DiagItem *it = diag_report(r->diag, E0101, at, "the file is not valid UTF-8");
    diag_set_label(it, "byte 0x%02x does not belong here", (unsigned)byte);
    if (str_starts(r->text, S("\xff\xfe")) || str_starts(r->text, S("\xfe\xff")))
        diag_help(it, "this looks like UTF-16: save the file as UTF-8");
    else
        diag_help(it, "save the file as UTF-8");
}

static bool check_text(Reader *r)
{
    ptrdiff_t bad;
    if (r->text.len > LIMIT_YAML_BYTES) {
        diag_report(r->diag, E0104, (Span){r->file, 0, 0}, "the file is larger than %d MiB",
                    LIMIT_YAML_BYTES >> 20);
        return false;
    }
    if (!str_utf8_valid(r->text, &bad)) {
        report_encoding(r, bad);
        return false;
    }
    for (ptrdiff_t i = 0; i < r->text.len; i++) {
        unsigned char c = (unsigned char)r->text.ptr[i];
        int bytes = 1;
        unsigned value = c;
        if (c >= 0x20 && c != 0x7f && c != 0xc2)
            continue;
        if (c == '\t' || c == '\n' || c == '\r')
            continue;
        if (c == 0xc2) { /* U+0080 to U+009F, of which U+0085 is a line end */
            value = (unsigned char)r->text.ptr[i + 1];
            bytes = 2;
            if (value >= 0xa0 || value == 0x85)
                continue;
        }
        DiagItem *it = diag_report(r->diag, E0101,
                                   (Span){r->file, (uint32_t)i, (uint32_t)(i + bytes)},
                                   "the control character U+%04X is not allowed in YAML", value);
        diag_help(it, "delete it; in a double-quoted text it can be written as `\\x%02x`", value);
        return false;
    }
    return true;
}

/* ---- One reading ---- */

static YamlStyle scalar_style(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return YAML_SINGLE;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return YAML_DOUBLE;
    case YAML_LITERAL_SCALAR_STYLE:
        return YAML_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE:
        return YAML_FOLDED;
    default:
        return YAML_PLAIN;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Past `&anchor` and `!tag`, and the blanks and comments after them. */
static uint32_t skip_properties(const Reader *r, uint32_t at, uint32_t end)
{
    const char *p = r->text.ptr;
    while (at < end && (p[at] == '&' || p[at] == '!')) {
        while (at < end && !is_blank(p[at]))
            at++;
        while (at < end && (is_blank(p[at]) || p[at] == '#')) {
            if (p[at] == '#')
                while (at < end && p[at] != '\n')
                    at++;
            else
                at++;
        }
    }
    return at;
}

static Str copy_text(Arena *arena, const yaml_char_t *text, size_t len)
{
    return text ? str_copy(arena, (Str){(const char *)text, (ptrdiff_t)len}) : (Str){0};
}

static Str copy_name(Arena *arena, const yaml_char_t *text)
{
    return text ? copy_text(arena, text, strlen((const char *)text)) : (Str){0};
}

static bool is_repair(const Reader *r, uint32_t start)
{
    for (size_t i = 0; i < r->repairs_count; i++)
        if (r->repairs[i].start == start)
            return true;
    return false;
}

static Event scalar_event(const Reader *r, const yaml_event_t *ev, Event e)
{
    e.kind = EVENT_SCALAR;
    e.text = copy_text(r->arena, ev->data.scalar.value, ev->data.scalar.length);
    e.anchor = copy_name(r->arena, ev->data.scalar.anchor);
    e.tag = copy_name(r->arena, ev->data.scalar.tag);
    e.style = (uint8_t)scalar_style(ev->data.scalar.style);
    if (e.anchor.ptr || e.tag.ptr)
        e.start = skip_properties(r, e.start, e.end);
    if (e.style == YAML_LITERAL || e.style == YAML_FOLDED)
        while (e.end > e.start && is_blank(r->text.ptr[e.end - 1]))
            e.end--; /* libyaml's end is the start of what follows */
    e.broken = is_repair(r, e.start);
    return e;
}

static Event convert(const Reader *r, const yaml_event_t *ev)
{
    Event e = {.kind = EVENT_END,
               .start = byte_at(r, ev->start_mark.index),
               .end = byte_at(r, ev->end_mark.index)};
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        e.kind = EVENT_DOCUMENT;
        return e;
    case YAML_ALIAS_EVENT:
        e.kind = EVENT_ALIAS;
        e.text = copy_name(r->arena, ev->data.alias.anchor);
        return e;
    case YAML_SCALAR_EVENT:
        return scalar_event(r, ev, e);
    case YAML_SEQUENCE_START_EVENT:
        e.kind = EVENT_LIST;
        e.anchor = copy_name(r->arena, ev->data.sequence_start.anchor);
        e.tag = copy_name(r->arena, ev->data.sequence_start.tag);
        e.flow = ev->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
        break;
    case YAML_MAPPING_START_EVENT:
        e.kind = EVENT_MAP;
        e.anchor = copy_name(r->arena, ev->data.mapping_start.anchor);
        e.tag = copy_name(r->arena, ev->data.mapping_start.tag);
        e.flow = ev->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
        break;
    default:
        return e;
    }
    if (e.anchor.ptr || e.tag.ptr) /* the start of the content lies past the event's own end */
        e.start = skip_properties(r, e.start, (uint32_t)r->text.len);
    return e;
}

typedef enum Outcome { READ_ALL, READ_PART, READ_AGAIN } Outcome;

static bool repair(Reader *r, Span at)
{
    if (r->repairs_count == REPAIRS_MAX || at.end <= at.start)
        return false;
    for (size_t i = 0; i < r->repairs_count; i++)
        if (at.start < r->repairs[i].end && r->repairs[i].start < at.end)
            return false;
    r->repairs[r->repairs_count++] = at;
    for (uint32_t i = at.start; i < at.end; i++) {
        unsigned char c = (unsigned char)r->work[i];
        if (c < 0x80)
            r->work[i] = 'x';
        else if (c == 0xc2 || c == 0xe2 || c == 0xef) /* U+0085, U+2028... are line ends or worse */
            r->work[i] = (char)(c == 0xc2 ? 0xc3 : 0xe4);
    }
    return true;
}

static Str problem_text(const char *s)
{
    return str_from(s ? s : "");
}

static Outcome syntax_error(Reader *r, const yaml_parser_t *p, int flow)
{
    Fault f = {.problem = problem_text(p->problem),
               .context = problem_text(p->context),
               .at = byte_at(r, p->problem_mark.index),
               .context_at = byte_at(r, p->context_mark.index),
               .in_flow = flow > 0,
               .seen = {r->work, r->text.len}};
    if (p->error == YAML_READER_ERROR)
        f.at = f.context_at = (uint32_t)p->problem_offset + r->skip;
    if (p->error == YAML_MEMORY_ERROR)
        f.problem = S("there is not enough memory");
    if (f.at > (uint32_t)r->text.len)
        f.at = (uint32_t)r->text.len;
    if (f.context_at > f.at || f.context.len == 0)
        f.context_at = f.at;
    Span at = {0};
    if (yaml_report_fault(r->diag, r->file, &f, &at) && repair(r, at))
        return READ_AGAIN;
    return READ_PART;
}

static Outcome too_much(Reader *r, const Event *e, const char *what, int limit)
{
    Span at = {r->file, e->start, e->start + 1};
    diag_report(r->diag, E0104, at, "the file %s %d", what, limit);
    return READ_PART;
}

static bool is_template(const Reader *r, const Event *e)
{
    return e->kind == EVENT_MAP && e->flow &&
           str_starts(str_sub(r->text, e->start, r->text.len), S("{{"));
}

/* Reads until the end, an error, or a fault that was repaired. `complete` counts the events of
 * whole documents. */
static Outcome read_once(Reader *r, yaml_parser_t *p, Events *out, size_t *complete)
{
    int depth = 0, flow = 0;
    bool flows[LIMIT_YAML_DEPTH + 2];
    for (;;) {
        yaml_event_t ev;
        if (!yaml_parser_parse(p, &ev))
            return syntax_error(r, p, flow);
        yaml_event_type_t type = ev.type;
        Event e = convert(r, &ev);
        yaml_event_delete(&ev);
        if (type == YAML_STREAM_END_EVENT)
            return READ_ALL;
        if (type == YAML_STREAM_START_EVENT)
            continue;
        if (is_template(r, &e)) {
            Span at = yaml_report_template(r->diag, r->file, e.start, flow > 0);
            return repair(r, at) ? READ_AGAIN : READ_PART;
        }
        if (e.kind == EVENT_LIST || e.kind == EVENT_MAP) {
            if (depth == LIMIT_YAML_DEPTH)
                return too_much(r, &e, "nests lists and mappings deeper than", LIMIT_YAML_DEPTH);
            flows[depth++] = e.flow;
            flow += e.flow;
        } else if (e.kind == EVENT_END && depth > 0) {
            flow -= flows[--depth];
        }
        if (out->list.count >= LIMIT_YAML_NODES)
            return too_much(r, &e, "has more nodes than", LIMIT_YAML_NODES);
        array_add(r->arena, &out->list, e);
        if (type == YAML_DOCUMENT_END_EVENT)
            *complete = out->list.count;
    }
}

Events yaml_read_events(Arena *arena, Diag *diag, uint32_t file)
{
    Reader r = {.arena = arena, .diag = diag, .file = file};
    r.text = sources_file(diag->sources, file)->text;
    if (!check_text(&r))
        return (Events){.broken = true};
    r.skip = str_starts(r.text, S("\xef\xbb\xbf")) ? 3 : 0;
    r.work = str_cstr(arena, r.text);
    make_index(&r);
    Events out = {0};
    Outcome outcome;
    do {
        yaml_parser_t p;
        if (!yaml_parser_initialize(&p)) {
            diag_report(diag, E0104, (Span){file, 0, 0},
                        "there is not enough memory to read the file");
            return (Events){.broken = true};
        }
        yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&p, (const unsigned char *)r.work + r.skip,
                                     (size_t)r.text.len - r.skip);
        size_t complete = 0;
        out.list.count = 0;
        outcome = read_once(&r, &p, &out, &complete);
        out.list.count = complete;
        yaml_parser_delete(&p);
    } while (outcome == READ_AGAIN);
    out.broken = outcome == READ_PART;
    return out;
}
