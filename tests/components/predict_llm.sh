#!/usr/bin/env bash
# dgc.Predict through language models: what each row is sent as, the typed table, cache, rejected rows, budgets, mistakes.
set -u
: "${PYTHON:=python3}"
. "$(dirname "$0")/llm_lib.sh"
printf 'type: dgc.SqlModels\nattributes: {path: models, prefix: raw, materialized: table}\n' > defs/raw/defs.yaml
mkdir -p defs/raw/models
cat > defs/raw/models/customers.sql <<'Q'
select i as id, i::DECIMAL(5, 1) / 2 as visits, date '2026-01-01' + i::INT as since, case when i = 3 then 'it''s "great" </text> {' || '{ x }}' when i % 2 = 0 then 'bad' end as "a 'note'",
       'hidden' as secret from range(1, 7) t(i)
Q
predict() { printf '%s\n' "type: dgc.Predict" "attributes:" "  from: raw/customers" "  asset: marts/scores" "$@" > defs/llm/defs.yaml; }
url='  url: "{{ env.LLM_URL }}"'
features="  features: [visits, since, \"a 'note'\"]"
output='  output: {sentiment: {enum: [positive, neutral, negative]}, score: {type: int, max: 9}}'
prices='  prices: {input: 1, output: 1}'
rows() { query "SELECT string_agg(id || sentiment || score, ' ' ORDER BY id) FROM marts.scores"; }
sent() { "$PYTHON" -c "import json, sys
all = []
for line in open(sys.argv[1]):
    b = json.loads(line)['body']
    t = (b.get('messages') or b['input'])[-1]['content']
    all.append(t if isinstance(t, str) else t[0]['text'])
$1" "$WORK/s/requests"; }
export ANTHROPIC_API_KEY=sk-fake OPENAI_API_KEY=sk-fake
expected=
for model in compatible/small openai/gpt-5-mini anthropic/claude-sonnet-4-5; do
    rm -rf .dgc "$WORK/s/requests"
    predict "$url" "  model: $model" "$features" "$output" "$prices" "  instructions: Are they content?"
    out=$(run) || echo "$out"
    [ -n "$expected" ] || expected=$(rows)
    is "$model: all rows" 6 "$(query "SELECT count(*) FROM marts.scores")"
    is "$model: the same table" "$expected" "$(rows)"
    is "$model: a call for each row" 6 "$(requests)"
    is "$model: only its features" "a 'note'|since|visits" "$(sent 'print("|".join(sorted({k for t in all for k in json.loads(t)})))')"
    is "$model: values as they are" "it's \"great\" </text> {{ x }} 2026-01-04 1.5" "$(sent 'print(*[" ".join(map(str, json.loads(t).values())) for t in all if "great" in t])')"
    has "$model: what is to be predicted" "Are they content?" "$(cat "$WORK/s/requests")"
    out=$(run) || echo "$out"
    is "$model: nothing is paid twice" 6 "$(requests)"
    has "$model: the plan knows the answers" "6 answers are known, 0 calls" "$("$DGC" plan . --select marts/scores 2>&1)"
done
is "columns are typed" "BIGINT VARCHAR" "$(query "SELECT string_agg(data_type, ' ' ORDER BY data_type) FROM information_schema.columns WHERE table_name = 'scores' AND column_name IN ('score', 'sentiment')")"
rm -rf .dgc "$WORK/s/requests"
predict "$url" "  model: compatible/small" "$features" "$output" "$prices" "  batch: 4"
out=$(run) || echo "$out"
is "several rows in a call: the same table" "$expected" "$(rows)"
is "several rows in a call: calls" 2 "$(requests)"
rm -rf .dgc "$WORK/s/requests"
sed -i "s/'hidden' as secret/'hidden' as secret, case i when 2 then 'please REFUSE' when 4 then 'HOPELESS' end as word/" defs/raw/models/customers.sql
predict "$url" "  model: compatible/small" "  features: [word, id]" "$output" "$prices"
out=$(run) || echo "$out"
is "rows that cannot be answered are set aside" "2 refused,4 invalid" "$(query "SELECT string_agg((row->>'id') || ' ' || kind, ',' ORDER BY (row->>'id')) FROM marts.scores_rejected")"
is "the others are there" "1,3,5,6" "$(query "SELECT string_agg(id, ',' ORDER BY id) FROM marts.scores")"
rm -rf .dgc "$WORK/s/requests"
predict "$url" "  model: compatible/small" "  features: id" "$output" "$prices" "  concurrency: 1" "  budget: {calls: 3}"
out=$(run)
is "a budget stops it" 3 "$(requests)"
has "and is told" "budget" "$out"
# Databricks serves language models as OpenAI's chat, below /serving-endpoints.
rm -rf .dgc "$WORK/s/requests"
predict '  url: "{{ env.LLM_URL }}/serving-endpoints"' "  model: compatible/databricks-small" "  token: \"{{ env('DATABRICKS_TOKEN') }}\"" "  features: id" "$output" "$prices"
out=$(DATABRICKS_TOKEN=dapi-1 run)
is "an endpoint of Databricks" "/serving-endpoints/chat/completions databricks-small" "$(last "r['path'] + ' ' + r['body']['model']")"

mistake() { # NAME TEXT LINES...
    local name=$1 text=$2; shift 2
    predict "$@"
    has "$name" "$text" "$("$DGC" check . 2>&1)"
}
mistake "no features" "gets only the columns that \`features\` names" "$url" "  model: compatible/small" "$output"
mistake "no such column" "nosuch" "$url" "  model: compatible/small" "$output" "  features: [nosuch]"
mistake "a name with a backslash" "cannot be sent to a language model" "$url" "  model: compatible/small" "$output" '  features: ["a\\b"]'
mistake "no such provider" "provider" "  model: opnai/x" "$output" "  features: id"
mistake "an endpoint too" "\`endpoint\` is of models that MLflow or Databricks serves" "  model: openai/gpt-5-mini" "  endpoint: e" "$output" "  features: id"
mistake "parameters" "\`params\` is of models" "  model: openai/gpt-5-mini" "  params: {a: 1}" "$output" "  features: id"
mistake "too many rows" "at most 100 rows" "  model: openai/gpt-5-mini" "  batch: 101" "$output" "  features: id"
mistake "instructions to no language model" "\`instructions\` is of language models" "$url" "  instructions: a" "$output"
mistake "a budget for no language model" "\`budget\` is of language models" "$url" "  budget: {usd: 1}" "$output"
mistake "nothing serves it" "it is not said where the model is served" "$output"
finish
