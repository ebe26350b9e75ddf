#!/usr/bin/env python3
"""Retrieval with an embedding model that is real: 50 questions over dgc's own documentation; the right passage is among the first five for
at least nine in ten. all-MiniLM-L6-v2 behind OpenAI's /embeddings (tests/servers/minilm.py); and `ask` finds what dgc.VectorSearch finds."""
import csv, json, os, shutil, subprocess, sys, tempfile, time

ROOT, DGC = os.environ["ROOT"], os.environ["DGC"]
HERE = os.path.dirname(os.path.abspath(__file__))
TOP, RECALL, MRR = 5, 0.9, 0.7 # 120 tokens: what the model was trained on
failures = 0

PIPELINE = """type: dgc.Documents
attributes: {path: "../../{how-to,errors}/*.md", asset: rag/chunks, chunk: {by: heading, tokens: 120}}
---
type: dgc.SqlModels
attributes: {path: models, prefix: rag, materialized: table}
---
type: dgc.Embed
attributes: {from: rag/passages, column: searched, asset: rag/embeddings, model: compatible/all-MiniLM-L6-v2, base_url: "{{ env('MODEL_URL') }}", batch: 16, budget: {calls: 1000}}
---
type: dgc.VectorIndex
attributes: {from: rag/embeddings, asset: index/docs, columns: [document, headings, page, place]}
---
type: dgc.Files
attributes: {path: ../../questions.csv, asset: raw/questions}
---
type: dgc.Embed
attributes: {from: raw/questions, column: question, asset: rag/questions, model: compatible/all-MiniLM-L6-v2, base_url: "{{ env('MODEL_URL') }}", batch: 16, budget: {calls: 1000}}
---
type: dgc.VectorSearch
attributes: {index: index/docs, queries: rag/questions, asset: rag/matches, top_k: %d, expect: {relevant: place, by: place, recall: %s, mrr: %s}}
---
type: dgc.Export
attributes: {from: rag/matches, path: ../../matches.ndjson}
---
type: dgc.Export
attributes: {from: rag/chunks, path: ../../chunks.ndjson}
""" % (TOP, RECALL, MRR)


def verdict(ok, what, detail=""):
    global failures
    failures += not ok
    print(("ok " if ok else "FAIL ") + what + ("" if ok else f": {detail}"), flush=True)


def rows(path):
    return [json.loads(line) for line in open(path)]


def start_model(work):
    setup = subprocess.run([os.path.join(ROOT, "scripts/conformance_embedding.sh")], capture_output=True, text=True, timeout=900)
    if setup.returncode:
        sys.exit("FAIL the embedding model cannot be installed: " + setup.stderr[-500:])
    server = subprocess.Popen([setup.stdout.strip(), os.path.join(ROOT, "tests/servers/minilm.py"), work], stderr=open(work + "/model.err", "w"))
    for _ in range(300):
        if os.path.exists(work + "/port") or server.poll() is not None:
            break
        time.sleep(0.1)
    return server, "http://127.0.0.1:" + open(work + "/port").read()


def main():
    work = tempfile.mkdtemp(prefix="dgc-rag-")
    server, url = start_model(work)
    env = {**os.environ, "NO_COLOR": "1", "MODEL_URL": url}
    project = work + "/p"
    try:
        # All pages on diagnostics, which look alike, and the how-tos that the questions are about: one that is written later does not change the task.
        shutil.copytree(os.path.join(ROOT, "docs/errors"), project + "/errors")
        os.makedirs(project + "/how-to")
        for page in sorted({q["place"].split("#")[0] for q in csv.DictReader(open(HERE + "/_rag_questions.csv"))}):
            shutil.copy(os.path.join(ROOT, "docs", page), os.path.join(project, page))
        os.makedirs(project + "/defs/rag/models")
        shutil.copy(os.path.join(HERE, "_rag_questions.csv"), project + "/questions.csv")
        for path, text in (("dgc.yaml", "name: q\n"), ("defs/rag/defs.yaml", PIPELINE),
                           ("defs/rag/models/passages.sql", """-- The headings say what a passage is about: they are embedded with it.
select *, document || '#' || headings as place, concat_ws(chr(10), headings, text) as searched from {{ ref('rag/chunks') }}
""")):
            with open(os.path.join(project, path), "w") as f:
                f.write(text)
        began = time.monotonic()
        run = subprocess.run([DGC, "run", project, "--json", "--progress", "none"], env=env, capture_output=True, text=True, timeout=900)
        took = time.monotonic() - began
        verdict(run.returncode == 0, "chunked, embedded, indexed, searched; recall and MRR are as expected", (run.stderr + run.stdout)[-1500:])
        questions = list(csv.DictReader(open(project + "/questions.csv")))
        matches, chunks = rows(project + "/matches.ndjson"), rows(project + "/chunks.ndjson")
        places = {c["document"] + "#" + c["headings"] for c in chunks if c["headings"]}
        gone = [q["place"] for q in questions if q["place"] not in places]
        verdict(not gone, "every question's passage is in the documents", f"write new questions for {gone}")
        found, ranks = {}, []
        for m in matches:
            place = (m["metadata"] if isinstance(m["metadata"], dict) else json.loads(m["metadata"])).get("place")
            found.setdefault(str(m["query_id"]), []).append((m["rank"], place, m["id"]))
        for q in questions:
            right = [rank for rank, place, _ in sorted(found[q["id"]]) if place == q["place"]]
            ranks.append(right[0] if right else 0)
            if not right:
                print(f"    missed: {q['question']}\n      wanted {q['place']}, first is {sorted(found[q['id']])[0][1]}")
        recall, mrr = sum(r > 0 for r in ranks) / len(ranks), sum(1 / r for r in ranks if r) / len(ranks)
        print(f"    {len(chunks)} passages, {len(questions)} questions: recall@{TOP} {recall:.2f}, MRR {mrr:.2f}, first of all {sum(r == 1 for r in ranks)}; {took:.0f} s")
        verdict(len(questions) == 50 and recall >= RECALL, f"the right passage is among the first {TOP} for at least {RECALL:.0%} of 50 questions", f"{recall:.2f}")
        for q in questions[::10]:
            asked = subprocess.run([DGC, "ask", project, q["question"], "--json", "--top", str(TOP)], env=env, capture_output=True, text=True, timeout=100)
            got = [p["id"] for p in json.loads(asked.stdout)["passages"]] if asked.returncode == 0 else asked.stderr
            verdict(got == [i for _, _, i in sorted(found[q["id"]])], f"ask finds the same: {q['question']}", got)
    finally:
        server.kill()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(failures > 0)


main()
