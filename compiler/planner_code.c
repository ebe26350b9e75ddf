/* planner_code.c - DgPlanApi: code that a step config points to, made by the emitters later on. */
#include "compiler/planner_impl.h"

#include "compiler/rows.h"
#include "compiler/sql/sql.h"

static void add_unit(PlannerImpl *m, DgCode *slot, CodeUnit unit)
{
    CodeUnit *copy = push(m->b->plan->arena, CodeUnit, 1);
    *copy = unit;
    copy->asset = plan_asset(m->b->plan, str_sub(unit.name, 0, str_find_char(unit.name, ' ')));
    put_address(m->b->plan->arena, &m->b->slots, slot, copy);
}

static Str unit_name(const PlannerImpl *m, Str asset, const char *what)
{
    return str_format(m->b->plan->arena, "%.*s %s", FMT(asset.len ? asset : m->instance->id), what);
}

static Str asked_id(const PlannerImpl *m, const DgSqlDecl *decl)
{
    Arena *arena = m->b->plan->arena;
    return decl->field      ? str_format(arena, "field %p", decl->field)
           : decl->file.len ? str_format(arena, "file %.*s", FMT(decl->file))
                            : str_format(arena, "text %p", (const void *)decl->text.ptr);
}

static void asked_forget(PlannerImpl *m, const DgSqlDecl *decl)
{
    map_put(m->b->plan->arena, &m->b->asked, asked_id(m, decl), NULL);
}

/* sql_config() may be asked before the asset is declared, sql() comes after: one unit for both. */
static SqlUnit *unit_of(DgPlanner *p, const DgSqlDecl *decl)
{
    PlannerImpl *m = p->impl;
    Plan *plan = m->b->plan;
    Str id = asked_id(m, decl);
    SqlUnit *unit = map_get(&m->b->asked, id);
    if (unit) {
        unit->decl = *decl;
        unit->asset_key = decl->asset;
        return unit;
    }
    const ConfigPlace *place = builder_place(m->b, decl->field);
    unit = sql_unit_add(plan, decl, planner_at(p, decl->field), place ? place->node : NULL,
                        m->instance->names);
    for (size_t i = 0; unit && i < decl->places.count; i++) {
        const DgSqlPlace *from = &DG_ITEMS(DgSqlPlace, decl->places)[i];
        const ConfigPlace *field = builder_place(m->b, from->field);
        sql_unit_place(plan, unit, (SqlPlace){from->start, from->len, planner_at(p, from->field),
                                              field ? field->node : NULL, from->verbatim});
    }
    if (unit)
        map_put(plan->arena, &m->b->asked, id, unit);
    return unit;
}

void code_sql(DgPlanner *p, DgCode *slot, const DgSqlDecl *decl)
{
    PlannerImpl *m = p->impl;
    SqlUnit *unit = unit_of(p, decl);
    asked_forget(m, decl); /* the next sql() is another unit, be it of the same file */
    if (unit && slot)
        add_unit(m, slot, (CodeUnit){.kind = CODE_TEMPLATE, .at = unit->at, .as.sql = unit,
                                     .name = unit_name(m, decl->asset,
                                                       decl->is_check ? "check sql" : "sql")});
}

DgValue code_sql_config(DgPlanner *p, const DgSqlDecl *decl)
{
    PlannerImpl *m = p->impl;
    SqlUnit *unit = unit_of(p, decl);
    if (unit)
        return sql_unit_config(m->b->plan, unit);
    DgEval ev;
    dg_eval_init(&ev, m->b->plan->arena);
    DgValue none = dg_new_dict(&ev);
    dg_eval_free(&ev);
    return none;
}

void code_rows(DgPlanner *p, DgCode *slot, const DgRowProgramDecl *decl)
{
    PlannerImpl *m = p->impl;
    RowProgram *rows = row_program_add(m->b->plan, decl, m->instance->filled, m->at);
    if (rows)
        add_unit(m, slot, (CodeUnit){.kind = CODE_ROWS, .at = rows->at, .as.rows = rows,
                                     .name = unit_name(m, decl->asset, "rows")});
}

void code_decoder(DgPlanner *p, DgCode *slot, const DgDecoderDecl *decl)
{
    PlannerImpl *m = p->impl;
    DgDecoderDecl *copy = push(m->b->plan->arena, DgDecoderDecl, 1);
    *copy = *decl;
    add_unit(m, slot, (CodeUnit){.kind = CODE_DECODER, .at = m->at, .as.decoder = copy,
                                 .name = unit_name(m, (Str){0}, "decode")});
}

void code_rules(DgPlanner *p, DgCode *slot, const DgRulesDecl *decl)
{
    PlannerImpl *m = p->impl;
    Arena *arena = m->b->plan->arena;
    DgRulesDecl *copy = push(arena, DgRulesDecl, 1);
    DgStr *sources = push(arena, DgStr, decl->sources.count + 1);
    for (size_t i = 0; i < decl->sources.count; i++)
        sources[i] = str_copy(arena, DG_ITEMS(DgStr, decl->sources)[i]);
    *copy = *decl;
    copy->sources = (DgList){sources, decl->sources.count};
    add_unit(m, slot, (CodeUnit){.kind = CODE_RULES, .at = planner_at(p, decl->field), .as.rules = copy,
                                 .name = unit_name(m, decl->asset, "rules")});
}
