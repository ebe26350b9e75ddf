#!/usr/bin/env bash
# run.sh [SUITE]: run the tests of a suite and count them.
#
#   (none)        lint; unit tests, plain and sanitized; tests/{golden,components,e2e,docs,samples}
#   conformance   tests/conformance/*.{sh,py}
#   torture       tests/torture/*.sh
#   fuzz          tests/fuzz/*.sh, and each fuzz_* binary over tests/fuzz/corpus/NAME/
#
# A test is an executable. It prints lines `ok NAME` and `FAIL NAME: reason`, one per case; a test
# that prints none counts as one case, passed if it exits 0. A non-zero exit with no FAIL line is
# one failure. cmocka binaries are counted by their own lines. The last line of the output is
# `N passed, N failed`. Each test may take TEST_TIMEOUT (300) seconds, or as many as its own line `# TEST_TIMEOUT: N` says;
# TEST_JOBS (2) run at a time.
# Output of each test is kept in $BUILD/test-log/.
# Environment for tests: ROOT (source tree), BUILD, DGC (the compiler), TP_SHARE (sample data), PYTHON.
set -uo pipefail
export LC_ALL=C.UTF-8

ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$ROOT" || exit 2
BUILD=$(realpath -m "${BUILD:-build}")
DGC=$BUILD/dgc
TP_SHARE=$(scripts/tp_dir.sh)/share
PYTHON=${PYTHON:-python3}
TEST_TIMEOUT=${TEST_TIMEOUT:-300}
TEST_JOBS=${TEST_JOBS:-2}
suite=${1:-test}
log_dir=$BUILD/test-log/$suite
export ROOT BUILD DGC TP_SHARE PYTHON TEST_TIMEOUT log_dir
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
rm -rf "$log_dir" && mkdir -p "$log_dir"

# Binaries count only if their source is still there: an old build must not add cases.
unit_binaries() {
    local source name variant
    for source in tests/unit/test_*.c; do
        [ -f "$source" ] || continue
        name=$(basename "$source" .c)
        for variant in "$BUILD/test" "$BUILD/asan/test"; do echo "$variant/$name"; done
    done
}

scripts_in() {
    local file
    for file in "$@"; do if [ -f "$file" ] && [ -x "$file" ]; then echo "$file"; fi; done
}

list_tests() {
    case $suite in
    test) scripts_in tests/lint.sh
          unit_binaries
          scripts_in tests/{golden,components,e2e,docs,samples}/*.sh ;;
    conformance) scripts_in tests/conformance/*.sh
          find tests/conformance -maxdepth 1 -name '*.py' ! -name '_*' 2> /dev/null | sort ;;
    torture) scripts_in tests/torture/*.sh ;;
    fuzz) scripts_in tests/fuzz/*.sh
          for source in tests/fuzz/fuzz_*.c; do
              if [ -f "$source" ]; then echo "$BUILD/asan/fuzz/$(basename "$source" .c)"; fi; done ;;
    *) echo "run.sh: there is no suite \`$suite\`" >&2; exit 2 ;;
    esac
    return 0
}

# run_one TEST: its output to a log, its verdict to a .result file (passed failed), problems shown.
run_one() {
    local test=$1 name log status passed failed started=$SECONDS
    name=${test#"$BUILD/"}; name=${name#"$ROOT/"}
    log=$log_dir/${name//\//_}.log
    local command=("$test") seconds=
    case $test in *.py | *.sh) seconds=$(sed -n 's/^# TEST_TIMEOUT: \([0-9]*\)$/\1/p' "$test") ;; esac
    seconds=${seconds:-$TEST_TIMEOUT}
    case $test in
    *.py) command=("$PYTHON" "$test") ;;
    */fuzz/fuzz_*) command=("$test" "$ROOT/tests/fuzz/corpus/$(basename "$test")") ;;
    esac
    case $test in /*) ;; *.py) ;; *) command=("./$test") ;; esac
    if [ ! -e "$test" ]; then echo "FAIL $name: was not built" > "$log"; status=1
    else timeout -k 10 "$seconds" "${command[@]}" > "$log" 2>&1 < /dev/null; status=$?; fi

    if grep -q '^\[==========\]' "$log"; then
        passed=$(grep -c "^\[       OK \]" "$log")
        # cmocka names a failed case twice: when it fails and in the closing list.
        failed=$(grep '^\[  FAILED  \] [A-Za-z_][A-Za-z0-9_]*$' "$log" | sort -u | wc -l)
    else
        passed=$(grep -c '^ok ' "$log"); failed=$(grep -c '^FAIL ' "$log")
    fi
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1
    elif [ "$status" = 0 ] && [ "$passed" = 0 ] && [ "$failed" = 0 ]; then passed=1; fi
    echo "$passed $failed" > "$log.result"

    if [ "$failed" = 0 ]; then
        printf 'pass  %-50s %4d cases  %3d s\n' "$name" "$passed" $((SECONDS - started))
    else
        { printf 'FAIL  %-50s %4d of %d cases, exit %d%s; log: %s\n' "$name" "$failed" $((passed + failed)) "$status" \
            "$([ "$status" = 124 ] && echo ' (timed out)')" "$log"
          grep -nE '^FAIL |FAILED|ERROR|error:|^warn' "$log" | head -20 | sed 's/^/      /'
          echo '      ...'; tail -n 15 "$log" | sed 's/^/      /'; } | cut -c1-400
    fi
}
export -f run_one

list_tests > "$log_dir/tests" || exit $?
xargs -r -d '\n' -n 1 -P "$TEST_JOBS" bash -c 'run_one "$1"' _ < "$log_dir/tests"

# What torture has tried: points of a run, calls made to fail.
[ "$suite" != torture ] ||
    grep -ohE '\([0-9]+ points\)' "$log_dir"/*.log | awk -F'[( ]' '{ n += $2 } END { printf "%d points tried\n", n }'

# A test without a result (its runner was killed) is a failure.
awk -v want="$(wc -l < "$log_dir/tests")" '
    { passed += $1; failed += $2; seen++ }
    END { failed += want - seen; printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }
' $(find "$log_dir" -name '*.result') /dev/null
