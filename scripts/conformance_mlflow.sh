#!/usr/bin/env bash
# conformance_mlflow.sh: a Python environment in the cache with MLflow itself: tracking server, model server, SDK. Prints its interpreter.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

packages=(mlflow==3.17.2)
env_dir=$cache_dir/conformance/mlflow-$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-12)
mkdir -p "$cache_dir/conformance"
exec 9> "$env_dir.lock"
flock 9
if [ ! -e "$env_dir/.ready" ]; then
    rm -rf "$env_dir"
    python3 -m venv "$env_dir" >&2
    retry "$env_dir/bin/pip" install -q --no-compile "${packages[@]}" >&2 || die "pip could not install MLflow"
    touch "$env_dir/.ready"
fi
echo "$env_dir/bin/python"
