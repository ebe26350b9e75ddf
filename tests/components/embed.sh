#!/usr/bin/env bash
# dgc.Embed against a server that answers by rules, and by words alone: vectors, the cache, budgets, mistakes.
set -u
. "$(dirname "$0")/llm_lib.sh"
cat > defs/raw/defs.yaml <<'YAML'
type: dgc.Files
attributes: {path: ../../chunks.csv, asset: rag/chunks}
YAML
component() { printf '%s\n' "type: dgc.Embed" "attributes:" "  from: rag/chunks" "  asset: rag/embeddings" "$@" > defs/rag/defs.yaml; }

{ echo id,text; for i in $(seq 25); do echo "$i,chunk $((i % 20))"; done; echo '26,'; echo '27,"  "'; } > chunks.csv
component "  model: openai/text-embedding-3-small" '  base_url: "{{ env.LLM_URL }}"' "  batch: 6" "  dimensions: 8"
out=$(run) || echo "$out"
is "rows" "27 25 20" "$(query "SELECT count(*) || ' ' || count(embedding) || ' ' || count(DISTINCT embedding) FROM rag.embeddings")"
is "type" "FLOAT[8]" "$(query "SELECT typeof(embedding) FROM rag.embeddings LIMIT 1")"
is "requests of at most six texts" 4 "$(requests)"
is "what is sent" "text-embedding-3-small 8 base64" "$(head -n 1 "$WORK/s/requests" | "$PYTHON" -c 'import json, sys; b = json.loads(sys.stdin.read())["body"]; print(b["model"], b["dimensions"], b["encoding_format"])')"
# Each text has its own vector, though answers come in another order.
expected=$("$PYTHON" - <<'PY'
import hashlib
h = hashlib.sha256(b"chunk 7").digest(); v = [b / 255 - 0.5 for b in h[:8]]; n = sum(x * x for x in v) ** 0.5
print(" ".join("%.4f" % (x / n) for x in v))
PY
)
is "the vector of a text" "$expected" "$(query "SELECT list_aggregate(list_transform(embedding::FLOAT[], x -> printf('%.4f', x)), 'string_agg', ' ') FROM rag.embeddings WHERE id = 7")"
echo "28,new" >> chunks.csv
out=$(run) || echo "$out"
is "only what is new is asked" 5 "$(requests)"
has "the rest stands in the table" "1 calls, 0 from the cache" "$out"
out=$(run --full-refresh) || echo "$out"
has "a full refresh takes it from the cache" "0 calls, 21 from the cache" "$out"
rm .dgc/p.duckdb
out=$(run) || echo "$out"
is "a lost warehouse costs nothing" "5 28" "$(requests) $(query "SELECT count(*) FROM rag.embeddings")"

# The table is brought up to date: a vector marked by hand shows which rows were written.
mark() { query "UPDATE rag.embeddings SET embedding = array_value(9::FLOAT, 0, 0, 0, 0, 0, 0, 0) WHERE $1" "SELECT ''" > /dev/null; }
marked() { query "SELECT coalesce(string_agg(id, ',' ORDER BY id), '') FROM rag.embeddings WHERE embedding[1] = 9"; }
sound() { query "SELECT count(*) || ' ' || count(embedding) FROM rag.embeddings"; }
wrong() { # rows that are not the source's, with or without a vector; each as often
    query "SELECT count(*) FROM ((SELECT id, text, text IS NOT NULL AND trim(text) <> '' AS has FROM rag.chunks EXCEPT ALL SELECT id, text, embedding IS NOT NULL FROM rag.embeddings) UNION ALL
        (SELECT id, text, embedding IS NOT NULL FROM rag.embeddings EXCEPT ALL SELECT id, text, text IS NOT NULL AND trim(text) <> '' FROM rag.chunks))"
}
{ echo id,text; for i in 1 2 3 3 3 4; do echo "$i,part $i"; done; echo 5,; echo 6,; } > chunks.csv
out=$(run) || echo "$out"
is "equal rows" "8 6 0" "$(sound) $(wrong)"
mark "id IN (1, 2)"
out=$(run) || echo "$out"
is "nothing has changed, nothing is written" "1,2 8 6" "$(marked) $(sound)"
before=$(requests)
{ echo id,text; for i in 1 3 3 4; do echo "$i,part $i"; done; echo "7,part 2"; echo "8,part 8"; echo 6,; } > chunks.csv
out=$(run) || echo "$out"
is "rows that went, fewer equal ones, a text that moved" "7 6 0" "$(sound) $(wrong)"
is "a text that moved keeps its vector" "1,7" "$(marked)"
is "one new text, one call" $((before + 1)) "$(requests)"
component "  model: openai/text-embedding-3-large" '  base_url: "{{ env.LLM_URL }}"' "  batch: 6"
out=$(run) || echo "$out"
is "another model: all anew" " $((before + 2))" "$(marked) $(requests)"
{ echo id,text,lang; echo "1,part 1,en"; } > chunks.csv
out=$(run) || echo "$out"
is "another column: all anew" "id,text,lang,embedding 1" "$(query "SELECT (SELECT string_agg(column_name) FROM (DESCRIBE rag.embeddings)) || ' ' || count(*) FROM rag.embeddings")"
query "CREATE OR REPLACE TABLE rag.embeddings AS SELECT id, text, lang, [9, 0, 0, 0, 0, 0, 0, 0]::FLOAT[8] AS embedding FROM rag.embeddings" "SELECT ''" > /dev/null
is "a table that somebody else made" 1 "$(marked)"
out=$(run) || echo "$out"
is "a table that somebody else made: all anew" "" "$(marked)"

rm -rf .dgc "$WORK/s/requests"
component "  model: openai/text-embedding-3-small" '  base_url: "{{ env.LLM_URL }}"' "  batch: 4" "  concurrency: 1" "  budget: {calls: 2}"
{ echo id,text; for i in $(seq 25); do echo "$i,chunk $((i % 20))"; done; } > chunks.csv
out=$(run); is "a budget: exit code" 75 $?
has "a budget" "the budget of 2 calls is used up" "$out"
is "a budget: requests" 2 "$(requests)"
component "  model: openai/text-embedding-3-small" '  base_url: "{{ env.LLM_URL }}"' "  batch: 4"
out=$(run) || echo "$out"
has "the next run continues" "8 from the cache" "$out"

rm -rf .dgc
{ echo id,text; echo 1,short; echo "2,$(head -c 40000 /dev/zero | tr '\0' a)"; } > chunks.csv
out=$(run); is "a text too long: exit code" 65 $?
has "a text too long: the service's words" "maximum context length is 8192 tokens" "$out"
has "a text too long: what to do" "has about 10001 tokens, and models take some 8191: cut texts with dgc.Documents" "$out"

rm -rf .dgc
component "  into: vector"
cat > chunks.csv <<'CSV'
id,text
1,Refunds are paid within five days of the return.
2,Our office is closed on Sundays and holidays.
3,The warranty covers two years from the day of purchase.
4,You can return any item for a refund within thirty days.
5,返金は五日以内に行われます
6,営業時間は九時からです
CSV
out=$(run) || echo "$out"
is "words alone: type" "FLOAT[384]" "$(query "SELECT typeof(vector) FROM rag.embeddings LIMIT 1")"
is "words alone: length" "1.000" "$(query "SELECT printf('%.3f', min(array_inner_product(vector, vector))) FROM rag.embeddings")"
near() { query "SELECT b.id FROM rag.embeddings a, rag.embeddings b WHERE a.id = $1 AND b.id <> $1 ORDER BY array_inner_product(a.vector, b.vector) DESC LIMIT 1"; }
is "words alone: what shares words is near" 4 "$(near 1)"
is "words alone: without spaces" 6 "$(near 5)"

mistake() { # NAME TEXT LINES...
    local name=$1 text=$2; shift 2
    component "$@"
    has "$name" "$text" "$("$DGC" check . 2>&1)"
}
mistake "a column" 'not a column of `rag/chunks`' "  column: body"
mistake "no embeddings" '`anthropic` has no embeddings' "  model: anthropic/claude-haiku-4-5"
mistake "a provider" 'a similar provider exists: `openai`' "  model: opnai/text-embedding-3-small"
finish
