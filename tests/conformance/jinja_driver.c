/* jinja_driver.c - evaluates templates for jinja.py.
 *
 * Each line of standard input is a Python dict: {'template': text, 'mode': 'native' | 'text',
 * 'vars': {...}}. One line of JSON comes back for each: {"ok": true, "repr": ...} or
 * {"ok": false, "error": ...}.
 *
 *   jinja_driver fold   variables are known: everything is folded
 *   jinja_driver emit   variables come later: prints C with one function for each residual
 *   jinja_driver run    calls those functions; this file and that C are linked into one program
 */
#include <stdio.h>
#include <stdlib.h>

#include "codegen/emit_template.h"

/* Defined by the emitted C; NULL entries have no residual. */
extern const DgTemplateFn emitted_templates[] __attribute__((weak));

typedef struct Case {
    Str text;
    TemplateMode mode;
    DgValue vars;
} Case;

static bool read_case(Arena *arena, Str line, Case *out)
{
    DgEval ev;
    DgValue v;
    dg_eval_init(&ev, arena);
    bool ok = dg_literal_eval(&ev, line, &v) && v.kind == DG_V_DICT;
    dg_eval_free(&ev);
    if (!ok)
        return false;
    out->text = dgv_get_str(v, S("template"))->as.s;
    out->mode = str_eq(dgv_get_str(v, S("mode"))->as.s, S("native")) ? TEMPLATE_NATIVE
                                                                     : TEMPLATE_TEXT;
    out->vars = *dgv_get_str(v, S("vars"));
    return true;
}

static Scope *scope_of(Arena *arena, const Case *c, bool later)
{
    Scope *s = scope_new(arena, NULL);
    for (size_t i = 0; i < c->vars.as.dict->count; i++) {
        Str name = c->vars.as.dict->keys[i].as.s;
        if (later)
            scope_later(s, name, PHASE_RUN);
        else
            scope_value(s, name, c->vars.as.dict->values[i]);
    }
    return s;
}

static void answer(Arena *arena, bool ok, Str text)
{
    StrBuf b = {0};
    buf_format(&b, "{\"ok\": %s, \"%s\": ", ok ? "true" : "false", ok ? "repr" : "error");
    buf_json(&b, text);
    buf_add(&b, S("}\n"));
    fwrite(b.ptr, 1, b.len, stdout);
    buf_free(&b);
}

static Str repr_of(Arena *arena, DgValue v)
{
    DgEval ev;
    dg_eval_init(&ev, arena);
    Str s = dg_to_repr(&ev, v);
    dg_eval_free(&ev);
    return s;
}

static TemplateResult evaluate(Arena *arena, Diag *diag, Sources *sources, const Case *c,
                               bool later)
{
    TemplateCtx ctx = {.arena = arena, .diag = diag, .lenient = true};
    uint32_t file = sources_add(sources, S("case.sql"), c->text);
    TemplatePlace place = template_place_file(sources, (Span){file, 0, (uint32_t)c->text.len});
    Template *t = template_parse(&ctx, c->text, place, c->mode);
    return template_eval(&ctx, t, scope_of(arena, c, later));
}

static void fold_case(Arena *arena, const Case *c)
{
    Sources sources;
    Diag diag;
    sources_init(&sources, arena);
    diag_init(&diag, arena, &sources);
    TemplateResult r = evaluate(arena, &diag, &sources, c, false);
    if (r.failed)
        answer(arena, false, diag.items.count ? diag.items.items[0]->message : S("no message"));
    else if (!r.constant)
        answer(arena, false, S("a residual, though everything is known"));
    else
        answer(arena, true, repr_of(arena, r.value));
}

static DgStatus get_var(void *ctx, DgEval *ev, Str name, DgValue *out, DgError *err)
{
    const DgValue *v = dgv_get_str(*(const DgValue *)ctx, name);
    if (!v)
        return DG_END;
    *out = *v;
    return DG_OK;
}

static void run_case(Arena *arena, const Case *c, size_t index)
{
    DgError err = {0};
    DgValue v, vars = c->vars;
    DgEval ev;
    if (!emitted_templates[index]) {
        puts("{\"ok\": null}");
        return;
    }
    dg_eval_init(&ev, arena);
    ev.ctx = &vars;
    ev.get_var = get_var;
    DgStatus s = emitted_templates[index](&ev, &v, &err);
    dg_eval_free(&ev);
    answer(arena, s == DG_OK, s == DG_OK ? repr_of(arena, v) : str_from(err.message));
}

typedef struct Emission {
    Arena arena;
    Sources sources;
    Diag diag;
    Emit *e;
} Emission;

static void emit_case(Emission *m, const Case *c, size_t index)
{
    TemplateResult r = evaluate(&m->arena, &m->diag, &m->sources, c, true);
    Str name = str_format(&m->arena, "template_%zu", index);
    emit_section(m->e, EMIT_TABLES);
    EmitTemplate how = {.diag = &m->diag};
    bool ok = !r.failed && !r.constant && emit_template(m->e, name, &r.residual, &how);
    emit_section(m->e, EMIT_TABLES);
    emit_line(m->e, "    %.*s,", FMT(ok ? name : S("NULL")));
}

static void emit_start(Emission *m)
{
    m->e = emit_new(&m->arena, &m->sources, false);
    emit_section(m->e, EMIT_HEAD);
    emit_line(m->e, "#define DGC_NO_LIBC");
    emit_line(m->e, "#include \"runtime/eval/eval_api.h\"");
    emit_section(m->e, EMIT_TABLES);
    emit_line(m->e, "const DgTemplateFn emitted_templates[] = {");
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "fold";
    bool emits = !strcmp(how, "emit");
    Emission m = {0};
    arena_init(&m.arena, 0);
    sources_init(&m.sources, &m.arena);
    diag_init(&m.diag, &m.arena, &m.sources);
    if (emits)
        emit_start(&m);
    char *line = NULL;
    size_t capacity = 0, index = 0;
    ssize_t len;
    for (; (len = getline(&line, &capacity, stdin)) > 0; index++) {
        Arena arena;
        Case c;
        arena_init(&arena, (size_t)1 << 30);
        Str text = str_copy(emits ? &m.arena : &arena, str_trim((Str){line, len}));
        if (!read_case(emits ? &m.arena : &arena, text, &c))
            answer(&arena, false, S("the driver cannot read this line"));
        else if (emits)
            emit_case(&m, &c, index);
        else if (!strcmp(how, "run"))
            run_case(&arena, &c, index);
        else
            fold_case(&arena, &c);
        arena_free(&arena);
    }
    free(line);
    if (emits) {
        emit_section(m.e, EMIT_TABLES);
        emit_line(m.e, "    NULL};");
        Str code = emit_finish(m.e);
        fwrite(code.ptr, 1, (size_t)code.len, stdout);
    }
    arena_free(&m.arena);
    return 0;
}
