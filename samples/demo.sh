#!/bin/sh
# make demo: builds samples/flights into one executable and runs it on real data.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build}
case $build in /*) ;; *) build=$root/$build ;; esac
"$root/samples/data.sh"
"$build/dgc" build "$root/samples/flights" -o "$build/flights.bin"
cd "$root/samples/flights"
"$build/flights.bin" run --home "$build/demo"
echo
echo "Written: samples/flights/out/daily_delays.parquet, and the warehouse in $build/demo"
echo "Next:    build/flights.bin list    build/flights.bin status --home build/demo"
