#!/usr/bin/env python3
# TEST_TIMEOUT: 900
"""The same replication.yaml run by Sling and by dgc: same tables, columns, types and rows.

Sling is a binary of PyPI's; it may reach nothing but this machine (a proxy that nobody listens at). What differs on purpose stands
in docs/reference/sling-differences.md with its reason; a difference that is not there is a failure, and so is one that is there and
does not exist. Arguments choose cases by a part of their name (`postgres to sqlite: snapshot`); then the page's other rows rest.
"""
import concurrent.futures, fnmatch, json, os, pathlib, re, shutil, signal, subprocess, sys, sysconfig, tempfile, threading, time

from _sling_cases import CASES, FROM_FILES, TO_FILES, WHOLE, change_tables, file_rows, make_tables, write_file
from _sling_stores import DuckDb, Folder, MariaDb, Postgres, Server, Sqlite, tables_of

DGC, PAGE = os.environ["DGC"], pathlib.Path(os.environ["ROOT"]) / "docs/reference/sling-differences.md"
KINDS = ("postgres", "mysql", "sqlite", "duckdb", "files")
# Pairs for documents of their own: each kind of database once as source and once as target.
WHOLE_PAIRS = (("postgres", "duckdb"), ("duckdb", "mysql"), ("mysql", "sqlite"), ("sqlite", "postgres"))
QUIET = 40 # seconds without a word: a program that hangs
STARTED = time.time()
failures, printing = 0, threading.Lock()


def verdict(ok, what, detail=""):
    global failures
    with printing:
        failures += not ok
        print(("ok " if ok else "FAIL ") + what + ("" if ok else f": {detail}"), flush=True)


# ---- The two programs ----

class Hung(RuntimeError):
    pass


class Bench:
    def __init__(self, work):
        self.work, self.home = work, work / "home"
        self.home.mkdir()
        site = pathlib.Path(sysconfig.get_path("purelib"))
        self.sling = next(site.glob("sling_linux_amd64/bin/sling-*"))
        for extensions in site.glob("duckdb_extension_*/extensions/*"):
            into = self.home / ".duckdb/extensions" / extensions.name / "linux_amd64"
            into.mkdir(parents=True, exist_ok=True)
            for file in extensions.iterdir():
                shutil.copy(file, into)
        shut = "http://127.0.0.1:9"
        self.env = {**os.environ, "HOME": str(self.home), "SLING_DISABLE_TELEMETRY": "TRUE", "DUCKDB_PATH": str(pathlib.Path(sys.executable).parent / "duckdb"),
                    "HTTP_PROXY": shut, "HTTPS_PROXY": shut, "NO_PROXY": "127.0.0.1,localhost", "TZ": "UTC", "NO_COLOR": "1", "SLING_TEST_LEAST": "2"}
        self.servers = {"postgres": Server("postgres", work / "postgres"), "mysql": Server("mariadb", work / "mysql")}

    def stop(self):
        for server in self.servers.values():
            server.stop()

    def run(self, program, folder, text, connections):
        """What it said; both go on with the other streams when one fails."""
        folder.mkdir(exist_ok=True)
        env = {**self.env, **connections, "SLING_HOME_DIR": str(folder / "sling")}
        if program == "sling":
            (folder / "sling.yaml").write_text(text)
            command = [self.sling, "run", "-r", str(folder / "sling.yaml")]
        else:
            place = folder / "defs/r"
            place.mkdir(parents=True, exist_ok=True)
            (place / "replication.yaml").write_text(text)
            (place / "defs.yaml").write_text("type: dagster_sling.SlingReplicationCollectionComponent\nattributes:\n  replications: [{path: replication.yaml}]\n")
            command = [DGC, "run", str(folder), "--home", str(folder / "home"), "--progress", "plain"]
        log = folder / "words"
        with log.open("w") as out: # no pipe: programs that Sling leaves behind would keep it open
            process = subprocess.Popen(command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
            said, silent_since = 0, time.time()
            while process.poll() is None:
                time.sleep(0.05)
                if log.stat().st_size != said:
                    said, silent_since = log.stat().st_size, time.time()
                if time.time() - silent_since > QUIET:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    raise Hung(f"{program} said nothing for {QUIET} seconds; last: {log.read_text(errors='replace')[-200:]}")
        words = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(errors="replace"))
        if program == "sling" and "closed pipe" in words:
            raise Hung(words[-500:])
        return words

    def store(self, kind, name, folder):
        if kind in self.servers:
            return (Postgres if kind == "postgres" else MariaDb)(self.servers[kind], name)
        return {"sqlite": Sqlite, "duckdb": DuckDb, "files": Folder}[kind](folder / f"{name}.{kind}")


# ---- Comparing ----

def plain_value(v):
    """A value whatever its type: what a number, a truth or a moment says."""
    if v is None:
        return v
    text = {"true": "1", "True": "1", "t": "1", "false": "0", "False": "0", "f": "0"}.get(v, v)
    text = text.strip('"')
    if re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?( ?\+0000( UTC)?|Z| ?[+-]\d\d(:\d\d)?)?)?", text):
        text = re.sub(r"( ?\+0000( UTC)?|Z| ?\+00(:00)?)$", "", text.replace("T", " "))
        text = re.sub(r"(\.\d*?)0+$", r"\1", text).rstrip(".")
        return re.sub(r" 00:00:00$", "", text)
    try:
        return repr(float(text))
    except ValueError:
        pass
    try:
        value = json.loads(text)
        return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else text
    except ValueError:
        return text


def without_clock(name, v):
    """When rows were loaded is another moment in each run; that it is one is compared."""
    if name.lower().startswith("_sling_") and v is not None:
        number = re.fullmatch(r"\d{10}", v)
        text = re.match(r"\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d", v)
        moment = int(v) if number else time.mktime(time.strptime(text[0].replace("T", " "), "%Y-%m-%d %H:%M:%S")) if text else 0
        return "<moment>" if STARTED - 90000 < moment < time.time() + 90000 else v
    return v


def order(row):
    return [(v is not None, v or "") for v in row]


def differences(sling, dgc):
    """(kind, what) of each. Types come one by one, `Sling's / dgc's`."""
    if sorted(sling) != sorted(dgc):
        return [("tables", f"{', '.join(sorted(sling)) or 'none'} / {', '.join(sorted(dgc)) or 'none'}")]
    out = []
    for table in sling:
        (names, types, rows), (our_names, our_types, our_rows) = sling[table], dgc[table]
        if names != our_names:
            out.append(("names", f"{', '.join(names)} / {', '.join(our_names)}"))
        common = [n for n in names if n in our_names]
        at, our_at = [names.index(n) for n in common], [our_names.index(n) for n in common]
        for i, j in zip(at, our_at):
            if types[i] != our_types[j]:
                out.append(("types", f"{types[i]} / {our_types[j]}"))
        ours = [[without_clock(n, r[i]) for n, i in zip(common, our_at)] for r in our_rows]
        theirs = [[without_clock(n, r[i]) for n, i in zip(common, at)] for r in rows]
        meaning = [sorted(([plain_value(v) for v in r] for r in rs), key=order) for rs in (theirs, ours)]
        if meaning[0] != meaning[1]:
            only = [[r for r in meaning[k] if r not in meaning[1 - k]] for k in (0, 1)]
            out.append(("rows", f"{only[0]} / {only[1]} ({len(rows)} / {len(our_rows)} rows)"))
        elif sorted(theirs, key=order) != sorted(ours, key=order):
            by_meaning = [sorted(rs, key=lambda r: order([plain_value(v) for v in r])) for rs in (theirs, ours)]
            one = [(n, a[k], b[k]) for a, b in zip(*by_meaning) for k, n in enumerate(common) if a[k] != b[k] and types[at[k]] == our_types[our_at[k]]]
            if one: # where types differ, the form does too
                out.append(("form", "; ".join(f"{n}: {a} / {b}" for n, a, b in one[:4])))
    return list(dict.fromkeys(out))


class Documented:
    """The rows of the page's tables: | cases | what differs | Sling / dgc | why |. Types: one or more pairs, each has to occur."""

    def __init__(self, path):
        self.rows, self.used, self.lock = [], set(), threading.Lock()
        for line in path.read_text().splitlines():
            cells = [c.strip().replace("`", "") for c in line.split("|")[1:-1]]
            if len(cells) == 4 and cells[1] in ("refused", "tables", "names", "types", "rows", "form"):
                cases, kind, details, _ = cells
                self.rows += [([c.strip() for c in cases.split(";")], kind, d.strip()) for d in (details.split(";") if kind == "types" else [details])]

    def covers(self, case, kind, what):
        found = [i for i, (cases, listed, detail) in enumerate(self.rows)
                 if kind == listed and (kind != "types" or what == detail) and any(fnmatch.fnmatchcase(case, c) for c in cases)]
        with self.lock:
            self.used.update(found)
        return bool(found)

    def unused(self):
        return [f"{'; '.join(cases)} | {kind} | {detail}" for i, (cases, kind, detail) in enumerate(self.rows) if i not in self.used]


# ---- A source and a target ----

STREAMS_BEGIN = 5 # line of the first one in a document


def streams_of(cases, source, target, connections):
    lines, beside = [], ""
    for case in cases:
        ending = f".{case.format}" if case.format else ""
        from_files, to_files = source.kind == "files", target.kind == "files"
        own = f"{source.schema}/{case.slug}{ending}" if from_files else f"{source.schema}.{case.slug}"
        object = f"{target.schema}/{case.slug}{ending}" if to_files else f"{target.schema}.{case.slug}"
        quoted = ".".join(target.quoted(n) for n in object.split(".")) if not to_files else ""
        def full(text):
            return text.replace("@S", own).replace("@T", object).replace("@Q", quoted).replace("@s", source.schema).replace("@t", target.schema).replace("@d", str(source.schema))
        says = full(case.says) + ("" if "object:" in case.says else (", " if case.says else "") + f"object: '{object}'")
        lines.append(f"  {json.dumps(full(case.stream))}: {{{says}}}\n")
        beside += f"  {full(case.beside)}\n" if case.beside else ""
        whole = full(case.whole)
    return f"source: {connections[0]}\ntarget: {connections[1]}\n{whole}\nstreams:\n{''.join(lines)}{beside}"


def fill(source, cases, again):
    if source.kind == "files":
        for case in cases:
            for suffix in case.tables:
                write_file(source.path / f"{case.slug}{suffix}.{case.format}", case, file_rows(again))
    else:
        source.sql("".join((change_tables if again else make_tables)(source.kind, source.schema, c) for c in cases))


def run_cases(bench, documented, source_kind, target_kind, cases, label):
    """All cases as streams of one replication; a second time those that say so."""
    pair, folder = f"{source_kind} to {target_kind}", bench.work / label
    folder.mkdir()
    logs, targets, refused = {}, {}, {}
    def run(program):
        # Files of databases are locked by who reads them: each program has a source of its own.
        source, target = bench.store(source_kind, f"{label}_for_{program}", folder), bench.store(target_kind, f"{label}_by_{program}", folder)
        names = ["LOCAL" if s.kind == "files" else n for s, n in ((source, "SRC"), (target, "DST"))]
        connections = {n: s.url for s, n in ((source, "SRC"), (target, "DST")) if s.url}
        targets[program] = target
        for again in (False, True):
            chosen = [c for c in cases if c.slug not in refused and (c.again or not again)]
            if chosen:
                fill(source, chosen, again)
            while chosen:
                words = bench.run(program, folder / program, streams_of(chosen, source, target, names), connections)
                (folder / f"{program}{1 + again}.log").write_text(words)
                logs[program, again] = words
                # What dgc does not take, it says of all streams before it runs any: the others run without them.
                bad = {int(n) - STREAMS_BEGIN: why for why, n in re.findall(r"^error\[\w+\]: (.*)\n +--> defs/r/replication.yaml:(\d+):", words, re.M)} if program == "dgc" else {}
                refused.update({chosen[n].slug: why for n, why in bad.items() if 0 <= n < len(chosen)})
                if not bad:
                    break
                chosen = [c for c in chosen if c.slug not in refused]
    def run_sling():
        """Now and then the DuckDB program that Sling 1.4.11 writes through never answers, or ends: then all begins anew."""
        for attempt in range(3):
            try:
                return run("sling")
            except Hung:
                if attempt == 2:
                    raise
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda f: f(), (run_sling, lambda: run("dgc"))))
    found = {p: by_case(tables_of(targets[p]), cases, p, f"{label}") for p in targets}
    for case in cases:
        what = f"{pair}: {case.name}"
        if case.beyond:
            beyond(case, what, found["sling"][case.slug], found["dgc"][case.slug], logs)
            continue
        found_here = [("refused", refused[case.slug])] if case.slug in refused else differences(found["sling"][case.slug], found["dgc"][case.slug])
        if not found_here and not case.none and not found["dgc"][case.slug]:
            found_here = [("tables", "neither made one")]
        left = [(k, d) for k, d in found_here if not documented.covers(what, k, d)]
        errors = [f"\n    {p}: {line[:300]}" for (p, _), words in logs.items() for line in words.splitlines() if left and case.slug in line and re.search("error|fail|fatal", line, re.I)]
        verdict(not left, what, "; ".join(f"{k}: {d}" for k, d in left) + "".join(errors[:3]))
    for program in found:
        stray = found[program].get(None)
        if stray:
            verdict(False, f"{pair}: tables of no case by {program}", ", ".join(stray))


def beyond(case, what, sling, dgc, logs):
    """What this Sling does not do: dgc is compared with what Sling's documentation says."""
    gated = any("invalid or missing token" in words for (program, _), words in logs.items() if program == "sling")
    if case.beyond == "licence" and not gated:
        return verdict(False, what, "Sling asks for no licence: compare with it")
    for names, _, rows in dgc.values():
        at = names.index("name") if "name" in names else None
        got = {int(r[names.index("id")]): at and r[at] for r in rows}
        soft = "soft" not in case.name or {int(r[names.index("id")]) for r in rows if r[names.index("_sling_deleted_at")] is not None} == {2}
        why = "asks for a licence" if case.beyond == "licence" else case.beyond
        return verdict(got == case.expects and soft, f"{what} (Sling: {why}; as its documentation says)", f"{got} instead of {case.expects}")
    verdict(False, what, "dgc made no table")


def by_case(tables, cases, program, label):
    """The tables that belong to each case: its slug begins their names."""
    out = {c.slug: {} for c in cases}
    for name, table in tables.items():
        slugs = [s for s in out if s and name.lower().startswith(s)]
        out.setdefault(max(slugs, key=len) if slugs else None, {})[name.replace(f"{label}_by_{program}", "*")] = table
    return out


def main():
    only = sys.argv[1:]
    work = pathlib.Path(tempfile.mkdtemp(prefix="dgc-sling-"))
    os.chmod(work, 0o755)
    bench = None
    try:
        bench = Bench(work)
        documented = Documented(PAGE)
        jobs = []
        for s in KINDS:
            for t in KINDS:
                cases = CASES if "files" not in (s, t) else FROM_FILES if t != "files" else TO_FILES if s != "files" else []
                cases = [c for c in cases if not c.narrow or "duckdb" not in (s, t) or {s, t} == {"postgres", "duckdb"}]
                size = 16 if "duckdb" in (s, t) else 100 # Sling is slow with DuckDB: parts run side by side
                jobs += [(s, t, cases[i:i + size], f"{s}_{t}_{i}") for i in range(0, len(cases), size)]
        jobs.sort(key=lambda job: "duckdb" not in job[:2]) # Sling's slow ones first
        for s, t in WHOLE_PAIRS:
            jobs += [(s, t, [c], f"{s}_{t}_{c.slug}") for c in WHOLE]
        chosen = [(s, t, [c for c in cases if not only or any(o in f"{s} to {t}: {c.name}" for o in only)], label) for s, t, cases, label in jobs]
        chosen = [job for job in chosen if job[2]]
        with concurrent.futures.ThreadPoolExecutor(6) as pool: # Sling mostly waits
            waiting = {pool.submit(run_cases, bench, documented, *job): job for job in chosen}
            for done in concurrent.futures.as_completed(waiting):
                if done.exception():
                    s, t, *_ = waiting[done]
                    verdict(False, f"{s} to {t}", f"{type(done.exception()).__name__}: {done.exception()}")
        if not only:
            for row in documented.unused():
                verdict(False, f"{PAGE.name}: {row}", "no case differs so")
    finally:
        if bench:
            bench.stop()
        if os.environ.get("KEEP"):
            print(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
