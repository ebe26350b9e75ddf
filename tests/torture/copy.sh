#!/usr/bin/env bash
# copy.sh: kills a pipeline of replications at its crash points, before and after its own system calls,
# as a loss of power would, and at those of DuckDB, SQLite and libpq; runs it again; and compares the target with
# what a run without faults leaves: each target, each mode, from an empty target and from one that
# has rows already. TORTURE_POINTS is the number of points of each kind (0: all).
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
POINTS_DEFAULT=$([ -n "${TORTURE_QUICK:-}" ] && echo 1 || echo 2)
TORTURE_POINTS=${TORTURE_POINTS:-$POINTS_DEFAULT}
. "$here/../servers/postgres.sh"
. "$here/copy_lib.sh"
trap 'postgres_stop; rm -rf "$scratch"' EXIT
TARGETS=${COPY_TARGETS:-sqlite duckdb postgres parquet}
case $TARGETS in *postgres*)
    postgres_start "$scratch/pg" || { echo "FAIL PostgreSQL does not start"; exit 1; } ;;
esac
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
    case $1 in sqlite-grown | parquet-grown | *-append | postgres-upsert | duckdb-history) true ;; *) false ;; esac
}

# The nth call of its kind in any one thread, until the run survives.
strace_run() { # CALL N
    (strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:signal=KILL:when=$2" \
        env COPY_FROM="$after" "$pipeline" run --select "$stream" --home "$home" --progress none; exit $?)
}

tested=0
for target in $TARGETS; do
    # Prepared once: nothing, and the rows of $before in every mode.
    rm -rf "$COPY_TO"; mkdir "$COPY_TO"
    [ "$target" != postgres ] || psql -q -X -d template1 -c "CREATE DATABASE $COPY_DB"
    keep_target "$target" empty
    for mode in $(modes_of "$target"); do
        run_copy "$target" "$mode" "$before" "$scratch/first" || { cat "$scratch/first.err"; echo "FAIL $target $mode: the first run"; exit 1; }
    done
    keep_target "$target" grown
    for mode in $(modes_of "$target"); do
        stream=${target}_$mode
        for start in grown empty; do
            take_target "$target" $start
            rm -rf "$home"
            run_copy "$target" "$mode" "$after" "$home" DGC_FAULT_COUNT="$scratch/counts" || { cat "$home.err"; echo "FAIL $stream: the run without faults"; exit 1; }
            expected=$(contents "$target" "$mode")
            case $expected in *[0-9]*) ;; *) echo "FAIL $stream: no rows: $expected"; exit 1 ;; esac
            [ -z "${COPY_VERBOSE:-}" ] || echo "# $stream from $start: $expected"
            problems='' tried=0
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
            verdict "$stream killed, from $start" "$problems" "$tried"
        done
        case $target in postgres) calls="sendto recvfrom" ;; sqlite) calls= ;; *) calls="pwrite64 fsync" ;; esac
        for call in $calls; do
            sampled $target-$mode || continue
            command -v strace > /dev/null && strace -qq -e trace=none true 2> /dev/null || continue
            problems='' tried=0 n=1 start=grown died=1
            take_target "$target" grown; rm -rf "$home"; run_copy "$target" "$mode" "$after" "$home"
            expected=$(contents "$target" "$mode")
            while [ $n -le 4000 ]; do
                found=$(try "$target" "$mode" grown "$call $n" strace_run $call $n; [ $died = 0 ] && echo "#survived")
                case $found in *"#survived") problems+=${found%"#survived"}; break ;; esac
                problems+=$found tried=$((tried + 1))
                n=$((n + 1 + (POINTS > 0 ? n / POINTS + 1 : 0)))
            done
            verdict "$stream killed at $call" "$problems" "$tried"
        done
    done
done
exit $((failures > 0))
