#!/usr/bin/env python3
"""Runs the documentation: every fenced block of README.md and docs/ is executed or written to a file.

One scratch folder a page, blocks in order:
  ```sh                 run by `sh -e` there, with dgc on PATH
  ```LANG and a first line `# path`, `-- path` or `/* path */`
                        written to that file; a path ending in `+` is appended to
  ```LANG fragment      a piece that cannot stand alone
  ```text, ```console   what a person sees; not run
  ```text shown         each line stands in what the last sh block printed
A page may begin with `<!-- starts from: samples/shop -->`: the folder it begins in is a copy. With `<!-- server: NAME -->` a server
of tests/servers/ stands in for a vendor: `mlflow`, `llm` (language models and embeddings), `stores` (Chroma, Qdrant, Pinecone).
Blocks that set this machine up or build dgc itself are marked ```sh once. Pages may be named as arguments.
"""
import os, re, shutil, subprocess, sys, tempfile, time

ROOT = os.environ["ROOT"]
DGC = os.environ["DGC"]
PAGES = ["README.md", "AGENTS.md"] + sorted(
    os.path.join(folder, name)[len(ROOT) + 1:]
    for top in ("docs/how-to", "docs/explanation", "docs/reference", "docs")
    for folder, _, names in [next(os.walk(os.path.join(ROOT, top)), (None, None, []))]
    for name in names if name.endswith(".md"))
failures = 0


def blocks(text):
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        m = re.match(r"^(`{3,})(.*)$", lines[i])
        if not m:
            i += 1
            continue
        start, body = i + 1, []
        i += 1
        while i < len(lines) and lines[i].rstrip() != m.group(1):
            body.append(lines[i])
            i += 1
        i += 1
        yield start, m.group(2).strip().split(), "\n".join(body) + "\n"


def verdict(ok, page, line, what=""):
    global failures
    failures += not ok
    print(f"{'ok' if ok else 'FAIL'} {page}:{line}{': ' + what if what else ''}")


def file_name(body):
    m = re.match(r"^(?:#|--|/\*)\s*([\w./-]+\.\w+)(\+?)(?:\s*\*/)?\s*$", body.split("\n")[0])
    return (m.group(1), m.group(2) == "+") if m else (None, False)


# Script, and the variables that lead to it. Keys are made up: the servers look only whether there is one.
SERVERS = {
    "mlflow": ("mlflow.py", {"MLFLOW_TRACKING_URI": "URL", "MODEL_URL": "URL"}),
    "llm": ("llm.py", {"OPENAI_BASE_URL": "URL/v1", "OPENAI_API_KEY": "sk-one", "ANTHROPIC_BASE_URL": "URL", "ANTHROPIC_API_KEY": "sk-two",
                       "OLLAMA_BASE_URL": "URL/v1", "VLLM_BASE_URL": "URL/v1", "LITELLM_BASE_URL": "URL/v1", "LITELLM_API_KEY": "sk-three",
                       "AZURE_OPENAI_ENDPOINT": "URL", "AZURE_OPENAI_API_KEY": "sk-four", "MODEL_SERVER_URL": "URL/v1"}),
    "stores": ("vector_stores.py", {"CHROMA_URL": "URL", "QDRANT_URL": "URL", "QDRANT_API_KEY": "qk-test", "PINECONE_CONTROLLER_HOST": "URL", "PINECONE_API_KEY": "pk-test"}),
}


def start_server(name, work):
    folder = f"{work}/{name}"
    os.makedirs(folder)
    to = folder + "/port" if name == "stores" else folder # which is told the file itself
    server = subprocess.Popen([sys.executable, f"{ROOT}/tests/servers/{SERVERS[name][0]}", to], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while server.poll() is None and not (os.path.exists(folder + "/port") and open(folder + "/port").read()):
        time.sleep(0.05)
    return server, "http://127.0.0.1:" + open(folder + "/port").read().strip()


def run_page(page):
    path = os.path.join(ROOT, page)
    if not os.path.exists(path):
        return
    text = open(path).read()
    work = tempfile.mkdtemp(prefix="dgc-docs-")
    folder = os.path.join(work, "page")
    m = re.search(r"<!-- starts from: (\S+) -->", text)
    if m:
        shutil.copytree(os.path.join(ROOT, m.group(1)), folder, ignore=shutil.ignore_patterns(".dgc", "out"))
    else:
        os.makedirs(folder)
    env = dict(os.environ, PATH=os.path.dirname(DGC) + ":" + os.environ["PATH"], HOME=work, NO_COLOR="1")
    servers, printed = [], ""
    for name in re.findall(r"<!-- server: (\w+) -->", text):
        server, url = start_server(name, work)
        servers.append(server)
        for variable, value in SERVERS[name][1].items():
            env[variable] = value.replace("URL", url)
    for line, info, body in blocks(text):
        lang, flags = (info[0] if info else "text"), info[1:]
        name, append = file_name(body)
        if lang == "text" and "shown" in flags:
            missing = [l for l in body.split("\n") if l.strip() and l.strip() not in printed]
            verdict(not missing, page, line, f"not printed: {missing}; but: {printed[-900:]}" if missing else "")
            continue
        if lang in ("text", "console") or "fragment" in flags or "once" in flags or "fail" in flags or "good" in flags:
            continue
        if lang == "sh":
            run = subprocess.run(["sh", "-e", "-c", body], cwd=folder, env=env, capture_output=True, text=True,
                                 timeout=120, stdin=subprocess.DEVNULL)
            printed = run.stdout + run.stderr
            verdict(run.returncode == 0, page, line, "" if run.returncode == 0 else printed[-600:])
        elif name:
            full = os.path.join(folder, name)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "a" if append else "w") as f:
                f.write("\n".join(body.split("\n")[1:]))
        else:
            verdict(False, page, line, f"a {lang} block that neither runs nor names its file")
    for server in servers:
        server.kill()
        server.wait()
    shutil.rmtree(work, ignore_errors=True)


for p in sys.argv[1:] or dict.fromkeys(PAGES):
    if not p.startswith("docs/errors"):
        run_page(p)
sys.exit(failures > 0)
