#!/usr/bin/env bash
# dgc.Llm against a server that answers by rules: answers, repairs, refusals, the cache, budgets, keys, tapes, mistakes.
set -u
. "$(dirname "$0")/llm_lib.sh"
cat > defs/raw/defs.yaml <<'YAML'
type: dgc.Files
attributes: {path: ../../tickets.csv, asset: raw/tickets}
YAML
cat > tickets.csv <<'CSV'
id,body
1,I love this
2,This is bad
3,"It is ok, I guess"
4,I love this
5,please REFUSE this
6,INVALID but mendable
7,HOPELESS case
8,CUT me off
9,BUSY now
10,BROKEN now
11,BAD one
CSV
component() { # LINES...: defs/llm/defs.yaml
    printf '%s\n' "type: dgc.Llm" "attributes:" "  from: raw/tickets" "  asset: marts/tickets" "$@" > defs/llm/defs.yaml
}
ask='  prompt: "Customer wrote: {{ row.body }}"'
output='  output: {sentiment: {enum: [positive, neutral, negative]}, urgency: int, summary: string}'

# ---- Three interfaces, the same table ----
expected=
for model in openai/gpt-5-mini compatible/small anthropic/claude-sonnet-4-5; do
    rm -rf .dgc "$WORK/s/requests"
    component "  model: $model" '  base_url: "{{ env.LLM_URL }}"' "$ask" "$output" "  system: You sort letters." "  prices: {input: 1, output: 2}" "  max_tokens: 300"
    out=$(run) || echo "$out"
    rows=$(query "SELECT string_agg(id || sentiment || urgency || summary, ';' ORDER BY id) FROM marts.tickets")
    [ -n "$expected" ] || expected=$rows
    is "$model: rows" "$expected" "$rows"
    is "$model: rows in number" 7 "$(query "SELECT count(*) FROM marts.tickets")"
    is "$model: rejected" "cut,failed,invalid,refused" "$(query "SELECT string_agg(kind, ',' ORDER BY kind) FROM marts.tickets_rejected")"
    is "$model: why" "true" "$(query "SELECT bool_and(reason <> '' AND json_valid(\"row\")) FROM marts.tickets_rejected")"
    # 10 questions (4 repeats 1), one mended, HOPELESS twice mended, BUSY and BROKEN twice
    is "$model: requests" 15 "$(requests)"
    out=$(run)
    # Only what was refused as a request is asked again.
    is "$model: again" 16 "$(requests)"
    has "$model: from the cache" "13 from the cache" "$out"
done
is "types" "BIGINT VARCHAR VARCHAR BIGINT VARCHAR" "$(query "SELECT string_agg(data_type, ' ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema = 'marts' AND table_name = 'tickets'")"

# ---- What is sent ----
printf 'id,body\n1,"Say ""hi"" to {{ row.id }}"\n' > tickets.csv
sent() { rm -rf .dgc "$WORK/s/requests"; out=$(run) || echo "$out"; }
component "  model: openai/gpt-5-mini" '  base_url: "{{ env.LLM_URL }}/v1/"' "$ask" "  system: Be brief." "  effort: low" "  temperature: 0" "  max_tokens: 50"
OPENAI_API_KEY=sk-planted sent
is "responses: path" "/v1/responses" "$(last 'r["path"]')"
is "responses: key" "Bearer sk-planted" "$(last 'r["headers"]["Authorization"]')"
is "responses: body" '{"model": "gpt-5-mini", "instructions": "Be brief.", "input": [{"role": "user", "content": [{"type": "input_text", "text": "Customer wrote: Say \"hi\" to {{ row.id }}"}]}], "max_output_tokens": 50, "temperature": 0, "reasoning": {"effort": "low"}, "store": false}' "$(last 'json.dumps(r["body"])')"
is "an answer that is text" "answer to: Customer wrote: Say \"hi\" to {{ row.id }}" "$(query "SELECT answer FROM marts.tickets")"
component "  model: compatible/small" '  base_url: "{{ env.LLM_URL }}/v1"' "$ask" "  output: {ok: bool, at: date, tags: 'string[]'}" "  examples: [{input: a, output: '{}'}]" '  api_key: "{{ env.MY_TOKEN }}"' "  keep: id"
MY_TOKEN=tok-planted sent
is "chat: path" "/v1/chat/completions" "$(last 'r["path"]')"
is "chat: key" "Bearer tok-planted" "$(last 'r["headers"]["Authorization"]')"
is "chat: messages" "user a,assistant {},user Customer wrote: Say \"hi\" to {{ row.id }}" "$(last '",".join(m["role"] + " " + m["content"] for m in r["body"]["messages"])')"
is "chat: schema" '{"type": "object", "properties": {"ok": {"type": "boolean"}, "at": {"type": "string", "format": "date"}, "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["ok", "at", "tags"], "additionalProperties": false}' "$(last 'json.dumps(r["body"]["response_format"]["json_schema"]["schema"])')"
is "chat: columns" "id ok at tags" "$(query "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema = 'marts' AND table_name = 'tickets'")"
component "  model: anthropic/claude-haiku-4-5" '  base_url: "{{ env.LLM_URL }}"' "  task: sentiment" "  text: body"
ANTHROPIC_API_KEY=ak-planted sent
is "messages: path" "/v1/messages" "$(last 'r["path"]')"
is "messages: key" "Bearer ak-planted 2026-10-21" "$(last 'r["headers"]["Authorization"] + " " + r["headers"]["anthropic-version"]')"
is "messages: most tokens" "4096" "$(last 'r["body"]["max_tokens"]')"
has "messages: the rule is kept by the service" "'cache_control': {'type': 'ephemeral'}" "$(last 'r["body"]["system"]')"
is "messages: the text is marked as data" "<text>\\nSay \"hi\" to {{ row.id }}\\n</text>" "$(last 'r["body"]["messages"][0]["content"].replace(chr(10), "\\n")')"
is "messages: a schema" "['positive', 'neutral', 'negative']" "$(last 'r["body"]["output_config"]["format"]["schema"]["properties"]["sentiment"]["enum"]')"
component "  model: compatible/small" '  base_url: "{{ env.LLM_URL }}"' "  task: sentiment" "  text: body" '  system: "Irony counts in {{ env.LLM_URL[:4] }}."'
sent
has "a task and a system: the task's rule" "Judge the sentiment of the text's author. The text stands between <text> and </text>." "$(last 'r["body"]["messages"][0]["content"]')"
has "a task and a system: the system" "Irony counts in http." "$(last 'r["body"]["messages"][0]["content"]')"
component "  model: compatible/small" '  base_url: "{{ env.LLM_URL }}"' "  task: sentiment" "$ask"
sent
is "a task and a prompt: no marks are told of" "Judge the sentiment of the text's author." "$(last 'r["body"]["messages"][0]["content"]')"
if grep -rqa "planted" .dgc; then echo "FAIL keys are kept nowhere"; failures=$((failures + 1)); else echo "ok keys are kept nowhere"; fi

# ---- Failures of the whole ----
code() { # NAME CODE TEXT: of a run
    rm -rf .dgc "$WORK/s/requests"
    out=$(run); got=$?
    is "$1: exit code" "$2" "$got"
    has "$1" "$3" "$out"
}
component "  model: openai/gpt-5-mini" "$ask"
unset OPENAI_API_KEY
code "no key" 78 "OPENAI_API_KEY is not set"
component "  model: openai/gpt-5-mini" "$ask" '  base_url: "{{ env.LLM_URL }}"'
OPENAI_API_KEY=wrong code "a wrong key" 77 "Incorrect API key provided (HTTP 401)"
component "  model: compatible/nosuch" "$ask" '  base_url: "{{ env.LLM_URL }}"'
code "no such model" 78 'does not exist (HTTP 404)'
printf 'id,body\n1,BAD\n2,BAD 2\n3,BAD 3\n4,BAD 4\n5,BAD 5\n' > tickets.csv
component "  model: compatible/small" "$ask" '  base_url: "{{ env.LLM_URL }}"' "  concurrency: 1"
code "nothing but refused requests" 65 "this prompt is too long (HTTP 400)"
is "and not all are tried" yes "$([ "$(requests)" -lt 5 ] && echo yes)"
printf 'id,body\n1,QUOTA\n' > tickets.csv
code "no money" 75 "You exceeded your current quota"
is "is not tried again" 1 "$(requests)"
component "  model: compatible/small" "$ask" '  base_url: "http://127.0.0.1:9"' "  retries: 1"
code "nobody there" 69 "could not ask compatible/small"

# ---- Budgets ----
{ echo id,body; for i in $(seq 40); do echo "$i,letter $i"; done; } > tickets.csv
component "  model: compatible/small" "$ask" '  base_url: "{{ env.LLM_URL }}"' "  budget: {calls: 10}"
code "a budget of calls" 75 "the budget of 10 calls is used up after 10 rows"
is "calls made" 10 "$(requests)"
component "  model: compatible/small" "$ask" '  base_url: "{{ env.LLM_URL }}"' "  budget: {calls: 40}"
out=$(run) || echo "$out"
is "the next run pays for the rest alone" 40 "$(requests)"
is "all rows" 40 "$(query "SELECT count(*) FROM marts.tickets")"
component "  model: compatible/small" "$ask" '  base_url: "{{ env.LLM_URL }}"' "  prices: {input: 1000, output: 1000}" "  budget: {usd: 0.1}" "  max_tokens: 10" "  cache: false"
code "a budget of money" 75 "the budget of US\$ 0.10 is used up"
spent=$("$PYTHON" -c 'import json, sys; print(sum(len(m["content"]) // 4 + 1 + len("answer to: " + m["content"]) // 4 + 1 for l in open(sys.argv[1]) for m in json.loads(l)["body"]["messages"]) / 1000)' "$WORK/s/requests")
is "is kept but for one call" True "$("$PYTHON" -c "print(0.08 < $spent < 0.13)")"
component "  model: compatible/small" "$ask" '  base_url: "{{ env.LLM_URL }}"' "  limit: 3"
rm -rf .dgc "$WORK/s/requests"; out=$(run)
is "a trial" "3 3" "$(requests) $(query "SELECT count(*) FROM marts.tickets")"
"$DGC" build . -o p.bin > /dev/null 2>&1
component "  model: compatible/small" "$ask" '  base_url: "{{ env.LLM_URL }}"' "  prices: {input: 1, output: 1}"
"$DGC" build . -o p.bin > /dev/null 2>&1
has "plan tells what it will cost" "asks compatible/small about 40 rows: 3 answers are known, 37 calls" "$(./p.bin plan 2>&1)"
is "and asks nobody" 3 "$(requests)"
component "  model: compatible/small" "$ask" '  base_url: "{{ env.LLM_URL }}"'
"$DGC" build . -o p.bin > /dev/null 2>&1
has "plan tells that a price is not known" "the price of compatible/small is not known" "$(./p.bin plan 2>&1)"

# ---- Tapes ----
printf 'id,body\n1,I love it\n2,INVALID\n' > tickets.csv
component "  model: openai/gpt-5-mini" '  base_url: "{{ env.LLM_URL }}"' "$ask" "$output"
rm -rf .dgc "$WORK/s/requests"
out=$(OPENAI_API_KEY=sk-planted-2 run --record "$WORK/tape") || echo "$out"
is "a tape" 3 "$(find "$WORK/tape" -name '*.json' | wc -l)"
if grep -rq "planted" "$WORK/tape"; then echo "FAIL no key on the tape"; failures=$((failures + 1)); else echo "ok no key on the tape"; fi
before=$(query "SELECT string_agg(id || summary, ';' ORDER BY id) FROM marts.tickets")
rm -rf .dgc "$WORK/s/requests"
out=$(run --replay "$WORK/tape") || echo "$out"
is "replayed: nobody is asked" 0 "$(requests)"
is "replayed: rows" "$before" "$(query "SELECT string_agg(id || summary, ';' ORDER BY id) FROM marts.tickets")"
echo "3,new" >> tickets.csv
rm -rf .dgc
out=$(run --replay "$WORK/tape"); is "what is not on the tape" 78 $?
has "says so" "the tape has no answer to this POST" "$out"

# ---- Mistakes ----
mistake() { # NAME TEXT LINES...
    local name=$1 text=$2; shift 2
    component "$@"
    has "$name" "$text" "$("$DGC" check . 2>&1)"
}
mistake "no prompt" 'there is no `prompt`' "  model: openai/gpt-5"
mistake "no provider" 'does not name its provider' "  model: gpt-5" "$ask"
mistake "another provider" 'a similar provider exists: `anthropic`' "  model: antropic/claude" "$ask"
mistake "a column" 'has no column `bdy`' "  model: openai/gpt-5" '  prompt: "{{ row.bdy }}"'
mistake "a task's column" 'has no column `bdy`' "  model: openai/gpt-5" "  task: summarize" "  text: bdy"
mistake "a kept column" '`nope`' "  model: openai/gpt-5" "$ask" "  keep: [nope]"
mistake "a type" 'string, int, float' "  model: openai/gpt-5" "$ask" "  output: {n: number}"
mistake "a seed for /responses" '`openai` takes no `seed` at /responses' "  model: openai/gpt-5" "$ask" "  seed: 7"
mistake "a seed for Anthropic" '`anthropic` takes no `seed`' "  model: anthropic/claude-opus-4-5" "$ask" "  seed: 7"
mistake "an effort" '`anthropic` has no effort `minimal`' "  model: anthropic/claude-opus-4-5" "$ask" "  effort: minimal"
mistake "labels" 'needs `labels`' "  model: openai/gpt-5" "  task: classify" "  text: body"
finish
