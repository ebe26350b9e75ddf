#!/usr/bin/env bash
# dgc copy where it has to wait or must not go on: a store that does not answer, a folder that is another stream's,
# an upload that nobody finished.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../servers/s3.sh"
cd "$WORK" || exit 1
work=$WORK
trap 's3_stop; rm -rf "$work"' EXIT
is() { # NAME EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}
copy() { "$DGC" copy "$@" --progress plain; }
sqlite3 s.db "CREATE TABLE t(id INTEGER); INSERT INTO t VALUES (1), (2); CREATE TABLE u(id INTEGER); INSERT INTO u VALUES (3);
    CREATE TABLE wide AS SELECT 1 AS id, hex(zeroblob(9000000)) AS body"
source=sqlite://$WORK/s.db

# ---- Nobody listens ----

export AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_EC2_METADATA_DISABLED=true
lake() { export LAKE="{\"type\": \"s3\", \"bucket\": \"lake\", \"endpoint\": \"http://127.0.0.1:1\", \"retries\": $1}"; }
lake 1
expect_code 69 "a store that does not answer" copy "$source?table=t" LAKE --object out/
expect_text "trying again in" "each retry is told"
runs=$(grep -c "Running copy" "$WORK/log")
is "as often as \`retries\` says" "$runs" "$(grep -c '(2 of 2)' "$WORK/log")"
lake 0
expect_code 69 "without retries" copy "$source?table=t" LAKE --object out/
is "there are none" 0 "$(grep -c 'trying again in' "$WORK/log")"
lake '"often"'
expect_code 78 "retries that are no number" copy "$source?table=t" LAKE --object out/
expect_text 'write a number from 0 to 100' "how to write them"

# ---- Another stream's folder ----

expect "a first stream" copy "$source?table=t" out/
files=$(ls out)
expect_code 78 "another one into the same folder" copy "$source?table=u" out/
expect_text 'holds the files of stream `t`' "it is told whose it is"
is "nothing was removed" "$files" "$(ls out)"
expect "the same one again" copy "$source?table=t" out/
expect "a snapshot of another one only adds" copy "$source?table=u" out/ --mode snapshot
is "to the files that are there" 2 "$(find out -name '*.parquet' | wc -l)"

# ---- An upload that a killed run left ----

mkdir s3
if s3_start "$WORK/s3"; then
    unset LAKE
    parts() { find "$S3_DATA/lake/.sgwtmp/multipart" -type f 2> /dev/null | wc -l; }
    # The second part never comes.
    stop_in_parts() {
        strace -f -qq -o /dev/null -e trace=sendto -e inject=sendto:signal=KILL:when=100 "$DGC" copy "$source?table=wide" "s3://lake/$1" --progress none > /dev/null 2>&1
    }
    if command -v strace > /dev/null && strace -qq -e trace=none true 2> /dev/null; then
        stop_in_parts big.csv
        is "a killed upload leaves no object" absent "$([ -e "$S3_DATA/lake/big.csv" ] && echo there || echo absent)"
        left=$(parts)
        [ "$left" -gt 0 ] && echo "ok but parts" || { echo "FAIL but parts: none"; failures=$((failures + 1)); }
        expect "it may be another run's: it stays for a day" copy "$source?table=t" s3://lake/big.csv
        is "and then" "$left" "$(parts)"
        find "$S3_DATA/lake/.sgwtmp/multipart" -exec touch -d '2 days ago' {} +
        expect "after that it goes" copy "$source?table=t" s3://lake/big.csv
        is "with its parts" 0 "$(parts)"
    fi
else
    echo "SKIPPED unfinished uploads: NO S3 SERVER COULD BE BUILT HERE"
fi
finish
