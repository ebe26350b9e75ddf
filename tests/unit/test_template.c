/* Templates: the tree, native types, scopes, partial evaluation. */
#include "tests/test.h"

#include <stdlib.h>

#include "compiler/template.h"

typedef struct Fixture {
    Arena arena;
    Sources sources;
    Diag diag;
    StrBuf out;
    TemplateCtx ctx;
    Scope *scope;
    int calls;
} Fixture;

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0);
    sources_init(&f->sources, &f->arena);
    diag_init(&f->diag, &f->arena, &f->sources);
    f->ctx = (TemplateCtx){.arena = &f->arena, .diag = &f->diag};
    f->scope = scope_new(&f->arena, NULL);
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

/* What a template becomes: a repr, `later PHASE` and the residual, or the first diagnostic. */
static Str shown(Fixture *f, TemplateMode mode, Str text)
{
    buf_free(&f->out);
    f->diag.items.count = 0;
    f->diag.errors_count = 0;
    uint32_t file = sources_add(&f->sources, S("t.sql"), text);
    TemplatePlace place = template_place_file(&f->sources, (Span){file, 0, (uint32_t)text.len});
    Template *t = template_parse(&f->ctx, text, place, mode);
    TemplateResult r = template_eval(&f->ctx, t, f->scope);
    if (r.failed) {
        assert_true(f->diag.items.count > 0);
        const DiagItem *it = f->diag.items.items[0];
        Place p = sources_place(&f->sources, it->at);
        buf_format(&f->out, "%s %u:%u-%u: %.*s", diag_code_name(it->code), p.line, p.column,
                   p.end_column, FMT(it->message));
        for (size_t i = 0; i < it->helps.count; i++)
            buf_format(&f->out, "; help: %.*s", FMT(it->helps.items[i]));
        for (size_t i = 0; i < it->fixes.count; i++)
            buf_format(&f->out, "; fix: %.*s", FMT(it->fixes.items[i].text));
    } else if (r.constant) {
        DgEval ev;
        dg_eval_init(&ev, &f->arena);
        dg_write_repr(&ev, &f->out, r.value);
        dg_eval_free(&ev);
    } else {
        buf_format(&f->out, "later %s\n", phase_name(r.phase));
        template_print(&r.residual, &f->out);
    }
    return buf_str(&f->out);
}

static void check(Fixture *f, TemplateMode mode, const char *text, const char *expected)
{
    Str got = shown(f, mode, str_from(text));
    assert_string_equal(str_cstr(&f->arena, got), expected);
}

static void native(Fixture *f, const char *text, const char *expected)
{
    check(f, TEMPLATE_NATIVE, text, expected);
}

static void sql(Fixture *f, const char *text, const char *expected)
{
    check(f, TEMPLATE_TEXT, text, expected);
}

static Str tree(Fixture *f, const char *text)
{
    buf_free(&f->out);
    TExpr *e = template_parse_expression(&f->ctx, str_from(text), (TemplatePlace){0});
    template_print_expr(e, &f->out);
    return buf_str(&f->out);
}

static void parses(Fixture *f, const char *text, const char *expected)
{
    assert_string_equal(str_cstr(&f->arena, tree(f, text)), expected);
}

static void expressions_have_the_precedence_of_jinja(void **state)
{
    Fixture *f = *state;
    parses(f, "delay / 60 + 1", "(add (div (name delay) (const 60)) (const 1))");
    parses(f, "upper(origin) ~ '-'", "(concat (call (name upper) (name origin)) (const '-'))");
    parses(f, "-2 ** 2", "(pow (neg (const 2)) (const 2))");
    parses(f, "not a in b", "(not (compare (name a) in (name b)))");
    parses(f, "1 < x <= 3", "(compare (const 1) < (name x) <= (const 3))");
    parses(f, "a or b and not c", "(or (name a) (and (name b) (not (name c))))");
    parses(f, "a.b[1:].c(1, k=2)|default('x')",
           "(filter default (call (attr (slice (attr (name a) b) (const 1) _ _) c) (const 1) "
           "k=(const 2)) (const 'x'))");
    parses(f, "x is not divisibleby 3 if y else z",
           "(if (name y) (not (test divisibleby (name x) (const 3))) (name z))");
}

static void plain_strings_become_python_literals(void **state)
{
    Fixture *f = *state;
    native(f, "123", "123");
    native(f, "1_000", "1000");
    native(f, "0x10", "16");
    native(f, "1e3", "1000.0");
    native(f, "True", "True");
    native(f, "true", "'true'");
    native(f, "None", "None");
    native(f, "'abc'", "'abc'");
    native(f, "{'a': (1, 2)}", "{'a': (1, 2)}");
    native(f, "1,2", "(1, 2)");
    native(f, "'a' 'b'", "'ab'");
    native(f, "...", "Ellipsis");
    native(f, "1+2j", "(1+2j)");
    native(f, "b'x'", "b'x'");
    native(f, "01", "'01'");
    native(f, "  5", "'  5'");
    native(f, "2024-01-01", "'2024-01-01'");
    native(f, "text\n", "'text'");
}

static void a_lone_value_keeps_its_kind(void **state)
{
    Fixture *f = *state;
    scope_value(f->scope, S("five"), dgv_str("5", 1));
    scope_value(f->scope, S("n"), dgv_int(7));
    native(f, "{{ five }}", "5");
    native(f, "{{ n }}.5", "7.5");
    native(f, "{{ n }}{{ n }}", "77");
    native(f, "{{ five ~ n }}", "57");
    native(f, "{{ [n, none] }}", "[7, None]");
    native(f, "{{ u | default('q') }}", "'q'");
    native(f, "{# only a comment #}", "None");
    sql(f, "{{ five }}\n", "'5\\n'");
}

static void what_comes_later_stays_a_tree(void **state)
{
    Fixture *f = *state;
    scope_env(f->scope);
    scope_later(f->scope, S("partition_key"), PHASE_RUN);
    scope_value(f->scope, S("n"), dgv_int(7));
    native(f, "{{ env.HOST }}", "later start\n[print (attr (name env) HOST)]\n");
    native(f, "{{ n + 1 }}-{{ env('A', n ~ 'x') }}",
           "later start\n[text \"8-\"]\n[print (call (name env) (const 'A') (const '7x'))]\n");
    sql(f, "select {% for c in ['a', 'b'] %}{{ c }}, {% endfor %}1 from t where d = "
           "{{ partition_key }}",
        "later run\n[text \"select a, b, 1 from t where d = \"]\n[print (name partition_key)]\n");
    sql(f, "{% if n %}a{% if partition_key %}b{% endif %}{% else %}c{% endif %}",
        "later run\n[text \"a\"]\n[if (name partition_key) [text \"b\"]]\n");
}

static void branches_of_later_set_locals(void **state)
{
    Fixture *f = *state;
    scope_later(f->scope, S("k"), PHASE_RUN);
    sql(f, "{% set x = 1 %}{% if k %}{% set x = 2 %}{% endif %}{{ x }}",
        "later run\n[set x0 (const 1)]\n[if (name k) [set x0 (const 2)]]\n[print (local x0)]\n");
    sql(f, "{% for v in k %}{{ loop.index }}{{ v }}{% endfor %}",
        "later run\n[for v0 (name k) [print (attr (local loop1) index)] [print (local v0)]]\n");
    sql(f, "{% set l = [] %}{% for v in k %}{% do l.append(v) %}{% endfor %}{{ l|length }}",
        "later run\n[set l0 (const [])]\n[for v1 (name k) [do (call (attr (local l0) append) "
        "(local v1))]]\n[print (filter length (local l0))]\n");
    sql(f, "{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(k) }}{{ m(1) }}",
        "later run\n[print (capture [set a0 (name k)] [text \"<\"] [print (local a0)] "
        "[text \">\"])]\n[text \"<1>\"]\n");
}

static DgStatus ref(void *ctx, DgEval *ev, const DgArgs *args, DgValue *out, DgError *err)
{
    ((Fixture *)ctx)->calls++;
    if (!args->count)
        return dg_fail(err, DG_DATA, "ref() needs a name");
    *out = dg_concat(ev, DG_ARGS(2, dgv_str("main.", 5), args->items[0]));
    return DG_OK;
}

static void functions_are_called_at_build_time(void **state)
{
    Fixture *f = *state;
    scope_function(f->scope, S("ref"), ref, f);
    scope_later(f->scope, S("is_incremental"), PHASE_RUN);
    sql(f, "select * from {{ ref('a') }}{% if is_incremental() %} where {{ ref('b') }}{% endif %}",
        "later run\n[text \"select * from main.a\"]\n[if (call (name is_incremental)) "
        "[text \" where main.b\"]]\n");
    assert_int_equal(f->calls, 2);
    sql(f, "{{ ref() }}", "E0603 1:4-9: ref() needs a name");
    sql(f, "{{ ref(is_incremental()) }}",
        "E0605 1:4-25: `ref` is needed at build time, but depends on a value that is known only "
        "when it runs; help: use only values that are known at build time here");
}

static void the_environment_is_read_when_the_executable_starts(void **state)
{
    Fixture *f = *state;
    scope_env(f->scope);
    native(f, "{{ env('A') }}{{ env.B }}",
           "later start\n[print (call (name env) (const 'A'))]\n[print (attr (name env) B)]\n");
    assert_int_equal(f->ctx.env_uses.count, 2);
    assert_true(f->ctx.env_uses.items[0].required);
    assert_false(f->ctx.env_uses.items[1].required);
    native(f, "{{ env['X'] }}",
           "E0603 1:4-12: `env` has no items: to access environment variables, use dot access or "
           "the `env` function; help: write `env.X` or `env('X')`");
}

static DgStatus secret_env(void *ctx, Str name, Str *out, bool *secret, DgError *err)
{
    if (!str_eq(name, S("TOKEN")))
        return DG_END;
    *out = S("hunter2");
    *secret = true;
    return DG_OK;
}

static void secrets_taint_what_is_made_of_them(void **state)
{
    Fixture *f = *state;
    scope_env(f->scope);
    f->scope->get_env = secret_env;
    Str text = S("Bearer {{ env.TOKEN | upper }}");
    Template *t = template_parse(&f->ctx, text, (TemplatePlace){0}, TEMPLATE_NATIVE);
    TemplateResult r = template_eval(&f->ctx, t, f->scope);
    assert_true(r.constant && r.value.secret);
    native(f, "{{ env.NOPE }}", "None");
    native(f, "{{ env('NOPE', 3) }}", "3");
    assert_true(str_starts(shown(f, TEMPLATE_NATIVE, S("{{ env('NOPE') }}")),
                           S("E0501 1:4-15: Environment variable NOPE is not set")));
}

static void dagster_names_make_records(void **state)
{
    Fixture *f = *state;
    DagsterScope settings = {.project_root = S("/p")};
    f->scope = scope_dagster(&f->arena, NULL, &settings);
    native(f, "{{ dg.DailyPartitionsDefinition(start_date='2024-01-01') }}",
           "DailyPartitionsDefinition(args=(), kwargs={'start_date': '2024-01-01'})");
    native(f, "{{ automation_condition.on_cron('@daily') }}",
           "AutomationCondition(method='on_cron', args=('@daily',), kwargs={})");
    native(f, "{{ dg.AutomationCondition.eager().with_label('x') }}",
           "AutomationCondition(method='with_label', on=AutomationCondition(method='eager', "
           "args=(), kwargs={}), args=('x',), kwargs={})");
    native(f, "{{ context.project_root }}/x{{ project_root }}", "'/p/x/p'");
    native(f, "{{ datetime.datetime(2024, 1, 31) + datetime.timedelta(days=1) }}",
           "datetime.datetime(2024, 2, 1, 0, 0)");
    native(f, "{{ datetime.datetime.now() }}",
           "later run\n[print (call (attr (const <class 'datetime.datetime'>) now))]\n");
    assert_true(str_starts(shown(f, TEMPLATE_NATIVE, S("{{ dg.Nope }}")),
                           S("E0603 1:4-11: Attribute 'Nope' is not accessible. Available "
                             "attributes: AutomationCondition, ")));
}

static void asset_keys_have_their_methods(void **state)
{
    Fixture *f = *state;
    DgEval ev;
    dg_eval_init(&ev, &f->arena);
    DgValue fields = dg_new_dict(&ev);
    dg_put_str(&ev, fields, "key", dg_asset_key(&ev, (Str[]){S("a"), S("b c")}, 2));
    scope_value(f->scope, S("spec"), dg_record(&f->arena, "AssetSpec", fields, NULL));
    dg_eval_free(&ev);
    native(f, "{{ spec.key.to_user_string() + '_suffix' }}", "'a/b c_suffix'");
    native(f, "{{ spec.key.path[-1] }}", "'b c'");
    native(f, "{{ spec.key.to_python_identifier() }}", "'a__b_c'");
    native(f, "{{ spec.key.with_prefix('x').to_user_string() }}", "'x/a/b c'");
}

static void expressions_fold_by_themselves(void **state)
{
    Fixture *f = *state;
    Phase phase;
    scope_later(f->scope, S("delay"), PHASE_ROW);
    TExpr *e = template_parse_expression(&f->ctx, S("delay / (30 * 2) + 1"), (TemplatePlace){0});
    e = template_fold(&f->ctx, e, (TemplatePlace){0}, f->scope, &phase);
    buf_free(&f->out);
    template_print_expr(e, &f->out);
    assert_string_equal(str_cstr(&f->arena, buf_str(&f->out)),
                        "(add (div (name delay) (const 60)) (const 1))");
    assert_int_equal(phase, PHASE_ROW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(expressions_have_the_precedence_of_jinja),
        T(plain_strings_become_python_literals),
        T(a_lone_value_keeps_its_kind),
        T(what_comes_later_stays_a_tree),
        T(branches_of_later_set_locals),
        T(functions_are_called_at_build_time),
        T(the_environment_is_read_when_the_executable_starts),
        T(secrets_taint_what_is_made_of_them),
        T(dagster_names_make_records),
        T(asset_keys_have_their_methods),
        T(expressions_fold_by_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
