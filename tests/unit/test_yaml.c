/* YAML: types as PyYAML gives them, places, limits, and the words for syntax errors. */
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/yaml_internal.h"

typedef struct Fixture {
    Arena arena;
    Sources sources;
    Diag diag;
    StrBuf out;
    YamlFile yaml;
} Fixture;

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0);
    sources_init(&f->sources, &f->arena);
    diag_init(&f->diag, &f->arena, &f->sources);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    Fixture *f = *state;
    buf_free(&f->out);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static YamlNode *parse(Fixture *f, Str text)
{
    uint32_t file = sources_add(&f->sources, S("defs.yaml"), text);
    f->yaml = yaml_parse(&f->arena, &f->diag, file);
    return f->yaml.documents.count ? f->yaml.documents.items[0] : NULL;
}

/* The documents as a tree, then one line per diagnostic: code, place, message, first fix. */
static Str tree(Fixture *f, const char *text)
{
    buf_free(&f->out);
    f->diag.items.count = 0;
    parse(f, str_from(text));
    for (size_t i = 0; i < f->yaml.documents.count; i++)
        yaml_print(&f->sources, f->yaml.documents.items[i], &f->out);
    return buf_str(&f->out);
}

static Str errors(Fixture *f, Str text)
{
    buf_free(&f->out);
    f->diag.items.count = 0;
    parse(f, text);
    diag_finish(&f->diag);
    for (size_t i = 0; i < f->diag.items.count; i++) {
        const DiagItem *it = f->diag.items.items[i];
        Place p = sources_place(&f->sources, it->at);
        buf_format(&f->out, "%s %u:%u-%u:%u %.*s\n", diag_code_name(it->code), p.line, p.column,
                   p.end_line, p.end_column, FMT(it->message));
        if (it->fixes.count && it->fixes.items[0].applicability == FIX_MACHINE)
            buf_format(&f->out, "  fix: %.*s\n", FMT(it->fixes.items[0].edits.items[0].text));
    }
    return buf_str(&f->out);
}

/* Made with PyYAML 6.0.3: yaml.safe_load of each text in a flow list. `=` alone fails there. */
static const char *const PYYAML[][2] = {
    /* clang-format off */
    {"y", "text"},
    {"n", "text"},
    {"yes", "bool true"},
    {"Yes", "bool true"},
    {"YES", "bool true"},
    {"yEs", "text"},
    {"no", "bool false"},
    {"No", "bool false"},
    {"NO", "bool false"},
    {"nO", "text"},
    {"true", "bool true"},
    {"True", "bool true"},
    {"TRUE", "bool true"},
    {"tRUE", "text"},
    {"false", "bool false"},
    {"False", "bool false"},
    {"on", "bool true"},
    {"On", "bool true"},
    {"ON", "bool true"},
    {"off", "bool false"},
    {"Off", "bool false"},
    {"OFF", "bool false"},
    {"oN", "text"},
    {"~", "null"},
    {"null", "null"},
    {"Null", "null"},
    {"NULL", "null"},
    {"nULL", "text"},
    {"none", "text"},
    {"0", "int 0"},
    {"00", "int 0"},
    {"007", "int 7"},
    {"010", "int 8"},
    {"08", "text"},
    {"09", "text"},
    {"0777", "int 511"},
    {"0_7", "int 7"},
    {"0_", "int 0"},
    {"-0", "int 0"},
    {"+12", "int 12"},
    {"-12", "int -12"},
    {"1_000", "int 1000"},
    {"_1", "text"},
    {"1__0", "int 10"},
    {"1_", "int 1"},
    {"0b101", "int 5"},
    {"-0b11", "int -3"},
    {"0b2", "text"},
    {"0x1F", "int 31"},
    {"-0xff", "int -255"},
    {"0X1F", "text"},
    {"0xG", "text"},
    {"0o17", "text"},
    {"+0x1_F", "int 31"},
    {"1:30", "int 90"},
    {"01:30", "text"},
    {"12:30:45", "int 45045"},
    {"1:60", "text"},
    {"1:5", "int 65"},
    {"190:20:30", "int 685230"},
    {"-1:30", "int -90"},
    {"0:30", "text"},
    {"1:2:3:4", "int 223384"},
    {"1:99", "text"},
    {"9223372036854775807", "int 9223372036854775807"},
    {"9223372036854775808", "float 9.2233720368547758e+18"},
    {"-9223372036854775808", "int -9223372036854775808"},
    {"-9223372036854775809", "float -9.2233720368547758e+18"},
    {"0x7fffffffffffffff", "int 9223372036854775807"},
    {"0x8000000000000000", "float 9.2233720368547758e+18"},
    {"1.", "float 1"},
    {"1.5", "float 1.5"},
    {"-1.5", "float -1.5"},
    {"+1.5", "float 1.5"},
    {".5", "float 0.5"},
    {"-.5", "text"},
    {"+.5", "text"},
    {"1e3", "text"},
    {"1e+3", "text"},
    {"1.0e3", "text"},
    {"1.0e+3", "float 1000"},
    {"1.0E-3", "float 0.001"},
    {"1.e+3", "float 1000"},
    {".5e+1", "float 5"},
    {"1_000.5", "float 1000.5"},
    {"1.5_0", "float 1.5"},
    {"._5", "text"},
    {".5_", "float 0.5"},
    {".", "text"},
    {"..", "text"},
    {"...", "text"},
    {"1.2.3", "text"},
    {"1.5e", "text"},
    {"1e", "text"},
    {"1.0e400", "text"},
    {"-1.0e+400", "float -inf"},
    {".inf", "float inf"},
    {".Inf", "float inf"},
    {".INF", "float inf"},
    {"-.inf", "float -inf"},
    {"+.inf", "float inf"},
    {".iNF", "text"},
    {".nan", "float nan"},
    {".NaN", "float nan"},
    {".NAN", "float nan"},
    {"-.nan", "text"},
    {"1:30.5", "float 90.5"},
    {"01:30.25", "float 90.25"},
    {"1:60.5", "text"},
    {"190:20:30.15", "float 685230.15000000002"},
    {"1:30.", "float 90"},
    {"-1:30.5", "float -90.5"},
    {"2024-01-31", "date"},
    {"2024-1-31", "text"},
    {"2024-01-31T10:00:00", "timestamp"},
    {"2024-01-31t1:00:00Z", "timestamp"},
    {"2024-01-31T10:00:00+02:00", "timestamp"},
    {"2024-01-31T10:00:00.5-3", "timestamp"},
    {"2024-01-31T10:00", "text"},
    {"2024-01-3", "text"},
    {"24-01-31", "text"},
    {"2024-1-1T10:00:00", "timestamp"},
    {"=", "text"},
    {"<<", "text"},
    {"-", "text"},
    {"--", "text"},
    {"+", "text"},
    {"a", "text"},
    {"-a", "text"},
    {"1a", "text"},
    {"0x", "text"},
    {"0b", "text"},
    {"1,000", "text"},
    {"12:30pm", "text"},
    {"v1.0", "text"},
    {"1-2", "text"},
    {"+-1", "text"},
    {"10GB", "text"},
    {"2024-01-31 10:00:00", "timestamp"},
    {"2024-01-31 10:00:00 Z", "timestamp"},
    {"2024-01-31 10:00:00 +02:00", "timestamp"},
    {"2024-01-31  1:00:00.123", "timestamp"},
    {"a b", "text"},
    {"1 2", "text"},
    {"0 6 * * *", "text"},
    /* clang-format on */
};

static void plain_scalars_are_what_pyyaml_says(void **state)
{
    Fixture *f = *state;
    for (size_t i = 0; i < sizeof PYYAML / sizeof *PYYAML; i++) {
        ScalarValue v = yaml_resolve(str_from(PYYAML[i][0]));
        Str got = str_from(v.kind == YAML_NULL ? "null" : v.kind == YAML_DATE ? "date"
                           : v.kind == YAML_TIMESTAMP ? "timestamp" : "text");
        if (v.kind == YAML_BOOL)
            got = str_from(v.b ? "bool true" : "bool false");
        else if (v.kind == YAML_INT)
            got = str_format(&f->arena, "int %lld", (long long)v.i);
        else if (v.kind == YAML_FLOAT)
            got = isnan(v.f) ? S("float nan") : str_format(&f->arena, "float %.17g", v.f);
        Str shown = str_format(&f->arena, "%s = %.*s", PYYAML[i][0], FMT(got));
        Str expected = str_format(&f->arena, "%s = %s", PYYAML[i][0], PYYAML[i][1]);
        assert_text(shown, expected.ptr);
    }
}

static void yaml_1_2_is_told_apart(void **state)
{
    static const char *const DIFFER[] = {"yes", "No", "on", "OFF", "010", "-010", "1_000", "0b1",
                                         "1:30", "1:30.5", "1_0.5", "1e3", "-.5", "0o17", "+0x1F"};
    static const char *const SAME[] = {"true", "False", "null", "~", "", "0", "007", "12", "+12",
                                       "0x1F", "1.5", "1.", ".5", "1.0e+3", ".inf", ".nan", "08",
                                       "2024-01-31", "a", "y", "n", "1.2.3", "-", ".", "e3", "1e"};
    for (size_t i = 0; i < sizeof DIFFER / sizeof *DIFFER; i++)
        if (!yaml_resolve(str_from(DIFFER[i])).other)
            fail_msg("%s", DIFFER[i]);
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++)
        if (yaml_resolve(str_from(SAME[i])).other)
            fail_msg("%s", SAME[i]);
}

static void days_that_do_not_exist_are_errors(void **state)
{
    Fixture *f = *state;
    assert_text(errors(f, S("a: 2023-02-29\nb: 2024-02-29\nc: 2024-01-01 25:00:00\n")),
                "E0102 1:4-1:14 `2023-02-29` is read as a date, but there is no such day or time\n"
                "E0102 3:4-3:23 `2024-01-01 25:00:00` is read as a date, but there is no such day "
                "or time\n");
}

static void every_node_knows_its_place(void **state)
{
    Fixture *f = *state;
    assert_text(tree(f, "# head\n"
                        "type: dgc.Files   # why\n"
                        "attributes:\n"
                        "  empty:\n"
                        "  list:\n"
                        "  - 1\n"
                        "  - 'a b'\n"
                        "\n"
                        "  sql: |\n"
                        "    select 1\n"
                        "\n"
                        "# comment\n"
                        "  flow: {a: [1, 2.5], b: \"\xc3\xa9\"}\n"
                        "---\n"
                        "second\n"),
                "map of 2 @2:1-13:30\n"
                "  \"type\" @2:1-2:5: string \"dgc.Files\" @2:7-2:16\n"
                "  \"attributes\" @3:1-3:11: map of 4 @4:3-13:30\n"
                "    \"empty\" @4:3-4:8: null @4:9-4:9\n"
                "    \"list\" @5:3-5:7: list of 2 @6:3-7:10\n"
                "      - int 1 @6:5-6:6\n"
                "      - string \"a b\" @7:5-7:10\n"
                "    \"sql\" @9:3-9:6: string \"select 1\\n\" @9:8-10:13\n"
                "    \"flow\" @13:3-13:7: map of 2 @13:9-13:30\n"
                "      \"a\" @13:10-13:11: list of 2 @13:13-13:21\n"
                "        - int 1 @13:14-13:15\n"
                "        - float 2.5 @13:17-13:20\n"
                "      \"b\" @13:23-13:24: string \"\xc3\xa9\" @13:26-13:29\n"
                "string \"second\" @15:1-15:7\n");
    assert_int_equal(f->diag.items.count, 0);
}

static void a_byte_order_mark_and_crlf_are_read(void **state)
{
    Fixture *f = *state;
    assert_text(tree(f, "\xef\xbb\xbf" "a: \xe2\x82\xac\r\nb: |\r\n  x\r\n"),
                "map of 2 @1:1-3:4\n"
                "  \"a\" @1:1-1:2: string \"\xe2\x82\xac\" @1:4-1:5\n"
                "  \"b\" @2:1-2:2: string \"x\\n\" @2:4-3:4\n");
}

static void empty_files_and_documents(void **state)
{
    Fixture *f = *state;
    parse(f, S(""));
    assert_int_equal(f->yaml.documents.count, 0);
    parse(f, S("# nothing\n"));
    assert_int_equal(f->yaml.documents.count, 0);
    assert_text(tree(f, "---\n---\na\n"), "null @2:1-2:1\nstring \"a\" @3:1-3:2\n");
    assert_false(f->yaml.broken);
}

static void anchors_aliases_and_merge_keys(void **state)
{
    Fixture *f = *state;
    assert_text(tree(f, "base: &b {x: 1, y: 2}\n"
                        "more: &m\n"
                        "  y: 3\n"
                        "  z: 4\n"
                        "use:\n"
                        "  z: 5\n"
                        "  <<: [*b, *m]\n"
                        "  w: 6\n"
                        "same: *b\n"),
                "map of 4 @1:1-9:9\n"
                "  \"base\" @1:1-1:5: map of 2 @1:10-1:22\n"
                "    \"x\" @1:11-1:12: int 1 @1:14-1:15\n"
                "    \"y\" @1:17-1:18: int 2 @1:20-1:21\n"
                "  \"more\" @2:1-2:5: map of 2 @3:3-4:7\n"
                "    \"y\" @3:3-3:4: int 3 @3:6-3:7\n"
                "    \"z\" @4:3-4:4: int 4 @4:6-4:7\n"
                "  \"use\" @5:1-5:4: map of 4 @6:3-8:7\n"
                "    \"y\" @1:17-1:18 merged: int 2 @1:20-1:21\n"
                "    \"z\" @6:3-6:4: int 5 @6:6-6:7\n"
                "    \"x\" @1:11-1:12 merged: int 1 @1:14-1:15\n"
                "    \"w\" @8:3-8:4: int 6 @8:6-8:7\n"
                "  \"same\" @9:1-9:5: map of 2 @1:10-1:22 alias @9:7-9:9\n"
                "    \"x\" @1:11-1:12: int 1 @1:14-1:15\n"
                "    \"y\" @1:17-1:18: int 2 @1:20-1:21\n");
    assert_int_equal(f->diag.items.count, 0);
    assert_text(errors(f, S("a: &anchor [*anchor]\nb: *anchr\nc: {<<: 1}\nd: {<<: [{}, x]}\n")),
                "E0105 1:13-1:20 the alias `*anchor` stands inside what it names\n"
                "E0105 2:4-2:10 no anchor `&anchr` stands before this alias\n"
                "  fix: anchor\n"
                "E0102 3:9-3:10 `<<` merges mappings, not an integer\n"
                "E0102 4:14-4:15 `<<` merges mappings, not text\n");
}

static void keys_stand_once(void **state)
{
    Fixture *f = *state;
    assert_text(errors(f, S("a: 1\n'a': 2\n1: x\n1.0: y\n\"1\": z\n? [k]\n: v\n")),
                "E0103 2:1-2:4 the key `a` stands twice in one mapping\n"
                "E0103 4:1-4:4 the key `1.0` stands twice in one mapping\n"
                "E0102 6:3-6:6 a key cannot be a list\n");
    assert_text(f->diag.items.items[0]->labels.items[0].text, "first here");
}

static void tags_are_applied_or_refused(void **state)
{
    Fixture *f = *state;
    assert_text(tree(f, "[!!str 1, !!int \"2\", !!float 3, !!bool yes, !!null x, ! 4, !!seq [], !!map {}]"),
                "list of 8 @1:1-1:79\n"
                "  - string \"1\" @1:8-1:9\n"
                "  - int 2 @1:17-1:20\n"
                "  - float 3 @1:30-1:31\n"
                "  - bool true @1:40-1:43\n"
                "  - null @1:52-1:53\n"
                "  - string \"4\" @1:57-1:58\n"
                "  - list of 0 @1:66-1:68\n"
                "  - map of 0 @1:76-1:78\n");
    assert_text(errors(f, S("a: !env HOME\nb: !!binary aGk=\nc: !!int x\nd: !thing {a: 1}\ne: !!map []\n")),
                "E0112 1:4-1:8 the tag `!env` is not one that dgc reads\n"
                "E0112 2:4-2:12 the tag `!!binary` is not one that dgc reads\n"
                "E0102 3:10-3:11 `x` is not what its tag `!!int` says\n"
                "E0112 4:4-4:10 the tag `!thing` is not one that dgc reads\n"
                "E0102 5:10-5:12 a list is not what its tag says\n");
}

static void limits_hold_and_are_named(void **state)
{
    Fixture *f = *state;
    StrBuf b = {0};
    buf_add(&b, S("a0: &a0 [1]\n")); /* each level has ten of the one before */
    for (int i = 1; i < 12; i++) {
        buf_format(&b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buf_format(&b, "*a%d%s", i - 1, k < 9 ? "," : "]\n");
    }
    assert_text(errors(f, buf_str(&b)),
                "E0104 7:14-7:17 the file has more nodes than 1000000 once aliases are expanded\n");
    b.len = 0;
    for (int i = 0; i < 100000; i++)
        buf_char(&b, '[');
    assert_text(errors(f, buf_str(&b)),
                "E0104 1:65-1:66 the file nests lists and mappings deeper than 64\n");
    b.len = 0;
    buf_add(&b, S("- &a0 []\n"));
    for (int i = 1; i < 100; i++)
        buf_format(&b, "- &a%d [*a%d]\n", i, i - 1);
    assert_text(errors(f, buf_str(&b)),
                "E0104 64:9-64:13 the file nests lists and mappings deeper than 64 once aliases are "
                "expanded\n");
    b.len = 0;
    buf_add(&b, S("- &a x\n"));
    for (int i = 0; i < 2000; i++)
        buf_add(&b, S("- *a\n"));
    assert_text(errors(f, buf_str(&b)), "E0104 1002:3-1002:5 the file uses more aliases than 1000\n");
    buf_free(&b);
}

static void unquoted_templates_are_found_and_the_rest_is_read(void **state)
{
    Fixture *f = *state;
    assert_text(errors(f, S("url: {{ env.URL }}/v1   # comment\n"
                            "list:\n"
                            "- {{ a[\"k\"] }}\n"
                            "- [x, {{ b }}, {{ c }}/d]\n"
                            "{{ key }}: 1\n"
                            "mod: {{ a % b }} and {{ c }}\n"
                            "stmt: {% if x %}y{% endif %}\n"
                            "fine: \"{{ ok }}\"\n"
                            "flow: [{{ d }}, @e, {{ f }}]\n"
                            "also: x {{ ok }}\n"
                            "dup: 1\n"
                            "dup: 2\n")),
                "E0101 1:6-1:22 a template must be quoted\n"
                "  fix: \"{{ env.URL }}/v1\"\n"
                "E0101 3:3-3:15 a template must be quoted\n"
                "  fix: '{{ a[\"k\"] }}'\n"
                "E0101 4:7-4:14 a template must be quoted\n"
                "  fix: \"{{ b }}\"\n"
                "E0101 4:16-4:25 a template must be quoted\n"
                "  fix: \"{{ c }}/d\"\n"
                "E0101 5:1-5:10 a template must be quoted\n"
                "  fix: \"{{ key }}\"\n"
                "E0101 6:6-6:29 a template must be quoted\n"
                "  fix: \"{{ a % b }} and {{ c }}\"\n"
                "E0101 7:7-7:29 a template must be quoted\n"
                "  fix: \"{% if x %}y{% endif %}\"\n"
                "E0101 9:8-9:15 a template must be quoted\n"
                "  fix: \"{{ d }}\"\n"
                "E0101 9:17-9:19 a value that begins with `@` must be quoted\n"
                "  fix: \"@e\"\n"
                "E0101 9:21-9:28 a template must be quoted\n"
                "  fix: \"{{ f }}\"\n"
                "E0103 12:1-12:4 the key `dup` stands twice in one mapping\n");
    assert_false(f->yaml.broken);
}

static void common_mistakes_have_their_own_words(void **state)
{
    static const char *const CASES[][2] = {
        {"a: 1\n\tb: 2\n", "E0101 2:1-2:2 a tab cannot indent in YAML\n  fix:   \n"},
        {"a:\n  - @x # y\n", "E0101 2:5-2:7 a value that begins with `@` must be quoted\n  fix: \"@x\"\n"},
        {"a: %Y-%m\n", "E0101 1:4-1:9 a value that begins with `%` must be quoted\n  fix: \"%Y-%m\"\n"},
        {"a: */5 * * * *\n",
         "E0101 1:4-1:15 a value that begins with `*` must be quoted\n  fix: \"*/5 * * * *\"\n"},
        {"a: >x\n", "E0101 1:4-1:6 a value that begins with `>` must be quoted\n  fix: \">x\"\n"},
        {"a: b: c\nd: e\n", "E0101 1:5-1:6 `: ` inside a value that is not quoted\n  fix: \"b: c\"\n"},
        {"a: \"b\nc: d\n", "E0101 1:4-1:5 this quoted text is never closed\n"},
        {"a: 'it's'\n", "E0101 1:8-1:10 text follows the closing quote\n"},
        {"a: 1\nb:2\nc: 3\n", "E0101 2:1-2:3 expected `key: value`\n  fix:  \n"},
        {"a: 1\nbare\nc: 3\n", "E0101 2:1-2:5 expected `key: value`\n"},
        {"a:\n  b: 1\n c: 2\n", "E0101 3:2-3:6 this line's indentation fits nothing above it\n"},
        {"- a\nb: 1\n", "E0101 2:1-2:5 expected `- ` and a further item of the list\n"},
        {"a: 1\n  b: 2\n", "E0101 2:3-2:4 a key cannot stand here\n"},
        {"a: - b\n", "E0101 1:4-1:5 a list cannot start on the line of its key\n"},
        {"a: [1, 2\n", "E0101 1:4-1:5 this `[` is never closed\n"},
        {"a: [1, 2\nb: 1\n", "E0101 1:4-1:5 this `[` is never closed\n"},
        {"a: [1, }\n", "E0101 1:8-1:9 expected a value, found `}`\n"},
        {"a: [\"x\" 1]\n", "E0101 1:9-1:10 expected `,` or `]`\n"},
        {"a: \"\\d\"\n", "E0101 1:5-1:7 `\\d` is not an escape that YAML knows\n"},
        {"a: b\x01\n", "E0101 1:5-1:6 the control character U+0001 is not allowed in YAML\n"},
        {"a: b\xff\n", "E0101 1:5-1:6 the file is not valid UTF-8\n"},
    };
    Fixture *f = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_text(errors(f, str_from(CASES[i][0])), CASES[i][1]);
    assert_text(errors(f, S("a: \0b\n")),
                "E0101 1:4-1:5 the control character U+0000 is not allowed in YAML\n");
}

static void documents_before_an_error_are_returned(void **state)
{
    Fixture *f = *state;
    assert_text(tree(f, "a: 1\n---\nb: 2\n---\nc: [\n"),
                "map of 1 @1:1-1:5\n"
                "  \"a\" @1:1-1:2: int 1 @1:4-1:5\n"
                "map of 1 @3:1-3:5\n"
                "  \"b\" @3:1-3:2: int 2 @3:4-3:5\n");
    assert_true(f->yaml.broken);
}

/* Each part of a scalar's text, found in the file again. */
static void check_spans(Fixture *f, const char *text, const char *part, const char *source)
{
    YamlNode *n = yaml_get(parse(f, str_from(text)), S("k"));
    assert_non_null(n);
    ptrdiff_t start = str_find(n->text, str_from(part));
    assert_true(start >= 0);
    Span at = yaml_text_span(&f->sources, n, (size_t)start, (size_t)start + strlen(part));
    assert_text(str_sub(str_from(text), at.start, at.end), source);
}

static void parts_of_scalars_have_places(void **state)
{
    Fixture *f = *state;
    check_spans(f, "k: plain {{ x }} end\n", "{{ x }}", "{{ x }}");
    check_spans(f, "k: one\n  two\n\n  three\n", "two", "two");
    check_spans(f, "k: one\n  two\n\n  three\n", "two\nthree", "two\n\n  three");
    check_spans(f, "k: 'it''s {{ x }}'\n", "{{ x }}", "{{ x }}");
    check_spans(f, "k: 'it''s {{ x }}'\n", "'", "''");
    check_spans(f, "k: \"a\\tb \\u00e9 {{ x }}\"\n", "{{ x }}", "{{ x }}");
    check_spans(f, "k: \"a\\tb \\u00e9 {{ x }}\"\n", "\xc3\xa9", "\\u00e9");
    check_spans(f, "k: \"one \\\n   two\n   {{ x }}\"\n", "two {{ x", "two\n   {{ x");
    check_spans(f, "k: |\n  one\n\n    {{ x }}\n  two\n", "{{ x }}", "{{ x }}");
    check_spans(f, "k: |\n  one\n\n    {{ x }}\n  two\n", "two", "two");
    check_spans(f, "k: |2-\n    one\n  two {{ x }}\n\n\nz: 1\n", "{{ x }}", "{{ x }}");
    check_spans(f, "k: >\n  one\n  two\n\n  three\n    more {{ x }}\n  end\n", "{{ x }}", "{{ x }}");
    check_spans(f, "k: >\n  one\n  two\n\n  three\n    more {{ x }}\n  end\n", "end", "end");
    check_spans(f, "k: >+\n\n  one\n  {{ x }}\n\n\nz: 1\n", "{{ x }}", "{{ x }}");
    check_spans(f, "k: |\r\n  one\r\n  {{ x }}\r\n", "{{ x }}", "{{ x }}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_scalars_are_what_pyyaml_says),
        TEST(yaml_1_2_is_told_apart),
        TEST(days_that_do_not_exist_are_errors),
        TEST(every_node_knows_its_place),
        TEST(a_byte_order_mark_and_crlf_are_read),
        TEST(empty_files_and_documents),
        TEST(anchors_aliases_and_merge_keys),
        TEST(keys_stand_once),
        TEST(tags_are_applied_or_refused),
        TEST(limits_hold_and_are_named),
        TEST(unquoted_templates_are_found_and_the_rest_is_read),
        TEST(common_mistakes_have_their_own_words),
        TEST(documents_before_an_error_are_returned),
        TEST(parts_of_scalars_have_places),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
