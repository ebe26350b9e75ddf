/* console.h - what a person, or a program, sees on standard error while a run goes on.
 *
 * tty    the units that run, redrawn at most ten times a second, above them what has ended
 * plain  one line for each change of state, and a sign of life every 30 seconds
 * json   one JSON object a line: {"at":...,"event":...,...}
 * none   errors only
 *
 * Everything goes through the redactor; on a terminal control characters are taken out. A standard
 * error that cannot be written to is not an error: the run is what matters.
 */
#ifndef DG_CONSOLE_H
#define DG_CONSOLE_H

#include "runtime/component.h"
#include "runtime/run/redact.h"

typedef enum ProgressMode {
    PROGRESS_AUTO,
    PROGRESS_TTY,
    PROGRESS_PLAIN,
    PROGRESS_JSON,
    PROGRESS_NONE,
} ProgressMode;

typedef struct Console Console;

Console *console_open(ProgressMode mode, Redactor *redactor); /* NULL when out of memory */
void console_close(Console *c);
ProgressMode console_mode(const Console *c); /* never AUTO */
bool console_color(const Console *c);

/* "   Finished orders  1,204 rows in 1.2 s": a verb in a column of its own. `tone`: 'g' good,
 * 'b' bad, 'w' warning, 'i' neutral, 'd' dim. */
void console_line(Console *c, char tone, const char *verb, Str text);
/* Lines that several threads may send: a script's output, logs. */
void console_prefixed(Console *c, DgLogLevel level, Str prefix, Str text);
/* One JSON object, without a newline; only in json mode. */
void console_json(Console *c, Str object);
/* Replaces the block of live lines at the bottom; only in tty mode. lines: separated by \n. */
void console_live(Console *c, Str lines);
int console_width(const Console *c);

/* "1,204,331", "212.4 MB", "1.2 s", "3 m 20 s" */
void show_count(StrBuf *b, int64_t n);
void show_bytes(StrBuf *b, int64_t n);
void show_duration(StrBuf *b, int64_t ms);

#endif
