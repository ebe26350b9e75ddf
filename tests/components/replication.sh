#!/usr/bin/env bash
# dgc.Replication and Sling's replication files, compiled: streams as steps, wildcards, state, mistakes.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
mkdir -p "$WORK/p/defs/shop" "$WORK/p/defs/lake" && cd "$WORK/p" || exit 1
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
sqlite3 src.db "CREATE TABLE orders(id INTEGER PRIMARY KEY, amount DECIMAL(10,2), at TIMESTAMP); CREATE TABLE order_lines(id INTEGER, n INTEGER);
    CREATE TABLE order_secrets(id INTEGER); CREATE TABLE customers(id INTEGER, Full_Name TEXT);
    INSERT INTO orders VALUES (1, 1.5, '2024-01-01 00:00:00'), (2, 2.5, '2024-01-02 00:00:00'); INSERT INTO order_lines VALUES (1, 1), (1, 2), (2, 1);
    INSERT INTO order_secrets VALUES (1); INSERT INTO customers VALUES (1, 'Ada')"
cat > defs/shop/defs.yaml <<'YAML'
type: dagster_sling.SlingReplicationCollectionComponent
attributes:
  connections:
    SHOP: {type: sqlite, instance: src.db}
    OUT: {type: sqlite, instance: "{{ env.OUT_DB }}"}
  replications:
    - path: replication.yaml
      translation: {group_name: shop}
YAML
cat > defs/shop/replication.yaml <<'YAML'
source: SHOP
target: OUT
defaults:
  mode: full-refresh
  object: main.{stream_table}${SUFFIX}
streams:
  orders: {mode: incremental, primary_key: id, update_key: at}
  order_*:
  order_secrets: {disabled: true}
  customers:
    select: [id, Full_Name as name]
    object: main.people
    meta: {dagster: {asset_key: crm.people, deps: [erp.customers], group: crm}}
  totals:
    sql: select count(*) as n, sum(amount) as amount from orders
    object: main.totals
env: {SLING_LOADED_AT_COLUMN: true}
YAML
cat > defs/lake/defs.yaml <<'YAML'
type: dgc.Replication
attributes:
  connections: {SHOP: {type: sqlite, instance: src.db}}
  source: SHOP
  target: local
  streams:
    orders: {object: "out/orders/", mode: incremental, update_key: id}
    customers: {object: "out/{stream_table}.csv"}
---
type: dgc.Replication
attributes:
  name: back
  source: local
  target: warehouse
  streams:
    "out/orders/*.parquet": {object: lake.orders}
    out/customers.csv: {object: lake.customers}
YAML
export OUT_DB=$WORK/p/out.db SUFFIX=_s
expect "checks clean" "$DGC" check .
"$DGC" list defs . > list
grep -q 'crm/people .*sling .*erp/customers' list && echo "ok Dagster's meta gives key and deps" || { echo "FAIL list: $(cat list)"; failures=$((failures + 1)); }
grep -q 'target/main/totals .*shop' list && echo "ok translation gives the group" || { echo "FAIL list: $(cat list)"; failures=$((failures + 1)); }
expect "builds" "$DGC" build . -o p.bin
expect "runs" ./p.bin run --home home --select 'not group:default' --progress plain
is "incremental stream" "1|1.5,2|2.5," "$(sqlite3 out.db 'SELECT id, amount FROM orders_s ORDER BY 1' | tr '\n' ',')"
is "wildcard" "3" "$(sqlite3 out.db 'SELECT count(*) FROM order_lines_s')"
is "what the wildcard leaves out" "0" "$(sqlite3 out.db "SELECT count(*) FROM sqlite_master WHERE name LIKE 'order_secrets%'")"
is "select with a name" "1|Ada" "$(sqlite3 out.db 'SELECT id, name FROM people')"
is "custom SQL" "2|4" "$(sqlite3 out.db 'SELECT n, CAST(amount AS INT) FROM totals')"
is "loaded_at is set" "1" "$(sqlite3 out.db 'SELECT count(*) FROM people WHERE _sling_loaded_at IS NOT NULL')"
sqlite3 src.db "UPDATE orders SET amount = 9, at = '2024-03-01 00:00:00' WHERE id = 1; INSERT INTO orders VALUES (3, 3, '2024-03-02 00:00:00')"
expect "runs one stream" ./p.bin run --home home --select 'target/orders' --progress plain
is "it tells how far behind it is" 1 "$(grep -cE 'main.orders_s: at is at 2024-03-02 00:00:00, [0-9]+ ?[dh]\S*( [0-9]+ ?\S+)? behind' "$WORK/log")"
./p.bin run --home home --select 'group:shop' --progress plain > log 2>&1
is "continues where it was" "1|9,2|2.5,3|3," "$(sqlite3 out.db 'SELECT id, amount FROM orders_s ORDER BY 1' | tr '\n' ',')"
expect "a full refresh" ./p.bin run --home home --select 'group:shop' --full-refresh --progress plain
is "full refresh has the same rows" "3" "$(sqlite3 out.db 'SELECT count(*) FROM orders_s')"
expect "files as targets" ./p.bin run --home home --select 'target/out_orders_ or target/out_stream_table_/csv' --progress plain
is "a folder with one file" 1 "$(ls out/orders/*.parquet | wc -l)"
is "a CSV file" "id,Full_Name" "$(head -1 out/customers.csv)"
sqlite3 src.db "INSERT INTO orders VALUES (4, 4, '2024-04-01 00:00:00')"
expect "state of folders" ./p.bin state --home home
is "tells the cursor of their manifest" 1 "$(grep -c '__orders  {"update_key":"id","value":"3"}  (out/orders/)' "$WORK/log")"
expect "the folder grows" ./p.bin run --home home --select 'target/out_orders_' --progress plain
is "by one file" 2 "$(ls out/orders/*.parquet | wc -l)"
expect "files as sources, the warehouse as target" ./p.bin run --home home --select 'target/lake/orders or target/lake/customers' --progress plain
"$DGC" copy "duckdb://home/p.duckdb?table=lake.orders" "sqlite://w.db?table=o" --progress none > log 2>&1
is "all rows arrived" 4 "$(sqlite3 w.db 'SELECT count(*) FROM o')"
expect "plan" ./p.bin plan --home home --select 'target/orders or crm/people'
expect_text "updates known keys, inserts the rest main.orders_s by id, where at > 2024-03-02 00:00:00" "plan says how a stream goes on"
./p.bin state --home home > log 2>&1
grep -q 'replication__orders .*"value":"2024-03-02 00:00:00".*replication/orders to orders_s' log && ! grep -q replication__order_x log && echo "ok state shows the stream's cursor" || { echo "FAIL state: $(cat log)"; failures=$((failures + 1)); }
expect "state set" ./p.bin state set replication__orders '{"update_key":"at","value":"2024-03-01 12:00:00"}' --home home
./p.bin run --home home --select target/orders --progress plain > log 2>&1
grep -q "2 rows read" log && echo "ok the run begins at what was set" || { echo "FAIL after set: $(cat log)"; failures=$((failures + 1)); }
expect "state reset" ./p.bin state reset replication__orders --home home
./p.bin run --home home --select target/orders --progress plain > log 2>&1
grep -q "4 rows read, 0 inserted, 4 updated" log && echo "ok after a reset all is read and merged" || { echo "FAIL after reset: $(cat log)"; failures=$((failures + 1)); }

# ---- A wildcard of which some tables fail: the others are loaded, and what is resumed is what failed ----
mkdir -p "$WORK/w/defs/w" "$WORK/w/in" && cd "$WORK/w" || exit 1
sqlite3 src.db "CREATE TABLE a(id INT, v INT); CREATE TABLE b(id INT, v INT); CREATE TABLE c(id INT, v INT); CREATE TABLE d(id INT, v INT);
    INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 9); INSERT INTO c VALUES (1, 2); INSERT INTO d VALUES (1, 10)"
printf 'id,v\n1,1\n' > in/x.csv; printf 'id,v\n1,9\n' > in/y.csv; printf 'id,v\n1,2\n' > in/z.csv
for to in TO local; do
    echo "---"
    printf 'type: dgc.Replication\nattributes:\n  connections: {SRC: {type: sqlite, instance: src.db}, TO: {type: sqlite, instance: to.db}}\n  name: %s\n' all_$to
    printf '  source: SRC\n  target: %s\n  streams:\n    "*": {object: "%s{stream_table}%s", mode: full-refresh, columns: {v: "integer | value < 5"}, meta: {dagster: {asset_key: %s}}}\n' \
        $to "$([ $to = TO ] && echo main. || echo lake/)" "$([ $to = TO ] || echo /)" "${to,,}"
done | sed 1d > defs/w/defs.yaml
printf -- '---\ntype: dgc.Replication\nattributes:\n  connections: {TO: {type: sqlite, instance: to.db}}\n  name: files\n  source: local\n  target: TO\n  streams:\n    "in/*.csv": {object: "main.{stream_file_name}", mode: full-refresh, columns: {v: "integer | value < 5"}, meta: {dagster: {asset_key: files}}}\n' >> defs/w/defs.yaml
expect_code 65 "tables that fail" "$DGC" run . --home home --select to --progress plain
expect_text "2 of 4 tables failed (\`main.b\`, \`main.d\`); column \`v\`: \`9\` breaks the constraint" "with the list of them"
is "the others are there" "a c " "$(sqlite3 to.db "SELECT name FROM sqlite_master WHERE name NOT LIKE '%dgc%' ORDER BY 1" | tr '\n' ' ')"
sqlite3 src.db "UPDATE b SET v = 1; UPDATE a SET v = 3"
expect_code 65 "resumed" "$DGC" run . --resume --home home --progress plain
expect_text "1 of 4 tables failed (\`main.d\`)" "one fails still"
sqlite3 src.db "UPDATE d SET v = 1"
expect "resumed again" "$DGC" run . --resume --home home --progress plain
is "each was loaded once" "a b c d " "$(sqlite3 to.db 'SELECT table_name FROM _dgc_loads ORDER BY 1' | tr '\n' ' ')"
expect "another run" "$DGC" run . --home home --select to
is "loads all" "8 3" "$(sqlite3 -separator ' ' to.db 'SELECT (SELECT count(*) FROM _dgc_loads), v FROM a')"
sqlite3 src.db "UPDATE c SET v = 7"
expect_code 65 "folders of which one fails" "$DGC" run . --home home --select local --progress plain
is "the other folders are there" "3" "$(ls lake/*/*.parquet | wc -l)"
sqlite3 src.db "UPDATE c SET v = 4"
expect "the rest" "$DGC" run . --resume --home home --progress plain
expect_text '`main.d` was loaded before the failure' "only what failed"
expect_code 65 "files of which one fails" "$DGC" run . --home home --select files --progress plain
expect_text '1 of 3 files failed (`in/y.csv`)' "with its name"
is "the other files are there" "1 2 " "$(sqlite3 to.db 'SELECT v FROM x UNION SELECT v FROM z' | tr '\n' ' ')"

# ---- The loads of streams, and what one left that was not finished ----
expect "state packages" "$DGC" state packages --home home
is "lists the loads of each stream" "8 2" "$(grep -cE '^  all_TO__x  [0-9a-f]{32}  committed  1 rows  [abcd]  20' "$WORK/log") $(grep -cE '^  files__in_x_csv  [0-9a-f]{32}  committed  1 rows  [xz] ' "$WORK/log")"
dead=0123456789abcdef0123456789abcdef
sqlite3 to.db "INSERT INTO _dgc_loads(package, pipeline, run, stream, table_name, status, committed_at) SELECT '$dead', pipeline, 'r', stream, table_name, 'loading', committed_at FROM _dgc_loads WHERE stream = 'all_TO/main.a to a' LIMIT 1; CREATE TABLE a__dgc_${dead:0:16}(x INT)"
expect "of one step" "$DGC" state packages all_TO__x --home home
expect_text "$dead  loading" "an unfinished one is told of"
expect_code 2 "what is committed cannot be aborted" "$DGC" state abort "$(sqlite3 to.db "SELECT package FROM _dgc_loads WHERE status = 'committed' LIMIT 1")" --home home
expect "state abort" "$DGC" state abort $dead --home home
is "nothing is left of it" "0 0 1" "$(sqlite3 -separator ' ' to.db "SELECT (SELECT count(*) FROM _dgc_loads WHERE status = 'loading'), (SELECT count(*) FROM sqlite_master WHERE name LIKE 'a!_!_dgc%' ESCAPE '!'), (SELECT count(*) FROM a)")"
expect_code 2 "a step that is not there" "$DGC" state packages nope --home home
printf 'type: dgc.Replication\nattributes:\n  connections: {SRC: {type: sqlite, instance: src.db}}\n  name: lake\n  source: SRC\n  target: local\n  streams:\n    a: {object: lake/one/}\n' > defs/w/defs.yaml
expect "a folder" "$DGC" run . --home home2
expect "its load" "$DGC" state packages --home home2
is "is the one of its manifest" "$(sed -n 's/.*"package":"\([0-9a-f]*\)".*/\1/p' lake/one/_dgc_manifest.json)" "$(sed -n 's/^  lake__a  \([0-9a-f]*\)  committed .*/\1/p' "$WORK/log")"

# ---- A history under camelCase: the source's columns are renamed, those of the history are not ----
mkdir -p "$WORK/h/defs/h" && cd "$WORK/h" || exit 1
sqlite3 src.db "CREATE TABLE t(Item_Id INTEGER PRIMARY KEY, Full_Name TEXT, Changed_At TIMESTAMP); INSERT INTO t VALUES (1, 'a', '2024-01-01'), (2, 'b', '2024-01-02')"
printf 'type: dgc.Replication\nattributes:\n  connections: {SRC: {type: sqlite, instance: src.db}, TO: {type: sqlite, instance: to.db}}\n  source: SRC\n  target: TO\n  streams:\n    t: {object: main.t, mode: incremental, primary_key: Item_Id, update_key: Changed_At, target_options: {merge_strategy: history_insert, column_casing: camel}}\n' > defs/h/defs.yaml
expect "a history" "$DGC" run . --home home
sqlite3 src.db "UPDATE t SET Full_Name = 'z', Changed_At = '2024-02-01' WHERE Item_Id = 1"
expect "goes on" "$DGC" run . --home home
is "its own names stay" "itemId fullName changedAt _dlt_valid_from _dlt_valid_to " "$(sqlite3 to.db "SELECT name FROM pragma_table_info('t')" | tr '\n' ' ')"
is "versions end" "1|a|0,1|z|1,2|b|1," "$(sqlite3 to.db 'SELECT itemId, fullName, _dlt_valid_to IS NULL FROM t ORDER BY 1, 2' | tr '\n' ',')"

# What Sling adds and how it names: columns of files chosen and renamed, when rows were loaded.
mkdir -p "$WORK/f/defs/f" && cd "$WORK/f" || exit 1
printf 'Id,Full Name,secret,n\n1,Ada,x,2\n2,Bob,y,3\n' > in.csv && cp in.csv rest.csv
cat > defs/f/defs.yaml <<'YAML'
type: dgc.Replication
attributes:
  connections: {OUT: {type: sqlite, instance: f.db}}
  source: local
  target: OUT
  streams:
    in.csv: {object: main.chosen, select: [Full Name as name, "I*", "-n"]}
    rest.csv: {object: main.rest, select: [-secret], mode: snapshot, target_options: {column_casing: snake}}
---
type: dgc.Replication
attributes:
  name: stamped
  connections: {SHOP: {type: sqlite, instance: f.db}}
  source: SHOP
  target: local
  env: {SLING_LOADED_AT_COLUMN: false, LEAST: 1}
  streams:
    main.chosen: {object: out.csv, select: [name, Id], where: "Id > {LEAST}", target_options: {column_casing: upper}}
YAML
expect "files, chosen" "$DGC" run . --home home --progress plain --select 'not target/out/csv'
is "chosen columns, in that order, and the moment" "name,Id,_sling_loaded_at" "$(sqlite3 f.db "SELECT group_concat(name) FROM pragma_table_info('chosen')")"
is "the moment is in seconds" "1|1" "$(sqlite3 f.db "SELECT count(*), min(abs(_sling_loaded_at - strftime('%s', 'now')) < 600) FROM chosen WHERE name = 'Ada'")"
is "all but one, in snake case" "id,full_name,n,_sling_loaded_at" "$(sqlite3 f.db "SELECT group_concat(name) FROM pragma_table_info('rest')")"
expect "snapshot again" "$DGC" run . --home home --progress plain --select 'target/main/rest'
is "a snapshot keeps both" 4 "$(sqlite3 f.db 'SELECT count(*) FROM rest')"
expect "into a file" "$DGC" run . --home home --progress plain --select 'target/out/csv'
is "names of a file by column_casing, a number of env as variable" "NAME,ID;Bob,2;" "$(tr '\n' ';' < out.csv)"
sed -i 's/\[-secret\]/[secrets]/' defs/f/defs.yaml
"$DGC" run . --home home --progress plain --select 'target/main/rest' > log 2>&1 && echo "FAIL a column that is not there" && failures=$((failures + 1))
grep -q 'has no column `secrets`' log && echo "ok a column that is not there is told" || { echo "FAIL $(cat log)"; failures=$((failures + 1)); }
"$DGC" copy in.csv "sqlite://f.db?table=plain" --progress none > log 2>&1
is "dgc copy adds nothing" "Id,Full Name,secret,n" "$(sqlite3 f.db "SELECT group_concat(name) FROM pragma_table_info('plain')")"

# Files that grow: the rows beyond the last value, whatever lay before.
mkdir -p "$WORK/g/defs/g" && cd "$WORK/g" || exit 1
cat > defs/g/defs.yaml <<'YAML'
type: dgc.Replication
attributes:
  connections: {OUT: {type: sqlite, instance: g.db}}
  source: local
  target: OUT
  streams:
    in.csv: {object: main.t, mode: incremental, update_key: at}
YAML
printf 'id,at\n1,2024-01-01 10:00:00\n2,\n3,2024-01-03 10:00:00\n' > in.csv
expect "a file, first" "$DGC" run . --home home --progress plain
printf 'id,at\n1,2024-01-01 10:00:00\n2,\n3,2024-01-03 10:00:00\n4,2024-01-02 10:00:00\n5,2024-01-04 10:00:00\n' > in.csv
expect "the file that grew" "$DGC" run . --home home --progress plain
is "only rows beyond the last value" "1,2,3,5" "$(sqlite3 g.db 'SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY id)')"
expect "nothing new" "$DGC" run . --home home --progress plain
is "stays as it is" 4 "$(sqlite3 g.db 'SELECT count(*) FROM t')"
finish
