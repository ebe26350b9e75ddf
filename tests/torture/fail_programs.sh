#!/usr/bin/env bash
# fail_programs.sh [SCENARIO...]: fails each allocation and each system call of whole programs in turn,
# once and from then on (fail.c): `dgc check` of a project with mistakes, `dgc build`, a pipeline
# of files, models, checks and exports, a partitioned one with a script that is resumed. None may crash,
# hang, leave a child or a temporary file behind, or end without a word; exit codes are the documented
# ones; and without the fault it then comes out as if nothing had happened.
# TORTURE_POINTS is the number of points of each kind and scenario (0: all). TORTURE_NOTES=FILE keeps
# what was said, "SCENARIO FAULT CODE MESSAGE" a line.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
DGC=$BUILD/dgc
documented='^(0|1|2|65|69|71|73|74|75|77|78)$'
word='out of memory|could not|cannot |no project in'
notes=${TORTURE_NOTES:-/dev/null}
export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
build_tool torture_dump tests/torture/dump.c || exit 1
gcc -std=gnu11 -D_GNU_SOURCE -O1 -g -fPIC -shared -o "$scratch/fail.so" "$here/fail.c" || exit 1

# faulty FAULT COMMAND...: runs it in a session of its own; says what is wrong with how it ended.
# Its exit code is in $code, its output in $scratch/out and $scratch/err.
faulty() {
    local fault=$1 pid; shift
    setsid timeout -k 5 60 env LD_PRELOAD="$scratch/fail.so" FAIL="$fault" FAIL_LOG="$scratch/log" \
        "$@" > "$scratch/out" 2> "$scratch/err" &
    pid=$!
    wait "$pid"
    code=$?
    local said; said=$(grep -avE '^ *(Running|Finished|Slowest|Next) ' "$scratch/err" | tr '\n' ' ' | tail -c 400)
    echo "$scenario $fault $(sed -n 's/^failed //p' "$scratch/log") $code $said" >> "$notes"
    local what; what="$fault ($(sed -n 's/^failed //p' "$scratch/log"))"
    if [ $code -eq 124 ] || [ $code -eq 137 ]; then echo "$what: hangs; "; return 1; fi
    [[ $code =~ $documented ]] || { echo "$what: exit code $code: $said; "; return 1; }
    if [ $code -ne 0 ] && [ -z "$said" ] && ! [ -s "$scratch/out" ]; then echo "$what: exit code $code and not a word; "; return 1; fi
    # One that has ended is no longer ours to wait for (mold's, say).
    if pgrep -r R,S,D -s "$pid" > /dev/null && sleep 0.5 && pgrep -r R,S,D -s "$pid" > /dev/null; then
        echo "$what: left a child: $(pgrep -a -s "$pid" | cut -c1-100); "; pkill -KILL -s "$pid"; return 1; fi
    # Where deleting fails too, files stay.
    if [[ $fault == *+ ]]; then rm -rf "${TMPDIR:?}"/*
    elif [ -n "$(ls -A "$TMPDIR")" ]; then
        echo "$what: exit code $code left $(cd "$TMPDIR" && echo ./*); "; rm -rf "${TMPDIR:?}"/*; return 1; fi
}

# try_all: each point of the scenario, of which the counts are those of a run without faults.
try_all() {
    local kind count n onwards problems tried
    while read -r kind count; do
        wanted "$kind" || continue
        problems='' tried=0
        for n in $(points "$count"); do
            for onwards in '' +; do
                # In this shell, not in a subshell: the exit code is needed.
                try "$kind:$n$onwards" > "$scratch/problem"
                problems+=$(cat "$scratch/problem")
                tried=$((tried + 1))
            done
        done
        verdict "fail $kind of $scenario" "$problems" "$tried"
    done < <(LD_PRELOAD=$scratch/fail.so FAIL_LOG=$scratch/log "$@" > /dev/null 2>&1; grep -v failed "$scratch/log")
}

scenario_check() { # a project with mistakes of every kind
    local project=$scratch/mistakes
    cp -r "$here/mistakes" "$project"
    cd "$project" || exit 1
    "$DGC" check > "$scratch/expected" 2>&1
    [ $? -eq 1 ] || { echo "FAIL fail_programs: the project with mistakes is fine"; exit 1; }
    try() {
        rm -rf .dgc
        faulty "$1" "$DGC" check || return
        [ $code -ne 0 ] || { echo "$1 ($(sed -n 's/^failed //p' "$scratch/log")): no mistake was found; "; return; }
        # All mistakes, or the word that something failed; or else some went missing in silence.
        cmp -s "$scratch/out" "$scratch/expected" || grep -qE "$word" "$scratch/out" "$scratch/err" ||
            echo "$1 ($(sed -n 's/^failed //p' "$scratch/log")): other mistakes: $(diff "$scratch/expected" "$scratch/out" | grep '^[<>]' | head -3 | tr '\n' ' '); "
    }
    rm -rf .dgc
    try_all "$DGC" check
}

scenario_build() {
    cp -r "$here/store" "$scratch/build"
    cd "$scratch/build" || exit 1
    "$DGC" build -o "$scratch/built.bin" > "$scratch/built" 2>&1 || { echo "FAIL fail_programs: building fails"; exit 1; }
    try() {
        rm -rf .dgc "$scratch/new"; mkdir "$scratch/new"
        faulty "$1" "$DGC" build -o "$scratch/new/store.bin" || return
        if [ $code -eq 0 ]; then
            # A linker that cannot be run gives way to another, which is said.
            cmp -s "$scratch/new/store.bin" "$scratch/built.bin" ||
                [ "$(linker "$scratch/out")" != "$(linker "$scratch/built")" ] || echo "$1: another executable; "
        elif [[ $1 != *+ ]] && [ -n "$(ls -A "$scratch/new")" ]; then
            echo "$1: exit code $code left $(ls "$scratch/new"); "
        fi
    }
    linker() { sed -n 's/.*linker: \(.*\))/\1/p' "$1"; }
    rm -rf .dgc
    try_all "$DGC" build -o "$scratch/new.bin"
}

# pipeline PROJECT ARGS...: a built pipeline, which is then gone on with.
pipeline() {
    local project=$1; shift
    cp -r "$project" "$scratch/$scenario"
    rm -rf "$scratch/$scenario"/{.dgc,out}
    "$DGC" build "$scratch/$scenario" -o "$scratch/$scenario.bin" > /dev/null 2>&1 || { echo "FAIL fail_programs: building fails"; exit 1; }
    cd "$scratch/$scenario" || exit 1
    OUT=out executable=$scratch/$scenario.bin arguments=(run "$@")
    run_in "$scratch/reference" > /dev/null 2>&1 || { echo "FAIL fail_programs: $scenario fails without faults"; exit 1; }
    dump "$scratch/reference" > "$scratch/expected" || exit 1
    rm -rf "$scratch/reference"*
    try() {
        rm -rf "$OUT" "$scratch"/home*
        faulty "$1" "$executable" "${arguments[@]}" --home "$scratch/home" --progress=plain || return
        recover_in "$scratch/home" || { echo "$1: recovering failed: $(tail -n 1 "$scratch/home.err2"); "; return; }
        converged "$scratch/home" || echo "$1: other rows: $(diff "$scratch/home.dump" "$scratch/expected" | tr '\n' ' '); "
    }
    try_all "$executable" "${arguments[@]}" --home "$scratch/home" --progress=plain
}

scenario_files() { pipeline "$ROOT/samples/shop"; }
scenario_partitions() { pipeline "$here/store" --partition-range 2024-01-01...2024-01-03; }

# What a failed call leaves unfreed, by valgrind: some points only, each takes ten seconds.
scenario_leaks() {
    command -v valgrind > /dev/null || { echo "ok valgrind is not here"; return; }
    cp -r "$here/mistakes" "$scratch/leaks"
    cd "$scratch/leaks" || exit 1
    gcc -std=gnu11 -D_GNU_SOURCE -O1 -g -fPIC -shared -DCALLS_ONLY -o "$scratch/fail.so" "$here/fail.c" || exit 1
    local command=("$DGC" check --no-sql) count n problems='' tried=0
    LD_PRELOAD=$scratch/fail.so FAIL_LOG=$scratch/log "${command[@]}" > /dev/null 2>&1
    count=$(sed -n 's/^call //p' "$scratch/log")
    [ "$POINTS" = 0 ] || POINTS=4
    for n in $(points "$count"); do
        LD_PRELOAD=$scratch/fail.so FAIL_PROGRAM=dgc FAIL=call:$n timeout 120 valgrind -q --leak-check=full \
            --errors-for-leak-kinds=definite --error-exitcode=9 "${command[@]}" > "$scratch/out" 2> "$scratch/err"
        code=$?
        tried=$((tried + 1))
        [ $code -ne 9 ] && [[ $code =~ $documented ]] ||
            problems+="call:$n: exit code $code: $(grep -m 3 '==' "$scratch/err" | tr '\n' ' '); "
    done
    verdict "leaks after failed calls" "$problems" "$tried"
}

[ $# -gt 0 ] || set -- check build files partitions leaks
for scenario in "$@"; do "scenario_$scenario"; done
exit $((failures > 0))
