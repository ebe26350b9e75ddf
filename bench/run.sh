#!/usr/bin/env bash
# run.sh: run every benchmark, bench/*.sh beside this one; each prints its own figures.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
BUILD=$(realpath -m "${BUILD:-build}")
DGC=$BUILD/dgc
TP_SHARE=$(scripts/tp_dir.sh)/share
ROOT=$PWD
export BUILD DGC TP_SHARE ROOT
status=0
for script in bench/*.sh; do
    [ "$script" != bench/run.sh ] && [ -x "$script" ] || continue
    echo "== ${script#bench/}"
    "./$script" || { echo "FAIL ${script#bench/}: exit $?"; status=1; }
done
exit $status
