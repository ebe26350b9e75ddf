#!/bin/sh
# dgc.Files: formats, compression, globs, modes, http; and what is said when a file does not fit.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
project=$WORK/project
mkdir -p "$project/defs/raw" "$project/data/parts" "$project/defs/out"
cd "$project" || exit 1
printf 'id,name,amount\n1,Ada,2.5\n2,"B, the 2nd",3\n' > data/a.csv
printf 'name,extra,amount,id\nCid,x,4,3\n' > data/parts/p1.csv
printf 'id\tname\tamount\n4\tDan\t5.5\n' > data/t.tsv
printf '{"id": 1, "name": "x", "deep": {"a": [1, 2]}}\n{"name": "y", "id": 2}\n' > data/n.ndjson
printf '[{"id": 1, "v": "p"}, {"id": 2, "v": "q"}]\n' > data/j.json
gzip -kc data/a.csv > data/z.csv.gz
zstd -qc data/n.ndjson > data/z.ndjson.zst
cat > defs/raw/defs.yaml <<'YAML'
type: dgc.Files
attributes: {path: "../../data/a.csv", asset: raw/a}
---
type: dgc.Files
attributes: {path: ["../../data/a.csv", "../../data/parts/*.csv"], asset: raw/both, columns: {id: bigint, name: varchar, amount: double}}
---
type: dgc.Files
attributes: {path: "../../data/t.tsv", asset: raw/t}
---
type: dgc.Files
attributes: {path: "../../data/n.ndjson", asset: raw/n}
---
type: dgc.Files
attributes: {path: "../../data/j.json", asset: raw/j}
---
type: dgc.Files
attributes: {path: "../../data/z.csv.gz", asset: raw/z}
---
type: dgc.Files
attributes: {path: "../../data/z.ndjson.zst", asset: raw/zn}
---
type: dgc.Files
attributes: {path: "../../data/none-*.csv", asset: raw/none, allow_empty: true, columns: {id: bigint}}
---
type: dgc.Files
attributes: {path: "../../data/a.csv", asset: raw/merged, mode: merge, unique_key: id}
---
type: dgc.Files
attributes: {path: "../../data/a.csv", asset: raw/appended, mode: append}
YAML
{
    for asset in a both t n j z zn none merged appended; do
        printf 'type: dgc.Export\nattributes: {from: raw/%s, path: "../../out/%s.csv"}\n---\n' $asset $asset
    done
} | sed '$d' > defs/out/defs.yaml
expect "checks clean" "$DGC" check .
expect "loads" "$DGC" run . --progress plain
expect "loads again" "$DGC" run . --progress plain

is() { # FILE, EXPECTED (sorted lines)
    got=$(sort "out/$1.csv" | tr '\n' '|')
    if [ "$got" = "$2" ]; then echo "ok $1 holds what its file holds"; else
        echo "FAIL $1: $got"
        failures=$((failures + 1))
    fi
}
is a '1,Ada,2.5|2,"B, the 2nd",3.0|id,name,amount|'
is both '1,Ada,2.5|2,"B, the 2nd",3.0|3,Cid,4.0|id,name,amount|'
is t '4,Dan,5.5|id,name,amount|'
is n '1,x,"{""a"": [1, 2]}"|2,y,|id,name,deep|'
is j '1,p|2,q|id,v|'
is z '1,Ada,2.5|2,"B, the 2nd",3.0|id,name,amount|'
is zn '1,x,"{""a"": [1, 2]}"|2,y,|id,name,deep|'
is merged '1,Ada,2.5|2,"B, the 2nd",3.0|id,name,amount|'
is appended '1,Ada,2.5|1,Ada,2.5|2,"B, the 2nd",3.0|2,"B, the 2nd",3.0|id,name,amount|'

expect "builds" "$DGC" build . -o "$WORK/files.bin"
printf 'id,name,amount\n1,Ada,2.5\n2,B,many\n' > data/a.csv
expect_code 65 "a value that does not fit fails the run" "$WORK/files.bin" run --select raw/a --home "$WORK/h1" --progress plain
expect_text "data/a.csv:3: column \`amount\`: \`many\` is not a number" "and is named with file, line and column"
printf 'id,nme,amount\n1,Ada,2.5\n' > data/a.csv
expect_code 65 "a missing column fails the run" "$WORK/files.bin" run --select raw/a --home "$WORK/h1" --progress plain
expect_text "has no column \`name\`" "and is named"
rm data/a.csv
expect_code 78 "a missing file fails the run" "$WORK/files.bin" run --select raw/a --home "$WORK/h1" --progress plain
expect_text "no file matches data/a.csv" "and is named"

# on_error: skip. Records before and after are whole: what a bad one began to write is gone.
mkdir -p "$WORK/skip/defs/raw" && cd "$WORK/skip" || exit 1
printf 'id,name,amount,at\n1,Ada,2.5,2024-01-01\n2,,many,2024-01-01\n\n3,,,2024-01-01\n4,x,1,never\n5,"E, é",5,2024-01-05\n6,too,few\n"7\n",lines,1,2024-01-01\n8,last,8,2024-01-08,more\n9,Zoe,9,2024-01-09\n' > s.csv
printf '{"id": 1, "name": "x"}\n{"id": "no", "name": "y"}\nnothing\n{"name": "z", "id": 4}\n' > s.ndjson
cat > defs/raw/defs.yaml <<'YAML'
type: dgc.Files
attributes: {path: ../../s.csv, asset: raw/s, on_error: skip, columns: {id: bigint, name: varchar, amount: double, at: date}}
---
type: dgc.Files
attributes: {path: ../../s.ndjson, asset: raw/n, on_error: skip, columns: {id: bigint, name: varchar}}
---
type: dgc.Export
attributes: {from: raw/s, path: "../../out/s.csv"}
---
type: dgc.Export
attributes: {from: raw/n, path: "../../out/n.csv"}
YAML
expect "records that do not fit are left out" "$DGC" run . --progress plain
expect_text "left out: s.csv:3: column \`amount\`: \`many\` is not a number" "and told with their place"
expect_text "5 records were left out, as \`on_error: skip\` says" "and counted"
is s '1,Ada,2.5,2024-01-01|3,,,2024-01-01|5,"E, é",5.0,2024-01-05|9,Zoe,9.0,2024-01-09|id,name,amount,at|'
is n '1,x|4,z|id,name|'
printf 'type: dgc.Files\nattributes: {path: ../../s.parquet, asset: raw/p, on_error: skip}\n' > defs/raw/defs.yaml
expect_code 1 "on_error: skip of Parquet" "$DGC" check .
expect_text 'needs CSV, TSV or NDJSON whose columns are declared' "is a mistake"
expect_text 'warning[W0705]: no file matches `s.parquet` now' "and a path that matches nothing is warned of"
printf 'type: dgc.Files\nattributes: {path: ../../s.*, asset: raw/p, format: csv}\n---\ntype: dgc.Files\nattributes: {path: ../../no, asset: raw/q, allow_empty: true}\n---\ntype: dgc.Files\nattributes: {path: ../../no, asset: raw/r, deps: [raw/p]}\n' > defs/raw/defs.yaml
expect "no warning where nothing is fine, or another step makes it" "$DGC" check .
if grep -q W0705 "$WORK/log"; then echo "FAIL it warns: $(cat "$WORK/log")"; failures=$((failures + 1)); else echo "ok and there is none"; fi

# http: a server of our own on this machine.
if command -v python3 > /dev/null; then
    mkdir -p "$WORK/web/defs/raw" "$WORK/www"
    printf 'id,name\n7,web\n' | gzip -c > "$WORK/www/w.csv.gz"
    python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$WORK/www" > "$WORK/server" 2>&1 &
    server=$!
    trap 'kill $server; rm -rf "$WORK"' EXIT
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$WORK/server")
        [ -n "$port" ] && break
        sleep 0.3
    done
    cat > "$WORK/web/defs/raw/defs.yaml" <<YAML
type: dgc.Files
attributes: {path: "http://127.0.0.1:$port/w.csv.gz?x=1", asset: raw/w, columns: {id: bigint, name: varchar}}
---
type: dgc.Export
attributes: {from: raw/w, path: "../../w.csv"}
---
type: dgc.Files
attributes: {path: "http://127.0.0.1:$port/gone.csv", asset: raw/gone, columns: {id: bigint}}
YAML
    expect "loads over http" "$DGC" run "$WORK/web" --select '+export/w' --progress plain
    expect "what the server has" grep -q '^7,web$' "$WORK/web/w.csv"
    expect_code 65 "an answer of 404 fails the run" "$DGC" run "$WORK/web" --select raw/gone --progress plain
    expect_text "the server answered 404" "and is told"
fi
finish
