#!/usr/bin/env python3
"""Runs the documentation: every fenced block of README.md and docs/ is executed or written to a file.

One scratch folder a page, blocks in order:
  ```sh                 run by `sh -e` there, with dgc on PATH
  ```LANG and a first line `# path`, `-- path` or `/* path */`
                        written to that file; a path ending in `+` is appended to
  ```LANG fragment      a piece that cannot stand alone
  ```text, ```console   what a person sees; not run
A page may begin with `<!-- starts from: samples/shop -->`: the folder it begins in is a copy. With `<!-- server: mlflow -->`
MLFLOW_TRACKING_URI and MODEL_URL lead to tests/servers/mlflow.py.
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
    server = None
    if "<!-- server: mlflow -->" in text:
        os.makedirs(work + "/mlflow")
        server = subprocess.Popen([sys.executable, ROOT + "/tests/servers/mlflow.py", work + "/mlflow"], stderr=subprocess.DEVNULL)
        while server.poll() is None and not os.path.exists(work + "/mlflow/port"):
            time.sleep(0.05)
        env["MLFLOW_TRACKING_URI"] = env["MODEL_URL"] = "http://127.0.0.1:" + open(work + "/mlflow/port").read()
    for line, info, body in blocks(text):
        lang, flags = (info[0] if info else "text"), info[1:]
        name, append = file_name(body)
        if lang in ("text", "console") or "fragment" in flags or "once" in flags or "fail" in flags or "good" in flags:
            continue
        if lang == "sh":
            run = subprocess.run(["sh", "-e", "-c", body], cwd=folder, env=env, capture_output=True, text=True,
                                 timeout=120, stdin=subprocess.DEVNULL)
            verdict(run.returncode == 0, page, line, "" if run.returncode == 0 else (run.stdout + run.stderr)[-600:])
        elif name:
            full = os.path.join(folder, name)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "a" if append else "w") as f:
                f.write("\n".join(body.split("\n")[1:]))
        else:
            verdict(False, page, line, f"a {lang} block that neither runs nor names its file")
    if server:
        server.kill()
        server.wait()
    shutil.rmtree(work, ignore_errors=True)


for p in sys.argv[1:] or dict.fromkeys(PAGES):
    if not p.startswith("docs/errors"):
        run_page(p)
sys.exit(failures > 0)
