#!/usr/bin/env bash
# Decoding alone: NDJSON records of 225 B into typed columns in memory, one core, by the decoder that
# dgc emits for the file. Bar: 2 million records a second.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build}
case $build in /*) ;; *) build=$root/$build ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/defs/raw" "$work/data"
awk 'BEGIN { for (i = 0; i < 400000; i++) printf "{\"id\": %d, \"customer\": \"cust%d\", \"amount\": %.2f, \"ts\": \"2024-%02d-%02d %02d:%02d:00\", \"flag\": %s, \"comment\": \"some text number %d here and a bit more of it so that the record is long enough\", \"city\": \"Town %d\", \"score\": %d}\n", i, i % 5000, i % 1000 / 7, 1 + i % 12, 1 + i % 28, i % 24, i % 60, i % 3 ? "true" : "false", i % 97, i % 300, i % 1000 }' > "$work/data/a.ndjson"
cat > "$work/defs/raw/defs.yaml" <<'YAML'
type: dgc.Files
attributes: {path: "../../data/a.ndjson", asset: raw/a}
YAML
"$build/dgc" build "$work" --emit c > "$work/emitted.c"
decoder=$(grep -oE '[a-z_0-9]*decode\(DgBlock' "$work/emitted.c" | head -1 | cut -d'(' -f1)
grep -v '^#define DGC_NO_LIBC' "$work/emitted.c" > "$work/pipeline.h"
cat > "$work/bench.c" <<C
#define main unused_main
#include "pipeline.h"
#undef main
#include <stdio.h>
#include <time.h>
#include "runtime/data/batch.h"
#include "runtime/data/reader.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    const DgAssetDef *asset = &dg_pipeline.assets[0];
    double best = 0;
    for (int round = 0; round < 5; round++) {
        DgReader *r;
        DgError err = {0};
        DgReaderOptions o = {.format = DG_NDJSON};
        DgBlockBuffer buffer = {0};
        DgBatch b;
        long rows = 0;
        double spent = 0;
        if (dg_reader_open(argv[1], str_from("a"), &o, &r, &err) || dg_batch_init(&b, asset->columns, asset->columns_count, DG_BATCH_ROWS, &err))
            return 1;
        while (dg_reader_next(r, &buffer, &err) == DG_OK) {
            double start = now();
            while (buffer.block.at < buffer.block.end) {
                dg_batch_reset(&b);
                if ($decoder(&buffer.block, &b, &err) != DG_OK)
                    return puts(err.message), 1;
                rows += b.rows;
            }
            spent += now() - start;
        }
        if ((double)rows / spent > best)
            best = (double)rows / spent;
        dg_block_release(&buffer);
        dg_reader_close(r);
        dg_batch_release(&b);
    }
    printf("decode NDJSON         %5.2f M records/s/core   (bar 2.00)  %s\n", best / 1e6, best >= 2e6 ? "met" : "NOT met");
    return 0;
}
C
tp=$("$root/scripts/tp_dir.sh")
(cd "$root" && gcc -std=gnu11 -D_GNU_SOURCE -O2 -w -I"$work" -I. -isystem "$tp/include" -o "$work/bench" "$work/bench.c" -L"$build/lib" \
    -Wl,--start-group $(sed "s|^lib.*\.a$|$build/lib/&|" "$build/lib/LINK") -Wl,--end-group)
"$work/bench" "$work/data/a.ndjson"
