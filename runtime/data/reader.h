/* reader.h - the bytes of a data file as blocks of whole records, for decoders.
 *
 * A reader belongs to one file, plain or compressed (gzip, zstd; told by their first bytes, not by
 * the name). dg_reader_next() may be called by any number of threads at once: under a lock it only
 * copies bytes and looks for the end of the last whole record; decoding is done outside.
 *
 * CSV      a block ends after a line feed that is not inside quotes
 * NDJSON   a block ends after a line feed
 * JSON     a block ends after an element of the array, or after one of several top-level objects.
 *          Elements are handed out with the commas and white space between them, the brackets
 *          round them are not: decoders skip commas and white space before a record.
 *
 * The bytes after a block's end are zeros, DG_BLOCK_PADDING of them, so decoders need not look for
 * the end at every byte. A byte order mark is taken off; UTF-16 is an error that says so.
 */
#ifndef DGC_READER_H
#define DGC_READER_H

#include "runtime/base/base.h"
#include "runtime/data/decode.h"

enum { DG_BLOCK_PADDING = 64 };

typedef struct DgReaderOptions {
    DgFormat format;
    char quote, escape, delimiter; /* CSV; 0: none, no escape beside doubled quotes, comma */
    int64_t skip_lines;            /* CSV: passed over at the top, before the header */
    bool header;                   /* CSV: the first record holds names; see dg_reader_header */
    DgStr records;                 /* JSON: pointer to the array, "/data/items"; empty: the top */
    size_t block_bytes;            /* 0: 1 MiB */
    size_t record_bytes_max;       /* 0: 256 MiB; a longer record is DG_DATA */
} DgReaderOptions;

/* A block and the memory it stands in: one per lane, zeroed before its first use. */
typedef struct DgBlockBuffer {
    DgBlock block;
    char *bytes;
    size_t capacity;
} DgBlockBuffer;
void dg_block_release(DgBlockBuffer *b);

typedef struct DgReader DgReader;
/* `shown` is what messages call the file; it must live as long as the reader and its blocks. */
DgStatus dg_reader_open(const char *path, DgStr shown, const DgReaderOptions *o, DgReader **out,
                        DgError *err);
/* CSV with `header`: the names, unquoted; they live as long as the reader. Count 0: empty file. */
const DgStr *dg_reader_header(const DgReader *r, int32_t *count);
/* The next block; DG_END when there is none. */
DgStatus dg_reader_next(DgReader *r, DgBlockBuffer *to, DgError *err);
int64_t dg_reader_bytes(const DgReader *r); /* read from the file so far, before decompression */
void dg_reader_close(DgReader *r);          /* NULL is fine */

/* Passes over the record at block->at, which a decoder would not take: `on_error: skip`. */
void dg_block_skip_record(DgBlock *block, const DgReaderOptions *o);
/* Line of a place in the block, from 1. */
int64_t dg_block_line(const DgBlock *block, const char *at);

#endif
