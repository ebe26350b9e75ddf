#!/bin/sh
# Every code block of the documentation (see blocks_run.py).
command -v python3 > /dev/null || { echo "ok documentation not run: no python3"; exit 0; }
exec python3 "$(dirname "$0")/blocks_run.py"
