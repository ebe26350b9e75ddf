#!/usr/bin/env bash
# The sample `shop`, killed at system calls all over its run: after a restart its warehouse holds
# what a run without faults leaves.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=${ROOT:-$(cd "$here/../.." && pwd)}
BUILD=${BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$ROOT/samples/shop" "$work/shop"
rm -rf "$work/shop/.dgc" "$work/shop/out"
"$BUILD/dgc" build "$work/shop" -o "$work/shop.bin" > "$work/log" 2>&1 || { cat "$work/log"; echo "FAIL shop builds"; exit 1; }
cd "$work/shop" || exit 1
TORTURE_OUT=out TORTURE_POINTS=${TORTURE_POINTS:-6} ROOT=$ROOT BUILD=$BUILD "$here/kill_points.sh" "$work/shop.bin" run
