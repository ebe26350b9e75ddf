/* emit.h - the one place that writes C text: sections, one line cursor, #line.
 *
 * Emitters decide nothing: what they print is settled in the plan. Sections are joined in order by
 * emit_finish(), so a declaration can be added while a function is being printed.
 */
#ifndef DGC_EMIT_H
#define DGC_EMIT_H

#include "compiler/source.h"

typedef enum EmitSection {
    EMIT_HEAD,   /* comment, includes */
    EMIT_TYPES,  /* structs */
    EMIT_DATA,   /* constants that functions use */
    EMIT_FUNCS,
    EMIT_TABLES, /* configs, steps, assets, the pipeline */
    EMIT_MAIN,
    EMIT_SECTIONS_COUNT
} EmitSection;

typedef struct Emit Emit;
Emit *emit_new(Arena *arena, const Sources *sources, bool line_directives);

EmitSection emit_section(Emit *e, EmitSection to); /* returns the one before */
/* The next lines come from this place: `#line` for compilers, a trailing comment for people. */
void emit_at(Emit *e, Span at);
void emit_line(Emit *e, const char *fmt, ...) DG_PRINTF(2, 3);
void emit_open(Emit *e, const char *fmt, ...) DG_PRINTF(2, 3);  /* line, `{`, indent */
void emit_close(Emit *e, const char *after);                    /* dedent, `}` + after */
void emit_quote(Emit *e, Span at); /* the source lines as a C comment, `*` + `/` made harmless */
Str emit_finish(Emit *e);
Arena *emit_arena(Emit *e);

/* A C identifier from a name of the user's: `raw/flights` gives `raw_flights`. The same name gives
 * the same identifier; different names never collide within one Emit; keywords are escaped. */
Str emit_name(Emit *e, Str name);
bool c_keyword(Str name);
Str emit_fresh(Emit *e, Str name); /* one that nothing else has */
Str c_string(Arena *a, Str s);     /* a C string literal, quotes included */
Str c_double(Arena *a, double d);  /* round-trips; infinities and NaN as expressions dgc.h takes */

#endif
