#!/usr/bin/env bash
# Moving data, as a table of ratios: PostgreSQL into DuckDB and Parquet, files into PostgreSQL, many small tables.
# Against what the engines themselves need, and against Sling and dlt (see scripts/bench_setup.sh).
#   BENCH_ROWS        of the large table (200000; the bars are meant for 10000000)
#   BENCH_PEER_ROWS   of the one that Sling and dlt read too (at most 1000000)
#   BENCH_TABLES      small ones (50; the bar is meant for 500)
#   BENCH_RUNS        of which the best counts (3; one for Sling and dlt)
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/servers/postgres.sh"
trap 'postgres_stop; rm -rf "$WORK"' EXIT
rows=${BENCH_ROWS:-200000} tables=${BENCH_TABLES:-50} runs=${BENCH_RUNS:-3}
peer_rows=${BENCH_PEER_ROWS:-$((rows < 1000000 ? rows : 1000000))}
make_duck_sql
postgres_start "$WORK/pg" && createdb shop || exit 1
export PGDATABASE=shop PGOPTIONS="-c client_min_messages=warning"

# ---- Sixteen columns of all kinds ----

make_events() { # NAME ROWS
    psql -q -v ON_ERROR_STOP=1 -c "CREATE TABLE $1 AS SELECT i::bigint AS id, (i % 50000)::int AS customer_id, (i % 7)::smallint AS kind,
      (i % 1000000 * 1.25)::numeric(12,2) AS amount, i * 0.37::double precision AS price, (i % 1000 / 7.0)::real AS ratio, i % 3 = 0 AS is_open,
      'customer ' || i % 5000 AS name, (array['Berlin','Hamburg','Paris','London','Rome','Madrid','Wien','Oslo'])[1 + i % 8] AS city,
      CASE WHEN i % 4 <> 0 THEN 'a note of some length about event ' || i END AS note, timestamp '2020-01-01' + i * interval '7 seconds' AS created_at,
      timestamptz '2020-01-01 00:00:00+00' + i * interval '11 seconds' AS updated_at, date '2015-01-01' + (i % 3650)::int AS day,
      md5(i::text)::uuid AS ref, i::bigint * 7919 % 1000000007 AS quantity, md5((i % 100000)::text) AS code
      FROM generate_series(1, $2) AS s(i)" -c "VACUUM ANALYZE $1" || exit 1
}
make_events events "$rows"
make_events tenth $((rows / 10))
make_events peer "$peer_rows"
psql -q -v ON_ERROR_STOP=1 -c "CREATE SCHEMA small" -c "CREATE SCHEMA copied" -c "CREATE SCHEMA copied_by_sling" -c "DO \$\$ BEGIN FOR i IN 1..$tables LOOP
    EXECUTE format('CREATE TABLE small.t%s AS SELECT n AS id, n * 1.5 AS amount, ''name '' || n AS name, now() AS at FROM generate_series(1, 100) AS s(n)', i);
    END LOOP; END \$\$" || exit 1

# ---- One pipeline with all ways, one for each run ----

place="$WORK/p/defs"
definition() { # NAME SOURCE TARGET STREAM OBJECT
    mkdir -p "$place/$1"
    cat > "$place/$1/defs.yaml" <<YAML
type: dgc.Replication
attributes:
  connections:
    PG: {type: postgres, host: 127.0.0.1, port: $PGPORT, user: postgres, database: shop}
    LAKE: {type: duckdb, instance: $WORK/lake.duckdb}
  source: $2
  target: $3
  defaults: {mode: full-refresh}
  streams:
    "$4": {object: "$5", meta: {dagster: {group: $1}}}
YAML
}
for name in events tenth peer; do
    definition ${name}_to_duckdb PG LAKE public.$name main.$name
    definition ${name}_to_parquet PG local public.$name file://$WORK/out/$name.parquet
    definition ${name}_to_csv PG local public.$name file://$WORK/out/$name.csv
    definition ${name}_from_parquet local PG file://$WORK/in/$name.parquet public.${name}_from_parquet
    definition ${name}_from_csv local PG file://$WORK/in/$name.csv public.${name}_from_csv
done
definition small_to_postgres PG PG 'small.*' 'copied.{stream_table}'
definition small_to_duckdb PG LAKE 'small.*' 'small.{stream_table}'
"$DGC" build "$WORK/p" -o "$WORK/p.bin" > "$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }

clean() { rm -rf "$WORK/lake.duckdb"* "$WORK/out" "$WORK/home"; }
ours() { clean; timed "$WORK/p.bin" run --select "group:$1" --home "$WORK/home" --project "$WORK" --progress none "${@:2}"; }
expect() { [ "$2" = "$3" ] || { echo "FAIL $1: $2 instead of $3"; exit 1; }; }
lake_rows() { duck_sql "$WORK/lake.duckdb" "SELECT count(*) FROM $1"; }
file_rows() { duck_sql "" "SELECT count(*) FROM '$1'"; }

# ---- What engines need themselves ----

drain() { timed psql -q -h 127.0.0.1 -c "COPY events TO STDOUT (FORMAT binary)" -o /dev/null; }
write_duckdb() { rm -f "$WORK/w.duckdb"*; timed "$WORK/duck_sql" "$WORK/w.duckdb" "SET memory_limit='768MB'" "ATTACH '$WORK/base.duckdb' AS base (READ_ONLY)" "CREATE TABLE t AS SELECT * FROM base.events"; }
write_parquet() { rm -f "$WORK/w.parquet"; timed "$WORK/duck_sql" "$WORK/base.duckdb" "SET memory_limit='256MB'" "COPY events TO '$WORK/w.parquet'"; }
to_duckdb() { ours events_to_duckdb; }
to_parquet() { ours events_to_parquet; }
slower() { printf '%s\n' "${best_ms[$1]}" "${best_ms[$2]}" | sort -n | tail -1; }

table_head "$rows rows of 16 columns"
to_duckdb
expect "PostgreSQL to DuckDB" "$(lake_rows events)" "$rows"
mv "$WORK/lake.duckdb" "$WORK/base.duckdb"
mkdir -p "$WORK/in"
race "$runs" to_duckdb drain write_duckdb || exit 1
at_most "PostgreSQL to DuckDB, against COPY or DuckDB" to_duckdb "$(slower drain write_duckdb)" 1.3
race "$runs" to_parquet drain write_parquet || exit 1
expect "PostgreSQL to Parquet" "$(file_rows "$WORK/out/events.parquet")" "$rows"
at_most "PostgreSQL to Parquet, against COPY or DuckDB" to_parquet "$(slower drain write_parquet)" 1.3
mv "$WORK/out/events.parquet" "$WORK/in/"
ours events_to_csv
mv "$WORK/out/events.csv" "$WORK/in/"

# ---- Files into PostgreSQL ----

psql -q -c "CREATE TABLE by_hand AS SELECT * FROM events WHERE false"
by_hand() { psql -q -c "TRUNCATE by_hand"; timed psql -q -c "\copy by_hand from '$WORK/in/events.csv' csv header"; }
from_parquet() { psql -q -c "DROP TABLE IF EXISTS events_from_parquet"; ours events_from_parquet; }
from_csv() { psql -q -c "DROP TABLE IF EXISTS events_from_csv"; ours events_from_csv; }
race "$runs" from_parquet from_csv by_hand || exit 1
for table in events_from_parquet events_from_csv by_hand; do expect $table "$(psql -Atc "SELECT count(*) FROM $table")" "$rows"; done
at_most "Parquet to PostgreSQL, against psql copy" from_parquet "${best_ms[by_hand]}" 1.3
at_most "CSV to PostgreSQL, against psql copy" from_csv "${best_ms[by_hand]}" 1.3

# ---- Memory: DuckDB may have 192 MB of 256 when it is the target, 128 beside files ----

duck_sql "$WORK/base.duckdb" "COPY (SELECT * FROM events LIMIT $((rows / 10))) TO '$WORK/in/tenth.parquet'" "COPY (SELECT * FROM events LIMIT $((rows / 10))) TO '$WORK/in/tenth.csv'"
for way in to_duckdb:192 to_parquet:128 from_parquet:128 from_csv:128; do
    for name in tenth events; do
        psql -q -c "DROP TABLE IF EXISTS ${name}_from_parquet, ${name}_from_csv"
        limited() { ours ${name}_${way%:*} --memory 256MB; }
        race 1 limited || exit 1
        memory "memory, ${way%:*}, $([ $name = tenth ] && echo $((rows / 10)) || echo "$rows") rows" "${peak_mb[limited]}" $((${way#*:} + 60))
    done
done

# ---- Sling and dlt ----

"$ROOT/scripts/bench_setup.sh" || { echo "Sling and dlt could not be installed: not compared"; exit 0; }
peers=$("$ROOT/scripts/bench_setup.sh" --print)
sling() {
    clean
    timed env HOME="$peers/home" SLING_HOME_DIR="$WORK/sling" SLING_DISABLE_TELEMETRY=TRUE SLING_THREADS="$(nproc)" DUCKDB_PATH="$peers/bin/duckdb" \
        HTTP_PROXY=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1,localhost \
        PG="postgres://postgres@127.0.0.1:$PGPORT/shop?sslmode=disable" LAKE="duckdb://$WORK/lake.duckdb" "$peers/bin/sling" run "$@"
}
dlt() { clean; rm -rf "$WORK/dlt"; mkdir -p "$WORK/dlt"; timed env RUNTIME__DLTHUB_TELEMETRY=false "$peers/bin/python" "$ROOT/bench/move_dlt.py" "postgresql+psycopg2://postgres@127.0.0.1:$PGPORT/shop" "$1" "$WORK/dlt/$2" peer; }
dgc_duckdb() { ours peer_to_duckdb; }
dgc_parquet() { ours peer_to_parquet; }
sling_duckdb() { sling --src-conn PG --src-stream public.peer --tgt-conn LAKE --tgt-object main.peer --mode full-refresh; }
# Through DuckDB, which is its default, Sling 1.4.11 overwrites a file of more than some 50 MB of CSV with its last part.
sling_parquet() { SLING_DUCKDB_COMPUTE=false sling --src-conn PG --src-stream public.peer --tgt-object "file://$WORK/out/peer.parquet" --mode full-refresh; }
dlt_duckdb() { dlt duckdb lake.duckdb; }
dlt_parquet() { dlt parquet out; }

table_head "$peer_rows rows"
race 1 dgc_duckdb dlt_duckdb sling_duckdb || exit 1
expect "Sling to DuckDB" "$(lake_rows peer)" "$peer_rows"
expect "dlt to DuckDB" "$(duck_sql "$WORK/dlt/lake.duckdb" 'SELECT count(*) FROM raw.peer')" "$peer_rows"
at_least "PostgreSQL to DuckDB, against Sling" dgc_duckdb sling_duckdb 3
at_least "PostgreSQL to DuckDB, against dlt" dgc_duckdb dlt_duckdb 10
race 1 dgc_parquet dlt_parquet sling_parquet || exit 1
expect "Sling to Parquet" "$(file_rows "$WORK/out/peer.parquet")" "$peer_rows"
expect "dlt to Parquet" "$(file_rows "$WORK/dlt/out/raw/peer/*.parquet")" "$peer_rows"
at_least "PostgreSQL to Parquet, against Sling" dgc_parquet sling_parquet 3
at_least "PostgreSQL to Parquet, against dlt" dgc_parquet dlt_parquet 10

# ---- Many small tables ----

for target in PG LAKE; do
    printf 'source: PG\ntarget: %s\ndefaults: {mode: full-refresh, object: "%s.{stream_table}"}\nstreams:\n  small.*:\n' $target \
        $([ $target = PG ] && echo copied_by_sling || echo small) > "$WORK/small_$target.yaml"
done
dgc_small() { ours small_to_postgres; }
dgc_small_duckdb() { ours small_to_duckdb; }
sling_small() { sling -r "$WORK/small_PG.yaml"; }
sling_small_duckdb() { sling -r "$WORK/small_LAKE.yaml"; }
copied() { psql -Atc "SELECT count(*) FROM pg_tables WHERE schemaname = '$1' AND tablename LIKE 't%'"; }
table_head "$tables tables of 100 rows"
race 1 dgc_small sling_small || exit 1
expect "small tables to PostgreSQL" "$(copied copied)" "$tables"
expect "small tables to PostgreSQL, Sling" "$(copied copied_by_sling)" "$tables"
at_least "PostgreSQL to PostgreSQL, against Sling" dgc_small sling_small 10
race 1 sling_small_duckdb dgc_small_duckdb || exit 1
expect "small tables to DuckDB" "$(lake_rows "duckdb_tables() WHERE schema_name = 'small' AND table_name LIKE 't%'")" "$tables"
at_least "PostgreSQL to DuckDB, against Sling" dgc_small_duckdb sling_small_duckdb 10
