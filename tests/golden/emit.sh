#!/usr/bin/env bash
# emit.sh: the emitted C of tests/golden/emit/*/, compared with expected.c; ACCEPT=1 takes what came.
#
# The text must also compile without a warning in gcc, clang and tcc, read no file but dgc's headers,
# and what runs in memory must print what the same project prints when gcc built it.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}
dgc=${DGC:-$build/dgc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0
check() { # NAME COMMAND...
    local name=$1; shift
    if "$@" > "$tmp/log" 2>&1; then echo "ok $name"
    else failures=$((failures + 1)); echo "FAIL $name: $(head -5 "$tmp/log" | tr '\n' ' ')"; fi
}
lines_lead_back() { # EMITTED: every #line names a file of the project, or pipeline.c
    grep -oE '^#line [0-9]+ ".*"$' "$1" | sed -E 's/.*"(.*)"/\1/' | sort -u | grep -vx pipeline.c |
        while read -r file; do [ -f "$2/$file" ] || { echo "no file $file"; exit 1; }; done
}
# Steps take turns; each says its own in order.
printed() { grep -E '^[a-z_0-9]+ \|' | sort -s -t '|' -k 1,1; }

for folder in "$root"/tests/golden/emit/*/; do
    name=$(basename "$folder")
    work=$tmp/$name
    cp -r "$folder" "$work" && rm -rf "$work/.dgc"
    if ! "$dgc" build "$work" --emit c > "$tmp/got.c" 2> "$tmp/log"; then
        failures=$((failures + 1)); echo "FAIL $name: $(head -3 "$tmp/log" | tr '\n' ' ')"; continue
    fi
    [ "${ACCEPT:-}" = 1 ] && cp "$tmp/got.c" "$folder/expected.c"
    check "$name: emitted C" diff -u "$folder/expected.c" "$tmp/got.c"
    # Unused is what a header declares; the rest of -Wextra holds.
    check "$name: gcc -Wall -Wextra" gcc -std=gnu11 -Wall -Wextra -Wno-unused -Werror -I"$build/lib/include" -fsyntax-only "$tmp/got.c"
    check "$name: clang -Wall -Wextra" clang -std=gnu11 -Wall -Wextra -Wno-unused -Werror -I"$build/lib/include" -fsyntax-only "$tmp/got.c"
    check "$name: tcc -Wall" bash -c "[ -z \"\$(tcc -Wall -nostdinc -I'$build/lib/include' -c '$tmp/got.c' -o '$tmp/got.o' 2>&1 | tee /dev/stderr)\" ]"
    "$dgc" run "$work" --home "$tmp/h1" 2>&1 | printed > "$tmp/jit"
    "$dgc" build "$work" --driver gcc -o "$tmp/exe" > "$tmp/log" 2>&1
    (cd "$work" && "$tmp/exe" run --home "$tmp/h2" 2>&1) | printed > "$tmp/gcc"
    check "$name: in memory and by gcc: the same" cmp "$tmp/jit" "$tmp/gcc"
    [ ! -e "$folder/printed.txt" ] || check "$name: prints what it should" diff "$folder/printed.txt" "$tmp/jit"
done
[ "$failures" = 0 ]
