/* units.c - SQL units from parsing to dependencies. */
#include "compiler/sql/sql_internal.h"

#include "runtime/db/warehouse.h"

SqlState *sql_state(Plan *plan)
{
    if (!plan->sql_state)
        plan->sql_state = push(plan->arena, SqlState, 1);
    return plan->sql_state;
}

/* ---- Parsing ---- */

static bool read_file(Plan *plan, SqlUnit *unit, Str *text)
{
    Str path = unit->decl.file;
    DgError err = {0};
    Str disk = path.ptr[0] == '/'
                   ? path : str_format(plan->arena, "%.*s/%.*s", FMT(plan->root), FMT(path));
    unit->file = sources_load(plan->sources, path, disk, &err);
    if (!unit->file) {
        diag_report(plan->diag, E0703, unit->at, "could not read `%.*s`: %s", FMT(path),
                    err.message);
        return false;
    }
    *text = sources_file(plan->sources, unit->file)->text;
    unit->at = (Span){unit->file, 0, (uint32_t)text->len};
    return true;
}

static bool read_text(Plan *plan, SqlUnit *unit, YamlNode *node, Str *text)
{
    const DgSqlDecl *decl = &unit->decl;
    if (decl->file.len)
        return read_file(plan, unit, text);
    unit->is_generated = decl->text.len && !(node && str_eq(node->text, decl->text));
    unit->node = unit->is_generated ? NULL : node;
    *text = unit->node ? node->text : decl->text;
    return true;
}

static TemplatePlace place_of(const Plan *plan, const SqlUnit *unit)
{
    if (unit->node)
        return template_place_yaml(plan->sources, unit->node);
    Span whole = unit->is_generated ? (Span){0} : unit->at;
    return template_place_file(plan->sources, whole);
}

SqlUnit *sql_unit_add(Plan *plan, const DgSqlDecl *decl, Span at, YamlNode *node,
                      const Scope *scope)
{
    SqlUnit *unit = push(plan->arena, SqlUnit, 1);
    Str text;
    *unit = (SqlUnit){.decl = *decl, .asset_key = decl->asset, .at = at, .scope = scope};
    if (!read_text(plan, unit, node, &text))
        return NULL;
    TemplateCtx ctx = {.arena = plan->arena, .diag = plan->diag};
    unit->parsed = template_parse(&ctx, text, place_of(plan, unit), TEMPLATE_TEXT);
    unit->failed = unit->parsed->broken;
    if (!unit->failed && !unit->parsed->is_plain) {
        TemplateResult ignored;
        sql_add_macros(plan, unit);
        if (str_find(text, S("config")) >= 0)
            sql_render(plan, unit, RENDER_CONFIG, &ignored);
    }
    array_add(plan->arena, &plan->sql, unit);
    return unit;
}

/* ---- What a model says of itself ---- */

/* The `--` lines that the file begins with; a config(...) may stand before or between them. */
static Str leading_comment(Arena *a, Str text)
{
    StrBuf b = {0};
    Str line, rest = text;
    while (rest.len) {
        str_cut(rest, '\n', &line, &rest);
        line = str_trim(line);
        if (str_starts(line, S("--"))) {
            Str words = str_trim(str_sub(line, 2, line.len));
            buf_format(&b, "%s%.*s", b.len && words.len ? " " : "", FMT(words));
        } else if (line.len && !(str_starts(line, S("{{")) && str_ends(line, S("}}")))) {
            break;
        }
    }
    Str out = b.len ? str_copy(a, buf_str(&b)) : (Str){0};
    buf_free(&b);
    return out;
}

DgValue sql_unit_config(Plan *plan, SqlUnit *unit)
{
    DgEval ev;
    dg_eval_init(&ev, plan->arena);
    if (unit->config.kind != DG_V_DICT)
        unit->config = dg_new_dict(&ev);
    if (unit->file && !dgv_get_str(unit->config, S("description"))) {
        Str words = leading_comment(plan->arena, unit->parsed->text);
        if (words.len)
            dg_put_str(&ev, unit->config, "description", dgv_from_str(words));
    }
    dg_eval_free(&ev);
    return unit->config;
}

void sql_unit_place(Plan *plan, SqlUnit *unit, SqlPlace place)
{
    array_add(plan->arena, &unit->places, place);
}

/* ---- Rendering ---- */

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

static Str render_text(Plan *plan, SqlUnit *unit, RenderFor what)
{
    TemplateResult r;
    bool known = sql_render(plan, unit, what, &r) && r.constant && r.value.kind == DG_V_STR;
    return known ? r.value.as.s : (Str){0};
}

static bool render_unit(Plan *plan, SqlUnit *unit)
{
    TemplateResult r;
    if (unit->parsed->is_plain) {
        r = (TemplateResult){.constant = true, .value = dgv_from_str(unit->parsed->text)};
    } else if (!sql_render(plan, unit, RENDER_EMIT, &r)) {
        return false;
    }
    unit->rendered = residual_of(plan, unit, &r);
    if (r.constant) {
        unit->text = r.value.kind == DG_V_STR ? r.value.as.s : (Str){0};
        return true;
    }
    unit->text = render_text(plan, unit, RENDER_BIND);
    if (str_find(unit->parsed->text, S("is_incremental")) >= 0) {
        unit->text_again = render_text(plan, unit, RENDER_AGAIN);
        if (str_eq(unit->text, unit->text_again))
            unit->text_again = (Str){0};
    }
    return true;
}

/* ---- Dependencies ---- */

static bool has_ref(const SqlUnit *unit, const Asset *asset)
{
    for (size_t i = 0; i < unit->refs.count; i++)
        if (unit->refs.items[i] == asset)
            return true;
    return false;
}

/* Tables named in plain SQL that are assets' tables are dependencies as well. Names that are none,
 * but end like one that is read, need care when DuckDB asks for them. */
static SqlPlaces add_plain_tables(Plan *plan, SqlUnit *unit, Str text)
{
    SqlNames names = sql_tables(plan->arena, text);
    SqlPlaces places = {.count = names.count};
    places.items = push(plan->arena, SqlSpan, names.count + 1);
    for (size_t i = 0; i < names.count; i++) {
        const SqlName *n = &names.items[i];
        places.items[i] = (SqlSpan){n->start, n->end};
        Str schema = n->count >= 2 ? n->parts[n->count - 2] : (Str){0};
        Asset *asset = sql_find_table(plan, schema, n->parts[n->count - 1]);
        if (!asset)
            unit->exact = true;
        else if (!has_ref(unit, asset))
            array_add(plan->arena, &unit->refs, asset);
    }
    return places;
}

static void connect(Plan *plan, SqlUnit *unit)
{
    if (unit->text.len)
        unit->tables = add_plain_tables(plan, unit, unit->text);
    if (unit->text_again.len)
        unit->tables_again = add_plain_tables(plan, unit, unit->text_again);
    if (unit->decl.is_check || !unit->asset)
        return;
    for (size_t k = 0; k < unit->refs.count; k++) {
        const Asset *ref = unit->refs.items[k];
        if (ref != unit->asset && (!ref->step || ref->step != unit->asset->step))
            plan_add_dep(plan, unit->asset, ref->key);
    }
}

/* config(enabled=false): there is no such model. */
static bool is_off(const SqlUnit *unit)
{
    const DgValue *on = unit->config.kind == DG_V_DICT ? dgv_get_str(unit->config, S("enabled"))
                                                       : NULL;
    return on && on->kind == DG_V_BOOL && !on->as.b;
}

void sql_units_resolve(Plan *plan)
{
    for (size_t i = 0; i < plan->sql.count; i++) {
        SqlUnit *unit = plan->sql.items[i];
        unit->failed |= is_off(unit);
        unit->asset = unit->asset_key.len ? plan_asset(plan, unit->asset_key) : NULL;
        if (!unit->failed && !render_unit(plan, unit))
            unit->failed = true;
        if (!unit->failed && !unit->decl.statements)
            connect(plan, unit);
    }
}
