/* diag_text.h - inside the text renderer: diag_text.c writes the words, diag_snippet.c the lines of
 * source with marks under them.
 *
 * Nothing of a source reaches the terminal raw: control characters, invalid UTF-8 and characters
 * that reorder text are shown as visible stand-ins. Columns are columns of the screen.
 */
#ifndef DGC_DIAG_TEXT_H
#define DGC_DIAG_TEXT_H

#include "compiler/diag.h"

typedef enum Ink { INK_NONE, INK_BOLD, INK_ERROR, INK_WARNING, INK_FRAME, INK_HELP } Ink;

typedef struct Text {
    const Sources *sources;
    StrBuf *out;
    bool color;
    int gutter; /* width of the widest line number shown for this item */
    Ink primary;
} Text;

void text_ink(Text *t, Ink ink); /* INK_NONE ends the last */
/* Visible stand-ins for what would disturb; a newline becomes one and `indent` blanks. */
void text_put(Text *t, Str s, int indent);
void text_blanks(Text *t, int count);
void text_gutter(Text *t, uint32_t line, const char *bar); /* line 0: blank */

typedef struct Mark {
    Span at;
    Str text;
    bool primary;
} Mark;
/* The lines of one file that carry the marks. All marks are of that file. */
void snippet_show(Text *t, const Mark *marks, size_t count);
/* What the lines look like once the fix is applied. */
void snippet_fix(Text *t, Arena *arena, const DiagFix *fix);
/* The last line number that snippet_show would print for the span. */
uint32_t snippet_last_line(const Sources *s, Span at);

void diag_render_text(const Diag *d, DiagRender how, StrBuf *out);

#endif
