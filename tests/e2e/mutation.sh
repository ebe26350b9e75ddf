#!/bin/sh
# The mutation corpus: 40 good projects, each broken in 12 ways (see tests/mutation/mutate.py).
set -u
. "$(dirname "$0")/lib.sh"
command -v python3 > /dev/null || { echo "ok mutation corpus skipped: no python3"; exit 0; }
python3 "$ROOT/tests/mutation/mutate.py" "$DGC"
