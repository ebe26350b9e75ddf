#!/usr/bin/env bash
# dgc copy between SQLite, DuckDB and PostgreSQL: each pair, each mode, and what is said when it cannot be.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../servers/postgres.sh"
cd "$WORK" || exit 1
work=$WORK
trap 'postgres_stop; rm -rf "$work"' EXIT
postgres_start "$WORK/pg" || { echo "FAIL PostgreSQL does not start"; exit 1; }
createdb shop

is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
copy() { "$DGC" copy "$@" --progress plain 2> copy.err; }
# Rows of a table of any engine, sorted, each ended by a bar.
rows() { # URL TABLE
    rm -f rows.db
    "$DGC" copy "$1?table=$2" "sqlite://$WORK/rows.db?table=r" --progress none > rows.err 2>&1 || cat rows.err
    sqlite3 -separator , rows.db 'SELECT * FROM r' | sort | tr '\n' '|'
}
source_sql() { sqlite3 "$WORK/src.db" "$1"; }
source=sqlite://$WORK/src.db
pg=postgres://postgres@127.0.0.1:$PGPORT/shop

for target in "sqlite://$WORK/t.db main" "duckdb://$WORK/t.duckdb main" "$pg public"; do
    set -- $target
    url=$1 schema=$2 name=${1%%:*}
    rm -f src.db
    source_sql "CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(10,2), at TIMESTAMP);
        INSERT INTO items VALUES (1, 'a', 1.50, '2024-01-01 00:00:00'), (2, 'b', 2.25, '2024-01-02 00:00:00'), (3, NULL, NULL, '2024-01-03 00:00:00')"
    merge="$source?table=items $url?table=$schema.merged --primary-key id --update-key at"
    expect "$name: a first incremental load" copy $merge
    before=$(rows $url $schema.merged)
    is "$name: all rows are there" 3 "$(tr -cd '|' <<< "$before" | wc -c)"
    expect "$name: a second one" copy $merge
    is "$name: nothing changed" "$before" "$(rows $url $schema.merged)"
    source_sql "UPDATE items SET price = 9, at = '2024-02-01 00:00:00' WHERE id = 1; INSERT INTO items VALUES (4, 'd', 4, '2024-02-02 00:00:00')"
    expect "$name: a third one" copy $merge
    grep -q "2 rows read, 1 inserted, 1 updated" copy.err && echo "ok $name: only what changed was read" || { echo "FAIL $name: $(cat copy.err)"; failures=$((failures + 1)); }
    after=$(rows $url $schema.merged)
    expect "$name: the same rows by a full refresh" copy "$source?table=items" "$url?table=$schema.full"
    is "$name: merged equals full" "$(rows $url $schema.full)" "$after"
    source_sql "ALTER TABLE items ADD COLUMN extra TEXT; UPDATE items SET extra = 'x', at = '2024-03-01 00:00:00' WHERE id = 2"
    expect "$name: a new column" copy $merge
    grep -q 'column `extra` is new' copy.err && echo "ok $name: the drift is told" || { echo "FAIL $name: no drift told"; failures=$((failures + 1)); }
    expect "$name: full refresh over it" copy "$source?table=items" "$url?table=$schema.full"
    expect "$name: truncate" copy "$source?table=items" "$url?table=$schema.full" --mode truncate
    is "$name: truncate has the rows once" 4 "$(rows $url $schema.full | tr -cd '|' | wc -c)"
    copy "$source?table=items" "$url?table=$schema.snap" --mode snapshot
    copy "$source?table=items" "$url?table=$schema.snap" --mode snapshot
    is "$name: snapshots add up" 8 "$(rows $url $schema.snap | tr -cd '|' | wc -c)"
    expect "$name: appending by update key alone" copy "$source?table=items" "$url?table=$schema.app" --update-key id
    source_sql "INSERT INTO items(id, name) VALUES (5, 'e')"
    copy "$source?table=items" "$url?table=$schema.app" --update-key id
    is "$name: one row more" 5 "$(rows $url $schema.app | tr -cd '|' | wc -c)"
    expect "$name: a query" copy "$source" "$url?table=$schema.q" --sql "SELECT count(*) AS n FROM items"
    is "$name: its answer" "5|" "$(rows $url $schema.q)"
    expect "$name: columns, types, limit" copy "$source?table=items" "$url?table=$schema.few" --select "id, name AS title" --columns "id:string" --limit 2
    is "$name: two rows" 2 "$(rows $url $schema.few | tr -cd '|' | wc -c)"
    expect "$name: and back again" copy "$url?table=$schema.full" "sqlite://$WORK/back.db?table=items"
    is "$name: as they were" "$(rows $url $schema.full)" "$(rows sqlite://$WORK/back.db items)"
    rm -f back.db
    source_sql "INSERT INTO items(id, name, at) VALUES (6, 'f', '2025-01-01 00:00:00')"
    "$DGC" copy "$source?table=nothing" "$url?table=$schema.x" > out 2>&1
    is "$name: a table that is not there has exit code 78" 78 $?
done
"$DGC" copy "postgres://postgres@127.0.0.1:1/none?table=t" x.csv > out 2>&1; code=$?
is "a server that is not there has exit code 69" 69 $code
"$DGC" copy "postgres://postgres@127.0.0.1:$PGPORT/none?table=t" x.csv > out 2>&1
is "a database that is not there has exit code 78" 78 $?
expect "conns test" "$DGC" conns test "$pg"
"$DGC" conns discover "$pg" --table merged --columns > out
grep -q 'price .*numeric(10,2)' out && echo "ok conns discover shows columns" || { echo "FAIL conns discover: $(cat out)"; failures=$((failures + 1)); }
MY_PG=$pg "$DGC" conns list > out
grep -q '^MY_PG' out && echo "ok conns list knows the environment" || { echo "FAIL conns list: $(cat out)"; failures=$((failures + 1)); }
# A source is read, not made.
for kind in sqlite duckdb; do
    copy "$kind://$WORK/nowhere.db?table=a" "$WORK/nowhere.csv"
    is "$kind: a source that is not there" 78 $?
    grep -q "there is no file .*nowhere.db" copy.err && [ ! -e nowhere.db ] && echo "ok $kind: it is named, and not made" ||
        { echo "FAIL $kind: $(tail -n 2 copy.err)"; failures=$((failures + 1)); }
    "$DGC" conns test "$kind://$WORK/nowhere.db" > copy.err 2>&1
    is "$kind: a connection to what is not there" 78 $?
done

finish
