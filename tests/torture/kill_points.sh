#!/usr/bin/env bash
# kill_points.sh [EXECUTABLE ARGS...]: kills the run (SIGKILL) just before and just after its nth
# write, fsync, rename, ..., also as a loss of power would, and at every crash point, starts it again, and compares the warehouse
# with that of a run nobody killed. DuckDB's own calls are reached with strace, where there is one.
. "$(dirname "$0")/lib.sh"
prepare "$@"

# try NAME HOME COMMAND...: the command is expected to die; then recover and compare.
try() {
    local name=$1 home=$2; shift 2
    "$@" > /dev/null 2>&1
    recover_in "$home"
    local code=$?
    [ $code -eq 0 ] || { echo "$name: recovering gave exit code $code: $(tail -n 1 "$home.err2")"; return; }
    converged "$home" || echo "$name: other rows: $(diff "$home.dump" "$scratch/expected" | tr '\n' ' ')"
}

while read -r call count; do
    wanted "$call" || continue
    case $call in
    write | pwrite | fsync | fdatasync | ftruncate | rename | exchange | unlink | mkdir | crash:*) ;;
    *) continue ;;
    esac
    [ "$count" -gt 0 ] || continue
    problems='' tried=0
    for n in $(points "$count"); do
        for when in kill after power; do
            case $call in crash:*) fault=$call:$n; [ $when = kill ] || continue ;; *) fault=$call:$n:$when ;; esac
            home=$scratch/kill; rm -rf "$home"* ${OUT:+"$OUT"}
            problems+=$(try "$fault" "$home" run_in "$home" DGC_FAULT="$fault")
            tried=$((tried + 1))
        done
    done
    verdict "kill at $call" "$problems" "$tried"
done < <(counts)

# DuckDB makes its own calls. The nth of each kind in any one thread; until the run survives.
if command -v strace > /dev/null && strace -qq -e trace=none true 2> /dev/null; then
    for call in pwrite64 fsync fdatasync ftruncate rename renameat2 unlink; do
        wanted "$call" || continue
        problems='' tried=0 n=1
        while [ $n -le 400 ]; do
            home=$scratch/kill; rm -rf "$home"* ${OUT:+"$OUT"}
            # In a shell of its own, whose "Killed" nobody needs to read.
            (strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
                "$executable" "${arguments[@]}" --home "$home" --progress=none
             exit $?) > /dev/null 2>&1 && break
            problems+=$(try "$call $n" "$home" true)
            tried=$((tried + 1))
            n=$((n + 1 + (POINTS > 0 ? n / POINTS : 0)))
        done
        [ $tried -eq 0 ] || verdict "kill at $call (any library)" "$problems" "$tried"
    done
fi
exit $((failures > 0))
