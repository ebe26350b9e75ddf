#!/usr/bin/env bash
# Replications between files and a DuckDB file, against DuckDB's own COPY and CREATE TABLE AS with the same library
# and memory. BENCH_ROWS: of the table (500000); BENCH_RUNS: of which the best counts (3).
. "$(dirname "$0")/lib.sh"
rows=${BENCH_ROWS:-500000} runs=${BENCH_RUNS:-3}
make_duck_sql
mkdir -p "$WORK/in" "$WORK/out"
duck_sql "$WORK/base.duckdb" "CREATE TABLE events AS SELECT i AS id, (i % 50000)::INTEGER AS customer_id, (i % 7)::SMALLINT AS kind,
  (i % 1000000 * 1.25)::DECIMAL(12,2) AS amount, i * 0.37::DOUBLE AS price, i % 3 = 0 AS is_open, 'customer ' || i % 5000 AS name,
  CASE WHEN i % 4 <> 0 THEN 'a note of some length about event ' || i END AS note, TIMESTAMP '2020-01-01' + to_seconds(i * 7) AS created_at,
  DATE '2015-01-01' + (i % 3650)::INTEGER AS day, i * 7919 % 1000000007 AS quantity, md5((i % 100000)::VARCHAR) AS code FROM range($rows) r(i)" || exit 1
for ending in csv ndjson parquet; do
    duck_sql "$WORK/base.duckdb" "COPY events TO '$WORK/in/events.$ending'$([ $ending != ndjson ] || echo ' (FORMAT json)')" || exit 1
    for way in read write; do
        mkdir -p "$WORK/p/defs/${way}_$ending"
        cat > "$WORK/p/defs/${way}_$ending/defs.yaml" <<YAML
type: dgc.Replication
attributes:
  connections: {BASE: {type: duckdb, instance: $WORK/base.duckdb}, LAKE: {type: duckdb, instance: $WORK/lake.duckdb}}
  source: $([ $way = read ] && echo local || echo BASE)
  target: $([ $way = read ] && echo LAKE || echo local)
  defaults: {mode: full-refresh}
  streams:
    "$([ $way = read ] && echo "file://$WORK/in/events.$ending" || echo main.events)":
      object: "$([ $way = read ] && echo "main.$ending" || echo "file://$WORK/out/events.$ending")"
      meta: {dagster: {group: ${way}_$ending}}
YAML
    done
done
"$DGC" build "$WORK/p" -o "$WORK/p.bin" > "$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }

ours() { rm -rf "$WORK/home" "$WORK/lake.duckdb"* "$WORK/out"; timed "$WORK/p.bin" run --select "group:${way}_$ending" --home "$WORK/home" --project "$WORK" --progress none; }
theirs() {
    rm -f "$WORK/x.duckdb"* "$WORK"/x.*
    if [ $way = read ]; then
        timed "$WORK/duck_sql" "$WORK/x.duckdb" "SET memory_limit='768MB'" "CREATE TABLE t AS SELECT * FROM '$WORK/in/events.$ending'"
    else
        timed "$WORK/duck_sql" "$WORK/base.duckdb" "SET memory_limit='768MB'" "COPY events TO '$WORK/x.$ending'$([ $ending != ndjson ] || echo ' (FORMAT json)')"
    fi
}
table_head "$rows rows of 12 columns"
for way in read write; do
    for ending in csv ndjson parquet; do
        race "$runs" ours theirs || exit 1
        if [ $way = read ]; then
            found=$(duck_sql "$WORK/lake.duckdb" "SELECT count(*) FROM $ending")
        else
            found=$(duck_sql "" "SELECT count(*) FROM '$WORK/out/events.$ending'")
        fi
        [ "$found" = "$rows" ] || { echo "FAIL $way $ending: $found rows"; exit 1; }
        at_most "$way $ending, against DuckDB's own" ours "${best_ms[theirs]}" 1.3
    done
done
