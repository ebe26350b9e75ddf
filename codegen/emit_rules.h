/* emit_rules.h - a DgRuleSet (runtime/copy/loop_api.h): one loop for each expression of a stream's
 * transforms or constraints. */
#ifndef DGC_EMIT_RULES_H
#define DGC_EMIT_RULES_H

#include "codegen/emit.h"
#include "runtime/component.h"

/* Prints `static const DgRuleSet *NAME(void)` into EMIT_FUNCS, after the loops that `printed` (source to name of the
 * function) does not have yet. */
void emit_rules(Emit *e, Str name, const DgRulesDecl *rules, Map *printed);

#endif
