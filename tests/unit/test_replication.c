/* Replications: how a stream's settings come from its own keys and from `defaults`. */
#include "runtime/copy/settings.h"
#include "runtime/eval/value.h"
#include "tests/support/fixture.h"
#include "tests/test.h"

#define COMPONENT                                                             \
    "-- defs/a/defs.yaml --\ntype: dagster_sling.SlingReplicationCollectionComponent\n" \
    "attributes: {replications: [{path: r.yaml}]}\n-- defs/a/r.yaml --\n"

/* The step of a stream; NULL when there is none. */
static const DgStreamStep *step_of(const Fixture *f, const char *stream)
{
    for (size_t i = 0; i < f->c.plan.steps.count; i++) {
        const DgStreamStep *step = f->c.plan.steps.items[i]->config;
        if (str_eq(step->stream, str_from(stream)))
            return step;
    }
    return NULL;
}

static Str item(DgList list, size_t i)
{
    return i < list.count ? DG_ITEMS(DgStr, list)[i] : S("(none)");
}

static Str text_at(DgValue dict, const char *key)
{
    const DgValue *v = dgv_get_str(dict, str_from(key));
    return v && v->kind == DG_V_STR ? v->as.s : S("(none)");
}

static void a_streams_own_keys_win_one_by_one(void **state)
{
    Fixture f = {0};
    fixture_open(&f, COMPONENT "source: A\ntarget: B\n"
                               "defaults: {mode: incremental, primary_key: [id, part], update_key: at, object: o, where: x > 1}\n"
                               "streams:\n  own: {primary_key: other, where: y > 2}\n  none:\n");
    assert_text(fixture_errors(&f), "");
    const DgStreamSettings *own = &step_of(&f, "own")->settings, *none = &step_of(&f, "none")->settings;
    assert_int_equal(own->mode, DG_COPY_INCREMENTAL);
    assert_int_equal(own->primary_key.count, 1); /* replaced whole, not joined */
    assert_text(item(own->primary_key, 0), "other");
    assert_text(own->where, "y > 2");
    assert_text(own->update_key, "at");
    assert_int_equal(none->primary_key.count, 2);
    assert_text(item(none->primary_key, 1), "part");
    assert_text(none->where, "x > 1");
    assert_text(none->key, "none");
    fixture_close(&f);
}

static void options_are_merged_key_by_key(void **state)
{
    Fixture f = {0};
    fixture_open(&f, COMPONENT "source: A\ntarget: B\n"
                               "defaults: {source_options: {header: false, limit: 10}, target_options: {header: false, column_casing: snake}}\n"
                               "streams:\n  s: {source_options: {limit: 0, delimiter: ';'}, target_options: {add_new_columns: false}}\n");
    assert_text(fixture_errors(&f), "");
    const DgStreamSettings *s = &step_of(&f, "s")->settings;
    assert_int_equal(s->source_options.header, 2);
    assert_int_equal(s->source_options.limit, 0); /* said, although it is the default */
    assert_text(s->source_options.delimiter, ";");
    assert_int_equal(s->target_options.header, 2);
    assert_int_equal(s->target_options.add_new_columns, 2);
    assert_int_equal(s->target_options.use_bulk, 0);
    assert_text(s->target_options.column_casing, "snake");
    fixture_close(&f);
}

static void what_belongs_to_one_stream_is_not_inherited(void **state)
{
    Fixture f = {0};
    fixture_open(&f, COMPONENT "source: A\ntarget: B\ndefaults: {id: all, description: of all}\nstreams:\n  s:\n  t: {id: t, description: of t}\n");
    assert_text(fixture_errors(&f), "");
    assert_text(step_of(&f, "s")->settings.id, "");
    assert_text(step_of(&f, "s")->settings.description, "");
    assert_text(step_of(&f, "t")->settings.description, "of t");
    fixture_close(&f);
}

static void columns_with_a_plus_add_to_the_defaults(void **state)
{
    Fixture f = {0};
    fixture_open(&f, COMPONENT "source: A\ntarget: B\ndefaults: {columns: {id: bigint, Note: text, gone: date}}\n"
                               "streams:\n  plain: {columns: {x: integer}}\n"
                               "  adds: {columns: {+x: integer, +note: json, +gone: ''}}\n"
                               "  list: {columns: [{name: +x, type: integer}]}\n"
                               "  none:\n");
    assert_text(fixture_errors(&f), "");
    DgValue plain = step_of(&f, "plain")->settings.columns, adds = step_of(&f, "adds")->settings.columns;
    DgValue list = step_of(&f, "list")->settings.columns, none = step_of(&f, "none")->settings.columns;
    assert_int_equal(plain.as.dict->count, 1);
    assert_int_equal(adds.as.dict->count, 3);
    assert_text(text_at(adds, "id"), "bigint");
    assert_text(text_at(adds, "x"), "integer");
    assert_text(text_at(adds, "note"), "json");
    assert_text(text_at(adds, "gone"), "(none)");
    assert_int_equal(list.as.dict->count, 4);
    assert_text(text_at(list, "x"), "integer");
    assert_int_equal(none.as.dict->count, 3);
    fixture_close(&f);
}

static void old_places_of_columns_still_count(void **state)
{
    Fixture f = {0};
    fixture_open(&f, COMPONENT "source: A\ntarget: B\nstreams:\n  s: {source_options: {columns: {id: bigint}}}\n"
                               "  both: {columns: {id: text}, source_options: {columns: {id: bigint}}}\n");
    assert_text(text_at(step_of(&f, "s")->settings.columns, "id"), "bigint");
    assert_text(text_at(step_of(&f, "both")->settings.columns, "id"), "text");
    assert_int_equal(step_of(&f, "s")->settings.source_options.columns.kind, DG_V_NONE);
    fixture_close(&f);
}

static void a_mode_that_is_not_said_follows_from_the_keys(void **state)
{
    Fixture f = {0};
    fixture_open(&f, COMPONENT "source: A\ntarget: B\nstreams:\n  a:\n  b: {primary_key: id}\n  c: {update_key: '${KEY}'}\n  d: {mode: truncate, primary_key: id}\n");
    assert_text(fixture_errors(&f), "");
    assert_int_equal(step_of(&f, "a")->settings.mode, DG_COPY_FULL_REFRESH);
    assert_int_equal(step_of(&f, "b")->settings.mode, DG_COPY_INCREMENTAL);
    assert_int_equal(step_of(&f, "c")->settings.mode, DG_COPY_INCREMENTAL); /* known when the run starts */
    assert_int_equal(step_of(&f, "d")->settings.mode, DG_COPY_TRUNCATE);
    fixture_close(&f);
}

static void select_may_begin_with_the_columns(void **state)
{
    Fixture f = {0};
    fixture_open(&f, COMPONENT "source: A\ntarget: B\nstreams:\n  s: {select: ['@columns', ID, extra], columns: {id: bigint, b: text, '*': text}}\n");
    assert_text(fixture_errors(&f), "");
    DgList select = step_of(&f, "s")->settings.select;
    assert_int_equal(select.count, 3);
    assert_text(item(select, 0), "id");
    assert_text(item(select, 1), "b");
    assert_text(item(select, 2), "extra");
    fixture_close(&f);
}

static void a_wildcard_leaves_out_what_has_an_entry(void **state)
{
    Fixture f = {0};
    fixture_open(&f, COMPONENT "source: A\ntarget: B\ndefaults: {object: 'm.{stream_table}'}\n"
                               "streams:\n  p.*:\n  p.big: {disabled: true}\n  p.own: {object: m.mine}\n  p.a_*:\n");
    assert_text(fixture_errors(&f), "");
    const DgStreamStep *all = step_of(&f, "p.*"), *some = step_of(&f, "p.a_*");
    assert_null(step_of(&f, "p.big"));
    assert_non_null(step_of(&f, "p.own"));
    assert_int_equal(all->excluded.count, 2);
    assert_text(item(all->excluded, 0), "p.big");
    assert_int_equal(some->excluded.count, 3); /* and what an earlier wildcard takes */
    assert_text(item(some->excluded, 0), "p.*");
    fixture_close(&f);
}

static void names_in_braces_are_known(void **state)
{
    DgType type;
    assert_true(dg_variable_known(S("stream_table")) && dg_variable_known(S("stream.table")));
    assert_true(dg_variable_known(S("stream.file_name")) && dg_variable_known(S("YYYY")));
    assert_false(dg_variable_known(S("stream-table")) || dg_variable_known(S("stream.tables")) || dg_variable_known(S("")));
    assert_true(dg_placeholder_known(S("incremental_value")) && !dg_variable_known(S("incremental_value")));
    for (size_t i = 0; dg_column_type_names[i]; i++)
        assert_true(dg_column_type(str_from(dg_column_type_names[i]), &type));
    assert_true(dg_column_type(S(" Decimal(10, 2) "), &type) && type.precision == 10 && type.scale == 2);
    assert_false(dg_column_type(S("bigit"), &type) || dg_column_type(S(""), &type));
}

static void two_streams_never_share_a_step_name(void **state)
{
    Fixture f = {0};
    fixture_open(&f, COMPONENT "source: A\ntarget: B\nstreams:\n  a-b: {object: m.x}\n  a_b: {object: m.y}\n  a.b: {object: m.z}\n");
    assert_text(fixture_errors(&f), "");
    assert_int_equal(f.c.plan.steps.count, 3);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_streams_own_keys_win_one_by_one), cmocka_unit_test(options_are_merged_key_by_key),
        cmocka_unit_test(what_belongs_to_one_stream_is_not_inherited), cmocka_unit_test(columns_with_a_plus_add_to_the_defaults),
        cmocka_unit_test(old_places_of_columns_still_count), cmocka_unit_test(a_mode_that_is_not_said_follows_from_the_keys),
        cmocka_unit_test(select_may_begin_with_the_columns), cmocka_unit_test(a_wildcard_leaves_out_what_has_an_entry),
        cmocka_unit_test(names_in_braces_are_known), cmocka_unit_test(two_streams_never_share_a_step_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
