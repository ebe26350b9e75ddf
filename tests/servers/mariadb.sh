# mariadb.sh: a MariaDB of Debian's package, on 127.0.0.1, for one test. Sourced, not run.
#
#   mariadb_start FOLDER    starts it with its data in FOLDER; sets MARIADB_PORT and MARIADB_URL (user `me`,
#                           with all rights, database `shop`)
#   mariadb_sql STATEMENTS  as root, by its socket
#   mariadb_stop            stops it; safe to call twice
# Set-up on a machine without the package installs it (as root).

PATH=$PATH:/usr/sbin
mariadb_pid=

mariadb_install() {
    mariadb_packages="mariadb-server mariadb-client libmariadb3"
    command -v mariadbd > /dev/null && ls /usr/lib/*/libmariadb.so.3 > /dev/null 2>&1 && return 0
    # shellcheck disable=SC2086  # three words
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $mariadb_packages \
        > /dev/null 2>&1 < /dev/null && return 0
    apt-get -q update > /dev/null 2>&1
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $mariadb_packages \
        > /dev/null 2>&1 < /dev/null || { echo "FAIL $mariadb_packages could not be installed"; return 1; }
}

mariadb_sql() {
    mariadb --no-defaults --socket="$mariadb_folder/socket" -u root -N -e "$1"
}

# The server refuses to run as root.
mariadb_start() {
    mariadb_install || return 1
    mariadb_folder=$1/mariadb
    mariadb_user=$(id -un)
    mkdir -p "$mariadb_folder" && chmod 755 "$1" "$(dirname "$1")"
    if [ "$mariadb_user" = root ]; then
        mariadb_user=nobody
        chown "$mariadb_user" "$mariadb_folder"
    fi
    mariadb-install-db --no-defaults --user="$mariadb_user" --datadir="$mariadb_folder/data" --skip-test-db \
        --auth-root-authentication-method=normal > "$1/mariadb-install.log" 2>&1 || {
        echo "FAIL mariadb-install-db"
        tail -n 5 "$1/mariadb-install.log"
        return 1
    }
    MARIADB_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mariadbd --no-defaults --user="$mariadb_user" --datadir="$mariadb_folder/data" --tmpdir="$mariadb_folder" --socket="$mariadb_folder/socket" \
        --port="$MARIADB_PORT" --bind-address=127.0.0.1 --pid-file="$mariadb_folder/pid" --skip-log-bin \
        --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=2 --max-allowed-packet=16M > "$1/mariadb.log" 2>&1 &
    mariadb_pid=$!
    mariadb_waited=0
    until mariadb_sql 'SELECT 1' > /dev/null 2>&1; do
        mariadb_waited=$((mariadb_waited + 1))
        if [ $mariadb_waited -gt 600 ] || ! kill -0 "$mariadb_pid" 2> /dev/null; then
            echo "FAIL the MariaDB server does not start"
            tail -n 5 "$1/mariadb.log"
            mariadb_stop
            return 1
        fi
        sleep 0.1
    done
    mariadb_sql "CREATE DATABASE shop; CREATE USER me@'127.0.0.1' IDENTIFIED BY 'p@ss:word'; GRANT ALL ON *.* TO me@'127.0.0.1'"
    MARIADB_URL="mysql://me:p%40ss%3Aword@127.0.0.1:$MARIADB_PORT/shop"
}

mariadb_stop() {
    if [ -n "$mariadb_pid" ]; then
        kill "$mariadb_pid" 2> /dev/null
        wait "$mariadb_pid" 2> /dev/null
    fi
    mariadb_pid=
}
