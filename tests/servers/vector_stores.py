#!/usr/bin/env python3
"""vector_stores.py PORT-FILE: what Chroma, Qdrant and Pinecone answer, as far as dgc asks them, kept in memory.

Strict where the services are: authentication, batch limits, dimensions, types of metadata, paging. Control:
  GET  /fake/dump        every record of every collection, sorted
  GET  /fake/log         requests so far: method, path, headers in lower case, body
  POST /fake/reset       forget everything
  POST /fake/save/NAME   keep what there is; /fake/restore/NAME brings it back
  POST /fake/fault       {"match": "POST /path-part", "status": 429, "headers": {...}, "times": 1, "body": "...", "cut": false,
                          "after": 0, "late": false}: the next answers; late: the work is done first
"""
import http.server, json, math, os, pickle, re, sys, threading, urllib.parse, uuid

lock = threading.RLock()


class State:
    def __init__(self):
        self.chroma, self.qdrant, self.aliases, self.pinecone = {}, {}, {}, {}
        self.log, self.faults, self.lag = [], [], {}


state, saved = State(), {}


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def need(condition, status, message):
    if not condition:
        raise Refused(status, message)


def score(metric, a, b):
    dot = sum(x * y for x, y in zip(a, b))
    if metric == "cosine":
        return dot / math.sqrt(sum(x * x for x in a) * sum(x * x for x in b) or 1)
    return dot if metric == "dot" else -math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))


OPERATORS = {"$eq": lambda a, b: a == b, "$ne": lambda a, b: a != b, "$gt": lambda a, b: a is not None and a > b, "$gte": lambda a, b: a is not None and a >= b,
             "$lt": lambda a, b: a is not None and a < b, "$lte": lambda a, b: a is not None and a <= b, "$in": lambda a, b: a in b, "$nin": lambda a, b: a not in b}


def mongo(where, metadata):
    if not where:
        return True
    need(len(where) == 1, 400, "one operator at a time")
    key, value = next(iter(where.items()))
    if key == "$and":
        need(len(value) > 1, 400, "$and needs two")
        return all(mongo(w, metadata) for w in value)
    need(isinstance(value, dict) and len(value) == 1, 400, "a comparison has one operator")
    operator, operand = next(iter(value.items()))
    return OPERATORS[operator](metadata.get(key), operand)


def nearest(records, metric, query, k, keep):
    found = [(score(metric, r["vector"], query), i) for i, r in records.items() if keep(r)]
    return sorted(found, key=lambda f: (-f[0], f[1]))[:k]


def plain(metadata, lists):
    for k, v in (metadata or {}).items():
        need(isinstance(v, (str, int, float, bool)) or (lists and isinstance(v, list) and all(isinstance(x, str) for x in v)), 400, f"metadata {k} has a bad value")


# ---- Chroma ----

MAX_BATCH = 700


def chroma(method, path, query, body, headers):
    if path == "/api/v2/pre-flight-checks":
        return 200, {"max_batch_size": MAX_BATCH, "supports_base64_encoding": True}
    m = re.fullmatch(r"/api/v2/tenants/([^/]+)/databases/([^/]+)/collections(?:/([^/]+))?(?:/([a-z]+))?", path)
    need(m and m[1] == "default_tenant" and m[2] == "default_database", 404, "no such tenant or database")
    name, action = m[3] and urllib.parse.unquote(m[3]), m[4]
    by_id = {c["id"]: c for c in state.chroma.values()}
    if name is None:
        need(method == "POST", 405, "only POST")
        if body["name"] not in state.chroma:
            state.chroma[body["name"]] = {"id": str(uuid.uuid4()), "name": body["name"], "space": body["configuration"]["hnsw"]["space"], "dimension": None, "records": {}}
        else:
            need(body.get("get_or_create"), 409, "collection exists")
        return 200, shown(state.chroma[body["name"]])
    if action is None:
        if method == "GET":
            need(name in state.chroma, 404, f"Collection [{name}] does not exist")
            return 200, shown(state.chroma[name])
        if method == "DELETE":
            need(name in state.chroma, 404, f"Collection [{name}] does not exist")
            del state.chroma[name]
            return 200, {}
        need(method == "PUT" and name in by_id, 404, "no such collection")
        need(body["new_name"] not in state.chroma, 409, "the name is taken")
        c = by_id[name]
        del state.chroma[c["name"]]
        c["name"] = body["new_name"]
        state.chroma[c["name"]] = c
        return 200, {}
    need(name in by_id, 404, "no such collection")
    c = by_id[name]
    if action == "count":
        return 200, len(c["records"])
    if action == "upsert":
        need(0 < len(body["ids"]) <= MAX_BATCH, 400, "Batch size exceeds the limit")
        need(len(set(body["ids"])) == len(body["ids"]), 400, "duplicate ids")
        for i, e, meta, text in zip(body["ids"], body["embeddings"], body["metadatas"], body["documents"]):
            need(len(e) > 0, 400, "an embedding has no numbers")
            c["dimension"] = c["dimension"] or len(e)
            need(len(e) == c["dimension"], 400, f"Collection expecting embedding with dimension of {c['dimension']}, got {len(e)}")
            plain({k: v for k, v in meta.items() if v is not None}, False)
            old = c["records"].get(i, {"metadata": {}, "text": None})  # keys are merged, null takes one away
            c["records"][i] = {"vector": e, "metadata": {k: v for k, v in {**old["metadata"], **meta}.items() if v is not None},
                               "text": old["text"] if text is None else text}
        return 200, {}
    if action == "delete":
        for i in body["ids"]:
            c["records"].pop(i, None)
        return 200, {"deleted": len(body["ids"])}
    if action == "get":
        if "ids" in body:
            ids = [i for i in body["ids"] if i in c["records"]]
        else:
            ids = sorted(c["records"])[body["offset"]:body["offset"] + min(body["limit"], 300)]
        return 200, {"ids": ids, "metadatas": [c["records"][i]["metadata"] for i in ids]}
    if action == "query":
        metric = {"cosine": "cosine", "ip": "dot", "l2": "euclidean"}[c["space"]]
        answer = {"ids": [], "documents": [], "metadatas": [], "distances": []}
        for q in body["query_embeddings"]:
            hits = nearest(c["records"], metric, q, body["n_results"], lambda r: mongo(body["where"], r["metadata"]))
            answer["ids"].append([i for _, i in hits])
            answer["documents"].append([c["records"][i]["text"] for _, i in hits])
            answer["metadatas"].append([c["records"][i]["metadata"] for _, i in hits])
            answer["distances"].append([s * s if metric == "euclidean" else 1 - s for s, _ in hits])
        return 200, answer
    raise Refused(404, "no such action")


def shown(c):
    return {"id": c["id"], "name": c["name"], "dimension": c["dimension"], "metadata": None, "configuration_json": {"hnsw": {"space": c["space"]}, "spann": None}}


# ---- Qdrant ----

def qdrant(method, path, query, body, headers):
    need(headers.get("api-key") == "qk-test", 401, "Must provide an API key or an Authorization bearer token")
    ok = lambda result: (200, {"result": result, "status": "ok", "time": 0.001})
    if path == "/aliases":
        return ok({"aliases": [{"alias_name": a, "collection_name": c} for a, c in sorted(state.aliases.items())]})
    if path == "/collections/aliases":
        for action in body["actions"]:
            if "delete_alias" in action:
                state.aliases.pop(action["delete_alias"]["alias_name"], None)
            else:
                make = action["create_alias"]
                need(make["collection_name"] in state.qdrant, 404, "no such collection")
                need(make["alias_name"] not in state.qdrant, 409, "a collection has this name")
                state.aliases[make["alias_name"]] = make["collection_name"]
        return ok(True)
    m = re.fullmatch(r"/collections/([^/]+)(/points(?:/[a-z]+)?)?", path)
    need(m, 404, "no such path")
    name = urllib.parse.unquote(m[1])
    name, action = state.aliases.get(name, name), m[2]
    if action is None and method == "PUT":
        need(name not in state.qdrant, 409, f"Collection `{name}` already exists!")
        state.qdrant[name] = {"size": body["vectors"]["size"], "distance": body["vectors"]["distance"], "points": {}}
        return ok(True)
    if action is None and method == "DELETE":
        existed = state.qdrant.pop(name, None) is not None
        for a in [a for a, c in state.aliases.items() if c == name]:
            del state.aliases[a]
        return ok(existed)
    need(name in state.qdrant, 404, f"Not found: Collection `{name}` doesn't exist!")
    c = state.qdrant[name]
    if action is None:
        return ok({"status": "green", "points_count": len(c["points"]), "config": {"params": {"vectors": {"size": c["size"], "distance": c["distance"]}}}})
    if action == "/points" and method == "PUT":
        need(query.get("wait") == ["true"], 400, "this fake wants wait=true")
        for p in body["points"]:
            need(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(p["id"])), 400, "value is not a valid point ID")
            need(len(p["vector"]) == c["size"], 400, f"Wrong input: Vector dimension error: expected dim: {c['size']}, got {len(p['vector'])}")
            c["points"][p["id"]] = {"vector": p["vector"], "payload": p["payload"]}
        return ok({"operation_id": 1, "status": "completed"})
    if action == "/points/delete":
        for i in body["points"]:
            c["points"].pop(i, None)
        return ok({"operation_id": 1, "status": "completed"})
    if action == "/points/count":
        return ok({"count": len(c["points"])})
    if action == "/points/scroll":
        ids = sorted(c["points"])
        start = ids.index(body["offset"]) if "offset" in body else 0
        limit = min(body["limit"], 300)
        page = ids[start:start + limit]
        return ok({"points": [{"id": i, "payload": {k: v for k, v in c["points"][i]["payload"].items() if k in body["with_payload"]}} for i in page],
                   "next_page_offset": ids[start + limit] if start + limit < len(ids) else None})
    if action == "/points/query":
        metric = {"Cosine": "cosine", "Dot": "dot", "Euclid": "euclidean"}[c["distance"]]
        hits = nearest(c["points"], metric, body["query"], body["limit"], lambda r: qdrant_keeps(body.get("filter", {}), r["payload"]))
        return ok({"points": [{"id": i, "version": 1, "score": abs(s) if metric == "euclidean" else s, "payload": c["points"][i]["payload"]} for s, i in hits]})
    raise Refused(404, "no such action")


def qdrant_keeps(f, payload):
    def holds(c):
        v = payload.get(c["key"])
        if "range" in c:
            return isinstance(v, (int, float)) and all({"gt": v > b, "gte": v >= b, "lt": v < b, "lte": v <= b}[o] for o, b in c["range"].items())
        return v in c["match"]["any"] if "any" in c["match"] else v == c["match"]["value"] and isinstance(v, bool) == isinstance(c["match"]["value"], bool)
    return all(holds(c) for c in f.get("must", [])) and not any(holds(c) for c in f.get("must_not", []))


# ---- Pinecone ----

def pinecone(method, path, query, body, headers):
    need(headers.get("api-key") == "pk-test", 401, "Invalid API Key")
    need(headers.get("x-pinecone-api-version") == "2025-10", 400, "a version is required")
    if path == "/indexes":
        need(method == "POST", 405, "only POST")
        need(body["name"] not in state.pinecone, 409, "Resource already exists")
        need(body["metric"] in ("cosine", "dotproduct", "euclidean") and body["spec"]["serverless"]["cloud"] and body["spec"]["serverless"]["region"], 400, "bad index")
        state.pinecone[body["name"]] = {"dimension": body["dimension"], "metric": body["metric"], "spaces": {}, "looks": 0}
        return 201, model(body["name"], headers)
    if path.startswith("/indexes/"):
        need(path[9:] in state.pinecone, 404, "Resource not found")
        return 200, model(path[9:], headers)
    m = re.fullmatch(r"/data/([^/]+)(/.*)", path)
    need(m and m[1] in state.pinecone, 404, "no such index")
    c, action = state.pinecone[m[1]], m[2]
    space = (body or {}).get("namespace", query.get("namespace", [""])[0])
    records = c["spaces"].get(space, {})
    if action == "/vectors/upsert":
        records = c["spaces"].setdefault(space, {})
        need(0 < len(body["vectors"]) <= 1000, 400, "too many vectors")
        for v in body["vectors"]:
            need(v["id"].isascii() and len(v["id"]) <= 512, 400, "Vector ID must be ASCII and at most 512 characters")
            need(len(v["values"]) == c["dimension"], 400, f"Vector dimension {len(v['values'])} does not match the dimension of the index {c['dimension']}")
            need(any(v["values"]), 400, "Dense vectors must contain at least one non-zero value")
            need("sparseValues" not in v or (c["metric"] == "dotproduct" and len(v["sparseValues"]["indices"]) == len(v["sparseValues"]["values"])), 400, "bad sparse values")
            plain(v["metadata"], True)
            need(len(json.dumps(v["metadata"])) <= 40960, 400, "metadata too large")
            records[v["id"]] = {"vector": v["values"], "metadata": v["metadata"], "sparse": v.get("sparseValues")}
        state.lag[m[1]] = 1  # the next count is the old one
        return 200, {"upsertedCount": len(body["vectors"])}
    if action == "/vectors/delete":
        need(space in c["spaces"], 404, "Namespace not found")
        need(0 < len(body["ids"]) <= 1000, 400, "too many ids")
        for i in body["ids"]:
            records.pop(i, None)
        if not records:
            del c["spaces"][space]
        return 200, {}
    if action == "/describe_index_stats":
        if state.lag.get(m[1]):
            state.lag[m[1]] -= 1
            return 200, {"namespaces": {}, "dimension": c["dimension"], "indexFullness": 0, "totalVectorCount": 0}
        return 200, {"namespaces": {s or "__default__": {"vectorCount": len(r)} for s, r in c["spaces"].items()}, "dimension": c["dimension"],
                     "totalVectorCount": sum(len(r) for r in c["spaces"].values())}
    if action == "/vectors/list":
        need(space in c["spaces"], 404, "Namespace not found")
        ids, start, limit = sorted(records), int(query.get("paginationToken", ["0"])[0]), min(int(query["limit"][0]), 100)
        answer = {"vectors": [{"id": i} for i in ids[start:start + limit]], "namespace": space, "usage": {"readUnits": 1}}
        if start + limit < len(ids):
            answer["pagination"] = {"next": str(start + limit)}
        return 200, answer
    if action == "/vectors/fetch":
        return 200, {"vectors": {i: {"id": i, "values": records[i]["vector"], "metadata": records[i]["metadata"]} for i in query.get("ids", []) if i in records}, "namespace": space}
    if action == "/query":
        metric = {"cosine": "cosine", "dotproduct": "dot", "euclidean": "euclidean"}[c["metric"]]
        sparse = body.get("sparseVector")
        need(not sparse or (metric == "dot" and sparse["indices"] and len(sparse["indices"]) == len(sparse["values"])), 400, "bad sparse values")
        keeps = lambda r: mongo(body.get("filter"), r["metadata"])
        hits = nearest(records, metric, body["vector"], body["topK"], keeps) if not sparse else sorted(
            ((score(metric, r["vector"], body["vector"]) + sparse_product(r["sparse"], sparse), i) for i, r in records.items() if keeps(r)), reverse=True)[:body["topK"]]
        return 200, {"matches": [{"id": i, "score": s * s if metric == "euclidean" else s, "values": [], "metadata": records[i]["metadata"]} for s, i in hits],
                     "namespace": space, "usage": {"readUnits": 1}}
    raise Refused(404, "no such action")


def sparse_product(a, b):
    a = dict(zip(a["indices"], a["values"])) if a else {}
    return sum(a.get(i, 0) * v for i, v in zip(b["indices"], b["values"]))


def model(name, headers):
    c = state.pinecone[name]
    c["looks"] += 1
    return {"name": name, "dimension": c["dimension"], "metric": c["metric"], "host": f"http://{headers['host']}/data/{name}",
            "status": {"ready": c["looks"] > 2, "state": "Ready" if c["looks"] > 2 else "Initializing"}, "vector_type": "dense",
            "spec": {"serverless": {"cloud": "aws", "region": "us-east-1"}}, "deletion_protection": "disabled"}


def dump():
    out = {}
    for name, c in state.chroma.items():
        out["chroma/" + name] = [[i, r["vector"], r["text"], r["metadata"]] for i, r in sorted(c["records"].items())]
    for name, c in state.qdrant.items():
        alias = [a for a, n in state.aliases.items() if n == name]
        out["qdrant/" + (alias[0] if alias else name)] = [[i, r["vector"], r["payload"]] for i, r in sorted(c["points"].items())]
    for name, c in state.pinecone.items():
        for space, records in c["spaces"].items():
            out[f"pinecone/{name}/{space}"] = [[i, r["vector"], r["metadata"], r["sparse"]] for i, r in sorted(records.items())]
    return out


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, value, headers=None, text=None):
        body = (text if text is not None else json.dumps(value)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for k, v in (headers or {}).items():
            self.send_header(k, str(v))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        global state
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urllib.parse.urlsplit(self.path)
        path, query, method = url.path, urllib.parse.parse_qs(url.query), self.command
        headers = {k.lower(): v for k, v in self.headers.items()}
        body = json.loads(raw) if raw else None
        with lock:
            if path == "/fake/dump":
                return self.answer(200, dump())
            if path == "/fake/log":
                return self.answer(200, state.log)
            if path == "/fake/reset":
                state = State()
                return self.answer(200, {})
            if path.startswith("/fake/save/"):
                saved[path[11:]] = pickle.dumps(state)
                return self.answer(200, {})
            if path.startswith("/fake/restore/"):
                state = pickle.loads(saved[path[14:]])
                return self.answer(200, {})
            if path == "/fake/fault":
                state.faults.append({"times": 1, "after": 0, **body})
                return self.answer(200, {})
            state.log.append({"method": method, "path": self.path, "headers": headers, "body": body})
            fault = next((f for f in state.faults if f["match"] in f"{method} {self.path}" and f["times"] > 0), None)
            if fault and fault["after"] > 0:
                fault["after"] -= 1
                fault = None
            if fault:
                fault["times"] -= 1
            if fault and not fault.get("late"):
                return self.fault(fault)
            service = chroma if path.startswith("/api/") else pinecone if path.startswith(("/indexes", "/data")) else qdrant
            try:
                status, value = service(method, path, query, body, headers)
            except Refused as r:
                status, value = r.status, {"error": "Refused", "message": str(r)} if service is chroma else \
                    {"status": {"error": str(r)}} if service is qdrant else {"error": {"code": "X", "message": str(r)}, "status": r.status}
            if fault:
                return self.fault(fault)
        self.answer(status, value)

    def fault(self, f):
        if f.get("cut"):
            self.close_connection = True
            self.connection.close()
            return
        self.answer(f["status"], {"error": "Fault", "message": "planted"}, f.get("headers"), f.get("body"))

    do_GET = do_POST = do_PUT = do_DELETE = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(sys.argv[1] + ".part", "w") as f:
    f.write(str(server.server_port))
os.rename(sys.argv[1] + ".part", sys.argv[1])
server.serve_forever()
