#!/usr/bin/env bash
# `dgc check` of many components, and Dagster's own check of the same number of files.
. "$(dirname "$0")/lib.sh"
make_project() { # COUNT FOLDER
    local i
    for ((i = 0; i < $1; i++)); do
        mkdir -p "$2/defs/c$i"
        printf 'type: dagster.PythonScriptComponent\nattributes:\n  execution: {name: op_%d, path: script.py}\n  assets:\n    - key: raw/a%d\n      deps: [raw/a%d]\n      kinds: [python]\n      description: Number %d.\n' \
            $i $i $((i / 2 + 10000000)) $i > "$2/defs/c$i/defs.yaml"
    done
}
for n in 1000 4000; do make_project $n "$WORK/p$n"; done
one=$(median 9 "$DGC" check "$WORK/p1000")
four=$(median 5 "$DGC" check "$WORK/p4000")
figure "dgc check, 1 000 components" "$one" ms 100
figure "4 000 against 4 x 1 000" "$(ratio "$four" "$(awk -v a="$one" 'BEGIN { print 4 * a }')")" x 1.25
python=$("$ROOT/scripts/conformance_setup.sh" --print 2> /dev/null || true)
dg=$(dirname "$python" 2> /dev/null)/dg
if [ -x "$dg" ]; then
    mkdir -p "$WORK/dg/src/many"
    touch "$WORK/dg/src/many/__init__.py"
    printf '[project]\nname = "many"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "many"\n' > "$WORK/dg/pyproject.toml"
    cp -r "$WORK/p1000/defs" "$WORK/dg/src/many/defs"
    theirs=$(cd "$WORK/dg" && PATH=$(dirname "$dg"):$PATH PYTHONPATH=src median 1 "$dg" check yaml)
    ours=$(median 5 "$DGC" check "$WORK/dg")
    figure_min "dg check yaml against dgc check, same files" "$(ratio "$theirs" "$ours")" x 50
fi
