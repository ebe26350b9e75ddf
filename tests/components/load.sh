#!/usr/bin/env bash
# The load engine against PostgreSQL and MariaDB, which this test starts. The cases are those of
# tests/unit/test_load*.c, which run on SQLite and DuckDB by themselves; plain and sanitized.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../servers/postgres.sh"
. "$(dirname "$0")/../servers/mariadb.sh"
work=$WORK
trap 'postgres_stop; mariadb_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# run SERVER VARIANT URL BINARY: its cases as lines.
run() {
    [ -x "$4" ] || { echo "FAIL load, $1, $2: $4 was not built"; failures=$((failures + 1)); return; }
    DGC_TEST_LOAD=$3 "$4" > "$work/log" 2>&1
    local status=$?
    sed -n "s/^\[       OK \] \(.*\)/ok load, $1, $2: \1/p" "$work/log"
    [ $status -eq 0 ] && return
    failures=$((failures + 1))
    sed -n "s/^\[  FAILED  \] \([a-z_0-9]*\)$/FAIL load, $1, $2: \1/p" "$work/log" | sort -u
    grep -q '^\[  FAILED' "$work/log" || echo "FAIL load, $1, $2: exit $status"
    grep -v '^\[ ' "$work/log" | head -n 40 | sed 's/^/    /'
}

if postgres_start "$work/pg"; then
    createdb shop
    for name in test_load test_load_contracts test_load_state test_load_nested; do
        run PostgreSQL plain "postgres://postgres@127.0.0.1:$PGPORT/shop" "$BUILD/test/$name"
        run PostgreSQL sanitized "postgres://postgres@127.0.0.1:$PGPORT/shop" "$BUILD/asan/test/$name"
    done
else
    echo "FAIL load: PostgreSQL does not start"
    failures=$((failures + 1))
fi
if mariadb_start "$work/my"; then
    for name in test_load test_load_contracts test_load_state test_load_nested; do
        run MariaDB plain "$MARIADB_URL" "$BUILD/test/$name"
        run MariaDB sanitized "$MARIADB_URL" "$BUILD/asan/test/$name"
    done
else
    failures=$((failures + 1))
fi
finish
