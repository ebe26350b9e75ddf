#!/usr/bin/env bash
# Plans as text: `dgc build --emit plan` of small projects against what is written beside them.
#
# tests/golden/plan/NAME.txt: files, each after a line `-- PATH --`, the last one `-- expected --`;
# `-- options --` gives further options of the build. ACCEPT=1 writes what is printed now.
set -u
: "${ROOT:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${BUILD:=$ROOT/build}"
: "${DGC:=$BUILD/dgc}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

unpack() { # FILE FOLDER: its parts as files
    awk -v to="$2" '
        /^-- .* --$/ { if (out) close(out); out = to "/" substr($0, 4, length($0) - 6)
                       folder = out; sub(/\/[^\/]*$/, "", folder); system("mkdir -p \"" folder "\"")
                       printf "" > out; next }
        out { print > out }' "$1"
}

for case in "$ROOT"/tests/golden/plan/*.txt; do
    name=$(basename "$case" .txt)
    folder=$work/$name
    mkdir -p "$folder"
    unpack "$case" "$folder"
    [ -e "$folder/dgc.yaml" ] || echo "name: $name" > "$folder/dgc.yaml"
    mv "$folder/expected" "$work/expected" 2> /dev/null || : > "$work/expected"
    options=()
    [ ! -e "$folder/options" ] || read -ra options < "$folder/options"
    rm -f "$folder/options"
    "$DGC" build --emit plan "${options[@]}" "$folder" > "$work/actual" 2> "$work/errors" ||
        echo "exit $?: $(head -3 "$work/errors")" >> "$work/actual"
    if [ "${ACCEPT:-}" = 1 ]; then
        awk '/^-- expected --$/ { exit } { print }' "$case" > "$work/case"
        { cat "$work/case"; echo '-- expected --'; cat "$work/actual"; } > "$case"
    fi
    if [ "${ACCEPT:-}" = 1 ] || cmp -s "$work/expected" "$work/actual"; then
        echo "ok plan $name"
    else
        echo "FAIL plan $name: differs"
        diff "$work/expected" "$work/actual" | sed 's/^/    /' | head -40
        failed=1
    fi
done
exit $failed
