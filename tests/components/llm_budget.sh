#!/usr/bin/env bash
# What a whole run may spend on models: --max-usd, --max-tokens, --max-calls hold for all its steps together.
set -u
. "$(dirname "$0")/llm_lib.sh"
printf 'type: dgc.Files\nattributes: {path: ../../tickets.csv, asset: raw/tickets}\n' > defs/raw/defs.yaml
{ echo id,body; for i in $(seq 40); do echo "$i,letter $i"; done; } > tickets.csv
step() { # NAME PROMPT LINES...
    local name=$1 prompt=$2; shift 2
    printf '%s\n' "type: dgc.Llm" "attributes:" "  from: raw/tickets" "  asset: marts/$name" "  model: compatible/small" \
        '  base_url: "{{ env.LLM_URL }}"' "  prompt: \"$prompt {{ row.body }}\"" "$@" > "defs/llm/$name.yaml"
}
mkdir -p defs/llm/a defs/llm/b
write() { # LINES...
    step a "First" "$@"; mv defs/llm/a.yaml defs/llm/a/defs.yaml
    step b "Second" "$@"; mv defs/llm/b.yaml defs/llm/b/defs.yaml
}
spent() { "$PYTHON" -c 'import json, sys; print(sum(len(m["content"]) // 4 + 1 + len("answer to: " + m["content"]) // 4 + 1 for l in open(sys.argv[1]) for m in json.loads(l)["body"]["messages"]))' "$WORK/s/requests"; }
printf '%s' 'type: dgc.Embed
attributes: {from: raw/tickets, column: body, asset: rag/vectors, model: compatible/small, batch: 4, base_url: "{{ env.LLM_URL }}", prices: {input: 1, output: 1}}
' > defs/rag/defs.yaml
echo 0.005 > "$WORK/s/latency"
write "  prices: {input: 1000, output: 1000}" "  budget: {usd: 100}" "  max_tokens: 10"
out=$(run --max-calls 25 --threads 4); is "calls: exit code" 75 $?
is "calls: not one more" 25 "$(requests)"
has "calls: why" "the budget of 25 calls for the whole run (--max-calls) is used up" "$out"
has "calls: what to do" "raise it, and the next run continues" "$out"
out=$(run --max-calls 65 --threads 4) || echo "$out"
is "calls: the rest, and no answer twice" 90 "$(requests)"
is "calls: all rows" "40 40 40" "$(query "SELECT (SELECT count(*) FROM marts.a) || ' ' || (SELECT count(*) FROM marts.b) || ' ' || (SELECT count(embedding) FROM rag.vectors)")"
for budget in "--max-tokens 500" "--max-usd 0.5"; do
    rm -rf .dgc "$WORK/s/requests" "${WORK:?}/p/defs/rag/defs.yaml"
    # shellcheck disable=SC2086
    out=$(run $budget --threads 4); is "$budget: exit code" 75 $?
    has "$budget: why" "for the whole run (${budget%% *})" "$out"
    is "$budget: but for one call" yes "$("$PYTHON" -c "print('yes' if 400 < $(spent) < 500 + 30 else $(spent))")"
done
write "  budget: {calls: 100}"
rm -rf .dgc
has "no price" "--max-usd does not count its calls" "$(run --max-usd 1)"
for wrong in "--max-usd nothing" "--max-usd -1" "--max-calls 0" "--max-tokens 1.5" "--max-usd nan"; do
    # shellcheck disable=SC2086
    out=$(run $wrong); is "$wrong: exit code" 2 $?
done
has "what is wrong" "a number above 0" "$(run --max-calls 0)"
finish
