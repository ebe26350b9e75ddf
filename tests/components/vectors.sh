#!/usr/bin/env bash
# dgc.VectorIndex and dgc.VectorSearch: DuckDB, and the stores that are services against a fake that is as strict as they are. What
# each store finds is compared with what DuckDB finds, which is exact. Real servers: make conformance.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
command -v python3 > /dev/null || { echo "ok vector stores not tested: no python3"; exit 0; }
python3 "$ROOT/tests/servers/vector_stores.py" "$WORK/port" > "$WORK/fake.log" 2>&1 &
fake=$!
trap 'kill $fake 2> /dev/null; rm -rf "$WORK"' EXIT
for _ in $(seq 100); do [ -s "$WORK/port" ] && break; sleep 0.1; done
export STORE_URL=http://127.0.0.1:$(cat "$WORK/port") QDRANT_KEY=qk-test PINECONE_KEY=pk-test NO_COLOR=1

ask() { python3 - "$STORE_URL" "$@" <<'P'
import json, sys, urllib.request
url, path, *rest = sys.argv[1:]
r = urllib.request.Request(url + path, data=rest[0].encode() if rest else None)
print(urllib.request.urlopen(r).read().decode())
P
}
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
counts() { # STEP: sent removed skipped of the last --json run
    python3 - "$WORK/log" "$1" <<'P'
import json, sys
text = open(sys.argv[1]).read()
run = json.JSONDecoder().raw_decode(text[text.index("{\n"):])[0]
step = next(s for s in run["steps"] if s["step"] == sys.argv[2])
m = {x["name"]: x["value"] for x in step["metadata"]}
print(*(m.get(k, "-") for k in ("sent", "removed", "skipped")))
P
}
dgc() { (cd "$WORK/p" && "$DGC" run --json --progress none "$@"); }

stores="chroma qdrant pinecone"
where() {
    case $1 in
    qdrant) echo "store: qdrant, url: \"{{ env('STORE_URL') }}\", api_key: \"{{ env('QDRANT_KEY') }}\"" ;;
    pinecone) echo "store: pinecone, url: \"{{ env('STORE_URL') }}\", api_key: \"{{ env('PINECONE_KEY') }}\", namespace: a" ;;
    chroma) echo "store: chroma, url: \"{{ env('STORE_URL') }}\"" ;;
    esac
}
mkdir -p "$WORK/p/defs/rag/models" "$WORK/p/defs/index"
printf 'name: v\n' > "$WORK/p/dgc.yaml"
printf 'type: dgc.SqlModels\nattributes: {path: models, prefix: rag, materialized: table}\n' > "$WORK/p/defs/rag/defs.yaml"
# rows FROM TO WORDS: the table of embeddings. Row 7 has no text, 8 no numbers, 9 only zeros; one id is not ASCII.
rows() {
    cat > "$WORK/p/defs/rag/models/embeddings.sql" <<Q
select case when i = 5 then 'dé "5"' else 'd' || i end as id, case when i = 7 then null else '$3 ' || (i // 100) || ' "\\ ' || i end as text,
       case when i = 8 then null when i = 9 then [0, 0, 0, 0] else [sin(i), cos(i * 7), i / 1000.0, 0.5] end::FLOAT[4] as embedding,
       i as n, case when i % 3 = 0 then 'de' else 'en' end as lang, i % 2 = 0 as even, i / 8 as share, case when i % 5 = 0 then 'x' end as note
from range($1, $2) t(i)
Q
}
rows 0 1500 text
cat > "$WORK/p/defs/rag/models/questions.sql" <<'Q'
select 'q' || i as id, [sin(i + 0.001), cos(i * 7), i / 1000.0, 0.5]::FLOAT[4] as embedding, case when i % 2 = 0 then ['d' || i] end as wanted from range(20, 140) t(i)
Q
{
    echo "type: dgc.VectorIndex"
    echo "attributes: {from: rag/embeddings, collection: docs}"
    echo "---"
    echo "type: dgc.VectorSearch"
    echo "attributes: {index: index/docs, queries: rag/questions, asset: found/duckdb, top_k: 4, filter: {n: {lt: 1000}, lang: [en], even: true, share: {gte: 0.5}, note: {ne: y}},"
    echo "  expect: {relevant: wanted, recall: 0.6, mrr: 0.6, k: 2, severity: warn}}"
    for store in $stores; do
        echo "---"
        echo "type: dgc.VectorIndex"
        echo "attributes: {from: rag/embeddings, asset: $store/docs, $(where "$store")}"
        echo "---"
        echo "type: dgc.VectorSearch"
        echo "attributes: {index: $store/docs, queries: rag/questions, asset: found/$store, top_k: 4, $(where "$store"),"
        echo "  filter: {n: {lt: 1000}, lang: [en], even: true, share: {gte: 0.5}, note: {ne: y}}}"
        echo "---"
        echo "type: dgc.Checks"
        echo "attributes:"
        echo "  asset: found/$store"
        echo "  checks:"
        echo "    - {name: same, sql: \"select * from {{ this }} f full join {{ ref('found/duckdb') }} d on f.query_id = d.query_id and f.rank = d.rank where f.id is distinct from d.id"
        echo "        or coalesce(f.text, '') is distinct from coalesce(d.text, '') or abs(f.score - d.score) > 0.00001 or (f.metadata->>'note') is distinct from (d.metadata->>'note')"
        echo "        or (f.metadata->>'n') is distinct from (d.metadata->>'n')\"}"
        echo "    - {row_count: {min: 400}}"
    done
} > "$WORK/p/defs/index/defs.yaml"

expect "check is clean" in_folder "$WORK/p" "$DGC" check
expect "all stores are filled, and find what DuckDB finds" dgc
for s in index chroma qdrant pinecone; do is "$s: first run" "1498 0 2" "$(counts "${s}__docs")"; done
expect_text '"name": "recall_at_2", "passed": true' "recall is good enough"
expect "a second run" dgc
for s in index chroma qdrant pinecone; do is "$s: nothing is sent twice" "0 0 2" "$(counts "${s}__docs")"; done
ask /fake/dump > "$WORK/dump1"

expect "searches are recorded" dgc --select found/chroma --select found/pinecone --record "$WORK/tape"
is "no key is on the tape" "" "$(grep -rl pk-test "$WORK/tape")"
kill -STOP $fake
expect "and replayed with nobody there" dgc --select found/chroma --select found/pinecone --replay "$WORK/tape"
kill -CONT $fake

# 100 rows have gone (two of them were never there), 100 are new, of one hundred the text is another and the note is gone.
rows 100 1600 text
sed -i "s|(i // 100)|case when i // 100 = 5 then -1 else i // 100 end|; s|when i % 5 = 0 then 'x'|when i % 5 = 0 and i // 100 <> 5 then 'x'|" "$WORK/p/defs/rag/models/embeddings.sql"
expect "after changes" dgc
for s in index chroma qdrant pinecone; do is "$s: only changes are sent" "200 98 0" "$(counts "${s}__docs")"; done
ask /fake/dump > "$WORK/changed"
expect "a full refresh" dgc --full-refresh
for s in index chroma qdrant; do is "$s: all is sent anew" "1500 0 0" "$(counts "${s}__docs")"; done
ask /fake/dump > "$WORK/refreshed"
is "a full refresh leaves what changes left" "$(cksum < "$WORK/changed")" "$(cksum < "$WORK/refreshed")"

# The store forgot some: the counts tell, and the store is listed.
sed -i 's/select/select /' "$WORK/p/defs/rag/models/questions.sql"
python3 - "$STORE_URL" <<'P'
import json, sys, urllib.request
def post(path, body, **headers):
    urllib.request.urlopen(urllib.request.Request(sys.argv[1] + path, data=json.dumps(body).encode(), headers=headers)).read()
base = "/api/v2/tenants/default_tenant/databases/default_database/collections"
uuid = json.load(urllib.request.urlopen(sys.argv[1] + base + "/docs"))["id"]
post(f"{base}/{uuid}/delete", {"ids": ["d200", "d201"]})
post("/data/docs/vectors/delete", {"ids": ["d300"], "namespace": "a"}, **{"Api-Key": "pk-test", "X-Pinecone-Api-Version": "2025-10"})
P
expect "after others have deleted" dgc
is "chroma: what is missing is sent" "2 0 0" "$(counts chroma__docs)"
is "pinecone: what is missing is sent" "1 0 0" "$(counts pinecone__docs)"
ask /fake/dump > "$WORK/mended"
is "the stores are as they were" "$(cksum < "$WORK/changed")" "$(cksum < "$WORK/mended")"

# Rate limits, failures in passing, lost answers.
rows 100 1600 other
for f in '{"match":"POST /api/v2/tenants/default_tenant/databases/default_database/collections/","status":429,"headers":{"Retry-After":"0"},"times":2}' \
         '{"match":"PUT /collections/docs__","status":503,"late":true,"times":1}' '{"match":"POST /data/docs/vectors/upsert","cut":true,"late":true,"times":1,"status":0}' \
         '{"match":"POST /data/docs/vectors/upsert","status":500,"times":1}'; do ask /fake/fault "$f" > /dev/null; done
expect "failures in passing" dgc
for s in chroma qdrant pinecone; do is "$s: all is sent" "1500 0 0" "$(counts "${s}__docs")"; done

# One failure that stays; the run after it lists the store.
rows 150 1650 third
ask /fake/fault '{"match":"/upsert","status":400,"after":1,"times":9}' > /dev/null
expect_code 65 "a failure that stays" dgc --select '+chroma/docs or +pinecone/docs'
expect_text "Chroma answered 400: planted" "the service's words are told"
ask /fake/fault '{"match":"none","status":200}' > /dev/null
python3 - "$STORE_URL" <<'P'
import sys, urllib.request, json
# the faults that are left would hit the next run
for _ in range(12):
    try: urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/data/x/vectors/upsert", data=b"{}"))
    except urllib.error.HTTPError: pass
P
expect "the run after it" dgc
ask /fake/dump > "$WORK/after"
expect "a full refresh of that" dgc --full-refresh
ask /fake/dump > "$WORK/again"
is "a broken run is made good" "$(cksum < "$WORK/again")" "$(cksum < "$WORK/after")"

# ---- Sparse values beside the others ----
mkdir -p "$WORK/p/defs/sparse"
hybrid="store: pinecone, url: \"{{ env('STORE_URL') }}\", api_key: \"{{ env('PINECONE_KEY') }}\", collection: hybrid, metric: dot, sparse: terms"
cat > "$WORK/p/defs/rag/models/hybrid.sql" <<'Q'
select * from (values ('near', 'N', [1, 0]::FLOAT[2], {'indices': [1], 'values': [0.5]}), ('word', 'W', [0, 1]::FLOAT[2], {'indices': [7, 9], 'values': [4.0, 1.0]}),
    ('none', 'X', [0.5, 0.5]::FLOAT[2], null), ('empty', 'E', [0.25, 0.25]::FLOAT[2], {'indices': [], 'values': []})) t(id, text, embedding, terms)
Q
cat > "$WORK/p/defs/rag/models/asked.sql" <<'Q'
select * from (values ('with', [1, 0]::FLOAT[2], {'indices': [7], 'values': [2.0]}), ('without', [1, 0]::FLOAT[2], null)) t(id, embedding, terms)
Q
echo "type: dgc.VectorIndex
attributes: {from: rag/hybrid, asset: hybrid/docs, columns: [], $hybrid}
---
type: dgc.VectorSearch
attributes: {index: hybrid/docs, queries: rag/asked, asset: hybrid/found, top_k: 1, $hybrid}
---
type: dgc.Export
attributes: {from: hybrid/found, path: ../../hybrid.ndjson}" > "$WORK/p/defs/sparse/defs.yaml"
expect "records and queries with sparse values" dgc --select "+export/found"
is "a shared word outweighs the numbers, and only where it is asked for" "with word 8.0, without near 1.0" \
    "$(python3 -c 'import json, sys; print(", ".join("%s %s %s" % (r["query_id"], r["id"], r["score"]) for r in sorted(map(json.loads, open(sys.argv[1])), key=lambda r: r["query_id"])))' "$WORK/p/hybrid.ndjson")"
is "rows without any have none" "[null, null]" "$(ask /fake/dump | python3 -c 'import json, sys; print(json.dumps([r[3] for r in json.load(sys.stdin)["pinecone/hybrid/"] if r[0] in ("none", "empty")]))')"
sed -i "s/, \[1, 0\]::FLOAT\[2\], {'indices': \[7\], 'values': \[2.0\]}/, [1, 0]::FLOAT[2], '{}'/" "$WORK/p/defs/rag/models/asked.sql"
expect_code 78 "sparse values that are none" dgc --select "+hybrid/found"
expect_text "not a struct of \`indices\` and \`values\`" "is told"
rm -r "$WORK/p/defs/sparse" "$WORK/p/defs/rag/models/hybrid.sql" "$WORK/p/defs/rag/models/asked.sql"

# ---- What does not fit ----
sed -i 's/0.5\] end::FLOAT\[4\]/0.5, 1] end::FLOAT[5]/; s/\[0, 0, 0, 0\]/[0, 0, 0, 0, 0]/' "$WORK/p/defs/rag/models/embeddings.sql"
for s in chroma qdrant pinecone; do
    expect_code 78 "$s: another dimension" dgc --select "+$s/docs"
    expect_text "has dimension 4, the index needs 5" "$s: is told"
done
expect "duckdb: another dimension makes the table anew" dgc --select "+index/docs"
expect_code 65 "queries of another dimension" dgc --select found/duckdb
expect_text "were they made by the same model?" "is told"
sed -i "s/select case when i = 5 .* as id,/select 'd' || (i % 100) as id,/" "$WORK/p/defs/rag/models/embeddings.sql"
expect_code 65 "ids that are not unique" dgc --select "+index/docs"
expect_text "is in more than one row of" "is told"
sed -i "s/select 'd' || (i % 100) as id,/select case when i = 160 then null else 'd' || i end as id,/" "$WORK/p/defs/rag/models/embeddings.sql"
expect_code 65 "an id that is null" dgc --select "+index/docs"
expect_text "has a row without an id" "is told"
sed -i "s/case when i = 160 then null else 'd' || i end as id/'d' || i as id/; s/\[sin(i)/[case when i = 170 then 'inf'::float else sin(i) end/" "$WORK/p/defs/rag/models/embeddings.sql"
expect_code 65 "numbers that are infinite" dgc --select "+index/docs"
expect_text "row \`d170\` of \`rag/embeddings\` has an embedding with infinite" "is told"

# Another program's records are left alone.
python3 - "$STORE_URL" <<'P'
import json, sys, urllib.request
base = sys.argv[1] + "/api/v2/tenants/default_tenant/databases/default_database/collections"
def post(path, body):
    return json.load(urllib.request.urlopen(urllib.request.Request(base + path, data=json.dumps(body).encode())))
c = post("", {"name": "other", "get_or_create": True, "configuration": {"hnsw": {"space": "cosine"}}})
post(f"/{c['id']}/upsert", {"ids": ["mine"], "embeddings": [[1, 2, 3, 4]], "metadatas": [{"a": 1}], "documents": [None]})
P
mkdir -p "$WORK/p/defs/other" && rows 100 200 text
echo "type: dgc.VectorIndex
attributes: {from: rag/embeddings, asset: x/other, $(where chroma)}" > "$WORK/p/defs/other/defs.yaml"
expect_code 65 "a collection of others" dgc --select "+x/other" --full-refresh
expect_text "records that this pipeline did not write, like \`mine\`" "is told"
is "and left alone" '[["mine", [1, 2, 3, 4], null, {"a": 1}]]' "$(ask /fake/dump | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["chroma/other"]))')"

# Keys are in no output.
QDRANT_KEY=wrong-key-1234 expect_code 77 "a wrong key" dgc --select qdrant/docs
expect_text "see that \`api_key\` is set" "what to do is told"
is "the key is not" 0 "$(grep -c wrong-key-1234 "$WORK/log")"

# A search that is not good enough fails its check.
sed -i 's/recall: 0.6, mrr: 0.6/recall: 1, mrr: 1/' "$WORK/p/defs/index/defs.yaml"
expect "only a warning" dgc --select "+found/duckdb"
sed -i 's/, severity: warn//' "$WORK/p/defs/index/defs.yaml"
expect_code 1 "recall that is not reached" dgc --select "found/duckdb"
expect_text "recall@2 is 0." "says how much there is"
finish
