#!/usr/bin/env bash
# setup.sh: bring a bare Debian 12 to the point where `make` works. Run it as often as you like.
#
# 1. installs the Debian packages named in scripts/pins.txt (only the missing ones);
# 2. builds or fetches the rest, once, into a tree outside the source tree:
#      ${DGC_CACHE:-${XDG_CACHE_HOME:-~/.cache}/dgc}/third_party/<hash of the pins>/
#        include/ lib/ share/        headers, static archives and DuckDB, sample data
#        share/licenses/             licence texts (scripts/notices.sh prints them)
#        env.mk                      what the Makefile includes; present = all is in place
set -euo pipefail
. "$(dirname "$0")/lib.sh"

tp=$(third_party_dir)
scripts=$root_dir/scripts
export LC_ALL=C

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo > /dev/null; then sudo "$@"
    else die "needs root or sudo to run: $*"; fi
}

missing_packages() {
    local wanted installed
    wanted=$(pins apt | tr ' ' '\n'; command -v npm > /dev/null || echo npm)
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2> /dev/null |
        sed -n 's/^installed //p')
    grep -vxF -e "$installed" <<< "$wanted" || true
}

install_packages() {
    local missing
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    say "installing Debian packages:" $missing
    # The lists may be stale or absent; only refresh them when the first attempt fails.
    apt_install $missing > /dev/null 2>&1 && return 0
    retry as_root apt-get -q update >&2
    retry apt_install $missing >&2 || die "apt-get could not install:" $missing
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "$@" < /dev/null
}

# --- one function per third-party piece; each runs once, see `once` below ---

# unpack_npm NAME DIR: fetch the pinned tarball, check it, unpack it to DIR.
unpack_npm() {
    local version sum tarball
    read -r _ version sum <<< "$(pins npm "$1")"
    rm -rf "$2" && mkdir -p "$2/tarball"
    retry npm pack --silent --ignore-scripts --pack-destination "$2/tarball" "$1@$version" \
        > /dev/null 2>&1 < /dev/null || die "npm pack $1@$version failed"
    tarball=$(ls "$2"/tarball/*.tgz)
    [ "$(sha256_of "$tarball")" = "$sum" ] || die "$1@$version: checksum is $(sha256_of "$tarball"), not the pinned $sum"
    tar -xzf "$tarball" -C "$2" --strip-components=1 --no-same-owner
    rm -rf "$2/tarball"
    license_npm "$1" "$version" "$2"
}

# The LICENSE file of an npm package, or what its package.json says if it ships none.
license_npm() {
    local out="$tp/share/licenses/${1//\//_}"
    printf '%s %s (npm)\n' "$1" "$2" > "$out"
    cat "$3"/LICEN[SC]E* >> "$out" 2> /dev/null ||
        grep -E '"(license|author|homepage)"' "$3/package.json" >> "$out"
}

build_duckdb_library() {
    unpack_npm @duckdb/node-bindings-linux-x64 "$work/duckdb"
    cp "$work/duckdb/libduckdb.so" "$tp/lib/libduckdb.so"
    # Its own needs, so that an executable that embeds DuckDB asks the machine for glibc only.
    cp -L "$(gcc -print-file-name=libstdc++.so.6)" "$(gcc -print-file-name=libgcc_s.so.1)" "$tp/lib/"
    zstd -q -19 -f "$tp/lib/libstdc++.so.6" "$tp/lib/libgcc_s.so.1"
}

build_duckdb_compressed() { zstd -q -19 -T2 -f "$tp/lib/libduckdb.so"; }

build_duckdb_header() {
    unpack_npm duckdb "$work/duckdb-source"
    cp "$work/duckdb-source/src/duckdb/src/include/duckdb.h" "$tp/include/"
    license_duckdb_parts "$work/duckdb-source/src/duckdb/third_party" > "$tp/share/licenses/duckdb-parts"
}

# The library has other projects inside; their terms stand at the head of their source files only.
license_duckdb_parts() {
    local part file
    echo "Software inside DuckDB: the terms at the head of its source files"
    for part in "$1"/*/; do
        printf '\n--- %s ---\n' "$(basename "$part")"
        grep -rlIiE 'copyright|license' "$part" | sort | head -400 | while read -r file; do
            head -60 "$file" | awk '/^[ \t]*(\/\/|\/\*|\*|#[^a-z])/ { sub(/^[ \t]*(\/\/+|\/\*+|\*+\/?|#)[ ]?/, ""); print; next } { exit }'
        done | grep -vE '^[-=*[:space:]]*$' | awk '!seen[$0]++' | grep -iE -A 24 'copyright|licen' | grep -v '^--$' | head -120 || true
    done
    printf '\n--- no terms in these sources; as their projects state them ---\n'
    echo "fast_float, cpp-httplib, yyjson: MIT; pdqsort: zlib; Parquet format: Apache-2.0;"
    echo "ICU: Unicode licence; jemalloc: BSD-2-Clause"
}

build_tree_sitter_sql() {
    local src="$work/tree-sitter-sql" file
    unpack_npm @derekstride/tree-sitter-sql "$src"
    for file in parser scanner; do
        # The table file gains nothing from -O2 and takes twice as long.
        ( cd "$src/src" && gcc -O1 -fPIC -w -I. -ffile-prefix-map="$PWD"=tree-sitter-sql -c "$file.c" )
    done
    rm -f "$tp/lib/libtree-sitter-sql.a"
    ar rcsD "$tp/lib/libtree-sitter-sql.a" "$src/src/parser.o" "$src/src/scanner.o"
}

build_cjson() {
    local src="$work/cjson"
    "$scripts/fetch_deb_source.sh" cjson "$src"
    ( cd "$src" && gcc -O2 -fPIC -ffunction-sections -fdata-sections -c cJSON.c )
    rm -f "$tp/lib/libcjson.a"
    ar rcsD "$tp/lib/libcjson.a" "$src/cJSON.o"
    cp "$src/cJSON.h" "$tp/include/"
    { echo "cJSON $(pins deb-orig cjson | cut -d' ' -f2)"; cat "$src/LICENSE"; } > "$tp/share/licenses/cjson"
}

build_curl() {
    local src="$work/curl"
    "$scripts/fetch_deb_source.sh" curl "$src"
    ( cd "$src"
      # Debian's patch set may leave generated files older than their sources; no autotools needed.
      find . -name '*.m4' -o -name '*.ac' -o -name '*.am' | xargs touch -d '2000-01-01'
      CFLAGS="-O2 -fPIC -ffunction-sections -fdata-sections -ffile-prefix-map=$PWD=curl" \
      ./configure --prefix="$work/curl-out" --disable-shared --enable-static --disable-dependency-tracking \
        --with-openssl --with-nghttp2 --with-zlib --with-zstd \
        --without-brotli --without-libpsl --without-libidn2 --without-librtmp --without-libssh2 \
        --without-libssh --without-gssapi --without-nghttp3 --disable-ldap --disable-ldaps \
        --disable-ftp --disable-tftp --disable-telnet --disable-dict --disable-gopher --disable-imap \
        --disable-pop3 --disable-smtp --disable-smb --disable-rtsp --disable-mqtt --disable-manual \
        --disable-ntlm --disable-alt-svc --with-ca-bundle=/etc/ssl/certs/ca-certificates.crt
      make -j2 -C lib
      make -C lib install
      make -C include install ) > "$work/curl.log" 2>&1 < /dev/null ||
        { tail -40 "$work/curl.log" >&2; die "curl does not build"; }
    cp "$work/curl-out/lib/libcurl.a" "$tp/lib/"
    cp -r "$work/curl-out/include/curl" "$tp/include/"
    { echo "curl $(pins deb-orig curl | cut -d' ' -f2)"; cat "$src/COPYING"; } > "$tp/share/licenses/curl"
}

# libpq alone, without what Debian's needs besides (Kerberos, LDAP, ICU, readline).
build_libpq() {
    local src="$work/libpq"
    "$scripts/fetch_deb_source.sh" postgresql-15 "$src"
    ( cd "$src"
      CFLAGS="-O2 -fPIC -ffunction-sections -fdata-sections -ffile-prefix-map=$PWD=libpq" \
      ./configure --prefix="$work/libpq-out" --with-openssl --without-gssapi --without-ldap --without-readline \
        --without-zlib --without-icu --without-systemd --without-llvm --without-perl --without-python --without-tcl
      make -j2 -C src/backend generated-headers
      make -j2 -C src/common
      make -j2 -C src/port
      make -j2 -C src/interfaces/libpq all-static-lib ) > "$work/libpq.log" 2>&1 < /dev/null ||
        { tail -40 "$work/libpq.log" >&2; die "libpq does not build"; }
    # Of the common code the plain variant: the other one calls exit() on errors of its own.
    cp "$src/src/interfaces/libpq/libpq.a" "$src/src/common/libpgcommon_shlib.a" "$src/src/port/libpgport_shlib.a" "$tp/lib/"
    cp "$src/src/interfaces/libpq/libpq-fe.h" "$src/src/include/postgres_ext.h" "$src/src/include/pg_config_ext.h" "$tp/include/"
    { echo "libpq $(pins deb-orig postgresql-15 | head -1 | cut -d' ' -f2)"; cat "$src/COPYRIGHT"; } > "$tp/share/licenses/libpq"
}

build_sample_data() {
    unpack_npm vega-datasets "$work/vega"
    rm -rf "$tp/share/vega-datasets" "$tp/share/webhooks-examples"
    mkdir -p "$tp/share/vega-datasets" "$tp/share/webhooks-examples"
    cp -r "$work/vega/data/." "$tp/share/vega-datasets/"
    unpack_npm @octokit/webhooks-examples "$work/webhooks"
    cp -r "$work/webhooks/." "$tp/share/webhooks-examples/"
}

build_token_ranks() {
    local name
    unpack_npm gpt-tokenizer "$work/gpt-tokenizer"
    mkdir -p "$tp/share/tokens"
    for name in o200k_base cl100k_base; do
        node "$scripts/pack_ranks.js" "$work/gpt-tokenizer/data/$name.tiktoken" "$tp/share/tokens/$name"
        zstd -q -19 -f "$tp/share/tokens/$name"
    done
}

# once NAME: run build_NAME unless it is done already in this tree.
once() {
    [ -e "$tp/.done/$1" ] && return 0
    local started=$SECONDS
    "build_$1"
    touch "$tp/.done/$1"
    say "$1: done in $((SECONDS - started)) s"
}

write_env() {
    local system=/usr/lib/x86_64-linux-gnu
    cat > "$tp/env.mk.tmp" <<END
# Written by scripts/setup.sh.
TP := $tp
TP_SYSTEM_LIB := $system
# Archives that a pipeline executable may need, in link order.
TP_RUNTIME_LIBS := $tp/lib/libpq.a $tp/lib/libpgcommon_shlib.a $tp/lib/libpgport_shlib.a $tp/lib/libcurl.a $system/libnghttp2.a $system/libssl.a $system/libcrypto.a \\
    $system/libsqlite3.a $system/libzstd.a $system/libz.a $system/libpcre2-8.a $tp/lib/libcjson.a
# Archives that only the compiler needs. libtcc is LGPL: it stays in dgc.
TP_COMPILER_LIBS := $system/libyaml.a $tp/lib/libtree-sitter-sql.a $system/libtree-sitter.a \\
    $system/libtcc.a $system/tcc/libtcc1.a
TP_DUCKDB_FILES := $tp/lib/libduckdb.so $tp/lib/libduckdb.so.zst \\
    $tp/lib/libstdc++.so.6 $tp/lib/libstdc++.so.6.zst $tp/lib/libgcc_s.so.1 $tp/lib/libgcc_s.so.1.zst
TP_SHARE := $tp/share
END
    mv "$tp/env.mk.tmp" "$tp/env.mk"
    ln -sfn "$tp/env.mk" "$cache_dir/env.mk"
}

[ "$(uname -m)" = x86_64 ] || die "only x86_64 is supported, this is $(uname -m)"
command -v apt-get > /dev/null || die "needs Debian 12 or a distribution like it (no apt-get here)"
install_packages
[ ! -e "$tp/env.mk" ] || { ln -sfn "$tp/env.mk" "$cache_dir/env.mk"; exit 0; }

mkdir -p "$tp/include" "$tp/lib" "$tp/share/licenses" "$tp/.done"
exec 9> "$tp/.lock"
flock 9                         # two checkouts may set up at the same time
[ ! -e "$tp/env.mk" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say "building third-party libraries in $tp (once)"
once duckdb_library
once duckdb_compressed & compressing=$!
once duckdb_header
once cjson
once tree_sitter_sql
once curl
once libpq
once token_ranks
once sample_data
wait "$compressing"
write_env
say "ready after $SECONDS s"
