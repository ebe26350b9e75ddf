/* Attributes become a struct: every kind of field, defaults, shorthands, and what is said of mistakes. */
#include "compiler/config.h"

#include "compiler/template.h"
#include "tests/test.h"

typedef struct Part {
    Str name;
    int64_t weight;
} Part;
typedef struct Disk {
    Str folder;
} Disk;
typedef struct Cloud {
    Str bucket, token;
} Cloud;
typedef struct All {
    Str text, path, key, type, secret, raw;
    int64_t number, wait, bytes, when, limited;
    double share;
    bool flag;
    int32_t color;
    DgValue any;
    DgList names, parts, labels, values, many;
    Part part;
    DgOneOf store;
} All;

static const char *const colors[] = {"red", "green", "blue", NULL};
static const DgField part_fields[] = {
    DG_FIELD_STRING(Part, name, .flags = DG_REQUIRED | DG_SHORTHAND, .doc = "What it is called."),
    DG_FIELD_INT(Part, weight, .fallback = "7"),
    {0},
};
static const DgField disk_fields[] = {DG_FIELD_PATH(Disk, folder, .flags = DG_REQUIRED), {0}};
static const DgField cloud_fields[] = {
    DG_FIELD_STRING(Cloud, bucket, .flags = DG_REQUIRED), DG_FIELD_SECRET(Cloud, token), {0}};
static const DgVariant stores[] = {{"disk", NULL, disk_fields, sizeof(Disk)},
                                   {"cloud", NULL, cloud_fields, sizeof(Cloud)},
                                   {0}};
static const DgField fields[] = {
    DG_FIELD_STRING(All, text, .fallback = "none"),
    DG_FIELD_PATH(All, path),
    DG_FIELD_ASSET_KEY(All, key, .flags = DG_BUILD),
    DG_FIELD_COLUMN_TYPE(All, type),
    DG_FIELD_SECRET(All, secret),
    DG_FIELD_STRING(All, raw, .flags = DG_NO_TEMPLATE),
    DG_FIELD_INT(All, number, .fallback = "5"),
    DG_FIELD_DURATION(All, wait, .fallback = "90s"),
    DG_FIELD_SIZE(All, bytes, .fallback = "1KiB"),
    DG_FIELD_TIMESTAMP(All, when),
    DG_FIELD_INT(All, limited, .min = 1, .max = 10),
    DG_FIELD_FLOAT(All, share),
    DG_FIELD_BOOL(All, flag, .fallback = "true"),
    DG_FIELD_ENUM(All, color, .choices = colors, .fallback = "green"),
    DG_FIELD_ANY(All, any),
    DG_FIELD_STRINGS(All, names, .min = 0, .max = 3),
    DG_FIELD_STRUCTS(All, parts, Part, part_fields),
    DG_FIELD_STRING_MAP(All, labels),
    DG_FIELD_ANY_MAP(All, values),
    DG_FIELD_STRINGS(All, many, .flags = DG_ONE_OR_MANY),
    DG_FIELD_STRUCT(All, part, Part, part_fields),
    DG_FIELD_ONE_OF(All, store, stores),
    {0},
};

typedef struct Filled {
    Arena arena;
    Sources sources;
    Diag diag;
    Config config;
    StrBuf said;
} Filled;

static DgGetEnv build_env; /* what the next fill() has for it */

static const All *fill(Filled *f, const char *yaml)
{
    arena_init(&f->arena, 0);
    sources_init(&f->sources, &f->arena);
    diag_init(&f->diag, &f->arena, &f->sources);
    uint32_t file = sources_add(&f->sources, S("t.yaml"), str_from(yaml));
    YamlFile parsed = yaml_parse(&f->arena, &f->diag, file);
    YamlNode *node = parsed.documents.count ? parsed.documents.items[0] : NULL;
    Scope *scope = scope_new(&f->arena, NULL);
    scope_env(scope);
    scope->get_env = build_env;
    scope_value(scope, S("five"), dgv_int(5));
    scope_value(scope, S("word"), dgv_from_str(S("hello")));
    ConfigTarget target = {S("test.All"), fields, sizeof(All), 0};
    f->config = config_fill(&f->arena, &f->diag, scope, &target, node, (Span){file, 0, 0});
    return f->config.data;
}

/* "E0102 2:3 message" for each finding, then "  fix TEXT" and "  help TEXT". */
static Str said(Filled *f)
{
    diag_finish(&f->diag);
    for (size_t i = 0; i < f->diag.items.count; i++) {
        const DiagItem *it = f->diag.items.items[i];
        Place p = sources_place(&f->sources, it->at);
        buf_format(&f->said, "%s %u:%u %.*s\n", diag_code_name(it->code), p.line, p.column,
                   FMT(it->message));
        for (size_t k = 0; k < it->fixes.count; k++)
            buf_format(&f->said, "  fix %.*s\n", FMT(it->fixes.items[k].text));
        for (size_t k = 0; k < it->helps.count; k++)
            buf_format(&f->said, "  help %.*s\n", FMT(it->helps.items[k]));
    }
    return buf_str(&f->said);
}

static void done(Filled *f)
{
    buf_free(&f->said);
    arena_free(&f->arena);
}

static void expect_said(const char *yaml, const char *expected)
{
    Filled f = {0};
    fill(&f, yaml);
    assert_text(said(&f), expected);
    done(&f);
}

static DgStatus at_build(void *ctx, Str name, Str *out, bool *secret, DgError *err)
{
    if (!str_eq(name, S("REGION")))
        return DG_TEMPFAIL;
    *out = S("eu");
    return DG_OK;
}

/* As fill(), with REGION read when building. */
static const All *fill_at_build(Filled *f, const char *yaml)
{
    build_env = at_build;
    const All *a = fill(f, yaml);
    build_env = NULL;
    return a;
}

static void what_is_read_when_building_is_a_constant(void **state)
{
    Filled f = {0};
    const All *a = fill_at_build(&f, "{text: \"{{ env.REGION }}-1\", path: \"{{ env.LATER }}\"}\n");
    assert_true(f.config.ok);
    assert_text(a->text, "eu-1");
    assert_null(config_place(&f.config, &a->text)->pending);
    assert_non_null(config_place(&f.config, &a->path)->pending);
    done(&f);
}

static void one_element_of_many_may_wait(void **state)
{
    Filled f = {0};
    const All *a = fill(&f, "many: \"{{ env.LATER }}-x\"\n");
    assert_true(f.config.ok);
    assert_int_equal(a->many.count, 1);
    assert_non_null(config_place(&f.config, a->many.items)->pending);
    done(&f);
}

static void secrets_are_not_read_when_building(void **state)
{
    Filled f = {0};
    fill_at_build(&f, "secret: \"x{{ env.REGION }}\"\n");
    assert_false(f.config.ok);
    assert_text(said(&f), "E0504 1:9 `secret` is a secret, and would stand in the executable\n"
                          "  help take `REGION` out of `build_env` in dgc.yaml: it is then read when "
                          "the executable starts\n");
    done(&f);
}

static void defaults_stand_where_nothing_is_given(void **state)
{
    Filled f = {0};
    const All *a = fill(&f, "{}\n");
    assert_true(f.config.ok);
    assert_text(a->text, "none");
    assert_int_equal(a->number, 5);
    assert_int_equal(a->wait, 90000000000);
    assert_int_equal(a->bytes, 1024);
    assert_true(a->flag);
    assert_int_equal(a->color, 1);
    assert_int_equal(a->any.kind, DG_V_NONE);
    assert_int_equal(a->names.count, 0);
    assert_int_equal(a->part.weight, 7);
    assert_int_equal(a->store.variant, -1);
    assert_null(config_place(&f.config, &a->number));
    done(&f);
}

static void each_kind_is_read(void **state)
{
    Filled f = {0};
    const All *a = fill(&f, "text: hi\npath: ../x\nkey: a/b\ntype: decimal(18,3)\nraw: '{{ x }}'\n"
                            "number: 12\nwait: 1h30m\nbytes: 64MB\nwhen: 1970-01-02\nlimited: 10\n"
                            "share: 0.25\nflag: false\ncolor: blue\nany: {a: [1, true]}\n"
                            "names: [a, b]\nparts: [{name: x}, y]\nlabels: {k: v, n: 3}\n"
                            "values: {k: 1.5}\nmany: one\npart: {name: p, weight: 2}\n"
                            "store: {type: cloud, bucket: b, token: \"{{ env('T') }}\"}\n");
    assert_text(said(&f), "");
    assert_true(f.config.ok);
    assert_text(a->text, "hi");
    assert_text(a->raw, "{{ x }}");
    assert_int_equal(a->number, 12);
    assert_int_equal(a->wait, 5400000000000);
    assert_int_equal(a->bytes, 64000000);
    assert_int_equal(a->when, 86400000000);
    assert_true(a->share > 0.24 && a->share < 0.26);
    assert_false(a->flag);
    assert_int_equal(a->color, 2);
    assert_int_equal(a->any.kind, DG_V_DICT);
    assert_int_equal(a->names.count, 2);
    assert_text(DG_ITEMS(Str, a->names)[1], "b");
    assert_text(DG_ITEMS(Part, a->parts)[1].name, "y");
    assert_int_equal(DG_ITEMS(Part, a->parts)[1].weight, 7);
    assert_text(DG_ITEMS(DgPair, a->labels)[1].value, "3");
    assert_int_equal(DG_ITEMS(DgValuePair, a->values)[0].value.kind, DG_V_FLOAT);
    assert_int_equal(a->many.count, 1);
    assert_text(DG_ITEMS(Str, a->many)[0], "one");
    assert_text(a->part.name, "p");
    assert_int_equal(a->store.variant, 1);
    assert_text(((const Cloud *)a->store.config)->bucket, "b");
    done(&f);
}

static void templates_are_computed_when_they_can_be(void **state)
{
    Filled f = {0};
    const All *a = fill(&f, "text: \"{{ word }} {{ five }}\"\nnumber: \"{{ five * 2 }}\"\n"
                            "names: \"{{ ['a', 'b'] }}\"\nany: \"{{ five }}\"\n");
    assert_text(said(&f), "");
    assert_text(a->text, "hello 5");
    assert_int_equal(a->number, 10);
    assert_int_equal(a->names.count, 2);
    assert_int_equal(a->any.as.i, 5);
    done(&f);
}

static void what_waits_for_the_environment_is_pending(void **state)
{
    Filled f = {0};
    const All *a = fill(&f, "number: \"{{ env.PORT }}\"\ntext: plain\n");
    assert_text(said(&f), "");
    assert_int_equal(a->number, 0);
    const ConfigPlace *place = config_place(&f.config, &a->number);
    assert_non_null(place);
    assert_non_null(place->pending);
    assert_int_equal(place->pending->phase, PHASE_START);
    assert_null(config_place(&f.config, &a->text)->pending);
    done(&f);
}

static void texts_keep_what_reads_as_a_number(void **state)
{
    Filled f = {0};
    const All *a = fill(&f, "text: \"3\"\nany: \"3\"\nlabels: {a: \"007\"}\n");
    assert_text(a->text, "3");
    assert_int_equal(a->any.kind, DG_V_INT); /* Dagster's literal_eval */
    assert_text(DG_ITEMS(DgPair, a->labels)[0].value, "007");
    done(&f);
}

static void wrong_kinds_say_what_was_found(void **state)
{
    expect_said("number: soon\n", "E0102 1:9 `number` must be an integer, found the text `soon`\n"
                                  "  help for example: `number: 10`\n");
    expect_said("number: 1.5\n", "E0102 1:9 `number` must be an integer, found the number `1.5`\n"
                                 "  help for example: `number: 10`\n");
    expect_said("text: true\n", "E0102 1:7 `text` must be a text, found the boolean `true`\n"
                                "  fix quote it to mean the text\n");
    expect_said("names: {a: 1}\n", "E0102 1:8 `names` must be a list, found a mapping\n"
                                "  help write its entries in brackets: `names: [a, b]`\n");
    expect_said("names: a\n", "E0102 1:8 `names` must be a list, found the text `a`\n"
                              "  fix write a list of one\n");
    expect_said("names: [[1]]\n", "E0102 1:9 an entry of `names` must be a text, found a list\n"
                                  "  fix write it without brackets\n");
    expect_said("text: {a: 1}\n", "E0102 1:7 `text` must be a text, found a mapping\n"
                                  "  help write one text, in quotes if it has `{`, `[` or `: ` in it\n");
    expect_said("labels: 5\n", "E0102 1:9 `labels` must be a mapping, found the integer `5`\n"
                               "  help write names and values: `labels: {name: value}`\n");
    expect_said("store: {type: disk, a: 1}\n",
                "E0107 1:21 `store` of type `disk` has no attribute `a`\n");
    expect_said("part: [1]\n", "E0102 1:7 `part` must be a mapping, found a list\n"
                               "  help for example: `{name: ...}`\n");
    expect_said("wait: soon\n",
                "E0102 1:7 `wait` must be a duration such as 90s or 1h30m, found the text `soon`\n"
                "  help for example: `wait: 5m`\n");
    expect_said("number: \"{{ word }}\"\n",
                "E0102 1:9 `number` must be an integer, but this template gives the text `hello`\n");
}

static void choices_and_bounds_are_kept(void **state)
{
    expect_said("color: gren\n", "E0110 1:8 `color` cannot be `gren`\n"
                                 "  fix a similar choice exists: `green`\n");
    expect_said("limited: 11\n", "E0111 1:10 `limited` must be from 1 to 10, found 11\n");
    expect_said("names: [a, b, c, d]\n",
                "E0111 1:9 `names` must have 0 to 3 entries, found 4\n");
    expect_said("type: integr\n", "E0110 1:7 `integr` is not a column type\n"
                                  "  help types are DuckDB's: bigint, double, varchar, boolean, date, "
                                  "timestamp, decimal(18,3), json...\n");
    expect_said("store: {type: disc, folder: x}\n",
                "E0110 1:15 `store` cannot have the type `disc`\n"
                "  fix a similar type exists: `disk`\n");
}

static void one_mistake_is_one_error(void **state)
{
    expect_said("part: {nmae: x}\n", "E0107 1:8 `part` has no attribute `nmae`\n"
                                     "  fix a similar attribute exists: `name`\n");
    expect_said("numbr: soon\n", "E0107 1:1 `test.All` has no attribute `numbr`\n"
                                 "  fix a similar attribute exists: `number`\n"
                                 "E0102 1:8 `number` must be an integer, found the text `soon`\n"
                                 "  help for example: `number: 10`\n");
    /* Never a fix that makes a key stand twice. */
    expect_said("number: 1\nnumbr: 2\n", "E0107 2:1 `test.All` has no attribute `numbr`\n");
}

static void missing_attributes_come_with_an_entry_to_add(void **state)
{
    expect_said("part: {weight: 1}\n", "E0106 1:1 `part` needs the attribute `name`\n"
                                       "  fix add `name: ...`\n");
    expect_said("parts:\n  - weight: 1\n",
                "E0106 2:5 an entry of `parts` needs the attribute `name`\n"
                                           "  fix add `name: ...`\n");
    expect_said("store: {folder: x}\n", "E0106 1:1 `store` needs `type`\n"
                                        "  help for example `type: disk`\n");
}

static void the_entry_to_add_fits_the_mapping(void **state)
{
    Filled f = {0};
    fill(&f, "parts:\n  - weight: 1\n");
    const DiagFix *fix = &f.diag.items.items[0]->fixes.items[0];
    assert_int_equal(fix->applicability, FIX_PLACEHOLDER);
    assert_text(fix->edits.items[0].text, "name: ...\n    ");
    done(&f);
    f = (Filled){0};
    fill(&f, "part: {weight: 1}\n");
    assert_text(f.diag.items.items[0]->fixes.items[0].edits.items[0].text, "name: ..., ");
    done(&f);
}

static void secrets_in_the_file_are_seen(void **state)
{
    expect_said("secret: abc\n", "W0502 1:9 a secret is written into the file\n"
                                 "  help read it when the pipeline starts: \"{{ env('MY_secret') }}\"\n");
    expect_said("text: ghp_0123456789abcdefghij\n",
                "W0502 1:7 a secret is written into the file\n"
                "  help read it when the pipeline starts: \"{{ env('MY_TOKEN') }}\"\n");
    expect_said("labels: {DB_PASSWORD: hunter2}\n",
                "W0502 1:23 `DB_PASSWORD` is written into the file\n"
                "  help read it when the pipeline starts: \"{{ env('DB_PASSWORD') }}\"\n");
    expect_said("labels: {api_token: q7Zk1vB9xW3mT5yN}\n",
                "W0502 1:21 `api_token` is written into the file\n"
                "  help read it when the pipeline starts: \"{{ env('api_token') }}\"\n");
}

static void names_of_secrets_are_no_secrets(void **state)
{
    expect_said("labels: {DB_PASSWORD: \"{{ env('P') }}\", token: orders-token, token_url: "
                "'https://a.example/T0ken1234567890abc', secret: projects/a/secrets/b12345678}\n", "");
}

static void values_that_must_be_known_say_so(void **state)
{
    expect_said("key: \"{{ env.KEY }}\"\n",
                "E0605 1:6 `key` must be known when the project is built\n"
                "  help write a plain value, or a template var; the environment is read only when "
                "the executable starts\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_where_nothing_is_given),
        cmocka_unit_test(what_is_read_when_building_is_a_constant),
        cmocka_unit_test(secrets_are_not_read_when_building),
        cmocka_unit_test(one_element_of_many_may_wait),
        cmocka_unit_test(each_kind_is_read),
        cmocka_unit_test(templates_are_computed_when_they_can_be),
        cmocka_unit_test(what_waits_for_the_environment_is_pending),
        cmocka_unit_test(texts_keep_what_reads_as_a_number),
        cmocka_unit_test(wrong_kinds_say_what_was_found),
        cmocka_unit_test(choices_and_bounds_are_kept),
        cmocka_unit_test(one_mistake_is_one_error),
        cmocka_unit_test(missing_attributes_come_with_an_entry_to_add),
        cmocka_unit_test(the_entry_to_add_fits_the_mapping),
        cmocka_unit_test(secrets_in_the_file_are_seen),
        cmocka_unit_test(names_of_secrets_are_no_secrets),
        cmocka_unit_test(values_that_must_be_known_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
