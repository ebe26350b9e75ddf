#!/usr/bin/env bash
# Tapes as tests: `dgc test` answers from them and records them, `dgc mock` serves one to any program.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
PYTHON=${PYTHON:-python3}
export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
mkdir -p "$WORK/p/defs/raw" "$WORK/p/defs/llm" "$WORK/p/tests" "$WORK/s" && cd "$WORK/p" || exit 1
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
has() { # NAME TEXT ACTUAL
    case $3 in *"$2"*) echo "ok $1" ;; *) echo "FAIL $1: no '$2' in '$3'"; failures=$((failures + 1)) ;; esac
}
requests() { if [ -e "$WORK/s/requests" ]; then wc -l < "$WORK/s/requests"; else echo 0; fi; }
"$PYTHON" "$ROOT/tests/servers/llm.py" "$WORK/s" > /dev/null 2> "$WORK/s/err" & server=$!
mock=
trap 'kill $server $mock 2> /dev/null; rm -rf "$WORK"' EXIT
for _ in $(seq 100); do [ -e "$WORK/s/port" ] && break; sleep 0.05; done
LLM_URL=http://127.0.0.1:$(cat "$WORK/s/port"); export LLM_URL
echo "name: p" > dgc.yaml
printf 'id,body\n1,from the file\n' > letters.csv
printf 'type: dgc.Files\nattributes: {path: ../../letters.csv, asset: raw/letters}\n' > defs/raw/defs.yaml
cat > defs/llm/defs.yaml <<'YAML'
type: dgc.Llm
attributes:
  from: raw/letters
  asset: marts/letters
  model: openai/gpt-5-mini
  base_url: "{{ env.LLM_URL }}"
  prompt: "Customer wrote: {{ row.body }}"
  output: {sentiment: {enum: [positive, neutral, negative]}}
YAML
fixture() { # SENTIMENT BODY
    cat > tests/letters.yaml <<YAML
- name: moods
  given:
    tables:
      raw/letters: [{id: 1, body: "$2"}, {id: 2, body: "I love it"}, {id: 3, body: "BUSY and fine"}]
    tape: tests/tapes/moods
  when: {select: marts/letters}
  then:
    rows:
      marts/letters: [{id: 1, sentiment: $1}, {id: 2, sentiment: positive}, {id: 3, sentiment: neutral}]
- name: no services
  when: {select: raw/letters}
  then: {counts: {raw/letters: 1}}
YAML
}

# ---- dgc test ----
fixture negative "This is bad"
out=$("$DGC" test 2>&1); is "a tape that is not there fails" 1 $?
has "and is named" 'the project has no tape `tests/tapes/moods`' "$out"
has "with what makes it" 'dgc test --record' "$out"
is "nobody was called" 0 "$(requests)"
out=$(OPENAI_API_KEY=sk-planted-3 "$DGC" test --record 2>&1) || echo "$out"
has "recording runs the tests that have a tape" "1 passed, 0 failed" "$out"
is "the service was called" 4 "$(requests)"
is "a file for each request" 3 "$(find tests/tapes/moods -name '*.json' | wc -l)"
if grep -rq planted tests/tapes; then echo "FAIL no key in it"; failures=$((failures + 1)); else echo "ok no key in it"; fi
rm -f "$WORK/s/requests"
out=$("$DGC" test 2>&1) || echo "$out"
has "it passes from the tape" "2 passed, 0 failed" "$out"
is "nobody is called" 0 "$(requests)"
fixture positive "This is bad"
out=$("$DGC" test moods 2>&1); is "another expectation fails" 1 $?
has "shows what is missing" '- {id: 1, sentiment: positive}' "$out"
has "shows what came" '+ {id: 1, sentiment: negative}' "$out"
fixture negative "This is very bad"
out=$("$DGC" test moods 2>&1); is "a request that has changed fails" 1 $?
has "and says so" "the tape has no answer to this POST" "$out"
is "and calls nobody" 0 "$(requests)"
touch tests/tapes/moods/notes.md
out=$("$DGC" test --record moods 2>&1) || echo "$out"
is "recording one test by name removes nothing" 4 "$(find tests/tapes/moods -name '*.json' | wc -l)"
fixture positive "This is very bad"
out=$("$DGC" test --record 2>&1); is "a recording that fails" 1 $?
is "removes nothing" 4 "$(find tests/tapes/moods -name '*.json' | wc -l)"
fixture negative "This is very bad"
out=$("$DGC" test --record 2>&1) || echo "$out"
has "what nobody asks for any more is told" "1 answer that nobody asks for any more removed" "$out"
is "and gone, alone" "3 notes.md" "$(find tests/tapes/moods -name '*.json' | wc -l) $(ls tests/tapes/moods | grep -v json)"
rm -f "$WORK/s/requests"
has "the others are there" "2 passed, 0 failed" "$("$DGC" test 2>&1)"
cp -r tests/tapes/moods shared && touch -r dgc.yaml shared/0123456789abcdef01234567.json
sed -i 's|tape: tests/tapes/moods|tape: shared|' tests/letters.yaml
out=$("$DGC" test --record 2>&1) || echo "$out"
is "a tape outside tests/ is not cleaned" 4 "$(find shared -name '*.json' | wc -l)"
rm -r shared
fixture negative "This is bad"
"$DGC" test --record > "$WORK/log" 2>&1 || cat "$WORK/log"
sed -i 's|tape: tests/tapes/moods|tape: ../moods|' tests/letters.yaml
has "a tape lies in the project" '`../moods` leads out of the project' "$("$DGC" test 2>&1)"
rm tests/letters.yaml
printf 'given: {tables: {raw/letters: []}}\nthen: {exit: 0}\n' > tests/none.yaml
out=$("$DGC" test --record 2>&1); is "nothing to record" 2 $?
has "and says so" "no test names a tape" "$out"

# ---- dgc mock ----
out=$("$DGC" mock "$WORK/nothing" 2>&1); is "no tape to serve" 78 $?
has "and says how to make one" "record one with" "$out"
mkdir "$WORK/junk"; echo '{"a": 1}' > "$WORK/junk/a.json"
has "what is no tape" 'junk/a.json` is no recorded request' "$("$DGC" mock "$WORK/junk" 2>&1)"
out=$("$DGC" mock tests/tapes/moods --port 70000 2>&1); is "no such port" 2 $?
"$DGC" mock tests/tapes/moods > "$WORK/url" 2> "$WORK/mock.log" & mock=$!
for _ in $(seq 100); do [ -s "$WORK/url" ] && break; sleep 0.05; done
kill $server; wait $server 2> /dev/null
printf 'id,body\n1,This is bad\n2,I love it\n3,BUSY and fine\n' > letters.csv
out=$(LLM_URL=$(cat "$WORK/url") "$DGC" run --progress plain 2>&1) || echo "$out"
has "dgc itself is answered" "3" "$out"
is "each request" 3 "$(grep -c '^POST /[a-z0-9/]*responses 200 .*\.json$' "$WORK/mock.log")"
cat > "$WORK/client.py" <<'PY'
import glob, http.client, json, socket, sys, threading, urllib.parse
url, tape = sys.argv[1:]
host = urllib.parse.urlsplit(url).netloc
one = json.load(open(sorted(glob.glob(tape + "/*.json"))[0]))
path = urllib.parse.urlsplit(one["request"]["url"]).path
body = one["request"]["body"]
def check(name, good, got):
    print("ok" if good else "FAIL", name, "" if good else repr(got)[:300])
def ask(method, where, text, headers={}):
    c = http.client.HTTPConnection(host, timeout=10)
    c.request(method, where, text, headers)
    r = c.getresponse()
    return r.status, r.read().decode(), dict(r.getheaders())
last = one["answers"][-1]
status, text, headers = ask("POST", path, body)
check("a client of another kind is answered", (status, text) == (last["status"], last["body"]), (status, text))
check("with the type that was recorded", headers.get("Content-Type") == "application/json", headers)
turned = json.dumps(dict(reversed(list(json.loads(body).items()))), indent=3)
status, text, _ = ask("POST", path, turned)
check("the order of keys does not count", (status, text) == (last["status"], last["body"]), (status, text))
status, text, _ = ask("POST", path, body.replace("wrote", "did not write"))
said = json.loads(text)["error"]
check("what is not on the tape is 404", status == 404, status)
check("the nearest is named", (said["nearest"] + ":") in said["message"] and "the bodies differ at byte" in said["message"] and "wrote" in said["message"], said)
status, text, _ = ask("GET", "/v1/models?key=planted-4", None)
check("another path is 404", status == 404 and "it is a POST of `%s`" % path in text, text)
# A thousand over one connection, in one piece.
s = socket.create_connection(urllib.parse.urlsplit(url).netloc.split(":"))
request = ("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (path, len(body.encode()), body)).encode()
threading.Thread(target=lambda: s.sendall(request * 1000), daemon=True).start()
got, want = b"", last["body"].encode()
s.settimeout(20)
try:
    while got.count(want) < 1000:
        piece = s.recv(1 << 20)
        if not piece:
            break
        got += piece
except TimeoutError:
    pass
check("a thousand requests over one connection", got.count(want) == 1000, got.count(want))
s.close()
def raw(data):
    s = socket.create_connection(urllib.parse.urlsplit(url).netloc.split(":"))
    s.settimeout(10)
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR) if not data.endswith(b"\0") else None
        got = b""
        while True:
            piece = s.recv(65536)
            if not piece:
                return got
            got += piece
    except ConnectionError:
        return got
check("no HTTP is 400", raw(b"hello\r\n\r\n").startswith(b"HTTP/1.1 400"), 0)
check("a negative length is 400", raw(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n").startswith(b"HTTP/1.1 400"), 0)
check("a length that is too large is 413", raw(b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n").startswith(b"HTTP/1.1 413"), 0)
check("a chunked body is 411", raw(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").startswith(b"HTTP/1.1 411"), 0)
check("endless headers are 431", raw(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 12000).startswith(b"HTTP/1.1 431"), 0)
check("a body is asked for", raw(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n", 0)
half = [socket.create_connection(urllib.parse.urlsplit(url).netloc.split(":")) for _ in range(100)]
[h.sendall(b"POST / HT") for h in half]
status, text, _ = ask("POST", path, body)
check("a hundred that never finish keep nobody waiting", status == last["status"], status)
PY
"$PYTHON" "$WORK/client.py" "$(cat "$WORK/url")" tests/tapes/moods > "$WORK/client.log" 2>&1
cat "$WORK/client.log"
is "the client got through" 14 "$(grep -c '^ok' "$WORK/client.log")"
if grep -q 'planted' "$WORK/mock.log"; then echo "FAIL the log has no query"; failures=$((failures + 1)); else echo "ok the log has no query"; fi
kill -INT $mock; wait $mock; is "Ctrl-C ends it well" 0 $?
finish
