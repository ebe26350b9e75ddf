#!/usr/bin/env bash
# Files into an on-disk DuckDB: dgc.Files against DuckDB's own CREATE TABLE AS with the same library,
# memory limit and threads. BENCH_MB: size of the CSV file.
. "$(dirname "$0")/lib.sh"
mb=${BENCH_MB:-300}
mkdir -p "$WORK/p/data" "$WORK/p/defs/raw"
awk -v rows=$((mb * 13600)) 'BEGIN { print "id,customer,amount,ts,flag,comment"; for (i = 0; i < rows; i++) printf "%d,cust%d,%.2f,2024-%02d-%02d %02d:%02d:00,%s,some text number %d here\n", i, i % 5000, i % 1000 / 7, 1 + i % 12, 1 + i % 28, i % 24, i % 60, i % 3 ? "true" : "false", i % 97 }' > "$WORK/p/data/a.csv"
awk -v rows=$((mb * 4400)) 'BEGIN { for (i = 0; i < rows; i++) printf "{\"id\": %d, \"customer\": \"cust%d\", \"amount\": %.2f, \"ts\": \"2024-%02d-%02d %02d:%02d:00\", \"flag\": %s, \"comment\": \"some text number %d here and a bit more of it so that the record is long enough\", \"city\": \"Town %d\", \"score\": %d}\n", i, i % 5000, i % 1000 / 7, 1 + i % 12, 1 + i % 28, i % 24, i % 60, i % 3 ? "true" : "false", i % 97, i % 300, i % 1000 }' > "$WORK/p/data/b.ndjson"
make_duck_sql
duck_sql "" "COPY (SELECT * FROM read_csv('$WORK/p/data/a.csv')) TO '$WORK/p/data/c.parquet'"
for name in a.csv b.ndjson c.parquet; do
    printf 'type: dgc.Files\nattributes: {path: "../../data/%s", asset: raw/%s}\n---\n' $name ${name%%.*}
done | sed '$d' > "$WORK/p/defs/raw/defs.yaml"
"$DGC" build "$WORK/p" -o "$WORK/p.bin" 2> /dev/null
ours() { rm -rf "$WORK/home"; (cd "$WORK/p" && "$WORK/p.bin" run --select "raw/$1" --home "$WORK/home" --memory 1GB); }
theirs() { rm -f "$WORK/x.duckdb"*; duck_sql "$WORK/x.duckdb" "SET memory_limit='768MB'" "CREATE TABLE t AS SELECT * FROM $1"; }
ours a > /dev/null 2>&1
figure "CSV, against DuckDB's own" "$(ratio "$(median 3 ours a)" "$(median 3 theirs "read_csv('$WORK/p/data/a.csv')")")" x 1.15
figure "NDJSON, against DuckDB's own" "$(ratio "$(median 3 ours b)" "$(median 3 theirs "read_json('$WORK/p/data/b.ndjson')")")" x 1.15
figure "Parquet, against DuckDB's own" "$(ratio "$(median 3 ours c)" "$(median 3 theirs "read_parquet('$WORK/p/data/c.parquet')")")" x 1.15
rm -rf "$WORK/home"
figure "memory of the CSV load, budget 1 GB" "$(cd "$WORK/p" && peak "$WORK/p.bin" run --select raw/a --home "$WORK/home" --memory 1GB)" "MB RSS" 1100
