/* yaml_error.c - syntax errors in the words of someone who wants to mend the file.
 *
 * libyaml says where its grammar gave up; people want to know what they typed. Each case below
 * looks at the line and names the usual mistake; what is left over gets libyaml's own words.
 */
#include "compiler/yaml_internal.h"

typedef struct Site {
    Diag *diag;
    uint32_t file;
    Str text;
    const Fault *fault;
    uint32_t line, line_end; /* bytes of the line that the fault is in, without its line end */
} Site;

static Span span_of(const Site *s, uint32_t start, uint32_t end)
{
    return (Span){s->file, start, end};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static uint32_t start_of_line(Str text, uint32_t at)
{
    while (at > 0 && text.ptr[at - 1] != '\n')
        at--;
    return at == 0 && str_starts(text, S("\xef\xbb\xbf")) ? 3 : at;
}

static uint32_t end_of_line(Str text, uint32_t at)
{
    while (at < (uint32_t)text.len && text.ptr[at] != '\n')
        at++;
    return at > 0 && at < (uint32_t)text.len && text.ptr[at - 1] == '\r' ? at - 1 : at;
}

static char char_at(const Site *s, uint32_t at)
{
    return at < (uint32_t)s->text.len ? s->text.ptr[at] : '\0';
}

/* The end of the value that starts here: end of line, without a comment and blanks before it. */
static uint32_t end_of_value(Str text, uint32_t start)
{
    uint32_t end = end_of_line(text, start);
    for (uint32_t i = start + 1; i < end; i++)
        if (text.ptr[i] == '#' && is_blank(text.ptr[i - 1]))
            end = i;
    while (end > start && is_blank(text.ptr[end - 1]))
        end--;
    return end;
}

/* The value in quotes that need the least escaping. */
static Str quoted(Arena *arena, Str value)
{
    bool has_double = str_find_char(value, '"') >= 0 || str_find_char(value, '\\') >= 0;
    if (!has_double)
        return str_format(arena, "\"%.*s\"", FMT(value));
    Str inside = str_replace(arena, value, S("'"), S("''"));
    return str_format(arena, "'%.*s'", FMT(inside));
}

static void fix_by_quoting(DiagItem *it, Applicability how, Span at, Str text)
{
    Str value = str_sub(text, at.start, at.end);
    diag_fix(it, how, at, quoted(it->diag->arena, value), "quote the value");
}

/* ---- Templates ---- */

/* One past the `}}` or `%}` that ends what opens at `at`, on the same line; else 0. */
static uint32_t end_of_template(Str text, uint32_t at, uint32_t limit)
{
    for (uint32_t i = at + 2; i + 1 < limit; i++)
        if ((text.ptr[i] == '}' || text.ptr[i] == '%') && text.ptr[i + 1] == '}')
            return i + 2;
    return 0;
}

/* All that has to go into the quotes: to the end of the value; within [ ] or { }, up to what ends
 * the item; as a key, up to its colon. */
static uint32_t end_of_templated(Str text, uint32_t start, bool in_flow)
{
    uint32_t end = end_of_value(text, start);
    for (uint32_t at = start; at < end;) {
        uint32_t closed = end_of_template(text, at, end);
        if (!closed)
            return end;
        for (at = closed; at < end; at++) {
            char c = text.ptr[at];
            bool colon = c == ':' && (at + 1 >= end || is_blank(text.ptr[at + 1]));
            if (colon || (in_flow && strchr(",]}", c))) {
                while (at > closed && is_blank(text.ptr[at - 1]))
                    at--;
                return at;
            }
            if (c == '{' && at + 1 < end && strchr("{%", text.ptr[at + 1]))
                break;
        }
    }
    return end;
}

Span yaml_report_template(Diag *diag, uint32_t file, uint32_t start, bool in_flow)
{
    Str text = sources_file(diag->sources, file)->text;
    Span at = {file, start, end_of_templated(text, start, in_flow)};
    DiagItem *it = diag_report(diag, E0101, at, "a template must be quoted");
    diag_set_label(it, "YAML reads `{` as the start of a mapping");
    uint32_t end = end_of_line(text, start);
    bool whole = end_of_template(text, start, end) != 0;
    fix_by_quoting(it, whole ? FIX_MACHINE : FIX_MAYBE, at, text);
    return at;
}

/* A `{{` or `{%` on the fault's line, at or before the fault, where a value starts. */
static bool find_template(const Site *s, uint32_t *start)
{
    Str text = s->fault->seen;
    uint32_t last = s->fault->at < s->line_end ? s->fault->at + 1 : s->line_end;
    char quote = '\0';
    for (uint32_t i = s->line; i < last && i + 1 < (uint32_t)text.len; i++) {
        char c = text.ptr[i];
        if (quote) {
            quote = c == quote ? '\0' : quote;
            continue;
        }
        uint32_t before = i;
        while (before > s->line && is_blank(text.ptr[before - 1]))
            before--;
        bool value_starts = before == s->line || strchr(":-[,{", text.ptr[before - 1]);
        if (value_starts && (c == '"' || c == '\''))
            quote = c;
        else if (value_starts && c == '{' && strchr("{%", text.ptr[i + 1])) {
            *start = i;
            return true;
        }
    }
    return false;
}

/* ---- Values ---- */

/* The value on the fault's line: behind the first `key: ` or the `- ` in front. */
static uint32_t value_start(const Site *s)
{
    uint32_t at = s->line;
    while (at < s->line_end && is_blank(s->text.ptr[at]))
        at++;
    while (at + 1 < s->line_end && s->text.ptr[at] == '-' && is_blank(s->text.ptr[at + 1]))
        for (at++; at < s->line_end && is_blank(s->text.ptr[at]); at++)
            ;
    for (uint32_t i = at; i + 1 < s->line_end; i++)
        if (s->text.ptr[i] == ':' && is_blank(s->text.ptr[i + 1])) {
            for (i++; i < s->line_end && is_blank(s->text.ptr[i]); i++)
                ;
            return i;
        }
    return at;
}

static bool has_problem(const Site *s, const char *words)
{
    return str_find(s->fault->problem, str_from(words)) >= 0;
}

static bool has_context(const Site *s, const char *words)
{
    return str_find(s->fault->context, str_from(words)) >= 0;
}

/* A plain value may not begin like this. Quoting the whole of it is always right. */
static bool report_bad_start(Site *s, uint32_t start, Span *repair)
{
    uint32_t end = end_of_value(s->text, start);
    if (s->fault->in_flow) /* up to the comma; the rest may be fine */
        for (uint32_t i = start; i < end; i++)
            if (strchr(",]}", s->text.ptr[i]))
                end = i;
    if (end <= start)
        return false;
    Span at = span_of(s, start, end);
    DiagItem *it = diag_report(s->diag, E0101, at, "a value that begins with `%c` must be quoted",
                               s->text.ptr[start]);
    char c = s->text.ptr[start];
    if (c == '*' || c == '&')
        diag_set_label(it, "YAML reads `%c` as %s", c, c == '*' ? "an alias" : "an anchor");
    else if (c == '|' || c == '>')
        diag_set_label(it, "YAML reads `%c` as the start of a text block", c);
    else
        diag_set_label(it, "YAML reserves `%c`", c);
    fix_by_quoting(it, FIX_MACHINE, at, s->text);
    *repair = at;
    return true;
}

static bool report_tabs(Site *s)
{
    DiagFix fix = {.text = S("write blanks instead of tabs"), .applicability = FIX_MACHINE};
    Span first = {0};
    for (uint32_t at = s->line; at < (uint32_t)s->text.len;) { /* the following lines as well */
        uint32_t end = end_of_line(s->text, at), i = at;
        bool tabs = false;
        for (; i < end && is_blank(s->text.ptr[i]); i++) {
            if (s->text.ptr[i] != '\t')
                continue;
            DiagEdit edit = {span_of(s, i, i + 1), S("  ")};
            array_add(s->diag->arena, &fix.edits, edit);
            first = first.file ? first : edit.at;
            tabs = true;
        }
        if (!tabs && i < end)
            break;
        while (end < (uint32_t)s->text.len && s->text.ptr[end] != '\n')
            end++;
        at = end + 1;
    }
    if (!first.file)
        return false;
    DiagItem *it = diag_report(s->diag, E0101, first, "a tab cannot indent in YAML");
    diag_set_label(it, "tab");
    array_add(s->diag->arena, &it->fixes, fix);
    return true;
}

static bool report_cannot_start(Site *s, Span *repair)
{
    uint32_t at = s->fault->at;
    if (char_at(s, at) != '\t')
        return report_bad_start(s, at, repair);
    if (!report_tabs(s))
        diag_report(s->diag, E0101, span_of(s, at, at + 1), "a tab stands where only blanks may");
    return false;
}

static void report_open_quote(Site *s)
{
    uint32_t at = s->fault->context_at;
    char quote = char_at(s, at);
    DiagItem *it = diag_report(s->diag, E0101, span_of(s, at, at + 1),
                               "this quoted text is never closed");
    diag_set_label(it, "no `%c` ends it", quote);
    if (quote == '\'')
        diag_help(it, "inside single quotes, an apostrophe is written twice: `''`");
    else
        diag_help(it, "inside double quotes, a quote is written `\\\"`");
}

/* `a: b: c`, or a mapping below a key that has a value already. */
static bool report_second_colon(Site *s, Span *repair)
{
    uint32_t start = value_start(s), end = end_of_value(s->text, start);
    uint32_t colon = s->fault->at;
    if (start < colon && start > s->line && !strchr("\"'[{&*!|>", s->text.ptr[start])) {
        Span at = span_of(s, start, end);
        DiagItem *it = diag_report(s->diag, E0101, span_of(s, colon, colon + 1),
                                   "`: ` inside a value that is not quoted");
        diag_set_label(it, "YAML reads this as one more key");
        fix_by_quoting(it, FIX_MACHINE, at, s->text);
        *repair = at;
        return true;
    }
    DiagItem *it = diag_report(s->diag, E0101, span_of(s, colon, colon + 1),
                               "a key cannot stand here");
    uint32_t key = s->line;
    while (key < colon && is_blank(s->text.ptr[key]))
        key++;
    it->at.start = key < colon ? key : colon;
    it->at.end = key < colon ? colon : colon + 1;
    diag_set_label(it, "the line above already gives a value");
    diag_help(it, "indent this key like its siblings, or take the value above away");
    return false;
}

static void report_no_colon(Site *s)
{
    uint32_t start = s->fault->context_at, end = end_of_value(s->text, start);
    DiagItem *it = diag_report(s->diag, E0101, span_of(s, start, end), "expected `key: value`");
    for (uint32_t i = start; i + 1 < end; i++)
        if (s->text.ptr[i] == ':' && !is_blank(s->text.ptr[i + 1])) {
            it->at.end = i + 1;
            diag_set_label(it, "no blank after the colon");
            diag_fix(it, FIX_MACHINE, span_of(s, i + 1, i + 1), S(" "),
                     "put a blank after the colon");
            return;
        }
    diag_set_label(it, "no `:` here");
    diag_help(it, "a long text can go on here only when it is indented deeper than its key");
}

static void report_block(Site *s)
{
    bool list = has_problem(s, "'-' indicator");
    uint32_t at = s->fault->at, before = at;
    while (before > s->line && is_blank(s->text.ptr[before - 1]))
        before--;
    if (before > s->line && (s->text.ptr[before - 1] == '"' || s->text.ptr[before - 1] == '\'')) {
        uint32_t end = end_of_value(s->text, at);
        DiagItem *it = diag_report(s->diag, E0101, span_of(s, at, end > at ? end : at + 1),
                                   "text follows the closing quote");
        if (s->text.ptr[before - 1] == '\'')
            diag_help(it, "inside single quotes, an apostrophe is written twice: `''`");
        else
            diag_help(it, "quote the whole value; inside double quotes, a quote is written `\\\"`");
        return;
    }
    uint32_t indent = s->line;
    while (indent < s->line_end && is_blank(s->text.ptr[indent]))
        indent++;
    if (at != indent) {
        DiagItem *it = diag_report(s->diag, E0101, span_of(s, at, end_of_value(s->text, at)),
                                   "this does not belong to the value before it");
        diag_help(it, "quote the value");
        return;
    }
    Span start = span_of(s, s->fault->context_at, s->fault->context_at + 1);
    Place p = sources_place(s->diag->sources, start);
    DiagItem *it = diag_report(s->diag, E0101, span_of(s, at, end_of_value(s->text, at)),
                               list ? "expected `- ` and a further item of the list"
                                    : "this line's indentation fits nothing above it");
    diag_label(it, start, "the %s here starts at column %u", list ? "list" : "mapping", p.column);
    diag_help(it, "indent the line by as many blanks as the lines it belongs to");
}

static void report_flow(Site *s)
{
    uint32_t open = s->fault->context_at;
    char bracket = char_at(s, open) == '{' ? '{' : '[', closing = bracket == '{' ? '}' : ']';
    Str rest = str_trim(str_sub(s->text, s->fault->at, s->text.len));
    bool next_key = open < s->line && char_at(s, s->fault->at) == ':';
    if (rest.len == 0 || next_key) {
        DiagItem *it = diag_report(s->diag, E0101, span_of(s, open, open + 1),
                                   "this `%c` is never closed", bracket);
        diag_set_label(it, "no `%c` ends it", closing);
        if (next_key)
            diag_label(it, span_of(s, s->line, s->fault->at + 1), "here the next key starts");
        return;
    }
    uint32_t end = s->fault->at + 1;
    while (end < s->line_end && ((unsigned char)s->text.ptr[end] & 0xc0) == 0x80)
        end++;
    DiagItem *it = diag_report(s->diag, E0101, span_of(s, s->fault->at, end),
                               "expected `,` or `%c`", closing);
    diag_label(it, span_of(s, open, open + 1), "the %s opened here",
               bracket == '{' ? "mapping" : "list");
}

static void report_escape(Site *s)
{
    uint32_t at = s->fault->at;
    while (at > s->line && s->text.ptr[at] != '\\')
        at--;
    uint32_t end = at + 2 <= s->line_end ? at + 2 : s->line_end;
    while (end < s->line_end && ((unsigned char)s->text.ptr[end] & 0xc0) == 0x80)
        end++;
    Str escape = str_sub(s->text, at, end);
    DiagItem *it = diag_report(s->diag, E0101, span_of(s, at, end),
                               "`%.*s` is not an escape that YAML knows", FMT(escape));
    diag_fix(it, FIX_MAYBE, span_of(s, at, at + 1), S("\\\\"), "write a backslash twice");
    diag_help(it, "inside single quotes a backslash needs no escape");
}

static void report_other(Site *s)
{
    uint32_t at = s->fault->at, end = at + 1;
    while (end < (uint32_t)s->text.len && ((unsigned char)s->text.ptr[end] & 0xc0) == 0x80)
        end++;
    if (at >= (uint32_t)s->text.len)
        at = end = (uint32_t)s->text.len;
    if (has_problem(s, "expected node content") && end > at) {
        Str found = str_sub(s->text, at, end);
        diag_report(s->diag, E0101, span_of(s, at, end), "expected a value, found `%.*s`",
                    FMT(found));
        return;
    }
    DiagItem *it = diag_report(s->diag, E0101, span_of(s, at, end),
                               "the YAML is not well formed: %.*s", FMT(s->fault->problem));
    if (s->fault->context_at < at)
        diag_label(it, span_of(s, s->fault->context_at, s->fault->context_at + 1), "%.*s",
                   FMT(s->fault->context));
}

bool yaml_report_fault(Diag *diag, uint32_t file, const Fault *fault, Span *repair)
{
    Str text = sources_file(diag->sources, file)->text;
    Site s = {.diag = diag, .file = file, .text = text, .fault = fault};
    s.line = start_of_line(text, fault->at);
    s.line_end = end_of_line(text, fault->at);
    uint32_t start;
    if (find_template(&s, &start)) {
        *repair = yaml_report_template(diag, file, start, fault->in_flow);
        return true;
    }
    if (has_problem(&s, "cannot start any token"))
        return report_cannot_start(&s, repair);
    if (has_problem(&s, "tab character") && report_tabs(&s))
        return false;
    if (has_context(&s, "scanning an anchor") || has_context(&s, "scanning an alias"))
        return report_bad_start(&s, fault->context_at, repair);
    if (has_context(&s, "scanning a block scalar") && has_problem(&s, "comment or line break"))
        return report_bad_start(&s, fault->context_at, repair);
    if (has_context(&s, "quoted scalar") && has_problem(&s, "unexpected"))
        report_open_quote(&s);
    else if (has_problem(&s, "unknown escape"))
        report_escape(&s);
    else if (has_problem(&s, "mapping values are not allowed"))
        return report_second_colon(&s, repair);
    else if (has_problem(&s, "could not find expected ':'"))
        report_no_colon(&s);
    else if (has_problem(&s, "block sequence entries are not allowed"))
        diag_help(diag_report(diag, E0101, span_of(&s, fault->at, fault->at + 1),
                              "a list cannot start on the line of its key"),
                  "put `- ` at the start of the next line");
    else if (has_problem(&s, "did not find expected key") ||
             has_problem(&s, "'-' indicator"))
        report_block(&s);
    else if (has_problem(&s, "did not find expected ','"))
        report_flow(&s);
    else
        report_other(&s);
    return false;
}
