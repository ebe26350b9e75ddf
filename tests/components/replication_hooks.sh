#!/usr/bin/env bash
# Hooks, transforms and constraints of a replication, between SQLite files, with an HTTP server of our own.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
cd "$WORK" || exit 1
work=$WORK server=
trap '[ -n "$server" ] && kill "$server" 2> /dev/null; rm -rf "$work"' EXIT

is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
sql() { sqlite3 -separator , "$@" | tr '\n' '|'; }

cat > server.py << 'END'
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open("requests", "ab") as f:
            f.write(b"%s %s %s\n" % (self.path.encode(), self.headers.get("X-Run", "").encode(), body))
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        self.wfile.write(b"thanks")
    def log_message(self, *args):
        pass
s = http.server.HTTPServer(("127.0.0.1", 0), H)
open("port.new", "w").write(str(s.server_address[1]))
import os; os.rename("port.new", "port")
s.serve_forever()
END
python3 server.py & server=$!
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
[ -s port ] || { echo "FAIL the HTTP server does not start"; exit 1; }
port=$(cat port)

mkdir -p p/src/p/defs/shop
cd p || exit 1
cat > pyproject.toml << 'END'
[project]
name = "p"
version = "0.1"
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "p"
END
fresh() {
    rm -f shop.db out.db other.db
    sqlite3 shop.db "CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
        INSERT INTO people VALUES (1, '  Zoë ', 3), (2, 'bob', -1), (3, NULL, NULL);
        CREATE TABLE pets(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO pets VALUES (1, 'Rex')"
    sqlite3 other.db "CREATE TABLE log(text TEXT)"
    sqlite3 out.db "CREATE TABLE marks(text TEXT)"
}
head='type: dgc.Replication
attributes:
  connections:
    SHOP: {type: sqlite, instance: shop.db}
    OUT: {type: sqlite, instance: out.db}
    OTHER: {type: sqlite, instance: other.db}
  source: SHOP
  target: OUT
  defaults: {mode: full-refresh, object: "{stream_table}"}'
defs() { { echo "$head"; cat; } > src/p/defs/shop/defs.yaml; }
run() { "$DGC" build -o x > build.log 2>&1 && ./x run --progress plain "$@"; }

# ---- Hooks ----

fresh
defs << END
  hooks:
    start:
      - {type: query, connection: SHOP, query: "SELECT count(*) AS n, 'a b' AS t FROM people", into: before}
      - {type: store, key: who, value: "me"}
      - {type: check, check: "{store.before.n} == 3 && store.before[0].t == 'a b'"}
      - {type: query, connection: OTHER, query: "INSERT INTO log VALUES ('start {store.who} {store.before}')"}
      - {type: log, message: "starting {store.who}"}
    end:
      - {type: http, url: "http://127.0.0.1:$port/done", method: POST, headers: {X-Run: "{run.status}"}, payload: {rows: "{run.total_rows}", nested: [1, null, "{store.who}"]}, into: answer}
      - {type: check, check: "store.answer == 'thanks' && store.answer.status == 200 && run.total_rows == 4"}
      - {type: query, connection: OTHER, query: "INSERT INTO log VALUES ('end {run.total_rows} {run.status}')"}
  streams:
    people:
      hooks:
        pre:
          - {type: command, command: ["sh", "-c", "echo one two; echo \$MARK"], env: {MARK: "m {stream_table}"}, into: said}
          - {type: command, command: "touch 'a {stream_table} file'"}
          - {type: check, check: "contains({store.said}, 'm people')"}
          - {type: check, if: "false", check: "1 == 2"}
          - {type: check, check: "1 == 2", on_failure: warn}
        pre_merge:
          - {type: query, query: "INSERT INTO marks VALUES ('pre')"}
        post_merge:
          - {type: query, query: "INSERT INTO marks SELECT 'post ' || count(*) FROM people"}
        post:
          - {type: write, to: "notes/{stream_table}.txt", content: "rows: {run.total_rows}"}
          - {type: copy, from: "notes/*.txt", to: "kept/"}
          - {type: delete, location: "notes/*"}
          - type: group
            if: run.total_rows > 1
            steps:
              - {type: query, connection: OTHER, query: "INSERT INTO log VALUES ('grouped')"}
    pets:
END
expect_code 0 "a run with hooks" run
expect_text "starting me" "log speaks"
expect_text "does not hold" "warn is told"
is "start came first, end last, each once" "start me 3|grouped|end 4 success|" "$(sql other.db 'SELECT text FROM log')"
is "hooks in the transaction" "pre|post 3|" "$(sql out.db 'SELECT text FROM marks')"
is "the request" '/done success {"rows":"4","nested":[1,null,"me"]}' "$(cat ../requests)"
is "written and copied" "rows: 3" "$(cat kept/people.txt)"
[ ! -e notes/people.txt ] && [ -e "a people file" ] && echo "ok deleted; words of a command" || { echo "FAIL deleted; words of a command"; failures=$((failures + 1)); }
sqlite3 other.db "DELETE FROM log"
expect_code 1 "one stream alone, between the hooks" run --select target/pets
expect_text "run.total_rows == 4" "the check at the end sees its rows only"
is "the check ended the hooks" "start me 3|" "$(sql other.db 'SELECT text FROM log')"

fresh
defs << END
  hooks: {end: [{type: query, connection: OTHER, query: "INSERT INTO log VALUES ('{run.status}')"}]}
  streams:
    people:
      hooks: {pre: [{type: check, check: "1 > 2", failure_message: "too few of {stream_table}"}]}
    pets:
      hooks: {pre: [{type: check, check: "1 > 2", on_failure: skip}]}
END
expect_code 1 "a check that fails" run
expect_text "too few of people" "its message"
is "end ran all the same" "error|" "$(sql other.db 'SELECT text FROM log')"
is "neither failed nor skipped was loaded" "marks|" "$(sql out.db 'SELECT name FROM sqlite_master WHERE name IN ("people", "pets", "marks")')"

fresh
defs << END
  streams:
    people:
      hooks: {post_merge: [{type: query, query: "INSERT INTO marks VALUES ('x')"}, {type: check, check: "false"}]}
END
expect_code 1 "a check after the merge" run
is "rolls the load back" "0,0|" "$(sql out.db "SELECT (SELECT count(*) FROM marks), (SELECT count(*) FROM sqlite_master WHERE name = 'people')")"

fresh
defs << END
  streams:
    people:
      hooks:
        pre:
          - {type: query, connection: SHOP, query: "SELECT 'a''); DROP TABLE log; --' AS t", into: bad}
          - {type: query, connection: OTHER, query: "INSERT INTO log VALUES ('{store.bad}')"}
END
expect_code 65 "stored text that would break out of SQL" run
expect_text "do not belong into SQL" "is refused"

defs << END
  streams:
    people: {hooks: {pre: [{type: http, url: "http://127.0.0.1:$port/broken", method: POST}]}}
END
expect_code 69 "a server that fails" run

bad() { # NAME TEXT HOOK
    defs <<< "  streams: {people: {hooks: {pre: [$3]}}}"
    expect_code 1 "$1" "$DGC" check
    expect_text "$2" "$1: said so"
}
bad "an unsupported type" "hooks of type \`replication\` are not supported" "{type: replication, path: x.yaml}"
bad "a key that means nothing" "has no \`querry\`" "{type: query, querry: x}"
bad "a missing key" "needs \`check\`" "{type: check}"
bad "an expression that is none" "something is missing" "{type: check, check: '1 +'}"
bad "a wrong on_failure" "cannot be \`retry\`" "{type: check, check: 'true', on_failure: retry}"

# ---- Transforms and constraints ----

fresh
defs << END
  env: {SLING_ON_CONSTRAINT_FAILURE: skip}
  streams:
    people:
      columns: {age: 'integer | value >= 0'}
      transforms:
        - trim_space
        - {name: [replace_accents, upper], full: 'record.name + " (" + record.age + ")"', h: 'hash(record.name, "md5")'}
        - {n: length(record.full)}
END
expect_code 0 "transforms in stages" run
is "what they make" "1,ZOE,3,ZOE (3),42b9abec9fc9ef6eef5369cf20600e1c,7|3,,,,,|" "$(sql out.db 'SELECT * FROM people')"
expect_text "breaks" "a row left out is told"
sed -i 's/: skip}/: abort}/' src/p/defs/shop/defs.yaml
expect_code 65 "a constraint that is broken" run
expect_text "column \`age\`: \`-1\` breaks the constraint \`value >= 0\`" "names column, value and constraint"
sed -i 's/: abort}/: warn}/' src/p/defs/shop/defs.yaml
expect_code 0 "or only warned about" run
is "with all rows" "3|" "$(sql out.db 'SELECT count(*) FROM people')"
defs <<< "  streams: {people: {transforms: {name: [trim_spaces]}}}"
expect_code 1 "a function that is none" "$DGC" check
expect_text "a similar name exists: \`trim_space\`" "the nearest is named"
finish
