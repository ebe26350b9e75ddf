/* diag.h - what the compiler tells its user.
 *
 * A Diag collects; it never prints, exits or jumps. A phase reports and carries on with a poisoned
 * value, so one run shows every mistake; the driver stops between phases when diag_failed().
 * Rendering (text, JSON, SARIF) reads the finished list and lives in diag_render.c.
 *
 * Say what is wrong, about what, in the user's words: lower case, no full stop, `backticks` round
 * names. What to change belongs in diag_help() or diag_fix(); further facts in diag_note().
 */
#ifndef DGC_DIAG_H
#define DGC_DIAG_H

#include "compiler/diag_codes.h"
#include "compiler/source.h"

typedef enum DiagLevel { DIAG_ERROR, DIAG_WARNING } DiagLevel;
/* May a tool apply the edit by itself? MACHINE: yes, it restores a clean check. MAYBE: a person
 * should look. PLACEHOLDER: has parts to fill in. */
typedef enum Applicability { FIX_MACHINE, FIX_MAYBE, FIX_PLACEHOLDER } Applicability;

typedef struct DiagLabel {
    Span at;
    Str text;
} DiagLabel;
typedef struct DiagEdit { /* replace these bytes with this text */
    Span at;
    Str text;
} DiagEdit;
typedef struct DiagFix {
    Str text; /* "a similar key exists: `schedule`" */
    Applicability applicability;
    Array(DiagEdit) edits;
} DiagFix;

typedef struct DiagItem {
    DiagCode code;
    DiagLevel level;
    Span at;                 /* the smallest span that is wrong */
    Str message;
    Str label;               /* short words under the span; may be empty */
    Array(DiagLabel) labels; /* other places that belong to it */
    StrArray helps, notes;
    Array(DiagFix) fixes;
    struct Diag *diag;
} DiagItem;

typedef struct Diag {
    Arena *arena;
    Sources *sources;
    Array(DiagItem *) items;
    size_t errors_count, warnings_count;
} Diag;

void diag_init(Diag *d, Arena *arena, Sources *sources);
/* Errors and warnings are told apart by the code's first letter (E or W). Never NULL. */
DiagItem *diag_report(Diag *d, DiagCode code, Span at, const char *fmt, ...) DG_PRINTF(4, 5);
DiagItem *diag_set_label(DiagItem *it, const char *fmt, ...) DG_PRINTF(2, 3);
DiagItem *diag_label(DiagItem *it, Span at, const char *fmt, ...) DG_PRINTF(3, 4);
DiagItem *diag_help(DiagItem *it, const char *fmt, ...) DG_PRINTF(2, 3);
DiagItem *diag_note(DiagItem *it, const char *fmt, ...) DG_PRINTF(2, 3);
/* One edit; call again on the same item for a fix of its own. An empty text deletes. */
DiagItem *diag_fix(DiagItem *it, Applicability how, Span at, Str text, const char *fmt, ...)
    DG_PRINTF(5, 6);
/* Adds `help: a similar NOUN exists: `x`` and a machine fix, when one of the names is near.
 * True when it did. `at` is what the fix replaces. */
bool diag_suggest(DiagItem *it, Span at, const char *noun, Str wrong, const Str *names, size_t count);
/* The name that was probably meant; empty when none is near, or two are just as near. */
Str diag_nearest(Arena *arena, Str wrong, const Str *names, size_t count);
bool diag_failed(const Diag *d);

/* Sorts by place, drops duplicates (same code, place and message). Called by the renderers' callers once. */
void diag_finish(Diag *d);

/* diag_render.c */
typedef enum DiagFormat { DIAG_TEXT, DIAG_JSON, DIAG_SARIF } DiagFormat;
typedef struct DiagRender {
    DiagFormat format;
    bool color;
    size_t items_max; /* text only: how many are shown in full; 0: all */
} DiagRender;
void diag_render(const Diag *d, DiagRender how, StrBuf *out);

/* diag_fix.c: applies every FIX_MACHINE edit to the files on disk (temp file, fsync, rename).
 * Overlapping edits: the first wins. Returns how many edits were made; -1 and err when a file
 * could not be written. */
int diag_apply_fixes(const Diag *d, DgError *err);

const char *diag_code_name(DiagCode c);  /* "E0107" */
const char *diag_code_slug(DiagCode c);  /* "unknown-attribute" */
const char *diag_code_title(DiagCode c); /* "attribute is not in the schema" */
bool diag_code_parse(Str name, DiagCode *out);

#endif
