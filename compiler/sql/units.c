/* units.c - SQL units from parsing to dependencies. */
#include "compiler/sql/sql_internal.h"

#include "runtime/db/warehouse.h"

static bool read_text(Plan *plan, const DgSqlDecl *decl, YamlNode *node, SqlUnit *unit, Str *text)
{
    Arena *a = plan->arena;
    if (decl->file.len) {
        DgError err = {0};
        unit->file = sources_load(plan->sources, decl->file,
                                  str_format(a, "%.*s/%.*s", FMT(plan->root), FMT(decl->file)), &err);
        if (!unit->file) {
            diag_report(plan->diag, E0703, unit->at, "could not read `%.*s`: %s", FMT(decl->file), err.message);
            return false;
        }
        *text = sources_file(plan->sources, unit->file)->text;
        unit->at = (Span){unit->file, 0, (uint32_t)text->len};
        return true;
    }
    unit->generated = decl->text.len > 0; /* errors are about the field as a whole */
    unit->node = unit->generated ? NULL : node;
    *text = unit->generated ? decl->text : node ? node->text : (Str){0};
    return true;
}

SqlUnit *sql_unit_add(Plan *plan, const DgSqlDecl *decl, Span at, YamlNode *node, const Scope *scope)
{
    SqlUnit *unit = push(plan->arena, SqlUnit, 1);
    Str text;
    unit->decl = *decl;
    unit->asset_key = decl->asset;
    unit->at = at;
    unit->scope = scope;
    if (!read_text(plan, decl, node, unit, &text))
        return NULL;
    TemplateCtx ctx = {.arena = plan->arena, .diag = plan->diag};
    TemplatePlace place = unit->file ? template_place_file(plan->sources, unit->at)
                          : unit->node ? template_place_yaml(plan->sources, node)
                                     : template_place_file(plan->sources, at);
    unit->parsed = template_parse(&ctx, text, place, TEMPLATE_TEXT);
    unit->failed = unit->parsed->broken;
    if (!unit->failed && !unit->parsed->is_plain) {
        TemplateResult ignored;
        sql_render(plan, unit, RENDER_CONFIG, &ignored);
    }
    array_add(plan->arena, &plan->sql, unit);
    return unit;
}

/* A constant rendering as a template that prints it: codegen knows only those. */
static const Residual *residual_of(Plan *plan, const SqlUnit *unit, const TemplateResult *r)
{
    Template *t = push(plan->arena, Template, 1);
    if (!r->constant) {
        *t = r->residual;
        return t;
    }
    TStmt *print = push(plan->arena, TStmt, 1);
    TStmt **items = push(plan->arena, TStmt *, 1);
    Str text = r->value.kind == DG_V_STR ? r->value.as.s : (Str){0};
    *print = (TStmt){.kind = TS_TEXT, .end = (uint32_t)unit->parsed->text.len};
    print->as.text = text;
    items[0] = print;
    *t = (Template){.mode = TEMPLATE_TEXT, .text = unit->parsed->text, .place = unit->parsed->place,
                    .is_plain = true};
    t->body = (TStmts){items, text.len ? 1 : 0};
    return t;
}

/* Tables named in plain SQL that are assets' tables are dependencies as well. */
static void add_plain_tables(Plan *plan, SqlUnit *unit, Str text)
{
    SqlNames names = sql_tables(plan->arena, text);
    for (size_t i = 0; i < names.count; i++) {
        const SqlName *n = &names.items[i];
        Str key = n->count >= 2 ? str_format(plan->arena, "%.*s/%.*s", FMT(n->parts[n->count - 2]),
                                             FMT(n->parts[n->count - 1]))
                                : n->parts[0];
        Asset *asset = plan_asset(plan, key);
        bool known = !asset || asset == unit->asset;
        for (size_t k = 0; k < unit->refs.count; k++)
            known |= unit->refs.items[k] == asset;
        if (!known)
            array_add(plan->arena, &unit->refs, asset);
    }
}

void sql_units_resolve(Plan *plan)
{
    for (size_t i = 0; i < plan->sql.count; i++) {
        SqlUnit *unit = plan->sql.items[i];
        TemplateResult r;
        unit->asset = unit->asset_key.len ? plan_asset(plan, unit->asset_key) : NULL;
        if (unit->failed)
            continue;
        if (!sql_render(plan, unit, RENDER_EMIT, &r)) {
            unit->failed = true;
            continue;
        }
        unit->rendered = residual_of(plan, unit, &r);
        if (r.constant && r.value.kind == DG_V_STR)
            unit->text = r.value.as.s;
        else if (sql_render(plan, unit, RENDER_BIND, &r) && r.constant && r.value.kind == DG_V_STR)
            unit->text = r.value.as.s;
        if (unit->text.len)
            add_plain_tables(plan, unit, unit->text);
        for (size_t k = 0; unit->asset && !unit->decl.is_check && k < unit->refs.count; k++)
            if (unit->refs.items[k] != unit->asset)
                plan_add_dep(plan, unit->asset, unit->refs.items[k]->key);
    }
}
