#!/usr/bin/env bash
# The project `store` (partitions, appending and merging loads, a script, files in folders), killed at
# system calls all over its run: after going on, tables and files are those of a run without faults.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=${ROOT:-$(cd "$here/../.." && pwd)}
BUILD=${BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/store" "$work/store"
"$BUILD/dgc" build "$work/store" -o "$work/store.bin" > "$work/log" 2>&1 || { cat "$work/log"; echo "FAIL store builds"; exit 1; }
cd "$work/store" || exit 1
TORTURE_OUT=out TORTURE_POINTS=${TORTURE_POINTS:-3} ROOT=$ROOT BUILD=$BUILD \
    "$here/kill_points.sh" "$work/store.bin" run --partition-range 2024-01-01...2024-01-03
