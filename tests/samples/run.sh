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
