/* registry.h - every component type there is: dgc's own, and the project's. */
#ifndef DGC_REGISTRY_H
#define DGC_REGISTRY_H

#include "compiler/diag.h"
#include "runtime/component.h"

size_t registry_count(void);
const DgComponent *registry_at(size_t i); /* sorted by name */
/* By name or alias; *alias tells whether an old name matched (may be NULL). NULL: none. */
const DgComponent *registry_find(Str name, bool *alias);
/* A component of the project, compiled from components/NAME.c. False: the name is taken. */
bool registry_add(const DgComponent *c);
void registry_forget_added(void); /* another project, or the same after a change */
/* E0109 with the nearest name; for types known from Dagster's libraries, what to use instead. */
void registry_report_unknown(Diag *d, Span at, Str name);

#endif
