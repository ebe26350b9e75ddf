/* chunk.h - a document's text in chunks of a bounded number of tokens.
 *
 * A chunk is one stretch of the document's text. Cuts are made, in this order of preference, between
 * blocks, between sentences, between words (between characters where a script has no words), and never
 * inside a character. Fences are kept whole up to four times the size.
 */
#ifndef DGC_CHUNK_H
#define DGC_CHUNK_H

#include "runtime/text/extract.h"
#include "runtime/text/tokens.h"

typedef enum DgChunkBy {
    DG_CHUNK_HEADING,  /* a section is one chunk, or several */
    DG_CHUNK_SENTENCE, /* whole sentences, as many as fit, whatever the headings */
    DG_CHUNK_TOKENS,   /* exactly so many tokens */
} DgChunkBy;
extern const char *const dg_chunk_ways[]; /* "heading", "sentence", "tokens"; ended by NULL */

enum { DG_CHUNK_TOKENS_MAX = 100000 };

typedef struct DgChunkOptions {
    DgChunkBy by;
    int64_t tokens;  /* at most in a chunk; 1 to DG_CHUNK_TOKENS_MAX */
    int64_t overlap; /* about so many are repeated from the chunk before, of the same section; <= tokens / 2 */
    const DgTokenizer *tokenizer; /* NULL: four bytes are a token */
} DgChunkOptions;

typedef struct DgChunk {
    Str text;            /* a part of the doc's text */
    Str headings;        /* "A > B"; good until the next call */
    int64_t source_start, source_end;
    int64_t tokens;
    int32_t page;        /* where it begins; 0: none */
} DgChunk;

typedef struct DgSegment { /* a piece that is not cut */
    int64_t start, end, tokens;
    size_t block;
} DgSegment;

/* Zeroed at first, reused from document to document. */
typedef struct DgChunker {
    const DgDoc *doc;
    DgChunkOptions options;
    size_t block;            /* what comes next: this block, from `at` on */
    int64_t at, carry;       /* carry: where the overlap begins; -1: none */
    bool has_pending;
    DgSegment pending;
    size_t path[9];          /* headings that are open: their block plus 1 */
    StrBuf headings;
} DgChunker;

void chunker_start(DgChunker *c, const DgDoc *doc, const DgChunkOptions *options);
bool chunker_next(DgChunker *c, DgChunk *out); /* false: there are no more */
void chunker_free(DgChunker *c);

/* ---- sentences.c ---- */

/* Where the sentence (or line of a list) that begins at `at` ends, with the blanks after it. */
ptrdiff_t sentence_end(Str text, ptrdiff_t at, ptrdiff_t end);
/* The best place to cut text[at..most], not before `least`. */
ptrdiff_t break_before(Str text, ptrdiff_t at, ptrdiff_t least, ptrdiff_t most);

#endif
