#!/usr/bin/env bash
# Chunking: Markdown per core, by heading with and without token counts; and a folder of 2 000 documents, of
# which a second run reads 1 %.
. "$(dirname "$0")/lib.sh"
(cd "$ROOT" && gcc -std=gnu11 -D_GNU_SOURCE -O2 -I. -isystem "$TP/include" -o "$WORK/documents" bench/documents_main.c -L"$BUILD/lib" -Wl,--gc-sections \
    -Wl,--start-group $(sed "s|^lib.*\.a$|$BUILD/lib/&|" "$BUILD/lib/LINK") -Wl,--end-group) || exit 1
cat "$ROOT"/docs/*/*.md "$ROOT"/README.md > "$WORK/one.md"
for _ in $(seq 150); do cat "$WORK/one.md"; done > "$WORK/big.md"
figure_min "Markdown by heading" "$("$WORK/documents" "$WORK/big.md" bytes heading)" MB/s 100
figure_min "by heading, o200k_base counts" "$("$WORK/documents" "$WORK/big.md" o200k_base heading)" MB/s 10
figure_min "by heading, cl100k_base counts" "$("$WORK/documents" "$WORK/big.md" cl100k_base heading)" MB/s 10
figure_min "by sentence, o200k_base counts" "$("$WORK/documents" "$WORK/big.md" o200k_base sentence)" MB/s 10
figure_min "by tokens, o200k_base counts" "$("$WORK/documents" "$WORK/big.md" o200k_base tokens)" MB/s 10

project=$WORK/project
mkdir -p "$project/defs/rag" "$project/docs"
printf 'type: dgc.Documents\nattributes: {path: "../../docs/*.md", asset: rag/chunks}\n' > "$project/defs/rag/defs.yaml"
for i in $(seq 2000); do { echo "# Document $i"; sed -n "$((i % 700 + 1)),$((i % 700 + 400))p" "$WORK/one.md"; } > "$project/docs/d$i.md"; done
"$DGC" build "$project" -o "$WORK/rag.bin" > /dev/null || exit 1
first=$(cd "$project" && median 1 "$WORK/rag.bin" run --home "$WORK/h")
for i in $(seq 1 100 2000); do echo "More." >> "$project/docs/d$i.md"; done
second=$(cd "$project" && median 1 "$WORK/rag.bin" run --home "$WORK/h")
third=$(cd "$project" && median 3 "$WORK/rag.bin" run --home "$WORK/h")
size=$(du -sm "$project/docs" | cut -f1)
echo "2 000 documents, $size MB: first run $first ms, 1 % changed $second ms, nothing changed $third ms"
figure "1 % changed, of the first run" "$(ratio "$second" "$first")" x 0.25
