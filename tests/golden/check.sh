#!/usr/bin/env bash
# What `dgc check` says, word for word: tests/golden/check/CASE/ is a project with expected.txt beside.
#
#   args      further arguments; otherwise none
#   env       NAME=VALUE lines for the environment
#   fixed/    the files as `dgc check --fix` leaves them; a check of these is then clean
#
# ACCEPT=1 writes expected.txt and fixed/ anew (`make golden`). Arguments name the cases to run.
set -uo pipefail
cd "$(dirname "$0")/check" || exit 2
DGC=${DGC:-$PWD/../../../build/dgc}
DGC=$(realpath "$DGC")
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
export NO_COLOR=1 LC_ALL=C.UTF-8
failed=0

report() { # NAME EXPECTED ACTUAL
    if [ -n "${ACCEPT:-}" ]; then cp "$3" "$2"; fi
    if difference=$(diff -u "$2" "$3" 2>&1); then echo "ok $1"
    else echo "FAIL $1: output differs"; echo "$difference"; failed=1; fi
}

# The project alone, so that nothing else of the case is read.
copy_project() {
    rm -rf "$work/p" && mkdir "$work/p" && cp -r "$1/." "$work/p" &&
        rm -rf "$work/p/expected.txt" "$work/p/args" "$work/p/env" "$work/p/fixed"
}

run_case() {
    local name=$1 arguments=() variables=()
    [ -f "$name/args" ] && mapfile -t arguments < "$name/args"
    [ -f "$name/env" ] && mapfile -t variables < "$name/env"
    copy_project "$name"
    (cd "$work/p" && env "${variables[@]}" "$DGC" check "${arguments[@]}"; echo "exit $?") 2>&1 |
        sed -E "s|$work/p|PROJECT|g; s/[0-9]+ ms$/N ms/" > "$work/actual"
    report "$name" "$name/expected.txt" "$work/actual"
    [ -d "$name/fixed" ] || return 0
    (cd "$work/p" && env "${variables[@]}" "$DGC" check --fix "${arguments[@]}" > "$work/fix" 2>&1)
    local code=$?
    rm -rf "$work/p/.dgc" # caches
    if [ -n "${ACCEPT:-}" ]; then rm -rf "$name/fixed" && cp -r "$work/p" "$name/fixed"; fi
    if [ $code != 0 ]; then echo "FAIL $name --fix: exit $code"; cat "$work/fix"; failed=1
    elif difference=$(diff -ru "$name/fixed" "$work/p"); then echo "ok $name --fix"
    else echo "FAIL $name --fix: files differ"; echo "$difference"; failed=1; fi
}

if [ $# = 0 ]; then set -- */; fi
for name in "$@"; do run_case "${name%/}"; done
exit $failed
