/* cut.h - where the last whole record of some bytes ends. Private to runtime/data. */
#ifndef DGC_CUT_H
#define DGC_CUT_H

#include "runtime/data/reader.h"

/* The bytes begin at the start of a record. Returns how many belong to whole records; 0: not even
 * the first one ends in them. `last`: no more bytes will come. */
size_t cut_lines(const char *bytes, size_t n);
size_t cut_csv(const char *bytes, size_t n, char delimiter, char quote, char escape, bool last);

typedef enum CutJson {
    CUT_MORE,  /* more bytes may come */
    CUT_CLOSED,/* the array's closing bracket was met: nothing after it counts */
    CUT_BAD    /* a bracket that closes nothing */
} CutJson;
/* Elements of an array, or top-level values (`top`), with commas and white space between them. */
size_t cut_json(const char *bytes, size_t n, bool top, bool last, CutJson *how);

/* Finds the array that a JSON pointer leads to. True: *start is the offset of its first byte after
 * the bracket. False: *more says whether that may change with more bytes; *found is a description
 * of what stands there instead, NULL when the way there does not exist. */
bool cut_json_find(const char *bytes, size_t n, DgStr pointer, size_t *start, bool *more,
                   const char **found);

int64_t count_lines(const char *from, const char *to); /* line feeds in between */

#endif
