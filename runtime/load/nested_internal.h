/* nested_internal.h - what the files of nested.h share.
 *
 *   nested.c         rows taken apart
 *   nested_json.c    one JSON value after the other
 *   nested_types.c   the type that holds all values of a column
 *   nested_spool.c   rows in files, and out of them
 */
#ifndef DGC_NESTED_INTERNAL_H
#define DGC_NESTED_INTERNAL_H

#include "runtime/load/nested.h"

/* ---- nested_json.c ---- */

typedef struct NestedJson {
    const char *at, *end;
} NestedJson;

/* What comes next: { [ s(tring) b(oolean) n(umber) 0 (null); 'x': nothing that JSON has. */
char nested_json_kind(NestedJson *j);
/* Takes one value, also a number, a word: as it is written. False: it does not end. */
bool nested_json_skip(NestedJson *j, Str *raw);
/* Takes a string; its characters are added to `out`. NULL, else what is wrong with it. */
const char *nested_json_string(NestedJson *j, StrBuf *out);
/* Takes `open`, `,` or `:` if it stands there. */
bool nested_json_mark(NestedJson *j, char mark);

/* ---- nested_types.c ---- */

/* Kinds of cells: 'b', 'n', 's' (characters), 'j' (JSON as written). */
typedef struct NestedSeen {
    bool boolean, number, text, json;
    bool fraction, exponent, no_int64, no_double; /* of numbers */
    bool no_time, zone, no_zone;                  /* of texts */
    int32_t digits, scale;                        /* of numbers: before and after the point, at most */
} NestedSeen;

void nested_see(NestedSeen *seen, char kind, Str value);
DgType nested_type(const NestedSeen *seen);
/* The cell as a value of the column; false: it is none (nested_type says otherwise). */
bool nested_store(DgVector *v, DgType type, int32_t row, char kind, Str value, StrBuf *scratch);

/* ---- nested_spool.c ---- */

typedef struct NestedSpool {
    int fd;          /* -1: nothing was written yet */
    StrBuf buffer;   /* not yet written */
    int64_t written;
} NestedSpool;

DgStatus spool_add(NestedSpool *s, Str folder, const void *bytes, size_t count, DgError *err);
DgStatus spool_flush(NestedSpool *s, Str folder, DgError *err);
void spool_close(NestedSpool *s);

typedef struct NestedReader {
    const NestedSpool *spool;
    char *bytes;
    size_t capacity, begin, end;
    int64_t at;      /* of the file, behind `end` */
} NestedReader;

/* The next `count` bytes, good until the next call. */
DgStatus reader_take(NestedReader *r, size_t count, const char **out, DgError *err);
void reader_close(NestedReader *r);

/* ---- nested.c ---- */

typedef struct NestedField {
    Str name;
    NestedSeen seen;
    DgType type;     /* of a column that was added; else by what was seen */
    bool added;
    int32_t key;     /* which key of the root it is, or -1 */
} NestedField;

typedef struct NestedPart { /* one table */
    NestedTable table;
    Map fields;      /* by path: index + 1 */
    Array(NestedField) columns;
    Map lists;       /* by path: index of the part */
    NestedSpool spool;
} NestedPart;

typedef Array(NestedPart) NestedParts;

struct Nested {
    const NestedSpec *spec;
    Arena arena;             /* names */
    const DgColumn *from;    /* columns of the rows that were read */
    int32_t from_count;
    bool *apart;             /* per column: JSON that is taken apart */
    int32_t *key;            /* per column: which key it is, or -1 */
    NestedParts parts;
    int64_t rows;            /* of the root, so far */
    StrBuf path, bytes, text;/* of the row at hand */
    Str where;               /* for messages: column or list */
    struct NestedCells *cells;
    Str folder;
};

/* A row in a spool: the root's columns that are not taken apart, as they are; u32 count of cells, each u32
 * field, kind, u32 length, bytes; id; lists: parent's id, root's id, int64 place; int64 row. */

DgStatus nested_rows(Nested *n, NestedPart *part, bool root, DgRows **out, DgError *err);

#endif
