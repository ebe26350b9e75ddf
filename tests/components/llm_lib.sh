# For tests of what calls models: an empty project in $WORK/p, a server that answers by rules (tests/servers/llm.py) at
# $LLM_URL, and what the tests ask of both.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
export DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
mkdir -p "$WORK/p/defs/raw" "$WORK/p/defs/llm" "$WORK/p/defs/rag" "$WORK/s" && cd "$WORK/p" || exit 1
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
has() { # NAME TEXT ACTUAL
    case $3 in *"$2"*) echo "ok $1" ;; *) echo "FAIL $1: no '$2' in '$3'"; failures=$((failures + 1)) ;; esac
}
(cd "$ROOT" && gcc -std=gnu11 -D_GNU_SOURCE -O1 -I. -isystem "$(scripts/tp_dir.sh)/include" -o "$WORK/query" tests/torture/query.c -L"$BUILD/lib" \
    -Wl,--start-group $(sed "s|^lib.*\.a$|$BUILD/lib/&|" "$BUILD/lib/LINK") -Wl,--end-group) || { echo "FAIL query.c builds"; exit 1; }
query() { "$WORK/query" "$WORK/p/.dgc/p.duckdb" "$@"; }
requests() { if [ -e "$WORK/s/requests" ]; then wc -l < "$WORK/s/requests"; else echo 0; fi; }
last() { tail -n 1 "$WORK/s/requests" | "$PYTHON" -c "import json, sys; r = json.loads(sys.stdin.read()); print($1)"; }
"$PYTHON" "$ROOT/tests/servers/llm.py" "$WORK/s" 2> "$WORK/s/err" & server=$!
trap 'kill $server 2> /dev/null; rm -rf "$WORK"' EXIT
for _ in $(seq 100); do [ -e "$WORK/s/port" ] && break; sleep 0.05; done
LLM_URL=http://127.0.0.1:$(cat "$WORK/s/port"); export LLM_URL
echo "name: p" > dgc.yaml
run() { "$DGC" run . --progress plain "$@" 2>&1; }
