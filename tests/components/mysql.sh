#!/bin/sh
# The MySQL engine against a real MariaDB, which this test starts: round trips, classes of errors,
# interrupts, killed connections, splits. The cases are tests/unit/test_engine_mysql.c, plain and
# sanitized.
set -u
. "$(dirname "$0")/../e2e/lib.sh"

PATH=$PATH:/usr/sbin
if ! command -v mariadbd > /dev/null || ! ls /usr/lib/*/libmariadb.so.3 > /dev/null 2>&1; then
    if [ "$(id -u)" -eq 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mariadb-server libmariadb3 > "$WORK/log" 2>&1
    fi
fi
if ! command -v mariadbd > /dev/null; then
    echo "FAIL mysql: there is no mariadbd; install the Debian package mariadb-server"
    exit 1
fi

# A server of its own: folder, socket, port; never as root.
as=$(id -un)
if [ "$as" = root ]; then as=nobody; fi
chmod 755 "$WORK"
mkdir "$WORK/server"
chown "$as" "$WORK/server"
mariadb-install-db --no-defaults --user="$as" --datadir="$WORK/server/data" --auth-root-authentication-method=normal \
    --skip-test-db > "$WORK/install.log" 2>&1 || { echo "FAIL mysql: mariadb-install-db"; tail -5 "$WORK/install.log"; exit 1; }
server=
stop() {
    if [ -n "$server" ]; then kill "$server" 2> /dev/null; wait "$server" 2> /dev/null; fi
    rm -rf "$WORK"
}
trap stop EXIT
trap 'exit 130' INT TERM
sql() { mariadb --no-defaults --socket="$WORK/server/socket" -u root -N -e "$1"; }
for try in 1 2 3 4 5; do # until a port is free
    port=$((20000 + ($$ * 7 + try * 1009) % 20000))
    mariadbd --no-defaults --user="$as" --datadir="$WORK/server/data" --socket="$WORK/server/socket" --port="$port" \
        --bind-address=127.0.0.1 --pid-file="$WORK/server/pid" --skip-log-bin --innodb-buffer-pool-size=64M \
        --innodb-flush-log-at-trx-commit=2 --max-allowed-packet=16M > "$WORK/server.log" 2>&1 &
    server=$!
    waited=0
    until sql 'SELECT 1' > /dev/null 2>&1; do
        waited=$((waited + 1))
        if [ $waited -gt 300 ] || ! kill -0 "$server" 2> /dev/null; then break; fi
        sleep 0.1
    done
    if sql 'SELECT 1' > /dev/null 2>&1; then break; fi
    kill "$server" 2> /dev/null
    wait "$server" 2> /dev/null
    server=
done
if [ -z "$server" ]; then
    echo "FAIL mysql: the server does not start"
    tail -5 "$WORK/server.log"
    exit 1
fi
sql "CREATE DATABASE shop; CREATE USER me@'127.0.0.1' IDENTIFIED BY 'p@ss:word'; GRANT ALL ON *.* TO me@'127.0.0.1'"
DGC_TEST_MYSQL="mysql://me:p%40ss%3Aword@127.0.0.1:$port/shop"
export DGC_TEST_MYSQL

for binary in "$BUILD/test/test_engine_mysql" "$BUILD/asan/test/test_engine_mysql"; do
    kind=plain
    case $binary in */asan/*) kind=sanitized ;; esac
    if [ ! -x "$binary" ]; then
        echo "FAIL mysql, $kind: $binary was not built"
        failures=$((failures + 1))
        continue
    fi
    "$binary" > "$WORK/log" 2>&1
    status=$?
    sed -n "s/^\[       OK \] \(.*\)/ok mysql, $kind: \1/p" "$WORK/log"
    if [ "$status" -ne 0 ]; then
        failures=$((failures + 1))
        sed -n "s/^\[  FAILED  \] \([a-z_]*\)$/FAIL mysql, $kind: \1/p" "$WORK/log" | sort -u
        grep -v '^\[' "$WORK/log" | head -40 | sed 's/^/    /'
        grep -q FAILED "$WORK/log" || echo "FAIL mysql, $kind: exit $status"
    fi
done
sql 'SET GLOBAL local_infile = 0'
expect "rows come in without local files too" "$BUILD/test/test_engine_mysql"
finish
