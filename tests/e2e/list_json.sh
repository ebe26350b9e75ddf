#!/usr/bin/env bash
# `dgc list defs --json` and the built executable's `list --json` are one document.
set -u
. "$(dirname "$0")/lib.sh"

project=$WORK/project
mkdir -p "$project/defs/a" "$project/defs/b"
echo 'name: listed' > "$project/dgc.yaml"
cat > "$project/defs/a/defs.yaml" <<'YAML'
# The document begins below this line.
type: dagster.PythonScriptComponent
attributes:
  execution: {path: s.py, description: "of the step"}
  assets:
    - {key: raw/x, deps: [outside, b], owners: [a@b.co, "team:t"], tags: {k: v, e: ""}, kinds: [z, a],
       automation_condition: "{{ dg.AutomationCondition.eager() }}"}
    - {key: "größe", description: "naïve \U0001F600 \"quoted\""}
  checks:
    - {name: c, asset: raw/x, additional_deps: [b, unheard/of], description: "looks"}
    - {name: a, asset: elsewhere}
---
type: dgc.Job
attributes: {name: j, selection: "raw/x", description: "a job"}
---
type: dgc.Schedule
attributes: {name: s, cron: "@daily", target: j}
YAML
echo 'print(1)' > "$project/defs/a/s.py"
cat > "$project/defs/b/defs.yaml" <<'YAML'
type: dgc.Script
attributes:
  command: [make]
  asset: {key: b, group_name: g}
YAML

expect "dgc list" sh -c "'$DGC' list defs --json '$project' > '$WORK/dgc.json'"
expect "build" "$DGC" build -o "$WORK/pipeline" "$project"
expect "list of the executable" sh -c "'$WORK/pipeline' list --json > '$WORK/pipeline.json'"
expect "the documents are equal" diff "$WORK/dgc.json" "$WORK/pipeline.json"
finish
