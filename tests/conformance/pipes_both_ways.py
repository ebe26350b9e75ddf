#!/usr/bin/env python3
"""Dagster Pipes both ways, with the real Dagster.

1. Dagster launches an executable that dgc built: what it reports must be what Dagster records.
2. dgc runs a script that uses dagster_pipes: what the script reports must be what dgc records.
"""
import json, os, shutil, subprocess, sys, tempfile

ROOT = os.environ["ROOT"]
DGC = os.environ["DGC"]
failures = 0


def verdict(ok, what, detail=""):
    global failures
    failures += not ok
    print(("ok " if ok else "FAIL ") + what + ("" if ok else f": {detail}"))


def build(folder, out):
    run = subprocess.run([DGC, "build", folder, "-o", out], capture_output=True, text=True)
    if run.returncode:
        print(f"FAIL the pipeline builds: {run.stderr[-400:]}")
        sys.exit(1)


def launched_by_dagster(work):
    import dagster as dg

    project = os.path.join(work, "shop")
    shutil.copytree(os.path.join(ROOT, "samples/shop"), project, ignore=shutil.ignore_patterns(".dgc", "out"))
    binary = os.path.join(work, "shop.bin")
    build(project, binary)
    listed = json.loads(subprocess.run([binary, "list", "--json"], capture_output=True, text=True).stdout)
    keys = [a["asset_key"] for a in listed["assets"]]
    specs = [dg.AssetSpec(dg.AssetKey(k.split("/"))) for k in keys]
    checks = [dg.AssetCheckSpec(c["name"], asset=dg.AssetKey(c["asset_key"].split("/"))) for c in listed["asset_checks"]]

    @dg.multi_asset(specs=specs, check_specs=checks)
    def shop(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient):
        return pipes.run(command=[binary, "run", "--home", os.path.join(work, "home")], context=context,
                         cwd=project).get_results()

    result = dg.materialize([shop], resources={"pipes": dg.PipesSubprocessClient()}, raise_on_error=False)
    verdict(result.success, "Dagster's run of the executable succeeds")
    made = {e.asset_key.to_user_string(): e.materialization.metadata for e in result.get_asset_materialization_events()}
    verdict(set(made) == set(keys), "every asset is materialized in Dagster", sorted(made))
    rows = [v.value for k, v in made.get("raw/orders", {}).items() if "row" in k.lower()]
    verdict(rows == [6], "with its number of rows", dict(made.get("raw/orders", {})))
    unique = next((c["name"] for c in listed["asset_checks"] if "unique" in c["name"] and "month" in c["name"]), None)
    evaluations = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    verdict(evaluations.get(unique) is True, "the check's result arrives", evaluations)

    os.remove(os.path.join(project, "data/orders.csv"))
    result = dg.materialize([shop], resources={"pipes": dg.PipesSubprocessClient()}, raise_on_error=False)
    verdict(not result.success, "a failed pipeline fails Dagster's run")


REPLICATION = '''
type: dgc.Replication
attributes:
  include_metadata: [row_count, column_metadata]
  source: local
  target: warehouse
  streams: {in.csv: {object: raw.things, mode: snapshot}}
'''


def table_metadata(work):
    import dagster as dg

    project, binary = os.path.join(work, "things"), os.path.join(work, "things.bin")
    os.makedirs(os.path.join(project, "defs/r"))
    for name, text in (("in.csv", "Id,amount\n1,2.5\n"), ("defs/r/defs.yaml", REPLICATION)):
        with open(os.path.join(project, name), "w") as f:
            f.write(text)
    build(project, binary)

    @dg.asset(key=["target", "raw", "things"])
    def things(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient):
        return pipes.run(command=[binary, "run", "--home", os.path.join(work, "home2")], context=context, cwd=project).get_results()

    for rows in (1, 2):
        result = dg.materialize([things], resources={"pipes": dg.PipesSubprocessClient()}, raise_on_error=False)
        made = [e.materialization.metadata for e in result.get_asset_materialization_events()]
        count = [m["dagster/row_count"].value for m in made if "dagster/row_count" in m]
        verdict(count == [rows], "row_count is the table's", made)
        schemas = [m["dagster/column_schema"] for m in made if "dagster/column_schema" in m]
        kinds = [isinstance(s, dg.TableSchemaMetadataValue) and [c.name for c in s.schema.columns] for s in schemas]
        verdict(kinds == [["id", "amount", "_sling_loaded_at"]], "column_metadata is a schema in Dagster", schemas)


SCRIPT = '''
from dagster_pipes import open_dagster_pipes
with open_dagster_pipes() as pipes:
    pipes.log.info("hello from the script")
    assert pipes.extras["color"] == "blue", pipes.extras
    pipes.report_asset_materialization(asset_key="side/report", metadata={"lines": 42, "where": {"raw_value": "/x", "type": "path"}})
    pipes.report_asset_check(asset_key="side/report", check_name="fresh", passed=True)
'''

DEFS = '''
type: dgc.Script
attributes:
  command: ["%s", report.py]
  asset: {key: side/report}
  checks: [{name: fresh, asset: side/report}]
  extras: {color: blue}
'''


def runs_script(work):
    project = os.path.join(work, "scripts")
    os.makedirs(os.path.join(project, "defs/report"))
    with open(os.path.join(project, "defs/report/report.py"), "w") as f:
        f.write(SCRIPT)
    with open(os.path.join(project, "defs/report/defs.yaml"), "w") as f:
        f.write(DEFS % sys.executable)
    run = subprocess.run([DGC, "run", project, "--json", "--progress=plain"], capture_output=True, text=True)
    verdict(run.returncode == 0, "dgc runs a script that uses dagster_pipes", run.stderr[-500:])
    verdict("hello from the script" in run.stderr, "its log lines are shown", run.stderr[-300:])
    document = json.dumps(json.loads(run.stdout)) if run.stdout.strip() else ""
    verdict('"lines"' in document and "42" in document, "its metadata is recorded", document[:600])
    verdict('"fresh"' in document, "its check is recorded", document[:600])


with tempfile.TemporaryDirectory() as work:
    launched_by_dagster(work)
    table_metadata(work)
    runs_script(work)
sys.exit(failures > 0)
