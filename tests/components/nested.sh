#!/usr/bin/env bash
# Lists in JSON become tables of their own, in the transaction of their parent: from files into SQLite and the warehouse.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
cd "$WORK" || exit 1
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
run() { "$DGC" run "$@" > log 2>&1 || { echo "FAIL run $*: exit $?: $(tail -n 5 log)"; failures=$((failures + 1)); }; }
lite() { sqlite3 out.db "$1" 2>&1; }
store() { rm -f got.csv; "$DGC" copy "duckdb://.dgc/shop.duckdb" got.csv --sql "$1" > log 2>&1 && tail -n +2 got.csv | tr , '|' || tail -n 3 log; }

project() { # SETTINGS, the same for both targets
    rm -rf defs .dgc out.db
    local target
    for target in sqlite warehouse; do
        mkdir -p defs/$target
        cat > defs/$target/defs.yaml <<YAML
type: dgc.Replication
attributes:
  connections: {sqlite: {type: sqlite, instance: out.db}}
  source: local
  target: $target
  streams:
    orders.ndjson: {object: main.orders, $1, meta: {dagster: {asset_key: $target.orders}}}
YAML
    done
}
both() { # NAME EXPECTED SQL
    is "$1, SQLite" "$2" "$(lite "$3")"
    is "$1, DuckDB" "$2" "$(store "$3")"
}
lines='select o.id, l._dlt_list_idx as i, l.sku, l.n from main.orders o join main.orders__lines l on l._dlt_parent_id = o._dlt_id order by 1, 2'
orphans='select count(*) from main.orders__lines where _dlt_parent_id not in (select _dlt_id from main.orders)'

echo 'name: shop' > dgc.yaml
project 'mode: incremental, primary_key: id, max_table_nesting: 3'
cat > orders.ndjson <<'JSON'
{"id": 1, "who": {"name": "Ann", "at": {"city": "Rome"}}, "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": 1}], "tags": ["new", "big"]}
{"id": 2, "who": {"name": "Bo"}, "lines": [{"sku": "c", "n": 5}]}
{"id": 3, "who": {"name": "Cy"}, "lines": []}
JSON
run
grep -q '5 rows in 2 tables of its lists' log && echo "ok the log tells of lists" || { echo "FAIL the log says: $(grep main.orders log)"; failures=$((failures + 1)); }
both "objects are columns" '1|Ann|Rome
2|Bo|
3|Cy|' 'select id, who__name, who__at__city from main.orders order by id'
both "lists are tables" '1|0|a|2
1|1|b|1
2|0|c|5' "$lines"
both "plain values" '0|new
1|big' 'select _dlt_list_idx, value from main.orders__tags order by 1'

run
both "the same once more changes nothing" '3|3|2' 'select (select count(*) from main.orders), (select count(*) from main.orders__lines), (select count(*) from main.orders__tags)'

cat > orders.ndjson <<'JSON'
{"id": 1, "who": {"name": "Ann"}, "lines": [{"sku": "z", "n": 9, "gift": true}]}
{"id": 4, "who": {"name": "Di"}, "lines": [{"sku": "d", "n": 1, "tax": [{"rate": 0.19}, {"rate": 0.07}]}]}
JSON
run
both "rows written anew have their new lists only" '1|0|z|9
2|0|c|5
4|0|d|1' "$lines"
both "a list inside a list" '4|0.07
4|0.19' 'select o.id, t.rate from main.orders__lines__tax t join main.orders o on t._dlt_root_id = o._dlt_id order by 1, 2'
both "lists that are gone" 0 'select count(*) from main.orders__tags'
both "no element without its row" 0 "$orphans"

project 'mode: full-refresh, max_table_nesting: 1'
run
both "elements deeper than the number stay JSON" 1 "select count(*) from main.orders__lines where cast(tax as varchar) like '[{%0.07}]'"
project 'mode: full-refresh, max_table_nesting: 3, columns: {lines: json}'
run
both "a column that stays JSON" 2 'select count(lines) from main.orders'
run
sed -i 's/columns: {lines: json}/columns: {lines: json}, contract: freeze/' defs/*/defs.yaml
run
echo '{"id": 5, "who": {"name": "Ed"}, "lines": [], "more": [1]}' >> orders.ndjson
"$DGC" run > log 2>&1
is "a frozen contract: exit 65" 65 $?
grep -q "more" log && echo "ok it names the list" || { echo "FAIL it does not name the list: $(tail -n 4 log)"; failures=$((failures + 1)); }
both "and nothing is changed" 2 'select count(*) from main.orders'

# A table that has a list's name and is none is somebody else's.
rm -rf .dgc out.db
project 'mode: full-refresh, max_table_nesting: 3'
lite 'CREATE TABLE orders__lines (sku TEXT, stock INT); INSERT INTO orders__lines VALUES (1, 2)'
"$DGC" run --select sqlite/orders > log 2>&1
is "a foreign table: exit 65" 65 $?
is "what is said" 'table `orders__lines` is there, and is not one of list elements: it has no column `_dlt_parent_id`
help rename that table, or leave the list whole with `columns: {name: json}`' "$(sed -n 's/.*Failed [^:]*: //p; s/^ *\(help \)/\1/p' log | head -2)"
is "it is as it was, and nothing else came" '1|2|0' "$(lite "SELECT *, (SELECT count(*) FROM sqlite_master WHERE name = 'orders') FROM orders__lines")"

# Memory: elements go through files, so a million of them takes what ten thousand take; of one row all are in memory once.
cat > defs/sqlite/defs.yaml <<'YAML'
type: dgc.Replication
attributes:
  connections: {big: {type: sqlite, instance: big.db}, sqlite: {type: sqlite, instance: out.db}}
  source: big
  target: sqlite
  streams:
    many: {object: main.many, mode: full-refresh, where: "id <= {n}", max_table_nesting: 2, meta: {dagster: {asset_key: sqlite.many}}}
YAML
rm -rf defs/warehouse .dgc out.db
sqlite3 big.db "CREATE TABLE many(id INTEGER PRIMARY KEY, items JSON);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO many SELECT i, json_array(json_object('sku', i), json_object('sku', -i), json_object('sku', 1), json_object('sku', 2), json_object('sku', 3)) FROM n"
peak() { # N: kilobytes
    sed -i "s/id <= [0-9{n}]*/id <= $1/" defs/sqlite/defs.yaml
    "$DGC" build . -o p.bin > log 2>&1 && /usr/bin/time -f %M -o peak ./p.bin run --progress none > log 2>&1 || cat log >&2
    tail -n 1 peak
}
if [ -x /usr/bin/time ]; then
    small=$(peak 20000) large=$(peak 100000)
    is "half a million elements" 500000 "$(lite 'SELECT count(*) FROM many__items')"
    [ "$large" -lt $((small + small / 5)) ] && echo "ok memory is flat ($small and $large kB)" || { echo "FAIL memory grows from $small to $large kB"; failures=$((failures + 1)); }
fi

# A plan makes no database.
rm -rf defs
project 'mode: full-refresh, max_table_nesting: 3'
rm -rf .dgc out.db
"$DGC" plan > log 2>&1
is "plan" 0 $?
[ ! -e out.db ] && grep -q 'to sqlite://' log && echo "ok a plan makes no file" || { echo "FAIL the plan: $(tail -n 3 log)"; failures=$((failures + 1)); }
finish
