#!/usr/bin/env bash
# build_drivers.sh: one project through every driver; the results must be the same.
#
# Covers: gcc, clang, tcc, pack with and without a compiler, in memory; an executable that runs in an
# empty environment and from another folder; sizes; what must not be inside.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}
dgc=${DGC:-$build/dgc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failures=0
ok() { echo "ok $1"; }
fail() { failures=$((failures + 1)); echo "FAIL $1: $2"; }
# check NAME COMMAND...: passes when the command succeeds.
check() { local name=$1; shift; if "$@" > "$tmp/log" 2>&1; then ok "$name"; else fail "$name" "$(tail -3 "$tmp/log" | tr '\n' ' ')"; fi; }
smaller() { [ "$(stat -c %s "$1")" -le "$2" ] || { echo "$1 has $(stat -c %s "$1") bytes, not $2"; return 1; }; }
lacks() { ! grep -aq -- "$2" "$1" || { echo "$1 holds $2"; return 1; }; }

# --- a project with scripts only: no DuckDB ---
small=$tmp/small
mkdir -p "$small/defs/a"
echo 'name: small' > "$small/dgc.yaml"
cat > "$small/defs/a/defs.yaml" <<'END'
type: dgc.Script
attributes:
  command: [sh, -c, 'printf "%s\n" "$GREETING */ \"x\"" > "$OUT"']
  asset: {key: raw/greeting, kinds: [sh]}
  env:
    GREETING: "{{ env('GREETING', 'hello') }}"
    OUT: "{{ env('OUT') }}"
END

# --- one with a warehouse and a component of its own ---
cp -r "$root/samples/custom-component" "$tmp/big"
rm -rf "$tmp/big/.dgc"
big=$tmp/big
# The same for all: what a run leaves, but for times and ids.
result() { sed -E 's/"(run_id|package|started_us|elapsed_ms)": ("[^"]*"|[0-9]+)/"\1": 0/g'; }

build() { # DRIVER OUTPUT PROJECT
    "$dgc" build "$3" --driver "$1" -o "$2" > "$tmp/build.log" 2>&1
}

export PLANTED_SECRET=s3cr3t-planted-value
for driver in gcc clang tcc pack; do
    exe=$tmp/small.$driver
    if ! build "$driver" "$exe" "$small"; then fail "$driver: small project builds" "$(tail -2 "$tmp/build.log" | tr '\n' ' ')"; continue; fi
    ok "$driver: small project builds"
    ( cd / && env -i OUT="$tmp/out.$driver" PATH=/usr/bin:/bin "$exe" run --home "$tmp/home.$driver" --project "$small" ) \
        > "$tmp/log" 2>&1
    if [ "$(cat "$tmp/out.$driver" 2> /dev/null)" = 'hello */ "x"' ]; then ok "$driver: runs in an empty environment, elsewhere"
    else fail "$driver: runs in an empty environment, elsewhere" "$(tail -3 "$tmp/log" | tr '\n' ' ')"; fi
    check "$driver: at most 8 MB without DuckDB" smaller "$exe" 8000000
    check "$driver: no secret of the build inside" lacks "$exe" s3cr3t-planted-value
    check "$driver: no path of the project inside" lacks "$exe" "$small"
    check "$driver: the stack is not executable" bash -c "readelf -lW '$exe' | grep 'GNU_STACK .* RW '"
    check "$driver: answers --sbom" bash -c "'$exe' --sbom | grep -q CycloneDX"
    check "$driver: answers --licenses" bash -c "'$exe' --licenses | grep -q SQLite"
    [ "$driver" = pack ] || check "$driver: no YAML text inside" lacks "$exe" "attributes:"
    [ "$driver" = pack ] || check "$driver: no libyaml, libtcc or plan code inside" bash -c \
        "! strings '$exe' | grep -qE 'yaml_parser_|tcc_new|could not find expected .:|unknown-attribute'"
done

for driver in gcc clang tcc pack; do
    exe=$tmp/big.$driver
    if ! build "$driver" "$exe" "$big"; then fail "$driver: warehouse project builds" "$(tail -2 "$tmp/build.log" | tr '\n' ' ')"; continue; fi
    check "$driver: at most 27 MB with DuckDB" smaller "$exe" 27000000
    XDG_CACHE_HOME=$tmp/cache "$exe" run --home "$tmp/bighome.$driver" --json --progress none 2> "$tmp/log" | result > "$tmp/result.$driver"
done
( cd "$tmp" && PATH=/nonexistent "$dgc" build "$big" --driver pack -o "$tmp/big.bare" ) > "$tmp/log" 2>&1 &&
    "$tmp/big.bare" run --home "$tmp/bighome.bare" --json --progress none 2>> "$tmp/log" | result > "$tmp/result.bare"
"$dgc" run "$big" --home "$tmp/bighome.jit" --json --progress none 2> "$tmp/log" | result > "$tmp/result.jit"
grep -q '"state": "succeeded"' "$tmp/result.gcc" && ok "gcc: warehouse project runs" || fail "gcc: warehouse project runs" "$(head -c 300 "$tmp/result.gcc")"
for driver in clang tcc pack bare jit; do
    if cmp -s "$tmp/result.gcc" "$tmp/result.$driver"; then ok "$driver: same result as gcc"
    else fail "$driver: same result as gcc" "$(diff "$tmp/result.gcc" "$tmp/result.$driver" | head -4 | tr '\n' ' ')"; fi
done
check "gcc: only what is used is linked" bash -c "'$dgc' build '$big' --driver gcc --debug -o '$tmp/debug' && \
    ! nm '$tmp/debug' | grep -E ' (dg_component_|yaml_|tcc_|dg_script_ops|dg_symbols|elf_load)'"

# --- failures leave nothing ---
mkdir "$tmp/empty"
( cd "$tmp/empty" && PATH=$tmp "$dgc" build "$small" --driver gcc -o x ) > "$tmp/log" 2>&1
[ $? = 78 ] && [ -z "$(ls -A "$tmp/empty")" ] && ok "a compiler that is not there" || fail "a compiler that is not there" "$(tail -2 "$tmp/log")"
( cd "$tmp/empty" && "$dgc" build "$small" -o nowhere/x ) > "$tmp/log" 2>&1
[ $? = 73 ] && [ -z "$(ls -A "$tmp/empty")" ] && ok "an output folder that is not there" || fail "an output folder that is not there" "$(tail -2 "$tmp/log")"
mkdir -p "$tmp/broken/defs/a" && printf 'type: dgc.Nothing\n' > "$tmp/broken/defs/a/defs.yaml"
( cd "$tmp/empty" && "$dgc" build "$tmp/broken" -o x ) > "$tmp/log" 2>&1
[ $? = 1 ] && [ -z "$(ls -A "$tmp/empty")" ] && grep -q E0109 "$tmp/log" && ok "a project with errors" || fail "a project with errors" "$(tail -2 "$tmp/log")"
[ "$failures" = 0 ]
