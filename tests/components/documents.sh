#!/bin/sh
# dgc.Documents: a folder of each format in chunks; what a second run reads; what cannot be read; tables, http.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
project=$WORK/project
seeds=$ROOT/tests/fuzz/corpus/fuzz_documents
mkdir -p "$project/defs/rag/models" "$project/defs/out" "$project/docs/deep" "$project/data"
cd "$project" || exit 1
printf -- '# Guide\n\nHow to begin.\n\n## Steps\n\nFirst this. Then that.\n\n```sh\nrun it\n```\n' > docs/a.md
printf '<title>Page</title><h1>Head</h1><p>Some <b>bold</b> text.</p><script>no()</script>' > docs/b.html
printf 'Plain words.\n\nAnd more of them.\n' > docs/deep/c.txt
tail -c +2 "$seeds/pdf_flate" > docs/d.pdf # the first byte is the fuzzer's
tail -c +2 "$seeds/docx" > docs/e.docx
head -c 300 docs/d.pdf > docs/cut.pdf
printf 'a\0b' > docs/binary.txt
printf 'id,body\n1,"# Ticket\n\nIt is broken."\n2,Works\n3,\n' > data/tickets.csv
cat > defs/rag/defs.yaml <<'YAML'
type: dgc.Documents
attributes: {path: "../../docs/**/*.{md,html,txt,pdf,docx}", asset: rag/chunks}
---
type: dgc.Files
attributes: {path: "../../data/tickets.csv", asset: raw/tickets, columns: {id: bigint, body: varchar}}
---
type: dgc.Documents
attributes: {from: raw/tickets, column: body, key: id, asset: rag/tickets, rejects: rag/bad_tickets, chunk: {by: sentence, tokens: 100, overlap: 0, encoding: bytes}}
---
type: dgc.SqlModels
attributes: {path: models, prefix: marts, materialized: table}
YAML
cat > defs/rag/models/seen.sql <<'SQL'
SELECT document, ordinal, coalesce(title, '-') AS title, coalesce(headings, '-') AS headings, coalesce(page, 0) AS page, byte_start, byte_end, tokens, replace(text, chr(10), '~') AS text
FROM {{ ref('rag/chunks') }}
SQL
echo "SELECT id, document, hash FROM {{ ref('rag/chunks') }}" > defs/rag/models/ids.sql
{
    for asset in marts/seen marts/ids rag/tickets rag/chunks_rejects rag/bad_tickets; do
        printf 'type: dgc.Export\nattributes: {from: %s, path: "../../out/%s.csv"}\n---\n' $asset "$(basename $asset)"
    done
} | sed '$d' > defs/out/defs.yaml
expect "checks clean" "$DGC" check .
expect "reads every format" "$DGC" run . --progress plain
expect_text "docs/cut.pdf was left out: it is a PDF that was cut off" "a truncated document is a warning"
expect_text "docs/binary.txt was left out: it is no text: it has NUL bytes" "and so is one that is no text"

same() { # WHAT FILE EXPECTED
    if [ "$(cat "out/$2.csv")" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1:"
        diff "out/$2.csv" - <<END
$3
END
        failures=$((failures + 1))
    fi
}
sort -o out/seen.csv out/seen.csv
same "chunks of every format" seen "docs/a.md,0,Guide,Guide,0,0,22,7,\"# Guide~~How to begin.\"
docs/a.md,1,Guide,Guide > Steps,0,24,74,16,\"## Steps~~First this. Then that.~~\`\`\`sh~run it~\`\`\`\"
docs/b.html,0,Page,Head,0,23,57,6,Head~~Some bold text.
docs/d.pdf,0,-,-,1,0,19,8,Hello (x) Ã~worldz
docs/deep/c.txt,0,-,-,0,0,31,8,Plain words.~~And more of them.
docs/e.docx,0,Plan 2026,The Plan,0,0,28,8,The Plan~~We start & finish.
docs/e.docx,1,Plan 2026,The Plan > Costs,0,30,77,21,Costs~~- one~- two~~k | v~1 | 2~~kept and added
document,ordinal,title,headings,page,byte_start,byte_end,tokens,text"
expect "rejects are rows" grep -q '^docs/cut.pdf,it is a PDF that was cut off,pdf,300,' out/chunks_rejects.csv
expect "texts of a column are documents" test "$(cut -d, -f2,3,5 out/tickets.csv | grep -c '^[12],0')" = 2

# A second run: nothing; then a changed, a new, a moved, a touched, a mended and a vanished document.
cp out/ids.csv ids.first
expect "runs again" "$DGC" run . --progress plain
expect "nothing is left out again" sh -c '! grep -q "left out" "$0"' "$WORK/log"
same "the same chunks" ids "$(cat ids.first)"
touch docs/deep/c.txt
rm docs/b.html
printf -- 'New first.\n\n' | cat - docs/a.md > docs/a.new && mv docs/a.new docs/a.md
printf 'Once more.\n' > docs/f.txt
printf 'mended\n' > docs/binary.txt
expect "follows" "$DGC" run . --select '+marts/*' --select '+key:export/*' --json
cp "$WORK/log" follow.json
expect "follows to the exports" "$DGC" run . --progress plain
expect "a vanished document leaves" sh -c '! grep -q b.html out/seen.csv'
expect "a new one comes" grep -q 'docs/f.txt,0.*Once more' out/seen.csv
expect "a mended one is a reject no more" sh -c '! grep -q binary out/chunks_rejects.csv && grep -q "binary.txt,0.*mended" out/seen.csv'
expect "and the other stays one" grep -q '^docs/cut.pdf' out/chunks_rejects.csv
old=$(grep 'docs/a.md' ids.first | sort) new=$(grep 'docs/a.md' out/ids.csv | sort)
kept=$(printf '%s\n%s\n' "$old" "$new" | sort | uniq -d | wc -l)
expect "chunks that did not change keep their ids" test "$kept" = 2
expect "with a new one before them" test "$(echo "$new" | wc -l)" = 3
expect "only what changed was written" grep -q '"documents_unchanged", "value": 4}' follow.json
expect "one was changed" grep -q '"documents_changed", "value": 2}' follow.json

# Another size of chunks: everything is cut anew.
sed -i 's|asset: rag/chunks}|asset: rag/chunks, on_error: fail, chunk: {tokens: 10, overlap: 0}}|' defs/rag/defs.yaml
expect_code 65 "on_error: fail ends the step" "$DGC" run . --select rag/chunks --progress plain
expect_text "docs/cut.pdf cannot be read: it is a PDF that was cut off" "and says which and why"
rm docs/cut.pdf
expect "other settings" "$DGC" run . --progress plain
expect "sizes are kept" sh -c "! cut -d, -f8 out/seen.csv | grep -E '^[1-9][1-9]$'"
expect "keys are unique" sh -c 'printf "id,body\n1,a\n1,b\n" > data/tickets.csv; ! "$0" run . --select +rag/tickets --progress plain > dup.log 2>&1 && grep -q "has the \`id\` 1 twice" dup.log' "$DGC"

# Hostile ones: a bomb, and one that is too large.
if command -v python3 > /dev/null; then
    python3 - <<'PY'
import zipfile, zlib
with zipfile.ZipFile("docs/bomb.docx", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("word/document.xml", "<d><p><t>" + "a" * (200 << 20) + "</t></p></d>")
packed = zlib.compress(b"BT (a) Tj ET " * (20 << 20))
with open("docs/bomb.pdf", "wb") as f:
    f.write(b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Kids[3 0 R]>>endobj 3 0 obj<</Type/Page/Contents[" + b"4 0 R " * 50 + b"]>>endobj\n4 0 obj<</Filter/FlateDecode/Length %d>>stream\n" % len(packed))
    f.write(packed + b"\nendstream endobj trailer<</Root 1 0 R>>\n%%EOF")
PY
    sed -i 's/on_error: fail, //' defs/rag/defs.yaml
    expect "bombs are left out" "$DGC" run . --select rag/chunks --progress plain
    expect_text "docs/bomb.docx was left out" "one of Word"
    expect_text "docs/bomb.pdf was left out: its streams unpack to too much" "and one of PDF"

    mkdir -p "$WORK/web/defs/rag" "$WORK/www"
    printf '# Web\n\nOver http.\n' > "$WORK/www/w.md"
    python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$WORK/www" > "$WORK/server" 2>&1 &
    server=$!
    trap 'kill $server; rm -rf "$WORK"' EXIT
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$WORK/server")
        [ -n "$port" ] && break
        sleep 0.3
    done
    printf 'type: dgc.Documents\nattributes: {path: "http://127.0.0.1:%s/w.md", asset: rag/web}\n---\ntype: dgc.Export\nattributes: {from: rag/web, path: "../../w.csv"}\n' "$port" > "$WORK/web/defs/rag/defs.yaml"
    expect "reads over http" "$DGC" run "$WORK/web" --progress plain
    expect "what the server has" grep -q "http://127.0.0.1:$port/w.md,0,Web,Web," "$WORK/web/w.csv"
fi

# Vocabularies are linked only where they are named.
expect "builds" "$DGC" build . -o "$WORK/documents.bin"
expect "a built pipeline does it, too" "$WORK/documents.bin" run --home "$WORK/h" --select rag/chunks --progress plain
finish
