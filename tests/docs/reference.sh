#!/usr/bin/env bash
# reference.sh: the generated pages under docs/reference are what this dgc writes (`make docs` writes them anew).
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# same WHAT LEFT RIGHT
same() {
    if diff -r "$2" "$3" > "$work/diff" 2>&1; then echo "ok reference: $1"
    else echo "FAIL reference: $1 is not what dgc writes; run \`make docs\`: $(head -5 "$work/diff" | tr '\n' ' ')"; fi
}

"$DGC" docs -o "$work/components" > "$work/out" 2>&1 || echo "FAIL reference: dgc docs: $(tail -1 "$work/out")"
same 'pages of component types' "$work/components" docs/reference/components
for page in commands; do
    "$DGC" docs $page > "$work/$page.md" 2> "$work/out" || echo "FAIL reference: dgc docs $page: $(tail -1 "$work/out")"
    same "$page" "$work/$page.md" docs/reference/$page.md
done

# Each filter and test of templates is named on their page.
for word in $(awk '/^#define DG_(FILTERS|TESTS)/ { on = 1 } on { print } on && !/\\$/ { on = 0 }' runtime/eval/eval_api.h | grep -oE 'X\([a-z]+,' | tr -d 'X(,' | sort -u); do
    grep -q "\`$word\`" docs/reference/templates.md || echo "FAIL reference: templates.md does not name \`$word\`"
done
echo 'ok reference: templates.md was looked through'
