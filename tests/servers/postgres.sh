# postgres.sh: a PostgreSQL of Debian's package, on 127.0.0.1, for one test. Sourced, not run.
#
#   postgres_start FOLDER    starts it with its data in FOLDER; sets PGHOST, PGPORT, PGUSER for psql
#   postgres_stop            stops it; safe to call twice
# Set-up on a machine without the package installs it (as root).

postgres_bin=/usr/lib/postgresql/15/bin

postgres_install() {
    [ -x $postgres_bin/postgres ] && return 0
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends postgresql-15 \
        > /dev/null 2>&1 < /dev/null && return 0
    apt-get -q update > /dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends postgresql-15 \
        > /dev/null 2>&1 < /dev/null || { echo "FAIL postgresql-15 could not be installed"; return 1; }
}

# The server refuses to run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then (cd / && su postgres -s /bin/sh -c "$*"); else sh -c "$*"; fi
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

postgres_start() {
    postgres_install || return 1
    postgres_data=$1/data
    mkdir -p "$1" && chmod 755 "$1" "$(dirname "$1")"
    [ "$(id -u)" != 0 ] || chown postgres "$1"
    local above=$1 # scratch folders are closed to other users; the server is one
    while [ "$above" != / ] && [ "$(id -u)" = 0 ]; do
        above=$(dirname "$above")
        as_postgres "test -x $above" || chmod o+x "$above"
    done
    PGPORT=$(free_port) PGHOST=127.0.0.1 PGUSER=postgres
    export PGPORT PGHOST PGUSER
    as_postgres "$postgres_bin/initdb -D $postgres_data -A trust -U postgres -E UTF8 --no-sync" > "$1/initdb.log" 2>&1 || { cat "$1/initdb.log"; return 1; }
    as_postgres "$postgres_bin/pg_ctl -w -D $postgres_data -l $1/log -o '-p $PGPORT -k $1 -c listen_addresses=127.0.0.1 -c fsync=off' start" \
        > /dev/null 2>&1 || { cat "$1/log"; return 1; }
}

postgres_stop() {
    [ -z "${postgres_data:-}" ] || as_postgres "$postgres_bin/pg_ctl -m immediate -D $postgres_data stop" > /dev/null 2>&1
    postgres_data=
}
