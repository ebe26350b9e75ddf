/* redact.h - keeps secrets out of whatever the program says.
 *
 * Every resolved secret is added once; every channel (log, progress, JSON, errors, history, output
 * of scripts) passes its text through redact_text(). A secret is found as it is, in base64, URL
 * encoding and JSON escapes, and, when it has several lines, line by line. Values shorter than four
 * bytes cannot be told from ordinary text and are left alone.
 *
 * Thread-safe. One per process; the contexts of a run point to it.
 */
#ifndef DG_REDACT_H
#define DG_REDACT_H

#include "runtime/base/base.h"

typedef struct Redactor Redactor;

Redactor *redactor_open(void); /* NULL when out of memory */
void redactor_close(Redactor *r);
/* False when out of memory: then nothing may be printed that could hold the secret. */
bool redactor_add(Redactor *r, Str secret);
/* Appends text with secrets replaced by `[secret]`. r may be NULL: text as it is. */
void redact_text(Redactor *r, Str text, StrBuf *out);
/* In place; the result is never longer than the room. For DgError and the like. */
void redact_cstring(Redactor *r, char *text, size_t room);
/* Control characters (escape sequences of terminals among them) become `?`; tabs stay. */
void strip_controls(char *text, size_t length, bool keep_newlines);

#endif
