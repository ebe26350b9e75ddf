#!/usr/bin/env bash
# `plan --count`: the service counts the tokens of some questions, for free; without it, and where a service does not count, nobody is asked.
set -u
: "${PYTHON:=python3}"
. "$(dirname "$0")/llm_lib.sh"
printf 'type: dgc.Files\nattributes: {path: ../../tickets.csv, asset: raw/tickets}\n' > defs/raw/defs.yaml
component() { printf '%s\n' "type: dgc.Llm" "attributes:" "  from: raw/tickets" "  asset: marts/tickets" '  prompt: "Customer wrote: {{ row.body }}"' '  base_url: "{{ env.LLM_URL }}"' "$@" > defs/llm/defs.yaml; }
plan() { "$DGC" plan . --select marts/tickets "$@" 2>&1; }
read_tokens() { sed -n 's/.*about \([0-9]*\) + .*/\1/p' <<< "$1"; }
letters() { { echo id,body; for i in $(seq "$1"); do echo "$i,letter $i${2:-}"; done; } > tickets.csv; rm -rf .dgc "$WORK/s/requests"; "$DGC" run . --select raw/tickets --progress none; }
export ANTHROPIC_API_KEY=sk-fake
component "  model: anthropic/claude-sonnet-4-5"
letters 50
out=$(plan)
is "a plan asks nobody" 0 "$(requests)"
is "and estimates" yes "$([ "$(read_tokens "$out")" -lt 10000 ] && echo yes)"
out=$(plan --count)
is "asked to count: of some questions" 20 "$(requests)"
is "nothing but counts" 20 "$(grep -c '"path": "/v1/messages/count_tokens"' "$WORK/s/requests")"
is "for all rows" 50000 "$(read_tokens "$out")"
has "is told" "counted by the service for 20" "$out"
is "no limits, which are not counted" "['messages', 'model']" "$(last "sorted(r['body'])")"
is "no answers are kept" 0 "$(sqlite3 .dgc/answers.db 'SELECT count(*) FROM answers' 2> /dev/null || echo 0)"
out=$(run) || echo "$out"
rm "$WORK/s/requests"
out=$(plan --count)
is "answers that are known are not counted" 0 "$(requests)"
component "  model: anthropic/claude-sonnet-4-5" "  pack: 5"
letters 10
out=$(plan --count)
is "packed: counted too" 10 "$(requests)"
component "  model: anthropic/claude-sonnet-4-5"
letters 3 " NOCOUNT"
has "what the service says against it is told" "cannot be counted" "$(plan --count)"
letters 3 " ODD"
has "what is no count is told" "the answer has no \`input_tokens\`" "$(plan --count)"
component "  model: compatible/small"
letters 3
has "a service that does not count is not asked" "tokens are estimated: compatible does not count" "$(plan --count)"
is "indeed" 0 "$(requests)"
component "  model: anthropic/claude-sonnet-4-5"
sed -i '/base_url/d' defs/llm/defs.yaml
out=$(env -u ANTHROPIC_API_KEY "$DGC" plan . --select marts/tickets --count 2>&1)
has "a key is needed for it" "ANTHROPIC_API_KEY is not set" "$out"
out=$("$DGC" run . --count 2>&1)
is "of plan alone" 2 $?
finish
