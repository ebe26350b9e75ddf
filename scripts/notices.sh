#!/usr/bin/env bash
# notices.sh: the licence of dgc and of everything that is linked into it or into its pipelines.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
tp=$(third_party_dir)

# The Debian packages whose code is linked: package, what it is here, where it ends up.
debian_parts="libyaml-dev:libyaml:dgc
libtree-sitter-dev:tree-sitter:dgc
libtcc-dev:libtcc (LGPL, linked into dgc only; its source is Debian's source package tcc):dgc
libnghttp2-dev:nghttp2:pipelines
libssl-dev:OpenSSL:pipelines
libsqlite3-dev:SQLite:pipelines
libzstd-dev:Zstandard:pipelines
zlib1g-dev:zlib:pipelines
libpcre2-dev:PCRE2:pipelines
libstdc++6:libstdc++ and libgcc (GPL with the runtime library exception; carried beside DuckDB):pipelines"

heading() { printf '\n%s\n%s\n%s\n\n' "$(printf '=%.0s' {1..98})" "$1" "$(printf '=%.0s' {1..98})"; }

echo "dgc is licensed under the Apache License, Version 2.0 (at the end of this text)."
echo "It contains, or puts into the pipelines that it builds, the following third-party software."

for file in "$tp"/share/licenses/*; do
    heading "$(head -1 "$file")"
    tail -n +2 "$file"
done
while IFS=: read -r package what where; do
    heading "$what, Debian package $package $(dpkg-query -W -f '${Version}' "$package" 2> /dev/null) (in: $where)"
    cat "/usr/share/doc/$package/copyright" 2> /dev/null || echo "(see /usr/share/doc/$package/copyright)"
done <<< "$debian_parts"
heading "dgc"
cat "$root_dir/LICENSE"
