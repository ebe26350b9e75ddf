#!/bin/sh
# Loads of partitions: each replaces its own rows, whichever way they are read, several at once.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
mkdir -p "$WORK/p/defs/raw" "$WORK/p/defs/out" "$WORK/p/data"
cd "$WORK/p" || exit 1
write() { # DAY ID [DAY IN THE FILE]
    printf 'id,day,at\n%s,%s,%s 10:00:00\n' "$2" "${3:-$1}" "${3:-$1}" > "data/$1.csv"
    printf '[{"id": %s, "day": "%s"}]\n' "$2" "${3:-$1}" > "data/$1.json"
    printf 'id,zone\n%s,%s\n' "$2" "${4:-$1}" > "data/k$1.csv"
}
for day in 1 2 3 4 5 6 7 8; do write 2024-01-0$day $day; done
days='{type: daily, start_date: "2024-01-01", end_date: "2024-01-09", timezone: Europe/Berlin}'
cat > defs/raw/defs.yaml <<YAML
type: dgc.Files
attributes:
  path: "../../data/{{ partition_key }}.csv"
  asset: raw/decoded
  header: true
  delimiter: ","
  columns: {id: bigint, day: date, at: timestamp}
  partition_column: at
  spec: {partitions_def: $days}
---
type: dgc.Files
attributes:
  path: "../../data/{{ partition_key }}.json"
  format: json
  asset: raw/read
  partition_column: day
  allow_empty: true
  columns: {id: bigint, day: date}
  spec: {partitions_def: $days}
---
type: dgc.Files
attributes:
  path: "../../data/k{{ partition_key }}.csv"
  asset: raw/keyed
  columns: {id: bigint, zone: varchar}
  header: true
  delimiter: ","
  partition_column: zone
  spec: {partitions_def: {type: static, partition_keys: ["2024-01-01", "2024-01-02"]}}
---
type: dgc.Files
attributes:
  path: "../../data/{{ partition_key }}.csv"
  asset: raw/appended
  header: true
  delimiter: ","
  columns: {id: bigint}
  mode: append
  spec: {partitions_def: $days}
YAML
for asset in decoded read keyed appended; do
    printf 'type: dgc.Export\nattributes: {from: raw/%s, path: "../../out/%s.csv", columns: [id]}\n---\n' $asset $asset
done | sed '$d' > defs/out/defs.yaml
expect "builds" "$DGC" build . -o "$WORK/p.bin"
run() { "$WORK/p.bin" run --progress plain --threads 8 "$@"; }
ids() { # WHAT EXPECTED ASSET
    run --select "export/$3" > /dev/null 2>&1
    got=$(sort -n "out/$3.csv" | tr '\n' ' ')
    if [ "$got" = "$2" ]; then echo "ok $1"; else
        echo "FAIL $1: $got"
        failures=$((failures + 1))
    fi
}
made='raw/decoded or raw/read'
expect "a first backfill, eight at once" run --select "$made" --partition-range 2024-01-01...2024-01-08
if grep -q 'Retrying' "$WORK/log"; then echo "FAIL nobody is in another's way"; failures=$((failures + 1))
else echo "ok nobody is in another's way"; fi
ids "every partition is there, decoded by us" "id 1 2 3 4 5 6 7 8 " decoded
ids "and read by DuckDB" "id 1 2 3 4 5 6 7 8 " read
write 2024-01-02 22
expect "one partition anew" run --select "$made" --partition 2024-01-02
ids "replaces its own rows" "id 1 3 4 5 6 7 8 22 " decoded
ids "whoever reads them" "id 1 3 4 5 6 7 8 22 " read
write 2024-01-03 33 2024-01-04
expect_code 65 "rows of another partition are refused" run --select raw/decoded --partition 2024-01-03
expect_text "1 of 1 rows for \"raw\".\"decoded\" are not of this partition" "and counted"
expect_code 65 "by DuckDB's readers as well" run --select raw/read --partition 2024-01-03
ids "nothing has changed" "id 1 3 4 5 6 7 8 22 " decoded
rm data/2024-01-03.json
expect "a partition without files" run --select raw/read --partition 2024-01-03
ids "is empty afterwards" "id 1 4 5 6 7 8 22 " read
expect "keys that are no times" run --select raw/keyed --partition-range 2024-01-01...2024-01-02
write 2024-01-02 222
expect "and one of them anew" run --select raw/keyed --partition 2024-01-02
ids "are told apart by the column" "id 1 222 " keyed
write 2024-01-03 3
expect "appends" run --select raw/appended --partition-range 2024-01-01...2024-01-02
expect "a full refresh of some partitions" run --full-refresh --select raw/appended --partition-range 2024-01-01...2024-01-03
ids "makes the table of these, once each" "id 1 3 222 " appended
finish
