/* report.c - DuckDB's errors in the user's words, at the user's place. */
#include <cJSON.h>

#include "compiler/sql/sql_internal.h"
#include "runtime/data/infer.h"

typedef struct Fault {
    Plan *plan;
    SqlUnit *unit;
    Str sql;
    bool again;
    Str kind, message, subtype, name, candidates;
    ptrdiff_t position; /* byte of the SQL; -1: not told */
    Span at;
    bool exact;         /* `at` holds just the wrong word */
} Fault;

static Str text_of(Arena *a, const cJSON *json, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsString(v) ? str_copy(a, str_from(v->valuestring)) : (Str){0};
}

static bool read_fault(Fault *f, Str error)
{
    Arena *a = f->plan->arena;
    int64_t position;
    cJSON *json = cJSON_ParseWithLength(error.ptr ? error.ptr : "", (size_t)error.len);
    if (!json)
        return false;
    f->kind = text_of(a, json, "exception_type");
    f->message = text_of(a, json, "exception_message");
    f->subtype = text_of(a, json, "error_subtype");
    f->name = text_of(a, json, "name");
    f->candidates = text_of(a, json, "candidates");
    f->position = str_to_int(text_of(a, json, "position"), &position) ? position : -1;
    cJSON_Delete(json);
    return f->kind.len > 0;
}

/* ---- Words of messages ---- */

static Str first_line(Str s)
{
    ptrdiff_t end = str_find_char(s, '\n');
    return end < 0 ? s : str_sub(s, 0, end);
}

/* What stands in double quotes after `before`. */
static Str quoted_after(Str s, Str before)
{
    ptrdiff_t at = str_find(s, before);
    Str rest = at < 0 ? (Str){0} : str_sub(s, at + before.len, s.len), name, after;
    if (!str_cut(rest, '"', &name, &after) || !str_cut(after, '"', &name, &rest))
        return (Str){0};
    return name;
}

static Str last_part(Str name, char separator)
{
    ptrdiff_t i = name.len;
    while (i > 0 && name.ptr[i - 1] != separator)
        i--;
    return str_sub(name, i, name.len);
}

static void add_candidates(Fault *f, StrArray *out)
{
    Str rest = f->candidates, one;
    while (rest.len) {
        str_cut(rest, ',', &one, &rest);
        array_add(f->plan->arena, out, last_part(str_trim(one), '.'));
    }
    for (ptrdiff_t at = str_find(f->message, S("andidate")); at >= 0 && !out->count; at = -1) {
        Str line = first_line(str_sub(f->message, at, f->message.len)), name, after = line;
        while (str_cut(after, '"', &name, &after) && str_cut(after, '"', &name, &after))
            array_add(f->plan->arena, out, last_part(name, '.'));
    }
}

static Str str_unquote(Str s)
{
    bool quoted = s.len > 1 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"';
    return quoted ? str_sub(s, 1, s.len - 1) : s;
}

/* As SQL has to write it. */
static Str as_written(Arena *a, Str name)
{
    bool plain = name.len > 0 && !(name.ptr[0] >= '0' && name.ptr[0] <= '9');
    for (ptrdiff_t i = 0; i < name.len; i++)
        plain &= sql_name_char(name.ptr[i]);
    return plain ? name : str_format(a, "\"%.*s\"", FMT(str_replace(a, name, S("\""), S("\"\""))));
}

/* ---- Places ---- */

/* The word at `position`, or the one after its dot. */
static void place_word(Fault *f, bool after_dot)
{
    size_t start = 0, end = (size_t)f->sql.len;
    f->at = f->unit->at;
    f->exact = false;
    if (f->position < 0 || f->position > f->sql.len)
        f->position = (ptrdiff_t)sql_start(f->sql); /* not told: the query begins there */
    start = (size_t)f->position;
    end = sql_word_end(f->sql, start);
    while (after_dot && end < (size_t)f->sql.len && f->sql.ptr[end] == '.') {
        start = end + 1;
        end = sql_word_end(f->sql, start);
    }
    f->at = sql_span(f->plan, f->unit, f->sql, f->again, start, end, &f->exact);
}

static Str word_here(const Fault *f)
{
    const SourceFile *file = sources_file(f->plan->sources, f->at.file);
    return f->exact && file ? str_sub(file->text, f->at.start, f->at.end) : (Str){0};
}

static void suggest(Fault *f, DiagItem *it, const char *noun, Str wrong, const StrArray *names)
{
    Arena *a = f->plan->arena;
    if (!names->count)
        return;
    Str *written = push(a, Str, names->count);
    for (size_t i = 0; i < names->count; i++)
        written[i] = f->unit->is_generated ? names->items[i] : as_written(a, names->items[i]);
    if (f->exact) {
        diag_suggest(it, f->at, noun, wrong, written, names->count);
        return;
    }
    if (str_distance(wrong, names->items[0], 3) <= 3)
        diag_help(it, "a similar %s exists: `%.*s`", noun, FMT(names->items[0]));
}

/* ---- Kinds of faults ---- */

static Str tables_read(const Fault *f)
{
    StrBuf b = {0};
    const SqlUnit *u = f->unit;
    for (size_t i = 0; i < u->refs.count; i++)
        buf_format(&b, "%s`%.*s`", b.len ? ", " : "", FMT(u->refs.items[i]->key));
    if (!b.len && u->decl.is_check && u->asset)
        buf_format(&b, "`%.*s`", FMT(u->asset->key));
    Str out = str_copy(f->plan->arena, buf_str(&b));
    buf_free(&b);
    return out;
}

static void add_columns(Fault *f, const Asset *asset, StrArray *names)
{
    for (size_t i = 0; i < asset->columns.count; i++)
        array_add(f->plan->arena, names, asset->columns.items[i].column.name);
}

static void unknown_column(Fault *f, Str name)
{
    StrArray names = {0};
    place_word(f, true);
    add_candidates(f, &names);
    for (size_t i = 0; i < f->unit->refs.count; i++)
        add_columns(f, f->unit->refs.items[i], &names);
    if (f->unit->asset && (f->again || f->unit->decl.is_check))
        add_columns(f, f->unit->asset, &names);
    Str from = tables_read(f);
    DiagItem *it = diag_report(f->plan->diag, E0402, f->at, "column `%.*s` does not exist",
                               FMT(name));
    if (from.len)
        diag_set_label(it, "not a column of %.*s", FMT(from));
    suggest(f, it, "column", name, &names);
}

static void unknown_table(Fault *f, Str name)
{
    Plan *plan = f->plan;
    StrArray names = {0};
    place_word(f, false);
    Str shown = word_here(f).len ? word_here(f) : name;
    if (f->exact) { /* schema.table: both words are meant */
        size_t end = sql_name_end(f->sql, (size_t)f->position);
        f->at = sql_span(plan, f->unit, f->sql, f->again, (size_t)f->position, end,
                         &f->exact);
        shown = word_here(f).len ? word_here(f) : shown;
    }
    bool dotted = str_find_char(shown, '.') >= 0;
    for (size_t i = 0; i < plan->assets.count; i++) {
        const Asset *x = plan->assets.items[i];
        if (x->stub)
            continue;
        bool main = str_eq(x->schema, S("main"));
        if (dotted || main)
            array_add(plan->arena, &names,
                      main ? x->table : str_format(plan->arena, "%.*s.%.*s", FMT(x->schema),
                                                   FMT(x->table)));
    }
    DiagItem *it = diag_report(plan->diag, E0403, f->at, "table `%.*s` does not exist", FMT(shown));
    if (!names.count || !f->exact ||
        !diag_suggest(it, f->at, "table", shown, names.items, names.count))
        diag_help(it, "tables are those of assets: write `schema.table`, or "
                      "{{ ref('name') }} or {{ source('schema', 'table') }}");
}

static void unknown_alias(Fault *f)
{
    StrArray names = {0};
    Str name = quoted_after(f->message, S("Referenced table "));
    if (f->position >= 0 && sql_has_table(f->sql, name)) {
        /* It is there: DuckDB has looked for the column outside of the subquery as well. */
        size_t end = sql_name_end(f->sql, (size_t)f->position);
        Str written = str_sub(f->sql, f->position, (ptrdiff_t)end);
        unknown_column(f, str_unquote(last_part(written, '.')));
        return;
    }
    place_word(f, false);
    add_candidates(f, &names);
    DiagItem *it = diag_report(f->plan->diag, E0403, f->at,
                               "no table of this query is called `%.*s`", FMT(name));
    suggest(f, it, "table", name, &names);
}

static void unknown_function(Fault *f)
{
    StrArray names = {0};
    place_word(f, false);
    add_candidates(f, &names);
    DiagItem *it = diag_report(f->plan->diag, E0404, f->at, "DuckDB has no function `%.*s`",
                               FMT(f->name));
    suggest(f, it, "function", f->name, &names);
}

static void syntax(Fault *f)
{
    Str message = first_line(f->message);
    place_word(f, false);
    if (str_starts(message, S("Cannot prepare multiple")))
        message = S("more than one statement: a model is one SELECT");
    else if (str_starts(message, S("No statement")))
        message = S("there is no SQL here");
    if (str_starts(message, S("more than"))) {
        f->position = (ptrdiff_t)sql_second_statement(f->sql);
        place_word(f, false);
    }
    diag_report(f->plan->diag, E0401, f->at, "%.*s", FMT(message));
}

/* "sum(DATE) -> DATE,sum(...) -> ...": the next of the list. */
static Str next_candidate(Str *list)
{
    ptrdiff_t arrow = str_find(*list, S(") ->"));
    Str tail = arrow >= 0 ? str_sub(*list, arrow, list->len) : (Str){0};
    ptrdiff_t comma = str_find_char(tail, ',');
    Str one = comma >= 0 ? str_sub(*list, 0, arrow + comma) : *list;
    *list = comma >= 0 ? str_sub(*list, arrow + comma + 1, list->len) : (Str){0};
    return one;
}

/* A column that is text only because of some cells of the file it was inferred from: the fault lies there. */
static void note_odd_cells(Fault *f, DiagItem *it)
{
    Arena *a = f->plan->arena;
    for (size_t i = 0; i < f->unit->refs.count; i++) {
        const Asset *x = f->unit->refs.items[i];
        Str path = x->sample.len && x->sample.ptr[0] != '/' ? str_format(a, "%.*s/%.*s", FMT(f->plan->root), FMT(x->sample)) : x->sample;
        for (size_t k = 0; x->sample.len && k < x->columns.count; k++) {
            const DgColumn *c = &x->columns.items[k].column;
            DgOddCells odd;
            if (c->type.kind != DG_TEXT || sql_find_word(f->sql, c->name) < 0 || !dg_infer_odd_cells(a, path, x->sample_format, c->name, &odd))
                continue;
            Str cell = str_sub(odd.cell, 0, 40);
            diag_note(it, "`%.*s` of `%.*s` is text because of record %lld of %.*s, which says `%.*s`; %lld of %lld are numbers", FMT(c->name), FMT(x->key),
                      (long long)odd.record, FMT(x->sample), FMT(cell), (long long)(odd.all - odd.odd), (long long)odd.all);
            diag_help(it, "declare `columns:`, and a run tells each cell that does not fit; or say `null_values: [\"%.*s\"]`", FMT(cell));
            return;
        }
    }
}

static void wrong_arguments(Fault *f, Str call)
{
    Str name, arguments, list = f->candidates;
    if (!str_cut(call, '(', &name, &arguments))
        name = call;
    bool operator = name.len > 0 && !sql_name_char(name.ptr[0]);
    DiagItem *it = diag_report(f->plan->diag, E0404, f->at, "%s `%.*s` does not take (%.*s",
                               operator ? "the operator" : "the function", FMT(name),
                               FMT(arguments));
    for (int n = 0; n < 4 && list.len && !operator; n++) {
        Str one = next_candidate(&list);
        diag_note(it, "there is %.*s", FMT(one));
    }
    note_odd_cells(f, it);
}

/* Types, arguments, aggregates: what the binder says of an expression. */
static void other(Fault *f)
{
    Str message = first_line(f->message), before, call;
    place_word(f, false);
    if (str_starts(message, S("No function matches")) && str_cut(message, '\'', &before, &call) &&
        str_cut(call, '\'', &call, &before)) {
        wrong_arguments(f, call);
        return;
    }
    char *text = str_cstr(f->plan->arena, message);
    if (message.len > 1 && text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z'))
        text[0] = (char)(text[0] - 'A' + 'a');
    if (message.len && (text[message.len - 1] == '.' || text[message.len - 1] == '!'))
        text[message.len - 1] = '\0';
    note_odd_cells(f, diag_report(f->plan->diag, E0404, f->at, "%s", text));
}

/* Nothing that can be told without data, files and extensions, or DuckDB's own fault. */
static bool beyond_us(const Fault *f)
{
    static const char *const kinds[] = {"INTERNAL", "IO", "FATAL", "HTTP", "Missing Extension",
                                        "Permission", "Out of Memory", "Unknown", "Dependency"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(f->kind, str_from(kinds[i])))
            return true;
    return str_find(f->message, S(" extension")) >= 0;
}

void sql_report(Plan *plan, SqlUnit *unit, Str sql, bool again, Str error)
{
    Fault f = {.plan = plan, .unit = unit, .sql = sql, .again = again};
    if (!read_fault(&f, error) || beyond_us(&f)) {
        unit->judged = false;
        return;
    }
    unit->failed = true;
    Str column = quoted_after(f.message, S("does not have a column named "));
    bool unplaced = str_find(f.message, S("list not found in FROM")) >= 0 ||
                    str_find(f.message, S(" side of join")) >= 0;
    if (unplaced && f.position < 0) { /* EXCLUDE (x), USING (x): the name is all there is */
        column = quoted_after(f.message, S("Column "));
        f.position = sql_find_word(sql, column);
    }
    if (str_eq(f.kind, S("Parser")) || str_eq(f.kind, S("Model")) ||
        str_eq(f.kind, S("Invalid Input")))
        syntax(&f);
    else if (str_eq(f.subtype, S("COLUMN_NOT_FOUND")) && f.name.len)
        unknown_column(&f, last_part(f.name, '.'));
    else if (column.len)
        unknown_column(&f, column);
    else if (str_starts(f.message, S("Referenced table ")))
        unknown_alias(&f);
    else if (str_eq(f.kind, S("Catalog")) && str_starts(f.message, S("Table")))
        unknown_table(&f, f.name);
    else if (str_eq(f.kind, S("Catalog")) && str_find(f.message, S("Function with name")) >= 0)
        unknown_function(&f);
    else
        other(&f);
}
