#!/usr/bin/env bash
# What `dgc check` says of SQL, word for word: tests/golden/sql/CASE/ is laid over sql/base/.
#
# Each case is checked twice: the second time with what the first left in the cache. fixed/ holds
# the files as `dgc check --fix` leaves them. ACCEPT=1 writes expected.txt and fixed/ anew.
# Arguments name the cases to run.
set -uo pipefail
cd "$(dirname "$0")/sql" || exit 2
build=$(realpath -m "${BUILD:-../../../build}")
DGC=$(realpath "${DGC:-$build/dgc}")
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
export NO_COLOR=1 LC_ALL=C.UTF-8
failed=0

run_check() { # OUTPUT ARGUMENTS...
    local output=$1; shift
    (cd "$work/p" && "$DGC" check "$@"; echo "exit $?") 2>&1 |
        sed -E 's/[0-9]+ ms$/N ms/' > "$output"
}

compare() { # NAME EXPECTED ACTUAL
    if difference=$(diff -ru "$2" "$3" 2>&1); then echo "ok $1"
    else echo "FAIL $1: output differs"; echo "$difference"; failed=1; fi
}

run_case() {
    local name=$1
    rm -rf "$work/p" && mkdir "$work/p" && cp -r base/. "$name/." "$work/p" &&
        rm -rf "$work/p/expected.txt" "$work/p/fixed"
    run_check "$work/first"
    run_check "$work/second"
    if [ -n "${ACCEPT:-}" ]; then cp "$work/first" "$name/expected.txt"; fi
    compare "$name" "$name/expected.txt" "$work/first"
    compare "$name, again" "$work/first" "$work/second"
    [ -d "$name/fixed" ] || return 0
    run_check "$work/fixing" --fix
    rm -rf "$work/p/.dgc"
    (cd "$work/p" && find . -type f | sort | while read -r file; do
        [ -f "$OLDPWD/$name/$file" ] && cmp -s "$file" "$OLDPWD/$name/$file" && rm "$file"
        [ -f "$OLDPWD/base/$file" ] && [ ! -f "$OLDPWD/$name/$file" ] && rm "$file"; done
     find . -type d -empty -delete; true)
    if [ -n "${ACCEPT:-}" ]; then rm -rf "$name/fixed" && cp -r "$work/p" "$name/fixed"; fi
    compare "$name --fix" "$name/fixed" "$work/p"
    grep -q '^exit 0$' "$work/fixing" || { echo "FAIL $name --fix: not clean"; failed=1; }
}

if [ $# = 0 ]; then set -- */; fi
for name in "$@"; do
    name=${name%/}
    [ "$name" = base ] || run_case "$name"
done
exit $failed
