#!/usr/bin/env bash
# lib.sh: what the torture scripts share. Sourced.
#
# A script is called as `SCRIPT [EXECUTABLE [ARGS...]]`; without arguments it builds and uses the toy
# pipeline (tests/support/toy.c). TORTURE_POINTS is the number of points tried of each kind (0: all),
# TORTURE_CALLS a list of the kinds to try: 'malloc open'.
set -uo pipefail
export LC_ALL=C
ROOT=${ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
POINTS=${TORTURE_POINTS:-8}
OUT=${TORTURE_OUT:-} # the folder, where it runs, that a pipeline writes files into; is emptied
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dgc-torture.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
failures=0
points_tried=0

# build_tool NAME SOURCES...: links against the runtime that `make` built.
build_tool() {
    local name=$1; shift
    (cd "$ROOT" && gcc -std=gnu11 -D_GNU_SOURCE -O1 -g -I. -isystem "$(scripts/tp_dir.sh)/include" \
        -o "$scratch/$name" "$@" -L"$BUILD/lib" \
        -Wl,--start-group $(sed "s|^lib.*\.a$|$BUILD/lib/&|" "$BUILD/lib/LINK") -Wl,--end-group)
}

prepare() {
    build_tool torture_dump tests/torture/dump.c || exit 1
    if [ $# -eq 0 ]; then
        build_tool torture_toy tests/support/toy.c tests/torture/toy_main.c || exit 1
        export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
        set -- "$scratch/torture_toy" run --job numbers
    fi
    executable=$1; shift
    arguments=("$@")
    reference=$scratch/reference
    run_in "$reference" > /dev/null 2>&1 || { echo "FAIL torture: the run without faults fails"; exit 1; }
    dump "$reference" > "$scratch/expected" || exit 1
}

# run_in HOME [ENV...]: one run, its standard error in HOME.err
run_in() {
    local home=$1; shift
    (env "$@" "$executable" "${arguments[@]}" --home "$home" --progress=plain; exit $?) 2> "$home.err"
}

# Goes on after a fault as a person would: resume, and when there is nothing to resume, run.
recover_in() {
    "$executable" run --resume --home "$1" --progress=plain > "$1.out" 2> "$1.err2"
    local code=$?
    [ $code -eq 2 ] || return $code
    grep -q 'has succeeded' "$1.err2" && return 0 # what appends would append twice
    "$executable" "${arguments[@]}" --home "$1" --progress=plain > "$1.out" 2> "$1.err2"
}

# The tables of a home, and the files that the pipeline has written into $OUT.
dump() {
    local files=()
    [ -z "$OUT" ] || mapfile -t files < <(find "$OUT" ! -type d | sort)
    DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so "$scratch/torture_dump" "$(ls "$1"/*.duckdb)" "${files[@]}"
}

# What is in HOME is what a run without faults leaves.
converged() {
    dump "$1" > "$1.dump" 2>&1 && cmp -s "$1.dump" "$scratch/expected"
}

# points N: which of 1..N to try: all, or POINTS of them spread evenly.
points() {
    awk -v n="$1" -v want="$POINTS" 'BEGIN {
        if (want == 0 || n <= want) { for (i = 1; i <= n; i++) print i; exit }
        if (want == 1) { print int((n + 1) / 2); exit }
        for (i = 0; i < want; i++) { p = 1 + int(i * (n - 1) / (want - 1)); if (p != last) print p; last = p } }'
}

wanted() { case " ${TORTURE_CALLS:-$1} " in *" $1 "*) true ;; *) false ;; esac; }

# counts: how often each call is made by one run, "NAME COUNT" lines.
counts() {
    run_in "$scratch/counting" DGC_FAULT_COUNT="$scratch/counts" > /dev/null 2>&1
    cat "$scratch/counts"
}

# try_kill POINT: the script's `killed POINT` says what went wrong, or `ended` when the run was over before; kept in $tried, $problem.
tried=0 problem=
try_kill() {
    local found
    found=$(killed "$1")
    [ "$found" != ended ] || return 0
    tried=$((tried + 1))
    [ -z "$found" ] || problem+="$found; "
}

# The same at each crash point, and at the calls that change files.
try_kills() {
    local name count n
    while read -r name count; do
        case $name in
        crash:*) for n in $(points "$count"); do try_kill "$name:$n"; done ;;
        pwrite|write|fdatasync|fsync|rename) for n in $(points "$count"); do try_kill "$name:$n:kill"; done ;;
        esac
    done < <(counts)
}

verdict() { # NAME PROBLEMS TRIED
    points_tried=$((points_tried + $3))
    if [ -z "$2" ]; then echo "ok $1 ($3 points)"; else
        failures=$((failures + 1)); echo "FAIL $1: $2"; fi
}

# The last line of a script that tries points.
summary() { echo "$points_tried points tried"; exit $((failures > 0)); }
