#!/bin/sh
# Executables: the same bytes wherever and whenever built, no YAML and no compiler inside, exit codes.
set -u
. "$(dirname "$0")/lib.sh"

for place in one two/deeper; do
    mkdir -p "$WORK/$place"
    cp -r "$ROOT/samples/shop" "$WORK/$place/shop"
    rm -rf "$WORK/$place/shop/.dgc" "$WORK/$place/shop/out"
done
expect "builds in one folder" "$DGC" build "$WORK/one/shop" -o "$WORK/one.bin"
expect "builds in another, in another time zone" env TZ=Asia/Tokyo "$DGC" build "$WORK/two/deeper/shop" -o "$WORK/two.bin"
expect "both are the same bytes" cmp "$WORK/one.bin" "$WORK/two.bin"

no_yaml() { ! strings -n 6 "$1" | grep -qE 'yaml_parser|tcc_compile|type: dgc\.|attributes:'; }
expect "the executable holds no YAML, no YAML parser and no compiler" no_yaml "$WORK/one.bin"
no_paths() { ! strings -n 6 "$1" | grep -qF "$WORK"; }
expect "nor any path of the machine" no_paths "$WORK/one.bin"

expect_code 0 "lists" "$WORK/one.bin" list
expect_text "marts/revenue" "names the assets"
expect_code 0 "lists as JSON" "$WORK/one.bin" list --json
expect_code 0 "plans" "$WORK/one.bin" plan
expect_code 0 "knows its version" "$WORK/one.bin" --version
expect_code 0 "has a bill of materials" "$WORK/one.bin" --sbom
expect_text CycloneDX "in CycloneDX"
expect_code 0 "shows licences" "$WORK/one.bin" --licenses
expect_code 2 "refuses an unknown option" "$WORK/one.bin" run --selct x
expect_code 2 "refuses a selection of nothing that exists" "$WORK/one.bin" run --select no/such
expect_code 0 "runs in an empty environment" env -i HOME="$WORK" sh -c "cd '$WORK/one/shop' && '$WORK/one.bin' run --home '$WORK/home'"
expect_code 0 "runs a part" in_folder "$WORK/one/shop" "$WORK/one.bin" run --home "$WORK/home2" --select '+marts/revenue'
expect_code 0 "tells its status" "$WORK/one.bin" status --home "$WORK/home"
mv "$WORK/one/shop/data" "$WORK/one/shop/gone"
in_folder "$WORK/one/shop" "$WORK/one.bin" run --home "$WORK/home3" > "$WORK/log" 2>&1
expect_text "no file matches" "a missing file is named"

# A run whose last steps are skipped ends at once: nothing waits for a heartbeat.
expect_code 78 "skipped steps do not hold up the end" in_folder "$WORK/one/shop" timeout 10 "$WORK/one.bin" run --home "$WORK/home4" \
    --select '+marts/customers'
expect "builds a part" "$DGC" build "$WORK/two/deeper/shop" -o "$WORK/part.bin" --select '+staging/orders'
expect_code 0 "the part lists" "$WORK/part.bin" list
no_revenue() { ! "$1" list | grep -q revenue; }
expect "what is not selected is not in it" no_revenue "$WORK/part.bin"
finish
