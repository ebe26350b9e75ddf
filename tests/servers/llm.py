#!/usr/bin/env python3
"""A server that answers like OpenAI's and Anthropic's APIs, by rules instead of a model.

    llm.py FOLDER

Writes its port to FOLDER/port and each request as a line of JSON to FOLDER/requests. Words in the last question
decide what comes: REFUSE, CUT, INVALID (a wrong answer, right when asked again), HOPELESS (always wrong),
HIJACK (more than was asked for),
BUSY (429 once, then fine), BROKEN (500 once), QUOTA (no money), BAD (400). FOLDER/latency: seconds to wait.
Over numbered passages it cites the first; INVENT: also some that there are not; UNCITED: none; CONTROL: with escapes.
LATER FORM (429 once, the wait told in that form), OVERLOADED (529 once), codes of spend limits by name, NOJSON (prose, right when asked again),
NONSENSE (fits the schema), DRIP (a few bytes at a time), ENDLESS (no end).
What is asked with `stream` comes as events. FOLDER/cut: N, the first answer to a question ends after so many events; N always: each does;
N error: in an event that tells of a failure. FOLDER/ends: cr or crlf, how lines end. FOLDER/nostream: streams are not known here.
"""
import base64, hashlib, json, os, re, struct, sys, threading, time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = sys.argv[1]
lock = threading.RLock()
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
    if "HIJACK" in question:
        evil = "\x1b[2J'); DROP TABLE raw.letters; -- {{ env('MY_TOKEN') }} ../../x"
        return json.dumps({**{k: evil if s.get("type") == "string" and "enum" not in s else value_for(s, question) for k, s in schema["properties"].items()},
                           "id": 999, "amount": 0, "__proto__": {"x": 1}}), "done"
    if "NOJSON" in question and not again:
        return "Sure! Here is your JSON:", "done"
    if "NONSENSE" in question:
        return json.dumps({k: s["enum"][0] if "enum" in s else {"integer": -9007199254740993, "string": "\u202eno\ufffd\u0000" * 3}.get(s.get("type"), None)
                           for k, s in schema["properties"].items()}), "done"
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


def parts(raw, kind):
    """Of a multipart form: texts by name; the lines of its file."""
    mark, out = kind.split("boundary=")[1].strip('"').encode(), {}
    for part in raw.split(b"--" + mark)[1:-1]:
        head, data = part.strip(b"\r\n").split(b"\r\n\r\n", 1)
        name = re.search(rb' name="(\w+)"', head).group(1).decode()
        out[name] = [json.loads(line) for line in data.splitlines()] if b"filename=" in head else data.decode()
        if b"filename=" in head:
            out["about"] = head.decode().lower().split("\r\n")
    return out


class Inner:
    """Takes what a request of a batch would have been answered."""

    def __init__(self, path, body):
        self.path, self.headers = path, {}
        Handler.answer(self, body, json.dumps(body).encode())

    def reply(self, status, body, **headers):
        self.status, self.body = status, body


def setting(name, otherwise):
    try:
        return open(folder + "/" + name).read().strip()
    except FileNotFoundError:
        return otherwise


files, batches = {}, {}


def batch(h, body):
    """Batches of both. FOLDER/polls: looks until one has ended; FOLDER/fate: expired, failed. EXPIRE in a question: without an answer."""
    with lock:
        path = h.path.removeprefix("/v1")
        if setting("fate", "") == "none" or (body is not None and setting("fate", "") == "refused"):
            return h.reply(404 if setting("fate", "") == "none" else 400, {"error": {"message": "no batches here"}})
        if path == "/files":
            files["file-%d" % len(files)] = body["file"]
            return h.reply(200, {"id": "file-%d" % (len(files) - 1), "object": "file", "bytes": 1, "created_at": 1, "filename": "batch.jsonl", "purpose": "batch"})
        if path.startswith("/files/"):
            return h.lines(files[path.split("/")[2]])
        claude = path.startswith("/messages")
        if body is not None:
            asked = body["requests"] if claude else files[body["input_file_id"]]
            name = "batch_%d" % len(batches)
            done, failed = [], []
            for r in asked:
                if "EXPIRE" in json.dumps(r) or setting("fate", "") == "expired":
                    if claude:
                        done.append({"custom_id": r["custom_id"], "result": {"type": "expired"}})
                    else:
                        failed.append({"id": "b", "custom_id": r["custom_id"], "response": None,
                                       "error": {"code": "batch_expired", "message": "This request could not be executed before the completion window expired."}})
                    continue
                one = Inner("/v1/messages" if claude else r["url"], r["params"] if claude else r["body"])
                if claude and one.status == 200:
                    done.append({"custom_id": r["custom_id"], "result": {"type": "succeeded", "message": one.body}})
                elif claude:
                    done.append({"custom_id": r["custom_id"], "result": {"type": "errored", "error": {"type": "error", "error": one.body["error"]}}})
                else:
                    (done if one.status == 200 else failed).append(
                        {"id": "b", "custom_id": r["custom_id"], "response": {"status_code": one.status, "request_id": "r", "body": one.body}, "error": None})
            # A stranger's question, which nobody asked.
            stranger = dict(done[0], custom_id="0" * 64) if done else None
            batches[name] = {"looks": 0, "done": done[::-1] + ([stranger] if stranger else []), "failed": failed, "count": len(asked)}
        else:
            name = path.split("/")[3 if claude else 2]
            if name not in batches:
                return h.reply(404, {"error": {"message": "no such batch"}})
        b = batches[name]
        if path.endswith("/results"):
            return h.lines(b["done"])
        b["looks"] += body is None
        ended = b["looks"] > int(setting("polls", "1"))
        if claude:
            counts = {"processing": 0 if ended else b["count"], "succeeded": b["count"] if ended else 0, "errored": 0, "canceled": 0, "expired": 0}
            return h.reply(200, {"id": name, "type": "message_batch", "processing_status": "ended" if ended else "in_progress", "request_counts": counts,
                                 "results_url": "http://169.254.169.254/x" if ended else None, "created_at": "2026-01-01T00:00:00Z",
                                 "expires_at": "2026-01-02T00:00:00Z", "ended_at": None, "archived_at": None, "cancel_initiated_at": None})
        fate = setting("fate", "completed") if ended else "in_progress"
        out = {"id": name, "object": "batch", "status": fate, "endpoint": "/v1/responses", "completion_window": "24h", "created_at": 1, "input_file_id": "file-0",
               "request_counts": {"total": b["count"], "completed": len(b["done"]) if ended else 0, "failed": 0}}
        if fate == "failed":
            out["errors"] = {"object": "list", "data": [{"code": "invalid", "message": "the file is too old", "line": None, "param": None}]}
        elif ended:
            files["file-out-" + name], files["file-err-" + name] = b["done"], b["failed"]
            out["output_file_id"] = "file-out-" + name if b["done"] else None
            out["error_file_id"] = "file-err-" + name if b["failed"] else None
        h.reply(200, out)


def events(path, body, asked):
    """(name, data) of the stream that gives this body in the end."""
    if path.endswith("/messages"):
        usage = body["usage"]
        yield "message_start", {"type": "message_start", "message": {**body, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}}
        yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield "ping", {"type": "ping"}
        text = body["content"][0]["text"]
        for i in range(0, len(text), 5):
            yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text[i:i + 5]}}
        yield "content_block_stop", {"type": "content_block_stop", "index": 0}
        yield "message_delta", {"type": "message_delta", "delta": {"stop_reason": body["stop_reason"], "stop_sequence": None}, "usage": {"output_tokens": usage["output_tokens"]}}
        yield "message_stop", {"type": "message_stop"}
    elif path.endswith("/responses"):
        part = body["output"][-1]["content"][0]
        kind = "refusal" if part["type"] == "refusal" else "output_text"
        text = part.get("text", part.get("refusal"))
        yield "response.created", {"type": "response.created", "response": {**body, "status": "in_progress", "output": [], "usage": None}}
        for i in range(0, len(text), 5):
            yield "response.%s.delta" % kind, {"type": "response.%s.delta" % kind, "output_index": 0, "content_index": 0, "delta": text[i:i + 5]}
        yield "response.%s.done" % kind, {"type": "response.%s.done" % kind, "output_index": 0, "content_index": 0}
        last = "response." + body["status"]
        yield last, {"type": last, "response": body}
    else:
        choice = body["choices"][0]
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": asked["model"], "usage": None}
        what = "refusal" if choice["message"].get("refusal") else "content"
        text = choice["message"][what]
        yield "", {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
        for i in range(0, len(text), 5):
            yield "", {**head, "choices": [{"index": 0, "delta": {what: text[i:i + 5]}, "finish_reason": None}]}
        yield "", {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
        if asked.get("stream_options", {}).get("include_usage"):
            yield "", {**head, "choices": [], "usage": body["usage"]}
        yield "", "[DONE]"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *a):
        pass

    def stream(self, body):
        """Events in pieces of fifty bytes, which end anywhere."""
        with lock:
            key = hashlib.sha256(b"stream" + self.raw).hexdigest()
            seen[key] = seen.get(key, 0) + 1
            cut = setting("cut", "").split()
            if cut and seen[key] > 1 and "always" not in cut:
                cut = []
        end = {"cr": "\r", "crlf": "\r\n"}.get(setting("ends", ""), "\n")
        text = "\ufeff: a comment" + end + end if end != "\n" else ""
        for n, (name, data) in enumerate(events(self.path, body, self.asked)):
            if cut and n == int(cut[0]):
                if "error" in cut:
                    claude = self.path.endswith("/messages")
                    data = ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}} if claude or not self.path.endswith("/responses") else
                            {"type": "error", "code": "server_error", "message": "Overloaded", "param": None})
                    text += ("event: error" + end if self.path.endswith(("/messages", "/responses")) else "") + "data: " + json.dumps(data) + end + end
                break
            lines = data if data == "[DONE]" else json.dumps(data, ensure_ascii=False)
            text += ("event: " + name + end if name else "") + "data:" + (" " if n % 2 else "") + lines + end + end
        else:
            cut = []
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        raw = text.encode()
        for i in range(0, len(raw), 50):
            piece = raw[i:i + 50]
            self.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
            self.wfile.flush()
        if cut and "error" not in cut:
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def reply(self, status, body, **headers):
        if status == 200 and getattr(self, "asked", {}).get("stream") and setting("nostream", "") == "":
            return self.stream(body)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()
        if body.get("drip"):
            for i in range(0, len(data), 20):
                self.wfile.write(data[i:i + 20])
                self.wfile.flush()
                time.sleep(0.02)
            return
        self.wfile.write(data)

    def lines(self, rows):
        data = "".join(json.dumps(r) + "\n" for r in rows).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def note(self, file, body):
        with lock:
            with open(folder + "/" + file, "a") as f:
                f.write(json.dumps({"path": self.path, "headers": dict(self.headers), "body": body}) + "\n")

    def do_GET(self):
        self.note("gets", None)
        batch(self, None)

    def endless(self):
        """An answer that never ends, as fast as it is taken."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        try:
            self.wfile.write(b'{"choices": [{"message": {"role": "assistant", "content": "')
            for _ in range(4096):
                self.wfile.write(b"more " * 20000)
            open(folder + "/endless", "w").close()  # 400 MB were taken
        except OSError:
            pass

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = parts(raw, self.headers["Content-Type"]) if "multipart" in self.headers["Content-Type"] else json.loads(raw)
        self.note("requests", body)
        self.raw, self.asked = raw, body
        try:
            time.sleep(float(open(folder + "/latency").read()))
        except FileNotFoundError:
            pass
        if self.path.endswith(("/files", "/batches")):
            return batch(self, body)
        self.answer(body, raw)

    def answer(self, body, raw):
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
            later = {"SECONDS": {"retry_after": "1"}, "MILLIS": {"retry_after_ms": "40"}, "DATE": {"retry_after": formatdate(time.time() + 2, usegmt=True)},
                     "RESET": {"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "300ms"}, "NAKED": {}, "GARBLED": {"retry_after": "soon"},
                     "YESTERDAY": {"retry_after": formatdate(time.time() - 86400, usegmt=True)},
                     "CLAUDE": {"anthropic_ratelimit_requests_remaining": "0", "anthropic_ratelimit_requests_reset": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))}}
            for word, headers in later.items():
                if "LATER " + word in question and first:
                    return self.reply(429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, **headers)
            if "OVERLOADED" in question and first:
                return self.reply(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
            for code in ("insufficient_quota", "billing_hard_limit_reached"):
                if code in question:
                    return self.reply(429, {"error": {"message": "no money: " + code, "code": code}})
            if "ENDLESS" in question:
                return self.endless()
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
        if body["model"] == "wrongkey":
            return self.reply(401, {"error": {"message": "Incorrect API key provided: " + self.headers.get("Authorization", "")}})
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
        self.reply(200, {"drip": "DRIP" in question, "id": "c1", "object": "chat.completion", "model": body["model"],
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
