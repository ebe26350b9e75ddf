#!/usr/bin/env bash
# dgc.MlflowRun, dgc.MlflowModel, dgc.Predict against a server that answers by rules: what is sent, failures, lost answers, tapes, mistakes.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
: "${PYTHON:=python3}"
mkdir -p "$WORK/p/defs/raw/models" "$WORK/p/defs/ml/model/sub" "$WORK/s" && cd "$WORK/p" || exit 1
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
has() { # NAME TEXT ACTUAL
    case $3 in *"$2"*) echo "ok $1" ;; *) echo "FAIL $1: no '$2' in '$3'"; failures=$((failures + 1)) ;; esac
}
(cd "$ROOT" && gcc -std=gnu11 -D_GNU_SOURCE -O1 -I. -isystem "$(scripts/tp_dir.sh)/include" -o "$WORK/query" tests/torture/query.c -L"$BUILD/lib" \
    -Wl,--start-group $(sed "s|^lib.*\.a$|$BUILD/lib/&|" "$BUILD/lib/LINK") -Wl,--end-group) || { echo "FAIL query.c builds"; exit 1; }
query() { "$WORK/query" "$WORK/p/.dgc/p.duckdb" "$1"; }
asked() { # [PART OF A PATH]: how often
    grep -c "\"path\": \"[^\"]*${1:-}" "$WORK/s/requests" 2> /dev/null
}
sent() { # PATH PYTHON: of the bodies sent there, as `b`
    "$PYTHON" -c "import json, sys; b = [json.loads(l)['body'] for l in open(sys.argv[1]) if json.loads(l)['path'].endswith(sys.argv[2])]; print($2)" "$WORK/s/requests" "$1"
}
server=
start_server() { # a new one, which knows nothing
    [ -z "$server" ] || { kill "$server"; wait "$server" 2> /dev/null; }
    rm -rf "$WORK/s" && mkdir "$WORK/s"
    "$PYTHON" "$ROOT/tests/servers/mlflow.py" "$WORK/s" 2> "$WORK/server.log" & server=$!
    for _ in $(seq 100); do [ -e "$WORK/s/port" ] && break; sleep 0.05; done
    ML_URL=http://127.0.0.1:$(cat "$WORK/s/port"); export ML_URL
}
s3_pid=
trap 'kill $server $s3_pid 2> /dev/null; rm -rf "$WORK"' EXIT
run() { "$DGC" run . --progress plain "$@" 2>&1; }
code() { # NAME CODE TEXT [ARGUMENTS]: of a run
    name=$1 want=$2 text=$3
    shift 3
    out=$(run "$@"); got=$?
    is "$name: exit code" "$want" "$got"
    has "$name" "$text" "$out"
}
echo "name: p" > dgc.yaml
echo "select i as epoch, 1.0::DOUBLE / (i + 1) as loss, 'x' as note from range(1200) t(i)" > defs/raw/models/epochs.sql
echo "select 0.9::DOUBLE as auc, 3::DECIMAL(5, 2) as share, 'x' as note, null::INT as nothing, 'nan'::DOUBLE as odd" > defs/raw/models/eval.sql
cat > defs/raw/defs.yaml <<'YAML'
type: dgc.SqlModels
attributes: {path: models, prefix: raw, materialized: table}
---
type: dgc.Checks
attributes:
  asset: raw/eval
  checks: [{range: {column: auc, min: 0.8}, name: good, severity: warn}]
YAML
echo "flavors: {}" > defs/ml/model/MLmodel
printf 'ü\n' > "defs/ml/model/sub/a b.txt"
mlflow_run() { # LINES...
    printf '%s\n' "type: dgc.MlflowRun" "attributes:" "  asset: mlflow/one" "  experiment: it's" '  url: "{{ env.ML_URL }}"' "$@" > defs/ml/defs.yaml
}
mlflow_model() { # LINES...: beside
    printf '%s\n' "---" "type: dgc.MlflowModel" "attributes:" "  asset: mlflow/model" "  name: churn" '  url: "{{ env.ML_URL }}"' "$@" >> defs/ml/defs.yaml
}
whole() {
    mlflow_run '  params: {lr: 0.1, flag: true, who: "{{ env.WHO }}", nothing: null}' "  metrics: {fixed: 3}" \
        "  metrics_from: [raw/eval, {asset: raw/epochs, step: epoch, prefix: t_}, {sql: \"select max(epoch) as last from {{ ref('raw/epochs') }}\"}]" \
        "  datasets: [{asset: raw/epochs, context: training}]" "  artifacts: [model, {path: model/MLmodel, to: docs}]" "  run_tags: {team: ml}"
    mlflow_model "  run: mlflow/one" "  aliases: candidate" "  version_tags: {team: ml}" "  promote: {alias: champion, check: good, asset: raw/eval}"
}
export WHO=me

# ---- What is sent ----
start_server
whole
out=$(run) || echo "$out"
is "params" "[{'key': 'lr', 'value': '0.1'}, {'key': 'flag', 'value': 'True'}, {'key': 'who', 'value': 'me'}, {'key': 'nothing', 'value': 'None'}]" "$(sent runs/log-batch '[x["params"] for x in b if x["params"]][0]')"
is "metrics, in batches" "[1000, 205]" "$(sent runs/log-batch '[len(x["metrics"]) for x in b if x["metrics"]]')"
is "of one row" "[('fixed', 3.0, 0), ('auc', 0.9, 0), ('share', 3.0, 0), ('odd', 'NaN', 0)]" "$(sent runs/log-batch '[(m["key"], m["value"], m["step"]) for x in b for m in x["metrics"]][:4]')"
is "of rows with steps" "[('t_loss', 1.0, 0), ('t_loss', 0.5, 1)]" "$(sent runs/log-batch '[(m["key"], m["value"], m["step"]) for x in b for m in x["metrics"]][4:6]')"
is "of a query" "('last', 1199.0)" "$(sent runs/log-batch '[(m["key"], m["value"]) for x in b for m in x["metrics"]][-1]')"
is "the dataset" "raw/epochs dgc training {'num_rows': 1200, 'num_elements': 3600} 16" "$(sent runs/log-inputs '(lambda d: d["dataset"]["name"] + " " + d["dataset"]["source_type"] + " " + d["tags"][0]["value"] + " " + str(json.loads(d["dataset"]["profile"])) + " " + str(len(d["dataset"]["digest"])))(b[0]["datasets"][0])')"
is "its columns" "['long', 'double', 'string']" "$(sent runs/log-inputs '[c["type"] for c in json.loads(b[0]["datasets"][0]["dataset"]["schema"])["mlflow_colspec"]]')"
is "artifacts" "['docs/MLmodel', 'model/MLmodel', 'model/sub/a%20b.txt']" "$("$PYTHON" -c 'import json, sys; print(sorted(r["path"].split("/artifacts/")[2] for r in map(json.loads, open(sys.argv[1])) if r["method"] == "PUT"))' "$WORK/s/requests")"
is "the end" "['FINISHED']" "$(sent runs/update '[x["status"] for x in b]')"
is "the version" "mlflow-artifacts:/1/00000000000000000000000000000001/artifacts/model" "$(sent model-versions/create 'b[0]["source"]')"
is "aliases" "[('candidate', '1'), ('champion', '1')]" "$(sent registered-models/alias '[(x["alias"], x["version"]) for x in b]')"
is "a tag" "[('team', 'ml')]" "$(sent model-versions/set-tag '[(x["key"], x["value"]) for x in b]')"

# ---- A second run; a check that does not pass; a model by itself ----
sed -i 's/0.9::DOUBLE as auc/0.7::DOUBLE as auc/' defs/raw/models/eval.sql
out=$(run) || echo "$out"
is "another run" 2 "$(asked runs/create)"
is "a check that does not pass promotes nothing" "[('candidate', '1'), ('champion', '1'), ('candidate', '2')]" "$(sent registered-models/alias '[(x["alias"], x["version"]) for x in b]')"
has "and that is told" 'version 2 is not promoted to `champion`: check `good` of `raw/eval` did not pass' "$out"
out=$(run --select mlflow/model) || echo "$out"
is "the same model of the same run is one version" 2 "$(asked model-versions/create)"
has "which is told" "version 2 of model churn was registered before" "$out"
has "and an earlier verdict counts" 'check `good` of `raw/eval` did not pass' "$out"
sed -i "s/  promote: .*/  promote: {alias: champion, when: \"select auc > 0.6 from {{ ref('raw\/eval') }}\"}/" defs/ml/defs.yaml
out=$(run --select mlflow/model) || echo "$out"
has "a query promotes" 'version 2 is `champion` now' "$out"
sed -i 's/auc > 0.6/auc > null/' defs/ml/defs.yaml
out=$(run --select mlflow/model) || echo "$out"
has "null does not" 'is not promoted to `champion`: `when` is not true' "$out"
sed -i 's/0.7::DOUBLE as auc/0.9::DOUBLE as auc/' defs/raw/models/eval.sql

# ---- Failures upstream, faults in passing, answers that are lost ----
start_server
whole
printf '%s\n' "---" "type: dgc.Script" "attributes:" "  command: [sh, -c, 'exit \$BAD']" "  asset: {key: ml/train}" "---" >> defs/raw/defs.yaml
sed -i '$d' defs/raw/defs.yaml
sed -i 's|^  experiment: .*|&\n  deps: [ml/train]|' defs/ml/defs.yaml
BAD=3 code "an asset that fails" 1 "Skipped mlflow__one"
is "makes a run that failed" "['FAILED']" "$(sent runs/update '[x["status"] for x in b]')"
has "and says why" "ml__train: " "$(sent runs/log-batch '[t["value"] for x in b for t in x["tags"] if t["key"] == "dgc.error"]')"
out=$(BAD=0 run --resume) || echo "$out"
is "resumed, it is the same run" 1 "$(asked runs/create)"
is "which runs, and ends well" "['FAILED', 'RUNNING', 'FINISHED']" "$(sent runs/update '[x["status"] for x in b]')"
export BAD=0
start_server
printf '%s\n' '{"path": "runs/search", "status": 503, "times": 2}' '{"path": "log-batch", "status": 429, "times": 1}' '{"path": "runs/create", "lost": true}' \
    '{"path": "model-versions/create", "lost": true}' '{"path": "log-batch", "lost": true}' '{"path": "mlflow-artifacts", "lost": true}' > "$WORK/s/faults"
out=$(run) || echo "$out"
is "a lost answer makes no second run" 1 "$(asked runs/create)"
is "and no second version" 1 "$(asked model-versions/create)"
is "all is done" "['FINISHED']" "$(sent runs/update '[x["status"] for x in b]')"
start_server
echo '{"path": "log-inputs", "status": 400, "code": "INVALID_PARAMETER_VALUE", "message": "no such thing"}' > "$WORK/s/faults"
code "what MLflow refuses" 65 "could not log datasets: MLflow answered 400: no such thing"
is "ends the run as failed" "['FAILED']" "$(sent runs/update '[x["status"] for x in b]')"
start_server
DGC_FAULT=crash:mlflow-version-made run > /dev/null 2>&1
out=$(run --resume) || echo "$out"
is "killed after the version: one version" 1 "$(asked model-versions/create)"
is "one run" 1 "$(asked runs/create)"

# ---- Registration that takes its time, and that fails ----
start_server
echo 2 > "$WORK/s/pending"
out=$(run) || echo "$out"
is "waits until it is ready" 3 "$(asked model-versions/get)"
start_server
echo "the files are gone" > "$WORK/s/broken"
code "a version that fails" 65 'MLflow could not register version 1 of model `churn`: the files are gone'
start_server
echo 1000 > "$WORK/s/pending"
sed -i 's/^  aliases:/  wait: 1s\n&/' defs/ml/defs.yaml
code "a version that does not come" 75 'version 1 of model `churn` is still PENDING_REGISTRATION after 1 s'
start_server
rm -rf .dgc
code "a model without its run" 78 'asset `mlflow/one` has not told its run in MLflow' --select mlflow/model
sed -i 's/^  run: mlflow.one/&\n  artifact: nosuch/' defs/ml/defs.yaml
code "an artifact that is not there" 65 'has no model `nosuch`'

# ---- Who asks ----
start_server
whole
echo yes > "$WORK/s/auth"
code "no token" 77 "set MLFLOW_TRACKING_TOKEN"
MLFLOW_TRACKING_TOKEN=token-1 code "a token" 0 "Succeeded"
MLFLOW_TRACKING_USERNAME=me MLFLOW_TRACKING_PASSWORD=pass code "a user" 0 "Succeeded"
out=$(MLFLOW_TRACKING_TOKEN=token-1 run --record "$WORK/tape") || echo "$out"
if grep -rqE "token-1|bWU6cGFzcw" "$WORK/tape" .dgc; then echo "FAIL secrets are kept nowhere"; failures=$((failures + 1)); else echo "ok secrets are kept nowhere"; fi
before=$(asked)
out=$(run --replay "$WORK/tape") || echo "$out"
has "a tape plays it again, in another run" "Succeeded" "$out"
is "and asks nobody" "$before" "$(asked)"
sed -i '/^  url:/d' defs/ml/defs.yaml
code "no address" 78 "it is not said where MLflow is"
MLFLOW_TRACKING_URI=$ML_URL MLFLOW_TRACKING_TOKEN=token-1 code "MLflow's own variable" 0 "Succeeded"
DATABRICKS_HOST=$ML_URL DATABRICKS_TOKEN=token-1 MLFLOW_TRACKING_URI=databricks code "Databricks" 0 "Succeeded"

# ---- Mistakes that show when it runs ----
start_server
mlflow_run "  metrics_from: [raw/epochs]"
code "many rows without a step" 65 "metrics of raw/epochs: more than one row of metrics"
mlflow_run "  metrics_from: [{asset: raw/epochs, step: nosuch}]"
code "a step that is not there" 65 'there is no column `nosuch` for the step of metrics'
mlflow_run "  metrics_from: [{sql: \"select 'x' as a from {{ ref('raw/eval') }}\"}]"
code "no numbers" 65 "there is no column of numbers for metrics"
mlflow_run "  metrics_from: [{sql: \"select 1 as a from {{ ref('raw/eval') }} where auc > 2\"}]"
code "no row" 65 "no row of metrics"
mlflow_run "  artifacts: nosuch.bin"
code "an artifact that is no file" 78 "nosuch.bin"
mlflow_run "  artifacts: model"
echo "file://$WORK/mlruns/1/artifacts" > "$WORK/s/artifact_root"
expect "artifacts in a folder that the server does not serve" "$DGC" run . --progress plain
is "are put there, whole" "MLmodel sub/a b.txt" "$(cd "$WORK/mlruns/1/artifacts/model" && find . -type f | sed 's|^./||' | sort | tr '\n' ' ' | sed 's/ $//')"
is "and are what they were" "" "$(diff -r defs/ml/model "$WORK/mlruns/1/artifacts/model" 2>&1)"
. "$ROOT/tests/servers/s3.sh"
mkdir "$WORK/s3"
if s3_start "$WORK/s3"; then
    echo s3://lake/runs/1/artifacts > "$WORK/s/artifact_root"
    MLFLOW_S3_ENDPOINT_URL=$AWS_ENDPOINT_URL_S3
    export MLFLOW_S3_ENDPOINT_URL
    unset AWS_ENDPOINT_URL_S3
    expect "artifacts in S3, found as MLflow's own clients find it" "$DGC" run . --progress plain
    is "are what they were in S3" "" "$(diff -r defs/ml/model "$S3_DATA/lake/runs/1/artifacts/model" 2>&1)"
    AWS_SECRET_ACCESS_KEY=wrong-secret-0123456789 code "a wrong key for S3" 77 "SignatureDoesNotMatch"
    s3_stop
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY MLFLOW_S3_ENDPOINT_URL
else
    echo "SKIPPED artifacts in S3: NO S3 SERVER COULD BE BUILT HERE"
fi
echo gs://bucket/1 > "$WORK/s/artifact_root"
code "artifacts elsewhere" 78 "start the server with --serve-artifacts"

# ---- Predictions ----
start_server
rm -rf defs/ml/* .dgc
predict() { # LINES...
    printf '%s\n' "type: dgc.Predict" "attributes:" "  from: raw/rows" "  asset: marts/scores" "$@" > defs/ml/defs.yaml
}
local_model='  url: "{{ env.ML_URL }}"'
echo "select i as id, i::DOUBLE as a, case when i % 2 = 0 then (i % 3)::DECIMAL(5, 1) end as b, 'n\"' || i as name from range(100, 5100) t(i)" > defs/raw/models/rows.sql
run() { "$DGC" run . --progress plain --select '+marts/scores' "$@" 2>&1; }
predict "$local_model" "  features: [a, b]" "  keep: [id, a, b]" "  output: {score: float}"
has "plan: the rows are not made" "each row of raw/rows, which is not made yet" "$("$DGC" plan . --select marts/scores 2>&1)"
out=$(run) || echo "$out"
has "plan: rows and calls" "5000 rows to http" "$("$DGC" plan . --select marts/scores 2>&1)"
is "predictions" "5000|0" "$(query "SELECT count(*) || '|' || count(*) FILTER (abs(score - (2 * a + coalesce(b, 0))) > 1e-9) FROM marts.scores")"
is "in order" true "$(query "SELECT bool_and(id = n + 99) FROM (SELECT id, row_number() OVER () AS n FROM marts.scores)")"
is "columns" "id a b score" "$(query "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 'scores'")"
is "calls" 12 "$(asked invocations)"
is "a body" "{'columns': ['a', 'b'], 'data': [[100.0, 1.0], [101.0, None]]}" "$(sent invocations '{k: v[:2] for k, v in [x for x in b if x["dataframe_split"]["data"][0][0] == 100][0]["dataframe_split"].items()}')"
echo "select i as a, 0 as b, 'n' || i as name from range(1000) t(i)" > defs/raw/models/rows.sql
predict "$local_model" "  features: [a, b]" "  output: {score: float}" "  batch: 100"
rm "$WORK/s/requests"
echo "select i as a, 0 as b, 'n' || i as name from range(1000) t(i) where i <> 16" > defs/raw/models/rows.sql
out=$(run) || echo "$out"
is "rows that are refused are found" "13 failed|14 invalid|15 invalid" "$(query "SELECT string_agg((row->>'a') || ' ' || kind, '|' ORDER BY (row->>'a')::INT) FROM marts.scores_rejected")"
is "the others are there" "996 998884" "$(query "SELECT count(*) || ' ' || sum(score)::INT FROM marts.scores")"
is "why" "Failed to predict data. [31mUnlucky[0m number" "$(query "SELECT reason FROM marts.scores_rejected WHERE kind = 'failed'")"
is "why not a word" '`score` must be a number, but is "oops"' "$(query "SELECT reason FROM marts.scores_rejected WHERE row->>'a' = '14'")"
is "calls that it took" yes "$([ "$(asked invocations)" -le 26 ] && echo yes)"
has "a warning" "3 rows could not be answered" "$out"
echo "select i as a, 0 as b from range(30) t(i) where i not in (13, 14, 15, 16)" > defs/raw/models/rows.sql
for shape in lists records columns; do
    for format in dataframe_split dataframe_records inputs; do
        predict "$local_model" "  output: {score: float, band: {enum: [low, high]}}" "  params: {shape: $shape}" "  format: $format" "  features: [a, b]"
        out=$(run) || echo "$out"
        is "$shape for $format" "26 6 754" "$(query "SELECT count(*) || ' ' || count(*) FILTER (band = 'low') || ' ' || sum(score)::INT FROM marts.scores")"
    done
done
predict "$local_model" "  output: {score: float}" "  params: {shape: lists}"
code "a list for one column" 65 'the prediction is a list of 2, but `output` has 1 column'
echo "select 16 as a, i as b from range(3) t(i)" > defs/raw/models/rows.sql
predict "$local_model" "  output: {score: float}"
code "a prediction is missing" 65 "the answer has 2 predictions for 3 rows"
echo "select 13 as a, i as b from range(50) t(i)" > defs/raw/models/rows.sql
code "nothing but refused rows" 65 "Unlucky"
is "and not all are tried" yes "$([ "$(grep -c invocations "$WORK/s/requests")" -lt 200 ] && echo yes)"
echo "select 1 as a, 2 as b" > defs/raw/models/rows.sql
echo '{"path": "invocations", "status": 503, "times": 2}' > "$WORK/s/faults"
code "busy for a moment" 0 "Succeeded"
predict '  url: "{{ env.ML_URL }}"' "  endpoint: churn model" "  output: {score: int}"
DATABRICKS_TOKEN=dapi-1 code "Databricks serves it" 0 "Succeeded"
is "as an integer" 4 "$(query "SELECT score FROM marts.scores")"
DATABRICKS_TOKEN=wrong code "a wrong token" 77 "Invalid access token."
predict "  endpoint: nosuch" "  output: {score: int}"
DATABRICKS_HOST=$ML_URL DATABRICKS_TOKEN=dapi-1 code "no such endpoint" 78 "is a model served at"
DATABRICKS_TOKEN=dapi-1 code "no workspace" 78 'DATABRICKS_HOST is not set, and there is no `url`'
predict '  url: "http://127.0.0.1:9"' "  output: {score: int}" "  retries: 0"
code "nobody there" 69 "could not ask the model at http://127.0.0.1:9"
finish
