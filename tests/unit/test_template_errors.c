/* What templates say when they are wrong: code, place, words, help. */
#include "tests/test.h"

#include <stdlib.h>

#include "compiler/template.h"

typedef struct Fixture {
    Arena arena;
    Sources sources;
    Diag diag;
    StrBuf out;
} Fixture;

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0);
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

/* One line for each diagnostic of a YAML file whose value at `key` is a template. */
static void says(Fixture *f, const char *yaml, const char *expected)
{
    buf_free(&f->out);
    f->sources = (Sources){0};
    sources_init(&f->sources, &f->arena);
    diag_init(&f->diag, &f->arena, &f->sources);
    uint32_t file = sources_add(&f->sources, S("defs.yaml"), str_from(yaml));
    YamlFile y = yaml_parse(&f->arena, &f->diag, file);
    YamlNode *node = yaml_get(y.documents.items[0], S("key"));
    TemplateCtx ctx = {.arena = &f->arena, .diag = &f->diag};
    Scope *scope = scope_new(&f->arena, NULL);
    scope_env(scope);
    scope_value(scope, S("partition_dates"), dgv_int(5));
    scope_value(scope, S("text"), dgv_str("abc", 3));
    Template *t = template_parse(&ctx, node->text, template_place_yaml(&f->sources, node),
                                 TEMPLATE_NATIVE);
    TemplateResult r = template_eval(&ctx, t, scope);
    assert_true(r.failed == diag_failed(&f->diag));
    for (size_t i = 0; i < f->diag.items.count; i++) {
        const DiagItem *it = f->diag.items.items[i];
        Place p = sources_place(&f->sources, it->at);
        buf_format(&f->out, "%s %u:%u-%u:%u %.*s\n", diag_code_name(it->code), p.line, p.column,
                   p.end_line, p.end_column, FMT(it->message));
        for (size_t k = 0; k < it->helps.count; k++)
            buf_format(&f->out, "  help: %.*s\n", FMT(it->helps.items[k]));
        for (size_t k = 0; k < it->fixes.count; k++)
            buf_format(&f->out, "  fix: %.*s\n", FMT(it->fixes.items[k].text));
        for (size_t k = 0; k < it->notes.count; k++)
            buf_format(&f->out, "  note: %.*s\n", FMT(it->notes.items[k]));
        for (size_t k = 0; k < it->labels.count; k++)
            buf_format(&f->out, "  label: %.*s\n", FMT(it->labels.items[k].text));
    }
    assert_string_equal(str_cstr(&f->arena, buf_str(&f->out)), expected);
}

static void an_unclosed_tag_is_named(void **state)
{
    Fixture *f = *state;
    says(f, "key: \"a {{ text\"\n",
         "E0601 1:9-1:11 `{{` is not closed\n  help: end it with `}}`\n");
    says(f, "key: 'a {# text'\n",
         "E0601 1:9-1:11 `{#` is not closed\n  help: end the comment with `#}`\n");
    says(f, "key: '{{ f(1 }}'\n",
         "E0601 1:11-1:12 `(` is not closed\n  help: put `)` before `}}`\n");
    says(f, "key: |\n  {% if text %}\n  a\n",
         "E0601 2:3-2:16 `{% if %}` is not closed\n  help: add `{% endif %}`\n");
}

static void an_unknown_filter_suggests_the_nearest(void **state)
{
    Fixture *f = *state;
    says(f, "key: '{{ text | uper }}'\n",
         "E0601 1:17-1:21 there is no filter `uper`\n  fix: a similar filter exists: `upper`\n");
    says(f, "key: '{{ text is definde }}'\n",
         "E0601 1:18-1:25 there is no test `definde`\n  fix: a similar test exists: `defined`\n");
    says(f, "key: '{% fro x in y %}'\n",
         "E0601 1:10-1:13 unknown tag `fro`\n  fix: a similar tag exists: `for`\n");
}

static void an_unknown_name_lists_what_is_in_scope(void **state)
{
    Fixture *f = *state;
    says(f, "key: 'x {{ partition_date }}'\n",
         "E0602 1:12-1:26 `partition_date` is not in scope\n"
         "  fix: a similar name exists: `partition_dates`\n"
         "  note: in scope are: env, partition_dates, text\n");
    says(f, "key: 'x {{ zzz.y }}'\n",
         "E0602 1:12-1:15 `zzz` is not in scope\n"
         "  note: in scope are: env, partition_dates, text\n");
    says(f, "key: 'x {{ text.nope }}'\n", "E0602 1:12-1:21 `text` has no attribute `nope`\n");
    says(f, "key: '{{ zzz is defined }}'\n", "");
}

static void values_that_do_not_fit_are_named(void **state)
{
    Fixture *f = *state;
    says(f, "key: '{{ text + 1 }}'\n", "E0603 1:10-1:18 `+` does not work between str and int\n");
    says(f, "key: '{{ 1 // 0 }}'\n", "E0603 1:10-1:16 division by zero\n");
    says(f, "key: '{{ 9223372036854775807 + 1 }}'\n",
         "E0603 1:10-1:33 the result of `+` does not fit into 64 bits\n");
    says(f, "key: '{{ text.uper() }}'\n",
         "E0603 1:10-1:21 a value of type str has no method `uper`\n");
}

static void limits_are_named(void **state)
{
    Fixture *f = *state;
    says(f, "key: '{% for i in range(2000000) %}{% endfor %}'\n",
         "E0604 1:19-1:33 the template takes more than 1000000 steps\n");
    says(f, "key: \"{{ 'x' * 99999999 }}\"\n",
         "E0604 1:10-1:24 the template makes more than 16777216 bytes of text\n");
    says(f, "key: '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'\n",
         "E0604 1:25-1:28 the template nests deeper than 64 levels\n");
}

static void places_in_block_scalars_are_exact(void **state)
{
    Fixture *f = *state;
    says(f, "key: |\n  first line\n  second {{ nope }}\n",
         "E0602 3:13-3:17 `nope` is not in scope\n"
         "  note: in scope are: env, partition_dates, text\n");
    says(f, "key: \"tab\\t{{ nope }}\"\n",
         "E0602 1:15-1:19 `nope` is not in scope\n"
         "  note: in scope are: env, partition_dates, text\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(an_unclosed_tag_is_named),
        T(an_unknown_filter_suggests_the_nearest),
        T(an_unknown_name_lists_what_is_in_scope),
        T(values_that_do_not_fit_are_named),
        T(limits_are_named),
        T(places_in_block_scalars_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
