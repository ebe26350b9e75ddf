/* sql_absent.c - stands in while compiler/sql/ has no units. Delete it when sql_unit_add() is there;
 * the archive's order already prefers compiler/sql/. */
#include "compiler/template.h"

#include "compiler/sql/sql.h"

SqlUnit *sql_unit_add(Plan *plan, const DgSqlDecl *decl, Span at, YamlNode *node,
                      const struct Scope *scope)
{
    SqlUnit *unit = push(plan->arena, SqlUnit, 1);
    unit->decl = *decl;
    unit->asset_key = decl->asset;
    unit->at = at;
    unit->node = node;
    return unit;
}

void sql_units_resolve(Plan *plan)
{
}

void sql_units_check(Plan *plan, bool bind)
{
}
