#!/usr/bin/env bash
# lint.sh: the rules of the house that a program can check. Prints one `ok` or `FAIL` line per rule.
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 2
failures=0

# verdict RULE: reads the offending lines from stdin.
verdict() {
    local found
    found=$(cat)
    if [ -z "$found" ]; then echo "ok lint: $1"; return; fi
    failures=$((failures + 1))
    printf '%s\n' "$found" | head -40 | sed "s/^/FAIL lint: $1: /"
}

# tracked PATTERN...: the files of the project; by name alone where there is no git.
tracked() {
    local file pattern
    if git -c safe.directory='*' rev-parse --is-inside-work-tree > /dev/null 2>&1; then
        git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@"
    else
        find . -type f ! -path './build*' ! -path './.git/*' | sed 's|^\./||' | sort | while read -r file; do
            [ $# -gt 0 ] || echo "$file"
            for pattern in "$@"; do
                # shellcheck disable=SC2254  # a pattern is meant
                case $file in $pattern) echo "$file" ;; esac
            done
        done
    fi | while read -r file; do if [ -f "$file" ]; then echo "$file"; fi; done
}

mapfile -t c_files < <(tracked 'runtime/*.[ch]' 'stdlib-components/*.[ch]' 'compiler/*.[ch]' 'codegen/*.[ch]')

# --- who may include whom (docs/explanation/architecture.md) ---
layering() {
    [ ${#c_files[@]} -gt 0 ] || return 0
    awk '
    function dir(path,   n, parts) { n = split(path, parts, "/"); return n > 2 ? parts[1] "/" parts[2] : parts[1] }
    function starts(text, head) { return index(text, head) == 1 }
    # Whether file may include the header target (both as paths from the root).
    function allowed(file, target) {
        if (starts(file, "runtime/base/")) return starts(target, "runtime/base/") || target == "runtime/dgc.h"
        if (starts(file, "runtime/eval/"))
            return starts(target, "runtime/base/") || starts(target, "runtime/eval/") || target == "runtime/dgc.h"
        if (starts(file, "runtime/")) return starts(target, "runtime/")
        if (starts(file, "stdlib-components/")) return starts(target, "runtime/") || dir(target) == dir(file)
        if (starts(file, "compiler/")) {
            if (starts(target, "codegen/")) return file ~ /^compiler\/(cmd_[a-z0-9_]+|main)\.c$/
            if (starts(target, "compiler/")) return 1
            if (starts(target, "runtime/db/")) return starts(file, "compiler/sql/")
            return starts(target, "runtime/base/") || starts(target, "runtime/eval/") ||
                   target == "runtime/component.h" || target == "runtime/dgc.h" ||
                   target == "runtime/data/batch.h" ||            # names of column types
                   target == "runtime/data/infer.h"               # columns of files, when building
        }
        if (starts(file, "codegen/"))
            return starts(target, "codegen/") || starts(target, "compiler/") || starts(target, "runtime/")
        return 1
    }
    FNR == 1 { base = FILENAME; sub(/\/[^\/]*$/, "", base) }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        target = $0; sub(/^[^"]*"/, "", target); sub(/".*/, "", target)
        if (target == "component_list.h") target = "runtime/component.h"          # generated
        else if (target !~ /^(runtime|compiler|codegen|stdlib-components|tests)\//) target = base "/" target
        while (sub(/[^\/]+\/\.\.\//, "", target)) {}
        if (!allowed(FILENAME, target)) print FILENAME ":" FNR ": may not include " target
    }' "${c_files[@]}"
}
layering | verdict "layers"

# --- calls that are banned, with what to use instead ---
banned_calls() {
    [ ${#c_files[@]} -gt 0 ] || return 0
    # Comments and string literals do not count.
    awk '
    FNR == 1 { in_comment = 0 }
    { line = $0
      gsub(/\\./, "", line); gsub(/"[^"]*"/, "\"\"", line)
      if (in_comment) { if (!sub(/^.*\*\//, "", line)) next; in_comment = 0 }
      gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line); sub(/\/\/.*/, "", line)
      if (sub(/\/\*.*/, "", line)) in_comment = 1
      if (match(line, /(^|[^A-Za-z0-9_.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets)[ \t]*\(/)) {
          call = substr(line, RSTART, RLENGTH); gsub(/[^a-z]/, "", call)
          print FILENAME ":" FNR ": " call "() is banned: use the functions of runtime/base" } }' "${c_files[@]}"
}
banned_calls | verdict "banned calls"

# --- nothing of one machine, no registry addresses in tracked files ---
mapfile -t text_files < <(tracked | grep -v '^tests/lint\.sh$')
hosts='registry\.(np[m]js|yarn[p]kg)|py[p]i\.org|files\.python[h]osted|(deb|security|snapshot|ftp)\.deb[i]an\.org|proxy\.go[l]ang|crat[e]s\.io|static\.rust-[l]ang'
if [ ${#text_files[@]} -gt 0 ]; then
    grep -InE "$hosts" "${text_files[@]}" | cut -c1-160
fi | verdict "registry addresses"
if [ ${#text_files[@]} -gt 0 ]; then
    grep -InE '(^|[^A-Za-z0-9_.~$}/-])/(root|work|home/[a-z]+)/[A-Za-z0-9._-]' "${text_files[@]}" | cut -c1-160
fi | verdict "machine paths"

# --- nothing left lying about: traces of a merge, notes in the root ---
if [ ${#text_files[@]} -gt 0 ]; then
    grep -InE '^(<<<<<<<|\|\|\|\|\|\|\||>>>>>>>)( |$)' "${text_files[@]}" | cut -c1-160
fi | verdict "merge conflicts"
tracked | grep -v / | grep -vxE '\.gitignore|AGENTS\.md|LICENSE|Makefile|README\.md|llms\.txt' | sed 's/$/: not a file of the root/' | verdict "files of the root"

# --- sizes ---
for f in "${c_files[@]}"; do
    lines=$(wc -l < "$f")
    [ "$lines" -le 800 ] || echo "$f: $lines lines, the limit is 800"
done | verdict "file length"
# A generated or data file has no business in the tree.
tracked | while read -r f; do
    size=$(stat -c %s "$f"); [ "$size" -le 1000000 ] || echo "$f: $size bytes"
done | verdict "large files"

# --- each header guards itself, each shell script parses ---
for f in "${c_files[@]}"; do
    case $f in *.h) grep -qE '^#(ifndef|pragma once)' "$f" || echo "$f: no include guard" ;; esac
done | verdict "include guards"
tracked '*.sh' .ci/run | while read -r f; do
    head -1 "$f" | grep -q bash && shell=bash || shell=sh
    $shell -n "$f" 2>&1 | head -3
done | verdict "shell syntax"

[ "$failures" = 0 ]
