/* tokens.h - how many tokens a text is for a model, and where so many of them end.
 *
 * Byte pair encoding with OpenAI's vocabularies, as tiktoken's encode_ordinary counts: text that looks
 * like a special token is ordinary text. Other models' counts differ by some per cent; these are what
 * budgets and chunk sizes are stated in.
 *
 * A vocabulary is data of 0.4 to 0.8 MB. Which one an executable carries is decided by what it names:
 * dg_ranks_o200k_base, dg_ranks_cl100k_base. A tokenizer does not change once open: any threads may use it.
 */
#ifndef DGC_TOKENS_H
#define DGC_TOKENS_H

#include "runtime/base/base.h"

typedef struct DgTokenizer DgTokenizer;

typedef struct DgTokenRanks { /* a vocabulary, packed: scripts/pack_ranks.js, then zstd */
    const char *name;         /* "o200k_base" */
    const unsigned char *packed, *packed_end;
    bool splits_case;         /* o200k: words are cut at capitals, and take 's and the like with them */
} DgTokenRanks;
extern const DgTokenRanks dg_ranks_o200k_base, dg_ranks_cl100k_base;

/* Some 10 ms and 12 MB (o200k_base). */
DgStatus tokens_open(const DgTokenRanks *ranks, DgTokenizer **out, DgError *err);
void tokens_close(DgTokenizer *t); /* after its clones */
/* The same for one thread alone: it remembers words, and counts several times as fast. NULL: out of memory. */
DgTokenizer *tokens_clone(const DgTokenizer *t);

/* Without a tokenizer (NULL) a token is four bytes, rounded up: an estimate that costs nothing. */
int64_t tokens_count(const DgTokenizer *t, Str text);
/* The same, but it stops counting once there are more than `max`: what it returns is then some number above. */
int64_t tokens_count_to(const DgTokenizer *t, Str text, int64_t max);
/* The ranks themselves; at most `max` are written. Returns how many there are. */
int64_t tokens_encode(const DgTokenizer *t, Str text, int32_t *out, int64_t max);
/* Bytes of the longest beginning of `text`, of whole characters, that is about `tokens` tokens and never
 * more; at least one character. */
ptrdiff_t tokens_cut(const DgTokenizer *t, Str text, int64_t tokens);

/* ---- tokens_split.c: the pieces that are encoded each by itself ---- */

/* Where the piece that begins at `at` ends. */
ptrdiff_t tokens_piece_end(Str text, ptrdiff_t at, bool splits_case);

#endif
