#!/usr/bin/env bash
# Replications and files: what a wildcard is, blank lines, key=value folders; backfills in chunks.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
mkdir -p "$WORK/p/defs/r" "$WORK/p/in" && cd "$WORK/p" || exit 1
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
says() { # NAME PATTERN COMMAND...: it fails, and says so
    local name=$1 pattern=$2 status
    shift 2
    "$@" > said 2>&1
    status=$?
    if [ "$status" != 0 ] && grep -qE -- "$pattern" said; then echo "ok $name"; else
        echo "FAIL $name: status $status, $(tail -3 said | tr '\n' ' ')"
        failures=$((failures + 1))
    fi
}
replication() { # streams, as YAML, from stdin; $1: more attributes, $2: source
    { printf 'type: dgc.Replication\nattributes:\n  connections: {OUT: {type: sqlite, instance: out.db}, SRC: {type: sqlite, instance: src.db}, WEB: {type: http, url: "http://127.0.0.1:%s"}}\n  source: %s\n  target: OUT\n' \
        "${port:-1}" "${2:-local}"
      [ -z "${1:-}" ] || printf '  %s\n' "$1"
      printf '  streams:\n'; sed 's/^/    /'; } > defs/r/defs.yaml
}
rows() { sqlite3 out.db "$1" 2>&1 | tr '\n' ' '; }

# ---- A wildcard of files ----
printf 'id,v\n1,a\n' > in/one.csv; printf 'id,v\n2,b\n' > in/two.csv; printf 'id,w\n3,c\n' > in/three.csv
replication <<'YAML'
in/*.csv: {object: "main.{stream_file_name}"}
in/three.csv: {object: main.other}
in/t*.csv: {object: main.all_t}
in/on*.csv: {object: "main.{stream_file_name}_1", single: true}
YAML
expect "runs a wildcard" "$DGC" run . --home home
is "each file has a table of its own" "1|a 2|b " "$(rows 'SELECT id, v FROM one UNION ALL SELECT id, v FROM two ORDER BY 1')"
is "entries of their own leave the wildcard" "0 3|c " "$(rows "SELECT count(*) FROM sqlite_master WHERE name = 'three'; SELECT id, w FROM other")"
is "where the object names one table all files go there" "2 3 " "$(rows 'SELECT id FROM all_t ORDER BY 1')"
is "single: the name is the pattern's" "1|on_ " "$(rows "SELECT count(*), group_concat(substr(name, 1, 3)) FROM sqlite_master WHERE name LIKE 'on_\\_1' ESCAPE '\\'")"
mkdir -p in/sub && cp in/one.csv in/sub/
replication <<'YAML'
in/**/one.csv: {object: "main.{stream_file_name}"}
YAML
rm out.db
says "two files for one table" '`in/one.csv` and `in/sub/one.csv` both go to `main.one`' "$DGC" run . --home home2
is "and none was loaded" "0 " "$(rows "SELECT count(*) FROM sqlite_master WHERE name = 'one'")"
printf 'in/*.csv: {object: main.same, single: false}\n' | replication
says "single: false, and one table" 'error\[E0110\]: stream `in/\*.csv` is many files, each for itself, and its `object` names one' "$DGC" check .

# Each has a place of its own where it goes on.
printf 'in/t*.csv: {object: "main.{stream_file_name}", mode: incremental, update_key: id}\n' | replication
expect "incremental files" "$DGC" run . --home home3
printf '9,z\n' >> in/two.csv
expect "incremental files again" "$DGC" run . --home home3
is "only new rows come" "2|b 9|z " "$(rows 'SELECT id, v FROM two ORDER BY 1')"
"$DGC" build . -o p.bin > /dev/null 2>&1
is "and state shows each" "2" "$(./p.bin state --home home3 | grep -c 'in/t[a-z]*.csv to t')"

# ---- Blank lines ----
printf 'id,v\n1,a\n\n,\n,""\n2,b\n' > in/blank.csv
replication <<'YAML'
in/blank.csv: {object: main.kept}
./in/blank.csv: {object: main.skipped, source_options: {skip_blank_lines: true}}
YAML
rm -f out.db
expect "blank lines" "$DGC" run . --home home4
is "lines of commas are rows" "4 " "$(rows 'SELECT count(*) FROM kept')"
is "skip_blank_lines leaves them out" "1|a 2|b " "$(rows 'SELECT id, v FROM skipped ORDER BY 1')"

# ---- key=value folders of files that are downloaded, or decoded first ----
for month in 1 2; do mkdir -p "web/year=2024/month=$month"; printf 'id\n%s\n' "$month" > "web/year=2024/month=$month/x.csv"; done
printf 'id\n1\n' | iconv -t utf-16 > web/year=2024/month=1/wide.csv
printf '{"id": 1.234567890123456789}\n' > web/year=2024/month=1/long.json; printf '{"id": 2.234567890123456789}\n' > web/year=2024/month=2/long.json
python3 -u -m http.server --bind 127.0.0.1 --directory web 0 > web.log 2>&1 &
server=$!
for _ in $(seq 100); do grep -q port web.log && break; sleep 0.1; done
port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' web.log)
replication "" WEB <<'YAML'
web: {files: ["year=2024/month=1/x.csv", "year=2024/month=2/x.csv?a=b/c"], object: main.web}
YAML
rm -f out.db
expect "downloads in folders" "$DGC" run . --home home5
kill "$server"
is "their folders are columns" "1|2024|1 2|2024|2 " "$(rows 'SELECT id, year, month FROM web ORDER BY 1')"
is "nothing is left of the downloads" "0" "$(find home5/tmp -type f 2> /dev/null | wc -l)"
replication <<'YAML'
"web/year=2024/*/wide.csv": {object: main.wide, source_options: {encoding: utf-16}}
"web/year=2024/month=1/long.json": {object: main.long}
YAML
expect "decoded files in folders" "$DGC" run . --home home6
is "folders of decoded files" "1|2024|1 " "$(rows 'SELECT id, year, month FROM wide')"
is "folders of a JSON file with long numbers" "1.234567890123456789|1 " "$(rows 'SELECT id, month FROM long')"
printf '"web/year=2024/*/long.json": {object: main.long}\n' | replication
says "folders that would get lost" 'lie in key=value folders, whose columns cannot be kept together with numbers of so many digits' "$DGC" run . --home home7

# ---- Numbers in CSV that a double does not hold ----
printf 'a,b,c,d,e\n12345678901234567890123,0.30000000000000004,1e300,1234567890123.4567,12345678901234567890123456789012345678901234567890\n1.5,2,3,4,1e5\n' > in/digits.csv
printf 'in/digits.csv: {object: main.digits}\n' | replication
expect "numbers of many digits" "$DGC" run . --home home8d
is "are kept: as decimals, as text where none is large enough, as doubles where those do" \
   "12345678901234567890123.0|0.3|1.0e+300|1234567890123.4567|12345678901234567890123456789012345678901234567890 1.5|2.0|3.0|4.0000|1e5 " "$(rows 'SELECT a, b, c, d, e FROM digits ORDER BY a DESC')"

# ---- Backfills in chunks ----
sqlite3 src.db "CREATE TABLE t(id INTEGER PRIMARY KEY, at TIMESTAMP, v INT);
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99) INSERT INTO t SELECT i, datetime('2024-01-01', '+' || (i * 12) || ' hours'), 0 FROM n"
backfill() { printf 't: {object: main.t, mode: %s, primary_key: id, update_key: %s, source_options: {%s}}\n' "${3:-backfill}" "$1" "$2" | replication "" SRC; }
rm -f out.db
backfill at "range: '2024-01-03,2024-01-20', chunk_size: 7d"
expect "a backfill in chunks" "$DGC" run . --home home8 --progress plain
is "has the rows of the range" "34|2024-01-03 00:00:00|2024-01-19 12:00:00 " "$(rows 'SELECT count(*), min(at), max(at) FROM t')"
is "each chunk is a load" "14 14 6 " "$(rows 'SELECT rows_read FROM _dgc_loads ORDER BY committed_at')"
sqlite3 src.db "UPDATE t SET v = 1"
backfill id "range: '10,19', chunk_count: 3"
expect "a backfill of numbers" "$DGC" run . --home home8
is "has the rows of its range" "10|10|19 " "$(rows 'SELECT count(*), min(id), max(id) FROM t WHERE v = 1')"
backfill at "range: '2024-01-04,2024-01-05', chunk_size: 6h"
expect "an earlier range" "$DGC" run . --home home8
backfill at "limit: 100000" incremental
expect "goes on" "$DGC" run . --home home8
is "where the stream had been, not the backfill" "0 62 " "$(rows "SELECT count(*) FROM t WHERE at BETWEEN '2024-01-06' AND '2024-01-19' AND v = 1 AND id NOT BETWEEN 10 AND 19; SELECT count(*) FROM t WHERE at > '2024-01-20' AND v = 1")"
# One that failed goes on with the chunk that did; `state` tells it, `state reset` forgets it.
rm -f out.db
sqlite3 src.db "UPDATE t SET v = 9 WHERE at = '2024-01-12 00:00:00'"
printf "t: {object: main.t, mode: backfill, primary_key: id, update_key: at, columns: {v: 'integer | value < 5'}, source_options: {range: '2024-01-03,2024-01-20', chunk_size: 7d}}\n" | replication "" SRC
says "the second chunk fails" 'breaks the constraint' "$DGC" run . --home home9
is "the first is there" "14 " "$(rows 'SELECT count(*) FROM t')"
expect "state" "$DGC" state show --home home9
expect_text '"range":"2024-01-03,2024-01-20","chunks":3,"done":1,"to":"2024-01-10"' "state tells how far it came"
expect "plan" "$DGC" plan . --home home9
expect_text 'where at is from 2024-01-03 to 2024-01-20, in 3 chunks, going on with chunk 2' "and plan where it goes on"
sqlite3 src.db "UPDATE t SET v = 1 WHERE at = '2024-01-12 00:00:00'; UPDATE t SET v = 2 WHERE at = '2024-01-04 00:00:00'"
expect "it goes on" "$DGC" run . --home home9 --progress plain
expect_text 'chunks 1 to 1 of 3 are there' "there"
is "each chunk was loaded once" "14 14 6 " "$(rows 'SELECT rows_read FROM _dgc_loads ORDER BY committed_at')"
expect "one that is done begins anew" "$DGC" run . --home home9
is "with all of its chunks" "6 34 1 " "$(rows "SELECT count(*) FROM _dgc_loads; SELECT count(*) FROM t; SELECT count(*) FROM t WHERE v = 2")"
sqlite3 src.db "UPDATE t SET v = 9 WHERE at = '2024-01-12 00:00:00'"
says "it fails again" 'breaks the constraint' "$DGC" run . --home home9
expect "state reset" "$DGC" state reset r__t --home home9
sqlite3 src.db "UPDATE t SET v = 1 WHERE at = '2024-01-12 00:00:00'"
expect "runs from its first chunk" "$DGC" run . --home home9
is "after a reset" "10 " "$(rows 'SELECT count(*) FROM _dgc_loads')"
mistake() { backfill at "$2"; says "$1" "$3" "$DGC" check .; }
mistake "chunks of another kind" "range: '1,9', chunk_size: 7d" 'chunk_size` is a time, and the range has numbers'
mistake "a range that ends before it begins" "range: '2024-02-01,2024-01-01', chunk_size: 7d" 'after its end'
mistake "too many chunks" "range: '1,100000000', chunk_size: 10" 'more than 10000 chunks'
mistake "a size that is none" "range: '1,9', chunk_size: 7x" 'chunk_size` is no size'
mistake "ends in different zones" "range: '2024-01-01 00:00:00+01:00,2024-01-02', chunk_size: 6h" 'not of one kind'
mistake "an expression" "range: '1,9', chunk_expr: 'id % 4'" 'a backfill is cut by its range'

# ---- include_metadata ----
printf 't: {object: main.t}\nother: {object: main.t2, sql: "select 1 as id, 2.5 as x"}\n"t*": {object: "main.{stream_table}_copy"}\n' | replication "include_metadata: [row_count, column_metadata]" SRC
sqlite3 src.db "CREATE TABLE t8 AS SELECT 1 AS id UNION SELECT 2; CREATE TABLE t9 AS SELECT 1 AS id"
rm -f out.db
expect "runs with metadata" "$DGC" run . --home home9 --json --progress plain
"$DGC" run . --home home9 --json --full-refresh > run.json 2> /dev/null
is "rows of the table, rows of a wildcard's tables, columns of each table" \
   "target/main/_stream_table__copy dagster/row_count 3; target/main/_stream_table__copy tables t8_copy 2 id, t9_copy 1 id; target/main/t dagster/column_schema id:bigint at:timestamp v:bigint; target/main/t dagster/row_count 100; target/main/t2 dagster/column_schema id:bigint x:double; target/main/t2 dagster/row_count 1; " \
   "$(python3 - <<'PY'
import json
for m in sorted((m for step in json.load(open("run.json"))["steps"] for m in step["metadata"]), key=lambda m: (m["asset"], m["name"])):
    v = m["value"]
    if m["name"] == "tables": # of each its rows and columns
        v = ", ".join(f"{t} {f['row_count']} {','.join(c['name'] for c in f['columns'])}" for t, f in sorted(v.items()))
    print(m["asset"], m["name"], " ".join(f"{c['name']}:{c['type']}" for c in v["columns"]) if isinstance(v, dict) else v, end="; ")
PY
)"

# Of the tables that lists become, too.
printf '{"id": 1, "tags": ["a", "b"], "items": [{"n": 1.5}]}\n{"id": 2, "tags": ["c"]}\n' > in/nested.ndjson
printf 'in/nested.ndjson: {object: main.docs, max_table_nesting: 2, mode: snapshot}\n' | replication "include_metadata: [row_count, column_metadata]"
"$DGC" run . --home home10 --json > run.json 2> run.err || cat run.err
is "metadata of tables that lists became" "2 docs__items 1 n docs__tags 3 value" "$(python3 - <<'PY'
import json
found = {m["name"]: m["value"] for step in json.load(open("run.json"))["steps"] for m in step["metadata"]}
print(found["dagster/row_count"], *(f"{t} {v['row_count']} {next(c['name'] for c in v['columns'] if not c['name'].startswith('_'))}" for t, v in sorted(found.get("lists", {}).items())))
PY
)"
exit $((failures > 0))
