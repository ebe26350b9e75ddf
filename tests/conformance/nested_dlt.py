#!/usr/bin/env python3
"""JSON taken apart: dlt and dgc (`max_table_nesting`) load the same documents into DuckDB; the same tables, columns and rows come of it.

What differs on purpose (docs/how-to/sling.md): a column whose values are of several types is one column of a type that holds them all, where dlt
makes variants such as `a__v_text`; these are compared by their values. Ids are compared by what they link, not by their text."""
import json, os, subprocess, sys, tempfile

ROOT, DGC = os.environ["ROOT"], os.environ["DGC"]
DLT = subprocess.run(["bash", os.path.join(ROOT, "scripts/conformance_dlt.sh")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
failures = 0

# name: (levels, documents)
CASES = {
    "plain": (5, [{"id": 1, "a": "x"}, {"id": 2, "a": None}]),
    "object": (5, [{"id": 1, "who": {"name": "Ann", "age": 7}}]),
    "objects_deep": (5, [{"id": 1, "a": {"b": {"c": {"d": 1}}}}]),
    "object_late": (5, [{"id": 1}, {"id": 2, "o": {"x": 1}}]),
    "list_objects": (5, [{"id": 1, "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]}, {"id": 2, "lines": [{"sku": "c"}]}]),
    "list_values": (5, [{"id": 1, "tags": ["x", "y"]}, {"id": 2, "tags": ["z"]}]),
    "list_numbers": (5, [{"id": 1, "n": [3, 1, 2]}]),
    "list_empty": (5, [{"id": 1, "n": []}, {"id": 2, "n": [1]}]),
    "list_in_list": (5, [{"id": 1, "m": [[1, 2], [3]]}]),
    "list_in_object": (5, [{"id": 1, "o": {"l": [{"v": 1}, {"v": 2}]}}]),
    "object_in_list": (5, [{"id": 1, "l": [{"o": {"p": 1, "q": {"r": 2}}}]}]),
    "list_deep": (9, [{"id": 1, "a": [{"b": [{"c": [{"d": 1}, {"d": 2}]}]}, {"b": [{"c": [{"d": 3}]}]}]}]),
    "two_lists": (5, [{"id": 1, "a": [1], "b": [{"c": 2}]}]),
    "sibling_lists": (5, [{"id": 1, "l": [{"a": [1, 2], "b": [3]}, {"a": [4]}]}]),
    "depth_one": (1, [{"id": 1, "o": {"x": {"y": 1}}, "l": [{"z": {"w": 2}}]}]),
    "depth_two": (2, [{"id": 1, "l": [{"m": [{"n": [1, 2]}]}]}]),
    "depth_two_objects": (2, [{"id": 1, "a": {"b": {"c": {"d": 1}}}}]),
    "booleans": (5, [{"id": 1, "o": {"t": True, "f": False}}]),
    "fractions": (5, [{"id": 1, "o": {"x": 1.5}}, {"id": 2, "o": {"x": -2.25}}]),
    "int_then_fraction": (5, [{"id": 1, "o": {"x": 1}}, {"id": 2, "o": {"x": 2.5}}]),
    "number_then_text": (5, [{"id": 1, "o": {"x": 1}}, {"id": 2, "o": {"x": "two"}}]),
    "big_integers": (5, [{"id": 1, "o": {"x": 9007199254740993}}]),
    "times": (5, [{"id": 1, "o": {"at": "2024-05-06T07:08:09Z"}}, {"id": 2, "o": {"at": "2024-05-06T07:08:10Z"}}]),
    "dates_are_text": (5, [{"id": 1, "o": {"on": "2024-05-06"}}]),
    "nulls_in_objects": (5, [{"id": 1, "o": {"x": None, "y": 1}}, {"id": 2, "o": None}]),
    "object_missing": (5, [{"id": 1, "o": {"x": 1}}, {"id": 2}]),
    "unicode_values": (5, [{"id": 1, "o": {"x": "\u00e9\u4e2d\U0001F600"}, "l": ["\u00fc"]}]),
    "long_text": (5, [{"id": 1, "l": [{"t": "x" * 10000}]}]),
    "quotes": (5, [{"id": 1, "o": {"x": "a\"b'c\\d\n"}}]),
    "words": (5, [{"id": 1, "o": {"order": 1, "group": 2, "select": 3}}]),
    "camel": (5, [{"id": 1, "customerName": {"firstName": "A"}, "orderLines": [{"itemId": 1}]}]),
    "digits": (5, [{"id": 1, "o": {"x1": 1, "y2z": 2}}]),
    "many_rows": (5, [{"id": i, "l": [{"v": j} for j in range(i % 4)]} for i in range(1, 200)]),
    "many_elements": (5, [{"id": 1, "l": [{"v": j} for j in range(3000)]}]),
    "uneven": (5, [{"id": 1, "l": [{"a": 1}, {"b": 2}, {"a": 3, "b": 4}]}]),
    "object_and_list_rows": (5, [{"id": 1, "o": {"x": 1}, "l": [{"o": {"x": 1}}]}, {"id": 2, "o": {"y": 1}, "l": [{"o": {"y": 2}}]}]),
}

LOAD = r"""
import dlt, json, os, sys
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
cases = json.load(open(sys.argv[1]))
resources = [dlt.resource(documents, name=name, table_name=name, max_table_nesting=levels, write_disposition="replace") for name, (levels, documents) in cases.items()]
p = dlt.pipeline("nested", destination=dlt.destinations.duckdb(sys.argv[2]), dataset_name="main_dlt", pipelines_dir=sys.argv[3])
p.run(resources)
"""

# Every table with its columns, rows by where they belong: the ids of all rows above, as the places in their lists.
READ = r"""
import duckdb, json, sys
schema, cases = sys.argv[2], json.load(open(sys.argv[3]))
db = duckdb.connect(sys.argv[1], read_only=True)
tables = [t for (t,) in db.execute("select table_name from information_schema.tables where table_schema = ? order by 1", [schema]).fetchall()]
out = {}
for case in cases:
    mine = [t for t in tables if t == case or t.startswith(case + "__")]
    place = {}
    for t in sorted(mine, key=len):
        columns = [c for (c,) in db.execute("select column_name from information_schema.columns where table_schema = ? and table_name = ?", [schema, t]).fetchall()]
        rows = db.execute('select * from "%s"."%s"' % (schema, t)).fetchall()
        found = []
        for row in rows:
            row = dict(zip(columns, row))
            above = place.get(row.get("_dlt_parent_id"), "") if t != case else "id %s" % row.get("id")
            here = above if t == case else "%s, %s %s" % (above, t, row.get("_dlt_list_idx"))
            place[row["_dlt_id"]] = here
            values = {}
            for c, v in row.items():
                if c.startswith("_d") or v is None:
                    continue
                c = c.split("__v_")[0]
                if not isinstance(v, (bool, int, float, str)):
                    v = str(v)
                if isinstance(v, str) and v[:1] in "[{":
                    try: v = json.loads(v)
                    except ValueError: pass
                if isinstance(v, (bool, int, float)):
                    v = "%s" % (int(v) if float(v).is_integer() else v)
                values[c] = v
            found.append([here, sorted(values.items())])
        named = sorted({c.split("__v_")[0] for c in columns if not c.startswith("_d")})
        links = [c for c in ("_dlt_id", "_dlt_parent_id", "_dlt_list_idx") if c in columns]
        out[t] = {"columns": named, "links": links, "rows": sorted(found, key=str)}
json.dump(out, sys.stdout)
"""


def verdict(ok, what, detail=""):
    global failures
    failures += not ok
    print(("ok " if ok else "FAIL ") + what + (": " + detail if not ok else ""), flush=True)


def read(work, database, schema):
    made = subprocess.run([DLT, "-c", READ, database, schema, os.path.join(work, "cases.json")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=work)
    if made.returncode:
        sys.exit("FAIL %s cannot be read: %s" % (database, made.stderr[-400:]))
    return json.loads(made.stdout)


def main():
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "cases.json"), "w") as f:
            json.dump(CASES, f)
        theirs, ours = os.path.join(work, "dlt.duckdb"), os.path.join(work, "dgc.duckdb")
        done = subprocess.run([DLT, "-c", LOAD, "cases.json", theirs, os.path.join(work, "dlt")], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit("FAIL dlt does not load: " + done.stdout[-800:])
        os.makedirs(os.path.join(work, "defs/all"))
        streams = ""
        for name, (levels, documents) in CASES.items():
            with open(os.path.join(work, name + ".ndjson"), "w") as f:
                f.writelines(json.dumps(d) + "\n" for d in documents)
            streams += "    %s.ndjson: {object: main.%s, max_table_nesting: %d}\n" % (name, name, levels)
        with open(os.path.join(work, "dgc.yaml"), "w") as f:
            f.write("name: nested\n")
        with open(os.path.join(work, "defs/all/defs.yaml"), "w") as f:
            f.write("type: dgc.Replication\nattributes:\n  source: local\n  target: duckdb://%s\n  env: {SLING_LOADED_AT_COLUMN: \"false\"}\n  defaults: {mode: full-refresh, target_options: {column_casing: snake}}\n  streams:\n%s" % (ours, streams))
        done = subprocess.run([DGC, "run", "--progress", "plain"], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit("FAIL dgc does not load: " + done.stdout[-1500:])
        a, b = read(work, theirs, "main_dlt"), read(work, ours, "main")
        for case in CASES:
            tables = lambda all: sorted(t for t in all if t == case or t.startswith(case + "__"))
            if tables(a) != tables(b):
                verdict(False, "nested, " + case, "tables %s, dlt has %s" % (tables(b), tables(a)))
                continue
            for t in tables(a):
                for part in ("columns", "links", "rows"):
                    if a[t][part] != b[t][part]:
                        x, y = (([r for r in a[t][part] if r not in b[t][part]], [r for r in b[t][part] if r not in a[t][part]]) if part == "rows" else (a[t][part], b[t][part]))
                        verdict(False, "nested, %s: %s of %s" % (case, part, t), "%s, dlt has %s" % (str(y)[:300], str(x)[:300]))
                        break
                else:
                    continue
                break
            else:
                verdict(True, "nested, " + case)
    print("%d cases against dlt, %d failed" % (len(CASES), failures))
    return 1 if failures else 0


sys.exit(main())
