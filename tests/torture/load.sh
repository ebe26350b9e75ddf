#!/usr/bin/env bash
# load.sh: kills five loads of one stream (SIGKILL) at each crash point of the load engine, at writes and
# fsyncs of the engine's library, and at odd moments; starts them again, and compares the table, the
# cursor and the packages with those of a run nobody killed: no row lost, none doubled, no table left.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../servers/postgres.sh"
. "$(dirname "$0")/../servers/mariadb.sh"
trap 'postgres_stop; mariadb_stop; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
build_tool load_main tests/torture/load_main.c || exit 1
export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
main=$scratch/load_main

fresh() { # an empty target
    case $engine in
    sqlite) rm -f "$scratch"/t.db*; url=sqlite://$scratch/t.db ;;
    duckdb) rm -f "$scratch"/t.duckdb* "$scratch"/.t.duckdb*; url=duckdb://$scratch/t.duckdb ;;
    *) "$main" "$url" append drop || exit 1 ;;
    esac
}

# try NAME COMMAND...: the command may die; then the loads are finished and compared.
try() {
    local name=$1; shift
    fresh
    ("$@"; exit $?) > /dev/null 2>&1
    "$main" "$url" "$mode" run > "$scratch/out" 2>&1 || { echo "$name: going on failed: $(tail -n 1 "$scratch/out");"; return; }
    "$main" "$url" "$mode" dump > "$scratch/found" 2>&1
    cmp -s "$scratch/found" "$scratch/wanted" || echo "$name: $(diff "$scratch/found" "$scratch/wanted" | head -n 4 | tr '\n' ' ');"
}

torture() { # MODE
    mode=$1
    fresh
    "$main" "$url" "$mode" run && "$main" "$url" "$mode" dump > "$scratch/wanted" || { echo "FAIL $engine, $mode: without faults"; failures=$((failures + 1)); return; }
    grep -q '^committed,5$' "$scratch/wanted" || { echo "FAIL $engine, $mode: $(tail -n 7 "$scratch/wanted" | tr '\n' ' ')"; failures=$((failures + 1)); }
    fresh
    local started=$EPOCHREALTIME
    DGC_FAULT_COUNT=$scratch/counts "$main" "$url" "$mode" run
    local took=$(((${EPOCHREALTIME/./} - ${started/./}) / 1000)) problems='' tried=0
    while read -r point count; do
        case $point in crash:load-* | crash:duckdb-*) ;; *) continue ;; esac
        for n in $(points "$count"); do
            problems+=$(try "$point:$n" env DGC_FAULT="$point:$n" "$main" "$url" "$mode" run)
            tried=$((tried + 1))
        done
    done < "$scratch/counts"
    verdict "$engine, $mode: kill at crash points" "$problems" $tried
    problems='' tried=0
    for ((n = 1; n <= (POINTS ? POINTS : 100); n++)); do
        local ms=$((took * n / ((POINTS ? POINTS : 100) + 1)))
        problems+=$(try "$ms ms" timeout -s KILL "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))" "$main" "$url" "$mode" run)
        tried=$((tried + 1))
    done
    verdict "$engine, $mode: kill at odd moments" "$problems" $tried
    case $engine in sqlite | duckdb) ;; *) return ;; esac
    strace -qq -e trace=none true 2> /dev/null || return
    for call in pwrite64 fdatasync fsync unlink; do
        problems='' tried=0
        fresh
        strace -f -qq -o "$scratch/calls" -e trace="$call" "$main" "$url" "$mode" run
        count=$(grep -c "$call(" "$scratch/calls")
        # The first ones are those that make the database.
        for n in $( (seq $((count < 4 ? count : 4)); points "$count") | sort -nu); do
            problems+=$(try "$call $n" strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" "$main" "$url" "$mode" run)
            tried=$((tried + 1))
        done
        [ $tried -eq 0 ] || verdict "$engine, $mode: kill at $call" "$problems" $tried
    done
}

for engine in ${TORTURE_ENGINES:-sqlite duckdb postgres mariadb}; do
    case $engine in
    postgres) postgres_start "$scratch/pg" && createdb shop || { echo "FAIL PostgreSQL does not start"; failures=$((failures + 1)); continue; }
        url=postgres://postgres@127.0.0.1:$PGPORT/shop ;;
    mariadb) mariadb_start "$scratch/my" || { failures=$((failures + 1)); continue; }
        url=$MARIADB_URL ;;
    esac
    for what in ${TORTURE_MODES:-append replace upsert scd2}; do torture "$what"; done
done
summary
