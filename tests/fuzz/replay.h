/* replay.h - a main() for fuzz targets: runs each file, and each file of each folder, once.
 *
 * libFuzzer brings its own main(): -fsanitize=fuzzer goes with -DLIBFUZZER, which leaves this one
 * out.
 */
#ifndef TESTS_FUZZ_REPLAY_H
#define TESTS_FUZZ_REPLAY_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#ifndef LIBFUZZER
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static int replay_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return 0;
    static uint8_t bytes[1 << 20];
    size_t size = fread(bytes, 1, sizeof bytes, in);
    int failed = ferror(in);
    fclose(in);
    if (failed)
        return 0;
    uint8_t *exact = malloc(size ? size : 1); /* so that a sanitizer sees reads past the end */
    if (!exact)
        return 0;
    for (size_t i = 0; i < size; i++)
        exact[i] = bytes[i];
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            count += replay_file(argv[i]);
            continue;
        }
        for (struct dirent *entry; (entry = readdir(folder));) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (entry->d_name[0] != '.')
                count += replay_file(path);
        }
        closedir(folder);
    }
    printf("%d inputs\n", count);
    return count == 0;
}
#endif

#endif
