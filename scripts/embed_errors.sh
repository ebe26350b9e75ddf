#!/usr/bin/env bash
# embed_errors.sh DIR: the pages DIR/CODE.md as C, on standard output.
#
# A byte array per page: string literals have a length limit in ISO C, arrays have none.
set -euo pipefail
export LC_ALL=C

dir=${1:?embed_errors.sh DIR}
pages=()
for file in "$dir"/[EW][0-9][0-9][0-9][0-9].md; do
    if [ -f "$file" ]; then pages+=("$file"); fi
done

echo '/* Made by scripts/embed_errors.sh from docs/errors/. */'
for file in "${pages[@]}"; do
    printf 'static const unsigned char PAGE_%s[] = {\n' "$(basename "$file" .md)"
    od -An -v -tu1 -w24 "$file" | sed -E 's/ +([0-9]+)/\1,/g'
    echo '};'
done
echo 'static const struct {'
echo '    const char *code;'
echo '    const unsigned char *text;'
echo '    size_t size;'
echo '} ERROR_PAGES[] = {'
for file in "${pages[@]}"; do
    code=$(basename "$file" .md)
    printf '    {"%s", PAGE_%s, sizeof PAGE_%s},\n' "$code" "$code" "$code"
done
echo '    {0, 0, 0},'
echo '};'
