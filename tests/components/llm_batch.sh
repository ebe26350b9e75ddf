#!/usr/bin/env bash
# dgc.Llm with `mode: batch` against a server with OpenAI's and Anthropic's batches: the same table as by calls, at half the
# price; mixed results, expiry, a batch that cannot be run; a run that is stopped leaves its batch to the next.
set -u
. "$(dirname "$0")/llm_lib.sh"
printf 'type: dgc.Files\nattributes: {path: ../../tickets.csv, asset: raw/tickets}\n' > defs/raw/defs.yaml
component() { printf '%s\n' "type: dgc.Llm" "attributes:" "  from: raw/tickets" "  asset: marts/tickets" "$@" > defs/llm/defs.yaml; }
url='  base_url: "{{ env.LLM_URL }}"'
ask='  prompt: "Customer wrote: {{ row.body }}"'
output='  output: {sentiment: {enum: [positive, neutral, negative]}, urgency: {type: int, max: 9}, summary: string}'
prices='  prices: {input: 100, output: 100}'
rows() { query "SELECT string_agg(id || sentiment || urgency || summary, ';' ORDER BY id) FROM marts.tickets"; }
paths() { "$PYTHON" -c "import json, sys; from itertools import groupby
print(' '.join('%s%s' % (k, '' if len(g) == 1 else '*%d' % len(g)) for k, g in ((k, list(g)) for k, g in groupby(json.loads(l)['path'] for l in open(sys.argv[1])))))" "$WORK/s/requests"; }
usd() { echo "$1" | sed -n 's/.*tokens, US\$ \([0-9.]*\).*/\1/p' | tail -n 1; }
fresh() { rm -rf .dgc "$WORK/s/requests" "$WORK/s/gets"; }
{ echo id,body; for i in $(seq 12); do echo "$i,letter $i is $([ $((i % 3)) = 0 ] && echo bad || echo great)"; done; echo 13,letter 1 is great; } > tickets.csv
for model in openai/gpt-5-mini compatible/small anthropic/claude-sonnet-4-5; do
    case $model in
    openai/*) upload="/files " batch=/batches ;;
    compatible/*) upload="/files " batch=/batches ;;
    *) upload= batch=/v1/messages/batches ;;
    esac
    fresh
    component "  model: $model" "$url" "$ask" "$output" "$prices"
    out=$(run) || echo "$out"
    one=$(rows) full=$(usd "$out")
    fresh
    component "  model: $model" "$url" "$ask" "$output" "$prices" "  mode: batch"
    "$DGC" run . --select raw/tickets > /dev/null 2>&1
    has "$model: plan" "in batches" "$("$DGC" plan . 2>&1)"
    out=$(OPENAI_API_KEY=sk-planted ANTHROPIC_API_KEY=sk-planted run) || echo "$out"
    is "$model: the table is that of calls" "$one" "$(rows)"
    is "$model: one batch" "$upload$batch" "$(paths)"
    is "$model: each question once" 12 "$("$PYTHON" -c "import json, sys; b = json.loads(open(sys.argv[1]).readline())['body']; print(len(b.get('file') or b['requests']))" "$WORK/s/requests")"
    is "$model: half the price" yes "$("$PYTHON" -c "print('yes' if abs($(usd "$out") * 2 - $full) < 0.001 else '$(usd "$out") of $full')")"
    has "$model: calls" "12 calls, 1 from the cache" "$out"
    out=$(run) || echo "$out"
    is "$model: nothing is asked again" "$upload$batch" "$(paths)"
    is "$model: the key goes along with every request" "True" "$([ "$model" = compatible/small ] && echo True || "$PYTHON" -c "import json, sys; print(all(json.loads(l)['headers'].get('Authorization') == 'Bearer sk-planted' for f in sys.argv[1:] for l in open(f)))" "$WORK/s/requests" "$WORK/s/gets")"

    # Mixed: one expires, one is refused as a request, one does not fit and is mended.
    cp tickets.csv all.csv
    printf 'id,body\n1,letter 1\n2,EXPIRE 2\n3,BAD 3\n4,INVALID 4\n5,please REFUSE\n6,letter 6\n' > tickets.csv
    fresh
    out=$(OPENAI_API_KEY=sk-planted ANTHROPIC_API_KEY=sk-planted run) || echo "$out"
    is "$model, mixed: rows" "1,2,4,6 failed,refused" "$(query "SELECT string_agg(id, ',' ORDER BY id) || ' ' || (SELECT string_agg(kind, ',' ORDER BY kind) FROM marts.tickets_rejected) FROM marts.tickets")"
    is "$model, mixed: what the batch left is asked by calls" 3 "$(grep -c -v '/files"\|batches"' "$WORK/s/requests")"
    has "$model, mixed: is told" "2 of 6 questions were not answered" "$out"
    has "$model, mixed: and that it costs" "one by one, at the full price" "$out"
    mv all.csv tickets.csv

    # Stopped while it waits: the batch goes on, and the next run takes its answers.
    fresh; echo 1000 > "$WORK/s/polls"
    "$DGC" build . -o p.bin > "$WORK/log" 2>&1 || cat "$WORK/log"
    OPENAI_API_KEY=sk-planted ANTHROPIC_API_KEY=sk-planted ./p.bin run --progress plain > "$WORK/out" 2>&1 & pid=$!
    for _ in $(seq 200); do [ -e "$WORK/s/gets" ] && break; sleep 0.05; done
    kill -INT $pid; wait $pid; code=$?
    is "$model, stopped: exit code" 130 $code
    has "$model, stopped: is told" "of 12 questions goes on at" "$(cat "$WORK/out")"
    echo 1 > "$WORK/s/polls"
    out=$(OPENAI_API_KEY=sk-planted ANTHROPIC_API_KEY=sk-planted ./p.bin run --progress plain 2>&1) || echo "$out"
    is "$model, stopped: the next run submits nothing" "$upload$batch" "$(paths)"
    is "$model, stopped: and has the table" "$one" "$(rows)"
    rm "$WORK/s/polls"
done
export OPENAI_API_KEY=sk-planted
component "  model: openai/gpt-5-mini" "$url" "$ask" "$output" "$prices" "  mode: batch"
fresh; echo expired > "$WORK/s/fate"
out=$(run) || echo "$out"
is "expired: rows" "$one" "$(rows)"
has "expired: is told" "12 of 12 questions were not answered, the first: This request could not be executed" "$out"
fresh; echo failed > "$WORK/s/fate"
out=$(run); is "a batch that cannot be run: exit code" 65 $?
has "a batch that cannot be run" "could not be run: the file is too old" "$out"
rm "$WORK/s/fate"
out=$(run) || echo "$out"
is "and then another is submitted" "/files /batches /files /batches" "$(paths)"
fresh; echo none > "$WORK/s/fate"
out=$(run); is "no batches there: exit code" 78 $?
has "no batches there" 'leave out `mode: batch`' "$out"
fresh; echo refused > "$WORK/s/fate"
out=$(run); is "refused: exit code" 65 $?
has "refused: the service's words" "no batches here (HTTP 400)" "$out"
rm "$WORK/s/fate"
# A batch that the service has forgotten is asked anew.
fresh; echo 1000 > "$WORK/s/polls"
"$DGC" build . -o p.bin > "$WORK/log" 2>&1 || cat "$WORK/log"
./p.bin run --progress plain > "$WORK/out" 2>&1 & pid=$!
for _ in $(seq 200); do [ -e "$WORK/s/gets" ] && break; sleep 0.05; done
kill -INT $pid; wait $pid
rm "$WORK/s/polls"
"$PYTHON" - <<'PY'
import sqlite3
db = sqlite3.connect(".dgc/answers.db")
db.execute("UPDATE batches SET id = 'batch_gone'"); db.execute("UPDATE batch_keys SET batch = 'batch_gone'"); db.commit()
PY
out=$(./p.bin run --progress plain 2>&1) || echo "$out"
has "forgotten: is told" "does not know batch batch_gone any more" "$out"
is "forgotten: the rows are asked" "$one" "$(rows)"
# Budgets.
component "  model: openai/gpt-5-mini" "$url" "$ask" "$output" "$prices" "  mode: batch" "  budget: {calls: 5}"
fresh
out=$(run); is "a budget: exit code" 75 $?
has "a budget" "the budget of 5 calls is used up" "$out"
is "a budget: in the batch" 5 "$(head -n 1 "$WORK/s/requests" | "$PYTHON" -c 'import json, sys; print(len(json.loads(sys.stdin.read())["body"]["file"]))')"
component "  model: openai/gpt-5-mini" "$url" "$ask" "$output" "$prices" "  mode: batch"
out=$(run) || echo "$out"
is "a budget: then the rest" 7 "$(tail -n 2 "$WORK/s/requests" | head -n 1 | "$PYTHON" -c 'import json, sys; print(len(json.loads(sys.stdin.read())["body"]["file"]))')"
is "a budget: all rows" "$one" "$(rows)"
if grep -rqa "sk-planted" .dgc; then echo "FAIL keys are kept nowhere"; failures=$((failures + 1)); else echo "ok keys are kept nowhere"; fi
mistake() { # NAME TEXT LINES...
    local name=$1 text=$2; shift 2
    component "$@"
    has "$name" "$text" "$("$DGC" check . 2>&1)"
}
mistake "no batches" '`ollama` has no batches' "  model: ollama/qwen3" "$ask" "  mode: batch"
mistake "no cache" 'by way of the cache' "  model: openai/gpt-5" "$ask" "  mode: batch" "  cache: false"
mistake "packs" 'exclude each other' "  model: openai/gpt-5" "$ask" "  mode: batch" "  pack: 5"
# A cache that a template turns off when the run starts.
fresh
component "  model: openai/gpt-5-mini" "$url" "$ask" "$output" "  mode: batch" "  cache: \"{{ env('KEEP', '') == 'yes' }}\""
out=$(OPENAI_API_KEY=sk-planted run)
is "batch without a cache: exit code" 78 $?
has "batch without a cache: is told" "answers come by way of the cache, and \`cache\` is false" "$out"
finish
