#!/usr/bin/env bash
# embed_headers.sh HEADER...: the headers that emitted C includes, as C data, on standard output.
#
# dgc compiles in memory without reading a file, so it carries them. Arrays of bytes, because string
# literals have a length limit in ISO C.
set -euo pipefail
export LC_ALL=C

echo '/* Made by scripts/embed_headers.sh from the headers of the runtime. */'
number=0
for header in "$@"; do
    echo "static const unsigned char HEADER_$number[] = {"
    od -An -v -tu1 -w24 "$header" | sed -E 's/ +([0-9]+)/\1,/g'
    echo '};'
    number=$((number + 1))
done
echo 'static const struct {'
echo '    const char *path;'
echo '    const unsigned char *text;'
echo '    size_t size;'
echo '} EMBEDDED_HEADERS[] = {'
number=0
for header in "$@"; do
    echo "    {\"$header\", HEADER_$number, sizeof HEADER_$number},"
    number=$((number + 1))
done
echo '};'
