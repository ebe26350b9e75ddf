/* config_scalar.c - scalars of a config: conversions, bounds, choices, templates. */
#include "compiler/config_fill.h"

#include "runtime/base/units.h"
#include "runtime/data/batch.h"

const char *field_kind_name(DgFieldKind k)
{
    static const char *const names[] = {
        [DG_F_STRING] = "a text", [DG_F_INT] = "an integer", [DG_F_FLOAT] = "a number",
        [DG_F_BOOL] = "true or false", [DG_F_DURATION] = "a duration such as 90s or 1h30m",
        [DG_F_SIZE] = "a size such as 64MB", [DG_F_TIMESTAMP] = "a date or timestamp",
        [DG_F_ENUM] = "one of the choices", [DG_F_PATH] = "a path", [DG_F_ASSET_KEY] = "an asset key",
        [DG_F_SELECTION] = "an asset selection", [DG_F_CRON] = "a cron expression",
        [DG_F_COLUMN_TYPE] = "a column type", [DG_F_EXPRESSION] = "an expression",
        [DG_F_SQL] = "SQL", [DG_F_SECRET] = "a secret", [DG_F_ANY] = "a value",
        [DG_F_LIST] = "a list", [DG_F_MAP] = "a mapping", [DG_F_STRUCT] = "a mapping",
        [DG_F_ONE_OF] = "a mapping with `type`", [DG_F_CODE] = "nothing",
    };
    return names[k];
}

const char *field_kind_example(DgFieldKind k)
{
    static const char *const examples[] = {
        [DG_F_INT] = "10", [DG_F_FLOAT] = "0.5", [DG_F_BOOL] = "true", [DG_F_DURATION] = "5m",
        [DG_F_SIZE] = "64MB", [DG_F_TIMESTAMP] = "2024-01-31", [DG_F_PATH] = "path/of/file",
        [DG_F_ASSET_KEY] = "raw/orders", [DG_F_SELECTION] = "\"*\"", [DG_F_CRON] = "\"0 3 * * *\"",
        [DG_F_COLUMN_TYPE] = "varchar", [DG_F_SECRET] = "\"{{ env('TOKEN') }}\"", [DG_F_LIST] = "[]",
        [DG_F_MAP] = "{}", [DG_F_STRUCT] = "{}", [DG_F_CODE] = NULL,
    };
    return examples[k] ? examples[k] : "...";
}

/* "the text `soon`", "a list": scalars are shown, as far as they are short. */
static Str found_text(Fill *f, const YamlNode *node)
{
    static const char *const nouns[] = {[YAML_BOOL] = "boolean", [YAML_INT] = "integer",
                                        [YAML_FLOAT] = "number", [YAML_STRING] = "text",
                                        [YAML_DATE] = "date", [YAML_TIMESTAMP] = "timestamp"};
    bool shown = node->kind > YAML_NULL && node->kind < YAML_LIST && node->text.len > 0 &&
                 node->text.len <= 40 && str_find_char(node->text, '\n') < 0;
    return shown ? str_format(f->arena, "the %s `%.*s`", nouns[node->kind], FMT(node->text))
                 : str_from(yaml_kind_name(node->kind));
}

static bool is_text_kind(DgFieldKind k)
{
    return k == DG_F_STRING || k == DG_F_PATH || k == DG_F_ASSET_KEY || k == DG_F_SELECTION ||
           k == DG_F_CRON || k == DG_F_COLUMN_TYPE;
}

static bool is_scalar(const YamlNode *node)
{
    return node->kind < YAML_LIST && !node->alias_at.file;
}

/* What to write instead; an edit where what was meant is likely. */
static void help_mismatch(Fill *f, DiagItem *it, const DgField *field, DgFieldKind kind,
                          const YamlNode *node)
{
    const Sources *s = f->diag->sources;
    const char *own = kind == field->kind ? field->example : NULL, *any = field_kind_example(kind);
    const YamlNode *only = node->kind == YAML_LIST && node->as.list.count == 1 && !node->alias_at.file
                               ? node->as.list.items[0]
                               : NULL;
    if (node->kind == YAML_MAP && node->as.map.count == 1 &&
        node->as.map.entries[0].key->kind == YAML_MAP)
        diag_help(it, "a template must be quoted: \"{{ ... }}\"");
    else if (node->kind == YAML_BOOL && is_text_kind(kind) && is_scalar(node))
        diag_fix(it, FIX_MAYBE, node->at, str_format(f->arena, "\"%.*s\"", FMT(node->text)),
                 "quote it to mean the text");
    else if (only && is_scalar(only) &&
             (is_text_kind(kind) || (kind == DG_F_INT && only->kind == YAML_INT) ||
              (kind == DG_F_BOOL && only->kind == YAML_BOOL)))
        diag_fix(it, FIX_MAYBE, node->at,
                 str_sub(sources_file(s, only->at.file)->text, only->at.start, only->at.end),
                 "write it without brackets");
    else if (kind == DG_F_LIST && is_scalar(node) && node->kind != YAML_NULL)
        diag_fix(it, FIX_MAYBE, node->at,
                 str_format(f->arena, "[%.*s]", FMT(str_sub(sources_file(s, node->at.file)->text,
                                                            node->at.start, node->at.end))),
                 "write a list of one");
    else if (own || kind == DG_F_ENUM)
        diag_help(it, "for example: `%s: %s`", field->name, own ? own : field->choices[0]);
    else if (is_text_kind(kind))
        diag_help(it, "write one text, in quotes if it has `{`, `[` or `: ` in it");
    else if (kind == DG_F_LIST)
        diag_help(it, "write its entries in brackets: `%s: [a, b]`", field->name);
    else if (kind == DG_F_MAP)
        diag_help(it, "write names and values: `%s: {name: value}`", field->name);
    else if (any[0] != '.')
        diag_help(it, kind == field->kind ? "for example: `%s: %s`"
                                          : "an entry of `%s` is for example `%s`",
                  field->name, any);
}

void fill_mismatch(Fill *f, const DgField *field, DgFieldKind kind, const YamlNode *node)
{
    f->failed = true;
    if (node->kind == YAML_ERROR)
        return;
    DiagItem *it = diag_report(f->diag, E0102, node->at, "%s`%s` must be %s, found %.*s",
                               kind == field->kind ? "" : "an entry of ", field->name,
                               field_kind_name(kind), FMT(found_text(f, node)));
    help_mismatch(f, it, field, kind, node);
}

static bool in_bounds(Fill *f, const DgField *field, Span at, double v)
{
    if ((field->min == 0 && field->max == 0) || (v >= field->min && v <= field->max))
        return true;
    f->failed = true;
    diag_report(f->diag, E0111, at, "`%s` must be from %g to %g, found %g", field->name, field->min,
                field->max, v);
    return false;
}

static void assign_enum(Fill *f, const DgField *field, Str text, Span at, int32_t *to)
{
    Str names[64];
    size_t n = 0;
    for (; n < 64 && field->choices[n]; n++) {
        names[n] = str_from(field->choices[n]);
        if (str_eq(names[n], text)) {
            *to = (int32_t)n;
            return;
        }
    }
    f->failed = true;
    DiagItem *it = diag_report(f->diag, E0110, at, "`%s` cannot be `%.*s`", field->name, FMT(text));
    diag_suggest(it, at, "choice", text, names, n);
    StrBuf b = {0};
    for (size_t i = 0; i < n; i++)
        if (names[i].len) /* the one that means "not given" */
            buf_format(&b, "%s%.*s", b.len ? ", " : "", FMT(names[i]));
    diag_note(it, "choices: %.*s", FMT(buf_str(&b)));
    buf_free(&b);
}

/* From text, as written or as a template gave it. False: not one (nothing is reported). */
static bool assign_text(Fill *f, const DgField *field, DgFieldKind kind, Str text, Span at,
                        void *to)
{
    DgType type;
    switch (kind) {
    case DG_F_STRING: case DG_F_PATH: case DG_F_SELECTION: case DG_F_CRON: case DG_F_EXPRESSION:
    case DG_F_SQL: case DG_F_SECRET:
        *(Str *)to = text;
        return true;
    case DG_F_ASSET_KEY:
        *(Str *)to = text;
        if (text.len)
            return true;
        f->failed = true;
        diag_report(f->diag, E0205, at, "`%s` is empty; an asset key has at least one part",
                    field->name);
        return true;
    case DG_F_COLUMN_TYPE:
        *(Str *)to = text;
        if (dg_type_parse(text, &type))
            return true;
        f->failed = true;
        diag_help(diag_report(f->diag, E0110, at, "`%.*s` is not a column type", FMT(text)),
                  "types are DuckDB's: bigint, double, varchar, boolean, date, timestamp, "
                  "decimal(18,3), json...");
        return true;
    case DG_F_INT:
        return str_to_int(text, to) && (in_bounds(f, field, at, (double)*(int64_t *)to), true);
    case DG_F_FLOAT:
        return str_to_double(text, to) && (in_bounds(f, field, at, *(double *)to), true);
    case DG_F_BOOL:
        *(bool *)to = str_eq_nocase(text, S("true")) || str_eq_nocase(text, S("yes"));
        return *(bool *)to || str_eq_nocase(text, S("false")) || str_eq_nocase(text, S("no"));
    case DG_F_DURATION: {
        int64_t seconds;
        if (!duration_parse(text, to)) {
            if (!str_to_int(text, &seconds) || seconds > INT64_MAX / 1000000000)
                return false;
            *(int64_t *)to = seconds * 1000000000;
        }
        return in_bounds(f, field, at, (double)*(int64_t *)to / 1e9), true;
    }
    case DG_F_SIZE:
        return size_parse(text, to) && (in_bounds(f, field, at, (double)*(int64_t *)to), true);
    case DG_F_TIMESTAMP:
        return timestamp_parse(text, to);
    case DG_F_ENUM:
        assign_enum(f, field, text, at, to);
        return true;
    default:
        return false;
    }
}

static bool assign_value(Fill *f, const DgField *field, DgFieldKind kind, DgValue v, Span at,
                         void *to)
{
    DgEval ev;
    switch (v.kind) {
    case DG_V_STR:
        return assign_text(f, field, kind, v.as.s, at, to);
    case DG_V_BOOL:
        if (kind != DG_F_BOOL)
            return false;
        *(bool *)to = v.as.b;
        return true;
    case DG_V_INT:
    case DG_V_FLOAT:
        dg_eval_init(&ev, f->arena);
        Str text = str_copy(f->arena, dg_to_str(&ev, v));
        dg_eval_free(&ev);
        return kind != DG_F_BOOL && assign_text(f, field, kind, text, at, to);
    default:
        return false;
    }
}

/* What a template gave, in the words of YAML. */
static Str value_text(Fill *f, DgValue v)
{
    static const char *const nouns[] = {
        [DG_V_UNDEFINED] = "nothing", [DG_V_NONE] = "nothing", [DG_V_BOOL] = "the boolean",
        [DG_V_INT] = "the integer", [DG_V_FLOAT] = "the number", [DG_V_STR] = "the text",
        [DG_V_BYTES] = "bytes", [DG_V_LIST] = "a list", [DG_V_TUPLE] = "a list",
        [DG_V_DICT] = "a mapping", [DG_V_OBJECT] = "an object", [DG_V_FUNC] = "a function"};
    if (v.kind < DG_V_BOOL || v.kind > DG_V_STR)
        return str_from(nouns[v.kind]);
    DgEval ev;
    dg_eval_init(&ev, f->arena);
    Str text = dg_to_str(&ev, v);
    Str out = str_format(f->arena, "%s `%.*s`", nouns[v.kind], FMT(str_sub(text, 0, 40)));
    dg_eval_free(&ev);
    return out;
}

/* The way out of E0605: what the environment decides can be read when building, secrets cannot. */
void help_build_time(DiagItem *it, const TemplateCtx *ctx, Phase phase)
{
    Str name = ctx->env_uses.count ? ctx->env_uses.items[0].name : (Str){0};
    if (phase == PHASE_START && name.len && !env_name_is_secret(name))
        diag_help(it, "`build_env: [%.*s]` in dgc.yaml reads `%.*s` when the project is built; or "
                      "write a plain value, or a template var", FMT(name), FMT(name));
    else if (phase == PHASE_START)
        diag_help(it, "write a plain value, or a template var; the environment is read only when "
                      "the executable starts");
    else
        diag_help(it, "write a plain value, or a template var; what a run is about is known only "
                      "when it runs");
}

static void fill_template(Fill *f, const DgField *field, DgFieldKind kind, YamlNode *node, void *to)
{
    TemplateCtx ctx = {.arena = f->arena, .diag = f->diag};
    Template *t = template_parse(&ctx, node->text, template_place_yaml(f->diag->sources, node),
                                 TEMPLATE_NATIVE);
    TemplateResult r = {.failed = t->broken};
    if (!t->broken)
        r = template_eval(&ctx, t, f->scope);
    if (r.failed) {
        f->failed = true;
        return;
    }
    if (!r.constant) {
        if (field->flags & DG_BUILD) {
            f->failed = true;
            help_build_time(diag_report(f->diag, E0605, node->at,
                                        "`%s` must be known when the project is built",
                                        field->name),
                            &ctx, r.phase);
            return;
        }
        Residual *kept = push(f->arena, Residual, 1);
        *kept = r.residual;
        fill_remember(f, field, kind, node, to, kept);
        return;
    }
    if (kind == DG_F_SECRET && ctx.env_uses.count) {
        Str name = ctx.env_uses.items[0].name;
        f->failed = true;
        diag_help(diag_report(f->diag, E0504, node->at,
                              "`%s` is a secret, and would stand in the executable", field->name),
                  "take `%.*s` out of `build_env` in dgc.yaml: it is then read when the executable "
                  "starts", FMT(name));
        return;
    }
    fill_remember(f, field, kind, node, to, NULL);
    if (kind == DG_F_ANY) {
        *(DgValue *)to = r.value;
        return;
    }
    if (!assign_value(f, field, kind, r.value, node->at, to)) {
        f->failed = true;
        diag_report(f->diag, E0102, node->at, "`%s` must be %s, but this template gives %.*s",
                    field->name, field_kind_name(kind), FMT(value_text(f, r.value)));
    }
}

bool text_looks_secret(Str s)
{
    static const char *const starts[] = {"AKIA", "ASIA", "ghp_", "gho_", "github_pat_", "sk-",
                                         "xoxb-", "xoxp-", "glpat-", "-----BEGIN"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (s.len >= 12 && str_starts(s, str_from(starts[i])))
            return true;
    return false;
}

static void warn_literal(Fill *f, const DgField *field, DgFieldKind kind, const YamlNode *node)
{
    if (kind != DG_F_SECRET && !text_looks_secret(node->text))
        return;
    DiagItem *it = diag_report(f->diag, W0502, node->at, "a secret is written into the file");
    diag_help(it, "read it when the pipeline starts: \"{{ env('%s') }}\"",
              kind == DG_F_SECRET ? str_cstr(f->arena, str_format(f->arena, "MY_%s", field->name))
                                  : "MY_TOKEN");
}

/* Ends in one of these words, which `_`, `-` or the beginning sets apart; `PGPASSWORD` counts too. */
static bool named_secret(Str name, bool *always)
{
    static const char *const words[] = {"password", "passwd", "secret", "token", "api_key",
                                        "apikey",
                                        "private_key", "access_key", "client_secret"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        Str word = str_from(words[i]);
        if (name.len < word.len ||
            !str_eq_nocase(str_sub(name, name.len - word.len, name.len), word))
            continue;
        *always = i < 2;
        return true;
    }
    return false;
}

/* Like a key that a machine made, and unlike a name, a path or a URL. */
static bool random_looking(Str s)
{
    int lower = 0, upper = 0, digit = 0;
    for (ptrdiff_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        lower += c >= 'a' && c <= 'z';
        upper += c >= 'A' && c <= 'Z';
        digit += c >= '0' && c <= '9';
        if (c == '/' || c == ' ' || c == ':')
            return false;
    }
    return s.len >= 12 && digit >= 2 && lower + upper >= 4 && (s.len >= 20 || (lower && upper));
}

void warn_named_secret(Fill *f, Str name, const YamlNode *node)
{
    bool always = false;
    if (node->kind != YAML_STRING || !node->text.len || text_looks_secret(node->text) ||
        !template_is_plain(node->text) || !named_secret(name, &always))
        return;
    if (!always && !random_looking(node->text))
        return;
    DiagItem *it = diag_report(f->diag, W0502, node->at, "`%.*s` is written into the file",
                               FMT(name));
    diag_help(it, "read it when the pipeline starts: \"{{ env('%.*s') }}\"", FMT(name));
}

/* Dagster renders every text as a native Jinja template, braces or not: one line break at the end
 * goes, and a text that is a quoted literal of Python's loses its quotes. What reads as a number
 * stays text here: Dagster would make it one and then refuse it. */
static Str native_text(Fill *f, Str text)
{
    if (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (!text.len || (text.ptr[0] != '\'' && text.ptr[0] != '"'))
        return text;
    DgEval ev;
    DgValue literal;
    dg_eval_init(&ev, f->arena);
    if (dg_literal_eval(&ev, text, &literal) && literal.kind == DG_V_STR)
        text = literal.as.s;
    dg_eval_free(&ev);
    return text;
}

void fill_scalar(Fill *f, const DgField *field, DgFieldKind kind, YamlNode *node, void *to)
{
    bool raw = kind == DG_F_SQL || kind == DG_F_EXPRESSION || (field->flags & DG_NO_TEMPLATE);
    if (node->kind == YAML_ERROR) {
        f->failed = true;
        return;
    }
    if (node->kind == YAML_STRING && !raw && kind != DG_F_ANY && !template_is_plain(node->text)) {
        fill_template(f, field, kind, node, to);
        return;
    }
    if (kind == DG_F_ANY && raw) { /* evaluated later, with more names in scope */
        fill_remember(f, field, kind, node, to, NULL);
        *(DgValue *)to = (DgValue){.kind = DG_V_NONE};
        return;
    }
    if (kind == DG_F_ANY) {
        if (node->kind == YAML_STRING && node->text.len) {
            fill_template(f, field, kind, node, to);
            return;
        }
        fill_remember(f, field, kind, node, to, NULL);
        *(DgValue *)to = config_value(f->arena, f->diag, f->scope, node);
        return;
    }
    fill_remember(f, field, kind, node, to, NULL);
    if (node->kind == YAML_LIST || node->kind == YAML_MAP) {
        fill_mismatch(f, field, kind, node);
        return;
    }
    if (node->kind == YAML_NULL) {
        if (field->flags & DG_REQUIRED)
            fill_mismatch(f, field, kind, node);
        else
            fill_fallback(f, field, to);
        return;
    }
    bool is_text = kind == DG_F_STRING || kind == DG_F_PATH || kind == DG_F_ASSET_KEY;
    bool number_kind = kind == DG_F_INT || kind == DG_F_FLOAT;
    if (node->kind == YAML_BOOL && kind == DG_F_BOOL) {
        *(bool *)to = node->as.b;
        return;
    }
    if ((node->kind == YAML_BOOL && (is_text || number_kind)) ||
        (node->kind == YAML_FLOAT && kind == DG_F_INT) ||
        ((node->kind == YAML_INT || node->kind == YAML_FLOAT) && kind == DG_F_BOOL)) {
        fill_mismatch(f, field, kind, node);
        return;
    }
    if (node->kind == YAML_INT && number_kind) {
        if (kind == DG_F_INT)
            *(int64_t *)to = node->as.i;
        else
            *(double *)to = (double)node->as.i;
        in_bounds(f, field, node->at, (double)node->as.i);
        return;
    }
    if (node->kind == YAML_FLOAT && kind == DG_F_FLOAT) {
        *(double *)to = node->as.f;
        in_bounds(f, field, node->at, node->as.f);
        return;
    }
    Str text = kind == DG_F_STRING && !raw && node->kind == YAML_STRING ? native_text(f, node->text)
                                                                        : node->text;
    if (!assign_text(f, field, kind, text, node->at, to))
        fill_mismatch(f, field, kind, node);
    else if (!(field->flags & DG_NO_TEMPLATE))
        warn_literal(f, field, kind, node);
}

void fill_fallback(Fill *f, const DgField *field, void *to)
{
    if (!field->fallback)
        return;
    Str text = str_from(field->fallback);
    if (field->kind == DG_F_LIST || field->kind == DG_F_MAP || field->kind == DG_F_ANY)
        return;
    if (text.len >= 2 && (text.ptr[0] == '"' || text.ptr[0] == '\''))
        text = str_sub(text, 1, text.len - 1);
    bool ok = assign_text(f, field, field->kind, text, (Span){0}, to);
    assert(ok && "a descriptor's default does not fit its kind");
    (void)ok;
}
