#!/usr/bin/env bash
# bench_programs.sh: what only `make bench` runs still compiles, parses and finds what it calls.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
tp=$(scripts/tp_dir.sh)
for program in bench/*_main.c; do
    if said=$(gcc -fsyntax-only -std=gnu11 -D_GNU_SOURCE -Wall -Werror -I. -I"${BUILD:-build}/gen" -isystem "$tp/include" "$program" 2>&1); then echo "ok $program compiles"
    else echo "FAIL $program: $(head -3 <<< "$said" | tr '\n' ' ')"; fi
done
for script in bench/*.py; do
    if said=$(python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$script" 2>&1); then echo "ok $script parses"
    else echo "FAIL $script: $(tail -1 <<< "$said")"; fi
done
