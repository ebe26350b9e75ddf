#!/bin/sh
# dgc.Export: columns, partitions, paths that are known late, and folders that change places in one step.
set -u
. "$(dirname "$0")/../e2e/lib.sh"
project=$WORK/p
mkdir -p "$project/defs/deep/er" "$project/data"
cd "$project" || exit 1
printf 'id,kind,amount\n1,a,10\n2,b,20\n3,a,30\n' > data/rows.csv
cat > defs/deep/er/defs.yaml <<'YAML'
type: dgc.Files
attributes: {path: "../../../data/{{ env('FROM', 'rows') }}.csv", asset: raw/rows, columns: {id: bigint, kind: varchar, amount: bigint}}
---
type: dgc.Export
attributes:
  from: raw/rows
  path: "../../../out/{{ env('TO', 'kinds') }}"
  columns: [id, kind]
  partition_by: kind
  where: "amount >= {{ env('LEAST', 0) }}"
  format: csv
YAML
expect "builds" "$DGC" build . -o "$WORK/export.bin"
export DGC_HOME="$WORK/home"
run() { "$WORK/export.bin" run --progress plain; }
files() { find out -type f | sort | sed 's|/[^/]*$||' | tr '\n' ' '; }
is() { # WHAT EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok $1"; else
        echo "FAIL $1: $3"
        failures=$((failures + 1))
    fi
}

expect "writes" run
is "late paths begin at the component's folder" "out/kinds/kind=a out/kinds/kind=b " "$(files)"
is "and hold the columns asked for" "1|3|id|" "$(cat out/kinds/kind=a/*.csv | sort | tr '\n' '|')"
export DGC_FAULT_COUNT="$WORK/count"
LEAST=15 expect "writes again" run
is "the folders change places in one step" "exchange 1" "$(grep exchange "$WORK/count")"
is "nothing of the old one stays" "out/kinds/kind=a out/kinds/kind=b " "$(files)"
is "the where reads the environment" "3|id|" "$(cat out/kinds/kind=a/*.csv | sort | tr '\n' '|')"
unset DGC_FAULT_COUNT
LEAST=25 DGC_FAULT=exchange:1:EIO expect "a file system that cannot exchange" run
is "is served by two renamings" "out/kinds/kind=a " "$(files)"
LEAST=30 DGC_FAULT=exchange:1:EIO,rename:1:EIO expect_code 74 "when the old one cannot be moved aside, the step fails" run
is "and the old one stays" "out/kinds/kind=a " "$(files)"
TO=../../x expect_code 78 "a path that leads out of the project is refused" run
expect_text "leads out of the project" "and the message says so"
FROM=none expect_code 78 "a file that is not there" run
expect_text "no file matches data/none.csv" "is named as the project knows it"
for point in exchange:1:kill exchange:1:after; do
    LEAST=15 expect "whole again" run
    LEAST=25 DGC_FAULT=$point expect_code 137 "killed at $point" run
    folders=$(files)
    case $folders in *kinds/kind=a*) echo "ok a whole folder is there, whichever" ;; *)
        echo "FAIL after $point: $folders"
        failures=$((failures + 1)) ;;
    esac
    LEAST=25 expect "the next run" run
    is "leaves its own rows only" "out/kinds/kind=a " "$(files)"
done
finish
