#!/usr/bin/env bash
# Numbers of JSON files that a double cannot hold arrive as they are written: in files and in databases.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
cd "$WORK" || exit 1
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
copy() { "$DGC" copy "$@" > log 2>&1 || { echo "FAIL copy $*: exit $?: $(tail -n 3 log)"; failures=$((failures + 1)); }; }
cat > a.ndjson <<'JSON'
{"i": 9007199254740993, "u": 18446744073709551615, "h": 170141183460469231731687303715884105727, "d": 0.1234567890123456789, "m": 12345678901234567.25, "e": 1e400, "p": 1.5, "mixed": 9007199254740993}
{"i": -9223372036854775808, "u": 1, "h": -1, "d": 2, "m": 0.5, "e": 2e-400, "p": 2, "mixed": 0.25}
JSON
copy a.ndjson a.csv
is "in a CSV file" '9007199254740993,18446744073709551615,170141183460469231731687303715884105727,0.1234567890123456789,12345678901234567.25,1e400,1.5,9007199254740993.00
-9223372036854775808,1,-1,2.0000000000000000000,0.50,2e-400,2.0,0.25' "$(tail -n +2 a.csv)"
copy a.ndjson "sqlite://t.db?table=t"
is "in SQLite" '9007199254740993|18446744073709551615|0.1234567890123456789|12345678901234567.25|1e400' "$(sqlite3 t.db 'SELECT i, u, d, m, e FROM t LIMIT 1')"
is "an integer stays one" integer "$(sqlite3 t.db 'SELECT typeof(i) FROM t LIMIT 1')"
gzip -k a.ndjson
copy a.ndjson.gz b.csv
is "compressed" "$(cat a.csv)" "$(cat b.csv)"
"${PYTHON:-python3}" -c 'print("[" + ",\n".join(l.strip() for l in open("a.ndjson")) + "]")' > a.json
copy a.json c.csv
is "a document" "$(cat a.csv)" "$(cat c.csv)"
echo '{"o": {"x": 0.1234567890123456789, "y": 0.5}, "l": [0.1234567890123456789]}' > n.ndjson
copy n.ndjson n.csv
is "within objects and lists as text" '"{""x"":""0.1234567890123456789"",""y"":0.5}","[""0.1234567890123456789""]"' "$(tail -n +2 n.csv)"
echo '{"x": 1.5, "s": "card 12345678901234567890"}' > s.ndjson
copy s.ndjson s.csv
is "texts are left alone" '1.5,card 12345678901234567890' "$(tail -n +2 s.csv)"
finish
