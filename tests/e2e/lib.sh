# lib.sh - what end-to-end tests share: a scratch folder, `expect`, `finish`. Sourced.
: "${ROOT:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${BUILD:=$ROOT/build}"
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
: "${DGC:=$BUILD/dgc}"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
failures=0

# expect WHAT COMMAND...: the command must succeed.
expect() {
    what=$1
    shift
    if "$@" > "$WORK/log" 2>&1; then
        echo "ok $what"
    else
        echo "FAIL $what: exit $?"
        tail -n 20 "$WORK/log" | sed 's/^/    /'
        failures=$((failures + 1))
    fi
}

# expect_code CODE WHAT COMMAND...: the command must end with this exit code.
expect_code() {
    want=$1
    what=$2
    shift 2
    "$@" > "$WORK/log" 2>&1
    got=$?
    if [ "$got" -eq "$want" ]; then
        echo "ok $what"
    else
        echo "FAIL $what: exit $got, not $want"
        tail -n 20 "$WORK/log" | sed 's/^/    /'
        failures=$((failures + 1))
    fi
}

# expect_text TEXT WHAT: the last command's output holds the text.
expect_text() {
    if grep -qF -- "$1" "$WORK/log"; then
        echo "ok $2"
    else
        echo "FAIL $2: no \`$1\` in the output"
        tail -n 20 "$WORK/log" | sed 's/^/    /'
        failures=$((failures + 1))
    fi
}

in_folder() {
    folder=$1
    shift
    (cd "$folder" && "$@")
}

finish() {
    [ "$failures" -eq 0 ]
    exit
}
