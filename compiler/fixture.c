/* fixture.c - reads test fixtures, strictly: a key that means nothing would be a test that lies. */
#include "compiler/fixture.h"

typedef struct Reader {
    Arena *a;
    Diag *diag;
} Reader;

static void wrong(Reader *r, Span at, const char *fmt, ...) DG_PRINTF(3, 4);
static void wrong(Reader *r, Span at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str text = str_vformat(r->a, fmt, args);
    va_end(args);
    diag_report(r->diag, E0901, at, "%.*s", FMT(text));
}

static bool expect(Reader *r, const YamlNode *node, YamlKind kind, const char *what)
{
    if (node->kind == kind)
        return true;
    if (node->kind != YAML_ERROR)
        wrong(r, node->at, "%s must be %s, found %s", what, kind == YAML_MAP ? "a mapping" : "a list",
              yaml_kind_name(node->kind));
    return false;
}

static bool is_scalar(const YamlNode *node)
{
    return node->kind < YAML_LIST;
}

static Str scalar_text(Reader *r, const YamlNode *node, const char *what)
{
    if (is_scalar(node) && node->kind != YAML_NULL)
        return node->text;
    if (node->kind != YAML_ERROR)
        wrong(r, node->at, "%s must be a text, found %s", what, yaml_kind_name(node->kind));
    return (Str){0};
}

static int64_t integer(Reader *r, const YamlNode *node, const char *what)
{
    if (node->kind == YAML_INT)
        return node->as.i;
    if (node->kind != YAML_ERROR)
        wrong(r, node->at, "%s must be an integer, found %s", what, yaml_kind_name(node->kind));
    return 0;
}

/* Calls `one` for each key of a mapping; keys that are not in `names` are errors. */
typedef void ReadKey(Reader *r, Fixture *f, const char *name, YamlNode *key, YamlNode *value);

static void read_keys(Reader *r, Fixture *f, const YamlNode *map, const char *what,
                      const char *const *names, ReadKey *one)
{
    if (!expect(r, map, YAML_MAP, what))
        return;
    for (size_t i = 0; i < map->as.map.count; i++) {
        YamlNode *key = map->as.map.entries[i].key;
        const char *const *name = names;
        Str known[12];
        size_t count = 0;
        for (; *name && !str_eq(key->text, str_from(*name)); name++)
            known[count++] = str_from(*name);
        if (*name) {
            one(r, f, *name, key, map->as.map.entries[i].value);
            continue;
        }
        DiagItem *it = diag_report(r->diag, E0901, key->at, "%s has no key `%.*s`", what, FMT(key->text));
        Str near = diag_nearest(r->a, key->text, known, count);
        if (near.len) /* no fix: `dgc check` does not read tests */
            diag_help(it, "a similar key exists: `%.*s`", FMT(near));
    }
}

/* ---- Rows ---- */

static size_t column_index(Reader *r, FixtureTable *t, Str name)
{
    for (size_t i = 0; i < t->columns.count; i++)
        if (str_eq(t->columns.items[i], name))
            return i;
    array_add(r->a, &t->columns, name);
    return t->columns.count - 1;
}

static FixtureCell cell_of(Reader *r, const YamlNode *node)
{
    FixtureCell cell = {node->kind, node->text};
    if (node->kind == YAML_BOOL)
        cell.text = node->as.b ? S("true") : S("false");
    if (!is_scalar(node)) {
        if (node->kind != YAML_ERROR)
            wrong(r, node->at, "a value of a row must be a scalar, found %s", yaml_kind_name(node->kind));
        cell.kind = YAML_NULL;
    }
    return cell;
}

static void read_rows(Reader *r, FixtureTable *t, const YamlNode *list)
{
    if (!expect(r, list, YAML_LIST, "the rows"))
        return;
    size_t count = list->as.list.count;
    for (size_t i = 0; i < count; i++) {
        const YamlNode *row = list->as.list.items[i];
        if (!expect(r, row, YAML_MAP, "a row"))
            return;
        for (size_t k = 0; k < row->as.map.count; k++)
            column_index(r, t, row->as.map.entries[k].key->text);
    }
    t->rows_count = count;
    t->cells = push(r->a, FixtureCell, count * t->columns.count + 1);
    for (size_t i = 0; i < count; i++) {
        const YamlNode *row = list->as.list.items[i];
        for (size_t k = 0; k < row->as.map.count; k++)
            t->cells[i * t->columns.count + column_index(r, t, row->as.map.entries[k].key->text)] =
                cell_of(r, row->as.map.entries[k].value);
    }
}

/* A list of rows, or {file: ..., rows: [...], columns: [...], ordered: true}. */
static FixtureTable read_table(Reader *r, const YamlNode *key, const YamlNode *value, bool is_given)
{
    FixtureTable t = {.asset = key->text, .at = key->at};
    if (value->kind != YAML_MAP) {
        read_rows(r, &t, value);
        return t;
    }
    for (size_t i = 0; i < value->as.map.count; i++) {
        const YamlNode *name = value->as.map.entries[i].key, *node = value->as.map.entries[i].value;
        if (str_eq(name->text, S("file"))) {
            t.file = scalar_text(r, node, "`file`");
        } else if (str_eq(name->text, S("rows"))) {
            read_rows(r, &t, node);
        } else if (str_eq(name->text, S("columns")) && expect(r, node, YAML_LIST, "`columns`")) {
            for (size_t k = 0; k < node->as.list.count && !t.rows_count; k++)
                column_index(r, &t, scalar_text(r, node->as.list.items[k], "a column"));
        } else if (str_eq(name->text, S("ordered")) && !is_given && node->kind == YAML_BOOL) {
            t.ordered = node->as.b;
        } else if (!str_eq(name->text, S("columns"))) {
            wrong(r, name->at, "`%.*s` does not belong here", FMT(name->text));
        }
    }
    return t;
}

static void read_tables(Reader *r, const YamlNode *map, bool is_given, Fixture *f)
{
    if (!expect(r, map, YAML_MAP, is_given ? "`tables`" : "`rows`"))
        return;
    for (size_t i = 0; i < map->as.map.count; i++) {
        FixtureTable t = read_table(r, map->as.map.entries[i].key, map->as.map.entries[i].value, is_given);
        if (is_given)
            array_add(r->a, &f->given, t);
        else
            array_add(r->a, &f->rows, t);
    }
}

/* ---- The parts ---- */

static void read_tape(Reader *r, Fixture *f, const YamlNode *value)
{
    f->tape = scalar_text(r, value, "`tape`");
    f->tape_at = value->at;
    if (str_starts(f->tape, S("/")) || str_find(f->tape, S("..")) >= 0)
        wrong(r, value->at, "`%.*s` leads out of the project", FMT(f->tape));
    else if (!f->tape.len)
        wrong(r, value->at, "`tape` names no folder");
}

static void read_given(Reader *r, Fixture *f, const char *name, YamlNode *key, YamlNode *value)
{
    if (strcmp(name, "tables") == 0) {
        read_tables(r, value, true, f);
        return;
    }
    if (strcmp(name, "tape") == 0) {
        read_tape(r, f, value);
        return;
    }
    bool is_env = strcmp(name, "env") == 0;
    if (!expect(r, value, YAML_MAP, is_env ? "`env`" : "`files`"))
        return;
    for (size_t i = 0; i < value->as.map.count; i++) {
        const YamlNode *k = value->as.map.entries[i].key;
        DgPair pair = {k->text, scalar_text(r, value->as.map.entries[i].value, "the value")};
        if (!is_env && (str_starts(pair.key, S("/")) || str_find(pair.key, S("..")) >= 0))
            wrong(r, k->at, "`%.*s` leads out of the project", FMT(pair.key));
        else if (is_env)
            array_add(r->a, &f->env, pair);
        else
            array_add(r->a, &f->files, pair);
    }
}

static void read_when(Reader *r, Fixture *f, const char *name, YamlNode *key, YamlNode *value)
{
    if (strcmp(name, "args") != 0) {
        Str text = scalar_text(r, value, name);
        *(strcmp(name, "select") == 0 ? &f->select : strcmp(name, "job") == 0 ? &f->job
                                                                              : &f->partition) = text;
        return;
    }
    if (!expect(r, value, YAML_LIST, "`args`"))
        return;
    for (size_t i = 0; i < value->as.list.count; i++)
        array_add(r->a, &f->args, scalar_text(r, value->as.list.items[i], "an argument"));
}

static void read_check(Reader *r, Fixture *f, const YamlNode *key, const YamlNode *value)
{
    FixtureCheck check = {.at = key->at, .outcome = scalar_text(r, value, "the outcome")};
    ptrdiff_t colon = key->text.len;
    while (colon > 0 && key->text.ptr[colon - 1] != ':')
        colon--;
    if (!colon)
        wrong(r, key->at, "a check is named `asset:check`");
    else if (!str_eq(check.outcome, S("passed")) && !str_eq(check.outcome, S("failed")))
        wrong(r, value->at, "a check is `passed` or `failed`");
    check.asset = str_sub(key->text, 0, colon - 1);
    check.name = str_sub(key->text, colon, key->text.len);
    array_add(r->a, &f->checks, check);
}

static void read_diagnostic(Reader *r, Fixture *f, const YamlNode *node)
{
    FixtureDiagnostic d = {.at = node->at};
    DiagCode code;
    if (!expect(r, node, YAML_MAP, "a diagnostic"))
        return;
    for (size_t i = 0; i < node->as.map.count; i++) {
        const YamlNode *key = node->as.map.entries[i].key, *value = node->as.map.entries[i].value;
        if (str_eq(key->text, S("line")))
            d.line = integer(r, value, "`line`");
        else if (str_eq(key->text, S("code")))
            d.code = scalar_text(r, value, "`code`");
        else if (str_eq(key->text, S("file")))
            d.file = scalar_text(r, value, "`file`");
        else if (str_eq(key->text, S("message")))
            d.message = scalar_text(r, value, "`message`");
        else
            wrong(r, key->at, "a diagnostic has no key `%.*s`", FMT(key->text));
    }
    if (!diag_code_parse(d.code, &code))
        wrong(r, node->at, "`code` must be a code such as E0107");
    f->fails_to_compile |= d.code.len && d.code.ptr[0] == 'E';
    array_add(r->a, &f->diagnostics, d);
}

static void read_list(Reader *r, Fixture *f, const char *name, const YamlNode *value)
{
    if (strcmp(name, "output") == 0 && is_scalar(value)) {
        array_add(r->a, &f->output, scalar_text(r, value, "`output`"));
        return;
    }
    if (!expect(r, value, YAML_LIST, name))
        return;
    for (size_t i = 0; i < value->as.list.count; i++) {
        if (strcmp(name, "output") == 0)
            array_add(r->a, &f->output, scalar_text(r, value->as.list.items[i], "`output`"));
        else
            read_diagnostic(r, f, value->as.list.items[i]);
    }
}

static void read_then(Reader *r, Fixture *f, const char *name, YamlNode *key, YamlNode *value)
{
    bool counts = strcmp(name, "counts") == 0;
    if (strcmp(name, "exit") == 0) {
        f->exit_code = integer(r, value, "`exit`");
    } else if (strcmp(name, "rows") == 0) {
        read_tables(r, value, false, f);
    } else if (strcmp(name, "output") == 0 || strcmp(name, "diagnostics") == 0) {
        read_list(r, f, name, value);
    } else if (expect(r, value, YAML_MAP, counts ? "`counts`" : "`checks`")) {
        for (size_t i = 0; i < value->as.map.count; i++) {
            const YamlNode *k = value->as.map.entries[i].key, *v = value->as.map.entries[i].value;
            FixtureCount count = {k->text, k->at, counts ? integer(r, v, "a count") : 0};
            if (counts)
                array_add(r->a, &f->counts, count);
            else
                read_check(r, f, k, v);
        }
    }
}

static void read_top(Reader *r, Fixture *f, const char *name, YamlNode *key, YamlNode *value)
{
    static const char *const given[] = {"tables", "files", "env", "tape", NULL};
    static const char *const when[] = {"select", "job", "partition", "args", NULL};
    static const char *const then[] = {"exit", "rows", "counts", "checks", "output", "diagnostics", NULL};
    if (strcmp(name, "name") == 0)
        f->name = scalar_text(r, value, "`name`");
    else if (strcmp(name, "given") == 0)
        read_keys(r, f, value, "`given`", given, read_given);
    else if (strcmp(name, "when") == 0)
        read_keys(r, f, value, "`when`", when, read_when);
    else
        read_keys(r, f, value, "`then`", then, read_then);
}

/* "tests/revenue.yaml" gives "revenue". */
static Str stem_of(Str path)
{
    ptrdiff_t start = path.len;
    while (start > 0 && path.ptr[start - 1] != '/')
        start--;
    Str name = str_sub(path, start, path.len);
    ptrdiff_t dot = str_find_char(name, '.');
    return dot > 0 ? str_sub(name, 0, dot) : name;
}

static void read_test(Reader *r, Str stem, const YamlNode *node, size_t number, size_t count,
                      Fixtures *out)
{
    static const char *const keys[] = {"name", "given", "when", "then", NULL};
    Fixture *f = push(r->a, Fixture, 1);
    f->at = node->at;
    read_keys(r, f, node, "a test", keys, read_top);
    if (!f->name.len && count > 1)
        f->name = str_format(r->a, "%zu", number);
    f->name = f->name.len ? str_format(r->a, "%.*s: %.*s", FMT(stem), FMT(f->name)) : stem;
    if (node->kind == YAML_MAP && !yaml_get(node, S("then")))
        wrong(r, node->at, "the test has no `then`: nothing is expected of it");
    array_add(r->a, out, f);
}

/* A document is one test or a list of them. */
bool fixture_read(Arena *a, Diag *diag, uint32_t file, Fixtures *out)
{
    Reader r = {a, diag};
    size_t before = diag->errors_count, number = 0, count = 0;
    YamlFile yaml = yaml_parse(a, diag, file);
    Str stem = stem_of(sources_file(diag->sources, file)->path);
    for (size_t i = 0; i < yaml.documents.count; i++) {
        const YamlNode *doc = yaml.documents.items[i];
        count += doc->kind == YAML_LIST ? doc->as.list.count : 1;
    }
    for (size_t i = 0; i < yaml.documents.count; i++) {
        const YamlNode *doc = yaml.documents.items[i];
        if (doc->kind == YAML_NULL) {
            number++;
        } else if (doc->kind != YAML_LIST) {
            read_test(&r, stem, doc, ++number, count, out);
        } else {
            if (!doc->as.list.count)
                wrong(&r, doc->at, "the list has no tests");
            for (size_t k = 0; k < doc->as.list.count; k++)
                read_test(&r, stem, doc->as.list.items[k], ++number, count, out);
        }
    }
    return diag->errors_count == before;
}
