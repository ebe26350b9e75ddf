#!/usr/bin/env bash
# Exact search in DuckDB: the step of a dgc.VectorSearch, from tables in the warehouse to the table of matches, against numpy's matrix
# product and argpartition over the same numbers, already in memory. 100 000 embeddings of 384 numbers, 1000 queries, the best 10.
. "$(dirname "$0")/lib.sh"
python=$("$ROOT/scripts/conformance_vectors.sh" 2> /dev/null) || { echo "numpy could not be installed here"; exit 0; }
mkdir -p "$WORK/p/defs/rag/models" "$WORK/p/defs/index"
printf 'name: v\n' > "$WORK/p/dgc.yaml"
printf 'type: dgc.SqlModels\nattributes: {path: models, prefix: rag, materialized: table}\n' > "$WORK/p/defs/rag/defs.yaml"
# Numbers that numpy makes alike: hash-like, no model.
numbers="list_transform(range(384), k -> ((i * 2654435761 + k * 40503 + (i * k) % 7919 * 104729) % 65536 - 32768) / 32768.0)::FLOAT[384]"
echo "select 'd' || i as id, 'text ' || i as text, $numbers as embedding, i % 10 as n from range(100000) t(i)" > "$WORK/p/defs/rag/models/embeddings.sql"
echo "select 'q' || i as id, $numbers as embedding from range(1000000, 1001000) t(i)" > "$WORK/p/defs/rag/models/questions.sql"
cat > "$WORK/p/defs/index/defs.yaml" <<'Y'
type: dgc.VectorIndex
attributes: {from: rag/embeddings, collection: docs}
---
type: dgc.VectorSearch
attributes: {index: index/docs, queries: rag/questions, asset: found/docs, top_k: 10}
---
type: dgc.Export
attributes: {from: found/docs, path: "../../found.csv", columns: [query_id, rank, id]}
Y
cd "$WORK/p" || exit 1
"$DGC" run --progress none || exit 1
cat > "$WORK/compare.py" <<'P'
import sys, time, csv, collections
import numpy as np
def make(first, count):
    i, k = np.arange(first, first + count, dtype=np.int64)[:, None], np.arange(384, dtype=np.int64)[None, :]
    v = (((i * 2654435761 + k * 40503 + (i * k) % 7919 * 104729) % 65536 - 32768) / 32768.0).astype(np.float32)
    return v / np.linalg.norm(v, axis=1, keepdims=True)
X, Q = make(0, 100000), make(1000000, 1000)
times = []
for _ in range(5):
    t = time.monotonic()
    scores = Q @ X.T
    best = np.argpartition(scores, -10, axis=1)[:, -10:]
    times.append(time.monotonic() - t)
found = collections.defaultdict(set)
for row in csv.DictReader(open("found.csv")):
    found[row["query_id"]].add(int(row["id"][1:]))
worst = scores[np.arange(1000)[:, None], best].min(axis=1)
wrong = sum(1 for q in range(1000) if len(found[f"q{1000000 + q}"]) != 10 or any(scores[q, i] < worst[q] - 1e-5 for i in found[f"q{1000000 + q}"]))
print(f"{sorted(times)[2] * 1000:.1f} {wrong}")
P
ours() { "$DGC" run --select found/docs --json --progress none | python3 -c 'import json, sys; print(next(s["elapsed_ms"] for s in json.load(sys.stdin)["steps"] if s["step"] == "found__docs"))'; }
best=$(for _ in 1 2 3 4 5; do ours; done | sort -n | sed -n 3p)
read -r theirs wrong < <("$python" "$WORK/compare.py")
[ "$wrong" = 0 ] || { echo "FAIL vectors: $wrong of 1000 queries did not find what numpy finds"; exit 1; }
figure "1000 queries, 100 000 x 384, best 10 ($best ms)" "$(ratio "$best" "$theirs")" "x numpy" 1.5
"$DGC" build . -o v.bin > /dev/null 2>&1
figure "memory of that search" "$(peak ./v.bin run --select found/docs --progress none)" MB 500
