#!/usr/bin/env python3
"""dgc and MLflow's SDK before one recorder, tests/servers/mlflow.py, with the same work: same method, path, query, semantic headers and body.
Left out: where the SDK lists artifacts by the artifacts' own service, dgc asks artifacts/list, which knows every kind of store."""
import atexit, json, os, re, shutil, subprocess, sys, tempfile, time

ROOT, DGC = os.environ["ROOT"], os.environ["DGC"]
failures = 0
work = tempfile.mkdtemp()
python = subprocess.run([ROOT + "/scripts/conformance_mlflow.sh"], capture_output=True, text=True, check=True).stdout.strip()
ENV = {**os.environ, "NO_COLOR": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": work}


def verdict(ok, what, detail=""):
    global failures
    failures += not ok
    print(("ok " if ok else "FAIL ") + what + ("" if ok else f": {detail}"), flush=True)


def ask_sdk(code):
    text = "import json, os, mlflow\nclient = mlflow.MlflowClient()\n" + code
    r = subprocess.run([python, "-c", text], env=ENV, cwd=work, capture_output=True, text=True, timeout=300)
    print("\n".join(line for line in r.stdout.split("\n") if "Error" in line or "no '" in line), r.stderr[-2000:] if r.returncode else "")


os.mkdir(work + "/s")
recorder = subprocess.Popen([sys.executable, ROOT + "/tests/servers/mlflow.py", work + "/s"], stderr=subprocess.DEVNULL)


@atexit.register
def clean():
    recorder.kill()
    shutil.rmtree(work, ignore_errors=True)


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
""")
theirs = told()
for (name, _, component, only), sdk in zip(CASES, theirs):
    ours = [r for r in (dgc_asks(component) if component else before) if re.search(only, r["path"])]
    sdk = [r for r in sdk if re.search(only, r["path"])]
    if name in ("an experiment by its name", "looking for a run"): # dgc's last step asks again
        ours = ours[:1]
    verdict(sdk == ours and sdk != [], "the SDK and dgc: " + name, f"\n  SDK {json.dumps(sdk)}\n  dgc {json.dumps(ours)}")
sys.exit(failures > 0)
