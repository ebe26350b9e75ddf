/* sql_internal.h - what the files of compiler/sql share. */
#ifndef DGC_SQL_INTERNAL_H
#define DGC_SQL_INTERNAL_H

#include "compiler/pass.h"
#include "compiler/sql/bind.h"
#include "compiler/sql/sql.h"
#include "compiler/template.h"

/* What is kept from unit to unit; hangs on the plan, made when first asked for. */
typedef struct SqlState {
    struct NameIndex *names;           /* names.c */
    Map macros;                        /* macros.c: folder -> its macros */
    struct SqlRenderings *renderings;  /* render.c */
} SqlState;
SqlState *sql_state(Plan *plan);

/* ---- render.c: a unit's template in its scope ---- */

typedef enum RenderFor {
    RENDER_CONFIG, /* only what config(...) says; nothing is reported */
    RENDER_EMIT,   /* refs become tables and dependencies; the rest waits for the run */
    RENDER_BIND,   /* as a first run would see it: everything has a value */
    RENDER_AGAIN,  /* as later runs of an incremental model would */
} RenderFor;

/* False after an error, which is reported for RENDER_EMIT. `out` as template_eval gives it. */
bool sql_render(Plan *plan, SqlUnit *unit, RenderFor what, TemplateResult *out);
bool sql_render_template(Plan *plan, SqlUnit *unit, const Template *t, RenderFor what,
                         TemplateResult *out);

/* ---- macros.c: those of decl.macros, in front of the unit's own statements ---- */
void sql_add_macros(Plan *plan, SqlUnit *unit);

/* ---- names.c: what ref(), source() and plain SQL mean ---- */

typedef struct NameError {
    DiagCode code; /* E0202... */
    Str wrong;     /* the name that is not there */
    StrArray near; /* names that are */
} NameError;
/* NULL and err when there is no such asset, or several. `from` is the key of the model that asks. */
Asset *sql_find_ref(Plan *plan, Str from, Str name, NameError *why, DgError *err);
Asset *sql_find_source(Plan *plan, Str schema, Str name, NameError *why, DgError *err);
/* The asset whose table this is; NULL: none. `schema` may be empty. */
Asset *sql_find_table(Plan *plan, Str schema, Str table);

/* ---- tokens.c: the few words of SQL that matter here ---- */

typedef struct SqlName { /* a table's name after FROM or JOIN, quotes removed */
    Str parts[3];
    int count;
    size_t start, end;
} SqlName;
typedef Array(SqlName) SqlNames;
/* Names that stand where tables stand and are no CTE of the same text. */
SqlNames sql_tables(Arena *arena, Str sql);
bool sql_name_char(char c);
size_t sql_word_end(Str sql, size_t at);          /* of the word, text or sign at `at` */
size_t sql_name_end(Str sql, size_t at);          /* of a.b.c */
size_t sql_skip(Str sql, size_t at);              /* past blanks and comments */
size_t sql_start(Str sql);                        /* of the first word; 0: there is none */
size_t sql_second_statement(Str sql);             /* where it begins; 0: there is none */
ptrdiff_t sql_find_word(Str sql, Str word);       /* a name, in quotes or not; -1 */
bool sql_has_table(Str sql, Str name);            /* `name` stands alone: an alias or a table */
Str sql_unquoted(Arena *arena, Str name);         /* "a""b" -> a"b */

/* ---- shape.c: what the judgement of a query rests on ---- */

/* `tables` are those that the text names. Empty: no other query is judged alike. */
Str sql_shape(Arena *arena, const BindQuery *q, const SqlPlaces *tables);

/* ---- text_map.c: from the rendered text back to what was written ---- */

/* The place of bytes [start, end) of the rendered text. What a template printed gives the
 * template's expression; *exact is false then. */
Span sql_span(Plan *plan, SqlUnit *unit, Str rendered, bool again, size_t start, size_t end,
              bool *exact);

/* ---- lineage.c: the edges of one model, from its syntax tree as json_serialize_sql gives it ---- */
void sql_lineage_of(Plan *plan, Asset *asset, Str tree);

/* ---- report.c ---- */

/* DuckDB's error (JSON) about `sql`, unless it is about something that no check can know. */
void sql_report(Plan *plan, SqlUnit *unit, Str sql, bool again, Str error);

#endif
