#!/usr/bin/env bash
# `dgc run` to its first step; `dgc build` with each compiler.
. "$(dirname "$0")/lib.sh"
cp -r "$ROOT/samples/shop" "$WORK/shop"
rm -rf "$WORK/shop/.dgc"
"$DGC" run "$WORK/shop" > /dev/null 2>&1
for ((i = 0; i < 15; i++)); do
    start=$(date +%s%N)
    # The first `Running NAME` line is the first step.
    "$DGC" run "$WORK/shop" --progress plain 2>&1 < /dev/null | while IFS= read -r line; do
        case $line in *" Running raw__"*) echo $((($(date +%s%N) - start) / 1000)); cat > /dev/null; break ;; esac
    done
done | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f\n", v[int((NR + 1) / 2)] / 1000 }' > "$WORK/first"
figure "dgc run to the first step (shop, SQL judged)" "$(cat "$WORK/first")" ms 100
figure "dgc build, gcc" "$(median 7 "$DGC" build "$WORK/shop" -o "$WORK/a.bin" --driver gcc)" ms 1200
figure "dgc build, tcc" "$(median 7 "$DGC" build "$WORK/shop" -o "$WORK/b.bin" --driver tcc)" ms 300
