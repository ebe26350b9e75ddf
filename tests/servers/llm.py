#!/usr/bin/env python3
"""A server that answers like OpenAI's and Anthropic's APIs, by rules instead of a model.

    llm.py FOLDER

Writes its port to FOLDER/port and each request as a line of JSON to FOLDER/requests. Words in the last question
decide what comes: REFUSE, CUT, INVALID (a wrong answer, right when asked again), HOPELESS (always wrong),
BUSY (429 once, then fine), BROKEN (500 once), QUOTA (no money), BAD (400). FOLDER/latency: seconds to wait.
Over numbered passages it cites the first; INVENT: also some that there are not; UNCITED: none; CONTROL: with escapes.
"""
import base64, hashlib, json, os, re, struct, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = sys.argv[1]
lock = threading.Lock()
seen = {}
DIMENSIONS = 8


def value_for(schema, text):
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if "enum" in schema:
        moods = {"positive": ("love", "great"), "negative": ("bad", "hate"), "neutral": ()}
        for choice in schema["enum"]:
            if any(word in text.lower() for word in moods.get(choice, ())):
                return choice
        return "neutral" if "neutral" in schema["enum"] else schema["enum"][0]
    if kind == "integer":
        return 1 + len(text) % 5
    if kind == "number":
        return len(text) / 2
    if kind == "boolean":
        return "!" in text
    if kind == "array":
        return [value_for(schema["items"], text)]
    if schema.get("format") == "date":
        return "2026-01-31"
    if schema.get("format") == "date-time":
        return "2026-01-31T12:00:00Z"
    return "about: " + text[:40]


def answer(question, schema, again):
    """text, end"""
    if "REFUSE" in question:
        return "I cannot help with that.", "refused"
    if "CUT" in question:
        return '{"sentiment": "posi', "cut"
    if "<passage number=" in question:
        if "INVENT" in question:
            return "Paid back soon [1], as `rows[8]` has it [2, 9]. Never [12].", "done"
        if "UNCITED" in question:
            return "I think so.", "done"
        if "CONTROL" in question:
            return "\x1b[31mred\x07\u009b [1]", "done"
        return "It is so [1].", "done"
    if question.startswith('{"rows":'):
        return packed(json.loads(question)["rows"], schema["properties"]["answers"]["items"])
    if not schema:
        return "answer to: " + question[:60], "done"
    wrong = "HOPELESS" in question or ("INVALID" in question and not again)
    fields = {k: 17.5 if wrong else value_for(s, question) for k, s in schema["properties"].items()}
    return json.dumps(fields), "done"


def packed(rows, schema):
    """Several rows in one call. LOST: a row without an answer; TWICE: with two; STRANGER: a row that was not asked about."""
    answers = []
    for r in rows:
        text = r["text"]
        if "STRANGER" in text:
            answers.append({"row": 99, "sentiment": "neutral", "urgency": 1, "summary": "nobody"})
        if "LOST" in text:
            continue
        fields = {k: r["row"] if k == "row" else 17.5 if "INVALID" in text or "HOPELESS" in text else value_for(s, text)
                  for k, s in schema["properties"].items()}
        answers += [fields] * (2 if "TWICE" in text else 1)
    return json.dumps({"answers": answers[::-1]}), "done"


def vector(text):
    h = hashlib.sha256(text.encode()).digest()
    v = [b / 255 - 0.5 for b in h[:DIMENSIONS]]
    n = sum(x * x for x in v) ** 0.5
    return [x / n for x in v]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *a):
        pass

    def reply(self, status, body, **headers):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(raw)
        with lock:
            with open(folder + "/requests", "a") as f:
                f.write(json.dumps({"path": self.path, "headers": dict(self.headers), "body": body}) + "\n")
        try:
            time.sleep(float(open(folder + "/latency").read()))
        except FileNotFoundError:
            pass
        if self.path.endswith("/embeddings"):
            texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
            if any(len(t) > 4 * 8192 for t in texts):
                return self.reply(400, {"error": {"message": "maximum context length is 8192 tokens", "type": "invalid_request_error"}})
            wide = [vector(t) for t in texts]
            if body.get("encoding_format") == "base64":
                wide = [base64.b64encode(struct.pack("<%df" % len(v), *v)).decode() for v in wide]
            data = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(wide)]
            tokens = sum(len(t) // 4 + 1 for t in texts)
            return self.reply(200, {"object": "list", "data": data[::-1], "model": body["model"], "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
        claude = self.path.endswith("/messages")
        responses = self.path.endswith("/responses")
        turns = body["input"] if responses else body["messages"]
        texts = []
        for t in turns:
            c = t["content"]
            texts.append(c if isinstance(c, str) else "".join(p.get("text", "") for p in c))
        users = [t for t, m in zip(texts, turns) if m["role"] == "user"]
        question = next((t for t in reversed(users) if not t.startswith("That does not fit")), "")
        again = users[-1].startswith("That does not fit")
        if "REFUSE" not in question:
            key = hashlib.sha256(raw).hexdigest()
            with lock:
                seen[key] = seen.get(key, 0) + 1
                first = seen[key] == 1
            if "BUSY" in question and first:
                return self.reply(429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, retry_after_ms="50")
            if "BROKEN" in question and first:
                return self.reply(500, {"error": {"message": "oops"}})
            if "QUOTA" in question:
                return self.reply(429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}})
            if "BAD" in question:
                return self.reply(400, {"error": {"message": "this prompt is too long", "type": "invalid_request_error"}})
        if self.headers.get("Authorization") == "Bearer wrong" or self.headers.get("X-Api-Key") == "wrong":
            return self.reply(401, {"error": {"message": "Incorrect API key provided"}})
        if body["model"] == "nosuch":
            return self.reply(404, {"error": {"message": "The model `nosuch` does not exist"}})
        if claude:
            schema = body.get("output_config", {}).get("format", {}).get("schema")
        elif responses:
            schema = body.get("text", {}).get("format", {}).get("schema")
        else:
            schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        text, end = answer(question, schema, again)
        tin, tout = sum(len(t) // 4 + 1 for t in texts), len(text) // 4 + 1
        if claude:
            why = {"refused": "refusal", "cut": "max_tokens", "done": "end_turn"}[end]
            return self.reply(200, {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": [{"type": "text", "text": text}],
                                    "stop_reason": why, "stop_sequence": None, "usage": {"input_tokens": tin, "output_tokens": tout}})
        if responses:
            part = {"type": "refusal", "refusal": text} if end == "refused" else {"type": "output_text", "text": text, "annotations": []}
            out = {"id": "resp_1", "object": "response", "status": "incomplete" if end == "cut" else "completed", "model": body["model"],
                   "output": [{"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": [part]}],
                   "usage": {"input_tokens": tin, "output_tokens": tout, "input_tokens_details": {"cached_tokens": 0}, "total_tokens": tin + tout}}
            if end == "cut":
                out["incomplete_details"] = {"reason": "max_output_tokens"}
            return self.reply(200, out)
        message = {"role": "assistant", "content": None if end == "refused" else text, "refusal": text if end == "refused" else None}
        self.reply(200, {"id": "c1", "object": "chat.completion", "model": body["model"],
                         "choices": [{"index": 0, "finish_reason": "length" if end == "cut" else "stop", "message": message}],
                         "usage": {"prompt_tokens": tin, "completion_tokens": tout, "total_tokens": tin + tout}})


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
with open(folder + "/port.new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
