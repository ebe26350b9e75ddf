#!/usr/bin/env python3
"""MLflow itself: samples/ml-scoring against a real tracking server and a real model server, and what MLflow's SDK says is there then."""
import atexit, json, os, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request

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
same("as the SDK would", True, ask_sdk("""
told = lambda v: [v.source, v.run_id, v.status, v.model_id]
out = told(client.get_model_version("half", "1")) == told(mlflow.register_model("runs:/" + open("p/run_id").read() + "/half", "other"))"""))
sys.exit(failures > 0)
