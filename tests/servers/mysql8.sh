# mysql8.sh: a MySQL 8 on 127.0.0.1, for one test. Sourced, not run.
#
#   mysql8_start FOLDER    starts it with its data in FOLDER; sets MYSQL8_URL (user `me` with MySQL 8's own way of asking for the
#                          password, all rights, database `shop`)
#   mysql8_sql STATEMENTS  as root, by its socket
#   mysql8_stop            stops it; safe to call twice

mysql8_pid=

mysql8_sql() {
    LD_LIBRARY_PATH=$mysql8_home/lib/private "$mysql8_home/bin/mysql" --no-defaults --socket="$mysql8_folder/socket" -u root -N -e "$1"
}

mysql8_server() {
    LD_LIBRARY_PATH=$mysql8_home/lib/private exec "$mysql8_home/bin/mysqld" --no-defaults --user="$(id -un)" --basedir="$mysql8_home" \
        --datadir="$mysql8_folder/data" "$@"
}

mysql8_start() {
    mysql8_home=$("${ROOT:?}/scripts/conformance_mysql8.sh") || return 1
    mysql8_folder=$1/mysql8
    mkdir -p "$mysql8_folder"
    mysql8_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    (mysql8_server --initialize-insecure > "$1/mysql8-install.log" 2>&1) || {
        echo "FAIL MySQL 8 cannot be set up"
        tail -n 5 "$1/mysql8-install.log"
        return 1
    }
    mysql8_server --tmpdir="$mysql8_folder" --socket="$mysql8_folder/socket" --port="$mysql8_port" --bind-address=127.0.0.1 \
        --pid-file="$mysql8_folder/pid" --skip-log-bin --mysqlx=0 --local-infile=1 --innodb-buffer-pool-size=64M \
        --innodb-flush-log-at-trx-commit=2 --max-allowed-packet=16M > "$1/mysql8.log" 2>&1 &
    mysql8_pid=$!
    mysql8_waited=0
    until mysql8_sql 'SELECT 1' > /dev/null 2>&1; do
        mysql8_waited=$((mysql8_waited + 1))
        if [ $mysql8_waited -gt 600 ] || ! kill -0 "$mysql8_pid" 2> /dev/null; then
            echo "FAIL MySQL 8 does not start"
            tail -n 5 "$1/mysql8.log"
            mysql8_stop
            return 1
        fi
        sleep 0.1
    done
    mysql8_sql "CREATE DATABASE shop; CREATE USER me@'127.0.0.1' IDENTIFIED BY 'p@ss:word'; GRANT ALL ON *.* TO me@'127.0.0.1'"
    MYSQL8_URL="mysql://me:p%40ss%3Aword@127.0.0.1:$mysql8_port/shop"
}

mysql8_stop() {
    if [ -n "$mysql8_pid" ]; then
        kill "$mysql8_pid" 2> /dev/null
        wait "$mysql8_pid" 2> /dev/null
    fi
    mysql8_pid=
}
