/* json_numbers.h - numbers of JSON that a double cannot hold, kept as they are written. Private to runtime/files.
 *
 * DuckDB reads every number with a fraction, or beyond 64 bits, as a double. Where a path has such numbers and any
 * number of more than 15 digits, the files are read once more, and all numbers of that path become texts; a column of
 * nothing else is then a decimal, when 38 digits are enough, else it stays text. Files without long numbers, which a
 * look at their bytes tells, are left alone.
 */
#ifndef DGC_JSON_NUMBERS_H
#define DGC_JSON_NUMBERS_H

#include "runtime/files/formats_internal.h"

typedef struct JsonNumbers JsonNumbers; /* in f's arena */

/* Replaces f->paths by a temporary file when numbers would be lost; *out NULL: nothing to do. */
DgStatus json_keep_numbers(FileRows *f, JsonNumbers **out, DgError *err);
/* The type of a column (of records at the top) whose numbers became texts; empty: it is none of these. */
Str json_number_type(FileRows *f, const JsonNumbers *n, Str column);

/* One record: `out` NULL: only looked at; else its numbers of lossy paths are put in quotes, and it is one line. Apart
 * from DuckDB, for tests. False: out of memory, or too many paths. */
bool json_numbers_look(JsonNumbers *n, Str record);
bool json_numbers_quote(JsonNumbers *n, Str record, StrBuf *out);
JsonNumbers *json_numbers_new(Arena *a);
void json_numbers_settle(JsonNumbers *n); /* after the last look */
void json_numbers_done(JsonNumbers *n);   /* frees what the walk needs; paths stay */

#endif
