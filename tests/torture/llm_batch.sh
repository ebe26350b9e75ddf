#!/usr/bin/env bash
# dgc.Llm in batches killed all over its run: a batch whose id was kept, or whose answers are in, is never submitted again,
# and after going on the tables are those of a run without faults.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
mkdir -p "$scratch/p/defs/raw" "$scratch/p/defs/ai" "$scratch/s"
python3 "$ROOT/tests/servers/llm.py" "$scratch/s" 2> /dev/null & server=$!
trap 'kill $server 2> /dev/null; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do [ -e "$scratch/s/port" ] && break; sleep 0.05; done
LLM_URL=http://127.0.0.1:$(cat "$scratch/s/port"); export LLM_URL
cd "$scratch/p" || exit 1
{ echo id,body; for i in $(seq 20); do echo "$i,letter $i"; done; echo "21,INVALID once"; echo "22,please REFUSE"; } > letters.csv
printf 'type: dgc.Files\nattributes: {path: ../../letters.csv, asset: raw/letters}\n' > defs/raw/defs.yaml
step() { # PROVIDER
    cat <<YAML
type: dgc.Llm
attributes:
  from: raw/letters
  asset: marts/$1
  model: $1/small
  base_url: "{{ env.LLM_URL }}"
  prompt: "Customer wrote: {{ row.body }}"
  output: {sentiment: {enum: [positive, neutral, negative]}, urgency: int}
  mode: batch
  prices: {input: 1, output: 1}
  max_tokens: 50
YAML
}
{ step compatible; echo ---; step anthropic; } > defs/ai/defs.yaml
export ANTHROPIC_API_KEY=sk-fake DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
"$BUILD/dgc" build . -o "$scratch/ai.bin" > "$scratch/log" 2>&1 || { cat "$scratch/log"; echo "FAIL the pipeline builds"; exit 1; }

# state HOME: `compatible` and `anthropic`, each when its batch is kept, or the answers of one are.
state() {
    python3 - "$1/answers.db" <<'PY'
import sqlite3, sys
try:
    db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
    for name in "compatible", "anthropic":
        kept = db.execute("SELECT count(*) FROM batches WHERE whose LIKE ?", ("% " + name + " %",)).fetchone()[0]
        answered = db.execute("SELECT count(*) FROM answers WHERE model LIKE ?", (name + "/%",)).fetchone()[0]
        if kept or answered:
            print(name)
except sqlite3.OperationalError:
    pass
PY
}
submitted() { # PROVIDER
    touch "$scratch/s/requests"
    case $1 in compatible) grep -c '"path": "/batches"' "$scratch/s/requests" ;; *) grep -c '/v1/messages/batches"' "$scratch/s/requests" ;; esac
}

build_tool torture_dump tests/torture/dump.c || exit 1
executable=$scratch/ai.bin arguments=(run) reference=$scratch/reference
run_in "$reference" > /dev/null 2>&1 || { cat "$reference.err"; echo "FAIL the run without faults"; exit 1; }
dump "$reference" > "$scratch/expected"
[ "$(submitted compatible) $(submitted anthropic)" = "1 1" ] || { echo "FAIL a run without faults submits two batches"; exit 1; }

killed() { # POINT
    local home=$scratch/home before name
    rm -rf "$home"* "$scratch/s/requests"
    run_in "$home" DGC_FAULT="$1" > /dev/null 2>&1; code=$?
    [ $code -ne 0 ] || { echo ended; return; }
    before=$(state "$home")
    rm -f "$scratch/s/requests"
    recover_in "$home" || { echo "$1: going on: $(tail -n 2 "$home.err2" | tr '\n' ' ')"; return; }
    converged "$home" || { echo "$1: the tables differ"; return; }
    for name in compatible anthropic; do
        case $before in *$name*) [ "$(submitted $name)" = 0 ] || echo "$1: the batch of $name was kept, and submitted again" ;; esac
    done
}

try_kills
verdict "killed, and continued: two batches" "$problem" $tried
echo "$tried points tried"
exit $((failures > 0))
