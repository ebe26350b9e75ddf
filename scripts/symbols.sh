#!/usr/bin/env bash
# symbols.sh COMPONENTS HEADER...: C that names every function emitted programs and users'
# components may call, with its address; on standard output.
#
# What the headers promise is the list: a function that they declare and nobody defines fails dgc's
# own link. COMPONENTS is the folder whose `const DgStepOps dg_X_ops` are added; with NO_WAREHOUSE in the environment
# only those of files whose steps need none.
set -euo pipefail
export LC_ALL=C

components=$1
shift
includes=$(printf '#include "%s"\n' "$@")
declared=$(printf '#define DGC_NO_LIBC\n%s\n' "$includes" | "${CC:-gcc}" -E -P -I. -)
functions=$(grep -oE '\b(dg|dgv)_[a-z0-9_]+ *\(' <<< "$declared" | tr -d ' (' | sort -u)
tables=$(grep -oE 'extern const [^;(]*;' <<< "$declared" | grep -oE '\bdg_[a-z0-9_]+' | sort -u)
mapfile -t files < <(grep -rlE --include='*.c' "${NO_WAREHOUSE:+no_warehouse = true}" "$components")
ops=$(grep -hoE '^const DgStepOps dg_[a-z0-9_]+' "${files[@]}" | sed 's/.* //' | sort -u)

echo '/* Made by scripts/symbols.sh from the headers of the runtime. */'
echo '#include "runtime/symbols.h"'
names=$(printf '%s\n' "$functions" "$tables" "$ops" | sort -u)
for name in $names; do echo "extern const char $name[];"; done
echo 'const DgSymbol dg_symbols[] = {'
for name in $names; do echo "    {\"$name\", $name},"; done
echo '    {NULL, NULL},'
echo '};'
