#!/bin/sh
# Every sample: checks clean, runs in memory, and runs as an executable of each driver with the same
# result; a second run succeeds as well.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
"$ROOT/samples/data.sh" || exit 1

run_sample() { # name, drivers
    name=$1
    shift
    copy=$WORK/$name
    cp -r "$ROOT/samples/$name" "$copy"
    rm -rf "$copy/.dgc" "$copy/out"
    expect "$name checks clean" "$DGC" check "$copy"
    expect "$name runs in memory" "$DGC" run "$copy" --progress plain
    expect "$name runs again" "$DGC" run "$copy" --progress plain
    for driver in "$@"; do
        bin=$WORK/$name.$driver.bin
        expect "$name builds with $driver" "$DGC" build "$copy" -o "$bin" --driver "$driver"
        expect "$name runs as built by $driver" in_folder "$copy" "$bin" run --home "$WORK/home-$name-$driver"
    done
}

run_sample shop gcc clang tcc pack
run_sample dagster-project gcc
run_sample github-events gcc
run_sample flights gcc
run_sample rag gcc tcc
expect "rag is asked" "$DGC" ask "$WORK/rag" "How does the money come back?" --top 1
expect_text "[1] knowledge/refunds.md: Refunds > How the money comes back" "rag finds the passage"
expect "rag is asked as built by tcc" in_folder "$WORK/rag" "$WORK/rag.tcc.bin" ask "How much does express delivery cost?" --home "$WORK/home-rag-tcc" --json
expect_text '"source": "knowledge/shipping.md"' "rag finds the passage as built by tcc"
# Models that answer from a tape: no account, no network.
for name in ticket-sentiment extract-invoices; do
    cp -r "$ROOT/samples/$name" "$WORK/$name"
    expect "$name checks clean" "$DGC" check "$WORK/$name"
    expect "$name runs from its tape" "$DGC" run "$WORK/$name" --replay "$WORK/$name/tape" --progress plain
    expect "$name runs again, and asks nothing" "$DGC" run "$WORK/$name" --replay "$WORK/$name/tape" --progress plain
    expect_text ": 0 calls, " "$name has kept the answers"
    expect "$name passes its tests" "$DGC" test "$WORK/$name"
    expect "$name builds" "$DGC" build "$WORK/$name" -o "$WORK/$name.bin"
    expect "$name runs as built" in_folder "$WORK/$name" "$WORK/$name.bin" run --home "$WORK/home-$name" --replay tape
done
# A server that answers like MLflow, tracking and scoring; tests/conformance/mlflow.py has the real ones.
mkdir "$WORK/mlflow"
"${PYTHON:-python3}" "$ROOT/tests/servers/mlflow.py" "$WORK/mlflow" > "$WORK/mlflow/log" 2>&1 &
mlflow=$!
for _ in $(seq 100); do [ -e "$WORK/mlflow/port" ] && break; sleep 0.05; done
MLFLOW_TRACKING_URI=http://127.0.0.1:$(cat "$WORK/mlflow/port")
MODEL_URL=$MLFLOW_TRACKING_URI
export MLFLOW_TRACKING_URI MODEL_URL
run_sample ml-scoring gcc tcc
kill "$mlflow"
# A database of its own: started beside the copy.
cp -r "$ROOT/samples/replicate" "$WORK/replicate-server"
sed -i "s|\$here/../../tests|$ROOT/tests|" "$WORK/replicate-server/start.sh"
if "$WORK/replicate-server/start.sh" > "$WORK/log" 2>&1; then
    . "$WORK/replicate-server/server/env"
    run_sample replicate gcc tcc
    "$WORK/replicate-server/start.sh" stop > "$WORK/log" 2>&1
else
    echo "FAIL samples/replicate: its PostgreSQL does not start"
    tail -n 5 "$WORK/log" | sed 's/^/    /'
    failures=$((failures + 1))
fi
finish
