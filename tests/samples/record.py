#!/usr/bin/env python3
"""record.py SAMPLE...: makes samples/SAMPLE/tape anew, with the answers of answers/SAMPLE.json: the first whose key stands in the question.
For when dgc asks in other words than before. The tape names the vendor's own address, as if he had answered."""
import hashlib, http.server, json, os, shutil, subprocess, sys, tempfile, threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DGC = os.environ.get("DGC", ROOT + "/build/dgc")
THEIRS = "https://api.openai.com/v1"


class Handler(http.server.BaseHTTPRequestHandler):
    answers = {}

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = json.dumps(body["input"])
        text = json.dumps(next(a for k, a in self.answers.items() if k in question), ensure_ascii=False)
        if "lines" in body["text"]["format"]["schema"]["properties"]:  # JSON within JSON goes as text
            answer = json.loads(text)
            if body["text"]["format"]["schema"]["properties"]["lines"].get("type") == "string":
                answer["lines"] = json.dumps(answer["lines"])
            text = json.dumps(answer, ensure_ascii=False)
        counts = {"input_tokens": len(question) // 4, "output_tokens": len(text) // 4 + 1}
        out = json.dumps({"id": "resp_1", "object": "response", "status": "completed", "model": body["model"],
                          "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text, "annotations": []}]}],
                          "usage": {**counts, "total_tokens": sum(counts.values())}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)


def record(sample):
    with open("%s/tests/samples/answers/%s.json" % (ROOT, sample)) as f:
        Handler.answers = json.load(f)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ours = "http://127.0.0.1:%d/v1" % server.server_address[1]
    tape = "%s/samples/%s/tape" % (ROOT, sample)
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([DGC, "run", os.path.dirname(tape), "--home", home + "/home", "--record", home + "/tape"], check=True,
                       env={**os.environ, "OPENAI_BASE_URL": ours, "OPENAI_API_KEY": "none"})
        shutil.rmtree(tape, ignore_errors=True)
        os.mkdir(tape)
        for name in sorted(os.listdir(home + "/tape")):
            with open(home + "/tape/" + name) as f:
                kept = json.load(f)
            r = kept["request"]
            r["url"] = r["url"].replace(ours, THEIRS)
            for a in kept["answers"]:
                a["headers"] = [h for h in a["headers"] if h.lower().startswith("content-type")]
            key = hashlib.sha256(("%s\n%s\n%s" % (r["method"], r["url"], r["body"])).encode()).hexdigest()[:24]
            with open("%s/%s.json" % (tape, key), "w") as f:
                json.dump(kept, f, indent=1, ensure_ascii=False)
                f.write("\n")
    server.shutdown()


for name in sys.argv[1:]:
    record(name)
