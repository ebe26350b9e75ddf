#!/usr/bin/env bash
# dgc.Llm with answers that come as events: the table is that of answers which come at once, wherever a stream breaks off.
# TEST_TIMEOUT: 400
set -u
. "$(dirname "$0")/llm_lib.sh"
cat > defs/raw/defs.yaml <<'YAML'
type: dgc.Files
attributes: {path: ../../tickets.csv, asset: raw/tickets}
YAML
cat > tickets.csv <<'CSV'
id,body
1,I love this
2,"Žluťoučký kůň 🐎 is bad"
3,please REFUSE this
4,INVALID but mendable
5,HOPELESS case
6,CUT me off
7,BUSY now
8,BROKEN now
9,BAD one
CSV
component() { printf '%s\n' "type: dgc.Llm" "attributes:" "  from: raw/tickets" "  asset: marts/tickets" '  base_url: "{{ env.LLM_URL }}"' '  prompt: "Customer wrote: {{ row.body }}"' \
    '  output: {sentiment: {enum: [positive, neutral, negative]}, urgency: int, summary: string}' "  prices: {input: 1, output: 2}" "$@" > defs/llm/defs.yaml; }
fresh() { rm -rf .dgc "$WORK/s/requests"; }
# What a run leaves: rows, rejected rows with their reasons, tokens.
left() {
    query "SELECT (SELECT string_agg(id || sentiment || urgency || summary, ';' ORDER BY id) FROM marts.tickets) || '|' || (SELECT string_agg(kind || reason, ';' ORDER BY kind) FROM marts.tickets_rejected)"
    sed -nE 's/.*calls, [0-9]+ from the cache, ([0-9]+ \+ [0-9]+ tokens).*/\1/p' <<< "$out"
}
knob() { echo "$2" > "$WORK/s/$1"; }

for model in openai/gpt-5-mini compatible/small anthropic/claude-sonnet-4-5; do
    rm -f "$WORK"/s/{cut,ends,nostream}
    fresh; component "  model: $model"; out=$(run) || echo "$out"
    at_once=$(left)
    fresh; component "  model: $model" "  stream: true"; out=$(run) || echo "$out"
    is "$model: a stream gives the same rows, reasons and tokens" "$at_once" "$(left)"
    is "$model: asked as a stream" "true" "$(last 'str(r["body"].get("stream")).lower()')"
    for ends in cr crlf; do
        knob ends $ends; fresh; out=$(run) || echo "$out"
        is "$model: lines that end with $ends" "$at_once" "$(left)"
    done
    rm "$WORK/s/ends"
    knob nostream 1; fresh; out=$(run) || echo "$out"
    is "$model: a server that knows no streams" "$at_once" "$(left)"
    rm "$WORK/s/nostream"
    fresh; out=$(run --record tape) || echo "$out"
    rm -rf .dgc; before=$(requests); out=$(LLM_URL=$LLM_URL run --replay tape) || echo "$out"
    is "$model: from a tape" "$at_once $before" "$(left) $(requests)"
    rm -rf tape
done

# ---- Cut at every event ----
rows() { query "SELECT string_agg(id || answer, ';' ORDER BY id) FROM marts.tickets"; }
plain() { printf '%s\n' "type: dgc.Llm" "attributes:" "  from: raw/tickets" "  asset: marts/tickets" "  model: $1" '  base_url: "{{ env.LLM_URL }}"' '  prompt: "{{ row.body }}"' "  prices: {input: 1, output: 2}" \
    "  cache: false" "  stream: true" "${@:2}" > defs/llm/defs.yaml; }
printf 'id,body\n1,Why is the sky blue?\n' > tickets.csv
for model in openai/gpt-5-mini compatible/small anthropic/claude-sonnet-4-5; do
    rm -f "$WORK/s/cut"; fresh; plain "$model"; out=$(run) || echo "$out"
    whole=$(rows) good=0 events=0 seen=
    for way in "" " error"; do
        for n in $(seq 0 40); do
            # Another question each time: the server cuts the first answer to each.
            printf 'id,body\n1,Why is the sky blue?%s\n' "$(printf '%*s' $((n + ${#way} * 50)) '')" > tickets.csv
            knob cut "$n$way"; fresh
            out=$(run) || echo "$out"
            [ "$(requests)" = 1 ] && break # so many events there are
            events=$((events + 1))
            if [ "$(rows)" = "$whole" ] && [ "$(requests)" = 2 ]; then good=$((good + 1)); else seen="$seen $n$way:$(requests):$(rows)"; fi
        done
    done
    if [ $events -ge 12 ] && [ $good = $events ]; then echo "ok $model: cut or failed at each of $events events, and asked again"
    else echo "FAIL $model: $good of $events events:$seen"; failures=$((failures + 1)); fi
done

plain anthropic/claude-sonnet-4-5 "  retries: 1"
knob cut "5 always"; fresh; out=$(run); is "always cut: exit code" 69 $?
has "always cut: said" "the answer broke off after" "$out"
is "always cut: no table" "0" "$(query "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'marts' AND table_name = 'tickets'")"
rm "$WORK/s/cut"

component "  model: openai/gpt-5-mini" "  mode: batch" "  stream: true"
has "a batch is no stream" '`stream` and `mode: batch` exclude each other' "$("$DGC" check . 2>&1)"
printf 'id,body\n1,ENDLESS\n2,fine\n' > tickets.csv
plain compatible/small; fresh; out=$(run)
is "endless output is cut" "1 fine no" "$(query "SELECT count(*) || ' ' || (SELECT body FROM marts.tickets) FROM marts.tickets") $([ -e "$WORK/s/endless" ] && echo taken || echo no)"
finish
