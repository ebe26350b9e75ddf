/* mock_tape.h - a tape as something that answers: which recorded answer belongs to a request.
 *
 * A tape is a folder of files KEY.json (runtime/net/tape.c writes them). A request meets a recorded one of the same
 * method, path with query, and body; the host does not count, because the one who asks now asks us. Bodies that are
 * JSON are compared as values: the order of keys and white space do not count. The same request asked again gets the
 * next answer, at the end the last one.
 */
#ifndef DGC_MOCK_TAPE_H
#define DGC_MOCK_TAPE_H

#include "runtime/base/base.h"

typedef struct MockAnswer {
    int status;
    StrArray headers;            /* lines; none about the length or form of the body */
    Str body;
} MockAnswer;

typedef struct MockEntry {
    Str file;                    /* its name in the folder */
    Str method, path, body;      /* path: from the first slash after the host, with the query */
    Array(MockAnswer) answers;   /* at least one */
    size_t asked;
} MockEntry;

typedef struct MockTape {
    Array(MockEntry *) entries;  /* by file name */
    Map exact, by_value;         /* what was asked, as bytes and as JSON values */
} MockTape;

/* All of it is read into `a`. Errors: no folder, no recording in it, a file that is none. */
DgStatus mock_tape_read(Arena *a, Str folder, MockTape *out, DgError *err);
/* The answer to a request, counted as given; NULL: it is not on the tape. */
const MockAnswer *mock_tape_find(MockTape *t, Arena *a, Str method, Str path, Str body, const MockEntry **from);
/* The recorded request that is most like this one; `why`: in what they differ. */
const MockEntry *mock_tape_nearest(const MockTape *t, Arena *a, Str method, Str path, Str body, Str *why);

#endif
