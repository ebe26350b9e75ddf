/* source.h - the files a project is read from, and places in them.
 *
 * A Span is bytes [start, end) of one file. Lines and columns are worked out only when something
 * is shown. {0} means "no place".
 */
#ifndef DGC_SOURCE_H
#define DGC_SOURCE_H

#include "runtime/base/base.h"

typedef struct Span {
    uint32_t file, start, end;
} Span;

typedef struct SourceFile {
    Str path;         /* as shown to the user: relative to the project, '/' between parts */
    Str disk_path;    /* how to open it; empty for text that has no file */
    Str text;         /* whole content; a leading byte order mark is kept and skipped by readers */
    uint32_t *lines;  /* offset of each line's first byte */
    uint32_t lines_count;
} SourceFile;

typedef struct Sources {
    Arena *arena;
    Array(SourceFile) files; /* file 0 is unused, so that a Span of zeros has no file */
} Sources;

void sources_init(Sources *s, Arena *arena);
/* Reads a file. 0 when it cannot be read or is larger than LIMIT_YAML_BYTES (err says why). */
uint32_t sources_load(Sources *s, Str shown_path, Str disk_path, DgError *err);
uint32_t sources_add(Sources *s, Str shown_path, Str text);
const SourceFile *sources_file(const Sources *s, uint32_t file);
Str sources_line(const Sources *s, uint32_t file, uint32_t line); /* line from 1, no newline */

/* Line and column from 1; the column counts characters (code points), not bytes. */
typedef struct Place {
    uint32_t line, column, end_line, end_column;
} Place;
Place sources_place(const Sources *s, Span at);
uint32_t sources_line_of(const Sources *s, Span at);
Span span_to(Span a, Span b); /* from a's start to b's end, same file */

#endif
