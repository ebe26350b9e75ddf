#!/usr/bin/env bash
# `dgc test` compares every row, the last one too, in whatever order they come unless `ordered` says otherwise.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
cd "$WORK" || exit 1
mkdir -p defs/m/models tests
echo 'name: shop' > dgc.yaml
printf 'type: dgc.SqlModels\nattributes: {path: models, prefix: marts}\n' > defs/m/defs.yaml
echo "select * from (values (3, 'c'), (1, 'a'), (2, 'b')) t(id, name)" > defs/m/models/letters.sql

# Rows, and whether they are those of the model.
judge() { # NAME EXIT ROWS [TEXT...]
    local name=$1 want=$2 code text
    printf 'then: {rows: {marts/letters: %s}}\n' "$3" > tests/rows.yaml
    "$DGC" test > log 2>&1; code=$?
    shift 3
    [ $code = "$want" ] || { echo "FAIL $name: exit $code: $(head -n 5 log)"; failures=$((failures + 1)); return; }
    for text in "$@"; do
        grep -qF -- "$text" log || { echo "FAIL $name: no \`$text\`: $(head -n 8 log)"; failures=$((failures + 1)); return; }
    done
    echo "ok $name"
}
judge "the same rows" 0 '[{id: 3, name: c}, {id: 1, name: a}, {id: 2, name: b}]'
judge "in another order" 0 '[{id: 1, name: a}, {id: 2, name: b}, {id: 3, name: c}]'
judge "in another order, which counts" 1 '{ordered: true, rows: [{id: 1, name: a}, {id: 2, name: b}, {id: 3, name: c}]}' 'in another order'
judge "the first differs" 1 '[{id: 3, name: x}, {id: 1, name: a}, {id: 2, name: b}]' '- {id: 3, name: x}' '+ {id: 3, name: c}'
judge "the last differs" 1 '[{id: 3, name: c}, {id: 1, name: a}, {id: 2, name: x}]' '- {id: 2, name: x}' '+ {id: 2, name: b}'
judge "one is missing" 1 '[{id: 3, name: c}, {id: 1, name: a}]' '2 rows expected (-), 3 found (+)' '+ {id: 2, name: b}'
judge "one is twice" 1 '[{id: 3, name: c}, {id: 1, name: a}, {id: 2, name: b}, {id: 2, name: b}]' '- {id: 2, name: b}'
judge "one column only" 0 '[{name: a}, {name: b}, {name: c}]'
finish
