#!/usr/bin/env python3
"""A server that answers like MLflow's tracking server, like `mlflow models serve`, and like Databricks model serving, by rules.

    mlflow.py FOLDER

Writes its port to FOLDER/port and each request as a line of JSON to FOLDER/requests. FOLDER/faults holds lines of JSON that it uses up:
{"path": PART OF A PATH, "status": 503, "message": ..., "times": 2}; with "lost": true the work is done and the connection cut.
FOLDER/lost_at, FOLDER/kill_at: number of a request that is done, and then the connection cut, or the process named by FOLDER/victim killed.
FOLDER/pending: how often a version is PENDING_REGISTRATION; FOLDER/broken: then it has failed, for this reason.

/invocations: where a model with weights.json has the alias `champion`, its linear model; else 2 * a + b. A batch with a = 13 is refused
as a whole; the prediction for a = 14 is a word, for a = 15 NaN; a = 16: one prediction too few.
"""
import json, os, re, signal, sys, threading, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = sys.argv[1]
lock = threading.Lock()
experiments, runs, models, versions, artifacts = {}, {}, {}, {}, {}
count = 0
TOKENS = ("Bearer token-1", "Basic bWU6cGFzcw==")


class Problem(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.body = status, {"error_code": code, "message": message}


def missing(what):
    return Problem(404, "RESOURCE_DOES_NOT_EXIST", what + " does not exist")


def fault_for(path):
    name = folder + "/faults"
    if not os.path.exists(name):
        return None
    lines = [json.loads(line) for line in open(name)]
    for f in lines:
        if f["path"] in path and f.get("times", 1) > 0:
            f["times"] = f.get("times", 1) - 1
            with open(name, "w") as out:
                out.writelines(json.dumps(x) + "\n" for x in lines)
            return f
    return None


def setting(name):
    path = folder + "/" + name
    return open(path).read().strip() if os.path.exists(path) else ""


def of(table, key, what):
    if key not in table:
        raise missing(what + " " + str(key))
    return table[key]


# ---- Experiments and runs ----

def create_experiment(b):
    if any(e["name"] == b["name"] for e in experiments.values()):
        raise Problem(400, "RESOURCE_ALREADY_EXISTS", "Experiment '%s' already exists" % b["name"])
    number = str(len(experiments) + 1)
    experiments[number] = {"experiment_id": number, "name": b["name"], "lifecycle_stage": "active"}
    return {"experiment_id": number}


def experiment_by_name(b):
    for e in experiments.values():
        if e["name"] == b["experiment_name"]:
            return {"experiment": e}
    raise missing("Experiment")


def create_run(b):
    number = "%032x" % (len(runs) + 1)
    where = setting("artifact_root") or "mlflow-artifacts:/%s/%s/artifacts" % (b["experiment_id"], number)
    runs[number] = {"info": {"run_id": number, "experiment_id": b["experiment_id"], "run_name": b.get("run_name", ""), "status": "RUNNING",
                             "start_time": b["start_time"], "artifact_uri": where},
                    "data": {"params": [], "metrics": [], "tags": list(b.get("tags", []))}, "inputs": {"dataset_inputs": []}}
    return {"run": runs[number]}


def search_runs(b):
    wanted = dict(re.findall(r"tags\.`([^`]*)` = '((?:[^']|'')*)'", b["filter"]))
    found = [r for r in runs.values() if r["info"]["experiment_id"] in b["experiment_ids"] and
             all({"key": k, "value": v.replace("''", "'")} in r["data"]["tags"] for k, v in wanted.items())]
    return {"runs": found[:b["max_results"]]} if found else {}


def put(table, new):
    table[:] = [x for x in table if x["key"] != new["key"]] + [new]


def log_batch(b):
    data = of(runs, b["run_id"], "Run")["data"]
    b = {"metrics": [], "params": [], "tags": [], **b}
    if len(b["metrics"]) > 1000 or len(b["params"]) > 100 or len(b["tags"]) > 100:
        raise Problem(400, "INVALID_PARAMETER_VALUE", "too many at once")
    for p in b["params"]:
        if any(x["key"] == p["key"] and x["value"] != p["value"] for x in data["params"]):
            raise Problem(400, "INVALID_PARAMETER_VALUE", "Changing param values is not allowed. Param with key='%s'" % p["key"])
        put(data["params"], p)
    for t in b["tags"]:
        put(data["tags"], t)
    data["metrics"] += [m for m in b["metrics"] if m not in data["metrics"]]
    return {}


def log_inputs(b):
    inputs = of(runs, b["run_id"], "Run")["inputs"]["dataset_inputs"]
    inputs += [d for d in b["datasets"] if d not in inputs]
    return {}


def update_run(b):
    info = of(runs, b["run_id"], "Run")["info"]
    info.update({k: b[k] for k in ("status", "end_time") if k in b})
    return {"run_info": info}


def list_artifacts(b):
    root = of(runs, b["run_id"], "Run")["info"]["artifact_uri"].split(":/", 1)[1]
    prefix = root + "/" + b["path"] + "/"
    return {"files": [{"path": k[len(root) + 1:], "is_dir": False, "file_size": len(v)} for k, v in artifacts.items() if k.startswith(prefix)]}


# ---- Models ----

def create_model(b):
    if b["name"] in models:
        raise Problem(400, "RESOURCE_ALREADY_EXISTS", "Registered Model (name=%s) already exists." % b["name"])
    models[b["name"]] = {"aliases": {}}
    return {"registered_model": {"name": b["name"]}}


def create_version(b):
    of(models, b["name"], "Registered Model")
    number = str(sum(k[0] == b["name"] for k in versions) + 1)
    versions[b["name"], number] = {"name": b["name"], "version": number, "source": b["source"], "run_id": b.get("run_id", ""),
                                   "tags": list(b.get("tags", [])), "pending": int(setting("pending") or 0),
                                   "status": "PENDING_REGISTRATION" if setting("pending") or setting("broken") else "READY"}
    return {"model_version": versions[b["name"], number]}


def search_versions(b):
    name = re.match(r"name='((?:[^']|'')*)'", b["filter"]).group(1)
    found = [v for k, v in versions.items() if k[0] == name]
    return {"model_versions": found[::-1]} if found else {}


def get_version(b):
    v = dict(of(versions, (b["name"], b["version"]), "Model Version"), status="READY")
    versions[b["name"], b["version"]]["pending"] -= 1
    if v["pending"] > 0:
        v["status"] = "PENDING_REGISTRATION"
    elif setting("broken"):
        v.update(status="FAILED_REGISTRATION", status_message=setting("broken"))
    return {"model_version": v}


def set_alias(b):
    of(versions, (b["name"], b["version"]), "Model Version")
    models[b["name"]]["aliases"][b["alias"]] = b["version"]
    return {}


def set_version_tag(b):
    put(of(versions, (b["name"], b["version"]), "Model Version")["tags"], {"key": b["key"], "value": b["value"]})
    return {}


CALLS = {"experiments/create": create_experiment, "experiments/get-by-name": experiment_by_name, "runs/create": create_run, "runs/search": search_runs,
         "runs/log-batch": log_batch, "runs/log-inputs": log_inputs, "runs/update": update_run, "runs/get": lambda b: {"run": of(runs, b["run_id"], "Run")},
         "artifacts/list": list_artifacts, "registered-models/create": create_model, "model-versions/create": create_version,
         "model-versions/search": search_versions, "model-versions/get": get_version, "registered-models/alias": set_alias,
         "model-versions/set-tag": set_version_tag,
         "registered-models/get": lambda b: {"registered_model": {"name": b["name"], **of(models, b["name"], "Registered Model"), "aliases": []}}}


# ---- Scoring ----

def weights():
    for name, model in models.items():
        v = versions.get((name, model["aliases"].get("champion")))
        text = artifacts.get(v["source"].split(":/", 1)[1] + "/weights.json") if v else None
        if text:
            return json.loads(text)
    return None


def rows_of(b):
    if "dataframe_split" in b:
        return [dict(zip(b["dataframe_split"]["columns"], row)) for row in b["dataframe_split"]["data"]]
    if "inputs" in b:
        return [dict(zip(b["inputs"], row)) for row in zip(*b["inputs"].values())]
    return b["dataframe_records"]


def predict(b):
    rows, w = rows_of(b), weights()
    if any(r.get("a") == 13 for r in rows):
        raise Problem(400, "BAD_REQUEST", "Failed to predict data. \x1b[31mUnlucky\x1b[0m number")
    if w:
        out = [w["intercept"] + sum(v * r[k] for k, v in w.items() if k != "intercept") for r in rows]
    else:
        out = ["oops" if r["a"] == 14 else float("nan") if r["a"] == 15 else 2 * r["a"] + (r.get("b") or 0) for r in rows]
    if any(r.get("a") == 16 for r in rows):
        out.pop()
    shape = b.get("params", {}).get("shape")
    if shape == "lists":
        out = [[x, "high" if x > 10 else "low"] for x in out]
    elif shape == "records":
        out = [{"band": "high" if x > 10 else "low", "score": x} for x in out]
    elif shape == "columns":
        out = {"score": out, "band": ["high" if x > 10 else "low" for x in out]}
    return {"predictions": out}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def work(self, path, body):
        if path.startswith("/api/2.0/mlflow-artifacts/artifacts/"):
            if setting("no_artifacts"):
                raise Problem(404, "ENDPOINT_NOT_FOUND", "no artifacts are served")
            artifacts[urllib.parse.unquote(path[len("/api/2.0/mlflow-artifacts/artifacts/"):])] = body
            return {}
        if path == "/invocations" or path.startswith("/serving-endpoints/"):
            if path.startswith("/serving-endpoints/") and self.headers.get("Authorization") != "Bearer dapi-1":
                raise Problem(403, "PERMISSION_DENIED", "Invalid access token.")
            if path.startswith("/serving-endpoints/") and path != "/serving-endpoints/churn%20model/invocations":
                raise Problem(404, "RESOURCE_DOES_NOT_EXIST", "The given endpoint does not exist")
            return predict(json.loads(body))
        if setting("auth") and self.headers.get("Authorization") not in TOKENS:
            raise Problem(401, "UNAUTHENTICATED", "You are not authenticated.")
        return CALLS[path[len("/api/2.0/mlflow/"):]](body)

    def handle_any(self):
        global count
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        shown = json.loads(raw) if is_json and raw else raw.decode("utf-8", "replace") if raw else None
        with lock:
            with open(folder + "/requests", "a") as f:
                f.write(json.dumps({"method": self.command, "path": url.path, "query": dict(urllib.parse.parse_qsl(url.query)),
                                    "headers": dict(self.headers), "body": shown}) + "\n")
            count += 1
            fault = {"lost": True} if setting("lost_at") == str(count) or setting("kill_at") == str(count) else fault_for(url.path)
            if fault and not fault.get("lost"):
                self.answer(fault["status"], {"error_code": fault.get("code", "TEMPORARILY_UNAVAILABLE"), "message": fault.get("message", "a fault")},
                            [("Retry-After", "0")])
                return
            try:
                b = dict(urllib.parse.parse_qsl(url.query)) if self.command == "GET" else raw if url.path[:5] != "/api/" or not is_json else shown
                status, body = 200, self.work(url.path, b)
            except Problem as p:
                status, body = p.status, p.body
            except KeyError as e:
                status, body = 400, {"error_code": "BAD_REQUEST", "message": "no " + str(e)}
            if setting("kill_at") == str(count):
                os.kill(int(setting("victim")), signal.SIGKILL)
        if fault:
            self.close_connection = True
            self.connection.close()
            return
        self.answer(status, body)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(folder + "/port.new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
