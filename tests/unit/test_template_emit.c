/* Residual templates as C text. */
#include "tests/test.h"

#include <stdlib.h>

#include "codegen/emit_template.h"

static int32_t site(void *ctx, Span at)
{
    return (int32_t)at.start;
}

static void emits(const char *text, bool sites, const char *expected)
{
    Arena arena;
    arena_init(&arena, 0);
    Sources sources;
    sources_init(&sources, &arena);
    Diag diag;
    diag_init(&diag, &arena, &sources);
    TemplateCtx ctx = {.arena = &arena, .diag = &diag};
    Scope *scope = scope_new(&arena, NULL);
    scope_env(scope);
    scope_later(scope, S("key"), PHASE_RUN);
    scope_later(scope, S("rows"), PHASE_RUN);
    scope_later(scope, S("is_incremental"), PHASE_RUN);
    Template *t = template_parse(&ctx, str_from(text), (TemplatePlace){0}, TEMPLATE_TEXT);
    TemplateResult r = template_eval(&ctx, t, scope);
    assert_false(r.failed || r.constant);
    Emit *e = emit_new(&arena, &sources, false);
    EmitTemplate how = {.diag = &diag, .site = sites ? site : NULL};
    assert_true(emit_template(e, S("orders"), &r.residual, &how));
    Str code = emit_finish(e);
    Str head = S("static DgStatus orders(DgEval *ev, DgValue *out, DgError *err)\n{\n");
    ptrdiff_t start = str_find(code, head);
    assert_true(start >= 0);
    code = str_sub(code, start + head.len, code.len);
    assert_string_equal(str_cstr(&arena, code), expected);
    arena_free(&arena);
}

static void text_reads_line_by_line(void **state)
{
    emits("select *\nfrom t\nwhere k = '{{ key }}'\n", false,
          "    dg_begin(ev, DG_RENDER_TEXT);\n"
          "    dg_text(ev, \"select *\\n\"\n"
          "                \"from t\\n\"\n"
          "                \"where k = '\", 27);\n"
          "    dg_print(ev, dg_var(ev, \"key\"));\n"
          "    dg_text(ev, \"'\\n\", 2);\n"
          "    return dg_end(ev, out, err);\n"
          "}\n");
}

static void branches_and_operators_are_plain_c(void **state)
{
    emits("{% if is_incremental() and key != 'all' %}{{ (key ~ '-x')|upper }}{% endif %}", false,
          "    dg_begin(ev, DG_RENDER_TEXT);\n"
          "    if ((dg_truthy(ev, dg_call(ev, dg_var(ev, \"is_incremental\"), DG_NO_ARGS)) && "
          "!dg_eq(ev, dg_var(ev, \"key\"), dgv_str(\"all\", 3)))) {\n"
          "        dg_print(ev, dg_filter_upper(ev, DG_ARGS(1, dg_concat(ev, DG_ARGS(2, "
          "dg_var(ev, \"key\"), dgv_str(\"-x\", 2))))));\n"
          "    }\n"
          "    return dg_end(ev, out, err);\n"
          "}\n");
}

static void loops_and_locals_keep_their_names(void **state)
{
    emits("{% set sep = env.SEP or ',' %}{% for r in rows %}{{ r.id }}{{ sep if not loop.last }}"
          "{% else %}none{% endfor %}", true,
          "    DgValue v_sep = dgv_undefined();\n"
          "    DgValue v_r = dgv_undefined();\n"
          "    DgValue v_loop = dgv_undefined();\n"
          "    dg_begin(ev, DG_RENDER_TEXT);\n"
          "    dg_site(ev, 0);\n"
          "    DgValue t1 = dg_env_get(ev, \"SEP\");\n"
          "    if (!dg_truthy(ev, t1)) {\n"
          "        t1 = dgv_str(\",\", 1);\n"
          "    }\n"
          "    v_sep = t1;\n"
          "    DgLoop l2;\n"
          "    dg_loop(ev, &l2, dg_var(ev, \"rows\"));\n"
          "    v_loop = l2.loop;\n"
          "    while (dg_next(ev, &l2, &v_r)) {\n"
          "        dg_print(ev, dg_attr(ev, v_r, \"id\"));\n"
          "        DgValue t3 = dgv_undefined();\n"
          "        if (!dg_truthy(ev, dg_attr(ev, v_loop, \"last\"))) {\n"
          "            t3 = v_sep;\n"
          "        }\n"
          "        dg_print(ev, t3);\n"
          "    }\n"
          "    if (l2.at == 0) {\n"
          "        dg_text(ev, \"none\", 4);\n"
          "    }\n"
          "    return dg_end(ev, out, err);\n"
          "}\n");
}

static void values_are_made_in_place(void **state)
{
    Arena arena;
    arena_init(&arena, 0);
    DgEval ev;
    dg_eval_init(&ev, &arena);
    StrBuf b = {0};
    DgValue d = dg_new_dict(&ev);
    dg_put_str(&ev, d, "a", dg_list(&ev, (DgValue[]){dgv_int(1), dgv_float(2.5), dgv_none()}, 3));
    assert_true(emit_value(&arena, d, &b));
    assert_string_equal(str_cstr(&arena, buf_str(&b)),
                        "dg_dict(ev, (DgValue[1]){dgv_str(\"a\", 1)}, (DgValue[1]){dg_list(ev, "
                        "(DgValue[3]){dgv_int(1), dgv_float(2.5), dgv_none()}, 3)}, 1)");
    assert_false(emit_value(&arena, dgv_taint(dgv_int(1), true), &b)); /* secrets stay out */
    buf_free(&b);
    dg_eval_free(&ev);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_reads_line_by_line),
        cmocka_unit_test(branches_and_operators_are_plain_c),
        cmocka_unit_test(loops_and_locals_keep_their_names),
        cmocka_unit_test(values_are_made_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
