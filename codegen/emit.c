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

static void add_line(Emit *e, const char *fmt, va_list args, const char *end)
{
    Section *s = &e->sections[e->now];
    const SourceFile *file = e->at.file ? sources_file(e->sources, e->at.file) : NULL;
    uint32_t line = file ? sources_line_of(e->sources, e->at) : 0;
    if (file && e->directives)
        buf_format(&s->text, "#line %u %.*s\n", line, FMT(c_string(e->arena, file->path)));
    size_t start = s->text.len;
    for (int i = 0; i < s->indent; i++)
        buf_add(&s->text, S("    "));
    buf_vformat(&s->text, fmt, args);
    buf_add(&s->text, str_from(end));
    if (file && !e->directives) {
        size_t width = s->text.len - start;
        for (; width < 56; width++)
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
    bool function = e->sections[e->now].indent == 0 && fmt[0] == 's' && strchr(fmt, '(');
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

void emit_quote(Emit *e, Span at)
{
    const SourceFile *file = sources_file(e->sources, at.file);
    StrBuf *out = &e->sections[e->now].text;
    if (!file || at.end <= at.start)
        return;
    uint32_t first = sources_line_of(e->sources, at);
    uint32_t last = sources_line_of(e->sources, (Span){at.file, at.end - 1, at.end});
    buf_format(out, "/* %.*s:%u\n", FMT(file->path), first);
    for (uint32_t line = first; line <= last && line < first + 40; line++) {
        Str text = sources_line(e->sources, at.file, line);
        buf_add(out, S(" *   "));
        for (ptrdiff_t i = 0; i < text.len; i++) {
            buf_char(out, text.ptr[i]);
            if (i + 1 < text.len && ((text.ptr[i] == '*' && text.ptr[i + 1] == '/') ||
                                     (text.ptr[i] == '/' && text.ptr[i + 1] == '*')))
                buf_char(out, ' ');
        }
        buf_char(out, '\n');
    }
    buf_add(out, S(" */\n"));
}

Str emit_finish(Emit *e)
{
    static const char *const titles[EMIT_SECTIONS_COUNT] = {
        "", "types", "data", "functions", "tables", "main"};
    StrBuf all = {0};
    for (int i = 0; i < EMIT_SECTIONS_COUNT; i++) {
        Section *s = &e->sections[i];
        assert(s->indent == 0);
        if (s->text.len && titles[i][0]) {
            if (e->directives)
                buf_add(&all, S("#line 1 \"pipeline.c\"\n"));
            buf_format(&all, "\n/* ---- %s ---- */\n\n", titles[i]);
        }
        buf_add(&all, buf_str(&s->text));
        buf_free(&s->text);
    }
    Str out = str_copy(e->arena, buf_str(&all));
    buf_free(&all);
    return out;
}

/* ---- Names ---- */

static bool reserved(Str s)
{
    static const char *const words[] = {
        "auto", "bool", "break", "case", "char", "const", "continue", "default", "do", "double",
        "else", "enum", "extern", "false", "float", "for", "goto", "if", "inline", "int", "long",
        "main", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
        "switch", "true", "typedef", "union", "unsigned", "void", "volatile", "while", "asm",
        "typeof", "NULL", "memcpy", "memset", "memcmp", "offsetof", "steps", "assets", "checks",
        "jobs", "schedules", "sites", "pipeline", "partitions", "secrets", "lineage", "resources"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(s, str_from(words[i])))
            return true;
    return str_starts(s, S("dg")) || str_starts(s, S("Dg")) || str_starts(s, S("DG"));
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
