#!/usr/bin/env bash
# conformance_dlt.sh: a Python environment in the cache with dlt, which takes JSON apart like `max_table_nesting`. Prints its interpreter.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
python_env dlt 'dlt[duckdb]==1.31.0' duckdb==1.4.4
