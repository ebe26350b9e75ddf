#!/usr/bin/env bash
# copy_rivals.sh: replications whose commit is lost on the way, whose server restarts, and that meet another run of
# the same stream: at once, or after a long stop. No row is lost, none is there twice.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../servers/postgres.sh"
. "$here/copy_lib.sh"
children=()
trap 'kill -CONT "${children[@]}" 2> /dev/null; kill "${children[@]}" 2> /dev/null; postgres_stop; rm -rf "$scratch"' EXIT
postgres_start "$scratch/pg" || { echo "FAIL PostgreSQL does not start"; exit 1; }
make_pipeline sqlite duckdb postgres parquet
export COPY_TO=$scratch/to
home=$scratch/home
declare -A expected
is() { verdict "$1" "$([ "$2" = "$3" ] || echo "$3, not $2")" 1; }

prepare_target() { # TARGET: `grown`, and what each mode has after one more run
    local mode
    rm -rf "$COPY_TO"; mkdir "$COPY_TO"
    [ "$1" != postgres ] || psql -q -X -d template1 -c "CREATE DATABASE $COPY_DB"
    for mode in $(modes_of "$1"); do
        run_copy "$1" "$mode" "$before" "$home" || { cat "$home.err"; echo "FAIL $1 $mode: the first run"; exit 1; }
    done
    keep_target "$1" "grown_$1"
    for mode in $(modes_of "$1"); do
        run_copy "$1" "$mode" "$after" "$home" || { cat "$home.err"; echo "FAIL $1 $mode: the second run"; exit 1; }
        expected[$1_$mode]=$(contents "$1" "$mode")
    done
}
afresh() { take_target "$1" "grown_$1"; rm -rf "$home" "$home"2; }

proxy_start() { # WHAT N
    rm -rf "$scratch/proxy"; mkdir "$scratch/proxy"
    proxy_port=$(free_port)
    python3 "$here/pg_proxy.py" "$proxy_port" "$PGPORT" "$1" "$2" "$scratch/proxy" 2> "$scratch/proxy.err" & proxy=$!
    children+=("$proxy")
    wait_for "$scratch/proxy/listening"
}
proxy_stop() { kill "$proxy"; wait "$proxy" 2> /dev/null; }
wait_for() { local i; for ((i = 0; i < 500; i++)); do [ ! -e "$1" ] || return 0; sleep 0.02; done; echo "no $1"; return 1; }
packages() { psql -X -A -t -d "$COPY_DB" -c "SELECT count(*) FROM _dgc_loads WHERE table_name = '$1'"; }
# same TARGET MODE: after one more run the rows are those of a run without faults.
same() {
    local now
    timeout "${patience:-60}" env COPY_FROM="$after" "$pipeline" run --select "$1_$2" --home "$home" --progress plain > "$home.err" 2>&1 || { echo "running again: exit $?: $(tail -n 1 "$home.err")"; return; }
    now=$(contents "$1" "$2")
    [ "$now" = "${expected[$1_$2]}" ] || echo "$now, not ${expected[$1_$2]}"
}

# ---- Commits lost on the way: the second one is the load's, the first the lease's ----

prepare_target postgres
for what in done lost late; do
    for mode in append history; do
        for n in 1 2; do
            afresh postgres
            proxy_start $what $n
            run_copy postgres $mode "$after" "$home" COPY_PORT="$proxy_port"; code=$?
            proxy_stop
            problem=
            [ -e "$scratch/proxy/met" ] || [ $what = late ] || problem="the proxy met no commit"
            # What was committed is found out, and told as a success.
            if [ $n = 2 ] && [ $what != lost ]; then
                [ $code = 0 ] || problem+="exit $code: $(grep -hE "^ *(Failed [a-z_]|error|help)" "$home.err" | head -4 | tr '\n' ' ') "
                [ "$(packages $mode)" = 2 ] || problem+="$(packages $mode) packages "
            fi
            problem+=$(same postgres $mode)
            verdict "commit $n of $mode: $what" "$problem" 1
        done
    done
done

# ---- The server restarts while rows are on their way ----

for mode in append refresh upsert; do
    afresh postgres
    proxy_start hold 1
    run_copy postgres $mode "$after" "$home" COPY_PORT="$proxy_port" & runner=$!
    children+=("$runner")
    problem=$(wait_for "$scratch/proxy/met")
    as_postgres "$postgres_bin/pg_ctl -w -m immediate -D $postgres_data restart" > /dev/null 2>&1
    touch "$scratch/proxy/go"
    wait $runner; code=$?
    proxy_stop
    case $code in 0 | 69 | 75) ;; *) problem+="exit $code: $(grep -hE "^ *(Failed [a-z_]|error|help)" "$home.err" | head -4 | tr '\n' ' ') " ;; esac
    problem+=$(same postgres $mode)
    verdict "restart of the server while it reads rows, $mode" "$problem" 1
done

# ---- Held up in the middle, while another run finishes ----

for mode in append refresh upsert history; do
    afresh postgres
    proxy_start hold 1
    env COPY_FROM="$after" COPY_PORT="$proxy_port" "$pipeline" run --select postgres_$mode --home "$home"2 --progress plain > "$home.stopped" 2>&1 & runner=$!
    children+=("$runner")
    problem=$(wait_for "$scratch/proxy/met")
    kill -STOP $runner
    problem+=$(same postgres $mode)
    touch "$scratch/proxy/go"
    kill -CONT $runner
    wait $runner; code=$?
    proxy_stop
    # Its load fails; the step may begin again, and find what the other one left to do.
    grep -q 'another run has taken over' "$home.stopped" || problem+="it was not fenced off "
    case $code in 0 | 75) ;; *) problem+="exit $code: $(tail -n 2 "$home.stopped" | tr '\n' ' ') " ;; esac
    problem+=$(same postgres $mode)
    verdict "stopped, overtaken, continued: postgres $mode" "$problem" 1
done

# A folder: stopped at each of its renames in turn.
is_stopped() { # PID: every thread is
    local states
    states=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' /proc/"$1"/task/*/status 2> /dev/null | tr -d '\n')
    [ -n "$states" ] && [ -z "${states//[Tt]/}" ]
}
prepare_target parquet
if command -v strace > /dev/null && strace -qq -e trace=none true 2> /dev/null; then
    for mode in append refresh; do
        problem='' tried=0
        for n in 1 2 3; do
            afresh parquet
            env COPY_FROM="$after" strace -f -qq -o /dev/null -e trace=rename -e inject=rename:signal=STOP:when=$n \
                "$pipeline" run --select parquet_$mode --home "$home"2 --progress plain > "$home.stopped" 2>&1 & tracer=$!
            # A tracer stops it for moments, too: stopped is who is so at three looks.
            looks=0
            for ((i = 0; i < 250 && looks < 3; i++)); do
                runner=$(pgrep -P $tracer); [ -d /proc/$tracer ] || break
                if is_stopped "${runner:-x}"; then looks=$((looks + 1)); else looks=0; fi
                sleep 0.02
            done
            [ -n "$runner" ] && children+=("$runner")
            found=$(patience=3 same parquet $mode)
            # Stopped while it exchanges the manifest it has the folder's lock: the other run waits.
            case $found in "running again: exit 75"* | "running again: exit 124"*) found= ;; esac
            [ -z "$runner" ] || kill -CONT "$runner" 2> /dev/null
            wait $tracer; code=$?
            case $code in 0 | 75) ;; *) found+="exit $code: $(tail -n 2 "$home.stopped" | tr '\n' ' ')" ;; esac
            found+=$(same parquet $mode)
            [ -z "$found" ] || problem+="rename $n: $found; "
            tried=$((tried + 1))
        done
        verdict "stopped, overtaken, continued: parquet $mode" "$problem" $tried
    done
fi

# ---- Two at once ----
rounds=${TORTURE_QUICK:+2} rounds=${rounds:-5}

for target in ${COPY_RIVALS:-postgres parquet sqlite duckdb}; do
    case $target in sqlite | duckdb) prepare_target $target ;; esac
    for mode in $(modes_of $target); do
        problem='' tried=0
        for _ in $(seq "$rounds"); do
            afresh $target
            run_copy $target $mode "$after" "$home"2 & runner=$!
            run_copy $target $mode "$after" "$home"; code=$?
            wait $runner; other=$?
            case $code,$other in 0,0 | 0,75 | 75,0 | 75,75) ;; *) problem+="exit codes $code, $other: $(grep -hE "^ *(Failed [a-z_]|error|help)" "$home.err" "$home"2.err | head -4 | tr '\n' ' ')" ;; esac
            problem+=$(same $target $mode)
            tried=$((tried + 1))
        done
        verdict "two at once: $target $mode" "$problem" $tried
    done
done
exit $((failures > 0))
