"""What is compared: sources, and what a stream of a replication.yaml says about each.

Every case reads a table (or files) of its own and writes a table of its own, so that all cases of one source and target are
streams of one replication. In `says`: @S the source's table, @s its schema, @T the target's table (@Q: quoted), @t its schema.
"""
import csv, dataclasses, json, re

# NULLs in the last row; `upd` goes on in the second round.
NAMES = ("id", "name", "amount", "ratio", "active", "born", "upd")
ROWS = [(1, "a", "10.50", "1.5", "true", "2024-01-01", "2024-01-01 10:00:00"),
        (2, "b, \"quoted\"", "-0.01", "-2.25", "false", "2024-02-29", "2024-01-02 10:00:00.123456"),
        (3, "ü\nnew line", "99999.99", "10000000000", "true", "1969-12-31", "2024-01-03 00:00:00"),
        (4, None, None, None, None, None, "2024-01-04 00:00:00")]
CHANGES = [(1, "a2", "11.50", "1.5", "true", "2024-01-01", "2024-02-01 00:00:00"),
           (5, "e", "5.00", "5", "false", "2024-05-05", "2024-02-02 00:00:00")]
TYPES = {"postgres": ("bigint primary key", "text", "numeric(10,2)", "double precision", "boolean", "date", "timestamp"),
         "mysql": ("bigint primary key", "text", "decimal(10,2)", "double", "boolean", "date", "datetime(6)"),
         "sqlite": ("integer primary key", "text", "decimal(10,2)", "real", "boolean", "date", "timestamp"),
         "duckdb": ("bigint primary key", "varchar", "decimal(10,2)", "double", "boolean", "date", "timestamp")}
# What else the engines have. Each: name, type, value.
MORE_TYPES = {
    "postgres": [("small", "smallint", "7"), ("num", "integer", "70000"), ("code", "varchar(20)", "'x'"), ("fixed", "char(3)", "'ab'"), ("single", "real", "1.25"),
                 ("moment", "timestamptz", "'2024-05-06 07:08:09.5+00'"), ("hour", "time", "'07:08:09'"), ("doc", "json", "'{\"a\": 1}'"), ("docb", "jsonb", "'{\"a\": 1}'"),
                 ("ref", "uuid", "'0b0e7f3e-1111-4222-8333-444455556666'"), ("raw", "bytea", "'\\x0041ff'"), ("free", "numeric", "1.25"), ("list", "integer[]", "'{1,2}'")],
    "mysql": [("small", "smallint", "7"), ("num", "int", "70000"), ("wide", "bigint unsigned", "7"), ("code", "varchar(20)", "'x'"), ("single", "float", "1.25"),
              ("moment", "timestamp", "'2024-05-06 07:08:09'"), ("hour", "time", "'07:08:09'"), ("doc", "json", "'{\"a\": 1}'"), ("raw", "varbinary(10)", "x'0041ff'"),
              ("kind", "enum('p','q')", "'q'")],
    "sqlite": [("num", "int", "70000"), ("code", "varchar(20)", "'x'"), ("whole", "numeric", "12"), ("moment", "datetime", "'2024-05-06 07:08:09'"),
               ("raw", "blob", "x'0041ff'"), ("doc", "json", "'{\"a\": 1}'")],
    "duckdb": [("tiny", "tinyint", "7"), ("small", "smallint", "7"), ("num", "integer", "70000"), ("huge", "hugeint", "70000"), ("uns", "uinteger", "7"), ("single", "real", "1.25"),
               ("moment", "timestamptz", "'2024-05-06 07:08:09.5+00'"), ("hour", "time", "'07:08:09'"), ("doc", "json", "'{\"a\": 1}'"),
               ("ref", "uuid", "'0b0e7f3e-1111-4222-8333-444455556666'"), ("raw", "blob", "'\\x00A\\xFF'"), ("list", "integer[]", "[1, 2]"), ("rec", "struct(a integer)", "{'a': 1}")]}
RARE = ("hour", "list", "raw", "rec")  # a case of their own: Sling stops at some of them
MIXED = {"Id": "1", "Full Name": "'x'", "UPPER": "'y'", "camelCase": "'z'", "HTTPCode2x": "'c'", "9lives": "'n'"}


@dataclasses.dataclass
class Case:
    name: str
    says: str = ""
    again: bool = False          # run twice, with a change of the source between
    stream: str = "@S"
    tables: tuple = ("",)        # suffixes of the source's tables
    beside: str = ""             # another stream
    shape: str = "items"         # items, widened, types, rare, mixed, empty, nested
    none: bool = False           # no table comes of it
    narrow: bool = False         # the kind of source does not matter: into DuckDB from PostgreSQL only
    beyond: str = ""             # why this Sling cannot do it; then dgc is compared with Sling's documentation:
    expects: dict = dataclasses.field(default_factory=dict) # id -> name
    whole: str = ""              # a document of its own: what stands beside `streams`
    format: str = ""             # of a file

    @property
    def slug(self):
        return "c_" + re.sub(r"\W+", "_", self.name.lower()).strip("_")


NEWER = "1.4.11, the newest binary on PyPI, does not know the key"
INCREMENTAL = "mode: incremental, primary_key: [id]"
KEYS = INCREMENTAL + ", update_key: upd"

# ---- Databases to databases ----

CASES = [
    Case("full-refresh", "mode: full-refresh"),
    Case("full-refresh twice", "mode: full-refresh", True),
    Case("no mode", narrow=True),
    Case("no mode, keys", "primary_key: [id], update_key: upd", True),
    Case("truncate", "mode: truncate", True, narrow=True),
    Case("snapshot", "mode: snapshot", True),
    Case("incremental, both keys", KEYS, True),
    Case("incremental, primary key", INCREMENTAL, True),
    Case("incremental, primary key as text", "mode: incremental, primary_key: id", True, narrow=True),
    Case("incremental, update key", "mode: incremental, update_key: id", True),
    Case("incremental, new column", KEYS, True, shape="widened"),
    Case("incremental, new column left out", KEYS + ", target_options: {add_new_columns: false}", True, shape="widened"),
    Case("incremental, table key", INCREMENTAL + ", target_options: {table_keys: {unique: [id]}}", True, narrow=True),
    Case("merge update_insert", INCREMENTAL + ", target_options: {merge_strategy: update_insert}", True, narrow=True),
    Case("merge delete_insert", INCREMENTAL + ", target_options: {merge_strategy: delete_insert}", True, narrow=True),
    Case("merge insert", INCREMENTAL + ", target_options: {merge_strategy: insert}", True, beyond=NEWER,
         expects={1: "a", 2: "b, \"quoted\"", 3: "ü\nnew line", 4: None, 5: "e"}, narrow=True),
    Case("merge update", INCREMENTAL + ", target_options: {merge_strategy: update}", True, beyond=NEWER, expects={}, narrow=True),
    Case("delete_missing hard", INCREMENTAL + ", target_options: {delete_missing: hard}", True, beyond="licence",
         expects={1: "a2", 3: "ü\nnew line", 4: None, 5: "e"}, narrow=True),
    Case("delete_missing soft", INCREMENTAL + ", target_options: {delete_missing: soft}", True, beyond="licence",
         expects={1: "a2", 2: "b, \"quoted\"", 3: "ü\nnew line", 4: None, 5: "e"}, narrow=True),
    Case("backfill", "mode: backfill, primary_key: [id], update_key: id, source_options: {range: '2,3'}"),
    Case("backfill by time", "mode: backfill, primary_key: [id], update_key: upd, source_options: {range: '2024-01-02,2024-01-03'}", narrow=True),
    Case("backfill twice", "mode: backfill, primary_key: [id], update_key: id, source_options: {range: '1,3'}", True),
    Case("select", "select: [id, name]", narrow=True),
    Case("select but not", "select: ['-amount', '-ratio']", narrow=True),
    Case("where", "where: id > 2", narrow=True),
    Case("limit", "source_options: {limit: 2}, select: [id]", narrow=True),
    Case("custom SQL", "sql: 'select id, name from @S where id < 3'", stream="custom_sql"),
    Case("custom SQL, incremental", INCREMENTAL + ", update_key: id, sql: 'select id, name from @S where {incremental_where_cond}'", True, stream="custom_sql_incremental"),
    Case("custom SQL, value", INCREMENTAL + ", update_key: id, sql: 'select id, name from @S where id > coalesce({incremental_value}, 0)'", True, stream="custom_sql_value"),
    Case("columns", "columns: {id: string, amount: 'decimal(12,4)'}", narrow=True),
    Case("columns, all", "select: [id, name, amount], columns: {'*': string}", narrow=True),
    Case("constraint", "select: [id, name], columns: {id: 'bigint | value > 0'}", narrow=True),
    Case("transforms by column", "select: [id, name], transforms: {name: [upper, trim_space]}", narrow=True),
    Case("transforms of all", "select: [id, name], transforms: [trim_space]", narrow=True),
    Case("transforms in stages", "select: [id, name], transforms: [{name: 'upper(value)'}, {twice: 'record.id * 2'}]", narrow=True, beyond=NEWER,
         expects={1: "A", 2: "B, \"QUOTED\"", 3: "Ü\nNEW LINE", 4: None}),
    *(Case(f"casing {c}", f"target_options: {{column_casing: {c}}}", shape="mixed", narrow=True) for c in ("source", "target", "normalize", "snake", "upper", "lower")),
    Case("casing left out", shape="mixed", narrow=True),
    Case("pre_sql and post_sql", "select: [id], target_options: {post_sql: 'delete from @T where id = 3'}", narrow=True),
    Case("table_ddl", "select: [id, name], target_options: {table_ddl: 'create table @Q ({col_types}, extra integer)'}", narrow=True),
    Case("ignore_existing", "mode: full-refresh, target_options: {ignore_existing: true}", True, narrow=True),
    Case("wildcard", "object: '@t.c_wildcard_{stream_table}'", stream="@s.c_wildcard_a*", tables=("_a1", "_a2", "_b1"), narrow=True),
    Case("wildcard without one", "object: '@t.c_wildcard_without_one_{stream_table}'", stream="@s.c_wildcard_without_one*", tables=("1", "2", "3"),
         beside="@s.c_wildcard_without_one2: {disabled: true, object: @t.nothing}", narrow=True),
    Case("variables in object", "object: '@t.c_variables_in_object_{target_name}_{stream_table}'", narrow=True),
    Case("disabled", "disabled: true", none=True, narrow=True),
    Case("empty table", shape="empty", narrow=True),
    Case("types", "mode: full-refresh", shape="types"),
    Case("types, incremental", INCREMENTAL, True, shape="types"),
    Case("rare types", "mode: full-refresh", shape="rare"),
]

# ---- Documents of their own, for some pairs ----

WHOLE = [
    Case("env: loaded_at true", whole="env: {SLING_LOADED_AT_COLUMN: true}"),
    Case("env: loaded_at timestamp", whole="env: {SLING_LOADED_AT_COLUMN: timestamp}"),
    Case("env: loaded_at unix", KEYS, True, whole="env: {SLING_LOADED_AT_COLUMN: unix}"),
    Case("env: a variable", "select: [id], where: 'id > {LEAST}'", whole="env: {LEAST: 2}"),
    Case("env: of the environment", "select: [id], where: 'id > ${SLING_TEST_LEAST}'", whole="env: {}",
         beyond="1.4.11 does not replace variables of the environment there", expects={3: None, 4: None}),
    Case("defaults", "select: [id, name]", whole="defaults: {mode: truncate, select: [id], target_options: {column_casing: upper}}"),
    Case("hooks start and end", "select: [id]", whole="hooks: {start: [{type: log, message: begin}], end: [{type: query, connection: DST, query: 'delete from @T where id = 3'}]}",
         beyond="licence", expects={1: None, 2: None, 4: None}),
    Case("hook post", "select: [id], hooks: {post: [{type: query, connection: DST, query: 'delete from @T where id = 3'}]}", whole="env: {}",
         beyond="licence", expects={1: None, 2: None, 4: None}),
]

# ---- Files ----

FROM_FILES = [Case(f"{format}, {name}", says, again, format=format) for format in ("csv", "jsonl", "parquet") for name, says, again in [
    ("full-refresh", "mode: full-refresh", False),
    ("truncate", "mode: truncate", True),
    ("snapshot", "mode: snapshot", True),
    ("incremental, both keys", KEYS, True),
    ("incremental, primary key", INCREMENTAL, True),
    ("incremental, update key", "mode: incremental, update_key: id", True),
    ("select", "select: [id, name]", False),
    ("columns", "columns: {id: string, amount: 'decimal(12,4)'}", False)]] + [
    Case("csv, delimiter", "source_options: {delimiter: '|'}", format="csv"),
    Case("csv, null_if", "source_options: {null_if: a}", format="csv"),
    Case("csv, empty text", "", format="csv"),
    Case("csv, empty_as_null", "source_options: {empty_as_null: true}", format="csv"),
    Case("csv, glob", stream="@d/c_csv_glob*.csv", tables=("1", "2"), format="csv"),
    Case("csv, blank lines", "source_options: {empty_as_null: true}", shape="blank", format="csv"),
    Case("csv, skip_blank_lines", "source_options: {empty_as_null: true, skip_blank_lines: true}", shape="blank", format="csv"),
    Case("csv, each file", "object: '@t.{stream_file_name}'", stream="@d/c_csv_each_file*.csv", tables=("1", "2"), format="csv"),
    Case("csv, all files", "single: true", stream="@d/c_csv_all_files*.csv", tables=("1", "2"), format="csv"),
    Case("jsonl, flatten", "source_options: {flatten: true}", shape="nested", format="jsonl"),
    Case("jsonl, nested", "", shape="nested", format="jsonl"),
]
TO_FILES = [Case(f"to {format}, {name}", says, format=format) for format in ("csv", "jsonl", "parquet") for name, says in [
    ("all", "mode: full-refresh"),
    ("select", "select: [id, name]"),
    ("where", "where: id > 2"),
    ("casing upper", "select: [id, name], target_options: {column_casing: upper}")]] + [
    Case("to csv, delimiter", "target_options: {delimiter: '|'}", format="csv"),
    Case("to csv, no header", "target_options: {header: false}", format="csv"),
    Case("to csv, transforms", "select: [id, name], transforms: {name: [upper]}", format="csv"),
    Case("to csv, types", shape="types", format="csv"),
    Case("to jsonl, types", shape="types", format="jsonl"),
    Case("to json, array", "select: [id, name]", format="json"),
    Case("to parquet, types", shape="types", format="parquet"),
    *(Case(f"to {format}, rare types", shape="rare", format=format) for format in ("csv", "jsonl", "parquet")),
]


# ---- Making sources ----

def literal(v, kind):
    if v is None:
        return "NULL"
    if v in ("true", "false"):
        return str(int(v == "true")) if kind == "sqlite" else v
    return str(v) if isinstance(v, int) else "'" + v.replace("'", "''") + "'"


def values(kind, rows):
    return ", ".join("(" + ", ".join(v if i in (2, 3) and v else literal(v, kind) for i, v in enumerate(r)) + ")" for r in rows)


def columns_of(kind, case):
    if case.shape == "mixed":
        mark = "`" if kind == "mysql" else '"'
        return [(mark + n + mark, "integer" if n == "Id" else "varchar(20)", v) for n, v in MIXED.items()]
    return [("id", "integer", "1")] + [c for c in MORE_TYPES[kind] if (c[0] in RARE) == (case.shape == "rare")]


def make_tables(kind, schema, case):
    text = ""
    for suffix in case.tables:
        table = f"{schema}.{case.slug}{suffix}"
        if case.shape in ("mixed", "types", "rare"):
            columns = columns_of(kind, case)
            text += f"CREATE TABLE {table}(" + ", ".join(f"{n} {t}" for n, t, _ in columns) + ");\n"
            text += f"INSERT INTO {table} VALUES (" + ", ".join(v for *_, v in columns) + ");\n"
            if case.shape != "mixed":
                text += f"INSERT INTO {table}(id) VALUES (2);\n"
        else:
            text += f"CREATE TABLE {table}(" + ", ".join(f"{n} {t}" for n, t in zip(NAMES, TYPES[kind])) + ");\n"
            if case.shape != "empty":
                text += f"INSERT INTO {table} VALUES {values(kind, ROWS)};\n"
    return text


def change_tables(kind, schema, case):
    text = ""
    for suffix in case.tables:
        table = f"{schema}.{case.slug}{suffix}"
        if case.shape == "types":
            text += f"INSERT INTO {table}(id) VALUES (3);\n"
            continue
        ids = ", ".join(str(r[0]) for r in CHANGES)
        text += f"DELETE FROM {table} WHERE id IN (2, {ids});\nINSERT INTO {table} VALUES {values(kind, CHANGES)};\n"
        if case.shape == "widened":
            text += f"ALTER TABLE {table} ADD COLUMN extra integer;\nUPDATE {table} SET extra = id * 10;\n"
    return text


def typed(row):
    id, name, amount, ratio, active, born, upd = row
    return dict(zip(NAMES, (id, name, amount and float(amount), ratio and float(ratio), active and active == "true", born, upd)))


def write_file(path, case, rows):
    if case.format == "csv":
        with path.open("w", newline="") as f:
            out = csv.writer(f, delimiter="|" if "delimiter" in case.name else ",", lineterminator="\n")
            out.writerow(NAMES)
            f.write("\n,,,,,,\n" if case.shape == "blank" else "")
            out.writerows(["" if v is None and (i != 1 or "empty" in case.name) else "-" if v is None else v for i, v in enumerate(r)] for r in rows)
    elif case.shape == "nested":
        path.write_text("".join(json.dumps({"id": r[0], "who": {"name": r[1], "tags": ["x", "y"]}}) + "\n" for r in rows))
    elif case.format == "jsonl":
        path.write_text("".join(json.dumps(typed(r)) + "\n" for r in rows))
    else:
        import datetime, decimal, pyarrow, pyarrow.parquet
        read = (int, str, decimal.Decimal, float, lambda v: v == "true", datetime.date.fromisoformat, datetime.datetime.fromisoformat)
        kinds = (pyarrow.int64(), pyarrow.string(), pyarrow.decimal128(10, 2), pyarrow.float64(), pyarrow.bool_(), pyarrow.date32(), pyarrow.timestamp("us"))
        columns = [pyarrow.array([None if r[i] is None else read[i](r[i]) for r in rows], kinds[i]) for i in range(len(NAMES))]
        pyarrow.parquet.write_table(pyarrow.table(columns, NAMES), path)


def file_rows(again):
    rows = {r[0]: r for r in ROWS}
    if again:
        del rows[2]
        rows.update({r[0]: r for r in CHANGES})
    return [rows[i] for i in sorted(rows)]
