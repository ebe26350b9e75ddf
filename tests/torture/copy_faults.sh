#!/usr/bin/env bash
# copy_faults.sh: replications whose disk is full, and whose connections are reset, while they write the target and while
# they read the source. They say what is wrong, end with a documented exit code, and leave the target as it was or as it
# should be; once more, without the fault, it is as it should be. COPY_TARGETS names targets.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for server in postgres mariadb s3; do . "$here/../servers/$server.sh"; done
. "$here/copy_lib.sh"
children=() mounted=
finish() {
    [ ${#children[@]} = 0 ] || kill "${children[@]}" 2> /dev/null
    stop_servers
    [ -z "$mounted" ] || umount -l "$mounted"
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

# A disk of its own, which can be filled: where servers and files have theirs.
small=$scratch/small
mkdir "$small"
if mount -t tmpfs -o size=400m,mode=755 tmpfs "$small" 2> /dev/null; then mounted=$small
else echo "SKIPPED full disks: NOTHING CAN BE MOUNTED HERE (root can)"; fi
# The server of S3 has its objects there.
ln -s "$small" "$scratch/s3"

start_servers ${COPY_TARGETS:-sqlite duckdb parquet postgres s3 mysql}
make_pipeline $TARGETS
export COPY_TO=$small/to
home=$scratch/home
documented='^(0|1|65|69|71|73|74|75|77|78)$'

prepare_target() { # `grown`, and in $expected what one more run leaves
    rm -rf "$COPY_TO"; mkdir "$COPY_TO"
    case $target in
    postgres)
        psql -q -X -d template1 -c "DROP DATABASE IF EXISTS $COPY_DB" -c "DROP DATABASE IF EXISTS grown_$target" 2> /dev/null
        psql -q -X -d template1 -c "CREATE DATABASE $COPY_DB" ;;
    mysql) mariadb_sql "CREATE OR REPLACE DATABASE $COPY_DB" ;;
    esac
    rm -rf "$home"
    run_copy $target $mode "$before" "$home" || { cat "$home.err"; echo "FAIL $target $mode: the first run"; exit 1; }
    keep_target $target grown_$target
    unchanged=$(contents $target $mode)
    run_copy $target $mode "$after" "$home" || { cat "$home.err"; echo "FAIL $target $mode: the second run"; exit 1; }
    expected=$(contents $target $mode)
}

# What a run under a fault did: said so, and left one of two states.
judge() { # CODE
    local now
    [[ $1 =~ $documented ]] || echo "exit $1: $(tail -n 1 "$home.err") "
    [ "$1" = 0 ] || [ -s "$home.err" ] || echo "exit $1 and not a word "
    ! grep -q 'a bug of dgc\|internal error' "$home.err" || echo "called a bug: $(tail -n 1 "$home.err") "
    now=$(contents $target $mode)
    # What the target does not name does not count yet: the next run removes it.
    now=$(grep -v '^leftover' <<< "$now")
    [ "$now" = "$expected" ] || [ "$now" = "$unchanged" ] || echo "half: $now "
}
once_more() {
    local now
    run_copy $target $mode "$after" "$home" || { echo "running again: $(tail -n 1 "$home.err") "; return; }
    now=$(contents $target $mode)
    [ "$now" = "$expected" ] || echo "then $now, not $expected "
}

# ---- Disks ----

# fill BYTES: leaves so many.
fill() {
    local free
    free=$(df -B1 --output=avail "$small" | tail -n 1)
    [ "$free" -le "$1" ] || fallocate -l $((free - $1)) "$small/filler"
}

if [ -n "$mounted" ]; then
    for target in $TARGETS; do
        case $target in mysql) continue ;; esac # InnoDB keeps room in its files; its server stops when its log finds none
        if [ $target = postgres ]; then # the tables only: without room for its log the server stops
            mkdir "$small/tables" && chown postgres "$small/tables" 2> /dev/null
            psql -q -X -d template1 -c "CREATE TABLESPACE tight LOCATION '$small/tables'" || { echo "FAIL no tablespace"; exit 1; }
        fi
        for mode in $(modes_of $target); do
            prepare_target
            problem='' tried=0 met=0
            for room in 0 8192 65536 262144; do
                take_target $target grown_$target; rm -rf "$home"
                [ $target != postgres ] || psql -q -X -d template1 -c "ALTER DATABASE $COPY_DB SET TABLESPACE tight"
                fill $room
                run_copy $target $mode "$after" "$home"; code=$?
                [ $code = 0 ] || met=$((met + 1))
                rm -f "$small/filler" # those who look need room, too
                problem+=$(judge $code)$(once_more)
                tried=$((tried + 1))
            done
            [ $met -gt 0 ] || problem+="the disk was never full"
            verdict "$target $mode: full disk" "$problem" $tried
            [ -z "${COPY_VERBOSE:-}" ] || { echo "# $SECONDS s"; cat "$home.err"; }
        done
    done
fi

# ---- Connections ----

wait_for() { local i; for ((i = 0; i < 500; i++)); do [ ! -e "$1" ] || return 0; sleep 0.02; done; echo "no $1"; return 1; }
proxy_start() { # SERVER_PORT WAY BYTES
    rm -rf "$scratch/proxy"; mkdir "$scratch/proxy"
    proxy_port=$(free_port)
    python3 "$here/tcp_proxy.py" "$proxy_port" "$1" "$2" "$3" "$scratch/proxy" 2> "$scratch/proxy.err" & proxy=$!
    children+=("$proxy")
    wait_for "$scratch/proxy/listening"
}
proxy_stop() { kill "$proxy"; wait "$proxy" 2> /dev/null; }
[ -n "${TORTURE_QUICK:-}" ] && amounts="1500 20000" || amounts="300 900 1500 2500 4000 7000 12000 20000 33000 54000 90000 140000"

for target in $TARGETS; do
    case $target in
    postgres) port=$PGPORT variable=COPY_PORT prefix= ;;
    mysql) port=$MARIADB_PORT variable=MARIADB_PORT prefix= ;;
    s3) port=$S3_PORT variable=AWS_ENDPOINT_URL_S3 prefix=http://127.0.0.1: ;;
    *) continue ;;
    esac
    for mode in $(modes_of $target); do
        prepare_target
        for way in up down; do
            problem='' tried=0
            for bytes in $amounts; do
                take_target $target grown_$target; rm -rf "$home"
                proxy_start "$port" $way "$bytes"
                run_copy $target $mode "$after" "$home" "$variable=$prefix$proxy_port"; code=$?
                proxy_stop
                [ -e "$scratch/proxy/met" ] || continue # not so many went that way
                found=$(judge $code)$(once_more)
                [ -z "$found" ] || problem+="after $bytes bytes: $found; "
                tried=$((tried + 1))
            done
            [ $tried -gt 0 ] || problem+="no connection was reset"
            verdict "$target $mode: connection reset, $way" "$problem" $tried
        done
    done
done

# The source: its rows come whole or not at all.
prepare_source() {
    case $target in
    postgres) psql -q -X -d template1 -c "DROP DATABASE IF EXISTS $COPY_DB WITH (FORCE)" -c "CREATE DATABASE $COPY_DB" 2> /dev/null
        url=postgres://postgres@127.0.0.1:PORT/$COPY_DB?table=append ;;
    mysql) mariadb_sql "CREATE OR REPLACE DATABASE $COPY_DB"
        url="mysql://me:p%40ss%3Aword@127.0.0.1:PORT/$COPY_DB?table=append" ;;
    s3) rm -rf "${S3_DATA:?}/lake/append"
        url=s3://lake/append/*.parquet ;;
    esac
    rm -rf "$home"
    run_copy $target append "$after" "$home" || { cat "$home.err"; echo "FAIL $target: filling the source"; exit 1; }
}
read_rows() { # PORT: into a table, in one transaction
    (cd "$scratch" && AWS_ENDPOINT_URL_S3=http://127.0.0.1:$1 "${DGC:-$BUILD/dgc}" copy "${url/PORT/$1}" "sqlite://$scratch/read.db?table=append" --progress plain) > "$home.err" 2>&1
}
rows_read() { sqlite3 "$scratch/read.db" "SELECT * FROM append ORDER BY id" 2> /dev/null | cksum; }
for target in $TARGETS; do
    case $target in postgres) port=$PGPORT ;; mysql) port=$MARIADB_PORT ;; s3) port=$S3_PORT ;; *) continue ;; esac
    prepare_source
    rm -f "$scratch"/read.db*
    unchanged=$(rows_read)
    read_rows "$port" || { cat "$home.err"; echo "FAIL $target: reading"; exit 1; }
    expected=$(rows_read)
    problem='' tried=0
    for bytes in $amounts; do
        rm -f "$scratch"/read.db*
        proxy_start "$port" down "$bytes"
        read_rows "$proxy_port"; code=$?
        proxy_stop
        [ -e "$scratch/proxy/met" ] || continue
        [[ $code =~ $documented ]] || problem+="after $bytes bytes: exit $code: $(tail -n 1 "$home.err"); "
        now=$(rows_read)
        case $code in 0) [ "$now" = "$expected" ] || problem+="after $bytes bytes: other rows; " ;;
        *) [ "$now" = "$unchanged" ] || problem+="after $bytes bytes: exit $code, and rows are there; " ;; esac
        tried=$((tried + 1))
    done
    [ $tried -gt 0 ] || problem+="no connection was reset"
    verdict "$target as source: connection reset" "$problem" $tried
done
summary
