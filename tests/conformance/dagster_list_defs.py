#!/usr/bin/env python3
# TEST_TIMEOUT: 1200
"""`dgc list defs --json` against `dg list defs --json` of Dagster itself.

Each tests/conformance/dagster/NAME.txt is a small project of our own: first what it shows, then a
line `expect: WHAT`, then files, each after a line `-- PATH --` (below the defs folder; paths that
begin with `/` are below the project).

expect: same      both print the same document
        refused   both refuse the project
        kinder    Dagster refuses, dgc accepts     } docs/explanation/dagster-compatibility.md
        stricter  dgc refuses, Dagster accepts     } names every such case
        differs   both accept, documents differ    }

Environment: DGC, the compiler. Arguments: names of cases; --show prints both documents.
"""
import difflib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYPROJECT = """[project]
name = "{name}"
version = "0.1"
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "{name}"
"""
DEFINITIONS = """from pathlib import Path
from dagster import definitions, load_from_defs_folder

@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
"""


def read_case(path):
    head, files, name = [], {}, None
    for line in path.read_text().splitlines(keepends=True):
        if line.startswith("-- ") and line.rstrip().endswith(" --"):
            name = line.strip()[3:-3]
            files[name] = ""
        elif name is None:
            head.append(line.strip())
        else:
            files[name] += line
    expect = next(line.split(":", 1)[1].strip() for line in head if line.startswith("expect:"))
    return expect, files


def make_project(folder, module, files):
    source = folder / "src" / module
    defs = source / "defs"
    defs.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=module))
    for init in (source, defs):
        (init / "__init__.py").write_text("")
    (source / "definitions.py").write_text(DEFINITIONS)
    for name, text in files.items():
        path = folder / name[1:] if name.startswith("/") else defs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def add_duckdb_connection():
    """Released dagster-duckdb has no connection component yet: one with its name and fields."""
    import dagster as dg
    import dagster_duckdb
    from dagster.components.lib.sql_component.sql_client import SQLClient

    class DuckDBConnectionComponent(dg.Component, dg.Model, dg.Resolvable, SQLClient):
        database: str
        connection_config: dict = {}

        def connect_and_execute(self, sql):
            raise NotImplementedError

        def build_defs(self, context):
            return dg.Definitions()

    DuckDBConnectionComponent.__module__ = "dagster_duckdb"
    dagster_duckdb.DuckDBConnectionComponent = DuckDBConnectionComponent


def dagster_document(folder, log):
    """In a child of this process: Dagster is imported once, and no project sees another's modules."""
    out = folder / ".dagster.json"
    child = os.fork()
    if child == 0:
        try:
            os.chdir(folder)
            sys.path.append(str(folder / "src"))  # the first entry is taken away by the loader
            out_fd = os.open(out, os.O_WRONLY | os.O_CREAT)
            log_fd = os.open(log, os.O_WRONLY | os.O_CREAT)
            os.dup2(out_fd, 1)
            os.dup2(log_fd, 2)
            sys.argv = ["dg", "list", "defs", "--json"]
            from dagster_dg_cli.cli import main
            main()
        except SystemExit as stop:
            sys.stdout.flush()
            os._exit(stop.code if isinstance(stop.code, int) else 1)
        except BaseException as problem:
            print(problem, file=sys.stderr, flush=True)
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    text = out.read_text()
    return json.loads(text) if status == 0 and text.strip() else None


def dgc_document(dgc, folder, log):
    done = subprocess.run([dgc, "list", "defs", "--json", str(folder)], capture_output=True, text=True)
    log.write_text(done.stderr)
    if done.returncode < 0 or "Sanitizer" in done.stderr:
        raise RuntimeError(f"dgc died: {done.returncode} {done.stderr[-300:]}")
    return json.loads(done.stdout) if done.returncode == 0 else None


def normal(document):
    """Checks come out of a set in Dagster: in no order."""
    if document:
        document["asset_checks"].sort(key=lambda check: check["key"])
    return document


def verdict(expect, theirs, ours):
    got = ("refused" if theirs is None and ours is None else "kinder" if theirs is None
           else "stricter" if ours is None else "same" if theirs == ours else "differs")
    return None if got == expect else f"expected {expect}, got {got}"


def main():
    show = "--show" in sys.argv
    wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
    dgc = os.path.abspath(os.environ.get("DGC", ROOT / "build" / "dgc"))
    work = pathlib.Path(tempfile.mkdtemp(prefix="dgc-conformance-"))
    os.environ.update(DAGSTER_HOME=str(work / "home"), DAGSTER_DISABLE_TELEMETRY="yes", NO_COLOR="1",
                      CASE_GROUP="from_env")
    (work / "home").mkdir()
    (work / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    import dagster.components.list  # noqa: F401
    import dagster_dg_cli.cli  # noqa: F401
    add_duckdb_connection()
    failed = 0
    for path in sorted((HERE / "dagster").glob("*.txt")):
        name = path.stem
        if wanted and name not in wanted:
            continue
        expect, files = read_case(path)
        folder = work / name
        make_project(folder, "case_" + name.replace("-", "_"), files)
        try:
            theirs = normal(dagster_document(folder, folder / "dagster.log"))
            ours = normal(dgc_document(dgc, folder, folder / "dgc.log"))
            problem = verdict(expect, theirs, ours)
        except Exception as error:  # a case that cannot be read is a failure, not the end
            theirs = ours = None
            problem = f"{type(error).__name__}: {error}"
        print(f"FAIL {name}: {problem}" if problem else f"ok {name}", flush=True)
        if problem or show:
            texts = [json.dumps(d, indent=1).splitlines() if d else [] for d in (theirs, ours)]
            for line in difflib.unified_diff(*texts, "dagster", "dgc", lineterm="", n=2):
                print("    " + line)
            for log in ("dagster.log", "dgc.log"):
                lines = [l for l in (folder / log).read_text().splitlines() if l.strip()]
                print("\n".join(f"    {log}: {l}" for l in lines[:60]))
        failed += bool(problem)
    shutil.rmtree(work, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
