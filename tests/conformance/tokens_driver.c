/* tokens_driver.c - reads texts (length, line end, bytes) from standard input, writes their tokens, one line each.
 * For tokens_tiktoken.py. Arguments: the encoding. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/text/tokens.h"

int main(int argc, char **argv)
{
    DgTokenizer *t;
    DgError err = {0};
    const DgTokenRanks *ranks = argc > 1 && strcmp(argv[1], "cl100k_base") == 0 ? &dg_ranks_cl100k_base : &dg_ranks_o200k_base;
    if (tokens_open(ranks, &t, &err) != DG_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t n; scanf("%zu", &n) == 1 && getchar() == '\n';) {
        char *text = malloc(n + 1);
        int32_t *out = malloc(sizeof *out * (n + 1));
        if (fread(text, 1, n, stdin) != n)
            return 1;
        int64_t count = tokens_encode(t, (Str){text, (ptrdiff_t)n}, out, (int64_t)n);
        if (count != tokens_count(t, (Str){text, (ptrdiff_t)n}))
            return 1;
        for (int64_t i = 0; i < count; i++)
            printf("%s%d", i ? " " : "", out[i]);
        putchar('\n');
        /* Cutting: within the budget, whole characters, and all of it when there is room. */
        for (int64_t budget = 1; n && budget <= count + 1; budget += 1 + count / 7) {
            ptrdiff_t cut = tokens_cut(t, (Str){text, (ptrdiff_t)n}, budget);
            if (cut <= 0 || cut > (ptrdiff_t)n || (budget >= count && cut != (ptrdiff_t)n) ||
                (cut < (ptrdiff_t)n && ((unsigned char)text[cut] & 0xc0) == 0x80) ||
                (cut > 4 && tokens_count(t, (Str){text, cut}) > budget)) {
                fprintf(stderr, "cut of %zu bytes at %lld tokens: %td\n", n, (long long)budget, cut);
                return 1;
            }
        }
        free(text);
        free(out);
    }
    tokens_close(t);
    return 0;
}
