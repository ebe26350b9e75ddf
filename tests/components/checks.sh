#!/usr/bin/env bash
# Every way to write a check of dgc.Checks, when it holds and when it does not.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
cd "$WORK" || exit 1
mkdir -p defs/a
echo 'name: checked' > dgc.yaml
printf 'id,name,amount\n1,a,1.5\n2,b,2.5\n3,b,-4\n' > a.csv
printf 'id\n1\n2\n3\n4\n' > b.csv

judge() { # good|bad CHECK
    local code
    cat > defs/a/defs.yaml <<YAML
type: dgc.Files
attributes: {path: ../../a.csv, asset: raw/a}
---
type: dgc.Files
attributes: {path: ../../b.csv, asset: raw/b}
---
type: dgc.Checks
attributes:
  asset: raw/a
  checks: [{$2}]
YAML
    "$DGC" run > log 2>&1; code=$?
    if [ "$1" = good ] && [ $code = 0 ]; then echo "ok holds: $2"
    elif [ "$1" = bad ] && [ $code = 1 ] && grep -q 'Failed check' log; then echo "ok does not hold: $2"
    else echo "FAIL $1: $2: exit $code: $(tail -n 6 log)"; failures=$((failures + 1)); fi
}
judge good 'row_count: 3';                     judge bad 'row_count: 4'
judge good 'row_count: {equals: 3}';           judge bad 'row_count: {equals: 0}'
judge good 'row_count: {min: 3}';              judge bad 'row_count: {min: 4}'
judge good 'row_count: {max: 3}';              judge bad 'row_count: {max: 2}'
judge good 'row_count: {min: 0, max: 5}';      judge bad 'row_count: 0'
judge good 'not_null: id';                     judge good 'not_null: [id, name]'
judge good 'unique: id';                       judge bad 'unique: name'
judge good 'unique: [id, name]'
judge good 'accepted_values: {column: name, values: [a, b]}'; judge bad 'accepted_values: {column: name, values: [a]}'
judge good 'relationships: {column: id, to: raw/b, field: id}'
judge good 'range: {column: amount, min: -4}'; judge bad 'range: {column: amount, max: 2}'
judge bad 'range: {column: amount, min: -4, exclusive: true}'
judge good 'sql: "select * from raw.a where id > 3"'; judge bad 'sql: "select * from raw.a where id > 2"'
finish
