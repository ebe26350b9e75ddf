"""Databases and folders that replications read and write, all asked in the same few ways.

Values come out as texts; None is NULL.
"""
import csv, json, os, pathlib, re, shutil, sqlite3, subprocess

SERVERS = pathlib.Path(os.environ["ROOT"]) / "tests/servers"
SEPARATORS = dict(field="\x1f", row="\x1e", null="\x1d")


def text_or_hex(bytes):
    try:
        return bytes.hex() if b"\0" in bytes else bytes.decode()
    except UnicodeDecodeError:
        return bytes.hex()


class Server:
    """A server that tests/servers starts; it ends when its input does, so with this process."""

    def __init__(self, kind, folder):
        folder.mkdir()
        variables = {"postgres": "$PGPORT", "mariadb": "$MARIADB_PORT $mariadb_folder/socket"}[kind]
        script = f'. "{SERVERS}/{kind}.sh"; {kind}_start "{folder}" || exit 1; echo "ready {variables}"; read -r _; {kind}_stop'
        self.process = subprocess.Popen(["bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("ready "):
                self.words = line.split()[1:]
                return
        raise RuntimeError(f"{kind} does not start: {''.join(lines)}")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Postgres:
    kind, schema = "postgres", "public"

    def __init__(self, server, name):
        self.name, self.port = name, server.words[0]
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/{name}?sslmode=disable"
        for text in (f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}"):
            self._run(text, "postgres")

    def _run(self, text, database):
        run = subprocess.run(["/usr/lib/postgresql/15/bin/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-F", SEPARATORS["field"], "-R", SEPARATORS["row"],
                              "-P", f"null={SEPARATORS['null']}", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-d", database],
                             input=text, capture_output=True, text=True, env={**os.environ, "PGTZ": "UTC"})
        if run.returncode or run.stderr.startswith("ERROR"):
            raise RuntimeError(run.stderr)
        return run.stdout.removesuffix("\n")

    def sql(self, text):
        body = self._run(text, self.name)
        return [tuple(None if v == SEPARATORS["null"] else v for v in row.split(SEPARATORS["field"])) for row in body.split(SEPARATORS["row"])] if body else []

    def all_columns(self):
        return self.sql("SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                        f" WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r' AND c.relnamespace = '{self.schema}'::regnamespace ORDER BY 1, a.attnum")

    def quoted(self, name):
        return f'"{name}"'


class MariaDb:
    kind = "mysql"

    def __init__(self, server, name):
        self.name = self.schema = name
        self.port, self.socket = server.words
        self.url = f"mysql://me:p%40ss%3Aword@127.0.0.1:{self.port}/{name}"
        self._run(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}", "mysql")

    def _run(self, text, database):
        run = subprocess.run(["mariadb", "--no-defaults", f"--socket={self.socket}", "-u", "root", "-N", "--batch", "--default-character-set=utf8mb4", database],
                             input=f"SET time_zone = '+00:00'; {text}".encode(), capture_output=True)
        if run.returncode:
            raise RuntimeError(run.stderr.decode())
        return run.stdout

    def sql(self, text):
        def plain(v):
            return None if v == b"NULL" else text_or_hex(re.sub(rb"\\(.)", lambda m: {b"n": b"\n", b"t": b"\t", b"0": b"\0"}.get(m[1], m[1]), v))
        return [tuple(plain(v) for v in row.split(b"\t")) for row in self._run(text, self.name).split(b"\n") if row]

    def all_columns(self):
        return self.sql(f"SELECT table_name, column_name, column_type FROM information_schema.columns WHERE table_schema = '{self.name}' ORDER BY 1, ordinal_position")

    def quoted(self, name):
        return f"`{name}`"


class Sqlite:
    kind, schema = "sqlite", "main"

    def __init__(self, path):
        for old in path.parent.glob(path.name + "*"):
            old.unlink()
        self.path, self.url = path, f"sqlite://{path}"

    def sql(self, text):
        db = sqlite3.connect(self.path)
        db.text_factory = text_or_hex
        try:
            if text.lstrip().upper().startswith("SELECT"):
                return [tuple(None if v is None else v.hex() if isinstance(v, bytes) else str(v) for v in row) for row in db.execute(text)]
            db.executescript(text)
            return []
        finally:
            db.close()

    def all_columns(self):
        tables = [t for t, in self.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1")]
        return [(t, *c) for t in tables for c in self.sql(f"SELECT name, lower(type) FROM pragma_table_info('{t}') ORDER BY cid")]

    def quoted(self, name):
        return f'"{name}"'


class DuckDb(Sqlite):
    kind = "duckdb"

    def __init__(self, path):
        super().__init__(path)
        self.url = f"duckdb://{path}"

    def sql(self, text):
        import duckdb
        db = duckdb.connect(str(self.path))
        try:
            db.execute("SET TimeZone = 'UTC'")
            if not text.lstrip().upper().startswith("SELECT"):
                db.execute(text)
                return []
            names = [d[0] for d in db.sql(text).description]
            return db.sql("SELECT " + ", ".join(f"#{i + 1}::VARCHAR" for i in range(len(names))) + f" FROM ({text})").fetchall()
        finally:
            db.close()

    def all_columns(self):
        return self.sql("SELECT table_name, column_name, lower(data_type) FROM duckdb_columns() WHERE NOT internal AND schema_name = 'main'"
                        " ORDER BY table_name, column_index")


def read_file(path):
    """Names, types, rows of a file."""
    if path.suffix == ".csv":
        with path.open(newline="") as f:
            rows = list(csv.reader(f, delimiter="|" if "delimiter" in path.name else ","))
        return (rows[0], ["text"] * len(rows[0]), [tuple(r) for r in rows[1:]]) if rows else ([], [], [])
    if path.suffix == ".parquet":
        import pyarrow.parquet
        try:
            table = pyarrow.parquet.read_table(path)
        except pyarrow.ArrowInvalid:
            return ["(not readable)"], [""], []
        def plain(v):
            return None if v is None else v.hex() if isinstance(v, bytes) else str(v)
        return table.column_names, [str(t) for t in table.schema.types], [tuple(plain(v) for v in r.values()) for r in table.to_pylist()]
    text = path.read_text()
    objects = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    names = list(dict.fromkeys(k for o in objects for k in o))
    def kind(name):
        return "/".join(sorted({type(o.get(name)).__name__ for o in objects} - {"NoneType"}))
    def plain(v):
        return None if v is None else v if isinstance(v, str) else json.dumps(v)
    return names, [kind(n) for n in names], [tuple(plain(o.get(n)) for n in names) for o in objects]


class Folder:
    """Files; a folder below it is one table."""
    kind = "files"

    def __init__(self, path):
        self.path = path
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        self.url, self.schema = None, f"file://{path}"

    def tables(self):
        out = {}
        for path in sorted(p for p in self.path.rglob("*") if p.is_file() and not p.name.startswith(("_", "."))):
            name = path.relative_to(self.path).as_posix()
            out[name.removesuffix(path.suffix)] = read_file(path)
        return out


def tables_of(store):
    """table -> (names, types, rows)"""
    if store.kind == "files":
        return store.tables()
    if store.kind == "duckdb" and not store.path.exists():
        return {}
    found = {}
    for table, name, kind in store.all_columns():
        if not table.startswith("_dgc_"):
            found.setdefault(table, ([], []))
            found[table][0].append(name)
            found[table][1].append(re.sub(r"\s+", " ", kind.lower()))
    out = {}
    for table, (names, types) in found.items():
        chosen = ", ".join(store.quoted(n) for n in names)
        out[table] = names, types, store.sql(f"SELECT {chosen} FROM {store.quoted(table)}")
    return out
