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
exit $((failures > 0))
