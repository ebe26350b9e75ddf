#!/usr/bin/env bash
# fail_calls.sh [EXECUTABLE ARGS...]: fails each system call and each allocation in turn, once and
# from then on. The run must not crash, must say what is wrong, must end with a documented exit code,
# and a run without the fault must then leave the same rows as if nothing had happened.
. "$(dirname "$0")/lib.sh"
prepare "$@"

documented='^(0|1|2|65|69|70|71|73|74|75|77|78)$'

try() { # FAULT
    local fault=$1 home=$scratch/fail code
    rm -rf "$home"*
    run_in "$home" DGC_FAULT="$fault" > /dev/null
    code=$?
    [[ $code =~ $documented ]] || { echo "$fault: exit code $code: $(tail -n 1 "$home.err"); "; return; }
    if [ $code -ne 0 ] && ! [ -s "$home.err" ]; then echo "$fault: exit code $code and not a word; "; return; fi
    if [ $code -eq 70 ]; then echo "$fault: called a bug: $(tail -n 1 "$home.err"); "; return; fi
    # A failed fsync ends the process wherever it is: as after a kill.
    recover_in "$home" || { echo "$fault: recovering failed: $(tail -n 1 "$home.err2"); "; return; }
    converged "$home" || echo "$fault: other rows: $(diff "$home.dump" "$scratch/expected" | tr '\n' ' '); "
}

while read -r call count; do
    wanted "$call" || continue
    case $call in
    crash:* | close | kill | poll | waitpid | stat) continue ;;
    malloc) effects=fail ;;
    open) effects='EACCES EMFILE' ;;
    write | pwrite) effects='ENOSPC EIO short' ;;
    fork) effects=EAGAIN ;;
    *) effects=EIO ;;
    esac
    [ "$count" -gt 0 ] || continue
    problems='' tried=0
    for effect in $effects; do
        for n in $(points "$count"); do
            for onwards in '' +; do
                problems+=$(try "$call:$n$onwards:$effect")
                tried=$((tried + 1))
            done
        done
    done
    verdict "fail $call" "$problems" "$tried"
done < <(counts)

# DuckDB and SQLite make their own calls: strace fails the nth of each kind in any one thread, once and
# from then on, until there is no nth.
in_any_library() { # CALL:ERROR:WHEN; 1: the run had nothing that could fail
    local call=${1%%:*} when=${1##*:} error=${1#*:} home=$scratch/fail code
    error=${error%%:*}
    rm -rf "$home"* "$scratch/strace"
    strace -f -qq -o "$scratch/strace" -e trace="$call" -e inject="$call:error=$error:when=$when" \
        "$executable" "${arguments[@]}" --home "$home" --progress=plain > /dev/null 2> "$home.err"
    code=$?
    grep -q INJECTED "$scratch/strace" || return 1
    if [ $code -eq 127 ] && grep -q 'loading shared libraries' "$home.err"; then return; fi # not yet us
    [[ $code =~ $documented ]] || { echo "$1: exit code $code: $(tail -n 1 "$home.err"); "; return; }
    if [ $code -ne 0 ] && ! [ -s "$home.err" ]; then echo "$1: exit code $code and not a word; "; return; fi
    if [ $code -eq 70 ]; then echo "$1: called a bug: $(tail -n 1 "$home.err"); "; return; fi
    recover_in "$home" || { echo "$1: recovering failed: $(tail -n 1 "$home.err2"); "; return; }
    converged "$home" || echo "$1: other rows: $(diff "$home.dump" "$scratch/expected" | tr '\n' ' '); "
}

if command -v strace > /dev/null && strace -qq -e trace=none true 2> /dev/null; then
    faults='pwrite64:ENOSPC pread64:EIO fsync:EIO'
    [ -n "${TORTURE_QUICK:-}" ] || faults+=' pwrite64:EIO fdatasync:EIO ftruncate:ENOSPC unlink:EACCES'
    for fault in $faults; do
        wanted "${fault%:*}" || continue
        problems='' tried=0 n=1
        while [ $n -le 400 ]; do
            found=$(in_any_library "$fault:$n") || break
            problems+=$found$(in_any_library "$fault:$n+")
            tried=$((tried + 2))
            n=$((n + 1 + (POINTS > 0 ? n / POINTS : 0)))
        done
        [ $tried -eq 0 ] || verdict "fail $fault (any library)" "$problems" "$tried"
    done
fi
exit $((failures > 0))
