#!/usr/bin/env bash
# llm_faults.sh: what a provider may do to dgc.Llm: every way of saying 429, overload, limits of spending, prose, nonsense that fits, slow
# tokens, an answer without end. Rows that can be answered are, each paid once; nothing is tried again that will not help.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
mkdir -p "$scratch/p/defs/raw" "$scratch/p/defs/ai" "$scratch/s"
python3 "$ROOT/tests/servers/llm.py" "$scratch/s" > /dev/null 2>&1 & server=$!
trap 'kill $server 2> /dev/null; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do [ -e "$scratch/s/port" ] && break; sleep 0.05; done
LLM_URL=http://127.0.0.1:$(cat "$scratch/s/port"); export LLM_URL DGC_DUCKDB_LIB=$BUILD/lib/libduckdb.so
build_tool query tests/torture/query.c || exit 1
cd "$scratch/p" || exit 1
printf 'name: f\n' > dgc.yaml
printf 'type: dgc.Files\nattributes: {path: ../../letters.csv, asset: raw/letters}\n' > defs/raw/defs.yaml
cat > defs/ai/defs.yaml <<'YAML'
type: dgc.Llm
attributes:
  from: raw/letters
  asset: marts/letters
  model: compatible/small
  base_url: "{{ env.LLM_URL }}"
  prompt: "Customer wrote: {{ row.body }}"
  output: {sentiment: {enum: [positive, neutral, negative]}, urgency: int, summary: string}
YAML
is() { if [ "$2" = "$3" ]; then echo "ok $1"; else echo "FAIL $1: expected '$2', got '$3'"; failures=$((failures + 1)); fi; }
has() { case $3 in *"$2"*) echo "ok $1" ;; *) echo "FAIL $1: no '$2' in '$3'"; failures=$((failures + 1)) ;; esac; }
letters() { local i=0; { echo id,body; for t; do i=$((i + 1)); echo "$i,$t"; done; } > letters.csv; rm -rf .dgc "$scratch/s/requests"; }
run() { "${DGC:-$BUILD/dgc}" run . --progress plain 2>&1; }
query() { "$scratch/query" "$scratch/p/.dgc/f.duckdb" "$1"; }
asked() { if [ -e "$scratch/s/requests" ]; then wc -l < "$scratch/s/requests"; else echo 0; fi; }

for form in ${FORMS:-SECONDS MILLIS DATE RESET NAKED GARBLED YESTERDAY CLAUDE}; do
    letters "LATER $form" "another letter"
    start=$(date +%s%N)
    out=$(run) || echo "$out"
    is "429, $form: all rows" 2 "$(query "SELECT count(*) FROM marts.letters")"
    is "429, $form: asked once more" 3 "$(asked)"
    took=$((($(date +%s%N) - start) / 1000000))
    case $form in SECONDS) is "429, $form: waited as told" yes "$([ $took -ge 1000 ] && echo yes)" ;; esac
done
letters OVERLOADED
out=$(run) || echo "$out"
is "529: asked once more" "1 2" "$(query "SELECT count(*) FROM marts.letters") $(asked)"
for limit in insufficient_quota billing_hard_limit_reached; do
    letters "$limit"
    out=$(run)
    is "$limit: exit code" 75 $?
    has "$limit: is told" "no money" "$out"
    is "$limit: is not tried again" 1 "$(asked)"
done
letters NOJSON NONSENSE "please REFUSE" "HOPELESS" DRIP
out=$(run) || echo "$out"
is "prose is asked to be mended; nonsense that fits is data" "1,2,5" "$(query "SELECT string_agg(id, ',' ORDER BY id) FROM marts.letters")"
is "numbers are whole" -9007199254740993 "$(query "SELECT urgency FROM marts.letters WHERE id = 2")"
is "refused and hopeless rows have reasons" "invalid,refused" "$(query "SELECT string_agg(kind, ',' ORDER BY kind) FROM marts.letters_rejected")"
is "each paid once" 8 "$(asked)" # one mended, one mended twice
letters "fine" ENDLESS
out=$(python3 - timeout 120 "${DGC:-$BUILD/dgc}" run . --progress plain 2>&1 <<'PY'
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
open("peak", "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024))
sys.exit(code if code >= 0 else 128 - code)
PY
)
code=$?
is "an answer without end ends" no "$([ $code = 124 ] || [ $code -gt 128 ] && echo yes || echo no)"
is "and is not taken as a whole" no "$([ -e "$scratch/s/endless" ] && echo yes || echo no)"
is "and not kept in memory" yes "$([ "$(cat peak)" -lt 500 ] && echo yes || cat peak)"
has "and is told" "the answer is larger than allowed" "$out"
is "the other answer is kept" 1 "$(sqlite3 .dgc/answers.db 'SELECT count(*) FROM answers' 2> /dev/null)"
exit $((failures > 0))
