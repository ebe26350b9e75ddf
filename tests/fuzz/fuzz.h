/* fuzz.h - a small driver for fuzz targets: replays a corpus, then mutates it.
 *
 * A target defines `static void fuzz_one(const char *bytes, size_t n)` and includes this last.
 * Run as `fuzz_NAME [CORPUS_FOLDER]`; FUZZ_SECONDS (2) is how long to mutate, FUZZ_SEED (1) which
 * way. With -DLIBFUZZER it is a libFuzzer target instead. Bytes are in an exact allocation, so
 * that the address sanitizer sees a step past either end.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_one((const char *)bytes, n);
    return 0;
}
#else

enum { FUZZ_SEEDS_MAX = 1000, FUZZ_BYTES_MAX = 4096 };

typedef struct FuzzSeed {
    char *bytes;
    size_t n;
} FuzzSeed;

static uint64_t fuzz_state;
static uint64_t fuzz_random(uint64_t bound)
{
    fuzz_state ^= fuzz_state << 13, fuzz_state ^= fuzz_state >> 7, fuzz_state ^= fuzz_state << 17;
    return bound ? fuzz_state % bound : 0;
}

static void fuzz_call(const char *bytes, size_t n)
{
    char *exact = malloc(n ? n : 1);
    if (!exact)
        exit(1);
    memcpy(exact, bytes, n);
    fuzz_one(exact, n);
    free(exact);
}

static size_t fuzz_load(const char *folder, FuzzSeed *seeds, size_t count)
{
    DIR *dir = folder ? opendir(folder) : NULL;
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) && count < FUZZ_SEEDS_MAX) {
        char path[4096], bytes[FUZZ_BYTES_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *f = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (!f)
            continue;
        seeds[count].n = fread(bytes, 1, sizeof bytes, f);
        seeds[count].bytes = malloc(seeds[count].n + 1);
        if (!seeds[count].bytes)
            exit(1);
        memcpy(seeds[count].bytes, bytes, seeds[count].n);
        fclose(f);
        count++;
    }
    if (dir)
        closedir(dir);
    return count;
}

/* Changes, inserts, deletes, repeats, and grafts from another seed. */
static size_t fuzz_mutate(char *to, const FuzzSeed *from, const FuzzSeed *other)
{
    size_t n = from->n < FUZZ_BYTES_MAX / 2 ? from->n : FUZZ_BYTES_MAX / 2;
    memcpy(to, from->bytes, n);
    for (uint64_t edits = 1 + fuzz_random(4); edits > 0; edits--) {
        size_t at = fuzz_random(n + 1), len = 1 + fuzz_random(8);
        uint64_t kind = fuzz_random(5);
        if (kind == 0 && at < n)
            to[at] = (char)fuzz_random(256);
        else if (kind == 1 && n < FUZZ_BYTES_MAX)
            memmove(to + at + 1, to + at, n - at), to[at] = (char)fuzz_random(128), n++;
        else if (kind == 2 && at + len <= n)
            memmove(to + at, to + at + len, n - at - len), n -= len;
        else if (kind == 3 && at + len <= n && n + len <= FUZZ_BYTES_MAX)
            memmove(to + at + len, to + at, n - at), n += len;
        else if (kind == 4 && other->n) {
            size_t start = fuzz_random(other->n);
            len = len < other->n - start ? len : other->n - start;
            if (n + len <= FUZZ_BYTES_MAX)
                memmove(to + at + len, to + at, n - at), memcpy(to + at, other->bytes + start, len), n += len;
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    static FuzzSeed seeds[FUZZ_SEEDS_MAX];
    const char *seconds = getenv("FUZZ_SECONDS"), *seed = getenv("FUZZ_SEED");
    char bytes[FUZZ_BYTES_MAX];
    size_t count = fuzz_load(argc > 1 ? argv[1] : NULL, seeds, 0), tried = 0;
    if (count == 0)
        seeds[count++] = (FuzzSeed){strdup("a"), 1};
    for (size_t i = 0; i < count; i++)
        fuzz_call(seeds[i].bytes, seeds[i].n);
    fuzz_state = (seed ? strtoull(seed, NULL, 10) : 1) * 0x9e3779b97f4a7c15u + 1;
    time_t end = time(NULL) + (seconds ? (time_t)strtol(seconds, NULL, 10) : 2);
    for (; time(NULL) < end; tried++) {
        size_t n = fuzz_mutate(bytes, &seeds[fuzz_random(count)], &seeds[fuzz_random(count)]);
        fuzz_call(bytes, n);
    }
    printf("ok %zu seeds, %zu mutations\n", count, tried);
    for (size_t i = 0; i < count; i++)
        free(seeds[i].bytes);
    return 0;
}
#endif
#endif
