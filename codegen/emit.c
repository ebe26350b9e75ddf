/* emit.c - sections of C text, indentation, and where each line comes from. */
#include "codegen/emit.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct Section {
    StrBuf text;
    int indent;
} Section;

struct Emit {
    Arena *arena;
    const Sources *sources;
    bool directives;
    EmitSection now;
    Section sections[EMIT_SECTIONS_COUNT];
    Span at;           /* what the next lines come from */
    Map names;         /* user's name -> C identifier */
    Map taken;         /* C identifiers in use */
};

Emit *emit_new(Arena *arena, const Sources *sources, bool line_directives)
{
    Emit *e = push(arena, Emit, 1);
    e->arena = arena;
    e->sources = sources;
    e->directives = line_directives;
    return e;
}

Arena *emit_arena(Emit *e)
{
    return e->arena;
}

EmitSection emit_section(Emit *e, EmitSection to)
{
    EmitSection before = e->now;
    assert(to >= 0 && to < EMIT_SECTIONS_COUNT);
    e->now = to;
    return before;
}

void emit_at(Emit *e, Span at)
{
    e->at = at;
}

/* With directives a line that has a place begins with a mark, which emit_finish() turns into #line
 * where the compiler would otherwise believe it to be elsewhere. No text of ours has these bytes:
 * c_string() writes them as escapes. */
static const char mark_begin = 1, mark_end = 2;

static void add_line(Emit *e, const char *fmt, va_list args, const char *end)
{
    enum { PLACES_COLUMN = 64 };
    Section *s = &e->sections[e->now];
    const SourceFile *file = e->at.file ? sources_file(e->sources, e->at.file) : NULL;
    uint32_t line = file ? sources_line_of(e->sources, e->at) : 0;
    if (file && e->directives)
        buf_format(&s->text, "%c%u:%u%c", mark_begin, e->at.file, line, mark_end);
    size_t start = s->text.len;
    for (int i = 0; i < s->indent; i++)
        buf_add(&s->text, S("    "));
    buf_vformat(&s->text, fmt, args);
    buf_add(&s->text, str_from(end));
    if (file && !e->directives) {
        size_t width = s->text.len - start;
        for (; width < PLACES_COLUMN; width++)
            buf_char(&s->text, ' ');
        buf_format(&s->text, " /* %.*s:%u */", FMT(file->path), line);
    }
    buf_char(&s->text, '\n');
    e->at = (Span){0};
}

void emit_line(Emit *e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_line(e, fmt, args, "");
    va_end(args);
}

void emit_open(Emit *e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    /* A function's brace stands on its own line, as in the code written by hand. */
    size_t length = strlen(fmt);
    bool function = e->sections[e->now].indent == 0 && length && fmt[length - 1] == ')';
    add_line(e, fmt, args, function ? "" : " {");
    va_end(args);
    if (function)
        buf_add(&e->sections[e->now].text, S("{\n"));
    e->sections[e->now].indent++;
}

void emit_close(Emit *e, const char *after)
{
    Section *s = &e->sections[e->now];
    assert(s->indent > 0);
    s->indent--;
    emit_line(e, "}%s", after);
}

/* A comment in the YAML could end the comment in C. */
static void quote_line(StrBuf *out, Str text)
{
    buf_add(out, text.len ? S(" *   ") : S(" *"));
    for (ptrdiff_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        buf_char(out, c < 32 ? ' ' : (char)c);
        if (i + 1 < text.len && ((c == '*' && text.ptr[i + 1] == '/') ||
                                 (c == '/' && text.ptr[i + 1] == '*')))
            buf_char(out, ' ');
    }
    buf_char(out, '\n');
}

void emit_quote(Emit *e, Span at)
{
    enum { LINES_MAX = 60 };
    const SourceFile *file = sources_file(e->sources, at.file);
    StrBuf *out = &e->sections[e->now].text;
    if (!file || at.end <= at.start)
        return;
    Str text = str_sub(file->text, at.start, at.end);
    while (text.len && strchr(" \n\r\t", text.ptr[text.len - 1]))
        text.len--;
    uint32_t first = sources_line_of(e->sources, at), shown = 0;
    uint32_t last = sources_line_of(
        e->sources, (Span){at.file, at.start + (uint32_t)(text.len ? text.len - 1 : 0), at.end});
    buf_format(out, "/* %.*s:%u\n", FMT(file->path), first);
    for (uint32_t line = first; line <= last && shown < LINES_MAX; line++, shown++)
        quote_line(out, sources_line(e->sources, at.file, line));
    if (first + shown <= last)
        quote_line(out, S("..."));
    buf_add(out, S(" */\n"));
}

/* Turns marks into directives. The compiler counts on from the last directive, so two lines are
 * followed: where a line stands, and where the compiler believes it to stand. */
typedef struct Cursor {
    uint32_t file;    /* 0: pipeline.c itself */
    uint32_t line;
} Cursor;

static bool take_mark(Str *line, Cursor *want)
{
    int64_t file, number;
    Str mark, rest, left, right;
    if (!line->len || line->ptr[0] != mark_begin ||
        !str_cut(str_sub(*line, 1, line->len), mark_end, &mark, &rest) ||
        !str_cut(mark, ':', &left, &right) || !str_to_int(left, &file) || !str_to_int(right, &number))
        return false;
    *want = (Cursor){(uint32_t)file, (uint32_t)number};
    *line = rest;
    return true;
}

static void add_directives(Emit *e, Str text, StrBuf *out)
{
    uint32_t actual = 1;
    Cursor believed = {0, 1};
    for (Str line; text.len; actual++, believed.line++) {
        str_cut(text, '\n', &line, &text);
        Cursor want = {0, actual};
        bool placed = take_mark(&line, &want);
        if (want.file != believed.file || want.line != believed.line) {
            if (!line.len) { /* an empty line needs no place */
                buf_char(out, '\n');
                continue;
            }
            if (!placed)
                want.line++; /* the directive is a line too */
            Str path = want.file ? sources_file(e->sources, want.file)->path : S("pipeline.c");
            buf_format(out, "#line %u %.*s\n", want.line, FMT(c_string(e->arena, path)));
            actual++;
            believed = want;
        }
        buf_add(out, line);
        buf_char(out, '\n');
    }
}

Str emit_finish(Emit *e)
{
    static const char *const titles[EMIT_SECTIONS_COUNT] = {
        "", "types", "data", "functions", "tables", "main"};
    StrBuf all = {0}, lined = {0};
    for (int i = 0; i < EMIT_SECTIONS_COUNT; i++) {
        Section *s = &e->sections[i];
        assert(s->indent == 0);
        if (s->text.len && titles[i][0])
            buf_format(&all, "\n/* ---- %s ---- */\n\n", titles[i]);
        buf_add(&all, buf_str(&s->text));
        buf_free(&s->text);
    }
    if (e->directives)
        add_directives(e, buf_str(&all), &lined);
    Str out = str_copy(e->arena, buf_str(e->directives ? &lined : &all));
    buf_free(&all);
    buf_free(&lined);
    return out;
}

/* ---- Names ---- */

static bool one_of(Str s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(s, str_from(words[i])))
            return true;
    return false;
}

bool c_keyword(Str s)
{
    static const char *const words[] = {
        "auto", "bool", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
        "false", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
        "sizeof", "static", "struct", "switch", "true", "typedef", "union", "unsigned", "void", "volatile", "while", "asm", "typeof"};
    return one_of(s, words, sizeof words / sizeof *words);
}

static bool reserved(Str s)
{
    static const char *const words[] = {
        "main", "NULL", "memcpy", "memset", "memcmp", "offsetof", "steps", "assets", "checks",
        "jobs", "schedules", "sites", "pipeline", "partitions", "secrets", "lineage", "resources"};
    return c_keyword(s) || one_of(s, words, sizeof words / sizeof *words) || str_starts(s, S("dg")) || str_starts(s, S("Dg")) || str_starts(s, S("DG"));
}

Str emit_fresh(Emit *e, Str name)
{
    StrBuf b = {0};
    for (ptrdiff_t i = 0; i < name.len && i < 60; i++) {
        char c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (i == 0 && c >= '0' && c <= '9')
            buf_char(&b, '_');
        buf_char(&b, ok ? c : '_');
    }
    if (!b.len)
        buf_add(&b, S("unnamed"));
    Str base = str_copy(e->arena, buf_str(&b)), out = base;
    buf_free(&b);
    if (reserved(base))
        base = out = str_format(e->arena, "my_%.*s", FMT(base));
    for (int n = 2; map_has(&e->taken, out); n++)
        out = str_format(e->arena, "%.*s_%d", FMT(base), n);
    map_put(e->arena, &e->taken, out, e);
    return out;
}

Str emit_name(Emit *e, Str name)
{
    Str *known = map_get(&e->names, name);
    if (!known) {
        known = push(e->arena, Str, 1);
        *known = emit_fresh(e, name);
        map_put(e->arena, &e->names, str_copy(e->arena, name), known);
    }
    return *known;
}

Str c_string(Arena *a, Str s)
{
    StrBuf b = {0};
    buf_char(&b, '"');
    for (ptrdiff_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '\n')
            buf_add(&b, S("\\n"));
        else if (c == '"' || c == '\\')
            buf_format(&b, "\\%c", c);
        else if (c == '?' || c < 32 || c == 127) /* `?`: no trigraphs */
            buf_format(&b, "\\%03o", c);
        else
            buf_char(&b, (char)c);
    }
    buf_char(&b, '"');
    Str out = str_copy(a, buf_str(&b));
    buf_free(&b);
    return out;
}

Str c_double(Arena *a, double d)
{
    if (d != d)
        return S("(0.0 / 0.0)");
    if (d > 1.7976931348623157e308)
        return S("(1.0 / 0.0)");
    if (d < -1.7976931348623157e308)
        return S("(-1.0 / 0.0)");
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    Str s = str_from(text);
    bool whole = str_find_char(s, '.') < 0 && str_find_char(s, 'e') < 0;
    return str_format(a, "%.*s%s", FMT(s), whole ? ".0" : "");
}
