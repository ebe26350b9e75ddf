#!/usr/bin/env bash
# conformance_setup.sh [--print]: a Python environment with Dagster in the cache, to compare with.
# --print only says where its interpreter is. Nothing of it enters the product.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

requirements=$root_dir/scripts/conformance.txt
env_dir=$cache_dir/conformance/$(sha256_of "$requirements" | cut -c1-12)
if [ "${1:-}" = --print ]; then echo "$env_dir/bin/python"; exit 0; fi
[ ! -e "$env_dir/.ready" ] || exit 0

mkdir -p "$(dirname "$env_dir")"
exec 9> "$env_dir.lock"
flock 9
[ ! -e "$env_dir/.ready" ] || exit 0
started=$SECONDS
new_venv "$env_dir"
retry "$env_dir/bin/pip" install -q --no-compile -r "$requirements" >&2 || die "pip could not install Dagster"
chmod +x "$env_dir/bin/duckdb" # a program for Sling that comes as a plain file
touch "$env_dir/.ready"
say "Dagster environment ready in $env_dir after $((SECONDS - started)) s"
