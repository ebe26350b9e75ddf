/* diag_render.c - the finished list, for people (diag_text.c), for programs (JSON), for code
 * scanning services (SARIF 2.1.0). */
#include "compiler/diag_text.h"

static const char *level_name(DiagLevel level)
{
    return level == DIAG_ERROR ? "error" : "warning";
}

static void json_field(StrBuf *b, const char *name, Str value)
{
    buf_format(b, ",\"%s\":", name);
    buf_json(b, value);
}

/* Without a comma in front: it comes first in its object, or after one that the caller writes. */
static void json_place(StrBuf *b, const Sources *s, Span at)
{
    if (at.file == 0) {
        buf_add(b, S("\"file\":null,\"line\":0,\"column\":0,\"end_line\":0,\"end_column\":0"));
        return;
    }
    Place p = sources_place(s, at);
    buf_add(b, S("\"file\":"));
    buf_json(b, sources_file(s, at.file)->path);
    buf_format(b, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u", p.line, p.column,
               p.end_line, p.end_column);
}

static void json_strings(StrBuf *b, const char *name, const StrArray *strings)
{
    buf_format(b, ",\"%s\":[", name);
    for (size_t i = 0; i < strings->count; i++) {
        if (i)
            buf_char(b, ',');
        buf_json(b, strings->items[i]);
    }
    buf_char(b, ']');
}

static void json_fix(StrBuf *b, const Sources *s, const DiagFix *fix)
{
    static const char *const NAMES[] = {"machine", "maybe", "placeholder"};
    buf_format(b, "{\"applicability\":\"%s\"", NAMES[fix->applicability]);
    json_field(b, "text", fix->text);
    buf_add(b, S(",\"edits\":["));
    for (size_t i = 0; i < fix->edits.count; i++) {
        const DiagEdit *e = &fix->edits.items[i];
        buf_add(b, i ? S(",{") : S("{"));
        json_place(b, s, e->at);
        buf_format(b, ",\"start\":%u,\"end\":%u", e->at.start, e->at.end);
        json_field(b, "text", e->text);
        buf_char(b, '}');
    }
    buf_add(b, S("]}"));
}

static void json_item(StrBuf *b, const Sources *s, const DiagItem *it)
{
    buf_format(b, "{\"code\":\"%s\",\"slug\":\"%s\",\"level\":\"%s\"", diag_code_name(it->code),
               diag_code_slug(it->code), level_name(it->level));
    json_field(b, "message", it->message);
    json_field(b, "label", it->label);
    buf_char(b, ',');
    json_place(b, s, it->at);
    buf_add(b, S(",\"labels\":["));
    for (size_t i = 0; i < it->labels.count; i++) {
        buf_add(b, i ? S(",{") : S("{"));
        json_place(b, s, it->labels.items[i].at);
        json_field(b, "text", it->labels.items[i].text);
        buf_char(b, '}');
    }
    buf_char(b, ']');
    json_strings(b, "help", &it->helps);
    json_strings(b, "notes", &it->notes);
    buf_add(b, S(",\"fixes\":["));
    for (size_t i = 0; i < it->fixes.count; i++) {
        if (i)
            buf_char(b, ',');
        json_fix(b, s, &it->fixes.items[i]);
    }
    buf_add(b, S("]}"));
}

static void render_json(const Diag *d, StrBuf *b)
{
    buf_char(b, '[');
    for (size_t i = 0; i < d->items.count; i++) {
        buf_add(b, i ? S(",\n ") : S("\n "));
        json_item(b, d->sources, d->items.items[i]);
    }
    buf_add(b, d->items.count ? S("\n]\n") : S("]\n"));
}

/* A path as a relative reference: all but what RFC 3986 leaves alone is percent-encoded. */
static void sarif_uri(StrBuf *b, Str path)
{
    buf_char(b, '"');
    for (ptrdiff_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c && strchr("-._~/", c));
        if (plain)
            buf_char(b, (char)c);
        else
            buf_format(b, "%%%02X", (unsigned)c);
    }
    buf_char(b, '"');
}

static void sarif_region(StrBuf *b, const Sources *s, Span at)
{
    Place p = sources_place(s, at);
    buf_format(b, "{\"startLine\":%u,\"startColumn\":%u,\"endLine\":%u,\"endColumn\":%u}", p.line,
               p.column, p.end_line, p.end_column);
}

static void sarif_location(StrBuf *b, const Sources *s, Span at, Str message)
{
    buf_add(b, S("{\"physicalLocation\":{\"artifactLocation\":{\"uri\":"));
    sarif_uri(b, sources_file(s, at.file)->path);
    buf_add(b, S("},\"region\":"));
    sarif_region(b, s, at);
    buf_char(b, '}');
    if (message.len) {
        buf_add(b, S(",\"message\":{\"text\":"));
        buf_json(b, message);
        buf_char(b, '}');
    }
    buf_char(b, '}');
}

/* Edits stay within the file of the diagnostic, which is all that SARIF viewers apply. */
static void sarif_fix(StrBuf *b, const Sources *s, const DiagFix *fix)
{
    buf_add(b, S("{\"description\":{\"text\":"));
    buf_json(b, fix->text);
    buf_add(b, S("},\"artifactChanges\":["));
    for (size_t i = 0; i < fix->edits.count; i++) {
        const DiagEdit *e = &fix->edits.items[i];
        buf_add(b, i ? S(",{") : S("{"));
        buf_add(b, S("\"artifactLocation\":{\"uri\":"));
        sarif_uri(b, sources_file(s, e->at.file)->path);
        buf_add(b, S("},\"replacements\":[{\"deletedRegion\":"));
        sarif_region(b, s, e->at);
        buf_add(b, S(",\"insertedContent\":{\"text\":"));
        buf_json(b, e->text);
        buf_add(b, S("}}]}"));
    }
    buf_add(b, S("]}"));
}

static void sarif_result(const Diag *d, StrBuf *b, const DiagItem *it)
{
    buf_format(b, "{\"ruleId\":\"%s\",\"level\":\"%s\",\"message\":{\"text\":",
               diag_code_name(it->code), level_name(it->level));
    StrBuf words = {0}; /* viewers show nothing but this text */
    buf_add(&words, it->message);
    for (size_t i = 0; i < it->helps.count; i++)
        buf_format(&words, "\nhelp: %.*s", FMT(it->helps.items[i]));
    for (size_t i = 0; i < it->fixes.count; i++)
        buf_format(&words, "\nhelp: %.*s", FMT(it->fixes.items[i].text));
    for (size_t i = 0; i < it->notes.count; i++)
        buf_format(&words, "\nnote: %.*s", FMT(it->notes.items[i]));
    buf_json(b, buf_str(&words));
    buf_free(&words);
    buf_add(b, S("},\"locations\":["));
    if (it->at.file)
        sarif_location(b, d->sources, it->at, it->label);
    buf_add(b, S("],\"relatedLocations\":["));
    bool first = true;
    for (size_t i = 0; i < it->labels.count; i++) {
        if (it->labels.items[i].at.file == 0)
            continue;
        if (!first)
            buf_char(b, ',');
        first = false;
        sarif_location(b, d->sources, it->labels.items[i].at, it->labels.items[i].text);
    }
    buf_add(b, S("],\"fixes\":["));
    first = true;
    for (size_t i = 0; i < it->fixes.count; i++) {
        if (it->fixes.items[i].edits.count == 0)
            continue;
        if (!first)
            buf_char(b, ',');
        first = false;
        sarif_fix(b, d->sources, &it->fixes.items[i]);
    }
    buf_add(b, S("]}"));
}

static void sarif_rules(const Diag *d, StrBuf *b)
{
    enum { CODES_COUNT = 0
#define X(code, slug, title) +1
           DIAG_CODES(X)
#undef X
    };
    bool used[CODES_COUNT] = {0};
    for (size_t i = 0; i < d->items.count; i++)
        used[d->items.items[i]->code] = true;
    bool first = true;
    for (int c = 0; c < CODES_COUNT; c++) {
        if (!used[c])
            continue;
        buf_format(b, "%s\n  {\"id\":\"%s\",\"name\":\"%s\",\"shortDescription\":{\"text\":",
                   first ? "" : ",", diag_code_name((DiagCode)c), diag_code_slug((DiagCode)c));
        buf_json(b, str_from(diag_code_title((DiagCode)c)));
        buf_add(b, S("}}"));
        first = false;
    }
}

static void render_sarif(const Diag *d, StrBuf *b)
{
    buf_add(b, S("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
                 "\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"dgc\","
                 "\"rules\":["));
    sarif_rules(d, b);
    buf_add(b, S("]}},\"columnKind\":\"unicodeCodePoints\",\"results\":["));
    for (size_t i = 0; i < d->items.count; i++) {
        buf_add(b, i ? S(",\n  ") : S("\n  "));
        sarif_result(d, b, d->items.items[i]);
    }
    buf_add(b, S("]}]}\n"));
}

void diag_render(const Diag *d, DiagRender how, StrBuf *out)
{
    switch (how.format) {
    case DIAG_TEXT:
        diag_render_text(d, how, out);
        break;
    case DIAG_JSON:
        render_json(d, out);
        break;
    case DIAG_SARIF:
        render_sarif(d, out);
        break;
    }
}
