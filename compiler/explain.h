/* explain.h - the page of docs/errors/ about one diagnostic, carried inside dgc. */
#ifndef DGC_EXPLAIN_H
#define DGC_EXPLAIN_H

#include "runtime/base/base.h"

/* By code (`E0107`, in any case) or slug (`unknown-attribute`). False: there is no such page. */
bool explain_find(Str code_or_slug, Str *markdown);

#endif
