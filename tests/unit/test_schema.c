/* JSON Schema: well formed, and with the field tables' types, bounds and choices in it. */
#include "compiler/schema.h"

#include "compiler/registry.h"
#include "compiler/yaml.h"
#include "tests/test.h"

typedef struct Schema {
    Arena arena;
    Sources sources;
    Diag diag;
    YamlNode *root;
} Schema;

/* JSON is YAML, so our own reader judges it. */
static void read_schema(Schema *s, StrBuf *text)
{
    arena_init(&s->arena, 0);
    sources_init(&s->sources, &s->arena);
    diag_init(&s->diag, &s->arena, &s->sources);
    uint32_t file = sources_add(&s->sources, S("schema.json"), buf_str(text));
    YamlFile parsed = yaml_parse(&s->arena, &s->diag, file);
    assert_int_equal(s->diag.items.count, 0);
    assert_int_equal(parsed.documents.count, 1);
    s->root = parsed.documents.items[0];
}

static YamlNode *at(YamlNode *node, const char *path)
{
    for (Str rest = str_from(path), part; node && rest.len;) {
        str_cut(rest, '.', &part, &rest);
        int64_t index;
        bool is_index = node->kind == YAML_LIST && str_to_int(part, &index);
        node = is_index ? node->as.list.items[index] : yaml_get(node, part);
    }
    return node;
}

typedef struct Part {
    Str name;
} Part;
typedef struct All {
    int64_t count;
    int32_t color;
    bool flag;
    Part part;
    DgList parts;
} All;
static const char *const colors[] = {"red", "blue", NULL};
static const DgField part_fields[] = {
    DG_FIELD_STRING(Part, name, .flags = DG_REQUIRED | DG_SHORTHAND), {0}};
static const DgField fields[] = {
    DG_FIELD_INT(All, count, .min = 1, .max = 9, .fallback = "3", .doc = "How \"many\"."),
    DG_FIELD_ENUM(All, color, .choices = colors),
    DG_FIELD_BOOL(All, flag, .flags = DG_REQUIRED),
    DG_FIELD_STRUCT(All, part, Part, part_fields),
    DG_FIELD_STRUCTS(All, parts, Part, part_fields, .flags = DG_ONE_OR_MANY),
    {0},
};
static const char *const aliases[] = {"test.Old", NULL};
static const DgComponent component = {.name = "test.All", .aliases = aliases, .summary = "A test.",
                                      .fields = fields, .config_size = sizeof(All)};

static void one_type_has_its_fields(void **state)
{
    Schema s = {0};
    StrBuf text = {0};
    schema_component(&component, &text);
    read_schema(&s, &text);
    YamlNode *a = at(s.root, "properties.attributes");
    assert_text(at(s.root, "$schema")->text, "http://json-schema.org/draft-07/schema#");
    assert_text(at(s.root, "properties.type.enum.1")->text, "test.Old");
    assert_text(at(a, "properties.count.description")->text, "How \"many\".");
    assert_int_equal(at(a, "properties.count.default")->as.i, 3);
    assert_int_equal(at(a, "properties.count.anyOf.0.anyOf.0.maximum")->as.i, 9);
    assert_text(at(a, "properties.color.anyOf.0.anyOf.0.enum.1")->text, "blue");
    assert_text(at(a, "properties.flag.anyOf.0.anyOf.1.pattern")->text, "\\{[{%]");
    assert_int_equal(at(a, "properties.flag.anyOf")->as.list.count, 1); /* null is not allowed */
    assert_text(at(a, "required.0")->text, "flag");
    assert_false(at(a, "additionalProperties")->as.b);
    assert_text(at(a, "properties.part.anyOf.0.anyOf.1.required.0")->text, "name");
    assert_text(at(a, "properties.parts.anyOf.0.anyOf.0.type")->text, "array");
    buf_free(&text);
    arena_free(&s.arena);
}

static void all_types_are_chosen_by_type(void **state)
{
    Schema s = {0};
    StrBuf text = {0};
    schema_all(&text);
    read_schema(&s, &text);
    size_t compiled = 0;
    for (size_t i = 0; i < registry_count(); i++) {
        const DgComponent *c = registry_at(i);
        if (c->needs_python)
            continue;
        compiled++;
        assert_non_null(yaml_get(at(s.root, "definitions"), str_from(c->name)));
    }
    assert_int_equal(at(s.root, "allOf")->as.list.count, compiled);
    assert_non_null(at(s.root, "allOf.0.then.properties.attributes.$ref"));
    buf_free(&text);
    arena_free(&s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_type_has_its_fields),
        cmocka_unit_test(all_types_are_chosen_by_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
