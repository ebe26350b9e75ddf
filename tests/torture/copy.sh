#!/usr/bin/env bash
# copy.sh: kills a pipeline of replications at its crash points, before and after its own system calls,
# as a loss of power would, at those of DuckDB, SQLite and the libraries that speak to servers, and at odd moments; runs it
# again; and compares the target with what a run without faults leaves: each target, each mode, from an empty target
# and from one that has rows already. TORTURE_POINTS is the number of points of each kind (0: all), COPY_TARGETS
# names targets. TORTURE_TOTAL=N instead tries N points in all, the same number for each target, mode and start, spread
# evenly over all of a combination's calls and moments: the long run (TORTURE_TOTAL=2000).
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
POINTS_DEFAULT=$([ -n "${TORTURE_QUICK:-}" ] && echo 1 || echo 2)
TORTURE_POINTS=${TORTURE_POINTS:-$POINTS_DEFAULT}
for server in postgres mariadb s3; do . "$here/../servers/$server.sh"; done
. "$here/copy_lib.sh"
trap 'stop_servers; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
MORE_MODES=backfill
start_servers ${COPY_TARGETS:-sqlite duckdb postgres parquet s3 mysql}
make_pipeline $TARGETS
export COPY_TO=$scratch/to
home=$scratch/home

# try TARGET MODE START COMMAND...: COMMAND is expected to die while it copies $after; then once more, without a fault.
try() {
    local target=$1 mode=$2 start=$3 name=$4 now; shift 4
    take_target "$target" "$start"
    rm -rf "$home"
    "$@" > /dev/null 2>&1
    died=$?
    case $name in crash:*) [ $died = 137 ] || echo "$name from $start: lived on ($died); " ;; esac
    run_copy "$target" "$mode" "$after" "$home" || { echo "$name from $start: running again: $(tail -n 1 "$home.err"); "; return; }
    now=$(contents "$target" "$mode")
    [ "$now" = "$expected" ] || echo "$name from $start: $now, not $expected; "
}

# What a sample tries: the pipeline's own calls where they write the target, those of the libraries in two modes.
sampled() {
    [ "$POINTS" != 0 ] || return 0
    case $1 in sqlite-grown | parquet-grown | *-append | postgres-upsert | duckdb-history | s3-parts) true ;; *) false ;; esac
}
# From nothing a target is made, once for all modes.
skipped() { [ -n "${TORTURE_QUICK:-}" ] && [ "$2" = empty ] && case $1 in refresh | upsert | parts | nested) true ;; *) false ;; esac; }

# The nth call of its kind in any one thread, until the run survives.
strace_run() { # CALL N
    (strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:signal=KILL:when=$2" \
        env COPY_FROM="$after" "$pipeline" run --select "$stream" --home "$home" --progress none; exit $?)
}

killed_run() { # SECONDS
    local runner code
    env COPY_FROM="$after" "$pipeline" run --select "$stream" --home "$home" --progress none & runner=$!
    sleep "$1"
    kill -KILL $runner 2> /dev/null
    wait $runner; code=$?
    return $code
}

# Each call in turn, or fewer and fewer of them: all of them, of an object in parts, are the same again.
strace_calls() { # CALL
    local problems='' tried=0 n=1 found thin=$POINTS
    [ $mode != parts ] || [ "$POINTS" != 0 ] || thin=8
    died=1
    take_target "$target" $start; rm -rf "$home"; run_copy "$target" "$mode" "$after" "$home"
    expected=$(contents "$target" "$mode")
    while [ $n -le 4000 ]; do
        found=$(try "$target" "$mode" $start "$1 $n" strace_run "$1" $n; [ $died = 0 ] && echo "#survived")
        case $found in *"#survived") problems+=${found%"#survived"}; break ;; esac
        problems+=$found tried=$((tried + 1))
        n=$((n + 1 + (thin > 0 ? n / thin + 1 : 0)))
    done
    verdict "$stream killed at $1, from $start" "$problems" "$tried"
}

# How many points a combination of target, mode and start gets.
share=0
if [ -n "${TORTURE_TOTAL:-}" ]; then
    combinations=0
    for target in $TARGETS; do set -- $(modes_of "$target"); combinations=$((combinations + 2 * $#)); done
    share=$(((TORTURE_TOTAL + combinations - 1) / combinations))
fi
# One in eight at odd moments; the rest are faults: every nth of all that the counts of a run without faults name.
spread_points() {
    local moments=$(((share + 7) / 8)) candidates="$scratch/candidates" all wanted
    awk '$1 ~ /^crash:/ { for (n = 1; n <= $2; n++) print $1 ":" n }
         $1 ~ /^(write|pwrite|fsync|fdatasync|ftruncate|rename|exchange|unlink|mkdir)$/ { for (n = 1; n <= $2; n++) { print $1 ":" n ":kill"; print $1 ":" n ":after"; print $1 ":" n ":power" } }' \
        "$scratch/counts" > "$candidates"
    all=$(wc -l < "$candidates") wanted=$((share - moments))
    [ "$wanted" -le "$all" ] || wanted=$all
    awk -v all="$all" -v wanted="$wanted" 'int(NR * wanted / all) > int((NR - 1) * wanted / all)' "$candidates"
    for ((i = 0; i < share - wanted; i++)); do echo "moment $((took * (2 * i + 1) / (2 * (share - wanted)) + RANDOM % 5))"; done
}
try_spread() {
    local fault ms
    for fault in $(spread_points | tr ' ' =); do
        case $fault in
        moment=*)
            ms=${fault#moment=}
            problems+=$(try "$target" "$mode" $start "$ms ms" killed_run "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))") ;;
        *) problems+=$(try "$target" "$mode" $start "$fault" run_copy "$target" "$mode" "$after" "$home" DGC_FAULT="$fault") ;;
        esac
        tried=$((tried + 1))
    done
}

tested=0
for target in $TARGETS; do
    # Prepared once: nothing, and the rows of $before in every mode.
    rm -rf "$COPY_TO"; mkdir "$COPY_TO"
    case $target in
    postgres) psql -q -X -d template1 -c "CREATE DATABASE $COPY_DB" ;;
    mysql) mariadb_sql "CREATE DATABASE $COPY_DB" ;;
    esac
    keep_target "$target" empty
    for mode in $(modes_of "$target"); do
        run_copy "$target" "$mode" "$before" "$scratch/first" || { cat "$scratch/first.err"; echo "FAIL $target $mode: the first run"; exit 1; }
    done
    keep_target "$target" grown
    for mode in $(modes_of "$target"); do
        stream=${target}_$mode
        for start in grown empty; do
            ! skipped $mode $start || continue
            take_target "$target" $start
            rm -rf "$home"
            began=${EPOCHREALTIME/./}
            run_copy "$target" "$mode" "$after" "$home" DGC_FAULT_COUNT="$scratch/counts" || { cat "$home.err"; echo "FAIL $stream: the run without faults"; exit 1; }
            took=$(((${EPOCHREALTIME/./} - began) / 1000))
            expected=$(contents "$target" "$mode")
            case $expected in *[0-9]*) ;; *) echo "FAIL $stream: no rows: $expected"; exit 1 ;; esac
            [ -z "${COPY_VERBOSE:-}" ] || echo "# $stream from $start: $expected"
            problems='' tried=0
            if [ $share -gt 0 ]; then
                try_spread
                verdict "$stream killed, from $start" "$problems" "$tried"
                continue
            fi
            while read -r call count; do
                case $call in
                crash:*) ;;
                write | pwrite | fsync | fdatasync | ftruncate | rename | exchange | unlink | mkdir) sampled $target-$start || continue ;;
                *) continue ;;
                esac
                for n in $(points "$count"); do
                    for when in kill after power; do
                        case $call in crash:*) fault=$call:$n; [ $when = kill ] || continue ;; *) fault=$call:$n:$when ;; esac
                        # A sample takes turns.
                        if [ "$POINTS" != 0 ] && [ "$when" != kill ] && [ $(((n + tested) % 2)) = 0 ]; then tested=$((tested + 1)); continue; fi
                        problems+=$(try "$target" "$mode" $start "$fault" run_copy "$target" "$mode" "$after" "$home" DGC_FAULT="$fault")
                        tried=$((tried + 1)) tested=$((tested + 1))
                    done
                done
            done < "$scratch/counts"
            for ((i = 0; i < (POINTS ? POINTS : 10); i++)); do
                ms=$((RANDOM % (took + 1)))
                problems+=$(try "$target" "$mode" $start "$ms ms" killed_run "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))")
                tried=$((tried + 1))
            done
            verdict "$stream killed, from $start" "$problems" "$tried"
        done
        [ $share = 0 ] && sampled $target-$mode || continue
        command -v strace > /dev/null && strace -qq -e trace=none true 2> /dev/null || continue
        # DuckDB's own calls count from the first: those that make its file.
        case $target in postgres | mysql | s3) calls="sendto recvfrom" ;; sqlite) calls= ;; *) calls="pwrite64 fsync" ;; esac
        for call in $calls; do
            for start in grown $([ $target-$mode != duckdb-append ] || echo empty); do
                strace_calls $call
            done
        done
    done
done
summary
