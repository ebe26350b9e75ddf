/* sql_internal.h - what the files of compiler/sql share. */
#ifndef DGC_SQL_INTERNAL_H
#define DGC_SQL_INTERNAL_H

#include "compiler/pass.h"
#include "compiler/sql/sql.h"
#include "compiler/template.h"

/* ---- render.c: a unit's template in its scope ---- */

typedef enum RenderFor {
    RENDER_CONFIG, /* only what config(...) says; nothing is reported */
    RENDER_EMIT,   /* refs become tables and dependencies; the rest waits for the run */
    RENDER_BIND,   /* as a first run would see it: everything has a value */
} RenderFor;

/* False after an error. `out` as template_eval gives it. */
bool sql_render(Plan *plan, SqlUnit *unit, RenderFor what, TemplateResult *out);

/* ---- tokens.c: the few words of SQL that matter here ---- */

typedef struct SqlName { /* a table's name after FROM or JOIN, quotes removed */
    Str parts[3];
    int count;
    size_t start, end;
} SqlName;
typedef Array(SqlName) SqlNames;
/* Names that stand where tables stand and are no CTE of the same text. */
SqlNames sql_tables(Arena *arena, Str sql);

/* ---- text_map.c: from the rendered text back to what was written ---- */

/* The place in the file of bytes [start, end) of the rendered text. A piece that a template printed
 * gives the template's expression, or the whole unit when it cannot be told. */
Span sql_span(const Plan *plan, const SqlUnit *unit, Str rendered, size_t start, size_t end);

#endif
