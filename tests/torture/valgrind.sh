#!/usr/bin/env bash
# The unit tests under valgrind: no read of what was not written, no access outside of a block.
# Those that load DuckDB or run emitted code in memory are left to the sanitizers.
set -u
ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=${BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
command -v valgrind > /dev/null || { echo "ok valgrind is not here"; exit 0; }
failures=0
cd "$ROOT" || exit 1
for source in tests/unit/test_*.c; do
    name=$(basename "$source" .c)
    case $name in test_run | test_duckdb | test_driver | test_emit | test_sql | test_sql_lineage | test_pipes | test_template_emit | test_engine_duckdb | test_vector | test_formats) continue ;; esac
    [ -x "$BUILD/test/$name" ] || make -s BUILD="$BUILD" "$BUILD/test/$name" > /dev/null 2>&1
    if DGC_TEST_ENGINES=sqlite timeout 240 valgrind -q --error-exitcode=9 --leak-check=no "$BUILD/test/$name" > "$BUILD/test/$name.valgrind" 2>&1; then
        echo "ok $name under valgrind"
    else
        echo "FAIL $name under valgrind: $(grep -a -m1 -E '==|FAILED' "$BUILD/test/$name.valgrind")"
        failures=$((failures + 1))
    fi
done
exit $((failures > 0))
