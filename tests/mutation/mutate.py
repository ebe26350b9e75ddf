#!/usr/bin/env python3
"""40 good projects x 12 kinds of mistake: does `dgc check` say the right thing about each?

Every project is generated, must check clean, and is then broken once per operator, in one place
that is known. Asked of each answer: an error in the right file and line; one error for one fault;
a suggestion; and where a fix is offered for machines, `dgc check --fix` gives a clean check.

    mutate.py DGC [--keep DIR] [--only OPERATOR] [--projects N] [--verbose]
"""
import argparse, json, os, random, re, shutil, subprocess, sys, tempfile

DOMAINS = [
    ("orders", "amount", "customer"), ("trips", "distance", "driver"), ("readings", "value", "sensor"),
    ("visits", "minutes", "page"), ("invoices", "total", "supplier"), ("calls", "seconds", "agent"),
    ("flights", "delay", "origin"), ("tickets", "priority", "queue"),
]


def project(n):
    """Files of project n: {path: text}. Different in size, names, kinds of component."""
    rng = random.Random(n)
    noun, number, name = DOMAINS[n % len(DOMAINS)]
    rows = "\n".join(f"{i},{rng.randint(1, 99)}.5,{name}{i % 3},2024-0{1 + i % 9}-11" for i in range(1, 8))
    files = {
        "dgc.yaml": f"name: p{n}\nvars:\n  floor: {n}\n",
        f"data/{noun}.csv": f"id,{number},{name},day\n{rows}\n",
    }
    files["defs/raw/defs.yaml"] = (
        "type: dgc.Files\n"
        "attributes:\n"
        f'  path: "../../data/{noun}.csv"\n'
        f"  asset: raw/{noun}\n"
        f"  description: {noun.capitalize()} as they come.\n"
        "  mode: replace\n"
        "  group: raw\n"
    )
    files["defs/marts/defs.yaml"] = (
        "type: dgc.SqlModels\n"
        "attributes:\n"
        "  path: models\n"
        "  prefix: marts\n"
        "  materialized: table\n"
        "---\n"
        "type: dgc.Checks\n"
        "attributes:\n"
        f"  asset: marts/daily_{noun}\n"
        "  checks:\n"
        "    - not_null: day\n"
        f"    - unique: [day, {name}]\n"
        f"    - range: {{column: {number}, min: 0}}\n"
        "      severity: warn\n"
    )
    files[f"defs/marts/models/daily_{noun}.sql"] = (
        f"-- {noun} by day\n"
        "select\n"
        "    day,\n"
        f"    {name},\n"
        f"    sum({number}) as {number}\n"
        f"from {{{{ source('raw', '{noun}') }}}}\n"
        f"where {number} >= {{{{ var('floor') }}}}\n"
        f"group by day, {name}\n"
    )
    files[f"defs/marts/models/top_{name}.sql"] = (
        "select\n"
        f"    {name},\n"
        f"    max({number}) as best\n"
        f"from {{{{ ref('daily_{noun}') }}}}\n"
        f"group by {name}\n"
    )
    files["defs/ops/defs.yaml"] = (
        "type: dgc.Schedule\n"
        "attributes:\n"
        "  name: nightly\n"
        f'  target: "+key:marts/*"\n'
        f'  cron: "{n % 60} {n % 24} * * *"\n'
        "  timezone: Europe/Berlin\n"
    )
    if n % 2:
        files["defs/clean/defs.yaml"] = (
            "type: dgc.Transform\n"
            "attributes:\n"
            f"  from: raw/{noun}\n"
            f"  asset: clean/{noun}\n"
            f'  filter: "{number} > 0"\n'
            "  derive:\n"
            f'    twice: "{number} * 2"\n'
            f'    label: "upper({name})"\n'
        )
    if n % 3 == 0:
        files["defs/out/defs.yaml"] = (
            "type: dgc.Export\n"
            "attributes:\n"
            f"  from: marts/top_{name}\n"
            f'  path: "../../out/top_{name}.csv"\n'
            "  format: csv\n"
        )
    files["defs/load/defs.yaml"] = (
        "type: dgc.Script\n"
        "attributes:\n"
        f'  command: ["/bin/echo", "{{{{ env(\'REGION_{n}\') }}}}"]\n'
        f"  asset: side/{noun}_report\n"
        f"  deps: [marts/daily_{noun}]\n"
        "requirements:\n"
        f"  env: [REGION_{n}]\n"
    )
    return files, {"noun": noun, "number": number, "name": name}


def lines_of(files, pattern, paths=None):
    """(path, line index, match) of every line that fits."""
    found = []
    for path in sorted(files):
        if paths and not re.search(paths, path):
            continue
        for i, line in enumerate(files[path].split("\n")):
            m = re.search(pattern, line)
            if m:
                found.append((path, i, m))
    return found


def swap(word, rng):
    """A typing mistake: two letters changed round, one doubled, one left out."""
    i = rng.randrange(1, max(2, len(word) - 1))
    kind = rng.randrange(3)
    if kind == 0 and i + 1 < len(word) and word[i] != word[i + 1]:
        return word[:i] + word[i + 1] + word[i] + word[i + 2:]
    return word[:i] + word[i] + word[i:] if kind == 1 else word[:i] + word[i + 1:]


def replace_line(files, path, i, text):
    out = dict(files)
    rows = out[path].split("\n")
    rows[i] = text
    out[path] = "\n".join(rows)
    return out


def edit(files, hit, rng, change):
    path, i, m = hit
    line = files[path].split("\n")[i]
    return replace_line(files, path, i, change(line, m)), [(path, i + 1)]


def op_key_typo(files, f, rng):
    hits = lines_of(files, r"^  ([a-z_]{4,}):", r"defs\.yaml$")
    hits = [h for h in hits if h[2].group(1) not in ("env",)]
    return edit(files, rng.choice(hits), rng,
                lambda line, m: line.replace(m.group(1), swap(m.group(1), rng), 1))


def op_value_typo(files, f, rng):
    hits = lines_of(files, r"(materialized|mode|format|severity): ([a-z]+)$", r"defs\.yaml$")
    return edit(files, rng.choice(hits), rng,
                lambda line, m: line.replace(": " + m.group(2), ": " + swap(m.group(2), rng), 1))


def op_wrong_type(files, f, rng):
    hits = lines_of(files, r"^  (asset|prefix|name|from|mode|materialized|cron|group): (.+)$", r"defs\.yaml$")
    return edit(files, rng.choice(hits), rng, lambda line, m: f"  {m.group(1)}: {{a: 1}}")


def op_indent(files, f, rng):
    hits = lines_of(files, r"^  (path|asset|prefix|name|target|cron|from): ", r"defs\.yaml$")
    hits = [h for h in hits if not files[h[0]].split("\n")[h[1] - 1].startswith("attributes")]
    path, i, m = rng.choice(hits)
    out = replace_line(files, path, i, " " + files[path].split("\n")[i])
    return out, [(path, i + 1), (path, i)]


def op_missing_reference(files, f, rng):
    hits = lines_of(files, r"ref\('([a-z_]+)'\)", r"\.sql$") + lines_of(files, r"^  from: ([a-z_/]+)$", r"defs\.yaml$")
    return edit(files, rng.choice(hits), rng,
                lambda line, m: line.replace(m.group(1), swap(m.group(1), rng), 1))


def op_duplicate_key(files, f, rng):
    hits = lines_of(files, r"^  (path|asset|prefix|name|cron|mode|group|from): ", r"defs\.yaml$")
    path, i, m = rng.choice(hits)
    line = files[path].split("\n")[i]
    return replace_line(files, path, i, line + "\n" + line), [(path, i + 2)]


def op_tab(files, f, rng):
    hits = lines_of(files, r"^  [a-z_]+: ", r"defs\.yaml$")
    return edit(files, rng.choice(hits), rng, lambda line, m: "\t" + line[2:])


def op_bad_cron(files, f, rng):
    hits = lines_of(files, r"^  cron: \"(.*)\"", r"defs\.yaml$")
    bad = rng.choice(["61 2 * * *", "0 25 * * *", "0 2 * *", "0 2 * * mo-xx", "0 2 32 * *", "a 2 * * *"])
    return edit(files, rng.choice(hits), rng, lambda line, m: f'  cron: "{bad}"')


def op_missing_secret(files, f, rng):
    hits = lines_of(files, r"env\('([A-Z_0-9]+)'\)", r"defs\.yaml$")
    return edit(files, rng.choice(hits), rng, lambda line, m: line.replace(m.group(1), "TOKEN_" + m.group(1)))


def op_wrong_column(files, f, rng):
    hits = lines_of(files, r"^    (?:sum\(|max\()?([a-z]{4,})\)?", r"\.sql$")
    hits += lines_of(files, r"(?:not_null: |range: \{column: )([a-z]+)", r"defs\.yaml$")
    hits += lines_of(files, r"upper\(([a-z]+)\)", r"defs\.yaml$")
    hits = [h for h in hits if not re.search(r"^    [a-z]+,$", files[h[0]].split("\n")[h[1]]) or "daily" in h[0]]
    # A column that is grouped by stands twice in its model: break one that stands once.
    hits = [h for h in hits if "(" in h[2].group(0) or "defs.yaml" in h[0]]
    return edit(files, rng.choice(hits), rng,
                lambda line, m: line.replace(m.group(1), swap(m.group(1), rng), 1))


def op_cycle(files, f, rng):
    path = f"defs/marts/models/daily_{f['noun']}.sql"
    i = next(i for i, line in enumerate(files[path].split("\n")) if line.startswith("from"))
    other = f"defs/marts/models/top_{f['name']}.sql"
    j = next(j for j, line in enumerate(files[other].split("\n")) if line.startswith("from"))
    out = replace_line(files, path, i, f"from {{{{ ref('top_{f['name']}') }}}}")
    return out, [(path, i + 1), (other, j + 1)]


def op_bad_template(files, f, rng):
    hits = lines_of(files, r"\{\{ (.*?) \}\}", r"(\.sql|load/defs\.yaml)$")
    bad = rng.choice([
        lambda line: line.replace(" }}", " }", 1),
        lambda line: line.replace("')", "'", 1),
        lambda line: line.replace("('", "('' '", 1).replace("{{ ", "{{ ~", 1),
    ])
    return edit(files, rng.choice(hits), rng, lambda line, m: bad(line))


OPERATORS = [op_key_typo, op_value_typo, op_wrong_type, op_indent, op_missing_reference,
             op_duplicate_key, op_tab, op_bad_cron, op_missing_secret, op_wrong_column, op_cycle,
             op_bad_template]


def write(files, folder):
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as out:
            out.write(text)


def check(dgc, folder, *more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("REGION_")}
    run = subprocess.run([dgc, "check", folder, "--json", *more], capture_output=True, text=True,
                         timeout=60, env=env, stdin=subprocess.DEVNULL)
    try:
        doc = json.loads(run.stdout or "[]")
    except ValueError:
        return run.returncode, None, run.stdout + run.stderr
    items = doc if isinstance(doc, list) else doc.get("diagnostics", [])
    return run.returncode, [d for d in items if d.get("level", "error") == "error"], run.stderr


def judge(dgc, files, expected, folder):
    """Where one broken project stands: a dict of booleans, and what was printed."""
    write(files, folder)
    code, errors, raw = check(dgc, folder)
    if errors is None or code not in (0, 1):
        return {"ran": False, "place": False, "one": False, "hint": False, "fixed": None}, raw
    places = {(d.get("file"), d.get("line")) for d in errors}
    related = {(l.get("file"), l.get("line")) for d in errors for l in d.get("labels", [])}
    hint = any(d.get("help") or d.get("fixes") or d.get("notes") for d in errors)
    machine = [f for d in errors for f in d.get("fixes", []) if f.get("applicability") == "machine"]
    fixed = None
    if machine:
        check(dgc, folder, "--fix")
        again, left, _ = check(dgc, folder)
        fixed = again == 0 and not left
    place = any(p in places for p in expected) or (bool(errors) and any(p in related for p in expected))
    return {"ran": True, "place": place, "one": len(errors) == 1, "hint": hint, "fixed": fixed}, errors


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("dgc")
    ap.add_argument("--keep")
    ap.add_argument("--only")
    ap.add_argument("--projects", type=int, default=40)
    ap.add_argument("--verbose", action="store_true")
    a = ap.parse_args()
    base = a.keep or tempfile.mkdtemp(prefix="dgc-mutation-")
    total = {"cases": 0, "place": 0, "one": 0, "hint": 0, "fixes": 0, "fixed": 0}
    bad_projects = 0
    per_op = {}
    for n in range(a.projects):
        files, facts = project(n)
        folder = os.path.join(base, f"p{n}")
        write(files, folder)
        code, errors, raw = check(a.dgc, folder)
        if code != 0 or errors:
            bad_projects += 1
            print(f"FAIL project {n} is not clean: {errors or raw}")
            continue
        for op in OPERATORS:
            if a.only and a.only not in op.__name__:
                continue
            rng = random.Random(f"{n}/{op.__name__}")
            broken, expected = op(files, facts, rng)
            if broken == files:
                broken, expected = op(files, facts, random.Random(f"{n}/{op.__name__}/again"))
            result, shown = judge(a.dgc, broken, expected, os.path.join(base, f"p{n}-{op.__name__}"))
            stats = per_op.setdefault(op.__name__[3:], dict.fromkeys(total, 0))
            for t in (total, stats):
                t["cases"] += 1
                for k in ("place", "one", "hint"):
                    t[k] += result[k]
                if result["fixed"] is not None:
                    t["fixes"] += 1
                    t["fixed"] += result["fixed"]
            if a.verbose and not (result["place"] and result["one"] and result["fixed"] is not False):
                print(f"-- project {n} {op.__name__} expected {expected}: {result}")
                for d in shown if isinstance(shown, list) else [shown]:
                    print("   ", (f"{d['file']}:{d['line']} {d['code']} {d['message']}"
                                  if isinstance(d, dict) else d))
    for name, t in per_op.items():
        print(f"{name:18} {t['cases']:4} cases  place {t['place']:4}  one {t['one']:4}  "
              f"hint {t['hint']:4}  fixed {t['fixed']}/{t['fixes']}")
    cases = max(1, total["cases"])
    share = {k: 100.0 * total[k] / cases for k in ("place", "one", "hint")}
    print(f"right file and line {share['place']:.1f} %  one error per fault {share['one']:.1f} %  "
          f"suggestion {share['hint']:.1f} %  fixes that fix {total['fixed']}/{total['fixes']}")
    good = (bad_projects == 0 and share["place"] >= 98 and share["one"] >= 90
            and total["fixed"] == total["fixes"] and total["cases"] > 0)
    print(("ok" if good else "FAIL") + f" mutation corpus: {total['cases']} cases")
    if not a.keep:
        shutil.rmtree(base, ignore_errors=True)
    return 0 if good else 1


sys.exit(main())
