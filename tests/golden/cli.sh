#!/usr/bin/env bash
# The commands round a project: init, scaffold, schema, explain, docs, completions, doctor, help.
set -uo pipefail
DGC=$(realpath "${DGC:-$(dirname "$0")/../../build/dgc}")
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
export NO_COLOR=1 LC_ALL=C.UTF-8
cd "$work" || exit 2

ok() { echo "ok $1"; }
bad() { echo "FAIL $1: $2"; sed 's/^/    /' "$work/out" | head -20; }
# expect NAME EXIT [TEXT...] -- COMMAND...: its exit code, and texts that its output holds.
expect() {
    local name=$1 want=$2 texts=() text code
    shift 2
    while [ "$1" != -- ]; do texts+=("$1"); shift; done
    shift
    "$@" > "$work/out" 2>&1 < /dev/null
    code=$?
    if [ $code != "$want" ]; then bad "$name" "exit $code, not $want"; return; fi
    for text in ${texts[@]+"${texts[@]}"}; do
        if ! grep -qF -- "$text" "$work/out"; then bad "$name" "does not say \`$text\`"; return; fi
    done
    ok "$name"
}

expect 'help fits one screen' 0 'dgc init shop' -- "$DGC" --help
[ "$(wc -l < out)" -le 30 ] && ok 'help has at most 30 lines' || bad 'help' 'is longer than a screen'
expect 'no arguments give the help' 0 'Commands' -- "$DGC"
expect 'version' 0 'dgc ' -- "$DGC" --version
expect 'licences' 0 'License' -- "$DGC" --licenses
expect 'a command that is nearly one' 2 'similar command exists: check' -- "$DGC" chek
expect 'an option that is nearly one' 2 'similar option exists: --format' -- "$DGC" check --fromat text
for command in ask build check completions docs doctor explain init list run scaffold schema test; do
    expect "$command --help" 0 "dgc $command" -- "$DGC" $command --help
done

# A project from nothing.
expect 'init' 0 'dgc run' -- "$DGC" init shop
expect 'init refuses a folder with something in it' 73 'already exists' -- "$DGC" init shop
expect 'init wants a name' 2 'dgc init NAME' -- "$DGC" init
expect 'init refuses odd names' 2 'cannot be a project' -- "$DGC" init 9lives
expect 'init knows its templates' 2 'shop' -- "$DGC" init x --template nothing
expect 'a new project checks clean' 0 'validated successfully' -- "$DGC" check shop
expect 'a new project runs' 0 -- "$DGC" run shop
expect 'a new project passes its tests' 0 '1 passed' -- "$DGC" test shop
for template in empty dagster; do
    expect "init --template $template" 0 -- "$DGC" init new_$template --template $template
    expect "a new project of $template checks clean" 0 -- "$DGC" check new_$template
done

# Scaffolds: each type gives a file that says nothing wrong about itself.
expect 'list components' 0 -- "$DGC" list components --json
types=$(grep -o '"key": "[^"]*"' out | cut -d'"' -f4)
cd new_empty || exit 2
for type in $types; do
    rm -rf defs/x
    expect "scaffold defs $type" 0 'defs/x/defs.yaml' -- "$DGC" scaffold defs "$type" x
    "$DGC" check --format json > "$work/out" 2>&1
    codes=$(grep -oE '"code":"[EW][0-9]+"' "$work/out" | grep -oE '[EW][0-9]+' | sort -u |
        grep -vE '^(E0202|E0703|W0305|E0403|W0705)$' | tr '\n' ' ')
    [ -z "$codes" ] && ok "the scaffold of $type is well formed" || bad "the scaffold of $type" "$codes"
done
expect 'scaffold by part of a name' 0 'is read as dgc.Files' -- "$DGC" scaffold defs files y
expect 'scaffold lists candidates' 2 'dagster.PythonScriptComponent' 'dgc.Script' -- "$DGC" scaffold defs script z
expect 'scaffold does not overwrite' 73 'already exists' -- "$DGC" scaffold defs dgc.Files y
expect 'scaffold stays in the project' 2 'leads out' -- "$DGC" scaffold defs dgc.Files ../y
expect 'scaffold with attributes' 0 -- "$DGC" scaffold defs dgc.Files v --path 'a.csv' --asset raw/v
grep -q '^  path: a.csv$' defs/v/defs.yaml && ok 'attributes are filled in' || bad 'attributes' 'are not filled in'
expect 'scaffold with JSON' 0 -- "$DGC" scaffold defs dgc.Files w --json-params '{"path": ["a.csv", "b.csv"], "asset": "raw/w"}'
grep -qF '  path: ["a.csv", "b.csv"]' defs/w/defs.yaml && ok 'JSON is filled in' || bad 'JSON' 'is not filled in'
expect 'scaffold knows the attributes' 2 'similar attribute exists: path' -- "$DGC" scaffold defs dgc.Files u --paht a
rm -rf defs/[a-z]
expect 'scaffold component' 0 'components/rates.c' -- "$DGC" scaffold component acme.Rates
expect 'a new component passes its test' 0 '1 passed' -- "$DGC" test
expect 'a new component can be scaffolded' 0 -- "$DGC" scaffold defs acme.Rates rates
expect 'a new component checks clean' 0 'validated successfully' -- "$DGC" check
expect 'a new component runs' 0 -- "$DGC" run
expect 'schema knows it' 0 -- "$DGC" schema
expect 'list components knows it' 0 'acme.Rates' -- "$DGC" list components
expect 'explain knows it' 0 'How many rows' -- "$DGC" explain acme.Rates
grep -q '"acme.Rates"' .dgc/schema.json && ok 'the schema has the new type' || bad 'schema' 'has no acme.Rates'
cd ..

# What the descriptors give.
expect 'schema of one type' 0 'draft-07' '"asset"' -- "$DGC" schema dgc.Files
expect 'schema of no type' 2 'no component type' -- "$DGC" schema dgc.Nothing
expect 'explain a code' 0 'E0107' -- "$DGC" explain E0107
expect 'explain a slug' 0 'E0107' -- "$DGC" explain unknown-attribute
expect 'explain a type' 0 '## Attributes' -- "$DGC" explain dgc.Files
expect 'explain an attribute' 0 'asset' -- "$DGC" explain dgc.Files.asset
expect 'explain nothing' 2 'there is no' -- "$DGC" explain E9999
expect 'docs' 0 'dgc.Files' -- "$DGC" docs
expect 'docs in pages' 0 -- "$DGC" docs -o pages
[ -f pages/dgc.Files.md ] && [ -f pages/README.md ] && ok 'pages are written' || bad 'docs' 'no pages'
expect 'doctor' 0 'time zones' -- "$DGC" doctor
expect 'doctor in JSON' 0 '"state"' -- "$DGC" doctor --json

# Completion.
for shell in bash zsh fish; do expect "completions $shell" 0 '__complete' -- "$DGC" completions $shell; done
expect 'completions of no shell' 2 'bash, zsh or fish' -- "$DGC" completions tcsh
expect 'commands are completed' 0 'check' -- "$DGC" __complete ch
expect 'options are completed' 0 '--format' -- "$DGC" __complete check --f
expect 'types are completed' 0 'dgc.Files' -- "$DGC" __complete scaffold defs dgc.F
cd shop && expect 'assets are completed' 0 'raw/orders' -- "$DGC" __complete run --select raw; cd ..
cd shop && expect 'indexes are completed' 0 'raw/orders' -- "$DGC" __complete ask --index raw; cd ..
bash -c "$("$DGC" completions bash)"'; complete -p dgc' > out 2>&1 && ok 'bash takes the script' || bad 'bash' 'refuses'

# What a built pipeline answers, from the project.
cd shop
expect 'plan' 0 'raw/orders' 'all is selected' -- "$DGC" plan
expect 'plan of a part' 2 'no asset `nothing`' -- "$DGC" plan --select nothing
expect 'run for a status' 0 -- "$DGC" run
mkdir -p reset
expect 'status' 0 'succeeded' 'marts/customers' -- "$DGC" status
expect 'state' 0 'no step has a cursor' -- "$DGC" state show
expect 'a word is no project because a folder has its name' 2 'no step' -- "$DGC" state reset nothing
rmdir reset
cd ..
expect 'status of a project elsewhere' 0 '"succeeded"' -- "$DGC" status shop --json
rm -rf shop/.dgc

# Streams.
"$DGC" docs reference > /dev/full 2> out; [ $? = 74 ] && ok 'a full disk is exit 74' || bad 'full disk' 'another exit'
"$DGC" docs reference 2> out | head -1 > /dev/null; [ "${PIPESTATUS[0]}" = 0 ] && ok 'a closed pipe is no error' || bad 'closed pipe' 'exit'
"$DGC" check nowhere > out 2> err; [ $? = 2 ] && ok 'no project is exit 2' || bad 'no project' 'another exit'

# --watch says something when the findings change, and soon.
cp -r shop watched && cd watched || exit 2
touch ../watch.log
"$DGC" check --watch > ../watch.log 2>&1 & watcher=$!
for _ in $(seq 100); do grep -q 'no mistakes' ../watch.log && break; sleep 0.05; done
sed -i 's/asset: raw/aset: raw/' defs/raw/defs.yaml
for _ in $(seq 100); do grep -q 'aset' ../watch.log && break; sleep 0.05; done
sed -i 's/aset: raw/asset: raw/' defs/raw/defs.yaml
for _ in $(seq 100); do [ "$(grep -c 'no mistakes' ../watch.log)" = 2 ] && break; sleep 0.05; done
kill $watcher; wait $watcher 2> /dev/null
cp ../watch.log "$work/out"
if [ "$(grep -c 'no mistakes' ../watch.log)" = 2 ] && grep -q E0107 ../watch.log; then ok 'watch shows changes'
else bad 'watch' 'missed a change'; fi
