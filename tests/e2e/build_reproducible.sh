#!/usr/bin/env bash
# build_reproducible.sh: same inputs, same bytes: in any folder, at any time, by any user.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
dgc=${DGC:-${BUILD:-$root/build}/dgc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0
mkdir -p "$tmp/one" "$tmp/a much longer folder/two"
cp -r "$root/samples/custom-component" "$tmp/one/project"
cp -r "$root/samples/custom-component" "$tmp/a much longer folder/two/project"
find "$tmp" -name .dgc -prune -exec rm -rf {} +
for driver in gcc clang tcc pack; do
    ( cd "$tmp/one" && TZ=UTC LANG=C "$dgc" build project --driver $driver -o "x.$driver" ) > "$tmp/log" 2>&1
    touch -d '2001-02-03' "$tmp/a much longer folder/two/project/dgc.yaml"
    ( cd "$tmp/a much longer folder/two" && TZ=Asia/Tokyo LANG=C.UTF-8 USER=other HOME=$tmp SOURCE_DATE_EPOCH=12345 \
        "$dgc" build project --driver $driver -o "other-name.$driver" ) >> "$tmp/log" 2>&1
    if cmp "$tmp/one/x.$driver" "$tmp/a much longer folder/two/other-name.$driver" >> "$tmp/log" 2>&1; then
        echo "ok $driver: same bytes in two folders"
    else
        failures=$((failures + 1)); echo "FAIL $driver: same bytes in two folders: $(tail -2 "$tmp/log" | tr '\n' ' ')"
    fi
done
"$dgc" build "$tmp/one/project" --emit c > "$tmp/one.c"
"$dgc" build "$tmp/a much longer folder/two/project" --emit c > "$tmp/two.c"
if [ -s "$tmp/one.c" ] && cmp -s "$tmp/one.c" "$tmp/two.c"; then echo "ok the emitted C is the same"
else failures=$((failures + 1)); echo "FAIL the emitted C is the same: it differs"; fi
[ "$failures" = 0 ]
