#!/bin/sh
# The MySQL engine against a real MariaDB, which this test starts: round trips, classes of errors,
# interrupts, killed connections, splits. The cases are tests/unit/test_engine_mysql.c, plain and
# sanitized.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../servers/mariadb.sh"
trap 'mariadb_stop; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM
mariadb_start "$WORK/server" || exit 1
DGC_TEST_MYSQL=$MARIADB_URL
export DGC_TEST_MYSQL

# run WHAT BINARY: its cases as lines.
run() {
    if [ ! -x "$2" ]; then
        echo "FAIL mysql, $1: $2 was not built"
        failures=$((failures + 1))
        return
    fi
    "$2" > "$WORK/log" 2>&1
    status=$?
    sed -n "s/^\[       OK \] \(.*\)/ok mysql, $1: \1/p" "$WORK/log"
    [ "$status" -ne 0 ] || return
    failures=$((failures + 1))
    sed -n "s/^\[  FAILED  \] \([a-z_]*\)$/FAIL mysql, $1: \1/p" "$WORK/log" | sort -u
    grep -q '^\[  FAILED' "$WORK/log" || echo "FAIL mysql, $1: exit $status"
    grep -v '^\[ ' "$WORK/log" | head -n 40 | sed 's/^/    /'
}
run plain "$BUILD/test/test_engine_mysql"
run sanitized "$BUILD/asan/test/test_engine_mysql"
mariadb_sql 'SET GLOBAL local_infile = 0'
run "without local files" "$BUILD/test/test_engine_mysql"
finish
