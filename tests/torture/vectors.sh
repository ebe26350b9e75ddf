#!/usr/bin/env bash
# vectors.sh: kills dgc.VectorIndex at its crash points, at its own system calls and at odd moments, in DuckDB and in each store that is a
# service (a fake), from nothing, with changes, and while it builds anew; runs it again, and compares the collection, record by record, with
# what a run without faults leaves. TORTURE_POINTS is the number of points of each kind (0: all).
TORTURE_POINTS=${TORTURE_POINTS:-$([ -n "${TORTURE_QUICK:-}" ] && echo 2 || echo 6)}
. "$(dirname "$0")/lib.sh"
command -v python3 > /dev/null || { echo "ok vectors not tortured: no python3"; exit 0; }
python3 "$ROOT/tests/servers/vector_stores.py" "$scratch/port" > "$scratch/fake.log" 2>&1 &
fake=$!
trap 'kill $fake 2> /dev/null; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
for _ in $(seq 100); do [ -s "$scratch/port" ] && break; sleep 0.1; done
export STORE_URL=http://127.0.0.1:$(cat "$scratch/port") QDRANT_KEY=qk-test PINECONE_KEY=pk-test DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
ask() { python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], data=b"{}")).read().decode())' "$STORE_URL$1"; }

# Pinecone takes a second a call: left to the long run.
stores=${VECTOR_STORES:-}
[ -n "$stores" ] || { stores="duckdb chroma qdrant"; [ -n "${TORTURE_QUICK:-}" ] || stores+=" pinecone"; }
where() {
    case $1 in
    duckdb) echo "store: duckdb" ;;
    qdrant) echo "store: qdrant, url: \"{{ env('STORE_URL') }}\", api_key: \"{{ env('QDRANT_KEY') }}\"" ;;
    pinecone) echo "store: pinecone, url: \"{{ env('STORE_URL') }}\", api_key: \"{{ env('PINECONE_KEY') }}\", namespace: a" ;;
    chroma) echo "store: chroma, url: \"{{ env('STORE_URL') }}\"" ;;
    esac
}
mkdir -p "$scratch/p/defs/rag/models" "$scratch/p/defs/index"
printf 'name: v\n' > "$scratch/p/dgc.yaml"
printf 'type: dgc.SqlModels\nattributes: {path: models, prefix: rag, materialized: table}\n' > "$scratch/p/defs/rag/defs.yaml"
cat > "$scratch/p/defs/rag/models/embeddings.sql" <<'Q'
select 'd' || i as id, 'text ' || case when i % 2 = 0 then day else 0 end || ' of ' || i as text, [sin(i), cos(i), i / 100.0]::FLOAT[3] as embedding, i as n,
       case when i % 4 < 2 and day = 1 then 'x' end as note
from range(3000) t(i), (select try_cast('{{ env('DAY') }}' as integer) as day) where i >= day * 400 and i < 2000 + day * 300
Q
for store in $stores; do
    printf -- '---\ntype: dgc.VectorIndex\nattributes: {from: rag/embeddings, asset: %s/docs, %s}\n' "$store" "$(where "$store")"
done | sed 1d > "$scratch/p/defs/index/defs.yaml"
pipeline=$scratch/v.bin
(cd "$scratch/p" && "${DGC:-$BUILD/dgc}" build . -o "$pipeline") > "$scratch/log" 2>&1 || { cat "$scratch/log"; echo "FAIL the pipeline builds"; exit 1; }
build_tool query tests/torture/query.c || exit 1
home=$scratch/home

# index DAY [VAR=VALUE...] [-- ARGUMENTS...]
index() {
    local day=$1 variables=(); shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do variables+=("$1"); shift; done
    [ $# -eq 0 ] || shift
    (env DAY="$day" "${variables[@]}" "$pipeline" run --select "+$store/docs" --home "$home" --progress plain "$@"; exit $?) > "$home.err" 2>&1
}
contents() {
    if [ "$store" = duckdb ]; then "$scratch/query" "$home/v.duckdb" "SELECT count(*) || ' rows, ' || sum(hash(t)::HUGEINT) FROM duckdb.docs t"
    else ask /fake/dump; fi 2>&1
}
take() { rm -rf "$home"; [ ! -e "$scratch/$store.$1" ] || cp -r "$scratch/$store.$1" "$home"; ask "/fake/restore/$1" > /dev/null; }

# try NAME COMMAND...: COMMAND is expected to die while it goes to day 2; then once more, without a fault.
try() {
    local name=$1; shift
    take "$start"
    "$@" > /dev/null 2>&1
    died=$?
    case $name in crash:*) [ $died = 137 ] || echo "$name: lived on ($died); " ;; esac
    index 2 || { echo "$name: running again: $(tail -n 1 "$home.err"); "; return; }
    now=$(contents)
    [ "$now" = "$expected" ] || { echo "$name: other records; "; diff <(tr '[' '\n' <<< "$expected") <(tr '[' '\n' <<< "$now") | head -n 6 >&2; }
}

ask /fake/save/empty > /dev/null
total=0
for store in $stores; do
    take empty
    index 1 || { cat "$home.err"; echo "FAIL $store: the first run"; exit 1; }
    ask /fake/save/grown > /dev/null
    cp -r "$home" "$scratch/$store.grown"
    for mode in grown empty rebuilt; do
        start=$mode arguments=()
        [ $mode != rebuilt ] || { start=grown; arguments=(-- --full-refresh); }
        take $start
        index 2 DGC_FAULT_COUNT="$scratch/counts" "${arguments[@]}" || { cat "$home.err"; echo "FAIL $store $mode: the run without faults"; exit 1; }
        expected=$(contents) problems='' tried=0
        case $expected in *0*) ;; *) echo "FAIL $store: no records: $expected"; exit 1 ;; esac
        while read -r call count; do
            case $call in
            crash:vector.*) which=$(seq "$count") ;;
            write | pwrite | fsync | rename | unlink) which=$(points "$count") ;;
            *) continue ;;
            esac
            for n in $which; do
                case $call in crash:*) fault=$call:$n ;; *) fault=$call:$n:kill ;; esac
                problems+=$(try "$fault" index 2 DGC_FAULT="$fault" "${arguments[@]}")
                tried=$((tried + 1))
            done
        done < "$scratch/counts"
        for n in $(points 40); do # moments over about the time that a run takes
            moment() {
                DAY=2 "$pipeline" run --select "+$store/docs" --home "$home" --progress none "${arguments[@]:1}" &
                sleep "0.$(printf %03d $((n * 15)))"
                kill -KILL $! && wait $!
            }
            problems+=$(try "after $((n * 15)) ms" moment)
            tried=$((tried + 1))
        done
        verdict "$store, $mode" "$problems" "$tried"
        total=$((total + tried))
    done
done
echo "# $total points"
exit $((failures > 0))
