#!/usr/bin/env bash
# Start of a built pipeline, `list`, against /bin/true; its memory; sizes of executables.
. "$(dirname "$0")/lib.sh"
mkdir -p "$WORK/plain/defs/a"
for i in 1 2 3 4 5; do
    printf 'type: dgc.Script\nattributes: {command: [echo, x], asset: side/s%s, pipes: false}\n---\n' $i
done | sed '$d' > "$WORK/plain/defs/a/defs.yaml"
"$DGC" build "$WORK/plain" -o "$WORK/plain.bin" 2> /dev/null
"$DGC" build "$ROOT/samples/shop" -o "$WORK/shop.bin" 2> /dev/null
true_ms=$(median 41 /bin/true)
figure "list of a built pipeline, over /bin/true" "$(difference "$(median 41 "$WORK/shop.bin" list)" "$true_ms")" ms 5
figure "its memory, DuckDB not in use" "$(peak "$WORK/shop.bin" list)" "MB RSS" 6
figure "size without DuckDB" "$(ratio "$(stat -c %s "$WORK/plain.bin")" 1000000)" MB 8
figure "size with DuckDB" "$(ratio "$(stat -c %s "$WORK/shop.bin")" 1000000)" MB 27
