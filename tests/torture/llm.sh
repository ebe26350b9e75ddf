#!/usr/bin/env bash
# dgc.Llm, dgc.Embed and dgc.VectorIndex (in DuckDB and in a fake Chroma) killed all over their run: what was answered and kept is never
# asked again, and after going on the tables and both indexes are those of a run without faults. A long run tries more than 500 points.
TORTURE_POINTS=${TORTURE_POINTS:-$([ -n "${TORTURE_QUICK:-}" ] && echo 4 || echo 300)}
most=$([ -n "${TORTURE_QUICK:-}" ] && echo 30 || echo 80)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
mkdir -p "$scratch/p/defs/raw" "$scratch/p/defs/ai" "$scratch/s"
python3 "$ROOT/tests/servers/llm.py" "$scratch/s" 2> /dev/null & server=$!
python3 "$ROOT/tests/servers/vector_stores.py" "$scratch/port" > "$scratch/fake.log" 2>&1 & stores=$!
trap 'kill $server $stores 2> /dev/null; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do [ -e "$scratch/s/port" ] && [ -s "$scratch/port" ] && break; sleep 0.05; done
export STORE_URL=http://127.0.0.1:$(cat "$scratch/port")
store() { python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], data=b"{}")).read().decode())' "$STORE_URL/fake/$1"; }
LLM_URL=http://127.0.0.1:$(cat "$scratch/s/port"); export LLM_URL
echo 0.003 > "$scratch/s/latency"
cd "$scratch/p" || exit 1
{ echo id,body; for i in $(seq "$most"); do echo "$i,letter $i"; done; echo "101,INVALID once"; echo "102,please REFUSE"; } > letters.csv
printf 'type: dgc.Files\nattributes: {path: ../../letters.csv, asset: raw/letters}\n' > defs/raw/defs.yaml
cat > defs/ai/defs.yaml <<'YAML'
type: dgc.Llm
attributes:
  from: raw/letters
  asset: marts/letters
  model: compatible/small
  base_url: "{{ env.LLM_URL }}"
  prompt: "Customer wrote: {{ row.body }}"
  output: {sentiment: {enum: [positive, neutral, negative]}, urgency: int}
  concurrency: 4
---
type: dgc.Embed
attributes: {from: raw/letters, column: body, asset: rag/letters, model: compatible/small, base_url: "{{ env.LLM_URL }}", batch: 4, concurrency: 2}
---
type: dgc.VectorIndex
attributes: {from: rag/letters, asset: local/letters, id: id, text: body}
---
type: dgc.VectorIndex
attributes: {from: rag/letters, asset: remote/letters, id: id, text: body, store: chroma, url: "{{ env.STORE_URL }}"}
YAML
"$BUILD/dgc" build . -o "$scratch/ai.bin" > "$scratch/log" 2>&1 || { cat "$scratch/log"; echo "FAIL the pipeline builds"; exit 1; }
export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
asked() { grep -c . "$scratch/s/requests" 2> /dev/null; }
kept() { sqlite3 "$1/answers.db" "SELECT count(*) FROM answers WHERE model = 'compatible/small'" 2> /dev/null || echo 0; }
chats() { grep -c '"/chat/completions"' "$scratch/s/requests" 2> /dev/null; }

build_tool torture_dump tests/torture/dump.c || exit 1
store save/empty > /dev/null
executable=$scratch/ai.bin arguments=(run) reference=$scratch/reference
run_in "$reference" > /dev/null 2>&1 || { cat "$reference.err"; echo "FAIL the run without faults"; exit 1; }
dump "$reference" > "$scratch/expected"
questions=$(chats) collection=$(store dump)
case $collection in *letter*) ;; *) echo "FAIL the fake store has no records: $collection"; exit 1 ;; esac
answers=$(kept "$reference")

# killed POINT: a run that is killed there, and the runs after it.
killed() {
    local home=$scratch/home before again
    rm -rf "$home"* "$scratch/s/requests"
    store restore/empty > /dev/null
    case $1 in
    after:*) # so many milliseconds after it began
        "$executable" run --home "$home" --progress none > /dev/null 2>&1 &
        sleep "$(printf '%d.%03d' $((${1#after:} / 1000)) $((${1#after:} % 1000)))"
        kill -KILL $! 2> /dev/null; wait $! 2> /dev/null; code=$?
        ;;
    *) run_in "$home" DGC_FAULT="$1" > /dev/null 2>&1; code=$? ;;
    esac
    [ $code -ne 0 ] || { echo ended; return; } # the point was not reached
    before=$(sqlite3 "$home/answers.db" "SELECT count(*) FROM answers" 2> /dev/null || echo 0)
    rm -f "$scratch/s/requests"
    recover_in "$home" || { echo "$1: going on: $(tail -n 2 "$home.err2" | tr '\n' ' ')"; return; }
    converged "$home" || { echo "$1: the tables differ"; return; }
    [ "$(store dump)" = "$collection" ] || { echo "$1: the index of the service differs"; return; }
    # Vectors come many to a request; questions one.
    again=$(python3 - "$scratch/s/requests" <<'PY'
import json, sys
n = 0
try:
    for line in open(sys.argv[1]):
        r = json.loads(line)
        n += len(r["body"]["input"]) if r["path"].endswith("/embeddings") else 1
except FileNotFoundError:
    pass
print(n)
PY
)
    [ $((before + again)) -eq "$answers" ] || echo "$1: $before answers were kept, $again asked again, of $answers"
}

try_kills
for n in $(points 120); do # odd moments, over about the time that a run takes
    try_kill after:$((n * 8))
done
verdict "killed, and continued: $questions questions" "$problem" $tried
echo "$tried points tried"
exit $((failures > 0))
