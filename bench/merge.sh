#!/usr/bin/env bash
# 1 % merged into BENCH_ROWS (1000000): the load engine (lease, staging, merge, cursor, package) against the
# statement that a person would write for the engine, around the same way of getting rows into staging.
. "$(dirname "$0")/lib.sh"
. "$ROOT/tests/servers/postgres.sh"
. "$ROOT/tests/servers/mariadb.sh"
rows=${BENCH_ROWS:-1000000}
trap 'postgres_stop; mariadb_stop; rm -rf "$WORK"' EXIT
export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
(cd "$ROOT" && gcc -std=gnu11 -D_GNU_SOURCE -O2 -I. -isystem "$TP/include" -o "$WORK/merge" bench/merge_main.c tests/support/engine_test.c \
    -L"$BUILD/lib" -Wl,--start-group $(sed "s|^lib.*\.a$|$BUILD/lib/&|" "$BUILD/lib/LINK") -Wl,--end-group -lcmocka) || exit 1
# Each works on a table of its own making; of three turns the best counts, as the machine may be busy in one.
against() { # NAME URL
    local ours=() theirs=() turn best_ours best_theirs
    for turn in 1 2 3; do
        theirs+=("$("$WORK/merge" "$2" theirs 5 "$rows")") && ours+=("$("$WORK/merge" "$2" ours 5 "$rows")") || { echo "FAIL merge, $1"; return; }
    done
    best_ours=$(printf '%s\n' "${ours[@]}" | sort -n | head -1) best_theirs=$(printf '%s\n' "${theirs[@]}" | sort -n | head -1)
    figure "$((rows / 100)) rows merged into $rows, $1 ($best_ours ms)" "$(ratio "$best_ours" "$best_theirs")" x 1.5
}
against DuckDB "duckdb://$WORK/m.duckdb"
against SQLite "sqlite://$WORK/m.db"
postgres_start "$WORK/pg" && createdb shop && against PostgreSQL "postgres://postgres@127.0.0.1:$PGPORT/shop"
mariadb_start "$WORK/my" && against MariaDB "$MARIADB_URL"
