#!/usr/bin/env bash
# 1 % merged into a million rows: the load engine (lease, staging, merge, cursor, package) against the
# statement that a person would write for the engine, around the same way of getting rows into staging.
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/servers/postgres.sh"
. "$ROOT/tests/servers/mariadb.sh"
trap 'postgres_stop; mariadb_stop; rm -rf "$WORK"' EXIT
export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
(cd "$ROOT" && gcc -std=gnu11 -D_GNU_SOURCE -O2 -I. -isystem "$TP/include" -o "$WORK/merge" bench/merge_main.c tests/support/engine_test.c \
    -L"$BUILD/lib" -Wl,--start-group $(sed "s|^lib.*\.a$|$BUILD/lib/&|" "$BUILD/lib/LINK") -Wl,--end-group -lcmocka) || exit 1
against() { # NAME URL
    local ours theirs
    theirs=$("$WORK/merge" "$2" theirs 9) && ours=$("$WORK/merge" "$2" ours 9) || { echo "FAIL merge, $1"; return; }
    figure "10 000 rows merged into 1 000 000, $1 ($ours ms)" "$(ratio "$ours" "$theirs")" x 1.5
}
against DuckDB "duckdb://$WORK/m.duckdb"
against SQLite "sqlite://$WORK/m.db"
postgres_start "$WORK/pg" && createdb shop && against PostgreSQL "postgres://postgres@127.0.0.1:$PGPORT/shop"
mariadb_start "$WORK/my" && against MariaDB "$MARIADB_URL"
