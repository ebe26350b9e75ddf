/* documents_main.c - MB/s of CPU time: Markdown read and cut, tokens counted or not. For documents.sh.
 * documents FILE o200k_base|cl100k_base|bytes heading|sentence|tokens */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/os/os.h"
#include "runtime/text/chunk.h"

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    Arena a;
    Str text;
    DgError err = {0};
    DgTokenizer *shared = NULL, *tokenizer = NULL;
    arena_init(&a, 0);
    if (argc < 4 || os_read_file(&a, argv[1], 1 << 30, &text, &err) != DG_OK)
        return 2;
    const DgTokenRanks *ranks = argv[2][0] == 'o' ? &dg_ranks_o200k_base : argv[2][0] == 'c' ? &dg_ranks_cl100k_base : NULL;
    if (ranks && tokens_open(ranks, &shared, &err) != DG_OK)
        return 1;
    if (shared)
        tokenizer = tokens_clone(shared);
    DgDoc doc = {.text_max = 1 << 30};
    DgChunker chunker = {0};
    DgChunk chunk;
    DgChunkOptions options = {argv[3][0] == 'h' ? DG_CHUNK_HEADING : argv[3][0] == 's' ? DG_CHUNK_SENTENCE : DG_CHUNK_TOKENS, 400, 40, tokenizer};
    double best = 1e9;
    for (int round = 0; round < 3; round++) {
        int64_t chunks = 0;
        double start = cpu_seconds();
        if (doc_read(&doc, DG_DOC_MARKDOWN, text, &err) != DG_OK)
            return 1;
        chunker_start(&chunker, &doc, &options);
        while (chunker_next(&chunker, &chunk))
            chunks++;
        double took = cpu_seconds() - start;
        best = took < best && chunks ? took : best;
    }
    printf("%.1f\n", (double)text.len / 1e6 / best);
    tokens_close(tokenizer);
    tokens_close(shared);
    return 0;
}
