#!/usr/bin/env bash
# The MySQL engine against a MySQL 8 (tests/components/mysql.sh has MariaDB): the engine's cases, and a replication each way.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../servers/mysql8.sh"
trap 'mysql8_stop; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM
mysql8_start "$WORK" || { echo "SKIPPED MySQL 8: NO SERVER COULD BE HAD HERE"; exit 0; }
(cd "$ROOT" && make -s BUILD="$BUILD" "$BUILD/test/test_engine_mysql") > "$WORK/log" 2>&1 || { echo "FAIL the engine's test is not built: $(tail -3 "$WORK/log")"; exit 1; }
DGC_TEST_MYSQL=$MYSQL8_URL timeout 120 "$BUILD/test/test_engine_mysql" > "$WORK/log" 2>&1
status=$?
sed -n 's/^\[       OK \] \(.*\)/ok MySQL 8: \1/p' "$WORK/log"
if [ $status -ne 0 ]; then
    echo "FAIL MySQL 8: exit $status: $(grep -v '^\[ ' "$WORK/log" | head -n 5 | tr '\n' ' ')"
    failures=$((failures + 1))
fi

is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok MySQL 8: $1"; else
        echo "FAIL MySQL 8: $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
cd "$WORK" || exit 1
rows() { mysql8_sql "$1" | tr '\t\n' '| '; }
sqlite3 src.db "CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(10,2), at TIMESTAMP);
    INSERT INTO items VALUES (1, 'é', 1.50, '2024-01-01 00:00:00.123456'), (2, NULL, -2.25, '2024-01-02 00:00:00')"
merge() { "$DGC" copy "sqlite://$WORK/src.db?table=items" "$MYSQL8_URL?table=shop.items" --primary-key id --update-key at --progress plain; }
expect "MySQL 8: into it" merge
sqlite3 src.db "UPDATE items SET price = 9, at = '2024-02-01 00:00:00' WHERE id = 1; INSERT INTO items VALUES (3, 'c', 3, '2024-02-02 00:00:00')"
expect "MySQL 8: into it again" merge
is "only what changed was read" 1 "$(grep -c '2 rows read, 1 inserted, 1 updated' log)"
is "its rows are merged" "1|é|9.00|2024-02-01 00:00:00.000000 2|NULL|-2.25|2024-01-02 00:00:00.000000 3|c|3.00|2024-02-02 00:00:00.000000 " "$(rows 'SELECT * FROM shop.items ORDER BY id')"
expect "MySQL 8: full refresh over it" "$DGC" copy "sqlite://$WORK/src.db?table=items" "$MYSQL8_URL?table=shop.items" --mode full-refresh
is "the table was changed for another" "3" "$(rows 'SELECT count(*) FROM shop.items' | tr -d ' ')"
expect "MySQL 8: out of it" "$DGC" copy "$MYSQL8_URL?table=shop.items" "duckdb://$WORK/out.duckdb?table=main.items"
"$DGC" copy "duckdb://$WORK/out.duckdb?table=main.items" out.csv > /dev/null 2>&1
is "as it was" 'id,name,price,at 1,é,9.00,2024-02-01 00:00:00 2,,-2.25,2024-01-02 00:00:00 3,c,3.00,2024-02-02 00:00:00 ' "$(tr '\n' ' ' < out.csv)"
expect "MySQL 8: TLS" "$DGC" copy "$MYSQL8_URL?table=shop.items&tls=required" "sqlite://$WORK/tls.db?table=items"
finish
