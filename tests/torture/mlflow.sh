#!/usr/bin/env bash
# samples/ml-scoring with the answer of each call to MLflow lost, and killed at each call and resumed: one run, one version, one champion.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
: "${PYTHON:=python3}"
cp -r "$ROOT/samples/ml-scoring" "$WORK/p" && cd "$WORK/p" || exit 1
"$DGC" build . -o "$WORK/ml" > "$WORK/log" 2>&1 || { cat "$WORK/log"; echo "FAIL ml-scoring builds"; exit 1; }
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$WORK"' EXIT
start_server() {
    [ -z "$server" ] || { kill "$server"; wait "$server" 2> /dev/null; }
    rm -rf "$WORK/s" && mkdir "$WORK/s"
    "$PYTHON" "$ROOT/tests/servers/mlflow.py" "$WORK/s" 2> "$WORK/server.log" & server=$!
    for _ in $(seq 100); do [ -e "$WORK/s/port" ] && break; sleep 0.05; done
    MLFLOW_TRACKING_URI=http://127.0.0.1:$(cat "$WORK/s/port")
    export MLFLOW_TRACKING_URI MODEL_URL=$MLFLOW_TRACKING_URI
}
# What MLflow has in the end: runs and versions by what was asked for, the last status, and whether scores came.
seen() {
    "$PYTHON" - "$MLFLOW_TRACKING_URI/api/2.0/mlflow/" << 'PY'
import json, sys, urllib.request
def ask(path, body=None):
    r = urllib.request.Request(sys.argv[1] + path, json.dumps(body).encode() if body else None, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(r))
runs = ask("runs/search", {"experiment_ids": ["1"], "filter": "", "max_results": 100})["runs"]
versions = ask("model-versions/search?filter=name%3D%27spend%27")["model_versions"]
model = ask("registered-models/get?name=spend")["registered_model"]
data = runs[0]["data"]
print(len(runs), runs[0]["info"]["status"], len(data["metrics"]), len(data["params"]), len(runs[0]["inputs"]["dataset_inputs"]), len(versions), versions[0]["status"], model["name"])
PY
}
expected="1 FINISHED 6 2 1 1 READY spend"
start_server
"$WORK/ml" run --home "$WORK/h" > "$WORK/log" 2>&1 || { cat "$WORK/log"; echo "FAIL ml-scoring runs"; exit 1; }
calls=$(wc -l < "$WORK/s/requests")
[ "$(seen)" = "$expected" ] && echo "ok without faults, $calls calls" || { echo "FAIL without faults: $(seen)"; failures=$((failures + 1)); }
for at in $(seq "$calls"); do
    for how in lost kill; do
        start_server
        rm -rf "$WORK/h"
        echo "$at" > "$WORK/s/${how}_at"
        sh -c 'echo $$ > "$1/victim"; exec "$2" run --home "$3" --progress plain' sh "$WORK/s" "$WORK/ml" "$WORK/h" > "$WORK/log" 2>&1
        code=$?
        if [ "$how" = kill ]; then
            "$WORK/ml" run --resume --home "$WORK/h" --progress plain >> "$WORK/log" 2>&1
            code=$?
        fi
        got=$(seen)
        if [ "$code" = 0 ] && [ "$got" = "$expected" ]; then echo "ok $how at call $at"; else
            echo "FAIL $how at call $at: exit $code, $got instead of $expected"
            tail -n 8 "$WORK/log" | sed 's/^/    /'
            failures=$((failures + 1))
        fi
    done
done
finish
