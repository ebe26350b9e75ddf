/* planner_text.c - DgPlanApi.text: texts with Jinja that are rendered for each row. */
#include "compiler/planner_impl.h"

#include "compiler/text_unit.h"

/* A constant as a template that prints it: codegen knows only those. */
static const Residual *residual_of(Arena *arena, const Template *parsed, const TemplateResult *r)
{
    Template *t = push(arena, Template, 1);
    if (!parsed->is_plain && !r->constant) {
        *t = r->residual;
        return t;
    }
    Str text = parsed->is_plain ? parsed->text : r->value.kind == DG_V_STR ? r->value.as.s : (Str){0};
    TStmt *print = push(arena, TStmt, 1);
    TStmt **items = push(arena, TStmt *, 1);
    *print = (TStmt){.kind = TS_TEXT, .end = (uint32_t)parsed->text.len};
    print->as.text = text;
    items[0] = print;
    *t = (Template){.mode = TEMPLATE_TEXT, .text = parsed->text, .place = parsed->place, .is_plain = true};
    t->body = (TStmts){items, text.len ? 1 : 0};
    return t;
}

static const Scope *scope_of(const PlannerImpl *m, const DgTextDecl *decl)
{
    static const char *const of_run[] = {"run_id", "run_started_at", "partition_key", "partition_key_range", "partition_time_window",
                                         "job_name", "step_name", "retry_number"};
    Arena *arena = m->b->plan->arena;
    Scope *s = scope_new(arena, m->instance->names);
    for (size_t i = 0; i < sizeof of_run / sizeof *of_run; i++)
        if (!scope_find(m->instance->names, str_from(of_run[i])))
            scope_later(s, str_from(of_run[i]), PHASE_RUN);
    if (decl->from.len)
        scope_later(s, S("row"), PHASE_ROW);
    for (const char *const *n = decl->names; n && *n; n++)
        scope_later(s, str_from(*n), PHASE_ROW);
    return s;
}

static bool part_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* `row.NAME` and `row['NAME']` within {{ }} and {% %}. */
static void find_columns(Arena *arena, TextUnit *unit)
{
    Str text = unit->parsed->text;
    bool code = false;
    for (ptrdiff_t i = 0; i + 1 < text.len; i++) {
        char c = text.ptr[i], next = text.ptr[i + 1];
        code = (c == '{' && (next == '{' || next == '%')) || (code && !((c == '}' || c == '%') && next == '}'));
        if (!code || c != 'r' || !str_starts(str_sub(text, i, text.len), S("row")) || (i && (part_of_name(text.ptr[i - 1]) || text.ptr[i - 1] == '.')))
            continue;
        ptrdiff_t at = i + 3;
        char quote = at + 1 < text.len && text.ptr[at] == '[' ? text.ptr[at + 1] : 0;
        if (at < text.len && text.ptr[at] == '.')
            at++;
        else if (quote == '\'' || quote == '"')
            at += 2;
        else
            continue;
        ptrdiff_t end = at;
        while (end < text.len && (text.ptr[at - 1] == '.' ? part_of_name(text.ptr[end]) : text.ptr[end] != quote))
            end++;
        TextColumn column = {str_sub(text, at, end), (uint32_t)at, (uint32_t)end};
        array_add(arena, &unit->columns, column);
        i = end - 1;
    }
}

void code_text(DgPlanner *p, DgCode *slot, const DgTextDecl *decl)
{
    PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    Arena *arena = plan->arena;
    const ConfigPlace *place = builder_place(m->b, decl->field);
    if (!place)
        return;
    TemplateCtx ctx = {.arena = arena, .diag = plan->diag};
    TextUnit *unit = push(arena, TextUnit, 1);
    *unit = (TextUnit){.from = decl->from};
    unit->generated = decl->text.len > 0;
    unit->at = place->node->at;
    unit->parsed = unit->generated ? template_parse(&ctx, decl->text, template_place_file(plan->sources, unit->at), TEMPLATE_TEXT)
                                   : template_parse(&ctx, place->node->text, template_place_yaml(plan->sources, place->node), TEMPLATE_TEXT);
    TemplateResult r = {0};
    if (!unit->parsed->broken && !unit->parsed->is_plain)
        r = template_eval(&ctx, unit->parsed, scope_of(m, decl));
    if (unit->parsed->broken || r.failed)
        return;
    if (decl->from.len)
        find_columns(arena, unit);
    array_add(arena, &plan->texts, unit);
    CodeUnit *code = push(arena, CodeUnit, 1);
    *code = (CodeUnit){.kind = CODE_TEXT, .at = place->node->at, .asset = plan_asset(plan, decl->asset),
                       .name = str_format(arena, "%.*s %s", FMT(decl->asset), place->field ? place->field->name : "text")};
    code->as.text = residual_of(arena, unit->parsed, &r);
    put_address(arena, &m->b->slots, slot, code);
}

void texts_check(Plan *plan)
{
    for (size_t i = 0; i < plan->texts.count; i++) {
        const TextUnit *unit = plan->texts.items[i];
        const Asset *from = unit->from.len ? plan_asset(plan, unit->from) : NULL;
        size_t count = from ? from->columns.count : 0;
        Str *names = push(plan->arena, Str, count + 1);
        for (size_t k = 0; k < count; k++)
            names[k] = from->columns.items[k].column.name;
        for (size_t k = 0; k < unit->columns.count && count; k++) {
            const TextColumn *c = &unit->columns.items[k];
            bool found = false;
            for (size_t n = 0; n < count && !found; n++)
                found = str_eq_nocase(names[n], c->name);
            if (found)
                continue;
            Span at = unit->generated ? unit->at : template_span(&unit->parsed->place, c->start, c->end);
            DiagItem *it = diag_report(plan->diag, E0402, at, "`%.*s` has no column `%.*s`", FMT(from->key), FMT(c->name));
            diag_suggest(it, at, "column", c->name, names, count);
        }
    }
}
