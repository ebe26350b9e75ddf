/* macros.c - macros that a folder's .sql files define, for every model beside it.
 *
 * Their definitions are put before the model's own statements; errors in them point into their
 * own file (TMacro.home).
 */
#include "compiler/sql/sql_internal.h"

static void take_macros(Plan *plan, TStmts *all, Template *t)
{
    size_t kept = 0;
    TStmt **items = push(plan->arena, TStmt *, all->count + t->body.count);
    for (; kept < all->count; kept++)
        items[kept] = all->items[kept];
    for (size_t i = 0; i < t->body.count; i++) {
        TStmt *s = t->body.items[i];
        if (s->kind == TS_MACRO) {
            s->as.macro->home = t;
            items[kept++] = s;
        }
    }
    *all = (TStmts){items, kept};
}

/* All of a folder's, read once. */
static const TStmts *macros_of(Plan *plan, Str folder)
{
    TStmts *all = map_get(&sql_state(plan)->macros, folder);
    if (all)
        return all;
    all = push(plan->arena, TStmts, 1);
    map_put(plan->arena, &sql_state(plan)->macros, folder, all);
    Str pattern = str_format(plan->arena, "%.*s/**/*.sql", FMT(folder));
    DgError err = {0};
    StrArray files = glob_files(plan->arena, plan->root, pattern, &err);
    if (err.status != DG_OK)
        diag_report(plan->diag, E0703, (Span){0}, "%s", err.message);
    for (size_t i = 0; i < files.count; i++) {
        Str path = files.items[i];
        uint32_t file = sources_load(plan->sources, path,
                                     str_format(plan->arena, "%.*s/%.*s", FMT(plan->root),
                                                FMT(path)), &err);
        if (!file) {
            diag_report(plan->diag, E0703, (Span){0}, "%.*s: %s", FMT(path), err.message);
            continue;
        }
        Str text = sources_file(plan->sources, file)->text;
        Span whole = {file, 0, (uint32_t)text.len};
        TemplateCtx ctx = {.arena = plan->arena, .diag = plan->diag};
        Template *t = template_parse(&ctx, text, template_place_file(plan->sources, whole),
                                     TEMPLATE_TEXT);
        if (!t->broken)
            take_macros(plan, all, t);
    }
    return all;
}

void sql_add_macros(Plan *plan, SqlUnit *unit)
{
    if (!unit->decl.macros.len)
        return;
    const TStmts *macros = macros_of(plan, unit->decl.macros);
    TStmts *body = &unit->parsed->body;
    if (!macros->count)
        return;
    TStmt **items = push(plan->arena, TStmt *, macros->count + body->count);
    memcpy(items, macros->items, macros->count * sizeof *items);
    for (size_t i = 0; i < body->count; i++)
        items[macros->count + i] = body->items[i];
    *body = (TStmts){items, macros->count + body->count};
}
