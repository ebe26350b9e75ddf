/* decode.h - from bytes to batches. What emitted decoders and row programs call and look like.
 *
 * Emitted C includes this: only dgc.h, no libc.
 *
 * A reader (reader.h) hands out blocks: whole records, in order, of one file. A decoder turns one
 * block into rows, specialised to its columns at compile time; dg_decode_generic does the same
 * from a column table for files that are first seen at run time.
 */
#ifndef DGC_DECODE_H
#define DGC_DECODE_H

#include "runtime/component.h"

typedef struct DgBlock { /* whole records; `at` moves as rows are taken */
    const char *at, *end;
    int64_t offset;      /* of the block's first byte in its (decompressed) file */
    int64_t first_line;  /* its line number, from 1 */
    DgStr file;
    const char *begin;
    /* CSV: for each column of the file, its index in the decoder's columns or -1. */
    const int32_t *map;
    int32_t map_count;
    const DgStr *nulls;  /* CSV: texts that mean null, besides nothing at all */
    int32_t nulls_count;
} DgBlock;

/* Appends rows to `out` until it is full or the block is used up. DG_DATA with file, line and what
 * was found when a record does not fit. */
typedef DgStatus (*DgDecodeFn)(DgBlock *block, DgBatch *out, DgError *err);

/* A row program: in -> out, row by row or column by column; out->rows <= in->rows. */
typedef DgStatus (*DgRowFn)(const DgBatch *in, DgBatch *out, DgError *err);

#endif
