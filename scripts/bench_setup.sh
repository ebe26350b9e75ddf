#!/usr/bin/env bash
# bench_setup.sh [--print]: Sling, dlt, LlamaIndex and CocoIndex in the cache, to be measured against; with what Sling needs to
# write DuckDB files and Parquet, which it would download while it is measured: DuckDB's command-line program
# and two of its extensions. --print only says where the environment is. Nothing of it enters the product.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

requirements=$root_dir/scripts/bench.txt
env_dir=$cache_dir/bench/$(sha256_of "$requirements" | cut -c1-12)
if [ "${1:-}" = --print ]; then echo "$env_dir"; exit 0; fi
[ ! -e "$env_dir/.ready" ] || exit 0

mkdir -p "$(dirname "$env_dir")"
exec 9> "$env_dir.lock"
flock 9
[ ! -e "$env_dir/.ready" ] || exit 0
new_venv "$env_dir"
# Extensions and the program depend on each other only by version.
retry "$env_dir/bin/pip" install -q --no-compile -r "$requirements" >&2 || die "pip could not install the peers"
site=$("$env_dir/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
chmod +x "$env_dir/bin/duckdb"
for extensions in "$site"/duckdb_extension_*/extensions/*; do
    into=$env_dir/home/.duckdb/extensions/$(basename "$extensions")/linux_amd64
    mkdir -p "$into"
    cp "$extensions"/*.duckdb_extension "$into/"
done
ln -s "$site/sling_linux_amd64/bin/sling-linux-amd64" "$env_dir/bin/sling"
touch "$env_dir/.ready"
say "Peers to measure against are in $env_dir"
