"""dgc and the vendors' own SDKs, pointed at one recorder, asking the same: same method, path, semantic headers, body.

The recorder is tests/servers/llm.py. What the SDKs add about themselves (x-stainless-*, user-agent) is left out.
"""
import atexit, json, os, re, subprocess, sys, tempfile, time

import anthropic
import openai

ROOT, DGC = os.environ["ROOT"], os.environ["DGC"]
work = tempfile.mkdtemp()
os.mkdir(work + "/s")
server = subprocess.Popen([sys.executable, ROOT + "/tests/servers/llm.py", work + "/s"], stderr=subprocess.DEVNULL)
atexit.register(server.kill)
while not os.path.exists(work + "/s/port"):
    time.sleep(0.05)
url = "http://127.0.0.1:" + open(work + "/s/port").read()
failures = 0
SCHEMA = {"type": "object", "properties": {"mood": {"type": "string", "enum": ["good", "bad"]}, "n": {"type": "integer"}},
          "required": ["mood", "n"], "additionalProperties": False}
TEXT = "Line one\n\"two\" \u00fc \u65e5\u672c <b> \\ end"
IMAGE = "data:image/png;base64,iVBORw0KGgo="


def requests():
    path = work + "/s/requests"
    if not os.path.exists(path):
        return []
    lines = [json.loads(line) for line in open(path)]
    os.remove(path)
    return lines


def told(r):
    """What counts of a request."""
    headers = {k.lower(): v for k, v in r["headers"].items()}
    kept = {k: headers[k] for k in ("authorization", "x-api-key", "anthropic-version", "content-type", "accept") if k in headers}
    return {"path": r["path"], "headers": kept, "body": r["body"]}


def dgc(component, keep=False):
    project = tempfile.mkdtemp(dir=work)
    os.makedirs(project + "/defs/a")
    with open(project + "/rows.json", "w") as f:
        json.dump([{"text": TEXT, "image": IMAGE}], f)
    with open(project + "/defs/a/defs.yaml", "w") as f:
        f.write("type: dgc.Files\nattributes: {path: ../../rows.json, asset: raw/rows}\n---\n" + component)
    env = dict(os.environ, OPENAI_API_KEY="sk-one", ANTHROPIC_API_KEY="sk-two", LLM_URL=url)
    done = subprocess.run([DGC, "run", project, "--progress", "plain"], env=env, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr)
    return [] if keep else requests()


def compare(name, ask, component):
    global failures
    requests()
    ask()
    theirs = [told(r) for r in requests()]
    ours = [told(r) for r in dgc(component)]
    if theirs == ours and len(theirs) == 1:
        print("ok " + name)
        return
    failures += 1
    print("FAIL %s:\n  SDK %s\n  dgc %s" % (name, json.dumps(theirs, sort_keys=True), json.dumps(ours, sort_keys=True)))


def llm(model, *lines):
    return "\n".join(["type: dgc.Llm", "attributes:", "  from: raw/rows", "  asset: marts/rows", "  model: " + model,
                      "  repair: 0", '  prompt: "{{ row.text }}"'] + ["  " + line for line in lines]) + "\n"


OUTPUT = "output: {mood: {enum: [good, bad]}, n: int}"
o = openai.OpenAI(api_key="sk-one", base_url=url + "/v1", max_retries=0)
a = anthropic.Anthropic(api_key="sk-two", base_url=url, max_retries=0)
openai_url, claude_url = 'base_url: "{{ env.LLM_URL }}/v1"', 'base_url: "{{ env.LLM_URL }}"'
user = [{"role": "user", "content": [{"type": "input_text", "text": TEXT}]}]

compare("responses: text", lambda: o.responses.create(model="gpt-5-mini", input=user, store=False), llm("openai/gpt-5-mini", openai_url))
compare("responses: system, limits", lambda: o.responses.create(
    model="gpt-5-mini", instructions="Be brief.", input=user, max_output_tokens=77, temperature=0.5, reasoning={"effort": "low"}, store=False),
    llm("openai/gpt-5-mini", openai_url, "system: Be brief.", "max_tokens: 77", "temperature: 0.5", "effort: low"))
compare("responses: schema", lambda: o.responses.create(
    model="gpt-5", input=user, text={"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}}, store=False),
    llm("openai/gpt-5", openai_url, OUTPUT))
compare("responses: image", lambda: o.responses.create(
    model="gpt-5", input=[{"role": "user", "content": user[0]["content"] + [{"type": "input_image", "image_url": IMAGE}]}], store=False),
    llm("openai/gpt-5", openai_url, "image: image"))
compare("responses: examples", lambda: o.responses.create(
    model="gpt-5", input=[{"role": "user", "content": [{"type": "input_text", "text": "q"}]},
                          {"role": "assistant", "content": [{"type": "output_text", "text": "a"}]}] + user, store=False),
    llm("openai/gpt-5", openai_url, "examples: [{input: q, output: a}]"))
compare("chat: text", lambda: o.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": TEXT}]),
        llm("openai/gpt-5", openai_url, "api: chat"))
compare("chat: all of it", lambda: o.chat.completions.create(
    model="gpt-5", messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": TEXT}], max_completion_tokens=50, temperature=0,
    seed=7, reasoning_effort="low", response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}),
    llm("openai/gpt-5", openai_url, "api: chat", "system: Be brief.", "max_tokens: 50", "temperature: 0", "seed: 7", "effort: low", OUTPUT))
compare("chat: image", lambda: o.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": [
    {"type": "text", "text": TEXT}, {"type": "image_url", "image_url": {"url": IMAGE}}]}]), llm("openai/gpt-5", openai_url, "api: chat", "image: image"))
compare("embeddings", lambda: o.embeddings.create(model="text-embedding-3-small", input=[TEXT], encoding_format="base64"),
        'type: dgc.Embed\nattributes: {from: raw/rows, asset: e, model: openai/text-embedding-3-small, base_url: "{{ env.LLM_URL }}/v1"}\n')
compare("embeddings: dimensions", lambda: o.embeddings.create(model="text-embedding-3-large", input=[TEXT], dimensions=8),
        'type: dgc.Embed\nattributes: {from: raw/rows, asset: e, model: openai/text-embedding-3-large, dimensions: 8, base_url: "{{ env.LLM_URL }}/v1"}\n')
compare("messages: text", lambda: a.messages.create(model="claude-sonnet-4-5", max_tokens=4096, messages=[{"role": "user", "content": TEXT}]),
        llm("anthropic/claude-sonnet-4-5", claude_url))
compare("messages: system, limits, schema", lambda: a.messages.create(
    model="claude-sonnet-4-5", max_tokens=99, extra_body={"temperature": 0.25}, messages=[{"role": "user", "content": TEXT}],
    system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
    llm("anthropic/claude-sonnet-4-5", claude_url, "max_tokens: 99", "temperature: 0.25", "system: Be brief.", OUTPUT))
compare("messages: effort", lambda: a.messages.create(
    model="claude-opus-4-5", max_tokens=4096, messages=[{"role": "user", "content": TEXT}], output_config={"effort": "low"}),
    llm("anthropic/claude-opus-4-5", claude_url, "effort: low"))
compare("messages: image", lambda: a.messages.create(model="claude-opus-4-5", max_tokens=4096, messages=[{"role": "user", "content": [
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}, {"type": "text", "text": TEXT}]}]),
    llm("anthropic/claude-opus-4-5", claude_url, "image: image"))
compare("messages: examples", lambda: a.messages.create(model="claude-opus-4-5", max_tokens=4096, messages=[
    {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": TEXT}]),
    llm("anthropic/claude-opus-4-5", claude_url, "examples: [{input: q, output: a}]"))

compare("responses: stream", lambda: list(o.responses.create(model="gpt-5-mini", input=user, store=False, stream=True)), llm("openai/gpt-5-mini", openai_url, "stream: true"))
compare("chat: stream", lambda: list(o.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": TEXT}], stream=True, stream_options={"include_usage": True})),
        llm("openai/gpt-5", openai_url, "api: chat", "stream: true"))
compare("messages: stream", lambda: list(a.messages.create(model="claude-sonnet-4-5", max_tokens=4096, messages=[{"role": "user", "content": TEXT}], stream=True)),
        llm("anthropic/claude-sonnet-4-5", claude_url, "stream: true"))


# ---- Batches: upload, create, look, read; what is compared is each request, with the SDK's own custom_id of ours. ----

def gets():
    path = work + "/s/gets"
    if not os.path.exists(path):
        return []
    lines = [json.loads(line) for line in open(path)]
    os.remove(path)
    return lines


def distinct(rows):
    """Looks at a state come in any number; boundaries, names of files and batches are the caller's."""
    out = []
    for r in rows:
        r = told(r)
        r["path"] = r["path"].rsplit("?", 1)[0]
        for word in ("file-out-batch_", "batch_", "file-"):
            r["path"] = re.sub("/" + word + r"\d+", "/" + word, r["path"])
        if isinstance(r["body"], dict) and "input_file_id" in r["body"]:
            r["body"]["input_file_id"] = "file"
        if isinstance(r["body"], dict) and "about" in r["body"]:
            del r["body"]["about"]
        r["headers"] = {k: v.split(";")[0] for k, v in r["headers"].items() if k != "accept"}
        if r["body"] is None:
            r["headers"].pop("content-type", None)
        if r not in out:
            out.append(r)
    return out


def compare_batch(name, component, work_of_sdk):
    global failures
    requests(), gets()
    dgc(component, keep=True)
    posted = requests()
    ours = distinct(posted) + distinct(gets())
    work_of_sdk(posted)
    theirs = distinct(requests()) + distinct(gets())
    if ours == theirs and len(ours) >= 3:
        print("ok " + name)
        return
    failures += 1
    print("FAIL %s:\n  SDK %s\n  dgc %s" % (name, json.dumps(theirs, sort_keys=True), json.dumps(ours, sort_keys=True)))


def openai_batch(posted):
    lines = "".join(json.dumps(line) + "\n" for line in posted[0]["body"]["file"])
    file = o.files.create(file=("batch.jsonl", lines.encode(), "application/jsonl"), purpose="batch")
    made = o.batches.create(completion_window="24h", endpoint="/v1/responses", input_file_id=file.id)
    while made.status != "completed":
        made = o.batches.retrieve(made.id)
    o.files.content(made.output_file_id).read()


def anthropic_batch(posted):
    made = a.messages.batches.create(requests=posted[0]["body"]["requests"])
    while a.messages.batches.retrieve(made.id).processing_status != "ended":
        pass
    a.get("/v1/messages/batches/%s/results" % made.id, cast_to=object)


compare_batch("batches: OpenAI", llm("openai/gpt-5", openai_url, OUTPUT, "mode: batch"), openai_batch)
compare_batch("batches: Anthropic", llm("anthropic/claude-opus-4-5", claude_url, OUTPUT, "mode: batch"), anthropic_batch)
sys.exit(failures > 0)
