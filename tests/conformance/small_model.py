#!/usr/bin/env python3
"""dgc.Llm and `ask` against a server and a model that are real: llama.cpp's own, with SmolLM2-135M-Instruct (tests/servers/smollm.py).

What the model says is its own affair, but for two things: whether a letter is praise, for which it is big enough (ten of twelve letters must be right), and
that whatever it says is of the form asked for, which its server enforces from the schema that dgc sends.
"""
import csv, json, os, shutil, subprocess, sys, tempfile, time, urllib.request

ROOT, DGC = os.environ["ROOT"], os.environ["DGC"]
failures = 0
LETTERS = [
    ("I love this kettle, it is wonderful.", "positive"),
    ("Terrible. It broke after one day and I hate it.", "negative"),
    ("Great service, very friendly people, thank you!", "positive"),
    ("The worst shop ever. I want my money back.", "negative"),
    ("Excellent quality, I am very happy with it.", "positive"),
    ("Awful smell, bad plastic, do not buy it.", "negative"),
    ("Fantastic! My best purchase of the year.", "positive"),
    ("Disappointing. The lamp arrived broken.", "negative"),
    ("Beautiful and perfect, I recommend it to everyone.", "positive"),
    ("Horrible support, they were rude and useless.", "negative"),
    ("It works very well and looks good.", "positive"),
    ("Poor quality, it failed twice in a week.", "negative"),
]
COMMON = "model: llamacpp/smollm2, temperature: 0, seed: 1, budget: {calls: 100}"
PIPELINE = """type: dgc.Files
attributes: {path: ../../letters.csv, asset: raw/letters}
---
type: dgc.Files
attributes: {path: ../../passages.csv, asset: rag/passages}
---
type: dgc.Llm
attributes: {from: raw/letters, asset: letters/sorted, %s, prompt: "Is this review positive or negative? {{ row.body }}", output: {sentiment: {enum: [positive, negative]}}}
---
type: dgc.Llm
attributes:
  {from: raw/letters, asset: letters/classes, %s, task: classify, text: body, labels: [praise, complaint, question], limit: 3,
   examples: [{input: "What a nice teapot!", output: '{"class": "praise"}'}, {input: "It leaks. Never again.", output: '{"class": "complaint"}'}]}
---
type: dgc.Llm
attributes:
  from: raw/letters
  asset: letters/typed
  model: llamacpp/smollm2
  prompt: "Customer wrote: {{ row.body }}"
  output:
    mood: {enum: [good, bad, mixed]}
    urgency: int
    angry: bool
    kind: {enum: [kettle, lamp, phone, other], nullable: true}
  max_tokens: 200
  temperature: 0
  limit: 4
  budget: {calls: 100}
---
type: dgc.Llm
attributes: {from: raw/letters, asset: letters/answered, %s, prompt: "Thank the customer in one sentence. The customer wrote: {{ row.body }}", answer: reply, max_tokens: 60, limit: 3, repair: 0}
---
type: dgc.Llm
attributes: {from: letters/answered, asset: letters/streamed, %s, stream: true, cache: false, prompt: "Thank the customer in one sentence. The customer wrote: {{ row.body }}", answer: streamed, max_tokens: 60, repair: 0}
---
type: dgc.Embed
attributes: {from: rag/passages, asset: rag/embeddings, model: builtin/lexical}
---
type: dgc.VectorIndex
attributes: {from: rag/embeddings, asset: index/docs, answer: {model: llamacpp/smollm2, max_tokens: 120}}
---
type: dgc.Export
attributes: {from: letters/sorted, path: ../../sorted.ndjson}
---
type: dgc.Export
attributes: {from: letters/typed, path: ../../typed.ndjson}
---
type: dgc.Export
attributes: {from: letters/answered, path: ../../answered.ndjson}
---
type: dgc.Export
attributes: {from: letters/classes, path: ../../classes.ndjson}
---
type: dgc.Export
attributes: {from: letters/streamed, path: ../../streamed.ndjson}
""" % (COMMON, COMMON, COMMON, COMMON)


def verdict(ok, what, detail=""):
    global failures
    failures += not ok
    print(("ok " if ok else "FAIL ") + what + ("" if ok else f": {detail}"), flush=True)


def rows(path):
    return [json.loads(line) for line in open(path)]


def start_model(work):
    setup = subprocess.run([os.path.join(ROOT, "scripts/conformance_llm.sh")], capture_output=True, text=True, timeout=900)
    if setup.returncode:
        sys.exit("FAIL the language model cannot be installed: " + setup.stderr[-500:])
    server = subprocess.Popen([setup.stdout.strip(), os.path.join(ROOT, "tests/servers/smollm.py"), work], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=open(work + "/model.err", "w"))
    for _ in range(600):
        if os.path.exists(work + "/address") or server.poll() is not None:
            break
        time.sleep(0.1)
    if not os.path.exists(work + "/address"):
        sys.exit("FAIL the language model's server does not start: " + open(work + "/model.err").read()[-500:])
    return server, open(work + "/address").read()


def main():
    work = tempfile.mkdtemp(prefix="dgc-llm-")
    server, url = start_model(work)
    project = work + "/p"
    os.makedirs(project + "/defs/a")
    env = {**os.environ, "NO_COLOR": "1", "LLAMACPP_BASE_URL": url + "/v1"}
    dgc = lambda *words: subprocess.run([DGC, *words], env=env, cwd=project, capture_output=True, text=True, timeout=900)
    try:
        with open(project + "/letters.csv", "w", newline="") as f:
            csv.writer(f).writerows([("id", "body"), *((i, body) for i, (body, _) in enumerate(LETTERS))])
        with open(project + "/passages.csv", "w", newline="") as f:
            csv.writer(f).writerows([("id", "document", "text"), (1, "refunds.md", "Refunds are paid back within five working days."),
                                     (2, "shipping.md", "Parcels leave the warehouse the same day.")])
        for path, text in (("dgc.yaml", "name: q\n"), ("defs/a/defs.yaml", PIPELINE)):
            with open(os.path.join(project, path), "w") as f:
                f.write(text)
        run = dgc("run", ".", "--progress", "plain")
        verdict(run.returncode == 0, "a run with a real model", (run.stderr + run.stdout)[-1500:])
        if run.returncode:
            sys.exit(1)
        made = {r["id"]: r["sentiment"] for r in rows(project + "/sorted.ndjson")}
        right = sum(made.get(i) == label for i, (_, label) in enumerate(LETTERS))
        print(f"    {right} of {len(LETTERS)} letters sorted as a person would")
        verdict(len(made) == len(LETTERS) and set(made.values()) <= {"positive", "negative"}, "an enum: every row has one of its values", made)
        verdict(right >= 10, "and mostly the right one", made)
        classes = rows(project + "/classes.ndjson")
        verdict(len(classes) == 3 and all(r["class"] in ("praise", "complaint", "question") for r in classes), "classify, with examples", classes)
        typed = rows(project + "/typed.ndjson")
        verdict(len(typed) == 4 and all(r["mood"] in ("good", "bad", "mixed") and type(r["urgency"]) is int and type(r["angry"]) is bool
                and r["kind"] in (None, "kettle", "lamp", "phone", "other") for r in typed), "output: every field has its type", (typed, run.stderr[-900:]))
        answered = rows(project + "/answered.ndjson")
        verdict(len(answered) == 3 and all(r["reply"].strip() for r in answered), "complete: every row has an answer", answered)
        # The server's own words on the first question are what the table has.
        body = {"messages": [{"role": "user", "content": "Thank the customer in one sentence. The customer wrote: " + LETTERS[0][0]}], "model": "smollm2",
                "temperature": 0, "seed": 1, "max_tokens": 60}
        reply = json.load(urllib.request.urlopen(urllib.request.Request(url + "/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})))
        text = reply["choices"][0]["message"]["content"]
        verdict(any(r["id"] == 0 and r["reply"].strip() == text.strip() for r in answered), "complete: the answer is what the server says", (text, answered[0]))
        streamed = rows(project + "/streamed.ndjson")
        verdict(len(streamed) == 3 and all(r["streamed"].strip() for r in streamed), "stream: answers come in events", streamed)
        verdict(any(r["streamed"] == r["reply"] for r in streamed), "and are those that come whole", streamed)
        asked = dgc("ask", ".", "when are refunds paid back?", "--json")
        told = json.loads(asked.stdout) if asked.returncode == 0 else {}
        verdict(bool(told.get("answer")) and told["passages"][0]["metadata"]["document"] == "refunds.md", "ask: passages, and an answer", asked.stdout + asked.stderr)
        server.kill()
        server.wait()
        again = dgc("run", ".", "--progress", "plain", "--select", "+export/sorted")
        verdict(again.returncode == 0 and {r["id"]: r["sentiment"] for r in rows(project + "/sorted.ndjson")} == made, "a second run needs no model", again.stderr[-800:])
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(failures > 0)


main()
