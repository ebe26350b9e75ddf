#!/usr/bin/env bash
# parts.sh: what pipelines are linked with, as rows of C: name, version, licence, package URL, and
# whether it comes along with DuckDB only. Versions are those of what is there, not a list's.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

# row NAME VERSION LICENCE PURL ONLY_WITH_DUCKDB
row() { printf '    {"%s", "%s", "%s", "%s", %s},\n' "$@"; }

# debian NAME PACKAGE LICENCE DUCKDB: the version of the Debian package.
debian() {
    local version
    version=$(dpkg-query -W -f '${Version}' "$2" 2> /dev/null || echo unknown)
    row "$1" "$version" "$3" "pkg:deb/debian/$2@${version//:/%3A}" "$4"
}

pinned() { pins "$1" "$2" | head -1 | cut -d' ' -f2; }

echo '/* Made by scripts/parts.sh. */'
row cjson "$(pinned deb-orig cjson)" MIT "pkg:generic/cjson@$(pinned deb-orig cjson)" false
row curl "$(pinned deb-orig curl)" curl "pkg:generic/curl@$(pinned deb-orig curl)" false
debian glibc-startup libc6-dev 'LGPL-2.1-or-later WITH GCC-exception-2.0' false
row gpt-tokenizer "$(pinned npm gpt-tokenizer)" MIT "pkg:npm/gpt-tokenizer@$(pinned npm gpt-tokenizer)" false
debian nghttp2 libnghttp2-dev MIT false
debian openssl libssl-dev Apache-2.0 false
debian pcre2 libpcre2-dev BSD-3-Clause false
debian sqlite libsqlite3-dev blessing false
debian zlib zlib1g-dev Zlib false
debian zstd libzstd-dev BSD-3-Clause false
row duckdb "$(pinned npm duckdb)" MIT "pkg:npm/%40duckdb/node-bindings-linux-x64@$(pinned npm @duckdb/node-bindings-linux-x64)" true
debian libgcc libgcc-s1 'GPL-3.0-or-later WITH GCC-exception-3.1' true
debian libstdc++ libstdc++6 'GPL-3.0-or-later WITH GCC-exception-3.1' true
