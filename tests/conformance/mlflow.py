#!/usr/bin/env python3
"""MLflow itself: samples/ml-scoring against a real tracking server and a real model server, and what MLflow's SDK says is there then.
And the SDK before a recorder: the same work as dgc's, the same requests."""
import atexit, json, os, re, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request

ROOT, DGC = os.environ["ROOT"], os.environ["DGC"]
failures = 0
work = tempfile.mkdtemp()
python = subprocess.run([ROOT + "/scripts/conformance_mlflow.sh"], capture_output=True, text=True, check=True).stdout.strip()
ENV = {**os.environ, "NO_COLOR": "1", "PATH": os.path.dirname(python) + ":" + os.environ["PATH"], "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": work,
       "DATABRICKS_TOKEN": "dapi-1"}
for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_RUN_ID"):
    ENV.pop(name, None)
started = []


def verdict(ok, what, detail=""):
    global failures
    failures += not ok
    print(("ok " if ok else "FAIL ") + what + ("" if ok else f": {detail}"), flush=True)


def same(what, expected, actual):
    verdict(expected == actual, what, f"expected {expected!r}, got {actual!r}")


def stop(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


@atexit.register
def clean():
    for process in started:
        stop(process)
    shutil.rmtree(work, ignore_errors=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(name, command, health):
    log = open(f"{work}/{name}.log", "w")
    process = subprocess.Popen(command, env=ENV, cwd=work, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    started.append(process)
    for _ in range(600):
        try:
            with urllib.request.urlopen(health, timeout=5):
                return process
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.2)
    print(f"FAIL {name} starts:\n" + open(f"{work}/{name}.log").read()[-2000:])
    sys.exit(1)


def run(project, *arguments, code=0):
    r = subprocess.run([DGC, "run", "--json", "--progress", "none", *arguments], cwd=project, env=ENV, capture_output=True, text=True, timeout=300)
    result = json.loads(r.stdout) if r.stdout.strip().startswith("{") else {"steps": []}
    verdict(r.returncode == code, f"dgc run {' '.join(arguments)} ends with {code}", f"{r.returncode}: " + (r.stderr + r.stdout)[-1500:])
    return {s["step"]: {m["name"]: m["value"] for m in s["metadata"]} for s in result["steps"]}


def ask_sdk(code):
    """Runs Python with MLflow; what it leaves in `out` comes back."""
    text = "import json, os, mlflow\nclient = mlflow.MlflowClient()\n" + code + "\nprint('\\n' + json.dumps(out))"
    r = subprocess.run([python, "-c", text], env=ENV, cwd=work, capture_output=True, text=True, timeout=300)
    if r.returncode:
        print(r.stderr[-2000:])
        return None
    return json.loads(r.stdout.strip().split("\n")[-1])


# ---- The sample against the real thing ----

port, model_port = free_port(), free_port()
url = f"http://127.0.0.1:{port}"
start("mlflow", ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--backend-store-uri", "sqlite:///m.db",
                 "--artifacts-destination", work + "/artifacts", "--serve-artifacts"], url + "/health")
ENV.update(MLFLOW_TRACKING_URI=url, MODEL_URL=f"http://127.0.0.1:{model_port}")
project = work + "/p"
shutil.copytree(ROOT + "/samples/ml-scoring", project, ignore=shutil.ignore_patterns(".dgc", "out", "server"))
steps = run(project, "--job", "train")
first = steps.get("mlflow__spend", {}).get("mlflow/run_id")
seen = ask_sdk(f"""
r = client.get_run({first!r})
d = r.inputs.dataset_inputs[0]
v = client.get_model_version_by_alias("spend", "champion")
out = dict(status=r.info.status, name=r.info.run_name, params=r.data.params, metrics=sorted(r.data.metrics), r2=r.data.metrics["r2"], experiment=client.get_experiment(r.info.experiment_id).name,
           dataset=[d.dataset.name, d.tags[0].value, json.loads(d.dataset.profile)["num_rows"], json.loads(d.dataset.schema)["mlflow_colspec"][1]],
           files=sorted(a.path for a in client.list_artifacts({first!r}, "model")), version=[v.version, v.run_id, v.status],
           history=len(client.get_metric_history({first!r}, "r2")), pipeline=r.data.tags["mlflow.source.name"],
           weights=json.load(open(mlflow.artifacts.download_artifacts("models:/spend@champion") + "/weights.json")))
""") or {}
same("the run as the SDK sees it", ["FINISHED", "ml-scoring", "spend", "ml-scoring"], [seen.get(k) for k in ("status", "name", "experiment", "pipeline")])
same("its parameters", {"method": "least squares", "features": "visits, age"}, seen.get("params"))
same("its metrics", ["customers", "r2", "rmse", "weight_age", "weight_intercept", "weight_visits"], seen.get("metrics"))
verdict(seen.get("r2", 0) > 0.98 and seen.get("history") == 1, "a metric is there once", str(seen))
same("its dataset", ["ml/training", "training", 2400, {"type": "double", "name": "visits", "required": False}], seen.get("dataset"))
same("its artifacts", ["model/MLmodel", "model/code", "model/weights.json"], seen.get("files"))
same("the version", ["1", first, "READY"], seen.get("version"))
same("the weights", json.load(open(project + "/out/weights.json")), seen.get("weights"))

start("model", ["mlflow", "models", "serve", "-m", "models:/spend@champion", "-h", "127.0.0.1", "-p", str(model_port), "--env-manager", "local"],
      f"http://127.0.0.1:{model_port}/ping")
steps = run(project, "--job", "score")
same("scored", [4000, 0], [steps.get("marts__scores", {}).get(k) for k in ("predict/rows", "predict/rejected")])
os.makedirs(project + "/defs/compare/models")
with open(project + "/defs/compare/defs.yaml", "w") as f:
    f.write("type: dgc.SqlModels\nattributes: {path: models, prefix: compare, materialized: table}\n---\n"
            "type: dgc.Checks\nattributes:\n  asset: compare/differences\n  checks: [{sql: \"select * from {{ this }}\"}]\n")
with open(project + "/defs/compare/models/differences.sql", "w") as f:
    f.write("select * from {{ ref('marts/scores') }} s, {{ ref('ml/weights') }} w\n"
            "where abs(s.expected_spend - (w.intercept + w.visits * s.visits + w.age * s.age)) > 1e-9 or s.expected_spend is null\n")
run(project, "--select", "compare/differences")

# A column that the model's signature does not take: MLflow refuses the whole call, dgc ends with its words.
score = open(project + "/defs/score/defs.yaml").read()
with open(project + "/defs/score/defs.yaml", "w") as f:
    f.write(score.replace("[visits, age]", "[visits]"))
r = subprocess.run([DGC, "run", "--progress", "plain", "--job", "score"], cwd=project, env=ENV, capture_output=True, text=True, timeout=120)
verdict(r.returncode == 65 and "missing inputs ['age']" in r.stderr + r.stdout, "MLflow's own words about its schema", r.stderr[-800:])
for kind in ("dataframe_records", "inputs"):
    with open(project + "/defs/score/defs.yaml", "w") as f:
        f.write(score.replace("features:", f"format: {kind}\n  features:"))
    steps = run(project, "--job", "score")
    same(f"scored by {kind}", [4000, 0], [steps.get("marts__scores", {}).get(k) for k in ("predict/rows", "predict/rejected")])

# A check that fails: the new version is candidate, the champion stays.
train = open(project + "/defs/train/defs.yaml").read()
with open(project + "/defs/train/defs.yaml", "w") as f:
    f.write(train.replace("min: 0.9}", "min: 0.9999}"))
steps = run(project, "--job", "train")
same("not promoted", [False, "2"], [steps.get("mlflow__spend_model", {}).get(k) for k in ("mlflow/promoted", "mlflow/version")])
same("aliases", {"candidate": "2", "champion": "1"}, ask_sdk('out = client.get_registered_model("spend").aliases'))

# A model that a script logged with the SDK: MLflow 3 keeps it beside the run, by its name.
os.makedirs(project + "/defs/sdk")
with open(project + "/defs/sdk/train.py", "w") as f:
    f.write("""import json, os, mlflow
class Half(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[float]) -> list[float]:
        return [x / 2 for x in model_input]
mlflow.set_experiment("by hand")
with mlflow.start_run() as run:
    mlflow.pyfunc.log_model(name="half", python_model=Half(), pip_requirements=[])
open("run_id", "w").write(run.info.run_id)
""")
r = subprocess.run([python, "defs/sdk/train.py"], cwd=project, env=ENV, capture_output=True, text=True, timeout=300)
verdict(r.returncode == 0, "the SDK logs a model", r.stderr[-800:])
with open(project + "/defs/sdk/defs.yaml", "w") as f:
    f.write("""type: dgc.Script
attributes:
  command: [python3, report.py]
  asset: {key: sdk/model}
---
type: dgc.MlflowModel
attributes: {asset: mlflow/half, name: half, run: sdk/model, artifact: half}
""")
with open(project + "/defs/sdk/report.py", "w") as f:
    f.write("""import base64, json, os, zlib
messages = json.loads(zlib.decompress(base64.b64decode(os.environ["DAGSTER_PIPES_MESSAGES"])))
with open(messages["path"], "a") as f:
    for method, params in (("opened", {}), ("report_asset_materialization", {"asset_key": "sdk/model", "data_version": None, "metadata": {
            "mlflow/run_id": {"raw_value": open(os.environ["PWD"] + "/run_id").read() if os.path.exists(os.environ["PWD"] + "/run_id") else open("../../run_id").read(), "type": "text"}}}), ("closed", {})):
        f.write(json.dumps({"__dagster_pipes_version": "0.1", "method": method, "params": params}) + "\\n")
""")
steps = run(project, "--select", "+mlflow/half")
source = steps.get("mlflow__half", {}).get("mlflow/source", "")
same("a logged model is registered", ["1", True], [steps.get("mlflow__half", {}).get("mlflow/version"), source.startswith("models:/m-")])
same("as the SDK would", [source[8:], "READY"], ask_sdk('v = client.get_model_version("half", "1")\nout = [v.model_id, v.status]'))

# ---- The SDK and dgc before one recorder ----

os.mkdir(work + "/s")
recorder = subprocess.Popen([sys.executable, ROOT + "/tests/servers/mlflow.py", work + "/s"], stderr=subprocess.DEVNULL, start_new_session=True)
started.append(recorder)
while not os.path.exists(work + "/s/port"):
    time.sleep(0.05)
url = "http://127.0.0.1:" + open(work + "/s/port").read()
ENV.update(MLFLOW_TRACKING_URI=url, MODEL_URL=url)


def told():
    """What counts of the requests since, between marks: times, versions, and what is dgc's own left out; runs by their number."""
    path = work + "/s/requests"
    if not os.path.exists(path):
        return [[]]
    lines = [json.loads(line) for line in open(path)]
    os.remove(path)
    out = [[]]
    for r in lines:
        if r["path"] == "/mark":
            out.append([])
            continue
        body = r["body"]
        if isinstance(body, dict):
            for key in ("run_uuid", "user_id", "index"): # twice said, or of no meaning
                body.pop(key, None)
                body.get("dataframe_split", {}).pop(key, None)
            if r["path"].endswith("create") and "tags" in body:
                body["tags"] = [t for t in body["tags"] if not t["key"].startswith(("dgc.", "mlflow."))]
            for key in [k for k in ("metrics", "params", "tags", "models") if body.get(k) == []]:
                del body[key]
            for d in body.get("datasets", []):
                d["dataset"].update(dict.fromkeys(("digest", "source", "schema", "profile"), "X"))
        kind = r["headers"].get("Content-Type", "").split(";")[0] if body is not None and r["method"] != "PUT" else ""
        text = json.dumps({"method": r["method"], "path": r["path"], "query": r["query"], "body": body, "type": kind}, sort_keys=True)
        text = re.sub(r'"((?:start|end)_time|timestamp)": \d+', r'"\1": 0', text)
        text = re.sub(r'"version": "\d+"', '"version": "N"', text)
        text = re.sub(r"tags\.`dgc\.run_id` = '[^']*'", "tags.`dgc.run_id` = 'R'", text)
        out[-1].append(json.loads(re.sub(r"[0-9a-f]{32}", "RUN", text)))
    return out


def dgc_asks(component):
    project = tempfile.mkdtemp(dir=work)
    os.makedirs(project + "/defs/a/model")
    with open(project + "/defs/a/model/MLmodel", "w") as f:
        f.write("flavors: {}\n")
    with open(project + "/rows.json", "w") as f:
        json.dump([{"a": 1.5, "b": 2, "text": 'x "ü"'}, {"a": 3.25, "b": None, "text": ""}], f)
    with open(project + "/defs/a/defs.yaml", "w") as f:
        f.write("type: dgc.Files\nattributes: {path: ../../rows.json, asset: raw/rows}\n---\n" + component)
    r = subprocess.run([DGC, "run", ".", "--progress", "plain"], cwd=project, env=ENV, capture_output=True, text=True, timeout=120)
    if r.returncode:
        print(r.stderr)
    return told()[0]


def run_of(*lines):
    return "\n".join(["type: dgc.MlflowRun", "attributes:", "  asset: mlflow/one", "  experiment: e"] + ["  " + x for x in lines]) + "\n"


def model_of(*lines):
    return run_of("artifacts: model") + "\n".join(["---", "type: dgc.MlflowModel", "attributes:", "  asset: mlflow/model", "  run: mlflow/one", "  name: m"] + ["  " + x for x in lines]) + "\n"


# Name, what the SDK is asked for, dgc's component, and which of the requests are compared.
CASES = [
    ("an experiment", 'client.create_experiment("e")', None, "experiments/create"),
    ("an experiment by its name", 'client.get_experiment_by_name("e")', run_of(), "get-by-name"),
    ("a run", 'client.create_run("1", run_name="n")', run_of("run_name: n"), "runs/create"),
    ("looking for a run", """client.search_runs(["1"], "tags.`dgc.run_id` = 'R' and tags.`dgc.step` = 'mlflow/one'", max_results=1, order_by=["attributes.start_time ASC"])""",
     run_of(), "runs/search"),
    ("parameters", 'client.log_batch(RUN, params=[Param("lr", str(0.1)), Param("on", str(True))])', run_of("params: {lr: 0.1, 'on': true}"), "log-batch"),
    ("metrics", 'client.log_batch(RUN, metrics=[Metric("x", 0.5, 1, 0), Metric("n", float("nan"), 1, 0), Metric("i", float("inf"), 1, 0)])',
     run_of("metrics_from: [{sql: \"select 0.5 as x, 'nan'::double as n, 'inf'::double as i from {{ ref('raw/rows') }} limit 1\"}]"), "log-batch"),
    ("tags", 'client.log_batch(RUN, tags=[RunTag("team", "ml")])', run_of("run_tags: {team: ml}"), "log-batch"),
    ("a dataset", 'client.log_inputs(RUN, [DatasetInput(Dataset("d", "0", "dgc", "s", schema="c", profile="p"), [InputTag("mlflow.data.context", "training")])])',
     run_of("datasets: {asset: raw/rows, name: d, context: training}"), "log-inputs"),
    ("artifacts", 'os.makedirs("up/model", exist_ok=True)\nopen("up/model/MLmodel", "w").write("flavors: {}\\n")\nclient.log_artifacts(RUN, "up/model", "model")',
     run_of("artifacts: model"), "mlflow-artifacts"),
    ("the end", 'client.set_terminated(RUN, "FINISHED")', run_of(), "runs/update"),
    ("a version", 'client.create_registered_model("m")\nclient.create_model_version("m", "mlflow-artifacts:/1/" + RUN + "/artifacts/model", run_id=RUN, await_creation_for=5)',
     model_of(), "registered-models/create|model-versions/create"),
    ("its artifacts", 'client.list_artifacts(RUN, "model")', model_of(), "artifacts/list"),
    ("looking for versions", """client.search_model_versions("name='m'", max_results=200, order_by=["version_number DESC"])""", model_of(), "model-versions/search"),
    ("an alias", 'client.set_registered_model_alias("m", "candidate", "1")', model_of("aliases: candidate"), "registered-models/alias"),
    ("a tag of a version", 'client.set_model_version_tag("m", "1", "team", "ml")', model_of("version_tags: {team: ml}"), "model-versions/set-tag"),
    ("a prediction", 'ScoringServerClient("127.0.0.1", int(os.environ["MODEL_URL"].split(":")[2])).invoke('
     'pd.DataFrame({"a": [1.5, 3.25], "b": [2.0, None]}).astype(object).where(lambda d: d.notna(), None))',
     'type: dgc.Predict\nattributes:\n  from: raw/rows\n  asset: marts/scores\n  url: "{{ env.MODEL_URL }}"\n  features: [a, b]\n  output: {score: float}\n', "invocations"),
]
before = dgc_asks(run_of()) # makes the experiment
ask_sdk("""import urllib.request
import pandas as pd
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
RUN = "%032x" % 1
for text in """ + repr([sdk for _, sdk, _, _ in CASES]) + """:
    try:
        exec(text)
    except Exception as e:
        print(text, e)
    try:
        urllib.request.urlopen(os.environ["MODEL_URL"] + "/mark")
    except OSError:
        pass
out = None
""")
theirs = told()
for (name, _, component, only), sdk in zip(CASES, theirs):
    ours = [r for r in (dgc_asks(component) if component else before) if re.search(only, r["path"])]
    sdk = [r for r in sdk if re.search(only, r["path"])]
    if name in ("an experiment by its name", "looking for a run"): # dgc's last step asks again
        ours = ours[:1]
    verdict(sdk == ours and sdk != [], "the SDK and dgc: " + name, f"\n  SDK {json.dumps(sdk)}\n  dgc {json.dumps(ours)}")
sys.exit(failures > 0)
