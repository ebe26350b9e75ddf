#!/usr/bin/env bash
# sql_models.sh: dgc.SqlModels and dgc.Checks at work: what the tables hold after each run is told by
# checks of the project itself, so a wrong row fails the run.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(realpath -m "${BUILD:-$root/build}")
dgc=$(realpath "${DGC:-$build/dgc}")
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
export NO_COLOR=1 LC_ALL=C.UTF-8
cd "$work" || exit 2
failed=0

verdict() { # NAME EXPECTED-EXIT ACTUAL-EXIT [TEXT that the output has]
    if [ "$2" = "$3" ] && { [ -z "${4:-}" ] || grep -qF -- "$4" out; }; then echo "ok $1"
    else echo "FAIL $1: exit $3, expected $2 ${4:-}"; cat out; failed=1; fi
}
run() { # NAME EXPECTED-EXIT TEXT ARGUMENTS...
    local name=$1 expected=$2 text=$3; shift 3
    "$dgc" run "$@" > out 2>&1
    verdict "$name" "$expected" $? "$text"
}
rows() { # ASSET VALUES: the table holds these rows and no others
    printf -- '---\ntype: dgc.Checks\nattributes:\n  asset: %s\n  checks:\n' "$1"
    printf '    - {name: missing, sql: "(values %s) except all select * from {{ this }}"}\n' "$2"
    printf '    - {name: surplus, sql: "select * from {{ this }} except all (values %s)"}\n' "$2"
}
model() { printf '%s\n' "$2" > "defs/m/models/$1.sql"; }

mkdir -p defs/raw defs/m/models defs/c
printf 'name: models\nvars: {limit: 1}\n' > dgc.yaml
cat > defs/raw/defs.yaml <<'Y'
type: dgc.Files
attributes: {path: new.csv, asset: raw/new, columns: {id: bigint, amount: bigint}}
Y
cat > defs/m/defs.yaml <<'Y'
type: dgc.SqlModels
attributes:
  path: models
  prefix: m
  pre_hook: create table if not exists {{ target.schema }}.log (model varchar)
  post_hook: ["insert into m.log values ('{{ this.name }}')"]
Y
incremental="select id, amount from {{ ref('raw/new') }}"
model replaced "{{ config(materialized='incremental', unique_key='id') }}
$incremental
{% if is_incremental() %}where id >= (select max(id) from {{ this }}){% endif %}"
model appended "{{ config(materialized='incremental', incremental_strategy='append') }}
$incremental"
model merged "{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['id']) }}
$incremental"
model whole "{{ config(materialized='table') }} select * from {{ ref('seen') }} -- the end"
model seen "select id, amount + {{ var('limit') }} as amount from {{ ref('raw/new') }};"
model plain "select id from m.whole"

printf 'id,amount\n1,10\n2,20\n' > defs/raw/new.csv
{ rows m/replaced '(1, 10), (2, 20)'; rows m/appended '(1, 10), (2, 20)'; rows m/merged '(1, 10), (2, 20)'
  rows m/whole '(1, 11), (2, 21)'; rows m/seen '(1, 11), (2, 21)'; rows m/plain '(1), (2)'; } | tail -n +2 > defs/c/defs.yaml
run 'first run' 0 'Succeeded'

printf 'id,amount\n2,25\n3,30\n' > defs/raw/new.csv
{ rows m/replaced '(1, 10), (2, 25), (3, 30)'; rows m/appended '(1, 10), (2, 20), (2, 25), (3, 30)'
  rows m/merged '(1, 10), (2, 25), (3, 30)'; rows m/whole '(2, 26), (3, 31)'; } | tail -n +2 > defs/c/defs.yaml
run 'second run' 0 'Succeeded'

# A column more, one less: ignored, appended, refused.
model replaced "{{ config(materialized='incremental', unique_key='id') }}
select id, 'x' as note, amount from {{ ref('raw/new') }}"
model appended "{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns') }}
select id, 7 as more from {{ ref('raw/new') }} where id = 3"
{ rows m/replaced '(1, 10), (2, 25), (3, 30)'
  rows m/appended '(1, null), (2, null), (2, null), (3, null), (3, 7)'; } | tail -n +2 > defs/c/defs.yaml
sed -i '/replaced/,/appended/s/select \* from/select id, amount from/; s/select \* from/select id, more from/' defs/c/defs.yaml
run 'changed columns' 0 'Succeeded'
model merged "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id', on_schema_change='fail') }}
select id, 'x' as note from {{ ref('raw/new') }}"
rows m/merged '(1, 10), (2, 25), (3, 30)' | tail -n +2 > defs/c/defs.yaml
run 'changed columns refused' 65 'the columns of `m/merged` have changed: new are note gone are amount'

# From nothing again; a view where a table was, and the other way round.
model whole "select 1 as one"
model seen "{{ config(materialized='table') }} select 2 as two"
model plain "select * from {{ ref('whole') }}, {{ ref('seen') }}"
{ rows m/merged "(2, 'x'), (3, 'x')"; rows m/whole '(1)'; rows m/seen '(2)'; rows m/plain '(1, 2)'; } | tail -n +2 > defs/c/defs.yaml
run 'full refresh' 0 'Succeeded' --full-refresh

# Checks that fail: one that tells, one that holds back what is downstream.
cat > defs/c/defs.yaml <<'Y'
type: dgc.Checks
attributes:
  asset: m/seen
  checks:
    - {accepted_values: {column: two, values: [3, 4]}, severity: warn}
    - {range: {column: two, min: 1, max: 2, exclusive: true}, blocking: true}
    - {row_count: {min: 2}, severity: warn}
    - {unique: two}
    - {not_null: two, where: "two > 0"}
    - {relationships: {column: two, to: raw/new, field: id}}
    - {freshness: {column: made_at, max_age: 24h}, where: "made_at is not null"}
Y
model seen "{{ config(materialized='table') }} select 2 as two, now() as made_at"
run 'a check fails' 1 'range_seen_two of m/seen: 1 of 1 rows failed: {"two":2,'
verdict 'a check explains' 1 1 'row_count_seen of m/seen: there are 1 rows, expected: 2 or more'
grep -qE 'Finished m__plain' out; verdict 'downstream waits' 1 $?
exit $failed
