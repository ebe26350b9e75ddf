/* fuzz_template.c - any bytes as a template: parsed, folded with everything known, folded again
 * with variables of later, emitted as C. The first byte chooses the mode.
 *
 *   clang -g -DLIBFUZZER -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_template.c ...
 *   ./fuzz_template -dict=tests/fuzz/template.dict tests/fuzz/corpus/fuzz_template
 */
#include "tests/fuzz/replay.h"

#include <stdlib.h>

#include "codegen/emit_template.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void names(Arena *arena, Scope *known, Scope *later)
{
    static const char *const vars[] = {"{'a': 1, 'b': [1, 2, {'c': 'x'}]}", "[3, 'one', None]",
                                       "'text'", "7", "2.5", "('t', [1])"};
    static const char *const called[] = {"d", "xs", "s", "n", "f", "t"};
    DgEval ev;
    dg_eval_init(&ev, arena);
    for (size_t i = 0; i < sizeof vars / sizeof *vars; i++) {
        DgValue v;
        check(dg_literal_eval(&ev, str_from(vars[i]), &v));
        scope_value(known, str_from(called[i]), v);
        scope_later(later, str_from(called[i]), i % 2 ? PHASE_RUN : PHASE_START);
    }
    dg_eval_free(&ev);
    scope_env(known);
    scope_env(later);
}

static void evaluate(TemplateCtx *ctx, Sources *sources, const Template *t, const Scope *scope)
{
    TemplateResult r = template_eval(ctx, t, scope);
    check(r.failed == diag_failed(ctx->diag));
    if (r.failed || r.constant)
        return;
    Emit *e = emit_new(ctx->arena, sources, true);
    EmitTemplate how = {.diag = ctx->diag};
    emit_template(e, S("fuzzed"), &r.residual, &how);
    emit_finish(e);
    StrBuf b = {0};
    template_print(&r.residual, &b);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 1 || size > 1 << 16)
        return 0;
    static const TemplateMode modes[] = {TEMPLATE_NATIVE, TEMPLATE_TEXT, TEMPLATE_EXPR};
    Str text = {(const char *)bytes + 1, (ptrdiff_t)size - 1};
    for (int round = 0; round < 2; round++) {
        Arena arena;
        arena_init(&arena, (size_t)4 << 30);
        Sources sources;
        sources_init(&sources, &arena);
        Diag diag;
        diag_init(&diag, &arena, &sources);
        TemplateCtx ctx = {.arena = &arena, .diag = &diag, .lenient = bytes[0] & 8};
        uint32_t file = sources_add(&sources, S("t.sql"), text);
        Span at = {file, 0, (uint32_t)text.len};
        Template *t = template_parse(&ctx, text, template_place_file(&sources, at),
                                     modes[bytes[0] % 3]);
        check(t->broken == diag_failed(&diag));
        Scope *known = scope_new(&arena, NULL), *later = scope_new(&arena, NULL);
        names(&arena, known, later);
        if (!t->broken)
            evaluate(&ctx, &sources, t, round ? later : known);
        for (size_t i = 0; i < diag.items.count; i++)
            check(diag.items.items[i]->at.end <= (uint32_t)text.len);
        arena_free(&arena);
    }
    return 0;
}
