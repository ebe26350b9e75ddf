#!/bin/sh
# Twenty secrets, in variables whose names say so (TOKEN, PASSWORD, SECRET, KEY...), used in every way a project can use one, are in no executable, no output, no plan,
# no history: as they are, in base64, URL-encoded or escaped for JSON.
set -u
. "$(dirname "$0")/lib.sh"
project=$WORK/project
mkdir -p "$project/defs/scripts" "$project/defs/models/sql"
names=
i=1
while [ $i -le 20 ]; do
    case $((i % 5)) in
    0) name=PLANTED_${i}_TOKEN ;;
    1) name=DB${i}_PASSWORD ;;
    2) name=SECRET_$i ;;
    3) name=API_KEY_$i ;;
    4) name=PG${i}PASSWORD ;;
    esac
    case $((i % 4)) in
    0) value="canary-$i-\"quoted\\slash" ;;
    1) value="canary-$i-plain0123456789" ;;
    2) value="canary-$i-with blank & ampersand=" ;;
    3) value="canary-$i-$(printf '%s' "$i$i$i" | sed 's/./&zQ/g')" ;;
    esac
    export "$name=$value"
    printf '%s\n' "$value" >> "$WORK/values"
    names="$names $name"
    cat >> "$project/defs/scripts/defs.yaml" <<YAML
type: dgc.Script
attributes:
  command: [sh, "-c", 'echo "out: \$SECRET"; echo "err: \$SECRET" >&2; test $i -ne 7', "{{ env('$name') }}"]
  asset: side/s$i
  env: {SECRET: "{{ env('$name') }}", MIXED: "x-{{ env('$name') }}-y"}
  pipes: false
---
YAML
    i=$((i + 1))
done
sed -i '$d' "$project/defs/scripts/defs.yaml"
cat > "$project/defs/models/defs.yaml" <<'YAML'
type: dgc.SqlModels
attributes: {path: sql, prefix: marts, materialized: table}
YAML
echo "select length('{{ env('DB1_PASSWORD') }}') as n, no_such_function('{{ env('API_KEY_3') }}') as broken" > "$project/defs/models/sql/broken.sql"
echo "select length('{{ env('DB1_PASSWORD') }}') as n" > "$project/defs/models/sql/fine.sql"

"$DGC" check "$project" --no-sql > "$WORK/out.check" 2>&1
"$DGC" list defs "$project" --json > "$WORK/out.list" 2>&1
rm "$project/defs/models/sql/broken.sql"
"$DGC" build "$project" --emit plan > "$WORK/out.plan" 2>&1
"$DGC" build "$project" --emit c > "$WORK/out.c" 2>&1
expect "the project builds" "$DGC" build "$project" -o "$WORK/out.bin"
(cd "$project" && "$WORK/out.bin" run --home "$WORK/home" --progress plain > "$WORK/out.run" 2>&1)
(cd "$project" && "$WORK/out.bin" run --home "$WORK/home2" --json > "$WORK/out.json" 2>&1)
"$WORK/out.bin" plan --json > "$WORK/out.planjson" 2>&1
"$WORK/out.bin" status --home "$WORK/home" --json > "$WORK/out.status" 2>&1
cp "$WORK"/home/runs.db* "$WORK/" 2>/dev/null
for f in "$WORK"/runs.db*; do mv "$f" "$WORK/out.$(basename "$f")"; done
expect "the run ran" grep -q "s1" "$WORK/out.run"

found=0
while IFS= read -r value; do
    b64=$(printf '%s' "$value" | base64 -w0)
    json=$(printf '%s' "$value" | sed 's/\\/\\\\/g; s/"/\\"/g')
    for form in "$value" "$b64" "$json"; do
        for out in "$WORK"/out.*; do
            if grep -aqF -- "$form" "$out"; then
                echo "FAIL $(basename "$out") holds $value"
                found=$((found + 1))
            fi
        done
    done
done < "$WORK/values"
[ "$found" -eq 0 ] && echo "ok twenty planted secrets are nowhere"
failures=$((failures + found))
finish
